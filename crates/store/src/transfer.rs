//! All rows of an installation from one kind of database to the other.
//!
//! The tables are those that the migrations made, with the columns that they have, so that none can be forgotten. Rows go over in slices
//! along each table's key; parents go before the rows that refer to them. What is read is one state of the source: PostgreSQL keeps it for
//! the transaction, and of a SQLite file the caller holds the only right to write. Into PostgreSQL everything goes in one transaction.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::tx::{Cell, Connection, Param, PlatformTx, Tx, params};
use crate::{Platform, Store, StoreError};

/// Rows that go over at once.
const SLICE: usize = 500;

/// Made with every database, and no data of an installation.
const OWN: [&str; 2] = ["meta", "migrations"];

/// How many rows of each table went over.
pub type Counts = BTreeMap<String, u64>;

/// Why nothing went over.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// There is something in the target already.
    #[error("the table {0} of the target holds rows already; name a database that is empty")]
    NotEmpty(String),
    /// The numbers of rows differ in the end.
    #[error("{copied} rows of the table {table} went over, and the source has {there}")]
    Lost { table: String, copied: u64, there: u64 },
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Copies everything from a SQLite database that no server uses to an empty one on PostgreSQL, or nothing.
pub async fn to_postgres(from: Arc<Platform>, to: &Platform) -> Result<Counts, TransferError> {
    let tables = tables(from.store()).await?;
    to.write(move |tx| {
        Box::pin(async move {
            let kinds = kinds(tx).await?;
            let mut counts = Counts::new();
            for table in tables {
                let table = Arc::new(table.with_kinds(&kinds)?);
                table.must_be_empty(tx).await?;
                let (mut after, mut copied) = (None, 0);
                loop {
                    let (asked, place) = (Arc::clone(&table), after.clone());
                    let slice: Vec<Vec<Cell>> = from
                        .read(move |tx| Box::pin(async move { asked.slice(tx, place.as_deref()).await }))
                        .await?;
                    let Some(last) = slice.last() else { break };
                    after = Some(table.place(last));
                    copied += slice.len() as u64;
                    table.insert(tx, slice).await?;
                }
                let asked = Arc::clone(&table);
                let there = from.read(move |tx| Box::pin(async move { asked.count(tx).await })).await?;
                let copied = if copied == there { table.count(tx).await? } else { copied };
                counts.extend(table.counted(copied, there)?);
            }
            Ok(counts)
        })
    })
    .await
}

/// Copies everything from a database on PostgreSQL, which servers may be using, to an empty one of SQLite.
pub async fn to_sqlite(from: &Platform, to: Arc<Platform>) -> Result<Counts, TransferError> {
    let tables = tables(to.store()).await?;
    from.write(move |tx| {
        Box::pin(async move {
            see_one_state(tx).await?;
            let kinds = kinds(tx).await?;
            let mut counts = Counts::new();
            for table in tables {
                let table = Arc::new(table.with_kinds(&kinds)?);
                let asked = Arc::clone(&table);
                to.read(move |tx| Box::pin(async move { asked.must_be_empty(tx).await })).await?;
                let mut after = None;
                loop {
                    let slice = table.slice(tx, after.as_deref()).await?;
                    let Some(last) = slice.last() else { break };
                    after = Some(table.place(last));
                    let stored = Arc::clone(&table);
                    to.write_lazily(move |tx| Box::pin(async move { stored.insert(tx, slice).await }))
                        .await?;
                }
                let there = table.count(tx).await?;
                let asked = Arc::clone(&table);
                let copied = to.read(move |tx| Box::pin(async move { asked.count(tx).await })).await?;
                counts.extend(table.counted(copied, there)?);
            }
            Ok(counts)
        })
    })
    .await
}

/// What a transaction on PostgreSQL reads from now on is the state of this moment.
async fn see_one_state(tx: &mut PlatformTx) -> Result<(), StoreError> {
    match &mut tx.connection {
        Connection::Sqlite(_) => Ok(()),
        Connection::Postgres(connection) => {
            connection.batch("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY").await
        }
    }
}

/// What a column holds. SQLite does not tell ids from other bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Id,
    Bytes,
    Other,
}

#[derive(Debug)]
struct Table {
    name: String,
    columns: Vec<String>,
    kinds: Vec<Kind>,
    /// Which columns are the key, in the key's order.
    key: Vec<usize>,
    parents: Vec<String>,
}

/// The tables of a SQLite database, parents first.
async fn tables(store: &Store) -> Result<Vec<Table>, StoreError> {
    let mut found = store.read(|tx| Box::pin(async move { described(tx).await })).await?;
    let mut sorted: Vec<Table> = Vec::with_capacity(found.len());
    while !found.is_empty() {
        let is_ready = |table: &Table| {
            let mut parents = table.parents.iter().filter(|parent| **parent != table.name);
            parents.all(|parent| sorted.iter().any(|known| known.name == *parent))
        };
        let Some(next) = found.iter().position(is_ready) else {
            return Err(StoreError::Unexpected("tables refer to each other in a circle".to_owned()));
        };
        sorted.push(found.remove(next));
    }
    Ok(sorted)
}

async fn described(tx: &mut Tx) -> Result<Vec<Table>, StoreError> {
    let names =
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name";
    let mut tables = Vec::new();
    for mut row in tx.query(names, &[]).await? {
        let name: String = row.next()?;
        if name == "migrations" {
            continue;
        }
        let mut table =
            Table { name, columns: Vec::new(), kinds: Vec::new(), key: Vec::new(), parents: Vec::new() };
        let mut key = Vec::new();
        let columns = "SELECT name, pk FROM pragma_table_info($1) ORDER BY cid";
        for mut row in tx.query(columns, params![table.name]).await? {
            let (column, place): (String, i64) = (row.next()?, row.next()?);
            if place > 0 {
                key.push((place, table.columns.len()));
            }
            table.columns.push(column);
        }
        key.sort_unstable();
        table.key = key.into_iter().map(|(_, column)| column).collect();
        let parents = "SELECT \"table\" FROM pragma_foreign_key_list($1)";
        for mut row in tx.query(parents, params![table.name]).await? {
            table.parents.push(row.next()?);
        }
        tables.push(table);
    }
    Ok(tables)
}

/// What the columns on PostgreSQL hold, by table and column.
async fn kinds(tx: &mut Tx) -> Result<HashMap<(String, String), Kind>, StoreError> {
    let sql = "SELECT table_name::TEXT, column_name::TEXT, data_type::TEXT FROM information_schema.columns \
               WHERE table_schema = current_schema()";
    let mut kinds = HashMap::new();
    for mut row in tx.query(sql, &[]).await? {
        let (table, column, kind): (String, String, String) = (row.next()?, row.next()?, row.next()?);
        let kind = match kind.as_str() {
            "uuid" => Kind::Id,
            "bytea" => Kind::Bytes,
            _ => Kind::Other,
        };
        kinds.insert((table, column), kind);
    }
    Ok(kinds)
}

impl Table {
    fn with_kinds(mut self, kinds: &HashMap<(String, String), Kind>) -> Result<Self, StoreError> {
        let of = |column: &String| {
            let kind = kinds.get(&(self.name.clone(), column.clone())).copied();
            let lacking =
                || StoreError::Unexpected(format!("PostgreSQL has no column {column} in {}", self.name));
            kind.ok_or_else(lacking)
        };
        self.kinds = self.columns.iter().map(of).collect::<Result<_, _>>()?;
        Ok(self)
    }

    async fn count(&self, tx: &mut Tx) -> Result<u64, StoreError> {
        let row = tx.query_one(&format!("SELECT count(*) FROM \"{}\"", self.name), &[]).await?;
        row.map_or(Ok(0), |mut row| row.next())
    }

    async fn must_be_empty(&self, tx: &mut Tx) -> Result<(), TransferError> {
        let is_own = OWN.contains(&self.name.as_str());
        if !is_own && self.count(tx).await? > 0 {
            return Err(TransferError::NotEmpty(self.name.clone()));
        }
        Ok(())
    }

    /// The line of a table whose rows have all arrived.
    fn counted(&self, copied: u64, there: u64) -> Result<Option<(String, u64)>, TransferError> {
        if OWN.contains(&self.name.as_str()) {
            return Ok(None);
        }
        if copied != there {
            return Err(TransferError::Lost { table: self.name.clone(), copied, there });
        }
        Ok(Some((self.name.clone(), copied)))
    }

    fn listed<'a>(columns: impl Iterator<Item = &'a String>) -> String {
        columns.map(|column| format!("\"{column}\"")).collect::<Vec<_>>().join(", ")
    }

    fn placeholders(count: usize) -> String {
        (1..=count).map(|number| format!("${number}")).collect::<Vec<_>>().join(", ")
    }

    /// The next rows in the order of the key.
    async fn slice(&self, tx: &mut Tx, after: Option<&[Param]>) -> Result<Vec<Vec<Cell>>, StoreError> {
        let key = Self::listed(self.key.iter().map(|&place| &self.columns[place]));
        let beyond = match after {
            Some(place) => format!(" WHERE ({key}) > ({})", Self::placeholders(place.len())),
            None => String::new(),
        };
        let sql = format!(
            "SELECT {} FROM \"{}\"{beyond} ORDER BY {key} LIMIT {SLICE}",
            Self::listed(self.columns.iter()),
            self.name
        );
        let rows = tx.query(&sql, after.unwrap_or_default()).await?;
        Ok(rows.into_iter().map(crate::tx::Row::into_cells).collect())
    }

    /// The key of a row.
    fn place(&self, row: &[Cell]) -> Vec<Param> {
        self.key.iter().map(|&place| self.param(place, row[place].clone())).collect()
    }

    async fn insert(&self, tx: &mut Tx, rows: Vec<Vec<Cell>>) -> Result<(), StoreError> {
        // Both databases were opened with the same master key, whose fingerprint is there already.
        let otherwise = if OWN.contains(&self.name.as_str()) { " ON CONFLICT DO NOTHING" } else { "" };
        let sql = format!(
            "INSERT INTO \"{}\" ({}) VALUES ({}){otherwise}",
            self.name,
            Self::listed(self.columns.iter()),
            Self::placeholders(self.columns.len())
        );
        let values = |row: Vec<Cell>| {
            row.into_iter().enumerate().map(|(place, cell)| self.param(place, cell)).collect()
        };
        let sets: Vec<Vec<Param>> = rows.into_iter().map(values).collect();
        tx.execute_each(&sql, &sets).await
    }

    fn param(&self, column: usize, cell: Cell) -> Param {
        match (cell, self.kinds[column]) {
            (Cell::Null, _) => Param::Null,
            (Cell::Int(number), _) => Param::Int(number),
            (Cell::Text(text), _) => Param::Text(text.into_string()),
            (Cell::Id(id), Kind::Bytes) => Param::Bytes(id.as_bytes().to_vec()),
            (Cell::Id(id), _) => Param::Id(id),
            (Cell::Bytes(bytes), _) => Param::Bytes(bytes),
        }
    }
}
