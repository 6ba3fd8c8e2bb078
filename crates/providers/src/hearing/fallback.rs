//! Several recognisers in the order in which they are asked: when one fails in the middle of a call, the next hears the rest of it.
//!
//! What was pushed since the last final transcript is kept and given to the next recogniser, so that no sentence is lost; its transcripts
//! keep their place in the sound. Each recogniser is given one chance per session.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt as _;
use speech::{Recogniser, RecogniserEvent, RecogniserSession, RecognitionConfig, SpeechError, Transcript};
use tokio::sync::mpsc;

use super::by_segment::at;
use super::input::{Heard, Hearing, input};
use crate::driven::driven;

/// The most sound that is kept for the next recogniser. What is older was waited for in vain.
const KEPT: Duration = Duration::from_secs(30);

/// Recognisers in their order, behind the port of one.
pub struct Recognisers {
    all: Vec<Arc<dyn Recogniser>>,
    name: String,
}

impl Recognisers {
    /// `None` if there are none.
    pub fn new(all: Vec<Arc<dyn Recogniser>>) -> Option<Self> {
        let names: Vec<&str> = all.iter().map(|recogniser| recogniser.name()).collect();
        let name = names.join(", then ");
        (!all.is_empty()).then_some(Self { all, name })
    }
}

impl std::fmt::Debug for Recognisers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Recognisers").field(&self.name).finish()
    }
}

#[async_trait]
impl Recogniser for Recognisers {
    fn name(&self) -> &str {
        &self.name
    }

    async fn open(&self, config: RecognitionConfig) -> Result<RecogniserSession, SpeechError> {
        let mut left: VecDeque<Arc<dyn Recogniser>> = self.all.iter().cloned().collect();
        let session = open_next(&mut left, &config, None).await?;
        if left.is_empty() {
            return Ok(session);
        }
        let (input, hearing) = input(config.sample_rate);
        let events = driven(move |out| {
            let kept = Kept { rate: config.sample_rate, position: 0, start: 0, heard: VecDeque::new() };
            Relay { config, left, out, kept, base: Duration::ZERO }.run(session, hearing)
        });
        Ok(RecogniserSession { input: Box::new(input), events: Box::pin(events) })
    }
}

/// The first of those left that accepts; otherwise the last error, or the one given if none is left.
async fn open_next(
    left: &mut VecDeque<Arc<dyn Recogniser>>,
    config: &RecognitionConfig,
    mut error: Option<SpeechError>,
) -> Result<RecogniserSession, SpeechError> {
    while let Some(recogniser) = left.pop_front() {
        match recogniser.open(config.clone()).await {
            Ok(session) => return Ok(session),
            Err(failure) => {
                tracing::warn!(recogniser = recogniser.name(), error = %failure, "A recogniser could not be used");
                error = Some(failure);
            }
        }
    }
    Err(error.expect("there is a recogniser or an error"))
}

/// A session that can go over to another recogniser.
struct Relay {
    config: RecognitionConfig,
    left: VecDeque<Arc<dyn Recogniser>>,
    out: mpsc::Sender<RecogniserEvent>,
    kept: Kept,
    /// Where in the sound the current recogniser began.
    base: Duration,
}

impl Relay {
    async fn run(mut self, first: RecogniserSession, mut hearing: Hearing) -> Result<(), SpeechError> {
        let RecogniserSession { input, mut events } = first;
        let mut input = Some(input);
        loop {
            let error = tokio::select! {
                heard = hearing.recv(), if input.is_some() => {
                    match heard.transpose()? {
                        Some(heard) => {
                            if let Some(input) = &mut input {
                                tell(&mut **input, &heard);
                            }
                            self.kept.take(heard);
                        }
                        // Dropping the end finishes it.
                        None => input = None,
                    }
                    continue;
                }
                event = events.next() => match event {
                    Some(Ok(event)) => {
                        self.report(event).await;
                        continue;
                    }
                    None if input.is_none() => return Ok(()),
                    None => SpeechError::Retry { after: None, reason: "the recogniser stopped".to_owned() },
                    Some(Err(error)) => error,
                },
            };
            tracing::warn!(%error, "A recogniser failed in the middle of a call");
            let mut next = open_next(&mut self.left, &self.config, Some(error)).await?;
            self.base = at(self.kept.start, self.config.sample_rate);
            self.kept.heard.iter().for_each(|heard| tell(&mut *next.input, heard));
            events = next.events;
            input = input.is_some().then_some(next.input);
        }
    }

    async fn report(&mut self, mut event: RecogniserEvent) {
        match &mut event {
            RecogniserEvent::SpeechStarted { at } | RecogniserEvent::EndOfTurn { at } => *at += self.base,
            RecogniserEvent::Partial(transcript) => shift(transcript, self.base),
            RecogniserEvent::Final(transcript) => {
                shift(transcript, self.base);
                self.kept.forget_until(transcript.end);
            }
        }
        // Without a reader the session is being dropped anyway.
        let _ = self.out.send(event).await;
    }
}

fn shift(transcript: &mut Transcript, base: Duration) {
    transcript.start += base;
    transcript.end += base;
    for word in &mut transcript.words {
        word.start += base;
        word.end += base;
    }
}

fn tell(input: &mut dyn speech::AudioInput, heard: &Heard) {
    match heard {
        Heard::Samples(samples) => input.push(samples),
        Heard::Started => input.speech_started(),
        Heard::Stopped => input.speech_stopped(),
    }
}

/// What was said since the last final transcript.
struct Kept {
    rate: u32,
    /// How many samples there were.
    position: u64,
    /// The first sample that is kept.
    start: u64,
    heard: VecDeque<Heard>,
}

impl Kept {
    fn take(&mut self, heard: Heard) {
        if let Heard::Samples(samples) = &heard {
            self.position += samples.len() as u64;
        }
        self.heard.push_back(heard);
        let most = u64::from(self.rate) * KEPT.as_secs();
        self.forget(self.position.saturating_sub(most));
    }

    fn forget_until(&mut self, time: Duration) {
        self.forget(time.as_micros() as u64 * u64::from(self.rate) / 1_000_000);
    }

    /// Forgets the pieces that end before a sample. That somebody speaks in what is left is not forgotten.
    fn forget(&mut self, sample: u64) {
        let mut speaking = false;
        while let Some(heard) = self.heard.front() {
            match heard {
                Heard::Samples(samples) if self.start + samples.len() as u64 <= sample => {
                    self.start += samples.len() as u64;
                }
                Heard::Samples(_) => break,
                Heard::Started => speaking = true,
                Heard::Stopped => speaking = false,
            }
            self.heard.pop_front();
        }
        if speaking {
            self.heard.push_front(Heard::Started);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Heard::{Started, Stopped};

    #[test]
    fn what_is_not_final_yet_is_kept_with_its_marks() {
        let kept = |script: &[Heard], forget: u64| {
            let mut kept = Kept { rate: 10, position: 0, start: 0, heard: VecDeque::new() };
            script.iter().cloned().for_each(|heard| kept.take(heard));
            kept.forget_until(Duration::from_millis(forget * 100));
            (kept.start, Vec::from(kept.heard))
        };
        let sound = || Heard::Samples(vec![0; 10]);
        assert_eq!(kept(&[Started, sound(), sound(), Stopped], 10), (10, vec![Started, sound(), Stopped]));
        assert_eq!(kept(&[Started, sound(), Stopped, sound()], 10), (10, vec![sound()]));
        assert_eq!(kept(&[sound(), Started, sound()], 15), (10, vec![Started, sound()]));
        let (start, long) = kept(&vec![sound(); 40], 0);
        assert_eq!((start, long.len()), (100, 30));
    }
}
