//! Patterns over the words of a turn, and where they fit.

pub(super) type Word = u16;

/// Every word that the grammar does not know.
pub(super) const UNKNOWN: Word = 0;

/// One token of a turn: a word of the vocabulary or a mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Token {
    Word(Word),
    Pause,
    Stop,
}

#[derive(Debug, Clone)]
pub(super) struct Pattern {
    /// The words with which it can begin; `None` if any can, or none has to be there.
    first: Option<Words>,
    nodes: Vec<Node>,
}

impl Pattern {
    pub(super) fn new(nodes: Vec<Node>) -> Self {
        Self { first: firsts(&nodes), nodes }
    }

    /// False if it begins nowhere in a turn of these words.
    pub(super) fn may_begin_with(&self, words: &Words) -> bool {
        self.first.as_ref().is_none_or(|first| first.shares_a_word_with(words))
    }

    /// False if it certainly does not begin here, which is cheap to see.
    fn may_begin(&self, said: &[Token], at: usize) -> bool {
        self.first
            .as_ref()
            .is_none_or(|first| word_at(said, at).is_some_and(|(word, _)| first.contains(word)))
    }
}

#[derive(Debug, Clone)]
pub(super) enum Node {
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
pub(super) struct Words(Vec<u64>);

impl Words {
    pub(super) fn one(word: Word) -> Self {
        let mut words = Self::default();
        words.add(word);
        words
    }

    pub(super) fn add(&mut self, word: Word) {
        let (block, bit) = (usize::from(word) / 64, word % 64);
        if self.0.len() <= block {
            self.0.resize(block + 1, 0);
        }
        self.0[block] |= 1 << bit;
    }

    pub(super) fn add_all(&mut self, others: &Self) {
        if self.0.len() < others.0.len() {
            self.0.resize(others.0.len(), 0);
        }
        for (block, other) in self.0.iter_mut().zip(&others.0) {
            *block |= other;
        }
    }

    fn shares_a_word_with(&self, others: &Self) -> bool {
        self.0.iter().zip(&others.0).any(|(block, other)| block & other != 0)
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

/// Where the pattern may end that begins at `start`, in order.
pub(super) fn ends(pattern: &Pattern, said: &[Token], start: usize) -> Vec<usize> {
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
pub(super) fn is_within(pattern: &Pattern, said: &[Token]) -> bool {
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
pub(super) fn begins_before(pattern: &Pattern, said: &[Token], end: usize) -> bool {
    let mut first = end;
    while first > 0 && said[first - 1] != Token::Stop {
        first -= 1;
    }
    let pause = end > 0 && said[end - 1] == Token::Pause;
    (first..=end)
        .any(|at| ends(pattern, said, at).iter().any(|&stop| stop == end || (pause && stop + 1 == end)))
}
