//! What is forgotten of calls once they have been over for as long as the settings say.
//!
//! Calls are walked along their key, a few at a time: every look is short, needs no index of its own, and finds nothing to write for calls
//! of which everything has been forgotten already.

use domain::{CallId, Timestamp};
use uuid::Uuid;

use crate::StoreError;
use crate::tx::{PlatformTx, params};

/// What there is of a call that may be forgotten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remains {
    pub call_id: CallId,
    /// When the call ended; nothing is forgotten of one that has not.
    pub finished_at: Option<Timestamp>,
    /// Where its recording lies in the folder.
    pub recording_key: Option<String>,
    /// True if what was said is kept.
    pub has_words: bool,
    /// True if its log has lines.
    pub has_log: bool,
}

/// The calls that follow after this one, in the order of their ids.
pub async fn calls_after(tx: &mut PlatformTx, after: CallId, most: u32) -> Result<Vec<Remains>, StoreError> {
    let sql = "SELECT c.id, c.finished_at, c.recording_key, \
               (SELECT count(*) FROM transcripts t WHERE t.call_id = c.id) \
               + (SELECT count(*) FROM findings f WHERE f.call_id = c.id) \
               + (SELECT count(*) FROM call_log l WHERE l.call_id = c.id AND l.kind = 'said'), \
               (SELECT count(*) FROM call_log l WHERE l.call_id = c.id) \
               FROM calls c WHERE c.id > $1 ORDER BY c.id LIMIT $2";
    let mut calls = Vec::new();
    for row in tx.query(sql, params![after, most]).await? {
        let mut row = row.of("calls");
        let (call_id, finished_at, recording_key) = (row.next()?, row.next()?, row.next()?);
        let (words, lines): (u64, u64) = (row.next()?, row.next()?);
        calls.push(Remains { call_id, finished_at, recording_key, has_words: words > 0, has_log: lines > 0 });
    }
    Ok(calls)
}

/// Forgets that there was a recording of a call. Its file is the caller's.
pub async fn forget_recording(tx: &mut PlatformTx, call: CallId) -> Result<(), StoreError> {
    let sql = "UPDATE calls SET recording_key = NULL, recording_type = NULL, recording_duration_ms = NULL WHERE id = $1";
    tx.execute(sql, params![call]).await.map(drop)
}

/// Forgets what was said in a call, wherever it is kept word for word.
pub async fn forget_words(tx: &mut PlatformTx, call: CallId) -> Result<(), StoreError> {
    for sql in [
        "DELETE FROM transcripts WHERE call_id = $1",
        "DELETE FROM findings WHERE call_id = $1",
        "DELETE FROM call_log WHERE call_id = $1 AND kind = 'said'",
    ] {
        tx.execute(sql, params![call]).await?;
    }
    Ok(())
}

/// Forgets the log of a call.
pub async fn forget_log(tx: &mut PlatformTx, call: CallId) -> Result<(), StoreError> {
    tx.execute("DELETE FROM call_log WHERE call_id = $1", params![call]).await.map(drop)
}

/// Forgets a slice of the requests of before then; tells how many. The id of a request begins with its time, or with that of its key where a
/// key was refused, which is earlier still: so what is to go stands before the first id of `before`, and nothing behind it is looked at.
pub async fn purge_requests(tx: &mut PlatformTx, before: Timestamp, most: u32) -> Result<u64, StoreError> {
    let sql = "DELETE FROM usage_log WHERE id IN \
               (SELECT id FROM usage_log WHERE id < $3 AND created_at < $1 ORDER BY id LIMIT $2)";
    // RFC 9562, section 5.7: the first 48 bits are milliseconds since 1970.
    let millis = u128::try_from(before.as_millisecond()).unwrap_or_default();
    tx.execute(sql, params![before, most, Uuid::from_u128(millis << 80)]).await
}
