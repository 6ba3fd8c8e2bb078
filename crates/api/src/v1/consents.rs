//! Consent: who agreed to be called, when and where they said so, and who took it back.

use app::consents::{ConsentError, NewConsent};
use axum::extract::State;
use domain::{BusinessId, LeadId};
use http::Method;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use store::consents::ConsentRecord;

use crate::Api;
use crate::answer::{Reply, Stamp, Uid, found};
use crate::caller::{Caller, LeadsRead, LeadsWrite};
use crate::error::{ApiError, Code};
use crate::idempotency::{IdempotencyKey, Once, kept, repeated};
use crate::input::{Body, Cursor, Id, Limit, Line, Phone, Query, Text, Time, input, page};
use crate::route::Route;
use crate::v1::phone_numbers::AskedNumber;

const PATH: &str = "/api/v1/consents";

pub(crate) fn routes() -> Vec<Route> {
    let business = "01940000-0000-7000-8000-000000000001";
    let time = "2026-02-15T14:30:00.000000Z";
    let record = json!({
        "id": "01940000-0000-7000-8000-000000000061", "business_id": business, "phone_number": "+15125551234", "lead_id": null,
        "status": "given", "source": "web form", "evidence": "https://example.com/forms/17", "said_at": time, "created_at": time,
    });
    vec![
        Route::new(Method::GET, PATH, "consents.list", list)
            .about(
                "List what people said about being called",
                "Consents and withdrawals as they were recorded, in the key's mode. The latest word about a number is the one that counts.",
            )
            .example(None, json!({ "consents": [record], "has_more": false })),
        Route::new(Method::POST, PATH, "consents.create", give)
            .about(
                "Record a consent",
                "That the person with this number agreed to be called by the business. A workspace with `consent_required` calls nobody without.",
            )
            .refuses(&[Code::NotFound])
            .example(
                Some(json!({
                    "business_id": business, "phone_number": "+15125551234", "source": "web form",
                    "evidence": "https://example.com/forms/17", "given_at": time,
                })),
                record,
            ),
        Route::new(Method::DELETE, PATH, "consents.withdraw", withdraw)
            .about(
                "Withdraw a consent",
                "That the person with this number does not agree any more. What was recorded before is kept. Where no consent counts, nothing is \
                 recorded and `withdrawn` is false.",
            )
            .example(None, json!({ "success": true, "phone_number": "+15125551234", "withdrawn": true })),
    ]
}

input! {
    /// Which records to list.
    pub struct ConsentsQuery {
        /// Only those of this business.
        business_id: Option<Id<BusinessId>> = "business_id",
        /// Only those about this number, in E.164 format.
        phone_number: Option<AskedNumber> = "phone_number",
        /// Largest number of rows in the answer.
        limit: Limit<50, 100> = "limit",
        /// Only rows created before this time; take the `created_at` of the last row of the page before.
        after: Option<Cursor> = "after",
    }

    /// A consent to record.
    pub struct ConsentToRecord {
        /// Id of the business that may call; the only one of the key by default.
        business_id: Option<Id<BusinessId>> = "business_id",
        /// Phone number that may be called, in E.164 format.
        phone_number: Phone = "phone_number",
        /// Id of the lead who gave it.
        lead_id: Option<Id<LeadId>> = "lead_id",
        /// Where the person gave it, like `web form` or `in writing`.
        source: Line<1, 100> = "source",
        /// What there is to show for it: an address, a text, the name of a file.
        evidence: Option<Text<0, 2_000>> = "evidence",
        /// When the person gave it; now by default. A time to come counts as now.
        given_at: Option<Time> = "given_at",
    }

    /// Whose consent to withdraw.
    pub struct WithdrawQuery {
        /// Id of the business that may no longer call; the only one of the key by default.
        business_id: Option<Id<BusinessId>> = "business_id",
        /// Phone number that may no longer be called, in E.164 format.
        phone_number: AskedNumber = "phone_number",
        /// Where the person withdrew it; `api` by default.
        source: Option<Line<1, 100>> = "source",
    }
}

/// One word of a person about being called.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Consent {
    id: Uid,
    business_id: Uid,
    phone_number: String,
    lead_id: Option<Uid>,
    /// `given` or `withdrawn`.
    status: &'static str,
    /// Where the person said so.
    source: String,
    evidence: Option<String>,
    /// When the person said so.
    said_at: Stamp,
    /// When it was recorded.
    created_at: Stamp,
}

/// A page of records.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ConsentList {
    consents: Vec<Consent>,
    has_more: bool,
}

/// What became of a consent.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ConsentWithdrawn {
    /// Always true.
    success: bool,
    phone_number: String,
    /// False if no consent of this number counted.
    withdrawn: bool,
}

impl From<ConsentRecord> for Consent {
    fn from(record: ConsentRecord) -> Self {
        Self {
            id: record.id.into(),
            business_id: record.business_id.into(),
            phone_number: record.phone_number.to_string(),
            lead_id: record.lead_id.map(Uid::from),
            status: if record.is_given { "given" } else { "withdrawn" },
            source: record.source,
            evidence: record.evidence,
            said_at: record.said_at.into(),
            created_at: record.created_at.into(),
        }
    }
}

async fn list(
    caller: Caller<LeadsRead>,
    State(api): State<Api>,
    Query(query): Query<ConsentsQuery>,
) -> Result<Reply<ConsentList>, ApiError> {
    let business = caller.narrowed_to(query.business_id.as_ref())?;
    let (tenancy, phone) = (caller.tenancy().clone(), query.phone_number.map(AskedNumber::into_inner));
    let page = page(query.limit, query.after);
    let listed = api
        .read(move |tx| {
            Box::pin(
                async move { store::consents::list(tx, &tenancy, business, phone.as_ref(), &page).await },
            )
        })
        .await?;
    let consents = listed.rows.into_iter().map(Consent::from).collect();
    Ok(Reply(ConsentList { consents, has_more: listed.has_more }))
}

async fn give(
    caller: Caller<LeadsWrite>,
    State(api): State<Api>,
    key: IdempotencyKey,
    Body { input, bytes }: Body<ConsentToRecord>,
) -> Result<Once<Consent>, ApiError> {
    let business = caller.only_business(input.business_id.as_ref())?;
    let new = NewConsent {
        phone_number: input.phone_number.0,
        lead_id: input.lead_id.map(|id| found(id.known(), "lead")).transpose()?,
        source: input.source.into_inner(),
        evidence: input.evidence.map(Text::into_inner).filter(|text| !text.is_empty()),
        given_at: input.given_at.map(|at| at.0),
    };
    let once = key.once("POST /v1/consents", &bytes, |record: &ConsentRecord| {
        kept(201, &Consent::from(record.clone()))
    });
    let given = app::consents::give(&caller.acting(&api), caller.tenancy(), business, new, once).await;
    match given.map_err(refused)? {
        app::idempotency::Once::New(record) => Ok(Once::Now(record.into())),
        app::idempotency::Once::Repeated(earlier) => repeated(earlier),
    }
}

async fn withdraw(
    caller: Caller<LeadsWrite>,
    State(api): State<Api>,
    Query(query): Query<WithdrawQuery>,
) -> Result<Reply<ConsentWithdrawn>, ApiError> {
    let business = caller.only_business(query.business_id.as_ref())?;
    let phone = query.phone_number.into_inner();
    let phone_number = phone.to_string();
    let source = query.source.map_or_else(|| "api".to_owned(), Line::into_inner);
    let withdrawn =
        app::consents::withdraw(&caller.acting(&api), caller.tenancy(), business, phone, source).await;
    Ok(Reply(ConsentWithdrawn { success: true, phone_number, withdrawn: withdrawn.map_err(refused)? }))
}

fn refused(error: ConsentError) -> ApiError {
    match error {
        ConsentError::UnknownBusiness => ApiError::foreign_business(),
        ConsentError::UnknownLead => ApiError::not_found("lead"),
        ConsentError::Store(error) => error.into(),
    }
}
