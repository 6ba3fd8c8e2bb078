//! The public contract over real sockets, on every database that is at hand: what clients of the hosted service rely on.

mod agents;
mod audit;
mod businesses;
mod calls;
mod dialling;
mod discovery;
mod keys;
mod limits;
mod lists;
mod once;
mod phone_numbers;
mod pipeline;
mod refusals;
mod tenants;
mod versions;

/// A person of the sandbox who has had an accident and leaves her name and address.
const MARIA: &str = "+15005550007";
