//! Lists, newest first, page by page, by seeking and never by counting.

use domain::{BusinessId, Timestamp};

use crate::StoreError;
use crate::tx::{Param, Row, Tx};

/// Which part of a list is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// How many rows at most.
    pub limit: u32,
    /// Only rows that came into being before this.
    pub after: Option<Timestamp>,
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed<T> {
    /// The rows of the page, newest first.
    pub rows: Vec<T>,
    /// True if there are older ones.
    pub has_more: bool,
}

/// The conditions of one list query, numbered as they come.
#[derive(Debug, Default)]
pub(crate) struct Conditions {
    text: String,
    values: Vec<Param>,
}

impl Conditions {
    /// Takes a value and gives its placeholder.
    pub(crate) fn value(&mut self, value: impl Into<Param>) -> String {
        self.values.push(value.into());
        format!("${}", self.values.len())
    }

    /// Adds `column operator value`.
    pub(crate) fn and(&mut self, left: &str, operator: &str, value: impl Into<Param>) {
        let place = self.value(value);
        self.and_text(&format!("{left} {operator} {place}"));
    }

    /// Adds a condition if there is a value.
    pub(crate) fn and_if(&mut self, left: &str, operator: &str, value: Option<impl Into<Param>>) {
        if let Some(value) = value {
            self.and(left, operator, value);
        }
    }

    /// One of several values; an empty list asks for nothing and so finds nothing.
    pub(crate) fn and_in(&mut self, column: &str, values: &[String]) {
        let places: Vec<String> = values.iter().map(|value| self.value(value.as_str())).collect();
        let text = if places.is_empty() {
            "1 = 0".to_owned()
        } else {
            format!("{column} IN ({})", places.join(", "))
        };
        self.and_text(&text);
    }

    pub(crate) fn and_text(&mut self, text: &str) {
        self.text.push_str(if self.text.is_empty() { " WHERE " } else { " AND " });
        self.text.push_str(text);
    }

    fn finish(mut self, select: &str, time: &str, id: &str, limit: u32) -> (String, Vec<Param>) {
        let place = self.value(i64::from(limit));
        (format!("{select}{} ORDER BY {time} DESC, {id} DESC LIMIT {place}", self.text), self.values)
    }
}

/// What a list looks like in SQL.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ListQuery<'a> {
    /// `SELECT … FROM …`.
    pub(crate) select: &'a str,
    /// The column that holds the business.
    pub(crate) business: &'a str,
    /// The column of the creation time.
    pub(crate) time: &'a str,
    /// The column of the id.
    pub(crate) id: &'a str,
}

/// Runs one indexed query per business and merges what they find, so that no plan has to sort.
pub(crate) async fn list<T>(
    tx: &mut Tx,
    query: ListQuery<'_>,
    businesses: &[BusinessId],
    page: &Page,
    filter: impl Fn(&mut Conditions),
    read: impl Fn(Row) -> Result<T, StoreError>,
    created_at: impl Fn(&T) -> Timestamp,
) -> Result<Listed<T>, StoreError> {
    let mut rows = Vec::new();
    for &business in businesses {
        let mut conditions = Conditions::default();
        conditions.and(query.business, "=", business.0);
        filter(&mut conditions);
        conditions.and_if(query.time, "<", page.after);
        let (sql, values) = conditions.finish(query.select, query.time, query.id, page.limit + 1);
        for row in tx.query(&sql, &values).await? {
            rows.push(read(row)?);
        }
    }
    if businesses.len() > 1 {
        rows.sort_by_key(|row| std::cmp::Reverse(created_at(row)));
    }
    let limit = page.limit as usize;
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    Ok(Listed { rows, has_more })
}

/// Runs one query that needs no business.
pub(crate) async fn list_by<T>(
    tx: &mut Tx,
    query: ListQuery<'_>,
    page: &Page,
    mut conditions: Conditions,
    read: impl Fn(Row) -> Result<T, StoreError>,
) -> Result<Listed<T>, StoreError> {
    conditions.and_if(query.time, "<", page.after);
    let (sql, values) = conditions.finish(query.select, query.time, query.id, page.limit + 1);
    let mut rows = tx.query(&sql, &values).await?.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let limit = page.limit as usize;
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    Ok(Listed { rows, has_more })
}
