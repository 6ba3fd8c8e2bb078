//! Enums whose variants stand for a word of the API, of storage or of a setting, like `queued`.
//!
//! The list of words is the definition, so that writing and reading cannot part.

/// Defines an enum with one word per variant: `ALL` lists the variants, `as_str` writes the word, `parse` reads it.
///
/// ```
/// domain::word_enum! {
///     /// How a door stands.
///     pub enum Door {
///         /// One can pass.
///         Open = "open",
///         /// One cannot.
///         Shut = "shut",
///     }
/// }
///
/// assert_eq!(Door::Open.as_str(), "open");
/// assert_eq!(Door::parse("shut"), Some(Door::Shut));
/// assert_eq!(Door::parse("ajar"), None);
/// ```
#[macro_export]
macro_rules! word_enum {
    (
        $(#[$about:meta])*
        $visibility:vis enum $name:ident { $($(#[$meaning:meta])* $variant:ident = $word:literal),+ $(,)? }
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        $visibility enum $name { $($(#[$meaning])* $variant,)+ }

        impl $name {
            /// Every variant, in the order of its definition.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word for it outside.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            /// Reads the word back.
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|known| known.as_str() == text)
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use crate::business::Role;
    use crate::call::{Direction, FailureCode, Party};
    use crate::event::EventType;
    use crate::{Mode, Scope, Source};

    #[test]
    fn every_word_reads_back_and_no_two_are_equal() {
        macro_rules! check {
            ($($name:ty),*) => { $(
                for (index, &known) in <$name>::ALL.iter().enumerate() {
                    assert_eq!(<$name>::parse(known.as_str()), Some(known));
                    assert!(<$name>::ALL[..index].iter().all(|other| other.as_str() != known.as_str()), "{known:?}");
                }
                assert_eq!(<$name>::parse("no such word"), None);
            )* };
        }
        check!(Mode, Role, Scope, Source, EventType, FailureCode, Direction, Party);
    }
}
