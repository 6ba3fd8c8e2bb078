//! Telephone signalling: trunks, and calls over them.
//!
//! The protocol itself is `rsipstack`; this crate is the port in front of it, small enough to put something else behind it. It knows
//! nothing of sound: descriptions (SDP) pass through as bytes. What it adds is what an installation needs: who may call us at all, over
//! which trunk a number is called, when another trunk may be tried, and what the end of a call means.
//!
//! Invariants: a datagram or connection from an address that no trunk names is dropped before anything of it is read. A number is
//! called again over another trunk only if the first one certainly did not ring it. A call whose [`Call`] is dropped is hung up.

mod call;
mod cause;
mod gate;
mod inbound;
mod info;
mod library;
mod outbound;
mod registration;
mod settings;
mod shared;
mod talk;
mod tls;
mod trunk;
mod user_agent;

pub use call::{Call, Changed, End, Event, Offer, Side};
pub use cause::Failure;
pub use inbound::Incoming;
pub use outbound::Order;
pub use settings::{Authorities, Credentials, Secure, Settings, Transport, Trunk};
pub use tls::check_certificate;
pub use trunk::Health;
pub use user_agent::{StartError, UserAgent};
