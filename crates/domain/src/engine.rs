//! The ports between the platform and whatever makes phone calls: engines are asked, the observer and the desk are told.

use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;

use crate::agent::{Agent, AgentConfig};
use crate::call::{Call, CallPlan, FailureCode, Progress, Report, Utterance};
use crate::text::{clean_in_place, clean_json};
use crate::{AgentId, CallId, E164, Mode, Timestamp};

/// The engine took the call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// The engine's own id of the call.
    pub conversation_id: String,
}

/// Why a call was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlaceError {
    /// Refused; nothing rang and nothing will.
    #[error("{reason}")]
    Refused {
        /// The cause to keep with the call.
        code: FailureCode,
        /// What a user can do about it; no personal data.
        reason: String,
    },
    /// Not now: the engine has no room. Nothing rang; asking again later is fine.
    #[error("{reason}")]
    Later {
        /// When to ask again, as far as the engine said.
        wait: Duration,
        /// What to tell whoever gives up waiting.
        reason: String,
    },
    /// No answer, or one that cannot be trusted: the phone may ring. Never try again; ask [`CallEngine::fate`] later.
    #[error("the engine did not say whether it took the call: {0}")]
    Uncertain(String),
}

/// What became of a call that we lost sight of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It runs and will be reported on; look again after this time if nothing comes.
    Running {
        ask_again: Duration,
        /// When it was answered, if that is known; the report may have got lost.
        answered_at: Option<Timestamp>,
    },
    /// It is over, but the engine still works on what it has to say about it. Look again after this time.
    Settling { ask_again: Duration },
    /// The engine knows how it went: apply these reports.
    Reports(Vec<Report>),
    /// The engine knows nothing of it, so it is over.
    Unknown,
}

/// The engine could not be asked; try again later.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the engine is unavailable: {0}")]
pub struct EngineUnavailable(pub String);

/// A finished recording: both voices, agent left and caller right. It lies in the file that was asked to be filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recording {
    /// The media type, such as `audio/wav`.
    pub content_type: &'static str,
    /// Length of the sound; `None` if the file does not tell.
    pub duration: Option<Duration>,
}

/// Whether an engine hands over recordings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recordings {
    None,
    /// As soon as the call is over.
    AtOnce,
    /// Minutes after the call is over. Until then it is asked again and again.
    Later,
}

/// What an engine says when it is asked for a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// The file holds it, whole.
    File(Recording),
    /// There may be one later.
    NotYet,
    /// There is none and never will be.
    Nothing,
}

/// Something that an agent asks for and an engine lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shortfall {
    /// The field of the agent that asks for it.
    pub field: &'static str,
    /// What takes its place, in a sentence without personal data.
    pub instead: String,
}

/// Something that makes phone calls.
#[async_trait]
pub trait CallEngine: Send + Sync {
    /// Its name in settings, records and the rate table: `sandbox`, `vapi`, `voice`.
    fn name(&self) -> &'static str;

    /// Starts a call and returns as soon as it is taken or refused. Everything after that goes to `observer`.
    ///
    /// Asked at most once per call id, unless it said [`PlaceError::Later`]. Must not ring a phone after it has returned
    /// [`PlaceError::Refused`].
    async fn place(
        &self,
        plan: CallPlan,
        observer: std::sync::Arc<dyn CallObserver>,
    ) -> Result<Accepted, PlaceError>;

    /// Ends a running call; its end is reported as usual. Nothing happens if it does not run.
    async fn hang_up(&self, call: CallId, conversation_id: Option<&str>);

    /// What became of a call of which no report came for too long. An engine that finds it running beyond its longest time ends it.
    async fn fate(&self, inquiry: Inquiry<'_>) -> Result<Fate, EngineUnavailable>;

    /// Writes the recording of a finished call into `file`, an empty file on the platform's disk; it may also replace the file by
    /// one of the same name. May be slow, may be asked again; asked only if [`CallEngine::recordings`] says that there are any. Unless
    /// the answer is [`Recorded::File`] it does not matter what the file holds, and the platform removes it.
    async fn recording(
        &self,
        _call: CallId,
        _conversation_id: Option<&str>,
        _transcript: &[Utterance],
        _file: &Path,
    ) -> Result<Recorded, EngineUnavailable> {
        Ok(Recorded::Nothing)
    }

    /// True if its calls go on when this process dies, because somebody else's machines make them. Such calls belong to no process,
    /// and the engine is asked after them.
    fn outlives_us(&self) -> bool {
        false
    }

    /// Whether it tells after a call what the call has cost, as those do that others run.
    fn tells_costs(&self) -> bool {
        self.outlives_us()
    }

    /// What this agent asks for and the engine lacks, as far as it knows without asking anybody. Its calls are made nevertheless.
    fn shortfalls(&self, _agent: &AgentConfig) -> Vec<Shortfall> {
        Vec::new()
    }

    /// Whether it hands over recordings, and when.
    fn recordings(&self) -> Recordings {
        Recordings::None
    }

    /// How many calls it makes at once, if it does not make as many as it is asked for.
    fn capacity(&self) -> Option<u32> {
        None
    }

    /// Where the engine keeps agents, if it keeps any.
    fn agents(&self) -> Option<&dyn EngineAgents> {
        None
    }

    /// Where the engine keeps phone numbers, if it keeps any.
    fn numbers(&self) -> Option<&dyn EngineNumbers> {
        None
    }

    /// The callers that it plays, if it plays any.
    fn callers(&self) -> Option<&dyn PlayedCallers> {
        None
    }
}

/// Why an engine did not do what was asked about an agent or a number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EngineRefusal {
    /// It does not like what it was sent.
    #[error("{reason}")]
    Refused {
        /// Its HTTP status, 400 to 499.
        status: u16,
        /// What to do about it.
        reason: String,
    },
    /// It has no such thing.
    #[error("the engine has no such {0}")]
    Missing(&'static str),
    #[error("the engine takes no more requests for the moment")]
    Busy {
        /// When to ask again.
        wait: Duration,
    },
    /// It could not be asked, or its answer got lost: it may or may not have acted.
    #[error("the engine is unavailable: {0}")]
    Unavailable(String),
}

/// An agent as an engine keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptAgent {
    pub external_id: String,
    pub agent_id: AgentId,
    /// When the engine made it.
    pub created_at: Timestamp,
    /// True if it tells this installation, with its present secret, what happens in its calls.
    pub is_current: bool,
}

/// The agents that an engine keeps for us, each tagged with our id.
#[async_trait]
pub trait EngineAgents: Send + Sync {
    /// Makes one and gives the engine's id. After [`EngineRefusal::Unavailable`] it may exist nevertheless.
    async fn create(&self, agent: &Agent) -> Result<String, EngineRefusal>;

    /// Replaces everything about one. Harmless to repeat.
    async fn replace(&self, external_id: &str, agent: &Agent) -> Result<(), EngineRefusal>;

    /// Removes one. One that is gone already counts as removed.
    async fn remove(&self, external_id: &str) -> Result<(), EngineRefusal>;

    /// All that this installation made, since then or ever.
    async fn list(&self, since: Option<Timestamp>) -> Result<Vec<KeptAgent>, EngineRefusal>;
}

/// What an engine keeps of numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HeldNumbers {
    /// Those that can be used.
    pub numbers: Vec<E164>,
    /// The others: what each is, and why it cannot be used.
    pub skipped: Vec<String>,
}

/// The phone numbers that an engine keeps.
#[async_trait]
pub trait EngineNumbers: Send + Sync {
    /// All that it keeps.
    async fn list(&self) -> Result<HeldNumbers, EngineRefusal>;

    /// Has calls to these numbers brought to us. Other numbers are left as they are; a call to one of them that reaches us
    /// nevertheless is refused.
    async fn answer(&self, numbers: &[E164]) -> Result<(), EngineRefusal>;
}

/// Somebody whom an engine plays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlayedCaller {
    pub name: String,
    /// One sentence on how they behave, for people.
    pub about: String,
    /// Where they can be called, if they can.
    pub number: Option<E164>,
    /// True if they can call as well.
    pub can_call: bool,
}

/// Who is on the other side of an agent that is tried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opposite {
    /// The played caller of this name.
    Played(String),
    /// A person, who writes what they would say.
    Writer,
}

/// What somebody does who takes part in a call in writing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    Words(String),
    HangUp,
}

/// Why something written did not reach a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotHeard {
    /// The call is over, nobody writes in it, or it runs in another process.
    #[error("the call is over, or nobody takes part in it in writing")]
    NoSuchTalk,
    /// What was written before has not been heard yet.
    #[error("what was written before has not been heard yet")]
    NotYet,
}

/// Callers that an engine plays: they ring our numbers, so that agents can be tried without a carrier.
#[async_trait]
pub trait PlayedCallers: Send + Sync {
    /// All that there are.
    fn all(&self) -> Vec<PlayedCaller>;

    /// The names of those who can call.
    fn names(&self) -> Vec<String> {
        self.all().into_iter().filter(|caller| caller.can_call).map(|caller| caller.name).collect()
    }

    /// A number at which whoever had it called answers in writing. There are many, because a number may be blocked by what is said in
    /// a call; the dice choose one.
    fn writers_number(&self, dice: u16) -> E164;

    /// True for a number at which a person answers in writing.
    fn is_writers(&self, number: &E164) -> bool;

    /// Takes what somebody writes who takes part in a running call.
    fn write(&self, call: CallId, written: Written) -> Result<(), NotHeard>;

    /// What the engine is going to call this call.
    fn conversation_id(&self, call: CallId) -> String;

    /// Lets this caller ring and go on from there. The call has been stored as ringing; everything after that goes to `observer`, its end
    /// once, even if there is no such caller or no room.
    async fn ring(&self, plan: CallPlan, caller: &Opposite, observer: std::sync::Arc<dyn CallObserver>);
}

/// Who is told what happens in calls. Returns when the report is stored; a report that could not be stored may be repeated.
#[async_trait]
pub trait CallObserver: Send + Sync {
    /// Takes one report. Order does not matter and repetition does no harm.
    async fn report(&self, report: Report);
}

/// A message of an engine that runs elsewhere, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineMessage {
    pub engine: &'static str,
    /// The engine's id of the call.
    pub conversation_id: String,
    /// Our id, if the message says it.
    pub call_id: Option<CallId>,
    /// The call itself, if it came in and may not be known yet.
    pub incoming: Option<IncomingCall>,
    /// What tells a repetition from news; unique within the call.
    pub key: String,
    /// Its type, in the engine's words.
    pub kind: String,
    /// The message without any secret, as JSON.
    pub body: String,
    pub progress: Vec<(Timestamp, Progress)>,
    /// The call is over, and if nothing more is heard the engine is to be asked after this time.
    pub ends: Option<Duration>,
    /// How the call ended may be contradicted by a message that is still under way. Unless the call has been given up, the end among
    /// the progress does not count: the engine decides when it is asked, by all messages together.
    pub is_tentative: bool,
}

/// A message of an engine as it was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptMessage {
    /// Its type, in the engine's words.
    pub kind: String,
    /// The message without any secret, as JSON.
    pub body: String,
}

/// What an engine is asked about a call of which no report came for too long.
#[derive(Debug, Clone, Copy)]
pub struct Inquiry<'a> {
    /// The call as it is known here.
    pub call: &'a Call,
    /// How long it has been known that the call is over, if that is known.
    pub waited: Option<Duration>,
    /// What has been kept of the engine's messages about it, oldest first.
    pub messages: &'a [KeptMessage],
}

impl EngineMessage {
    /// Takes out of its texts what no text from outside may keep.
    pub fn clean(&mut self) {
        [&mut self.conversation_id, &mut self.key, &mut self.kind].into_iter().for_each(clean_in_place);
        if let Some(incoming) = &mut self.incoming {
            clean_in_place(&mut incoming.conversation_id);
        }
        self.body = clean_json(&self.body).into_owned();
        for (_, progress) in &mut self.progress {
            progress.clean();
        }
    }
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It is stored and everything that follows from it.
    Stored,
    /// It had been stored before.
    Repeated,
    /// No call of ours is meant; nothing was stored.
    Unknown,
}

/// Somebody calls one of our numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncomingCall {
    /// Which engine has the call.
    pub engine: &'static str,
    /// The engine's id of the call.
    pub conversation_id: String,
    /// Whether somebody really calls, or the caller is played.
    pub mode: Mode,
    /// The number that was called.
    pub to: E164,
    /// Who calls, if they show it.
    pub from: Option<E164>,
    /// When, on the engine's clock.
    pub at: Timestamp,
}

/// It could not be stored; whoever sent it should send it again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("could not be stored: {0}")]
pub struct NotStored(pub String);

/// Where engines bring calls that come in, and where those that run elsewhere deliver their messages: what returns `Ok` is on
/// stable storage.
#[async_trait]
pub trait CallDesk: Send + Sync {
    /// Who is told what happens in an incoming call of an engine that runs in this process, as if the call had been placed. Engines
    /// that run elsewhere use [`CallDesk::take`].
    fn observer(&self) -> std::sync::Arc<dyn CallObserver>;

    /// Takes a message, once.
    async fn take(&self, message: EngineMessage) -> Result<Taken, NotStored>;

    /// Who answers an incoming call, and how; `None` if nobody does. Harmless to repeat. From here on a call of an engine that runs
    /// in this process belongs to the process, which does not stop before the end of the call has been reported.
    async fn incoming(&self, call: IncomingCall) -> Result<Option<CallPlan>, NotStored>;

    /// Whom the agent of a running call may pass the caller on to, if anybody.
    async fn transfer_to(
        &self,
        engine: &'static str,
        conversation_id: &str,
        call: Option<CallId>,
    ) -> Result<Option<E164>, NotStored>;
}
