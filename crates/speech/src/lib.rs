//! The vocabulary of spoken conversation, and the ports behind which vendors live.
//!
//! An engine asks for a [`LanguageModel`], a [`Synthesiser`] and a [`CallAnalyst`] and never learns which vendor answers.
//! Nothing here does IO: implementations live in `providers`, turn-taking lives in `conversation`.

mod analysis;
mod error;
mod language;
mod synthesis;

pub use analysis::{Analysis, AnalysisRequest, CallAnalyst, LeadFacts, Reached};
pub use error::SpeechError;
pub use language::{
    Chat, ChatMessage, Delta, DeltaStream, FinishReason, LanguageModel, Role, ToolCall, ToolSpec,
};
pub use synthesis::{Pcm, Synthesiser};
