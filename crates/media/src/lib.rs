//! Sound as it is kept: reading and writing files of it. Pure: bytes in, bytes out, whoever holds them.

pub mod live;
pub mod wav;
