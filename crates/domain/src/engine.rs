//! The two ports between the platform and whatever makes phone calls: engines are asked, the observer is told.

use std::time::Duration;

use async_trait::async_trait;

use crate::CallId;
use crate::agent::Agent;
use crate::call::FailureCode;
use crate::call::{CallPlan, Report, Utterance};

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
    /// No answer, or one that cannot be trusted: the phone may ring. Never try again; ask [`CallEngine::fate`] later.
    #[error("the engine did not say whether it took the call: {0}")]
    Uncertain(String),
}

/// What became of a call that we lost sight of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It runs in this engine and will be reported on.
    Running,
    /// The engine knows how it went: apply these reports.
    Reports(Vec<Report>),
    /// The engine knows nothing of it, so it is over.
    Unknown,
}

/// The engine could not be asked; try again later.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the engine is unavailable: {0}")]
pub struct EngineUnavailable(pub String);

/// A finished recording: both voices, agent left and caller right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordingFile {
    /// For instance `audio/wav`.
    pub content_type: &'static str,
    /// The whole file.
    pub bytes: Vec<u8>,
    /// Length of the sound.
    pub duration: Duration,
}

/// Something that makes phone calls.
#[async_trait]
pub trait CallEngine: Send + Sync {
    /// Its name in settings, records and the rate table: `sandbox`, `vapi`, `voice`.
    fn name(&self) -> &'static str;

    /// Starts a call and returns as soon as it is taken or refused. Everything after that goes to `observer`.
    ///
    /// Asked at most once per call id. Must not ring a phone after it has returned [`PlaceError::Refused`].
    async fn place(
        &self,
        plan: CallPlan,
        observer: std::sync::Arc<dyn CallObserver>,
    ) -> Result<Accepted, PlaceError>;

    /// Ends a running call; its end is reported as usual. Nothing happens if it does not run.
    async fn hang_up(&self, call: CallId);

    /// What became of a call of which no report came for too long. `conversation_id` is what [`Accepted`] said, if it came.
    async fn fate(&self, call: CallId, conversation_id: Option<&str>) -> Result<Fate, EngineUnavailable>;

    /// The recording of a finished call; `None` if there is none and never will be. May be slow, may be asked again.
    async fn recording(
        &self,
        call: CallId,
        transcript: &[Utterance],
    ) -> Result<Option<RecordingFile>, EngineUnavailable>;

    /// Prepares an agent at the engine before its first call and after changes; gives the engine's id of it, if it has one.
    async fn prepare_agent(&self, _agent: &Agent) -> Result<Option<String>, EngineUnavailable> {
        Ok(None)
    }
}

/// Who is told what happens in calls. Returns when the report is stored; a report that could not be stored may be repeated.
#[async_trait]
pub trait CallObserver: Send + Sync {
    /// Takes one report. Order does not matter and repetition does no harm.
    async fn report(&self, report: Report);
}
