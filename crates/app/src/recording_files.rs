//! Recordings as files on disk, under random-looking names. What has not been kept leaves nothing behind.

use std::path::{Path, PathBuf};

use domain::{CallId, Timestamp};
use uuid::Uuid;

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

    /// Removes a recording; one that is not there is no failure.
    pub async fn remove(&self, key: &str) -> std::io::Result<()> {
        match tokio::fs::remove_file(self.path(key)).await {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// An empty file for the recording of a call, in the folder in which the recording is going to lie. `tag` keeps two that are
    /// made at the same time apart.
    pub async fn draft(&self, call: CallId, tag: Uuid) -> std::io::Result<Draft> {
        // Two characters of the id's random end spread the files over 256 folders.
        let name = call.0.simple().to_string();
        let folder = name[30..].to_owned();
        tokio::fs::create_dir_all(self.path(&folder)).await?;
        let path = self.path(&format!("{folder}/{name}.{}.{DRAFT}", tag.simple()));
        let draft = Draft { path, stem: format!("{folder}/{name}") };
        tokio::fs::File::create(&draft.path).await?;
        Ok(draft)
    }

    /// Makes a draft that has been filled the recording of its call and syncs it; the answer is the key to find it by. An earlier
    /// recording of the call is replaced.
    pub async fn keep(&self, draft: Draft, content_type: &str) -> std::io::Result<String> {
        let extension = match content_type {
            "audio/mpeg" => "mp3",
            "audio/ogg" => "ogg",
            "audio/flac" => "flac",
            "audio/mp4" => "m4a",
            "audio/webm" => "webm",
            _ => "wav",
        };
        let file = tokio::fs::File::open(&draft.path).await?;
        if file.metadata().await?.len() == 0 {
            return Err(std::io::Error::new(std::io::ErrorKind::InvalidData, "the recording is empty"));
        }
        file.sync_all().await?;
        let key = format!("{}.{extension}", draft.stem);
        let path = self.path(&key);
        tokio::fs::rename(&draft.path, &path).await?;
        sync_folder(path.parent().expect("a key has a folder")).await?;
        Ok(key)
    }

    /// Removes drafts that were begun before then: whoever filled them died over it. Says how many.
    pub async fn remove_drafts(&self, before: Timestamp) -> std::io::Result<usize> {
        let mut removed = 0;
        let mut folders = match tokio::fs::read_dir(&self.folder).await {
            Ok(folders) => folders,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(0),
            Err(error) => return Err(error),
        };
        while let Some(folder) = folders.next_entry().await? {
            if !folder.file_type().await?.is_dir() {
                continue;
            }
            let mut files = tokio::fs::read_dir(folder.path()).await?;
            while let Some(file) = files.next_entry().await? {
                let is_draft = file.path().extension().is_some_and(|extension| extension == DRAFT);
                if is_draft && touched_at(&file).await.is_some_and(|touched| touched < before) {
                    tokio::fs::remove_file(file.path()).await?;
                    removed += 1;
                }
            }
        }
        Ok(removed)
    }
}

/// When a file was last written to; `None` if it is gone meanwhile.
async fn touched_at(file: &tokio::fs::DirEntry) -> Option<Timestamp> {
    Timestamp::try_from(file.metadata().await.ok()?.modified().ok()?).ok()
}

/// What the names of drafts end with.
const DRAFT: &str = "part";

/// A file that an engine fills with a recording. It is removed when this is dropped, unless it has been kept by then.
#[derive(Debug)]
pub struct Draft {
    path: PathBuf,
    /// The key without its extension.
    stem: String,
}

impl Draft {
    /// Path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        match std::fs::remove_file(&self.path) {
            Ok(()) => {}
            // It has become a recording.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => {
                tracing::warn!(%error, "what is left of a recording could not be removed; the next clean-up will");
            }
        }
    }
}

/// A renamed file survives a power cut only once its folder is synced.
async fn sync_folder(folder: &Path) -> std::io::Result<()> {
    tokio::fs::File::open(folder).await?.sync_all().await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(folder: &Path) -> Vec<String> {
        let mut found = Vec::new();
        let mut open = vec![folder.to_owned()];
        while let Some(folder) = open.pop() {
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    open.push(path);
                } else {
                    found.extend(path.extension().map(|extension| extension.to_string_lossy().into_owned()));
                }
            }
        }
        found.sort();
        found
    }

    #[tokio::test]
    async fn what_is_not_kept_leaves_no_file_behind() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let recordings = RecordingFiles::new(folder.path());
        let call = CallId(Uuid::from_u128(7));
        let kept = recordings.draft(call, Uuid::from_u128(1)).await.expect("a draft");
        let failed = recordings.draft(call, Uuid::from_u128(2)).await.expect("a draft");
        let empty = recordings.draft(call, Uuid::from_u128(3)).await.expect("a draft");
        std::fs::write(kept.path(), "sound").expect("a writable draft");
        std::fs::write(failed.path(), "half of it").expect("a writable draft");
        assert_eq!(files(folder.path()), ["part", "part", "part"]);
        drop(failed);
        assert!(recordings.keep(empty, "audio/wav").await.is_err(), "an empty file is no recording");
        let key = recordings.keep(kept, "audio/mpeg").await.expect("a recording");
        assert_eq!(files(folder.path()), ["mp3"]);
        assert_eq!(std::fs::read(recordings.path(&key)).expect("the recording"), b"sound");
    }

    #[tokio::test]
    async fn drafts_of_the_dead_are_removed_and_recordings_stay() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let recordings = RecordingFiles::new(folder.path());
        let none = recordings.remove_drafts(Timestamp::MAX).await.expect("a folder that may be missing");
        assert_eq!(none, 0);
        let call = CallId(Uuid::from_u128(7));
        let kept = recordings.draft(call, Uuid::from_u128(1)).await.expect("a draft");
        std::fs::write(kept.path(), "sound").expect("a writable draft");
        recordings.keep(kept, "audio/wav").await.expect("a recording");
        std::mem::forget(recordings.draft(call, Uuid::from_u128(2)).await.expect("a draft"));
        assert_eq!(recordings.remove_drafts(Timestamp::UNIX_EPOCH).await.expect("a readable folder"), 0);
        assert_eq!(recordings.remove_drafts(Timestamp::MAX).await.expect("a readable folder"), 1);
        assert_eq!(files(folder.path()), ["wav"]);
    }

    #[tokio::test]
    async fn the_name_of_a_recording_tells_its_format_and_a_newer_one_replaces_it() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let recordings = RecordingFiles::new(folder.path());
        let call = CallId(Uuid::from_u128(0x0194_0000_0000_7000_8000_0000_0000_00ab));
        let keep = async |tag: u128, content_type: &str, sound: &str| {
            let draft = recordings.draft(call, Uuid::from_u128(tag)).await.expect("a draft");
            std::fs::write(draft.path(), sound).expect("a writable draft");
            recordings.keep(draft, content_type).await.expect("a recording")
        };
        for (content_type, extension) in [
            ("audio/wav", "wav"),
            ("audio/mpeg", "mp3"),
            ("audio/ogg", "ogg"),
            ("audio/flac", "flac"),
            ("audio/mp4", "m4a"),
            ("audio/webm", "webm"),
            ("audio/x-unheard-of", "wav"),
        ] {
            let key = keep(1, content_type, "sound").await;
            assert_eq!(key, format!("ab/019400000000700080000000000000ab.{extension}"));
        }
        let key = keep(2, "audio/wav", "a better one").await;
        assert_eq!(std::fs::read(recordings.path(&key)).expect("the recording"), b"a better one");
    }
}
