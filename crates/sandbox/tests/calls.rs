//! Whole sandbox calls through the engine port, with a model that says a few fixed things.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use domain::agent::{AgentConfig, Answering, OnMenu, OnScreener, OnVoicemail};
use domain::business::{Business, Limits};
use domain::call::{
    Call, CallFacts, CallPlan, CallRequest, Direction, Ending, FailureCode, Party, Progress, Report,
};
use domain::disclosure::{Disclosure, Disclosures};
use domain::engine::{CallEngine, CallObserver, Fate, Inquiry, NotHeard, Opposite, PlaceError, Written};
use domain::prompt::{Knowledge, variables};
use domain::{AgentId, BusinessId, CallId, E164, LanguageTag, Mode};
use futures_util::stream;
use sandbox::{BUILT_IN, Directory, Pace, SandboxEngine, SandboxSettings, Scenario};
use speech::{Chat, Delta, DeltaStream, FinishReason, LanguageModel, Role, SpeechError, ToolCall};
use tokio::sync::Notify;
use uuid::Uuid;

/// Asks two questions and says goodbye.
struct ThreeLines;

#[async_trait]
impl LanguageModel for ThreeLines {
    fn name(&self) -> &'static str {
        "three-lines"
    }

    async fn reply(&self, chat: Chat) -> Result<DeltaStream, SpeechError> {
        let turns = chat.messages.iter().filter(|message| message.role == Role::User).count();
        let (text, ends) = match turns {
            1 => ("Thank you for taking the call. What can we help you with today?", false),
            2 => ("I understand, and somebody will call you back. May I have your email address?", false),
            _ => ("Thank you for your time. Goodbye.", true),
        };
        let mut deltas = vec![Ok(Delta::Text(text.to_owned()))];
        if ends {
            let arguments = serde_json::json!({});
            deltas.push(Ok(Delta::ToolCall(ToolCall { id: "1".into(), name: "end_call".into(), arguments })));
        }
        deltas.push(Ok(Delta::Finished(FinishReason::Stop)));
        Ok(Box::pin(stream::iter(deltas)))
    }
}

/// Keeps every report and says when the call is over.
#[derive(Default)]
struct Notebook {
    reports: Mutex<Vec<Report>>,
    over: Notify,
}

#[async_trait]
impl CallObserver for Notebook {
    async fn report(&self, report: Report) {
        let ended = matches!(report.progress, Progress::Ended { .. });
        self.reports.lock().expect("no test panics while it holds the notebook").push(report);
        if ended {
            self.over.notify_one();
        }
    }
}

fn engine(settings: SandboxSettings) -> SandboxEngine {
    SandboxEngine::new(Directory::built_in(), Arc::new(ThreeLines), None, settings)
}

fn plan(to: &str) -> CallPlan {
    let now = "2026-03-02T15:00:00Z".parse().expect("a timestamp");
    let business = Business {
        id: BusinessId(Uuid::from_u128(1)),
        name: "Smith & Partners".into(),
        phone: Some(E164::parse("+15125550100").expect("a number")),
        timezone: "America/Chicago".into(),
        country_calling_code: "1".into(),
        disclosures: Disclosures::default(),
        limits: Limits::default(),
        created_at: now,
    };
    CallPlan {
        call_id: CallId(Uuid::from_u128(7)),
        business_id: business.id,
        mode: Mode::Test,
        direction: Direction::Outbound,
        to: E164::parse(to).expect("a number"),
        from: None,
        agent_id: AgentId(Uuid::from_u128(2)),
        external_agent_id: None,
        disclosures: Vec::new(),
        is_recorded: false,
        agent: AgentConfig::default(),
        given_first_message: None,
        instructions: "Be kind.".into(),
        first_message: "Hello, this is the office of Smith and Partners calling about your request.".into(),
        context: None,
        variables: variables(&Knowledge { lead: None, name: None, business: &business, now }),
        max_duration: Duration::from_secs(120),
        now,
    }
}

async fn call(to: &str) -> Vec<Report> {
    call_of(plan(to)).await
}

async fn call_of(plan: CallPlan) -> Vec<Report> {
    let notebook = Arc::new(Notebook::default());
    let engine = engine(SandboxSettings::default());
    engine.place(plan, Arc::clone(&notebook) as Arc<dyn CallObserver>).await.expect("accepted");
    notebook.over.notified().await;
    let reports = notebook.reports.lock().expect("no test panics while it holds the notebook");
    reports.clone()
}

fn end(reports: &[Report]) -> (Result<Duration, FailureCode>, &str) {
    let ends: Vec<_> = reports
        .iter()
        .filter_map(|report| match &report.progress {
            Progress::Ended { ending: Ending::Talked { talked, .. }, reason } => {
                Some((Ok(talked.expect("the sandbox knows")), reason.as_str()))
            }
            Progress::Ended { ending: Ending::Failed(code), reason } => Some((Err(*code), reason.as_str())),
            _ => None,
        })
        .collect();
    assert_eq!(ends.len(), 1, "a call ends once");
    ends[0]
}

fn lines(reports: &[Report], by: Party) -> Vec<&str> {
    reports
        .iter()
        .filter_map(|report| match &report.progress {
            Progress::Said(said) if said.by == by => Some(said.text.as_str()),
            _ => None,
        })
        .collect()
}

fn notes(reports: &[Report]) -> Vec<&str> {
    reports
        .iter()
        .filter_map(|report| match &report.progress {
            Progress::Noted { kind, .. } => Some(kind.as_str()),
            _ => None,
        })
        .collect()
}

#[tokio::test]
async fn numbers_that_nobody_answers_fail_with_their_cause() {
    for (number, code) in [
        ("+15005550002", FailureCode::CarrierError),
        ("+15005550003", FailureCode::Busy),
        ("+15005550004", FailureCode::NoAnswer),
        ("+15005550005", FailureCode::Declined),
        ("+15005550018", FailureCode::InvalidNumber),
    ] {
        assert_eq!(end(&call(number).await).0, Err(code), "{number}");
    }
}

#[tokio::test]
async fn a_number_that_does_not_exist_is_refused_at_once() {
    let engine = engine(SandboxSettings::default());
    let refused = engine.place(plan("+15005550001"), Arc::new(Notebook::default())).await;
    assert!(
        matches!(refused, Err(PlaceError::Refused { code: FailureCode::InvalidNumber, .. })),
        "{refused:?}"
    );
}

#[tokio::test]
async fn the_friendly_caller_talks_to_the_end_and_answers_at_every_other_number() {
    for number in ["+15005550006", "+15125551234"] {
        let reports = call(number).await;
        assert_eq!(end(&reports).1, "agent-said-goodbye");
        assert!(lines(&reports, Party::Caller).len() >= 3, "{:?}", lines(&reports, Party::Caller));
    }
}

#[tokio::test]
async fn an_answering_machine_gets_a_message_after_the_beep() {
    let reports = call("+15005550008").await;
    assert_eq!(end(&reports).1, "voicemail");
    assert!(notes(&reports).contains(&"voicemail"));
    let message = lines(&reports, Party::Agent);
    assert!(
        message.last().is_some_and(|text| text.contains("call us back at 5 1 2, 5 5 5, 0 1 0 0")),
        "{message:?}"
    );
}

#[tokio::test]
async fn an_answering_machine_without_a_beep_gets_its_message_too() {
    let reports = call("+15005550015").await;
    assert_eq!(end(&reports).1, "voicemail");
    assert_eq!(lines(&reports, Party::Agent).len(), 1);
}

#[tokio::test]
async fn a_menu_is_waited_out_in_silence_until_a_person_speaks() {
    let reports = call("+15005550016").await;
    let said = reports.iter().filter_map(|report| match &report.progress {
        Progress::Said(said) => Some(said),
        _ => None,
    });
    let first = said.clone().position(|said| said.by == Party::Agent).expect("the agent speaks");
    let person = said.clone().position(|said| said.text.contains("Robin")).expect("a person comes");
    assert!(first > person, "{:?}", said.map(|said| &said.text).collect::<Vec<_>>());
    assert!(notes(&reports).contains(&"menu"));
}

#[tokio::test]
async fn a_number_that_is_not_in_service_is_not_talked_to() {
    let reports = call("+15005550017").await;
    assert_eq!(end(&reports).1, "number-not-in-service");
    assert!(end(&reports).0.is_ok(), "it was answered");
    assert!(lines(&reports, Party::Agent).is_empty());
    assert!(notes(&reports).contains(&"intercept"));
}

#[tokio::test]
async fn a_number_that_is_announced_as_dead_before_the_answer_never_connects() {
    let reports = call("+15005550018").await;
    assert_eq!(end(&reports), (Err(FailureCode::InvalidNumber), "number-not-in-service"));
    assert!(!reports.iter().any(|report| report.progress == Progress::Answered));
}

#[tokio::test]
async fn music_is_waited_out_and_a_person_who_got_a_voicemail_is_a_person() {
    let music = call("+15005550019").await;
    assert!(notes(&music).contains(&"hold"));
    let first = lines(&music, Party::Caller).iter().position(|text| text.contains("Jamie"));
    assert_eq!(
        first,
        Some(2),
        "the agent was silent until a person spoke: {:?}",
        lines(&music, Party::Caller)
    );
    for number in ["+15005550019", "+15005550020"] {
        let reports = call(number).await;
        assert!(is_farewell(end(&reports).1), "{number}: {}", end(&reports).1);
        assert!(!notes(&reports).contains(&"voicemail"), "{number}");
    }
}

/// True of an end by somebody who has said goodbye.
fn is_farewell(reason: &str) -> bool {
    ["agent-said-goodbye", "caller-hung-up"].contains(&reason)
}

#[tokio::test]
async fn every_machine_is_treated_as_the_agent_is_told_to() {
    let answered_by = async |number: &str, answering: Answering| {
        let mut plan = plan(number);
        plan.agent.answering = answering;
        let reports = call_of(plan).await;
        let reason = end(&reports).1;
        let reason = if is_farewell(reason) { "a farewell" } else { reason };
        (reason.to_owned(), lines(&reports, Party::Agent).len())
    };
    let default = Answering::default();
    let silent =
        Answering { voicemail: OnVoicemail::HangUp, screener: OnScreener::HangUp, menu: OnMenu::HangUp };
    for (number, answering, reason, speaks) in [
        ("+15005550008", default, "voicemail", true),
        ("+15005550008", silent, "voicemail", false),
        ("+15005550015", default, "voicemail", true),
        ("+15005550015", silent, "voicemail", false),
        ("+15005550009", default, "a farewell", true),
        ("+15005550009", silent, "screener", false),
        ("+15005550016", default, "a farewell", true),
        ("+15005550016", silent, "menu", false),
        ("+15005550019", default, "a farewell", true),
        ("+15005550019", silent, "on-hold", false),
        ("+15005550017", silent, "number-not-in-service", false),
        ("+15005550020", silent, "a farewell", true),
    ] {
        let (ended, turns) = answered_by(number, answering).await;
        assert_eq!((ended.as_str(), turns > 0), (reason, speaks), "{number} {answering:?}");
    }
}

#[tokio::test]
async fn machines_hear_who_calls_and_why_in_the_language_of_the_agent() {
    let mut english = plan("+15005550009");
    english.context = Some("Following up on the roof estimate".into());
    let said = call_of(english.clone()).await;
    let said = lines(&said, Party::Agent)[0].to_owned();
    assert_eq!(said, "This is the assistant of Smith & Partners. I'm calling about the roof estimate.");
    english.to = E164::parse("+15005550008").expect("a number");
    let said = call_of(english.clone()).await;
    let said = lines(&said, Party::Agent)[0].to_owned();
    assert!(
        said.contains("I'm calling about the roof estimate. Please call us back at 5 1 2, 5 5 5, 0 1 0 0."),
        "{said}"
    );

    let mut secret = english;
    secret.context = Some("He owes us money, do not mention it".into());
    let said = call_of(secret.clone()).await;
    assert!(!lines(&said, Party::Agent)[0].contains("money"));

    let mut spanish = secret;
    spanish.agent.languages = vec![LanguageTag::parse("es-MX").expect("a tag")];
    spanish.disclosures = vec![Disclosure::Ai, Disclosure::Recording];
    let said = call_of(spanish).await;
    let said = lines(&said, Party::Agent)[0].to_owned();
    assert!(
        said.starts_with("Está hablando con un asistente") && said.ends_with("0 1 0 0. Adiós."),
        "{said}"
    );
    assert!(!said.contains("graba"), "a machine is not told that it is recorded: {said}");
}

#[tokio::test]
async fn a_screener_is_told_who_is_calling() {
    let reports = call("+15005550009").await;
    assert!(notes(&reports).contains(&"screener"));
    let said = lines(&reports, Party::Agent);
    assert!(said.iter().any(|text| text.contains("assistant of Smith & Partners")), "{said:?}");
    assert!(lines(&reports, Party::Caller).iter().any(|text| text.contains("Alex Chen")));
}

#[tokio::test]
async fn a_silent_line_is_asked_and_then_given_up() {
    let reports = call("+15005550010").await;
    assert_eq!(end(&reports).1, "silence");
    assert_eq!(notes(&reports), ["silence_prompt", "silence_prompt"]);
}

#[tokio::test]
async fn the_caller_of_0011_is_gone_at_second_seven() {
    assert_eq!(end(&call("+15005550011").await), (Ok(Duration::from_secs(7)), "caller-hung-up"));
}

#[tokio::test]
async fn an_interrupted_agent_yields_and_only_what_was_heard_counts_as_said() {
    let reports = call("+15005550012").await;
    assert!(notes(&reports).contains(&"barge_in"), "{:?}", notes(&reports));
    let cut = reports.iter().find_map(|report| match &report.progress {
        Progress::Said(said) if said.by == Party::Agent && said.interrupted => Some(said.text.clone()),
        _ => None,
    });
    let whole = "Hello, this is the office of Smith and Partners calling about your request.";
    assert!(cut.is_some_and(|cut| cut.len() < whole.len()));
}

#[tokio::test]
async fn the_same_call_goes_the_same_way_every_time() {
    for number in ["+15005550006", "+15005550007", "+15005550012", "+15005550013"] {
        assert_eq!(call(number).await, call(number).await, "{number}");
    }
}

/// The call that a plan is for, as the platform keeps it.
fn stored(plan: &CallPlan) -> Call {
    let facts = CallFacts {
        id: plan.call_id,
        business_id: plan.business_id,
        mode: plan.mode,
        agent_id: plan.agent_id,
        direction: plan.direction,
        to: plan.to.clone(),
        from: plan.from.clone(),
        request: CallRequest::default(),
        max_duration: plan.max_duration,
        engine: "sandbox".to_owned(),
        policy_reason: "allowed".to_owned(),
        created_at: plan.now,
    };
    Call::outbound(facts, None)
}

#[tokio::test]
async fn a_call_can_be_ended_from_outside_and_is_running_until_then() {
    let notebook = Arc::new(Notebook::default());
    let engine = engine(SandboxSettings { pace: Pace::Times(1.0), ..SandboxSettings::default() });
    let plan = plan("+15005550006");
    let id = plan.call_id;
    let call = stored(&plan);
    engine.place(plan, Arc::clone(&notebook) as Arc<dyn CallObserver>).await.expect("accepted");
    let inquiry = Inquiry { call: &call, waited: None, messages: &[] };
    assert!(matches!(engine.fate(inquiry).await, Ok(Fate::Running { .. })));
    engine.hang_up(id, None).await;
    notebook.over.notified().await;
    let reports = notebook.reports.lock().expect("no test panics while it holds the notebook").clone();
    assert_eq!(end(&reports).0, Err(FailureCode::Canceled));
}

#[test]
fn every_built_in_scenario_can_be_read_and_has_a_number_of_its_own() {
    let mut numbers = Vec::new();
    for built_in in BUILT_IN {
        numbers.extend(Scenario::parse(built_in.name, built_in.text).expect(built_in.name).numbers);
    }
    let expected: Vec<String> = (1..=20).map(|number| format!("{number:04}")).collect();
    assert_eq!(numbers, expected);
}

/// Waits until something is so.
async fn until(is_so: impl Fn() -> bool) {
    let waiting = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waiting).await.expect("it does not take so long");
}

/// Waits until the agent has said so much.
async fn agent_said(notebook: &Notebook, count: usize) {
    until(|| {
        let reports = notebook.reports.lock().expect("no test panics while it holds the notebook");
        lines(&reports, Party::Agent).len() >= count
    })
    .await;
}

#[tokio::test]
async fn who_writes_takes_turns_with_the_agent_while_time_stands_still() {
    let engine = engine(SandboxSettings { pace: Pace::Times(1.0), ..SandboxSettings::default() });
    let callers = engine.callers().expect("the sandbox plays callers");
    for direction in [Direction::Outbound, Direction::Inbound] {
        let notebook = Arc::new(Notebook::default());
        let observer = Arc::clone(&notebook) as Arc<dyn CallObserver>;
        let number = callers.writers_number(65_535);
        assert!(callers.is_writers(&number), "{number}");
        let plan = CallPlan { direction, from: Some(number.clone()), ..plan(number.as_str()) };
        let id = plan.call_id;
        match direction {
            Direction::Outbound => drop(engine.place(plan, observer).await.expect("accepted")),
            Direction::Inbound => callers.ring(plan, &Opposite::Writer, observer).await,
        }
        // The sandbox may be set to the pace of a real call; who writes does not wait for that.
        agent_said(&notebook, 1).await;
        write(callers, id, "I had an accident.").await;
        agent_said(&notebook, 2).await;
        write(callers, id, "Yes, of course.").await;
        agent_said(&notebook, 3).await;
        write(callers, id, "It is ada at example dot com.").await;
        notebook.over.notified().await;
        let reports = notebook.reports.lock().expect("no test panics while it holds the notebook").clone();
        assert_eq!(end(&reports).1, "agent-said-goodbye");
        let said = lines(&reports, Party::Caller);
        assert_eq!(said[..2], ["I had an accident.", "Yes, of course."], "{said:?}");
        let asked = lines(&reports, Party::Agent);
        assert!(!asked.iter().any(|text| text.contains("still there")), "{asked:?}");
        // Its place among the running calls goes a moment after its end was told.
        until(|| callers.write(id, Written::Words("Hello?".into())) == Err(NotHeard::NoSuchTalk)).await;
    }
}

async fn write(callers: &dyn domain::engine::PlayedCallers, id: CallId, words: &str) {
    while callers.write(id, Written::Words(words.to_owned())) == Err(NotHeard::NotYet) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn who_writes_nothing_for_ten_minutes_has_hung_up_and_who_hangs_up_is_gone() {
    let engine = engine(SandboxSettings::default());
    let callers = engine.callers().expect("the sandbox plays callers");
    for written in [None, Some(Written::HangUp)] {
        let notebook = Arc::new(Notebook::default());
        let observer = Arc::clone(&notebook) as Arc<dyn CallObserver>;
        let plan = plan(callers.writers_number(7).as_str());
        let id = plan.call_id;
        engine.place(plan, observer).await.expect("accepted");
        agent_said(&notebook, 1).await;
        let soon = tokio::time::timeout(Duration::from_mins(9), notebook.over.notified());
        if let Some(written) = written {
            assert_eq!(callers.write(id, written), Ok(()));
            soon.await.expect("who hangs up is gone at once");
        } else {
            soon.await.expect_err("there is time to think");
            let rest = tokio::time::timeout(Duration::from_mins(2), notebook.over.notified());
            rest.await.expect("who has gone away has hung up");
        }
        let reports = notebook.reports.lock().expect("no test panics while it holds the notebook").clone();
        assert_eq!(end(&reports).1, "caller-hung-up");
        until(|| callers.write(id, Written::HangUp) == Err(NotHeard::NoSuchTalk)).await;
    }
}

#[tokio::test]
async fn a_scenario_of_the_users_own_keeps_a_number_that_would_be_a_writers() {
    let callers = engine(SandboxSettings::default());
    let number = callers.callers().expect("callers").writers_number(12);
    assert_eq!(number.as_str(), "+15005570012");
    let folder = std::env::temp_dir().join(format!("kaicalls-writers-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let text = format!("description = 'x'\nnumbers = ['{number}']\noutcome = 'busy'\n");
    std::fs::write(folder.join("own.toml"), text).expect("a file");
    let directory = Directory::built_in().with_folder(&folder).expect("valid");
    std::fs::remove_dir_all(&folder).expect("it is there");
    let engine = SandboxEngine::new(directory, Arc::new(ThreeLines), None, SandboxSettings::default());
    assert!(!engine.callers().expect("callers").is_writers(&number));
    let notebook = Arc::new(Notebook::default());
    engine
        .place(plan(number.as_str()), Arc::clone(&notebook) as Arc<dyn CallObserver>)
        .await
        .expect("accepted");
    notebook.over.notified().await;
    let reports = notebook.reports.lock().expect("no test panics while it holds the notebook").clone();
    assert_eq!(end(&reports).0, Err(FailureCode::Busy));
}
