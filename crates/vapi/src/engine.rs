//! The engine: what Vapi is asked to do, and what it is asked about.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::agent::Agent;
use domain::call::{Call, CallPlan, FailureCode, Progress, Report, Utterance};
use domain::engine::{
    Accepted, CallEngine, CallObserver, EngineAgents, EngineNumbers, EngineRefusal, EngineUnavailable, Fate,
    HeldNumbers, Inquiry, KeptAgent, PlaceError, Recorded, Recordings,
};
use domain::{CallId, Clock, E164, Timestamp};
use jiff::SignedDuration;
use serde_json::Value;

use crate::assistant::{Server, assistant, settable, settings_made, tagged as tagged_agent};
use crate::client::{Artifact, Client, Failure, segment};
use crate::evidence::Evidence;
use crate::facts::Facts;
use crate::message::tagged;
use crate::names::{NAME, id_of};
use crate::numbers::{Held, Numbers};
use crate::time::time;
use crate::{call, recording};

/// When to look for the report of a call that is over, by the time since its end was seen. After the last of them, or the first for a call
/// that never connected, it is settled with what there is: it has to be final thirty seconds after its end.
const LOOKS: [Duration; 3] = [Duration::from_secs(10), Duration::from_secs(17), Duration::from_secs(24)];

/// How long to leave a call alone that runs.
const RUNNING: Duration = Duration::from_secs(15);

/// The longest ringing that is believed.
const LONGEST_RING: Duration = Duration::from_secs(60);

/// How much longer than it may a call rings or runs before it counts as stuck.
const STUCK: SignedDuration = SignedDuration::from_secs(40);

/// How long a call may wait at Vapi for a free line.
const LONGEST_QUEUE: SignedDuration = SignedDuration::from_mins(10);

/// How long Vapi may take to end a call that it was told to end.
const ENDING: Duration = Duration::from_secs(5);

/// How far the clocks of Vapi and ours may differ when a call is looked for by its time.
const SKEW: SignedDuration = SignedDuration::from_mins(20);

/// A call older than that may be tried a second time, so that it is looked for first.
const WAITED: SignedDuration = SignedDuration::from_secs(10);

/// How long to wait for room where Vapi does not say.
const NO_ROOM: Duration = Duration::from_secs(10);

/// How the engine is set up.
#[derive(Clone)]
pub struct EngineSettings {
    /// Where server messages are delivered: the whole address, token included.
    pub webhook_url: String,
    /// What they show in a header; nothing if a credential signs them.
    pub webhook_secret: Option<String>,
    /// The credential at Vapi that signs them, if there is one.
    pub credential_id: Option<String>,
    /// Vapi's id of the number that calls if the agent has none of its own.
    pub phone_number_id: Option<String>,
    /// What tells the assistants of this installation from those of others in the same account.
    pub installation: String,
    /// The pauses before each look for a call whose creation was not answered.
    pub looks: Vec<Duration>,
    /// How many calls may run at once.
    pub max_concurrent_calls: u32,
}

impl EngineSettings {
    /// Three looks over fifteen seconds.
    pub fn usual_looks() -> Vec<Duration> {
        [1, 5, 9].map(Duration::from_secs).to_vec()
    }
}

pub struct VapiEngine {
    client: Client,
    numbers: Numbers,
    /// For the targets of redirects.
    files: egress::Client,
    clock: Arc<dyn Clock>,
    server: Server,
    settings: EngineSettings,
}

impl VapiEngine {
    /// An engine. `files` fetches recordings from wherever Vapi keeps them.
    pub fn new(
        client: Client,
        files: egress::Client,
        clock: Arc<dyn Clock>,
        settings: EngineSettings,
    ) -> Self {
        let server = Server {
            url: settings.webhook_url.clone(),
            secret: settings.webhook_secret.clone(),
            credential_id: settings.credential_id.clone(),
        };
        Self { numbers: Numbers::new(client.clone()), client, files, clock, server, settings }
    }

    pub(crate) fn known_numbers(&self) -> Numbers {
        self.numbers.clone()
    }

    /// What the files of recordings may cost.
    pub fn file_limits() -> egress::Limits {
        egress::Limits { deadline: recording::LONGEST_FETCH, kept_body: recording::LARGEST }
    }

    /// Whether the account holds a number with this id of Vapi's.
    pub async fn holds(&self, number: &str) -> bool {
        self.numbers.recent().await.is_ok_and(|held| held.iter().any(|held| held.id == number))
    }

    /// Which of the account's numbers calls: the agent's own, else the configured one, else the only one.
    async fn number_for(&self, from: Option<&E164>) -> Result<String, PlaceError> {
        if from.is_none()
            && let Some(configured) = &self.settings.phone_number_id
        {
            return Ok(configured.clone());
        }
        let mut held = self.numbers.recent().await.map_err(not_placed)?;
        if let Some(from) = from {
            let find =
                |held: &[Held]| held.iter().find(|held| held.number == *from).map(|held| held.id.clone());
            if let Some(id) = find(&held) {
                return Ok(id);
            }
            held = self.numbers.all().await.map_err(not_placed)?;
            return find(&held).ok_or_else(|| {
                let reason = format!("the voice provider's account does not hold {from}, the agent's number");
                PlaceError::Refused { code: FailureCode::AgentError, reason }
            });
        }
        let refused = |reason: &str, remedy: &str| {
            tracing::warn!(remedy, "a call has no number to call from");
            PlaceError::Refused { code: FailureCode::AgentError, reason: reason.to_owned() }
        };
        match held.as_slice() {
            [only] => Ok(only.id.clone()),
            [] => Err(refused(
                "the voice provider's account holds no phone number to call from",
                "buy or import a number at Vapi",
            )),
            _ => Err(refused(
                "the agent has no phone number to call from; it needs one of its own",
                "give the agent a number with `kaicalls numbers assign`, or set KAICALLS_VAPI_PHONE_NUMBER_ID",
            )),
        }
    }

    /// The call that we placed, if Vapi has it. It is named with our id.
    async fn find(&self, id: CallId) -> Result<Option<Value>, Failure> {
        let begun = begun_at(id).unwrap_or_else(|| self.clock.now() - SignedDuration::from_hours(24));
        let listed = self.client.list("/call", Some(begun - SKEW)).await?;
        Ok(listed.into_iter().find(|call| tagged(call) == Some(id)))
    }

    /// Looks a few times for a call of which no answer says whether it exists.
    async fn look_for(&self, id: CallId) -> Looked {
        let mut looked = Looked::Absent;
        for pause in &self.settings.looks {
            tokio::time::sleep(*pause).await;
            match self.find(id).await {
                Ok(Some(call)) => match id_of(&call["id"]) {
                    Some(conversation) => return Looked::Found(conversation.to_owned()),
                    None => looked = Looked::Unsure,
                },
                Ok(None) => {}
                Err(_) => looked = Looked::Unsure,
            }
        }
        looked
    }

    async fn get_call(&self, conversation: &str) -> Result<Option<Value>, EngineUnavailable> {
        match self.client.get(&format!("/call/{}", segment(conversation))).await {
            Ok(call) => Ok(Some(call)),
            Err(Failure::Refused { status: 404, .. }) => Ok(None),
            Err(failure) => Err(unavailable(&failure)),
        }
    }

    /// What to do about a call that Vapi says still runs: whether it may, which is only asked when its longest time is over.
    async fn running(&self, call: &Call, found: &Value, now: Timestamp) -> Fate {
        let age = now.duration_since(call.created_at);
        let answered_at = time(&found["startedAt"]);
        let is_stuck = match found["status"].as_str().unwrap_or_default() {
            "scheduled" | "queued" => age > LONGEST_QUEUE.saturating_add(stretched(call.max_duration)),
            "ringing" => age > STUCK.saturating_add(stretched(call.max_duration)),
            // When it was answered is known, and its longest talk is over.
            _ if call.answered_at().is_some() => age > stretched(call.max_duration),
            _ => {
                let rang = answered_at
                    .zip(time(&found["createdAt"]))
                    .map(|(answered, created)| answered.duration_since(created));
                let rang = rang.and_then(|rang| Duration::try_from(rang).ok()).unwrap_or(LONGEST_RING);
                let ask_again = rang.min(LONGEST_RING) + ENDING;
                let answered_at = answered_at.or(call.ringing_at()).unwrap_or(call.created_at);
                return Fate::Running { ask_again, answered_at: Some(answered_at) };
            }
        };
        if !is_stuck {
            return Fate::Running { ask_again: RUNNING, answered_at: None };
        }
        tracing::warn!(call = %call.id, "a call runs beyond its longest time at Vapi; it is ended there");
        self.end_at(call.id, found).await;
        Fate::Settling { ask_again: ENDING }
    }

    /// Ends a call by its control address.
    async fn end_at(&self, call: CallId, running: &Value) {
        let Some(control) = running["monitor"]["controlUrl"].as_str() else {
            tracing::warn!(%call, "a call cannot be ended yet: it has no control address");
            return;
        };
        match self.client.control(control, &serde_json::json!({ "type": "end-call" })).await {
            Ok(200..=299 | 404 | 410) => {}
            Ok(status) => tracing::warn!(%call, status, "a call was not ended"),
            // The address is gone with the call.
            Err(error) => tracing::info!(%call, %error, "a call's control address does not answer"),
        }
    }

    /// Whether there can ever be a recording of a call.
    async fn is_recorded(&self, conversation: &str) -> Result<bool, EngineUnavailable> {
        let Some(call) = self.get_call(conversation).await? else { return Ok(false) };
        let consent = &call["compliance"]["recordingConsent"];
        if consent.is_object() && consent["grantedAt"].is_null() {
            return Ok(false);
        }
        let Some(id) = call["assistantId"].as_str() else { return Ok(true) };
        match self.client.get(&format!("/assistant/{}", segment(id))).await {
            Ok(assistant) => Ok(assistant["artifactPlan"]["recordingEnabled"] != false
                && assistant["compliancePlan"]["hipaaEnabled"] != true),
            Err(Failure::Refused { .. }) => Ok(true),
            Err(failure) => Err(unavailable(&failure)),
        }
    }

    async fn fetch(
        &self,
        conversation: &str,
        kind: &str,
        file: &Path,
    ) -> Result<Option<Recorded>, EngineUnavailable> {
        let place = self.client.artifact(conversation, kind).await;
        match place {
            Ok(Artifact::At(url)) => Ok(Some(recording::fetch(&self.files, &url, file).await)),
            Ok(Artifact::Here(answer)) => Ok(Some(recording::keep(answer, file).await)),
            Ok(Artifact::Missing) => Ok(None),
            Err(failure) => Err(unavailable(&failure)),
        }
    }
}

#[async_trait]
impl CallEngine for VapiEngine {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn place(&self, plan: CallPlan, _observer: Arc<dyn CallObserver>) -> Result<Accepted, PlaceError> {
        let Some(assistant) = &plan.external_agent_id else {
            let reason = "the agent has no assistant at Vapi".to_owned();
            return Err(PlaceError::Refused { code: FailureCode::AgentError, reason });
        };
        let number = self.number_for(plan.from.as_ref()).await?;
        // A call that waited may have been asked for before.
        if begun_at(plan.call_id).is_some_and(|begun| plan.now.duration_since(begun) > WAITED)
            && let Some(there) = self.find(plan.call_id).await.map_err(not_placed)?
            && let Some(id) = id_of(&there["id"])
        {
            return Ok(Accepted { conversation_id: id.to_owned() });
        }
        let body = call::call(&plan, assistant, &number).map_err(|refusal| PlaceError::Refused {
            code: FailureCode::AgentError,
            reason: refusal.to_string(),
        })?;
        let (lost, was_down) = match self.client.create("/call", &body).await {
            Ok(call) => match id_of(&call["id"]) {
                Some(id) => return Ok(Accepted { conversation_id: id.to_owned() }),
                None => ("the answer names no call".to_owned(), false),
            },
            Err(Failure::Lost(why)) => (why, false),
            Err(failure @ Failure::Down(_)) => (failure.to_string(), true),
            Err(failure) => return Err(not_placed(failure)),
        };
        match self.look_for(plan.call_id).await {
            Looked::Found(conversation_id) => Ok(Accepted { conversation_id }),
            // It said that it is out of order, and every look says that it did nothing.
            Looked::Absent if was_down => Err(PlaceError::Later {
                wait: NO_ROOM,
                reason: "the voice provider is out of order".to_owned(),
            }),
            Looked::Absent | Looked::Unsure => Err(PlaceError::Uncertain(lost)),
        }
    }

    async fn hang_up(&self, call: CallId, conversation_id: Option<&str>) {
        let Some(conversation) = conversation_id else { return };
        let running = match self.get_call(conversation).await {
            Ok(Some(running)) if running["status"] != "ended" => running,
            Ok(_) => return,
            Err(error) => {
                tracing::warn!(call = %call, %error, "a call could not be ended");
                return;
            }
        };
        self.end_at(call, &running).await;
    }

    async fn fate(&self, inquiry: Inquiry<'_>) -> Result<Fate, EngineUnavailable> {
        let Inquiry { call, waited, messages } = inquiry;
        let mut evidence = Evidence::of(messages);
        let asked = match call.conversation_id() {
            Some(conversation) => self.get_call(conversation).await,
            None => self.find(call.id).await.map_err(|failure| unavailable(&failure)),
        };
        let now = self.clock.now();
        let found = match asked {
            Ok(Some(found)) => found,
            Ok(None) => return Ok(told(call, &evidence, Vec::new(), now).unwrap_or(Fate::Unknown)),
            // What has been heard already is enough.
            Err(unavailable) if evidence.has_report() => {
                return told(call, &evidence, Vec::new(), now).ok_or(unavailable);
            }
            Err(unavailable) => return Err(unavailable),
        };
        let mut reports = Vec::new();
        if let (None, Some(conversation)) = (call.conversation_id(), id_of(&found["id"])) {
            let accepted = Progress::Accepted { conversation_id: conversation.to_owned() };
            reports.push(Report { call_id: call.id, at: now, progress: accepted });
        }
        let status = found["status"].as_str().unwrap_or_default();
        if matches!(status, "not-found" | "deletion-failed") {
            return Ok(told(call, &evidence, reports, now).unwrap_or(Fate::Unknown));
        }
        if status != "ended" {
            return Ok(match waited {
                _ if evidence.has_report() => told(call, &evidence, reports, now).unwrap_or(Fate::Unknown),
                Some(waited) => contradicted(call, &evidence, reports, waited, now),
                None if reports.is_empty() => self.running(call, &found, now).await,
                None => Fate::Reports(reports),
            });
        }
        let facts = Facts::read(&found);
        let waited = waited.unwrap_or_default();
        let looks: &[Duration] = if facts.shows_an_answer() { &LOOKS } else { &LOOKS[..1] };
        let next = looks.iter().find(|look| **look > waited);
        if let (false, false, Some(next)) = (facts.is_settled(), evidence.has_report(), next) {
            return Ok(Fate::Settling { ask_again: next.saturating_sub(waited) });
        }
        let report = |(at, progress)| Report { call_id: call.id, at, progress };
        reports.extend(facts.clone().found(now).into_iter().map(report));
        evidence.add(facts);
        Ok(told(call, &evidence, reports, now).unwrap_or(Fate::Unknown))
    }

    async fn recording(
        &self,
        _call: CallId,
        conversation_id: Option<&str>,
        _transcript: &[Utterance],
        file: &Path,
    ) -> Result<Recorded, EngineUnavailable> {
        let Some(conversation) = conversation_id else { return Ok(Recorded::Nothing) };
        for kind in ["stereo-recording", "mono-recording"] {
            match self.fetch(conversation, kind, file).await? {
                // A signed address may have run out on the way; the next one is fresh.
                Some(Recorded::NotYet) => {
                    return Ok(self.fetch(conversation, kind, file).await?.unwrap_or(Recorded::NotYet));
                }
                Some(recorded) => return Ok(recorded),
                None => {}
            }
        }
        Ok(if self.is_recorded(conversation).await? { Recorded::NotYet } else { Recorded::Nothing })
    }

    fn outlives_us(&self) -> bool {
        true
    }

    fn recordings(&self) -> Recordings {
        Recordings::Later
    }

    fn capacity(&self) -> Option<u32> {
        Some(self.settings.max_concurrent_calls)
    }

    fn agents(&self) -> Option<&dyn EngineAgents> {
        Some(self)
    }

    fn numbers(&self) -> Option<&dyn EngineNumbers> {
        Some(self)
    }
}

#[async_trait]
impl EngineAgents for VapiEngine {
    async fn create(&self, agent: &Agent) -> Result<String, EngineRefusal> {
        let body = assistant(agent, &self.server, &self.settings.installation)?;
        let made = self.client.create("/assistant", &body).await.map_err(refusal)?;
        id_of(&made["id"])
            .map(str::to_owned)
            .ok_or_else(|| EngineRefusal::Unavailable("the answer names no assistant".to_owned()))
    }

    async fn replace(&self, external_id: &str, agent: &Agent) -> Result<(), EngineRefusal> {
        let path = format!("/assistant/{}", segment(external_id));
        let body = assistant(agent, &self.server, &self.settings.installation)?;
        // What an update leaves out stays as it was, so a setting that is gone can only be left behind with the assistant.
        let now = self.client.get(&path).await.map_err(missing_assistant)?;
        let kept = settable(&body);
        if settings_made(&now).iter().any(|name| !kept.contains(&name.as_str())) {
            return Err(EngineRefusal::Missing("assistant without the settings that were taken back"));
        }
        self.client.patch(&path, &body).await.map(drop).map_err(missing_assistant)
    }

    async fn remove(&self, external_id: &str) -> Result<(), EngineRefusal> {
        match self.client.delete(&format!("/assistant/{}", segment(external_id))).await {
            Ok(()) | Err(Failure::Refused { status: 404, .. }) => Ok(()),
            Err(failure) => Err(refusal(failure)),
        }
    }

    async fn list(&self, since: Option<Timestamp>) -> Result<Vec<KeptAgent>, EngineRefusal> {
        let listed = self.client.list("/assistant", since).await.map_err(refusal)?;
        let kept = |item: &Value| {
            Some(KeptAgent {
                external_id: id_of(&item["id"])?.to_owned(),
                agent_id: tagged_agent(item, &self.settings.installation)?,
                created_at: time(&item["createdAt"])?,
                is_current: self.server.is_that_of(item),
            })
        };
        Ok(listed.iter().filter_map(kept).collect())
    }
}

#[async_trait]
impl EngineNumbers for VapiEngine {
    async fn list(&self) -> Result<HeldNumbers, EngineRefusal> {
        let (held, skipped) = self.numbers.all_with_skipped().await.map_err(refusal)?;
        Ok(HeldNumbers { numbers: held.into_iter().map(|held| held.number).collect(), skipped })
    }

    async fn answer(&self, numbers: &[E164]) -> Result<(), EngineRefusal> {
        if numbers.is_empty() {
            return Ok(());
        }
        for held in self.numbers.recent().await.map_err(refusal)? {
            if numbers.contains(&held.number) {
                self.numbers.bring_here(&held, &self.server).await.map_err(refusal)?;
            }
        }
        Ok(())
    }
}

/// How a call ended by everything that is known of it; `None` if nobody has said that it has.
fn told(call: &Call, evidence: &Evidence, mut reports: Vec<Report>, now: Timestamp) -> Option<Fate> {
    let (at, progress) = evidence.end(now)?;
    reports.push(Report { call_id: call.id, at, progress });
    Some(Fate::Reports(reports))
}

/// What to do about a call that Vapi says still runs, although a message said that it is over or it was told to end.
fn contradicted(
    call: &Call,
    evidence: &Evidence,
    reports: Vec<Report>,
    waited: Duration,
    now: Timestamp,
) -> Fate {
    match LOOKS.iter().find(|look| **look > waited) {
        Some(next) if evidence.knows_the_end() => Fate::Settling { ask_again: next.saturating_sub(waited) },
        None if evidence.knows_the_end() => told(call, evidence, reports, now).unwrap_or(Fate::Unknown),
        _ if waited < 2 * ENDING => Fate::Settling { ask_again: ENDING },
        _ => Fate::Unknown,
    }
}

/// What came of looking for a call.
enum Looked {
    /// It is there; Vapi calls it so.
    Found(String),
    /// Every look was answered, and it is not there.
    Absent,
    Unsure,
}

fn stretched(time: Duration) -> SignedDuration {
    SignedDuration::try_from(time).unwrap_or(SignedDuration::MAX)
}

/// When a call was created here: its id tells (RFC 9562, version 7).
fn begun_at(id: CallId) -> Option<Timestamp> {
    let (seconds, nanos) = id.0.get_timestamp()?.to_unix();
    Timestamp::new(i64::try_from(seconds).ok()?, i32::try_from(nanos).ok()?).ok()
}

fn unavailable(failure: &Failure) -> EngineUnavailable {
    EngineUnavailable(format!("Vapi: {failure}"))
}

/// What a customer is told of a key that Vapi does not accept. What to do about it is in the log, for those who can.
const BAD_KEY: &str = "the voice provider does not accept the key of this installation; its operator finds in the log what to do";

fn bad_key(status: u16) {
    tracing::error!(
        status,
        "Vapi does not accept KAICALLS_VAPI_API_KEY: it must be the private key of the account"
    );
}

fn refusal(failure: Failure) -> EngineRefusal {
    match failure {
        Failure::Refused { status: status @ (401 | 403), .. } => {
            bad_key(status);
            EngineRefusal::Refused { status, reason: BAD_KEY.to_owned() }
        }
        Failure::Refused { status, message } => {
            EngineRefusal::Refused { status, reason: format!("Vapi says: {message}") }
        }
        Failure::Busy { wait } => EngineRefusal::Busy { wait },
        failure @ (Failure::NotSent(_) | Failure::Down(_) | Failure::Lost(_)) => {
            EngineRefusal::Unavailable(format!("Vapi: {failure}"))
        }
    }
}

fn missing_assistant(failure: Failure) -> EngineRefusal {
    match failure {
        Failure::Refused { status: 404, .. } => EngineRefusal::Missing("assistant"),
        failure => refusal(failure),
    }
}

/// A call that certainly was not made.
fn not_placed(failure: Failure) -> PlaceError {
    let refused = |code, reason: String| PlaceError::Refused { code, reason };
    match failure {
        Failure::Busy { wait } => {
            PlaceError::Later { wait, reason: "Vapi takes no more requests for the moment".to_owned() }
        }
        failure @ (Failure::NotSent(_) | Failure::Down(_) | Failure::Lost(_)) => {
            PlaceError::Later { wait: NO_ROOM, reason: format!("Vapi could not be asked: {failure}") }
        }
        Failure::Refused { status: status @ (401 | 403), .. } => {
            bad_key(status);
            refused(FailureCode::InternalError, BAD_KEY.to_owned())
        }
        Failure::Refused { status: 402, message } => refused(
            FailureCode::CarrierError,
            format!("the voice provider's account has to be topped up: {message}"),
        ),
        Failure::Refused { message, .. } => {
            let text = message.to_lowercase();
            if text.contains("concurren") {
                PlaceError::Later {
                    wait: NO_ROOM,
                    reason: format!("Vapi has no room for another call: {message}"),
                }
            } else if text.contains("customer.number") {
                refused(FailureCode::InvalidNumber, format!("Vapi does not take the number: {message}"))
            } else {
                refused(FailureCode::AgentError, format!("Vapi refused the call: {message}"))
            }
        }
    }
}
