//! What a panic leaves in the log: one line like any other, with the id of the request under way.
//!
//! The usual report names source files of the machine that built the program, and quotes values that were being handled, which may be
//! personal. Ours names the module, and of the message only what was written by us.

use std::panic::PanicHookInfo;

/// Makes panics lines of the log.
pub(crate) fn go_to_the_log() {
    std::panic::set_hook(Box::new(|panic| {
        let module = panic.location().map(|location| module(location.file()));
        tracing::error!(module, "A fault in the program stopped a task: {}", message(panic));
    }));
}

/// A message made when the program ran is cut where values begin; one that stands in the program is whole.
fn message<'a>(panic: &'a PanicHookInfo<'_>) -> &'a str {
    let payload = panic.payload();
    match (payload.downcast_ref::<&'static str>(), payload.downcast_ref::<String>()) {
        (Some(fixed), _) => fixed,
        (None, Some(made)) => without_values(made),
        (None, None) => "no message",
    }
}

fn without_values(made: &str) -> &str {
    made.split([':', '`', '"', '\'', '\n']).next().unwrap_or_default().trim_end()
}

/// The module of a source file, wherever that was when the program was built.
fn module(file: &str) -> String {
    let inside = file.strip_suffix(".rs").unwrap_or(file);
    let (folder, inside) = inside.rsplit_once("src/").unwrap_or(("", inside));
    let krate = folder.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let parts = inside.split('/').filter(|part| !matches!(*part, "mod" | "lib" | "main"));
    std::iter::once(krate).chain(parts).filter(|part| !part.is_empty()).collect::<Vec<_>>().join("::")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_by_its_module() {
        let check = |file: &str, expected: &str| assert_eq!(module(file), expected);
        check("crates/api/src/v1/calls.rs", "api::v1::calls");
        check("crates/server/src/http_server/mod.rs", "server::http_server");
        check("crates/web/src/lib.rs", "web");
        check(
            "/home/builder/.cargo/registry/src/index-1/hyper-1.12.0/src/proto/h1/conn.rs",
            "hyper-1.12.0::proto::h1::conn",
        );
        check("/rustc/0123abc/library/core/src/option.rs", "core::option");
        check("src/main.rs", "");
    }

    #[test]
    fn messages_end_where_values_begin() {
        let check = |made: &str, expected: &str| assert_eq!(without_values(made), expected);
        check("negotiated codec is always offered: Err(Maria)", "negotiated codec is always offered");
        check(
            "byte index 1 is not a char boundary; it is inside 'é' of `Maria`",
            "byte index 1 is not a char boundary; it is inside",
        );
        check("index out of bounds: the len is 3", "index out of bounds");
        check("plain", "plain");
    }
}
