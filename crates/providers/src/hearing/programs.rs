//! Recognisers of this machine, run as programs once per segment.
//!
//! `whisper-cli` of whisper.cpp needs a model file and understands what anybody says (`examples/cli/README.md` there). `pocketsphinx_continuous`
//! of Debian understands no free speech worth the name, but with a closed grammar it is exact and fast, which makes it the recogniser of
//! tests: it knows the sentences that its settings list and the hints of the session, and nothing else
//! (the manual page pocketsphinx_continuous(1); grammar format: w3.org/TR/jsgf).

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use speech::{SpeechError, Word};
use tokio::process::Command;
use tokio::sync::mpsc;

use super::by_segment::{Segment, Transcriber, Transcription};
use crate::programs::Program;

/// The name of the file that holds the sound.
const SOUND: &str = "speech.wav";

/// How many sentences a grammar may have.
const MAX_SENTENCES: usize = 2000;

/// The program of whisper.cpp.
pub(crate) struct WhisperProgram {
    pub(crate) program: Program,
    /// A model file in the format of whisper.cpp.
    pub(crate) model: PathBuf,
}

#[async_trait]
impl Transcriber for WhisperProgram {
    fn name(&self) -> &'static str {
        "whisper"
    }

    async fn transcribe(
        &self,
        segment: Segment,
        _partials: mpsc::Sender<String>,
    ) -> Result<Transcription, SpeechError> {
        let model = std::path::absolute(&self.model).unwrap_or_else(|_| self.model.clone());
        let language = match segment.config.languages.as_slice() {
            [language] => language.primary().to_owned(),
            _ => "auto".to_owned(),
        };
        let rate = self.sample_rate();
        let prepare = move |folder: &Path, command: &mut Command| {
            fs::write(folder.join(SOUND), segment.into_wav(rate))?;
            command.args(["--no-prints", "--no-timestamps", "--language"]).arg(language);
            command.arg("--model").arg(model).arg("--file").arg(SOUND);
            Ok(())
        };
        let printed = self.program.run(prepare, None).await?;
        let printed = String::from_utf8_lossy(&printed);
        // Sounds that are no words are written in brackets: [BLANK_AUDIO], (music).
        let lines = printed.lines().map(str::trim).filter(|line| !line.starts_with(['[', '(']));
        let text = lines.collect::<Vec<_>>().join(" ");
        Ok(Transcription { text: domain::text::clean(&text).trim().to_owned(), ..Transcription::default() })
    }
}

/// The program of pocketsphinx with a closed grammar.
pub(crate) struct Pocketsphinx {
    pub(crate) program: Program,
    /// The folder with the acoustic model `en-us` and the dictionary `cmudict-en-us.dict`.
    pub(crate) model: PathBuf,
    /// What can be said, besides the hints of a session.
    pub(crate) sentences: Vec<String>,
}

#[async_trait]
impl Transcriber for Pocketsphinx {
    fn name(&self) -> &'static str {
        "pocketsphinx"
    }

    async fn transcribe(
        &self,
        segment: Segment,
        _partials: mpsc::Sender<String>,
    ) -> Result<Transcription, SpeechError> {
        let sentences = self.sentences.iter().chain(&segment.config.hints).map(String::as_str);
        let Some(grammar) = grammar(sentences) else {
            return Err(SpeechError::Rejected("there is no sentence that could be understood".to_owned()));
        };
        let (model, rate) = (&self.model, self.sample_rate());
        let prepare = move |folder: &Path, command: &mut Command| {
            fs::write(folder.join(SOUND), segment.into_wav(rate))?;
            fs::write(folder.join("sentences.jsgf"), grammar)?;
            command.arg("-hmm").arg(model.join("en-us"));
            command.arg("-dict").arg(model.join("cmudict-en-us.dict"));
            command.args(["-jsgf", "sentences.jsgf", "-infile", SOUND, "-time", "yes"]);
            command.args(["-logfn", "/dev/null"]);
            Ok(())
        };
        let printed = self.program.run(prepare, None).await?;
        Ok(read_words(&String::from_utf8_lossy(&printed)))
    }
}

/// The words with their times, one to a line, behind each line of the text.
fn read_words(printed: &str) -> Transcription {
    let word = |line: &str| {
        let mut parts = line.split_whitespace();
        let (word, start, end) = (parts.next()?, parts.next()?, parts.next()?);
        let _confidence: f64 = parts.next()?.parse().ok()?;
        let time = |text: &str| Duration::try_from_secs_f64(text.parse().ok()?).ok();
        // A second way to say a word has a number: to(2).
        let word = word.split('(').next().unwrap_or_default();
        Some(Word { text: word.to_owned(), start: time(start)?, end: time(end)? })
            .filter(|word| !word.text.is_empty() && !word.text.starts_with(['<', '[']))
    };
    let words: Vec<Word> = printed.lines().filter_map(word).collect();
    let text = words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ");
    Transcription { text, words, language: None }
}

/// A grammar of whole sentences; `None` if there are none.
fn grammar<'a>(sentences: impl Iterator<Item = &'a str>) -> Option<String> {
    let mut known: Vec<String> =
        sentences.map(plain).filter(|sentence| !sentence.is_empty()).take(MAX_SENTENCES).collect();
    known.sort_unstable();
    known.dedup();
    if known.is_empty() {
        return None;
    }
    let mut grammar = String::from("#JSGF V1.0;\ngrammar sentences;\n");
    let _ = writeln!(grammar, "public <sentence> = {};", known.join(" | "));
    Some(grammar)
}

/// A sentence as the dictionary knows its words: small letters and apostrophes.
fn plain(sentence: &str) -> String {
    let letters = sentence.to_lowercase().replace('\u{2019}', "'");
    let words = letters.split(|c: char| !(c.is_ascii_lowercase() || c == '\''));
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grammar_holds_each_sentence_once_and_nothing_that_ends_it() {
        let check = |sentences: &[&str], expected: Option<&str>| {
            let written = grammar(sentences.iter().copied());
            let rule = written.as_deref().and_then(|text| text.lines().last());
            assert_eq!(rule, expected, "{sentences:?}");
        };
        check(&["Yes, please!", "yes please", "I'm Ann"], Some("public <sentence> = i'm ann | yes please;"));
        check(&["a; public <b> = c | d"], Some("public <sentence> = a public b c d;"));
        check(&[], None);
        check(&["¿?", "42"], None);
    }

    #[test]
    fn words_and_times_are_read_and_silence_is_left_out() {
        let printed = "to book\n<sil> 0.000 0.200 1.000000\nto(2) 0.800 0.930 1.000000\nbook 0.940 1.160 1.0\n<sil> 2.8 2.9 1.0\n";
        let transcription = read_words(printed);
        assert_eq!(transcription.text, "to book");
        assert_eq!(transcription.words[0].start, Duration::from_millis(800));
        assert_eq!(read_words("<sil> 0.000 0.200 1.000000\n"), Transcription::default());
        assert_eq!(read_words(""), Transcription::default());
    }
}
