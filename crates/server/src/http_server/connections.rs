//! Who is connected: bounded in all and for each address, and always with room for one more.
//!
//! A connection is idle while it waits for a request, be it that none has begun or that its head is not complete. Idle connections are
//! what anybody can have for nothing, so they are what gives way: when there is no room, the one that has been idle longest is closed for
//! the new one. A connection that is being answered is never closed for another. Only when all of them are being answered do new ones wait.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;
use web::TrustedProxies;
use web::peer::network;

/// How often at most the log tells that there is no room.
const SILENCE: Duration = Duration::from_secs(60);

/// How many connections there may be.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    /// The name of the listener in metrics.
    pub(crate) listener: &'static str,
    /// How many connections are served at once.
    pub(crate) total: usize,
    /// From one address; a network of 64 bits is one address in IPv6.
    pub(crate) per_address: usize,
    /// They speak for many, so the limit of one address is not theirs.
    pub(crate) proxies: TrustedProxies,
}

impl Limits {
    /// For listeners that only we ourselves and our neighbours use.
    pub(crate) fn small(listener: &'static str) -> Self {
        Self { listener, total: 256, per_address: 256, proxies: TrustedProxies::default() }
    }
}

/// Why there is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Full {
    /// All connections of this address are being answered.
    Address,
    /// All connections are being answered.
    Everything,
}

/// All connections of a listener.
pub(super) struct Connections {
    limits: Limits,
    open: Mutex<Open>,
    /// Rings when a connection becomes idle or ends.
    room: Notify,
    /// When the listener began to stop, and how long connections must be quiet since then before they are closed.
    stopping: OnceLock<(Instant, Duration)>,
    last_told: Mutex<Option<Instant>>,
}

#[derive(Default)]
struct Open {
    next: u64,
    members: HashMap<u64, Member>,
    /// The longest idle first.
    idle: BTreeSet<(Instant, u64)>,
    /// The same for each address that is limited.
    addresses: HashMap<IpAddr, Address>,
}

struct Member {
    address: Option<IpAddr>,
    idle: Option<Instant>,
    signal: Arc<Signal>,
}

#[derive(Default)]
struct Address {
    count: usize,
    idle: BTreeSet<(Instant, u64)>,
}

/// What is told to a connection from outside.
#[derive(Default)]
pub(super) struct Signal {
    given_up: AtomicBool,
    bell: Notify,
}

impl Signal {
    /// True once the connection has been given up for another.
    pub(super) fn is_given_up(&self) -> bool {
        self.given_up.load(Ordering::Relaxed)
    }

    /// Waits until there is something new: the connection is given up, or the listener stops.
    pub(super) fn heard(&self) -> tokio::sync::futures::Notified<'_> {
        self.bell.notified()
    }
}

impl Connections {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            open: Mutex::default(),
            room: Notify::new(),
            stopping: OnceLock::new(),
            last_told: Mutex::default(),
        }
    }

    /// Takes a place for a connection from this address.
    pub(super) fn enter(self: &Arc<Self>, peer: IpAddr) -> Result<Place, Full> {
        let address = (!self.limits.proxies.contain(peer)).then(|| network(peer));
        let mut open = self.open();
        if let Some(address) = address
            && open.addresses.get(&address).is_some_and(|of_it| of_it.count >= self.limits.per_address)
        {
            let given_up = open.longest_idle_of(address).map(|id| open.give_up(id));
            self.tell("address", Some(peer));
            given_up.ok_or(Full::Address)?;
        }
        if open.members.len() >= self.limits.total {
            let given_up = open.longest_idle().map(|id| open.give_up(id));
            self.tell("all", None);
            given_up.ok_or(Full::Everything)?;
        }
        let (id, signal) = open.add(address, now());
        self.measure(&open);
        Ok(Place { connections: Arc::clone(self), id, signal })
    }

    /// Waits until [`Connections::enter`] may have an answer that is new.
    pub(super) async fn room(&self) {
        self.room.notified().await;
    }

    /// The system gives us no more sockets: somebody idle gives one back.
    pub(super) fn out_of_descriptors(&self, error: &std::io::Error) {
        let mut open = self.open();
        if let Some(id) = open.longest_idle() {
            open.give_up(id);
        }
        if self.may_speak() {
            tracing::warn!(%error, open = open.members.len(), "A connection could not be accepted");
        }
        self.count("descriptors");
    }

    /// Tells all connections that the listener stops.
    pub(super) fn stop(&self, last_call: Duration) {
        // A listener stops once.
        let _ = self.stopping.set((now(), last_call));
        self.open().members.values().for_each(|member| member.signal.bell.notify_one());
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn measure(&self, open: &Open) {
        let count = u32::try_from(open.members.len()).unwrap_or(u32::MAX);
        meters::HTTP_CONNECTIONS.with([self.limits.listener]).set(f64::from(count));
    }

    /// Counts a connection for which there was no room of its own, and tells of it once in a while.
    fn tell(&self, limit: &'static str, peer: Option<IpAddr>) {
        self.count(limit);
        if !self.may_speak() {
            return;
        }
        match peer {
            Some(client) => tracing::warn!(
                %client,
                limit = self.limits.per_address,
                "An address has as many connections as `max_connections_per_address` allows: its longest idle one is closed for each new \
                 one. A proxy belongs into `trusted_proxies`"
            ),
            None => tracing::warn!(
                limit = self.limits.total,
                "There are as many connections as `max_connections` and the system's limit of open files allow: the longest idle one is \
                 closed for each new one"
            ),
        }
    }

    fn count(&self, limit: &'static str) {
        meters::HTTP_CONNECTIONS_OVER_LIMIT.with([self.limits.listener, limit]).increment(1);
    }

    /// True once in a while, so that a flood of connections is no flood of lines.
    fn may_speak(&self) -> bool {
        let mut last = self.last_told.lock().unwrap_or_else(PoisonError::into_inner);
        let speaks = last.is_none_or(|last| last.elapsed() >= SILENCE);
        if speaks {
            *last = Some(now());
        }
        speaks
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long connections and their turns last is measured on the monotonic clock"
)]
pub(super) fn now() -> Instant {
    Instant::now()
}

impl Open {
    fn add(&mut self, address: Option<IpAddr>, now: Instant) -> (u64, Arc<Signal>) {
        let (id, signal) = (self.next, Arc::<Signal>::default());
        self.next += 1;
        self.members.insert(id, Member { address, idle: None, signal: Arc::clone(&signal) });
        if let Some(address) = address {
            self.addresses.entry(address).or_default().count += 1;
        }
        self.set_idle(id, Some(now));
        (id, signal)
    }

    /// Notes since when a connection has been idle, if it is. One that was given up is not noted any more.
    fn set_idle(&mut self, id: u64, idle: Option<Instant>) {
        let Some(member) = self.members.get_mut(&id) else { return };
        let before = std::mem::replace(&mut member.idle, idle);
        let of_address = member.address.and_then(|address| self.addresses.get_mut(&address));
        let of_address = of_address.map(|address| &mut address.idle);
        for set in [Some(&mut self.idle), of_address].into_iter().flatten() {
            if let Some(before) = before {
                set.remove(&(before, id));
            }
            if let Some(since) = idle {
                set.insert((since, id));
            }
        }
    }

    fn longest_idle(&self) -> Option<u64> {
        self.idle.first().map(|&(_, id)| id)
    }

    fn longest_idle_of(&self, address: IpAddr) -> Option<u64> {
        self.addresses.get(&address)?.idle.first().map(|&(_, id)| id)
    }

    /// Closes a connection for another: its place is free at once.
    fn give_up(&mut self, id: u64) {
        if let Some(signal) = self.remove(id) {
            signal.given_up.store(true, Ordering::Relaxed);
            signal.bell.notify_one();
        }
    }

    fn remove(&mut self, id: u64) -> Option<Arc<Signal>> {
        self.set_idle(id, None);
        let member = self.members.remove(&id)?;
        if let Some(address) = member.address
            && let Some(of_it) = self.addresses.get_mut(&address)
        {
            of_it.count -= 1;
            if of_it.count == 0 {
                self.addresses.remove(&address);
            }
        }
        Some(member.signal)
    }
}

/// The place of one connection, given back when it is dropped.
pub(super) struct Place {
    connections: Arc<Connections>,
    id: u64,
    signal: Arc<Signal>,
}

impl Place {
    pub(super) fn signal(&self) -> &Signal {
        &self.signal
    }

    /// The connection waits for a request.
    pub(super) fn idle(&self, since: Instant) {
        self.connections.open().set_idle(self.id, Some(since));
        self.connections.room.notify_one();
    }

    /// A request is being answered.
    pub(super) fn busy(&self) {
        self.connections.open().set_idle(self.id, None);
    }

    /// True if the answer under way should be the last, because the listener stops or the place was given to another.
    pub(super) fn is_leaving(&self) -> bool {
        self.connections.stopping.get().is_some() || self.signal.is_given_up()
    }

    /// When a connection should be closed that has been idle since then.
    pub(super) fn last_call(&self, idle_since: Instant) -> Option<Instant> {
        let &(stopping, last_call) = self.connections.stopping.get()?;
        Some(stopping.max(idle_since) + last_call)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.connections.open();
        open.remove(self.id);
        self.connections.measure(&open);
        self.connections.room.notify_one();
    }
}
