//! The user agent of an installation: where it listens, and who deals with what comes in.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rsipstack::EndpointBuilder;
use rsipstack::dialog::dialog_layer::DialogLayer;
use rsipstack::sip::prelude::HeadersExt as _;
use rsipstack::sip::{Header, Method, StatusCode};
use rsipstack::transaction::endpoint::EndpointOption;
use rsipstack::transaction::{Endpoint, Transaction, TransactionReceiver};
use rsipstack::transport::udp::UdpConnection;
use rsipstack::transport::{SipConnection, TcpListenerConnection, TransportLayer};
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::call::Call;
use crate::gate::Gate;
use crate::inbound::{self, Incoming};
use crate::library::kind_of;
use crate::outbound::{self, Order};
use crate::registration;
use crate::settings::Settings;
use crate::shared::Shared;
use crate::tls::{self, Line};
use crate::trunk::{self, Health};

/// How many calls that came in wait until they are taken; more are told to come back later.
const WAITING: usize = 32;

/// A connection on which nothing comes for so long is closed. Calls last longer than the pauses between their messages.
const IDLE: Duration = Duration::from_secs(2 * 60 * 60);

/// What we let others do.
const ALLOWED: [Method; 7] =
    [Method::Invite, Method::Ack, Method::Cancel, Method::Bye, Method::Options, Method::Info, Method::Update];

/// Why a user agent could not start.
#[derive(Debug)]
pub enum StartError {
    /// Its address is taken, or is not this machine's.
    Address(SocketAddr, std::io::Error),
    /// Our certificate for trunks, or its key, is not as it should be.
    Certificate(String),
    /// The SIP library could not open its transport.
    Library(String),
}

impl std::fmt::Display for StartError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Address(address, error) => write!(f, "cannot listen for calls on {address}: {error}"),
            Self::Certificate(reason) => write!(f, "trunks cannot connect with us over TLS: {reason}"),
            Self::Library(words) => write!(f, "the SIP library could not start: {words}"),
        }
    }
}

impl std::error::Error for StartError {}

/// A user agent. Stop it with [`UserAgent::stop`]; calls end when their [`Call`] is dropped.
pub struct UserAgent {
    shared: Arc<Shared>,
    /// Keeps the library's transports open.
    _endpoint: Endpoint,
    stop: CancellationToken,
    close: CancellationToken,
    keepers: TaskTracker,
}

impl UserAgent {
    /// Listens, registers where that is wished, and hands over the calls that come in.
    pub async fn start(settings: Settings) -> Result<(Self, mpsc::Receiver<Incoming>), StartError> {
        let close = CancellationToken::new();
        let (udp, local) = listen(&settings, &close).await?;
        let address = settings.public_address.unwrap_or_else(|| SipConnection::resolve_bind_address(local));
        let secure = match &settings.secure {
            Some(secure) => Some(tls::Listener::open(secure.clone()).await.map_err(|error| match error {
                tls::ListenError::Address(error) => StartError::Address(secure.listen, error),
                tls::ListenError::Certificate(reason) => StartError::Certificate(reason),
            })?),
            None => None,
        };
        // Where nobody can connect with us, trunks use the connections that we keep.
        let secure_port =
            secure.as_ref().and_then(|listener| listener.address().ok()).map(|address| address.port());
        let secure_address = SocketAddr::new(address.ip(), secure_port.unwrap_or_else(|| address.port()));
        let gate = Arc::new(Gate::new(settings.trunks.iter().map(|trunk| trunk.sources.clone())));
        let layer = TransportLayer::new(close.clone());
        layer.set_stream_idle_timeout(IDLE);
        layer.add_transport(udp.clone().into());
        let tcp = TcpListenerConnection::new(local, settings.public_address).await.map_err(library)?;
        layer.add_transport(SipConnection::TcpListener(tcp));
        let guarded = Arc::clone(&gate);
        layer.set_whitelist(move |source| {
            #[expect(
                clippy::disallowed_methods,
                reason = "the gate counts what comes per second of a real clock"
            )]
            let admitted = guarded.admits(source, Instant::now());
            std::future::ready(admitted)
        });
        let mut builder = EndpointBuilder::new();
        let option =
            EndpointOption { callid_suffix: Some(address.ip().to_string()), ..EndpointOption::default() };
        builder.with_user_agent(&settings.name).with_transport_layer(layer).with_cancel_token(close.clone());
        builder.with_allows(ALLOWED.to_vec()).with_option(option);
        let endpoint = builder.build();
        let transactions = endpoint.incoming_transactions().map_err(library)?;
        let (health, _) = watch::channel(vec![Health::Unknown; settings.trunks.len()]);
        let dialogs = Arc::new(DialogLayer::new(Arc::clone(&endpoint.inner)));
        let tasks = TaskTracker::new();
        let lines = settings.trunks.iter().map(|_| Line::default()).collect();
        let shared = Shared {
            settings,
            dialogs,
            gate,
            health,
            address,
            secure_address,
            lines,
            close: close.clone(),
            udp,
            tasks,
        };
        let shared = Arc::new(shared);
        let (sender, receiver) = mpsc::channel(WAITING);
        let serving = Arc::clone(&endpoint.inner);
        tokio::spawn(async move {
            if let Err(error) = serving.serve().await {
                tracing::error!(kind = kind_of(&error), "signalling of calls has stopped");
            }
        });
        if let Some(listener) = secure {
            let (gate, endpoint) = (Arc::clone(&shared.gate), Arc::clone(&endpoint.inner));
            tokio::spawn(listener.serve(gate, endpoint, close.clone()));
        }
        tokio::spawn(pump(Arc::clone(&shared), transactions, sender));
        let (stop, keepers) = (CancellationToken::new(), TaskTracker::new());
        for place in 0..shared.settings.trunks.len() {
            keepers.spawn(registration::keep(Arc::clone(&shared), place, stop.clone()));
        }
        Ok((Self { shared, _endpoint: endpoint, stop, close, keepers }, receiver))
    }

    /// How others reach it.
    pub fn address(&self) -> SocketAddr {
        self.shared.address
    }

    /// How others reach it over TLS, where it listens for that.
    pub fn secure_address(&self) -> Option<SocketAddr> {
        self.shared.settings.secure.as_ref().map(|_| self.shared.secure_address)
    }

    /// Calls a number, over the trunks that are for it. What comes of it is told by the call.
    pub fn call(&self, order: Order) -> Call {
        outbound::start(&self.shared, order)
    }

    /// The name of the trunk that this number would be called over first; `None` if there is none for it, or all of them are known to be down.
    pub fn trunk_for(&self, number: &str) -> Option<String> {
        let (health, settings) = (self.shared.health.borrow(), &self.shared.settings);
        let first = trunk::for_number(&settings.trunks, &health, number).into_iter().next()?;
        Some(settings.trunks[first].name.clone())
    }

    /// How the trunks are, in their order in the settings.
    pub fn health(&self) -> watch::Receiver<Vec<Health>> {
        self.shared.health.subscribe()
    }

    /// How many dialogs are kept: none when no call runs.
    pub fn dialogs(&self) -> usize {
        self.shared.dialogs.len()
    }

    /// Takes its registrations back and stops listening. Calls that still run are cut off.
    pub async fn stop(&self) {
        self.stop.cancel();
        self.keepers.close();
        self.keepers.wait().await;
        self.close.cancel();
    }
}

impl std::fmt::Debug for UserAgent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UserAgent").field("address", &self.shared.address).finish_non_exhaustive()
    }
}

/// Opens the socket for datagrams, and sees whether connections can be taken at the same address: the library only logs if not.
async fn listen(
    settings: &Settings,
    close: &CancellationToken,
) -> Result<(UdpConnection, SocketAddr), StartError> {
    /// A port that the system chose for datagrams may be taken for connections.
    const ATTEMPTS: usize = 20;
    let attempts = if settings.listen.port() == 0 { ATTEMPTS } else { 1 };
    let failed = |error| StartError::Address(settings.listen, error);
    let mut attempt = 1;
    let (socket, local) = loop {
        let socket = UdpSocket::bind(settings.listen).await.map_err(failed)?;
        let local = socket.local_addr().map_err(failed)?;
        match TcpListener::bind(local).await {
            Ok(_) => break (socket, local),
            Err(error) if attempt == attempts => return Err(failed(error)),
            Err(_) => attempt += 1,
        }
    };
    let token = Some(close.child_token());
    let udp = UdpConnection::from_socket(Arc::new(socket), settings.public_address, token).await;
    Ok((udp.map_err(library)?, local))
}

fn library(error: rsipstack::Error) -> StartError {
    StartError::Library(error.to_string())
}

/// Deals with every request until the user agent stops.
async fn pump(shared: Arc<Shared>, mut transactions: TransactionReceiver, calls: mpsc::Sender<Incoming>) {
    while let Some(transaction) = transactions.recv().await {
        let (shared, calls) = (Arc::clone(&shared), calls.clone());
        shared.tasks.clone().spawn(async move {
            let method = transaction.original.method;
            if let Err(error) = take(&shared, transaction, calls).await {
                tracing::debug!(%method, kind = kind_of(&error), "a request could not be dealt with");
            }
        });
    }
}

async fn take(
    shared: &Arc<Shared>,
    mut transaction: Transaction,
    calls: mpsc::Sender<Incoming>,
) -> rsipstack::Result<()> {
    if let Some(mut dialog) = shared.dialogs.match_dialog(&transaction) {
        return dialog.handle(&mut transaction).await;
    }
    let belongs_to_a_call = transaction.original.to_header()?.tag()?.is_some();
    match transaction.original.method {
        Method::Ack => Ok(()),
        _ if belongs_to_a_call => transaction.reply(StatusCode::CallTransactionDoesNotExist).await,
        Method::Invite => inbound::receive(shared, transaction, calls).await,
        Method::Options => {
            let allowed = ALLOWED.map(|method| method.to_string()).join(", ");
            let headers = vec![Header::Allow(allowed.into()), Header::Accept("application/sdp".into())];
            transaction.reply_with(StatusCode::OK, headers, None).await
        }
        _ => transaction.reply(StatusCode::MethodNotAllowed).await,
    }
}
