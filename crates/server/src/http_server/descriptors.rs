//! How many sockets and files the system lets us have open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises our limit as far as the system allows without asking; gives what it is then, or `None` if there is none.
///
/// Most systems start programs with a low limit, for the sake of old ones that keep descriptors in a fixed table. We do not.
pub(crate) fn raise_limit() -> Option<u64> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current == maximum || setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).is_ok() {
        maximum
    } else {
        current
    }
}
