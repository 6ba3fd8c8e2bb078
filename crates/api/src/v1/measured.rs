//! What was measured in a call with sound, as programs see it: in the call itself and in its stream of events.

use std::time::Duration;

use domain::call;
use schemars::JsonSchema;
use serde::Serialize;

/// When the steps of one turn of the agent happened, in milliseconds since the answer. A step that did not take place is null: nobody
/// speaks before a greeting, and fixed words ask no language model.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CallTurn {
    /// The last sound of the caller's words arrived.
    last_caller_packet_ms: Option<u64>,
    /// The voice detection knew that the caller was silent.
    end_of_speech_ms: Option<u64>,
    /// The recogniser gave the first words of the caller's turn.
    first_transcript_ms: Option<u64>,
    /// The recogniser gave the words by which the turn was taken to be over.
    last_transcript_ms: Option<u64>,
    /// The caller's turn was taken to be over.
    end_of_turn_ms: Option<u64>,
    /// The language model gave its first words. Later than the first packet if the caller was asked to wait.
    first_token_ms: Option<u64>,
    /// The voice was asked for the first sentence.
    first_sentence_ms: Option<u64>,
    /// The voice gave its first sound; 0 if it was made before the answer.
    first_audio_ms: Option<u64>,
    /// The first sound of the agent was sent.
    first_agent_packet_ms: u64,
    /// How long the caller waited: from the last sound of their words to the first of the agent.
    waited_ms: Option<u64>,
}

impl From<&call::TurnTimes> for CallTurn {
    fn from(times: &call::TurnTimes) -> Self {
        Self {
            last_caller_packet_ms: times.last_caller_packet.map(millis),
            end_of_speech_ms: times.end_of_speech.map(millis),
            first_transcript_ms: times.first_transcript.map(millis),
            last_transcript_ms: times.last_transcript.map(millis),
            end_of_turn_ms: times.end_of_turn.map(millis),
            first_token_ms: times.first_token.map(millis),
            first_sentence_ms: times.first_sentence.map(millis),
            first_audio_ms: times.first_audio.map(millis),
            first_agent_packet_ms: millis(times.first_agent_packet),
            waited_ms: times.waited().map(millis),
        }
    }
}

/// How the sound of a call arrived, and how well people would say that they heard.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CallSound {
    /// The mean opinion score by the E-model (ITU-T G.107, simplified), from 1 (bad) to 4.4 (as good as a telephone gets).
    mos: f64,
    /// Packets of the other side that arrived.
    packets_received: u64,
    /// The share of packets that never came or came too late to be heard, in per cent.
    loss_percent: f64,
    /// How unevenly packets arrived (RFC 3550).
    jitter_ms: f64,
    /// How long sound was held back so that it came evenly.
    delay_ms: u64,
    /// The way to the other side and back; null if it did not say.
    round_trip_ms: Option<u64>,
    /// How much sound was missing and was concealed.
    concealed_ms: u64,
}

impl From<&call::SoundQuality> for CallSound {
    fn from(quality: &call::SoundQuality) -> Self {
        Self {
            mos: f64::from(quality.mos_hundredths) / 100.0,
            packets_received: quality.received,
            loss_percent: f64::from(quality.loss_per_mille) / 10.0,
            jitter_ms: f64::from(u32::try_from(quality.jitter.as_micros() / 100).unwrap_or(u32::MAX)) / 10.0,
            delay_ms: millis(quality.delay),
            round_trip_ms: quality.round_trip.map(millis),
            concealed_ms: quality.concealed * 20,
        }
    }
}

/// Whole milliseconds.
pub(crate) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
