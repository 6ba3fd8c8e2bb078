//! Filters that people gave a name, to look through them again.

use domain::{Timestamp, UserId};

use crate::StoreError;
use crate::table::{table, text};
use crate::tx::{PlatformTx, params};

/// A filter of the table of calls under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedView {
    pub user_id: UserId,
    pub name: String,
    /// The parameters of the page.
    pub query: String,
    pub created_at: Timestamp,
}

table! {
    /// Views, each of one user.
    SavedViews = "saved_views" as "v", (view: &SavedView)
    key { user_id, name }
    fixed { query, created_at }
    read {
        let name: String = name;
        SavedView { user_id, name, query, created_at }
    }
}

/// Stores a view, in the place of one with the same name.
pub async fn put(tx: &mut PlatformTx, view: &SavedView) -> Result<(), StoreError> {
    const PUT: &str =
        text!(SavedViews::INSERT, " ON CONFLICT (user_id, name) DO UPDATE SET query = excluded.query");
    tx.execute(PUT, &SavedViews::inserted(view)).await?;
    Ok(())
}

/// The views of a user, in the order in which they were saved.
pub async fn of_user(tx: &mut PlatformTx, user: UserId) -> Result<Vec<SavedView>, StoreError> {
    const SQL: &str = text!(
        "SELECT ",
        SavedViews::COLUMNS,
        " FROM saved_views v WHERE v.user_id = $1 ORDER BY v.created_at, v.name"
    );
    tx.query(SQL, params![user]).await?.into_iter().map(SavedViews::read).collect()
}

/// Forgets a view; false if there was none of this name.
pub async fn delete(tx: &mut PlatformTx, user: UserId, name: &str) -> Result<bool, StoreError> {
    let sql = "DELETE FROM saved_views WHERE user_id = $1 AND name = $2";
    Ok(tx.execute(sql, params![user, name]).await? > 0)
}
