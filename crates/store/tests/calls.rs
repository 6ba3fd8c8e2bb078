//! Calls are read back as they were stored, in every state, and rows of the release before are read as well.

use std::time::Duration;

use domain::call::{
    Assessment, Call, CallFacts, CallRequest, Direction, Ending, FailureCode, Progress, Quality, Refusal,
    Step, StoredRecording, WRAP_UP_LIMIT,
};
use domain::{AgentId, BusinessId, CallId, E164, LeadId, Mode, NodeId, Timestamp};
use store::{Platform, StoreError};
use testkit::databases;
use uuid::Uuid;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("in range")
}

fn facts(number: u128) -> CallFacts {
    CallFacts {
        id: CallId(Uuid::from_u128(number)),
        business_id: BusinessId(Uuid::from_u128(2)),
        mode: Mode::Test,
        agent_id: AgentId(Uuid::from_u128(3)),
        direction: Direction::Outbound,
        to: E164::parse("+15125551234").expect("a number"),
        from: None,
        request: CallRequest {
            name: Some("Maria".to_owned()),
            context: Some("Asked for a quote.".to_owned()),
            first_message: Some("Hello Maria".to_owned()),
            webhook_url: Some("https://example.com/hook".to_owned()),
        },
        max_duration: Duration::from_secs(90),
        engine: "sandbox".to_owned(),
        policy_reason: "allowed".to_owned(),
        created_at: at(i64::try_from(number).expect("a small number")),
    }
}

fn talked() -> Progress {
    let ending = Ending::Talked { answered_at: at(20), talked: Duration::from_millis(61_234) };
    Progress::Ended { ending, reason: "caller-hung-up".to_owned() }
}

fn quality() -> Quality {
    Quality { professionalism: 100, empathy: 8, information_gathering: 70, resolution: 0 }
}

fn assessment() -> Assessment {
    Assessment {
        summary: "A talk.".to_owned(),
        quality: Some(quality()),
        analyst: "deterministic".to_owned(),
    }
}

/// A life that passes through every state, as it is after each step, and the ways in which a call can fail.
fn lives() -> Vec<Vec<Call>> {
    let mut completed = vec![Call::outbound(facts(1), None)];
    let mut next = |step: &dyn Fn(&mut Call)| {
        let mut call = completed.last().expect("there is a first one").clone();
        step(&mut call);
        completed.push(call);
    };
    next(&|call| assert!(call.dial(NodeId(Uuid::from_u128(4)))));
    next(&|call| call.name("theirs"));
    for (progress, second) in [(Progress::Ringing, 15), (Progress::Answered, 20), (talked(), 82)] {
        next(&|call| assert_ne!(call.on(&progress, at(second), at(second), WRAP_UP_LIMIT), Step::Stayed));
    }
    next(&|call| call.belong_to(LeadId(Uuid::from_u128(5))));
    next(&|call| assert!(call.conclude(12, Some(assessment()), None, at(90))));
    let duration = Some(Duration::from_millis(61_500));
    let recording =
        StoredRecording { key: "a/b.wav".to_owned(), content_type: "audio/wav".to_owned(), duration };
    next(&|call| assert!(call.enrich(None, Some(recording.clone()))));

    let mut refused = vec![Call::outbound(facts(2), None)];
    let mut call = refused[0].clone();
    let words = "the number asked not to be called".to_owned();
    let refusal = Refusal { code: FailureCode::Blocked, reason: "opted-out".to_owned(), words };
    assert!(call.refuse(refusal, at(30)));
    refused.push(call);

    let incoming = CallFacts { direction: Direction::Inbound, request: CallRequest::default(), ..facts(3) };
    let mut lost = vec![Call::inbound(incoming, None, "leg-1".to_owned(), None, at(9))];
    let mut call = lost[0].clone();
    assert_eq!(call.on(&Progress::lost(), at(40), at(41), WRAP_UP_LIMIT), Step::Failed);
    lost.push(call);
    vec![completed, refused, lost]
}

async fn insert(platform: &Platform, call: &Call) -> bool {
    let call = call.clone();
    let added = platform.write(move |tx| Box::pin(async move { store::calls::insert(tx, &call).await }));
    added.await.expect("the database works")
}

async fn update(platform: &Platform, call: &Call) {
    let call = call.clone();
    let written = platform.write(move |tx| Box::pin(async move { store::calls::update(tx, &call).await }));
    written.await.expect("the database works");
}

async fn read(platform: &Platform, id: CallId) -> Call {
    let found: Result<_, StoreError> =
        platform.read(move |tx| Box::pin(async move { store::calls::by_id(tx, id).await })).await;
    found.expect("the database works").expect("the call")
}

#[tokio::test]
async fn a_call_reads_back_as_it_was_stored_in_every_state() {
    for database in databases().await {
        let platform = database.open().await;
        for life in lives() {
            assert!(insert(&platform, &life[0]).await);
            for call in &life {
                update(&platform, call).await;
                assert_eq!(read(&platform, call.id).await, *call, "{}", database.kind);
            }
        }
    }
}

#[tokio::test]
async fn an_incoming_call_that_its_engine_brings_twice_is_stored_once() {
    for database in databases().await {
        let platform = database.open().await;
        let call = |number| {
            let incoming = CallFacts { direction: Direction::Inbound, ..facts(number) };
            Call::inbound(incoming, None, "leg-1".to_owned(), None, at(9))
        };
        assert!(insert(&platform, &call(1)).await);
        assert!(!insert(&platform, &call(2)).await, "{}", database.kind);
    }
}

/// The marks as the release before wrote them: one text, and none of the four columns.
const AS_BEFORE: &str = "UPDATE calls SET quality = '100,8,70,0', professionalism = NULL, empathy = NULL, \
                         information_gathering = NULL, resolution = NULL;";

#[tokio::test]
async fn marks_that_the_release_before_wrote_are_read_and_carried_over_by_the_migration() {
    for database in databases().await {
        let platform = database.open().await;
        let life = lives().swap_remove(0);
        let (first, last) = (&life[0], &life[life.len() - 1]);
        assert!(insert(&platform, first).await);
        update(&platform, last).await;
        let marks = async |platform: &Platform| {
            let call = read(platform, last.id).await;
            call.assessment().and_then(|assessment| assessment.quality)
        };

        // A process of the release before may still be running beside us.
        database.run_sql(AS_BEFORE).await;
        assert_eq!(marks(&platform).await, Some(quality()), "{}", database.kind);

        // The migration carries rows over, so that the text is needed no more.
        let undo = "DELETE FROM migrations WHERE number = 7; ALTER TABLE calls DROP COLUMN professionalism; \
                    ALTER TABLE calls DROP COLUMN empathy; ALTER TABLE calls DROP COLUMN information_gathering; \
                    ALTER TABLE calls DROP COLUMN resolution;";
        database.run_sql(undo).await;
        let after = database.open().await;
        database.run_sql("UPDATE calls SET quality = NULL;").await;
        assert_eq!(marks(&after).await, Some(quality()), "{}", database.kind);
    }
}
