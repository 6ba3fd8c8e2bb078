//! `kaicalls move`: the data of an installation from its SQLite file to PostgreSQL.

use clap::Args;
use serde_json::json;
use store::DatabaseUrl;

use crate::config::Config;
use crate::failure::Failure;
use crate::output::{self, Format, say};
use crate::wiring;

/// Move the data of an installation from SQLite to PostgreSQL (database)
#[derive(Debug, Args)]
#[command(
    after_help = "Stop the server first. Everything goes over in one transaction, or nothing; the SQLite file stays as it is. Recordings \
                  stay where they are.\n\nExample:\n  kaicalls move --to postgres://kaicalls:…@10.1.0.5/kaicalls"
)]
pub(crate) struct Move {
    /// Address of an empty database on PostgreSQL
    #[arg(long, value_name = "URL")]
    to: String,
}

impl Move {
    pub(crate) async fn run(self, config: &Config, format: Format) -> Result<(), Failure> {
        let DatabaseUrl::SqliteFile(file) = config.database_url()? else {
            return Err(Failure::setting("database_url", "expected the SQLite file to move from"));
        };
        if !file.exists() {
            return Err(Failure::setting(
                "database_url",
                format!("there is no database at {}", file.display()),
            ));
        }
        let Ok(url @ DatabaseUrl::Postgres(_)) = self.to.parse() else {
            return Err(Failure::Because("--to: expected postgres://user:password@host/database".to_owned()));
        };
        // As a server has it: nobody else may serve it meanwhile.
        let from = wiring::open_store(config, true).await?;
        let to = wiring::open_database(config, &url, false).await?;
        let moved = store::transfer::to_postgres(from, &to).await;
        let counts = moved.map_err(|error| Failure::Because(format!("nothing was moved: {error}")))?;
        to.close();
        if format == Format::Json {
            return output::json(&json!({ "rows": counts }));
        }
        for (table, rows) in counts.iter().filter(|(_, rows)| **rows > 0) {
            say!("{rows:>10}  {table}")?;
        }
        say!(
            "\nSet database_url to the new address in kaicalls.toml or KAICALLS_DATABASE_URL, and start the server."
        )?;
        say!(
            "{} is as it was. Move it away: a server that ran on it would make calls a second time.",
            file.display()
        )
    }
}
