//! The dial policy's question, put together from what is stored. Asked when a call is admitted, and again right before it is dialled.

use domain::business::Business;
use domain::call::Call;
use domain::dial_policy::{self, Decision, Question};
use domain::lead::Lead;
use domain::{BusinessId, E164, Mode, Timestamp};
use store::admission::Candidate;
use store::{PlatformTx, StoreError, Tenancy};

use crate::App;

/// The call that is asked about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) business: &'a Business,
    pub(crate) lead: Option<&'a Lead>,
    pub(crate) mode: Mode,
    pub(crate) to: &'a E164,
    /// When it is to be dialled.
    pub(crate) at: Timestamp,
    /// Whether it waits for the calling hours.
    pub(crate) can_wait: bool,
}

impl<'a> Asked<'a> {
    /// A call that has not been placed yet: to be dialled now or at a later time, for which it waits.
    pub(crate) fn new(
        candidate: &'a Candidate,
        mode: Mode,
        to: &'a E164,
        scheduled_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Self {
        Self {
            business: &candidate.business,
            lead: candidate.lead.as_ref(),
            mode,
            to,
            at: scheduled_at.map_or(now, |at| at.max(now)),
            can_wait: scheduled_at.is_some(),
        }
    }
}

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
fn decide(app: &App, asked: &Asked<'_>, known: &Known) -> Decision {
    let settings = app.settings();
    dial_policy::decide(&Question {
        to: asked.to,
        mode: asked.mode,
        at: asked.at,
        can_wait: asked.can_wait,
        home_country: &asked.business.country_calling_code,
        allowed_countries: &settings.allowed_countries,
        destinations: &settings.destinations,
        hours: settings.calling_hours,
        zone_of_lead: asked.lead.and_then(|lead| lead.fields.timezone.as_deref()),
        zone_of_business: &asked.business.timezone,
        opted_out: known.is_opted_out,
        running: u32::try_from(known.running).unwrap_or(u32::MAX),
        max_running: settings.max_concurrent_calls,
    })
}

/// Asks the dial policy about a call that has not been placed yet. One that is to be dialled later needs room only then.
pub(crate) fn decide_new(app: &App, asked: &Asked<'_>, known: Known, now: Timestamp) -> Decision {
    let running = if asked.at > now { 0 } else { known.running };
    decide(app, asked, &Known { running, ..known })
}

/// Asks the dial policy about a call that was admitted before and is itself among those that run. What may have changed since is
/// whether its number has been blocked, and the time.
pub(crate) async fn may_dial(
    tx: &mut PlatformTx,
    app: &App,
    asked: &Asked<'_>,
) -> Result<Decision, StoreError> {
    let is_opted_out = store::opt_outs::contains(tx, asked.business.id, asked.mode, asked.to).await?;
    Ok(decide(app, asked, &Known { is_opted_out, running: 0 }))
}

/// Whether a call that has waited for its time may run besides those that run.
pub(crate) async fn has_room(tx: &mut PlatformTx, app: &App, call: &Call) -> Result<bool, StoreError> {
    store::calls::take_turn(tx, call.business_id, call.mode).await?;
    let running = store::calls::count_running(tx, &Tenancy::one(call.business_id, call.mode)).await?;
    Ok(running < u64::from(app.settings().max_concurrent_calls))
}
