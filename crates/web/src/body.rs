//! The body of a request, on both sides of the handler: how long it may take, and what becomes of it when nobody has read it.
//!
//! A body has 30 seconds to arrive as a whole, whoever reads it; so nobody holds a handler by sending it byte by byte.
//!
//! Most refusals are known before the body: a wrong key, a used-up limit, an unknown route. If the connection then closes on bytes that
//! are still unread, the system answers them with a reset, and the client loses the answer with it. So the answer goes out at once and the
//! rest of the body is read and thrown away beside it. A small body leaves the connection usable; for one that is large, or does not say
//! how large it is, the answer announces the end of the connection, and we linger until the client has had time to read it.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::middleware::Next;
use http::header::{CONNECTION, EXPECT};
use http::{HeaderValue, Request, Response};
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::BodyExt as _;
use tokio::time::Sleep;

/// How long a body may take to arrive, from the end of the request's head.
const ARRIVAL: Duration = Duration::from_secs(30);

/// A body up to this size is read out, so that its connection can be used again; more than any that we take.
const SMALL: u64 = 256 * 1024;

/// How much of a larger one is read while lingering.
const LINGER_BYTES: u64 = 8 * 1024 * 1024;

/// How long a client may take to send the rest of a small body.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a closing connection lingers for a client that goes on sending.
const LINGER: Duration = Duration::from_secs(2);

/// The layer that sees to bodies. [`crate::request::observed`] does it for its routes; others need it by itself.
pub async fn settled(request: Request<Body>, next: Next) -> Response<Body> {
    let (request, body) = Kept::of(request);
    let mut answer = next.run(request).await;
    body.finish(&mut answer);
    answer
}

/// The error of a body that has not arrived in time.
#[derive(Debug, thiserror::Error)]
#[error("the body did not arrive in time")]
struct TooSlow;

/// True for an error, met while a body was read, that came because the body was too slow.
pub fn is_too_slow(error: &(dyn std::error::Error + 'static)) -> bool {
    std::iter::successors(Some(error), |error| error.source()).any(<dyn std::error::Error>::is::<TooSlow>)
}

#[derive(Default)]
struct Shared {
    body: Body,
    /// The handler has read it to its end, or found it broken. Chunked bodies do not know that themselves.
    ended: bool,
    /// What came is no body. Where the next request begins cannot be known, so hyper closes the connection, and the answer says so.
    broken: bool,
    /// Ends with the time that the body has; `None` once it has been taken out.
    time: Option<Pin<Box<Sleep>>>,
    late: bool,
}

impl Shared {
    fn poll_frame(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            self.ended |= !matches!(frame, Some(Ok(_)));
            self.broken |= matches!(frame, Some(Err(_)));
            return Poll::Ready(frame);
        }
        self.late |= self.time.as_mut().is_some_and(|time| time.as_mut().poll(context).is_ready());
        if self.late { Poll::Ready(Some(Err(axum::Error::new(TooSlow)))) } else { Poll::Pending }
    }
}

/// The body of a request, kept by the layer around it while the handler reads from it.
pub(crate) struct Kept {
    /// `None` if there is nothing to come.
    body: Option<Arc<Mutex<Shared>>>,
    /// The client sends its body only once it is asked to.
    waits_to_be_asked: bool,
}

impl Kept {
    /// Puts a body into the request that leaves what is not read behind.
    pub(crate) fn of(request: Request<Body>) -> (Request<Body>, Self) {
        let waits_to_be_asked = request.headers().contains_key(EXPECT);
        if request.body().is_end_stream() {
            return (request, Self { body: None, waits_to_be_asked });
        }
        let (parts, body) = request.into_parts();
        let time = Box::pin(tokio::time::sleep(ARRIVAL));
        let body = Arc::new(Mutex::new(Shared { body, time: Some(time), ..Shared::default() }));
        let lent = Body::new(Lent(Arc::clone(&body)));
        (Request::from_parts(parts, lent), Self { body: Some(body), waits_to_be_asked })
    }

    /// Sees to the rest of the body, now that the answer is known.
    pub(crate) fn finish<B>(self, answer: &mut Response<B>) {
        let Some(body) = self.body else { return };
        let Shared { body: rest, ended, broken, late, .. } =
            std::mem::take(&mut *body.lock().unwrap_or_else(PoisonError::into_inner));
        if broken {
            answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        if ended || rest.is_end_stream() {
            return;
        }
        let small = rest.size_hint().upper().is_some_and(|bytes| bytes <= SMALL);
        if self.waits_to_be_asked || !small || late {
            answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        if self.waits_to_be_asked || late {
            // It was not asked, so it has nothing to send; or it has had its time.
            return;
        }
        let (bytes, time) = if small { (SMALL, PATIENCE) } else { (LINGER_BYTES, LINGER) };
        // It ends by itself: by the end of the body, of the connection or of our patience.
        tokio::spawn(async move {
            let _ = tokio::time::timeout(time, discard(rest, bytes)).await;
        });
    }
}

async fn discard(mut body: Body, mut bytes: u64) {
    while let Some(Ok(frame)) = body.frame().await {
        let read = frame.data_ref().map_or(0, |data| data.len() as u64);
        let Some(left) = bytes.checked_sub(read) else { return };
        bytes = left;
    }
}

/// What the handler gets.
struct Lent(Arc<Mutex<Shared>>);

impl Lent {
    fn with<T>(&self, look: impl FnOnce(&mut Shared) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl http_body::Body for Lent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.with(|shared| shared.poll_frame(context))
    }

    fn is_end_stream(&self) -> bool {
        self.with(|shared| shared.ended || shared.body.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        self.with(|shared| shared.body.size_hint())
    }
}
