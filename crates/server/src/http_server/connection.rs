//! The life of one connection: request after request, and an end that loses no answer.

use std::convert::Infallible;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use api::ApiError;
use axum::Router;
use axum::body::{Body, Bytes};
use http::header::CONNECTION;
use http::{HeaderValue, Request, Response};
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tower::Service as _;
use web::PeerAddress;

use super::connections::Place;
use super::refusals;
use super::turns::{Answering, HEAD_BYTES, Overdue, Patience, Turns, Watched};

/// How much of a body waits in memory for whoever reads it.
const BUFFER_BYTES: usize = 64 * 1024;

/// How long we go on reading after the last answer, and how much, so that the answer is not lost to a reset.
const LINGER: Duration = Duration::from_secs(2);
const LINGER_BYTES: u64 = 8 * 1024 * 1024;

/// Serves a connection to its end.
pub(super) async fn run(
    stream: TcpStream,
    peer: SocketAddr,
    place: Place,
    router: Router,
    patience: Patience,
) {
    let turns = Turns::new(place, patience);
    let io = TokioIo::new(Watched::new(stream, Arc::clone(&turns)));
    let service = {
        let turns = Arc::clone(&turns);
        // The future is boxed, so that the connection can be taken apart when it has ended.
        hyper::service::service_fn(move |request| {
            Box::pin(answer(router.clone(), request, peer, turns.answer()))
        })
    };
    let mut connection = hyper::server::conn::http1::Builder::new()
        .max_header_size(HEAD_BYTES)
        .max_buf_size(BUFFER_BYTES)
        .header_read_timeout(None)
        .serve_connection(io, service);
    let end = drive(&turns, |context| connection.poll_without_shutdown(context)).await;
    let refusal = match end {
        End::Hyper(outcome) => {
            turns.refused(outcome.is_err_and(|error| error.is_parse())).map(refusals::of_head)
        }
        End::Overdue(Overdue::Head) => Some(ApiError::too_slow()),
        End::Overdue(Overdue::Idle | Overdue::Stuck) => return,
    };
    let mut stream = connection.into_parts().io.into_inner().into_inner();
    if let Some(error) = refusal
        && stream.write_all(&refusals::written(error)).await.is_err()
    {
        return;
    }
    linger(stream).await;
}

/// How a connection came to its end.
enum End {
    /// Client or server have closed it, or what came was no HTTP.
    Hyper(hyper::Result<()>),
    Overdue(Overdue),
}

/// Runs hyper's side of a connection until it has ended, or a turn takes too long.
async fn drive(turns: &Turns, mut hyper: impl FnMut(&mut Context<'_>) -> Poll<hyper::Result<()>>) -> End {
    let signal = turns.signal();
    let (mut heard, mut timer) = (pin!(signal.heard()), pin!(tokio::time::sleep(Duration::ZERO)));
    poll_fn(|context| {
        if let Poll::Ready(outcome) = hyper(context) {
            return Poll::Ready(End::Hyper(outcome));
        }
        while heard.as_mut().poll(context).is_ready() {
            heard.set(signal.heard());
        }
        let Some((deadline, overdue)) = turns.deadline() else { return Poll::Pending };
        // Every request moves the deadline away. The timer is left where it is until it rings, because setting it costs more than
        // waking up for nothing once a minute.
        if deadline < timer.deadline() {
            timer.as_mut().reset(deadline);
        }
        loop {
            ready!(timer.as_mut().poll(context));
            if timer.deadline() >= deadline {
                return Poll::Ready(End::Overdue(overdue));
            }
            timer.as_mut().reset(deadline);
        }
    })
    .await
}

async fn answer(
    mut router: Router,
    mut request: Request<Incoming>,
    peer: SocketAddr,
    answering: Answering,
) -> Result<Response<Sent>, Infallible> {
    let mut response = match refusals::of_request(&request) {
        Some(error) => refusals::response(error),
        None => {
            request.extensions_mut().insert(PeerAddress(peer.ip()));
            router.call(request.map(Body::new)).await?
        }
    };
    if answering.is_last() {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(response.map(|body| Sent { body, _answering: answering }))
}

/// The body of an answer; when hyper drops it, it has all of it.
struct Sent {
    body: Body,
    _answering: Answering,
}

impl http_body::Body for Sent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Closes our side and reads what the client is still sending: bytes that nobody reads would be answered by the system with a reset, which
/// takes our last answer with it (RFC 9112, section 9.6).
async fn linger(mut stream: TcpStream) {
    if stream.shutdown().await.is_err() {
        return;
    }
    let mut rest = stream.take(LINGER_BYTES);
    let read = async {
        let mut buffer = vec![0; 16 * 1024];
        while rest.read(&mut buffer).await.is_ok_and(|count| count > 0) {}
    };
    // Whoever sends for longer has had the time to read.
    let _ = tokio::time::timeout(LINGER, read).await;
}
