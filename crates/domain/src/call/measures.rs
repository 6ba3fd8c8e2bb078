//! What is measured in a call with sound: when each step of an agent's turn happened, and how well both sides could hear each other.

use std::time::Duration;

/// When the steps of one turn of the agent happened, each as time since the answer. A step that did not take place is missing: nobody
/// speaks before a greeting, and fixed words ask no language model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TurnTimes {
    /// The last sound of the caller's words arrived.
    pub last_caller_packet: Option<Duration>,
    /// The voice detection knew that the caller was silent.
    pub end_of_speech: Option<Duration>,
    /// The recogniser gave the first words of the caller's turn.
    pub first_transcript: Option<Duration>,
    /// The recogniser gave the words by which the turn was taken to be over.
    pub last_transcript: Option<Duration>,
    /// The caller's turn was taken to be over.
    pub end_of_turn: Option<Duration>,
    /// The language model gave its first words.
    pub first_token: Option<Duration>,
    /// The voice was asked for the first sentence.
    pub first_sentence: Option<Duration>,
    /// The voice gave its first sound.
    pub first_audio: Option<Duration>,
    /// The first sound of the agent was sent.
    pub first_agent_packet: Duration,
}

impl TurnTimes {
    /// How long the caller waited: from the last sound of their words to the first of the agent.
    pub fn waited(&self) -> Option<Duration> {
        Some(self.first_agent_packet.saturating_sub(self.last_caller_packet?))
    }

    /// How long each stage took, by its name. A stage begins where the one before it ended, or where its own work could begin.
    pub fn stages(&self) -> impl Iterator<Item = (Stage, Duration)> {
        let between = |from: Option<Duration>, to: Option<Duration>| Some(to?.saturating_sub(from?));
        [
            (Stage::Recogniser, between(self.end_of_speech, self.last_transcript)),
            (Stage::EndOfTurn, between(self.last_caller_packet, self.end_of_turn)),
            (Stage::Model, between(self.end_of_turn, self.first_token)),
            (Stage::Voice, between(self.first_sentence, self.first_audio)),
            (Stage::Sending, between(self.first_audio.max(self.end_of_turn), Some(self.first_agent_packet))),
            (Stage::Whole, self.waited()),
        ]
        .into_iter()
        .filter_map(|(stage, took)| Some((stage, took?)))
    }
}

crate::word_enum! {
    /// A stage of an agent's turn.
    pub enum Stage {
        /// From the end of speech to the last words of the recogniser; nothing if they came before.
        Recogniser = "recogniser",
        /// From the caller's last sound until the turn was taken to be over.
        EndOfTurn = "end_of_turn",
        /// From there to the first words of the language model.
        Model = "model",
        /// From the first sentence to its first sound.
        Voice = "voice",
        /// From the first sound to the first packet.
        Sending = "sending",
        /// From the caller's last sound to the agent's first.
        Whole = "whole",
    }
}

/// How the sound of a call arrived, and how well people would say that they heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SoundQuality {
    /// The estimated mean opinion score in hundredths: 100 is bad, 440 as good as a telephone gets.
    pub mos_hundredths: u16,
    /// Packets or frames of the other side that arrived.
    pub received: u64,
    /// Those that never came or came too late to be heard, in thousandths of all.
    pub loss_per_mille: u32,
    /// How unevenly they arrived.
    pub jitter: Duration,
    /// How long sound was held back so that it came evenly.
    pub delay: Duration,
    /// The way to the other side and back, if it said.
    pub round_trip: Option<Duration>,
    /// Ticks of 20 ms in which something else was heard because the sound was missing.
    pub concealed: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn a_turn_is_told_stage_by_stage() {
        let turn = TurnTimes {
            last_caller_packet: Some(ms(1000)),
            end_of_speech: Some(ms(1200)),
            first_transcript: Some(ms(700)),
            last_transcript: Some(ms(1350)),
            end_of_turn: Some(ms(1400)),
            first_token: Some(ms(1700)),
            first_sentence: Some(ms(1750)),
            first_audio: Some(ms(1900)),
            first_agent_packet: ms(1915),
        };
        let stages: Vec<(&str, u128)> =
            turn.stages().map(|(stage, took)| (stage.as_str(), took.as_millis())).collect();
        let expected = [
            ("recogniser", 150),
            ("end_of_turn", 400),
            ("model", 300),
            ("voice", 150),
            ("sending", 15),
            ("whole", 915),
        ];
        assert_eq!(stages, expected);
    }

    #[test]
    fn what_did_not_take_place_has_no_stage() {
        let greeting =
            TurnTimes { first_sentence: Some(ms(0)), first_audio: Some(ms(0)), ..TurnTimes::default() };
        let stages: Vec<(Stage, Duration)> = greeting.stages().collect();
        assert_eq!(stages, [(Stage::Voice, ms(0)), (Stage::Sending, ms(0))]);
        assert_eq!(greeting.waited(), None);
    }

    #[test]
    fn words_that_came_while_the_caller_spoke_cost_nothing() {
        let turn = TurnTimes {
            last_caller_packet: Some(ms(1000)),
            end_of_speech: Some(ms(1200)),
            last_transcript: Some(ms(900)),
            first_agent_packet: ms(1500),
            ..TurnTimes::default()
        };
        assert!(turn.stages().any(|stage| stage == (Stage::Recogniser, Duration::ZERO)));
    }
}
