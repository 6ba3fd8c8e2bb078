//! Where engines bring calls that come in, and where those that run elsewhere deliver their messages.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::agent::{Agent, DEFAULT_MAX_DURATION};
use domain::call::{Call, CallFacts, CallPlan, CallRequest, Direction, LogEntry, LogLine, Report};
use domain::engine::{CallDesk, CallObserver, EngineMessage, IncomingCall, NotStored, Taken};
use domain::text::{clean, clean_in_place};
use domain::{CallId, E164, LeadId, Mode, NodeId};
use store::engine_messages::NewMessage;
use store::{PlatformTx, StoreError, Tenancy};

use crate::App;
use crate::calls::cast::{self, Cast, cast_of};
use crate::calls::intake::{self, Also, Observer};
use crate::calls::policy;

/// How long storing may take before the sender is told to come again.
const PATIENCE: Duration = Duration::from_secs(10);

/// The desk of a platform.
#[derive(Clone)]
pub struct Desk(App);

impl Desk {
    /// The desk of this platform.
    pub fn new(app: App) -> Self {
        Self(app)
    }

    /// Which call is meant: the one that the engine calls so, or the one named.
    async fn find(
        &self,
        engine: &'static str,
        conversation: &str,
        named: Option<CallId>,
    ) -> Result<Option<CallId>, StoreError> {
        let conversation = clean(conversation).into_owned();
        self.0
            .platform()
            .read(move |tx| {
                Box::pin(async move {
                    let known = store::calls::of_engine(tx, engine, &conversation).await?;
                    if let Some(call) = known {
                        return Ok(Some(call.id));
                    }
                    let Some(named) = named else { return Ok(None) };
                    // A message may come before the answer that says what the engine calls the call.
                    let call = store::calls::by_id(tx, named).await?;
                    Ok(call
                        .filter(|call| {
                            call.engine == engine
                                && call.mode == Mode::Live
                                && call.conversation_id().is_none_or(|known| known == conversation)
                        })
                        .map(|call| call.id))
                })
            })
            .await
    }

    async fn keep(&self, mut message: EngineMessage) -> Result<Taken, StoreError> {
        message.clean();
        let mut id = self.find(message.engine, &message.conversation_id, message.call_id).await?;
        if id.is_none()
            && let Some(incoming) = message.incoming.clone()
        {
            id = self.admit(incoming).await?.map(|(call, _)| call.id);
        }
        let Some(id) = id else { return Ok(Taken::Unknown) };
        let reports: Vec<Report> =
            message.progress.into_iter().map(|(at, progress)| Report { call_id: id, at, progress }).collect();
        let kept = NewMessage {
            engine: message.engine,
            conversation_id: message.conversation_id,
            key: message.key,
            call_id: id,
            kind: message.kind,
            body: message.body,
            received_at: self.0.now(),
        };
        let also = Also {
            message: Some(kept),
            ends: message.ends,
            is_tentative: message.is_tentative,
            ..Also::default()
        };
        let applied = intake::take(&self.0, id, reports, also).await?;
        Ok(match (applied.call, applied.repeated) {
            (None, _) => Taken::Unknown,
            (Some(_), true) => Taken::Repeated,
            (Some(_), false) => Taken::Stored,
        })
    }

    /// Stores an incoming call once; gives it with those who take part. `None` if nobody answers it.
    async fn admit(&self, incoming: IncomingCall) -> Result<Option<(Call, Cast)>, StoreError> {
        let Some(engine) = self.0.engines().open(incoming.engine) else {
            tracing::warn!(engine = incoming.engine, "a call came in on an engine that takes no calls");
            return Ok(None);
        };
        if engine.outlives_us() {
            return self.admit_as(CallId::new(self.0.ids()), None, incoming).await;
        }
        // The process must not stop between the question whether it does and the call's place among those that it waits for.
        let id = CallId::new(self.0.ids());
        self.0.reports().begins(id);
        let admitted = if self.0.is_stopping() {
            Ok(None)
        } else {
            self.admit_as(id, Some(self.0.node()), incoming).await
        };
        if !matches!(&admitted, Ok(Some((call, _))) if call.id == id) {
            self.0.reports().ends(id);
        }
        admitted
    }

    async fn admit_as(
        &self,
        id: CallId,
        node: Option<NodeId>,
        incoming: IncomingCall,
    ) -> Result<Option<(Call, Cast)>, StoreError> {
        let app = self.0.clone();
        let admitted = self
            .0
            .platform()
            .write(move |tx| Box::pin(async move { admit(tx, &app, id, node, &incoming).await }))
            .await?;
        if let Some((call, _)) = &admitted {
            self.0.live().ring(call.id);
        }
        Ok(admitted)
    }

    async fn transfer(
        &self,
        engine: &'static str,
        conversation: &str,
        named: Option<CallId>,
    ) -> Result<Option<E164>, StoreError> {
        let Some(id) = self.find(engine, conversation, named).await? else { return Ok(None) };
        let found = self.0.platform().read(move |tx| {
            Box::pin(async move {
                let Some(call) = store::calls::by_id(tx, id).await? else { return Ok(None) };
                cast_of(tx, &call).await
            })
        });
        let config = found.await?.map(|cast| cast.agent.config);
        Ok(config.filter(|config| config.transfer_enabled).and_then(|config| config.transfer_phone_number))
    }

    async fn answer(&self, mut incoming: IncomingCall) -> Result<Option<CallPlan>, StoreError> {
        clean_in_place(&mut incoming.conversation_id);
        let admitted = self.admit(incoming).await?;
        Ok(admitted.map(|(call, cast)| cast::plan(&call, cast, &self.0)))
    }
}

/// Stores an incoming call once; `None` if nobody answers it.
pub(crate) async fn admit(
    tx: &mut PlatformTx,
    app: &App,
    id: CallId,
    node: Option<NodeId>,
    incoming: &IncomingCall,
) -> Result<Option<(Call, Cast)>, StoreError> {
    if let Some(call) = store::calls::of_engine(tx, incoming.engine, &incoming.conversation_id).await? {
        return Ok(cast_of(tx, &call).await?.map(|cast| (call, cast)));
    }
    let number = store::numbers::by_phone(tx, &incoming.to).await?;
    let Some((business, agent)) = number.and_then(|number| number.business_id.zip(number.agent_id)) else {
        return Ok(None);
    };
    let one = Tenancy::one(business, incoming.mode);
    let Some(agent) = store::agents::get(tx, &one, agent).await? else { return Ok(None) };
    let lead = match &incoming.from {
        Some(from) => store::leads::by_phone(tx, &one, from).await?,
        None => None,
    };
    let answers = Answers { agent, lead: lead.map(|lead| lead.id) };
    answered_by(tx, app, id, node, incoming, answers).await
}

/// Who answers an incoming call, and whom they know the caller to be.
pub(crate) struct Answers {
    pub(crate) agent: Agent,
    pub(crate) lead: Option<LeadId>,
}

/// Stores an incoming call once of which it is known who answers it.
pub(crate) async fn answered_by(
    tx: &mut PlatformTx,
    app: &App,
    id: CallId,
    node: Option<NodeId>,
    incoming: &IncomingCall,
    answers: Answers,
) -> Result<Option<(Call, Cast)>, StoreError> {
    let Answers { agent, lead } = answers;
    let now = app.now();
    let facts = CallFacts {
        id,
        business_id: agent.business_id,
        mode: incoming.mode,
        agent_id: agent.id,
        direction: Direction::Inbound,
        to: incoming.to.clone(),
        from: incoming.from.clone(),
        request: CallRequest::default(),
        max_duration: agent.config.max_duration.unwrap_or(DEFAULT_MAX_DURATION),
        engine: incoming.engine.to_owned(),
        policy_reason: "incoming".to_owned(),
        created_at: app.store().created_at(now),
    };
    let rings_at = incoming.at.min(now);
    let mut call = Call::inbound(facts, lead, incoming.conversation_id.clone(), node, rings_at);
    let Some(cast) = cast_of(tx, &call).await? else { return Ok(None) };
    policy::reserve(app, &mut call, &cast.business, now);
    if !store::calls::insert(tx, &call).await? {
        // A repetition that came at the same moment was first.
        let Some(call) = store::calls::of_engine(tx, incoming.engine, &incoming.conversation_id).await?
        else {
            return Ok(None);
        };
        return Ok(cast_of(tx, &call).await?.map(|cast| (call, cast)));
    }
    store::call_log::begin(tx, call.id, &[LogEntry { at: rings_at, line: LogLine::Ringing }]).await?;
    if node.is_none() {
        // It goes on without this process; somebody has to ask after it should nothing more be heard.
        store::calls::check_at(tx, call.id, now + call.max_duration + intake::BEYOND_THE_TALK).await?;
    }
    Ok(Some((call, cast)))
}

#[async_trait]
impl CallDesk for Desk {
    fn observer(&self) -> Arc<dyn CallObserver> {
        Arc::new(Observer::new(self.0.clone()))
    }

    async fn take(&self, message: EngineMessage) -> Result<Taken, NotStored> {
        match tokio::time::timeout(PATIENCE, self.keep(message)).await {
            Ok(stored) => stored.map_err(|error| NotStored(error.to_string())),
            Err(_) => Err(NotStored("the database took too long".to_owned())),
        }
    }

    async fn incoming(&self, call: IncomingCall) -> Result<Option<CallPlan>, NotStored> {
        self.answer(call).await.map_err(|error| NotStored(error.to_string()))
    }

    async fn transfer_to(
        &self,
        engine: &'static str,
        conversation_id: &str,
        call: Option<CallId>,
    ) -> Result<Option<E164>, NotStored> {
        self.transfer(engine, conversation_id, call).await.map_err(|error| NotStored(error.to_string()))
    }
}
