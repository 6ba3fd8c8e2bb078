//! What an operator may change of a business.

use domain::BusinessId;
use domain::business::Business;
use store::StoreError;

use crate::App;

/// Says what the agents of a business disclose before anything else; what is `None` stays as it is. Gives the business as it then is;
/// `None` if there is none with this id.
pub async fn disclose(
    app: &App,
    id: BusinessId,
    ai: Option<bool>,
    recording: Option<bool>,
) -> Result<Option<Business>, StoreError> {
    app.platform()
        .write(move |tx| {
            Box::pin(async move {
                let Some(mut business) = store::businesses::by_id(tx, id).await? else { return Ok(None) };
                let disclosures = &mut business.disclosures;
                disclosures.ai = ai.unwrap_or(disclosures.ai);
                disclosures.recording = recording.unwrap_or(disclosures.recording);
                store::businesses::update(tx, &business).await?;
                Ok(Some(business))
            })
        })
        .await
}
