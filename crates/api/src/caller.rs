//! Who asks: the argument that lets a request in.
//!
//! A handler that takes `Caller<CallsWrite>` cannot run without that scope, and the published document learns the scope from
//! the same type. Checks happen in one order everywhere: key (401), rate (429), scope (403); the body is looked at later, by
//! the arguments that follow.

use std::marker::PhantomData;
use std::sync::Arc;

use app::Acting;
use axum::extract::FromRequestParts;
use domain::{Author, BusinessId, CallId, Mode, Scope, Timestamp};
use http::request::Parts;
use schemars::SchemaGenerator;
use store::Tenancy;
use store::keys::Authenticated;
use web::bearer::{self, Bearer};

use crate::Api;
use crate::error::{ApiError, Code};
use crate::input::Id;
use crate::route::{Access, Describe, Operation};

/// A scope as a type.
pub trait ScopeMarker: Send + Sync + 'static {
    /// The scopes of which a key needs one; none for routes that any valid key may use.
    const ANY_OF: &'static [Scope];
}

macro_rules! scope_markers {
    ($($name:ident = $scopes:expr),* $(,)?) => {$(
        #[doc = concat!("`", stringify!($name), "` as a type.")]
        #[derive(Debug, Clone, Copy)]
        pub struct $name;

        impl ScopeMarker for $name {
            const ANY_OF: &'static [Scope] = &$scopes;
        }
    )*};
}

scope_markers! {
    AnyKey = [],
    AgentsRead = [Scope::AgentsRead],
    AgentsWrite = [Scope::AgentsWrite],
    NumbersRead = [Scope::NumbersRead],
    NumbersWrite = [Scope::NumbersWrite],
    CallsRead = [Scope::CallsRead],
    CallsWrite = [Scope::CallsWrite],
    LeadsRead = [Scope::LeadsRead],
    LeadsWrite = [Scope::LeadsWrite],
    WebhooksRead = [Scope::WebhooksRead],
    WebhooksWrite = [Scope::WebhooksWrite],
    WorkspacesRead = [Scope::WorkspacesRead],
    WorkspacesWrite = [Scope::WorkspacesWrite],
    EventsRead = [Scope::EventsRead],
    EventsReplay = [Scope::EventsReplay],
    AuditRead = [Scope::AuditRead],
    DeliveriesRead = [Scope::EventsRead, Scope::WebhooksRead],
}

/// A key that passed every check, with the scope `S`.
#[derive(Debug, Clone)]
pub struct Caller<S> {
    bearer: Bearer,
    scope: PhantomData<fn() -> S>,
}

impl<S> Caller<S> {
    /// What it may see.
    pub fn tenancy(&self) -> &Tenancy {
        &self.bearer.key.tenancy
    }

    pub fn mode(&self) -> Mode {
        self.bearer.key.mode
    }

    pub fn key(&self) -> &Arc<Authenticated> {
        &self.bearer.key
    }

    /// The platform on behalf of the key.
    pub fn acting(&self, api: &Api) -> Acting {
        self.bearer.acting(api.web())
    }

    /// Who it is for the histories of what it changes.
    pub fn author(&self) -> Author {
        Author::key(self.bearer.key.key_id)
    }

    /// When the request came in.
    pub fn now(&self) -> Timestamp {
        self.bearer.received_at
    }

    /// Notes in the usage log that this request placed a call.
    pub fn placed(&self, call: CallId) {
        self.bearer.record.placed(call);
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

    /// The business that a change is for: the one that the request names, or the only one that the key reaches.
    pub fn only_business(&self, named: Option<&Id<BusinessId>>) -> Result<BusinessId, ApiError> {
        match (named, self.tenancy().businesses()) {
            (Some(id), _) => self.business(id),
            (None, [only]) => Ok(*only),
            (None, _) => Err(ApiError::invalid_field(
                "business_id",
                "required, because the key reaches several businesses",
            )),
        }
    }
}

impl<S: ScopeMarker> FromRequestParts<Api> for Caller<S> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, ApiError> {
        let bearer = bearer::admit(api.web(), parts).await?;
        match S::ANY_OF {
            [first, ..] if !S::ANY_OF.iter().any(|&scope| bearer.key.scopes.grants(scope)) => {
                Err(ApiError::missing_scope(*first))
            }
            _ => Ok(Self { bearer, scope: PhantomData }),
        }
    }
}

impl<S: ScopeMarker> Describe for Caller<S> {
    fn describe(operation: &mut Operation, _: &mut SchemaGenerator) {
        operation.access = Access::Key(S::ANY_OF);
        operation.codes.extend([Code::Unauthorized, Code::RateLimited]);
        if !S::ANY_OF.is_empty() {
            operation.codes.insert(Code::Forbidden);
        }
    }
}
