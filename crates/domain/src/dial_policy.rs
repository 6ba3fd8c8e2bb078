//! May this number be called now? One pure function decides every dial, before anything rings, and leaves its reason.
//!
//! Each rule looks at the call by itself, so that whoever asks learns everything that stands in the way. What nothing rings for needs
//! little: of test calls only opt-outs and the limit of calls at once are asked for, and a number of the sandbox rehearses each refusal.

mod budget;
mod consent;
mod destination;
mod frequency;
mod hours;
#[cfg(test)]
mod tests;
mod zones;

use jiff::tz::TimeZone;

pub use budget::{Budget, Overdrawn, Payer};
pub use consent::Consent;
pub use destination::{Destination, Destinations, UnreadableLine, country_calling_code};
pub use frequency::WEEK as ATTEMPTS_COUNT_FOR;
pub use hours::{CallingHours, NotHours};
pub use zones::zones_of;

use crate::business::{ConsentRule, Limits};
use crate::call::Purpose;
use crate::{E164, Mode, Timestamp};

/// Everything that the policy wants to know.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// Number to be called.
    pub to: &'a E164,
    pub mode: Mode,
    /// When it is to be called.
    pub at: Timestamp,
    /// Whether the call would wait for the calling hours.
    pub can_wait: bool,
    /// Calling code of the business's home country, digits only.
    pub home_country: &'a str,
    /// Calling codes that the operator allows besides, digits only.
    pub allowed_countries: &'a [String],
    /// What the operator knows better than the numbering plans in this program.
    pub destinations: &'a Destinations,
    /// When the business calls people.
    pub hours: CallingHours,
    /// The time zone in which the lead is known to be.
    pub zone_of_lead: Option<&'a str>,
    /// The time zone of the business, for numbers of which nothing else is known.
    pub zone_of_business: &'a str,
    /// The number asked not to be called.
    pub opted_out: bool,
    /// Calls of the business that run now.
    pub running: u32,
    /// The largest number of calls of the business that may run at once.
    pub max_running: u32,
    /// What the business itself allows.
    pub limits: Limits,
    /// What the call is for, if anybody said.
    pub purpose: Option<Purpose>,
    /// The consent of the person with this number, if it is on record.
    pub consent: Option<&'a Consent>,
    /// When the business called the number before, the latest first, as far as seven days back.
    pub attempts: &'a [Timestamp],
    /// The budgets that pay for the call, as they are without it.
    pub budgets: &'a [Budget],
    /// The most that the call can cost, in cents.
    pub worst_case_cents: u64,
    /// When the day of the budgets is over.
    pub day_ends_at: Timestamp,
}

/// A rule of the policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    OptOut,
    Consent,
    Concurrency,
    Destination,
    Country,
    CallingHours,
    Frequency,
    Budget,
}

impl Rule {
    /// The id that answers and records name the rule by.
    pub fn id(self) -> &'static str {
        match self {
            Self::OptOut => "opt-out",
            Self::Consent => "consent",
            Self::Concurrency => "concurrency",
            Self::Destination => "destination",
            Self::Country => "country",
            Self::CallingHours => "calling-hours",
            Self::Frequency => "frequency",
            Self::Budget => "budget",
        }
    }
}

/// What a rule says of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// Nothing against it; says what was found.
    Passed(String),
    /// The rule does not ask such calls; says why.
    Skipped(&'static str),
    Refused(Refusal),
}

/// What one rule says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    pub rule: Rule,
    pub finding: Finding,
}

/// What all rules say of a call, in the order in which they count: what the person wishes comes before everything else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    pub checks: Vec<Check>,
    /// The first moment, from the asked one on, within the calling hours; `None` if there is none.
    pub opens_at: Option<Timestamp>,
}

impl Decision {
    /// The refusal that counts, with its rule.
    pub fn refusal(&self) -> Option<(Rule, &Refusal)> {
        self.checks.iter().find_map(|check| match &check.finding {
            Finding::Refused(refusal) => Some((check.rule, refusal)),
            Finding::Passed(_) | Finding::Skipped(_) => None,
        })
    }

    /// Why the call is allowed, for the record.
    pub fn reason(&self) -> String {
        let passed = self.checks.iter().filter_map(|check| match &check.finding {
            Finding::Passed(found) => Some(format!("{}: {found}", check.rule.id())),
            Finding::Skipped(_) | Finding::Refused(_) => None,
        });
        format!("allowed; {}", passed.collect::<Vec<_>>().join("; "))
    }
}

/// Why a call is not allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The person asked not to be called.
    #[error(
        "the recipient asked not to be called; an operator can lift this with `kaicalls opt-outs remove`"
    )]
    OptedOut,
    /// Emergency services and other service codes.
    #[error("emergency and service numbers cannot be called by an agent")]
    Service,
    /// Numbers that cost the caller extra.
    #[error("premium-rate numbers cannot be called by an agent")]
    Premium,
    /// Numbers whose price caller and called party share.
    #[error("shared-cost numbers cannot be called by an agent")]
    SharedCost,
    /// Numbers that follow a person, at the price of whichever network they lead to.
    #[error("personal numbers cannot be called by an agent")]
    Personal,
    /// One number of a company for a whole country, at a rate of its own.
    #[error("universal access numbers cannot be called by an agent")]
    UniversalAccess,
    /// The numbering plan of its country has no such number.
    #[error(
        "the country of this number has no such number; if the range is new, the operator of this installation can \
         allow it"
    )]
    Invalid,
    /// Satellite and other networks without a country.
    #[error("satellite and global network numbers cannot be called by an agent")]
    Satellite,
    /// A country that neither is home nor has been allowed.
    #[error("calls to country code +{0} are not allowed; the operator of this installation can allow them")]
    ForeignCountry(String),
    /// It is too early or too late where the person is.
    #[error(
        "it is {local} in {zone}, and people are called from {hours} on their clock; with `scheduled_at` the call waits"
    )]
    OutsideHours { local: String, zone: String, hours: CallingHours },
    /// Too many calls of the business run already.
    #[error("{max} calls of this business run already; try again when one has ended")]
    TooManyRunning { max: u32 },
    /// Nobody knows that the person agreed to be called.
    #[error("{}", consent::missing(*.rule))]
    NoConsent { rule: ConsentRule },
    /// The number was called as often as the business wants.
    #[error(
        "the business calls a number {max} times within {within} at most, and has done so; it may be called again at {at}"
    )]
    TooOften { max: u32, within: &'static str, at: Timestamp },
    /// A budget has no room for the most that the call can cost.
    #[error(transparent)]
    OverBudget(Box<Overdrawn>),
}

impl Refusal {
    /// One word for records and metrics.
    pub fn code(&self) -> &'static str {
        match self {
            Self::OptedOut => "opted-out",
            Self::Service => Destination::Service.as_str(),
            Self::Premium => Destination::Premium.as_str(),
            Self::SharedCost => Destination::SharedCost.as_str(),
            Self::Personal => Destination::Personal.as_str(),
            Self::UniversalAccess => Destination::UniversalAccess.as_str(),
            Self::Invalid => Destination::Invalid.as_str(),
            Self::Satellite => Destination::Satellite.as_str(),
            Self::ForeignCountry(_) => "foreign-country",
            Self::OutsideHours { .. } => "outside-calling-hours",
            Self::TooManyRunning { .. } => "too-many-running",
            Self::NoConsent { .. } => "no-consent",
            Self::TooOften { .. } => "too-often",
            Self::OverBudget(_) => "budget-exceeded",
        }
    }
}

/// Why nothing but opt-outs and the limit of calls at once is asked for in test mode.
const NOTHING_RINGS: &str = "nothing rings in test mode";

/// Decides.
pub fn decide(question: &Question<'_>) -> Decision {
    let is_test = question.mode == Mode::Test;
    let unless_test = |rule, finding: &dyn Fn() -> Finding| {
        let finding = if is_test { Finding::Skipped(NOTHING_RINGS) } else { finding() };
        Check { rule, finding }
    };
    let (hours, opens_at) =
        if is_test { (Finding::Skipped(NOTHING_RINGS), Some(question.at)) } else { calling_hours(question) };
    let mut checks = vec![
        Check { rule: Rule::OptOut, finding: opt_out(question) },
        unless_test(Rule::Consent, &|| consent(question)),
        Check { rule: Rule::Concurrency, finding: concurrency(question) },
        unless_test(Rule::Destination, &|| destination(question)),
        unless_test(Rule::Country, &|| country(question)),
        Check { rule: Rule::CallingHours, finding: hours },
        unless_test(Rule::Frequency, &|| frequency(question)),
        unless_test(Rule::Budget, &|| budget(question)),
    ];
    if is_test {
        rehearse(question, &mut checks);
    }
    Decision { checks, opens_at }
}

fn opt_out(question: &Question<'_>) -> Finding {
    if question.opted_out {
        Finding::Refused(Refusal::OptedOut)
    } else {
        Finding::Passed("no wish not to be called".to_owned())
    }
}

fn concurrency(question: &Question<'_>) -> Finding {
    let max = question.max_running;
    if question.running >= max {
        Finding::Refused(Refusal::TooManyRunning { max })
    } else {
        Finding::Passed(format!("fewer than {max} calls run"))
    }
}

fn destination(question: &Question<'_>) -> Finding {
    Finding::Refused(match question.destinations.class_of(question.to) {
        Destination::Ordinary => return Finding::Passed(Destination::Ordinary.to_string()),
        Destination::Service => Refusal::Service,
        Destination::Premium => Refusal::Premium,
        Destination::SharedCost => Refusal::SharedCost,
        Destination::Personal => Refusal::Personal,
        Destination::UniversalAccess => Refusal::UniversalAccess,
        Destination::Satellite => Refusal::Satellite,
        Destination::Invalid => Refusal::Invalid,
    })
}

fn country(question: &Question<'_>) -> Finding {
    let country = country_calling_code(question.to);
    if country == question.home_country {
        Finding::Passed(format!("+{country} is home"))
    } else if question.allowed_countries.iter().any(|allowed| allowed == country) {
        Finding::Passed(format!("+{country} is on the operator's list"))
    } else {
        Finding::Refused(Refusal::ForeignCountry(country.to_owned()))
    }
}

fn consent(question: &Question<'_>) -> Finding {
    let rule = question.limits.consent;
    match rule {
        ConsentRule::Off => return Finding::Skipped("the business demands no consent"),
        ConsentRule::Marketing if question.purpose == Some(Purpose::Service) => {
            return Finding::Skipped(
                "the business demands consent to marketing only, and this call is a service",
            );
        }
        ConsentRule::Marketing | ConsentRule::Always => {}
    }
    match question.consent {
        Some(consent) => Finding::Passed(format!("given on {}", consent.given_at)),
        None => Finding::Refused(Refusal::NoConsent { rule }),
    }
}

fn frequency(question: &Question<'_>) -> Finding {
    let windows = frequency::windows(question.limits, question.attempts, question.at);
    let full = windows.iter().filter_map(|window| Some((window.frees_at?, window)));
    // Whichever window holds the call up longest.
    if let Some((at, window)) = full.max() {
        return Finding::Refused(Refusal::TooOften { max: window.max, within: window.within, at });
    }
    if windows.is_empty() {
        return Finding::Skipped("the business sets no limit of attempts");
    }
    let found =
        windows.iter().map(|window| format!("{} of {} within {}", window.made, window.max, window.within));
    Finding::Passed(found.collect::<Vec<_>>().join(", "))
}

fn budget(question: &Question<'_>) -> Finding {
    let needed_cents = question.worst_case_cents;
    // What costs nothing needs no room, even where everything is spent.
    let full = question.budgets.iter().find(|budget| needed_cents > 0 && budget.left_cents() < needed_cents);
    if let Some(&budget) = full {
        let frees_at = question.day_ends_at;
        return Finding::Refused(Refusal::OverBudget(Box::new(Overdrawn { budget, needed_cents, frees_at })));
    }
    let limits = question.budgets.iter();
    let limits: Vec<String> = limits
        .map(|one| format!("the {}'s {}", one.payer.as_str(), budget::dollars(one.limit_cents)))
        .collect();
    if limits.is_empty() {
        return Finding::Skipped("no budget is set");
    }
    Finding::Passed(format!(
        "{} set aside within {} a day",
        budget::dollars(needed_cents),
        limits.join(" and ")
    ))
}

/// The zones on whose clocks it must be a good time: the lead's own if it is known, else all in which the number can be.
fn zones(question: &Question<'_>) -> Vec<TimeZone> {
    if let Some(zone) = question.zone_of_lead.and_then(|name| TimeZone::get(name).ok()) {
        return vec![zone];
    }
    let known = zones_of(question.to);
    let names = if known.is_empty() { vec![question.zone_of_business] } else { known };
    let zones: Vec<TimeZone> = names.into_iter().filter_map(|name| TimeZone::get(name).ok()).collect();
    if zones.is_empty() { vec![TimeZone::UTC] } else { zones }
}

fn calling_hours(question: &Question<'_>) -> (Finding, Option<Timestamp>) {
    let Question { at, hours, .. } = *question;
    if hours == CallingHours::Any {
        return (Finding::Passed("at any time".to_owned()), Some(at));
    }
    let zones = zones(question);
    let opens_at = hours.next_opening(at, &zones);
    let name = |zone: &TimeZone| zone.iana_name().unwrap_or("UTC").to_owned();
    let local = |zone: &TimeZone| at.to_zoned_datetime(zone.clone()).strftime("%H:%M").to_string();
    let finding = match hours.closed_in(at, &zones) {
        Some(_) if question.can_wait && opens_at.is_some() => {
            Finding::Passed("waits for the calling hours".to_owned())
        }
        Some(zone) => Finding::Refused(Refusal::OutsideHours { local: local(zone), zone: name(zone), hours }),
        None if zones.len() == 1 => Finding::Passed(format!("{} in {}", local(&zones[0]), name(&zones[0]))),
        None => Finding::Passed(format!("{hours} in all {} zones of the number", zones.len())),
    };
    (finding, opens_at)
}

/// The first digits of the sandbox's own numbers.
const SANDBOX: &str = "+1500555";

/// Refuses a test call that goes to one of the sandbox's numbers for refusals, so that programs can be tried at any hour. The number for
/// the calling hours refuses only calls that do not wait for them.
fn rehearse(question: &Question<'_>, checks: &mut [Check]) {
    let last = question.to.as_str().strip_prefix(SANDBOX);
    let Some((rule, refusal)) = last.and_then(|last| rehearsed(last, question)) else { return };
    if rule == Rule::CallingHours && question.can_wait {
        return;
    }
    if let Some(check) = checks.iter_mut().find(|check| check.rule == rule) {
        check.finding = Finding::Refused(refusal);
    }
}

/// A budget that is used up, for the number of the sandbox that rehearses it.
fn used_up(question: &Question<'_>) -> Overdrawn {
    let limit_cents = question.limits.daily_budget_cents.unwrap_or(1_000);
    let budget = Budget { payer: Payer::Business, limit_cents, spent_cents: limit_cents, reserved_cents: 0 };
    Overdrawn { budget, needed_cents: question.worst_case_cents.max(1), frees_at: question.day_ends_at }
}

/// What a number with these last four digits is refused for.
fn rehearsed(last: &str, question: &Question<'_>) -> Option<(Rule, Refusal)> {
    Some(match last {
        "0101" => (Rule::OptOut, Refusal::OptedOut),
        "0102" => (Rule::Concurrency, Refusal::TooManyRunning { max: question.max_running }),
        "0103" => (Rule::Destination, Refusal::Service),
        "0104" => (Rule::Destination, Refusal::Premium),
        "0105" => (Rule::Destination, Refusal::SharedCost),
        "0106" => (Rule::Destination, Refusal::Personal),
        "0107" => (Rule::Destination, Refusal::UniversalAccess),
        "0108" => (Rule::Destination, Refusal::Satellite),
        "0109" => (Rule::Destination, Refusal::Invalid),
        "0110" => (Rule::Country, Refusal::ForeignCountry("44".to_owned())),
        "0111" => {
            let hours = match question.hours {
                CallingHours::Any => CallingHours::default(),
                hours @ CallingHours::Between { .. } => hours,
            };
            let (local, zone) = ("03:00".to_owned(), "America/New_York".to_owned());
            (Rule::CallingHours, Refusal::OutsideHours { local, zone, hours })
        }
        "0112" => (Rule::Consent, Refusal::NoConsent { rule: ConsentRule::Always }),
        "0113" => {
            let (max, within) = (question.limits.attempts_per_day.unwrap_or(1), frequency::A_DAY);
            (Rule::Frequency, Refusal::TooOften { max, within, at: question.at + frequency::DAY })
        }
        "0114" => (Rule::Budget, Refusal::OverBudget(Box::new(used_up(question)))),
        _ => return None,
    })
}
