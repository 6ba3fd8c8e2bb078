//! Dialling: the one place that asks an engine to ring a phone.
//!
//! A call is `Dialing` on stable storage before the engine is asked: stored so at once if the engine takes calls at any time, else
//! moved there from `Queued` when its turn comes. Whoever finds a call in `Dialing` knows that it may have rung and never asks again: an
//! outcome that got lost is asked for (`sweep`), not dialled anew.

use std::sync::Arc;
use std::time::Duration;

use domain::call::{Call, CallState, Ending, FailureCode, LogEntry, LogLine, Progress, Refusal, Report};
use domain::engine::PlaceError;
use domain::{CallId, JobId, Timestamp};
use jiff::SignedDuration;
use store::jobs::{Held, JobKind, NewJob};
use store::{PlatformTx, StoreError};

use super::cast::{Admitted, Cast, cast_of, plan};
use super::intake::{self, Observer};
use super::policy::{self, Asked, may_dial};
use super::{ending, hang_up};
use crate::attempt::{self, Attempt, Unsuccessful};
use crate::engines::NO_ENGINE;
use crate::{App, agents};

/// How long the job belongs to the process that works on it.
pub(crate) const LEASE: SignedDuration = SignedDuration::from_secs(60);

/// How long an engine may take to answer before its answer counts as lost.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);

/// How long a call may wait for room at the engine.
const PATIENCE: SignedDuration = SignedDuration::from_mins(10);

/// The shortest and the longest pause before an engine without room is asked again.
const SHORTEST_WAIT: Duration = Duration::from_secs(2);
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Where the first step leaves the call.
enum Next {
    /// The engine is to be asked to make the call.
    Place(Box<(Call, Cast)>),
    /// It has been settled here.
    Settled(Box<Call>),
    /// Somebody else dialled it, or it is gone.
    Nothing,
}

/// Dials a call that was admitted a moment ago; gives the call as it then is, or `None` if that came to nothing.
pub(crate) async fn admitted(app: &App, admitted: Box<Admitted>) -> Option<Call> {
    let Admitted { call, cast, job } = *admitted;
    let id = call.id;
    if let Some(job) = job {
        return attempt(app, id, Attempt::first(job, JobKind::Dial), Some(cast)).await;
    }
    // Nobody may dial it again. If this fails, its engine is asked later what became of it, as after a crash.
    match attempt::guarded("dialling", Box::pin(ask(app, call, cast, None))).await {
        Some(Ok(call)) => return call,
        Some(Err(error)) => tracing::error!(call = %id, %error, "What became of a call could not be stored"),
        None => app.reports().ends(id),
    }
    app.live().ring(id);
    None
}

/// Makes an attempt at dialling a queued call; gives the call as it then is, or `None` if there was nothing to dial or the
/// attempt failed. Who takes part need not be looked up if it is known.
pub(crate) async fn attempt(app: &App, id: CallId, attempt: Attempt, cast: Option<Cast>) -> Option<Call> {
    let platform = app.clone();
    let dialled = attempt::run(app, attempt, Box::pin(dial(app, id, attempt.held(app), cast)), move |tx| {
        Box::pin(async move { give_up(tx, &platform, id).await })
    });
    match dialled.await {
        Ok(call) => call,
        Err(unsuccessful) => {
            if unsuccessful == Unsuccessful::Panicked {
                // Whether the engine took the call is asked for later, as after a crash.
                app.reports().ends(id);
            }
            app.live().ring(id);
            None
        }
    }
}

/// Ends a call that could not be dialled. One that may have rung already is settled by asking its engine instead.
async fn give_up(tx: &mut PlatformTx, app: &App, id: CallId) -> Result<(), StoreError> {
    let Some(mut call) = store::calls::lock(tx, id).await? else { return Ok(()) };
    let words = "the call could not be dialled; the server's log has the reason";
    let given_up = refusal(FailureCode::InternalError, "dial-failed", words);
    ending::refuse(tx, app, &mut call, given_up, app.now()).await
}

/// Dials a queued call and stores what the engine said; `None` if there was nothing to dial.
async fn dial(app: &App, id: CallId, job: Held, cast: Option<Cast>) -> Result<Option<Call>, StoreError> {
    let platform = app.clone();
    let next = app
        .platform()
        .write(move |tx| Box::pin(async move { step_forward(tx, &platform, id, job, cast).await }))
        .await?;
    match next {
        Next::Place(both) => {
            let (call, cast) = *both;
            Box::pin(ask(app, call, cast, Some(job))).await
        }
        Next::Settled(call) => {
            app.live().ring(id);
            Ok(Some(*call))
        }
        Next::Nothing => Ok(None),
    }
}

/// Asks the engine to make a call that is stored as being dialled, and stores what it said. Then the job is done, if there is one.
async fn ask(app: &App, call: Call, cast: Cast, job: Option<Held>) -> Result<Option<Call>, StoreError> {
    let id = call.id;
    app.reports().begins(id);
    let line = app.reports().line(id);
    *line.storing.lock().await = Some(call.clone());
    // What the engine reports before it has answered is stored together with its answer.
    let held = line.hold();
    let engine = app.engine_of(&call).cloned();
    let outlives_us = engine.as_ref().is_some_and(|engine| engine.outlives_us());
    let answer = match engine {
        None => Err(PlaceError::Refused { code: FailureCode::InternalError, reason: no_engine(&call) }),
        Some(engine) => {
            let observer = Arc::new(Observer::new(app.clone()));
            match agents::prepared(app, &*engine, &cast.agent).await {
                Err(error) => Err(error),
                Ok(external_agent_id) => {
                    let plan = plan(&call, Cast { external_agent_id, ..cast }, app);
                    let answer = tokio::time::timeout(ANSWER_LIMIT, engine.place(plan, observer)).await;
                    answer.unwrap_or_else(|_| Err(PlaceError::Uncertain("no answer in time".to_owned())))
                }
            }
        }
    };
    // An engine of this process may have more to say at once.
    tokio::task::yield_now().await;
    drop(held);
    if outlives_us {
        app.reports().ends(id);
    }
    let at = app.now();
    let answer = match answer {
        Err(PlaceError::Later { wait, .. }) if at.duration_since(call.due_since()) < PATIENCE => {
            return put_back(app, id, job, at + wait.clamp(SHORTEST_WAIT, LONGEST_WAIT)).await;
        }
        Err(PlaceError::Later { reason, .. }) => {
            Err(PlaceError::Refused { code: FailureCode::CarrierError, reason })
        }
        answer => answer,
    };
    let report = match answer {
        Ok(accepted) => Some(Progress::Accepted { conversation_id: accepted.conversation_id }),
        Err(PlaceError::Refused { code, reason: words }) => {
            let ending = Ending::Refused { code, words };
            Some(Progress::Ended { ending, reason: "refused".to_owned() })
        }
        Err(PlaceError::Uncertain(why)) => {
            tracing::warn!(call = %id, why, "the engine's answer got lost; its fate will be asked for");
            app.reports().ends(id);
            None
        }
        Err(PlaceError::Later { .. }) => unreachable!("has become something else above"),
    };
    let report = report.map(|progress| Report { call_id: id, at, progress });
    let also = intake::Also { finish: job, ..Default::default() };
    let call = intake::store_gathered(app, id, &line, report, also).await?.call;
    if let Some(call) = call.as_ref().filter(|call| call.end_asked_at().is_some()) {
        // Somebody asked for the end before the engine had the call.
        let (app_of_task, call) = (app.clone(), call.clone());
        app.spawn(async move { hang_up::hang_up(&app_of_task, &call).await });
    }
    Ok(call)
}

/// Why nobody makes a call, and what to do about it.
fn no_engine(call: &Call) -> String {
    if call.engine == NO_ENGINE {
        tracing::warn!("a live call was asked for, and no engine makes any: set KAICALLS_LIVE_ENGINE");
        return "this installation makes no live calls: use a kc_test_ key, whose calls run on the sandbox, or ask its operator"
            .to_owned();
    }
    format!(
        "the engine `{}`, which was to make the call, is no longer configured; place the call again",
        call.engine
    )
}

/// Lets a call wait that the engine had no room for. Nothing rang, so asking again is no second dialling.
async fn put_back(
    app: &App,
    id: CallId,
    job: Option<Held>,
    run_at: Timestamp,
) -> Result<Option<Call>, StoreError> {
    app.reports().ends(id);
    let now = app.now();
    let new_job = JobId::new(app.ids());
    let platform = app.clone();
    app.platform()
        .write(move |tx| {
            Box::pin(async move {
                let Some(mut call) = store::calls::lock(tx, id).await? else { return Ok(None) };
                if !call.put_back() {
                    return Ok(Some(call));
                }
                if call.end_asked_at().is_some() {
                    hang_up::call_off(tx, &platform, &mut call, now).await?;
                    if let Some(job) = job {
                        store::jobs::finish(tx, job).await?;
                    }
                    return Ok(Some(call));
                }
                store::calls::update(tx, &call).await?;
                store::call_log::add(tx, id, &[LogEntry { at: now, line: LogLine::Waiting }]).await?;
                match job {
                    Some(job) => store::jobs::postpone(tx, job, run_at).await?,
                    None => store::jobs::add(tx, &waiting(new_job, id, run_at, now)).await?,
                }
                Ok(Some(call))
            })
        })
        .await
}

/// The job that dials a call later.
fn waiting(id: JobId, call: CallId, run_at: Timestamp, now: Timestamp) -> NewJob {
    let (kind, subject) = (JobKind::Dial, call.0);
    NewJob { id, kind, subject, lane: None, run_at, created_at: now, leased_to: None }
}

async fn step_forward(
    tx: &mut PlatformTx,
    app: &App,
    id: CallId,
    job: Held,
    cast: Option<Cast>,
) -> Result<Next, StoreError> {
    let now = app.now();
    let Some(mut call) = store::calls::lock(tx, id).await? else {
        store::jobs::finish(tx, job).await?;
        return Ok(Next::Nothing);
    };
    if *call.state() != CallState::Queued {
        store::jobs::finish(tx, job).await?;
        return Ok(Next::Nothing);
    }
    let cast = match cast {
        Some(cast) => cast,
        None => match cast_of(tx, &call).await? {
            Some(cast) => cast,
            None => {
                let gone = refusal(FailureCode::AgentError, "agent-gone", "its agent is gone");
                ending::refuse(tx, app, &mut call, gone, now).await?;
                store::jobs::finish(tx, job).await?;
                return Ok(Next::Settled(Box::new(call)));
            }
        },
    };
    let asked = Asked::of(app, &call, &cast, now);
    let can_wait = asked.can_wait;
    let decision = may_dial(tx, app, &asked, id).await?;
    if let Some((_, forbidden)) = decision.refusal() {
        let blocked = refusal(FailureCode::Blocked, forbidden.code(), &forbidden.to_string());
        ending::refuse(tx, app, &mut call, blocked, now).await?;
        store::jobs::finish(tx, job).await?;
        return Ok(Next::Settled(Box::new(call)));
    }
    if let Some(opens_at) = decision.opens_at.filter(|opens_at| can_wait && *opens_at > now)
        && call.schedule(opens_at)
    {
        // The hours were over before the call's turn came, or the lead is somewhere else by now.
        store::calls::update(tx, &call).await?;
        store::jobs::postpone(tx, job, opens_at).await?;
        return Ok(Next::Settled(Box::new(call)));
    }
    if can_wait && !policy::has_room(tx, app, &call).await? {
        return wait_for_room(
            tx,
            app,
            call,
            job,
            "the business made as many calls as it may for ten minutes",
        )
        .await;
    }
    if let Some(capacity) = app.engine_of(&call).and_then(|engine| engine.capacity()) {
        store::calls::take_turn_on_engine(tx, &call.engine).await?;
        if store::calls::count_on_engine(tx, &call.engine).await? >= u64::from(capacity) {
            return wait_for_room(tx, app, call, job, "the engine had no room for the call for ten minutes")
                .await;
        }
    }
    policy::reserve(app, &mut call, &cast.business, now);
    if !call.dial(app.node()) {
        return Ok(Next::Nothing);
    }
    store::calls::update(tx, &call).await?;
    store::call_log::add(tx, id, &[LogEntry { at: now, line: LogLine::Dialing }]).await?;
    Ok(Next::Place(Box::new((call, cast))))
}

/// Has a call asked for again soon for which there is no room; gives it up if there was none for long.
async fn wait_for_room(
    tx: &mut PlatformTx,
    app: &App,
    mut call: Call,
    job: Held,
    too_long: &str,
) -> Result<Next, StoreError> {
    let now = app.now();
    if now.duration_since(call.due_since()) >= PATIENCE {
        let full = refusal(FailureCode::CarrierError, "no-room", too_long);
        ending::refuse(tx, app, &mut call, full, now).await?;
        store::jobs::finish(tx, job).await?;
    } else {
        store::jobs::postpone(tx, job, now + SHORTEST_WAIT).await?;
    }
    Ok(Next::Settled(Box::new(call)))
}

fn refusal(code: FailureCode, reason: &str, words: &str) -> Refusal {
    Refusal { code, reason: reason.to_owned(), words: words.to_owned() }
}
