//! The life of a call: every way to move it, each a function.
//!
//! ```text
//! Queued --dial--> Dialing --on--> Ringing --on--> InProgress --on--> WrappingUp --conclude--> Ended(Completed)
//!  |  ^               |  |            |
//!  |  +---put_back----+  +-----on-----+-------------------------------------------------------> Ended(Failed)
//!  +---refuse---------------------------------------------------------------------------------> Ended(Failed)
//! ```
//!
//! Whatever arrives, twice or late or out of order: a call moves forwards only, and an end is final. The one way back is
//! [`Call::put_back`], for a call of which it is certain that nothing rang.

use std::time::Duration;

use jiff::SignedDuration;

use super::progress::LOST;
use super::{
    Assessment, Call, CallState, Ended, Ending, Enrichment, Failure, FailureCode, Outcome, Progress,
    StoredRecording, Talk, Urgency,
};
use crate::disclosure::Disclosure;
use crate::usage::Day;
use crate::{LeadId, NodeId, Timestamp};

/// How long summary and recording may take before a call turns final without them.
pub const WRAP_UP_LIMIT: SignedDuration = SignedDuration::from_secs(30);

/// The word for why a call ended whose end somebody asked for.
pub const ENDED_BY_API: &str = "ended-by-api";

/// How much longer than agreed a talk can be: whoever speaks may finish the sentence.
const LAST_WORDS: Duration = Duration::from_secs(60);

/// How far the clock of an engine may be off ours.
const SKEW: SignedDuration = SignedDuration::from_mins(20);

/// What a report meant for a call, and what is to be done because of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Step {
    /// The call is where it was: a duplicate, a late arrival, or something that is only logged.
    Stayed,
    /// The call has moved on and still lives.
    Moved,
    /// The talk is over: the wrap-up is to be scheduled.
    TalkEnded,
    /// The call never connected and is final: its end is to be told.
    Failed,
    /// The call had been given up, and how long the talk was is known now. Its outcome stays.
    Filled,
}

/// Why the platform itself gives a call up before anything has been dialled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The cause, as the public API names it.
    pub code: FailureCode,
    /// The same as one word, for `ended_reason`.
    pub reason: String,
    /// What a user can do about it; no personal data.
    pub words: String,
}

impl Call {
    /// Has the call wait until then before it is dialled. False if it is not queued; then nothing changes.
    #[must_use]
    pub fn schedule(&mut self, at: Timestamp) -> bool {
        let is_queued = self.life.state == CallState::Queued;
        if is_queued {
            self.life.scheduled_at = Some(at);
            self.life.waits_until = Some(at);
            self.life.counted_on = None;
            self.life.counted_cents = 0;
        }
        is_queued
    }

    /// Sets money of a day aside for the call, which ends with the call.
    pub fn reserve(&mut self, day: Day, cents: u32) {
        self.life.counted_on = Some(day);
        self.life.counted_cents = cents;
    }

    /// Counts a call that has ended for so much; gives how much more that is than it has counted for since its end. A
    /// call for which nothing was ever set aside counts for nothing.
    pub fn settle(&mut self, cents: u32) -> i64 {
        if self.life.counted_on.is_none() {
            return 0;
        }
        let more = i64::from(cents) - i64::from(self.life.counted_cents);
        self.life.counted_cents = cents;
        more
    }

    /// Takes the call up for dialling: from here on nothing dials it again. False if it is not queued; then nothing changes.
    #[must_use]
    pub fn dial(&mut self, node: NodeId) -> bool {
        let is_queued = self.life.state == CallState::Queued;
        if is_queued {
            self.life.state = CallState::Dialing;
            self.life.node_id = Some(node);
            self.life.waits_until = None;
        }
        is_queued
    }

    /// Puts the call back into the queue because its engine has no room. Nothing has rung, so dialling it later is no second
    /// attempt. False, and nothing changes, if a report says otherwise: the phone rang, or the engine gave the call a name.
    #[must_use]
    pub fn put_back(&mut self) -> bool {
        let nothing_rang = self.life.state == CallState::Dialing && self.life.conversation_id.is_none();
        if nothing_rang {
            self.life.state = CallState::Queued;
            self.life.node_id = None;
        }
        nothing_rang
    }

    /// Gives the call up before anything has been dialled. False if it is not queued; then nothing changes.
    #[must_use]
    pub fn refuse(&mut self, refusal: Refusal, now: Timestamp) -> bool {
        let is_queued = self.life.state == CallState::Queued;
        if is_queued {
            let Refusal { code, reason, words } = refusal;
            self.fail(Failure { code, reason, refusal: Some(words), failed_at: now, talk: None }, now);
        }
        is_queued
    }

    /// Notes that somebody asks for the end of the call, which its engine is to bring about; the first time counts. False if there is
    /// nothing for an engine to end, because nothing has been dialled or the talk is over; then nothing changes.
    #[must_use]
    pub fn ask_for_end(&mut self, now: Timestamp) -> bool {
        let is_made =
            matches!(self.life.state, CallState::Dialing | CallState::Ringing | CallState::InProgress { .. });
        if is_made {
            self.life.end_asked_at.get_or_insert(now);
        }
        is_made
    }

    /// What a report says of a call whose end somebody asked for: the end is theirs, whichever word the engine has for it. Of a line
    /// that was busy and of a number that does not exist the engine's word stands, because nobody had to end such a call.
    #[must_use]
    pub fn as_asked_for(&self, progress: Progress) -> Progress {
        if self.life.end_asked_at.is_none() {
            return progress;
        }
        let reason = || ENDED_BY_API.to_owned();
        match progress {
            Progress::Ended { ending: ending @ Ending::Talked { .. }, .. } => {
                Progress::Ended { ending, reason: reason() }
            }
            Progress::Ended {
                ending: Ending::Failed(FailureCode::Canceled | FailureCode::NoAnswer), ..
            } => Progress::Ended { ending: Ending::Failed(FailureCode::Canceled), reason: reason() },
            other => other,
        }
    }

    /// Takes a report of the engine. `at` is the engine's time, `now` is ours; `limit` is how long the wrap-up may take. What is
    /// reported has happened: where the engine's clock is ahead of ours, ours counts.
    pub fn on(&mut self, progress: &Progress, at: Timestamp, now: Timestamp, limit: SignedDuration) -> Step {
        let at = at.min(now);
        match progress {
            Progress::Accepted { conversation_id } => {
                self.name(conversation_id);
                Step::Stayed
            }
            Progress::Said(_)
            | Progress::Noted { .. }
            | Progress::Took(_)
            | Progress::Sounded(_)
            | Progress::Found(_) => Step::Stayed,
            Progress::Ringing => self.ring(at),
            Progress::Answered => self.answer(at),
            Progress::Ended { ending, reason } => self.end(ending, reason, at, now, limit),
        }
    }

    /// Keeps what the engine calls the call. The first name counts.
    pub fn name(&mut self, conversation_id: &str) {
        self.life.conversation_id.get_or_insert_with(|| conversation_id.to_owned());
    }

    /// Lets go of the process that asked for the call: it goes on without us, and no crash of ours ends it.
    pub fn leave_node(&mut self) {
        self.life.node_id = None;
    }

    /// Makes the call belong to a lead.
    pub fn belong_to(&mut self, lead: LeadId) {
        self.life.lead_id = Some(lead);
    }

    /// Keeps what the agent was heard to disclose. False if that was known.
    pub fn disclose(&mut self, disclosure: Disclosure) -> bool {
        let is_news = !self.life.disclosed.contains(&disclosure);
        if is_news {
            self.life.disclosed.push(disclosure);
            self.life.disclosed.sort();
        }
        is_news
    }

    /// Keeps how urgent the call is; nothing makes it less urgent again. False if that was known.
    pub fn mark(&mut self, urgency: Urgency) -> bool {
        let is_news = self.life.urgency < Some(urgency);
        if is_news {
            self.life.urgency = Some(urgency);
        }
        is_news
    }

    /// Ends the wrap-up: the call is complete, with whatever results there are. False if it is not being wrapped up; then
    /// nothing changes.
    #[must_use]
    pub fn conclude(
        &mut self,
        cost_cents: u32,
        assessment: Option<Assessment>,
        recording: Option<StoredRecording>,
        now: Timestamp,
    ) -> bool {
        let CallState::WrappingUp { talk, .. } = &self.life.state else { return false };
        let outcome = Outcome::Completed { talk: talk.clone(), cost_cents };
        self.life.state = CallState::Ended(Ended { outcome, finished_at: now, assessment, recording });
        self.life.counted_cents = 0;
        true
    }

    /// Adds results that came after the end. A recording that is there stays, and whether the call connected never changes. False if
    /// that changed nothing, because the call is not final or knew it all.
    #[must_use]
    pub fn enrich(&mut self, more: Enrichment) -> bool {
        let CallState::Ended(ended) = &mut self.life.state else { return false };
        let before = ended.clone();
        if more.assessment.is_some() {
            ended.assessment = more.assessment;
        }
        ended.recording = ended.recording.take().or(more.recording);
        if let (Outcome::Completed { cost_cents, .. }, Some(cost)) = (&mut ended.outcome, more.cost_cents) {
            *cost_cents = cost;
        }
        *ended != before
    }

    fn ring(&mut self, at: Timestamp) -> Step {
        if self.life.state.is_final() {
            return Step::Stayed;
        }
        // Clocks and reports may disagree, but nothing rings for the first time after it was answered.
        let began = self.answered_at().map_or(at, |answered_at| at.min(answered_at));
        self.life.ringing_at.get_or_insert(began);
        if matches!(self.life.state, CallState::Queued | CallState::Dialing) {
            self.life.state = CallState::Ringing;
            return Step::Moved;
        }
        Step::Stayed
    }

    fn answer(&mut self, at: Timestamp) -> Step {
        match self.life.state {
            CallState::Queued | CallState::Dialing | CallState::Ringing => {
                self.answered(at);
                self.life.state = CallState::InProgress { answered_at: at };
                Step::Moved
            }
            CallState::InProgress { .. } | CallState::WrappingUp { .. } | CallState::Ended(_) => Step::Stayed,
        }
    }

    fn end(
        &mut self,
        ending: &Ending,
        reason: &str,
        at: Timestamp,
        now: Timestamp,
        limit: SignedDuration,
    ) -> Step {
        let known = match self.life.state {
            CallState::WrappingUp { .. } => return Step::Stayed,
            CallState::Ended(_) => return self.fill(ending, at, now),
            CallState::InProgress { answered_at } => Some(answered_at),
            CallState::Queued | CallState::Dialing | CallState::Ringing => None,
        };
        let talk = match (ending, known) {
            (Ending::Talked { answered_at, talked }, _) => {
                self.talk_of(*answered_at, *talked, known, reason, at, now)
            }
            // An answered call cannot turn into one that never connected: it lasted until this report.
            (Ending::Failed(_) | Ending::Refused { .. }, Some(_)) => {
                self.talk_of(None, None, known, reason, at, now)
            }
            (Ending::Failed(code), None) => return self.never_connected(*code, reason, None, at, now),
            (Ending::Refused { code, words }, None) => {
                return self.never_connected(*code, reason, Some(words.clone()), at, now);
            }
        };
        self.answered(talk.answered_at);
        self.life.state = CallState::WrappingUp { talk, until: now + limit };
        Step::TalkEnded
    }

    /// A talk from what a report says of it, which may be nothing, or nonsense: a time that cannot be is replaced by one that is known,
    /// and no talk is longer than the call may be. `at` is when it ended.
    fn talk_of(
        &self,
        told: Option<Timestamp>,
        talked: Option<Duration>,
        known: Option<Timestamp>,
        reason: &str,
        at: Timestamp,
        now: Timestamp,
    ) -> Talk {
        let longest = self.max_duration + LAST_WORDS;
        // A call on a clock of its own runs ahead of ours, by its own length at most.
        let window = self.created_at - SKEW..=now + SKEW + longest;
        // What was shown of a running call stays, unless the engine knows better: no answer is later than its report.
        let told = told.filter(|told| window.contains(told));
        let answered_at = told.into_iter().chain(known).min();
        let at = if window.contains(&at) { at } else { now };
        let since = |answered_at: Timestamp| Duration::try_from(at.duration_since(answered_at)).ok();
        let candidates = [talked, answered_at.and_then(since)];
        let possible = candidates.into_iter().flatten().find(|talked| *talked <= longest);
        let talked = possible
            .unwrap_or_else(|| if candidates == [None, None] { Duration::ZERO } else { self.max_duration });
        Talk::new(answered_at.unwrap_or_else(|| at - talked), talked, now, reason)
    }

    /// Takes down how long the talk was of a call that had been given up.
    fn fill(&mut self, ending: &Ending, at: Timestamp, now: Timestamp) -> Step {
        let Ending::Talked { answered_at, talked } = ending else { return Step::Stayed };
        if !self.was_lost() {
            return Step::Stayed;
        }
        let before = self.life.state.clone();
        let known = self.answered_at();
        let talk = self.talk_of(*answered_at, *talked, known, LOST, at, now);
        self.answered(talk.answered_at);
        if let CallState::Ended(ended) = &mut self.life.state {
            match &mut ended.outcome {
                Outcome::Completed { talk: kept, .. } => *kept = talk,
                Outcome::Failed(failure) => {
                    failure.failed_at = talk.ended_at;
                    failure.talk = Some(talk);
                }
            }
        }
        if self.life.state == before { Step::Stayed } else { Step::Filled }
    }

    /// Brings the beginning of the ringing into line with an answer that was earlier.
    fn answered(&mut self, at: Timestamp) {
        self.life.ringing_at = self.life.ringing_at.map(|began| began.min(at));
    }

    fn never_connected(
        &mut self,
        code: FailureCode,
        reason: &str,
        refusal: Option<String>,
        at: Timestamp,
        now: Timestamp,
    ) -> Step {
        let failed_at = self.life.ringing_at.map_or(at, |began| began.max(at));
        self.fail(Failure { code, reason: reason.to_owned(), refusal, failed_at, talk: None }, now);
        Step::Failed
    }

    fn fail(&mut self, failure: Failure, now: Timestamp) {
        self.life.waits_until = None;
        self.life.counted_cents = 0;
        self.life.state = CallState::Ended(Ended {
            outcome: Outcome::Failed(failure),
            finished_at: now,
            assessment: None,
            recording: None,
        });
    }
}

#[cfg(test)]
mod tests;
