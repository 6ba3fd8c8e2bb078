//! The jobs at which this process is making an attempt.
//!
//! A lease can run out under an attempt, for example while the whole machine was suspended, and whoever claims the job then may be the very
//! process that works on it.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::JobId;

/// A set of jobs, each of them at most once.
#[derive(Debug, Default)]
pub(crate) struct UnderWay(Mutex<HashSet<JobId>>);

impl UnderWay {
    /// Notes that an attempt at a job begins; `None` if another one is still being made.
    pub(crate) fn begin(&self, job: JobId) -> Option<Begun<'_>> {
        self.jobs().insert(job).then(|| Begun { all: self, job })
    }

    fn jobs(&self) -> MutexGuard<'_, HashSet<JobId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An attempt is being made until this is dropped.
pub(crate) struct Begun<'a> {
    all: &'a UnderWay,
    job: JobId,
}

impl Drop for Begun<'_> {
    fn drop(&mut self) {
        self.all.jobs().remove(&self.job);
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_job_is_worked_on_once_at_a_time_and_again_when_that_is_over() {
        let under_way = UnderWay::default();
        let (one, other) = (JobId(Uuid::from_u128(1)), JobId(Uuid::from_u128(2)));
        let first = under_way.begin(one);
        assert!(first.is_some() && under_way.begin(one).is_none());
        assert!(under_way.begin(other).is_some(), "others are not held up");
        drop(first);
        assert!(under_way.begin(one).is_some());
    }
}
