//! Leads. Phones are looked up in E.164 where they could be read, e-mail addresses without regard to case.

use domain::lead::{Lead, LeadFields, Phone};
use domain::phone::WrittenNumber;
use domain::{AgentId, BusinessId, E164, LeadId, Timestamp};

use crate::page::{Conditions, ListQuery, list as list_page};
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

fn email_key(email: &str) -> String {
    email.trim().to_lowercase()
}

/// Stores a new lead.
pub async fn insert(tx: &mut PlatformTx, lead: &Lead) -> Result<(), StoreError> {
    tx.write(Write::new("leads", lead.id.0, Leads::INSERT, Leads::inserted(lead))).await
}

/// Stores a changed lead that was locked before.
pub async fn update(tx: &mut PlatformTx, lead: &Lead) -> Result<(), StoreError> {
    tx.write(Write::new("leads", lead.id.0, Leads::UPDATE, Leads::changed(lead))).await
}

pub async fn get(tx: &mut Tx, tenancy: &Tenancy, id: LeadId) -> Result<Option<Lead>, StoreError> {
    const SQL: &str = text!(
        "SELECT ",
        Leads::COLUMNS,
        " FROM leads l WHERE l.id = $1 AND l.business_id = $2 AND l.mode = $3"
    );
    find(tx, SQL, tenancy, id).await
}

/// One lead that nobody else changes until the transaction ends.
pub async fn lock(tx: &mut Tx, tenancy: &Tenancy, id: LeadId) -> Result<Option<Lead>, StoreError> {
    const SQL: &str = text!(
        "SELECT ",
        Leads::COLUMNS,
        " FROM leads l WHERE l.id = $1 AND l.business_id = $2 AND l.mode = $3 {for_update}"
    );
    find(tx, SQL, tenancy, id).await
}

async fn find(tx: &mut Tx, sql: &str, tenancy: &Tenancy, id: LeadId) -> Result<Option<Lead>, StoreError> {
    for &business in tenancy.businesses() {
        if let Some(row) = tx.query_one(sql, params![id, business, tenancy.mode()]).await? {
            return Leads::read(row).map(Some);
        }
    }
    Ok(None)
}

/// The newest lead with this number among the tenant's businesses.
pub async fn by_phone(tx: &mut Tx, tenancy: &Tenancy, phone: &E164) -> Result<Option<Lead>, StoreError> {
    let filter = LeadFilter { phone: Some(phone.clone().into()), ..LeadFilter::default() };
    let listed = list(tx, tenancy, &filter, &Page { limit: 1, after: None }).await?;
    Ok(listed.rows.into_iter().next())
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

/// Leads, newest first.
pub async fn list(
    tx: &mut Tx,
    tenancy: &Tenancy,
    filter: &LeadFilter,
    page: &Page,
) -> Result<Listed<Lead>, StoreError> {
    const SELECT: &str = text!("SELECT ", Leads::COLUMNS, " FROM leads l");
    let query = ListQuery { select: SELECT, business: "l.business_id", time: "l.created_at", id: "l.id" };
    let narrow = |conditions: &mut Conditions| {
        conditions.and("l.mode", "=", tenancy.mode().as_str());
        if !filter.status.is_empty() {
            conditions.and_in("l.status", &filter.status);
        }
        if !filter.source.is_empty() {
            conditions.and_in("l.source", &filter.source);
        }
        conditions.and_if("l.agent_id", "=", filter.agent_id);
        match &filter.phone {
            Some(Phone::Valid(written)) => conditions.and("l.phone_e164", "=", written.number.as_str()),
            Some(Phone::AsGiven(text)) => conditions.and("l.phone", "=", text.as_str()),
            None => {}
        }
        conditions.and_if("l.email_key", "=", filter.email.as_deref().map(email_key));
        conditions.and_if("l.created_at", ">", filter.created_after);
        conditions.and_if("l.created_at", "<", filter.created_before);
        conditions.and_if("l.updated_at", ">", filter.updated_after);
        conditions.and_if("l.updated_at", "<", filter.updated_before);
        conditions.and_if("l.score", ">=", filter.score_gte);
        conditions.and_if("l.score", "<=", filter.score_lte);
    };
    list_page(tx, query, &tenancy.scope(filter.business_id), page, narrow, Leads::read, |lead: &Lead| {
        lead.created_at
    })
    .await
}
