//! The resources of the public API, version 1. Wire structs are converted by hand: inner types never decide what clients see.

pub mod agents;
pub mod audit;
pub mod balance;
pub mod calls;
pub mod capabilities;
pub mod check;
pub mod consents;
pub mod end;
pub mod events;
pub mod health;
pub mod keys;
pub mod leads;
pub mod measured;
pub mod models;
pub mod numbers;
pub mod openapi;
pub mod phone_numbers;
pub mod pipeline;
pub mod recordings;
pub mod sandbox;
pub mod schemas;
pub mod signup;
pub mod stream;
pub mod transcripts;
pub mod usage;
pub mod versions;
pub mod webhooks;
pub mod workspaces;

use crate::input::Id;
use crate::route::Route;

/// The routes of every resource.
pub(crate) fn routes() -> Vec<Route> {
    let resources = [
        agents::routes(),
        versions::routes(),
        calls::routes(),
        check::routes(),
        end::routes(),
        stream::routes(),
        recordings::routes(),
        transcripts::routes(),
        leads::routes(),
        pipeline::routes(),
        consents::routes(),
        numbers::routes(),
        phone_numbers::routes(),
        webhooks::routes(),
        events::routes(),
        sandbox::routes(),
        balance::routes(),
        usage::routes(),
        audit::routes(),
        keys::routes(),
        workspaces::routes(),
        signup::routes(),
        health::routes(),
        capabilities::routes(),
        schemas::routes(),
        openapi::routes(),
    ];
    resources.into_iter().flatten().collect()
}

/// An id filter: outer `None` if it can match nothing.
#[expect(clippy::option_option, reason = "the outer one says whether anything can match at all")]
pub(crate) fn wanted<T: Copy>(filter: Option<&Id<T>>) -> Option<Option<T>> {
    match filter {
        None => Some(None),
        Some(id) => id.known().map(Some),
    }
}
