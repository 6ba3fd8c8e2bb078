//! Asking an engine about a call with everything that it has said so far.

use std::time::Duration;

use domain::call::Call;
use domain::engine::{CallEngine, EngineUnavailable, Fate, Inquiry};
use store::StoreError;

use crate::App;

/// What became of a call. `waited` is how long it has been known that it is over, if that is known.
pub(crate) async fn inquire(
    app: &App,
    engine: &dyn CallEngine,
    call: &Call,
    waited: Option<Duration>,
) -> Result<Result<Fate, EngineUnavailable>, StoreError> {
    let id = call.id;
    let messages = app
        .platform()
        .read(move |tx| Box::pin(async move { store::engine_messages::of_call(tx, id).await }))
        .await?;
    Ok(engine.fate(Inquiry { call, waited, messages: &messages }).await)
}
