//! When the steps of each turn happened, from what the call sees of its conversation, its voice and its line.
//!
//! A turn of the agent is measured once, when its first sound is sent. What was noted of the caller until their turn was over belongs to
//! the turn of the agent that answers it; what is noted later belongs to the next one.

use std::time::Duration;

use conversation::{Input, Output, SentenceId};
use domain::call::{Party, TurnTimes};

/// Notes what happens; all times are those since the answer.
#[derive(Debug, Default)]
pub(crate) struct Stopwatch {
    /// What is known of the turn that the caller is in.
    caller: TurnTimes,
    /// What is known of the caller's last turn, as long as nothing answers it.
    unanswered: Option<TurnTimes>,
    agent: Option<Agent>,
}

/// A turn of the agent.
#[derive(Debug)]
struct Agent {
    times: TurnTimes,
    first: Option<SentenceId>,
    is_measured: bool,
}

impl Stopwatch {
    /// Sound of the caller's words arrived.
    pub(crate) fn caller_spoke(&mut self, at: Duration) {
        self.caller.last_caller_packet = Some(at);
    }

    /// The conversation is about to be told this.
    pub(crate) fn told(&mut self, input: &Input, now: Duration) {
        match input {
            Input::SpeechStopped => self.caller.end_of_speech = Some(now),
            Input::Partial { .. } | Input::Final { .. } => {
                self.caller.first_transcript.get_or_insert(now);
                self.caller.last_transcript = Some(now);
            }
            Input::ReplyText { text, .. } if !text.trim().is_empty() => {
                if let Some(agent) = &mut self.agent {
                    agent.times.first_token.get_or_insert(now);
                }
            }
            _ => {}
        }
    }

    /// The conversation asks for this.
    pub(crate) fn asked(&mut self, output: &Output, now: Duration) {
        match output {
            Output::Said(said) if said.by == Party::Caller => {
                let times = std::mem::take(&mut self.caller);
                self.unanswered = Some(TurnTimes { end_of_turn: Some(now), ..times });
            }
            Output::StartReply { .. } if self.agent.is_none() || self.unanswered.is_some() => self.begin(),
            Output::Speak { sentence, .. } => {
                if self.agent.is_none() {
                    self.begin();
                }
                if let Some(agent) = self.agent.as_mut().filter(|agent| agent.first.is_none()) {
                    agent.first = Some(*sentence);
                    agent.times.first_sentence = Some(now);
                }
            }
            // The turn is over, or nobody wants it any more.
            Output::Said(_) | Output::StopPlayout | Output::CancelReply { .. } => self.agent = None,
            _ => {}
        }
    }

    /// The voice gave the first sound of a sentence.
    pub(crate) fn sounded(&mut self, sentence: SentenceId, at: Duration) {
        if let Some(agent) = self.speaking(sentence) {
            agent.times.first_audio.get_or_insert(at);
        }
    }

    /// The first sound of a sentence was sent; gives the turn if it begins with that.
    pub(crate) fn sent(&mut self, sentence: SentenceId, at: Duration) -> Option<TurnTimes> {
        let agent = self.speaking(sentence)?;
        if std::mem::replace(&mut agent.is_measured, true) {
            return None;
        }
        agent.times.first_agent_packet = at;
        Some(agent.times)
    }

    fn begin(&mut self) {
        let times = self.unanswered.take().unwrap_or_default();
        self.agent = Some(Agent { times, first: None, is_measured: false });
    }

    fn speaking(&mut self, sentence: SentenceId) -> Option<&mut Agent> {
        self.agent.as_mut().filter(|agent| agent.first == Some(sentence))
    }
}

#[cfg(test)]
mod tests {
    use conversation::{Conversation, ReplyEnd, ReplyId, Settings};

    use super::*;

    /// A conversation with its watch, on a clock of milliseconds.
    struct Bench {
        talk: Conversation,
        watch: Stopwatch,
        reply: Option<ReplyId>,
        sentences: Vec<SentenceId>,
    }

    impl Bench {
        fn new() -> Self {
            let settings = Settings { listen_first: Duration::ZERO, ..Settings::default() };
            let talk = Conversation::new(settings);
            Self { talk, watch: Stopwatch::default(), reply: None, sentences: Vec::new() }
        }

        /// Tells the conversation something; gives when it wants to be woken.
        fn tell(&mut self, at: u64, input: Input) -> Option<u64> {
            let now = ms(at);
            self.watch.told(&input, now);
            self.talk.handle(input, now);
            loop {
                let output = self.talk.poll();
                self.watch.asked(&output, now);
                match output {
                    Output::Wait(until) => {
                        return until.map(|at| u64::try_from(at.as_millis()).expect("short"));
                    }
                    Output::StartReply { reply, .. } => self.reply = Some(reply),
                    Output::Speak { sentence, .. } => self.sentences.push(sentence),
                    _ => {}
                }
            }
        }

        /// Says something as the caller until `at`, and lets the turn end; gives when that was.
        fn caller_says(&mut self, at: u64, text: &str) -> u64 {
            self.tell(at - 500, Input::SpeechStarted);
            self.watch.caller_spoke(ms(at));
            self.tell(at + 200, Input::SpeechStopped);
            let end = self.tell(at + 300, Input::Final { text: text.to_owned() }).expect("it waits");
            self.tell(end, Input::Deadline);
            end
        }

        fn text(&mut self, at: u64, text: &str) {
            let reply = self.reply.expect("the model was asked");
            self.tell(at, Input::ReplyText { reply, text: text.to_owned() });
        }

        /// The last sentence sounds and is sent at these times.
        fn heard(&mut self, sounds: u64, sent: u64) -> Option<TurnTimes> {
            let sentence = *self.sentences.last().expect("something is said");
            self.watch.sounded(sentence, ms(sounds));
            let times = self.watch.sent(sentence, ms(sent));
            self.tell(sent, Input::PlayoutStarted { sentence });
            times
        }

        fn finished(&mut self, at: u64) {
            let sentence = *self.sentences.last().expect("something is said");
            self.tell(at, Input::PlayoutFinished { sentence });
        }
    }

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn every_step_of_a_turn_is_noted_once() {
        let mut bench = Bench::new();
        bench.tell(0, Input::Answered);
        let greeting = bench.heard(0, 20).expect("a turn");
        let nobody_waited = TurnTimes {
            first_sentence: Some(ms(0)),
            first_audio: Some(ms(0)),
            first_agent_packet: ms(20),
            ..TurnTimes::default()
        };
        assert_eq!(greeting, nobody_waited);
        bench.finished(900);

        let end = bench.caller_says(3000, "I need a new roof.");
        bench.text(end + 300, "Thank you. ");
        assert_eq!(bench.sentences.len(), 2, "the first sentence is complete");
        let turn = bench.heard(end + 450, end + 460).expect("a turn");
        let expected = TurnTimes {
            last_caller_packet: Some(ms(3000)),
            end_of_speech: Some(ms(3200)),
            first_transcript: Some(ms(3300)),
            last_transcript: Some(ms(3300)),
            end_of_turn: Some(ms(end)),
            first_token: Some(ms(end + 300)),
            first_sentence: Some(ms(end + 300)),
            first_audio: Some(ms(end + 450)),
            first_agent_packet: ms(end + 460),
        };
        assert_eq!(turn, expected);

        bench.text(end + 500, "Where is the house? ");
        assert_eq!(bench.heard(end + 1500, end + 1500), None, "the second sentence is no turn of its own");
    }

    #[test]
    fn a_caller_who_goes_on_is_answered_by_the_turn_that_is_heard() {
        let mut bench = Bench::new();
        bench.tell(0, Input::Answered);
        bench.heard(0, 20);
        bench.finished(900);
        bench.caller_says(3000, "I need a new roof.");
        // The model has said nothing yet when the caller goes on.
        let end = bench.caller_says(4500, "And a new door.");
        bench.text(end + 200, "Both, then. ");
        let turn = bench.heard(end + 300, end + 310).expect("a turn");
        assert_eq!(
            (turn.last_caller_packet, turn.end_of_turn, turn.first_token),
            (Some(ms(4500)), Some(ms(end)), Some(ms(end + 200)))
        );
    }

    #[test]
    fn an_interruption_is_measured_from_the_interrupting_words() {
        let mut bench = Bench::new();
        bench.tell(0, Input::Answered);
        bench.heard(0, 20);
        let end = bench.caller_says(2000, "No, wait, I have a question about my roof.");
        let reply = bench.reply.expect("the model was asked");
        bench.text(end + 100, "Yes? ");
        bench.tell(end + 100, Input::ReplyFinished { reply, end: ReplyEnd::Complete });
        let turn = bench.heard(end + 200, end + 210).expect("a turn");
        assert_eq!(turn.last_caller_packet, Some(ms(2000)));
        assert_eq!(turn.waited(), Some(ms(end + 210 - 2000)));
    }

    #[test]
    fn a_request_to_wait_is_heard_before_the_model() {
        let mut bench = Bench::new();
        bench.tell(0, Input::Answered);
        bench.heard(0, 20);
        bench.finished(900);
        let end = bench.caller_says(3000, "I need a new roof.");
        let filler = bench.tell(end + 1, Input::Deadline).expect("it waits for the model");
        bench.tell(filler, Input::Deadline);
        let turn = bench.heard(filler + 80, filler + 90).expect("the caller is asked to wait");
        assert_eq!((turn.first_token, turn.end_of_turn), (None, Some(ms(end))));
        bench.text(filler + 2000, "A roof. ");
        assert_eq!(bench.heard(filler + 2100, filler + 2110), None, "that turn was measured");
    }
}
