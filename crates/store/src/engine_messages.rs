//! Messages of engines that run elsewhere, without their secrets: what tells a repetition from news, and the raw material when
//! somebody asks what an engine said.

use domain::engine::KeptMessage;
use domain::{CallId, Timestamp};

use crate::StoreError;
use crate::table::{table, text};
use crate::tx::{PlatformTx, params};

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
    /// The message as JSON, without secrets.
    pub body: String,
    pub received_at: Timestamp,
}

table! {
    /// Messages of engines. Engine, conversation and key together make a message one of a kind.
    Messages = "engine_messages" as "m", (message: &NewMessage) -> KeptMessage
    key {}
    fixed { kind, body }
    unread { engine = message.engine, conversation_id, key, call_id, received_at }
}

/// Keeps a message; false if it is a repetition.
pub async fn insert(tx: &mut PlatformTx, message: &NewMessage) -> Result<bool, StoreError> {
    const INSERT: &str = text!(Messages::INSERT, " ON CONFLICT (engine, conversation_id, key) DO NOTHING");
    Ok(tx.execute(INSERT, &Messages::inserted(message)).await? > 0)
}

/// Everything that an engine said about a call, oldest first.
pub async fn of_call(tx: &mut PlatformTx, call: CallId) -> Result<Vec<KeptMessage>, StoreError> {
    const SQL: &str = text!(
        "SELECT ",
        Messages::COLUMNS,
        " FROM engine_messages m WHERE m.call_id = $1 ORDER BY m.received_at, m.key"
    );
    tx.query(SQL, params![call]).await?.into_iter().map(Messages::read).collect()
}

/// Throws away what came before then.
pub async fn purge(tx: &mut PlatformTx, before: Timestamp, most: u32) -> Result<u64, StoreError> {
    let sql = "DELETE FROM engine_messages WHERE (engine, conversation_id, key) IN \
               (SELECT engine, conversation_id, key FROM engine_messages WHERE received_at < $1 ORDER BY received_at LIMIT $2)";
    tx.execute(sql, params![before, most]).await
}
