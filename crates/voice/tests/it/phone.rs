//! A telephone of our own: it calls and is called, says sentences, presses keys, and keeps what it hears.

use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use rtp::sdp::{Description, Direction};
use rtp::{Channel, Codec, Encryption, Identity, Key, Latching, Leg, Local, Negotiator, Played};
use sip::{Call, Event, Incoming, Order, UserAgent};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

use crate::sound::Sentence;
use crate::support::{PATIENCE, trunk};

/// What it does, and when.
#[derive(Debug, Clone, Copy)]
pub enum Act {
    /// Waits until the other side has spoken and been silent for 600 ms.
    Listen,
    /// Waits until it has heard so much sound.
    HearFor(Duration),
    Say(Sentence),
    /// Gives a tone of this frequency for a second.
    Beep(f32),
    Press(char),
    Pause(Duration),
    HangUp,
}

/// What it has heard by the end of the call.
#[derive(Debug, Default)]
pub struct Heard {
    /// Everything since the answer, silence as well.
    pub sound: Vec<i16>,
    /// From the answer to the first sound.
    pub first_sound: Option<Duration>,
    /// When it spoke, as places in the sound.
    pub spoke: Vec<usize>,
}

/// A user agent for a telephone that is called. Its address is where a trunk leads to.
pub async fn callee() -> (UserAgent, mpsc::Receiver<Incoming>) {
    let brings = trunk("127.0.0.1:9".parse().expect("an address"));
    UserAgent::start(sip_settings(vec![brings])).await.expect("it starts")
}

pub fn sip_settings(trunks: Vec<sip::Trunk>) -> sip::Settings {
    sip::Settings {
        listen: "127.0.0.1:0".parse().expect("an address"),
        public_address: None,
        secure: None,
        name: "telephone".to_owned(),
        trunks,
        ask_every: Duration::from_secs(3600),
    }
}

pub async fn next_call(calls: &mut mpsc::Receiver<Incoming>) -> Incoming {
    timeout(PATIENCE, calls.recv()).await.expect("a call in time").expect("a call")
}

/// Takes a call and does these things in it. Gives what it heard when the call is over.
pub async fn take(incoming: Incoming, acts: &[Act]) -> Heard {
    let Incoming { mut call, offer, .. } = incoming;
    let (socket, mut negotiator) = open();
    let theirs = Description::parse(&offer.expect("an offer")).expect("a description");
    let (ours, agreement) = negotiator.answer(&theirs, Direction::SendReceive).expect("an agreement");
    call.ring().await;
    call.answer(ours.to_string().into_bytes()).await;
    until_answered(&mut call).await;
    talk(call, socket, agreement, acts).await
}

/// Calls a number over this user agent and does these things. Gives what it heard, or `None` if nobody answered.
pub async fn call(agent: &UserAgent, to: &str, from: &str, acts: &[Act]) -> Option<Heard> {
    let (socket, mut negotiator) = open();
    let offer = negotiator.offer(Direction::SendReceive).to_string().into_bytes();
    let order =
        Order { to: to.to_owned(), from: Some(from.to_owned()), offer, rings_for: Duration::from_secs(30) };
    let mut call = agent.call(order);
    let description = until_answered(&mut call).await?;
    let description = Description::parse(&description).expect("a description");
    let agreement = negotiator.accept(&description).expect("an agreement");
    Some(talk(call, socket, agreement, acts).await)
}

async fn until_answered(call: &mut Call) -> Option<Vec<u8>> {
    loop {
        match timeout(PATIENCE, call.next()).await.expect("an event in time") {
            Some(Event::Answered(description)) => return Some(description),
            Some(Event::Ended(_)) | None => return None,
            Some(_) => {}
        }
    }
}

fn open() -> (UdpSocket, Negotiator) {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    socket.set_nonblocking(true).expect("a socket");
    let address: SocketAddr = socket.local_addr().expect("an address");
    let local = Local {
        address: address.ip(),
        port: address.port(),
        codecs: vec![Codec::Pcma],
        encryption: Encryption::Off,
        session_id: 1,
    };
    (socket, Negotiator::new(local))
}

#[expect(clippy::disallowed_methods, reason = "sound needs a clock that runs")]
async fn talk(mut call: Call, socket: UdpSocket, agreement: rtp::Agreement, acts: &[Act]) -> Heard {
    let identity =
        Identity { ssrc: 9, sequence: 1, timestamp: 1, name: "phone".to_owned(), since_1970: Duration::ZERO };
    let mut leg = Leg::new(identity, Latching::Never);
    leg.agree(agreement);
    let begun = Instant::now();
    let mut ticks = tokio::time::interval(Duration::from_millis(20));
    let mut heard = Heard::default();
    let mut to_say: Vec<i16> = Vec::new();
    let (mut acts, mut quiet, mut sounded, mut resumes_at) = (acts.iter().peekable(), 0, 0, Duration::ZERO);
    let mut buffer = [0; 2048];
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            event = call.next() => match event {
                Some(Event::Ended(_)) | None => return heard,
                Some(_) => continue,
            },
        }
        let now = begun.elapsed();
        assert!(now < PATIENCE, "the call goes on and on");
        while let Ok((length, from)) = socket.recv_from(&mut buffer) {
            leg.handle_rtp(now, from, &buffer[..length]);
        }
        let mut frame = [0; 160];
        let played = leg.hear(now, &mut frame);
        heard.sound.extend_from_slice(&frame);
        let is_sound = played == Played::Sound && frame.iter().any(|sample| sample.abs() > 300);
        if is_sound {
            heard.first_sound.get_or_insert(now);
        }
        (quiet, sounded) = if is_sound { (0, sounded + 1) } else { (quiet + 1, sounded) };
        let may_go_on = to_say.is_empty() && now >= resumes_at;
        match acts.peek() {
            Some(Act::Listen) if sounded < 10 || quiet < 30 => {}
            Some(Act::HearFor(time)) if Duration::from_millis(20 * sounded) < *time => {}
            Some(act) if may_go_on => {
                match act {
                    Act::Listen | Act::HearFor(_) => {}
                    Act::Say(sentence) => {
                        heard.spoke.push(heard.sound.len());
                        to_say = sentence.samples();
                    }
                    Act::Beep(hertz) => {
                        heard.spoke.push(heard.sound.len());
                        to_say = tone(*hertz);
                    }
                    Act::Press(sign) => assert!(leg.press(Key::new(*sign).expect("a key"))),
                    Act::Pause(time) => resumes_at = now + *time,
                    Act::HangUp => call.hang_up().await,
                }
                sounded = 0;
                acts.next();
            }
            _ => {}
        }
        let count = to_say.len().min(160);
        frame.fill(0);
        frame[..count].copy_from_slice(&to_say[..count]);
        to_say.drain(..count);
        leg.speak(now, &frame, |datagram| {
            if datagram.channel == Channel::Rtp {
                let _ = socket.send_to(datagram.bytes, datagram.to);
            }
        });
    }
}

/// How long a tone is, in samples.
pub const BEEP: usize = 8000;

/// A second of a tone.
#[expect(clippy::cast_possible_truncation, reason = "at most 8,000")]
fn tone(hertz: f32) -> Vec<i16> {
    let at = |sample: u16| (f32::from(sample) * hertz / 8000.0 * std::f32::consts::TAU).sin() * 8000.0;
    (0..8000).map(|sample| at(sample) as i16).collect()
}
