//! Sentences as sound, and a way to tell which one was heard.

use rtp::Codec;

/// A sentence as a synthesiser speaks it on a telephone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sentence {
    pub text: &'static str,
    bytes: &'static [u8],
}

macro_rules! sentence {
    ($file:literal, $text:literal) => {
        Sentence { text: $text, bytes: include_bytes!(concat!("speech/", $file, ".ulaw")) }
    };
}

pub const GREETING: Sentence =
    sentence!("greeting", "Hello, this is Kai from the office, how can I help you today?");
pub const THANKS: Sentence = sentence!("thanks", "Thank you, somebody is going to call you back on Monday.");
pub const GOODBYE: Sentence = sentence!("goodbye", "Goodbye.");
pub const ACCIDENT: Sentence = sentence!("accident", "I had a car accident last week.");
pub const MONDAY: Sentence = sentence!("monday", "Please call me back on Monday morning.");

const ALL: [Sentence; 5] = [GREETING, THANKS, GOODBYE, ACCIDENT, MONDAY];

/// Samples of which the loudness is one number.
const STEP: usize = 160;

impl Sentence {
    pub fn samples(self) -> Vec<i16> {
        let mut samples = Vec::new();
        Codec::Pcmu.decode(self.bytes, &mut samples);
        samples
    }

    /// The sentences, joined by spaces, that a text consists of.
    pub fn spoken(text: &str) -> Vec<i16> {
        let mut samples: Vec<i16> = Vec::new();
        let mut rest = text.trim();
        while let Some(next) = ALL.iter().find(|sentence| rest.starts_with(sentence.text)) {
            samples.extend(next.samples());
            rest = rest[next.text.len()..].trim_start();
        }
        if !rest.is_empty() {
            // Nobody recognises this one; it is as long as it would be.
            samples.extend(MONDAY.samples().iter().cycle().take(rest.len() * 400).map(|sample| sample / 4));
        }
        samples
    }
}

/// Which sentence this sound is, if it is one: the one whose loudness goes up and down in the same way.
pub fn recognise(sound: &[i16]) -> Option<Sentence> {
    let heard = loudness(sound);
    let best = ALL.into_iter().map(|sentence| (likeness(&heard, &loudness(&sentence.samples())), sentence));
    let (likeness, sentence) = best.max_by(|a, b| a.0.total_cmp(&b.0))?;
    (likeness > 0.85).then_some(sentence)
}

/// Whether this sentence is somewhere in the sound.
pub fn contains(sound: &[i16], sentence: Sentence) -> bool {
    likeness(&loudness(sound), &loudness(&sentence.samples())) > 0.85
}

fn loudness(sound: &[i16]) -> Vec<f64> {
    let of = |step: &[i16]| step.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>().sqrt();
    sound.chunks(STEP).map(of).collect()
}

/// The correlation of a sentence with the part of the sound that it resembles most. The sound may lack a little at either end.
fn likeness(heard: &[f64], sentence: &[f64]) -> f64 {
    const MARGIN: usize = 20;
    let mut padded = vec![0.0; MARGIN];
    padded.extend_from_slice(heard);
    padded.extend(std::iter::repeat_n(0.0, MARGIN.max(sentence.len().saturating_sub(heard.len()))));
    padded.windows(sentence.len()).map(|window| correlation(window, sentence)).fold(0.0, f64::max)
}

fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let mean =
        |values: &[f64]| values.iter().sum::<f64>() / f64::from(u32::try_from(values.len()).unwrap_or(1));
    let (mean_a, mean_b) = (mean(a), mean(b));
    let (mut both, mut of_a, mut of_b) = (0.0, 0.0, 0.0);
    for (x, y) in a.iter().zip(b) {
        both += (x - mean_a) * (y - mean_b);
        of_a += (x - mean_a).powi(2);
        of_b += (y - mean_b).powi(2);
    }
    both / (of_a * of_b).sqrt().max(1.0)
}

#[test]
fn each_sentence_is_recognised_and_told_from_the_others() {
    for sentence in ALL {
        let mut sound = vec![0; 3000];
        sound.extend(sentence.samples().iter().map(|sample| sample / 2));
        sound.extend([0; 1500]);
        assert_eq!(recognise(&sound), Some(sentence));
        let others =
            ALL.into_iter().filter(|other| *other != sentence && other.bytes.len() <= sentence.bytes.len());
        for other in others.filter(|other| *other != GOODBYE) {
            assert!(!contains(&sound, other), "{} in {}", other.text, sentence.text);
        }
    }
    assert_eq!(recognise(&vec![0; 16_000]), None);
}
