//! Staying in touch with a trunk: registration where it is wished, else a question now and then whether it is there.

use std::sync::Arc;
use std::time::Duration;

use rsipstack::dialog::registration::Registration;
use rsipstack::sip::typed::{Contact, From, To};
use rsipstack::sip::{Method, SipMessage, StatusCodeKind, Uri};
use rsipstack::transaction::key::{TransactionKey, TransactionRole};
use rsipstack::transaction::{Transaction, make_tag};
use rsipstack::transport::connection::KEEPALIVE_REQUEST;
use rsipstack::transport::stream::StreamConnection as _;
use rsipstack::transport::{SipAddr, SipConnection};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::library::{self, kind_of};
use crate::settings::Transport;
use crate::shared::Shared;
use crate::trunk::Health;

/// How long a registration is asked for.
const EXPIRES: u32 = 600;

/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(10);

/// How long a goodbye may take.
const GOODBYE: Duration = Duration::from_secs(2);

/// The first pause after a failure; each further one is twice as long, up to the last.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
const LAST_PAUSE: Duration = Duration::from_secs(120);

/// Address translators forget a quiet line after half a minute.
const KEEP_ALIVE: Duration = Duration::from_secs(25);

/// Stays in touch with a trunk until the user agent stops.
pub(crate) async fn keep(shared: Arc<Shared>, place: usize, stop: CancellationToken) {
    let keeper = Keeper { shared, place };
    let trunk = keeper.shared.trunk(place);
    match (trunk.registers, trunk.asks) {
        (true, _) => keeper.register(stop).await,
        (false, true) => keeper.ask(stop).await,
        (false, false) => keeper.trust(stop).await,
    }
}

struct Keeper {
    shared: Arc<Shared>,
    place: usize,
}

impl Keeper {
    async fn register(&self, stop: CancellationToken) {
        let Some((server, mut registration)) = self.registration() else {
            return self
                .set(Health::Down("its host or user name cannot be written in an address".to_owned()));
        };
        let mut pause = FIRST_PAUSE;
        loop {
            let tried = tokio::select! {
                tried = self.try_to_register(&server, &mut registration) => tried,
                () = stop.cancelled() => return,
            };
            let wait = match tried {
                Ok(granted) => {
                    self.set(Health::Up);
                    pause = FIRST_PAUSE;
                    granted.mul_f64(0.8)
                }
                Err(reason) => {
                    self.set(Health::Down(reason));
                    let longer = (pause * 2).min(LAST_PAUSE);
                    std::mem::replace(&mut pause, longer)
                }
            };
            if self.stays_for(wait, &stop).await {
                continue;
            }
            // If the trunk does not hear it, the registration ends by itself.
            let _ = timeout(GOODBYE, registration.register(server, Some(0))).await;
            return;
        }
    }

    fn registration(&self) -> Option<(Uri, Registration)> {
        let trunk = self.shared.trunk(self.place);
        let credential = trunk.credentials.as_ref().map(library::credential);
        let user = trunk.credentials.as_ref().map_or("kaicalls", |credentials| credentials.username.as_str());
        let uri = self.shared.contact(self.place, user)?;
        let server = self.shared.user_at(self.place, "")?;
        let mut registration = Registration::new(Arc::clone(&self.shared.dialogs.endpoint), credential);
        registration.contact = Some(Contact { display_name: None, uri, params: Vec::new() });
        Some((server, registration))
    }

    async fn try_to_register(
        &self,
        server: &Uri,
        registration: &mut Registration,
    ) -> Result<Duration, String> {
        let destination = self.shared.reach(self.place).await?;
        // Where a name has several addresses, it is the one that we are connected with.
        registration.outbound_proxy = destination.get_socketaddr().ok();
        let Ok(answer) = timeout(ANSWER, registration.register(server.clone(), Some(EXPIRES))).await else {
            return Err("it did not answer the registration".to_owned());
        };
        let answer =
            answer.map_err(|error| format!("the registration could not be sent ({})", kind_of(&error)))?;
        match answer.status_code.kind() {
            StatusCodeKind::Successful => Ok(Duration::from_secs(u64::from(registration.expires().max(10)))),
            _ => Err(format!("it refused the registration with {}", answer.status_code.code())),
        }
    }

    async fn ask(&self, stop: CancellationToken) {
        loop {
            let asked = tokio::select! {
                asked = timeout(ANSWER, self.is_there()) => asked,
                () = stop.cancelled() => return,
            };
            let health = match asked {
                Ok(Ok(())) => Health::Up,
                Ok(Err(reason)) => Health::Down(reason),
                Err(_) => Health::Down("it does not answer".to_owned()),
            };
            self.set(health);
            if !self.stays_for(self.shared.settings.ask_every, &stop).await {
                return;
            }
        }
    }

    async fn trust(&self, stop: CancellationToken) {
        loop {
            // Its calls are known by the addresses of its host.
            let reached = tokio::select! {
                reached = timeout(ANSWER, self.shared.reach(self.place)) => reached,
                () = stop.cancelled() => return,
            };
            self.set(match reached {
                Ok(Ok(_)) => Health::Up,
                Ok(Err(reason)) => Health::Down(reason),
                Err(_) => Health::Down("it does not answer".to_owned()),
            });
            if !self.stays_for(self.shared.settings.ask_every, &stop).await {
                return;
            }
        }
    }

    /// Any answer means that it is there.
    async fn is_there(&self) -> Result<(), String> {
        let destination = self.shared.reach(self.place).await?;
        let mut question = self.question(destination).ok_or("its host cannot be written in an address")?;
        let sent = question.send().await;
        sent.map_err(|error| format!("the question could not be sent ({})", kind_of(&error)))?;
        while let Some(message) = question.receive().await {
            if let SipMessage::Response(answer) = message
                && answer.status_code.kind() != StatusCodeKind::Provisional
                // The library gives this answer itself where none came.
                && answer.status_code.code() != 408
            {
                return Ok(());
            }
        }
        Err("it does not answer".to_owned())
    }

    fn question(&self, destination: SipAddr) -> Option<Transaction> {
        let endpoint = &self.shared.dialogs.endpoint;
        let uri = self.shared.user_at(self.place, "")?;
        let ours = SipAddr { r#type: destination.r#type, addr: self.shared.address.into() };
        let via = endpoint.get_via(Some(ours), None).ok()?;
        let from = From {
            display_name: None,
            uri: self.shared.contact(self.place, "kaicalls")?,
            params: Vec::new(),
        };
        let to = To { display_name: None, uri: uri.clone(), params: Vec::new() };
        let request =
            endpoint.make_request(Method::Options, uri, via, from.with_tag(make_tag()), to, 1, None);
        let key = TransactionKey::from_request(&request, TransactionRole::Client).ok()?;
        let mut question = Transaction::new_client(key, request, Arc::clone(endpoint), None);
        question.destination = Some(destination);
        Some(question)
    }

    /// Waits, and keeps the way through address translators open; false if the user agent stops meanwhile.
    async fn stays_for(&self, wait: Duration, stop: &CancellationToken) -> bool {
        let mut left = wait;
        while !left.is_zero() {
            let step = left.min(KEEP_ALIVE);
            tokio::select! {
                () = sleep(step) => {}
                () = stop.cancelled() => return false,
            }
            left -= step;
            if !left.is_zero() && !stop.is_cancelled() {
                self.keep_alive().await;
            }
        }
        true
    }

    /// What does not arrive is no loss.
    async fn keep_alive(&self) {
        match self.shared.trunk(self.place).transport {
            Transport::Udp => {
                if let Some(destination) = self.shared.find(self.place).await {
                    let _ = self.shared.udp.send_raw(KEEPALIVE_REQUEST, &destination).await;
                }
            }
            // A connection that has ended is opened again, so that a trunk that only knows us by it can bring calls.
            Transport::Tcp | Transport::Tls => {
                let Ok(Ok(destination)) = timeout(ANSWER, self.shared.reach(self.place)).await else {
                    return;
                };
                let layer = &self.shared.dialogs.endpoint.transport_layer;
                let _ = match layer.lookup(&destination, None).await {
                    Ok((SipConnection::Tcp(connection), _)) => connection.send_raw(KEEPALIVE_REQUEST).await,
                    Ok((SipConnection::Tls(connection), _)) => connection.send_raw(KEEPALIVE_REQUEST).await,
                    _ => Ok(()),
                };
            }
        }
    }

    /// Notes how the trunk is, and says so where that is news.
    fn set(&self, health: Health) {
        let trunk = self.shared.trunk(self.place).name.as_str();
        match (self.shared.set_health(self.place, health.clone()), health) {
            (false, _) | (true, Health::Unknown) => {}
            (true, Health::Up) => tracing::info!(trunk, "a trunk is up"),
            (true, Health::Down(reason)) => tracing::warn!(trunk, reason, "a trunk is down"),
        }
    }
}
