//! Recordings: files on disk under random-looking names, and links to them that expire.

use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::engine::RecordingFile;
use domain::{CallId, Timestamp};
use tokio::io::AsyncWriteExt as _;

use crate::App;

/// The folder of recordings.
#[derive(Debug, Clone)]
pub struct RecordingFiles {
    folder: PathBuf,
}

impl RecordingFiles {
    /// Keeps recordings below this folder, which is made when the first one comes.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// Where the recording with this key lies.
    pub fn path(&self, key: &str) -> PathBuf {
        self.folder.join(key)
    }

    /// Stores a recording and syncs it; the answer is the key to find it by. Doing it again replaces the file.
    pub async fn put(&self, call: CallId, file: &RecordingFile) -> std::io::Result<String> {
        let extension = match file.content_type {
            "audio/mpeg" => "mp3",
            "audio/ogg" => "ogg",
            _ => "wav",
        };
        // Two characters of the id's random end spread the files over 256 folders.
        let name = call.0.simple().to_string();
        let key = format!("{}/{name}.{extension}", &name[30..]);
        let path = self.path(&key);
        let folder = path.parent().expect("a key has a folder");
        tokio::fs::create_dir_all(folder).await?;
        let draft = path.with_extension("part");
        let mut out = tokio::fs::File::create(&draft).await?;
        out.write_all(&file.bytes).await?;
        out.sync_all().await?;
        drop(out);
        tokio::fs::rename(&draft, &path).await?;
        sync_folder(folder).await?;
        Ok(key)
    }
}

/// A renamed file survives a power cut only once its folder is synced.
async fn sync_folder(folder: &Path) -> std::io::Result<()> {
    tokio::fs::File::open(folder).await?.sync_all().await
}

/// What a link may say; everything else is refused alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The call whose recording may be heard.
    pub call_id: CallId,
    /// Until when.
    pub expires_at: Timestamp,
}

/// A link to a recording that works without a key until it expires.
pub fn signed_url(app: &App, call_id: CallId, now: Timestamp) -> (String, Timestamp) {
    let expires_at = now + Duration::from_secs(app.settings().recording_link_ttl.as_secs());
    let expires_at = Timestamp::from_second(expires_at.as_second()).expect("a whole second is in range");
    let mut token = Vec::with_capacity(56);
    token.extend_from_slice(call_id.0.as_bytes());
    token.extend_from_slice(&expires_at.as_second().to_be_bytes());
    let mac = app.store().vault().mac("recording-link", &token);
    token.extend_from_slice(&mac);
    let url =
        format!("{}/api/v1/recordings/media/{}", app.settings().public_url, URL_SAFE_NO_PAD.encode(token));
    (url, expires_at)
}

/// Reads a link's token. `None` if it is forged, broken or expired.
pub fn open_token(app: &App, token: &str, now: Timestamp) -> Option<Grant> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    let (signed, mac) = bytes.split_at_checked(24)?;
    if !store::vault::equal(&app.store().vault().mac("recording-link", signed), mac) {
        return None;
    }
    let call_id = CallId(uuid::Uuid::from_slice(&signed[..16]).ok()?);
    let expires_at = Timestamp::from_second(i64::from_be_bytes(signed[16..].try_into().ok()?)).ok()?;
    (expires_at > now).then_some(Grant { call_id, expires_at })
}
