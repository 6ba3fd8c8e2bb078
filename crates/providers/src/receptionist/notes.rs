//! What the receptionist knows of a call at any moment. All of it is read from the chat, so the same chat gives the same notes.

use std::collections::BTreeSet;

use speech::{Chat, ChatMessage, Role};
use understanding::Language;
use understanding::facts::{email_after, form_of_address, with_surname};
use understanding::matter::{self, Said};
use understanding::remark::{self, Remark};
use understanding::sentences::split;
use understanding::times;

use super::sentences::{self, Sentences, Wordings};
use super::turn::{begins_with_no, is_a_bare_name, is_question, matter, shares_a_word, states_a_matter};
use super::wishes;
use crate::understanding::{answered, name, phone, plain, says};

/// The most words of an answer that is a time, where the question for one may be answered by a story.
const LONGEST_TIME: usize = 8;

/// The most words of any answer to the question for a time.
const LONGEST_ANSWER: usize = 20;

/// The most words of a yes that says nothing else.
const SHORT_YES: usize = 6;

/// How often it asks for the same thing.
const MAX_TRIES: usize = 2;

/// What the receptionist asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Question {
    Reason,
    Name,
    Email,
    Phone,
    Time,
    /// Another time, because this one is bad.
    BetterTime,
    More,
    /// "Do you have a minute?", which only a first message asks.
    Minute,
}

/// How far it has come with one of them.
#[derive(Debug, Clone, Default)]
pub(super) struct Filling {
    pub(super) value: Option<String>,
    pub(super) refused: bool,
    pub(super) tries: usize,
}

impl Filling {
    pub(super) fn is_open(&self) -> bool {
        self.is_open_for(MAX_TRIES)
    }

    pub(super) fn is_open_for(&self, tries: usize) -> bool {
        self.value.is_none() && !self.refused && self.tries < tries
    }
}

/// Something that the caller's last turn told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum News {
    Reason,
    /// More beyond the reason.
    More,
    Name,
    Email,
    Phone,
    Time,
    /// One of these replaces what was noted before.
    Corrected(Question),
}

/// Everything that the chat says about the call so far.
pub(super) struct Notes<'a> {
    pub(super) chat: &'a Chat,
    pub(super) words: &'static Sentences,
    pub(super) language: Language,
    pub(super) reason: Filling,
    pub(super) name: Filling,
    pub(super) email: Filling,
    pub(super) phone: Filling,
    pub(super) time: Filling,
    /// Turns of the agent so far.
    pub(super) turns: usize,
    /// What the caller said last, what it amounts to, and what is new in it.
    pub(super) heard: &'a str,
    /// The caller's last turn, and the one before it.
    heard_last: &'a str,
    pub(super) heard_before: &'a str,
    pub(super) remarks: BTreeSet<Remark>,
    pub(super) news: Vec<News>,
    /// What the agent asked last.
    pub(super) asked: Option<Question>,
    /// What the agent said last.
    pub(super) last_own: &'a str,
    pub(super) asked_for_more: usize,
    /// All remarks of the call, the last turn's included.
    pub(super) all_remarks: BTreeSet<Remark>,
    pub(super) parted: bool,
    /// The caller's last turn was the first in another language.
    pub(super) switched: bool,
    /// How many turns in a row the caller has only agreed and told nothing.
    pub(super) agreed: usize,
    /// Somebody with another name than the person who was called has introduced themselves.
    another: bool,
}

impl<'a> Notes<'a> {
    pub(super) fn read(chat: &'a Chat) -> Self {
        let languages = languages(chat);
        let language = languages[0];
        let mut notes = Self {
            chat,
            words: sentences::of(language),
            language,
            reason: Filling::default(),
            name: Filling { value: fact(chat, "name").map(str::to_owned), ..Filling::default() },
            email: Filling::default(),
            phone: Filling::default(),
            time: Filling::default(),
            turns: 0,
            heard: "",
            heard_last: "",
            heard_before: "",
            remarks: BTreeSet::new(),
            news: Vec::new(),
            asked: None,
            last_own: "",
            asked_for_more: 0,
            all_remarks: BTreeSet::new(),
            parted: false,
            switched: false,
            agreed: 0,
            another: false,
        };
        for message in &chat.messages {
            match message.role {
                Role::Assistant => notes.said(message),
                Role::User => notes.heard(&message.content, &languages),
                Role::System | Role::Tool => {}
            }
        }
        notes
    }

    /// True if the agent called the person, and not the other way round.
    pub(super) fn is_outbound(&self) -> bool {
        match fact(self.chat, "direction") {
            Some(direction) => direction == "outbound",
            None => fact(self.chat, "context").is_some(),
        }
    }

    pub(super) fn first_name(&self) -> Option<&str> {
        Some(form_of_address(self.name.value.as_deref()?))
    }

    /// The name with which the agent introduced itself in its first message.
    pub(super) fn own_name(&self) -> Option<String> {
        let first = self.chat.messages.iter().find(|message| message.role == Role::Assistant)?;
        name(&first.content).filter(|name| !plain(self.business()).contains(&plain(name)))
    }

    /// True if the agent may pass the caller on to a person.
    pub(super) fn can_put_through(&self) -> bool {
        self.chat.tools.iter().any(|tool| tool.name == "transfer_call")
    }

    /// True if somebody else answered, who has not begun to talk about a matter of their own.
    pub(super) fn is_anothers(&self) -> bool {
        let is_there = self.another || self.all_remarks.contains(&Remark::ForAnother);
        self.is_outbound() && is_there && self.reason.value.is_none()
    }

    pub(super) fn business(&self) -> &str {
        fact(self.chat, "business_name").unwrap_or(self.words.our_office)
    }

    /// How often one of these wordings was used.
    pub(super) fn uses(&self, wordings: Wordings) -> usize {
        let own = self.chat.messages.iter().filter(|message| message.role == Role::Assistant);
        own.filter(|message| contains(&plain(&message.content), wordings)).count()
    }

    /// Takes note of an own turn.
    fn said(&mut self, message: &'a ChatMessage) {
        let text = message.content.as_str();
        let said = plain(text);
        self.turns += 1;
        self.last_own = text;
        self.heard = "";
        self.remarks.clear();
        self.news.clear();
        let asked = self.asked.take();
        for words in sentences::ALL {
            let questions = [
                (words.ask_reason, Question::Reason),
                (words.ask_topic, Question::Reason),
                (words.tell_reason, Question::Reason),
                (words.ask_name, Question::Name),
                (words.ask_email, Question::Email),
                (words.ask_phone, Question::Phone),
                (words.ask_time, Question::Time),
                (words.ask_better_time, Question::BetterTime),
                (words.ask_when_there, Question::BetterTime),
                (words.ask_when_they_are_there, Question::BetterTime),
                (words.ask_more, Question::More),
            ];
            for (wordings, question) in questions {
                if contains(&said, wordings) {
                    self.asks(question);
                }
            }
        }
        // Whoever is told to go on answers what they were asked before.
        if self.asked.is_none() {
            let goes_on =
                |words: &&Sentences| [words.go_on, words.tell_value].iter().any(|told| contains(&said, told));
            self.asked = asked.filter(|_| sentences::ALL.iter().any(goes_on));
        }
        self.parted |= says(&said, &["goodbye", "adiós"]);
        if self.turns == 1 && self.asked.is_none() {
            self.read_first_message(&said, text);
        }
    }

    /// The first message is the owner's: what it asks is told by its usual words.
    fn read_first_message(&mut self, said: &str, text: &str) {
        const HELP: &[&str] = &[
            "help you",
            "do for you",
            "assist you",
            "can i help",
            "may i help",
            "le puedo ayudar",
            "puedo ayudarle",
            "le ayudo",
            "servirle",
        ];
        const MINUTE: &[&str] = &[
            "a minute",
            "a moment",
            "good time",
            "a second",
            "free to talk",
            "un minuto",
            "un momento",
            "buen momento",
        ];
        if says(said, HELP) {
            self.asks(Question::Reason);
        } else if text.contains('?') && says(said, MINUTE) {
            self.asked = Some(Question::Minute);
        } else if text.contains('?') && says(said, &["your name", "su nombre"]) {
            self.asks(Question::Name);
        }
    }

    fn asks(&mut self, question: Question) {
        self.asked = Some(question);
        match question {
            Question::More => self.asked_for_more += 1,
            Question::Minute | Question::BetterTime => {}
            other => self.filling(other).tries += 1,
        }
    }

    /// Takes note of a turn of the caller.
    fn heard(&mut self, text: &'a str, languages: &[Language]) {
        if !self.heard_last.is_empty() {
            self.heard_before = self.heard_last;
        }
        self.heard_last = text;
        self.heard = text;
        self.news.clear();
        self.switched = false;
        if let Some(language) =
            understanding::language::heard(text).filter(|language| languages.contains(language))
        {
            self.switched = self.language != language;
            self.language = language;
            self.words = sentences::of(language);
        }
        self.remarks = remark::heard(text);
        self.agreed = if wishes::only_agrees(text) { self.agreed + 1 } else { 0 };
        if ASK_AGAIN.contains(&plain(text).trim()) {
            self.remarks.insert(Remark::Repeat);
        }
        if !self.parted && wishes::denies_a_request(text) {
            self.remarks.insert(Remark::Source);
        }
        let has_somebody = split(text).any(|sentence| matter::heard(sentence).contains(&Said::HasSomebody));
        if self.is_outbound() && has_somebody {
            self.remarks.insert(Remark::NotInterested);
        }
        self.all_remarks.extend(&self.remarks);
        if let Some(address) = email_after(self.email.value.as_deref(), text) {
            self.learn(Question::Email, address);
        }
        if let Some(number) = phone(text) {
            self.learn(Question::Phone, number);
        }
        self.take_name(text);
        self.take_time(text);
        self.take_reason(text);
        let lacks_it =
            self.asked == Some(Question::Email) && self.news.is_empty() && wishes::lacks_an_address(text);
        let declines = self.says(Remark::Refusal)
            || lacks_it
            || (self.says(Remark::No)
                && self.news.is_empty()
                && matches!(self.asked, Some(Question::Email | Question::Phone | Question::Time)));
        if self.asked == Some(Question::Email) && split(text).any(wishes::offers_a_number) {
            self.email.refused = true;
        }
        if let Some(asked) = self.asked
            && declines
            && !matches!(asked, Question::More | Question::Minute | Question::BetterTime)
            && self.filling(asked).value.is_none()
        {
            self.filling(asked).refused = true;
        }
        // Who names another thing than the one asked for ("I don't use email, call my cell") refuses without a word for it.
        if self.phone.value.is_some() {
            self.email.refused |= self.asked == Some(Question::Email) && self.email.value.is_none();
        }
    }

    /// True for a call that somebody has to look at soon: the caller grieves, is upset or wants a person.
    pub(super) fn is_urgent(&self) -> bool {
        [Remark::Anger, Remark::Grief, Remark::Human].iter().any(|of| self.all_remarks.contains(of))
    }

    pub(super) fn says(&self, remark: Remark) -> bool {
        self.remarks.contains(&remark)
    }

    fn take_name(&mut self, text: &str) {
        let corrects =
            self.says(Remark::No) || plain(text).contains(" sorry ") || plain(text).contains(" actually ");
        if self.answered_by_another() {
            self.name.value = None;
        }
        if let Some(told) = name(text) {
            let known = self.name.value.as_deref().unwrap_or_default();
            let is_anothers =
                self.is_outbound() && self.knows_the_name_only() && !shares_a_word(known, &told);
            self.another |= is_anothers;
            if known.is_empty() || is_anothers {
                self.learn(Question::Name, told);
            } else if told.starts_with(known) {
                // A full name completes the first name that the CRM knew.
                self.name.value = Some(told);
            } else if corrects && told != known {
                self.learn(Question::Name, told);
            }
        } else if self.remarks.is_empty()
            && !is_question(text)
            && times::answered(text, self.language).is_none()
            && let Some(told) = self.name_in_passing(text)
        {
            self.learn(Question::Name, told);
        }
        self.complete_name(text);
    }

    /// True if the caller answers for the person who was called, whose name is the only one that is known.
    fn answered_by_another(&self) -> bool {
        self.says(Remark::ForAnother) && self.is_outbound() && self.knows_the_name_only()
    }

    /// True if the known name is the one that we had before the call.
    fn knows_the_name_only(&self) -> bool {
        self.name.value.is_some() && self.name.value.as_deref() == fact(self.chat, "name")
    }

    /// A name that is an answer to the question for it, or that stands alone although something else was asked.
    fn name_in_passing(&self, text: &str) -> Option<String> {
        if self.asked == Some(Question::Name) {
            return answered(text);
        }
        if self.name.value.is_some() || self.turns < 2 {
            return None;
        }
        split(text).filter(|sentence| is_a_bare_name(sentence)).find_map(answered)
    }

    /// "Harold. Harold Fitch.": a first name that is known or was just given, and the full one beside it.
    fn complete_name(&mut self, text: &str) {
        let Some(known) = self.name.value.clone().filter(|known| !known.contains(' ')) else { return };
        let fuller = split(text)
            .filter(|sentence| is_a_bare_name(sentence))
            .filter_map(answered)
            .find(|full| full.starts_with(&format!("{known} ")))
            .or_else(|| with_surname(&known, text));
        if let Some(full) = fuller {
            self.name.value = Some(full);
            if !self.news.iter().any(|news| matches!(news, News::Name | News::Corrected(Question::Name))) {
                self.news.push(News::Name);
            }
        }
    }

    fn take_time(&mut self, text: &str) {
        let asks_for_one = self.says(Remark::CallMe) || self.says(Remark::Later);
        let asked = matches!(self.asked, Some(Question::Time | Question::BetterTime));
        let states = !is_question(text) && says(&plain(text), APPOINTMENT);
        let is_one = !is_question(text) && times::is_only_a_time(text, self.language);
        // In a longer answer a day is part of the story ("the rental runs out on Friday").
        let longest = if self.asked == Some(Question::Time) { LONGEST_ANSWER } else { LONGEST_TIME };
        let is_short = text.split_whitespace().count() <= longest;
        if asked
            && is_short
            && let Some(time) = times::answered(text, self.language)
        {
            self.learn(Question::Time, time);
        } else if (asks_for_one || states || is_one)
            && let Some(time) = times::wanted(text, self.language)
        {
            self.learn(Question::Time, time);
        } else if asked && let Some(open) = self.open_time(text) {
            self.learn(Question::Time, open.to_owned());
        }
    }

    /// A time that is left open: any, or at once.
    fn open_time(&self, text: &str) -> Option<&'static str> {
        let is_spanish = self.language == Language::Spanish;
        match () {
            () if times::is_any_time(text) => Some(if is_spanish { "a cualquier hora" } else { "any time" }),
            () if times::is_at_once(text) => {
                Some(if is_spanish { "lo antes posible" } else { "as soon as possible" })
            }
            () => None,
        }
    }

    fn take_reason(&mut self, text: &str) {
        const NO_REASON: [Remark; 10] = [
            Remark::ForAnother,
            Remark::Who,
            Remark::About,
            Remark::Robot,
            Remark::Recorded,
            Remark::Source,
            Remark::Repeat,
            Remark::Refusal,
            Remark::WrongPerson,
            Remark::Hold,
        ];
        let Some(told) = matter(text) else {
            let agrees = self.says(Remark::Yes) && self.asked == Some(Question::Reason);
            if let Some(topic) = fact(self.chat, "context").filter(|_| agrees && self.is_outbound())
                && self.reason.value.is_none()
            {
                self.learn(Question::Reason, topic.to_owned());
            }
            return;
        };
        let states = states_a_matter(&told);
        let puts_off =
            [Remark::Later, Remark::NotInterested, Remark::Goodbye].iter().any(|of| self.says(*of));
        let is_other = NO_REASON.iter().any(|remark| self.says(*remark)) || (puts_off && !states);
        // "Fine, but make it quick" is no more than a yes.
        let agrees = self.asked == Some(Question::Minute)
            && self.says(Remark::Yes)
            && told.split_whitespace().count() <= SHORT_YES;
        let answers = matches!(self.asked, Some(Question::Reason | Question::Minute)) && !agrees;
        let says_much = told.split_whitespace().count() >= 5 && self.news.is_empty();
        let answers = answers || (says_much && matches!(self.asked, Some(Question::Name | Question::Email)));
        let complains = self.says(Remark::Anger) && told.split_whitespace().count() >= 5;
        if self.reason.value.is_none() {
            if (states && !is_other) || complains || (answers && !is_other && !is_question(&told)) {
                self.reason.value = Some(told);
                self.news.push(News::Reason);
            }
        } else if self.news.is_empty() && says(&plain(text), CHANGES)
            || (self.news.is_empty() && says(&plain(text), PERHAPS_CHANGES) && self.says(Remark::No))
        {
            self.reason.value = Some(told);
            self.news.push(News::Corrected(Question::Reason));
        } else if !is_other
            && self.news.is_empty()
            && (states || self.asked == Some(Question::More))
            && !is_question(&told)
            && !self.says(Remark::Done)
            && !self.says(Remark::Goodbye)
            && !(self.asked == Some(Question::More) && begins_with_no(text) && !states)
        {
            self.news.push(News::More);
        }
    }

    fn learn(&mut self, question: Question, value: String) {
        let is_anothers = question == Question::Name && self.knows_the_name_only();
        let filling = self.filling(question);
        let before = filling.value.replace(value.clone()).filter(|_| !is_anothers);
        match before {
            Some(before) if before == value => {}
            Some(_) => self.news.push(News::Corrected(question)),
            None => self.news.push(match question {
                Question::Name => News::Name,
                Question::Email => News::Email,
                Question::Phone => News::Phone,
                Question::Time | Question::BetterTime => News::Time,
                Question::Reason | Question::More | Question::Minute => News::Reason,
            }),
        }
    }

    pub(super) fn filling(&mut self, question: Question) -> &mut Filling {
        match question {
            Question::Name => &mut self.name,
            Question::Email => &mut self.email,
            Question::Phone => &mut self.phone,
            Question::Time | Question::BetterTime => &mut self.time,
            Question::Reason | Question::More | Question::Minute => &mut self.reason,
        }
    }
}

/// The languages that the agent may speak, its own first.
fn languages(chat: &Chat) -> Vec<Language> {
    let tags = fact(chat, "languages").unwrap_or("en, es");
    let known = [Language::English, Language::Spanish];
    let mut languages: Vec<Language> =
        tags.split(',').filter_map(|tag| Language::of_tag(tag.trim())).collect();
    languages.retain(|language| known.contains(language));
    if languages.is_empty() {
        languages.push(Language::English);
    }
    languages
}

pub(super) fn fact<'a>(chat: &'a Chat, name: &str) -> Option<&'a str> {
    let found = chat.facts.iter().find(|(known, _)| known == name).map(|(_, value)| value.trim());
    found.filter(|value| !value.is_empty())
}

/// True if the text, in plain form, holds one of the wordings, whatever stands in their braces.
fn contains(said: &str, wordings: Wordings) -> bool {
    wordings.iter().any(|wording| {
        let fixed = wording.split('{').enumerate().map(|(at, part)| match at {
            0 => part,
            _ => part.split_once('}').map_or("", |(_, after)| after),
        });
        let longest = fixed.map(plain).max_by_key(String::len).unwrap_or_default();
        !longest.trim().is_empty() && said.contains(&longest)
    })
}

/// Turns that say nothing but "what?".
const ASK_AGAIN: &[&str] =
    &["what", "huh", "sorry", "pardon", "excuse me", "what what", "eh", "qué", "cómo", "mande", "perdón"];

/// How people take back what they said.
const CHANGES: &[&str] = &[
    "actually",
    "changed my mind",
    "i meant",
    "instead of",
    "correction",
    "en realidad",
    "mejor dicho",
    "cambié de opinión",
];
const PERHAPS_CHANGES: &[&str] = &["not a", "not the", "not about", "no es"];

/// Words beside which a time is when they want to come or to be called.
const APPOINTMENT: &[&str] = &[
    "come in",
    "come by",
    "appointment",
    "call me",
    "see you",
    "meet",
    "works for me",
    "suits me",
    "best time",
    "una cita",
    "llámeme",
    "llamarme",
    "me queda bien",
    "me viene bien",
    "pasar",
];
