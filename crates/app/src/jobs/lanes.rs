//! Lanes: the jobs of one receiver, of which only some may run at once.
//!
//! Jobs that were claimed and find their lane full wait here, a few of them, and begin as soon as one of the lane is done. So a fast
//! receiver never waits for the next claim, and a slow one holds nothing but its own lane.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use store::jobs::Job;
use tokio::sync::Notify;
use uuid::Uuid;

/// How many jobs of one lane run at once, and so how many sockets one receiver sees.
const PER_LANE: usize = 8;

/// How many jobs of one lane are claimed at once. What is claimed beyond the room that there is waits its turn. A receiver that lets
/// each attempt wait until its end has all of them behind it well within their lease.
pub(super) const CLAIMED_AT_ONCE: usize = 3 * PER_LANE;

/// A lane with fewer waiting jobs may get more.
const FEW: usize = PER_LANE;

/// The lanes in use.
#[derive(Debug, Clone, Default)]
pub(super) struct Lanes(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    lanes: Mutex<HashMap<Uuid, Lane>>,
    /// Rung when a lane that was full has room again.
    room: Notify,
}

#[derive(Debug, Default)]
struct Lane {
    running: usize,
    waiting: VecDeque<Job>,
}

/// A place in a lane. Whoever drops it lets the next one in.
pub(super) struct Place {
    lanes: Lanes,
    lane: Uuid,
    begin: Begin,
}

/// Begins a job that has waited for its lane.
pub(super) type Begin = Arc<dyn Fn(Job, Place) + Send + Sync>;

impl Lanes {
    /// Begins a job now if its lane has room, or when it has.
    pub(super) fn enter(&self, lane: Uuid, job: Job, begin: &Begin) {
        {
            let mut lanes = self.lanes();
            let used = lanes.entry(lane).or_default();
            if used.running >= PER_LANE {
                used.waiting.push_back(job);
                return;
            }
            used.running += 1;
        }
        begin(job, Place { lanes: self.clone(), lane, begin: Arc::clone(begin) });
    }

    /// Lanes of which no more jobs are to be claimed for now.
    pub(super) fn full(&self) -> Vec<Uuid> {
        self.lanes().iter().filter(|(_, lane)| lane.waiting.len() >= FEW).map(|(&lane, _)| lane).collect()
    }

    /// Waits until a lane that was full has room again.
    pub(super) async fn room(&self) {
        self.0.room.notified().await;
    }

    /// The next job of a lane, which takes over the place of one that is done.
    fn next(&self, lane: Uuid) -> Option<Job> {
        let mut lanes = self.lanes();
        let used = lanes.get_mut(&lane)?;
        let next = used.waiting.pop_front();
        if next.is_none() {
            used.running -= 1;
            if used.running == 0 {
                lanes.remove(&lane);
            }
        } else if used.waiting.len() + 1 == FEW {
            self.0.room.notify_one();
        }
        next
    }

    fn lanes(&self) -> MutexGuard<'_, HashMap<Uuid, Lane>> {
        self.0.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(next) = self.lanes.next(self.lane) {
            let place = Self { lanes: self.lanes.clone(), lane: self.lane, begin: Arc::clone(&self.begin) };
            (self.begin)(next, place);
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::{JobId, Timestamp};
    use futures_util::FutureExt as _;
    use store::jobs::JobKind;

    use super::*;

    fn job(number: u128) -> Job {
        let (id, subject) = (JobId(Uuid::from_u128(number)), Uuid::from_u128(number));
        let time = Timestamp::UNIX_EPOCH;
        Job { id, kind: JobKind::Deliver, subject, lane: None, attempts: 1, run_at: time, lease_until: time }
    }

    #[test]
    fn a_lane_runs_eight_and_lets_the_next_in_when_one_is_done() {
        let lanes = Lanes::default();
        let begun: Arc<Mutex<VecDeque<(u128, Place)>>> = Arc::default();
        let note = Arc::clone(&begun);
        let begin: Begin = Arc::new(move |job, place| {
            note.lock().expect("no panic").push_back((job.subject.as_u128(), place));
        });
        let (slow, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        for number in 1..=16 {
            lanes.enter(slow, job(number), &begin);
        }
        lanes.enter(other, job(100), &begin);
        let numbers =
            || begun.lock().expect("no panic").iter().map(|(number, _)| *number).collect::<Vec<_>>();
        assert_eq!(numbers(), [1, 2, 3, 4, 5, 6, 7, 8, 100], "other lanes do not notice");
        assert_eq!(lanes.full(), [slow]);
        let first = begun.lock().expect("no panic").pop_front();
        drop(first);
        assert_eq!(numbers(), [2, 3, 4, 5, 6, 7, 8, 100, 9]);
        assert!(lanes.full().is_empty(), "more can be claimed in time");
        while let Some(place) = { begun.lock().expect("no panic").pop_front() } {
            drop(place);
        }
        assert!(lanes.lanes().is_empty(), "nothing is left of lanes that are done");
    }

    #[test]
    fn whoever_waits_for_room_hears_of_a_full_lane_that_may_get_more_once() {
        let lanes = Lanes::default();
        let places: Arc<Mutex<Vec<Place>>> = Arc::default();
        let kept = Arc::clone(&places);
        let begin: Begin = Arc::new(move |_, place| kept.lock().expect("no panic").push(place));
        let lane = Uuid::from_u128(1);
        for number in 1..=17 {
            lanes.enter(lane, job(number), &begin);
        }
        let is_told = || lanes.room().now_or_never().is_some();
        let is_done = || {
            let place = places.lock().expect("no panic").pop();
            drop(place);
        };
        assert_eq!((is_told(), lanes.full()), (false, vec![lane]), "nine wait");
        is_done();
        assert_eq!((is_told(), lanes.full()), (false, vec![lane]), "eight wait: it is still full");
        is_done();
        assert_eq!((is_told(), lanes.full()), (true, vec![]), "seven wait");
        is_done();
        assert!(!is_told(), "that is known");
    }
}
