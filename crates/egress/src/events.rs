//! Streams of server-sent events (WHATWG HTML, section 9.2.6), read within a bound.
//!
//! Lines end with LF, CR or both; a blank line ends an event; several `data` lines are one text. What a stream leaves unfinished when
//! it ends well is given too, because some servers forget the last blank line. Invariant: no more is kept than one event of the
//! largest allowed size.

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, stream};

use crate::operator::{OperatorError, OperatorResponse};

/// One event of a `text/event-stream`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerEvent {
    /// Its type; `message` if it names none.
    pub kind: String,
    /// Its data, lines separated by a line feed.
    pub data: String,
}

impl OperatorResponse {
    /// The body as server-sent events, none of them larger than `largest` bytes. Dropping it closes the exchange.
    pub fn events(
        self,
        largest: usize,
    ) -> impl Stream<Item = Result<ServerEvent, OperatorError>> + Send + 'static {
        events(self.stream(), largest)
    }
}

/// The events of a body that comes in pieces. An event larger than `largest` bytes ends the stream with [`OperatorError::TooLong`].
fn events(
    pieces: impl Stream<Item = Result<Bytes, OperatorError>> + Send + 'static,
    largest: usize,
) -> impl Stream<Item = Result<ServerEvent, OperatorError>> + Send + 'static {
    let state = Some((Box::pin(pieces), Parser::new(largest)));
    stream::unfold(state, |state| async move {
        let (mut pieces, mut parser) = state?;
        let found = match pieces.next().await {
            Some(Ok(piece)) => match parser.take(&piece) {
                Ok(events) => return Some((events.into_iter().map(Ok).collect(), Some((pieces, parser)))),
                Err(error) => vec![Err(error)],
            },
            Some(Err(error)) => vec![Err(error)],
            None => parser.finish().into_iter().map(Ok).collect(),
        };
        Some((found, None))
    })
    .flat_map(|found: Vec<Result<ServerEvent, OperatorError>>| stream::iter(found))
}

/// Puts events together from bytes, wherever they are cut.
struct Parser {
    largest: usize,
    line: Vec<u8>,
    /// The last byte was a CR, which a LF may follow.
    after_cr: bool,
    kind: String,
    data: Option<String>,
}

impl Parser {
    fn new(largest: usize) -> Self {
        Self { largest, line: Vec::new(), after_cr: false, kind: String::new(), data: None }
    }

    /// Takes more bytes and gives the events that they complete.
    fn take(&mut self, bytes: &[u8]) -> Result<Vec<ServerEvent>, OperatorError> {
        let mut complete = Vec::new();
        for &byte in bytes {
            let second_half = std::mem::replace(&mut self.after_cr, byte == b'\r') && byte == b'\n';
            match byte {
                b'\n' if second_half => {}
                b'\n' | b'\r' => complete.extend(self.end_line()),
                byte if self.size() < self.largest => self.line.push(byte),
                _ => return Err(OperatorError::TooLong),
            }
        }
        Ok(complete)
    }

    /// The body has ended.
    fn finish(&mut self) -> Option<ServerEvent> {
        let unfinished = self.end_line();
        unfinished.or_else(|| self.end_event())
    }

    fn size(&self) -> usize {
        self.line.len() + self.kind.len() + self.data.as_ref().map_or(0, String::len)
    }

    fn end_line(&mut self) -> Option<ServerEvent> {
        if self.line.is_empty() {
            return self.end_event();
        }
        let line = std::mem::take(&mut self.line);
        let line = String::from_utf8_lossy(&line);
        let line = line.strip_prefix('\u{feff}').unwrap_or(&line);
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match (name, &mut self.data) {
            ("event", _) => value.clone_into(&mut self.kind),
            ("data", Some(data)) => {
                data.push('\n');
                data.push_str(value);
            }
            ("data", None) => self.data = Some(value.to_owned()),
            // Comments, ids, times to wait before connecting again.
            _ => {}
        }
        None
    }

    fn end_event(&mut self) -> Option<ServerEvent> {
        let kind = std::mem::take(&mut self.kind);
        let data = self.data.take()?;
        Some(ServerEvent { kind: if kind.is_empty() { "message".to_owned() } else { kind }, data })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(String, String)> {
        let whole = parsed(&[text.as_bytes()]);
        let single: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
        assert_eq!(parsed(&single), whole, "cut into single bytes: {text:?}");
        whole
    }

    fn parsed(pieces: &[&[u8]]) -> Vec<(String, String)> {
        let mut parser = Parser::new(100);
        let mut events: Vec<ServerEvent> = Vec::new();
        for piece in pieces {
            events.extend(parser.take(piece).expect("short events"));
        }
        events.extend(parser.finish());
        events.into_iter().map(|event| (event.kind, event.data)).collect()
    }

    #[test]
    fn events_are_found_whatever_ends_their_lines_and_wherever_they_are_cut() {
        let check = |text: &str, expected: &[(&str, &str)]| {
            let expected: Vec<(String, String)> =
                expected.iter().map(|(kind, data)| ((*kind).to_owned(), (*data).to_owned())).collect();
            for ending in ["\n", "\r\n", "\r"] {
                assert_eq!(read(&text.replace('\n', ending)), expected, "{text:?} with {ending:?}");
            }
        };
        check("data: a\n\ndata: b\n\n", &[("message", "a"), ("message", "b")]);
        check("event: call\nid: 7\ndata:{}\n\n", &[("call", "{}")]);
        check(": nothing\n\nretry: 5\n\ndata: a\n\n", &[("message", "a")]);
        check("data: {\ndata:  1}\n\n", &[("message", "{\n 1}")]);
        check("event: empty\n\ndata: a\n\n", &[("message", "a")]);
        check("\u{feff}data: ¿Qué?\n\n", &[("message", "¿Qué?")]);
        check("data\n\n", &[("message", "")]);
        check("data: a\n\ndata: unfinished", &[("message", "a"), ("message", "unfinished")]);
        check("", &[]);
    }

    #[test]
    fn an_event_without_end_is_given_up_instead_of_kept() {
        let mut parser = Parser::new(1000);
        let flood = "data: and so on\n".repeat(100);
        assert_eq!(parser.take(flood.as_bytes()), Err(OperatorError::TooLong));
        let mut parser = Parser::new(1000);
        let events = parser.take("data: and so on\n\n".repeat(1000).as_bytes()).expect("each is short");
        assert_eq!(events.len(), 1000);
    }
}
