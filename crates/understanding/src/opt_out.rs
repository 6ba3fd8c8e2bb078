//! "Stop calling me": whether a caller wants no more calls.
//!
//! Three answers. *Clear*: the words say so, and the number may be blocked. *Doubtful*: they can be meant so; the agent asks back in one
//! sentence, and the answer decides. *No*: everything else, among it what only sounds alike ("don't stop calling until...", "take me
//! off hold"). The grammars beside this file say what asks for it in each language; here is what goes over several turns. Where the grammars
//! find nothing that asks for it and nothing that takes such an asking back, a [second opinion](second_opinion) can leave a doubt.

pub mod second_opinion;

use std::sync::LazyLock;

use crate::grammar::{Finding, Grammar, Said};
use crate::remark::{self, Remark};
use crate::words::Language;

/// The two sides of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaker {
    /// The agent.
    Agent,
    /// The person on the other end.
    Caller,
}

/// Something that was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn<'a> {
    pub by: Speaker,
    pub text: &'a str,
}

/// Whether a caller wants no more calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OptOut {
    /// No words ask for it.
    No,
    /// It can be meant so.
    Doubtful(Evidence),
    /// The words ask for it and can mean nothing else.
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
    let (heard, asked) = (Heard::new(heard), Heard::new(asked));
    let (finding, language) = heard.found();
    let evidence = Evidence { turn: at, language };
    let of_else = asked.says("other");
    if asked.says("quoting") || (of_else && finding != Finding::Nothing) {
        return before;
    }
    if finding == Finding::Clear {
        return OptOut::Clear(evidence);
    }
    if !of_else && asked.says("offer") {
        let repeats = asked.says("offer-not") && heard.says("not-again");
        let agrees = heard.says("yes") || heard.is_only_polite();
        if finding == Finding::Unsure || repeats || (agrees && !heard.says("no")) {
            return OptOut::Clear(evidence);
        }
        if heard.says("no") {
            return OptOut::No;
        }
    } else if !of_else && asked.says("may-call") {
        if heard.says("never") {
            return OptOut::Clear(evidence);
        }
        if heard.says("decline") {
            return OptOut::Doubtful(evidence);
        }
    }
    let wholes = continued(turns, at);
    let strongest = wholes.iter().map(|whole| Heard::new(whole).found()).max_by_key(|(finding, _)| *finding);
    match strongest {
        Some((Finding::Clear, language)) => return OptOut::Clear(Evidence { turn: at, language }),
        Some((Finding::Unsure, language)) => return OptOut::Doubtful(Evidence { turn: at, language }),
        Some((Finding::Nothing, _)) | None => {}
    }
    match before {
        _ if finding == Finding::Unsure => OptOut::Doubtful(evidence),
        OptOut::Doubtful(_) if goes_on(&heard) => OptOut::No,
        _ => before,
    }
}

/// The sentences that the caller may have begun one or two turns before and ends in this one, with at most a question from us in between.
/// What was said before an answer to our asking back is settled by that answer.
fn continued(turns: &[Turn<'_>], at: usize) -> Vec<String> {
    let short = |text: &str, words| text.split_whitespace().count() <= words;
    let mut wholes = Vec::new();
    let (mut whole, mut later) = (turns[at].text.to_owned(), at);
    while wholes.len() < PIECES
        && short(turns[later].text, SHORT)
        && let Some(first) = turns[..later].iter().rposition(|turn| turn.by == Speaker::Caller)
    {
        let between = &turns[first + 1..later];
        let brief = between.iter().all(|turn| turn.text.contains('?') || short(turn.text, 5));
        let is_settled = later < at && between.iter().any(|turn| Heard::new(turn.text).says("offer"));
        if !brief || is_settled || !short(turns[first].text, SHORT) {
            break;
        }
        let begun = turns[first].text.trim_end_matches(|c: char| !c.is_alphanumeric());
        whole = format!("{begun} {whole}");
        wholes.push(whole.clone());
        later = first;
    }
    wholes
}

/// A sentence is put together from this one turn and so many before it.
const PIECES: usize = 2;

/// Whoever says one of these is not asked whether they want no more calls: they withhold something, or are somebody else.
const SPEAKS_OF_ELSE: [Remark; 2] = [Remark::Refusal, Remark::WrongPerson];

/// More words than this are a sentence of their own.
const SHORT: usize = 8;

/// True if somebody talks on about something, in so many words: a doubt that was there has become none.
fn goes_on(heard: &Heard<'_>) -> bool {
    heard.text.split_whitespace().count() >= 4 && !heard.says("stays")
}

/// One turn, heard by the grammars of all languages.
struct Heard<'a> {
    text: &'a str,
    said: Vec<Said>,
}

impl<'a> Heard<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, said: GRAMMARS.iter().map(|(_, grammar)| grammar.hear(text)).collect() }
    }

    fn in_each_language(&self) -> impl Iterator<Item = (Language, &'static Grammar, &Said)> {
        GRAMMARS.iter().zip(&self.said).map(|((language, grammar), said)| (*language, grammar, said))
    }

    /// True if the turn says the part of a conversation that the grammars define under this name, in any language.
    fn says(&self, name: &str) -> bool {
        self.in_each_language().any(|(_, grammar, said)| grammar.says(name, said))
    }

    /// "Please": a word that says nothing to the grammars, and yes to an offer.
    fn is_only_polite(&self) -> bool {
        const POLITE: [&str; 6] =
            ["please", "yes please", "por favor", "s'il vous plaît", "s’il vous plaît", "bitte"];
        let said = self.text.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
        POLITE.contains(&said.as_str())
    }

    /// The strongest finding of all languages.
    fn found(&self) -> (Finding, Language) {
        let mut best = (Finding::Nothing, Language::English);
        for (language, grammar, said) in self.in_each_language() {
            let finding = grammar.read(said);
            if finding > best.0 {
                best = (finding, language);
            }
        }
        if best.0 == Finding::Nothing
            && second_opinion::suspects(self.text)
            && !remark::heard(self.text).iter().any(|remark| SPEAKS_OF_ELSE.contains(remark))
            && !self.in_each_language().any(|(_, grammar, said)| grammar.touches(said))
        {
            let known = |(language, _, said): &(Language, &Grammar, &Said)| {
                (said.words_known(), *language == Language::English)
            };
            let nearest = self.in_each_language().max_by_key(known);
            return (Finding::Unsure, nearest.map_or(Language::English, |(language, ..)| language));
        }
        best
    }
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
