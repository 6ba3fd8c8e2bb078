//! What is said of the matter of a call: what somebody wants, how pressing it is, what speaks against it, and what either side says is to
//! be done about it. Whoever gives an account of a call reads these.
//!
//! One grammar per language says what counts as what; a `say not-...` takes it back. A text is read by the grammars of all its languages.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use crate::corpus::Half;
use crate::grammar::{self, Grammar};
use crate::words::Language;

/// Something that is said of a matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Said {
    /// What the caller wants of the business.
    Reason,
    /// What they said before was something else.
    Corrects,
    /// The matter cannot wait.
    Urgent,
    /// Something bad has happened to them.
    Distress,
    /// They sell something, look for work, or want to leave: no business to be won.
    Sells,
    /// They have somebody for it.
    HasSomebody,
    /// It costs too much for them.
    TooExpensive,
    /// They look around, and have not made up their mind.
    Browsing,
    /// They ask to be put through.
    WantsThrough,
    /// They ask for an appointment or a visit.
    WantsAppointment,
    /// They ask to be called.
    WantsCall,
    /// They ask to be sent something.
    WantsSending,
    /// The other side offers to put them through.
    OffersThrough,
    /// It offers an appointment or a visit.
    OffersAppointment,
    /// It offers a call.
    OffersCall,
    /// It offers to send something.
    OffersSending,
    /// It says that this is what will happen.
    Promise,
    /// What was offered is taken.
    Accepts,
    /// Something is declined or denied.
    Declines,
    /// The other side asks what they want.
    AsksReason,
    /// It asks when they can be called.
    AsksTime,
    /// It cannot say, and takes the question down.
    CannotSay,
    /// A sum of money.
    Amount,
    /// They ask about the price.
    Price,
    /// They ask where the business is.
    Address,
    /// They ask about opening hours.
    Hours,
    /// They ask how soon it can be.
    Availability,
    /// They ask how they can pay.
    Payment,
    /// They ask about insurance.
    Insurance,
    /// They ask about parking.
    Parking,
}

impl Said {
    /// All of them with their names in the grammars and in the corpus.
    pub const NAMES: [(Self, &'static str); 30] = [
        (Self::Reason, "reason"),
        (Self::Corrects, "corrects"),
        (Self::Urgent, "urgent"),
        (Self::Distress, "distress"),
        (Self::Sells, "sells"),
        (Self::HasSomebody, "has-somebody"),
        (Self::TooExpensive, "too-expensive"),
        (Self::Browsing, "browsing"),
        (Self::WantsThrough, "wants-through"),
        (Self::WantsAppointment, "wants-appointment"),
        (Self::WantsCall, "wants-call"),
        (Self::WantsSending, "wants-sending"),
        (Self::OffersThrough, "offers-through"),
        (Self::OffersAppointment, "offers-appointment"),
        (Self::OffersCall, "offers-call"),
        (Self::OffersSending, "offers-sending"),
        (Self::Promise, "promise"),
        (Self::Accepts, "accepts"),
        (Self::Declines, "declines"),
        (Self::AsksReason, "asks-reason"),
        (Self::AsksTime, "asks-time"),
        (Self::CannotSay, "cannot-say"),
        (Self::Amount, "amount"),
        (Self::Price, "price"),
        (Self::Address, "address"),
        (Self::Hours, "hours"),
        (Self::Availability, "availability"),
        (Self::Payment, "payment"),
        (Self::Insurance, "insurance"),
        (Self::Parking, "parking"),
    ];

    /// What is measured with the corpus: all that a caller says by themselves.
    pub const MEASURED: [Self; 11] = [
        Self::Reason,
        Self::Urgent,
        Self::Distress,
        Self::Sells,
        Self::HasSomebody,
        Self::TooExpensive,
        Self::WantsAppointment,
        Self::WantsCall,
        Self::WantsSending,
        Self::Price,
        Self::Insurance,
    ];

    /// Its name in the grammars and in the corpus.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::NAMES.iter().find(|(said, _)| *said == self).map_or("", |(_, name)| name)
    }
}

/// Everything that a text says of a matter.
#[must_use]
pub fn heard(text: &str) -> BTreeSet<Said> {
    let mut heard = grammar::heard(&*GRAMMARS, text, &Said::NAMES);
    let written = |word: &str| word.contains(['$', '€', '£']) && word.chars().any(|c| c.is_ascii_digit());
    if text.split_whitespace().any(written) {
        heard.insert(Said::Amount);
    }
    heard
}

static GRAMMARS: LazyLock<[Grammar; 2]> = LazyLock::new(|| {
    let grammar =
        |text, language| Grammar::parse(text, language).expect("the grammars of this crate are well formed");
    [
        grammar(
            concat!(include_str!("english.grammar"), include_str!("matter/english.grammar")),
            Language::English,
        ),
        grammar(include_str!("matter/spanish.grammar"), Language::Spanish),
    ]
});

/// A line of the corpus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub language: Language,
    /// What of [`Said::MEASURED`] it says.
    pub said: BTreeSet<Said>,
    pub text: &'static str,
}

/// The corpus of matters.
///
/// # Panics
/// Never: a test reads both files.
#[must_use]
pub fn corpus(half: Half) -> Vec<Line> {
    let text = match half {
        Half::Build => include_str!("../../../corpus/matter/build.tsv"),
        Half::Measure => include_str!("../../../corpus/matter/measure.tsv"),
    };
    let line = |line: &'static str| {
        let mut columns = line.splitn(3, '\t');
        let mut column = || columns.next().expect("a line has three columns");
        let language = Language::of_tag(column()).expect("the first column is a language");
        let said = column().split(' ').filter(|name| *name != "-").map(|name| {
            Said::MEASURED.into_iter().find(|said| said.as_str() == name).expect("something that is measured")
        });
        Line { language, said: said.collect(), text: column() }
    };
    text.lines().filter(|line| !line.starts_with('#')).map(line).collect()
}
