//! What a conversation came to: what the caller wanted, what was agreed, what is to be done and when, what was refused, and which of their
//! questions are still open. What single sentences mean is read in `understanding`; here is what they mean one after the other.

mod open;

use std::collections::BTreeSet;

use domain::call::{Party, Utterance};

use ::understanding::facts::asks_for_a_name;
use ::understanding::matter::{self, Said};
use ::understanding::opt_out::{self, OptOut, Speaker, Turn};
use ::understanding::remark::{self, Remark};
use ::understanding::{Language, language, sentences, times};

use crate::understanding::{email, name, phone};

/// The most sentences that are kept of what the caller wanted, and of what they told besides.
const MOST: usize = 2;

/// Fewer words than this tell nothing by themselves.
const TELLING: usize = 4;

/// What a conversation came to. Sentences are the caller's own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) language: Language,
    signs: BTreeSet<Sign>,
    /// What the caller wanted. A correction has taken the place of what it corrects.
    pub(super) concerns: Vec<String>,
    /// Further sentences that tell an amount or a time.
    pub(super) details: Vec<String>,
    /// What the caller asked about.
    pub(super) topics: Vec<Topic>,
    /// Questions and requests of theirs that were only taken down.
    pub(super) open: Vec<String>,
    pub(super) next: Option<Next>,
    pub(super) refused: Vec<Refused>,
}

/// What a conversation showed besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sign {
    OptedOut,
    Upset,
    Urgent,
    WantsAPerson,
    /// Somebody is in danger.
    Emergency,
    /// Something bad has happened to them.
    Distressed,
    /// They sell something, look for work, or want to leave: no business to be won.
    NoCustomer,
    /// They look around, and have not made up their mind.
    Browsing,
    /// They spoke of a sum of money.
    Amount,
}

/// Something that is asked about again and again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Topic {
    Price,
    Address,
    Hours,
    Availability,
    Payment,
    Insurance,
    Parking,
    Recording,
    Origin,
}

/// What follows from a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Next {
    pub(super) step: Step,
    /// In the words in which it was said.
    pub(super) when: Option<String>,
    /// Both sides said so; otherwise only the caller asked for it.
    pub(super) agreed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Appointment,
    CallBack,
    Send,
    PutThrough,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    Name,
    Email,
    Phone,
    /// What the call offers: they are not interested.
    Offer,
    /// They have somebody for it.
    HasSomebody,
    TooExpensive,
}

/// Reads a conversation with a person.
pub(super) fn read(turns: &[Utterance]) -> Account {
    let by_caller: Vec<&Utterance> = turns.iter().filter(|said| said.by == Party::Caller).collect();
    let mut account = Account {
        language: spoken(&by_caller),
        signs: BTreeSet::new(),
        concerns: Vec::new(),
        details: Vec::new(),
        topics: Vec::new(),
        open: Vec::new(),
        next: None,
        refused: Vec::new(),
    };
    account.note(Sign::OptedOut, wants_no_calls(turns));
    let mut asked = "";
    for (index, said) in turns.iter().enumerate() {
        let after = turns.get(index + 1).filter(|after| after.by != said.by).map(|after| after.text.as_str());
        if said.by == Party::Agent {
            asked = &said.text;
            account.hear_agent(&said.text, after);
        } else {
            account.hear(asked, &said.text, after.unwrap_or_default());
            asked = "";
        }
    }
    if account.concerns.is_empty() {
        account.concerns.extend(unprompted(&by_caller));
    }
    account.concerns.truncate(MOST);
    let Account { concerns, details, open, .. } = &mut account;
    details.retain(|detail| !concerns.contains(detail));
    details.truncate(MOST);
    open.retain(|question| !concerns.contains(question) && !details.contains(question));
    open.truncate(MOST);
    account
}

impl Account {
    /// True if the conversation showed this.
    pub(super) fn shows(&self, sign: Sign) -> bool {
        self.signs.contains(&sign)
    }

    /// True if nothing is to be won by calling again.
    pub(super) fn is_lost(&self) -> bool {
        [Refused::Offer, Refused::HasSomebody].iter().any(|what| self.refused.contains(what))
            || self.shows(Sign::NoCustomer)
    }

    fn note(&mut self, sign: Sign, is_there: bool) {
        if is_there {
            self.signs.insert(sign);
        }
    }

    /// A turn of the caller's: what they were asked before, and what the agent said to it.
    fn hear(&mut self, asked: &str, text: &str, after: &str) {
        let remarks = remark::heard(text);
        let made = |remark| remarks.contains(&remark);
        self.note(Sign::Upset, made(Remark::Anger));
        self.note(Sign::WantsAPerson, made(Remark::Human));
        self.note(Sign::Emergency, made(Remark::Emergency));
        self.note(Sign::Distressed, made(Remark::Grief));
        self.ask_about(Topic::Recording, made(Remark::Recorded));
        self.ask_about(Topic::Origin, made(Remark::Source));
        let sentences = sentences_heard(text);
        self.hear_refusals(asked, text, &remarks, &sentences);
        let heeded = accepts(after);
        let mut asks_for_a_step = false;
        for (sentence, said) in sentences {
            asks_for_a_step |= self.hear_wish(sentence, text, &said, heeded);
            self.hear_sentence(asked, sentence, &said);
            let asks = sentence.ends_with('?')
                && sentence.split_whitespace().count() >= TELLING
                && !is_about_the_call(sentence);
            if asks && open::stays_open(sentence, after) && !self.open.iter().any(|open| open == sentence) {
                self.open.push(sentence.to_owned());
            }
        }
        if !asks_for_a_step && made(Remark::Later) && self.concerns.is_empty() {
            self.follow(Next {
                step: Step::CallBack,
                when: times::wanted(text, self.language),
                agreed: heeded,
            });
        }
    }

    /// A step that the caller asks for; true if there is one.
    fn hear_wish(&mut self, sentence: &str, text: &str, said: &BTreeSet<Said>, heeded: bool) -> bool {
        const WISHES: [(Said, Step); 4] = [
            (Said::WantsThrough, Step::PutThrough),
            (Said::WantsAppointment, Step::Appointment),
            (Said::WantsCall, Step::CallBack),
            (Said::WantsSending, Step::Send),
        ];
        let Some((_, step)) = WISHES.into_iter().find(|(wish, _)| said.contains(wish)) else { return false };
        let when = times::wanted(sentence, self.language).or_else(|| times::wanted(text, self.language));
        self.follow(Next { step, when, agreed: heeded });
        true
    }

    fn hear_sentence(&mut self, asked: &str, sentence: &str, said: &BTreeSet<Said>) {
        self.note(Sign::Urgent, said.contains(&Said::Urgent));
        self.note(Sign::Distressed, said.contains(&Said::Distress));
        self.note(Sign::NoCustomer, said.contains(&Said::Sells));
        self.note(Sign::Browsing, said.contains(&Said::Browsing));
        self.note(Sign::Amount, said.contains(&Said::Amount));
        let asks = sentence.ends_with('?') || wonders(sentence);
        for (of, topic) in TOPICS {
            self.ask_about(topic, asks && said.contains(&of));
        }
        if is_only_a_name(sentence, said) || email(sentence).is_some() {
            return;
        }
        let words = sentence.split_whitespace().count();
        let wants_in =
            self.concerns.is_empty() && said.contains(&Said::WantsAppointment) && words > TELLING + 1;
        let states = reason_in(asked, sentence, said) || wants_in;
        let tells = tells_a_time(sentence, self.language);
        let corrects =
            said.contains(&Said::Corrects) && words >= TELLING && !tells && !is_about_the_call(sentence);
        if !self.concerns.is_empty() && corrects && (states || !asks) {
            self.concerns = vec![sentence.to_owned()];
        } else if states && (!asks || self.concerns.is_empty()) {
            self.concerns.push(sentence.to_owned());
        } else if phone(sentence).is_none()
            && !asks
            && words >= TELLING
            && (said.contains(&Said::Amount) || tells)
            && !matter::heard(asked).contains(&Said::AsksTime)
            && !is_a_step(said)
        {
            self.details.push(sentence.to_owned());
        }
    }

    fn ask_about(&mut self, topic: Topic, asks: bool) {
        if asks && !self.topics.contains(&topic) {
            self.topics.push(topic);
        }
    }

    fn hear_refusals(
        &mut self,
        asked: &str,
        text: &str,
        remarks: &BTreeSet<Remark>,
        sentences: &[(&str, BTreeSet<Said>)],
    ) {
        let is_told =
            self.concerns.is_empty() || ["interest", "interes"].iter().any(|word| text.contains(word));
        let mut refuse = |what: Refused| {
            if !self.refused.contains(&what) {
                self.refused.push(what);
            }
        };
        let says_no = remarks.contains(&Remark::No) && text.split_whitespace().count() < TELLING;
        if remarks.contains(&Remark::Refusal) || says_no {
            match asked_for(asked) {
                _ if mentions_email(text) => refuse(Refused::Email),
                Some(what) => refuse(what),
                None => {}
            }
        }
        let says = |what| sentences.iter().any(|(_, said)| said.contains(&what));
        if remarks.contains(&Remark::NotInterested)
            && is_told
            && !says(Said::HasSomebody)
            && asked_for(asked).is_none()
        {
            refuse(Refused::Offer);
        }
        if says(Said::HasSomebody) {
            refuse(Refused::HasSomebody);
        }
        if says(Said::TooExpensive) {
            refuse(Refused::TooExpensive);
        }
    }

    /// A turn of the agent's: an offer that the caller takes or declines, a promise, or the question for a time.
    fn hear_agent(&mut self, text: &str, answer: Option<&str>) {
        self.open.retain(|question| !open::is_answered_later(question, text));
        let sentences = sentences_heard(text);
        if sentences.iter().any(|(_, said)| said.contains(&Said::AsksTime))
            && let Some(answer) = answer
        {
            let when = times::answered(answer, self.language)
                .or_else(|| times::is_at_once(answer).then(|| now(self.language).to_owned()));
            if when.is_some() {
                self.follow(Next { step: Step::CallBack, when, agreed: true });
            }
        }
        let offered = |(sentence, said)| step_offered(said).map(|step| (sentence, said, step));
        let last = sentences.iter().rev().map(|(sentence, said)| (*sentence, said)).find_map(offered);
        let Some((sentence, said, step)) = last else { return };
        let declined = answer.is_some_and(|answer| {
            let remarks = remark::heard(answer);
            [Remark::No, Remark::Done, Remark::Refusal].iter().any(|remark| remarks.contains(remark))
        });
        let asks = sentence.ends_with('?');
        let taken = asks && answer.is_some_and(accepts);
        let is_promise = said.contains(&Said::Promise) && !asks;
        if declined && asks && !taken {
            if self.next.as_ref().is_some_and(|next| next.step == step) {
                self.next = None;
            }
        } else if taken || is_promise {
            let when = times::wanted(sentence, self.language)
                .or_else(|| answer.filter(|_| asks).and_then(|answer| times::wanted(answer, self.language)));
            self.follow(Next { step, when, agreed: true });
        }
    }

    /// The newest counts, and keeps what it does not say anew.
    fn follow(&mut self, next: Next) {
        let before = self.next.take();
        let kept = before.as_ref().filter(|before| before.step == next.step);
        let is_smaller = |before: &Next| match before.step {
            // Whoever wants to come in is called about it, and an appointment is not undone by a letter.
            Step::Appointment => next.step == Step::CallBack || (before.agreed && next.step == Step::Send),
            _ => false,
        };
        self.next = Some(match before {
            Some(before) if is_smaller(&before) => before,
            _ => Next {
                when: next.when.or_else(|| kept.and_then(|kept| kept.when.clone())),
                agreed: next.agreed || kept.is_some_and(|kept| kept.agreed),
                step: next.step,
            },
        });
    }

    /// What the lead is told to want, in the caller's words.
    pub(super) fn intent(&self) -> Option<String> {
        let text = self.concerns.join(" ");
        (!text.is_empty()).then_some(text)
    }
}

const TOPICS: [(Said, Topic); 7] = [
    (Said::Price, Topic::Price),
    (Said::Address, Topic::Address),
    (Said::Hours, Topic::Hours),
    (Said::Availability, Topic::Availability),
    (Said::Payment, Topic::Payment),
    (Said::Insurance, Topic::Insurance),
    (Said::Parking, Topic::Parking),
];

/// The conversation as the readers of words take it.
pub(super) fn as_turns(turns: &[Utterance]) -> Vec<Turn<'_>> {
    let by = |party| if party == Party::Agent { Speaker::Agent } else { Speaker::Caller };
    turns.iter().map(|said| Turn { by: by(said.by), text: &said.text }).collect()
}

/// True if the caller asked not to be called again, or can have meant it.
pub(super) fn wants_no_calls(turns: &[Utterance]) -> bool {
    opt_out::read(&as_turns(turns)) != OptOut::No
}

/// The sentences of a turn, with what each says of the matter.
fn sentences_heard(text: &str) -> Vec<(&str, BTreeSet<Said>)> {
    sentences::split(text).map(|sentence| (sentence, matter::heard(sentence))).collect()
}

/// True if these words say what the caller wants, by themselves or as an answer.
pub(super) fn states_reason(asked: &str, text: &str) -> bool {
    reason_in(asked, text, &matter::heard(text))
}

/// The same, where it is known what the words say of the matter.
fn reason_in(asked: &str, text: &str, said: &BTreeSet<Said>) -> bool {
    const NO_ANSWER: [Remark; 6] =
        [Remark::No, Remark::Done, Remark::Later, Remark::Human, Remark::NotInterested, Remark::WrongPerson];
    let by_itself = said.contains(&Said::Reason);
    let can_answer = || {
        asked.contains('?')
            && text.split_whitespace().count() >= TELLING
            && !text.trim_end().ends_with('?')
            && matter::heard(asked).contains(&Said::AsksReason)
    };
    if !by_itself && !can_answer() {
        return false;
    }
    let remarks = remark::heard(text);
    let makes_one_of = |of: &[Remark]| of.iter().any(|remark| remarks.contains(remark));
    !makes_one_of(&TALK_OF_THE_CALL)
        && (by_itself || !makes_one_of(&NO_ANSWER))
        && opt_out::read(&[Turn { by: Speaker::Caller, text }]) == OptOut::No
}

/// Remarks that are about the call and not about a matter.
const TALK_OF_THE_CALL: [Remark; 9] = [
    Remark::Who,
    Remark::About,
    Remark::Goodbye,
    Remark::Refusal,
    Remark::Repeat,
    Remark::Robot,
    Remark::Source,
    Remark::ForAnother,
    Remark::Hold,
];

/// The first sentence of some length that can be a concern, where none was stated in so many words.
fn unprompted(by_caller: &[&Utterance]) -> Option<String> {
    let other = [
        Remark::Later,
        Remark::NotInterested,
        Remark::Human,
        Remark::WrongPerson,
        Remark::Recorded,
        Remark::Done,
    ];
    let is_one = |sentence: &&str| {
        if sentence.split_whitespace().count() <= TELLING || sentence.ends_with('?') {
            return false;
        }
        let remarks = remark::heard(sentence);
        let said = matter::heard(sentence);
        !TALK_OF_THE_CALL.iter().chain(&other).any(|remark| remarks.contains(remark))
            && !said.contains(&Said::HasSomebody)
            && !is_only_a_name(sentence, &said)
            && email(sentence).is_none()
            && phone(sentence).is_none()
            && opt_out::read(&[Turn { by: Speaker::Caller, text: sentence }]) == OptOut::No
    };
    by_caller.iter().flat_map(|said| sentences::split(&said.text)).find(is_one).map(str::to_owned)
}

/// True if the sentence only says who speaks.
fn is_only_a_name(sentence: &str, said: &BTreeSet<Said>) -> bool {
    sentence.split_whitespace().count() <= 7 && name(sentence).is_some() && !said.contains(&Said::Reason)
}

/// The language in which the caller spoke.
fn spoken(by_caller: &[&Utterance]) -> Language {
    let heard: Vec<Language> = by_caller.iter().filter_map(|said| language::heard(&said.text)).collect();
    let count = |of| heard.iter().filter(|language| **language == of).count();
    Language::ALL.into_iter().rev().max_by_key(|language| count(*language)).unwrap_or(Language::English)
}

/// True if the caller takes what was offered, or the agent what was asked for.
pub(super) fn accepts(text: &str) -> bool {
    let said = matter::heard(text);
    said.contains(&Said::Accepts) && !said.contains(&Said::Declines)
}

fn step_offered(said: &BTreeSet<Said>) -> Option<Step> {
    const OFFERS: [(Said, Step); 4] = [
        (Said::OffersThrough, Step::PutThrough),
        (Said::OffersAppointment, Step::Appointment),
        (Said::OffersCall, Step::CallBack),
        (Said::OffersSending, Step::Send),
    ];
    OFFERS.into_iter().find(|(offer, _)| said.contains(offer)).map(|(_, step)| step)
}

fn is_a_step(said: &BTreeSet<Said>) -> bool {
    [Said::WantsThrough, Said::WantsAppointment, Said::WantsCall, Said::WantsSending]
        .iter()
        .any(|wish| said.contains(wish))
}

fn is_about_the_call(sentence: &str) -> bool {
    let remarks = remark::heard(sentence);
    TALK_OF_THE_CALL
        .iter()
        .chain(&[Remark::Recorded, Remark::When, Remark::HowAreYou, Remark::Human])
        .any(|remark| remarks.contains(remark))
}

fn wonders(sentence: &str) -> bool {
    let lower = sentence.to_lowercase();
    ["wondering", "tell me", "quería saber", "quisiera saber"].iter().any(|phrase| lower.contains(phrase))
}

/// True if a day or an hour is named, past ones included.
fn tells_a_time(sentence: &str, language: Language) -> bool {
    times::wanted(sentence, language).is_some()
}

fn mentions_email(text: &str) -> bool {
    let lower = text.to_lowercase();
    ["email", "e-mail", "correo"].iter().any(|word| lower.contains(word))
}

/// What of a person the agent asked for.
fn asked_for(asked: &str) -> Option<Refused> {
    let lower = asked.to_lowercase();
    let asks = |words: &[&str]| asked.contains('?') && words.iter().any(|word| lower.contains(word));
    match () {
        () if mentions_email(asked) && asked.contains('?') => Some(Refused::Email),
        () if asks(&["phone number", "best number", "number to reach", "teléfono"]) => Some(Refused::Phone),
        () if asks_for_a_name(asked) => Some(Refused::Name),
        () => None,
    }
}

/// How a wish that cannot wait is told.
fn now(language: Language) -> &'static str {
    match language {
        Language::Spanish => "lo antes posible",
        _ => "as soon as possible",
    }
}
