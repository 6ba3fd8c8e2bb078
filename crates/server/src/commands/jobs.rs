//! `kaicalls jobs`: work in the background, for whoever can reach the database.

use clap::Subcommand;
use domain::JobId;
use store::jobs::JobRecord;

use crate::config::Config;
use crate::failure::Failure;
use crate::wiring;

/// How many jobs are listed at most.
const LISTED: u32 = 1000;

/// List jobs and retry failed ones
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
        id: String,
    },
}

impl Jobs {
    pub(crate) async fn run(self, config: Config) -> Result<(), Failure> {
        let store = wiring::open_store(&config, false).await?;
        match self {
            Self::List { failed } => {
                let jobs = store
                    .read(move |tx| Box::pin(async move { store::jobs::list(tx, failed, LISTED).await }))
                    .await?;
                for job in jobs {
                    println!("{}", line(&job));
                }
            }
            Self::Retry { id } => {
                let id = super::id::<JobId>("ID", &id)?;
                let app = wiring::build_app(&config, store)?;
                if !app::jobs::retry(&app, id).await? {
                    let problem =
                        "no failed job has this id; `kaicalls jobs list --failed` shows those that have";
                    return Err(Failure::Because(problem.to_owned()));
                }
                println!("the job is due; a running server takes it up within a second");
            }
        }
        Ok(())
    }
}

fn line(job: &JobRecord) -> String {
    let state = match (job.failed_at, job.lease_until) {
        (Some(at), _) => format!("failed {at}"),
        (None, Some(until)) => format!("leased until {until}"),
        (None, None) => format!("due {}", job.run_at),
    };
    let error = job.last_error.as_deref().map(|error| format!("  {error}")).unwrap_or_default();
    format!("{}  {:<8}  of {}  attempt {}  {state}{error}", job.id, job.kind, job.subject, job.attempts)
}
