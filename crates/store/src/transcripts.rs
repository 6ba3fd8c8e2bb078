//! Transcripts of finished calls.

use domain::call::Utterance;
use domain::{AgentId, BusinessId, CallId, Mode, Timestamp};

use crate::calls::CallView;
use crate::page::{Conditions, ListQuery, Way, list_ways};
use crate::table::{table, text};
use crate::tx::{PlatformTx, Tx, params};
use crate::writes::Write;
use crate::{Listed, Page, StoreError, Tenancy, utterances};

/// What was said in a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transcript {
    pub call_id: CallId,
    pub business_id: BusinessId,
    pub mode: Mode,
    /// The agent that talked for the business.
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
    pub transcript: Transcript,
    pub view: CallView,
}

/// Which transcripts a list shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TranscriptFilter {
    pub business_id: Option<BusinessId>,
    pub agent_id: Option<AgentId>,
    /// Only of this call.
    pub call_id: Option<CallId>,
    /// Only of calls that came into being since then.
    pub since: Option<Timestamp>,
}

table! {
    /// What was said in finished calls. The utterances are JSON.
    Transcripts = "transcripts" as "t", (transcript: &Transcript)
    key { call_id }
    fixed {
        business_id,
        mode,
        agent_id,
        created_at,
        text,
        utterances = utterances::to_text(&transcript.utterances),
    }
    read Transcript {
        call_id,
        business_id,
        mode,
        agent_id,
        created_at,
        text,
        utterances: read_utterances(utterances)?,
    }
}

fn read_utterances(text: String) -> Result<Vec<Utterance>, StoreError> {
    utterances::from_text(&text)
        .ok_or_else(|| StoreError::corrupt("transcripts", "utterances that this version cannot read"))
}

const INSERT: &str = text!(
    Transcripts::INSERT,
    " ON CONFLICT (call_id) DO UPDATE SET text = excluded.text, utterances = excluded.utterances \
      WHERE transcripts.utterances <> excluded.utterances"
);

/// Stores a transcript; the newer one counts.
pub async fn insert(tx: &mut PlatformTx, transcript: &Transcript) -> Result<(), StoreError> {
    tx.write(Write::new("transcripts", transcript.call_id.0, INSERT, Transcripts::inserted(transcript))).await
}

/// The same; false if it is the one that was there.
pub async fn replace(tx: &mut PlatformTx, transcript: &Transcript) -> Result<bool, StoreError> {
    Ok(tx.execute(INSERT, &Transcripts::inserted(transcript)).await? > 0)
}

/// The transcript of a call.
pub async fn get(tx: &mut Tx, tenancy: &Tenancy, call: CallId) -> Result<Option<Transcript>, StoreError> {
    const SQL: &str = text!(
        "SELECT ",
        Transcripts::COLUMNS,
        " FROM transcripts t WHERE t.call_id = $1 AND (t.business_id = $2 AND t.mode = $3) IS TRUE"
    );
    for &business in tenancy.businesses() {
        if let Some(row) = tx.query_one(SQL, params![call, business, tenancy.mode()]).await? {
            return Transcripts::read(row).map(Some);
        }
    }
    Ok(None)
}

/// True if a call of the tenant has a transcript.
pub async fn exists(tx: &mut Tx, tenancy: &Tenancy, call: CallId) -> Result<bool, StoreError> {
    let sql =
        "SELECT created_at FROM transcripts WHERE call_id = $1 AND (business_id = $2 AND mode = $3) IS TRUE";
    for &business in tenancy.businesses() {
        if tx.query_one(sql, params![call, business, tenancy.mode()]).await?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Transcripts with their calls, newest first.
pub async fn list(
    tx: &mut Tx,
    tenancy: &Tenancy,
    filter: &TranscriptFilter,
    page: &Page,
) -> Result<Listed<TranscriptView>, StoreError> {
    const SELECT: &str = text!("SELECT ", Transcripts::COLUMNS, " FROM transcripts t");
    let query = ListQuery {
        select: SELECT,
        table: "transcripts t",
        business: "t.business_id",
        time: "t.created_at",
        id: "t.call_id",
    };
    let way = match (filter.call_id, filter.agent_id) {
        (Some(call), agent) => Way::of_column().and("t.call_id =", call).and_aside("t.agent_id", agent),
        (None, Some(agent)) => Way::of_column().and("t.agent_id =", agent),
        (None, None) => Way::of_business(),
    };
    let narrow = |conditions: &mut Conditions| {
        conditions.and("t.mode", "=", tenancy.mode().as_str());
        conditions.and_if("t.created_at", ">=", filter.since);
    };
    let (ways, businesses) = ([way], tenancy.scope(filter.business_id));
    let created_at = |transcript: &Transcript| transcript.created_at;
    let found = list_ways(tx, query, &businesses, page, &ways, narrow, Transcripts::read, created_at).await?;
    let mut rows = Vec::with_capacity(found.rows.len());
    for transcript in found.rows {
        if let Some(view) = crate::calls::get(tx, tenancy, transcript.call_id).await? {
            rows.push(TranscriptView { transcript, view });
        }
    }
    Ok(Listed { rows, has_more: found.has_more })
}
