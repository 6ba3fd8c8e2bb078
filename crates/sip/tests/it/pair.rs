//! Two user agents of ours.

use std::net::SocketAddr;
use std::time::Duration;

use sip::{Changed, End, Event, Failure, Health, Side, Transport, Trunk};
use tokio::net::{TcpListener, UdpSocket};

use crate::support::{
    ANSWER, OFFER, answered, callee, caller, end_of, incoming, next, order, settings, talk_and_hang_up,
    trunk, until_empty, until_health,
};

#[tokio::test]
async fn a_call_rings_is_answered_and_ends_when_either_side_hangs_up() {
    for (transport, ends) in
        [(Transport::Udp, Side::Us), (Transport::Udp, Side::Them), (Transport::Tcp, Side::Them)]
    {
        let (there, mut calls) = callee().await;
        let here = caller(vec![Trunk { transport, ..trunk(there.address()) }]).await;
        let mut call = here.call(order("+15125550199"));
        let mut theirs = incoming(&mut calls).await;
        assert_eq!((theirs.to.as_str(), theirs.from.as_deref()), ("+15125550199", Some("+15125550100")));
        assert_eq!(theirs.offer.as_deref(), Some(OFFER));
        theirs.call.ring().await;
        assert!(matches!(next(&mut call).await, Event::Ringing), "{transport:?}");
        theirs.call.answer(ANSWER.to_vec()).await;
        assert_eq!(answered(&mut call).await, ANSWER);
        answered(&mut theirs.call).await;
        let (first, other) = match ends {
            Side::Us => (&call, Side::Them),
            Side::Them => (&theirs.call, Side::Us),
        };
        first.hang_up().await;
        assert_eq!(end_of(&mut call).await, End::HungUp(ends), "{transport:?}");
        assert_eq!(end_of(&mut theirs.call).await, End::HungUp(other), "{transport:?}");
        assert!(call.next().await.is_none());
        until_empty(&here).await;
        until_empty(&there).await;
        here.stop().await;
        there.stop().await;
    }
}

#[tokio::test]
async fn what_the_other_side_answers_is_what_the_call_ends_with() {
    let (there, mut calls) = callee().await;
    let here = caller(vec![trunk(there.address())]).await;
    for (status, expected) in [
        (486, Failure::Busy),
        (603, Failure::Declined),
        (480, Failure::NoAnswer),
        (404, Failure::InvalidNumber),
        (488, Failure::NoCommonCodec),
        (403, Failure::Forbidden),
        (503, Failure::Carrier(Some(503))),
    ] {
        let mut call = here.call(order("+15125550199"));
        let mut theirs = incoming(&mut calls).await;
        theirs.call.reject(status).await;
        assert_eq!(end_of(&mut call).await, End::Failed(expected), "{status}");
        assert!(matches!(end_of(&mut theirs.call).await, End::Failed(_)));
    }
    until_empty(&here).await;
    until_empty(&there).await;
}

#[tokio::test]
async fn a_call_can_be_called_off_while_it_rings() {
    let (there, mut calls) = callee().await;
    let here = caller(vec![trunk(there.address())]).await;
    let mut call = here.call(order("+15125550199"));
    let mut theirs = incoming(&mut calls).await;
    theirs.call.ring().await;
    assert!(matches!(next(&mut call).await, Event::Ringing));
    call.hang_up().await;
    assert_eq!(end_of(&mut call).await, End::Failed(Failure::Cancelled));
    assert_eq!(end_of(&mut theirs.call).await, End::Failed(Failure::Cancelled));
    // One whose owner lost interest is called off as well.
    let forgotten = here.call(order("+15125550199"));
    let mut theirs = incoming(&mut calls).await;
    theirs.call.ring().await;
    drop(forgotten);
    assert_eq!(end_of(&mut theirs.call).await, End::Failed(Failure::Cancelled));
    until_empty(&here).await;
    until_empty(&there).await;
}

#[tokio::test]
async fn nobody_lets_it_ring_for_ever() {
    let (there, mut calls) = callee().await;
    let here = caller(vec![trunk(there.address())]).await;
    let mut call = here.call(sip::Order { rings_for: Duration::from_millis(300), ..order("+15125550199") });
    let mut theirs = incoming(&mut calls).await;
    theirs.call.ring().await;
    assert_eq!(end_of(&mut call).await, End::Failed(Failure::NoAnswer));
    assert_eq!(end_of(&mut theirs.call).await, End::Failed(Failure::Cancelled));
}

#[tokio::test]
async fn sound_before_the_answer_changes_and_keys_pass_through() {
    let (there, mut calls) = callee().await;
    let here = caller(vec![trunk(there.address())]).await;
    let mut call = here.call(order("+15125550199"));
    let mut theirs = incoming(&mut calls).await;
    theirs.call.early_media(ANSWER.to_vec()).await;
    assert!(matches!(next(&mut call).await, Event::EarlyMedia(description) if description == ANSWER));
    theirs.call.answer(ANSWER.to_vec()).await;
    answered(&mut call).await;
    answered(&mut theirs.call).await;

    let held = async {
        let Event::Offered(offer) = next(&mut theirs.call).await else { panic!("an offer") };
        assert_eq!(offer.description.as_deref(), Some(&b"hold"[..]));
        offer.accept(b"held".to_vec()).await;
    };
    let (changed, ()) = tokio::join!(call.offer(b"hold".to_vec()), held);
    assert_eq!(changed, Changed::Agreed(b"held".to_vec()));

    let refused = async {
        let Event::Offered(offer) = next(&mut call).await else { panic!("an offer") };
        drop(offer);
    };
    let (changed, ()) = tokio::join!(theirs.call.offer(b"video".to_vec()), refused);
    assert_eq!(changed, Changed::Refused);

    call.press('#').await;
    assert!(matches!(next(&mut theirs.call).await, Event::Key('#')));
    drop(call);
    assert_eq!(end_of(&mut theirs.call).await, End::HungUp(Side::Them), "a call that is dropped is hung up");
    until_empty(&here).await;
    until_empty(&there).await;
}

#[tokio::test]
async fn strangers_get_no_answer_at_all() {
    let elsewhere: SocketAddr = "192.0.2.1:5060".parse().expect("an address");
    let (there, mut calls) =
        sip::UserAgent::start(settings(vec![trunk(elsewhere)])).await.expect("it starts");
    let here = caller(vec![trunk(there.address())]).await;
    let mut call = here.call(sip::Order { rings_for: Duration::from_secs(2), ..order("+15125550199") });
    assert_eq!(end_of(&mut call).await, End::Failed(Failure::NoAnswer));
    assert!(calls.try_recv().is_err());
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a socket");
    socket.send_to(b"\r\n\r\n", there.address()).await.expect("sent");
    let mut buffer = [0; 10];
    let answer = tokio::time::timeout(Duration::from_millis(300), socket.recv_from(&mut buffer)).await;
    assert!(answer.is_err(), "not even a keep-alive is answered");
}

/// An address at which nobody takes connections.
async fn nobody() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a socket");
    listener.local_addr().expect("an address")
}

#[tokio::test]
async fn another_trunk_is_tried_if_the_first_certainly_did_not_ring() {
    let (first, mut first_calls) = callee().await;
    let (second, mut second_calls) = callee().await;
    let absent = Trunk { transport: Transport::Tcp, ..trunk(nobody().await) };
    let here = caller(vec![absent, trunk(first.address()), trunk(second.address())]).await;
    let mut call = here.call(order("+15125550199"));
    incoming(&mut first_calls).await.call.reject(503).await;
    let theirs = incoming(&mut second_calls).await;
    theirs.call.answer(ANSWER.to_vec()).await;
    answered(&mut call).await;
}

#[tokio::test]
async fn what_may_have_rung_is_not_called_again() {
    let (first, mut first_calls) = callee().await;
    let (second, mut second_calls) = callee().await;
    let here = caller(vec![trunk(first.address()), trunk(second.address())]).await;
    // The number is busy: that is its own answer.
    let mut call = here.call(order("+15125550199"));
    incoming(&mut first_calls).await.call.reject(486).await;
    assert_eq!(end_of(&mut call).await, End::Failed(Failure::Busy));
    // It rang, and then the trunk failed.
    let mut call = here.call(order("+15125550199"));
    let theirs = incoming(&mut first_calls).await;
    theirs.call.ring().await;
    assert!(matches!(next(&mut call).await, Event::Ringing));
    theirs.call.reject(503).await;
    assert_eq!(end_of(&mut call).await, End::Failed(Failure::Carrier(Some(503))));
    assert!(second_calls.try_recv().is_err());
}

#[tokio::test]
async fn a_trunk_that_answers_is_up_one_that_does_not_is_down_and_not_used() {
    let (there, _calls) = callee().await;
    let here = caller(vec![trunk(there.address())]).await;
    until_health(&here, |health| *health == Health::Up).await;
    let absent = Trunk { transport: Transport::Tcp, ..trunk(nobody().await) };
    let here = caller(vec![absent]).await;
    until_health(&here, |health| matches!(health, Health::Down(_))).await;
    let mut call = here.call(order("+15125550199"));
    assert_eq!(end_of(&mut call).await, End::Failed(Failure::NoTrunk));
}

#[tokio::test]
async fn an_address_that_is_taken_is_said_at_the_start() {
    let (there, _calls) = callee().await;
    let taken = sip::Settings { listen: there.address(), ..settings(Vec::new()) };
    assert!(matches!(sip::UserAgent::start(taken).await, Err(sip::StartError::Address(..))));
}

#[tokio::test]
async fn a_hundred_calls_leave_nothing_behind() {
    let (there, mut calls) = callee().await;
    let here = caller(vec![trunk(there.address())]).await;
    for _ in 0..100 {
        let mut call = here.call(order("+15125550199"));
        let mut theirs = incoming(&mut calls).await;
        talk_and_hang_up(&mut call, &mut theirs.call).await;
    }
    until_empty(&here).await;
    until_empty(&there).await;
}
