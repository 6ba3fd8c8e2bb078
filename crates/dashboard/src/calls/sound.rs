//! The waveform of a recording, drawn without sending the sound.

use std::fmt::Write as _;
use std::fs::File;
use std::io::BufReader;

use app::App;
use domain::call::StoredRecording;
use media::wav::{self, Peaks};

/// Strokes along the time axis.
const STROKES: usize = 480;

/// The path of each side, in a box of [`STROKES`] by 100.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wave {
    pub(super) agent: String,
    /// Empty if the recording has one channel: then both are in the first.
    pub(super) caller: String,
}

/// The waveform; `None` if the file is of a kind that only browsers decode, or is gone.
pub(super) async fn wave(app: &App, recording: &StoredRecording) -> Option<Wave> {
    if recording.content_type != "audio/wav" {
        return None;
    }
    let path = app.recordings().path(&recording.key);
    let reading = tokio::task::spawn_blocking(move || {
        let file = BufReader::new(File::open(path).ok()?);
        wav::peaks(file, STROKES)
    });
    reading.await.ok()?.map(|peaks| drawn(&peaks))
}

fn drawn(peaks: &Peaks) -> Wave {
    let side = |channel: usize| peaks.channels.get(channel).map(|channel| path(channel)).unwrap_or_default();
    Wave { agent: side(0), caller: side(1) }
}

/// One stroke for each peak, from the middle up and down. Silence leaves a dot.
fn path(peaks: &[u8]) -> String {
    let mut path = String::with_capacity(peaks.len() * 10);
    for (x, &peak) in peaks.iter().enumerate() {
        // Loudness is heard, not measured: the root makes soft speech visible.
        let half = (u32::from(peak) * 48 * 48 / 255).isqrt().max(1);
        let _ = write!(path, "M{x} {}V{}", 50 - half, 50 + half);
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strokes_grow_with_the_sound_and_stay_in_their_box() {
        assert_eq!(path(&[0, 255, 64]), "M0 49V51M1 2V98M2 26V74");
    }
}
