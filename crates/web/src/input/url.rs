//! Addresses that clients name: read as browsers read them, kept in the one spelling that every reader agrees on.

use domain::text::is_harmful;
use schemars::SchemaGenerator;
use serde_json::{Value, json};
use url::Position;

use super::{Field, Problem};

/// An absolute http or https address of at most 2048 characters. Which hosts may be called is decided elsewhere.
///
/// Scheme and host are kept in lower case, hosts of other scripts in their ASCII form (`xn--…`), and the port only where it is not the
/// usual one. Path and query stay as they were written, unless they are not ASCII.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url(pub String);

impl Url {
    const LONGEST: usize = 2048;

    fn normal(text: &str) -> Option<String> {
        let odd = |letter: char| letter.is_whitespace() || letter == '\\' || is_harmful(letter);
        if text.len() > Self::LONGEST || text.contains(odd) {
            return None;
        }
        let (scheme, rest) = text.split_once("://")?;
        let web = ["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
        let (host, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        if !web || host.is_empty() || host.contains('@') {
            return None;
        }
        let parsed = url::Url::parse(text).ok()?;
        let path = if path.is_ascii() { path } else { &parsed[Position::BeforePath..] };
        let normal = format!("{}{path}", &parsed[..Position::BeforePath]);
        (normal.len() <= Self::LONGEST).then_some(normal)
    }
}

impl Field for Url {
    fn read(value: Value) -> Result<Self, Problem> {
        let expected = "expected an http or https URL of at most 2048 characters, without user name, spaces or control characters";
        let normal = value.as_str().and_then(Self::normal);
        normal.map(Self).ok_or_else(|| Problem::new("", expected))
    }

    fn schema(_: &mut SchemaGenerator) -> Value {
        json!({ "type": "string", "format": "uri", "pattern": "^[Hh][Tt][Tt][Pp][Ss]?://", "maxLength": Self::LONGEST })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<String> {
        Url::read(json!(text)).ok().map(|url| url.0)
    }

    #[test]
    fn a_plain_address_is_kept_as_it_is() {
        for plain in [
            "https://example.com/hook?x=1",
            "https://example.com",
            "https://example.com?x=[1]",
            "http://127.0.0.1:8080/x",
            "https://[2001:db8::1]/a/../b//c?q={x}#f",
            "https://xn--bcher-kva.example/%C3%A4",
        ] {
            assert_eq!(read(plain).as_deref(), Some(plain));
        }
    }

    #[test]
    fn other_spellings_of_an_address_become_the_usual_one() {
        let check = |written: &str, normal: &str| assert_eq!(read(written).as_deref(), Some(normal));
        check("HTTPS://EXAMPLE.com/Hook", "https://example.com/Hook");
        check("Http://Example.COM:80", "http://example.com");
        check("https://example.com:443/x", "https://example.com/x");
        check("https://bücher.example/hook", "https://xn--bcher-kva.example/hook");
        check("https://BÜCHER.example", "https://xn--bcher-kva.example");
        check("https://例え.テスト/パス?q=ä", "https://xn--r8jz45g.xn--zckzah/%E3%83%91%E3%82%B9?q=%C3%A4");
    }

    #[test]
    fn what_is_no_address_of_the_web_is_refused() {
        for wrong in [
            "",
            "example.com",
            "ftp://x",
            "https:example.com",
            "https://",
            "https:///x",
            "https://:443/",
            "https://user@example.com/",
            "https://exa mple.com",
            "https://example.com\\@evil.example/",
            "https://a\r\nb",
            "https://a\u{2028}b",
            "https://exa<mple.com",
            "https://example.com:99999/",
            "https://[::1/",
        ] {
            assert_eq!(read(wrong), None, "{wrong:?}");
        }
        assert_eq!(read(&format!("https://example.com/{}", "a".repeat(2048))), None);
        assert_eq!(
            read(&format!("https://example.com/{}", "ä".repeat(1000))),
            None,
            "it would grow too long"
        );
        assert!(Url::read(json!(5)).is_err());
    }
}
