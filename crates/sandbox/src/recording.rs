//! Recordings of sandbox calls: each utterance is spoken by a synthesiser and laid where it was said, agent left, caller right.

use std::fs::File;
use std::io::{BufWriter, Seek, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use domain::call::{Party, Utterance};
use domain::engine::{EngineUnavailable, Recording};
use media::wav;
use speech::{Pcm, Synthesiser};
use tokio::sync::Semaphore;

/// Samples per second of the file: wideband, as good as a telephone gets.
const RATE: u32 = 16_000;

/// Longer calls are recorded up to here.
const LONGEST: Duration = Duration::from_secs(3600);

/// How many calls are spoken at once.
const AT_ONCE: usize = 2;

/// Makes recordings of sandbox calls by speaking their transcripts.
#[derive(Clone)]
pub struct Recorder {
    synthesiser: Arc<dyn Synthesiser>,
    turns: Arc<Semaphore>,
}

impl Recorder {
    /// A recorder that speaks with these voices.
    pub fn new(synthesiser: Arc<dyn Synthesiser>) -> Self {
        Self { synthesiser, turns: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// Speaks a transcript into a file; `None` if there is nothing to speak.
    pub(crate) async fn record(
        &self,
        transcript: &[Utterance],
        file: &Path,
    ) -> Result<Option<Recording>, EngineUnavailable> {
        if transcript.is_empty() {
            return Ok(None);
        }
        let _turn = self.turns.acquire().await.map_err(|_| EngineUnavailable("closing".to_owned()))?;
        let mut tracks = Tracks::default();
        for said in transcript {
            let channel = match said.by {
                Party::Agent => 0,
                Party::Caller => 1,
            };
            if said.start >= LONGEST {
                break;
            }
            let pcm = self.synthesiser.speak(&said.text, said.by).await;
            let pcm = pcm.map_err(|error| EngineUnavailable(error.to_string()))?;
            tracks.lay(channel, said, &pcm);
        }
        let file = file.to_owned();
        let written = tokio::task::spawn_blocking(move || {
            // The file is there. Should whoever waits for it have given up and removed it meanwhile, it is not to come back.
            let mut out = BufWriter::new(File::options().write(true).truncate(true).open(file)?);
            let recording = tracks.write(&mut out)?;
            out.flush()?;
            Ok::<_, std::io::Error>(recording)
        });
        let recording = written.await.map_err(|error| EngineUnavailable(error.to_string()))?;
        recording
            .map(Some)
            .map_err(|error| EngineUnavailable(format!("the recording could not be written: {error}")))
    }
}

impl std::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recorder").field("synthesiser", &self.synthesiser.name()).finish_non_exhaustive()
    }
}

/// Two channels that grow as needed.
#[derive(Default)]
struct Tracks([Vec<i16>; 2]);

impl Tracks {
    /// Lays an utterance where it began. What was cut short is cut here as well; what takes longer than it took in virtual time is
    /// spoken a little faster, so that nobody talks over the next one.
    fn lay(&mut self, channel: usize, said: &Utterance, pcm: &Pcm) {
        if pcm.samples.is_empty() || pcm.sample_rate == 0 {
            return;
        }
        let start = samples(said.start);
        let room = samples(said.end.saturating_sub(said.start)).max(1);
        let natural =
            usize::try_from(pcm.samples.len() as u64 * u64::from(RATE) / u64::from(pcm.sample_rate))
                .unwrap_or(room);
        let length = natural.min(room).max(1);
        let track = &mut self.0[channel];
        if track.len() < start + length {
            track.resize(start + length, 0);
        }
        for (index, sample) in track[start..start + length].iter_mut().enumerate() {
            *sample = at(&pcm.samples, index, length);
        }
    }

    /// Writes both tracks as a WAV file with two channels.
    fn write(&self, out: impl Write + Seek) -> std::io::Result<Recording> {
        let [agent, caller] = &self.0;
        let duration = wav::write_stereo(out, RATE, agent, caller)?;
        Ok(Recording { content_type: "audio/wav", duration: Some(duration) })
    }
}

fn samples(time: Duration) -> usize {
    let millis = u64::try_from(time.min(LONGEST).as_millis()).unwrap_or(u64::MAX);
    usize::try_from(millis * u64::from(RATE) / 1000).unwrap_or(usize::MAX)
}

/// The sample at `index` of `length`, between its two neighbours.
fn at(samples: &[i16], index: usize, length: usize) -> i16 {
    let position = index as u64 * 256 * (samples.len() as u64 - 1) / (length as u64).max(1);
    let (whole, part) =
        (usize::try_from(position / 256).unwrap_or(0), i64::try_from(position % 256).unwrap_or(0));
    let (left, right) = (i64::from(samples[whole]), i64::from(samples[(whole + 1).min(samples.len() - 1)]));
    i16::try_from(left + (right - left) * part / 256).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(by: Party, start_ms: u64, end_ms: u64) -> Utterance {
        let (start, end) = (Duration::from_millis(start_ms), Duration::from_millis(end_ms));
        Utterance { by, text: "x".into(), start, end, interrupted: false }
    }

    #[test]
    fn the_agent_is_left_and_the_caller_right_where_they_spoke() {
        let mut tracks = Tracks::default();
        let loud = Pcm { sample_rate: 8000, samples: vec![1000; 800] };
        tracks.lay(0, &said(Party::Agent, 0, 100), &loud);
        tracks.lay(1, &said(Party::Caller, 100, 200), &loud);
        let mut file = std::io::Cursor::new(Vec::new());
        let made = tracks.write(&mut file).expect("a vector takes everything");
        let file = file.into_inner();
        assert_eq!((made.content_type, made.duration), ("audio/wav", Some(Duration::from_millis(200))));
        assert_eq!((&file[..4], file.len()), (&b"RIFF"[..], 44 + 3200 * 4));
        let frame = |index: usize| {
            let bytes = &file[44 + index * 4..][..4];
            (i16::from_le_bytes([bytes[0], bytes[1]]), i16::from_le_bytes([bytes[2], bytes[3]]))
        };
        assert_eq!((frame(100), frame(3000)), ((1000, 0), (0, 1000)));
    }

    #[test]
    fn speech_longer_than_its_turn_is_fitted_into_it() {
        let mut tracks = Tracks::default();
        tracks.lay(0, &said(Party::Agent, 0, 50), &Pcm { sample_rate: RATE, samples: vec![7; 16_000] });
        let made = tracks.write(std::io::Cursor::new(Vec::new())).expect("a vector takes everything");
        assert_eq!(made.duration, Some(Duration::from_millis(50)));
    }
}
