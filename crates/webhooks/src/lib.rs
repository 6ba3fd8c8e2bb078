//! What a webhook says, how it is signed and when it is tried again. Pure: sending is `egress`, storing is `store`.

pub mod payload;
pub mod schedule;
pub mod signature;
