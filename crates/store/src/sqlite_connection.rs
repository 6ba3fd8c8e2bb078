//! A connection to a SQLite file, and how a statement runs on it.
//!
//! Statements are compiled once per connection and kept. SQLite would compile a kept statement anew on each use, because its plan may
//! depend on the values that were bound before; the stability guarantee for plans (QPSG), set on every connection, forbids that.

use std::borrow::Cow;
use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use compact_str::CompactString;
use rusqlite::config::DbConfig;
use rusqlite::functions::FunctionFlags;
use rusqlite::types::ValueRef;
use rusqlite::{CachedStatement, StatementStatus};
use uuid::Uuid;

use crate::StoreError;
use crate::value::{self, Param, Row};

/// Statements kept ready per connection.
const STATEMENTS: usize = 256;

pub(crate) struct SqliteConnection {
    connection: rusqlite::Connection,
    /// How often a kept statement had to be compiled again, over all connections to the file.
    recompiled: Arc<AtomicU64>,
    reading: Cell<Reading>,
}

/// How far a reader has come. Its first statement needs no transaction: it sees one state of the database anyway. From the second one
/// on they share a transaction, because beginning one for each costs more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// This connection writes, or nobody reads from it at present.
    No,
    Begun,
    /// One statement has run.
    Once,
    InTransaction,
}

impl SqliteConnection {
    pub(crate) fn new(
        connection: rusqlite::Connection,
        recompiled: Arc<AtomicU64>,
    ) -> Result<Self, StoreError> {
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        teach_lower(&connection)?;
        Ok(Self { connection, recompiled, reading: Cell::new(Reading::No) })
    }

    /// Runs statements without values, which are not kept.
    pub(crate) fn batch(&self, sql: &str) -> Result<(), StoreError> {
        Ok(self.connection.execute_batch(sql)?)
    }

    /// Runs a statement without values; what it finds is of no interest.
    pub(crate) fn control(&self, sql: &str) -> Result<(), StoreError> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut found = statement.raw_query();
        while found.next()?.is_some() {}
        Ok(())
    }

    /// Queries follow, until [`Self::end_reading`].
    pub(crate) fn begin_reading(&self) {
        self.reading.set(Reading::Begun);
    }

    pub(crate) fn end_reading(&self) -> Result<(), StoreError> {
        match self.reading.replace(Reading::No) {
            Reading::InTransaction => self.control("COMMIT"),
            Reading::No | Reading::Begun | Reading::Once => Ok(()),
        }
    }

    fn go_on_reading(&self) -> Result<(), StoreError> {
        match self.reading.get() {
            Reading::No | Reading::InTransaction => {}
            Reading::Begun => self.reading.set(Reading::Once),
            Reading::Once => {
                self.control("BEGIN")?;
                self.reading.set(Reading::InTransaction);
            }
        }
        Ok(())
    }

    /// True if no transaction is open.
    pub(crate) fn is_idle(&self) -> bool {
        self.connection.is_autocommit()
    }

    pub(crate) fn execute(&self, sql: &str, params: &[Param]) -> Result<u64, StoreError> {
        let sql = without_holes(sql);
        let mut statement = self.connection.prepare_cached(&sql)?;
        bind(&mut statement, &order(&sql), params)?;
        let touched = statement.raw_execute()?;
        self.count(&statement);
        Ok(touched as u64)
    }

    pub(crate) fn execute_each(&self, sql: &str, sets: &[Vec<Param>]) -> Result<(), StoreError> {
        let sql = without_holes(sql);
        let mut statement = self.connection.prepare_cached(&sql)?;
        let order = order(&sql);
        for params in sets {
            bind(&mut statement, &order, params)?;
            statement.raw_execute()?;
        }
        self.count(&statement);
        Ok(())
    }

    pub(crate) fn query(&self, sql: &str, params: &[Param]) -> Result<Vec<Row>, StoreError> {
        self.go_on_reading()?;
        let sql = without_holes(sql);
        let mut statement = self.connection.prepare_cached(&sql)?;
        bind(&mut statement, &order(&sql), params)?;
        let columns = statement.column_count();
        let mut found = statement.raw_query();
        let mut rows = Vec::new();
        while let Some(row) = found.next()? {
            let mut cells = Vec::with_capacity(columns);
            for column in 0..columns {
                cells.push(cell(row.get_ref(column)?)?);
            }
            rows.push(Row::new(cells));
        }
        drop(found);
        self.count(&statement);
        Ok(rows)
    }

    fn count(&self, statement: &CachedStatement<'_>) {
        let recompiled = statement.reset_status(StatementStatus::RePrepare);
        if recompiled > 0 {
            self.recompiled.fetch_add(u64::from(recompiled.unsigned_abs()), Ordering::Relaxed);
        }
    }
}

/// SQLite's own `lower` changes no letters but A to Z. People look for names in every script, and PostgreSQL knows those.
fn teach_lower(connection: &rusqlite::Connection) -> Result<(), rusqlite::Error> {
    let flags =
        FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_INNOCUOUS;
    connection.create_scalar_function("lower", 1, flags, |call| {
        Ok(match call.get_raw(0) {
            ValueRef::Text(text) => Some(String::from_utf8_lossy(text).to_lowercase()),
            _ => None,
        })
    })
}

/// SQLite locks nothing but the whole file.
fn without_holes(sql: &str) -> Cow<'_, str> {
    if sql.contains('{') {
        Cow::Owned(sql.replace("{for_update}", "").replace("{skip_locked}", ""))
    } else {
        Cow::Borrowed(sql)
    }
}

/// Which values a text wants, in the order in which SQLite numbers its placeholders. To SQLite `$7` is a name, and it numbers names in the
/// order in which it meets them; the number in the name says which value is meant. Reading the text for that is cheaper than asking
/// SQLite for every name.
fn order(sql: &str) -> Vec<usize> {
    let mut order = Vec::new();
    for piece in sql.split('$').skip(1) {
        let digits = piece.bytes().take_while(u8::is_ascii_digit);
        let number = digits.fold(0, |number, digit| number * 10 + usize::from(digit - b'0'));
        let index = number.wrapping_sub(1);
        if !order.contains(&index) {
            order.push(index);
        }
    }
    order
}

fn bind(statement: &mut CachedStatement<'_>, order: &[usize], params: &[Param]) -> Result<(), StoreError> {
    debug_assert_eq!(
        order.len(),
        statement.parameter_count(),
        "a dollar sign stands before a number in every statement"
    );
    for (place, &index) in (1..).zip(order) {
        let lacking = || StoreError::Unexpected("a placeholder without a value".to_owned());
        statement.raw_bind_parameter(place, params.get(index).ok_or_else(lacking)?)?;
    }
    Ok(())
}

fn cell(found: ValueRef<'_>) -> Result<value::Cell, StoreError> {
    use value::Cell;
    Ok(match found {
        ValueRef::Null => Cell::Null,
        ValueRef::Integer(value) => Cell::Int(value),
        ValueRef::Text(value) => Cell::Text(CompactString::from_utf8_lossy(value)),
        ValueRef::Blob(value) => match <[u8; 16]>::try_from(value) {
            Ok(id) => Cell::Id(Uuid::from_bytes(id)),
            Err(_) => Cell::Bytes(value.to_vec()),
        },
        ValueRef::Real(_) => return Err(StoreError::corrupt("a query", "a fraction where none belongs")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::params;

    fn connection() -> SqliteConnection {
        let connection = rusqlite::Connection::open_in_memory().expect("memory");
        SqliteConnection::new(connection, Arc::default()).expect("a connection")
    }

    #[test]
    fn placeholders_take_their_values_by_number_in_whatever_order_they_stand() {
        let connection = connection();
        connection.batch("CREATE TABLE t (a INTEGER, b INTEGER, c INTEGER)").expect("a table");
        let insert = "INSERT INTO t (c, b, a) VALUES ($11, $2, $1)";
        let mut values: Vec<Param> = (1..=10).map(Param::Int).collect();
        assert!(matches!(connection.execute(insert, &values), Err(StoreError::Unexpected(_))));
        values.push(Param::Int(11));
        assert_eq!(connection.execute(insert, &values), Ok(1));
        let found = connection.query("SELECT a, b, c FROM t WHERE b = $2 AND a = $1 AND a = $1", &values);
        let mut row = found.expect("a row").remove(0);
        assert_eq!((row.next(), row.next(), row.next()), (Ok(1_i64), Ok(2_i64), Ok(11_i64)));
    }

    #[test]
    fn a_kept_statement_is_not_compiled_again_for_other_values() {
        let connection = connection();
        connection
            .batch(
                "CREATE TABLE t (a INTEGER PRIMARY KEY, b INTEGER); CREATE INDEX t_b ON t (b); \
                 WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500) \
                 INSERT INTO t SELECT i, i % 7 FROM n; ANALYZE",
            )
            .expect("a table with statistics");
        for value in 0_i64..100 {
            let rows =
                connection.query("SELECT a FROM t WHERE b >= $1 AND b < $2", params![value, value + 2]);
            rows.expect("it runs");
        }
        assert_eq!(connection.recompiled.load(Ordering::Relaxed), 0);
    }
}
