//! How many requests were answered how, and how fast.
//!
//! Finding a figure by its labels costs more than counting, so each is found once and kept. There are as many as routes, methods and
//! statuses that occurred together: all three come from closed lists.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use http::StatusCode;
use meters::{CounterHandle, HistogramHandle};

#[derive(Default)]
pub(crate) struct Measured(RwLock<HashMap<String, Route>>);

type Route = HashMap<(&'static str, StatusCode), Kept>;

#[derive(Clone)]
struct Kept {
    answered: CounterHandle,
    seconds: HistogramHandle,
}

impl Measured {
    /// Counts an answer. `route` is a path as routes are declared.
    pub(crate) fn note(&self, method: &'static str, route: &str, status: StatusCode, took: Duration) {
        let known = {
            let routes = self.0.read().unwrap_or_else(PoisonError::into_inner);
            routes.get(route).and_then(|kept| kept.get(&(method, status))).cloned()
        };
        let kept = known.unwrap_or_else(|| {
            let mut routes = self.0.write().unwrap_or_else(PoisonError::into_inner);
            routes
                .entry(route.to_owned())
                .or_default()
                .entry((method, status))
                .or_insert_with(|| find(method, route, status))
                .clone()
        });
        kept.answered.increment(1);
        kept.seconds.record(took);
    }
}

fn find(method: &str, route: &str, status: StatusCode) -> Kept {
    let labels = [method, route, status.as_str()];
    Kept { answered: meters::HTTP_REQUESTS.with(labels), seconds: meters::HTTP_REQUEST_SECONDS.with(labels) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_is_found_once_for_each_kind_of_answer() {
        let measured = Measured::default();
        for (method, status) in [
            ("GET", StatusCode::OK),
            ("GET", StatusCode::OK),
            ("GET", StatusCode::NOT_FOUND),
            ("other", StatusCode::OK),
        ] {
            measured.note(method, "/api/v1/calls", status, Duration::from_millis(1));
        }
        let routes = measured.0.read().expect("unpoisoned");
        let mut kinds: Vec<_> =
            routes["/api/v1/calls"].keys().map(|(method, status)| (*method, status.as_u16())).collect();
        kinds.sort_unstable();
        assert_eq!(kinds, [("GET", 200), ("GET", 404), ("other", 200)]);
    }
}
