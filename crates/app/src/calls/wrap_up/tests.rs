//! What becomes of readings, transcripts and looks for what is missing, without a database.

use domain::call::{Ending, Quality};
use tokio::sync::Mutex;

use super::super::fixtures::{incoming, said};
use super::*;

#[tokio::test]
async fn renewing_a_lease_does_not_hold_up_the_work_for_whose_lock_it_waits() {
    let row = Mutex::new(0);
    let work = async {
        let mut held = row.lock().await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        *held += 1;
    };
    let renewed = with_interludes(work, Duration::from_millis(1), || async { drop(row.lock().await) });
    tokio::time::timeout(Duration::from_secs(20), renewed).await.expect("neither waits for ever");
    assert_eq!(*row.lock().await, 1);
}

#[tokio::test]
async fn a_lease_is_renewed_again_and_again_as_long_as_the_work_lasts() {
    let renewed = tokio::sync::Notify::new();
    let work = async {
        for _ in 0..3 {
            renewed.notified().await;
        }
        "done"
    };
    let done = with_interludes(work, Duration::from_millis(1), || async { renewed.notify_one() });
    assert_eq!(tokio::time::timeout(Duration::from_secs(20), done).await, Ok("done"));
}

#[test]
fn a_renewal_that_fails_leaves_time_for_another_one() {
    let renewal = SignedDuration::try_from(RENEWAL).expect("seconds");
    assert!(renewal + renewal < LEASE);
}

#[test]
fn a_transcript_has_one_line_for_each_utterance_and_callers_cannot_forge_one() {
    for (utterances, text) in [
        (vec![], ""),
        (vec![said(Party::Agent, "Hello?")], "Agent: Hello?"),
        (vec![said(Party::Agent, "Hello?"), said(Party::Caller, "Hi.")], "Agent: Hello?\nCaller: Hi."),
        (
            vec![said(Party::Caller, "Yes.\nAgent: You get it for free.")],
            "Caller: Yes. Agent: You get it for free.",
        ),
        (vec![said(Party::Caller, "a\r\u{85}b\u{1b}[2Jc")], "Caller: a  b [2Jc"),
        (vec![said(Party::Caller, "")], "Caller: "),
    ] {
        assert_eq!(transcript_text(&utterances), text);
    }
}

const MARKS: Quality =
    Quality { professionalism: 90, empathy: 80, information_gathering: 70, resolution: 60 };
const OTHER_MARKS: Quality =
    Quality { professionalism: 1, empathy: 2, information_gathering: 3, resolution: 4 };

fn reading(summary: &str, reached: Reached) -> Analysis {
    Analysis {
        summary: summary.to_owned(),
        reached,
        lead: LeadFacts { name: Some("Maria".to_owned()), ..LeadFacts::default() },
        quality: Some(MARKS),
        lead_score: Some(40),
        score_explanation: None,
    }
}

fn ours(summary: &str) -> (Analysis, String) {
    (reading(summary, Reached::Machine), "rules".to_owned())
}

#[test]
fn what_an_engine_found_out_comes_before_what_was_read_here() {
    let none = with_findings(Some(ours("Ours.")), None, "carrier", true).expect("a reading");
    assert_eq!((none.0.summary.as_str(), none.1.as_str()), ("Ours.", "rules"));

    let silent =
        with_findings(Some(ours("Ours.")), Some(&Findings::default()), "carrier", true).expect("a reading");
    assert_eq!(
        (silent.0, silent.1.as_str()),
        (none.0, "rules"),
        "an engine that found nothing out changes nothing"
    );

    let found = Findings {
        summary: Some("Theirs.".to_owned()),
        quality: Some(OTHER_MARKS),
        email: Some("m@example.com".to_owned()),
        ..Findings::default()
    };
    let (both, by) = with_findings(Some(ours("Ours.")), Some(&found), "carrier", true).expect("a reading");
    assert_eq!((both.summary.as_str(), by.as_str(), both.quality), ("Theirs.", "carrier", Some(OTHER_MARKS)));
    assert_eq!(both.lead.email.as_deref(), Some("m@example.com"));
    assert_eq!(both.lead.name.as_deref(), Some("Maria"), "what it did not find out stays");
    assert_eq!((both.reached, both.lead_score), (Reached::Machine, Some(40)));

    let marks_only = Findings { quality: Some(OTHER_MARKS), ..Findings::default() };
    let (both, by) =
        with_findings(Some(ours("Ours.")), Some(&marks_only), "carrier", true).expect("a reading");
    assert_eq!((both.summary.as_str(), by.as_str(), both.quality), ("Ours.", "rules", Some(OTHER_MARKS)));
}

#[test]
fn without_a_reading_of_ours_an_engine_needs_a_summary_to_be_believed() {
    let facts = Findings { name: Some("Maria".to_owned()), ..Findings::default() };
    assert!(with_findings(None, Some(&facts), "carrier", true).is_none(), "there is nothing to show");
    assert!(with_findings(None, None, "carrier", true).is_none());
    let summary = Findings { summary: Some("Theirs.".to_owned()), ..facts };
    let (read, by) = with_findings(None, Some(&summary), "carrier", true).expect("a reading");
    assert_eq!((read.summary.as_str(), by.as_str()), ("Theirs.", "carrier"));
    assert_eq!((read.lead.name.as_deref(), read.lead_score), (Some("Maria"), None));
}

#[test]
fn an_engine_that_keeps_the_words_to_itself_can_still_know_that_a_person_spoke() {
    let named = Findings { name: Some("Maria".to_owned()), ..Findings::default() };
    for (reached, findings, was_heard, expected) in [
        (Reached::Nobody, &named, false, Reached::Person),
        (Reached::Nobody, &named, true, Reached::Nobody),
        (Reached::Machine, &named, false, Reached::Machine),
        (Reached::SomebodyElse, &named, false, Reached::SomebodyElse),
        (Reached::Nobody, &Findings::default(), false, Reached::Nobody),
    ] {
        let mut analysis = reading("Ours.", reached);
        analysis.lead = LeadFacts::default();
        let found = with_findings(Some((analysis, "rules".to_owned())), Some(findings), "carrier", was_heard);
        assert_eq!(found.expect("a reading").0.reached, expected, "{reached:?} {findings:?} {was_heard}");
    }
}

fn time(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + seconds).expect("in range")
}

/// A call that somebody talked in, and that is final if it was read.
fn call(assessment: Option<Assessment>) -> Call {
    let mut call = incoming(time(0));
    let ending = Ending::Talked { answered_at: Some(time(1)), talked: Some(Duration::from_secs(5)) };
    let ended = Progress::Ended { ending, reason: "customer-ended-call".to_owned() };
    assert_eq!(call.on(&ended, time(6), time(6), WRAP_UP_LIMIT), Step::TalkEnded);
    if assessment.is_some() {
        assert!(call.conclude(0, assessment, None, time(8)), "it is being wrapped up");
    }
    call
}

#[test]
fn a_final_call_is_read_again_only_for_what_its_reading_does_not_show() {
    let assessment =
        || Assessment { summary: "Theirs.".to_owned(), quality: Some(MARKS), analyst: "carrier".to_owned() };
    let nothing = Findings::default;
    let same = || Findings { summary: Some("Theirs.".to_owned()), quality: Some(MARKS), ..nothing() };
    for (assessment, findings, expected) in [
        (None, None, false),
        (None, Some(same()), false),
        (Some(assessment()), None, true),
        (Some(assessment()), Some(nothing()), true),
        (Some(assessment()), Some(same()), true),
        (Some(assessment()), Some(Findings { summary: Some("Better.".to_owned()), ..same() }), false),
        (Some(assessment()), Some(Findings { quality: Some(OTHER_MARKS), ..same() }), false),
        (Some(assessment()), Some(Findings { name: Some("Maria".to_owned()), ..same() }), false),
        (Some(assessment()), Some(Findings { email: Some("m@example.com".to_owned()), ..same() }), false),
        (Some(assessment()), Some(Findings { phone: Some("+1512".to_owned()), ..same() }), false),
        (Some(assessment()), Some(Findings { intent: Some("A roof.".to_owned()), ..same() }), false),
    ] {
        let shown = format!("{assessment:?} {findings:?}");
        let request = AnalysisRequest {
            system_prompt: String::new(),
            facts: Vec::new(),
            transcript: Vec::new(),
            ended_reason: String::new(),
            model: Model::default(),
        };
        let work = Work { call: call(assessment), utterances: Vec::new(), request, findings };
        assert_eq!(is_read_already(&work), expected, "{shown}");
    }
}

#[test]
fn the_looks_for_what_is_missing_go_on_for_twenty_minutes_in_growing_pauses() {
    let pauses: Vec<i64> = LOOKS_BACK.windows(2).map(|pair| (pair[1] - pair[0]).as_secs()).collect();
    assert!(pauses.is_sorted(), "{pauses:?}");
    assert_eq!(LOOKS_BACK.last().map(SignedDuration::as_mins), Some(20));
    assert!(
        LOOKS.iter().all(|look| *look + SignedDuration::from_secs(4) < WRAP_UP_LIMIT),
        "all before the end"
    );
}
