//! The threads on which sound runs.
//!
//! A thread has 20 phases, a millisecond apart, and every line one of them, so that many lines do not send at the same moment. Due times
//! are absolute: whatever a tick takes, the next one is not late because of it. A thread that was held up goes on from the present and
//! does not send in one burst what it has missed.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use crate::line::Line;

/// Phases of a tick, a millisecond apart.
const PHASES: u64 = 20;

/// A thread that is later than this leaves out what it has missed.
const HELD_UP: Duration = Duration::from_millis(40);

/// Lines that wait to be taken by a thread.
const WAITING: usize = 64;

/// How many calls a thread is meant for.
const LINES_PER_THREAD: usize = 150;

/// The threads of a process. They end when this is dropped and no line is left.
#[derive(Debug)]
pub struct MediaThreads {
    threads: Vec<Thread>,
}

#[derive(Debug)]
struct Thread {
    lines: SyncSender<Line>,
    count: Arc<AtomicUsize>,
    begun: Instant,
}

impl MediaThreads {
    /// As many threads as so many calls at once need.
    pub fn start(calls: usize) -> std::io::Result<Self> {
        let threads = (0..calls.div_ceil(LINES_PER_THREAD).max(1)).map(Thread::start);
        Ok(Self { threads: threads.collect::<Result<_, _>>()? })
    }

    /// Gives a line to the thread that has the fewest, and tells from when on that thread counts its time. `None` if it takes no more.
    pub(crate) fn run(&self, line: Line) -> Option<Instant> {
        let thread = self.threads.iter().min_by_key(|thread| thread.count.load(Ordering::Relaxed))?;
        thread.count.fetch_add(1, Ordering::Relaxed);
        if thread.lines.try_send(line).is_err() {
            thread.count.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        Some(thread.begun)
    }
}

impl Thread {
    #[expect(clippy::disallowed_methods, reason = "this is the clock of sound")]
    fn start(number: usize) -> std::io::Result<Self> {
        let begun = Instant::now();
        let (sender, receiver) = sync_channel(WAITING);
        let count = Arc::new(AtomicUsize::new(0));
        let clock = Clock { lines: receiver, count: Arc::clone(&count), phases: Phases::default(), begun };
        std::thread::Builder::new().name(format!("sound-{number}")).spawn(move || clock.run())?;
        Ok(Self { lines: sender, count, begun })
    }
}

/// What runs on one thread.
struct Clock {
    lines: Receiver<Line>,
    count: Arc<AtomicUsize>,
    phases: Phases,
    begun: Instant,
}

impl Clock {
    fn run(mut self) {
        let begun = self.begun;
        let mut millisecond = 0_u64;
        loop {
            if self.phases.is_empty() {
                let Ok(line) = self.lines.recv() else { return };
                self.phases.add(line, 0);
                millisecond = present(begun);
            }
            while let Ok(line) = self.lines.try_recv() {
                self.phases.add(line, millisecond);
            }
            millisecond = self.phases.next(millisecond);
            let due = Duration::from_millis(millisecond);
            match due.checked_sub(begun.elapsed()) {
                Some(early) => std::thread::sleep(early),
                None if begun.elapsed().saturating_sub(due) > HELD_UP => {
                    millisecond = self.phases.next(present(begun));
                }
                None => {}
            }
            let ended = self.phases.tick(millisecond, || begun.elapsed());
            self.count.fetch_sub(ended, Ordering::Relaxed);
            millisecond += 1;
        }
    }
}

fn present(begun: Instant) -> u64 {
    u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// Which lines run in which phase.
struct Phases([Vec<Line>; PHASES as usize]);

impl Default for Phases {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Vec::new()))
    }
}

impl Phases {
    fn is_empty(&self) -> bool {
        self.0.iter().all(Vec::is_empty)
    }

    /// Gives a line the emptiest phase, of several the one that comes next.
    fn add(&mut self, line: Line, millisecond: u64) {
        let phase = (millisecond..millisecond + PHASES).min_by_key(|at| self.0[phase_of(*at)].len());
        self.0[phase_of(phase.unwrap_or(millisecond))].push(line);
    }

    /// The first millisecond from this one on in which a line runs.
    fn next(&self, millisecond: u64) -> u64 {
        let mut following = millisecond..millisecond + PHASES;
        following.find(|at| !self.0[phase_of(*at)].is_empty()).unwrap_or(millisecond)
    }

    /// Lets the lines of a phase run; gives how many of them have ended.
    fn tick(&mut self, millisecond: u64, now: impl Fn() -> Duration) -> usize {
        let lines = &mut self.0[phase_of(millisecond)];
        let before = lines.len();
        lines.retain_mut(|line| line.tick(now()));
        before - lines.len()
    }
}

fn phase_of(millisecond: u64) -> usize {
    usize::try_from(millisecond % PHASES).unwrap_or(0)
}
