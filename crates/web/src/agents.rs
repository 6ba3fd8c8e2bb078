//! Agents as everybody changes them.

use std::time::Duration;

use domain::agent::{AgentConfig, Answering, Model, OnMenu, OnScreener, OnVoicemail};
use domain::disclosure::OwnDisclosures;
use domain::{E164, LanguageTag};
use serde_json::{Map, Value};

use crate::change::Change;

/// A partial change of an agent. Objects are merged key by key, and a null value deletes its key.
#[derive(Debug, Clone, Default)]
pub struct AgentPatch {
    /// Display name, which is never empty.
    pub name: Option<String>,
    /// Instructions for inbound calls, which are never empty.
    pub system_prompt: Option<String>,
    /// Instructions for outbound calls.
    pub outbound_prompt: Change<String>,
    /// Instructions for text messages.
    pub sms_prompt: Change<String>,
    pub first_message: Change<String>,
    /// Greeting of outbound calls.
    pub outbound_first_message: Change<String>,
    /// Language model of outbound calls.
    pub outbound_llm: Change<Value>,
    /// Language model of text messages.
    pub sms_llm: Change<Value>,
    pub voice: Change<Map<String, Value>>,
    pub model: Option<ModelPatch>,
    /// The customer's own data.
    pub metadata: Option<Map<String, Value>>,
    /// The talk is ended after this time, in whole seconds.
    pub max_duration: Change<Duration>,
    /// What all of its calls of a day may cost together, in cents.
    pub daily_budget_cents: Change<u64>,
    /// Settings for the engine.
    pub vapi_config: Option<Map<String, Value>>,
    /// Whether card and social security numbers are kept.
    pub keep_sensitive_numbers: Option<bool>,
    /// Whether the agent may pass a caller on.
    pub transfer_enabled: Option<bool>,
    /// Whom it passes callers on to.
    pub transfer_phone_number: Change<E164>,
    /// What it does with machines that answer its calls; clearing it brings the defaults back.
    pub answering: Change<AnsweringPatch>,
    /// The languages that it speaks, its own first; clearing it leaves them to its first message.
    pub languages: Change<Vec<LanguageTag>>,
    /// What it says before anything else; clearing it leaves that to its business.
    pub disclosures: Change<DisclosuresPatch>,
}

impl AgentPatch {
    pub fn apply(self, config: &mut AgentConfig) {
        put(self.name, &mut config.name);
        put(self.system_prompt, &mut config.system_prompt);
        self.outbound_prompt.apply(&mut config.outbound_prompt);
        self.sms_prompt.apply(&mut config.sms_prompt);
        self.first_message.apply(&mut config.first_message);
        self.outbound_first_message.apply(&mut config.outbound_first_message);
        self.outbound_llm.apply(&mut config.outbound_llm);
        self.sms_llm.apply(&mut config.sms_llm);
        match self.voice {
            Change::Keep => {}
            Change::Clear => config.voice = None,
            Change::Set(changes) => {
                let mut voice = config.voice.take().unwrap_or_default();
                domain::agent::merge(&mut voice, changes);
                // A voice that says nothing is none, so that sending `{}` changes nothing.
                config.voice = Some(voice).filter(|voice| !voice.is_empty());
            }
        }
        if let Some(changes) = self.model {
            changes.apply(&mut config.model);
        }
        if let Some(changes) = self.metadata {
            domain::agent::merge(&mut config.metadata, changes);
        }
        if let Some(changes) = self.vapi_config {
            let mut whole = config.vapi_config();
            domain::agent::merge(&mut whole, changes);
            config.set_vapi_config(whole);
        }
        self.max_duration.apply(&mut config.max_duration);
        self.daily_budget_cents.apply(&mut config.daily_budget_cents);
        put(self.keep_sensitive_numbers, &mut config.keep_sensitive_numbers);
        put(self.transfer_enabled, &mut config.transfer_enabled);
        self.transfer_phone_number.apply(&mut config.transfer_phone_number);
        match self.answering {
            Change::Keep => {}
            Change::Clear => config.answering = Answering::default(),
            Change::Set(changes) => changes.apply(&mut config.answering),
        }
        put_or_default(self.languages, &mut config.languages, Vec::new());
        match self.disclosures {
            Change::Keep => {}
            Change::Clear => config.disclosures = OwnDisclosures::default(),
            Change::Set(changes) => changes.apply(&mut config.disclosures),
        }
    }
}

/// A partial change of what an agent says before anything else; clearing a field leaves it to the business.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DisclosuresPatch {
    /// That an AI speaks.
    pub ai: Change<bool>,
    /// That the call is recorded.
    pub recording: Change<bool>,
}

impl DisclosuresPatch {
    pub fn apply(self, own: &mut OwnDisclosures) {
        self.ai.apply(&mut own.ai);
        self.recording.apply(&mut own.recording);
    }
}

/// A partial change of what is done with machines that answer; clearing a field brings its default back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AnsweringPatch {
    /// With an answering machine.
    pub voicemail: Change<OnVoicemail>,
    /// With an assistant that asks who is calling.
    pub screener: Change<OnScreener>,
    /// With a menu, a waiting line or music.
    pub menu: Change<OnMenu>,
}

impl AnsweringPatch {
    pub fn apply(self, answering: &mut Answering) {
        let default = Answering::default();
        put_or_default(self.voicemail, &mut answering.voicemail, default.voicemail);
        put_or_default(self.screener, &mut answering.screener, default.screener);
        put_or_default(self.menu, &mut answering.menu, default.menu);
    }
}

fn put_or_default<T>(change: Change<T>, stored: &mut T, default: T) {
    match change {
        Change::Keep => {}
        Change::Clear => *stored = default,
        Change::Set(value) => *stored = value,
    }
}

fn put<T>(sent: Option<T>, stored: &mut T) {
    if let Some(value) = sent {
        *stored = value;
    }
}

/// A partial change of a language model; clearing a field brings its default back.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ModelPatch {
    /// Vendor of the language model.
    pub provider: Change<String>,
    /// Name of the language model at the vendor.
    pub model: Change<String>,
    /// How freely it speaks.
    pub temperature: Change<f64>,
    /// Anything the engine may understand besides.
    pub extra: Map<String, Value>,
}

impl ModelPatch {
    pub fn apply(self, model: &mut Model) {
        let default = Model::default();
        put_or_default(self.provider, &mut model.provider, default.provider);
        put_or_default(self.model, &mut model.model, default.model);
        put_or_default(self.temperature, &mut model.temperature, default.temperature);
        domain::agent::merge(&mut model.extra, self.extra);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().cloned().expect("an object")
    }

    #[test]
    fn objects_are_merged_and_cleared_model_fields_fall_back_to_their_defaults() {
        let mut config =
            AgentConfig { metadata: object(json!({ "a": 1, "b": 2 })), ..AgentConfig::default() };
        config.model.model = "another".to_owned();
        let patch = AgentPatch {
            metadata: Some(object(json!({ "b": null, "c": 3 }))),
            voice: Change::Set(object(json!({ "voiceId": "v" }))),
            model: Some(ModelPatch { model: Change::Clear, ..ModelPatch::default() }),
            ..AgentPatch::default()
        };
        patch.apply(&mut config);
        assert_eq!(Value::Object(config.metadata), json!({ "a": 1, "c": 3 }));
        assert_eq!(config.voice, Some(object(json!({ "voiceId": "v" }))));
        assert_eq!(config.model.model, Model::default().model);
    }

    #[test]
    fn what_is_done_with_machines_changes_one_by_one_and_falls_back_to_the_defaults() {
        let mut config = AgentConfig::default();
        let set = |answering| AgentPatch { answering, ..AgentPatch::default() };
        let voicemail =
            AnsweringPatch { voicemail: Change::Set(OnVoicemail::HangUp), ..AnsweringPatch::default() };
        set(Change::Set(voicemail)).apply(&mut config);
        let menu = AnsweringPatch { menu: Change::Set(OnMenu::HangUp), ..AnsweringPatch::default() };
        set(Change::Set(menu)).apply(&mut config);
        let both = Answering { voicemail: OnVoicemail::HangUp, menu: OnMenu::HangUp, ..Answering::default() };
        assert_eq!(config.answering, both);
        let menu = AnsweringPatch { menu: Change::Clear, ..AnsweringPatch::default() };
        set(Change::Set(menu)).apply(&mut config);
        assert_eq!(config.answering, Answering { menu: OnMenu::Wait, ..both });
        set(Change::Clear).apply(&mut config);
        assert_eq!(config.answering, Answering::default());
    }
}
