//! Many requests over many connections, and what came of them: how many a second, and how long one takes.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::http::Connection;

/// When to stop asking.
#[derive(Clone, Copy, Debug)]
pub enum Until {
    Elapsed(Duration),
    /// After this many requests.
    Count(u64),
}

impl From<Duration> for Until {
    fn from(time: Duration) -> Self {
        Self::Elapsed(time)
    }
}

/// What is measured: one kind of request.
pub enum Request {
    /// A path with its query.
    Get(String),
    /// A path and its JSON.
    Post(&'static str, String),
}

/// What a load came to.
#[derive(Debug, Default)]
pub struct Figures {
    elapsed: Duration,
    /// Of every answered request, sorted.
    latencies_us: Vec<u32>,
    /// Answers with a status other than 2xx.
    pub refused: u64,
}

impl Figures {
    /// From the time each unit of work took and the time all took together.
    pub fn new(mut latencies_us: Vec<u32>, refused: u64, elapsed: Duration) -> Self {
        latencies_us.sort_unstable();
        Self { elapsed, latencies_us, refused }
    }

    /// Units of work per second.
    pub fn rate(&self) -> f64 {
        let count = u32::try_from(self.latencies_us.len()).unwrap_or(u32::MAX);
        f64::from(count) / self.elapsed.as_secs_f64().max(1e-9)
    }

    /// Units of work per second that were done and not refused.
    pub fn done_rate(&self) -> f64 {
        let done = (self.latencies_us.len() as u64).saturating_sub(self.refused);
        f64::from(u32::try_from(done).unwrap_or(u32::MAX)) / self.elapsed.as_secs_f64().max(1e-9)
    }

    /// The time within which the given share of requests was answered.
    pub fn quantile(&self, share: f64) -> Duration {
        let last = self.latencies_us.len().saturating_sub(1);
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_sign_loss,
            reason = "an index into some millions of figures"
        )]
        let index = (last as f64 * share).round() as usize;
        Duration::from_micros(self.latencies_us.get(index).copied().unwrap_or(0).into())
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |share| self.quantile(share).as_secs_f64() * 1000.0;
        write!(formatter, "{:>9.0}/s  p50 {:>7.2} ms  p99 {:>7.2} ms", self.rate(), ms(0.5), ms(0.99))?;
        if self.refused > 0 { write!(formatter, "  ({} refused)", self.refused) } else { Ok(()) }
    }
}

/// Asks from `connections` sides at once. `request` is given the running number of the request.
pub async fn hammer(
    address: SocketAddr,
    key: &str,
    connections: u32,
    until: Until,
    request: impl Fn(u64) -> Request + Send + Sync + 'static,
) -> io::Result<Figures> {
    let request = Arc::new(request);
    let next = Arc::new(AtomicU64::new(0));
    let started = Instant::now();
    let mut workers = JoinSet::new();
    for _ in 0..connections {
        let mut connection = Connection::open(address, key).await?;
        let (request, next) = (Arc::clone(&request), Arc::clone(&next));
        workers.spawn(async move {
            let (mut latencies, mut refused) = (Vec::new(), 0);
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                match until {
                    Until::Elapsed(limit) if started.elapsed() >= limit => break,
                    Until::Count(count) if number >= count => break,
                    _ => {}
                }
                let asked = Instant::now();
                let answer = match request(number) {
                    Request::Get(path) => connection.get(&path).await?,
                    Request::Post(path, body) => connection.post(path, "", &body).await?,
                };
                latencies.push(u32::try_from(asked.elapsed().as_micros()).unwrap_or(u32::MAX));
                refused += u64::from(!(200..300).contains(&answer.status));
            }
            io::Result::Ok((latencies, refused))
        });
    }
    let (mut latencies, mut refused) = (Vec::new(), 0);
    while let Some(worker) = workers.join_next().await {
        let (more, denied) = worker.expect("a load worker does not panic")?;
        latencies.extend(more);
        refused += denied;
    }
    Ok(Figures::new(latencies, refused, started.elapsed()))
}

#[cfg(test)]
mod tests {
    use super::Figures;
    use std::time::Duration;

    #[test]
    fn quantiles_and_rate_come_from_all_answers() {
        let figures = Figures::new((1..=101).rev().collect(), 0, Duration::from_secs(2));
        assert_eq!(figures.quantile(0.5), Duration::from_micros(51));
        assert_eq!(figures.quantile(0.99), Duration::from_micros(100));
        assert!((figures.rate() - 50.5).abs() < 1e-9);
        let refused = Figures::new(vec![1; 10], 4, Duration::from_secs(2));
        assert!((refused.done_rate() - 3.0).abs() < 1e-9);
    }
}
