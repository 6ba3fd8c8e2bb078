//! A small grammar over plain words: what asks for something, and what around it takes the asking back.
//!
//! A grammar is a text, one statement a line (an indented line continues the one above, `#` begins a comment):
//!
//! | Statement | Meaning |
//! |---|---|
//! | `skip a \| b` | these words say nothing |
//! | `read a b as c d` | these words are those |
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

use std::collections::{BTreeSet, HashMap};

use crate::words::{self, Language, Piece};

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
    /// What is read as something else, by its first word, the longest first.
    readings: HashMap<Word, Vec<Reading>>,
    common: Vec<Guard>,
    frames: Vec<Frame>,
    sayings: HashMap<String, Vec<Pattern>>,
}

type Word = u16;

/// Every word that the grammar does not know.
const UNKNOWN: Word = 0;

#[derive(Debug)]
struct Reading {
    from: Vec<Word>,
    to: Vec<Word>,
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

#[derive(Debug, Clone)]
struct Pattern {
    /// The words with which it can begin; `None` if any can, or none has to be there.
    first: Option<Words>,
    nodes: Vec<Node>,
}

impl Pattern {
    fn new(nodes: Vec<Node>) -> Self {
        Self { first: firsts(&nodes), nodes }
    }

    /// False if it certainly does not begin here, which is cheap to see and true of most places.
    fn may_begin(&self, said: &[Token], at: usize) -> bool {
        self.first
            .as_ref()
            .is_none_or(|first| word_at(said, at).is_some_and(|(word, _)| first.contains(word)))
    }
}

#[derive(Debug, Clone)]
enum Node {
    Words(Words),
    OneOf(Words, Vec<Pattern>),
    Maybe(Box<Node>),
    Except(Box<Node>),
    Any,
    Gap { over_pauses: bool },
    Begin,
    End,
    Adjacent,
    Ahead(Box<Node>),
}

/// A set of words, as one bit for each word of the vocabulary.
#[derive(Debug, Clone, Default)]
struct Words(Vec<u64>);

impl Words {
    fn one(word: Word) -> Self {
        let mut words = Self::default();
        words.add(word);
        words
    }

    fn add(&mut self, word: Word) {
        let (block, bit) = (usize::from(word) / 64, word % 64);
        if self.0.len() <= block {
            self.0.resize(block + 1, 0);
        }
        self.0[block] |= 1 << bit;
    }

    fn add_all(&mut self, others: &Self) {
        if self.0.len() < others.0.len() {
            self.0.resize(others.0.len(), 0);
        }
        for (block, other) in self.0.iter_mut().zip(&others.0) {
            *block |= other;
        }
    }

    fn contains(&self, word: Word) -> bool {
        self.0.get(usize::from(word) / 64).is_some_and(|block| block >> (word % 64) & 1 == 1)
    }
}

/// The words with which a pattern can begin; `None` if it can begin with any, or match no word at all.
fn firsts(pattern: &[Node]) -> Option<Words> {
    let mut all = Words::default();
    for node in pattern {
        let (words, may_be_empty) = node_firsts(node)?;
        all.add_all(&words);
        if !may_be_empty {
            return Some(all);
        }
    }
    None
}

fn node_firsts(node: &Node) -> Option<(Words, bool)> {
    match node {
        Node::Words(words) => Some((words.clone(), false)),
        Node::OneOf(words, longer) => {
            let mut all = words.clone();
            for pattern in longer {
                all.add_all(pattern.first.as_ref()?);
            }
            Some((all, false))
        }
        Node::Maybe(node) => node_firsts(node).map(|(words, _)| (words, true)),
        Node::Begin | Node::Adjacent => Some((Words::default(), true)),
        Node::Except(_) | Node::Any | Node::Gap { .. } | Node::End | Node::Ahead(_) => None,
    }
}

/// How many words a gap may hold.
const GAP: usize = 4;

/// How often the readings are applied.
const READINGS: usize = 3;

/// A turn is read up to this many words: nobody says more in one breath, and the time it takes stays bounded.
const LONGEST: usize = 600;

/// One token of a turn: a word of the vocabulary or a mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    Word(Word),
    Pause,
    Stop,
}

/// A text as one grammar hears it.
#[derive(Debug, Clone)]
pub(crate) struct Said(Vec<Token>);

impl Said {
    /// How many of its words the grammar knows.
    pub(crate) fn words_known(&self) -> usize {
        self.0.iter().filter(|token| matches!(token, Token::Word(word) if *word != UNKNOWN)).count()
    }
}

impl Grammar {
    /// What the grammar finds in one turn.
    pub(crate) fn read(&self, Said(said): &Said) -> Finding {
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
    pub(crate) fn touches(&self, Said(said): &Said) -> bool {
        self.frames.iter().any(|frame| self.askings(frame, said).next().is_some())
    }

    /// The name of the first frame that finds something beyond doubt, in the order in which the frames are written.
    pub(crate) fn first_frame(&self, Said(said): &Said) -> Option<&str> {
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
        said: &'a [Token],
    ) -> impl Iterator<Item = (Strength, Finding)> + 'a {
        frame.askings.iter().flat_map(move |asking| {
            (0..said.len()).filter_map(move |start| {
                let Token::Word(_) = said[start] else { return None };
                let end = ends(&asking.pattern, said, start).last().copied()?;
                Some((asking.strength, self.judged(frame, said, start, end)))
            })
        })
    }

    /// True if the text says what the grammar defines under this name.
    pub(crate) fn says(&self, name: &str, Said(said): &Said) -> bool {
        let patterns = self.sayings.get(name).map(Vec::as_slice).unwrap_or_default();
        patterns.iter().any(|pattern| is_within(pattern, said))
    }

    /// The names of everything that the text says.
    pub(crate) fn sayings(&self, Said(said): &Said) -> BTreeSet<&str> {
        let fits = |patterns: &[Pattern]| patterns.iter().any(|pattern| is_within(pattern, said));
        let told = self.sayings.iter().filter(|(_, patterns)| fits(patterns));
        told.map(|(name, _)| name.as_str()).collect()
    }

    fn judged(&self, frame: &Frame, said: &[Token], start: usize, end: usize) -> Finding {
        let guards = || self.common.iter().chain(&frame.guards);
        let holds = |guard: &Guard| match guard.place {
            Place::Before => begins_before(&guard.pattern, said, start),
            Place::After => !ends(&guard.pattern, said, end).is_empty(),
            Place::Later => (end..said.len()).any(|at| !ends(&guard.pattern, said, at).is_empty()),
            Place::Beside => (0..said.len())
                .any(|at| ends(&guard.pattern, said, at).iter().any(|&stop| stop <= start || at >= end)),
        };
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
        Said((0..READINGS).fold(tidied(said), |said, _| self.reread(&said)))
    }

    /// Applies what is read as something else.
    fn reread(&self, said: &[Token]) -> Vec<Token> {
        let mut read = Vec::with_capacity(said.len() + 8);
        let mut at = 0;
        while at < said.len() {
            let fits = |reading: &&Reading| {
                said.get(at..at + reading.from.len()).is_some_and(|said| {
                    said.iter().zip(&reading.from).all(|(said, word)| *said == Token::Word(*word))
                })
            };
            let known = match said[at] {
                Token::Word(word) => self.readings.get(&word),
                Token::Pause | Token::Stop => None,
            };
            if let Some(reading) = known.and_then(|readings| readings.iter().find(fits)) {
                read.extend(reading.to.iter().map(|&word| Token::Word(word)));
                at += reading.from.len();
            } else {
                read.push(said[at]);
                at += 1;
            }
        }
        tidied(read)
    }
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

/// Where the pattern may end that begins at `start`, in order.
fn ends(pattern: &Pattern, said: &[Token], start: usize) -> Vec<usize> {
    if !pattern.may_begin(said, start) {
        return Vec::new();
    }
    let mut places = vec![start];
    let mut next = Vec::new();
    for node in &pattern.nodes {
        next.clear();
        for &at in &places {
            step(node, said, at, &mut next);
        }
        if next.is_empty() {
            return Vec::new();
        }
        next.sort_unstable();
        next.dedup();
        std::mem::swap(&mut places, &mut next);
    }
    places
}

/// True if the pattern fits anywhere.
fn is_within(pattern: &Pattern, said: &[Token]) -> bool {
    (0..said.len()).any(|at| !ends(pattern, said, at).is_empty())
}

/// The word at a place, or behind the pause there, and the place after it.
fn word_at(said: &[Token], at: usize) -> Option<(Word, usize)> {
    let at = at + usize::from(said.get(at) == Some(&Token::Pause));
    match said.get(at) {
        Some(Token::Word(word)) => Some((*word, at + 1)),
        _ => None,
    }
}

fn step(node: &Node, said: &[Token], at: usize, next: &mut Vec<usize>) {
    let word = word_at(said, at);
    let after_one_of = |words: &Words| word.filter(|(word, _)| words.contains(*word)).map(|(_, after)| after);
    match node {
        Node::Words(words) => next.extend(after_one_of(words)),
        Node::OneOf(words, longer) => {
            next.extend(after_one_of(words));
            for pattern in longer {
                next.extend(ends(pattern, said, at));
            }
        }
        Node::Maybe(node) => {
            next.push(at);
            step(node, said, at, next);
        }
        Node::Except(node) => {
            let mut matched = Vec::new();
            step(node, said, at, &mut matched);
            next.extend(word.filter(|_| matched.is_empty()).map(|(_, after)| after));
        }
        Node::Any => next.extend(word.map(|(_, after)| after)),
        Node::Gap { over_pauses } => {
            next.push(at);
            let mut at = at;
            for _ in 0..GAP {
                at += usize::from(*over_pauses && said.get(at) == Some(&Token::Pause));
                if !matches!(said.get(at), Some(Token::Word(_))) {
                    break;
                }
                at += 1;
                next.push(at);
            }
        }
        Node::Ahead(node) => {
            let mut ahead = Vec::new();
            step(node, said, at, &mut ahead);
            next.extend((!ahead.is_empty()).then_some(at));
        }
        Node::Begin => next.extend((at == 0 || said[at - 1] == Token::Stop).then_some(at)),
        Node::End => next.extend((!matches!(said.get(at), Some(Token::Word(_)))).then_some(at)),
        Node::Adjacent => next.extend(matches!(said.get(at), Some(Token::Word(_))).then_some(at)),
    }
}

/// True if the pattern, begun somewhere in the same sentence, ends right before `end`.
fn begins_before(pattern: &Pattern, said: &[Token], end: usize) -> bool {
    let mut first = end;
    while first > 0 && said[first - 1] != Token::Stop {
        first -= 1;
    }
    let pause = end > 0 && said[end - 1] == Token::Pause;
    (first..=end)
        .any(|at| ends(pattern, said, at).iter().any(|&stop| stop == end || (pause && stop + 1 == end)))
}

/// What is wrong with a grammar's text: the line, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mistake(String);

impl Grammar {
    /// Reads a grammar.
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
                        _ => self.read_as(words, Vec::new())?,
                    }
                }
            }
            ("read", _) => {
                let (from, to) = rest.split_once(" as ").ok_or("what is it read as?")?;
                let to: Vec<Word> = to.split_whitespace().map(|word| self.word(word)).collect();
                for from in from.split('|') {
                    let from = from.split_whitespace().map(|word| self.word(word)).collect();
                    self.read_as(from, to.clone())?;
                }
            }
            ("word", _) => {
                let (name, alternatives) = rest.split_once(" = ").ok_or("a name has alternatives")?;
                let node = self.alternatives(&mut symbols(alternatives).peekable(), names)?;
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

    fn read_as(&mut self, from: Vec<Word>, to: Vec<Word>) -> Result<(), &'static str> {
        let first = *from.first().ok_or("what is read?")?;
        self.readings.entry(first).or_default().push(Reading { from, to });
        Ok(())
    }

    fn word(&mut self, word: &str) -> Word {
        let next = Word::try_from(self.vocabulary.len() + 1).expect("a grammar has fewer than 65535 words");
        *self.vocabulary.entry(word.to_owned()).or_insert(next)
    }

    fn pattern(&mut self, text: &str, names: &HashMap<String, Node>) -> Result<Pattern, &'static str> {
        let mut symbols = symbols(text).peekable();
        let pattern = self.sequence(&mut symbols, names)?;
        if symbols.next().is_some() || pattern.is_empty() {
            Err("a pattern with a rest")
        } else {
            Ok(Pattern::new(pattern))
        }
    }

    fn alternatives<I: Iterator<Item = String>>(
        &mut self,
        symbols: &mut std::iter::Peekable<I>,
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

    fn sequence<I: Iterator<Item = String>>(
        &mut self,
        symbols: &mut std::iter::Peekable<I>,
        names: &HashMap<String, Node>,
    ) -> Result<Vec<Node>, &'static str> {
        let mut sequence = Vec::new();
        while let Some(symbol) = symbols.next_if(|symbol| symbol != "|" && symbol != ")") {
            let node = match symbol.as_str() {
                "?" => {
                    let node = sequence.pop().ok_or("nothing that could be missing")?;
                    Node::Maybe(Box::new(node))
                }
                "(" => {
                    let node = self.alternatives(symbols, names)?;
                    symbols.next_if(|symbol| symbol == ")").ok_or("a bracket that stays open")?;
                    node
                }
                "!" => Node::Except(Box::new(self.single(symbols, names)?)),
                "&" => Node::Ahead(Box::new(self.single(symbols, names)?)),
                "..." => Node::Gap { over_pauses: true },
                ".." => Node::Gap { over_pauses: false },
                "_" => Node::Any,
                "^" => Node::Begin,
                "$" => Node::End,
                "~" => Node::Adjacent,
                name if name.starts_with('<') => names.get(&name[1..]).ok_or("an unknown name")?.clone(),
                word => Node::Words(Words::one(self.word(word))),
            };
            sequence.push(node);
        }
        Ok(sequence)
    }

    fn single<I: Iterator<Item = String>>(
        &mut self,
        symbols: &mut std::iter::Peekable<I>,
        names: &HashMap<String, Node>,
    ) -> Result<Node, &'static str> {
        let symbol = symbols.next().ok_or("a sign that stands for nothing")?;
        match symbol.as_str() {
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
fn symbols(text: &str) -> impl Iterator<Item = String> {
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
    symbols.into_iter()
}
