//! Requests of programs as typed fields: the extractors for JSON bodies and queries, over the field types of [`mod@web::input`].

mod body;
mod json;
mod query;

pub use body::{Body, MAX_BODY_BYTES, RawBody};
pub use json::MAX_JSON_DEPTH;
pub use query::Query;
pub use web::change::Change;
pub use web::input::{
    Cursor, Decimal, Field, Fields, Id, Input, Limit, Line, List, Mail, Nested, Object, PageAddress, Parcel,
    Phone, Problem, Slot, Text, Time, Url, Whole, Words, WrittenPhone, Zone, input, object_schema, page,
    storable,
};
