//! Strings with a stated length, without characters that do harm further on.

use std::ops::Deref;

use schemars::SchemaGenerator;
use serde_json::{Value, json};

use super::Problem;
use super::field::Field;

/// One line of text of `MIN` to `MAX` characters: no control characters, so that it can stand in a header or a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line<const MIN: usize, const MAX: usize>(String);

/// Text of `MIN` to `MAX` characters: tabs and line breaks may occur, other control characters may not (NUL cannot be
/// stored, and the rest serves nobody who writes a prompt).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text<const MIN: usize, const MAX: usize>(String);

macro_rules! strings {
    ($name:ident, $bad:expr, $kind:literal) => {
        impl<const MIN: usize, const MAX: usize> $name<MIN, MAX> {
            /// The string itself.
            pub fn into_inner(self) -> String {
                self.0
            }

            fn check(text: String) -> Result<Self, Problem> {
                let bad: fn(char) -> bool = $bad;
                if text.chars().any(bad) {
                    return Err(Problem::new("", concat!("expected ", $kind)));
                }
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
                let mut schema = json!({ "type": "string", "maxLength": MAX });
                if MIN > 0 {
                    schema["minLength"] = MIN.into();
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

strings!(Line, char::is_control, "a single line without control characters");
strings!(
    Text,
    |c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'),
    "text without control characters other than tab and line break"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_count_characters_and_control_characters_are_refused() {
        let line = |text: &str| Line::<1, 5>::read(json!(text)).is_ok();
        assert!(line("héllo") && line("12345"));
        for bad in ["", "   ", "123456", "a\nb", "a\0b", "a\u{7f}", "a\u{85}b"] {
            assert!(!line(bad), "{bad:?}");
        }
        assert!(Text::<0, 20>::read(json!("two\r\n\tlines")).is_ok());
        assert!(Text::<0, 20>::read(json!("nul\0")).is_err());
        assert!(Text::<0, 20>::read(json!(5)).is_err());
    }
}
