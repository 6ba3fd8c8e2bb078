//! All agents, and making one.

use app::agents::AgentError;
use app::idempotency::Once;
use askama::Template;
use axum::extract::State;
use axum::response::{Redirect, Response};
use domain::agent::AgentConfig;
use web::{Refusal, Web};

use crate::calls::list::agents;
use crate::form::{Filled, fits};
use crate::page::{Frame, PageError, Section, framed};
use crate::show::{self, When};
use crate::visitor::Visitor;

struct Row {
    href: String,
    name: String,
    greeting: String,
    model: String,
    languages: String,
    number: Option<String>,
    version: u32,
    changed: When,
}

#[derive(Template)]
#[template(path = "agents.html")]
struct AgentsPage {
    frame: Frame,
    rows: Vec<Row>,
    businesses: Vec<(String, String)>,
}

pub(crate) async fn page(visitor: Visitor, State(web): State<Web>) -> Result<Response, PageError> {
    let clock = visitor.clock(&web);
    let rows = agents(&web, &visitor.tenancy).await?.into_iter().map(|row| {
        let config = row.agent.config;
        let languages: Vec<String> = config.languages.iter().map(ToString::to_string).collect();
        Row {
            href: format!("/{}/agents/{}", visitor.mode(), row.agent.id),
            greeting: config.first_message.unwrap_or_else(|| domain::agent::DEFAULT_FIRST_MESSAGE.to_owned()),
            name: config.name,
            model: config.model.model,
            languages: languages.join(", "),
            number: row.phone_number.as_ref().map(show::phone),
            version: row.agent.version,
            changed: clock.when(row.agent.updated_at),
        }
    });
    let page = AgentsPage {
        rows: rows.collect(),
        businesses: visitor.business_choices(),
        frame: visitor.frame(&web, Section::Agents),
    };
    framed(&page.frame.nonce, &page)
}

/// Makes an agent that the editor then shows.
pub(crate) async fn new(
    visitor: Visitor,
    State(web): State<Web>,
    fields: Filled,
) -> Result<Redirect, PageError> {
    let name = fields.text("name");
    if name.is_empty() || !fits(&name, 200) {
        return Err(PageError::Wrong("Give the agent a name of at most 200 characters.".to_owned()));
    }
    let business = visitor.business(&fields.text("business"))?;
    let config = AgentConfig {
        system_prompt: format!(
            "You are {name}, and speak for {{{{business_name}}}} on the telephone. Be brief and kind. Ask for name, e-mail address and what the person needs."
        ),
        first_message: Some(format!(
            "Good {{{{time_of_day}}}}, this is {name} from {{{{business_name}}}}. How can I help you?"
        )),
        name,
        ..AgentConfig::default()
    };
    let made =
        Box::pin(app::agents::create(&visitor.acting(&web), visitor.mode(), business.id, config, None)).await;
    match made.map_err(refused)? {
        Once::New(agent) => Ok(Redirect::to(&format!("/{}/agents/{}", visitor.mode(), agent.id))),
        Once::Repeated(_) => Err(PageError::Wrong("This agent has been made already.".to_owned())),
    }
}

/// Why an agent was not made or changed.
pub(super) fn refused(error: AgentError) -> PageError {
    match error {
        AgentError::Store(error) => PageError::Refused(Refusal::Store(error)),
        other => PageError::Wrong(format!("Nothing was changed: {other}.")),
    }
}
