//! Agents: who speaks on the phone, and how.

use std::time::Duration;

use app::App;
use axum::extract::State;
use domain::agent::{
    Agent, AgentConfig, Answering, DEFAULT_FIRST_MESSAGE, MAX_LANGUAGES, Model, OnMenu, OnScreener,
    OnVoicemail,
};
use domain::disclosure::OwnDisclosures;
use domain::{AgentId, BusinessId, E164, LanguageTag, Mode};
use http::Method;
use schemars::{JsonSchema, SchemaGenerator};
use serde::Serialize;
use serde_json::{Map, Value, json};
use web::agents::{AgentPatch, AnsweringPatch, DisclosuresPatch};
use web::limits::Group;

use crate::Api;
use crate::answer::{OneOrPage, Reply, Stamp, Uid, found};
use crate::caller::{AgentsRead, AgentsWrite, Caller};
use crate::error::{ApiError, Code};
use crate::idempotency::{IdempotencyKey, Once, kept, repeated};
use crate::input::{
    Body, Change, Cursor, Field, Id, Limit, Line, Object, Parcel, Phone, Problem, Query, Text, Whole, input,
    page,
};
use crate::route::Route;
use crate::v1::models::{ModelChanges, ModelName};

/// The longest instructions, in characters.
const PROMPT: usize = 100_000;
/// The longest greeting, in characters.
const GREETING: usize = 2_000;
/// The largest object that we keep without interpreting it, in bytes of JSON.
const OBJECT: usize = 16_384;

pub(crate) fn routes() -> Vec<Route> {
    let path = "/api/v1/agents";
    let id = "01940000-0000-7000-8000-000000000011";
    let business = "01940000-0000-7000-8000-000000000001";
    let created = json!({
        "id": id, "name": "Intake", "business_id": business, "vapi_assistant_id": null,
        "created_at": "2026-02-15T14:30:00.000000Z",
        "warnings": [{ "field": "voice", "message": "no voices of `acme` are configured here; the default speaks instead" }],
    });
    let updated = json!({
        "id": id, "name": "Intake", "business_id": business, "vapi_assistant_id": null, "updated": true,
    });
    let listed = json!({ "agents": [{
        "id": id, "name": "Intake", "business_id": business, "created_at": "2026-02-15T14:30:00.000000Z",
        "phone_number": null, "status": "active",
    }], "has_more": false });
    vec![
        Route::new(Method::GET, path, "agents.read", read)
            .about("List agents, or read one", "With `id` the answer is that agent itself; without, a page of agents.")
            .refuses(&[Code::Forbidden, Code::NotFound])
            .example(None, listed),
        Route::new(Method::POST, path, "agents.create", create)
            .about("Create an agent", "Lead collection comes with every agent and needs no configuration.")
            .counted_as(Group::CreateAgent)
            .refuses(&[Code::VapiError])
            .example(
                Some(json!({
                    "business_id": business, "name": "Intake",
                    "system_prompt": "You answer the phone for a law firm. Ask for name and matter.",
                    "first_message": "Smith & Partners, how can I help?",
                })),
                created,
            ),
        Route::new(Method::PATCH, path, "agents.update", update)
            .about(
                "Change an agent",
                "Only the fields sent change; `voice`, `model`, `answering`, `disclosures`, `metadata` and `vapi_config` are merged key by key, and a \
                 null value deletes its key. If nothing changes, `updated` is false.",
            )
            .counted_as(Group::ChangeAgent)
            .refuses(&[Code::NotFound, Code::VapiError])
            .example(Some(json!({ "id": id, "first_message": "Good morning, Smith & Partners." })), updated),
    ]
}

input! {
    /// Which agents to read.
    pub struct AgentsQuery {
        /// Read this one agent.
        id: Option<Id<AgentId>> = "id",
        /// Only those of this business.
        business_id: Option<Id<BusinessId>> = "business_id",
        /// Largest number of rows in the answer.
        limit: Limit<50, 100> = "limit",
        /// Only rows created before this time; take the `created_at` of the last row of the page before.
        after: Option<Cursor> = "after",
    }

    /// An agent to create.
    pub struct NewAgent {
        /// Id of the business that the agent speaks for.
        business_id: Id<BusinessId> = "business_id",
        /// Name of the agent, shown in lists.
        name: Line<1, 200> = "name",
        /// Instructions for the agent: what it should do, and what it knows.
        system_prompt: Text<1, PROMPT> = "system_prompt" | "inbound_prompt",
        /// First sentence of the agent in every call; `Hello! How can I help you today?` by default.
        first_message: Option<Text<0, GREETING>> = "first_message",
        /// Voice of the agent as `{provider, voiceId}`; the engine chooses one by default.
        voice: Option<Object<OBJECT>> = "voice",
        /// Language model of the agent.
        model: Option<ModelChanges> = "model",
        /// Data of your own, stored with the agent and never interpreted.
        metadata: Option<Object<OBJECT>> = "metadata",
        /// What it does with machines that answer its calls: it leaves a message, introduces itself and waits by default.
        answering: Option<AnsweringChanges> = "answering",
        /// Language that the agent speaks, as a tag like `es` or `pt-BR`, or a list of languages of which the caller's is taken. By default
        /// that of its first message, with English and Spanish for callers who speak them.
        language: Option<Languages> = "language",
        /// What the agent says before anything else, where it differs from its business.
        disclosures: Option<DisclosureChanges> = "disclosures",
    }

    /// Changes to an agent.
    pub struct AgentChanges {
        /// Id of the agent to change.
        id: Id<AgentId> = "id",
        /// Name of the agent, shown in lists.
        name: Parcel<Line<1, 200>> = "name",
        /// Instructions for inbound calls, and for outbound ones without instructions of their own.
        system_prompt: Parcel<Text<1, PROMPT>> = "inbound_prompt" | "system_prompt",
        /// Instructions for outbound calls.
        outbound_prompt: Change<Text<0, PROMPT>> = "outbound_prompt",
        /// Instructions for text messages.
        sms_prompt: Change<Text<0, PROMPT>> = "sms_prompt",
        /// First sentence of the agent in every call.
        first_message: Change<Text<0, GREETING>> = "first_message",
        /// First sentence of the agent in outbound calls.
        outbound_first_message: Change<Text<0, GREETING>> = "outbound_first_message",
        /// Language model of outbound calls: a model id, or an object.
        outbound_llm: Change<ModelName> = "outbound_llm",
        /// Language model of text messages: a model id, or an object.
        sms_llm: Change<ModelName> = "sms_llm",
        /// Voice of the agent as `{provider, voiceId}`; merged with the stored voice key by key.
        voice: Change<Object<OBJECT>> = "voice",
        /// Language model of the agent; merged with the stored settings key by key.
        model: Parcel<ModelChanges> = "model",
        /// Data of your own; merged with the stored data key by key.
        metadata: Parcel<Object<OBJECT>> = "metadata",
        /// Longest duration of a call in seconds.
        max_duration: Change<Whole<10, 43_200>> = "max_duration",
        /// What all of its calls of a day may cost together, in cents; null for no budget of its own.
        daily_budget_cents: Change<Whole<0, 100_000_000>> = "daily_budget_cents",
        /// Settings for the engine; merged with the stored settings key by key and otherwise not interpreted.
        vapi_config: Parcel<Object<OBJECT>> = "vapi_config",
        /// Whether card and social security numbers that callers say are kept. By default they are taken out of transcripts,
        /// summaries, leads and webhooks; recordings keep them in any case.
        keep_sensitive_numbers: Parcel<bool> = "keep_sensitive_numbers",
        /// Whether the agent may transfer a caller to a person.
        transfer_enabled: Parcel<bool> = "transfer_enabled",
        /// Phone number that callers are transferred to.
        transfer_phone_number: Change<Phone> = "transfer_phone_number",
        /// What it does with machines that answer its calls, merged.
        answering: Change<AnsweringChanges> = "answering",
        /// Language that the agent speaks, or a list of languages; null leaves it to the first message.
        language: Change<Languages> = "language",
        /// What the agent says before anything else, merged; null leaves it to the business.
        disclosures: Change<DisclosureChanges> = "disclosures",
    }
}

/// One language tag, or several of which the caller's is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Languages(Vec<LanguageTag>);

impl Field for Languages {
    fn read(value: Value) -> Result<Self, Problem> {
        let wants = || {
            Problem::new(
                "",
                format!("expected a language tag, or a list of 1 to {MAX_LANGUAGES} language tags"),
            )
        };
        let tags = match value {
            Value::Array(tags) => tags,
            one @ Value::String(_) => vec![one],
            _ => return Err(wants()),
        };
        if tags.is_empty() || tags.len() > MAX_LANGUAGES {
            return Err(wants());
        }
        let mut languages: Vec<LanguageTag> = Vec::new();
        for tag in &tags {
            let tag = LanguageTag::parse(tag.as_str().ok_or_else(wants)?)
                .map_err(|error| Problem::new("", error.to_string()))?;
            if !languages.contains(&tag) {
                languages.push(tag);
            }
        }
        Ok(Self(languages))
    }

    fn schema(_: &mut SchemaGenerator) -> Value {
        let pattern = LanguageTag::usual_pattern();
        let tag = json!({ "type": "string", "minLength": 2, "maxLength": 35, "pattern": pattern });
        json!({ "anyOf": [
            tag,
            { "type": "array", "items": tag, "minItems": 1, "maxItems": MAX_LANGUAGES },
        ] })
    }
}

/// What an agent says before anything else; what is left out stays as it is, null leaves it to the business.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DisclosureChanges(DisclosuresPatch);

impl Field for DisclosureChanges {
    fn read(value: Value) -> Result<Self, Problem> {
        let Value::Object(mut fields) = value else { return Err(Problem::new("", "expected an object")) };
        let mut flag = |name: &'static str| match fields.shift_remove(name) {
            None => Ok(Change::Keep),
            Some(Value::Null) => Ok(Change::Clear),
            Some(Value::Bool(is_said)) => Ok(Change::Set(is_said)),
            Some(_) => Err(Problem::new("", "expected true, false or null").within(name)),
        };
        Ok(Self(DisclosuresPatch { ai: flag("ai")?, recording: flag("recording")? }))
    }

    fn schema(_: &mut SchemaGenerator) -> Value {
        let flag = |about: &str| json!({ "type": ["boolean", "null"], "description": about });
        json!({
            "type": "object",
            "properties": {
                "ai": flag("That an AI speaks."),
                "recording": flag("That the call is recorded."),
            },
        })
    }
}

/// What an agent does with machines that answer its calls; what is left out stays as it is, null brings the default back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AnsweringChanges(AnsweringPatch);

impl Field for AnsweringChanges {
    fn read(value: Value) -> Result<Self, Problem> {
        let Value::Object(mut fields) = value else { return Err(Problem::new("", "expected an object")) };
        Ok(Self(AnsweringPatch {
            voicemail: choice(&mut fields, "voicemail", OnVoicemail::parse, VOICEMAIL_CHOICES)?,
            screener: choice(&mut fields, "screener", OnScreener::parse, SCREENER_CHOICES)?,
            menu: choice(&mut fields, "menu", OnMenu::parse, MENU_CHOICES)?,
        }))
    }

    fn schema(_: &mut SchemaGenerator) -> Value {
        let default = Answering::default();
        let words = |words: Vec<&str>, default: &str, about: &str| json!({ "type": ["string", "null"], "enum": choices(words), "default": default, "description": about });
        json!({
            "type": "object",
            "properties": {
                "voicemail": words(
                    OnVoicemail::ALL.iter().map(|word| word.as_str()).collect(),
                    default.voicemail.as_str(),
                    "With an answering machine.",
                ),
                "screener": words(
                    OnScreener::ALL.iter().map(|word| word.as_str()).collect(),
                    default.screener.as_str(),
                    "With an assistant that asks who is calling.",
                ),
                "menu": words(
                    OnMenu::ALL.iter().map(|word| word.as_str()).collect(),
                    default.menu.as_str(),
                    "With a menu, a waiting line or music.",
                ),
            },
        })
    }
}

const VOICEMAIL_CHOICES: &str = "expected leave_message or hang_up";
const SCREENER_CHOICES: &str = "expected introduce or hang_up";
const MENU_CHOICES: &str = "expected wait or hang_up";

/// The words and null, which brings the default back.
fn choices(words: Vec<&str>) -> Vec<Value> {
    words.into_iter().map(Value::from).chain([Value::Null]).collect()
}

fn choice<T>(
    fields: &mut Map<String, Value>,
    name: &'static str,
    parse: fn(&str) -> Option<T>,
    expected: &'static str,
) -> Result<Change<T>, Problem> {
    match fields.shift_remove(name) {
        None => Ok(Change::Keep),
        Some(Value::Null) => Ok(Change::Clear),
        Some(value) => value
            .as_str()
            .and_then(parse)
            .map(Change::Set)
            .ok_or_else(|| Problem::new("", expected).within(name)),
    }
}

/// An agent in a list.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AgentRow {
    id: Uid,
    name: String,
    business_id: Uid,
    created_at: Stamp,
    /// Phone number of the agent in E.164 format; null if it has none.
    phone_number: Option<String>,
    /// Always `active`: an agent can be called as soon as it exists.
    status: &'static str,
}

/// A page of agents.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AgentList {
    agents: Vec<AgentRow>,
    has_more: bool,
}

/// An agent with all its fields.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AgentDetail {
    id: Uid,
    name: String,
    business_id: Uid,
    /// Id of the agent's assistant at Vapi; null if there is none.
    vapi_assistant_id: Option<String>,
    phone_number: Option<String>,
    created_at: Stamp,
    updated_at: Stamp,
    status: &'static str,
    /// Number of the agent's version; every change adds one, the first is 1.
    version_number: u32,
    prompts: Prompts,
    /// First sentence of the agent: its own, or the greeting of agents that have none.
    first_message: String,
    outbound_first_message: Option<String>,
    /// Voice of the agent as `{provider, voiceId}`; empty if the engine chooses one.
    voice: Map<String, Value>,
    model: Map<String, Value>,
    outbound_llm: Option<Value>,
    sms_llm: Option<Value>,
    /// Longest duration of a call in seconds; null if the agent has no limit of its own.
    max_duration: Option<u32>,
    /// What all of its calls of a day may cost together, in cents; null if only the budget of its business counts.
    daily_budget_cents: Option<u64>,
    /// Whether card and social security numbers that callers say are kept.
    keep_sensitive_numbers: bool,
    transfer_enabled: bool,
    transfer_phone_number: Option<String>,
    vapi_config: Map<String, Value>,
    metadata: Map<String, Value>,
    answering: AnsweringView,
    /// Language that the agent speaks, or a list of them; null leaves it to the first message.
    language: Option<LanguageView>,
    disclosures: DisclosuresView,
}

/// One language tag, or a list of them.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
pub enum LanguageView {
    One(String),
    Several(Vec<String>),
}

impl LanguageView {
    fn new(languages: &[LanguageTag]) -> Option<Self> {
        match languages {
            [] => None,
            [one] => Some(Self::One(one.to_string())),
            several => Some(Self::Several(several.iter().map(ToString::to_string).collect())),
        }
    }
}

/// What an agent says before anything else; null is as its business says.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DisclosuresView {
    /// That an AI speaks.
    ai: Option<bool>,
    /// That the call is recorded.
    recording: Option<bool>,
}

/// What an agent does with machines that answer its calls.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AnsweringView {
    /// With an answering machine: `leave_message` or `hang_up`.
    voicemail: &'static str,
    /// With an assistant that asks who is calling: `introduce` (name and reason) or `hang_up`.
    screener: &'static str,
    /// With a menu, a waiting line or music: `wait` (in silence, for a minute at most) or `hang_up`.
    menu: &'static str,
}

impl From<Answering> for AnsweringView {
    fn from(answering: Answering) -> Self {
        Self {
            voicemail: answering.voicemail.as_str(),
            screener: answering.screener.as_str(),
            menu: answering.menu.as_str(),
        }
    }
}

/// Instructions for each channel.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Prompts {
    inbound: String,
    outbound: Option<String>,
    sms: Option<String>,
}

/// Something that the agent asks for and this installation lacks. It is kept with the agent.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AgentWarning {
    /// Field of the agent that asks for it: `voice` or `model`.
    field: &'static str,
    /// What takes its place in calls.
    message: String,
}

fn warnings(app: &App, mode: Mode, agent: &Agent) -> Vec<AgentWarning> {
    let shortfalls = app::agents::shortfalls(app, mode, agent);
    shortfalls.into_iter().map(|found| AgentWarning { field: found.field, message: found.instead }).collect()
}

/// An agent that has just been created.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AgentCreated {
    id: Uid,
    name: String,
    business_id: Uid,
    vapi_assistant_id: Option<String>,
    created_at: Stamp,
    /// What the agent asks for that calls have to do without; absent if there is nothing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    warnings: Vec<AgentWarning>,
}

/// An agent after a change.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AgentUpdated {
    id: Uid,
    name: String,
    business_id: Uid,
    vapi_assistant_id: Option<String>,
    /// False if the request changed nothing.
    updated: bool,
    /// What the agent asks for that calls have to do without; absent if there is nothing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    warnings: Vec<AgentWarning>,
}

impl AgentDetail {
    pub(crate) fn new(agent: Agent, phone_number: Option<E164>) -> Self {
        let config = agent.config;
        let vapi_config = config.vapi_config();
        let mut model = Map::new();
        model.insert("provider".into(), config.model.provider.into());
        model.insert("model".into(), config.model.model.into());
        model.insert("temperature".into(), config.model.temperature.into());
        model.extend(config.model.extra);
        Self {
            id: agent.id.into(),
            name: config.name,
            business_id: agent.business_id.into(),
            vapi_assistant_id: agent.vapi_assistant_id,
            phone_number: phone_number.map(|number| number.to_string()),
            created_at: agent.created_at.into(),
            updated_at: agent.updated_at.into(),
            status: "active",
            version_number: agent.version,
            prompts: Prompts {
                inbound: config.system_prompt,
                outbound: config.outbound_prompt,
                sms: config.sms_prompt,
            },
            first_message: config.first_message.unwrap_or_else(|| DEFAULT_FIRST_MESSAGE.to_owned()),
            outbound_first_message: config.outbound_first_message,
            voice: config.voice.unwrap_or_default(),
            model,
            outbound_llm: config.outbound_llm,
            sms_llm: config.sms_llm,
            max_duration: config.max_duration.map(|time| u32::try_from(time.as_secs()).unwrap_or(u32::MAX)),
            daily_budget_cents: config.daily_budget_cents,
            keep_sensitive_numbers: config.keep_sensitive_numbers,
            transfer_enabled: config.transfer_enabled,
            transfer_phone_number: config.transfer_phone_number.map(|number| number.to_string()),
            vapi_config,
            metadata: config.metadata,
            answering: config.answering.into(),
            language: LanguageView::new(&config.languages),
            disclosures: DisclosuresView {
                ai: config.disclosures.ai,
                recording: config.disclosures.recording,
            },
        }
    }
}

impl AgentCreated {
    fn new(agent: Agent, warnings: Vec<AgentWarning>) -> Self {
        Self {
            warnings,
            id: agent.id.into(),
            name: agent.config.name,
            business_id: agent.business_id.into(),
            vapi_assistant_id: agent.vapi_assistant_id,
            created_at: agent.created_at.into(),
        }
    }
}

async fn read(
    caller: Caller<AgentsRead>,
    State(api): State<Api>,
    Query(query): Query<AgentsQuery>,
) -> Result<Reply<OneOrPage<AgentDetail, AgentList>>, ApiError> {
    match &query.id {
        Some(id) => Ok(Reply(OneOrPage::One(Box::new(one(&caller, &api, id).await?)))),
        None => Ok(Reply(OneOrPage::Page(list(&caller, &api, query).await?))),
    }
}

async fn one(caller: &Caller<AgentsRead>, api: &Api, id: &Id<AgentId>) -> Result<AgentDetail, ApiError> {
    let (tenancy, id) = (caller.tenancy().clone(), found(id.known(), "agent")?);
    let read = api
        .look_up(move |tx| {
            Box::pin(async move {
                let Some(agent) = store::agents::get(tx, &tenancy, id).await? else { return Ok(None) };
                let number = store::numbers::of_agent(tx, &tenancy, id).await?;
                Ok(Some((agent, number.map(|number| number.phone_number))))
            })
        })
        .await?;
    let (agent, phone_number) = found(read, "agent")?;
    Ok(AgentDetail::new(agent, phone_number))
}

async fn list(caller: &Caller<AgentsRead>, api: &Api, query: AgentsQuery) -> Result<AgentList, ApiError> {
    let business = caller.narrowed_to(query.business_id.as_ref())?;
    let (tenancy, page) = (caller.tenancy().clone(), page(query.limit, query.after));
    let listed = api
        .read(move |tx| Box::pin(async move { store::agents::list(tx, &tenancy, business, &page).await }))
        .await?;
    let row = |row: store::agents::AgentRow| AgentRow {
        id: row.agent.id.into(),
        name: row.agent.config.name,
        business_id: row.agent.business_id.into(),
        created_at: row.agent.created_at.into(),
        phone_number: row.phone_number.map(|number| number.to_string()),
        status: "active",
    };
    Ok(AgentList { agents: listed.rows.into_iter().map(row).collect(), has_more: listed.has_more })
}

async fn create(
    caller: Caller<AgentsWrite>,
    State(api): State<Api>,
    key: IdempotencyKey,
    Body { input, bytes }: Body<NewAgent>,
) -> Result<Once<AgentCreated>, ApiError> {
    let business = caller.business(&input.business_id)?;
    let mut model = Model::default();
    if let Some(changes) = input.model {
        changes.0.apply(&mut model);
    }
    let mut answering = Answering::default();
    if let Some(changes) = input.answering {
        changes.0.apply(&mut answering);
    }
    let mut disclosures = OwnDisclosures::default();
    if let Some(changes) = input.disclosures {
        changes.0.apply(&mut disclosures);
    }
    let config = AgentConfig {
        name: input.name.into_inner(),
        system_prompt: input.system_prompt.into_inner(),
        first_message: input.first_message.map(Text::into_inner),
        voice: input.voice.map(|voice| voice.0),
        model,
        metadata: input.metadata.map(|metadata| metadata.0).unwrap_or_default(),
        answering,
        languages: input.language.map(|languages| languages.0).unwrap_or_default(),
        disclosures,
        ..AgentConfig::default()
    };
    let (app, mode) = (api.app().clone(), caller.mode());
    let once = key.once("POST /v1/agents", &bytes, move |agent: &Agent| {
        kept(201, &AgentCreated::new(agent.clone(), warnings(&app, mode, agent)))
    });
    match app::agents::create(&caller.acting(&api), caller.mode(), business, config, once).await? {
        app::idempotency::Once::New(agent) => {
            let warnings = warnings(api.app(), mode, &agent);
            Ok(Once::Now(AgentCreated::new(agent, warnings)))
        }
        app::idempotency::Once::Repeated(earlier) => repeated(earlier),
    }
}

async fn update(
    caller: Caller<AgentsWrite>,
    State(api): State<Api>,
    Body { input, .. }: Body<AgentChanges>,
) -> Result<Reply<AgentUpdated>, ApiError> {
    let id = found(input.id.known(), "agent")?;
    let patch = AgentPatch::from(input);
    let change = move |config: &mut AgentConfig| patch.apply(config);
    let updated = app::agents::update(&caller.acting(&api), caller.tenancy(), id, change).await?;
    let app::agents::Updated { agent, changed } = found(updated, "agent")?;
    Ok(Reply(AgentUpdated {
        warnings: warnings(api.app(), caller.mode(), &agent),
        id: agent.id.into(),
        name: agent.config.name,
        business_id: agent.business_id.into(),
        vapi_assistant_id: agent.vapi_assistant_id,
        updated: changed,
    }))
}

impl From<AgentChanges> for AgentPatch {
    fn from(sent: AgentChanges) -> Self {
        Self {
            name: sent.name.0.map(Line::into_inner),
            system_prompt: sent.system_prompt.0.map(Text::into_inner),
            outbound_prompt: sent.outbound_prompt.map(Text::into_inner),
            sms_prompt: sent.sms_prompt.map(Text::into_inner),
            first_message: sent.first_message.map(Text::into_inner),
            outbound_first_message: sent.outbound_first_message.map(Text::into_inner),
            outbound_llm: sent.outbound_llm.map(|name| name.0),
            sms_llm: sent.sms_llm.map(|name| name.0),
            voice: sent.voice.map(|voice| voice.0),
            model: sent.model.0.map(|model| model.0),
            metadata: sent.metadata.0.map(|metadata| metadata.0),
            max_duration: sent.max_duration.map(|seconds| Duration::from_secs(seconds.0.unsigned_abs())),
            daily_budget_cents: sent.daily_budget_cents.map(|cents| cents.0.unsigned_abs()),
            vapi_config: sent.vapi_config.0.map(|config| config.0),
            keep_sensitive_numbers: sent.keep_sensitive_numbers.0,
            transfer_enabled: sent.transfer_enabled.0,
            transfer_phone_number: sent.transfer_phone_number.map(|number| number.0),
            answering: sent.answering.map(|answering| answering.0),
            languages: sent.language.map(|languages| languages.0),
            disclosures: sent.disclosures.map(|disclosures| disclosures.0),
        }
    }
}
