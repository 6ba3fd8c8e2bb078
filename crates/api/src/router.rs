//! The table of routes, and the router made from it.

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::{FromRequestParts as _, Request, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, get};
use http::Method;
use web::Web;
use web::limits::Group;
use web::request::{Entry, observed};

use crate::caller::{AnyKey, Caller};
use crate::error::ApiError;
use crate::route::Route;
use crate::{Api, options, session, v1};

/// Every route, in the order of the published document.
pub fn routes() -> Vec<Route> {
    let mut table = v1::routes();
    table.extend(session::routes());
    table
}

/// The router. Unknown paths, wrong methods and panics answer in the shape of every refusal; nothing redirects.
pub fn router(api: &Api) -> Router {
    beside(api, Router::new(), |unknown| unknown)
}

/// The same with routes of others beside ours, in one table, so that a request is looked up once. What answers unknown paths is handed to
/// `wrap`, which may put a layer around it.
pub fn beside(api: &Api, others: Router, wrap: impl FnOnce(Router) -> Router) -> Router {
    let mut by_path: BTreeMap<&'static str, MethodRouter<Api>> = BTreeMap::new();
    for route in routes() {
        let handlers = by_path.remove(route.path).unwrap_or_default();
        by_path.insert(route.path, handlers.merge(route.handler));
    }
    let mut known = Router::new();
    for (path, handlers) in by_path {
        let allow = api.routes().allow(path).expect("the index is made from the same table");
        known = known.route(path, handlers.fallback(async move |method| unanswered(&method, &allow)));
    }
    let yaml = get(v1::openapi::read_yaml).fallback(async |method| unanswered(&method, "GET, HEAD, OPTIONS"));
    let known = known.route(v1::openapi::YAML_PATH, yaml);
    let unknown = surrounded(api, Router::new().fallback(unknown));
    surrounded(api, known).merge(others).fallback_service(wrap(unknown))
}

/// Puts around routes of the API what all of them share.
fn surrounded(api: &Api, routes: Router<Api>) -> Router {
    let mut routes = observed(routes, api.clone());
    if !api.settings().cors_origins.is_empty() {
        routes = routes.layer(axum::middleware::from_fn_with_state(api.clone(), options::share));
    }
    routes.with_state(api.clone())
}

/// Methods for which a path has no handler.
fn unanswered(method: &Method, allow: &str) -> Response {
    if *method == Method::OPTIONS {
        options::answer(allow)
    } else {
        ApiError::method_not_allowed(allow).into_response()
    }
}

/// Routes that the public API opens to everybody; a client without a key learns that this server lacks them.
const KEYLESS: [&str; 1] = ["/api/v1/wordpress/plugin/download"];

/// Where there is no route. Below `/api/` only whoever has a key is told so.
async fn unknown(State(api): State<Api>, request: Request) -> ApiError {
    let path = request.uri().path();
    if path.starts_with("/api/") && !KEYLESS.contains(&path) && request.method() != Method::OPTIONS {
        let (mut parts, _) = request.into_parts();
        if let Err(refusal) = Caller::<AnyKey>::from_request_parts(&mut parts, &api).await {
            return refusal;
        }
    }
    ApiError::unknown_route()
}

impl Entry for Api {
    fn web(&self) -> &Web {
        Self::web(self)
    }

    fn group(&self, method: &Method, path: &str) -> Option<Group> {
        self.routes().group(method, path)
    }

    fn panicked(&self) -> Response {
        ApiError::panicked().into_response()
    }
}

/// Finds routes by method and path.
pub(crate) struct RouteIndex(BTreeMap<&'static str, Vec<(Method, Group)>>);

impl RouteIndex {
    pub(crate) fn new() -> Self {
        let mut index: BTreeMap<&'static str, Vec<(Method, Group)>> = BTreeMap::new();
        for route in routes() {
            index.entry(route.path).or_default().push((route.method, route.group));
        }
        Self(index)
    }

    /// The limit that a route counts towards; HEAD is served by GET.
    fn group(&self, method: &Method, path: &str) -> Option<Group> {
        if path == v1::openapi::YAML_PATH {
            return Some(Group::Read);
        }
        let wanted = if method == Method::HEAD { &Method::GET } else { method };
        self.0.get(path)?.iter().find(|(method, _)| method == wanted).map(|&(_, group)| group)
    }

    /// The methods of a path, for `Allow`.
    pub(crate) fn allow(&self, path: &str) -> Option<String> {
        let methods: Vec<&str> = self.0.get(path)?.iter().map(|(method, _)| method.as_str()).collect();
        let head = methods.contains(&"GET").then_some("HEAD");
        Some(methods.into_iter().chain(head).chain(["OPTIONS"]).collect::<Vec<_>>().join(", "))
    }
}
