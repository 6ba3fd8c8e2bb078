//! Voices of this machine: `flite` or `espeak-ng`, run as programs.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use async_trait::async_trait;
use domain::call::Party;
use media::wav::{self, Mono};
use speech::{Pcm, SpeechError, Synthesiser};
use tokio::io::AsyncReadExt as _;
use tokio::process::Command;

/// How long one utterance may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The longest text that is spoken, in characters.
const MAX_TEXT: usize = 2000;

/// The most sound that one utterance may become, in bytes: ten minutes of 16-bit samples at 22 kHz.
const MAX_SOUND: u64 = 26_460_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Program {
    Flite,
    Espeak,
}

/// A synthesiser that was found on this machine.
#[derive(Debug, Clone)]
pub struct LocalVoices {
    program: Program,
    path: PathBuf,
}

impl LocalVoices {
    /// What to say to somebody who has none.
    pub const HINT: &'static str = "install a synthesiser to get recordings: `apt-get install flite` on Debian and Ubuntu, `brew install espeak-ng` on macOS";

    /// Looks for a synthesiser on the path.
    pub fn find() -> Option<Self> {
        let known = [("flite", Program::Flite), ("espeak-ng", Program::Espeak)];
        #[expect(clippy::disallowed_methods, reason = "where programs are is no setting of ours")]
        let folders: Vec<PathBuf> = std::env::split_paths(&std::env::var_os("PATH")?).collect();
        known.into_iter().find_map(|(name, program)| {
            let path = folders.iter().map(|folder| folder.join(name)).find(|path| path.is_file())?;
            Some(Self { program, path })
        })
    }

    fn command(&self, voice: Party, text: &Path, sound: &Path) -> Command {
        let mut command = Command::new(&self.path);
        let voice = match (self.program, voice) {
            (Program::Flite, Party::Agent) => ["-voice", "slt"],
            (Program::Flite, Party::Caller) => ["-voice", "rms"],
            (Program::Espeak, Party::Agent) => ["-v", "en-us+f3"],
            (Program::Espeak, Party::Caller) => ["-v", "en-us+m3"],
        };
        let into = match self.program {
            Program::Flite => "-o",
            Program::Espeak => "-w",
        };
        command.args(voice).arg("-f").arg(text).arg(into).arg(sound);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        command
    }

    /// Runs the program in a folder of its own; the text goes in by a file, never as an argument.
    async fn run(&self, text: String, voice: Party) -> std::io::Result<Vec<u8>> {
        let folder = tempfile::Builder::new().prefix("kaicalls-voice").tempdir()?;
        let (input, output) = (folder.path().join("text"), folder.path().join("sound"));
        tokio::fs::write(&input, text).await?;
        if !self.command(voice, &input, &output).status().await?.success() {
            return Err(std::io::Error::other("it reported a failure"));
        }
        let mut sound = Vec::new();
        tokio::fs::File::open(&output).await?.take(MAX_SOUND).read_to_end(&mut sound).await?;
        Ok(sound)
    }
}

#[async_trait]
impl Synthesiser for LocalVoices {
    fn name(&self) -> &'static str {
        match self.program {
            Program::Flite => "flite",
            Program::Espeak => "espeak-ng",
        }
    }

    async fn speak(&self, text: &str, voice: Party) -> Result<Pcm, SpeechError> {
        let mut text: String =
            text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_TEXT).collect();
        text.push('\n');
        let failed = |reason: &str| SpeechError::Retry { after: None, reason: reason.to_owned() };
        let sound = tokio::time::timeout(PATIENCE, self.run(text, voice)).await;
        let sound = sound.map_err(|_| failed("the synthesiser took too long"))?;
        let sound = sound.map_err(|error| failed(&format!("the synthesiser could not be run: {error}")))?;
        wav::read_mono(&sound)
            .map(|Mono { sample_rate, samples }| Pcm { sample_rate, samples })
            .ok_or_else(|| SpeechError::Malformed("the synthesiser wrote no 16-bit mono sound".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Skips nothing: where no synthesiser is installed there is nothing to find, and that is what is asserted.
    #[tokio::test]
    async fn a_synthesiser_of_this_machine_speaks_in_two_voices() {
        let Some(voices) = LocalVoices::find() else {
            assert!(LocalVoices::HINT.contains("install"));
            return;
        };
        let agent = voices.speak("Hello, this is a test.", Party::Agent).await.expect("speech");
        let caller = voices.speak("Hello, this is a test.", Party::Caller).await.expect("speech");
        assert!(agent.samples.len() > 4000 && caller.samples.len() > 4000);
        assert_ne!(agent, caller);
        let again = voices.speak("Hello, this is a test.", Party::Agent).await.expect("speech");
        assert_eq!(again, agent);
    }
}
