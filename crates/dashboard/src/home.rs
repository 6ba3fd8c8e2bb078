//! The first page: what happens now, what failed and why, and how the last days went.

use std::time::Duration;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use domain::call::Party;
use domain::dial_policy::{Budget, Payer};
use domain::digest::hex;
use domain::{Mode, Timestamp};
use jiff::{SignedDuration, ToSpan as _};
use sha2::{Digest as _, Sha256};
use store::calls::CallView;
use store::overview::Quarter;
use store::{Page, StoreError, Tenancy, Tx};
use web::Web;
use web::calls::Wanted;

use crate::calls::list::other_party;
use crate::calls::words;
use crate::form::Asked;
use crate::live::{News, Watch, follow, shown};
use crate::page::{Frame, PageError, Section, framed};
use crate::show::{self, Clock, When};
use crate::visitor::Visitor;

/// Days on the chart.
const DAYS: i32 = 14;

/// Calls of each kind that are listed.
const LISTED: u32 = 8;

/// How often what happens now is looked at.
const PAUSE: Duration = Duration::from_millis(700);

struct Running {
    href: String,
    who: String,
    state: &'static str,
    tone: &'static str,
    agent: String,
    since: String,
    said: Option<(&'static str, String)>,
}

struct Failed {
    href: String,
    who: String,
    state: &'static str,
    why: String,
    when: When,
}

/// What changes from moment to moment.
#[derive(Template)]
#[template(path = "home_now.html")]
struct Now {
    mode: &'static str,
    running: Vec<Running>,
    more_run: bool,
    failed: Vec<Failed>,
    deliveries: u64,
}

/// A bar of the chart, in a box of 100 by 100.
struct Bar {
    x: String,
    width: String,
    y: String,
    height: String,
    bad_y: String,
    bad_height: String,
    label: String,
    text: String,
    is_labelled: bool,
}

#[derive(Template)]
#[template(path = "home.html")]
struct HomePage {
    frame: Frame,
    now: String,
    now_id: String,
    has_calls: bool,
    calls: u64,
    minutes: String,
    connected: Option<u64>,
    today: String,
    /// What the budget of the day is, and what of it is set aside for calls that run.
    budget: Option<(String, String)>,
    today_calls: u64,
    leads: u64,
    won: u64,
    most: u64,
    bars: Vec<Bar>,
}

pub(crate) async fn page(visitor: Visitor, State(web): State<Web>) -> Result<Response, PageError> {
    let clock = visitor.clock(&web);
    let first_day =
        clock.now().to_zoned_datetime(clock.zone().clone()).date().saturating_sub((DAYS - 1).days());
    let since =
        first_day.to_zoned_datetime(clock.zone().clone()).map_or(clock.now(), |begin| begin.timestamp());
    let tenancy = visitor.tenancy.clone();
    let now = clock.now();
    let (quarters, (leads, won), budget) = web
        .read(move |tx| {
            Box::pin(async move {
                let quarters = store::overview::quarters(tx, &tenancy, since).await?;
                let leads = store::overview::leads(tx, &tenancy, since).await?;
                Ok((quarters, leads, budget(tx, &tenancy, now).await?))
            })
        })
        .await?;
    let days = days(&quarters, first_day, &clock);
    let now = drawn(&web, &visitor.tenancy, &clock).await?;
    let (calls, failed) =
        days.iter().fold((0, 0), |(calls, failed), day| (calls + day.calls, failed + day.failed));
    let talked_ms: u64 = days.iter().map(|day| day.talked_ms).sum();
    let today = days.last().copied().unwrap_or_default();
    let page = HomePage {
        frame: visitor.frame(&web, Section::Home),
        now_id: digest(&now),
        now,
        has_calls: calls > 0,
        calls,
        minutes: format!("{:.1}", Duration::from_millis(talked_ms).as_secs_f64() / 60.0),
        connected: (100 * (calls - failed)).checked_div(calls),
        today: show::money(budget.as_ref().map_or(today.cost_cents, |budget| budget.spent_cents)),
        budget: budget.map(|budget| (show::money(budget.limit_cents), show::money(budget.reserved_cents))),
        today_calls: today.calls,
        leads,
        won,
        most: days.iter().map(|day| day.calls).max().unwrap_or_default(),
        bars: bars(&days, first_day),
    };
    framed(&page.frame.nonce, &page)
}

/// The budget of the day, if the visitor looks at live calls of one business that has set one.
async fn budget(tx: &mut Tx, tenancy: &Tenancy, now: Timestamp) -> Result<Option<Budget>, StoreError> {
    let (Mode::Live, &[business]) = (tenancy.mode(), tenancy.businesses()) else { return Ok(None) };
    let Some(business) = store::businesses::get(tx, tenancy, business).await? else { return Ok(None) };
    let Some(limit_cents) = business.limits.daily_budget_cents else { return Ok(None) };
    let day = domain::usage::Day::of(now, &business.timezone);
    let spent = store::spending::of_day(tx, tenancy, business.id, day, None).await?;
    Ok(Some(Budget {
        payer: Payer::Business,
        limit_cents,
        spent_cents: spent.iter().map(|one| one.spent_cents).sum(),
        reserved_cents: spent.iter().map(|one| one.reserved_cents).sum(),
    }))
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Day {
    calls: u64,
    failed: u64,
    talked_ms: u64,
    cost_cents: u64,
}

/// Quarters of hours as days of the visitor's calendar.
fn days(quarters: &[Quarter], first: jiff::civil::Date, clock: &Clock) -> Vec<Day> {
    let mut days = vec![Day::default(); usize::try_from(DAYS).unwrap_or_default()];
    for quarter in quarters {
        let date = quarter.begin.to_zoned_datetime(clock.zone().clone()).date();
        let after = date.since(first).map_or(-1, |span| span.get_days());
        let Some(day) = usize::try_from(after).ok().and_then(|after| days.get_mut(after)) else { continue };
        day.calls += quarter.calls;
        day.failed += quarter.failed;
        day.talked_ms += quarter.talked_ms;
        day.cost_cents += quarter.cost_cents;
    }
    days
}

fn bars(days: &[Day], first: jiff::civil::Date) -> Vec<Bar> {
    let most = days.iter().map(|day| day.calls).max().unwrap_or_default().max(1);
    // Of each day's share of the width some is left free on both sides.
    let (margin, slots) = (14, days.len().max(1) as u64 * 100);
    let bar = |(index, day): (usize, &Day)| {
        let date = first.saturating_add(i64::try_from(index).unwrap_or_default().days());
        let minutes = Duration::from_millis(day.talked_ms).as_secs_f64() / 60.0;
        Bar {
            x: format!("{}%", show::share(index as u64 * 100 + margin, slots)),
            width: format!("{}%", show::share(100 - 2 * margin, slots)),
            y: show::share(most - day.calls, most),
            height: show::share(day.calls, most),
            bad_y: show::share(most - day.failed, most),
            bad_height: show::share(day.failed, most),
            label: date.strftime("%-d %b").to_string(),
            text: format!(
                "{}: {} calls, {} failed, {minutes:.1} minutes, {}",
                date.strftime("%A, %-d %B"),
                day.calls,
                day.failed,
                show::money(day.cost_cents)
            ),
            is_labelled: (days.len() - 1 - index).is_multiple_of(3),
        }
    };
    days.iter().enumerate().map(bar).collect()
}

/// What happens now, drawn. Ages count in whole steps, so that a quiet moment draws the same twice.
async fn drawn(web: &Web, tenancy: &Tenancy, clock: &Clock) -> Result<String, PageError> {
    let newest = Page { limit: LISTED, after: None };
    let running = ["queued", "ringing", "in-progress"].map(str::to_owned).to_vec();
    let running = Wanted { statuses: Some(running), ..Wanted::default() };
    let running = web::calls::list(web, tenancy, running, newest).await?;
    let failed = Wanted { statuses: Some(vec!["failed".to_owned()]), ..Wanted::default() };
    let failed = web::calls::list(web, tenancy, failed, newest).await?;
    let hour_ago = clock.now() - SignedDuration::from_hours(1);
    let mut rows = Vec::new();
    for view in &running.rows {
        rows.push(running_row(web, tenancy, view, clock.now()).await?);
    }
    let asked = tenancy.clone();
    let deliveries = web
        .read(move |tx| Box::pin(async move { store::overview::deliveries_waiting(tx, &asked).await }))
        .await?;
    let now = Now {
        mode: tenancy.mode().as_str(),
        running: rows,
        more_run: running.has_more,
        failed: failed
            .rows
            .iter()
            .filter(|view| view.call.created_at >= hour_ago)
            .map(|view| Failed {
                href: href(view),
                who: other_party(&view.call).0,
                state: words::state(&view.call),
                why: words::verdict(&view.call),
                when: clock.when(view.call.created_at),
            })
            .collect(),
        deliveries,
    };
    now.render().map_err(|error| PageError::Drawing(error.to_string()))
}

fn href(view: &CallView) -> String {
    format!("/{}/calls/{}", view.call.mode, view.call.id)
}

async fn running_row(
    web: &Web,
    tenancy: &Tenancy,
    view: &CallView,
    now: Timestamp,
) -> Result<Running, StoreError> {
    let (asked, id) = (tenancy.clone(), view.call.id);
    let said =
        web.read(move |tx| Box::pin(async move { store::call_log::last_said(tx, &asked, id).await })).await?;
    let age = now.as_second() - view.call.created_at.as_second();
    Ok(Running {
        href: href(view),
        who: other_party(&view.call).0,
        state: words::state(&view.call),
        tone: show::tone(view.call.state().as_str()),
        agent: view.agent_name.clone(),
        since: show::length(Duration::from_secs(u64::try_from(age).unwrap_or_default())),
        said: said.map(|said| (if said.by == Party::Agent { "Agent" } else { "Caller" }, said.text)),
    })
}

fn digest(text: &str) -> String {
    hex(&Sha256::digest(text))[..16].to_owned()
}

/// The first page before somebody's eyes.
struct Following {
    web: Web,
    visitor: Visitor,
    seen: String,
}

impl Watch for Following {
    async fn look(&mut self) -> Result<News, PageError> {
        let html = drawn(&self.web, &self.visitor.tenancy, &self.visitor.clock(&self.web)).await?;
        let id = digest(&html);
        if id == self.seen {
            return Ok(News::Nothing);
        }
        self.seen.clone_from(&id);
        Ok(News::Part { id, html })
    }

    async fn wait(&mut self) {
        tokio::time::sleep(PAUSE).await;
    }
}

/// What happens now, for the page that shows it.
pub(crate) async fn live(
    visitor: Visitor,
    State(web): State<Web>,
    asked: Asked,
    headers: http::HeaderMap,
) -> Response {
    let seen = shown(&headers, &asked).unwrap_or_default();
    let user = visitor.user;
    follow(&web, user, Following { web: web.clone(), visitor, seen }).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_that_of_the_visitors_calendar() {
        let now: Timestamp = "2026-03-14T18:00:00Z".parse().expect("a time");
        let clock = Clock::new("America/Chicago", now);
        let first = jiff::civil::date(2026, 3, 1);
        let quarter = |begin: &str| Quarter {
            begin: begin.parse().expect("a time"),
            calls: 2,
            failed: 1,
            talked_ms: 60_000,
            cost_cents: 5,
        };
        // Shortly before midnight in Chicago, shortly after it, and before the first day.
        let quarters = ["2026-03-02T05:45:00Z", "2026-03-02T06:00:00Z", "2026-03-01T05:45:00Z"].map(quarter);
        let days = days(&quarters, first, &clock);
        assert_eq!(days.len(), 14);
        let calls: Vec<u64> = days.iter().map(|day| day.calls).take(3).collect();
        assert_eq!(calls, [2, 2, 0]);
        let bars = bars(&days, first);
        assert_eq!((bars[0].height.as_str(), bars[0].bad_height.as_str()), ("100.00", "50.00"));
        assert!(bars[13].is_labelled && bars[1].is_labelled && !bars[2].is_labelled);
    }
}
