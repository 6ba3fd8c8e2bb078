//! What `kaicalls` can be told to do, one module per word.

pub(crate) mod agents;
pub(crate) mod calls;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod jobs;
pub(crate) mod keys;
pub(crate) mod metrics;
pub(crate) mod numbers;
pub(crate) mod openapi;
pub(crate) mod opt_outs;
pub(crate) mod serve;
pub(crate) mod settings;
pub(crate) mod setup;

use domain::E164;

use crate::failure::Failure;

/// Reads an argument that must be a phone number.
pub(crate) fn phone(argument: &'static str, text: &str) -> Result<E164, Failure> {
    E164::parse(text).map_err(|error| Failure::Because(format!("{argument}: {error}")))
}

/// Reads an argument that must be an id.
pub(crate) fn id<T: std::str::FromStr>(argument: &'static str, text: &str) -> Result<T, Failure> {
    text.parse().map_err(|_| {
        Failure::Because(format!("{argument}: expected an id like 0190b5a0-0000-7000-8000-000000000000"))
    })
}
