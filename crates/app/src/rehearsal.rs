//! Incoming calls that are played: a caller of an engine rings the number of an agent, as a stranger would.

use std::sync::Arc;

use domain::call::{Call, CallPlan};
use domain::engine::IncomingCall;
use domain::{CallId, E164};
use store::{PlatformTx, StoreError, Tenancy};

use crate::App;
use crate::calls::cast;
use crate::calls::intake::Observer;
use crate::desk;
use crate::idempotency::{self, Intent, Once, Renderer};

/// An incoming call to play.
#[derive(Debug, Clone)]
pub struct Rehearsal {
    /// The number that is called.
    pub to: E164,
    /// The number that the caller shows, if they show one.
    pub from: Option<E164>,
    /// The name of the caller.
    pub caller: String,
}

/// Why an incoming call cannot be played.
#[derive(Debug, thiserror::Error)]
pub enum RehearsalError {
    /// The engine of such keys plays no callers.
    #[error("no engine here plays callers")]
    NoCallers,
    /// There is no caller of this name.
    #[error("there is no such caller; known are {}", known.join(", "))]
    UnknownCaller {
        /// The names of all that there are.
        known: Vec<String>,
    },
    /// No agent of the tenant answers this number.
    #[error("no agent of this account answers that number; an agent has to be assigned to it first")]
    Unanswered,
    /// The process is about to stop.
    #[error("the server is stopping")]
    Stopping,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Stores a played incoming call as ringing and lets its caller ring.
pub async fn ring(
    app: &App,
    tenancy: &Tenancy,
    rehearsal: Rehearsal,
    once: Option<(Intent, Renderer<Call>)>,
) -> Result<Once<Call>, RehearsalError> {
    let engine = app.engines().engine_for(tenancy.mode(), None, None).ok_or(RehearsalError::NoCallers)?;
    let callers = engine.callers().ok_or(RehearsalError::NoCallers)?;
    let known = callers.names();
    if !known.contains(&rehearsal.caller) {
        return Err(RehearsalError::UnknownCaller { known });
    }
    let id = CallId::new(app.ids());
    let incoming = IncomingCall {
        engine: engine.name(),
        conversation_id: callers.conversation_id(id),
        mode: tenancy.mode(),
        to: rehearsal.to,
        from: rehearsal.from,
        at: app.now(),
    };
    // The process must not stop between the question whether it does and the call's place among those that it waits for.
    app.reports().begins(id);
    let admitted = if app.is_closed() {
        Err(RehearsalError::Stopping)
    } else {
        let (platform, tenancy) = (app.clone(), tenancy.clone());
        app.platform()
            .write(move |tx| {
                Box::pin(async move { admit(tx, &platform, &tenancy, id, &incoming, once).await })
            })
            .await
    };
    match admitted {
        Ok(Once::New((call, plan))) => {
            app.live().ring(id);
            callers.ring(plan, &rehearsal.caller, Arc::new(Observer::new(app.clone()))).await;
            Ok(Once::New(call))
        }
        Ok(Once::Repeated(repeated)) => {
            app.reports().ends(id);
            Ok(Once::Repeated(repeated))
        }
        Err(error) => {
            app.reports().ends(id);
            Err(error)
        }
    }
}

async fn admit(
    tx: &mut PlatformTx,
    app: &App,
    tenancy: &Tenancy,
    id: CallId,
    incoming: &IncomingCall,
    once: Option<(Intent, Renderer<Call>)>,
) -> Result<Once<(Call, CallPlan)>, RehearsalError> {
    let number = store::numbers::by_phone(tx, &incoming.to).await?;
    let business = number
        .filter(|number| number.agent_id.is_some())
        .and_then(|number| number.business_id)
        .filter(|&business| tenancy.covers(business))
        .ok_or(RehearsalError::Unanswered)?;
    let mode = tenancy.mode();
    if let Some((intent, _)) = &once
        && let Some(repeated) = idempotency::begin(tx, app, business, mode, intent, id.0, incoming.at).await?
    {
        return Ok(Once::Repeated(repeated));
    }
    let admitted = desk::admit(tx, app, id, Some(app.node()), incoming).await?;
    let (call, cast) = admitted.ok_or(RehearsalError::Unanswered)?;
    if let Some((intent, render)) = once {
        idempotency::keep(tx, business, mode, &intent, &render(&call)).await?;
    }
    let plan = cast::plan(&call, cast, app);
    Ok(Once::New((call, plan)))
}
