//! What each engine holds of our agents: its id of the agent, the version it holds, who changes it there, and what is about to be made.
//!
//! The previous release knows one such engine and keeps its ids in `agents.vapi_assistant_id`. While both run on one database that
//! column is written along with the row, and read where there is no row.

use domain::agent::Agent;
use domain::{AgentId, NodeId, Timestamp};

use crate::StoreError;
use crate::agents::{COLUMNS, read_columns};
use crate::table::text;
use crate::tx::{PlatformTx, Row, params};

/// An agent at an engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldAgent {
    pub engine: String,
    /// Id that the engine gave it.
    pub external_id: String,
}

/// Where an agent is held, by the names of the engines.
pub async fn held(tx: &mut PlatformTx, agent: AgentId) -> Result<Vec<HeldAgent>, StoreError> {
    let sql = "SELECT engine, external_id FROM engine_agents \
               WHERE agent_id = $1 AND external_id IS NOT NULL ORDER BY engine";
    let read = |row: Row| {
        let mut row = row.of("engine_agents");
        Ok(HeldAgent { engine: row.next()?, external_id: row.next()? })
    };
    tx.query(sql, params![agent]).await?.into_iter().map(read).collect()
}

/// What an engine calls an agent, if it holds it in whatever version.
pub async fn external_id(
    tx: &mut PlatformTx,
    agent: AgentId,
    engine: &str,
) -> Result<Option<String>, StoreError> {
    let sql = "SELECT coalesce(k.external_id, CASE WHEN $2 = 'vapi' THEN a.vapi_assistant_id END) FROM agents a \
               LEFT JOIN engine_agents k ON k.agent_id = a.id AND k.engine = $2 WHERE a.id = $1";
    let found = tx.query_one(sql, params![agent, engine]).await?;
    found.map_or(Ok(None), |row| row.of("engine_agents").next())
}

/// The same, if the engine holds the agent as it is now.
pub async fn prepared(
    tx: &mut PlatformTx,
    agent: AgentId,
    engine: &str,
) -> Result<Option<String>, StoreError> {
    let sql = "SELECT k.external_id FROM engine_agents k JOIN agents a ON a.id = k.agent_id \
               WHERE k.agent_id = $1 AND k.engine = $2 AND k.external_id IS NOT NULL AND k.version = a.version";
    let found = tx.query_one(sql, params![agent, engine]).await?;
    found.map(|row| row.of("engine_agents").next()).transpose()
}

/// Keeps everybody else from changing an agent at an engine until then; false if somebody does so already, or if there is no such
/// agent. From here on it is not certain what the engine holds.
pub async fn occupy(
    tx: &mut PlatformTx,
    agent: AgentId,
    engine: &str,
    now: Timestamp,
    until: Timestamp,
) -> Result<bool, StoreError> {
    tx.execute(
        "INSERT INTO engine_agents (agent_id, engine, external_id) \
         SELECT a.id, $2, CASE WHEN $2 = 'vapi' THEN a.vapi_assistant_id END FROM agents a WHERE a.id = $1 \
         ON CONFLICT (agent_id, engine) DO NOTHING",
        params![agent, engine],
    )
    .await?;
    let sql = "UPDATE engine_agents SET busy_until = $4, version = NULL \
               WHERE agent_id = $1 AND engine = $2 AND (busy_until IS NULL OR busy_until <= $3)";
    Ok(tx.execute(sql, params![agent, engine, now, until]).await? > 0)
}

/// Lets others change the agent at the engine again. `version` is what the engine is known to hold.
pub async fn release(
    tx: &mut PlatformTx,
    agent: AgentId,
    engine: &str,
    version: Option<u32>,
) -> Result<(), StoreError> {
    let sql = "UPDATE engine_agents SET busy_until = NULL, version = $3 WHERE agent_id = $1 AND engine = $2";
    tx.execute(sql, params![agent, engine, version]).await?;
    Ok(())
}

/// Notes what an engine calls an agent, and that the agent is no longer only about to be made there.
pub async fn keep(
    tx: &mut PlatformTx,
    agent: AgentId,
    engine: &str,
    external_id: &str,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO engine_agents (agent_id, engine, external_id) VALUES ($1, $2, $3) \
         ON CONFLICT (agent_id, engine) DO UPDATE SET external_id = excluded.external_id, intent_node = NULL, intent_at = NULL",
        params![agent, engine, external_id],
    )
    .await?;
    let for_the_previous_release = "UPDATE agents SET vapi_assistant_id = $3 WHERE id = $1 AND $2 = 'vapi'";
    tx.execute(for_the_previous_release, params![agent, engine, external_id]).await?;
    Ok(())
}

/// Agents of which an engine may hold something else than we do, and that nobody is changing there.
pub async fn to_prepare(
    tx: &mut PlatformTx,
    engine: &str,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<Agent>, StoreError> {
    const SQL: &str = text!(
        "SELECT ",
        COLUMNS,
        " FROM engine_agents k JOIN agents a ON a.id = k.agent_id \
         WHERE k.engine = $1 AND k.external_id IS NOT NULL AND (k.version IS NULL OR k.version <> a.version) \
         AND (k.busy_until IS NULL OR k.busy_until <= $2) ORDER BY a.updated_at LIMIT $3"
    );
    let read = |row: Row| read_columns(&mut row.of("agents"));
    tx.query(SQL, params![engine, now, limit]).await?.into_iter().map(read).collect()
}

/// Agents that answer a number which this engine brings calls of, and that it has never been given. `default` is the engine of
/// numbers and agents that name none.
pub async fn answering_unprepared(
    tx: &mut PlatformTx,
    engine: &str,
    default: &str,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<Agent>, StoreError> {
    const SQL: &str = text!(
        "SELECT ",
        COLUMNS,
        " FROM agents a LEFT JOIN engine_agents k ON k.agent_id = a.id AND k.engine = $1 \
         WHERE k.external_id IS NULL AND (k.busy_until IS NULL OR k.busy_until <= $3) \
         AND EXISTS (SELECT 1 FROM numbers n WHERE n.agent_id = a.id AND coalesce(n.engine, a.engine, $2) = $1) \
         ORDER BY a.updated_at LIMIT $4"
    );
    let read = |row: Row| read_columns(&mut row.of("agents"));
    tx.query(SQL, params![engine, default, now, limit]).await?.into_iter().map(read).collect()
}

/// All agents that an engine keeps, with its ids of them.
pub async fn kept(tx: &mut PlatformTx, engine: &str) -> Result<Vec<(AgentId, String)>, StoreError> {
    let sql = "SELECT agent_id, external_id FROM engine_agents \
               WHERE engine = $1 AND external_id IS NOT NULL ORDER BY agent_id";
    let read = |row: Row| {
        let mut row = row.of("engine_agents");
        Ok((row.next()?, row.next()?))
    };
    tx.query(sql, params![engine]).await?.into_iter().map(read).collect()
}

/// What an engine holds of an agent is no longer certain.
pub async fn doubt(tx: &mut PlatformTx, agent: AgentId, engine: &str) -> Result<(), StoreError> {
    let sql = "UPDATE engine_agents SET version = NULL WHERE agent_id = $1 AND engine = $2";
    tx.execute(sql, params![agent, engine]).await?;
    Ok(())
}

/// An agent that may exist at an engine and not here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    pub agent_id: AgentId,
    /// Time from which it counts.
    pub begun_at: Timestamp,
}

/// Notes that an agent is about to be made at an engine.
pub async fn intend(
    tx: &mut PlatformTx,
    agent: AgentId,
    engine: &str,
    node: NodeId,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO engine_agents (agent_id, engine, intent_node, intent_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (agent_id, engine) DO UPDATE SET intent_node = excluded.intent_node, \
         intent_at = coalesce(engine_agents.intent_at, excluded.intent_at)",
        params![agent, engine, node, now],
    )
    .await?;
    Ok(())
}

/// Forgets an intent: the agent exists on both sides, or on neither.
pub async fn settle_intent(tx: &mut PlatformTx, agent: AgentId, engine: &str) -> Result<(), StoreError> {
    let sql =
        "UPDATE engine_agents SET intent_node = NULL, intent_at = NULL WHERE agent_id = $1 AND engine = $2";
    tx.execute(sql, params![agent, engine]).await?;
    // What is neither held nor being changed nor about to be made says nothing.
    let sql = "DELETE FROM engine_agents WHERE agent_id = $1 AND engine = $2 AND external_id IS NULL AND busy_until IS NULL";
    tx.execute(sql, params![agent, engine]).await?;
    Ok(())
}

/// Intents at an engine of processes that have died, and those begun before then.
pub async fn stale_intents(
    tx: &mut PlatformTx,
    engine: &str,
    now: Timestamp,
    before: Timestamp,
    limit: u32,
) -> Result<Vec<Intent>, StoreError> {
    let sql = "SELECT i.agent_id, i.intent_at FROM engine_agents i WHERE i.engine = $1 AND i.intent_at IS NOT NULL \
               AND (i.intent_at < $3 OR NOT EXISTS \
               (SELECT 1 FROM nodes n WHERE n.id = i.intent_node AND n.lease_until > $2)) \
               ORDER BY i.intent_at LIMIT $4";
    let read = |row: Row| {
        let mut row = row.of("engine_agents");
        Ok(Intent { agent_id: row.next()?, begun_at: row.next()? })
    };
    tx.query(sql, params![engine, now, before, limit]).await?.into_iter().map(read).collect()
}
