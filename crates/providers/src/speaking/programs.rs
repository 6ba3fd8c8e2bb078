//! Voices of this machine for calls: `piper`, `flite` or `espeak-ng`, run as programs once per sentence.
//!
//! Sources: the manual pages flite(1) and espeak-ng(1); `docs/CLI.md` of piper, which reads lines from its input and writes a WAV file.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use async_trait::async_trait;
use futures_util::stream;
use media::wav;
use speech::{SpeechError, SynthesisConfig, VoiceChoice};
use tokio::process::Command;

use super::by_piece::{Sound, Speaker};
use super::choice;
use crate::programs::Program;

/// The voices that are part of Debian's flite.
const FLITE_VOICES: &[&str] = &["slt", "awb", "rms", "kal", "kal16"];

/// The names of the files that hold text and sound.
const TEXT: &str = "text";
const SOUND: &str = "sound.wav";

/// Which program it is.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    Flite,
    Espeak,
    /// With the model file of its voice.
    Piper(PathBuf),
}

impl Kind {
    fn name(&self) -> &'static str {
        match self {
            Self::Flite => "flite",
            Self::Espeak => "espeak-ng",
            Self::Piper(_) => "piper",
        }
    }
}

/// A program that speaks.
pub(crate) struct SpeakingProgram {
    pub(crate) kind: Kind,
    pub(crate) program: Program,
}

impl SpeakingProgram {
    fn prepare(
        &self,
        text: &str,
        config: &SynthesisConfig,
        folder: &Path,
        command: &mut Command,
    ) -> std::io::Result<()> {
        fs::write(folder.join(TEXT), format!("{text}\n"))?;
        let own = choice::own(&config.voice, &[self.kind.name()]);
        let named = own.and_then(|own| own.voice.as_deref());
        match &self.kind {
            Kind::Flite => {
                let voice = named.filter(|name| FLITE_VOICES.contains(name)).unwrap_or("slt");
                command.args(["-voice", voice, "-f", TEXT, "-o", SOUND]);
            }
            Kind::Espeak => {
                let language = config.language.as_ref().map_or("en-us", |language| language.primary());
                command.args([
                    "-v",
                    named.filter(|name| is_plain(name)).unwrap_or(language),
                    "-f",
                    TEXT,
                    "-w",
                    SOUND,
                ]);
            }
            Kind::Piper(model) => {
                let model = std::path::absolute(model)?;
                command.arg("--model").arg(model).args(["--output_file", SOUND]);
                command.stdin(Stdio::from(File::open(folder.join(TEXT))?));
            }
        }
        Ok(())
    }
}

#[async_trait]
impl Speaker for SpeakingProgram {
    fn name(&self) -> &'static str {
        self.kind.name()
    }

    fn longest(&self) -> usize {
        1000
    }

    fn lacks(&self, voice: &VoiceChoice) -> Option<String> {
        let name = self.kind.name();
        let other = choice::other_provider(voice, &[name], name);
        other.or_else(|| {
            let asked = voice.voice.as_deref()?;
            let has = match self.kind {
                Kind::Flite => voice.provider.is_none() || FLITE_VOICES.contains(&asked),
                Kind::Espeak => is_plain(asked),
                Kind::Piper(_) => voice.provider.is_none(),
            };
            (!has).then(|| format!("{name} has no voice of that name and speaks in its usual one"))
        })
    }

    async fn sound(&self, text: String, config: &SynthesisConfig) -> Result<Sound, SpeechError> {
        let prepare = |folder: &Path, command: &mut Command| self.prepare(&text, config, folder, command);
        let file = self.program.run(prepare, Some(SOUND)).await?;
        let sound = wav::read_mono(&file)
            .ok_or_else(|| SpeechError::Malformed("the program wrote no 16-bit mono sound".to_owned()))?;
        // In parts, so that whoever stops listening in the middle has not resampled all of it.
        let part = (sound.sample_rate / 5).max(1) as usize;
        let chunks: Vec<_> = sound.samples.chunks(part).map(|chunk| Ok(chunk.to_vec())).collect();
        Ok(Sound { sample_rate: sound.sample_rate, chunks: Box::pin(stream::iter(chunks)) })
    }
}

/// A name that a program can be given as an argument: neither a path nor another option.
fn is_plain(name: &str) -> bool {
    !name.starts_with('-')
        && name.len() <= 60
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'+' | b'_'))
}
