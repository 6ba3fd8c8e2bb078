//! JSON as clients write it, read strictly.
//!
//! Each name occurs once in its object. Parsers disagree on which of two equal names counts (RFC 8259, section 4), so whoever checks a
//! request before us could have seen another one than we carry out. A byte order mark before the text is skipped, as the same RFC allows.

use std::cell::RefCell;
use std::fmt;

use domain::text::lone_surrogates_as_nul;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// How deep arrays and objects may nest.
pub const MAX_JSON_DEPTH: usize = 32;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Why a text is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unreadable {
    Empty,
    TooDeep,
    /// This field occurs twice in its object. Fields of inner objects are written with dots, like `metadata.source`.
    Repeated(String),
    Syntax {
        line: usize,
        column: usize,
    },
}

/// Reads the one value that a body may hold.
pub(crate) fn read(bytes: &[u8]) -> Result<Value, Unreadable> {
    let text = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    if text.is_empty() {
        return Err(Unreadable::Empty);
    }
    if depth(text) > MAX_JSON_DEPTH {
        return Err(Unreadable::TooDeep);
    }
    // What is no UTF-8 is no JSON, and the parser says where.
    match std::str::from_utf8(text).map(lone_surrogates_as_nul) {
        Ok(text) => parse(text.as_bytes()),
        Err(_) => parse(text),
    }
}

fn parse(text: &[u8]) -> Result<Value, Unreadable> {
    let repeated = RefCell::default();
    let mut reader = serde_json::Deserializer::from_slice(text);
    let value = Strict { repeated: &repeated }.deserialize(&mut reader);
    value.and_then(|value| reader.end().map(|()| value)).map_err(|error| match repeated.take() {
        Some(field) => Unreadable::Repeated(field),
        None => Unreadable::Syntax { line: error.line(), column: error.column() },
    })
}

/// The deepest nesting of brackets outside strings. Looks at bytes only, so it is safe on anything.
fn depth(json: &[u8]) -> usize {
    let (mut deepest, mut current, mut in_string, mut escaped) = (0_usize, 0_usize, false, false);
    for &byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                current += 1;
                deepest = deepest.max(current);
            }
            b'}' | b']' if !in_string => current = current.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// Builds a value and stops at a name that its object has already.
#[derive(Clone, Copy)]
struct Strict<'a> {
    /// The path of that name, filled from the inside out.
    repeated: &'a RefCell<Option<String>>,
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            list.push(item);
        }
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut fields = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if fields.contains_key(&name) {
                self.repeated.replace(Some(name));
                return Err(A::Error::custom("a name occurs twice"));
            }
            let value = members.next_value_seed(self).inspect_err(|_| {
                if let Some(inner) = self.repeated.borrow_mut().as_mut() {
                    *inner = format!("{name}.{inner}");
                }
            })?;
            fields.insert(name, value);
        }
        Ok(fields.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_read_as_the_usual_parser_reads_it() {
        for text in [
            r#"{"z": 1, "a": [true, null, -5, 1.5e3, 18446744073709551615, "\u00e9\n"], "b": {"z": {}}}"#,
            "[]",
            "\"text\"",
            "0.1",
            " null ",
            r#"{"$serde_json::private::RawValue": "{}"}"#,
        ] {
            let usual: Value = serde_json::from_str(text).expect("JSON");
            let ours = read(text.as_bytes()).expect("JSON");
            if text.contains("RawValue") {
                assert_eq!(ours.to_string(), text.replace(": ", ":"), "no name has a meaning of its own");
            } else {
                assert_eq!(ours.to_string(), usual.to_string());
            }
        }
    }

    #[test]
    fn a_name_that_occurs_twice_is_told_with_its_path() {
        let repeated = |text: &str| match read(text.as_bytes()) {
            Err(Unreadable::Repeated(field)) => field,
            other => panic!("{text}: {other:?}"),
        };
        assert_eq!(repeated(r#"{"to": 1, "x": {"y": 2}, "to": 1}"#), "to");
        assert_eq!(repeated(r#"{"metadata": {"a": {"b": 1, "c": 2, "b": 3}}}"#), "metadata.a.b");
        assert_eq!(repeated(r#"{"list": [{}, {"a": 1, "a": 2}]}"#), "list.a");
        assert_eq!(repeated(r#"{"a": 1, "\u0061": 2}"#), "a", "however it is spelled");
        assert!(
            read(br#"{"a": {"b": 1}, "b": {"a": 1}}"#).is_ok(),
            "names in different objects are different"
        );
    }

    #[test]
    fn a_byte_order_mark_is_skipped_once_and_at_the_beginning_only() {
        assert_eq!(read(b"\xef\xbb\xbf{}"), Ok(Value::Object(Map::new())));
        assert_eq!(read(b"\xef\xbb\xbf"), Err(Unreadable::Empty));
        assert!(read(b"\xef\xbb\xbf\xef\xbb\xbf{}").is_err());
        assert!(read(b"{}\xef\xbb\xbf").is_err());
    }

    #[test]
    fn what_is_no_json_is_told_by_its_place() {
        for wrong in [&b"{"[..], b"{\"a\":1,}", b"\xff", b"{\"a\":\"\xff\"}", b"{} {}", b"1e999"] {
            assert!(matches!(read(wrong), Err(Unreadable::Syntax { .. })), "{wrong:?}");
        }
        assert_eq!(read(b"{\n  x"), Err(Unreadable::Syntax { line: 2, column: 3 }));
    }

    #[test]
    fn nesting_is_bounded_and_brackets_in_strings_do_not_nest() {
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(read(nested(32).as_bytes()).is_ok());
        assert_eq!(read(nested(33).as_bytes()), Err(Unreadable::TooDeep));
        assert_eq!(read(nested(100_000).as_bytes()), Err(Unreadable::TooDeep));
        let text = format!("{{\"a\":\"{}\\\"{}\"}}", "[".repeat(50), "{".repeat(50));
        assert!(read(text.as_bytes()).is_ok());
    }
}
