//! Subscriptions to events. Their secrets are sealed.

use std::sync::Arc;

use domain::endpoint::{Disabled, DisabledReason, Endpoint, Subscribed, secret_hint};
use domain::{BusinessId, EndpointId, Mode, Timestamp};

use crate::page::{ListQuery, list as list_page};
use crate::subscribers::Subscriber;
use crate::table::{table, text};
use crate::tx::{PlatformTx, Row, Tx, params};
use crate::vault::Place;
use crate::writes::Write;
use crate::{Listed, Page, Store, StoreError, Tenancy, Vault, monotonic_now};

table! {
    /// Subscriptions, each with its sealed secret and, for a while, the one of before.
    Endpoints = "endpoints" as "w", (endpoint: &Endpoint, sealed: &Vec<u8>)
    key { id }
    fixed { business_id, mode, secret_hint, exchanged_until, created_at }
    changing {
        url,
        event_types = endpoint.events.to_text(),
        description,
        is_active,
        failing_since,
        last_error,
        last_error_at,
        disabled_at = endpoint.disabled.map(|disabled| disabled.at),
        disabled_reason = endpoint.disabled.map(|disabled| disabled.reason),
        updated_at,
    }
    unread { secret = sealed }
    read {
        let event_types: String = event_types;
        let reason: Option<DisabledReason> = disabled_reason;
        Endpoint {
            id,
            business_id,
            mode,
            url,
            events: Subscribed::from_text(&event_types),
            description,
            is_active,
            secret_hint,
            exchanged_until,
            failing_since,
            last_error,
            last_error_at,
            disabled: Option::zip(disabled_at, reason).map(|(at, reason)| Disabled { at, reason }),
            created_at,
            updated_at,
        }
    }
}

crate::tx::words! {
    DisabledReason: as_str, Self::parse;
}

/// Both secrets of a subscription are bound to its row.
pub(crate) fn place(id: EndpointId) -> Place<'static> {
    Place { column: "endpoints.secret", row: id.0 }
}

/// Stores a new subscription with its secret. `nonce` must be random.
pub async fn insert(
    tx: &mut PlatformTx,
    vault: &Vault,
    endpoint: &Endpoint,
    secret: &str,
    nonce: &[u8; 24],
) -> Result<(), StoreError> {
    let sealed = vault.seal(place(endpoint.id), nonce, secret.as_bytes());
    tx.execute(Endpoints::INSERT, &Endpoints::inserted(endpoint, &sealed)).await?;
    changed(tx, endpoint.id, endpoint.created_at).await
}

/// How many subscriptions a business has. Nobody else makes one until the transaction ends.
pub async fn count(tx: &mut PlatformTx, tenancy: &Tenancy, business: BusinessId) -> Result<u32, StoreError> {
    let Some(one) = tenancy.narrowed(business) else { return Ok(0) };
    tx.query_one("SELECT id FROM businesses WHERE id = $1 {for_update}", params![business]).await?;
    let sql = "SELECT count(*) FROM endpoints WHERE business_id = $1 AND mode = $2";
    let row = tx.query_one(sql, params![one.businesses()[0], one.mode()]).await?;
    row.map_or(Ok(0), |row| row.of("endpoints").next())
}

/// Subscriptions, of one business if it is named, newest first.
pub async fn list(
    tx: &mut Tx,
    tenancy: &Tenancy,
    business: Option<BusinessId>,
    page: &Page,
) -> Result<Listed<Endpoint>, StoreError> {
    const SELECT: &str = text!("SELECT ", Endpoints::COLUMNS, " FROM endpoints w");
    let query = ListQuery {
        select: SELECT,
        table: "endpoints w",
        business: "w.business_id",
        time: "w.created_at",
        id: "w.id",
    };
    let mode = tenancy.mode();
    list_page(
        tx,
        query,
        &tenancy.scope(business),
        page,
        |conditions| conditions.and("w.mode", "=", mode),
        Endpoints::read,
        |endpoint| endpoint.created_at,
    )
    .await
}

/// One subscription of the tenant.
pub async fn get(tx: &mut Tx, tenancy: &Tenancy, id: EndpointId) -> Result<Option<Endpoint>, StoreError> {
    const SQL: &str =
        text!("SELECT ", Endpoints::COLUMNS, " FROM endpoints w WHERE w.id = $1 AND w.mode = $2");
    let row = tx.query_one(SQL, params![id, tenancy.mode()]).await?;
    let found = row.map(Endpoints::read).transpose()?;
    Ok(found.filter(|endpoint| tenancy.covers(endpoint.business_id)))
}

/// The same, and nobody else changes it until the transaction ends.
pub async fn lock(
    tx: &mut PlatformTx,
    tenancy: &Tenancy,
    id: EndpointId,
) -> Result<Option<Endpoint>, StoreError> {
    const SQL: &str = text!(
        "SELECT ",
        Endpoints::COLUMNS,
        " FROM endpoints w WHERE w.id = $1 AND w.mode = $2 {for_update}"
    );
    let row = tx.query_one(SQL, params![id, tenancy.mode()]).await?;
    let found = row.map(Endpoints::read).transpose()?;
    Ok(found.filter(|endpoint| tenancy.covers(endpoint.business_id)))
}

/// Stores what can change of a subscription that was locked before.
pub async fn update(tx: &mut PlatformTx, endpoint: &Endpoint) -> Result<(), StoreError> {
    tx.execute(Endpoints::UPDATE, &Endpoints::changed(endpoint)).await?;
    changed(tx, endpoint.id, endpoint.updated_at).await
}

/// A secret that replaces another one.
#[derive(Debug)]
pub struct NewSecret<'a> {
    pub secret: &'a str,
    pub nonce: [u8; 24],
    /// Until when the one of before counts as well; `None`: it does not.
    pub overlap_until: Option<Timestamp>,
}

/// Exchanges the secret of a subscription that was locked before.
pub async fn exchange_secret(
    tx: &mut PlatformTx,
    vault: &Vault,
    id: EndpointId,
    new: NewSecret<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let sealed = vault.seal(place(id), &new.nonce, new.secret.as_bytes());
    let sql = "UPDATE endpoints SET previous_secret = secret, exchanged_until = $2, secret = $3, secret_hint = $4, updated_at = $5 \
               WHERE id = $1";
    tx.execute(sql, params![id, new.overlap_until, sealed, secret_hint(new.secret), now]).await?;
    Ok(())
}

/// The secrets that a subscription signs with: the current one, and the one of before while both count.
pub async fn secrets(
    tx: &mut PlatformTx,
    vault: &Vault,
    id: EndpointId,
    now: Timestamp,
) -> Result<Vec<String>, StoreError> {
    let sql = "SELECT secret, previous_secret, exchanged_until FROM endpoints WHERE id = $1";
    let Some(row) = tx.query_one(sql, params![id]).await? else { return Ok(Vec::new()) };
    read_secrets(&mut row.of("endpoints"), vault, place(id), now)
}

/// Reads a sealed secret, the one of before, and until when that counts.
pub(crate) fn read_secrets(
    row: &mut Row,
    vault: &Vault,
    place: Place<'_>,
    now: Timestamp,
) -> Result<Vec<String>, StoreError> {
    let (current, previous): (Vec<u8>, Option<Vec<u8>>) = (row.next()?, row.next()?);
    let until: Option<Timestamp> = row.next()?;
    let previous = previous.filter(|_| until.is_some_and(|until| now < until));
    [Some(current), previous].into_iter().flatten().map(|sealed| vault.open_text(place, &sealed)).collect()
}

/// Removes a subscription of the tenant; false if there is none with this id.
pub async fn remove(
    tx: &mut PlatformTx,
    tenancy: &Tenancy,
    id: EndpointId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    if lock(tx, tenancy, id).await?.is_none() {
        return Ok(false);
    }
    tx.execute("DELETE FROM endpoints WHERE id = $1", params![id]).await?;
    changed(tx, id, now).await?;
    Ok(true)
}

/// Removes all subscriptions of a business; says how many there were.
pub async fn remove_all(
    tx: &mut PlatformTx,
    tenancy: &Tenancy,
    business: BusinessId,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let Some(one) = tenancy.narrowed(business) else { return Ok(0) };
    let sql = "DELETE FROM endpoints WHERE business_id = $1 AND mode = $2";
    let removed = tx.execute(sql, params![business, one.mode()]).await?;
    changed(tx, EndpointId(business.0), now).await?;
    Ok(removed)
}

/// Has every process look up anew who hears of events, once this is stored. Whoever made the change is answered after that.
async fn changed(tx: &mut PlatformTx, id: EndpointId, now: Timestamp) -> Result<(), StoreError> {
    // A version names its change. A number would come twice if a transaction failed after somebody had read it.
    let sql = "INSERT INTO meta (name, value) VALUES ('subscriptions', $1) ON CONFLICT (name) DO UPDATE SET value = $1";
    tx.execute(sql, params![format!("{id} {now}")]).await?;
    tx.afterwards.subscriptions_changed = true;
    Ok(())
}

/// The subscriptions of a business that are on. Looked up in the database only if this process has not done so a moment ago.
pub async fn active(
    tx: &mut PlatformTx,
    store: &Store,
    business: BusinessId,
    mode: Mode,
) -> Result<Arc<[Subscriber]>, StoreError> {
    const SQL: &str = "SELECT v.value, w.id, w.url, w.event_types FROM \
         (SELECT coalesce((SELECT value FROM meta WHERE name = 'subscriptions'), '') AS value) v \
         LEFT JOIN endpoints w ON w.business_id = $1 AND w.mode = $2 AND w.is_active = 1 ORDER BY w.created_at, w.id";
    let cache = store.subscribers();
    if let Some(known) = cache.get(business, mode) {
        return Ok(known);
    }
    let since = monotonic_now();
    let mut version = String::new();
    let mut all = Vec::new();
    for row in tx.query(SQL, params![business, mode]).await? {
        let mut row = row.of("endpoints");
        version = row.next()?;
        let found = row.joined(3, |row| {
            let (id, url): (EndpointId, String) = (row.next()?, row.next()?);
            Ok(Subscriber { id, url, events: Subscribed::from_text(&row.next::<String>()?) })
        })?;
        all.extend(found);
    }
    Ok(cache.keep(business, mode, &version, all, since))
}

/// Notes that something arrived at a subscription at which nothing had arrived before.
pub async fn works_again(tx: &mut PlatformTx, id: EndpointId) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE endpoints SET failing_since = NULL, last_error = NULL, last_error_at = NULL WHERE id = $1 AND is_active = 1";
    tx.write(Write::new("endpoints", id.0, SQL, params![id].to_vec())).await
}

/// Notes that something did not arrive at a subscription.
pub async fn fails(
    tx: &mut PlatformTx,
    id: EndpointId,
    error: &str,
    at: Timestamp,
) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE endpoints SET failing_since = coalesce(failing_since, $3), last_error = $2, last_error_at = $3 \
         WHERE id = $1 AND is_active = 1";
    tx.write(Write::new("endpoints", id.0, SQL, params![id, error, at].to_vec())).await
}

/// Switches a subscription off that is on and has this address. With a time, only one at which nothing has arrived since then at the latest: it may have worked
/// again since it was last looked at. Gives the subscription if it was switched off now.
pub async fn disable(
    tx: &mut PlatformTx,
    id: EndpointId,
    url: &str,
    disabled: Disabled,
    error: &str,
    failing_since: Option<Timestamp>,
) -> Result<Option<Endpoint>, StoreError> {
    const DISABLE: &str = "UPDATE endpoints SET is_active = 0, disabled_at = $2, disabled_reason = $3, last_error = $4, \
         last_error_at = $2, updated_at = $2 WHERE id = $1 AND is_active = 1 \
         AND url = $6 AND (CAST($5 AS BIGINT) IS NULL OR failing_since <= $5)";
    const FOUND: &str = text!("SELECT ", Endpoints::COLUMNS, " FROM endpoints w WHERE w.id = $1");
    let values = params![id, disabled.at, disabled.reason, error, failing_since, url];
    if tx.execute(DISABLE, values).await? == 0 {
        return Ok(None);
    }
    changed(tx, id, disabled.at).await?;
    tx.query_one(FOUND, params![id]).await?.map(Endpoints::read).transpose()
}
