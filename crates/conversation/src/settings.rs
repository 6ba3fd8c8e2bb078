//! Everything about a conversation that an agent's owner or the platform may choose. Pure values; the defaults suit a phone call in
//! English.

use std::time::Duration;

use domain::agent::Answering;

use crate::{BargeIn, Endpointing};

/// How one conversation goes.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The system message for the language model.
    pub system: String,
    /// What the agent says first. `None`: it waits for the other party to speak.
    pub first_message: Option<String>,
    /// How long to listen after the answer before speaking first, so as not to talk into a greeting. Zero for inbound calls.
    pub listen_first: Duration,
    /// What to do with a machine that answers. `None`: it is a person, as on calls that come in.
    pub answering: Option<Answering>,
    /// What to leave on an answering machine.
    pub voicemail_message: String,
    /// How long to wait for the tone once a machine's greeting is over.
    pub beep_patience: Duration,
    /// What to tell a screening assistant that asks who is calling.
    pub introduction: String,
    /// How long a screener, or a person who fetches another, may keep us waiting.
    pub hold_patience: Duration,
    /// How long we wait for a person at a menu, in a queue or with music before we hang up.
    pub queue_patience: Duration,
    /// When a caller's turn is over.
    pub endpointing: Endpointing,
    /// When the agent yields.
    pub barge_in: BargeIn,
    /// What happens when the caller says nothing.
    pub silence: Silence,
    /// The longest a call may last; the line is cut then.
    pub max_duration: Duration,
    /// How long before that the agent takes its leave (at most a quarter of the whole).
    pub leave_before: Duration,
    /// What it says then.
    pub time_is_up: String,
    /// Said when the model ends the call without a word.
    pub goodbye: String,
    /// How long the caller has for a goodbye of their own before the agent hangs up.
    pub farewell_patience: Duration,
    /// Said when the language model fails; the call ends after it.
    pub apology: String,
    /// Said when the language model answers without a word; when it keeps doing that, the apology follows.
    pub say_again: String,
    /// Said once in an answer for which the model takes longer than `filler_after`.
    pub filler: String,
    /// How long the caller waits in silence for an answer before the filler.
    pub filler_after: Duration,
    /// Said when the agent fell silent for a noise.
    pub go_ahead: String,
    /// How long the model may keep silent within an answer.
    pub reply_timeout: Duration,
    /// If the agent says one of these, the call ends after it.
    pub end_call_phrases: Vec<String>,
}

/// What happens when the caller says nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Silence {
    /// How long the agent waits.
    pub patience: Duration,
    /// What it asks then.
    pub prompt: String,
    /// How often it asks in a row.
    pub prompts: u32,
    /// What it says when that was in vain; the call ends after it.
    pub goodbye: String,
}

impl Default for Silence {
    fn default() -> Self {
        Self {
            patience: Duration::from_secs(8),
            prompt: "Are you still there?".into(),
            prompts: 2,
            goodbye: "I can't hear you, so I'll hang up now. Goodbye.".into(),
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            system: String::new(),
            first_message: Some("Hello!".into()),
            listen_first: Duration::from_millis(800),
            answering: None,
            voicemail_message: String::new(),
            beep_patience: Duration::from_secs(4),
            introduction: String::new(),
            hold_patience: Duration::from_secs(30),
            queue_patience: Duration::from_secs(60),
            endpointing: Endpointing::default(),
            barge_in: BargeIn::default(),
            silence: Silence::default(),
            max_duration: Duration::from_mins(10),
            leave_before: Duration::from_secs(6),
            time_is_up: "I'm sorry, our time is up. Thank you for the conversation, and goodbye.".into(),
            goodbye: "Goodbye.".into(),
            farewell_patience: Duration::from_millis(1500),
            apology: "I'm sorry, something went wrong on my side. We will get back to you. Goodbye.".into(),
            say_again: "I'm sorry, I didn't get that. Could you say it again?".into(),
            filler: "One moment, please.".into(),
            filler_after: Duration::from_millis(1800),
            go_ahead: "Sorry, go ahead.".into(),
            reply_timeout: Duration::from_secs(10),
            end_call_phrases: Vec::new(),
        }
    }
}

impl Settings {
    /// When the agent takes its leave.
    pub(crate) fn leaving_at(&self) -> Duration {
        self.max_duration.saturating_sub(self.leave_before.min(self.max_duration / 4))
    }
}
