//! Signing up, where whoever runs the server allows it.

use app::Acting;
use app::setup::AccountError;
use app::signup::{SignedUp, Signup};
use axum::extract::{FromRequestParts, State};
use http::Method;
use http::request::Parts;
use schemars::{JsonSchema, SchemaGenerator};
use serde::Serialize;
use serde_json::json;
use web::limits::Group;

use crate::Api;
use crate::answer::{Created, Stamp, Uid};
use crate::error::{ApiError, Code};
use crate::input::{Body, Line, Mail, PageAddress, Phone, input};
use crate::route::{Describe, Operation, Route};

pub(crate) fn routes() -> Vec<Route> {
    let made = json!({
        "api_key": "kc_live_abc1…", "business_id": "01940000-0000-7000-8000-000000000001",
        "agent_id": "01940000-0000-7000-8000-000000000011", "phone_number": "+15125550100",
        "dashboard_url": "https://kai.example.com", "trial_ends_at": null, "provisioning_deferred": false,
        "payment_capture": "none",
    });
    vec![
        Route::new(Method::POST, "/api/v1/signup", "session.signup", sign_up)
            .about(
                "Sign up",
                "Makes a business with an owner, an agent, a live key that may do everything in it, and a phone number if one is free. \
                 Only where the server's operator allows it. `api_key` is shown in this answer and never again.",
            )
            .counted_as(Group::Signup)
            .refuses(&[Code::Forbidden, Code::Conflict, Code::RateLimited])
            .example(
                Some(json!({ "business_name": "Smith & Partners", "email": "you@example.com", "business_type": "legal" })),
                made,
            ),
    ]
}

input! {
    /// Who signs up.
    pub struct NewAccount {
        /// Name of the business, as agents say it.
        business_name: Line<1, 200> = "business_name" | "businessName",
        /// E-mail address of the owner.
        email: Mail = "email",
        /// Kind of the business, like `legal` or `home services`.
        business_type: Option<Line<0, 100>> = "business_type" | "businessType",
        /// Address of the web page of the business.
        website: Option<PageAddress> = "website",
        /// Phone number that callers are passed on to.
        phone_forward_to: Option<Phone> = "phone_forward_to" | "phoneForwardTo",
        /// Not used: a server of your own has no plans.
        plan_id: Option<Line<0, 100>> = "plan_id" | "planId",
    }
}

/// A new account.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AccountCreated {
    /// A live key that may do everything in the new business. It is shown in this answer and never again.
    api_key: String,
    business_id: Uid,
    agent_id: Option<Uid>,
    /// Phone number that the agent answers; null while none is free.
    phone_number: Option<String>,
    /// Address of the dashboard.
    dashboard_url: String,
    /// Always null, because a server of your own has no trial.
    trial_ends_at: Option<Stamp>,
    /// Whether no phone number was free.
    provisioning_deferred: bool,
    /// Always `none`, because a server of your own takes no payment.
    payment_capture: &'static str,
}

impl AccountCreated {
    fn new(made: SignedUp, dashboard_url: String) -> Self {
        Self {
            api_key: made.key,
            business_id: made.business.id.into(),
            agent_id: Some(made.agent.id.into()),
            provisioning_deferred: made.number.is_none(),
            phone_number: made.number.map(|number| number.to_string()),
            dashboard_url,
            trial_ends_at: None,
            payment_capture: "none",
        }
    }
}

/// A request to sign up from an address that has not done so too often, at a server that allows it.
struct SignupGate {
    acting: Acting,
}

impl FromRequestParts<Api> for SignupGate {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, ApiError> {
        if api.web().settings().rate_limits.signup == 0 {
            let message = "nobody can sign up at this server; ask whoever runs it for an account";
            return Err(ApiError::new(Code::Forbidden, message));
        }
        web::session::count_signup(api.web(), parts)?;
        Ok(Self { acting: web::session::stranger(api.web(), parts) })
    }
}

impl Describe for SignupGate {
    fn describe(operation: &mut Operation, _: &mut SchemaGenerator) {
        operation.codes.insert(Code::Forbidden);
    }
}

async fn sign_up(
    State(api): State<Api>,
    gate: SignupGate,
    Body { input, .. }: Body<NewAccount>,
) -> Result<Created<AccountCreated>, ApiError> {
    let given = |text: String| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    let signup = Signup {
        business_name: input.business_name.into_inner(),
        email: input.email.0,
        business_type: input.business_type.map(Line::into_inner).and_then(given),
        website: input.website.map(PageAddress::into_inner).and_then(given),
        forward_to: input.phone_forward_to.map(|phone| phone.0),
    };
    let _plan = input.plan_id;
    let made = app::signup::sign_up(&gate.acting, signup).await.map_err(refused)?;
    let dashboard_url = api.app().settings().public_url.clone();
    Ok(Created(AccountCreated::new(made, dashboard_url)))
}

fn refused(error: AccountError) -> ApiError {
    match error {
        AccountError::Email => ApiError::invalid_field("email", "expected one like you@example.com"),
        AccountError::BusinessName => {
            ApiError::invalid_field("business_name", "expected 1 to 200 characters in one line")
        }
        AccountError::EmailTaken => {
            ApiError::new(Code::Conflict, "there is an account with this e-mail address already")
        }
        // Two requests at once: the second one meets the first one's user.
        AccountError::Store(store::StoreError::Conflict(_)) => refused(AccountError::EmailTaken),
        AccountError::Store(error) => error.into(),
        other => ApiError::internal(other),
    }
}
