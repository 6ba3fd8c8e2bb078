//! Whose rows a query may see. Every query on tenant data takes one of these, so that none can forget it.

use domain::{BusinessId, Mode};

/// The businesses and the mode that somebody may see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenancy {
    businesses: Vec<BusinessId>,
    mode: Mode,
}

impl Tenancy {
    /// These businesses, in this mode.
    pub fn new(businesses: Vec<BusinessId>, mode: Mode) -> Self {
        Self { businesses, mode }
    }

    /// One business, in this mode.
    pub fn one(business: BusinessId, mode: Mode) -> Self {
        Self::new(vec![business], mode)
    }

    pub fn businesses(&self) -> &[BusinessId] {
        &self.businesses
    }

    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// True if the business is one of them.
    pub fn covers(&self, business: BusinessId) -> bool {
        self.businesses.contains(&business)
    }

    /// Only this business of them; `None` if it is not one of them.
    pub fn narrowed(&self, business: BusinessId) -> Option<Self> {
        self.covers(business).then(|| Self::one(business, self.mode))
    }

    /// The businesses that a list looks at: all of them, or the one that it is narrowed to.
    pub(crate) fn scope(&self, only: Option<BusinessId>) -> Vec<BusinessId> {
        match only {
            Some(business) if self.covers(business) => vec![business],
            Some(_) => Vec::new(),
            None => self.businesses.clone(),
        }
    }
}
