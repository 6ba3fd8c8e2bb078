//! The use cases that change something, and the jobs they schedule.
//!
//! Whatever must happen because of a change commits with it; slow work happens before or after a transaction, never in it.
//! Reads do not pass through here: the entries ask `store` themselves.

pub mod accounts;
mod acting;
mod agent_names;
pub mod agents;
mod attempt;
pub mod audit;
pub mod businesses;
pub mod calls;
pub mod consents;
mod desk;
pub mod endpoints;
mod engines;
pub mod events;
pub mod gauges;
pub mod idempotency;
pub mod jobs;
pub mod keys;
pub mod leads;
pub mod live;
pub mod members;
pub mod numbers;
pub mod opt_outs;
mod outbox;
mod passwords;
pub mod phone_check;
mod platform;
mod posting;
mod recording_files;
pub mod recordings;
pub mod rehearsal;
pub mod remarks;
mod reports;
pub mod retention;
pub mod second_factor;
pub mod sessions;
pub mod setup;
pub mod signup;
mod troubles;
mod under_way;
pub mod workspaces;

pub use acting::Acting;
pub use desk::Desk;
pub use engines::{Engines, UnknownEngine};
pub use platform::{App, Entropy, Parts, Retention, Settings};
pub use recording_files::RecordingFiles;
