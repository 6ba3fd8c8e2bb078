//! Query strings and forms as fields.

use serde_json::{Map, Value};

use super::Fields;

/// The parameters of a query string or a form: a key that occurs several times holds a list. Many libraries write lists as `name[]` or
/// `name[0]`, which means `name`.
#[derive(Debug, Default)]
pub struct Params;

impl Params {
    /// Decodes a query string. Bytes that are no UTF-8 become replacement characters.
    pub fn parse(query: &str) -> Fields {
        let mut fields: Map<String, Value> = Map::new();
        for (written, value) in form_urlencoded::parse(query.as_bytes()) {
            let (name, value) = (without_index(&written), Value::String(value.into_owned()));
            match fields.get_mut(name) {
                None => {
                    fields.insert(name.to_owned(), value);
                }
                Some(Value::Array(values)) => values.push(value),
                Some(first) => *first = Value::Array(vec![first.take(), value]),
            }
        }
        Fields::new(fields)
    }
}

fn without_index(written: &str) -> &str {
    let parts = written.strip_suffix(']').and_then(|open| open.rsplit_once('['));
    match parts {
        Some((name, index)) if !name.is_empty() && index.bytes().all(|digit| digit.is_ascii_digit()) => name,
        _ => written,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lists_are_read_in_every_usual_spelling() {
        let check = |query: &str, expected: Value| {
            assert_eq!(Params::parse(query).take(&["status"]), Some(expected), "{query}");
        };
        check("status=a", json!("a"));
        check("status=a&status=b", json!(["a", "b"]));
        check("status[]=a", json!("a"));
        check("status[]=a&status[]=b", json!(["a", "b"]));
        check("status%5B%5D=a&status%5B%5D=b", json!(["a", "b"]));
        check("status[0]=a&status[1]=b", json!(["a", "b"]));
        check("status=a&status[]=b&status[10]=c", json!(["a", "b", "c"]));
        for other in ["status[x]=a", "[]=a", "status]=a", "status[=a", "status[][]=a"] {
            assert_eq!(Params::parse(other).take(&["status"]), None, "{other}");
        }
    }
}
