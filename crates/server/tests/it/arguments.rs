//! Arguments that cannot be used are refused with what is expected, before anything is asked of the server.

use crate::harness::Home;

#[test]
fn arguments_that_cannot_be_read_are_answered_with_an_example() {
    // No server runs: what is wrong is told without one.
    let home = Home::new();
    for (arguments, told) in [
        (
            &["calls", "create", "--to", "+15005550007", "--max-duration", "1h"][..],
            "seconds from 10 to 43200, like 600",
        ),
        (&["calls", "create", "--to", "+15005550007", "--max-duration", "-5"], "seconds from 10 to 43200"),
        (&["calls", "create", "--to", "+15005550007", "--agent", "Kai"], "an id like 0190b5a0-"),
        (
            &["calls", "create", "--to", "+15005550007", "--at", "tomorrow"],
            "a time like 2026-11-01T14:30:00Z",
        ),
        (&["calls", "check", "--to", "+15005550007", "--at", "14:30"], "a time like 2026-11-01T14:30:00Z"),
        (&["calls", "list", "--limit", "ten"], "a whole number from 1 on, like 20"),
        (&["calls", "list", "--limit", "-1"], "a whole number from 1 on"),
        (&["calls", "list", "--status", "nope"], "queued, ringing, in-progress, completed, failed, ended"),
        (&["calls", "list", "--direction", "out"], "inbound, outbound"),
        (&["calls", "list", "--lead", "12"], "an id like 0190b5a0-"),
        (&["leads", "list", "--min-score", "high"], "from 0 to 100, like 70"),
        (&["events", "list", "--status", "done"], "pending, delivered, failed, skipped"),
        (&["events", "list", "--type", "call.done"], "call.completed"),
        (&["events", "list", "--from", "yesterday"], "a date like 2026-11-01"),
        (&["events", "deliveries", "--status", "delivered"], "succeeded, failed"),
        (&["events", "replay", "--status", "nope"], "pending, delivered"),
        (&["events", "backfill", "--from", "1h", "--to", "2026-11-08"], "a time like 2026-11-01T14:30:00Z"),
        (&["listen", "--forward", "localhost:3000"], "an address like http://localhost:3000/hook"),
        (&["listen", "--forward", "http://localhost:3000", "--events", "calls"], "call.completed"),
        (&["listen", "--forward", "http://localhost:3000", "--from", "1h"], "a date like 2026-11-01"),
        (&["transcripts", "list", "--days", "week"], "a whole number of days from 1 to 3650, like 7"),
        (&["usage", "requests", "--start", "monday"], "a time like 2026-11-01T14:30:00Z"),
        (&["webhooks", "deliveries", "--limit", "all"], "a whole number from 1 on"),
    ] {
        let ran = home.with_key("kc_test_x", arguments);
        assert_eq!(ran.code, Some(2), "{arguments:?}: {ran:?}");
        assert!(ran.err.contains(told), "{arguments:?}: {}", ran.err);
    }
}
