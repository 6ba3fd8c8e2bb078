//! How often one number may be called.

use jiff::SignedDuration;

use crate::Timestamp;
use crate::business::Limits;

/// The two windows that are looked at, each ending when the call is to be dialled.
pub const DAY: SignedDuration = SignedDuration::from_hours(24);
pub const WEEK: SignedDuration = SignedDuration::from_hours(7 * 24);

pub(super) const A_DAY: &str = "24 hours";
const A_WEEK: &str = "7 days";

/// What attempts so far leave of a limit within a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Window {
    /// When there is room for another call, if there is none now.
    pub(super) frees_at: Option<Timestamp>,
    pub(super) max: u32,
    pub(super) made: usize,
    pub(super) within: &'static str,
}

/// Counts the attempts, the latest of which comes first, in the windows that have a limit.
pub(super) fn windows(limits: Limits, attempts: &[Timestamp], at: Timestamp) -> Vec<Window> {
    let set = [(limits.attempts_per_day, DAY, A_DAY), (limits.attempts_per_week, WEEK, A_WEEK)];
    let set = set.into_iter().filter_map(|(max, length, within)| Some((max?, length, within)));
    set.map(|(max, length, within)| {
        let is_recent = |made: &&Timestamp| **made > at - length && **made <= at;
        let recent: Vec<Timestamp> = attempts.iter().filter(is_recent).copied().collect();
        let allowed = usize::try_from(max).unwrap_or(usize::MAX);
        // There is room again when the oldest of those that fill the window leaves it.
        let oldest = allowed.checked_sub(1).and_then(|index| recent.get(index)).copied();
        let frees_at = (recent.len() >= allowed).then(|| oldest.unwrap_or(at) + length);
        Window { frees_at, max, made: recent.len(), within }
    })
    .collect()
}
