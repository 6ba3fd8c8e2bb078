//! One call's sound: a leg with its two sockets on the clock of sound, and the other end of its queues in the task of the call.

use std::future::poll_fn;
use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Poll;
use std::time::Duration;

use conversation::SentenceId;
use futures_util::task::AtomicWaker;
use rtp::sdp::{Description, Direction};
use rtp::{Agreement, Arrival, Channel, Key, Leg, Negotiator, Statistics};
use rtrb::{Consumer, Producer, RingBuffer};

use crate::activity::Activity;
use crate::frame::FRAME;

/// Sound that waits to be said: two seconds. Whoever makes more waits.
const FRAMES: usize = 100;

/// Ticks that wait until the call looks at them: four seconds. If it does not, the following ones are lost to it.
const TICKS: usize = 200;

/// News and commands that wait.
const NEWS: usize = 512;
const COMMANDS: usize = 64;

/// The most datagrams that are taken from a socket in one tick; what is left waits for the next.
const DATAGRAMS: usize = 32;

/// Every so many ticks the call looks at what was heard, if nothing else wakes it.
const BATCH: u64 = 2;

/// Sound to be said in one tick.
pub(crate) struct Frame {
    pub(crate) sentence: SentenceId,
    /// It is dropped unless it belongs to the present cut.
    pub(crate) cut: u32,
    pub(crate) samples: [i16; FRAME],
    pub(crate) is_last: bool,
}

/// What both sides sounded like in one tick.
pub(crate) struct Tick {
    /// Counts the ticks of the line; one that is missing was lost on the way here.
    pub(crate) number: u64,
    /// When what is heard in it arrived, on the clock of its thread.
    pub(crate) arrived: Duration,
    pub(crate) heard: [i16; FRAME],
    pub(crate) said: [i16; FRAME],
    /// How likely it is that the other party spoke.
    pub(crate) activity: f32,
    /// Which sentence was said, and how much of it until now.
    pub(crate) saying: Option<(SentenceId, u32)>,
}

/// What happens on a line besides sound.
pub(crate) enum News {
    /// The first sound of a sentence is sent, at this time on the clock of its thread.
    Started(SentenceId, Duration),
    Finished(SentenceId),
    Key(Key),
    /// The line is no more; this is how its sound was.
    Gone(Box<Statistics>),
}

/// What the call wants of its line.
pub(crate) enum Command {
    Agree(Box<Agreement>),
    Leave,
}

/// What both ends see.
struct Shared {
    cut: AtomicU32,
    waker: AtomicWaker,
}

/// The end of a line on the clock of sound.
pub(crate) struct Line {
    leg: Leg,
    rtp: UdpSocket,
    rtcp: UdpSocket,
    activity: Activity,
    shared: Arc<Shared>,
    frames: Consumer<Frame>,
    ticks: Producer<Tick>,
    news: Producer<News>,
    commands: Consumer<Command>,
    number: u64,
    saying: Option<(SentenceId, u32)>,
    buffer: Box<[u8; 2048]>,
}

/// The end of a line in the task of the call. Dropping it ends the line.
pub(crate) struct LineEnd {
    pub(crate) frames: Producer<Frame>,
    pub(crate) ticks: Consumer<Tick>,
    pub(crate) news: Consumer<News>,
    commands: Producer<Command>,
    shared: Arc<Shared>,
}

/// Both ends of a line over these sockets, which must not block.
pub(crate) fn line(leg: Leg, rtp: UdpSocket, rtcp: UdpSocket) -> (Line, LineEnd) {
    let (frames_in, frames_out) = RingBuffer::new(FRAMES);
    let (ticks_in, ticks_out) = RingBuffer::new(TICKS);
    let (news_in, news_out) = RingBuffer::new(NEWS);
    let (commands_in, commands_out) = RingBuffer::new(COMMANDS);
    let shared = Arc::new(Shared { cut: AtomicU32::new(0), waker: AtomicWaker::new() });
    let line = Line {
        leg,
        rtp,
        rtcp,
        activity: Activity::new(),
        shared: Arc::clone(&shared),
        frames: frames_out,
        ticks: ticks_in,
        news: news_in,
        commands: commands_out,
        number: 0,
        saying: None,
        buffer: Box::new([0; 2048]),
    };
    let end = LineEnd { frames: frames_in, ticks: ticks_out, news: news_out, commands: commands_in, shared };
    (line, end)
}

impl Line {
    /// One tick of the clock; false if the line is over.
    pub(crate) fn tick(&mut self, now: Duration) -> bool {
        let goes_on = self.obey(now);
        if goes_on {
            self.receive(now);
            self.sound(now);
            if self.number.is_multiple_of(BATCH) {
                self.shared.waker.wake();
            }
        }
        goes_on
    }

    fn obey(&mut self, now: Duration) -> bool {
        let is_abandoned = self.commands.is_abandoned();
        let mut leaves = is_abandoned;
        while let Ok(command) = self.commands.pop() {
            match command {
                Command::Agree(agreement) => self.leg.agree(*agreement),
                Command::Leave => leaves = true,
            }
        }
        if leaves {
            let Self { leg, rtp, rtcp, .. } = self;
            leg.goodbye(now, |datagram| send(rtp, rtcp, datagram));
            self.tell(News::Gone(Box::new(self.leg.statistics())));
        }
        !leaves
    }

    /// Takes what has come.
    fn receive(&mut self, now: Duration) {
        for _ in 0..DATAGRAMS {
            let Ok((length, from)) = self.rtp.recv_from(&mut self.buffer[..]) else { break };
            if let Arrival::Key(key) = self.leg.handle_rtp(now, from, &self.buffer[..length]) {
                self.tell(News::Key(key));
            }
        }
        for _ in 0..DATAGRAMS {
            let Ok((length, from)) = self.rtcp.recv_from(&mut self.buffer[..]) else { break };
            self.leg.handle_rtcp(now, from, &self.buffer[..length]);
        }
    }

    fn sound(&mut self, now: Duration) {
        let mut tick = Tick {
            number: self.number,
            arrived: now.saturating_sub(self.leg.statistics().delay),
            heard: [0; FRAME],
            said: [0; FRAME],
            activity: 0.0,
            saying: None,
        };
        self.number += 1;
        self.leg.hear(now, &mut tick.heard);
        tick.activity = self.activity.hear(&tick.heard);
        let finished = self.next_frame(now, &mut tick);
        let Self { leg, rtp, rtcp, .. } = self;
        leg.speak(now, &tick.said, |datagram| send(rtp, rtcp, datagram));
        // If the call does not look, it hears no more; its agent goes on speaking.
        let _ = self.ticks.push(tick);
        if let Some(sentence) = finished {
            self.tell(News::Finished(sentence));
        }
    }

    /// Fills in what is said in this tick; gives the sentence that ends in it.
    fn next_frame(&mut self, now: Duration, tick: &mut Tick) -> Option<SentenceId> {
        let cut = self.shared.cut.load(Ordering::Acquire);
        let frame = std::iter::from_fn(|| self.frames.pop().ok()).find(|frame| frame.cut == cut);
        let Some(frame) = frame else {
            self.saying = None;
            return None;
        };
        tick.said = frame.samples;
        let before = match self.saying {
            Some((sentence, frames)) if sentence == frame.sentence => frames,
            _ => {
                self.tell(News::Started(frame.sentence, now));
                0
            }
        };
        self.saying = Some((frame.sentence, before + 1)).filter(|_| !frame.is_last);
        tick.saying = Some((frame.sentence, before + 1));
        frame.is_last.then_some(frame.sentence)
    }

    /// Tells the call, which looks at it at once.
    fn tell(&mut self, news: News) {
        // As much news as fits is far more than a call makes while its task is busy, and nobody may be there to hear the last.
        let _ = self.news.push(news);
        self.shared.waker.wake();
    }
}

fn not_agreed(reason: &dyn std::fmt::Display) {
    tracing::warn!(%reason, "both sides of a call have no sound in common");
}

/// What the network does not take is lost, as on any network.
fn send(rtp: &UdpSocket, rtcp: &UdpSocket, datagram: rtp::Transmit<'_>) {
    let socket = match datagram.channel {
        Channel::Rtp => rtp,
        Channel::Rtcp => rtcp,
    };
    let _ = socket.send_to(datagram.bytes, datagram.to);
}

impl LineEnd {
    /// Waits until there is something new to look at.
    pub(crate) async fn changed(&mut self) {
        self.halves().0.await;
    }

    /// What tells that there is something new to look at, and beside it where sound goes in.
    pub(crate) fn halves(&mut self) -> (impl Future<Output = ()>, &mut Producer<Frame>) {
        let Self { shared, ticks, news, frames, .. } = self;
        let changed = poll_fn(move |context| {
            shared.waker.register(context.waker());
            let is_new = !ticks.is_empty() || !news.is_empty();
            if is_new || ticks.is_abandoned() { Poll::Ready(()) } else { Poll::Pending }
        });
        (changed, frames)
    }

    /// Our answer to an offer, or our offer if the other side wants to hear it; `None` if both have no sound in common.
    pub(crate) fn answer(&mut self, negotiator: &mut Negotiator, offer: Option<&[u8]>) -> Option<Vec<u8>> {
        let ours = match offer {
            None => negotiator.offer(Direction::SendReceive),
            Some(offer) => {
                let theirs = Description::parse(offer).inspect_err(|error| not_agreed(error)).ok()?;
                let answered = negotiator.answer(&theirs, Direction::SendReceive);
                let (ours, agreement) = answered.inspect_err(|error| not_agreed(error)).ok()?;
                self.agree(agreement);
                ours
            }
        };
        Some(ours.to_string().into_bytes())
    }

    /// Takes the other side's answer to our offer; false if both have no sound in common.
    pub(crate) fn accept(&mut self, negotiator: &mut Negotiator, answer: &[u8]) -> bool {
        let theirs = Description::parse(answer).inspect_err(|error| not_agreed(error)).ok();
        let agreed = theirs.map(|theirs| negotiator.accept(&theirs).inspect_err(|error| not_agreed(error)));
        let Some(Ok(agreement)) = agreed else { return false };
        self.agree(agreement);
        true
    }

    fn agree(&mut self, agreement: Agreement) {
        self.command(Command::Agree(Box::new(agreement)));
    }

    /// Ends the line. Its last news says how it was.
    pub(crate) fn leave(&mut self) {
        self.command(Command::Leave);
    }

    /// What waits to be said is not said any more. Gives what marks sound that comes after this.
    pub(crate) fn cut(&mut self) -> u32 {
        self.shared.cut.fetch_add(1, Ordering::Release).wrapping_add(1)
    }

    /// True if the other end is gone.
    pub(crate) fn is_over(&self) -> bool {
        self.ticks.is_abandoned()
    }

    fn command(&mut self, command: Command) {
        // So many commands do not come within a tick, unless the line is over.
        let _ = self.commands.push(command);
    }
}
