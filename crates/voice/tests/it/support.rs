//! An engine in a test, and who is told of its calls.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use domain::agent::AgentConfig;
use domain::business::{Business, Limits};
use domain::call::{
    CallPlan, Direction, Ending, FailureCode, Party, Progress, Report, SoundQuality, TurnTimes, Utterance,
};
use domain::disclosure::Disclosures;
use domain::engine::{CallDesk, CallObserver, EngineMessage, IncomingCall, NotStored, Taken};
use domain::prompt::{Knowledge, variables};
use domain::{AgentId, BusinessId, CallId, Clock, E164, Mode, Timestamp};
use speech::{Recogniser, StreamingSynthesiser};
use tokio::sync::Notify;
use tokio::time::timeout;
use uuid::Uuid;
use voice::{
    Authorities, Encryption, Parts, Secure, Settings, Signalling, Transport, Trunk, USUAL, VoiceEngine,
};

use crate::minds::{Ear, MachineEar, Mouth, TwoLines};
use crate::sound::GREETING;

/// Nothing here takes longer, on a machine that has other things to do as well.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// The number that our agents have.
pub const OURS: &str = "+15125550100";

/// How many calls an engine runs at once.
pub const MOST_CALLS: usize = 10;

/// Whom they call, and who calls them.
pub const THEIRS: &str = "+15125550142";

pub fn trunk(to: SocketAddr) -> Signalling {
    Signalling {
        name: to.to_string(),
        host: to.ip().to_string(),
        port: to.port(),
        transport: Transport::Udp,
        authorities: Authorities::System,
        takes_wildcards: false,
        credentials: None,
        registers: false,
        // Scenarios of sipp take a question for the call that they wait for.
        asks: false,
        sources: Vec::new(),
        prefixes: Vec::new(),
        caller_id: None,
    }
}

struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "calls with sound run in real time")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// An engine with one trunk, and what its agents think.
pub struct Bench {
    pub engine: VoiceEngine,
    pub model: Arc<TwoLines>,
    pub notebook: Arc<Notebook>,
    pub folder: tempfile::TempDir,
}

impl Bench {
    pub async fn with_trunk(to: SocketAddr) -> Self {
        Self::with_voice(to, Arc::new(Mouth)).await
    }

    pub async fn without_trunks() -> Self {
        Self::over(Vec::new(), Arc::new(Mouth)).await
    }

    pub async fn over_trunk(trunk: Signalling, encryption: Encryption) -> Self {
        let change = |mut settings: Settings| {
            settings.trunks[0].encryption = encryption;
            settings
        };
        Self::with(change, vec![trunk], Arc::new(Mouth)).await
    }

    /// One that trunks can connect with over TLS.
    pub async fn with_certificate(trunk: Signalling, secure: Secure) -> Self {
        Self::with(|settings| Settings { secure: Some(secure), ..settings }, vec![trunk], Arc::new(Mouth))
            .await
    }

    pub async fn with_voice(to: SocketAddr, voice: Arc<dyn StreamingSynthesiser>) -> Self {
        Self::over(vec![trunk(to)], voice).await
    }

    /// One whose agents hear an answering machine, whatever is said to them.
    pub async fn hearing_a_machine(to: SocketAddr) -> Self {
        Self::made(|settings| settings, vec![trunk(to)], Arc::new(Mouth), Arc::new(MachineEar)).await
    }

    async fn over(trunks: Vec<Signalling>, voice: Arc<dyn StreamingSynthesiser>) -> Self {
        Self::with(|settings| settings, trunks, voice).await
    }

    async fn with(
        change: impl FnOnce(Settings) -> Settings,
        trunks: Vec<Signalling>,
        voice: Arc<dyn StreamingSynthesiser>,
    ) -> Self {
        Self::made(change, trunks, voice, Arc::new(Ear)).await
    }

    async fn made(
        change: impl FnOnce(Settings) -> Settings,
        trunks: Vec<Signalling>,
        voice: Arc<dyn StreamingSynthesiser>,
        recogniser: Arc<dyn Recogniser>,
    ) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let model = Arc::new(TwoLines::default());
        let parts =
            Parts { model: Arc::clone(&model) as Arc<_>, recogniser, voice, clock: Arc::new(SystemClock) };
        let engine = VoiceEngine::new(change(settings(trunks, folder.path())), parts).expect("it is made");
        let notebook = Arc::new(Notebook::default());
        engine.start(Arc::new(Desk(Arc::clone(&notebook)))).await.expect("it starts");
        Self { engine, model, notebook, folder }
    }

    pub fn observer(&self) -> Arc<dyn CallObserver> {
        Arc::clone(&self.notebook) as Arc<_>
    }

    /// What the model was told by callers.
    pub fn told(&self) -> Vec<String> {
        self.model.told.lock().expect("nobody panics while holding this").clone()
    }

    /// The recording of a call, agent and caller.
    pub async fn recording(&self) -> (Vec<i16>, Vec<i16>) {
        use domain::engine::{CallEngine as _, Recorded};
        let file = self.folder.path().join("recording.wav");
        let recorded =
            self.engine.recording(plan().call_id, None, &[], &file).await.expect("it can be asked");
        let Recorded::File(recording) = recorded else { panic!("a recording: {recorded:?}") };
        assert_eq!(recording.content_type, "audio/wav");
        let mut reader = hound::WavReader::open(file).expect("a file that others can read");
        let samples: Vec<i16> = reader.samples().map(|sample| sample.expect("a sample")).collect();
        let side = |side: usize| samples.iter().skip(side).step_by(2).copied().collect();
        (side(0), side(1))
    }
}

fn settings(trunks: Vec<Signalling>, folder: &Path) -> Settings {
    let usual = |signalling| {
        let number = E164::parse(OURS).expect("a number");
        let encryption = Encryption::Off;
        Trunk { signalling, profile: USUAL, encryption, number: Some(number) }
    };
    Settings {
        listen: "127.0.0.1:0".parse().expect("an address"),
        public_address: None,
        secure: None,
        media_address: None,
        ports: 20_000..=29_999,
        trunks: trunks.into_iter().map(usual).collect(),
        max_calls: MOST_CALLS,
        rings_for: Duration::from_secs(20),
        recordings: Some(folder.join("live")),
    }
}

pub fn plan() -> CallPlan {
    let now = "2026-03-02T15:00:00Z".parse().expect("a timestamp");
    let business = Business {
        id: BusinessId(Uuid::from_u128(1)),
        name: "Smith & Partners".into(),
        phone: Some(E164::parse(OURS).expect("a number")),
        timezone: "America/Chicago".into(),
        country_calling_code: "1".into(),
        disclosures: Disclosures::default(),
        limits: Limits::default(),
        created_at: now,
    };
    CallPlan {
        call_id: CallId(Uuid::from_u128(7)),
        business_id: business.id,
        mode: Mode::Live,
        direction: Direction::Outbound,
        to: E164::parse(THEIRS).expect("a number"),
        from: Some(E164::parse(OURS).expect("a number")),
        agent_id: AgentId(Uuid::from_u128(2)),
        external_agent_id: None,
        disclosures: Vec::new(),
        is_recorded: true,
        agent: AgentConfig::default(),
        given_first_message: None,
        instructions: "Be kind.".into(),
        first_message: GREETING.text.into(),
        context: None,
        variables: variables(&Knowledge { lead: None, name: None, business: &business, now }),
        max_duration: Duration::from_secs(60),
        now,
    }
}

/// Keeps every report, and says when the call is over.
#[derive(Default)]
pub struct Notebook {
    reports: Mutex<Vec<Report>>,
    news: Notify,
    over: Notify,
}

#[async_trait]
impl CallObserver for Notebook {
    async fn report(&self, report: Report) {
        let ended = matches!(report.progress, Progress::Ended { .. });
        self.reports.lock().expect("nobody panics while holding this").push(report);
        self.news.notify_one();
        if ended {
            self.over.notify_one();
        }
    }
}

impl Notebook {
    /// Waits for the end of the call; gives what was said, and how it ended.
    pub async fn end(&self) -> Story {
        let ended = timeout(PATIENCE, self.over.notified()).await;
        assert!(ended.is_ok(), "the call ends: {:?}", self.reports());
        self.story()
    }

    /// Waits until something like this was reported.
    pub async fn until(&self, wanted: impl Fn(&Progress) -> bool) {
        let waiting = async {
            while !self.reports().iter().any(|report| wanted(&report.progress)) {
                self.news.notified().await;
            }
        };
        let reported = timeout(PATIENCE, waiting).await;
        assert!(reported.is_ok(), "it is reported: {:?}", self.reports());
    }

    pub fn reports(&self) -> Vec<Report> {
        self.reports.lock().expect("nobody panics while holding this").clone()
    }

    fn story(&self) -> Story {
        let mut story = Story::default();
        for report in self.reports() {
            match report.progress {
                Progress::Ringing => story.rang = true,
                Progress::Answered => story.was_answered = true,
                Progress::Said(said) => story.said.push(said),
                Progress::Noted { kind, .. } => story.notes.push(kind),
                Progress::Ended { ending, reason } => story.ends.push((ending, reason)),
                Progress::Took(times) => story.turns.push(*times),
                Progress::Sounded(quality) => story.sound = Some(quality),
                Progress::Accepted { .. } | Progress::Found(_) => {}
            }
        }
        story
    }
}

/// What was reported of a call.
#[derive(Debug, Default)]
pub struct Story {
    pub rang: bool,
    pub was_answered: bool,
    pub said: Vec<Utterance>,
    pub notes: Vec<String>,
    pub turns: Vec<TurnTimes>,
    pub sound: Option<SoundQuality>,
    ends: Vec<(Ending, String)>,
}

impl Story {
    /// Who said what.
    pub fn lines(&self) -> Vec<(Party, &str)> {
        self.said.iter().map(|said| (said.by, said.text.as_str())).collect()
    }

    /// The cause and the word for why a call ended that never connected.
    pub fn failure(&self) -> (FailureCode, &str) {
        match self.ends.as_slice() {
            [(Ending::Failed(code), reason)] => (*code, reason),
            other => panic!("one failure: {other:?}"),
        }
    }

    /// How long the talk was and why it ended.
    pub fn talk(&self) -> (Duration, &str) {
        match self.ends.as_slice() {
            [(Ending::Talked { talked: Some(talked), .. }, reason)] => (*talked, reason),
            other => panic!("one end of a talk: {other:?}"),
        }
    }
}

/// Answers calls to our number.
struct Desk(Arc<Notebook>);

#[async_trait]
impl CallDesk for Desk {
    fn observer(&self) -> Arc<dyn CallObserver> {
        Arc::clone(&self.0) as Arc<_>
    }

    async fn take(&self, _message: EngineMessage) -> Result<Taken, NotStored> {
        Ok(Taken::Unknown)
    }

    async fn incoming(&self, call: IncomingCall) -> Result<Option<CallPlan>, NotStored> {
        let is_ours = call.engine == "voice" && call.mode == Mode::Live && call.to.as_str() == OURS;
        let plan = CallPlan { direction: Direction::Inbound, to: call.to, from: call.from, ..plan() };
        Ok(is_ours.then_some(plan))
    }

    async fn transfer_to(
        &self,
        _engine: &'static str,
        _conversation_id: &str,
        _call: Option<CallId>,
    ) -> Result<Option<E164>, NotStored> {
        Ok(None)
    }
}
