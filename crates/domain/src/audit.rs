//! What is noted about administrative changes: who did what to what, from where, and what it was before.
//!
//! Secrets never stand in an entry, and objects in which customers may keep some are only said to have changed. Long texts are cut: an entry says
//! what changed, and what the thing was like in full stands with the thing itself.

use serde_json::Value;
use uuid::Uuid;

use crate::business::{Business, User};
use crate::endpoint::Endpoint;
use crate::lead::changes::FieldChange;
use crate::number::Number;
use crate::{Author, KeyId, Source, UserId};

crate::word_enum! {
    /// What kind of somebody did something.
    pub enum ActorKind {
        /// A person who has logged in.
        User = "user",
        /// A program with an API key.
        Key = "key",
        /// Whoever runs the server, by a command.
        Cli = "cli",
        /// The platform itself.
        System = "system",
        /// Somebody who has not shown who they are.
        Stranger = "stranger",
    }
}

/// Who did something, and from where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    pub kind: ActorKind,
    /// The id of the user or the key.
    pub id: Option<Uuid>,
    /// An e-mail address, the visible part of a key, or the name of an account on the server's machine.
    pub name: Option<String>,
    /// The network address that the request came from.
    pub address: Option<String>,
}

impl Actor {
    /// A person who has logged in.
    pub fn user(id: UserId, address: Option<String>) -> Self {
        Self { kind: ActorKind::User, id: Some(id.0), name: None, address }
    }

    /// A program with this key.
    pub fn key(id: KeyId, address: Option<String>) -> Self {
        Self { kind: ActorKind::Key, id: Some(id.0), name: None, address }
    }

    /// Whoever runs the server, by the name of their account on its machine.
    pub fn operator(account: Option<String>) -> Self {
        Self { kind: ActorKind::Cli, id: None, name: account, address: None }
    }

    /// The platform itself.
    pub const fn system() -> Self {
        Self { kind: ActorKind::System, id: None, name: None, address: None }
    }

    /// Somebody who has not shown who they are.
    pub fn stranger(address: Option<String>) -> Self {
        Self { kind: ActorKind::Stranger, id: None, name: None, address }
    }

    /// The same, with a name that is known already.
    #[must_use]
    pub fn named(self, name: impl Into<String>) -> Self {
        Self { name: Some(name.into()), ..self }
    }

    /// Who it is for the histories of agents and leads.
    pub fn author(&self) -> Author {
        let name = || self.name.clone().or_else(|| self.id.map(|id| id.to_string()));
        match self.kind {
            ActorKind::User => Author { source: Source::Dashboard, name: name() },
            ActorKind::Key => Author { source: Source::Api, name: self.id.map(|id| id.to_string()) },
            ActorKind::Cli | ActorKind::System | ActorKind::Stranger => Author::system(),
        }
    }
}

crate::word_enum! {
    /// What was done.
    pub enum Action {
        KeyCreated = "key.created",
        KeyRevoked = "key.revoked",
        UserCreated = "user.created",
        PasswordChanged = "user.password_changed",
        SessionsEnded = "user.sessions_ended",
        LoggedIn = "login.succeeded",
        LoginFailed = "login.failed",
        LoggedOut = "logout",
        SecondFactorAdded = "second_factor.added",
        SecondFactorRemoved = "second_factor.removed",
        SecondFactorsReset = "second_factor.reset",
        RecoveryCodesMade = "second_factor.recovery_codes_made",
        MemberAdded = "member.added",
        MemberChanged = "member.role_changed",
        MemberRemoved = "member.removed",
        BusinessCreated = "business.created",
        BusinessUpdated = "business.updated",
        BusinessSecretRotated = "business.webhook_secret_rotated",
        AgentCreated = "agent.created",
        AgentUpdated = "agent.updated",
        NumberRegistered = "number.registered",
        NumberAssigned = "number.assigned",
        NumberReleased = "number.released",
        WebhookCreated = "webhook.created",
        WebhookUpdated = "webhook.updated",
        WebhookDeleted = "webhook.deleted",
        WebhookSecretRotated = "webhook.secret_rotated",
        DoNotCallAdded = "do_not_call.added",
        DoNotCallLifted = "do_not_call.lifted",
        ConsentGiven = "consent.given",
        ConsentWithdrawn = "consent.withdrawn",
        RetentionChanged = "retention.changed",
        PersonErased = "person.erased",
        Exported = "export.created",
        BackedUp = "backup.created",
    }
}

crate::word_enum! {
    /// What kind of thing something was done to.
    pub enum TargetKind {
        Key = "key",
        User = "user",
        SecondFactor = "second_factor",
        Business = "business",
        Agent = "agent",
        Number = "number",
        Webhook = "webhook",
        /// A number about which somebody says whether it may be called.
        PhoneNumber = "phone_number",
        Erasure = "erasure",
        Settings = "settings",
        Folder = "folder",
    }
}

/// What something was done to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    pub kind: TargetKind,
    pub id: Option<Uuid>,
    /// What people know it by.
    pub name: Option<String>,
}

impl Target {
    pub fn new(kind: TargetKind, id: Uuid, name: impl Into<String>) -> Self {
        Self { kind, id: Some(id), name: Some(name.into()) }
    }

    pub fn user(user: &User) -> Self {
        Self::new(TargetKind::User, user.id.0, user.email.as_str())
    }

    pub fn business(business: &Business) -> Self {
        Self::new(TargetKind::Business, business.id.0, business.name.as_str())
    }

    /// Something that has no id.
    pub fn named(kind: TargetKind, name: impl Into<String>) -> Self {
        Self { kind, id: None, name: Some(name.into()) }
    }

    /// Something of which nothing is known but its kind.
    pub const fn unknown(kind: TargetKind) -> Self {
        Self { kind, id: None, name: None }
    }
}

/// What was done to what, and what changed by it.
#[derive(Debug, Clone, PartialEq)]
pub struct Deed {
    pub action: Action,
    pub target: Target,
    pub changes: Vec<FieldChange>,
}

impl Deed {
    pub const fn new(action: Action, target: Target) -> Self {
        Self { action, target, changes: Vec::new() }
    }

    /// Adds a field, if it changed.
    #[must_use]
    pub fn with(mut self, field: &str, before: impl Into<Value>, after: impl Into<Value>) -> Self {
        self.changes.extend(changed([(field, before.into())].into(), [(field, after.into())].into()));
        self
    }

    /// Adds fields that have been found to differ.
    #[must_use]
    pub fn with_all(mut self, changes: impl IntoIterator<Item = FieldChange>) -> Self {
        self.changes.extend(changes);
        self
    }
}

/// The longest text that an entry holds whole, in characters.
const LONGEST_TEXT: usize = 1000;

/// What stands for a value that may hold secrets.
const HIDDEN: &str = "(not shown)";

/// The fields that differ between two lists of names and values; what is missing or null in both is not there.
pub fn changed(before: Vec<(&str, Value)>, after: Vec<(&str, Value)>) -> Vec<FieldChange> {
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in before.iter().chain(&after) {
        if !names.contains(name) {
            names.push(name);
        }
    }
    let value = |fields: &[(&str, Value)], name: &str| {
        fields.iter().find(|(known, _)| *known == name).map_or(Value::Null, |(_, value)| value.clone())
    };
    let pairs = names.into_iter().map(|name| (name, value(&before, name), value(&after, name)));
    pairs
        .filter(|(_, before, after)| before != after)
        .map(|(name, before, after)| FieldChange {
            field: name.to_owned(),
            before: shown(before),
            after: shown(after),
        })
        .collect()
}

/// A value as an entry shows it.
fn shown(value: Value) -> Value {
    match value {
        Value::String(text) if text.chars().nth(LONGEST_TEXT).is_some() => {
            let cut: String = text.chars().take(LONGEST_TEXT).collect();
            Value::String(format!("{cut}\u{2026}"))
        }
        // Customers keep what they like in such objects, passwords of their own servers among it.
        Value::Object(_) => HIDDEN.into(),
        Value::Array(items) if items.iter().any(|item| item.is_object() || item.is_array()) => HIDDEN.into(),
        other => other,
    }
}

/// What a subscription was and is; `None` before it was made and after it was removed.
pub fn of_endpoint(before: Option<&Endpoint>, after: Option<&Endpoint>) -> Vec<FieldChange> {
    let fields = |endpoint: &Endpoint| -> Vec<(&str, Value)> {
        vec![
            ("url", endpoint.url.clone().into()),
            ("events", endpoint.events.names().into_iter().map(Value::from).collect()),
            ("description", endpoint.description.clone().into()),
            ("is_active", endpoint.is_active.into()),
        ]
    };
    changed(before.map(fields).unwrap_or_default(), after.map(fields).unwrap_or_default())
}

/// What a business was and is.
pub fn of_business(before: Option<&Business>, after: &Business) -> Vec<FieldChange> {
    let fields = |business: &Business| -> Vec<(&str, Value)> {
        vec![
            ("name", business.name.clone().into()),
            ("phone", business.phone.as_ref().map(|phone| phone.as_str().to_owned()).into()),
            ("timezone", business.timezone.clone().into()),
            ("country_calling_code", business.country_calling_code.clone().into()),
            ("disclose_ai", business.disclosures.ai.into()),
            ("disclose_recording", business.disclosures.recording.into()),
            ("daily_budget_cents", business.limits.daily_budget_cents.into()),
            ("consent_required", business.limits.consent.as_str().into()),
            ("max_attempts_per_day", business.limits.attempts_per_day.into()),
            ("max_attempts_per_week", business.limits.attempts_per_week.into()),
        ]
    };
    changed(before.map(fields).unwrap_or_default(), fields(after))
}

/// Who held a number of the registry, and who does.
pub fn of_number(before: Option<&Number>, after: &Number) -> Vec<FieldChange> {
    let fields = |number: &Number| -> Vec<(&str, Value)> {
        vec![
            ("business_id", number.business_id.map(|id| id.to_string()).into()),
            ("agent_id", number.agent_id.map(|id| id.to_string()).into()),
            ("engine", number.engine.clone().into()),
        ]
    };
    changed(before.map(fields).unwrap_or_default(), fields(after))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_differs_is_noted_and_nothing_that_may_be_a_secret() {
        let before = vec![
            ("name", json!("Kai")),
            ("metadata", json!({ "token": "s3cret" })),
            ("tools", json!([{ "token": "s3cret" }])),
            ("tags", json!(["a"])),
            ("gone", json!(1)),
            ("same", json!({ "token": "s3cret" })),
        ];
        let after = vec![
            ("name", json!("Kay")),
            ("metadata", json!({ "token": "t3cret" })),
            ("tools", json!([])),
            ("tags", json!(["a", "b"])),
            ("same", json!({ "token": "s3cret" })),
            ("new", json!("x".repeat(1200))),
        ];
        let found = changed(before, after);
        let names: Vec<&str> = found.iter().map(|change| change.field.as_str()).collect();
        assert_eq!(names, ["name", "metadata", "tools", "tags", "gone", "new"]);
        let written = format!("{found:?}");
        assert!(!written.contains("cret"), "{written}");
        assert_eq!((&found[0].before, &found[0].after), (&json!("Kai"), &json!("Kay")));
        assert_eq!((&found[3].after, &found[4].after), (&json!(["a", "b"]), &Value::Null));
        assert_eq!(found[5].after.as_str().map(|text| text.chars().count()), Some(1001));
    }

    #[test]
    fn a_field_that_stayed_is_not_added_to_a_deed() {
        let deed = Deed::new(Action::MemberChanged, Target::unknown(TargetKind::User));
        let deed = deed.with("role", "viewer", "owner").with("email", "a@b.example", "a@b.example");
        assert_eq!(deed.changes.len(), 1);
        assert_eq!(deed.changes[0].after, json!("owner"));
    }
}
