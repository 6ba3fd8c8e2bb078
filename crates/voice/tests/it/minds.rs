//! What hears, thinks and speaks in these tests: sentences that are known, recognised by their sound.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::{StreamExt as _, stream};
use speech::{
    AudioInput, Chat, Delta, DeltaStream, FinishReason, LanguageModel, PcmStream, Recogniser,
    RecogniserEvent, RecogniserSession, RecognitionConfig, Role, SpeechError, StreamingSynthesiser,
    SynthesisConfig, TextPieces, ToolCall, Transcript, VoiceChoice,
};
use tokio::sync::{Mutex, mpsc};

use crate::sound::{GOODBYE, Sentence, THANKS, recognise};

/// Says one thing and then goodbye, and remembers what it was told.
#[derive(Default)]
pub struct TwoLines {
    pub told: std::sync::Mutex<Vec<String>>,
}

#[async_trait]
impl LanguageModel for TwoLines {
    fn name(&self) -> &'static str {
        "two-lines"
    }

    async fn reply(&self, chat: Chat) -> Result<DeltaStream, SpeechError> {
        let said = chat.messages.iter().filter(|message| message.role == Role::User);
        let said: Vec<String> = said.map(|message| message.content.clone()).collect();
        let (text, ends) = if said.len() < 2 { (THANKS.text, false) } else { (GOODBYE.text, true) };
        *self.told.lock().expect("no test panics while it holds this") = said;
        let mut deltas = vec![Ok(Delta::Text(text.to_owned()))];
        if ends {
            let call = ToolCall {
                id: "1".to_owned(),
                name: "end_call".to_owned(),
                arguments: serde_json::json!({}),
            };
            deltas.push(Ok(Delta::ToolCall(call)));
        }
        deltas.push(Ok(Delta::Finished(FinishReason::Stop)));
        Ok(Box::pin(stream::iter(deltas)))
    }
}

/// A recogniser that takes a whole piece of sound, as the voice detection cuts it.
pub struct Ear;

struct Piece {
    sound: Vec<i16>,
    is_speech: bool,
    events: mpsc::Sender<Vec<i16>>,
}

impl AudioInput for Piece {
    fn push(&mut self, samples: &[i16]) {
        self.sound.extend_from_slice(samples);
        // What comes before speech matters as far as its first sound goes.
        let most = if self.is_speech { usize::MAX } else { 2400 };
        let old = self.sound.len().saturating_sub(most);
        self.sound.drain(..old);
    }

    fn speech_started(&mut self) {
        self.is_speech = true;
    }

    fn speech_stopped(&mut self) {
        self.is_speech = false;
        let _ = self.events.try_send(std::mem::take(&mut self.sound));
    }

    fn finish(self: Box<Self>) {}
}

#[async_trait]
impl Recogniser for Ear {
    fn name(&self) -> &'static str {
        "ear"
    }

    async fn open(&self, config: RecognitionConfig) -> Result<RecogniserSession, SpeechError> {
        assert_eq!(config.sample_rate, 8000);
        let (events, pieces) = mpsc::channel::<Vec<i16>>(16);
        let heard = stream::unfold(pieces, |mut pieces| async move {
            let sound = pieces.recv().await?;
            let text = recognise(&sound).map_or("", |sentence| sentence.text).to_owned();
            Some((Ok(RecogniserEvent::Final(Transcript { text, ..Transcript::default() })), pieces))
        });
        let input = Box::new(Piece { sound: Vec::new(), is_speech: false, events });
        Ok(RecogniserSession { input, events: Box::pin(heard) })
    }
}

/// A recogniser to which everything that is said is the greeting of an answering machine.
pub struct MachineEar;

const MACHINE: &str =
    "Hi, this is Maria. I can't take your call right now. Please leave a message after the tone.";

#[async_trait]
impl Recogniser for MachineEar {
    fn name(&self) -> &'static str {
        "machine-ear"
    }

    async fn open(&self, config: RecognitionConfig) -> Result<RecogniserSession, SpeechError> {
        let RecogniserSession { input, events } = Ear.open(config).await?;
        let events = events.map(|event| {
            Ok(match event? {
                RecogniserEvent::Final(heard) if !heard.text.is_empty() => {
                    RecogniserEvent::Final(Transcript { text: MACHINE.to_owned(), ..heard })
                }
                other => other,
            })
        });
        Ok(RecogniserSession { input, events: Box::pin(events) })
    }
}

/// A voice that knows the sentences, and makes its sound a good deal faster than it is heard.
pub struct Mouth;

#[async_trait]
impl StreamingSynthesiser for Mouth {
    fn name(&self) -> &'static str {
        "mouth"
    }

    fn lacks(&self, _voice: &VoiceChoice) -> Option<String> {
        None
    }

    async fn speak(&self, mut text: TextPieces, config: SynthesisConfig) -> Result<PcmStream, SpeechError> {
        assert_eq!(config.sample_rate, 8000);
        let text = text.next().await.unwrap_or_default();
        let samples = Sentence::spoken(&text);
        let chunks: Vec<Vec<i16>> = samples.chunks(777).map(<[i16]>::to_vec).collect();
        let slowly = stream::iter(chunks).then(|chunk| async {
            tokio::time::sleep(Duration::from_millis(5)).await;
            Ok(chunk)
        });
        Ok(Box::pin(slowly))
    }
}

/// A voice that is broken.
pub struct Mute(pub Arc<Mutex<u32>>);

#[async_trait]
impl StreamingSynthesiser for Mute {
    fn name(&self) -> &'static str {
        "mute"
    }

    fn lacks(&self, _voice: &VoiceChoice) -> Option<String> {
        Some("nobody speaks".to_owned())
    }

    async fn speak(&self, _text: TextPieces, _config: SynthesisConfig) -> Result<PcmStream, SpeechError> {
        *self.0.lock().await += 1;
        Err(SpeechError::Auth)
    }
}
