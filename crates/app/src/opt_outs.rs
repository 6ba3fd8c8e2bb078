//! Wishes not to be called. They are noted as soon as somebody says so (`calls::wrap_up`); lifting one takes a person.

use domain::{BusinessId, E164, Mode};
use store::StoreError;

use crate::App;

/// Lifts a wish, so that the number may be called again; false if there was none.
pub async fn lift(app: &App, business: BusinessId, mode: Mode, number: E164) -> Result<bool, StoreError> {
    app.platform()
        .write(move |tx| Box::pin(async move { store::opt_outs::remove(tx, business, mode, &number).await }))
        .await
}
