//! The guarded client. One connection per request: resolved once, checked, and connected to exactly what was checked, so a
//! name that changes its address in between gains nothing.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::header::{DATE, HOST, RETRY_AFTER, USER_AGENT};
use http::response::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::address::Exceptions;
use crate::target::{Refused, Target, check_url};
use crate::tls;

/// How much status line and headers of an answer may be.
const MAX_HEAD_BYTES: usize = 64 * 1024;

/// Turns names into addresses. Replaced in tests only.
#[async_trait]
pub trait Resolve: Send + Sync {
    /// All addresses of a host.
    async fn resolve(&self, host: &str) -> std::io::Result<Vec<IpAddr>>;
}

/// The operating system's resolver.
struct SystemResolver;

#[async_trait]
impl Resolve for SystemResolver {
    async fn resolve(&self, host: &str) -> std::io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((host, 0)).await?.map(|address| address.ip()).collect())
    }
}

/// What one exchange may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// From the first look at the name to the last byte of the answer.
    pub deadline: Duration,
    /// How much of an answer is kept; the rest is not even read.
    pub kept_body: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { deadline: Duration::from_secs(5), kept_body: 1024 }
    }
}

/// A request to send.
#[derive(Debug, Clone)]
pub struct Post<'a> {
    /// Address that it is sent to.
    pub url: &'a str,
    /// Header names in lower case, and their values.
    pub headers: Vec<(&'static str, String)>,
    pub body: Bytes,
}

/// What came when a file was fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    pub status: u16,
    /// The media type without its parameters, in lower case.
    pub content_type: String,
    /// Where the answer says that the file is, if it is a redirect: a whole address.
    pub location: Option<String>,
    /// How many bytes were written; one more than [`Limits::kept_body`] means that the file is longer than that and was cut.
    pub length: u64,
}

/// What a receiver answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    /// How long the receiver asks us to wait (`Retry-After`).
    pub retry_after: Option<Duration>,
    /// The beginning of the body.
    pub body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The address may not be reached.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// A header cannot be sent.
    #[error("a header holds something that cannot be sent")]
    BadHeader,
    /// The name does not resolve.
    #[error("the host name could not be resolved")]
    Dns,
    /// Nothing answers at the address.
    #[error("the connection could not be made")]
    Connect,
    /// No secure connection: a certificate that is not valid for this host, or no TLS at all.
    #[error("the TLS handshake failed: is the certificate valid for this host?")]
    Tls,
    /// The exchange took too long.
    #[error("no complete answer in time")]
    Timeout,
    /// The other side spoke something else than HTTP/1.1, or hung up.
    #[error("the answer was broken off or is not HTTP")]
    Protocol,
    /// What came could not be written where the caller wanted it.
    #[error("what came could not be written: {0}")]
    Write(std::io::ErrorKind),
}

impl SendError {
    /// One word for records and metrics.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Refused(_) => "blocked_address",
            Self::BadHeader => "bad_header",
            Self::Dns => "dns",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::Protocol => "protocol",
            Self::Write(_) => "write",
        }
    }
}

/// The bytes are no certificate authority.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected the certificate of an authority in DER")]
pub struct NotACertificate;

/// The client for addresses that users name.
#[derive(Clone)]
pub struct Client {
    exceptions: Arc<Exceptions>,
    limits: Limits,
    resolver: Arc<dyn Resolve>,
    tls: TlsConnector,
}

impl Client {
    /// A client that trusts the certificates that the system trusts.
    pub fn new(exceptions: Exceptions, limits: Limits) -> Self {
        Self {
            exceptions: Arc::new(exceptions),
            limits,
            resolver: Arc::new(SystemResolver),
            tls: TlsConnector::from(Arc::new(tls::trusting_the_system())),
        }
    }

    /// The same, trusting this certificate authority (DER) and no other.
    pub fn with_authority(mut self, authority: &[u8]) -> Result<Self, NotACertificate> {
        let authority = CertificateDer::from(authority.to_vec());
        let config = tls::trusting_only(authority).map_err(|_| NotACertificate)?;
        self.tls = TlsConnector::from(Arc::new(config));
        Ok(self)
    }

    /// The same with another resolver.
    #[must_use]
    pub fn with_resolver(mut self, resolver: Arc<dyn Resolve>) -> Self {
        self.resolver = resolver;
        self
    }

    /// Says at once what is wrong with a URL, as far as that can be known without resolving it.
    pub fn check(&self, url: &str) -> Result<(), Refused> {
        check_url(url, &self.exceptions).map(drop)
    }

    /// Sends a POST and reads the beginning of the answer. Redirects are answers like any other.
    pub async fn post(&self, post: Post<'_>) -> Result<Answer, SendError> {
        tokio::time::timeout(self.limits.deadline, self.exchange(post))
            .await
            .map_err(|_| SendError::Timeout)?
    }

    /// Fetches a file and writes it out piece by piece, so that its size costs no memory. An answer that ends before its
    /// announced length is an error; what has been written by then is the caller's to remove.
    pub async fn fetch(
        &self,
        url: &str,
        out: &mut (dyn AsyncWrite + Send + Unpin),
    ) -> Result<Fetched, SendError> {
        let fetching = async {
            let target = check_url(url, &self.exceptions)?;
            let path = &target.url[url::Position::BeforePath..url::Position::AfterQuery];
            let authority = &target.url[url::Position::BeforeHost..url::Position::AfterPort];
            let request = Request::get(path)
                .header(HOST, authority)
                .header(USER_AGENT, "KaiCalls/1.0")
                .body(Full::default())
                .map_err(|_| Refused::NotAUrl)?;
            self.send(&target, request, self.limits.kept_body + 1, out).await
        };
        let (head, length) =
            tokio::time::timeout(self.limits.deadline, fetching).await.map_err(|_| SendError::Timeout)??;
        let content_type = head.headers.get(http::header::CONTENT_TYPE);
        let content_type = content_type.and_then(|value| value.to_str().ok()).unwrap_or_default();
        let content_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let location = head.headers.get(http::header::LOCATION).and_then(|value| value.to_str().ok());
        let location =
            location.and_then(|location| url::Url::parse(url).ok()?.join(location).ok()).map(Into::into);
        Ok(Fetched { status: head.status.as_u16(), content_type, location, length })
    }

    async fn exchange(&self, post: Post<'_>) -> Result<Answer, SendError> {
        let target = check_url(post.url, &self.exceptions)?;
        let request = request(&target, post)?;
        let mut body = Vec::new();
        let (head, _) = self.send(&target, request, self.limits.kept_body, &mut body).await?;
        Ok(Answer { status: head.status.as_u16(), retry_after: retry_after(&head.headers), body })
    }

    /// Sends a request and writes the body of the answer out, at most `limit` bytes of it; says how many it were.
    async fn send(
        &self,
        target: &Target,
        request: Request<Full<Bytes>>,
        limit: usize,
        out: &mut (dyn AsyncWrite + Send + Unpin),
    ) -> Result<(Parts, u64), SendError> {
        let stream = self.connect(target).await?;
        if !target.tls {
            return talk(stream, request, limit, out).await;
        }
        let host =
            target.url.host_str().ok_or(Refused::NotAUrl)?.trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(host.to_owned()).map_err(|_| Refused::NotAUrl)?;
        let stream = self.tls.connect(name, stream).await.map_err(|_| SendError::Tls)?;
        talk(stream, request, limit, out).await
    }

    /// Connects to one of the host's addresses, after every one of them has been checked.
    async fn connect(&self, target: &Target) -> Result<TcpStream, SendError> {
        let addresses = match target.literal() {
            Some(address) => vec![address],
            None => {
                let host = target.url.host_str().ok_or(Refused::NotAUrl)?;
                self.resolver.resolve(host).await.map_err(|_| SendError::Dns)?
            }
        };
        if addresses.is_empty() {
            return Err(SendError::Dns);
        }
        for &address in &addresses {
            target.permit(address, &self.exceptions)?;
        }
        let sockets: Vec<SocketAddr> =
            addresses.into_iter().map(|address| SocketAddr::new(address, target.port)).collect();
        TcpStream::connect(&sockets[..]).await.map_err(|_| SendError::Connect)
    }
}

async fn talk<S>(
    stream: S,
    request: Request<Full<Bytes>>,
    limit: usize,
    out: &mut (dyn AsyncWrite + Send + Unpin),
) -> Result<(Parts, u64), SendError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = hyper::client::conn::http1::Builder::new()
        .max_headers(100)
        .max_buf_size(MAX_HEAD_BYTES)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|_| SendError::Protocol)?;
    let answer = async {
        let response = sender.send_request(request).await.map_err(|_| SendError::Protocol)?;
        let (head, body) = response.into_parts();
        let length = write_out(body, limit, out).await?;
        Ok((head, length))
    };
    // The connection moves only while it is polled, and ends with the answer.
    tokio::pin!(connection, answer);
    tokio::select! {
        answer = &mut answer => answer,
        _ = &mut connection => answer.await,
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("exceptions", &self.exceptions)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

fn request(target: &Target, post: Post<'_>) -> Result<Request<Full<Bytes>>, SendError> {
    let path = &target.url[url::Position::BeforePath..url::Position::AfterQuery];
    let authority = &target.url[url::Position::BeforeHost..url::Position::AfterPort];
    let mut request = Request::post(path)
        .header(HOST, authority)
        .header(USER_AGENT, "KaiCalls-Webhooks/1.0")
        .body(Full::new(post.body))
        .map_err(|_| Refused::NotAUrl)?;
    for (name, value) in post.headers {
        let value = HeaderValue::from_str(&value).map_err(|_| SendError::BadHeader)?;
        request.headers_mut().insert(HeaderName::from_static(name), value);
    }
    Ok(request)
}

/// `Retry-After` in seconds, or as a date. A date counts from the answer's own `Date`, so that no clock has to agree with
/// another; without that it says nothing.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| headers.get(name)?.to_str().ok().map(str::trim);
    let asked = text(RETRY_AFTER)?;
    if let Ok(seconds) = asked.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = httpdate::parse_http_date(asked).ok()?;
    let since = httpdate::parse_http_date(text(DATE)?).ok()?;
    Some(until.duration_since(since).unwrap_or_default())
}

/// Writes the beginning of a body out and flushes it; what is longer than the limit is not even read.
async fn write_out(
    mut body: Incoming,
    limit: usize,
    out: &mut (dyn AsyncWrite + Send + Unpin),
) -> Result<u64, SendError> {
    let mut written = 0;
    while written < limit {
        match body.frame().await {
            None => break,
            Some(Err(_)) => return Err(SendError::Protocol),
            Some(Ok(frame)) => {
                let Ok(data) = frame.into_data() else { continue };
                let piece = &data[..data.len().min(limit - written)];
                out.write_all(piece).await.map_err(|error| SendError::Write(error.kind()))?;
                written += piece.len();
            }
        }
    }
    out.flush().await.map_err(|error| SendError::Write(error.kind()))?;
    Ok(written as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn receivers_ask_for_time_in_seconds_or_by_date() {
        let check = |asked: &'static str, date: Option<&'static str>, expected: Option<u64>| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, HeaderValue::from_static(asked));
            headers.extend(date.map(|date| (DATE, HeaderValue::from_static(date))));
            assert_eq!(retry_after(&headers).map(|wait| wait.as_secs()), expected, "{asked}");
        };
        let noon = Some("Tue, 24 Nov 2026 12:00:00 GMT");
        check("120", None, Some(120));
        check(" 0 ", noon, Some(0));
        check("Tue, 24 Nov 2026 12:01:30 GMT", noon, Some(90));
        check("Tue, 24 Nov 2026 11:00:00 GMT", noon, Some(0));
        check("Tue, 24 Nov 2026 12:01:30 GMT", None, None);
        check("soon", noon, None);
        check("-5", noon, None);
    }
}
