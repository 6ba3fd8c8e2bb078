//! PostgreSQL: a pool of connections, explicit transactions, and a listener that hears of new jobs from other replicas.
//!
//! What asks nothing needs no connection of its own: it is committed together with others ([`groups`]). Questions that are answered in no
//! time need none either ([`Line::Shared`]): they are asked together with others ([`questions`]).
//!
//! How connections are made and secured says [`address`]; how statements go out on them, [`clients`].

mod address;
mod clients;
mod groups;
mod questions;
mod trust;

use std::slice;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Pool, PoolError, RecyclingMethod, Runtime, Timeouts};
use futures_core::future::BoxFuture;
use futures_util::future::{try_join, try_join_all};
use tokio::sync::{Notify, watch};
use tokio_postgres::AsyncMessage;
use tokio_postgres::types::Type;

use self::address::Address;
use self::clients::{Client, Clients, Keeps, Ready};
use self::groups::Groups;
use self::questions::Questions;
use crate::tx::{Afterwards, Cell, Connection, Param, PlatformTx, Row};
use crate::writes::{self, Turn, Write};
use crate::{OpenError, StoreError};

/// How long to wait for a free connection before saying that there is too much to do.
const WAIT: Duration = Duration::from_secs(3);

/// How long to wait before listening again after the connection was lost.
const LISTEN_AGAIN: Duration = Duration::from_secs(1);

/// How many writes of a transaction wait at most.
const MOST_WAITING: usize = 256;

/// How many connections answer quick questions, of a pool that is large enough for that.
const SHARED: usize = 2;

/// The channel on which replicas tell each other of new jobs.
const CHANNEL: &str = "kaicalls_jobs";

/// A server with its pool.
#[derive(Clone)]
pub(crate) struct Postgres {
    clients: Clients,
    /// Where to listen and tell: past a pooler, if there is an address for that.
    direct: Arc<Address>,
    wakes: Wakes,
    groups: Groups,
    /// None where the pool is too small to spare connections for them.
    questions: Option<Questions>,
    /// Rung when jobs have been added that other replicas are to hear of.
    news: Arc<Notify>,
    /// The server's process that tells them, whose words this replica need not hear.
    teller: Arc<AtomicI32>,
}

impl Postgres {
    /// Reads the URLs and looks whether the server answers. The second one leads to the same database past a pooler.
    pub(crate) async fn open(url: &str, direct: Option<&str>, size: usize) -> Result<Self, OpenError> {
        let address = Address::read(url)?;
        let manager_config = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = Manager::from_config(address.config.clone(), address.tls.clone(), manager_config);
        let timeouts = Timeouts { wait: Some(WAIT), create: Some(WAIT), recycle: Some(WAIT) };
        let pool = Pool::builder(manager)
            .max_size(size)
            .runtime(Runtime::Tokio1)
            .timeouts(timeouts)
            .build()
            .map_err(|error| StoreError::Unavailable(error.to_string()))?;
        let clients = Clients::of(pool).await.map_err(|error| match error {
            PoolError::Backend(error) => address.explain(error),
            error => StoreError::from(error).into(),
        })?;
        let wakes = match (clients.keeps(), direct) {
            (Keeps::Session, _) => Wakes::Heard,
            (Keeps::Transaction, Some(_)) => Wakes::HeardDirectly,
            (Keeps::Transaction, None) => Wakes::Unheard,
        };
        let direct = match direct {
            Some(direct) => Arc::new(Address::read(direct)?),
            None => Arc::new(address),
        };
        let groups = Groups::start(clients.clone());
        let questions = Some(SHARED.min(size / 4)).filter(|&spare| spare > 0);
        let questions = questions.map(|spare| Questions::start(&clients, spare));
        Ok(Self { clients, direct, wakes, groups, questions, news: Arc::default(), teller: Arc::default() })
    }

    /// Whether this process hears of jobs that others add.
    pub(crate) fn wakes(&self) -> Wakes {
        self.wakes
    }

    fn connection(&self, progress: Progress, questions: Option<Questions>) -> PlatformTx {
        let (clients, groups) = (self.clients.clone(), self.groups.clone());
        let connection =
            PgConnection { clients, groups, questions, lent: None, progress, waiting: Vec::new() };
        PlatformTx::new(Connection::Postgres(connection))
    }

    /// Runs a unit of work in a transaction on this task; says also what is to be done now that it is
    /// over.
    pub(crate) async fn write<T, E, F>(&self, work: F, lazy: bool) -> Result<(T, Afterwards), E>
    where
        F: for<'t> FnOnce(&'t mut PlatformTx) -> BoxFuture<'t, Result<T, E>> + Send,
        E: From<StoreError>,
    {
        let mut tx = self.connection(Progress::NotBegun { lazy }, None);
        let result = work(&mut tx).await;
        let Connection::Postgres(connection) = &mut tx.tx.connection else {
            return Err(StoreError::Unexpected("another kind of connection".to_owned()).into());
        };
        let value = match result {
            Ok(value) => {
                connection.commit().await?;
                value
            }
            Err(error) => {
                connection.roll_back().await?;
                return Err(error);
            }
        };
        let afterwards = std::mem::take(&mut tx.tx.afterwards);
        if afterwards.jobs_added > 0 {
            self.news.notify_one();
        }
        Ok((value, afterwards))
    }

    /// Runs queries on this task. Each sees the newest state; use `write` where several must see the same.
    pub(crate) async fn read<T, E, F>(&self, line: Line, work: F) -> Result<T, E>
    where
        F: for<'t> FnOnce(&'t mut PlatformTx) -> BoxFuture<'t, Result<T, E>> + Send,
        E: From<StoreError>,
    {
        let questions = match line {
            Line::Own => None,
            Line::Shared => self.questions.clone(),
        };
        work(&mut self.connection(Progress::None, questions)).await
    }

    /// Tells the other replicas of new jobs until nobody adds any more: after their commit, on a connection of its own, and once for
    /// all that came meanwhile. A transaction that notifies by itself makes all others that do so wait for its sync. What is lost
    /// here is found by the workers, who look from time to time.
    pub(crate) fn tell(&self) {
        let (address, news, teller) =
            (Arc::clone(&self.direct), Arc::downgrade(&self.news), Arc::clone(&self.teller));
        tokio::spawn(async move {
            while news.strong_count() > 0 {
                if let Ok((client, connection)) = address.connect().await {
                    let telling = async {
                        let row = client.query_typed_one("SELECT pg_backend_pid()", &[]).await?;
                        teller.store(row.try_get(0)?, Ordering::Relaxed);
                        while let Some(news) = news.upgrade() {
                            // Now and then it is worth a look whether anybody else holds the other end.
                            if tokio::time::timeout(LISTEN_AGAIN, news.notified()).await.is_ok() {
                                client.batch_execute(&format!("NOTIFY {CHANNEL}")).await?;
                            }
                        }
                        Ok::<_, tokio_postgres::Error>(())
                    };
                    tokio::select! {
                        _ = telling => {}
                        _ = connection => {}
                    }
                }
                tokio::time::sleep(LISTEN_AGAIN).await;
            }
        });
    }

    /// Rings the bell for every job that another replica adds, until nobody holds the bell any more. Behind a pooler that keeps no sessions
    /// nobody would hear anything.
    pub(crate) fn listen(&self, bell: Arc<watch::Sender<u64>>) {
        if self.wakes == Wakes::Unheard {
            return;
        }
        let (address, bell) = (Arc::clone(&self.direct), Arc::downgrade(&bell));
        let teller = Arc::clone(&self.teller);
        tokio::spawn(async move {
            while bell.strong_count() > 0 {
                let Ok((client, mut connection)) = address.connect().await else {
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
                        if let AsyncMessage::Notification(told) = message
                            && told.process_id() != teller.load(Ordering::Relaxed)
                        {
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
        let status = self.clients.pool.status();
        let count = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
        meters::DATABASE_CONNECTIONS.with(["idle"]).set(count(status.available));
        meters::DATABASE_CONNECTIONS.with(["busy"]).set(count(status.size.saturating_sub(status.available)));
        meters::DATABASE_WAITING.with([]).set(count(status.waiting));
    }

    pub(crate) fn close(&self) {
        self.clients.pool.close();
    }
}

impl std::fmt::Debug for Postgres {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Postgres").field("pool", &self.clients.pool.status()).finish_non_exhaustive()
    }
}

/// How a process hears of jobs that others have added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wakes {
    /// On a connection beside the pool.
    Heard,
    /// On a connection past a pooler that keeps no sessions.
    HeardDirectly,
    /// Not at all: a pooler keeps no sessions, and there is no way past it. Workers look from time to time.
    Unheard,
}

/// How far a transaction has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    /// There is none: every statement stands for itself.
    None,
    /// The server has not heard of it yet. With `lazy` its commit does not wait for the disk.
    NotBegun {
        lazy: bool,
    },
    Begun,
}

/// On which connection questions go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Line {
    /// On one for themselves.
    Own,
    /// Together with those of others, whom a slow question would hold up.
    Shared,
}

/// A transaction, and the connection that it runs on. One that is dropped in the middle is closed, not reused.
pub(crate) struct PgConnection {
    clients: Clients,
    groups: Groups,
    /// Where questions that stand for themselves are asked without a connection of their own.
    questions: Option<Questions>,
    /// What asks nothing gets none.
    lent: Option<Box<Client>>,
    progress: Progress,
    /// Writes that the server has not heard of yet, in order.
    waiting: Vec<Write>,
}

impl Drop for PgConnection {
    fn drop(&mut self) {
        if self.progress == Progress::Begun
            && let Some(client) = self.lent.take()
        {
            client.abandon();
        }
    }
}

impl PgConnection {
    async fn client(&mut self) -> Result<&Client, StoreError> {
        connected(&self.clients, &mut self.lent).await
    }

    /// Adds a write that goes out with the next question or with the end of the transaction, or when very many wait.
    pub(crate) async fn add(&mut self, write: Write) -> Result<(), StoreError> {
        self.waiting.push(write);
        if self.waiting.len() >= MOST_WAITING { self.after_writes(async |_| Ok(())).await } else { Ok(()) }
    }

    /// Does something after the transaction has begun and what waits has been written, all sent without waiting in between.
    async fn after_writes<T>(
        &mut self,
        last: impl AsyncFnOnce(&Client) -> Result<T, tokio_postgres::Error>,
    ) -> Result<T, StoreError> {
        let client = connected(&self.clients, &mut self.lent).await?;
        let begin = match self.progress {
            Progress::NotBegun { lazy: true } => "BEGIN; SET LOCAL synchronous_commit TO OFF",
            Progress::NotBegun { lazy: false } => "BEGIN",
            Progress::None | Progress::Begun => "",
        };
        if !begin.is_empty() {
            self.progress = Progress::Begun;
        }
        let waiting = std::mem::take(&mut self.waiting);
        // What has to be prepared is prepared first: that waits, and nothing may be sent out of order.
        let mut prepared = Vec::with_capacity(waiting.len());
        for write in &waiting {
            prepared.push((client.prepare(write.sql).await?, write));
        }
        let turns: Vec<Param> =
            writes::turns(&waiting).into_iter().map(|turn| Param::Int(turn.number())).collect();
        let take = if turns.is_empty() { None } else { Some(client.prepare(Turn::TAKE).await?) };
        let waits = async {
            let waits = take
                .iter()
                .flat_map(|take| turns.iter().map(move |turn| client.run(take, slice::from_ref(turn))));
            try_join_all(waits).await.map(drop).map_err(StoreError::from)
        };
        let begun = async {
            if begin.is_empty() { Ok(()) } else { client.batch(begin).await.map_err(StoreError::from) }
        };
        let written =
            try_join_all(prepared.iter().map(|(statement, write)| write_one(client, statement, write)));
        let last = async { last(client).await.map_err(StoreError::from) };
        let ((), ((), (_, value))) = try_join(begun, try_join(waits, try_join(written, last))).await?;
        Ok(value)
    }

    /// Ends the transaction so that everything is kept.
    async fn commit(&mut self) -> Result<(), StoreError> {
        let committed = match self.progress {
            Progress::NotBegun { .. } if self.waiting.is_empty() => return Ok(()),
            Progress::NotBegun { lazy } => match writes::as_one(&self.waiting) {
                Some((text, values)) => {
                    let turns = writes::turns(&self.waiting);
                    self.waiting.clear();
                    self.groups.commit(text, values, turns, lazy).await
                }
                None => self.commit_begun().await,
            },
            Progress::None | Progress::Begun => self.commit_begun().await,
        };
        match committed {
            Ok(()) => self.progress = Progress::None,
            // A COMMIT that was sent after a statement that failed has kept nothing.
            Err(_) => self.roll_back().await?,
        }
        committed
    }

    async fn commit_begun(&mut self) -> Result<(), StoreError> {
        if self.waiting.iter().any(|write| write.must_touch) {
            // Whether to commit is known only once these have been answered.
            self.after_writes(async |_| Ok(())).await?;
        }
        self.after_writes(async |client| client.batch("COMMIT").await).await
    }

    /// Ends the transaction so that nothing is kept.
    async fn roll_back(&mut self) -> Result<(), StoreError> {
        self.waiting.clear();
        if self.progress == Progress::Begun {
            self.client().await?.batch("ROLLBACK").await?;
        }
        self.progress = Progress::None;
        Ok(())
    }

    pub(crate) async fn batch(&mut self, sql: &str) -> Result<(), StoreError> {
        self.after_writes(async |client| client.batch(sql).await).await
    }

    pub(crate) async fn execute(&mut self, sql: &str, params: &[Param]) -> Result<u64, StoreError> {
        let statement = self.client().await?.prepare(sql).await?;
        self.after_writes(async |client| client.run(&statement, params).await).await
    }

    pub(crate) async fn execute_each(&mut self, sql: &str, sets: &[Vec<Param>]) -> Result<(), StoreError> {
        if sets.is_empty() {
            return Ok(());
        }
        let statement = self.client().await?.prepare(sql).await?;
        // Sent without waiting for one another, executed in order.
        let each = async |client: &Client| {
            try_join_all(sets.iter().map(|params| client.run(&statement, params))).await
        };
        self.after_writes(each).await.map(drop)
    }

    pub(crate) async fn query(&mut self, sql: &str, params: &[Param]) -> Result<Vec<Row>, StoreError> {
        if let Some(questions) = &self.questions {
            return questions.ask(sql, params).await;
        }
        let statement = self.client().await?.prepare(sql).await?;
        let rows = self.after_writes(async |client| client.ask(&statement, params).await).await?;
        rows.iter().map(|row| read_row(row, 0)).collect()
    }
}

/// The connection that was lent, or one that is from now on.
async fn connected<'l>(
    clients: &Clients,
    lent: &'l mut Option<Box<Client>>,
) -> Result<&'l Client, StoreError> {
    let client = match lent.take() {
        Some(client) => client,
        None => Box::new(clients.get().await?),
    };
    Ok(lent.insert(client))
}

async fn write_one(client: &Client, statement: &Ready, write: &Write) -> Result<(), StoreError> {
    let touched = client.run(statement, &write.params).await?;
    if write.must_touch && touched == 0 { Err(StoreError::Changed) } else { Ok(()) }
}

/// Reads the columns of a row from this one on.
fn read_row(row: &tokio_postgres::Row, first: usize) -> Result<Row, StoreError> {
    let mut cells = Vec::with_capacity(row.len().saturating_sub(first));
    for (index, column) in row.columns().iter().enumerate().skip(first) {
        let cell = match *column.type_() {
            Type::INT8 => row.try_get::<_, Option<i64>>(index)?.map(Cell::Int),
            Type::TEXT => row.try_get::<_, Option<&str>>(index)?.map(|text| Cell::Text(text.into())),
            Type::BYTEA => row.try_get::<_, Option<Vec<u8>>>(index)?.map(Cell::Bytes),
            Type::UUID => row.try_get::<_, Option<uuid::Uuid>>(index)?.map(Cell::Id),
            ref other => return Err(StoreError::corrupt("a query", format!("a column of type {other}"))),
        };
        cells.push(cell.unwrap_or(Cell::Null));
    }
    Ok(Row::new(cells))
}
