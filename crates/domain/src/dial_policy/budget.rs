//! Money: a call is dialled only if every budget that pays for it has room for the most that it can cost.

use std::fmt;

use crate::Timestamp;

crate::word_enum! {
    /// Whose budget it is.
    pub enum Payer {
        /// All calls of the business together.
        Business = "business",
        /// The calls of the agent.
        Agent = "agent",
    }
}

/// A budget of a day, in cents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    pub payer: Payer,
    pub limit_cents: u64,
    /// What the calls of the day that are over have cost.
    pub spent_cents: u64,
    /// What is set aside for calls that run.
    pub reserved_cents: u64,
}

impl Budget {
    /// What calls that are yet to be dialled may cost.
    pub fn left_cents(&self) -> u64 {
        self.limit_cents.saturating_sub(self.spent_cents.saturating_add(self.reserved_cents))
    }
}

/// A budget that has no room for a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overdrawn {
    pub budget: Budget,
    /// The most that the call can cost.
    pub needed_cents: u64,
    /// When the next day begins.
    pub frees_at: Timestamp,
}

impl std::error::Error for Overdrawn {}

impl fmt::Display for Overdrawn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Budget { payer, limit_cents, spent_cents, reserved_cents } = self.budget;
        let reserved = if reserved_cents == 0 {
            String::new()
        } else {
            format!(" and {} set aside for calls that run", dollars(reserved_cents))
        };
        write!(
            f,
            "the {}'s budget of {} for the day has no room for a call of up to {}: {} spent{reserved}; the next day begins at {}",
            payer.as_str(),
            dollars(limit_cents),
            dollars(self.needed_cents),
            dollars(spent_cents),
            self.frees_at
        )
    }
}

/// An amount as people write it.
pub(super) fn dollars(cents: u64) -> String {
    format!("${}.{:02}", cents / 100, cents % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_everything_that_the_sum_is_made_of() {
        let budget =
            Budget { payer: Payer::Agent, limit_cents: 5_000, spent_cents: 4_605, reserved_cents: 300 };
        let frees_at = "2026-11-30T06:00:00Z".parse().expect("a time");
        let told = Overdrawn { budget, needed_cents: 300, frees_at }.to_string();
        assert_eq!(
            told,
            "the agent's budget of $50.00 for the day has no room for a call of up to $3.00: $46.05 spent and $3.00 set aside \
             for calls that run; the next day begins at 2026-11-30T06:00:00Z"
        );
        assert_eq!(budget.left_cents(), 95);
    }
}
