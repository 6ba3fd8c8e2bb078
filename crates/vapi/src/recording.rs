//! Recordings, copied while Vapi still has them.
//!
//! The redirect leads to another host, which must not see our key and may not be a private one: it is fetched with the guarded
//! client, piece by piece into a file. A call of twelve hours takes more than a gigabyte.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::time::Duration;

use domain::engine::{Recorded, Recording};
use egress::{Fetched, OperatorError, OperatorResponse, SendError};
use futures_util::StreamExt as _;
use media::wav;
use tokio::io::AsyncWriteExt as _;

/// The largest recording: the longest call, twelve hours, in stereo at 16 kHz, and some more.
pub const LARGEST: usize = 3 * 1024 * 1024 * 1024;

/// How long fetching one may take.
pub const LONGEST_FETCH: Duration = Duration::from_mins(5);

/// Copies what lies at the redirect's target into a file and says whether it is a recording. One more redirect is followed, to wherever a
/// first one may lead.
pub(crate) async fn fetch(client: &egress::Client, url: &str, file: &Path) -> Recorded {
    let mut fetched = fetch_once(client, url, file).await;
    if let Ok(Fetched { status: 301..=308, location: Some(location), .. }) = &fetched {
        let location = location.clone();
        fetched = fetch_once(client, &location, file).await;
    }
    judged(fetched, file).await
}

async fn fetch_once(client: &egress::Client, url: &str, file: &Path) -> Result<Fetched, SendError> {
    let mut out = emptied(file).await?;
    client.fetch(url, &mut out).await
}

/// The file to fill, which is there. Should whoever waits for it have given up and removed it meanwhile, it is not to come back.
async fn emptied(file: &Path) -> Result<tokio::fs::File, SendError> {
    let opened = tokio::fs::File::options().write(true).truncate(true).open(file).await;
    opened.map_err(|error| SendError::Write(error.kind()))
}

/// Copies an answer that is the recording itself.
pub(crate) async fn keep(answer: OperatorResponse, file: &Path) -> Recorded {
    judged(write_out(answer, file).await, file).await
}

async fn write_out(answer: OperatorResponse, file: &Path) -> Result<Fetched, SendError> {
    let failed = |error: std::io::Error| SendError::Write(error.kind());
    let mut out = emptied(file).await?;
    let mut fetched =
        Fetched { status: answer.status(), content_type: String::new(), location: None, length: 0 };
    let mut pieces = std::pin::pin!(answer.stream());
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|error| match error {
            OperatorError::Timeout => SendError::Timeout,
            _ => SendError::Protocol,
        })?;
        fetched.length += piece.len() as u64;
        if fetched.length > LARGEST as u64 {
            break;
        }
        out.write_all(&piece).await.map_err(failed)?;
    }
    out.flush().await.map_err(failed)?;
    Ok(fetched)
}

async fn judged(fetched: Result<Fetched, SendError>, file: &Path) -> Recorded {
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
    if fetched.length > LARGEST as u64 {
        tracing::warn!("a recording is too large");
        return Ok(Recorded::Nothing);
    }
    let mut beginning = Vec::new();
    Read::take(&mut *file, 16).read_to_end(&mut beginning)?;
    file.seek(SeekFrom::Start(0))?;
    let Some(content_type) = sound(&beginning) else {
        tracing::warn!(announced = fetched.content_type, "what should be a recording is none");
        return Ok(Recorded::NotYet);
    };
    let duration = if content_type == WAV { wav::duration(file, fetched.length)? } else { None };
    if content_type == WAV && duration.is_none() {
        tracing::warn!("a recording is broken off");
        return Ok(Recorded::NotYet);
    }
    Ok(Recorded::File(Recording { content_type, duration }))
}

const WAV: &str = "audio/wav";

/// The media type of a file with sound, by its first bytes: what a server calls it says little. `None` for anything else.
fn sound(beginning: &[u8]) -> Option<&'static str> {
    let has = |at: usize, mark: &[u8]| beginning.get(at..).is_some_and(|rest| rest.starts_with(mark));
    // A frame of MPEG audio begins with eleven set bits, a version, a layer and a bit rate, of each of which one value is reserved.
    let is_mpeg_frame = matches!(beginning, [0xff, second, third, ..]
        if second >> 5 == 7 && second >> 3 & 3 != 1 && second >> 1 & 3 != 0 && third >> 4 != 15);
    if has(0, b"RIFF") && has(8, b"WAVE") {
        Some(WAV)
    } else if has(0, b"ID3") || is_mpeg_frame {
        Some("audio/mpeg")
    } else if has(0, b"OggS") {
        Some("audio/ogg")
    } else if has(0, b"fLaC") {
        Some("audio/flac")
    } else if has(4, b"ftyp") {
        Some("audio/mp4")
    } else if has(0, b"\x1a\x45\xdf\xa3") {
        Some("audio/webm")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use media::wav::Mono;

    use super::*;

    fn wave(seconds: usize) -> Vec<u8> {
        let silence = Mono { sample_rate: 8000, samples: vec![0; seconds * 8000] };
        let mut bytes = Cursor::new(Vec::new());
        wav::write_mono(&mut bytes, &silence).expect("memory takes everything");
        bytes.into_inner()
    }

    fn fetched(content_type: &str, body: Vec<u8>) -> Recorded {
        answered(200, content_type, body)
    }

    fn answered(status: u16, content_type: &str, body: Vec<u8>) -> Recorded {
        let length = body.len() as u64;
        let fetched = Fetched { status, content_type: content_type.to_owned(), location: None, length };
        read(Ok(fetched), &mut Cursor::new(body)).expect("memory can be read")
    }

    #[test]
    fn whole_files_are_taken_by_what_they_hold_whatever_the_server_calls_them() {
        for announced in [
            "audio/x-wav",
            "audio/wav",
            "application/octet-stream",
            "binary/octet-stream",
            "",
            "text/plain",
            "audio/mpeg",
        ] {
            let Recorded::File(file) = fetched(announced, wave(3)) else { panic!("{announced}") };
            assert_eq!(
                (file.content_type, file.duration),
                ("audio/wav", Some(Duration::from_secs(3))),
                "{announced}"
            );
        }
        for (beginning, content_type) in [
            (&b"ID3\x04\0\0\0\0\0\0"[..], "audio/mpeg"),
            (b"\xff\xfb\x90\x64", "audio/mpeg"),
            (b"\xff\xf3\x40\xc0", "audio/mpeg"),
            (b"OggS\0\x02", "audio/ogg"),
            (b"fLaC\0\0\0\x22", "audio/flac"),
            (b"\0\0\0\x20ftypM4A ", "audio/mp4"),
            (b"\x1a\x45\xdf\xa3\x9f", "audio/webm"),
        ] {
            let Recorded::File(file) = fetched("audio/wav", beginning.to_vec()) else {
                panic!("{content_type}")
            };
            assert_eq!((file.content_type, file.duration), (content_type, None));
        }
    }

    #[test]
    fn what_is_no_recording_is_not_taken_for_one() {
        let mut short = wave(3);
        short.truncate(1000);
        for (content_type, body) in [
            ("audio/wav", short),
            ("audio/wav", Vec::new()),
            ("audio/wav", b"RIFF\0\0\0\0WAVEfmt \xff\xff\xff\xff".to_vec()),
            ("audio/mpeg", Vec::new()),
            ("audio/mpeg", vec![1; 10]),
            ("audio/wav", b"<html>Access denied</html>".to_vec()),
            ("audio/wav", b"{\"error\":\"expired\"}".to_vec()),
            ("audio/mpeg", b"\xff\xff\xff\xff".to_vec()),
        ] {
            assert_eq!(fetched(content_type, body), Recorded::NotYet, "{content_type}");
        }
        assert_eq!(answered(403, "audio/wav", wave(1)), Recorded::NotYet);
        let lost = read(Err(SendError::Timeout), &mut Cursor::new(wave(1)));
        assert_eq!(lost.expect("memory can be read"), Recorded::NotYet);
    }

    #[test]
    fn a_recording_beyond_the_limit_is_refused_for_good() {
        let length = LARGEST as u64 + 1;
        let fetched = Fetched { status: 200, content_type: "audio/wav".to_owned(), location: None, length };
        let refused = read(Ok(fetched), &mut Cursor::new(wave(1)));
        assert_eq!(refused.expect("memory can be read"), Recorded::Nothing);
    }
}
