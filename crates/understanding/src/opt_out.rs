//! "Stop calling me": whether a caller wants no more calls.
//!
//! Three answers. *Clear*: the words say so, and the number may be blocked. *Doubtful*: they can be meant so; the agent asks back in one
//! sentence, and the answer decides. *No*: everything else, among it what only sounds alike ("don't stop calling until...", "take me
//! off hold"). The grammars beside this file say what asks for it in each language; here is what goes over several turns. Where the grammars
//! find nothing that asks for it and nothing that takes such an asking back, a [second opinion](second_opinion) can leave a doubt.

pub mod second_opinion;

use std::sync::LazyLock;

use crate::grammar::{Finding, Grammar};
use crate::remark::{self, Remark};
use crate::words::Language;

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaker {
    /// Our side.
    Agent,
    /// The person on the other end.
    Caller,
}

/// Something that was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn<'a> {
    /// By whom.
    pub by: Speaker,
    /// The words.
    pub text: &'a str,
}

/// Whether a caller wants no more calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OptOut {
    /// Nothing says so.
    No,
    /// It can be meant so.
    Doubtful(Evidence),
    /// It is said.
    Clear(Evidence),
}

/// What a reading rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Evidence {
    /// The place of the turn among all turns.
    pub turn: usize,
    /// The language of its words.
    pub language: Language,
}

/// Reads a conversation, or as much of it as there is.
#[must_use]
pub fn read(turns: &[Turn<'_>]) -> OptOut {
    let mut reading = OptOut::No;
    for (at, turn) in turns.iter().enumerate() {
        if turn.by != Speaker::Caller {
            continue;
        }
        reading = after(reading, &turns[..=at], at);
        if matches!(reading, OptOut::Clear(_)) {
            break;
        }
    }
    reading
}

/// The one sentence in which the agent asks back.
#[must_use]
pub fn question(language: Language) -> &'static str {
    match language {
        Language::English => "Would you like us not to call this number again?",
        Language::Spanish => "¿Quiere que no volvamos a llamar a este número?",
        Language::French => "Voulez-vous que nous n'appelions plus ce numéro ?",
        Language::German => "Möchten Sie, dass wir diese Nummer nicht mehr anrufen?",
    }
}

/// What the agent says when the number is blocked, before it ends the call.
#[must_use]
pub fn promise(language: Language) -> &'static str {
    match language {
        Language::English => {
            "I understand. I have taken your number off our list, and we will not call you again. Goodbye."
        }
        Language::Spanish => {
            "Entendido. He quitado su número de nuestra lista y no volveremos a llamarle. Adiós."
        }
        Language::French => {
            "C'est entendu. J'ai retiré votre numéro de notre liste, et nous ne vous appellerons plus. Au revoir."
        }
        Language::German => {
            "Ich verstehe. Ihre Nummer ist von unserer Liste gestrichen, und wir rufen Sie nicht mehr an. Auf Wiederhören."
        }
    }
}

/// What one more turn of the caller makes of the reading so far.
fn after(before: OptOut, turns: &[Turn<'_>], at: usize) -> OptOut {
    let heard = turns[at].text;
    let asked = turns[..at].last().filter(|turn| turn.by == Speaker::Agent).map_or("", |turn| turn.text);
    let (finding, language) = found(heard);
    let evidence = Evidence { turn: at, language };
    if says("quoting", asked) || (says("other", asked) && finding == Finding::Clear) {
        return before;
    }
    if finding == Finding::Clear {
        return OptOut::Clear(evidence);
    }
    if says("offer", asked) {
        let repeats = says("offer-not", asked) && says("not-again", heard);
        if finding == Finding::Unsure || repeats || (says("yes", heard) && !says("no", heard)) {
            return OptOut::Clear(evidence);
        }
        if says("no", heard) {
            return OptOut::No;
        }
    } else if says("may-call", asked) {
        if says("never", heard) {
            return OptOut::Clear(evidence);
        }
        if says("decline", heard) {
            return OptOut::Doubtful(evidence);
        }
    }
    if let Some(whole) = continued(turns, at) {
        match found(&whole) {
            (Finding::Clear, language) => return OptOut::Clear(Evidence { turn: at, language }),
            (Finding::Unsure, language) => return OptOut::Doubtful(Evidence { turn: at, language }),
            (Finding::Nothing, _) => {}
        }
    }
    match before {
        _ if finding == Finding::Unsure => OptOut::Doubtful(evidence),
        OptOut::Doubtful(_) if goes_on(heard) => OptOut::No,
        _ => before,
    }
}

/// A sentence that the caller began in one turn and ends in this one, with at most a question from us in between.
fn continued(turns: &[Turn<'_>], at: usize) -> Option<String> {
    let first = turns[..at].iter().rposition(|turn| turn.by == Speaker::Caller)?;
    let between = &turns[first + 1..at];
    let short = |text: &str, words| text.split_whitespace().count() <= words;
    let brief = between.iter().all(|turn| turn.text.contains('?') || short(turn.text, 5));
    if !brief || !short(turns[at].text, SHORT) || !short(turns[first].text, SHORT) {
        return None;
    }
    let begun = turns[first].text.trim_end_matches(|c: char| !c.is_alphanumeric());
    Some(format!("{begun} {}", turns[at].text))
}

/// More words than this are a sentence of their own.
const SHORT: usize = 8;

/// True if somebody talks on about something, in so many words: a doubt that was there has become none.
fn goes_on(heard: &str) -> bool {
    heard.split_whitespace().count() >= 4 && !says("stays", heard)
}

/// True if the text says the part of a conversation that the grammars define under this name, in any language.
fn says(name: &str, text: &str) -> bool {
    !text.is_empty() && GRAMMARS.iter().any(|(_, grammar)| grammar.says(name, text))
}

/// The strongest finding of all languages in one turn.
fn found(text: &str) -> (Finding, Language) {
    let mut best = (Finding::Nothing, Language::English);
    for (language, grammar) in GRAMMARS.iter() {
        let finding = grammar.read(text);
        if finding > best.0 {
            best = (finding, *language);
        }
    }
    if best.0 == Finding::Nothing
        && second_opinion::suspects(text)
        && !remark::heard(text).contains(&Remark::Refusal)
        && !GRAMMARS.iter().any(|(_, grammar)| grammar.touches(text))
    {
        let nearest = GRAMMARS
            .iter()
            .max_by_key(|(language, grammar)| (grammar.words_known(text), *language == Language::English));
        return (Finding::Unsure, nearest.map_or(Language::English, |(language, _)| *language));
    }
    best
}

static GRAMMARS: LazyLock<Vec<(Language, Grammar)>> = LazyLock::new(|| {
    let grammar = |language| {
        let text = match language {
            Language::English => include_str!("opt_out/english.grammar"),
            Language::Spanish => include_str!("opt_out/spanish.grammar"),
            Language::French => include_str!("opt_out/french.grammar"),
            Language::German => include_str!("opt_out/german.grammar"),
        };
        (language, Grammar::parse(text, language).expect("the grammars of this crate are well formed"))
    };
    Language::ALL.into_iter().map(grammar).collect()
});
