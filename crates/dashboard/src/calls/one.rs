//! The page of one call: the verdict first, then one timeline, the words, and everything behind them. A running call is followed live.

use std::time::Duration;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use domain::Mode;
use domain::call::{CallState, Direction, LogLine, Party};
use serde_json::json;
use store::call_remarks::Remark;
use web::Web;

use super::list::{other_party, quality};
use super::sound;
use super::story::{self, Followed, Story};
use super::timeline::{Timeline, wait_tone};
use super::words;
use crate::form::{Asked, address, parse_id};
use crate::live::{News, Watch, follow, shown};
use crate::page::{Frame, PageError, Section, framed};
use crate::show::{self, Clock, When};
use crate::visitor::Visitor;

/// A word with the time at which it is heard.
struct Word {
    at_ms: u64,
    text: String,
}

/// A line of the talk.
enum Line {
    Said {
        at_ms: u64,
        at: String,
        is_agent: bool,
        words: Vec<Word>,
        cut: bool,
        wait: Option<(String, &'static str)>,
        /// What the caller waited for, stage by stage, where it was measured.
        stages: String,
    },
    Noted {
        at_ms: u64,
        at: String,
        text: String,
    },
}

/// A mark with what it stands for.
struct Score {
    name: &'static str,
    about: &'static str,
    mark: u8,
    tone: &'static str,
}

/// A line of the raw log.
struct Entry {
    seq: i64,
    at: String,
    what: &'static str,
    detail: String,
}

/// A webhook of the call.
struct Hook {
    href: String,
    event: String,
    url: String,
    state: &'static str,
    tone: &'static str,
    detail: String,
    when: When,
}

/// What the verdict says of the lead.
struct LeadLine {
    href: String,
    name: String,
    is_new: bool,
    status: String,
    score: Option<u8>,
}

/// The part of the page that changes while the call runs.
#[derive(Template)]
#[template(path = "call_part.html")]
struct Part {
    state: &'static str,
    tone: &'static str,
    verdict: String,
    is_running: bool,
    is_urgent: Option<&'static str>,
    length: String,
    rang: Option<String>,
    lead: Option<LeadLine>,
    quality: Option<u32>,
    cost: Option<String>,
    slowest: Option<(String, &'static str)>,
    /// What the slowest turn was spent on, where it was measured.
    slowest_stages: String,
    timeline: Option<Timeline>,
    sound: Option<String>,
    lines: Vec<Line>,
    summary: Option<String>,
    scores: Vec<Score>,
    analyst: String,
    hooks: Vec<Hook>,
    log: Vec<Entry>,
}

#[derive(Template)]
#[template(path = "call.html")]
struct CallPage {
    frame: Frame,
    id: String,
    path: String,
    who: String,
    number: Option<String>,
    direction: &'static str,
    agent: String,
    when: When,
    is_running: bool,
    may_call: bool,
    after: i64,
    part: String,
    curl: Option<String>,
    facts: Vec<(&'static str, String)>,
    context: Option<String>,
    note: String,
    /// Each with the search that finds it.
    tags: Vec<(String, String)>,
    /// By whom and when it was noted.
    noted: Option<(String, When)>,
}

impl CallPage {
    fn written_tags(&self) -> String {
        self.tags.iter().map(|(tag, _)| tag.as_str()).collect::<Vec<_>>().join(", ")
    }
}

pub(crate) async fn page(
    visitor: Visitor,
    State(web): State<Web>,
    Path(name): Path<String>,
) -> Result<Response, PageError> {
    let id = parse_id(&name)?;
    let story = story::read(&web, &visitor.tenancy, id).await?.ok_or(PageError::NotFound)?;
    let clock = visitor.clock(&web);
    let call = &story.view.call;
    let (who, number) = other_party(call);
    let is_running = !call.state().is_final();
    let remark = story.remark.as_ref();
    let page = CallPage {
        id: id.to_string(),
        path: format!("/{}/calls/{id}", visitor.mode()),
        who,
        number,
        direction: words::direction(call.direction),
        agent: story.view.agent_name.clone(),
        when: clock.when(call.created_at),
        is_running,
        may_call: !is_running && call.other_party().is_some(),
        after: story.seq(),
        part: drawn(&web, &story, &clock).await?,
        curl: (call.direction == Direction::Outbound).then(|| curl(&web, &story)),
        facts: facts(&story, &clock),
        context: call.request.context.clone(),
        note: remark.map(|remark| remark.note.clone()).unwrap_or_default(),
        tags: remark.map(|remark| tags(remark, visitor.mode())).unwrap_or_default(),
        noted: remark.map(|remark| (remark.written_by.clone(), clock.when(remark.written_at))),
        frame: visitor.frame(&web, Section::Calls),
    };
    framed(&page.frame.nonce, &page)
}

fn tags(remark: &Remark, mode: Mode) -> Vec<(String, String)> {
    let path = format!("/{mode}/calls");
    remark.tags.iter().map(|tag| (tag.clone(), address(&path, &[("q", Some(tag.as_str()))]))).collect()
}

/// The part as it is now.
async fn drawn(web: &Web, story: &Story, clock: &Clock) -> Result<String, PageError> {
    let recording = story.view.call.recording();
    let wave = match recording {
        Some(recording) => sound::wave(web.app(), recording).await,
        None => None,
    };
    let call = &story.view.call;
    let sound = recording.map(|_| {
        let (url, _) = app::recordings::signed_url(web.app(), call.id, web.app().now());
        // The same server under whichever name the visitor reached it.
        url.strip_prefix(&web.app().settings().public_url).map(str::to_owned).unwrap_or(url)
    });
    let waits = story.waits();
    let slowest = waits.iter().flatten().max().filter(|wait| !wait.is_zero());
    let slowest_turn = story.said.iter().zip(&waits).find(|(_, wait)| wait.as_ref() == slowest);
    let slowest_stages =
        slowest_turn.filter(|_| slowest.is_some()).and_then(|(said, _)| story.measured(said));
    let is_over = call.state().is_final();
    let part = Part {
        state: words::state(call),
        tone: show::tone(call.state().as_str()),
        verdict: words::verdict(call),
        is_running: !is_over,
        is_urgent: call.urgency().map(domain::call::Urgency::as_str),
        length: show::length(story.talk_length()),
        rang: rang(story),
        lead: story.lead.as_ref().map(|lead| LeadLine {
            href: format!("/{}/leads/{}", call.mode, lead.id),
            name: lead.fields.name.clone().unwrap_or_else(|| "Unnamed".to_owned()),
            is_new: lead.created_at >= call.created_at,
            status: lead.fields.status.clone(),
            score: lead.score,
        }),
        quality: quality(call),
        cost: is_over.then(|| show::money(call.cost_cents().into())),
        slowest: slowest.map(|&wait| (show::span(wait), wait_tone(wait))),
        slowest_stages: slowest_stages.map(words::stages).unwrap_or_default(),
        timeline: Timeline::of(story, wave),
        sound,
        lines: lines(story, &waits),
        summary: call.summary().map(str::to_owned),
        scores: scores(story),
        analyst: match call.assessment().map(|assessment| assessment.analyst.as_str()) {
            Some("deterministic") => "fixed rules".to_owned(),
            other => other.unwrap_or_default().to_owned(),
        },
        hooks: hooks(story, clock),
        log: story.log.iter().map(|row| entry(row, clock)).collect(),
    };
    part.render().map_err(|error| PageError::Drawing(error.to_string()))
}

/// How long it rang before somebody answered.
fn rang(story: &Story) -> Option<String> {
    let ringing = story.log.iter().find(|row| row.line == Some(LogLine::Ringing))?.at;
    let until = story.answered_at().or_else(|| story.view.call.ended_at())?;
    let millis = u64::try_from(until.as_millisecond() - ringing.as_millisecond()).ok()?;
    Some(show::span(Duration::from_millis(millis)))
}

fn lines(story: &Story, waits: &[Option<Duration>]) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::with_capacity(story.said.len());
    for (said, wait) in story.said.iter().zip(waits) {
        let at_ms = millis(said.start);
        lines.push(Line::Said {
            at_ms,
            at: show::length(said.start),
            is_agent: said.by == Party::Agent,
            words: spoken(&said.text, said.start, said.end),
            cut: said.interrupted,
            wait: wait
                .filter(|wait| *wait >= Duration::from_millis(100))
                .map(|wait| (show::span(wait), wait_tone(wait))),
            stages: story.measured(said).map(words::stages).unwrap_or_default(),
        });
    }
    let noted = |(at, text, _)| Line::Noted { at_ms: millis(at), at: show::length(at), text };
    lines.extend(story.notes().map(noted));
    lines.sort_by_key(|line| match line {
        Line::Said { at_ms, .. } | Line::Noted { at_ms, .. } => *at_ms,
    });
    lines
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// The words of an utterance, each at the time at which it is heard if everybody speaks evenly.
fn spoken(text: &str, start: Duration, end: Duration) -> Vec<Word> {
    let (all, length_ms) = (text.chars().count().max(1) as u64, millis(end.saturating_sub(start)));
    let mut before = 0;
    let mut words = Vec::new();
    for word in text.split_inclusive(char::is_whitespace) {
        words.push(Word { at_ms: millis(start) + length_ms * before / all, text: word.to_owned() });
        before += word.chars().count() as u64;
    }
    words
}

fn scores(story: &Story) -> Vec<Score> {
    let Some(quality) = story.view.call.assessment().and_then(|assessment| assessment.quality) else {
        return Vec::new();
    };
    let score = |name, mark: u8, about: [&'static str; 3]| {
        let (tone, about) = match mark {
            80.. => ("good", about[0]),
            50..80 => ("warn", about[1]),
            _ => ("bad", about[2]),
        };
        Score { name, about, mark, tone }
    };
    vec![
        score(
            "Professionalism",
            quality.professionalism,
            [
                "Polite, clear and to the point.",
                "Some of it was abrupt, repeated or off the point.",
                "It did not sound like the business it speaks for.",
            ],
        ),
        score(
            "Empathy",
            quality.empathy,
            [
                "It took up what the caller felt.",
                "It heard what was said, and little of how.",
                "It passed over how the caller felt.",
            ],
        ),
        score(
            "Information gathered",
            quality.information_gathering,
            [
                "Name, way to reach them and matter are known.",
                "A part of what the business needs is missing.",
                "Little was found out that the business can use.",
            ],
        ),
        score(
            "Resolution",
            quality.resolution,
            [
                "The caller got what they called for, or a clear next step.",
                "It ended without a clear next step.",
                "The caller's matter was left open.",
            ],
        ),
    ]
}

fn hooks(story: &Story, clock: &Clock) -> Vec<Hook> {
    let hook = |delivery: &store::call_deliveries::CallDelivery| {
        let answer = match (delivery.last_status, delivery.last_error.as_deref()) {
            (Some(status), _) => format!("answered {status}"),
            (None, Some(error)) => error.replace('_', " "),
            (None, None) => "not sent yet".to_owned(),
        };
        let tries = match delivery.attempts {
            1 => "1 attempt".to_owned(),
            count => format!("{count} attempts"),
        };
        let next = delivery.next_attempt_at.filter(|_| delivery.state == "pending");
        let next = next.map(|next| format!(", next {}", clock.when(next).short)).unwrap_or_default();
        let took =
            delivery.last_duration_ms.map(|ms| format!(" in {}", show::span(Duration::from_millis(ms))));
        Hook {
            href: format!("/{}/events/{}", story.view.call.mode, delivery.event_id),
            event: delivery.event_type.clone(),
            url: delivery.url.clone(),
            state: match delivery.state {
                "succeeded" => "Delivered",
                "failed" => "Failed",
                _ => "Waiting",
            },
            tone: show::tone(delivery.state),
            detail: format!("{tries}, {answer}{}{next}", took.unwrap_or_default()),
            when: clock.when(delivery.created_at),
        }
    };
    story.deliveries.iter().map(hook).collect()
}

fn entry(row: &store::call_log::LogRow, clock: &Clock) -> Entry {
    let (what, detail) = match &row.line {
        None => ("unknown", "written by a newer version".to_owned()),
        Some(LogLine::Queued) => ("queued", String::new()),
        Some(LogLine::Waiting) => ("waiting", "no room at the engine".to_owned()),
        Some(LogLine::Dialing) => ("dialing", String::new()),
        Some(LogLine::Accepted { conversation_id }) => ("accepted", conversation_id.clone()),
        Some(LogLine::Ringing) => ("ringing", String::new()),
        Some(LogLine::Answered) => ("answered", String::new()),
        Some(LogLine::Said(said)) => ("said", format!("{}: {}", said.by.as_str(), said.text)),
        Some(LogLine::Noted { kind: what, detail }) => {
            ("noted", format!("{what} {detail}").trim_end().to_owned())
        }
        Some(LogLine::Turn(times)) => ("turn", words::turn(times)),
        Some(LogLine::Sound(quality)) => ("sound", words::sound(quality)),
        Some(LogLine::Talked { reason, talked }) => {
            ("ended", format!("{reason}, after {}", show::length(*talked)))
        }
        Some(LogLine::NotConnected { reason, code }) => ("ended", format!("{reason} ({})", code.as_str())),
        Some(LogLine::Completed) => ("completed", String::new()),
        Some(LogLine::Failed) => ("failed", String::new()),
    };
    Entry { seq: row.seq, at: clock.second(row.at), what, detail }
}

fn facts(story: &Story, clock: &Clock) -> Vec<(&'static str, String)> {
    let call = &story.view.call;
    let mut facts = vec![("To", show::phone(&call.to))];
    match &call.from {
        Some(from) => facts.push(("From", show::phone(from))),
        None if call.direction == Direction::Inbound => facts.push(("From", "withheld".to_owned())),
        None => {}
    }
    facts.push(("Created", clock.when(call.created_at).full));
    if let Some(answered) = call.answered_at() {
        facts.push(("Answered", clock.when(answered).full));
    }
    if let Some(ended) = call.ended_at() {
        facts.push(("Ended", clock.when(ended).full));
    }
    facts.push(("At most", show::length(call.max_duration)));
    facts.push(("Engine", call.engine.clone()));
    facts.push(("Dial decision", call.policy_reason.clone()));
    if !call.disclosed().is_empty() {
        let said: Vec<&str> = call.disclosed().iter().map(|disclosure| disclosure.as_str()).collect();
        facts.push(("Disclosed", said.join(", ")));
    }
    if let Some(quality) = story.sound() {
        facts.push(("Sound", words::sound(quality)));
    }
    if let Some(conversation) = call.conversation_id() {
        facts.push(("Conversation", conversation.to_owned()));
    }
    facts
}

/// The request that places this call, for a shell.
fn curl(web: &Web, story: &Story) -> String {
    let call = &story.view.call;
    let mut body = json!({ "agent_id": call.agent_id, "to": call.to.as_str() });
    let request = &call.request;
    let texts =
        [("name", &request.name), ("context", &request.context), ("first_message", &request.first_message)];
    for (name, text) in texts {
        if let Some(text) = text {
            body[name] = text.as_str().into();
        }
    }
    if let Some(lead) = call.lead_id() {
        body["lead_id"] = lead.to_string().into();
    }
    shell_request(&web.app().settings().public_url, "/api/v1/calls", &body.to_string())
}

/// A POST with curl; the key comes from the environment.
pub(crate) fn shell_request(base: &str, path: &str, body: &str) -> String {
    let body = body.replace('\'', r"'\''");
    format!(
        "curl {base}{path} \\\n  -H \"Authorization: Bearer $KAICALLS_API_KEY\" \\\n  -H 'Content-Type: application/json' \\\n  -d '{body}'"
    )
}

/// A call that somebody has before their eyes.
struct Following {
    call: Followed,
    clock: Clock,
    /// The last line of the log that the page shows.
    seen: i64,
}

impl Watch for Following {
    async fn look(&mut self) -> Result<News, PageError> {
        let Some(story) = self.call.story().await? else { return Ok(News::Over) };
        if matches!(story.view.call.state(), CallState::Ended(_)) {
            return Ok(News::Over);
        }
        if story.seq() <= self.seen {
            return Ok(News::Nothing);
        }
        self.seen = story.seq();
        Ok(News::Part { id: self.seen.to_string(), html: drawn(&self.call.web, &story, &self.clock).await? })
    }

    async fn wait(&mut self) {
        self.call.wait().await;
    }
}

/// The call as it goes on, for the page that shows it.
pub(crate) async fn live(
    visitor: Visitor,
    State(web): State<Web>,
    Path(name): Path<String>,
    asked: Asked,
    headers: http::HeaderMap,
) -> Result<Response, PageError> {
    let clock = visitor.clock(&web);
    let call = Followed::new(&web, visitor.tenancy, parse_id(&name)?).await?;
    let seen = shown(&headers, &asked).and_then(|seen| seen.parse().ok()).unwrap_or(0);
    Ok(follow(&web, visitor.user, Following { call, clock, seen }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_spread_over_the_time_in_which_they_are_said() {
        let words = spoken("Good morning, Maria", Duration::from_secs(2), Duration::from_secs(4));
        let at: Vec<(u64, &str)> = words.iter().map(|word| (word.at_ms, word.text.as_str())).collect();
        assert_eq!(at, [(2000, "Good "), (2526, "morning, "), (3473, "Maria")]);
        assert!(spoken("", Duration::ZERO, Duration::ZERO).is_empty());
    }

    #[test]
    fn what_a_caller_is_called_cannot_leave_the_quotes_of_a_shell() {
        let written = shell_request("http://x", "/y", r#"{"name":"O'Brien'; rm -rf ~ #"}"#);
        assert!(written.ends_with(r#"-d '{"name":"O'\''Brien'\''; rm -rf ~ #"}'"#), "{written}");
    }
}
