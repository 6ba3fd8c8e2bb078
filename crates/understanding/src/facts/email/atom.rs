//! The parts of which a spoken address is made.

use crate::facts::token::Gap;

/// What a part of an address can be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum What {
    Word(String),
    Letter(char),
    /// Digits, and the words for them.
    Digits(String, String),
    Joint(char),
    /// An "at"; weak if it is only the word.
    At {
        weak: bool,
    },
}

/// A part of an address, and how far the next one is from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Atom {
    pub what: What,
    pub gap: Gap,
}

impl Atom {
    pub(super) fn text(&self) -> Option<String> {
        match &self.what {
            What::Word(word) => Some(word.clone()),
            What::Letter(letter) => Some(letter.to_string()),
            What::Digits(digits, _) => Some(digits.clone()),
            What::Joint(_) | What::At { .. } => None,
        }
    }

    pub(super) fn spoken(&self) -> Option<String> {
        match &self.what {
            What::Digits(_, spoken) => Some(spoken.clone()),
            _ => self.text(),
        }
    }

    pub(super) fn is_spelled(&self) -> bool {
        matches!(self.what, What::Letter(_) | What::Digits(..))
    }

    /// True for a letter that is no word by itself: what stands before a surname.
    pub(super) fn is_initial(&self) -> bool {
        matches!(self.what, What::Letter(letter) if !"aeiouy".contains(letter))
    }

    pub(super) fn is_sign(&self) -> bool {
        matches!(self.what, What::Joint(_) | What::At { .. })
    }
}
