//! What an operator may change of a business.

use domain::BusinessId;
use domain::audit::{Action, Deed, Target, of_business};
use domain::business::{Business, Limits};
use store::{PlatformTx, StoreError};

use crate::Acting;
use crate::acting::Concerned;

/// Changes what a business allows its agents when they call somebody. Gives the business as it then is; `None` if there is none with this
/// id.
pub async fn limit(
    app: &Acting,
    id: BusinessId,
    change: impl FnOnce(&mut Limits) + Send + 'static,
) -> Result<Option<Business>, StoreError> {
    let acting = app.clone();
    app.platform()
        .write(move |tx| {
            Box::pin(async move {
                let Some(mut business) = store::businesses::by_id(tx, id).await? else { return Ok(None) };
                let before = business.clone();
                change(&mut business.limits);
                store::businesses::update(tx, &business).await?;
                note_change(&acting, tx, &before, &business).await?;
                Ok(Some(business))
            })
        })
        .await
}

/// Says what the agents of a business disclose before anything else; what is `None` stays as it is. Gives the business as it then is;
/// `None` if there is none with this id.
pub async fn disclose(
    app: &Acting,
    id: BusinessId,
    ai: Option<bool>,
    recording: Option<bool>,
) -> Result<Option<Business>, StoreError> {
    let acting = app.clone();
    app.platform()
        .write(move |tx| {
            Box::pin(async move {
                let Some(mut business) = store::businesses::by_id(tx, id).await? else { return Ok(None) };
                let before = business.clone();
                let disclosures = &mut business.disclosures;
                disclosures.ai = ai.unwrap_or(disclosures.ai);
                disclosures.recording = recording.unwrap_or(disclosures.recording);
                store::businesses::update(tx, &business).await?;
                note_change(&acting, tx, &before, &business).await?;
                Ok(Some(business))
            })
        })
        .await
}

/// Writes down what changed of a business, if anything did.
async fn note_change(
    acting: &Acting,
    tx: &mut PlatformTx,
    before: &Business,
    after: &Business,
) -> Result<(), StoreError> {
    let changes = of_business(Some(before), after);
    if changes.is_empty() {
        return Ok(());
    }
    let deed = Deed::new(Action::BusinessUpdated, Target::business(after)).with_all(changes);
    acting.note(tx, Concerned::Business(after.id), deed).await
}
