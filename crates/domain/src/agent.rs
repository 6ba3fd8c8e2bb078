//! Agents: who speaks on the phone, and how.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::disclosure::OwnDisclosures;
use crate::{AgentId, BusinessId, E164, LanguageTag, Timestamp};

/// The greeting of an agent whose owner gave none.
pub const DEFAULT_FIRST_MESSAGE: &str = "Hello! How can I help you today?";

/// How long a call may last unless the agent or the call says otherwise.
pub const DEFAULT_MAX_DURATION: Duration = Duration::from_secs(600);

/// The shortest and the longest `max_duration` that can be asked for.
pub const MAX_DURATION_RANGE: std::ops::RangeInclusive<u64> = 10..=43_200;

/// The most fallback models that are asked: whoever waits on the phone does not wait for more.
pub const MAX_FALLBACK_MODELS: usize = 3;

/// The most languages that an agent speaks.
pub const MAX_LANGUAGES: usize = 8;

/// Which language model an agent thinks with.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// Vendor, `openai` by default.
    pub provider: String,
    /// Vendor's model id, `gpt-4.1` by default.
    pub model: String,
    /// Sampling temperature, 0 to 2; 0.7 by default.
    pub temperature: f64,
    /// Fields we do not interpret, kept for the engine.
    pub extra: Map<String, Value>,
}

impl Default for Model {
    fn default() -> Self {
        Self { provider: "openai".into(), model: "gpt-4.1".into(), temperature: 0.7, extra: Map::new() }
    }
}

crate::word_enum! {
    /// What an agent does when an answering machine picks up.
    pub enum OnVoicemail {
        /// It leaves its message after the tone, or a while after the greeting if there is none.
        LeaveMessage = "leave_message",
        /// It hangs up without a word.
        HangUp = "hang_up",
    }
}

crate::word_enum! {
    /// What an agent does when a machine asks who is calling.
    pub enum OnScreener {
        /// It gives a name and a reason, and waits to be put through.
        Introduce = "introduce",
        /// It hangs up without a word.
        HangUp = "hang_up",
    }
}

crate::word_enum! {
    /// What an agent does when it hears a menu, a waiting line or music.
    pub enum OnMenu {
        /// It says nothing and waits for a person, for a while.
        Wait = "wait",
        /// It hangs up without a word.
        HangUp = "hang_up",
    }
}

/// What an agent that calls somebody does with the machines that answer instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answering {
    /// With an answering machine.
    pub voicemail: OnVoicemail,
    /// With an assistant that asks who is calling.
    pub screener: OnScreener,
    /// With a menu, a waiting line or music.
    pub menu: OnMenu,
}

impl Default for Answering {
    fn default() -> Self {
        Self { voicemail: OnVoicemail::LeaveMessage, screener: OnScreener::Introduce, menu: OnMenu::Wait }
    }
}

impl Model {
    /// The models to ask when this one does not answer, in their order: `fallbackModels` as Vapi names them, each an object with `model`
    /// and perhaps `provider` and `temperature`, or the name of a model alone.
    pub fn fallbacks(&self) -> Vec<Self> {
        let listed = self.extra.get("fallbackModels").and_then(Value::as_array).into_iter().flatten();
        let read = |one: &Value| {
            let name = one.as_str().or_else(|| one["model"].as_str())?;
            let provider = one["provider"].as_str().unwrap_or(&self.provider);
            Some(Self {
                provider: provider.to_owned(),
                model: name.to_owned(),
                temperature: one["temperature"].as_f64().unwrap_or(self.temperature),
                extra: Map::new(),
            })
        };
        listed.filter_map(read).take(MAX_FALLBACK_MODELS).collect()
    }
}

/// Everything that decides how an agent behaves. A change makes a new version.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AgentConfig {
    pub name: String,
    /// Instructions for inbound calls, and for outbound ones without instructions of their own.
    pub system_prompt: String,
    /// Instructions for outbound calls.
    pub outbound_prompt: Option<String>,
    /// Instructions for text messages.
    pub sms_prompt: Option<String>,
    /// Greeting; [`DEFAULT_FIRST_MESSAGE`] if absent.
    pub first_message: Option<String>,
    /// Greeting of outbound calls; the greeting above if absent.
    pub outbound_first_message: Option<String>,
    /// `{provider, voiceId, …}` as given; `None` leaves the choice to the engine.
    pub voice: Option<Map<String, Value>>,
    pub model: Model,
    /// A model id, or an object, for outbound calls only.
    pub outbound_llm: Option<Value>,
    /// A model id, or an object, for text messages only.
    pub sms_llm: Option<Value>,
    /// The talk is ended after this time, in whole seconds; [`DEFAULT_MAX_DURATION`] if absent.
    pub max_duration: Option<Duration>,
    /// What all of its calls of a day may cost together, in cents.
    pub daily_budget_cents: Option<u64>,
    /// Whether card and social security numbers that callers say are kept. Where they are not, they are taken out of everything that is stored.
    pub keep_sensitive_numbers: bool,
    /// Whether the agent may pass a caller on.
    pub transfer_enabled: bool,
    /// Whom it passes callers on to.
    pub transfer_phone_number: Option<E164>,
    /// The call ends after the agent has said one of these.
    pub end_call_phrases: Option<Vec<String>>,
    /// What the agent says to an answering machine, unrendered.
    pub voicemail_message: Option<String>,
    /// What the agent does with machines that answer its calls.
    pub answering: Answering,
    /// The languages that the agent speaks, its own first; with several, that of the caller is taken. Empty: nobody said.
    pub languages: Vec<LanguageTag>,
    /// What the agent says before anything else, where it differs from its business.
    pub disclosures: OwnDisclosures,
    /// What the public field `vapi_config` holds besides the two above: settings for the engine that we do not interpret.
    pub engine_extra: Map<String, Value>,
    /// The owner's own data.
    pub metadata: Map<String, Value>,
}

impl AgentConfig {
    /// How long a talk may last of which nobody has said more.
    pub fn max_duration(&self) -> Duration {
        self.max_duration.unwrap_or(DEFAULT_MAX_DURATION)
    }

    /// The instructions that apply to outbound calls, unrendered.
    pub fn outbound_instructions(&self) -> &str {
        self.outbound_prompt.as_deref().unwrap_or(&self.system_prompt)
    }

    /// The opening line of outbound calls, unrendered.
    pub fn outbound_greeting(&self) -> &str {
        let own = self.outbound_first_message.as_deref().or(self.first_message.as_deref());
        own.unwrap_or(DEFAULT_FIRST_MESSAGE)
    }

    /// The public field `vapi_config`, whole.
    pub fn vapi_config(&self) -> Map<String, Value> {
        let mut whole = self.engine_extra.clone();
        if let Some(phrases) = &self.end_call_phrases {
            whole.insert(END_CALL_PHRASES.to_owned(), phrases.as_slice().into());
        }
        if let Some(message) = &self.voicemail_message {
            whole.insert(VOICEMAIL_MESSAGE.to_owned(), message.as_str().into());
        }
        whole
    }

    /// Replaces the public field `vapi_config`. A known setting whose value has a shape that we cannot use stays with those that
    /// are not interpreted: whether to take it is for the engine to say.
    pub fn set_vapi_config(&mut self, mut whole: Map<String, Value>) {
        self.end_call_phrases = whole.get(END_CALL_PHRASES).and_then(texts);
        if self.end_call_phrases.is_some() {
            whole.shift_remove(END_CALL_PHRASES);
        }
        self.voicemail_message = whole.get(VOICEMAIL_MESSAGE).and_then(Value::as_str).map(str::to_owned);
        if self.voicemail_message.is_some() {
            whole.shift_remove(VOICEMAIL_MESSAGE);
        }
        self.engine_extra = whole;
    }
}

/// The names of the settings in `vapi_config` that are fields of their own here.
const END_CALL_PHRASES: &str = "endCallPhrases";
const VOICEMAIL_MESSAGE: &str = "voicemailMessage";

fn texts(value: &Value) -> Option<Vec<String>> {
    value.as_array()?.iter().map(|text| text.as_str().map(str::to_owned)).collect()
}

/// An agent as stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Agent {
    pub id: AgentId,
    pub business_id: BusinessId,
    /// What the agent says and how it behaves.
    pub config: AgentConfig,
    /// The name of the engine that makes its calls where its number does not decide; the installation's otherwise.
    pub engine: Option<String>,
    /// What the Vapi engine calls it, if it holds it.
    pub vapi_assistant_id: Option<String>,
    /// Number of its current version, from 1.
    pub version: u32,
    /// When it came into being.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// Merges `changes` into `stored` key by key; a null deletes its key. Used for metadata, voice and engine settings.
pub fn merge(stored: &mut Map<String, Value>, changes: Map<String, Value>) {
    for (key, value) in changes {
        if value.is_null() {
            stored.shift_remove(&key);
        } else {
            stored.insert(key, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().expect("an object").clone()
    }

    #[test]
    fn merging_replaces_single_keys_and_null_deletes() {
        let mut stored = object(json!({"crm": 1, "tier": "gold", "tags": ["a"]}));
        merge(
            &mut stored,
            object(json!({"tier": null, "tags": ["b"], "new": {"deep": null}, "unknown": null})),
        );
        assert_eq!(Value::Object(stored), json!({"crm": 1, "tags": ["b"], "new": {"deep": null}}));
    }

    #[test]
    fn other_models_are_asked_in_their_order_and_take_over_what_they_do_not_say() {
        let with = |listed: Value| Model {
            provider: "anthropic".into(),
            model: "first".into(),
            temperature: 0.3,
            extra: object(json!({"fallbackModels": listed, "maxTokens": 200})),
        };
        let model = |provider: &str, model: &str, temperature| Model {
            provider: provider.into(),
            model: model.into(),
            temperature,
            extra: Map::new(),
        };
        let listed = json!([
            {"model": "second", "provider": "google", "temperature": 1.5},
            {"provider": "a provider without a model"},
            7,
            {"model": "third"},
            "fourth",
            "one more than are asked",
        ]);
        assert_eq!(
            with(listed).fallbacks(),
            [
                model("google", "second", 1.5),
                model("anthropic", "third", 0.3),
                model("anthropic", "fourth", 0.3)
            ]
        );
        for nothing in [json!([]), json!({"model": "second"}), json!("second"), json!(null)] {
            assert_eq!(with(nothing.clone()).fallbacks(), [], "{nothing}");
        }
        assert_eq!(Model::default().fallbacks(), []);
    }

    #[test]
    fn known_engine_settings_are_fields_and_read_back_as_they_were_given() {
        let mut agent = AgentConfig::default();
        let given =
            object(json!({"endCallPhrases": ["bye now"], "voicemailMessage": "Call us.", "hooks": [1]}));
        agent.set_vapi_config(given.clone());
        assert_eq!(agent.end_call_phrases.as_deref(), Some(&["bye now".to_owned()][..]));
        assert_eq!(agent.voicemail_message.as_deref(), Some("Call us."));
        assert_eq!(Value::Object(agent.engine_extra.clone()), json!({"hooks": [1]}));
        assert_eq!(agent.vapi_config(), given);

        for odd in
            [json!({"endCallPhrases": "bye"}), json!({"endCallPhrases": ["bye", 7], "voicemailMessage": 1})]
        {
            agent.set_vapi_config(object(odd.clone()));
            assert_eq!((&agent.end_call_phrases, &agent.voicemail_message), (&None, &None), "{odd}");
            assert_eq!(Value::Object(agent.vapi_config()), odd);
        }
    }

    #[test]
    fn outbound_texts_fall_back_to_the_common_ones() {
        let mut agent = AgentConfig { system_prompt: "Answer.".into(), ..AgentConfig::default() };
        assert_eq!(
            (agent.outbound_instructions(), agent.outbound_greeting()),
            ("Answer.", DEFAULT_FIRST_MESSAGE)
        );
        agent.first_message = Some("Hello".into());
        assert_eq!(agent.outbound_greeting(), "Hello");
        agent.outbound_prompt = Some("Call.".into());
        agent.outbound_first_message = Some("Hi".into());
        assert_eq!((agent.outbound_instructions(), agent.outbound_greeting()), ("Call.", "Hi"));
    }
}
