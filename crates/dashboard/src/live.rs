//! Parts of pages that follow what happens, as server-sent events.
//!
//! The server draws the part anew and sends it whole, under an id that says how new it is: whoever comes back after a lost connection gets
//! it as it is now, and nothing twice. A stream ends with the session that opened it, which it does not keep alive.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::{Stream, stream};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};
use tokio::time::Instant;
use web::Web;
use web::session::SignedIn;

use crate::form::Asked;
use crate::page::PageError;

/// How often a comment keeps the connection alive.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// How often it is asked whether the session still lasts.
const SESSION_CHECK: Duration = Duration::from_secs(1);

/// What there is to tell.
pub(crate) enum News {
    Nothing,
    /// The part as it is now.
    Part {
        /// Says how new it is.
        id: String,
        html: String,
    },
    /// It will not change any more: the page is to be loaded as it is for good.
    Over,
}

/// Something that a page follows.
pub(crate) trait Watch: Send + 'static {
    /// What is new since the last look.
    fn look(&mut self) -> impl Future<Output = Result<News, PageError>> + Send;

    /// Waits until it is worth looking again, at most about a second.
    fn wait(&mut self) -> impl Future<Output = ()> + Send;
}

/// The id of the part that the page shows: of the last event that reached it, else of what it was drawn with.
pub(crate) fn shown(headers: &HeaderMap, asked: &Asked) -> Option<String> {
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok()).map(str::to_owned);
    last.or_else(|| asked.text("after"))
}

/// Sends what a watch tells until it or the session is over.
pub(crate) fn follow<W: Watch>(web: &Web, user: SignedIn, watch: W) -> Response {
    let following =
        Following { web: web.clone(), user, watch, quiet_since: now(), checked: now(), is_over: false };
    let mut response = Response::new(Body::from_stream(following.pieces()));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

#[expect(clippy::disallowed_methods, reason = "heartbeats follow the monotonic clock, like the connection")]
fn now() -> Instant {
    Instant::now()
}

struct Following<W> {
    web: Web,
    user: SignedIn,
    watch: W,
    quiet_since: Instant,
    checked: Instant,
    is_over: bool,
}

impl<W: Watch> Following<W> {
    fn pieces(self) -> impl Stream<Item = Result<Bytes, Infallible>> {
        stream::unfold(self, |mut following| async move {
            let piece = following.next().await?;
            following.quiet_since = now();
            Some((Ok(Bytes::from(piece)), following))
        })
    }

    async fn next(&mut self) -> Option<String> {
        loop {
            if self.is_over || self.web.app().is_stopping() {
                return None;
            }
            if now() - self.checked >= SESSION_CHECK {
                self.checked = now();
                match app::sessions::is_open(self.web.app(), self.user.session_id).await {
                    Ok(true) => {}
                    Ok(false) => {
                        self.is_over = true;
                        return Some(event("gone", "", "-"));
                    }
                    // The browser comes back by itself and goes on where it was.
                    Err(error) => return ended_early(&error.to_string()),
                }
            }
            match self.watch.look().await {
                Ok(News::Part { id, html }) => return Some(event("part", &id, &html)),
                Ok(News::Over) => {
                    self.is_over = true;
                    return Some(event("over", "", "-"));
                }
                Ok(News::Nothing) => {}
                Err(error) => return ended_early(&error.to_string()),
            }
            if now() - self.quiet_since >= HEARTBEAT {
                return Some(": still here\n\n".to_owned());
            }
            self.watch.wait().await;
        }
    }
}

fn ended_early(error: &str) -> Option<String> {
    tracing::warn!(error, "a part of a page that follows what happens ends early");
    None
}

/// One event. Line breaks of any kind stay within it.
fn event(name: &str, id: &str, data: &str) -> String {
    let mut text = format!("event: {name}\n");
    if !id.is_empty() {
        text = format!("{text}id: {id}\n");
    }
    for line in data.split(['\n', '\r']) {
        text.push_str("data: ");
        text.push_str(line);
        text.push('\n');
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_can_end_an_event_early() {
        let written = event("part", "7", "<p>a\n\nevent: gone\r\rdata: x</p>");
        assert_eq!(
            written,
            "event: part\nid: 7\ndata: <p>a\ndata: \ndata: event: gone\ndata: \ndata: data: x</p>\n\n"
        );
    }
}
