//! One agent: how it speaks, what its words become for somebody, and a trial call one click away.

use std::time::Duration;

use app::rehearsal::Trial;
use askama::Template;
use axum::extract::{Path, State};
use axum::response::{Redirect, Response};
use domain::agent::{Agent, AgentConfig, MAX_DURATION_RANGE, MAX_LANGUAGES};
use domain::call::Direction;
use domain::engine::{Opposite, PlayedCaller};
use domain::lead::Lead;
use domain::prompt::{self, Knowledge};
use domain::{AgentId, E164, LanguageTag};
use http::StatusCode;
use serde_json::{Map, Value};
use store::agents::AgentVersion;
use store::leads::LeadFilter;
use store::{Page, StoreError, Tenancy};
use web::Web;

use super::list::refused;
use super::talk::{self, Panel};
use crate::form::{Asked, Filled, parse_id};
use crate::page::{Frame, PageError, Section, framed};
use crate::show::{self, When};
use crate::visitor::Visitor;

/// The longest texts of an agent, as in the API.
const LONGEST_PROMPT: usize = 50_000;
const LONGEST_MESSAGE: usize = 2_000;
/// How many versions stand below the editor.
const VERSIONS: u32 = 100;

/// The fields as a person writes them.
#[derive(Debug, Clone, Default)]
struct Fields {
    name: String,
    system_prompt: String,
    outbound_prompt: String,
    first_message: String,
    outbound_first_message: String,
    voicemail_message: String,
    model_provider: String,
    model: String,
    temperature: String,
    voice_provider: String,
    voice: String,
    languages: String,
    max_duration: String,
    transfer_enabled: bool,
    transfer_to: String,
    metadata: String,
}

impl Fields {
    fn of(config: &AgentConfig) -> Self {
        let optional = |text: &Option<String>| text.clone().unwrap_or_default();
        let voice = |name: &str| {
            let known = config.voice.as_ref().and_then(|voice| voice.get(name));
            known.and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let languages: Vec<String> = config.languages.iter().map(ToString::to_string).collect();
        Self {
            name: config.name.clone(),
            system_prompt: config.system_prompt.clone(),
            outbound_prompt: optional(&config.outbound_prompt),
            first_message: optional(&config.first_message),
            outbound_first_message: optional(&config.outbound_first_message),
            voicemail_message: optional(&config.voicemail_message),
            model_provider: config.model.provider.clone(),
            model: config.model.model.clone(),
            temperature: config.model.temperature.to_string(),
            voice_provider: voice("provider"),
            voice: voice("voiceId"),
            languages: languages.join(", "),
            max_duration: config.max_duration.map(|limit| limit.as_secs().to_string()).unwrap_or_default(),
            transfer_enabled: config.transfer_enabled,
            transfer_to: config.transfer_phone_number.as_ref().map(ToString::to_string).unwrap_or_default(),
            metadata: if config.metadata.is_empty() {
                String::new()
            } else {
                serde_json::to_string_pretty(&config.metadata).unwrap_or_default()
            },
        }
    }

    fn filled(form: &Filled) -> Self {
        // Browsers end lines with a carriage return as well.
        let text = |name: &str| form.text(name).replace("\r\n", "\n");
        Self {
            name: text("name"),
            system_prompt: text("system_prompt"),
            outbound_prompt: text("outbound_prompt"),
            first_message: text("first_message"),
            outbound_first_message: text("outbound_first_message"),
            voicemail_message: text("voicemail_message"),
            model_provider: text("model_provider"),
            model: text("model"),
            temperature: text("temperature"),
            voice_provider: text("voice_provider"),
            voice: text("voice"),
            languages: text("languages"),
            max_duration: text("max_duration"),
            transfer_enabled: !form.text("transfer_enabled").is_empty(),
            transfer_to: text("transfer_to"),
            metadata: text("metadata"),
        }
    }

    /// What they make of an agent; else every field that is wrong, with what was expected.
    fn read(&self) -> Result<Changes, Vec<(&'static str, String)>> {
        let mut wrong = Vec::new();
        let mut expect = |fits: bool, field: &'static str, expected: &str| {
            if !fits {
                wrong.push((field, expected.to_owned()));
            }
        };
        for (field, text, most, is_needed) in [
            ("name", &self.name, 200, true),
            ("system_prompt", &self.system_prompt, LONGEST_PROMPT, true),
            ("outbound_prompt", &self.outbound_prompt, LONGEST_PROMPT, false),
            ("first_message", &self.first_message, LONGEST_MESSAGE, false),
            ("outbound_first_message", &self.outbound_first_message, LONGEST_MESSAGE, false),
            ("voicemail_message", &self.voicemail_message, LONGEST_MESSAGE, false),
            ("model_provider", &self.model_provider, 100, true),
            ("model", &self.model, 200, true),
            ("voice_provider", &self.voice_provider, 100, false),
            ("voice", &self.voice, 200, false),
        ] {
            expect(!is_needed || !text.is_empty(), field, "This cannot be empty.");
            expect(text.chars().count() <= most, field, &format!("At most {most} characters."));
            expect(
                !text.contains(domain::text::is_harmful),
                field,
                "This holds characters that cannot be kept.",
            );
        }
        let temperature = self.temperature.parse::<f64>().ok().filter(|value| (0.0..=2.0).contains(value));
        expect(temperature.is_some(), "temperature", "A number from 0 to 2.");
        let seconds = match self.max_duration.as_str() {
            "" => Some(None),
            text => text.parse().ok().filter(|seconds| MAX_DURATION_RANGE.contains(seconds)).map(Some),
        };
        expect(seconds.is_some(), "max_duration", "Whole seconds from 10 to 43200, or nothing.");
        let tags = self.languages.split([',', ' ']).filter(|tag| !tag.is_empty());
        let languages = tags.map(LanguageTag::parse).collect::<Result<Vec<_>, _>>().ok();
        let languages = languages.filter(|languages| languages.len() <= MAX_LANGUAGES);
        expect(languages.is_some(), "languages", "Language tags like en, es or pt-BR, at most 8.");
        let transfer_to = match self.transfer_to.as_str() {
            "" => Some(None),
            text => E164::parse(&text.replace([' ', '-', '(', ')'], "")).ok().map(Some),
        };
        expect(transfer_to.is_some(), "transfer_to", "A number with its country, like +15125550100.");
        let metadata = match self.metadata.as_str() {
            "" => Some(Map::new()),
            text => serde_json::from_str(text).ok().filter(|_| text.len() <= 16_384),
        };
        expect(metadata.is_some(), "metadata", "A JSON object of at most 16 KiB, like {\"crm\": 1}.");
        match (temperature, seconds, languages, transfer_to, metadata) {
            (Some(temperature), Some(seconds), Some(languages), Some(transfer_to), Some(metadata))
                if wrong.is_empty() =>
            {
                Ok(Changes { fields: self.clone(), temperature, seconds, languages, transfer_to, metadata })
            }
            _ => Err(wrong),
        }
    }
}

/// Fields that have been read.
#[derive(Debug)]
struct Changes {
    fields: Fields,
    temperature: f64,
    seconds: Option<u64>,
    languages: Vec<LanguageTag>,
    transfer_to: Option<E164>,
    metadata: Map<String, Value>,
}

impl Changes {
    fn apply(self, config: &mut AgentConfig) {
        let some = |text: String| Some(text).filter(|text| !text.is_empty());
        let Fields { voice_provider, voice, .. } = self.fields.clone();
        let fields = self.fields;
        config.name = fields.name;
        config.system_prompt = fields.system_prompt;
        config.outbound_prompt = some(fields.outbound_prompt);
        config.first_message = some(fields.first_message);
        config.outbound_first_message = some(fields.outbound_first_message);
        config.voicemail_message = some(fields.voicemail_message);
        config.model.provider = fields.model_provider;
        config.model.model = fields.model;
        config.model.temperature = self.temperature;
        let mut spoken = config.voice.take().unwrap_or_default();
        for (name, value) in [("provider", voice_provider), ("voiceId", voice)] {
            match some(value) {
                Some(value) => drop(spoken.insert(name.to_owned(), value.into())),
                None => drop(spoken.shift_remove(name)),
            }
        }
        config.voice = Some(spoken).filter(|voice| !voice.is_empty());
        config.languages = self.languages;
        config.max_duration = self.seconds.map(Duration::from_secs);
        config.transfer_enabled = fields.transfer_enabled;
        config.transfer_phone_number = self.transfer_to;
        config.metadata = self.metadata;
    }
}

/// A version in the list beside the editor.
struct Version {
    number: u32,
    href: String,
    by: String,
    what: String,
    when: When,
}

/// A variable with what it is now.
struct Variable {
    name: String,
    value: String,
}

#[derive(Template)]
#[template(path = "agent.html")]
struct AgentPage {
    frame: Frame,
    path: String,
    id: String,
    name: String,
    version: u32,
    fields: Fields,
    wrong: Vec<(&'static str, String)>,
    number: Option<String>,
    callers: Vec<PlayedCaller>,
    talk: Option<Panel>,
    leads: Vec<(String, String, bool)>,
    variables: Vec<Variable>,
    opening: String,
    outbound_opening: String,
    versions: Vec<Version>,
}

impl AgentPage {
    fn wrong(&self, field: &str) -> Option<&str> {
        self.wrong.iter().find(|(known, _)| *known == field).map(|(_, expected)| expected.as_str())
    }
}

/// What the page shows besides the fields.
struct Around {
    agent: Agent,
    number: Option<E164>,
    leads: Vec<Lead>,
    versions: Vec<AgentVersion>,
}

async fn around(web: &Web, tenancy: &Tenancy, id: AgentId) -> Result<Option<Around>, StoreError> {
    let tenancy = tenancy.clone();
    web.read(move |tx| {
        Box::pin(async move {
            let Some(agent) = store::agents::get(tx, &tenancy, id).await? else { return Ok(None) };
            let number = store::numbers::of_agent(tx, &tenancy, id).await?.map(|number| number.phone_number);
            let some = Page { limit: 20, after: None };
            let leads = store::leads::list(tx, &tenancy, &LeadFilter::default(), &some).await?.rows;
            let versions = store::agents::history(tx, &tenancy, id, None, VERSIONS).await?.rows;
            Ok(Some(Around { agent, number, leads, versions }))
        })
    })
    .await
}

async fn drawn(
    web: &Web,
    visitor: &Visitor,
    id: AgentId,
    asked: &Asked,
    filled: Option<(Fields, Vec<(&'static str, String)>)>,
) -> Result<Response, PageError> {
    let Around { agent, number, leads, versions } =
        around(web, &visitor.tenancy, id).await?.ok_or(PageError::NotFound)?;
    let talk = match asked.text("talk") {
        Some(call) => talk::panel(web, visitor, id, &call).await?,
        None => None,
    };
    let (clock, lead) = (visitor.clock(web), asked.text("lead"));
    let business = visitor.businesses.iter().find(|business| business.id == agent.business_id);
    let business = business.ok_or(PageError::NotFound)?;
    let chosen = leads.iter().find(|known| lead.as_deref() == Some(&known.id.to_string()));
    let knowledge = Knowledge { lead: chosen, name: None, business, now: clock.now() };
    let variables = prompt::variables(&knowledge);
    let opening = |direction| prompt::first_message(&agent.config, direction, None, &variables);
    let path = format!("/{}/agents/{id}", visitor.mode());
    let is_refused = filled.is_some();
    let (fields, wrong) = filled.unwrap_or_else(|| (Fields::of(&agent.config), Vec::new()));
    let page = AgentPage {
        id: id.to_string(),
        name: agent.config.name.clone(),
        version: agent.version,
        fields,
        wrong,
        number: number.as_ref().map(show::phone),
        callers: app::rehearsal::callers(web.app()),
        talk,
        leads: leads
            .iter()
            .map(|known| {
                let name = known.fields.name.clone().or_else(|| known.fields.email.clone());
                let is_chosen = chosen.is_some_and(|chosen| chosen.id == known.id);
                (known.id.to_string(), name.unwrap_or_else(|| "Unnamed".to_owned()), is_chosen)
            })
            .collect(),
        variables: variables
            .iter()
            .map(|(name, value)| Variable { name: name.to_owned(), value: value.to_owned() })
            .collect(),
        opening: opening(Direction::Inbound),
        outbound_opening: opening(Direction::Outbound),
        versions: versions
            .into_iter()
            .map(|version| Version {
                number: version.number,
                href: format!("{path}/versions/{}", version.number),
                by: version
                    .revision
                    .by
                    .name
                    .unwrap_or_else(|| version.revision.by.source.as_str().to_owned()),
                what: version.diff_summary.unwrap_or_else(|| "made".to_owned()),
                when: clock.when(version.created_at),
            })
            .collect(),
        frame: visitor.frame(web, Section::Agents),
        path,
    };
    let mut response = framed(&page.frame.nonce, &page)?;
    if is_refused {
        *response.status_mut() = StatusCode::BAD_REQUEST;
    }
    Ok(response)
}

pub(crate) async fn page(
    visitor: Visitor,
    State(web): State<Web>,
    Path(name): Path<String>,
    asked: Asked,
) -> Result<Response, PageError> {
    drawn(&web, &visitor, parse_id(&name)?, &asked, None).await
}

/// Saves the fields as a new version, and begins a talk with it if that was asked for.
pub(crate) async fn save(
    visitor: Visitor,
    State(web): State<Web>,
    Path(name): Path<String>,
    form: Filled,
) -> Result<Response, PageError> {
    use axum::response::IntoResponse as _;
    let (id, fields) = (parse_id(&name)?, Fields::filled(&form));
    let changes = match fields.read() {
        Ok(changes) => changes,
        Err(wrong) => return drawn(&web, &visitor, id, &Asked::default(), Some((fields, wrong))).await,
    };
    let change = move |config: &mut AgentConfig| changes.apply(config);
    let acting = visitor.acting(&web);
    let updated = Box::pin(app::agents::update(&acting, &visitor.tenancy, id, change)).await;
    let updated = updated.map_err(refused)?.ok_or(PageError::NotFound)?;
    if form.text("then") == "talk" {
        let trial = Trial { agent: id, with: Opposite::Writer, direction: Direction::Inbound, lead: None };
        return Ok(talk::start(&web, &visitor, trial).await?.into_response());
    }
    let done = if updated.changed { "saved" } else { "same" };
    Ok(Redirect::to(&format!("/{}/agents/{id}?done={done}", visitor.mode())).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_editor_shows_changes_nothing_when_it_is_saved() {
        let mut config = AgentConfig {
            name: "Kai".into(),
            system_prompt: "Answer.\nBe kind.".into(),
            first_message: Some("Hello".into()),
            max_duration: Some(Duration::from_secs(300)),
            languages: vec![
                LanguageTag::parse("en").expect("a tag"),
                LanguageTag::parse("es").expect("a tag"),
            ],
            transfer_phone_number: E164::parse("+15125550100").ok(),
            ..AgentConfig::default()
        };
        config.voice = serde_json::from_str(r#"{"provider":"11labs","voiceId":"x","speed":1.1}"#).ok();
        config.metadata = serde_json::from_str(r#"{"crm":1}"#).expect("an object");
        let mut saved = config.clone();
        Fields::of(&config).read().expect("nothing is wrong").apply(&mut saved);
        assert_eq!(saved, config);
    }

    #[test]
    fn every_wrong_field_is_named_with_what_was_expected() {
        let fields = Fields { temperature: "hot".into(), max_duration: "5".into(), ..Fields::default() };
        let wrong = fields.read().expect_err("much is wrong");
        let named: Vec<&str> = wrong.iter().map(|(field, _)| *field).collect();
        assert_eq!(
            named,
            ["name", "system_prompt", "model_provider", "model", "temperature", "max_duration"]
        );
    }
}
