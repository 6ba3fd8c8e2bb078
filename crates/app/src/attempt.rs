//! One attempt at a job, and what follows when it fails: another one after a pause that grows, and in the end giving up.
//!
//! A failure is an error that will not pass by itself, or a panic. What passes by itself (a database that is away, a call that waits for
//! room) is no failure, however often it happens. A job that is given up stays in the table, and in the same transaction its kind
//! does what nobody else will do then, like ending the call.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use domain::{JobId, Timestamp};
use futures_util::FutureExt as _;
use jiff::SignedDuration;
use store::jobs::{Held, Job, JobKind};
use store::{BoxFuture, PlatformTx, StoreError};

use crate::App;

/// How long a job waits for a database that is away or busy.
const WEATHER: SignedDuration = SignedDuration::from_secs(5);

/// The pause before giving up is tried again, should that fail too.
const ENDING_AGAIN: SignedDuration = SignedDuration::from_secs(60);

/// How many failures a job of a kind may have.
fn limit(kind: JobKind) -> u32 {
    match kind {
        // Somebody waits for the call, and for its end.
        JobKind::Dial | JobKind::WrapUp => 5,
        JobKind::Deliver => 8,
    }
}

/// The pause after so many failures: doubled each time, up to ten minutes.
fn pause(kind: JobKind, failures: u32) -> SignedDuration {
    let first = match kind {
        // Five attempts at a wrap-up fit into its thirty seconds.
        JobKind::Dial | JobKind::WrapUp => Duration::from_secs(1),
        JobKind::Deliver => Duration::from_secs(5),
    };
    let longest = Duration::from_secs(600);
    let doubled = first.saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1)));
    SignedDuration::try_from(doubled.min(longest)).unwrap_or(SignedDuration::MAX)
}

/// An attempt that somebody may make, because they hold the job's lease.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attempt {
    pub(crate) job: JobId,
    pub(crate) kind: JobKind,
    /// Number of the attempt; the first is 1.
    pub(crate) number: u32,
}

impl Attempt {
    /// The hold of this process on the job.
    pub(crate) fn held(self, app: &App) -> Held {
        Held { job: self.job, by: app.node() }
    }

    /// At a job that belongs to this process since it was added.
    pub(crate) fn first(job: JobId, kind: JobKind) -> Self {
        Self { job, kind, number: 1 }
    }
}

impl From<&Job> for Attempt {
    fn from(job: &Job) -> Self {
        Self { job: job.id, kind: job.kind, number: job.attempts }
    }
}

/// How an attempt went that did not succeed. What follows from it has been stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unsuccessful {
    /// The job waits for its next attempt, or has been given up.
    Failed,
    /// The same, and whatever the work had begun was left where it was.
    Panicked,
    /// It was not made, because this process is still in the middle of another attempt at the job.
    NotMade,
}

/// Makes an attempt. `last_words` is what has to happen in the transaction that gives the job up.
pub(crate) async fn run<T>(
    app: &App,
    attempt: Attempt,
    work: BoxFuture<'_, Result<T, StoreError>>,
    last_words: impl for<'t> FnOnce(&'t mut PlatformTx) -> BoxFuture<'t, Result<(), StoreError>> + Send + 'static,
) -> Result<T, Unsuccessful> {
    let kind = attempt.kind.as_str();
    let Some(_begun) = app.under_way().begin(attempt.job) else {
        leave_alone(app, attempt).await;
        return Err(Unsuccessful::NotMade);
    };
    // A number beyond the limit comes from processes that died in the attempt, or from giving up that failed.
    if attempt.number > limit(attempt.kind) {
        let error = last_error(app, attempt.job).await;
        settle(app, attempt, error, last_words).await;
        return Err(Unsuccessful::Failed);
    }
    let outcome = AssertUnwindSafe(work).catch_unwind().await;
    let (error, unsuccessful) = match outcome {
        Ok(Ok(done)) => return Ok(done),
        Ok(Err(error)) if error.may_pass() => {
            if let Some(left_out) = app.may_tell("a job waits") {
                tracing::warn!(job = %attempt.job, kind, %error, left_out, "A job waits for the database");
            }
            let (id, held, run_at) = (attempt.job, attempt.held(app), app.now() + WEATHER);
            let postponed = app
                .platform()
                .write(move |tx| Box::pin(async move { store::jobs::postpone(tx, held, run_at).await }))
                .await;
            if let Err(error) = postponed
                && let Some(left_out) = app.may_tell("a job keeps its lease")
            {
                tracing::warn!(job = %id, kind, %error, left_out, "A job keeps its lease until that runs out");
            }
            return Err(Unsuccessful::Failed);
        }
        Ok(Err(error)) => (error.to_string(), Unsuccessful::Failed),
        // Its words may hold somebody's data; they have gone to standard error and nowhere else.
        Err(_) => ("the attempt panicked; the log shows where".to_owned(), Unsuccessful::Panicked),
    };
    settle(app, attempt, error, last_words).await;
    Err(unsuccessful)
}

/// Lets the attempt that is being made at a job have the lease that was taken for another one, which does not count.
async fn leave_alone(app: &App, attempt: Attempt) {
    let Attempt { job, kind, number } = attempt;
    let (kind, held) = (kind.as_str(), attempt.held(app));
    tracing::warn!(%job, kind, "The lease of a job ran out while this process works on it; it goes on with it");
    let left = app
        .platform()
        .write(move |tx| Box::pin(async move { store::jobs::uncount(tx, held, number).await }))
        .await;
    if let Err(error) = left {
        tracing::warn!(%job, kind, %error, "A job has one attempt less because of that");
    }
}

/// Why the last attempt failed that came to an end.
async fn last_error(app: &App, job: JobId) -> String {
    let found =
        app.platform().read(move |tx| Box::pin(async move { store::jobs::last_error(tx, job).await })).await;
    found.ok().flatten().unwrap_or_else(|| "the attempts at this job never came to an end".to_owned())
}

/// Gives back a job to which this process does not get any more, as if it had not been begun: somebody else does it at once.
pub(crate) async fn give_back(app: &App, held: Held) -> Result<(), StoreError> {
    let now = app.now();
    app.platform().write(move |tx| Box::pin(async move { store::jobs::postpone(tx, held, now).await })).await
}

/// Stores what follows from a failure.
async fn settle(
    app: &App,
    attempt: Attempt,
    error: String,
    last_words: impl for<'t> FnOnce(&'t mut PlatformTx) -> BoxFuture<'t, Result<(), StoreError>> + Send + 'static,
) {
    let Attempt { job, number, .. } = attempt;
    let (kind, held) = (attempt.kind.as_str(), attempt.held(app));
    meters::JOB_ATTEMPTS_FAILED.with([kind]).increment(1);
    let now = app.now();
    if number < limit(attempt.kind) {
        tracing::error!(%job, kind, attempt = number, error, "An attempt at a job failed; it will be tried again");
        return retry(app, held, now + pause(attempt.kind, number), error).await;
    }
    let why = error.clone();
    let given_up = app
        .platform()
        .write(move |tx| {
            Box::pin(async move {
                last_words(tx).await?;
                store::jobs::give_up(tx, held, now, &why).await
            })
        })
        .await;
    match given_up {
        Ok(()) => {
            meters::JOBS_FAILED.with([kind]).increment(1);
            tracing::error!(%job, kind, attempt = number, error, "A job is given up; `kaicalls jobs retry` has it done again");
        }
        Err(StoreError::Changed) => {
            tracing::warn!(%job, kind, error, "The lease of a job ran out in an attempt that failed; another process decides");
        }
        Err(trouble) => {
            tracing::error!(%job, kind, error, %trouble, "A job cannot even be given up; that will be tried again");
            retry(app, held, now + ENDING_AGAIN, error).await;
        }
    }
}

async fn retry(app: &App, held: Held, run_at: Timestamp, why: String) {
    let stored = app
        .platform()
        .write(move |tx| Box::pin(async move { store::jobs::retry_at(tx, held, run_at, &why).await }))
        .await;
    if let Err(error) = stored {
        tracing::warn!(job = %held.job, %error, "A job keeps its lease until that runs out");
    }
}

/// Runs something that must not end whoever runs it. `None`, and a line in the log, if it panicked.
pub(crate) async fn guarded<T>(what: &'static str, work: BoxFuture<'_, T>) -> Option<T> {
    let done = AssertUnwindSafe(work).catch_unwind().await.ok();
    if done.is_none() {
        tracing::error!(what, "A background task panicked and goes on with its next round");
    }
    done
}

/// Logs an error of the database that something waits out: as an error if it will not pass by itself. Of what may pass there is a line a
/// minute, however many wait.
pub(crate) fn log_trouble(app: &App, error: &StoreError, consequence: &'static str) {
    if !error.may_pass() {
        tracing::error!(%error, "{consequence}");
    } else if let Some(left_out) = app.may_tell(consequence) {
        tracing::warn!(%error, left_out, "{consequence}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_ten_minutes() {
        let seconds = |kind, failures| pause(kind, failures).as_secs();
        assert_eq!([1, 2, 3, 4].map(|failures| seconds(JobKind::WrapUp, failures)), [1, 2, 4, 8]);
        assert_eq!(
            [1, 2, 7, 8, 99].map(|failures| seconds(JobKind::Deliver, failures)),
            [5, 10, 320, 600, 600]
        );
    }

    #[test]
    fn five_attempts_at_a_wrap_up_fit_into_its_time() {
        let pauses: SignedDuration = (1..limit(JobKind::WrapUp)).map(|n| pause(JobKind::WrapUp, n)).sum();
        assert!(pauses < domain::call::WRAP_UP_LIMIT);
    }
}
