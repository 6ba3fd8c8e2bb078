//! How the plan of a call becomes the settings of its conversation.

use std::time::Duration;

use conversation::Settings;
use domain::call::{CallPlan, Direction};
use domain::prompt;

/// How long an outbound agent listens after the answer before it speaks.
const LISTEN_FIRST: Duration = Duration::from_millis(800);

/// The settings of the conversation that a plan asks for.
pub fn settings(plan: &CallPlan) -> Settings {
    let outbound = plan.direction == Direction::Outbound;
    Settings {
        system: plan.instructions.clone(),
        first_message: Some(plan.first_message.clone()).filter(|text| !text.trim().is_empty()),
        listen_first: if outbound { LISTEN_FIRST } else { Duration::ZERO },
        answering: outbound.then_some(plan.agent.answering),
        voicemail_message: voicemail_message(plan),
        introduction: introduction(plan),
        max_duration: plan.max_duration,
        end_call_phrases: plan.agent.end_call_phrases.clone().unwrap_or_default(),
        ..Settings::default()
    }
}

/// The owner's own words if there are any, else who called and where to call back.
fn voicemail_message(plan: &CallPlan) -> String {
    if let Some(own) = &plan.agent.voicemail_message {
        return prompt::render(own, &plan.variables);
    }
    let greeting =
        plan.variables.get("name").map_or_else(|| "Hello".to_owned(), |name| format!("Hello {name}"));
    let callback = match plan.variables.get("business_phone") {
        Some(phone) => format!("Please call us back at {}.", spelled(phone)),
        None => "We will try again later.".to_owned(),
    };
    format!("{greeting}, this is {}. Sorry we missed you. {callback} Goodbye.", business(plan))
}

/// Who calls, for whom, and why: what somebody reads who decides whether to take the call. The reason is the one that the opening line
/// gives, which anybody who answers would hear.
fn introduction(plan: &CallPlan) -> String {
    let name = plan.variables.get("name");
    let whom = name.map_or_else(String::new, |name| format!(" for {name}"));
    let reason = reason(&plan.first_message).map_or_else(
        || {
            format!(
                "I would like to speak with {} in person, please.",
                name.unwrap_or("the owner of this number")
            )
        },
        str::to_owned,
    );
    format!("This is the assistant of {}, calling{whom}. {reason}", business(plan))
}

/// The sentence of an opening line that says why somebody calls.
fn reason(opening: &str) -> Option<&str> {
    let sentences = opening.split_inclusive(['.', '!', '?']).map(str::trim);
    let gives_reason = |sentence: &&str| {
        let words = sentence.to_lowercase();
        !sentence.ends_with('?') && REASONS.iter().any(|reason| words.contains(reason))
    };
    sentences.filter(|sentence| !sentence.contains("{{")).find(gives_reason)
}

/// What people say before a reason, in the languages that agents speak.
const REASONS: [&str; 12] = [
    " about ",
    "regarding",
    "concerning",
    "because",
    "following up",
    "to follow up",
    "calling to ",
    "in response to",
    "acerca de",
    "sobre ",
    "porque",
    "para ",
];

fn business(plan: &CallPlan) -> &str {
    plan.variables.get("business_name").unwrap_or("the office")
}

/// Digits one by one, so that a voice does not read a number as millions.
fn spelled(phone: &str) -> String {
    let digits: Vec<String> = phone.chars().filter(char::is_ascii_digit).map(String::from).collect();
    digits.join(" ")
}
