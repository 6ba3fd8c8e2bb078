//! What receivers are told about events. The bytes stored with an event are the bytes that are sent, however often.
//!
//! The end of a call is told in the flat form that the public API fixed for the webhook of a single call. Every other event comes in
//! the envelope of subscriptions, with the object that it happened to under `data`.

use domain::agent::{Agent, DEFAULT_FIRST_MESSAGE};
use domain::call::FailureCode;
use domain::clock::written;
use domain::event::{Event, EventCall};
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
            let data = StartedCall::new(call, agent_name, *answered_at);
            json(&CallEnvelope {
                call_id: data.id.clone(),
                status: data.status,
                duration: None,
                recording_url: None,
                summary: None,
                envelope: about.envelope(data),
            })
        }
        Event::CallCompleted { call, talked, recording_url, summary } => json(&Completed {
            event: about.event,
            call_id: call.id.to_string(),
            status: "completed",
            duration: talked.as_secs(),
            recording_url: *recording_url,
            summary: *summary,
            timestamp: about.timestamp,
        }),
        Event::CallFailed { call, code } => json(&Failed {
            event: about.event,
            call_id: call.id.to_string(),
            status: "failed",
            error: FailureCode::as_str(*code),
            timestamp: about.timestamp,
        }),
        Event::CallUpdated { call, status, talked, recording_url, summary } => {
            let data = UpdatedCall {
                id: call.id.to_string(),
                business_id: call.business_id.to_string(),
                agent_id: call.agent_id.to_string(),
                lead_id: call.lead_id.map(|id| id.to_string()),
                status,
                direction: call.direction.as_str(),
                to: call.to.as_str(),
                from: call.from.map(domain::E164::as_str),
                duration: talked.map(|talked| talked.as_secs()),
                recording_url: *recording_url,
                summary: *summary,
            };
            json(&CallEnvelope {
                call_id: data.id.clone(),
                status,
                duration: data.duration,
                recording_url: data.recording_url,
                summary: data.summary,
                envelope: about.envelope(data),
            })
        }
        Event::LeadCreated(lead) | Event::LeadUpdated(lead) => json(&about.envelope(ToldLead::from(*lead))),
        Event::AgentUpdated { agent, phone_number, .. } => {
            json(&about.envelope(ToldAgent::new(agent, *phone_number)))
        }
    }
}

fn json(body: &impl Serialize) -> String {
    serde_json::to_string(body).expect("texts, numbers and objects can be written as JSON")
}

#[derive(Serialize)]
struct Completed<'a> {
    event: &'static str,
    call_id: String,
    status: &'static str,
    duration: u64,
    recording_url: Option<&'a str>,
    summary: Option<&'a str>,
    timestamp: String,
}

#[derive(Serialize)]
struct Failed {
    event: &'static str,
    call_id: String,
    status: &'static str,
    error: &'static str,
    timestamp: String,
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
}

/// A call that was answered, as the public API shows it at that moment: nothing is known yet of its end.
#[derive(Serialize)]
struct StartedCall<'a> {
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
    created_at: String,
    recording_url: Option<&'a str>,
    quality_dimensions: Option<()>,
    name: Option<&'a str>,
    started_at: String,
    ended_at: Option<String>,
    error: Option<&'a str>,
    ended_reason: Option<&'a str>,
    disclosures: [&'a str; 0],
    urgency: Option<&'a str>,
    transcript_available: bool,
}

impl<'a> StartedCall<'a> {
    fn new(call: &EventCall<'a>, agent_name: &'a str, answered_at: Timestamp) -> Self {
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
            created_at: written(call.created_at),
            recording_url: None,
            quality_dimensions: None,
            name: call.name,
            started_at: written(answered_at),
            ended_at: None,
            error: None,
            ended_reason: None,
            disclosures: [],
            urgency: None,
            transcript_available: false,
        }
    }
}

/// A final call of which more has become known, in the words of the public API.
#[derive(Serialize)]
struct UpdatedCall<'a> {
    id: String,
    business_id: String,
    agent_id: String,
    lead_id: Option<String>,
    status: &'static str,
    direction: &'static str,
    to: &'a str,
    from: Option<&'a str>,
    duration: Option<u64>,
    recording_url: Option<&'a str>,
    summary: Option<&'a str>,
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use domain::call::Direction;
    use domain::lead::{LeadFields, Phone};
    use domain::{AgentId, BusinessId, CallId, LeadId, Mode};
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
            created_at: "2026-02-15T14:30:00Z".parse().expect("a timestamp"),
            webhook_url: None,
        }
    }

    #[test]
    fn a_completed_call_has_exactly_the_fields_of_the_contract() {
        let to = number();
        let event = Event::CallCompleted {
            call: call(&to),
            talked: Duration::from_millis(127_900),
            recording_url: None,
            summary: Some("Maria asked for an \"appointment\"."),
        };
        let expected = r#"{"event":"call.completed","call_id":"00000000-0000-0000-0000-000000000000","status":"completed","duration":127,"recording_url":null,"summary":"Maria asked for an \"appointment\".","timestamp":"2026-02-15T14:32:12.750000Z"}"#;
        assert_eq!(told(&event), expected);
    }

    #[test]
    fn a_failed_call_says_why() {
        let to = number();
        let expected = r#"{"event":"call.failed","call_id":"00000000-0000-0000-0000-000000000000","status":"failed","error":"no_answer","timestamp":"2026-02-15T14:32:12.750000Z"}"#;
        assert_eq!(told(&Event::CallFailed { call: call(&to), code: FailureCode::NoAnswer }), expected);
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
