//! Values on their way into and out of the tables, the same for both databases.
//!
//! Times are stored as microseconds since 1970, numbers as 64-bit integers.

use compact_str::CompactString;
use domain::Timestamp;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use uuid::Uuid;

use crate::StoreError;

/// A value to store or to look for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Param {
    Null,
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
    Id(Uuid),
    /// A column of many rows, for PostgreSQL's `unnest`.
    Ints(Vec<i64>),
    /// The same with texts.
    Texts(Vec<String>),
    /// The same with ids, some of which may be missing.
    Ids(Vec<Option<Uuid>>),
}

/// What can be stored in a column.
pub(crate) trait ToParam {
    fn to_param(&self) -> Param;
}

impl<T: ToParam> From<T> for Param {
    fn from(value: T) -> Self {
        value.to_param()
    }
}

impl<T: ToParam + ?Sized> ToParam for &T {
    fn to_param(&self) -> Param {
        T::to_param(self)
    }
}

impl<T: ToParam> ToParam for Option<T> {
    fn to_param(&self) -> Param {
        self.as_ref().map_or(Param::Null, T::to_param)
    }
}

macro_rules! to_param {
    ($($from:ty => |$value:ident| $into:expr),* $(,)?) => {$(
        impl ToParam for $from {
            fn to_param(&self) -> Param {
                let $value = self;
                $into
            }
        }
    )*};
}

to_param! {
    i64 => |value| Param::Int(*value),
    u32 => |value| Param::Int((*value).into()),
    u16 => |value| Param::Int((*value).into()),
    u8 => |value| Param::Int((*value).into()),
    bool => |value| Param::Int((*value).into()),
    u64 => |value| Param::Int(i64::try_from(*value).unwrap_or(i64::MAX)),
    str => |value| Param::Text(value.to_owned()),
    String => |value| Param::Text(value.clone()),
    Vec<u8> => |value| Param::Bytes(value.clone()),
    [u8] => |value| Param::Bytes(value.to_vec()),
    [u8; 32] => |value| Param::Bytes(value.to_vec()),
    Uuid => |value| Param::Id(*value),
    Timestamp => |value| Param::Int(value.as_microsecond()),
}

/// Values for a query, each turned into a [`Param`].
macro_rules! params {
    ($($value:expr),* $(,)?) => { &[$($crate::value::ToParam::to_param(&$value)),*] };
}
pub(crate) use params;

impl rusqlite::ToSql for Param {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        use rusqlite::types::{ToSqlOutput, ValueRef};
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(value) => ValueRef::Integer(*value),
            Self::Text(value) => ValueRef::Text(value.as_bytes()),
            Self::Bytes(value) => ValueRef::Blob(value),
            Self::Id(value) => ValueRef::Blob(value.as_bytes()),
            Self::Ints(_) | Self::Texts(_) | Self::Ids(_) => {
                return Err(rusqlite::Error::InvalidQuery);
            }
        }))
    }
}

impl ToSql for Param {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut bytes::BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Int(value) => value.to_sql(ty, out),
            Self::Text(value) => value.to_sql(ty, out),
            Self::Bytes(value) => value.to_sql(ty, out),
            Self::Id(value) => value.to_sql(ty, out),
            Self::Ints(values) => values.to_sql(ty, out),
            Self::Texts(values) => values.to_sql(ty, out),
            Self::Ids(values) => values.to_sql(ty, out),
        }
    }

    fn accepts(ty: &Type) -> bool {
        // Unknown is what a missing value is called where the server finds out the type by itself.
        let single = [Type::INT8, Type::TEXT, Type::BYTEA, Type::UUID, Type::UNKNOWN];
        single.contains(ty) || [Type::INT8_ARRAY, Type::TEXT_ARRAY, Type::UUID_ARRAY].contains(ty)
    }

    to_sql_checked!();
}

/// A value as it was found.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell {
    Null,
    Int(i64),
    /// Short ones, which most are, need no memory of their own.
    Text(CompactString),
    Bytes(Vec<u8>),
    /// What has 16 bytes may be either of the two on SQLite.
    Id(Uuid),
}

/// A row, read from left to right.
#[derive(Debug)]
pub(crate) struct Row {
    table: &'static str,
    cells: std::vec::IntoIter<Cell>,
}

impl Row {
    pub(crate) fn new(cells: Vec<Cell>) -> Self {
        Self { table: "a query", cells: cells.into_iter() }
    }

    /// All its values, as they were found.
    pub(crate) fn into_cells(self) -> Vec<Cell> {
        self.cells.collect()
    }

    /// What stands in the last column, if it is a text.
    pub(crate) fn last_text(mut self) -> String {
        self.cells.next_back().and_then(String::from_cell).unwrap_or_default()
    }

    /// Names the table for error messages.
    pub(crate) fn of(mut self, table: &'static str) -> Self {
        self.table = table;
        self
    }

    pub(crate) fn next<T: FromCell>(&mut self) -> Result<T, StoreError> {
        let cell = self.cells.next().ok_or_else(|| StoreError::corrupt(self.table, "a column is missing"))?;
        T::from_cell(cell)
            .ok_or_else(|| StoreError::corrupt(self.table, "a value that this version cannot read"))
    }

    /// The next so many columns as a row of a table, or none if an outer join found no row: then even its key is empty.
    pub(crate) fn joined<T>(
        &mut self,
        columns: usize,
        read: impl FnOnce(&mut Self) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        if self.cells.as_slice().first() != Some(&Cell::Null) {
            return read(self).map(Some);
        }
        self.cells.by_ref().take(columns).for_each(drop);
        Ok(None)
    }

    /// The next column, read by a function that may refuse it.
    pub(crate) fn parse<T>(&mut self, read: impl FnOnce(&str) -> Option<T>) -> Result<T, StoreError> {
        let text: CompactString = self.next()?;
        read(&text).ok_or_else(|| StoreError::corrupt(self.table, "a value that this version cannot read"))
    }
}

/// A type that a column can be read as.
pub(crate) trait FromCell: Sized {
    fn from_cell(cell: Cell) -> Option<Self>;
}

impl FromCell for i64 {
    fn from_cell(cell: Cell) -> Option<Self> {
        if let Cell::Int(value) = cell { Some(value) } else { None }
    }
}

macro_rules! from_int {
    ($($ty:ty),*) => {$(
        impl FromCell for $ty {
            fn from_cell(cell: Cell) -> Option<Self> {
                i64::from_cell(cell)?.try_into().ok()
            }
        }
    )*};
}

from_int!(u64, u32, u16, u8);

impl FromCell for bool {
    fn from_cell(cell: Cell) -> Option<Self> {
        i64::from_cell(cell).map(|value| value != 0)
    }
}

impl FromCell for CompactString {
    fn from_cell(cell: Cell) -> Option<Self> {
        if let Cell::Text(value) = cell { Some(value) } else { None }
    }
}

impl FromCell for String {
    fn from_cell(cell: Cell) -> Option<Self> {
        CompactString::from_cell(cell).map(CompactString::into_string)
    }
}

impl FromCell for Vec<u8> {
    fn from_cell(cell: Cell) -> Option<Self> {
        match cell {
            Cell::Bytes(value) => Some(value),
            Cell::Id(value) => Some(value.as_bytes().to_vec()),
            _ => None,
        }
    }
}

impl FromCell for Uuid {
    fn from_cell(cell: Cell) -> Option<Self> {
        match cell {
            Cell::Id(value) => Some(value),
            Cell::Bytes(value) => Self::from_slice(&value).ok(),
            _ => None,
        }
    }
}

impl FromCell for Timestamp {
    fn from_cell(cell: Cell) -> Option<Self> {
        Self::from_microsecond(i64::from_cell(cell)?).ok()
    }
}

impl<T: FromCell> FromCell for Option<T> {
    fn from_cell(cell: Cell) -> Option<Self> {
        if cell == Cell::Null { Some(None) } else { T::from_cell(cell).map(Some) }
    }
}

macro_rules! ids_from_cell {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        impl FromCell for domain::$name {
            fn from_cell(cell: Cell) -> Option<Self> {
                Uuid::from_cell(cell).map(Self)
            }
        }

        impl ToParam for domain::$name {
            fn to_param(&self) -> Param {
                Param::Id(self.0)
            }
        }
    )*};
}

domain::every_id!(ids_from_cell);

/// Types that are stored as a word, with the functions that write and read it.
macro_rules! words {
    ($($ty:ty: $write:ident, $read:expr;)+) => {$(
        impl $crate::value::ToParam for $ty {
            fn to_param(&self) -> $crate::value::Param {
                $crate::value::Param::Text(self.$write().into())
            }
        }

        impl $crate::value::FromCell for $ty {
            fn from_cell(cell: $crate::value::Cell) -> Option<Self> {
                let read: fn(&str) -> Option<Self> = $read;
                if let $crate::value::Cell::Text(word) = cell { read(&word) } else { None }
            }
        }
    )+};
}
pub(crate) use words;

words! {
    domain::E164: as_str, |text| Self::parse(text).ok();
    domain::Mode: as_str, Self::parse;
    domain::Source: as_str, Self::parse;
    domain::business::FactorKind: as_str, Self::parse;
    domain::business::Role: as_str, Self::parse;
    domain::audit::Action: as_str, Self::parse;
    domain::audit::ActorKind: as_str, Self::parse;
    domain::audit::TargetKind: as_str, Self::parse;
    domain::business::ConsentRule: as_str, Self::parse;
    domain::usage::Day: to_string, Self::parse;
    domain::call::Purpose: as_str, Self::parse;
    domain::ScopeSet: to_text, Self::from_text;
    domain::call::Direction: as_str, Self::parse;
    domain::call::FailureCode: as_str, Self::parse;
    domain::call::Urgency: as_str, Self::parse;
    domain::event::EventType: as_str, Self::parse;
}
