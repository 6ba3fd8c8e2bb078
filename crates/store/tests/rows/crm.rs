//! Agents with their versions and numbers, and leads.

use domain::agent::Agent;
use domain::{AgentId, Author, E164, LeadId, Mode};
use store::agents::Revision;
use store::leads::LeadFilter;
use store::{StoreError, Tenancy};
use testkit::databases;

use crate::{OURS, PAGE, THEIRS, agent, at, id, lead, number, ours, phone, run, with_tenants};

#[tokio::test]
async fn an_agent_keeps_every_version_and_is_found_by_its_own_business_only() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        let made = agent(3, OURS);
        let mut changed = made.clone();
        changed.config.name = "Front desk".into();
        changed.engine = None;
        (changed.version, changed.updated_at) = (2, at(20));
        let revision = Revision { by: Author::person("ada@example.com"), rollback_of: Some(1) };
        let (first, second, before) = (made.clone(), changed.clone(), made.config.clone());
        let made = revision.clone();
        run(&platform, move |tx| {
            Box::pin(async move {
                store::agents::insert(tx, &first, &Author::system()).await?;
                store::agents::update(tx, &ours(Mode::Test), &second, &before, &made).await
            })
        })
        .await;
        let (found, locked, foreign, versions) = run(&platform, |tx| {
            Box::pin(async move {
                let id = AgentId(id(3));
                Ok((
                    store::agents::get(tx, &ours(Mode::Live), id).await?,
                    store::agents::lock(tx, &ours(Mode::Test), id).await?,
                    store::agents::get(tx, &Tenancy::one(THEIRS, Mode::Test), id).await?,
                    store::agents::history(tx, &ours(Mode::Live), id, None, 9).await?.rows,
                ))
            })
        })
        .await;
        assert_eq!((&found, &locked), (&Some(changed.clone()), &Some(changed.clone())), "{}", database.kind);
        assert_eq!(foreign, None);
        let told: Vec<_> =
            versions.iter().map(|one| (one.number, one.revision.clone(), one.created_at)).collect();
        assert_eq!(told, [(2, revision, at(20)), (1, Author::system().into(), at(10))]);
        assert_eq!(versions[0].diff_summary.as_deref(), Some("changed name"));
        assert_eq!(versions[1].diff_summary, None);
        let stolen = Agent { business_id: THEIRS, ..changed };
        let before = stolen.config.clone();
        let refused = platform
            .write(move |tx| {
                Box::pin(async move {
                    store::agents::update(tx, &ours(Mode::Test), &stolen, &before, &Author::system().into())
                        .await
                })
            })
            .await;
        assert!(matches!(refused, Err(StoreError::Conflict(_))), "{}", database.kind);
    }
}

#[tokio::test]
async fn a_list_of_agents_shows_the_oldest_number_of_each() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        let (listed, engines) = run(&platform, |tx| {
            Box::pin(async move {
                for row in [agent(3, OURS), agent(4, OURS), agent(5, THEIRS)] {
                    store::agents::insert(tx, &row, &Author::system()).await?;
                }
                assert!(store::agents::prefer_engine(tx, AgentId(id(4)), None).await?);
                assert!(!store::agents::prefer_engine(tx, AgentId(id(99)), Some("voice")).await?);
                for row in [number(8, "+15125550108", OURS, 3), number(7, "+15125550107", OURS, 3)] {
                    store::numbers::insert(tx, &row).await?;
                }
                let listed = store::agents::list(tx, &ours(Mode::Live), None, &PAGE).await?;
                Ok((listed, store::agents::by_engine(tx).await?))
            })
        })
        .await;
        let mut shown: Vec<_> = listed
            .rows
            .iter()
            .map(|row| (row.agent.config.name.as_str(), row.phone_number.as_ref().map(E164::as_str)))
            .collect();
        shown.sort_unstable();
        assert_eq!(shown, [("Agent 3", Some("+15125550107")), ("Agent 4", None)], "{}", database.kind);
        assert_eq!(engines, [("voice".to_owned(), 2)]);
    }
}

#[tokio::test]
async fn all_agents_are_walked_by_their_ids() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        let pages = run(&platform, |tx| {
            Box::pin(async move {
                for row in [agent(5, THEIRS), agent(3, OURS), agent(4, OURS)] {
                    store::agents::insert(tx, &row, &Author::system()).await?;
                }
                let first = store::agents::after(tx, None, 2).await?;
                let second = store::agents::after(tx, first.last().map(|agent| agent.id), 2).await?;
                let third = store::agents::after(tx, second.last().map(|agent| agent.id), 2).await?;
                Ok([first, second, third])
            })
        })
        .await;
        let ids = pages.map(|page| page.into_iter().map(|agent| agent.id).collect::<Vec<_>>());
        let expected = [vec![AgentId(id(3)), AgentId(id(4))], vec![AgentId(id(5))], Vec::new()];
        assert_eq!(ids, expected, "{}", database.kind);
    }
}

#[tokio::test]
async fn a_number_belongs_to_one_holder_and_its_first_known_engine_counts() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        run(&platform, |tx| {
            Box::pin(async move {
                for row in [agent(3, OURS), agent(5, THEIRS)] {
                    store::agents::insert(tx, &row, &Author::system()).await?;
                }
                let held = number(7, "+15125550107", OURS, 3);
                store::numbers::insert(tx, &held).await?;
                store::numbers::insert(tx, &number(8, "+15125550108", THEIRS, 5)).await?;
                let mine = store::numbers::list(tx, &ours(Mode::Live), None, &PAGE).await?.rows;
                assert_eq!(mine, std::slice::from_ref(&held));
                assert_eq!(store::numbers::count(tx, &ours(Mode::Live), OURS).await?, 1);
                assert_eq!(store::numbers::count(tx, &ours(Mode::Live), THEIRS).await?, 0);
                assert_eq!(store::numbers::all(tx).await?.len(), 2);
                let (agent, elsewhere) = (AgentId(id(3)), Tenancy::one(THEIRS, Mode::Live));
                assert_eq!(store::numbers::of_agent(tx, &ours(Mode::Live), agent).await?, Some(held.clone()));
                assert_eq!(store::numbers::of_agent(tx, &elsewhere, agent).await?, None);

                let text = phone("+15125550107");
                assert_eq!(
                    store::numbers::answered(tx, "voice").await?.len(),
                    2,
                    "nobody knows who carries them"
                );
                store::numbers::carried_by(tx, &text, "voice").await?;
                store::numbers::carried_by(tx, &text, "vapi").await?;
                let carried = store::numbers::by_phone(tx, &text).await?.expect("it is registered");
                assert_eq!(carried.engine.as_deref(), Some("voice"));
                assert_eq!(store::numbers::answered(tx, "vapi").await?, [phone("+15125550108")]);
                assert_eq!(store::numbers::by_engine(tx).await?, [("voice".to_owned(), 1)]);

                assert!(store::numbers::assign(tx, &text, Some(THEIRS), None).await?);
                assert!(!store::numbers::assign(tx, &phone("+15125550199"), Some(OURS), None).await?);
                let moved = store::numbers::by_phone(tx, &text).await?.expect("it is registered");
                assert_eq!((moved.business_id, moved.agent_id), (Some(THEIRS), None));
                Ok(())
            })
        })
        .await;
    }
}

#[tokio::test]
async fn a_lead_is_found_by_number_and_address_in_its_own_business_and_mode() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        run(&platform, |tx| {
            Box::pin(async move {
                let (old, new) = (lead(11, OURS, Mode::Test), lead(12, OURS, Mode::Test));
                for row in [&old, &new, &lead(13, THEIRS, Mode::Test), &lead(14, OURS, Mode::Live)] {
                    store::leads::insert(tx, row).await?;
                }
                let one = ours(Mode::Test);
                let number = phone("+15125550123");
                assert_eq!(store::leads::by_phone(tx, &one, &number).await?, Some(new.clone()), "the newest");
                assert_eq!(store::leads::by_email(tx, &one, " MARIA@example.com").await?, Some(new.clone()));
                assert_eq!(store::leads::by_email(tx, &one, "other@example.com").await?, None);
                for (id, found) in [(old.id, true), (LeadId(id(13)), false), (LeadId(id(14)), false)] {
                    assert_eq!(store::leads::get(tx, &one, id).await?.is_some(), found, "{id}");
                    assert_eq!(store::leads::lock(tx, &one, id).await?.is_some(), found, "{id}");
                }
                let mut changed = old.clone();
                changed.fields.email = Some("new@example.com".into());
                changed.score = None;
                store::leads::update(tx, &changed).await?;
                assert_eq!(store::leads::get(tx, &one, old.id).await?, Some(changed.clone()));
                assert_eq!(store::leads::by_email(tx, &one, "new@example.com").await?, Some(changed));
                let all = store::leads::with_phone(tx, None, 3).await?;
                let rest = store::leads::with_phone(tx, Some(all[2].id), 3).await?;
                assert_eq!((all.len(), rest.len()), (3, 1), "page by page, whoever they belong to");
                let filter = LeadFilter { email: Some("Maria@example.com".into()), ..LeadFilter::default() };
                assert_eq!(store::leads::list(tx, &one, &filter, &PAGE).await?.rows, [new]);
                Ok(())
            })
        })
        .await;
    }
}

#[tokio::test]
async fn versions_of_an_agent_come_page_by_page_the_newest_first() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        run(&platform, |tx| {
            Box::pin(async move {
                // Another agent of the business has versions of the same numbers.
                for number in [3, 4] {
                    let mut before = agent(number, OURS);
                    store::agents::insert(tx, &before, &Author::system()).await?;
                    for version in 2..=4 {
                        let mut changed = before.clone();
                        changed.config.name = format!("Agent {number}, version {version}");
                        (changed.version, changed.updated_at) = (version, at(20 + i64::from(version)));
                        let by = Author::system().into();
                        store::agents::update(tx, &ours(Mode::Test), &changed, &before.config, &by).await?;
                        before = changed;
                    }
                }
                for (before, limit, numbers, has_more) in [
                    (None, 9, vec![4, 3, 2, 1], false),
                    (None, 4, vec![4, 3, 2, 1], false),
                    (None, 3, vec![4, 3, 2], true),
                    (Some(3), 1, vec![2], true),
                    (Some(2), 1, vec![1], false),
                    (Some(1), 1, vec![], false),
                ] {
                    let page =
                        store::agents::history(tx, &ours(Mode::Live), AgentId(id(3)), before, limit).await?;
                    let found: Vec<u32> = page.rows.iter().map(|version| version.number).collect();
                    assert_eq!((found, page.has_more), (numbers, has_more), "{before:?} {limit}");
                }
                let found = store::agents::version(tx, &ours(Mode::Live), AgentId(id(3)), 3).await?;
                let found = found.expect("it is there");
                assert_eq!((found.version.number, found.config.name.as_str()), (3, "Agent 3, version 3"));
                assert_eq!(found.before.map(|config| config.name).as_deref(), Some("Agent 3, version 2"));
                assert_eq!(store::agents::version(tx, &ours(Mode::Live), AgentId(id(3)), 5).await?, None);
                Ok(())
            })
        })
        .await;
    }
}
