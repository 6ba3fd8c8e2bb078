//! Two leads that are one person become one lead.
//!
//! Nothing is lost: gaps of the lead that is kept are filled, notes of both stand below each other, calls and histories move over, and
//! everything that the other lead said is kept in the history. Whoever asks for the other lead afterwards is led to the one that is kept.

use domain::event::Event;
use domain::lead::changes::FieldChange;
use domain::lead::{Lead, LeadFields};
use domain::{Author, LeadId, Timestamp};
use store::leads::history::Happening;
use store::{PlatformTx, StoreError, Tenancy};

use super::{LeadError, Trace, note};
use crate::idempotency::{self, Intent, Once, Renderer};
use crate::{App, outbox};

/// What became of the wish to merge two leads.
#[derive(Debug, Clone, PartialEq)]
pub struct Merged {
    /// The lead that is kept, as it is now.
    pub lead: Lead,
    /// False if the two were one already.
    pub is_new: bool,
    /// How many calls moved over to it.
    pub calls_moved: u64,
}

/// Makes the lead `from` part of the lead `into`. Harmless to repeat.
pub async fn merge(
    app: &App,
    tenancy: &Tenancy,
    into: LeadId,
    from: LeadId,
    by: Author,
    once: Option<(Intent, Renderer<Merged>)>,
) -> Result<Once<Merged>, LeadError> {
    if into == from {
        return Err(LeadError::SameLead);
    }
    let (platform, tenancy) = (app.clone(), tenancy.clone());
    app.platform()
        .write(move |tx| {
            Box::pin(async move {
                let now = platform.now();
                let kept = store::leads::get(tx, &tenancy, into).await?.ok_or(LeadError::NotFound)?;
                let (business, mode) = (kept.business_id, kept.mode);
                if let Some((intent, _)) = &once {
                    let begun =
                        idempotency::begin(tx, &platform, business, mode, intent, kept.id.0, now).await?;
                    if let Some(repeated) = begun {
                        return Ok(Once::Repeated(repeated));
                    }
                }
                let [kept, other] = lock_both(tx, &tenancy, into, from).await?;
                let merged = if kept.id == other.id {
                    Merged { lead: kept, is_new: false, calls_moved: 0 }
                } else if kept.business_id != other.business_id {
                    return Err(LeadError::OtherBusiness);
                } else {
                    join(tx, &platform, kept, &other, by, now).await?
                };
                if let Some((intent, render)) = once {
                    idempotency::keep(tx, business, mode, &intent, &render(&merged)).await?;
                }
                Ok(Once::New(merged))
            })
        })
        .await
}

/// Both leads, locked in one order by everybody, so that nobody waits for somebody who waits for them.
async fn lock_both(
    tx: &mut PlatformTx,
    tenancy: &Tenancy,
    into: LeadId,
    from: LeadId,
) -> Result<[Lead; 2], LeadError> {
    let mut locked = Vec::with_capacity(2);
    for id in [into.min(from), into.max(from)] {
        locked.push(store::leads::lock(tx, tenancy, id).await?.ok_or(LeadError::NotFound)?);
    }
    let (second, first) = (locked.pop(), locked.pop());
    let (Some(first), Some(second)) = (first, second) else { return Err(LeadError::NotFound) };
    Ok(if into < from { [first, second] } else { [second, first] })
}

async fn join(
    tx: &mut PlatformTx,
    app: &App,
    before: Lead,
    other: &Lead,
    by: Author,
    now: Timestamp,
) -> Result<Merged, StoreError> {
    let mut lead = before.clone();
    take_over(&mut lead, other);
    lead.updated_at = now;
    store::leads::update(tx, &lead).await?;
    let calls_moved = store::leads::absorb(tx, other, lead.id, now).await?;
    let mut changes = domain::lead::changes::changes(Some(&before), &lead);
    let gone = [("id", other.id.to_string().into())].into_iter().chain(other.known_fields());
    changes.extend(gone.map(|(name, value)| FieldChange::gone(format!("merged_lead.{name}"), value)));
    note(tx, app, &lead, Trace { kind: Happening::Merged, by, call_id: None, changes }, now).await?;
    outbox::announce(tx, app, &Event::LeadUpdated(&lead), now).await?;
    Ok(Merged { lead, is_new: true, calls_moved })
}

/// Fills the gaps of a lead from another one, and notes what of the other finds no place.
fn take_over(lead: &mut Lead, other: &Lead) {
    let more = also_known_by(&lead.fields, &other.fields);
    let (fields, theirs) = (&mut lead.fields, &other.fields);
    if fields.status == "new" {
        fields.status.clone_from(&theirs.status);
    }
    if fields.name.is_none() && fields.first_name.is_none() && fields.last_name.is_none() {
        fields.name.clone_from(&theirs.name);
        fields.first_name.clone_from(&theirs.first_name);
        fields.last_name.clone_from(&theirs.last_name);
    }
    // An address is one thing: parts of two make none.
    if [&fields.address, &fields.city, &fields.state, &fields.zip].iter().all(|part| part.is_none()) {
        fields.address.clone_from(&theirs.address);
        fields.city.clone_from(&theirs.city);
        fields.state.clone_from(&theirs.state);
        fields.zip.clone_from(&theirs.zip);
    }
    fields.agent_id = fields.agent_id.or(theirs.agent_id);
    fill(&mut fields.phone, theirs.phone.as_ref());
    fill(&mut fields.email, theirs.email.as_ref());
    fill(&mut fields.source_url, theirs.source_url.as_ref());
    fill(&mut fields.source_page, theirs.source_page.as_ref());
    fill(&mut fields.message, theirs.message.as_ref());
    fill(&mut fields.event_date, theirs.event_date.as_ref());
    fill(&mut fields.event_type, theirs.event_type.as_ref());
    fill(&mut fields.timezone, theirs.timezone.as_ref());
    for note in [theirs.notes.clone(), more].into_iter().flatten() {
        let notes = fields.notes.get_or_insert_default();
        if !notes.contains(&note) {
            notes.push_str(if notes.is_empty() { "" } else { "\n" });
            notes.push_str(&note);
        }
    }
    // The newer conversation tells more.
    if lead.score.is_none() || other.score.is_some() && other.last_contacted_at > lead.last_contacted_at {
        lead.score = other.score;
        lead.score_explanation.clone_from(&other.score_explanation);
    }
    lead.interaction_count = lead.interaction_count.saturating_add(other.interaction_count);
    lead.last_contacted_at = lead.last_contacted_at.max(other.last_contacted_at);
}

fn fill<T: Clone>(mine: &mut Option<T>, theirs: Option<&T>) {
    if mine.is_none() {
        *mine = theirs.cloned();
    }
}

/// What the person is known by besides, in words.
fn also_known_by(fields: &LeadFields, theirs: &LeadFields) -> Option<String> {
    let differs = |mine: Option<&str>, theirs: Option<&str>| match (mine, theirs) {
        (Some(mine), Some(theirs)) if !mine.eq_ignore_ascii_case(theirs) => Some(theirs.to_owned()),
        _ => None,
    };
    let phone = |fields: &LeadFields| fields.phone.as_ref().map(|phone| phone.as_str().to_owned());
    let known: Vec<String> = [
        differs(fields.name.as_deref(), theirs.name.as_deref()),
        differs(phone(fields).as_deref(), phone(theirs).as_deref()),
        differs(fields.email.as_deref(), theirs.email.as_deref()),
    ]
    .into_iter()
    .flatten()
    .collect();
    (!known.is_empty()).then(|| format!("Also known by: {}.", known.join(", ")))
}

#[cfg(test)]
mod tests {
    use domain::lead::Phone;
    use domain::{BusinessId, E164, Mode};
    use uuid::Uuid;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("in range")
    }

    /// A lead of which nothing is known.
    fn blank() -> Lead {
        Lead {
            id: LeadId(Uuid::from_u128(1)),
            business_id: BusinessId(Uuid::from_u128(2)),
            mode: Mode::Live,
            fields: LeadFields {
                status: "new".to_owned(),
                source: "api".to_owned(),
                ..LeadFields::default()
            },
            score: None,
            score_explanation: None,
            interaction_count: 0,
            last_contacted_at: None,
            created_at: at(1),
            updated_at: at(1),
        }
    }

    /// One of whom everything is known; every text ends with this letter.
    fn whole(letter: char) -> Lead {
        let text = |what: &str| Some(format!("{what} {letter}"));
        let digit = u32::from(letter) % 10;
        let fields = LeadFields {
            name: text("Name"),
            first_name: text("First"),
            last_name: text("Last"),
            email: Some(format!("{letter}@example.com")),
            phone: E164::parse(&format!("+1512555014{digit}")).ok().map(Phone::from),
            address: text("Address"),
            city: text("City"),
            state: text("State"),
            zip: text("Zip"),
            status: format!("status {letter}"),
            source_url: text("Url"),
            source_page: text("Page"),
            notes: text("Notes"),
            message: text("Message"),
            event_date: text("Date"),
            event_type: text("Type"),
            timezone: text("Zone"),
            ..blank().fields
        };
        Lead { fields, ..blank() }
    }

    fn merged(mut kept: Lead, other: &Lead) -> Lead {
        take_over(&mut kept, other);
        kept
    }

    #[test]
    fn a_lead_of_which_nothing_is_known_becomes_the_other_one() {
        assert_eq!(merged(blank(), &whole('a')).fields, whole('a').fields);
    }

    #[test]
    fn what_is_known_stays_and_what_differs_is_noted() {
        let kept = merged(whole('a'), &whole('b'));
        let known = LeadFields { notes: None, ..whole('a').fields };
        assert_eq!(LeadFields { notes: None, ..kept.fields.clone() }, known);
        let also = "Also known by: Name b, +15125550148, b@example.com.";
        assert_eq!(kept.fields.notes, Some(format!("Notes a\nNotes b\n{also}")));
        let again = merged(kept.clone(), &whole('b'));
        assert_eq!(again.fields.notes, kept.fields.notes, "it is noted once");
        let mut shouting = whole('a');
        shouting.fields.email = Some("A@EXAMPLE.COM".to_owned());
        assert_eq!(merged(whole('a'), &shouting).fields, whole('a').fields, "that is the same address");
    }

    #[test]
    fn a_name_and_an_address_are_taken_over_whole_or_not_at_all() {
        let part = |fill: fn(&mut LeadFields)| {
            let mut lead = blank();
            fill(&mut lead.fields);
            merged(lead, &whole('b')).fields
        };
        let named = part(|fields| fields.last_name = Some("Lopez".to_owned()));
        assert_eq!((named.name, named.first_name, named.last_name.as_deref()), (None, None, Some("Lopez")));
        for fill in [
            (|fields| fields.address = Some("here".to_owned())) as fn(&mut LeadFields),
            |fields| fields.city = Some("here".to_owned()),
            |fields| fields.state = Some("here".to_owned()),
            |fields| fields.zip = Some("here".to_owned()),
        ] {
            let LeadFields { address, city, state, zip, .. } = part(fill);
            let known: Vec<String> = [address, city, state, zip].into_iter().flatten().collect();
            assert_eq!(known, ["here"]);
        }
    }

    #[test]
    fn the_score_is_that_of_the_newer_conversation_and_conversations_add_up() {
        let scored = |score: Option<u8>, talked: Option<i64>| Lead {
            score,
            score_explanation: score.map(|score| format!("because of {score}")),
            last_contacted_at: talked.map(at),
            interaction_count: u32::from(talked.is_some()),
            ..blank()
        };
        for (mine, theirs, score) in [
            ((Some(10), Some(5)), (Some(20), Some(6)), Some(20)),
            ((Some(10), Some(6)), (Some(20), Some(5)), Some(10)),
            ((Some(10), Some(5)), (Some(20), Some(5)), Some(10)),
            ((Some(10), None), (Some(20), Some(5)), Some(20)),
            ((None, Some(6)), (Some(20), Some(5)), Some(20)),
            ((Some(10), Some(5)), (None, Some(6)), Some(10)),
            ((None, None), (None, None), None),
        ] {
            let kept = merged(scored(mine.0, mine.1), &scored(theirs.0, theirs.1));
            assert_eq!(kept.score, score, "{mine:?} {theirs:?}");
            assert_eq!(kept.score_explanation, score.map(|score| format!("because of {score}")));
            let talks = [mine.1, theirs.1];
            assert_eq!(kept.last_contacted_at, talks.into_iter().flatten().max().map(at));
            assert_eq!(kept.interaction_count as usize, talks.into_iter().flatten().count());
        }
    }
}
