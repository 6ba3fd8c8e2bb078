//! What a caller says besides answering: questions about the call itself, wishes, feelings, agreement. Whoever speaks for a business
//! reads these before anything else, because they change the course of a call.
//!
//! One grammar per language says what counts as which remark; a `say not-...` takes a remark back for the whole turn. A turn is
//! read by the grammars of all its languages, since people mix them.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use crate::grammar::{self, Grammar};
use crate::words::Language;

/// Something that changes the course of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Remark {
    /// They ask whether they talk to a machine, or guess it.
    Robot,
    /// They ask whether the call is recorded.
    Recorded,
    /// They ask where their number comes from.
    Source,
    /// They ask who is calling.
    Who,
    /// They ask what the call is about.
    About,
    /// The person who was called is somebody else.
    WrongPerson,
    /// They would rather talk at another time.
    Later,
    /// They take their leave.
    Goodbye,
    /// They did not hear.
    Repeat,
    /// They will not say what was asked.
    Refusal,
    /// They want to talk to a person.
    Human,
    /// Somebody is in danger now.
    Emergency,
    /// Somebody has died or is very ill.
    Grief,
    Anger,
    Yes,
    No,
    /// They have nothing more to say.
    Done,
    /// They do not want what the call is about.
    NotInterested,
    /// They ask for a moment.
    Hold,
    /// They ask how one is.
    HowAreYou,
    /// They ask when somebody will call.
    When,
    /// They ask to be called.
    CallMe,
    /// They answer for somebody else, who is not there.
    ForAnother,
}

impl Remark {
    /// All of them with their names in the grammars.
    const NAMES: [(Self, &'static str); 23] = [
        (Self::Robot, "robot"),
        (Self::Recorded, "recorded"),
        (Self::Source, "source"),
        (Self::Who, "who"),
        (Self::About, "about"),
        (Self::WrongPerson, "wrong-person"),
        (Self::Later, "later"),
        (Self::Goodbye, "goodbye"),
        (Self::Repeat, "repeat"),
        (Self::Refusal, "refusal"),
        (Self::Human, "human"),
        (Self::Emergency, "emergency"),
        (Self::Grief, "grief"),
        (Self::Anger, "anger"),
        (Self::Yes, "yes"),
        (Self::No, "no"),
        (Self::Done, "done"),
        (Self::NotInterested, "not-interested"),
        (Self::Hold, "hold"),
        (Self::HowAreYou, "how-are-you"),
        (Self::When, "when"),
        (Self::CallMe, "call-me"),
        (Self::ForAnother, "for-another"),
    ];
}

/// All remarks of one turn.
#[must_use]
pub fn heard(text: &str) -> BTreeSet<Remark> {
    grammar::heard(&*GRAMMARS, text, &Remark::NAMES)
}

static GRAMMARS: LazyLock<[Grammar; 2]> = LazyLock::new(|| {
    let grammar =
        |text, language| Grammar::parse(text, language).expect("the grammars of this crate are well formed");
    [
        grammar(
            concat!(include_str!("english.grammar"), include_str!("remark/english.grammar")),
            Language::English,
        ),
        grammar(include_str!("remark/spanish.grammar"), Language::Spanish),
    ]
});
