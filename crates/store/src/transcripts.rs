//! Transcripts of finished calls.

use domain::call::Utterance;
use domain::{AgentId, BusinessId, CallId, Mode, Timestamp};

use crate::calls::CallView;
use crate::page::{Conditions, ListQuery, list as list_page};
use crate::tx::{Row, Tx, params};
use crate::{Listed, Page, StoreError, Tenancy, utterances};

/// What was said in a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transcript {
    /// The call.
    pub call_id: CallId,
    /// Its tenant.
    pub business_id: BusinessId,
    /// Live or test.
    pub mode: Mode,
    /// Who talked for the business.
    pub agent_id: AgentId,
    /// When the call came into being.
    pub created_at: Timestamp,
    /// One line per utterance.
    pub text: String,
    /// The utterances with their times.
    pub utterances: Vec<Utterance>,
}

/// A transcript with its call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TranscriptView {
    /// What was said.
    pub transcript: Transcript,
    /// The call.
    pub view: CallView,
}

/// Which transcripts a list shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TranscriptFilter {
    /// Only this business's.
    pub business_id: Option<BusinessId>,
    /// Only this agent's.
    pub agent_id: Option<AgentId>,
    /// Only of this call.
    pub call_id: Option<CallId>,
    /// Only of calls that came into being since then.
    pub since: Option<Timestamp>,
}

const COLUMNS: &str = "call_id, business_id, mode, agent_id, created_at, text, utterances";

fn read(row: Row) -> Result<Transcript, StoreError> {
    let mut row = row.of("transcripts");
    Ok(Transcript {
        call_id: row.next()?,
        business_id: row.next()?,
        mode: row.parse(Mode::parse)?,
        agent_id: row.next()?,
        created_at: row.next()?,
        text: row.next()?,
        utterances: row.parse(utterances::from_text)?,
    })
}

/// Stores a transcript; the newer one counts.
pub async fn insert(tx: &mut Tx, transcript: &Transcript) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO transcripts (call_id, business_id, mode, agent_id, created_at, text, utterances) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) \
         ON CONFLICT (call_id) DO UPDATE SET text = excluded.text, utterances = excluded.utterances",
        params![
            transcript.call_id,
            transcript.business_id,
            transcript.mode.as_str(),
            transcript.agent_id,
            transcript.created_at,
            transcript.text.as_str(),
            utterances::to_text(&transcript.utterances),
        ],
    )
    .await?;
    Ok(())
}

/// The transcript of a call.
pub async fn get(tx: &mut Tx, tenancy: &Tenancy, call: CallId) -> Result<Option<Transcript>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM transcripts WHERE call_id = $1");
    let found = tx.query_one(&sql, params![call]).await?.map(read).transpose()?;
    Ok(found.filter(|found| tenancy.covers(found.business_id) && found.mode == tenancy.mode()))
}

/// True if a call has a transcript. Whether the call may be seen is checked before.
pub async fn exists(tx: &mut Tx, call: CallId) -> Result<bool, StoreError> {
    Ok(tx.query_one("SELECT created_at FROM transcripts WHERE call_id = $1", params![call]).await?.is_some())
}

/// Transcripts with their calls, newest first.
pub async fn list(
    tx: &mut Tx,
    tenancy: &Tenancy,
    filter: &TranscriptFilter,
    page: &Page,
) -> Result<Listed<TranscriptView>, StoreError> {
    let select = format!("SELECT {COLUMNS} FROM transcripts");
    let query = ListQuery { select: &select, business: "business_id", time: "created_at", id: "call_id" };
    let narrow = |conditions: &mut Conditions| {
        conditions.and("mode", "=", tenancy.mode().as_str());
        conditions.and_if("agent_id", "=", filter.agent_id);
        conditions.and_if("call_id", "=", filter.call_id);
        conditions.and_if("created_at", ">=", filter.since);
    };
    let created_at = |transcript: &Transcript| transcript.created_at;
    let found =
        list_page(tx, query, &tenancy.scope(filter.business_id), page, narrow, read, created_at).await?;
    let mut rows = Vec::with_capacity(found.rows.len());
    for transcript in found.rows {
        if let Some(view) = crate::calls::get(tx, tenancy, transcript.call_id).await? {
            rows.push(TranscriptView { transcript, view });
        }
    }
    Ok(Listed { rows, has_more: found.has_more })
}
