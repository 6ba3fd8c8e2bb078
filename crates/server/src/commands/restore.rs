//! `kaicalls restore`: brings back what `kaicalls backup` kept, into the database and the data folder of the settings.
//!
//! Nothing is replaced: where there is a database already, nothing happens. The copy is looked through, brought up to date and opened with
//! the master key before it gets its place, so a backup that is damaged or was made with another key changes nothing.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;
use store::DatabaseUrl;

use crate::commands::backup::{self, DATABASE, FORM, MANIFEST, Manifest, RECORDINGS, cannot};
use crate::config::Config;
use crate::failure::Failure;
use crate::output::{self, Format, say};
use crate::wiring;

/// Bring back what `kaicalls backup` kept, into an installation that has no data yet (database)
#[derive(Debug, Args)]
#[command(
    after_help = "Needs the master key that the backup was made with, in kaicalls.toml or KAICALLS_MASTER_KEY. Into SQLite or PostgreSQL, \
                  whatever the settings say.\n\nExample:\n  kaicalls restore /var/backups/kaicalls/2026-11-28"
)]
pub(crate) struct Restore {
    /// Folder that `kaicalls backup` made
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
    /// Make the calls that waited and whose time has come meanwhile. Only where no server can have made them since the backup
    #[arg(long)]
    keep_waiting_calls: bool,
}

impl Restore {
    pub(crate) async fn run(self, config: &Config, format: Format) -> Result<(), Failure> {
        let manifest = read_manifest(&self.folder)?;
        if config.text("master_key").is_none() {
            let problem = "the master key that the backup was made with is needed and not in it: put the kaicalls.toml of that \
                           installation here, or set KAICALLS_MASTER_KEY";
            return Err(Failure::Because(problem.to_owned()));
        }
        let url = config.database_url()?;
        let place = match &url {
            DatabaseUrl::SqliteFile(file) => must_be_free(file)?.to_owned(),
            DatabaseUrl::Postgres(_) => config.data_dir().join(DATABASE),
        };
        let draft = Draft::beside(&place)?;
        let kept = self.folder.join(DATABASE);
        backup::copy_private(&kept, &draft.0).map_err(|error| cannot(&kept, &error))?;
        let digest = store::backup::digest(&draft.0).map_err(|error| cannot(&draft.0, &error))?;
        if digest != manifest.database_sha256 {
            let problem =
                format!("{DATABASE} is not what it was when the backup was made; take another backup");
            return Err(Failure::Because(problem));
        }
        let contents = store::backup::look_into(&draft.0)?;
        let called_off = self.make_ready(config, &draft.0).await?;
        let recordings = config.data_dir().join("recordings");
        let missing = backup::copy_files(&contents.recordings, &self.folder.join(RECORDINGS), &recordings)
            .map_err(|error| cannot(&recordings, &error))?;
        match &url {
            DatabaseUrl::SqliteFile(file) => draft.take(file)?,
            DatabaseUrl::Postgres(_) => {
                let from =
                    wiring::open_database(config, &DatabaseUrl::SqliteFile(draft.0.clone()), true).await?;
                let to = wiring::open_store(config, false).await?;
                let copied = store::transfer::to_postgres(from, &to).await;
                copied.map_err(|error| Failure::Because(error.to_string()))?;
            }
        }
        let (calls, leads) = (backup::rows(&contents, "calls"), backup::rows(&contents, "leads"));
        let heard = contents.recordings.len() - missing.len();
        if format == Format::Json {
            return output::json(&json!({
                "backup_of": manifest.created_at, "calls": calls, "leads": leads, "recordings": heard,
                "missing_recordings": missing, "called_off": called_off,
            }));
        }
        say!(
            "Restored the state of {}: {calls} calls, {leads} leads and {heard} recordings",
            manifest.created_at
        )?;
        if called_off > 0 {
            say!(
                "{called_off} calls whose time has come since then are not made: a server may have made them already."
            )?;
        }
        Ok(())
    }

    /// Brings the copy up to date, with the master key of the settings; gives how many calls were called off.
    async fn make_ready(&self, config: &Config, draft: &Path) -> Result<u64, Failure> {
        let called_off = {
            let store =
                wiring::open_database(config, &DatabaseUrl::SqliteFile(draft.to_owned()), true).await?;
            let app = wiring::build_app(config, store)?;
            if self.keep_waiting_calls { 0 } else { app::calls::call_off_overdue(&app).await? }
        };
        store::backup::settle(draft)?;
        Ok(called_off)
    }
}

fn read_manifest(folder: &Path) -> Result<Manifest, Failure> {
    let file = folder.join(MANIFEST);
    let text = std::fs::read_to_string(&file).map_err(|error| cannot(&file, &error))?;
    let manifest: Manifest = serde_json::from_str(&text)
        .map_err(|error| Failure::Because(format!("{}: this is no backup: {error}", file.display())))?;
    if manifest.kaicalls_backup != FORM {
        let problem =
            format!("the backup was made by version {}, which keeps backups otherwise", manifest.version);
        return Err(Failure::Because(problem));
    }
    Ok(manifest)
}

/// A database that is there stays. So does what one left beside it: SQLite would take it for a part of the new one.
fn must_be_free(file: &Path) -> Result<&Path, Failure> {
    for end in ["", "-wal", "-shm"] {
        let mut name = file.as_os_str().to_owned();
        name.push(end);
        let name = PathBuf::from(name);
        if name.symlink_metadata().is_ok() {
            let problem =
                format!("{} is there already; stop its server and move it away first", name.display());
            return Err(Failure::Because(problem));
        }
    }
    Ok(file)
}

/// A copy of a database under a name of its own. It is removed when this is dropped.
struct Draft(PathBuf);

impl Draft {
    fn beside(place: &Path) -> Result<Self, Failure> {
        let folder = place.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder).map_err(|error| cannot(folder, &error))?;
        let mut name = place.as_os_str().to_owned();
        name.push(format!(".restoring-{}", std::process::id()));
        Ok(Self(name.into()))
    }

    /// Gives the database its name, unless another one has it by now.
    fn take(&self, name: &Path) -> Result<(), Failure> {
        let linked = std::fs::hard_link(&self.0, name).or_else(|error| match error.kind() {
            std::io::ErrorKind::AlreadyExists => Err(error),
            // A file system without second names.
            _ => std::fs::rename(&self.0, name),
        });
        linked.map_err(|error| cannot(name, &error))?;
        let folder = name.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        std::fs::File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(|error| cannot(folder, &error))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        for end in ["", "-wal", "-shm"] {
            let mut name = self.0.as_os_str().to_owned();
            name.push(end);
            // Most of them are not there.
            let _ = std::fs::remove_file(name);
        }
    }
}
