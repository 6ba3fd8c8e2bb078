//! Typed ids. Two things with an id have two types, so that they cannot be mixed up.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Where new ids come from; seeded in tests, time-ordered UUIDs (RFC 9562, version 7) in the binary.
pub trait IdSource: Send + Sync {
    /// A new id that nothing else has.
    fn next(&self) -> Uuid;
}

/// The text is not a UUID, so no such thing exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an id")]
pub struct NotAnId;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// Takes a new id from the source.
            pub fn new(ids: &dyn IdSource) -> Self {
                Self(ids.next())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, NotAnId> {
                Uuid::try_parse(text).map(Self).map_err(|_| NotAnId)
            }
        }
    )*};
}

/// Calls a macro with the names of all ids, each with its documentation, so that no other crate keeps a list of them.
#[macro_export]
macro_rules! every_id {
    ($callback:ident) => {
        $callback! {
            /// A business: whoever agents, calls and leads belong to.
            BusinessId,
            /// A person who can log in.
            UserId,
            SessionId,
            /// What somebody shows besides their password: a passkey, or an app for codes.
            FactorId,
            KeyId,
            AgentId,
            /// A phone number of the registry.
            NumberId,
            /// A person in the CRM.
            LeadId,
            /// One line in the history of a lead.
            LeadChangeId,
            /// A phone call. SIP's Call-ID header is another thing.
            CallId,
            /// One word of a person about being called.
            ConsentId,
            /// Something that happened and that a business may be told.
            EventId,
            /// Where webhooks of a business go.
            EndpointId,
            /// One event on its way to one endpoint.
            DeliveryId,
            /// One HTTP request of a delivery.
            AttemptId,
            /// Work that must happen.
            JobId,
            /// One row of the usage log.
            UsageId,
            /// One row of the log of administrative changes.
            AuditId,
            /// A running process of ours; calls in progress belong to one.
            NodeId,
        }
    };
}

every_id!(ids);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_and_anything_else_is_no_id() {
        let text = "0193f2a4-7c11-7d20-9a55-3f6f0e2b9c01";
        assert_eq!(text.parse::<CallId>().map(|id| id.to_string()), Ok(text.to_owned()));
        assert_eq!(serde_json::to_string(&CallId(Uuid::nil())).ok(), Some(format!("\"{}\"", Uuid::nil())));
        for wrong in ["", "call_123", "0193f2a4", "0193f2a4-7c11-7d20-9a55-3f6f0e2b9c0g", "é"] {
            assert_eq!(wrong.parse::<CallId>(), Err(NotAnId), "{wrong}");
        }
    }
}
