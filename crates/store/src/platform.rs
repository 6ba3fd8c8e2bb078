//! The right to ask for rows whoever they belong to.

use std::ops::Deref;
use std::sync::Arc;

use domain::Timestamp;

use crate::keys::{Authenticated, Presented};
use crate::postgres::Line;
use crate::{BoxFuture, PlatformTx, Store, StoreError};

/// The platform's own access to the database. Opening the database hands out one, and nothing else makes or copies one.
///
/// Whoever has it runs transactions that jobs, reports of engines and the set-up of accounts need. Routes have only the [`Store`]: what
/// they ask for takes a [`Tenancy`](crate::Tenancy), or it does not compile.
///
/// ```compile_fail,E0308
/// async fn route(store: &store::Store, id: domain::CallId) -> Result<bool, store::StoreError> {
///     // Whose call? A tenant's transaction does not say.
///     store.read(move |tx| Box::pin(async move { Ok(store::calls::by_id(tx, id).await?.is_some()) })).await
/// }
/// ```
///
/// With the platform's access the same question compiles, and so does a tenant's with a tenancy:
///
/// ```
/// async fn job(platform: &store::Platform, id: domain::CallId) -> Result<bool, store::StoreError> {
///     platform.read(move |tx| Box::pin(async move { Ok(store::calls::by_id(tx, id).await?.is_some()) })).await
/// }
///
/// async fn route(
///     store: &store::Store,
///     tenancy: store::Tenancy,
///     id: domain::CallId,
/// ) -> Result<bool, store::StoreError> {
///     store.read(move |tx| Box::pin(async move { Ok(store::calls::get(tx, &tenancy, id).await?.is_some()) })).await
/// }
/// ```
///
/// Nobody can make one or copy one:
///
/// ```compile_fail,E0624
/// fn forge(store: store::Store) -> store::Platform {
///     store::Platform::new(store)
/// }
/// ```
///
/// ```compile_fail,E0277
/// fn copy<T: Clone>() {}
/// copy::<store::Platform>();
/// ```
#[derive(Debug)]
pub struct Platform {
    store: Store,
}

impl Platform {
    pub(crate) fn new(store: Store) -> Self {
        Self { store }
    }

    /// The database for those who ask on behalf of a tenant.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// What a key may do and see, by the keyed hash of its secret. Unknown, expired and revoked keys are alike `None`.
    pub async fn authenticate(
        &self,
        hash: &[u8; 32],
        now: Timestamp,
    ) -> Result<Option<Arc<Authenticated>>, StoreError> {
        Ok(self.present(hash, now).await?.valid())
    }

    /// The same, telling keys that were revoked or have expired from those that nobody knows.
    pub async fn present(
        &self,
        hash: &[u8; 32],
        now: Timestamp,
    ) -> Result<Presented<Arc<Authenticated>>, StoreError> {
        self.store.present(hash, now).await
    }

    /// What [`Store::write`] does, for everybody's rows.
    pub async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: for<'t> FnOnce(&'t mut PlatformTx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.store.run(work, false).await
    }

    /// What [`Store::write_lazily`] does, for everybody's rows.
    pub async fn write_lazily<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: for<'t> FnOnce(&'t mut PlatformTx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.store.run(work, true).await
    }

    /// What [`Store::read`] does, for everybody's rows.
    pub async fn read<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: for<'t> FnOnce(&'t mut PlatformTx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.store.run_queries(Line::Own, work).await
    }

    /// What [`Store::look_up`] does, for everybody's rows.
    pub async fn look_up<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: for<'t> FnOnce(&'t mut PlatformTx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.store.run_queries(Line::Shared, work).await
    }
}

impl Deref for Platform {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.store
    }
}
