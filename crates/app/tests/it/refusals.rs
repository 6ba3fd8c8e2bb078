//! What the use cases refuse, and that nothing is left behind by it, on every database that is at hand.

use app::calls::{CheckCallError, CheckOrder, EndCallError};
use app::endpoints::{EndpointChange, EndpointError, NewEndpoint, OldSecret, Saved};
use app::events::{Replay, ReplayError, Which};
use app::idempotency::Once;
use app::leads::LeadError;
use app::numbers::{Holder, NumberError};
use app::rehearsal::{Rehearsal, RehearsalError, Trial, TrialError};
use app::remarks::{LONGEST_NOTE, LONGEST_TAG, MOST_TAGS, MOST_VIEWS, RemarkError};
use domain::call::Direction;
use domain::endpoint::{MOST_ENDPOINTS, Subscribed};
use domain::engine::{NotHeard, Opposite, Written};
use domain::event::{Subject, TestData};
use domain::lead::LeadFields;
use domain::{AgentId, Author, BusinessId, CallId, EndpointId, EventId, LeadId, Mode};
use store::Tenancy;
use testkit::{Switchboard, TestDatabase, databases};
use uuid::Uuid;

use crate::bench::{Bench, MARIA, phone};

/// A business beside another one that knows nothing of it.
struct Street {
    bench: Bench,
    /// What live and test keys of the own business see.
    live: Tenancy,
    test: Tenancy,
    /// What the live keys of the other business see.
    theirs: Tenancy,
    stranger: BusinessId,
}

impl Street {
    async fn of(database: &TestDatabase) -> Self {
        let bench = Bench::start(database, Switchboard::local("voice")).await;
        let stranger = bench.platform.stranger("other@example.com", "Other & Co").await.business.id;
        let (live, test) = (bench.tenancy(), Tenancy::one(bench.business(), Mode::Test));
        Self { bench, live, test, theirs: Tenancy::one(stranger, Mode::Live), stranger }
    }

    /// Everybody who may not see what the own live keys see.
    fn outsiders(&self) -> [&Tenancy; 2] {
        [&self.theirs, &self.test]
    }

    async fn their_agent(&self) -> AgentId {
        let acting = self.bench.app().for_itself();
        let made = app::agents::create(
            &acting,
            Mode::Test,
            self.stranger,
            domain::agent::AgentConfig::default(),
            None,
        );
        let Ok(Once::New(agent)) = made.await else { panic!("nothing forbids it") };
        agent.id
    }

    async fn lead(&self, tenancy: &Tenancy, name: &str) -> LeadId {
        let fields = LeadFields { name: Some(name.to_owned()), ..LeadFields::default() };
        let business = tenancy.businesses()[0];
        let made =
            app::leads::create(self.bench.app(), tenancy.mode(), business, fields, Author::system(), None)
                .await;
        let Ok(Once::New(lead)) = made else { panic!("nothing forbids it") };
        lead.id
    }

    async fn subscription(&self, mode: Mode) -> EndpointId {
        let Once::New(saved) = subscribe(self, mode, "https://crm.example/hook").await.expect("it is fine")
        else {
            panic!("no key was given")
        };
        saved.endpoint.id
    }
}

async fn subscribe(street: &Street, mode: Mode, url: &str) -> Result<Once<Saved>, EndpointError> {
    let new = NewEndpoint {
        business_id: street.bench.business(),
        url: url.to_owned(),
        events: Subscribed::All,
        description: None,
        is_active: true,
    };
    app::endpoints::create(&street.bench.app().for_itself(), mode, new, None).await
}

/// How many rows there are of everything that a use case could leave behind.
async fn rows(database: &TestDatabase) -> Vec<i64> {
    let tables = [
        "agents",
        "agent_versions",
        "leads",
        "calls",
        "call_log",
        "call_remarks",
        "endpoints",
        "events",
        "deliveries",
        "attempts",
        "jobs",
        "numbers",
        "saved_views",
        "idempotency",
    ];
    let counts = tables.map(|table| format!("SELECT count(*) FROM {table}"));
    database.numbers(&counts.join(" UNION ALL ")).await
}

#[tokio::test]
async fn subscriptions_are_out_of_reach_for_others_and_for_the_other_mode() {
    for database in databases().await {
        let street = Street::of(&database).await;
        let app = street.bench.app();
        for url in ["ftp://crm.example/", "http://10.0.0.1/hook", "https://user:word@crm.example/", "crm"] {
            let refused = subscribe(&street, Mode::Live, url).await;
            assert!(matches!(refused, Err(EndpointError::Address(_))), "{}: {url}", database.kind);
        }
        let own = street.subscription(Mode::Live).await;
        let before = rows(&database).await;
        let nobody = EndpointId(Uuid::nil());
        let outside = street.outsiders().map(|tenancy| (tenancy, own));
        for (tenancy, id) in outside.into_iter().chain([(&street.live, nobody)]) {
            let off = EndpointChange { is_active: Some(false), ..EndpointChange::default() };
            let changed = app::endpoints::change(&app.for_itself(), tenancy, id, off, None).await;
            assert!(matches!(changed, Err(EndpointError::NotFound)), "{}", database.kind);
            let rotated =
                app::endpoints::rotate_secret(&app.for_itself(), tenancy, id, OldSecret::Ends, None).await;
            assert!(matches!(rotated, Err(EndpointError::NotFound)), "{}", database.kind);
            let tested = app::endpoints::test(app, tenancy, id, TestData::default(), None).await;
            assert!(matches!(tested, Err(EndpointError::NotFound)), "{}", database.kind);
            let removed = app::endpoints::remove(&app.for_itself(), tenancy, id).await;
            assert!(matches!(removed, Err(EndpointError::NotFound)), "{}", database.kind);
        }
        assert_eq!(rows(&database).await, before, "{}: nothing is gone", database.kind);
        let wrong = EndpointChange { url: Some("ftp://crm.example".to_owned()), ..EndpointChange::default() };
        let refused = app::endpoints::change(&app.for_itself(), &street.live, own, wrong, None).await;
        assert!(matches!(refused, Err(EndpointError::Address(_))), "{}", database.kind);
        for tenancy in street.outsiders() {
            let all = app::endpoints::remove_all(&app.for_itself(), tenancy, street.bench.business()).await;
            assert_eq!(all.expect("the database works"), 0, "{}", database.kind);
        }
        let all = app::endpoints::remove_all(&app.for_itself(), &street.live, street.bench.business()).await;
        assert_eq!(all.expect("the database works"), 1, "{}", database.kind);
        street.bench.platform.stop().await;
    }
}

#[tokio::test]
async fn a_business_has_fifty_subscriptions_at_most_in_each_mode() {
    for database in databases().await {
        let street = Street::of(&database).await;
        let first = street.subscription(Mode::Live).await;
        for _ in 1..MOST_ENDPOINTS {
            street.subscription(Mode::Live).await;
        }
        let before = rows(&database).await;
        let refused = subscribe(&street, Mode::Live, "https://crm.example/hook").await;
        assert!(matches!(refused, Err(EndpointError::TooMany)), "{}", database.kind);
        assert_eq!(rows(&database).await, before, "{}", database.kind);
        street.subscription(Mode::Test).await;
        app::endpoints::remove(&street.bench.app().for_itself(), &street.live, first)
            .await
            .expect("it is there");
        street.subscription(Mode::Live).await;
        street.bench.platform.stop().await;
    }
}

#[tokio::test]
async fn leads_are_refused_before_anything_of_them_is_stored_or_told() {
    for database in databases().await {
        let street = Street::of(&database).await;
        let app = street.bench.app();
        let (own, foreign_agent) = (street.lead(&street.live, "Maria").await, street.their_agent().await);
        let before = rows(&database).await;
        let with_agent = |agent| LeadFields {
            name: Some("Ada".to_owned()),
            agent_id: Some(agent),
            ..LeadFields::default()
        };
        for agent in [foreign_agent, AgentId(Uuid::nil())] {
            let made = app::leads::create(
                app,
                Mode::Live,
                street.bench.business(),
                with_agent(agent),
                Author::system(),
                None,
            )
            .await;
            assert!(matches!(made, Err(LeadError::UnknownAgent)), "{}", database.kind);
            let changed = app::leads::update(app, &street.live, own, Author::system(), move |lead, _| {
                lead.agent_id = Some(agent);
            })
            .await;
            assert!(matches!(changed, Err(LeadError::UnknownAgent)), "{}", database.kind);
        }
        let named = |lead: &mut LeadFields, _: &str| lead.name = Some("Eve".to_owned());
        for tenancy in street.outsiders() {
            let changed = app::leads::update(app, tenancy, own, Author::system(), named).await;
            assert!(matches!(changed, Err(LeadError::NotFound)), "{}", database.kind);
        }
        let nobody =
            app::leads::update(app, &street.live, LeadId(Uuid::nil()), Author::system(), named).await;
        assert!(matches!(nobody, Err(LeadError::NotFound)), "{}", database.kind);
        let nameless = |lead: &mut LeadFields, _: &str| {
            *lead = LeadFields { notes: Some("somebody".to_owned()), ..LeadFields::default() };
        };
        let changed = app::leads::update(app, &street.live, own, Author::system(), nameless).await;
        assert!(matches!(changed, Err(LeadError::Nameless)), "{}", database.kind);
        // A change that changes nothing is none, and nobody is told of it.
        let same = app::leads::update(app, &street.live, own, Author::system(), |_, _| {})
            .await
            .expect("it is there");
        assert_eq!(same.fields.name.as_deref(), Some("Maria"), "{}", database.kind);
        assert_eq!(rows(&database).await, before, "{}", database.kind);
        let told = street.bench.platform.events_about(Mode::Live, Subject::Lead(own)).await;
        assert_eq!(told.len(), 1, "{}: it was made", database.kind);
        street.bench.platform.stop().await;
    }
}

#[tokio::test]
async fn notes_and_views_have_bounds_and_stand_only_at_calls_of_the_tenant() {
    for database in databases().await {
        let street = Street::of(&database).await;
        let app = street.bench.app();
        let call = street.bench.placed(street.bench.order(MARIA)).await.id;
        let note = async |tenancy: &Tenancy, call: CallId, note: &str, tags: &str| {
            app::remarks::note(app, tenancy, call, "owner@example.com".to_owned(), note, tags).await
        };
        let before = rows(&database).await;
        let tags = |count: usize| (0..count).map(|n| format!("tag {n}")).collect::<Vec<_>>().join(",");
        let (longest, tag) = ("é".repeat(LONGEST_NOTE), "ü".repeat(LONGEST_TAG));
        for (text, tags) in [
            (format!("{longest}."), String::new()),
            (String::new(), tags(MOST_TAGS + 1)),
            (String::new(), format!("{tag}x")),
        ] {
            let refused = note(&street.live, call, &text, &tags).await;
            assert!(matches!(refused, Err(RemarkError::TooLong)), "{}", database.kind);
        }
        for tenancy in street.outsiders() {
            let refused = note(tenancy, call, "Call back.", "").await;
            assert!(matches!(refused, Err(RemarkError::NotFound)), "{}", database.kind);
        }
        let refused = note(&street.live, CallId(Uuid::nil()), "Call back.", "").await;
        assert!(matches!(refused, Err(RemarkError::NotFound)), "{}", database.kind);
        assert_eq!(rows(&database).await, before, "{}", database.kind);
        note(&street.live, call, &format!(" {longest} "), &tags(MOST_TAGS)).await.expect("just short enough");
        // A tag that is named twice, or is blank, counts once or not at all.
        let twice = format!(" roof ,{tag},, roof,  big   roof ");
        note(&street.live, call, "Call back.", &twice).await.expect("short enough");
        let tenancy = street.live.clone();
        let kept = street
            .bench
            .read(move |tx| {
                let tenancy = tenancy.clone();
                Box::pin(async move { store::call_remarks::of_call(tx, &tenancy, call).await })
            })
            .await
            .expect("it was noted");
        assert_eq!(
            (kept.note.as_str(), kept.tags),
            ("Call back.", vec!["roof".to_owned(), tag, "big roof".to_owned()])
        );

        let user = street.bench.platform.account.user.id;
        let keep = async |name: String, query: &str| {
            app::remarks::keep_view(app, user, name, query.to_owned()).await
        };
        for number in 0..MOST_VIEWS {
            keep(format!("view {number}"), "status=failed").await.expect("there is room");
        }
        assert!(matches!(keep("one more".to_owned(), "").await, Err(RemarkError::TooMany)));
        keep("view 3".to_owned(), "status=completed").await.expect("it takes the place of the old one");
        let views = app::remarks::views(app, user).await.expect("the database works");
        assert_eq!(views.len(), MOST_VIEWS, "{}", database.kind);
        assert!(views.iter().any(|view| view.name == "view 3" && view.query == "status=completed"));
        let forget = async |name: &str| {
            app::remarks::forget_view(app, user, name.to_owned()).await.expect("the database works")
        };
        assert_eq!((forget("view 3").await, forget("view 3").await), (true, false), "{}", database.kind);
        keep("one more".to_owned(), "").await.expect("there is room again");
        street.bench.platform.stop().await;
    }
}

#[tokio::test]
async fn events_are_sent_again_only_to_whom_they_may_be() {
    for database in databases().await {
        let street = Street::of(&database).await;
        let app = street.bench.app();
        let (on, off) = (street.subscription(Mode::Live).await, street.subscription(Mode::Live).await);
        let of_tests = street.subscription(Mode::Test).await;
        let switch_off = EndpointChange { is_active: Some(false), ..EndpointChange::default() };
        app::endpoints::change(&app.for_itself(), &street.live, off, switch_off, None)
            .await
            .expect("it is there");
        let lead = street.lead(&street.live, "Maria").await;
        let event = street.bench.platform.events_about(Mode::Live, Subject::Lead(lead)).await.remove(0).id;
        let replay = async |tenancy: &Tenancy, business_id, id: EventId, only| {
            let replay = Replay { business_id, which: Which::These(vec![id, id]), only };
            app::events::replay(app, tenancy, replay, None).await
        };
        let business = street.bench.business();
        for only in [off, of_tests, EndpointId(Uuid::nil())] {
            let refused = replay(&street.live, business, event, Some(only)).await;
            assert!(matches!(refused, Err(ReplayError::UnknownEndpoint)), "{}", database.kind);
        }
        for (tenancy, business) in [(&street.theirs, street.stranger), (&street.test, business)] {
            let Ok(Once::New(none)) = replay(tenancy, business, event, None).await else {
                panic!("it is fine")
            };
            assert_eq!((none.queued.len(), none.not_found), (0, vec![event]), "{}", database.kind);
        }
        // Whoever names a business that is not theirs finds nothing there.
        let Ok(Once::New(none)) = replay(&street.theirs, business, event, None).await else {
            panic!("it is fine")
        };
        assert!(none.queued.is_empty(), "{}", database.kind);
        let Ok(Once::New(sent)) = replay(&street.live, business, event, Some(on)).await else {
            panic!("it is fine")
        };
        assert_eq!((sent.queued, sent.not_found.len()), (vec![event], 0), "{}: once", database.kind);
        street.bench.platform.stop().await;
    }
}

#[tokio::test]
async fn calls_are_checked_and_ended_only_by_who_may_see_them() {
    for database in databases().await {
        let street = Street::of(&database).await;
        let (app, agent) = (street.bench.app(), street.bench.agent);
        let (own, foreign) =
            (street.lead(&street.live, "Maria").await, street.lead(&street.theirs, "Ada").await);
        let call = street.bench.answered(street.bench.order(MARIA)).await;
        let before = rows(&database).await;
        let check = async |tenancy: &Tenancy, agent_id, lead_id| {
            let order = CheckOrder {
                agent_id,
                to: phone(MARIA),
                lead_id,
                scheduled_at: None,
                max_duration: None,
                purpose: None,
            };
            app::calls::check(app, tenancy, order).await
        };
        let theirs = check(&street.theirs, agent, None).await;
        assert!(matches!(theirs, Err(CheckCallError::UnknownAgent)), "{}", database.kind);
        let nobody = check(&street.live, AgentId(Uuid::nil()), None).await;
        assert!(matches!(nobody, Err(CheckCallError::UnknownAgent)), "{}", database.kind);
        for lead in [foreign, LeadId(Uuid::nil())] {
            let refused = check(&street.live, agent, Some(lead)).await;
            assert!(matches!(refused, Err(CheckCallError::UnknownLead)), "{}", database.kind);
        }
        let in_test = check(&street.test, agent, Some(own)).await;
        assert!(matches!(in_test, Err(CheckCallError::UnknownLead)), "{}: a live lead", database.kind);
        let fine = check(&street.live, agent, Some(own)).await.expect("it may be called");
        assert_eq!((fine.business_id, fine.lead_id), (street.bench.business(), Some(own)));
        for tenancy in street.outsiders() {
            let ended = app::calls::end(app, tenancy, call, None).await;
            assert!(matches!(ended, Err(EndCallError::NotFound)), "{}", database.kind);
        }
        assert!(street.bench.engine.hang_ups().is_empty(), "{}: nobody hung up", database.kind);
        assert_eq!(rows(&database).await, before, "{}: checking stores nothing", database.kind);
        street.bench.platform.stop().await;
    }
}

#[tokio::test]
async fn an_agent_is_tried_out_only_with_whom_there_is() {
    for database in databases().await {
        let street = Street::of(&database).await;
        let (app, agent) = (street.bench.app(), street.bench.agent);
        let foreign_lead = street.lead(&street.theirs, "Ada").await;
        let live_lead = street.lead(&street.live, "Maria").await;
        let (free, theirs, own) = (phone("+15125550181"), phone("+15125550182"), phone("+15125550183"));
        app::numbers::register(&app.for_itself(), free.clone(), None, None).await.expect("it is new");
        let holder = Holder { business_id: street.stranger, agent_id: Some(street.their_agent().await) };
        app::numbers::register(&app.for_itself(), theirs.clone(), Some(holder), None)
            .await
            .expect("it is new");
        let holder = Holder { business_id: street.bench.business(), agent_id: None };
        app::numbers::register(&app.for_itself(), own.clone(), Some(holder), None).await.expect("it is new");
        let unknown =
            app::numbers::register(&app.for_itself(), phone("+15125550184"), None, Some("asterisk")).await;
        assert!(matches!(unknown, Err(NumberError::UnknownEngine(_))), "{}", database.kind);
        let before = rows(&database).await;

        let ring = async |tenancy: &Tenancy, to, caller: &str| {
            let rehearsal = Rehearsal { to, from: None, caller: caller.to_owned() };
            app::rehearsal::ring(app, tenancy, rehearsal, None).await
        };
        let played = ring(&street.test, own.clone(), "nobody").await;
        let Err(RehearsalError::UnknownCaller { known }) = played else { panic!("{played:?}") };
        assert!(known.contains(&"new_client".to_owned()), "{known:?}");
        // Free, somebody else's, without an agent, and not registered at all.
        for to in [free, theirs, own.clone(), phone("+15125550189")] {
            let refused = ring(&street.test, to, "new_client").await;
            assert!(matches!(refused, Err(RehearsalError::Unanswered)), "{}", database.kind);
        }
        let live = ring(&street.live, own, "new_client").await;
        assert!(
            matches!(live, Err(RehearsalError::NoCallers)),
            "{}: no live caller is played",
            database.kind
        );

        let try_out = async |tenancy: &Tenancy, with: Opposite, direction, lead| {
            app::rehearsal::try_out(app, tenancy, Trial { agent, with, direction, lead }).await
        };
        for direction in [Direction::Inbound, Direction::Outbound] {
            let nobody = Opposite::Played("nobody".to_owned());
            let refused = try_out(&street.test, nobody, direction, None).await;
            let is_unknown =
                matches!(refused, Err(TrialError::Rehearsal(RehearsalError::UnknownCaller { .. })));
            assert!(is_unknown, "{}", database.kind);
            let refused = try_out(&street.theirs, Opposite::Writer, direction, None).await;
            assert!(matches!(refused, Err(TrialError::Placing(_))), "{}: not their agent", database.kind);
            for lead in [foreign_lead, live_lead] {
                let refused = try_out(&street.test, Opposite::Writer, direction, Some(lead)).await;
                let Err(TrialError::Placing(refused)) = refused else { panic!("{refused:?}") };
                assert_eq!(refused.to_string(), "no such lead", "{}: {direction:?}", database.kind);
            }
        }
        assert_eq!(rows(&database).await, before, "{}", database.kind);

        let talk = try_out(&street.test, Opposite::Writer, Direction::Inbound, None).await;
        let talk = talk.expect("the agent is there").id;
        let write = async |tenancy: &Tenancy, call| {
            let words = Written::Words("Hello?".to_owned());
            app::rehearsal::write(app, tenancy, call, words).await.expect("the database works")
        };
        assert_eq!(write(&street.theirs, talk).await, Err(NotHeard::NoSuchTalk), "{}", database.kind);
        assert_eq!(write(&street.test, CallId(Uuid::nil())).await, Err(NotHeard::NoSuchTalk));
        let gathered = app::rehearsal::gathered(app, &street.theirs, talk).await.expect("the database works");
        assert_eq!(gathered, None, "{}: others learn nothing of it", database.kind);
        app::calls::end(app, &street.test, talk, None).await.expect("it is there");
        street.bench.final_call(talk).await;
        assert_eq!(
            write(&street.test, talk).await,
            Err(NotHeard::NoSuchTalk),
            "{}: it is over",
            database.kind
        );
        street.bench.platform.stop().await;
    }
}
