//! Recordings, copied while Vapi still has them.
//!
//! The redirect leads to another host, which must not see our key and may not be a private one: it is fetched with the guarded
//! client, piece by piece into a file. A call of twelve hours takes more than a gigabyte.

use std::fs::File;
use std::io::{Read, Seek};
use std::path::Path;
use std::time::Duration;

use domain::engine::{Recorded, Recording};
use egress::{Fetched, SendError};
use media::wav;

/// The largest recording: the longest call, twelve hours, in stereo at 16 kHz, and some more.
pub const LARGEST: usize = 3 * 1024 * 1024 * 1024;

/// How long fetching one may take.
pub const LONGEST_FETCH: Duration = Duration::from_mins(5);

/// Copies what lies at the redirect's target into a file and says whether it is a recording.
pub(crate) async fn fetch(client: &egress::Client, url: &str, file: &Path) -> Recorded {
    // The file is there. Should whoever waits for it have given up and removed it meanwhile, it is not to come back.
    let mut out = match tokio::fs::File::options().write(true).truncate(true).open(file).await {
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
    let duration = if content_type == "audio/wav" { wav::duration(file, fetched.length)? } else { None };
    if fetched.length == 0 || (content_type == "audio/wav" && duration.is_none()) {
        tracing::warn!("a recording is broken off");
        return Ok(Recorded::NotYet);
    }
    Ok(Recorded::File(Recording { content_type, duration }))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use media::wav::Mono;

    use super::*;

    fn sound(seconds: usize) -> Vec<u8> {
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
        let fetched = Fetched { status, content_type: content_type.to_owned(), length };
        read(Ok(fetched), &mut Cursor::new(body)).expect("memory can be read")
    }

    #[test]
    fn whole_files_are_taken_with_their_length() {
        let Recorded::File(file) = fetched("audio/x-wav", sound(3)) else { panic!("expected a file") };
        assert_eq!((file.content_type, file.duration), ("audio/wav", Some(Duration::from_secs(3))));
        let Recorded::File(file) = fetched("audio/mpeg", vec![1; 10]) else { panic!("expected a file") };
        assert_eq!((file.content_type, file.duration), ("audio/mpeg", None));
    }

    #[test]
    fn what_is_no_recording_is_not_taken_for_one() {
        let mut short = sound(3);
        short.truncate(1000);
        for (content_type, body) in [
            ("audio/wav", short),
            ("audio/wav", Vec::new()),
            ("audio/wav", b"RIFF\0\0\0\0WAVEfmt \xff\xff\xff\xff".to_vec()),
            ("audio/mpeg", Vec::new()),
            ("text/html", sound(1)),
        ] {
            assert_eq!(fetched(content_type, body), Recorded::NotYet, "{content_type}");
        }
        assert_eq!(answered(403, "audio/wav", sound(1)), Recorded::NotYet);
        let lost = read(Err(SendError::Timeout), &mut Cursor::new(sound(1)));
        assert_eq!(lost.expect("memory can be read"), Recorded::NotYet);
    }

    #[test]
    fn a_recording_beyond_the_limit_is_refused_for_good() {
        let length = LARGEST as u64 + 1;
        let fetched = Fetched { status: 200, content_type: "audio/wav".to_owned(), length };
        let refused = read(Ok(fetched), &mut Cursor::new(sound(1)));
        assert_eq!(refused.expect("memory can be read"), Recorded::Nothing);
    }
}
