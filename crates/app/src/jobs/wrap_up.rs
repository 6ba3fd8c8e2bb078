//! After the talk: summary, scores, lead and recording, then the end, in one transaction.
//!
//! A wish not to be called again counts from the moment it is noticed, so it is stored before anything slow begins. When the
//! deadline passes, the call ends with what there is.

use std::time::Duration;

use domain::call::{CallState, Outcome, Party, Utterance};
use domain::engine::RecordingFile;
use domain::prompt::{self, Knowledge};
use domain::{CallId, JobId, Timestamp};
use jiff::SignedDuration;
use speech::{Analysis, AnalysisRequest, ModelChoice, Role, Spoken};
use store::StoreError;
use store::calls::Call;
use store::transcripts::Transcript;

use crate::calls::cast_of;
use crate::{App, leads, outbox};

/// How long the job belongs to the process that works on it: the deadline and some more.
pub(crate) const LEASE: SignedDuration = SignedDuration::from_secs(60);

/// Kept back from the deadline for the last transaction.
const RESERVE: Duration = Duration::from_secs(2);

/// Wraps up and logs what went wrong; the sweep or another runner comes back to a call that is still not final.
pub(crate) async fn run(app: &App, id: CallId, job: JobId) {
    if let Err(error) = wrap_up(app, id, job).await {
        tracing::warn!(call = %id, %error, "wrapping up a call has to wait");
    }
}

/// Wraps a call up. Harmless to repeat, and nothing to do for a call that is final already.
pub(crate) async fn wrap_up(app: &App, id: CallId, job: JobId) -> Result<(), StoreError> {
    let Some(work) = look_up(app, id).await? else { return finish_only(app, job).await };
    let CallState::WrappingUp { talked, until, .. } = work.call.state else {
        return finish_only(app, job).await;
    };

    let fallback = &app.parts().fallback_analyst;
    let analysis = fallback.analyse(&work.request).await;
    let mut found = analysis.ok().map(|analysis| (analysis, fallback.name(&work.request)));
    if found.as_ref().is_some_and(|(analysis, _)| analysis.opt_out) {
        opt_out(app, &work.call).await?;
    }
    let left = until.duration_since(app.now());
    let patience = Duration::try_from(left).unwrap_or(Duration::ZERO).saturating_sub(RESERVE);
    let (read, recording) = tokio::join!(
        tokio::time::timeout(patience, read_with_model(app, &work.request)),
        tokio::time::timeout(patience, record(app, &work.call, &work.utterances)),
    );
    if let Ok(Some((analysis, by))) = read {
        if analysis.opt_out && !found.as_ref().is_some_and(|(analysis, _)| analysis.opt_out) {
            opt_out(app, &work.call).await?;
        }
        found = Some((analysis, by));
    }
    let recording = recording.unwrap_or_else(|_| {
        tracing::warn!(call = %id, "the recording was not ready in time");
        None
    });
    conclude(app, job, Findings { work, talked, found, recording }).await
}

/// Everything that is known of the call before it is read.
struct Work {
    call: Call,
    utterances: Vec<Utterance>,
    request: AnalysisRequest,
}

/// Everything that goes into the last transaction.
struct Findings {
    work: Work,
    talked: Duration,
    found: Option<(Analysis, String)>,
    recording: Option<Recorded>,
}

/// A recording that has been stored.
struct Recorded {
    key: String,
    content_type: &'static str,
    duration: Duration,
}

async fn look_up(app: &App, id: CallId) -> Result<Option<Work>, StoreError> {
    let now = app.now();
    app.store()
        .read(move |tx| {
            Box::pin(async move {
                let Some(call) = store::calls::by_id(tx, id).await? else { return Ok(None) };
                let utterances = store::calls::utterances(tx, id).await?;
                let Some(cast) = cast_of(tx, &call).await? else { return Ok(None) };
                let knowledge = Knowledge {
                    lead: cast.lead.as_ref(),
                    name: call.name.as_deref(),
                    business: &cast.business,
                    now,
                };
                let variables = prompt::variables(&knowledge);
                let config = &cast.agent.config;
                let mut facts: Vec<(String, String)> =
                    variables.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
                if let Some(context) = &call.context {
                    facts.push(("context".to_owned(), context.clone()));
                }
                let request = AnalysisRequest {
                    system_prompt: prompt::instructions(
                        config,
                        call.direction,
                        call.context.as_deref(),
                        &variables,
                    ),
                    facts,
                    transcript: utterances.iter().map(spoken).collect(),
                    ended_reason: call.ended_reason.clone().unwrap_or_default(),
                    choice: ModelChoice {
                        provider: config.model.provider.clone(),
                        model: config.model.model.clone(),
                        temperature: 0.0,
                    },
                };
                Ok(Some(Work { call, utterances, request }))
            })
        })
        .await
}

fn spoken(said: &Utterance) -> Spoken {
    Spoken {
        by: match said.by {
            Party::Agent => Role::Assistant,
            Party::Caller => Role::User,
        },
        text: said.text.clone(),
        start_ms: u64::try_from(said.start.as_millis()).unwrap_or(u64::MAX),
        end_ms: u64::try_from(said.end.as_millis()).unwrap_or(u64::MAX),
        interrupted: said.interrupted,
    }
}

async fn read_with_model(app: &App, request: &AnalysisRequest) -> Option<(Analysis, String)> {
    let analyst = app.parts().analyst.as_ref()?;
    match analyst.analyse(request).await {
        Ok(analysis) => Some((analysis, analyst.name(request))),
        Err(error) => {
            tracing::warn!(%error, "the language model could not read the call; the built-in analyst's reading stands");
            None
        }
    }
}

/// Gets and stores the recording. Losing it never holds up the end of a call.
async fn record(app: &App, call: &Call, utterances: &[Utterance]) -> Option<Recorded> {
    let engine = app.engine_for(call.mode)?;
    let file: RecordingFile = match engine.recording(call.id, utterances).await {
        Ok(file) => file?,
        Err(error) => {
            tracing::warn!(call = %call.id, %error, "the recording could not be had");
            return None;
        }
    };
    match app.recordings().put(call.id, &file).await {
        Ok(key) => Some(Recorded { key, content_type: file.content_type, duration: file.duration }),
        Err(error) => {
            tracing::error!(call = %call.id, %error, "the recording could not be stored");
            None
        }
    }
}

async fn opt_out(app: &App, call: &Call) -> Result<(), StoreError> {
    let Some(number) = call.other_party().cloned() else { return Ok(()) };
    let (business, mode, id, now) = (call.business_id, call.mode, call.id, app.now());
    app.store()
        .write(move |tx| {
            Box::pin(async move {
                store::opt_outs::add(tx, business, mode, &number, &format!("call {id}"), now).await
            })
        })
        .await
}

async fn finish_only(app: &App, job: JobId) -> Result<(), StoreError> {
    app.store().write(move |tx| Box::pin(async move { store::jobs::finish(tx, job).await })).await
}

async fn conclude(app: &App, job: JobId, findings: Findings) -> Result<(), StoreError> {
    let id = findings.work.call.id;
    let platform = app.clone();
    app.store()
        .write(move |tx| {
            Box::pin(async move {
                let now = platform.now();
                store::jobs::finish(tx, job).await?;
                let Some(mut call) = store::calls::lock(tx, id).await? else { return Ok(()) };
                if !matches!(call.state, CallState::WrappingUp { .. }) {
                    return Ok(());
                }
                write_findings(tx, &platform, &mut call, findings, now).await
            })
        })
        .await?;
    app.live().ring(id);
    Ok(())
}

async fn write_findings(
    tx: &mut store::Tx,
    app: &App,
    call: &mut Call,
    findings: Findings,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Findings { work, talked, found, recording } = findings;
    if let Some((analysis, by)) = found {
        call.quality = analysis.quality.map(|marks| {
            [marks.professionalism, marks.empathy, marks.information_gathering, marks.resolution]
        });
        call.lead_id = leads::learn(tx, app, call, &analysis, now).await?.or(call.lead_id);
        call.summary = Some(analysis.summary);
        call.analyst = Some(by);
    }
    if let Some(recorded) = recording {
        call.recording_duration_ms = u64::try_from(recorded.duration.as_millis()).ok();
        call.recording_type = Some(recorded.content_type.to_owned());
        call.recording_key = Some(recorded.key);
    }
    if !work.utterances.is_empty() {
        let transcript = Transcript {
            call_id: call.id,
            business_id: call.business_id,
            mode: call.mode,
            agent_id: call.agent_id,
            created_at: call.created_at,
            text: transcript_text(&work.utterances),
            utterances: work.utterances,
        };
        store::transcripts::insert(tx, &transcript).await?;
    }
    call.state = CallState::Ended(Outcome::Completed { talked });
    outbox::conclude(tx, app, call, now).await
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
