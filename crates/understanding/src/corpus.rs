//! The lines of speech with which the rules are built and measured.

use crate::answering::Answering;
use crate::opt_out::{OptOut, Speaker, Turn};
use crate::words::Language;

/// Which half of a corpus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Half {
    /// The one that may be looked at while the rules are written.
    Build,
    /// The one that only tells how good they are.
    Measure,
}

/// What a line means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Label {
    /// The caller wants no more calls.
    OptOut,
    /// A careful person would ask back.
    Doubtful,
    /// Neither.
    None,
}

/// One line: a turn, or a short dialogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The language.
    pub language: Language,
    pub label: Label,
    /// The kind of wording.
    pub kind: &'static str,
    /// What was said.
    pub turns: Vec<Turn<'static>>,
}

impl Line {
    /// What the rules say of it.
    #[must_use]
    pub fn reading(&self) -> Label {
        match crate::opt_out::read(&self.turns) {
            OptOut::Clear(_) => Label::OptOut,
            OptOut::Doubtful(_) => Label::Doubtful,
            OptOut::No => Label::None,
        }
    }
}

/// The corpus of "stop calling me".
///
/// # Panics
/// Never: a test reads both files.
#[must_use]
pub fn opt_out(half: Half) -> Vec<Line> {
    let text = match half {
        Half::Build => include_str!("../../../corpus/optout/build.tsv"),
        Half::Measure => include_str!("../../../corpus/optout/measure.tsv"),
    };
    text.lines().filter(|line| !line.starts_with('#')).map(line).collect()
}

fn line(line: &'static str) -> Line {
    let mut columns = line.splitn(4, '\t');
    let mut column = || columns.next().expect("a line has four columns");
    let language = Language::of_tag(column()).expect("the first column is a language");
    let label = match column() {
        "optout" => Label::OptOut,
        "doubtful" => Label::Doubtful,
        "none" => Label::None,
        other => panic!("{other} is no label"),
    };
    let kind = column();
    let turns = column().split(" | ").map(turn).collect();
    Line { language, label, kind, turns }
}

fn turn(text: &'static str) -> Turn<'static> {
    match (text.strip_prefix("A: "), text.strip_prefix("C: ")) {
        (Some(text), _) => Turn { by: Speaker::Agent, text },
        (None, Some(text)) => Turn { by: Speaker::Caller, text },
        (None, None) => Turn { by: Speaker::Caller, text },
    }
}

/// One thing that is said by whoever answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The language.
    pub language: Language,
    /// Who says it.
    pub who: Answering,
    /// The kind of wording.
    pub kind: &'static str,
    /// The words.
    pub text: &'static str,
}

/// The corpus of what people and machines say when they answer.
///
/// # Panics
/// Never: a test reads both files.
#[must_use]
pub fn answering(half: Half) -> Vec<Answer> {
    let text = match half {
        Half::Build => include_str!("../../../corpus/answering/build.tsv"),
        Half::Measure => include_str!("../../../corpus/answering/measure.tsv"),
    };
    text.lines().filter(|line| !line.starts_with('#')).map(answer).collect()
}

fn answer(line: &'static str) -> Answer {
    let mut columns = line.splitn(4, '\t');
    let mut column = || columns.next().expect("a line has four columns");
    let language = Language::of_tag(column()).expect("the first column is a language");
    let who = Answering::parse(column()).expect("the second column says who answers");
    Answer { language, who, kind: column(), text: column() }
}
