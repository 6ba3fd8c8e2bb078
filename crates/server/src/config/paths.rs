//! Settings that name files and folders. A path that is not absolute is meant from where it is written: in a settings file from the file's
//! folder, in a variable from the folder that the command runs in. What nobody has written lies beside the settings file.

use std::path::{Path, PathBuf};

use store::DatabaseUrl;

use super::Config;
use super::table::USUAL_DATABASE;

/// Settings that hold a path, if anything.
const PATHS: &[&str] = &[
    "data_dir",
    "destinations",
    "piper_voice",
    "pocketsphinx_model",
    "pocketsphinx_sentences",
    "sandbox_scenarios",
    "voice_tls_certificate",
    "voice_tls_key",
    "whisper_model",
];

/// Settings that hold a path if there is a slash in them, and otherwise the name of a program that is looked for.
const PROGRAMS: &[&str] = &["piper_program", "whisper_program"];

impl Config {
    /// Takes all paths that are not absolute from this folder.
    pub(super) fn take_paths_from(&mut self, folder: &Path) {
        if folder.as_os_str().is_empty() {
            return;
        }
        for (name, value) in &mut self.values {
            let is_path = PATHS.contains(name) || (PROGRAMS.contains(name) && value.contains('/'));
            if is_path && !value.trim().is_empty() {
                *value = folder.join(value.trim()).display().to_string();
            } else if *name == "voice_trunks" {
                *value = super::trunks::with_paths_from(value, folder);
            } else if *name == "database_url"
                && let Ok(DatabaseUrl::SqliteFile(file)) = value.trim().parse()
            {
                *value = format!("sqlite:{}", folder.join(file).display());
            }
        }
    }

    /// An SQLite file that could be taken for the database and is not: where the database is PostgreSQL, the one that would be it otherwise;
    /// where another settings file is named, the one that belongs to the folder that the command runs in.
    pub(super) fn forgotten_file(&self) -> Option<(PathBuf, &'static str)> {
        let Ok(DatabaseUrl::SqliteFile(usual)) = USUAL_DATABASE.parse() else { return None };
        match self.database_url() {
            Ok(DatabaseUrl::Postgres(_)) => {
                let beside = self.data_dir().join("kaicalls.db");
                let file = [usual, beside].into_iter().find(|file| file.is_file())?;
                Some((file, "the database is PostgreSQL"))
            }
            Ok(DatabaseUrl::SqliteFile(database)) => {
                let is_another = self.named_file.is_some() && !database.exists() && usual.is_file();
                is_another.then_some((usual, "the settings file that is named keeps its database beside it"))
            }
            Err(_) => None,
        }
    }
}
