//! `kaicalls jobs`: work in the background, for whoever can reach the database.

use clap::Subcommand;
use domain::JobId;
use domain::clock::written;
use serde_json::{Value, json};
use store::jobs::JobRecord;

use crate::commands::arguments;
use crate::config::Config;
use crate::failure::Failure;
use crate::output::{self, Column, Format, say};
use crate::wiring;

/// How many jobs are listed at most.
const LISTED: u32 = 1000;

/// List jobs and retry failed ones (database)
#[derive(Debug, Subcommand)]
pub(crate) enum Jobs {
    /// List background jobs, the longest overdue first
    List {
        /// List only jobs that failed and are not retried by themselves
        #[arg(long)]
        failed: bool,
    },
    /// Retry a failed job; the running server does it
    Retry {
        /// Id of the job, as `kaicalls jobs list` shows it
        #[arg(value_parser = arguments::id_of::<JobId>)]
        id: JobId,
    },
}

const COLUMNS: &[Column] = &[
    ("ID", "id"),
    ("KIND", "kind"),
    ("SUBJECT", "subject"),
    ("ATTEMPTS", "attempts"),
    ("STATE", "state"),
    ("SINCE", "at"),
    ("LAST ERROR", "last_error"),
];

impl Jobs {
    pub(crate) async fn run(self, config: Config, format: Format) -> Result<(), Failure> {
        let store = wiring::open_store(&config, false).await?;
        match self {
            Self::List { failed } => {
                let jobs = store
                    .read(move |tx| Box::pin(async move { store::jobs::list(tx, failed, LISTED).await }))
                    .await?;
                output::rows(format, &jobs.iter().map(row).collect::<Vec<_>>(), COLUMNS)
            }
            Self::Retry { id } => {
                let app = wiring::build_app(&config, store)?;
                if !app::jobs::retry(&app, id).await? {
                    let problem =
                        "no failed job has this id; `kaicalls jobs list --failed` shows those that have";
                    return Err(Failure::Because(problem.to_owned()));
                }
                match format {
                    Format::Json => output::json(&json!({ "id": id.to_string(), "state": "due" })),
                    Format::Text => say!("the job is due; a running server takes it up within a second"),
                }
            }
        }
    }
}

fn row(job: &JobRecord) -> Value {
    let (state, at) = match (job.failed_at, job.lease_until) {
        (Some(at), _) => ("failed", at),
        (None, Some(until)) => ("leased until", until),
        (None, None) => ("due", job.run_at),
    };
    json!({
        "id": job.id.to_string(),
        "kind": job.kind,
        "subject": job.subject.to_string(),
        "attempts": job.attempts,
        "state": state,
        "at": written(at),
        "last_error": job.last_error,
    })
}
