//! Businesses that programs make: each belongs to the user whose key asked for it.

use std::sync::Arc;

use domain::audit::{Action, Deed, Target, of_business};
use domain::business::{Business, Limits, Role};
use domain::disclosure::Disclosures;
use domain::{BusinessId, Mode, Timestamp, UserId};
use store::workspaces::{Metadata, Workspace};
use store::{PlatformTx, StoreError, Tenancy};

use crate::acting::Concerned;
use crate::idempotency::{self, Intent, Once, Renderer};
use crate::setup::{AccountError, check_business_name, check_timezone, founding, installations_country};
use crate::{Acting, App};

/// A business that a program makes.
#[derive(Debug, Clone)]
pub struct NewWorkspace {
    /// What the business is called; agents say it.
    pub name: String,
    /// What the program calls it; the same name again makes no second one.
    pub external_ref: Option<String>,
    /// The program's own data.
    pub metadata: Metadata,
    /// IANA time zone of the business.
    pub timezone: String,
}

/// What became of the wish for another business.
#[derive(Debug, Clone, PartialEq)]
pub enum AddedWorkspace {
    Made(Workspace),
    /// The owner's programs had given this name before.
    Known(Workspace),
}

/// What a repetition of the request is to be answered with, if it names itself.
pub type Repeatable = Option<(Intent, Renderer<AddedWorkspace>)>;

/// Makes another business of a user, who is its owner. What two requests call the same is made once.
pub async fn add(
    app: &Acting,
    mode: Mode,
    owner: UserId,
    new: NewWorkspace,
    once: Repeatable,
) -> Result<Once<AddedWorkspace>, AccountError> {
    check_business_name(&new.name)?;
    check_timezone(&new.timezone)?;
    let once = once.map(Arc::new);
    match try_add(app, mode, owner, new.clone(), once.clone()).await {
        // Somebody else used the name between our look and our write, and is found now.
        Err(AccountError::Store(StoreError::Conflict(_))) if new.external_ref.is_some() => {
            try_add(app, mode, owner, new, once).await
        }
        other => other,
    }
}

async fn try_add(
    app: &Acting,
    mode: Mode,
    owner: UserId,
    new: NewWorkspace,
    once: Option<Arc<(Intent, Renderer<AddedWorkspace>)>>,
) -> Result<Once<AddedWorkspace>, AccountError> {
    let now = app.now();
    let mut workspace = made_of(app, new, now);
    let vault = app.store().vault().clone();
    let webhook_secret = webhooks::signature::new_secret(&app.random::<32>());
    let nonce = app.random::<24>();
    // The business does not exist yet, so the names of such requests are unique to the user.
    let scope = BusinessId(owner.0);
    let platform = app.clone();
    app.platform()
        .write(move |tx| {
            Box::pin(async move {
                if let Some((intent, _)) = once.as_deref() {
                    let resource = workspace.business.id.0;
                    let begun = idempotency::begin(tx, &platform, scope, mode, intent, resource, now).await?;
                    if let Some(repeated) = begun {
                        return Ok(Once::Repeated(repeated));
                    }
                }
                let added = match known(tx, owner, workspace.external_ref.as_deref()).await? {
                    Some(known) => AddedWorkspace::Known(known),
                    None => {
                        workspace.business.country_calling_code = installations_country(tx).await?;
                        let business = &workspace.business;
                        store::businesses::insert(tx, &vault, business, &webhook_secret, &nonce).await?;
                        store::users::add_membership(tx, owner, business.id, Role::Owner).await?;
                        store::workspaces::insert(tx, owner, &workspace).await?;
                        let concerned = Concerned::Business(workspace.business.id);
                        platform.note(tx, concerned, founding(&workspace.business)).await?;
                        AddedWorkspace::Made(workspace)
                    }
                };
                if let Some((intent, render)) = once.as_deref() {
                    idempotency::keep(tx, scope, mode, intent, &render(&added)).await?;
                }
                Ok(Once::New(added))
            })
        })
        .await
}

/// Changes a business of the tenant; gives it as it then is, or `None` if there is no such business. `owner` is whose program it is.
pub async fn change(
    app: &Acting,
    tenancy: &Tenancy,
    owner: UserId,
    id: BusinessId,
    change: impl FnOnce(&mut Workspace) + Send + 'static,
) -> Result<Option<Workspace>, AccountError> {
    let (tenancy, now, acting) = (tenancy.clone(), app.now(), app.clone());
    app.platform()
        .write(move |tx| {
            Box::pin(async move {
                let Some(before) = store::workspaces::lock(tx, &tenancy, id).await? else { return Ok(None) };
                let mut workspace = before.clone();
                change(&mut workspace);
                if workspace == before {
                    return Ok(Some(before));
                }
                check_business_name(&workspace.business.name)?;
                check_timezone(&workspace.business.timezone)?;
                workspace.updated_at = now;
                store::workspaces::change(tx, &tenancy, owner, &workspace).await?;
                note_change(&acting, tx, &before, &workspace).await?;
                Ok(Some(workspace))
            })
        })
        .await
}

/// Writes down what changed of a business and of what programs keep with it.
async fn note_change(
    acting: &Acting,
    tx: &mut PlatformTx,
    before: &Workspace,
    after: &Workspace,
) -> Result<(), StoreError> {
    let deed = Deed::new(Action::BusinessUpdated, Target::business(&after.business))
        .with_all(of_business(Some(&before.business), &after.business))
        .with("external_ref", before.external_ref.clone(), after.external_ref.clone())
        .with("metadata", before.metadata.clone(), after.metadata.clone());
    acting.note(tx, Concerned::Business(after.business.id), deed).await
}

/// The workspace as it is asked for, at home nowhere yet.
fn made_of(app: &App, new: NewWorkspace, now: Timestamp) -> Workspace {
    let business = Business {
        id: BusinessId::new(app.ids()),
        name: new.name.trim().to_owned(),
        country_calling_code: String::new(),
        phone: None,
        timezone: new.timezone,
        disclosures: Disclosures::default(),
        limits: Limits::default(),
        created_at: app.store().created_at(now),
    };
    Workspace { business, external_ref: new.external_ref, metadata: new.metadata, updated_at: now }
}

/// The business that the owner's programs call so already.
async fn known(
    tx: &mut PlatformTx,
    owner: UserId,
    external_ref: Option<&str>,
) -> Result<Option<Workspace>, StoreError> {
    let Some(name) = external_ref else { return Ok(None) };
    let Some(id) = store::workspaces::by_ref(tx, owner, name).await? else { return Ok(None) };
    store::workspaces::get(tx, &Tenancy::one(id, Mode::Live), id).await
}
