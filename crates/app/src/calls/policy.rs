//! The dial policy's question, put together from what is stored. Asked when a call is admitted, and again right before it is dialled.
//!
//! Most businesses set no limits of their own, and what the limit of calls at once and the opt-outs say is looked at by the statement that
//! stores a call. What a business has limited besides is looked up in the same transaction, while nobody else adds a call to the business.

use std::time::Duration;

use domain::agent::Agent;
use domain::business::{Business, ConsentRule, Limits};
use domain::call::{Call, Purpose};
use domain::dial_policy::{self, ATTEMPTS_COUNT_FOR, Budget, Consent, Decision, Payer, Question};
use domain::lead::Lead;
use domain::usage::Day;
use domain::{CallId, E164, Mode, Timestamp};
use store::admission::Candidate;
use store::{PlatformTx, StoreError, Tenancy};

use super::cast::Cast;
use crate::App;

/// The call that is asked about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) agent: &'a Agent,
    pub(crate) business: &'a Business,
    pub(crate) lead: Option<&'a Lead>,
    pub(crate) mode: Mode,
    pub(crate) to: &'a E164,
    /// When it is to be dialled.
    pub(crate) at: Timestamp,
    /// Whether it waits for the calling hours.
    pub(crate) can_wait: bool,
    pub(crate) purpose: Option<Purpose>,
    /// The most that it can cost, in cents.
    pub(crate) worst_case_cents: u32,
}

impl<'a> Asked<'a> {
    /// A call that has not been placed yet: to be dialled now or at a later time, for which it waits.
    pub(crate) fn new(
        app: &App,
        candidate: &'a Candidate,
        mode: Mode,
        to: &'a E164,
        wishes: Wishes,
        now: Timestamp,
    ) -> Self {
        let agent = &candidate.agent;
        let carrier = candidate.number.as_ref().and_then(|number| number.engine.as_deref());
        let engine = app.engines().engine_for(mode, carrier, agent.engine.as_deref());
        let longest = wishes.max_duration.unwrap_or_else(|| agent.config.max_duration());
        Self {
            agent,
            business: &candidate.business,
            lead: candidate.lead.as_ref(),
            mode,
            to,
            at: wishes.scheduled_at.map_or(now, |at| at.max(now)),
            can_wait: wishes.scheduled_at.is_some(),
            purpose: wishes.purpose,
            worst_case_cents: engine.map_or(0, |engine| {
                app.settings().rates.reserve_cents(engine.name(), engine.tells_costs(), longest)
            }),
        }
    }

    /// A call that is stored, or about to be, and to be dialled now.
    pub(crate) fn of(app: &App, call: &'a Call, cast: &'a Cast, now: Timestamp) -> Self {
        Self {
            agent: &cast.agent,
            business: &cast.business,
            lead: cast.lead.as_ref(),
            mode: call.mode,
            to: &call.to,
            at: now,
            can_wait: call.waits_until().is_some(),
            purpose: call.request.purpose,
            worst_case_cents: worst_case_cents(app, call),
        }
    }

    /// Whether what is limited has to be looked up before the call is dialled.
    pub(crate) fn is_limited(&self) -> bool {
        self.mode == Mode::Live
            && (self.business.limits != Limits::default() || self.agent.config.daily_budget_cents.is_some())
    }

    fn tenancy(&self) -> Tenancy {
        Tenancy::one(self.business.id, self.mode)
    }

    fn day(&self) -> Day {
        Day::of(self.at, &self.business.timezone)
    }
}

/// What whoever places a call wishes of it, as far as the policy wants to know.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Wishes {
    pub(crate) scheduled_at: Option<Timestamp>,
    pub(crate) max_duration: Option<Duration>,
    pub(crate) purpose: Option<Purpose>,
}

/// The most that a call can cost, in cents: the longest talk at the price of its engine.
pub(crate) fn worst_case_cents(app: &App, call: &Call) -> u32 {
    let tells_costs = app.engine_of(call).is_some_and(|engine| engine.tells_costs());
    app.settings().rates.reserve_cents(&call.engine, tells_costs, call.max_duration)
}

/// What the database knows about dialling a number for a business; by default nothing that would forbid it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known {
    /// True if the number may not be called.
    is_opted_out: bool,
    /// How many calls of the business run.
    running: u64,
    /// What is known of that which the business has limited; nothing while nobody has looked.
    limited: Option<Limited>,
}

/// What is known of that which a business has limited.
#[derive(Debug, Clone, Default)]
struct Limited {
    consent: Option<Consent>,
    attempts: Vec<Timestamp>,
    budgets: Vec<Budget>,
}

/// Looks up what may forbid a call.
pub(crate) async fn look_up(tx: &mut PlatformTx, asked: &Asked<'_>) -> Result<Known, StoreError> {
    let is_opted_out = store::opt_outs::contains(tx, asked.business.id, asked.mode, asked.to).await?;
    let running = store::calls::count_running(tx, &asked.tenancy()).await?;
    let limited = if asked.is_limited() { Some(look_up_limited(tx, asked, None).await?) } else { None };
    Ok(Known { is_opted_out, running, limited })
}

/// Looks up what a business has limited, as it is without one of its calls.
async fn look_up_limited(
    tx: &mut PlatformTx,
    asked: &Asked<'_>,
    except: Option<CallId>,
) -> Result<Limited, StoreError> {
    let (business, tenancy) = (asked.business, asked.tenancy());
    let limits = business.limits;
    let mut limited = Limited::default();
    if limits.consent != ConsentRule::Off {
        limited.consent = store::consents::of_number(tx, &tenancy, business.id, asked.to).await?;
    }
    if limits.attempts_per_day.or(limits.attempts_per_week).is_some() {
        let since = asked.at - ATTEMPTS_COUNT_FOR;
        limited.attempts = store::calls::attempts(tx, &tenancy, business.id, asked.to, since, except).await?;
    }
    let set =
        [(Payer::Business, limits.daily_budget_cents), (Payer::Agent, asked.agent.config.daily_budget_cents)];
    if set.iter().any(|(_, limit)| limit.is_some()) {
        let spent = store::spending::of_day(tx, &tenancy, business.id, asked.day(), except).await?;
        for (payer, limit) in set {
            let Some(limit_cents) = limit else { continue };
            let pays = |agent| payer == Payer::Business || agent == asked.agent.id;
            let mut budget = Budget { payer, limit_cents, spent_cents: 0, reserved_cents: 0 };
            for one in spent.iter().filter(|one| pays(one.agent_id)) {
                budget.spent_cents += one.spent_cents;
                budget.reserved_cents += one.reserved_cents;
            }
            limited.budgets.push(budget);
        }
    }
    Ok(limited)
}

/// Asks the dial policy about what is known.
fn decide(app: &App, asked: &Asked<'_>, known: &Known) -> Decision {
    let settings = app.settings();
    let nothing = Limited::default();
    // What has not been looked up forbids nothing; it is looked up before the call is stored.
    let (limits, limited) = match &known.limited {
        Some(limited) => (asked.business.limits, limited),
        None => (Limits::default(), &nothing),
    };
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
        limits,
        purpose: asked.purpose,
        consent: limited.consent.as_ref(),
        attempts: &limited.attempts,
        budgets: &limited.budgets,
        worst_case_cents: asked.worst_case_cents.into(),
        day_ends_at: asked.day().ends_at(&asked.business.timezone),
    })
}

/// Asks the dial policy about a call that has not been placed yet. One that is to be dialled later needs room and money only then.
pub(crate) fn decide_new(app: &App, asked: &Asked<'_>, known: &Known, now: Timestamp) -> Decision {
    let mut known = known.clone();
    if asked.at > now {
        known.running = 0;
        if let Some(limited) = &mut known.limited {
            limited.budgets.clear();
        }
    }
    decide(app, asked, &known)
}

/// Asks the dial policy about a call that is to be dialled now and is itself among those that run. Nobody else adds a call of a business
/// that limits something before the transaction ends.
pub(crate) async fn may_dial(
    tx: &mut PlatformTx,
    app: &App,
    asked: &Asked<'_>,
    call: CallId,
) -> Result<Decision, StoreError> {
    let is_opted_out = store::opt_outs::contains(tx, asked.business.id, asked.mode, asked.to).await?;
    let limited = if asked.is_limited() {
        store::calls::take_turn(tx, asked.business.id, asked.mode).await?;
        Some(look_up_limited(tx, asked, Some(call)).await?)
    } else {
        None
    };
    Ok(decide(app, asked, &Known { is_opted_out, running: 0, limited }))
}

/// Sets aside what a call can cost, on the day on which it is dialled.
pub(crate) fn reserve(app: &App, call: &mut Call, business: &Business, now: Timestamp) {
    let cents = worst_case_cents(app, call);
    call.reserve(Day::of(now, &business.timezone), cents);
}

/// Whether a call that has waited for its time may run besides those that run.
pub(crate) async fn has_room(tx: &mut PlatformTx, app: &App, call: &Call) -> Result<bool, StoreError> {
    store::calls::take_turn(tx, call.business_id, call.mode).await?;
    let running = store::calls::count_running(tx, &Tenancy::one(call.business_id, call.mode)).await?;
    Ok(running < u64::from(app.settings().max_concurrent_calls))
}
