//! Our own voice engine: telephone calls over SIP trunks, with an agent that hears and speaks.
//!
//! Signalling is `sip`'s, sound on the wire is `rtp`'s, turn-taking is `conversation`'s and what the agent thinks is `agent`'s; this
//! crate joins them. Sound runs on threads with a clock of 20 ms ([`MediaThreads`]), and everything else of a call in one task. The two
//! meet in queues that neither waits for.
//!
//! Invariants: the clock of sound waits for no database, no disk and no call, and its queues have bounds. Once a call runs, a tick takes
//! no lock but the runtime's own, to wake the call's task, and allocates only for what comes every few seconds at most: an agreement, a
//! report of the other side, the end of the line. A recording that falls behind loses sound, and speech never does. An accepted call is
//! reported as ended exactly once. A number is rung at most once.

mod activity;
mod beep;
mod call;
mod cause;
mod engine;
mod frame;
mod hearing;
mod inbound;
mod line;
mod media_clock;
mod playback;
mod ports;
mod recording;
mod reports;
mod segments;
mod settings;
mod shared;
mod stopwatch;
mod talk;

pub use engine::{Parts, VoiceEngine, ask_trunks};
pub use media_clock::MediaThreads;
pub use rtp::{Codec, Latching};
pub use settings::{Encryption, Profile, Settings, Trunk, USUAL};
pub use sip::{
    Authorities, Credentials, Health, Secure, StartError, Transport, Trunk as Signalling, check_certificate,
};
