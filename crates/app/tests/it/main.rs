//! The use cases and the work in the background, as whoever calls them notices it, on every database that is at hand.

mod deliveries;
mod engines;
mod events;
mod jobs;
mod operator;
mod people;
mod stopping;
mod sweep;
