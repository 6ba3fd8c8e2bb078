//! Wishes not to be called again that stand in no report of the talk, only in what the engine writes down of it afterwards.

use std::time::Duration;

use domain::call::{Ending, Findings, Party, Progress, Report, Utterance};
use domain::engine::Fate;
use domain::{CallId, Clock as _, Mode};
use store::opt_outs::{Certainty, OptOut};
use testkit::{Switchboard, databases};

use crate::bench::{Bench, MARIA, phone};

const REMOVE_ME: &str = "Please take me off your list and never call me again.";

const COMPLAINT: &str = "You people keep calling me.";

fn said(by: Party, text: &str) -> Utterance {
    let (start, end) = (Duration::from_secs(1), Duration::from_secs(2));
    Utterance { by, text: text.to_owned(), start, end, interrupted: false }
}

/// What an engine has written down of a talk.
fn transcript(words: &[(Party, &str)]) -> Progress {
    let transcript = words.iter().map(|(by, text)| said(*by, text)).collect();
    Progress::Found(Box::new(Findings { transcript, ..Findings::default() }))
}

/// The other party has hung up after so many seconds.
fn ended(bench: &Bench, seconds: u64) -> Progress {
    let talked = Some(Duration::from_secs(seconds));
    let ending = Ending::Talked { answered_at: Some(bench.clock.now()), talked };
    Progress::Ended { ending, reason: "caller-hung-up".to_owned() }
}

async fn wish(bench: &Bench, number: &'static str) -> Option<OptOut> {
    let all = bench.read(|tx| Box::pin(async move { store::opt_outs::all(tx).await })).await;
    all.into_iter().find(|wish| wish.phone_number == phone(number))
}

async fn is_written_down(bench: &Bench, id: CallId) {
    crate::until("the transcript is kept", async || {
        let kept = bench.read(move |tx| Box::pin(async move { store::findings::get(tx, id).await })).await;
        kept.is_some_and(|found| !found.transcript.is_empty())
    })
    .await;
}

/// A talk as its engine has written it down, and how the number of its other party is blocked by that: while they still talk, and once
/// they have hung up.
struct Talk {
    number: &'static str,
    words: &'static [(Party, &'static str)],
    talking: Option<Certainty>,
    over: Option<Certainty>,
}

const TALKS: [Talk; 4] = [
    Talk {
        number: "+15125550101",
        words: &[(Party::Agent, "Hi, it's Kai."), (Party::Caller, REMOVE_ME)],
        talking: Some(Certainty::Clear),
        over: Some(Certainty::Clear),
    },
    Talk {
        number: "+15125550102",
        words: &[(Party::Caller, COMPLAINT)],
        talking: None,
        over: Some(Certainty::Doubtful),
    },
    Talk { number: "+15125550103", words: &[(Party::Agent, REMOVE_ME)], talking: None, over: None },
    Talk { number: "+15125550104", words: &[(Party::Caller, "I need a roof.")], talking: None, over: None },
];

#[tokio::test]
async fn a_wish_that_only_the_engines_own_transcript_holds_blocks_the_number() {
    for database in databases().await {
        let bench = Bench::start(&database, Switchboard::local("voice")).await;
        for Talk { number, words, talking, over } in TALKS {
            let blocked = async || wish(&bench, number).await.map(|wish| wish.certainty);
            // The transcript comes while they talk.
            let id = bench.answered(bench.order(number)).await;
            bench.engine.say(id, bench.clock.now(), "Hello?").await;
            bench.engine.report(id, bench.clock.now(), transcript(words)).await;
            is_written_down(&bench, id).await;
            assert_eq!(blocked().await, talking, "{}: {words:?}, talking", database.kind);
            bench.over(id).await;
            assert_eq!(blocked().await, over, "{}: {words:?}, over", database.kind);
            assert_eq!(bench.place(bench.order(number)).await.is_err(), over.is_some(), "{words:?}");
            let source = wish(&bench, number).await.map(|wish| wish.source);
            assert_eq!(source, over.map(|_| format!("call {id}")), "{words:?}");

            // It comes when the call is final.
            let _lifted =
                app::opt_outs::lift(&bench.app().for_itself(), bench.business(), Mode::Live, phone(number))
                    .await;
            let id = bench.answered(bench.order(number)).await;
            bench.engine.say(id, bench.clock.now(), "Hello?").await;
            bench.engine.report(id, bench.clock.now(), ended(&bench, 5)).await;
            bench.final_call(id).await;
            assert_eq!(blocked().await, None, "{}: {words:?}, not told yet", database.kind);
            bench.engine.report(id, bench.clock.now(), transcript(words)).await;
            is_written_down(&bench, id).await;
            assert_eq!(blocked().await, over, "{}: {words:?}, told late", database.kind);
        }
        bench.platform.stop().await;
    }
}

#[tokio::test]
async fn what_the_engine_wrote_down_counts_and_not_what_it_misheard_before() {
    for database in databases().await {
        let bench = Bench::start(&database, Switchboard::local("voice")).await;
        let id = bench.answered(bench.order(MARIA)).await;
        bench.engine.say(id, bench.clock.now(), COMPLAINT).await;
        bench.heard(id, 1).await;
        let corrected = transcript(&[(Party::Caller, "Thank you for calling me back.")]);
        bench.engine.report(id, bench.clock.now(), corrected).await;
        bench.over(id).await;
        assert_eq!(wish(&bench, MARIA).await, None, "{}", database.kind);
        bench.platform.stop().await;
    }
}

/// A call whose process and engine fell silent, as its engine tells of it when it is asked again much later.
async fn told_late(bench: &Bench, words: &[(Party, &str)]) -> CallId {
    let id = bench.answered(bench.order(MARIA)).await;
    let at = bench.clock.now();
    bench.engine.tell_fate(id, Ok(Fate::Unknown));
    bench.pass(900).await;
    let lost = bench.final_call(id).await;
    assert_eq!(lost.ended_reason(), Some("engine-lost"));
    let reports = [transcript(words), ended(bench, 40)];
    let reports = reports.map(|progress| Report { call_id: id, at, progress }).to_vec();
    bench.engine.tell_fate(id, Ok(Fate::Reports(reports)));
    bench.pass(60).await;
    is_written_down(bench, id).await;
    id
}

#[tokio::test]
async fn a_wish_that_an_engine_tells_of_only_when_it_is_asked_long_after_the_call_blocks_the_number() {
    for database in databases().await {
        let bench = Bench::start(&database, Switchboard::elsewhere("carrier")).await;
        let id = told_late(&bench, &[(Party::Caller, REMOVE_ME)]).await;
        let wish = wish(&bench, MARIA).await.expect("she said so");
        assert_eq!(
            (wish.certainty, wish.source),
            (Certainty::Clear, format!("call {id}")),
            "{}",
            database.kind
        );
        assert!(bench.place(bench.order(MARIA)).await.is_err(), "{}", database.kind);
        bench.platform.stop().await;
    }
}
