//! Who asks: the argument that lets a request in.
//!
//! A handler that takes `Caller<CallsWrite>` cannot run without that scope, and the published document learns the scope from
//! the same type. Checks happen in one order everywhere: key (401), rate (429), scope (403); the body is looked at later, by
//! the arguments that follow. Every key is answered alike until it has proved itself, and costs storage nothing before its
//! checksum is right.

use std::marker::PhantomData;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::FromRequestParts;
use domain::api_key::PlainKey;
use domain::{BusinessId, CallId, Mode, Scope, Timestamp};
use http::HeaderMap;
use http::header::AUTHORIZATION;
use http::request::Parts;
use schemars::SchemaGenerator;
use store::keys::Authenticated;
use store::{StoreError, Tenancy};

use crate::Api;
use crate::error::{ApiError, Code};
use crate::input::Id;
use crate::limits::{Group, Subject, Verdict};
use crate::route::{Access, Describe, Operation};

/// A scope as a type.
pub trait ScopeMarker: Send + Sync + 'static {
    /// The scope; `None` for routes that any valid key may use.
    const SCOPE: Option<Scope>;
}

macro_rules! scope_markers {
    ($($name:ident = $scope:expr),* $(,)?) => {$(
        #[doc = concat!("`", stringify!($name), "` as a type.")]
        #[derive(Debug, Clone, Copy)]
        pub struct $name;

        impl ScopeMarker for $name {
            const SCOPE: Option<Scope> = $scope;
        }
    )*};
}

scope_markers! {
    AnyKey = None,
    AgentsRead = Some(Scope::AgentsRead),
    AgentsWrite = Some(Scope::AgentsWrite),
    NumbersRead = Some(Scope::NumbersRead),
    CallsRead = Some(Scope::CallsRead),
    CallsWrite = Some(Scope::CallsWrite),
    LeadsRead = Some(Scope::LeadsRead),
    LeadsWrite = Some(Scope::LeadsWrite),
}

/// A key that passed every check, with the scope `S`.
#[derive(Debug, Clone)]
pub struct Caller<S> {
    key: Arc<Authenticated>,
    record: Arc<RequestRecord>,
    now: Timestamp,
    scope: PhantomData<fn() -> S>,
}

impl<S> Caller<S> {
    /// What it may see.
    pub fn tenancy(&self) -> &Tenancy {
        &self.key.tenancy
    }

    /// Live or test.
    pub fn mode(&self) -> Mode {
        self.key.mode
    }

    /// The key itself.
    pub fn key(&self) -> &Authenticated {
        &self.key
    }

    /// When the request came in.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Notes in the usage log that this request placed a call.
    pub fn placed(&self, call: CallId) {
        self.record.note(|known| known.call_id = Some(call));
    }

    /// A business that the request names. Unknown and foreign ones are refused alike.
    pub fn business(&self, wanted: &Id<BusinessId>) -> Result<BusinessId, ApiError> {
        wanted
            .known()
            .filter(|&business| self.tenancy().covers(business))
            .ok_or_else(ApiError::foreign_business)
    }

    /// The business that a list is narrowed to, if it is.
    pub fn narrowed_to(&self, wanted: Option<&Id<BusinessId>>) -> Result<Option<BusinessId>, ApiError> {
        wanted.map(|id| self.business(id)).transpose()
    }
}

impl<S: ScopeMarker> FromRequestParts<Api> for Caller<S> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, ApiError> {
        let record = RequestRecord::of(parts);
        let now = api.app().now();
        let key = Arc::new(authenticate(api, &parts.headers, now).await?);
        let verdict = api.limits().take(Subject::Key(key.key_id), record.group(), now);
        record.know(Known { key: Arc::clone(&key), received_at: now, call_id: None });
        record.count(verdict)?;
        match S::SCOPE {
            Some(scope) if !key.scopes.grants(scope) => Err(ApiError::missing_scope(scope)),
            _ => Ok(Self { key, record, now, scope: PhantomData }),
        }
    }
}

impl<S: ScopeMarker> Describe for Caller<S> {
    fn describe(operation: &mut Operation, _: &mut SchemaGenerator) {
        operation.access = Access::Key(S::SCOPE);
        operation.codes.extend([Code::Unauthorized, Code::RateLimited]);
        if S::SCOPE.is_some() {
            operation.codes.insert(Code::Forbidden);
        }
    }
}

async fn authenticate(api: &Api, headers: &HeaderMap, now: Timestamp) -> Result<Authenticated, ApiError> {
    let plain = presented(headers).and_then(PlainKey::parse).ok_or_else(ApiError::no_key)?;
    let hash = app::keys::hash(api.app(), &plain);
    let known: Option<Authenticated> = api
        .app()
        .store()
        .read(move |tx| Box::pin(async move { store::keys::authenticate(tx, &hash, now).await }))
        .await
        .map_err(|error: StoreError| ApiError::from(error))?;
    known.ok_or_else(ApiError::no_key)
}

/// The key that came with the request, by either header.
fn presented(headers: &HeaderMap) -> Option<&str> {
    if let Some(authorization) = headers.get(AUTHORIZATION) {
        let (scheme, key) = authorization.to_str().ok()?.trim().split_once(' ')?;
        return scheme.eq_ignore_ascii_case("bearer").then_some(key.trim());
    }
    headers.get("x-kaicalls-api-key")?.to_str().ok().map(str::trim)
}

/// What is known of a request while it runs: shared between its handler and the layer that logs, counts and answers it.
#[derive(Debug)]
pub(crate) struct RequestRecord {
    group: Group,
    known: Mutex<Option<Known>>,
    verdict: Mutex<Option<Verdict>>,
}

/// A request whose key is known; it goes into the usage log.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) key: Arc<Authenticated>,
    pub(crate) received_at: Timestamp,
    pub(crate) call_id: Option<CallId>,
}

impl RequestRecord {
    pub(crate) fn new(group: Group) -> Self {
        Self { group, known: Mutex::default(), verdict: Mutex::default() }
    }

    /// The record that the outermost layer attached.
    pub(crate) fn of(parts: &Parts) -> Arc<Self> {
        parts.extensions.get::<Arc<Self>>().cloned().expect("the router's outermost layer attaches a record")
    }

    pub(crate) fn group(&self) -> Group {
        self.group
    }

    /// Keeps what the rate limit said; refuses if it said no.
    pub(crate) fn count(&self, verdict: Verdict) -> Result<(), ApiError> {
        *self.verdict.lock().unwrap_or_else(PoisonError::into_inner) = Some(verdict);
        if verdict.allowed { Ok(()) } else { Err(ApiError::rate_limited(verdict.limit, verdict.reset_s)) }
    }

    pub(crate) fn verdict(&self) -> Option<Verdict> {
        *self.verdict.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn known(&self) -> Option<Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn know(&self, known: Known) {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(known);
    }

    fn note(&self, change: impl FnOnce(&mut Known)) {
        if let Some(known) = self.known.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            change(known);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn keys_are_found_in_either_header_and_with_any_spelling_of_the_scheme() {
        let check = |name: &'static str, value: &str, expected: Option<&str>| {
            let mut headers = HeaderMap::new();
            headers.insert(name, HeaderValue::from_str(value).expect("visible ASCII"));
            assert_eq!(presented(&headers), expected, "{name}: {value}");
        };
        check("authorization", "Bearer kc_live_1", Some("kc_live_1"));
        check("authorization", "bearer  kc_live_1 ", Some("kc_live_1"));
        check("authorization", "BEARER kc_live_1", Some("kc_live_1"));
        check("authorization", "Basic kc_live_1", None);
        check("authorization", "kc_live_1", None);
        check("x-kaicalls-api-key", "kc_live_1", Some("kc_live_1"));
    }
}
