//! How likely it is that somebody speaks: a small neural net that hears the sound of a telephone.

use earshot::Detector;

use crate::frame::FRAME;

/// The net wants 16 ms at twice the rate of a telephone.
const WINDOW: usize = 256;

/// The sample halfway between two others, from three on either side (a windowed sinc, in 256ths).
const HALFWAY: [i32; 6] = [3, -25, 150, 150, -25, 3];

/// The net and the sound that it has not heard yet. It allocates when it is made and never again.
pub(crate) struct Activity {
    detector: Box<Detector>,
    /// The end of the sound before.
    before: [i16; 5],
    waiting: [i16; WINDOW + 2 * FRAME],
    length: usize,
    score: f32,
}

impl Activity {
    pub(crate) fn new() -> Self {
        Self {
            detector: Detector::default_boxed(),
            before: [0; 5],
            waiting: [0; WINDOW + 2 * FRAME],
            length: 0,
            score: 0.0,
        }
    }

    /// Takes 20 ms of sound; gives how likely it is, from 0 to 1, that somebody speaks in it.
    pub(crate) fn hear(&mut self, frame: &[i16; FRAME]) -> f32 {
        let mut window = [0_i16; 6];
        window[1..].copy_from_slice(&self.before);
        for sample in frame {
            window.copy_within(1.., 0);
            window[5] = *sample;
            self.take(window[2]);
            self.take(halfway(&window));
        }
        self.before.copy_from_slice(&window[1..]);
        while self.length >= WINDOW {
            self.score = self.detector.predict_i16(&self.waiting[..WINDOW]);
            self.waiting.copy_within(WINDOW..self.length, 0);
            self.length -= WINDOW;
        }
        self.score
    }

    fn take(&mut self, sample: i16) {
        self.waiting[self.length] = sample;
        self.length += 1;
    }
}

fn halfway(window: &[i16; 6]) -> i16 {
    let sum: i32 = window.iter().zip(HALFWAY).map(|(sample, weight)| i32::from(*sample) * weight).sum();
    i16::try_from((sum / 256).clamp(i32::from(i16::MIN), i32::from(i16::MAX))).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scores(sound: impl Iterator<Item = i16>) -> Vec<f32> {
        let sound: Vec<i16> = sound.collect();
        let mut activity = Activity::new();
        sound.as_chunks::<FRAME>().0.iter().map(|frame| activity.hear(frame)).collect()
    }

    #[test]
    fn silence_is_nobody() {
        let scores = scores(std::iter::repeat_n(0, FRAME * 100));
        assert!(scores[5..].iter().all(|score| *score < 0.3), "{scores:?}");
    }

    /// Recorded from a synthesiser: "I had a car accident last week."
    const SPEECH: &[u8] = include_bytes!("../tests/it/speech/accident.ulaw");

    #[test]
    fn a_voice_on_a_telephone_is_somebody() {
        let mut speech = Vec::new();
        rtp::Codec::Pcmu.decode(SPEECH, &mut speech);
        let scores = scores(speech.into_iter());
        let heard = scores.iter().filter(|score| **score > 0.5).count();
        assert!(heard * 2 > scores.len(), "{scores:?}");
    }

    #[test]
    fn twice_the_rate_keeps_a_tone_as_it_is() {
        let tone = |at: f64| (at * 1000.0 / 8000.0 * std::f64::consts::TAU).sin() * 10_000.0;
        let mut window = [0_i16; 6];
        for at in 0..200_u32 {
            window.copy_within(1.., 0);
            #[expect(clippy::cast_possible_truncation, reason = "at most 10,000")]
            let sample = tone(f64::from(at)) as i16;
            window[5] = sample;
            if at >= 6 {
                let expected = tone(f64::from(at) - 2.5);
                assert!((f64::from(halfway(&window)) - expected).abs() < 300.0, "at {at}");
            }
        }
    }
}
