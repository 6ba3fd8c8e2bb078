//! What an operator may change of a business.

use domain::BusinessId;
use domain::audit::{Action, Deed, Target, of_business};
use domain::business::Business;
use store::StoreError;

use crate::Acting;
use crate::acting::Concerned;

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
                let changes = of_business(Some(&before), &business);
                if !changes.is_empty() {
                    let deed =
                        Deed::new(Action::BusinessUpdated, Target::business(&business)).with_all(changes);
                    acting.note(tx, Concerned::Business(id), deed).await?;
                }
                Ok(Some(business))
            })
        })
        .await
}
