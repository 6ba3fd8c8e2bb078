//! A transaction: the only way to the tables, the same for both databases.
//!
//! Query texts are written once, with `$1` for the first value. Three holes are filled per database: `{for_update}`,
//! `{skip_locked}` and nothing else.

use std::borrow::Cow;

use crate::StoreError;
use crate::postgres::PgConnection;
use crate::sqlite_connection::SqliteConnection;
pub(crate) use crate::value::{Cell, Param, Row, ToParam, params, words};
use crate::writes::{Turn, Write};

/// A transaction in progress: the way to the rows of a tenant, together with a [`Tenancy`](crate::Tenancy).
pub struct Tx {
    pub(crate) connection: Connection,
    pub(crate) afterwards: Afterwards,
    /// The plans of queries, while somebody wants to see them.
    plans: Option<Vec<String>>,
}

/// What is done once a transaction is on stable storage, and never if it fails.
#[derive(Default)]
pub(crate) struct Afterwards {
    /// Jobs added that somebody has to be woken for.
    pub(crate) jobs_added: u32,
    pub(crate) actions: Vec<Box<dyn FnOnce() + Send>>,
    /// What a key may do has changed.
    pub(crate) rights_changed: bool,
    /// Who hears of events has changed.
    pub(crate) subscriptions_changed: bool,
}

/// Which database a transaction runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

pub(crate) enum Connection {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

/// A transaction of the platform itself: it may ask for rows whoever they belong to. Where a tenant's transaction is wanted, it serves
/// as one.
///
/// Only [`Platform`](crate::Platform) gives one.
pub struct PlatformTx {
    pub(crate) tx: Tx,
}

impl PlatformTx {
    pub(crate) fn new(connection: Connection) -> Self {
        Self { tx: Tx::new(connection) }
    }
}

impl std::ops::Deref for PlatformTx {
    type Target = Tx;

    fn deref(&self) -> &Tx {
        &self.tx
    }
}

impl std::ops::DerefMut for PlatformTx {
    fn deref_mut(&mut self) -> &mut Tx {
        &mut self.tx
    }
}

impl std::fmt::Debug for PlatformTx {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PlatformTx")
    }
}

impl std::fmt::Debug for Tx {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tx")
    }
}

impl Tx {
    pub(crate) fn new(connection: Connection) -> Self {
        Self { connection, afterwards: Afterwards::default(), plans: None }
    }

    /// Has something done when the transaction is over and has succeeded, such as a line in the log. It is not done if whoever asked for
    /// the transaction no longer waits for it.
    pub fn afterwards(&mut self, action: impl FnOnce() + Send + 'static) {
        self.afterwards.actions.push(Box::new(action));
    }

    /// True where `unnest` makes rows of columns, and a statement has its price by itself.
    pub(crate) fn is_on_postgres(&self) -> bool {
        matches!(self.connection, Connection::Postgres(_))
    }

    /// Runs a statement; gives the number of rows that it touched.
    pub(crate) async fn execute(&mut self, sql: &str, params: &[Param]) -> Result<u64, StoreError> {
        match &mut self.connection {
            Connection::Sqlite(connection) => connection.execute(sql, params),
            Connection::Postgres(connection) => connection.execute(&postgres_text(sql), params).await,
        }
    }

    /// Runs a statement once per set of values, in order and in one go.
    pub(crate) async fn execute_each(&mut self, sql: &str, sets: &[Vec<Param>]) -> Result<(), StoreError> {
        match &mut self.connection {
            Connection::Sqlite(connection) => connection.execute_each(sql, sets),
            Connection::Postgres(connection) => connection.execute_each(&postgres_text(sql), sets).await,
        }
    }

    /// Waits for a turn, which lasts until the end of the transaction.
    pub(crate) async fn take(&mut self, turn: Turn) -> Result<(), StoreError> {
        if self.is_on_postgres() {
            self.execute(Turn::TAKE, &[Param::Int(turn.number())]).await?;
        }
        Ok(())
    }

    /// Has a row changed by the end of the transaction, or before its next question. Errors may come as late as that.
    pub(crate) async fn write(&mut self, write: Write) -> Result<(), StoreError> {
        match &mut self.connection {
            Connection::Sqlite(connection) => {
                let touched = connection.execute(write.sql, &write.params)?;
                if write.must_touch && touched == 0 { Err(StoreError::Changed) } else { Ok(()) }
            }
            Connection::Postgres(connection) => connection.add(write).await,
        }
    }

    pub(crate) fn engine(&self) -> Engine {
        match self.connection {
            Connection::Sqlite(_) => Engine::Sqlite,
            Connection::Postgres(_) => Engine::Postgres,
        }
    }

    /// Asks the database for the plan of each query from now on. For tests.
    #[doc(hidden)]
    pub fn note_plans(&mut self) {
        self.plans = Some(Vec::new());
    }

    /// The plans since [`Self::note_plans`], which ends with that.
    #[doc(hidden)]
    pub fn take_plans(&mut self) -> Vec<String> {
        self.plans.take().unwrap_or_default()
    }

    pub(crate) async fn query(&mut self, sql: &str, params: &[Param]) -> Result<Vec<Row>, StoreError> {
        if self.plans.is_some() {
            let plan = self.explain(sql, params).await?;
            self.plans.iter_mut().for_each(|plans| plans.push(plan.clone()));
        }
        match &mut self.connection {
            Connection::Sqlite(connection) => connection.query(sql, params),
            Connection::Postgres(connection) => connection.query(&postgres_text(sql), params).await,
        }
    }

    async fn explain(&mut self, sql: &str, params: &[Param]) -> Result<String, StoreError> {
        let rows = match &mut self.connection {
            Connection::Sqlite(connection) => {
                connection.query(&format!("EXPLAIN QUERY PLAN {sql}"), params)?
            }
            Connection::Postgres(connection) => {
                connection.query(&format!("EXPLAIN {}", postgres_text(sql)), params).await?
            }
        };
        Ok(rows.into_iter().map(|row| row.last_text() + "\n").collect())
    }

    /// Runs a query that finds one row or none.
    pub(crate) async fn query_one(&mut self, sql: &str, params: &[Param]) -> Result<Option<Row>, StoreError> {
        Ok(self.query(sql, params).await?.into_iter().next())
    }
}

fn postgres_text(sql: &str) -> Cow<'_, str> {
    if sql.contains('{') {
        Cow::Owned(
            sql.replace("{for_update}", "FOR UPDATE").replace("{skip_locked}", "FOR UPDATE SKIP LOCKED"),
        )
    } else {
        Cow::Borrowed(sql)
    }
}
