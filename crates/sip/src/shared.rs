//! What the tasks of a user agent have in common, and how trunks and users are written in addresses.

use std::net::SocketAddr;
use std::sync::Arc;

use rsipstack::dialog::dialog_layer::DialogLayer;
use rsipstack::sip::Uri;
use rsipstack::transport::SipAddr;
use rsipstack::transport::udp::UdpConnection;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::gate::Gate;
use crate::settings::{Settings, Transport, Trunk};
use crate::tls::Line;
use crate::trunk::Health;

/// What the tasks of a user agent have in common.
pub(crate) struct Shared {
    pub settings: Settings,
    pub dialogs: Arc<DialogLayer>,
    pub gate: Arc<Gate>,
    pub health: watch::Sender<Vec<Health>>,
    /// How others reach us.
    pub address: SocketAddr,
    /// How others reach us over TLS.
    pub secure_address: SocketAddr,
    /// Our connections over TLS, one for each trunk.
    pub lines: Vec<Line>,
    pub close: CancellationToken,
    pub udp: UdpConnection,
    pub tasks: TaskTracker,
}

impl Shared {
    pub(crate) fn trunk(&self, place: usize) -> &Trunk {
        &self.settings.trunks[place]
    }

    /// Notes how a trunk is; true if that is news.
    pub(crate) fn set_health(&self, place: usize, health: Health) -> bool {
        self.health.send_if_modified(|all| {
            let changed = all[place] != health;
            all[place] = health;
            changed
        })
    }

    /// Where a trunk is now. Its addresses may call us from here on.
    pub(crate) async fn find(&self, place: usize) -> Option<SipAddr> {
        let trunk = self.trunk(place);
        let found = tokio::net::lookup_host((trunk.host.as_str(), trunk.port)).await.ok()?;
        // A socket of one family cannot reach the other.
        let addresses: Vec<SocketAddr> =
            found.filter(|found| found.is_ipv4() == self.settings.listen.is_ipv4()).collect();
        let first = *addresses.first()?;
        self.gate.learn(place, addresses.iter().map(SocketAddr::ip).collect());
        Some(SipAddr { r#type: Some(transport(trunk.transport)), addr: first.into() })
    }

    /// Where a trunk is now, with a connection to it where it wants one; if it cannot be reached, why.
    pub(crate) async fn reach(&self, place: usize) -> Result<SipAddr, String> {
        let destination = self.find(place).await.ok_or("its name has no address")?;
        let trunk = self.trunk(place);
        let endpoint = &self.dialogs.endpoint;
        match (trunk.transport, destination.get_socketaddr()) {
            (Transport::Udp, _) => {}
            (Transport::Tls, Ok(to)) => self.lines[place].open(trunk, to, endpoint, &self.close).await?,
            (Transport::Tcp | Transport::Tls, _) => {
                let opened = endpoint.transport_layer.lookup(&destination, None).await;
                opened.map_err(|_| "it does not take connections")?;
            }
        }
        Ok(destination)
    }

    /// How this user is reached over this trunk.
    pub(crate) fn contact(&self, place: usize, user: &str) -> Option<Uri> {
        let (address, transport) = match self.trunk(place).transport {
            Transport::Udp => (self.address, "udp"),
            Transport::Tcp => (self.address, "tcp"),
            Transport::Tls => (self.secure_address, "tls"),
        };
        Uri::try_from(format!("sip:{user}@{address};transport={transport}")).ok()
    }

    /// A user at a trunk.
    pub(crate) fn user_at(&self, place: usize, user: &str) -> Option<Uri> {
        let trunk = self.trunk(place);
        let transport = match trunk.transport {
            Transport::Udp => "",
            Transport::Tcp => ";transport=tcp",
            Transport::Tls => ";transport=tls",
        };
        let at = if user.is_empty() { "" } else { "@" };
        Uri::try_from(format!("sip:{user}{at}{}:{}{transport}", trunk.host, trunk.port)).ok()
    }
}

fn transport(transport: Transport) -> rsipstack::sip::Transport {
    match transport {
        Transport::Udp => rsipstack::sip::Transport::Udp,
        Transport::Tcp => rsipstack::sip::Transport::Tcp,
        Transport::Tls => rsipstack::sip::Transport::Tls,
    }
}
