//! Recordings as files on disk, under random-looking names.

use std::path::{Path, PathBuf};

use domain::CallId;
use domain::engine::RecordingFile;
use tokio::io::AsyncWriteExt as _;

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
