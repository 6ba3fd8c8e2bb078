//! A known source that sends rubbish: what it sends is read, and nothing of it stops the service.

use std::net::SocketAddr;

use tokio::net::UdpSocket;

use crate::support::{OFFER, callee, caller, incoming, order, talk_and_hang_up, trunk, until_empty};

/// How many damaged messages are sent: as many as the gate lets through at once, nearly.
const MESSAGES: u32 = 1000;

/// Numbers without any pattern, the same ones each time.
struct Dice(u32);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        usize::try_from(self.0 >> 8).expect("24 bits") % limit.max(1)
    }
}

fn message(start: &str, method: &str, index: u32, from: SocketAddr) -> Vec<u8> {
    let head = format!(
        "{start}\r\nVia: SIP/2.0/UDP {from};branch=z9hG4bK{index};rport\r\nRecord-Route: <sip:{from};lr>\r\n\
         From: \"A, B\" <sip:+15125550142@{from}>;tag=f{index}\r\nTo: <sip:+15125550100@127.0.0.1>\r\nCall-ID: c{index}\r\n\
         CSeq: 1 {method}\r\nContact: <sip:x@{from};transport=udp>;q=0.5\r\nMax-Forwards: 70\r\n\
         Authorization: Digest username=\"a\", realm=\"b\", nonce=\"c\", uri=\"sip:d\", response=\"e\"\r\n\
         P-Asserted-Identity: <sip:+15125550142@{from}>\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n",
        OFFER.len()
    );
    [head.as_bytes(), OFFER].concat()
}

fn damaged(mut bytes: Vec<u8>, dice: &mut Dice) -> Vec<u8> {
    for _ in 0..=dice.below(6) {
        let place = dice.below(bytes.len());
        match dice.below(6) {
            0 => bytes[place] = u8::try_from(dice.below(256)).expect("a byte"),
            1 => bytes.truncate(place.max(1)),
            2 => bytes.insert(place, *b"\r\n;,<>\"@:= %\0\xFF".get(dice.below(14)).expect("a sign")),
            3 => drop(bytes.remove(place)),
            4 => {
                // A part twice.
                let end = (place + dice.below(80)).min(bytes.len());
                let part = bytes[place..end].to_vec();
                bytes.splice(place..place, part);
            }
            _ => {
                // A number that is far too large.
                bytes.splice(place..place, *b"99999999999999999999");
            }
        }
        if bytes.len() < 2 {
            return bytes;
        }
    }
    bytes
}

#[tokio::test]
async fn a_thousand_damaged_messages_do_not_stop_the_service() {
    let (there, mut calls) = callee().await;
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a socket");
    let from = socket.local_addr().expect("an address");
    let mut dice = Dice(11);
    for index in 0..MESSAGES {
        let method =
            ["INVITE", "OPTIONS", "BYE", "ACK", "CANCEL", "REGISTER", "INFO", "PRACK", "UPDATE", "NOTIFY"]
                [dice.below(10)];
        let start = match dice.below(5) {
            0 => format!("SIP/2.0 {} Whatever", dice.below(700)),
            _ => format!("{method} sip:+15125550100@{} SIP/2.0", there.address()),
        };
        let bytes = damaged(message(&start, method, index, from), &mut dice);
        socket.send_to(&bytes, there.address()).await.expect("sent");
        // Whoever called is not wanted: what they sent is refused.
        while calls.try_recv().is_ok() {}
        if index % 20 == 0 {
            tokio::task::yield_now().await;
        }
    }
    let here = caller(vec![trunk(there.address())]).await;
    let mut call = here.call(order("+15125550199"));
    let mut theirs = loop {
        let call = incoming(&mut calls).await;
        if call.to == "+15125550199" {
            break call;
        }
    };
    talk_and_hang_up(&mut call, &mut theirs.call).await;
    until_empty(&here).await;
    // The refused ones are forgotten when nobody has confirmed the refusal for half a minute.
    until_empty(&there).await;
}
