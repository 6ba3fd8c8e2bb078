//! People who can log in, and the businesses that they belong to.

use domain::business::{Role, User};
use domain::{BusinessId, UserId};

use crate::StoreError;
use crate::table::{table, text};
use crate::tx::{Param, PlatformTx, params};
use crate::value::FromCell;

table! {
    /// Who can log in. The hash of the password is only read to compare it.
    Users = "users" as "u", (user: &User, password_hash: &str)
    key { id }
    fixed { email, created_at }
    unread { password_hash = password_hash }
}

/// Stores a new user. An address that is taken is a conflict.
pub async fn insert(tx: &mut PlatformTx, user: &User, password_hash: &str) -> Result<(), StoreError> {
    tx.execute(Users::INSERT, &Users::inserted(user, password_hash)).await?;
    Ok(())
}

/// A user and the hash of their password.
pub async fn by_email(tx: &mut PlatformTx, email: &str) -> Result<Option<(User, String)>, StoreError> {
    const SQL: &str = text!("SELECT ", Users::COLUMNS, ", u.password_hash FROM users u WHERE u.email = $1");
    let Some(row) = tx.query_one(SQL, params![email]).await? else { return Ok(None) };
    let mut row = row.of("users");
    Ok(Some((Users::read_from(&mut row)?, row.next()?)))
}

pub async fn get(tx: &mut PlatformTx, id: UserId) -> Result<Option<User>, StoreError> {
    const SQL: &str = text!("SELECT ", Users::COLUMNS, " FROM users u WHERE u.id = $1");
    tx.query_one(SQL, params![id]).await?.map(Users::read).transpose()
}

/// The oldest user: the owner of a fresh installation.
pub async fn first(tx: &mut PlatformTx) -> Result<Option<User>, StoreError> {
    const SQL: &str = text!("SELECT ", Users::COLUMNS, " FROM users u ORDER BY u.created_at, u.id LIMIT 1");
    tx.query_one(SQL, &[]).await?.map(Users::read).transpose()
}

/// Gives a user a role in a business. Nothing happens if they have one already.
pub async fn add_membership(
    tx: &mut PlatformTx,
    user: UserId,
    business: BusinessId,
    role: Role,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO memberships (user_id, business_id, role) VALUES ($1, $2, $3) \
               ON CONFLICT (user_id, business_id) DO NOTHING";
    tx.execute(sql, params![user, business, role]).await?;
    // Keys of the user that were looked up before do not show the business yet.
    tx.afterwards.rights_changed |=
        tx.query_one("SELECT id FROM keys WHERE user_id = $1 LIMIT 1", params![user]).await?.is_some();
    Ok(())
}

/// Gives a user another role in a business; `None` takes the business away from them.
pub async fn set_role(
    tx: &mut PlatformTx,
    user: UserId,
    business: BusinessId,
    role: Option<Role>,
) -> Result<(), StoreError> {
    match role {
        Some(role) => {
            let sql = "UPDATE memberships SET role = $3 WHERE user_id = $1 AND business_id = $2";
            tx.execute(sql, params![user, business, role]).await?;
        }
        None => {
            let sql = "DELETE FROM memberships WHERE user_id = $1 AND business_id = $2";
            tx.execute(sql, params![user, business]).await?;
        }
    }
    tx.afterwards.rights_changed = true;
    Ok(())
}

/// Who belongs to a business, and as what, in the order of their ids. Nobody else changes that until the transaction ends.
pub async fn lock_members(
    tx: &mut PlatformTx,
    business: BusinessId,
) -> Result<Vec<(UserId, Role)>, StoreError> {
    with_roles(tx, text!(MEMBERS, " {for_update}"), params![business]).await
}

/// Who belongs to a business, and as what, in the order of their ids.
pub async fn members_of(
    tx: &mut PlatformTx,
    business: BusinessId,
) -> Result<Vec<(UserId, Role)>, StoreError> {
    with_roles(tx, MEMBERS, params![business]).await
}

const MEMBERS: &str = "SELECT user_id, role FROM memberships WHERE business_id = $1 ORDER BY user_id";

/// What a user may do in each of their businesses.
pub async fn roles_of(tx: &mut PlatformTx, user: UserId) -> Result<Vec<(BusinessId, Role)>, StoreError> {
    let sql = "SELECT business_id, role FROM memberships WHERE user_id = $1 ORDER BY business_id";
    with_roles(tx, sql, params![user]).await
}

async fn with_roles<Id: FromCell>(
    tx: &mut PlatformTx,
    sql: &str,
    of: &[Param],
) -> Result<Vec<(Id, Role)>, StoreError> {
    let rows = tx.query(sql, of).await?;
    rows.into_iter().map(|mut row| Ok((row.next()?, row.next()?))).collect()
}

/// All users, oldest first. For operators.
pub async fn all(tx: &mut PlatformTx) -> Result<Vec<User>, StoreError> {
    const SQL: &str = text!("SELECT ", Users::COLUMNS, " FROM users u ORDER BY u.created_at, u.id");
    tx.query(SQL, &[]).await?.into_iter().map(Users::read).collect()
}

/// Replaces the hash of a user's password.
pub async fn set_password_hash(tx: &mut PlatformTx, id: UserId, hash: &str) -> Result<(), StoreError> {
    tx.execute("UPDATE users SET password_hash = $2 WHERE id = $1", params![id, hash]).await?;
    Ok(())
}

/// The businesses that a user may see.
pub async fn businesses_of(tx: &mut PlatformTx, user: UserId) -> Result<Vec<BusinessId>, StoreError> {
    let sql = "SELECT business_id FROM memberships WHERE user_id = $1 ORDER BY business_id";
    tx.query(sql, params![user]).await?.into_iter().map(|mut row| row.next()).collect()
}

/// How many users there are.
pub async fn count(tx: &mut PlatformTx) -> Result<u64, StoreError> {
    let row = tx.query_one("SELECT count(*) FROM users", &[]).await?;
    row.map_or(Ok(0), |mut row| row.next())
}
