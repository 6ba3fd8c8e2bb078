//! The sound of a telephone call on the wire: RTP and RTCP, G.711, the keys of a telephone, the jitter buffer, and SDP, in which both
//! sides agree on all of that.
//!
//! Nothing here opens a socket or reads a clock. Datagrams and the time go in, datagrams and sound come out, so that an hour of a bad
//! network is a test of a few milliseconds. [`Leg`] joins the parts: whoever owns a socket and a clock drives it. Time is the time since
//! some moment that the owner of a leg chose, and never runs backwards. Invariant: whatever a stranger sends, nothing here panics, and
//! nothing grows beyond a bound that stands beside it.

mod codec;
mod conceal;
mod jitter;
mod keys;
mod latch;
mod leg;
mod negotiate;
mod packet;
mod playout;
mod quality;
mod rtcp;
pub mod sdp;
mod srtp;
mod statistics;

pub use codec::Codec;
pub use keys::Key;
pub use latch::Latching;
pub use leg::{Arrival, Channel, Identity, Leg, Transmit};
pub use negotiate::{Agreement, Encryption, Keys, Local, Negotiator, Protected, Unacceptable};
pub use playout::Played;
pub use quality::mean_opinion;
pub use srtp::{MasterKey, Protection, Suite};
pub use statistics::Statistics;
