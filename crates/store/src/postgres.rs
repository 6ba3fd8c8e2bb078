//! PostgreSQL: a pool of connections, explicit transactions, and a listener that hears of new jobs from other replicas.

use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime, Timeouts};
use futures_core::future::BoxFuture;
use futures_util::future::try_join_all;
use tokio::sync::watch;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{AsyncMessage, NoTls};

use crate::tx::{Afterwards, Cell, Connection, Param, PlatformTx, Row};
use crate::{OpenError, StoreError};

/// How long to wait for a free connection before saying that there is too much to do.
const WAIT: Duration = Duration::from_secs(3);

/// How long to wait before listening again after the connection was lost.
const LISTEN_AGAIN: Duration = Duration::from_secs(1);

/// The channel on which replicas tell each other of new jobs.
const CHANNEL: &str = "kaicalls_jobs";

/// A server with its pool.
#[derive(Clone)]
pub(crate) struct Postgres {
    pool: Pool,
    config: tokio_postgres::Config,
}

impl Postgres {
    /// Reads the URL and looks whether the server answers.
    pub(crate) async fn open(url: &str, size: usize) -> Result<Self, OpenError> {
        let mut config: tokio_postgres::Config =
            url.parse().map_err(|error: tokio_postgres::Error| OpenError::BadUrl(error.to_string()))?;
        config.application_name("kaicalls");
        config.connect_timeout(Duration::from_secs(5));
        let manager_config = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = Manager::from_config(config.clone(), NoTls, manager_config);
        let timeouts = Timeouts { wait: Some(WAIT), create: Some(WAIT), recycle: Some(WAIT) };
        let pool = Pool::builder(manager)
            .max_size(size)
            .runtime(Runtime::Tokio1)
            .timeouts(timeouts)
            .build()
            .map_err(|error| StoreError::Unavailable(error.to_string()))?;
        drop(pool.get().await.map_err(StoreError::from)?);
        Ok(Self { pool, config })
    }

    async fn connect(&self) -> Result<PgConnection, StoreError> {
        Ok(PgConnection { object: Some(self.pool.get().await?), clean: true })
    }

    /// Runs a unit of work in a transaction on this task; says also what is to be done now that it is
    /// over.
    pub(crate) async fn write<T, E, F>(&self, work: F, lazy: bool) -> Result<(T, Afterwards), E>
    where
        F: for<'t> FnOnce(&'t mut PlatformTx) -> BoxFuture<'t, Result<T, E>> + Send,
        E: From<StoreError>,
    {
        let mut connection = self.connect().await?;
        connection.clean = false;
        let begin = if lazy { "BEGIN; SET LOCAL synchronous_commit TO OFF" } else { "BEGIN" };
        connection.batch(begin).await?;
        let mut tx = PlatformTx::new(Connection::Postgres(connection));
        let result = work(&mut tx).await;
        let Connection::Postgres(connection) = &mut tx.tx.connection else {
            return Err(StoreError::Unexpected("another kind of connection".to_owned()).into());
        };
        let end = match (&result, tx.tx.afterwards.jobs_added) {
            (Err(_), _) => "ROLLBACK",
            (Ok(_), 0) => "COMMIT",
            (Ok(_), _) => "NOTIFY kaicalls_jobs; COMMIT",
        };
        connection.batch(end).await?;
        connection.clean = true;
        let afterwards = std::mem::take(&mut tx.tx.afterwards);
        result.map(|value| (value, afterwards))
    }

    /// Runs queries on this task. Each sees the newest state; use `write` where several must see the same.
    pub(crate) async fn read<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: for<'t> FnOnce(&'t mut PlatformTx) -> BoxFuture<'t, Result<T, E>> + Send,
        E: From<StoreError>,
    {
        let connection = self.connect().await?;
        let mut tx = PlatformTx::new(Connection::Postgres(connection));
        work(&mut tx).await
    }

    /// Rings the bell for every job that any replica adds, until nobody holds the bell any more.
    pub(crate) fn listen(&self, bell: Arc<watch::Sender<u64>>) {
        let (config, bell) = (self.config.clone(), Arc::downgrade(&bell));
        tokio::spawn(async move {
            while bell.strong_count() > 0 {
                let Ok((client, mut connection)) = config.connect(NoTls).await else {
                    tokio::time::sleep(LISTEN_AGAIN).await;
                    continue;
                };
                let listening = async move {
                    client.batch_execute(&format!("LISTEN {CHANNEL}")).await?;
                    // The connection lives as long as its client.
                    std::future::pending::<()>().await;
                    drop(client);
                    Ok::<_, tokio_postgres::Error>(())
                };
                let hearing = async {
                    while let Some(Ok(message)) =
                        std::future::poll_fn(|context| connection.poll_message(context)).await
                    {
                        let Some(bell) = bell.upgrade() else { return };
                        if matches!(message, AsyncMessage::Notification(_)) {
                            bell.send_modify(|rung| *rung += 1);
                        }
                    }
                };
                tokio::select! {
                    _ = listening => {}
                    () = hearing => {}
                }
                tokio::time::sleep(LISTEN_AGAIN).await;
            }
        });
    }

    /// Sets the figures of the pool.
    pub(crate) fn look_at_pool(&self) {
        let status = self.pool.status();
        let count = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
        meters::DATABASE_CONNECTIONS.with(["idle"]).set(count(status.available));
        meters::DATABASE_CONNECTIONS.with(["busy"]).set(count(status.size.saturating_sub(status.available)));
        meters::DATABASE_WAITING.with([]).set(count(status.waiting));
    }

    pub(crate) fn close(&self) {
        self.pool.close();
    }
}

impl std::fmt::Debug for Postgres {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Postgres").field("pool", &self.pool.status()).finish_non_exhaustive()
    }
}

/// A connection of the pool. One that is dropped in the middle of a transaction is closed, not reused.
pub(crate) struct PgConnection {
    object: Option<Object>,
    clean: bool,
}

impl Drop for PgConnection {
    fn drop(&mut self) {
        if !self.clean
            && let Some(object) = self.object.take()
        {
            drop(Object::take(object));
        }
    }
}

impl PgConnection {
    fn client(&self) -> &Object {
        self.object.as_ref().expect("the object is taken only when the connection is dropped")
    }

    pub(crate) async fn batch(&self, sql: &str) -> Result<(), StoreError> {
        Ok(self.client().batch_execute(sql).await?)
    }

    pub(crate) async fn execute(&self, sql: &str, params: &[Param]) -> Result<u64, StoreError> {
        let client = self.client();
        let statement = client.prepare_cached(sql).await?;
        Ok(client.execute_raw(&statement, dynamic(params)).await?)
    }

    pub(crate) async fn execute_each(&self, sql: &str, sets: &[Vec<Param>]) -> Result<(), StoreError> {
        if sets.is_empty() {
            return Ok(());
        }
        let client = self.client();
        let statement = client.prepare_cached(sql).await?;
        // Sent without waiting for one another, executed in order.
        try_join_all(sets.iter().map(|params| client.execute_raw(&statement, dynamic(params)))).await?;
        Ok(())
    }

    /// The texts must be free of holes.
    pub(crate) async fn execute_all(&self, statements: &[(&str, Vec<Param>)]) -> Result<(), StoreError> {
        let client = self.client();
        let mut prepared = Vec::with_capacity(statements.len());
        for (sql, params) in statements {
            prepared.push((client.prepare_cached(sql).await?, params));
        }
        try_join_all(
            prepared.iter().map(|(statement, params)| client.execute_raw(statement, dynamic(params))),
        )
        .await?;
        Ok(())
    }

    pub(crate) async fn query(&self, sql: &str, params: &[Param]) -> Result<Vec<Row>, StoreError> {
        let client = self.client();
        let statement = client.prepare_cached(sql).await?;
        let params: Vec<&(dyn ToSql + Sync)> =
            params.iter().map(|param| param as &(dyn ToSql + Sync)).collect();
        let rows = client.query(&statement, &params).await?;
        rows.iter().map(read_row).collect()
    }
}

fn dynamic(params: &[Param]) -> impl ExactSizeIterator<Item = &Param> {
    params.iter()
}

fn read_row(row: &tokio_postgres::Row) -> Result<Row, StoreError> {
    let mut cells = Vec::with_capacity(row.len());
    for (index, column) in row.columns().iter().enumerate() {
        let cell = match *column.type_() {
            Type::INT8 => row.try_get::<_, Option<i64>>(index)?.map(Cell::Int),
            Type::TEXT => row.try_get::<_, Option<String>>(index)?.map(Cell::Text),
            Type::BYTEA => row.try_get::<_, Option<Vec<u8>>>(index)?.map(Cell::Bytes),
            Type::UUID => row.try_get::<_, Option<uuid::Uuid>>(index)?.map(Cell::Id),
            ref other => return Err(StoreError::corrupt("a query", format!("a column of type {other}"))),
        };
        cells.push(cell.unwrap_or(Cell::Null));
    }
    Ok(Row::new(cells))
}
