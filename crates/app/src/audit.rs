//! The log of administrative changes, for those who look after a business and for whoever runs the server.

use domain::audit::{Action, Deed, Target, TargetKind};
use domain::lead::changes::FieldChange;
use domain::{BusinessId, UserId};
use jiff::SignedDuration;
use store::audit::{AuditFilter, AuditRow};
use store::{Listed, Page, StoreError, Tenancy};

use crate::acting::Concerned;
use crate::{Acting, App, Retention};

/// The businesses of a tenancy that the user looks after as owner or admin; `None` if there is none.
pub async fn overseen(app: &App, user: UserId, tenancy: &Tenancy) -> Result<Option<Tenancy>, StoreError> {
    let roles = app
        .platform()
        .read(move |tx| Box::pin(async move { store::users::roles_of(tx, user).await }))
        .await?;
    let may =
        |business: &BusinessId| roles.iter().any(|(known, role)| known == business && role.may_oversee());
    let businesses: Vec<BusinessId> = tenancy.businesses().iter().copied().filter(may).collect();
    Ok((!businesses.is_empty()).then(|| Tenancy::new(businesses, tenancy.mode())))
}

/// Everything that happened on the installation, newest first. For whoever runs the server.
pub async fn all(app: &App, filter: AuditFilter, page: Page) -> Result<Listed<AuditRow>, StoreError> {
    app.platform().read(move |tx| Box::pin(async move { store::audit::all(tx, &filter, &page).await })).await
}

/// Something that a command did outside the database, after the fact.
pub async fn note_command(
    app: &Acting,
    business: Option<BusinessId>,
    action: Action,
    folder: String,
) -> Result<(), StoreError> {
    let acting = app.clone();
    let concerned = business.map_or(Concerned::Installation, Concerned::Business);
    app.platform()
        .write(move |tx| {
            Box::pin(async move {
                let deed = Deed::new(action, Target::named(TargetKind::Folder, folder));
                acting.note(tx, concerned, deed).await
            })
        })
        .await
}

/// Writes down if things are to be kept for another time than when this was last looked at. The settings stand in a file: their change is
/// noticed when a server starts with them.
pub async fn note_retention(app: &Acting) -> Result<(), StoreError> {
    let acting = app.clone();
    let kept = app.settings().retention;
    app.platform()
        .write(move |tx| {
            Box::pin(async move {
                let known = store::audit::latest(tx, Action::RetentionChanged).await?;
                let before = |field: &str| {
                    let changes = known.iter().flat_map(|row| &row.deed.changes);
                    let mut found = changes.filter(|change| change.field == field);
                    found.next().and_then(|change| change.after.as_i64())
                };
                let target = Target::named(TargetKind::Settings, "retention");
                let fields = days_of(kept).map(|(field, days)| (field, before(field), days));
                if fields.iter().all(|(_, before, after)| before == after) {
                    return Ok(());
                }
                // All of them, so that the next look finds them in this row.
                let changes = fields.map(|(field, before, after)| FieldChange {
                    field: field.to_owned(),
                    before: before.into(),
                    after: after.into(),
                });
                let deed = Deed::new(Action::RetentionChanged, target).with_all(changes);
                acting.note(tx, Concerned::Installation, deed).await
            })
        })
        .await
}

fn days_of(kept: Retention) -> [(&'static str, Option<i64>); 4] {
    let days = |kept: Option<SignedDuration>| kept.map(|kept| kept.as_hours() / 24);
    let Retention { recordings, transcripts, logs, audit } = kept;
    [
        ("keep_recordings_days", days(recordings)),
        ("keep_transcripts_days", days(transcripts)),
        ("keep_logs_days", days(logs)),
        ("keep_audit_days", days(audit)),
    ]
}
