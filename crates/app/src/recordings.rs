//! Links to recordings that expire.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::call::Call;
use domain::{CallId, Timestamp};
use store::StoreError;

use crate::App;

/// What a link may say; everything else is refused alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The call whose recording may be heard.
    pub call_id: CallId,
    /// Time until which the link works.
    pub expires_at: Timestamp,
}

/// A link to a recording that works without a key until it expires.
pub fn signed_url(app: &App, call_id: CallId, now: Timestamp) -> (String, Timestamp) {
    let expires_at = now + Duration::from_secs(app.settings().recording_link_ttl.as_secs());
    let expires_at = Timestamp::from_second(expires_at.as_second()).expect("a whole second is in range");
    let mut token = Vec::with_capacity(56);
    token.extend_from_slice(call_id.0.as_bytes());
    token.extend_from_slice(&expires_at.as_second().to_be_bytes());
    let mac = app.store().vault().prove_link(&token);
    token.extend_from_slice(&mac);
    let url =
        format!("{}/api/v1/recordings/media/{}", app.settings().public_url, URL_SAFE_NO_PAD.encode(token));
    (url, expires_at)
}

/// Reads a link's token. `None` if it is forged, broken or expired.
pub fn open_token(app: &App, token: &str, now: Timestamp) -> Option<Grant> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    let (signed, mac) = bytes.split_at_checked(24)?;
    if !store::vault::equal(&app.store().vault().prove_link(signed), mac) {
        return None;
    }
    let call_id = CallId(uuid::Uuid::from_slice(&signed[..16]).ok()?);
    let expires_at = Timestamp::from_second(i64::from_be_bytes(signed[16..].try_into().ok()?)).ok()?;
    (expires_at > now).then_some(Grant { call_id, expires_at })
}

/// The call that a link's grant is for.
pub async fn granted(app: &App, grant: &Grant) -> Result<Option<Call>, StoreError> {
    let id = grant.call_id;
    app.platform().read(move |tx| Box::pin(async move { store::calls::by_id(tx, id).await })).await
}
