//! Calls, from the wish to make one to its end. Each module uses only those below it:
//!
//! ```text
//! place, check       stores the wish with its job; tells what would become of one
//!  |
//! dial               asks the engine to ring the phone, once
//!  |
//! hang_up            asks the engine to end a call that is being made
//!  |
//! intake             stores what engines report
//!  |
//! opt_out, signs     blocks the number of who wants no more calls; notes what was disclosed and what is urgent
//!  |
//! wrap_up            finds out what came of a talk, and what becomes known of it later
//!  |
//! ending             makes the call final and tells of it
//!  |
//! privacy            takes numbers that must not be kept out of what engines report
//!  |
//! cast, policy, news who takes part, whether it may be dialled, what is told of it
//!  |
//! inquiry            asks an engine what became of a call
//! ```

pub(crate) mod cast;
mod check;
pub(crate) mod dial;
pub(crate) mod ending;
#[cfg(test)]
mod fixtures;
pub(crate) mod hang_up;
pub(crate) mod inquiry;
pub(crate) mod intake;
pub(crate) mod news;
mod opt_out;
mod place;
pub(crate) mod policy;
mod privacy;
mod signs;
pub(crate) mod wrap_up;

pub use check::{CheckCallError, CheckOrder, Checked, check};
pub use hang_up::{EndAsked, EndCallError, call_off_overdue, end};
pub use place::{CallOrder, PlaceCallError, Placed, place, was_refused};
