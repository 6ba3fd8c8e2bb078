//! What clients send, parsed at the door: each field has a type that knows what it accepts and how to say so.
//!
//! One declaration by [`input!`] makes the struct, its reader and its JSON schema, so that the published document cannot
//! promise anything else than what is read. Rules that hold for every input: unknown fields are ignored, all wrong fields are
//! reported at once, and no error repeats what was sent.

mod field;
mod json;
mod params;
mod problem;
mod text;
mod url;

pub use self::url::Url;
pub use field::{
    Cursor, Decimal, Field, Id, Limit, List, Mail, Nested, Object, PageAddress, Parcel, Phone, Slot, Time,
    Whole, Words, WrittenPhone, Zone, page, storable,
};
pub use params::Params;
pub use problem::Problem;
pub use schemars::SchemaGenerator;
pub use text::{Line, Text};

pub use crate::input;

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// The fields as they came in, a JSON object or a query string alike.
#[derive(Debug, Default)]
pub struct Fields {
    values: Map<String, Value>,
    /// Those that a query string names more than once, and whose values are therefore lists.
    repeated: BTreeSet<String>,
}

impl Fields {
    /// The fields of a JSON object.
    pub fn new(values: Map<String, Value>) -> Self {
        Self { values, repeated: BTreeSet::new() }
    }

    /// Takes the first of these names that is present.
    pub fn take(&mut self, names: &[&str]) -> Option<Value> {
        let name = names.iter().find(|name| self.values.contains_key(**name))?;
        self.values.get_mut(*name).map(Value::take)
    }

    /// Reads the first of these names that is present; the first one is its name where it is wrong.
    pub fn read<S: Slot>(&mut self, names: &[&str]) -> Result<S, Problem> {
        let present = names.iter().find(|name| self.values.contains_key(**name));
        let is_repeated = present.is_some_and(|name| self.repeated.contains(*name));
        let value = self.take(names);
        let values = value.as_ref().filter(|_| is_repeated).and_then(Value::as_array).cloned();
        S::read_slot(value).map_err(|problem| {
            let problem = match values.as_deref() {
                Some([first, ..]) if stands_alone::<S>(first) => {
                    Problem::new("", "expected once; it occurs several times")
                }
                _ => problem,
            };
            problem.within(names[0])
        })
    }
}

/// True if the value is good by itself, and is none of a list.
fn stands_alone<S: Slot>(value: &Value) -> bool {
    S::read_slot(Some(value.clone())).is_ok() && S::read_slot(Some(Value::from(vec![value.clone()]))).is_err()
}

/// A set of named fields, made by [`input!`].
pub trait Input: Sized + Send + 'static {
    /// Reads the fields; reports every wrong one.
    fn read(fields: &mut Fields) -> Result<Self, Vec<Problem>>;

    /// The name of its schema.
    fn name() -> &'static str;

    fn description() -> &'static str;

    /// Its fields, aliases included.
    fn fields(generator: &mut SchemaGenerator) -> Vec<FieldDoc>;
}

/// A field as the published document shows it.
#[derive(Debug)]
pub struct FieldDoc {
    /// Name on the wire.
    pub name: &'static str,
    pub description: String,
    /// Whether it must be there.
    pub required: bool,
    /// What it may hold.
    pub schema: Value,
}

/// The JSON schema of an input as a request body.
pub fn object_schema<I: Input>(generator: &mut SchemaGenerator) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for field in I::fields(generator) {
        let mut schema = field.schema;
        if let Value::Object(schema) = &mut schema {
            schema.insert("description".into(), field.description.into());
        }
        properties.insert(field.name.into(), schema);
        if field.required {
            required.push(Value::from(field.name));
        }
    }
    let mut schema = Map::new();
    schema.insert("type".into(), "object".into());
    schema.insert("description".into(), I::description().into());
    schema.insert("properties".into(), properties.into());
    if !required.is_empty() {
        schema.insert("required".into(), required.into());
    }
    schema.into()
}

/// Declares what clients may send. The lines of documentation above a struct and above each of its fields are part of it: they are what
/// the published document says.
///
/// ```text
/// input! {
///     /// A thing to make.
///     pub struct NewThing {
///         /// Its name.
///         name: Line<1, 200> = "name" | "title",      // the first name wins; the others are aliases
///         /// Notes.
///         notes: Option<Text<0, 1000>> = "notes",     // absent and null mean the same
///     }
/// }
/// ```
#[macro_export]
macro_rules! input {
    ($(
        #[doc = $about:literal] $(#[doc = $more:literal])*
        pub struct $name:ident {
            $( $(#[doc = $doc:literal])+ $field:ident : $slot:ty = $wire:literal $(| $alias:literal)*, )*
        }
    )*) => {$(
        #[doc = $about] $(#[doc = $more])*
        #[derive(Debug)]
        pub struct $name { $( $(#[doc = $doc])+ pub $field: $slot, )* }

        impl $crate::input::Input for $name {
            fn read(fields: &mut $crate::input::Fields) -> Result<Self, Vec<$crate::input::Problem>> {
                let mut problems = Vec::new();
                $(
                    let $field = match fields.read::<$slot>(&[$wire $(, $alias)*]) {
                        Ok(read) => Some(read),
                        Err(problem) => { problems.push(problem); None }
                    };
                )*
                match ($($field,)*) {
                    ($(Some($field),)*) => Ok(Self { $($field),* }),
                    _ => Err(problems),
                }
            }

            fn name() -> &'static str { stringify!($name) }

            fn description() -> &'static str { concat!($about $(, "\n", $more)*).trim() }

            #[allow(clippy::vec_init_then_push, reason = "some structs have one field")]
            fn fields(generator: &mut $crate::input::SchemaGenerator) -> Vec<$crate::input::FieldDoc> {
                let mut docs = Vec::new();
                $(
                    docs.push($crate::input::FieldDoc {
                        name: $wire,
                        description: concat!($($doc, "\n"),+).trim().replace("\n ", "\n"),
                        required: <$slot as $crate::input::Slot>::REQUIRED,
                        schema: <$slot as $crate::input::Slot>::slot_schema(generator),
                    });
                    $(docs.push($crate::input::FieldDoc {
                        name: $alias,
                        description: concat!("Alias of `", $wire, "`, which wins if both are sent.").into(),
                        required: false,
                        schema: <$slot as $crate::input::Slot>::slot_schema(generator),
                    });)*
                )*
                docs
            }
        }
    )*};
    ($($other:tt)*) => {
        compile_error!(
            "input! takes structs like `/// What it is. pub struct Name { /// What it means. field: Slot = \"name\", }`; \
             the lines of documentation must not be missing"
        );
    };
}
