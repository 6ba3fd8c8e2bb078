//! The words and rules of the product: who may do what, what a call's life looks like, what an engine is asked and tells.
//!
//! Pure: nothing here does IO, reads a clock or rolls dice. Time, ids and randomness are arguments.

pub mod agent;
pub mod api_key;
pub mod audit;
mod author;
pub mod business;
pub mod call;
pub mod clock;
pub mod dial_policy;
pub mod digest;
mod direction;
pub mod disclosure;
pub mod emergency;
pub mod endpoint;
pub mod engine;
pub mod event;
mod event_type;
pub mod ids;
pub mod language;
pub mod lead;
pub mod mode;
pub mod number;
pub mod phone;
pub mod prompt;
pub mod scope;
mod template;
pub mod text;
pub mod usage;
pub mod voicemail;
mod words;

pub use author::{Author, Source};
pub use clock::{Clock, Timestamp};
pub use ids::*;
pub use language::LanguageTag;
pub use mode::Mode;
pub use phone::E164;
pub use scope::{Scope, ScopeSet};
