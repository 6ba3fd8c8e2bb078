//! Lists, newest first, page by page, by seeking and never by counting.

use domain::{BusinessId, Timestamp};

use crate::StoreError;
use crate::tx::{Engine, Param, Row, Tx};

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
    /// Takes a value and gives its placeholder; equal values share one.
    pub(crate) fn value(&mut self, value: impl Into<Param>) -> String {
        let value = value.into();
        let place = self.values.iter().position(|known| *known == value).unwrap_or(self.values.len());
        if place == self.values.len() {
            self.values.push(value);
        }
        format!("${}", place + 1)
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

    /// Adds a condition that rows are held against and not sought by: another one leads to them.
    pub(crate) fn aside(&mut self, left: &str, operator: &str, value: impl Into<Param>) {
        let place = self.value(value);
        self.and_text(&format!("({left} {operator} {place}) IS TRUE"));
    }

    /// The same if there is a value.
    pub(crate) fn aside_if(&mut self, left: &str, operator: &str, value: Option<impl Into<Param>>) {
        if let Some(value) = value {
            self.aside(left, operator, value);
        }
    }

    /// One of several values, as a condition aside.
    pub(crate) fn aside_in<V: Into<Param>>(&mut self, column: &str, values: impl IntoIterator<Item = V>) {
        let places: Vec<String> = values.into_iter().map(|value| self.value(value)).collect();
        self.and_text(&format!("({column} IN ({})) IS TRUE", places.join(", ")));
    }

    pub(crate) fn and_text(&mut self, text: &str) {
        self.text.push_str(if self.text.is_empty() { " WHERE " } else { " AND " });
        self.text.push_str(text);
    }

    fn finish(mut self, select: &str, time: &str, id: &str, limit: u32) -> (String, Vec<Param>) {
        let place = self.value(i64::from(limit));
        (format!("{select}{} ORDER BY {time} DESC, {id} DESC LIMIT {place}", self.text), self.values)
    }

    /// The same for a list that goes forwards in time.
    pub(crate) fn finish_forwards(mut self, query: ListQuery<'_>, limit: u32) -> (String, Vec<Param>) {
        let place = self.value(i64::from(limit));
        let ListQuery { select, time, id, .. } = query;
        (format!("{select}{} ORDER BY {time}, {id} LIMIT {place}", self.text), self.values)
    }
}

/// A way to rows of a list: conditions for which an index holds the rows in the list's order. The rows that a list shows may lie on
/// several ways; the database then merges them as it reads, so that no more are read than are shown.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Way {
    begin: Begin,
    conditions: Vec<Condition>,
}

#[derive(Debug, Clone, PartialEq)]
enum Condition {
    /// Text up to its value, along an index.
    Seek(&'static str, Param),
    /// The same with text behind the value.
    SeekWithin(&'static str, Param, &'static str),
    /// A column and what it is held against.
    Aside(&'static str, Param),
    Text(&'static str),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Begin {
    /// The index begins with the business.
    Business,
    /// It begins with one of the way's own conditions.
    Condition,
    /// The way leads to few rows, in another order.
    Few,
}

impl Way {
    /// Along an index that begins with the business.
    pub(crate) fn of_business() -> Self {
        Self { begin: Begin::Business, conditions: Vec::new() }
    }

    /// Along an index that begins with another column, which stands first among the conditions.
    pub(crate) fn of_column() -> Self {
        Self { begin: Begin::Condition, conditions: Vec::new() }
    }

    /// Along an index of the business that holds the rows in another order: what is found is sorted, so it must be little.
    pub(crate) fn to_few() -> Self {
        Self { begin: Begin::Few, conditions: Vec::new() }
    }

    pub(crate) fn is_to_few(&self) -> bool {
        self.begin == Begin::Few
    }

    /// Where the column has this value. The condition ends with its operator, as in `c.agent_id =`.
    pub(crate) fn and(mut self, condition: &'static str, value: impl Into<Param>) -> Self {
        self.conditions.push(Condition::Seek(condition, value.into()));
        self
    }

    /// The same with the rest of the condition behind its value.
    pub(crate) fn and_within(
        mut self,
        begin: &'static str,
        value: impl Into<Param>,
        end: &'static str,
    ) -> Self {
        self.conditions.push(Condition::SeekWithin(begin, value.into(), end));
        self
    }

    /// The same if there is a value.
    pub(crate) fn and_if(self, condition: &'static str, value: Option<impl Into<Param>>) -> Self {
        match value {
            Some(value) => self.and(condition, value),
            None => self,
        }
    }

    pub(crate) fn and_text(mut self, condition: &'static str) -> Self {
        self.conditions.push(Condition::Text(condition));
        self
    }

    /// Where the column has this value, if there is one; the way does not lead along it.
    pub(crate) fn and_aside(mut self, column: &'static str, value: Option<impl Into<Param>>) -> Self {
        self.conditions.extend(value.map(|value| Condition::Aside(column, value.into())));
        self
    }

    /// `SELECT … WHERE …`, without an order.
    fn select(
        &self,
        columns: &str,
        query: ListQuery<'_>,
        business: BusinessId,
        page: &Page,
        narrow: &impl Fn(&mut Conditions),
        values: Vec<Param>,
    ) -> (String, Vec<Param>) {
        let mut conditions = Conditions { text: String::new(), values };
        for condition in &self.conditions {
            match condition {
                Condition::Seek(begin, value) => {
                    let place = conditions.value(value.clone());
                    conditions.and_text(&format!("{begin} {place}"));
                }
                Condition::SeekWithin(begin, value, end) => {
                    let place = conditions.value(value.clone());
                    conditions.and_text(&format!("{begin} {place}{end}"));
                }
                Condition::Aside(column, value) => conditions.aside(column, "=", value.clone()),
                Condition::Text(text) => conditions.and_text(text),
            }
        }
        if self.begin == Begin::Condition {
            conditions.aside(query.business, "=", business);
        } else {
            conditions.and(query.business, "=", business);
        }
        narrow(&mut conditions);
        match (self.begin, page.after) {
            (Begin::Few, Some(after)) => conditions.aside(query.time, "<", after),
            (_, Some(after)) => conditions.and(query.time, "<", after),
            (_, None) => {}
        }
        (format!("{columns}{}", conditions.text), conditions.values)
    }
}

/// The statement for the rows on all ways.
fn statement(
    engine: Engine,
    query: ListQuery<'_>,
    business: BusinessId,
    page: &Page,
    ways: &[Way],
    narrow: &impl Fn(&mut Conditions),
) -> (String, Vec<Param>) {
    let ListQuery { select, time, id, .. } = query;
    if let [way] = ways
        && way.begin != Begin::Few
    {
        let (text, values) = way.select(select, query, business, page, narrow, Vec::new());
        return Conditions { text: String::new(), values }.finish(&text, time, id, page.limit + 1);
    }
    // Only the order and the ids go through the merge; the rows are fetched when it is known which.
    let keys = format!("SELECT {time} AS made_at, {id} AS found FROM {}", query.table);
    let mut conditions = Conditions::default();
    let limit = conditions.value(i64::from(page.limit + 1));
    let (mut texts, mut values) = (Vec::with_capacity(ways.len()), conditions.values);
    for way in ways {
        let text;
        (text, values) = way.select(&keys, query, business, page, narrow, values);
        texts.push(text);
    }
    let text = if ways.iter().any(Way::is_to_few) {
        let few = texts.join(" UNION ALL ");
        // An order that no index has keeps both databases from walking along the wrong one.
        format!("SELECT found FROM ({few}) AS few ORDER BY made_at + 0 DESC, found DESC LIMIT {limit}")
    } else {
        match engine {
            // It merges the parts of a compound that is ordered as a whole, row by row.
            Engine::Sqlite => {
                format!("{} ORDER BY made_at DESC, found DESC LIMIT {limit}", texts.join(" UNION ALL "))
            }
            // It sorts such a compound, and merges parts that are ordered each.
            Engine::Postgres => {
                let part = |text| {
                    format!(
                        "SELECT made_at, found FROM ({text} ORDER BY {time} DESC, {id} DESC LIMIT {limit}) AS way"
                    )
                };
                let parts: Vec<String> = texts.into_iter().map(part).collect();
                format!(
                    "SELECT found FROM ({}) AS ways ORDER BY made_at DESC, found DESC LIMIT {limit}",
                    parts.join(" UNION ALL ")
                )
            }
        }
    };
    (format!("{select} WHERE {id} IN (SELECT found FROM ({text}) AS shown)"), values)
}

/// What a list looks like in SQL.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ListQuery<'a> {
    /// `SELECT … FROM …`.
    pub(crate) select: &'a str,
    /// The table of the columns below, with its alias.
    pub(crate) table: &'a str,
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
    list_ways(tx, query, businesses, page, &[Way::of_business()], filter, read, created_at).await
}

/// The same for rows that lie on several ways. On no way lies nothing.
#[expect(clippy::too_many_arguments, reason = "what is listed, of whom, which part, and how it is read")]
pub(crate) async fn list_ways<T>(
    tx: &mut Tx,
    query: ListQuery<'_>,
    businesses: &[BusinessId],
    page: &Page,
    ways: &[Way],
    narrow: impl Fn(&mut Conditions),
    read: impl Fn(Row) -> Result<T, StoreError>,
    created_at: impl Fn(&T) -> Timestamp,
) -> Result<Listed<T>, StoreError> {
    let ways = each_once(ways);
    let mut rows = Vec::new();
    for &business in businesses.iter().filter(|_| !ways.is_empty()) {
        let (sql, values) = statement(tx.engine(), query, business, page, &ways, &narrow);
        for row in tx.query(&sql, &values).await? {
            rows.push(read(row)?);
        }
    }
    if businesses.len() > 1 || ways.len() > 1 || ways.iter().any(Way::is_to_few) {
        rows.sort_by_key(|row| std::cmp::Reverse(created_at(row)));
    }
    let limit = page.limit as usize;
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    Ok(Listed { rows, has_more })
}

/// A filter that names a word twice leads along the same way twice; its rows would then take the places of others on the page.
fn each_once(ways: &[Way]) -> Vec<Way> {
    ways.iter()
        .enumerate()
        .filter(|(at, way)| !ways[..*at].contains(way))
        .map(|(_, way)| way.clone())
        .collect()
}

impl Page {
    /// The same part of a list of which only what came before a time is wanted.
    pub(crate) fn before(self, time: Option<Timestamp>) -> Self {
        let after = match (self.after, time) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        Self { after, ..self }
    }
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
