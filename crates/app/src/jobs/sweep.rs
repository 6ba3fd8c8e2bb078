//! Settles what a dead process or a silent engine left behind: calls of processes that died, calls that fell silent, wrap-ups
//! past their deadline, and data that has been kept long enough.

use std::time::Duration;

use domain::call::{Call, CallState, Progress, Report};
use domain::engine::Fate;
use domain::{CallId, Timestamp};
use futures_util::StreamExt as _;
use jiff::SignedDuration;
use store::{BoxFuture, PlatformTx, StoreError};

use crate::App;
use crate::attempt::{self, log_trouble};
use crate::calls::ending;
use crate::calls::hang_up::hang_up;
use crate::calls::inquiry::inquire;
use crate::calls::intake::{self, Also};

/// How many calls are asked after at once.
const AT_ONCE: usize = 16;

/// Pause before an engine that could not be reached is asked again.
const UNREACHABLE: Duration = Duration::from_secs(25);

/// How long after its longest talk a call is over even if its engine cannot be asked.
const SURELY_OVER: SignedDuration = SignedDuration::from_secs(25);

/// How long messages of engines are kept.
const MESSAGES_KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// How often calls are looked after.
const EVERY: Duration = Duration::from_secs(5);

/// How many calls are looked after in one go.
const BATCH: u32 = 256;

/// A running call of which nothing has been heard for so long is asked after.
const SILENCE: SignedDuration = SignedDuration::from_mins(10);

/// A call whose placing had no clear outcome is asked after this long after it began.
const UNCERTAIN: SignedDuration = SignedDuration::from_secs(60);

/// How much longer than its own limit a wrap-up may take before the call is ended for it.
const GRACE: SignedDuration = SignedDuration::from_secs(1);

/// How many rounds pass between two rounds of throwing old things away: once an hour.
const PURGE_ROUNDS: u32 = 720;

/// How long idempotency records are kept.
const IDEMPOTENCY_KEPT: SignedDuration = SignedDuration::from_hours(72);

/// How long delivery attempts are kept.
const ATTEMPTS_KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// How old the beginnings of recordings are that somebody died over.
const DRAFTS_KEPT: SignedDuration = SignedDuration::from_hours(24);

/// How long events are kept.
const EVENTS_KEPT: SignedDuration = SignedDuration::from_hours(90 * 24);

/// How long jobs that were given up are kept: as long as the events that they were about.
const FAILED_JOBS_KEPT: SignedDuration = EVENTS_KEPT;

/// Sweeps until the platform stops.
pub(super) async fn run(app: App) {
    let mut round = 0_u32;
    while app.pause(EVERY).await {
        round = round.wrapping_add(1);
        let swept =
            attempt::guarded("sweep", Box::pin(sweep(&app, round.is_multiple_of(PURGE_ROUNDS)))).await;
        if let Some(Err(error)) = swept {
            log_trouble(&app, &error, "sweeping has to wait");
        }
    }
}

pub(super) async fn sweep(app: &App, purge: bool) -> Result<(), StoreError> {
    let now = app.now();
    app.platform().write(move |tx| Box::pin(async move { store::nodes::forget_lost(tx, now).await })).await?;
    settle_lost_calls(app).await?;
    let due = app
        .platform()
        .read(move |tx| Box::pin(async move { store::calls::to_check(tx, now, BATCH).await }))
        .await?;
    futures_util::stream::iter(due)
        .for_each_concurrent(AT_ONCE, async |due| {
            if !app.is_stopping() {
                settle(app, &due.call, due.end_seen_at).await;
            }
        })
        .await;
    let silent = app
        .platform()
        .read(move |tx| {
            Box::pin(async move {
                let mut calls = store::calls::running_silent_since(tx, now - SILENCE, BATCH).await?;
                calls.extend(store::calls::dialing_since(tx, now - UNCERTAIN, BATCH).await?);
                Ok::<_, StoreError>(calls)
            })
        })
        .await?;
    let to_end =
        app.platform().read(|tx| Box::pin(async move { store::calls::to_end(tx, BATCH).await })).await?;
    futures_util::stream::iter(to_end)
        .for_each_concurrent(AT_ONCE, async |call| {
            if app.is_stopping() {
                return;
            }
            attempt::guarded("ending a call that somebody asked to end", Box::pin(hang_up(app, &call))).await;
        })
        .await;
    for call in silent.iter().filter(|call| !runs_in_another_process(app, call)) {
        settle(app, call, None).await;
    }
    let overdue = app
        .platform()
        .read(move |tx| {
            Box::pin(async move { store::calls::wrapping_up_overdue(tx, now - GRACE, BATCH).await })
        })
        .await?;
    for call in overdue {
        let ended =
            attempt::guarded("ending an overdue call", Box::pin(end_without_findings(app, call.id))).await;
        if let Some(Err(error)) = ended {
            note(app, call.id, &error, "an overdue call cannot be ended yet");
        }
    }
    if purge {
        throw_away(app, now).await?;
    }
    Ok(())
}

/// Settles the calls of processes that have died.
pub(super) async fn settle_lost_calls(app: &App) -> Result<(), StoreError> {
    loop {
        let now = app.now();
        let lost = app
            .platform()
            .read(move |tx| {
                Box::pin(async move { store::calls::running_of_lost_nodes(tx, now, BATCH).await })
            })
            .await?;
        let mut settled = 0;
        for call in &lost {
            settled += u32::from(settle(app, call, None).await);
        }
        // A full batch may hide more; one in which nothing moved would only come again.
        if lost.len() < BATCH as usize || settled == 0 {
            return Ok(());
        }
    }
}

/// Asks after a call in such a way that trouble with it harms no other one. True if that settled it for now.
async fn settle(app: &App, call: &Call, end_seen_at: Option<Timestamp>) -> bool {
    match attempt::guarded("asking after a call", Box::pin(ask_after(app, call, end_seen_at))).await {
        Some(Ok(settled)) => settled,
        Some(Err(error)) => {
            note(app, call.id, &error, "asking after a call has to wait");
            false
        }
        None => false,
    }
}

fn note(app: &App, call: CallId, error: &StoreError, consequence: &'static str) {
    tracing::warn_span!("sweep", %call).in_scope(|| log_trouble(app, error, consequence));
}

/// Asks the engine what became of a call, and stores the answer. True if that settled it for now.
async fn ask_after(app: &App, call: &Call, end_seen_at: Option<Timestamp>) -> Result<bool, StoreError> {
    let waited = end_seen_at.map(|seen| Duration::try_from(app.now() - seen).unwrap_or_default());
    let fate = match app.engine_of(call) {
        Some(engine) => {
            // Whoever comes next asks anew.
            let answer = app.unless_stopping(inquire(app, &**engine, call, waited)).await;
            match answer.transpose()? {
                None => return Ok(false),
                Some(Ok(fate)) => fate,
                // Its longest talk has been over for a while, so it does not run any more, whether the engine can be reached or not.
                Some(Err(error)) if is_over_by_now(app, call) => {
                    tracing::warn!(call = %call.id, %error, "the engine could not be asked what became of a call, which is over by now");
                    Fate::Unknown
                }
                Some(Err(error)) => {
                    tracing::warn!(call = %call.id, %error, "the engine could not be asked what became of a call");
                    look_again(app, call, UNREACHABLE, false).await?;
                    return Ok(false);
                }
            }
        }
        None => {
            tracing::warn!(
                call = %call.id,
                engine = call.engine,
                "the engine that made a call is no longer configured; the call ends with what is known of it"
            );
            Fate::Unknown
        }
    };
    let reports = match fate {
        Fate::Running { ask_again, answered_at } => {
            if let (Some(at), None) = (answered_at, call.answered_at()) {
                let answered = Report { call_id: call.id, at, progress: Progress::Answered };
                intake::take(app, call.id, vec![answered], Also::default()).await?;
            }
            look_again(app, call, ask_again, false).await?;
            return Ok(false);
        }
        Fate::Settling { ask_again } => {
            look_again(app, call, ask_again, true).await?;
            return Ok(false);
        }
        Fate::Reports(reports) => reports,
        // Asked a moment ago, by a process that may have died just then: what it asked for may only be about to appear.
        Fate::Unknown if *call.state() == CallState::Dialing && is_recent(app, call).await? => {
            look_again(app, call, UNREACHABLE, false).await?;
            return Ok(false);
        }
        Fate::Unknown => vec![lost(app, call).await?],
    };
    let taken = intake::take(app, call.id, reports, Also::default()).await?;
    Ok(taken
        .call
        .is_none_or(|call| call.state().is_final() || matches!(call.state(), CallState::WrappingUp { .. })))
}

/// True if a call that goes on without us can only be over, by how long it may take.
fn is_over_by_now(app: &App, call: &Call) -> bool {
    let begun = call.answered_at().unwrap_or(call.created_at);
    let outlives_us = app.engine_of(call).is_some_and(|engine| engine.outlives_us());
    outlives_us && app.now().duration_since(begun) > SURELY_OVER.saturating_add(stretched(call.max_duration))
}

fn stretched(time: Duration) -> SignedDuration {
    SignedDuration::try_from(time).unwrap_or(SignedDuration::MAX)
}

/// True if only another process can say whether a call runs. Should that process die, the call is among the lost ones.
fn runs_in_another_process(app: &App, call: &Call) -> bool {
    call.node_id().is_some_and(|node| node != app.node())
        && app.engine_of(call).is_some_and(|engine| !engine.outlives_us())
}

/// True if an engine elsewhere may have been asked for the call within the last minute.
async fn is_recent(app: &App, call: &Call) -> Result<bool, StoreError> {
    if !app.engine_of(call).is_some_and(|engine| engine.outlives_us()) {
        return Ok(false);
    }
    let id = call.id;
    let last = app
        .platform()
        .read(move |tx| Box::pin(async move { store::calls::last_heard(tx, id).await }))
        .await?;
    Ok(last.unwrap_or(call.created_at) > app.now() - UNCERTAIN)
}

/// Remembers when to ask next, for calls that go on elsewhere; the others are found by their silence.
async fn look_again(app: &App, call: &Call, after: Duration, over: bool) -> Result<(), StoreError> {
    if !app.engine_of(call).is_some_and(|engine| engine.outlives_us()) {
        return Ok(());
    }
    let (id, now) = (call.id, app.now());
    app.platform()
        .write_lazily(move |tx| {
            Box::pin(async move {
                if over {
                    store::calls::end_seen(tx, id, now).await?;
                }
                store::calls::check_at(tx, id, now + after).await
            })
        })
        .await
}

/// The end of a call that its engine knows nothing of: it lasted until the last thing heard of it.
async fn lost(app: &App, call: &Call) -> Result<Report, StoreError> {
    let id = call.id;
    let last = app
        .platform()
        .read(move |tx| Box::pin(async move { store::calls::last_heard(tx, id).await }))
        .await?
        .unwrap_or(call.created_at);
    Ok(Report { call_id: id, at: last, progress: Progress::lost() })
}

/// Ends a call whose wrap-up did not come to its end in time.
async fn end_without_findings(app: &App, id: CallId) -> Result<(), StoreError> {
    let platform = app.clone();
    let ended = app
        .platform()
        .write(move |tx| Box::pin(async move { ending::without_findings(tx, &platform, id).await }))
        .await?;
    if ended {
        tracing::warn!(call = %id, "a call ends without its summary: the wrap-up took too long");
    }
    app.live().ring(id);
    Ok(())
}

pub(super) async fn throw_away(app: &App, now: Timestamp) -> Result<(), StoreError> {
    if let Err(error) = app.recordings().remove_drafts(now - DRAFTS_KEPT).await {
        tracing::warn!(%error, "what is left of recordings could not be removed");
    }
    for (purge, kept) in OUTDATED {
        let before = now - kept;
        loop {
            let gone = app.platform().write_lazily(move |tx| purge(tx, before, SLICE)).await?;
            if gone < SLICE.into() || app.is_stopping() {
                break;
            }
        }
    }
    Ok(())
}

/// Rows that are thrown away in one transaction: few enough that others who write wait for milliseconds only.
const SLICE: u32 = 200;

/// Throws away a slice of what is from before a time; tells how many rows that were.
type Purge = for<'t> fn(&'t mut PlatformTx, Timestamp, u32) -> BoxFuture<'t, Result<u64, StoreError>>;

/// What is thrown away, and when.
const OUTDATED: [(Purge, SignedDuration); 7] = [
    (|tx, before, most| Box::pin(store::idempotency::purge(tx, before, most)), IDEMPOTENCY_KEPT),
    (|tx, before, most| Box::pin(store::deliveries::purge_attempts(tx, before, most)), ATTEMPTS_KEPT),
    (|tx, before, most| Box::pin(store::events::purge(tx, before, most)), EVENTS_KEPT),
    (|tx, before, most| Box::pin(store::engine_messages::purge(tx, before, most)), MESSAGES_KEPT),
    (|tx, before, most| Box::pin(store::jobs::purge_failed(tx, before, most)), FAILED_JOBS_KEPT),
    (|tx, now, most| Box::pin(store::sessions::purge(tx, now, most)), SignedDuration::ZERO),
    (|tx, now, most| Box::pin(store::second_factors::purge_steps(tx, now, most)), SignedDuration::ZERO),
];
