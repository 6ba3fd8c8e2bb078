//! Workspaces: the businesses that a key reaches, and making another one.

use app::idempotency::KeptAnswer;
use app::setup::AccountError;
use app::workspaces::{AddedWorkspace, NewWorkspace};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::BusinessId;
use domain::business::ConsentRule;
use http::Method;
use schemars::{JsonSchema, SchemaGenerator};
use serde::Serialize;
use serde_json::{Map, Value, json};
use store::StoreError;
use store::workspaces::Workspace;

use crate::Api;
use crate::answer::{OneOrPage, Reply, Stamp, Uid, found};
use crate::caller::{Caller, WorkspacesRead, WorkspacesWrite};
use crate::error::{ApiError, Code};
use crate::idempotency::{IdempotencyKey, Once, Replay, kept, repeated};
use crate::input::{
    Body, Change, Field, Id, Line, Object, Parcel, Phone, Problem, Query, Whole, Zone, input,
};
use crate::route::{Describe, Operation, Route};

/// The largest object that is kept with a workspace, in bytes of JSON.
const OBJECT: usize = 16_384;

pub(crate) fn routes() -> Vec<Route> {
    let path = "/api/v1/workspaces";
    let id = "01940000-0000-7000-8000-000000000001";
    let time = "2026-02-15T14:30:00.000000Z";
    let workspace = json!({
        "id": id, "business_id": id, "name": "Smith & Partners", "lifecycle_state": "active", "external_ref": "crm-17",
        "metadata": {}, "timezone": "America/Chicago", "phone": "+15125550100", "disclose_ai": false, "disclose_recording": false,
        "daily_budget_cents": 5000, "consent_required": "off", "max_attempts_per_day": null, "max_attempts_per_week": null,
        "created_at": time, "updated_at": time,
    });
    let mut changed = workspace.clone();
    changed["success"] = json!(true);
    vec![
        Route::new(Method::GET, path, "workspaces.read", read)
            .about("List workspaces, or read one", "The businesses that the key reaches. With `id` the answer is that one itself.")
            .refuses(&[Code::NotFound])
            .example(None, json!({ "workspaces": [workspace], "has_more": false })),
        Route::new(Method::POST, path, "workspaces.create", create)
            .about(
                "Make a workspace",
                "Makes another business of the key's owner. A key that is bound to one business cannot. With an `external_ref` that the owner \
                 has used before the answer is 200 with that workspace, and nothing is made.",
            )
            .refuses(&[Code::Forbidden, Code::Conflict])
            .example(Some(json!({ "name": "Smith & Partners", "external_ref": "crm-17" })), workspace),
        Route::new(Method::PATCH, path, "workspaces.update", change)
            .about(
                "Change a workspace",
                "Only the fields sent change; `metadata` is merged key by key, and a null value deletes its key. A budget counts from the next call \
                 on: what the calls of the day have cost so far counts against it.",
            )
            .refuses(&[Code::NotFound, Code::Conflict])
            .example(Some(json!({ "id": id, "timezone": "America/Chicago", "daily_budget_cents": 5000 })), changed),
    ]
}

input! {
    /// Which workspace to read.
    pub struct WorkspacesQuery {
        /// Read this one workspace.
        id: Option<Id<BusinessId>> = "id",
    }

    /// A workspace to make.
    pub struct NewWorkspaceBody {
        /// Name of the business, as agents say it.
        name: Line<1, 200> = "name",
        /// Data of your own, stored with the workspace and never interpreted.
        metadata: Option<Object<OBJECT>> = "metadata",
        /// What your own program calls it; the same one again makes no second workspace.
        external_ref: Option<Line<1, 200>> = "external_ref" | "externalRef",
        /// Time zone of the business by its IANA name; `UTC` by default.
        timezone: Option<Zone> = "timezone",
    }

    /// Changes to a workspace.
    pub struct WorkspaceChanges {
        /// Id of the workspace to change.
        id: Id<BusinessId> = "id",
        /// Name of the business, as agents say it.
        name: Parcel<Line<1, 200>> = "name",
        /// Data of your own; merged with the stored data key by key.
        metadata: Parcel<Object<OBJECT>> = "metadata",
        /// What your own program calls it.
        external_ref: Change<Line<1, 200>> = "external_ref" | "externalRef",
        /// Time zone of the business by its IANA name. Days of budgets begin and end in it.
        timezone: Parcel<Zone> = "timezone",
        /// Office number, which agents name; null for none.
        phone: Change<Phone> = "phone",
        /// Whether agents say before anything else that they are an AI.
        disclose_ai: Parcel<bool> = "disclose_ai",
        /// Whether agents say before anything else that the call is recorded.
        disclose_recording: Parcel<bool> = "disclose_recording",
        /// What all live calls of a day may cost together, in cents; null for no budget.
        daily_budget_cents: Change<Whole<0, 1_000_000_000>> = "daily_budget_cents",
        /// Which live calls need consent on record: `off` (none), `marketing` (all that are not said to be a `service`) or `always`.
        consent_required: Parcel<ConsentChoice> = "consent_required",
        /// How often one number may be called within 24 hours, in live mode; null for no limit.
        max_attempts_per_day: Change<Whole<1, 1_000>> = "max_attempts_per_day",
        /// How often one number may be called within seven days, in live mode; null for no limit.
        max_attempts_per_week: Change<Whole<1, 1_000>> = "max_attempts_per_week",
        /// Not supported here: a workspace is always active.
        action: Option<Unsupported> = "action",
    }
}

/// Which calls need consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConsentChoice(ConsentRule);

impl Field for ConsentChoice {
    fn read(value: Value) -> Result<Self, Problem> {
        let known = value.as_str().and_then(ConsentRule::parse);
        known.map(Self).ok_or_else(|| Problem::new("", "expected off, marketing or always"))
    }

    fn schema(_: &mut SchemaGenerator) -> Value {
        let words: Vec<&str> = ConsentRule::ALL.iter().map(|word| word.as_str()).collect();
        json!({ "type": "string", "enum": words })
    }
}

/// A field that hosted services have and this server has not: whoever sends it is told so, because ignoring it would be dangerous.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unsupported;

impl Field for Unsupported {
    fn read(_: Value) -> Result<Self, Problem> {
        Err(Problem::new("", "not supported: workspaces cannot be paused, canceled or torn down here"))
    }

    fn schema(_: &mut SchemaGenerator) -> Value {
        json!({ "not": {} })
    }
}

/// A business.
#[derive(Debug, Serialize, JsonSchema)]
pub struct WorkspaceBody {
    id: Uid,
    /// The same as `id`: a workspace is a business.
    business_id: Uid,
    name: String,
    /// Always `active`.
    lifecycle_state: &'static str,
    external_ref: Option<String>,
    metadata: Map<String, Value>,
    timezone: String,
    /// Office number, which agents name.
    phone: Option<String>,
    /// Whether agents say before anything else that they are an AI.
    disclose_ai: bool,
    /// Whether agents say before anything else that the call is recorded.
    disclose_recording: bool,
    /// What all live calls of a day may cost together, in cents; null if there is no budget.
    daily_budget_cents: Option<u64>,
    /// Which live calls need consent on record: `off`, `marketing` or `always`.
    consent_required: &'static str,
    /// How often one number may be called within 24 hours, in live mode; null if there is no limit.
    max_attempts_per_day: Option<u32>,
    /// How often one number may be called within seven days, in live mode; null if there is no limit.
    max_attempts_per_week: Option<u32>,
    created_at: Stamp,
    updated_at: Stamp,
}

/// A workspace after a change.
#[derive(Debug, Serialize, JsonSchema)]
pub struct WorkspaceChanged {
    /// Always true.
    success: bool,
    #[serde(flatten)]
    workspace: WorkspaceBody,
}

/// All businesses that the key reaches.
#[derive(Debug, Serialize, JsonSchema)]
pub struct WorkspaceList {
    workspaces: Vec<WorkspaceBody>,
    /// Always false: the list is whole.
    has_more: bool,
}

impl From<Workspace> for WorkspaceBody {
    fn from(workspace: Workspace) -> Self {
        let Workspace { business, external_ref, metadata, updated_at } = workspace;
        Self {
            id: business.id.into(),
            business_id: business.id.into(),
            name: business.name,
            lifecycle_state: "active",
            external_ref,
            metadata,
            timezone: business.timezone,
            phone: business.phone.as_ref().map(ToString::to_string),
            disclose_ai: business.disclosures.ai,
            disclose_recording: business.disclosures.recording,
            daily_budget_cents: business.limits.daily_budget_cents,
            consent_required: business.limits.consent.as_str(),
            max_attempts_per_day: business.limits.attempts_per_day,
            max_attempts_per_week: business.limits.attempts_per_week,
            created_at: business.created_at.into(),
            updated_at: updated_at.into(),
        }
    }
}

/// 201 for a workspace that was made, 200 for one that was there.
#[derive(Debug)]
struct MadeOrKnown(Once<WorkspaceBody>);

impl IntoResponse for MadeOrKnown {
    fn into_response(self) -> Response {
        self.0.into_response()
    }
}

impl Describe for MadeOrKnown {
    fn describe(operation: &mut Operation, generator: &mut SchemaGenerator) {
        Once::<WorkspaceBody>::describe(operation, generator);
        operation.answers_json::<WorkspaceBody>(200, generator);
    }
}

fn answer(added: &AddedWorkspace) -> KeptAnswer {
    match added {
        AddedWorkspace::Made(made) => kept(201, &WorkspaceBody::from(made.clone())),
        AddedWorkspace::Known(known) => kept(200, &WorkspaceBody::from(known.clone())),
    }
}

async fn read(
    caller: Caller<WorkspacesRead>,
    State(api): State<Api>,
    Query(query): Query<WorkspacesQuery>,
) -> Result<Reply<OneOrPage<WorkspaceBody, WorkspaceList>>, ApiError> {
    let tenancy = caller.tenancy().clone();
    if let Some(id) = &query.id {
        let id = found(id.known(), "workspace")?;
        let one = api
            .read(move |tx| Box::pin(async move { store::workspaces::get(tx, &tenancy, id).await }))
            .await?;
        return Ok(Reply(OneOrPage::One(Box::new(found(one, "workspace")?.into()))));
    }
    let all = api.read(move |tx| Box::pin(async move { store::workspaces::all(tx, &tenancy).await })).await?;
    let workspaces = all.into_iter().map(WorkspaceBody::from).collect();
    Ok(Reply(OneOrPage::Page(WorkspaceList { workspaces, has_more: false })))
}

async fn create(
    caller: Caller<WorkspacesWrite>,
    State(api): State<Api>,
    key: IdempotencyKey,
    Body { input, bytes }: Body<NewWorkspaceBody>,
) -> Result<MadeOrKnown, ApiError> {
    if caller.key().key_business_id.is_some() {
        let message =
            "this key is bound to one business; a key that reaches all of its owner's can make another";
        return Err(ApiError::new(Code::Forbidden, message));
    }
    let new = NewWorkspace {
        name: input.name.into_inner(),
        external_ref: input.external_ref.map(|name| name.into_inner().trim().to_owned()),
        metadata: input.metadata.map(|metadata| metadata.0).unwrap_or_default(),
        timezone: input.timezone.map_or_else(|| "UTC".to_owned(), Zone::into_inner),
    };
    let once = key.once("POST /v1/workspaces", &bytes, answer);
    let owner = caller.key().user_id;
    match app::workspaces::add(&caller.acting(&api), caller.mode(), owner, new, once)
        .await
        .map_err(refused)?
    {
        app::idempotency::Once::New(added) => Ok(MadeOrKnown(Once::Kept(answer(&added), Replay::First))),
        app::idempotency::Once::Repeated(earlier) => repeated(earlier).map(MadeOrKnown),
    }
}

async fn change(
    caller: Caller<WorkspacesWrite>,
    State(api): State<Api>,
    Body { input, .. }: Body<WorkspaceChanges>,
) -> Result<Reply<WorkspaceChanged>, ApiError> {
    let id = found(input.id.known(), "workspace")?;
    let owner = caller.key().user_id;
    let apply = move |workspace: &mut Workspace| changes(input, workspace);
    let changed = app::workspaces::change(&caller.acting(&api), caller.tenancy(), owner, id, apply).await;
    let workspace = found(changed.map_err(refused)?, "workspace")?.into();
    Ok(Reply(WorkspaceChanged { success: true, workspace }))
}

fn changes(sent: WorkspaceChanges, workspace: &mut Workspace) {
    let business = &mut workspace.business;
    if let Some(name) = sent.name.0 {
        name.into_inner().trim().clone_into(&mut business.name);
    }
    if let Some(metadata) = sent.metadata.0 {
        domain::agent::merge(&mut workspace.metadata, metadata.0);
    }
    sent.external_ref.map(|name| name.into_inner().trim().to_owned()).apply(&mut workspace.external_ref);
    if let Some(zone) = sent.timezone.0 {
        business.timezone = zone.into_inner();
    }
    sent.phone.map(|phone| phone.0).apply(&mut business.phone);
    let disclosures = &mut business.disclosures;
    disclosures.ai = sent.disclose_ai.0.unwrap_or(disclosures.ai);
    disclosures.recording = sent.disclose_recording.0.unwrap_or(disclosures.recording);
    let limits = &mut business.limits;
    sent.daily_budget_cents.map(|cents| cents.0.unsigned_abs()).apply(&mut limits.daily_budget_cents);
    limits.consent = sent.consent_required.0.map_or(limits.consent, |choice| choice.0);
    sent.max_attempts_per_day.map(times).apply(&mut limits.attempts_per_day);
    sent.max_attempts_per_week.map(times).apply(&mut limits.attempts_per_week);
}

fn times(number: Whole<1, 1_000>) -> u32 {
    u32::try_from(number.0).unwrap_or(u32::MAX)
}

fn refused(error: AccountError) -> ApiError {
    match error {
        AccountError::BusinessName => {
            ApiError::invalid_field("name", "expected 1 to 200 characters in one line")
        }
        AccountError::Timezone(_) => {
            ApiError::invalid_field("timezone", "expected an IANA name like America/Chicago")
        }
        AccountError::Store(StoreError::Conflict(_)) => {
            ApiError::new(Code::Conflict, "another workspace has this `external_ref`")
        }
        AccountError::Store(error) => error.into(),
        other => ApiError::internal(other),
    }
}
