//! API keys, for people who are logged in. A key can neither make keys nor see them.

use axum::extract::State;
use domain::{BusinessId, KeyId, Mode, Scope, ScopeSet};
use http::Method;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use store::keys::Key;

use crate::Api;
use crate::answer::{Created, Reply, Stamp, Success, Uid, found};
use crate::error::{ApiError, Code};
use crate::input::{Body, Cursor, Field, Id, Limit, Line, Problem, Query, Time, input, page};
use crate::route::Route;
use crate::session::LoggedIn;

pub(crate) fn routes() -> Vec<Route> {
    let path = "/api/v1/keys";
    let id = "01940000-0000-7000-8000-000000000061";
    let scopes = json!(["agents:read", "numbers:read", "calls:read", "calls:write"]);
    let listed = json!({ "keys": [{
        "id": id, "prefix": "kc_live_abc1", "name": "Production", "mode": "live", "scopes": scopes, "business_id": null,
        "created_at": "2026-02-15T14:30:00.000000Z", "last_used_at": null, "expires_at": null, "is_active": true,
    }], "has_more": false });
    let made = json!({
        "key": "kc_live_abc1…", "id": id, "prefix": "kc_live_abc1", "name": "Production", "mode": "live", "scopes": scopes,
        "business_id": null, "created_at": "2026-02-15T14:30:00.000000Z", "expires_at": null,
    });
    vec![
        Route::new(Method::GET, path, "keys.list", list)
            .about("List API keys", "The user's keys, revoked ones included, newest first.")
            .example(None, listed),
        Route::new(Method::POST, path, "keys.create", create)
            .about(
                "Create an API key",
                "`key` is shown in this answer and never again. The login must not be older than ten minutes; after that the answer is 403.",
            )
            .example(Some(json!({ "name": "Production", "scopes": scopes })), made),
        Route::new(Method::DELETE, path, "keys.revoke", revoke)
            .about(
                "Revoke an API key",
                "The key has stopped working when the answer arrives. Revoking it again changes nothing.",
            )
            .refuses(&[Code::NotFound])
            .example(None, json!({ "success": true })),
    ]
}

input! {
    /// Which keys to list.
    pub struct KeysQuery {
        /// Largest number of rows in the answer.
        limit: Limit<50, 100> = "limit",
        /// Only rows created before this time; take the `created_at` of the last row of the page before.
        after: Option<Cursor> = "after",
    }

    /// A key to create.
    pub struct NewKey {
        /// Name of the key, shown in lists; `Untitled Key` by default.
        name: Option<Line<0, 200>> = "name",
        /// `live` for real calls (the default), `test` for sandbox calls.
        mode: Option<ModeName> = "mode",
        /// Scopes that the key grants; `agents:read`, `numbers:read`, `calls:read` and `calls:write` by default.
        scopes: Option<Scopes> = "scopes",
        /// Id of the only business that the key can reach; by default all businesses of the user.
        business_id: Option<Id<BusinessId>> = "business_id",
        /// Time at which the key stops working; never by default.
        expires_at: Option<Time> = "expires_at",
    }

    /// Which key to revoke.
    pub struct RevokeQuery {
        /// Id of the key to revoke.
        id: Id<KeyId> = "id",
    }
}

/// `live` for real calls, `test` for sandbox calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModeName(pub Mode);

impl Field for ModeName {
    fn read(value: Value) -> Result<Self, Problem> {
        let mode = value.as_str().and_then(Mode::parse);
        mode.map(Self).ok_or_else(|| Problem::new("", "expected `live` or `test`"))
    }

    fn schema(_: &mut schemars::SchemaGenerator) -> Value {
        json!({ "type": "string", "enum": ["live", "test"] })
    }
}

/// A list of scopes with at least one in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scopes(pub ScopeSet);

impl Field for Scopes {
    fn read(value: Value) -> Result<Self, Problem> {
        let Value::Array(names) = value else { return Err(Problem::new("", "expected a list of scopes")) };
        let scopes: Option<Vec<Scope>> =
            names.iter().map(|name| name.as_str().and_then(Scope::parse)).collect();
        match scopes {
            Some(scopes) if !scopes.is_empty() => Ok(Self(ScopeSet::new(scopes))),
            Some(_) => Err(Problem::new("", "expected at least one scope")),
            None => {
                let known: Vec<&str> = Scope::ALL.iter().map(|scope| scope.as_str()).collect();
                Err(Problem::new("", format!("expected scopes out of {}", known.join(", "))))
            }
        }
    }

    fn schema(_: &mut schemars::SchemaGenerator) -> Value {
        let known: Vec<&str> = Scope::ALL.iter().map(|scope| scope.as_str()).collect();
        json!({ "type": "array", "minItems": 1, "items": { "type": "string", "enum": known } })
    }
}

/// An API key, without its secret.
#[derive(Debug, Serialize, JsonSchema)]
pub struct KeyBody {
    id: Uid,
    /// First twelve characters of the secret, to recognise the key by.
    prefix: String,
    name: String,
    /// `live` for real calls, `test` for sandbox calls.
    mode: &'static str,
    scopes: Vec<String>,
    business_id: Option<Uid>,
    created_at: Stamp,
    last_used_at: Option<Stamp>,
    expires_at: Option<Stamp>,
    /// False if the key has been revoked or has expired.
    is_active: bool,
}

/// A page of keys.
#[derive(Debug, Serialize, JsonSchema)]
pub struct KeyList {
    keys: Vec<KeyBody>,
    has_more: bool,
}

/// A key that has just been created.
#[derive(Debug, Serialize, JsonSchema)]
pub struct KeyCreated {
    /// The secret itself. It is shown in this answer and never again.
    key: String,
    id: Uid,
    prefix: String,
    name: String,
    mode: &'static str,
    scopes: Vec<String>,
    business_id: Option<Uid>,
    created_at: Stamp,
    expires_at: Option<Stamp>,
}

fn names(scopes: &ScopeSet) -> Vec<String> {
    scopes.iter().map(|scope| scope.as_str().to_owned()).collect()
}

async fn list(
    LoggedIn(user): LoggedIn,
    State(api): State<Api>,
    Query(query): Query<KeysQuery>,
) -> Result<Reply<KeyList>, ApiError> {
    let (user_id, page, now) = (user.user_id, page(query.limit, query.after), api.app().now());
    let listed = app::keys::list(api.app(), user_id, page).await?;
    let body = |key: Key| KeyBody {
        id: key.id.into(),
        prefix: key.prefix,
        name: key.name,
        mode: key.mode.as_str(),
        scopes: names(&key.scopes),
        business_id: key.business_id.map(Uid::from),
        created_at: key.created_at.into(),
        last_used_at: key.last_used_at.map(Stamp),
        expires_at: key.expires_at.map(Stamp),
        is_active: key.revoked_at.is_none() && key.expires_at.is_none_or(|expires_at| expires_at > now),
    };
    Ok(Reply(KeyList { keys: listed.rows.into_iter().map(body).collect(), has_more: listed.has_more }))
}

async fn create(
    LoggedIn(user): LoggedIn,
    State(api): State<Api>,
    Body { input, .. }: Body<NewKey>,
) -> Result<Created<KeyCreated>, ApiError> {
    user.certain()?;
    let business_id = match &input.business_id {
        Some(id) => Some(id.known().ok_or_else(ApiError::foreign_business)?),
        None => None,
    };
    let expires_at = input.expires_at.map(|time| time.0);
    if expires_at.is_some_and(|expires_at| expires_at <= api.app().now()) {
        return Err(ApiError::invalid_field("expires_at", "expected a time in the future"));
    }
    let name = input.name.map(Line::into_inner).filter(|name| !name.trim().is_empty());
    let new = app::keys::NewKey {
        name: name.unwrap_or_else(|| "Untitled Key".to_owned()),
        mode: input.mode.map_or(Mode::Live, |mode| mode.0),
        scopes: input.scopes.map_or_else(ScopeSet::default_for_keys, |scopes| scopes.0),
        business_id,
        expires_at,
    };
    let made =
        app::keys::create(&user.acting(api.web()), user.user_id, new).await.map_err(|error| match error {
            app::keys::KeyError::ForeignBusiness => ApiError::foreign_business(),
            app::keys::KeyError::BeyondRole => ApiError::new(
                Code::Forbidden,
                "the user may look at this business and change nothing in it, so neither can a key of theirs",
            ),
            app::keys::KeyError::Store(error) => error.into(),
        })?;
    let key = made.key;
    Ok(Created(KeyCreated {
        key: made.plain,
        id: key.id.into(),
        prefix: key.prefix,
        name: key.name,
        mode: key.mode.as_str(),
        scopes: names(&key.scopes),
        business_id: key.business_id.map(Uid::from),
        created_at: key.created_at.into(),
        expires_at: key.expires_at.map(Stamp),
    }))
}

async fn revoke(
    LoggedIn(user): LoggedIn,
    State(api): State<Api>,
    Query(query): Query<RevokeQuery>,
) -> Result<Reply<Success>, ApiError> {
    let id = found(query.id.known(), "key")?;
    let existed = app::keys::revoke(&user.acting(api.web()), user.user_id, id).await?;
    found(existed.then_some(()), "key")?;
    Ok(Reply(Success { success: true }))
}
