//! JSON values as YAML: the block style that people read. Texts that could be read as anything else than text stand in double quotes as in
//! JSON, which YAML shares.

use std::fmt::Write as _;

use serde_json::Value;

/// A document that ends with a line feed.
pub(crate) fn document(value: &Value) -> String {
    let mut out = String::new();
    match value {
        Value::Object(_) | Value::Array(_) if !is_empty(value) => block(&mut out, value, 0),
        _ => {
            out.push_str(&inline(value));
            out.push('\n');
        }
    }
    out
}

/// The entries of an object or a list that has some, each on a line of its own; the place of the first is the caller's.
fn block(out: &mut String, value: &Value, depth: usize) {
    match value {
        Value::Object(fields) => {
            for (place, (name, value)) in fields.iter().enumerate() {
                indent(out, if place == 0 { 0 } else { depth });
                out.push_str(&text(name));
                out.push(':');
                if is_empty(value) || !matches!(value, Value::Object(_) | Value::Array(_)) {
                    let _ = writeln!(out, " {}", inline(value));
                } else {
                    out.push('\n');
                    indent(out, depth + 1);
                    block(out, value, depth + 1);
                }
            }
        }
        Value::Array(items) => {
            for (place, value) in items.iter().enumerate() {
                indent(out, if place == 0 { 0 } else { depth });
                out.push_str("- ");
                if is_empty(value) || !matches!(value, Value::Object(_) | Value::Array(_)) {
                    let _ = writeln!(out, "{}", inline(value));
                } else {
                    block(out, value, depth + 1);
                }
            }
        }
        _ => {}
    }
}

fn indent(out: &mut String, depth: usize) {
    out.extend(std::iter::repeat_n("  ", depth));
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Object(fields) => fields.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

/// What stands on one line.
fn inline(value: &Value) -> String {
    match value {
        Value::String(words) => text(words),
        other => other.to_string(),
    }
}

/// Bare where nobody can mistake it, which old readers of YAML make harder: to them `no` is false and `2026-02-15` a date.
fn text(words: &str) -> String {
    const OTHERWISE: [&str; 9] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    let harmless = |letter: char| letter.is_ascii_alphanumeric() || " _-./,();$*".contains(letter);
    let bare = words.starts_with(|first: char| first.is_ascii_alphabetic() || first == '/')
        && words.chars().all(harmless)
        && !words.ends_with(' ')
        && !OTHERWISE.iter().any(|other| words.eq_ignore_ascii_case(other));
    if bare { words.to_owned() } else { Value::from(words).to_string() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn objects_and_lists_are_nested_by_indentation() {
        let value = json!({
            "a": 1, "b": { "c": [true, null, { "d": "e", "f": [[1, 2], []] }], "g": {} }, "/h/{i}": "x",
        });
        let expected = "a: 1\nb:\n  c:\n    - true\n    - null\n    - d: e\n      f:\n        - - 1\n          - 2\n        - []\n  g: {}\n\"/h/{i}\": x\n";
        assert_eq!(document(&value), expected);
        assert_eq!(document(&json!({})), "{}\n");
    }

    #[test]
    fn texts_that_look_like_something_else_are_quoted() {
        for plain in ["calls", "Place a call", "/api/v1/calls", "application/json", "a-b_c.d, e (f)"] {
            assert_eq!(text(plain), plain);
        }
        for (tricky, quoted) in [
            ("", "\"\""),
            ("no", "\"no\""),
            ("Off", "\"Off\""),
            ("200", "\"200\""),
            ("2026-02-15", "\"2026-02-15\""),
            ("a: b", "\"a: b\""),
            ("# a", "\"# a\""),
            ("*", "\"*\""),
            ("ends ", "\"ends \""),
            ("two\nlines", "\"two\\nlines\""),
            ("$ref", "\"$ref\""),
            ("ü", "\"ü\""),
        ] {
            assert_eq!(text(tricky), quoted);
        }
    }
}
