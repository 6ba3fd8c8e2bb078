//! Conversations as timelines: scripted facts in, everything that came out as text, on a manual clock.
//!
//! The stage plays sentences at four words a second and lets the scripted model answer 400 ms after it was asked.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;
use std::time::Duration;

use conversation::{Conversation, Input, Output, ReplyEnd, ReplyId, SentenceId, Settings};
use domain::agent::{Answering, OnMenu, OnScreener, OnVoicemail};
use domain::call::Party;
use speech::{ChatMessage, Role};

const WORD: Duration = Duration::from_millis(250);
const THINKING: Duration = Duration::from_millis(400);

/// One scripted answer of the model.
#[derive(Clone)]
enum Answer {
    Says(&'static str),
    SaysAndEnds(&'static str),
    Tools(Vec<ChatMessage>),
    Fails,
    NeverComes,
}

struct Stage {
    talk: Conversation,
    now: Duration,
    facts: BTreeMap<(Duration, u32), Input>,
    order: u32,
    answers: VecDeque<Answer>,
    playing: Vec<SentenceId>,
    playout_free_at: Duration,
    asked: Vec<Vec<ChatMessage>>,
    lines: String,
}

impl Stage {
    fn new(settings: Settings, answers: &[Answer]) -> Self {
        let mut stage = Self {
            talk: Conversation::new(settings),
            now: Duration::ZERO,
            facts: BTreeMap::new(),
            order: 0,
            answers: answers.iter().cloned().collect(),
            playing: Vec::new(),
            playout_free_at: Duration::ZERO,
            asked: Vec::new(),
            lines: String::new(),
        };
        stage.fact(0.0, Input::Answered);
        stage
    }

    fn fact(&mut self, seconds: f64, input: Input) {
        self.schedule(Duration::from_secs_f64(seconds), input);
    }

    fn schedule(&mut self, at: Duration, input: Input) {
        self.order += 1;
        self.facts.insert((at, self.order), input);
    }

    /// The caller says this from `start` on, four words a second.
    fn caller(&mut self, start: f64, text: &str) {
        let start = Duration::from_secs_f64(start);
        self.schedule(start, Input::SpeechStarted);
        let words: Vec<&str> = text.split(' ').collect();
        for count in 1..=words.len() {
            self.schedule(start + WORD * count as u32, Input::Partial { text: words[..count].join(" ") });
        }
        let end = start + WORD * words.len() as u32;
        self.schedule(end, Input::SpeechStopped);
        self.schedule(end + Duration::from_millis(100), Input::Final { text: text.into() });
    }

    /// Runs until nothing is left to happen, or until the clock reaches `until`.
    fn run(mut self, until: f64) -> Stage {
        let until = Duration::from_secs_f64(until);
        loop {
            let wait = self.carry_out();
            let fact = self.facts.keys().next().copied();
            let next = match (fact, wait) {
                (Some((at, _)), Some(deadline)) => at.min(deadline),
                (Some((at, _)), None) => at,
                (None, Some(deadline)) => deadline,
                (None, None) => break,
            };
            if next > until {
                break;
            }
            self.now = next;
            let due = fact.filter(|(at, _)| *at == next).and_then(|key| self.facts.remove(&key));
            if matches!(&due, Some(Input::CallerHungUp)) {
                self.line("caller hangs up");
            }
            self.talk.handle(due.unwrap_or(Input::Deadline), self.now);
        }
        self
    }

    fn carry_out(&mut self) -> Option<Duration> {
        loop {
            match self.talk.poll() {
                Output::Wait(deadline) => return deadline,
                Output::StartReply { reply, history } => self.start_reply(reply, history),
                Output::CancelReply { .. } => self.line("-> CancelReply"),
                Output::Speak { sentence, text } => self.speak(sentence, &text),
                Output::StopPlayout => self.stop_playout(),
                Output::HangUp { reason } => self.line(&format!("-> HangUp: {reason:?}")),
                Output::Note(note) => self.line(&format!("-- {note:?}")),
                Output::Said(entry) => {
                    let who = if entry.by == Party::Agent { "agent" } else { "caller" };
                    let cut = if entry.interrupted { " (cut)" } else { "" };
                    let (start, end) = (entry.start.as_secs_f64(), entry.end.as_secs_f64());
                    self.line(&format!("{who} said {:?}{cut} [{start:.2} to {end:.2}]", entry.text));
                }
            }
        }
    }

    fn start_reply(&mut self, reply: ReplyId, history: Vec<ChatMessage>) {
        let heard = history.iter().rfind(|message| message.role != Role::System);
        let heard = heard.map(|message| message.content.clone()).unwrap_or_default();
        self.line(&format!("-> StartReply to {heard:?}"));
        self.asked.push(history);
        let at = self.now + THINKING;
        let (text, end) = match self.answers.pop_front().expect("the script has an answer") {
            Answer::Says(text) => (text, ReplyEnd::Complete),
            Answer::SaysAndEnds(text) => (text, ReplyEnd::EndCall),
            Answer::Tools(results) => ("", ReplyEnd::ToolResults(results)),
            Answer::Fails => ("", ReplyEnd::Failed),
            Answer::NeverComes => return,
        };
        for piece in text.split_inclusive(' ') {
            self.schedule(at, Input::ReplyText { reply, text: piece.into() });
        }
        self.schedule(at, Input::ReplyFinished { reply, end });
    }

    fn speak(&mut self, sentence: SentenceId, text: &str) {
        self.line(&format!("agent speaks {text:?}"));
        let start = self.playout_free_at.max(self.now);
        self.schedule(start, Input::PlayoutStarted { sentence });
        let words = text.split(' ').count();
        for words in 1..=words {
            self.schedule(start + WORD * words as u32, Input::PlayoutProgress { sentence, words });
        }
        self.playout_free_at = start + WORD * words as u32;
        self.schedule(self.playout_free_at, Input::PlayoutFinished { sentence });
        self.playing.push(sentence);
    }

    fn stop_playout(&mut self) {
        self.line("-> StopPlayout");
        self.playout_free_at = self.now;
        self.facts.retain(|_, fact| {
            !matches!(
                fact,
                Input::PlayoutStarted { .. } | Input::PlayoutProgress { .. } | Input::PlayoutFinished { .. }
            )
        });
    }

    fn line(&mut self, text: &str) {
        writeln!(self.lines, "{:5.2}  {text}", self.now.as_secs_f64()).expect("writing to a string");
    }

    #[track_caller]
    fn shows(self, expected: &str) {
        let expected: Vec<&str> = expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let shown: Vec<&str> = self.lines.lines().map(str::trim).collect();
        assert!(
            shown == expected,
            "the timeline was\n{}\nand not\n{}",
            shown.join("\n"),
            expected.join("\n")
        );
    }
}

fn settings() -> Settings {
    Settings {
        system: "You are Kai.".into(),
        first_message: Some("Hi, this is Kai. How can I help?".into()),
        listen_first: Duration::ZERO,
        answering: Some(Answering::default()),
        voicemail_message: "This is Kai. Please call us back.".into(),
        introduction: "This is Kai from Acme.".into(),
        ..Settings::default()
    }
}

fn patient() -> Settings {
    Settings { listen_first: Duration::from_millis(800), ..settings() }
}

#[test]
fn agent_and_caller_take_turns_until_the_agent_says_goodbye() {
    let mut stage = Stage::new(
        settings(),
        &[Answer::Says("Sure. What is your name?"), Answer::SaysAndEnds("Thanks, Sam. Goodbye!")],
    );
    stage.caller(2.5, "I need a lawyer.");
    stage.caller(6.0, "Sam Reed.");
    stage.caller(8.6, "Bye!");
    stage.run(60.0).shows(
        r#"
         0.00  agent speaks "Hi, this is Kai."
         0.00  agent speaks "How can I help?"
         2.00  agent said "Hi, this is Kai. How can I help?" [0.00 to 2.00]
         3.95  caller said "I need a lawyer." [2.50 to 3.50]
         3.95  -> StartReply to "I need a lawyer."
         4.35  agent speaks "Sure."
         4.35  agent speaks "What is your name?"
         5.60  agent said "Sure. What is your name?" [4.35 to 5.60]
         6.95  caller said "Sam Reed." [6.00 to 6.50]
         6.95  -> StartReply to "Sam Reed."
         7.35  agent speaks "Thanks, Sam."
         7.35  agent speaks "Goodbye!"
         8.10  agent said "Thanks, Sam. Goodbye!" [7.35 to 8.10]
         9.30  caller said "Bye!" [8.60 to 8.85]
         9.30  -> HangUp: AgentEnded
        "#,
    );
}

#[test]
fn caller_speaking_over_the_greeting_stops_playout_and_only_heard_words_count() {
    let mut stage = Stage::new(settings(), &[Answer::SaysAndEnds("Okay. Goodbye.")]);
    stage.caller(0.6, "Wait, who is this?");
    let stage = stage.run(60.0);
    let history: Vec<(Role, &str)> =
        stage.asked[0].iter().map(|message| (message.role, message.content.as_str())).collect();
    assert_eq!(
        history,
        [
            (Role::System, "You are Kai."),
            (Role::Assistant, "Hi, this is"),
            (Role::User, "Wait, who is this?")
        ]
    );
    stage.shows(
        r#"
         0.00  agent speaks "Hi, this is Kai."
         0.00  agent speaks "How can I help?"
         0.95  -- Interrupted
         0.95  -> StopPlayout
         0.95  agent said "Hi, this is" (cut) [0.00 to 0.75]
         2.05  caller said "Wait, who is this?" [0.60 to 1.60]
         2.05  -> StartReply to "Wait, who is this?"
         2.45  agent speaks "Okay."
         2.45  agent speaks "Goodbye."
         2.95  agent said "Okay. Goodbye." [2.45 to 2.95]
         4.45  -> HangUp: AgentEnded
        "#,
    );
}

#[test]
fn agreement_does_not_interrupt_and_is_kept_in_the_order_of_beginning() {
    let mut stage = Stage::new(settings(), &[]);
    stage.caller(0.3, "Uh-huh.");
    stage.fact(3.0, Input::CallerHungUp);
    stage.run(60.0).shows(
        r#"
         0.00  agent speaks "Hi, this is Kai."
         0.00  agent speaks "How can I help?"
         2.00  agent said "Hi, this is Kai. How can I help?" [0.00 to 2.00]
         2.00  caller said "Uh-huh." [0.30 to 0.55]
         3.00  caller hangs up
        "#,
    );
}

#[test]
fn a_yes_at_the_end_of_a_question_is_an_answer() {
    let mut stage = Stage::new(settings(), &[Answer::Says("Good.")]);
    stage.caller(1.2, "Yes.");
    stage.run(4.0).shows(
        r#"
         0.00  agent speaks "Hi, this is Kai."
         0.00  agent speaks "How can I help?"
         2.00  agent said "Hi, this is Kai. How can I help?" [0.00 to 2.00]
         2.00  caller said "Yes." [1.20 to 1.45]
         2.00  -> StartReply to "Yes."
         2.40  agent speaks "Good."
         2.65  agent said "Good." [2.40 to 2.65]
        "#,
    );
}

#[test]
fn unfinished_words_get_more_time() {
    let mut stage = Stage::new(settings(), &[Answer::Says("Hello Sam.")]);
    stage.caller(2.5, "My name is");
    stage.caller(4.0, "Sam.");
    stage.run(6.5).shows(
        r#"
         0.00  agent speaks "Hi, this is Kai."
         0.00  agent speaks "How can I help?"
         2.00  agent said "Hi, this is Kai. How can I help?" [0.00 to 2.00]
         5.10  caller said "My name is Sam." [2.50 to 4.25]
         5.10  -> StartReply to "My name is Sam."
         5.50  agent speaks "Hello Sam."
         6.00  agent said "Hello Sam." [5.50 to 6.00]
        "#,
    );
}

#[test]
fn a_caller_who_goes_on_takes_the_answer_back() {
    let mut stage = Stage::new(settings(), &[Answer::Says("Sure."), Answer::Says("For Tuesday, sure.")]);
    stage.caller(2.5, "A table please.");
    stage.caller(3.9, "For Tuesday.");
    let stage = stage.run(6.5);
    assert_eq!(
        stage.asked[1].last().map(|message| message.content.as_str()),
        Some("A table please. For Tuesday.")
    );
    stage.shows(
        r#"
         0.00  agent speaks "Hi, this is Kai."
         0.00  agent speaks "How can I help?"
         2.00  agent said "Hi, this is Kai. How can I help?" [0.00 to 2.00]
         3.70  caller said "A table please." [2.50 to 3.25]
         3.70  -> StartReply to "A table please."
         3.90  -> CancelReply
         4.85  caller said "For Tuesday." [3.90 to 4.40]
         4.85  -> StartReply to "A table please. For Tuesday."
         5.25  agent speaks "For Tuesday, sure."
         6.00  agent said "For Tuesday, sure." [5.25 to 6.00]
        "#,
    );
}

#[test]
fn a_silent_caller_is_asked_twice_and_then_let_go() {
    let stage = Stage::new(settings(), &[]);
    stage.run(120.0).shows(
        r#"
         0.00  agent speaks "Hi, this is Kai."
         0.00  agent speaks "How can I help?"
         2.00  agent said "Hi, this is Kai. How can I help?" [0.00 to 2.00]
        10.00  -- SilencePrompt
        10.00  agent speaks "Are you still there?"
        11.00  agent said "Are you still there?" [10.00 to 11.00]
        19.00  -- SilencePrompt
        19.00  agent speaks "Hello, can you hear me?"
        20.25  agent said "Hello, can you hear me?" [19.00 to 20.25]
        28.25  agent speaks "I can't hear you, so I'll hang up now."
        28.25  agent speaks "Goodbye."
        30.75  agent said "I can't hear you, so I'll hang up now. Goodbye." [28.25 to 30.75]
        30.75  -> HangUp: Silence
        "#,
    );
}

#[test]
fn a_call_ends_in_time_with_a_goodbye() {
    let limited = Settings {
        max_duration: Duration::from_secs(20),
        time_is_up: "Our time is up. Goodbye.".into(),
        ..settings()
    };
    let mut stage = Stage::new(limited, &[]);
    stage.caller(14.0, "So let me tell you the whole story of my life from the start");
    stage.run(120.0).shows(
        r#"
         0.00  agent speaks "Hi, this is Kai."
         0.00  agent speaks "How can I help?"
         2.00  agent said "Hi, this is Kai. How can I help?" [0.00 to 2.00]
        10.00  -- SilencePrompt
        10.00  agent speaks "Are you still there?"
        11.00  agent said "Are you still there?" [10.00 to 11.00]
        15.00  -- TimeIsUp
        15.00  caller said "So let me" [14.00 to 15.00]
        15.00  agent speaks "Our time is up."
        15.00  agent speaks "Goodbye."
        16.25  agent said "Our time is up. Goodbye." [15.00 to 16.25]
        16.25  caller said "tell you the whole story of" [15.00 to 16.25]
        16.25  -> HangUp: MaxDuration
        "#,
    );
}

#[test]
fn a_failing_model_is_apologised_for() {
    let apologetic = Settings { apology: "Sorry, I must stop here. Goodbye.".into(), ..settings() };
    for answer in [Answer::Fails, Answer::NeverComes] {
        let mut stage = Stage::new(apologetic.clone(), std::slice::from_ref(&answer));
        stage.caller(2.5, "Hello there.");
        let stage = stage.run(60.0);
        let lines = stage.lines;
        assert!(lines.contains("-- ReplyFailed"), "{lines}");
        assert!(lines.contains("agent speaks \"Sorry, I must stop here. Goodbye.\""), "{lines}");
        assert!(lines.trim_end().ends_with("-> HangUp: AgentError"), "{lines}");
    }
}

#[test]
fn tools_are_answered_within_the_same_turn() {
    let results = vec![ChatMessage::text(Role::Assistant, ""), ChatMessage::text(Role::Tool, "no such tool")];
    let mut stage = Stage::new(settings(), &[Answer::Tools(results), Answer::Says("We open at nine.")]);
    stage.caller(2.5, "When do you open?");
    stage.run(7.0).shows(
        r#"
         0.00  agent speaks "Hi, this is Kai."
         0.00  agent speaks "How can I help?"
         2.00  agent said "Hi, this is Kai. How can I help?" [0.00 to 2.00]
         3.95  caller said "When do you open?" [2.50 to 3.50]
         3.95  -> StartReply to "When do you open?"
         4.35  -> StartReply to "no such tool"
         4.75  agent speaks "We open at nine."
         5.75  agent said "We open at nine." [4.75 to 5.75]
        "#,
    );
}

#[test]
fn a_phrase_of_the_owner_ends_the_call() {
    let phrases = Settings { end_call_phrases: vec!["have a lovely day".into()], ..settings() };
    let mut stage = Stage::new(phrases, &[Answer::Says("Done. Have a lovely day!")]);
    stage.caller(2.5, "That is all.");
    let lines = stage.run(60.0).lines;
    assert!(lines.trim_end().ends_with("-> HangUp: AgentEnded"), "{lines}");
}

#[test]
fn one_more_question_after_goodbye_is_answered() {
    let mut stage =
        Stage::new(settings(), &[Answer::SaysAndEnds("Goodbye."), Answer::SaysAndEnds("At nine. Goodbye.")]);
    stage.caller(2.5, "That is all.");
    stage.caller(4.9, "Wait, when do you open?");
    let lines = stage.run(60.0).lines;
    assert!(lines.contains("agent said \"At nine. Goodbye.\""), "{lines}");
    assert!(lines.trim_end().ends_with("-> HangUp: AgentEnded"), "{lines}");
}

#[test]
fn an_answering_machine_gets_a_message_after_the_beep() {
    let mut stage = Stage::new(patient(), &[]);
    stage.caller(0.4, "Hi, you've reached Sam.");
    stage.caller(2.6, "Please leave a message after the beep.");
    stage.fact(5.0, Input::Beep);
    stage.run(60.0).shows(
        r#"
         1.85  caller said "Hi, you've reached Sam." [0.40 to 1.40]
         1.85  -- VoicemailDetected
         4.80  caller said "Please leave a message after the beep." [2.60 to 4.35]
         5.00  agent speaks "This is Kai."
         5.00  agent speaks "Please call us back."
         6.75  agent said "This is Kai. Please call us back." [5.00 to 6.75]
         6.75  -> HangUp: Voicemail
        "#,
    );
}

#[test]
fn a_machine_without_a_beep_gets_its_message_too() {
    let mut stage = Stage::new(patient(), &[]);
    stage.caller(1.0, "You've reached the voicemail of Sam.");
    let lines = stage.run(60.0).lines;
    assert!(
        lines.contains(" 6.95  agent speaks \"This is Kai.\"")
            || lines.contains("agent speaks \"This is Kai.\""),
        "{lines}"
    );
    assert!(lines.trim_end().ends_with("-> HangUp: Voicemail"), "{lines}");
}

#[test]
fn a_screener_hears_who_calls_and_the_person_gets_the_first_message() {
    let mut stage = Stage::new(patient(), &[]);
    stage.caller(0.4, "Please say your name and why you're calling.");
    stage.caller(5.0, "Thanks, one moment please.");
    stage.caller(20.0, "Hello?");
    stage.run(23.5).shows(
        r#"
         2.85  caller said "Please say your name and why you're calling." [0.40 to 2.40]
         2.85  -- ScreenerDetected
         2.85  agent speaks "This is Kai from Acme."
         4.10  agent said "This is Kai from Acme." [2.85 to 4.10]
         6.45  caller said "Thanks, one moment please." [5.00 to 6.00]
        20.70  caller said "Hello?" [20.00 to 20.25]
        20.70  agent speaks "Hi, this is Kai."
        20.70  agent speaks "How can I help?"
        22.70  agent said "Hi, this is Kai. How can I help?" [20.70 to 22.70]
        "#,
    );
}

/// What is said to whoever answers with this, and how the call ends if nothing more is said.
fn answered_with(text: &str, answering: Answering) -> String {
    let mut stage = Stage::new(
        Settings { answering: Some(answering), ..patient() },
        &[Answer::Says("I see."), Answer::Says("I see.")],
    );
    stage.caller(0.4, text);
    stage.run(120.0).lines
}

#[test]
fn a_greeting_without_a_tone_gets_its_message_after_a_while() {
    let mut stage = Stage::new(patient(), &[]);
    stage.caller(0.4, "Hey it's Dana, you know what to do.");
    stage.run(60.0).shows(
        r#"
         2.85  caller said "Hey it's Dana, you know what to do." [0.40 to 2.40]
         2.85  -- VoicemailDetected
         6.85  agent speaks "This is Kai."
         6.85  agent speaks "Please call us back."
         8.60  agent said "This is Kai. Please call us back." [6.85 to 8.60]
         8.60  -> HangUp: Voicemail
        "#,
    );
}

#[test]
fn people_who_speak_of_machines_are_talked_to() {
    for text in [
        "Hi, yes, I got your voicemail earlier, thanks for calling back.",
        "Brown Dental, would you like to leave a message for the doctor?",
        "Yes, you've reached Dana.",
        "Hello? My mailbox was full so I am glad you called.",
    ] {
        let lines = answered_with(text, Answering::default());
        assert!(lines.contains("agent speaks \"Hi, this is Kai.\""), "{lines}");
        assert!(!lines.contains("Detected"), "{lines}");
    }
}

#[test]
fn somebody_who_comes_to_the_telephone_during_the_greeting_is_talked_to() {
    let mut stage = Stage::new(patient(), &[]);
    stage.caller(0.4, "Hi, you've reached Sam.");
    stage.caller(3.0, "Hello?");
    let lines = stage.run(8.0).lines;
    assert!(lines.contains("agent speaks \"Hi, this is Kai.\""), "{lines}");
}

#[test]
fn a_menu_is_waited_out_in_silence_until_a_person_comes() {
    let mut stage = Stage::new(patient(), &[]);
    stage.caller(0.4, "For sales, press one.");
    stage.caller(12.0, "[Music]");
    stage.caller(30.0, "Sales, this is Ann, how can I help?");
    let lines = stage.run(33.0).lines;
    let spoken: Vec<&str> = lines.lines().filter(|line| line.contains("agent speaks")).collect();
    assert!(lines.contains("-- MenuDetected") && lines.contains("-- HoldDetected"), "{lines}");
    assert_eq!(spoken.first().map(|line| line.contains("Hi, this is Kai.")), Some(true), "{lines}");
    assert!(spoken[0].trim_start().starts_with("32."), "{lines}");
}

#[test]
fn nobody_is_waited_for_without_end() {
    let menu = answered_with("Thank you for calling. Press one for sales.", Answering::default());
    assert!(menu.trim_end().ends_with("-> HangUp: Menu"), "{menu}");
    assert!(!menu.contains("agent speaks"), "{menu}");
    let music = answered_with("[Music]", Answering::default());
    assert!(music.trim_end().ends_with("-> HangUp: OnHold"), "{music}");
    assert!(!music.contains("agent speaks"), "{music}");
}

#[test]
fn a_number_that_is_not_in_service_is_not_talked_to() {
    let mut stage = Stage::new(patient(), &[]);
    stage.caller(0.4, "The number you have dialed is not in service.");
    stage.run(60.0).shows(
        r#"
         3.10  caller said "The number you have dialed is not in service." [0.40 to 2.65]
         3.10  -- InterceptDetected
         3.10  -> HangUp: NotInService
        "#,
    );
}

#[test]
fn an_agent_that_is_to_hang_up_on_machines_says_nothing_to_them() {
    let hang_up =
        Answering { voicemail: OnVoicemail::HangUp, screener: OnScreener::HangUp, menu: OnMenu::HangUp };
    for (text, reason) in [
        ("Please leave a message after the beep.", "Voicemail"),
        ("Please say your name and why you're calling.", "Screener"),
        ("Press one for sales.", "Menu"),
        ("Your call is important to us.", "OnHold"),
    ] {
        let lines = answered_with(text, hang_up);
        assert!(!lines.contains("agent speaks"), "{lines}");
        assert!(lines.trim_end().ends_with(&format!("-> HangUp: {reason}")), "{lines}");
    }
}

#[test]
fn a_person_who_asks_for_a_moment_gets_it() {
    let mut stage = Stage::new(patient(), &[]);
    stage.caller(0.4, "Hold on, let me get him.");
    stage.caller(15.0, "Hello?");
    let lines = stage.run(17.0).lines;
    let spoken: Vec<&str> = lines.lines().filter(|line| line.contains("agent speaks")).collect();
    assert!(spoken[0].contains("Hi, this is Kai.") && spoken[0].trim_start().starts_with("15."), "{lines}");
}

#[test]
fn a_screener_that_asks_again_is_told_again() {
    let mut stage = Stage::new(patient(), &[]);
    stage.caller(0.4, "Please say your name and why you're calling.");
    stage.caller(6.0, "Please state your name and the reason for your call.");
    let lines = stage.run(12.0).lines;
    assert_eq!(lines.matches("agent speaks \"This is Kai from Acme.\"").count(), 2, "{lines}");
}

#[test]
fn a_person_who_answers_with_hello_is_not_talked_over() {
    let mut stage = Stage::new(patient(), &[]);
    stage.caller(0.5, "Hello?");
    stage.run(4.0).shows(
        r#"
         1.20  caller said "Hello?" [0.50 to 0.75]
         1.20  agent speaks "Hi, this is Kai."
         1.20  agent speaks "How can I help?"
         3.20  agent said "Hi, this is Kai. How can I help?" [1.20 to 3.20]
        "#,
    );
}

#[test]
fn keys_pressed_are_told_to_the_model() {
    let mut stage = Stage::new(settings(), &[Answer::Says("Thanks.")]);
    for (at, digit) in [(3.0, '4'), (3.5, '2')] {
        stage.fact(at, Input::Digit(digit));
    }
    let lines = stage.run(7.0).lines;
    assert!(lines.contains("-> StartReply to \"(pressed 42)\""), "{lines}");
}

#[test]
fn a_noise_that_stopped_the_agent_is_given_the_floor_back() {
    let mut stage = Stage::new(settings(), &[]);
    stage.fact(0.2, Input::SpeechStarted);
    stage.fact(1.6, Input::SpeechStopped);
    let lines = stage.run(6.0).lines;
    assert!(lines.contains("-- FalseInterruption"), "{lines}");
    assert!(lines.contains("agent said \"Sorry, go ahead.\""), "{lines}");
}

#[test]
fn a_call_ended_from_outside_keeps_what_was_heard() {
    let mut stage = Stage::new(settings(), &[]).run(0.6);
    stage.talk.hang_up(stage.now);
    stage.carry_out();
    assert!(stage.lines.contains("agent said \"Hi, this\" (cut)"), "{}", stage.lines);
    assert!(stage.lines.trim_end().ends_with("-> HangUp: Cancelled"), "{}", stage.lines);
    assert_eq!(stage.talk.poll(), Output::Wait(None));
}

#[test]
fn a_late_last_word_of_the_recogniser_is_not_a_second_turn() {
    let mut stage = Stage::new(settings(), &[Answer::Says("Sure.")]);
    stage.fact(2.5, Input::SpeechStarted);
    stage.fact(2.8, Input::Partial { text: "a table".into() });
    stage.fact(3.0, Input::SpeechStopped);
    stage.fact(3.6, Input::Final { text: "A table.".into() });
    let lines = stage.run(5.0).lines;
    assert_eq!(lines.matches("StartReply").count(), 1, "{lines}");
}

#[test]
fn an_answer_that_takes_long_is_announced_once() {
    let mut stage = Stage::new(settings(), &[Answer::NeverComes]);
    stage.caller(2.5, "Are you open today?");
    let lines = stage.run(20.0).lines;
    assert_eq!(lines.matches("agent speaks \"One moment, please.\"").count(), 1, "{lines}");
    assert!(lines.contains("something went wrong"), "and when it never comes, the agent says so: {lines}");
}

#[test]
fn an_answer_without_words_is_not_met_with_silence() {
    let silent = [Answer::Says(""), Answer::Says("\u{1f600}"), Answer::Says("")];
    let mut stage = Stage::new(settings(), &silent);
    for (at, words) in [(2.5, "Are you open today?"), (10.0, "Are you open?"), (18.0, "Hello are you open?")]
    {
        stage.caller(at, words);
    }
    let lines = stage.run(40.0).lines;
    for asked in ["I'm sorry, I didn't get that.", "Sorry, that didn't come through."] {
        assert_eq!(lines.matches(&format!("agent speaks \"{asked}")).count(), 1, "{lines}");
    }
    assert_eq!(lines.matches("something went wrong").count(), 2, "spoken and said once: {lines}");
    assert!(!lines.contains("Are you still there"), "{lines}");
}
