//! Rows read back as they were written, and only for whom they belong to, on every database that is at hand.

use std::sync::Arc;
use std::time::Duration;

use domain::agent::{Agent, AgentConfig};
use domain::business::{Business, User};
use domain::call::{Call, CallFacts, CallRequest, Direction, Findings, LogEntry, LogLine, Party, Utterance};
use domain::disclosure::Disclosures;
use domain::event::{EventType, Subject};
use domain::lead::{Lead, LeadFields};
use domain::number::Number;
use domain::usage::{MicroDollars, Month};
use domain::{
    AgentId, BusinessId, CallId, E164, EventId, KeyId, LeadId, Mode, NumberId, Scope, ScopeSet, SessionId,
    Timestamp, UsageId, UserId,
};
use store::endpoints::NewSecret;
use store::events::{EventOutcome, StoredEvent};
use store::keys::Key;
use store::leads::LeadFilter;
use store::opt_outs::{Certainty, OptOut};
use store::sessions::NewSession;
use store::transcripts::{Transcript, TranscriptFilter};
use store::usage::{UsageOwner, UsageRow};
use store::{BoxFuture, Page, Platform, PlatformTx, StoreError, Tenancy};
use testkit::{TestDatabase, databases};
use uuid::Uuid;

const OURS: BusinessId = BusinessId(Uuid::from_u128(1));
const THEIRS: BusinessId = BusinessId(Uuid::from_u128(2));
const PAGE: Page = Page { limit: 100, after: None };

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("in range")
}

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn phone(text: &str) -> E164 {
    E164::parse(text).expect("a number")
}

fn ours(mode: Mode) -> Tenancy {
    Tenancy::one(OURS, mode)
}

/// Runs a transaction that must succeed.
async fn run<T, F>(platform: &Platform, work: F) -> T
where
    T: Send + 'static,
    F: for<'t> FnOnce(&'t mut PlatformTx) -> BoxFuture<'t, Result<T, StoreError>> + Send + 'static,
{
    platform.write(work).await.expect("the database works")
}

fn business(id: BusinessId) -> Business {
    Business {
        id,
        name: "Smith & Partners".into(),
        phone: Some(phone("+15125550100")),
        timezone: "America/Chicago".into(),
        country_calling_code: "1".into(),
        disclosures: Disclosures::default(),
        created_at: at(1),
    }
}

fn user(number: u128) -> User {
    User {
        id: UserId(id(number)),
        email: format!("{number}@example.com"),
        created_at: at(i64::try_from(number).expect("a small number")),
    }
}

/// A database with two businesses and the users 21 and 22.
async fn with_tenants(database: &TestDatabase) -> Arc<Platform> {
    let platform = database.open().await;
    let vault = platform.vault().clone();
    run(&platform, move |tx| {
        Box::pin(async move {
            for (id, nonce) in [(OURS, [1; 24]), (THEIRS, [2; 24])] {
                store::businesses::insert(tx, &vault, &business(id), "whsec_first", &nonce).await?;
            }
            // The younger one first: what is listed by age is not what was stored first.
            store::users::insert(tx, &user(22), "hash of 22").await?;
            store::users::insert(tx, &user(21), "hash of 21").await
        })
    })
    .await;
    platform
}

fn agent(number: u128, business: BusinessId) -> Agent {
    Agent {
        id: AgentId(id(number)),
        business_id: business,
        config: AgentConfig {
            name: format!("Agent {number}"),
            system_prompt: "Be kind.".into(),
            max_duration: Some(Duration::from_secs(90)),
            ..AgentConfig::default()
        },
        engine: Some("voice".into()),
        vapi_assistant_id: None,
        version: 1,
        created_at: at(10),
        updated_at: at(10),
    }
}

fn number(row: u128, text: &str, business: BusinessId, agent: u128) -> Number {
    Number {
        id: NumberId(id(row)),
        phone_number: phone(text),
        business_id: Some(business),
        agent_id: Some(AgentId(id(agent))),
        engine: None,
        created_at: at(i64::try_from(row).expect("a small number")),
    }
}

fn lead(number: u128, business: BusinessId, mode: Mode) -> Lead {
    Lead {
        id: LeadId(id(number)),
        business_id: business,
        mode,
        fields: LeadFields {
            name: Some("Maria Lopez".into()),
            email: Some("Maria@Example.com".into()),
            phone: Some(phone("+15125550123").into()),
            status: "new".into(),
            source: "api".into(),
            ..LeadFields::default()
        },
        score: Some(70),
        score_explanation: Some("She wants an appointment.".into()),
        interaction_count: 2,
        last_contacted_at: Some(at(5)),
        created_at: at(i64::try_from(number).expect("a small number")),
        updated_at: at(7),
    }
}

fn call(number: u128, business: BusinessId, mode: Mode) -> Call {
    let facts = CallFacts {
        id: CallId(id(number)),
        business_id: business,
        mode,
        agent_id: AgentId(id(3)),
        direction: Direction::Outbound,
        to: phone("+15125550123"),
        from: None,
        request: CallRequest::default(),
        max_duration: Duration::from_secs(600),
        engine: "voice".into(),
        policy_reason: "allowed".into(),
        created_at: at(i64::try_from(number).expect("a small number")),
    };
    Call::outbound(facts, None)
}

#[tokio::test]
async fn an_agent_keeps_every_version_and_is_found_by_its_own_business_only() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        let made = agent(3, OURS);
        let mut changed = made.clone();
        changed.config.name = "Front desk".into();
        changed.engine = None;
        (changed.version, changed.updated_at) = (2, at(20));
        let (first, second, before) = (made.clone(), changed.clone(), made.config.clone());
        run(&platform, move |tx| {
            Box::pin(async move {
                store::agents::insert(tx, &first, "api").await?;
                store::agents::update(tx, &ours(Mode::Test), &second, &before, "dashboard").await
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
                    store::agents::versions(tx, id).await?,
                ))
            })
        })
        .await;
        assert_eq!((&found, &locked), (&Some(changed.clone()), &Some(changed.clone())), "{}", database.kind);
        assert_eq!(foreign, None);
        let told: Vec<_> =
            versions.iter().map(|one| (one.number, one.source.as_str(), one.created_at)).collect();
        assert_eq!(told, [(2, "dashboard", at(20)), (1, "api", at(10))]);
        assert_eq!(versions[0].diff_summary.as_deref(), Some("changed name"));
        assert_eq!(versions[1].diff_summary, None);
        let stolen = Agent { business_id: THEIRS, ..changed };
        let before = stolen.config.clone();
        let refused = platform
            .write(move |tx| {
                Box::pin(async move {
                    store::agents::update(tx, &ours(Mode::Test), &stolen, &before, "api").await
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
                    store::agents::insert(tx, &row, "api").await?;
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
async fn a_number_belongs_to_one_holder_and_its_first_known_engine_counts() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        run(&platform, |tx| {
            Box::pin(async move {
                for row in [agent(3, OURS), agent(5, THEIRS)] {
                    store::agents::insert(tx, &row, "api").await?;
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
async fn a_doubtful_wish_becomes_clear_and_a_clear_one_stays_so() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        let wish = |source: &str, certainty: Certainty, second: i64| OptOut {
            business_id: OURS,
            mode: Mode::Live,
            phone_number: phone("+15125550123"),
            source: source.to_owned(),
            certainty,
            created_at: at(second),
        };
        for (said, kept) in [
            (wish("first", Certainty::Doubtful, 1), wish("first", Certainty::Doubtful, 1)),
            (wish("second", Certainty::Doubtful, 2), wish("first", Certainty::Doubtful, 1)),
            (wish("third", Certainty::Clear, 3), wish("third", Certainty::Clear, 1)),
            (wish("fourth", Certainty::Doubtful, 4), wish("third", Certainty::Clear, 1)),
            (wish("fifth", Certainty::Clear, 5), wish("third", Certainty::Clear, 1)),
        ] {
            let all = run(&platform, move |tx| {
                Box::pin(async move {
                    store::opt_outs::add(tx, &said).await?;
                    store::opt_outs::all(tx).await
                })
            })
            .await;
            assert_eq!(all, [kept], "{}", database.kind);
        }
        run(&platform, |tx| {
            Box::pin(async move {
                let number = phone("+15125550123");
                assert!(store::opt_outs::contains(tx, OURS, Mode::Live, &number).await?);
                assert!(!store::opt_outs::contains(tx, OURS, Mode::Test, &number).await?);
                assert!(!store::opt_outs::contains(tx, THEIRS, Mode::Live, &number).await?);
                assert!(!store::opt_outs::remove(tx, THEIRS, Mode::Live, &number).await?);
                assert!(store::opt_outs::remove(tx, OURS, Mode::Live, &number).await?);
                assert!(!store::opt_outs::remove(tx, OURS, Mode::Live, &number).await?);
                Ok(())
            })
        })
        .await;
    }
}

#[tokio::test]
async fn users_log_in_by_address_and_see_what_they_belong_to() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        run(&platform, |tx| {
            Box::pin(async move {
                assert_eq!(store::users::first(tx).await?, Some(user(21)), "the oldest");
                assert_eq!(
                    (store::users::count(tx).await?, store::users::all(tx).await?),
                    (2, vec![user(21), user(22)])
                );
                assert_eq!(store::users::get(tx, UserId(id(22))).await?, Some(user(22)));
                let found = store::users::by_email(tx, "22@example.com").await?;
                assert_eq!(found, Some((user(22), "hash of 22".to_owned())));
                assert_eq!(store::users::by_email(tx, "23@example.com").await?, None);
                store::users::set_password_hash(tx, UserId(id(22)), "another").await?;
                let found = store::users::by_email(tx, "22@example.com").await?;
                assert_eq!(found.map(|(_, hash)| hash).as_deref(), Some("another"));
                for business in [THEIRS, OURS, OURS] {
                    store::users::add_membership(tx, UserId(id(22)), business).await?;
                }
                assert_eq!(store::users::businesses_of(tx, UserId(id(22))).await?, [OURS, THEIRS]);
                assert_eq!(store::users::businesses_of(tx, UserId(id(21))).await?, []);
                Ok(())
            })
        })
        .await;
    }
}

#[tokio::test]
async fn a_session_is_found_by_its_cookie_until_it_expires_or_is_ended() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        run(&platform, |tx| {
            Box::pin(async move {
                for (number, user) in [(1_u8, 21), (2, 21), (3, 22)] {
                    let session = NewSession {
                        id: SessionId(id(number.into())),
                        user_id: UserId(id(user)),
                        token_hash: [number; 32],
                        created_at: at(100),
                        expires_at: at(200),
                    };
                    store::sessions::insert(tx, &session).await?;
                }
                let found = store::sessions::by_token_hash(tx, &[1; 32], at(199)).await?.expect("it lasts");
                assert_eq!((found.user_id, found.created_at), (UserId(id(21)), at(100)));
                assert_eq!((found.last_seen_at, found.expires_at), (at(100), at(200)));
                assert_eq!(store::sessions::by_token_hash(tx, &[1; 32], at(200)).await?, None);
                assert_eq!(store::sessions::by_token_hash(tx, &[9; 32], at(100)).await?, None);
                store::sessions::touch(tx, found.id, at(150)).await?;
                let seen = store::sessions::by_token_hash(tx, &[1; 32], at(160)).await?.expect("it lasts");
                assert_eq!(seen.last_seen_at, at(150));
                let other = store::sessions::by_token_hash(tx, &[2; 32], at(160)).await?.expect("it lasts");
                assert_eq!(other.last_seen_at, at(100), "another login of the same user");
                store::sessions::delete(tx, &[1; 32]).await?;
                assert_eq!(store::sessions::by_token_hash(tx, &[1; 32], at(160)).await?, None);
                assert_eq!(store::sessions::delete_of_user(tx, UserId(id(21))).await?, 1);
                assert!(store::sessions::by_token_hash(tx, &[3; 32], at(160)).await?.is_some());
                Ok(())
            })
        })
        .await;
    }
}

fn key(number: u128, user: u128) -> Key {
    Key {
        id: KeyId(id(number)),
        user_id: UserId(id(user)),
        name: "Office".into(),
        prefix: "kc_test_abcd".into(),
        mode: Mode::Test,
        scopes: ScopeSet::new([Scope::LeadsRead]),
        business_id: Some(OURS),
        created_at: at(i64::try_from(number).expect("a small number")),
        last_used_at: None,
        expires_at: Some(at(1000)),
        revoked_at: None,
    }
}

#[tokio::test]
async fn keys_are_listed_newest_first_for_their_owner_and_revoked_once() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        run(&platform, |tx| {
            Box::pin(async move {
                for (number, user) in [(31, 21), (32, 21), (33, 21), (34, 22)] {
                    let hash = [u8::try_from(number).expect("a small number"); 32];
                    store::keys::insert(tx, &key(number, user), &hash).await?;
                }
                let owner = UserId(id(21));
                let first = store::keys::list(tx, owner, &Page { limit: 2, after: None }).await?;
                assert_eq!((first.rows, first.has_more), (vec![key(33, 21), key(32, 21)], true));
                let rest = store::keys::list(tx, owner, &Page { limit: 2, after: Some(at(32)) }).await?;
                assert_eq!((rest.rows, rest.has_more), (vec![key(31, 21)], false));
                assert!(!store::keys::revoke(tx, UserId(id(22)), KeyId(id(31)), at(50)).await?);
                assert!(store::keys::revoke(tx, owner, KeyId(id(31)), at(50)).await?);
                assert!(store::keys::revoke(tx, owner, KeyId(id(31)), at(60)).await?);
                let listed = store::keys::list(tx, owner, &PAGE).await?.rows;
                let revoked: Vec<_> = listed.iter().map(|key| key.revoked_at).collect();
                assert_eq!(revoked, [None, None, Some(at(50))], "the first time counts");
                Ok(())
            })
        })
        .await;
    }
}

#[tokio::test]
async fn an_event_reads_back_with_its_subject_and_a_call_ends_once() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        let event = |number: u128, event_type: EventType, subject: Subject| StoredEvent {
            id: EventId(id(number)),
            business_id: OURS,
            mode: Mode::Live,
            event_type,
            subject,
            payload: format!("{{\"number\":{number}}}"),
            created_at: at(i64::try_from(number).expect("a small number")),
        };
        let call = Subject::Call(CallId(id(5)));
        let kept = [
            event(41, EventType::LeadCreated, Subject::Lead(LeadId(id(4)))),
            event(42, EventType::AgentUpdated, Subject::Agent(AgentId(id(3)))),
            event(43, EventType::CallStarted, call),
            event(44, EventType::CallCompleted, call),
        ];
        let rows = kept.clone();
        run(&platform, move |tx| {
            Box::pin(async move {
                for row in &rows {
                    store::events::insert(tx, row, EventOutcome::Skipped).await?;
                }
                for row in rows {
                    assert_eq!(store::events::get(tx, row.id).await?, Some(row));
                }
                assert_eq!(store::events::get(tx, EventId(id(49))).await?, None);
                Ok(())
            })
        })
        .await;
        let twice = event(45, EventType::CallFailed, call);
        let refused: Result<(), StoreError> = platform
            .write(move |tx| {
                Box::pin(async move { store::events::insert(tx, &twice, EventOutcome::Skipped).await })
            })
            .await;
        assert!(matches!(refused, Err(StoreError::Conflict(_))), "{}: {refused:?}", database.kind);
    }
}

#[tokio::test]
async fn findings_grow_and_say_whether_they_brought_anything_new() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        run(&platform, |tx| {
            Box::pin(async move {
                let call = CallId(id(5));
                assert_eq!(store::findings::get(tx, call).await?, None);
                let summary = Findings { summary: Some("A talk.".into()), ..Findings::default() };
                let cost = Findings { cost: Some(MicroDollars(74_213)), ..Findings::default() };
                assert!(store::findings::put(tx, call, &summary, at(1)).await?);
                assert!(!store::findings::put(tx, call, &summary, at(2)).await?);
                assert!(store::findings::put(tx, call, &cost, at(3)).await?);
                assert!(!store::findings::put(tx, CallId(id(6)), &Findings::default(), at(4)).await?);
                let both = Findings { cost: cost.cost, ..summary };
                assert_eq!(store::findings::get(tx, call).await?, Some(both));
                Ok(())
            })
        })
        .await;
    }
}

#[tokio::test]
async fn a_transcript_is_replaced_only_by_another_one_and_seen_by_its_business() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        let said = |text: &str| Utterance {
            by: Party::Caller,
            text: text.to_owned(),
            start: Duration::from_millis(10),
            end: Duration::from_millis(900),
            interrupted: false,
        };
        let transcript = move |text: &str| Transcript {
            call_id: CallId(id(5)),
            business_id: OURS,
            mode: Mode::Test,
            agent_id: AgentId(id(3)),
            created_at: at(5),
            text: format!("Caller: {text}"),
            utterances: vec![said(text)],
        };
        run(&platform, move |tx| {
            Box::pin(async move {
                store::agents::insert(tx, &agent(3, OURS), "api").await?;
                assert!(store::calls::insert(tx, &call(5, OURS, Mode::Test)).await?);
                store::transcripts::insert(tx, &transcript("Hello")).await?;
                assert!(!store::transcripts::replace(tx, &transcript("Hello")).await?);
                assert!(store::transcripts::replace(tx, &transcript("Hello there")).await?);
                let own = ours(Mode::Test);
                let found = store::transcripts::get(tx, &own, CallId(id(5))).await?;
                assert_eq!(found, Some(transcript("Hello there")));
                assert!(store::transcripts::exists(tx, &own, CallId(id(5))).await?);
                for foreign in [ours(Mode::Live), Tenancy::one(THEIRS, Mode::Test)] {
                    assert_eq!(store::transcripts::get(tx, &foreign, CallId(id(5))).await?, None);
                    assert!(!store::transcripts::exists(tx, &foreign, CallId(id(5))).await?);
                    let seen =
                        store::transcripts::list(tx, &foreign, &TranscriptFilter::default(), &PAGE).await?;
                    assert_eq!(seen.rows, []);
                }
                for (since, count) in [(at(5), 1), (at(6), 0)] {
                    let filter = TranscriptFilter { since: Some(since), ..TranscriptFilter::default() };
                    assert_eq!(store::transcripts::list(tx, &own, &filter, &PAGE).await?.rows.len(), count);
                }
                for (agent, count) in [(3, 1), (4, 0)] {
                    let filter = TranscriptFilter {
                        agent_id: Some(AgentId(id(agent))),
                        ..TranscriptFilter::default()
                    };
                    assert_eq!(store::transcripts::list(tx, &own, &filter, &PAGE).await?.rows.len(), count);
                }
                for (call, count) in [(5, 1), (6, 0)] {
                    let filter =
                        TranscriptFilter { call_id: Some(CallId(id(call))), ..TranscriptFilter::default() };
                    assert_eq!(store::transcripts::list(tx, &own, &filter, &PAGE).await?.rows.len(), count);
                }
                Ok(())
            })
        })
        .await;
    }
}

#[tokio::test]
async fn the_log_of_a_call_goes_on_after_a_place_and_is_its_businesss_alone() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        run(&platform, |tx| {
            Box::pin(async move {
                assert!(store::calls::insert(tx, &call(5, OURS, Mode::Test)).await?);
                let line = |second, line| LogEntry { at: at(second), line };
                store::call_log::begin(tx, CallId(id(5)), &[line(1, LogLine::Queued)]).await?;
                store::call_log::add(
                    tx,
                    CallId(id(5)),
                    &[line(2, LogLine::Dialing), line(3, LogLine::Ringing)],
                )
                .await?;
                let own = ours(Mode::Test);
                let rest = store::call_log::since(tx, &own, CallId(id(5)), 1, 10).await?;
                let told: Vec<_> = rest.iter().map(|row| (row.seq, row.at, row.line.clone())).collect();
                assert_eq!(told, [(2, at(2), Some(LogLine::Dialing)), (3, at(3), Some(LogLine::Ringing))]);
                assert_eq!(store::call_log::since(tx, &own, CallId(id(5)), 0, 2).await?.len(), 2);
                for foreign in [ours(Mode::Live), Tenancy::one(THEIRS, Mode::Test)] {
                    assert_eq!(store::call_log::since(tx, &foreign, CallId(id(5)), 0, 10).await?, []);
                }
                assert_eq!(store::calls::last_heard(tx, CallId(id(5))).await?, Some(at(3)));
                Ok(())
            })
        })
        .await;
    }
}

#[tokio::test]
async fn calls_that_run_and_wait_are_counted_for_their_business_and_mode() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        run(&platform, |tx| {
            Box::pin(async move {
                let mut dialling = call(52, OURS, Mode::Test);
                assert!(dialling.dial(domain::NodeId(id(9))));
                let rows = [
                    call(51, OURS, Mode::Test),
                    dialling,
                    call(53, OURS, Mode::Live),
                    call(54, THEIRS, Mode::Test),
                ];
                for row in &rows {
                    assert!(store::calls::insert(tx, row).await?);
                }
                let own = ours(Mode::Test);
                assert_eq!(store::calls::count_running(tx, &own).await?, 2);
                assert_eq!(store::calls::count_waiting(tx, &own).await?, 1);
                let both = Tenancy::new(vec![OURS, THEIRS], Mode::Test);
                assert_eq!(store::calls::count_running(tx, &both).await?, 3);
                assert_eq!(store::calls::count_waiting(tx, &both).await?, 2);
                assert_eq!(store::calls::unfinished_by_engine(tx).await?, [("voice".to_owned(), 4)]);
                assert_eq!(store::calls::count_on_engine(tx, "voice").await?, 0, "test calls do not count");
                Ok(())
            })
        })
        .await;
    }
}

fn request(number: u128, user: u128, business: Option<BusinessId>, mode: Mode) -> UsageRow {
    UsageRow {
        id: UsageId(id(number)),
        key_id: KeyId(id(30)),
        user_id: UserId(id(user)),
        business_id: business,
        mode,
        endpoint: "/v1/leads".into(),
        method: "GET".into(),
        status_code: 200,
        call_id: None,
        cost_cents: 0,
        created_at: at(i64::try_from(number).expect("a small number")),
    }
}

#[tokio::test]
async fn requests_are_listed_by_owner_mode_and_time() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        run(&platform, |tx| {
            Box::pin(async move {
                let rows = [
                    request(61, 21, Some(OURS), Mode::Test),
                    request(62, 21, None, Mode::Test),
                    request(63, 21, Some(OURS), Mode::Live),
                    request(64, 22, Some(THEIRS), Mode::Test),
                ];
                store::usage::insert_batch(tx, &rows).await?;
                store::usage::insert_batch(tx, &rows[..1]).await?;
                let own = ours(Mode::Test);
                let of_user = UsageOwner::User(UserId(id(21)));
                let listed = store::usage::list(tx, &own, of_user, None, None, &PAGE).await?.rows;
                assert_eq!(listed, [rows[1].clone(), rows[0].clone()], "newest first, each once");
                for (start, end, count) in [(Some(61), None, 2), (Some(62), None, 1), (None, Some(62), 1)] {
                    let (start, end) = (start.map(at), end.map(at));
                    let listed = store::usage::list(tx, &own, of_user, start, end, &PAGE).await?.rows;
                    assert_eq!(listed.len(), count, "{start:?} {end:?}");
                }
                for (business, count) in [(OURS, 1), (THEIRS, 0)] {
                    let owner = UsageOwner::Business(business);
                    let listed = store::usage::list(tx, &own, owner, None, None, &PAGE).await?.rows;
                    assert_eq!(listed.len(), count, "what another business did is not shown");
                }
                Ok(())
            })
        })
        .await;
    }
}

#[tokio::test]
async fn talk_adds_up_by_business_mode_and_month() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        run(&platform, |tx| {
            Box::pin(async move {
                let (november, december) = (
                    Month::of("2026-11-30T23:59:59Z".parse().expect("a time")),
                    Month::of("2026-12-01T00:00:00Z".parse().expect("a time")),
                );
                for (business, mode, month, seconds) in [
                    (OURS, Mode::Live, november, 40),
                    (OURS, Mode::Live, november, 20),
                    (OURS, Mode::Test, november, 7),
                    (OURS, Mode::Live, december, 5),
                    (THEIRS, Mode::Live, november, 3),
                ] {
                    let talked = Duration::from_secs(seconds);
                    store::usage::add_talked(tx, business, mode, month, talked).await?;
                }
                for (tenancy, business, month, seconds) in [
                    (ours(Mode::Live), OURS, november, 60),
                    (ours(Mode::Test), OURS, november, 7),
                    (ours(Mode::Live), OURS, december, 5),
                    (ours(Mode::Live), THEIRS, november, 0),
                ] {
                    let talked = store::usage::talked_in(tx, &tenancy, business, month).await?;
                    assert_eq!(talked, Duration::from_secs(seconds), "{tenancy:?} {business} {month}");
                }
                Ok(())
            })
        })
        .await;
    }
}

#[tokio::test]
async fn businesses_change_what_they_disclose_and_are_seen_by_their_people() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        let vault = platform.vault().clone();
        run(&platform, move |tx| {
            Box::pin(async move {
                let mut business = business(OURS);
                business.disclosures = Disclosures { ai: true, recording: false };
                assert!(store::businesses::update(tx, &business).await?);
                let missing = Business { id: BusinessId(id(99)), ..business.clone() };
                assert!(!store::businesses::update(tx, &missing).await?);
                assert_eq!(
                    store::businesses::get(tx, &ours(Mode::Live), OURS).await?,
                    Some(business.clone())
                );
                let foreign = Tenancy::one(THEIRS, Mode::Live);
                assert_eq!(store::businesses::get(tx, &foreign, OURS).await?, None);
                assert_eq!(store::businesses::by_id(tx, OURS).await?, Some(business.clone()));
                assert_eq!(store::businesses::all(tx).await?.len(), 2);
                let new = || NewSecret { secret: "whsec_next", nonce: [2; 24], overlap_until: None };
                assert!(store::businesses::exchange_webhook_secret(tx, &vault, OURS, new()).await?);
                assert!(!store::businesses::exchange_webhook_secret(tx, &vault, missing.id, new()).await?);
                let other = store::businesses::webhook_secret(tx, &vault, THEIRS).await?;
                assert_eq!(other.as_deref(), Some("whsec_first"));
                let secret = store::businesses::webhook_secret(tx, &vault, OURS).await?;
                assert_eq!(secret.as_deref(), Some("whsec_next"));
                assert_eq!(store::businesses::webhook_secret(tx, &vault, missing.id).await?, None);
                Ok(())
            })
        })
        .await;
    }
}
