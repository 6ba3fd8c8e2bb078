//! Agents and every version that they have had. Agents are common to live and test mode.

use std::time::Duration;

use domain::agent::{Agent, AgentConfig, Answering, Model, OnMenu, OnScreener, OnVoicemail};
use domain::disclosure::OwnDisclosures;
use domain::lead::changes::FieldChange;
use domain::{AgentId, Author, BusinessId, E164, LanguageTag, Timestamp};
use serde::Serialize;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::page::{ListQuery, list as list_page};
use crate::table::{table, text};
use crate::tx::{PlatformTx, Row, Tx, params};
use crate::{Listed, Page, StoreError, Tenancy};

/// An agent in a list.
#[derive(Debug, Clone, PartialEq)]
pub struct AgentRow {
    pub agent: Agent,
    /// The number that it answers and calls from.
    pub phone_number: Option<E164>,
}

table! {
    /// Agents. The name stands beside the configuration for whoever joins only that. The release before this one keeps an id of the
    /// agent in a column of its own.
    Agents = "agents" as "a", (agent: &Agent)
    key { id }
    fixed { business_id, created_at }
    changing { name = agent.config.name, config = config_to_text(&agent.config), engine, version, updated_at }
    computed {
        vapi_assistant_id = "coalesce((SELECT v.external_id FROM engine_agents v WHERE v.agent_id = a.id AND v.engine = 'vapi'), \
                             a.vapi_assistant_id)",
    }
    read {
        let _: String = name;
        let config: String = config;
        let config = config_from_text(&config)?;
        Agent { id, business_id, config, engine, vapi_assistant_id, version, created_at, updated_at }
    }
}

pub(crate) const COLUMNS: &str = Agents::COLUMNS;

/// Reads [`COLUMNS`] in a longer row.
pub(crate) fn read_columns(row: &mut Row) -> Result<Agent, StoreError> {
    Agents::read_from(row)
}

/// Who makes a new version of an agent, and whether they go back to an earlier one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    pub by: Author,
    /// The number of the version that the agent becomes again.
    pub rollback_of: Option<u32>,
}

impl From<Author> for Revision {
    fn from(by: Author) -> Self {
        Self { by, rollback_of: None }
    }
}

/// A version of an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentVersion {
    /// The number of the version, counted from 1.
    pub number: u32,
    /// Hash of the whole configuration: versions with the same one are equal.
    pub config_hash: String,
    pub revision: Revision,
    /// What is different from the version before; nothing is said of the first one.
    pub diff_summary: Option<String>,
    pub created_at: Timestamp,
}

/// A version with everything that it says.
#[derive(Debug, Clone, PartialEq)]
pub struct WholeVersion {
    pub version: AgentVersion,
    pub config: AgentConfig,
    /// What the agent was one version earlier; `None` for the first.
    pub before: Option<AgentConfig>,
    /// The agent as it is now.
    pub agent: Agent,
}

table! {
    /// Every version that an agent has had.
    Versions = "agent_versions" as "v", (version: &AgentVersion, agent: &Agent, config: &str)
    key {}
    fixed {
        number,
        config_hash,
        source = version.revision.by.source,
        created_by = version.revision.by.name,
        rollback_of = version.revision.rollback_of,
        diff_summary,
        created_at,
    }
    unread { agent_id = agent.id, config = config }
    read {
        let revision = Revision { by: Author { source, name: created_by }, rollback_of };
        AgentVersion { number, config_hash, revision, diff_summary, created_at }
    }
}

/// Stores a new agent and its first version.
pub async fn insert(tx: &mut PlatformTx, agent: &Agent, by: &Author) -> Result<(), StoreError> {
    tx.execute(Agents::INSERT, &Agents::inserted(agent)).await?;
    insert_version(tx, agent, &by.clone().into(), None).await
}

async fn insert_version(
    tx: &mut Tx,
    agent: &Agent,
    revision: &Revision,
    diff_summary: Option<String>,
) -> Result<(), StoreError> {
    let (number, created_at) = (agent.version, agent.updated_at);
    let config = config_to_text(&agent.config);
    let (config_hash, revision) = (hash(&config), revision.clone());
    let version = AgentVersion { number, config_hash, revision, diff_summary, created_at };
    tx.execute(Versions::INSERT, &Versions::inserted(&version, agent, &config)).await?;
    Ok(())
}

/// Versions of a tenant's agent, newest first: `limit` of them, all before the one with the number `before`, and whether there are more.
pub async fn history(
    tx: &mut Tx,
    tenancy: &Tenancy,
    id: AgentId,
    before: Option<u32>,
    limit: u32,
) -> Result<Listed<AgentVersion>, StoreError> {
    const SQL: &str = text!(
        "SELECT ",
        Versions::COLUMNS,
        " FROM agent_versions v JOIN agents a ON a.id = v.agent_id WHERE v.agent_id = $1 AND a.business_id = $2 \
         AND v.number < $3 ORDER BY v.number DESC LIMIT $4"
    );
    let mut rows = Vec::new();
    for &business in tenancy.businesses() {
        let before = before.map_or(i64::MAX, i64::from);
        for row in tx.query(SQL, params![id, business, before, i64::from(limit) + 1]).await? {
            rows.push(Versions::read(row)?);
        }
    }
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    Ok(Listed { rows, has_more })
}

/// One version of a tenant's agent, with the one before it.
pub async fn version(
    tx: &mut Tx,
    tenancy: &Tenancy,
    id: AgentId,
    number: u32,
) -> Result<Option<WholeVersion>, StoreError> {
    const SQL: &str = text!(
        "SELECT ",
        Versions::COLUMNS,
        ", v.config FROM agent_versions v WHERE v.agent_id = $1 AND v.number IN ($2, $3) ORDER BY v.number DESC"
    );
    let Some(agent) = get(tx, tenancy, id).await? else { return Ok(None) };
    let mut found = Vec::new();
    for row in tx.query(SQL, params![id, number, i64::from(number) - 1]).await? {
        let mut row = row.of("agent_versions");
        let version = Versions::read_from(&mut row)?;
        found.push((version, config_from_text(&row.next::<String>()?)?));
    }
    let mut found = found.into_iter();
    let Some((version, config)) = found.next().filter(|(newest, _)| newest.number == number) else {
        return Ok(None);
    };
    Ok(Some(WholeVersion { version, config, before: found.next().map(|(_, config)| config), agent }))
}

/// SHA-256 in hexadecimal digits.
fn hash(config: &str) -> String {
    domain::digest::hex(&Sha256::digest(config.as_bytes()))
}

/// One agent, whoever it belongs to. For the platform itself.
pub async fn by_id(tx: &mut PlatformTx, id: AgentId) -> Result<Option<Agent>, StoreError> {
    const SQL: &str = text!("SELECT ", Agents::COLUMNS, " FROM agents a WHERE a.id = $1");
    tx.query_one(SQL, params![id]).await?.map(Agents::read).transpose()
}

/// Notes which engine makes an agent's calls where its number does not decide; `None` leaves it to the installation. False if there
/// is no such agent.
pub async fn prefer_engine(
    tx: &mut PlatformTx,
    id: AgentId,
    engine: Option<&str>,
) -> Result<bool, StoreError> {
    Ok(tx.execute("UPDATE agents SET engine = $2 WHERE id = $1", params![id, engine]).await? > 0)
}

/// Agents whoever they belong to, by their ids, after this one if one is named. For the platform itself.
pub async fn after(tx: &mut PlatformTx, id: Option<AgentId>, most: u32) -> Result<Vec<Agent>, StoreError> {
    const FIRST: &str = text!("SELECT ", Agents::COLUMNS, " FROM agents a ORDER BY a.id LIMIT $1");
    const NEXT: &str =
        text!("SELECT ", Agents::COLUMNS, " FROM agents a WHERE a.id > $2 ORDER BY a.id LIMIT $1");
    let rows = match id {
        Some(id) => tx.query(NEXT, params![most, id]).await?,
        None => tx.query(FIRST, params![most]).await?,
    };
    rows.into_iter().map(Agents::read).collect()
}

/// How many agents prefer each engine, by its name.
pub async fn by_engine(tx: &mut PlatformTx) -> Result<Vec<(String, u64)>, StoreError> {
    let sql = "SELECT engine, count(*) FROM agents WHERE engine IS NOT NULL GROUP BY engine ORDER BY engine";
    let read = |row: Row| {
        let mut row = row.of("agents");
        Ok((row.next()?, row.next()?))
    };
    tx.query(sql, &[]).await?.into_iter().map(read).collect()
}

/// An agent of one business.
const OF_BUSINESS: &str =
    text!("SELECT ", Agents::COLUMNS, " FROM agents a WHERE a.id = $1 AND (a.business_id = $2) IS TRUE");

pub async fn get(tx: &mut Tx, tenancy: &Tenancy, id: AgentId) -> Result<Option<Agent>, StoreError> {
    find(tx, tenancy, id, OF_BUSINESS).await
}

/// One agent that nobody else changes until the transaction ends.
pub async fn lock(tx: &mut Tx, tenancy: &Tenancy, id: AgentId) -> Result<Option<Agent>, StoreError> {
    find(tx, tenancy, id, text!(OF_BUSINESS, " {for_update}")).await
}

async fn find(tx: &mut Tx, tenancy: &Tenancy, id: AgentId, sql: &str) -> Result<Option<Agent>, StoreError> {
    for &business in tenancy.businesses() {
        if let Some(row) = tx.query_one(sql, params![id, business]).await? {
            return Agents::read(row).map(Some);
        }
    }
    Ok(None)
}

/// Agents, newest first, each with its number.
pub async fn list(
    tx: &mut Tx,
    tenancy: &Tenancy,
    business: Option<BusinessId>,
    page: &Page,
) -> Result<Listed<AgentRow>, StoreError> {
    const SELECT: &str = text!(
        "SELECT ",
        Agents::COLUMNS,
        ", (SELECT n.phone_number FROM numbers n WHERE n.agent_id = a.id ORDER BY n.created_at LIMIT 1) FROM agents a"
    );
    let query = ListQuery {
        select: SELECT,
        table: "agents a",
        business: "a.business_id",
        time: "a.created_at",
        id: "a.id",
    };
    let read = |row: Row| {
        let mut row = row.of("agents");
        Ok(AgentRow { agent: Agents::read_from(&mut row)?, phone_number: row.next()? })
    };
    list_page(tx, query, &tenancy.scope(business), page, |_| {}, read, |row: &AgentRow| row.agent.created_at)
        .await
}

/// Stores a changed agent and its new version. `before` is what it was.
pub async fn update(
    tx: &mut Tx,
    tenancy: &Tenancy,
    agent: &Agent,
    before: &AgentConfig,
    revision: &Revision,
) -> Result<(), StoreError> {
    if !tenancy.covers(agent.business_id) {
        return Err(StoreError::Conflict("the agent belongs to another business".to_owned()));
    }
    tx.execute(Agents::UPDATE, &Agents::changed(agent)).await?;
    insert_version(tx, agent, revision, Some(difference(before, &agent.config))).await
}

/// The names of the fields that differ.
fn difference(before: &AgentConfig, after: &AgentConfig) -> String {
    let (earlier, later) = (config_to_value(before), config_to_value(after));
    let names = later.as_object().into_iter().flatten();
    let mut changed: Vec<&str> = names
        .filter(|(name, value)| earlier.get(name) != Some(value))
        .map(|(name, _)| name.as_str())
        .collect();
    // What is written only where it differs from the default may be missing from the later text.
    let unwritten = [
        (before.answering != after.answering, "answering"),
        (before.languages != after.languages, "languages"),
        (before.disclosures != after.disclosures, "disclosures"),
        (before.daily_budget_cents != after.daily_budget_cents, "daily_budget_cents"),
    ];
    for (is_changed, name) in unwritten {
        if is_changed && !changed.contains(&name) {
            changed.push(name);
        }
    }
    format!("changed {}", changed.join(", "))
}

/// The fields of a configuration that changed, for the log of administrative changes; of a new agent those that have a value.
pub fn field_changes(before: Option<&AgentConfig>, after: &AgentConfig) -> Vec<FieldChange> {
    fn fields(config: &Value) -> Vec<(&str, Value)> {
        let all = config.as_object().into_iter().flatten();
        all.map(|(name, value)| (name.as_str(), value.clone())).collect()
    }
    let (earlier, later) = (before.map(config_to_value), config_to_value(after));
    domain::audit::changed(earlier.as_ref().map(fields).unwrap_or_default(), fields(&later))
}

/// A configuration as it is kept. The names of the fields, and their order, are for good: versions are compared by the text.
#[derive(Serialize)]
struct KeptConfig<'a> {
    name: &'a str,
    system_prompt: &'a str,
    outbound_prompt: Option<&'a str>,
    sms_prompt: Option<&'a str>,
    first_message: Option<&'a str>,
    outbound_first_message: Option<&'a str>,
    voice: Option<&'a Map<String, Value>>,
    model: KeptModel<'a>,
    outbound_llm: Option<&'a Value>,
    sms_llm: Option<&'a Value>,
    max_duration_s: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    daily_budget_cents: Option<u64>,
    #[serde(skip_serializing_if = "is_false")]
    keep_sensitive_numbers: bool,
    transfer_enabled: bool,
    transfer_phone_number: Option<&'a str>,
    vapi_config: Map<String, Value>,
    metadata: &'a Map<String, Value>,
    /// Absent while it is as it is by default, so that configurations from before it was a field read the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    answering: Option<KeptAnswering>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    languages: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    disclosures: Option<KeptDisclosures>,
}

#[derive(Serialize)]
struct KeptDisclosures {
    ai: Option<bool>,
    recording: Option<bool>,
}

impl From<OwnDisclosures> for KeptDisclosures {
    fn from(own: OwnDisclosures) -> Self {
        Self { ai: own.ai, recording: own.recording }
    }
}

#[derive(Serialize)]
struct KeptAnswering {
    voicemail: &'static str,
    screener: &'static str,
    menu: &'static str,
}

impl From<Answering> for KeptAnswering {
    fn from(answering: Answering) -> Self {
        Self {
            voicemail: answering.voicemail.as_str(),
            screener: answering.screener.as_str(),
            menu: answering.menu.as_str(),
        }
    }
}

fn answering_from(kept: &Value) -> Answering {
    let word = |name: &str| kept[name].as_str().unwrap_or_default();
    let default = Answering::default();
    Answering {
        voicemail: OnVoicemail::parse(word("voicemail")).unwrap_or(default.voicemail),
        screener: OnScreener::parse(word("screener")).unwrap_or(default.screener),
        menu: OnMenu::parse(word("menu")).unwrap_or(default.menu),
    }
}

fn languages_from(kept: &Value) -> Vec<LanguageTag> {
    let tags = kept.as_array().into_iter().flatten().filter_map(Value::as_str);
    tags.filter_map(|tag| LanguageTag::parse(tag).ok()).collect()
}

fn disclosures_from(kept: &Value) -> OwnDisclosures {
    OwnDisclosures { ai: kept["ai"].as_bool(), recording: kept["recording"].as_bool() }
}

#[derive(Serialize)]
struct KeptModel<'a> {
    provider: &'a str,
    model: &'a str,
    temperature: f64,
    extra: &'a Map<String, Value>,
}

impl<'a> From<&'a AgentConfig> for KeptConfig<'a> {
    fn from(config: &'a AgentConfig) -> Self {
        let Model { provider, model, temperature, extra } = &config.model;
        Self {
            name: &config.name,
            system_prompt: &config.system_prompt,
            outbound_prompt: config.outbound_prompt.as_deref(),
            sms_prompt: config.sms_prompt.as_deref(),
            first_message: config.first_message.as_deref(),
            outbound_first_message: config.outbound_first_message.as_deref(),
            voice: config.voice.as_ref(),
            model: KeptModel { provider, model, temperature: *temperature, extra },
            outbound_llm: config.outbound_llm.as_ref(),
            sms_llm: config.sms_llm.as_ref(),
            max_duration_s: config.max_duration.map(|time| time.as_secs()),
            daily_budget_cents: config.daily_budget_cents,
            keep_sensitive_numbers: config.keep_sensitive_numbers,
            transfer_enabled: config.transfer_enabled,
            transfer_phone_number: config.transfer_phone_number.as_ref().map(E164::as_str),
            vapi_config: config.vapi_config(),
            metadata: &config.metadata,
            answering: (config.answering != Answering::default()).then(|| config.answering.into()),
            languages: config.languages.iter().map(LanguageTag::as_str).collect(),
            disclosures: (config.disclosures != OwnDisclosures::default()).then(|| config.disclosures.into()),
        }
    }
}

/// What is off is not written, so that a configuration from before the setting and one without it are the same text.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

fn config_to_value(config: &AgentConfig) -> Value {
    serde_json::to_value(KeptConfig::from(config)).expect("texts, numbers and objects can be written as JSON")
}

fn config_to_text(config: &AgentConfig) -> String {
    config_to_value(config).to_string()
}

fn config_from_text(text: &str) -> Result<AgentConfig, StoreError> {
    let broken = || StoreError::corrupt("agents", "a configuration that this version cannot read");
    let mut fields: Map<String, Value> = serde_json::from_str(text).map_err(|_| broken())?;
    let mut take = |name: &str| fields.remove(name).unwrap_or(Value::Null);
    let text_or_none = |value: Value| if let Value::String(text) = value { Some(text) } else { None };
    let object = |value: Value| if let Value::Object(object) = value { Some(object) } else { None };
    let mut model = object(take("model")).ok_or_else(broken)?;
    let mut of_model = |name: &str| model.remove(name).unwrap_or(Value::Null);
    let mut config = AgentConfig {
        name: text_or_none(take("name")).ok_or_else(broken)?,
        system_prompt: text_or_none(take("system_prompt")).ok_or_else(broken)?,
        outbound_prompt: text_or_none(take("outbound_prompt")),
        sms_prompt: text_or_none(take("sms_prompt")),
        first_message: text_or_none(take("first_message")),
        outbound_first_message: text_or_none(take("outbound_first_message")),
        voice: object(take("voice")),
        model: Model {
            provider: text_or_none(of_model("provider")).ok_or_else(broken)?,
            model: text_or_none(of_model("model")).ok_or_else(broken)?,
            temperature: of_model("temperature").as_f64().ok_or_else(broken)?,
            extra: object(of_model("extra")).unwrap_or_default(),
        },
        outbound_llm: Some(take("outbound_llm")).filter(|value| !value.is_null()),
        sms_llm: Some(take("sms_llm")).filter(|value| !value.is_null()),
        max_duration: take("max_duration_s").as_u64().map(Duration::from_secs),
        daily_budget_cents: take("daily_budget_cents").as_u64(),
        keep_sensitive_numbers: take("keep_sensitive_numbers").as_bool().unwrap_or(false),
        transfer_enabled: take("transfer_enabled").as_bool().unwrap_or(false),
        transfer_phone_number: text_or_none(take("transfer_phone_number"))
            .and_then(|text| E164::parse(&text).ok()),
        end_call_phrases: None,
        voicemail_message: None,
        answering: answering_from(&take("answering")),
        languages: languages_from(&take("languages")),
        disclosures: disclosures_from(&take("disclosures")),
        engine_extra: Map::new(),
        metadata: object(take("metadata")).unwrap_or_default(),
    };
    config.set_vapi_config(object(take("vapi_config")).unwrap_or_default());
    Ok(config)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_configuration_reads_back_as_it_was_written() {
        let config = AgentConfig {
            name: "Intake".into(),
            system_prompt: "Be kind.".into(),
            first_message: Some("Hello".into()),
            max_duration: Some(Duration::from_secs(90)),
            daily_budget_cents: Some(2_500),
            outbound_llm: Some(json!("gpt-4.1-mini")),
            end_call_phrases: Some(vec!["bye now".into()]),
            voicemail_message: Some("Call us back.".into()),
            answering: Answering { voicemail: OnVoicemail::HangUp, ..Answering::default() },
            keep_sensitive_numbers: true,
            engine_extra: Map::from_iter([("hooks".to_owned(), json!([]))]),
            metadata: Map::from_iter([("z".to_owned(), json!(1)), ("a".to_owned(), json!(null))]),
            ..AgentConfig::default()
        };
        assert_eq!(config_from_text(&config_to_text(&config)), Ok(config.clone()));
        let plain = AgentConfig { answering: Answering::default(), ..config.clone() };
        assert!(!config_to_text(&plain).contains("answering"), "the default is not written");
        let renamed = AgentConfig { name: "Front desk".into(), max_duration: None, ..config.clone() };
        assert_eq!(difference(&config, &renamed), "changed name, max_duration_s");
        assert_eq!(difference(&config, &plain), "changed answering");
    }
}
