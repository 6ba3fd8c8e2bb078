//! Consent: where a business demands it, a person is called only if it is on record that they agreed.

use crate::Timestamp;
use crate::business::ConsentRule;

/// That a person agreed to be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consent {
    /// Where they did, in the words of whoever noted it: `web form`.
    pub source: String,
    /// When.
    pub given_at: Timestamp,
}

/// What is said of a number without consent.
pub(super) fn missing(rule: ConsentRule) -> &'static str {
    match rule {
        ConsentRule::Marketing => {
            "the business calls people for marketing only with their consent, and none is on record for this number; \
             POST /api/v1/consents records it, and a call whose `purpose` is `service` needs none"
        }
        ConsentRule::Always | ConsentRule::Off => {
            "the business calls people only with their consent, and none is on record for this number; \
             POST /api/v1/consents records it"
        }
    }
}
