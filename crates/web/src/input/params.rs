//! Query strings and forms as fields.

use std::collections::BTreeSet;

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
        let mut repeated = BTreeSet::new();
        for (written, value) in form_urlencoded::parse(query.as_bytes()) {
            let (name, value) = (without_index(&written), Value::String(value.into_owned()));
            if fields.contains_key(name) {
                repeated.insert(name.to_owned());
            }
            match fields.get_mut(name) {
                None => {
                    fields.insert(name.to_owned(), value);
                }
                Some(Value::Array(values)) => values.push(value),
                Some(first) => *first = Value::Array(vec![first.take(), value]),
            }
        }
        Fields { values: fields, repeated }
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
    use crate::input::{Id, Input as _, Limit, List, Words};

    crate::input! {
        /// What a list can be asked for.
        pub struct Asked {
            /// How many.
            limit: Limit<50, 100> = "limit",
            /// Which states.
            states: Option<List<Words, 9>> = "status" | "state",
            /// Which thing.
            thing: Option<Id<uuid::Uuid>> = "id" | "thing_id",
        }
    }

    #[test]
    fn what_may_come_once_and_comes_several_times_is_told_so() {
        let told = |query: &str| match Asked::read(&mut Params::parse(query)) {
            Ok(Asked { limit: Limit(limit), states, thing }) => {
                format!(
                    "{limit}, {} states, a thing: {}",
                    states.map_or(0, |states| states.0.len()),
                    thing.is_some()
                )
            }
            Err(problems) => {
                let told = problems.iter().map(|problem| format!("{}: {}", problem.field, problem.expected));
                told.collect::<Vec<_>>().join("; ")
            }
        };
        let once = |name: &str| format!("{name}: expected once; it occurs several times");
        assert_eq!(told("limit=1&limit=2"), once("limit"));
        assert_eq!(told("limit[]=1&limit[]=2"), once("limit"));
        assert_eq!(told("id=a&id=b&limit=1"), once("id"));
        assert_eq!(told("thing_id=a&thing_id=b"), once("id"));
        assert_eq!(told("limit=1&id=a&limit=2&id=a"), format!("{}; {}", once("limit"), once("id")));
        assert_eq!(told("limit=x&limit=2"), "limit: expected a whole number");
        assert_eq!(told("status=a&status=b"), "50, 2 states, a thing: false");
        assert_eq!(told("state=a&state=b&limit=1"), "1, 2 states, a thing: false");
        assert_eq!(told("id=a&thing_id=b"), "50, 0 states, a thing: true", "the first name counts");
        let long = "a".repeat(101);
        assert!(!told(&format!("status=a&status={long}")).contains("once"), "a list may have several");
        let mut body = Fields::new(json!({ "limit": [1, 2] }).as_object().cloned().expect("an object"));
        let problems = Asked::read(&mut body).expect_err("no number");
        assert_eq!(
            problems[0].expected, "expected a whole number",
            "a body that holds a list repeats nothing"
        );
    }

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
