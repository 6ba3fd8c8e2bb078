//! The vocabulary of spoken conversation, and the ports behind which vendors live.
//!
//! An engine asks for a [`Recogniser`], a [`LanguageModel`], a [`StreamingSynthesiser`] and a [`CallAnalyst`] and never learns which
//! vendor answers.
//! Nothing here does IO: implementations live in `providers`, turn-taking lives in `conversation`.

mod analysis;
mod error;
mod language;
mod recognition;
mod synthesis;

pub use analysis::{Analysis, AnalysisRequest, CallAnalyst, LeadFacts, Reached};
pub use error::SpeechError;
pub use language::{
    Chat, ChatMessage, Delta, DeltaStream, FinishReason, LanguageModel, Role, ToolCall, ToolSpec,
};
pub use recognition::{
    AudioInput, Recogniser, RecogniserEvent, RecogniserEvents, RecogniserSession, RecognitionConfig,
    Transcript, Word,
};
pub use synthesis::{
    Pcm, PcmStream, StreamingSynthesiser, SynthesisConfig, Synthesiser, TextPieces, VoiceChoice,
};
