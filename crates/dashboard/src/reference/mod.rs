//! The reference of the API, for people: drawn from the published document, which is made from the table of routes. It needs no login and
//! runs no script.
//!
//! Anybody may ask for it, so that asking must cost nothing: each look of the page is drawn and packed once, when it is first asked for.

mod outline;

use std::io::{Read as _, Write as _};
use std::sync::{Arc, OnceLock};

use askama::Template;
use axum::Extension;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, VARY};
use http::{HeaderMap, HeaderValue};

use crate::assets;
use crate::page::{BareFrame, PageError, SCRIPTLESS, theme};
use outline::Outline;

/// The page in each of its looks.
pub(crate) struct Reference {
    /// The OpenAPI document as JSON.
    document: Bytes,
    as_the_system_is: OnceLock<Bytes>,
    light: OnceLock<Bytes>,
    dark: OnceLock<Bytes>,
}

impl Reference {
    /// A reference that is drawn from this OpenAPI document.
    pub(crate) fn of(document: Bytes) -> Self {
        Self { document, as_the_system_is: OnceLock::new(), light: OnceLock::new(), dark: OnceLock::new() }
    }

    /// The page, packed.
    fn packed(&self, theme: Option<&'static str>) -> Result<Bytes, PageError> {
        let place = match theme {
            Some("light") => &self.light,
            Some(_) => &self.dark,
            None => &self.as_the_system_is,
        };
        if let Some(packed) = place.get() {
            return Ok(packed.clone());
        }
        let drawing = |problem: &dyn std::fmt::Display| PageError::Drawing(problem.to_string());
        let document = serde_json::from_slice(&self.document).map_err(|problem| drawing(&problem))?;
        let frame = BareFrame { nonce: String::new(), assets: assets::paths(), theme };
        let page = ReferencePage { frame, outline: Outline::of(&document) };
        let html = page.render().map_err(|problem| drawing(&problem))?;
        let mut packer = GzEncoder::new(Vec::new(), Compression::best());
        packer.write_all(html.as_bytes()).expect("memory takes everything");
        let packed = Bytes::from(packer.finish().expect("memory takes everything"));
        Ok(place.get_or_init(|| packed).clone())
    }
}

#[derive(Template)]
#[template(path = "reference.html")]
struct ReferencePage {
    frame: BareFrame,
    outline: Outline,
}

pub(crate) async fn page(
    Extension(reference): Extension<Arc<Reference>>,
    headers: HeaderMap,
) -> Result<Response, PageError> {
    let packed = reference.packed(theme(&headers))?;
    let takes_gzip = assets::takes_gzip(&headers);
    let body = if takes_gzip { packed } else { unpacked(&packed)? };
    let mut response = body.into_response();
    let answer = response.headers_mut();
    for (name, value) in [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, SCRIPTLESS),
        (CACHE_CONTROL, "public, max-age=300"),
        (VARY, "accept-encoding, cookie"),
    ] {
        answer.insert(name, HeaderValue::from_static(value));
    }
    if takes_gzip {
        answer.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    Ok(response)
}

/// For the few clients that take nothing packed.
fn unpacked(packed: &[u8]) -> Result<Bytes, PageError> {
    let mut html = Vec::new();
    let read = GzDecoder::new(packed).read_to_end(&mut html);
    read.map_err(|problem| PageError::Drawing(problem.to_string()))?;
    Ok(html.into())
}
