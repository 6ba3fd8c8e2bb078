//! Whose turn it is on a connection, and how long it may take.
//!
//! hyper reads requests and writes answers; it does not say which of them it is about. So the turns are seen from both of its sides: at the
//! socket, through which every byte goes, and at the service, which gets each head that is complete and whose answer ends when its body does.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http::StatusCode;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use super::connections::{Place, Signal, now};

/// The largest head of a request.
pub(super) const HEAD_BYTES: usize = 32 * 1024;

/// How long each turn may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// From the first byte of a request's head to its last.
    pub(super) head: Duration,
    /// From an answer to the next request: longer than the 60 seconds after which common load balancers and client pools give their
    /// connections up, so that they and not we close first.
    pub(super) idle: Duration,
    /// While the client takes nothing of its answer.
    pub(super) stuck: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { head: seconds(30), idle: seconds(75), stuck: seconds(30) }
    }
}

#[derive(Debug, Clone, Copy)]
enum Turn {
    /// The client may begin a request.
    Idle { since: Instant },
    /// The client has begun a request. It still counts as idle, from the time when it was.
    Head { begun: Instant, line: Line },
    /// A request is read and answered.
    Answer,
    /// The answer is complete, and hyper writes what is left of it.
    Flush,
}

/// The first line of a head.
#[derive(Debug, Clone, Copy, Default)]
struct Line {
    bytes: usize,
    complete: bool,
}

impl Line {
    fn grow(&mut self, bytes: &[u8]) {
        if !self.complete {
            let end = bytes.iter().position(|&byte| byte == b'\n');
            self.complete = end.is_some();
            self.bytes += end.unwrap_or(bytes.len());
        }
    }
}

/// Why a connection ends that could go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Overdue {
    /// It was idle for too long, or is closed for another.
    Idle,
    /// A head is incomplete.
    Head,
    /// Nothing of the answer is taken.
    Stuck,
}

/// The turns of one connection.
pub(super) struct Turns {
    place: Place,
    patience: Patience,
    state: Mutex<State>,
}

struct State {
    turn: Turn,
    /// Since when the client has taken nothing.
    blocked: Option<Instant>,
    /// What hyper would have answered to a head that it could not read.
    refused: Option<StatusCode>,
}

impl Turns {
    pub(super) fn new(place: Place, patience: Patience) -> Arc<Self> {
        let state = State { turn: Turn::Idle { since: now() }, blocked: None, refused: None };
        Arc::new(Self { place, patience, state: Mutex::new(state) })
    }

    /// What is told to the connection from outside.
    pub(super) fn signal(&self) -> &Signal {
        self.place.signal()
    }

    /// A head is complete: the request is answered until what this gives is dropped.
    pub(super) fn answer(self: &Arc<Self>) -> Answering {
        self.state().turn = Turn::Answer;
        self.place.busy();
        Answering(Arc::clone(self))
    }

    /// When the present turn has taken too long, and what is wrong then.
    pub(super) fn deadline(&self) -> Option<(Instant, Overdue)> {
        let state = self.state();
        match state.turn {
            Turn::Idle { since } if self.signal().is_given_up() => Some((since, Overdue::Idle)),
            Turn::Head { begun, .. } if self.signal().is_given_up() => Some((begun, Overdue::Idle)),
            Turn::Idle { since } => {
                let end = since + self.patience.idle;
                let last = self.place.last_call(since);
                Some((last.map_or(end, |last| last.min(end)), Overdue::Idle))
            }
            Turn::Head { begun, .. } => Some((begun + self.patience.head, Overdue::Head)),
            Turn::Answer | Turn::Flush => {
                state.blocked.map(|since| (since + self.patience.stuck, Overdue::Stuck))
            }
        }
    }

    /// The status with which a head is refused that hyper could not read.
    pub(super) fn refused(&self, unreadable: bool) -> Option<StatusCode> {
        let state = self.state();
        let line = match state.turn {
            Turn::Idle { .. } => 0,
            Turn::Head { line, .. } => line.bytes,
            Turn::Answer | Turn::Flush => return None,
        };
        match state.refused.or_else(|| unreadable.then_some(StatusCode::BAD_REQUEST))? {
            // To hyper a head is too large wherever it is; where it is the first line that takes the room, the address is.
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE if line > HEAD_BYTES / 2 => {
                Some(StatusCode::URI_TOO_LONG)
            }
            other => Some(other),
        }
    }

    fn received(&self, bytes: &[u8]) {
        let mut state = self.state();
        if matches!(state.turn, Turn::Idle { .. }) && !bytes.is_empty() {
            state.turn = Turn::Head { begun: now(), line: Line::default() };
        }
        if let Turn::Head { line, .. } = &mut state.turn {
            line.grow(bytes);
        }
    }

    /// hyper writes. Where no answer is due, it refuses a head by itself, with a bare status: we keep that back and refuse in our words.
    fn keeps_back(&self, bytes: &[u8]) -> bool {
        let mut state = self.state();
        let by_itself = matches!(state.turn, Turn::Idle { .. } | Turn::Head { .. });
        if by_itself && state.refused.is_none() {
            let status =
                bytes.get("HTTP/1.1 ".len()..).and_then(|rest| StatusCode::from_bytes(rest.get(..3)?).ok());
            state.refused = Some(status.unwrap_or(StatusCode::BAD_REQUEST));
        }
        by_itself
    }

    fn wrote(&self, progress: bool) {
        let mut state = self.state();
        if progress {
            state.blocked = None;
        } else {
            state.blocked.get_or_insert_with(now);
        }
    }

    /// Everything that hyper had to write is with the system.
    fn flushed(&self) {
        let mut state = self.state();
        if matches!(state.turn, Turn::Flush) {
            let since = now();
            state.turn = Turn::Idle { since };
            drop(state);
            self.place.idle(since);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Held by an answer as long as something of it is to be sent.
pub(super) struct Answering(Arc<Turns>);

impl Answering {
    /// True if the answer should end the connection.
    pub(super) fn is_last(&self) -> bool {
        self.0.place.is_leaving()
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.state().turn = Turn::Flush;
    }
}

/// A socket that notes what goes through it.
pub(super) struct Watched<S> {
    stream: S,
    turns: Arc<Turns>,
}

impl<S> Watched<S> {
    pub(super) fn new(stream: S, turns: Arc<Turns>) -> Self {
        Self { stream, turns }
    }

    pub(super) fn into_inner(self) -> S {
        self.stream
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        self.turns.received(&buffer.filled()[before..]);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> Watched<S> {
    fn note(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        self.turns.wrote(written.is_ready());
        written
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.turns.keeps_back(bytes) {
            return Poll::Ready(Ok(bytes.len()));
        }
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.note(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.turns.keeps_back(slices.first().map_or(&[], |first| first)) {
            return Poll::Ready(Ok(slices.iter().map(|slice| slice.len()).sum()));
        }
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.note(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_flush(context))?;
        self.turns.flushed();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
