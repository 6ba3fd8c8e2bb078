//! Writes whose outcome nobody asks for before their transaction ends.
//!
//! On SQLite they run where they stand. On PostgreSQL they wait, and cost no round trip of their own: they are sent with the next
//! question of the transaction or with its end. A transaction that consists of nothing else becomes one statement, in which every
//! write is a part (`WITH w0 AS (…), w1 AS (…) SELECT …`): one round trip, one plan, and PostgreSQL itself sees to it that all of it
//! happens or nothing.
//!
//! The parts of such a statement do not see one another's changes, so it is only made of writes that touch different rows. Others go
//! out one after the other, still without waiting for one another.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::tx::Param;

/// How many writes become one statement at most.
const MOST: usize = 12;

/// A statement that changes one row.
#[derive(Debug, Clone)]
pub(crate) struct Write {
    pub(crate) sql: &'static str,
    pub(crate) params: Vec<Param>,
    /// The table and the key of the row, or of the row that it belongs to where it has none of its own.
    row: (&'static str, Uuid),
    /// True if the transaction is worth nothing unless the statement touches its row.
    pub(crate) must_touch: bool,
    /// What the statement counts before it writes, if it does.
    turn: Option<Turn>,
}

/// Something that one transaction at a time counts and adds to.
///
/// On PostgreSQL two transactions that run at once do not see each other's rows, so both would find the last place free. Who takes a
/// turn waits until those who took the same one before have committed, and only then looks. On SQLite there is one writer anyway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Turn(i64);

impl Turn {
    /// What takes the turn on PostgreSQL, until the end of the transaction.
    pub(crate) const TAKE: &str = "SELECT pg_advisory_xact_lock($1)";

    /// The turn of what has this name. Two names may share one by chance, which costs time and nothing else.
    pub(crate) fn of(name: &str) -> Self {
        let digest = Sha256::digest(name);
        let first = digest.first_chunk::<8>().expect("a digest has 32 bytes");
        Self(i64::from_be_bytes(*first))
    }

    pub(crate) fn number(self) -> i64 {
        self.0
    }
}

/// The turns that writes take, in the order in which everybody takes them, so that nobody waits in a circle.
pub(crate) fn turns(writes: &[Write]) -> Vec<Turn> {
    let turns: BTreeSet<Turn> = writes.iter().filter_map(|write| write.turn).collect();
    turns.into_iter().collect()
}

impl Write {
    /// A statement that changes the row of a table that has this key.
    pub(crate) fn new(table: &'static str, key: Uuid, sql: &'static str, params: Vec<Param>) -> Self {
        Self { sql, params, row: (table, key), must_touch: false, turn: None }
    }

    /// The same, and the whole transaction fails with [`StoreError::Changed`](crate::StoreError::Changed) if there is no row to touch.
    #[must_use]
    pub(crate) fn or_fail(mut self) -> Self {
        self.must_touch = true;
        self
    }

    /// The same, looking at other rows only when its turn has come.
    #[must_use]
    pub(crate) fn in_turn(mut self, turn: Turn) -> Self {
        self.turn = Some(turn);
        self
    }
}

/// All writes as one statement of PostgreSQL that is a transaction by itself, with its values. `None` if they have to go one by one.
///
/// It fails by dividing by zero if a row that must be touched is not there.
pub(crate) fn as_one(writes: &[Write]) -> Option<(String, Vec<Param>)> {
    let touches_twice =
        |(index, write): (usize, &Write)| writes[..index].iter().any(|earlier| earlier.row == write.row);
    if writes.len() > MOST || writes.iter().enumerate().any(touches_twice) {
        return None;
    }
    let mut text = String::with_capacity(writes.iter().map(|write| write.sql.len() + 32).sum());
    let mut values = Vec::with_capacity(writes.iter().map(|write| write.params.len()).sum());
    let mut answers = Vec::new();
    for (index, write) in writes.iter().enumerate() {
        text.push_str(if index == 0 { "WITH " } else { ", " });
        let _ = write!(text, "w{index} AS ("); // a String takes every text
        push_renumbered(&mut text, write.sql, values.len());
        if write.must_touch {
            text.push_str(" RETURNING 1");
            answers.push(format!("1 / (SELECT count(*) FROM w{index})"));
        }
        text.push(')');
        values.extend(write.params.iter().cloned());
    }
    text.push_str(" SELECT ");
    text.push_str(if answers.is_empty() { "1" } else { "" });
    text.push_str(&answers.join(", "));
    Some((text, values))
}

/// Appends a statement whose first value is the one after so many others.
fn push_renumbered(text: &mut String, sql: &str, others: usize) {
    let mut pieces = sql.split('$');
    text.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        let digits = piece.bytes().take_while(u8::is_ascii_digit).count();
        let number: usize =
            piece[..digits].parse().expect("a dollar sign stands before a number in every statement");
        let _ = write!(text, "${}{}", number + others, &piece[digits..]); // a String takes every text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(number: u128, sql: &'static str, value: i64) -> Write {
        Write::new(
            "t",
            Uuid::from_u128(number),
            sql,
            vec![Param::Id(Uuid::from_u128(number)), Param::Int(value)],
        )
    }

    #[test]
    fn writes_of_different_rows_become_one_statement() {
        let writes = [
            row(1, "UPDATE t SET a = $2 WHERE id = $1", 7).or_fail(),
            row(2, "INSERT INTO t (id, a) VALUES ($1, $2)", 8),
        ];
        let (text, values) = as_one(&writes).expect("one statement");
        assert_eq!(
            text,
            "WITH w0 AS (UPDATE t SET a = $2 WHERE id = $1 RETURNING 1), w1 AS (INSERT INTO t (id, a) VALUES ($3, $4)) \
             SELECT 1 / (SELECT count(*) FROM w0)"
        );
        let ids = [1, 2].map(|number| Param::Id(Uuid::from_u128(number)));
        assert_eq!(values, [ids[0].clone(), Param::Int(7), ids[1].clone(), Param::Int(8)]);
        let (text, _) = as_one(&writes[1..]).expect("one statement");
        assert_eq!(text, "WITH w0 AS (INSERT INTO t (id, a) VALUES ($1, $2)) SELECT 1");
    }

    #[test]
    fn turns_are_taken_once_each_and_in_one_order() {
        let write = |name| row(1, "UPDATE t SET a = $2 WHERE id = $1", 7).in_turn(Turn::of(name));
        let other = row(2, "UPDATE t SET a = $2 WHERE id = $1", 7);
        let taken = turns(&[write("a"), write("b"), write("a"), other]);
        assert_eq!(taken.len(), 2);
        assert_eq!(taken, turns(&[write("b"), write("a")]));
    }

    #[test]
    fn writes_of_one_row_and_very_many_writes_go_one_by_one() {
        let update = "UPDATE t SET a = $2 WHERE id = $1";
        assert!(as_one(&[row(1, update, 1), row(2, update, 2), row(1, update, 3)]).is_none());
        let other_table = Write::new("u", Uuid::from_u128(1), update, Vec::new());
        assert!(as_one(&[row(1, update, 1), other_table]).is_some());
        let many: Vec<Write> = (0..=MOST as u128).map(|number| row(number, update, 0)).collect();
        assert!(as_one(&many[1..]).is_some() && as_one(&many).is_none());
    }
}
