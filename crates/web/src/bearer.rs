//! API keys as bearer tokens.
//!
//! Checks happen in one order everywhere: key, then rate; the scope is checked by the entry, which knows what it needs. Every key is
//! answered alike until it has proved itself, and costs storage nothing before its checksum is right.

use std::net::IpAddr;
use std::sync::Arc;

use app::Acting;
use domain::Timestamp;
use domain::api_key::PlainKey;
use domain::audit::Actor;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use http::request::Parts;
use store::keys::{Authenticated, Presented};

use crate::limits::Subject;
use crate::request::Record;
use crate::{Refusal, Web};

/// A key that is valid and has requests left.
#[derive(Debug, Clone)]
pub struct Bearer {
    pub key: Arc<Authenticated>,
    /// The request's record, for what else becomes known of it.
    pub record: Arc<Record>,
    /// When the request came in.
    pub received_at: Timestamp,
    /// The network address that it came from.
    pub address: IpAddr,
}

impl Bearer {
    /// The platform on behalf of the key.
    pub fn acting(&self, web: &Web) -> Acting {
        web.app().for_actor(Actor::key(self.key.key_id, Some(self.address.to_string())))
    }
}

/// Lets a request in by its key, and counts it.
pub async fn admit(web: &Web, parts: &Parts) -> Result<Bearer, Refusal> {
    let (record, received_at) = (Record::of(parts), web.app().now());
    let plain = presented(&parts.headers).and_then(PlainKey::parse).ok_or_else(|| refused("malformed"))?;
    let key = match app::keys::present(web.app(), &plain, received_at).await? {
        Presented::Valid(key) => key,
        Presented::Spent(spent) => {
            record.note_spent(spent, received_at);
            return Err(refused("spent"));
        }
        Presented::Unknown => return Err(refused("unknown")),
    };
    let verdict = web.limits().take(Subject::Key(key.key_id), record.group(), received_at);
    record.know(Arc::clone(&key), received_at);
    record.count(verdict)?;
    let address = web.settings().trusted_proxies.client(parts);
    Ok(Bearer { key, record, received_at, address })
}

/// Whoever sent the key is told the same in each case; the operator sees which it was.
fn refused(why: &'static str) -> Refusal {
    meters::KEYS_REFUSED.with([why]).increment(1);
    Refusal::NoKey
}

/// The key that came with the request, by either header. Of two headers nobody can say which one counts, so neither does.
fn presented(headers: &HeaderMap) -> Option<&str> {
    let only = |name: &str| {
        let mut all = headers.get_all(name).iter();
        all.next().filter(|_| all.next().is_none())
    };
    if headers.contains_key(AUTHORIZATION) {
        let authorization = only(AUTHORIZATION.as_str())?;
        let (scheme, key) = authorization.to_str().ok()?.trim().split_once(' ')?;
        return scheme.eq_ignore_ascii_case("bearer").then_some(key.trim());
    }
    only("x-kaicalls-api-key")?.to_str().ok().map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn keys_are_found_in_either_header_and_with_any_spelling_of_the_scheme() {
        let check = |name: &'static str, value: &str, expected: Option<&str>| {
            let mut headers = HeaderMap::new();
            headers.insert(name, HeaderValue::from_str(value).expect("visible ASCII"));
            assert_eq!(presented(&headers), expected, "{name}: {value}");
        };
        check("authorization", "Bearer kc_live_1", Some("kc_live_1"));
        check("authorization", "bearer  kc_live_1 ", Some("kc_live_1"));
        check("authorization", "BEARER kc_live_1", Some("kc_live_1"));
        check("authorization", "Basic kc_live_1", None);
        check("authorization", "kc_live_1", None);
        check("x-kaicalls-api-key", "kc_live_1", Some("kc_live_1"));
    }

    #[test]
    fn a_header_that_comes_twice_names_no_key() {
        for (name, value) in [("authorization", "Bearer kc_live_1"), ("x-kaicalls-api-key", "kc_live_1")] {
            let mut headers = HeaderMap::new();
            for _ in 0..2 {
                headers.append(name, HeaderValue::from_static(value));
            }
            assert_eq!(presented(&headers), None, "{name}");
        }
    }
}
