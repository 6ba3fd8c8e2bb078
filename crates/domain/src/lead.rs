//! Leads: the people a business talks to.

pub mod changes;

use crate::phone::{WrittenNumber, read_with_trunk_prefix, read_written, visible};
use crate::{AgentId, BusinessId, E164, LeadId, Mode, Timestamp};

/// A person in the CRM. Text fields hold what people wrote and are never trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lead {
    pub id: LeadId,
    pub business_id: BusinessId,
    pub mode: Mode,
    /// Everything that clients may set.
    pub fields: LeadFields,
    /// How promising it is, 0 to 100.
    pub score: Option<u8>,
    /// Why it got that score.
    pub score_explanation: Option<String>,
    /// Number of calls in which the person spoke.
    pub interaction_count: u32,
    /// When the last of them ended.
    pub last_contacted_at: Option<Timestamp>,
    /// When it came into being.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// The part of a lead that clients write.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LeadFields {
    /// The agent that found it.
    pub agent_id: Option<AgentId>,
    pub name: Option<String>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    /// E-mail address as given; compared without regard to case.
    pub email: Option<String>,
    /// Phone as given, or in E.164 where that could be read.
    pub phone: Option<Phone>,
    pub address: Option<String>,
    pub city: Option<String>,
    pub state: Option<String>,
    pub zip: Option<String>,
    /// Pipeline status, an open set; `new` at first.
    pub status: String,
    /// Where it came from, an open set; `api` unless said otherwise.
    pub source: String,
    pub source_url: Option<String>,
    /// Title of that page.
    pub source_page: Option<String>,
    pub notes: Option<String>,
    /// What the person wrote or said they want.
    pub message: Option<String>,
    /// Date of the person's event, as given.
    pub event_date: Option<String>,
    /// Kind of the person's event.
    pub event_type: Option<String>,
    pub timezone: Option<String>,
}

/// A phone number of a lead: forms send anything, and nothing is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phone {
    /// Could be read, and its country has such a number.
    Valid(WrittenNumber),
    /// Kept as it was given, without what is invisible; with its country, if a trunk prefix says how it is meant.
    AsGiven(String),
}

/// A number that was dialled or that called: it need not be in any numbering plan to have worked.
impl From<E164> for Phone {
    fn from(number: E164) -> Self {
        Self::Valid(WrittenNumber { number, extension: None })
    }
}

impl Phone {
    /// Reads what a form sent, national numbers in the country of the business.
    pub fn read(text: &str, country_calling_code: &str) -> Self {
        let as_given = || {
            let meant = read_with_trunk_prefix(text, country_calling_code);
            meant.map_or_else(|| visible(text).trim().to_owned(), |number| number.to_string())
        };
        read_written(text, country_calling_code).map_or_else(|| Self::AsGiven(as_given()), Self::Valid)
    }

    /// The text to show.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Valid(written) => written.number.as_str(),
            Self::AsGiven(text) => text,
        }
    }

    /// The number, if it could be read.
    pub fn valid(&self) -> Option<&E164> {
        match self {
            Self::Valid(written) => Some(&written.number),
            Self::AsGiven(_) => None,
        }
    }

    /// What to dial once the number has answered, digits only.
    pub fn extension(&self) -> Option<&str> {
        match self {
            Self::Valid(written) => written.extension.as_deref(),
            Self::AsGiven(_) => None,
        }
    }
}

impl LeadFields {
    /// Completes the three name fields from each other: the full name splits at its first space, the parts join.
    pub fn complete_names(&mut self) {
        match (&self.name, &self.first_name, &self.last_name) {
            (Some(name), None, None) => {
                let (first, last) = split_name(name);
                self.first_name = first;
                self.last_name = last;
            }
            (None, first, last) if first.is_some() || last.is_some() => {
                let parts: Vec<&str> = [first, last].into_iter().flatten().map(String::as_str).collect();
                self.name = Some(parts.join(" "));
            }
            _ => {}
        }
    }

    /// True if there is something to know the person by.
    pub fn identifies_somebody(&self) -> bool {
        let known = [&self.name, &self.first_name, &self.last_name, &self.email];
        known.iter().any(|field| field.as_deref().is_some_and(|text| !text.trim().is_empty()))
            || self.phone.as_ref().is_some_and(|phone| !phone.as_str().trim().is_empty())
    }
}

/// Given name and the rest. A title is neither: after one, a single name is the surname.
pub fn split_name(name: &str) -> (Option<String>, Option<String>) {
    let mut rest = name.trim();
    let mut is_titled = false;
    while let Some((_, after)) = rest.split_once(' ').filter(|(word, _)| is_title(word)) {
        rest = after.trim_start();
        is_titled = true;
    }
    let owned = |text: &str| Some(text.trim().to_owned());
    match rest.split_once(' ') {
        Some((first, last)) => (owned(first), owned(last)),
        None if is_titled => (None, owned(rest)),
        None if is_title(rest) => (None, None),
        None => (owned(rest), None),
    }
}

fn is_title(word: &str) -> bool {
    TITLES.contains(&word.trim_end_matches('.').to_lowercase().as_str())
}

/// Titles of English, Spanish, French and German.
const TITLES: [&str; 29] = [
    "mr",
    "mrs",
    "ms",
    "miss",
    "mister",
    "dr",
    "doctor",
    "prof",
    "professor",
    "sir",
    "madam",
    "rev",
    "reverend",
    "señor",
    "señora",
    "señorita",
    "sr",
    "sra",
    "srta",
    "don",
    "doña",
    "dra",
    "doctora",
    "m",
    "mme",
    "mlle",
    "monsieur",
    "herr",
    "frau",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_complete_each_other() {
        let mut full = LeadFields { name: Some("Mary Ann  Smith".into()), ..Default::default() };
        full.complete_names();
        assert_eq!(
            (full.first_name.as_deref(), full.last_name.as_deref()),
            (Some("Mary"), Some("Ann  Smith"))
        );

        for (name, first, last) in [
            ("Mr. Brown", None, Some("Brown")),
            ("Dr. Ann Lee", Some("Ann"), Some("Lee")),
            ("Sra. Carmen Ruiz Soto", Some("Carmen"), Some("Ruiz Soto")),
            ("Prof. Dr. Weber", None, Some("Weber")),
            ("Misty Rose", Some("Misty"), Some("Rose")),
            ("Mrs", None, None),
        ] {
            let mut titled = LeadFields { name: Some(name.into()), ..Default::default() };
            titled.complete_names();
            assert_eq!((titled.first_name.as_deref(), titled.last_name.as_deref()), (first, last), "{name}");
            assert_eq!(titled.name.as_deref(), Some(name));
        }

        let mut parts = LeadFields { last_name: Some("Smith".into()), ..Default::default() };
        parts.complete_names();
        assert_eq!(parts.name.as_deref(), Some("Smith"));
    }

    #[test]
    fn a_phone_that_cannot_be_read_is_kept() {
        assert_eq!(Phone::read("ask my wife", "1"), Phone::AsGiven("ask my wife".into()));
        assert_eq!(Phone::read("512 555 1234", "1").as_str(), "+15125551234");
    }
}
