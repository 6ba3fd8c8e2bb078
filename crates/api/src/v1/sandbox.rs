//! What only test keys can do: have somebody call.

use app::idempotency::Once as Acted;
use app::rehearsal::{Rehearsal, RehearsalError};
use axum::extract::State;
use domain::Mode;
use domain::call::Call;
use http::Method;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use web::limits::Group;

use crate::Api;
use crate::answer::{Stamp, Uid};
use crate::caller::{Caller, CallsWrite};
use crate::error::{ApiError, Code};
use crate::idempotency::{IdempotencyKey, Once, kept, repeated};
use crate::input::{Body, Line, Phone, input};
use crate::route::Route;

/// Who calls if the request does not say.
const USUAL_CALLER: &str = "new_client";

pub(crate) fn routes() -> Vec<Route> {
    let request = json!({ "to": "+15125550100", "from": "+15125550147", "scenario": "new_client" });
    let answer = json!({
        "id": "01940000-0000-7000-8000-000000000021", "conversation_id": "sbx_21", "status": "ringing",
        "agent_id": "01940000-0000-7000-8000-000000000011", "to": "+15125550100", "from": "+15125550147",
        "created_at": "2026-02-15T14:30:00.000000Z",
    });
    vec![
        Route::new(Method::POST, "/api/v1/sandbox/incoming", "sandbox.incoming", incoming)
            .about(
                "Play an incoming call",
                "A scripted caller of the sandbox rings the number of one of your agents, which answers as it would answer anybody. For \
                 test keys only. Answers as soon as it rings; the call goes on like any other.",
            )
            .counted_as(Group::PlaceCall)
            .refuses(&[Code::NotFound])
            .example(Some(request), answer),
    ]
}

input! {
    /// An incoming call to play.
    pub struct IncomingTestCall {
        /// Phone number that is called; an agent of yours must answer it.
        to: Phone = "to",
        /// Phone number that the caller shows; absent for a caller who withholds it.
        from: Option<Phone> = "from",
        /// Name of the sandbox scenario that calls; `new_client` by default.
        scenario: Option<Line<1, 100>> = "scenario",
    }
}

/// An incoming call that has begun to ring.
#[derive(Debug, Serialize, JsonSchema)]
pub struct IncomingCallRinging {
    id: Uid,
    conversation_id: Option<String>,
    /// Always `ringing`: the agent answers after this answer.
    status: &'static str,
    /// Id of the agent that answers.
    agent_id: Uid,
    to: String,
    from: Option<String>,
    created_at: Stamp,
}

impl From<&Call> for IncomingCallRinging {
    fn from(call: &Call) -> Self {
        Self {
            id: call.id.into(),
            conversation_id: call.conversation_id().map(str::to_owned),
            status: "ringing",
            agent_id: call.agent_id.into(),
            to: call.to.to_string(),
            from: call.from.as_ref().map(ToString::to_string),
            created_at: call.created_at.into(),
        }
    }
}

async fn incoming(
    caller: Caller<CallsWrite>,
    State(api): State<Api>,
    key: IdempotencyKey,
    Body { input, bytes }: Body<IncomingTestCall>,
) -> Result<Once<IncomingCallRinging>, ApiError> {
    if caller.mode() != Mode::Test {
        let message = "callers are played for test keys only; use a key that begins with `kc_test_`";
        return Err(ApiError::new(Code::Forbidden, message));
    }
    let rehearsal = Rehearsal {
        to: input.to.0,
        from: input.from.map(|phone| phone.0),
        caller: input.scenario.map_or_else(|| USUAL_CALLER.to_owned(), Line::into_inner),
    };
    let once = key
        .once("POST /v1/sandbox/incoming", &bytes, |call: &Call| kept(201, &IncomingCallRinging::from(call)));
    match app::rehearsal::ring(api.app(), caller.tenancy(), rehearsal, once).await {
        Ok(Acted::New(call)) => {
            caller.placed(call.id);
            Ok(Once::Now(IncomingCallRinging::from(&call)))
        }
        Ok(Acted::Repeated(earlier)) => repeated(earlier),
        Err(error) => Err(refused(error)),
    }
}

fn refused(error: RehearsalError) -> ApiError {
    match error {
        RehearsalError::UnknownCaller { known } => {
            ApiError::invalid_field("scenario", format!("expected one of {}", known.join(", ")))
        }
        RehearsalError::Unanswered => ApiError::new(
            Code::NotFound,
            "`to`: no agent of yours answers this number; GET /api/v1/numbers lists the numbers with their agents",
        ),
        RehearsalError::NoCallers | RehearsalError::Stopping => {
            ApiError::new(Code::Unavailable, error.to_string()).retry_after(5)
        }
        RehearsalError::Store(error) => error.into(),
    }
}
