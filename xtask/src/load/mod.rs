//! What `bench` and `torture` share: a small HTTP client, a webhook receiver, and the real binary as a child process.
//!
//! The server is only ever met from outside, over its command line, its HTTP interface and its signals.

pub mod figures;
pub mod http;
pub mod server;
pub mod sink;
