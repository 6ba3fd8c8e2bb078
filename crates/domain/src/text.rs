//! The rule for characters in text that comes from outside.
//!
//! Some characters can do nothing but harm further on: PostgreSQL stores no NUL, control characters break logs, headers and terminals, half
//! of a surrogate pair cannot be written in UTF-8, and overrides, embeddings and isolates of the writing direction make a text read
//! otherwise than it is stored. [`is_harmful`] names them. Tab and line feed are useful and stay, and so do the marks LRM and RLM, without
//! which names in mixed scripts cannot be written properly.
//!
//! Text of those who cannot be asked to send it again (an engine, a language model, a caller) is cleaned: the harmful characters
//! are taken out, and half of a surrogate pair becomes U+FFFD. Text in a request to the API is refused with the name of its field, except
//! that phone numbers lose whatever is invisible in them before they are read.

use std::borrow::Cow;

/// True for characters that no text from outside may keep.
pub fn is_harmful(c: char) -> bool {
    let turns_the_writing_direction = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() && !matches!(c, '\t' | '\n') || turns_the_writing_direction
}

/// The text without harmful characters.
pub fn clean(text: &str) -> Cow<'_, str> {
    if text.contains(is_harmful) { Cow::Owned(text.replace(is_harmful, "")) } else { Cow::Borrowed(text) }
}

/// Takes harmful characters out of the text.
pub fn clean_in_place(text: &mut String) {
    text.retain(|c| !is_harmful(c));
}

/// JSON whose strings are clean once they are read. The rest of it, valid or not, stays as it is.
pub fn clean_json(json: &str) -> Cow<'_, str> {
    rewrite(json, "\\ufffd", is_harmful)
}

/// JSON in which every lone half of a surrogate pair is the escape of NUL: it can be parsed, and whoever refuses NUL refuses the string
/// that held it.
pub fn lone_surrogates_as_nul(json: &str) -> Cow<'_, str> {
    rewrite(json, "\\u0000", |_| false)
}

/// Goes through JSON character by character, escapes read as what they stand for.
fn rewrite<'a>(json: &'a str, lone_surrogate: &str, is_unwanted: fn(char) -> bool) -> Cow<'a, str> {
    let mut rewritten: Option<String> = None;
    let mut rest = json;
    while let Some(first) = rest.chars().next() {
        let (length, character) = if first == '\\' { escape(rest) } else { (first.len_utf8(), Some(first)) };
        let (written, after) = rest.split_at(length);
        let replacement = match character {
            None => lone_surrogate,
            Some(c) if is_unwanted(c) => "",
            Some(_) => written,
        };
        if replacement != written && rewritten.is_none() {
            rewritten = Some(json[..json.len() - rest.len()].to_owned());
        }
        if let Some(rewritten) = &mut rewritten {
            rewritten.push_str(replacement);
        }
        rest = after;
    }
    rewritten.map_or(Cow::Borrowed(json), Cow::Owned)
}

/// The length of the escape at the beginning of the text, and its character; `None` for a lone half of a surrogate pair. What is no
/// escape counts as the character behind the backslash.
fn escape(text: &str) -> (usize, Option<char>) {
    if let Some(unit) = code_unit(text) {
        if let Some(c) = char::from_u32(u32::from(unit)) {
            return (6, Some(c));
        }
        let pair = code_unit(&text[6..]).map(|low| char::decode_utf16([unit, low]).next());
        return match pair {
            Some(Some(Ok(c))) => (12, Some(c)),
            _ => (6, None),
        };
    }
    match text[1..].chars().next() {
        Some('b') => (2, Some('\u{8}')),
        Some('f') => (2, Some('\u{c}')),
        Some('r') => (2, Some('\r')),
        Some(other) => (1 + other.len_utf8(), Some(other)),
        None => (1, Some('\\')),
    }
}

/// The code unit of a `\uXXXX` at the beginning of the text.
fn code_unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    if digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        u16::from_str_radix(digits, 16).ok()
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn harmful_characters_go_and_useful_ones_stay() {
        let harmful = (0..0x20)
            .chain(0x7f..0xa0)
            .chain(0x202a..0x202f)
            .chain(0x2066..0x206a)
            .filter_map(char::from_u32)
            .filter(|c| !"\t\n".contains(*c));
        for c in harmful {
            assert_eq!(clean(&format!("a{c}b")), "ab", "{c:?}");
        }
        for useful in
            ["a\tb\nc", "\u{200e}abc\u{200f}", "שלום \u{200f}(abc)", "\u{200d}👩\u{200d}🚀", "\u{fffd}"]
        {
            assert_eq!(clean(useful), useful);
        }
        let mut text = "a\0\r\nb".to_owned();
        clean_in_place(&mut text);
        assert_eq!(text, "a\nb");
    }

    #[test]
    fn strings_in_json_are_clean_once_they_are_read() {
        for (sent, read) in [
            (r"a\u0000b", "ab"),
            (r"a\u0000\u001bb\b\f\r\n\tc", "ab\n\tc"),
            (r"a\u202Eb\u2066c\u200ed", "abc\u{200e}d"),
            ("a\u{202e}b\u{85}c", "abc"),
            (r"\ud83d", "\u{fffd}"),
            (r"\ude00x\ud83dx", "\u{fffd}x\u{fffd}x"),
            (r"\ud83d\ud83d\ude00", "\u{fffd}😀"),
            (r"\uD83D\uDE00", "😀"),
            (r"\ud83d\n", "\u{fffd}\n"),
            // An escaped backslash is no beginning of an escape.
            (r"\\u0000 \\ud83d", r"\u0000 \ud83d"),
            (r#"\\\u0000\""#, "\\\""),
        ] {
            let json = format!("{{\"a\":\"{sent}\"}}");
            let value: serde_json::Value = serde_json::from_str(&clean_json(&json)).expect("JSON");
            assert_eq!(value["a"], read, "{sent}");
        }
    }

    #[test]
    fn clean_json_stays_as_it_is() {
        for json in [r#"{"a": "\u00e9\n", "b": [1, "\\"]}"#, "", "no JSON", r#"{"a":"\u12"#, "\\", "\"\\"] {
            assert!(matches!(clean_json(json), Cow::Borrowed(same) if same == json), "{json}");
        }
    }

    #[test]
    fn a_lone_surrogate_in_a_request_reads_as_nul() {
        let read = |json: &str| serde_json::from_str::<String>(&lone_surrogates_as_nul(json)).expect("JSON");
        assert_eq!(read(r#""a\ud800b""#), "a\0b");
        assert_eq!(read(r#""\ud83d\ude00\r\u0001""#), "😀\r\u{1}");
    }
}
