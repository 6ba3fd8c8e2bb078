//! Who hears and who speaks on calls with sound: from settings to providers, in the order in which they are asked.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use providers::hearing::{self, DeepgramSettings, RecogniserSettings, Recognisers};
use providers::speaking::{self, ElevenLabsSettings, VoiceSettings, Voices};
use providers::{Endpoint, find_program};
use speech::{Recogniser, StreamingSynthesiser};

use crate::config::{Config, web_address};
use crate::failure::Failure;

/// When a provider is used that no setting names.
#[derive(Clone, Copy)]
enum Unnamed {
    /// If this setting says where or with what it works.
    IfSet(&'static str),
    /// If its program, which has the same name, is installed.
    IfInstalled,
    Never,
}

/// Providers in the order in which they are asked unless another one is set.
type Known = [(&'static str, Unnamed)];

const RECOGNISERS: &Known = &[
    ("openai", Unnamed::IfSet("transcription_base_url")),
    ("deepgram", Unnamed::IfSet("deepgram_api_key")),
    ("whisper", Unnamed::IfSet("whisper_model")),
    ("pocketsphinx", Unnamed::Never),
];

const VOICES: &Known = &[
    ("openai", Unnamed::IfSet("speech_base_url")),
    ("elevenlabs", Unnamed::IfSet("elevenlabs_api_key")),
    ("piper", Unnamed::IfSet("piper_voice")),
    ("flite", Unnamed::IfInstalled),
    ("espeak-ng", Unnamed::IfInstalled),
];

/// The configured recognisers in their order.
pub(crate) fn recognisers(config: &Config) -> Result<Vec<Arc<dyn Recogniser>>, Failure> {
    let patience = patience(config)?;
    let settings = in_order(config, "recogniser", RECOGNISERS, recogniser_settings)?;
    Ok(settings.into_iter().map(|settings| hearing::recogniser(settings, patience)).collect())
}

/// The configured providers of voices in their order.
pub(crate) fn synthesisers(config: &Config) -> Result<Vec<Arc<dyn StreamingSynthesiser>>, Failure> {
    let patience = patience(config)?;
    let settings = in_order(config, "voices", VOICES, voice_settings)?;
    Ok(settings.into_iter().map(|settings| speaking::synthesiser(settings, patience)).collect())
}

/// Who hears on calls over trunks; somebody has to.
pub(crate) fn hearing(config: &Config) -> Result<Recognisers, Failure> {
    Recognisers::new(recognisers(config)?).ok_or_else(|| {
        let problem = "calls over trunks need somebody who hears: set `transcription_base_url`, `deepgram_api_key` or `whisper_model`";
        Failure::setting("recogniser", problem)
    })
}

/// Who speaks on calls over trunks; somebody has to.
pub(crate) fn speaking(config: &Config) -> Result<Voices, Failure> {
    Voices::new(synthesisers(config)?).ok_or_else(|| {
        let problem = "calls over trunks need a voice: set `speech_base_url`, `elevenlabs_api_key` or `piper_voice`, or install `flite` \
                       or `espeak-ng`";
        Failure::setting("voices", problem)
    })
}

fn patience(config: &Config) -> Result<Duration, Failure> {
    Ok(Duration::from_millis(config.number("speech_timeout_ms", 200, 60_000)?.into()))
}

/// Those that a setting names, which must be usable, or all that are used without being named.
fn in_order<T>(
    config: &Config,
    setting: &'static str,
    known: &Known,
    read: fn(&Config, &str) -> Result<T, Failure>,
) -> Result<Vec<T>, Failure> {
    let named = config.list(setting);
    if let Some(unknown) = named.iter().find(|name| !known.iter().any(|(known, _)| known == name)) {
        let known: Vec<&str> = known.iter().map(|(known, _)| *known).collect();
        let expected = format!("there is no `{unknown}`: expected some of {}", known.join(", "));
        return Err(Failure::setting(setting, expected));
    }
    if !named.is_empty() {
        return named.iter().map(|name| read(config, name)).collect();
    }
    let usable = known.iter().filter(|(name, unnamed)| match *unnamed {
        Unnamed::IfSet(setting) => config.text(setting).is_some(),
        Unnamed::IfInstalled => find_program(name).is_some(),
        Unnamed::Never => false,
    });
    usable.map(|(name, _)| read(config, name)).collect()
}

fn recogniser_settings(config: &Config, name: &str) -> Result<RecogniserSettings, Failure> {
    match name {
        "openai" => {
            let endpoint = endpoint(config, "transcription_base_url", "transcription_api_key", "transcription_model")?;
            Ok(RecogniserSettings::OpenAi(endpoint))
        }
        "deepgram" => Ok(RecogniserSettings::Deepgram(DeepgramSettings {
            base_url: web_address("deepgram_base_url", config.text("deepgram_base_url").unwrap_or_default())?,
            api_key: required(config, "deepgram_api_key", "expected the key of a project at Deepgram")?,
            model: config.text("deepgram_model").unwrap_or_default().to_owned(),
        })),
        "whisper" => Ok(RecogniserSettings::Whisper {
            program: program(config, "whisper_program")?,
            model: file(config, "whisper_model", "expected a model file of whisper.cpp")?,
        }),
        _ => Ok(RecogniserSettings::Pocketsphinx {
            program: find_program("pocketsphinx_continuous").ok_or_else(|| {
                Failure::setting("recogniser", "`pocketsphinx_continuous` is not installed (`apt-get install pocketsphinx pocketsphinx-en-us`)")
            })?,
            model: PathBuf::from(config.text("pocketsphinx_model").unwrap_or_default()),
            sentences: sentences(config)?,
        }),
    }
}

fn voice_settings(config: &Config, name: &str) -> Result<VoiceSettings, Failure> {
    match name {
        "openai" => Ok(VoiceSettings::OpenAi {
            endpoint: endpoint(config, "speech_base_url", "speech_api_key", "speech_model")?,
            voice: config.text("speech_voice").unwrap_or_default().to_owned(),
        }),
        "elevenlabs" => Ok(VoiceSettings::ElevenLabs(ElevenLabsSettings {
            base_url: web_address(
                "elevenlabs_base_url",
                config.text("elevenlabs_base_url").unwrap_or_default(),
            )?,
            api_key: required(config, "elevenlabs_api_key", "expected the key of an account at ElevenLabs")?,
            model: config.text("elevenlabs_model").unwrap_or_default().to_owned(),
            voice: required(config, "elevenlabs_voice", "expected the id of a voice at ElevenLabs")?,
        })),
        "piper" => Ok(VoiceSettings::Piper {
            program: program(config, "piper_program")?,
            model: file(config, "piper_voice", "expected the .onnx file of a voice of piper")?,
        }),
        program => {
            let path = find_program(program);
            let path =
                path.ok_or_else(|| Failure::setting("voices", format!("`{program}` is not installed")))?;
            Ok(if program == "flite" { VoiceSettings::Flite(path) } else { VoiceSettings::Espeak(path) })
        }
    }
}

fn endpoint(
    config: &Config,
    base_url: &'static str,
    api_key: &'static str,
    model: &'static str,
) -> Result<Endpoint, Failure> {
    let expected = "expected the address of an OpenAI-compatible endpoint, like https://api.openai.com/v1";
    let written = required(config, base_url, expected)?;
    Ok(Endpoint {
        base_url: providers::base_url(&written).map_err(|expected| Failure::setting(base_url, expected))?,
        api_key: config.text(api_key).map(str::to_owned),
        model: config.text(model).unwrap_or_default().to_owned(),
    })
}

fn required(config: &Config, name: &'static str, expected: &str) -> Result<String, Failure> {
    config.text(name).map(str::to_owned).ok_or_else(|| Failure::setting(name, expected))
}

fn program(config: &Config, name: &'static str) -> Result<PathBuf, Failure> {
    let written = config.text(name).unwrap_or_default();
    find_program(written).ok_or_else(|| Failure::setting(name, format!("there is no program `{written}`")))
}

fn file(config: &Config, name: &'static str, expected: &str) -> Result<PathBuf, Failure> {
    let path = PathBuf::from(required(config, name, expected)?);
    if path.is_file() {
        Ok(path)
    } else {
        Err(Failure::setting(name, format!("there is no such file; {expected}")))
    }
}

/// The lines of the file with the sentences that can be said.
fn sentences(config: &Config) -> Result<Vec<String>, Failure> {
    let Some(file) = config.text("pocketsphinx_sentences") else { return Ok(Vec::new()) };
    let text = std::fs::read_to_string(file)
        .map_err(|error| Failure::setting("pocketsphinx_sentences", format!("cannot be read: {error}")))?;
    Ok(text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(settings: &[(&'static str, &str)]) -> Config {
        let mut config = Config::defaults();
        for (name, value) in settings {
            config.set(name, *value);
        }
        config
    }

    fn heard_by(settings: &[(&'static str, &str)]) -> String {
        let all = recognisers(&config(settings));
        all.map_or_else(
            |error| error.to_string(),
            |all| all.iter().map(|one| one.name()).collect::<Vec<_>>().join(", then "),
        )
    }

    fn spoken_by(settings: &[(&'static str, &str)]) -> String {
        let all = synthesisers(&config(settings));
        all.map_or_else(
            |error| error.to_string(),
            |all| all.iter().map(|one| one.name()).collect::<Vec<_>>().join(", then "),
        )
    }

    #[test]
    fn what_is_configured_is_used_and_the_order_can_be_said() {
        assert_eq!(heard_by(&[]), "");
        let both = [("deepgram_api_key", "key"), ("transcription_base_url", "localhost:8080/v1")];
        assert_eq!(heard_by(&both), "openai, then deepgram");
        let ordered = [both[0], both[1], ("recogniser", "deepgram, openai")];
        assert_eq!(heard_by(&ordered), "deepgram, then openai");
        assert_eq!(heard_by(&[both[0], both[1], ("recogniser", "deepgram")]), "deepgram");
        let voices = [("elevenlabs_api_key", "key"), ("speech_base_url", "localhost:8880/v1")];
        assert!(spoken_by(&voices).starts_with("openai, then elevenlabs"));
        assert_eq!(spoken_by(&[voices[0], voices[1], ("voices", "elevenlabs")]), "elevenlabs");
    }

    #[test]
    fn calls_over_trunks_need_somebody_who_hears() {
        let problem = hearing(&config(&[])).expect_err("nobody hears").to_string();
        assert!(
            problem.contains("KAICALLS_RECOGNISER") && problem.contains("`deepgram_api_key`"),
            "{problem}"
        );
        let both = [("deepgram_api_key", "key"), ("transcription_base_url", "localhost:8080/v1")];
        assert_eq!(hearing(&config(&both)).expect("two who hear").name(), "openai, then deepgram");
        assert_eq!(
            speaking(&config(&[("elevenlabs_api_key", "key"), ("voices", "elevenlabs")]))
                .expect("a voice")
                .name(),
            "elevenlabs"
        );
    }

    #[test]
    fn what_is_missing_or_wrong_names_its_setting() {
        for (settings, expected) in [
            (&[("recogniser", "deepgram")] as &[_], "KAICALLS_DEEPGRAM_API_KEY"),
            (&[("recogniser", "openai")], "KAICALLS_TRANSCRIPTION_BASE_URL"),
            (&[("recogniser", "ears")], "expected some of openai, deepgram, whisper, pocketsphinx"),
            (&[("whisper_model", "/no/such/file"), ("whisper_program", "sh")], "KAICALLS_WHISPER_MODEL"),
            (
                &[("whisper_model", "/etc/hostname"), ("whisper_program", "no-such-program")],
                "KAICALLS_WHISPER_PROGRAM",
            ),
            (
                &[("deepgram_api_key", "key"), ("deepgram_base_url", "api.deepgram.com")],
                "KAICALLS_DEEPGRAM_BASE_URL",
            ),
            (&[("deepgram_api_key", "key"), ("speech_timeout_ms", "0")], "KAICALLS_SPEECH_TIMEOUT_MS"),
        ] {
            let told = heard_by(settings);
            assert!(told.contains(expected), "{settings:?}: {told}");
        }
        for (settings, expected) in [
            (&[("voices", "elevenlabs")] as &[_], "KAICALLS_ELEVENLABS_API_KEY"),
            (&[("voices", "openai")], "KAICALLS_SPEECH_BASE_URL"),
            (&[("voices", "mouth")], "expected some of openai, elevenlabs, piper, flite, espeak-ng"),
            (&[("piper_voice", "/no/such/file"), ("piper_program", "sh")], "KAICALLS_PIPER_VOICE"),
        ] {
            let told = spoken_by(settings);
            assert!(told.contains(expected), "{settings:?}: {told}");
        }
    }
}
