//! The tone after which an answering machine records: one steady frequency, held for a while, and then silence.
//!
//! A voice does not hold one pitch so exactly, keys of a telephone and the tones of exchanges that could be mistaken sound at two
//! frequencies, and waiting music goes on. The tone itself is not enough: it counts when the line falls silent after it, because only then
//! is the machine listening.

use std::f32::consts::TAU;

use crate::frame::{FRAME, RATE};

/// The pitches that machines use, and a little more on either side.
const LOWEST: u16 = 375;
const HIGHEST: u16 = 2150;

/// How far apart the pitches are that are tried, in hertz: half of what 20 ms of sound can tell apart.
const STEP: u16 = 25;

/// Quieter sound is none, as the mean of squares.
const AUDIBLE: f32 = 150.0 * 150.0;

/// The share of a tick's energy that one pitch must have.
const PURE: f32 = 0.85;

/// A tone keeps its pitch this exactly, and its energy within this factor.
const STEADY_HZ: f32 = 15.0;
const STEADY_ENERGY: f32 = 4.0;

/// How long a tone lasts: from 200 ms to 3 s.
const SHORTEST: u32 = 10;
const LONGEST: u32 = 150;

/// The silence after it that shows its end: 160 ms, in which the energy is this small a share of the tone's. Within two ticks it
/// may fade.
const SILENCE: u32 = 8;
const SILENT: f32 = 0.01;
const FADES: u32 = 2;

/// Listens for such a tone.
#[derive(Debug, Default)]
pub(crate) struct Beeps {
    state: State,
}

#[derive(Debug, Clone, Copy, Default)]
enum State {
    /// Nothing that could become one.
    #[default]
    Nothing,
    /// A tone, for so many ticks.
    Tone { hertz: f32, energy: f32, ticks: u32 },
    /// A tone that was long enough is over.
    After { energy: f32, fading: u32, silent: u32 },
}

impl Beeps {
    /// Takes one tick of sound; true if a tone has ended in silence.
    pub(crate) fn hear(&mut self, frame: &[i16; FRAME]) -> bool {
        let energy = energy(frame);
        if let State::Tone { hertz, energy: level, ticks } = self.state {
            let tone = tone(frame, energy).filter(|now| (now - hertz).abs() <= STEADY_HZ);
            let is_level = energy <= level * STEADY_ENERGY && level <= energy * STEADY_ENERGY;
            if let Some(now) = tone.filter(|_| is_level) {
                // Slowly, so that the pitch of a siren does not lead it astray.
                let hertz = hertz + (now - hertz) / 8.0;
                self.state = State::Tone { hertz, energy: level, ticks: ticks + 1 };
                return false;
            }
            self.state = if (SHORTEST..=LONGEST).contains(&ticks) {
                State::After { energy: level, fading: 0, silent: 0 }
            } else {
                State::Nothing
            };
        }
        match self.state {
            State::After { energy: level, fading, silent } => {
                let is_silent = energy <= level * SILENT || energy <= AUDIBLE;
                self.state = match (is_silent, silent + 1 >= SILENCE) {
                    (true, true) => {
                        self.state = State::Nothing;
                        return true;
                    }
                    (true, false) => State::After { energy: level, fading, silent: silent + 1 },
                    (false, _) if silent == 0 && fading < FADES => {
                        State::After { energy: level, fading: fading + 1, silent }
                    }
                    (false, _) => State::Nothing,
                };
            }
            State::Nothing => {
                if let Some(hertz) = tone(frame, energy) {
                    self.state = State::Tone { hertz, energy, ticks: 1 };
                }
            }
            State::Tone { .. } => {}
        }
        false
    }
}

/// The mean of squares.
fn energy(frame: &[i16; FRAME]) -> f32 {
    frame.iter().map(|sample| f32::from(*sample).powi(2)).sum::<f32>() / LENGTH
}

/// Samples in a tick.
const LENGTH: f32 = 160.0;

/// The pitch of a tick that consists of one, if machines use it.
fn tone(frame: &[i16; FRAME], energy: f32) -> Option<f32> {
    if energy <= AUDIBLE {
        return None;
    }
    let shares = (LOWEST - STEP..=HIGHEST + STEP).step_by(usize::from(STEP)).map(f32::from);
    let (loudest, _) = shares
        .map(|hertz| (hertz, share(frame, hertz, energy)))
        .max_by(|one, other| one.1.total_cmp(&other.1))?;
    // Between its neighbours, where a parabola through all three has its top.
    let step = f32::from(STEP);
    let [below, at, above] =
        [loudest - step, loudest, loudest + step].map(|hertz| share(frame, hertz, energy));
    let bend = below - 2.0 * at + above;
    let offset = if bend < 0.0 { (0.5 * (below - above) / bend).clamp(-1.0, 1.0) } else { 0.0 };
    let hertz = loudest + offset * step;
    let range = f32::from(LOWEST)..=f32::from(HIGHEST);
    (range.contains(&hertz) && share(frame, hertz, energy) >= PURE).then_some(hertz)
}

/// The share of a tick's energy at one frequency.
#[expect(clippy::cast_precision_loss, reason = "the rate is a small number")]
fn share(frame: &[i16; FRAME], hertz: f32, energy: f32) -> f32 {
    // Goertzel's way: one multiplication per sample.
    let twice = 2.0 * (TAU * hertz / RATE as f32).cos();
    let (mut before, mut last) = (0.0_f32, 0.0_f32);
    for sample in frame {
        let next = f32::from(*sample) + twice * last - before;
        (before, last) = (last, next);
    }
    let power = last * last + before * before - twice * last * before;
    2.0 * power / (LENGTH * LENGTH * energy)
}

#[cfg(test)]
mod tests {
    use rtp::Codec;

    use super::*;

    /// Sound as a telephone brings it.
    fn over_the_telephone(sound: &[i16]) -> Vec<i16> {
        let (mut bytes, mut heard) = (Vec::new(), Vec::new());
        Codec::Pcmu.encode(sound, &mut bytes);
        Codec::Pcmu.decode(&bytes, &mut heard);
        heard
    }

    /// How often a beep is heard in a sound.
    fn beeps(sound: &[i16]) -> usize {
        let mut beeps = Beeps::default();
        over_the_telephone(sound).as_chunks::<FRAME>().0.iter().filter(|frame| beeps.hear(frame)).count()
    }

    /// Tones of these frequencies and this loudness, so many milliseconds long.
    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "small numbers")]
    fn sine(hertz: &[f32], loudness: f32, millis: usize) -> Vec<i16> {
        let each = |at: usize| {
            let time = at as f32 / RATE as f32;
            hertz.iter().map(|hertz| (TAU * hertz * time).sin() * loudness).sum::<f32>() as i16
        };
        (0..millis * 8).map(each).collect()
    }

    fn silence(millis: usize) -> Vec<i16> {
        vec![0; millis * 8]
    }

    /// Noise that is the same every time, within this loudness.
    fn noise(loudness: i16, millis: usize) -> Vec<i16> {
        let mut seed = 7_u32;
        let mut next = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            i16::try_from(i64::from(seed >> 16) % (2 * i64::from(loudness) + 1)).unwrap_or(0) - loudness
        };
        (0..millis * 8).map(|_| next()).collect()
    }

    fn mixed(one: Vec<i16>, other: &[i16]) -> Vec<i16> {
        one.into_iter()
            .zip(other.iter().chain(std::iter::repeat(&0)))
            .map(|(one, other)| one + other)
            .collect()
    }

    /// Recorded from a synthesiser: two sentences.
    fn speech() -> Vec<i16> {
        let mut speech = Vec::new();
        for bytes in [
            include_bytes!("../tests/it/speech/accident.ulaw").as_slice(),
            include_bytes!("../tests/it/speech/greeting.ulaw"),
        ] {
            Codec::Pcmu.decode(bytes, &mut speech);
        }
        speech
    }

    #[test]
    fn a_steady_tone_that_ends_in_silence_is_a_beep_whatever_its_pitch_and_loudness() {
        for hertz in [400.0, 437.0, 620.0, 850.0, 1000.0, 1114.0, 1400.0, 1633.0, 2000.0, 2090.0] {
            for (loudness, millis) in [(800.0, 250), (8000.0, 500), (20_000.0, 1500)] {
                let sound = [silence(130), sine(&[hertz], loudness, millis), silence(400)].concat();
                assert_eq!(beeps(&sound), 1, "{hertz} Hz, {loudness}, {millis} ms");
            }
        }
    }

    #[test]
    fn a_beep_after_a_greeting_and_in_noise_is_heard() {
        let sound = [speech(), silence(300), sine(&[1000.0], 6000.0, 400), silence(400)].concat();
        assert_eq!(beeps(&sound), 1);
        let noisy = mixed(sound, &noise(500, 8000));
        assert_eq!(beeps(&noisy), 1, "18 dB below the tone");
        // Echo and a fading end do not hide it.
        let fading = [sine(&[900.0], 6000.0, 400), sine(&[900.0], 2000.0, 20), silence(300)].concat();
        assert_eq!(beeps(&fading), 1);
    }

    #[test]
    fn other_sounds_are_none() {
        let then = |sound: Vec<i16>| [sound, silence(400)].concat();
        for (what, sound) in [
            ("silence", silence(3000)),
            ("speech", then(speech())),
            ("noise", then(noise(4000, 2000))),
            ("a key", then(sine(&[770.0, 1336.0], 5000.0, 400))),
            ("ringing", then(sine(&[440.0, 480.0], 5000.0, 2000))),
            ("a click", then(sine(&[1000.0], 8000.0, 120))),
            ("a low hum", then(sine(&[120.0], 8000.0, 500))),
            ("a whistle beyond the pitches of machines", then(sine(&[2600.0], 8000.0, 500))),
            ("a tone that goes on for long", then(sine(&[1000.0], 8000.0, 5000))),
            ("a chord", then(sine(&[440.0, 554.4, 659.3], 3000.0, 800))),
            ("something hardly audible", then(sine(&[1000.0], 60.0, 500))),
        ] {
            assert_eq!(beeps(&sound), 0, "{what}");
        }
    }

    #[test]
    fn a_tone_after_which_somebody_speaks_is_none() {
        let speech: Vec<i16> = speech().into_iter().skip_while(|sample| sample.abs() < 1000).collect();
        let sound = [sine(&[1000.0], 6000.0, 400), silence(60), speech].concat();
        assert_eq!(beeps(&sound), 0);
        let melody = [523.3, 587.3, 659.3, 523.3].map(|hertz| sine(&[hertz], 6000.0, 300)).concat();
        assert_eq!(beeps(&[melody.clone(), melody].concat()), 0, "music goes on");
    }

    #[test]
    fn a_siren_is_none() {
        let mut sound = Vec::new();
        for step in 0..100_u16 {
            sound.extend(sine(&[600.0 + f32::from(step) * 10.0], 6000.0, 20));
        }
        assert_eq!(beeps(&[sound, silence(400)].concat()), 0);
    }

    #[test]
    fn each_of_several_beeps_is_told() {
        let one = [sine(&[1000.0], 6000.0, 300), silence(500)].concat();
        assert_eq!(beeps(&[one.clone(), one.clone(), one].concat()), 3);
    }
}
