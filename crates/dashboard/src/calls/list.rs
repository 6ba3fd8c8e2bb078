//! The table of calls.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use domain::call::{Call, CallState};
use domain::{AgentId, LeadId, Timestamp};
use store::agents::AgentRow;
use store::calls::CallView;
use store::{Listed, Page, StoreError, Tenancy};
use web::Web;
use web::calls::{Wanted, talked_s};

use super::words;
use crate::form::{Asked, address};
use crate::page::{Frame, PageError, Section, framed};
use crate::show::{self, Clock, When};
use crate::visitor::Visitor;

/// Rows on a page.
const ROWS: u32 = 50;

/// The longest text that is searched for.
const LONGEST_SEARCH: usize = 200;

/// What the visitor wants to see.
#[derive(Debug, Clone, Default)]
pub(super) struct Filters {
    /// A status word, or `ended`, as the API knows them.
    status: Option<String>,
    agent: Option<String>,
    direction: Option<String>,
    lead: Option<String>,
    pub(super) search: Option<String>,
    after: Option<Timestamp>,
}

impl Filters {
    pub(super) fn of(asked: &Asked) -> Self {
        let search = asked.text("q").map(|text| text.chars().take(LONGEST_SEARCH).collect());
        Self {
            status: asked.text("status"),
            agent: asked.text("agent"),
            direction: asked.text("direction"),
            lead: asked.text("lead"),
            search,
            after: asked.text("after").and_then(|text| text.parse().ok()),
        }
    }

    /// The same from another place on.
    pub(super) fn from(self, after: Timestamp) -> Self {
        Self { after: Some(after), ..self }
    }

    fn is_narrow(&self) -> bool {
        let Self { status, agent, direction, lead, search, after: _ } = self;
        [status, agent, direction, lead, search].into_iter().any(Option::is_some)
    }

    /// The filter in the words that programs use too; `None` if an id in it cannot be one.
    fn wanted(&self) -> Option<Wanted> {
        Some(Wanted {
            business_id: None,
            agent_id: self.agent.as_deref().map(str::parse::<AgentId>).transpose().ok()?,
            lead_id: self.lead.as_deref().map(str::parse::<LeadId>).transpose().ok()?,
            direction: self.direction.clone(),
            statuses: self.status.as_deref().map(|status| match status {
                "running" => ["queued", "ringing", "in-progress"].map(str::to_owned).to_vec(),
                other => vec![other.to_owned()],
            }),
        })
    }

    /// The query of the page that shows what these filters let through, from its newest call on; empty if they let all through.
    pub(super) fn query(&self) -> String {
        let address = self.address("", self.status.as_deref(), None);
        address.strip_prefix('?').unwrap_or_default().to_owned()
    }

    fn address(&self, path: &str, status: Option<&str>, after: Option<&str>) -> String {
        address(
            path,
            &[
                ("q", self.search.as_deref()),
                ("status", status),
                ("agent", self.agent.as_deref()),
                ("direction", self.direction.as_deref()),
                ("lead", self.lead.as_deref()),
                ("after", after),
            ],
        )
    }
}

/// Calls that a search or a filter found, and where it goes on.
pub(super) struct Found {
    pub(super) rows: Vec<CallView>,
    /// The cursor of what comes next; `None` at the end.
    pub(super) next: Option<Timestamp>,
    /// How many calls a search has looked through, if it has not seen all.
    looked_at: Option<u32>,
}

/// The calls that the filters let through, from their cursor on.
pub(super) async fn find(
    web: &Web,
    tenancy: &Tenancy,
    filters: &Filters,
    limit: u32,
) -> Result<Found, StoreError> {
    let Some(wanted) = filters.wanted() else {
        return Ok(Found { rows: Vec::new(), next: None, looked_at: None });
    };
    let page = Page { limit, after: filters.after };
    let Some(search) = filters.search.clone() else {
        let Listed { rows, has_more } = web::calls::list(web, tenancy, wanted, page).await?;
        let next = rows.last().filter(|_| has_more).map(|view| view.call.created_at);
        return Ok(Found { rows, next, looked_at: None });
    };
    web::calls::search(web, tenancy, wanted, search, page).await.map(|found| Found {
        next: found.next,
        looked_at: found.next.map(|_| found.looked_at),
        rows: found.rows,
    })
}

/// A call as a row.
struct Row {
    href: String,
    state: &'static str,
    tone: &'static str,
    who: String,
    number: Option<String>,
    direction: &'static str,
    is_incoming: bool,
    agent: String,
    summary: String,
    is_urgent: bool,
    length: Option<String>,
    quality: Option<u32>,
    cost: Option<String>,
    when: When,
}

/// The mean of the marks of a call.
pub(super) fn quality(call: &Call) -> Option<u32> {
    let marks = call.assessment()?.quality?;
    let sum = [marks.professionalism, marks.empathy, marks.information_gathering, marks.resolution];
    Some(sum.iter().map(|&mark| u32::from(mark)).sum::<u32>() / 4)
}

/// Who is at the other end: a name if there is one, and the number.
pub(crate) fn other_party(call: &Call) -> (String, Option<String>) {
    let number = call.other_party().map(show::phone);
    match call.request.name.clone().filter(|name| !name.trim().is_empty()) {
        Some(name) => (name, number),
        None => (number.unwrap_or_else(|| "Number withheld".to_owned()), None),
    }
}

fn row(view: &CallView, clock: &Clock) -> Row {
    let call = &view.call;
    let (who, number) = other_party(call);
    let summary = match (call.summary(), call.failure()) {
        (Some(summary), _) => summary.to_owned(),
        (None, Some(_)) => words::verdict(call),
        (None, None) => String::new(),
    };
    Row {
        href: format!("/{}/calls/{}", call.mode, call.id),
        state: words::state(call),
        tone: show::tone(call.state().as_str()),
        who,
        number,
        direction: words::direction(call.direction),
        is_incoming: call.direction == domain::call::Direction::Inbound,
        agent: view.agent_name.clone(),
        summary,
        is_urgent: call.urgency().is_some(),
        length: talked_s(call).map(|seconds| show::length(std::time::Duration::from_secs(seconds))),
        quality: quality(call),
        cost: matches!(call.state(), CallState::Ended(_)).then(|| show::money(call.cost_cents().into())),
        when: clock.when(call.created_at),
    }
}

/// A filter that is one click away.
struct View {
    name: String,
    href: String,
    is_current: bool,
}

/// An entry of a choice.
struct Choice {
    value: String,
    name: String,
    is_chosen: bool,
}

/// Numbers of the sandbox and who answers them; `docs/reference/sandbox.md` lists them all.
pub(crate) const SCRIPTED: [(&str, &str); 12] = [
    ("+15005550007", "gives name, e-mail address and matter"),
    ("+15005550006", "friendly, agrees to an appointment"),
    ("+15005550012", "interrupts"),
    ("+15005550014", "speaks Spanish"),
    ("+15005550013", "wants no more calls"),
    ("+15005550010", "never speaks"),
    ("+15005550011", "hangs up after seven seconds"),
    ("+15005550008", "answering machine"),
    ("+15005550009", "call screener, then a person"),
    ("+15005550016", "menu and waiting line"),
    ("+15005550003", "busy"),
    ("+15005550004", "nobody answers"),
];

#[derive(Template)]
#[template(path = "calls.html")]
struct CallsPage {
    frame: Frame,
    path: String,
    views: Vec<View>,
    kept: Vec<View>,
    /// The parameters of this page, to be kept.
    query: String,
    agents: Vec<Choice>,
    filters: Filters,
    directions: [Choice; 2],
    rows: Vec<Row>,
    next: Option<String>,
    first: Option<String>,
    export: String,
    looked_at: Option<u32>,
    is_narrow: bool,
}

impl CallsPage {
    fn search(&self) -> &str {
        self.filters.search.as_deref().unwrap_or_default()
    }

    fn scripted(&self) -> &'static [(&'static str, &'static str)] {
        if self.frame.is_test() { &SCRIPTED } else { &[] }
    }

    fn status(&self) -> &str {
        self.filters.status.as_deref().unwrap_or_default()
    }

    fn lead(&self) -> &str {
        self.filters.lead.as_deref().unwrap_or_default()
    }
}

/// All agents of the tenant, newest first.
pub(crate) async fn agents(web: &Web, tenancy: &Tenancy) -> Result<Vec<AgentRow>, StoreError> {
    let tenancy = tenancy.clone();
    let all = Page { limit: 200, after: None };
    let listed = web
        .read(move |tx| Box::pin(async move { store::agents::list(tx, &tenancy, None, &all).await }))
        .await?;
    Ok(listed.rows)
}

pub(crate) async fn page(
    visitor: Visitor,
    State(web): State<Web>,
    asked: Asked,
) -> Result<Response, PageError> {
    let filters = Filters::of(&asked);
    let found = find(&web, &visitor.tenancy, &filters, ROWS).await?;
    let clock = visitor.clock(&web);
    let path = format!("/{}/calls", visitor.mode());
    let status = filters.status.as_deref();
    let views = [
        ("All", None),
        ("Running", Some("running")),
        ("Completed", Some("completed")),
        ("Failed", Some("failed")),
    ];
    let query = filters.query();
    let kept: Vec<View> = app::remarks::views(web.app(), visitor.user.user_id)
        .await?
        .into_iter()
        .map(|view| View {
            href: format!("{path}?{}", view.query),
            is_current: view.query == query,
            name: view.name,
        })
        .collect();
    let is_kept = kept.iter().any(|view| view.is_current);
    let views = views.map(|(name, view)| View {
        name: name.to_owned(),
        href: filters.address(&path, view, None),
        is_current: status == view && !is_kept,
    });
    let agents = agents(&web, &visitor.tenancy).await?.into_iter().map(|row| {
        let value = row.agent.id.to_string();
        Choice { is_chosen: filters.agent.as_deref() == Some(&value), value, name: row.agent.config.name }
    });
    let directions = [("inbound", "Incoming"), ("outbound", "Outgoing")].map(|(value, name)| Choice {
        value: value.to_owned(),
        name: name.to_owned(),
        is_chosen: filters.direction.as_deref() == Some(value),
    });
    let page = CallsPage {
        frame: visitor.frame(&web, Section::Calls),
        views: views.into(),
        kept,
        query,
        agents: agents.collect(),
        directions,
        rows: found.rows.iter().map(|view| row(view, &clock)).collect(),
        next: found.next.map(|next| filters.address(&path, status, Some(&next.to_string()))),
        first: filters.after.map(|_| filters.address(&path, status, None)),
        export: filters.address(&format!("{path}.csv"), status, None),
        looked_at: found.looked_at,
        is_narrow: filters.is_narrow(),
        path,
        filters,
    };
    framed(&page.frame.nonce, &page)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filters(query: &str) -> Filters {
        Filters::of(&Asked::of(query))
    }

    #[test]
    fn filters_ask_in_the_words_of_the_api_and_running_stands_for_all_that_is_not_over() {
        let agent = "01940000-0000-7000-8000-0000000000ff";
        let wanted = filters(&format!("status=running&agent={agent}&direction=inbound")).wanted();
        let wanted = wanted.expect("all of that can be asked for");
        assert_eq!(wanted.statuses, Some(["queued", "ringing", "in-progress"].map(str::to_owned).to_vec()));
        assert_eq!((wanted.agent_id, wanted.lead_id), (agent.parse().ok(), None));
        assert_eq!(wanted.direction.as_deref(), Some("inbound"));
        assert_eq!(
            filters("status=failed").wanted().and_then(|wanted| wanted.statuses),
            Some(vec!["failed".into()])
        );
        assert!(filters("").wanted().is_some_and(|wanted| wanted.statuses.is_none()));
        for nobody in ["agent=7", "lead=7"] {
            assert!(filters(nobody).wanted().is_none(), "{nobody}: no call can match");
        }
    }

    #[test]
    fn a_kept_view_begins_with_the_newest_call_and_knows_all_its_filters() {
        let page =
            filters("q=Lopez&status=failed&agent=a&direction=outbound&lead=l&after=2026-11-29T00:00:00Z");
        assert_eq!(page.query(), "q=Lopez&status=failed&agent=a&direction=outbound&lead=l");
        assert!(page.is_narrow() && page.after.is_some());
        let later = filters("").from(Timestamp::UNIX_EPOCH);
        assert_eq!((later.query().as_str(), later.after), ("", Some(Timestamp::UNIX_EPOCH)));
        for query in ["q=a", "status=a", "agent=a", "direction=a", "lead=a"] {
            assert!(filters(query).is_narrow(), "{query}");
        }
        assert!(!filters("after=2026-11-29T00:00:00Z").is_narrow() && filters("after=soon").after.is_none());
        let long = filters(&format!("q={}", "x".repeat(300)));
        assert_eq!(long.search.map(|text| text.len()), Some(LONGEST_SEARCH));
    }
}
