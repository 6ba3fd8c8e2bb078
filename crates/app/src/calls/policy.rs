//! The dial policy's question, put together from what is stored. Asked when a call is admitted, and again right before it is dialled.

use domain::business::Business;
use domain::dial_policy::{self, Question};
use domain::{E164, Mode};
use store::{PlatformTx, StoreError};

use crate::App;

/// Asks the dial policy, with everything that it wants to know.
pub(crate) async fn may_dial(
    tx: &mut PlatformTx,
    app: &App,
    business: &Business,
    mode: Mode,
    to: &E164,
    running: u64,
) -> Result<Result<dial_policy::Reason, dial_policy::Refusal>, StoreError> {
    let question = Question {
        to,
        mode,
        home_country: &business.country_calling_code,
        allowed_countries: &app.settings().allowed_countries,
        new_ranges: &app.settings().new_number_ranges,
        opted_out: store::opt_outs::contains(tx, business.id, mode, to).await?,
        running: u32::try_from(running).unwrap_or(u32::MAX),
        max_running: app.settings().max_concurrent_calls,
    };
    Ok(dial_policy::decide(&question))
}
