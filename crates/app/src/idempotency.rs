//! Acting once per `Idempotency-Key`: the record commits with the effect, the answer is kept for repetition.

use domain::BusinessId;
use domain::Mode;
use store::idempotency::Begin;
use store::vault::Place;
use store::{PlatformTx, StoreError};
use uuid::Uuid;

use crate::App;

/// A request that its sender may repeat.
#[derive(Debug, Clone)]
pub struct Intent {
    /// Method and path, as in `POST /v1/calls`.
    pub route: &'static str,
    /// What the client wrote into `Idempotency-Key`.
    pub key: String,
    /// SHA-256 of the request's body.
    pub body_hash: [u8; 32],
}

/// An answer to keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptAnswer {
    pub status: u16,
    /// The exact bytes of the body.
    pub body: Vec<u8>,
}

/// Why a request with a key does not act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Repeated {
    /// It acted before; this was the answer.
    Answered(KeptAnswer),
    /// It acted before, but its answer is not known yet.
    Unfinished {
        /// What it brought about.
        resource: Uuid,
        /// True if nobody is working on the answer any more, so that it can be made anew from the resource.
        abandoned: bool,
    },
    /// The key was used with another body.
    OtherBody,
}

/// Writes the answer to something just made, so that it can be kept in the same transaction.
pub type Renderer<T> = Box<dyn Fn(&T) -> KeptAnswer + Send + Sync>;

/// What a request that may be repeated has brought about.
#[derive(Debug, Clone, PartialEq)]
pub enum Once<T> {
    /// The request acted now, with this result.
    New(T),
    /// Nothing: an earlier request with the same key did.
    Repeated(Repeated),
}

/// How long the first request may take before others make its answer anew.
const ABANDONED_AFTER: jiff::SignedDuration = jiff::SignedDuration::from_secs(15);

/// Claims the key within the transaction of the effect. `None`: go ahead and act.
pub(crate) async fn begin(
    tx: &mut PlatformTx,
    app: &App,
    business: BusinessId,
    mode: Mode,
    intent: &Intent,
    resource: Uuid,
    now: domain::Timestamp,
) -> Result<Option<Repeated>, StoreError> {
    let scope = store::idempotency::Scope { business_id: business, mode, route: intent.route };
    let begun =
        store::idempotency::begin(tx, &scope, &intent.key, &intent.body_hash, resource, app.node(), now)
            .await?;
    Ok(match begun {
        Begin::Fresh => None,
        Begin::Replay { status, body } => Some(Repeated::Answered(KeptAnswer { status, body })),
        Begin::InProgress { resource, node, created_at } => {
            let abandoned = node != app.node() || now.duration_since(created_at) > ABANDONED_AFTER;
            Some(Repeated::Unfinished { resource, abandoned })
        }
        Begin::OtherBody => Some(Repeated::OtherBody),
    })
}

/// Keeps the answer within the transaction of the effect.
pub(crate) async fn keep(
    tx: &mut PlatformTx,
    business: BusinessId,
    mode: Mode,
    intent: &Intent,
    answer: &KeptAnswer,
) -> Result<(), StoreError> {
    let scope = store::idempotency::Scope { business_id: business, mode, route: intent.route };
    store::idempotency::finish(tx, &scope, &intent.key, answer.status, &answer.body).await
}

/// Forgets a request that came to nothing, so that it can be sent again.
pub(crate) async fn forget(
    tx: &mut PlatformTx,
    business: BusinessId,
    mode: Mode,
    intent: &Intent,
) -> Result<(), StoreError> {
    let scope = store::idempotency::Scope { business_id: business, mode, route: intent.route };
    store::idempotency::forget(tx, &scope, &intent.key).await
}

/// Claims the key of a request that takes more than one transaction. `None`: go ahead and act, perhaps again, because whoever acted first
/// has died over it; what is done twice must do no harm.
pub(crate) async fn begin_alone(
    app: &App,
    business: BusinessId,
    mode: Mode,
    intent: &Intent,
    resource: Uuid,
) -> Result<Option<Repeated>, StoreError> {
    let (platform, intent, now) = (app.clone(), intent.clone(), app.now());
    let begun = app
        .platform()
        .write(move |tx| {
            Box::pin(async move { begin(tx, &platform, business, mode, &intent, resource, now).await })
        })
        .await?;
    Ok(begun.filter(|earlier| !matches!(earlier, Repeated::Unfinished { abandoned: true, .. })))
}

/// Keeps an answer that shows a secret: sealed, so that it can be repeated and the database does not tell it.
pub(crate) async fn keep_sealed(
    tx: &mut PlatformTx,
    app: &App,
    business: BusinessId,
    mode: Mode,
    intent: &Intent,
    answer: &KeptAnswer,
) -> Result<(), StoreError> {
    let body = app.store().vault().seal(sealed_answer(business), &app.random::<24>(), &answer.body);
    keep(tx, business, mode, intent, &KeptAnswer { status: answer.status, body }).await
}

/// Opens an answer that was sealed.
pub(crate) fn opened(app: &App, business: BusinessId, earlier: Repeated) -> Result<Repeated, StoreError> {
    let Repeated::Answered(KeptAnswer { status, body }) = earlier else { return Ok(earlier) };
    let body = app.store().vault().open(sealed_answer(business), &body)?;
    Ok(Repeated::Answered(KeptAnswer { status, body }))
}

fn sealed_answer(business: BusinessId) -> Place<'static> {
    Place { column: "idempotency.body", row: business.0 }
}

/// Keeps the answer. The first answer kept is the one that counts.
pub async fn finish(
    app: &App,
    business: BusinessId,
    mode: Mode,
    intent: &Intent,
    answer: KeptAnswer,
) -> Result<(), StoreError> {
    let intent = intent.clone();
    app.platform()
        .write(move |tx| Box::pin(async move { keep(tx, business, mode, &intent, &answer).await }))
        .await
}
