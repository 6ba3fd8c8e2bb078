//! The use cases and the work in the background, as whoever calls them notices it, on every database that is at hand.

mod bench;
mod deliveries;
mod engines;
mod events;
mod imports;
mod jobs;
mod looking_back;
mod messages;
mod operator;
mod passkeys;
mod people;
mod placing;
mod recordings;
mod refusals;
mod retention;
mod sending_again;
mod stopping;
mod sweep;
mod talking;
mod waiting;
mod wishes;

use std::time::Duration;

use testkit::Patience;

/// Waits until this is so.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let patience = Patience::of(Duration::from_secs(30));
    while !is_so().await {
        assert!(patience.is_left(), "{what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
