//! A recording that is written while the call goes on, so that a crash keeps what was said until then.
//!
//! Its header says that the length is not known, as programs do that write to a pipe; players, and [`crate::wav::duration`], take all
//! that is there. When the call is over, the header gets the length.

use std::io::{Read, Result, Seek, SeekFrom, Write};
use std::time::Duration;

use crate::wav::{self, Sound};

/// What a header says whose writer does not know the length.
const UNKNOWN: u32 = u32::MAX;

/// Where the length of everything behind it stands, and that of the sound.
const WHOLE_AT: u64 = 4;
const SOUND_AT: u64 = 40;

const HEADER: u64 = 44;

/// Two channels, 16 bits.
const BYTES_PER_FRAME: u64 = 4;

/// A WAV file of two channels that grows.
#[derive(Debug)]
pub struct LiveRecording<W> {
    out: W,
    sample_rate: u32,
    frames: u64,
}

impl<W: Write + Seek> LiveRecording<W> {
    /// Begins a file with so many samples per second.
    pub fn begin(mut out: W, sample_rate: u32) -> Result<Self> {
        let mut header = Vec::with_capacity(44);
        header.extend_from_slice(b"RIFF");
        header.extend_from_slice(&UNKNOWN.to_le_bytes());
        header.extend_from_slice(b"WAVEfmt ");
        header.extend_from_slice(&16_u32.to_le_bytes());
        // Uncompressed, two channels.
        header.extend_from_slice(&[1, 0, 2, 0]);
        header.extend_from_slice(&sample_rate.to_le_bytes());
        header.extend_from_slice(&(sample_rate.saturating_mul(4)).to_le_bytes());
        header.extend_from_slice(&[4, 0, 16, 0]);
        header.extend_from_slice(b"data");
        header.extend_from_slice(&UNKNOWN.to_le_bytes());
        out.write_all(&header)?;
        Ok(Self { out, sample_rate, frames: 0 })
    }

    /// Appends what both sides said at the same time. The shorter one is silent to the end.
    pub fn push(&mut self, left: &[i16], right: &[i16]) -> Result<()> {
        let frames = left.len().max(right.len());
        let mut bytes = Vec::with_capacity(frames * 4);
        for place in 0..frames {
            for channel in [left, right] {
                bytes.extend_from_slice(&channel.get(place).copied().unwrap_or(0).to_le_bytes());
            }
        }
        self.out.write_all(&bytes)?;
        self.frames += frames as u64;
        Ok(())
    }

    /// How long it is by now.
    pub fn duration(&self) -> Duration {
        Duration::from_millis(self.frames * 1000 / u64::from(self.sample_rate.max(1)))
    }

    /// The call is over: writes the length into the header. A length that no header can hold stays unknown.
    pub fn finish(mut self) -> Result<Duration> {
        write_length(&mut self.out, self.frames)?;
        Ok(self.duration())
    }
}

/// Writes the length into the header of a recording that nobody finished, and gives it. `None`, and nothing changes, if the file does not
/// begin like one of ours. Harmless to repeat.
pub fn mend(mut file: impl Read + Write + Seek) -> Result<Option<Duration>> {
    file.rewind()?;
    let is_ours = |sound: &Sound| sound.begin == HEADER && sound.channels == 2 && sound.sample_rate > 0;
    let Some(sound) = wav::find(&mut file)?.filter(is_ours) else { return Ok(None) };
    let frames = (file.seek(SeekFrom::End(0))? - HEADER) / BYTES_PER_FRAME;
    write_length(&mut file, frames)?;
    Ok(Some(Duration::from_millis(frames * 1000 / u64::from(sound.sample_rate))))
}

fn write_length(out: &mut (impl Write + Seek), frames: u64) -> Result<()> {
    let sound = frames * BYTES_PER_FRAME;
    if let (Ok(sound), Ok(whole)) = (u32::try_from(sound), u32::try_from(sound + HEADER - 8)) {
        for (place, length) in [(WHOLE_AT, whole), (SOUND_AT, sound)] {
            out.seek(SeekFrom::Start(place))?;
            out.write_all(&length.to_le_bytes())?;
        }
    }
    out.flush()
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn length_of(bytes: &[u8]) -> Option<Duration> {
        wav::duration(Cursor::new(bytes), bytes.len() as u64).expect("memory can be read")
    }

    fn samples(bytes: &[u8]) -> Vec<i16> {
        let mut reader = hound::WavReader::new(Cursor::new(bytes)).expect("a file that others can read");
        assert_eq!(
            (reader.spec().channels, reader.spec().sample_rate, reader.spec().bits_per_sample),
            (2, 8000, 16)
        );
        reader.samples().map(|sample| sample.expect("a sample")).collect()
    }

    #[test]
    fn a_finished_recording_is_a_file_that_others_can_read() {
        let mut bytes = Cursor::new(Vec::new());
        let mut recording = LiveRecording::begin(&mut bytes, 8000).expect("memory takes everything");
        recording.push(&[1, 2], &[-1]).expect("memory takes everything");
        recording.push(&[], &[5]).expect("memory takes everything");
        recording.push(&vec![0; 7997], &[]).expect("memory takes everything");
        assert_eq!(recording.finish().expect("memory takes everything"), Duration::from_secs(1));
        let bytes = bytes.into_inner();
        assert_eq!(samples(&bytes)[..6], [1, -1, 2, 0, 0, 5]);
        assert_eq!((samples(&bytes).len(), length_of(&bytes)), (16_000, Some(Duration::from_secs(1))));
    }

    #[test]
    fn what_was_written_before_a_crash_is_kept_wherever_it_ends() {
        let mut bytes = Cursor::new(Vec::new());
        let mut recording = LiveRecording::begin(&mut bytes, 8000).expect("memory takes everything");
        for _ in 0..50 {
            recording.push(&[7; 160], &[9; 160]).expect("memory takes everything");
        }
        assert_eq!(recording.duration(), Duration::from_secs(1));
        // Nobody finishes it.
        let bytes = bytes.into_inner();
        for (kept, expected) in [(0, 1000), (320, 990), (16_000, 500), (32_000, 0)] {
            let left = &bytes[..bytes.len() - kept];
            assert_eq!(length_of(left), Some(Duration::from_millis(expected)), "{kept} bytes are missing");
        }
        assert_eq!(length_of(&bytes[..30]), None, "not even the header was written");
    }

    #[test]
    fn what_a_crash_left_behind_is_mended_and_nothing_else_is_touched() {
        let mut bytes = Cursor::new(Vec::new());
        let mut recording = LiveRecording::begin(&mut bytes, 8000).expect("memory takes everything");
        recording.push(&[7; 8000], &[9; 8000]).expect("memory takes everything");
        let mut bytes = bytes.into_inner();
        // The last sample was not written to its end.
        bytes.pop();
        for _ in 0..2 {
            let length = mend(Cursor::new(&mut bytes)).expect("memory takes everything");
            assert_eq!(length, Some(Duration::from_millis(999)));
            assert_eq!(samples(&bytes).len(), 7999 * 2);
        }
        for other in [&b"RIFF"[..], &[0; 100]] {
            let mut kept = other.to_vec();
            assert_eq!(mend(Cursor::new(&mut kept)).expect("memory takes everything"), None);
            assert_eq!(kept, other);
        }
    }
}
