//! A database of the previous release is carried over, and the previous release goes on with it while both run.

use domain::agent::{Agent, AgentConfig};
use domain::business::{Business, Limits};
use domain::disclosure::Disclosures;
use domain::number::Number;
use domain::{AgentId, Author, BusinessId, E164, NodeId, NumberId, Timestamp};
use store::engine_agents::{self, HeldAgent};
use store::{DatabaseUrl, Platform, StoreError};
use testkit::{TestDatabase, databases};
use uuid::Uuid;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("in range")
}

/// Runs statements past the store.
async fn raw(database: &TestDatabase, sql: &str) {
    match &database.url {
        DatabaseUrl::Postgres(url) => {
            let (client, connection) =
                tokio_postgres::connect(url, tokio_postgres::NoTls).await.expect("the server answers");
            let connection = tokio::spawn(connection);
            client.batch_execute(sql).await.expect("valid statements");
            drop(client);
            // It ends because its client is gone.
            let _ = connection.await;
        }
        DatabaseUrl::SqliteFile(path) => {
            let connection = rusqlite::Connection::open(path).expect("a database file");
            connection.execute_batch(sql).expect("valid statements");
        }
    }
}

async fn with_agent(store: &Platform, agent: Agent) {
    let vault = store.vault().clone();
    let business = Business {
        id: agent.business_id,
        name: "Smith & Partners".to_owned(),
        phone: None,
        timezone: "UTC".to_owned(),
        country_calling_code: "1".to_owned(),
        disclosures: Disclosures::default(),
        limits: Limits::default(),
        created_at: at(1),
    };
    let written = store.write(move |tx| {
        Box::pin(async move {
            store::businesses::insert(tx, &vault, &business, "whsec_c2VjcmV0", &[1; 24]).await?;
            store::agents::insert(tx, &agent, &Author::system()).await
        })
    });
    let written: Result<(), StoreError> = written.await;
    written.expect("the database works");
}

#[tokio::test]
async fn what_the_one_engine_held_is_what_the_engine_of_that_name_holds() {
    for database in databases().await {
        let id = AgentId(Uuid::from_u128(7));
        let agent = Agent {
            id,
            business_id: BusinessId(Uuid::from_u128(1)),
            config: AgentConfig { name: "Intake".into(), ..AgentConfig::default() },
            engine: None,
            vapi_assistant_id: None,
            version: 3,
            created_at: at(2),
            updated_at: at(3),
        };
        let store = database.open().await;
        with_agent(&store, agent).await;
        store.close();
        // As the previous release left it.
        raw(
            &database,
            "DROP TABLE engine_agents; ALTER TABLE numbers DROP COLUMN engine; ALTER TABLE agents DROP COLUMN engine; \
             DELETE FROM migrations WHERE number = 4; \
             UPDATE agents SET vapi_assistant_id = 'asst-1', engine_version = 3; \
             INSERT INTO agent_intents (agent_id, node_id, begun_at) SELECT id, id, 5 FROM agents",
        )
        .await;

        let store = database.open().await;
        let read = store.read(move |tx| {
            Box::pin(async move {
                let held = engine_agents::held(tx, id).await?;
                let prepared = engine_agents::prepared(tx, id, "vapi").await?;
                let intents = engine_agents::stale_intents(tx, "vapi", at(9), at(9), 9).await?;
                Ok::<_, StoreError>((held, prepared, intents.len(), store::agents::by_id(tx, id).await?))
            })
        });
        let (held, prepared, intents, agent) = read.await.expect("the database works");
        let known = HeldAgent { engine: "vapi".to_owned(), external_id: "asst-1".to_owned() };
        assert_eq!((held, prepared.as_deref(), intents), (vec![known], Some("asst-1"), 1));
        let shown = agent.expect("the agent").vapi_assistant_id;
        assert_eq!(shown.as_deref(), Some("asst-1"), "the public field is unchanged");

        // What this release gives to the engine, the previous one finds where it looks.
        let written = store
            .write(move |tx| Box::pin(async move { engine_agents::keep(tx, id, "vapi", "asst-2").await }));
        let written: Result<(), StoreError> = written.await;
        written.expect("the database works");
        // And what the previous one made, while it still runs, this one takes over.
        raw(&database, "DELETE FROM engine_agents").await;
        let taken = store.write(move |tx| {
            Box::pin(async move {
                let seen = engine_agents::external_id(tx, id, "vapi").await?;
                let elsewhere = engine_agents::external_id(tx, id, "voice").await?;
                assert!(engine_agents::occupy(tx, id, "vapi", at(10), at(70)).await?);
                assert!(
                    !engine_agents::occupy(tx, id, "vapi", at(11), at(71)).await?,
                    "somebody else is at it"
                );
                assert!(
                    engine_agents::occupy(tx, id, "voice", at(11), at(71)).await?,
                    "another engine is free"
                );
                Ok::<_, StoreError>((seen, elsewhere, engine_agents::held(tx, id).await?))
            })
        });
        let (seen, elsewhere, held) = taken.await.expect("the database works");
        let known = HeldAgent { engine: "vapi".to_owned(), external_id: "asst-2".to_owned() };
        assert_eq!((seen.as_deref(), elsewhere, held), (Some("asst-2"), None, vec![known]));
        store.close();
    }
}

#[tokio::test]
async fn an_intent_belongs_to_one_engine_and_leaves_nothing_when_it_is_taken_back() {
    for database in databases().await {
        let store = database.open().await;
        let (id, node) = (AgentId(Uuid::from_u128(7)), NodeId(Uuid::from_u128(8)));
        let found = store.write(move |tx| {
            Box::pin(async move {
                engine_agents::intend(tx, id, "vapi", node, at(5)).await?;
                engine_agents::intend(tx, id, "voice", node, at(6)).await?;
                engine_agents::settle_intent(tx, id, "vapi").await?;
                let mut counts = Vec::new();
                for engine in ["vapi", "voice"] {
                    counts.push(engine_agents::stale_intents(tx, engine, at(9), at(9), 9).await?.len());
                }
                Ok::<_, StoreError>((counts, engine_agents::held(tx, id).await?.len()))
            })
        });
        assert_eq!(found.await.expect("the database works"), (vec![0, 1], 0));
        store.close();
    }
}

#[tokio::test]
async fn what_is_doubted_of_one_agent_at_one_engine_is_given_to_that_engine_again() {
    for database in databases().await {
        let store = database.open().await;
        let agents = [7, 8].map(|number| Agent {
            id: AgentId(Uuid::from_u128(number)),
            business_id: BusinessId(Uuid::from_u128(number)),
            config: AgentConfig { name: format!("Agent {number}"), ..AgentConfig::default() },
            engine: None,
            vapi_assistant_id: None,
            version: 3,
            created_at: at(2),
            updated_at: at(3),
        });
        for agent in agents.clone() {
            let id = agent.id;
            with_agent(&store, agent).await;
            let given = store.write(move |tx| {
                Box::pin(async move {
                    for engine in ["vapi", "voice"] {
                        engine_agents::keep(tx, id, engine, &format!("{engine} {id}")).await?;
                        engine_agents::release(tx, id, engine, Some(3)).await?;
                    }
                    Ok(())
                })
            });
            let given: Result<(), StoreError> = given.await;
            given.expect("the database works");
        }
        let [doubted, _] = agents.map(|agent| agent.id);
        let unsure = async || {
            let found = store.read(|tx| {
                Box::pin(async move {
                    let mut found = Vec::new();
                    for engine in ["vapi", "voice"] {
                        let agents = engine_agents::to_prepare(tx, engine, at(10), 9).await?;
                        found.push(agents.into_iter().map(|agent| agent.id).collect::<Vec<_>>());
                    }
                    Ok::<_, StoreError>(found)
                })
            });
            found.await.expect("the database works")
        };
        assert_eq!(unsure().await, [vec![], vec![]], "{}", database.kind);
        let noted: Result<(), StoreError> = store
            .write(move |tx| Box::pin(async move { engine_agents::doubt(tx, doubted, "vapi").await }))
            .await;
        noted.expect("the database works");
        assert_eq!(unsure().await, [vec![doubted], vec![]], "{}", database.kind);
        store.close();
    }
}

#[tokio::test]
async fn each_engine_is_asked_about_the_agents_that_it_holds_or_has_calls_for() {
    for database in databases().await {
        let store = database.open().await;
        let [first, second] = [7, 8].map(|number| AgentId(Uuid::from_u128(number)));
        for id in [first, second] {
            let agent = Agent {
                id,
                business_id: BusinessId(id.0),
                config: AgentConfig::default(),
                engine: None,
                vapi_assistant_id: None,
                version: 3,
                created_at: at(2),
                updated_at: at(3),
            };
            with_agent(&store, agent).await;
        }
        let done = store.write(move |tx| {
            Box::pin(async move {
                engine_agents::keep(tx, first, "voice", "voice-7").await?;
                engine_agents::release(tx, first, "voice", Some(3)).await?;
                engine_agents::keep(tx, second, "vapi", "vapi-8").await?;
                engine_agents::release(tx, second, "vapi", Some(2)).await?;
                // About to be made there, and so not held yet.
                engine_agents::intend(tx, second, "voice", NodeId(Uuid::from_u128(9)), at(5)).await?;
                let number = Number {
                    id: NumberId(Uuid::from_u128(1)),
                    phone_number: E164::parse("+15125550107").expect("a number"),
                    business_id: Some(BusinessId(second.0)),
                    agent_id: Some(second),
                    engine: None,
                    created_at: at(4),
                };
                store::numbers::insert(tx, &number).await?;
                for (engine, kept) in [("voice", (first, "voice-7")), ("vapi", (second, "vapi-8"))] {
                    let found = engine_agents::kept(tx, engine).await?;
                    assert_eq!(found, [(kept.0, kept.1.to_owned())], "{engine}");
                }
                for (agent, engine, known) in [
                    (first, "voice", Some("voice-7")),
                    (first, "vapi", None),
                    (second, "voice", None),
                    (second, "vapi", Some("vapi-8")),
                ] {
                    let found = engine_agents::external_id(tx, agent, engine).await?;
                    assert_eq!(found.as_deref(), known, "{agent} at {engine}");
                }
                let ids = |agents: Vec<Agent>| agents.into_iter().map(|agent| agent.id).collect::<Vec<_>>();
                assert_eq!(ids(engine_agents::to_prepare(tx, "voice", at(10), 9).await?), []);
                assert_eq!(
                    ids(engine_agents::to_prepare(tx, "vapi", at(10), 9).await?),
                    [second],
                    "it is old"
                );
                for (engine, default, lacking) in [
                    ("voice", "voice", vec![second]),
                    ("voice", "vapi", vec![]),
                    ("pigeon", "pigeon", vec![second]),
                    ("vapi", "vapi", vec![]),
                ] {
                    let found = engine_agents::answering_unprepared(tx, engine, default, at(10), 9).await?;
                    assert_eq!(ids(found), lacking, "{engine}, where {default} is the default");
                }
                // Whoever changes it there keeps it from everybody else, until they are done or their time is over.
                assert!(engine_agents::occupy(tx, second, "voice", at(10), at(70)).await?);
                engine_agents::settle_intent(tx, second, "voice").await?;
                assert!(!engine_agents::occupy(tx, second, "voice", at(69), at(129)).await?, "still at it");
                let found = engine_agents::answering_unprepared(tx, "voice", "voice", at(69), 9).await?;
                assert_eq!(ids(found), []);
                let found = engine_agents::answering_unprepared(tx, "voice", "voice", at(70), 9).await?;
                assert_eq!(ids(found), [second]);
                assert!(engine_agents::occupy(tx, second, "voice", at(70), at(130)).await?);
                Ok::<_, StoreError>(())
            })
        });
        done.await.expect("the database works");
        store.close();
    }
}
