//! Files that only the user of the server may read: the database, recordings, usage rows and settings hold what people said.

use std::path::{Path, PathBuf};

use store::DatabaseUrl;

use crate::config::Config;

/// From here on every file that this process makes belongs to its user alone, and every folder too.
pub(crate) fn begin() {
    #[cfg(unix)]
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
}

/// Takes files and folders that an earlier version or another program made from everybody else. The data folder itself may be
/// shared with others on purpose, so it is only named.
#[cfg(unix)]
pub(crate) fn tighten(config: &Config) {
    use std::os::unix::fs::PermissionsExt as _;

    let open_to_others =
        |path: &Path| std::fs::metadata(path).ok().filter(|found| found.permissions().mode() & 0o077 != 0);
    for path in ours(config) {
        let Some(found) = open_to_others(&path) else { continue };
        let mode = if found.is_dir() { 0o700 } else { 0o600 };
        let changed = std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode));
        if let Err(error) = changed {
            tracing::warn!(path = %path.display(), %error, "other users of this machine can read this, and it cannot be changed");
        }
    }
    let folder = config.data_dir();
    if open_to_others(&folder).is_some() {
        tracing::warn!(
            folder = %folder.display(),
            "other users of this machine can look into the data folder; `chmod 700` on it keeps them out"
        );
    }
}

#[cfg(not(unix))]
pub(crate) fn tighten(_: &Config) {}

/// What can be there before the server starts.
fn ours(config: &Config) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> =
        ["recordings", "voice", "usage"].iter().map(|folder| config.data_dir().join(folder)).collect();
    if let Ok(DatabaseUrl::SqliteFile(file)) = config.database_url() {
        for end in ["", "-wal", "-shm", ".lock"] {
            let mut path = file.clone().into_os_string();
            path.push(end);
            paths.push(path.into());
        }
    }
    paths
}
