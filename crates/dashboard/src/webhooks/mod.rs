//! Webhooks: the subscriptions of a business, what each of them was sent, and what came back.

pub(crate) mod act;
pub(crate) mod list;
pub(crate) mod one;

use app::endpoints::EndpointError;
use domain::EndpointId;
use domain::endpoint::{DisabledReason, Endpoint, Subscribed};
use domain::event::EventType;
use serde_json::Value;
use store::Tenancy;
use web::Web;
use web::input::{Field as _, Url};

use crate::form::{Filled, fits};
use crate::page::PageError;

/// How many events are sent again by one click; the same as the API allows.
const MOST_REPLAYED: u32 = 1000;

/// A subscription of the tenant.
async fn known(web: &Web, tenancy: &Tenancy, id: EndpointId) -> Result<Endpoint, PageError> {
    let tenancy = tenancy.clone();
    let found =
        web.read(move |tx| Box::pin(async move { store::endpoints::get(tx, &tenancy, id).await })).await?;
    found.ok_or(PageError::NotFound)
}

/// What a form says of a refusal that another entry can avoid; any other refusal takes the place of the page.
fn correctable(error: EndpointError) -> Result<String, PageError> {
    match error {
        EndpointError::NotFound => Err(PageError::NotFound),
        EndpointError::Store(error) => Err(error.into()),
        EndpointError::Address(reason) => Ok(format!("This address cannot be used: {reason}.")),
        error @ EndpointError::TooMany => Ok(format!("Nothing was saved: {error}.")),
    }
}

/// How a subscription is, in a word, and how that looks.
fn state(endpoint: &Endpoint) -> (&'static str, &'static str) {
    match endpoint {
        Endpoint { disabled: Some(disabled), is_active: false, .. } => match disabled.reason {
            DisabledReason::Gone => ("Off: receiver is gone", "bad"),
            DisabledReason::Failing => ("Off: nothing arrived", "bad"),
        },
        Endpoint { is_active: false, .. } => ("Paused", ""),
        Endpoint { failing_since: Some(_), .. } => ("Failing", "warn"),
        _ => ("Active", "good"),
    }
}

/// Why the last delivery did not arrive, in words.
fn error(endpoint: &Endpoint) -> Option<String> {
    endpoint.last_error.as_deref().map(|error| match error.parse::<u16>() {
        Ok(status) => format!("answered {status}"),
        Err(_) => error.replace('_', " "),
    })
}

/// The fields of a subscription as a form shows them.
struct Fields {
    url: String,
    description: String,
    hears_all: bool,
    /// Names of events, and whether each is chosen.
    kinds: Vec<(&'static str, bool)>,
    /// What is wrong with them.
    wrong: Option<String>,
}

impl Fields {
    fn empty() -> Self {
        Self::showing(String::new(), String::new(), &Subscribed::All)
    }

    fn of(endpoint: &Endpoint) -> Self {
        let description = endpoint.description.clone().unwrap_or_default();
        Self::showing(endpoint.url.clone(), description, &endpoint.events)
    }

    fn showing(url: String, description: String, events: &Subscribed) -> Self {
        let hears_all = *events == Subscribed::All;
        Self {
            url,
            description,
            hears_all,
            kinds: EventType::subscribable()
                .map(|kind| (kind.as_str(), !hears_all && events.hears(kind)))
                .collect(),
            wrong: None,
        }
    }

    /// What somebody typed, so that nothing of it is lost, and what is wrong with it.
    fn typed(form: &Filled, wrong: String) -> Self {
        let chosen: Vec<&str> = form.all("event").collect();
        Self {
            url: form.text("url"),
            description: form.text("description"),
            hears_all: form.text("hears") == "all",
            kinds: EventType::subscribable()
                .map(|kind| (kind.as_str(), chosen.contains(&kind.as_str())))
                .collect(),
            wrong: Some(wrong),
        }
    }
}

/// A subscription as somebody wants it.
struct Wanted {
    url: String,
    events: Subscribed,
    description: Option<String>,
}

impl Wanted {
    /// Reads a form; the words say what is wrong.
    fn read(form: &Filled) -> Result<Self, String> {
        let url = Url::read(Value::String(form.text("url"))).map_err(|_| {
            "The address is an http or https URL of at most 2048 characters, without a user name.".to_owned()
        })?;
        let events = if form.text("hears") == "all" {
            Subscribed::All
        } else {
            Subscribed::parse(form.all("event").filter(|name| *name != "*"))
                .ok_or_else(|| "Choose at least one event, or all of them.".to_owned())?
        };
        let description = form.text("description");
        if !fits(&description, 500) {
            return Err("What it is for is too long, or holds characters that cannot be kept.".to_owned());
        }
        Ok(Self { url: url.0, events, description: Some(description).filter(|text| !text.is_empty()) })
    }
}
