//! The port for what is found out after a call: summary, lead and quality.

use async_trait::async_trait;
use domain::agent::Model;
use domain::call::{Quality, Utterance};
use domain::text::clean_in_place;

use crate::SpeechError;

/// What an analyst gets to know about a call.
#[derive(Debug, Clone)]
pub struct AnalysisRequest {
    /// The agent's instructions, to judge against.
    pub system_prompt: String,
    /// What was known of the call in advance (`name`, `business_name`, `context`, …).
    pub facts: Vec<(String, String)>,
    /// Everything that was said, in the order in which it began.
    pub transcript: Vec<Utterance>,
    /// How the call ended, in our words (`caller hung up`, `voicemail`, …).
    pub ended_reason: String,
    /// The model that the agent uses, for analysts that need one.
    pub model: Model,
}

/// Whom a call reached. Only a person who was meant teaches anything about a lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reached {
    /// The person that the call was for, or who called.
    Person,
    /// A person, but not the one: a wrong number, or somebody who answers another's telephone.
    SomebodyElse,
    /// A recording: voicemail, a menu, an announcement, a screening assistant that put nobody through, a robot that calls.
    Machine,
    /// Nobody: the line was silent.
    Nobody,
}

/// What the caller told about themselves. Every field is untrusted text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeadFacts {
    /// Full name as given.
    pub name: Option<String>,
    /// E-mail address, lower case.
    pub email: Option<String>,
    /// A phone number the caller gave, if any.
    pub phone: Option<String>,
    /// Why they called or what they want, in a few words.
    pub intent: Option<String>,
}

/// What was found out about a call.
#[derive(Debug, Clone, PartialEq)]
pub struct Analysis {
    /// One to three sentences.
    pub summary: String,
    /// Whom the call reached.
    pub reached: Reached,
    /// What the caller told about themselves.
    pub lead: LeadFacts,
    /// Marks; `None` if nobody spoke.
    pub quality: Option<Quality>,
    /// How promising the lead is, 0 to 100; `None` if nothing can be said.
    pub lead_score: Option<u8>,
    /// Why the lead got that score, one sentence.
    pub score_explanation: Option<String>,
}

impl Analysis {
    /// The same without what no text from outside may keep.
    #[must_use]
    pub fn cleaned(mut self) -> Self {
        clean_in_place(&mut self.summary);
        let LeadFacts { name, email, phone, intent } = &mut self.lead;
        [name, email, phone, intent, &mut self.score_explanation]
            .into_iter()
            .flatten()
            .for_each(clean_in_place);
        self
    }
}

/// Something that reads a transcript and reports on it.
#[async_trait]
pub trait CallAnalyst: Send + Sync {
    /// Who did it, recorded with the call: `deterministic` or `llm:<model>`.
    fn name(&self, request: &AnalysisRequest) -> String;

    /// Reads the call. The answer has been checked against the limits above.
    async fn analyse(&self, request: &AnalysisRequest) -> Result<Analysis, SpeechError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_text_from_outside_may_keep_is_taken_out_of_every_text_of_an_analysis() {
        let marked = |what: &str| format!("{what}\u{0}\u{202e}\r");
        let marks = Quality { professionalism: 1, empathy: 2, information_gathering: 3, resolution: 4 };
        let analysis = |text: &dyn Fn(&str) -> String| Analysis {
            summary: text("summary"),
            reached: Reached::SomebodyElse,
            lead: LeadFacts {
                name: Some(text("name")),
                email: Some(text("email")),
                phone: Some(text("phone")),
                intent: Some(text("intent")),
            },
            quality: Some(marks),
            lead_score: Some(5),
            score_explanation: Some(text("reason")),
        };
        assert_eq!(analysis(&marked).cleaned(), analysis(&str::to_owned));
        let nothing = Analysis { lead: LeadFacts::default(), score_explanation: None, ..analysis(&marked) };
        assert_eq!(nothing.cleaned().lead, LeadFacts::default());
    }
}
