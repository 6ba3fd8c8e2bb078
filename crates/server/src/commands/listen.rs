//! `kaicalls listen`: hands events to a program on this machine as webhooks, without a tunnel. It pulls the durable stream over the API, from
//! any point in the past, and goes on where it stopped.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use app::Entropy as _;
use bytes::Bytes;
use clap::Args;
use domain::clock::written;
use domain::{Clock as _, EventId, IdSource as _, Timestamp};
use egress::{OperatorClient, Timeouts};
use http::Method;
use jiff::SignedDuration;
use serde_json::{Map, Value, json};
use webhooks::signature::{self, Envelope};

use crate::client::Client;
use crate::commands::arguments;
use crate::config::Config;
use crate::failure::Failure;
use crate::output::{Format, printable, remark, say};
use crate::system::{SystemClock, SystemEntropy, TimeOrderedIds};

/// How often the stream is looked at.
const POLL: Duration = Duration::from_secs(1);

/// Events of so long before the newest one are looked at again: transactions that run side by side may show theirs in another order than
/// that of their times.
const OVERLAP: SignedDuration = SignedDuration::from_secs(10);

/// How many events are read at once.
const PAGE: usize = 100;

/// The pauses before a program that answers otherwise than 2xx is asked again. After that the event is passed over.
const REPEATED: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(3)];

/// The longest pause before somebody who does not answer is asked again.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// Hand events to a program on this machine as signed webhooks, from any point in the past (API)
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  kaicalls listen --forward http://localhost:3000/hook --events call.completed,lead.created\n\nIt needs a key with the \
                        scope events:read and no tunnel. What was handed over is remembered in the state file, so the next run goes on \
                        where this one stopped. An event that the program refuses three times is passed over; while nothing answers at \
                        the address, it waits."
)]
pub(crate) struct Listen {
    /// Address of the program
    #[arg(long, value_name = "URL", value_parser = arguments::address)]
    forward: String,
    /// Only events of these types, separated by commas [default: all]
    #[arg(long, value_name = "NAMES", value_parser = arguments::event_types_or_all)]
    events: Option<String>,
    /// Only events of the business with this id [default: all that the key can reach]
    #[arg(long, value_name = "ID", value_parser = arguments::id)]
    business: Option<String>,
    /// Begin with the events of this time, like 2026-11-01T00:00:00Z [default: where the last run stopped, or now]
    #[arg(long, value_name = "TIME", value_parser = arguments::moment)]
    from: Option<Timestamp>,
    /// Secret to sign with [default: that of the last run, or a new one, which is printed]
    #[arg(long, value_name = "SECRET")]
    secret: Option<String>,
    /// File that remembers where it stopped and the secret
    #[arg(long, value_name = "FILE", default_value = "kaicalls-listen.json")]
    state: PathBuf,
    /// End when everything up to now has been handed over
    #[arg(long)]
    once: bool,
}

/// Where a run is, and what the next one has to know.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    /// The stream: a server's events of some kinds, to an address.
    stream: String,
    secret: String,
    /// Nothing from before this is handed over.
    begin: Timestamp,
    /// The time of the newest event that was handed over.
    newest: Timestamp,
    /// Events near that time that were handed over, with their times.
    done: BTreeMap<String, Timestamp>,
}

/// What came of handing an event over.
enum Handed {
    /// The program answered with this status.
    Answered(u16),
    /// Nothing answers, for this reason.
    Unreachable(String),
}

impl Listen {
    pub(crate) async fn run(self, config: Config, format: Format) -> Result<(), Failure> {
        let client = Client::configured(&config)?;
        let timeouts = Timeouts { idle: Duration::from_secs(30), ..Timeouts::default() };
        let local = OperatorClient::new(timeouts);
        let mut place = self.begin(&client).await?;
        remark(format_args!("handing events to {}, signed with {}", self.forward, place.secret));
        self.save(&place)?;
        // The first look tells whether server and key are right; after that both may be away for a while.
        let mut page = self.page(&client, &place, None).await?;
        let mut away = 0_u32;
        loop {
            let has_more = page["has_more"] == true;
            let rows = page["events"].as_array().cloned().unwrap_or_default();
            let last = rows.last().and_then(|row| row["created_at"].as_str()).map(str::to_owned);
            for event in &rows {
                self.hand_over(&local, format, event, &mut place).await?;
            }
            if !has_more {
                if self.once {
                    return Ok(());
                }
                tokio::time::sleep(POLL).await;
            }
            let after = last.filter(|_| has_more);
            page = loop {
                match self.page(&client, &place, after.as_deref()).await {
                    Ok(page) => break page,
                    Err(failure) => {
                        if away == 0 {
                            remark(format_args!("{failure}; trying again"));
                        }
                        away += 1;
                        tokio::time::sleep(growing(away)).await;
                    }
                }
            };
            if away > 0 {
                remark("the server answers again");
                away = 0;
            }
        }
    }

    /// Where to begin: at the time that was named, where the last run stopped, or with what happens from now on.
    async fn begin(&self, client: &Client) -> Result<Place, Failure> {
        let stream = format!(
            "{} {} {} -> {}",
            client.base_url(),
            self.business.as_deref().unwrap_or("*"),
            self.events.as_deref().unwrap_or("*"),
            self.forward
        );
        let earlier = self.remembered()?;
        let secret = self.secret.clone().or(earlier.as_ref().map(|place| place.secret.clone()));
        let secret = secret.unwrap_or_else(new_secret);
        let at =
            |begin| Place { stream: stream.clone(), secret, begin, newest: begin, done: BTreeMap::new() };
        if let Some(from) = self.from {
            return Ok(at(from));
        }
        match earlier {
            Some(place) if place.stream == stream => Ok(Place { secret: at(place.begin).secret, ..place }),
            _ => {
                // By the server's clock: after the newest event that there is.
                let newest = client.find("/events", &[("limit", Some("1".to_owned()))]).await?;
                let newest = newest["events"][0]["created_at"].as_str().and_then(|time| time.parse().ok());
                let begin: Timestamp = newest.unwrap_or(Timestamp::UNIX_EPOCH);
                Ok(at(begin + SignedDuration::from_micros(i64::from(newest.is_some()))))
            }
        }
    }

    /// The next events, oldest first.
    async fn page(&self, client: &Client, place: &Place, after: Option<&str>) -> Result<Value, Failure> {
        let parameters = [
            ("order", Some("oldest".to_owned())),
            ("limit", Some(PAGE.to_string())),
            ("from", Some(written(place.look_from()))),
            ("after", after.map(str::to_owned)),
            ("event_type", self.events.clone().filter(|names| names != "*")),
            ("business_id", self.business.clone()),
        ];
        client.find("/events", &parameters).await
    }

    /// Hands an event to the program, unless that has happened, and remembers it.
    async fn hand_over(
        &self,
        local: &OperatorClient,
        format: Format,
        event: &Value,
        place: &mut Place,
    ) -> Result<(), Failure> {
        let (id, time) = (event["id"].as_str().unwrap_or_default(), event["created_at"].as_str());
        let Some(time) = time.and_then(|time| time.parse::<Timestamp>().ok()) else { return Ok(()) };
        if place.done.contains_key(id) {
            return Ok(());
        }
        let status = self.sent(local, event, &place.secret).await;
        place.done.insert(id.to_owned(), time);
        place.newest = place.newest.max(time);
        let from = place.look_from();
        place.done.retain(|_, time| *time >= from);
        self.save(place)?;
        let kind = printable(event["event_type"].as_str().unwrap_or_default());
        match format {
            Format::Json => say!("{}", json!({ "event_id": id, "event_type": kind, "status": status })),
            Format::Text => say!("{}  {kind}  {id}  {status}", written(time)),
        }
    }

    /// Posts an event until the program takes it or has refused it for good; gives its last answer.
    async fn sent(&self, local: &OperatorClient, event: &Value, secret: &str) -> u16 {
        let mut pauses = REPEATED.iter();
        let mut unreachable = 0_u32;
        loop {
            match self.post(local, event, secret).await {
                Handed::Answered(status) if (200..300).contains(&status) => return status,
                Handed::Answered(status) => match pauses.next() {
                    Some(pause) => tokio::time::sleep(*pause).await,
                    None => {
                        remark(format_args!("{} answers {status}; the event is passed over", self.forward));
                        return status;
                    }
                },
                Handed::Unreachable(reason) => {
                    if unreachable == 0 {
                        remark(format_args!("{} does not answer ({reason}); waiting for it", self.forward));
                    }
                    unreachable += 1;
                    tokio::time::sleep(growing(unreachable)).await;
                }
            }
        }
    }

    async fn post(&self, local: &OperatorClient, event: &Value, secret: &str) -> Handed {
        let Some(event_id) = event["id"].as_str().and_then(|id| id.parse::<EventId>().ok()) else {
            return Handed::Answered(0);
        };
        let body = Bytes::from(event["payload"].to_string());
        let attempt_id = TimeOrderedIds.next().to_string();
        let envelope = Envelope {
            event_id,
            event_type: event["event_type"].as_str().unwrap_or_default(),
            attempt_id: &attempt_id,
            sent_at: SystemClock.now(),
        };
        let headers = signature::headers(&[secret.to_owned()], &envelope, &body);
        match local.send(Method::POST, &self.forward, &headers, Some(body)).await {
            Ok(response) => Handed::Answered(response.status()),
            Err(error) => Handed::Unreachable(error.to_string()),
        }
    }

    fn remembered(&self) -> Result<Option<Place>, Failure> {
        let problem =
            |problem: String| Failure::Because(format!("--state: {}: {problem}", self.state.display()));
        match std::fs::read_to_string(&self.state) {
            Ok(text) => Place::from_text(&text).map(Some).ok_or_else(|| {
                problem("is no state of `kaicalls listen`; name another file or remove it".to_owned())
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(problem(error.to_string())),
        }
    }

    /// Writes the state beside the old one and puts it in its place, so that no crash leaves half of it.
    fn save(&self, place: &Place) -> Result<(), Failure> {
        let mut draft = self.state.clone().into_os_string();
        draft.push(".new");
        let written =
            std::fs::write(&draft, place.to_text()).and_then(|()| std::fs::rename(&draft, &self.state));
        written.map_err(|error| Failure::Because(format!("--state: {}: {error}", self.state.display())))
    }
}

impl Place {
    /// From when on the stream is looked at.
    fn look_from(&self) -> Timestamp {
        self.begin.max(self.newest - OVERLAP)
    }

    fn to_text(&self) -> String {
        let done: Map<String, Value> =
            self.done.iter().map(|(id, time)| (id.clone(), written(*time).into())).collect();
        let Self { stream, secret, .. } = self;
        let (begin, newest) = (written(self.begin), written(self.newest));
        json!({ "stream": stream, "secret": secret, "begin": begin, "newest": newest, "done": done })
            .to_string()
    }

    fn from_text(text: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(text).ok()?;
        let field = |name: &str| value[name].as_str();
        let done = value["done"].as_object()?.iter();
        Some(Self {
            stream: field("stream")?.to_owned(),
            secret: field("secret")?.to_owned(),
            begin: field("begin")?.parse().ok()?,
            newest: field("newest")?.parse().ok()?,
            done: done
                .map(|(id, time)| Some((id.clone(), time.as_str()?.parse().ok()?)))
                .collect::<Option<_>>()?,
        })
    }
}

fn new_secret() -> String {
    let mut random = [0; 32];
    SystemEntropy.fill(&mut random);
    signature::new_secret(&random)
}

/// The pause after so many failures.
fn growing(failures: u32) -> Duration {
    let pause = Duration::from_millis(500).saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1)));
    pause.min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("in range")
    }

    #[test]
    fn what_is_remembered_reads_back_and_other_files_do_not() {
        let place = Place {
            stream: "http://a * * -> http://b".into(),
            secret: "whsec_x".into(),
            begin: at(1000),
            newest: at(2000),
            done: [("e1".to_owned(), at(1995))].into(),
        };
        assert_eq!(Place::from_text(&place.to_text()), Some(place));
        for other in ["", "{}", "[]", "[package]", r#"{"stream":"a","secret":"b"}"#] {
            assert_eq!(Place::from_text(other), None, "{other}");
        }
    }

    #[test]
    fn a_look_overlaps_the_last_one_but_never_goes_back_before_the_beginning() {
        let place = |newest| Place {
            stream: String::new(),
            secret: String::new(),
            begin: at(1000),
            newest: at(newest),
            done: BTreeMap::new(),
        };
        assert_eq!(place(1000).look_from(), at(1000));
        assert_eq!(place(1005).look_from(), at(1000));
        assert_eq!(place(2000).look_from(), at(1990));
    }

    #[test]
    fn pauses_grow_and_stay_bearable() {
        let pauses: Vec<u64> = [1, 2, 3, 100].map(|failures| growing(failures).as_secs()).into();
        assert_eq!(pauses, [0, 1, 2, 15]);
    }
}
