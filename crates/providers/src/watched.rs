//! What every provider of hearing and speaking has around it: a time limit, a breaker, and figures.

use std::time::{Duration, Instant};

use speech::SpeechError;

use crate::breaker::Breaker;
use crate::openai::{note, too_late, word};

/// What a provider is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    Hearing,
    Speaking,
}

impl Stage {
    fn word(self) -> &'static str {
        match self {
            Self::Hearing => "hearing",
            Self::Speaking => "speaking",
        }
    }
}

/// A provider that is watched over.
#[derive(Debug)]
pub(crate) struct Watched<T> {
    pub(crate) provider: T,
    stage: Stage,
    name: &'static str,
    patience: Duration,
    breaker: Breaker,
}

impl<T> Watched<T> {
    pub(crate) fn new(provider: T, stage: Stage, name: &'static str, patience: Duration) -> Self {
        Self { provider, stage, name, patience, breaker: Breaker::default() }
    }

    /// How long an answer may take to begin, and each further piece of it.
    pub(crate) fn patience(&self) -> Duration {
        self.patience
    }

    /// Waits for an answer that may not take longer than the patience; not at all if the provider is being left alone.
    #[expect(
        clippy::disallowed_methods,
        reason = "somebody waits on the phone: deadlines follow the monotonic clock"
    )]
    pub(crate) async fn watch<R>(
        &self,
        asking: impl Future<Output = Result<R, SpeechError>>,
    ) -> Result<R, SpeechError> {
        let began = Instant::now();
        self.breaker.admit(began).map_err(|wait| {
            self.count("left-alone");
            SpeechError::Retry { after: Some(wait), reason: "left alone after repeated failures".to_owned() }
        })?;
        let answer = tokio::time::timeout(self.patience, asking).await.unwrap_or_else(|_| Err(too_late()));
        note(&self.breaker, answer.as_ref().err());
        self.count(word(answer.as_ref().err()));
        if answer.is_ok() {
            meters::SPEECH_ANSWER_SECONDS.with([self.stage.word(), self.name]).record(began.elapsed());
        }
        answer
    }

    /// Something that had been answered went wrong later.
    pub(crate) fn failed_later(&self, error: &SpeechError) {
        note(&self.breaker, Some(error));
        self.count(word(Some(error)));
    }

    fn count(&self, result: &'static str) {
        meters::SPEECH_REQUESTS.with([self.stage.word(), self.name, result]).increment(1);
    }
}
