//! How the pipeline stands: which leads are promising, which wait for somebody, who came by themselves, and who left a message.

use std::collections::BTreeMap;

use domain::lead::Lead;
use domain::{BusinessId, CallId, LeadId, Timestamp};

use super::Leads;
use crate::table::text;
use crate::tx::{Param, Row, Tx};
use crate::{StoreError, Tenancy};

/// The most rows that a list of the audit shows.
pub const MOST_ROWS: usize = 50;

/// What is asked of the pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question {
    pub business_id: Option<BusinessId>,
    /// Nothing that came later counts.
    pub as_of: Timestamp,
    /// Leads and messages are new if they came after this.
    pub window_from: Timestamp,
    /// Leads are stalled if nothing has happened since.
    pub stalled_since: Timestamp,
    /// Leads are hot from this score on.
    pub hot_score: u8,
}

/// So many there are, and the first of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Counted<T> {
    pub count: u64,
    pub rows: Vec<T>,
}

impl<T> Default for Counted<T> {
    fn default() -> Self {
        Self { count: 0, rows: Vec::new() }
    }
}

/// A call that ended at an answering machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Voicemail {
    pub call_id: CallId,
    pub lead_id: Option<LeadId>,
    pub summary: Option<String>,
    pub created_at: Timestamp,
}

/// How the pipeline stands.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Audit {
    /// How many leads have each status.
    pub by_status: BTreeMap<String, u64>,
    /// How many are new.
    pub new: u64,
    /// Promising ones that are neither won nor lost, the best first.
    pub hot: Counted<Lead>,
    /// Open ones with which nothing has happened for long, the longest wait first.
    pub stalled: Counted<Lead>,
    /// New ones that did not come from a call, the newest first.
    pub signups: Counted<Lead>,
    /// Messages of the window, the newest first.
    pub voicemails: Counted<Voicemail>,
}

macro_rules! leads_where {
    ($condition:literal, $order:literal) => {
        Search {
            count: concat!("SELECT count(*) FROM leads l WHERE l.business_id = $1 AND l.mode = $2 AND l.created_at <= $3 AND ", $condition),
            list: text!(
                "SELECT ",
                Leads::COLUMNS,
                " FROM leads l WHERE l.business_id = $1 AND l.mode = $2 AND l.created_at <= $3 AND ",
                $condition,
                " ORDER BY ",
                $order,
                " LIMIT 50"
            ),
        }
    };
}

/// The texts of a search that is counted and listed.
struct Search {
    count: &'static str,
    list: &'static str,
}

const HOT: Search = leads_where!(
    "l.score >= $4 AND l.status NOT IN ('converted', 'lost')",
    "l.score DESC, l.created_at DESC"
);
const STALLED: Search = leads_where!(
    "l.updated_at < $4 AND l.status NOT IN ('converted', 'lost') AND NOT EXISTS \
     (SELECT 1 FROM calls c WHERE c.lead_id = l.id AND c.mode = l.mode AND c.created_at >= $4)",
    "l.updated_at, l.id"
);
const SIGNUPS: Search =
    leads_where!("l.created_at > $4 AND l.source <> 'call'", "l.created_at DESC, l.id DESC");
const VOICEMAILS: Search = Search {
    count: "SELECT count(*) FROM calls c WHERE c.business_id = $1 AND c.mode = $2 AND c.created_at <= $3 AND c.created_at > $4 \
            AND c.finished_at IS NOT NULL AND lower(c.ended_reason) LIKE '%voicemail%'",
    list: "SELECT c.id, c.lead_id, c.summary, c.created_at FROM calls c WHERE c.business_id = $1 AND c.mode = $2 \
           AND c.created_at <= $3 AND c.created_at > $4 AND c.finished_at IS NOT NULL \
           AND lower(c.ended_reason) LIKE '%voicemail%' ORDER BY c.created_at DESC LIMIT 50",
};

/// Looks how the pipeline of the tenant stands.
pub async fn audit(tx: &mut Tx, tenancy: &Tenancy, question: Question) -> Result<Audit, StoreError> {
    let mut audit = Audit::default();
    for business in tenancy.scope(question.business_id) {
        let whose = [Param::from(business), tenancy.mode().as_str().into(), question.as_of.into()];
        let statuses = "SELECT l.status, count(*) FROM leads l WHERE l.business_id = $1 AND l.mode = $2 AND l.created_at <= $3 \
                        GROUP BY l.status";
        for row in tx.query(statuses, &whose).await? {
            let mut row = row.of("leads");
            let (status, leads): (String, u64) = (row.next()?, row.next()?);
            *audit.by_status.entry(status).or_default() += leads;
        }
        let new = "SELECT count(*) FROM leads l WHERE l.business_id = $1 AND l.mode = $2 AND l.created_at <= $3 AND l.created_at > $4";
        audit.new += count(tx, new, &with(&whose, question.window_from)).await?;
        let score = with(&whose, i64::from(question.hot_score));
        add(tx, &HOT, &score, &mut audit.hot, Leads::read).await?;
        add(tx, &STALLED, &with(&whose, question.stalled_since), &mut audit.stalled, Leads::read).await?;
        let in_window = with(&whose, question.window_from);
        add(tx, &SIGNUPS, &in_window, &mut audit.signups, Leads::read).await?;
        add(tx, &VOICEMAILS, &in_window, &mut audit.voicemails, voicemail).await?;
    }
    // Of several businesses each gave its own first rows.
    audit.hot.rows.sort_by_key(|lead| std::cmp::Reverse((lead.score, lead.created_at)));
    audit.stalled.rows.sort_by_key(|lead| lead.updated_at);
    audit.signups.rows.sort_by_key(|lead| std::cmp::Reverse(lead.created_at));
    audit.voicemails.rows.sort_by_key(|one| std::cmp::Reverse(one.created_at));
    for leads in [&mut audit.hot, &mut audit.stalled, &mut audit.signups] {
        leads.rows.truncate(MOST_ROWS);
    }
    audit.voicemails.rows.truncate(MOST_ROWS);
    Ok(audit)
}

fn with(whose: &[Param; 3], more: impl Into<Param>) -> Vec<Param> {
    whose.iter().cloned().chain([more.into()]).collect()
}

async fn count(tx: &mut Tx, sql: &str, values: &[Param]) -> Result<u64, StoreError> {
    let row = tx.query_one(sql, values).await?;
    row.map_or(Ok(0), |mut row| row.next())
}

async fn add<T>(
    tx: &mut Tx,
    search: &Search,
    values: &[Param],
    found: &mut Counted<T>,
    read: fn(Row) -> Result<T, StoreError>,
) -> Result<(), StoreError> {
    found.count += count(tx, search.count, values).await?;
    for row in tx.query(search.list, values).await? {
        found.rows.push(read(row)?);
    }
    Ok(())
}

fn voicemail(row: Row) -> Result<Voicemail, StoreError> {
    let mut row = row.of("calls");
    let (call_id, lead_id) = (row.next()?, row.next()?);
    Ok(Voicemail { call_id, lead_id, summary: row.next()?, created_at: row.next()? })
}
