//! Leads. Phones are looked up in E.164 where they could be read, e-mail addresses without regard to case.

pub mod audit;
pub mod history;
mod merges;

pub use merges::absorb;
use merges::email_key;

use domain::lead::{Lead, LeadFields, Phone};
use domain::phone::WrittenNumber;
use domain::{AgentId, BusinessId, E164, LeadId, Mode, Timestamp};

use crate::page::{Conditions, ListQuery, Way, list_ways};
use crate::table::{table, text};
use crate::tx::{PlatformTx, Row, Tx, params};
use crate::writes::Write;
use crate::{Listed, Page, StoreError, Tenancy};

table! {
    /// Leads as they are stored. `email_key` is what an address is found by.
    Leads = "leads" as "l", (lead: &Lead)
    key { id, business_id, mode }
    fixed { created_at }
    changing {
        agent_id = lead.fields.agent_id,
        name = lead.fields.name,
        first_name = lead.fields.first_name,
        last_name = lead.fields.last_name,
        email = lead.fields.email,
        email_key = lead.fields.email.as_deref().map(email_key),
        phone = lead.fields.phone.as_ref().map(Phone::as_str),
        phone_e164 = lead.fields.phone.as_ref().and_then(Phone::valid),
        phone_extension = lead.fields.phone.as_ref().and_then(Phone::extension),
        address = lead.fields.address,
        city = lead.fields.city,
        state = lead.fields.state,
        zip = lead.fields.zip,
        status = lead.fields.status,
        source = lead.fields.source,
        source_url = lead.fields.source_url,
        source_page = lead.fields.source_page,
        notes = lead.fields.notes,
        message = lead.fields.message,
        event_date = lead.fields.event_date,
        event_type = lead.fields.event_type,
        timezone = lead.fields.timezone,
        score,
        score_explanation,
        interaction_count,
        last_contacted_at,
        updated_at,
    }
    read {
        let _: Option<String> = email_key;
        let (given, valid): (Option<String>, Option<E164>) = (phone, phone_e164);
        let fields = LeadFields {
            phone: valid.map(|number| Phone::Valid(WrittenNumber { number, extension: phone_extension })).or(given.map(Phone::AsGiven)),
            agent_id,
            name,
            first_name,
            last_name,
            email,
            address,
            city,
            state,
            zip,
            status,
            source,
            source_url,
            source_page,
            notes,
            message,
            event_date,
            event_type,
            timezone,
        };
        Lead {
            id,
            business_id,
            mode,
            fields,
            score,
            score_explanation,
            interaction_count,
            last_contacted_at,
            created_at,
            updated_at,
        }
    }
}

pub(crate) const COLUMNS: &str = Leads::COLUMNS;

/// Reads [`COLUMNS`] of an outer join.
pub(crate) fn read_joined(row: &mut Row) -> Result<Option<Lead>, StoreError> {
    row.joined(Leads::KEY.len() + Leads::FIXED.len() + Leads::CHANGING.len(), Leads::read_from)
}

/// Which leads a list shows. Empty lists of words mean any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeadFilter {
    pub business_id: Option<BusinessId>,
    /// Only with one of these statuses.
    pub status: Vec<String>,
    /// Only from one of these sources.
    pub source: Vec<String>,
    /// Only those that this agent found.
    pub agent_id: Option<AgentId>,
    /// Only with this number.
    pub phone: Option<Phone>,
    /// Only with this e-mail address.
    pub email: Option<String>,
    /// Only made after this.
    pub created_after: Option<Timestamp>,
    /// Only made before this.
    pub created_before: Option<Timestamp>,
    /// Only changed after this.
    pub updated_after: Option<Timestamp>,
    /// Only changed before this.
    pub updated_before: Option<Timestamp>,
    /// Only with at least this score.
    pub score_gte: Option<i64>,
    /// Only with at most this score.
    pub score_lte: Option<i64>,
}

/// Stores a new lead.
pub async fn insert(tx: &mut PlatformTx, lead: &Lead) -> Result<(), StoreError> {
    tx.write(Write::new("leads", lead.id.0, Leads::INSERT, Leads::inserted(lead))).await
}

/// Stores a changed lead that was locked before.
pub async fn update(tx: &mut PlatformTx, lead: &Lead) -> Result<(), StoreError> {
    tx.write(Write::new("leads", lead.id.0, Leads::UPDATE, Leads::changed(lead))).await
}

/// One lead; for one that has become part of another, that other one.
pub async fn get(tx: &mut Tx, tenancy: &Tenancy, id: LeadId) -> Result<Option<Lead>, StoreError> {
    const SQL: &str = text!(
        "SELECT ",
        Leads::COLUMNS,
        " FROM leads l WHERE l.id = $1 AND (l.business_id = $2 AND l.mode = $3) IS TRUE"
    );
    find(tx, SQL, tenancy, id).await
}

/// The same, and nobody else changes it until the transaction ends.
pub async fn lock(tx: &mut Tx, tenancy: &Tenancy, id: LeadId) -> Result<Option<Lead>, StoreError> {
    const SQL: &str = text!(
        "SELECT ",
        Leads::COLUMNS,
        " FROM leads l WHERE l.id = $1 AND (l.business_id = $2 AND l.mode = $3) IS TRUE {for_update}"
    );
    find(tx, SQL, tenancy, id).await
}

async fn find(tx: &mut Tx, sql: &str, tenancy: &Tenancy, id: LeadId) -> Result<Option<Lead>, StoreError> {
    let mut wanted = id;
    // Somebody may make the other one part of a third while we look, so it is looked for more than once.
    for _ in 0..3 {
        for &business in tenancy.businesses() {
            if let Some(row) = tx.query_one(sql, params![wanted, business, tenancy.mode()]).await? {
                return Leads::read(row).map(Some);
            }
        }
        match merges::successor(tx, tenancy, id).await? {
            Some(successor) => wanted = successor,
            None => return Ok(None),
        }
    }
    Ok(None)
}

/// The newest lead with this number among the tenant's businesses, or the one that has taken over a lead with it.
pub async fn by_phone(tx: &mut Tx, tenancy: &Tenancy, phone: &E164) -> Result<Option<Lead>, StoreError> {
    let filter = LeadFilter { phone: Some(phone.clone().into()), ..LeadFilter::default() };
    let listed = list(tx, tenancy, &filter, &Page { limit: 1, after: None }).await?;
    if let Some(lead) = listed.rows.into_iter().next() {
        return Ok(Some(lead));
    }
    match merges::by_phone(tx, tenancy, phone).await? {
        Some(id) => get(tx, tenancy, id).await,
        None => Ok(None),
    }
}

/// Leads with a phone number, whoever they belong to, in the order of their ids. For operators.
pub async fn with_phone(
    tx: &mut PlatformTx,
    after: Option<LeadId>,
    limit: u32,
) -> Result<Vec<Lead>, StoreError> {
    const FIRST: &str =
        text!("SELECT ", Leads::COLUMNS, " FROM leads l WHERE l.phone IS NOT NULL ORDER BY l.id LIMIT $1");
    const NEXT: &str = text!(
        "SELECT ",
        Leads::COLUMNS,
        " FROM leads l WHERE l.phone IS NOT NULL AND l.id > $2 ORDER BY l.id LIMIT $1"
    );
    let rows = match after {
        Some(after) => tx.query(NEXT, params![limit, after]).await?,
        None => tx.query(FIRST, params![limit]).await?,
    };
    rows.into_iter().map(Leads::read).collect()
}

/// The newest lead of a business with this e-mail address, in whichever case.
pub async fn by_email(tx: &mut Tx, tenancy: &Tenancy, email: &str) -> Result<Option<Lead>, StoreError> {
    const SQL: &str = text!(
        "SELECT ",
        Leads::COLUMNS,
        " FROM leads l WHERE l.business_id = $1 AND l.mode = $2 AND l.email_key = $3 ORDER BY l.created_at DESC LIMIT 1"
    );
    let email = email_key(email);
    for &business in tenancy.businesses() {
        if let Some(row) = tx.query_one(SQL, params![business, tenancy.mode(), email.as_str()]).await? {
            return Leads::read(row).map(Some);
        }
    }
    match merges::by_email(tx, tenancy, &email).await? {
        Some(id) => get(tx, tenancy, id).await,
        None => Ok(None),
    }
}

/// A page of leads, the newest first.
pub async fn list(
    tx: &mut Tx,
    tenancy: &Tenancy,
    filter: &LeadFilter,
    page: &Page,
) -> Result<Listed<Lead>, StoreError> {
    const SELECT: &str = text!("SELECT ", Leads::COLUMNS, " FROM leads l");
    let query = ListQuery {
        select: SELECT,
        table: "leads l",
        business: "l.business_id",
        time: "l.created_at",
        id: "l.id",
    };
    let businesses = tenancy.scope(filter.business_id);
    let ways = ways(tx, tenancy.mode(), &businesses, filter).await?;
    let narrow = |conditions: &mut Conditions| {
        conditions.and("l.mode", "=", tenancy.mode().as_str());
        if !filter.status.is_empty() {
            conditions.aside_in("l.status", filter.status.iter().map(String::as_str));
        }
        if !filter.source.is_empty() {
            conditions.aside_in("l.source", filter.source.iter().map(String::as_str));
        }
        conditions.aside_if("l.agent_id", "=", filter.agent_id);
        conditions.aside_if("l.email_key", "=", filter.email.as_deref().map(email_key));
        conditions.aside_if("l.updated_at", ">", filter.updated_after);
        conditions.aside_if("l.updated_at", "<", filter.updated_before);
        conditions.aside_if("l.score", ">=", filter.score_gte);
        conditions.aside_if("l.score", "<=", filter.score_lte);
        if ways.iter().any(Way::is_to_few) {
            conditions.aside_if("l.created_at", ">", filter.created_after);
        } else {
            conditions.and_if("l.created_at", ">", filter.created_after);
        }
    };
    // What was changed before a time was made before it.
    let page = page.before(filter.created_before).before(filter.updated_before);
    list_ways(tx, query, &businesses, &page, &ways, narrow, Leads::read, |lead: &Lead| lead.created_at).await
}

/// So many rows may be found in another order than the list's, and sorted.
const FEW: i64 = 1000;

/// Marks that a lead can have.
const SCORES: std::ops::RangeInclusive<i64> = 0..=100;

/// The ways to the leads that a filter lets through: along the condition that most likely leaves few. The other conditions are held
/// against what is found there.
async fn ways(
    tx: &mut Tx,
    mode: Mode,
    businesses: &[BusinessId],
    filter: &LeadFilter,
) -> Result<Vec<Way>, StoreError> {
    let of_business = Way::of_business;
    match &filter.phone {
        Some(Phone::Valid(written)) => {
            let way = of_business().and("l.phone_e164 =", written.number.as_str());
            return Ok(vec![way]);
        }
        Some(Phone::AsGiven(text)) => {
            return Ok(vec![of_business().and("l.phone =", text.as_str()).and_text("l.phone_e164 IS NULL")]);
        }
        None => {}
    }
    if let Some(email) = &filter.email {
        return Ok(vec![of_business().and("l.email_key =", email_key(email))]);
    }
    if let Some(agent) = filter.agent_id {
        return Ok(vec![of_business().and("l.agent_id =", agent)]);
    }
    if !filter.status.is_empty() {
        let words = filter.status.iter().map(String::as_str);
        return Ok(words.map(|word| of_business().and("l.status =", word)).collect());
    }
    if !filter.source.is_empty() {
        let words = filter.source.iter().map(String::as_str);
        return Ok(words.map(|word| of_business().and("l.source =", word)).collect());
    }
    if filter.score_gte.is_some() || filter.score_lte.is_some() {
        let from = filter.score_gte.unwrap_or(*SCORES.start()).max(*SCORES.start());
        let to = filter.score_lte.unwrap_or(*SCORES.end()).min(*SCORES.end());
        return Ok((from..=to).map(|score| of_business().and("l.score =", score)).collect());
    }
    if (filter.updated_after.is_some() || filter.updated_before.is_some())
        && are_few(tx, mode, businesses, filter).await?
    {
        let way = Way::to_few().and_if("l.updated_at >", filter.updated_after);
        return Ok(vec![way.and_if("l.updated_at <", filter.updated_before)]);
    }
    Ok(vec![of_business()])
}

/// Whether few leads were changed in the time that a filter names. Counting stops where they are no longer few.
async fn are_few(
    tx: &mut Tx,
    mode: Mode,
    businesses: &[BusinessId],
    filter: &LeadFilter,
) -> Result<bool, StoreError> {
    let sql = "SELECT count(*) FROM (SELECT l.id FROM leads l WHERE l.business_id = $1 AND l.mode = $2 \
               AND l.updated_at > $3 AND l.updated_at < $4 LIMIT $5) AS changed";
    let after = filter.updated_after.map_or(i64::MIN, Timestamp::as_microsecond);
    let before = filter.updated_before.map_or(i64::MAX, Timestamp::as_microsecond);
    for &business in businesses {
        let row = tx.query_one(sql, params![business, mode, after, before, FEW + 1]).await?;
        let found: i64 = row.map_or(Ok(0), |mut row| row.next())?;
        if found > FEW {
            return Ok(false);
        }
    }
    Ok(true)
}
