#!/usr/bin/env bash
# Runs before the tests; whoever runs them without PostgreSQL should know what they did not test.
if [ -z "${KAICALLS_TEST_POSTGRES_URL:-}" ]; then
    echo "KAICALLS_TEST_POSTGRES_URL is not set: every storage test runs on SQLite only; \`cargo xtask test\` runs both halves." >&2
fi
