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
    /// What it does not want its agents to do on the phone.
    pub limits: Limits,
    /// When it came into being.
    pub created_at: Timestamp,
}

/// What a business allows its agents when they call somebody. By default it sets no limits of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// What all calls of a day may cost together, in cents.
    pub daily_budget_cents: Option<u64>,
    /// Which calls need the consent of the person who is called.
    pub consent: ConsentRule,
    /// How often a number may be called within 24 hours.
    pub attempts_per_day: Option<u32>,
    /// How often a number may be called within seven days.
    pub attempts_per_week: Option<u32>,
}

crate::word_enum! {
    /// Which calls need the consent of the person who is called.
    #[derive(Default)]
    pub enum ConsentRule {
        /// None.
        #[default]
        Off = "off",
        /// Those that may be marketing: all of which nobody says that they are a service.
        Marketing = "marketing",
        /// All.
        Always = "always",
    }
}

crate::word_enum! {
    /// What a user may do in a business.
    pub enum Role {
        /// Everything, and making other owners.
        Owner = "owner",
        /// Everything but changing owners: an admin invites people and says what they may do.
        Admin = "admin",
        /// Everything that concerns calls, agents, numbers and leads; nothing that concerns other people.
        Member = "member",
        /// Looking at everything, and changing nothing.
        Viewer = "viewer",
    }
}

impl Role {
    /// Whether somebody with this role may change anything but themselves.
    pub const fn may_change(self) -> bool {
        !matches!(self, Self::Viewer)
    }

    /// Whether somebody with this role may see what everybody did.
    pub const fn may_oversee(self) -> bool {
        matches!(self, Self::Owner | Self::Admin)
    }

    /// Whether somebody with this role may say what another one may do, who has or gets that role.
    pub const fn may_appoint(self, other: Self) -> bool {
        match self {
            Self::Owner => true,
            Self::Admin => !matches!(other, Self::Owner),
            Self::Member | Self::Viewer => false,
        }
    }
}

crate::word_enum! {
    /// What somebody shows besides their password when they log in.
    pub enum FactorKind {
        /// An authenticator that signs: in the device, in a telephone, or on a key ring.
        Passkey = "passkey",
        /// An app that shows codes.
        App = "app",
    }
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
