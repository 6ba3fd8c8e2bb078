//! What is said first, and in which language: disclosures, fixed lines, and the end of a call that is passed on.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use conversation::{Conversation, EndReason, Input, Note, Output, ReplyEnd, Settings, Wording};
use domain::agent::Answering;
use domain::call::Party;
use speech::Role;
use understanding::Language;

const WORD: Duration = Duration::from_millis(250);

/// Everything that came out of one conversation.
#[derive(Default)]
struct Heard {
    /// Who said what, in order.
    said: Vec<(Party, String)>,
    notes: Vec<Note>,
    /// What the model was asked with, without the system message.
    asked: Vec<Vec<(Role, String)>>,
    ended: Option<EndReason>,
}

impl Heard {
    fn of_agent(&self) -> Vec<&str> {
        self.said.iter().filter(|(by, _)| *by == Party::Agent).map(|(_, text)| text.as_str()).collect()
    }
}

/// Holds a conversation in which the caller says these lines at these seconds and the model gives these answers, in their order.
fn hold(settings: Settings, caller: &[(f64, &str)], answers: &[(&str, ReplyEnd)]) -> Heard {
    let mut talk = Conversation::new(settings);
    let mut plan: BTreeMap<(Duration, usize), Input> = BTreeMap::new();
    let mut order = 0;
    let mut later = |plan: &mut BTreeMap<(Duration, usize), Input>, at, input| {
        order += 1;
        plan.insert((at, order), input);
    };
    later(&mut plan, Duration::ZERO, Input::Answered);
    for (start, text) in caller {
        let start = Duration::from_secs_f64(*start);
        let words = u32::try_from(text.split(' ').count()).expect("a short line");
        later(&mut plan, start, Input::SpeechStarted);
        later(&mut plan, start + WORD, Input::Partial { text: (*text).to_owned() });
        later(&mut plan, start + WORD * words, Input::SpeechStopped);
        later(&mut plan, start + WORD * words, Input::Final { text: (*text).to_owned() });
    }
    let mut answers: VecDeque<_> = answers.iter().cloned().collect();
    let mut heard = Heard::default();
    let (mut now, mut free_at) = (Duration::ZERO, Duration::ZERO);
    loop {
        let deadline = loop {
            match talk.poll() {
                Output::Wait(deadline) => break deadline,
                Output::Speak { sentence, text } => {
                    let start = free_at.max(now);
                    later(&mut plan, start, Input::PlayoutStarted { sentence });
                    let words = text.split(' ').count();
                    for count in 1..=words {
                        let at = start + WORD * u32::try_from(count).expect("a short sentence");
                        later(&mut plan, at, Input::PlayoutProgress { sentence, words: count });
                        free_at = at;
                    }
                    later(&mut plan, free_at, Input::PlayoutFinished { sentence });
                }
                Output::StopPlayout => {
                    free_at = now;
                    plan.retain(|_, input| {
                        !matches!(
                            input,
                            Input::PlayoutStarted { .. }
                                | Input::PlayoutProgress { .. }
                                | Input::PlayoutFinished { .. }
                        )
                    });
                }
                Output::StartReply { reply, history } => {
                    let told = history.iter().skip(1).map(|message| (message.role, message.content.clone()));
                    heard.asked.push(told.collect());
                    if let Some((text, end)) = answers.pop_front() {
                        later(&mut plan, now, Input::ReplyText { reply, text: text.to_owned() });
                        later(&mut plan, now, Input::ReplyFinished { reply, end });
                    }
                }
                Output::Said(entry) => heard.said.push((entry.by, entry.text)),
                Output::Note(note) => heard.notes.push(note),
                Output::CancelReply { .. } | Output::HangUp { .. } => {}
            }
        };
        let due = plan.keys().next().map(|(at, _)| *at);
        let Some(next) = due.into_iter().chain(deadline).min() else { break };
        now = next;
        let input = plan
            .first_entry()
            .filter(|entry| entry.key().0 <= now)
            .map(std::collections::btree_map::OccupiedEntry::remove);
        talk.handle(input.unwrap_or(Input::Deadline), now);
    }
    heard.ended = talk.ended();
    heard
}

const DISCLOSURE: &str = "You are speaking with an AI assistant of Acme. This call is recorded.";

fn disclosing() -> Settings {
    Settings {
        disclosure: Wording::default()
            .with(Language::English, DISCLOSURE)
            .with(Language::Spanish, "Esta llamada se graba."),
        languages: vec![Language::English, Language::Spanish],
        first_message: Some("Hi, this is Kai. How can I help?".into()),
        listen_first: Duration::ZERO,
        ..Settings::default()
    }
}

#[test]
fn what_must_be_said_first_is_said_to_its_end_whoever_speaks_meanwhile() {
    let heard = hold(
        disclosing(),
        &[(0.5, "Hello, who is there, I need to talk to somebody about my roof")],
        &[("Of course. Goodbye.", ReplyEnd::EndCall)],
    );
    assert_eq!(heard.of_agent()[0], DISCLOSURE);
    assert!(heard.of_agent()[1].starts_with("Hi, this is Kai."), "{:?}", heard.said);
}

#[test]
fn words_during_the_disclosure_reach_the_model_and_silence_makes_one_turn_of_both() {
    let heard = hold(
        disclosing(),
        &[(0.5, "My roof leaks."), (8.0, "Can you come?")],
        &[("We can. Goodbye.", ReplyEnd::EndCall)],
    );
    let roles: Vec<Role> = heard.asked[0].iter().map(|(role, _)| *role).collect();
    assert_eq!(roles, [Role::Assistant, Role::User, Role::Assistant, Role::User], "{:?}", heard.asked);
    assert_eq!(heard.asked[0][1].1, "My roof leaks.");

    let heard = hold(disclosing(), &[(8.0, "Can you come?")], &[("We can. Goodbye.", ReplyEnd::EndCall)]);
    let (role, text) = &heard.asked[0][0];
    assert_eq!(
        (*role, text.as_str()),
        (Role::Assistant, format!("{DISCLOSURE} Hi, this is Kai. How can I help?").as_str())
    );
}

#[test]
fn an_agent_that_waits_for_the_other_party_discloses_all_the_same() {
    let waiting = Settings { first_message: None, ..disclosing() };
    let heard = hold(waiting, &[(6.0, "Hello?")], &[("Hello. Goodbye.", ReplyEnd::EndCall)]);
    assert_eq!(heard.of_agent(), [DISCLOSURE, "Hello. Goodbye."]);
}

#[test]
fn a_greeting_in_another_language_is_answered_with_the_disclosure_of_that_language() {
    let outbound = Settings { listen_first: Duration::from_millis(800), ..disclosing() };
    let heard = hold(outbound, &[(0.2, "¿Bueno? ¿Quién habla?")], &[]);
    assert_eq!(heard.of_agent()[0], "Esta llamada se graba.");
}

#[test]
fn a_machine_does_not_use_up_the_disclosure_for_the_person_behind_it() {
    let settings = Settings {
        answering: Some(Answering::default()),
        introduction: "This is Kai from Acme.".into(),
        listen_first: Duration::from_millis(800),
        ..disclosing()
    };
    let caller =
        [(0.2, "Please state your name and why you are calling."), (9.0, "Hello, this is Robin speaking.")];
    let heard = hold(settings, &caller, &[]);
    assert_eq!(heard.of_agent()[..2], ["This is Kai from Acme.", DISCLOSURE], "{:?}", heard.said);
}

#[test]
fn fixed_lines_follow_the_caller_and_no_two_in_a_row_are_the_same() {
    for (hello, prompts, goodbye) in [
        ("Hello, who is there?", ["Are you still there?", "Hello, can you hear me?"], "Goodbye."),
        ("Buenos días, necesito una cita.", ["¿Sigue ahí?", "¿Hola, me escucha?"], "Adiós."),
        (
            "Bonjour, je voudrais un rendez-vous.",
            ["Êtes-vous toujours là?", "Allô, vous m'entendez?"],
            "Au revoir.",
        ),
        (
            "Guten Tag, ich möchte einen Termin.",
            ["Sind Sie noch da?", "Hallo, können Sie mich hören?"],
            "Auf Wiederhören.",
        ),
    ] {
        let settings = Settings {
            languages: Language::ALL.to_vec(),
            listen_first: Duration::ZERO,
            ..Settings::default()
        };
        let heard = hold(settings, &[(2.0, hello)], &[("Okay.", ReplyEnd::Complete)]);
        let said = heard.of_agent();
        assert_eq!(said[2..4], prompts, "{said:?}");
        assert!(said[4].ends_with(goodbye), "{said:?}");
        assert_eq!(heard.ended, Some(EndReason::Silence));
    }
}

#[test]
fn an_agent_of_one_language_keeps_to_it() {
    let settings =
        Settings { languages: vec![Language::Spanish], listen_first: Duration::ZERO, ..Settings::default() };
    let heard = hold(settings, &[(2.0, "Hello, who is there?")], &[("Bien.", ReplyEnd::Complete)]);
    assert_eq!(heard.of_agent()[2], "¿Sigue ahí?");
}

#[test]
fn a_caller_who_is_put_through_hears_so_and_leaves_the_conversation() {
    let settings = Settings { listen_first: Duration::ZERO, ..Settings::default() };
    let heard = hold(settings, &[(2.0, "Can I talk to a person?")], &[("", ReplyEnd::Transfer)]);
    assert_eq!(heard.of_agent().last(), Some(&"One moment, I'll put you through."));
    assert_eq!(
        (heard.ended, heard.notes.as_slice()),
        (Some(EndReason::Transferred), &[Note::Transferred][..])
    );
}
