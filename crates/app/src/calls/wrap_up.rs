//! After the talk: summary, scores, lead and recording, then the end, in one transaction.
//!
//! When the deadline passes, the call ends with what there is. Where an engine elsewhere still works on the rest, the job comes back and adds
//! to the final call what it finds: how the call ended never changes after that.

use std::pin::Pin;
use std::time::Duration;

use domain::agent::Model;
use domain::call::{
    Assessment, Call, CallState, Enrichment, Findings, Party, Progress, Report, Step, StoredRecording,
    Utterance, WRAP_UP_LIMIT,
};
use domain::engine::{Fate, Recorded, Recordings};
use domain::{CallId, Timestamp};
use jiff::SignedDuration;
use speech::{Analysis, AnalysisRequest, LeadFacts, Reached};
use store::jobs::Held;
use store::transcripts::Transcript;
use store::{PlatformTx, StoreError};

use super::cast::cast_of;
use super::ending::Wrapped;
use super::{ending, inquiry, news, opt_out, privacy};
use crate::attempt::{self, Attempt};
use crate::{App, leads};

/// How long the job belongs to the process that works on it: the deadline and some more. Who needs longer renews it.
pub(crate) const LEASE: SignedDuration = SignedDuration::from_secs(60);

/// How often a lease is renewed.
const RENEWAL: Duration = Duration::from_secs(20);

/// How long reading the words of a final call may take.
const ENRICHING: Duration = Duration::from_secs(28);

/// How long after the beginning of the wrap-up a recording is looked for that was not there at once.
const LOOKS: [SignedDuration; 3] =
    [SignedDuration::from_secs(5), SignedDuration::from_secs(12), SignedDuration::from_secs(20)];

/// How long after the end of a call its engine is asked again for what was missing.
const LOOKS_BACK: [SignedDuration; 5] = [
    SignedDuration::from_secs(30),
    SignedDuration::from_mins(2),
    SignedDuration::from_mins(5),
    SignedDuration::from_mins(10),
    SignedDuration::from_mins(20),
];

/// The first of these looks.
pub(crate) const FIRST_LOOK_BACK: SignedDuration = LOOKS_BACK[0];

/// How long fetching a recording may take before it is left to go on beside the rest.
const AT_ONCE: Duration = Duration::from_secs(3);

/// Kept back from the deadline for the last transaction.
const RESERVE: Duration = Duration::from_secs(2);

/// Makes an attempt at wrapping a call up.
pub(crate) async fn attempt(app: &App, id: CallId, attempt: Attempt) {
    let platform = app.clone();
    let work = Box::pin(renewing(app, attempt.held(app), wrap_up(app, id, attempt.held(app))));
    let wrapped_up = attempt::run(app, attempt, work, move |tx| {
        Box::pin(async move { ending::without_findings(tx, &platform, id).await.map(drop) })
    });
    if wrapped_up.await.is_err() {
        app.live().ring(id);
    }
}

/// Does some work and keeps its job from being taken for left behind meanwhile: a recording may take minutes to fetch.
async fn renewing<T>(app: &App, job: Held, work: impl Future<Output = T>) -> T {
    let renew = || {
        let app = app.clone();
        async move {
            let until = app.now() + LEASE;
            let renewed = app
                .platform()
                .write_lazily(move |tx| Box::pin(async move { store::jobs::renew(tx, job, until).await }));
            if let Err(error) = renewed.await {
                tracing::warn!(job = %job.job, %error, "the lease of a wrap-up could not be renewed");
            }
        }
    };
    with_interludes(work, RENEWAL, renew).await
}

/// Does some work, and something else again and again until the work is done. The work goes on meanwhile: it may hold the lock of a row
/// for which the other waits.
async fn with_interludes<T, F: Future<Output = ()>>(
    work: impl Future<Output = T>,
    every: Duration,
    interlude: impl Fn() -> F,
) -> T {
    let interludes = async {
        loop {
            tokio::time::sleep(every).await;
            interlude().await;
        }
    };
    tokio::select! {
        done = work => done,
        () = interludes => unreachable!("they go on for ever"),
    }
}

/// Wraps a call up, or adds to a final one what became known of it since. Harmless to repeat.
async fn wrap_up(app: &App, id: CallId, job: Held) -> Result<(), StoreError> {
    let Some(work) = look_up(app, id).await? else { return finish_only(app, job).await };
    match work.call.state() {
        CallState::WrappingUp { until, .. } => {
            let until = *until;
            make_final(app, job, work, until).await
        }
        CallState::Ended(_) => look_back(app, job, work).await,
        _ => finish_only(app, job).await,
    }
}

async fn make_final(app: &App, job: Held, work: Work, until: Timestamp) -> Result<(), StoreError> {
    let (call, utterances) = (work.call.clone(), work.utterances.clone());
    let recording = record(app, &call, &utterances);
    tokio::pin!(recording);
    let gathered = app.unless_handed_over(gather(app, &work, until, recording.as_mut())).await;
    let Some(gathered) = gathered else { return attempt::give_back(app, job).await };
    let (found, recording_found) = match gathered {
        Err(NotYet(again)) => return postpone(app, job, again).await,
        Ok(both) => both,
    };
    let knows_later = knows_later(app, &call);
    let is_read = !knows_later || has_summary(work.findings.as_ref());
    let Some(sought) = recording_found else {
        conclude(app, job, Results { work, found, recording: None }, Then::GoOn).await?;
        let Some(sought) = app.unless_handed_over(recording).await else {
            return attempt::give_back(app, job).await;
        };
        return add_late(app, job, call.id, sought, is_read).await;
    };
    let then = back_if(app, (sought.is_missing() && knows_later) || !is_read);
    conclude(app, job, Results { work, found, recording: sought.stored() }, then).await
}

/// The recording of a call may be there then.
struct NotYet(Timestamp);

/// Reads the call and gets its recording side by side, until shortly before the deadline; gives the reading, and what came of asking for
/// the recording if anything has by then.
async fn gather(
    app: &App,
    work: &Work,
    until: Timestamp,
    mut recording: Pin<&mut impl Future<Output = Sought>>,
) -> Result<(Option<(Analysis, String)>, Option<Sought>), NotYet> {
    // Where the recording may take a while, the job gives its hand back until then.
    let mut early = None;
    if app.engine_of(&work.call).is_some_and(|engine| engine.recordings() == Recordings::Later) {
        early = tokio::time::timeout(AT_ONCE.min(patience(app, until)), recording.as_mut()).await.ok();
        if let (Some(Sought::NotYet), Some(again)) = (&early, next_look(app, until)) {
            return Err(NotYet(again));
        }
    }
    let (found, sought) = tokio::join!(read(app, work, patience(app, until)), async {
        match early {
            Some(sought) => Some(sought),
            None => tokio::time::timeout(patience(app, until), recording).await.ok(),
        }
    });
    Ok((found, sought))
}

/// Adds a recording that was still being fetched when the call turned final.
async fn add_late(
    app: &App,
    job: Held,
    call: CallId,
    sought: Sought,
    is_read: bool,
) -> Result<(), StoreError> {
    let Some(work) = look_up(app, call).await? else { return finish_only(app, job).await };
    let then = back_if(app, sought.is_missing() || !is_read);
    conclude(app, job, Results { work, found: None, recording: sought.stored() }, then).await
}

/// Adds to a final call what its engine and its words tell by now.
async fn look_back(app: &App, job: Held, mut work: Work) -> Result<(), StoreError> {
    if knows_later(app, &work.call) && (!has_summary(work.findings.as_ref()) || work.call.was_lost()) {
        let Some(reports) = app.unless_handed_over(ask_again(app, &work.call)).await else {
            return attempt::give_back(app, job).await;
        };
        take_down(app, &work.call, reports?).await?;
        let Some(now_known) = look_up(app, work.call.id).await? else { return finish_only(app, job).await };
        work = now_known;
    }
    let seek = async {
        let recording = if work.call.recording().is_some() || work.call.talk().is_none() {
            Sought::Nothing
        } else {
            record(app, &work.call, &work.utterances).await
        };
        let found = if is_read_already(&work) { None } else { read(app, &work, ENRICHING).await };
        (recording, found)
    };
    let Some((recording, found)) = app.unless_handed_over(seek).await else {
        return attempt::give_back(app, job).await;
    };
    let is_missing =
        knows_later(app, &work.call) && (recording.is_missing() || !has_summary(work.findings.as_ref()));
    let next =
        work.call.finished_at().and_then(|finished| next_look_back(app, finished)).filter(|_| is_missing);
    let results = Results { work, found, recording: recording.stored() };
    conclude(app, job, results, next.map_or(Then::Finish, Then::LookBack)).await
}

/// Asks an engine elsewhere what it knows of a final call.
async fn ask_again(app: &App, call: &Call) -> Result<Vec<Report>, StoreError> {
    let Some(engine) = app.engine_of(call) else { return Ok(Vec::new()) };
    // What it knows after so long is all that it will know.
    match inquiry::inquire(app, &**engine, call, Some(Duration::MAX)).await? {
        Ok(Fate::Reports(reports)) => Ok(reports),
        Ok(_) => Ok(Vec::new()),
        Err(error) => {
            tracing::info!(call = %call.id, %error, "an engine could not be asked for what is missing of a call");
            Ok(Vec::new())
        }
    }
}

/// Takes down what an engine has told of a final call.
async fn take_down(app: &App, call: &Call, reports: Vec<Report>) -> Result<(), StoreError> {
    if reports.is_empty() {
        return Ok(());
    }
    let (platform, id) = (app.clone(), call.id);
    app.platform()
        .write(move |tx| {
            Box::pin(async move {
                let now = platform.now();
                let Some(mut call) = store::calls::lock(tx, id).await? else { return Ok(()) };
                let before = call.clone();
                let reports = privacy::masked(tx, &call, &reports).await?;
                for report in &reports {
                    if let Progress::Found(found) = &report.progress {
                        store::findings::put(tx, id, found, now).await?;
                    } else if call.on(&report.progress, report.at, now, WRAP_UP_LIMIT) == Step::Filled {
                        ending::filled(tx, &platform, &before, &mut call, now).await?;
                    }
                }
                opt_out::heed(tx, &call, &reports, now).await
            })
        })
        .await
}

/// True if the engine of a call may know more of it later than at its end.
fn knows_later(app: &App, call: &Call) -> bool {
    app.engine_of(call).is_some_and(|engine| engine.outlives_us())
}

fn has_summary(findings: Option<&Findings>) -> bool {
    findings.is_some_and(|found| found.summary.is_some())
}

/// True if the assessment of a final call is the best that can be made of what is known.
fn is_read_already(work: &Work) -> bool {
    let Some(assessment) = work.call.assessment() else { return false };
    let Some(found) = &work.findings else { return true };
    let summary = found.summary.as_ref().is_none_or(|summary| *summary == assessment.summary);
    let quality = found.quality.is_none_or(|quality| Some(quality) == assessment.quality);
    let facts = [&found.name, &found.email, &found.phone, &found.intent];
    summary && quality && facts.iter().all(|fact| fact.is_none())
}

/// Reads the words of a call: by rules, and by a language model if neither the engine has done so nor anybody before.
async fn read(app: &App, work: &Work, patience: Duration) -> Option<(Analysis, String)> {
    let fallback = &app.parts().fallback_analyst;
    let analysis = fallback.analyse(&work.request).await;
    let mut found = analysis.ok().map(|analysis| (analysis.cleaned(), fallback.name(&work.request)));
    let known =
        work.findings.as_ref().is_some_and(|found| found.summary.is_some() && found.quality.is_some());
    if !known
        && work.call.assessment().is_none()
        && let Ok(Some(read)) = tokio::time::timeout(patience, read_with_model(app, &work.request)).await
    {
        found = Some(read);
    }
    with_findings(found, work.findings.as_ref(), &work.call.engine, !work.utterances.is_empty())
}

/// What the rules make of the words of a running call so far; `None` if nobody has said anything.
pub(crate) async fn read_so_far(app: &App, id: CallId) -> Result<Option<Analysis>, StoreError> {
    let work = look_up(app, id).await?.filter(|work| !work.utterances.is_empty());
    let Some(work) = work else { return Ok(None) };
    let analysis = app.parts().fallback_analyst.analyse(&work.request).await;
    Ok(analysis.ok().map(Analysis::cleaned))
}

/// What is left until the deadline.
fn patience(app: &App, until: Timestamp) -> Duration {
    let left = Duration::try_from(until.duration_since(app.now())).unwrap_or(Duration::ZERO);
    left.saturating_sub(RESERVE)
}

/// Everything that is known of the call before it is read.
struct Work {
    call: Call,
    utterances: Vec<Utterance>,
    request: AnalysisRequest,
    findings: Option<Findings>,
}

/// When to look for a recording again before the call is final; `None` if it is too late for that.
fn next_look(app: &App, until: Timestamp) -> Option<Timestamp> {
    let begun = until - WRAP_UP_LIMIT;
    let (now, last) = (app.now(), until - SignedDuration::from_secs(4));
    LOOKS.iter().map(|&after| begun + after).find(|&again| again > now && again < last)
}

/// When to ask again for what is missing of a final call; `None` if that has been long enough.
fn next_look_back(app: &App, finished: Timestamp) -> Option<Timestamp> {
    let now = app.now();
    LOOKS_BACK.iter().map(|&after| finished + after).find(|&again| again > now)
}

/// What the engine found out comes before what we did, except whom the call reached: its words tell, and `was_heard` says if there are
/// any.
fn with_findings(
    ours: Option<(Analysis, String)>,
    theirs: Option<&Findings>,
    engine: &str,
    was_heard: bool,
) -> Option<(Analysis, String)> {
    let Some(theirs) = theirs else { return ours };
    let (mut analysis, mut by) = ours.unwrap_or_else(|| {
        let nothing = Analysis {
            summary: String::new(),
            reached: Reached::Nobody,
            lead: LeadFacts::default(),
            quality: None,
            lead_score: None,
            score_explanation: None,
        };
        (nothing, engine.to_owned())
    });
    if let Some(summary) = &theirs.summary {
        analysis.summary.clone_from(summary);
        engine.clone_into(&mut by);
    }
    analysis.quality = theirs.quality.or(analysis.quality);
    let better = |theirs: &Option<String>, ours: &mut Option<String>| {
        if theirs.is_some() {
            ours.clone_from(theirs);
        }
    };
    better(&theirs.name, &mut analysis.lead.name);
    better(&theirs.email, &mut analysis.lead.email);
    better(&theirs.phone, &mut analysis.lead.phone);
    better(&theirs.intent, &mut analysis.lead.intent);
    // An engine that keeps the words to itself can still know who spoke.
    if !was_heard && analysis.lead != LeadFacts::default() && analysis.reached == Reached::Nobody {
        analysis.reached = Reached::Person;
    }
    (!analysis.summary.is_empty()).then_some((analysis, by))
}

async fn postpone(app: &App, job: Held, at: Timestamp) -> Result<(), StoreError> {
    app.platform().write(move |tx| Box::pin(async move { store::jobs::postpone(tx, job, at).await })).await
}

/// Everything that goes into the last transaction.
struct Results {
    work: Work,
    found: Option<(Analysis, String)>,
    recording: Option<StoredRecording>,
}

async fn look_up(app: &App, id: CallId) -> Result<Option<Work>, StoreError> {
    let (platform, now) = (app.clone(), app.now());
    app.platform()
        .read(move |tx| {
            Box::pin(async move {
                let Some(call) = store::calls::by_id(tx, id).await? else { return Ok(None) };
                let findings = store::findings::get(tx, id).await?;
                let utterances = match &findings {
                    Some(found) if !found.transcript.is_empty() => found.transcript.clone(),
                    _ => store::call_log::utterances(tx, id).await?,
                };
                let Some(cast) = cast_of(tx, &call).await? else { return Ok(None) };
                platform.agent_names().note(cast.agent.id, &cast.agent.config.name);
                let variables = cast.variables(&call, now);
                let mut facts: Vec<(String, String)> =
                    variables.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
                facts.push(("direction".to_owned(), call.direction.as_str().to_owned()));
                if let Some(context) = &call.request.context {
                    facts.push(("context".to_owned(), context.clone()));
                }
                let request = AnalysisRequest {
                    system_prompt: cast.instructions(&call, &variables),
                    facts,
                    transcript: utterances.clone(),
                    ended_reason: call.ended_reason().unwrap_or_default().to_owned(),
                    model: Model { temperature: 0.0, ..cast.agent.config.model },
                };
                Ok(Some(Work { call, utterances, request, findings }))
            })
        })
        .await
}

async fn read_with_model(app: &App, request: &AnalysisRequest) -> Option<(Analysis, String)> {
    let analyst = app.parts().analyst.as_ref()?;
    match analyst.analyse(request).await {
        Ok(analysis) => Some((analysis.cleaned(), analyst.name(request))),
        Err(error) => {
            tracing::warn!(%error, "the language model could not read the call; the built-in analyst's reading stands");
            None
        }
    }
}

/// What came of asking for a recording.
enum Sought {
    Stored(StoredRecording),
    NotYet,
    Nothing,
}

impl Sought {
    fn stored(self) -> Option<StoredRecording> {
        if let Self::Stored(recorded) = self { Some(recorded) } else { None }
    }

    /// True if it may be there later.
    fn is_missing(&self) -> bool {
        matches!(self, Self::NotYet)
    }
}

/// Gets and stores the recording. Losing it never holds up the end of a call for good.
async fn record(app: &App, call: &Call, utterances: &[Utterance]) -> Sought {
    let engine = app.engine_of(call).filter(|engine| engine.recordings() != Recordings::None);
    let Some(engine) = engine else { return Sought::Nothing };
    let draft = match app.recordings().draft(call.id, app.ids().next()).await {
        Ok(draft) => draft,
        Err(error) => {
            tracing::error!(call = %call.id, %error, "there is no place for a recording");
            return Sought::NotYet;
        }
    };
    let recorded = match engine.recording(call.id, call.conversation_id(), utterances, draft.path()).await {
        Ok(Recorded::File(recorded)) => recorded,
        Ok(Recorded::NotYet) => return Sought::NotYet,
        Ok(Recorded::Nothing) => return Sought::Nothing,
        Err(error) => {
            tracing::warn!(call = %call.id, %error, "the recording could not be had");
            return Sought::NotYet;
        }
    };
    match app.recordings().keep(draft, recorded.content_type).await {
        Ok(key) => Sought::Stored(StoredRecording {
            key,
            content_type: recorded.content_type.to_owned(),
            duration: recorded.duration.or(call.talk().map(|talk| talk.talked)),
        }),
        Err(error) => {
            tracing::error!(call = %call.id, %error, "the recording could not be stored");
            Sought::NotYet
        }
    }
}

async fn finish_only(app: &App, job: Held) -> Result<(), StoreError> {
    app.platform().write(move |tx| Box::pin(async move { store::jobs::finish(tx, job).await })).await
}

/// What becomes of the job once its results are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    Finish,
    /// It is still being worked on.
    GoOn,
    /// It comes back then.
    LookBack(Timestamp),
}

/// The job comes back for the first time after the end of the call, if something is missing.
fn back_if(app: &App, is_missing: bool) -> Then {
    if is_missing { Then::LookBack(app.now() + FIRST_LOOK_BACK) } else { Then::Finish }
}

async fn conclude(app: &App, job: Held, results: Results, then: Then) -> Result<(), StoreError> {
    let id = results.work.call.id;
    let platform = app.clone();
    app.platform()
        .write(move |tx| {
            Box::pin(async move {
                let now = platform.now();
                let locked = store::calls::lock(tx, id).await?;
                // What came while the call was being read is read next.
                let news = store::findings::get(tx, id).await? != results.work.findings;
                match then {
                    Then::GoOn => {}
                    Then::Finish if !news => store::jobs::finish(tx, job).await?,
                    Then::LookBack(at) if !news => store::jobs::repeat_at(tx, job, at).await?,
                    Then::Finish | Then::LookBack(_) => store::jobs::repeat_at(tx, job, now).await?,
                }
                let Some(mut call) = locked else { return Ok(()) };
                match call.state() {
                    CallState::WrappingUp { .. } => complete(tx, &platform, &mut call, results, now).await,
                    CallState::Ended(_) => enrich(tx, &platform, &mut call, results, now).await,
                    _ => Ok(()),
                }
            })
        })
        .await?;
    app.live().ring(id);
    Ok(())
}

async fn complete(
    tx: &mut PlatformTx,
    app: &App,
    call: &mut Call,
    results: Results,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Results { work, found, recording } = results;
    let assessment = match found {
        Some((analysis, by)) => Some(assess(tx, app, call, analysis, by, now).await?),
        None => None,
    };
    let has_transcript = !work.utterances.is_empty();
    if has_transcript {
        store::transcripts::insert(tx, &transcript(call, work.utterances)).await?;
    }
    ending::complete(tx, app, call, Wrapped { assessment, recording, has_transcript }, now).await
}

/// Adds to a final call what became known of it since. How it ended stays, and the one event that told it; those who subscribed are told
/// what is new.
async fn enrich(
    tx: &mut PlatformTx,
    app: &App,
    call: &mut Call,
    results: Results,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Results { work, found, recording } = results;
    let before = call.clone();
    let theirs = work.findings.unwrap_or_default();
    let assessment = match found {
        Some((analysis, by)) => {
            let had = call.assessment().cloned();
            let new = assess(tx, app, call, analysis, by, now).await?;
            // Of two readings the engine's own counts; ours only fills a gap.
            Some(match had {
                Some(had) if theirs.summary.is_none() => {
                    Assessment { quality: theirs.quality.or(had.quality), ..had }
                }
                _ => new,
            })
        }
        None => None,
    };
    let mut is_news = false;
    if !work.utterances.is_empty() {
        is_news = store::transcripts::replace(tx, &transcript(call, work.utterances)).await?;
    }
    let _changed = call.enrich(Enrichment { assessment, recording, cost_cents: None });
    let told = ending::filled(tx, app, &before, call, now).await?;
    if is_news && !told { news::updated(tx, app, call, now).await } else { Ok(()) }
}

/// Teaches the lead what was found out, and gives what is kept with the call.
async fn assess(
    tx: &mut PlatformTx,
    app: &App,
    call: &mut Call,
    analysis: Analysis,
    analyst: String,
    now: Timestamp,
) -> Result<Assessment, StoreError> {
    if let Some(lead) = leads::learn(tx, app, call, &analysis, now).await? {
        call.belong_to(lead);
    }
    Ok(Assessment { summary: analysis.summary, quality: analysis.quality, analyst })
}

fn transcript(call: &Call, utterances: Vec<Utterance>) -> Transcript {
    Transcript {
        call_id: call.id,
        business_id: call.business_id,
        mode: call.mode,
        agent_id: call.agent_id,
        created_at: call.created_at,
        text: transcript_text(&utterances),
        utterances,
    }
}

/// One line per utterance, `Agent: …` or `Caller: …`, as the public API shows it.
fn transcript_text(utterances: &[Utterance]) -> String {
    let mut text = String::new();
    for said in utterances {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(match said.by {
            Party::Agent => "Agent: ",
            Party::Caller => "Caller: ",
        });
        // What a caller says cannot begin a line of its own.
        text.extend(said.text.chars().map(|c| if c.is_control() { ' ' } else { c }));
    }
    text
}

#[cfg(test)]
mod tests;
