//! How the store reaches PostgreSQL: over TLS, and through a pooler.

mod pooled;
mod secured;

use std::time::Duration;

use domain::{JobId, Timestamp};
use store::jobs::{JobKind, NewJob};
use store::{DatabaseUrl, MasterKey, OpenError, Options, Platform, Store, StoreError};
use uuid::Uuid;

/// Opens the database of a URL as a server would.
async fn open(url: String) -> Result<Platform, OpenError> {
    open_past_a_pooler(url, None).await
}

/// The same with a second URL that leads past a pooler.
async fn open_past_a_pooler(url: String, direct_url: Option<String>) -> Result<Platform, OpenError> {
    let mut options = Options::new(MasterKey::new([7; 32]));
    options.direct_url = direct_url;
    Store::open(&DatabaseUrl::Postgres(url), options).await
}

fn new_job(number: u128) -> NewJob {
    NewJob {
        id: JobId(Uuid::from_u128(number)),
        kind: JobKind::Dial,
        subject: Uuid::from_u128(number),
        lane: None,
        run_at: Timestamp::UNIX_EPOCH,
        created_at: Timestamp::UNIX_EPOCH,
        leased_to: None,
    }
}

/// Whether one process hears of a job that another adds. Listening begins some time after the store was opened, so more is added until it is
/// heard of, or so many times.
async fn hears(listener: &Platform, teller: &Platform, times: u128) -> bool {
    let mut bell = listener.jobs_added();
    for number in 1..=times {
        bell.mark_unchanged();
        let job = new_job(number);
        let added: Result<(), StoreError> =
            teller.write(move |tx| Box::pin(async move { store::jobs::add(tx, &job).await })).await;
        added.expect("it is added");
        if tokio::time::timeout(Duration::from_millis(500), bell.changed()).await.is_ok() {
            return true;
        }
    }
    false
}
