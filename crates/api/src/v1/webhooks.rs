//! Subscriptions to events.

use app::endpoints::{EndpointChange, EndpointError, NewEndpoint, OldSecret, Saved};
use app::idempotency::{KeptAnswer, Once as Acted};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::endpoint::{Endpoint, Subscribed};
use domain::event::{EventType, TestData};
use domain::{BusinessId, EndpointId};
use http::Method;
use schemars::{JsonSchema, SchemaGenerator};
use serde::Serialize;
use serde_json::{Value, json};
use store::Page;
use store::deliveries::AttemptView;

use crate::Api;
use crate::answer::{Reply, Stamp, Uid, found};
use crate::caller::{Caller, WebhooksRead, WebhooksWrite};
use crate::error::{ApiError, Code};
use crate::idempotency::{IdempotencyKey, Once, Replay, kept, repeated};
use crate::input::{Body, Change, Field, Id, Line, Object, Problem, Query, Url, input};
use crate::route::{AnswerDoc, Describe, Operation, Route};
use crate::v1::events::DeliveryRow;

pub(crate) fn routes() -> Vec<Route> {
    let path = "/api/v1/webhooks";
    let id = "01940000-0000-7000-8000-000000000071";
    let webhook = json!({
        "id": id, "url": "https://hooks.example.com/kaicalls", "webhook_url": "https://hooks.example.com/kaicalls",
        "business_id": "01940000-0000-7000-8000-000000000001", "events": ["call.completed", "lead.created"],
        "description": "CRM", "is_active": true, "webhook_secret_masked": "whsec_…9Kw=", "previous_secret_expires_at": null,
        "failing_since": null, "last_error": null, "last_error_at": null, "disabled_at": null, "disabled_reason": null,
        "created_at": "2026-02-15T14:30:00.000000Z", "updated_at": "2026-02-15T14:30:00.000000Z",
    });
    let mut saved = webhook.clone();
    saved["success"] = true.into();
    saved["webhook"] = webhook.clone();
    saved["webhook_secret"] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8G9Kw=".into();
    vec![
        Route::new(Method::GET, path, "webhooks.list", list)
            .about(
                "List webhook subscriptions",
                "Subscriptions of the key's mode, newest first. `events` names all events that a subscription can hear of.",
            )
            .refuses(&[Code::Forbidden])
            .example(
                None,
                json!({ "business_id": null, "webhooks": [webhook], "events": catalogue(), "has_more": false }),
            ),
        Route::new(Method::POST, path, "webhooks.create", save)
            .about(
                "Create or change a webhook subscription",
                "Without `id` a subscription is created: `webhook_secret` is shown in this answer and never again. With `id` that \
                 subscription is changed, and fields that are not sent stay. A subscription that was switched off works again after \
                 `is_active: true`. A business may have 50 subscriptions.",
            )
            .refuses(&[Code::NotFound, Code::Conflict])
            .example(
                Some(json!({
                    "webhook_url": "https://hooks.example.com/kaicalls", "events": ["call.completed", "lead.created"],
                    "description": "CRM",
                })),
                saved,
            ),
        Route::new(Method::DELETE, path, "webhooks.delete", remove)
            .about(
                "Delete a webhook subscription",
                "Without `id`, all subscriptions of the business. What is still to be delivered to a deleted subscription is not delivered.",
            )
            .refuses(&[Code::NotFound])
            .example(None, json!({ "success": true, "id": id, "deleted": true })),
        Route::new(Method::POST, "/api/v1/webhooks/test", "webhooks.test", test)
            .about(
                "Send a test event",
                "Sends one signed event `webhook.test` and answers when the receiver has answered, at the latest after 5 seconds. Works on \
                 subscriptions that are off, and changes nothing about them.",
            )
            .refuses(&[Code::NotFound])
            .example(
                Some(json!({ "id": id, "data": { "hello": "world" } })),
                json!({
                    "success": true, "event_id": "01940000-0000-7000-8000-000000000081", "event_type": "webhook.test",
                    "delivery": super::events::delivery_example("webhook.test"),
                }),
            ),
        Route::new(Method::POST, "/api/v1/webhooks/rotate-secret", "webhooks.rotate_secret", rotate)
            .about(
                "Exchange the secret of a webhook subscription",
                "`webhook_secret` is shown in this answer and never again. For 24 hours deliveries carry signatures by both secrets, so \
                 that receivers can change over; with `revoke_previous` the old one ends at once.",
            )
            .refuses(&[Code::NotFound])
            .example(
                Some(json!({ "id": id })),
                json!({
                    "success": true, "id": id, "webhook_secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8G9Kw=",
                    "webhook_secret_masked": "whsec_…9Kw=", "rotated_at": "2026-02-15T14:30:00.000000Z",
                    "previous_secret_expires_at": "2026-02-16T14:30:00.000000Z",
                }),
            ),
    ]
}

input! {
    /// Which subscriptions to list.
    pub struct WebhooksQuery {
        /// Only those of this business.
        business_id: Option<Id<BusinessId>> = "business_id",
    }

    /// A subscription to create, or changes to one.
    pub struct WebhookSubscription {
        /// Address that gets a signed POST for each event; needed for a new subscription.
        webhook_url: Option<Url> = "webhook_url",
        /// Id of the business that the subscription belongs to; may be left out if the key reaches only one.
        business_id: Option<Id<BusinessId>> = "business_id",
        /// Events to hear of; `*` stands for all, those of later versions included. By default all that there are now.
        events: Option<EventNames> = "events",
        /// What the subscription is for.
        description: Change<Line<0, 500>> = "description",
        /// Id of the subscription to change; without it one is created.
        id: Option<Id<EndpointId>> = "id",
        /// Whether the subscription hears of events; true by default.
        is_active: Option<bool> = "is_active",
    }

    /// Which subscription to delete.
    pub struct DeleteQuery {
        /// Id of the subscription to delete; without it all of the business are deleted.
        id: Option<Id<EndpointId>> = "id",
        /// Id of the business; needed without `id`.
        business_id: Option<Id<BusinessId>> = "business_id",
    }

    /// A test to send.
    pub struct WebhookTest {
        /// Id of the subscription to try out.
        id: Id<EndpointId> = "id",
        /// Id of the business that the subscription belongs to.
        business_id: Option<Id<BusinessId>> = "business_id",
        /// What the event carries under `data`; an empty object by default.
        data: Option<Object<16_384>> = "data",
    }

    /// A secret to exchange.
    pub struct SecretRotation {
        /// Id of the subscription whose secret is exchanged.
        id: Id<EndpointId> = "id",
        /// Id of the business that the subscription belongs to.
        business_id: Option<Id<BusinessId>> = "business_id",
        /// Whether the old secret ends at once instead of after 24 hours.
        revoke_previous: Option<bool> = "revoke_previous",
    }
}

/// Names of events, or `*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventNames(pub Subscribed);

impl Field for EventNames {
    fn read(value: Value) -> Result<Self, Problem> {
        let wrong = || {
            let expected =
                format!("expected names of events, at least one, out of {}, *", catalogue().join(", "));
            Problem::new("", expected)
        };
        let names: Vec<String> = match value {
            Value::Array(items) => items
                .into_iter()
                .map(|item| if let Value::String(name) = item { Some(name) } else { None })
                .collect::<Option<_>>()
                .ok_or_else(wrong)?,
            Value::String(names) => names.split(',').map(|name| name.trim().to_owned()).collect(),
            _ => return Err(wrong()),
        };
        Subscribed::parse(names.iter().map(String::as_str)).map(Self).ok_or_else(wrong)
    }

    fn schema(_: &mut SchemaGenerator) -> Value {
        let mut names = catalogue();
        names.push("*");
        json!({ "type": "array", "minItems": 1, "items": { "type": "string", "enum": names } })
    }
}

fn catalogue() -> Vec<&'static str> {
    EventType::subscribable().map(EventType::as_str).collect()
}

/// A subscription to events, without its secret.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Webhook {
    id: Uid,
    url: String,
    /// The same as `url`.
    webhook_url: String,
    business_id: Uid,
    /// Events that the subscription hears of; `*` stands for all.
    events: Vec<&'static str>,
    description: Option<String>,
    /// False if its owner or we have switched it off.
    is_active: bool,
    /// The end of the secret, to recognise it by.
    webhook_secret_masked: String,
    /// Time until which deliveries are signed with the secret of before as well.
    previous_secret_expires_at: Option<Stamp>,
    /// Time of the first failure after which nothing has arrived; null while deliveries arrive.
    failing_since: Option<Stamp>,
    /// What came of the last failure: `status` and the number, or why there was no answer.
    last_error: Option<String>,
    last_error_at: Option<Stamp>,
    /// Time at which we switched the subscription off.
    disabled_at: Option<Stamp>,
    /// `gone` after an answer of 410, `failing` after five days of nothing but failures.
    disabled_reason: Option<&'static str>,
    created_at: Stamp,
    updated_at: Stamp,
}

impl From<Endpoint> for Webhook {
    fn from(endpoint: Endpoint) -> Self {
        Self {
            id: endpoint.id.into(),
            webhook_url: endpoint.url.clone(),
            url: endpoint.url,
            business_id: endpoint.business_id.into(),
            events: endpoint.events.names(),
            description: endpoint.description,
            is_active: endpoint.is_active,
            webhook_secret_masked: format!("whsec_…{}", endpoint.secret_hint),
            previous_secret_expires_at: endpoint.exchanged_until.map(Stamp),
            failing_since: endpoint.failing_since.map(Stamp),
            last_error: endpoint.last_error,
            last_error_at: endpoint.last_error_at.map(Stamp),
            disabled_at: endpoint.disabled.map(|disabled| Stamp(disabled.at)),
            disabled_reason: endpoint.disabled.map(|disabled| disabled.reason.as_str()),
            created_at: endpoint.created_at.into(),
            updated_at: endpoint.updated_at.into(),
        }
    }
}

/// The subscriptions, and what can be subscribed to.
#[derive(Debug, Serialize, JsonSchema)]
pub struct WebhookList {
    /// Id of the business if only its subscriptions are listed.
    business_id: Option<Uid>,
    webhooks: Vec<Webhook>,
    /// Names of all events that a subscription can hear of.
    events: Vec<&'static str>,
    has_more: bool,
}

/// A subscription that was created or changed.
#[derive(Debug, Serialize, JsonSchema)]
pub struct WebhookSaved {
    #[serde(flatten)]
    fields: Webhook,
    /// Always true: what fails is answered with an error.
    success: bool,
    webhook: Webhook,
    /// Secret that deliveries are signed with; only in the answer to a creation.
    #[serde(skip_serializing_if = "Option::is_none")]
    webhook_secret: Option<String>,
}

/// A subscription that was deleted.
#[derive(Debug, Serialize, JsonSchema)]
pub struct WebhookDeleted {
    /// Always true: what fails is answered with an error.
    success: bool,
    /// Id of the subscription; null if all of the business were deleted.
    id: Option<Uid>,
    /// Always true: the subscription is gone, and what was on its way to it is given up.
    deleted: bool,
}

/// What came of a test.
#[derive(Debug, Serialize, JsonSchema)]
pub struct WebhookTested {
    /// Whether the receiver answered 2xx.
    success: bool,
    event_id: Uid,
    event_type: &'static str,
    delivery: DeliveryRow,
}

/// A secret that was exchanged.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SecretRotated {
    /// Always true: what fails is answered with an error.
    success: bool,
    id: Uid,
    /// The new secret, shown only here.
    webhook_secret: String,
    /// The end of the new secret, to recognise it by.
    webhook_secret_masked: String,
    rotated_at: Stamp,
    /// Time until which deliveries are signed with the old secret as well; null if it has ended.
    previous_secret_expires_at: Option<Stamp>,
}

async fn list(
    caller: Caller<WebhooksRead>,
    State(api): State<Api>,
    Query(query): Query<WebhooksQuery>,
) -> Result<Reply<WebhookList>, ApiError> {
    let named = caller.narrowed_to(query.business_id.as_ref())?;
    let tenancy = caller.tenancy().clone();
    let only = named.or(match tenancy.businesses() {
        [only] => Some(*only),
        _ => None,
    });
    // All of them: there are few, by a limit on each business.
    let page = Page { limit: 10_000, after: None };
    let listed = api
        .read(move |tx| Box::pin(async move { store::endpoints::list(tx, &tenancy, only, &page).await }))
        .await?;
    Ok(Reply(WebhookList {
        business_id: only.map(Uid::from),
        webhooks: listed.rows.into_iter().map(Webhook::from).collect(),
        events: catalogue(),
        has_more: listed.has_more,
    }))
}

/// A subscription that is created (201) or changed (200).
pub struct CreatedOrChanged(Once<WebhookSaved>);

impl IntoResponse for CreatedOrChanged {
    fn into_response(self) -> Response {
        self.0.into_response()
    }
}

impl Describe for CreatedOrChanged {
    fn describe(operation: &mut Operation, generator: &mut SchemaGenerator) {
        Once::<WebhookSaved>::describe(operation, generator);
        let created = operation.answers.last().expect("the line above has added it");
        let (content, headers) = (created.content.clone(), created.headers);
        operation.answers.push(AnswerDoc { status: 200, description: "Changed.", content, headers });
    }
}

async fn save(
    caller: Caller<WebhooksWrite>,
    State(api): State<Api>,
    key: IdempotencyKey,
    Body { input, bytes }: Body<WebhookSubscription>,
) -> Result<CreatedOrChanged, ApiError> {
    let once = key.once("POST /v1/webhooks", &bytes, saved);
    // A blank text is none.
    let description = input.description.map(Line::into_inner).into_option();
    let description = description.map(|text| text.filter(|text| !text.trim().is_empty()));
    let acted = match input.id {
        None => {
            let business_id = caller.only_business(input.business_id.as_ref())?;
            let Some(url) = input.webhook_url else {
                return Err(ApiError::invalid_field("webhook_url", "required for a new subscription"));
            };
            let new = NewEndpoint {
                business_id,
                url: url.0,
                events: input.events.map_or_else(Subscribed::every_known, |names| names.0),
                description: description.flatten(),
                is_active: input.is_active.unwrap_or(true),
            };
            app::endpoints::create(&caller.acting(&api), caller.mode(), new, once).await
        }
        Some(id) => {
            let tenancy = narrowed(&caller, input.business_id.as_ref())?;
            let id = found(id.known(), "webhook subscription")?;
            let change = EndpointChange {
                url: input.webhook_url.map(|url| url.0),
                events: input.events.map(|names| names.0),
                description,
                is_active: input.is_active,
            };
            app::endpoints::change(&caller.acting(&api), &tenancy, id, change, once).await
        }
    };
    match acted.map_err(refused)? {
        Acted::New(new) => Ok(CreatedOrChanged(Once::Kept(saved(&new), Replay::First))),
        Acted::Repeated(earlier) => repeated(earlier).map(CreatedOrChanged),
    }
}

/// The answer to a creation, which shows the secret, or to a change.
fn saved(saved: &Saved) -> KeptAnswer {
    let webhook = Webhook::from(saved.endpoint.clone());
    let status = if saved.secret.is_some() { 201 } else { 200 };
    let body = WebhookSaved {
        fields: webhook.clone(),
        success: true,
        webhook,
        webhook_secret: saved.secret.clone(),
    };
    kept(status, &body)
}

async fn remove(
    caller: Caller<WebhooksWrite>,
    State(api): State<Api>,
    Query(query): Query<DeleteQuery>,
) -> Result<Reply<WebhookDeleted>, ApiError> {
    let id = match query.id {
        Some(id) => {
            let tenancy = narrowed(&caller, query.business_id.as_ref())?;
            let id = found(id.known(), "webhook subscription")?;
            app::endpoints::remove(&caller.acting(&api), &tenancy, id).await.map_err(refused)?;
            Some(id.into())
        }
        None => {
            let Some(business) = query.business_id else {
                return Err(ApiError::invalid_field(
                    "id",
                    "required, or `business_id` for all of a business",
                ));
            };
            let business = caller.business(&business)?;
            app::endpoints::remove_all(&caller.acting(&api), caller.tenancy(), business).await?;
            None
        }
    };
    Ok(Reply(WebhookDeleted { success: true, id, deleted: true }))
}

async fn test(
    caller: Caller<WebhooksWrite>,
    State(api): State<Api>,
    key: IdempotencyKey,
    Body { input, bytes }: Body<WebhookTest>,
) -> Result<Once<WebhookTested, 200>, ApiError> {
    let tenancy = narrowed(&caller, input.business_id.as_ref())?;
    let id = found(input.id.known(), "webhook subscription")?;
    let once = key.once("POST /v1/webhooks/test", &bytes, |view| kept(200, &tested(view)));
    let data = TestData(input.data.map(|data| data.0).unwrap_or_default());
    match app::endpoints::test(api.app(), &tenancy, id, data, once).await.map_err(refused)? {
        Acted::New(view) => Ok(Once::Now(tested(&view))),
        Acted::Repeated(earlier) => repeated(earlier),
    }
}

fn tested(view: &AttemptView) -> WebhookTested {
    WebhookTested {
        success: view.attempt.succeeded(),
        event_id: view.attempt.event_id.into(),
        event_type: view.event_type.as_str(),
        delivery: view.clone().into(),
    }
}

async fn rotate(
    caller: Caller<WebhooksWrite>,
    State(api): State<Api>,
    key: IdempotencyKey,
    Body { input, bytes }: Body<SecretRotation>,
) -> Result<Once<SecretRotated, 200>, ApiError> {
    let tenancy = narrowed(&caller, input.business_id.as_ref())?;
    let id = found(input.id.known(), "webhook subscription")?;
    let once = key.once("POST /v1/webhooks/rotate-secret", &bytes, |saved| kept(200, &rotated(saved)));
    let old = if input.revoke_previous == Some(true) { OldSecret::Ends } else { OldSecret::Overlaps };
    match app::endpoints::rotate_secret(&caller.acting(&api), &tenancy, id, old, once)
        .await
        .map_err(refused)?
    {
        Acted::New(saved) => Ok(Once::Now(rotated(&saved))),
        Acted::Repeated(earlier) => repeated(earlier),
    }
}

fn rotated(saved: &Saved) -> SecretRotated {
    let endpoint = &saved.endpoint;
    SecretRotated {
        success: true,
        id: endpoint.id.into(),
        webhook_secret: saved.secret.clone().unwrap_or_default(),
        webhook_secret_masked: format!("whsec_…{}", endpoint.secret_hint),
        rotated_at: endpoint.updated_at.into(),
        previous_secret_expires_at: endpoint.exchanged_until.map(Stamp),
    }
}

/// What the caller may see, of one business if the request names it.
fn narrowed(
    caller: &Caller<WebhooksWrite>,
    named: Option<&Id<BusinessId>>,
) -> Result<store::Tenancy, ApiError> {
    let business = caller.narrowed_to(named)?;
    let narrowed = business.and_then(|business| caller.tenancy().narrowed(business));
    Ok(narrowed.unwrap_or_else(|| caller.tenancy().clone()))
}

fn refused(error: EndpointError) -> ApiError {
    match error {
        EndpointError::NotFound => ApiError::not_found("webhook subscription"),
        EndpointError::Address(reason) => ApiError::invalid_field("webhook_url", reason),
        EndpointError::TooMany => ApiError::new(
            Code::Conflict,
            "the business has 50 subscriptions, which is as many as it may have",
        ),
        EndpointError::Store(error) => error.into(),
    }
}
