//! How often a caller may ask: an exact sliding window per caller and group of routes.
//!
//! Within any 60 seconds a caller gets exactly the stated number of requests, never one more; a refused request does not
//! count. Memory is bounded: a window holds at most its limit in timestamps, and there are at most [`MAX_WINDOWS`] of them;
//! when all are taken, windows that have run empty go first, then the one used longest ago.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use domain::{KeyId, SessionId, Timestamp};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::peer::network;

/// The most windows that are remembered at once.
pub const MAX_WINDOWS: usize = SHARDS * WINDOWS_PER_SHARD;

const SHARDS: usize = 16;
const WINDOWS_PER_SHARD: usize = 2048;

domain::word_enum! {
    /// Which requests share a limit, by the name in the `RateLimit` headers.
    pub enum Group {
        PlaceCall = "place-call",
        CreateAgent = "create-agent",
        ChangeAgent = "change-agent",
        /// Every GET request.
        Read = "read",
        /// Every other request that changes something.
        Write = "write",
        /// Logging in, per address.
        Login = "login",
        /// Signing up, per address and hour.
        Signup = "signup",
    }
}

impl Group {
    /// How many seconds its requests are counted together.
    const fn window_s(self) -> u32 {
        match self {
            Self::Signup => 3600,
            _ => 60,
        }
    }

    fn window_us(self) -> i64 {
        i64::from(self.window_s()) * 1_000_000
    }
}

/// Requests per minute of each group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimits {
    pub place_call: u32,
    pub create_agent: u32,
    pub change_agent: u32,
    pub read: u32,
    pub write: u32,
    /// [`Group::Login`], per client address.
    pub login: u32,
    /// [`Group::Signup`], per client address and hour; nobody can sign up where it is 0.
    pub signup: u32,
}

impl Default for RateLimits {
    fn default() -> Self {
        Self {
            place_call: 60,
            create_agent: 30,
            change_agent: 60,
            read: 300,
            write: 60,
            login: 10,
            signup: 0,
        }
    }
}

impl RateLimits {
    /// The number for a group.
    pub fn of(&self, group: Group) -> u32 {
        match group {
            Group::PlaceCall => self.place_call,
            Group::CreateAgent => self.create_agent,
            Group::ChangeAgent => self.change_agent,
            Group::Read => self.read,
            Group::Write => self.write,
            Group::Login => self.login,
            Group::Signup => self.signup,
        }
    }
}

/// The key, session or address that requests are counted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Subject {
    Key(KeyId),
    Session(SessionId),
    /// A client address; made by [`Subject::address`].
    Address(IpAddr),
}

impl Subject {
    /// A client address, as far as it tells clients apart.
    pub fn address(address: IpAddr) -> Self {
        Self::Address(network(address))
    }
}

/// What the window says about one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// False: refuse with 429.
    pub allowed: bool,
    /// The group that counted.
    pub group: Group,
    /// Its limit within its window.
    pub limit: u32,
    /// Requests left right now.
    pub remaining: u32,
    /// Whole seconds until the next one comes back, at least 1.
    pub reset_s: u32,
}

impl Verdict {
    /// Adds `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers, structured field form).
    pub fn write_to(&self, headers: &mut HeaderMap) {
        let name = self.group.as_str();
        let policy = format!("\"{name}\";q={};w={}", self.limit, self.group.window_s());
        let left = format!("\"{name}\";r={};t={}", self.remaining, self.reset_s);
        for (header, value) in [("ratelimit-policy", policy), ("ratelimit", left)] {
            let value = HeaderValue::from_str(&value).expect("names and numbers are visible ASCII");
            headers.insert(HeaderName::from_static(header), value);
        }
    }
}

type WindowKey = (Subject, Group);

/// All windows. Time is an argument.
#[derive(Debug)]
pub struct Limits {
    numbers: RateLimits,
    hasher: RandomState,
    shards: Vec<Mutex<HashMap<WindowKey, VecDeque<i64>>>>,
}

impl Limits {
    /// Empty windows with these limits.
    pub fn new(numbers: RateLimits) -> Self {
        Self { numbers, hasher: RandomState::new(), shards: (0..SHARDS).map(|_| Mutex::default()).collect() }
    }

    /// Counts a request of this subject.
    pub fn take(&self, subject: Subject, group: Group, now: Timestamp) -> Verdict {
        let limit = self.numbers.of(group);
        let key = (subject, group);
        let shard = &self.shards[self.hasher.hash_one(key) as usize % SHARDS];
        let mut windows = shard.lock().unwrap_or_else(PoisonError::into_inner);
        if windows.len() >= WINDOWS_PER_SHARD && !windows.contains_key(&key) {
            make_room(&mut windows, now.as_microsecond());
        }
        count(windows.entry(key).or_default(), group, limit, now.as_microsecond())
    }
}

fn count(window: &mut VecDeque<i64>, group: Group, limit: u32, now: i64) -> Verdict {
    // A clock set back must not open the window early, so time never runs backwards within one.
    let now = window.back().map_or(now, |&last| last.max(now));
    while window.front().is_some_and(|&first| now - first >= group.window_us()) {
        window.pop_front();
    }
    let used = u32::try_from(window.len()).expect("a window holds at most its limit");
    let allowed = used < limit;
    if allowed {
        window.push_back(now);
    }
    let oldest = window.front().copied().unwrap_or(now);
    let wait_us = (oldest + group.window_us() - now).max(1);
    Verdict {
        allowed,
        group,
        limit,
        remaining: limit.saturating_sub(used + u32::from(allowed)),
        reset_s: u32::try_from((wait_us + 999_999) / 1_000_000).expect("at most an hour"),
    }
}

fn make_room(windows: &mut HashMap<WindowKey, VecDeque<i64>>, now: i64) {
    windows.retain(|(_, group), window| window.back().is_some_and(|&last| now - last < group.window_us()));
    if windows.len() < WINDOWS_PER_SHARD {
        return;
    }
    let stalest = windows.iter().min_by_key(|(_, window)| window.back().copied()).map(|(&key, _)| key);
    if let Some(key) = stalest {
        windows.remove(&key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE_US: i64 = 60_000_000;

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_microsecond(micros).expect("in range")
    }

    fn subject(n: u128) -> Subject {
        Subject::Key(KeyId(uuid::Uuid::from_u128(n)))
    }

    #[test]
    fn no_sixty_seconds_hold_more_than_the_limit_and_none_hold_less_under_pressure() {
        let limits = Limits::new(RateLimits { place_call: 7, ..RateLimits::default() });
        let mut allowed = Vec::new();
        for step in 0..4_000_i64 {
            let time = step * 130_000 + (step * step) % 90_000;
            if limits.take(subject(1), Group::PlaceCall, at(time)).allowed {
                allowed.push(time);
            }
        }
        for (index, &first) in allowed.iter().enumerate() {
            let within = allowed[index..].iter().take_while(|&&time| time - first < MINUTE_US).count();
            assert!(within <= 7, "{within} requests within a minute of {first}");
        }
        let minutes = 4_000.0 * 130_000.0 / 60_000_000.0;
        assert!(
            f64::from(u32::try_from(allowed.len()).expect("few")) >= 7.0 * minutes * 0.95,
            "only {} in {minutes} minutes",
            allowed.len()
        );
    }

    #[test]
    fn the_wait_it_names_is_the_wait_it_takes() {
        let limits = Limits::new(RateLimits { write: 2, ..RateLimits::default() });
        let take = |micros: i64| limits.take(subject(1), Group::Write, at(micros));
        assert_eq!((take(0).remaining, take(10_500_000).remaining), (1, 0));
        let refused = take(20_000_000);
        assert_eq!((refused.allowed, refused.reset_s), (false, 40));
        assert!(!take(59_999_999).allowed);
        assert!(take(60_000_000).allowed);
    }

    #[test]
    fn signing_up_is_counted_by_the_hour() {
        let limits = Limits::new(RateLimits { signup: 1, ..RateLimits::default() });
        let take = |seconds: i64| limits.take(subject(1), Group::Signup, at(seconds * 1_000_000));
        assert!(take(0).allowed);
        let refused = take(1800);
        assert_eq!((refused.allowed, refused.reset_s), (false, 1800));
        assert!(!take(3599).allowed && take(3600).allowed);
        let mut headers = HeaderMap::new();
        take(3601).write_to(&mut headers);
        assert_eq!(headers["ratelimit-policy"], "\"signup\";q=1;w=3600");
    }

    #[test]
    fn groups_and_callers_do_not_share() {
        let limits = Limits::new(RateLimits { read: 1, write: 1, ..RateLimits::default() });
        assert!(limits.take(subject(1), Group::Read, at(0)).allowed);
        assert!(limits.take(subject(1), Group::Write, at(0)).allowed);
        assert!(limits.take(subject(2), Group::Read, at(0)).allowed);
        assert!(!limits.take(subject(1), Group::Read, at(1)).allowed);
    }

    #[test]
    fn a_clock_that_is_set_back_gives_nothing_away() {
        let limits = Limits::new(RateLimits { write: 1, ..RateLimits::default() });
        assert!(limits.take(subject(1), Group::Write, at(100_000_000)).allowed);
        let refused = limits.take(subject(1), Group::Write, at(50_000_000));
        assert_eq!((refused.allowed, refused.reset_s), (false, 60));
    }

    #[test]
    fn a_flood_of_callers_keeps_memory_bounded() {
        let limits = Limits::new(RateLimits::default());
        for n in 0..(MAX_WINDOWS as u128 + 20_000) {
            assert!(limits.take(subject(n), Group::Login, at(n as i64)).allowed);
        }
        let kept: usize = limits.shards.iter().map(|shard| shard.lock().expect("unpoisoned").len()).sum();
        assert!(kept <= MAX_WINDOWS, "{kept}");
    }

    #[test]
    fn a_neighbour_in_the_same_ipv6_network_is_the_same_client() {
        let (a, b): (IpAddr, IpAddr) =
            ("2001:db8::1".parse().expect("valid"), "2001:db8::ffff:2".parse().expect("valid"));
        assert_eq!(Subject::address(a), Subject::address(b));
        let mapped: IpAddr = "::ffff:192.0.2.1".parse().expect("valid");
        assert_eq!(Subject::address(mapped), Subject::address("192.0.2.1".parse().expect("valid")));
    }

    #[test]
    fn the_headers_are_structured_fields() {
        let limits = Limits::new(RateLimits::default());
        let mut headers = HeaderMap::new();
        limits.take(subject(1), Group::PlaceCall, at(0)).write_to(&mut headers);
        assert_eq!(headers["ratelimit-policy"], "\"place-call\";q=60;w=60");
        assert_eq!(headers["ratelimit"], "\"place-call\";r=59;t=60");
    }
}
