//! The versions of an agent: who made them, what changed, and going back to one.

use axum::extract::State;
use domain::AgentId;
use domain::agent::{Agent, AgentConfig};
use http::Method;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use store::agents::{AgentVersion, WholeVersion};
use web::limits::Group;

use crate::Api;
use crate::answer::{Reply, Stamp, Uid, found};
use crate::caller::{AgentsRead, AgentsWrite, Caller};
use crate::error::{ApiError, Code};
use crate::input::{Body, Id, Limit, Query, Whole, input};
use crate::route::Route;
use crate::v1::agents::AgentDetail;

/// The largest number that a version can have.
const MOST: i64 = 4_294_967_295;

pub(crate) fn routes() -> Vec<Route> {
    let id = "01940000-0000-7000-8000-000000000011";
    let version = json!({
        "id": "5b1f6f0e-2f0a-8d4e-9c11-6a3b8e0f7d21", "version_number": 2,
        "config_hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "source": "api",
        "diff_summary": "changed first_message", "created_by": "01940000-0000-7000-8000-000000000041",
        "created_at": "2026-02-15T14:30:00.000000Z", "rollback_of": null, "is_current": true,
    });
    let listed = json!({ "agent_id": id, "versions": [version], "has_more": true });
    let back = json!({
        "id": id, "name": "Intake", "business_id": "01940000-0000-7000-8000-000000000001",
        "vapi_assistant_id": null, "updated": true, "version_number": 3,
    });
    vec![
        Route::new(Method::GET, "/api/v1/agents/versions", "agents.versions", read)
            .about(
                "List the versions of an agent, or read one",
                "Newest first. With `version` the answer has `version` in place of `versions`: that one with its configuration, without secrets, \
                 and with what it changed.",
            )
            .refuses(&[Code::NotFound])
            .example(None, listed),
        Route::new(Method::PATCH, "/api/v1/agents/versions", "agents.rollback", roll_back)
            .about(
                "Go back to a version of an agent",
                "The agent becomes what it was in that version, as a new version, so that nothing is lost. An agent that is like that already \
                 stays as it is, and `updated` is false.",
            )
            .counted_as(Group::ChangeAgent)
            .refuses(&[Code::NotFound, Code::VapiError])
            .example(Some(json!({ "agent_id": id, "version": 1 })), back),
    ]
}

input! {
    /// Which versions to read.
    pub struct VersionsQuery {
        /// Id of the agent whose versions are read.
        agent_id: Id<AgentId> = "agent_id",
        /// Read the version with this number.
        version: Option<Whole<1, MOST>> = "version",
        /// Largest number of versions in the answer.
        limit: Limit<50, 100> = "limit",
        /// Only versions with a smaller number; take the last `version_number` of the page before.
        before: Option<Whole<1, MOST>> = "before",
    }

    /// The version to go back to.
    pub struct AgentRollback {
        /// Id of the agent to change.
        agent_id: Id<AgentId> = "agent_id",
        /// Number of the version that the agent becomes again.
        version: Whole<1, MOST> = "version",
    }
}

/// A version of an agent.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AgentVersionRow {
    id: Uid,
    /// Number of the version; the first is 1.
    version_number: u32,
    /// Hash of the whole configuration: versions with the same hash are equal.
    config_hash: String,
    /// How the version came about: `api`, `dashboard`, `rollback` or `system`.
    source: &'static str,
    /// Names of the fields that changed; null for the first version.
    diff_summary: Option<String>,
    /// Id of the API key or e-mail address of the person that made the version; null if the platform did.
    created_by: Option<String>,
    created_at: Stamp,
    /// Number of the earlier version that this one brought back; null if it brought back none.
    rollback_of: Option<u32>,
    /// Whether the agent is like this now.
    is_current: bool,
}

/// A version of an agent with its configuration.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AgentVersionDetail {
    #[serde(flatten)]
    row: AgentVersionRow,
    /// What the agent was in this version, with the names of `GET /agents?id=`. Passwords, tokens and other secrets are left out.
    config_snapshot: Map<String, Value>,
    /// What this version changed.
    changes: Vec<FieldChange>,
}

/// A field that differs between two versions.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
pub struct FieldChange {
    /// Name of the field, with a dot before the name of a field within it, like `model.temperature`.
    field: String,
    /// Value in the version before; null if there was none.
    before: Value,
    /// Value in this version; null if there is none.
    after: Value,
}

/// Versions of an agent, or one of them.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AgentVersions {
    agent_id: Uid,
    /// The versions, newest first; absent when one was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    versions: Option<Vec<AgentVersionRow>>,
    /// Whether there are older versions.
    #[serde(skip_serializing_if = "Option::is_none")]
    has_more: Option<bool>,
    /// The version that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<AgentVersionDetail>,
}

/// An agent that went back to a version.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AgentRolledBack {
    id: Uid,
    name: String,
    business_id: Uid,
    vapi_assistant_id: Option<String>,
    /// False if the agent was like that already.
    updated: bool,
    /// Number of the agent's version now.
    version_number: u32,
}

impl AgentVersionRow {
    fn new(version: AgentVersion, agent: &Agent) -> Self {
        let by = version.revision.by;
        let rollback_of = version.revision.rollback_of;
        Self {
            id: version_id(agent.id, version.number),
            is_current: version.number == agent.version,
            version_number: version.number,
            config_hash: version.config_hash,
            source: if rollback_of.is_some() { "rollback" } else { by.source.as_str() },
            diff_summary: version.diff_summary,
            created_by: by.name,
            created_at: version.created_at.into(),
            rollback_of,
        }
    }
}

/// An id for a version, which is known by its agent and number.
fn version_id(agent: AgentId, number: u32) -> Uid {
    let digest = Sha256::new().chain_update(agent.0).chain_update(number.to_be_bytes()).finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    Uid(uuid::Builder::from_custom_bytes(bytes).into_uuid())
}

/// What the agent is with this configuration, in the words of the API.
fn snapshot(agent: &Agent, config: AgentConfig) -> Map<String, Value> {
    let first_message = config.first_message.clone();
    let detail = AgentDetail::new(Agent { config, ..agent.clone() }, None);
    let Ok(Value::Object(mut fields)) = serde_json::to_value(detail) else { return Map::new() };
    for identity in [
        "id",
        "business_id",
        "vapi_assistant_id",
        "phone_number",
        "created_at",
        "updated_at",
        "status",
        "version_number",
    ] {
        fields.shift_remove(identity);
    }
    fields.insert("first_message".to_owned(), first_message.into());
    without_secrets(&mut fields);
    fields
}

/// Takes out what looks like a secret by its name, at any depth.
fn without_secrets(fields: &mut Map<String, Value>) {
    fields.retain(|name, _| !names_a_secret(name));
    fields.values_mut().for_each(clean);
}

fn clean(value: &mut Value) {
    match value {
        Value::Object(fields) => without_secrets(fields),
        Value::Array(items) => items.iter_mut().for_each(clean),
        _ => {}
    }
}

fn names_a_secret(name: &str) -> bool {
    let name: String = name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
    // Headers of requests carry keys under any name. `maxTokens` is no token.
    name == "headers"
        || name.ends_with("token")
        || ["secret", "password", "apikey", "privatekey", "authorization", "credential"]
            .iter()
            .any(|word| name.contains(word))
}

/// The fields that differ, down to single fields of objects.
fn changes(before: &Map<String, Value>, after: &Map<String, Value>) -> Vec<FieldChange> {
    let mut found = Vec::new();
    collect_changes("", before, after, &mut found);
    found
}

fn collect_changes(
    within: &str,
    before: &Map<String, Value>,
    after: &Map<String, Value>,
    found: &mut Vec<FieldChange>,
) {
    let gone = before.keys().filter(|name| !after.contains_key(*name));
    for name in after.keys().chain(gone) {
        let (old, new) = (before.get(name), after.get(name));
        if old == new {
            continue;
        }
        let field = format!("{within}{name}");
        if let (Some(Value::Object(old)), Some(Value::Object(new))) = (old, new) {
            collect_changes(&format!("{field}."), old, new, found);
        } else {
            let value = |value: Option<&Value>| value.cloned().unwrap_or(Value::Null);
            found.push(FieldChange { field, before: value(old), after: value(new) });
        }
    }
}

async fn read(
    caller: Caller<AgentsRead>,
    State(api): State<Api>,
    Query(query): Query<VersionsQuery>,
) -> Result<Reply<AgentVersions>, ApiError> {
    let (tenancy, id) = (caller.tenancy().clone(), found(query.agent_id.known(), "agent")?);
    if let Some(number) = query.version {
        let number = number_of(number);
        let whole = api
            .read(move |tx| {
                Box::pin(async move {
                    let agent = store::agents::get(tx, &tenancy, id).await?;
                    Ok((agent.is_some(), store::agents::version(tx, &tenancy, id, number).await?))
                })
            })
            .await?;
        let (is_known, whole) = whole;
        let whole = found(whole, if is_known { "version" } else { "agent" })?;
        let agent_id = whole.agent.id.into();
        let version = Some(detail(whole));
        return Ok(Reply(AgentVersions { agent_id, versions: None, has_more: None, version }));
    }
    let (before, limit) = (query.before.map(number_of), query.limit.0);
    let listed = api
        .read(move |tx| {
            Box::pin(async move {
                let Some(agent) = store::agents::get(tx, &tenancy, id).await? else { return Ok(None) };
                let versions = store::agents::history(tx, &tenancy, id, before, limit).await?;
                Ok(Some((agent, versions)))
            })
        })
        .await?;
    let (agent, listed) = found(listed, "agent")?;
    let rows = listed.rows.into_iter().map(|version| AgentVersionRow::new(version, &agent)).collect();
    Ok(Reply(AgentVersions {
        agent_id: agent.id.into(),
        versions: Some(rows),
        has_more: Some(listed.has_more),
        version: None,
    }))
}

fn number_of(number: Whole<1, MOST>) -> u32 {
    u32::try_from(number.0).unwrap_or(u32::MAX)
}

fn detail(whole: WholeVersion) -> AgentVersionDetail {
    let config_snapshot = snapshot(&whole.agent, whole.config);
    let before = whole.before.map(|config| snapshot(&whole.agent, config));
    AgentVersionDetail {
        changes: before.map(|before| changes(&before, &config_snapshot)).unwrap_or_default(),
        config_snapshot,
        row: AgentVersionRow::new(whole.version, &whole.agent),
    }
}

async fn roll_back(
    caller: Caller<AgentsWrite>,
    State(api): State<Api>,
    Body { input, .. }: Body<AgentRollback>,
) -> Result<Reply<AgentRolledBack>, ApiError> {
    let id = found(input.agent_id.known(), "agent")?;
    let number = number_of(input.version);
    let acting = caller.acting(&api);
    // An unknown version of a known agent and an unknown agent answer alike: neither can be gone back to.
    let back = Box::pin(app::agents::roll_back(&acting, caller.tenancy(), id, number)).await?;
    let app::agents::Updated { agent, changed } = found(back, "version of the agent")?;
    Ok(Reply(AgentRolledBack {
        id: agent.id.into(),
        name: agent.config.name,
        business_id: agent.business_id.into(),
        vapi_assistant_id: agent.vapi_assistant_id,
        updated: changed,
        version_number: agent.version,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().expect("an object").clone()
    }

    #[test]
    fn differences_name_the_innermost_field_and_what_is_gone_is_null() {
        let before = object(
            json!({ "name": "A", "model": { "model": "x", "temperature": 0.7 }, "metadata": { "crm": 1 } }),
        );
        let after = object(
            json!({ "name": "A", "model": { "model": "y", "temperature": 0.7 }, "metadata": {}, "voice": { "voiceId": "v" } }),
        );
        let told: Vec<_> = changes(&before, &after)
            .into_iter()
            .map(|change| json!([change.field, change.before, change.after]))
            .collect();
        let expected = [
            json!(["model.model", "x", "y"]),
            json!(["metadata.crm", 1, null]),
            json!(["voice", null, { "voiceId": "v" }]),
        ];
        assert_eq!(told, expected);
        assert_eq!(changes(&after, &after), []);
    }

    #[test]
    fn secrets_are_left_out_at_any_depth_and_nothing_else_is() {
        let mut fields = object(json!({
            "server": { "url": "https://example.com", "secret": "s", "headers": { "X-Any": "k" } },
            "tools": [{ "name": "book", "apiKey": "k", "auth": { "access_token": "t", "kind": "bearer" } }],
            "maxTokens": 200, "Webhook-Password": "p", "credentialId": "c",
        }));
        without_secrets(&mut fields);
        let left = json!({
            "server": { "url": "https://example.com" },
            "tools": [{ "name": "book", "auth": { "kind": "bearer" } }],
            "maxTokens": 200,
        });
        assert_eq!(Value::Object(fields), left);
    }
}
