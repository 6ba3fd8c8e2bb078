//! What was said, as the history that the language model is asked with.
//!
//! Invariants: only words that were heard are kept (the agent must not believe it said what an interruption swallowed), and the
//! history never has two turns of the caller in a row.

use speech::{ChatMessage, Role};

/// The chat so far.
#[derive(Debug)]
pub(crate) struct Transcript {
    history: Vec<ChatMessage>,
}

impl Transcript {
    pub(crate) fn new(system: &str) -> Self {
        Self { history: vec![ChatMessage::text(Role::System, system)] }
    }

    /// The caller had the floor and said this.
    pub(crate) fn caller_said(&mut self, text: &str) {
        match self.history.last_mut() {
            Some(last) if last.role == Role::User => {
                last.content.push(' ');
                last.content.push_str(text);
            }
            _ => self.history.push(ChatMessage::text(Role::User, text)),
        }
    }

    /// The agent was heard saying this.
    pub(crate) fn agent_said(&mut self, text: &str) {
        self.history.push(ChatMessage::text(Role::Assistant, text));
    }

    /// The agent was heard saying this right after something that belongs to it.
    pub(crate) fn agent_went_on(&mut self, text: &str) {
        match self.history.last_mut() {
            Some(last) if last.role == Role::Assistant => {
                last.content.push(' ');
                last.content.push_str(text);
            }
            _ => self.agent_said(text),
        }
    }

    /// What the agent said last, if it has said anything.
    pub(crate) fn last_of_agent(&self) -> &str {
        let last = self.history.iter().rev().find(|message| message.role == Role::Assistant);
        last.map_or("", |message| message.content.as_str())
    }

    /// The agent used tools.
    pub(crate) fn agent_used_tools(&mut self, messages: Vec<ChatMessage>) {
        self.history.extend(messages);
    }

    /// True if the caller said something that got no answer.
    pub(crate) fn awaits_reply(&self) -> bool {
        self.history.last().is_some_and(|last| matches!(last.role, Role::User | Role::Tool))
    }

    pub(crate) fn history(&self) -> Vec<ChatMessage> {
        self.history.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_who_goes_on_has_said_one_thing() {
        let mut transcript = Transcript::new("Be kind.");
        transcript.agent_said("Hi.");
        transcript.caller_said("I need");
        transcript.caller_said("a lawyer.");
        let chat: Vec<(Role, String)> =
            transcript.history().into_iter().map(|message| (message.role, message.content)).collect();
        assert_eq!(chat[1..], [(Role::Assistant, "Hi.".into()), (Role::User, "I need a lawyer.".into())]);
        assert!(transcript.awaits_reply());
    }
}
