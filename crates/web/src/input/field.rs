//! The types of fields: what each accepts, how it says so, and its schema.

use std::marker::PhantomData;
use std::str::FromStr;

use domain::phone::visible;
use domain::text::is_harmful;
use domain::{E164, Timestamp};
use schemars::SchemaGenerator;
use serde_json::{Map, Value, json};

use super::json::kept_object;
use super::text::{PLAIN_LINE, WITHOUT_HARMFUL, harmful, holds_harmful};
use super::{Fields, Input, Problem, object_schema};
use crate::change::Change;

/// A value of a field. Query strings deliver every value as a string, so types that are no strings read them too.
pub trait Field: Sized {
    /// Reads a value that is not null. The problem's field name is empty, or names a field within the value.
    fn read(value: Value) -> Result<Self, Problem>;

    fn schema(generator: &mut SchemaGenerator) -> Value;
}

/// A place for a value: required, optional, or a change to something stored.
pub trait Slot: Sized {
    /// Whether the field must be there.
    const REQUIRED: bool;

    /// Reads what came, which may be nothing or null.
    fn read_slot(value: Option<Value>) -> Result<Self, Problem>;

    fn slot_schema(generator: &mut SchemaGenerator) -> Value;
}

impl<T: Field> Slot for T {
    const REQUIRED: bool = true;

    fn read_slot(value: Option<Value>) -> Result<Self, Problem> {
        match value {
            None | Some(Value::Null) => Err(Problem::new("", "required")),
            Some(value) => T::read(value),
        }
    }

    fn slot_schema(generator: &mut SchemaGenerator) -> Value {
        T::schema(generator)
    }
}

impl<T: Field> Slot for Option<T> {
    const REQUIRED: bool = false;

    fn read_slot(value: Option<Value>) -> Result<Self, Problem> {
        match value {
            None | Some(Value::Null) => Ok(None),
            Some(value) => T::read(value).map(Some),
        }
    }

    fn slot_schema(generator: &mut SchemaGenerator) -> Value {
        nullable(T::schema(generator))
    }
}

impl<T: Field> Slot for Change<T> {
    const REQUIRED: bool = false;

    fn read_slot(value: Option<Value>) -> Result<Self, Problem> {
        match value {
            None => Ok(Self::Keep),
            Some(Value::Null) => Ok(Self::Clear),
            Some(value) => T::read(value).map(Self::Set),
        }
    }

    fn slot_schema(generator: &mut SchemaGenerator) -> Value {
        nullable(T::schema(generator))
    }
}

/// A change to a stored field that is never empty: nothing sent keeps it, null is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parcel<T>(pub Option<T>);

impl<T: Field> Slot for Parcel<T> {
    const REQUIRED: bool = false;

    fn read_slot(value: Option<Value>) -> Result<Self, Problem> {
        match value {
            None => Ok(Self(None)),
            Some(Value::Null) => {
                Err(Problem::new("", "this field cannot be cleared; leave it out or send a value"))
            }
            Some(value) => T::read(value).map(|value| Self(Some(value))),
        }
    }

    fn slot_schema(generator: &mut SchemaGenerator) -> Value {
        T::schema(generator)
    }
}

fn nullable(mut schema: Value) -> Value {
    match schema.get("type") {
        Some(Value::String(kind)) => {
            schema["type"] = json!([kind, "null"]);
            schema
        }
        Some(Value::Array(_)) => schema,
        _ => json!({ "anyOf": [schema, { "type": "null" }] }),
    }
}

/// An id of some thing. Ids are opaque to clients, so any text without harmful characters is well-formed; text that cannot be an id names
/// nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Id<T> {
    id: Option<T>,
}

impl<T: Copy> Id<T> {
    /// The id; `None` if no thing can have it.
    pub fn known(&self) -> Option<T> {
        self.id
    }
}

impl<T: FromStr> Field for Id<T> {
    fn read(value: Value) -> Result<Self, Problem> {
        match value {
            Value::String(text) if text.is_empty() => Err(Problem::new("", "expected an id")),
            Value::String(text) if text.contains(is_harmful) => Err(harmful()),
            Value::String(text) if text.len() <= 200 => Ok(Self { id: text.parse().ok() }),
            Value::String(_) => Err(Problem::new("", "expected at most 200 characters")),
            _ => Err(Problem::new("", "expected an id, which is a string")),
        }
    }

    fn schema(_: &mut SchemaGenerator) -> Value {
        json!({ "type": "string", "minLength": 1, "maxLength": 200, "pattern": PLAIN_LINE })
    }
}

/// A phone number in E.164. Invisible characters, which come along when a number is copied, do not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phone(pub E164);

impl Field for Phone {
    fn read(value: Value) -> Result<Self, Problem> {
        let Value::String(text) = value else { return Err(Problem::new("", "expected a string")) };
        E164::parse(visible(&text).trim()).map(Self).map_err(|error| Problem::new("", error.to_string()))
    }

    fn schema(_: &mut SchemaGenerator) -> Value {
        json!({ "type": "string", "pattern": r"^\+[1-9]\d{6,14}$", "maxLength": 16 })
    }
}

/// A phone number of at most 100 characters in any notation, without what is invisible in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenPhone(pub String);

impl WrittenPhone {
    /// The number as it was written.
    pub fn into_inner(self) -> String {
        self.0
    }
}

impl Field for WrittenPhone {
    fn read(value: Value) -> Result<Self, Problem> {
        let Value::String(text) = value else { return Err(Problem::new("", "expected a string")) };
        let text = visible(&text);
        if text.chars().count() <= 100 {
            Ok(Self(text))
        } else {
            Err(Problem::new("", "expected at most 100 characters"))
        }
    }

    fn schema(_: &mut SchemaGenerator) -> Value {
        json!({ "type": "string", "maxLength": 100 })
    }
}

/// The http or https address of a web page, of at most 2048 characters in any script, or nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageAddress(pub String);

impl PageAddress {
    pub fn into_inner(self) -> String {
        self.0
    }
}

impl Field for PageAddress {
    fn read(value: Value) -> Result<Self, Problem> {
        let wrong = || {
            Problem::new("", "expected an http or https address of at most 2048 characters, without spaces")
        };
        let Value::String(text) = value else { return Err(wrong()) };
        if holds_harmful(&text) {
            return Err(harmful());
        }
        let text = text.trim();
        let host = text.split_once("://").filter(|(scheme, _)| {
            scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http")
        });
        let host = host.and_then(|(_, rest)| rest.split(['/', '?', '#']).next());
        let is_address = host.is_some_and(|host| host.starts_with(|c: char| c.is_alphanumeric() || c == '['));
        let fits = text.chars().count() <= 2048 && !text.contains(char::is_whitespace);
        if text.is_empty() || is_address && fits { Ok(Self(text.to_owned())) } else { Err(wrong()) }
    }

    fn schema(_: &mut SchemaGenerator) -> Value {
        json!({ "type": "string", "pattern": "^(https?://[0-9A-Za-z][0-9A-Za-z.-]*([/?#][!-~]*)?)?$", "maxLength": 2048 })
    }
}

/// An e-mail address of at most 320 letters of ASCII.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail(pub String);

impl Field for Mail {
    fn read(value: Value) -> Result<Self, Problem> {
        let wrong = || Problem::new("", "expected an e-mail address like you@example.com");
        let Value::String(text) = value else { return Err(wrong()) };
        let text = text.trim();
        let (name, host) = text.split_once('@').ok_or_else(wrong)?;
        let is_name = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+/=?^_`{|}~.-".contains(c);
        let is_label = |label: &str| {
            label.starts_with(|c: char| c.is_ascii_alphanumeric())
                && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        };
        let fits = !name.is_empty() && name.chars().all(is_name) && host.contains('.') && text.len() <= 320;
        if fits && host.split('.').all(is_label) { Ok(Self(text.to_owned())) } else { Err(wrong()) }
    }

    fn schema(_: &mut SchemaGenerator) -> Value {
        json!({
            "type": "string", "maxLength": 320, "examples": ["you@example.com"],
            "pattern": "^[0-9A-Za-z!#$%&'*+/=?^_`{|}~.-]+@[0-9A-Za-z][0-9A-Za-z-]*([.][0-9A-Za-z][0-9A-Za-z-]*)+$",
        })
    }
}

/// A time zone by its name in the IANA list, or nothing. Upper and lower case are the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone(pub String);

impl Zone {
    /// The name as the list has it.
    pub fn into_inner(self) -> String {
        self.0
    }
}

impl Field for Zone {
    fn read(value: Value) -> Result<Self, Problem> {
        let wrong =
            || Problem::new("", "expected the name of a time zone in the IANA list, like America/Chicago");
        let Value::String(text) = value else { return Err(wrong()) };
        if holds_harmful(&text) {
            return Err(harmful());
        }
        let text = text.trim();
        if text.is_empty() {
            return Ok(Self(String::new()));
        }
        let zone = jiff::tz::TimeZone::get(text).map_err(|_| wrong())?;
        zone.iana_name().map(|name| Self(name.to_owned())).ok_or_else(wrong)
    }

    fn schema(_: &mut SchemaGenerator) -> Value {
        json!({ "type": "string", "maxLength": 64, "examples": ["America/Chicago"] })
    }
}

/// A point in time in ISO 8601; any offset is understood, a date alone means its beginning in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Time(pub Timestamp);

impl Field for Time {
    fn read(value: Value) -> Result<Self, Problem> {
        let wrong = || Problem::new("", "expected a time like 2026-02-15T14:30:00Z");
        let Value::String(text) = value else { return Err(wrong()) };
        if text.len() > 64 {
            return Err(wrong());
        }
        let time = parse_time(text.trim()).ok_or_else(wrong)?;
        // The databases keep fewer years than the calendar has.
        (time.as_second() >= -62_135_596_800)
            .then_some(Self(domain::clock::to_micros(time)))
            .ok_or_else(wrong)
    }

    fn schema(_: &mut SchemaGenerator) -> Value {
        json!({ "type": "string", "format": "date-time", "maxLength": 64 })
    }
}

fn parse_time(text: &str) -> Option<Timestamp> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time);
    }
    if let Ok(date) = text.parse::<jiff::civil::Date>()
        && text.len() == 10
    {
        return format!("{date}T00:00:00Z").parse().ok();
    }
    // `+02:00` in a query that was not escaped: the plus sign has become a space.
    let (time, offset) = text.rsplit_once(' ')?;
    (offset.len() <= 6 && offset.starts_with(|c: char| c.is_ascii_digit())).then_some(())?;
    format!("{time}+{offset}").parse().ok()
}

/// A list cursor: the `created_at` of the last row received. Times finer than stored are cut.
pub type Cursor = Time;

/// A whole number from `MIN` to `MAX`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Whole<const MIN: i64, const MAX: i64>(pub i64);

impl<const MIN: i64, const MAX: i64> Field for Whole<MIN, MAX> {
    fn read(value: Value) -> Result<Self, Problem> {
        let wrong = || Problem::new("", format!("expected a whole number from {MIN} to {MAX}"));
        let number = whole(&value).ok_or_else(wrong)?;
        if (MIN..=MAX).contains(&number) { Ok(Self(number)) } else { Err(wrong()) }
    }

    fn schema(_: &mut SchemaGenerator) -> Value {
        json!({ "type": "integer", "minimum": MIN, "maximum": MAX })
    }
}

/// How many rows a page holds: clamped to 1..=MAX rather than refused, `DEFAULT` when not given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit<const DEFAULT: u32, const MAX: u32>(pub u32);

impl<const DEFAULT: u32, const MAX: u32> Slot for Limit<DEFAULT, MAX> {
    const REQUIRED: bool = false;

    fn read_slot(value: Option<Value>) -> Result<Self, Problem> {
        let Some(value) = value.filter(|value| !value.is_null()) else { return Ok(Self(DEFAULT)) };
        let number = whole(&value).ok_or_else(|| Problem::new("", "expected a whole number"))?;
        Ok(Self(u32::try_from(number.clamp(1, i64::from(MAX))).expect("clamped to a u32")))
    }

    fn slot_schema(_: &mut SchemaGenerator) -> Value {
        json!({ "type": "integer", "default": DEFAULT, "description": format!("Clamped to 1..{MAX}.") })
    }
}

/// The part of a list that a limit and a cursor ask for.
pub fn page<const DEFAULT: u32, const MAX: u32>(
    limit: Limit<DEFAULT, MAX>,
    after: Option<Cursor>,
) -> store::Page {
    store::Page { limit: limit.0, after: after.map(|cursor| cursor.0) }
}

/// Reads `5`, `5.0` and, for queries, `"5"`. Numbers beyond an i64 saturate, so that ranges can judge them.
fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => {
            if let Some(exact) = number.as_i64() {
                return Some(exact);
            }
            let float = number.as_f64()?;
            #[expect(clippy::cast_possible_truncation, reason = "saturation is wanted")]
            (float.is_finite() && float.fract() == 0.0).then_some(float as i64)
        }
        Value::String(text) => {
            let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
            if digits.is_empty() || digits.len() > 100 || !digits.bytes().all(|b| b.is_ascii_digit()) {
                return None;
            }
            Some(text.parse().unwrap_or(if text.starts_with('-') { i64::MIN } else { i64::MAX }))
        }
        _ => None,
    }
}

/// A number from `MIN` to `MAX` (both whole, which is all we need).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Decimal<const MIN: i64, const MAX: i64>(pub f64);

impl<const MIN: i64, const MAX: i64> Field for Decimal<MIN, MAX> {
    #[expect(clippy::cast_precision_loss, reason = "the bounds are small")]
    fn read(value: Value) -> Result<Self, Problem> {
        let wrong = || Problem::new("", format!("expected a number from {MIN} to {MAX}"));
        let number = value.as_f64().ok_or_else(wrong)?;
        if (MIN as f64..=MAX as f64).contains(&number) { Ok(Self(number)) } else { Err(wrong()) }
    }

    fn schema(_: &mut SchemaGenerator) -> Value {
        json!({ "type": "number", "minimum": MIN, "maximum": MAX })
    }
}

impl Field for bool {
    fn read(value: Value) -> Result<Self, Problem> {
        match value {
            Value::Bool(value) => Ok(value),
            _ => Err(Problem::new("", "expected true or false")),
        }
    }

    fn schema(_: &mut SchemaGenerator) -> Value {
        json!({ "type": "boolean" })
    }
}

/// A JSON object that we keep and do not interpret, of at most `MAX` bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct Object<const MAX: usize>(pub Map<String, Value>);

impl<const MAX: usize> Field for Object<MAX> {
    fn read(value: Value) -> Result<Self, Problem> {
        storable(&value, MAX)?;
        match value {
            Value::Object(object) => Ok(Self(object)),
            _ => Err(Problem::new("", "expected an object")),
        }
    }

    fn schema(generator: &mut SchemaGenerator) -> Value {
        let mut schema = kept_object(generator);
        schema["description"] = format!("Kept as it is; at most {MAX} bytes of JSON.").into();
        schema
    }
}

/// Checks a value that is kept as it is: its texts hold no harmful characters, and written as JSON it has at most `max` bytes.
pub fn storable(value: &Value, max: usize) -> Result<(), Problem> {
    check_texts(value)?;
    if value.to_string().len() > max {
        return Err(Problem::new("", format!("expected at most {max} bytes of JSON")));
    }
    Ok(())
}

/// Names the first value, or the name of a field, that holds a harmful character.
fn check_texts(value: &Value) -> Result<(), Problem> {
    match value {
        Value::String(text) if holds_harmful(text) => Err(harmful()),
        Value::Array(items) => items.iter().enumerate().try_for_each(|(place, item)| {
            check_texts(item).map_err(|problem| problem.within(&place.to_string()))
        }),
        Value::Object(fields) => fields.iter().try_for_each(|(name, value)| {
            if holds_harmful(name) {
                return Err(Problem::new("", format!("expected names of fields {WITHOUT_HARMFUL}")));
            }
            check_texts(value).map_err(|problem| problem.within(name))
        }),
        _ => Ok(()),
    }
}

/// A nested object with fields of its own.
impl<I: Input> Field for Nested<I> {
    fn read(value: Value) -> Result<Self, Problem> {
        let Value::Object(fields) = value else { return Err(Problem::new("", "expected an object")) };
        match I::read(&mut Fields::new(fields)) {
            Ok(inner) => Ok(Self(inner)),
            Err(mut problems) => Err(problems.swap_remove(0)),
        }
    }

    fn schema(generator: &mut SchemaGenerator) -> Value {
        object_schema::<I>(generator)
    }
}

/// See [`Field`] of it.
#[derive(Debug)]
pub struct Nested<I>(pub I);

/// Several values: a JSON array, repeated keys of a query, or one string with commas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List<T, const MAX: usize>(pub Vec<String>, PhantomData<T>);

/// The item type of a [`List`] of words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words;

impl<const MAX: usize> Field for List<Words, MAX> {
    fn read(value: Value) -> Result<Self, Problem> {
        let wrong = || Problem::new("", format!("expected at most {MAX} words of at most 100 characters"));
        let given: Vec<String> = match value {
            Value::String(text) => vec![text],
            Value::Array(items) => items
                .into_iter()
                .map(|item| item.as_str().map(str::to_owned))
                .collect::<Option<_>>()
                .ok_or_else(|| Problem::new("", "expected strings"))?,
            _ => return Err(Problem::new("", "expected a list of strings")),
        };
        let words: Vec<String> = given
            .iter()
            .flat_map(|text| text.split(','))
            .map(|word| word.trim_matches([' ', '\t', '\n']).to_owned())
            .filter(|word| !word.is_empty())
            .collect();
        let is_bad = |c: char| c.is_control() || is_harmful(c);
        let fine = |word: &String| word.chars().count() <= 100 && !word.contains(is_bad);
        if words.len() <= MAX && words.iter().all(fine) { Ok(Self(words, PhantomData)) } else { Err(wrong()) }
    }

    fn schema(_: &mut SchemaGenerator) -> Value {
        let item = json!({ "type": "string", "maxLength": 100, "pattern": PLAIN_LINE });
        json!({ "type": "array", "items": item, "maxItems": MAX })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::AgentId;

    #[test]
    fn any_text_may_be_an_id_but_not_everything_names_something() {
        let read = |text: &str| Id::<AgentId>::read(json!(text)).expect("well-formed").known();
        assert!(read("0190b5a0-0000-7000-8000-000000000000").is_some());
        for unknown in ["abc", "0190b5a0", "\t"] {
            assert_eq!(read(unknown), None);
        }
        for refused in ["", "\0", "0190b5a0-0000-7000-8000-000000000000\0", "a\u{202e}"] {
            assert!(Id::<AgentId>::read(json!(refused)).is_err());
        }
        assert!(Id::<AgentId>::read(json!(7)).is_err());
    }

    #[test]
    fn phone_numbers_are_read_without_what_is_invisible_in_them() {
        for copied in [
            "\u{202a}+15125550100\u{202c}",
            "+1512\u{200b}5550100\u{feff}",
            " +15125550100\n",
            "\0+15125550100",
        ] {
            assert_eq!(
                Phone::read(json!(copied)).map(|phone| phone.0.to_string()),
                Ok("+15125550100".into())
            );
            assert!(!WrittenPhone::read(json!(copied)).expect("a number").0.contains(is_harmful));
        }
        assert!(Phone::read(json!("+1 512 555 0100")).is_err());
        assert!(WrittenPhone::read(json!("1".repeat(101))).is_err());
    }

    #[test]
    fn an_e_mail_address_has_a_name_and_a_host_of_labels() {
        let mail = |text: &str| Mail::read(json!(text)).ok().map(|mail| mail.0);
        for good in ["you@example.com", "O'Neill+x@a-b.c1.example", "a@1.2"] {
            assert_eq!(mail(good).as_deref(), Some(good));
        }
        assert_eq!(mail(" You@example.com ").as_deref(), Some("You@example.com"));
        for bad in [
            "",
            "you",
            "@a.b",
            "you@localhost",
            "a b@c.d",
            "a@b..c",
            "a@-b.c",
            "a@b.c@d.e",
            "a@b.c\n\u{0}",
            "\u{e4}@b.c",
        ] {
            assert_eq!(mail(bad), None, "{bad:?}");
        }
        assert_eq!(mail(&format!("{}@b.c", "a".repeat(317))), None);
    }

    #[test]
    fn addresses_of_pages_and_time_zones_are_what_they_say_they_are_or_nothing() {
        let page = |text: &str| PageAddress::read(json!(text)).ok().map(PageAddress::into_inner);
        for good in [
            "https://example.com",
            "http://example.com/a?b=c#d",
            "HTTPS://Bücher.example/über",
            "https://[::1]/",
        ] {
            assert_eq!(page(good).as_deref(), Some(good));
        }
        assert_eq!(page("  ").as_deref(), Some(""));
        for wrong in [
            "example.com",
            "javascript:alert(1)",
            "ftp://example.com",
            "https://",
            "https:///x",
            "https://a b",
            "http:/x",
        ] {
            assert_eq!(page(wrong), None, "{wrong}");
        }
        let zone = |text: &str| Zone::read(json!(text)).ok().map(Zone::into_inner);
        assert_eq!(zone("america/chicago").as_deref(), Some("America/Chicago"));
        assert_eq!(zone("UTC").as_deref(), Some("UTC"));
        assert_eq!(zone("").as_deref(), Some(""));
        for wrong in ["Mars/Olympus", "CST6CDT,M3.2.0,M11.1.0", "+02:00", "America/", "../etc/passwd"] {
            assert_eq!(zone(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn times_are_read_in_the_forms_that_clients_send() {
        let read = |text: &str| Time::read(json!(text)).ok().map(|time| time.0.to_string());
        let expected = Some("2026-02-15T12:30:00Z".to_owned());
        for form in [
            "2026-02-15T12:30:00Z",
            "2026-02-15T14:30:00+02:00",
            "2026-02-15T14:30:00 02:00",
            "2026-02-15 12:30:00Z",
        ] {
            assert_eq!(read(form), expected, "{form}");
        }
        assert_eq!(read("2026-02-15"), Some("2026-02-15T00:00:00Z".into()));
        assert_eq!(read("2026-02-15T12:30:00.123456789Z"), Some("2026-02-15T12:30:00.123456Z".into()));
        assert_eq!(
            read("9999-12-30T22:00:00.999999999Z"),
            Some("9999-12-30T22:00:00Z".into()),
            "the last one"
        );
        for wrong in ["", "yesterday", "2026-02-30", "-009999-01-02T01:59:59Z", "2026-02-15T12:30:00", "12"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn whole_numbers_come_as_numbers_and_as_text() {
        let read = |value: Value| Whole::<10, 43_200>::read(value).ok().map(|whole| whole.0);
        assert_eq!(read(json!(600)), Some(600));
        assert_eq!(read(json!(600.0)), Some(600));
        assert_eq!(read(json!("600")), Some(600));
        for wrong in [
            json!(9),
            json!(43_201),
            json!(10.5),
            json!("ten"),
            json!(""),
            json!("1e2"),
            json!(true),
            json!(1e300),
        ] {
            assert_eq!(read(wrong.clone()), None, "{wrong}");
        }
    }

    #[test]
    fn a_limit_out_of_range_is_clamped_and_a_wrong_one_refused() {
        let read = |value: Value| Limit::<50, 100>::read_slot(Some(value)).ok().map(|limit| limit.0);
        assert_eq!(Limit::<50, 100>::read_slot(None).expect("optional").0, 50);
        assert_eq!(read(json!("0")), Some(1));
        assert_eq!(read(json!("-5")), Some(1));
        assert_eq!(read(json!("99999999999999999999")), Some(100));
        assert_eq!(read(json!("many")), None);
        assert_eq!(read(json!("")), None);
    }

    #[test]
    fn lists_come_with_commas_or_repeated() {
        let read = |value: Value| List::<Words, 3>::read(value).map(|list| list.0);
        assert_eq!(read(json!("new, contacted")), Ok(vec!["new".into(), "contacted".into()]));
        assert_eq!(read(json!(["new", "contacted,lost"])).map(|list| list.len()), Ok(3));
        assert!(read(json!("a,b,c,d")).is_err());
    }

    #[test]
    fn null_clears_what_may_be_empty_and_nothing_else() {
        assert_eq!(Change::<bool>::read_slot(None), Ok(Change::Keep));
        assert_eq!(Change::<bool>::read_slot(Some(Value::Null)), Ok(Change::Clear));
        assert_eq!(Change::<bool>::read_slot(Some(json!(true))), Ok(Change::Set(true)));
        assert!(Parcel::<bool>::read_slot(Some(Value::Null)).is_err());
        assert_eq!(Parcel::<bool>::read_slot(None), Ok(Parcel(None)));
    }

    #[test]
    fn objects_with_harmful_characters_or_too_large_are_refused() {
        assert!(Object::<100>::read(json!({ "a": { "b": ["c\r\n\t"] } })).is_ok());
        let field = |value: Value| Object::<100>::read(value).expect_err("harmful").within("metadata").field;
        assert_eq!(field(json!({ "a": { "b": ["c", "\0"] } })), "metadata.a.b.1");
        assert_eq!(field(json!({ "a": { "b": "\u{2066}" } })), "metadata.a.b");
        assert_eq!(field(json!({ "a": { "b\0": 1 } })), "metadata.a");
        assert!(Object::<10>::read(json!({ "a": "0123456789" })).is_err());
        assert!(Object::<10>::read(json!([])).is_err());
    }
}
