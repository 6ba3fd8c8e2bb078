//! One call that goes out, from the order to its last report; and what every call needs until it is answered.

use std::sync::Arc;
use std::time::{Duration, Instant};

use agent::Mind;
use conversation::{Conversation, Input, Output};
use domain::call::{CallPlan, Direction as Way, Progress};
use domain::engine::CallObserver;
use rtp::sdp::Direction;
use rtp::{Encryption, Identity, Keys, Leg, Local, MasterKey, Negotiator};
use sip::{Call, End, Event, Failure, Order, UserAgent};
use speech::{RecognitionConfig, SynthesisConfig, VoiceChoice};
use tokio::sync::Notify;

use crate::beep::Beeps;
use crate::cause;
use crate::frame::RATE;
use crate::hearing::Hearing;
use crate::line::{LineEnd, line};
use crate::playback::Playback;
use crate::ports;
use crate::reports::Reports;
use crate::settings::{self, Trunk, USUAL};
use crate::shared::Shared;
use crate::stopwatch::Stopwatch;
use crate::talk::Talk;

/// What a call has before it is answered.
pub(crate) struct Prepared {
    pub(crate) line: LineEnd,
    pub(crate) negotiator: Negotiator,
    pub(crate) playback: Playback,
    /// From when on the line counts its time.
    clock: Instant,
    conversation: Conversation,
}

/// Opens the line of a call over this trunk and has its greeting spoken. An error is the end of a call that has no line.
pub(crate) fn prepare(
    shared: &Shared,
    agent: &UserAgent,
    plan: &CallPlan,
    trunk: &str,
) -> Result<Prepared, Progress> {
    let opened = open(shared, agent, shared.settings.trunk(trunk));
    let Opened { line, negotiator, clock } = opened.map_err(|error| {
        tracing::error!(call.id = %plan.call_id.0, %error, "a call has no line for its sound");
        cause::broken("no-line")
    })?;
    let config = SynthesisConfig {
        sample_rate: RATE,
        voice: VoiceChoice::of_agent(plan.agent.voice.as_ref()),
        language: plan.agent.languages.first().cloned(),
    };
    let settings = agent::settings(plan);
    let mut playback = Playback::new(Arc::clone(&shared.voice), config);
    playback.prepare(greeting(settings.clone()));
    let conversation = Conversation::new(settings);
    Ok(Prepared { line, negotiator, playback, clock, conversation })
}

/// A line that runs, and what agrees with the other side on its sound.
struct Opened {
    line: LineEnd,
    negotiator: Negotiator,
    clock: Instant,
}

fn open(shared: &Shared, agent: &UserAgent, trunk: Option<&Trunk>) -> std::io::Result<Opened> {
    let profile = trunk.map_or(&USUAL, |trunk| &trunk.profile);
    let address = shared.settings.media_address.unwrap_or_else(|| agent.address().ip());
    let pair = ports::open(shared.settings.listen.ip(), &shared.settings.ports, draw)?;
    let codecs = profile.codecs.to_vec();
    let encryption = match trunk.map_or(settings::Encryption::Off, |trunk| trunk.encryption) {
        settings::Encryption::Off => Encryption::Off,
        settings::Encryption::Optional => Encryption::Optional(keys()),
        settings::Encryption::Required => Encryption::Required(keys()),
    };
    let local = Local { address, port: pair.port, codecs, encryption, session_id: draw::<u64>() >> 1 };
    let leg = Leg::new(identity(shared), profile.latching);
    let (on_the_clock, line) = line(leg, pair.rtp, pair.rtcp);
    let clock = shared.threads.run(on_the_clock);
    let clock = clock.ok_or_else(|| std::io::Error::other("the threads of sound take no more lines"))?;
    Ok(Opened { line, negotiator: Negotiator::new(local), clock })
}

/// What happens next in a call that is not answered yet, which is called off meanwhile if somebody wishes so.
pub(crate) async fn next_event(call: &mut Call, hang_up: &Notify) -> Option<Event> {
    loop {
        tokio::select! {
            event = call.next() => return event,
            () = hang_up.notified() => call.hang_up().await,
        }
    }
}

/// What the agent says first, if nobody else speaks: found out by asking the same conversation in advance.
fn greeting(settings: conversation::Settings) -> Vec<String> {
    let listen_first = settings.listen_first;
    let mut rehearsal = Conversation::new(settings);
    rehearsal.handle(Input::Answered, Duration::ZERO);
    rehearsal.handle(Input::Deadline, listen_first);
    let outputs = std::iter::from_fn(|| match rehearsal.poll() {
        Output::Wait(_) => None,
        other => Some(other),
    });
    outputs
        .filter_map(|output| match output {
            Output::Speak { text, .. } => Some(text),
            _ => None,
        })
        .collect()
}

impl Prepared {
    /// The call is answered: it is carried on to its end.
    pub(crate) async fn talk(
        self,
        shared: &Shared,
        plan: &CallPlan,
        call: Call,
        mut reports: Reports,
        hang_up: &Notify,
    ) {
        for shortfall in shared.shortfalls(&plan.agent) {
            let kind = format!("{}_replaced", shortfall.field);
            reports.tell(Progress::Noted { kind, detail: shortfall.instead }).await;
        }
        let languages = plan.agent.languages.clone();
        let config = RecognitionConfig { sample_rate: RATE, languages, hints: hints(plan) };
        let tape = shared.recorder.as_ref().filter(|_| plan.is_recorded);
        let talk = Talk {
            call,
            line: self.line,
            clock: self.clock,
            watch: Stopwatch::default(),
            beeps: (plan.direction == Way::Outbound).then(Beeps::default),
            negotiator: self.negotiator,
            conversation: self.conversation,
            mind: Mind::new(Arc::clone(&shared.model), plan),
            playback: self.playback,
            hearing: Hearing::new(Arc::clone(&shared.recogniser), config),
            tape: tape.map(|recorder| recorder.begin(plan.call_id)),
            reports,
            hang_up,
        };
        talk.run().await;
    }
}

/// Names that callers are likely to say.
fn hints(plan: &CallPlan) -> Vec<String> {
    let names = ["name", "business_name"].into_iter().filter_map(|name| plan.variables.get(name));
    names.map(str::to_owned).collect()
}

/// A call that goes out.
pub(crate) struct Outgoing {
    pub(crate) plan: CallPlan,
    pub(crate) observer: Arc<dyn CallObserver>,
    pub(crate) hang_up: Arc<Notify>,
}

impl Outgoing {
    pub(crate) async fn run(self, shared: &Shared, agent: &UserAgent) {
        debug_assert_eq!(self.plan.direction, Way::Outbound);
        let mut reports =
            Reports::new(self.plan.call_id, Arc::clone(&self.observer), Arc::clone(&shared.clock));
        let trunk = agent.trunk_for(self.plan.to.as_str()).unwrap_or_default();
        let mut prepared = match prepare(shared, agent, &self.plan, &trunk) {
            Ok(prepared) => prepared,
            Err(end) => return reports.end(end).await,
        };
        let mut call = agent.call(Order {
            to: self.plan.to.as_str().to_owned(),
            from: self.plan.from.as_ref().map(|from| from.as_str().to_owned()),
            offer: prepared.negotiator.offer(Direction::SendReceive).to_string().into_bytes(),
            rings_for: shared.settings.rings_for,
        });
        match self.until_answered(&mut call, &mut prepared, &mut reports).await {
            Ok(()) => prepared.talk(shared, &self.plan, call, reports, &self.hang_up).await,
            Err(end) => {
                prepared.line.leave();
                reports.end(end).await;
            }
        }
    }

    /// Goes as far as the answer, or to the end of a call that never connects.
    async fn until_answered(
        &self,
        call: &mut Call,
        prepared: &mut Prepared,
        reports: &mut Reports,
    ) -> Result<(), Progress> {
        let mut is_heard = false;
        loop {
            match next_event(call, &self.hang_up).await {
                Some(Event::Ringing) => reports.tell(Progress::Ringing).await,
                Some(Event::EarlyMedia(description)) => {
                    // The answer may say something else: it is taken as the answer to the same offer.
                    let mut early = prepared.negotiator.clone();
                    is_heard |= prepared.line.accept(&mut early, &description);
                }
                Some(Event::Answered(description)) => {
                    let is_agreed = prepared.line.accept(&mut prepared.negotiator, &description);
                    // Where the answer says nothing, what was agreed on before it stands.
                    if is_agreed || (is_heard && description.is_empty()) {
                        return Ok(());
                    }
                    call.hang_up().await;
                    return Err(cause::failed(Failure::NoCommonCodec));
                }
                Some(Event::Ended(End::Failed(failure))) => return Err(cause::failed(failure)),
                Some(Event::Ended(End::HungUp(_) | End::Lost)) | None => {
                    return Err(cause::failed(Failure::Carrier(None)));
                }
                Some(Event::Offered(offer)) => offer.refuse().await,
                Some(Event::Key(_)) => {}
            }
        }
    }
}

/// Keys that nobody can guess, drawn for one call.
fn keys() -> Keys {
    Keys([(); 2].map(|()| MasterKey([(); 30].map(|()| draw()))))
}

fn identity(shared: &Shared) -> Identity {
    let since_1970 = shared.clock.now().duration_since(domain::Timestamp::UNIX_EPOCH);
    Identity {
        ssrc: draw(),
        sequence: draw::<u16>() >> 1,
        timestamp: draw(),
        name: format!("{:016x}", draw::<u64>()),
        since_1970: Duration::try_from(since_1970).unwrap_or_default(),
    }
}

/// A number that nobody can guess: RFC 3550 wants such ones.
fn draw<T>() -> T
where
    rand::distr::StandardUniform: rand::distr::Distribution<T>,
{
    #[expect(clippy::disallowed_methods, reason = "the identity of a leg must be unpredictable")]
    rand::random()
}
