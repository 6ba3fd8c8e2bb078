//! Recordings, copied while Vapi still has them.
//!
//! The redirect leads to another host, which must not see our key and may not be a private one: it is fetched with the guarded
//! client, piece by piece into a file. A call of twelve hours takes more than a gigabyte.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::time::Duration;

use domain::engine::{Recorded, Recording};
use egress::{Fetched, SendError};

/// The largest recording: the longest call, twelve hours, in stereo at 16 kHz, and some more.
pub const LARGEST: usize = 3 * 1024 * 1024 * 1024;

/// How long fetching one may take.
pub const LONGEST_FETCH: Duration = Duration::from_mins(5);

/// How many parts of a WAV file are looked through for its sound.
const WAV_PARTS: usize = 1000;

/// Copies what lies at the redirect's target into a file and says whether it is a recording.
pub(crate) async fn fetch(client: &egress::Client, url: &str, file: &Path) -> Recorded {
    let mut out = match tokio::fs::File::create(file).await {
        Ok(out) => out,
        Err(error) => {
            tracing::warn!(%error, "a recording has no file to go to");
            return Recorded::NotYet;
        }
    };
    let fetched = client.fetch(url, &mut out).await;
    drop(out);
    let file = file.to_owned();
    let read = tokio::task::spawn_blocking(move || read(fetched, &mut File::open(file)?));
    match read.await.map_err(std::io::Error::other).flatten() {
        Ok(recorded) => recorded,
        Err(error) => {
            tracing::warn!(%error, "a recording that was fetched cannot be read");
            Recorded::NotYet
        }
    }
}

/// What was fetched, as a recording.
fn read(fetched: Result<Fetched, SendError>, file: &mut (impl Read + Seek)) -> std::io::Result<Recorded> {
    let fetched = match fetched {
        Ok(fetched) => fetched,
        Err(SendError::Refused(refused)) => {
            tracing::warn!(%refused, "a recording lies where it may not be fetched");
            return Ok(Recorded::Nothing);
        }
        Err(error) => {
            tracing::warn!(%error, "a recording could not be fetched");
            return Ok(Recorded::NotYet);
        }
    };
    if fetched.status != 200 {
        tracing::warn!(status = fetched.status, "a recording could not be fetched");
        return Ok(Recorded::NotYet);
    }
    let content_type = match fetched.content_type.as_str() {
        "audio/wav" | "audio/x-wav" | "audio/wave" | "audio/vnd.wave" => "audio/wav",
        "audio/mpeg" | "audio/mp3" => "audio/mpeg",
        other => {
            tracing::warn!(content_type = other, "what should be a recording is none");
            return Ok(Recorded::NotYet);
        }
    };
    if fetched.length > LARGEST as u64 {
        tracing::warn!("a recording is too large");
        return Ok(Recorded::Nothing);
    }
    let duration = if content_type == "audio/wav" { wav_duration(file, fetched.length)? } else { None };
    if fetched.length == 0 || (content_type == "audio/wav" && duration.is_none()) {
        tracing::warn!("a recording is broken off");
        return Ok(Recorded::NotYet);
    }
    Ok(Recorded::File(Recording { content_type, duration }))
}

/// The length of a whole WAV file of so many bytes; `None` if it is none or ends too early.
fn wav_duration(file: &mut (impl Read + Seek), bytes: u64) -> std::io::Result<Option<Duration>> {
    let mut head = [0; 12];
    if !filled(file, &mut head)? || &head[..4] != b"RIFF" || &head[8..] != b"WAVE" {
        return Ok(None);
    }
    let mut at = 12;
    let mut rate = None;
    for _ in 0..WAV_PARTS {
        let mut part = [0; 8];
        file.seek(SeekFrom::Start(at))?;
        if !filled(file, &mut part)? {
            return Ok(None);
        }
        let content = at + 8;
        let length = u64::from(u32_at(&part, 4));
        match &part[..4] {
            b"fmt " => {
                let mut format = [0; 12];
                rate = filled(file, &mut format)?.then(|| u32_at(&format, 8)).filter(|rate| *rate > 0);
            }
            b"data" => {
                let Some(rate) = rate else { return Ok(None) };
                // A writer that streams does not know the length and says the largest or none.
                let there = bytes.saturating_sub(content);
                let length = if length == 0 || length >= 0xFFFF_0000 { there } else { length };
                let duration = Duration::from_millis(length * 1000 / u64::from(rate));
                return Ok((length <= there).then_some(duration));
            }
            _ => {}
        }
        at = content + length + length % 2;
    }
    Ok(None)
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// Fills the buffer; false if the file ends before.
fn filled(file: &mut impl Read, buffer: &mut [u8]) -> std::io::Result<bool> {
    match file.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn wav(seconds: u32) -> Vec<u8> {
        let data = seconds * 16_000;
        let mut bytes =
            b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data".to_vec();
        bytes.extend(data.to_le_bytes());
        bytes.resize(bytes.len() + data as usize, 0);
        bytes
    }

    fn fetched(content_type: &str, body: Vec<u8>) -> Recorded {
        answered(200, content_type, body)
    }

    fn answered(status: u16, content_type: &str, body: Vec<u8>) -> Recorded {
        let length = body.len() as u64;
        let fetched = Fetched { status, content_type: content_type.to_owned(), length };
        read(Ok(fetched), &mut Cursor::new(body)).expect("memory can be read")
    }

    #[test]
    fn whole_files_are_taken_with_their_length() {
        let Recorded::File(file) = fetched("audio/x-wav", wav(3)) else { panic!("expected a file") };
        assert_eq!((file.content_type, file.duration), ("audio/wav", Some(Duration::from_secs(3))));
        let Recorded::File(file) = fetched("audio/mpeg", vec![1; 10]) else { panic!("expected a file") };
        assert_eq!((file.content_type, file.duration), ("audio/mpeg", None));
    }

    #[test]
    fn what_is_no_recording_is_not_taken_for_one() {
        let mut short = wav(3);
        short.truncate(1000);
        for (content_type, body) in [
            ("audio/wav", short),
            ("audio/wav", Vec::new()),
            ("audio/wav", b"RIFF\0\0\0\0WAVEfmt \xff\xff\xff\xff".to_vec()),
            ("audio/mpeg", Vec::new()),
            ("text/html", wav(1)),
        ] {
            assert_eq!(fetched(content_type, body), Recorded::NotYet, "{content_type}");
        }
        assert_eq!(answered(403, "audio/wav", wav(1)), Recorded::NotYet);
        let lost = read(Err(SendError::Timeout), &mut Cursor::new(wav(1)));
        assert_eq!(lost.expect("memory can be read"), Recorded::NotYet);
    }

    #[test]
    fn a_recording_beyond_the_limit_is_refused_for_good() {
        let length = LARGEST as u64 + 1;
        let fetched = Fetched { status: 200, content_type: "audio/wav".to_owned(), length };
        let refused = read(Ok(fetched), &mut Cursor::new(wav(1)));
        assert_eq!(refused.expect("memory can be read"), Recorded::Nothing);
    }
}
