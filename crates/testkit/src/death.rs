//! Death of a process at any step, and what the next process makes of it.
//!
//! A test starts its own program again as a child that does what the test is about. The platform looks at the clock before and after
//! every transaction and every question to an engine; the child's clock ends the process at one of these looks. A first child that
//! nobody kills counts them, and then one child dies at each.

use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use domain::call::Call;
use domain::{BusinessId, Clock, Mode, Timestamp};
use jiff::SignedDuration;
use store::calls::CallFilter;
use store::{Page, Platform, StoreError, Tenancy};
use tokio::task::JoinSet;

use crate::database::{TestDatabase, fresh, kinds};
use crate::patience::Patience;
use crate::receiver::Receiver;

/// How a child is told what to do.
const ORDERS: &str = "KAICALLS_TEST_KILL";

/// Children that die at the same time.
const AT_ONCE: usize = 4;

/// How a child says how often it looked at the clock.
const LOOKS: &str = "looks: ";

/// The machine's clock, put ahead, which ends the process at the n-th look; without n it only counts.
pub struct DeadlyClock {
    looks: AtomicU64,
    deadly: Option<u64>,
    ahead_s: AtomicI64,
}

impl DeadlyClock {
    /// Ends the process at this look.
    pub fn new(deadly: Option<u64>) -> Arc<Self> {
        Arc::new(Self { looks: AtomicU64::new(0), deadly, ahead_s: AtomicI64::new(0) })
    }

    /// A clock that kills nobody, so many seconds ahead.
    pub fn ahead(seconds: i64) -> Arc<Self> {
        let clock = Self::new(None);
        clock.put_ahead(seconds);
        clock
    }

    /// Puts it ahead by so many seconds more.
    pub fn put_ahead(&self, seconds: i64) {
        self.ahead_s.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for DeadlyClock {
    fn now(&self) -> Timestamp {
        if Some(self.looks.fetch_add(1, Ordering::SeqCst) + 1) == self.deadly {
            std::process::abort();
        }
        domain::clock::to_micros(
            machine_time() + SignedDuration::from_secs(self.ahead_s.load(Ordering::SeqCst)),
        )
    }
}

/// The time of the machine, on which several processes agree.
pub fn machine_time() -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "several processes must agree on the time")]
    let now = Timestamp::now();
    now
}

/// What a child is to do, and when it dies.
#[derive(Debug, Clone)]
pub struct Orders {
    /// What the test wants to tell its child; words without spaces.
    pub words: Vec<String>,
    /// The look at which the child dies.
    pub deadly: Option<u64>,
}

impl Orders {
    /// What this process was told, if it is a child.
    pub fn received() -> Option<Self> {
        #[expect(clippy::disallowed_methods, reason = "how a parent talks to its child")]
        let text = std::env::var(ORDERS).ok()?;
        let mut words: Vec<String> = text.split(' ').map(str::to_owned).collect();
        let deadly = words.pop().expect("a last word").parse().ok();
        Some(Self { words, deadly })
    }

    /// Runs the child, which is the test `the_child` of this program; gives how often it looked at the clock, if it lived.
    pub async fn carry_out(&self) -> Option<u64> {
        assert!(self.words.iter().all(|word| !word.contains(' ')), "{:?}", self.words);
        let deadly = self.deadly.map_or_else(|| "never".to_owned(), |look| look.to_string());
        let orders = format!("{} {deadly}", self.words.join(" "));
        let program = std::env::current_exe().expect("this test's own program");
        let mut command = tokio::process::Command::new(program);
        command.args(["--exact", "the_child", "--nocapture"]).env(ORDERS, orders);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let output = command.output().await.expect("a child can be started");
        let text = String::from_utf8_lossy(&output.stdout);
        if self.deadly.is_none() {
            let errors = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "the child that nobody kills succeeds: {text}{errors}");
        }
        text.lines().find_map(|line| line.split(LOOKS).nth(1)?.trim().parse().ok())
    }
}

/// The child's last words, when it has done everything.
pub fn report_looks(clock: &DeadlyClock) {
    println!("{LOOKS}{}", clock.looks.load(Ordering::SeqCst));
}

/// Waits until the business's only call is final and told, or there is none. What is given runs whenever that is not so yet.
pub async fn at_rest<F>(
    database: &Platform,
    business: BusinessId,
    mode: Mode,
    mut meanwhile: impl FnMut() -> F,
) -> Option<Call>
where
    F: Future<Output = ()>,
{
    let patience = Patience::of(Duration::from_secs(30));
    loop {
        let tenancy = Tenancy::one(business, mode);
        let read = database.read(move |tx| {
            Box::pin(async move {
                let page = Page { limit: 10, after: None };
                let calls = store::calls::list(tx, &tenancy, &CallFilter::default(), &page).await?;
                assert!(calls.rows.len() <= 1, "one intent, one call");
                let call = calls.rows.into_iter().next().map(|view| view.call);
                Ok::<_, StoreError>((call, store::jobs::pending(tx).await?))
            })
        });
        let (call, jobs) = read.await.expect("the database works");
        if jobs.is_empty() && call.as_ref().is_none_or(|call| call.state().is_final()) {
            return call;
        }
        assert!(patience.is_left(), "nothing rests: {call:?} {jobs:?}");
        meanwhile().await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Asserts that the end of the call was told once, or nothing if there is no call.
pub fn assert_told_once(receiver: &mut Receiver, call: Option<&Call>, deadly: Option<u64>) {
    let mut events: Vec<String> =
        receiver.waiting().iter().filter_map(|told| told.header("webhook-id").map(str::to_owned)).collect();
    events.dedup();
    assert_eq!(events.len(), usize::from(call.is_some()), "dead at look {deadly:?}: {call:?}");
}

/// Lives one life that nobody ends on each database at hand, and then one for each look at the clock, or for every n-th on the second
/// database: what the first one showed is only repeated there. A life is given its database and the look at which it ends, and says how
/// often it looked at the clock, if it lived.
pub async fn at_every_look<F>(every_nth_on_the_second: usize, life: impl Fn(TestDatabase, Option<u64>) -> F)
where
    F: Future<Output = Option<u64>> + Send + 'static,
{
    for (place, kind) in kinds().into_iter().enumerate() {
        let looks = life(fresh(kind).await, None).await.expect("the child that lives counts its looks");
        assert!(looks > 10, "a call takes many steps, not {looks}");
        let step = if place == 0 { 1 } else { every_nth_on_the_second };
        let mut lives = JoinSet::new();
        for deadly in (1..=looks).step_by(step) {
            if lives.len() >= AT_ONCE {
                lives.join_next().await.expect("some are left").expect("no life goes wrong");
            }
            lives.spawn(life(fresh(kind).await, Some(deadly)));
        }
        while let Some(life) = lives.join_next().await {
            life.expect("no life goes wrong");
        }
    }
}
