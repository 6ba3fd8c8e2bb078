//! What a key may do and reach: for programs, and agents that are programs, which have been handed a key and nothing else.

use axum::extract::State;
use domain::{BusinessId, Scope, ScopeSet};
use http::Method;
use schemars::{JsonSchema, SchemaGenerator};
use serde::Serialize;
use serde_json::json;
use web::RateLimits;
use web::limits::Group;

use crate::Api;
use crate::answer::{Reply, Stamp, Uid};
use crate::caller::{AnyKey, Caller};
use crate::error::{ApiError, Code};
use crate::input::{Id, Query, input};
use crate::route::{Access, Route};

pub(crate) fn routes() -> Vec<Route> {
    let example = json!({
        "key": {
            "id": "01940000-0000-7000-8000-000000000061", "prefix": "kc_test_abc1", "name": "CRM", "mode": "test",
            "business_id": null, "expires_at": null,
        },
        "scopes": ["calls:read"],
        "workspaces": [{
            "id": "01940000-0000-7000-8000-000000000001", "name": "Smith & Partners", "lifecycle_state": "active",
        }],
        "endpoints": [
            { "method": "GET", "path": "/api/v1/calls", "scope": "calls:read", "any_of": ["calls:read"], "limit": "read", "available": true },
            { "method": "POST", "path": "/api/v1/calls", "scope": "calls:write", "any_of": ["calls:write"], "limit": "place_call", "available": false },
        ],
        "limits": { "rate_limits": { "place_call": 60, "create_agent": 30, "change_agent": 60, "read": 300, "write": 60, "signup": 0 } },
    });
    vec![
        Route::new(Method::GET, "/api/v1/capabilities", "capabilities.read", read)
            .about(
                "Read what the key can do",
                "The key itself, its scopes, the businesses that it reaches, every route with whether the key opens it, and how many \
                 requests a minute it may send.",
            )
            .refuses(&[Code::Forbidden])
            .example(None, example),
    ]
}

input! {
    /// For which business to answer.
    pub struct CapabilitiesQuery {
        /// Only this business.
        business_id: Option<Id<BusinessId>> = "business_id",
    }
}

/// What a key can do and reach.
#[derive(Debug, Serialize, JsonSchema)]
pub struct KeyCapabilities {
    key: KeyNamed,
    /// Scopes of the key; `*` grants all.
    scopes: Vec<&'static str>,
    /// The businesses that the key reaches.
    workspaces: Vec<WorkspaceNamed>,
    /// Every route of this server.
    endpoints: Vec<EndpointAccess>,
    limits: KeyLimits,
}

/// The key that the request was made with, without its secret.
#[derive(Debug, Serialize, JsonSchema)]
pub struct KeyNamed {
    id: Uid,
    /// First twelve characters of the secret.
    prefix: String,
    name: String,
    /// `live` for real calls, `test` for sandbox calls.
    mode: &'static str,
    /// Id of the only business that the key reaches; null if it reaches all of its owner's.
    business_id: Option<Uid>,
    expires_at: Option<Stamp>,
}

/// A business that the key reaches.
#[derive(Debug, Serialize, JsonSchema)]
pub struct WorkspaceNamed {
    /// Id of the business.
    id: Uid,
    name: String,
    /// Always `active`.
    lifecycle_state: &'static str,
}

/// A route, and whether the key opens it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct EndpointAccess {
    method: String,
    path: &'static str,
    /// The scope that the route needs; null if it needs none.
    scope: Option<&'static str>,
    /// All scopes that open the route; the key needs one of them.
    any_of: Vec<&'static str>,
    /// The name in `limits.rate_limits` that requests count towards.
    limit: &'static str,
    /// Whether the key opens the route. Routes for people who are logged in are opened by no key.
    available: bool,
}

/// Limits of the key.
#[derive(Debug, Serialize, JsonSchema)]
pub struct KeyLimits {
    rate_limits: KeyRateLimits,
}

/// Requests a minute, if nothing else is said.
#[derive(Debug, Serialize, JsonSchema)]
pub struct KeyRateLimits {
    /// Calls to place.
    place_call: u32,
    /// Agents to create.
    create_agent: u32,
    /// Agents to change.
    change_agent: u32,
    /// All GET requests together.
    read: u32,
    /// All other requests together.
    write: u32,
    /// Accounts that one client address may make an hour; nobody can sign up where it is 0.
    signup: u32,
}

impl From<RateLimits> for KeyRateLimits {
    fn from(limits: RateLimits) -> Self {
        let RateLimits { place_call, create_agent, change_agent, read, write, login: _, signup } = limits;
        Self { place_call, create_agent, change_agent, read, write, signup }
    }
}

/// What a route needs, which is the same for all keys.
#[derive(Debug)]
pub(crate) struct Need {
    method: Method,
    path: &'static str,
    access: Access,
    group: Group,
}

impl Need {
    /// The needs of all routes, in the order of the table.
    pub(crate) fn of_all(routes: &[Route]) -> Vec<Self> {
        let mut generator = SchemaGenerator::default();
        let need = |route: &Route| Self {
            method: route.method.clone(),
            path: route.path,
            access: route.operation(&mut generator).access,
            group: route.group,
        };
        routes.iter().map(need).collect()
    }

    fn seen_by(&self, scopes: &ScopeSet) -> EndpointAccess {
        let (any_of, available) = match self.access {
            Access::Open | Access::Link | Access::Key([]) => (&[][..], true),
            Access::Key(any_of) => (any_of, any_of.iter().any(|&scope| scopes.grants(scope))),
            Access::Session => (&[][..], false),
        };
        EndpointAccess {
            method: self.method.to_string(),
            path: self.path,
            scope: any_of.first().map(|scope| scope.as_str()),
            any_of: any_of.iter().map(|scope| scope.as_str()).collect(),
            limit: match self.group {
                Group::PlaceCall => "place_call",
                Group::CreateAgent => "create_agent",
                Group::ChangeAgent => "change_agent",
                Group::Read => "read",
                Group::Write | Group::Login => "write",
                Group::Signup => "signup",
            },
            available,
        }
    }
}

async fn read(
    caller: Caller<AnyKey>,
    State(api): State<Api>,
    Query(query): Query<CapabilitiesQuery>,
) -> Result<Reply<KeyCapabilities>, ApiError> {
    let narrowed = caller.narrowed_to(query.business_id.as_ref())?;
    let key = caller.key();
    let named = app::keys::of_owner(api.app(), key.user_id, key.key_id).await?;
    // A key that is deleted while its last request is answered has stopped working.
    let named = named.ok_or_else(ApiError::no_key)?;
    let person = app::accounts::person(api.app(), key.user_id).await?;
    let businesses = person.map(|(_, businesses)| businesses).unwrap_or_default();
    let reached = businesses.into_iter().map(|(business, _)| business).filter(|business| {
        caller.tenancy().covers(business.id) && narrowed.is_none_or(|only| only == business.id)
    });
    Ok(Reply(KeyCapabilities {
        scopes: named.scopes.iter().map(Scope::as_str).collect(),
        key: KeyNamed {
            id: named.id.into(),
            prefix: named.prefix,
            name: named.name,
            mode: named.mode.as_str(),
            business_id: named.business_id.map(Uid::from),
            expires_at: named.expires_at.map(Stamp),
        },
        workspaces: reached
            .map(|business| WorkspaceNamed {
                id: business.id.into(),
                name: business.name,
                lifecycle_state: "active",
            })
            .collect(),
        endpoints: api.needs().iter().map(|need| need.seen_by(&key.scopes)).collect(),
        limits: KeyLimits { rate_limits: api.web().settings().rate_limits.into() },
    }))
}
