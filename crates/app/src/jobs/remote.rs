//! Keeps what engines that run elsewhere hold for us in step with what is stored here: agents and phone numbers.

use std::sync::Arc;
use std::time::Duration;

use domain::NumberId;
use domain::engine::CallEngine;
use domain::number::Number;
use store::StoreError;

use crate::{App, agents};

/// How often both sides are compared.
const EVERY: Duration = Duration::from_secs(30);

/// How many rounds pass between two looks through everything that the engine keeps: once an hour.
const THOROUGH_ROUNDS: u32 = 120;

/// Repairs until the platform stops. The first round is thorough: it finds what the last crash left.
pub(super) async fn run(app: App) {
    let mut round = 0_u32;
    loop {
        repair(&app, round.is_multiple_of(THOROUGH_ROUNDS)).await;
        round = round.wrapping_add(1);
        if !app.pause(EVERY).await {
            return;
        }
    }
}

/// The engines that keep agents or numbers for us.
pub(super) fn syncing(app: &App) -> impl Iterator<Item = &Arc<dyn CallEngine>> {
    app.engines().all_open().filter(|engine| engine.agents().is_some() || engine.numbers().is_some())
}

/// One round. Trouble with one engine does not keep the others waiting for the next round.
pub(super) async fn repair(app: &App, thorough: bool) {
    for engine in syncing(app) {
        if app.is_stopping() {
            return;
        }
        let name = engine.name();
        if let Err(error) = agents::repair(app, &**engine, thorough).await {
            tracing::warn!(engine = name, %error, "comparing agents with the engine has to wait");
        }
        if let Err(error) = numbers(app, &**engine, thorough).await {
            tracing::warn!(engine = name, %error, "comparing phone numbers with the engine has to wait");
        }
    }
}

/// Registers an engine's numbers and has calls to those that agents answer brought to us.
async fn numbers(app: &App, engine: &dyn CallEngine, import: bool) -> Result<(), agents::AgentError> {
    let Some(registry) = engine.numbers() else { return Ok(()) };
    let name = engine.name();
    if import {
        let Some(held) = app.unless_stopping(registry.list()).await.transpose()? else { return Ok(()) };
        let added = register(app, name, held.numbers).await?;
        if added > 0 {
            tracing::info!(engine = name, added, "registered phone numbers that the engine holds");
        }
    }
    let answered = app
        .platform()
        .read(move |tx| Box::pin(async move { store::numbers::answered(tx, name).await }))
        .await?;
    Ok(registry.answer(&answered).await?)
}

/// Adds an engine's numbers to the registry: to the business if there is just one, into the pool otherwise. Says how many were new.
/// Of those that were registered already it notes that this engine carries them, if that was not known.
pub(super) async fn register(
    app: &App,
    engine: &'static str,
    numbers: Vec<domain::E164>,
) -> Result<usize, StoreError> {
    let platform = app.clone();
    app.platform()
        .write(move |tx| {
            Box::pin(async move {
                let businesses = store::businesses::all(tx).await?;
                let only = if let [only] = businesses.as_slice() { Some(only.id) } else { None };
                let mut added = 0;
                for phone_number in numbers {
                    if store::numbers::by_phone(tx, &phone_number).await?.is_some() {
                        store::numbers::carried_by(tx, &phone_number, engine).await?;
                        continue;
                    }
                    let number = Number {
                        id: NumberId::new(platform.ids()),
                        phone_number,
                        business_id: only,
                        agent_id: None,
                        engine: Some(engine.to_owned()),
                        created_at: platform.store().created_at(platform.now()),
                    };
                    store::numbers::insert(tx, &number).await?;
                    added += 1;
                }
                Ok(added)
            })
        })
        .await
}
