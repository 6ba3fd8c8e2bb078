//! The log of administrative changes: who did what, from where, and what it was before.
//!
//! A row is written in the transaction of the change itself, and never changed. What concerns a person who belongs to several businesses has a
//! row in each of them, so that a row is seen by those who look after its business and by nobody else.

use domain::audit::{Action, Actor, ActorKind, Deed, Target};
use domain::{AuditId, BusinessId, E164, Timestamp};
use uuid::Uuid;

use crate::page::{Conditions, ListQuery, list as list_page, list_by};
use crate::table::{table, text};
use crate::tx::{PlatformTx, Tx, params};
use crate::{Listed, Page, StoreError, Tenancy, field_changes};

/// One row.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditRow {
    pub id: AuditId,
    /// The business that it concerns; `None`: the installation.
    pub business_id: Option<BusinessId>,
    pub actor: Actor,
    pub deed: Deed,
    pub created_at: Timestamp,
}

table! {
    /// Administrative changes. The names of users and keys are read where they stand; only those of others are kept here.
    Log = "audit_log" as "l", (row: &AuditRow)
    key { id }
    fixed {
        business_id,
        actor_kind = row.actor.kind,
        actor_id = row.actor.id,
        address = row.actor.address,
        action = row.deed.action,
        target_kind = row.deed.target.kind,
        target_id = row.deed.target.id,
        target_name = row.deed.target.name,
        changes = field_changes::to_text(&row.deed.changes),
        created_at,
    }
    unread { actor_name = row.actor.name }
    computed {
        actor_name = "coalesce(l.actor_name, (SELECT u.email FROM users u WHERE u.id = l.actor_id), \
                      (SELECT k.prefix FROM keys k WHERE k.id = l.actor_id))",
    }
    read {
        let kept: String = changes;
        let changes = field_changes::from_text(&kept, "audit_log")?;
        let actor = Actor { kind: actor_kind, id: actor_id, name: actor_name, address };
        let target = Target { kind: target_kind, id: target_id, name: target_name };
        AuditRow { id, business_id, actor, deed: Deed { action, target, changes }, created_at }
    }
}

/// Which rows a list shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    pub actor: Option<WhichActor>,
    pub action: Option<Action>,
    pub target: Option<WhichTarget>,
    /// Only what happened at this time or later.
    pub start: Option<Timestamp>,
    /// Only what happened before this time.
    pub end: Option<Timestamp>,
}

/// Whose deeds are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WhichActor {
    /// Those of everybody of a kind.
    Kind(ActorKind),
    /// Those of the user or key with this id.
    Id(Uuid),
}

/// What the deeds that are wanted were done to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WhichTarget {
    Id(Uuid),
    Name(String),
}

/// Writes a row down.
pub async fn insert(tx: &mut PlatformTx, row: &AuditRow) -> Result<(), StoreError> {
    tx.execute(Log::INSERT, &Log::inserted(row)).await?;
    Ok(())
}

const QUERY: ListQuery<'_> = ListQuery {
    select: text!("SELECT ", Log::COLUMNS, " FROM audit_log l"),
    table: "audit_log l",
    business: "l.business_id",
    time: "l.created_at",
    id: "l.id",
};

fn narrow(conditions: &mut Conditions, filter: &AuditFilter) {
    conditions.and_if("l.created_at", ">=", filter.start);
    conditions.and_if("l.created_at", "<", filter.end);
    conditions.aside_if("l.action", "=", filter.action);
    match &filter.actor {
        Some(WhichActor::Kind(kind)) => conditions.aside("l.actor_kind", "=", *kind),
        Some(WhichActor::Id(id)) => conditions.aside("l.actor_id", "=", *id),
        None => {}
    }
    match &filter.target {
        Some(WhichTarget::Id(id)) => conditions.aside("l.target_id", "=", *id),
        Some(WhichTarget::Name(name)) => conditions.aside("l.target_name", "=", name.as_str()),
        None => {}
    }
}

/// What concerns the tenant's businesses, newest first. Whether somebody may see it at all is the caller's to know.
pub async fn list(
    tx: &mut Tx,
    tenancy: &Tenancy,
    business: Option<BusinessId>,
    filter: &AuditFilter,
    page: &Page,
) -> Result<Listed<AuditRow>, StoreError> {
    let created_at = |row: &AuditRow| row.created_at;
    let narrow = |conditions: &mut Conditions| narrow(conditions, filter);
    list_page(tx, QUERY, &tenancy.scope(business), page, narrow, Log::read, created_at).await
}

/// Everything, newest first. For operators.
pub async fn all(
    tx: &mut PlatformTx,
    filter: &AuditFilter,
    page: &Page,
) -> Result<Listed<AuditRow>, StoreError> {
    let mut conditions = Conditions::default();
    narrow(&mut conditions, filter);
    list_by(tx, QUERY, page, conditions, Log::read).await
}

/// The newest row about an action, whoever it concerns.
pub async fn latest(tx: &mut PlatformTx, action: Action) -> Result<Option<AuditRow>, StoreError> {
    const SQL: &str = text!(
        "SELECT ",
        Log::COLUMNS,
        " FROM audit_log l WHERE l.action = $1 ORDER BY l.created_at DESC, l.id DESC LIMIT 1"
    );
    tx.query_one(SQL, params![action]).await?.map(Log::read).transpose()
}

/// Takes a phone number out of the rows of a business that name it; tells how many there were.
pub async fn forget_number(
    tx: &mut PlatformTx,
    business: BusinessId,
    number: &E164,
) -> Result<u64, StoreError> {
    let sql = "UPDATE audit_log SET target_name = NULL WHERE business_id = $1 AND target_name = $2";
    tx.execute(sql, params![business, number]).await
}

/// Forgets a slice of what happened before then, oldest first; tells how many rows.
pub async fn purge(tx: &mut PlatformTx, before: Timestamp, most: u32) -> Result<u64, StoreError> {
    let sql = "DELETE FROM audit_log WHERE id IN \
               (SELECT id FROM audit_log WHERE created_at < $1 ORDER BY created_at, id LIMIT $2)";
    tx.execute(sql, params![before, most]).await
}
