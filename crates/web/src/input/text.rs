//! Strings with a stated length, without characters that do harm further on (see [`domain::text`]).

use std::ops::Deref;

use domain::text::{clean_in_place, is_harmful};
use schemars::SchemaGenerator;
use serde_json::{Value, json};

use super::Problem;
use super::field::Field;

/// One line of text of `MIN` to `MAX` characters, so that it can stand in a header or a log: tabs and line breaks in it become spaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line<const MIN: usize, const MAX: usize>(String);

/// Text of `MIN` to `MAX` characters, with tabs and line breaks. Every line break becomes a line feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text<const MIN: usize, const MAX: usize>(String);

/// The texts of a line for programs that make requests from the published document: some more are accepted.
pub(super) const PLAIN_LINE: &str = r"^[^\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]*$";

/// The same for texts with tabs and line feeds.
pub(super) const PLAIN_TEXT: &str = r"^([\t\n]|[^\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069])*$";

/// The same where blank is refused.
const NOT_BLANK: &str = r"^[^\s\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]";

/// What texts are expected to be like.
pub(super) const WITHOUT_HARMFUL: &str = "without control characters other than tab and line feed, and without overrides, embeddings and isolates of the writing direction";

/// True if a text holds a character that it may not keep. The carriage return of a line break is none.
pub(super) fn holds_harmful(text: &str) -> bool {
    text.match_indices(is_harmful).any(|(at, found)| found != "\r" || !text[at + 1..].starts_with('\n'))
}

/// The problem of a text that does.
pub(super) fn harmful() -> Problem {
    Problem::new("", format!("expected text {WITHOUT_HARMFUL}"))
}

macro_rules! strings {
    ($name:ident, $made:expr, $plain:expr) => {
        impl<const MIN: usize, const MAX: usize> $name<MIN, MAX> {
            pub fn into_inner(self) -> String {
                self.0
            }

            fn check(mut text: String) -> Result<Self, Problem> {
                if holds_harmful(&text) {
                    return Err(harmful());
                }
                let make: fn(&mut String) = $made;
                make(&mut text);
                if MIN > 0 && text.trim().is_empty() {
                    return Err(Problem::new("", "expected a string that is not blank"));
                }
                // Bytes bound characters from above, so most strings need no counting.
                if text.len() > MAX && text.chars().count() > MAX {
                    return Err(Problem::new("", format!("expected at most {MAX} characters")));
                }
                Ok(Self(text))
            }
        }

        impl<const MIN: usize, const MAX: usize> Field for $name<MIN, MAX> {
            fn read(value: Value) -> Result<Self, Problem> {
                match value {
                    Value::String(text) => Self::check(text),
                    _ => Err(Problem::new("", "expected a string")),
                }
            }

            fn schema(_: &mut SchemaGenerator) -> Value {
                let mut schema = json!({ "type": "string", "maxLength": MAX, "pattern": $plain });
                if MIN > 0 {
                    schema["minLength"] = MIN.into();
                    schema["pattern"] = $plain.replacen('^', NOT_BLANK, 1).into();
                }
                schema
            }
        }

        impl<const MIN: usize, const MAX: usize> Deref for $name<MIN, MAX> {
            type Target = str;

            fn deref(&self) -> &str {
                &self.0
            }
        }
    };
}

strings!(
    Line,
    |text| {
        clean_in_place(text);
        if text.contains(['\t', '\n']) {
            *text = text.replace(['\t', '\n'], " ");
        }
    },
    PLAIN_LINE
);
strings!(Text, clean_in_place, PLAIN_TEXT);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_count_characters_and_control_characters_are_refused() {
        let line = |text: &str| Line::<1, 5>::read(json!(text)).is_ok();
        assert!(line("héllo") && line("12345"));
        for bad in ["", "   ", "123456", "a\rb", "a\0b", "a\u{7f}", "a\u{85}b", "a\u{202e}"] {
            assert!(!line(bad), "{bad:?}");
        }
        assert!(Text::<0, 20>::read(json!("nul\0")).is_err());
        assert!(Text::<0, 20>::read(json!(5)).is_err());
    }

    #[test]
    fn tabs_and_line_breaks_stay_in_texts_and_are_spaces_in_lines() {
        let sent = json!("two\r\n\tlines");
        assert_eq!(Text::<0, 20>::read(sent.clone()).map(Text::into_inner), Ok("two\n\tlines".into()));
        assert_eq!(Line::<0, 20>::read(sent).map(Line::into_inner), Ok("two  lines".into()));
    }
}
