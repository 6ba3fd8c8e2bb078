"""The synchronous client, made by `cargo xtask codegen` from its asynchronous twin in `_async`; do not edit."""
