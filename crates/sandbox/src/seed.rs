//! The sandbox's dice. Written here rather than borrowed, because a transcript must not change when a library does.

use std::time::Duration;

use crate::Span;

/// A sequence of numbers that depends on nothing but its seed (the generator known as SplitMix64).
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    /// Dice for calls to one number.
    pub(crate) fn new(seed: u64, number: &str) -> Self {
        // FNV-1a, 64 bit.
        let hash = number.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        Self(seed ^ hash)
    }

    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// One of several things.
    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        let count = u64::try_from(from.len()).ok().filter(|count| *count > 0)?;
        from.get(usize::try_from(self.roll() % count).ok()?)
    }

    /// A time within a span, in whole milliseconds.
    pub(crate) fn within(&mut self, span: Span) -> Duration {
        let width = u64::try_from(span.longest.saturating_sub(span.shortest).as_millis()).unwrap_or(u64::MAX);
        span.shortest + Duration::from_millis(self.roll() % width.saturating_add(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_seeds_roll_equally_and_numbers_differ() {
        let rolls = |seed: u64, number: &str| {
            let mut dice = Dice::new(seed, number);
            [dice.roll(), dice.roll()]
        };
        assert_eq!(rolls(1, "+15005550006"), rolls(1, "+15005550006"));
        assert_ne!(rolls(1, "+15005550006"), rolls(1, "+15005550007"));
        assert_ne!(rolls(1, "+15005550006"), rolls(2, "+15005550006"));
    }

    #[test]
    fn times_stay_within_their_span() {
        let span = Span { shortest: Duration::from_millis(300), longest: Duration::from_millis(302) };
        let mut dice = Dice::new(0, "");
        let seen: std::collections::BTreeSet<u128> =
            (0..100).map(|_| dice.within(span).as_millis()).collect();
        assert_eq!(seen.into_iter().collect::<Vec<_>>(), [300, 301, 302]);
    }
}
