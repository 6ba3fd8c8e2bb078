//! `kaicalls backup`: everything that an installation keeps, as a folder.
//!
//! The database is in it as a SQLite file, whichever database the installation uses, so that a backup can be looked into anywhere and brought
//! back into either. The folder gets its name when it is whole. The master key is never in it: whoever finds a backup opens no secret with it.

use std::fs::{File, Permissions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use domain::audit::Action;
use domain::clock::written;
use domain::{BusinessId, Clock as _};
use serde::{Deserialize, Serialize};
use store::DatabaseUrl;
use store::backup::Contents;

use crate::config::Config;
use crate::failure::Failure;
use crate::output::{self, Format, say};
use crate::system::SystemClock;
use crate::wiring;

/// Copy everything that the installation keeps into a folder, while it runs (database)
#[derive(Debug, Args)]
#[command(
    after_help = "The folder holds the database and the recordings, for the server's user alone. The master key is not in it: keep \
                  kaicalls.toml, or the value of KAICALLS_MASTER_KEY, in another place.\n\nExample:\n  \
                  kaicalls backup /var/backups/kaicalls/$(date +%F)"
)]
pub(crate) struct Backup {
    /// Folder to make; it must not be there yet
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
}

/// The database in the folder.
pub(super) const DATABASE: &str = "kaicalls.db";
/// The recordings in the folder.
pub(super) const RECORDINGS: &str = "recordings";
/// What is in the folder, as JSON.
pub(super) const MANIFEST: &str = "backup.json";
/// The form of such folders that this version makes and reads.
pub(super) const FORM: u32 = 1;

/// What a backup holds, and how to tell that it is whole.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Manifest {
    /// The form of the folder.
    pub(super) kaicalls_backup: u32,
    /// The version of the program that made it.
    pub(super) version: String,
    /// When the copy of the database was begun.
    pub(super) created_at: String,
    /// `sqlite` or `postgres`: where the data came from.
    pub(super) made_from: String,
    /// The SHA-256 of the database file.
    pub(super) database_sha256: String,
    pub(super) calls: u64,
    pub(super) leads: u64,
    pub(super) recordings: u64,
    /// Recordings of which the database knows and whose files were not there.
    pub(super) missing_recordings: Vec<String>,
}

impl Backup {
    pub(crate) async fn run(self, config: &Config, format: Format) -> Result<(), Failure> {
        let folder = self.folder;
        let failed = |error: std::io::Error| cannot(&folder, &error);
        let draft = Draft::of(&folder)?;
        let created_at = written(SystemClock.now());
        let database = draft.path().join(DATABASE);
        let made_from = copy_database(config, &database).await?;
        // What the copy knows was stored before it was made, so its recordings are there by now.
        let contents = store::backup::look_into(&database)?;
        let recordings = config.data_dir().join("recordings");
        let missing =
            copy_files(&contents.recordings, &recordings, &draft.path().join(RECORDINGS)).map_err(failed)?;
        let manifest = Manifest {
            kaicalls_backup: FORM,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            created_at,
            made_from: made_from.to_owned(),
            database_sha256: store::backup::digest(&database).map_err(failed)?,
            calls: rows(&contents, "calls"),
            leads: rows(&contents, "leads"),
            recordings: (contents.recordings.len() - missing.len()) as u64,
            missing_recordings: missing,
        };
        let text =
            serde_json::to_string_pretty(&manifest).map_err(|error| Failure::Because(error.to_string()))?;
        write_synced(&draft.path().join(MANIFEST), text.as_bytes()).map_err(failed)?;
        draft.keep(&folder).map_err(failed)?;
        note(config, None, Action::BackedUp, &folder).await?;
        if !manifest.missing_recordings.is_empty() {
            output::remark(format_args!(
                "warning: the files of {} recordings are not in {}; {MANIFEST} names them",
                manifest.missing_recordings.len(),
                recordings.display()
            ));
        }
        if format == Format::Json {
            return output::json(
                &serde_json::from_str(&text).map_err(|error| Failure::Because(error.to_string()))?,
            );
        }
        let Manifest { calls, leads, recordings, .. } = manifest;
        say!("{}: {calls} calls, {leads} leads and {recordings} recordings", folder.display())?;
        say!("The master key is not in it: keep kaicalls.toml or KAICALLS_MASTER_KEY in another place.")
    }
}

/// Copies the database of the settings to a file; says what it was copied from.
pub(super) async fn copy_database(config: &Config, to: &Path) -> Result<&'static str, Failure> {
    match config.database_url()? {
        DatabaseUrl::SqliteFile(from) => {
            if !from.exists() {
                let problem = format!("there is no database at {} yet", from.display());
                return Err(Failure::setting("database_url", problem));
            }
            store::backup::copy_file(&from, to)?;
            Ok("sqlite")
        }
        DatabaseUrl::Postgres(_) => {
            let from = wiring::open_store(config, false).await?;
            let target = wiring::open_database(config, &DatabaseUrl::SqliteFile(to.to_owned()), true).await?;
            let copied = store::transfer::to_sqlite(&from, target).await;
            copied.map_err(|error| Failure::Because(error.to_string()))?;
            from.close();
            store::backup::settle(to)?;
            Ok("postgres")
        }
    }
}

/// Writes into the log of administrative changes that somebody has a copy of what the installation keeps.
pub(super) async fn note(
    config: &Config,
    business: Option<BusinessId>,
    action: Action,
    folder: &Path,
) -> Result<(), Failure> {
    let store = wiring::open_store(config, false).await?;
    let app = wiring::operators_app(config, Arc::clone(&store))?;
    app::audit::note_command(&app, business, action, folder.display().to_string()).await?;
    store.close();
    Ok(())
}

pub(super) fn rows(contents: &Contents, table: &str) -> u64 {
    contents.rows.get(table).copied().unwrap_or_default()
}

/// Copies files that are named by their place in a folder into another folder; one that is there already stays. Gives the names of those
/// that are missing.
pub(super) fn copy_files(names: &[String], from: &Path, to: &Path) -> std::io::Result<Vec<String>> {
    make_folder(to)?;
    let mut missing = Vec::new();
    for name in names {
        let place = Path::new(name);
        if !place.components().all(|part| matches!(part, Component::Normal(_))) {
            missing.push(name.clone());
            continue;
        }
        let (source, target) = (from.join(place), to.join(place));
        if !source.is_file() {
            missing.push(name.clone());
            continue;
        }
        if target.exists() {
            continue;
        }
        make_folder(target.parent().unwrap_or(to))?;
        // Nobody takes half a recording for a whole one.
        let half = target.with_extension("copying");
        copy_private(&source, &half)?;
        std::fs::rename(&half, &target)?;
    }
    sync_folders(to)?;
    Ok(missing)
}

/// Copies a file for the server's user alone, whoever could read the first one.
pub(super) fn copy_private(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::copy(from, to)?;
    std::fs::set_permissions(to, Permissions::from_mode(0o600))?;
    File::open(to)?.sync_all()
}

/// A folder for the server's user alone, with those around it that are missing.
fn make_folder(folder: &Path) -> std::io::Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

fn sync_folders(folder: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync_folders(&entry.path())?;
        }
    }
    File::open(folder)?.sync_all()
}

fn write_synced(file: &Path, content: &[u8]) -> std::io::Result<()> {
    let mut file = File::create(file)?;
    file.write_all(content)?;
    file.sync_all()
}

/// A file or folder that cannot be written.
pub(super) fn cannot(place: &Path, error: &std::io::Error) -> Failure {
    Failure::Because(format!("{}: {error}", place.display()))
}

/// A folder that is being filled. It is removed when this is dropped, unless it has been kept by then.
pub(super) struct Draft(PathBuf);

impl Draft {
    /// One for a folder that is not there yet.
    pub(super) fn of(folder: &Path) -> Result<Self, Failure> {
        if folder.symlink_metadata().is_ok() {
            let problem = format!("{} is there already; name a folder that is not", folder.display());
            return Err(Failure::Because(problem));
        }
        let mut name = folder.as_os_str().to_owned();
        name.push(format!(".part-{}", std::process::id()));
        let draft = Self(name.into());
        make_folder(draft.path()).map_err(|error| cannot(draft.path(), &error))?;
        Ok(draft)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Gives it its name, now that it is whole.
    pub(super) fn keep(self, name: &Path) -> std::io::Result<()> {
        sync_folders(&self.0)?;
        std::fs::rename(&self.0, name)?;
        let around = name.parent().filter(|around| !around.as_os_str().is_empty());
        File::open(around.unwrap_or(Path::new(".")))?.sync_all()
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // It has its own name if it was kept.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
