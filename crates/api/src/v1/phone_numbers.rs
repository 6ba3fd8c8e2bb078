//! Phone numbers by the names of the official SDKs: those that a business holds, those that are free, taking one and giving it back.

use app::numbers::{AnsweredBy, NumberError};
use axum::extract::State;
use domain::number::Number;
use domain::{AgentId, BusinessId, E164};
use http::Method;
use schemars::{JsonSchema, SchemaGenerator};
use serde::Serialize;
use serde_json::{Value, json};
use web::leads::unescaped;

use crate::Api;
use crate::answer::{Reply, Stamp, Uid, found};
use crate::caller::{Caller, NumbersRead, NumbersWrite};
use crate::error::{ApiError, Code};
use crate::idempotency::{IdempotencyKey, Once, kept, repeated};
use crate::input::{Body, Change, Cursor, Field, Id, Limit, Phone, Problem, Query, input, page};
use crate::route::Route;
use crate::v1::numbers::Capabilities;

const PATH: &str = "/api/v1/phone-numbers";

pub(crate) fn routes() -> Vec<Route> {
    let capabilities = json!({ "voice": true, "sms": false, "mms": false });
    let (agent, business) = ("01940000-0000-7000-8000-000000000011", "01940000-0000-7000-8000-000000000001");
    let number = json!({
        "id": "01940000-0000-7000-8000-000000000031", "phone_number": "+15125550100", "agent_id": agent,
        "business_id": business, "capabilities": capabilities,
        "compliance": {
            "high_risk_category": false, "disclosure_note": null, "e911_address_set": false,
            "sms_registration": "unregistered",
        },
        "country": "US", "area_code": "512", "status": "assigned", "created_at": "2026-02-15T14:30:00.000000Z",
    });
    let free = json!({
        "phone_number": "+15125550101", "country": "US", "area_code": "512", "capabilities": capabilities,
    });
    vec![
        Route::new(Method::GET, PATH, "phone_numbers.list", list)
            .about(
                "List phone numbers, or look one up",
                "The numbers that the businesses of the key hold, newest first. With `phone_number` only that one, also as `number`, which \
                 is null if the key does not reach it.",
            )
            .refuses(&[Code::Forbidden])
            .example(None, json!({ "numbers": [number], "has_more": false })),
        Route::new(Method::GET, "/api/v1/phone-numbers/available", "phone_numbers.available", available)
            .about(
                "List phone numbers that can be taken",
                "The numbers of this installation that no business holds, in their order. Whoever runs the server registers them.",
            )
            .example(
                None,
                json!({ "numbers": [free], "available_numbers": ["+15125550101"], "has_more": false }),
            ),
        Route::new(Method::POST, PATH, "phone_numbers.assign", assign)
            .about(
                "Take a phone number, or say who answers it",
                "Takes a number that no business holds, and gives it to an agent if one is named. Of a number that the business holds already \
                 only the agent changes; without `agent_id` it stays, null leaves the number to nobody. Harmless to repeat.",
            )
            .refuses(&[Code::NotFound, Code::Conflict])
            .example(
                Some(json!({ "phone_number": "+15125550100", "business_id": business, "agent_id": agent })),
                json!({ "success": true, "number": number }),
            ),
        Route::new(Method::DELETE, PATH, "phone_numbers.release", release)
            .about("Give a phone number back", "Nobody answers it any more, and every business can take it.")
            .refuses(&[Code::NotFound])
            .example(None, json!({ "success": true, "phone_number": "+15125550100", "released": true })),
    ]
}

input! {
    /// Which numbers to list.
    pub struct PhoneNumbersQuery {
        /// Only those of this business.
        business_id: Option<Id<BusinessId>> = "business_id",
        /// Only this number, in E.164 format.
        phone_number: Option<AskedNumber> = "phone_number",
        /// Largest number of rows in the answer.
        limit: Limit<50, 100> = "limit",
        /// Only rows created before this time; take the `created_at` of the last row of the page before.
        after: Option<Cursor> = "after",
    }

    /// Which free numbers to list.
    pub struct AvailableQuery {
        /// Country of the numbers as two letters; `US` by default.
        country: Option<Country> = "country",
        /// Area code of the numbers, in North America.
        area_code: Option<AreaCode> = "area_code",
        /// What the numbers have to be able to do: `voice`, `sms` or `mms`.
        capability: Option<Capability> = "capability",
        /// Largest number of rows in the answer.
        limit: Limit<20, 100> = "limit",
    }

    /// A number to take.
    pub struct NumberAssignment {
        /// The number in E.164 format.
        phone_number: Phone = "phone_number",
        /// Id of the business that takes it; the only one of the key by default.
        business_id: Option<Id<BusinessId>> = "business_id",
        /// Id of the agent that answers the number and calls from it; null for none.
        agent_id: Change<Id<AgentId>> = "agent_id",
    }

    /// A number to give back.
    pub struct ReleaseQuery {
        /// The number in E.164 format.
        phone_number: AskedNumber = "phone_number",
        /// Id of the business that holds it.
        business_id: Option<Id<BusinessId>> = "business_id",
    }
}

/// A number in an address. Its plus sign may have arrived as a space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedNumber(E164);

impl AskedNumber {
    pub(crate) fn into_inner(self) -> E164 {
        self.0
    }
}

impl Field for AskedNumber {
    fn read(value: Value) -> Result<Self, Problem> {
        let value = match value {
            Value::String(text) => Value::String(unescaped(&text)),
            other => other,
        };
        Phone::read(value).map(|phone| Self(phone.0))
    }

    fn schema(generator: &mut SchemaGenerator) -> Value {
        Phone::schema(generator)
    }
}

/// The digits with which the numbers of a region begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AreaCode(String);

impl Field for AreaCode {
    fn read(value: Value) -> Result<Self, Problem> {
        let text = value.as_str().unwrap_or_default();
        if (1..=10).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Problem::new("", "expected digits, like 512"))
        }
    }

    fn schema(_: &mut SchemaGenerator) -> Value {
        json!({ "type": "string", "pattern": "^[0-9]{1,10}$" })
    }
}

/// Two letters for a country, in either case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Country(String);

impl Field for Country {
    fn read(value: Value) -> Result<Self, Problem> {
        let text = value.as_str().unwrap_or_default();
        if text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_alphabetic()) {
            Ok(Self(text.to_ascii_uppercase()))
        } else {
            Err(Problem::new("", "expected the two letters of a country, like US"))
        }
    }

    fn schema(_: &mut SchemaGenerator) -> Value {
        json!({ "type": "string", "pattern": "^[A-Za-z]{2}$", "default": "US" })
    }
}

/// What a number can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capability(&'static str);

const CAPABILITIES: [&str; 3] = ["voice", "sms", "mms"];

impl Field for Capability {
    fn read(value: Value) -> Result<Self, Problem> {
        let known = CAPABILITIES.into_iter().find(|word| value.as_str() == Some(word));
        known.map(Self).ok_or_else(|| Problem::new("", "expected voice, sms or mms"))
    }

    fn schema(_: &mut SchemaGenerator) -> Value {
        json!({ "type": "string", "enum": CAPABILITIES })
    }
}

/// A phone number, who holds it, and what it may be used for.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PhoneNumber {
    id: Uid,
    /// The number in E.164 format.
    phone_number: String,
    /// Id of the agent that answers the number and calls from it; null if there is none.
    agent_id: Option<Uid>,
    business_id: Option<Uid>,
    capabilities: Capabilities,
    compliance: Compliance,
    /// Country of the number as two letters; null if it belongs to none.
    country: Option<String>,
    /// Area code of a number in North America; null elsewhere.
    area_code: Option<String>,
    /// `assigned` if a business uses the number, otherwise `available`.
    status: &'static str,
    created_at: Stamp,
}

/// What is known of the rules that a number is under.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Compliance {
    high_risk_category: bool,
    disclosure_note: Option<String>,
    /// Whether an address for emergency calls is on record; a server of your own keeps none.
    e911_address_set: bool,
    /// Whether text messages are registered; always `unregistered`, because none are sent.
    sms_registration: &'static str,
}

/// A page of numbers.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PhoneNumberList {
    numbers: Vec<PhoneNumber>,
    has_more: bool,
    /// The number that was asked for by `phone_number`; absent where none was.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[expect(clippy::option_option, reason = "absent and null say different things")]
    number: Option<Option<PhoneNumber>>,
}

/// A number that can be taken.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AvailableNumber {
    /// The number in E.164 format.
    phone_number: String,
    country: Option<String>,
    area_code: Option<String>,
    capabilities: Capabilities,
}

/// Numbers that can be taken.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AvailableNumbers {
    numbers: Vec<AvailableNumber>,
    /// The same numbers without what is known of them.
    available_numbers: Vec<String>,
    has_more: bool,
}

/// A number that was taken.
#[derive(Debug, Serialize, JsonSchema)]
pub struct NumberAssigned {
    /// Always true: what fails is answered with an error.
    success: bool,
    number: PhoneNumber,
}

/// A number that was given back.
#[derive(Debug, Serialize, JsonSchema)]
pub struct NumberReleased {
    /// Always true: what fails is answered with an error.
    success: bool,
    phone_number: String,
    released: bool,
}

impl From<Number> for PhoneNumber {
    fn from(number: Number) -> Self {
        let phone = &number.phone_number;
        Self {
            id: number.id.into(),
            country: phone.country(),
            area_code: phone.area_code().map(str::to_owned),
            phone_number: phone.to_string(),
            agent_id: number.agent_id.map(Uid::from),
            status: if number.business_id.is_some() { "assigned" } else { "available" },
            business_id: number.business_id.map(Uid::from),
            capabilities: Capabilities::HERE,
            compliance: Compliance {
                high_risk_category: false,
                disclosure_note: None,
                e911_address_set: false,
                sms_registration: "unregistered",
            },
            created_at: number.created_at.into(),
        }
    }
}

impl From<Number> for AvailableNumber {
    fn from(number: Number) -> Self {
        let phone = &number.phone_number;
        Self {
            phone_number: phone.to_string(),
            country: phone.country(),
            area_code: phone.area_code().map(str::to_owned),
            capabilities: Capabilities::HERE,
        }
    }
}

async fn list(
    caller: Caller<NumbersRead>,
    State(api): State<Api>,
    Query(query): Query<PhoneNumbersQuery>,
) -> Result<Reply<PhoneNumberList>, ApiError> {
    let business = caller.narrowed_to(query.business_id.as_ref())?;
    let tenancy = caller.tenancy().clone();
    if let Some(AskedNumber(phone)) = query.phone_number {
        let known = api
            .read(move |tx| Box::pin(async move { store::numbers::get(tx, &tenancy, &phone).await }))
            .await?
            .filter(|number| business.is_none() || number.business_id == business);
        let numbers = known.iter().cloned().map(PhoneNumber::from).collect();
        let number = Some(known.map(PhoneNumber::from));
        return Ok(Reply(PhoneNumberList { numbers, has_more: false, number }));
    }
    let page = page(query.limit, query.after);
    let listed = api
        .read(move |tx| Box::pin(async move { store::numbers::list(tx, &tenancy, business, &page).await }))
        .await?;
    let numbers = listed.rows.into_iter().map(PhoneNumber::from).collect();
    Ok(Reply(PhoneNumberList { numbers, has_more: listed.has_more, number: None }))
}

async fn available(
    _caller: Caller<NumbersRead>,
    State(api): State<Api>,
    Query(query): Query<AvailableQuery>,
) -> Result<Reply<AvailableNumbers>, ApiError> {
    let area_code = query.area_code.map(|code| code.0);
    let country = query.country.map_or_else(|| "US".to_owned(), |country| country.0);
    let can_all = query.capability.is_none_or(|word| Capabilities::HERE.include(word.0));
    let (found, has_more) = if can_all {
        let limit = usize::try_from(query.limit.0).unwrap_or(usize::MAX);
        app::numbers::available(api.app(), country, area_code, limit).await?
    } else {
        (Vec::new(), false)
    };
    let numbers: Vec<AvailableNumber> = found.into_iter().map(AvailableNumber::from).collect();
    let available_numbers = numbers.iter().map(|number| number.phone_number.clone()).collect();
    Ok(Reply(AvailableNumbers { numbers, available_numbers, has_more }))
}

async fn assign(
    caller: Caller<NumbersWrite>,
    State(api): State<Api>,
    key: IdempotencyKey,
    Body { input, bytes }: Body<NumberAssignment>,
) -> Result<Once<NumberAssigned, 200>, ApiError> {
    let business = caller.only_business(input.business_id.as_ref())?;
    let answered_by = match &input.agent_id {
        Change::Keep => AnsweredBy::AsBefore,
        Change::Clear => AnsweredBy::Nobody,
        Change::Set(agent) => AnsweredBy::Agent(found(agent.known(), "agent")?),
    };
    let body = |number: &Number| NumberAssigned { success: true, number: number.clone().into() };
    let once = key.once("POST /v1/phone-numbers", &bytes, move |number: &Number| kept(200, &body(number)));
    let phone = input.phone_number.0;
    let taken =
        app::numbers::take(&caller.acting(&api), caller.tenancy(), phone, business, answered_by, once).await;
    match taken.map_err(refused)? {
        app::idempotency::Once::New(number) => Ok(Once::Now(body(&number))),
        app::idempotency::Once::Repeated(earlier) => repeated(earlier),
    }
}

async fn release(
    caller: Caller<NumbersWrite>,
    State(api): State<Api>,
    Query(query): Query<ReleaseQuery>,
) -> Result<Reply<NumberReleased>, ApiError> {
    let business = caller.narrowed_to(query.business_id.as_ref())?;
    let AskedNumber(phone) = query.phone_number;
    let phone_number = phone.to_string();
    app::numbers::give_back(&caller.acting(&api), caller.tenancy(), phone, business)
        .await
        .map_err(refused)?;
    Ok(Reply(NumberReleased { success: true, phone_number, released: true }))
}

fn refused(error: NumberError) -> ApiError {
    match error {
        NumberError::Unregistered => ApiError::not_found("phone number"),
        NumberError::UnknownAgent => ApiError::not_found("agent"),
        NumberError::UnknownBusiness => ApiError::foreign_business(),
        NumberError::AgentOfOthers => {
            ApiError::invalid_field("agent_id", "expected an agent of the business that takes the number")
        }
        NumberError::HeldByOthers | NumberError::Taken => {
            ApiError::new(Code::Conflict, "another business holds this number")
        }
        NumberError::UnknownEngine(error) => ApiError::internal(error),
        NumberError::Store(error) => error.into(),
    }
}
