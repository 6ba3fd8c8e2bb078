//! What a person filled in: the fields of a form, as browsers send them.

use std::str::FromStr;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use web::LOGIN_PAGE;

use crate::page::PageError;

/// The fields of a form, in the order of the page.
#[derive(Debug, Default)]
pub(crate) struct Filled(Vec<(String, String)>);

impl Filled {
    /// A field, without blanks around it; empty if the form has none of this name.
    pub(crate) fn text(&self, name: &str) -> String {
        self.raw(name).trim().to_owned()
    }

    /// The id in a field; `None` if the field is missing or empty.
    pub(crate) fn id<T: FromStr>(&self, name: &str) -> Result<Option<T>, PageError> {
        Some(self.text(name)).filter(|text| !text.is_empty()).map(|text| parse_id(&text)).transpose()
    }

    /// A field exactly as it was typed: a password.
    pub(crate) fn raw(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// All values of a field that may stand several times.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The form without the fields whose names begin so.
    pub(crate) fn without(mut self, prefix: &str) -> Self {
        self.0.retain(|(name, _)| !name.starts_with(prefix));
        self
    }

    /// All fields with what is in them.
    pub(crate) fn into_pairs(self) -> Vec<(String, String)> {
        self.0
    }

    fn parse(text: &[u8]) -> Self {
        Self(form_urlencoded::parse(text).into_owned().collect())
    }
}

impl<S: Send + Sync> FromRequest<S> for Filled {
    type Rejection = PageError;

    async fn from_request(request: Request, state: &S) -> Result<Self, PageError> {
        let body = Bytes::from_request(request, state).await;
        let body =
            body.map_err(|_| PageError::Wrong("The form is too large or did not arrive whole.".to_owned()))?;
        Ok(Self::parse(&body))
    }
}

/// The parameters of an address.
#[derive(Debug, Default)]
pub(crate) struct Asked(Filled);

impl Asked {
    /// The parameters in a query string.
    pub(crate) fn of(query: &str) -> Self {
        Self(Filled::parse(query.as_bytes()))
    }

    /// A parameter; `None` if it is missing or empty.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        Some(self.0.text(name)).filter(|text| !text.is_empty())
    }
}

impl<S: Send + Sync> axum::extract::FromRequestParts<S> for Asked {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(
        parts: &mut http::request::Parts,
        _: &S,
    ) -> Result<Self, std::convert::Infallible> {
        Ok(Self::of(parts.uri.query().unwrap_or_default()))
    }
}

/// An id in an address or a form; what cannot be one names nothing.
pub(crate) fn parse_id<T: FromStr>(text: &str) -> Result<T, PageError> {
    text.parse().map_err(|_| PageError::NotFound)
}

/// True for a text of at most so many characters, all of which may be kept.
pub(crate) fn fits(text: &str, most: usize) -> bool {
    text.chars().count() <= most && !text.contains(domain::text::is_harmful)
}

/// An address with parameters; those without a value are left out.
pub(crate) fn address(path: &str, parameters: &[(&str, Option<&str>)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in parameters {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            query.append_pair(name, value);
        }
    }
    let query = query.finish();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

/// A path on this server; the beginning for everything that a browser could take for another one.
pub(crate) fn own_path(next: &str) -> String {
    let is_path = next.starts_with('/') && !next.starts_with("//");
    let is_plain = next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if is_path && is_plain && !next.starts_with(LOGIN_PAGE) { next.to_owned() } else { "/".to_owned() }
}

#[cfg(test)]
mod tests {
    use domain::AgentId;

    use super::*;

    #[test]
    fn a_field_is_read_without_blanks_around_it_and_a_password_as_it_was_typed() {
        let filled = Filled::parse(b"name=+Maria+Lopez+&password=+se+cret+&event=a&event=b&note=");
        assert_eq!(filled.text("name"), "Maria Lopez");
        assert_eq!(filled.raw("password"), " se cret ");
        assert_eq!(filled.all("event").collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!((filled.text("note"), filled.text("missing")), (String::new(), String::new()));
    }

    #[test]
    fn an_id_may_be_missing_and_what_cannot_be_one_names_nothing() {
        let id = "01940000-0000-7000-8000-0000000000ff";
        let read = |query: &str| Filled::parse(query.as_bytes()).id::<AgentId>("agent");
        assert_eq!(read(&format!("agent={id}")).ok().flatten(), id.parse().ok());
        assert!(matches!((read("agent=+"), read("")), (Ok(None), Ok(None))));
        for wrong in ["agent=7", "agent=../secret", "agent=01940000-0000-7000-8000-0000000000f"] {
            assert!(matches!(read(wrong), Err(PageError::NotFound)), "{wrong}");
        }
    }

    #[test]
    fn a_parameter_of_an_address_is_there_or_it_is_not() {
        let asked = Asked::of("q=two+words&status=&agent=%20");
        assert_eq!(asked.text("q").as_deref(), Some("two words"));
        assert_eq!((asked.text("status"), asked.text("agent"), asked.text("after")), (None, None, None));
    }

    #[test]
    fn a_text_fits_that_is_short_enough_and_harmless() {
        assert!(fits("", 0) && fits("äöü", 3) && fits("a\tb\nc", 5));
        for (text, most) in [("äöüß", 3), ("a\0", 5), ("a\u{202e}b", 5), ("a\r", 5)] {
            assert!(!fits(text, most), "{text:?}");
        }
    }

    #[test]
    fn an_address_keeps_its_parameters_apart_whatever_they_hold() {
        assert_eq!(address("/live/calls", &[("q", None), ("status", Some(""))]), "/live/calls");
        let sought =
            address("/live/calls", &[("q", Some("a&b=c d")), ("after", None), ("status", Some("failed"))]);
        assert_eq!(sought, "/live/calls?q=a%26b%3Dc+d&status=failed");
        let query = sought.split_once('?').map(|(_, query)| query).unwrap_or_default();
        assert_eq!(Asked::of(query).text("q").as_deref(), Some("a&b=c d"));
    }

    #[test]
    fn nobody_is_led_to_another_site_after_the_login() {
        for own in ["/", "/test/calls?status=failed", "/live/calls/018f"] {
            assert_eq!(own_path(own), own);
        }
        for other in [
            "",
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "/\t/evil",
            "/login?next=/",
            "a",
        ] {
            assert_eq!(own_path(other), "/", "{other:?}");
        }
    }
}
