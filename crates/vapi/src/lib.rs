//! Calls on Vapi: agents become its assistants, calls its calls, and what it tells comes back as progress.
//!
//! [`VapiEngine`] asks, [`Hook`] is told. The rules that decide the design, each with its source, are in the engine's README.

mod assistant;
mod call;
mod caller;
mod client;
mod cost;
mod engine;
mod evidence;
mod facts;
mod hook;
mod message;
mod names;
mod numbers;
mod reasons;
mod recording;
mod route;
mod schema;
mod structured;
mod time;
mod transcript;
mod verify;

pub use client::{Client, ClientSettings};
pub use engine::{EngineSettings, VapiEngine};
pub use hook::{Hook, HookSettings, Reply};
pub use reasons::{Verdict, verdict};
pub use route::{PATH, router};
pub use schema::Schemas;
pub use verify::{Scheme, Verifier};
