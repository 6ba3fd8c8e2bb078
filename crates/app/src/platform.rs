//! The platform: the parts that it is made of, and what one process knows and does besides its database.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::call::Call;
use domain::dial_policy::{CallingHours, Destinations};
use domain::engine::CallEngine;
use domain::usage::RateTable;
use domain::{AgentId, Clock, IdSource, NodeId, Timestamp};
use jiff::SignedDuration;
use speech::CallAnalyst;
use store::Store;
use tokio::sync::Semaphore;
use tracing::Instrument as _;

use crate::agent_names::AgentNames;
use crate::engines::Engines;
use crate::live::LiveBus;
use crate::passwords::{Guesses, PasswordQueue};
use crate::recording_files::RecordingFiles;
use crate::reports::Reports;
use crate::troubles::Troubles;
use crate::under_way::UnderWay;

/// How long a process that stops has to store the end of the calls that it cuts short.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// How long work goes on once the last talk is over, though somebody else could take it up: what ends this soon is best ended here.
const ENDING_SOON: Duration = Duration::from_secs(1);

/// Where secrets get their randomness; seeded in tests, the operating system in the binary.
pub trait Entropy: Send + Sync {
    /// Fills the buffer with unpredictable bytes.
    fn fill(&self, buffer: &mut [u8]);
}

/// What the platform is made of; put together once by the binary.
pub struct Parts {
    /// The database, with the right to ask for everybody's rows. The platform keeps it to itself.
    pub database: Arc<store::Platform>,
    pub clock: Arc<dyn Clock>,
    pub ids: Arc<dyn IdSource>,
    pub entropy: Arc<dyn Entropy>,
    /// This process; calls in progress belong to it.
    pub node: NodeId,
    /// The engines that make calls.
    pub engines: Engines,
    /// Reads finished calls with a language model, if one is configured.
    pub analyst: Option<Arc<dyn CallAnalyst>>,
    /// Reads finished calls otherwise, at once and without help.
    pub fallback_analyst: Arc<dyn CallAnalyst>,
    /// The client for addresses that users name.
    pub egress: egress::Client,
    /// Folder of the files with recordings.
    pub recordings: RecordingFiles,
    /// Settings of the use cases.
    pub settings: Settings,
}

/// Settings of the use cases.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Our own address as clients see it, without a trailing slash.
    pub public_url: String,
    /// Prices per minute and engine.
    pub rates: RateTable,
    /// When webhooks are tried again.
    pub webhook_schedule: webhooks::schedule::Schedule,
    /// How long nothing may have reached a subscription before it is switched off.
    pub webhook_patience: Duration,
    /// How many calls of one business may run at once.
    pub max_concurrent_calls: u32,
    /// Country calling codes that live calls may reach besides the business's own.
    pub allowed_countries: Vec<String>,
    /// What the operator knows better than the numbering plans in this program.
    pub destinations: Destinations,
    /// When people are called, on the clock where they are.
    pub calling_hours: CallingHours,
    /// How long POST `/calls` waits for the engine's word.
    pub acceptance_wait: Duration,
    /// How long a link to a recording works.
    pub recording_link_ttl: Duration,
    /// How many deliveries are under way at once.
    pub delivery_concurrency: usize,
    /// How many calls are being dialled or wrapped up at once.
    pub call_job_concurrency: usize,
    /// How long recordings, transcripts and logs are kept.
    pub retention: Retention,
}

/// How long things are kept after their call has ended; `None`: as long as the installation lives.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Retention {
    /// Recordings.
    pub recordings: Option<SignedDuration>,
    /// What was said, word for word.
    pub transcripts: Option<SignedDuration>,
    /// Logs of calls, and of requests.
    pub logs: Option<SignedDuration>,
    /// The log of administrative changes, counted from each change.
    pub audit: Option<SignedDuration>,
}

/// The platform. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Inner>);

struct Inner {
    parts: Parts,
    live: LiveBus,
    reports: Reports,
    troubles: Troubles,
    agent_names: AgentNames,
    passwords: PasswordQueue,
    guesses: Guesses,
    /// Links for a login that have been used, by their proof.
    used_links: Mutex<std::collections::HashSet<[u8; 32]>>,
    /// Agents that an engine did not take, and in which version.
    refused: Mutex<HashMap<(AgentId, &'static str), u32>>,
    under_way: UnderWay,
    call_hands: Arc<Semaphore>,
    delivery_hands: Arc<Semaphore>,
    tasks: tokio_util::task::TaskTracker,
    leaving: AtomicBool,
    stopping: tokio_util::sync::CancellationToken,
    /// True once nobody is left who could ask for a call.
    closed: AtomicBool,
    /// Cancelled when work that others can take up from the database goes back there.
    handing_over: tokio_util::sync::CancellationToken,
    /// Cancelled when the process waits for its calls no longer.
    out_of_time: tokio_util::sync::CancellationToken,
    /// The time when the clock was last looked at for whether it goes forwards.
    latest_time: Mutex<Option<Timestamp>>,
    /// What says that this process lives; it goes on until nothing else is under way.
    heart: tokio_util::task::TaskTracker,
    still: tokio_util::sync::CancellationToken,
}

impl App {
    /// Joins the parts. Nothing runs until [`crate::jobs::start`].
    pub fn new(parts: Parts) -> Self {
        let call_hands = Arc::new(Semaphore::new(parts.settings.call_job_concurrency));
        let delivery_hands = Arc::new(Semaphore::new(parts.settings.delivery_concurrency));
        Self(Arc::new(Inner {
            call_hands,
            delivery_hands,
            parts,
            live: LiveBus::default(),
            reports: Reports::default(),
            troubles: Troubles::default(),
            agent_names: AgentNames::default(),
            passwords: PasswordQueue::default(),
            guesses: Guesses::default(),
            used_links: Mutex::default(),
            refused: Mutex::default(),
            under_way: UnderWay::default(),
            tasks: tokio_util::task::TaskTracker::new(),
            leaving: AtomicBool::new(false),
            stopping: tokio_util::sync::CancellationToken::new(),
            closed: AtomicBool::new(false),
            handing_over: tokio_util::sync::CancellationToken::new(),
            out_of_time: tokio_util::sync::CancellationToken::new(),
            latest_time: Mutex::default(),
            heart: tokio_util::task::TaskTracker::new(),
            still: tokio_util::sync::CancellationToken::new(),
        }))
    }

    /// The database for those who ask on behalf of a tenant.
    pub fn store(&self) -> &Store {
        self.0.parts.database.store()
    }

    /// The database for what concerns everybody: jobs, reports of engines, set-up.
    pub(crate) fn platform(&self) -> &store::Platform {
        &self.0.parts.database
    }

    pub fn settings(&self) -> &Settings {
        &self.0.parts.settings
    }

    pub fn now(&self) -> Timestamp {
        self.0.parts.clock.now()
    }

    pub fn ids(&self) -> &dyn IdSource {
        &*self.0.parts.ids
    }

    pub fn node(&self) -> NodeId {
        self.0.parts.node
    }

    /// The live bus: who wants to watch a call.
    pub fn live(&self) -> &LiveBus {
        &self.0.live
    }

    /// Folder of the files with recordings.
    pub fn recordings(&self) -> &RecordingFiles {
        &self.0.parts.recordings
    }

    /// What makes calls, by name.
    pub fn engines(&self) -> &Engines {
        &self.0.parts.engines
    }

    /// The engine that a call was admitted to; `None` if it is no longer configured.
    pub(crate) fn engine_of(&self, call: &Call) -> Option<&Arc<dyn CallEngine>> {
        self.engines().of(&call.engine)
    }

    /// True while the process takes no new work because it is about to stop.
    pub fn is_stopping(&self) -> bool {
        self.0.stopping.is_cancelled()
    }

    /// True while nobody new should turn to this process, because it is about to stop.
    pub fn is_leaving(&self) -> bool {
        self.0.leaving.load(Ordering::Relaxed) || self.is_stopping()
    }

    /// Says that the end is coming: health turns to no, and everything else goes on.
    pub fn announce_leaving(&self) {
        self.0.leaving.store(true, Ordering::Relaxed);
    }

    /// Says that the end is near: no jobs are taken any more, and live views close. Requests that still come are carried out.
    pub fn announce_stop(&self) {
        self.0.stopping.cancel();
    }

    /// True once this process begins no calls of its own any more, because nobody would wait for their end.
    pub(crate) fn is_closed(&self) -> bool {
        self.0.closed.load(Ordering::SeqCst)
    }

    /// Takes no new work and lets what is under way come to an end. Nobody else can take up the calls of this process's engines, so it
    /// waits for them; after `limit` it ends them itself. What others can take up goes back into the database soon after the last call.
    pub async fn stop(&self, limit: Duration) {
        self.0.closed.store(true, Ordering::SeqCst);
        self.0.stopping.cancel();
        self.0.tasks.close();
        let work = async {
            self.reports().drained().await;
            if tokio::time::timeout(ENDING_SOON, self.0.tasks.wait()).await.is_err() {
                self.0.handing_over.cancel();
                self.0.tasks.wait().await;
            }
        };
        let ended = tokio::time::timeout(limit, work).await;
        self.0.handing_over.cancel();
        self.0.out_of_time.cancel();
        if ended.is_err() && tokio::time::timeout(LAST_WORDS, self.0.tasks.wait()).await.is_err() {
            tracing::warn!(
                left = self.0.tasks.len(),
                "stopping with work under way; it will be taken up again"
            );
        }
        self.0.still.cancel();
        self.0.heart.close();
        self.0.heart.wait().await;
        let node = self.node();
        let gone =
            self.platform().write(move |tx| Box::pin(async move { store::nodes::drop_node(tx, node).await }));
        if let Err(error) = gone.await {
            tracing::warn!(%error, "this process could not sign off; its leases run out by themselves");
        }
    }

    /// True as soon as the process waits for its calls no longer and they have to be ended; false if they have all come to an end by
    /// themselves after it began to stop.
    pub(crate) async fn waits_no_longer(&self) -> bool {
        let all_ended = async {
            self.stopped().await;
            self.reports().drained().await;
        };
        tokio::select! {
            () = self.0.out_of_time.cancelled() => true,
            () = all_ended => false,
        }
    }

    /// Whether the log may have another line about this kind of trouble; if so, also how many have been left out since the last one.
    pub(crate) fn may_tell(&self, kind: &'static str) -> Option<u64> {
        self.0.troubles.admit(kind, self.now())
    }

    /// Notes a time that it has been; says by how much that is before the latest one noted. After that it is the latest.
    pub(crate) fn saw_time(&self, time: Timestamp) -> SignedDuration {
        let mut latest = self.0.latest_time.lock().unwrap_or_else(PoisonError::into_inner);
        let back = latest.map_or(SignedDuration::ZERO, |latest| latest.duration_since(time));
        *latest = Some(time);
        back
    }

    /// Runs a task that [`App::stop`] waits for. What it logs carries the id of the request that led to it, if there is one.
    pub(crate) fn spawn<T: Send + 'static>(
        &self,
        task: impl Future<Output = T> + Send + 'static,
    ) -> tokio::task::JoinHandle<T> {
        self.0.tasks.spawn(task.in_current_span())
    }

    /// Does something again and again until this process signs off. While its calls come to their end, others must believe that it lives.
    pub(crate) fn beat_every<F>(&self, pause: Duration, beat: impl Fn() -> F + Send + 'static)
    where
        F: Future<Output = ()> + Send,
    {
        let still = self.0.still.clone();
        self.0.heart.spawn(async move {
            while still.run_until_cancelled(tokio::time::sleep(pause)).await.is_some() {
                beat().await;
            }
        });
    }

    /// Waits; false if the platform stops meanwhile.
    pub(crate) async fn pause(&self, time: Duration) -> bool {
        tokio::select! {
            () = tokio::time::sleep(time) => !self.is_stopping(),
            () = self.stopped() => false,
        }
    }

    pub(crate) async fn stopped(&self) {
        self.0.stopping.cancelled().await;
    }

    /// Does work that somebody else can do as well, from what the database holds; `None` if it goes back there because this process stops.
    pub(crate) async fn unless_handed_over<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            done = work => Some(done),
            () = self.0.handing_over.cancelled() => None,
        }
    }

    /// Does work that is done again anyway; `None` if this process stops meanwhile.
    pub(crate) async fn unless_stopping<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        self.0.stopping.run_until_cancelled(work).await
    }

    pub(crate) fn reports(&self) -> &Reports {
        &self.0.reports
    }

    /// What agents are called.
    pub(crate) fn agent_names(&self) -> &AgentNames {
        &self.0.agent_names
    }

    /// The jobs that this process works on.
    pub(crate) fn under_way(&self) -> &UnderWay {
        &self.0.under_way
    }

    /// How many calls are dialled and wrapped up by runners at once.
    pub(crate) fn call_hands(&self) -> Arc<Semaphore> {
        Arc::clone(&self.0.call_hands)
    }

    pub(crate) fn delivery_hands(&self) -> Arc<Semaphore> {
        Arc::clone(&self.0.delivery_hands)
    }

    pub(crate) fn parts(&self) -> &Parts {
        &self.0.parts
    }

    pub(crate) fn passwords(&self) -> &PasswordQueue {
        &self.0.passwords
    }

    pub(crate) fn guesses(&self) -> &Guesses {
        &self.0.guesses
    }

    /// True if the engine did not take this version of an agent; giving it the same again would be no use.
    pub(crate) fn was_refused(&self, id: AgentId, engine: &'static str, version: u32) -> bool {
        let refused = self.0.refused.lock().unwrap_or_else(PoisonError::into_inner);
        refused.get(&(id, engine)) == Some(&version)
    }

    pub(crate) fn note_refused(&self, id: AgentId, engine: &'static str, version: u32) {
        self.0.refused.lock().unwrap_or_else(PoisonError::into_inner).insert((id, engine), version);
    }

    /// Notes that a link for a login has been used; false if it had been before.
    pub(crate) fn use_link(&self, proof: [u8; 32]) -> bool {
        self.0.used_links.lock().unwrap_or_else(PoisonError::into_inner).insert(proof)
    }

    /// Random bytes that nobody can guess.
    pub fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.parts.entropy.fill(&mut bytes);
        bytes
    }
}
