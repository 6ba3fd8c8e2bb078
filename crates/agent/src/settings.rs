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
        voicemail_message: outbound.then(|| voicemail_message(plan)),
        introduction: outbound.then(|| introduction(plan)),
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

fn introduction(plan: &CallPlan) -> String {
    let whom = plan.variables.get("name").map_or_else(String::new, |name| format!(" for {name}"));
    format!("This is the assistant of {}, calling{whom}.", business(plan))
}

fn business(plan: &CallPlan) -> &str {
    plan.variables.get("business_name").unwrap_or("the office")
}

/// Digits one by one, so that a voice does not read a number as millions.
fn spelled(phone: &str) -> String {
    let digits: Vec<String> = phone.chars().filter(char::is_ascii_digit).map(String::from).collect();
    digits.join(" ")
}
