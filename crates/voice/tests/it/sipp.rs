//! A foreign user agent, sipp, at the other end: it is called and calls, sends back what it hears, and speaks from a file.
//!
//! These run where sipp is found (Debian: `sip-tester`); `cargo xtask test` installs it where it can.

use std::net::SocketAddr;
use std::time::Duration;

use domain::call::Party;
use domain::engine::CallEngine as _;
use sipp::{SPEAKING, SPEAKS, Sipp, answer, calling, confirm, is_here, pause, receive};

use crate::sound::{ACCIDENT, GREETING, THANKS, contains};
use crate::support::{Bench, OURS, plan};

/// sipp, which speaks of an accident where its scenario says so.
async fn play(steps: String, calls: Option<SocketAddr>, options: &'static [&'static str]) -> Sipp {
    let mut speech = Vec::new();
    rtp::Codec::Pcmu.encode(&ACCIDENT.samples(), &mut speech);
    Sipp::play_aside(steps, calls, speech, options).await
}

#[tokio::test]
async fn sipp_is_called_and_its_words_are_understood_and_answered() {
    if !is_here() {
        return;
    }
    let steps = receive("INVITE")
        + &answer("180 Ringing", "")
        + &answer("200 OK", SPEAKING)
        + &receive("ACK")
        + &pause(Duration::from_secs(6))
        + SPEAKS
        + &receive("BYE")
        + &confirm();
    let sipp = play(steps, None, &[]).await;
    let bench = Bench::with_trunk(sipp.address()).await;
    bench.engine.place(plan(), bench.observer()).await.expect("it is taken");
    bench
        .notebook
        .until(|progress| matches!(progress, domain::call::Progress::Said(said) if said.text == THANKS.text))
        .await;
    bench.engine.hang_up(plan().call_id, None).await;
    let story = bench.notebook.end().await;
    sipp.ends_well_aside().await;
    let lines = story.lines();
    assert_eq!(
        lines[..3],
        [(Party::Agent, GREETING.text), (Party::Caller, ACCIDENT.text), (Party::Agent, THANKS.text)]
    );
    let (agent, caller) = bench.recording().await;
    assert!(contains(&agent, GREETING) && contains(&agent, THANKS));
    assert!(contains(&caller, ACCIDENT) && !contains(&caller, GREETING));
}

/// What sipp hears it sends back, so that our own words come back over the wire: it has heard them as they were said.
#[tokio::test]
async fn sipp_hears_what_the_agent_says() {
    if !is_here() {
        return;
    }
    let steps = receive("INVITE")
        + &answer("200 OK", &SPEAKING.replace("rtpstream_audio_port", "media_port"))
        + &receive("ACK")
        + &receive("BYE")
        + &confirm();
    let sipp = play(steps, None, &["-rtp_echo"]).await;
    let bench = Bench::with_trunk(sipp.address()).await;
    bench.engine.place(plan(), bench.observer()).await.expect("it is taken");
    bench
        .notebook
        .until(|progress| matches!(progress, domain::call::Progress::Said(said) if said.by == Party::Caller))
        .await;
    bench.engine.hang_up(plan().call_id, None).await;
    bench.notebook.end().await;
    sipp.ends_well_aside().await;
    let (agent, caller) = bench.recording().await;
    // An agent that hears somebody falls silent in the middle of a sentence; what it said until then came back.
    let said = agent.iter().rposition(|sample| sample.abs() > 300).expect("the agent spoke");
    assert!(said > 8000 && caller.iter().any(|sample| sample.abs() > 1000), "sound came back");
    assert!(resembles(&agent[..said], &caller), "and it is what was said");
}

/// True if the second sound is the first one, up to half a second later.
fn resembles(said: &[i16], heard: &[i16]) -> bool {
    let energy = |samples: &[i16]| samples.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>();
    let best = (0..4000).step_by(8).filter_map(|delay| {
        let heard = heard.get(delay..delay + said.len())?;
        let both: f64 = said.iter().zip(heard).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
        Some(both / (energy(said) * energy(heard)).sqrt().max(1.0))
    });
    best.fold(0.0, f64::max) > 0.8
}

#[tokio::test]
async fn sipp_calls_us_and_is_greeted_and_understood() {
    if !is_here() {
        return;
    }
    let steps = calling("+15125550142", OURS, Duration::from_secs(5), Duration::from_secs(9));
    let bench = Bench::with_trunk("127.0.0.1:9".parse().expect("an address")).await;
    let sipp = play(steps, bench.engine.address(), &[]).await;
    let story = bench.notebook.end().await;
    sipp.ends_well_aside().await;
    let lines = story.lines();
    assert_eq!(
        lines[..3],
        [(Party::Agent, GREETING.text), (Party::Caller, ACCIDENT.text), (Party::Agent, THANKS.text)]
    );
    assert_eq!(story.talk().1, "caller-hung-up");
}
