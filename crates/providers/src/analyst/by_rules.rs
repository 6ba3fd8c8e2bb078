//! The analyst that needs nothing: what the caller said decides, by rules that anybody can read.

use async_trait::async_trait;
use domain::call::{Party, Utterance};
use speech::{Analysis, AnalysisRequest, CallAnalyst, LeadFacts, Reached, SpeechError};

use ::understanding::facts;

use super::summary::People;
use super::{account, marks, reached, summary};

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

/// What the rules make of a call.
pub(super) fn analyse(request: &AnalysisRequest) -> Analysis {
    let turns = &request.transcript;
    let reason = request.ended_reason.as_str();
    let account = account::read(turns);
    let reached = reached(request);
    let called = fact(request, "name").filter(|_| !is_incoming(request));
    if reached != Reached::Person {
        let is_judged = reached == Reached::SomebodyElse;
        let nothing = LeadFacts::default();
        let summary = if is_judged && !account.concerns.is_empty() {
            let told = lead_facts(turns);
            let people = People { called, spoke: told.name.as_deref() };
            summary::of(&account, &told, people, reason)
        } else {
            summary::of_nobody(reached, turns, reason, &account, called)
        };
        return Analysis {
            summary,
            reached,
            quality: is_judged.then(|| marks::quality(turns, &account, &nothing, None, reason)),
            lead: nothing,
            lead_score: None,
            score_explanation: None,
        };
    }
    let by_caller: Vec<&Utterance> = turns.iter().filter(|said| said.by == Party::Caller).collect();
    let lead = LeadFacts {
        intent: account.intent().map(|intent| intent.chars().take(MAX_INTENT).collect()),
        ..lead_facts(turns)
    };
    let known_name = lead.name.clone().or_else(|| fact(request, "name").map(str::to_owned));
    let known_name = known_name.as_deref();
    let (lead_score, score_explanation) =
        marks::score(&by_caller, &account, &lead, known_name, reason).unzip();
    Analysis {
        summary: summary::of(&account, &lead, People { called, spoke: known_name }, reason),
        reached,
        quality: Some(marks::quality(turns, &account, &lead, known_name, reason)),
        lead,
        lead_score,
        score_explanation,
    }
}

/// Whom the call reached, by the rules.
pub(super) fn reached(request: &AnalysisRequest) -> Reached {
    reached::read(&request.transcript, &request.ended_reason, is_incoming(request), |said| {
        account::states_reason("", &said.text)
    })
}

/// True if the person on the other side called us.
fn is_incoming(request: &AnalysisRequest) -> bool {
    fact(request, "direction") == Some("inbound")
}

/// Whom the call reached, where that needs no judging.
pub(super) fn certainly_reached(request: &AnalysisRequest) -> Option<Reached> {
    reached::certain(&request.transcript, &request.ended_reason)
}

/// The same without what must not be learned from anybody but the person the call was for.
pub(super) fn without_lessons(analysis: Analysis) -> Analysis {
    match analysis.reached {
        Reached::Person => analysis,
        Reached::SomebodyElse => {
            Analysis { lead: LeadFacts::default(), lead_score: None, score_explanation: None, ..analysis }
        }
        Reached::Machine | Reached::Nobody => Analysis {
            lead: LeadFacts::default(),
            lead_score: None,
            score_explanation: None,
            quality: None,
            ..analysis
        },
    }
}

fn fact<'a>(request: &'a AnalysisRequest, name: &str) -> Option<&'a str> {
    request.facts.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

fn lead_facts(turns: &[Utterance]) -> LeadFacts {
    let told = facts::read(&account::as_turns(turns));
    let phone = told.phone.map(|phone| match phone.extension {
        Some(extension) => format!("{} ext. {extension}", phone.digits),
        None => phone.digits,
    });
    LeadFacts { name: told.name, email: told.email, phone, intent: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyst::judged::request;

    #[test]
    fn a_full_conversation_gives_lead_marks_and_score() {
        let analysis = analyse(&request(
            "A: Hello, how can I help you?
             C: I was in a car accident and I need a lawyer.
             A: I understand. May I have your full name, please?
             C: Maria Lopez, and my email is maria at example dot com.
             A: Thank you, Maria. Is there anything else?
             C: No, thank you.
             A: Thank you for your time, Maria. Goodbye.",
            "agent-said-goodbye",
        ));
        assert_eq!(analysis.lead.name.as_deref(), Some("Maria Lopez"));
        assert_eq!(analysis.lead.email.as_deref(), Some("maria@example.com"));
        assert_eq!(analysis.lead.intent.as_deref(), Some("I was in a car accident and I need a lawyer."));
        assert_eq!(
            analysis.summary,
            "Maria Lopez said that they were in a car accident and they need a lawyer. They left the email address maria@example.com. \
             To do: get back to them. The call ended with a goodbye."
        );
    }

    #[test]
    fn an_opt_out_is_noticed_and_scores_nothing() {
        let lines = "A: Hello!\nC: Take me off your list.\nA: I understand. Goodbye.";
        let analysis = analyse(&request(lines, "agent-said-goodbye"));
        assert_eq!(analysis.lead_score, Some(0));
    }

    #[test]
    fn whoever_is_not_the_person_teaches_nothing() {
        for (lines, ended, reached, is_judged) in [
            (
                "C: Hi, you've reached Sam. Leave a message.\nA: Hello, please call back.",
                "voicemail",
                Reached::Machine,
                false,
            ),
            ("C: For sales, press one.\nA: Hello?", "silence", Reached::Machine, false),
            ("A: Hello?", "silence", Reached::Nobody, false),
            (
                "C: You have the wrong number, my name is Ken Ray.\nA: I am sorry. Goodbye.",
                "caller-hung-up",
                Reached::SomebodyElse,
                true,
            ),
        ] {
            let found = analyse(&request(lines, ended));
            assert_eq!((found.reached, found.quality.is_some()), (reached, is_judged), "{lines}");
            assert_eq!((found.lead, found.lead_score), (LeadFacts::default(), None), "{lines}");
        }
    }

    #[test]
    fn a_greeting_alone_has_no_score() {
        let found = analyse(&request("C: Hello?\nA: Hello, this is Kai.", "caller-hung-up"));
        assert_eq!((found.reached, found.lead_score), (Reached::Person, None));
    }
}
