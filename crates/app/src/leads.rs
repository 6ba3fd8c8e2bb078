//! Leads: what clients write about people, what calls teach about them, and the history of both.

pub mod import;
pub mod merge;

use domain::call::{Call, Direction};
use domain::event::Event;
use domain::lead::changes::FieldChange;
use domain::lead::{Lead, LeadFields, Phone, split_name};
use domain::{AgentId, Author, BusinessId, CallId, LeadChangeId, LeadId, Mode, Timestamp};
use speech::{Analysis, Reached};
use store::leads::history::{Happening, LeadChange};
use store::{PlatformTx, StoreError, Tenancy};

use crate::idempotency::{self, Intent, Once, Renderer};
use crate::{App, outbox};

/// Why a lead cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum LeadError {
    /// The tenant has no such lead.
    #[error("no such lead")]
    NotFound,
    /// The lead names an agent that its business does not have.
    #[error("no such agent")]
    UnknownAgent,
    /// Nothing would be left to know the person by.
    #[error("the lead would have neither a name nor an e-mail address nor a phone number")]
    Nameless,
    /// A lead cannot be merged with itself.
    #[error("both are the same lead")]
    SameLead,
    /// Two leads of different businesses are two people.
    #[error("the two leads belong to different businesses")]
    OtherBusiness,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What is noted in the history of a lead.
struct Trace {
    kind: Happening,
    by: Author,
    call_id: Option<CallId>,
    changes: Vec<FieldChange>,
}

async fn note(
    tx: &mut PlatformTx,
    app: &App,
    lead: &Lead,
    trace: Trace,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Trace { kind, by, call_id, changes } = trace;
    let change = LeadChange {
        id: LeadChangeId::new(app.ids()),
        lead_id: lead.id,
        business_id: lead.business_id,
        mode: lead.mode,
        kind,
        by,
        call_id,
        changes,
        created_at: app.store().created_at(now),
    };
    store::leads::history::note(tx, &change).await
}

/// Makes a lead and, where the request can be repeated, keeps its answer, in one transaction.
pub async fn create(
    app: &App,
    mode: Mode,
    business: BusinessId,
    mut fields: LeadFields,
    by: Author,
    once: Option<(Intent, Renderer<Lead>)>,
) -> Result<Once<Lead>, LeadError> {
    let now = app.now();
    fields.complete_names();
    let lead = new_lead(app, mode, business, fields, now);
    let platform = app.clone();
    let app = app.clone();
    platform
        .platform()
        .write(move |tx| {
            Box::pin(async move {
                if let Some((intent, _)) = &once {
                    let begun = idempotency::begin(tx, &app, business, mode, intent, lead.id.0, now).await?;
                    if let Some(repeated) = begun {
                        return Ok(Once::Repeated(repeated));
                    }
                }
                check_agent(tx, business, mode, lead.fields.agent_id).await?;
                store::leads::insert(tx, &lead).await?;
                let changes = domain::lead::changes::changes(None, &lead);
                let trace = Trace { kind: Happening::Created, by, call_id: None, changes };
                note(tx, &app, &lead, trace, now).await?;
                outbox::announce(tx, &app, &Event::LeadCreated(&lead), now).await?;
                if let Some((intent, render)) = once {
                    idempotency::keep(tx, business, mode, &intent, &render(&lead)).await?;
                }
                Ok(Once::New(lead))
            })
        })
        .await
}

/// Changes a lead. The change gets the calling code of the business's home country, to read phone numbers by.
pub async fn update(
    app: &App,
    tenancy: &Tenancy,
    id: LeadId,
    by: Author,
    change: impl FnOnce(&mut LeadFields, &str) + Send + 'static,
) -> Result<Lead, LeadError> {
    let (tenancy, now) = (tenancy.clone(), app.now());
    let platform = app.clone();
    app.platform()
        .write(move |tx| {
            Box::pin(async move {
                let mut lead = store::leads::lock(tx, &tenancy, id).await?.ok_or(LeadError::NotFound)?;
                let before = lead.clone();
                let home =
                    store::businesses::by_id(tx, lead.business_id).await?.ok_or(LeadError::NotFound)?;
                change(&mut lead.fields, &home.country_calling_code);
                lead.fields.complete_names();
                if lead.fields != before.fields {
                    if !lead.fields.identifies_somebody() {
                        return Err(LeadError::Nameless);
                    }
                    if lead.fields.agent_id != before.fields.agent_id {
                        check_agent(tx, lead.business_id, lead.mode, lead.fields.agent_id).await?;
                    }
                    lead.updated_at = now;
                    store::leads::update(tx, &lead).await?;
                    let changes = domain::lead::changes::changes(Some(&before), &lead);
                    let trace = Trace { kind: Happening::Updated, by, call_id: None, changes };
                    note(tx, &platform, &lead, trace, now).await?;
                    outbox::announce(tx, &platform, &Event::LeadUpdated(&lead), now).await?;
                }
                Ok(lead)
            })
        })
        .await
}

async fn check_agent(
    tx: &mut PlatformTx,
    business: BusinessId,
    mode: Mode,
    agent: Option<AgentId>,
) -> Result<(), LeadError> {
    let Some(agent) = agent else { return Ok(()) };
    match store::agents::get(tx, &Tenancy::one(business, mode), agent).await? {
        Some(_) => Ok(()),
        None => Err(LeadError::UnknownAgent),
    }
}

fn new_lead(app: &App, mode: Mode, business: BusinessId, fields: LeadFields, now: Timestamp) -> Lead {
    Lead {
        id: LeadId::new(app.ids()),
        business_id: business,
        mode,
        fields,
        score: None,
        score_explanation: None,
        interaction_count: 0,
        last_contacted_at: None,
        created_at: app.store().created_at(now),
        updated_at: now,
    }
}

/// Writes what a call that connected has taught about its other party; gives the lead it now belongs to.
///
/// A known lead keeps what the CRM already says: only gaps are filled. Who was not known becomes a lead by telling anything about
/// themselves, or by calling; a caller who withholds the number, by saying how to be reached. A call that reached a machine, nobody, or
/// somebody else neither makes a lead nor changes one. A call of which more becomes known later counts as one contact.
pub(crate) async fn learn(
    tx: &mut PlatformTx,
    app: &App,
    call: &Call,
    analysis: &Analysis,
    now: Timestamp,
) -> Result<Option<LeadId>, StoreError> {
    let one = Tenancy::one(call.business_id, call.mode);
    let facts = &analysis.lead;
    let known = match (call.lead_id(), call.other_party(), &facts.email) {
        (Some(id), ..) => Some(id),
        (None, Some(number), _) => store::leads::by_phone(tx, &one, number).await?.map(|lead| lead.id),
        (None, None, Some(email)) => store::leads::by_email(tx, &one, email).await?.map(|lead| lead.id),
        (None, None, None) => None,
    };
    let known = match known {
        Some(id) => store::leads::lock(tx, &one, id).await?,
        None => None,
    };
    if analysis.reached != Reached::Person {
        return Ok(known.map(|lead| lead.id));
    }
    let can_be_reached = call.other_party().is_some() || facts.email.is_some() || facts.phone.is_some();
    let told_something =
        facts.name.is_some() || facts.email.is_some() || facts.phone.is_some() || facts.intent.is_some();
    let (mut lead, is_new) = match known {
        Some(lead) => (lead, false),
        None if can_be_reached && (told_something || call.direction == Direction::Inbound) => {
            let fields = LeadFields {
                agent_id: Some(call.agent_id),
                phone: call.other_party().map(|number| number.clone().into()),
                status: "new".into(),
                source: "call".into(),
                ..LeadFields::default()
            };
            (new_lead(app, call.mode, call.business_id, fields, now), true)
        }
        None => return Ok(None),
    };
    let before = lead.clone();
    let business = store::businesses::by_id(tx, call.business_id).await?;
    fill(&mut lead.fields, analysis, business.as_ref().map_or("1", |home| &home.country_calling_code));
    if lead.fields.status == "new" {
        lead.fields.status = "contacted".into();
    }
    if let Some(score) = analysis.lead_score {
        lead.score = Some(score);
        lead.score_explanation.clone_from(&analysis.score_explanation);
    }
    if call.assessment().is_none() {
        lead.interaction_count += 1;
    }
    lead.last_contacted_at = call.ended_at().or(Some(now));
    if lead == before {
        return Ok(Some(lead.id));
    }
    lead.updated_at = now;
    let (kind, event) = if is_new {
        store::leads::insert(tx, &lead).await?;
        (Happening::Created, Event::LeadCreated(&lead))
    } else {
        store::leads::update(tx, &lead).await?;
        (Happening::Updated, Event::LeadUpdated(&lead))
    };
    let changes = domain::lead::changes::changes(Some(&before).filter(|_| !is_new), &lead);
    note(tx, app, &lead, Trace { kind, by: Author::call(), call_id: Some(call.id), changes }, now).await?;
    outbox::announce(tx, app, &event, now).await?;
    Ok(Some(lead.id))
}

fn fill(fields: &mut LeadFields, analysis: &Analysis, home: &str) {
    let facts = &analysis.lead;
    if fields.name.is_none() && fields.first_name.is_none() && fields.last_name.is_none() {
        fields.name.clone_from(&facts.name);
        fields.complete_names();
    }
    // A first name that the caller completed becomes a full one.
    if let (Some(first), None, Some(full)) = (&fields.first_name, &fields.last_name, &facts.name)
        && let (Some(learned), Some(last)) = split_name(full)
        && learned.eq_ignore_ascii_case(first)
    {
        fields.last_name = Some(last);
        fields.name = Some(full.clone());
    }
    if fields.email.is_none() {
        fields.email.clone_from(&facts.email);
    }
    if fields.message.is_none() {
        fields.message.clone_from(&facts.intent);
    }
    if let Some(said) = facts.phone.as_deref().map(|said| Phone::read(said, home)) {
        match &fields.phone {
            None => fields.phone = Some(said),
            Some(known) if known.as_str() != said.as_str() => note_call_back(&mut fields.notes, &said),
            Some(_) => {}
        }
    }
}

/// Notes a number on which the caller wants to be called back. The lead keeps the one by which it is known.
fn note_call_back(notes: &mut Option<String>, number: &Phone) {
    let extension = number.extension().map(|extension| format!(" ext. {extension}")).unwrap_or_default();
    let note = format!("Call back on {}{extension}.", number.as_str());
    let notes = notes.get_or_insert_default();
    if !notes.contains(&note) {
        if !notes.is_empty() {
            notes.push('\n');
        }
        notes.push_str(&note);
    }
}

#[cfg(test)]
mod tests;
