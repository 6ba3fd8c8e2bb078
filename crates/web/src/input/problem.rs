//! What is wrong with a field, in words for whoever sent it. Never what was sent: that may be personal.

use std::borrow::Cow;

/// One field that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Its name on the wire, with dots for nested fields.
    pub field: Cow<'static, str>,
    /// What was expected there.
    pub expected: Cow<'static, str>,
}

impl Problem {
    /// Names a field and what was expected of it.
    pub fn new(field: impl Into<Cow<'static, str>>, expected: impl Into<Cow<'static, str>>) -> Self {
        Self { field: field.into(), expected: expected.into() }
    }

    /// The same problem, seen from the object around it.
    #[must_use]
    pub fn within(self, outer: &str) -> Self {
        let field = if self.field.is_empty() { outer.to_owned() } else { format!("{outer}.{}", self.field) };
        Self { field: field.into(), expected: self.expected }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nested_problem_names_its_path() {
        let problem = Problem::new("temperature", "expected a number").within("model");
        assert_eq!(problem.field, "model.temperature");
    }
}
