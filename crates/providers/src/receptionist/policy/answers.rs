//! What the receptionist answers to questions: about the call itself, and about the business.
//!
//! A question of a caller gets an answer or the promise of one, two questions get two, and what only sounds like a question gets none.

use domain::phone;
use understanding::remark::Remark;
use understanding::sentences::split;
use understanding::{Language, times, topic};

use super::super::aloud::sentence;
use super::super::knowledge;
use super::super::notes::{News, fact};
use super::super::turn::{QUESTION_WORDS, is_question};
use super::super::wishes;
use super::Draft;
use crate::understanding::{plain, says};

impl Draft<'_> {
    pub(super) fn answer_about_the_call(&mut self) {
        let (notes, words) = (self.notes, self.notes.words);
        if notes.says(Remark::Robot) {
            self.say(words.robot);
        }
        let asks_for_our_name = wishes::asks_for_our_name(notes.heard);
        if asks_for_our_name {
            match notes.own_name() {
                Some(name) => self.say_with(words.own_name, "name", &name),
                None => self.say(words.no_name),
            }
        } else if (notes.says(Remark::Who) || wishes::asks_whether_it_is_us(notes.heard))
            && !notes.says(Remark::Robot)
        {
            self.say(words.introduction);
        }
        if wishes::asks_for_their_name(notes.heard)
            && let Some(name) = notes.name.value.as_deref()
        {
            self.say_with(words.your_name, "name", name);
        }
        let asks_who = notes.says(Remark::Who) && !asks_for_our_name;
        if (asks_who || notes.says(Remark::About)) && notes.is_outbound() {
            self.name_the_topic();
        }
        if notes.says(Remark::Recorded) {
            self.say(match fact(notes.chat, "recorded") {
                Some("yes") => words.is_recorded,
                Some("no") => words.not_recorded,
                _ => words.recorded,
            });
        }
        if notes.says(Remark::Source) {
            self.say(if notes.is_outbound() { words.source_outbound } else { words.source_inbound });
        }
        if notes.says(Remark::When) {
            self.say(words.when);
        }
        if split(notes.heard).any(wishes::asks_whether_we_hear) {
            self.say(words.here);
        }
        if notes.news.is_empty() && split(notes.heard).any(wishes::offers_something) {
            self.say(&words.of_course[..1]);
        }
    }

    /// Says what the call is about. Once it is known what the person wants, that is no news to them.
    pub(super) fn name_the_topic(&mut self) {
        let (notes, words) = (self.notes, self.notes.words);
        let context = fact(notes.chat, "context").filter(|context| !topic::is_private(context));
        if notes.is_anothers() && !context.is_some_and(|context| knows_of(notes.heard, context)) {
            return self.say(words.private_topic);
        }
        match context.map(|context| (context, topic::of(context))) {
            Some((context, _)) if notes.language == Language::Spanish => {
                if understanding::language::heard(context) == Some(Language::Spanish) {
                    self.say_with(words.topic, "topic", context.trim_end_matches('.'));
                } else {
                    self.say(words.other_note);
                }
            }
            Some((_, Some(matter))) => self.say_with(words.topic, "topic", &matter),
            Some((context, None)) => self.say_with(words.note, "topic", &sentence(context)),
            None => self.say(words.no_topic),
        }
    }

    /// The questions that are not about the call itself, two of them if two were put.
    pub(super) fn questions(&self) -> impl Iterator<Item = &str> {
        const ABOUT_THE_CALL: [Remark; 11] = [
            Remark::Robot,
            Remark::Recorded,
            Remark::Source,
            Remark::Who,
            Remark::About,
            Remark::Human,
            Remark::When,
            Remark::HowAreYou,
            Remark::Repeat,
            Remark::Refusal,
            Remark::Later,
        ];
        clauses(self.notes.heard).filter(|clause| {
            let remarks = understanding::remark::heard(clause);
            (is_question(clause) || is_half_a_question(self.notes.heard, clause))
                && clause.split_whitespace().count() >= 2
                && understanding::language::heard(clause) != Some(Language::French)
                && !ABOUT_THE_CALL.iter().any(|remark| remarks.contains(remark))
                && !wishes::asks_for_language(clause)
                && !wishes::asks_whether_we_hear(clause)
                && !wishes::offers_something(clause)
                && !wishes::is_a_tag(clause)
                && !wishes::asks_whether_it_is_us(clause)
                && !self.offers_a_time(clause)
                && !wishes::asks_for_our_name(clause)
                && !wishes::asks_for_their_name(clause)
        })
    }

    /// True for "Could you do Thursday at four?" in answer to the question for a time.
    fn offers_a_time(&self, clause: &str) -> bool {
        self.notes.news.iter().any(|news| matches!(news, News::Time))
            && times::wanted(clause, self.notes.language).is_some()
    }

    pub(super) fn answer_about_the_business(&mut self) {
        let (notes, words) = (self.notes, self.notes.words);
        let instructions = notes.chat.messages.iter().find(|message| message.role == speech::Role::System);
        let instructions = instructions.map_or("", |message| message.content.as_str());
        let questions: Vec<String> = self.questions().take(3).map(str::to_owned).collect();
        let (mut unknown, mut requested) = (false, false);
        for question in questions {
            if wishes::asks_for_our_number(&question)
                && let Some(number) = fact(notes.chat, "business_phone")
            {
                self.say_with(words.our_number, "value", &phone::aloud(number));
                continue;
            }
            if wishes::is_request(&question) {
                requested = true;
                continue;
            }
            let asked_before = || split(notes.heard_before).filter(|sentence| is_question(sentence)).last();
            let question = if asks_on(&question) { asked_before().unwrap_or(&question) } else { &question };
            match knowledge::answer(instructions, question, notes.language) {
                Some(found) if plain(notes.last_own).contains(&plain(found)) => {
                    self.say_with(words.said_before, "value", &sentence(found));
                }
                Some(found) => self.parts.push(sentence(found)),
                None => unknown = true,
            }
        }
        if unknown {
            self.say(words.unknown);
        }
        if requested && !notes.says(Remark::Human) {
            self.say(words.will_ask);
        }
    }
}

/// True for "And tomorrow?", which asks on about what was asked before.
fn asks_on(question: &str) -> bool {
    let said = plain(question);
    ["and", "what about", "how about", "y"].iter().any(|word| said.starts_with(&format!(" {word} ")))
        && said.split_whitespace().count() <= 5
}

/// True if somebody who asks what a call is about names it themselves.
fn knows_of(heard: &str, context: &str) -> bool {
    let heard = plain(heard);
    let context = plain(context);
    context.split_whitespace().filter(|word| word.len() > 4).any(|word| says(&heard, &[word]))
}

/// The sentences of a turn, and the questions that are joined in one of them.
fn clauses(text: &str) -> impl Iterator<Item = &str> {
    split(text).flat_map(|sentence| {
        let mut clauses = Vec::new();
        let mut rest = sentence;
        while let Some((clause, after)) = at_joint(rest) {
            clauses.push(clause);
            rest = after;
        }
        clauses.push(rest);
        clauses
    })
}

/// True for "how much a consultation costs" in "I was wondering how much a consultation costs and where you are?"
fn is_half_a_question(heard: &str, clause: &str) -> bool {
    let said = plain(clause);
    let rest = heard.find(clause).map_or("", |at| &heard[at + clause.len()..]);
    let goes_on = rest.starts_with([',', ' ']) && split(rest).next().is_some_and(|next| next.ends_with('?'));
    goes_on && says(&said, &["wondering", "know", "ask", "tell me", "saber", "preguntar"])
}

/// A sentence up to the joint after which another question begins, and that question.
fn at_joint(sentence: &str) -> Option<(&str, &str)> {
    let lower = sentence.to_lowercase();
    let mut joints: Vec<(usize, &str)> =
        [", and ", " and ", ", ", " y "].iter().flat_map(|joint| lower.match_indices(joint)).collect();
    joints.sort_by_key(|(at, joint)| (*at, std::cmp::Reverse(joint.len())));
    let (at, joint) = joints.into_iter().find(|(at, joint)| {
        let rest = plain(lower.get(at + joint.len()..).unwrap_or_default());
        *at > 0 && QUESTION_WORDS.iter().any(|word| rest.starts_with(&format!(" {word} ")))
    })?;
    Some((sentence.get(..at)?, sentence.get(at + joint.len()..)?))
}
