//! Talking to an agent on its own page: somebody takes the caller's part in writing, or a scripted caller does, and beside the words stands
//! the lead that would come of them. The agent talks as it is saved; the call is a test call like any other.

use std::time::Duration;

use app::rehearsal::{Gathered, Trial, TrialError};
use askama::Template;
use axum::extract::{Path, State};
use axum::response::{Redirect, Response};
use domain::call::{CallState, Direction, Party};
use domain::engine::{NotHeard, Opposite, Written};
use domain::{AgentId, CallId, Mode};
use store::Tenancy;
use web::Web;

use crate::calls::story::{self, Followed, Story};
use crate::calls::{act, words};
use crate::form::{Asked, Filled, parse_id};
use crate::leads::shown_phone;
use crate::live::{News, Watch, follow, shown};
use crate::page::PageError;
use crate::show;
use crate::visitor::Visitor;

/// The longest thing that somebody writes at once.
const LONGEST: usize = 1_000;

/// What the page of the agent shows of a talk.
pub(super) struct Panel {
    /// Where words go, and below which the talk is followed.
    pub(super) path: String,
    pub(super) is_running: bool,
    /// True if somebody writes in it.
    pub(super) is_written: bool,
    pub(super) after: String,
    pub(super) part: String,
    pub(super) call: String,
}

/// Something that was said or happened.
enum Line {
    Said { at: String, is_agent: bool, text: String, cut: bool },
    Noted { at: String, text: String },
}

/// The lead that came of the talk.
struct Found {
    href: String,
    name: String,
    is_new: bool,
}

/// The part of the panel that changes while somebody talks.
#[derive(Template)]
#[template(path = "talk_part.html")]
struct Part {
    state: &'static str,
    tone: &'static str,
    /// Why it is over, once it is.
    verdict: Option<String>,
    is_running: bool,
    lines: Vec<Line>,
    facts: Vec<(&'static str, String)>,
    score: Option<(u8, String)>,
    lead: Option<Found>,
    summary: Option<String>,
}

/// The talk on the page of its agent; `None` if this agent has no such test call.
pub(super) async fn panel(
    web: &Web,
    visitor: &Visitor,
    agent: AgentId,
    call: &str,
) -> Result<Option<Panel>, PageError> {
    let Ok(id) = call.parse::<CallId>() else { return Ok(None) };
    let tenancy = test(visitor);
    let Some(story) = story::read(web, &tenancy, id).await?.filter(|story| story.view.call.agent_id == agent)
    else {
        return Ok(None);
    };
    let call = &story.view.call;
    Ok(Some(Panel {
        path: format!("/{}/agents/{agent}/talk/{id}", visitor.mode()),
        is_running: !call.state().is_final(),
        is_written: call.other_party().is_some_and(|number| app::rehearsal::is_writers(web.app(), number)),
        after: newness(&story),
        part: drawn(web, &tenancy, &story).await?,
        call: format!("/test/calls/{id}"),
    }))
}

/// What a visitor may see in test mode, in which all talks are.
fn test(visitor: &Visitor) -> Tenancy {
    Tenancy::new(visitor.tenancy.businesses().to_vec(), Mode::Test)
}

fn newness(story: &Story) -> String {
    format!("{}-{}", story.seq(), story.view.call.state().as_str())
}

async fn drawn(web: &Web, tenancy: &Tenancy, story: &Story) -> Result<String, PageError> {
    let call = &story.view.call;
    let is_running = !call.state().is_final();
    let lead = story.lead.as_ref().filter(|_| !is_running);
    let (facts, score) = if let Some(lead) = lead {
        let fields = &lead.fields;
        let phone = fields.phone.as_ref().map(shown_phone);
        let known = [&fields.name, &fields.email, &phone, &fields.message].map(Clone::clone);
        (facts(known), lead.score.map(|score| (score, lead.score_explanation.clone().unwrap_or_default())))
    } else {
        let gathered =
            if is_running { app::rehearsal::gathered(web.app(), tenancy, call.id).await? } else { None };
        let Gathered { name, email, phone, matter, score } = gathered.unwrap_or_default();
        (facts([name, email, phone, matter]), score)
    };
    let part = Part {
        state: words::state(call),
        tone: show::tone(call.state().as_str()),
        verdict: (!is_running).then(|| words::verdict(call)),
        is_running,
        lines: lines(story),
        facts,
        score,
        lead: lead.map(|lead| Found {
            href: format!("/test/leads/{}", lead.id),
            name: lead.fields.name.clone().unwrap_or_else(|| "Unnamed".to_owned()),
            is_new: lead.created_at >= call.created_at,
        }),
        summary: call.summary().map(str::to_owned),
    };
    part.render().map_err(|error| PageError::Drawing(error.to_string()))
}

fn facts(known: [Option<String>; 4]) -> Vec<(&'static str, String)> {
    let names = ["Name", "E-mail", "Phone", "What they want"];
    names.into_iter().zip(known).filter_map(|(name, value)| Some((name, value?))).collect()
}

fn lines(story: &Story) -> Vec<Line> {
    let said = story.said.iter().map(|said| {
        let at = show::length(said.start);
        let line = Line::Said {
            at,
            is_agent: said.by == Party::Agent,
            text: said.text.clone(),
            cut: said.interrupted,
        };
        (said.start, line)
    });
    let noted = story.notes().map(|(at, text, _)| (at, Line::Noted { at: show::length(at), text }));
    let mut lines: Vec<(Duration, Line)> = said.chain(noted).collect();
    lines.sort_by_key(|(at, _)| *at);
    lines.into_iter().map(|(_, line)| line).collect()
}

/// Begins a talk: who takes part in it, and which of the two calls, stands in one field (`in`, `out`, `in:maria`).
pub(crate) async fn begin(
    visitor: Visitor,
    State(web): State<Web>,
    Path(name): Path<String>,
    form: Filled,
) -> Result<Redirect, PageError> {
    let choice = form.text("with");
    let (direction, played) = choice.split_once(':').unwrap_or((&choice, ""));
    let direction = match direction {
        "in" => Direction::Inbound,
        "out" => Direction::Outbound,
        _ => return Err(PageError::Wrong("Choose who talks with the agent.".to_owned())),
    };
    let with = if played.is_empty() { Opposite::Writer } else { Opposite::Played(played.to_owned()) };
    let lead = form.id("lead")?;
    start(&web, &visitor, Trial { agent: parse_id(&name)?, with, direction, lead }).await
}

/// Begins a talk and leads to it.
pub(super) async fn start(web: &Web, visitor: &Visitor, trial: Trial) -> Result<Redirect, PageError> {
    let agent = trial.agent;
    match Box::pin(app::rehearsal::try_out(web.app(), &visitor.tenancy, trial)).await {
        Ok(call) => Ok(Redirect::to(&format!("/{}/agents/{agent}?talk={}", visitor.mode(), call.id))),
        Err(TrialError::Placing(error)) => Err(act::not_placed(error)),
        Err(TrialError::Rehearsal(app::rehearsal::RehearsalError::Store(error))) => Err(error.into()),
        Err(TrialError::Rehearsal(error)) => Err(PageError::Wrong(format!("Nobody talks: {error}."))),
    }
}

/// Takes what somebody writes in a talk, or that they hang up.
pub(crate) async fn write(
    visitor: Visitor,
    State(web): State<Web>,
    Path((agent, call)): Path<(String, String)>,
    form: Filled,
) -> Result<Redirect, PageError> {
    let (agent, call): (AgentId, CallId) = (parse_id(&agent)?, parse_id(&call)?);
    let text = form.text("text");
    let written = if !form.text("hang_up").is_empty() {
        Written::HangUp
    } else if text.is_empty() || text.chars().count() > LONGEST {
        return Err(PageError::Wrong(format!("Write something, at most {LONGEST} characters.")));
    } else {
        Written::Words(domain::text::clean(&text).into_owned())
    };
    match app::rehearsal::write(web.app(), &visitor.tenancy, call, written).await? {
        Ok(()) => Ok(Redirect::to(&format!("/{}/agents/{agent}?talk={call}", visitor.mode()))),
        Err(NotHeard::NotYet) => {
            Err(PageError::Wrong("The agent has not heard yet what you wrote before.".to_owned()))
        }
        Err(NotHeard::NoSuchTalk) => Err(PageError::Wrong("This talk is over.".to_owned())),
    }
}

struct Following {
    call: Followed,
    seen: String,
    is_drawn_for_good: bool,
}

impl Watch for Following {
    async fn look(&mut self) -> Result<News, PageError> {
        if self.is_drawn_for_good {
            return Ok(News::Over);
        }
        let Some(story) = self.call.story().await? else { return Ok(News::Over) };
        self.is_drawn_for_good = matches!(story.view.call.state(), CallState::Ended(_));
        let newness = newness(&story);
        if newness == self.seen {
            return Ok(News::Nothing);
        }
        self.seen.clone_from(&newness);
        Ok(News::Part { id: newness, html: drawn(&self.call.web, &self.call.tenancy, &story).await? })
    }

    async fn wait(&mut self) {
        self.call.wait().await;
    }
}

/// The talk as it goes on.
pub(crate) async fn live(
    visitor: Visitor,
    State(web): State<Web>,
    Path((_, call)): Path<(String, String)>,
    asked: Asked,
    headers: http::HeaderMap,
) -> Result<Response, PageError> {
    let call = Followed::new(&web, test(&visitor), parse_id(&call)?).await?;
    let seen = shown(&headers, &asked).unwrap_or_default();
    Ok(follow(&web, visitor.user, Following { call, seen, is_drawn_for_good: false }))
}
