//! Calls as everybody shows and finds them.

use domain::call::{Call, Direction};
use domain::{AgentId, BusinessId, LeadId, Timestamp};
use store::calls::{CallFilter, CallInBrief, CallView};
use store::{Listed, Page, StoreError, Tenancy};

use crate::Web;

/// Whole seconds from answer to end of a call that is over, as webhooks count them too.
pub fn talked_s(call: &Call) -> Option<u64> {
    call.talk().filter(|_| call.state().is_final()).map(|talk| talk.talked.as_secs())
}

/// Which calls a list holds, in the words that people and programs choose from.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    pub business_id: Option<BusinessId>,
    pub agent_id: Option<AgentId>,
    /// Only those linked to this lead.
    pub lead_id: Option<LeadId>,
    /// One of `inbound` and `outbound`.
    pub direction: Option<String>,
    /// Status words; `ended` means `completed` or `failed`.
    pub statuses: Option<Vec<String>>,
}

impl Wanted {
    /// The filter; `None` if a word is not known, so that no call can match.
    fn filter(self) -> Option<CallFilter> {
        let direction = self.direction.map(|word| Direction::parse(&word).ok_or(())).transpose().ok()?;
        let statuses = self
            .statuses
            .map(|words| words.iter().flat_map(|word| states(word)).copied().collect::<Vec<_>>());
        if statuses.as_ref().is_some_and(Vec::is_empty) {
            return None;
        }
        let Self { business_id, agent_id, lead_id, .. } = self;
        Some(CallFilter { business_id, agent_id, statuses, direction, lead_id })
    }
}

/// Calls of a tenant, newest first. A filter that no call can match finds nothing; it is no error.
pub async fn list(
    web: &Web,
    tenancy: &Tenancy,
    wanted: Wanted,
    page: Page,
) -> Result<Listed<CallView>, StoreError> {
    let Some(filter) = wanted.filter() else {
        return Ok(Listed { rows: Vec::new(), has_more: false });
    };
    let tenancy = tenancy.clone();
    web.read(move |tx| Box::pin(async move { store::calls::list(tx, &tenancy, &filter, &page).await })).await
}

/// The same calls, with what a list of a program tells of them.
pub async fn list_in_brief(
    web: &Web,
    tenancy: &Tenancy,
    wanted: Wanted,
    page: Page,
) -> Result<Listed<CallInBrief>, StoreError> {
    let Some(filter) = wanted.filter() else {
        return Ok(Listed { rows: Vec::new(), has_more: false });
    };
    let tenancy = tenancy.clone();
    web.read(move |tx| {
        Box::pin(async move { store::calls::list_in_brief(tx, &tenancy, &filter, &page).await })
    })
    .await
}

/// Calls that a search found.
#[derive(Debug, Clone)]
pub struct Searched {
    /// Those that match, newest first.
    pub rows: Vec<CallView>,
    /// Where the search goes on; `None` if it has seen every call.
    pub next: Option<Timestamp>,
    /// How many calls one search looks through.
    pub looked_at: u32,
}

/// Calls of a tenant in which a text occurs, newest first: in names, numbers, summaries or in what was said. See [`store::call_search`].
pub async fn search(
    web: &Web,
    tenancy: &Tenancy,
    wanted: Wanted,
    text: String,
    page: Page,
) -> Result<Searched, StoreError> {
    let looked_at = store::call_search::LOOKED_THROUGH;
    let Some(filter) = wanted.filter() else {
        return Ok(Searched { rows: Vec::new(), next: None, looked_at });
    };
    let tenancy = tenancy.clone();
    web.read(move |tx| {
        Box::pin(async move {
            let matches = store::call_search::search(tx, &tenancy, &text, page.after).await?;
            let (mut rows, mut next) = (Vec::new(), matches.searched_to);
            for (id, _) in matches.found {
                let Some(view) = store::calls::get(tx, &tenancy, id).await? else { continue };
                if !filter.lets_through(&view.call) {
                    continue;
                }
                if rows.len() == page.limit as usize {
                    next = rows.last().map(|view: &CallView| view.call.created_at);
                    break;
                }
                rows.push(view);
            }
            Ok(Searched { rows, next, looked_at })
        })
    })
    .await
}

/// The states behind a status word; none for a word that is not known.
fn states(word: &str) -> &'static [&'static str] {
    match word {
        "queued" => &["queued", "dialing"],
        "ringing" => &["ringing"],
        "in-progress" | "in_progress" => &["in_progress", "wrapping_up"],
        "completed" => &["completed"],
        "failed" => &["failed"],
        "ended" => &["completed", "failed"],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_words_stand_for_states_and_unknown_words_for_nothing() {
        let statuses = |words: &[&str]| {
            let statuses = Some(words.iter().map(|&word| word.to_owned()).collect());
            Wanted { statuses, ..Wanted::default() }.filter().map(|filter| filter.statuses.expect("given"))
        };
        assert_eq!(
            statuses(&["queued", "in-progress"]),
            Some(vec!["queued", "dialing", "in_progress", "wrapping_up"])
        );
        assert_eq!(statuses(&["ended", "asleep"]), Some(vec!["completed", "failed"]));
        assert_eq!(statuses(&["asleep"]), None);
        assert_eq!(statuses(&[]), None);
        let sideways = Wanted { direction: Some("sideways".to_owned()), ..Wanted::default() };
        assert!(sideways.filter().is_none());
    }
}
