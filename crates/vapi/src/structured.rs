//! Texts and marks that a language model filled into a form. Where it knew nothing it wrote that in words; those words are nothing.

use domain::call::Quality;
use serde_json::Value;

use crate::time::number;

/// What stands in a field that has no value, in small letters, without signs at its ends.
const NOTHING: &[&str] = &[
    "na",
    "n/a",
    "n.a",
    "n / a",
    "n\\a",
    "nil",
    "nan",
    "null",
    "none",
    "undefined",
    "unspecified",
    "unknown",
    "unavailable",
    "anonymous",
    "empty",
    "blank",
    "missing",
    "tbd",
    "tba",
    "redacted",
    "withheld",
    "declined",
    "refused",
    "nothing",
    "no",
    "string",
    "no name",
    "no email",
    "no e-mail",
    "no phone",
    "no phone number",
    "no number",
    "no data",
    "no information",
    "no answer",
    "no response",
    "unknown caller",
    "wireless caller",
    "private caller",
    "private number",
    "caller",
    "customer",
    "user",
    "desconocido",
    "ninguno",
    "ninguna",
    "no proporcionado",
    "no proporcionada",
    "no disponible",
    "no especificado",
    "unbekannt",
    "nicht angegeben",
    "keine angabe",
    "inconnu",
    "non fourni",
    "non communiqué",
];

/// What is missing, and how a sentence says so: "not provided", "caller did not give", "never mentioned".
const DENIED: [&str; 9] = ["not", "never", "didn't", "didnt", "didn’t", "wasn't", "no", "none", "without"];
const TOLD: [&str; 25] = [
    "provided",
    "given",
    "said",
    "stated",
    "specified",
    "mentioned",
    "available",
    "applicable",
    "known",
    "collected",
    "captured",
    "disclosed",
    "shared",
    "supplied",
    "obtained",
    "recorded",
    "asked",
    "confirmed",
    "determined",
    "identified",
    "provide",
    "give",
    "state",
    "share",
    "mention",
];

/// The longest sentence that only says that something is missing, in words.
const LONGEST_DENIAL: usize = 7;

/// The longest name of a place for a value, in words.
const LONGEST_PLACEHOLDER: usize = 4;

/// A text with nothing around it; `None` if it is empty.
pub(crate) fn text(value: &Value) -> Option<String> {
    let text = value.as_str()?.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// The value of a field in one line, unless it says that there is none.
pub(crate) fn short(value: &Value, limit: usize) -> Option<String> {
    let text = match value {
        Value::Number(number) => number.to_string(),
        other => text(other)?,
    };
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(limit).collect();
    let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
    (!is_nothing(&line)).then_some(line)
}

/// The name of a person: something with letters in it that is no address.
pub(crate) fn name(value: &Value) -> Option<String> {
    short(value, 200).filter(|name| !name.contains('@') && name.chars().any(char::is_alphabetic))
}

fn is_nothing(text: &str) -> bool {
    let text = text.to_lowercase();
    if is_placeholder(text.trim()) {
        return true;
    }
    let text = text.trim_matches(|c: char| !c.is_alphanumeric());
    let text = text.strip_prefix("the ").unwrap_or(text);
    if text.is_empty() || NOTHING.contains(&text) {
        return true;
    }
    let words = words(text);
    // A first and a last name, both of them unknown.
    words.iter().all(|word| *word == words[0] && NOTHING.contains(word)) || denies(&words)
}

/// True for what stands where a value was to be put in: "[name]", "{{email}}", "<phone number>". An address may stand between such signs.
fn is_placeholder(text: &str) -> bool {
    let inside = [('[', ']'), ('{', '}'), ('<', '>')]
        .into_iter()
        .find_map(|(open, close)| text.strip_prefix(open)?.strip_suffix(close));
    inside
        .is_some_and(|inside| !inside.contains(['@', '[', ']']) && words(inside).len() <= LONGEST_PLACEHOLDER)
}

fn words(text: &str) -> Vec<&str> {
    let words = text.split(|c: char| c.is_whitespace() || "()[]{}<>,;:./-_".contains(c));
    words.filter(|word| !word.is_empty()).collect()
}

/// True for a sentence that only says that something is missing.
fn denies(words: &[&str]) -> bool {
    let denied = words.iter().position(|word| DENIED.contains(word));
    let told = words.iter().rposition(|word| TOLD.contains(word));
    words.len() <= LONGEST_DENIAL && denied.zip(told).is_some_and(|(denied, told)| denied < told)
}

/// An e-mail address, if it can be one: one sign in its middle, and a domain behind it.
pub(crate) fn email(value: &Value) -> Option<String> {
    let email = short(value, 320)?.to_lowercase();
    let email = email.strip_prefix("mailto:").unwrap_or(&email).trim_matches(['<', '>', '"', ',', ' ', ';']);
    let email = email.trim_end_matches(['.', '>']);
    let (local, domain) = email.split_once('@')?;
    let plain = |c: char| !c.is_whitespace() && !"@,;:<>()[]\"\\".contains(c);
    let labels: Vec<&str> = domain.split('.').collect();
    let is_label = |label: &&str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
    };
    let is_local = !local.is_empty()
        && local.len() <= 64
        && local.chars().all(plain)
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..");
    let has_ending =
        labels.len() > 1 && labels.iter().all(is_label) && labels.last().is_some_and(|last| last.len() > 1);
    // "unknown@unknown.com" says twice that there is none, and "not_provided@example.com" in a sentence; a mailbox that is only called so
    // may be one.
    let says_none =
        is_nothing(local) && (denies(&words(local)) || labels.first().is_some_and(|label| is_nothing(label)));
    (is_local && has_ending && !says_none).then(|| email.to_owned())
}

/// A phone number as it was said, if there are digits enough in it.
pub(crate) fn phone(value: &Value) -> Option<String> {
    short(value, 40).filter(|phone| phone.chars().filter(char::is_ascii_digit).count() >= 5)
}

/// An object, even if it comes as the text of one.
pub(crate) fn unpacked(value: &Value) -> Value {
    match value {
        Value::String(text) => serde_json::from_str(text).unwrap_or_default(),
        other => other.clone(),
    }
}

/// The four marks, if all are there; those beyond the range are brought into it.
pub(crate) fn quality(value: &Value) -> Option<Quality> {
    let mark = |name: &str| {
        let value = &value[name];
        let written = || value.as_str()?.split(['/', '%']).next()?.trim().parse().ok();
        let mark = number(value).or_else(written).filter(|mark: &f64| mark.is_finite())?;
        #[expect(clippy::cast_sign_loss, reason = "the range is made sure of")]
        let mark = mark.round().clamp(0.0, 100.0) as u8;
        Some(mark)
    };
    Some(Quality {
        professionalism: mark("professionalism")?,
        empathy: mark("empathy")?,
        information_gathering: mark("information_gathering")?,
        resolution: mark("resolution")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn words_for_nothing_are_nothing() {
        for nothing in [
            "",
            " ",
            "-",
            "—",
            "?",
            "...",
            "n/a",
            "N/A.",
            "n.a.",
            "(n/a)",
            "NA",
            "null",
            "None",
            "NONE.",
            "\"none\"",
            "Unknown",
            "[unknown]",
            "Not Provided",
            "not provided.",
            "(Not provided)",
            "not given",
            "Not specified",
            "Not mentioned in the call",
            "not applicable",
            "Not Available",
            "not_provided",
            "NOT-PROVIDED",
            "No email provided",
            "None provided",
            "No name given",
            "caller did not provide",
            "The caller didn't say: not stated",
            "Unspecified",
            "undefined",
            "TBD",
            "Not collected",
            "No proporcionado",
            "keine Angabe",
            "string",
            "The caller",
            "the user.",
            "null null",
            "Unknown Unknown",
            "[Name]",
            "{{name}}",
            "<phone number>",
            "[caller's full name]",
        ] {
            assert_eq!(short(&json!(nothing), 200), None, "{nothing}");
        }
        for something in [
            "Maria Lopez",
            "Noah",
            "Nona Givens",
            "Unknown Mortal Orchestra",
            "not interested in a quote",
            "No more leaks, a new roof",
            "Natalie",
            "Nil Armstrong",
            "Wants to know why the parts were not delivered on the day that was given",
            "Given Noland",
            "The Caller ID Company",
            "[Acme] wants a quote",
            "[Acme] wants a quote [today]",
            "Null Island Tours",
            "12",
        ] {
            assert_eq!(short(&json!(something), 200).as_deref(), Some(something));
        }
        assert_eq!(short(&json!(null), 9), None);
        assert_eq!(short(&json!({ "a": 1 }), 9), None);
    }

    #[test]
    fn only_addresses_are_addresses() {
        for (written, read) in [
            ("Maria.Lopez@Example.com", "maria.lopez@example.com"),
            (" mailto:a@b.co ", "a@b.co"),
            ("<a+b@mail.example.org>.", "a+b@mail.example.org"),
            ("o'neil@example.ie", "o'neil@example.ie"),
            ("jörg@münchen.de", "jörg@münchen.de"),
            ("na@example.com", "na@example.com"),
        ] {
            assert_eq!(email(&json!(written)).as_deref(), Some(read), "{written}");
        }
        for odd in [
            "not provided",
            "n/a",
            "@",
            "a@",
            "@b.co",
            "a@b",
            "a@b.",
            "a@.co",
            "a b@c.de",
            "a@b c.de",
            "a@b@c.de",
            "maria at example dot com",
            "maria@example",
            "a@b..co",
            ".a@b.co",
            "a..b@c.de",
            "a@-b.co",
            "n/a@n/a",
            "none@",
            "a@b.c",
            "unknown@unknown.com",
            "None@none.none",
            "not-provided@not-provided.com",
            "not_provided@example.com",
            "[email]",
        ] {
            assert_eq!(email(&json!(odd)), None, "{odd}");
        }
    }

    #[test]
    fn a_name_has_letters_and_is_no_address() {
        for read in ["Maria Lopez", "Jo", "李雷", "R2", "O'Neil, Pat"] {
            assert_eq!(name(&json!(read)).as_deref(), Some(read));
        }
        assert_eq!(name(&json!(" Maria \n  Lopez ")).as_deref(), Some("Maria Lopez"));
        for odd in [
            json!("unknown@unknown.com"),
            json!("maria@example.com"),
            json!(123),
            json!("+1 512 555 0147"),
            json!("N/A"),
        ] {
            assert_eq!(name(&odd), None, "{odd}");
        }
    }

    #[test]
    fn numbers_need_digits() {
        assert_eq!(phone(&json!("+1 512 555 0100")).as_deref(), Some("+1 512 555 0100"));
        assert_eq!(phone(&json!(15_125_550_100_u64)).as_deref(), Some("15125550100"));
        for odd in
            [json!("Not Provided"), json!("same number"), json!("911"), json!(null), json!("unknown 12")]
        {
            assert_eq!(phone(&odd), None, "{odd}");
        }
    }

    #[test]
    fn marks_are_read_in_many_forms_or_not_at_all() {
        let marks = |value: Value| {
            quality(&json!({ "professionalism": value, "empathy": 1, "information_gathering": 2, "resolution": 3 }))
                .map(|quality| quality.professionalism)
        };
        for (written, read) in [
            (json!(91.4), 91),
            (json!("88"), 88),
            (json!("90%"), 90),
            (json!("85/100"), 85),
            (json!(140), 100),
            (json!(-5), 0),
        ] {
            assert_eq!(marks(written.clone()), Some(read), "{written}");
        }
        for odd in [json!(null), json!("high"), json!({}), json!("NaN")] {
            assert_eq!(marks(odd.clone()), None, "{odd}");
        }
    }
}
