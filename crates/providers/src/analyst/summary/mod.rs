//! The account of a call in words: in English, and in Spanish where the call was in Spanish.
//!
//! A summary says who wanted what, what they asked, how they felt, what was agreed, what they refused, how they can be reached, what is to be
//! done, and how the call ended, in this order; what there is nothing of is left out.

mod english;
mod spanish;
mod told;
mod words;

use ::understanding::remark::{self, Remark};
use ::understanding::{Language, sentences};
use domain::call::{Party, Utterance};
use speech::{LeadFacts, Reached};

use super::account::{Account, Next, Refused, Sign};
use english::English;
use spanish::Spanish;
use words::Words;

/// The person whom a call was for, as it was known before, and the one who spoke.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct People<'a> {
    pub(super) called: Option<&'a str>,
    pub(super) spoke: Option<&'a str>,
}

impl People<'_> {
    /// The one who spoke, if that was not the one who was called: "Linda Kowalski" for "Greg".
    fn another(&self) -> Option<(&str, &str)> {
        let (called, spoke) = (self.called?, self.spoke?);
        let words = |name: &str| -> Vec<String> { name.split_whitespace().map(str::to_lowercase).collect() };
        let shares = words(called).iter().any(|word| words(spoke).contains(word));
        (!shares).then_some((called, spoke))
    }
}

/// The summary of a call that did not reach the person it was for.
pub(super) fn of_nobody(
    reached: Reached,
    turns: &[Utterance],
    ended_reason: &str,
    account: &Account,
    called: Option<&str>,
) -> String {
    let words = of_language(account.language);
    let ended_by = |reason: &str| ended_reason.to_ascii_lowercase().contains(reason);
    match reached {
        Reached::Machine if ended_by("voicemail") => {
            let left = turns.last().is_some_and(|said| said.by == Party::Agent);
            words.voicemail(left).to_owned()
        }
        Reached::Machine if ended_by("not-in-service") => words.not_in_service().to_owned(),
        Reached::Machine => words.machine().to_owned(),
        Reached::SomebodyElse => of_somebody_else(turns, words, called),
        Reached::Nobody | Reached::Person => words.silence().to_owned(),
    }
}

fn of_somebody_else(turns: &[Utterance], words: &dyn Words, called: Option<&str>) -> String {
    let heard = || turns.iter().filter(|said| said.by == Party::Caller);
    let made = |wanted: Remark| heard().any(|said| remark::heard(&said.text).contains(&wanted));
    if made(Remark::Grief) {
        return words.has_died(called);
    }
    if made(Remark::WrongPerson) {
        return words.wrong_number(called);
    }
    let told = heard()
        .flat_map(|said| sentences::split(&said.text))
        .find(|sentence| remark::heard(sentence).contains(&Remark::ForAnother) && !sentence.ends_with('?'));
    let mut sentences = vec![words.somebody_else(called)];
    sentences.extend(told.map(|sentence| words.they_said(sentence)));
    joined(&sentences)
}

/// The summary of a conversation.
pub(super) fn of(account: &Account, lead: &LeadFacts, people: People<'_>, ended_reason: &str) -> String {
    let words = of_language(account.language);
    let who = people.spoke.or(people.called).unwrap_or(words.somebody());
    let mut sentences: Vec<String> = words.language().map(str::to_owned).into_iter().collect();
    if account.shows(Sign::OptedOut) {
        sentences.push(words.opted_out(who));
        return joined(&sentences);
    }
    sentences.extend(people.another().map(|(called, spoke)| words.answered_for(called, spoke)));
    if account.shows(Sign::Emergency) {
        sentences.push(words.emergency().to_owned());
    }
    match account.concerns.as_slice() {
        [] if account.refused.is_empty() && account.next.is_none() && account.topics.is_empty() => {
            sentences.push(words.named_no_concern(who));
        }
        [] => sentences.push(words.talked(who)),
        [first, further @ ..] => {
            sentences.push(words.wanted(who, first));
            sentences.extend(further.iter().map(|more| words.also(more)));
        }
    }
    sentences.extend(account.details.iter().map(|detail| words.also(detail)));
    let topics: Vec<&str> = account.topics.iter().map(|&topic| words.topic(topic)).collect();
    if !topics.is_empty() {
        sentences.push(words.asked_about(&listed(&topics, words.and())));
    }
    let moods = [
        account.shows(Sign::Upset).then_some(words.upset()),
        account.shows(Sign::WantsAPerson).then_some(words.wants_a_person()),
        account.shows(Sign::Urgent).then_some(words.urgent()),
    ];
    let moods: Vec<&str> = moods.into_iter().flatten().collect();
    if !moods.is_empty() {
        sentences.push(capital(&listed(&moods, words.and())));
    }
    let is_news = |next: &&Next| next.when.is_some() || !next.agreed;
    sentences.extend(account.next.as_ref().filter(is_news).map(|next| words.next(next)));
    // What was given in the end was not refused.
    let given = |what: Refused| match what {
        Refused::Email => lead.email.is_some(),
        Refused::Phone => lead.phone.is_some(),
        Refused::Name => people.spoke.is_some(),
        _ => false,
    };
    sentences.extend(
        account.refused.iter().filter(|&&what| !given(what)).map(|&what| words.refused(what).to_owned()),
    );
    let email = lead.email.as_ref().map(|email| words.email(email));
    let phone = lead.phone.as_ref().map(|phone| words.phone(phone));
    let left: Vec<String> = [email, phone].into_iter().flatten().collect();
    if !left.is_empty() {
        let left: Vec<&str> = left.iter().map(String::as_str).collect();
        sentences.push(words.left(&listed(&left, words.and())));
    }
    sentences.extend(account.open.iter().map(|question| words.open(question)));
    sentences.extend(words.to_do(account, lead));
    sentences.extend(words.ending(ended_reason).map(str::to_owned));
    joined(&sentences)
}

fn of_language(language: Language) -> &'static dyn Words {
    match language {
        Language::Spanish => &Spanish,
        Language::English | Language::French | Language::German => &English,
    }
}

fn joined(sentences: &[String]) -> String {
    let mut text = String::new();
    for sentence in sentences {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(sentence.trim_end_matches(['.', ' ']));
        if !sentence.ends_with(['?', '!', '»']) && !sentence.ends_with("?\"") {
            text.push('.');
        }
    }
    text
}

fn listed(items: &[&str], and: &str) -> String {
    match items {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [many @ .., last] => format!("{} {and} {last}", many.join(", ")),
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
