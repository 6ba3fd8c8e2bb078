//! What tests stand on: fresh databases of both kinds, a whole platform in the test's own process behind a real socket, engines driven
//! by hand, receivers of webhooks, a client. Only tests use it.

mod database;
pub mod death;
mod interposed;
mod machine;
mod patience;
mod platform;
mod receiver;
pub mod servers;
mod switchboard;
pub mod vapi;

pub use database::{TestDatabase, databases, open};
pub use interposed::Interposed;
pub use machine::{CountedIds, ManualClock, SeededEntropy, WallClock};
pub use patience::Patience;
pub use platform::{Account, Answer, Platform, Setup, build_app, client, published_document};
pub use receiver::{Received, Receiver};
pub use reqwest::{Client, RequestBuilder};
pub use switchboard::{AgentAnswer, Switchboard};
