//! The log of administrative changes, for owners and admins.

use axum::extract::State;
use domain::BusinessId;
use domain::audit::{Action, ActorKind};
use domain::lead::changes::FieldChange;
use http::Method;
use schemars::{JsonSchema, SchemaGenerator};
use serde::Serialize;
use serde_json::{Value, json};
use store::audit::{AuditFilter, AuditRow, WhichActor, WhichTarget};

use crate::Api;
use crate::answer::{Reply, Stamp, Uid};
use crate::caller::{AuditRead, Caller};
use crate::error::{ApiError, Code};
use crate::input::{Cursor, Field, Id, Limit, Line, Problem, Query, Time, input, page};
use crate::route::Route;

pub(crate) fn routes() -> Vec<Route> {
    let example = json!({ "entries": [{
        "id": "01940000-0000-7000-8000-000000000091", "business_id": "01940000-0000-7000-8000-000000000001",
        "actor": {
            "kind": "user", "id": "01940000-0000-7000-8000-000000000002", "name": "you@example.com", "address": "203.0.113.7",
        },
        "action": "member.role_changed",
        "target": { "kind": "user", "id": "01940000-0000-7000-8000-000000000003", "name": "ada@example.com" },
        "changes": [{ "field": "role", "before": "viewer", "after": "admin" }],
        "created_at": "2026-02-15T14:30:00.000000Z",
    }], "has_more": false });
    vec![
        Route::new(Method::GET, "/api/v1/audit-log", "audit.list", list)
            .about(
                "List administrative changes",
                "Who did what to keys, members, agents, numbers, webhooks and settings, from where, and what it was before; newest first. The key \
                 reads the log of those of its businesses of which its owner is owner or admin; without any the answer is 403. Rows are never \
                 changed. Secrets are in none of them: values that may hold some are `(not shown)`, and long texts are cut after 1000 characters.",
            )
            .example(None, example),
    ]
}

input! {
    /// Which administrative changes to list.
    pub struct AuditQuery {
        /// Only what concerns this business.
        business_id: Option<Id<BusinessId>> = "business_id",
        /// Only what this user or key did, by its id; or everybody of a kind: `user`, `key`, `cli` (whoever runs the server), `system` or `stranger`.
        actor: Option<ActorName> = "actor",
        /// Only deeds of this kind.
        action: Option<ActionName> = "action",
        /// Only what was done to the thing with this id, or to the phone number.
        target: Option<Line<1, 200>> = "target",
        /// Only changes at this time or later.
        start: Option<Time> = "start",
        /// Only changes before this time.
        end: Option<Time> = "end",
        /// Largest number of rows in the answer.
        limit: Limit<50, 200> = "limit",
        /// Only rows created before this time; take the `created_at` of the last row of the page before.
        after: Option<Cursor> = "after",
    }
}

/// A user or a key by its id, or the word for a kind of actor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActorName(pub WhichActor);

impl Field for ActorName {
    fn read(value: Value) -> Result<Self, Problem> {
        let text = value.as_str().unwrap_or_default();
        let kind = ActorKind::parse(text).map(WhichActor::Kind);
        let which = kind.or_else(|| text.parse().ok().map(WhichActor::Id));
        which.map(Self).ok_or_else(|| {
            let expected =
                "expected the id of a user or a key, or `user`, `key`, `cli`, `system` or `stranger`";
            Problem::new("", expected)
        })
    }

    fn schema(_: &mut SchemaGenerator) -> Value {
        let kinds: Vec<&str> = ActorKind::ALL.iter().map(|kind| kind.as_str()).collect();
        let id = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";
        json!({ "type": "string", "pattern": format!("^({}|{id})$", kinds.join("|")) })
    }
}

/// The word for a kind of deed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ActionName(pub Action);

impl Field for ActionName {
    fn read(value: Value) -> Result<Self, Problem> {
        let action = value.as_str().and_then(Action::parse);
        action.map(Self).ok_or_else(|| {
            let words: Vec<&str> = Action::ALL.iter().map(|action| action.as_str()).collect();
            Problem::new("", format!("expected one of {}", words.join(", ")))
        })
    }

    fn schema(_: &mut SchemaGenerator) -> Value {
        let words: Vec<&str> = Action::ALL.iter().map(|action| action.as_str()).collect();
        json!({ "type": "string", "enum": words })
    }
}

/// An administrative change.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AuditEntry {
    id: Uid,
    business_id: Option<Uid>,
    actor: AuditActor,
    /// What was done, like `key.revoked`.
    action: &'static str,
    target: AuditTarget,
    /// The fields that changed; of what was made or removed those that had a value.
    changes: Vec<AuditChange>,
    created_at: Stamp,
}

/// Who did something.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AuditActor {
    /// `user`, `key`, `cli`, `system` or `stranger`.
    kind: &'static str,
    /// Id of the user or the key.
    id: Option<Uid>,
    /// E-mail address of the user, prefix of the key, or name of the account on the server's machine.
    name: Option<String>,
    /// Network address that the request came from.
    address: Option<String>,
}

/// What something was done to.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AuditTarget {
    /// The kind of thing, like `key` or `webhook`.
    kind: &'static str,
    id: Option<Uid>,
    /// What people know it by: a name, an address, a phone number.
    name: Option<String>,
}

/// A field before and after.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AuditChange {
    field: String,
    /// The value before; null if there was none.
    before: Value,
    /// The value afterwards; null if there is none.
    after: Value,
}

/// A page of administrative changes.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AuditList {
    entries: Vec<AuditEntry>,
    has_more: bool,
}

impl From<FieldChange> for AuditChange {
    fn from(change: FieldChange) -> Self {
        let FieldChange { field, before, after } = change;
        Self { field, before, after }
    }
}

impl From<AuditRow> for AuditEntry {
    fn from(row: AuditRow) -> Self {
        let AuditRow { id, business_id, actor, deed, created_at } = row;
        Self {
            id: Uid(id.0),
            business_id: business_id.map(Uid::from),
            actor: AuditActor {
                kind: actor.kind.as_str(),
                id: actor.id.map(Uid),
                name: actor.name,
                address: actor.address,
            },
            action: deed.action.as_str(),
            target: AuditTarget {
                kind: deed.target.kind.as_str(),
                id: deed.target.id.map(Uid),
                name: deed.target.name,
            },
            changes: deed.changes.into_iter().map(AuditChange::from).collect(),
            created_at: created_at.into(),
        }
    }
}

fn which_target(text: String) -> WhichTarget {
    text.parse().map_or(WhichTarget::Name(text), WhichTarget::Id)
}

async fn list(
    caller: Caller<AuditRead>,
    State(api): State<Api>,
    Query(query): Query<AuditQuery>,
) -> Result<Reply<AuditList>, ApiError> {
    let business = caller.narrowed_to(query.business_id.as_ref())?;
    let filter = AuditFilter {
        actor: query.actor.map(|actor| actor.0),
        action: query.action.map(|action| action.0),
        target: query.target.map(Line::into_inner).map(which_target),
        start: query.start.map(|time| time.0),
        end: query.end.map(|time| time.0),
    };
    let seen = match business {
        Some(one) => caller.tenancy().narrowed(one).ok_or_else(ApiError::foreign_business)?,
        None => caller.tenancy().clone(),
    };
    let overseen = app::audit::overseen(api.app(), caller.key().user_id, &seen).await?;
    let tenancy = overseen.ok_or_else(|| {
        ApiError::new(Code::Forbidden, "only the owners and admins of a business read its log of changes")
    })?;
    let page = page(query.limit, query.after);
    let listed = api
        .read(move |tx| {
            Box::pin(async move { store::audit::list(tx, &tenancy, business, &filter, &page).await })
        })
        .await?;
    Ok(Reply(AuditList {
        entries: listed.rows.into_iter().map(AuditEntry::from).collect(),
        has_more: listed.has_more,
    }))
}
