//! What the receptionist says next, from its notes.
//!
//! Invariants: whatever callers say, the call comes to a goodbye; no sentence of a turn stood in the turn before; after a goodbye only
//! goodbyes follow, unless the caller has something new to say.

mod answers;

use std::collections::BTreeSet;

use domain::phone;
use understanding::facts::form_of_address;
use understanding::remark::Remark;
use understanding::sentences::split;
use understanding::{Language, topic};

use super::aloud::{address, address_read_back, lowered, retold};
use super::notes::{Filling, News, Notes, Question, fact};
use super::sentences::{Wordings, filled};
use super::turn::{begins_with_no, states_a_matter};
use super::wishes;
use crate::understanding::plain;

/// After so many turns of its own it says goodbye, whatever is still open.
const MAX_TURNS: usize = 18;

/// After so many turns in a row that only agree, nothing more is asked.
const MAX_AGREED: usize = 6;

/// How often it asks whether there is anything else.
const MAX_ROUNDS: usize = 5;

/// What to say, and whether that is the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) text: String,
    pub(super) ends: bool,
    /// The caller is put through to a person, and the receptionist has nothing more to say.
    pub(super) puts_through: bool,
}

/// The reply to the caller's last turn.
pub(super) fn reply(notes: &Notes<'_>) -> Reply {
    let mut draft = Draft { notes, parts: Vec::new(), ends: false, puts_through: false };
    draft.write();
    let Draft { parts, ends, puts_through, .. } = draft;
    Reply { text: said_anew(notes, &parts, ends), ends, puts_through }
}

struct Draft<'a> {
    notes: &'a Notes<'a>,
    parts: Vec<String>,
    ends: bool,
    puts_through: bool,
}

impl Draft<'_> {
    fn write(&mut self) {
        let (notes, words) = (self.notes, self.notes.words);
        let says = |remark| notes.says(remark);
        let has_news = notes.news.iter().any(|news| matches!(news, News::Reason | News::More));
        // Whoever is called and says why it is of no interest has told no matter of theirs.
        let has_matter = has_news
            && !(notes.is_outbound() && says(Remark::NotInterested) && !states_a_matter(notes.heard));
        if says(Remark::Emergency) {
            return self.end(words.emergency);
        }
        if notes.parted && !has_matter && !self.asks_something() {
            return self.end(words.farewell_again);
        }
        if notes.is_outbound() && wishes::is_a_child(notes.heard) {
            return self.end(words.child);
        }
        if says(Remark::WrongPerson) {
            return self.end(if notes.is_outbound() { words.wrong_person } else { words.misdialled });
        }
        if notes.is_anothers() && says(Remark::Grief) && !has_matter {
            return self.end(words.died);
        }
        if notes.turns >= MAX_TURNS || notes.asked_for_more >= MAX_ROUNDS {
            return self.part();
        }
        if says(Remark::Goodbye) && !self.asks_something() {
            return self.part();
        }
        if notes.is_outbound() && wishes::takes_a_message(notes.heard) {
            return self.leave_word();
        }
        if notes.is_anothers() && says(Remark::ForAnother) && !has_matter && !says(Remark::Hold) {
            return self.reach_another();
        }
        if notes.is_anothers()
            && notes.uses(words.ask_for) == 0
            && notes.turns == 1
            && !has_matter
            && let Some(name) = fact(notes.chat, "name")
        {
            // "How can I help you?" is no question about the call there.
            if says(Remark::Robot) {
                self.say(words.robot);
            } else if says(Remark::Who) {
                self.say(words.introduction);
            }
            return self.say_with(words.ask_for, "name", form_of_address(name));
        }
        let no_minute = notes.asked == Some(Question::Minute)
            && says(Remark::No)
            && !notes.switched
            && !self.asks_something();
        if (says(Remark::Later) || no_minute) && !has_matter && notes.asked != Some(Question::Time) {
            return self.put_off();
        }
        let talks_on =
            notes.heard.split_whitespace().count() > 5 && !says(Remark::No) && notes.time.value.is_none();
        if notes.asked == Some(Question::BetterTime) && !has_matter && !talks_on && !self.asks_something() {
            return self.put_off();
        }
        if notes.is_anothers()
            && notes.asked == Some(Question::BetterTime)
            && !has_matter
            && self.asks_something()
        {
            return self.reach_another();
        }
        if says(Remark::Done)
            && notes.asked == Some(Question::Reason)
            && notes.turns > 1
            && notes.reason.value.is_none()
            && notes.news.is_empty()
            && !self.asks_something()
        {
            return self.part();
        }
        if says(Remark::NotInterested)
            && !has_matter
            && !matches!(notes.asked, Some(Question::More | Question::Email))
        {
            return self.end(words.not_interested);
        }
        if says(Remark::Hold) && !has_matter {
            return self.say(words.take_your_time);
        }
        if says(Remark::Human) && notes.can_put_through() {
            if says(Remark::Robot) {
                self.say(words.robot);
            }
            self.puts_through = true;
            return self.say(words.put_through);
        }
        if notes.turns == 0 || (notes.switched && !notes.says(Remark::Who) && !notes.says(Remark::Robot)) {
            self.say(words.introduction);
        }
        self.react();
        self.go_on();
    }

    /// Somebody else will tell the person that we called.
    fn leave_word(&mut self) {
        let words = self.notes.words;
        match fact(self.notes.chat, "business_phone") {
            Some(number) => self.say_with(words.tell_them_number, "value", &phone::aloud(number)),
            None => self.say(words.tell_them),
        }
        self.ends = true;
    }

    /// The person who was called is not there: asks when they are.
    fn reach_another(&mut self) {
        let (notes, words) = (self.notes, self.notes.words);
        self.answer_about_the_call();
        if self.parts.is_empty() {
            self.say(words.all_right);
        }
        match fact(notes.chat, "name") {
            Some(name) => self.say_with(words.ask_when_there, "name", form_of_address(name)),
            None => self.say(words.ask_when_they_are_there),
        }
    }

    /// True if the caller put a question that wants an answer.
    fn asks_something(&self) -> bool {
        const ASKED: [Remark; 6] =
            [Remark::Robot, Remark::Recorded, Remark::Source, Remark::Who, Remark::About, Remark::Human];
        ASKED.iter().any(|remark| self.notes.says(*remark)) || self.questions().next().is_some()
    }

    /// What is said to the caller's words before the next question.
    fn react(&mut self) {
        let (notes, words) = (self.notes, self.notes.words);
        if notes.says(Remark::Grief) {
            self.say(words.condolence);
        } else if notes.says(Remark::Anger) {
            self.say(words.anger);
        }
        if notes.says(Remark::HowAreYou) {
            self.say(words.fine_thanks);
        }
        self.answer_about_the_call();
        let feels_grief = notes.all_remarks.contains(&Remark::Grief);
        let feels = notes.says(Remark::Grief) || notes.says(Remark::Anger);
        if notes.says(Remark::Human) && !notes.says(Remark::Robot) {
            self.say(words.person);
        } else if notes.says(Remark::Human) || (feels && notes.uses(&words.person[1..]) == 0) {
            self.say(&words.person[1..]);
        }
        if notes.is_urgent() && !feels_grief && notes.uses(words.urgent) == 0 {
            self.say(words.urgent);
        }
        self.answer_about_the_business();
        if notes.says(Remark::Repeat) && !wishes::asks_for_our_name(notes.heard) {
            self.say(words.of_course);
        }
        self.take_note();
        if self.parts.is_empty() {
            self.acknowledge();
        }
    }

    /// Says what was understood of the caller's last turn.
    fn take_note(&mut self) {
        let (notes, words) = (self.notes, self.notes.words);
        let answered = !self.parts.is_empty();
        for news in &notes.news {
            match news {
                News::Email => {
                    let value = self.read_back(Question::Email);
                    self.say_with(words.noted_email, "value", &value);
                }
                News::Phone => {
                    let value = self.spoken(Question::Phone);
                    self.say_with(words.noted_phone, "value", &value);
                }
                News::Time => {
                    let value = self.spoken(Question::Time);
                    self.say_with(words.noted_time, "value", &value);
                }
                News::Corrected(Question::Reason) => self.say(words.understood),
                News::Corrected(question) => {
                    let value = self.read_back(*question);
                    self.say_with(words.corrected, "value", &value);
                }
                News::Name => match notes.first_name() {
                    Some(name) => self.say_with(words.thanks_name, "name", name),
                    None => self.say(words.thanks),
                },
                News::Reason if !answered && notes.news.len() == 1 => self.say(words.understood),
                News::More if !answered => self.say(words.noted_more),
                News::Reason | News::More => {}
            }
        }
    }

    /// What is said when nothing else is.
    fn acknowledge(&mut self) {
        let (notes, words) = (self.notes, self.notes.words);
        let answers = notes.says(Remark::Yes) || notes.says(Remark::No) || notes.says(Remark::Done);
        match notes.asked {
            _ if wishes::asks_for_language(notes.heard) => self.say(&words.of_course[..1]),
            _ if notes.says(Remark::Refusal) => self.say(words.all_right),
            Some(Question::Email | Question::Phone | Question::Time) if notes.says(Remark::No) => {
                self.say(words.all_right);
            }
            Some(Question::Email | Question::Name | Question::Phone) if notes.agreed > 0 => {}
            Some(Question::Email | Question::Name | Question::Phone) if !notes.heard.trim().is_empty() => {
                // Whoever says a whole sentence was heard; it was only no answer.
                let says_much = notes.heard.split_whitespace().count() >= 4;
                self.say(if says_much { words.understood } else { words.missed });
            }
            Some(Question::Reason) if !answers && notes.reason.value.is_none() && notes.turns > 1 => {
                self.say(words.missed);
            }
            Some(Question::Minute) | None if notes.turns > 0 => self.say(words.thanks),
            Some(Question::Time) => self.say(words.all_right),
            _ => {}
        }
    }

    /// Adds the next question, or the end.
    fn go_on(&mut self) {
        let (notes, words) = (self.notes, self.notes.words);
        let context = fact(notes.chat, "context").filter(|_| notes.is_outbound());
        let is_news = notes.news.iter().any(|news| !matches!(news, News::Reason));
        if let Some(asked) = self.wordings_of_last_question().filter(|_| notes.says(Remark::Repeat)) {
            return self.say(asked);
        }
        if let Some(nudge) = self.nudge() {
            self.parts.clear();
            return self.say(nudge);
        }
        match self.next() {
            Some(Question::Reason) if context.is_some() && notes.uses(words.ask_topic) == 0 => {
                if !(notes.says(Remark::Who) || notes.says(Remark::About)) {
                    self.name_the_topic();
                }
                self.say(words.ask_topic);
            }
            Some(Question::Reason) => self.say(words.ask_reason),
            Some(Question::Name) => self.say(words.ask_name),
            Some(Question::Email) => self.say(words.ask_email),
            Some(Question::Phone) => self.say(words.ask_phone),
            Some(Question::Time) => self.say(words.ask_time),
            Some(Question::More | Question::Minute | Question::BetterTime) => {}
            None if notes.asked_for_more == 0 => {
                self.sum_up();
                self.say(words.will_call);
                self.say(words.ask_more);
            }
            None if notes.asked == Some(Question::More)
                && !is_news
                && (notes.says(Remark::No) || notes.says(Remark::Done) || begins_with_no(notes.heard)) =>
            {
                if !self.asks_something() && !notes.says(Remark::When) {
                    self.parts.clear();
                }
                self.part();
            }
            None if notes.asked == Some(Question::More) && !is_news && !self.asks_something() => {
                let is_okay = OKAY.contains(&plain(notes.heard).trim());
                let only_yes = notes.says(Remark::Yes)
                    && !is_okay
                    && !notes.says(Remark::Done)
                    && !notes.says(Remark::No);
                let was_told = heard_sentences(&words.go_on.join(" "))
                    .iter()
                    .any(|told| plain(notes.last_own).contains(told));
                if only_yes
                    && !was_told
                    && notes.heard.split_whitespace().count() <= 4
                    && notes.asked_for_more < 2
                {
                    self.say(words.go_on);
                } else {
                    self.parts.clear();
                    self.part();
                }
            }
            None if notes.parted => self.part(),
            None => self.say(words.ask_more),
        }
    }

    fn wordings_of_last_question(&self) -> Option<Wordings> {
        let words = self.notes.words;
        match self.notes.asked? {
            Question::Reason => Some(words.ask_reason),
            Question::Name => Some(words.ask_name),
            Question::Email => Some(words.ask_email),
            Question::Phone => Some(words.ask_phone),
            Question::Time => Some(words.ask_time),
            Question::BetterTime => Some(words.ask_better_time),
            Question::More => Some(words.ask_more),
            Question::Minute => None,
        }
    }

    /// What to say to somebody who agrees to be asked and waits, once for each kind of question.
    fn nudge(&self) -> Option<Wordings> {
        let (notes, words) = (self.notes, self.notes.words);
        let (filling, nudge) = match notes.asked.filter(|_| notes.agreed > 0)? {
            Question::Reason => (&notes.reason, words.tell_reason),
            Question::Name => (&notes.name, words.tell_value),
            Question::Email => (&notes.email, words.tell_value),
            Question::Phone => (&notes.phone, words.tell_value),
            Question::Time | Question::BetterTime | Question::More | Question::Minute => return None,
        };
        (filling.value.is_none() && !filling.refused && notes.uses(nudge) == 0).then_some(nudge)
    }

    /// What is still to be asked.
    fn next(&self) -> Option<Question> {
        let notes = self.notes;
        // Who only agrees is asked nothing twice, and not for ever.
        if notes.agreed >= MAX_AGREED {
            return None;
        }
        let is_new = |filling: &Filling| notes.agreed == 0 || filling.tries == 0;
        // Who asked for a person, or is upset, is not asked for an address to write to, and whoever sells something only how to find them.
        let sells = !notes.is_urgent() && wishes::sells_something(notes.chat);
        let wants_email = notes.email.is_open()
            && !sells
            && is_new(&notes.email)
            && notes.phone.value.is_none()
            && !notes.is_urgent();
        let has_way = notes.email.value.is_some() || notes.phone.value.is_some();
        let wants_phone = !has_way && !notes.is_outbound() && notes.phone.is_open() && notes.phone.tries == 0;
        let wants_time = notes.time.is_open() && notes.time.tries == 0 && !sells;
        match () {
            () if notes.reason.is_open_for(3) && is_new(&notes.reason) => Some(Question::Reason),
            () if notes.name.is_open() && is_new(&notes.name) => Some(Question::Name),
            () if wants_email => Some(Question::Email),
            () if wants_phone => Some(Question::Phone),
            () if wants_time => Some(Question::Time),
            () => None,
        }
    }

    /// Reads back what was noted.
    fn sum_up(&mut self) {
        let (notes, words) = (self.notes, self.notes.words);
        let mut items = Vec::new();
        if let Some(reason) = &notes.reason.value {
            let matter = topic::of(reason).filter(|_| notes.language == Language::English);
            let matter = matter.map(|matter| filled(words.sum_topic, &[("value", &matter)]));
            let told =
                || retold(reason, notes.language).filter(|_| !notes.all_remarks.contains(&Remark::Grief));
            items.extend(matter.or_else(told));
        }
        let values = [
            (Question::Name, notes.name.value.is_some(), words.sum_name),
            (Question::Email, notes.email.value.is_some(), words.sum_email),
            (Question::Phone, notes.phone.value.is_some(), words.sum_phone),
            (Question::Time, notes.time.value.is_some(), words.sum_time),
        ];
        for (question, is_known, wording) in values {
            if is_known {
                items.push(filled(wording, &[("value", &self.spoken(question))]));
            }
        }
        if notes.reason.value.is_some() && items.len() == 1 {
            items.insert(0, words.sum_reason.to_owned());
        }
        if items.len() >= 2 {
            let and = if notes.language == Language::Spanish { " y " } else { ", and " };
            let last = items.pop().unwrap_or_default();
            self.parts.push(format!("{} {}{and}{last}.", words.sum_up, items.join(", ")));
        }
    }

    /// A noted value as it is said.
    fn spoken(&self, question: Question) -> String {
        let (notes, words) = (self.notes, self.notes.words);
        let value = |filling: &Filling| filling.value.clone().unwrap_or_default();
        match question {
            Question::Email => address(&value(&notes.email), &words.signs),
            Question::Phone => phone::aloud(&value(&notes.phone)),
            Question::Name => value(&notes.name),
            Question::Time | Question::BetterTime => lowered(&value(&notes.time)),
            Question::Reason | Question::More | Question::Minute => value(&notes.reason),
        }
    }

    /// A value that was just noted, as it is said for the caller to check.
    fn read_back(&self, question: Question) -> String {
        let notes = self.notes;
        match (question, &notes.email.value) {
            (Question::Email, Some(email)) => {
                address_read_back(email, notes.heard, notes.language, &notes.words.signs)
            }
            _ => self.spoken(question),
        }
    }

    /// The person has no time: takes another one and ends.
    fn put_off(&mut self) {
        let (notes, words) = (self.notes, self.notes.words);
        if notes.time.value.is_some() {
            let value = self.spoken(Question::Time);
            self.say_with(words.later_at, "value", &value);
            self.ends = true;
        } else if notes.asked == Some(Question::BetterTime) || notes.uses(words.ask_better_time) > 0 {
            self.end(words.later);
        } else {
            self.say(words.all_right);
            self.say(words.ask_better_time);
        }
    }

    /// Says what was corrected last, what happens next, and goodbye.
    fn part(&mut self) {
        let (notes, words) = (self.notes, self.notes.words);
        for news in &notes.news {
            if let News::Corrected(question @ (Question::Email | Question::Phone | Question::Name)) = news {
                let value = self.spoken(*question);
                self.say_with(words.corrected, "value", &value);
            } else if let News::Email | News::Phone = news {
                let question = if *news == News::Email { Question::Email } else { Question::Phone };
                let value = self.spoken(question);
                self.say_with(words.noted_email, "value", &value);
            }
        }
        match notes.first_name() {
            _ if notes.parted => self.say(words.farewell_again),
            Some(name) => self.say_with(words.farewell_name, "name", name),
            None => self.say(words.farewell),
        }
        self.ends = true;
    }

    fn end(&mut self, wordings: Wordings) {
        self.say(wordings);
        self.ends = true;
    }

    fn say(&mut self, wordings: Wordings) {
        self.say_with(wordings, "", "");
    }

    /// Takes the next wording, or the first whose sentences were not just heard.
    fn say_with(&mut self, wordings: Wordings, name: &str, value: &str) {
        let notes = self.notes;
        let number = emergency_number(notes);
        let values = [("business", notes.business()), ("number", number.as_str()), (name, value)];
        let used = notes.uses(wordings);
        let just_said = heard_sentences(notes.last_own);
        let texts = (0..wordings.len()).map(|at| filled(wordings[(used + at) % wordings.len()], &values));
        let mut texts = texts.collect::<Vec<_>>().into_iter();
        let first = texts.next().unwrap_or_default();
        let is_new = |text: &String| heard_sentences(text).is_disjoint(&just_said);
        let chosen = if is_new(&first) { first.clone() } else { texts.find(is_new).unwrap_or(first) };
        self.parts.push(chosen);
    }
}

/// Joins the parts and leaves out every sentence that the caller heard in the turn before.
fn said_anew(notes: &Notes<'_>, parts: &[String], ends: bool) -> String {
    let mut heard = heard_sentences(notes.last_own);
    let mut text: Vec<&str> = Vec::new();
    for sentence in parts.iter().flat_map(|part| split(part)) {
        if heard.insert(plain(sentence)) {
            text.push(sentence);
        }
    }
    if text.is_empty() {
        let last = heard_sentences(notes.last_own);
        let words = notes.words;
        let fallback = if ends { words.farewell_again } else { words.go_on };
        text.extend(fallback.iter().find(|wording| heard_sentences(wording).is_disjoint(&last)));
    }
    text.join(" ")
}

/// The sentences of a text in plain form.
fn heard_sentences(text: &str) -> BTreeSet<String> {
    split(text).map(plain).filter(|sentence| !sentence.trim().is_empty()).collect()
}

/// Words after the question for anything else that mean no more than "no".
const OKAY: &[&str] = &["okay", "ok", "all right", "alright", "fine", "vale", "bueno", "está bien"];

/// The number for emergencies where the business is, digit by digit.
fn emergency_number(notes: &Notes<'_>) -> String {
    let number = fact(notes.chat, "emergency_number").unwrap_or("112");
    number.chars().map(String::from).collect::<Vec<_>>().join(" ")
}
