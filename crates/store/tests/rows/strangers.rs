//! Every function that takes a tenancy shows it nothing of anybody else.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use domain::audit::{Action, Actor, Deed, Target, TargetKind};
use domain::call::{LogEntry, LogLine, Party, Utterance};
use domain::event::Subject;
use domain::usage::{Day, Month};
use domain::{
    AgentId, AuditId, Author, CallId, ConsentId, EndpointId, EventId, LeadChangeId, LeadId, Mode, UserId,
};
use store::audit::{AuditFilter, AuditRow};
use store::call_log::LogRow;
use store::call_remarks::Remark;
use store::consents::ConsentRecord;
use store::deliveries::{AttemptFilter, DeliveryState};
use store::events::{EventFilter, EventOutcome};
use store::jobs::{JobKind, NewJob};
use store::leads::LeadFilter;
use store::leads::audit::{Audit, Question};
use store::leads::history::{Happening, LeadChange};
use store::transcripts::TranscriptFilter;
use store::usage::{UsageOwner, UsageRow};
use store::workspaces::{Metadata, Workspace};
use store::{BoxFuture, Page, PlatformTx, StoreError, Tenancy};
use testkit::databases;

use crate::{
    OURS, PAGE, THEIRS, addressee, agent, at, attempt, business, call, delivery, endpoint, event, id, lead,
    new_job, number, ours, phone, request, run, transcript, with_tenants,
};

/// Asks for something of `OURS` in test mode: true if the tenancy sees or changes anything of it.
type Look = for<'t> fn(&'t mut PlatformTx, &'t Tenancy) -> BoxFuture<'t, Result<bool, StoreError>>;

/// What somebody can see of a business, and whether it belongs to one of the two modes.
const LOOKS: &[(&str, bool, Look)] = &[
    ("admission::look_up", false, |tx, who| {
        Box::pin(async move {
            let to = phone("+15125550123");
            Ok(store::admission::look_up(tx, who, AgentId(id(3)), &to, None).await?.is_some())
        })
    }),
    ("agents::get", false, |tx, who| {
        Box::pin(async move { Ok(store::agents::get(tx, who, AgentId(id(3))).await?.is_some()) })
    }),
    ("agents::lock", false, |tx, who| {
        Box::pin(async move { Ok(store::agents::lock(tx, who, AgentId(id(3))).await?.is_some()) })
    }),
    ("agents::history", false, |tx, who| {
        Box::pin(async move {
            Ok(!store::agents::history(tx, who, AgentId(id(3)), None, 9).await?.rows.is_empty())
        })
    }),
    ("agents::version", false, |tx, who| {
        Box::pin(async move { Ok(store::agents::version(tx, who, AgentId(id(3)), 1).await?.is_some()) })
    }),
    ("agents::list", false, |tx, who| {
        Box::pin(async move {
            let all = store::agents::list(tx, who, None, &PAGE).await?.rows;
            let named = store::agents::list(tx, who, Some(OURS), &PAGE).await?.rows;
            Ok(all.len() + named.len() > 0)
        })
    }),
    ("agents::update", false, |tx, who| {
        Box::pin(async move {
            let mut changed = agent(3, OURS);
            changed.version = 2;
            let before = changed.config.clone();
            match store::agents::update(tx, who, &changed, &before, &Author::system().into()).await {
                Ok(()) => Ok(true),
                Err(StoreError::Conflict(_)) => Ok(false),
                Err(other) => Err(other),
            }
        })
    }),
    ("audit::list", false, |tx, who| {
        Box::pin(async move {
            let all = store::audit::list(tx, who, None, &AuditFilter::default(), &PAGE).await?.rows;
            let named = store::audit::list(tx, who, Some(OURS), &AuditFilter::default(), &PAGE).await?.rows;
            Ok(all.len() + named.len() > 0)
        })
    }),
    ("audit::audit", true, |tx, who| {
        Box::pin(async move {
            let question = Question {
                business_id: None,
                as_of: at(100),
                window_from: at(0),
                stalled_since: at(100),
                hot_score: 0,
            };
            let audit = store::leads::audit::audit(tx, who, question).await?;
            let named = Question { business_id: Some(OURS), ..question };
            let narrowed = store::leads::audit::audit(tx, who, named).await?;
            Ok(audit != Audit::default() || narrowed != Audit::default())
        })
    }),
    ("history::of_lead", true, |tx, who| {
        Box::pin(async move {
            let whose = lead(4, OURS, Mode::Test);
            Ok(!store::leads::history::of_lead(tx, who, &whose, &PAGE).await?.rows.is_empty())
        })
    }),
    ("numbers::get", false, |tx, who| {
        Box::pin(async move { Ok(store::numbers::get(tx, who, &phone("+15125550107")).await?.is_some()) })
    }),
    ("businesses::get", false, |tx, who| {
        Box::pin(async move { Ok(store::businesses::get(tx, who, OURS).await?.is_some()) })
    }),
    ("businesses::lock", false, |tx, who| {
        Box::pin(async move { Ok(store::businesses::lock(tx, who, OURS).await?.is_some()) })
    }),
    ("businesses::change", false, |tx, who| {
        Box::pin(async move { store::businesses::change(tx, who, &business(OURS)).await })
    }),
    ("call_deliveries::of_call", true, |tx, who| {
        Box::pin(
            async move { Ok(!store::call_deliveries::of_call(tx, who, CallId(id(5))).await?.is_empty()) },
        )
    }),
    ("call_log::since", true, |tx, who| {
        Box::pin(async move {
            let lines: Vec<LogRow> = store::call_log::since(tx, who, CallId(id(5)), 0, 10).await?;
            Ok(!lines.is_empty())
        })
    }),
    ("call_log::last_said", true, |tx, who| {
        Box::pin(async move { Ok(store::call_log::last_said(tx, who, CallId(id(5))).await?.is_some()) })
    }),
    ("call_log::measured", true, |tx, who| {
        Box::pin(
            async move { Ok(!store::call_log::measured(tx, who, CallId(id(5))).await?.turns.is_empty()) },
        )
    }),
    ("call_remarks::of_call", true, |tx, who| {
        Box::pin(async move { Ok(store::call_remarks::of_call(tx, who, CallId(id(5))).await?.is_some()) })
    }),
    ("call_search::search", true, |tx, who| {
        Box::pin(
            async move { Ok(!store::call_search::search(tx, who, "hello", None).await?.found.is_empty()) },
        )
    }),
    ("calls::get", true, |tx, who| {
        Box::pin(async move { Ok(store::calls::get(tx, who, CallId(id(5))).await?.is_some()) })
    }),
    ("calls::by_name", true, |tx, who| {
        Box::pin(async move {
            let by_id = store::calls::by_name(tx, who, &CallId(id(5)).to_string()).await?;
            let by_conversation = store::calls::by_name(tx, who, "theirs").await?;
            Ok(by_id.is_some() || by_conversation.is_some())
        })
    }),
    ("calls::list", true, |tx, who| {
        Box::pin(async move {
            let mut seen = 0;
            for filter in every_call_filter() {
                seen += store::calls::list(tx, who, &filter, &PAGE).await?.rows.len();
            }
            Ok(seen > 0)
        })
    }),
    ("calls::list_in_brief", true, |tx, who| {
        Box::pin(async move {
            let mut seen = 0;
            for filter in every_call_filter() {
                seen += store::calls::list_in_brief(tx, who, &filter, &PAGE).await?.rows.len();
            }
            Ok(seen > 0)
        })
    }),
    ("calls::count_running", true, |tx, who| {
        Box::pin(async move { Ok(store::calls::count_running(tx, who).await? > 0) })
    }),
    ("calls::attempts", true, |tx, who| {
        Box::pin(async move {
            let to = phone("+15125550123");
            Ok(!store::calls::attempts(tx, who, OURS, &to, at(0), None).await?.is_empty())
        })
    }),
    ("consents::of_number", true, |tx, who| {
        Box::pin(async move {
            let to = phone("+15125550123");
            Ok(store::consents::of_number(tx, who, OURS, &to).await?.is_some())
        })
    }),
    ("consents::list", true, |tx, who| {
        Box::pin(async move {
            let all = store::consents::list(tx, who, None, None, &PAGE).await?.rows;
            let named = store::consents::list(tx, who, Some(OURS), None, &PAGE).await?.rows;
            Ok(all.len() + named.len() > 0)
        })
    }),
    ("spending::of_day", true, |tx, who| {
        Box::pin(async move {
            let spent = store::spending::of_day(tx, who, OURS, day(), None).await?;
            Ok(spent.iter().any(|one| one.spent_cents == 25))
        })
    }),
    ("calls::count_waiting", true, |tx, who| {
        Box::pin(async move { Ok(store::calls::count_waiting(tx, who).await? > 0) })
    }),
    ("deliveries::of_own_event", true, |tx, who| {
        Box::pin(
            async move { Ok(!store::deliveries::of_own_event(tx, who, EventId(id(41))).await?.is_empty()) },
        )
    }),
    ("deliveries::failed_at", true, |tx, who| {
        Box::pin(async move {
            Ok(!store::deliveries::failed_at(tx, who, EndpointId(id(51)), 10).await?.is_empty())
        })
    }),
    ("deliveries::attempts", true, |tx, who| {
        Box::pin(async move {
            let mut seen = 0;
            let (event, endpoint) = (EventId(id(41)), EndpointId(id(51)));
            for filter in [
                AttemptFilter::default(),
                AttemptFilter { business_id: Some(OURS), ..AttemptFilter::default() },
                AttemptFilter { event_id: Some(event), ..AttemptFilter::default() },
                AttemptFilter { endpoint_id: Some(endpoint), ..AttemptFilter::default() },
                AttemptFilter { succeeded: Some(false), ..AttemptFilter::default() },
            ] {
                seen += store::deliveries::attempts(tx, who, &filter, &PAGE).await?.rows.len();
            }
            Ok(seen > 0)
        })
    }),
    ("endpoints::count", true, |tx, who| {
        Box::pin(async move { Ok(store::endpoints::count(tx, who, OURS).await? > 0) })
    }),
    ("endpoints::list", true, |tx, who| {
        Box::pin(async move {
            let all = store::endpoints::list(tx, who, None, &PAGE).await?.rows;
            let named = store::endpoints::list(tx, who, Some(OURS), &PAGE).await?.rows;
            Ok(all.len() + named.len() > 0)
        })
    }),
    ("endpoints::get", true, |tx, who| {
        Box::pin(async move { Ok(store::endpoints::get(tx, who, EndpointId(id(51))).await?.is_some()) })
    }),
    ("endpoints::lock", true, |tx, who| {
        Box::pin(async move { Ok(store::endpoints::lock(tx, who, EndpointId(id(51))).await?.is_some()) })
    }),
    ("endpoints::remove", true, |tx, who| {
        Box::pin(async move { store::endpoints::remove(tx, who, EndpointId(id(51)), at(99)).await })
    }),
    ("endpoints::remove_all", true, |tx, who| {
        Box::pin(async move { Ok(store::endpoints::remove_all(tx, who, OURS, at(99)).await? > 0) })
    }),
    ("events::with_ids", true, |tx, who| {
        Box::pin(async move { Ok(!store::events::with_ids(tx, who, &[EventId(id(41))]).await?.is_empty()) })
    }),
    ("events::list", true, |tx, who| {
        Box::pin(async move {
            let mut seen = 0;
            for filter in event_filters() {
                seen += store::events::list(tx, who, &filter, &PAGE).await?.rows.len();
            }
            Ok(seen > 0)
        })
    }),
    ("events::list_forwards", true, |tx, who| {
        Box::pin(async move {
            let mut seen = 0;
            for filter in event_filters() {
                seen += store::events::list_forwards(tx, who, &filter, &PAGE).await?.rows.len();
            }
            Ok(seen > 0)
        })
    }),
    ("leads::get", true, |tx, who| {
        Box::pin(async move { Ok(store::leads::get(tx, who, LeadId(id(4))).await?.is_some()) })
    }),
    ("leads::lock", true, |tx, who| {
        Box::pin(async move { Ok(store::leads::lock(tx, who, LeadId(id(4))).await?.is_some()) })
    }),
    ("leads::by_phone", true, |tx, who| {
        Box::pin(async move { Ok(store::leads::by_phone(tx, who, &phone("+15125550123")).await?.is_some()) })
    }),
    ("leads::by_email", true, |tx, who| {
        Box::pin(async move { Ok(store::leads::by_email(tx, who, "maria@example.com").await?.is_some()) })
    }),
    ("leads::list", true, |tx, who| {
        Box::pin(async move {
            let mut seen = 0;
            for filter in [
                LeadFilter::default(),
                LeadFilter { business_id: Some(OURS), ..LeadFilter::default() },
                LeadFilter { status: vec!["new".into()], ..LeadFilter::default() },
                LeadFilter { source: vec!["api".into()], ..LeadFilter::default() },
                LeadFilter { email: Some("maria@example.com".into()), ..LeadFilter::default() },
                LeadFilter { score_gte: Some(70), ..LeadFilter::default() },
                LeadFilter { updated_after: Some(at(0)), ..LeadFilter::default() },
            ] {
                seen += store::leads::list(tx, who, &filter, &PAGE).await?.rows.len();
            }
            Ok(seen > 0)
        })
    }),
    ("numbers::list", false, |tx, who| {
        Box::pin(async move { Ok(!store::numbers::list(tx, who, Some(OURS), &PAGE).await?.rows.is_empty()) })
    }),
    ("numbers::of_agent", false, |tx, who| {
        Box::pin(async move { Ok(store::numbers::of_agent(tx, who, AgentId(id(3))).await?.is_some()) })
    }),
    ("numbers::count", false, |tx, who| {
        Box::pin(async move { Ok(store::numbers::count(tx, who, OURS).await? > 0) })
    }),
    ("overview::quarters", true, |tx, who| {
        Box::pin(async move { Ok(!store::overview::quarters(tx, who, at(0)).await?.is_empty()) })
    }),
    ("overview::leads", true, |tx, who| {
        Box::pin(async move { Ok(store::overview::leads(tx, who, at(0)).await?.0 > 0) })
    }),
    ("overview::deliveries_waiting", true, |tx, who| {
        Box::pin(async move { Ok(store::overview::deliveries_waiting(tx, who).await? > 0) })
    }),
    ("transcripts::get", true, |tx, who| {
        Box::pin(async move { Ok(store::transcripts::get(tx, who, CallId(id(5))).await?.is_some()) })
    }),
    ("transcripts::exists", true, |tx, who| {
        Box::pin(async move { store::transcripts::exists(tx, who, CallId(id(5))).await })
    }),
    ("transcripts::list", true, |tx, who| {
        Box::pin(async move {
            let mut seen = 0;
            for filter in [
                TranscriptFilter::default(),
                TranscriptFilter { business_id: Some(OURS), ..TranscriptFilter::default() },
                TranscriptFilter { agent_id: Some(AgentId(id(3))), ..TranscriptFilter::default() },
                TranscriptFilter { call_id: Some(CallId(id(5))), ..TranscriptFilter::default() },
            ] {
                seen += store::transcripts::list(tx, who, &filter, &PAGE).await?.rows.len();
            }
            Ok(seen > 0)
        })
    }),
    ("usage::list", true, |tx, who| {
        Box::pin(async move {
            let owner = UsageOwner::Business(OURS);
            Ok(!store::usage::list(tx, who, owner, None, None, &PAGE).await?.rows.is_empty())
        })
    }),
    ("usage::talked_in", true, |tx, who| {
        Box::pin(
            async move { Ok(!store::usage::talked_in(tx, who, OURS, Month::of(at(5))).await?.is_zero()) },
        )
    }),
    ("workspaces::get", false, |tx, who| {
        Box::pin(async move { Ok(store::workspaces::get(tx, who, OURS).await?.is_some()) })
    }),
    ("workspaces::lock", false, |tx, who| {
        Box::pin(async move { Ok(store::workspaces::lock(tx, who, OURS).await?.is_some()) })
    }),
    ("workspaces::change", false, |tx, who| {
        Box::pin(async move {
            let changed = Workspace {
                business: business(OURS),
                external_ref: None,
                metadata: Metadata::new(),
                updated_at: at(7),
            };
            store::workspaces::change(tx, who, UserId(id(21)), &changed).await
        })
    }),
    ("workspaces::all", false, |tx, who| {
        Box::pin(async move {
            let all = store::workspaces::all(tx, who).await?;
            Ok(all.iter().any(|workspace| workspace.business.id == OURS))
        })
    }),
];

fn day() -> Day {
    Day::of(at(5), "UTC")
}

/// One filter for each way to events.
fn event_filters() -> [EventFilter; 6] {
    let none = EventFilter::default;
    [
        none(),
        EventFilter { business_id: Some(OURS), ..none() },
        EventFilter { id: Some(EventId(id(41))), ..none() },
        EventFilter { object_id: Some(id(5)), ..none() },
        EventFilter { kinds: vec![domain::event::EventType::CallCompleted], ..none() },
        EventFilter { status: Some(store::events::EventStatus::Pending), ..none() },
    ]
}

/// Stores something of everything for `OURS` in test mode: a call that waits and one that was dialled, with all that follows them.
async fn furnish(tx: &mut PlatformTx, vault: &store::Vault) -> Result<(), StoreError> {
    let mode = Mode::Test;
    store::agents::insert(tx, &agent(3, OURS), &Author::system()).await?;
    store::numbers::insert(tx, &number(7, "+15125550107", OURS, 3)).await?;
    store::leads::insert(tx, &lead(4, OURS, mode)).await?;
    let change = LeadChange {
        id: LeadChangeId(id(91)),
        lead_id: LeadId(id(4)),
        business_id: OURS,
        mode,
        kind: Happening::Created,
        by: Author::system(),
        call_id: None,
        changes: Vec::new(),
        created_at: at(4),
    };
    store::leads::history::note(tx, &change).await?;
    let noted = AuditRow {
        id: AuditId(id(92)),
        business_id: Some(OURS),
        actor: Actor::system(),
        deed: Deed::new(Action::AgentCreated, Target::unknown(TargetKind::Agent)),
        created_at: at(4),
    };
    store::audit::insert(tx, &noted).await?;
    let mut dialled = call(5, OURS, mode);
    assert!(dialled.dial(domain::NodeId(id(1))));
    dialled.name("theirs");
    dialled.belong_to(LeadId(id(4)));
    store::calls::insert(tx, &dialled).await?;
    store::calls::insert(tx, &call(6, OURS, mode)).await?;
    let said = Utterance {
        by: Party::Caller,
        text: "Hello".into(),
        start: Duration::ZERO,
        end: Duration::from_millis(900),
        interrupted: false,
    };
    let line = LogEntry { at: at(5), line: LogLine::Said(said.clone()) };
    let turn = LogEntry { at: at(6), line: LogLine::Turn(Box::default()) };
    store::call_log::begin(tx, dialled.id, &[line, turn]).await?;
    let transcript = transcript(&dialled, "Caller: Hello", vec![said]);
    store::transcripts::insert(tx, &transcript).await?;
    for number in [51, 52] {
        let subscription = endpoint(number, OURS, mode);
        store::endpoints::insert(tx, vault, &subscription, "whsec_first", &[9; 24]).await?;
    }
    let told = event(41, OURS, mode, Subject::Call(dialled.id));
    store::events::insert(tx, &told, EventOutcome::Failed).await?;
    let mut lost = delivery(61, 41, OURS, Some(51));
    (lost.state, lost.attempts) = (DeliveryState::Failed, 1);
    store::deliveries::insert(tx, &lost).await?;
    store::deliveries::insert_attempt(tx, &attempt(71, &lost, 1, Some(500)), &addressee(&lost, mode)).await?;
    let waiting = delivery(62, 41, OURS, None);
    store::deliveries::insert(tx, &waiting).await?;
    let job = NewJob { subject: waiting.id.0, ..new_job(81, JobKind::Deliver, 0) };
    store::jobs::add(tx, &job).await?;
    let remark = Remark {
        call_id: CallId(id(5)),
        business_id: OURS,
        mode,
        note: "She calls back.".into(),
        tags: vec!["vip".into()],
        written_by: "ada@example.com".into(),
        written_at: at(6),
    };
    store::call_remarks::put(tx, &remark).await?;
    let used = UsageRow {
        endpoint: "/v1/calls".into(),
        method: "POST".into(),
        status_code: 201,
        call_id: Some(dialled.id),
        created_at: at(5),
        ..request(91, 21, Some(OURS), mode)
    };
    store::usage::insert_batch(tx, &[used]).await?;
    let mut costly = call(6, OURS, mode);
    costly.reserve(day(), 30);
    store::spending::add(tx, &costly, 25).await?;
    let consent = ConsentRecord {
        id: ConsentId(id(95)),
        business_id: OURS,
        mode,
        phone_number: phone("+15125550123"),
        lead_id: None,
        is_given: true,
        source: "web form".into(),
        evidence: None,
        said_at: at(3),
        created_at: at(4),
    };
    store::consents::insert(tx, &consent).await?;
    store::usage::add_talked(tx, OURS, mode, Month::of(at(5)), Duration::from_secs(9)).await
}

/// Each filter of calls with and without what the furnished call has.
fn every_call_filter() -> Vec<store::calls::CallFilter> {
    let mut filters = vec![store::calls::CallFilter::default()];
    for narrow in [
        (|filter| filter.lead_id = Some(LeadId(id(4)))) as fn(&mut store::calls::CallFilter),
        |filter| filter.agent_id = Some(AgentId(id(3))),
        |filter| filter.business_id = Some(OURS),
        |filter| filter.statuses = Some(vec!["dialing"]),
    ] {
        let mut narrowed = filters.clone();
        narrowed.iter_mut().for_each(narrow);
        filters.extend(narrowed);
    }
    filters
}

#[tokio::test]
async fn whoever_asks_sees_their_own_and_nothing_of_anybody_else() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        let vault = platform.vault().clone();
        run(&platform, move |tx| Box::pin(async move { furnish(tx, &vault).await })).await;
        let strangers = [
            ("another business", Tenancy::one(THEIRS, Mode::Test), true),
            ("another business in live mode", Tenancy::one(THEIRS, Mode::Live), true),
            ("somebody without a business", Tenancy::new(Vec::new(), Mode::Test), true),
            ("the same business in live mode", ours(Mode::Live), false),
        ];
        for (who, tenancy, is_stranger) in strangers {
            for &(name, has_modes, look) in LOOKS {
                if is_stranger || has_modes {
                    let tenancy = tenancy.clone();
                    let seen =
                        run(&platform, move |tx| Box::pin(async move { look(tx, &tenancy).await })).await;
                    assert!(!seen, "{}: {who} sees or changes something by {name}", database.kind);
                }
            }
        }
        let owners = [ours(Mode::Test), Tenancy::new(vec![THEIRS, OURS], Mode::Test)];
        for (number, tenancy) in owners.into_iter().enumerate() {
            // What only the first of two can do.
            let once = ["agents::update", "endpoints::remove"];
            let of_subscription = |name: &str| name.starts_with("endpoints::");
            for &(name, _, look) in LOOKS {
                if number == 1 && (once.contains(&name) || of_subscription(name)) {
                    continue;
                }
                let tenancy = tenancy.clone();
                let seen = run(&platform, move |tx| Box::pin(async move { look(tx, &tenancy).await })).await;
                assert!(seen, "{}: the owner is shown nothing by {name}", database.kind);
            }
        }
    }
}

/// The functions of the crate that take a tenancy, as `file::function`.
fn functions_with_a_tenancy() -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = BTreeSet::new();
    let mut paths: Vec<_> = [folder.clone(), folder.join("leads")].iter().flat_map(sources).collect();
    paths.sort();
    for path in paths {
        let Some(stem) = path.file_stem().and_then(|stem| stem.to_str()) else { continue };
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        for function in text.split("\npub async fn ").skip(1) {
            let (name, rest) = function.split_once('(').expect("a function has arguments");
            let (signature, _) = rest.split_once(" {\n").expect("a function has a body");
            if signature.contains("&Tenancy") {
                found.insert(format!("{stem}::{name}"));
            }
        }
    }
    found
}

fn sources(folder: &std::path::PathBuf) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).expect("the crate has sources");
    entries.map(|entry| entry.expect("a readable folder").path()).collect()
}

#[test]
fn every_function_that_takes_a_tenancy_is_looked_through() {
    let tried: BTreeSet<String> = LOOKS.iter().map(|(name, ..)| (*name).to_owned()).collect();
    assert_eq!(tried, functions_with_a_tenancy());
}

#[tokio::test]
async fn a_list_that_is_narrowed_to_somebody_elses_business_is_empty() {
    let both = Tenancy::new(vec![OURS, THEIRS], Mode::Test);
    assert_eq!(both.narrowed(OURS), Some(ours(Mode::Test)));
    assert_eq!(ours(Mode::Test).narrowed(THEIRS), None);
    for database in databases().await {
        let platform = with_tenants(&database).await;
        run(&platform, move |tx| {
            Box::pin(async move {
                store::agents::insert(tx, &agent(3, OURS), &Author::system()).await?;
                store::agents::insert(tx, &agent(4, THEIRS), &Author::system()).await?;
                for (who, only, count) in [
                    (Tenancy::new(vec![OURS, THEIRS], Mode::Test), None, 2),
                    (Tenancy::new(vec![OURS, THEIRS], Mode::Test), Some(THEIRS), 1),
                    (ours(Mode::Test), Some(THEIRS), 0),
                    (ours(Mode::Test), None, 1),
                ] {
                    let page = Page { limit: 10, after: None };
                    let listed = store::agents::list(tx, &who, only, &page).await?.rows;
                    assert_eq!(listed.len(), count, "{who:?} {only:?}");
                }
                Ok(())
            })
        })
        .await;
    }
}
