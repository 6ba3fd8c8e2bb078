//! Calls that somebody looks for by a name, a part of a number, or words that were said.
//!
//! No index holds these, so the newest calls are read one by one, and only so many at once: a search costs the same however many calls
//! there are, and says from where on it can be continued.

use domain::{CallId, Timestamp};

use crate::tx::{Engine, ToParam as _, Tx, params};
use crate::{StoreError, Tenancy};

/// How many calls of a business one search looks through.
pub const LOOKED_THROUGH: u32 = 2000;

/// Where words are looked for; the longest text comes last.
const TEXTS: [&str; 6] = ["c.name", "l.name", "c.summary", "r.note", "r.tags", "t.text"];

/// What a search found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Matches {
    /// Calls that match, newest first, with their times of creation.
    pub found: Vec<(CallId, Timestamp)>,
    /// The oldest call that was looked at, if there may be older ones.
    pub searched_to: Option<Timestamp>,
}

/// Looks through the tenant's newest calls, or those before a time. Capital letters do not matter; digits are found in numbers however
/// these are written.
pub async fn search(
    tx: &mut Tx,
    tenancy: &Tenancy,
    text: &str,
    before: Option<Timestamp>,
) -> Result<Matches, StoreError> {
    const WINDOW: &str = "SELECT w.id FROM calls w WHERE w.business_id = $1 AND w.mode = $2 AND w.created_at < $3 \
                          ORDER BY w.created_at DESC, w.id DESC LIMIT $4";
    const OLDEST: &str = "SELECT count(*), min(o.created_at) FROM (SELECT w.created_at FROM calls w \
                          WHERE w.business_id = $1 AND w.mode = $2 AND w.created_at < $3 \
                          ORDER BY w.created_at DESC, w.id DESC LIMIT $4) AS o";
    let said = text.trim();
    let (by_words, words) = match tx.engine() {
        Engine::Sqlite => {
            ("lower(coalesce({text}, '')) LIKE $5 ESCAPE '!'", containing(&said.to_lowercase()))
        }
        // What `lower` knows depends on the locale a database was made with; in "C" that is A to Z.
        Engine::Postgres => ("{text} ~ $5", in_any_case(said)),
    };
    let by_words = TEXTS.map(|text| by_words.replace("{text}", text)).join(" OR ");
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    // Two digits are in every other number.
    let digits = containing(if digits.len() >= 3 { &digits } else { said });
    let sql = format!(
        "SELECT c.id, c.created_at FROM calls c LEFT JOIN leads l ON l.id = c.lead_id \
         LEFT JOIN transcripts t ON t.call_id = c.id LEFT JOIN call_remarks r ON r.call_id = c.id \
         WHERE c.id IN (SELECT id FROM ({WINDOW}) AS seen) \
         AND ({by_words} OR c.to_number LIKE $6 ESCAPE '!' OR coalesce(c.from_number, '') LIKE $6 ESCAPE '!') \
         ORDER BY c.created_at DESC, c.id DESC"
    );
    let before = before.unwrap_or(Timestamp::MAX);
    let mut matches = Matches::default();
    for &business in tenancy.businesses() {
        let window =
            [business.to_param(), tenancy.mode().to_param(), before.to_param(), LOOKED_THROUGH.to_param()];
        if let Some(row) = tx.query_one(OLDEST, &window).await? {
            let mut row = row.of("calls");
            let (count, oldest): (u64, Option<Timestamp>) = (row.next()?, row.next()?);
            if count == u64::from(LOOKED_THROUGH) {
                // With several businesses the search goes on where the one with the most calls was left.
                matches.searched_to = matches.searched_to.max(oldest);
            }
        }
        let mut values = window.to_vec();
        values.extend_from_slice(params![words.as_str(), digits.as_str()]);
        for row in tx.query(&sql, &values).await? {
            let mut row = row.of("calls");
            matches.found.push((row.next()?, row.next()?));
        }
    }
    if let Some(edge) = matches.searched_to {
        matches.found.retain(|&(_, at)| at >= edge);
    }
    matches.found.sort_by_key(|&(_, at)| std::cmp::Reverse(at));
    Ok(matches)
}

/// A pattern of `LIKE` for texts that contain this one.
fn containing(text: &str) -> String {
    format!("%{}%", text.replace('!', "!!").replace('%', "!%").replace('_', "!_"))
}

/// A regular expression of PostgreSQL for texts that contain this one, in capital or small letters (manual, section 9.7.3). It names
/// both letters, and so asks nothing of the database's locale.
fn in_any_case(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() * 4);
    for letter in text.chars() {
        let small = only(letter.to_lowercase()).unwrap_or(letter);
        let capital = only(small.to_uppercase()).unwrap_or(small);
        if small != capital {
            pattern.extend(['[', small, capital, ']']);
        } else if letter.is_ascii_punctuation() {
            pattern.extend(['\\', letter]);
        } else {
            pattern.push(letter);
        }
    }
    pattern
}

/// The letter, if it is one: the capital form of "ß" is two.
fn only(mut letters: impl Iterator<Item = char>) -> Option<char> {
    letters.next().filter(|_| letters.next().is_none())
}
