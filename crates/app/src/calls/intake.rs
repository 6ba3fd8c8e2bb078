//! Where every report about a call arrives, from whichever engine, and moves the call.
//!
//! Words and noises are gathered for a moment and stored together; what ends a call is stored at once, with everything
//! gathered before it. A report is in memory only for that moment, and a process that dies then loses its calls anyway.

use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use domain::call::{Call, CallState, LogEntry, LogLine, Progress, Report, Step, WRAP_UP_LIMIT};
use domain::engine::CallObserver;
use domain::{CallId, JobId, Timestamp};
use jiff::SignedDuration;
use store::engine_messages::NewMessage;
use store::jobs::{Held, JobKind, NewJob};
use store::{PlatformTx, StoreError};
use tracing::{Instrument as _, Span};

use super::{ending, news, opt_out, privacy, signs, wrap_up};
use crate::App;
use crate::attempt::Attempt;
use crate::reports::Line;

/// How long reports are gathered before they are stored together.
const GATHERING: Duration = Duration::from_millis(50);

/// How many gathered reports make an engine wait until they are stored.
const GATHERED_LIMIT: usize = 256;

/// The pause before storing is tried again, doubled each time up to the second figure.
const RETRY_PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));

/// Takes the reports of engines.
pub(crate) struct Observer {
    app: App,
    /// Whatever led to the call: engines report from tasks of their own.
    origin: Span,
}

impl Observer {
    pub(crate) fn new(app: App) -> Self {
        Self { app, origin: Span::current() }
    }
}

#[async_trait]
impl CallObserver for Observer {
    async fn report(&self, report: Report) {
        let id = report.call_id;
        let ends = matches!(report.progress, Progress::Ended { .. });
        let line = self.app.reports().line(id);
        let gathered = {
            let mut gathered = line.gathered();
            gathered.push(report);
            gathered.len()
        };
        if ends || gathered >= GATHERED_LIMIT {
            flush(&self.app, id, &line).instrument(self.origin.clone()).await;
        } else if !line.awaited.swap(true, Ordering::AcqRel) {
            let app = self.app.clone();
            let gather = async move {
                tokio::time::sleep(GATHERING).await;
                line.awaited.store(false, Ordering::Release);
                flush(&app, id, &line).await;
            };
            self.origin.in_scope(|| self.app.spawn(gather));
        }
    }
}

async fn flush(app: &App, id: CallId, line: &Line) {
    if line.is_held() {
        return;
    }
    if let Err(error) = store_gathered(app, id, line, None, Also::default()).await {
        tracing::error!(call = %id, %error, "reports of a call could not be stored; the sweep will settle it");
    }
}

/// Stores what has been gathered of a call, after another report if there is one, and whatever follows from it.
pub(crate) async fn store_gathered(
    app: &App,
    id: CallId,
    line: &Line,
    first: Option<Report>,
    also: Also,
) -> Result<Applied, StoreError> {
    let mut known = line.storing.lock().await;
    let mut reports: Vec<Report> = first.into_iter().collect();
    reports.append(&mut line.gathered());
    if reports.is_empty() && also.finish.is_none() {
        return Ok(Applied { call: known.clone(), repeated: false, wrap_up: None });
    }
    let arrival = Arrival::new(app, id, known.take(), reports, also);
    let stored = write_down(app, arrival).await;
    if let Ok(Applied { call: Some(call), .. }) = &stored
        && matches!(call.state(), CallState::Dialing | CallState::Ringing | CallState::InProgress { .. })
    {
        *known = Some(call.clone());
    }
    drop(known);
    app.reports().tidy(id);
    stored
}

/// How much longer than its longest talk a call elsewhere may take before its engine is asked after it.
pub(crate) const BEYOND_THE_TALK: SignedDuration = SignedDuration::from_secs(5);

/// The least that a wrap-up gets, however late the end of the call was told.
const SHORTEST_WRAP_UP: SignedDuration = SignedDuration::from_secs(4);

/// What a wrap-up gets of a call of which nobody knows what became of it.
const LOST_WRAP_UP: SignedDuration = SignedDuration::from_secs(10);

/// What else belongs into the transaction that stores reports.
#[derive(Debug, Clone, Default)]
pub(crate) struct Also {
    /// The message that brought them. If it has been kept before, nothing else happens.
    pub(crate) message: Option<NewMessage>,
    /// The call is over, and if nothing more is heard its engine is to be asked after this time.
    pub(crate) ends: Option<Duration>,
    /// The end among the reports counts only for a call that has been given up.
    pub(crate) is_tentative: bool,
    /// The job that is done with them.
    pub(crate) finish: Option<Held>,
}

/// Stores reports that nobody gathers, and whatever follows from them.
pub(crate) async fn take(
    app: &App,
    id: CallId,
    reports: Vec<Report>,
    also: Also,
) -> Result<Applied, StoreError> {
    write_down(app, Arrival::new(app, id, None, reports, also)).await
}

/// Reports on their way into the database.
#[derive(Clone)]
struct Arrival {
    call: CallId,
    /// The call as this process stored it last; looked up and locked otherwise.
    known: Option<Call>,
    reports: Vec<Report>,
    also: Also,
    /// The job that wraps the call up, should they end it.
    wrap_up_job: JobId,
    /// True if this process begins with that job at once.
    leased: bool,
}

impl Arrival {
    fn new(app: &App, call: CallId, known: Option<Call>, mut reports: Vec<Report>, also: Also) -> Self {
        for report in &mut reports {
            report.progress.clean();
        }
        Self { call, known, reports, also, wrap_up_job: JobId::new(app.ids()), leased: false }
    }
}

/// Stores reports and whatever follows from them. Trouble that may pass is waited out.
async fn write_down(app: &App, mut arrival: Arrival) -> Result<Applied, StoreError> {
    let (id, wrap_up_job) = (arrival.call, arrival.wrap_up_job);
    let ends = arrival.reports.iter().any(|report| matches!(report.progress, Progress::Ended { .. }));
    // With a free hand the wrap-up begins right after the commit; otherwise a runner takes it up when one is free.
    let hand = if ends { app.call_hands().try_acquire_owned().ok() } else { None };
    arrival.leased = hand.is_some();
    let mut pause = RETRY_PAUSES.0;
    let applied = loop {
        let (platform, work) = (app.clone(), arrival.clone());
        let stored =
            app.platform().write(move |tx| Box::pin(async move { apply(tx, &platform, &work).await })).await;
        match stored {
            Ok(applied) => break applied,
            // Somebody else had a hand in it, so what this process knows of the call is out of date.
            Err(StoreError::Changed | StoreError::Conflict(_)) if arrival.known.is_some() => {
                arrival.known = None;
            }
            Err(error) if error.may_pass() && (!app.is_stopping() || pause < RETRY_PAUSES.1) => {
                if let Some(left_out) = app.may_tell("a call's reports wait") {
                    tracing::warn!(call = %id, %error, left_out, "a call's reports wait for the database");
                }
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(RETRY_PAUSES.1);
            }
            Err(error) => return Err(error),
        }
    };
    app.live().ring(id);
    if let (Some(WrapUp::Now), Some(hand)) = (applied.wrap_up, hand) {
        let app_of_task = app.clone();
        app.spawn(async move {
            wrap_up::attempt(&app_of_task, id, Attempt::first(wrap_up_job, JobKind::WrapUp)).await;
            drop(hand);
        });
    }
    // Only now: a process that stops waits for the talk first and then for the task above.
    if ends {
        app.reports().ends(id);
    }
    Ok(applied)
}

/// What became of reports.
#[derive(Debug)]
pub(crate) struct Applied {
    /// The call as it then is.
    pub(crate) call: Option<Call>,
    /// True if the message had been kept before, so that nothing happened.
    pub(crate) repeated: bool,
    wrap_up: Option<WrapUp>,
}

/// Whether there is something to wrap up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum WrapUp {
    /// The talk has ended.
    Now,
    /// More became known of a call that is final.
    Enrich,
    /// The call has been given up, and its engine is to be asked again some time later.
    Later,
}

async fn apply(tx: &mut PlatformTx, app: &App, arrival: &Arrival) -> Result<Applied, StoreError> {
    let Arrival { call: id, reports, also, .. } = arrival;
    let (id, now) = (*id, app.now());
    if let Some(job) = also.finish {
        store::jobs::finish(tx, job).await?;
    }
    let found = match &arrival.known {
        Some(call) => Some(call.clone()),
        None => store::calls::lock(tx, id).await?,
    };
    let Some(mut call) = found else {
        return Ok(Applied { call: None, repeated: false, wrap_up: None });
    };
    let before = call.clone();
    if let Some(message) = &also.message {
        let message = privacy::masked_message(tx, &call, message).await?;
        if !store::engine_messages::insert(tx, &message).await? {
            return Ok(Applied { call: Some(call), repeated: true, wrap_up: None });
        }
        call.name(&message.conversation_id);
    }
    let mut reports = privacy::masked(tx, &call, reports).await?;
    if also.is_tentative && !call.was_lost() {
        reports.retain(|report| !matches!(report.progress, Progress::Ended { .. }));
    }
    for report in &mut reports {
        report.progress = call.as_asked_for(report.progress.clone());
        // An engine's clock may be ahead of ours; nothing that is reported is yet to come.
        report.at = report.at.min(now);
    }
    let outlives_us = app.engine_of(&call).is_some_and(|engine| engine.outlives_us());
    let limit = if outlives_us { wrap_up_limit(tx, id, &reports, now).await? } else { WRAP_UP_LIMIT };
    let mut entries: Vec<LogEntry> =
        reports.iter().filter_map(|report| logged(report, call.state())).collect();
    entries.extend(signs::take(&mut call, &reports));
    let mut wrap_up = None;
    let mut has_failed = false;
    let mut is_filled = false;
    for Report { at, progress, .. } in &reports {
        match progress {
            Progress::Accepted { .. } if outlives_us => {
                // It goes on without this process; somebody has to ask after it should nothing more be heard.
                call.leave_node();
                store::calls::check_after_talk(tx, id, now + call.max_duration + BEYOND_THE_TALK).await?;
            }
            Progress::Found(found) => {
                let is_news = store::findings::put(tx, id, found, now).await?;
                if is_news && call.state().is_final() {
                    wrap_up = Some(WrapUp::Enrich);
                }
            }
            _ => {}
        }
        match call.on(progress, *at, now, limit) {
            Step::Moved if outlives_us && matches!(call.state(), CallState::InProgress { .. }) => {
                store::calls::check_after_talk(tx, id, now + call.max_duration + BEYOND_THE_TALK).await?;
            }
            Step::Stayed | Step::Moved => {}
            Step::TalkEnded => wrap_up = Some(WrapUp::Now),
            Step::Failed => has_failed = true,
            Step::Filled => {
                is_filled = true;
                wrap_up = Some(WrapUp::Enrich);
            }
        }
    }
    if has_failed {
        entries.push(LogEntry { at: now, line: LogLine::Failed });
    }
    // Others may be adding to the log as well, and take turns by the row of the call.
    if arrival.known.is_some() && call == before && store::calls::lock(tx, id).await? != Some(before.clone())
    {
        return Err(StoreError::Changed);
    }
    store::call_log::add(tx, id, &entries).await?;
    if let (None, Some(answered_at), false) =
        (before.answered_at(), call.answered_at(), before.state().is_final())
    {
        news::started(tx, app, &call, answered_at, now).await?;
    }
    opt_out::heed(tx, &call, &reports, now).await?;
    match &arrival.known {
        _ if call == before || is_filled => {}
        Some(known) => store::calls::replace(tx, known, &call).await?,
        None => store::calls::update(tx, &call).await?,
    }
    if has_failed {
        ending::note(tx, &call);
        news::ended(tx, app, &call, false, now).await?;
        if outlives_us && call.was_lost() {
            // Its engine may know more later.
            wrap_up = Some(WrapUp::Later);
        }
    } else if is_filled {
        ending::filled(tx, app, &before, &mut call, now).await?;
    }
    if let Some(wait) = also.ends
        && !call.state().is_final()
    {
        store::calls::end_seen(tx, id, now).await?;
        store::calls::check_by(tx, id, now + wait).await?;
    }
    if let Some(wrap_up) = wrap_up {
        let leased = arrival.leased && wrap_up == WrapUp::Now;
        let run_at = if wrap_up == WrapUp::Later { now + wrap_up::FIRST_LOOK_BACK } else { now };
        let job = NewJob {
            id: arrival.wrap_up_job,
            kind: JobKind::WrapUp,
            subject: id.0,
            lane: None,
            run_at,
            created_at: now,
            leased_to: leased.then(|| (app.node(), now + wrap_up::LEASE)),
        };
        store::jobs::add(tx, &job).await?;
        if wrap_up != WrapUp::Now {
            store::jobs::hasten(tx, JobKind::WrapUp, id.0, run_at).await?;
        }
    }
    Ok(Applied { call: Some(call), repeated: false, wrap_up })
}

/// How long the wrap-up may take: so long that the call is final thirty seconds after its end was first heard of.
async fn wrap_up_limit(
    tx: &mut PlatformTx,
    id: CallId,
    reports: &[Report],
    now: Timestamp,
) -> Result<SignedDuration, StoreError> {
    if !reports.iter().any(|report| matches!(report.progress, Progress::Ended { .. })) {
        return Ok(WRAP_UP_LIMIT);
    }
    if reports.iter().any(|report| report.progress == Progress::lost()) {
        return Ok(LOST_WRAP_UP);
    }
    let seen = store::calls::end_seen_at(tx, id).await?.unwrap_or(now);
    Ok((seen + WRAP_UP_LIMIT).duration_since(now).clamp(SHORTEST_WRAP_UP, WRAP_UP_LIMIT))
}

/// A report as the log keeps it. An utterance gets its place in the talk where the engine does not know it.
fn logged(report: &Report, state: &CallState) -> Option<LogEntry> {
    let mut line = LogLine::of(&report.progress)?;
    if let (LogLine::Said(said), CallState::InProgress { answered_at }) = (&mut line, state)
        && said.end.is_zero()
    {
        said.start = Duration::try_from(report.at.duration_since(*answered_at)).unwrap_or_default();
        said.end = said.start;
    }
    Some(LogEntry { at: report.at, line })
}
