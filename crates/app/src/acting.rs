//! The platform together with whoever it does something for.
//!
//! What changes how a business is set up takes an [`Acting`] in place of an [`App`], so that nobody can ask for such a change without saying on
//! whose behalf, and writes down what was done in the same transaction ([`Acting::note`]).

use std::ops::Deref;
use std::sync::Arc;

use domain::audit::{Actor, Deed};
use domain::{AuditId, Author, BusinessId, UserId};
use store::audit::AuditRow;
use store::{PlatformTx, StoreError};

use crate::App;

/// The platform on behalf of somebody. Cheap to clone.
#[derive(Clone)]
pub struct Acting {
    app: App,
    by: Arc<Actor>,
}

/// Whom a deed concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Concerned {
    Business(BusinessId),
    /// Every business that the user belongs to.
    User(UserId),
    /// Whoever runs the server.
    Installation,
}

impl App {
    /// The platform on behalf of somebody.
    pub fn for_actor(&self, by: Actor) -> Acting {
        Acting { app: self.clone(), by: Arc::new(by) }
    }

    /// The platform on its own behalf.
    pub fn for_itself(&self) -> Acting {
        self.for_actor(Actor::system())
    }
}

impl Deref for Acting {
    type Target = App;

    fn deref(&self) -> &App {
        &self.app
    }
}

impl Acting {
    /// Who it is for the histories of agents and leads.
    pub fn author(&self) -> Author {
        self.by.author()
    }

    /// The same on behalf of somebody else.
    pub(crate) fn instead(&self, by: Actor) -> Self {
        self.app.for_actor(by)
    }

    /// From where whoever it is asks.
    pub(crate) fn address(&self) -> Option<&str> {
        self.by.address.as_deref()
    }

    /// Writes down what was done, in the transaction of the deed.
    pub(crate) async fn note(
        &self,
        tx: &mut PlatformTx,
        concerned: Concerned,
        deed: Deed,
    ) -> Result<(), StoreError> {
        let mut businesses: Vec<Option<BusinessId>> = match concerned {
            Concerned::Business(business) => vec![Some(business)],
            Concerned::User(user) => {
                store::users::businesses_of(tx, user).await?.into_iter().map(Some).collect()
            }
            Concerned::Installation => Vec::new(),
        };
        if businesses.is_empty() {
            businesses.push(None);
        }
        for business_id in businesses {
            let row = AuditRow {
                id: AuditId::new(self.ids()),
                business_id,
                actor: Actor::clone(&self.by),
                deed: deed.clone(),
                created_at: self.store().created_at(self.now()),
            };
            store::audit::insert(tx, &row).await?;
        }
        Ok(())
    }
}
