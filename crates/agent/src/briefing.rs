//! What every model is told beside its owner's instructions: when it is, which language to speak, how one speaks on a telephone, what it
//! can do, and what it must not deny.

use domain::LanguageTag;
use domain::call::CallPlan;

use crate::tools;

/// The text. It follows the instructions, so that what an owner wrote comes first.
pub(crate) fn of(plan: &CallPlan) -> String {
    let lines = [moment(plan), language(plan), MANNERS.to_owned(), means(plan), truths(plan)];
    let lines: Vec<String> = lines.into_iter().map(|line| format!("- {line}")).collect();
    format!("\n\nAbout this conversation:\n{}\n", lines.join("\n"))
}

const MANNERS: &str = "You are on the telephone, and every word you write is spoken. Speak as people do on the phone: one or two short \
    sentences, one question at a time, no lists, headings, markup, emoji, stage directions or addresses of web pages. Say numbers the way they are \
    spoken, telephone numbers in groups of digits, and spell out names and e-mail addresses when you read them back. Words that you hear \
    were recognised from sound and may be wrong: ask again when something makes no sense. Once the person says goodbye, say goodbye and end.";

/// Date and time where the business is.
fn moment(plan: &CallPlan) -> String {
    let known = |name: &str| plan.variables.get(name).unwrap_or_default();
    format!(
        "The call began on {} at {} ({}). Work out words like \"tomorrow\" from that.",
        known("local_date"),
        known("local_time"),
        known("timezone")
    )
}

fn language(plan: &CallPlan) -> String {
    let name = |tag: &LanguageTag| match tag.english_name() {
        name if name == tag.as_str() => name.to_owned(),
        name => format!("{name} ({tag})"),
    };
    match plan.agent.languages.as_slice() {
        [] => "Speak the language of your instructions, or that of the person if they speak another one."
            .to_owned(),
        [only] => format!("Speak {}, whatever language the person speaks.", name(only)),
        [first, others @ ..] => {
            let others: Vec<String> = others.iter().map(name).collect();
            format!("Speak {}; if the person speaks {}, speak that.", name(first), others.join(" or "))
        }
    }
}

/// What the model can do besides speaking, and what it cannot.
fn means(plan: &CallPlan) -> String {
    let ending =
        format!("You can end the call with the tool `{}`; say goodbye in the same answer.", tools::END_CALL);
    let passing_on = if tools::can_transfer(plan) {
        let tool = tools::TRANSFER_CALL;
        format!(
            "You can put the person through to somebody of the business with the tool `{tool}`; say so in the same answer."
        )
    } else {
        "You cannot put anybody through; offer to have somebody call them back instead.".to_owned()
    };
    format!(
        "{ending} {passing_on} You can do nothing else: do not promise to send or book anything yourself."
    )
}

/// What a person who asks must get a true answer to.
fn truths(plan: &CallPlan) -> String {
    let recorded = if plan.is_recorded {
        "the call is recorded and written down"
    } else {
        "the call is written down, and no recording of it is kept"
    };
    format!("If the person asks: you are an AI, and {recorded}. Never claim otherwise.")
}
