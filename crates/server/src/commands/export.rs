//! `kaicalls export`: everything that one business has, as a folder of JSON lines and recordings.
//!
//! It is read from a copy that is made like a backup's, so it is the state of one moment, and nobody waits for it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;
use domain::audit::Action;
use domain::clock::written;
use domain::{BusinessId, Timestamp};
use serde_json::{Map, Value, json};
use store::export::Value as Stored;

use crate::commands::arguments;
use crate::commands::backup::{self, Draft, RECORDINGS, cannot};
use crate::config::Config;
use crate::failure::Failure;
use crate::output::{self, Format, say};

/// Write everything that one business has into a folder, as JSON lines and recordings (database)
#[derive(Debug, Args)]
#[command(
    after_help = "A file per kind of thing, each line one of them: agents.jsonl, leads.jsonl, calls.jsonl and so on, and the recordings. \
                  Secrets, and hashes of secrets, are left out.\n\nExample:\n  kaicalls export ID /tmp/smith-and-partners"
)]
pub(crate) struct Export {
    /// Id of the business
    #[arg(value_name = "BUSINESS", value_parser = arguments::id_of::<BusinessId>)]
    business: BusinessId,
    /// Folder to make; it must not be there yet
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
}

/// Columns whose texts are JSON.
const JSON: &[&str] =
    &["body", "changes", "config", "data", "metadata", "payload", "request_headers", "utterances"];

impl Export {
    pub(crate) async fn run(self, config: &Config, format: Format) -> Result<(), Failure> {
        let Self { business, folder } = self;
        let failed = |error: std::io::Error| cannot(&folder, &error);
        let draft = Draft::of(&folder)?;
        let copy = draft.path().join("copy.db");
        backup::copy_database(config, &copy).await?;
        let (counts, heard) = write_rows(&copy, business, draft.path())?;
        std::fs::remove_file(&copy).map_err(failed)?;
        let recordings = config.data_dir().join(RECORDINGS);
        let missing =
            backup::copy_files(&heard, &recordings, &draft.path().join(RECORDINGS)).map_err(failed)?;
        draft.keep(&folder).map_err(failed)?;
        backup::note(config, Some(business), Action::Exported, &folder).await?;
        let recordings = heard.len() - missing.len();
        if format == Format::Json {
            return output::json(&json!({
                "folder": folder.display().to_string(), "rows": counts, "recordings": recordings,
                "missing_recordings": missing,
            }));
        }
        for (table, rows) in counts.iter().filter(|(_, rows)| **rows > 0) {
            say!("{rows:>10}  {table}")?;
        }
        say!("{recordings:>10}  recordings")
    }
}

/// Writes a file per table; gives how many lines each has, and where the recordings lie.
fn write_rows(
    copy: &Path,
    business: BusinessId,
    folder: &Path,
) -> Result<(BTreeMap<&'static str, u64>, Vec<String>), Failure> {
    let mut files = BTreeMap::new();
    for table in store::export::tables() {
        let path = folder.join(format!("{table}.jsonl"));
        let file = File::create(&path).map_err(|error| cannot(&path, &error))?;
        files.insert(table, (path, BufWriter::new(file), 0_u64));
    }
    let mut heard = Vec::new();
    let is_there = store::export::rows(copy, business, |table, row| {
        let Some((path, file, lines)) = files.get_mut(table) else { return Ok(()) };
        let mut line = Map::new();
        for (column, value) in row {
            if let ("recording_key", Stored::Text(key)) = (column.as_str(), &value) {
                heard.push(key.clone());
            }
            let value = shown(&column, value);
            line.insert(column, value);
        }
        *lines += 1;
        writeln!(file, "{}", Value::Object(line)).map_err(|error| cannot(path, &error))
    })?;
    if !is_there {
        let problem = "there is no such business; `kaicalls businesses list` shows them";
        return Err(Failure::Because(problem.to_owned()));
    }
    let mut counts = BTreeMap::new();
    for (table, (path, file, lines)) in files {
        let written = file.into_inner().map_err(std::io::IntoInnerError::into_error);
        written.and_then(|file| file.sync_all()).map_err(|error| cannot(&path, &error))?;
        counts.insert(table, lines);
    }
    Ok((counts, heard))
}

fn shown(column: &str, value: Stored) -> Value {
    match value {
        Stored::Null => Value::Null,
        Stored::Id(id) => id.to_string().into(),
        Stored::Number(number)
            if column == "at" || ["_at", "_since", "_until"].iter().any(|end| column.ends_with(end)) =>
        {
            Timestamp::from_microsecond(number).map_or_else(|_| number.into(), |time| written(time).into())
        }
        Stored::Number(number) => number.into(),
        Stored::Text(text) if JSON.contains(&column) => {
            serde_json::from_str(&text).unwrap_or_else(|_| text.into())
        }
        Stored::Text(text) => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_json_are_shown_as_such() {
        let text = |text: &str| Stored::Text(text.to_owned());
        assert_eq!(shown("created_at", Stored::Number(0)), "1970-01-01T00:00:00.000000Z");
        assert_eq!(shown("talked_ms", Stored::Number(5)), 5);
        assert_eq!(shown("payload", text("{\"a\":1}")), json!({ "a": 1 }));
        assert_eq!(shown("notes", text("{\"a\":1}")), "{\"a\":1}");
        assert_eq!(shown("body", text("no JSON")), "no JSON");
        assert_eq!(shown("lead_id", Stored::Null), Value::Null);
    }
}
