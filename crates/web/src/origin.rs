//! Whether a request comes from a page of this server.
//!
//! Browsers say where a request comes from, in headers that no page can write: `Sec-Fetch-Site` and `Origin`. They replace tokens in forms.
//! The name that the request itself asks for (`Host`) is no proof: a page of another site can give its own name our address. Programs
//! send neither header and are not meant; they have no cookies that a page could ride on.

use app::second_factor::Site;
use http::HeaderMap;
use http::header::{HeaderName, ORIGIN};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Under which origins people reach this server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OwnOrigin {
    /// The one of the configured public address.
    Public(String),
    /// None is configured: the names of this machine, with the port that the server listens on.
    Loopback { port: u16 },
}

impl OwnOrigin {
    /// The origin of an address: its scheme, host and port, as browsers write them. `None` if it is no address of the web.
    pub fn of_url(url: &str) -> Option<Self> {
        let url = url::Url::parse(url).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
        Some(Self::Public(url.origin().ascii_serialization()))
    }

    fn is(&self, origin: &str) -> bool {
        match self {
            Self::Public(own) => origin == own,
            Self::Loopback { port } => ["localhost", "127.0.0.1", "[::1]"]
                .iter()
                .any(|name| origin == format!("http://{name}{}", written(*port))),
        }
    }

    /// The site that passkeys are made for. None where people come by a bare network address: browsers make passkeys for names only.
    pub fn site(&self) -> Option<Site> {
        match self {
            Self::Public(own) => {
                let url = url::Url::parse(own).ok()?;
                let id = url.domain()?.to_owned();
                Some(Site { id, origins: vec![own.clone()] })
            }
            Self::Loopback { port } => {
                let origin = format!("http://localhost{}", written(*port));
                Some(Site { id: "localhost".to_owned(), origins: vec![origin] })
            }
        }
    }

    /// True if no page sent the request, or one of this server.
    pub fn allows(&self, headers: &HeaderMap) -> bool {
        let mut sites = headers.get_all(SEC_FETCH_SITE).iter().map(http::HeaderValue::as_bytes);
        // `none`: a person did it, not a page.
        let site_is_own = sites.all(|site| matches!(site, b"same-origin" | b"none"));
        let mut origins = headers.get_all(ORIGIN).iter().map(|origin| origin.to_str().unwrap_or_default());
        site_is_own && origins.all(|origin| self.is(origin))
    }
}

/// A port behind a name; browsers leave out the usual one.
fn written(port: u16) -> String {
    if port == 80 { String::new() } else { format!(":{port}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn check(own: &OwnOrigin, pairs: &[(&'static str, &str)], expected: bool) {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_str(value).expect("visible ASCII"));
        }
        assert_eq!(own.allows(&headers), expected, "{pairs:?} at {own:?}");
    }

    #[test]
    fn only_pages_of_the_public_address_may_change_something() {
        let own = OwnOrigin::of_url("https://Kai.example:443/base").expect("an address of the web");
        check(&own, &[], true);
        check(&own, &[("origin", "https://kai.example")], true);
        check(&own, &[("origin", "https://kai.example"), ("sec-fetch-site", "same-origin")], true);
        check(&own, &[("sec-fetch-site", "same-origin")], true);
        check(&own, &[("sec-fetch-site", "none")], true);
        for origin in [
            "https://evil.example",
            "http://kai.example",
            "https://kai.example:8443",
            "https://kai.example.evil.example",
            "http://localhost:8080",
            "null",
            "",
        ] {
            check(&own, &[("origin", origin)], false);
            check(&own, &[("origin", origin), ("sec-fetch-site", "same-origin")], false);
        }
        for site in ["cross-site", "same-site", "", "same-origin, none"] {
            check(&own, &[("sec-fetch-site", site)], false);
            check(&own, &[("sec-fetch-site", site), ("origin", "https://kai.example")], false);
        }
        check(&own, &[("origin", "https://kai.example"), ("origin", "https://evil.example")], false);
        check(&own, &[("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")], false);
    }

    #[test]
    fn an_origin_is_written_as_browsers_write_it() {
        let check = |url: &str, origin: &str| {
            let own = OwnOrigin::of_url(url).expect("an address of the web");
            assert_eq!(own, OwnOrigin::Public(origin.to_owned()), "{url}");
        };
        check("http://Kai.Example:80", "http://kai.example");
        check("https://kai.example:8443/a?b#c", "https://kai.example:8443");
        check("https://b\u{fc}cher.example", "https://xn--bcher-kva.example");
        check("http://[2001:DB8:0::7]:8080", "http://[2001:db8::7]:8080");
        check("http://127.1:8080", "http://127.0.0.1:8080");
        for odd in ["kai.example", "ftp://kai.example", "https://", "https://a b", "", "file:///x"] {
            assert_eq!(OwnOrigin::of_url(odd), None, "{odd}");
        }
    }

    #[test]
    fn a_page_that_gives_its_own_name_our_address_is_another_site() {
        let own = OwnOrigin::Loopback { port: 8080 };
        let rebound = "http://evil.example:8080";
        check(
            &own,
            &[("host", "evil.example:8080"), ("origin", rebound), ("sec-fetch-site", "same-origin")],
            false,
        );
    }

    #[test]
    fn without_a_public_address_this_machine_is_reached_by_its_own_names() {
        let own = OwnOrigin::Loopback { port: 8080 };
        for name in ["localhost", "127.0.0.1", "[::1]"] {
            check(&own, &[("origin", &format!("http://{name}:8080"))], true);
            check(&own, &[("origin", &format!("http://{name}:8081"))], false);
            check(&own, &[("origin", &format!("http://{name}"))], false);
            check(&own, &[("origin", &format!("https://{name}:8080"))], false);
            check(&OwnOrigin::Loopback { port: 80 }, &[("origin", &format!("http://{name}"))], true);
        }
        check(&own, &[("origin", "http://192.168.1.5:8080")], false);
        check(&own, &[("sec-fetch-site", "cross-site")], false);
    }

    #[test]
    fn passkeys_are_made_for_a_name() {
        let site = |own: OwnOrigin| own.site().map(|site| (site.id, site.origins));
        let of = |url| OwnOrigin::of_url(url).and_then(|own| own.site()).map(|site| (site.id, site.origins));
        let expected = |id: &str, origin: &str| Some((id.to_owned(), vec![origin.to_owned()]));
        assert_eq!(of("https://Kai.example:443/x"), expected("kai.example", "https://kai.example"));
        assert_eq!(of("https://kai.example:8443"), expected("kai.example", "https://kai.example:8443"));
        assert_eq!((of("http://192.168.1.5:8080"), of("http://[::1]:8080")), (None, None));
        assert_eq!(site(OwnOrigin::Loopback { port: 8080 }), expected("localhost", "http://localhost:8080"));
        assert_eq!(site(OwnOrigin::Loopback { port: 80 }), expected("localhost", "http://localhost"));
    }
}
