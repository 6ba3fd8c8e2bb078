//! Leads. Phones are looked up in E.164 where they could be read, e-mail addresses without regard to case.

use domain::lead::{Lead, LeadFields, Phone};
use domain::{AgentId, BusinessId, E164, LeadId, Mode, Timestamp};

use crate::page::{Conditions, ListQuery, list as list_page};
use crate::tx::{Param, Row, Tx, params};
use crate::{Listed, Page, StoreError, Tenancy};

const COLUMNS: &str = "id, business_id, mode, agent_id, name, first_name, last_name, email, phone, phone_e164, address, city, \
                       state, zip, status, source, source_url, source_page, notes, message, event_date, event_type, timezone, \
                       score, score_explanation, interaction_count, last_contacted_at, created_at, updated_at";

/// Which leads a list shows. Empty lists of words mean any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeadFilter {
    /// Only this business's.
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

fn read(row: Row) -> Result<Lead, StoreError> {
    let mut row = row.of("leads");
    let (id, business_id) = (row.next()?, row.next()?);
    let mode = row.parse(Mode::parse)?;
    let fields = LeadFields {
        agent_id: row.next()?,
        name: row.next()?,
        first_name: row.next()?,
        last_name: row.next()?,
        email: row.next()?,
        phone: {
            let given: Option<String> = row.next()?;
            let valid = row.parse_option(|text| E164::parse(text).ok())?;
            valid.map(Phone::Valid).or(given.map(Phone::AsGiven))
        },
        address: row.next()?,
        city: row.next()?,
        state: row.next()?,
        zip: row.next()?,
        status: row.next()?,
        source: row.next()?,
        source_url: row.next()?,
        source_page: row.next()?,
        notes: row.next()?,
        message: row.next()?,
        event_date: row.next()?,
        event_type: row.next()?,
        timezone: row.next()?,
    };
    Ok(Lead {
        id,
        business_id,
        mode,
        fields,
        score: row.next()?,
        score_explanation: row.next()?,
        interaction_count: row.next()?,
        last_contacted_at: row.next()?,
        created_at: row.next()?,
        updated_at: row.next()?,
    })
}

fn email_key(email: &str) -> String {
    email.trim().to_lowercase()
}

/// The values of the columns that can change, in the order of the statements below.
fn changing(lead: &Lead) -> Vec<Param> {
    let fields = &lead.fields;
    params![
        lead.id,
        fields.agent_id,
        fields.name.as_deref(),
        fields.first_name.as_deref(),
        fields.last_name.as_deref(),
        fields.email.as_deref(),
        fields.email.as_deref().map(email_key),
        fields.phone.as_ref().map(Phone::as_str),
        fields.phone.as_ref().and_then(Phone::valid).map(E164::as_str),
        fields.address.as_deref(),
        fields.city.as_deref(),
        fields.state.as_deref(),
        fields.zip.as_deref(),
        fields.status.as_str(),
        fields.source.as_str(),
        fields.source_url.as_deref(),
        fields.source_page.as_deref(),
        fields.notes.as_deref(),
        fields.message.as_deref(),
        fields.event_date.as_deref(),
        fields.event_type.as_deref(),
        fields.timezone.as_deref(),
        lead.score,
        lead.score_explanation.as_deref(),
        lead.interaction_count,
        lead.last_contacted_at,
        lead.updated_at,
    ]
    .to_vec()
}

/// Stores a new lead.
pub async fn insert(tx: &mut Tx, lead: &Lead) -> Result<(), StoreError> {
    let mut values = changing(lead);
    values.extend_from_slice(params![lead.business_id, lead.mode.as_str(), lead.created_at]);
    tx.execute(
        "INSERT INTO leads (id, agent_id, name, first_name, last_name, email, email_key, phone, phone_e164, address, city, \
         state, zip, status, source, source_url, source_page, notes, message, event_date, event_type, timezone, score, \
         score_explanation, interaction_count, last_contacted_at, updated_at, business_id, mode, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, \
         $24, $25, $26, $27, $28, $29, $30)",
        &values,
    )
    .await?;
    Ok(())
}

/// Stores a changed lead that was locked before.
pub async fn update(tx: &mut Tx, lead: &Lead) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE leads SET agent_id = $2, name = $3, first_name = $4, last_name = $5, email = $6, email_key = $7, phone = $8, \
         phone_e164 = $9, address = $10, city = $11, state = $12, zip = $13, status = $14, source = $15, source_url = $16, \
         source_page = $17, notes = $18, message = $19, event_date = $20, event_type = $21, timezone = $22, score = $23, \
         score_explanation = $24, interaction_count = $25, last_contacted_at = $26, updated_at = $27 WHERE id = $1",
        &changing(lead),
    )
    .await?;
    Ok(())
}

/// One lead.
pub async fn get(tx: &mut Tx, tenancy: &Tenancy, id: LeadId) -> Result<Option<Lead>, StoreError> {
    find(tx, tenancy, id, "").await
}

/// One lead that nobody else changes until the transaction ends.
pub async fn lock(tx: &mut Tx, tenancy: &Tenancy, id: LeadId) -> Result<Option<Lead>, StoreError> {
    find(tx, tenancy, id, "{for_update}").await
}

async fn find(tx: &mut Tx, tenancy: &Tenancy, id: LeadId, lock: &str) -> Result<Option<Lead>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM leads WHERE id = $1 {lock}");
    let found = tx.query_one(&sql, params![id]).await?.map(read).transpose()?;
    Ok(found.filter(|lead| tenancy.covers(lead.business_id) && lead.mode == tenancy.mode()))
}

/// The newest lead with this number among the tenant's businesses.
pub async fn by_phone(tx: &mut Tx, tenancy: &Tenancy, phone: &E164) -> Result<Option<Lead>, StoreError> {
    let filter = LeadFilter { phone: Some(Phone::Valid(phone.clone())), ..LeadFilter::default() };
    let listed = list(tx, tenancy, &filter, &Page { limit: 1, after: None }).await?;
    Ok(listed.rows.into_iter().next())
}

/// Leads, newest first.
pub async fn list(
    tx: &mut Tx,
    tenancy: &Tenancy,
    filter: &LeadFilter,
    page: &Page,
) -> Result<Listed<Lead>, StoreError> {
    let select = format!("SELECT {COLUMNS} FROM leads");
    let query = ListQuery { select: &select, business: "business_id", time: "created_at", id: "id" };
    let narrow = |conditions: &mut Conditions| {
        conditions.and("mode", "=", tenancy.mode().as_str());
        if !filter.status.is_empty() {
            conditions.and_in("status", &filter.status);
        }
        if !filter.source.is_empty() {
            conditions.and_in("source", &filter.source);
        }
        conditions.and_if("agent_id", "=", filter.agent_id);
        match &filter.phone {
            Some(Phone::Valid(number)) => conditions.and("phone_e164", "=", number.as_str()),
            Some(Phone::AsGiven(text)) => conditions.and("phone", "=", text.as_str()),
            None => {}
        }
        conditions.and_if("email_key", "=", filter.email.as_deref().map(email_key));
        conditions.and_if("created_at", ">", filter.created_after);
        conditions.and_if("created_at", "<", filter.created_before);
        conditions.and_if("updated_at", ">", filter.updated_after);
        conditions.and_if("updated_at", "<", filter.updated_before);
        conditions.and_if("score", ">=", filter.score_gte);
        conditions.and_if("score", "<=", filter.score_lte);
    };
    list_page(tx, query, &tenancy.scope(filter.business_id), page, narrow, read, |lead: &Lead| {
        lead.created_at
    })
    .await
}
