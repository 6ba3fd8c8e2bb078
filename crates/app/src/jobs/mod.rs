//! Work that must happen: what it is, and who does it when.
//!
//! A job commits with the change that asks for it and is finished in the transaction that stores its result. A process that
//! dies loses its lease, and another one does the work again; each job is written so that this does no harm.

pub(crate) mod deliver;
pub use deliver::limits as webhook_limits;
pub(crate) mod dial;
mod runner;
mod sweep;
pub(crate) mod wrap_up;

use std::time::Duration;

use jiff::SignedDuration;
use store::StoreError;
use store::jobs::Queue;

use crate::App;

/// How long other processes believe that this one lives without hearing from it.
const NODE_LEASE: SignedDuration = SignedDuration::from_secs(15);

/// How often this process says that it lives.
const BEAT: Duration = Duration::from_secs(4);

/// Takes over what a crash left behind, then works on jobs until [`App::stop`].
pub async fn start(app: &App) -> Result<(), StoreError> {
    let (node, lease_until) = (app.node(), app.now() + NODE_LEASE);
    // An SQLite file belongs to one process, so whoever else is written down there is dead.
    let alone = !app.store().is_shared();
    app.store()
        .write(move |tx| {
            Box::pin(async move {
                store::nodes::beat(tx, node, lease_until).await?;
                if alone {
                    store::nodes::forget_others(tx, node).await?;
                }
                Ok::<_, StoreError>(())
            })
        })
        .await?;
    sweep::settle_lost_calls(app).await?;
    app.spawn(heart(app.clone()));
    app.spawn(runner::run(app.clone(), Queue::Calls, app.call_hands()));
    app.spawn(runner::run(app.clone(), Queue::Deliveries, app.delivery_hands()));
    app.spawn(sweep::run(app.clone()));
    Ok(())
}

async fn heart(app: App) {
    while app.pause(BEAT).await {
        let (node, lease_until) = (app.node(), app.now() + NODE_LEASE);
        let beat = app
            .store()
            .write_lazily(move |tx| Box::pin(async move { store::nodes::beat(tx, node, lease_until).await }))
            .await;
        if let Err(error) = beat {
            tracing::warn!(%error, "could not renew this process's lease");
        }
    }
}
