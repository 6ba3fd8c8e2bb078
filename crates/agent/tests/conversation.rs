//! A call of an engine that is nothing but text: the agent crate without any engine of ours.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use agent::Mind;
use async_trait::async_trait;
use conversation::{Conversation, Input, Output};
use domain::agent::AgentConfig;
use domain::business::{Business, Limits};
use domain::call::{CallPlan, Direction, Ending, Party, Progress};
use domain::disclosure::Disclosures;
use domain::prompt::{Knowledge, variables};
use domain::{AgentId, BusinessId, CallId, E164, LanguageTag, Mode, Timestamp};
use futures_util::{StreamExt as _, stream};
use serde_json::json;
use speech::{Chat, Delta, DeltaStream, FinishReason, LanguageModel, Role, SpeechError, ToolCall};
use uuid::Uuid;

/// What the model does when it is asked.
struct Answer {
    deltas: Vec<Delta>,
    then: Then,
}

/// How an answer ends.
enum Then {
    Finish,
    BreakOff,
}

/// Gives prepared answers and keeps what it was asked.
struct Scripted {
    answers: Mutex<VecDeque<Answer>>,
    asked: Mutex<Vec<Chat>>,
}

impl Scripted {
    fn new(answers: impl IntoIterator<Item = Answer>) -> Arc<Self> {
        let answers = Mutex::new(answers.into_iter().collect());
        Arc::new(Self { answers, asked: Mutex::default() })
    }

    fn asked(&self) -> Vec<Chat> {
        self.asked.lock().expect("no test panics while it holds the list").clone()
    }
}

#[async_trait]
impl LanguageModel for Scripted {
    fn name(&self) -> &'static str {
        "scripted"
    }

    async fn reply(&self, chat: Chat) -> Result<DeltaStream, SpeechError> {
        self.asked.lock().expect("no test panics while it holds the list").push(chat);
        let mut answers = self.answers.lock().expect("no test panics while it holds the answers");
        let Answer { deltas, then } =
            answers.pop_front().expect("the model is asked as often as the test expects");
        let last = match then {
            Then::Finish => Ok(Delta::Finished(FinishReason::Stop)),
            Then::BreakOff if deltas.is_empty() => return Err(weather()),
            Then::BreakOff => Err(weather()),
        };
        Ok(Box::pin(stream::iter(deltas.into_iter().map(Ok).chain([last]))))
    }
}

fn weather() -> SpeechError {
    SpeechError::Retry { after: None, reason: "no route".into() }
}

/// An answer of these words, and then of these tools with their ids.
fn answer(words: &[&str], tools: &[(&str, &str)]) -> Answer {
    let words = words.iter().map(|text| Delta::Text((*text).to_owned()));
    let call = |(id, name): &(&str, &str)| {
        Delta::ToolCall(ToolCall { id: (*id).into(), name: (*name).into(), arguments: json!({}) })
    };
    Answer { deltas: words.chain(tools.iter().map(call)).collect(), then: Then::Finish }
}

fn broken(words: &[&str]) -> Answer {
    Answer { then: Then::BreakOff, ..answer(words, &[]) }
}

fn now() -> Timestamp {
    "2026-03-02T15:00:00Z".parse().expect("a timestamp")
}

fn plan(direction: Direction) -> CallPlan {
    let business = Business {
        id: BusinessId(Uuid::from_u128(1)),
        name: "Smith & Partners".into(),
        phone: Some(E164::parse("+15125550100").expect("a number")),
        timezone: "America/Chicago".into(),
        country_calling_code: "1".into(),
        disclosures: Disclosures::default(),
        limits: Limits::default(),
        created_at: now(),
    };
    CallPlan {
        call_id: CallId(Uuid::from_u128(7)),
        business_id: business.id,
        mode: Mode::Test,
        direction,
        to: E164::parse("+15005550006").expect("a number"),
        from: None,
        agent_id: AgentId(Uuid::from_u128(2)),
        external_agent_id: None,
        disclosures: Vec::new(),
        is_recorded: false,
        agent: AgentConfig::default(),
        given_first_message: None,
        instructions: "Be kind.".into(),
        first_message: "Smith and Partners, hello.".into(),
        context: Some("Wants a consultation.".into()),
        variables: variables(&Knowledge { lead: None, name: Some("Maria"), business: &business, now: now() }),
        max_duration: Duration::from_secs(120),
        now: now(),
    }
}

/// An engine of text. Its words take no time; its clock moves to whatever the conversation waits for.
struct TextLine {
    mind: Mind,
    talk: Conversation,
    now: Duration,
    caller: VecDeque<&'static str>,
    told: Vec<Progress>,
}

impl TextLine {
    fn new(plan: &CallPlan, model: &Arc<Scripted>, caller: &[&'static str]) -> Self {
        let model: Arc<dyn LanguageModel> = Arc::clone(model) as _;
        let mut line = Self {
            mind: Mind::new(model, plan),
            talk: Conversation::new(agent::settings(plan)),
            now: Duration::ZERO,
            caller: caller.iter().copied().collect(),
            told: Vec::new(),
        };
        line.tell(Input::Answered);
        line
    }

    /// Holds the call to its end and gives what the platform was told.
    async fn hold(mut self) -> Vec<Progress> {
        loop {
            match self.talk.poll() {
                Output::StartReply { reply, history } => {
                    let mut facts = self.mind.reply(reply, history);
                    while let Some(fact) = facts.next().await {
                        self.tell(fact);
                    }
                }
                Output::Speak { sentence, .. } => {
                    self.tell(Input::PlayoutStarted { sentence });
                    self.tell(Input::PlayoutFinished { sentence });
                }
                Output::Said(said) => {
                    let by_agent = said.by == Party::Agent;
                    self.told.push(Progress::Said(said));
                    if by_agent && let Some(line) = self.caller.pop_front() {
                        self.now += Duration::from_secs(1);
                        self.tell(Input::SpeechStarted);
                        self.tell(Input::Final { text: line.to_owned() });
                        self.tell(Input::SpeechStopped);
                    }
                }
                Output::Note(note) => self.told.push(agent::noted(note)),
                Output::CancelReply { .. } | Output::StopPlayout | Output::HangUp { .. } => {}
                Output::Wait(deadline) => {
                    if let Some(reason) = self.talk.ended() {
                        self.told.push(agent::ended(reason, now(), self.now));
                        return self.told;
                    }
                    self.now = deadline.expect("a call always has its longest duration to wait for");
                    self.tell(Input::Deadline);
                }
            }
        }
    }

    fn tell(&mut self, input: Input) {
        self.talk.handle(input, self.now);
    }
}

/// What was told, one line each.
fn lines(told: &[Progress]) -> Vec<String> {
    let line = |progress: &Progress| match progress {
        Progress::Said(said) => format!("{}: {}", said.by.as_str(), said.text),
        Progress::Noted { kind, .. } => format!("[{kind}]"),
        Progress::Ended { reason, .. } => format!("ended: {reason}"),
        other => format!("{other:?}"),
    };
    told.iter().map(line).collect()
}

#[tokio::test]
async fn a_conversation_by_text_has_a_tool_round_and_a_goodbye() {
    let model = Scripted::new([
        answer(&["Let me ", "see."], &[("a", "order_pizza")]),
        answer(&["I cannot do that. What else?"], &[]),
        answer(&["Goodbye, Maria."], &[("b", "end_call")]),
    ]);
    let caller = ["I would like a pizza, please.", "Nothing else."];
    let told = TextLine::new(&plan(Direction::Inbound), &model, &caller).hold().await;

    assert_eq!(
        lines(&told),
        [
            "agent: Smith and Partners, hello.",
            "caller: I would like a pizza, please.",
            "agent: Let me see. I cannot do that. What else?",
            "caller: Nothing else.",
            "agent: Goodbye, Maria.",
            "ended: agent-said-goodbye",
        ]
    );
    let Some(Progress::Ended { ending: Ending::Talked { answered_at, talked }, .. }) = told.last() else {
        panic!("the last report is no end: {told:?}")
    };
    assert_eq!(*answered_at, Some(now()));
    assert!(talked.is_some_and(|talked| talked > Duration::from_secs(2)), "{talked:?}");

    let asked = model.asked();
    let round: Vec<(Role, &str, Option<&str>)> = asked[1].messages[asked[1].messages.len() - 2..]
        .iter()
        .map(|message| (message.role, message.content.as_str(), message.tool_call_id.as_deref()))
        .collect();
    assert_eq!(
        round,
        [(Role::Assistant, "Let me see.", None), (Role::Tool, "There is no such tool.", Some("a"))]
    );
}

#[tokio::test]
async fn a_call_ends_when_both_have_said_goodbye_though_the_model_does_not_end_it() {
    let model = Scripted::new([
        answer(&["We open at nine. Goodbye!"], &[]),
        answer(&["You're welcome. ", "Goodbye!"], &[]),
    ]);
    let caller = ["When do you open?", "Thank you, bye."];
    let told = TextLine::new(&plan(Direction::Inbound), &model, &caller).hold().await;
    assert_eq!(
        lines(&told)[3..],
        ["caller: Thank you, bye.", "agent: You're welcome. Goodbye!", "ended: agent-said-goodbye"]
    );
}

#[tokio::test]
async fn a_model_knows_the_agent_and_the_facts_of_the_call() {
    let model = Scripted::new([answer(&["Of course. Goodbye."], &[("a", "end_call")])]);
    let mut plan = plan(Direction::Inbound);
    plan.agent.model.model = "llama".into();
    TextLine::new(&plan, &model, &["I need an appointment."]).hold().await;

    let asked = model.asked();
    assert_eq!(asked[0].model.model, "llama");
    assert!(asked[0].messages[0].content.starts_with("Be kind.\n"));
    let fact =
        |name: &str| asked[0].facts.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    assert_eq!(
        (fact("name"), fact("business_name"), fact("context")),
        (Some("Maria"), Some("Smith & Partners"), Some("Wants a consultation."))
    );
}

#[tokio::test]
async fn a_model_is_told_when_it_is_how_to_speak_and_what_it_can_do() {
    let mut plan = plan(Direction::Inbound);
    plan.agent.languages = ["es-MX", "en"].map(|tag| LanguageTag::parse(tag).expect("a tag")).into();
    plan.is_recorded = true;
    let told = async |plan: &CallPlan| {
        let model = Scripted::new([answer(&["Goodbye."], &[("a", "end_call")])]);
        TextLine::new(plan, &model, &["I need an appointment."]).hold().await;
        let chat = model.asked().remove(0);
        let tools: Vec<String> = chat.tools.iter().map(|tool| tool.name.clone()).collect();
        (chat.messages[0].content.clone(), tools)
    };
    let (system, tools) = told(&plan).await;
    for part in [
        "Monday, March 2, 2026 at 9:00 AM (America/Chicago)",
        "Speak Spanish (es-MX); if the person speaks English (en), speak that.",
        "You are on the telephone",
        "`end_call`",
        "You cannot put anybody through",
        "the call is recorded",
    ] {
        assert!(system.contains(part), "{part} is missing in {system}");
    }
    assert_eq!(tools, ["end_call"]);

    plan.agent.transfer_enabled = true;
    assert_eq!(told(&plan).await.1, ["end_call"], "there is nobody to pass a caller on to");
    plan.agent.transfer_phone_number = E164::parse("+15125550177").ok();
    let (system, tools) = told(&plan).await;
    assert!(system.contains("`transfer_call`") && !system.contains("cannot put"), "{system}");
    assert_eq!(tools, ["end_call", "transfer_call"]);
}

#[tokio::test]
async fn a_model_passes_a_caller_on_only_if_the_agent_may() {
    let model = || {
        Scripted::new([
            answer(&["I'll put you through."], &[("a", "transfer_call")]),
            answer(&["I cannot. Goodbye."], &[("b", "end_call")]),
        ])
    };
    let mut plan = plan(Direction::Inbound);
    let refused = TextLine::new(&plan, &model(), &["A person, please."]).hold().await;
    assert_eq!(lines(&refused).last().map(String::as_str), Some("ended: agent-said-goodbye"));
    plan.agent.transfer_enabled = true;
    plan.agent.transfer_phone_number = E164::parse("+15125550177").ok();
    let passed_on = TextLine::new(&plan, &model(), &["A person, please."]).hold().await;
    let lines = lines(&passed_on);
    assert_eq!(
        lines[lines.len() - 3..],
        ["agent: I'll put you through.", "[transfer]", "ended: transferred"]
    );
}

#[tokio::test]
async fn another_model_answers_where_the_first_one_does_not() {
    let model = Scripted::new([broken(&[]), broken(&[]), answer(&["Goodbye."], &[("a", "end_call")])]);
    let mut plan = plan(Direction::Inbound);
    plan.agent.model.model = "large".into();
    let fallbacks = json!(["medium", { "provider": "groq", "model": "small", "temperature": 0.1 }]);
    plan.agent.model.extra.insert("fallbackModels".into(), fallbacks);
    let told = TextLine::new(&plan, &model, &["I need an appointment."]).hold().await;
    assert_eq!(
        lines(&told).last().map(String::as_str),
        Some("ended: agent-said-goodbye"),
        "{:?}",
        lines(&told)
    );
    let asked: Vec<String> = model.asked().into_iter().map(|chat| chat.model.model).collect();
    assert_eq!(asked, ["large", "medium", "small"]);
}

#[tokio::test]
async fn a_model_that_fails_before_or_within_its_answer_ends_the_call_with_an_apology() {
    for answer in [broken(&[]), broken(&["I can help you with"])] {
        let model = Scripted::new([answer]);
        let told = TextLine::new(&plan(Direction::Inbound), &model, &["I need an appointment."]).hold().await;
        let lines = lines(&told);
        assert!(lines.contains(&"[reply_failed]".to_owned()), "{lines:?}");
        assert_eq!(lines.last().map(String::as_str), Some("ended: agent-error"), "{lines:?}");
    }
}

#[tokio::test]
async fn a_closing_phrase_of_the_owner_ends_the_call() {
    let model = Scripted::new([answer(&["Noted. Have a lovely day."], &[])]);
    let mut plan = plan(Direction::Inbound);
    plan.agent.end_call_phrases = Some(vec!["have a lovely day".into()]);
    let told = TextLine::new(&plan, &model, &["I need an appointment."]).hold().await;
    assert_eq!(lines(&told).last().map(String::as_str), Some("ended: agent-said-goodbye"));
}

#[tokio::test]
async fn a_machine_hears_who_called_and_where_to_call_back() {
    let model = Scripted::new([]);
    let mut plan = plan(Direction::Outbound);
    plan.first_message = String::new();
    let told = on_a_machine(&plan, &model).await;
    assert_eq!(
        lines(&told),
        [
            "caller: Hi, you have reached Maria, please leave a message after the beep.",
            "[voicemail]",
            "agent: Hello Maria, this is Smith & Partners. Sorry we missed you. I'm calling about your wish for a consultation. \
             Please call us back at 5 1 2, 5 5 5, 0 1 0 0. Goodbye.",
            "ended: voicemail",
        ]
    );
}

#[tokio::test]
async fn a_machine_hears_the_owners_own_message_if_there_is_one() {
    let model = Scripted::new([]);
    let mut plan = plan(Direction::Outbound);
    plan.agent.voicemail_message = Some("Hi {{name}}, call {{ business_name }} back.".into());
    let lines = lines(&on_a_machine(&plan, &model).await);
    assert!(lines.contains(&"agent: Hi Maria, call Smith & Partners back.".to_owned()), "{lines:?}");
}

#[tokio::test]
async fn a_screener_hears_who_calls_for_whom_and_why() {
    let model = Scripted::new([]);
    let mut plan = plan(Direction::Outbound);
    plan.context = None;
    let mut told = |opening: &str| {
        plan.first_message = opening.to_owned();
        let mut line = TextLine::new(&plan, &model, &[]);
        line.tell(Input::SpeechStarted);
        line.now += Duration::from_secs(1);
        line.tell(Input::Final { text: "Please say your name and why you are calling.".to_owned() });
        line.tell(Input::SpeechStopped);
        line.hold()
    };
    let with_reason =
        told("Hi Maria, I am calling about your request for a quote. Do you have a minute?").await;
    let expected = "This is the assistant of Smith & Partners, calling for Maria. \
        Hi Maria, I am calling about your request for a quote.";
    assert!(lines(&with_reason).iter().any(|line| line.contains(expected)), "{:?}", lines(&with_reason));
    let without = told("Hi, do you have a minute?").await;
    let expected = "I would like to speak with Maria in person, please.";
    assert!(lines(&without).iter().any(|line| line.contains(expected)), "{:?}", lines(&without));
}

#[tokio::test]
async fn machines_and_screeners_hear_the_language_of_the_agent() {
    for (tag, note, screened, expected) in [
        (
            "es",
            "Pidió un presupuesto para su techo",
            "Por favor, diga su nombre y el motivo de su llamada.",
            [
                "Hola Maria, le llamamos de",
                "Le llamo por lo siguiente: su solicitud de un presupuesto para su techo.",
            ],
        ),
        (
            "fr",
            "Demande de devis",
            "Veuillez dire votre nom et la raison de votre appel.",
            ["Bonjour Maria, ici", "votre demande de devis."],
        ),
        (
            "de",
            "Anfrage wegen eines Dachs",
            "Bitte nennen Sie Ihren Namen und den Grund Ihres Anrufs.",
            ["Guten Tag Maria, hier ist", "Es geht um Folgendes: Ihre Anfrage wegen eines Dachs."],
        ),
    ] {
        let model = Scripted::new([]);
        let mut plan = plan(Direction::Outbound);
        plan.agent.languages = vec![LanguageTag::parse(tag).expect("a tag")];
        plan.first_message = String::new();
        plan.context = Some(note.to_owned());
        let heard = lines(&on_a_machine(&plan, &model).await).join(" ");
        assert!(expected.iter().all(|part| heard.contains(part)), "{tag}: {heard}");
        let mut line = TextLine::new(&plan, &model, &[]);
        line.tell(Input::SpeechStarted);
        line.now += Duration::from_secs(1);
        line.tell(Input::Final { text: screened.to_owned() });
        line.tell(Input::SpeechStopped);
        let heard = lines(&line.hold().await).join(" ");
        assert!(heard.contains(expected[1]) && !heard.contains("This is"), "{tag}: {heard}");
    }
}

/// A machine picks up, greets and beeps.
async fn on_a_machine(plan: &CallPlan, model: &Arc<Scripted>) -> Vec<Progress> {
    let mut line = TextLine::new(plan, model, &[]);
    line.tell(Input::SpeechStarted);
    line.now += Duration::from_secs(1);
    line.tell(Input::Final {
        text: "Hi, you have reached Maria, please leave a message after the beep.".to_owned(),
    });
    line.tell(Input::SpeechStopped);
    line.tell(Input::Beep);
    line.hold().await
}
