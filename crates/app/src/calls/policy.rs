//! The dial policy's question, put together from what is stored. Asked when a call is admitted, and again right before it is dialled.

use domain::business::Business;
use domain::dial_policy::{self, Question};
use domain::{BusinessId, E164, Mode};
use store::{PlatformTx, StoreError, Tenancy};

use crate::App;

/// What the database knows about dialling a number for a business; by default nothing that would forbid it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Known {
    /// True if the number may not be called.
    pub(crate) is_opted_out: bool,
    /// How many calls of the business run.
    pub(crate) running: u64,
}

/// Looks up what may forbid a call.
pub(crate) async fn look_up(
    tx: &mut PlatformTx,
    business: BusinessId,
    mode: Mode,
    to: &E164,
) -> Result<Known, StoreError> {
    let is_opted_out = store::opt_outs::contains(tx, business, mode, to).await?;
    let running = store::calls::count_running(tx, &Tenancy::one(business, mode)).await?;
    Ok(Known { is_opted_out, running })
}

/// Asks the dial policy about what is known.
pub(crate) fn decide(
    app: &App,
    business: &Business,
    mode: Mode,
    to: &E164,
    known: &Known,
) -> Result<dial_policy::Reason, dial_policy::Refusal> {
    dial_policy::decide(&Question {
        to,
        mode,
        home_country: &business.country_calling_code,
        allowed_countries: &app.settings().allowed_countries,
        new_ranges: &app.settings().new_number_ranges,
        opted_out: known.is_opted_out,
        running: u32::try_from(known.running).unwrap_or(u32::MAX),
        max_running: app.settings().max_concurrent_calls,
    })
}

/// Asks the dial policy about a call that was admitted before and is itself among those that run. What may have changed since is
/// whether its number has been blocked.
pub(crate) async fn may_dial(
    tx: &mut PlatformTx,
    app: &App,
    business: &Business,
    mode: Mode,
    to: &E164,
) -> Result<Result<dial_policy::Reason, dial_policy::Refusal>, StoreError> {
    let is_opted_out = store::opt_outs::contains(tx, business.id, mode, to).await?;
    Ok(decide(app, business, mode, to, &Known { is_opted_out, running: 0 }))
}
