//! Everything that speaks, understands and judges, one module per vendor or method, behind the ports of `speech`.
//!
//! Two of them need nothing: the [`Receptionist`] holds up the agent's side of a call by a dialogue policy, and the
//! [`DeterministicAnalyst`] reads a finished call by rules. [`OpenAi`] and [`ModelAnalyst`] do the same with any language model behind
//! an OpenAI-compatible endpoint; [`LocalVoices`] speaks with a program of this machine. [`hearing`] and [`speaking`] hold what a call
//! with sound needs.

mod analyst;
mod breaker;
mod driven;
mod endpoint;
pub mod hearing;
mod local_voices;
mod openai;
mod programs;
mod receptionist;
pub mod speaking;
mod understanding;
mod watched;

pub use analyst::{DeterministicAnalyst, ModelAnalyst};
pub use endpoint::Endpoint;
pub use local_voices::LocalVoices;
pub use openai::{OpenAi, OpenAiSettings, Patience, base_url};
pub use programs::find as find_program;
pub use receptionist::Receptionist;
