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
    /// The caller may be called again.
    None,
}

/// One line: a turn, or a short dialogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub language: Language,
    pub label: Label,
    /// The kind of wording.
    pub kind: &'static str,
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

/// A kind of fact that callers tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Email,
    Phone,
    Name,
}

impl Kind {
    pub const ALL: [Self; 3] = [Self::Email, Self::Phone, Self::Name];

    /// The word for it in the corpus.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Name => "name",
        }
    }
}

/// A line of speech with the fact that it tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FactLine {
    pub language: Language,
    /// The kind of fact.
    pub kind: Kind,
    /// The kind of wording.
    pub wording: &'static str,
    /// The fact, or none if the words tell none.
    pub fact: Option<&'static str>,
    pub turns: Vec<Turn<'static>>,
}

impl FactLine {
    /// What the rules read in it, written as in the corpus.
    #[must_use]
    pub fn reading(&self) -> Option<String> {
        let facts = crate::facts::read(&self.turns);
        match self.kind {
            Kind::Email => facts.email,
            Kind::Phone => facts.phone.map(|phone| match phone.extension {
                Some(extension) => format!("{} x{extension}", phone.digits),
                None => phone.digits,
            }),
            Kind::Name => facts.name,
        }
    }
}

/// The corpus of what callers say of themselves.
///
/// # Panics
/// Never: a test reads both files.
#[must_use]
pub fn facts(half: Half) -> Vec<FactLine> {
    fact_corpus(half).lines().filter(|line| !line.starts_with('#')).filter_map(fact_line).collect()
}

/// A line with numbers that must not be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secret {
    /// What may be kept of the turns.
    pub kept: Vec<String>,
    pub turns: Vec<Turn<'static>>,
}

impl Secret {
    /// What the rules keep.
    #[must_use]
    pub fn reading(&self) -> Vec<String> {
        let mut mask = crate::sensitive::Mask::default();
        self.turns.iter().map(|turn| mask.hear(turn.by, turn.text).into_owned()).collect()
    }
}

/// The corpus of card and social security numbers.
///
/// # Panics
/// Never: a test reads both files.
#[must_use]
pub fn secrets(half: Half) -> Vec<Secret> {
    let secret = |line: &'static str| {
        let mut columns = line.splitn(5, '\t').skip(1);
        let mut column = || columns.next().expect("a line has five columns");
        if column() != "secret" {
            return None;
        }
        let (_, kept, said) = (column(), column(), column());
        let turns: Vec<Turn<'static>> = said.split(" | ").map(turn).collect();
        let kept = if kept == "-" { said } else { kept };
        Some(Secret { kept: kept.split(" | ").map(|text| turn(text).text.to_owned()).collect(), turns })
    };
    fact_corpus(half).lines().filter(|line| !line.starts_with('#')).filter_map(secret).collect()
}

fn fact_corpus(half: Half) -> &'static str {
    match half {
        Half::Build => include_str!("../../../corpus/facts/build.tsv"),
        Half::Measure => include_str!("../../../corpus/facts/measure.tsv"),
    }
}

fn fact_line(line: &'static str) -> Option<FactLine> {
    let mut columns = line.splitn(5, '\t');
    let mut column = || columns.next().expect("a line has five columns");
    let language = Language::of_tag(column()).expect("the first column is a language");
    let name = column();
    let kind = Kind::ALL.into_iter().find(|kind| kind.as_str() == name)?;
    let wording = column();
    let fact = Some(column()).filter(|fact| *fact != "-");
    let turns = column().split(" | ").map(turn).collect();
    Some(FactLine { language, kind, wording, fact, turns })
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
    pub language: Language,
    /// Who or what answers with these words.
    pub who: Answering,
    /// The kind of wording.
    pub kind: &'static str,
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
