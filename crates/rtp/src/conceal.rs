//! Sound in place of sound that is missing.
//!
//! A voice repeats itself every few milliseconds while it sounds. What is missing is filled with repetitions of the last period, which
//! fade out, and the real sound fades in when it is back. An ear does not notice one lost packet then, and a recogniser rarely does.

/// The shortest period looked for, in samples of a voice at 8,000 per second: 400 Hz.
const SHORTEST: usize = 20;

/// The longest: 66 Hz.
const LONGEST: usize = 120;

/// How much sound is compared with itself to find the period.
const COMPARED: usize = 160;

/// What is kept of the sound before: enough to compare, and to blend one period into the next.
const KEPT: usize = COMPARED + LONGEST + LONGEST / 4;

/// Repetitions are as loud as the original for so long, 10 ms …
const LOUD: usize = 80;

/// … and silent after so long, 60 ms.
const SILENT: usize = 480;

/// How long the real sound takes to fade in, 5 ms.
const FADE: usize = 40;

/// Fills gaps in one stream of samples.
#[derive(Debug)]
pub(crate) struct Concealer {
    /// The last [`KEPT`] samples that went out.
    history: Vec<i16>,
    /// The period that is repeated while there is a gap.
    period: Vec<i16>,
    /// How much of the present gap has been filled.
    filled: usize,
}

impl Concealer {
    pub(crate) fn new() -> Self {
        Self { history: vec![0; KEPT], period: Vec::with_capacity(LONGEST), filled: 0 }
    }

    /// Takes real sound on its way out; after a gap, its beginning is blended with what filled the gap.
    pub(crate) fn pass(&mut self, samples: &mut [i16]) {
        if self.filled > 0 {
            let fade = FADE.min(samples.len());
            for (place, sample) in samples.iter_mut().take(fade).enumerate() {
                *sample = blend(self.repeated(), *sample, place, fade);
                self.filled += 1;
            }
            self.filled = 0;
        }
        push(&mut self.history, samples);
    }

    /// Makes the next real sound fade in as after a gap, because something before it was left out.
    pub(crate) fn cut(&mut self) {
        if self.filled == 0 {
            self.find_period();
        }
        self.filled = self.filled.max(1);
    }

    /// Appends so many samples for sound that is missing.
    pub(crate) fn fill(&mut self, count: usize, out: &mut Vec<i16>) {
        if self.filled == 0 {
            self.find_period();
        }
        let start = out.len();
        for _ in 0..count {
            out.push(self.repeated());
            self.filled += 1;
        }
        push(&mut self.history, &out[start..]);
    }

    /// True if the last 20 ms that went out were so quiet that nobody notices whether they last longer or shorter.
    pub(crate) fn is_quiet(&self) -> bool {
        is_quiet(&self.history[KEPT - COMPARED..])
    }

    /// The sample of the repetition that is due.
    fn repeated(&self) -> i16 {
        let Some(sample) = self.period.get(self.filled % self.period.len().max(1)) else { return 0 };
        match self.filled {
            ..LOUD => *sample,
            LOUD..SILENT => blend(*sample, 0, self.filled - LOUD, SILENT - LOUD),
            _ => 0,
        }
    }

    /// Finds the period at which the last sound resembles itself most, and prepares it for repetition: its end is blended into what
    /// stood before its beginning, so that there is no click where it starts anew.
    fn find_period(&mut self) {
        let recent = &self.history[KEPT - COMPARED..];
        let likeness = |lag: usize| {
            let earlier = &self.history[KEPT - COMPARED - lag..KEPT - lag];
            let (mut product, mut energy) = (0.0_f32, 1.0_f32);
            for (now, then) in recent.iter().zip(earlier) {
                let (now, then) = (f32::from(*now), f32::from(*then));
                product += now * then;
                energy += then * then;
            }
            product / energy.sqrt()
        };
        let mut best = (SHORTEST, likeness(SHORTEST));
        for lag in SHORTEST + 1..=LONGEST {
            let found = likeness(lag);
            if found > best.1 {
                best = (lag, found);
            }
        }
        let (lag, _) = best;
        let start = KEPT - lag;
        self.period.clear();
        self.period.extend_from_slice(&self.history[start..]);
        let seam = lag / 4;
        for place in 0..seam {
            let at = lag - seam + place;
            self.period[at] = blend(self.period[at], self.history[start - seam + place], place, seam);
        }
    }
}

/// True if these samples hold no more than the noise of a line: on average below 48 dB under the loudest.
pub(crate) fn is_quiet(samples: &[i16]) -> bool {
    let loudness: u64 = samples.iter().map(|sample| u64::from(sample.unsigned_abs())).sum();
    loudness <= 130 * samples.len() as u64
}

/// From one value to another as `place` goes from 0 to `length`.
fn blend(from: i16, to: i16, place: usize, length: usize) -> i16 {
    let share = |part: usize| i32::try_from(part).unwrap_or(i32::MAX);
    let (from, to) = (i32::from(from), i32::from(to));
    let mixed = (from * share(length - place) + to * share(place)) / share(length);
    i16::try_from(mixed).unwrap_or_default()
}

/// Appends to a window that keeps its length.
fn push(window: &mut [i16], samples: &[i16]) {
    let samples = &samples[samples.len().saturating_sub(window.len())..];
    let kept = window.len() - samples.len();
    window.copy_within(samples.len().., 0);
    window[kept..].copy_from_slice(samples);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tone with this period in samples; one that is no whole number is met only by a multiple.
    fn tone(period: f64, from: u32, count: u32) -> Vec<i16> {
        (from..from + count)
            .map(|at| {
                let value = (f64::from(at) / period * std::f64::consts::TAU).sin() * 8000.0;
                #[expect(clippy::cast_possible_truncation, reason = "at most 8000")]
                let sample = value as i16;
                sample
            })
            .collect()
    }

    #[test]
    fn a_lost_packet_in_a_tone_leaves_no_gap_and_no_click() {
        for period in [20.0, 36.5, 61.0, 80.0, 119.0] {
            let mut concealer = Concealer::new();
            concealer.pass(&mut tone(period, 0, 800));
            let mut out = tone(period, 799, 1);
            concealer.fill(160, &mut out);
            let mut after = tone(period, 960, 160);
            concealer.pass(&mut after);
            out.extend(after);
            let steepest = out.windows(2).map(|pair| (i32::from(pair[1]) - i32::from(pair[0])).abs()).max();
            let steepest_of_tone = tone(period, 0, 800)
                .windows(2)
                .map(|pair| (i32::from(pair[1]) - i32::from(pair[0])).abs())
                .max();
            assert!(steepest <= steepest_of_tone.map(|step| step * 2), "{period}: {steepest:?}");
            assert!(!is_quiet(&out[80..160]), "{period}: the gap is heard");
        }
    }

    #[test]
    fn a_long_gap_fades_to_silence_instead_of_humming() {
        let mut concealer = Concealer::new();
        concealer.pass(&mut tone(40.0, 0, 800));
        let mut out = Vec::new();
        concealer.fill(640, &mut out);
        assert!(!is_quiet(&out[..160]));
        assert!(out[SILENT..].iter().all(|sample| *sample == 0));
        assert!(
            !concealer.history.is_empty() && concealer.history.len() == KEPT,
            "what is kept does not grow"
        );
    }

    #[test]
    fn sound_after_no_gap_is_not_touched() {
        let mut concealer = Concealer::new();
        let sound = tone(33.0, 0, 160);
        let mut passed = sound.clone();
        concealer.pass(&mut passed);
        assert_eq!(passed, sound);
        assert!(!concealer.is_quiet());
        concealer.pass(&mut [0; 160]);
        assert!(concealer.is_quiet());
    }
}
