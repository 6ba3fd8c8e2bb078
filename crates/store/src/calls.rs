//! Calls.
//!
//! `heard_at` is when something last happened in a call on its engine's clock; the watchdog and the end of a lost call go by it.

use std::time::Duration;

use domain::call::{
    Assessment, Call, CallFacts, CallLife, CallRequest, CallState, Direction, Ended, Failure, FailureCode,
    Outcome, Quality, StoredRecording, Talk,
};
use domain::{AgentId, BusinessId, CallId, E164, LeadId, Mode, Timestamp};

use crate::page::{Conditions, ListQuery, list as list_page};
use crate::tx::{PlatformTx, Row, Tx, params};
use crate::{Listed, Page, StoreError, Tenancy};

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
                       c.first_message, c.webhook_url, c.max_duration_s, c.engine, c.policy_reason, c.created_at, \
                       c.lead_id, c.node_id, c.conversation_id, c.ringing_at, c.state, c.answered_at, c.talked_ms, \
                       c.wrap_up_until, c.failure, c.refusal, c.ended_at, c.ended_reason, c.cost_cents, c.finished_at, \
                       c.summary, c.quality, c.analyst, c.recording_key, c.recording_type, c.recording_duration_ms";

fn read_columns(row: &mut Row) -> Result<Call, StoreError> {
    let number = |text: &str| E164::parse(text).ok();
    let facts = CallFacts {
        id: row.next()?,
        business_id: row.next()?,
        mode: row.parse(Mode::parse)?,
        agent_id: row.next()?,
        direction: row.parse(Direction::parse)?,
        to: row.parse(number)?,
        from: row.parse_option(number)?,
        request: CallRequest {
            name: row.next()?,
            context: row.next()?,
            first_message: row.next()?,
            webhook_url: row.next()?,
        },
        max_duration: Duration::from_secs(row.next()?),
        engine: row.next()?,
        policy_reason: row.next()?,
        created_at: row.next()?,
    };
    let life = CallLife {
        lead_id: row.next()?,
        node_id: row.next()?,
        conversation_id: row.next()?,
        ringing_at: row.next()?,
        state: StateColumns::read(row)?.state()?,
    };
    Ok(Call::stored(facts, life))
}

fn read(row: Row) -> Result<Call, StoreError> {
    read_columns(&mut row.of("calls"))
}

fn read_view(row: Row) -> Result<CallView, StoreError> {
    let mut row = row.of("calls");
    Ok(CallView { call: read_columns(&mut row)?, agent_name: row.next()? })
}

/// The columns that a state is stored in. Which of them have a value follows from the state.
#[derive(Default)]
struct StateColumns {
    word: String,
    answered_at: Option<Timestamp>,
    talked_ms: Option<u64>,
    wrap_up_until: Option<Timestamp>,
    failure: Option<FailureCode>,
    refusal: Option<String>,
    ended_at: Option<Timestamp>,
    ended_reason: Option<String>,
    cost_cents: u32,
    finished_at: Option<Timestamp>,
    summary: Option<String>,
    quality: Option<Quality>,
    analyst: Option<String>,
    recording_key: Option<String>,
    recording_type: Option<String>,
    recording_duration_ms: Option<u64>,
}

impl StateColumns {
    fn read(row: &mut Row) -> Result<Self, StoreError> {
        Ok(Self {
            word: row.next()?,
            answered_at: row.next()?,
            talked_ms: row.next()?,
            wrap_up_until: row.next()?,
            failure: row.parse_option(FailureCode::parse)?,
            refusal: row.next()?,
            ended_at: row.next()?,
            ended_reason: row.next()?,
            cost_cents: row.next()?,
            finished_at: row.next()?,
            summary: row.next()?,
            quality: row.parse_option(quality_from_text)?,
            analyst: row.next()?,
            recording_key: row.next()?,
            recording_type: row.next()?,
            recording_duration_ms: row.next()?,
        })
    }

    fn state(self) -> Result<CallState, StoreError> {
        let word = self.word.clone();
        let lacking = |what: &str| StoreError::corrupt("calls", format!("the state `{word}` lacks {what}"));
        Ok(match self.word.as_str() {
            "queued" => CallState::Queued,
            "dialing" => CallState::Dialing,
            "ringing" => CallState::Ringing,
            "in_progress" => {
                let answered_at = self.answered_at.ok_or_else(|| lacking("the time of the answer"))?;
                CallState::InProgress { answered_at }
            }
            "wrapping_up" => CallState::WrappingUp {
                until: self.wrap_up_until.ok_or_else(|| lacking("its deadline"))?,
                talk: self.talk().ok_or_else(|| lacking("the talk"))?,
            },
            "completed" => {
                let talk = self.talk().ok_or_else(|| lacking("the talk"))?;
                let outcome = Outcome::Completed { talk, cost_cents: self.cost_cents };
                self.ended(outcome).ok_or_else(|| lacking("the time of the end"))?
            }
            "failed" => {
                let failure = self.failure().ok_or_else(|| lacking("the cause"))?;
                self.ended(Outcome::Failed(failure)).ok_or_else(|| lacking("the time of the end"))?
            }
            _ => return Err(lacking("a meaning")),
        })
    }

    fn talk(&self) -> Option<Talk> {
        let reason = self.ended_reason.clone().unwrap_or_default();
        Some(Talk::new(self.answered_at?, Duration::from_millis(self.talked_ms?), reason))
    }

    fn failure(&self) -> Option<Failure> {
        Some(Failure {
            code: self.failure?,
            reason: self.ended_reason.clone().unwrap_or_default(),
            refusal: self.refusal.clone(),
            failed_at: self.ended_at?,
        })
    }

    fn ended(self, outcome: Outcome) -> Option<CallState> {
        let (quality, analyst) = (self.quality, self.analyst.unwrap_or_default());
        let assessment = self.summary.map(|summary| Assessment { summary, quality, analyst });
        let recording =
            self.recording_key.zip(self.recording_type).map(|(key, content_type)| StoredRecording {
                key,
                content_type,
                duration: self.recording_duration_ms.map(Duration::from_millis),
            });
        Some(CallState::Ended(Ended { outcome, finished_at: self.finished_at?, assessment, recording }))
    }

    fn of(call: &Call) -> Self {
        let mut columns = Self {
            word: call.state().as_str().to_owned(),
            answered_at: call.answered_at(),
            talked_ms: call.talk().map(|talk| millis(talk.talked)),
            ended_at: call.ended_at(),
            ended_reason: call.ended_reason().map(str::to_owned),
            cost_cents: call.cost_cents(),
            finished_at: call.finished_at(),
            ..Self::default()
        };
        if let CallState::WrappingUp { until, .. } = call.state() {
            columns.wrap_up_until = Some(*until);
        }
        if let Some(failure) = call.failure() {
            columns.failure = Some(failure.code);
            columns.refusal.clone_from(&failure.refusal);
        }
        if let Some(assessment) = call.assessment() {
            columns.summary = Some(assessment.summary.clone());
            columns.quality = assessment.quality;
            columns.analyst = Some(assessment.analyst.clone());
        }
        if let Some(recording) = call.recording() {
            columns.recording_key = Some(recording.key.clone());
            columns.recording_type = Some(recording.content_type.clone());
            columns.recording_duration_ms = recording.duration.map(millis);
        }
        columns
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn quality_to_text(quality: Quality) -> String {
    let Quality { professionalism, empathy, information_gathering, resolution } = quality;
    format!("{professionalism},{empathy},{information_gathering},{resolution}")
}

fn quality_from_text(text: &str) -> Option<Quality> {
    let marks: Vec<u8> = text.split(',').map(|mark| mark.parse().ok()).collect::<Option<_>>()?;
    let [professionalism, empathy, information_gathering, resolution] = marks.try_into().ok()?;
    Some(Quality { professionalism, empathy, information_gathering, resolution })
}

/// Stores a new call. False, and nothing is stored, if it came in and its engine has brought it before.
pub async fn insert(tx: &mut PlatformTx, call: &Call) -> Result<bool, StoreError> {
    let added = tx
        .execute(
            "INSERT INTO calls (id, business_id, mode, agent_id, direction, to_number, from_number, name, context, \
             first_message, webhook_url, max_duration_s, engine, policy_reason, created_at, heard_at, lead_id, node_id, \
             conversation_id, ringing_at, state, cost_cents) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $15, $16, $17, $18, $19, $20, $21) \
             ON CONFLICT (engine, conversation_id) WHERE direction = 'inbound' AND conversation_id IS NOT NULL DO NOTHING",
            params![
                call.id,
                call.business_id,
                call.mode.as_str(),
                call.agent_id,
                call.direction.as_str(),
                call.to.as_str(),
                call.from.as_ref().map(E164::as_str),
                call.request.name.as_deref(),
                call.request.context.as_deref(),
                call.request.first_message.as_deref(),
                call.request.webhook_url.as_deref(),
                call.max_duration.as_secs(),
                call.engine.as_str(),
                call.policy_reason.as_str(),
                call.created_at,
                call.lead_id(),
                call.node_id(),
                call.conversation_id(),
                call.ringing_at(),
                call.state().as_str(),
                call.cost_cents(),
            ],
        )
        .await?;
    Ok(added > 0)
}

/// Stores everything about a call that can change.
pub async fn update(tx: &mut PlatformTx, call: &Call) -> Result<(), StoreError> {
    let columns = StateColumns::of(call);
    tx.execute(
        "UPDATE calls SET node_id = $2, conversation_id = $3, lead_id = $4, ringing_at = $5, state = $6, answered_at = $7, \
         talked_ms = $8, wrap_up_until = $9, failure = $10, refusal = $11, ended_at = $12, ended_reason = $13, \
         cost_cents = $14, finished_at = $15, summary = $16, quality = $17, analyst = $18, recording_key = $19, \
         recording_type = $20, recording_duration_ms = $21 WHERE id = $1",
        params![
            call.id,
            call.node_id(),
            call.conversation_id(),
            call.lead_id(),
            call.ringing_at(),
            columns.word.as_str(),
            columns.answered_at,
            columns.talked_ms,
            columns.wrap_up_until,
            columns.failure.map(FailureCode::as_str),
            columns.refusal.as_deref(),
            columns.ended_at,
            columns.ended_reason.as_deref(),
            columns.cost_cents,
            columns.finished_at,
            columns.summary.as_deref(),
            columns.quality.map(quality_to_text),
            columns.analyst.as_deref(),
            columns.recording_key.as_deref(),
            columns.recording_type.as_deref(),
            columns.recording_duration_ms,
        ],
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
