//! The end of a session into which sound goes, for all recognisers: it never waits.

use std::time::Duration;

use speech::{AudioInput, SpeechError};
use tokio::sync::mpsc;

/// How much sound a session may be behind before it is given up, in pieces of [`PIECE`]: ten seconds.
const BACKLOG: usize = 250;

/// Sound is passed on in pieces of this length: a message per frame costs more than the frame itself.
pub(crate) const PIECE: Duration = Duration::from_millis(40);

/// What the engine said, in its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Heard {
    /// The next samples.
    Samples(Vec<i16>),
    /// The engine hears the party speak.
    Started,
    /// It hears the party no more.
    Stopped,
}

/// The engine's end.
pub(crate) struct Input {
    /// `None` once the session has fallen too far behind.
    queue: Option<mpsc::Sender<Result<Heard, SpeechError>>>,
    piece: Vec<i16>,
    /// How many samples a piece has.
    length: usize,
}

/// The provider's end: what the engine said, then nothing. An error says that the provider did not take it fast enough.
pub(crate) type Hearing = mpsc::Receiver<Result<Heard, SpeechError>>;

/// Both ends for a session at this rate.
pub(crate) fn input(sample_rate: u32) -> (Input, Hearing) {
    // When it is full, the session ends with an error: sound that is left out silently would shift the time of everything after it.
    // One place more is kept for that error.
    let (queue, hearing) = mpsc::channel(BACKLOG + 1);
    let length = (sample_rate as usize * PIECE.as_millis() as usize / 1000).max(1);
    (Input { queue: Some(queue), piece: Vec::with_capacity(length), length }, hearing)
}

impl Input {
    fn tell(&mut self, heard: Heard) {
        let Some(queue) = &self.queue else { return };
        if queue.capacity() > 1 {
            // An error says that nobody listens any more, which is how a session is closed from the other end.
            let _ = queue.try_send(Ok(heard));
        } else {
            let reason = "the sound comes faster than the provider takes it".to_owned();
            let _ = queue.try_send(Err(SpeechError::Retry { after: None, reason }));
            self.queue = None;
        }
    }

    /// Passes on what is shorter than a piece.
    fn flush(&mut self) {
        if !self.piece.is_empty() {
            let piece = std::mem::replace(&mut self.piece, Vec::with_capacity(self.length));
            self.tell(Heard::Samples(piece));
        }
    }
}

impl AudioInput for Input {
    fn push(&mut self, mut samples: &[i16]) {
        while !samples.is_empty() {
            let (now, later) = samples.split_at(samples.len().min(self.length - self.piece.len()));
            self.piece.extend_from_slice(now);
            samples = later;
            if self.piece.len() == self.length {
                self.flush();
            }
        }
    }

    fn speech_started(&mut self) {
        self.flush();
        self.tell(Heard::Started);
    }

    fn speech_stopped(&mut self) {
        self.flush();
        self.tell(Heard::Stopped);
    }

    fn finish(mut self: Box<Self>) {
        self.flush();
    }
}

impl Drop for Input {
    fn drop(&mut self) {
        self.flush();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(hearing: &mut Hearing) -> Vec<Result<Heard, SpeechError>> {
        std::iter::from_fn(|| hearing.try_recv().ok()).collect()
    }

    #[test]
    fn frames_are_gathered_and_marks_stand_where_they_were_made() {
        let (mut end, mut hearing) = input(8000);
        (0..3).for_each(|n| end.push(&[n; 160]));
        end.speech_started();
        end.push(&[9; 400]);
        Box::new(end).finish();
        let lengths = |heard: Vec<Result<Heard, SpeechError>>| -> Vec<Option<usize>> {
            heard
                .into_iter()
                .map(|heard| match heard {
                    Ok(Heard::Samples(samples)) => Some(samples.len()),
                    _ => None,
                })
                .collect()
        };
        assert_eq!(lengths(all(&mut hearing)), [Some(320), Some(160), None, Some(320), Some(80)]);
    }

    #[test]
    fn a_provider_that_falls_behind_is_told_so_once_and_the_engine_never_waits() {
        let (mut end, mut hearing) = input(8000);
        end.push(&vec![1; 8000 * 30]);
        end.speech_stopped();
        let heard = all(&mut hearing);
        assert_eq!(heard.len(), BACKLOG + 1);
        assert!(heard[..BACKLOG].iter().all(Result::is_ok));
        assert!(matches!(heard[BACKLOG], Err(SpeechError::Retry { .. })));
    }
}
