//! How a listener stops: no request that a client could believe to be taken is broken off.
//!
//! A kept connection can be closed by us at the very moment when its client sends the next request; the client then cannot know whether the
//! request was carried out. So first every answer says `Connection: close`, while new connections are still accepted, and an idle
//! connection is closed only after it has been quiet for as long. Then the listener ends, and what is still being answered gets its time.
//!
//! The end of a listener has such a moment too: the system completes connections on its own and resets those that nobody has accepted when
//! the listener closes. So the system is told first to ignore attempts to connect; those under way arrive and are accepted; then it closes.

use std::time::Duration;

use socket2::{SockFilter, SockRef};
use tokio::net::TcpListener;

/// How long a listener goes on accepting that stops under the eyes of strangers.
const LAST_CALL: Duration = Duration::from_secs(2);

/// How long connections may be under way when new attempts are ignored already.
pub(super) const UNDER_WAY: Duration = Duration::from_millis(200);

/// How a listener stops.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Drain {
    /// How long it goes on accepting, and how long a connection must be quiet before it is closed.
    pub(super) last_call: Duration,
    /// How long all of it may take, with the requests under way.
    pub(super) patience: Duration,
}

impl Drain {
    /// As strangers may expect it.
    pub(crate) fn within(patience: Duration) -> Self {
        Self { last_call: LAST_CALL.min(patience), patience }
    }

    /// Without a last call: nobody else is connected.
    pub(crate) fn alone(patience: Duration) -> Self {
        Self { last_call: Duration::ZERO, patience }
    }
}

/// Makes the system drop attempts to connect, as if they had been lost on the way. Their clients try again and find the listener gone.
#[cfg(target_os = "linux")]
pub(super) fn ignore_attempts(listener: &TcpListener) -> std::io::Result<()> {
    // A filter (of the classic BPF) sees each packet from its TCP header on and says how much of it to keep: nothing of a SYN, which begins
    // a connection; everything of all others.
    const FLAGS: u32 = 13;
    const SYN: u32 = 0x02;
    const LOAD_BYTE: u16 = 0x30;
    const JUMP_IF_SET: u16 = 0x45;
    const RETURN: u16 = 0x06;
    SockRef::from(listener).attach_filter(&[
        SockFilter::new(LOAD_BYTE, 0, 0, FLAGS),
        SockFilter::new(JUMP_IF_SET, 0, 1, SYN),
        SockFilter::new(RETURN, 0, 0, 0),
        SockFilter::new(RETURN, 0, 0, u32::MAX),
    ])
}

#[cfg(not(target_os = "linux"))]
pub(super) fn ignore_attempts(_: &TcpListener) -> std::io::Result<()> {
    Err(std::io::ErrorKind::Unsupported.into())
}
