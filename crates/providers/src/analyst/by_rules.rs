//! The analyst that needs nothing: what the caller said decides, by rules that anybody can read.
//!
//! The marks, each from 0 to 100:
//! - professionalism: 90, less 10 for each time the agent talked over the caller, plus 5 for a goodbye;
//! - empathy: 60, plus 10 for each turn in which the agent thanked, understood or apologised, up to 100;
//! - information gathering: a third each for name, way to reach them, and reason;
//! - resolution: 40 for a conversation, plus 30 for a known reason, plus 30 for an orderly end.
//!
//! The lead's score: 20, plus 20 for a name, 25 for an e-mail address or number, 25 for a reason, plus 10 for a yes; 0 after an opt-out.

use async_trait::async_trait;
use domain::call::{Party, Quality, Utterance};
use speech::{Analysis, AnalysisRequest, CallAnalyst, LeadFacts, SpeechError};

use ::understanding::facts;
use ::understanding::opt_out::{self, OptOut, Speaker, Turn};

use crate::understanding::{Wish, plain, says};

/// The longest reason that is kept, in characters.
const MAX_INTENT: usize = 300;

/// The analyst by rules.
#[derive(Debug, Clone, Copy, Default)]
pub struct DeterministicAnalyst;

#[async_trait]
impl CallAnalyst for DeterministicAnalyst {
    fn name(&self, _request: &AnalysisRequest) -> String {
        "deterministic".to_owned()
    }

    async fn analyse(&self, request: &AnalysisRequest) -> Result<Analysis, SpeechError> {
        Ok(analyse(request))
    }
}

fn analyse(request: &AnalysisRequest) -> Analysis {
    let voicemail = request.ended_reason == "voicemail";
    let turns = &request.transcript;
    let by_caller: Vec<&Utterance> =
        if voicemail { Vec::new() } else { turns.iter().filter(|said| said.by == Party::Caller).collect() };
    let opt_out = !voicemail && wants_no_calls(turns);
    let lead = if by_caller.is_empty() { LeadFacts::default() } else { lead_facts(turns) };
    let quality = (!by_caller.is_empty()).then(|| quality(turns, &lead, &request.ended_reason));
    let known_name = lead.name.clone().or_else(|| fact(request, "name").map(str::to_owned));
    let (lead_score, score_explanation) = score(&by_caller, &lead, known_name.as_deref(), opt_out).unzip();
    Analysis {
        summary: summary(request, &by_caller, &lead, known_name.as_deref(), opt_out),
        lead,
        quality,
        lead_score,
        score_explanation,
    }
}

/// True if the caller asked not to be called again, or can have meant it.
fn wants_no_calls(turns: &[Utterance]) -> bool {
    opt_out::read(&spoken(turns)) != OptOut::No
}

fn fact<'a>(request: &'a AnalysisRequest, name: &str) -> Option<&'a str> {
    request.facts.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

/// What was said, as the readers of words take it.
fn spoken(turns: &[Utterance]) -> Vec<Turn<'_>> {
    let by = |party| if party == Party::Agent { Speaker::Agent } else { Speaker::Caller };
    turns.iter().map(|said| Turn { by: by(said.by), text: &said.text }).collect()
}

fn lead_facts(turns: &[Utterance]) -> LeadFacts {
    let told = facts::read(&spoken(turns));
    let phone = told.phone.map(|phone| match phone.extension {
        Some(extension) => format!("{} ext. {extension}", phone.digits),
        None => phone.digits,
    });
    let mut facts = LeadFacts { name: told.name, email: told.email, phone, intent: None };
    let mut asked = "";
    for said in turns {
        match said.by {
            Party::Agent => asked = &said.text,
            Party::Caller => {
                if facts.intent.is_none() && states_reason(asked, &said.text) {
                    facts.intent = Some(said.text.trim().chars().take(MAX_INTENT).collect());
                }
            }
        }
    }
    facts
}

/// True if these words say what the caller wants, by themselves or as an answer.
fn states_reason(asked: &str, text: &str) -> bool {
    const STATED: &[&str] = &[
        "i need",
        "calling about",
        "i have a question",
        "question about",
        "i want",
        "id like",
        "i would like",
        "i was in",
        "i asked for",
        "looking for",
        "help with",
        "interested in",
        "problem with",
    ];
    const ASKED: &[&str] = &["help you", "about", "regarding", "reason", "do for you"];
    if opt_out::read(&[Turn { by: Speaker::Caller, text }]) != OptOut::No {
        return false;
    }
    let wishes = [Wish::WhoIsCalling, Wish::Goodbye, Wish::Refusal, Wish::Repeat];
    if wishes.into_iter().any(|wish| wish.is_in(text)) {
        return false;
    }
    let said = plain(text);
    says(&said, STATED)
        || (says(&plain(asked), ASKED) && asked.contains('?') && text.split_whitespace().count() >= 4)
}

fn quality(turns: &[Utterance], lead: &LeadFacts, ended_reason: &str) -> Quality {
    let by_agent: Vec<&Utterance> = turns.iter().filter(|said| said.by == Party::Agent).collect();
    let cut_off = turns.iter().filter(|said| said.by == Party::Caller && said.interrupted).count();
    let said_goodbye = by_agent.last().is_some_and(|said| Wish::Goodbye.is_in(&said.text));
    let kind = by_agent.iter().filter(|said| says(&plain(&said.text), KIND)).count();
    let known = [lead.name.is_some(), lead.email.is_some() || lead.phone.is_some(), lead.intent.is_some()];
    let learned = known.into_iter().filter(|known| *known).count();
    let orderly = said_goodbye || ended_reason == "agent-said-goodbye";
    let mark = |value: usize| u8::try_from(value.min(100)).unwrap_or(100);
    Quality {
        professionalism: mark(90_usize.saturating_sub(10 * cut_off) + if said_goodbye { 5 } else { 0 }),
        empathy: mark(60 + 10 * kind),
        information_gathering: mark((learned * 100).div_ceil(3)),
        resolution: mark(40 + if lead.intent.is_some() { 30 } else { 0 } + if orderly { 30 } else { 0 }),
    }
}

const KIND: &[&str] = &[
    "thank you",
    "thanks",
    "i understand",
    "im sorry",
    "of course",
    "thats all right",
    "my pleasure",
    "gracias",
];

fn score(
    by_caller: &[&Utterance],
    lead: &LeadFacts,
    known_name: Option<&str>,
    opt_out: bool,
) -> Option<(u8, String)> {
    if by_caller.is_empty() {
        return None;
    }
    if opt_out {
        return Some((0, "Asked not to be called again.".to_owned()));
    }
    let mut score = 20;
    let mut reasons = Vec::new();
    let mut count = |applies: bool, points: u8, reason: &'static str| {
        if applies {
            score += points;
            reasons.push(reason);
        }
    };
    count(known_name.is_some(), 20, "the name is known");
    count(lead.email.is_some() || lead.phone.is_some(), 25, "gave a way to be reached");
    count(lead.intent.is_some(), 25, "said what they want");
    count(by_caller.iter().any(|said| Wish::Yes.is_in(&said.text)), 10, "agreed to something");
    let explanation = match reasons.as_slice() {
        [] => "Answered, but told nothing about themselves.".to_owned(),
        reasons => {
            let mut text = reasons.join(", ");
            text[..1].make_ascii_uppercase();
            text.push('.');
            text
        }
    };
    Some((score, explanation))
}

fn summary(
    request: &AnalysisRequest,
    by_caller: &[&Utterance],
    lead: &LeadFacts,
    known_name: Option<&str>,
    opt_out: bool,
) -> String {
    let who = known_name.unwrap_or("The caller");
    if request.ended_reason == "voicemail" {
        return "An answering machine picked up, and the agent left a message.".to_owned();
    }
    if by_caller.is_empty() {
        return "The call was answered, but nobody spoke.".to_owned();
    }
    if opt_out {
        return format!("{who} asked not to be called again and was told that this will not happen.");
    }
    let mut sentences = Vec::new();
    sentences.push(match &lead.intent {
        Some(intent) => format!("{who} said: \"{}\"", intent.trim_end_matches('.')),
        None => format!("{who} talked with the agent but named no concern"),
    });
    let left: Vec<&str> =
        [lead.email.as_ref().map(|_| "an email address"), lead.phone.as_ref().map(|_| "a phone number")]
            .into_iter()
            .flatten()
            .collect();
    if !left.is_empty() {
        sentences.push(format!("They left {}", left.join(" and ")));
    }
    sentences.push(
        match request.ended_reason.as_str() {
            "agent-said-goodbye" => "The call ended with a goodbye",
            "caller-hung-up" => "The caller hung up",
            "silence" => "The call ended after a silence",
            "max-duration" => "The call ended at its time limit",
            "engine-lost" => "The call was cut off by a fault",
            _ => "The call ended",
        }
        .to_owned(),
    );
    let mut text = sentences.join(". ");
    text.push('.');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::agent::Model;
    use std::time::Duration;

    fn request(lines: &[(Party, &str)], ended_reason: &str) -> AnalysisRequest {
        let transcript = lines
            .iter()
            .map(|(by, text)| Utterance {
                by: *by,
                text: (*text).into(),
                start: Duration::ZERO,
                end: Duration::ZERO,
                interrupted: false,
            })
            .collect();
        AnalysisRequest {
            system_prompt: String::new(),
            facts: Vec::new(),
            transcript,
            ended_reason: ended_reason.into(),
            model: Model::default(),
        }
    }

    use Party::{Agent, Caller};

    #[test]
    fn a_full_conversation_gives_lead_marks_and_score() {
        let analysis = analyse(&request(
            &[
                (Agent, "Hello, how can I help you?"),
                (Caller, "I was in a car accident and I need a lawyer."),
                (Agent, "I understand. May I have your full name, please?"),
                (Caller, "Maria Lopez, and my email is maria at example dot com."),
                (Agent, "Thank you, Maria. Is there anything else?"),
                (Caller, "No, thank you."),
                (Agent, "Thank you for your time, Maria. Goodbye."),
            ],
            "agent-said-goodbye",
        ));
        assert_eq!(analysis.lead.name.as_deref(), Some("Maria Lopez"));
        assert_eq!(analysis.lead.email.as_deref(), Some("maria@example.com"));
        assert_eq!(analysis.lead.intent.as_deref(), Some("I was in a car accident and I need a lawyer."));
        let expected =
            Quality { professionalism: 95, empathy: 90, information_gathering: 100, resolution: 100 };
        assert_eq!(analysis.quality, Some(expected));
        assert_eq!(analysis.lead_score, Some(90));
        assert_eq!(
            analysis.summary,
            "Maria Lopez said: \"I was in a car accident and I need a lawyer\". They left an email address. The call ended with a \
             goodbye."
        );
    }

    #[test]
    fn an_opt_out_is_noticed_and_scores_nothing() {
        let lines =
            [(Agent, "Hello!"), (Caller, "Take me off your list."), (Agent, "I understand. Goodbye.")];
        let analysis = analyse(&request(&lines, "agent-said-goodbye"));
        assert_eq!(analysis.lead_score, Some(0));
    }

    #[test]
    fn a_machine_and_a_silent_line_teach_nothing() {
        let lines =
            [(Caller, "Hi, you've reached Sam. Leave a message."), (Agent, "Hello, please call back.")];
        let machine = analyse(&request(&lines, "voicemail"));
        assert_eq!((machine.lead, machine.quality, machine.lead_score), (LeadFacts::default(), None, None));
        let silent = analyse(&request(&[(Agent, "Hello?")], "silence"));
        assert_eq!(silent.summary, "The call was answered, but nobody spoke.");
    }
}
