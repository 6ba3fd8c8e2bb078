//! Reading finished calls: by rules, or by a language model whose answer is checked.
//!
//! The rules read in steps: `reached` tells whom the call reached, `account` what it came to, `marks` how good that was, and `summary`
//! puts it into words.

mod account;
mod by_model;
mod by_rules;
#[cfg(test)]
mod judged;
mod marks;
mod reached;
mod summary;

pub use by_model::ModelAnalyst;
pub use by_rules::DeterministicAnalyst;
