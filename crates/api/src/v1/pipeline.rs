//! Leads as a pipeline: how it stands, what happened to each lead, and two leads that are one person.

use std::collections::BTreeMap;

use app::leads::merge::{Merged, merge as merge_leads};
use axum::extract::State;
use domain::{BusinessId, LeadId, Timestamp};
use http::Method;
use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use store::leads::audit::{Audit, Counted, Question, Voicemail};
use store::leads::history::LeadChange;

use crate::Api;
use crate::answer::{Reply, Stamp, Uid, found};
use crate::caller::{Caller, LeadsRead, LeadsWrite};
use crate::error::{ApiError, Code};
use crate::idempotency::{IdempotencyKey, Once, kept, repeated};
use crate::input::{Body, Cursor, Id, Limit, Query, Time, Whole, input, page};
use crate::route::Route;
use crate::v1::leads::{LeadBody, refused};

/// How far the audit looks back for what is new unless the request says otherwise.
const WINDOW_HOURS: i64 = 24;
/// After how many days without anything a lead is stalled.
const STALLED_DAYS: i64 = 7;
/// From which score on a lead is hot.
const HOT_SCORE: i64 = 70;

pub(crate) fn routes() -> Vec<Route> {
    let (lead, other) = ("01940000-0000-7000-8000-000000000041", "01940000-0000-7000-8000-000000000042");
    let time = "2026-02-15T14:30:00.000000Z";
    let none = json!({ "count": 0, "leads": [] });
    let audit = json!({
        "as_of": time, "window_hours": 24, "stalled_days": 7, "hot_score": 70,
        "totals": { "leads": 1, "new_in_window": 1, "by_status": { "new": 1 } },
        "hot_leads": none, "stalled_leads": none, "signups": none,
        "voicemails": { "count": 0, "items": [] },
    });
    let history = json!({ "lead_id": lead, "changes": [{
        "id": "01940000-0000-7000-8000-000000000061", "kind": "updated", "source": "api",
        "changed_by": "01940000-0000-7000-8000-000000000071", "call_id": null, "created_at": time,
        "changes": [{ "field": "status", "before": "new", "after": "contacted" }],
    }], "has_more": false });
    vec![
        Route::new(Method::GET, "/api/v1/leads/audit", "leads.audit", audit_pipeline)
            .about(
                "See how the pipeline stands",
                "Hot leads have at least `hot_score`, stalled ones have not been changed or called for `stalled_days`; both are neither \
                 `converted` nor `lost`. Sign-ups are new leads that did not come from a call. At most 50 rows in each list.",
            )
            .refuses(&[Code::Forbidden])
            .example(None, audit),
        Route::new(Method::GET, "/api/v1/leads/history", "leads.history", history_of)
            .about(
                "List what happened to a lead",
                "Newest first. Changes before the server kept histories are not in it.",
            )
            .refuses(&[Code::NotFound])
            .example(None, history),
        Route::new(Method::POST, "/api/v1/leads/merge", "leads.merge", merge)
            .about(
                "Merge two leads that are one person",
                "The lead `id` is kept: its gaps are filled from the lead `merge_lead_id`, and notes, calls and history of that lead move over to it. \
                 The other id leads to the kept lead from then on. Harmless to repeat.",
            )
            .refuses(&[Code::NotFound])
            .example(
                Some(json!({ "id": lead, "merge_lead_id": other })),
                json!({ "success": true, "merged": true, "calls_moved": 2, "merged_id": other, "lead": LEAD_EXAMPLE.clone() }),
            ),
    ]
}

/// The lead of the examples.
static LEAD_EXAMPLE: std::sync::LazyLock<Value> = std::sync::LazyLock::new(|| {
    json!({
        "id": "01940000-0000-7000-8000-000000000041", "business_id": "01940000-0000-7000-8000-000000000001",
        "agent_id": null, "name": "Maria Lopez", "first_name": "Maria", "last_name": "Lopez",
        "email": "maria@example.com", "phone": "+15125551234", "phone_valid": true, "phone_extension": null,
        "address": null, "city": null, "state": null, "zip": null, "status": "contacted", "source": "api",
        "source_url": null, "source_page": null, "notes": null, "message": "Needs a lawyer.", "event_date": null,
        "event_type": null, "timezone": null, "score": null, "score_explanation": null, "interaction_count": 2,
        "last_contacted_at": null, "created_at": "2026-02-15T14:30:00.000000Z",
        "updated_at": "2026-02-15T14:30:00.000000Z",
    })
});

input! {
    /// What is asked of the pipeline.
    pub struct LeadAuditQuery {
        /// Leads and messages of the last so many hours are new; 24 by default.
        window_hours: Option<Whole<1, 8784>> = "window_hours",
        /// Leads with which nothing has happened for so many days are stalled; 7 by default.
        stalled_days: Option<Whole<1, 3660>> = "stalled_days",
        /// Leads with this score or a higher one are hot; 70 by default.
        hot_score: Option<Whole<0, 100>> = "hot_score",
        /// The moment that is looked at; now by default.
        as_of: Option<Time> = "as_of",
        /// Only leads of this business.
        business_id: Option<Id<BusinessId>> = "business_id",
    }

    /// Whose history to read.
    pub struct LeadHistoryQuery {
        /// Id of the lead whose history is read.
        lead_id: Id<LeadId> = "lead_id",
        /// Largest number of rows in the answer.
        limit: Limit<50, 100> = "limit",
        /// Only rows created before this time; take the `created_at` of the last row of the page before.
        after: Option<Cursor> = "after",
    }

    /// Two leads that are one person.
    pub struct LeadMerge {
        /// Id of the lead that is kept.
        id: Id<LeadId> = "id",
        /// Id of the lead that becomes part of it.
        merge_lead_id: Id<LeadId> = "merge_lead_id",
    }
}

/// How the pipeline stands.
#[derive(Debug, Serialize, JsonSchema)]
pub struct LeadAudit {
    /// The moment that was looked at.
    as_of: Stamp,
    window_hours: i64,
    stalled_days: i64,
    hot_score: i64,
    totals: PipelineTotals,
    /// Promising leads that are neither won nor lost, the best first.
    hot_leads: CountedLeads,
    /// Open leads with which nothing has happened for long, the longest wait first.
    stalled_leads: CountedLeads,
    /// New leads that did not come from a call, the newest first.
    signups: CountedLeads,
    /// Calls of the window that ended at an answering machine, the newest first.
    voicemails: CountedVoicemails,
}

/// Numbers of leads.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PipelineTotals {
    leads: u64,
    new_in_window: u64,
    /// Number of leads by status.
    by_status: BTreeMap<String, u64>,
}

/// So many leads there are, and the first of them.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CountedLeads {
    count: u64,
    leads: Vec<LeadBody>,
}

/// So many messages there are, and the first of them.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CountedVoicemails {
    count: u64,
    items: Vec<VoicemailRow>,
}

/// A call that ended at an answering machine.
#[derive(Debug, Serialize, JsonSchema)]
pub struct VoicemailRow {
    call_id: Uid,
    lead_id: Option<Uid>,
    summary: Option<String>,
    created_at: Stamp,
}

/// What happened to a lead.
#[derive(Debug, Serialize, JsonSchema)]
pub struct LeadHistory {
    lead_id: Uid,
    /// What happened, newest first.
    changes: Vec<LeadChangeRow>,
    has_more: bool,
}

/// One change of a lead.
#[derive(Debug, Serialize, JsonSchema)]
pub struct LeadChangeRow {
    id: Uid,
    /// What happened: `created`, `updated` or `merged`.
    kind: &'static str,
    /// By which way: `api`, `dashboard`, `call` or `system`.
    source: &'static str,
    /// Id of the API key or e-mail address of the person; null if nobody did it by hand.
    changed_by: Option<String>,
    /// Id of the call that taught it.
    call_id: Option<Uid>,
    /// Fields that changed. Those of a lead that was merged into this one begin with `merged_lead.`.
    changes: Vec<LeadFieldChange>,
    created_at: Stamp,
}

/// A field of a lead before and after a change.
#[derive(Debug, Serialize, JsonSchema)]
pub struct LeadFieldChange {
    field: String,
    before: Value,
    after: Value,
}

/// Two leads that have become one.
#[derive(Debug, Serialize, JsonSchema)]
pub struct LeadMerged {
    /// Always true: what fails is answered with an error.
    success: bool,
    /// False if the two were one already.
    merged: bool,
    /// Number of calls that moved over to the kept lead.
    calls_moved: u64,
    /// Id of the lead that became part of the kept one.
    merged_id: Uid,
    /// The lead that is kept.
    lead: LeadBody,
}

impl From<Counted<domain::lead::Lead>> for CountedLeads {
    fn from(found: Counted<domain::lead::Lead>) -> Self {
        Self { count: found.count, leads: found.rows.into_iter().map(LeadBody::from).collect() }
    }
}

impl From<Counted<Voicemail>> for CountedVoicemails {
    fn from(found: Counted<Voicemail>) -> Self {
        let row = |one: Voicemail| VoicemailRow {
            call_id: one.call_id.into(),
            lead_id: one.lead_id.map(Uid::from),
            summary: one.summary,
            created_at: one.created_at.into(),
        };
        Self { count: found.count, items: found.rows.into_iter().map(row).collect() }
    }
}

impl From<LeadChange> for LeadChangeRow {
    fn from(change: LeadChange) -> Self {
        let field = |one: domain::lead::changes::FieldChange| LeadFieldChange {
            field: one.field,
            before: one.before,
            after: one.after,
        };
        Self {
            id: change.id.into(),
            kind: change.kind.as_str(),
            source: change.by.source.as_str(),
            changed_by: change.by.name,
            call_id: change.call_id.map(Uid::from),
            changes: change.changes.into_iter().map(field).collect(),
            created_at: change.created_at.into(),
        }
    }
}

async fn audit_pipeline(
    caller: Caller<LeadsRead>,
    State(api): State<Api>,
    Query(query): Query<LeadAuditQuery>,
) -> Result<Reply<LeadAudit>, ApiError> {
    let business_id = caller.narrowed_to(query.business_id.as_ref())?;
    let as_of = query.as_of.as_ref().map_or(caller.now(), |time| time.0);
    let window_hours = query.window_hours.map_or(WINDOW_HOURS, |hours| hours.0);
    let stalled_days = query.stalled_days.map_or(STALLED_DAYS, |days| days.0);
    let hot_score = query.hot_score.map_or(HOT_SCORE, |score| score.0);
    let question = Question {
        business_id,
        // Creation times are made unique by moving them on a little, so the newest of now may lie ahead of it.
        as_of: query.as_of.map_or(Timestamp::MAX, |time| time.0),
        window_from: earlier(as_of, window_hours),
        stalled_since: earlier(as_of, stalled_days * 24),
        hot_score: u8::try_from(hot_score).unwrap_or(u8::MAX),
    };
    let tenancy = caller.tenancy().clone();
    let audit = api
        .read(move |tx| Box::pin(async move { store::leads::audit::audit(tx, &tenancy, question).await }))
        .await?;
    let Audit { by_status, new, hot, stalled, signups, voicemails } = audit;
    Ok(Reply(LeadAudit {
        as_of: as_of.into(),
        window_hours,
        stalled_days,
        hot_score,
        totals: PipelineTotals { leads: by_status.values().sum(), new_in_window: new, by_status },
        hot_leads: hot.into(),
        stalled_leads: stalled.into(),
        signups: signups.into(),
        voicemails: voicemails.into(),
    }))
}

/// So many hours before; the beginning of time if there is no such moment.
fn earlier(time: Timestamp, hours: i64) -> Timestamp {
    time.checked_sub(SignedDuration::from_hours(hours)).unwrap_or(Timestamp::MIN)
}

async fn history_of(
    caller: Caller<LeadsRead>,
    State(api): State<Api>,
    Query(query): Query<LeadHistoryQuery>,
) -> Result<Reply<LeadHistory>, ApiError> {
    let (tenancy, id) = (caller.tenancy().clone(), found(query.lead_id.known(), "lead")?);
    let page = page(query.limit, query.after);
    let read = api
        .read(move |tx| {
            Box::pin(async move {
                let Some(lead) = store::leads::get(tx, &tenancy, id).await? else { return Ok(None) };
                let changes = store::leads::history::of_lead(tx, &tenancy, &lead, &page).await?;
                Ok(Some((lead.id, changes)))
            })
        })
        .await?;
    let (lead_id, listed) = found(read, "lead")?;
    let changes = listed.rows.into_iter().map(LeadChangeRow::from).collect();
    Ok(Reply(LeadHistory { lead_id: lead_id.into(), changes, has_more: listed.has_more }))
}

async fn merge(
    caller: Caller<LeadsWrite>,
    State(api): State<Api>,
    key: IdempotencyKey,
    Body { input, bytes }: Body<LeadMerge>,
) -> Result<Once<LeadMerged, 200>, ApiError> {
    let into = found(input.id.known(), "lead")?;
    let from = found(input.merge_lead_id.known(), "lead")?;
    let body = move |merged: &Merged| LeadMerged {
        success: true,
        merged: merged.is_new,
        calls_moved: merged.calls_moved,
        merged_id: from.into(),
        lead: merged.lead.clone().into(),
    };
    let once = key.once("POST /v1/leads/merge", &bytes, move |merged: &Merged| kept(200, &body(merged)));
    let merged = merge_leads(api.app(), caller.tenancy(), into, from, caller.author(), once).await;
    match merged.map_err(refused)? {
        app::idempotency::Once::New(merged) => Ok(Once::Now(body(&merged))),
        app::idempotency::Once::Repeated(earlier) => repeated(earlier),
    }
}
