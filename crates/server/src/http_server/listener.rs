//! A listener: lets clients in as long as there is room, and stops when it is told to.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::TaskTracker;

use super::connection;
use super::connections::{Connections, Full, Limits};
use super::ending::{Drain, UNDER_WAY, ignore_attempts};
use super::turns::Patience;

/// How long to wait for others to end when the system gives us no more sockets and none of ours is idle.
const NO_DESCRIPTORS: Duration = Duration::from_millis(50);

/// A listener with the routes behind it.
pub(super) struct Server {
    listener: TcpListener,
    router: Router,
    patience: Patience,
    connections: Arc<Connections>,
    running: TaskTracker,
}

impl Server {
    pub(super) fn new(listener: TcpListener, router: Router, limits: Limits, patience: Patience) -> Self {
        let connections = Arc::new(Connections::new(limits));
        Self { listener, router, patience, connections, running: TaskTracker::new() }
    }

    /// Serves until it is told how to stop, and then stops so. Says when the listener is closed.
    pub(super) async fn run(self, stop: impl Future<Output = Drain>, closed: impl FnOnce()) {
        let drain = self.accept_until(stop).await;
        self.drain(drain, closed).await;
    }

    async fn accept_until<T>(&self, end: impl Future<Output = T>) -> T {
        let accept = async {
            loop {
                self.accept().await;
            }
        };
        // Whoever is waiting is accepted before the end is looked at.
        tokio::select! {
            biased;
            never = accept => never,
            end = end => end,
        }
    }

    async fn accept(&self) {
        match self.listener.accept().await {
            Ok((stream, peer)) => self.welcome(stream, peer).await,
            // The client has gone meanwhile.
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionAborted => {}
            Err(error) => {
                self.connections.out_of_descriptors(&error);
                tokio::time::sleep(NO_DESCRIPTORS).await;
            }
        }
    }

    /// Gives a connection a place, if its address has one left. While everybody is busy, it waits, and so do those behind it.
    async fn welcome(&self, stream: TcpStream, peer: SocketAddr) {
        let place = loop {
            match self.connections.enter(peer.ip()) {
                Ok(place) => break place,
                Err(Full::Address) => return,
                Err(Full::Everything) => self.connections.room().await,
            }
        };
        let _ = stream.set_nodelay(true);
        self.running.spawn(connection::run(stream, peer, place, self.router.clone(), self.patience));
    }

    /// Takes no more connections once the last call is over, and waits for what is under way as long as the drain allows.
    async fn drain(self, drain: Drain, closed: impl FnOnce()) {
        #[expect(
            clippy::disallowed_methods,
            reason = "the time for stopping is measured on the monotonic clock"
        )]
        let end = tokio::time::Instant::now() + drain.patience;
        self.connections.stop(drain.last_call);
        self.accept_until(tokio::time::sleep(drain.last_call)).await;
        if !drain.last_call.is_zero() && ignore_attempts(&self.listener).is_ok() {
            self.accept_until(tokio::time::sleep(UNDER_WAY)).await;
        }
        drop(self.listener);
        closed();
        self.running.close();
        if tokio::time::timeout_at(end, self.running.wait()).await.is_err() {
            tracing::warn!("some requests did not finish in time");
        }
    }
}
