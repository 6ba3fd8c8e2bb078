//! Recordings, copied while Vapi still has them.
//!
//! The redirect leads to another host, which must not see our key and may not be a private one: it is fetched with the guarded
//! client.

use std::time::Duration;

use domain::engine::{Recorded, RecordingFile};
use egress::{Fetched, SendError};

/// The largest recording: two hours of stereo at 16 kHz.
pub const LARGEST: usize = 512 * 1024 * 1024;

/// What came from the redirect's target, as a recording.
pub(crate) fn read(fetched: Result<Fetched, SendError>) -> Recorded {
    let fetched = match fetched {
        Ok(fetched) => fetched,
        Err(SendError::Refused(refused)) => {
            tracing::warn!(%refused, "a recording lies where it may not be fetched");
            return Recorded::Nothing;
        }
        Err(error) => {
            tracing::warn!(%error, "a recording could not be fetched");
            return Recorded::NotYet;
        }
    };
    if fetched.status != 200 {
        tracing::warn!(status = fetched.status, "a recording could not be fetched");
        return Recorded::NotYet;
    }
    let content_type = match fetched.content_type.as_str() {
        "audio/wav" | "audio/x-wav" | "audio/wave" | "audio/vnd.wave" => "audio/wav",
        "audio/mpeg" | "audio/mp3" => "audio/mpeg",
        other => {
            tracing::warn!(content_type = other, "what should be a recording is none");
            return Recorded::NotYet;
        }
    };
    if fetched.body.len() > LARGEST {
        tracing::warn!("a recording is too large");
        return Recorded::Nothing;
    }
    let duration = match content_type {
        "audio/wav" => match wav_duration(&fetched.body) {
            Some(duration) => Some(duration),
            None => {
                tracing::warn!("a recording is broken off");
                return Recorded::NotYet;
            }
        },
        _ => None,
    };
    if fetched.body.is_empty() {
        return Recorded::NotYet;
    }
    Recorded::File(RecordingFile { content_type, bytes: fetched.body, duration })
}

/// The length of a whole WAV file; `None` if it is none or ends too early.
fn wav_duration(bytes: &[u8]) -> Option<Duration> {
    let number = |at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    if bytes.get(..4)? != b"RIFF" || bytes.get(8..12)? != b"WAVE" {
        return None;
    }
    let mut at = 12;
    let mut rate = None;
    loop {
        let length = number(at + 4)? as usize;
        let content = at + 8;
        match bytes.get(at..at + 4)? {
            b"fmt " => rate = number(content + 8).filter(|rate| *rate > 0),
            b"data" => {
                let rate = rate?;
                // A writer that streams does not know the length and says the largest or none.
                let there = bytes.len().checked_sub(content)?;
                let length = if length == 0 || length >= 0xFFFF_0000 { there } else { length };
                let millis = u64::try_from(length).ok()?.checked_mul(1000)? / u64::from(rate);
                return (length <= there).then_some(Duration::from_millis(millis));
            }
            _ => {}
        }
        at = content.checked_add(length)?.checked_add(length % 2)?;
    }
}

#[cfg(test)]
mod tests {
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
        read(Ok(Fetched { status: 200, content_type: content_type.to_owned(), body }))
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
        assert_eq!(
            read(Ok(Fetched { status: 403, content_type: String::new(), body: Vec::new() })),
            Recorded::NotYet
        );
        assert_eq!(read(Err(SendError::Timeout)), Recorded::NotYet);
    }
}
