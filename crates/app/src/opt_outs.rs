//! Wishes not to be called. They are noted as soon as somebody says so (`calls::opt_out`); lifting one takes a person.

use domain::audit::{Action, Deed, Target, TargetKind};
use domain::{BusinessId, E164, Mode};
use store::StoreError;
use store::opt_outs::{Certainty, OptOut};

use crate::acting::Concerned;
use crate::{Acting, App};

/// The word for who noted a wish on a page.
const BY_HAND: &str = "dashboard";

/// The wish of somebody at this number, with how it became known.
pub async fn of(
    app: &App,
    business: BusinessId,
    mode: Mode,
    number: E164,
) -> Result<Option<OptOut>, StoreError> {
    app.platform()
        .read(move |tx| Box::pin(async move { store::opt_outs::get(tx, business, mode, &number).await }))
        .await
}

/// Notes by hand that somebody wants no more calls; it counts from now on.
pub async fn note(
    app: &Acting,
    business: BusinessId,
    mode: Mode,
    number: E164,
    reason: Option<String>,
) -> Result<(), StoreError> {
    let wish = OptOut {
        business_id: business,
        mode,
        phone_number: number,
        source: BY_HAND.to_owned(),
        certainty: Certainty::Clear,
        reason,
        created_at: app.now(),
    };
    let acting = app.clone();
    app.platform()
        .write(move |tx| {
            Box::pin(async move {
                store::opt_outs::add(tx, &wish).await?;
                let deed = deed(Action::DoNotCallAdded, &wish.phone_number, mode);
                acting.note(tx, Concerned::Business(business), deed).await
            })
        })
        .await
}

/// Lifts a wish, so that the number may be called again; false if there was none.
pub async fn lift(app: &Acting, business: BusinessId, mode: Mode, number: E164) -> Result<bool, StoreError> {
    let acting = app.clone();
    app.platform()
        .write(move |tx| {
            Box::pin(async move {
                let lifted = store::opt_outs::remove(tx, business, mode, &number).await?;
                if lifted {
                    let deed = deed(Action::DoNotCallLifted, &number, mode);
                    acting.note(tx, Concerned::Business(business), deed).await?;
                }
                Ok(lifted)
            })
        })
        .await
}

fn deed(action: Action, number: &E164, mode: Mode) -> Deed {
    let target = Target::named(TargetKind::PhoneNumber, number.as_str());
    Deed::new(action, target).with("mode", None::<&str>, mode.as_str())
}
