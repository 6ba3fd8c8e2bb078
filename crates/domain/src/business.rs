//! Businesses: the tenants.

use crate::disclosure::Disclosures;
use crate::{BusinessId, E164, Timestamp, UserId};

/// A tenant: whoever agents, calls and leads belong to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Business {
    /// Its id; workspaces of the public API carry the same.
    pub id: BusinessId,
    /// Display name, spoken by agents.
    pub name: String,
    /// Office number, spoken by agents.
    pub phone: Option<E164>,
    /// IANA time zone, `UTC` if nobody said otherwise.
    pub timezone: String,
    /// Calling code of the home country as [`crate::dial_policy::country_calling_code`] names it, `1` for the United States.
    pub country_calling_code: String,
    /// What its agents say before anything else.
    pub disclosures: Disclosures,
    /// When it came into being.
    pub created_at: Timestamp,
}

/// A person who can log in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    pub id: UserId,
    /// Login name, lower case.
    pub email: String,
    /// When it came into being.
    pub created_at: Timestamp,
}
