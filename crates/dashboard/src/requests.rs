//! What programs asked with the visitor's keys, and how much was talked this month.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use domain::Timestamp;
use domain::usage::Month;
use std::collections::HashMap;
use store::Page;
use store::usage::{UsageOwner, UsageRow};
use web::Web;

use crate::form::{Asked, address};
use crate::page::{Frame, PageError, Section, framed};
use crate::show::{self, When};
use crate::visitor::Visitor;

/// Rows on a page.
const ROWS: u32 = 100;

struct Row {
    method: String,
    endpoint: String,
    status: u16,
    tone: &'static str,
    key: String,
    call: Option<String>,
    cost: Option<String>,
    when: When,
}

struct Balance {
    business: String,
    minutes: String,
    numbers: u64,
}

#[derive(Template)]
#[template(path = "requests.html")]
struct RequestsPage {
    frame: Frame,
    path: String,
    failed_only: bool,
    rows: Vec<Row>,
    next: Option<String>,
    first: Option<String>,
    balances: Vec<Balance>,
}

/// How many pages are read for one of failures: they are picked out of everything.
const PAGES_OF_FAILURES: usize = 10;

pub(crate) async fn page(
    visitor: Visitor,
    State(web): State<Web>,
    asked: Asked,
) -> Result<Response, PageError> {
    let clock = visitor.clock(&web);
    let failed_only = asked.text("show").as_deref() == Some("failed");
    let begin: Option<Timestamp> = asked.text("after").and_then(|text| text.parse().ok());
    let (tenancy, owner) = (visitor.tenancy.clone(), UsageOwner::User(visitor.user.user_id));
    let month = Month::of(clock.now());
    let (rows, next, used) = web
        .read(move |tx| {
            Box::pin(async move {
                let (mut rows, mut after): (Vec<UsageRow>, _) = (Vec::new(), begin);
                let mut next = None;
                for _ in 0..PAGES_OF_FAILURES {
                    let page = Page { limit: ROWS, after };
                    let listed = store::usage::list(tx, &tenancy, owner, None, None, &page).await?;
                    next = listed.rows.last().filter(|_| listed.has_more).map(|row| row.created_at);
                    after = next;
                    rows.extend(listed.rows.into_iter().filter(|row| !failed_only || row.status_code >= 400));
                    if next.is_none() || !failed_only || rows.len() >= ROWS as usize {
                        break;
                    }
                }
                let mut used = Vec::new();
                for &business in tenancy.businesses() {
                    let talked = store::usage::talked_in(tx, &tenancy, business, month).await?;
                    used.push((business, talked, store::numbers::count(tx, &tenancy, business).await?));
                }
                Ok((rows, next, used))
            })
        })
        .await?;
    let keys = app::keys::list(web.app(), visitor.user.user_id, Page { limit: 100, after: None }).await?;
    let names: HashMap<_, _> = keys.rows.into_iter().map(|key| (key.id, key.name)).collect();
    let path = format!("/{}/requests", visitor.mode());
    let show_word = failed_only.then_some("failed");
    let place = |after: Option<&str>| address(&path, &[("show", show_word), ("after", after)]);
    let page = RequestsPage {
        failed_only,
        next: next.map(|next| place(Some(&next.to_string()))),
        first: begin.map(|_| place(None)),
        rows: rows
            .into_iter()
            .map(|row| Row {
                tone: match row.status_code {
                    500.. => "bad",
                    400.. => "warn",
                    _ => "good",
                },
                status: row.status_code,
                key: names.get(&row.key_id).cloned().unwrap_or_else(|| "an older key".to_owned()),
                call: row.call_id.map(|call| format!("/{}/calls/{call}", row.mode)),
                cost: (row.cost_cents > 0).then(|| show::money(row.cost_cents.into())),
                when: clock.when(row.created_at),
                method: row.method,
                endpoint: row.endpoint,
            })
            .collect(),
        balances: used
            .into_iter()
            .map(|(id, talked, numbers)| Balance {
                business: visitor
                    .businesses
                    .iter()
                    .find(|business| business.id == id)
                    .map(|business| business.name.clone())
                    .unwrap_or_default(),
                minutes: format!("{:.1}", talked.as_secs_f64() / 60.0),
                numbers,
            })
            .collect(),
        path,
        frame: visitor.frame(&web, Section::Requests),
    };
    framed(&page.frame.nonce, &page)
}
