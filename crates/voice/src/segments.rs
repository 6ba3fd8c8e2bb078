//! When the other party begins and stops speaking, from how likely that is in each tick.
//!
//! A word must last a moment before it counts, and a pause as well, so that neither a click nor the gap before a consonant changes
//! anything. While the agent speaks, its own echo on the line is the likeliest sound: then it must be clearer and last longer.

/// What has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    Started,
    Stopped,
}

/// From here on it may be speech.
const LIKELY: f32 = 0.5;

/// From here on it is speech even over our own voice.
const CERTAIN: f32 = 0.7;

/// Ticks of speech that begin a segment: 60 ms, and 200 ms while the agent speaks.
const BEGINS: u32 = 3;
const BARGES_IN: u32 = 10;

/// Ticks of silence that end it: 200 ms.
const ENDS: u32 = 10;

#[derive(Debug, Default)]
pub(crate) struct Segments {
    is_speaking: bool,
    /// Ticks in a row that speak against the present state.
    against: u32,
}

impl Segments {
    /// True while the other party speaks.
    pub(crate) fn is_speaking(&self) -> bool {
        self.is_speaking
    }

    /// True if a tick in which the other party speaks this likely belongs to their words.
    pub(crate) fn has_words(&self, activity: f32) -> bool {
        self.is_speaking && activity >= LIKELY
    }

    /// Takes one tick.
    pub(crate) fn hear(&mut self, activity: f32, agent_speaks: bool) -> Option<Change> {
        let (least, needed) = match (self.is_speaking, agent_speaks) {
            (true, _) => (LIKELY, ENDS),
            (false, true) => (CERTAIN, BARGES_IN),
            (false, false) => (LIKELY, BEGINS),
        };
        if (activity >= least) == self.is_speaking {
            self.against = 0;
            return None;
        }
        self.against += 1;
        if self.against < needed {
            return None;
        }
        self.against = 0;
        self.is_speaking = !self.is_speaking;
        Some(if self.is_speaking { Change::Started } else { Change::Stopped })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When what changes, in ticks.
    fn changes(pattern: &[(f32, u32)], agent_speaks: bool) -> Vec<(u32, Change)> {
        let mut segments = Segments::default();
        let ticks = pattern.iter().flat_map(|(activity, count)| (0..*count).map(move |_| *activity));
        (0..)
            .zip(ticks)
            .filter_map(|(tick, activity)| Some((tick, segments.hear(activity, agent_speaks)?)))
            .collect()
    }

    #[test]
    fn words_begin_quickly_and_end_after_a_pause() {
        let talk = changes(&[(0.1, 10), (0.9, 20), (0.1, 9), (0.8, 20), (0.2, 30)], false);
        assert_eq!(talk, [(12, Change::Started), (68, Change::Stopped)], "a short pause is none");
    }

    #[test]
    fn a_click_is_nobody() {
        assert_eq!(changes(&[(0.1, 10), (0.9, 2), (0.1, 30)], false), []);
    }

    #[test]
    fn over_our_own_voice_it_takes_more() {
        assert_eq!(changes(&[(0.6, 50)], true), [], "that may be our echo");
        assert_eq!(changes(&[(0.9, 9), (0.1, 30)], true), [], "too short");
        assert_eq!(changes(&[(0.9, 12)], true), [(9, Change::Started)]);
    }
}
