//! The HTTP server: everything between a socket and a route.
//!
//! Strangers are on the other side, so every turn of theirs has a deadline and every kind of thing that they can open has a bound:
//!
//! - `connections`: how many may be open, in all and from one address, and who has to go when there is no room;
//! - `turns`: whose turn it is on a connection, and how long it may take;
//! - `connection`: the life of one connection, from the first byte to the last;
//! - `refusals`: what no route can answer, in the shape in which routes refuse;
//! - `listener`: lets clients in until it is told to stop;
//! - `ending`: how it stops without breaking a request off;
//! - `descriptors`: how many sockets the system lets us have;
//! - `operations`: metrics, liveness and readiness.

mod connection;
mod connections;
mod descriptors;
mod ending;
mod listener;
mod operations;
mod refusals;
mod turns;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::watch;

pub(crate) use self::connections::Limits;
pub(crate) use self::descriptors::raise_limit;
pub(crate) use self::ending::Drain;
use self::listener::Server;
pub(crate) use self::operations::{Readiness, operations_router, probes};
use self::turns::Patience;
use crate::failure::Failure;

/// Listens on the address of a setting.
pub(crate) async fn listen(name: &'static str, address: &str) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|source| Failure::Listen {
        name,
        address: address.to_owned(),
        source,
    })
}

/// Serves until it is told how to stop, and then stops so.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    stop: impl Future<Output = Drain>,
) {
    serve_and_tell(listener, router, limits, stop, || {}).await;
}

/// The same; tells when nobody can connect any more, and only requests under way are left.
pub(crate) async fn serve_and_tell(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    stop: impl Future<Output = Drain>,
    closed: impl FnOnce(),
) {
    Server::new(listener, router, limits, Patience::default()).run(stop, closed).await;
}

/// Waits until `stop` turns true.
pub(crate) async fn told(mut stop: watch::Receiver<bool>, drain: Drain) -> Drain {
    // An error means that whoever could have said so is gone.
    let _ = stop.wait_for(|stop| *stop).await;
    drain
}

#[cfg(test)]
mod tests;
