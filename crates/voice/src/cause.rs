//! What the end of a call's signalling means for the platform.

use domain::call::{Ending, FailureCode, Progress};
use sip::Failure;

/// The end of a call that never connected.
pub(crate) fn failed(failure: Failure) -> Progress {
    let (code, reason) = match failure {
        Failure::Busy => (FailureCode::Busy, "busy".to_owned()),
        Failure::Declined => (FailureCode::Declined, "declined".to_owned()),
        Failure::NoAnswer => (FailureCode::NoAnswer, "no-answer".to_owned()),
        Failure::InvalidNumber => (FailureCode::InvalidNumber, "no-such-number".to_owned()),
        Failure::Cancelled => (FailureCode::Canceled, "cancelled".to_owned()),
        Failure::Forbidden => (FailureCode::CarrierError, "trunk-refused".to_owned()),
        Failure::NoCommonCodec => (FailureCode::CarrierError, "no-common-codec".to_owned()),
        Failure::Carrier(Some(status)) => (FailureCode::CarrierError, format!("carrier-{status}")),
        Failure::Carrier(None) => (FailureCode::CarrierError, "trunk-unreachable".to_owned()),
        Failure::NoTrunk => (FailureCode::CarrierError, "no-trunk".to_owned()),
    };
    Progress::Ended { ending: Ending::Failed(code), reason }
}

/// The end of a call that came in and whose caller did not wait for the answer.
pub(crate) fn gave_up() -> Progress {
    Progress::Ended { ending: Ending::Failed(FailureCode::NoAnswer), reason: "caller-hung-up".to_owned() }
}

/// The end of a call that this process could not make.
pub(crate) fn broken(reason: &str) -> Progress {
    Progress::Ended { ending: Ending::Failed(FailureCode::InternalError), reason: reason.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_has_the_cause_that_the_api_names() {
        for (failure, code, reason) in [
            (Failure::Busy, FailureCode::Busy, "busy"),
            (Failure::Declined, FailureCode::Declined, "declined"),
            (Failure::NoAnswer, FailureCode::NoAnswer, "no-answer"),
            (Failure::InvalidNumber, FailureCode::InvalidNumber, "no-such-number"),
            (Failure::Cancelled, FailureCode::Canceled, "cancelled"),
            (Failure::Forbidden, FailureCode::CarrierError, "trunk-refused"),
            (Failure::NoCommonCodec, FailureCode::CarrierError, "no-common-codec"),
            (Failure::Carrier(Some(503)), FailureCode::CarrierError, "carrier-503"),
            (Failure::Carrier(None), FailureCode::CarrierError, "trunk-unreachable"),
            (Failure::NoTrunk, FailureCode::CarrierError, "no-trunk"),
        ] {
            let expected = Progress::Ended { ending: Ending::Failed(code), reason: reason.to_owned() };
            assert_eq!(failed(failure), expected);
        }
    }
}
