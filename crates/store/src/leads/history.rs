//! What happened to a lead: who changed what, when, and because of which call.

use domain::lead::Lead;
use domain::lead::changes::FieldChange;
use domain::{Author, BusinessId, CallId, LeadChangeId, LeadId, Mode, Timestamp};

use crate::page::{Conditions, ListQuery, list_by};
use crate::table::{table, text};
use crate::tx::{PlatformTx, Row, Tx};
use crate::writes::Write;
use crate::{Listed, Page, StoreError, Tenancy, field_changes};

domain::word_enum! {
    /// What happened to a lead.
    pub enum Happening {
        /// It came into being.
        Created = "created",
        /// Fields of it changed.
        Updated = "updated",
        /// Another lead became part of it.
        Merged = "merged",
    }
}

crate::tx::words! {
    Happening: as_str, Self::parse;
}

/// One change of a lead.
#[derive(Debug, Clone, PartialEq)]
pub struct LeadChange {
    pub id: LeadChangeId,
    pub lead_id: LeadId,
    pub business_id: BusinessId,
    pub mode: Mode,
    pub kind: Happening,
    pub by: Author,
    /// The call that taught it.
    pub call_id: Option<CallId>,
    pub changes: Vec<FieldChange>,
    pub created_at: Timestamp,
}

table! {
    /// The histories of leads. The changes are kept as JSON: a list of `[field, before, after]`.
    Changes = "lead_changes" as "h", (change: &LeadChange)
    key { id }
    fixed {
        lead_id,
        business_id,
        mode,
        kind,
        source = change.by.source,
        changed_by = change.by.name,
        call_id,
        changes = field_changes::to_text(&change.changes),
        created_at,
    }
    read {
        let kept: String = changes;
        let changes = field_changes::from_text(&kept, "lead_changes")?;
        let by = Author { source, name: changed_by };
        LeadChange { id, lead_id, business_id, mode, kind, by, call_id, changes, created_at }
    }
}

/// Adds a line to the history of a lead.
pub async fn note(tx: &mut PlatformTx, change: &LeadChange) -> Result<(), StoreError> {
    tx.write(Write::new("lead_changes", change.id.0, Changes::INSERT, Changes::inserted(change))).await
}

/// The history of a lead, newest first. Give a lead that belongs to the tenant.
pub async fn of_lead(
    tx: &mut Tx,
    tenancy: &Tenancy,
    lead: &Lead,
    page: &Page,
) -> Result<Listed<LeadChange>, StoreError> {
    const SELECT: &str = text!("SELECT ", Changes::COLUMNS, " FROM lead_changes h");
    let query = ListQuery {
        select: SELECT,
        table: "lead_changes h",
        business: "h.business_id",
        time: "h.created_at",
        id: "h.id",
    };
    if !tenancy.covers(lead.business_id) || lead.mode != tenancy.mode() {
        return Ok(Listed { rows: Vec::new(), has_more: false });
    }
    let mut conditions = Conditions::default();
    conditions.and("h.lead_id", "=", lead.id);
    conditions.aside("h.business_id", "=", lead.business_id);
    conditions.aside("h.mode", "=", tenancy.mode());
    list_by(tx, query, page, conditions, |row: Row| Changes::read(row)).await
}
