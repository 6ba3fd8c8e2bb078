//! WebSockets to addresses that the operator has configured: a recogniser that hears a call while it goes on.
//!
//! The connection is made by ourselves, so that it is the same TLS, the same refusal of proxies and the same limits as for requests.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::error::{CapacityError, Error};
use tokio_tungstenite::tungstenite::protocol::{Message, WebSocketConfig};
use url::Url;

use crate::client::retry_after;
use crate::operator::{OperatorError, header_map};
use crate::tls;

/// Why a socket could not be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SocketError {
    /// The server answered, but not with a WebSocket.
    #[error("the server answered with status {status}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// How long the server asks to be left alone.
        retry_after: Option<Duration>,
    },
    /// There was no such answer.
    #[error(transparent)]
    Failed(#[from] OperatorError),
}

/// What came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SocketMessage {
    /// A message of text.
    Text(String),
    /// A message of bytes.
    Binary(Bytes),
    /// The server closes the connection. Nothing follows.
    Closed {
        /// Why, in numbers of RFC 6455, section 7.4.
        code: u16,
    },
}

/// Opens sockets. Clones share what is known of certificates.
#[derive(Debug, Clone)]
pub struct SocketClient {
    tls: Arc<ClientConfig>,
    patience: Duration,
    largest: usize,
}

trait Connection: AsyncRead + AsyncWrite + Send + Unpin + std::fmt::Debug {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin + std::fmt::Debug> Connection for T {}

type Socket = WebSocketStream<Box<dyn Connection>>;

impl SocketClient {
    /// A client that waits so long for a socket to open, and takes no message with more bytes than `largest`.
    pub fn new(patience: Duration, largest: usize) -> Self {
        Self { tls: Arc::new(tls::trusting_the_system()), patience, largest }
    }

    /// Opens a socket at a `ws://` or `wss://` address.
    pub async fn open(
        &self,
        url: &str,
        headers: &[(&'static str, String)],
    ) -> Result<(SocketSender, SocketReceiver), SocketError> {
        let opening = tokio::time::timeout(self.patience, self.connect(url, headers));
        let socket = opening.await.map_err(|_| OperatorError::Timeout)??;
        let (sender, receiver) = socket.split();
        Ok((SocketSender(sender), SocketReceiver(receiver)))
    }

    async fn connect(&self, url: &str, headers: &[(&'static str, String)]) -> Result<Socket, SocketError> {
        let mut request = url.into_client_request().map_err(|_| OperatorError::BadRequest)?;
        request.headers_mut().extend(header_map(headers)?);
        let config = WebSocketConfig::default()
            .max_message_size(Some(self.largest))
            .max_frame_size(Some(self.largest));
        let connection = self.connection(url).await?;
        match tokio_tungstenite::client_async_with_config(request, connection, Some(config)).await {
            Ok((socket, _)) => Ok(socket),
            Err(Error::Http(response)) => {
                let retry_after = retry_after(response.headers());
                Err(SocketError::Refused { status: response.status().as_u16(), retry_after })
            }
            Err(error) => Err(failure(error).into()),
        }
    }

    async fn connection(&self, url: &str) -> Result<Box<dyn Connection>, OperatorError> {
        let url = Url::parse(url).map_err(|_| OperatorError::BadRequest)?;
        let host = url.host_str().ok_or(OperatorError::BadRequest)?.trim_matches(['[', ']']);
        let encrypted = url.scheme() == "wss";
        let port = url.port_or_known_default().ok_or(OperatorError::BadRequest)?;
        let plain = TcpStream::connect((host, port)).await.map_err(|_| OperatorError::Connect)?;
        plain.set_nodelay(true).map_err(|_| OperatorError::Connect)?;
        if !encrypted {
            return Ok(Box::new(plain));
        }
        let name = ServerName::try_from(host.to_owned()).map_err(|_| OperatorError::BadRequest)?;
        let connector = TlsConnector::from(Arc::clone(&self.tls));
        let encrypted = connector.connect(name, plain).await.map_err(|_| OperatorError::Connect)?;
        Ok(Box::new(encrypted))
    }
}

/// The half of a socket into which messages go.
#[derive(Debug)]
pub struct SocketSender(SplitSink<Socket, Message>);

impl SocketSender {
    /// Sends a message of text.
    pub async fn send_text(&mut self, text: String) -> Result<(), OperatorError> {
        self.0.send(Message::text(text)).await.map_err(failure)
    }

    /// Sends a message of bytes.
    pub async fn send_binary(&mut self, bytes: Bytes) -> Result<(), OperatorError> {
        self.0.send(Message::binary(bytes)).await.map_err(failure)
    }
}

/// The half of a socket out of which messages come. The connection is closed when both halves are dropped.
#[derive(Debug)]
pub struct SocketReceiver(SplitStream<Socket>);

impl SocketReceiver {
    /// The next message. A connection that breaks off without being closed is [`OperatorError::Broken`].
    pub async fn next(&mut self) -> Result<SocketMessage, OperatorError> {
        loop {
            return match self.0.next().await {
                Some(Ok(Message::Text(text))) => Ok(SocketMessage::Text(text.as_str().to_owned())),
                Some(Ok(Message::Binary(bytes))) => Ok(SocketMessage::Binary(bytes)),
                // 1005: the peer closed and gave no code.
                Some(Ok(Message::Close(frame))) => {
                    Ok(SocketMessage::Closed { code: frame.map_or(1005, |frame| frame.code.into()) })
                }
                Some(Ok(_)) => continue,
                Some(Err(error)) => Err(failure(error)),
                None => Err(OperatorError::Broken),
            };
        }
    }
}

fn failure(error: Error) -> OperatorError {
    match error {
        Error::Capacity(CapacityError::MessageTooLong { .. }) => OperatorError::TooLong,
        Error::Url(_) | Error::HttpFormat(_) => OperatorError::BadRequest,
        _ => OperatorError::Broken,
    }
}
