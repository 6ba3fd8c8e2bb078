//! Style, scripts and the icon: in the binary, packed once, under names that change with their content.

use std::io::Write as _;
use std::sync::LazyLock;

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use domain::digest::hex;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, VARY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, StatusCode};
use sha2::{Digest as _, Sha256};

/// A file that pages link to.
struct Asset {
    /// Its name with a part of its hash.
    name: String,
    content_type: &'static str,
    plain: Bytes,
    packed: Bytes,
}

impl Asset {
    fn new(name: &str, content_type: &'static str, content: &'static [u8]) -> Self {
        let (stem, extension) = name.split_once('.').expect("assets have an extension");
        let hash = hex(&Sha256::digest(content))[..12].to_owned();
        let mut packer = GzEncoder::new(Vec::new(), Compression::best());
        packer.write_all(content).expect("memory takes everything");
        let packed = packer.finish().expect("memory takes everything").into();
        Self {
            name: format!("{stem}-{hash}.{extension}"),
            content_type,
            plain: Bytes::from_static(content),
            packed,
        }
    }

    fn path(&self) -> String {
        format!("/assets/{}", self.name)
    }
}

const JAVASCRIPT: &str = "text/javascript; charset=utf-8";

static STYLE: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("app.css", "text/css; charset=utf-8", include_bytes!("../assets/app.css")));
static APP: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("app.js", JAVASCRIPT, include_bytes!("../assets/app.js")));
static LIVE: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("live.js", JAVASCRIPT, include_bytes!("../assets/live.js")));
static PLAYER: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("player.js", JAVASCRIPT, include_bytes!("../assets/player.js")));
static PASSKEY: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("passkey.js", JAVASCRIPT, include_bytes!("../assets/passkey.js")));
static MARK: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("mark.svg", "image/svg+xml", include_bytes!("../assets/mark.svg")));

/// Where pages find their assets.
#[derive(Debug, Clone)]
pub(crate) struct Paths {
    pub(crate) style: String,
    pub(crate) app: String,
    pub(crate) live: String,
    pub(crate) player: String,
    pub(crate) passkey: String,
    pub(crate) mark: String,
}

/// The addresses of this build.
pub(crate) fn paths() -> &'static Paths {
    static PATHS: LazyLock<Paths> = LazyLock::new(|| Paths {
        style: STYLE.path(),
        app: APP.path(),
        live: LIVE.path(),
        player: PLAYER.path(),
        passkey: PASSKEY.path(),
        mark: MARK.path(),
    });
    &PATHS
}

/// An asset by its full name. A name with another hash is another build's: it is not there.
pub(crate) async fn serve(Path(name): Path<String>, headers: HeaderMap) -> Response {
    let all = [&STYLE, &APP, &LIVE, &PLAYER, &PASSKEY, &MARK];
    match all.into_iter().find(|asset| asset.name == name) {
        Some(asset) => answer(asset, &headers, "public, max-age=31536000, immutable"),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// The icon under the name that browsers try by themselves.
pub(crate) async fn icon(headers: HeaderMap) -> Response {
    answer(&MARK, &headers, "public, max-age=86400")
}

/// True if the client unpacks what is packed with gzip.
pub(crate) fn takes_gzip(headers: &HeaderMap) -> bool {
    let accepted = headers.get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accepted.split(',').any(|coding| coding.trim().split(';').next() == Some("gzip"))
}

fn answer(asset: &Asset, headers: &HeaderMap, caching: &'static str) -> Response {
    let takes_gzip = takes_gzip(headers);
    let body = if takes_gzip { asset.packed.clone() } else { asset.plain.clone() };
    let mut response = body.into_response();
    let answer = response.headers_mut();
    answer.insert(CONTENT_TYPE, HeaderValue::from_static(asset.content_type));
    answer.insert(CACHE_CONTROL, HeaderValue::from_static(caching));
    answer.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    answer.insert(VARY, HeaderValue::from_static("accept-encoding"));
    if takes_gzip {
        answer.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_a_page_loads_is_small_and_has_its_hash_in_its_name() {
        let all = [&STYLE, &APP, &LIVE, &PLAYER, &PASSKEY, &MARK];
        let packed: usize = all.iter().map(|asset| asset.packed.len()).sum();
        assert!(packed < 40_000, "all assets together are {packed} bytes");
        for asset in all {
            let hash = hex(&Sha256::digest(&asset.plain));
            assert!(asset.name.contains(&hash[..12]), "{}", asset.name);
        }
    }
}
