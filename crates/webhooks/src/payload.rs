//! What receivers are told about events. The bytes stored with an event are the bytes that are sent, however often.
//!
//! The end of a call is told in the flat form that the public API fixed for the webhook of a single call. Every other event comes in
//! the envelope of subscriptions, with the object that it happened to under `data`.

use domain::agent::Agent;
use domain::call::FailureCode;
use domain::clock::written;
use domain::event::{Event, EventCall};
use domain::lead::Lead;
use domain::{EventId, Timestamp};
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
        Event::CallStarted { call, answered_at } => {
            let status = "in-progress";
            let data = StartedCall::new(call, status, *answered_at);
            json(&CallEnvelope { call_id: call.id.to_string(), status, envelope: about.envelope(data) })
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
        Event::LeadCreated(lead) | Event::LeadUpdated(lead) => json(&about.envelope(ToldLead::from(*lead))),
        Event::AgentUpdated { agent, .. } => json(&about.envelope(ToldAgent::from(*agent))),
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
struct CallEnvelope<T> {
    #[serde(flatten)]
    envelope: Envelope<T>,
    call_id: String,
    status: &'static str,
}

/// A call that was answered, in the words of the public API.
#[derive(Serialize)]
struct StartedCall {
    id: String,
    business_id: String,
    agent_id: String,
    lead_id: Option<String>,
    status: &'static str,
    direction: &'static str,
    to: String,
    from: Option<String>,
    started_at: String,
}

impl StartedCall {
    fn new(call: &EventCall<'_>, status: &'static str, answered_at: Timestamp) -> Self {
        Self {
            id: call.id.to_string(),
            business_id: call.business_id.to_string(),
            agent_id: call.agent_id.to_string(),
            lead_id: call.lead_id.map(|id| id.to_string()),
            status,
            direction: call.direction.as_str(),
            to: call.to.as_str().to_owned(),
            from: call.from.map(|from| from.as_str().to_owned()),
            started_at: written(answered_at),
        }
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

/// An agent, in the words of the public API. Instructions and settings of the engine stay out: a receiver that needs them reads them
/// with a key that may.
#[derive(Serialize)]
struct ToldAgent<'a> {
    id: String,
    business_id: String,
    name: &'a str,
    version_number: u32,
    first_message: Option<&'a str>,
    transfer_enabled: bool,
    metadata: &'a Map<String, Value>,
    created_at: String,
    updated_at: String,
}

impl<'a> From<&'a Agent> for ToldAgent<'a> {
    fn from(agent: &'a Agent) -> Self {
        Self {
            id: agent.id.to_string(),
            business_id: agent.business_id.to_string(),
            name: &agent.config.name,
            version_number: agent.version,
            first_message: agent.config.first_message.as_deref(),
            transfer_enabled: agent.config.transfer_enabled,
            metadata: &agent.config.metadata,
            created_at: written(agent.created_at),
            updated_at: written(agent.updated_at),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use domain::call::Direction;
    use domain::lead::{LeadFields, Phone};
    use domain::{AgentId, BusinessId, CallId, E164, LeadId, Mode};
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
        let expected = r#"{"id":"00000000-0000-0000-0000-000000000009","event":"call.started","event_type":"call.started","business_id":"00000000-0000-0000-0000-000000000001","timestamp":"2026-02-15T14:32:12.750000Z","data":{"id":"00000000-0000-0000-0000-000000000000","business_id":"00000000-0000-0000-0000-000000000001","agent_id":"00000000-0000-0000-0000-000000000002","lead_id":null,"status":"in-progress","direction":"outbound","to":"+15125551234","from":null,"started_at":"2026-02-15T14:31:00.500000Z"},"call_id":"00000000-0000-0000-0000-000000000000","status":"in-progress"}"#;
        assert_eq!(told(&Event::CallStarted { call: call(&to), answered_at }), expected);
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
