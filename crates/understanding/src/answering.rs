//! Who answered the telephone: a person, or one of the machines that answer instead.
//!
//! In doubt it is a person: talking to a machine is a nuisance, hanging up on a person is a lost call. So only words that machines use
//! and people don't make a machine, and people who talk *about* machines ("I got your voicemail", "would you like to leave a message
//! for the doctor?") stay people. The grammars beside this file hold those words.

use std::sync::LazyLock;

use crate::grammar::Grammar;
use crate::words::{self, Language, Piece};

/// Who or what answered, judged by the words of one turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Answering {
    /// Somebody to talk to.
    Person,
    /// A greeting after which a message can be left.
    Voicemail,
    /// An assistant that wants to know who is calling and why: the one of a telephone, or a receptionist that is a machine.
    Screener,
    /// A choice of keys to press or words to say.
    Menu,
    /// The network's own announcement that this number reaches nobody.
    Intercept,
    /// An announcement for people who wait, or music.
    Hold,
}

impl Answering {
    pub const ALL: [Self; 6] =
        [Self::Person, Self::Voicemail, Self::Screener, Self::Menu, Self::Intercept, Self::Hold];

    /// Its name in the grammars and in the corpus.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Voicemail => "voicemail",
            Self::Screener => "screener",
            Self::Menu => "menu",
            Self::Intercept => "intercept",
            Self::Hold => "hold",
        }
    }

    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|answering| answering.as_str() == name)
    }
}

/// Says who or what a turn comes from, judged by its words alone.
#[must_use]
pub fn read(text: &str) -> Answering {
    if is_music(text) {
        return Answering::Hold;
    }
    let mut found = GRAMMARS
        .iter()
        .filter_map(|grammar| grammar.first_frame(&grammar.hear(text)))
        .filter_map(Answering::parse);
    found.find(|answering| *answering != Answering::Person).unwrap_or(Answering::Person)
}

/// True if somebody asks for a moment and nothing else: a person who fetches another, or a machine that connects us.
#[must_use]
pub fn asks_to_wait(text: &str) -> bool {
    says("wait", text) && !says("question", text)
}

/// True if the words are those of somebody who has come to the telephone while a machine was speaking, "Hello? Who is this?", and no
/// more.
#[must_use]
pub fn is_somebody_there(text: &str) -> bool {
    text.split_whitespace().count() <= LONGEST_HELLO && says("there", text)
}

/// How many words somebody says who wonders whether the line is alive.
const LONGEST_HELLO: usize = 6;

fn says(name: &str, text: &str) -> bool {
    GRAMMARS.iter().any(|grammar| grammar.says(name, &grammar.hear(text)))
}

/// True if a recogniser heard no words but music or ringing, which it writes as a remark in brackets or as notes.
fn is_music(text: &str) -> bool {
    let text = text.trim();
    let inner = text.trim_matches(['[', ']', '(', ')', '*', '♪', '♫', '🎵', '🎶', ' ']);
    if inner.is_empty() {
        return text.contains(['♪', '♫', '🎵', '🎶']);
    }
    let is_remark = [('[', ']'), ('(', ')'), ('*', '*'), ('♪', '♪')]
        .iter()
        .any(|&(open, close)| text.starts_with(open) && text.ends_with(close));
    is_remark
        && words::pieces(inner, Language::English).iter().any(
            |piece| matches!(piece, Piece::Word(word) if SOUNDS.iter().any(|sound| word.starts_with(sound))),
        )
}

/// How words for the sounds of a waiting line begin.
const SOUNDS: [&str; 6] = ["music", "musik", "musique", "ring", "dial", "jingle"];

static GRAMMARS: LazyLock<Vec<Grammar>> = LazyLock::new(|| {
    let grammar = |language| {
        let text = match language {
            Language::English => include_str!("answering/english.grammar"),
            Language::Spanish => include_str!("answering/spanish.grammar"),
            Language::French => include_str!("answering/french.grammar"),
            Language::German => include_str!("answering/german.grammar"),
        };
        Grammar::parse(text, language).expect("the grammars of this crate are well formed")
    };
    Language::ALL.into_iter().map(grammar).collect()
});
