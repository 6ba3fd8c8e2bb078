//! The resources of the public API, version 1. Wire structs are converted by hand: inner types never decide what clients see.

pub mod agents;
pub mod balance;
pub mod calls;
pub mod health;
pub mod keys;
pub mod leads;
pub mod numbers;
pub mod openapi;
pub mod recordings;
pub mod stream;
pub mod transcripts;
pub mod usage;

use store::Page;

use crate::input::{Cursor, Limit};
use crate::route::Route;

/// The routes of every resource.
pub(crate) fn routes() -> Vec<Route> {
    let resources = [
        agents::routes(),
        calls::routes(),
        stream::routes(),
        recordings::routes(),
        transcripts::routes(),
        leads::routes(),
        numbers::routes(),
        balance::routes(),
        usage::routes(),
        keys::routes(),
        health::routes(),
        openapi::routes(),
    ];
    resources.into_iter().flatten().collect()
}

/// What a list was asked for.
pub(crate) fn page<const DEFAULT: u32, const MAX: u32>(
    limit: Limit<DEFAULT, MAX>,
    after: Option<Cursor>,
) -> Page {
    Page { limit: limit.0, after: after.map(|cursor| cursor.0) }
}
