//! What the tests have in common.

use std::net::SocketAddr;
use std::time::Duration;

use sip::{Authorities, Call, End, Event, Health, Incoming, Order, Settings, Transport, Trunk, UserAgent};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// Nothing here takes longer, on a machine that has other things to do as well.
pub const PATIENCE: Duration = Duration::from_secs(90);

pub const OFFER: &[u8] =
    b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";
pub const ANSWER: &[u8] =
    b"v=0\r\no=- 2 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 5000 RTP/AVP 0\r\n";

pub fn settings(trunks: Vec<Trunk>) -> Settings {
    Settings {
        listen: "127.0.0.1:0".parse().expect("an address"),
        public_address: None,
        secure: None,
        name: "KaiCalls".to_owned(),
        trunks,
        ask_every: Duration::from_secs(3600),
    }
}

pub fn trunk(to: SocketAddr) -> Trunk {
    Trunk {
        name: to.to_string(),
        host: to.ip().to_string(),
        port: to.port(),
        transport: Transport::Udp,
        authorities: Authorities::System,
        takes_wildcards: false,
        credentials: None,
        registers: false,
        asks: true,
        sources: Vec::new(),
        prefixes: Vec::new(),
        caller_id: None,
    }
}

/// Somebody who can be called from this machine.
pub async fn callee() -> (UserAgent, mpsc::Receiver<Incoming>) {
    // Nobody listens at the port for discarded packets: this trunk only brings calls.
    let brings = trunk("127.0.0.1:9".parse().expect("an address"));
    UserAgent::start(settings(vec![brings])).await.expect("it starts")
}

pub async fn caller(trunks: Vec<Trunk>) -> UserAgent {
    UserAgent::start(settings(trunks)).await.expect("it starts").0
}

pub fn order(to: &str) -> Order {
    Order {
        to: to.to_owned(),
        from: Some("+15125550100".to_owned()),
        offer: OFFER.to_vec(),
        rings_for: Duration::from_secs(30),
    }
}

pub async fn next(call: &mut Call) -> Event {
    timeout(PATIENCE, call.next()).await.expect("an event in time").expect("an event")
}

pub async fn incoming(calls: &mut mpsc::Receiver<Incoming>) -> Incoming {
    timeout(PATIENCE, calls.recv()).await.expect("a call in time").expect("a call")
}

/// How the call ends, whatever happens before.
pub async fn end_of(call: &mut Call) -> End {
    loop {
        if let Event::Ended(end) = next(call).await {
            return end;
        }
    }
}

pub async fn answered(call: &mut Call) -> Vec<u8> {
    loop {
        match next(call).await {
            Event::Answered(description) => return description,
            Event::Ended(end) => panic!("it ended instead: {end:?}"),
            _ => {}
        }
    }
}

/// The call is answered, and ended by whoever made it.
pub async fn talk_and_hang_up(call: &mut Call, theirs: &mut Call) {
    theirs.answer(ANSWER.to_vec()).await;
    answered(call).await;
    answered(theirs).await;
    call.hang_up().await;
    end_of(theirs).await;
}

/// Waits until the first trunk is as wished.
pub async fn until_health(agent: &UserAgent, wished: impl Fn(&Health) -> bool) {
    let mut health = agent.health();
    timeout(PATIENCE, health.wait_for(|all| wished(&all[0])))
        .await
        .expect("in time")
        .expect("the agent lives");
}

/// Waits until nothing is left of any call.
pub async fn until_empty(agent: &UserAgent) {
    let waiting = async {
        while agent.dialogs() > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, waiting).await.expect("every dialog is removed");
}
