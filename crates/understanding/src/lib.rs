//! What people on the telephone mean by what they say: rules over words, as data. Pure and quick.
//!
//! A rule that may act on a person (block a number, say) is measured: `corpus/` holds lines of speech with what they mean, in one half to
//! build with and one to measure with, and `docs/reference/understanding.md` shows how often the rules are right.

pub mod answering;
pub mod corpus;
pub mod facts;
mod grammar;
pub mod language;
pub mod matter;
pub mod opt_out;
pub mod read_back;
pub mod remark;
pub mod sensitive;
pub mod sentences;
pub mod times;
pub mod topic;
mod words;

pub use words::Language;
