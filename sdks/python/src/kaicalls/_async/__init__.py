"""The asynchronous client. Its synchronous twin in `_sync` is made from it."""
