//! What callers say of themselves: name, e-mail address, telephone number.
//!
//! Everything is read from words over pieces of text that the readers share (`token`, `numbers`), in English and Spanish, and each kind
//! is measured with `corpus/facts`. Better no fact than an invented one; what is said last is right.

mod email;
mod name;
pub(crate) mod number_words;
pub(crate) mod numbers;
pub(crate) mod phone;
pub(crate) mod token;

use crate::opt_out::{Speaker, Turn};

pub use name::form_of_address;
pub use phone::Phone;

/// What was said of a caller in a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts {
    pub name: Option<String>,
    pub email: Option<String>,
    /// The number on which they want to be reached.
    pub phone: Option<Phone>,
}

/// Reads a conversation. What is said later corrects what was said before.
#[must_use]
pub fn read(turns: &[Turn<'_>]) -> Facts {
    let mut facts = Facts::default();
    let mut asked = "";
    for turn in turns {
        match turn.by {
            Speaker::Agent => asked = turn.text,
            Speaker::Caller => learn(&mut facts, turn.text, asked),
        }
    }
    facts
}

fn learn(facts: &mut Facts, text: &str, asked: &str) {
    facts.email = email_after(facts.email.as_deref(), text).or(facts.email.take());
    facts.phone = match (phone(text, asked), facts.phone.take(), phone::tail_in(text)) {
        (Some(phone), ..) => Some(phone),
        (None, Some(known), Some(tail)) if tail.len() < known.digits.len() => {
            let kept = known.digits.len() - tail.len();
            Some(Phone { digits: format!("{}{tail}", &known.digits[..kept]), ..known })
        }
        (None, known, _) => known,
    };
    let named = match &facts.name {
        _ if asks_for_a_name(asked) => answered_name(text),
        None => name(text),
        Some(known) => name(text).filter(|named| replaces(known, named, text)),
    };
    let joined = facts.name.as_deref().and_then(|known| with_surname(known, text));
    facts.name = joined.or(named).or(facts.name.take());
}

/// True if a name heard later is the caller's own, said more fully or corrected, and not that of somebody else.
fn replaces(known: &str, named: &str, text: &str) -> bool {
    let said = token::plain(text);
    let told = ["name is", "name's", "me llamo", "nombre es"].iter().any(|phrase| said.contains(phrase));
    let corrects = token::tokens(text).iter().take(3).any(|token| token.is(phone::CORRECTIONS));
    let fuller = named.split(' ').count() > known.split(' ').count()
        && known.split(' ').next().map(token::plain) == named.split(' ').next().map(token::plain);
    told || corrects || fuller || token::tokens(text).iter().filter(|token| token.goes_on()).count() <= 3
}

/// True if these words ask for a name.
#[must_use]
pub fn asks_for_a_name(text: &str) -> bool {
    const ASKING: &[&str] = &[
        "your full name",
        "your name",
        "your good name",
        "your first name",
        "your last name",
        "speaking with",
        "speaking to",
        "who's calling",
        "who is calling",
        "who am i talking to",
        "se llama",
        "su nombre",
        "con quien hablo",
        "con quien tengo",
        "a name",
        "the name",
    ];
    // A name that is read back is not asked for.
    let said = token::plain(text).replace("your name is", "").replace("su nombre es", "");
    ASKING.iter().any(|phrase| said.contains(phrase))
}

/// The e-mail address in these words, in lower case.
#[must_use]
pub fn email(text: &str) -> Option<String> {
    email::email_in(text)
}

/// The e-mail address in these words, or the one that is known with what they say of its end ("no, dot net").
#[must_use]
pub fn email_after(known: Option<&str>, text: &str) -> Option<String> {
    email::email_in(text).or_else(|| email::put_right(known?, text))
}

/// The telephone number in these words; `asked` is what the caller was asked before them, or empty.
#[must_use]
pub fn phone(text: &str, asked: &str) -> Option<Phone> {
    phone::phone_in(text, asked)
}

/// The name with which somebody introduces themselves in these words.
#[must_use]
pub fn name(text: &str) -> Option<String> {
    name::introduced(text)
}

/// The first name that is known, with the surname that is told in these words ("my last name's Lee").
#[must_use]
pub fn with_surname(known: &str, text: &str) -> Option<String> {
    let surname = name::surname(text).filter(|_| !known.contains(' '))?;
    Some(if surname.split(' ').next() == Some(known) { surname } else { format!("{known} {surname}") })
}

/// The name in an answer to the question for it.
#[must_use]
pub fn answered_name(text: &str) -> Option<String> {
    name::answered(text)
}
