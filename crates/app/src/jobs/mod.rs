//! Work that must happen: what it is, and who does it when.
//!
//! A job commits with the change that asks for it and is finished in the transaction that stores its result. A process that
//! dies loses its lease, and another one does the work again; each job is written so that this does no harm.

mod deliver;
pub use crate::posting::limits as webhook_limits;
mod lanes;
mod remote;
mod runner;
mod sweep;

use std::time::Duration;

use jiff::SignedDuration;
use store::StoreError;
use store::jobs::Queue;

use domain::JobId;
use domain::call::{Ending, FailureCode, Progress, Report};

use crate::agents::AgentError;
use crate::attempt::log_trouble;
use crate::calls::intake::{self, Also};
use crate::{App, Retention, retention};

/// How long other processes believe that this one lives without hearing from it.
const NODE_LEASE: SignedDuration = SignedDuration::from_secs(15);

/// How long any lease lasts at most.
const LONGEST_LEASE: SignedDuration = SignedDuration::from_secs(60);

/// A clock that goes back by less is left alone.
const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_secs(10);

/// How often this process says that it lives.
const BEAT: Duration = Duration::from_secs(4);

/// Takes over what a crash left behind, then works on jobs until [`App::stop`].
pub async fn start(app: &App) -> Result<(), StoreError> {
    let last_attempt = app
        .platform()
        .read(|tx| Box::pin(async move { store::deliveries::last_attempt_at(tx).await }))
        .await?;
    if let Some(last_attempt) = last_attempt {
        app.saw_time(last_attempt);
    }
    heed_clock(app).await?;
    let (node, lease_until) = (app.node(), app.now() + NODE_LEASE);
    // An SQLite file belongs to one process, so whoever else is written down there is dead.
    let alone = !app.store().is_shared();
    app.platform()
        .write(move |tx| {
            Box::pin(async move {
                store::nodes::beat(tx, node, lease_until).await?;
                if alone {
                    store::nodes::forget_others(tx, node).await?;
                }
                Ok::<_, StoreError>(())
            })
        })
        .await?;
    sweep::settle_lost_calls(app).await?;
    let living = app.clone();
    app.beat_every(BEAT, move || heartbeat(living.clone()));
    app.spawn(cut_short(app.clone()));
    app.spawn(runner::run(app.clone(), Queue::Calls, app.call_hands()));
    app.spawn(runner::run(app.clone(), Queue::Deliveries, app.delivery_hands()));
    app.spawn(sweep::run(app.clone()));
    if app.settings().retention != Retention::default() {
        app.spawn(retention::run(app.clone()));
    }
    if remote::syncing(app).next().is_some() {
        app.spawn(remote::run(app.clone()));
    }
    warn_of_missing_engines(app).await
}

/// Logs which running calls belong to an engine that is no longer configured.
async fn warn_of_missing_engines(app: &App) -> Result<(), StoreError> {
    let unfinished = app
        .platform()
        .read(|tx| Box::pin(async move { store::calls::unfinished_by_engine(tx).await }))
        .await?;
    for (engine, calls) in unfinished {
        if app.engines().of(&engine).is_none() {
            tracing::warn!(engine, calls, "calls are under way on an engine that is not configured");
        }
    }
    Ok(())
}

/// Does at once what otherwise happens every few seconds: says that this process lives, looks after calls of which nothing is
/// heard, compares both sides of what an engine keeps for us, and begins jobs that have become due.
pub async fn look_after(app: &App) -> Result<(), StoreError> {
    beat(app).await?;
    sweep::sweep(app, false).await?;
    remote::repair(app, true).await;
    app.store().wake_workers();
    Ok(())
}

/// Does at once what otherwise happens once an hour: throws away what has been kept long enough.
pub async fn throw_away(app: &App) -> Result<(), StoreError> {
    sweep::throw_away(app, app.now()).await
}

/// Has a job that was given up done again by whichever process runs on the database. False if there is no such job.
pub async fn retry(app: &App, id: JobId) -> Result<bool, StoreError> {
    let now = app.now();
    app.platform().write(move |tx| Box::pin(async move { store::jobs::revive(tx, id, now).await })).await
}

/// What came of importing the numbers that engines hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Imported {
    /// How many were new.
    pub added: usize,
    /// How many had been registered before.
    pub known: usize,
    /// Those that cannot be used: what each is, and why.
    pub skipped: Vec<String>,
}

/// Registers the numbers that engines hold.
pub async fn import_numbers(app: &App) -> Result<Imported, AgentError> {
    let mut imported = Imported::default();
    for engine in app.engines().all_open() {
        if let Some(registry) = engine.numbers() {
            let held = registry.list().await?;
            let listed = held.numbers.len();
            let added = remote::register(app, engine.name(), held.numbers).await?;
            imported.added += added;
            imported.known += listed - added;
            imported.skipped.extend(held.skipped);
        }
    }
    Ok(imported)
}

async fn heartbeat(app: App) {
    if let Err(error) = beat(&app).await {
        log_trouble(&app, &error, "could not renew this process's lease");
    }
}

/// If the clock has been set back, brings what is planned along: nothing waits until it has caught up.
async fn heed_clock(app: &App) -> Result<(), StoreError> {
    let now = app.now();
    let by = app.saw_time(now);
    if by <= CLOCK_TOLERANCE {
        return Ok(());
    }
    tracing::warn!(seconds = by.as_secs(), "The clock was set back; what is planned is brought along");
    app.platform()
        .write(move |tx| {
            Box::pin(async move { store::jobs::clock_was_set_back(tx, now, by, now + LONGEST_LEASE).await })
        })
        .await
}

/// Ends the calls that engines of this process still run when it can wait for them no longer.
async fn cut_short(app: App) {
    if !app.waits_no_longer().await {
        return;
    }
    for id in app.reports().running() {
        let at = app.now();
        let ending = Ending::Failed(FailureCode::InternalError);
        let progress = Progress::Ended { ending, reason: "server-stopped".to_owned() };
        let report = Report { call_id: id, at, progress };
        let ended = match intake::take(&app, id, vec![report], Also::default()).await {
            Ok(applied) => applied.call,
            Err(error) => {
                log_trouble(&app, &error, "a call is cut short without a word of it");
                continue;
            }
        };
        if let Some(call) = ended
            && let Some(engine) = app.engine_of(&call)
        {
            engine.hang_up(id, call.conversation_id()).await;
        }
    }
}

async fn beat(app: &App) -> Result<(), StoreError> {
    heed_clock(app).await?;
    let (node, lease_until) = (app.node(), app.now() + NODE_LEASE);
    app.platform()
        .write_lazily(move |tx| Box::pin(async move { store::nodes::beat(tx, node, lease_until).await }))
        .await
}
