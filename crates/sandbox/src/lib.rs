//! The engine behind test keys: scripted callers on a virtual clock, no carrier.
//!
//! A scenario is a small text file that says who picks up and how they react to what the agent says. It drives the same turn-taking
//! core as real audio does, with timed words instead of sound. Invariants: the same scenario, agent, model answers and seed give the
//! same words at the same times (nothing here reads a clock, an id or a random number to decide anything); no call reaches a carrier;
//! every accepted call is reported as ended exactly once.

mod call;
mod caller;
mod directory;
mod engine;
mod pace;
mod pattern;
mod recording;
mod scenario;
mod seed;
mod stage;
mod timing;

pub use directory::{BUILT_IN, BuiltIn, Directory};
pub use engine::{SandboxEngine, SandboxSettings};
pub use pace::{NotAPace, Pace};
pub use recording::Recorder;
pub use scenario::{Act, Pickup, Rule, Scenario, ScenarioError, Span};
