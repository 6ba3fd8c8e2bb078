//! The agent of one call, for every engine that runs calls in our own process: how its configuration becomes a conversation, how it
//! thinks, and how the platform is told what it did.
//!
//! An engine brings the line: sound or timed words, a clock and its tasks. It makes a [`conversation::Conversation`] of [`settings`],
//! answers each [`conversation::Output::StartReply`] with the facts of [`Mind::reply`], and reports with [`noted`] and [`ended`].
//! Invariants: nothing here opens a socket, reads a clock or spawns; whatever a model asks for besides words is carried out in the
//! module `tools` and nowhere else.

mod briefing;
mod languages;
mod mind;
mod opt_out;
mod report;
mod settings;
mod tools;

pub use mind::{Mind, Reply};
pub use report::{NOT_IN_SERVICE, ended, is_intercept, noted};
pub use settings::settings;
