//! A connected call: signalling, sound, the recogniser, the voice and the model on one side, turn-taking on the other.
//!
//! Everything that happens becomes a fact for the conversation, and everything that it asks for is begun at once and never waited for.

use std::time::Duration;

use agent::{Mind, Reply};
use conversation::{Conversation, EndReason, Input, Output, ReplyId};
use domain::call::{Progress, SoundQuality, TurnTimes};
use futures_util::StreamExt as _;
use rtp::{Key, Negotiator, Statistics};
use sip::{Call, End, Event, Offer, Side};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until, timeout};

use crate::beep::Beeps;
use crate::frame::TICK;
use crate::hearing::Hearing;
use crate::line::{LineEnd, News};
use crate::playback::{Playback, VoiceFailed};
use crate::recording::Tape;
use crate::reports::Reports;
use crate::stopwatch::Stopwatch;

/// How long the far end's buffer may hold the last words that were sent.
const LAST_WORDS: Duration = Duration::from_millis(120);

/// How long the end of the signalling, and of the line, may take.
const GOODBYE: Duration = Duration::from_secs(2);

/// A call that has been answered.
pub(crate) struct Talk<'a> {
    pub(crate) call: Call,
    pub(crate) line: LineEnd,
    /// From when on the line counts its time.
    pub(crate) clock: std::time::Instant,
    pub(crate) watch: Stopwatch,
    /// Listens for the tone of an answering machine, where one may have answered.
    pub(crate) beeps: Option<Beeps>,
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
            let quality = quality(&statistics);
            count(&quality);
            reports.tell_at(talked, Progress::Sounded(quality)).await;
            if let Some(note) = encrypted(&statistics) {
                reports.tell_at(talked, note).await;
            }
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
        self.tell(Input::Answered, Duration::ZERO);
        loop {
            let deadline = self.carry_out(&mut reply, answered).await;
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
                Happened::Told(input) => self.tell(input, now),
                Happened::Sounded if self.line.is_over() => return Over::LineLost,
                Happened::Sounded => self.listen(answered, now).await,
                Happened::Played(Ok(())) => {
                    if let Some(sentence) = self.playback.began_to_sound() {
                        self.watch.sounded(sentence, now);
                    }
                }
                Happened::Played(Err(VoiceFailed)) => return Over::Conversation(EndReason::AgentError),
                Happened::CalledOff => self.conversation.hang_up(now),
                Happened::Signalled(event) => {
                    if let Some(over) = self.signalled(event, answered, now).await {
                        return over;
                    }
                }
            }
        }
    }

    fn tell(&mut self, input: Input, now: Duration) {
        self.watch.told(&input, now);
        self.conversation.handle(input, now);
    }

    /// Does what the conversation asks for; gives when it wants to be woken.
    async fn carry_out(
        &mut self,
        reply: &mut Option<(ReplyId, Reply)>,
        answered: Instant,
    ) -> Option<Duration> {
        loop {
            let output = self.conversation.poll();
            self.watch.asked(&output, answered.elapsed());
            match output {
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
    async fn listen(&mut self, answered: Instant, now: Duration) {
        let clock = self.clock;
        let since_answer = |at: Duration| (clock + at).saturating_duration_since(answered.into_std());
        while let Ok(tick) = self.line.ticks.pop() {
            if let Some(tape) = &mut self.tape {
                tape.add(&tick);
            }
            if let Some((sentence, frames)) = tick.saying
                && let Some(progress) = self.playback.heard(sentence, frames)
            {
                self.tell(progress, now);
            }
            let fact = self.hearing.hear(&tick, self.playback.is_speaking());
            if self.hearing.hears_words(&tick) {
                self.watch.caller_spoke(since_answer(tick.arrived));
            }
            if let Some(fact) = fact {
                self.tell(fact, now);
            }
            if self.beeps.as_mut().is_some_and(|beeps| beeps.hear(&tick.heard)) {
                self.tell(Input::Beep, now);
            }
        }
        while let Ok(news) = self.line.news.pop() {
            match news {
                News::Key(key) => self.tell(Input::Digit(key.sign()), now),
                News::Started(sentence, at) if self.playback.knows(sentence) => {
                    if let Some(times) = self.watch.sent(sentence, since_answer(at)) {
                        measured(&times);
                        self.reports.tell_at(times.first_agent_packet, Progress::Took(Box::new(times))).await;
                    }
                    self.tell(Input::PlayoutStarted { sentence }, now);
                }
                News::Finished(sentence) if self.playback.finished(sentence) => {
                    self.tell(Input::PlayoutFinished { sentence }, now);
                }
                News::Started(..) | News::Finished(_) | News::Gone(_) => {}
            }
        }
    }

    async fn signalled(&mut self, event: Option<Event>, answered: Instant, now: Duration) -> Option<Over> {
        match event {
            Some(Event::Key(sign)) => {
                if let Some(key) = Key::new(sign) {
                    self.tell(Input::Digit(key.sign()), now);
                }
            }
            Some(Event::Offered(offer)) => self.change(offer).await,
            Some(Event::Ended(End::HungUp(Side::Them))) => {
                self.tell(Input::CallerHungUp, now);
                self.flush(answered).await;
                return Some(Over::Conversation(EndReason::CallerHungUp));
            }
            Some(Event::Ended(_)) | None => {
                self.tell(Input::CallerHungUp, now);
                self.flush(answered).await;
                return Some(Over::LineLost);
            }
            Some(Event::Ringing | Event::EarlyMedia(_) | Event::Answered(_)) => {}
        }
        None
    }

    /// Reports what was said until the end.
    async fn flush(&mut self, answered: Instant) {
        let _ = self.carry_out(&mut None, answered).await;
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

/// How the sound was.
fn quality(statistics: &Statistics) -> SoundQuality {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 100 to 450")]
    let mos_hundredths = (rtp::mean_opinion(statistics) * 100.0).round() as u16;
    SoundQuality {
        mos_hundredths,
        received: statistics.packets_received,
        loss_per_mille: statistics.loss_per_mille(),
        jitter: statistics.jitter,
        delay: statistics.delay,
        round_trip: statistics.round_trip,
        concealed: statistics.concealed,
    }
}

/// How the sound was encrypted, if it was, and how many packets somebody else may have made.
fn encrypted(statistics: &Statistics) -> Option<Progress> {
    let suite = statistics.encryption?;
    let detail = format!("suite={} forged={}", suite.name(), statistics.forged);
    Some(Progress::Noted { kind: "sound_encrypted".to_owned(), detail })
}

fn measured(times: &TurnTimes) {
    for (stage, took) in times.stages() {
        meters::TURN_SECONDS.with([stage.as_str()]).record(took);
    }
}

fn count(quality: &SoundQuality) {
    if quality.received == 0 {
        return;
    }
    meters::CALL_MOS.with([]).record(f64::from(quality.mos_hundredths) / 100.0);
    meters::CALL_LOSS.with([]).record(f64::from(quality.loss_per_mille) / 1000.0);
    meters::CALL_JITTER_SECONDS.with([]).record(quality.jitter);
}
