//! Random lives against a simple model, and the cases worth telling one by one.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::call::{CallFacts, CallRequest, Direction, Party, Quality, SoundQuality, Utterance};
use crate::{AgentId, BusinessId, CallId, E164, Mode};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("in range")
}

fn facts() -> CallFacts {
    CallFacts {
        id: CallId(Uuid::from_u128(1)),
        business_id: BusinessId(Uuid::from_u128(2)),
        mode: Mode::Test,
        agent_id: AgentId(Uuid::from_u128(3)),
        direction: Direction::Outbound,
        to: E164::parse("+15125551234").expect("a number"),
        from: None,
        request: CallRequest::default(),
        max_duration: Duration::from_secs(600),
        engine: "sandbox".to_owned(),
        policy_reason: "allowed".to_owned(),
        created_at: at(0),
    }
}

fn queued() -> Call {
    Call::outbound(facts(), None)
}

fn incoming() -> Call {
    Call::inbound(facts(), None, "theirs".to_owned(), None, at(0))
}

fn node(number: u128) -> NodeId {
    NodeId(Uuid::from_u128(number))
}

fn assessment(analyst: &str) -> Assessment {
    let quality = Quality { professionalism: 90, empathy: 80, information_gathering: 70, resolution: 60 };
    Assessment { summary: "A talk.".to_owned(), quality: Some(quality), analyst: analyst.to_owned() }
}

fn recording(key: &str) -> StoredRecording {
    StoredRecording { key: key.to_owned(), content_type: "audio/wav".to_owned(), duration: None }
}

fn refusal() -> Refusal {
    let words = "the number asked not to be called".to_owned();
    Refusal { code: FailureCode::Blocked, reason: "opted-out".to_owned(), words }
}

fn talked(answered_at: i64, seconds: u64) -> Progress {
    let ending =
        Ending::Talked { answered_at: Some(at(answered_at)), talked: Some(Duration::from_secs(seconds)) };
    Progress::Ended { ending, reason: "caller-hung-up".to_owned() }
}

fn failed(code: FailureCode) -> Progress {
    Progress::Ended { ending: Ending::Failed(code), reason: code.as_str().to_owned() }
}

/// Everything that can be done to a call.
#[derive(Debug, Clone)]
enum Deed {
    Dial,
    PutBack,
    Refuse,
    Report(Progress),
    LeaveNode,
    AskForEnd,
    Conclude,
    Enrich { assessment: bool, recording: bool },
}

/// What the functions said: whether they did anything, or what the report meant.
#[derive(Debug, PartialEq, Eq)]
enum Said {
    Done(bool),
    Meant(Step),
}

fn perform(call: &mut Call, deed: &Deed, at: Timestamp, now: Timestamp) -> Said {
    match deed {
        Deed::Dial => Said::Done(call.dial(node(7))),
        Deed::PutBack => Said::Done(call.put_back()),
        Deed::Refuse => Said::Done(call.refuse(refusal(), now)),
        Deed::Report(progress) => Said::Meant(call.on(progress, at, now, WRAP_UP_LIMIT)),
        Deed::LeaveNode => {
            call.leave_node();
            Said::Done(true)
        }
        Deed::AskForEnd => Said::Done(call.ask_for_end(now)),
        Deed::Conclude => Said::Done(call.conclude(12, Some(assessment("first")), None, now)),
        Deed::Enrich { assessment: read, recording: recorded } => {
            let more = Enrichment {
                assessment: read.then(|| assessment("late")),
                recording: recorded.then(|| recording("late")),
                cost_cents: None,
            };
            Said::Done(call.enrich(more))
        }
    }
}

/// A call as a child would draw it: a word for where it is, and whether the engine has given it a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Model {
    place: &'static str,
    named: bool,
}

impl Model {
    fn of(call: &Call) -> Self {
        Self { place: call.state().as_str(), named: call.conversation_id().is_some() }
    }

    fn after(self, deed: &Deed) -> Self {
        let to = |place| Self { place, ..self };
        match (self.place, deed) {
            ("queued", Deed::Dial) => to("dialing"),
            ("dialing", Deed::PutBack) if !self.named => to("queued"),
            ("queued", Deed::Refuse) => to("failed"),
            ("wrapping_up", Deed::Conclude) => to("completed"),
            (_, Deed::Report(Progress::Accepted { .. })) => Self { named: true, ..self },
            ("queued" | "dialing", Deed::Report(Progress::Ringing)) => to("ringing"),
            ("queued" | "dialing" | "ringing", Deed::Report(Progress::Answered)) => to("in_progress"),
            ("in_progress", Deed::Report(Progress::Ended { .. })) => to("wrapping_up"),
            ("queued" | "dialing" | "ringing", Deed::Report(Progress::Ended { ending, .. })) => {
                match ending {
                    Ending::Talked { .. } => to("wrapping_up"),
                    Ending::Failed(_) | Ending::Refused { .. } => to("failed"),
                }
            }
            _ => self,
        }
    }
}

fn rank(place: &str) -> usize {
    let places = ["queued", "dialing", "ringing", "in_progress", "wrapping_up", "completed", "failed"];
    places.iter().position(|known| *known == place).expect("a known state").min(5)
}

fn progress() -> impl Strategy<Value = Progress> {
    let said = Utterance {
        by: Party::Caller,
        text: "Hello".to_owned(),
        start: Duration::ZERO,
        end: Duration::ZERO,
        interrupted: false,
    };
    let ending = prop_oneof![
        (0..90_i64, 0..90_000_u64).prop_map(|(answered, millis)| Ending::Talked {
            answered_at: (answered % 3 > 0).then(|| at(answered)),
            talked: (millis % 5 > 0).then(|| Duration::from_micros(millis * 1007)),
        }),
        proptest::sample::select(FailureCode::ALL).prop_map(Ending::Failed),
        Just(Ending::Refused { code: FailureCode::CarrierError, words: "no credit is left".to_owned() }),
    ];
    prop_oneof![
        "[ab]".prop_map(|conversation_id| Progress::Accepted { conversation_id }),
        Just(Progress::Ringing),
        Just(Progress::Answered),
        Just(Progress::Said(said)),
        Just(Progress::Noted { kind: "barge_in".to_owned(), detail: String::new() }),
        Just(Progress::Took(Box::default())),
        Just(Progress::Sounded(SoundQuality::default())),
        Just(Progress::Found(Box::default())),
        Just(Progress::lost()),
        ending.prop_map(|ending| Progress::Ended { ending, reason: "over".to_owned() }),
    ]
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        3 => Just(Deed::Dial),
        2 => Just(Deed::PutBack),
        1 => Just(Deed::Refuse),
        8 => progress().prop_map(Deed::Report),
        1 => Just(Deed::LeaveNode),
        1 => Just(Deed::AskForEnd),
        2 => Just(Deed::Conclude),
        1 => (any::<bool>(), any::<bool>()).prop_map(|(assessment, recording)| Deed::Enrich { assessment, recording }),
    ]
}

/// What must hold of any call at any moment.
fn check_call(call: &Call) {
    let in_order = |earlier: Option<Timestamp>, later: Option<Timestamp>| {
        earlier.zip(later).is_none_or(|(earlier, later)| earlier <= later)
    };
    assert!(in_order(call.ringing_at(), call.answered_at()), "rang after the answer: {call:?}");
    assert!(in_order(call.answered_at(), call.ended_at()), "ended before the answer: {call:?}");
    assert!(in_order(call.ringing_at(), call.ended_at()), "ended before it rang: {call:?}");
    let is_whole = |talk: &Talk| talk.talked.subsec_nanos().is_multiple_of(1_000_000);
    assert!(call.talk().is_none_or(is_whole), "storage keeps milliseconds: {call:?}");
    assert_eq!(call.finished_at().is_some(), call.state().is_final());
    assert_eq!(call.ended_at().is_some(), call.ended_reason().is_some());
    if *call.state() == CallState::Queued {
        assert_eq!(call.node_id(), None, "a waiting call belongs to no process");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_in_whatever_order_a_call_lives_as_the_model_says(
        comes_in in any::<bool>(),
        deeds in proptest::collection::vec((deed(), 0..100_i64, 0..5_i64), 1..40),
    ) {
        let mut call = if comes_in { incoming() } else { queued() };
        let (mut now, mut ends, mut wrap_ups) = (at(0), 0, 0);
        let (mut dials, mut returns, mut was_answered) = (0, 0, false);
        for (deed, engine_second, pause) in deeds {
            now += SignedDuration::from_secs(pause);
            let (before, model) = (call.clone(), Model::of(&call));
            let said = perform(&mut call, &deed, at(engine_second), now);
            check_call(&call);
            let times = [call.ringing_at(), call.answered_at(), call.ended_at()];
            prop_assert!(times.into_iter().flatten().all(|time| time <= now), "in the future: {:?}", call);

            let after = Model::of(&call);
            prop_assert_eq!(after, model.after(&deed), "{:?} {:?}", before, deed);
            let goes_back = matches!(deed, Deed::PutBack) && model.place == "dialing";
            prop_assert!(rank(after.place) >= rank(model.place) || goes_back, "{:?} {:?}", before, deed);
            dials += u32::from(after.place == "dialing" && model.place == "queued");
            returns += u32::from(after.place == "queued" && model.place == "dialing");
            prop_assert!(dials <= returns + 1, "dialled twice");

            let (was_final, is_final) = (before.state().is_final(), call.state().is_final());
            if was_final {
                let outcome = |call: &Call| {
                    (call.state().as_str(), call.failure().map(|failure| failure.code), call.finished_at())
                };
                prop_assert_eq!(outcome(&before), outcome(&call));
                prop_assert!(before.was_lost() || before.talk() == call.talk());
                prop_assert_eq!(before.ended_reason(), call.ended_reason());
                prop_assert!(before.assessment().is_none() || call.assessment().is_some());
                prop_assert!(before.recording().is_none() || before.recording() == call.recording());
            }
            // The functions that end a call say so, once, and at the moment at which they do.
            let ended = match (&deed, &said) {
                (_, Said::Meant(Step::Failed)) => true,
                (Deed::Refuse | Deed::Conclude, Said::Done(done)) => *done,
                _ => false,
            };
            prop_assert_eq!(ended, is_final && !was_final, "{:?} {:?}", before, deed);
            if ended {
                ends += 1;
                prop_assert_eq!(call.finished_at(), Some(now));
            }
            if let Said::Meant(step) = said {
                prop_assert_eq!(step == Step::Stayed, before.state() == call.state(), "{:?} {:?}", before, deed);
                wrap_ups += u32::from(step == Step::TalkEnded);
            }
            if let Deed::Report(Progress::Answered | Progress::Ended { ending: Ending::Talked { .. }, .. }) = deed {
                was_answered |= matches!(model.place, "queued" | "dialing" | "ringing" | "in_progress");
            }
            if let (Some(before), Some(after)) = (before.conversation_id(), call.conversation_id()) {
                prop_assert_eq!(before, after, "the engine's first name stays");
            }
        }
        prop_assert_eq!(ends, u32::from(call.state().is_final()), "exactly one end");
        prop_assert!(wrap_ups <= 1);
        // Wrapped up if and only if somebody answered, as soon as the call is past its talk.
        let is_past_talk = matches!(call.state(), CallState::WrappingUp { .. }) || call.state().is_final();
        prop_assert_eq!(wrap_ups == 1, was_answered && is_past_talk);
        prop_assert_eq!(call.failure().is_some(), call.state().is_final() && !was_answered);
    }
}

#[test]
fn an_end_without_its_answer_still_counts_as_talked() {
    let mut call = queued();
    assert!(call.dial(node(7)));
    assert_eq!(call.on(&talked(10, 60), at(70), at(71), WRAP_UP_LIMIT), Step::TalkEnded);
    let talk = Talk::new(at(10), Duration::from_secs(60), at(71), "caller-hung-up");
    assert_eq!(call.ended_at(), Some(at(70)));
    assert_eq!(*call.state(), CallState::WrappingUp { talk, until: at(101) });
}

#[test]
fn the_times_of_a_call_on_a_faster_clock_are_never_in_the_future() {
    let mut call = queued();
    assert!(call.dial(node(7)));
    assert_eq!(call.on(&Progress::Ringing, at(5), at(1), WRAP_UP_LIMIT), Step::Moved);
    assert_eq!(call.on(&Progress::Answered, at(8), at(2), WRAP_UP_LIMIT), Step::Moved);
    assert_eq!(call.on(&talked(8, 60), at(68), at(4), WRAP_UP_LIMIT), Step::TalkEnded);
    assert_eq!((call.ringing_at(), call.answered_at()), (Some(at(1)), Some(at(2))));
    assert_eq!(call.ended_at(), Some(at(4)));
    assert_eq!(call.talk().map(|talk| talk.talked), Some(Duration::from_secs(60)));
}

#[test]
fn an_answered_call_never_becomes_one_that_failed_to_connect() {
    let mut call = incoming();
    assert_eq!(call.on(&Progress::Answered, at(10), at(10), WRAP_UP_LIMIT), Step::Moved);
    assert_eq!(call.on(&failed(FailureCode::Busy), at(25), at(25), WRAP_UP_LIMIT), Step::TalkEnded);
    assert_eq!(call.talk().map(|talk| talk.talked), Some(Duration::from_secs(15)));
    assert!(call.conclude(3, None, None, at(30)));
    assert_eq!((call.failure(), call.cost_cents(), call.finished_at()), (None, 3, Some(at(30))));
}

#[test]
fn a_call_is_put_back_only_while_it_is_certain_that_nothing_rang() {
    let mut call = queued();
    assert!(call.dial(node(7)) && call.put_back());
    assert_eq!((call.state(), call.node_id()), (&CallState::Queued, None));
    assert!(call.dial(node(8)));
    let accepted = Progress::Accepted { conversation_id: "a".to_owned() };
    assert_eq!(call.on(&accepted, at(1), at(1), WRAP_UP_LIMIT), Step::Stayed);
    assert!(!call.put_back(), "the engine has it");
    assert_eq!((call.state(), call.node_id()), (&CallState::Dialing, Some(node(8))));
}

#[test]
fn the_words_of_a_refusal_stay_with_the_call() {
    let mut ours = queued();
    assert!(ours.refuse(refusal(), at(5)));
    let words = |call: &Call| call.failure().and_then(|failure| failure.refusal.clone());
    assert_eq!(words(&ours).as_deref(), Some("the number asked not to be called"));
    assert_eq!((ours.ended_at(), ours.ended_reason()), (Some(at(5)), Some("opted-out")));

    let mut theirs = queued();
    assert!(theirs.dial(node(7)));
    let ending = Ending::Refused { code: FailureCode::AgentError, words: "no such voice".to_owned() };
    let refused = Progress::Ended { ending, reason: "refused".to_owned() };
    assert_eq!(theirs.on(&refused, at(6), at(7), WRAP_UP_LIMIT), Step::Failed);
    assert_eq!(words(&theirs).as_deref(), Some("no such voice"));
    assert_eq!((theirs.ended_at(), theirs.finished_at()), (Some(at(6)), Some(at(7))));
}

#[test]
fn results_that_come_late_are_added_and_say_whether_they_are_news() {
    let late = |read: Option<&str>, recorded: Option<&str>, cost_cents| Enrichment {
        assessment: read.map(assessment),
        recording: recorded.map(recording),
        cost_cents,
    };
    let mut call = incoming();
    assert!(!call.enrich(late(Some("early"), None, Some(5))), "it is not over");
    assert_eq!(call.on(&talked(1, 5), at(6), at(6), WRAP_UP_LIMIT), Step::TalkEnded);
    assert!(call.conclude(0, Some(assessment("first")), None, at(7)));
    assert!(call.enrich(late(Some("better"), Some("first"), Some(7))));
    assert!(!call.enrich(late(Some("better"), Some("late"), Some(7))), "that is no news");
    assert_eq!(call.assessment(), Some(&assessment("better")));
    assert_eq!((call.recording(), call.cost_cents()), (Some(&recording("first")), 7));
}

#[test]
fn a_call_that_was_given_up_learns_how_long_it_was_and_stays_what_it_is() {
    let mut never_answered = queued();
    assert!(never_answered.dial(node(7)));
    assert_eq!(never_answered.on(&Progress::lost(), at(2), at(2), WRAP_UP_LIMIT), Step::Failed);
    let mut answered = queued();
    assert_eq!(answered.on(&Progress::Answered, at(10), at(10), WRAP_UP_LIMIT), Step::Moved);
    assert_eq!(answered.on(&Progress::lost(), at(12), at(80), WRAP_UP_LIMIT), Step::TalkEnded);
    assert!(answered.conclude(0, None, None, at(81)));
    for (mut call, status) in [(never_answered, "failed"), (answered, "completed")] {
        assert_eq!(call.on(&talked(10, 60), at(70), at(200), WRAP_UP_LIMIT), Step::Filled, "{status}");
        assert_eq!(call.on(&talked(10, 60), at(70), at(201), WRAP_UP_LIMIT), Step::Stayed, "{status}");
        assert_eq!(
            call.on(&failed(FailureCode::Busy), at(70), at(202), WRAP_UP_LIMIT),
            Step::Stayed,
            "{status}"
        );
        assert_eq!(
            call.talk(),
            Some(&Talk::new(at(10), Duration::from_secs(60), at(200), "engine-lost")),
            "{status}"
        );
        assert_eq!((call.state().public(), call.ended_reason()), (status, Some("engine-lost")));
    }
    let mut known = incoming();
    assert_eq!(known.on(&failed(FailureCode::Busy), at(2), at(2), WRAP_UP_LIMIT), Step::Failed);
    assert_eq!(known.on(&talked(1, 60), at(61), at(61), WRAP_UP_LIMIT), Step::Stayed);
}

#[test]
fn times_that_are_missing_or_cannot_be_come_from_what_is_known() {
    let day = 24 * 3600;
    // When it was answered, as we saw it; what the report says; when it ended; then: when it was answered, and for how many seconds.
    for (known, answered_at, talked_s, ended, expected) in [
        (Some(10), None, None, 70, (10, 60)),
        (Some(10), Some(12), None, 70, (10, 60)),
        (Some(10), Some(8), None, 70, (8, 62)),
        (Some(10), None, Some(45), 70, (10, 45)),
        (None, None, Some(45), 70, (25, 45)),
        (None, None, None, 70, (70, 0)),
        (None, Some(20), Some(50), 70, (20, 50)),
        // Two days, with and without anything better to go by; the call may last ten minutes.
        (Some(10), None, Some(2 * day), 70, (10, 60)),
        (None, None, Some(2 * day), 700, (100, 600)),
        (Some(10), Some(-2 * day), Some(2 * day), 70, (10, 60)),
        (Some(10), Some(-2 * day), None, 70, (10, 60)),
        (Some(10), Some(10 * day), None, 70, (10, 60)),
        (Some(10), None, None, -2 * day, (10, 60)),
        // The agent may finish its sentence.
        (Some(10), None, Some(640), 650, (10, 640)),
    ] {
        let mut call = queued();
        if let Some(known) = known {
            assert_eq!(call.on(&Progress::Answered, at(known), at(known), WRAP_UP_LIMIT), Step::Moved);
        }
        let ending = Ending::Talked {
            answered_at: answered_at.map(at),
            talked: talked_s.map(|seconds: i64| Duration::from_secs(seconds.unsigned_abs())),
        };
        let over = Progress::Ended { ending, reason: "over".to_owned() };
        let now = at(ended.max(70));
        assert_eq!(call.on(&over, at(ended), now, WRAP_UP_LIMIT), Step::TalkEnded);
        let talk = call.talk().expect("it was answered");
        let found = (talk.answered_at.as_second(), talk.talked.as_secs());
        assert_eq!(found, expected, "{known:?} {answered_at:?} {talked_s:?} {ended}");
    }
}

#[test]
fn a_ring_that_is_told_after_the_answer_began_no_later_than_it() {
    let mut call = queued();
    assert_eq!(call.on(&Progress::Answered, at(10), at(10), WRAP_UP_LIMIT), Step::Moved);
    assert_eq!(call.on(&Progress::Ringing, at(12), at(12), WRAP_UP_LIMIT), Step::Stayed);
    assert_eq!((call.ringing_at(), call.answered_at()), (Some(at(10)), Some(at(10))));
}

#[test]
fn clients_see_only_the_words_they_know() {
    let mut call = queued();
    let mut words = vec![call.state().public()];
    assert!(call.dial(node(7)));
    words.push(call.state().public());
    for progress in [Progress::Ringing, Progress::Answered, talked(2, 3)] {
        let step = call.on(&progress, at(2), at(5), WRAP_UP_LIMIT);
        assert_ne!(step, Step::Stayed);
        words.push(call.state().public());
    }
    assert!(call.conclude(0, None, None, at(9)));
    words.push(call.state().public());
    let mut lost = queued();
    assert_eq!(lost.on(&Progress::lost(), at(2), at(2), WRAP_UP_LIMIT), Step::Failed);
    words.push(lost.state().public());
    let seen = ["queued", "queued", "ringing", "in-progress", "in-progress", "completed", "failed"];
    assert_eq!(words, seen);
}

#[test]
fn an_end_that_somebody_asked_for_is_theirs_whatever_the_engine_calls_it() {
    let mut call = queued();
    assert!(!call.ask_for_end(at(1)), "nothing has been dialled");
    assert_eq!(call.as_asked_for(talked(1, 2)), talked(1, 2));
    assert!(call.dial(node(7)) && call.ask_for_end(at(2)) && call.ask_for_end(at(3)));
    assert_eq!(call.end_asked_at(), Some(at(2)), "the first time counts");
    let ended = |progress| match call.as_asked_for(progress) {
        Progress::Ended { ending: Ending::Failed(code), reason } => (Some(code), reason),
        Progress::Ended { reason, .. } => (None, reason),
        other => unreachable!("no end: {other:?}"),
    };
    assert_eq!(ended(talked(1, 2)), (None, ENDED_BY_API.to_owned()));
    for code in [FailureCode::Canceled, FailureCode::NoAnswer] {
        assert_eq!(ended(failed(code)), (Some(FailureCode::Canceled), ENDED_BY_API.to_owned()));
    }
    for code in [FailureCode::Busy, FailureCode::InvalidNumber, FailureCode::CarrierError] {
        assert_eq!(ended(failed(code)), (Some(code), code.as_str().to_owned()), "that was nobody's wish");
    }
    assert_eq!(call.as_asked_for(Progress::Ringing), Progress::Ringing);
    assert_eq!(call.on(&talked(3, 5), at(8), at(8), WRAP_UP_LIMIT), Step::TalkEnded);
    assert!(!call.ask_for_end(at(9)), "the talk is over");
}

#[test]
fn a_call_waits_for_its_time_until_it_is_dialled_or_refused() {
    let mut call = queued();
    assert_eq!((call.scheduled_at(), call.waits_until(), call.due_since()), (None, None, at(0)));
    assert!(call.schedule(at(60)) && call.schedule(at(90)), "it can be put off");
    assert_eq!(
        (call.scheduled_at(), call.waits_until(), call.due_since()),
        (Some(at(90)), Some(at(90)), at(90))
    );
    let mut refused = call.clone();
    assert!(refused.refuse(refusal(), at(70)));
    assert_eq!(refused.waits_until(), None);
    assert!(call.dial(node(1)));
    assert_eq!((call.scheduled_at(), call.waits_until()), (Some(at(90)), None));
    assert!(!call.schedule(at(120)), "it is being dialled");
    assert!(call.put_back());
    assert_eq!(call.waits_until(), None, "it waits for room, not for its time");
}

#[test]
fn a_call_is_let_go_of_by_its_process_and_belongs_to_the_lead_that_was_named_last() {
    let mut call = queued();
    assert!(call.dial(node(7)));
    assert_eq!(call.node_id(), Some(node(7)));
    call.leave_node();
    assert_eq!((call.node_id(), call.state()), (None, &CallState::Dialing), "it goes on");
    assert_eq!(call.lead_id(), None);
    for number in [1, 2] {
        call.belong_to(LeadId(Uuid::from_u128(number)));
        assert_eq!(call.lead_id(), Some(LeadId(Uuid::from_u128(number))));
    }
}

#[test]
fn what_was_disclosed_is_kept_once_and_in_the_order_in_which_it_is_said() {
    let mut call = queued();
    assert!(call.disclose(Disclosure::Recording));
    assert!(!call.disclose(Disclosure::Recording), "that was known");
    assert!(call.disclose(Disclosure::Ai));
    assert_eq!(call.disclosed(), [Disclosure::Ai, Disclosure::Recording]);
}

#[test]
fn a_call_becomes_more_urgent_and_never_less() {
    let mut call = queued();
    for (mark, is_news, kept) in [
        (Urgency::Urgent, true, Urgency::Urgent),
        (Urgency::Urgent, false, Urgency::Urgent),
        (Urgency::Emergency, true, Urgency::Emergency),
        (Urgency::Urgent, false, Urgency::Emergency),
        (Urgency::Emergency, false, Urgency::Emergency),
    ] {
        assert_eq!((call.mark(mark), call.urgency()), (is_news, Some(kept)), "{mark:?}");
    }
}
