//! Leads: the people that a business talks to.

use axum::extract::State;
use domain::lead::{Lead, LeadFields};
use domain::{AgentId, BusinessId, LeadId};
use http::Method;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use store::leads::LeadFilter;
use web::leads::{LeadPatch, read_phone, unescaped, unescaped_address};

use crate::Api;
use crate::answer::{OneOrPage, Reply, Stamp, Uid, found};
use crate::caller::{Caller, LeadsRead, LeadsWrite};
use crate::error::{ApiError, Code};
use crate::idempotency::{IdempotencyKey, Once, kept, repeated};
use crate::input::{
    Body, Change, Cursor, Id, Limit, Line, List, PageAddress, Parcel, Query, Text, Time, Whole, Words,
    WrittenPhone, Zone, input, page,
};
use crate::route::Route;
use crate::v1::wanted;

pub(crate) fn routes() -> Vec<Route> {
    let path = "/api/v1/leads";
    let id = "01940000-0000-7000-8000-000000000041";
    let business = "01940000-0000-7000-8000-000000000001";
    let lead = json!({
        "id": id, "business_id": business, "agent_id": null, "name": "Maria Lopez", "first_name": "Maria", "last_name": "Lopez",
        "email": "maria@example.com", "phone": "+15125551234", "phone_valid": true, "phone_extension": null, "address": null, "city": null, "state": null,
        "zip": null, "status": "new", "source": "api", "source_url": null, "source_page": null, "notes": null,
        "message": "Needs a lawyer.", "event_date": null, "event_type": null, "timezone": null, "score": null,
        "score_explanation": null, "interaction_count": 0, "last_contacted_at": null, "created_at": "2026-02-15T14:30:00.000000Z",
        "updated_at": "2026-02-15T14:30:00.000000Z",
    });
    let listed = json!({ "leads": [lead], "has_more": false });
    vec![
        Route::new(Method::GET, path, "leads.read", read)
            .about("List leads, or read one", "With `id` the answer is that lead itself; without, a page of leads.")
            .refuses(&[Code::Forbidden, Code::NotFound])
            .example(None, listed),
        Route::new(Method::POST, path, "leads.create", create)
            .about(
                "Create a lead",
                "One of `name`, `first_name`, `last_name`, `phone` and `email` is needed. A phone number that cannot be read as \
                 E.164 is kept as it is, with `phone_valid` false.",
            )
            .refuses(&[Code::NotFound])
            .example(
                Some(json!({ "business_id": business, "name": "Maria Lopez", "phone": "+15125551234", "email": "maria@example.com" })),
                lead.clone(),
            ),
        Route::new(Method::PATCH, path, "leads.update", update)
            .about("Change a lead", "Only the fields sent change; null clears one. Something to know the person by has to stay.")
            .refuses(&[Code::NotFound])
            .example(Some(json!({ "id": id, "status": "contacted" })), lead),
    ]
}

input! {
    /// Which leads to read.
    pub struct LeadsQuery {
        /// Read this one lead.
        id: Option<Id<LeadId>> = "id",
        /// Only those of this business.
        business_id: Option<Id<BusinessId>> = "business_id",
        /// Only leads with one of these statuses, separated by commas.
        status: Option<List<Words, 20>> = "status",
        /// Only leads from one of these sources, separated by commas.
        source: Option<List<Words, 20>> = "source",
        /// Only leads found by this agent.
        agent_id: Option<Id<AgentId>> = "agent_id",
        /// Only leads with this phone number, in any notation.
        phone: Option<WrittenPhone> = "phone",
        /// Only leads with this e-mail address; upper and lower case are the same.
        email: Option<Line<0, 320>> = "email",
        /// Only leads created after this time.
        created_after: Option<Time> = "created_after",
        /// Only leads created before this time.
        created_before: Option<Time> = "created_before",
        /// Only leads changed after this time.
        updated_after: Option<Time> = "updated_after",
        /// Only leads changed before this time.
        updated_before: Option<Time> = "updated_before",
        /// Only leads with this score or a higher one.
        score_gte: Option<Whole<0, 100>> = "score_gte",
        /// Only leads with this score or a lower one.
        score_lte: Option<Whole<0, 100>> = "score_lte",
        /// Largest number of rows in the answer.
        limit: Limit<50, 100> = "limit",
        /// Only rows created before this time; take the `created_at` of the last row of the page before.
        after: Option<Cursor> = "after",
    }

    /// A lead to create.
    pub struct NewLead {
        /// Id of the business that the lead belongs to.
        business_id: Id<BusinessId> = "business_id",
        /// Id of the agent that found the lead.
        agent_id: Option<Id<AgentId>> = "agent_id" | "agentId",
        /// Full name of the person.
        name: Option<Line<0, 200>> = "name",
        /// Given name of the person.
        first_name: Option<Line<0, 100>> = "first_name" | "firstName",
        /// Family name of the person.
        last_name: Option<Line<0, 100>> = "last_name" | "lastName",
        /// E-mail address of the person.
        email: Option<Line<0, 320>> = "email",
        /// Phone number of the person, in any notation.
        phone: Option<WrittenPhone> = "phone",
        /// Street and house number of the person.
        address: Option<Text<0, 500>> = "address",
        /// City of the person's address.
        city: Option<Line<0, 100>> = "city",
        /// State or region of the person's address.
        state: Option<Line<0, 100>> = "state",
        /// Postal code of the person's address.
        zip: Option<Line<0, 20>> = "zip",
        /// `new`, `contacted`, `qualified`, `booked`, `converted`, `lost`, or a word of your own.
        status: Option<Line<1, 50>> = "status",
        /// Where the lead came from, like `web_form`; `api` by default.
        source: Option<Line<1, 50>> = "source",
        /// Address of the web page that the lead came from.
        source_url: Option<PageAddress> = "source_url" | "sourceUrl",
        /// Title of the web page that the lead came from.
        source_page: Option<Line<0, 500>> = "source_page" | "sourcePage",
        /// Notes of your own about the lead.
        notes: Option<Text<0, 10000>> = "notes",
        /// What the person wrote or wants.
        message: Option<Text<0, 10000>> = "message",
        /// Date of the person's event.
        event_date: Option<Line<0, 100>> = "event_date" | "eventDate",
        /// Kind of the person's event.
        event_type: Option<Line<0, 100>> = "event_type" | "eventType",
        /// Time zone of the person by its IANA name, like `America/Chicago`.
        timezone: Option<Zone> = "timezone",
    }

    /// Changes to a lead.
    pub struct LeadChanges {
        /// Id of the lead to change.
        id: Id<LeadId> = "id",
        /// Id of the agent that found the lead.
        agent_id: Change<Id<AgentId>> = "agent_id" | "agentId",
        /// Full name of the person.
        name: Change<Line<0, 200>> = "name",
        /// Given name of the person.
        first_name: Change<Line<0, 100>> = "first_name" | "firstName",
        /// Family name of the person.
        last_name: Change<Line<0, 100>> = "last_name" | "lastName",
        /// E-mail address of the person.
        email: Change<Line<0, 320>> = "email",
        /// Phone number of the person, in any notation.
        phone: Change<WrittenPhone> = "phone",
        /// Street and house number of the person.
        address: Change<Text<0, 500>> = "address",
        /// City of the person's address.
        city: Change<Line<0, 100>> = "city",
        /// State or region of the person's address.
        state: Change<Line<0, 100>> = "state",
        /// Postal code of the person's address.
        zip: Change<Line<0, 20>> = "zip",
        /// `new`, `contacted`, `qualified`, `booked`, `converted`, `lost`, or a word of your own.
        status: Parcel<Line<1, 50>> = "status",
        /// Where the lead came from, like `web_form`.
        source: Parcel<Line<1, 50>> = "source",
        /// Address of the web page that the lead came from.
        source_url: Change<PageAddress> = "source_url" | "sourceUrl",
        /// Title of the web page that the lead came from.
        source_page: Change<Line<0, 500>> = "source_page" | "sourcePage",
        /// Notes of your own about the lead.
        notes: Change<Text<0, 10000>> = "notes",
        /// What the person wrote or wants.
        message: Change<Text<0, 10000>> = "message",
        /// Date of the person's event.
        event_date: Change<Line<0, 100>> = "event_date" | "eventDate",
        /// Kind of the person's event.
        event_type: Change<Line<0, 100>> = "event_type" | "eventType",
        /// Time zone of the person by its IANA name, like `America/Chicago`.
        timezone: Change<Zone> = "timezone",
    }
}

/// A person in the CRM of a business.
#[derive(Debug, Serialize, JsonSchema)]
pub struct LeadBody {
    id: Uid,
    business_id: Uid,
    agent_id: Option<Uid>,
    name: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    email: Option<String>,
    /// Phone number in E.164 format if it is a valid number of its country, otherwise as it was given.
    phone: Option<String>,
    /// Whether the phone number is a valid number of its country; null if there is none.
    phone_valid: Option<bool>,
    /// Extension to dial after the phone number has answered; digits only.
    phone_extension: Option<String>,
    address: Option<String>,
    city: Option<String>,
    state: Option<String>,
    zip: Option<String>,
    status: String,
    source: String,
    source_url: Option<String>,
    source_page: Option<String>,
    notes: Option<String>,
    message: Option<String>,
    event_date: Option<String>,
    event_type: Option<String>,
    timezone: Option<String>,
    /// How promising the lead is, 0 to 100; null until a call has told.
    score: Option<u8>,
    score_explanation: Option<String>,
    /// Number of calls with the person that were answered.
    interaction_count: u32,
    last_contacted_at: Option<Stamp>,
    created_at: Stamp,
    updated_at: Stamp,
}

/// A page of leads.
#[derive(Debug, Serialize, JsonSchema)]
pub struct LeadList {
    leads: Vec<LeadBody>,
    has_more: bool,
}

impl From<Lead> for LeadBody {
    fn from(lead: Lead) -> Self {
        let fields = lead.fields;
        Self {
            id: lead.id.into(),
            business_id: lead.business_id.into(),
            agent_id: fields.agent_id.map(Uid::from),
            name: fields.name,
            first_name: fields.first_name,
            last_name: fields.last_name,
            email: fields.email,
            phone_valid: fields.phone.as_ref().map(|phone| phone.valid().is_some()),
            phone_extension: fields.phone.as_ref().and_then(|phone| phone.extension()).map(str::to_owned),
            phone: fields.phone.map(|phone| phone.as_str().to_owned()),
            address: fields.address,
            city: fields.city,
            state: fields.state,
            zip: fields.zip,
            status: fields.status,
            source: fields.source,
            source_url: fields.source_url,
            source_page: fields.source_page,
            notes: fields.notes,
            message: fields.message,
            event_date: fields.event_date,
            event_type: fields.event_type,
            timezone: fields.timezone,
            score: lead.score,
            score_explanation: lead.score_explanation,
            interaction_count: lead.interaction_count,
            last_contacted_at: lead.last_contacted_at.map(Stamp),
            created_at: lead.created_at.into(),
            updated_at: lead.updated_at.into(),
        }
    }
}

async fn read(
    caller: Caller<LeadsRead>,
    State(api): State<Api>,
    Query(query): Query<LeadsQuery>,
) -> Result<Reply<OneOrPage<LeadBody, LeadList>>, ApiError> {
    let tenancy = caller.tenancy().clone();
    if let Some(id) = &query.id {
        let id = found(id.known(), "lead")?;
        let lead =
            api.look_up(move |tx| Box::pin(async move { store::leads::get(tx, &tenancy, id).await })).await?;
        return Ok(Reply(OneOrPage::One(Box::new(found(lead, "lead")?.into()))));
    }
    let business_id = caller.narrowed_to(query.business_id.as_ref())?;
    let Some(agent_id) = wanted(query.agent_id.as_ref()) else {
        return Ok(Reply(OneOrPage::Page(LeadList { leads: Vec::new(), has_more: false })));
    };
    let words = |list: Option<List<Words, 20>>| list.map(|list| list.0).unwrap_or_default();
    let filter = LeadFilter {
        business_id,
        status: words(query.status),
        source: words(query.source),
        agent_id,
        phone: match &query.phone {
            Some(phone) => {
                Some(read_phone(api.web(), caller.tenancy(), business_id, &unescaped(&phone.0)).await?)
            }
            None => None,
        },
        email: query.email.map(|email| unescaped_address(&email)),
        created_after: query.created_after.map(|time| time.0),
        created_before: query.created_before.map(|time| time.0),
        updated_after: query.updated_after.map(|time| time.0),
        updated_before: query.updated_before.map(|time| time.0),
        score_gte: query.score_gte.map(|score| score.0),
        score_lte: query.score_lte.map(|score| score.0),
    };
    let page = page(query.limit, query.after);
    let listed = api
        .read(move |tx| Box::pin(async move { store::leads::list(tx, &tenancy, &filter, &page).await }))
        .await?;
    let leads = listed.rows.into_iter().map(LeadBody::from).collect();
    Ok(Reply(OneOrPage::Page(LeadList { leads, has_more: listed.has_more })))
}

async fn create(
    caller: Caller<LeadsWrite>,
    State(api): State<Api>,
    key: IdempotencyKey,
    Body { input, bytes }: Body<NewLead>,
) -> Result<Once<LeadBody>, ApiError> {
    let business = caller.business(&input.business_id)?;
    let agent_id = input.agent_id.map(|id| found(id.known(), "agent")).transpose()?;
    let given = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
    let line = |text: Option<String>| given(text).map(|text| trimmed(&text));
    let phone = match line(input.phone.map(WrittenPhone::into_inner)) {
        Some(phone) => Some(read_phone(api.web(), caller.tenancy(), Some(business), &phone).await?),
        None => None,
    };
    let fields = LeadFields {
        agent_id,
        name: line(input.name.map(Line::into_inner)),
        first_name: line(input.first_name.map(Line::into_inner)),
        last_name: line(input.last_name.map(Line::into_inner)),
        email: line(input.email.map(Line::into_inner)),
        phone,
        address: given(input.address.map(Text::into_inner)),
        city: line(input.city.map(Line::into_inner)),
        state: line(input.state.map(Line::into_inner)),
        zip: line(input.zip.map(Line::into_inner)),
        status: input.status.map_or_else(|| "new".to_owned(), |status| trimmed(&status)),
        source: input.source.map_or_else(|| "api".to_owned(), |source| trimmed(&source)),
        source_url: line(input.source_url.map(PageAddress::into_inner)),
        source_page: line(input.source_page.map(Line::into_inner)),
        notes: given(input.notes.map(Text::into_inner)),
        message: given(input.message.map(Text::into_inner)),
        event_date: line(input.event_date.map(Line::into_inner)),
        event_type: line(input.event_type.map(Line::into_inner)),
        timezone: line(input.timezone.map(Zone::into_inner)),
    };
    if !fields.identifies_somebody() {
        return Err(nameless());
    }
    let once = key.once("POST /v1/leads", &bytes, |lead: &Lead| kept(201, &LeadBody::from(lead.clone())));
    match app::leads::create(api.app(), caller.mode(), business, fields, caller.author(), once)
        .await
        .map_err(refused)?
    {
        app::idempotency::Once::New(lead) => Ok(Once::Now(lead.into())),
        app::idempotency::Once::Repeated(earlier) => repeated(earlier),
    }
}

async fn update(
    caller: Caller<LeadsWrite>,
    State(api): State<Api>,
    Body { input, .. }: Body<LeadChanges>,
) -> Result<Reply<LeadBody>, ApiError> {
    let id = found(input.id.known(), "lead")?;
    let agent_id = match &input.agent_id {
        Change::Set(id) => Change::Set(found(id.known(), "agent")?),
        Change::Clear => Change::Clear,
        Change::Keep => Change::Keep,
    };
    // A blank text is none, as in a new lead.
    let given = |change: Change<String>| match change {
        Change::Set(text) if text.trim().is_empty() => Change::Clear,
        other => other,
    };
    let set = |change: Change<String>| given(change).map(|text| trimmed(&text));
    let patch = LeadPatch {
        agent_id,
        phone: set(input.phone.map(WrittenPhone::into_inner)),
        name: set(input.name.map(Line::into_inner)),
        first_name: set(input.first_name.map(Line::into_inner)),
        last_name: set(input.last_name.map(Line::into_inner)),
        email: set(input.email.map(Line::into_inner)),
        address: given(input.address.map(Text::into_inner)),
        city: set(input.city.map(Line::into_inner)),
        state: set(input.state.map(Line::into_inner)),
        zip: set(input.zip.map(Line::into_inner)),
        status: input.status.0.map(|status| trimmed(&status)),
        source: input.source.0.map(|source| trimmed(&source)),
        source_url: set(input.source_url.map(PageAddress::into_inner)),
        source_page: set(input.source_page.map(Line::into_inner)),
        notes: given(input.notes.map(Text::into_inner)),
        message: given(input.message.map(Text::into_inner)),
        event_date: set(input.event_date.map(Line::into_inner)),
        event_type: set(input.event_type.map(Line::into_inner)),
        timezone: set(input.timezone.map(Zone::into_inner)),
    };
    let change = move |fields: &mut LeadFields, home: &str| patch.apply(fields, home);
    let lead = app::leads::update(api.app(), caller.tenancy(), id, caller.author(), change)
        .await
        .map_err(refused)?;
    Ok(Reply(lead.into()))
}

/// A line without the space around it, which nobody means.
fn trimmed(line: &str) -> String {
    line.trim().to_owned()
}

pub(crate) fn refused(error: app::leads::LeadError) -> ApiError {
    match error {
        app::leads::LeadError::NotFound => ApiError::not_found("lead"),
        app::leads::LeadError::UnknownAgent => ApiError::not_found("agent"),
        app::leads::LeadError::Nameless => nameless(),
        app::leads::LeadError::SameLead => {
            ApiError::invalid_field("merge_lead_id", "expected another lead than `id`")
        }
        app::leads::LeadError::OtherBusiness => {
            ApiError::invalid_field("merge_lead_id", "expected a lead of the same business")
        }
        app::leads::LeadError::Store(error) => error.into(),
    }
}

fn nameless() -> ApiError {
    let expected = "expected at least one of `name`, `first_name`, `last_name`, `phone` and `email`";
    ApiError::invalid_field("name", expected)
}
