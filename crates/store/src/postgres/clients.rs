//! Connections of the pool, and how statements go out on them.
//!
//! A server that we talk to ourselves keeps statements that were prepared. A pooler that hands each transaction to whichever connection is
//! free (PgBouncer's transaction mode) does not, or not in every version: what was prepared on one connection is unknown on the next.
//! There each statement is sent as a whole, with the types of its values. It costs the server the planning, and works with all of them.

use std::sync::Arc;

use deadpool_postgres::{Object, Pool};
use futures_util::TryStreamExt as _;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Error, Row, SimpleQueryMessage, Statement};

use crate::StoreError;
use crate::tx::Param;

/// How often two connections are asked who answers them.
const LOOKS: usize = 4;

/// What lends connections. Cheap to clone.
#[derive(Clone)]
pub(super) struct Clients {
    pub(super) pool: Pool,
    keeps: Keeps,
}

/// What the other side keeps for us between two transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keeps {
    /// Everything: prepared statements, and who listens.
    Session,
    /// Nothing.
    Transaction,
}

impl Clients {
    /// Looks who answers: two connections that are open at the same time are two sessions of the server, unless somebody stands in between
    /// who makes do with fewer.
    pub(super) async fn of(pool: Pool) -> Result<Self, deadpool_postgres::PoolError> {
        let (one, other) = (pool.get().await?, pool.get().await?);
        let (mut ones, mut others) = (Vec::new(), Vec::new());
        for _ in 0..LOOKS {
            ones.push(backend(&one).await?);
            others.push(backend(&other).await?);
        }
        let is_steady = |seen: &[String]| seen.iter().all(|backend| Some(backend) == seen.first());
        let apart = ones.first() != others.first();
        let keeps =
            if is_steady(&ones) && is_steady(&others) && apart { Keeps::Session } else { Keeps::Transaction };
        Ok(Self { pool, keeps })
    }

    pub(super) fn keeps(&self) -> Keeps {
        self.keeps
    }

    pub(super) async fn get(&self) -> Result<Client, StoreError> {
        Ok(Client { object: self.pool.get().await?, keeps: self.keeps })
    }
}

/// The server's process behind a connection. Asked in a way that needs nothing to be prepared.
async fn backend(client: &Object) -> Result<String, Error> {
    let answer = client.simple_query("SELECT pg_backend_pid()").await?;
    let row = answer.into_iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    });
    Ok(row.unwrap_or_default())
}

/// A connection that was lent.
pub(super) struct Client {
    object: Object,
    keeps: Keeps,
}

/// A statement that can be sent at once.
pub(super) enum Ready {
    Prepared(Statement),
    Whole(Arc<str>),
}

impl Client {
    /// Makes a statement ready. That may take the way to the server and back, once for each connection.
    pub(super) async fn prepare(&self, text: &str) -> Result<Ready, Error> {
        match self.keeps {
            Keeps::Session => self.object.prepare_cached(text).await.map(Ready::Prepared),
            Keeps::Transaction => Ok(Ready::Whole(text.into())),
        }
    }

    /// Runs a statement; says how many rows it touched. It is sent when this is first polled.
    pub(super) async fn run(&self, statement: &Ready, values: &[Param]) -> Result<u64, Error> {
        match statement {
            Ready::Prepared(statement) => self.object.execute_raw(statement, values).await,
            Ready::Whole(text) => self.object.execute_typed(text, &typed(values)).await,
        }
    }

    /// Runs a question; it is sent when this is first polled.
    pub(super) async fn ask(&self, statement: &Ready, values: &[Param]) -> Result<Vec<Row>, Error> {
        match statement {
            Ready::Prepared(statement) => self.object.query_raw(statement, values).await?.try_collect().await,
            Ready::Whole(text) => self.object.query_typed(text, &typed(values)).await,
        }
    }

    /// Runs statements without values.
    pub(super) async fn batch(&self, text: &str) -> Result<(), Error> {
        self.object.batch_execute(text).await
    }

    pub(super) fn is_closed(&self) -> bool {
        self.object.is_closed()
    }

    /// Ends the connection instead of giving it back.
    pub(super) fn abandon(self) {
        drop(Object::take(self.object));
    }
}

fn typed(values: &[Param]) -> Vec<(&(dyn ToSql + Sync), Type)> {
    values.iter().map(|value| (value as &(dyn ToSql + Sync), type_of(value))).collect()
}

/// What a value is to the server. It finds the type of what is missing by itself.
fn type_of(value: &Param) -> Type {
    match value {
        Param::Null => Type::UNKNOWN,
        Param::Int(_) => Type::INT8,
        Param::Text(_) => Type::TEXT,
        Param::Bytes(_) => Type::BYTEA,
        Param::Id(_) => Type::UUID,
        Param::Ints(_) => Type::INT8_ARRAY,
        Param::Texts(_) => Type::TEXT_ARRAY,
        Param::Ids(_) => Type::UUID_ARRAY,
    }
}
