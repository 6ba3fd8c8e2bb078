//! Changes the sample rate of a stream: a polyphase filter for any ratio of whole numbers.
//!
//! Telephones speak at 8 kHz, browsers at 16 or 48, and voices come at 16, 22.05, 24 or 44.1. Between two rates whose ratio is `up / down` in
//! lowest terms, each output sample is one row of a bank of `up` filters laid over the input. The filters are windowed sines that end at
//! the lower of the two Nyquist frequencies, so nothing folds back. The output begins where the input does: the delay of the filter is
//! taken off at the start and made up for in [`Resampler::finish`].

use std::f64::consts::PI;

/// How many samples of the lower rate the filter reaches to each side, at least.
const CROSSINGS: usize = 13;

/// Where the filter ends, as a share of the lower Nyquist frequency.
const ROLL_OFF: f64 = 0.94;

/// The shape of the Kaiser window: about 70 dB of attenuation.
const BETA: f64 = 7.0;

/// A stream on its way from one rate to another.
#[derive(Debug, Clone)]
pub struct Resampler {
    up: usize,
    down: usize,
    /// The length of each filter; zero if the two rates are the same.
    taps: usize,
    /// `up` filters, one after the other.
    bank: Vec<f32>,
    /// The input that is still needed.
    history: Vec<f32>,
    /// Where the next output sample lies, counted in `1 / up` input samples from the begin of the history.
    next: usize,
}

impl Resampler {
    /// From one rate to another, both in samples per second and neither zero.
    pub fn new(from: u32, to: u32) -> Self {
        let shared = greatest_divisor(from.max(1), to.max(1));
        let (up, down) = ((to.max(1) / shared) as usize, (from.max(1) / shared) as usize);
        if up == down {
            return Self { up, down, taps: 0, bank: Vec::new(), history: Vec::new(), next: 0 };
        }
        // The filter is as many times longer as the lower rate is slower, so that it ends as steeply.
        let slower = down.div_ceil(up).max(1);
        let reach = CROSSINGS * slower;
        let taps = 2 * reach;
        let cutoff = ROLL_OFF * (float(up) / float(down)).min(1.0);
        let bank =
            (0..up).flat_map(|phase| filter(taps, float(reach), cutoff, float(phase) / float(up))).collect();
        // The first output lies on the first input, which stands behind as many zeros as the filter looks back.
        Self { up, down, taps, bank, history: vec![0.0; taps / 2 - 1], next: 0 }
    }

    /// Takes more input and adds to `out` what it completes.
    pub fn push(&mut self, samples: &[i16], out: &mut Vec<i16>) {
        if self.taps == 0 {
            out.extend_from_slice(samples);
            return;
        }
        self.history.extend(samples.iter().map(|&sample| f32::from(sample)));
        loop {
            let (begin, phase) = (self.next / self.up, self.next % self.up);
            let Some(window) = self.history.get(begin..begin + self.taps) else { break };
            let filter = &self.bank[phase * self.taps..(phase + 1) * self.taps];
            let sum: f32 = window.iter().zip(filter).map(|(sample, weight)| sample * weight).sum();
            out.push(sum.round().clamp(f32::from(i16::MIN), f32::from(i16::MAX)) as i16);
            self.next += self.down;
        }
        let used = (self.next / self.up).min(self.history.len());
        self.history.drain(..used);
        self.next -= used * self.up;
    }

    /// The input has ended: adds what the filter still holds. The same resampler can take another stream afterwards.
    pub fn finish(&mut self, out: &mut Vec<i16>) {
        if self.taps > 0 {
            self.push(&vec![0; self.taps / 2], out);
            self.history = vec![0.0; self.taps / 2 - 1];
            self.next = 0;
        }
    }
}

/// The whole of a sound at another rate.
pub fn whole(samples: &[i16], from: u32, to: u32) -> Vec<i16> {
    let mut resampler = Resampler::new(from, to);
    let mut out = Vec::with_capacity(samples.len() * resampler.up / resampler.down + 1);
    resampler.push(samples, &mut out);
    resampler.finish(&mut out);
    out
}

/// The filter for outputs that lie `offset` of an input sample behind an input.
fn filter(taps: usize, reach: f64, cutoff: f64, offset: f64) -> impl Iterator<Item = f32> {
    let weights: Vec<f64> = (0..taps)
        .map(|tap| {
            let distance = float(tap) - (reach - 1.0) - offset;
            let at = distance / reach;
            let window = if at.abs() < 1.0 { bessel(BETA * (1.0 - at * at).sqrt()) } else { 0.0 };
            let x = PI * cutoff * distance;
            window * if x == 0.0 { 1.0 } else { x.sin() / x }
        })
        .collect();
    let sum: f64 = weights.iter().sum();
    weights.into_iter().map(move |weight| (weight / sum) as f32)
}

/// The modified Bessel function of the first kind and order zero, by its series.
fn bessel(x: f64) -> f64 {
    let mut term = 1.0;
    let mut sum = 1.0;
    for k in 1..40 {
        term *= (x / (2.0 * f64::from(k))).powi(2);
        sum += term;
    }
    sum
}

/// Exact: no count here comes near 32 bits.
fn float(count: usize) -> f64 {
    f64::from(u32::try_from(count).expect("filters and rates fit 32 bits"))
}

fn greatest_divisor(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { greatest_divisor(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Half a second of a tone.
    fn tone(rate: u32, hertz: f64) -> Vec<i16> {
        let samples = rate / 2;
        (0..samples)
            .map(|i| (10_000.0 * (2.0 * PI * hertz * f64::from(i) / f64::from(rate)).sin()) as i16)
            .collect()
    }

    fn power(samples: &[i16]) -> f64 {
        samples.iter().map(|&s| f64::from(s).powi(2)).sum::<f64>() / float(samples.len())
    }

    /// How far `heard` is from `expected`, in decibels below it; the edges are left out.
    fn ratio(heard: &[i16], expected: &[i16]) -> f64 {
        let inner = 200..expected.len() - 200;
        let error: Vec<i16> = inner.clone().map(|i| heard[i] - expected[i]).collect();
        10.0 * (power(&expected[inner]) / power(&error).max(1e-9)).log10()
    }

    const RATES: [(u32, u32); 10] = [
        (8000, 16_000),
        (16_000, 8000),
        (8000, 48_000),
        (48_000, 8000),
        (24_000, 8000),
        (22_050, 8000),
        (22_050, 16_000),
        (44_100, 16_000),
        (16_000, 24_000),
        (24_000, 16_000),
    ];

    #[test]
    fn a_tone_is_the_same_tone_at_every_other_rate_and_begins_where_it_began() {
        for (from, to) in RATES {
            let (heard, expected) = (whole(&tone(from, 440.0), from, to), tone(to, 440.0));
            assert!(heard.len().abs_diff(expected.len()) <= 1, "{from} to {to}: {}", heard.len());
            let clean = ratio(
                &heard[..expected.len().min(heard.len())],
                &expected[..expected.len().min(heard.len())],
            );
            assert!(clean > 45.0, "{from} to {to}: {clean} dB");
        }
    }

    #[test]
    fn what_the_lower_rate_cannot_hold_is_taken_out_instead_of_folded_back() {
        for (from, to, hertz) in [(48_000, 8000, 6000.0), (24_000, 8000, 5500.0), (22_050, 16_000, 10_000.0)]
        {
            let heard = whole(&tone(from, hertz), from, to);
            let left =
                10.0 * (power(&tone(from, hertz)) / power(&heard[200..heard.len() - 200]).max(1e-9)).log10();
            assert!(left > 50.0, "{hertz} Hz from {from} to {to}: only {left} dB lower");
        }
    }

    #[test]
    fn it_does_not_matter_how_a_stream_is_cut() {
        let sound = tone(22_050, 300.0);
        for (from, to) in RATES {
            let expected = whole(&sound, from, to);
            for size in [1, 7, 160, 441] {
                let (mut resampler, mut heard) = (Resampler::new(from, to), Vec::new());
                sound.chunks(size).for_each(|chunk| resampler.push(chunk, &mut heard));
                resampler.finish(&mut heard);
                assert!(heard == expected, "{from} to {to} in pieces of {size}");
            }
        }
    }

    #[test]
    fn loud_sounds_are_limited_and_silence_stays_silence() {
        let square: Vec<i16> = (0..4000).map(|i| if i / 10 % 2 == 0 { i16::MAX } else { i16::MIN }).collect();
        assert_eq!(whole(&square, 8000, 16_000).len(), 8000);
        assert!(whole(&[0; 800], 8000, 22_050).iter().all(|&sample| sample == 0));
        assert!(whole(&[], 8000, 16_000).iter().all(|&sample| sample == 0));
        assert_eq!(whole(&square, 8000, 8000), square);
    }
}
