//! How the plan of a call becomes the settings of its conversation.

use std::time::Duration;

use conversation::{Settings, Wording};
use domain::call::{CallPlan, Direction};
use domain::disclosure::{self, Disclosure};
use domain::voicemail::Missed;
use domain::{phone, prompt};
use understanding::{Language, language, topic};

use crate::{briefing, languages};

/// How long an outbound agent listens after the answer before it speaks.
const LISTEN_FIRST: Duration = Duration::from_millis(800);

/// The settings of the conversation that a plan asks for.
pub fn settings(plan: &CallPlan) -> Settings {
    let outbound = plan.direction == Direction::Outbound;
    let languages = languages::of(plan);
    let in_each = |text: &dyn Fn(Language) -> String| {
        languages.iter().fold(Wording::default(), |wording, &language| wording.with(language, text(language)))
    };
    let introduction = in_each(&|language| machine_hears(plan, language, &introduction(plan, language)));
    let introduction = languages.iter().fold(introduction, |wording, &language| {
        wording.with(language, machine_hears(plan, language, &introduced_again(plan, language)))
    });
    Settings {
        system: plan.instructions.clone() + &briefing::of(plan),
        disclosure: in_each(&|language| {
            disclosure::words(&plan.disclosures, language.tag(), business(plan, language))
        }),
        first_message: Some(plan.first_message.clone()).filter(|text| !text.trim().is_empty()),
        listen_first: if outbound { LISTEN_FIRST } else { Duration::ZERO },
        answering: outbound.then_some(plan.agent.answering),
        voicemail_message: in_each(&|language| {
            machine_hears(plan, language, &voicemail_message(plan, language))
        }),
        introduction,
        max_duration: plan.max_duration,
        end_call_phrases: plan.agent.end_call_phrases.clone().unwrap_or_default(),
        languages,
        ..Settings::default()
    }
}

/// What a machine hears: before our words that an AI speaks, if that has to be said. That a call is recorded is said to people.
fn machine_hears(plan: &CallPlan, language: Language, words: &str) -> String {
    if plan.disclosures.contains(&Disclosure::Ai) {
        let disclosure = Disclosure::Ai.sentence(language.tag(), business(plan, language));
        return format!("{disclosure} {words}");
    }
    words.to_owned()
}

/// The owner's own words if there are any, else who called, why, and where to call back.
fn voicemail_message(plan: &CallPlan, language: Language) -> String {
    if let Some(own) = &plan.agent.voicemail_message {
        return prompt::render(own, &plan.variables);
    }
    let reason = reason(plan, language);
    let number = plan.variables.get("business_phone").map(phone::aloud);
    let missed = Missed {
        name: plan.variables.get("name"),
        business: plan.variables.get("business_name"),
        reason: reason.as_deref(),
        number: number.as_deref(),
    };
    missed.message(language.tag())
}

/// Who calls, for whom, and why: what somebody reads who decides whether to take the call.
fn introduction(plan: &CallPlan, language: Language) -> String {
    let (who, for_whom, wish) = match language {
        Language::English => (
            "This is the assistant of {business}",
            ", calling for {name}",
            "I would like to speak with {name} in person, please.",
        ),
        Language::Spanish => (
            "Soy el asistente de {business}",
            " y llamo para {name}",
            "Me gustaría hablar con {name} en persona, por favor.",
        ),
        Language::French => (
            "Ici l'assistant de {business}",
            ", j'appelle pour {name}",
            "Je voudrais parler à {name} en personne, s'il vous plaît.",
        ),
        Language::German => (
            "Hier ist der Assistent von {business}",
            ", ich rufe für {name} an",
            "Ich möchte gern persönlich mit {name} sprechen.",
        ),
    };
    let name = plan.variables.get("name");
    let for_whom = name.map_or_else(String::new, |name| for_whom.replace("{name}", name));
    let nameless = match language {
        Language::English => "the owner of this number",
        Language::Spanish => "el titular de este número",
        Language::French => "la personne de ce numéro",
        Language::German => "dem Anschlussinhaber",
    };
    let reason = reason(plan, language).unwrap_or_else(|| wish.replace("{name}", name.unwrap_or(nameless)));
    format!("{}{for_whom}. {reason}", who.replace("{business}", business(plan, language)))
}

/// The same for a machine that asks once more.
fn introduced_again(plan: &CallPlan, language: Language) -> String {
    let who = match language {
        Language::English => {
            "I am calling on behalf of {business}; please tell them that {business} is on the line."
        }
        Language::Spanish => {
            "Llamo de parte de {business}; por favor, dígale que {business} está en la línea."
        }
        Language::French => "J'appelle de la part de {business} ; veuillez dire que {business} est en ligne.",
        Language::German => {
            "Ich rufe im Auftrag von {business} an; bitte sagen Sie, dass {business} am Apparat ist."
        }
    };
    who.replace("{business}", business(plan, language))
}

/// Why we call, as a sentence in this language: what the note of the call is about, if it was not written for the agent alone, else
/// the reason that the opening line gives, which anybody who answers would hear.
fn reason(plan: &CallPlan, language: Language) -> Option<String> {
    let note = plan.context.as_deref().filter(|note| !topic::is_private(note));
    let matter = note.and_then(|note| topic::as_reason(note, language));
    matter.or_else(|| reason_of_opening(&plan.first_message, language).map(str::to_owned))
}

/// The sentence of an opening line that says why somebody calls, if it is in this language.
fn reason_of_opening(opening: &str, language: Language) -> Option<&str> {
    let sentences = opening.split_inclusive(['.', '!', '?']).map(str::trim);
    let gives_reason = |sentence: &&str| {
        let words = sentence.to_lowercase();
        !sentence.ends_with('?') && REASONS.iter().any(|reason| words.contains(reason))
    };
    let fits = |sentence: &&str| language::heard(sentence).unwrap_or(Language::English) == language;
    sentences.filter(|sentence| !sentence.contains("{{")).filter(fits).find(gives_reason)
}

/// What people say before a reason.
const REASONS: [&str; 18] = [
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
    "au sujet",
    "à propos",
    "concernant",
    "wegen",
    "bezüglich",
    "über ",
];

fn business(plan: &CallPlan, language: Language) -> &str {
    let nameless = match language {
        Language::English => "the office",
        Language::Spanish => "la oficina",
        Language::French => "le bureau",
        Language::German => "dem Büro",
    };
    plan.variables.get("business_name").unwrap_or(nameless)
}
