//! Who holds the floor, and what follows when somebody takes it.
//!
//! Invariants: at most one turn of the agent is alive; while the caller speaks real words the agent falls silent, except for the last
//! words of a call; every call ends, at the latest at `max_duration`; after the end nothing is asked for any more.

mod answered;

use std::collections::VecDeque;
use std::time::Duration;

use domain::call::{Party, Utterance};
use speech::ChatMessage;
use understanding::answering;
use understanding::{Language, language};

use crate::barge_in::Verdict;
use crate::endpointing::{CallerTurn, Pauses};
use crate::reply::{After, AgentTurn, Manners};
use crate::timers::Timers;
use crate::transcript::Transcript;
use crate::{
    EndReason, Input, Note, Output, ReplyEnd, ReplyId, SentenceId, Settings, Timer, Wording, parting, words,
};

/// One conversation on one line, from the answer to the end.
#[derive(Debug)]
pub struct Conversation {
    settings: Settings,
    phase: Phase,
    /// In which the agent speaks now.
    language: Language,
    /// What must be said first has been said.
    has_disclosed: bool,
    caller: CallerTurn,
    /// What was taken for the caller's words before the recogniser's last word on them came.
    taken_early: Option<String>,
    caller_turns: u32,
    pauses: Pauses,
    agent: Option<AgentTurn>,
    transcript: Transcript,
    /// Entries that began after the agent's running turn and must come out after it.
    held: Vec<Utterance>,
    /// Agreement of the caller while the agent spoke, and when it ended. At the end of a question it is the answer.
    nod: Option<(String, Duration)>,
    silence_prompts: u32,
    /// The next words of the agent belong to the ones before them.
    goes_on: bool,
    /// How often a screener was told who is calling.
    introductions: u32,
    /// Answers of the model in a row that had no words.
    wordless: u32,
    timers: Timers,
    replies: u32,
    sentences: u32,
    out: VecDeque<Output>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The telephone rings.
    Unanswered,
    /// Somebody or something has answered, and the agent has not said its first message.
    Opening,
    /// A screener has our introduction; whoever it fetches gets the first message.
    Screened,
    /// The usual back and forth.
    Talking,
    /// A machine plays its greeting.
    Machine,
    /// A menu, a waiting line or music; the agent says nothing until a person comes. If none does, this is why the call ends.
    Queued(EndReason),
    /// The agent has said goodbye; the caller may still do so.
    Parting(EndReason),
    /// The conversation has ended, for this reason.
    Over(EndReason),
}

impl Conversation {
    /// A conversation that begins with [`Input::Answered`].
    pub fn new(settings: Settings) -> Self {
        Self {
            transcript: Transcript::new(&settings.system),
            language: settings.languages.first().copied().unwrap_or(Language::English),
            has_disclosed: settings.disclosure.is_empty(),
            settings,
            phase: Phase::Unanswered,
            caller: CallerTurn::default(),
            taken_early: None,
            caller_turns: 0,
            pauses: Pauses::default(),
            agent: None,
            held: Vec::new(),
            nod: None,
            silence_prompts: 0,
            goes_on: false,
            introductions: 0,
            wordless: 0,
            timers: Timers::default(),
            replies: 0,
            sentences: 0,
            out: VecDeque::new(),
        }
    }

    /// Takes one fact. Whatever was due before `now` happens first.
    pub fn handle(&mut self, input: Input, now: Duration) {
        while let Some(timer) = self.timers.take_due(now) {
            self.handle_timer(timer, now);
        }
        if matches!(self.phase, Phase::Over(_)) {
            return;
        }
        match input {
            Input::Answered => self.handle_answer(now),
            Input::SpeechStarted => self.handle_speech(now),
            Input::SpeechStopped => self.handle_silence(now),
            Input::Partial { text } => self.handle_partial(&text, now),
            Input::Final { text } => self.handle_final(&text, now),
            Input::Beep => self.handle_beep(now),
            Input::Digit(digit) => self.handle_digit(digit, now),
            Input::ReplyText { reply, text } => self.handle_reply_text(reply, &text, now),
            Input::ReplyFinished { reply, end } => self.handle_reply_end(reply, end, now),
            Input::PlayoutStarted { sentence } => {
                self.with_agent(|agent| agent.playout_started(sentence, now));
            }
            Input::PlayoutProgress { sentence, words } => {
                self.with_agent(|agent| agent.playout_progress(sentence, words, now));
            }
            Input::PlayoutFinished { sentence } => {
                self.with_agent(|agent| agent.playout_finished(sentence, now));
                self.settle(now);
            }
            Input::CallerHungUp => self.end(EndReason::CallerHungUp, now),
            Input::Deadline => {}
        }
    }

    /// Gives the next thing to do.
    pub fn poll(&mut self) -> Output {
        self.out.pop_front().unwrap_or_else(|| Output::Wait(self.timers.next()))
    }

    /// Ends the call from outside, in the middle of whatever is going on.
    pub fn hang_up(&mut self, now: Duration) {
        if !matches!(self.phase, Phase::Over(_)) {
            self.end(EndReason::Cancelled, now);
        }
    }

    /// True if nothing happens by itself before the caller has been silent for so long that they are asked about it.
    pub fn waits_for_caller(&self) -> bool {
        self.out.is_empty() && self.timers.is_next(Timer::Silence)
    }

    /// Why the call ended, if it has.
    pub fn ended(&self) -> Option<EndReason> {
        match self.phase {
            Phase::Over(reason) => Some(reason),
            _ => None,
        }
    }

    // What the other side does

    fn handle_answer(&mut self, now: Duration) {
        if self.phase != Phase::Unanswered {
            return;
        }
        self.timers.set(Timer::TimeIsUp, now + self.settings.leaving_at());
        self.timers.set(Timer::HardStop, now + self.settings.max_duration);
        if self.settings.first_message.is_none() && self.has_disclosed {
            self.phase = Phase::Talking;
            self.listen(now);
        } else {
            self.phase = Phase::Opening;
            self.timers.set(Timer::Listen, now + self.settings.listen_first);
            while let Some(timer) = self.timers.take_due(now) {
                self.handle_timer(timer, now);
            }
        }
    }

    fn handle_speech(&mut self, now: Duration) {
        if let Some(stopped) = self.caller.stopped {
            self.pauses.learn(now.saturating_sub(stopped));
        }
        self.caller.start(now);
        for timer in [Timer::Listen, Timer::Silence, Timer::Endpointing, Timer::Beep] {
            self.timers.clear(timer);
        }
        if self.agent.as_ref().is_some_and(|agent| !agent.has_words() && agent.manners == Manners::Yield) {
            // Thinking aloud has not begun: the caller simply goes on.
            self.drop_agent_turn();
        }
        self.consider_barge_in(now);
    }

    fn handle_silence(&mut self, now: Duration) {
        self.caller.stop(now);
        self.consider_barge_in(now);
        self.await_end_of_turn(now);
    }

    fn handle_partial(&mut self, text: &str, now: Duration) {
        if self.caller.started.is_none() {
            if self.is_old_news(text) {
                return;
            }
            self.caller.start(now);
            self.caller.stop(now);
        }
        self.caller.partial(text);
        self.hear(now);
    }

    fn handle_final(&mut self, text: &str, now: Duration) {
        if self.is_old_news(text) {
            self.taken_early = None;
            return;
        }
        if self.caller.started.is_none() {
            self.caller.start(now);
            self.caller.stop(now);
        }
        self.caller.finished_segment(text);
        self.hear(now);
    }

    /// True for the recogniser's late last word on a turn that is over already.
    fn is_old_news(&self, text: &str) -> bool {
        let first = |text: &str| words::of(text).into_iter().next();
        self.taken_early.as_deref().is_some_and(|taken| !self.caller.speaking || first(taken) == first(text))
    }

    fn hear(&mut self, now: Duration) {
        self.timers.clear(Timer::Listen);
        self.timers.clear(Timer::Silence);
        self.consider_barge_in(now);
        if !self.caller.speaking {
            self.await_end_of_turn(now);
        }
    }

    fn handle_digit(&mut self, digit: char, now: Duration) {
        if !self.caller.speaking {
            self.caller.stop(now);
        }
        self.caller.digit(digit);
        self.hear(now);
    }

    // The caller's turn

    fn await_end_of_turn(&mut self, now: Duration) {
        let Some(stopped) = self.caller.stopped else { return };
        let text = self.caller.text();
        let settings = &self.settings.endpointing;
        let delay = match () {
            () if self.caller.pressed_keys() => settings.max_delay,
            () if text.is_empty() => settings.max_delay,
            () => self.pauses.delay(settings, &text),
        };
        self.timers.set(Timer::Endpointing, (stopped + delay).max(now));
    }

    fn handle_end_of_turn(&mut self, now: Duration) {
        let took_floor = self.caller.took_floor;
        let ended = self.caller.stopped.unwrap_or(now);
        let Some(text) = self.take_caller_turn(now) else {
            self.after_noise(took_floor, now);
            return;
        };
        if self.agent.is_some() {
            // Agreement, or words that came while the agent says the last words of the call.
            let before = self.nod.take().filter(|_| self.is_disclosing());
            self.nod =
                Some((before.map_or_else(|| text.clone(), |(before, _)| format!("{before} {text}")), ended));
            return;
        }
        self.silence_prompts = 0;
        self.transcript.caller_said(&text);
        self.caller_turns += 1;
        match self.phase {
            Phase::Opening | Phase::Screened | Phase::Queued(_) => self.meet(&text, now),
            Phase::Talking if self.caller_turns <= 2 => self.meet(&text, now),
            Phase::Talking => self.start_reply(now),
            // Somebody has come to the telephone after all.
            Phase::Machine if answering::is_somebody_there(&text) => self.open(now),
            Phase::Machine => self.timers.set(Timer::Beep, now + self.settings.beep_patience),
            Phase::Parting(reason) if parting::is_farewell(&text) => self.end(reason, now),
            Phase::Parting(_) => {
                self.timers.clear(Timer::Farewell);
                self.phase = Phase::Talking;
                self.start_reply(now);
            }
            Phase::Unanswered | Phase::Over(_) => {}
        }
    }

    /// Closes the caller's turn and gives its words, if there were any.
    fn take_caller_turn(&mut self, now: Duration) -> Option<String> {
        self.timers.clear(Timer::Endpointing);
        self.timers.clear(Timer::BargeIn);
        let turn = std::mem::take(&mut self.caller);
        let text = turn.text();
        if turn.speaking {
            self.caller.go_on(&turn, now);
        }
        if text.is_empty() {
            return None;
        }
        self.taken_early = turn.awaits_final().then(|| text.clone());
        if let Some(spoken) = language::heard(&text).filter(|spoken| self.settings.languages.contains(spoken))
        {
            self.language = spoken;
        }
        let end = turn.stopped.unwrap_or(now);
        let start = turn.started.unwrap_or(end);
        self.say(Utterance { by: Party::Caller, text: text.clone(), start, end, interrupted: false });
        Some(text)
    }

    fn after_noise(&mut self, took_floor: bool, now: Duration) {
        match self.phase {
            Phase::Machine => self.timers.set(Timer::Beep, now + self.settings.beep_patience),
            Phase::Parting(reason) => self.end(reason, now),
            Phase::Opening if self.agent.is_none() => self.open(now),
            _ if self.agent.is_some() => {}
            _ if self.transcript.awaits_reply() && self.phase == Phase::Talking => self.start_reply(now),
            _ if took_floor => {
                self.out.push_back(Output::Note(Note::FalseInterruption));
                let go_ahead = self.words_of(|settings| &settings.go_ahead);
                self.speak(&go_ahead, After::Listen, Manners::Yield, now);
            }
            _ => self.listen(now),
        }
    }

    fn consider_barge_in(&mut self, now: Duration) {
        self.timers.clear(Timer::BargeIn);
        let Some(started) = self.caller.resumed else { return };
        if !self.agent.as_ref().is_some_and(|agent| agent.manners == Manners::Yield) {
            return;
        }
        let speech = self.caller.stopped.unwrap_or(now).saturating_sub(started);
        match self.settings.barge_in.judge(&self.caller.text(), speech, self.caller.speaking) {
            Verdict::Interrupt => {
                self.caller.took_floor = true;
                self.out.push_back(Output::Note(Note::Interrupted));
                if self.agent.as_ref().is_some_and(|agent| agent.after == After::Part(EndReason::AgentEnded))
                {
                    self.phase = Phase::Parting(EndReason::AgentEnded);
                }
                self.drop_agent_turn();
            }
            Verdict::AskAgainAfter(speech) => self.timers.set(Timer::BargeIn, started + speech),
            Verdict::Ignore => {}
        }
    }

    /// The caller may speak; if they do not, they are asked whether they are still there.
    fn listen(&mut self, now: Duration) {
        if self.caller.speaking || self.caller.stopped.is_some() || matches!(self.phase, Phase::Queued(_)) {
            return;
        }
        let patience = if self.phase == Phase::Screened {
            self.settings.hold_patience
        } else {
            self.settings.silence.patience
        };
        self.timers.set(Timer::Silence, now + patience);
    }

    // The agent's turn

    /// Fixed words in the language of the call, put in another way if they were just heard.
    fn words_of(&self, which: impl FnOnce(&Settings) -> &Wording) -> String {
        which(&self.settings).say(self.language, self.transcript.last_of_agent()).to_owned()
    }

    fn start_reply(&mut self, now: Duration) {
        let reply = self.ask_model(now, Vec::new());
        self.agent = Some(AgentTurn::new(Some(reply), After::Listen, Manners::Yield));
    }

    /// Asks the model; `unheard` are messages of the running turn that are not in the transcript yet.
    fn ask_model(&mut self, now: Duration, unheard: Vec<ChatMessage>) -> ReplyId {
        self.replies += 1;
        let reply = ReplyId(self.replies);
        self.timers.clear(Timer::Silence);
        self.timers.set(Timer::Reply, now + self.settings.reply_timeout);
        self.timers.set(Timer::Filler, now + self.settings.filler_after);
        let mut history = self.transcript.history();
        history.extend(unheard);
        self.out.push_back(Output::StartReply { reply, history });
        reply
    }

    fn handle_reply_text(&mut self, reply: ReplyId, text: &str, now: Duration) {
        let Some(agent) = self.agent.as_mut().filter(|agent| agent.streaming == Some(reply)) else { return };
        let sentences = agent.stream(text);
        self.timers.set(Timer::Reply, now + self.settings.reply_timeout);
        if !sentences.is_empty() {
            self.timers.clear(Timer::Filler);
        }
        for sentence in sentences {
            self.utter(sentence);
        }
    }

    fn handle_reply_end(&mut self, reply: ReplyId, end: ReplyEnd, now: Duration) {
        let Some(agent) = self.agent.as_mut().filter(|agent| agent.streaming == Some(reply)) else { return };
        let rest = agent.end_stream();
        let rounds = agent.rounds;
        self.timers.clear(Timer::Reply);
        self.timers.clear(Timer::Filler);
        if let Some(rest) = rest {
            self.utter(rest);
        }
        match end {
            ReplyEnd::Complete if self.agent.as_ref().is_some_and(AgentTurn::has_answered) => {
                self.wordless = 0;
            }
            ReplyEnd::Complete if self.wordless < MAX_WORDLESS => {
                self.wordless += 1;
                let say_again = self.words_of(|settings| &settings.say_again);
                self.utter(say_again);
            }
            ReplyEnd::Complete => self.apologise(now),
            ReplyEnd::EndCall => self.finish_with(EndReason::AgentEnded),
            ReplyEnd::Transfer => self.finish_with(EndReason::Transferred),
            ReplyEnd::ToolResults(messages) if rounds < MAX_TOOL_ROUNDS => {
                self.go_on_with_results(messages, now);
            }
            ReplyEnd::ToolResults(_) | ReplyEnd::Failed => self.apologise(now),
        }
        self.settle(now);
    }

    /// The running turn is the agent's last. A model that ends without a word is given some.
    fn finish_with(&mut self, reason: EndReason) {
        let last_words = match reason {
            EndReason::Transferred => self.words_of(|settings| &settings.putting_through),
            _ => self.words_of(|settings| &settings.goodbye),
        };
        let Some(agent) = self.agent.as_mut() else { return };
        agent.after = After::Part(reason);
        if !agent.has_answered() {
            self.utter(last_words);
        }
    }

    fn go_on_with_results(&mut self, messages: Vec<ChatMessage>, now: Duration) {
        let Some(agent) = self.agent.as_mut() else { return };
        agent.tools.extend(messages);
        let unheard = agent.tools.clone();
        let reply = self.ask_model(now, unheard);
        self.with_agent(|agent| {
            agent.rounds += 1;
            agent.streaming = Some(reply);
        });
    }

    fn apologise(&mut self, now: Duration) {
        self.out.push_back(Output::Note(Note::ReplyFailed));
        let apology = self.words_of(|settings| &settings.apology);
        if self.agent.is_none() {
            self.agent = Some(AgentTurn::new(None, After::Listen, Manners::Insist));
        }
        self.with_agent(|agent| {
            agent.streaming = None;
            agent.after = After::Part(EndReason::AgentError);
            agent.manners = Manners::Insist;
        });
        self.utter(apology);
        self.settle(now);
    }

    /// Begins a turn of fixed words.
    fn speak(&mut self, text: &str, after: After, manners: Manners, now: Duration) {
        self.timers.clear(Timer::Silence);
        let mut turn = AgentTurn::new(None, after, manners);
        let mut sentences = turn.stream(text);
        sentences.extend(turn.end_stream());
        self.agent = Some(turn);
        for sentence in sentences {
            self.utter(sentence);
        }
        self.settle(now);
    }

    fn utter(&mut self, text: String) {
        self.sentences += 1;
        let sentence = SentenceId(self.sentences);
        let said = words::of(&text);
        let ends_call = self.settings.end_call_phrases.iter().any(|phrase| words::contain(&said, phrase));
        self.with_agent(|agent| {
            agent.speaking(sentence, text.clone());
            if ends_call && agent.after == After::Listen {
                agent.after = After::Part(EndReason::AgentEnded);
            }
        });
        self.out.push_back(Output::Speak { sentence, text });
    }

    /// If the agent's turn has been heard to its end, does what follows.
    fn settle(&mut self, now: Duration) {
        let Some(agent) = self.agent.take_if(|agent| agent.is_over()) else { return };
        for timer in [Timer::BargeIn, Timer::Reply, Timer::Filler] {
            self.timers.clear(timer);
        }
        let after = agent.after;
        self.close(agent);
        if after == After::Greet {
            return self.disclosed(now);
        }
        let nod = self.nod.take().filter(|(_, at)| now.saturating_sub(*at) <= NOD_IS_ANSWER);
        match (after, nod) {
            (After::Listen, Some((answer, _))) if self.phase == Phase::Talking && !self.caller.speaking => {
                self.transcript.caller_said(&answer);
                self.start_reply(now);
            }
            (After::Listen | After::Greet, _) => self.listen(now),
            (After::Part(EndReason::AgentEnded), _) => {
                self.phase = Phase::Parting(EndReason::AgentEnded);
                self.timers.set(Timer::Farewell, now + self.settings.farewell_patience);
            }
            (After::Part(reason), _) => {
                if reason == EndReason::Transferred {
                    self.out.push_back(Output::Note(Note::Transferred));
                }
                self.end(reason, now);
            }
        }
    }

    /// The agent falls silent in the middle of its turn.
    fn drop_agent_turn(&mut self) {
        let Some(agent) = self.agent.take() else { return };
        self.timers.clear(Timer::Reply);
        self.timers.clear(Timer::Filler);
        self.nod = None;
        if let Some(reply) = agent.streaming {
            self.out.push_back(Output::CancelReply { reply });
        }
        if agent.has_words() {
            self.out.push_back(Output::StopPlayout);
        }
        self.close(agent);
    }

    /// Keeps what was heard of a turn.
    fn close(&mut self, mut agent: AgentTurn) {
        self.transcript.agent_used_tools(std::mem::take(&mut agent.tools));
        if let Some(entry) = agent.entry() {
            if std::mem::take(&mut self.goes_on) {
                self.transcript.agent_went_on(&entry.text);
            } else {
                self.transcript.agent_said(&entry.text);
            }
            self.out.push_back(Output::Said(entry));
        }
        self.out.extend(self.held.drain(..).map(Output::Said));
    }

    fn say(&mut self, entry: Utterance) {
        if self.agent.as_ref().and_then(AgentTurn::entry).is_some() {
            self.held.push(entry);
        } else {
            self.out.push_back(Output::Said(entry));
        }
    }

    // Time

    fn handle_timer(&mut self, timer: Timer, now: Duration) {
        match timer {
            Timer::HardStop => self.end(EndReason::MaxDuration, now),
            Timer::TimeIsUp => self.leave(now),
            Timer::Endpointing => self.handle_end_of_turn(now),
            Timer::BargeIn => self.consider_barge_in(now),
            Timer::Listen => self.open(now),
            Timer::Beep => self.leave_message(now),
            Timer::Queue => {
                if let Phase::Queued(reason) = self.phase {
                    self.end(reason, now);
                }
            }
            Timer::Reply => {
                if let Some(reply) = self.agent.as_mut().and_then(|agent| agent.streaming.take()) {
                    self.out.push_back(Output::CancelReply { reply });
                    self.apologise(now);
                }
            }
            Timer::Filler => self.ask_for_patience(),
            Timer::Silence => self.handle_long_silence(now),
            Timer::Farewell => self.handle_farewell_over(now),
        }
    }

    /// The answer takes its time, and nobody likes to listen to nothing.
    fn ask_for_patience(&mut self) {
        let waits = |agent: &AgentTurn| agent.streaming.is_some() && !agent.filled && !agent.has_words();
        if self.agent.as_ref().is_some_and(waits) {
            self.with_agent(|agent| agent.filled = true);
            let filler = self.words_of(|settings| &settings.filler);
            self.utter(filler);
        }
    }

    fn handle_long_silence(&mut self, now: Duration) {
        if self.agent.is_some() {
            return;
        }
        if self.silence_prompts < self.settings.silence.prompts {
            self.silence_prompts += 1;
            self.out.push_back(Output::Note(Note::SilencePrompt));
            let prompt = self.words_of(|settings| &settings.silence.prompt);
            self.speak(&prompt, After::Listen, Manners::Yield, now);
        } else {
            let goodbye = self.words_of(|settings| &settings.silence.goodbye);
            self.speak(&goodbye, After::Part(EndReason::Silence), Manners::Yield, now);
        }
    }

    fn handle_farewell_over(&mut self, now: Duration) {
        let Phase::Parting(reason) = self.phase else { return };
        let caller_busy = self.caller.speaking || self.caller.stopped.is_some();
        if !caller_busy {
            self.end(reason, now);
        }
    }

    /// The agent takes its leave because the time is nearly over.
    fn leave(&mut self, now: Duration) {
        let leaving = self.agent.as_ref().is_some_and(|agent| matches!(agent.after, After::Part(_)));
        if leaving || matches!(self.phase, Phase::Parting(_) | Phase::Over(_)) {
            return;
        }
        self.out.push_back(Output::Note(Note::TimeIsUp));
        self.drop_agent_turn();
        self.take_and_remember(now);
        self.timers.clear(Timer::Beep);
        self.timers.clear(Timer::Listen);
        self.leave_queue();
        self.phase = Phase::Talking;
        let words = self.words_of(|settings| &settings.time_is_up);
        self.speak(&words, After::Part(EndReason::MaxDuration), Manners::Insist, now);
    }

    fn take_and_remember(&mut self, now: Duration) {
        if let Some(text) = self.take_caller_turn(now) {
            self.transcript.caller_said(&text);
        }
    }

    fn end(&mut self, reason: EndReason, now: Duration) {
        if matches!(self.phase, Phase::Over(_)) {
            return;
        }
        self.drop_agent_turn();
        self.take_and_remember(now);
        self.phase = Phase::Over(reason);
        self.timers.clear_all();
        if reason != EndReason::CallerHungUp {
            self.out.push_back(Output::HangUp { reason });
        }
    }

    fn with_agent(&mut self, change: impl FnOnce(&mut AgentTurn)) {
        if let Some(agent) = self.agent.as_mut() {
            change(agent);
        }
    }
}

/// Agreement this shortly before the end of the agent's turn answers it.
const NOD_IS_ANSWER: Duration = Duration::from_secs(1);

/// How often in a row the model may answer without a word.
const MAX_WORDLESS: u32 = 2;

/// How often the model may use tools before it has to speak.
const MAX_TOOL_ROUNDS: u32 = 5;
