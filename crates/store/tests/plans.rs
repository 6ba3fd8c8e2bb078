//! Every list finds what its filter lets through along indexes: it walks over no table and sorts nothing that can be long.

use domain::call::Direction;
use domain::event::EventType;
use domain::lead::Phone;
use domain::{AgentId, BusinessId, CallId, EndpointId, LeadId, Mode, NodeId, Timestamp};
use store::calls::{CallFilter, CallView};
use store::deliveries::{AttemptFilter, AttemptView};
use store::events::{EventFilter, EventStatus, EventView};
use store::jobs::{Claim, Queue};
use store::leads::LeadFilter;
use store::{Listed, Page, StoreError, Tenancy};
use testkit::{TestDatabase, databases};
use uuid::Uuid;

const ROWS: u32 = 20_000;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("in range")
}

fn tenancy() -> Tenancy {
    Tenancy::one(BusinessId(Uuid::from_u128(1)), Mode::Test)
}

/// Row number `i` came into being at second `i`.
async fn fill(database: &TestDatabase) {
    let sqlite = database.kind == "sqlite";
    let id = |number: u8| {
        if sqlite {
            format!("x'{number:032x}'")
        } else {
            format!("'{}'::uuid", Uuid::from_u128(number.into()))
        }
    };
    let (rows, fresh) = if sqlite {
        (
            format!("RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS})"),
            "randomblob(16)",
        )
    } else {
        (format!("n (i) AS (SELECT generate_series(1::bigint, {ROWS}))"), "gen_random_uuid()")
    };
    let (business, agent, other, lead) = (id(1), id(2), id(3), id(4));
    let sql = format!(
        "INSERT INTO businesses (id, name, timezone, country_calling_code, webhook_secret, created_at) \
             VALUES ({business}, 'Smith', 'UTC', '1', {secret}, 0);
         INSERT INTO agents (id, business_id, name, config, version, created_at, updated_at) \
             VALUES ({agent}, {business}, 'A', '{{}}', 1, 0, 0), ({other}, {business}, 'B', '{{}}', 1, 1, 1);
         WITH {rows} INSERT INTO calls (id, business_id, mode, agent_id, direction, to_number, max_duration_s, engine, \
             state, answered_at, talked_ms, failure, lead_id, finished_at, ended_at, cost_cents, policy_reason, heard_at, created_at) \
             SELECT {fresh}, {business}, 'test', CASE WHEN i % 1501 = 7 THEN {other} ELSE {agent} END, \
             CASE WHEN i % 1103 = 3 THEN 'inbound' ELSE 'outbound' END, '+15125551234', 600, 'sandbox', \
             CASE WHEN i % 997 = 5 THEN 'completed' WHEN i % 1009 = 4 THEN 'in_progress' ELSE 'failed' END, \
             CASE WHEN i % 997 = 5 OR i % 1009 = 4 THEN i * 1000000 END, CASE WHEN i % 997 = 5 THEN 1000 END, \
             CASE WHEN i % 997 <> 5 AND i % 1009 <> 4 THEN 'busy' END, CASE WHEN i % 1511 = 9 THEN {lead} END, \
             CASE WHEN i % 997 = 5 OR i % 1009 <> 4 THEN i * 1000000 END, \
             CASE WHEN i % 997 = 5 OR i % 1009 <> 4 THEN i * 1000000 END, 0, 'allowed', 0, i * 1000000 FROM n;
         WITH {rows} INSERT INTO leads (id, business_id, mode, agent_id, name, email, email_key, phone, phone_e164, status, \
             source, score, interaction_count, created_at, updated_at) \
             SELECT {fresh}, {business}, 'test', CASE WHEN i % 1501 = 7 THEN {other} WHEN i % 2 = 0 THEN {agent} END, 'Lead', \
             CASE WHEN i % 1103 = 3 THEN 'Maria@Example.com' END, CASE WHEN i % 1103 = 3 THEN 'maria@example.com' END, \
             CASE WHEN i % 1201 = 9 THEN '12' WHEN i % 997 = 5 THEN '+15125551234' ELSE '+15125550000' END, \
             CASE WHEN i % 1201 = 9 THEN NULL WHEN i % 997 = 5 THEN '+15125551234' ELSE '+15125550000' END, \
             CASE WHEN i % 1009 = 4 THEN 'won' ELSE 'new' END, CASE WHEN i % 1013 = 6 THEN 'web' ELSE 'api' END, \
             CASE WHEN i % 499 = 8 THEN i % 90 + 5 END, 0, i * 1000000, \
             CASE WHEN i % 1511 = 9 THEN 90000000000 ELSE i * 1000000 END FROM n;
         {analyze}",
        // PostgreSQL gathers statistics by itself, and SQLite none.
        analyze = if sqlite { "" } else { "ANALYZE" },
        secret = if sqlite { "x'00'" } else { "'\\x00'::bytea" },
    );
    database.run_sql(&sql).await;
}

/// What a plan must not do. `sorts_few`: it may sort, because it looks before that there are few.
fn check(plan: &str, sorts_few: bool, what: &str) {
    if plan.starts_with("Aggregate") {
        // PostgreSQL counts up to a bound, along whatever it knows to be dense.
        return;
    }
    for line in plan.lines().map(str::trim) {
        for table in ["calls", "leads", "events", "deliveries", "attempts", "c", "l", "e", "d", "a"] {
            let walked = line.ends_with(&format!("SCAN {table}")) || line.contains(&format!("SCAN {table} "));
            assert!(!walked && !line.contains(&format!("Seq Scan on {table} ")), "{what} walks:\n{plan}");
        }
        // PostgreSQL may sort what it knows to be little: it has statistics.
        let sorts = line.contains("TEMP B-TREE FOR ORDER BY") || line.contains("TEMP B-TREE FOR LAST");
        assert!(!sorts || sorts_few, "{what} sorts:\n{plan}");
    }
}

const PAGES: [Page; 2] =
    [Page { limit: 50, after: None }, Page { limit: 50, after: Some(Timestamp::constant(9_000, 0)) }];

/// What a page of all rows holds that pass a test.
fn expected<T: Clone>(
    all: &[T],
    page: Page,
    made: impl Fn(&T) -> Timestamp,
    passes: impl Fn(&T) -> bool,
) -> Vec<Timestamp> {
    let rows = all.iter().filter(|row| page.after.is_none_or(|after| made(row) < after) && passes(row));
    rows.map(&made).take(page.limit as usize).collect()
}

#[tokio::test]
async fn every_filter_of_calls_finds_its_calls_along_indexes() {
    for database in databases().await {
        let store = database.open().await;
        fill(&database).await;
        let list = async |filter: CallFilter, page: Page| {
            let listed = store.read(move |tx| {
                Box::pin(async move {
                    tx.note_plans();
                    let listed = store::calls::list(tx, &tenancy(), &filter, &page).await?;
                    Ok::<_, StoreError>((listed, tx.take_plans()))
                })
            });
            listed.await.expect("the database works")
        };
        let (all, _): (Listed<CallView>, _) =
            list(CallFilter::default(), Page { limit: ROWS, after: None }).await;
        assert_eq!(all.rows.len(), ROWS as usize);
        let statuses: [Option<Vec<&'static str>>; 6] = [
            None,
            Some(vec!["completed"]),
            Some(vec!["failed"]),
            Some(vec!["completed", "failed"]),
            Some(vec!["in_progress", "wrapping_up"]),
            Some(vec!["queued", "in_progress", "completed"]),
        ];
        let agents = [None, Some(AgentId(Uuid::from_u128(2))), Some(AgentId(Uuid::from_u128(3)))];
        let directions = [None, Some(Direction::Inbound), Some(Direction::Outbound)];
        for agent_id in agents {
            for lead_id in [None, Some(LeadId(Uuid::from_u128(4)))] {
                for direction in directions {
                    for words in &statuses {
                        for page in PAGES {
                            let filter = CallFilter {
                                agent_id,
                                lead_id,
                                direction,
                                statuses: words.clone(),
                                business_id: None,
                            };
                            let what = format!("{} {filter:?} {page:?}", database.kind);
                            let (found, plans) = list(filter, page).await;
                            for plan in &plans {
                                check(plan, false, &what);
                            }
                            let passes = |view: &CallView| {
                                agent_id.is_none_or(|agent| view.call.agent_id == agent)
                                    && lead_id.is_none_or(|lead| view.call.lead_id() == Some(lead))
                                    && direction.is_none_or(|direction| view.call.direction == direction)
                                    && words
                                        .as_ref()
                                        .is_none_or(|words| words.contains(&view.call.state().as_str()))
                            };
                            let made = |view: &CallView| view.call.created_at;
                            let found: Vec<_> = found.rows.iter().map(made).collect();
                            assert_eq!(found, expected(&all.rows, page, made, passes), "{what}");
                        }
                    }
                }
            }
        }
    }
}

#[tokio::test]
async fn every_filter_of_leads_finds_its_leads_along_indexes() {
    for database in databases().await {
        let store = database.open().await;
        fill(&database).await;
        let list = async |filter: LeadFilter, page: Page| {
            let listed = store.read(move |tx| {
                Box::pin(async move {
                    tx.note_plans();
                    let listed = store::leads::list(tx, &tenancy(), &filter, &page).await?;
                    Ok::<_, StoreError>((listed, tx.take_plans()))
                })
            });
            listed.await.expect("the database works")
        };
        let (all, _) = list(LeadFilter::default(), Page { limit: ROWS, after: None }).await;
        assert_eq!(all.rows.len(), ROWS as usize);
        let valid = Phone::read("+15125551234", "1");
        let text = |text: &str| text.to_owned();
        let none = LeadFilter::default;
        let alone = [
            none(),
            LeadFilter { status: vec![text("won")], ..none() },
            LeadFilter { status: vec![text("won"), text("lost"), text("won")], ..none() },
            LeadFilter { source: vec![text("web"), text("referral")], ..none() },
            LeadFilter { agent_id: Some(AgentId(Uuid::from_u128(3))), ..none() },
            LeadFilter { phone: Some(valid), ..none() },
            LeadFilter { phone: Some(Phone::AsGiven(text("12"))), ..none() },
            LeadFilter { email: Some(text("MARIA@example.com")), ..none() },
            LeadFilter { created_after: Some(at(5_000)), created_before: Some(at(5_020)), ..none() },
            LeadFilter { updated_after: Some(at(80_000)), ..none() },
            LeadFilter { updated_after: Some(at(4_000)), ..none() },
            LeadFilter { updated_before: Some(at(300)), ..none() },
            LeadFilter { score_gte: Some(60), ..none() },
            LeadFilter { score_gte: Some(20), score_lte: Some(30), ..none() },
            LeadFilter { score_gte: Some(101), ..none() },
        ];
        let both = |one: &LeadFilter, other: &LeadFilter| LeadFilter {
            business_id: None,
            status: if one.status.is_empty() { other.status.clone() } else { one.status.clone() },
            source: if one.source.is_empty() { other.source.clone() } else { one.source.clone() },
            agent_id: one.agent_id.or(other.agent_id),
            phone: one.phone.clone().or_else(|| other.phone.clone()),
            email: one.email.clone().or_else(|| other.email.clone()),
            created_after: one.created_after.or(other.created_after),
            created_before: one.created_before.or(other.created_before),
            updated_after: one.updated_after.or(other.updated_after),
            updated_before: one.updated_before.or(other.updated_before),
            score_gte: one.score_gte.or(other.score_gte),
            score_lte: one.score_lte.or(other.score_lte),
        };
        for (number, one) in alone.iter().enumerate() {
            for other in &alone[number..] {
                let filter = both(one, other);
                for page in PAGES {
                    let what = format!("{} {filter:?} {page:?}", database.kind);
                    let (found, plans) = list(filter.clone(), page).await;
                    let by_change = filter.updated_after.is_some() || filter.updated_before.is_some();
                    for plan in &plans {
                        check(plan, by_change, &what);
                    }
                    let passes = |lead: &domain::lead::Lead| {
                        let fields = &lead.fields;
                        let score = lead.score.map(i64::from);
                        (filter.status.is_empty() || filter.status.contains(&fields.status))
                            && (filter.source.is_empty() || filter.source.contains(&fields.source))
                            && filter.agent_id.is_none_or(|agent| fields.agent_id == Some(agent))
                            && filter.phone.as_ref().is_none_or(|phone| {
                                fields.phone.as_ref().is_some_and(|found| found.as_str() == phone.as_str())
                            })
                            && filter.email.as_ref().is_none_or(|email| {
                                fields.email.as_ref().is_some_and(|found| found.eq_ignore_ascii_case(email))
                            })
                            && filter.created_after.is_none_or(|time| lead.created_at > time)
                            && filter.created_before.is_none_or(|time| lead.created_at < time)
                            && filter.updated_after.is_none_or(|time| lead.updated_at > time)
                            && filter.updated_before.is_none_or(|time| lead.updated_at < time)
                            && filter.score_gte.is_none_or(|least| score.is_some_and(|score| score >= least))
                            && filter.score_lte.is_none_or(|most| score.is_some_and(|score| score <= most))
                    };
                    let made = |lead: &domain::lead::Lead| lead.created_at;
                    let found: Vec<_> = found.rows.iter().map(made).collect();
                    assert_eq!(found, expected(&all.rows, page, made, passes), "{what}");
                }
            }
        }
    }
}

/// A database that has just been made has no statistics, and may have many rows a minute later.
#[tokio::test]
async fn a_row_is_found_by_its_id_and_not_sought_among_all_of_its_business() {
    for database in databases().await {
        let store = database.open().await;
        let asked = store.read(|tx| {
            Box::pin(async move {
                let (id, tenancy) = (Uuid::from_u128(9), tenancy());
                tx.note_plans();
                store::calls::by_name(tx, &tenancy, &id.to_string()).await?;
                store::calls::get(tx, &tenancy, CallId(id)).await?;
                store::leads::get(tx, &tenancy, LeadId(id)).await?;
                store::agents::get(tx, &tenancy, AgentId(id)).await?;
                store::transcripts::get(tx, &tenancy, CallId(id)).await?;
                Ok::<_, StoreError>(tx.take_plans())
            })
        });
        let plans = asked.await.expect("the database works");
        let keys = ["calls", "conversation", "calls", "leads", "lead_merges", "agents", "transcripts"];
        assert_eq!(plans.len(), keys.len(), "{plans:#?}");
        for (plan, table) in plans.iter().zip(keys) {
            let key = match (table, database.kind) {
                ("conversation", _) => "calls_by_conversation".to_owned(),
                (_, "sqlite") => format!("sqlite_autoindex_{table}_1"),
                _ => format!("{table}_pkey"),
            };
            assert!(plan.contains(&key), "{} {table}:\n{plan}", database.kind);
        }
    }
}

/// Events and attempts, row number `i` at second `i`.
async fn fill_events(database: &TestDatabase) {
    let sqlite = database.kind == "sqlite";
    let id = |number: u8| {
        if sqlite {
            format!("x'{number:032x}'")
        } else {
            format!("'{}'::uuid", Uuid::from_u128(number.into()))
        }
    };
    let (rows, fresh) = if sqlite {
        (
            format!("RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS})"),
            "randomblob(16)",
        )
    } else {
        (format!("n (i) AS (SELECT generate_series(1::bigint, {ROWS}))"), "gen_random_uuid()")
    };
    let (business, object, endpoint) = (id(1), id(2), id(3));
    let sql = format!(
        "WITH {rows} INSERT INTO events (id, business_id, mode, event_type, object_type, object_id, payload, created_at, outcome) \
             SELECT {fresh}, {business}, 'test', CASE WHEN i % 1009 = 4 THEN 'agent.updated' ELSE 'lead.created' END, 'lead', \
             CASE WHEN i % 997 = 5 THEN {object} ELSE {fresh} END, '{{}}', i * 1000000, \
             CASE WHEN i % 1103 = 3 THEN 'failed' WHEN i % 1201 = 9 THEN 'skipped' ELSE 'sent' END FROM n;
         INSERT INTO deliveries (id, event_id, business_id, endpoint_id, url, state, attempts, created_at) \
             SELECT {fresh}, id, {business}, {endpoint}, 'https://a.example', \
             CASE WHEN outcome = 'failed' THEN 'failed' ELSE 'succeeded' END, 1, created_at FROM events WHERE outcome <> 'skipped';
         INSERT INTO attempts (id, delivery_id, event_id, number, started_at, duration_ms, response_status, request_headers, \
             business_id, mode, endpoint_id, url) SELECT {fresh}, id, event_id, 1, created_at, 5, \
             CASE WHEN state = 'failed' THEN 500 ELSE 204 END, '{{}}', business_id, 'test', \
             CASE WHEN created_at / 1000000 % 1511 = 9 THEN {endpoint} END, url FROM deliveries;
         {analyze}",
        analyze = if sqlite { "" } else { "ANALYZE" },
    );
    database.run_sql(&sql).await;
}

#[tokio::test]
async fn every_filter_of_events_and_attempts_finds_them_along_indexes() {
    for database in databases().await {
        let store = database.open().await;
        fill_events(&database).await;
        let list = async |filter: EventFilter, page: Page| {
            let listed = store.read(move |tx| {
                Box::pin(async move {
                    tx.note_plans();
                    let listed = store::events::list(tx, &tenancy(), &filter, &page).await?;
                    Ok::<_, StoreError>((listed, tx.take_plans()))
                })
            });
            listed.await.expect("the database works")
        };
        let none = EventFilter::default;
        let (all, _) = list(none(), Page { limit: ROWS, after: None }).await;
        assert_eq!(all.rows.len(), ROWS as usize);
        let object = Uuid::from_u128(2);
        for filter in [
            none(),
            EventFilter { kinds: vec![EventType::AgentUpdated], ..none() },
            EventFilter { kinds: vec![EventType::AgentUpdated, EventType::LeadCreated], ..none() },
            EventFilter { object_id: Some(object), ..none() },
            EventFilter { id: Some(all.rows[7].event.id), ..none() },
            EventFilter { status: Some(EventStatus::Failed), ..none() },
            EventFilter { status: Some(EventStatus::Skipped), ..none() },
            EventFilter { status: Some(EventStatus::Pending), ..none() },
            EventFilter { status: Some(EventStatus::Delivered), ..none() },
            EventFilter { from: Some(at(5_000)), to: Some(at(5_020)), ..none() },
        ] {
            for page in PAGES {
                let what = format!("{} {filter:?} {page:?}", database.kind);
                let (found, plans) = list(filter.clone(), page).await;
                for plan in &plans {
                    check(plan, filter.status == Some(EventStatus::Pending), &what);
                }
                let passes = |view: &EventView| {
                    (filter.kinds.is_empty() || filter.kinds.contains(&view.event.event_type))
                        && filter.object_id.is_none_or(|id| view.event.subject.id() == id)
                        && filter.id.is_none_or(|id| view.event.id == id)
                        && filter.status.is_none_or(|status| view.status() == status)
                        && filter.from.is_none_or(|time| view.event.created_at >= time)
                        && filter.to.is_none_or(|time| view.event.created_at < time)
                };
                let made = |view: &EventView| view.event.created_at;
                let found: Vec<_> = found.rows.iter().map(made).collect();
                assert_eq!(found, expected(&all.rows, page, made, passes), "{what}");
            }
        }

        let attempts = async |filter: AttemptFilter, page: Page| {
            let listed = store.read(move |tx| {
                Box::pin(async move {
                    tx.note_plans();
                    let listed = store::deliveries::attempts(tx, &tenancy(), &filter, &page).await?;
                    Ok::<_, StoreError>((listed, tx.take_plans()))
                })
            });
            listed.await.expect("the database works")
        };
        let none = AttemptFilter::default;
        let (all, _) = attempts(none(), Page { limit: ROWS, after: None }).await;
        let endpoint = EndpointId(Uuid::from_u128(3));
        for filter in [
            none(),
            AttemptFilter { succeeded: Some(true), ..none() },
            AttemptFilter { succeeded: Some(false), ..none() },
            AttemptFilter { endpoint_id: Some(endpoint), ..none() },
            AttemptFilter { endpoint_id: Some(endpoint), succeeded: Some(false), ..none() },
            AttemptFilter { event_id: Some(all.rows[7].attempt.event_id), ..none() },
        ] {
            for page in PAGES {
                let what = format!("{} {filter:?} {page:?}", database.kind);
                let (found, plans) = attempts(filter.clone(), page).await;
                for plan in &plans {
                    check(plan, filter.event_id.is_some(), &what);
                }
                let passes = |view: &AttemptView| {
                    filter.succeeded.is_none_or(|wanted| view.attempt.succeeded() == wanted)
                        && filter.endpoint_id.is_none_or(|id| view.endpoint_id == Some(id))
                        && filter.event_id.is_none_or(|id| view.attempt.event_id == id)
                };
                let made = |view: &AttemptView| view.attempt.started_at;
                let found: Vec<_> = found.rows.iter().map(made).collect();
                assert_eq!(found, expected(&all.rows, page, made, passes), "{what}");
            }
        }
    }
}

/// PostgreSQL gathers statistics only once a minute, and a queue fills faster.
#[tokio::test]
async fn a_claim_looks_into_each_lane_once_even_without_statistics() {
    for database in databases().await {
        let store = database.open().await;
        let (rows, fresh, lane) = if database.kind == "sqlite" {
            (
                "RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)",
                "randomblob(16)",
                "x'00000000000000000000000000000001'",
            )
        } else {
            (
                "n (i) AS (SELECT generate_series(1::bigint, 2000))",
                "gen_random_uuid()",
                "'00000000-0000-0000-0000-000000000001'::uuid",
            )
        };
        let sql = format!(
            "WITH {rows} INSERT INTO jobs (id, kind, queue, subject, lane, attempts, run_at, created_at) \
             SELECT {fresh}, 'deliver', 'deliveries', {fresh}, {lane}, 0, i, i FROM n"
        );
        database.run_sql(&sql).await;
        let claim = Claim {
            queue: Queue::Deliveries,
            node: NodeId(Uuid::from_u128(1)),
            now: at(1),
            lease_until: at(61),
            limit: 64,
            per_lane: 16,
        };
        let claimed = store.write(move |tx| {
            Box::pin(async move {
                tx.note_plans();
                let jobs = store::jobs::claim_in(tx, claim, &[]).await?;
                Ok::<_, StoreError>((jobs, tx.take_plans()))
            })
        });
        let (jobs, plans) = claimed.await.expect("the database works");
        assert_eq!(jobs.len(), 16, "{}", database.kind);
        let plan = plans.concat();
        if database.kind == "sqlite" {
            let seeks = "SEARCH j USING INDEX jobs_of_lane (lane=? AND run_at<?)";
            assert!(plan.contains(seeks), "{plan}");
        } else {
            assert!(
                plan.contains("Bitmap Index Scan on jobs_pkey") || plan.contains("jobs_pkey on jobs j"),
                "{plan}"
            );
            assert!(!plan.contains("Hash Join") && plan.matches(" on jobs j ").count() == 1, "{plan}");
        }
    }
}
