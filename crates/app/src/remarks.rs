//! What people note for themselves: about calls, and by which filters they look at them.

use domain::text::clean;
use domain::{CallId, UserId};
use store::call_remarks::Remark;
use store::saved_views::SavedView;
use store::{StoreError, Tenancy};

use crate::App;

/// The longest note, in characters.
pub const LONGEST_NOTE: usize = 5_000;

/// How many tags a call has at most, and how many characters each of them.
pub const MOST_TAGS: usize = 20;
pub const LONGEST_TAG: usize = 40;

/// How many views a user keeps.
pub const MOST_VIEWS: usize = 20;

/// Why something was not noted.
#[derive(Debug, thiserror::Error)]
pub enum RemarkError {
    /// The tenant has no such call.
    #[error("no such call")]
    NotFound,
    /// It is longer than is kept; says what is.
    #[error(
        "a note has at most {LONGEST_NOTE} characters, and a call at most {MOST_TAGS} tags of {LONGEST_TAG} characters"
    )]
    TooLong,
    /// There are as many views as are kept.
    #[error("at most {MOST_VIEWS} views are kept")]
    TooMany,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Stores what somebody noted about a call; `tags` are separated by commas.
pub async fn note(
    app: &App,
    tenancy: &Tenancy,
    id: CallId,
    by: String,
    note: &str,
    tags: &str,
) -> Result<(), RemarkError> {
    let note = clean(note.trim()).into_owned();
    let mut words: Vec<String> = Vec::new();
    for tag in clean(tags).split(',') {
        let tag = tag.split_whitespace().collect::<Vec<_>>().join(" ");
        if !tag.is_empty() && !words.contains(&tag) {
            words.push(tag);
        }
    }
    let is_long = |tag: &String| tag.chars().count() > LONGEST_TAG;
    if note.chars().count() > LONGEST_NOTE || words.len() > MOST_TAGS || words.iter().any(is_long) {
        return Err(RemarkError::TooLong);
    }
    let (tenancy, now) = (tenancy.clone(), app.now());
    app.platform()
        .write(move |tx| {
            Box::pin(async move {
                let view = store::calls::get(tx, &tenancy, id).await?.ok_or(RemarkError::NotFound)?;
                let (business_id, mode) = (view.call.business_id, view.call.mode);
                let remark = Remark {
                    call_id: id,
                    business_id,
                    mode,
                    note,
                    tags: words,
                    written_by: by,
                    written_at: now,
                };
                Ok(store::call_remarks::put(tx, &remark).await?)
            })
        })
        .await
}

/// The views that a user keeps.
pub async fn views(app: &App, user: UserId) -> Result<Vec<SavedView>, StoreError> {
    app.platform().read(move |tx| Box::pin(async move { store::saved_views::of_user(tx, user).await })).await
}

/// Keeps a view under a name, in the place of one with the same name.
pub async fn keep_view(app: &App, user: UserId, name: String, query: String) -> Result<(), RemarkError> {
    let view = SavedView { user_id: user, name, query, created_at: app.now() };
    app.platform()
        .write(move |tx| {
            Box::pin(async move {
                let known = store::saved_views::of_user(tx, user).await?;
                if known.len() >= MOST_VIEWS && known.iter().all(|known| known.name != view.name) {
                    return Err(RemarkError::TooMany);
                }
                Ok(store::saved_views::put(tx, &view).await?)
            })
        })
        .await
}

/// Forgets a view; false if the user keeps none of this name.
pub async fn forget_view(app: &App, user: UserId, name: String) -> Result<bool, StoreError> {
    app.platform()
        .write(move |tx| Box::pin(async move { store::saved_views::delete(tx, user, &name).await }))
        .await
}
