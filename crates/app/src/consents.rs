//! That people agree to be called, and that they take it back, as it is told us from outside.

use domain::audit::{Action, Deed, Target, TargetKind};
use domain::{BusinessId, ConsentId, E164, LeadId, Timestamp};
use store::consents::ConsentRecord;
use store::{PlatformTx, StoreError, Tenancy};

use crate::Acting;
use crate::acting::Concerned;
use crate::idempotency::{self, Intent, Once, Renderer};

/// A consent that somebody records.
#[derive(Debug, Clone)]
pub struct NewConsent {
    pub phone_number: E164,
    /// The lead who gave it, if that is known.
    pub lead_id: Option<LeadId>,
    /// Where it was given.
    pub source: String,
    /// What else there is to show for it.
    pub evidence: Option<String>,
    /// When it was given, if not just now.
    pub given_at: Option<Timestamp>,
}

/// Why nothing is recorded.
#[derive(Debug, thiserror::Error)]
pub enum ConsentError {
    #[error("no such business")]
    UnknownBusiness,
    #[error("no such lead")]
    UnknownLead,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Records that the person with this number agreed to be called by a business of the tenant.
pub async fn give(
    app: &Acting,
    tenancy: &Tenancy,
    business: BusinessId,
    new: NewConsent,
    once: Option<(Intent, Renderer<ConsentRecord>)>,
) -> Result<Once<ConsentRecord>, ConsentError> {
    let own = tenancy.narrowed(business).ok_or(ConsentError::UnknownBusiness)?;
    let now = app.now();
    let record = ConsentRecord {
        id: ConsentId::new(app.ids()),
        business_id: business,
        mode: tenancy.mode(),
        phone_number: new.phone_number,
        lead_id: new.lead_id,
        is_given: true,
        source: new.source,
        evidence: new.evidence,
        // Nobody has said yet what is still to come.
        said_at: new.given_at.map_or(now, |at| at.min(now)),
        created_at: app.store().created_at(now),
    };
    let acting = app.clone();
    app.platform()
        .write(move |tx| {
            Box::pin(async move {
                let mode = record.mode;
                if let Some((intent, _)) = &once {
                    let begun =
                        idempotency::begin(tx, &acting, business, mode, intent, record.id.0, now).await?;
                    if let Some(repeated) = begun {
                        return Ok(Once::Repeated(repeated));
                    }
                }
                if let Some(lead) = record.lead_id
                    && store::leads::get(tx, &own, lead).await?.is_none()
                {
                    return Err(ConsentError::UnknownLead);
                }
                keep(&acting, tx, &record).await?;
                if let Some((intent, render)) = once {
                    idempotency::keep(tx, business, mode, &intent, &render(&record)).await?;
                }
                Ok(Once::New(record))
            })
        })
        .await
}

/// Records that the person with this number does not want to be called any more; false if they had not agreed to it, as far as is known.
pub async fn withdraw(
    app: &Acting,
    tenancy: &Tenancy,
    business: BusinessId,
    phone_number: E164,
    source: String,
) -> Result<bool, ConsentError> {
    let own = tenancy.narrowed(business).ok_or(ConsentError::UnknownBusiness)?;
    let now = app.now();
    let record = ConsentRecord {
        id: ConsentId::new(app.ids()),
        business_id: business,
        mode: tenancy.mode(),
        phone_number,
        lead_id: None,
        is_given: false,
        source,
        evidence: None,
        said_at: now,
        created_at: app.store().created_at(now),
    };
    let acting = app.clone();
    app.platform()
        .write(move |tx: &mut PlatformTx| {
            Box::pin(async move {
                if store::consents::of_number(tx, &own, business, &record.phone_number).await?.is_none() {
                    return Ok(false);
                }
                keep(&acting, tx, &record).await?;
                Ok(true)
            })
        })
        .await
}

/// Keeps what a person said, and writes down who told us.
async fn keep(acting: &Acting, tx: &mut PlatformTx, record: &ConsentRecord) -> Result<(), StoreError> {
    store::consents::insert(tx, record).await?;
    let action = if record.is_given { Action::ConsentGiven } else { Action::ConsentWithdrawn };
    let target = Target::named(TargetKind::PhoneNumber, record.phone_number.as_str());
    let deed = Deed::new(action, target).with("mode", None::<&str>, record.mode.as_str());
    acting.note(tx, Concerned::Business(record.business_id), deed).await
}
