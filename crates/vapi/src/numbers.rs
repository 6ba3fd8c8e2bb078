//! The account's phone numbers, remembered for a while.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::E164;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::assistant::Server;
use crate::caller;
use crate::client::{Client, Failure};
use crate::names::id_of;

/// How long the list counts as fresh.
const FRESH: Duration = Duration::from_secs(60);

/// A number that Vapi holds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Held {
    pub(crate) id: String,
    pub(crate) number: E164,
    /// Who is told about calls to it, as Vapi keeps it.
    kept: Value,
    /// True if something at Vapi answers it without asking.
    bound: bool,
}

/// A list and when it was fetched.
type Seen = (Instant, Vec<Held>);

/// The phone numbers of an account at Vapi.
#[derive(Clone)]
pub(crate) struct Numbers {
    client: Client,
    known: Arc<Mutex<Option<Seen>>>,
}

impl Numbers {
    pub(crate) fn new(client: Client) -> Self {
        Self { client, known: Arc::default() }
    }

    /// What was last seen, however long ago.
    pub(crate) fn remembered(&self) -> Vec<Held> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.as_ref().map(|(_, held)| held.clone()).unwrap_or_default()
    }

    /// The numbers, not older than a minute.
    pub(crate) async fn recent(&self) -> Result<Vec<Held>, Failure> {
        let seen = {
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            known.clone()
        };
        match seen {
            Some((at, held)) if at.elapsed() < FRESH => Ok(held),
            _ => self.all().await,
        }
    }

    /// The numbers as they are now. Those without a number of their own (SIP addresses) are left out.
    pub(crate) async fn all(&self) -> Result<Vec<Held>, Failure> {
        Ok(self.all_with_skipped().await?.0)
    }

    /// The same, and of those that are left out what they are and why.
    pub(crate) async fn all_with_skipped(&self) -> Result<(Vec<Held>, Vec<String>), Failure> {
        let listed = self.client.list("/phone-number", None).await?;
        let mut held = Vec::new();
        let mut skipped = Vec::new();
        for number in &listed {
            match read(number) {
                Ok(number) => held.push(number),
                Err(why) => skipped.push(format!("{}: {why}", title(number))),
            }
        }
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        #[expect(
            clippy::disallowed_methods,
            reason = "the age of what is remembered is measured on the monotonic clock"
        )]
        let now = Instant::now();
        *known = Some((now, held.clone()));
        Ok((held, skipped))
    }

    /// Has calls to a number brought to our server: nothing at Vapi answers it any more, and we are asked who does.
    pub(crate) async fn bring_here(&self, held: &Held, server: &Server) -> Result<(), Failure> {
        if !held.bound && server.is_that_of(&held.kept) {
            return Ok(());
        }
        let body =
            json!({ "assistantId": null, "squadId": null, "workflowId": null, "server": server.to_json() });
        self.client.patch(&format!("/phone-number/{}", crate::client::segment(&held.id)), &body).await?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, all)) = known.as_mut()
            && let Some(mine) = all.iter_mut().find(|other| other.id == held.id)
        {
            mine.bound = false;
            mine.kept = json!({ "server": server.to_json() });
        }
        Ok(())
    }
}

fn read(number: &Value) -> Result<Held, &'static str> {
    let id = id_of(&number["id"]).ok_or("it has no id that can be used")?;
    let written = number["number"].as_str().filter(|number| !number.trim().is_empty());
    let read = written.map(|written| caller::number(written, "1"));
    Ok(Held {
        id: id.to_owned(),
        number: read
            .ok_or("it is a SIP address without a phone number")?
            .ok_or("its number is no phone number")?,
        kept: json!({ "server": number["server"] }),
        bound: ["assistantId", "squadId", "workflowId"].iter().any(|name| number[*name].is_string()),
    })
}

/// What people at Vapi know a number by.
fn title(number: &Value) -> String {
    let names = ["number", "sipUri", "name", "id"];
    let title =
        names.into_iter().filter_map(|name| number[name].as_str()).find(|name| !name.trim().is_empty());
    title.unwrap_or("a number without a name").chars().take(80).collect()
}
