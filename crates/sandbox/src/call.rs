//! One sandbox call from the first ring to the last report.

use std::sync::Arc;
use std::time::Duration;

use agent::Mind;
use domain::call::{CallPlan, Direction, Ending, FailureCode, Progress, Report};
use domain::engine::{CallObserver, Written};
use domain::{CallId, E164, Timestamp};
use futures_util::StreamExt as _;
use speech::LanguageModel;
use tokio::sync::{Notify, mpsc};

use crate::caller::ScriptedCaller;
use crate::pace::{Pace, Pacer};
use crate::scenario::{Pickup, Scenario};
use crate::seed::Dice;
use crate::stage::{Stage, Step, Tempo};

/// From the request to the first ring, or to the carrier's refusal.
const SETUP: Duration = Duration::from_millis(500);

/// How long an incoming call rings before the agent answers it.
const RINGING_IN: Duration = Duration::from_secs(1);

/// How long a caller who writes may think, by the clock of the wall. Then they have hung up.
const WRITERS_PATIENCE: Duration = Duration::from_mins(10);

/// Everything that a call needs.
pub(crate) struct SandboxCall {
    pub(crate) plan: CallPlan,
    pub(crate) scenario: Arc<Scenario>,
    /// What the caller writes, if it is a person who writes.
    pub(crate) writing: Option<mpsc::Receiver<Written>>,
    pub(crate) model: Arc<dyn LanguageModel>,
    pub(crate) observer: Arc<dyn CallObserver>,
    pub(crate) pace: Pace,
    pub(crate) seed: u64,
    /// Rung to end the call from outside.
    pub(crate) hang_up: Arc<Notify>,
}

impl SandboxCall {
    /// Runs the call to its end. Reports exactly one end.
    pub(crate) async fn run(self) {
        let pacer = Pacer::start(self.pace);
        let line = Line { id: self.plan.call_id, start: self.plan.now, observer: Arc::clone(&self.observer) };
        if self.plan.direction == Direction::Inbound {
            return self.comes_in(&pacer, &line).await;
        }
        pacer.until(SETUP).await;
        match self.scenario.pickup {
            Pickup::Busy => return line.failed(SETUP, FailureCode::Busy, "busy").await,
            Pickup::CarrierError => {
                return line.failed(SETUP, FailureCode::CarrierError, "carrier-503").await;
            }
            Pickup::InvalidNumber => {
                return line.failed(SETUP, FailureCode::InvalidNumber, "no-such-number").await;
            }
            Pickup::Answer | Pickup::NoAnswer | Pickup::Declined => {}
        }
        line.tell(SETUP, Progress::Ringing).await;
        let answered = SETUP + self.scenario.ring;
        tokio::select! {
            biased;
            () = self.hang_up.notified() => return line.failed(SETUP, FailureCode::Canceled, "cancelled").await,
            () = pacer.until(answered) => {}
        }
        if self.scenario.early.as_deref().is_some_and(agent::is_intercept) {
            return line.failed(answered, FailureCode::InvalidNumber, agent::NOT_IN_SERVICE).await;
        }
        match self.scenario.pickup {
            Pickup::NoAnswer => line.failed(answered, FailureCode::NoAnswer, "no-answer").await,
            Pickup::Declined => line.failed(answered, FailureCode::Declined, "declined").await,
            _ => self.talk(&pacer, &line, answered).await,
        }
    }

    async fn comes_in(self, pacer: &Pacer, line: &Line) {
        tokio::select! {
            biased;
            () = self.hang_up.notified() => {
                line.failed(pacer.now(), FailureCode::Canceled, "cancelled").await;
            }
            () = pacer.until(RINGING_IN) => self.talk(pacer, line, RINGING_IN).await,
        }
    }

    async fn talk(mut self, pacer: &Pacer, line: &Line, answered: Duration) {
        line.tell(answered, Progress::Answered).await;
        let other_party = match self.plan.direction {
            Direction::Outbound => Some(&self.plan.to),
            Direction::Inbound => self.plan.from.as_ref(),
        };
        let dice = Dice::new(self.seed, other_party.map_or("", E164::as_str));
        let caller = ScriptedCaller::new(Arc::clone(&self.scenario), dice);
        let tempo = Tempo {
            thinking: Duration::from_millis(400),
            synthesis: Duration::from_millis(150),
            recognition: Duration::from_millis(200),
            agent_speed: 1.0,
            caller_speed: self.scenario.speed,
        };
        let mind = Mind::new(Arc::clone(&self.model), &self.plan);
        let mut stage = Stage::new(agent::settings(&self.plan), caller, tempo, self.scenario.hang_up_at);
        if self.writing.is_some() {
            stage = stage.with_a_writer();
        }
        loop {
            match stage.step() {
                Step::Ask { reply, history } => {
                    tokio::select! {
                        biased;
                        () = self.hang_up.notified() => stage.hang_up(pacer.now().saturating_sub(answered)),
                        facts = mind.reply(reply, history).collect() => stage.answer(facts),
                    }
                    // A call at full speed must not keep others waiting.
                    tokio::task::yield_now().await;
                }
                Step::Said(said) => line.tell(answered + said.end, Progress::Said(said)).await,
                Step::Note(note) => line.tell(answered + stage.now(), agent::noted(note)).await,
                Step::WaitUntil(time) => {
                    tokio::select! {
                        biased;
                        () = self.hang_up.notified() => stage.hang_up(pacer.now().saturating_sub(answered)),
                        () = pacer.until(answered + time) => stage.advance(time),
                    }
                }
                Step::Listen => {
                    tokio::select! {
                        biased;
                        () = self.hang_up.notified() => stage.hang_up(stage.now()),
                        written = next_of(self.writing.as_mut()) => stage.take(written),
                    }
                }
                Step::Over(reason) => {
                    let ended = agent::ended(reason, line.at(answered), stage.now());
                    return line.tell(answered + stage.now(), ended).await;
                }
            }
        }
    }
}

/// What a caller writes next. Who has gone away has hung up.
async fn next_of(writing: Option<&mut mpsc::Receiver<Written>>) -> Written {
    let Some(writing) = writing else { return Written::HangUp };
    let next = tokio::time::timeout(WRITERS_PATIENCE, writing.recv()).await;
    next.ok().flatten().unwrap_or(Written::HangUp)
}

/// Where reports go, and the virtual clock that they carry.
struct Line {
    id: CallId,
    start: Timestamp,
    observer: Arc<dyn CallObserver>,
}

impl Line {
    fn at(&self, since: Duration) -> Timestamp {
        self.start + since
    }

    async fn tell(&self, since: Duration, progress: Progress) {
        self.observer.report(Report { call_id: self.id, at: self.at(since), progress }).await;
    }

    async fn failed(&self, since: Duration, code: FailureCode, reason: &str) {
        self.tell(since, Progress::Ended { ending: Ending::Failed(code), reason: reason.to_owned() }).await;
    }
}
