//! One answered call in virtual time: the turn-taking core on one side, a scripted caller on the other, words in between.
//!
//! Pure: the shell carries out what [`Stage::step`] asks and says when time has passed. Things that fall on the same instant happen in
//! the order in which they were planned.

use std::collections::BTreeMap;
use std::collections::btree_map::OccupiedEntry;
use std::time::Duration;

use conversation::{Conversation, EndReason, Input, Note, Output, ReplyEnd, ReplyId, SentenceId, Settings};
use domain::call::Utterance;
use domain::engine::Written;
use speech::ChatMessage;

use crate::caller::{Cue, ScriptedCaller, What};
use crate::timing;

/// What the shell has to do next.
#[derive(Debug)]
pub(crate) enum Step {
    /// Ask the language model and tell [`Stage::answer`].
    Ask { reply: ReplyId, history: Vec<ChatMessage> },
    /// Report what was said.
    Said(Utterance),
    /// Report something worth a line in the log.
    Note(Note),
    /// Let this time come, then call [`Stage::advance`].
    WaitUntil(Duration),
    /// Wait for what the caller writes and tell [`Stage::take`]; time stands still meanwhile.
    Listen,
    /// The call is over.
    Over(EndReason),
}

/// From the agent's last word to the first of a caller who writes, on the clock of the call.
const WRITERS_REACTION: Duration = Duration::from_millis(400);

/// How things take time in the sandbox.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tempo {
    /// From a request to the language model to its words.
    pub(crate) thinking: Duration,
    /// From a sentence to its first sound.
    pub(crate) synthesis: Duration,
    /// From the caller's last sound to the recogniser's last word.
    pub(crate) recognition: Duration,
    /// How fast the agent speaks.
    pub(crate) agent_speed: f64,
    /// How fast the caller speaks.
    pub(crate) caller_speed: f64,
}

pub(crate) struct Stage {
    conversation: Conversation,
    caller: ScriptedCaller,
    /// A person writes what the caller says.
    is_written: bool,
    tempo: Tempo,
    now: Duration,
    plan: BTreeMap<(Duration, u64), Happening>,
    planned: u64,
    playout: Playout,
    /// Until when the caller is busy with what they have begun.
    caller_busy_until: Duration,
    /// When the caller's latest reaction begins; it can be forgotten until then.
    reaction_begins: Duration,
}

/// Something that is going to happen.
#[derive(Debug)]
enum Happening {
    /// The conversation is told.
    Fact(Input),
    /// The caller does something; the conversation is told.
    Caller(Input),
    /// A word of the agent reaches the caller; the conversation is told.
    Heard { sentence: SentenceId, words: usize },
    /// The last sound of a sentence reaches the caller; the conversation is told.
    HeardAll { sentence: SentenceId },
}

/// What the agent is saying.
#[derive(Debug, Default)]
struct Playout {
    queue: Vec<(SentenceId, String)>,
    busy_until: Duration,
    /// What the caller has heard of this turn, apart from the running sentence.
    heard: String,
}

impl Stage {
    /// A call that has just been answered.
    pub(crate) fn new(
        settings: Settings,
        mut caller: ScriptedCaller,
        tempo: Tempo,
        hang_up_at: Option<Duration>,
    ) -> Self {
        let opening = caller.opens();
        let mut stage = Self {
            conversation: Conversation::new(settings),
            caller,
            is_written: false,
            tempo,
            now: Duration::ZERO,
            plan: BTreeMap::new(),
            planned: 0,
            playout: Playout::default(),
            caller_busy_until: Duration::ZERO,
            reaction_begins: Duration::ZERO,
        };
        stage.happens(Duration::ZERO, Happening::Fact(Input::Answered));
        stage.perform(opening);
        if let Some(at) = hang_up_at {
            stage.happens(at, Happening::Caller(Input::CallerHungUp));
        }
        stage
    }

    /// The same call with a person as its caller, who writes. Time stands still while it is their turn.
    pub(crate) fn with_a_writer(self) -> Self {
        Self { is_written: true, ..self }
    }

    /// The time since the answer.
    pub(crate) fn now(&self) -> Duration {
        self.now
    }

    /// Gives the next thing to do. Nothing follows [`Step::Over`].
    pub(crate) fn step(&mut self) -> Step {
        loop {
            match self.conversation.poll() {
                Output::StartReply { reply, history } => return Step::Ask { reply, history },
                Output::Said(entry) => return Step::Said(entry),
                Output::Note(note) => return Step::Note(note),
                Output::Speak { sentence, text } => self.speak(sentence, text),
                Output::StopPlayout => self.stop_playout(),
                // The stage learns of these by other ways: late words are ignored, and an ended conversation says so.
                Output::CancelReply { .. } | Output::HangUp { .. } => {}
                Output::Wait(deadline) => {
                    if let Some(reason) = self.conversation.ended() {
                        return Step::Over(reason);
                    }
                    if self.is_written && self.plan.is_empty() && self.conversation.waits_for_caller() {
                        return Step::Listen;
                    }
                    let planned = self.plan.keys().next().map(|(at, _)| *at);
                    let next = planned.into_iter().chain(deadline).min();
                    // The conversation always has a deadline: the longest allowed duration.
                    return Step::WaitUntil(next.unwrap_or(self.now));
                }
            }
        }
    }

    /// The language model has answered with these facts. They arrive together: in the sandbox nobody waits for single words, and so
    /// nobody hears the beginning of an answer that broke off.
    pub(crate) fn answer(&mut self, mut facts: Vec<Input>) {
        if matches!(facts.last(), Some(Input::ReplyFinished { end: ReplyEnd::Failed, .. })) {
            facts.retain(|fact| !matches!(fact, Input::ReplyText { .. }));
        }
        let at = self.now + self.tempo.thinking;
        for fact in facts {
            self.happens(at, Happening::Fact(fact));
        }
    }

    /// Lets time pass until `to`, which is not later than [`Step::WaitUntil`] said, and lets one thing happen that is due.
    pub(crate) fn advance(&mut self, to: Duration) {
        self.now = self.now.max(to);
        let due =
            self.plan.first_entry().filter(|entry| entry.key().0 <= self.now).map(OccupiedEntry::remove);
        match due {
            None => self.conversation.handle(Input::Deadline, self.now),
            Some(Happening::Fact(input) | Happening::Caller(input)) => {
                self.conversation.handle(input, self.now);
            }
            Some(Happening::Heard { sentence, words }) => {
                self.conversation.handle(Input::PlayoutProgress { sentence, words }, self.now);
                self.caller_hears(sentence, words);
            }
            Some(Happening::HeardAll { sentence }) => {
                self.conversation.handle(Input::PlayoutFinished { sentence }, self.now);
                self.caller_heard_all(sentence);
            }
        }
    }

    /// The caller has written this.
    pub(crate) fn take(&mut self, written: Written) {
        let what = match written {
            Written::Words(text) => What::Say(text),
            Written::HangUp => What::HangUp,
        };
        self.perform(vec![Cue { after: WRITERS_REACTION, what }]);
    }

    /// Ends the call from outside.
    pub(crate) fn hang_up(&mut self, at: Duration) {
        self.now = self.now.max(at);
        self.conversation.hang_up(self.now);
    }

    // The agent speaks

    fn speak(&mut self, sentence: SentenceId, text: String) {
        let idle = self.playout.busy_until <= self.now;
        let start = if idle { self.now + self.tempo.synthesis } else { self.playout.busy_until };
        self.happens(start, Happening::Fact(Input::PlayoutStarted { sentence }));
        let mut end = start;
        for (index, word) in timing::words(&text, self.tempo.agent_speed).into_iter().enumerate() {
            end += word;
            self.happens(end, Happening::Heard { sentence, words: index + 1 });
        }
        self.happens(end, Happening::HeardAll { sentence });
        self.playout.busy_until = end;
        self.playout.queue.push((sentence, text));
        self.forget_reaction();
    }

    fn stop_playout(&mut self) {
        self.plan.retain(|_, happening| {
            !matches!(
                happening,
                Happening::Heard { .. }
                    | Happening::HeardAll { .. }
                    | Happening::Fact(Input::PlayoutStarted { .. })
            )
        });
        self.playout = Playout { busy_until: self.now, ..Playout::default() };
    }

    fn caller_hears(&mut self, sentence: SentenceId, words: usize) {
        let Some((_, text)) = self.playout.queue.first().filter(|(id, _)| *id == sentence) else { return };
        let mut so_far = self.playout.heard.clone();
        for word in text.split_whitespace().take(words) {
            so_far.push_str(word);
            so_far.push(' ');
        }
        if self.now >= self.caller_busy_until
            && let Some(cues) = self.caller.hears(&so_far)
        {
            self.perform(cues);
        }
    }

    fn caller_heard_all(&mut self, sentence: SentenceId) {
        let Some(index) = self.playout.queue.iter().position(|(id, _)| *id == sentence) else { return };
        let (_, text) = self.playout.queue.remove(index);
        self.playout.heard.push_str(&text);
        self.playout.heard.push(' ');
        if self.playout.queue.is_empty() {
            let turn = std::mem::take(&mut self.playout.heard);
            if self.now >= self.caller_busy_until
                && let Some(cues) = self.caller.is_asked(&turn)
            {
                self.perform(cues);
            }
        }
    }

    // The caller acts

    fn perform(&mut self, cues: Vec<Cue>) {
        let mut at = self.now;
        for (index, cue) in cues.into_iter().enumerate() {
            at += cue.after;
            if index == 0 {
                self.reaction_begins = at;
            }
            match cue.what {
                What::Say(text) => at = self.say(at, &text),
                What::Press(key) => self.happens(at, Happening::Caller(Input::Digit(key))),
                What::Beep => self.happens(at, Happening::Caller(Input::Beep)),
                What::HangUp => self.happens(at, Happening::Caller(Input::CallerHungUp)),
            }
        }
        self.caller_busy_until = at;
    }

    /// Plans the timed words of one line; gives the time of its end.
    fn say(&mut self, start: Duration, text: &str) -> Duration {
        self.happens(start, Happening::Caller(Input::SpeechStarted));
        let mut end = start;
        let mut so_far = String::new();
        for (word, takes) in text.split_whitespace().zip(timing::words(text, self.tempo.caller_speed)) {
            end += takes;
            so_far.push_str(word);
            self.happens(end, Happening::Caller(Input::Partial { text: so_far.clone() }));
            so_far.push(' ');
        }
        self.happens(end, Happening::Caller(Input::SpeechStopped));
        self.happens(
            end + self.tempo.recognition,
            Happening::Caller(Input::Final { text: so_far.trim().to_owned() }),
        );
        end
    }

    /// The agent speaks again before the caller's reaction began: the caller listens on.
    fn forget_reaction(&mut self) {
        if self.reaction_begins > self.now
            && self.caller_busy_until > self.now
            && self.playout.busy_until > Duration::ZERO
        {
            let begins = self.reaction_begins;
            self.plan.retain(|(at, _), happening| {
                !matches!(happening, Happening::Caller(input) if *at >= begins && *input != Input::CallerHungUp)
            });
            self.caller_busy_until = self.now;
        }
    }

    fn happens(&mut self, at: Duration, what: Happening) {
        self.planned += 1;
        self.plan.insert((at, self.planned), what);
    }
}
