//! Workspaces: the businesses that a key reaches, and making another one.

use app::idempotency::KeptAnswer;
use app::setup::AccountError;
use app::workspaces::{AddedWorkspace, NewWorkspace};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::BusinessId;
use http::Method;
use schemars::{JsonSchema, SchemaGenerator};
use serde::Serialize;
use serde_json::{Map, Value, json};
use store::workspaces::Workspace;

use crate::Api;
use crate::answer::{OneOrPage, Reply, Stamp, Uid, found};
use crate::caller::{Caller, WorkspacesRead, WorkspacesWrite};
use crate::error::{ApiError, Code};
use crate::idempotency::{IdempotencyKey, Once, Replay, kept, repeated};
use crate::input::{Body, Id, Line, Object, Query, Zone, input};
use crate::route::{Describe, Operation, Route};

/// The largest object that is kept with a workspace, in bytes of JSON.
const OBJECT: usize = 16_384;

pub(crate) fn routes() -> Vec<Route> {
    let path = "/api/v1/workspaces";
    let id = "01940000-0000-7000-8000-000000000001";
    let time = "2026-02-15T14:30:00.000000Z";
    let workspace = json!({
        "id": id, "business_id": id, "name": "Smith & Partners", "lifecycle_state": "active", "external_ref": "crm-17",
        "metadata": {}, "timezone": "America/Chicago", "created_at": time, "updated_at": time,
    });
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
    created_at: Stamp,
    updated_at: Stamp,
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

fn refused(error: AccountError) -> ApiError {
    match error {
        AccountError::BusinessName => {
            ApiError::invalid_field("name", "expected 1 to 200 characters in one line")
        }
        AccountError::Timezone(_) => {
            ApiError::invalid_field("timezone", "expected an IANA name like America/Chicago")
        }
        AccountError::Store(error) => error.into(),
        other => ApiError::internal(other),
    }
}
