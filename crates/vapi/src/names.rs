//! Names on both sides: providers as our users write them, and texts cut to the length that Vapi takes.

use domain::engine::EngineRefusal;
use serde_json::Value;

/// The engine's name in settings and records.
pub(crate) const NAME: &str = "vapi";

/// The longest name of an assistant, a call or a customer, in UTF-16 units.
pub(crate) const NAME_UNITS: usize = 40;

/// The longest of Vapi's ids that are taken.
const LONGEST_ID: usize = 100;

/// An id of Vapi's, if it is one: a UUID in practice, and in any case a short word that can stand in a path or a header.
pub(crate) fn id_of(value: &Value) -> Option<&str> {
    let id = value.as_str()?;
    let is_word = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    let is_real = !["null", "undefined", "none", "nan"].contains(&id.to_ascii_lowercase().as_str());
    (is_word && is_real && id.bytes().any(|byte| byte.is_ascii_alphanumeric()) && id.len() <= LONGEST_ID)
        .then_some(id)
}

/// A voice provider: Vapi's name, what else it must be given, and what it may be given besides `provider`, `chunkPlan`,
/// `cachingEnabled`, `fallbackPlan` and `voiceId`.
pub(crate) struct VoiceProvider {
    pub(crate) name: &'static str,
    pub(crate) required: &'static [&'static str],
    pub(crate) known: &'static [&'static str],
}

const VOICES: &[VoiceProvider] = &[
    voice(
        "11labs",
        &["voiceId"],
        &[
            "stability",
            "similarityBoost",
            "style",
            "useSpeakerBoost",
            "speed",
            "optimizeStreamingLatency",
            "enableSsmlParsing",
            "autoMode",
            "model",
            "language",
            "pronunciationDictionaryLocators",
        ],
    ),
    voice("azure", &["voiceId"], &["speed"]),
    voice(
        "cartesia",
        &["voiceId"],
        &["model", "language", "experimentalControls", "generationConfig", "pronunciationDictId"],
    ),
    voice("custom-voice", &["server"], &["server"]),
    voice("deepgram", &["voiceId"], &["model", "mipOptOut"]),
    voice("hume", &["voiceId"], &["model", "isCustomHumeVoice", "description"]),
    voice("inworld", &["voiceId"], &["model", "languageCode", "temperature", "speakingRate"]),
    voice("lmnt", &["voiceId"], &["speed", "language"]),
    voice("microsoft", &["voiceId"], &["style", "styleDegree", "role", "speed"]),
    voice(
        "minimax",
        &["voiceId"],
        &[
            "model",
            "emotion",
            "subtitleType",
            "pitch",
            "speed",
            "volume",
            "region",
            "languageBoost",
            "textNormalizationEnabled",
        ],
    ),
    voice("neuphonic", &["voiceId", "language"], &["model", "language", "speed"]),
    voice("openai", &["voiceId"], &["model", "instructions", "speed"]),
    voice(
        "playht",
        &["voiceId"],
        &[
            "speed",
            "temperature",
            "emotion",
            "voiceGuidance",
            "styleGuidance",
            "textGuidance",
            "model",
            "language",
        ],
    ),
    voice(
        "rime-ai",
        &["voiceId"],
        &[
            "model",
            "speed",
            "pauseBetweenBrackets",
            "phonemizeBetweenBrackets",
            "reduceLatency",
            "inlineSpeedAlpha",
            "language",
        ],
    ),
    voice("sesame", &["voiceId", "model"], &["model"]),
    voice("smallest-ai", &["voiceId"], &["model", "speed"]),
    voice(
        "tavus",
        &["voiceId"],
        &[
            "personaId",
            "callbackUrl",
            "conversationName",
            "conversationalContext",
            "customGreeting",
            "properties",
        ],
    ),
    voice("vapi", &["voiceId"], &["version", "speed", "language", "pronunciationDictionary"]),
    voice("wellsaid", &["voiceId"], &["model", "enableSsml", "libraryIds"]),
    voice("xai", &["voiceId"], &["language", "speed"]),
];

const fn voice(
    name: &'static str,
    required: &'static [&'static str],
    known: &'static [&'static str],
) -> VoiceProvider {
    VoiceProvider { name, required, known }
}

impl VoiceProvider {
    /// Whether a voice of this provider may have this property.
    pub(crate) fn knows(&self, property: &str) -> bool {
        let common = ["provider", "voiceId", "cachingEnabled", "chunkPlan"];
        common.contains(&property)
            || self.known.contains(&property)
            || (property == "fallbackPlan" && self.name != "vapi")
    }
}

const VOICE_ALIASES: &[(&str, &str)] = &[
    ("elevenlabs", "11labs"),
    ("xi", "11labs"),
    ("rime", "rime-ai"),
    ("smallest", "smallest-ai"),
    ("custom", "custom-voice"),
];

/// The providers of language models.
const MODELS: &[&str] = &[
    "anthropic",
    "anthropic-bedrock",
    "anyscale",
    "cerebras",
    "custom-llm",
    "deepinfra",
    "deep-seek",
    "google",
    "groq",
    "inflection-ai",
    "minimax",
    "openai",
    "openrouter",
    "perplexity-ai",
    "together-ai",
    "vapi",
    "xai",
];

const MODEL_ALIASES: &[(&str, &str)] = &[
    ("gemini", "google"),
    ("vertex", "google"),
    ("bedrock", "anthropic-bedrock"),
    ("together", "together-ai"),
    ("perplexity", "perplexity-ai"),
    ("grok", "xai"),
    ("custom", "custom-llm"),
    ("inflection", "inflection-ai"),
];

/// What models of all providers may be given besides provider, model, messages and temperature.
const MODEL_PROPERTIES: &[&str] = &[
    "tools",
    "toolIds",
    "toolRefs",
    "knowledgeBase",
    "maxTokens",
    "emotionRecognitionEnabled",
    "numFastTurns",
];

/// What models of single providers may be given besides.
const MODEL_EXTRAS: &[(&str, &[&str])] = &[
    ("anthropic", &["thinking"]),
    ("anthropic-bedrock", &["thinking"]),
    ("custom-llm", &["metadataSendMode", "headers", "url", "wordLevelConfidenceEnabled", "timeoutSeconds"]),
    ("google", &["realtimeConfig"]),
    (
        "openai",
        &[
            "fallbackModels",
            "toolStrictCompatibilityMode",
            "promptCacheRetention",
            "promptCacheKey",
            "reasoningEffort",
        ],
    ),
    ("vapi", &["version"]),
];

/// Whether a model of this provider may have this property.
pub(crate) fn model_knows(provider: &str, property: &str) -> bool {
    let common = MODEL_PROPERTIES.contains(&property) && !(provider == "vapi" && property == "maxTokens");
    let extras = MODEL_EXTRAS.iter().find(|(name, _)| *name == provider);
    common || extras.is_some_and(|(_, known)| known.contains(&property))
}

/// Letters and digits in lower case: `Eleven_Labs`, `eleven-labs` and `ElevenLabs` are one name.
fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// Vapi's voice provider for a name as users write it; `None` for one that we do not know.
pub(crate) fn voice_provider(name: &str) -> Option<&'static VoiceProvider> {
    let wanted = plain(name);
    let wanted =
        VOICE_ALIASES.iter().find(|(alias, _)| *alias == wanted).map_or(wanted, |(_, name)| plain(name));
    VOICES.iter().find(|voice| plain(voice.name) == wanted)
}

/// Vapi's model provider for a name as users write it.
pub(crate) fn model_provider(name: &str) -> Result<&'static str, EngineRefusal> {
    let wanted = plain(name);
    let wanted =
        MODEL_ALIASES.iter().find(|(alias, _)| *alias == wanted).map_or(wanted, |(_, name)| plain(name));
    let found = MODELS.iter().copied().find(|model| plain(model) == wanted);
    found.ok_or_else(|| refused(format!("`model.provider`: expected one of {}", MODELS.join(", "))))
}

/// A refusal that we pronounce before Vapi has to.
pub(crate) fn refused(reason: impl Into<String>) -> EngineRefusal {
    EngineRefusal::Refused { status: 400, reason: reason.into() }
}

/// The beginning of a text, at most so many UTF-16 units long, never half a character.
pub(crate) fn cut(text: &str, units: usize) -> &str {
    let mut used = 0;
    for (place, character) in text.char_indices() {
        used += character.len_utf16();
        if used > units {
            return &text[..place];
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn providers_are_understood_in_every_spelling() {
        for (written, expected) in [
            ("elevenlabs", "11labs"),
            ("ElevenLabs", "11labs"),
            ("eleven_labs", "11labs"),
            ("11labs", "11labs"),
            ("rime", "rime-ai"),
            ("Smallest AI", "smallest-ai"),
            ("custom", "custom-voice"),
            ("azure", "azure"),
        ] {
            assert_eq!(voice_provider(written).map(|voice| voice.name), Some(expected), "{written}");
        }
        for (written, expected) in [
            ("openai", "openai"),
            ("OpenAI", "openai"),
            ("Gemini", "google"),
            ("deepseek", "deep-seek"),
            ("grok", "xai"),
        ] {
            assert_eq!(model_provider(written), Ok(expected), "{written}");
        }
        assert!(voice_provider("gramophone").is_none());
        assert!(model_provider("receptionist").is_err_and(|refusal| refusal.to_string().contains("openai")));
    }

    #[test]
    fn ids_are_words() {
        for good in ["01890000-0000-7000-8000-000000000001", "v", "call_7"] {
            assert_eq!(id_of(&good.into()), Some(good));
        }
        let long = "a".repeat(101);
        for odd in [
            "",
            " ",
            "-",
            "a b",
            "a/b",
            "../x",
            "a\n",
            "é",
            "null",
            "undefined",
            "a?b",
            "a#b",
            "[object Object]",
            &long,
        ] {
            assert_eq!(id_of(&odd.into()), None, "{odd}");
        }
        assert_eq!((id_of(&Value::Null), id_of(&7.into())), (None, None));
    }

    #[test]
    fn names_are_cut_between_characters() {
        assert_eq!(cut("short", 40), "short");
        assert_eq!(cut(&"a".repeat(41), 40).len(), 40);
        // Two UTF-16 units each.
        assert_eq!(cut(&"😀".repeat(21), 40), "😀".repeat(20));
        assert_eq!(cut("a😀", 2), "a");
    }
}
