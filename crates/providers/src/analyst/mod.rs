//! Reading finished calls: by rules, or by a language model whose answer is checked.

mod by_model;
mod by_rules;

pub use by_model::ModelAnalyst;
pub use by_rules::DeterministicAnalyst;
