//! One list of columns per table, from which the texts of its statements, the values to write and the reader come.
//!
//! [`table!`] declares a table. Its columns stand in groups, because the groups are used differently:
//!
//! | Group | INSERT writes it | UPDATE | A reader gets it |
//! |---|---|---|---|
//! | `key` | yes | finds the row by it | yes |
//! | `fixed` | yes | no | yes |
//! | `changing` | yes | sets it | yes |
//! | `unread` | yes | no | no |
//! | `computed` | no | no | yes, as the value of an SQL expression |
//!
//! `key {}` stands where no statement of the table finds a row in order to change all of it.
//!
//! `column` alone means "the field of that name"; `column = value` says where the value comes from. A reader gets every column as a
//! variable of the column's name. Without `read …` it builds the record from fields of the same names. So a column that is added to the list and
//! forgotten in the record, or the other way round, does not compile, and no two lists can get out of step.
//!
//! What is read may be another type than what is written: `(session: &NewSession) -> Session`. Where a query needs only some columns of a
//! table, [`view!`] declares these together with the record that they become.
//!
//! ```ignore
//! table! {
//!     /// The registry of numbers.
//!     Numbers = "numbers" as "n", (number: &Number)
//!     key { id }
//!     fixed { phone_number, created_at }
//!     changing { business_id, agent_id }
//! }
//!
//! const BY_PHONE: &str = text!("SELECT ", Numbers::COLUMNS, " FROM numbers n WHERE n.phone_number = $1");
//!
//! tx.execute(Numbers::INSERT, &Numbers::inserted(number)).await?;
//! tx.execute(Numbers::UPDATE, &Numbers::changed(number)).await?;
//! tx.query_one(BY_PHONE, params![phone]).await?.map(Numbers::read).transpose()?;
//! ```
//!
//! All texts are made when the program is compiled: a statement costs no formatting when it runs.

/// Declares a table; see the module's documentation.
macro_rules! table {
    (
        $(#[$attribute:meta])*
        $table:ident = $name:literal as $alias:literal, ($record:ident: &$type:ident $(, $more:ident: $more_type:ty)*) $(-> $read_type:ident)?
        key { $($key:ident $(= $key_value:expr)?),* $(,)? }
        $(fixed { $($fixed:ident $(= $fixed_value:expr)?),+ $(,)? })?
        $(changing { $($changing:ident $(= $changing_value:expr)?),+ $(,)? })?
        $(unread { $($unread:ident $(= $unread_value:expr)?),+ $(,)? })?
        $(computed { $($computed:ident = $computed_sql:literal),+ $(,)? })?
        $(read $read:expr)?
    ) => {
        $(#[$attribute])*
        struct $table;

        impl $table {
            const KEY: &[&str] = &[$(stringify!($key)),*];
            const FIXED: &[&str] = &[$($(stringify!($fixed)),+)?];
            const CHANGING: &[&str] = &[$($(stringify!($changing)),+)?];
            const UNREAD: &[&str] = &[$($(stringify!($unread)),+)?];

            /// What a SELECT lists for [`Self::read`]: the columns in order, each with the table's alias.
            const COLUMNS: &str = $crate::table::text!(
                $crate::table::compiled!(select_list($alias, &[$table::KEY, $table::FIXED, $table::CHANGING])),
                $($(", ", $computed_sql),+)?
            );

            /// Stores a new row; wants [`Self::inserted`].
            const INSERT: &str = $crate::table::compiled!(
                insert($name, &[$table::KEY, $table::FIXED, $table::CHANGING, $table::UNREAD])
            );

            fn key($record: &$type) -> Vec<$crate::tx::Param> {
                let _ = $record; // not used where the key is empty
                vec![$($crate::table::value!($record $key $($key_value)?)),*]
            }

            /// The values of a new row.
            fn inserted($record: &$type $(, $more: $more_type)*) -> Vec<$crate::tx::Param> {
                let mut values = Self::key($record);
                values.extend([
                    $($($crate::table::value!($record $fixed $($fixed_value)?),)+)?
                    $($($crate::table::value!($record $changing $($changing_value)?),)+)?
                    $($($crate::table::value!($record $unread $($unread_value)?),)+)?
                ]);
                values
            }

            $(
                /// Stores what can change of the row with the same key; wants [`Self::changed`].
                const UPDATE: &str =
                    $crate::table::compiled!(update($name, $table::KEY, $table::CHANGING));

                /// The key of a row and the values that can change.
                fn changed($record: &$type) -> Vec<$crate::tx::Param> {
                    let mut values = Self::key($record);
                    values.extend([$($crate::table::value!($record $changing $($changing_value)?)),+]);
                    values
                }
            )?

            /// Reads what a query for [`Self::COLUMNS`] found.
            fn read(row: $crate::tx::Row) -> Result<$crate::table::last!($type $($read_type)?), $crate::StoreError> {
                Self::read_from(&mut row.of($name))
            }

            /// The same for a row that goes on with other columns.
            fn read_from(
                row: &mut $crate::tx::Row,
            ) -> Result<$crate::table::last!($type $($read_type)?), $crate::StoreError> {
                $(let $key = row.next()?;)*
                $($(let $fixed = row.next()?;)+)?
                $($(let $changing = row.next()?;)+)?
                $($(let $computed = row.next()?;)+)?
                Ok($crate::table::record!(
                    [$($read)?] [$type $($read_type)?]
                    { $($key,)* $($($fixed,)+)? $($($changing,)+)? $($($computed,)+)? }
                ))
            }
        }
    };
}

/// Declares which columns of a table some queries read, and the record whose fields they become. Values of SQL expressions may follow.
macro_rules! view {
    (
        $(#[$attribute:meta])*
        $view:ident = $name:literal as $alias:literal, $type:ident { $($column:ident),+ $(,)? }
        $(computed { $($computed:ident = $computed_sql:literal),+ $(,)? })?
    ) => {
        $(#[$attribute])*
        struct $view;

        impl $view {
            /// What a SELECT lists for [`Self::read`].
            const COLUMNS: &str = $crate::table::text!(
                $crate::table::compiled!(select_list($alias, &[&[$(stringify!($column)),+]])),
                $($(", ", $computed_sql),+)?
            );

            /// Reads what a query for [`Self::COLUMNS`] found.
            fn read(row: $crate::tx::Row) -> Result<$type, $crate::StoreError> {
                let mut row = row.of($name);
                Ok($type { $($column: row.next()?,)+ $($($computed: row.next()?),+)? })
            }
        }
    };
}

/// The value of a column: what was said, or the field of the same name.
macro_rules! value {
    ($record:ident $column:ident) => {
        $crate::tx::ToParam::to_param(&$record.$column)
    };
    ($record:ident $column:ident $value:expr) => {
        $crate::tx::ToParam::to_param(&$value)
    };
}

/// The last of one or two types.
macro_rules! last {
    ($type:ident) => {
        $type
    };
    ($type:ident $last:ident) => {
        $last
    };
}

/// What a reader makes of the columns: what was said, or a record with fields of the same names.
macro_rules! record {
    ([] [$type:ident] { $($column:ident,)+ }) => {
        $type { $($column),+ }
    };
    ([] [$type:ident $last:ident] { $($column:ident,)+ }) => {
        $last { $($column),+ }
    };
    ([$read:expr] [$($type:ident)+] { $($column:ident,)+ }) => {
        $read
    };
}

/// Joins texts that are known when the program is compiled.
macro_rules! text {
    ($($part:expr),+ $(,)?) => { $crate::table::compiled!(join(&[$($part),+])) };
}

/// Runs a function of this module that writes a [`Text`]: once to learn the length, once into the room that is then known.
macro_rules! compiled {
    ($write:ident($($argument:expr),+ $(,)?)) => {{
        const LENGTH: usize = $crate::table::$write::<0>($($argument),+).length;
        const TEXT: &$crate::table::Text<LENGTH> = &$crate::table::$write::<LENGTH>($($argument),+);
        TEXT.as_str()
    }};
}

pub(crate) use {compiled, last, record, table, text, value, view};

/// A text that is being written. What does not fit is only counted.
pub(crate) struct Text<const ROOM: usize> {
    bytes: [u8; ROOM],
    pub(crate) length: usize,
}

impl<const ROOM: usize> Text<ROOM> {
    const fn new() -> Self {
        Self { bytes: [0; ROOM], length: 0 }
    }

    const fn push(mut self, text: &str) -> Self {
        let text = text.as_bytes();
        let mut index = 0;
        while index < text.len() {
            if self.length < ROOM {
                self.bytes[self.length] = text[index];
            }
            self.length += 1;
            index += 1;
        }
        self
    }

    /// Writes `$7` for 7.
    const fn push_placeholder(self, number: usize) -> Self {
        const DIGITS: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
        assert!(number < 100, "a statement with a hundred values or more");
        let text = self.push("$");
        let text = if number < 10 { text } else { text.push(DIGITS[number / 10]) };
        text.push(DIGITS[number % 10])
    }

    /// Writes `$1, $2` for 2.
    const fn push_placeholders(self, count: usize) -> Self {
        let mut text = self;
        let mut number = 1;
        while number <= count {
            text = text.push(if number == 1 { "" } else { ", " }).push_placeholder(number);
            number += 1;
        }
        text
    }

    pub(crate) const fn as_str(&self) -> &str {
        match std::str::from_utf8(&self.bytes) {
            Ok(text) => text,
            Err(_) => panic!("texts put together are a text"),
        }
    }
}

/// The texts one after the other.
pub(crate) const fn join<const ROOM: usize>(parts: &[&str]) -> Text<ROOM> {
    let mut text = Text::new();
    let mut index = 0;
    while index < parts.len() {
        text = text.push(parts[index]);
        index += 1;
    }
    text
}

/// The columns of a SELECT, each behind the alias of its table: `l.id, l.name`.
pub(crate) const fn select_list<const ROOM: usize>(alias: &str, groups: &[&[&str]]) -> Text<ROOM> {
    let mut text = Text::new();
    let mut written = 0;
    let mut group = 0;
    while group < groups.len() {
        let mut index = 0;
        while index < groups[group].len() {
            text = text.push(if written == 0 { "" } else { ", " });
            text = text.push(alias).push(".").push(groups[group][index]);
            written += 1;
            index += 1;
        }
        group += 1;
    }
    text
}

/// `INSERT INTO table (column, column) VALUES ($1, $2)`.
pub(crate) const fn insert<const ROOM: usize>(table: &str, groups: &[&[&str]]) -> Text<ROOM> {
    let (text, count) = insert_into(table, groups);
    text.push(") VALUES (").push_placeholders(count).push(")")
}

/// `INSERT INTO table (column, column) SELECT $1, $2 WHERE $3 > `, to go on with a query for a number: the row is only stored while that
/// is below a limit, which is the value after those of the row.
pub(crate) const fn insert_below<const ROOM: usize>(table: &str, groups: &[&[&str]]) -> Text<ROOM> {
    let (text, count) = insert_into(table, groups);
    text.push(") SELECT ").push_placeholders(count).push(" WHERE ").push_placeholder(count + 1).push(" > ")
}

/// `INSERT INTO table (column, column`, and how many columns that are.
const fn insert_into<const ROOM: usize>(table: &str, groups: &[&[&str]]) -> (Text<ROOM>, usize) {
    let mut text = Text::new().push("INSERT INTO ").push(table);
    let mut count = 0;
    let mut group = 0;
    while group < groups.len() {
        let mut index = 0;
        while index < groups[group].len() {
            text = text.push(if count == 0 { " (" } else { ", " }).push(groups[group][index]);
            count += 1;
            index += 1;
        }
        group += 1;
    }
    (text, count)
}

/// `UPDATE table SET column = $2 WHERE key = $1`.
pub(crate) const fn update<const ROOM: usize>(table: &str, key: &[&str], changing: &[&str]) -> Text<ROOM> {
    let mut text = Text::new().push("UPDATE ").push(table);
    let mut index = 0;
    while index < changing.len() {
        text = text.push(if index == 0 { " SET " } else { ", " }).push(changing[index]).push(" = ");
        text = text.push_placeholder(key.len() + index + 1);
        index += 1;
    }
    index = 0;
    while index < key.len() {
        text = text.push(if index == 0 { " WHERE " } else { " AND " }).push(key[index]).push(" = ");
        text = text.push_placeholder(index + 1);
        index += 1;
    }
    text
}

/// `UPDATE table SET column = $2 WHERE key = $1 AND column IS NOT DISTINCT FROM $3`: the row is only changed if it is what it was, and
/// what it was follows after the values of [`update`].
pub(crate) const fn update_unchanged<const ROOM: usize>(
    table: &str,
    key: &[&str],
    changing: &[&str],
) -> Text<ROOM> {
    let mut text = update(table, key, changing);
    let mut index = 0;
    while index < changing.len() {
        text = text.push(" AND ").push(changing[index]).push(" IS NOT DISTINCT FROM ");
        text = text.push_placeholder(key.len() + changing.len() + index + 1);
        index += 1;
    }
    text
}

#[cfg(test)]
mod tests {
    use crate::tx::{Cell, Param, Row};

    #[derive(Debug, PartialEq)]
    struct Person {
        id: i64,
        name: String,
        born: (i64, Option<i64>),
    }

    table! {
        /// A table with columns of every kind.
        People = "people" as "p", (person: &Person)
        key { id }
        fixed { year = person.born.0 }
        changing { name, month = person.born.1 }
        unread { initial = &person.name[..1] }
        read Person { id, name, born: (year, month) }
    }

    struct Tag {
        id: i64,
    }

    struct NewNote {
        person: i64,
        text: String,
    }

    #[derive(Debug, PartialEq)]
    struct Note {
        text: String,
        author: String,
    }

    table! {
        /// What is read is another type than what is written, and part of it is found elsewhere.
        Notes = "notes" as "n", (note: &NewNote) -> Note
        key {}
        fixed { text }
        unread { person }
        computed { author = "(SELECT p.name FROM people p WHERE p.id = n.person)" }
    }

    #[derive(Debug, PartialEq)]
    struct Named {
        id: i64,
        name: String,
    }

    view! {
        /// A part of a table.
        Names = "people" as "p", Named { id, name }
    }

    #[derive(Debug, PartialEq)]
    struct Counted {
        id: i64,
        notes: i64,
    }

    view! {
        /// A part of a table, with something that is found elsewhere.
        Counts = "people" as "p", Counted { id }
        computed { notes = "(SELECT count(*) FROM notes n WHERE n.person = p.id)" }
    }

    #[test]
    fn what_is_read_may_differ_from_what_is_written() {
        assert_eq!(Notes::COLUMNS, "n.text, (SELECT p.name FROM people p WHERE p.id = n.person)");
        assert_eq!(Notes::INSERT, "INSERT INTO notes (text, person) VALUES ($1, $2)");
        let note = NewNote { person: 7, text: "Call back".into() };
        assert_eq!(Notes::inserted(&note), [Param::Text("Call back".into()), Param::Int(7)]);
        let found = vec![Cell::Text("Call back".into()), Cell::Text("Ada".into())];
        assert_eq!(Notes::read(Row::new(found)), Ok(Note { text: "Call back".into(), author: "Ada".into() }));
    }

    #[test]
    fn a_view_reads_the_columns_that_it_lists() {
        assert_eq!(Names::COLUMNS, "p.id, p.name");
        let found = vec![Cell::Int(7), Cell::Text("Ada".into())];
        assert_eq!(Names::read(Row::new(found)), Ok(Named { id: 7, name: "Ada".into() }));
        assert_eq!(Counts::COLUMNS, "p.id, (SELECT count(*) FROM notes n WHERE n.person = p.id)");
        assert_eq!(Counts::read(Row::new(vec![Cell::Int(7), Cell::Int(2)])), Ok(Counted { id: 7, notes: 2 }));
    }

    table! {
        Tags = "tags" as "t", (tag: &Tag)
        key { id }
    }

    #[test]
    fn texts_values_and_reader_come_from_one_list() {
        let person = Person { id: 7, name: "Ada".into(), born: (1815, None) };
        assert_eq!(People::COLUMNS, "p.id, p.year, p.name, p.month");
        assert_eq!(
            People::INSERT,
            "INSERT INTO people (id, year, name, month, initial) VALUES ($1, $2, $3, $4, $5)"
        );
        assert_eq!(People::UPDATE, "UPDATE people SET name = $2, month = $3 WHERE id = $1");
        let text = |text: &str| Param::Text(text.to_owned());
        let inserted = [Param::Int(7), Param::Int(1815), text("Ada"), Param::Null, text("A")];
        assert_eq!(People::inserted(&person), inserted);
        assert_eq!(People::changed(&person), [Param::Int(7), text("Ada"), Param::Null]);
        let found = vec![Cell::Int(7), Cell::Int(1815), Cell::Text("Ada".into()), Cell::Null];
        assert_eq!(People::read(Row::new(found)), Ok(person));
    }

    #[test]
    fn statements_with_a_condition_number_its_values_after_those_of_the_row() {
        assert_eq!(
            compiled!(insert_below("people", &[People::KEY, People::FIXED])),
            "INSERT INTO people (id, year) SELECT $1, $2 WHERE $3 > "
        );
        assert_eq!(
            compiled!(update_unchanged("people", People::KEY, People::CHANGING)),
            "UPDATE people SET name = $2, month = $3 WHERE id = $1 AND name IS NOT DISTINCT FROM $4 \
             AND month IS NOT DISTINCT FROM $5"
        );
    }

    #[test]
    fn a_row_that_lacks_a_column_is_an_error_that_names_the_table() {
        let refused = Tags::read(Row::new(Vec::new())).map(|tag| tag.id);
        assert!(refused.is_err_and(|error| error.to_string().contains("tags")));
        assert_eq!(Tags::inserted(&Tag { id: 1 }), [Param::Int(1)]);
    }

    const MANY: &[&str] = &["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"];

    #[test]
    fn texts_are_joined_and_numbered_past_nine() {
        assert_eq!(text!("SELECT ", Tags::COLUMNS, " FROM tags t"), "SELECT t.id FROM tags t");
        assert_eq!(Tags::INSERT, "INSERT INTO tags (id) VALUES ($1)");
        let insert = compiled!(insert("t", &[MANY]));
        assert!(insert.ends_with("$9, $10, $11)"), "{insert}");
    }
}
