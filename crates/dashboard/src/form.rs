//! What a person filled in: the fields of a form, as browsers send them.

use std::str::FromStr;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};

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
