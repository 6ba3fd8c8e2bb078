//! A call as Vapi is asked for it.
//!
//! What is special about one call travels as values of variables and as overrides. Our own server is never among them: Vapi
//! withholds the secret from an address that came with a request.

use std::collections::BTreeSet;

use domain::LanguageTag;
use domain::agent::{DEFAULT_FIRST_MESSAGE, OnVoicemail};
use domain::call::{CallPlan, Direction};
use domain::disclosure::{self, Disclosure};
use domain::engine::EngineRefusal;
use domain::phone::aloud;
use domain::voicemail::Missed;
use serde_json::{Map, Value, json};

use crate::assistant::{checked, model};
use crate::names::{NAME_UNITS, cut};

/// Where our id stands in whatever Vapi keeps of a call.
pub(crate) const CALL_TAG: &str = "kaicalls_call_id";

/// The shortest and the longest call that Vapi takes, in seconds.
const DURATION: (u64, u64) = (10, 43_200);

/// The body of `POST /call`. `assistant` and `number` are Vapi's ids.
pub(crate) fn call(plan: &CallPlan, assistant: &str, number: &str) -> Result<Value, EngineRefusal> {
    let mut customer = json!({ "number": plan.to.as_str() });
    if let Some(name) =
        plan.variables.get("name").map(|name| cut(name, NAME_UNITS)).filter(|name| !name.is_empty())
    {
        customer["name"] = json!(name);
    }
    let body = json!({
        "name": plan.call_id.to_string(),
        "assistantId": assistant,
        "phoneNumberId": number,
        "customer": customer,
        "assistantOverrides": overrides(plan)?,
    });
    checked("POST /call", body)
}

/// What an incoming call's question is answered with.
pub(crate) fn answer(plan: &CallPlan, assistant: &str) -> Result<Value, EngineRefusal> {
    Ok(json!({ "assistantId": assistant, "assistantOverrides": overrides(plan)? }))
}

fn overrides(plan: &CallPlan) -> Result<Value, EngineRefusal> {
    let mut overrides = json!({
        "variableValues": variables(plan),
        "metadata": { CALL_TAG: plan.call_id.to_string() },
        "maxDurationSeconds": plan.max_duration.as_secs().clamp(DURATION.0, DURATION.1),
    });
    let agent = &plan.agent;
    let first = disclosed_first(plan);
    if plan.direction == Direction::Inbound {
        if let Some(first) = first {
            let greeting = agent.first_message.as_deref().unwrap_or(DEFAULT_FIRST_MESSAGE);
            say_first(&mut overrides, &first, greeting);
        }
        return Ok(overrides);
    }
    // Texts go as templates: Vapi fills them in from the values above, so that nobody's data is ever a template.
    let own = agent.first_message.as_deref();
    let opening = plan.given_first_message.as_deref().unwrap_or_else(|| agent.outbound_greeting());
    if own != Some(opening) {
        overrides["firstMessage"] = json!(opening);
    }
    if let Some(first) = first {
        say_first(&mut overrides, &first, opening);
    }
    if agent.outbound_prompt.is_some() || agent.outbound_llm.is_some() {
        overrides["model"] = model(agent, agent.outbound_instructions(), agent.outbound_llm.as_ref())?;
    }
    if !agent.engine_extra.contains_key("voicemailDetection") {
        overrides["voicemailDetection"] = json!({ "provider": "vapi" });
    }
    if agent.answering.voicemail == OnVoicemail::LeaveMessage
        && let Some(message) = voicemail(plan)
    {
        overrides["voicemailMessage"] = json!(message);
    }
    Ok(overrides)
}

/// What has to be said before anything else, as a template: the name of the business is filled in by Vapi.
fn disclosed_first(plan: &CallPlan) -> Option<String> {
    Some(disclosure::words(&plan.disclosures, language(plan), "{{business_name}}"))
        .filter(|words| !words.is_empty())
}

/// Has the assistant begin with what must be said, whoever speaks meanwhile and whatever `vapi_config` says about beginnings.
fn say_first(overrides: &mut Value, first: &str, greeting: &str) {
    overrides["firstMessage"] = json!(format!("{first} {greeting}").trim_end());
    overrides["firstMessageMode"] = json!("assistant-speaks-first");
    overrides["firstMessageInterruptionsEnabled"] = json!(false);
}

/// What a mailbox hears, unless the assistant has all of it already. That an AI speaks is said first where it has to be, as on our own
/// engines; if the owner's message leaves no room for it, the message is ours.
fn voicemail(plan: &CallPlan) -> Option<String> {
    let config = plan.agent.vapi_config();
    let own = config.get("voicemailMessage").and_then(Value::as_str);
    if !plan.disclosures.contains(&Disclosure::Ai) {
        return own.is_none().then(|| voicemail_message(plan));
    }
    let disclosure = Disclosure::Ai.sentence(language(plan), "{{business_name}}");
    let whole = |message: &str| format!("{disclosure} {message}");
    let fits = |message: &String| message.chars().count() <= LONGEST_VOICEMAIL;
    Some(own.map(whole).filter(fits).unwrap_or_else(|| whole(&voicemail_message(plan))))
}

/// The longest message for a mailbox that Vapi takes, in characters.
const LONGEST_VOICEMAIL: usize = 1000;

fn language(plan: &CallPlan) -> &str {
    plan.agent.languages.first().map_or("en", LanguageTag::primary)
}

/// What a mailbox hears unless the agent's owner wrote something better. Names come in as values, like everywhere.
fn voicemail_message(plan: &CallPlan) -> String {
    let known = |name: &str, value| plan.variables.get(name).is_some().then_some(value);
    let number = plan.variables.get("business_phone").map(aloud);
    let missed = Missed {
        name: known("name", "{{name}}"),
        business: known("business_name", "{{business_name}}"),
        reason: None,
        number: number.as_deref(),
    };
    missed.message(language(plan))
}

/// The facts of the call, as values. All that is known, and nothing that Vapi reserves for itself.
fn variables(plan: &CallPlan) -> Map<String, Value> {
    let reserved = BTreeSet::from([
        "now",
        "date",
        "time",
        "month",
        "day",
        "year",
        "customer",
        "phoneNumber",
        "call",
        "transport",
    ]);
    let mut values: Map<String, Value> = plan
        .variables
        .iter()
        .filter(|(name, _)| !reserved.contains(name))
        .map(|(name, value)| (name.to_owned(), clean(value).into()))
        .collect();
    values.insert("recorded".to_owned(), is_recorded(plan).into());
    if let Some(context) = plan.context.as_deref().map(str::trim).filter(|context| !context.is_empty()) {
        values.insert("context".to_owned(), context.into());
    }
    values
}

/// `yes` or `no`, for the agent to answer by.
fn is_recorded(plan: &CallPlan) -> &'static str {
    let is_off = plan
        .agent
        .engine_extra
        .get("artifactPlan")
        .is_some_and(|artifacts| artifacts["recordingEnabled"] == false);
    if plan.is_recorded && !is_off { "yes" } else { "no" }
}

/// One line per fact, whatever people wrote into it.
fn clean(value: &str) -> String {
    value.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
