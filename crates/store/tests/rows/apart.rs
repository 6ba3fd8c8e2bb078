//! What is done with one thing is done with that one: leads that become one, businesses that programs name, numbers that are taken from
//! the pool, requests that are old enough to be forgotten.

use domain::call::{Call, CallFacts};
use domain::lead::Lead;
use domain::number::Number;
use domain::{AgentId, BusinessId, CallId, KeyId, LeadId, Mode, NodeId, NumberId, UsageId, UserId};
use store::call_search::LOOKED_THROUGH;
use store::calls::CallFilter;
use store::usage::{UsageOwner, UsageRow, once_a_minute};
use store::workspaces::Workspace;
use store::{Platform, PlatformTx, StoreError, Tenancy};
use testkit::databases;
use uuid::Uuid;

use crate::{
    OURS, PAGE, THEIRS, agent, at, business, call, id, lead, number, ours, phone, request, run, with_tenants,
};

const MODE: Mode = Mode::Test;

/// A lead with an address and a number that others have too.
fn twin(row: u128, of: BusinessId, mode: Mode) -> Lead {
    let mut made = lead(row, of, mode);
    made.fields.email = Some("Maria@Example.com".into());
    made.fields.phone = Some(phone("+15125550199").into());
    made
}

async fn calls_of(tx: &mut PlatformTx, tenancy: &Tenancy, lead: u128) -> Result<Vec<u128>, StoreError> {
    let filter = CallFilter { lead_id: Some(LeadId(id(lead))), ..CallFilter::default() };
    let listed = store::calls::list(tx, tenancy, &filter, &PAGE).await?;
    Ok(listed.rows.into_iter().map(|view| view.call.id.0.as_u128()).collect())
}

#[tokio::test]
async fn a_lead_that_becomes_part_of_another_takes_its_own_calls_along_and_nobody_elses() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        let (moved, kept, of_others) = run(&platform, |tx| {
            Box::pin(async move {
                for made in [
                    twin(1, OURS, MODE),
                    twin(2, OURS, MODE),
                    twin(3, OURS, MODE),
                    twin(4, OURS, Mode::Live),
                    twin(5, THEIRS, MODE),
                ] {
                    store::leads::insert(tx, &made).await?;
                }
                for (row, of, of_mode, of_lead) in [
                    (11, OURS, MODE, Some(1)),
                    (12, OURS, MODE, Some(2)),
                    (13, OURS, MODE, Some(3)),
                    (14, OURS, Mode::Live, Some(4)),
                    (15, THEIRS, MODE, Some(5)),
                    (16, OURS, MODE, None),
                    (17, OURS, MODE, Some(1)),
                ] {
                    let facts = CallFacts::clone(&call(row, of, of_mode));
                    store::calls::insert(tx, &Call::outbound(facts, of_lead.map(|lead| LeadId(id(lead)))))
                        .await?;
                }
                let moved = store::leads::absorb(tx, &twin(1, OURS, MODE), LeadId(id(2)), at(50)).await?;
                let (own, live) = (ours(MODE), ours(Mode::Live));
                Ok((
                    moved,
                    (
                        calls_of(tx, &own, 1).await?,
                        calls_of(tx, &own, 2).await?,
                        calls_of(tx, &own, 3).await?,
                    ),
                    (
                        calls_of(tx, &live, 4).await?,
                        calls_of(tx, &Tenancy::one(THEIRS, MODE), 5).await?,
                        store::calls::get(tx, &own, CallId(id(16)))
                            .await?
                            .and_then(|view| view.call.lead_id()),
                    ),
                ))
            })
        })
        .await;
        let kind = database.kind;
        assert_eq!(moved, 2, "{kind}");
        assert_eq!(kept, (vec![], vec![17, 12, 11], vec![13]), "{kind}");
        assert_eq!(of_others, (vec![14], vec![15], None), "{kind}");
    }
}

#[tokio::test]
async fn whoever_is_known_by_what_a_former_lead_was_known_by_is_the_one_that_took_it_over_last() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        let found = run(&platform, |tx| {
            Box::pin(async move {
                // The heirs are reached elsewhere; only what became part of them had the address and the number.
                for (former, heir, of, mode, merged) in [
                    (1, 11, OURS, MODE, 50),
                    (2, 12, OURS, MODE, 70),
                    (3, 13, OURS, MODE, 60),
                    (4, 14, OURS, Mode::Live, 80),
                    (5, 15, THEIRS, MODE, 90),
                ] {
                    let mut into = lead(heir, of, mode);
                    into.fields.email = Some(format!("{heir}@example.com"));
                    into.fields.phone = Some(phone(&format!("+1512555{heir:04}")).into());
                    store::leads::insert(tx, &into).await?;
                    let from = twin(former, of, mode);
                    store::leads::insert(tx, &from).await?;
                    store::leads::absorb(tx, &from, into.id, at(merged)).await?;
                }
                let mut found = Vec::new();
                for tenancy in [ours(MODE), ours(Mode::Live), Tenancy::one(THEIRS, MODE)] {
                    let by_email = store::leads::by_email(tx, &tenancy, "MARIA@example.com").await?;
                    let by_phone = store::leads::by_phone(tx, &tenancy, &phone("+15125550199")).await?;
                    found.push((by_email.map(|lead| lead.id), by_phone.map(|lead| lead.id)));
                }
                let nobody = Tenancy::one(THEIRS, Mode::Live);
                let none = store::leads::by_email(tx, &nobody, "maria@example.com").await?;
                found.push((none.map(|lead| lead.id), None));
                Ok(found)
            })
        })
        .await;
        let heir = |row: u128| Some(LeadId(id(row)));
        let expected = [(heir(12), heir(12)), (heir(14), heir(14)), (heir(15), heir(15)), (None, None)];
        assert_eq!(found, expected, "{}", database.kind);
    }
}

#[tokio::test]
async fn the_name_that_a_program_gives_a_business_is_its_owners_alone() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        let found = run(&platform, |tx| {
            Box::pin(async move {
                for (of, owner) in [(THEIRS, 22), (OURS, 21)] {
                    let workspace = Workspace {
                        business: business(of),
                        external_ref: Some("customer-7".into()),
                        metadata: serde_json::Map::new(),
                        updated_at: at(1),
                    };
                    store::workspaces::insert(tx, UserId(id(owner)), &workspace).await?;
                }
                Ok((
                    store::workspaces::by_ref(tx, UserId(id(21)), "customer-7").await?,
                    store::workspaces::by_ref(tx, UserId(id(22)), "customer-7").await?,
                    store::workspaces::by_ref(tx, UserId(id(22)), "customer-8").await?,
                ))
            })
        })
        .await;
        assert_eq!(found, (Some(OURS), Some(THEIRS), None), "{}", database.kind);
    }
}

#[tokio::test]
async fn calls_that_wait_are_counted_without_those_that_run_are_over_or_have_a_time_of_their_own() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        let counted = run(&platform, |tx| {
            Box::pin(async move {
                let mut running = call(3, OURS, MODE);
                assert!(running.dial(NodeId(id(1))));
                let mut later = call(4, OURS, MODE);
                assert!(later.schedule(at(500)));
                for made in [
                    call(1, OURS, MODE),
                    call(2, OURS, MODE),
                    running,
                    later,
                    call(5, OURS, Mode::Live),
                    call(6, THEIRS, MODE),
                ] {
                    store::calls::insert(tx, &made).await?;
                }
                Ok((
                    store::calls::count_waiting(tx, &ours(MODE)).await?,
                    store::calls::count_waiting(tx, &ours(Mode::Live)).await?,
                    store::calls::overdue(tx, at(499), 10).await?.len(),
                    store::calls::overdue(tx, at(500), 10).await?.len(),
                    store::calls::overdue(tx, at(500), 2).await?,
                ))
            })
        })
        .await;
        let oldest = vec![CallId(id(1)), CallId(id(2))];
        assert_eq!(counted, (2, 1, 4, 5, oldest), "{}: at its time it is overdue", database.kind);
    }
}

#[tokio::test]
async fn a_number_from_the_pool_is_one_that_nobody_holds_of_the_country_that_was_asked_for() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        let taken = run(&platform, |tx| {
            Box::pin(async move {
                let free = |row: u128, text: &str, second: i64| Number {
                    id: NumberId(id(row)),
                    business_id: None,
                    agent_id: None,
                    created_at: at(second),
                    ..number(row, text, OURS, 3)
                };
                store::agents::insert(tx, &agent(3, OURS), &domain::Author::system()).await?;
                let mut held = number(1, "+15125550101", OURS, 3);
                held.created_at = at(1);
                for one in [
                    held,
                    free(2, "+442071838750", 2),
                    free(3, "+15125550103", 9),
                    free(4, "+15125550104", 8),
                    free(5, "+493012345678", 3),
                ] {
                    store::numbers::insert(tx, &one).await?;
                }
                let mut taken = Vec::new();
                for country in ["1", "44", "49", "7"] {
                    let found = store::numbers::lock_free(tx, country).await?;
                    taken.push(found.map(|number| number.id.0.as_u128()));
                }
                Ok(taken)
            })
        })
        .await;
        assert_eq!(
            taken,
            [Some(4), Some(2), Some(5), None],
            "{}: the one that waited longest",
            database.kind
        );
    }
}

async fn requests(platform: &Platform) -> Vec<i64> {
    let listed = run(platform, |tx| {
        Box::pin(async move {
            let owner = UsageOwner::User(UserId(id(21)));
            store::usage::list(tx, &ours(MODE), owner, None, None, &PAGE).await
        })
    })
    .await;
    listed.rows.into_iter().map(|row| row.created_at.as_second()).collect()
}

#[tokio::test]
async fn old_requests_are_forgotten_slice_by_slice_though_a_revoked_key_is_tried_every_minute() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        run(&platform, |tx| {
            Box::pin(async move {
                // The key is older than all requests. So are the ids of the rows that say it was refused, one a minute.
                let refused = (0..5).map(|minute| UsageRow {
                    id: once_a_minute(KeyId(id(1 << 90)), minute),
                    created_at: at(1000 + minute),
                    status_code: 401,
                    ..request(1, 21, None, MODE)
                });
                let time_of_id = |second: u128| UsageId(Uuid::from_u128((second * 1000) << 80));
                let accepted = [10, 20, 30, 100, 200].map(|second: u32| UsageRow {
                    id: time_of_id(second.into()),
                    created_at: at(second.into()),
                    ..request(1, 21, None, MODE)
                });
                let rows: Vec<UsageRow> = refused.chain(accepted).collect();
                store::usage::insert_batch(tx, &rows).await
            })
        })
        .await;
        let purge = async |before: i64, most: u32| {
            run(&platform, move |tx| {
                Box::pin(async move { store::retention::purge_requests(tx, at(before), most).await })
            })
            .await
        };
        assert_eq!(purge(100, 2).await, 2, "{}: no more than asked for at once", database.kind);
        assert_eq!(purge(100, 2).await, 1, "{}", database.kind);
        assert_eq!(purge(100, 2).await, 0, "{}", database.kind);
        assert_eq!(requests(&platform).await, [1004, 1003, 1002, 1001, 1000, 200, 100], "{}", database.kind);
        assert_eq!(purge(1003, 100).await, 5, "{}: refused ones as well", database.kind);
        assert_eq!(requests(&platform).await, [1004, 1003], "{}", database.kind);
    }
}

#[tokio::test]
async fn calls_of_the_other_world_do_not_make_a_search_stop_early() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        let found = run(&platform, |tx| {
            Box::pin(async move {
                for row in 1..=u128::from(LOOKED_THROUGH) {
                    store::calls::insert(tx, &call(row, OURS, Mode::Live)).await?;
                }
                store::calls::insert(tx, &call(9_999, OURS, MODE)).await?;
                let in_test = store::call_search::search(tx, &ours(MODE), "5550123", None).await?;
                let in_live = store::call_search::search(tx, &ours(Mode::Live), "nobody", None).await?;
                Ok((in_test.found.len(), in_test.searched_to, in_live.searched_to))
            })
        })
        .await;
        assert_eq!(found, (1, None, Some(at(1))), "{}", database.kind);
    }
}

#[tokio::test]
async fn what_an_engine_holds_of_one_agent_says_nothing_of_another_agent_or_engine() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        let seen = run(&platform, |tx| {
            Box::pin(async move {
                for row in [3, 4] {
                    store::agents::insert(tx, &agent(row, OURS), &domain::Author::system()).await?;
                }
                let (one, other) = (AgentId(id(3)), AgentId(id(4)));
                for (agent, engine) in [(one, "vapi"), (one, "else"), (other, "vapi")] {
                    assert!(store::engine_agents::occupy(tx, agent, engine, at(0), at(10)).await?);
                    store::engine_agents::keep(
                        tx,
                        agent,
                        engine,
                        &format!("{} at {engine}", agent.0.as_u128()),
                    )
                    .await?;
                    store::engine_agents::release(tx, agent, engine, Some(1)).await?;
                }
                // Somebody changes the one at one engine; the others stay as they are known.
                assert!(store::engine_agents::occupy(tx, one, "vapi", at(20), at(30)).await?);
                let mut known = Vec::new();
                for (agent, engine) in [(one, "vapi"), (one, "else"), (other, "vapi")] {
                    known.push(store::engine_agents::prepared(tx, agent, engine).await?.is_some());
                }
                let again = (
                    store::engine_agents::occupy(tx, one, "vapi", at(29), at(40)).await?,
                    store::engine_agents::occupy(tx, one, "vapi", at(30), at(40)).await?,
                );
                // What is forgotten of an intent leaves what the engine holds.
                store::engine_agents::intend(tx, other, "vapi", NodeId(id(1)), at(50)).await?;
                store::engine_agents::settle_intent(tx, other, "vapi").await?;
                let kept = store::engine_agents::kept(tx, "vapi").await?;
                store::engine_agents::doubt(tx, other, "vapi").await?;
                let doubted = store::engine_agents::prepared(tx, other, "vapi").await?;
                let to_do = store::engine_agents::to_prepare(tx, "vapi", at(35), 10).await?;
                Ok((known, again, kept, doubted, to_do.into_iter().map(|agent| agent.id).collect::<Vec<_>>()))
            })
        })
        .await;
        let kind = database.kind;
        assert_eq!(seen.0, [false, true, true], "{kind}: what is being changed is not certain");
        assert_eq!(seen.1, (false, true), "{kind}: until then, and not at it");
        let (one, other) = (AgentId(id(3)), AgentId(id(4)));
        assert_eq!(seen.2, [(one, "3 at vapi".to_owned()), (other, "4 at vapi".to_owned())], "{kind}");
        assert_eq!((seen.3, seen.4), (None, vec![other]), "{kind}: the other one is being changed");
    }
}
