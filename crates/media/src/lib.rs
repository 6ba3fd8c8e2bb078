//! Sound as it is kept: reading and writing files of it, and changing its sample rate. Pure: bytes in, bytes out, whoever holds them.

pub mod live;
pub mod resample;
pub mod wav;
