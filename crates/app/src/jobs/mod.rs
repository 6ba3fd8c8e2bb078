//! Work that must happen: what it is, and who does it when.
//!
//! A job commits with the change that asks for it and is finished in the transaction that stores its result. A process that
//! dies loses its lease, and another one does the work again; each job is written so that this does no harm.

mod deliver;
pub use deliver::limits as webhook_limits;
mod remote;
mod runner;
mod sweep;

use std::time::Duration;

use jiff::SignedDuration;
use store::StoreError;
use store::jobs::Queue;

use domain::{JobId, Mode};

use crate::App;
use crate::agents::AgentError;
use crate::attempt::log_trouble;

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
    if app.engine_for(Mode::Live).is_some_and(|engine| engine.is_remote()) {
        app.spawn(remote::run(app.clone()));
    }
    Ok(())
}

/// Does at once what otherwise happens every few seconds: says that this process lives, looks after calls of which nothing is
/// heard, compares both sides of what an engine keeps for us, and begins jobs that have become due.
pub async fn look_after(app: &App) -> Result<(), StoreError> {
    beat(app).await?;
    sweep::sweep(app, false).await?;
    remote::repair(app, true).await;
    app.store().wake_workers();
    Ok(())
}

/// Has a job that was given up done again by whichever process runs on the database. False if there is no such job.
pub async fn retry(app: &App, id: JobId) -> Result<bool, StoreError> {
    let now = app.now();
    app.store().write(move |tx| Box::pin(async move { store::jobs::revive(tx, id, now).await })).await
}

/// Registers the numbers that the live engine holds; says how many were new.
pub async fn import_numbers(app: &App) -> Result<usize, AgentError> {
    let engine = app.engine_for(Mode::Live).cloned();
    let Some(registry) = engine.as_ref().and_then(|engine| engine.numbers()) else { return Ok(0) };
    let held = registry.list().await?;
    Ok(remote::register(app, held).await?)
}

async fn heart(app: App) {
    while app.pause(BEAT).await {
        if let Err(error) = beat(&app).await {
            log_trouble(&error, "could not renew this process's lease");
        }
    }
}

async fn beat(app: &App) -> Result<(), StoreError> {
    let (node, lease_until) = (app.node(), app.now() + NODE_LEASE);
    app.store()
        .write_lazily(move |tx| Box::pin(async move { store::nodes::beat(tx, node, lease_until).await }))
        .await
}
