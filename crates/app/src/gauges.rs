//! Figures that are not counted as they happen but looked up in the database when somebody asks for them.

use domain::Timestamp;
use store::StoreError;
use store::jobs::{JobKind, Standing};

use crate::App;

/// Sets them. If the database does not answer, they stay as they were and say so.
pub async fn refresh(app: &App) {
    let looked = look(app).await;
    meters::DATABASE_UP.with([]).set(if looked.is_ok() { 1.0 } else { 0.0 });
    if let Err(error) = looked {
        tracing::warn!(%error, "the figures of the database could not be looked up");
    }
}

async fn look(app: &App) -> Result<(), StoreError> {
    let now = app.now();
    let (jobs, calls) = app
        .platform()
        .read(move |tx| {
            Box::pin(async move {
                let jobs = store::jobs::standing(tx, now).await?;
                Ok::<_, StoreError>((jobs, store::calls::unfinished_by_engine(tx).await?))
            })
        })
        .await?;
    // What has come down to nothing is no longer found, and has to show nothing.
    for engine in app.engines().names() {
        meters::CALLS_UNDER_WAY.with([engine]).set(0.0);
    }
    for (engine, count) in calls {
        meters::CALLS_UNDER_WAY.with([&engine]).set(figure(count));
    }
    for kind in JobKind::ALL.iter().map(|kind| kind.as_str()) {
        match jobs.iter().find(|standing| standing.kind == kind) {
            Some(standing) => show(kind, standing, now),
            None => show(kind, &Standing::none(kind), now),
        }
    }
    app.store().look_at_size().await
}

fn show(kind: &str, standing: &Standing, now: Timestamp) {
    meters::JOBS_DUE.with([kind]).set(figure(standing.due));
    meters::JOBS_LATER.with([kind]).set(figure(standing.later));
    meters::JOBS_HELD.with([kind]).set(figure(standing.held));
    meters::JOBS_GIVEN_UP.with([kind]).set(figure(standing.given_up));
    let lag = standing.due_since.map_or(0.0, |since| now.duration_since(since).as_secs_f64());
    meters::JOB_LAG_SECONDS.with([kind]).set(lag);
}

#[expect(clippy::cast_precision_loss, reason = "a count of rows, for a curve")]
fn figure(count: u64) -> f64 {
    count as f64
}
