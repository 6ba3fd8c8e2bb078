//! After the talk: summary, scores, lead and recording, then the end, in one transaction.
//!
//! When the deadline passes, the call ends with what there is.

use std::time::Duration;

use domain::agent::Model;
use domain::call::{Assessment, Call, CallState, Findings, Party, StoredRecording, Utterance};
use domain::engine::{Recorded, Recordings};
use domain::prompt::{self, Knowledge};
use domain::{CallId, JobId, Timestamp};
use jiff::SignedDuration;
use speech::{Analysis, AnalysisRequest, LeadFacts, Reached};
use store::transcripts::Transcript;
use store::{PlatformTx, StoreError, Tenancy};

use super::cast::cast_of;
use super::ending;
use crate::attempt::{self, Attempt};
use crate::{App, leads};

/// How long the job belongs to the process that works on it: the deadline and some more.
pub(crate) const LEASE: SignedDuration = SignedDuration::from_secs(60);

/// How long adding to a final call may take.
const ENRICHING: SignedDuration = SignedDuration::from_secs(30);

/// How long after the beginning of the wrap-up a recording is looked for that was not there at once.
const LOOKS: [SignedDuration; 4] = [
    SignedDuration::from_secs(10),
    SignedDuration::from_secs(30),
    SignedDuration::from_mins(2),
    SignedDuration::from_mins(10),
];

/// Kept back from the deadline for the last transaction.
const RESERVE: Duration = Duration::from_secs(2);

/// Makes an attempt at wrapping a call up.
pub(crate) async fn attempt(app: &App, id: CallId, attempt: Attempt) {
    let platform = app.clone();
    let wrapped_up = attempt::run(app, attempt, Box::pin(wrap_up(app, id, attempt.job)), move |tx| {
        Box::pin(async move { ending::without_findings(tx, &platform, id).await.map(drop) })
    });
    if wrapped_up.await.is_err() {
        app.live().ring(id);
    }
}

/// Wraps a call up, or adds to a final one what became known of it since. Harmless to repeat.
async fn wrap_up(app: &App, id: CallId, job: JobId) -> Result<(), StoreError> {
    let Some(work) = look_up(app, id).await? else { return finish_only(app, job).await };
    let now = app.now();
    let until = match work.call.state() {
        CallState::WrappingUp { until, .. } => *until,
        CallState::Ended(_) => now + ENRICHING,
        _ => return finish_only(app, job).await,
    };
    // Where the recording may take minutes, the job gives its hand back until then.
    let engine = app.engine_of(&work.call);
    let early = if engine.is_some_and(|engine| engine.recordings() == Recordings::Later) {
        match record(app, &work.call, &work.utterances).await {
            Sought::NotYet if !work.call.state().is_final() => {
                if let Some(again) = next_look(app, &work.call, until) {
                    return postpone(app, job, again).await;
                }
                Some(Sought::Nothing)
            }
            recording => Some(recording),
        }
    } else {
        None
    };

    let fallback = &app.parts().fallback_analyst;
    let analysis = fallback.analyse(&work.request).await;
    let mut found = analysis.ok().map(|analysis| (analysis.cleaned(), fallback.name(&work.request)));
    let left = until.duration_since(app.now());
    let patience = Duration::try_from(left).unwrap_or(Duration::ZERO).saturating_sub(RESERVE);
    let known =
        work.findings.as_ref().is_some_and(|found| found.summary.is_some() && found.quality.is_some());
    let (read, recording) = tokio::join!(
        tokio::time::timeout(patience, async {
            if known { None } else { read_with_model(app, &work.request).await }
        }),
        tokio::time::timeout(patience, async {
            match early {
                Some(recording) => recording,
                None => record(app, &work.call, &work.utterances).await,
            }
        }),
    );
    if let Ok(Some((analysis, by))) = read {
        found = Some((analysis, by));
    }
    let recording = match recording {
        Ok(Sought::Stored(recorded)) => Some(recorded),
        Ok(Sought::Nothing | Sought::NotYet) => None,
        Err(_) => {
            tracing::warn!(call = %id, "the recording was not ready in time");
            None
        }
    };
    let was_heard = !work.utterances.is_empty();
    let found = with_findings(found, work.findings.as_ref(), &work.call.engine, was_heard);
    conclude(app, job, Results { work, found, recording }).await
}

/// Everything that is known of the call before it is read.
struct Work {
    call: Call,
    utterances: Vec<Utterance>,
    request: AnalysisRequest,
    findings: Option<Findings>,
}

/// When to look for a recording again: 10 s, 30 s, 2 min and 10 min after the wrap-up began; `None` if it is too late for that.
fn next_look(app: &App, call: &Call, until: Timestamp) -> Option<Timestamp> {
    let begun = until - app.engine_of(call)?.wrap_up_limit();
    let now = app.now();
    LOOKS.iter().map(|&after| begun + after).find(|&again| again > now && again < until)
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

async fn postpone(app: &App, job: JobId, at: Timestamp) -> Result<(), StoreError> {
    app.platform().write(move |tx| Box::pin(async move { store::jobs::postpone(tx, job, at).await })).await
}

/// Everything that goes into the last transaction.
struct Results {
    work: Work,
    found: Option<(Analysis, String)>,
    recording: Option<StoredRecording>,
}

async fn look_up(app: &App, id: CallId) -> Result<Option<Work>, StoreError> {
    let now = app.now();
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
                let knowledge = Knowledge {
                    lead: cast.lead.as_ref(),
                    name: call.request.name.as_deref(),
                    business: &cast.business,
                    now,
                };
                let variables = prompt::variables(&knowledge);
                let config = &cast.agent.config;
                let mut facts: Vec<(String, String)> =
                    variables.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
                if let Some(context) = &call.request.context {
                    facts.push(("context".to_owned(), context.clone()));
                }
                let request = AnalysisRequest {
                    system_prompt: prompt::instructions(
                        config,
                        call.direction,
                        call.request.context.as_deref(),
                        &variables,
                    ),
                    facts,
                    transcript: utterances.clone(),
                    ended_reason: call.ended_reason().unwrap_or_default().to_owned(),
                    model: Model { temperature: 0.0, ..config.model.clone() },
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

async fn finish_only(app: &App, job: JobId) -> Result<(), StoreError> {
    app.platform().write(move |tx| Box::pin(async move { store::jobs::finish(tx, job).await })).await
}

async fn conclude(app: &App, job: JobId, results: Results) -> Result<(), StoreError> {
    let id = results.work.call.id;
    let platform = app.clone();
    app.platform()
        .write(move |tx| {
            Box::pin(async move {
                let now = platform.now();
                store::jobs::finish(tx, job).await?;
                let Some(mut call) = store::calls::lock(tx, id).await? else { return Ok(()) };
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
    if !work.utterances.is_empty() {
        store::transcripts::insert(tx, &transcript(call, work.utterances)).await?;
    }
    ending::complete(tx, app, call, assessment, recording, now).await
}

/// Adds to a final call what became known of it too late. Nothing is changed that was there, and nobody is told twice.
async fn enrich(
    tx: &mut PlatformTx,
    app: &App,
    call: &mut Call,
    results: Results,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Results { work, found, recording } = results;
    let assessment = match found {
        Some((analysis, by)) if call.assessment().is_none() => {
            Some(assess(tx, app, call, analysis, by, now).await?)
        }
        _ => None,
    };
    let one = Tenancy::one(call.business_id, call.mode);
    if !work.utterances.is_empty() && !store::transcripts::exists(tx, &one, call.id).await? {
        store::transcripts::insert(tx, &transcript(call, work.utterances)).await?;
    }
    if call.enrich(assessment, recording) { store::calls::update(tx, call).await } else { Ok(()) }
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
