//! What people show besides their password: codes of an app (RFC 6238) and passkeys (Web Authentication, level 3).
//!
//! Pure: keys, challenges and the time are arguments. Nothing here knows who somebody is or where keys are kept.

pub mod codes;
pub mod passkeys;
