//! Everything about a conversation that an agent's owner or the platform may choose. Pure values; the defaults suit a phone call.

use std::time::Duration;

use domain::agent::Answering;
use understanding::Language;

use crate::{BargeIn, Endpointing, Wording};

/// How one conversation goes.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The system message for the language model.
    pub system: String,
    /// The languages in which the agent speaks, its own first. The caller's is taken if it is among them.
    pub languages: Vec<Language>,
    /// What is said to a person before anything else, whoever speaks meanwhile. Empty: nothing.
    pub disclosure: Wording,
    /// What the agent says first. `None`: it waits for the other party to speak.
    pub first_message: Option<String>,
    /// How long to listen after the answer before speaking first, so as not to talk into a greeting. Zero for inbound calls.
    pub listen_first: Duration,
    /// What to do with a machine that answers. `None`: it is a person, as on calls that come in.
    pub answering: Option<Answering>,
    /// What to leave on an answering machine.
    pub voicemail_message: Wording,
    /// How long to wait for the tone once a machine's greeting is over.
    pub beep_patience: Duration,
    /// What to tell a screening assistant that asks who is calling.
    pub introduction: Wording,
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
    pub time_is_up: Wording,
    /// Said when the model puts the caller through without a word.
    pub putting_through: Wording,
    /// Said when the model ends the call without a word.
    pub goodbye: Wording,
    /// How long the caller has for a goodbye of their own before the agent hangs up.
    pub farewell_patience: Duration,
    /// Said when the language model fails; the call ends after it.
    pub apology: Wording,
    /// Said when the language model answers without a word; when it keeps doing that, the apology follows.
    pub say_again: Wording,
    /// Said once in an answer for which the model takes longer than `filler_after`.
    pub filler: Wording,
    /// How long the caller waits in silence for an answer before the filler.
    pub filler_after: Duration,
    /// Said when the agent fell silent for a noise.
    pub go_ahead: Wording,
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
    pub prompt: Wording,
    /// How often it asks in a row.
    pub prompts: u32,
    /// What it says when that was in vain; the call ends after it.
    pub goodbye: Wording,
}

impl Default for Silence {
    fn default() -> Self {
        Self {
            patience: Duration::from_secs(8),
            prompt: Wording::in_all([
                "Are you still there?",
                "¿Sigue ahí?",
                "Êtes-vous toujours là?",
                "Sind Sie noch da?",
            ])
            .and([
                "Hello, can you hear me?",
                "¿Hola, me escucha?",
                "Allô, vous m'entendez?",
                "Hallo, können Sie mich hören?",
            ]),
            prompts: 2,
            goodbye: Wording::in_all([
                "I can't hear you, so I'll hang up now. Goodbye.",
                "No le escucho, así que voy a colgar. Adiós.",
                "Je ne vous entends pas, je vais donc raccrocher. Au revoir.",
                "Ich höre Sie nicht und lege deshalb auf. Auf Wiederhören.",
            ]),
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            system: String::new(),
            languages: vec![Language::English],
            disclosure: Wording::default(),
            first_message: Some("Hello!".into()),
            listen_first: Duration::from_millis(800),
            answering: None,
            voicemail_message: Wording::default(),
            beep_patience: Duration::from_secs(4),
            introduction: Wording::default(),
            hold_patience: Duration::from_secs(30),
            queue_patience: Duration::from_secs(60),
            endpointing: Endpointing::default(),
            barge_in: BargeIn::default(),
            silence: Silence::default(),
            max_duration: Duration::from_mins(10),
            leave_before: Duration::from_secs(6),
            time_is_up: Wording::in_all([
                "I'm sorry, our time is up. Thank you for the conversation, and goodbye.",
                "Lo siento, se nos acabó el tiempo. Gracias por la conversación y adiós.",
                "Je suis désolé, notre temps est écoulé. Merci pour cet échange, et au revoir.",
                "Es tut mir leid, unsere Zeit ist um. Vielen Dank für das Gespräch und auf Wiederhören.",
            ]),
            putting_through: Wording::in_all([
                "One moment, I'll put you through.",
                "Un momento, le comunico.",
                "Un instant, je vous mets en relation.",
                "Einen Moment, ich verbinde Sie.",
            ]),
            goodbye: Wording::in_all(["Goodbye.", "Adiós.", "Au revoir.", "Auf Wiederhören."]),
            farewell_patience: Duration::from_millis(1500),
            apology: Wording::in_all([
                "I'm sorry, something went wrong on my side. We will get back to you. Goodbye.",
                "Disculpe, algo falló de mi lado. Nos pondremos en contacto con usted. Adiós.",
                "Je suis désolé, il y a eu un problème de mon côté. Nous vous recontacterons. Au revoir.",
                "Entschuldigung, bei mir ist etwas schiefgegangen. Wir melden uns bei Ihnen. Auf Wiederhören.",
            ]),
            say_again: Wording::in_all([
                "I'm sorry, I didn't get that. Could you say it again?",
                "Disculpe, no le entendí. ¿Me lo puede repetir?",
                "Pardon, je n'ai pas compris. Pouvez-vous répéter?",
                "Entschuldigung, das habe ich nicht verstanden. Können Sie es noch einmal sagen?",
            ])
            .and([
                "Sorry, that didn't come through. Once more, please?",
                "Perdone, no le escuché bien. ¿Una vez más, por favor?",
                "Excusez-moi, je n'ai pas bien entendu. Encore une fois, s'il vous plaît?",
                "Verzeihung, das kam nicht an. Noch einmal, bitte?",
            ]),
            filler: Wording::in_all([
                "One moment, please.",
                "Un momento, por favor.",
                "Un instant, s'il vous plaît.",
                "Einen Moment, bitte.",
            ])
            .and([
                "Just a second.",
                "Deme un segundo.",
                "Juste une seconde.",
                "Eine Sekunde noch.",
            ]),
            filler_after: Duration::from_millis(1800),
            go_ahead: Wording::in_all([
                "Sorry, go ahead.",
                "Perdón, dígame.",
                "Pardon, je vous écoute.",
                "Entschuldigung, bitte sprechen Sie.",
            ])
            .and(["Yes, go on.", "Sí, le escucho.", "Oui, continuez.", "Ja, bitte."]),
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
