//! An engine with a test between it and the platform.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use domain::CallId;
use domain::agent::AgentConfig;
use domain::call::{CallPlan, Utterance};
use domain::engine::{
    Accepted, CallEngine, CallObserver, EngineAgents, EngineNumbers, EngineUnavailable, Fate, Inquiry,
    PlaceError, PlayedCallers, Recorded, Recordings, Shortfall,
};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

type BeforePlace = dyn Fn(&CallPlan) -> BoxFuture<'static, Result<(), PlaceError>> + Send + Sync;
type BeforeRecording = dyn Fn() -> BoxFuture<'static, ()> + Send + Sync;

/// Another engine, of which a test sees the questions before they arrive.
pub struct Interposed {
    inner: Arc<dyn CallEngine>,
    before_place: Option<Box<BeforePlace>>,
    before_recording: Option<Box<BeforeRecording>>,
    capacity: Option<u32>,
}

impl Interposed {
    /// The engine as it is.
    pub fn on(inner: Arc<dyn CallEngine>) -> Self {
        Self { inner, before_place: None, before_recording: None, capacity: None }
    }

    /// Runs this before each call is placed. The engine is not asked if it gives an error.
    #[must_use]
    pub fn before_place<F>(mut self, run: impl Fn(&CallPlan) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<(), PlaceError>> + Send + 'static,
    {
        self.before_place = Some(Box::new(move |plan| run(plan).boxed()));
        self
    }

    /// Runs this before each question for a recording, which the platform asks even if the engine records nothing.
    #[must_use]
    pub fn before_recording<F>(mut self, run: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.before_recording = Some(Box::new(move || run().boxed()));
        self
    }

    /// Has the engine make only so many calls at once.
    #[must_use]
    pub fn with_capacity(mut self, calls: u32) -> Self {
        self.capacity = Some(calls);
        self
    }
}

#[async_trait]
impl CallEngine for Interposed {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn shortfalls(&self, agent: &AgentConfig) -> Vec<Shortfall> {
        self.inner.shortfalls(agent)
    }

    async fn place(&self, plan: CallPlan, observer: Arc<dyn CallObserver>) -> Result<Accepted, PlaceError> {
        if let Some(run) = &self.before_place {
            run(&plan).await?;
        }
        self.inner.place(plan, observer).await
    }

    async fn hang_up(&self, call: CallId, conversation_id: Option<&str>) {
        self.inner.hang_up(call, conversation_id).await;
    }

    async fn fate(&self, inquiry: Inquiry<'_>) -> Result<Fate, EngineUnavailable> {
        self.inner.fate(inquiry).await
    }

    async fn recording(
        &self,
        call: CallId,
        conversation_id: Option<&str>,
        transcript: &[Utterance],
        file: &Path,
    ) -> Result<Recorded, EngineUnavailable> {
        if let Some(run) = &self.before_recording {
            run().await;
        }
        self.inner.recording(call, conversation_id, transcript, file).await
    }

    fn outlives_us(&self) -> bool {
        self.inner.outlives_us()
    }

    fn recordings(&self) -> Recordings {
        match self.inner.recordings() {
            Recordings::None if self.before_recording.is_some() => Recordings::AtOnce,
            recordings => recordings,
        }
    }

    fn capacity(&self) -> Option<u32> {
        self.capacity.or_else(|| self.inner.capacity())
    }

    fn agents(&self) -> Option<&dyn EngineAgents> {
        self.inner.agents()
    }

    fn numbers(&self) -> Option<&dyn EngineNumbers> {
        self.inner.numbers()
    }

    fn callers(&self) -> Option<&dyn PlayedCallers> {
        self.inner.callers()
    }
}
