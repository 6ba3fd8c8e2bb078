//! The only way out: every HTTP request of the platform passes through here.
//!
//! [`Client`] is for addresses that users name. It connects only to addresses that it has checked, follows no redirect, reads
//! a bounded answer and obeys a deadline over the whole exchange. [`OperatorClient`] and [`SocketClient`] are for addresses that the
//! operator has configured (a language model, a recogniser), which may be private and may stream.

mod address;
mod client;
mod events;
mod operator;
mod socket;
mod target;
mod tls;

pub use address::{Exceptions, NotExceptions, is_public};
pub use client::{Answer, Client, Fetched, Limits, NotACertificate, Post, Resolve, SendError};
pub use events::ServerEvent;
pub use operator::{OperatorClient, OperatorError, OperatorResponse, Timeouts};
pub use socket::{SocketClient, SocketError, SocketMessage, SocketReceiver, SocketSender};
pub use target::{Refused, Target, check_url};
pub use tls::install_crypto;
