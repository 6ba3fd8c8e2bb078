//! Wishes not to be called. They are noted as soon as somebody says so (`calls::opt_out`); lifting one takes a person.

use domain::{BusinessId, E164, Mode};
use store::StoreError;
use store::opt_outs::{Certainty, OptOut};

use crate::App;

/// The word for who noted a wish on a page.
const BY_HAND: &str = "dashboard";

/// Whether somebody at this number wants no more calls of a business.
pub async fn stands(app: &App, business: BusinessId, mode: Mode, number: E164) -> Result<bool, StoreError> {
    app.platform()
        .read(move |tx| Box::pin(async move { store::opt_outs::contains(tx, business, mode, &number).await }))
        .await
}

/// Notes by hand that somebody wants no more calls; it counts from now on.
pub async fn note(app: &App, business: BusinessId, mode: Mode, number: E164) -> Result<(), StoreError> {
    let wish = OptOut {
        business_id: business,
        mode,
        phone_number: number,
        source: BY_HAND.to_owned(),
        certainty: Certainty::Clear,
        created_at: app.now(),
    };
    app.platform().write(move |tx| Box::pin(async move { store::opt_outs::add(tx, &wish).await })).await
}

/// Lifts a wish, so that the number may be called again; false if there was none.
pub async fn lift(app: &App, business: BusinessId, mode: Mode, number: E164) -> Result<bool, StoreError> {
    app.platform()
        .write(move |tx| Box::pin(async move { store::opt_outs::remove(tx, business, mode, &number).await }))
        .await
}
