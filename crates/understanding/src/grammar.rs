//! A small grammar over plain words: what asks for something, and what around it takes the asking back.
//!
//! A grammar is a text, one statement a line (an indented line continues the one above, `#` begins a comment):
//!
//! | Statement | Meaning |
//! |---|---|
//! | `skip a \| b` | these words say nothing |
//! | `read a b as c d` | these words are those; `,` among them is a pause |
//! | `word name = a \| b c` | a name for alternatives, used as `<name>` |
//! | `frame name` | the statements below belong together; those above the first frame hold for all frames, and several frames may have one name |
//! | `clear P`, `unsure P`, `halt P` | who says `P` asks for it; asks perhaps; says that something has to end |
//! | `even before P` | with `P` right before the asking, nothing said before takes it back |
//! | `unless before P`, `unless after P`, `unless later P`, `unless beside P` | `P` right before it, right after it, somewhere after it, or
//! anywhere else in the turn takes the asking back |
//! | `say name P` | a part of a conversation that whoever uses the grammar asks for by its name |
//! | `unsure before P`, `unsure after P`, `unsure beside P` | the same, and leaves a doubt |
//!
//! In a pattern stand words, `<names>`, `(a\|b c)`, each with `?` if it may be missing; `...` for up to four words (`..`: without a pause between), `_` for any word, `!x` for a
//! word with which no `x` begins, `&x` for "`x` follows", `^` for the beginning of a sentence, `$` for a pause or an end, `~` for "no pause here". Pauses between words
//! are overlooked, ends of sentences are not.

mod pattern;
mod text;

use std::collections::{BTreeSet, HashMap};

use crate::words::{self, Language, Piece};

use pattern::{Pattern, Token, UNKNOWN, Word, Words, begins_before, ends, is_within};

/// How much a turn says of the wish.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Finding {
    Nothing,
    Unsure,
    Clear,
}

/// A grammar, ready for use.
#[derive(Debug)]
pub(crate) struct Grammar {
    language: Language,
    vocabulary: HashMap<String, Word>,
    skipped: BTreeSet<Word>,
    /// What is read as something else, by its first token, the longest first.
    readings: HashMap<Token, Vec<Reading>>,
    common: Vec<Guard>,
    frames: Vec<Frame>,
    sayings: HashMap<String, Vec<Pattern>>,
}

#[derive(Debug)]
struct Reading {
    from: Vec<Token>,
    to: Vec<Token>,
}

#[derive(Debug, Default)]
struct Frame {
    name: String,
    askings: Vec<Asking>,
    guards: Vec<Guard>,
}

#[derive(Debug)]
struct Asking {
    strength: Strength,
    pattern: Pattern,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Strength {
    Clear,
    Unsure,
    Halt,
}

#[derive(Debug)]
struct Guard {
    place: Place,
    effect: Effect,
    pattern: Pattern,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Before,
    After,
    Later,
    Beside,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effect {
    Unless,
    Unsure,
    Even,
}

/// How often the readings are applied.
const READINGS: usize = 3;

/// A turn is read up to this many words: nobody says more in one breath, and the time it takes stays bounded.
const LONGEST: usize = 600;

/// A text as one grammar hears it.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    tokens: Vec<Token>,
    /// The words among them, in no order.
    words: Words,
}

impl Said {
    fn new(tokens: Vec<Token>) -> Self {
        let mut words = Words::default();
        for token in &tokens {
            if let Token::Word(word) = token {
                words.add(*word);
            }
        }
        Self { tokens, words }
    }

    /// False if the pattern certainly begins nowhere, which is true of nearly all of them.
    fn may_hold(&self, pattern: &Pattern) -> bool {
        pattern.may_begin_with(&self.words)
    }

    /// True if the pattern fits anywhere.
    fn holds(&self, pattern: &Pattern) -> bool {
        self.may_hold(pattern) && is_within(pattern, &self.tokens)
    }

    /// How many of its words the grammar knows.
    pub(crate) fn words_known(&self) -> usize {
        self.tokens.iter().filter(|token| matches!(token, Token::Word(word) if *word != UNKNOWN)).count()
    }
}

impl Grammar {
    /// What the grammar finds in one turn.
    pub(crate) fn read(&self, said: &Said) -> Finding {
        let (mut halt, mut complaint) = (false, false);
        for frame in &self.frames {
            for (strength, finding) in self.askings(frame, said) {
                match (finding, strength) {
                    (Finding::Nothing, _) => {}
                    (Finding::Clear, Strength::Clear) => return Finding::Clear,
                    (_, Strength::Halt) => halt = true,
                    _ => complaint = true,
                }
            }
        }
        match (halt, complaint) {
            (true, true) => Finding::Clear,
            (false, false) => Finding::Nothing,
            _ => Finding::Unsure,
        }
    }

    /// True if something in the turn asks for it, whether or not something else takes that back.
    pub(crate) fn touches(&self, said: &Said) -> bool {
        self.frames.iter().any(|frame| self.askings(frame, said).next().is_some())
    }

    /// The name of the first frame that finds something beyond doubt, in the order in which the frames are written.
    pub(crate) fn first_frame(&self, said: &Said) -> Option<&str> {
        let found = |frame: &&Frame| {
            self.askings(frame, said)
                .any(|(strength, finding)| strength == Strength::Clear && finding == Finding::Clear)
        };
        self.frames.iter().find(found).map(|frame| frame.name.as_str())
    }

    /// Everything in the turn that asks for what the frame is about, and what is left of it after the guards.
    fn askings<'a>(
        &'a self,
        frame: &'a Frame,
        said: &'a Said,
    ) -> impl Iterator<Item = (Strength, Finding)> + 'a {
        frame.askings.iter().filter(|asking| said.may_hold(&asking.pattern)).flat_map(move |asking| {
            (0..said.tokens.len()).filter_map(move |start| {
                let Token::Word(_) = said.tokens[start] else { return None };
                let end = ends(&asking.pattern, &said.tokens, start).last().copied()?;
                Some((asking.strength, self.judged(frame, said, start, end)))
            })
        })
    }

    /// True if the text says what the grammar defines under this name.
    pub(crate) fn says(&self, name: &str, said: &Said) -> bool {
        let patterns = self.sayings.get(name).map(Vec::as_slice).unwrap_or_default();
        patterns.iter().any(|pattern| said.holds(pattern))
    }

    /// The names of everything that the text says.
    fn sayings(&self, said: &Said) -> BTreeSet<&str> {
        let fits = |patterns: &[Pattern]| patterns.iter().any(|pattern| said.holds(pattern));
        let told = self.sayings.iter().filter(|(_, patterns)| fits(patterns));
        told.map(|(name, _)| name.as_str()).collect()
    }

    fn judged(&self, frame: &Frame, said: &Said, start: usize, end: usize) -> Finding {
        let tokens = said.tokens.as_slice();
        let guards = || self.common.iter().chain(&frame.guards);
        let holds = |guard: &Guard| match guard.place {
            Place::Before => begins_before(&guard.pattern, tokens, start),
            Place::After => !ends(&guard.pattern, tokens, end).is_empty(),
            Place::Later => (end..tokens.len()).any(|at| !ends(&guard.pattern, tokens, at).is_empty()),
            Place::Beside => (0..tokens.len())
                .any(|at| ends(&guard.pattern, tokens, at).iter().any(|&stop| stop <= start || at >= end)),
        };
        let holds = |guard: &Guard| said.may_hold(&guard.pattern) && holds(guard);
        let firm = guards().filter(|guard| guard.effect == Effect::Even).any(holds);
        let against = |effect| {
            let counts =
                move |guard: &&Guard| guard.effect == effect && !(firm && guard.place == Place::Before);
            guards().filter(counts).any(holds)
        };
        if against(Effect::Unless) {
            Finding::Nothing
        } else if against(Effect::Unsure) {
            Finding::Unsure
        } else {
            Finding::Clear
        }
    }

    /// Reads a text for the questions that are asked of it afterwards.
    pub(crate) fn hear(&self, text: &str) -> Said {
        let mut said = Vec::new();
        for piece in words::pieces(text, self.language) {
            match piece {
                Piece::Word(word) => {
                    let known = self.vocabulary.get(&word).or_else(|| {
                        let stem = word.strip_suffix("'s").or_else(|| word.strip_suffix('\''))?;
                        self.vocabulary.get(stem)
                    });
                    let word = known.copied().unwrap_or(UNKNOWN);
                    if !self.skipped.contains(&word) {
                        said.push(Token::Word(word));
                    }
                }
                Piece::Pause => said.push(Token::Pause),
                Piece::Stop => said.push(Token::Stop),
            }
        }
        said.truncate(LONGEST);
        // What one reading makes may be read again: "I'd", "I would", "would rather", "rather".
        Said::new((0..READINGS).fold(tidied(said), |said, _| self.reread(&said)))
    }

    /// Applies what is read as something else.
    fn reread(&self, said: &[Token]) -> Vec<Token> {
        let mut read = Vec::with_capacity(said.len() + 8);
        let mut at = 0;
        while at < said.len() {
            let fits = |reading: &&Reading| {
                said.get(at..at + reading.from.len()).is_some_and(|said| said == reading.from)
            };
            if let Some(reading) =
                self.readings.get(&said[at]).and_then(|readings| readings.iter().find(fits))
            {
                read.extend_from_slice(&reading.to);
                at += reading.from.len();
            } else {
                read.push(said[at]);
                at += 1;
            }
        }
        tidied(read)
    }
}

/// What of the named things a text says by at least one of the grammars, unless one of them finds `not-` and the name.
pub(crate) fn heard<T: Copy + Ord>(grammars: &[Grammar], text: &str, names: &[(T, &str)]) -> BTreeSet<T> {
    let said: BTreeSet<&str> =
        grammars.iter().flat_map(|grammar| grammar.sayings(&grammar.hear(text))).collect();
    let is_said = |name: &str| said.contains(name) && !said.contains(format!("not-{name}").as_str());
    names.iter().filter(|(_, name)| is_said(name)).map(|(thing, _)| *thing).collect()
}

/// Leaves no two marks side by side, no mark at the beginning and no words said twice running.
fn tidied(said: Vec<Token>) -> Vec<Token> {
    let mut tidy: Vec<Token> = Vec::with_capacity(said.len());
    for token in said {
        match (tidy.last_mut(), token) {
            (None | Some(Token::Stop), Token::Pause | Token::Stop) | (Some(Token::Pause), Token::Pause) => {}
            (Some(last @ Token::Pause), Token::Stop) => *last = Token::Stop,
            _ => tidy.push(token),
        }
    }
    without_stutter(tidy)
}

/// Takes out what was said twice running, as people do who stutter or search for words: up to four known words, with or without a
/// pause between.
fn without_stutter(mut said: Vec<Token>) -> Vec<Token> {
    for length in (1..=4).rev() {
        let mut at = 0;
        while at < said.len() {
            match repetition(&said, at, length) {
                Some(second) => drop(said.drain(at..second)),
                None => at += 1,
            }
        }
    }
    said
}

/// Where the second copy begins, if `length` words at `at` are said again at once.
fn repetition(said: &[Token], at: usize, length: usize) -> Option<usize> {
    let first = said.get(at..at + length)?;
    if !first.iter().all(|token| matches!(token, Token::Word(word) if *word != UNKNOWN)) {
        return None;
    }
    let second = at + length + usize::from(said.get(at + length) == Some(&Token::Pause));
    (said.get(second..second + length)? == first).then_some(second)
}
