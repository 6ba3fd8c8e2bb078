//! Where every report about a call arrives, from whichever engine, and the only place that moves a call.
//!
//! Words and noises are gathered for a moment and stored together; what ends a call is stored at once, with everything
//! gathered before it. A report is in memory only for that moment, and a process that dies then loses its calls anyway.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use domain::call::{CallState, Ending, FailureCode, Outcome, Progress, Report, Step};
use domain::engine::CallObserver;
use domain::{CallId, JobId, Timestamp};
use serde_json::{Value, json};
use store::calls::{Call, LogEntry};
use store::jobs::{JobKind, NewJob};
use store::{StoreError, Tx};
use tokio::sync::watch;

use crate::jobs::wrap_up;
use crate::{App, outbox};

/// How long reports are gathered before they are stored together.
const GATHERING: Duration = Duration::from_millis(50);

/// How many gathered reports make an engine wait until they are stored.
const GATHERED_LIMIT: usize = 256;

/// The pause before storing is tried again, doubled each time up to the second figure.
const RETRY_PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));

/// Reports of all running calls that wait to be stored.
#[derive(Debug, Default)]
pub(crate) struct Intake {
    lines: Mutex<HashMap<CallId, Arc<Line>>>,
    /// Calls that engines of this process run.
    running: watch::Sender<HashSet<CallId>>,
}

/// The reports of one call.
#[derive(Debug, Default)]
struct Line {
    gathered: Mutex<Vec<Report>>,
    /// Held while storing, so that reports are stored in the order in which they came.
    storing: tokio::sync::Mutex<()>,
    /// True while somebody is going to store what has been gathered.
    awaited: AtomicBool,
}

impl Line {
    fn gathered(&self) -> MutexGuard<'_, Vec<Report>> {
        self.gathered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Intake {
    fn line(&self, call: CallId) -> Arc<Line> {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(lines.entry(call).or_default())
    }

    /// Counts a call that an engine is about to be asked for.
    pub(crate) fn begins(&self, call: CallId) {
        self.running.send_modify(|running| {
            running.insert(call);
        });
    }

    /// Stops counting it.
    pub(crate) fn ends(&self, call: CallId) {
        self.running.send_if_modified(|running| running.remove(&call));
    }

    /// Waits until no engine of this process runs a call.
    pub(crate) async fn drained(&self) {
        let emptied = self.running.subscribe().wait_for(HashSet::is_empty).await.is_ok();
        debug_assert!(emptied, "the sender lives as long as the platform");
    }

    /// Forgets a line on which nothing waits.
    fn tidy(&self, call: CallId) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let idle = |line: &Arc<Line>| !line.awaited.load(Ordering::Acquire) && line.gathered().is_empty();
        if lines.get(&call).is_some_and(idle) {
            lines.remove(&call);
        }
    }
}

/// Takes the reports of engines.
pub(crate) struct Observer {
    app: App,
}

impl Observer {
    pub(crate) fn new(app: App) -> Self {
        Self { app }
    }
}

#[async_trait]
impl CallObserver for Observer {
    async fn report(&self, report: Report) {
        let id = report.call_id;
        let ends = matches!(report.progress, Progress::Ended { .. });
        let line = self.app.intake().line(id);
        let gathered = {
            let mut gathered = line.gathered();
            gathered.push(report);
            gathered.len()
        };
        if ends || gathered >= GATHERED_LIMIT {
            flush(&self.app, id, &line).await;
        } else if !line.awaited.swap(true, Ordering::AcqRel) {
            let app = self.app.clone();
            self.app.spawn(async move {
                tokio::time::sleep(GATHERING).await;
                line.awaited.store(false, Ordering::Release);
                flush(&app, id, &line).await;
            });
        }
    }
}

async fn flush(app: &App, id: CallId, line: &Line) {
    let _turn = line.storing.lock().await;
    let reports = std::mem::take(&mut *line.gathered());
    if !reports.is_empty()
        && let Err(error) = store(app, id, reports, Also::default()).await
    {
        tracing::error!(call = %id, %error, "reports of a call could not be stored; the sweep will settle it");
    }
    app.intake().tidy(id);
}

/// What else belongs into the transaction that stores reports.
#[derive(Debug, Clone, Default)]
pub(crate) struct Also {
    /// The job that is done with them.
    pub(crate) finish: Option<JobId>,
    /// Why the engine refused the call, in words for the user.
    pub(crate) refusal: Option<String>,
}

/// Stores reports and whatever follows from them; gives the call as it then is. Trouble that may pass is waited out.
pub(crate) async fn store(
    app: &App,
    id: CallId,
    reports: Vec<Report>,
    also: Also,
) -> Result<Option<Call>, StoreError> {
    let ends = reports.iter().any(|report| matches!(report.progress, Progress::Ended { .. }));
    // With a free hand the wrap-up begins right after the commit; otherwise a runner takes it up when one is free.
    let hand = if ends { app.call_hands().try_acquire_owned().ok() } else { None };
    let wrap_up_job = JobId::new(app.ids());
    let leased = hand.is_some();
    let mut pause = RETRY_PAUSES.0;
    let applied = loop {
        let (platform, reports, also) = (app.clone(), reports.clone(), also.clone());
        let stored = app
            .store()
            .write(move |tx| {
                Box::pin(async move { apply(tx, &platform, id, &reports, &also, wrap_up_job, leased).await })
            })
            .await;
        match stored {
            Ok(applied) => break applied,
            Err(error) if error.may_pass() && (!app.is_stopping() || pause < RETRY_PAUSES.1) => {
                tracing::warn!(call = %id, %error, "a call's reports wait for the database");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(RETRY_PAUSES.1);
            }
            Err(error) => return Err(error),
        }
    };
    app.live().ring(id);
    if ends {
        app.intake().ends(id);
    }
    if let (true, Some(hand)) = (applied.wraps_up, hand) {
        let app_of_task = app.clone();
        app.spawn(async move {
            wrap_up::run(&app_of_task, id, wrap_up_job).await;
            drop(hand);
        });
    }
    Ok(applied.call)
}

struct Applied {
    call: Option<Call>,
    wraps_up: bool,
}

async fn apply(
    tx: &mut Tx,
    app: &App,
    id: CallId,
    reports: &[Report],
    also: &Also,
    wrap_up_job: JobId,
    leased: bool,
) -> Result<Applied, StoreError> {
    let now = app.now();
    if let Some(job) = also.finish {
        store::jobs::finish(tx, job).await?;
    }
    let Some(mut call) = store::calls::lock(tx, id).await? else {
        return Ok(Applied { call: None, wraps_up: false });
    };
    let entries: Vec<LogEntry> = reports.iter().map(log_entry).collect();
    store::calls::log(tx, id, &entries).await?;
    let before = call.clone();
    let mut wraps_up = false;
    let mut failed = None;
    for Report { at, progress, .. } in reports {
        match progress {
            Progress::Accepted { conversation_id } if call.conversation_id.is_none() => {
                call.conversation_id = Some(conversation_id.clone());
            }
            Progress::Ringing if call.ringing_at.is_none() => call.ringing_at = Some(*at),
            _ => {}
        }
        let step = call.state.on(progress, *at, now);
        if let (Step::WrapUp(_) | Step::End(_), Progress::Ended { reason, .. }) = (step, progress) {
            call.ended_reason = Some(reason.clone());
        }
        match step {
            Step::Stay => {}
            Step::Move(state) => call.state = state,
            Step::WrapUp(state) => {
                if let CallState::WrappingUp { answered_at, talked, .. } = state {
                    call.ended_at = Some(answered_at + talked);
                }
                call.state = state;
                wraps_up = true;
            }
            Step::End(code) => {
                call.state = CallState::Ended(Outcome::Failed(code));
                call.ended_at = Some(*at);
                call.refusal.clone_from(&also.refusal);
                failed = Some(code);
            }
        }
    }
    if failed.is_some() {
        outbox::conclude(tx, app, &mut call, now).await?;
    } else if call != before {
        store::calls::update(tx, &call).await?;
    }
    if wraps_up {
        let job = NewJob {
            id: wrap_up_job,
            kind: JobKind::WrapUp,
            subject: id.0,
            lane: None,
            run_at: now,
            created_at: now,
            leased_to: leased.then(|| (app.node(), now + wrap_up::LEASE)),
        };
        store::jobs::add(tx, &job).await?;
    }
    Ok(Applied { call: Some(call), wraps_up })
}

/// Ends a call that never rang, for a reason of our own.
pub(crate) async fn fail(
    tx: &mut Tx,
    app: &App,
    call: &mut Call,
    code: FailureCode,
    reason: &str,
    refusal: Option<String>,
    now: Timestamp,
) -> Result<(), StoreError> {
    call.state = CallState::Ended(Outcome::Failed(code));
    call.ended_at = Some(now);
    call.ended_reason = Some(reason.to_owned());
    call.refusal = refusal;
    outbox::conclude(tx, app, call, now).await
}

/// A report as the log keeps it. Field names are those of the live view.
fn log_entry(report: &Report) -> LogEntry {
    let (kind, data) = match &report.progress {
        Progress::Accepted { conversation_id } => ("accepted", json!({ "conversation_id": conversation_id })),
        Progress::Ringing => ("ringing", json!({})),
        Progress::Answered => ("answered", json!({})),
        Progress::Said(said) => ("said", store::transcripts::utterance_to_value(said)),
        Progress::Noted { kind, detail } => ("noted", json!({ "what": kind, "detail": detail })),
        Progress::Ended { ending, reason } => ("ended", ended(ending, reason)),
    };
    LogEntry { at: report.at, kind: kind.to_owned(), data }
}

fn ended(ending: &Ending, reason: &str) -> Value {
    match ending {
        Ending::Talked { talked, .. } => json!({ "reason": reason, "talked_ms": talked.as_millis() }),
        Ending::Failed(code) => json!({ "reason": reason, "error": code.as_str() }),
    }
}
