//! What is stored of a call while it runs, whatever its engine reports and however often.

use std::time::Duration;

use app::calls::EndAsked;
use app::idempotency::Once;
use domain::call::{Ending, FailureCode, Findings, LogLine, Party, Progress, Quality, Urgency, Utterance};
use domain::usage::{MicroDollars, Month};
use domain::{Clock as _, Mode};
use jiff::SignedDuration;
use store::opt_outs::{Certainty, OptOut};
use testkit::{Switchboard, databases};

use crate::bench::{Bench, MARIA, payload, phone};

fn said(by: Party, text: &str) -> Utterance {
    let (start, end) = (Duration::from_secs(1), Duration::from_secs(2));
    Utterance { by, text: text.to_owned(), start, end, interrupted: false }
}

async fn wishes(bench: &Bench) -> Vec<OptOut> {
    bench.read(|tx| Box::pin(async move { store::opt_outs::all(tx).await })).await
}

const CARD: &str = "My card is 4111 1111 1111 1111.";

#[tokio::test]
async fn a_card_number_is_kept_nowhere_unless_the_agent_is_set_to_keep_it() {
    for database in databases().await {
        let bench = Bench::start(&database, Switchboard::local("voice")).await;
        for (number, keeps) in [("+15125550171", false), ("+15125550172", true)] {
            if keeps {
                bench.configure(|config| config.keep_sensitive_numbers = true).await;
            }
            let id = bench.answered(bench.order(number)).await;
            let now = bench.clock.now();
            bench.engine.say(id, now, CARD).await;
            let found = Findings {
                summary: Some(format!("The caller said: {CARD}")),
                intent: Some(CARD.to_owned()),
                transcript: vec![said(Party::Caller, CARD)],
                ..Findings::default()
            };
            bench.engine.report(id, now, Progress::Found(Box::new(found))).await;
            let done = bench.over(id).await;
            bench.at_rest().await;
            let lead = done.lead_id();
            let tenancy = bench.tenancy();
            let (transcript, lead) = bench
                .read(move |tx| {
                    let tenancy = tenancy.clone();
                    Box::pin(async move {
                        let lead = match lead {
                            Some(lead) => store::leads::get(tx, &tenancy, lead).await?,
                            None => None,
                        };
                        Ok((store::transcripts::get(tx, &tenancy, id).await?, lead))
                    })
                })
                .await;
            let mut kept = bench.words(id).await;
            kept.push(done.summary().unwrap_or_default().to_owned());
            kept.push(transcript.expect("somebody spoke").text);
            kept.push(lead.and_then(|lead| lead.fields.message).expect("the caller wants something"));
            kept.extend(bench.events(id).await.into_iter().skip(1).map(|event| event.payload));
            assert_eq!(kept.len(), 5, "{kept:?}");
            for text in kept {
                assert_eq!(text.contains("4111 1111"), keeps, "{}: {text}", database.kind);
            }
        }
        bench.platform.stop().await;
    }
}

#[tokio::test]
async fn what_is_reported_after_the_end_or_twice_changes_nothing() {
    for database in databases().await {
        let bench = Bench::start(&database, Switchboard::local("voice")).await;
        let id = bench.answered(bench.order(MARIA)).await;
        let at = bench.clock.now();
        let talked =
            |seconds| Ending::Talked { answered_at: Some(at), talked: Some(Duration::from_secs(seconds)) };
        let ended = |ending, reason: &str| Progress::Ended { ending, reason: reason.to_owned() };
        bench.engine.report(id, at, Progress::Answered).await;
        bench.engine.report(id, at, ended(talked(5), "caller-hung-up")).await;
        let done = bench.final_call(id).await;
        bench.at_rest().await;
        for progress in [
            Progress::Ringing,
            Progress::Answered,
            Progress::Accepted { conversation_id: "another".to_owned() },
            ended(talked(50), "silence"),
            ended(Ending::Failed(FailureCode::Busy), "busy"),
        ] {
            bench.engine.report(id, at, progress.clone()).await;
            bench.engine.report(id, at, ended(talked(5), "caller-hung-up")).await;
            assert_eq!(bench.call(id).await, done, "{}: {progress:?}", database.kind);
        }
        bench.at_rest().await;
        assert_eq!(bench.told(id).await, ["call.started", "call.completed"], "{}", database.kind);
        bench.platform.stop().await;
    }
}

#[tokio::test]
async fn an_engine_whose_clock_is_ahead_reports_nothing_that_is_yet_to_come() {
    for database in databases().await {
        let bench = Bench::start(&database, Switchboard::local("voice")).await;
        let id = bench.placed(bench.order(MARIA)).await.id;
        let (now, ahead) = (bench.clock.now(), bench.clock.now() + SignedDuration::from_hours(1));
        bench.engine.report(id, ahead, Progress::Ringing).await;
        bench.engine.answer(id, ahead).await;
        let call = bench.call_when(id, |call| call.answered_at().is_some()).await;
        assert_eq!((call.ringing_at(), call.answered_at()), (Some(now), Some(now)), "{}", database.kind);
        let ending = Ending::Talked { answered_at: Some(ahead), talked: Some(Duration::from_secs(3)) };
        let ended = Progress::Ended { ending, reason: "caller-hung-up".to_owned() };
        bench.engine.report(id, ahead, ended).await;
        let done = bench.final_call(id).await;
        assert!(done.ended_at().is_some_and(|ended_at| ended_at <= bench.clock.now()), "{done:?}");
        assert_eq!(done.talk().map(|talk| talk.talked), Some(Duration::from_secs(3)));
        bench.platform.stop().await;
    }
}

#[tokio::test]
async fn everything_that_is_said_is_kept_in_order_with_what_came_last_before_the_end() {
    for database in databases().await {
        let bench = Bench::start(&database, Switchboard::local("voice")).await;
        let id = bench.answered(bench.order(MARIA)).await;
        let expected: Vec<String> = (0..300).map(|number| format!("Word {number}.")).collect();
        for text in &expected {
            bench.engine.say(id, bench.clock.now(), text).await;
        }
        let done = bench.over(id).await;
        assert_eq!(bench.words(id).await, expected, "{}", database.kind);
        let tenancy = bench.tenancy();
        let transcript = bench
            .read(move |tx| {
                let tenancy = tenancy.clone();
                Box::pin(async move { store::transcripts::get(tx, &tenancy, id).await })
            })
            .await
            .expect("somebody spoke");
        assert_eq!(transcript.text.lines().count(), expected.len());
        assert!(transcript.text.ends_with("Caller: Word 299."), "{done:?}");
        bench.platform.stop().await;
    }
}

#[tokio::test]
async fn words_without_a_place_in_the_talk_get_the_one_at_which_they_came() {
    for database in databases().await {
        let bench = Bench::start(&database, Switchboard::local("voice")).await;
        let id = bench.answered(bench.order(MARIA)).await;
        bench.clock.advance(SignedDuration::from_secs(4));
        let unplaced =
            Utterance { start: Duration::ZERO, end: Duration::ZERO, ..said(Party::Caller, "Hello?") };
        bench.engine.report(id, bench.clock.now(), Progress::Said(unplaced)).await;
        bench.engine.report(id, bench.clock.now(), Progress::Said(said(Party::Agent, "Hi."))).await;
        bench.heard(id, 2).await;
        let kept =
            bench.read(move |tx| Box::pin(async move { store::call_log::utterances(tx, id).await })).await;
        let places: Vec<(u64, u64)> =
            kept.iter().map(|said| (said.start.as_secs(), said.end.as_secs())).collect();
        let mut sorted = places.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, [(1, 2), (4, 4)], "{}: {kept:?}", database.kind);
        bench.platform.stop().await;
    }
}

/// A talk, and how the number of its other party is blocked in the end; if it is, then while they still talk.
struct Wish {
    number: &'static str,
    words: &'static [(Party, &'static str)],
    blocked: Option<Certainty>,
}

const REMOVE_ME: &str = "Please take me off your list and never call me again.";

const WISHES: [Wish; 6] = [
    Wish { number: "+15125550161", words: &[(Party::Caller, REMOVE_ME)], blocked: Some(Certainty::Clear) },
    Wish { number: "+15125550162", words: &[(Party::Agent, REMOVE_ME)], blocked: None },
    Wish { number: "+15125550163", words: &[(Party::Caller, "I need a new roof.")], blocked: None },
    Wish { number: "+15125550164", words: &[], blocked: None },
    Wish {
        number: "+15125550165",
        words: &[
            (Party::Caller, "Hello."),
            (Party::Agent, "Hi, it's Kai."),
            (Party::Caller, "Stop calling me!"),
        ],
        blocked: Some(Certainty::Clear),
    },
    Wish {
        number: "+15125550166",
        words: &[(Party::Caller, "You have reached Smith and Sons. Please leave a message after the tone.")],
        blocked: None,
    },
];

#[tokio::test]
async fn who_wants_no_more_calls_is_blocked_as_soon_as_that_is_heard_and_nobody_else_is() {
    for database in databases().await {
        let bench = Bench::start(&database, Switchboard::local("voice")).await;
        for Wish { number, words, blocked: expected } in WISHES {
            let id = bench.answered(bench.order(number)).await;
            for (by, text) in words {
                bench.engine.report(id, bench.clock.now(), Progress::Said(said(*by, text))).await;
            }
            bench.heard(id, words.len()).await;
            let blocked = async || {
                let wish = wishes(&bench).await.into_iter().find(|wish| wish.phone_number == phone(number));
                wish.map(|wish| (wish.certainty, wish.source == format!("call {id}")))
            };
            assert_eq!(blocked().await.is_some(), expected.is_some(), "{}: {words:?}", database.kind);
            bench.over(id).await;
            assert_eq!(blocked().await, expected.map(|certainty| (certainty, true)), "{words:?}");
            let again = bench.place(bench.order(number)).await;
            assert_eq!(again.is_err(), expected.is_some(), "{words:?}");
        }
        bench.platform.stop().await;
    }
}

#[tokio::test]
async fn a_wish_that_stayed_doubtful_counts_from_the_end_of_the_call_and_is_marked() {
    for database in databases().await {
        let bench = Bench::start(&database, Switchboard::local("voice")).await;
        let id = bench.answered(bench.order(MARIA)).await;
        bench.engine.say(id, bench.clock.now(), "You people keep calling me.").await;
        bench.heard(id, 1).await;
        assert!(wishes(&bench).await.is_empty(), "{}: they still talk", database.kind);
        bench.over(id).await;
        let wishes = wishes(&bench).await;
        assert_eq!(wishes.len(), 1, "{}", database.kind);
        assert_eq!((wishes[0].certainty, wishes[0].mode), (Certainty::Doubtful, Mode::Live));
        bench.platform.stop().await;
    }
}

async fn end(bench: &Bench, id: domain::CallId) -> EndAsked {
    let asked = app::calls::end(bench.app(), &bench.tenancy(), id, None).await.expect("the call is there");
    let Once::New(asked) = asked else { panic!("{asked:?}") };
    asked
}

#[tokio::test]
async fn a_call_that_somebody_asks_to_end_ends_by_that_whatever_the_engine_calls_it() {
    for database in databases().await {
        let bench = Bench::start(&database, Switchboard::local("voice")).await;
        let id = bench.answered(bench.order(MARIA)).await;
        let asked_at = bench.clock.now();
        let asked = end(&bench, id).await;
        assert_eq!((asked.was_over, asked.call.end_asked_at()), (false, Some(asked_at)));
        assert_eq!(bench.engine.hang_ups(), [id], "{}", database.kind);
        // The engine did not listen, so it is asked again by whoever looks after calls, and by whoever asks again.
        bench.pass(10).await;
        assert_eq!(bench.engine.hang_ups(), [id, id]);
        assert_eq!(end(&bench, id).await.call.end_asked_at(), Some(asked_at), "the first wish counts");
        let done = bench.over(id).await;
        assert_eq!(done.ended_reason(), Some("ended-by-api"), "{}", database.kind);
        // Whoever watches the call has seen the wish, once.
        let tenancy = bench.tenancy();
        let log = bench
            .read(move |tx| {
                let tenancy = tenancy.clone();
                Box::pin(async move { store::call_log::since(tx, &tenancy, id, 0, 100).await })
            })
            .await;
        let is_wish = |line: &Option<LogLine>| matches!(line, Some(LogLine::Noted { kind, .. }) if kind == "end_requested");
        let wishes = log.iter().filter(|row| is_wish(&row.line)).count();
        assert_eq!(wishes, 1, "{}: {log:?}", database.kind);
        let late = end(&bench, id).await;
        assert!(late.was_over && late.call == done);
        bench.pass(10).await;
        assert_eq!(bench.engine.hang_ups().len(), 3, "nobody is asked to end what is over");
        let unknown =
            app::calls::end(bench.app(), &bench.tenancy(), domain::CallId(uuid::Uuid::nil()), None).await;
        assert!(unknown.is_err());
        let test = store::Tenancy::one(bench.business(), Mode::Test);
        assert!(app::calls::end(bench.app(), &test, id, None).await.is_err(), "a test key does not see it");
        bench.platform.stop().await;
    }
}

#[tokio::test]
async fn what_an_engine_finds_out_after_the_end_is_added_and_told_once() {
    let quality =
        Some(Quality { professionalism: 90, empathy: 80, information_gathering: 70, resolution: 60 });
    for database in databases().await {
        let bench = Bench::start(&database, Switchboard::local("voice")).await;
        let id = bench.answered(bench.order(MARIA)).await;
        bench.engine.say(id, bench.clock.now(), "My name is Maria Lopez.").await;
        bench.engine.report(id, bench.clock.now(), Progress::Ringing).await;
        let ending =
            Ending::Talked { answered_at: Some(bench.clock.now()), talked: Some(Duration::from_secs(61)) };
        let ended = Progress::Ended { ending, reason: "caller-hung-up".to_owned() };
        bench.engine.report(id, bench.clock.now(), ended).await;
        let first = bench.final_call(id).await;
        bench.at_rest().await;
        assert_eq!(first.cost_cents(), 0, "this engine has no price");
        let found = Findings {
            summary: Some("Maria wants a roof.".to_owned()),
            quality,
            cost: MicroDollars::of_a_call(0.25),
            ..Findings::default()
        };
        for _ in 0..2 {
            bench.engine.report(id, bench.clock.now(), Progress::Found(Box::new(found.clone()))).await;
            let call = bench.call_when(id, |call| call.summary() == Some("Maria wants a roof.")).await;
            bench.at_rest().await;
            let assessment = call.assessment().expect("it was read");
            assert_eq!((assessment.quality, assessment.analyst.as_str()), (quality, "voice"));
            assert_eq!(bench.call(id).await.cost_cents(), 25, "{}", database.kind);
        }
        let events = bench.events(id).await;
        let kinds: Vec<&str> = events.iter().map(|event| event.event_type.as_str()).collect();
        assert_eq!(kinds, ["call.started", "call.completed", "call.updated"], "{}", database.kind);
        assert_eq!(payload(&events[2])["data"]["summary"], "Maria wants a roof.");
        assert_eq!(bench.call(id).await.ended_reason(), first.ended_reason());
        // One talk is one contact and is charged once, however often it is read.
        let (tenancy, business, month) = (bench.tenancy(), bench.business(), Month::of(bench.clock.now()));
        let (lead, talked) = bench
            .read(move |tx| {
                let tenancy = tenancy.clone();
                Box::pin(async move {
                    let lead = store::leads::by_phone(tx, &tenancy, &phone(MARIA)).await?;
                    Ok((lead, store::usage::talked_in(tx, &tenancy, business, month).await?))
                })
            })
            .await;
        let lead = lead.expect("she told her name");
        assert_eq!((lead.interaction_count, talked), (1, Duration::from_secs(61)), "{}", database.kind);
        bench.platform.stop().await;
    }
}

#[tokio::test]
async fn what_is_urgent_and_what_was_disclosed_is_read_from_the_words_of_the_right_party() {
    const FIRE: &str = "My house is on fire, please help!";
    for database in databases().await {
        let bench = Bench::start(&database, Switchboard::local("voice")).await;
        for (number, by, urgency) in
            [("+15125550131", Party::Caller, Some("emergency")), ("+15125550132", Party::Agent, None)]
        {
            let id = bench.answered(bench.order(number)).await;
            let now = bench.clock.now();
            bench.engine.report(id, now, Progress::Said(said(by, FIRE))).await;
            bench.heard(id, 1).await;
            let call = bench.call(id).await;
            assert_eq!(call.urgency().map(Urgency::as_str), urgency, "{}: {by:?}", database.kind);
            assert!(call.disclosed().is_empty(), "{}: {by:?}", database.kind);
            let words = "This call is recorded. I am an AI assistant.";
            bench.engine.report(id, now, Progress::Said(said(Party::Caller, words))).await;
            bench.heard(id, 2).await;
            assert!(bench.call(id).await.disclosed().is_empty(), "{}: the caller says so", database.kind);
            bench.engine.report(id, now, Progress::Said(said(Party::Agent, words))).await;
            bench.heard(id, 3).await;
            assert!(!bench.call(id).await.disclosed().is_empty(), "{}: the agent says so", database.kind);
            bench.over(id).await;
        }
        bench.platform.stop().await;
    }
}

#[tokio::test]
async fn the_minutes_and_cents_of_a_business_are_those_of_its_calls() {
    for database in databases().await {
        let bench = Bench::start(&database, Switchboard::local("voice")).await;
        let (mut seconds, mut cents, mut dice) = (0, 0, 7_u32);
        for _ in 0..24 {
            // The same talks in each run.
            dice = dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let id = bench.answered(bench.order(MARIA)).await;
            let talked = Some(Duration::from_millis((dice % 200_000).into()));
            let ending = Ending::Talked { answered_at: Some(bench.clock.now()), talked };
            let cost = MicroDollars::of_a_call(f64::from(dice % 100_000) / 1e6);
            let found = Findings { cost, ..Findings::default() };
            bench.engine.report(id, bench.clock.now(), Progress::Found(Box::new(found))).await;
            let ended = Progress::Ended { ending, reason: "caller-hung-up".to_owned() };
            bench.engine.report(id, bench.clock.now(), ended).await;
            let call = bench.final_call(id).await;
            let talked = call.talk().map_or(0, |talk| talk.talked.as_secs());
            seconds += u32::try_from(talked).expect("some minutes");
            cents += call.cost_cents();
        }
        bench.at_rest().await;
        let live = bench.platform.account.live_key.clone();
        let get =
            async |path: &str| bench.platform.send(bench.platform.request("GET", path, &live)).await.body;
        let minutes = get("/api/v1/balance").await["businesses"][0]["minutes_used"].as_f64();
        assert_eq!(minutes, Some((f64::from(seconds) / 60.0 * 100.0).round() / 100.0), "{}", database.kind);
        let calls = get("/api/v1/calls?limit=100").await;
        let shown: u64 = calls["calls"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|call| call["duration"].as_u64())
            .sum();
        assert_eq!(shown, u64::from(seconds), "{}", database.kind);
        assert!(cents > 0, "the engine asked for something");
        bench.platform.stop().await;
    }
}
