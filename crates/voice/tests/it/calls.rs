//! Calls between an engine and telephones of our own, in real time and with sound that is recognised at both ends.

use std::sync::Arc;
use std::time::Duration;

use domain::call::{CallPlan, FailureCode, Party, Progress};
use domain::engine::CallEngine as _;
use sip::UserAgent;

use crate::minds::Mute;
use crate::phone::{self, Act, BEEP, Heard, callee, next_call, sip_settings, take};
use crate::sound::{ACCIDENT, GOODBYE, GREETING, MONDAY, THANKS, contains};
use crate::support::{Bench, MOST_CALLS, OURS, PATIENCE, Story, THEIRS, plan, trunk};

#[tokio::test]
async fn an_agent_calls_speaks_hears_and_says_goodbye() {
    let (telephone, mut calls) = callee().await;
    let bench = Bench::with_trunk(telephone.address()).await;
    bench.engine.place(plan(), bench.observer()).await.expect("it is taken");
    let acts = [Act::Listen, Act::Say(ACCIDENT), Act::Listen, Act::Say(MONDAY)];
    let heard = take(next_call(&mut calls).await, &acts).await;
    let story = bench.notebook.end().await;

    let sound = |from: usize, to: usize| &heard.sound[from..to];
    assert!(contains(sound(0, heard.spoke[0]), GREETING), "the telephone hears the greeting");
    assert!(contains(sound(heard.spoke[0], heard.spoke[1]), THANKS), "and the answer");
    assert!(contains(sound(heard.spoke[1], heard.sound.len()), GOODBYE), "and the goodbye");
    assert_eq!(bench.told(), [ACCIDENT.text, MONDAY.text], "the model is told what the caller said");
    let expected = [
        (Party::Agent, GREETING.text),
        (Party::Caller, ACCIDENT.text),
        (Party::Agent, THANKS.text),
        (Party::Caller, MONDAY.text),
        (Party::Agent, GOODBYE.text),
    ];
    assert_eq!(story.lines(), expected, "{:?}", story.notes);
    assert!(story.rang && story.was_answered);
    let (talked, reason) = story.talk();
    assert_eq!(reason, "agent-said-goodbye");
    assert!((Duration::from_secs(10)..Duration::from_secs(40)).contains(&talked), "{talked:?}");
    measured_in_order(&story, talked);
    recorded_as_told(&bench, &story.said).await;
    assert_eq!(bench.engine.running(), 0);
}

/// Every turn of the agent is measured, with steps in their order, and so is the sound.
fn measured_in_order(story: &Story, talked: Duration) {
    assert_eq!(story.turns.len(), 3, "greeting, answer and goodbye: {:?}", story.turns);
    let [greeting, answers @ ..] = story.turns.as_slice() else { panic!("turns") };
    assert_eq!((greeting.last_caller_packet, greeting.first_token, greeting.waited()), (None, None, None));
    assert!(greeting.first_sentence.is_some() && greeting.first_audio.is_some(), "{greeting:?}");
    for turn in answers {
        let steps = [
            turn.last_caller_packet,
            turn.end_of_speech,
            turn.last_transcript,
            turn.end_of_turn,
            turn.first_token,
            turn.first_sentence,
            turn.first_audio,
        ];
        let steps: Vec<Duration> = steps.map(|step| step.expect("every step took place")).into();
        assert!(steps.is_sorted() && turn.first_transcript == turn.last_transcript, "{turn:?}");
        // The packet is timed by the clock of sound, and the sound by the call, which may look a moment later.
        assert!(turn.first_agent_packet + Duration::from_millis(100) > steps[6], "{turn:?}");
        assert!(turn.first_agent_packet < talked, "{turn:?}");
        let pause =
            turn.end_of_speech.zip(turn.last_caller_packet).map(|(end, last)| end.saturating_sub(last));
        assert!(pause >= Some(Duration::from_millis(150)), "silence lasts before it ends speech: {turn:?}");
    }
    let sound = story.sound.expect("the sound is judged");
    assert!(sound.received > 100 && (100..=450).contains(&sound.mos_hundredths), "{sound:?}");
}

/// The recording holds each sentence where the transcript says, on the side of whoever said it.
async fn recorded_as_told(bench: &Bench, said: &[domain::call::Utterance]) {
    let (agent, caller) = bench.recording().await;
    let place = |time: Duration| usize::try_from(time.as_millis() * 8).expect("a short call");
    for (utterance, sentence) in said.iter().zip([GREETING, ACCIDENT, THANKS, MONDAY, GOODBYE]) {
        // The caller's words end when they are understood, and begin a moment after their first sound.
        let margin = place(Duration::from_millis(700));
        let from = place(utterance.start).saturating_sub(margin);
        let (own, other) = match utterance.by {
            Party::Agent => (&agent, &caller),
            Party::Caller => (&caller, &agent),
        };
        let to = (place(utterance.end) + margin).min(own.len());
        assert!(contains(&own[from..to], sentence), "{} at {:?}", sentence.text, utterance.start);
        if sentence != GOODBYE {
            assert!(!contains(&other[from..to], sentence), "{} is on the other side", sentence.text);
        }
    }
}

#[tokio::test]
async fn whoever_speaks_over_the_agent_silences_it_and_the_transcript_says_what_was_heard() {
    let (telephone, mut calls) = callee().await;
    let bench = Bench::with_trunk(telephone.address()).await;
    bench.engine.place(plan(), bench.observer()).await.expect("it is taken");
    let acts = [
        Act::HearFor(Duration::from_millis(800)),
        Act::Say(ACCIDENT),
        Act::Pause(Duration::from_secs(5)),
        Act::HangUp,
    ];
    let heard = take(next_call(&mut calls).await, &acts).await;
    let story = bench.notebook.end().await;
    assert!(story.notes.iter().any(|note| note == "barge_in"), "{:?}", story.notes);
    let first = &story.said[0];
    assert!(first.interrupted && first.by == Party::Agent, "{first:?}");
    let words = first.text.split_whitespace().count();
    assert!(
        (1..12).contains(&words) && GREETING.text.starts_with(first.text.trim_end_matches('—').trim()),
        "{first:?}"
    );
    assert_eq!(story.lines()[1], (Party::Caller, ACCIDENT.text));
    // The caller needs 2.5 s for their sentence, and the agent would have gone on for 3 s.
    let later = &heard.sound[heard.spoke[0] + 18_000..][..4000];
    assert!(later.iter().all(|sample| sample.abs() < 500), "the agent is silent while the caller speaks on");
    let (_, reason) = story.talk();
    assert_eq!(reason, "caller-hung-up");
}

#[tokio::test]
async fn a_message_follows_the_beep_of_an_answering_machine() {
    for hertz in [440.0, 1400.0] {
        let (telephone, mut calls) = callee().await;
        let bench = Bench::hearing_a_machine(telephone.address()).await;
        let mut plan = plan();
        plan.agent.voicemail_message = Some(THANKS.text.to_owned());
        bench.engine.place(plan, bench.observer()).await.expect("it is taken");
        let acts = [
            Act::Say(ACCIDENT),
            Act::Pause(Duration::from_millis(600)),
            Act::Beep(hertz),
            Act::Pause(PATIENCE),
        ];
        let heard = take(next_call(&mut calls).await, &acts).await;
        let story = bench.notebook.end().await;
        assert!(story.notes.iter().any(|note| note == "voicemail"), "{:?}", story.notes);
        assert_eq!(story.talk().1, "voicemail");
        let beep_ends = heard.spoke[1] + BEEP;
        let before = &heard.sound[..beep_ends];
        assert!(
            before.iter().all(|sample| sample.abs() < 300),
            "nobody speaks into the greeting or the tone"
        );
        // Without hearing the tone the agent would wait until four seconds after the greeting.
        let soon = (beep_ends + 2 * 8000).min(heard.sound.len());
        let begins = heard.sound[beep_ends..soon].iter().position(|sample| sample.abs() > 500);
        assert!(begins.is_some(), "{hertz} Hz: the message follows the tone");
        let (agent, _) = bench.recording().await;
        assert!(contains(&agent, THANKS), "{hertz} Hz: all of it was said");
        assert_eq!(story.lines().last(), Some(&(Party::Agent, THANKS.text)));
    }
}

#[tokio::test]
async fn a_call_that_is_not_answered_says_why() {
    for (status, code, reason) in [
        (486, FailureCode::Busy, "busy"),
        (603, FailureCode::Declined, "declined"),
        (480, FailureCode::NoAnswer, "no-answer"),
        (404, FailureCode::InvalidNumber, "no-such-number"),
        (503, FailureCode::CarrierError, "carrier-503"),
    ] {
        let (telephone, mut calls) = callee().await;
        let bench = Bench::with_trunk(telephone.address()).await;
        bench.engine.place(plan(), bench.observer()).await.expect("it is taken");
        let incoming = next_call(&mut calls).await;
        assert_eq!((incoming.to.as_str(), incoming.from.as_deref()), (THEIRS, Some(OURS)));
        incoming.call.reject(status).await;
        let story = bench.notebook.end().await;
        assert_eq!((story.failure(), story.was_answered), ((code, reason), false), "{status}");
        assert_eq!(bench.engine.running(), 0);
    }
}

#[tokio::test]
async fn a_call_is_called_off_while_it_rings_and_ended_while_it_runs() {
    let (telephone, mut calls) = callee().await;
    let bench = Bench::with_trunk(telephone.address()).await;
    bench.engine.place(plan(), bench.observer()).await.expect("it is taken");
    let incoming = next_call(&mut calls).await;
    incoming.call.ring().await;
    bench.notebook.until(|progress| *progress == Progress::Ringing).await;
    bench.engine.hang_up(plan().call_id, None).await;
    assert_eq!(bench.notebook.end().await.failure(), (FailureCode::Canceled, "cancelled"));

    let bench = Bench::with_trunk(telephone.address()).await;
    bench.engine.place(plan(), bench.observer()).await.expect("it is taken");
    let taken = tokio::spawn(async move { take(next_call(&mut calls).await, &[]).await });
    bench.notebook.until(|progress| *progress == Progress::Answered).await;
    bench.engine.hang_up(plan().call_id, None).await;
    let story = bench.notebook.end().await;
    assert_eq!(story.talk().1, "cancelled");
    taken.await.expect("the telephone hears of the end");
}

#[tokio::test]
async fn a_caller_is_greeted_at_once_and_a_key_is_a_turn() {
    let (bench, caller, address) = reachable().await;
    let acts = [Act::Listen, Act::Press('5'), Act::Pause(Duration::from_secs(1)), Act::Listen, Act::HangUp];
    let heard: Heard = phone::call(&caller, OURS, THEIRS, &acts).await.expect("somebody answers");
    assert!(contains(&heard.sound, GREETING), "at {address}");
    let first = heard.first_sound.expect("a first sound");
    // The telephone's own buffer holds 40 ms back, and the synthesiser begins with silence.
    assert!(first < Duration::from_millis(600), "the first word follows the answer after {first:?}");
    let story = bench.notebook.end().await;
    assert_eq!(bench.told(), ["(pressed 5)"]);
    assert_eq!(story.lines()[..2], [(Party::Agent, GREETING.text), (Party::Caller, "(pressed 5)")]);
    assert_eq!(story.talk().1, "caller-hung-up");
}

#[tokio::test]
async fn a_call_to_a_number_that_nobody_answers_is_refused() {
    let (bench, caller, _) = reachable().await;
    assert!(phone::call(&caller, "+15125550111", THEIRS, &[]).await.is_none());
    assert!(bench.notebook.reports().is_empty());
}

#[tokio::test]
async fn a_call_that_names_no_number_is_one_to_the_number_of_its_trunk() {
    let (bench, caller, _) = reachable().await;
    // So a switchboard calls one of its telephones.
    let heard = phone::call(&caller, "kaicalls", THEIRS, &[Act::Listen, Act::HangUp]).await;
    assert!(contains(&heard.expect("somebody answers").sound, GREETING));
    assert_eq!(bench.notebook.end().await.talk().1, "caller-hung-up");
}

#[tokio::test]
async fn who_calls_while_the_process_is_about_to_stop_is_sent_elsewhere() {
    let (bench, caller, _) = reachable().await;
    bench.engine.announce_leaving();
    assert!(phone::call(&caller, OURS, THEIRS, &[]).await.is_none());
    assert!(bench.notebook.reports().is_empty());
}

/// An engine that can be called, and somebody who calls it.
async fn reachable() -> (Bench, UserAgent, std::net::SocketAddr) {
    // Nobody listens at the port for discarded packets: this trunk only brings calls.
    let bench = Bench::with_trunk("127.0.0.1:9".parse().expect("an address")).await;
    let address = bench.engine.address().expect("it has been started");
    let (caller, _) = UserAgent::start(sip_settings(vec![trunk(address)])).await.expect("it starts");
    (bench, caller, address)
}

#[tokio::test]
async fn an_agent_that_lost_its_voice_hangs_up() {
    let (telephone, mut calls) = callee().await;
    let tried = Arc::default();
    let bench = Bench::with_voice(telephone.address(), Arc::new(Mute(Arc::clone(&tried)))).await;
    bench.engine.place(plan(), bench.observer()).await.expect("it is taken");
    take(next_call(&mut calls).await, &[]).await;
    let story = bench.notebook.end().await;
    assert_eq!(story.talk().1, "agent-error");
    assert!(story.notes.iter().any(|note| note == "voice_replaced"), "{:?}", story.notes);
    assert!(*tried.lock().await >= 2, "it is tried again once");
}

#[tokio::test]
async fn no_more_calls_run_than_may() {
    use domain::CallId;
    use domain::engine::PlaceError;
    let (telephone, mut calls) = callee().await;
    let bench = Bench::with_trunk(telephone.address()).await;
    let numbered = |number| CallPlan { call_id: CallId(uuid::Uuid::from_u128(number)), ..plan() };
    for number in 0..MOST_CALLS {
        bench.engine.place(numbered(number as u128), bench.observer()).await.expect("it is taken");
    }
    let refused = bench.engine.place(numbered(1000), bench.observer()).await;
    assert!(matches!(refused, Err(PlaceError::Later { .. })), "{refused:?}");
    assert_eq!(bench.engine.running(), MOST_CALLS);

    next_call(&mut calls).await.call.reject(486).await;
    bench.notebook.end().await;
    let again = async {
        while bench.engine.place(numbered(1000), bench.observer()).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, again).await.expect("there is room for one more");
}

#[tokio::test]
async fn a_number_for_which_there_is_no_trunk_is_refused_before_anything_rings() {
    use domain::engine::PlaceError;
    let bench = Bench::without_trunks().await;
    let refused = bench.engine.place(plan(), bench.observer()).await;
    assert!(
        matches!(refused, Err(PlaceError::Refused { code: FailureCode::CarrierError, .. })),
        "{refused:?}"
    );
    assert!(bench.notebook.reports().is_empty());
}
