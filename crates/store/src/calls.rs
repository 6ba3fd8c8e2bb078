//! Calls.
//!
//! `heard_at` is when something last happened in a call on its engine's clock; the watchdog and the end of a lost call go by it.

use std::time::Duration;

use domain::call::{CallState, Direction, FailureCode, Outcome};
use domain::{AgentId, BusinessId, CallId, E164, LeadId, Mode, NodeId, Timestamp};

use crate::page::{Conditions, ListQuery, list as list_page};
use crate::tx::{Param, PlatformTx, Row, Tx, params};
use crate::{Listed, Page, StoreError, Tenancy};

/// A call as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Its id.
    pub id: CallId,
    /// Its tenant.
    pub business_id: BusinessId,
    /// Live or test.
    pub mode: Mode,
    /// Who talks for the business.
    pub agent_id: AgentId,
    /// Which way it goes.
    pub direction: Direction,
    /// Who is called.
    pub to: E164,
    /// Who calls.
    pub from: Option<E164>,
    /// The other party's name, as the request gave it.
    pub name: Option<String>,
    /// What the agent should know.
    pub context: Option<String>,
    /// The opening line, if it is not the agent's own.
    pub first_message: Option<String>,
    /// The lead that it belongs to.
    pub lead_id: Option<LeadId>,
    /// Where its end is reported.
    pub webhook_url: Option<String>,
    /// Longest talk in seconds.
    pub max_duration_s: u32,
    /// Which engine makes it.
    pub engine: String,
    /// The process whose engine runs it.
    pub node_id: Option<NodeId>,
    /// The engine's own id.
    pub conversation_id: Option<String>,
    /// Where it is in its life.
    pub state: CallState,
    /// When the phone began to ring.
    pub ringing_at: Option<Timestamp>,
    /// When the talk, or the attempt, ended.
    pub ended_at: Option<Timestamp>,
    /// The engine's word for why.
    pub ended_reason: Option<String>,
    /// What it cost.
    pub cost_cents: u32,
    /// What was said, in a few sentences.
    pub summary: Option<String>,
    /// Professionalism, empathy, information gathering, resolution; 0 to 100 each.
    pub quality: Option<[u8; 4]>,
    /// Who wrote summary and marks.
    pub analyst: Option<String>,
    /// Where the recording lies.
    pub recording_key: Option<String>,
    /// Its media type.
    pub recording_type: Option<String>,
    /// Its length.
    pub recording_duration_ms: Option<u64>,
    /// Why it was allowed.
    pub policy_reason: String,
    /// Why the engine refused it, in words for the user.
    pub refusal: Option<String>,
    /// When it came into being.
    pub created_at: Timestamp,
    /// When it turned final.
    pub finished_at: Option<Timestamp>,
}

impl Call {
    /// The person at the other end.
    pub fn other_party(&self) -> Option<&E164> {
        match self.direction {
            Direction::Outbound => Some(&self.to),
            Direction::Inbound => self.from.as_ref(),
        }
    }
}

/// A call with the name of its agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallView {
    /// The call.
    pub call: Call,
    /// The agent's name.
    pub agent_name: String,
}

/// Which calls a list shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallFilter {
    /// Only this business's.
    pub business_id: Option<BusinessId>,
    /// Only this agent's.
    pub agent_id: Option<AgentId>,
    /// Only in one of these states, in the words of [`CallState::as_str`].
    pub statuses: Option<Vec<&'static str>>,
    /// Only this way.
    pub direction: Option<Direction>,
    /// Only with this lead.
    pub lead_id: Option<LeadId>,
}

const COLUMNS: &str = "c.id, c.business_id, c.mode, c.agent_id, c.direction, c.to_number, c.from_number, c.name, c.context, \
                       c.first_message, c.lead_id, c.webhook_url, c.max_duration_s, c.engine, c.node_id, c.conversation_id, \
                       c.state, c.answered_at, c.talked_ms, c.wrap_up_until, c.failure, c.ringing_at, c.ended_at, \
                       c.ended_reason, c.cost_cents, c.summary, c.quality, c.analyst, c.recording_key, c.recording_type, \
                       c.recording_duration_ms, c.policy_reason, c.refusal, c.created_at, c.finished_at";

fn read_columns(row: &mut Row) -> Result<Call, StoreError> {
    let number = |text: &str| E164::parse(text).ok();
    Ok(Call {
        id: row.next()?,
        business_id: row.next()?,
        mode: row.parse(Mode::parse)?,
        agent_id: row.next()?,
        direction: row.parse(Direction::parse)?,
        to: row.parse(number)?,
        from: row.parse_option(number)?,
        name: row.next()?,
        context: row.next()?,
        first_message: row.next()?,
        lead_id: row.next()?,
        webhook_url: row.next()?,
        max_duration_s: row.next()?,
        engine: row.next()?,
        node_id: row.next()?,
        conversation_id: row.next()?,
        state: read_state(row)?,
        ringing_at: row.next()?,
        ended_at: row.next()?,
        ended_reason: row.next()?,
        cost_cents: row.next()?,
        summary: row.next()?,
        quality: row.parse_option(marks_from_text)?,
        analyst: row.next()?,
        recording_key: row.next()?,
        recording_type: row.next()?,
        recording_duration_ms: row.next()?,
        policy_reason: row.next()?,
        refusal: row.next()?,
        created_at: row.next()?,
        finished_at: row.next()?,
    })
}

fn read(row: Row) -> Result<Call, StoreError> {
    read_columns(&mut row.of("calls"))
}

fn read_view(row: Row) -> Result<CallView, StoreError> {
    let mut row = row.of("calls");
    Ok(CallView { call: read_columns(&mut row)?, agent_name: row.next()? })
}

fn read_state(row: &mut Row) -> Result<CallState, StoreError> {
    let word: String = row.next()?;
    let answered_at: Option<Timestamp> = row.next()?;
    let talked = row.next::<Option<u64>>()?.map(Duration::from_millis);
    let until: Option<Timestamp> = row.next()?;
    let failure = row.parse_option(FailureCode::parse)?;
    let state = match (word.as_str(), answered_at, talked, until, failure) {
        ("queued", ..) => Some(CallState::Queued),
        ("dialing", ..) => Some(CallState::Dialing),
        ("ringing", ..) => Some(CallState::Ringing),
        ("in_progress", Some(answered_at), ..) => Some(CallState::InProgress { answered_at }),
        ("wrapping_up", Some(answered_at), Some(talked), Some(until), _) => {
            Some(CallState::WrappingUp { answered_at, talked, until })
        }
        ("completed", _, Some(talked), ..) => Some(CallState::Ended(Outcome::Completed { talked })),
        ("failed", .., Some(code)) => Some(CallState::Ended(Outcome::Failed(code))),
        _ => None,
    };
    state.ok_or_else(|| StoreError::corrupt("calls", format!("the state `{word}` lacks something")))
}

/// The five columns that a state is stored in. Of a final state the time of the answer is kept as it was.
fn state_columns(state: CallState) -> [Param; 5] {
    let none = || Param::Null;
    let millis = |time: Duration| Param::from(u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
    let word = Param::from(state.as_str());
    match state {
        CallState::Queued | CallState::Dialing | CallState::Ringing => [word, none(), none(), none(), none()],
        CallState::InProgress { answered_at } => [word, answered_at.into(), none(), none(), none()],
        CallState::WrappingUp { answered_at, talked, until } => {
            [word, answered_at.into(), millis(talked), until.into(), none()]
        }
        CallState::Ended(Outcome::Completed { talked }) => [word, none(), millis(talked), none(), none()],
        CallState::Ended(Outcome::Failed(code)) => [word, none(), none(), none(), code.as_str().into()],
    }
}

fn marks_to_text(marks: [u8; 4]) -> String {
    marks.map(|mark| mark.to_string()).join(",")
}

fn marks_from_text(text: &str) -> Option<[u8; 4]> {
    let marks: Vec<u8> = text.split(',').map(|mark| mark.parse().ok()).collect::<Option<_>>()?;
    marks.try_into().ok()
}

/// Stores a new call.
pub async fn insert(tx: &mut PlatformTx, call: &Call) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO calls (id, business_id, mode, agent_id, direction, to_number, from_number, name, context, \
         first_message, lead_id, webhook_url, max_duration_s, engine, node_id, state, cost_cents, policy_reason, heard_at, \
         created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $19)",
        params![
            call.id,
            call.business_id,
            call.mode.as_str(),
            call.agent_id,
            call.direction.as_str(),
            call.to.as_str(),
            call.from.as_ref().map(E164::as_str),
            call.name.as_deref(),
            call.context.as_deref(),
            call.first_message.as_deref(),
            call.lead_id,
            call.webhook_url.as_deref(),
            call.max_duration_s,
            call.engine.as_str(),
            call.node_id,
            call.state.as_str(),
            call.cost_cents,
            call.policy_reason.as_str(),
            call.created_at,
        ],
    )
    .await?;
    Ok(())
}

/// Stores everything about a call that can change.
pub async fn update(tx: &mut PlatformTx, call: &Call) -> Result<(), StoreError> {
    let mut values = params![call.id, call.node_id, call.conversation_id.as_deref(), call.lead_id].to_vec();
    values.extend(state_columns(call.state));
    values.extend_from_slice(params![
        call.ringing_at,
        call.ended_at,
        call.ended_reason.as_deref(),
        call.cost_cents,
        call.summary.as_deref(),
        call.quality.map(marks_to_text),
        call.analyst.as_deref(),
        call.recording_key.as_deref(),
        call.recording_type.as_deref(),
        call.recording_duration_ms,
        call.refusal.as_deref(),
        call.finished_at,
    ]);
    tx.execute(
        "UPDATE calls SET node_id = $2, conversation_id = $3, lead_id = $4, state = $5, \
         answered_at = coalesce($6, answered_at), talked_ms = $7, wrap_up_until = $8, failure = $9, ringing_at = $10, \
         ended_at = $11, ended_reason = $12, cost_cents = $13, summary = $14, quality = $15, analyst = $16, \
         recording_key = $17, recording_type = $18, recording_duration_ms = $19, refusal = $20, finished_at = $21 \
         WHERE id = $1",
        &values,
    )
    .await?;
    Ok(())
}

/// One call.
pub async fn get(tx: &mut Tx, tenancy: &Tenancy, id: CallId) -> Result<Option<CallView>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS}, a.name FROM calls c JOIN agents a ON a.id = c.agent_id WHERE c.id = $1 AND c.business_id = $2 AND c.mode = $3"
    );
    for &business in tenancy.businesses() {
        if let Some(row) = tx.query_one(&sql, params![id, business, tenancy.mode()]).await? {
            return read_view(row).map(Some);
        }
    }
    Ok(None)
}

/// One call, by what its engine calls it.
pub async fn by_conversation(
    tx: &mut Tx,
    tenancy: &Tenancy,
    name: &str,
) -> Result<Option<CallView>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS}, a.name FROM calls c JOIN agents a ON a.id = c.agent_id \
         WHERE c.conversation_id = $1 AND c.business_id = $2 AND c.mode = $3"
    );
    for &business in tenancy.businesses() {
        if let Some(row) = tx.query_one(&sql, params![name, business, tenancy.mode()]).await? {
            return read_view(row).map(Some);
        }
    }
    Ok(None)
}

/// The call that an engine calls so, whoever it belongs to. For messages of engines.
pub async fn of_engine(tx: &mut PlatformTx, engine: &str, name: &str) -> Result<Option<Call>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM calls c WHERE c.conversation_id = $1 AND c.engine = $2");
    tx.query_one(&sql, params![name, engine]).await?.map(read).transpose()
}

/// Stores an incoming call, unless its engine has brought it before; false if so.
pub async fn insert_incoming(tx: &mut PlatformTx, call: &Call) -> Result<bool, StoreError> {
    let Some(conversation) = &call.conversation_id else {
        return Err(StoreError::Conflict("an incoming call without its engine's id".to_owned()));
    };
    let sql = "INSERT INTO calls (id, business_id, mode, agent_id, direction, to_number, from_number, lead_id, \
               max_duration_s, engine, node_id, conversation_id, state, ringing_at, cost_cents, policy_reason, heard_at, \
               created_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $17) \
               ON CONFLICT (engine, conversation_id) WHERE direction = 'inbound' AND conversation_id IS NOT NULL DO NOTHING";
    let added = tx
        .execute(
            sql,
            params![
                call.id,
                call.business_id,
                call.mode.as_str(),
                call.agent_id,
                call.direction.as_str(),
                call.to.as_str(),
                call.from.as_ref().map(E164::as_str),
                call.lead_id,
                call.max_duration_s,
                call.engine.as_str(),
                call.node_id,
                conversation.as_str(),
                call.state.as_str(),
                call.ringing_at,
                call.cost_cents,
                call.policy_reason.as_str(),
                call.created_at,
            ],
        )
        .await?;
    Ok(added > 0)
}

/// One call whoever it belongs to. For the platform itself: jobs and reports of engines.
pub async fn by_id(tx: &mut PlatformTx, id: CallId) -> Result<Option<Call>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM calls c WHERE c.id = $1");
    tx.query_one(&sql, params![id]).await?.map(read).transpose()
}

/// The same, and nobody else changes the call until the transaction ends.
pub async fn lock(tx: &mut PlatformTx, id: CallId) -> Result<Option<Call>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM calls c WHERE c.id = $1 {{for_update}}");
    tx.query_one(&sql, params![id]).await?.map(read).transpose()
}

/// Calls, newest first.
pub async fn list(
    tx: &mut Tx,
    tenancy: &Tenancy,
    filter: &CallFilter,
    page: &Page,
) -> Result<Listed<CallView>, StoreError> {
    let select = format!("SELECT {COLUMNS}, a.name FROM calls c JOIN agents a ON a.id = c.agent_id");
    let query = ListQuery { select: &select, business: "c.business_id", time: "c.created_at", id: "c.id" };
    let narrow = |conditions: &mut Conditions| {
        conditions.and("c.mode", "=", tenancy.mode().as_str());
        conditions.and_if("c.agent_id", "=", filter.agent_id);
        conditions.and_if("c.lead_id", "=", filter.lead_id);
        conditions.and_if("c.direction", "=", filter.direction.map(Direction::as_str));
        if let Some(statuses) = &filter.statuses {
            let words: Vec<String> = statuses.iter().map(|&word| word.to_owned()).collect();
            conditions.and_in("c.state", &words);
            if !words.iter().any(|word| word == "completed" || word == "failed") {
                // Running calls are few and have an index of their own.
                conditions.and_text("c.finished_at IS NULL");
            }
        }
    };
    let created_at = |view: &CallView| view.call.created_at;
    list_page(tx, query, &tenancy.scope(filter.business_id), page, narrow, read_view, created_at).await
}

/// How many calls of the tenant run now.
pub async fn count_running(tx: &mut Tx, tenancy: &Tenancy) -> Result<u64, StoreError> {
    let mut running = 0;
    for &business in tenancy.businesses() {
        let sql = "SELECT count(*) FROM calls WHERE business_id = $1 AND mode = $2 AND finished_at IS NULL";
        let row = tx.query_one(sql, params![business, tenancy.mode().as_str()]).await?;
        running += row.map_or(Ok(0), |mut row| row.next::<u64>())?;
    }
    Ok(running)
}

/// When something last happened in a call, on its engine's clock.
pub async fn last_heard(tx: &mut PlatformTx, id: CallId) -> Result<Option<Timestamp>, StoreError> {
    tx.query_one("SELECT heard_at FROM calls WHERE id = $1", params![id])
        .await?
        .map(|mut row| row.next())
        .transpose()
}

/// Calls that were being made by processes that have died.
pub async fn running_of_lost_nodes(
    tx: &mut PlatformTx,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<Call>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM calls c WHERE c.finished_at IS NULL AND c.node_id IS NOT NULL \
         AND c.state IN ('dialing', 'ringing', 'in_progress') \
         AND NOT EXISTS (SELECT 1 FROM nodes n WHERE n.id = c.node_id AND n.lease_until > $1) \
         ORDER BY c.created_at LIMIT $2"
    );
    tx.query(&sql, params![now, limit]).await?.into_iter().map(read).collect()
}

/// Calls in progress of which nothing has been heard since.
pub async fn running_silent_since(
    tx: &mut PlatformTx,
    before: Timestamp,
    limit: u32,
) -> Result<Vec<Call>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM calls c WHERE c.finished_at IS NULL AND c.state IN ('ringing', 'in_progress') \
         AND c.check_at IS NULL AND c.heard_at < $1 ORDER BY c.created_at LIMIT $2"
    );
    tx.query(&sql, params![before, limit]).await?.into_iter().map(read).collect()
}

/// How many calls an engine is making.
pub async fn count_on_engine(tx: &mut PlatformTx, engine: &str) -> Result<u64, StoreError> {
    let sql = "SELECT count(*) FROM calls WHERE finished_at IS NULL AND mode = 'live' AND engine = $1 \
               AND state IN ('dialing', 'ringing', 'in_progress') AND end_seen_at IS NULL";
    let row = tx.query_one(sql, params![engine]).await?;
    row.map_or(Ok(0), |row| row.of("calls").next())
}

/// How many calls are not final, by the engine that they were admitted to.
pub async fn unfinished_by_engine(tx: &mut PlatformTx) -> Result<Vec<(String, u64)>, StoreError> {
    let sql = "SELECT engine, count(*) FROM calls WHERE finished_at IS NULL GROUP BY engine ORDER BY engine";
    let read = |row: Row| {
        let mut row = row.of("calls");
        Ok((row.next()?, row.next()?))
    };
    tx.query(sql, &[]).await?.into_iter().map(read).collect()
}

/// A running call that its engine is to be asked after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToCheck {
    /// The call.
    pub call: Call,
    /// Since when it has been known that the talk is over.
    pub end_seen_at: Option<Timestamp>,
}

/// Running calls whose engines are to be asked after them by now, longest due first.
pub async fn to_check(tx: &mut PlatformTx, now: Timestamp, limit: u32) -> Result<Vec<ToCheck>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS}, c.end_seen_at FROM calls c WHERE c.check_at <= $1 AND c.check_at IS NOT NULL \
         AND c.finished_at IS NULL AND c.state <> 'wrapping_up' ORDER BY c.check_at LIMIT $2"
    );
    let read = |row: Row| {
        let mut row = row.of("calls");
        Ok(ToCheck { call: read_columns(&mut row)?, end_seen_at: row.next()? })
    };
    tx.query(&sql, params![now, limit]).await?.into_iter().map(read).collect()
}

/// Sets when the engine is to be asked after a call next.
pub async fn check_at(tx: &mut PlatformTx, id: CallId, at: Timestamp) -> Result<(), StoreError> {
    tx.execute("UPDATE calls SET check_at = $2 WHERE id = $1", params![id, at]).await?;
    Ok(())
}

/// Notes that the talk is over although its end has not been told yet. The first time counts.
pub async fn end_seen(tx: &mut PlatformTx, id: CallId, at: Timestamp) -> Result<(), StoreError> {
    let sql = "UPDATE calls SET end_seen_at = coalesce(end_seen_at, $2) WHERE id = $1";
    tx.execute(sql, params![id, at]).await?;
    Ok(())
}

/// Calls that an engine was asked for before then and of which nothing has been heard.
pub async fn dialing_since(
    tx: &mut PlatformTx,
    before: Timestamp,
    limit: u32,
) -> Result<Vec<Call>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM calls c WHERE c.finished_at IS NULL AND c.state = 'dialing' AND c.check_at IS NULL \
         AND c.heard_at < $1 \
         ORDER BY c.created_at LIMIT $2"
    );
    tx.query(&sql, params![before, limit]).await?.into_iter().map(read).collect()
}

/// Calls whose wrap-up should have ended before then.
pub async fn wrapping_up_overdue(
    tx: &mut PlatformTx,
    before: Timestamp,
    limit: u32,
) -> Result<Vec<Call>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM calls c WHERE c.finished_at IS NULL AND c.state = 'wrapping_up' AND c.wrap_up_until < $1 \
         ORDER BY c.created_at LIMIT $2"
    );
    tx.query(&sql, params![before, limit]).await?.into_iter().map(read).collect()
}
