//! Takes jobs off a queue as hands become free, soonest first, and never more than there are hands.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::{CallId, DeliveryId};
use jiff::SignedDuration;
use store::jobs::{Job, JobKind, Queue};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

use super::deliver;
use crate::App;
use crate::attempt::{Attempt, log_trouble};
use crate::calls::{dial, wrap_up};

/// How often the queue is looked at without being woken: for jobs that become due, and as a net.
const POLL: Duration = Duration::from_millis(500);

/// The pause after the database could not be asked.
const TROUBLE: Duration = Duration::from_secs(1);

/// How long claimed jobs belong to this process.
const LEASE: SignedDuration = SignedDuration::from_secs(60);

/// How many jobs are claimed at once.
const BATCH: usize = 64;

/// How many jobs of one lane run at once, and so how many sockets one receiver sees.
const PER_LANE: usize = 8;

/// After how long a job comes back whose lane was full.
const LANE_FULL: SignedDuration = SignedDuration::from_millis(250);

/// Which lanes are in use, and how much.
#[derive(Debug, Clone, Default)]
struct Lanes(Arc<Mutex<HashMap<Uuid, usize>>>);

impl Lanes {
    /// True, and counted, if the lane has room.
    fn enter(&self, lane: Option<Uuid>) -> bool {
        let Some(lane) = lane else { return true };
        let mut used = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let used = used.entry(lane).or_default();
        let room = *used < PER_LANE;
        *used += usize::from(room);
        room
    }

    fn leave(&self, lane: Option<Uuid>) {
        let Some(lane) = lane else { return };
        let mut used = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = used.get_mut(&lane) {
            *count -= 1;
            if *count == 0 {
                used.remove(&lane);
            }
        }
    }

    fn full(&self) -> Vec<Uuid> {
        let used = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        used.iter().filter(|(_, count)| **count >= PER_LANE).map(|(lane, _)| *lane).collect()
    }
}

/// Works on a queue until the platform stops.
pub(super) async fn run(app: App, queue: Queue, hands: Arc<Semaphore>) {
    let mut woken = app.store().jobs_added();
    let lanes = Lanes::default();
    while !app.is_stopping() {
        let hand = tokio::select! {
            hand = Arc::clone(&hands).acquire_owned() => hand.expect("the hands are never closed"),
            () = app.stopped() => return,
        };
        woken.mark_unchanged();
        let limit = BATCH.min(1 + hands.available_permits());
        let (node, now) = (app.node(), app.now());
        let claimed =
            store::jobs::claim(app.platform(), queue, node, now, now + LEASE, &lanes.full(), limit).await;
        let pause = match claimed {
            Ok(jobs) if jobs.is_empty() => POLL,
            Ok(jobs) => {
                let mut first = Some(hand);
                for job in jobs {
                    let hand = match first.take() {
                        Some(hand) => hand,
                        None => Arc::clone(&hands).acquire_owned().await.expect("the hands are never closed"),
                    };
                    begin(&app, &lanes, job, hand).await;
                }
                continue;
            }
            Err(error) => {
                log_trouble(&error, "jobs could not be claimed");
                TROUBLE
            }
        };
        drop(hand);
        tokio::select! {
            _ = woken.changed() => {}
            () = tokio::time::sleep(pause) => {}
            () = app.stopped() => {}
        }
    }
}

async fn begin(app: &App, lanes: &Lanes, job: Job, hand: OwnedSemaphorePermit) {
    if !lanes.enter(job.lane) {
        let (id, at) = (job.id, app.now() + LANE_FULL);
        let postponed = app
            .platform()
            .write_lazily(move |tx| Box::pin(async move { store::jobs::postpone(tx, id, at).await }))
            .await;
        if let Err(error) = postponed {
            tracing::warn!(%error, "a job keeps its lease until that runs out");
        }
        return;
    }
    let (app_of_task, lanes) = (app.clone(), lanes.clone());
    app.spawn(async move {
        let lane = job.lane;
        work(&app_of_task, job).await;
        lanes.leave(lane);
        drop(hand);
    });
}

/// Makes one attempt at a job; whatever comes of it has been stored afterwards.
async fn work(app: &App, job: Job) {
    let attempt = Attempt::from(&job);
    match job.kind {
        JobKind::Dial => drop(dial::attempt(app, CallId(job.subject), attempt, None).await),
        JobKind::WrapUp => wrap_up::attempt(app, CallId(job.subject), attempt).await,
        JobKind::Deliver => deliver::attempt(app, DeliveryId(job.subject), attempt).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_takes_eight_and_then_says_so() {
        let lanes = Lanes::default();
        let lane = Some(Uuid::from_u128(1));
        assert!((0..PER_LANE).all(|_| lanes.enter(lane)));
        assert!(!lanes.enter(lane));
        assert!(lanes.enter(Some(Uuid::from_u128(2))), "other lanes do not notice");
        assert_eq!(lanes.full(), [Uuid::from_u128(1)]);
        lanes.leave(lane);
        assert!(lanes.full().is_empty() && lanes.enter(lane));
    }
}
