//! What receivers are told about events. The bytes stored with an event are the bytes that are sent, however often.
//!
//! Every event comes in one envelope, with the object that it happened to under `data`; events of calls repeat a few fields beside it. The
//! address that a call named for itself is told the end of that call in the flat form that the public API fixed for it: those few fields
//! and nothing else ([`of_a_single_call`]).

use std::borrow::Cow;

use domain::agent::{Agent, DEFAULT_FIRST_MESSAGE};
use domain::call::{Quality, Urgency};
use domain::clock::written;
use domain::endpoint::Endpoint;
use domain::event::{Event, EventCall, FinalCall};
use domain::lead::Lead;
use domain::{E164, EventId, Timestamp};
use serde::Serialize;
use serde_json::{Map, Value};

/// The body, as it will be signed and sent.
pub fn body(id: EventId, event: &Event<'_>, now: Timestamp) -> String {
    let about = About {
        event: event.event_type().as_str(),
        id: id.to_string(),
        business_id: event.business_id().to_string(),
        timestamp: written(now),
    };
    match event {
        Event::CallStarted { call, agent_name, answered_at } => {
            let data = ToldCall::answered(call, agent_name, *answered_at);
            json(&CallEnvelope {
                call_id: data.id.clone(),
                status: data.status,
                duration: None,
                recording_url: None,
                summary: None,
                error: None,
                envelope: about.envelope(data),
            })
        }
        Event::CallCompleted(told) | Event::CallUpdated(told) => json(&ended(about, told, None)),
        Event::CallFailed(told) => {
            json(&ended(about, told, told.call.failure().map(|failure| failure.code.as_str())))
        }
        Event::LeadCreated(lead) | Event::LeadUpdated(lead) => json(&about.envelope(ToldLead::from(*lead))),
        Event::AgentUpdated { agent, phone_number, .. } => {
            json(&about.envelope(ToldAgent::new(agent, *phone_number)))
        }
        Event::WebhookDisabled(endpoint) => json(&about.envelope(ToldEndpoint::from(*endpoint))),
        Event::WebhookTest { data, .. } => json(&about.envelope(&data.0)),
    }
}

/// The event that a call ended, as the address is told that the call named for itself. Other bodies stay as they are.
pub fn of_a_single_call(body: &str) -> Cow<'_, str> {
    const COMPLETED: &[&str] =
        &["event", "call_id", "status", "duration", "recording_url", "summary", "timestamp"];
    const FAILED: &[&str] = &["event", "call_id", "status", "error", "timestamp"];
    let Ok(mut told) = serde_json::from_str::<Map<String, Value>>(body) else { return body.into() };
    let fields = match told.get("event").and_then(Value::as_str) {
        Some("call.completed") => COMPLETED,
        Some("call.failed") => FAILED,
        _ => return body.into(),
    };
    let take = |&field: &&str| Some((field.to_owned(), told.get_mut(field)?.take()));
    json(&fields.iter().filter_map(take).collect::<Map<String, Value>>()).into()
}

fn json(body: &impl Serialize) -> String {
    serde_json::to_string(body).expect("texts, numbers and objects can be written as JSON")
}

/// What every event says of itself.
struct About {
    event: &'static str,
    id: String,
    business_id: String,
    timestamp: String,
}

impl About {
    fn envelope<T>(self, data: T) -> Envelope<T> {
        Envelope {
            id: self.id,
            event: self.event,
            event_type: self.event,
            business_id: self.business_id,
            timestamp: self.timestamp,
            data,
        }
    }
}

#[derive(Serialize)]
struct Envelope<T> {
    id: String,
    event: &'static str,
    event_type: &'static str,
    business_id: String,
    timestamp: String,
    data: T,
}

/// Events of calls repeat the flat fields beside the envelope, so that one receiver handles both forms.
#[derive(Serialize)]
struct CallEnvelope<'a, T> {
    #[serde(flatten)]
    envelope: Envelope<T>,
    call_id: String,
    status: &'static str,
    duration: Option<u64>,
    recording_url: Option<&'a str>,
    summary: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
}

fn ended<'a>(
    about: About,
    told: &FinalCall<'a>,
    error: Option<&'static str>,
) -> CallEnvelope<'a, ToldCall<'a>> {
    let data = ToldCall::new(told);
    CallEnvelope {
        call_id: data.id.clone(),
        status: data.status,
        duration: data.duration,
        recording_url: data.recording_url,
        summary: data.summary,
        error,
        envelope: about.envelope(data),
    }
}

/// A call as the public API shows it.
#[derive(Serialize)]
struct ToldCall<'a> {
    id: String,
    conversation_id: Option<&'a str>,
    status: &'static str,
    direction: &'static str,
    duration: Option<u64>,
    agent_id: String,
    agent_name: &'a str,
    business_id: String,
    lead_id: Option<String>,
    to: &'a str,
    from: Option<&'a str>,
    summary: Option<&'a str>,
    scheduled_at: Option<String>,
    created_at: String,
    recording_url: Option<&'a str>,
    quality_dimensions: Option<ToldQuality>,
    name: Option<&'a str>,
    started_at: Option<String>,
    ended_at: Option<String>,
    error: Option<&'static str>,
    ended_reason: Option<&'a str>,
    disclosures: Vec<&'static str>,
    urgency: Option<&'static str>,
    transcript_available: bool,
}

#[derive(Serialize)]
struct ToldQuality {
    professionalism: u8,
    empathy: u8,
    information_gathering: u8,
    resolution: u8,
}

impl<'a> ToldCall<'a> {
    /// A call that was answered: nothing is known yet of its end.
    fn answered(call: &EventCall<'a>, agent_name: &'a str, answered_at: Timestamp) -> Self {
        Self {
            id: call.id.to_string(),
            conversation_id: call.conversation_id,
            status: "in-progress",
            direction: call.direction.as_str(),
            duration: None,
            agent_id: call.agent_id.to_string(),
            agent_name,
            business_id: call.business_id.to_string(),
            lead_id: call.lead_id.map(|id| id.to_string()),
            to: call.to.as_str(),
            from: call.from.map(E164::as_str),
            summary: None,
            scheduled_at: call.scheduled_at.map(written),
            created_at: written(call.created_at),
            recording_url: None,
            quality_dimensions: None,
            name: call.name,
            started_at: Some(written(answered_at)),
            ended_at: None,
            error: None,
            ended_reason: None,
            disclosures: Vec::new(),
            urgency: None,
            transcript_available: false,
        }
    }

    fn new(told: &FinalCall<'a>) -> Self {
        let FinalCall { call, agent_name, recording_url, has_transcript } = *told;
        Self {
            id: call.id.to_string(),
            conversation_id: call.conversation_id(),
            status: call.state().public(),
            direction: call.direction.as_str(),
            duration: call.talk().map(|talk| talk.talked.as_secs()),
            agent_id: call.agent_id.to_string(),
            agent_name,
            business_id: call.business_id.to_string(),
            lead_id: call.lead_id().map(|id| id.to_string()),
            to: call.to.as_str(),
            from: call.from.as_ref().map(E164::as_str),
            summary: call.summary(),
            scheduled_at: call.scheduled_at().map(written),
            created_at: written(call.created_at),
            recording_url,
            quality_dimensions: call.assessment().and_then(|found| found.quality).map(ToldQuality::from),
            name: call.request.name.as_deref(),
            started_at: call.answered_at().map(written),
            ended_at: call.ended_at().map(written),
            error: call.failure().map(|failure| failure.code.as_str()),
            ended_reason: call.ended_reason(),
            disclosures: call.disclosed().iter().map(|disclosure| disclosure.as_str()).collect(),
            urgency: call.urgency().map(Urgency::as_str),
            transcript_available: has_transcript,
        }
    }
}

impl From<Quality> for ToldQuality {
    fn from(quality: Quality) -> Self {
        let Quality { professionalism, empathy, information_gathering, resolution } = quality;
        Self { professionalism, empathy, information_gathering, resolution }
    }
}

/// A lead, in the words of the public API.
#[derive(Serialize)]
struct ToldLead<'a> {
    id: String,
    business_id: String,
    agent_id: Option<String>,
    name: Option<&'a str>,
    first_name: Option<&'a str>,
    last_name: Option<&'a str>,
    email: Option<&'a str>,
    phone: Option<&'a str>,
    phone_valid: Option<bool>,
    phone_extension: Option<&'a str>,
    address: Option<&'a str>,
    city: Option<&'a str>,
    state: Option<&'a str>,
    zip: Option<&'a str>,
    status: &'a str,
    source: &'a str,
    source_url: Option<&'a str>,
    source_page: Option<&'a str>,
    notes: Option<&'a str>,
    message: Option<&'a str>,
    event_date: Option<&'a str>,
    event_type: Option<&'a str>,
    timezone: Option<&'a str>,
    score: Option<u8>,
    score_explanation: Option<&'a str>,
    interaction_count: u32,
    last_contacted_at: Option<String>,
    created_at: String,
    updated_at: String,
}

impl<'a> From<&'a Lead> for ToldLead<'a> {
    fn from(lead: &'a Lead) -> Self {
        let fields = &lead.fields;
        Self {
            id: lead.id.to_string(),
            business_id: lead.business_id.to_string(),
            agent_id: fields.agent_id.map(|id| id.to_string()),
            name: fields.name.as_deref(),
            first_name: fields.first_name.as_deref(),
            last_name: fields.last_name.as_deref(),
            email: fields.email.as_deref(),
            phone: fields.phone.as_ref().map(domain::lead::Phone::as_str),
            phone_valid: fields.phone.as_ref().map(|phone| phone.valid().is_some()),
            phone_extension: fields.phone.as_ref().and_then(|phone| phone.extension()),
            address: fields.address.as_deref(),
            city: fields.city.as_deref(),
            state: fields.state.as_deref(),
            zip: fields.zip.as_deref(),
            status: &fields.status,
            source: &fields.source,
            source_url: fields.source_url.as_deref(),
            source_page: fields.source_page.as_deref(),
            notes: fields.notes.as_deref(),
            message: fields.message.as_deref(),
            event_date: fields.event_date.as_deref(),
            event_type: fields.event_type.as_deref(),
            timezone: fields.timezone.as_deref(),
            score: lead.score,
            score_explanation: lead.score_explanation.as_deref(),
            interaction_count: lead.interaction_count,
            last_contacted_at: lead.last_contacted_at.map(written),
            created_at: written(lead.created_at),
            updated_at: written(lead.updated_at),
        }
    }
}

/// An agent, as the public API shows it.
#[derive(Serialize)]
struct ToldAgent<'a> {
    id: String,
    name: &'a str,
    business_id: String,
    vapi_assistant_id: Option<&'a str>,
    phone_number: Option<&'a str>,
    created_at: String,
    updated_at: String,
    status: &'static str,
    version_number: u32,
    prompts: ToldPrompts<'a>,
    first_message: &'a str,
    outbound_first_message: Option<&'a str>,
    voice: Map<String, Value>,
    model: Map<String, Value>,
    outbound_llm: Option<&'a Value>,
    sms_llm: Option<&'a Value>,
    max_duration: Option<u64>,
    daily_budget_cents: Option<u64>,
    keep_sensitive_numbers: bool,
    transfer_enabled: bool,
    transfer_phone_number: Option<&'a str>,
    vapi_config: Map<String, Value>,
    metadata: &'a Map<String, Value>,
    answering: ToldAnswering,
    language: Option<Value>,
    disclosures: ToldDisclosures,
}

#[derive(Serialize)]
struct ToldDisclosures {
    ai: Option<bool>,
    recording: Option<bool>,
}

#[derive(Serialize)]
struct ToldPrompts<'a> {
    inbound: &'a str,
    outbound: Option<&'a str>,
    sms: Option<&'a str>,
}

#[derive(Serialize)]
struct ToldAnswering {
    voicemail: &'static str,
    screener: &'static str,
    menu: &'static str,
}

impl<'a> ToldAgent<'a> {
    fn new(agent: &'a Agent, phone_number: Option<&'a E164>) -> Self {
        let config = &agent.config;
        let mut model = Map::new();
        model.insert("provider".into(), config.model.provider.clone().into());
        model.insert("model".into(), config.model.model.clone().into());
        model.insert("temperature".into(), config.model.temperature.into());
        model.extend(config.model.extra.clone());
        Self {
            id: agent.id.to_string(),
            name: &config.name,
            business_id: agent.business_id.to_string(),
            vapi_assistant_id: agent.vapi_assistant_id.as_deref(),
            phone_number: phone_number.map(E164::as_str),
            created_at: written(agent.created_at),
            updated_at: written(agent.updated_at),
            status: "active",
            version_number: agent.version,
            prompts: ToldPrompts {
                inbound: &config.system_prompt,
                outbound: config.outbound_prompt.as_deref(),
                sms: config.sms_prompt.as_deref(),
            },
            first_message: config.first_message.as_deref().unwrap_or(DEFAULT_FIRST_MESSAGE),
            outbound_first_message: config.outbound_first_message.as_deref(),
            voice: config.voice.clone().unwrap_or_default(),
            model,
            outbound_llm: config.outbound_llm.as_ref(),
            sms_llm: config.sms_llm.as_ref(),
            max_duration: config.max_duration.map(|time| time.as_secs()),
            daily_budget_cents: config.daily_budget_cents,
            keep_sensitive_numbers: config.keep_sensitive_numbers,
            transfer_enabled: config.transfer_enabled,
            transfer_phone_number: config.transfer_phone_number.as_ref().map(E164::as_str),
            vapi_config: config.vapi_config(),
            metadata: &config.metadata,
            answering: ToldAnswering {
                voicemail: config.answering.voicemail.as_str(),
                screener: config.answering.screener.as_str(),
                menu: config.answering.menu.as_str(),
            },
            language: match &config.languages[..] {
                [] => None,
                [one] => Some(one.to_string().into()),
                several => Some(several.iter().map(ToString::to_string).collect::<Vec<_>>().into()),
            },
            disclosures: ToldDisclosures {
                ai: config.disclosures.ai,
                recording: config.disclosures.recording,
            },
        }
    }
}

/// A subscription, as the public API shows it.
#[derive(Serialize)]
struct ToldEndpoint<'a> {
    id: String,
    url: &'a str,
    webhook_url: &'a str,
    business_id: String,
    events: Vec<&'static str>,
    description: Option<&'a str>,
    is_active: bool,
    failing_since: Option<String>,
    last_error: Option<&'a str>,
    last_error_at: Option<String>,
    disabled_at: Option<String>,
    disabled_reason: Option<&'static str>,
    created_at: String,
    updated_at: String,
}

impl<'a> From<&'a Endpoint> for ToldEndpoint<'a> {
    fn from(endpoint: &'a Endpoint) -> Self {
        Self {
            id: endpoint.id.to_string(),
            url: &endpoint.url,
            webhook_url: &endpoint.url,
            business_id: endpoint.business_id.to_string(),
            events: endpoint.events.names(),
            description: endpoint.description.as_deref(),
            is_active: endpoint.is_active,
            failing_since: endpoint.failing_since.map(written),
            last_error: endpoint.last_error.as_deref(),
            last_error_at: endpoint.last_error_at.map(written),
            disabled_at: endpoint.disabled.map(|disabled| written(disabled.at)),
            disabled_reason: endpoint.disabled.map(|disabled| disabled.reason.as_str()),
            created_at: written(endpoint.created_at),
            updated_at: written(endpoint.updated_at),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use domain::call::{
        Assessment, Call, CallFacts, CallRequest, Direction, Ending, FailureCode, Progress, Step,
    };
    use domain::lead::{LeadFields, Phone};
    use domain::{AgentId, BusinessId, CallId, LeadId, Mode, NodeId};
    use jiff::SignedDuration;
    use uuid::Uuid;

    use super::*;

    fn told(event: &Event<'_>) -> String {
        let now = "2026-02-15T14:32:12.75Z".parse().expect("a timestamp");
        body(EventId(Uuid::from_u128(9)), event, now)
    }

    fn number() -> E164 {
        E164::parse("+15125551234").expect("a number")
    }

    fn call(to: &E164) -> EventCall<'_> {
        EventCall {
            id: CallId(Uuid::nil()),
            business_id: BusinessId(Uuid::from_u128(1)),
            mode: Mode::Test,
            agent_id: AgentId(Uuid::from_u128(2)),
            lead_id: None,
            direction: Direction::Outbound,
            to,
            from: None,
            conversation_id: None,
            name: Some("Maria"),
            scheduled_at: None,
            created_at: "2026-02-15T14:30:00Z".parse().expect("a timestamp"),
        }
    }

    /// A call that lasted 127.9 seconds, or one that was refused.
    fn over(talked: bool) -> Call {
        let at: Timestamp = "2026-02-15T14:30:00Z".parse().expect("a timestamp");
        let facts = CallFacts {
            id: CallId(Uuid::nil()),
            business_id: BusinessId(Uuid::from_u128(1)),
            mode: Mode::Test,
            agent_id: AgentId(Uuid::from_u128(2)),
            direction: Direction::Outbound,
            to: number(),
            from: None,
            request: CallRequest {
                webhook_url: Some("https://example.com/hook".into()),
                ..CallRequest::default()
            },
            max_duration: Duration::from_secs(600),
            engine: "sandbox".into(),
            policy_reason: "allowed".into(),
            created_at: at,
        };
        let mut call = Call::outbound(facts, None);
        assert!(call.dial(NodeId(Uuid::from_u128(5))));
        let limit = SignedDuration::from_secs(30);
        let mut on = |progress, at: Timestamp| call.on(&progress, at, at, limit);
        if talked {
            assert_eq!(on(Progress::Answered, at), Step::Moved);
            let ending = Ending::Talked { answered_at: None, talked: None };
            let ended = Progress::Ended { ending, reason: "agent-said-goodbye".into() };
            let end = at + Duration::from_millis(127_900);
            assert_eq!(on(ended, end), Step::TalkEnded);
            let assessment = Assessment {
                summary: "Maria asked for an \"appointment\".".into(),
                quality: None,
                analyst: "rules".into(),
            };
            assert!(call.conclude(7, Some(assessment), None, end));
        } else {
            let ending = Ending::Failed(FailureCode::NoAnswer);
            let ended = Progress::Ended { ending, reason: "nobody-answered".into() };
            assert_eq!(on(ended, at), Step::Failed);
        }
        call
    }

    fn final_call(call: &Call) -> FinalCall<'_> {
        FinalCall { call, agent_name: "Intake", recording_url: None, has_transcript: true }
    }

    #[test]
    fn the_end_of_a_call_comes_in_the_envelope_with_the_whole_call_and_the_flat_fields_beside_it() {
        let (talked, failed) = (over(true), over(false));
        for (event, status, error) in [
            (Event::CallCompleted(final_call(&talked)), "completed", None),
            (Event::CallUpdated(final_call(&talked)), "completed", None),
            (Event::CallFailed(final_call(&failed)), "failed", Some("no_answer")),
        ] {
            let told: Value = serde_json::from_str(&told(&event)).expect("JSON");
            let kind = event.event_type().as_str();
            assert_eq!((&told["event"], &told["event_type"]), (&kind.into(), &kind.into()));
            assert_eq!((&told["status"], &told["data"]["status"]), (&status.into(), &status.into()));
            assert_eq!(told.get("error").and_then(Value::as_str), error, "{kind}");
            assert_eq!(told["call_id"], told["data"]["id"]);
            for field in ["duration", "recording_url", "summary"] {
                assert_eq!(told[field], told["data"][field], "{kind}.{field}");
            }
            assert_eq!(told["data"]["agent_name"], "Intake");
            assert_eq!(told["data"]["error"].as_str(), error);
        }
    }

    #[test]
    fn the_address_of_a_call_is_told_its_end_in_exactly_the_fields_of_the_contract() {
        let talked = over(true);
        let body = told(&Event::CallCompleted(final_call(&talked)));
        let flat = r#"{"event":"call.completed","call_id":"00000000-0000-0000-0000-000000000000","status":"completed","duration":127,"recording_url":null,"summary":"Maria asked for an \"appointment\".","timestamp":"2026-02-15T14:32:12.750000Z"}"#;
        assert_eq!(of_a_single_call(&body), flat);
        assert_eq!(of_a_single_call(flat), flat, "an older version stored it like that");
        let failed = over(false);
        let body = told(&Event::CallFailed(final_call(&failed)));
        let flat = r#"{"event":"call.failed","call_id":"00000000-0000-0000-0000-000000000000","status":"failed","error":"no_answer","timestamp":"2026-02-15T14:32:12.750000Z"}"#;
        assert_eq!(of_a_single_call(&body), flat);
    }

    #[test]
    fn a_call_that_was_answered_comes_in_the_envelope_with_the_flat_fields_beside_it() {
        let to = number();
        let answered_at = "2026-02-15T14:31:00.5Z".parse().expect("a timestamp");
        let told = told(&Event::CallStarted { call: call(&to), agent_name: "Intake", answered_at });
        let told: Value = serde_json::from_str(&told).expect("JSON");
        for (field, value) in
            [("event", "call.started"), ("event_type", "call.started"), ("status", "in-progress")]
        {
            assert_eq!(told[field], value);
        }
        assert_eq!(
            (&told["call_id"], &told["duration"], &told["summary"]),
            (&told["data"]["id"], &Value::Null, &Value::Null)
        );
        assert_eq!(told["data"]["agent_name"], "Intake");
        assert_eq!(told["data"]["started_at"], "2026-02-15T14:31:00.500000Z");
    }

    #[test]
    fn a_lead_is_told_whole() {
        let at: Timestamp = "2026-02-15T14:30:00Z".parse().expect("a timestamp");
        let lead = Lead {
            id: LeadId(Uuid::from_u128(3)),
            business_id: BusinessId(Uuid::from_u128(1)),
            mode: Mode::Live,
            fields: LeadFields {
                name: Some("Maria Lopez".into()),
                phone: Some(Phone::AsGiven("call me".into())),
                status: "new".into(),
                source: "api".into(),
                ..LeadFields::default()
            },
            score: Some(80),
            score_explanation: None,
            interaction_count: 1,
            last_contacted_at: None,
            created_at: at,
            updated_at: at,
        };
        let created = told(&Event::LeadCreated(&lead));
        let expected = r#"{"id":"00000000-0000-0000-0000-000000000009","event":"lead.created","event_type":"lead.created","business_id":"00000000-0000-0000-0000-000000000001","timestamp":"2026-02-15T14:32:12.750000Z","data":{"id":"00000000-0000-0000-0000-000000000003","business_id":"00000000-0000-0000-0000-000000000001","agent_id":null,"name":"Maria Lopez","first_name":null,"last_name":null,"email":null,"phone":"call me","phone_valid":false,"phone_extension":null,"address":null,"city":null,"state":null,"zip":null,"status":"new","source":"api","source_url":null,"source_page":null,"notes":null,"message":null,"event_date":null,"event_type":null,"timezone":null,"score":80,"score_explanation":null,"interaction_count":1,"last_contacted_at":null,"created_at":"2026-02-15T14:30:00.000000Z","updated_at":"2026-02-15T14:30:00.000000Z"}}"#;
        assert_eq!(created, expected);
        assert_eq!(told(&Event::LeadUpdated(&lead)), created.replace("lead.created", "lead.updated"));
    }
}
