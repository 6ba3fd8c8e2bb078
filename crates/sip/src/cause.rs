//! What a final answer means for a call.

/// Why a call did not connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Failure {
    Busy,
    /// Somebody, or a machine of theirs, refused the call.
    Declined,
    NoAnswer,
    /// There is no such number.
    InvalidNumber,
    /// We called it off.
    Cancelled,
    /// The trunk does not let us in: a wrong password, or an account without the right to call there.
    Forbidden,
    /// Whoever answered speaks no codec of ours.
    NoCommonCodec,
    /// The trunk failed, with this answer if it gave one.
    Carrier(Option<u16>),
    /// No trunk is there that this number can be called over.
    NoTrunk,
}

impl Failure {
    /// What a final answer of 300 or above means.
    pub(crate) fn of(status: u16) -> Self {
        match status {
            486 | 600 => Self::Busy,
            603 | 607 | 608 => Self::Declined,
            408 | 480 | 487 => Self::NoAnswer,
            404 | 410 | 484 | 485 | 604 => Self::InvalidNumber,
            401 | 403 | 407 => Self::Forbidden,
            415 | 488 | 606 => Self::NoCommonCodec,
            other => Self::Carrier(Some(other)),
        }
    }
}

/// Whether a call may be tried over another trunk after this final answer. Any other answer is that of the number itself, and a number
/// that has rung is never rung again by ourselves.
pub(crate) fn is_the_trunks_own(status: u16) -> bool {
    (500..600).contains(&status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_mean_what_the_network_means_by_them() {
        for (status, expected) in [
            (486, Failure::Busy),
            (600, Failure::Busy),
            (603, Failure::Declined),
            (480, Failure::NoAnswer),
            (404, Failure::InvalidNumber),
            (484, Failure::InvalidNumber),
            (407, Failure::Forbidden),
            (488, Failure::NoCommonCodec),
            (302, Failure::Carrier(Some(302))),
            (503, Failure::Carrier(Some(503))),
        ] {
            assert_eq!(Failure::of(status), expected, "{status}");
        }
    }

    #[test]
    fn only_a_trunk_that_failed_is_replaced_by_another() {
        for status in [500, 503, 599] {
            assert!(is_the_trunks_own(status));
        }
        for status in [302, 404, 408, 480, 486, 600, 603] {
            assert!(!is_the_trunks_own(status));
        }
    }
}
