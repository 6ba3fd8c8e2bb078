//! Accepting connections: bounded in number and in patience, and able to stop without breaking a request off.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::IntoResponse as _;
use axum::routing::get;
use http::StatusCode;
use hyper::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tower::Service as _;
use web::PeerAddress;

use crate::failure::Failure;
use crate::telemetry::Figures;

/// Connections at once; more wait to be accepted.
const CONNECTIONS: usize = 8192;

/// How long a client may take to send the head of a request, and how long a kept connection may idle: longer than the 60 seconds
/// after which common load balancers and client pools give theirs up, so that they and not we close first.
const HEADER_PATIENCE: Duration = Duration::from_secs(75);

/// Listens on the address of a setting.
pub(crate) async fn listen(name: &'static str, address: &str) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|source| Failure::Listen {
        name,
        address: address.to_owned(),
        source,
    })
}

/// Serves until `stop` turns true, then lets requests under way finish within `patience`.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    mut stop: watch::Receiver<bool>,
    patience: Duration,
) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let graceful = GracefulShutdown::new();
    loop {
        let place = Arc::clone(&places).acquire_owned().await.expect("the places are never closed");
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = told_to_stop(&mut stop) => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file descriptors, most likely: others must end first.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let _ = stream.set_nodelay(true);
        let router = router.clone();
        let service = hyper::service::service_fn(move |request: Request<Incoming>| {
            answer(router.clone(), request, peer)
        });
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_PATIENCE)
            .serve_connection(TokioIo::new(stream), service);
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            // Clients hang up as they like; that is no news.
            let _ = connection.await;
            drop(place);
        });
    }
    drop(listener);
    if tokio::time::timeout(patience, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests did not finish in time");
    }
}

async fn told_to_stop(stop: &mut watch::Receiver<bool>) {
    // An error means that whoever could have said so is gone.
    let _ = stop.wait_for(|stop| *stop).await;
}

async fn answer(
    mut router: Router,
    mut request: Request<Incoming>,
    peer: SocketAddr,
) -> Result<axum::response::Response, Infallible> {
    request.extensions_mut().insert(PeerAddress(peer.ip()));
    router.call(request.map(Body::new)).await
}

/// Metrics, liveness and readiness, on an address of their own.
pub(crate) fn operations_router(figures: Figures, app: app::App) -> Router {
    let measured = app.clone();
    let ready = move || {
        let app = app.clone();
        async move {
            if app.is_stopping() {
                return (StatusCode::SERVICE_UNAVAILABLE, "stopping\n").into_response();
            }
            match app.store().health().await {
                Ok(()) => "ready\n".into_response(),
                Err(error) => (StatusCode::SERVICE_UNAVAILABLE, format!("{error}\n")).into_response(),
            }
        }
    };
    Router::new()
        .route("/metrics", get(move || async move { figures.page(&measured).await }))
        .route("/livez", get(|| async { "alive\n" }))
        .route("/readyz", get(ready))
}
