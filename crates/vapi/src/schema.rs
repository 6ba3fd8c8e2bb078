//! Vapi's own schemas (commit `eabfa53` of its documentation, August 2026, without prose). Requests are held against them strictly
//! before they are sent, because Vapi refuses properties that it does not know.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use jsonschema::error::ValidationErrorKind;
use jsonschema::{ValidationError, Validator};
use serde_json::{Map, Value, json};

const DOCUMENT: &str = include_str!("openapi-subset.json");

/// What is checked, by the name under which it is asked for.
const CHECKED: &[(&str, &[&str])] = &[
    ("POST /assistant", &["CreateAssistantDTO"]),
    ("PATCH /assistant", &["UpdateAssistantDTO"]),
    ("POST /call", &["CreateCallDTO"]),
    ("PATCH /call", &["UpdateCallDTO"]),
    (
        "PATCH /phone-number",
        &[
            "UpdateByoPhoneNumberDTO",
            "UpdateTwilioPhoneNumberDTO",
            "UpdateVonagePhoneNumberDTO",
            "UpdateVapiPhoneNumberDTO",
            "UpdateTelnyxPhoneNumberDTO",
        ],
    ),
    ("reply tool-calls", &["ServerMessageResponseToolCalls"]),
    ("reply transfer-destination-request", &["ServerMessageResponseTransferDestinationRequest"]),
    ("reply assistant-request", &["ServerMessageResponseAssistantRequest"]),
    ("message", &["ServerMessage"]),
];

/// The schemas, each made ready when it is first asked for.
pub struct Schemas {
    components: Value,
    reasons: Vec<String>,
    ready: Mutex<HashMap<&'static str, Arc<Validator>>>,
}

impl Schemas {
    /// Without the names of models and voices, which change every month: for what we are about to send.
    pub(crate) fn ours() -> &'static Self {
        static OURS: LazyLock<Schemas> = LazyLock::new(|| Schemas::new(false));
        &OURS
    }

    /// Reads the document. With `models` the names of models and voices are checked too.
    pub fn new(models: bool) -> Self {
        let document: Value = serde_json::from_str(DOCUMENT).expect("the document is JSON");
        let requests: Vec<&str> = document["info"]["x-request-schemas"]
            .as_array()
            .expect("the document names its request schemas")
            .iter()
            .filter_map(Value::as_str)
            .collect();
        let mut schemas = Map::new();
        for (name, schema) in document["components"]["schemas"].as_object().expect("the document has schemas")
        {
            // A reply is a request the other way: what Vapi does not know in it does nothing.
            let strict = requests.contains(&name.as_str()) || name.starts_with("ServerMessageResponse");
            let mut schema = schema.clone();
            prepare(&mut schema, strict);
            if !models {
                allow_unknown_names(name, &mut schema);
            }
            schemas.insert(name.clone(), schema);
        }
        if !models {
            let voice = unknown_voice(&schemas);
            schemas.insert(UNKNOWN_VOICE.to_owned(), voice);
        }
        let reasons = &document["components"]["schemas"]["Call"]["properties"]["endedReason"]["enum"];
        let reasons = reasons.as_array().expect("the reasons are listed").iter();
        let reasons = reasons.filter_map(|reason| reason.as_str().map(str::to_owned)).collect();
        Self { components: json!({ "schemas": schemas }), reasons, ready: Mutex::default() }
    }

    fn validator(&self, what: &str) -> Option<Arc<Validator>> {
        let &(what, names) = CHECKED.iter().find(|(known, _)| *known == what)?;
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        let make = || {
            let any: Vec<Value> =
                names.iter().map(|name| json!({ "$ref": format!("#/components/schemas/{name}") })).collect();
            let schema = match any.as_slice() {
                [one] => json!({ "$ref": one["$ref"], "components": self.components }),
                _ => json!({ "anyOf": any, "components": self.components }),
            };
            Arc::new(jsonschema::options().build(&schema).expect("the document's schemas are valid"))
        };
        Some(Arc::clone(ready.entry(what).or_insert_with(make)))
    }

    /// What is wrong with a body, in words like Vapi's; nothing if it is fine, or if nothing of this name is checked.
    pub fn check(&self, what: &str, body: &Value) -> Vec<String> {
        let Some(validator) = self.validator(what) else { return Vec::new() };
        let mut problems = Vec::new();
        for error in validator.iter_errors(body) {
            describe(&error, &mut problems);
        }
        problems
    }

    /// Every reason why a call can end, as Vapi lists them.
    pub fn ended_reasons(&self) -> &[String] {
        &self.reasons
    }
}

/// The name of a schema of our own: a voice of a provider that the document does not know.
const UNKNOWN_VOICE: &str = "VoiceOfUnknownProvider";

/// Takes the closed lists of names out of models, voices and transcribers, and lets voices of unknown providers through: Vapi adds to them
/// every month, and what it does not know after all it says itself.
fn allow_unknown_names(name: &str, schema: &mut Value) {
    if ["Model", "Voice", "Transcriber"].iter().any(|end| name.ends_with(end))
        && let Some(properties) = schema.pointer_mut("/properties").and_then(Value::as_object_mut)
    {
        for (property, value) in properties.iter_mut() {
            let is_voice = name.ends_with("Voice") && property != "provider" && property != "fallbackPlan";
            if property == "model" || is_voice {
                open(value);
            }
        }
    }
    add_unknown_voice(schema);
}

/// A schema without its lists of values.
fn open(schema: &mut Value) {
    let Value::Object(fields) = schema else { return };
    fields.remove("enum");
    // Branches that differed by their lists alone overlap now.
    if let Some(branches) = fields.remove("oneOf") {
        fields.insert("anyOf".to_owned(), branches);
    }
    if let Some(Value::Array(branches)) = fields.get_mut("anyOf") {
        branches.iter_mut().for_each(open);
    }
}

fn add_unknown_voice(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            if let Some(Value::Array(branches)) = fields.get_mut("oneOf")
                && branches
                    .iter()
                    .any(|branch| branch["$ref"].as_str().is_some_and(|name| name.ends_with("Voice")))
            {
                branches.push(json!({ "$ref": format!("#/components/schemas/{UNKNOWN_VOICE}") }));
            }
            fields.values_mut().for_each(add_unknown_voice);
        }
        Value::Array(items) => items.iter_mut().for_each(add_unknown_voice),
        _ => {}
    }
}

fn unknown_voice(schemas: &Map<String, Value>) -> Value {
    let providers = schemas
        .iter()
        .filter(|(name, _)| name.ends_with("Voice"))
        .filter_map(|(_, schema)| schema.pointer("/properties/provider/enum")?.as_array())
        .flatten();
    let known: Vec<&Value> = providers.collect();
    json!({ "type": "object", "required": ["provider"],
            "properties": { "provider": { "type": "string", "not": { "enum": known } } } })
}

/// The field that an error is about.
fn path(error: &ValidationError<'_>) -> String {
    error.instance_path().to_string().trim_start_matches('/').replace('/', ".")
}

/// True for a field by which several schemas differ.
fn tells_apart(path: &str) -> bool {
    path.rsplit_once('.').is_some_and(|(_, name)| matches!(name, "provider" | "type"))
}

/// The words of which none was chosen, if the error is about the field by which several schemas differ.
fn choice<'a>(error: &'a ValidationError<'_>) -> Option<&'a Vec<Value>> {
    match error.kind() {
        ValidationErrorKind::Enum { options } if tells_apart(&path(error)) => options.as_array(),
        _ => None,
    }
}

/// What is wrong, in words that name the field. Where one of several schemas has to fit, the one is meant whose type or provider fits.
fn describe(error: &ValidationError<'_>, problems: &mut Vec<String>) {
    let place = path(error);
    let at = |name: &str| if place.is_empty() { name.to_owned() } else { format!("{place}.{name}") };
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            problems.extend(unexpected.iter().map(|name| format!("property {} should not exist", at(name))));
        }
        ValidationErrorKind::OneOfNotValid { context } | ValidationErrorKind::AnyOf { context } => {
            let misses = |branch: &&Vec<ValidationError<'static>>| {
                let chooses = |error: &&ValidationError<'static>| {
                    let path = path(error);
                    path == place || tells_apart(&path)
                };
                (branch.iter().filter(chooses).count(), branch.len())
            };
            match context.iter().filter(|branch| !branch.is_empty()).min_by_key(misses) {
                // None of them is meant: what could have been chosen is said by all of them together.
                Some(branch) if branch.iter().any(|error| choice(error).is_some()) => {
                    let path = branch.iter().find_map(|error| choice(error).map(|_| path(error)));
                    let path = path.unwrap_or_default();
                    let fitting = context.iter().flatten().filter(|error| self::path(error) == path);
                    let mut known: Vec<&str> = Vec::new();
                    for word in fitting.filter_map(choice).flatten().filter_map(Value::as_str) {
                        if !known.contains(&word) {
                            known.push(word);
                        }
                    }
                    problems.push(format!("{path}: expected one of {}", known.join(", ")));
                }
                Some(branch) => branch.iter().for_each(|error| describe(error, problems)),
                None => problems.push(format!("{place} is none of what it may be")),
            }
        }
        _ => {
            let words: String = error.to_string().chars().take(300).collect();
            problems.push(format!("{}: {words}", if place.is_empty() { "body" } else { &place }));
        }
    }
}

/// Turns OpenAPI 3.0 into JSON Schema: `nullable` becomes a type, and objects that list their properties are closed.
fn prepare(schema: &mut Value, strict: bool) {
    match schema {
        Value::Object(fields) => {
            fields.remove("discriminator");
            if fields.remove("nullable") == Some(Value::Bool(true)) {
                if let Some(Value::String(kind)) = fields.get("type") {
                    let kind = kind.clone();
                    fields.insert("type".into(), json!([kind, "null"]));
                }
                if let Some(Value::Array(values)) = fields.get_mut("enum") {
                    values.push(Value::Null);
                }
            }
            let is_schema =
                fields.get("properties").is_some_and(Value::is_object) && !fields.contains_key("allOf");
            if strict && is_schema && !fields.contains_key("additionalProperties") {
                fields.insert("additionalProperties".into(), json!(false));
            }
            for (name, value) in fields.iter_mut() {
                if name == "properties" && value.is_object() {
                    // The keys here are names of properties, not keywords.
                    value
                        .as_object_mut()
                        .expect("it was looked at")
                        .values_mut()
                        .for_each(|value| prepare(value, strict));
                } else if name != "enum" && name != "required" {
                    prepare(value, strict);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| prepare(item, strict)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(voice: Value) -> String {
        Schemas::ours().check("POST /assistant", &json!({ "name": "A", "voice": voice })).join("; ")
    }

    #[test]
    fn voices_that_vapi_adds_tomorrow_pass() {
        for voice in [
            json!({ "provider": "vapi", "voiceId": "Somebody New", "version": "7", "language": "tlh" }),
            json!({ "provider": "11labs", "voiceId": "x", "model": "eleven_v9" }),
            json!({ "provider": "openai", "voiceId": "new", "model": "gpt-9-tts" }),
            json!({ "provider": "gramophone", "voiceId": "x", "crackle": 0.5 }),
            json!({ "provider": "11labs", "voiceId": "x",
                    "fallbackPlan": { "voices": [{ "provider": "gramophone", "voiceId": "y" }, { "provider": "azure", "voiceId": "new" }] } }),
        ] {
            assert_eq!(problems(voice.clone()), "", "{voice}");
        }
    }

    #[test]
    fn the_field_is_named_where_one_of_several_schemas_must_fit() {
        for (voice, field) in [
            (json!({ "provider": "11labs", "voiceId": "x", "stability": "much" }), "voice.stability"),
            (json!({ "provider": "11labs", "voiceId": "x", "loudness": 3 }), "voice.loudness"),
            (json!({ "provider": "11labs" }), "voiceId"),
            (json!({ "provider": "vapi", "voiceId": "Elliot", "speed": 99 }), "voice.speed"),
            (
                json!({ "provider": "11labs", "voiceId": "x", "fallbackPlan": { "voices": [{ "provider": "azure", "voiceId": "y", "speed": 99 }] } }),
                "voice.fallbackPlan.voices.0.speed",
            ),
        ] {
            let said = problems(voice.clone());
            assert!(said.contains(field) && !said.contains("is none of"), "{voice}: {said}");
        }
        let detection =
            json!({ "name": "A", "voicemailDetection": { "provider": "google", "beepMaxAwaitSeconds": 99 } });
        let said = Schemas::ours().check("POST /assistant", &detection).join("; ");
        assert!(said.contains("voicemailDetection.beepMaxAwaitSeconds"), "{said}");
        for (field, some) in [("transcriber", "deepgram"), ("voicemailDetection", "twilio")] {
            let body = json!({ "name": "A", field: { "provider": "gramophone" } });
            let said = Schemas::ours().check("POST /assistant", &body).join("; ");
            let begin = format!("{field}.provider: expected one of ");
            assert!(said.starts_with(&begin) && said.contains(some) && said.contains(", "), "{said}");
        }
    }
}
