//! Messages of engines that run elsewhere, without their secrets: what tells a repetition from news, and the raw material when
//! somebody asks what an engine said.

use domain::engine::KeptMessage;
use domain::{CallId, Timestamp};

use crate::StoreError;
use crate::tx::{PlatformTx, Row, params};

/// A message to keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMessage {
    /// Which engine sent it.
    pub engine: &'static str,
    /// The engine's id of the call.
    pub conversation_id: String,
    /// Key by which a repeated message is recognised.
    pub key: String,
    pub call_id: CallId,
    /// Its type, in the engine's words.
    pub kind: String,
    /// JSON without secrets.
    pub body: String,
    pub received_at: Timestamp,
}

/// Keeps a message; false if it is a repetition.
pub async fn insert(tx: &mut PlatformTx, message: &NewMessage) -> Result<bool, StoreError> {
    let added = tx
        .execute(
            "INSERT INTO engine_messages (engine, conversation_id, key, call_id, kind, body, received_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (engine, conversation_id, key) DO NOTHING",
            params![
                message.engine,
                message.conversation_id.as_str(),
                message.key.as_str(),
                message.call_id,
                message.kind.as_str(),
                message.body.as_str(),
                message.received_at,
            ],
        )
        .await?;
    Ok(added > 0)
}

/// Everything that an engine said about a call, oldest first.
pub async fn of_call(tx: &mut PlatformTx, call: CallId) -> Result<Vec<KeptMessage>, StoreError> {
    let sql = "SELECT kind, body FROM engine_messages WHERE call_id = $1 ORDER BY received_at, key";
    let read = |row: Row| {
        let mut row = row.of("engine_messages");
        Ok(KeptMessage { kind: row.next()?, body: row.next()? })
    };
    tx.query(sql, params![call]).await?.into_iter().map(read).collect()
}

/// Throws away what came before then.
pub async fn purge(tx: &mut PlatformTx, before: Timestamp, most: u32) -> Result<u64, StoreError> {
    let sql = "DELETE FROM engine_messages WHERE (engine, conversation_id, key) IN \
               (SELECT engine, conversation_id, key FROM engine_messages WHERE received_at < $1 ORDER BY received_at LIMIT $2)";
    tx.execute(sql, params![before, most]).await
}
