//! What changed of a lead, field by field, for its history.

use serde_json::Value;

use super::{Lead, Phone};

/// A field of a lead before and after a change; null where it was or became empty.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldChange {
    pub field: String,
    pub before: Value,
    pub after: Value,
}

impl FieldChange {
    /// A field that is gone with everything that it said.
    pub fn gone(field: String, before: Value) -> Self {
        Self { field, before, after: Value::Null }
    }
}

impl Lead {
    /// Everything about the person that has a value, by the public names of the fields.
    pub fn known_fields(&self) -> Vec<(&'static str, Value)> {
        let fields = &self.fields;
        let phone = fields.phone.as_ref();
        let all: [(&'static str, Value); 24] = [
            ("agent_id", fields.agent_id.map(|id| id.to_string()).into()),
            ("name", fields.name.clone().into()),
            ("first_name", fields.first_name.clone().into()),
            ("last_name", fields.last_name.clone().into()),
            ("email", fields.email.clone().into()),
            ("phone", phone.map(Phone::as_str).into()),
            ("phone_extension", phone.and_then(Phone::extension).into()),
            ("address", fields.address.clone().into()),
            ("city", fields.city.clone().into()),
            ("state", fields.state.clone().into()),
            ("zip", fields.zip.clone().into()),
            ("status", fields.status.clone().into()),
            ("source", fields.source.clone().into()),
            ("source_url", fields.source_url.clone().into()),
            ("source_page", fields.source_page.clone().into()),
            ("notes", fields.notes.clone().into()),
            ("message", fields.message.clone().into()),
            ("event_date", fields.event_date.clone().into()),
            ("event_type", fields.event_type.clone().into()),
            ("timezone", fields.timezone.clone().into()),
            ("score", self.score.into()),
            ("score_explanation", self.score_explanation.clone().into()),
            ("interaction_count", self.interaction_count.into()),
            ("last_contacted_at", self.last_contacted_at.map(|time| format!("{time:.6}")).into()),
        ];
        all.into_iter().filter(|(_, value)| !value.is_null()).collect()
    }
}

/// The fields that differ; of a new lead all that have a value.
pub fn changes(before: Option<&Lead>, after: &Lead) -> Vec<FieldChange> {
    let old = before.map(Lead::known_fields).unwrap_or_default();
    let new = after.known_fields();
    let value = |fields: &[(&'static str, Value)], name: &str| {
        fields.iter().find(|(known, _)| *known == name).map_or(Value::Null, |(_, value)| value.clone())
    };
    let gone = old.iter().filter(|(name, _)| new.iter().all(|(known, _)| known != name));
    let names = new.iter().chain(gone).map(|(name, _)| *name);
    names
        .map(|name| FieldChange {
            field: name.to_owned(),
            before: value(&old, name),
            after: value(&new, name),
        })
        .filter(|change| change.before != change.after)
        .collect()
}
