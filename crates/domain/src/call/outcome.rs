//! How calls end.

use std::time::Duration;

crate::word_enum! {
    /// Why a call never connected, as the public API names it.
    pub enum FailureCode {
        /// It rang and nobody answered.
        NoAnswer = "no_answer",
        /// The line was busy.
        Busy = "busy",
        /// The other side refused the call.
        Declined = "declined",
        /// The number does not exist.
        InvalidNumber = "invalid_number",
        /// The carrier failed.
        CarrierError = "carrier_error",
        /// Somebody on our side called it off.
        Canceled = "canceled",
        /// The dial policy forbade it when its turn came.
        Blocked = "blocked",
        /// The agent could not take part.
        AgentError = "agent_error",
        /// We failed: a crash, a lost engine.
        InternalError = "internal_error",
    }
}

/// How a call ended, for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was answered, by a person or a machine, and lasted this long.
    Completed {
        /// From answer to end.
        talked: Duration,
    },
    /// It never connected.
    Failed(FailureCode),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_reads_back() {
        for &code in FailureCode::ALL {
            assert_eq!(FailureCode::parse(code.as_str()), Some(code));
        }
        assert_eq!(FailureCode::parse("completed"), None);
    }
}
