//! What the other party says, from ticks of sound to facts for the conversation.
//!
//! Voice detection says when somebody speaks; a recogniser says what. A session with it that breaks is opened again, and what is said
//! meanwhile waits for the new one, up to a bound. Until there are words, the conversation has the voice detection to go by.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use conversation::Input;
use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use speech::{Recogniser, RecogniserEvent, RecogniserSession, RecognitionConfig, SpeechError};
use tokio::time::Sleep;

use crate::frame::RATE;
use crate::line::Tick;
use crate::segments::{Change, Segments};

/// The most sound that waits for a session: five seconds. Of more, the beginning is lost.
const BACKLOG: usize = 5 * RATE as usize;

/// The pause before a session is opened again; each further one is twice as long, up to the last.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LAST_PAUSE: Duration = Duration::from_secs(4);

pub(crate) struct Hearing {
    recogniser: Arc<dyn Recogniser>,
    config: RecognitionConfig,
    session: Session,
    segments: Segments,
    backlog: Vec<i16>,
    /// Somebody has spoken in what waits.
    missed_speech: bool,
    pause: Duration,
}

enum Session {
    Opening(BoxFuture<'static, Result<RecogniserSession, SpeechError>>),
    Open(RecogniserSession),
    Pausing(Pin<Box<Sleep>>),
}

impl Hearing {
    /// Opens a session. It is open when sound comes, or a little later.
    pub(crate) fn new(recogniser: Arc<dyn Recogniser>, config: RecognitionConfig) -> Self {
        Self {
            session: open(&recogniser, &config),
            recogniser,
            config,
            segments: Segments::default(),
            backlog: Vec::new(),
            missed_speech: false,
            pause: FIRST_PAUSE,
        }
    }

    /// True if the tick that was taken last belongs to the other party's words.
    pub(crate) fn hears_words(&self, tick: &Tick) -> bool {
        self.segments.has_words(tick.activity)
    }

    /// Takes the sound of one tick.
    pub(crate) fn hear(&mut self, tick: &Tick, agent_speaks: bool) -> Option<Input> {
        match &mut self.session {
            Session::Open(session) => session.input.push(&tick.heard),
            Session::Opening(_) | Session::Pausing(_) => {
                self.backlog.extend_from_slice(&tick.heard);
                let too_much = self.backlog.len().saturating_sub(BACKLOG);
                self.backlog.drain(..too_much);
            }
        }
        let change = self.segments.hear(tick.activity, agent_speaks)?;
        match (&mut self.session, change) {
            (Session::Open(session), Change::Started) => session.input.speech_started(),
            (Session::Open(session), Change::Stopped) => session.input.speech_stopped(),
            (Session::Opening(_) | Session::Pausing(_), _) => self.missed_speech = true,
        }
        Some(match change {
            Change::Started => Input::SpeechStarted,
            Change::Stopped => Input::SpeechStopped,
        })
    }

    /// The next words.
    pub(crate) async fn words(&mut self) -> Input {
        loop {
            match &mut self.session {
                Session::Opening(opening) => {
                    let opened = opening.await;
                    self.opened(opened);
                }
                Session::Pausing(pause) => {
                    pause.await;
                    self.session = open(&self.recogniser, &self.config);
                }
                Session::Open(session) => match session.events.next().await {
                    Some(Ok(RecogniserEvent::Partial(heard))) if !heard.text.is_empty() => {
                        return Input::Partial { text: heard.text };
                    }
                    Some(Ok(RecogniserEvent::Final(heard))) if !heard.text.is_empty() => {
                        return Input::Final { text: heard.text };
                    }
                    Some(Ok(_)) => self.pause = FIRST_PAUSE,
                    Some(Err(error)) => self.rest(Some(&error)),
                    None => self.rest(None),
                },
            }
        }
    }

    fn opened(&mut self, opened: Result<RecogniserSession, SpeechError>) {
        match opened {
            Ok(mut session) => {
                let is_speaking = self.segments.is_speaking();
                let has_missed = std::mem::take(&mut self.missed_speech) || is_speaking;
                if has_missed {
                    session.input.speech_started();
                }
                session.input.push(&std::mem::take(&mut self.backlog));
                if has_missed && !is_speaking {
                    session.input.speech_stopped();
                }
                self.session = Session::Open(session);
            }
            Err(error) => self.rest(Some(&error)),
        }
    }

    fn rest(&mut self, error: Option<&SpeechError>) {
        let reason = error.map_or_else(|| "it ended the session".to_owned(), ToString::to_string);
        tracing::warn!(recogniser = self.recogniser.name(), reason, "a call is not heard for a moment");
        self.session = Session::Pausing(Box::pin(tokio::time::sleep(self.pause)));
        self.pause = (self.pause * 2).min(LAST_PAUSE);
    }
}

fn open(recogniser: &Arc<dyn Recogniser>, config: &RecognitionConfig) -> Session {
    let (recogniser, config) = (Arc::clone(recogniser), config.clone());
    Session::Opening(Box::pin(async move { recogniser.open(config).await }))
}
