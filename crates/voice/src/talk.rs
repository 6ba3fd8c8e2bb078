//! A connected call: signalling, sound, the recogniser, the voice and the model on one side, turn-taking on the other.
//!
//! Everything that happens becomes a fact for the conversation, and everything that it asks for is begun at once and never waited for.

use std::time::Duration;

use agent::{Mind, Reply};
use conversation::{Conversation, EndReason, Input, Output, ReplyId};
use domain::call::Progress;
use futures_util::StreamExt as _;
use rtp::{Key, Negotiator, Statistics};
use sip::{Call, End, Event, Offer, Side};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until, timeout};

use crate::frame::TICK;
use crate::hearing::Hearing;
use crate::line::{LineEnd, News};
use crate::playback::{Playback, VoiceFailed};
use crate::recording::Tape;
use crate::reports::Reports;

/// How long the far end's buffer may hold the last words that were sent.
const LAST_WORDS: Duration = Duration::from_millis(120);

/// How long the end of the signalling, and of the line, may take.
const GOODBYE: Duration = Duration::from_secs(2);

/// A call that has been answered.
pub(crate) struct Talk<'a> {
    pub(crate) call: Call,
    pub(crate) line: LineEnd,
    pub(crate) negotiator: Negotiator,
    pub(crate) conversation: Conversation,
    pub(crate) mind: Mind,
    pub(crate) playback: Playback,
    pub(crate) hearing: Hearing,
    pub(crate) tape: Option<Tape>,
    pub(crate) reports: Reports,
    /// Rung to end the call from outside.
    pub(crate) hang_up: &'a Notify,
}

/// How it ended.
enum Over {
    /// As the conversation wanted, or the other party.
    Conversation(EndReason),
    /// The other side disappeared.
    LineLost,
}

impl Talk<'_> {
    /// Goes on until the call is over and everything about it is reported.
    pub(crate) async fn run(mut self) {
        #[expect(clippy::disallowed_methods, reason = "this is the clock of a call")]
        let answered = Instant::now();
        self.reports.tell(Progress::Answered).await;
        let over = self.converse(answered).await;
        let talked = answered.elapsed();
        let Self { mut call, mut line, tape, mut reports, .. } = self;
        tokio::time::sleep(LAST_WORDS).await;
        line.leave();
        call.hang_up().await;
        let ended = async { while !matches!(call.next().await, None | Some(Event::Ended(_))) {} };
        // A trunk that does not confirm the end is left alone with it.
        let _ = timeout(GOODBYE, ended).await;
        if let Some(statistics) = last_words_of(&mut line).await {
            reports.tell_at(talked, quality(&statistics)).await;
        }
        if let Some(tape) = tape {
            tape.end().await;
        }
        let answered_at = reports.answered_at();
        let mut end = match over {
            Over::Conversation(reason) => agent::ended(reason, answered_at, talked),
            Over::LineLost => agent::ended(EndReason::CallerHungUp, answered_at, talked),
        };
        if let (Over::LineLost, Progress::Ended { reason, .. }) = (&over, &mut end) {
            "connection-lost".clone_into(reason);
        }
        reports.end(end).await;
    }

    async fn converse(&mut self, answered: Instant) -> Over {
        let mut reply: Option<(ReplyId, Reply)> = None;
        self.conversation.handle(Input::Answered, Duration::ZERO);
        loop {
            let deadline = self.carry_out(&mut reply).await;
            if let Some(reason) = self.conversation.ended() {
                return Over::Conversation(reason);
            }
            let Self { call, line, playback, hearing, .. } = self;
            let wakes = async {
                match deadline {
                    Some(deadline) => sleep_until(answered + deadline).await,
                    None => std::future::pending().await,
                }
            };
            let heard = {
                // Two parts of the line: one is waited for, the other is filled.
                let (changed, filled) = line.halves();
                tokio::select! {
                    event = call.next() => Happened::Signalled(event),
                    () = changed => Happened::Sounded,
                    filled = playback.go_on(filled) => Happened::Played(filled),
                    words = hearing.words() => Happened::Told(words),
                    fact = next_of(&mut reply) => Happened::Told(fact),
                    () = self.hang_up.notified() => Happened::CalledOff,
                    () = wakes => Happened::Told(Input::Deadline),
                }
            };
            let now = answered.elapsed();
            match heard {
                Happened::Told(input) => self.conversation.handle(input, now),
                Happened::Sounded if self.line.is_over() => return Over::LineLost,
                Happened::Sounded => self.listen(now),
                Happened::Played(Ok(())) => {}
                Happened::Played(Err(VoiceFailed)) => return Over::Conversation(EndReason::AgentError),
                Happened::CalledOff => self.conversation.hang_up(now),
                Happened::Signalled(event) => {
                    if let Some(over) = self.signalled(event, now).await {
                        return over;
                    }
                }
            }
        }
    }

    /// Does what the conversation asks for; gives when it wants to be woken.
    async fn carry_out(&mut self, reply: &mut Option<(ReplyId, Reply)>) -> Option<Duration> {
        loop {
            match self.conversation.poll() {
                Output::StartReply { reply: id, history } => {
                    *reply = Some((id, self.mind.reply(id, history)));
                }
                Output::CancelReply { reply: id } => {
                    reply.take_if(|(running, _)| *running == id);
                }
                Output::Speak { sentence, text } => self.playback.say(sentence, text),
                Output::StopPlayout => self.playback.stop(&mut self.line),
                Output::Said(said) => self.reports.tell_at(said.end, Progress::Said(said)).await,
                Output::Note(note) => self.reports.tell(agent::noted(note)).await,
                // The conversation says that it has ended.
                Output::HangUp { .. } => {}
                Output::Wait(deadline) => return deadline,
            }
        }
    }

    /// Looks at what came over the line.
    fn listen(&mut self, now: Duration) {
        while let Ok(tick) = self.line.ticks.pop() {
            if let Some(tape) = &mut self.tape {
                tape.add(&tick);
            }
            if let Some((sentence, frames)) = tick.saying
                && let Some(progress) = self.playback.heard(sentence, frames)
            {
                self.conversation.handle(progress, now);
            }
            if let Some(fact) = self.hearing.hear(&tick, self.playback.is_speaking()) {
                self.conversation.handle(fact, now);
            }
        }
        while let Ok(news) = self.line.news.pop() {
            match news {
                News::Key(key) => self.conversation.handle(Input::Digit(key.sign()), now),
                News::Started(sentence) if self.playback.knows(sentence) => {
                    self.conversation.handle(Input::PlayoutStarted { sentence }, now);
                }
                News::Finished(sentence) if self.playback.finished(sentence) => {
                    self.conversation.handle(Input::PlayoutFinished { sentence }, now);
                }
                News::Started(_) | News::Finished(_) | News::Gone(_) => {}
            }
        }
    }

    async fn signalled(&mut self, event: Option<Event>, now: Duration) -> Option<Over> {
        match event {
            Some(Event::Key(sign)) => {
                if let Some(key) = Key::new(sign) {
                    self.conversation.handle(Input::Digit(key.sign()), now);
                }
            }
            Some(Event::Offered(offer)) => self.change(offer).await,
            Some(Event::Ended(End::HungUp(Side::Them))) => {
                self.conversation.handle(Input::CallerHungUp, now);
                self.flush().await;
                return Some(Over::Conversation(EndReason::CallerHungUp));
            }
            Some(Event::Ended(_)) | None => {
                self.conversation.handle(Input::CallerHungUp, now);
                self.flush().await;
                return Some(Over::LineLost);
            }
            Some(Event::Ringing | Event::EarlyMedia(_) | Event::Answered(_)) => {}
        }
        None
    }

    /// Reports what was said until the end.
    async fn flush(&mut self) {
        let _ = self.carry_out(&mut None).await;
    }

    /// The other side wants to hold the call, or to hear it elsewhere.
    async fn change(&mut self, offer: Offer) {
        match self.line.answer(&mut self.negotiator, offer.description.as_deref()) {
            Some(ours) => offer.accept(ours).await,
            None => offer.refuse().await,
        }
    }
}

/// What woke the call.
enum Happened {
    Signalled(Option<Event>),
    /// Something came over the line.
    Sounded,
    /// Sound of the agent went to the line.
    Played(Result<(), VoiceFailed>),
    /// A fact for the conversation.
    Told(Input),
    CalledOff,
}

/// The next fact of a reply. Never, if there is none.
async fn next_of(reply: &mut Option<(ReplyId, Reply)>) -> Input {
    loop {
        let Some((_, facts)) = reply else { return std::future::pending().await };
        match facts.next().await {
            Some(fact) => return fact,
            None => *reply = None,
        }
    }
}

/// Waits until the line is no more; gives how its sound was.
async fn last_words_of(line: &mut LineEnd) -> Option<Statistics> {
    let gone = async {
        loop {
            while let Ok(news) = line.news.pop() {
                if let News::Gone(statistics) = news {
                    return Some(*statistics);
                }
            }
            while line.ticks.pop().is_ok() {}
            if line.is_over() && line.news.is_empty() {
                return None;
            }
            line.changed().await;
        }
    };
    timeout(TICK * 50, gone).await.ok().flatten()
}

/// How the sound was, for the call's log.
fn quality(statistics: &Statistics) -> Progress {
    let score = rtp::mean_opinion(statistics);
    let detail = format!(
        "mos={score:.1} loss_per_mille={} jitter_ms={} concealed={}",
        statistics.loss_per_mille(),
        statistics.jitter.as_millis(),
        statistics.concealed
    );
    Progress::Noted { kind: "sound_quality".to_owned(), detail }
}
