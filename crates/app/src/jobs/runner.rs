//! Takes jobs off a queue as hands become free, soonest first, and never works on more than there are hands.

use std::sync::Arc;
use std::time::Duration;

use domain::{CallId, DeliveryId};
use jiff::SignedDuration;
use store::jobs::{Claim, Job, JobKind, Queue};
use tokio::sync::Semaphore;

use super::deliver;
use super::lanes::{Begin, CLAIMED_AT_ONCE, Lanes, Place};
use crate::App;
use crate::attempt::{self, Attempt, log_trouble};
use crate::calls::{dial, wrap_up};

/// How often the queue is looked at without being woken: for jobs that become due, and as a net.
const POLL: Duration = Duration::from_millis(500);

/// How long a claim waits for more jobs when one has been added, so that a flood of them takes few claims.
const GATHERING: Duration = Duration::from_millis(3);

/// The pause after the database could not be asked.
const TROUBLE: Duration = Duration::from_secs(1);

/// How long claimed jobs belong to this process.
const LEASE: SignedDuration = SignedDuration::from_secs(60);

/// How many jobs are claimed at once.
const BATCH: usize = 64;

/// What is left of a lease at least when a job begins that has waited for its lane: longer than an attempt may take.
const ENOUGH_LEASE: SignedDuration = SignedDuration::from_secs(15);

/// Works on a queue until the platform stops.
pub(super) async fn run(app: App, queue: Queue, hands: Arc<Semaphore>) {
    let mut woken = app.store().jobs_added();
    let lanes = Lanes::default();
    let in_its_turn = in_its_turn(&app, &hands);
    while !app.is_stopping() {
        let mut hand = tokio::select! {
            hand = Arc::clone(&hands).acquire_owned() => Some(hand.expect("the hands are never closed")),
            () = app.stopped() => return,
        };
        woken.mark_unchanged();
        let now = app.now();
        let claim = Claim {
            queue,
            node: app.node(),
            now,
            lease_until: now + LEASE,
            limit: BATCH.min(1 + hands.available_permits()),
            per_lane: CLAIMED_AT_ONCE,
        };
        let pause = match store::jobs::claim(app.platform(), claim, &lanes.full()).await {
            Ok(jobs) if jobs.is_empty() => POLL,
            Ok(jobs) => {
                for job in jobs {
                    if let Some(lane) = job.lane {
                        lanes.enter(lane, job, &in_its_turn);
                        continue;
                    }
                    let hand = match hand.take() {
                        Some(hand) => hand,
                        None => Arc::clone(&hands).acquire_owned().await.expect("the hands are never closed"),
                    };
                    let app_of_task = app.clone();
                    app.spawn(async move {
                        begin(&app_of_task, job, None).await;
                        drop(hand);
                    });
                }
                continue;
            }
            Err(error) => {
                log_trouble(&app, &error, "jobs could not be claimed");
                TROUBLE
            }
        };
        drop(hand);
        tokio::select! {
            _ = woken.changed() => tokio::time::sleep(GATHERING).await,
            () = lanes.room() => {}
            () = tokio::time::sleep(pause) => {}
            () = app.stopped() => {}
        }
    }
}

/// Begins jobs that have a place in their lane, each as soon as there is a hand for it.
fn in_its_turn(app: &App, hands: &Arc<Semaphore>) -> Begin {
    let (app, hands) = (app.clone(), Arc::clone(hands));
    Arc::new(move |job, place| {
        let (app_of_task, hands) = (app.clone(), Arc::clone(&hands));
        app.spawn(async move {
            let hand = hands.acquire_owned().await.expect("the hands are never closed");
            // One that has waited for too long is claimed again.
            if app_of_task.is_stopping() || app_of_task.now() + ENOUGH_LEASE < job.lease_until {
                begin(&app_of_task, job, Some(place)).await;
            }
            drop(hand);
        });
    })
}

/// Begins with a claimed job, unless this process stops: then another one does.
async fn begin(app: &App, job: Job, place: Option<Place>) {
    if !app.is_stopping() {
        return work(app, job, place).await;
    }
    if let Err(error) = attempt::give_back(app, Attempt::from(&job).held(app)).await {
        tracing::warn!(job = %job.id, %error, "A job keeps its lease until this process signs off");
    }
}

/// Makes one attempt at a job; whatever comes of it has been stored afterwards.
async fn work(app: &App, job: Job, place: Option<Place>) {
    let attempt = Attempt::from(&job);
    match job.kind {
        JobKind::Dial => drop(dial::attempt(app, CallId(job.subject), attempt, None).await),
        JobKind::WrapUp => wrap_up::attempt(app, CallId(job.subject), attempt).await,
        JobKind::Deliver => deliver::attempt(app, DeliveryId(job.subject), attempt, place).await,
    }
}
