//! How good a call was: the four marks of the agent and the score of the lead, by rules that anybody can read.
//!
//! The marks, each from 0 to 100:
//! - professionalism: 80; 10 more for a goodbye and 5 for a greeting that says who calls; 10 less each time the agent talked over the
//!   caller, 15 less each time it said the same again, 15 less if the caller had to repeat or complained of it;
//! - empathy: 50, plus 12 for each kind turn, up to 95; but 90 if it met distress or anger with sympathy, 30 if it did not, and 15 less if
//!   the caller stayed upset to the end;
//! - information gathering: 40 for the reason, 25 for the name, 25 for a way to reach them (10 if they refused one), 10 for a time or an
//!   amount; 60 in place of all if somebody declined;
//! - resolution: 20 for a conversation, plus 20 for a known reason, 35 for an agreed next step (15 less for one that was asked for and not taken up), 15 for an
//!   orderly end, 10 for thanks; 80 if somebody declined and the call ended orderly; 15 less for each question that the agent could not answer, 20 less if the caller was upset.
//!
//! The lead's score: 20 for a conversation, and the parts named in [`parts`]; 0 after an opt-out. Somebody who spoke but told nothing has
//! no score, so that an earlier one stays.

use domain::call::{Party, Quality, Utterance};
use speech::LeadFacts;

use ::understanding::remark::{self, Remark};

use super::account::{Account, Refused, Sign, Step};
use crate::understanding::{plain, says};

/// The four marks of a call with a person.
pub(super) fn quality(
    turns: &[Utterance],
    account: &Account,
    lead: &LeadFacts,
    known_name: Option<&str>,
    ended_reason: &str,
) -> Quality {
    let by_agent: Vec<String> =
        turns.iter().filter(|said| said.by == Party::Agent).map(|said| plain(&said.text)).collect();
    let by_caller: Vec<&Utterance> = turns.iter().filter(|said| said.by == Party::Caller).collect();
    let last_word = turns.iter().rfind(|said| said.by == Party::Agent);
    let said_goodbye = last_word.is_some_and(|said| says_goodbye(&said.text))
        || ["agent-said-goodbye", "assistant-said-end-call-phrase", "assistant-ended-call"]
            .contains(&ended_reason);
    let count = |phrases: &[&str]| points(by_agent.iter().filter(|words| says(words, phrases)).count());
    let upset_at_end = by_caller.last().is_some_and(|said| says(&plain(&said.text), STILL_UPSET));

    let introduced = by_agent.first().is_some_and(|words| says(words, INTRODUCTION));
    let cut_off = points(by_caller.iter().filter(|said| said.interrupted).count());
    let complained = by_caller.iter().any(|said| says(&plain(&said.text), HAD_TO_REPEAT));
    let professionalism = 80 + if said_goodbye { 10 } else { 0 } + if introduced { 5 } else { 0 }
        - 10 * cut_off
        - 15 * points(repetitions(&by_agent))
        - if complained { 15 } else { 0 };

    let sympathy = count(SYMPATHY) > 0;
    let empathy = match (account.shows(Sign::Distressed) || account.shows(Sign::Upset), sympathy) {
        (true, true) => 90,
        (true, false) => 30,
        (false, _) => (50 + 12 * (count(KIND) + count(SYMPATHY))).min(95),
    } - if upset_at_end { 15 } else { 0 };

    let refused_contact = [Refused::Email, Refused::Phone].iter().any(|what| account.refused.contains(what));
    let reachable = lead.email.is_some() || lead.phone.is_some();
    let has_details =
        !account.details.is_empty() || account.next.as_ref().is_some_and(|next| next.when.is_some());
    let declined = account.shows(Sign::OptedOut)
        || [Refused::Offer, Refused::HasSomebody].iter().any(|what| account.refused.contains(what));
    let gathering = [
        (!account.concerns.is_empty() || declined, 40),
        // Of somebody who declines there is nothing more to learn.
        (declined && lead == &LeadFacts::default(), 20),
        (lead.name.is_some() || known_name.is_some(), 25),
        (reachable, 25),
        (refused_contact && !reachable, 10),
        (has_details, 10),
    ];
    let gathering = gathering.into_iter().filter(|(applies, _)| *applies).map(|(_, points)| points).sum();

    let thanked = by_caller.iter().rev().take(2).any(|said| says(&plain(&said.text), THANKS));
    let step = account.next.as_ref().map_or(0, |next| if next.agreed { 35 } else { -15 });
    let orderly = said_goodbye && !ended_reason.contains("silence");
    let resolution = if declined {
        // What was wanted is that it ends well.
        if orderly { 80 } else { 50 }
    } else {
        20 + if account.concerns.is_empty() { 0 } else { 20 }
            + step
            + if orderly { 15 } else { 0 }
            + if thanked { 10 } else { 0 }
            - 15 * count(NO_ANSWER)
            - if account.shows(Sign::Upset) { 20 } else { 0 }
    };
    let mark = |value: i32| u8::try_from(value.clamp(0, 100)).unwrap_or_default();
    Quality {
        professionalism: mark(professionalism),
        empathy: mark(empathy),
        information_gathering: mark(gathering),
        resolution: mark(resolution),
    }
}

/// How promising the person is, and why, in one sentence; `None` if they told nothing that says so.
pub(super) fn score(
    by_caller: &[&Utterance],
    account: &Account,
    lead: &LeadFacts,
    known_name: Option<&str>,
    ended_reason: &str,
) -> Option<(u8, String)> {
    if account.shows(Sign::OptedOut) {
        return Some((0, "Asked not to be called again.".to_owned()));
    }
    let applying: Vec<(i32, &str)> = parts(by_caller, account, lead, known_name, ended_reason)
        .into_iter()
        .filter_map(|(applies, points, why)| applies.then_some((points, why)))
        .collect();
    let said = by_caller.iter().map(|said| said.text.split_whitespace().count()).sum::<usize>();
    let only_greeted = account.concerns.is_empty()
        && account.refused.is_empty()
        && account.next.is_none()
        && lead == &LeadFacts::default();
    if only_greeted && (said < 6 || applying.is_empty()) {
        return None;
    }
    let score = 20 + applying.iter().map(|(points, _)| points).sum::<i32>();
    let mut explanation = if applying.is_empty() {
        "answered, but told nothing about themselves".to_owned()
    } else {
        applying.iter().map(|(_, why)| *why).collect::<Vec<_>>().join(", ")
    };
    explanation[..1].make_ascii_uppercase();
    explanation.push('.');
    Some((u8::try_from(score.clamp(1, 100)).unwrap_or_default(), explanation))
}

/// What speaks for and against a lead, in points.
fn parts(
    by_caller: &[&Utterance],
    account: &Account,
    lead: &LeadFacts,
    known_name: Option<&str>,
    ended_reason: &str,
) -> [(bool, i32, &'static str); 18] {
    let refused = |what: Refused| account.refused.contains(&what);
    let next = |step: Step| account.next.as_ref().filter(|next| next.step == step);
    let agreed = |step: Step| next(step).is_some_and(|next| next.agreed);
    let only_asked = account.next.as_ref().is_some_and(|next| !next.agreed);
    let has_amount = account.shows(Sign::Amount);
    let wants_something = !account.concerns.is_empty();
    let withheld = refused(Refused::Email) || refused(Refused::Phone) || refused(Refused::Name);
    let reachable = lead.email.is_some() || lead.phone.is_some();
    let left = ["caller-hung-up", "customer-ended-call"].contains(&ended_reason)
        && !by_caller.last().is_some_and(|turn| says_goodbye(&turn.text) || says(&plain(&turn.text), THANKS));
    [
        (wants_something, 20, "said what they want"),
        (lead.name.is_some() || known_name.is_some(), 6, "the name is known"),
        (reachable, 12, "gave a way to be reached"),
        (agreed(Step::Appointment), 25, "agreed to an appointment"),
        (agreed(Step::CallBack), 12, "agreed to a call back"),
        (agreed(Step::Send) || agreed(Step::PutThrough), 8, "agreed to a next step"),
        (only_asked, 6, "asked for a next step"),
        (account.shows(Sign::Urgent) && wants_something, 10, "it is urgent"),
        (has_amount && !refused(Refused::TooExpensive), 4, "named an amount"),
        (!account.topics.is_empty(), 3, "asked questions about it"),
        (account.shows(Sign::Browsing), -14, "only looks around"),
        (refused(Refused::TooExpensive), -14, "finds it too expensive"),
        (refused(Refused::Offer), -18, "is not interested"),
        (refused(Refused::HasSomebody), -20, "has somebody for it already"),
        (withheld && !reachable, -6, "did not want to say how to be reached"),
        (account.shows(Sign::Upset), -22, "is upset"),
        (account.shows(Sign::NoCustomer), -30, "wants something else than to become a customer"),
        (left, -5, "hung up"),
    ]
}

/// How often the agent said a sentence that it had said before. Short words may come again.
fn repetitions(by_agent: &[String]) -> usize {
    let long: Vec<&String> = by_agent.iter().filter(|words| words.split_whitespace().count() >= 4).collect();
    long.iter().enumerate().filter(|(at, words)| long[..*at].contains(words)).count()
}

fn says_goodbye(text: &str) -> bool {
    remark::heard(text).contains(&Remark::Goodbye)
}

/// A count as points.
fn points(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX / 100).min(100)
}

const INTRODUCTION: &[&str] = &[
    "this is",
    "my name is",
    "calling from",
    "assistant",
    "thank you for calling",
    "thanks for calling",
    "le habla",
    "habla",
    "gracias por llamar",
    "asistente",
];

const KIND: &[&str] = &[
    "thank you",
    "thanks",
    "of course",
    "thats all right",
    "my pleasure",
    "happy to",
    "glad",
    "gracias",
    "con gusto",
    "claro",
];

const SYMPATHY: &[&str] = &[
    "i understand",
    "im sorry",
    "i am sorry",
    "im so sorry",
    "so sorry",
    "sorry to hear",
    "i can imagine",
    "that must be",
    "that sounds",
    "i apologize",
    "i apologise",
    "lo siento",
    "lo lamento",
    "entiendo",
    "comprendo",
    "disculpe",
];

const STILL_UPSET: &[&str] = &[
    "ridiculous",
    "forget it",
    "whatever",
    "never mind",
    "waste of time",
    "useless",
    "unacceptable",
    "cancel my",
    "olvídelo",
];

const HAD_TO_REPEAT: &[&str] = &[
    "i told you",
    "i already",
    "already told",
    "i just said",
    "i just told",
    "youre not listening",
    "you are not listening",
    "you already asked",
    "you just asked",
    "ya le dije",
    "ya se lo dije",
];

const THANKS: &[&str] =
    &["thank you", "thanks", "great", "perfect", "wonderful", "appreciate", "gracias", "perfecto"];

const NO_ANSWER: &[&str] = &[
    "i dont know",
    "i do not know",
    "im not sure",
    "i cant answer",
    "i cannot answer",
    "i dont have that",
    "i do not have that",
    "no lo sé",
    "no tengo esa",
];
