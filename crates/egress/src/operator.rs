//! The client for addresses that the operator has configured: private ones are fine, answers may stream, and connections are
//! kept so that a turn of a conversation does not begin with a handshake.

use std::io::Write as _;
use std::time::Duration;

use bytes::Bytes;
use flate2::write::GzDecoder;
use futures_util::{Stream, StreamExt as _, stream};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::client::retry_after;

/// How long to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// How long the connection may take.
    pub connect: Duration,
    /// Between two pieces of the answer, the first one included.
    pub idle: Duration,
    /// For the whole exchange, from the first look at the name to the last byte; none for answers that stream as long as they like.
    pub total: Option<Duration>,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: Duration::from_secs(3), idle: Duration::from_secs(10), total: None }
    }
}

/// Why there is no answer, or no more of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OperatorError {
    /// The URL or a header cannot be used.
    #[error("the configured address or key cannot be used in a request")]
    BadRequest,
    /// Nothing answers at the address.
    #[error("the connection could not be made")]
    Connect,
    /// It took too long.
    #[error("no answer in time")]
    Timeout,
    /// The answer was broken off.
    #[error("the answer was broken off")]
    Broken,
    /// An event of a stream is larger than it may be.
    #[error("an event of the stream is too long")]
    TooLong,
}

impl From<reqwest::Error> for OperatorError {
    fn from(error: reqwest::Error) -> Self {
        if error.is_timeout() {
            Self::Timeout
        } else if error.is_connect() {
            Self::Connect
        } else if error.is_builder() {
            Self::BadRequest
        } else {
            Self::Broken
        }
    }
}

/// The client for configured addresses.
#[derive(Debug, Clone)]
pub struct OperatorClient(reqwest::Client);

impl OperatorClient {
    /// A client with these limits. Follows no redirects, because a key would travel along.
    pub fn new(timeouts: Timeouts) -> Self {
        #[expect(clippy::disallowed_methods, reason = "this is the gate")]
        let builder = match timeouts.total {
            Some(total) => reqwest::Client::builder().timeout(total),
            None => reqwest::Client::builder(),
        };
        let client = builder
            .connect_timeout(timeouts.connect)
            .read_timeout(timeouts.idle)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .tls_backend_preconfigured(crate::tls::trusting_the_system())
            .build()
            .expect("the TLS configuration is of the version of rustls that the client was built with");
        Self(client)
    }

    /// Sends JSON and returns as soon as the answer begins.
    pub async fn post_json(
        &self,
        url: &str,
        headers: &[(&'static str, String)],
        body: Bytes,
    ) -> Result<OperatorResponse, OperatorError> {
        self.post_as(url, headers, "application/json", body).await
    }

    /// Sends a body of any type and returns as soon as the answer begins.
    pub async fn post_as(
        &self,
        url: &str,
        headers: &[(&'static str, String)],
        content_type: &str,
        body: Bytes,
    ) -> Result<OperatorResponse, OperatorError> {
        let mut map = header_map(headers)?;
        let content_type = HeaderValue::from_str(content_type).map_err(|_| OperatorError::BadRequest)?;
        map.insert(http::header::CONTENT_TYPE, content_type);
        let response = self.0.post(url).headers(map).body(body).send().await?;
        Ok(OperatorResponse::new(response))
    }

    /// Sends a request of any method, with JSON if there is a body, and returns as soon as the answer begins.
    pub async fn send(
        &self,
        method: http::Method,
        url: &str,
        headers: &[(&'static str, String)],
        body: Option<Bytes>,
    ) -> Result<OperatorResponse, OperatorError> {
        let mut map = header_map(headers)?;
        let mut request = self.0.request(method, url);
        if let Some(body) = body {
            map.insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            request = request.body(body);
        }
        Ok(OperatorResponse::new(request.headers(map).send().await?))
    }

    /// Asks for something and returns as soon as the answer begins.
    pub async fn get(
        &self,
        url: &str,
        headers: &[(&'static str, String)],
    ) -> Result<OperatorResponse, OperatorError> {
        let response = self.0.get(url).headers(header_map(headers)?).send().await?;
        Ok(OperatorResponse::new(response))
    }
}

/// The headers of a request, marked as secret because one of them may hold a key.
pub(crate) fn header_map(headers: &[(&'static str, String)]) -> Result<HeaderMap, OperatorError> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let mut value = HeaderValue::from_str(value).map_err(|_| OperatorError::BadRequest)?;
        value.set_sensitive(true);
        map.insert(HeaderName::from_static(name), value);
    }
    Ok(map)
}

/// An answer that has begun.
#[derive(Debug)]
pub struct OperatorResponse {
    response: reqwest::Response,
    /// Unpacks the body, if it came packed. Nothing asks for that, but some gateways do it all the same.
    unpacking: Option<Box<GzDecoder<Vec<u8>>>>,
    /// What was looked at and is still to be read.
    begun: Vec<Bytes>,
}

impl OperatorResponse {
    fn new(response: reqwest::Response) -> Self {
        let packed = response.headers().get(http::header::CONTENT_ENCODING);
        let packed = packed.is_some_and(|coding| coding.as_bytes().eq_ignore_ascii_case(b"gzip"));
        Self { response, unpacking: packed.then(|| Box::new(GzDecoder::new(Vec::new()))), begun: Vec::new() }
    }

    pub fn status(&self) -> u16 {
        self.response.status().as_u16()
    }

    /// A header, if it is there and readable.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.response.headers().get(name)?.to_str().ok()
    }

    /// How long the server asks to be left alone.
    pub fn retry_after(&self) -> Option<Duration> {
        retry_after(self.response.headers())
    }

    /// The body, up to a limit; what lies beyond is cut off.
    pub async fn text(self, limit: usize) -> Result<String, OperatorError> {
        let mut kept = Vec::new();
        let mut stream = std::pin::pin!(self.stream());
        while let Some(piece) = stream.next().await {
            let piece = piece?;
            kept.extend_from_slice(&piece[..piece.len().min(limit - kept.len())]);
            if kept.len() == limit {
                break;
            }
        }
        Ok(String::from_utf8_lossy(&kept).into_owned())
    }

    /// The first character of the body, beside white space and a byte order mark; waits for it and leaves everything to be read.
    pub async fn first_character(&mut self) -> Result<Option<char>, OperatorError> {
        while let Some(piece) = self.piece().await {
            let piece = piece?;
            let text = String::from_utf8_lossy(&piece);
            let first = text.chars().find(|c| !c.is_whitespace() && *c != '\u{feff}');
            self.begun.push(piece);
            if first.is_some() {
                return Ok(first);
            }
        }
        Ok(None)
    }

    /// The body in pieces as they arrive. Dropping it closes the exchange.
    pub fn stream(mut self) -> impl Stream<Item = Result<Bytes, OperatorError>> + Send + 'static {
        let begun = std::mem::take(&mut self.begun).into_iter().map(Ok);
        let rest =
            stream::unfold(self, |mut response| async move { Some((response.piece().await?, response)) });
        stream::iter(begun).chain(rest)
    }

    /// The next piece of the body, unpacked.
    async fn piece(&mut self) -> Option<Result<Bytes, OperatorError>> {
        let piece = match self.response.chunk().await {
            Ok(piece) => piece?,
            Err(error) => return Some(Err(error.into())),
        };
        let Some(decoder) = &mut self.unpacking else { return Some(Ok(piece)) };
        let unpacked = decoder.write_all(&piece).and_then(|()| decoder.flush());
        Some(unpacked.map(|()| std::mem::take(decoder.get_mut()).into()).map_err(|_| OperatorError::Broken))
    }
}
