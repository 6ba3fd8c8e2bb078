//! The logs of calls, line by line, in the order in which they were stored.
//!
//! A line is kept as a word for its kind and an object with the rest. Words and names of fields are for good: what one version has
//! written, the next one reads.

use std::time::Duration;

use domain::call::{FailureCode, LogEntry, LogLine, SoundQuality, TurnTimes, Utterance};
use domain::{CallId, Timestamp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::table::text;
use crate::tx::{Param, PlatformTx, ToParam as _, Tx, params};
use crate::utterances::KeptUtterance;
use crate::writes::Write;
use crate::{StoreError, Tenancy};

/// A stored line of a call's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogRow {
    /// Its place in the log, from 1.
    pub seq: i64,
    /// When it happened, on the engine's clock.
    pub at: Timestamp,
    /// What happened; none if a newer version wrote the line and this one does not know it.
    pub line: Option<LogLine>,
}

/// The columns of a line, in the order in which every statement below gives their values.
const INTO: &str = "INSERT INTO call_log (call_id, seq, at, kind, data) ";

/// Lines that come as three columns, numbered from 1.
const FROM_COLUMNS: &str =
    "FROM unnest($2::bigint[], $3::text[], $4::text[]) WITH ORDINALITY AS added(at, kind, data, n)";

/// Adds lines to a call's log, in order. The call must be locked, or nobody else may be writing to its log.
pub async fn add(tx: &mut PlatformTx, id: CallId, entries: &[LogEntry]) -> Result<(), StoreError> {
    const LAST: &str = "SELECT coalesce(max(seq), 0) FROM call_log WHERE call_id = $1";
    const ADD: &str = text!(
        INTO,
        "SELECT $1, (SELECT coalesce(max(seq), 0) FROM call_log WHERE call_id = $1) + n, at, kind, data ",
        FROM_COLUMNS
    );
    if entries.is_empty() {
        return Ok(());
    }
    if tx.is_on_postgres() {
        return add_columns(tx, id, ADD, entries).await;
    }
    let last = tx.query_one(LAST, params![id]).await?;
    let last = last.map_or(Ok(0), |row| row.of("call_log").next())?;
    add_each(tx, id, last, entries).await
}

/// The first lines of the log of a call that was just stored.
pub async fn begin(tx: &mut PlatformTx, id: CallId, entries: &[LogEntry]) -> Result<(), StoreError> {
    const BEGIN: &str = text!(INTO, "SELECT $1, n, at, kind, data ", FROM_COLUMNS);
    if tx.is_on_postgres() {
        add_columns(tx, id, BEGIN, entries).await
    } else {
        add_each(tx, id, 0, entries).await
    }
}

/// Adds lines by one statement that takes their columns.
async fn add_columns(
    tx: &mut PlatformTx,
    id: CallId,
    sql: &'static str,
    entries: &[LogEntry],
) -> Result<(), StoreError> {
    let mut columns = (Vec::new(), Vec::new(), Vec::new());
    for entry in entries {
        let (kind, data) = kept(&entry.line);
        columns.0.push(entry.at.as_microsecond());
        columns.1.push(kind.to_owned());
        columns.2.push(data);
    }
    let params =
        vec![id.to_param(), Param::Ints(columns.0), Param::Texts(columns.1), Param::Texts(columns.2)];
    tx.write(Write::new("call_log", id.0, sql, params)).await
}

/// Adds lines one by one behind the last line that there is.
async fn add_each(
    tx: &mut PlatformTx,
    id: CallId,
    last: i64,
    entries: &[LogEntry],
) -> Result<(), StoreError> {
    const ADD: &str = text!(INTO, "VALUES ($1, $2, $3, $4, $5)");
    let numbered = (last + 1..).zip(entries);
    let sets = numbered.map(|(seq, entry)| {
        let (kind, data) = kept(&entry.line);
        params![id, seq, entry.at, kind, data].to_vec()
    });
    tx.execute_each(ADD, &sets.collect::<Vec<_>>()).await
}

/// Lines of the log of a tenant's call after a place, in order.
pub async fn since(
    tx: &mut Tx,
    tenancy: &Tenancy,
    id: CallId,
    after: i64,
    limit: u32,
) -> Result<Vec<LogRow>, StoreError> {
    let sql = "SELECT l.seq, l.at, l.kind, l.data FROM call_log l JOIN calls c ON c.id = l.call_id \
               WHERE l.call_id = $1 AND l.seq > $2 AND (c.business_id = $4 AND c.mode = $5) IS TRUE ORDER BY l.seq LIMIT $3";
    let mut found = Vec::new();
    for &business in tenancy.businesses() {
        found = tx.query(sql, params![id, after, limit, business, tenancy.mode()]).await?;
        if !found.is_empty() {
            break;
        }
    }
    let rows = found.into_iter().map(|row| {
        let mut row = row.of("call_log");
        let (seq, at) = (row.next()?, row.next()?);
        let (kind, data): (String, String) = (row.next()?, row.next()?);
        Ok(LogRow { seq, at, line: read(&kind, &data)? })
    });
    rows.collect()
}

/// What was said last in a tenant's call.
pub async fn last_said(tx: &mut Tx, tenancy: &Tenancy, id: CallId) -> Result<Option<Utterance>, StoreError> {
    let sql = "SELECT l.data FROM call_log l JOIN calls c ON c.id = l.call_id WHERE l.call_id = $1 AND l.kind = 'said' \
               AND c.business_id = $2 AND c.mode = $3 ORDER BY l.seq DESC LIMIT 1";
    for &business in tenancy.businesses() {
        if let Some(row) = tx.query_one(sql, params![id, business, tenancy.mode()]).await? {
            let said =
                row.of("call_log").parse(|data| serde_json::from_str::<KeptUtterance>(data).ok()?.read())?;
            return Ok(Some(said));
        }
    }
    Ok(None)
}

/// What was measured in a call with sound.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Measured {
    /// The turns of the agent, in the order in which they were heard.
    pub turns: Vec<TurnTimes>,
    /// How the sound was, once the call is over.
    pub sound: Option<SoundQuality>,
}

/// What was measured in a tenant's call.
pub async fn measured(tx: &mut Tx, tenancy: &Tenancy, id: CallId) -> Result<Measured, StoreError> {
    let sql = "SELECT l.kind, l.data FROM call_log l JOIN calls c ON c.id = l.call_id WHERE l.call_id = $1 \
               AND l.kind IN ('turn', 'sound') AND (c.business_id = $2 AND c.mode = $3) IS TRUE ORDER BY l.seq";
    let mut measured = Measured::default();
    for &business in tenancy.businesses() {
        for row in tx.query(sql, params![id, business, tenancy.mode()]).await? {
            let mut row = row.of("call_log");
            let (kind, data): (String, String) = (row.next()?, row.next()?);
            match read(&kind, &data)? {
                Some(LogLine::Turn(times)) => measured.turns.push(*times),
                Some(LogLine::Sound(quality)) => measured.sound = Some(quality),
                _ => {}
            }
        }
    }
    Ok(measured)
}

/// Everything that was said in a call, in the order in which it began.
pub async fn utterances(tx: &mut PlatformTx, id: CallId) -> Result<Vec<Utterance>, StoreError> {
    let sql = "SELECT data FROM call_log WHERE call_id = $1 AND kind = 'said' ORDER BY seq";
    let rows =
        tx.query(sql, params![id]).await?.into_iter().map(|row| {
            row.of("call_log").parse(|data| serde_json::from_str::<KeptUtterance>(data).ok()?.read())
        });
    let mut said = rows.collect::<Result<Vec<Utterance>, _>>()?;
    said.sort_by_key(|said| said.start);
    Ok(said)
}

#[derive(Serialize, Deserialize)]
struct Accepted {
    conversation_id: String,
}

#[derive(Serialize, Deserialize)]
struct Noted {
    what: String,
    detail: String,
}

#[derive(Serialize, Deserialize)]
struct Ended {
    reason: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    talked_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Turn {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last_caller_packet_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    end_of_speech_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    first_transcript_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last_transcript_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    end_of_turn_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    first_token_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    first_sentence_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    first_audio_ms: Option<u64>,
    first_agent_packet_ms: u64,
}

impl From<&TurnTimes> for Turn {
    fn from(times: &TurnTimes) -> Self {
        Self {
            last_caller_packet_ms: times.last_caller_packet.map(millis),
            end_of_speech_ms: times.end_of_speech.map(millis),
            first_transcript_ms: times.first_transcript.map(millis),
            last_transcript_ms: times.last_transcript.map(millis),
            end_of_turn_ms: times.end_of_turn.map(millis),
            first_token_ms: times.first_token.map(millis),
            first_sentence_ms: times.first_sentence.map(millis),
            first_audio_ms: times.first_audio.map(millis),
            first_agent_packet_ms: millis(times.first_agent_packet),
        }
    }
}

impl From<Turn> for TurnTimes {
    fn from(turn: Turn) -> Self {
        let time = |millis: Option<u64>| millis.map(Duration::from_millis);
        Self {
            last_caller_packet: time(turn.last_caller_packet_ms),
            end_of_speech: time(turn.end_of_speech_ms),
            first_transcript: time(turn.first_transcript_ms),
            last_transcript: time(turn.last_transcript_ms),
            end_of_turn: time(turn.end_of_turn_ms),
            first_token: time(turn.first_token_ms),
            first_sentence: time(turn.first_sentence_ms),
            first_audio: time(turn.first_audio_ms),
            first_agent_packet: Duration::from_millis(turn.first_agent_packet_ms),
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Sound {
    mos_hundredths: u16,
    received: u64,
    loss_per_mille: u32,
    jitter_us: u64,
    delay_ms: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    round_trip_ms: Option<u64>,
    concealed: u64,
}

impl From<&SoundQuality> for Sound {
    fn from(quality: &SoundQuality) -> Self {
        Self {
            mos_hundredths: quality.mos_hundredths,
            received: quality.received,
            loss_per_mille: quality.loss_per_mille,
            jitter_us: u64::try_from(quality.jitter.as_micros()).unwrap_or(u64::MAX),
            delay_ms: millis(quality.delay),
            round_trip_ms: quality.round_trip.map(millis),
            concealed: quality.concealed,
        }
    }
}

impl From<Sound> for SoundQuality {
    fn from(sound: Sound) -> Self {
        Self {
            mos_hundredths: sound.mos_hundredths,
            received: sound.received,
            loss_per_mille: sound.loss_per_mille,
            jitter: Duration::from_micros(sound.jitter_us),
            delay: Duration::from_millis(sound.delay_ms),
            round_trip: sound.round_trip_ms.map(Duration::from_millis),
            concealed: sound.concealed,
        }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// The word for a line's kind, and the rest.
fn kept(line: &LogLine) -> (&'static str, String) {
    match line {
        LogLine::Queued => ("queued", nothing()),
        LogLine::Waiting => ("waiting", nothing()),
        LogLine::Dialing => ("dialing", nothing()),
        LogLine::Accepted { conversation_id } => {
            ("accepted", object(&Accepted { conversation_id: conversation_id.clone() }))
        }
        LogLine::Ringing => ("ringing", nothing()),
        LogLine::Answered => ("answered", nothing()),
        LogLine::Said(said) => ("said", object(&KeptUtterance::from(said))),
        LogLine::Noted { kind, detail } => {
            ("noted", object(&Noted { what: kind.clone(), detail: detail.clone() }))
        }
        LogLine::Turn(times) => ("turn", object(&Turn::from(&**times))),
        LogLine::Sound(quality) => ("sound", object(&Sound::from(quality))),
        LogLine::Talked { reason, talked } => {
            let talked_ms = Some(millis(*talked));
            ("ended", object(&Ended { reason: reason.clone(), talked_ms, error: None }))
        }
        LogLine::NotConnected { reason, code } => {
            let error = Some(code.as_str().to_owned());
            ("ended", object(&Ended { reason: reason.clone(), talked_ms: None, error }))
        }
        LogLine::Completed => ("completed", nothing()),
        LogLine::Failed => ("failed", nothing()),
    }
}

fn nothing() -> String {
    "{}".to_owned()
}

fn object(data: &impl Serialize) -> String {
    serde_json::to_string(data).expect("texts and numbers can be written as JSON")
}

/// Reads a line back; none if its kind is unknown.
fn read(kind: &str, data: &str) -> Result<Option<LogLine>, StoreError> {
    Ok(Some(match kind {
        "queued" => LogLine::Queued,
        "waiting" => LogLine::Waiting,
        "dialing" => LogLine::Dialing,
        "accepted" => LogLine::Accepted { conversation_id: read_object::<Accepted>(data)?.conversation_id },
        "ringing" => LogLine::Ringing,
        "answered" => LogLine::Answered,
        "said" => LogLine::Said(read_object::<KeptUtterance>(data)?.read().ok_or_else(broken)?),
        "noted" => {
            let Noted { what: kind, detail } = read_object(data)?;
            LogLine::Noted { kind, detail }
        }
        "turn" => LogLine::Turn(Box::new(read_object::<Turn>(data)?.into())),
        "sound" => LogLine::Sound(read_object::<Sound>(data)?.into()),
        "ended" => match read_object(data)? {
            Ended { reason, talked_ms: Some(millis), .. } => {
                LogLine::Talked { reason, talked: Duration::from_millis(millis) }
            }
            Ended { reason, error, .. } => {
                let code = error.as_deref().and_then(FailureCode::parse).ok_or_else(broken)?;
                LogLine::NotConnected { reason, code }
            }
        },
        "completed" => LogLine::Completed,
        "failed" => LogLine::Failed,
        _ => return Ok(None),
    }))
}

fn read_object<T: DeserializeOwned>(data: &str) -> Result<T, StoreError> {
    serde_json::from_str(data).map_err(|_| broken())
}

fn broken() -> StoreError {
    StoreError::corrupt("call_log", "a line that this version cannot read")
}

#[cfg(test)]
mod tests {
    use domain::call::Party;

    use super::*;

    #[test]
    fn every_line_is_kept_in_words_for_good_and_reads_back() {
        let said = Utterance {
            by: Party::Caller,
            text: "Hello \"you\"".into(),
            start: Duration::from_millis(10),
            end: Duration::from_millis(900),
            interrupted: true,
        };
        let turn = TurnTimes {
            end_of_turn: Some(Duration::from_millis(1200)),
            first_agent_packet: Duration::from_millis(1900),
            ..TurnTimes::default()
        };
        let sound = SoundQuality {
            mos_hundredths: 431,
            received: 900,
            loss_per_mille: 12,
            jitter: Duration::from_micros(2500),
            delay: Duration::from_millis(40),
            round_trip: None,
            concealed: 9,
        };
        for (line, kind, data) in [
            (LogLine::Queued, "queued", "{}"),
            (LogLine::Waiting, "waiting", "{}"),
            (LogLine::Dialing, "dialing", "{}"),
            (
                LogLine::Accepted { conversation_id: "conv-1".into() },
                "accepted",
                r#"{"conversation_id":"conv-1"}"#,
            ),
            (LogLine::Ringing, "ringing", "{}"),
            (LogLine::Answered, "answered", "{}"),
            (
                LogLine::Said(said),
                "said",
                r#"{"by":"caller","text":"Hello \"you\"","start_ms":10,"end_ms":900,"interrupted":true}"#,
            ),
            (
                LogLine::Noted { kind: "voicemail".into(), detail: String::new() },
                "noted",
                r#"{"what":"voicemail","detail":""}"#,
            ),
            (
                LogLine::Turn(Box::new(turn)),
                "turn",
                r#"{"end_of_turn_ms":1200,"first_agent_packet_ms":1900}"#,
            ),
            (
                LogLine::Sound(sound),
                "sound",
                r#"{"mos_hundredths":431,"received":900,"loss_per_mille":12,"jitter_us":2500,"delay_ms":40,"concealed":9}"#,
            ),
            (
                LogLine::Talked { reason: "silence".into(), talked: Duration::from_millis(2500) },
                "ended",
                r#"{"reason":"silence","talked_ms":2500}"#,
            ),
            (
                LogLine::NotConnected { reason: "busy".into(), code: FailureCode::Busy },
                "ended",
                r#"{"reason":"busy","error":"busy"}"#,
            ),
            (LogLine::Completed, "completed", "{}"),
            (LogLine::Failed, "failed", "{}"),
        ] {
            assert_eq!(kept(&line), (kind, data.to_owned()));
            assert_eq!(read(kind, data), Ok(Some(line)));
        }
    }

    #[test]
    fn a_line_of_a_newer_version_is_no_fault_but_a_broken_one_is() {
        assert_eq!(read("transferred", r#"{"to":"desk"}"#), Ok(None));
        assert_eq!(read("said", "{}"), Err(broken()));
        assert_eq!(read("ended", r#"{"reason":"busy"}"#), Err(broken()));
    }
}
