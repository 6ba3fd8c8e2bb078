//! One route: what runs, who may ask, and what the published document says about it.
//!
//! A route is described by the types of its handler's arguments and answer. The argument that lets a request in
//! (`Caller<CallsWrite>`) is the one that tells the document which scope is needed, so the two cannot differ.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::handler::Handler;
use axum::routing::{MethodFilter, MethodRouter, on};
use domain::Scope;
use http::Method;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Value, json};
use web::limits::Group;

use crate::Api;
use crate::error::{ApiError, Code};
use crate::input::{Body, Input, Query, object_schema};

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody, without key and session.
    Open,
    /// Whoever holds a signed link.
    Link,
    /// Any key, or only one with one of these scopes.
    Key(&'static [Scope]),
    /// A user with a session.
    Session,
}

/// What the types of a handler say about it.
#[derive(Debug)]
pub struct Operation {
    /// Who may use it.
    pub access: Access,
    /// Parameters as OpenAPI objects.
    pub parameters: Vec<Value>,
    /// Schema of the request's body.
    pub body: Option<Value>,
    pub answers: Vec<AnswerDoc>,
    /// Codes of all refusals that the route can answer with.
    pub codes: BTreeSet<Code>,
}

#[derive(Debug)]
pub struct AnswerDoc {
    pub status: u16,
    pub description: &'static str,
    /// Content type and schema, unless the answer is empty.
    pub content: Option<(&'static str, Value)>,
    /// Headers besides those of every answer, by component name.
    pub headers: &'static [(&'static str, &'static str)],
}

impl Operation {
    fn new() -> Self {
        let codes = BTreeSet::from([Code::InternalError, Code::Unavailable]);
        Self { access: Access::Open, parameters: Vec::new(), body: None, answers: Vec::new(), codes }
    }

    /// A JSON answer with this status.
    pub fn answers_json<T: JsonSchema>(&mut self, status: u16, generator: &mut SchemaGenerator) {
        let schema = generator.subschema_for::<T>().to_value();
        let description = if status == 201 { "Made." } else { "Done." };
        let content = Some(("application/json", schema));
        self.answers.push(AnswerDoc { status, description, content, headers: &[] });
    }
}

/// A type that says something about the routes that use it.
pub trait Describe {
    /// Adds what the type tells to the description of an operation.
    fn describe(operation: &mut Operation, generator: &mut SchemaGenerator);
}

impl<S> Describe for State<S> {
    fn describe(_: &mut Operation, _: &mut SchemaGenerator) {}
}

impl<I: Input> Describe for Query<I> {
    fn describe(operation: &mut Operation, generator: &mut SchemaGenerator) {
        operation.codes.insert(Code::InvalidRequest);
        for field in I::fields(generator) {
            operation.parameters.push(json!({
                "name": field.name, "in": "query", "required": field.required,
                "description": field.description, "schema": without_null(field.schema),
            }));
        }
    }
}

/// Absence is a query's null.
fn without_null(mut schema: Value) -> Value {
    if let Some(Value::Array(kinds)) = schema.get("type")
        && let Some(kind) = kinds.first().cloned()
    {
        schema["type"] = kind;
    }
    schema
}

impl<I: Input> Describe for Body<I> {
    fn describe(operation: &mut Operation, generator: &mut SchemaGenerator) {
        operation.codes.extend([
            Code::InvalidRequest,
            Code::RequestTimeout,
            Code::PayloadTooLarge,
            Code::UnsupportedMediaType,
        ]);
        let schema = object_schema::<I>(generator);
        generator.definitions_mut().insert(I::name().to_owned(), schema);
        operation.body = Some(json!({ "$ref": format!("#/components/schemas/{}", I::name()) }));
    }
}

impl<A: Describe> Describe for Result<A, ApiError> {
    fn describe(operation: &mut Operation, generator: &mut SchemaGenerator) {
        A::describe(operation, generator);
    }
}

/// A handler whose arguments and answer describe it.
pub trait Documented<Arguments> {
    /// Asks each of them.
    fn document(operation: &mut Operation, generator: &mut SchemaGenerator);
}

macro_rules! documented {
    ($($argument:ident),*) => {
        impl<F, Answer, Running, $($argument),*> Documented<($($argument,)*)> for F
        where
            F: Fn($($argument),*) -> Running,
            Running: Future<Output = Answer>,
            Answer: Describe,
            $($argument: Describe),*
        {
            fn document(operation: &mut Operation, generator: &mut SchemaGenerator) {
                $($argument::describe(operation, generator);)*
                Answer::describe(operation, generator);
            }
        }
    };
}
documented!();
documented!(A);
documented!(A, B);
documented!(A, B, C);
documented!(A, B, C, D);
documented!(A, B, C, D, E);

/// A line of the route table.
pub struct Route {
    /// Its method; GET answers HEAD too.
    pub method: Method,
    /// Its path, with `{name}` where a segment varies.
    pub path: &'static str,
    /// The name of the route in the OpenAPI document (`operationId`).
    pub id: &'static str,
    /// One line about it.
    pub summary: &'static str,
    /// Explanation below the summary.
    pub description: &'static str,
    /// Which limit it counts towards.
    pub group: Group,
    /// Codes that its types do not tell of.
    pub codes: &'static [Code],
    /// A body that works.
    pub request_example: Option<Value>,
    /// An answer to it.
    pub answer_example: Option<Value>,
    /// The handler of the route.
    pub handler: MethodRouter<Api>,
    document: fn(&mut Operation, &mut SchemaGenerator),
}

impl Route {
    /// A route that runs this handler.
    pub fn new<H, M, D>(method: Method, path: &'static str, id: &'static str, handler: H) -> Self
    where
        H: Handler<M, Api> + Documented<D>,
        M: 'static,
    {
        let filter = MethodFilter::try_from(method.clone()).expect("the table names common methods");
        let group = if method == Method::GET { Group::Read } else { Group::Write };
        Self {
            method,
            path,
            id,
            summary: "",
            description: "",
            group,
            codes: &[],
            request_example: None,
            answer_example: None,
            handler: on(filter, handler),
            document: <H as Documented<D>>::document,
        }
    }

    /// Says what it is for.
    #[must_use]
    pub fn about(mut self, summary: &'static str, description: &'static str) -> Self {
        (self.summary, self.description) = (summary, description);
        self
    }

    /// Counts towards another limit than its method suggests.
    #[must_use]
    pub fn counted_as(mut self, group: Group) -> Self {
        self.group = group;
        self
    }

    /// Names refusals that its types do not tell of.
    #[must_use]
    pub fn refuses(mut self, codes: &'static [Code]) -> Self {
        self.codes = codes;
        self
    }

    /// Shows a body that works and its answer.
    #[must_use]
    pub fn example(mut self, request: Option<Value>, answer: Value) -> Self {
        (self.request_example, self.answer_example) = (request, Some(answer));
        self
    }

    /// What its types say.
    pub fn operation(&self, generator: &mut SchemaGenerator) -> Operation {
        let mut operation = Operation::new();
        if self.method != Method::GET {
            operation.codes.insert(Code::StorageFull);
        }
        (self.document)(&mut operation, generator);
        operation.codes.extend(self.codes);
        operation
    }
}

impl std::fmt::Debug for Route {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}
