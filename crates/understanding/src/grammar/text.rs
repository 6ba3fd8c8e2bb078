//! Reading a grammar's text.

use std::collections::{BTreeSet, HashMap};
use std::iter::Peekable;
use std::vec;

use crate::words::Language;

use super::pattern::{Node, Pattern, Token, Word, Words};
use super::{Asking, Effect, Frame, Grammar, Guard, Place, Reading, Strength};

/// The symbols of a pattern that are still to be read.
type Symbols = Peekable<vec::IntoIter<String>>;

/// What is wrong with a grammar's text: the line, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mistake(String);

impl Grammar {
    /// Reads the text of a grammar; the error names the line.
    pub(crate) fn parse(text: &str, language: Language) -> Result<Self, Mistake> {
        let mut grammar = Self {
            language,
            vocabulary: HashMap::new(),
            skipped: BTreeSet::new(),
            readings: HashMap::new(),
            common: Vec::new(),
            frames: Vec::new(),
            sayings: HashMap::new(),
        };
        let mut names: HashMap<String, Node> = HashMap::new();
        for statement in statements(text) {
            grammar.take(&statement, &mut names).map_err(|why| Mistake(format!("{why}: {statement}")))?;
        }
        for readings in grammar.readings.values_mut() {
            readings.sort_by_key(|reading| std::cmp::Reverse(reading.from.len()));
        }
        Ok(grammar)
    }

    fn take(&mut self, statement: &str, names: &mut HashMap<String, Node>) -> Result<(), &'static str> {
        let (verb, rest) = statement.split_once(' ').ok_or("a statement has a verb and more")?;
        let (place, after) = rest.split_once(' ').unwrap_or((rest, ""));
        let place = match place {
            "before" => Some(Place::Before),
            "after" => Some(Place::After),
            "later" => Some(Place::Later),
            "beside" => Some(Place::Beside),
            _ => None,
        };
        match (verb, place) {
            ("skip", _) => {
                for words in rest.split('|') {
                    let words: Vec<Word> = words.split_whitespace().map(|word| self.word(word)).collect();
                    match words.as_slice() {
                        [word] => drop(self.skipped.insert(*word)),
                        _ => self.read_as(words.into_iter().map(Token::Word).collect(), Vec::new())?,
                    }
                }
            }
            ("read", _) => {
                let (from, to) = rest.split_once(" as ").ok_or("what is it read as?")?;
                let to: Vec<Token> = to.split_whitespace().map(|word| self.token(word)).collect();
                for from in from.split('|') {
                    let from = from.split_whitespace().map(|word| self.token(word)).collect();
                    self.read_as(from, to.clone())?;
                }
            }
            ("word", _) => {
                let (name, alternatives) = rest.split_once(" = ").ok_or("a name has alternatives")?;
                let node = self.alternatives(&mut symbols(alternatives), names)?;
                names.insert(name.to_owned(), node);
            }
            ("say", _) => {
                let (name, pattern) = rest.split_once(' ').ok_or("a saying has a name")?;
                let pattern = self.pattern(pattern, names)?;
                self.sayings.entry(name.to_owned()).or_default().push(pattern);
            }
            ("frame", _) => {
                self.frames.push(Frame { name: rest.trim().to_owned(), ..Frame::default() });
            }
            ("even" | "unless" | "unsure", Some(place)) => {
                let effect = match verb {
                    "even" => Effect::Even,
                    "unless" => Effect::Unless,
                    _ => Effect::Unsure,
                };
                let pattern = self.pattern(after, names)?;
                let guard = Guard { place, effect, pattern };
                self.frames.last_mut().map_or(&mut self.common, |frame| &mut frame.guards).push(guard);
            }
            ("clear" | "unsure" | "halt", None) => {
                let strength = match verb {
                    "clear" => Strength::Clear,
                    "unsure" => Strength::Unsure,
                    _ => Strength::Halt,
                };
                let pattern = self.pattern(rest, names)?;
                let frame = self.frames.last_mut().ok_or("an asking belongs to a frame")?;
                frame.askings.push(Asking { strength, pattern });
            }
            _ => return Err("unknown statement"),
        }
        Ok(())
    }

    fn read_as(&mut self, from: Vec<Token>, to: Vec<Token>) -> Result<(), &'static str> {
        let first = *from.first().ok_or("what is read?")?;
        self.readings.entry(first).or_default().push(Reading { from, to });
        Ok(())
    }

    fn token(&mut self, word: &str) -> Token {
        if word == "," { Token::Pause } else { Token::Word(self.word(word)) }
    }

    fn word(&mut self, word: &str) -> Word {
        let next = Word::try_from(self.vocabulary.len() + 1).expect("a grammar has fewer than 65535 words");
        *self.vocabulary.entry(word.to_owned()).or_insert(next)
    }

    fn pattern(&mut self, text: &str, names: &HashMap<String, Node>) -> Result<Pattern, &'static str> {
        let mut symbols = symbols(text);
        let pattern = self.sequence(&mut symbols, names)?;
        if symbols.next().is_some() || pattern.is_empty() {
            Err("a pattern with a rest")
        } else {
            Ok(Pattern::new(pattern))
        }
    }

    fn alternatives(
        &mut self,
        symbols: &mut Symbols,
        names: &HashMap<String, Node>,
    ) -> Result<Node, &'static str> {
        let (mut single, mut longer) = (Words::default(), Vec::new());
        loop {
            let mut sequence = self.sequence(symbols, names)?;
            match sequence.as_mut_slice() {
                [] => return Err("an empty alternative"),
                [Node::Words(words)] => single.add_all(words),
                [Node::OneOf(words, more)] => {
                    single.add_all(words);
                    longer.append(more);
                }
                _ => longer.push(Pattern::new(sequence)),
            }
            if symbols.next_if(|symbol| symbol == "|").is_none() {
                break;
            }
        }
        Ok(if longer.is_empty() { Node::Words(single) } else { Node::OneOf(single, longer) })
    }

    fn sequence(
        &mut self,
        symbols: &mut Symbols,
        names: &HashMap<String, Node>,
    ) -> Result<Vec<Node>, &'static str> {
        let mut sequence = Vec::new();
        while let Some(symbol) = symbols.next_if(|symbol| symbol != "|" && symbol != ")") {
            let node = match symbol.as_str() {
                "?" => {
                    let node = sequence.pop().ok_or("nothing that could be missing")?;
                    Node::Maybe(Box::new(node))
                }
                "!" => Node::Except(Box::new(self.behind_sign(symbols, names)?)),
                "&" => Node::Ahead(Box::new(self.behind_sign(symbols, names)?)),
                "..." => Node::Gap { over_pauses: true },
                ".." => Node::Gap { over_pauses: false },
                "_" => Node::Any,
                "^" => Node::Begin,
                "~" => Node::Adjacent,
                other => self.single(other, symbols, names)?,
            };
            sequence.push(node);
        }
        Ok(sequence)
    }

    /// What a `!` or `&` stands before.
    fn behind_sign(
        &mut self,
        symbols: &mut Symbols,
        names: &HashMap<String, Node>,
    ) -> Result<Node, &'static str> {
        let symbol = symbols.next().ok_or("a sign that stands for nothing")?;
        if symbol.starts_with(['.', '_', '?', '!', '&', '^', '~', '|', ')']) {
            return Err("a sign that stands before no words");
        }
        self.single(&symbol, symbols, names)
    }

    /// A word, a name, a bracket with all that is in it, or the end.
    fn single(
        &mut self,
        symbol: &str,
        symbols: &mut Symbols,
        names: &HashMap<String, Node>,
    ) -> Result<Node, &'static str> {
        match symbol {
            "(" => {
                let node = self.alternatives(symbols, names)?;
                symbols.next_if(|symbol| symbol == ")").ok_or("a bracket that stays open")?;
                Ok(node)
            }
            "$" => Ok(Node::End),
            name if name.starts_with('<') => names.get(&name[1..]).cloned().ok_or("an unknown name"),
            word => Ok(Node::Words(Words::one(self.word(word)))),
        }
    }
}

/// The statements of a text, without comments, continued lines joined.
fn statements(text: &str) -> Vec<String> {
    let mut statements: Vec<String> = Vec::new();
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default().trim_end();
        if line.trim().is_empty() {
            continue;
        }
        match statements.last_mut() {
            Some(last) if line.starts_with(' ') => {
                last.push(' ');
                last.push_str(line.trim());
            }
            _ => statements.push(line.to_owned()),
        }
    }
    statements
}

/// The symbols of a pattern: words, `<name` (without its closing bracket), and single signs.
fn symbols(text: &str) -> Symbols {
    let mut symbols = Vec::new();
    for part in text.split_whitespace() {
        let mut word = String::new();
        for c in part.chars() {
            if "()|?!&^$~>".contains(c) {
                if !word.is_empty() {
                    symbols.push(std::mem::take(&mut word));
                }
                if c != '>' {
                    symbols.push(c.to_string());
                }
            } else {
                word.push(c);
            }
        }
        if !word.is_empty() {
            symbols.push(word);
        }
    }
    symbols.into_iter().peekable()
}
