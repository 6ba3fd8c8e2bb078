//! A foreign user agent, sipp, as the one who is called, who calls, and with whom we register.
//!
//! These run where sipp is found (Debian: `sip-tester`); `cargo xtask test` installs it where it can.

use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use rtp::sdp::{Description, Direction};
use rtp::{Channel, Codec, Encryption, Identity, Latching, Leg, Local, Negotiator, Played};
use sip::{Call, Credentials, End, Event, Failure, Health, Side, Transport, Trunk};
use sipp::{Sipp, is_here};
use tokio::time::Instant;

use crate::support::{
    ANSWER, answered, callee, caller, end_of, incoming, next, order, until_empty, until_health,
};

async fn play(steps: String, calls: Option<SocketAddr>, options: &'static [&'static str]) -> Sipp {
    Sipp::play_aside(steps, calls, Vec::new(), options).await
}

/// A trunk that is sipp, whose scenarios take a question for the call that they wait for.
fn trunk(to: SocketAddr) -> Trunk {
    Trunk { asks: false, ..crate::support::trunk(to) }
}

/// An address of this machine whose port was free a moment ago.
fn free_address() -> SocketAddr {
    UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a free port")
}

const SOUND: &str = "v=0\no=sipp 1 1 IN IP4 127.0.0.1\ns=-\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio [media_port] RTP/AVP 0 101\n\
    a=rtpmap:0 PCMU/8000\na=rtpmap:101 telephone-event/8000\na=fmtp:101 0-15\n";

/// An answer that says only that the request has come, and may be left out.
const TRYING: &str = "<recv response=\"100\" optional=\"true\"></recv>\n";

fn receive(method: &str) -> String {
    format!("<recv request=\"{method}\" crlf=\"true\" rrs=\"true\"></recv>\n")
}

fn answer(status: &str, headers: &str, body: &str) -> String {
    let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\n" };
    format!(
        "<send><![CDATA[\n\nSIP/2.0 {status}\n[last_Via:]\n[last_From:]\n[last_To:];tag=[pid]SIPpTag01[call_number]\n[last_Call-ID:]\n\
         [last_CSeq:]\n[last_Record-Route:]\nContact: <sip:[local_ip]:[local_port];transport=[transport]>\n{headers}{kind}\
         Content-Length: [len]\n\n{body}]]></send>\n"
    )
}

/// An answer in a dialog, whose header To has its tag.
fn confirm(status: &str) -> String {
    format!(
        "<send><![CDATA[\n\nSIP/2.0 {status}\n[last_Via:]\n[last_From:]\n[last_To:]\n[last_Call-ID:]\n[last_CSeq:]\n\
         Contact: <sip:[local_ip]:[local_port];transport=[transport]>\nContent-Length: 0\n\n]]></send>\n"
    )
}

/// A request of sipp in a call that it took.
fn request(method: &str, sequence: u32, headers: &str, body: &str) -> String {
    format!(
        "<send retrans=\"500\"><![CDATA[\n\n{method} [next_url] SIP/2.0\nVia: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]\n\
         From: <sip:sipp@[local_ip]:[local_port]>;tag=[pid]SIPpTag01[call_number]\nTo[$caller]\n[last_Call-ID:]\nCSeq: {sequence} {method}\n\
         Contact: <sip:[local_ip]:[local_port];transport=[transport]>\nMax-Forwards: 70\n{headers}Content-Length: [len]\n\n{body}]]></send>\n"
    )
}

/// Takes the INVITE, and keeps the caller's address for requests of sipp's own.
fn receive_invite() -> String {
    "<recv request=\"INVITE\" crlf=\"true\" rrs=\"true\"><action><ereg regexp=\":.*\" search_in=\"hdr\" header=\"From\" assign_to=\"caller\"/>\
     </action></recv>\n"
        .to_owned()
}

fn is_said(what: &str) -> String {
    format!("<recv response=\"{what}\"></recv>\n")
}

/// Ends with the other side's goodbye.
fn goodbye_of_theirs() -> String {
    receive("BYE") + &confirm("200 OK")
}

fn credentials() -> Credentials {
    Credentials { username: "kai".to_owned(), password: "secret".to_owned() }
}

/// Checks the answer to a challenge by the password.
fn proven(method: &str) -> String {
    format!(
        "<recv request=\"{method}\" crlf=\"true\" rrs=\"true\"><action>\
         <verifyauth assign_to=\"proven\" username=\"kai\" password=\"secret\"/></action></recv>\n\
         <nop hide=\"true\" test=\"proven\" next=\"good\"/>\n"
    )
}

async fn hang_up(mut call: Call) {
    call.hang_up().await;
    assert_eq!(end_of(&mut call).await, End::HungUp(Side::Us));
}

#[tokio::test]
async fn sipp_is_called_and_either_side_hangs_up() {
    if !is_here() {
        return;
    }
    for (transport, option) in [(Transport::Udp, &["-t", "u1"]), (Transport::Tcp, &["-t", "t1"])] {
        let opening = receive_invite()
            + &answer("180 Ringing", "", "")
            + &answer("200 OK", "", SOUND)
            + &receive("ACK");
        let sipp = play(opening.clone() + &goodbye_of_theirs(), None, option).await;
        let here = caller(vec![Trunk { transport, ..trunk(sipp.address()) }]).await;
        let mut call = here.call(order("+15125550199"));
        answered(&mut call).await;
        hang_up(call).await;
        sipp.ends_well_aside().await;

        // The number of their goodbye is far from the one before, which is allowed.
        let sipp = play(opening + &request("BYE", 977, "", "") + &is_said("200"), None, option).await;
        let here = caller(vec![Trunk { transport, ..trunk(sipp.address()) }]).await;
        let mut call = here.call(order("+15125550199"));
        answered(&mut call).await;
        assert_eq!(end_of(&mut call).await, End::HungUp(Side::Them), "{transport:?}");
        sipp.ends_well_aside().await;
        until_empty(&here).await;
    }
}

#[tokio::test]
async fn a_challenge_is_answered_with_the_password_and_a_second_one_is_final() {
    if !is_here() {
        return;
    }
    // sipp checks passwords in the header Authorization only.
    let shown = "<recv request=\"INVITE\" crlf=\"true\" rrs=\"true\"><action><ereg regexp=\"Digest username=.kai., realm=.test., nonce=.n1.\" \
        search_in=\"hdr\" header=\"Proxy-Authorization:\" check_it=\"true\" assign_to=\"held\"/></action></recv>\n";
    let checked =
        proven("INVITE") + &answer("403 Forbidden", "", "") + &receive("ACK") + "<label id=\"good\"/>\n";
    for (status, header, proof) in [
        (
            "401 Unauthorized",
            "WWW-Authenticate: Digest realm=\"test\", nonce=\"n1\", algorithm=MD5\n",
            checked.as_str(),
        ),
        (
            "407 Proxy Authentication Required",
            "Proxy-Authenticate: Digest realm=\"test\", nonce=\"n1\", qop=\"auth\"\n",
            shown,
        ),
    ] {
        let steps = receive("INVITE")
            + &answer(status, header, "")
            + &receive("ACK")
            + proof
            + &answer("200 OK", "", SOUND)
            + &receive("ACK")
            + &goodbye_of_theirs();
        let sipp = play(steps, None, &[]).await;
        let here = caller(vec![Trunk { credentials: Some(credentials()), ..trunk(sipp.address()) }]).await;
        let mut call = here.call(order("+15125550199"));
        answered(&mut call).await;
        hang_up(call).await;
        sipp.ends_well_aside().await;
    }
    let steps = receive("INVITE")
        + &answer(
            "407 Proxy Authentication Required",
            "Proxy-Authenticate: Digest realm=\"x\", nonce=\"1\"\n",
            "",
        )
        + &receive("ACK");
    let sipp = play(steps, None, &[]).await;
    let here = caller(vec![trunk(sipp.address())]).await;
    assert_eq!(
        end_of(&mut here.call(order("+15125550199"))).await,
        End::Failed(Failure::Forbidden),
        "no password is known"
    );
    sipp.ends_well_aside().await;
}

#[tokio::test]
async fn sipp_lets_us_hear_something_before_it_answers_and_holds_us_later() {
    if !is_here() {
        return;
    }
    let held = SOUND.to_owned() + "a=sendonly\n";
    let steps = receive_invite()
        + &answer("183 Session Progress", "", SOUND)
        + "<pause milliseconds=\"200\"/>\n"
        + &answer("200 OK", "", SOUND)
        + &receive("ACK")
        + &request("INFO", 4, "Content-Type: application/dtmf-relay\n", "Signal=7\nDuration=160\n")
        + &is_said("200")
        + &request("OPTIONS", 5, "", "")
        + &is_said("200")
        + &request("INVITE", 6, "Content-Type: application/sdp\n", &held)
        + TRYING
        + "<recv response=\"200\"><action><ereg regexp=\"a=recvonly\" search_in=\"body\" check_it=\"true\" assign_to=\"held\"/></action></recv>\n"
        + &request("ACK", 6, "", "").replace(" retrans=\"500\"", "")
        + &request("BYE", 7, "", "")
        + &is_said("200");
    let sipp = play(steps, None, &[]).await;
    let here = caller(vec![trunk(sipp.address())]).await;
    let mut negotiator = Negotiator::new(local(free_address()));
    let offer = negotiator.offer(Direction::SendReceive).to_string().into_bytes();
    let mut call = here.call(sip::Order { offer, ..order("+15125550199") });
    let Event::EarlyMedia(description) = next(&mut call).await else { panic!("something to hear") };
    assert!(Description::parse(&description).is_ok());
    let description = Description::parse(&answered(&mut call).await).expect("a description");
    assert!(!negotiator.accept(&description).expect("an agreement").is_held());
    assert!(matches!(next(&mut call).await, Event::Key('7')));
    let Event::Offered(offer) = next(&mut call).await else { panic!("an offer") };
    let theirs =
        Description::parse(offer.description.as_deref().expect("a description")).expect("a description");
    let (ours, agreement) = negotiator.answer(&theirs, Direction::SendReceive).expect("an agreement");
    assert!(agreement.is_held());
    offer.accept(ours.to_string().into_bytes()).await;
    assert_eq!(end_of(&mut call).await, End::HungUp(Side::Them));
    sipp.ends_well_aside().await;
}

#[tokio::test]
async fn we_register_with_our_password_and_take_it_back_when_we_stop() {
    if !is_here() {
        return;
    }
    let challenge = answer(
        "401 Unauthorized",
        "WWW-Authenticate: Digest realm=\"test\", nonce=\"n1\", algorithm=MD5\n",
        "",
    );
    let steps = receive("REGISTER")
        + &challenge
        + &proven("REGISTER")
        + &answer("403 Forbidden", "", "")
        + "<label id=\"good\"/>\n"
        + &answer("200 OK", "Expires: 600\n", "")
        + "<recv request=\"REGISTER\"><action><ereg regexp=\"Expires: 0\" search_in=\"msg\" check_it=\"true\" assign_to=\"caller\"/></action></recv>\n"
        + &answer("200 OK", "Expires: 0\n", "");
    let sipp = play(steps, None, &[]).await;
    let here =
        caller(vec![Trunk { registers: true, credentials: Some(credentials()), ..trunk(sipp.address()) }])
            .await;
    until_health(&here, |health| *health == Health::Up).await;
    here.stop().await;
    sipp.ends_well_aside().await;
}

#[tokio::test]
async fn sipp_calls_us_and_changes_its_mind() {
    if !is_here() {
        return;
    }
    let invite = "<send retrans=\"500\"><![CDATA[\n\nINVITE sip:+15125550100@[remote_ip]:[remote_port] SIP/2.0\n\
        Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]\nFrom: <sip:anonymous@[local_ip]>;tag=[pid]T[call_number]\n\
        To: <sip:+15125550100@[remote_ip]>\nCall-ID: [call_id]\nCSeq: 1 INVITE\nContact: <sip:sipp@[local_ip]:[local_port]>\n\
        P-Asserted-Identity: \"Somebody\" <sip:+15125550142@[local_ip]>\nMax-Forwards: 70\nContent-Type: application/sdp\n\
        Content-Length: [len]\n\n"
        .to_owned()
        + SOUND
        + "]]></send>\n";
    let in_dialog = |method: &str, sequence: u32| {
        format!(
            "<send><![CDATA[\n\n{method} sip:+15125550100@[remote_ip]:[remote_port] SIP/2.0\n\
             Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]\nFrom: <sip:anonymous@[local_ip]>;tag=[pid]T[call_number]\n\
             [last_To:]\nCall-ID: [call_id]\nCSeq: {sequence} {method}\nMax-Forwards: 70\nContent-Length: 0\n\n]]></send>\n"
        )
    };
    let (there, mut calls) = callee().await;
    let ringing = invite.clone() + TRYING + &is_said("180");
    let steps = ringing + &is_said("200") + &in_dialog("ACK", 1) + &in_dialog("BYE", 2) + &is_said("200");
    let sipp = play(steps, Some(there.address()), &[]).await;
    let mut theirs = incoming(&mut calls).await;
    assert_eq!((theirs.to.as_str(), theirs.from.as_deref()), ("+15125550100", Some("+15125550142")));
    theirs.call.ring().await;
    theirs.call.answer(ANSWER.to_vec()).await;
    answered(&mut theirs.call).await;
    assert_eq!(end_of(&mut theirs.call).await, End::HungUp(Side::Them));
    sipp.ends_well_aside().await;

    // This confirmation belongs to the transaction of the INVITE, and says so by the same branch.
    let own = "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]";
    let confirmed_refusal = in_dialog("ACK", 1).replace(own, "[last_Via:]");
    let busy = invite + TRYING + &is_said("486") + &confirmed_refusal;
    let sipp = play(busy, Some(there.address()), &[]).await;
    let mut theirs = incoming(&mut calls).await;
    theirs.call.reject(486).await;
    assert_eq!(end_of(&mut theirs.call).await, End::Failed(Failure::Busy));
    sipp.ends_well_aside().await;
    until_empty(&there).await;
}

/// A caller who wants to hear our offer first gives its answer in the confirmation.
#[tokio::test]
async fn sipp_calls_us_without_an_offer() {
    if !is_here() {
        return;
    }
    let request = |method: &str, sequence: u32, to: &str, body: &str| {
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\n" };
        format!(
            "<send><![CDATA[\n\n{method} sip:+15125550100@[remote_ip]:[remote_port] SIP/2.0\n\
             Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]\nFrom: <sip:+15125550142@[local_ip]>;tag=[pid]T[call_number]\n\
             {to}\nCall-ID: [call_id]\nCSeq: {sequence} {method}\nContact: <sip:sipp@[local_ip]:[local_port]>\nMax-Forwards: 70\n{kind}\
             Content-Length: [len]\n\n{body}]]></send>\n"
        )
    };
    let steps = request("INVITE", 1, "To: <sip:+15125550100@[remote_ip]>", "")
        + TRYING
        + &is_said("200")
        + &request("ACK", 1, "[last_To:]", SOUND)
        + &receive("BYE")
        + &confirm("200 OK");
    let (there, mut calls) = callee().await;
    let sipp = play(steps, Some(there.address()), &[]).await;
    let mut theirs = incoming(&mut calls).await;
    assert_eq!(theirs.offer, None);
    let mut negotiator = Negotiator::new(local(free_address()));
    theirs.call.answer(negotiator.offer(Direction::SendReceive).to_string().into_bytes()).await;
    let description = Description::parse(&answered(&mut theirs.call).await).expect("a description");
    let agreement = negotiator.accept(&description).expect("an agreement");
    assert_eq!(agreement.codec, Codec::Pcmu);
    hang_up(theirs.call).await;
    sipp.ends_well_aside().await;
}

fn local(address: SocketAddr) -> Local {
    Local {
        address: address.ip(),
        port: address.port(),
        codecs: Codec::ALL.to_vec(),
        encryption: Encryption::Off,
        session_id: 1,
    }
}

/// A whole call with sound: sipp sends back what it hears, so that our tone comes back over the wire.
#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "sound needs a clock that runs")]
async fn our_tone_comes_back_from_sipp() {
    if !is_here() {
        return;
    }
    let steps = receive("INVITE") + &answer("200 OK", "", SOUND) + &receive("ACK") + &goodbye_of_theirs();
    let sipp = play(steps, None, &["-rtp_echo"]).await;
    let here = caller(vec![trunk(sipp.address())]).await;
    let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.expect("a socket");
    let mut negotiator = Negotiator::new(local(socket.local_addr().expect("an address")));
    let offer = negotiator.offer(Direction::SendReceive).to_string().into_bytes();
    let mut call = here.call(sip::Order { offer, ..order("+15125550199") });
    let description = Description::parse(&answered(&mut call).await).expect("a description");
    let identity =
        Identity { ssrc: 7, sequence: 1, timestamp: 1, name: "test".to_owned(), since_1970: Duration::ZERO };
    let mut leg = Leg::new(identity, Latching::Never);
    leg.agree(negotiator.accept(&description).expect("an agreement"));

    let begun = Instant::now();
    let mut ticks = tokio::time::interval(Duration::from_millis(20));
    let (mut heard, mut buffer) = (Vec::new(), [0; 2048]);
    for tick in 0..150_u32 {
        ticks.tick().await;
        let now = begun.elapsed();
        while let Ok((length, from)) = socket.try_recv_from(&mut buffer) {
            leg.handle_rtp(now, from, &buffer[..length]);
        }
        let mut out = [0; 160];
        if leg.hear(now, &mut out) == Played::Sound {
            heard.extend_from_slice(&out);
        }
        let tone: Vec<i16> = (tick * 160..tick * 160 + 160).map(sample).collect();
        leg.speak(now, &tone, |transmit| {
            if transmit.channel == Channel::Rtp {
                // What the network does not take is lost, as on any network.
                let _ = socket.try_send_to(transmit.bytes, transmit.to);
            }
        });
    }
    hang_up(call).await;
    sipp.ends_well_aside().await;
    assert!(heard.len() >= 8000, "at least a second of three: {}", heard.len());
    let (ours, other) = (strength(&heard, 440), strength(&heard, 1000));
    assert!(ours > 0.7 && other < 0.05, "440 Hz {ours}, 1000 Hz {other}");
}

/// A tone of 440 Hz.
fn sample(at: u32) -> i16 {
    let turns = f64::from(at) * 440.0 / 8000.0;
    #[expect(clippy::cast_possible_truncation, reason = "at most 8000")]
    let sample = ((turns * std::f64::consts::TAU).sin() * 8000.0) as i16;
    sample
}

/// The share of a tone in every tenth of a second of some sound, on average.
fn strength(heard: &[i16], tone: u32) -> f64 {
    let windows: Vec<f64> = heard
        .chunks_exact(800)
        .map(|window| {
            let (mut real, mut imaginary, mut all) = (0.0, 0.0, 1.0);
            for (at, sample) in (0_u32..).zip(window) {
                let angle = f64::from(at) * f64::from(tone) / 8000.0 * std::f64::consts::TAU;
                let sample = f64::from(*sample);
                real += sample * angle.cos();
                imaginary += sample * angle.sin();
                all += sample * sample;
            }
            2.0 * (real * real + imaginary * imaginary) / (all * 800.0)
        })
        .collect();
    windows.iter().sum::<f64>() / f64::from(u32::try_from(windows.len()).unwrap_or(1))
}
