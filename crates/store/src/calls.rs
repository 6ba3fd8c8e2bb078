//! Calls.
//!
//! When something last happened in a call on its engine's clock stands in its log; the watchdog and the end of a lost call go by that.
//! The column `heard_at` is no longer kept up to date.

mod brief;

use std::time::Duration;

use domain::call::{
    Assessment, Call, CallFacts, CallLife, CallRequest, CallState, Direction, Ended, Failure, FailureCode,
    Outcome, Quality, StoredRecording, Talk,
};
use domain::disclosure::Disclosure;
use domain::{AgentId, BusinessId, CallId, E164, LeadId, Mode, Timestamp};
use uuid::Uuid;

pub use self::brief::CallInBrief;
use crate::call_log::{self, Measured};
use crate::page::{Conditions, ListQuery, Way, list_ways};
use crate::table::{compiled, table, text};
use crate::tx::{PlatformTx, Row, ToParam as _, Tx, params};
use crate::writes::{Turn, Write};
use crate::{Listed, Page, StoreError, Tenancy};

/// A call with the name of its agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallView {
    pub call: Call,
    pub agent_name: String,
}

/// Which calls a list shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallFilter {
    pub business_id: Option<BusinessId>,
    pub agent_id: Option<AgentId>,
    /// Only in one of these states, in the words of [`CallState::as_str`].
    pub statuses: Option<Vec<&'static str>>,
    pub direction: Option<Direction>,
    /// Only with this lead.
    pub lead_id: Option<LeadId>,
}

impl CallFilter {
    /// Whether a list with this filter would show the call.
    pub fn lets_through(&self, call: &Call) -> bool {
        let Self { business_id, agent_id, statuses, direction, lead_id } = self;
        business_id.is_none_or(|id| id == call.business_id)
            && agent_id.is_none_or(|id| id == call.agent_id)
            && statuses.as_ref().is_none_or(|words| words.contains(&call.state().as_str()))
            && direction.is_none_or(|direction| direction == call.direction)
            && lead_id.is_none_or(|id| call.lead_id() == Some(id))
    }
}

table! {
    /// Calls as they are stored. Which columns have a value follows from the state. `quality` has the four marks as one text in rows of
    /// the release before the columns of their own: it is read, and emptied when the call is next written.
    Calls = "calls" as "c", (call: &Call)
    key { id }
    fixed {
        business_id,
        mode,
        agent_id,
        direction,
        to_number = call.to,
        from_number = call.from,
        name = call.request.name,
        context = call.request.context,
        first_message = call.request.first_message,
        webhook_url = call.request.webhook_url,
        purpose = call.request.purpose,
        max_duration_s = call.max_duration.as_secs(),
        engine,
        policy_reason,
        created_at,
    }
    changing {
        lead_id = call.lead_id(),
        node_id = call.node_id(),
        conversation_id = call.conversation_id(),
        ringing_at = call.ringing_at(),
        end_asked_at = call.end_asked_at(),
        scheduled_at = call.scheduled_at(),
        waits_until = call.waits_until(),
        disclosed = disclosed_words(call),
        urgency = call.urgency(),
        counted_on = call.counted_on(),
        counted_cents = call.counted_cents(),
        state = call.state().as_str(),
        answered_at = call.answered_at(),
        talked_ms = call.talk().map(|talk| millis(talk.talked)),
        wrap_up_until = wrap_up_until(call),
        failure = call.failure().map(|failure| failure.code),
        refusal = call.failure().and_then(|failure| failure.refusal.as_deref()),
        ended_at = call.ended_at(),
        ended_reason = call.ended_reason(),
        cost_cents = call.cost_cents(),
        finished_at = call.finished_at(),
        summary = call.summary(),
        professionalism = quality(call).map(|quality| quality.professionalism),
        empathy = quality(call).map(|quality| quality.empathy),
        information_gathering = quality(call).map(|quality| quality.information_gathering),
        resolution = quality(call).map(|quality| quality.resolution),
        quality = None::<String>,
        analyst = call.assessment().map(|assessment| assessment.analyst.as_str()),
        recording_key = call.recording().map(|recording| recording.key.as_str()),
        recording_type = call.recording().map(|recording| recording.content_type.as_str()),
        recording_duration_ms = call.recording().and_then(|recording| recording.duration).map(millis),
    }
    unread { heard_at = call.created_at }
    read {
        let request = CallRequest { name, context, first_message, webhook_url, purpose };
        let facts = CallFacts {
            id,
            business_id,
            mode,
            agent_id,
            direction,
            to: to_number,
            from: from_number,
            request,
            max_duration: Duration::from_secs(max_duration_s),
            engine,
            policy_reason,
            created_at,
        };
        let columns = StateColumns {
            word: state,
            answered_at,
            talked_ms,
            wrap_up_until,
            failure,
            refusal,
            ended_at,
            ended_reason,
            cost_cents,
            finished_at,
            summary,
            marks: [professionalism, empathy, information_gathering, resolution],
            quality,
            analyst,
            recording_key,
            recording_type,
            recording_duration_ms,
        };
        let state = columns.state()?;
        let disclosed: Option<String> = disclosed;
        let disclosed = disclosures(disclosed.as_deref());
        let life = CallLife {
            state, lead_id, conversation_id, node_id, ringing_at, end_asked_at, scheduled_at, waits_until, disclosed, urgency,
            counted_on, counted_cents,
        };
        Call::stored(facts, life)
    }
}

const COLUMNS: &str = Calls::COLUMNS;

/// Joined from the left, so that both databases begin with the calls, however few agents there are.
const VIEWS: &str = text!(
    "SELECT ",
    Calls::COLUMNS,
    ", coalesce(a.name, '') FROM calls c LEFT JOIN agents a ON a.id = c.agent_id"
);

const WITH_TRANSCRIPT: &str = text!(
    "SELECT (SELECT count(*) FROM transcripts t WHERE t.call_id = c.id), \
     (SELECT count(*) FROM call_log l WHERE l.call_id = c.id AND l.kind IN ('turn', 'sound')), ",
    Calls::COLUMNS,
    ", a.name FROM calls c JOIN agents a ON a.id = c.agent_id"
);

fn read_view(row: Row) -> Result<CallView, StoreError> {
    let mut row = row.of("calls");
    Ok(CallView { call: Calls::read_from(&mut row)?, agent_name: row.next()? })
}

fn disclosed_words(call: &Call) -> Option<String> {
    let words: Vec<&str> = call.disclosed().iter().map(|disclosure| disclosure.as_str()).collect();
    (!words.is_empty()).then(|| words.join(","))
}

/// Words that this version does not know are left out.
fn disclosures(words: Option<&str>) -> Vec<Disclosure> {
    words.into_iter().flat_map(|words| words.split(',')).filter_map(Disclosure::parse).collect()
}

fn wrap_up_until(call: &Call) -> Option<Timestamp> {
    if let CallState::WrappingUp { until, .. } = call.state() { Some(*until) } else { None }
}

fn quality(call: &Call) -> Option<Quality> {
    call.assessment().and_then(|assessment| assessment.quality)
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// The columns from which a state is read.
struct StateColumns {
    word: String,
    answered_at: Option<Timestamp>,
    talked_ms: Option<u64>,
    wrap_up_until: Option<Timestamp>,
    failure: Option<FailureCode>,
    refusal: Option<String>,
    ended_at: Option<Timestamp>,
    ended_reason: Option<String>,
    cost_cents: u32,
    finished_at: Option<Timestamp>,
    summary: Option<String>,
    marks: [Option<u8>; 4],
    quality: Option<String>,
    analyst: Option<String>,
    recording_key: Option<String>,
    recording_type: Option<String>,
    recording_duration_ms: Option<u64>,
}

impl StateColumns {
    fn state(self) -> Result<CallState, StoreError> {
        let word = self.word.clone();
        let lacking = |what: &str| StoreError::corrupt("calls", format!("the state `{word}` lacks {what}"));
        Ok(match self.word.as_str() {
            "queued" => CallState::Queued,
            "dialing" => CallState::Dialing,
            "ringing" => CallState::Ringing,
            "in_progress" => {
                let answered_at = self.answered_at.ok_or_else(|| lacking("the time of the answer"))?;
                CallState::InProgress { answered_at }
            }
            "wrapping_up" => CallState::WrappingUp {
                until: self.wrap_up_until.ok_or_else(|| lacking("its deadline"))?,
                talk: self.talk().ok_or_else(|| lacking("the talk"))?,
            },
            "completed" => {
                let talk = self.talk().ok_or_else(|| lacking("the talk"))?;
                let outcome = Outcome::Completed { talk, cost_cents: self.cost_cents };
                self.ended(outcome).ok_or_else(|| lacking("the time of the end"))?
            }
            "failed" => {
                let failure = self.failure().ok_or_else(|| lacking("the cause"))?;
                self.ended(Outcome::Failed(failure)).ok_or_else(|| lacking("the time of the end"))?
            }
            _ => return Err(lacking("a meaning")),
        })
    }

    fn talk(&self) -> Option<Talk> {
        Some(Talk {
            answered_at: self.answered_at?,
            talked: Duration::from_millis(self.talked_ms?),
            ended_at: self.ended_at?,
            reason: self.ended_reason.clone().unwrap_or_default(),
        })
    }

    fn failure(&self) -> Option<Failure> {
        Some(Failure {
            code: self.failure?,
            reason: self.ended_reason.clone().unwrap_or_default(),
            refusal: self.refusal.clone(),
            failed_at: self.ended_at?,
            talk: self.talk(),
        })
    }

    fn ended(self, outcome: Outcome) -> Option<CallState> {
        let (quality, analyst) = (self.quality(), self.analyst.unwrap_or_default());
        let assessment = self.summary.map(|summary| Assessment { summary, quality, analyst });
        let recording =
            self.recording_key.zip(self.recording_type).map(|(key, content_type)| StoredRecording {
                key,
                content_type,
                duration: self.recording_duration_ms.map(Duration::from_millis),
            });
        Some(CallState::Ended(Ended { outcome, finished_at: self.finished_at?, assessment, recording }))
    }

    fn quality(&self) -> Option<Quality> {
        let marks = match self.marks {
            [Some(professionalism), Some(empathy), Some(information_gathering), Some(resolution)] => {
                [professionalism, empathy, information_gathering, resolution]
            }
            _ => {
                let marks = self.quality.as_ref()?.split(',').map(|mark| mark.parse().ok());
                marks.collect::<Option<Vec<u8>>>()?.try_into().ok()?
            }
        };
        let [professionalism, empathy, information_gathering, resolution] = marks;
        Some(Quality { professionalism, empathy, information_gathering, resolution })
    }
}

/// Stores a new call. False, and nothing is stored, if it came in and its engine has brought it before.
pub async fn insert(tx: &mut PlatformTx, call: &Call) -> Result<bool, StoreError> {
    const INSERT: &str = text!(
        Calls::INSERT,
        " ON CONFLICT (engine, conversation_id) WHERE direction = 'inbound' AND conversation_id IS NOT NULL DO NOTHING"
    );
    Ok(tx.execute(INSERT, &Calls::inserted(call)).await? > 0)
}

/// Stores a new call that is to be made while fewer than so many calls of its business run and its number is not blocked.
/// [`StoreError::Changed`] otherwise. Calls that wait for their time do not run.
pub async fn admit(tx: &mut PlatformTx, call: &Call, max_running: u32) -> Result<(), StoreError> {
    const ADMIT: &str = text!(
        compiled!(insert_below("calls", &[Calls::KEY, Calls::FIXED, Calls::CHANGING, Calls::UNREAD])),
        "(SELECT count(*) FROM calls r WHERE r.business_id = $2 AND r.mode = $3 AND r.finished_at IS NULL) \
         - (SELECT count(*) FROM calls w WHERE w.business_id = $2 AND w.mode = $3 AND w.waits_until IS NOT NULL) \
         AND NOT EXISTS (SELECT 1 FROM opt_outs o WHERE o.business_id = $2 AND o.mode = $3 AND o.phone_number = $6)"
    );
    let mut values = Calls::inserted(call);
    values.push(max_running.to_param());
    let write = Write::new("calls", call.id.0, ADMIT, values).or_fail();
    // Without a limit nobody has to be waited for.
    let is_limited = max_running < u32::MAX;
    tx.write(if is_limited { write.in_turn(turn_of(call.business_id, call.mode)) } else { write }).await
}

/// The turn of those who count the running calls of a business to add one.
fn turn_of(business: BusinessId, mode: Mode) -> Turn {
    Turn::of(&format!("calls of {business} in {mode}"))
}

/// Waits until nobody else adds to the running calls of a business, and keeps others waiting until the transaction ends.
pub async fn take_turn(tx: &mut PlatformTx, business: BusinessId, mode: Mode) -> Result<(), StoreError> {
    tx.take(turn_of(business, mode)).await
}

/// The same for the calls that an engine makes, whoever they belong to. To be taken after that of the business.
pub async fn take_turn_on_engine(tx: &mut PlatformTx, engine: &str) -> Result<(), StoreError> {
    tx.take(Turn::of(&format!("calls on {engine}"))).await
}

/// Stores everything about a call that can change.
pub async fn update(tx: &mut PlatformTx, call: &Call) -> Result<(), StoreError> {
    tx.write(Write::new("calls", call.id.0, Calls::UPDATE, Calls::changed(call))).await
}

/// The same for a call that was not locked: [`StoreError::Changed`] if it is no longer what it was before.
pub async fn replace(tx: &mut PlatformTx, before: &Call, call: &Call) -> Result<(), StoreError> {
    const REPLACE: &str = compiled!(update_unchanged("calls", Calls::KEY, Calls::CHANGING));
    let mut values = Calls::changed(call);
    values.extend(Calls::changed(before).into_iter().skip(Calls::KEY.len()));
    tx.write(Write::new("calls", call.id.0, REPLACE, values).or_fail()).await
}

/// Whose call it is stands in parentheses, here and wherever a row is found by its id: a database without statistics would otherwise take
/// an index that begins with the business, and read all of it.
pub async fn get(tx: &mut Tx, tenancy: &Tenancy, id: CallId) -> Result<Option<CallView>, StoreError> {
    const GET: &str = text!(VIEWS, " WHERE c.id = $1 AND (c.business_id = $2 AND c.mode = $3) IS TRUE");
    for &business in tenancy.businesses() {
        if let Some(row) = tx.query_one(GET, params![id, business, tenancy.mode()]).await? {
            return read_view(row).map(Some);
        }
    }
    Ok(None)
}

/// A call as it is read by itself.
#[derive(Debug, Clone)]
pub struct CallInFull {
    pub view: CallView,
    pub has_transcript: bool,
    pub measured: Measured,
}

/// One call by its id or by what its engine calls it, with whether it has a transcript and what was measured in it.
pub async fn by_name(tx: &mut Tx, tenancy: &Tenancy, name: &str) -> Result<Option<CallInFull>, StoreError> {
    const BY_ID: &str =
        text!(WITH_TRANSCRIPT, " WHERE c.id = $1 AND (c.business_id = $2 AND c.mode = $3) IS TRUE");
    const BY_CONVERSATION: &str = text!(
        WITH_TRANSCRIPT,
        " WHERE c.conversation_id = $1 AND (c.business_id = $2 AND c.mode = $3) IS TRUE"
    );
    // Some engines name calls as we do.
    let id = name.parse::<CallId>().ok().map(|id| (BY_ID, id.to_param()));
    for (sql, name) in id.into_iter().chain([(BY_CONVERSATION, name.to_param())]) {
        for &business in tenancy.businesses() {
            let values = [name.clone(), business.to_param(), tenancy.mode().to_param()];
            if let Some(row) = tx.query_one(sql, &values).await? {
                let mut row = row.of("calls");
                let (transcripts, measures): (u64, u64) = (row.next()?, row.next()?);
                let call = Calls::read_from(&mut row)?;
                let view = CallView { call, agent_name: row.next()? };
                let measured = if measures > 0 {
                    call_log::measured(tx, tenancy, view.call.id).await?
                } else {
                    Measured::default()
                };
                return Ok(Some(CallInFull { view, has_transcript: transcripts > 0, measured }));
            }
        }
    }
    Ok(None)
}

/// The call that an engine calls so, whoever it belongs to. For messages of engines.
pub async fn of_engine(tx: &mut PlatformTx, engine: &str, name: &str) -> Result<Option<Call>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM calls c WHERE c.conversation_id = $1 AND c.engine = $2");
    tx.query_one(&sql, params![name, engine]).await?.map(Calls::read).transpose()
}

/// One call whoever it belongs to. For the platform itself: jobs and reports of engines.
pub async fn by_id(tx: &mut PlatformTx, id: CallId) -> Result<Option<Call>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM calls c WHERE c.id = $1");
    tx.query_one(&sql, params![id]).await?.map(Calls::read).transpose()
}

/// The same, and nobody else changes the call until the transaction ends.
pub async fn lock(tx: &mut PlatformTx, id: CallId) -> Result<Option<Call>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM calls c WHERE c.id = $1 {{for_update}}");
    tx.query_one(&sql, params![id]).await?.map(Calls::read).transpose()
}

/// A page of calls, the newest first.
pub async fn list(
    tx: &mut Tx,
    tenancy: &Tenancy,
    filter: &CallFilter,
    page: &Page,
) -> Result<Listed<CallView>, StoreError> {
    list_as(tx, tenancy, filter, page, VIEWS, read_view, |view| view.call.created_at).await
}

/// The same calls, with what a list of a program tells of them.
pub async fn list_in_brief(
    tx: &mut Tx,
    tenancy: &Tenancy,
    filter: &CallFilter,
    page: &Page,
) -> Result<Listed<CallInBrief>, StoreError> {
    list_as(tx, tenancy, filter, page, brief::SELECT, brief::read, |call| call.created_at).await
}

async fn list_as<T>(
    tx: &mut Tx,
    tenancy: &Tenancy,
    filter: &CallFilter,
    page: &Page,
    select: &str,
    read: impl Fn(Row) -> Result<T, StoreError>,
    created_at: impl Fn(&T) -> Timestamp,
) -> Result<Listed<T>, StoreError> {
    let (table, business) = ("calls c", "c.business_id");
    let query = ListQuery { select, table, business, time: "c.created_at", id: "c.id" };
    let mode = |conditions: &mut Conditions| conditions.and("c.mode", "=", tenancy.mode().as_str());
    let businesses = tenancy.scope(filter.business_id);
    list_ways(tx, query, &businesses, page, &ways(filter), mode, read, created_at).await
}

/// The ways to the calls that a filter lets through; see the indexes of migration 11. Those of one lead are few and are found by it.
fn ways(filter: &CallFilter) -> Vec<Way> {
    let CallFilter { agent_id, lead_id, direction, statuses, .. } = filter;
    let begin = || match agent_id {
        Some(agent) => Way::of_column().and("c.agent_id =", *agent),
        None => Way::of_business(),
    };
    if let Some(lead) = lead_id {
        let way = Way::of_column().and("c.lead_id =", *lead).and_aside("c.agent_id", *agent_id);
        let way = way.and_aside("c.direction", direction.map(Direction::as_str));
        return match statuses {
            Some(words) => words.iter().map(|&word| way.clone().and_aside("c.state", Some(word))).collect(),
            None => vec![way],
        };
    }
    if statuses.is_none() && direction.is_none() {
        return vec![begin()];
    }
    let wants = |word: &str| statuses.as_ref().is_none_or(|words| words.contains(&word));
    let mut ways = Vec::new();
    for towards in Direction::ALL.iter().filter(|&&towards| direction.is_none_or(|only| only == towards)) {
        if wants("completed") {
            let way = begin().and("c.direction =", towards.as_str());
            ways.push(way.and_text("c.finished_at IS NOT NULL").and_text("c.failure IS NULL"));
        }
        if wants("failed") {
            ways.push(begin().and("c.direction =", towards.as_str()).and_text("c.failure IS NOT NULL"));
        }
    }
    // Calls that run are few and have an index of their own.
    let running = || {
        let way = Way::of_business().and_text("c.finished_at IS NULL");
        way.and_aside("c.agent_id", *agent_id).and_aside("c.direction", direction.map(Direction::as_str))
    };
    match statuses {
        None => ways.push(running()),
        Some(words) => {
            let words = words.iter().filter(|&&word| word != "completed" && word != "failed");
            ways.extend(words.map(|&word| running().and_aside("c.state", Some(word))));
        }
    }
    ways
}

/// How many calls of the tenant run now.
pub async fn count_running(tx: &mut Tx, tenancy: &Tenancy) -> Result<u64, StoreError> {
    let mut running = 0;
    for &business in tenancy.businesses() {
        let sql = "SELECT count(*) FROM calls WHERE business_id = $1 AND mode = $2 AND finished_at IS NULL AND waits_until IS NULL";
        let row = tx.query_one(sql, params![business, tenancy.mode().as_str()]).await?;
        running += row.map_or(Ok(0), |mut row| row.next::<u64>())?;
    }
    Ok(running)
}

/// When a business of the tenant called a number, the latest first, since then and except by one call. Calls that their engine did not
/// take rang nowhere, and those that wait for their time have not.
pub async fn attempts(
    tx: &mut Tx,
    tenancy: &Tenancy,
    business: BusinessId,
    to: &E164,
    since: Timestamp,
    except: Option<CallId>,
) -> Result<Vec<Timestamp>, StoreError> {
    const SQL: &str = "SELECT coalesce(c.scheduled_at, c.created_at) FROM calls c \
                       WHERE c.business_id = $1 AND c.to_number = $2 AND c.direction = 'outbound' AND c.mode = $3 \
                       AND coalesce(c.scheduled_at, c.created_at) > $4 AND c.waits_until IS NULL AND c.id <> $5 \
                       AND (c.failure IS NULL OR c.conversation_id IS NOT NULL) \
                       ORDER BY coalesce(c.scheduled_at, c.created_at) DESC LIMIT 1000";
    let except = except.unwrap_or(CallId(Uuid::nil()));
    let mut found = Vec::new();
    for business in tenancy.scope(Some(business)) {
        for row in tx.query(SQL, params![business, to, tenancy.mode(), since, except]).await? {
            found.push(row.of("calls").next()?);
        }
    }
    Ok(found)
}

/// Calls of which nothing has been dialled, although their time has come; a few at once. For the platform itself.
pub async fn overdue(tx: &mut PlatformTx, now: Timestamp, limit: u32) -> Result<Vec<CallId>, StoreError> {
    let sql = "SELECT id FROM calls WHERE finished_at IS NULL AND state = 'queued' \
               AND (waits_until IS NULL OR waits_until <= $1) ORDER BY created_at, id LIMIT $2";
    tx.query(sql, params![now, limit]).await?.into_iter().map(|mut row| row.next()).collect()
}

/// How many calls of the tenant wait to be dialled and could be, as far as their time goes.
pub async fn count_waiting(tx: &mut Tx, tenancy: &Tenancy) -> Result<u64, StoreError> {
    const SQL: &str = "SELECT count(*) FROM calls WHERE business_id = $1 AND mode = $2 AND finished_at IS NULL \
                       AND state = 'queued' AND waits_until IS NULL";
    let mut waiting = 0;
    for &business in tenancy.businesses() {
        let row = tx.query_one(SQL, params![business, tenancy.mode().as_str()]).await?;
        waiting += row.map_or(Ok(0), |mut row| row.next::<u64>())?;
    }
    Ok(waiting)
}

/// When something last happened in a call, on its engine's clock.
pub async fn last_heard(tx: &mut PlatformTx, id: CallId) -> Result<Option<Timestamp>, StoreError> {
    let row = tx.query_one("SELECT max(at) FROM call_log WHERE call_id = $1", params![id]).await?;
    row.map_or(Ok(None), |row| row.of("call_log").next())
}

/// The condition that nothing has happened in a call since `$1`. A call has a line in its log from its beginning.
const SILENT_SINCE: &str =
    "c.created_at < $1 AND NOT EXISTS (SELECT 1 FROM call_log l WHERE l.call_id = c.id AND l.at >= $1)";

/// Calls that were being made by processes that have died.
pub async fn running_of_lost_nodes(
    tx: &mut PlatformTx,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<Call>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM calls c WHERE c.finished_at IS NULL AND c.node_id IS NOT NULL \
         AND c.state IN ('dialing', 'ringing', 'in_progress') \
         AND NOT EXISTS (SELECT 1 FROM nodes n WHERE n.id = c.node_id AND n.lease_until > $1) \
         ORDER BY c.created_at LIMIT $2"
    );
    tx.query(&sql, params![now, limit]).await?.into_iter().map(Calls::read).collect()
}

/// Calls in progress of which nothing has been heard since.
pub async fn running_silent_since(
    tx: &mut PlatformTx,
    before: Timestamp,
    limit: u32,
) -> Result<Vec<Call>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM calls c WHERE c.finished_at IS NULL AND c.state IN ('ringing', 'in_progress') \
         AND c.check_at IS NULL AND {SILENT_SINCE} ORDER BY c.created_at LIMIT $2"
    );
    tx.query(&sql, params![before, limit]).await?.into_iter().map(Calls::read).collect()
}

/// How many calls an engine is making.
pub async fn count_on_engine(tx: &mut PlatformTx, engine: &str) -> Result<u64, StoreError> {
    let sql = "SELECT count(*) FROM calls WHERE finished_at IS NULL AND mode = 'live' AND engine = $1 \
               AND state IN ('dialing', 'ringing', 'in_progress') AND end_seen_at IS NULL";
    let row = tx.query_one(sql, params![engine]).await?;
    row.map_or(Ok(0), |row| row.of("calls").next())
}

/// How many calls are not final, by the engine that they were admitted to.
pub async fn unfinished_by_engine(tx: &mut PlatformTx) -> Result<Vec<(String, u64)>, StoreError> {
    let sql = "SELECT engine, count(*) FROM calls WHERE finished_at IS NULL GROUP BY engine ORDER BY engine";
    let read = |row: Row| {
        let mut row = row.of("calls");
        Ok((row.next()?, row.next()?))
    };
    tx.query(sql, &[]).await?.into_iter().map(read).collect()
}

/// A running call that its engine is to be asked after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToCheck {
    pub call: Call,
    /// Since when it has been known that the talk is over.
    pub end_seen_at: Option<Timestamp>,
}

/// Running calls whose engines are to be asked after them by now, longest due first.
pub async fn to_check(tx: &mut PlatformTx, now: Timestamp, limit: u32) -> Result<Vec<ToCheck>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS}, c.end_seen_at FROM calls c WHERE c.check_at <= $1 AND c.check_at IS NOT NULL \
         AND c.finished_at IS NULL AND c.state <> 'wrapping_up' ORDER BY c.check_at LIMIT $2"
    );
    let read = |row: Row| {
        let mut row = row.of("calls");
        Ok(ToCheck { call: Calls::read_from(&mut row)?, end_seen_at: row.next()? })
    };
    tx.query(&sql, params![now, limit]).await?.into_iter().map(read).collect()
}

/// Sets when the engine is to be asked after a call next.
pub async fn check_at(tx: &mut PlatformTx, id: CallId, at: Timestamp) -> Result<(), StoreError> {
    tx.execute("UPDATE calls SET check_at = $2 WHERE id = $1", params![id, at]).await?;
    Ok(())
}

/// Notes that the talk is over although its end has not been told yet. The first time counts.
pub async fn end_seen(tx: &mut PlatformTx, id: CallId, at: Timestamp) -> Result<(), StoreError> {
    let sql = "UPDATE calls SET end_seen_at = coalesce(end_seen_at, $2) WHERE id = $1";
    tx.execute(sql, params![id, at]).await?;
    Ok(())
}

/// Calls whose end was asked for and whose engines have not brought it about.
pub async fn to_end(tx: &mut PlatformTx, limit: u32) -> Result<Vec<Call>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM calls c WHERE c.end_asked_at IS NOT NULL AND c.finished_at IS NULL \
         AND c.state IN ('dialing', 'ringing', 'in_progress') ORDER BY c.end_asked_at LIMIT $1"
    );
    tx.query(&sql, params![limit]).await?.into_iter().map(Calls::read).collect()
}

/// Since when it has been known that the talk is over.
pub async fn end_seen_at(tx: &mut PlatformTx, id: CallId) -> Result<Option<Timestamp>, StoreError> {
    let row = tx.query_one("SELECT end_seen_at FROM calls WHERE id = $1", params![id]).await?;
    row.map_or(Ok(None), |row| row.of("calls").next())
}

/// Has the engine asked after a call then, unless its end has been seen and decides that.
pub async fn check_after_talk(tx: &mut PlatformTx, id: CallId, at: Timestamp) -> Result<(), StoreError> {
    let sql = "UPDATE calls SET check_at = $2 WHERE id = $1 AND end_seen_at IS NULL";
    tx.execute(sql, params![id, at]).await?;
    Ok(())
}

/// Has the engine asked after a call by then, or earlier if that is planned.
pub async fn check_by(tx: &mut PlatformTx, id: CallId, at: Timestamp) -> Result<(), StoreError> {
    let sql = "UPDATE calls SET check_at = CASE WHEN check_at < $2 THEN check_at ELSE $2 END WHERE id = $1";
    tx.execute(sql, params![id, at]).await?;
    Ok(())
}

/// Calls that an engine was asked for before then and of which nothing has been heard.
pub async fn dialing_since(
    tx: &mut PlatformTx,
    before: Timestamp,
    limit: u32,
) -> Result<Vec<Call>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM calls c WHERE c.finished_at IS NULL AND c.state = 'dialing' AND c.check_at IS NULL \
         AND {SILENT_SINCE} ORDER BY c.created_at LIMIT $2"
    );
    tx.query(&sql, params![before, limit]).await?.into_iter().map(Calls::read).collect()
}

/// Calls whose wrap-up should have ended before then.
pub async fn wrapping_up_overdue(
    tx: &mut PlatformTx,
    before: Timestamp,
    limit: u32,
) -> Result<Vec<Call>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM calls c WHERE c.finished_at IS NULL AND c.state = 'wrapping_up' AND c.wrap_up_until < $1 \
         ORDER BY c.created_at LIMIT $2"
    );
    tx.query(&sql, params![before, limit]).await?.into_iter().map(Calls::read).collect()
}
