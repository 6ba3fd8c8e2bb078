//! The engine: what Vapi is asked to do, and what it is asked about.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::agent::Agent;
use domain::call::{CallPlan, FailureCode, Progress, Report, Utterance};
use domain::engine::{
    Accepted, CallEngine, CallObserver, EngineAgents, EngineNumbers, EngineRefusal, EngineUnavailable, Fate,
    KeptAgent, PlaceError, Recorded, Recordings,
};
use domain::{CallId, Clock, E164, Timestamp};
use jiff::SignedDuration;
use serde_json::Value;

use crate::assistant::{Server, assistant, settable, settings_made, tagged as tagged_agent};
use crate::client::{Artifact, Client, Failure, segment};
use crate::facts::{Facts, time};
use crate::message::tagged;
use crate::names::NAME;
use crate::numbers::{Held, Numbers};
use crate::{call, recording};

/// How long to look for the report of a call that is over, by the time since its end was seen: after the last of them it is
/// settled with what there is.
const REPORT_LOOKS: [Duration; 4] =
    [Duration::from_secs(60), Duration::from_mins(2), Duration::from_mins(5), Duration::from_mins(15)];

/// The same for a call that never connected: nothing is worked on there.
const NO_REPORT: Duration = Duration::from_secs(10);

/// How long to leave a call alone that runs.
const RUNNING: Duration = Duration::from_secs(60);

/// A call that Vapi says still runs after this time does not: its longest is twelve hours.
const LONGEST: SignedDuration = SignedDuration::from_hours(13);

/// How far the clocks of Vapi and ours may differ when a call is looked for by its time.
const SKEW: SignedDuration = SignedDuration::from_mins(20);

/// Vapi stores recordings seconds after the end; the last look at one is after ten minutes.
const WRAP_UP: SignedDuration = SignedDuration::from_mins(11);

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

/// Calls on Vapi.
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
                let reason = format!(
                    "the Vapi account does not hold {from}, the agent's number; import it at Vapi first"
                );
                PlaceError::Refused { code: FailureCode::AgentError, reason }
            });
        }
        match held.as_slice() {
            [only] => Ok(only.id.clone()),
            [] => Err(PlaceError::Refused {
                code: FailureCode::AgentError,
                reason: "the Vapi account holds no phone number to call from; buy or import one at Vapi"
                    .to_owned(),
            }),
            _ => Err(PlaceError::Refused {
                code: FailureCode::AgentError,
                reason:
                    "the agent has no phone number and the Vapi account holds several; give the agent one \
                         (`kaicalls numbers assign`) or set KAICALLS_VAPI_PHONE_NUMBER_ID"
                        .to_owned(),
            }),
        }
    }

    /// The call that we placed, if Vapi has it. It is named with our id.
    async fn find(&self, id: CallId) -> Result<Option<Value>, Failure> {
        let begun = begun_at(id).unwrap_or_else(|| self.clock.now() - SignedDuration::from_hours(24));
        let listed = self.client.list("/call", Some(begun - SKEW)).await?;
        Ok(listed.into_iter().find(|call| tagged(call) == Some(id)))
    }

    /// Looks a few times for a call of which no answer says whether it exists.
    async fn look_for(&self, id: CallId) -> Option<String> {
        for pause in &self.settings.looks {
            tokio::time::sleep(*pause).await;
            if let Ok(Some(call)) = self.find(id).await
                && let Some(conversation) = call["id"].as_str()
            {
                return Some(conversation.to_owned());
            }
        }
        None
    }

    async fn get_call(&self, conversation: &str) -> Result<Option<Value>, EngineUnavailable> {
        match self.client.get(&format!("/call/{}", segment(conversation))).await {
            Ok(call) => Ok(Some(call)),
            Err(Failure::Refused { status: 404, .. }) => Ok(None),
            Err(failure) => Err(unavailable(&failure)),
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
        let body = call::call(&plan, assistant, &number).map_err(|refusal| PlaceError::Refused {
            code: FailureCode::AgentError,
            reason: refusal.to_string(),
        })?;
        let lost = match self.client.create("/call", &body).await {
            Ok(call) => match call["id"].as_str() {
                Some(id) => return Ok(Accepted { conversation_id: id.to_owned() }),
                None => "the answer names no call".to_owned(),
            },
            Err(Failure::Lost(why)) => why,
            Err(failure) => return Err(not_placed(failure)),
        };
        match self.look_for(plan.call_id).await {
            Some(conversation_id) => Ok(Accepted { conversation_id }),
            None => Err(PlaceError::Uncertain(lost)),
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
        let Some(control) = running["monitor"]["controlUrl"].as_str() else {
            tracing::warn!(call = %call, "a call cannot be ended yet: it has no control address");
            return;
        };
        match self.client.control(control, &serde_json::json!({ "type": "end-call" })).await {
            Ok(200..=299 | 404 | 410) => {}
            Ok(status) => tracing::warn!(call = %call, status, "a call was not ended"),
            // The address is gone with the call.
            Err(error) => tracing::info!(call = %call, %error, "a call's control address does not answer"),
        }
    }

    async fn fate(
        &self,
        call: CallId,
        conversation_id: Option<&str>,
        waited: Option<Duration>,
    ) -> Result<Fate, EngineUnavailable> {
        let found = match conversation_id {
            Some(conversation) => self.get_call(conversation).await?,
            None => self.find(call).await.map_err(|failure| unavailable(&failure))?,
        };
        let Some(found) = found else { return Ok(Fate::Unknown) };
        let now = self.clock.now();
        let mut reports = Vec::new();
        if let (None, Some(conversation)) = (conversation_id, found["id"].as_str()) {
            let accepted = Progress::Accepted { conversation_id: conversation.to_owned() };
            reports.push(Report { call_id: call, at: now, progress: accepted });
        }
        match found["status"].as_str().unwrap_or_default() {
            "ended" => {}
            "not-found" | "deletion-failed" => return Ok(Fate::Unknown),
            _ if begun_at(call).is_some_and(|begun| now.duration_since(begun) > LONGEST) => {
                return Ok(Fate::Unknown);
            }
            _ if reports.is_empty() => return Ok(Fate::Running { ask_again: RUNNING }),
            _ => return Ok(Fate::Reports(reports)),
        }
        let facts = Facts::read(&found);
        if !facts.is_settled() {
            let waited = waited.unwrap_or_default();
            let looks: &[Duration] = if facts.never_connected() { &[NO_REPORT] } else { &REPORT_LOOKS };
            if let Some(next) = looks.iter().find(|look| **look > waited) {
                return Ok(Fate::Settling { ask_again: next.saturating_sub(waited) });
            }
        }
        let progress = facts.progress(now).into_iter();
        reports.extend(progress.map(|(at, progress)| Report { call_id: call, at, progress }));
        Ok(Fate::Reports(reports))
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

    fn wrap_up_limit(&self) -> SignedDuration {
        WRAP_UP
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
        let id = made["id"].as_str().map(str::to_owned);
        id.ok_or_else(|| EngineRefusal::Unavailable("the answer names no assistant".to_owned()))
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
                external_id: item["id"].as_str()?.to_owned(),
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
    async fn list(&self) -> Result<Vec<E164>, EngineRefusal> {
        let held = self.numbers.all().await.map_err(refusal)?;
        Ok(held.into_iter().map(|held| held.number).collect())
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

/// When a call was created here: its id tells (RFC 9562, version 7).
fn begun_at(id: CallId) -> Option<Timestamp> {
    let (seconds, nanos) = id.0.get_timestamp()?.to_unix();
    Timestamp::new(i64::try_from(seconds).ok()?, i32::try_from(nanos).ok()?).ok()
}

fn unavailable(failure: &Failure) -> EngineUnavailable {
    EngineUnavailable(format!("Vapi: {failure}"))
}

fn refusal(failure: Failure) -> EngineRefusal {
    match failure {
        Failure::Refused { status: status @ (401 | 403), .. } => EngineRefusal::Refused {
            status,
            reason: "Vapi does not accept KAICALLS_VAPI_API_KEY: it must be the private key of the account"
                .to_owned(),
        },
        Failure::Refused { status, message } => {
            EngineRefusal::Refused { status, reason: format!("Vapi says: {message}") }
        }
        Failure::Busy { wait } => EngineRefusal::Busy { wait },
        failure @ (Failure::NotSent(_) | Failure::Lost(_)) => {
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
        Failure::NotSent(why) | Failure::Lost(why) => {
            PlaceError::Later { wait: NO_ROOM, reason: format!("Vapi could not be asked: {why}") }
        }
        Failure::Refused { status: status @ (401 | 403), .. } => refused(
            FailureCode::InternalError,
            format!(
                "Vapi does not accept KAICALLS_VAPI_API_KEY (status {status}): it must be the private key of the account"
            ),
        ),
        Failure::Refused { status: 402, message } => {
            refused(FailureCode::CarrierError, format!("the Vapi account has to be topped up: {message}"))
        }
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
