//! The account of a call in words: in English, and in Spanish where the call was in Spanish.
//!
//! A caller's sentence is told as reported speech ("I need my roof fixed" becomes "they need their roof fixed"), so that a reader sees at
//! once who wants what of whom.

use speech::{LeadFacts, Reached};

use super::account::{Account, Next, Refused, Sign, Step, Topic};
use crate::understanding::{name, plain};

/// The longest sentence that is told as it was said, in characters.
const LONGEST: usize = 240;

/// The summary of a call that did not reach the person it was for.
pub(super) fn of_nobody(reached: Reached, ended_reason: &str, is_spanish: bool) -> &'static str {
    let reason = ended_reason.to_ascii_lowercase();
    match (reached, is_spanish) {
        (Reached::Machine, _) if reason.contains("voicemail") => {
            "An answering machine picked up, and the agent left a message."
        }
        (Reached::Machine, _) if reason.contains("not-in-service") => {
            "An announcement said that the number is not in service. Nobody was reached."
        }
        (Reached::Machine, _) => "A recording or an automatic system answered. No person was reached.",
        (Reached::SomebodyElse, true) => {
            "Contestó otra persona: el número es equivocado o no es de quien se buscaba."
        }
        (Reached::SomebodyElse, false) => {
            "Somebody else answered: it was a wrong number, or not the person the call was for."
        }
        (Reached::Nobody | Reached::Person, _) => "The call was answered, but nobody spoke.",
    }
}

/// The summary of a conversation.
pub(super) fn of(
    account: &Account,
    lead: &LeadFacts,
    known_name: Option<&str>,
    ended_reason: &str,
) -> String {
    let words: &dyn Words = if account.shows(Sign::Spanish) { &Spanish } else { &English };
    let who = known_name.unwrap_or(words.somebody());
    let mut sentences: Vec<String> = Vec::new();
    if account.shows(Sign::Spanish) {
        sentences.push("La llamada fue en español".to_owned());
    }
    if account.shows(Sign::OptedOut) {
        sentences.push(words.opted_out(who));
        return joined(&sentences);
    }
    match account.concerns.as_slice() {
        [] if account.refused.is_empty() && account.next.is_none() && account.topics.is_empty() => {
            sentences.push(words.named_no_concern(who));
        }
        [] => sentences.push(words.talked(who)),
        [first, further @ ..] => {
            sentences.push(words.wanted(who, first));
            sentences.extend(further.iter().map(|more| words.also(more)));
        }
    }
    sentences.extend(account.details.iter().map(|detail| words.also(detail)));
    let topics: Vec<&str> = account.topics.iter().map(|&topic| words.topic(topic)).collect();
    if !topics.is_empty() {
        sentences.push(words.asked_about(&words.list(&topics)));
    }
    sentences.extend(words.mood(account));
    sentences.extend(account.next.as_ref().map(|next| words.next(next)));
    sentences.extend(account.refused.iter().map(|&what| words.refused(what).to_owned()));
    let left: Vec<String> = [
        lead.email.as_ref().map(|email| words.email(email)),
        lead.phone.as_ref().map(|phone| words.phone(phone)),
    ]
    .into_iter()
    .flatten()
    .collect();
    if !left.is_empty() {
        let left: Vec<&str> = left.iter().map(String::as_str).collect();
        sentences.push(words.left(&words.list(&left)));
    }
    sentences.extend(words.to_do(account, lead));
    sentences.extend(words.ending(ended_reason).map(str::to_owned));
    joined(&sentences)
}

fn joined(sentences: &[String]) -> String {
    let mut text = String::new();
    for sentence in sentences {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(sentence.trim_end_matches(['.', ' ']));
        if !sentence.ends_with(['?', '!', '»']) {
            text.push('.');
        }
    }
    text
}

/// What a summary is made of, in one language.
trait Words {
    fn somebody(&self) -> &'static str;
    fn opted_out(&self, who: &str) -> String;
    fn named_no_concern(&self, who: &str) -> String;
    fn talked(&self, who: &str) -> String;
    fn wanted(&self, who: &str, sentence: &str) -> String;
    fn also(&self, sentence: &str) -> String;
    fn topic(&self, topic: Topic) -> &'static str;
    fn asked_about(&self, topics: &str) -> String;
    fn list(&self, items: &[&str]) -> String;
    fn mood(&self, account: &Account) -> Option<String>;
    fn next(&self, next: &Next) -> String;
    fn refused(&self, what: Refused) -> &'static str;
    fn email(&self, email: &str) -> String;
    fn phone(&self, phone: &str) -> String;
    fn left(&self, what: &str) -> String;
    fn to_do(&self, account: &Account, lead: &LeadFacts) -> Option<String>;
    fn ending(&self, reason: &str) -> Option<&'static str>;
}

struct English;
struct Spanish;

impl Words for English {
    fn somebody(&self) -> &'static str {
        "The caller"
    }

    fn opted_out(&self, who: &str) -> String {
        format!("{who} asked not to be called again and was told that this will not happen")
    }

    fn named_no_concern(&self, who: &str) -> String {
        format!("{who} talked with the agent but named no concern")
    }

    fn talked(&self, who: &str) -> String {
        format!("{who} talked with the agent")
    }

    fn wanted(&self, who: &str, sentence: &str) -> String {
        told(who, sentence)
    }

    fn also(&self, sentence: &str) -> String {
        told("They", sentence)
    }

    fn topic(&self, topic: Topic) -> &'static str {
        match topic {
            Topic::Price => "the price",
            Topic::Address => "the address",
            Topic::Hours => "the opening hours",
            Topic::Availability => "available times",
            Topic::Payment => "ways to pay",
            Topic::Insurance => "insurance",
            Topic::Parking => "parking",
            Topic::Recording => "whether the call is recorded",
            Topic::Origin => "where their number comes from",
        }
    }

    fn asked_about(&self, topics: &str) -> String {
        format!("They asked about {topics}")
    }

    fn list(&self, items: &[&str]) -> String {
        listed(items, "and")
    }

    fn mood(&self, account: &Account) -> Option<String> {
        let moods: Vec<&str> = [
            account.shows(Sign::Upset).then_some("they were upset"),
            account.shows(Sign::WantsAPerson).then_some("they asked to speak to a person"),
            account.shows(Sign::Urgent).then_some("it is urgent"),
        ]
        .into_iter()
        .flatten()
        .collect();
        (!moods.is_empty()).then(|| capital(&listed(&moods, "and")))
    }

    fn next(&self, next: &Next) -> String {
        let when = next.when.as_deref().map_or_else(String::new, |when| match next.step {
            Step::Appointment | Step::CallBack if !begins_with_preposition(when) => format!(" for {when}"),
            _ => format!(" {when}"),
        });
        match (next.step, next.agreed) {
            (Step::Appointment, true) => format!("Agreed: an appointment{when}"),
            (Step::Appointment, false) => {
                format!("They asked for an appointment{when}, which was not confirmed")
            }
            (Step::CallBack, true) => format!("Agreed: a call back{when}"),
            (Step::CallBack, false) => {
                format!("They asked to be called back{}", when.replacen(" for ", " ", 1))
            }
            (Step::Send, true) => format!("Agreed: they will be sent what they asked for{when}"),
            (Step::Send, false) => format!("They asked to be sent something{when}"),
            (Step::PutThrough, true) => "Agreed: they would be put through".to_owned(),
            (Step::PutThrough, false) => "They asked to be put through".to_owned(),
        }
    }

    fn refused(&self, what: Refused) -> &'static str {
        match what {
            Refused::Name => "They did not want to give their name",
            Refused::Email => "They did not want to give an email address",
            Refused::Phone => "They did not want to give a phone number",
            Refused::Offer => "They were not interested",
            Refused::HasSomebody => "They have somebody for it already",
            Refused::TooExpensive => "They found the price too high",
        }
    }

    fn email(&self, email: &str) -> String {
        format!("the email address {email}")
    }

    fn phone(&self, phone: &str) -> String {
        format!("the phone number {phone}")
    }

    fn left(&self, what: &str) -> String {
        format!("They left {what}")
    }

    fn to_do(&self, account: &Account, lead: &LeadFacts) -> Option<String> {
        let next = account.next.as_ref();
        let when =
            next.and_then(|next| next.when.as_deref()).map_or_else(String::new, |when| format!(" {when}"));
        let back =
            if account.shows(Sign::WantsAPerson) { "have a person call them back" } else { "call them back" };
        Some(match next.map(|next| (next.step, next.agreed)) {
            Some((Step::CallBack, _)) => {
                let number = lead.phone.as_ref().map_or_else(String::new, |phone| format!(" at {phone}"));
                format!("To do: {back}{when}{number}")
            }
            Some((Step::Send, _)) => format!("To do: send it{when}"),
            Some((Step::Appointment, false)) => format!("To do: confirm the appointment{when}"),
            Some((Step::Appointment, true) | (Step::PutThrough, _)) => return None,
            None if account.shows(Sign::WantsAPerson) || account.shows(Sign::Upset) => {
                format!("To do: {back}")
            }
            None if lost(account) || account.concerns.is_empty() => return None,
            None => "To do: get back to them".to_owned(),
        })
    }

    fn ending(&self, reason: &str) -> Option<&'static str> {
        Some(match reason {
            "agent-said-goodbye" | "assistant-said-end-call-phrase" => "The call ended with a goodbye",
            "caller-hung-up" | "customer-ended-call" => "The caller hung up",
            "silence" | "silence-timed-out" => "The call ended after a silence",
            "max-duration" | "exceeded-max-duration" => "The call ended at its time limit",
            "engine-lost" => "The call was cut off by a fault",
            _ => return None,
        })
    }
}

impl Words for Spanish {
    fn somebody(&self) -> &'static str {
        "Quien llamó"
    }

    fn opted_out(&self, who: &str) -> String {
        format!("{who} pidió que no se le vuelva a llamar, y se le aseguró que así será")
    }

    fn named_no_concern(&self, who: &str) -> String {
        format!("{who} habló con el agente, pero no dijo qué quería")
    }

    fn talked(&self, who: &str) -> String {
        format!("{who} habló con el agente")
    }

    fn wanted(&self, who: &str, sentence: &str) -> String {
        format!("{who} {}", told_in_spanish(sentence))
    }

    fn also(&self, sentence: &str) -> String {
        format!("También {}", told_in_spanish(sentence))
    }

    fn topic(&self, topic: Topic) -> &'static str {
        match topic {
            Topic::Price => "el precio",
            Topic::Address => "la dirección",
            Topic::Hours => "el horario",
            Topic::Availability => "los horarios disponibles",
            Topic::Payment => "las formas de pago",
            Topic::Insurance => "el seguro",
            Topic::Parking => "el estacionamiento",
            Topic::Recording => "si se graba la llamada",
            Topic::Origin => "de dónde viene su número",
        }
    }

    fn asked_about(&self, topics: &str) -> String {
        format!("Preguntó por {topics}")
    }

    fn list(&self, items: &[&str]) -> String {
        listed(items, "y")
    }

    fn mood(&self, account: &Account) -> Option<String> {
        let moods: Vec<&str> = [
            account.shows(Sign::Upset).then_some("mostró enojo"),
            account.shows(Sign::WantsAPerson).then_some("pidió hablar con una persona"),
            account.shows(Sign::Urgent).then_some("es urgente"),
        ]
        .into_iter()
        .flatten()
        .collect();
        (!moods.is_empty()).then(|| capital(&listed(&moods, "y")))
    }

    fn next(&self, next: &Next) -> String {
        let when = next.when.as_deref().map_or_else(String::new, |when| format!(" ({when})"));
        match (next.step, next.agreed) {
            (Step::Appointment, true) => format!("Se acordó una cita{when}"),
            (Step::Appointment, false) => format!("Pidió una cita{when}, que no se confirmó"),
            (Step::CallBack, true) => format!("Se acordó devolverle la llamada{when}"),
            (Step::CallBack, false) => format!("Pidió que se le devuelva la llamada{when}"),
            (Step::Send, true) => format!("Se acordó enviarle lo que pidió{when}"),
            (Step::Send, false) => format!("Pidió que se le envíe algo{when}"),
            (Step::PutThrough, true) => "Se acordó pasarle con una persona".to_owned(),
            (Step::PutThrough, false) => "Pidió que se le pase con una persona".to_owned(),
        }
    }

    fn refused(&self, what: Refused) -> &'static str {
        match what {
            Refused::Name => "No quiso dar su nombre",
            Refused::Email => "No quiso dar un correo electrónico",
            Refused::Phone => "No quiso dar un número de teléfono",
            Refused::Offer => "No tuvo interés",
            Refused::HasSomebody => "Ya tiene a alguien para eso",
            Refused::TooExpensive => "Le pareció demasiado caro",
        }
    }

    fn email(&self, email: &str) -> String {
        format!("el correo {email}")
    }

    fn phone(&self, phone: &str) -> String {
        format!("el teléfono {phone}")
    }

    fn left(&self, what: &str) -> String {
        format!("Dejó {what}")
    }

    fn to_do(&self, account: &Account, lead: &LeadFacts) -> Option<String> {
        let next = account.next.as_ref();
        let when =
            next.and_then(|next| next.when.as_deref()).map_or_else(String::new, |when| format!(" ({when})"));
        Some(match next.map(|next| (next.step, next.agreed)) {
            Some((Step::CallBack, _)) => {
                let number = lead.phone.as_ref().map_or_else(String::new, |phone| format!(" al {phone}"));
                format!("Pendiente: devolverle la llamada{when}{number}")
            }
            Some((Step::Send, _)) => format!("Pendiente: enviárselo{when}"),
            Some((Step::Appointment, false)) => format!("Pendiente: confirmar la cita{when}"),
            Some((Step::Appointment, true) | (Step::PutThrough, _)) => return None,
            None if account.shows(Sign::WantsAPerson) || account.shows(Sign::Upset) => {
                "Pendiente: que le llame una persona".to_owned()
            }
            None if lost(account) || account.concerns.is_empty() => return None,
            None => "Pendiente: ponerse en contacto".to_owned(),
        })
    }

    fn ending(&self, reason: &str) -> Option<&'static str> {
        Some(match reason {
            "agent-said-goodbye" | "assistant-said-end-call-phrase" => "La llamada terminó con una despedida",
            "caller-hung-up" | "customer-ended-call" => "Quien llamó colgó",
            "silence" | "silence-timed-out" => "La llamada terminó tras un silencio",
            "max-duration" | "exceeded-max-duration" => "La llamada llegó a su límite de tiempo",
            "engine-lost" => "La llamada se cortó por una falla",
            _ => return None,
        })
    }
}

/// True if nothing is to be won by calling again.
fn lost(account: &Account) -> bool {
    [Refused::Offer, Refused::HasSomebody].iter().any(|what| account.refused.contains(what))
        || account.shows(Sign::NoCustomer)
}

fn listed(items: &[&str], and: &str) -> String {
    match items {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [many @ .., last] => format!("{} {and} {last}", many.join(", ")),
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

fn begins_with_preposition(text: &str) -> bool {
    let first = text.split(' ').next().unwrap_or_default().to_lowercase();
    [
        "on", "at", "by", "before", "after", "until", "till", "between", "in", "within", "around",
        "tomorrow", "today", "tonight",
    ]
    .contains(&first.as_str())
        && !["tomorrow", "today", "tonight"].contains(&first.as_str())
}

/// A caller's sentence as somebody else tells it: "Ann needs a roof", "Ann said that they were in an accident".
fn told(who: &str, sentence: &str) -> String {
    let bare = without_beginnings(sentence);
    if bare.ends_with('?') {
        return asked(who, &bare);
    }
    let told = reported(&bare);
    let simple = !told.contains(" they ") && !told.contains(" and ");
    let plural = who == "They";
    for (first, one, many) in [
        ("they need ", "needs", "need"),
        ("they want ", "wants", "want"),
        ("they have ", "has", "have"),
        ("they are calling ", "called", "called"),
        ("they were calling ", "called", "called"),
        ("they are ", "is", "are"),
    ] {
        if let Some(rest) = told.strip_prefix(first).filter(|_| simple) {
            return format!("{who} {} {rest}", if plural { many } else { one });
        }
    }
    for first in ["they would like ", "they asked for ", "they found "] {
        if told.starts_with(first) && simple {
            return format!("{who} {}", &told[5..]);
        }
    }
    format!("{who} said that {told}")
}

/// A question as somebody else tells it; one that cannot be turned stands as it was put.
fn asked(who: &str, question: &str) -> String {
    let told = reported(question.trim_end_matches('?'));
    for (first, whether) in [
        ("can the business ", "whether the business can "),
        ("could the business ", "whether the business could "),
        ("do the business ", "whether the business would "),
        ("does the business ", "whether the business would "),
        ("can they ", "whether they can "),
        ("could they ", "whether they could "),
    ] {
        if let Some(rest) = told.strip_prefix(first) {
            return format!("{who} asked {whether}{rest}");
        }
    }
    if told.starts_with("they ") {
        return format!("{who} said that {told}");
    }
    format!("{who} asked: \"{}\"", cut(question))
}

fn cut(text: &str) -> String {
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    let kept: String = text.chars().take(LONGEST).collect();
    let end = kept.rfind(' ').unwrap_or(kept.len());
    format!("{} …", kept[..end].trim_end_matches([',', ' ']))
}

/// The sentence without greetings, small words and the speaker's name before it.
fn without_beginnings(sentence: &str) -> String {
    const SMALL: &[&str] = &[
        "hi",
        "hello",
        "hey",
        "yes",
        "yeah",
        "yep",
        "sure",
        "well",
        "so",
        "okay",
        "ok",
        "um",
        "uh",
        "actually",
        "look",
        "listen",
        "oh",
        "and",
        "but",
        "sorry",
        "please",
        "right",
        "good",
        "morning",
        "afternoon",
        "evening",
        "there",
        "no",
        "hola",
        "sí",
        "bueno",
        "buenas",
        "buenos",
        "días",
        "tardes",
        "noches",
        "mire",
        "pues",
        "eh",
        "perdón",
        "because",
        "um,",
        "ah",
    ];
    let mut rest = sentence.trim();
    while let Some((first, after)) = rest.split_once(' ') {
        if SMALL.contains(&plain(first).trim()) {
            rest = after.trim_start();
            continue;
        }
        // "I'm Ann Lee and I need a roof", "this is Dana, I want to sell".
        let clause = [", ", " and ", " y "]
            .iter()
            .filter_map(|joint| rest.find(joint).map(|at| (at, at + joint.len())))
            .min()
            .filter(|(at, _)| rest[..*at].split_whitespace().count() <= 7 && name(&rest[..*at]).is_some());
        match clause {
            Some((_, after)) if rest[after..].split_whitespace().count() >= 3 => rest = &rest[after..],
            _ => break,
        }
    }
    rest.trim().to_owned()
}

/// First person to third, business for "you".
fn reported(sentence: &str) -> String {
    let sentence = cut(sentence.trim_end_matches(['.', '!', '…', ',', ' ']));
    let mut told: Vec<String> = Vec::new();
    for word in sentence.split_whitespace() {
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric() && c != '\'' && c != '’');
        let lower = bare.replace('’', "'").to_lowercase();
        let after_they = told.last().is_some_and(|last| last.trim_matches(',') == "they");
        let after_business = told.last().is_some_and(|last| last == "business");
        let turned = match lower.as_str() {
            "i" | "we" => "they",
            "i'm" | "we're" | "im" => "they are",
            "i've" | "we've" | "ive" => "they have",
            "i'd" | "we'd" => "they would",
            "i'll" | "we'll" => "they will",
            "me" | "us" => "them",
            "my" | "our" => "their",
            "mine" | "ours" => "theirs",
            "myself" | "ourselves" => "themselves",
            "you" => "the business",
            "your" => "the business's",
            "you're" => "the business is",
            "am" => "are",
            "was" if after_they => "were",
            "wasn't" if after_they => "weren't",
            "are" if after_business => "is",
            "have" if after_business => "has",
            "guys" if after_business => "",
            _ => {
                told.push(if told.is_empty() { lowered(word) } else { word.to_owned() });
                continue;
            }
        };
        let mut word = word.replacen(bare, turned, 1);
        if word == "the business" && told.last().is_some_and(|last| last == "the") {
            "business".clone_into(&mut word);
        }
        told.extend(word.split_whitespace().map(str::to_owned));
    }
    told.join(" ")
}

/// The word that begins a sentence without its capital; a word in capitals stays.
fn lowered(word: &str) -> String {
    let mut chars = word.chars();
    match (chars.next(), chars.clone().next()) {
        (Some(first), Some(second)) if !second.is_uppercase() => first.to_lowercase().chain(chars).collect(),
        _ => word.to_lowercase(),
    }
}

/// A caller's sentence as somebody else tells it in Spanish.
fn told_in_spanish(sentence: &str) -> String {
    const TURNED: [(&str, &str); 46] = [
        ("yo", ""),
        ("me", "le"),
        ("mi", "su"),
        ("mis", "sus"),
        ("mío", "suyo"),
        ("mía", "suya"),
        ("nuestro", "su"),
        ("nuestra", "su"),
        ("nuestros", "sus"),
        ("nuestras", "sus"),
        ("nos", "les"),
        ("necesito", "necesita"),
        ("necesitamos", "necesitan"),
        ("quiero", "quiere"),
        ("queremos", "quieren"),
        ("busco", "busca"),
        ("buscamos", "buscan"),
        ("tengo", "tiene"),
        ("tenemos", "tienen"),
        ("estoy", "está"),
        ("estamos", "están"),
        ("soy", "es"),
        ("somos", "son"),
        ("puedo", "puede"),
        ("podemos", "pueden"),
        ("llamo", "llama"),
        ("llamaba", "llamaba"),
        ("tuve", "tuvo"),
        ("tuvimos", "tuvieron"),
        ("fui", "fue"),
        ("vi", "vio"),
        ("hice", "hizo"),
        ("pedí", "pidió"),
        ("perdí", "perdió"),
        ("recibí", "recibió"),
        ("pagué", "pagó"),
        ("compré", "compró"),
        ("voy", "va"),
        ("vamos", "van"),
        ("debo", "debe"),
        ("vivo", "vive"),
        ("trabajo", "trabaja"),
        ("he", "ha"),
        ("hemos", "han"),
        ("sé", "sabe"),
        ("creo", "cree"),
    ];
    let bare = without_beginnings(sentence);
    if bare.contains('?') {
        return format!("preguntó: «{}»", cut(bare.trim()));
    }
    let bare = cut(bare.trim_end_matches(['.', '!', '…', ',', ' ']));
    let mut told: Vec<String> = Vec::new();
    for word in bare.split_whitespace() {
        let core = word.trim_matches(|c: char| !c.is_alphanumeric());
        let lower = core.to_lowercase();
        match TURNED.iter().find(|(first, _)| *first == lower) {
            Some((_, "")) => {}
            Some((_, third)) => told.push(word.replacen(core, third, 1)),
            None if told.is_empty() => told.push(lowered(word)),
            None => told.push(word.to_owned()),
        }
    }
    format!("dijo que {}", told.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_said_is_told_of_the_caller() {
        let check =
            |sentence: &str, expected: &str| assert_eq!(told("Ann Lee", sentence), expected, "{sentence}");
        check("I need a new roof.", "Ann Lee needs a new roof");
        check("Hi, this is Ann Lee, I need a new roof.", "Ann Lee needs a new roof");
        check(
            "I was in a car accident and I need a lawyer.",
            "Ann Lee said that they were in a car accident and they need a lawyer",
        );
        check(
            "We're looking for somebody to fix our roof.",
            "Ann Lee is looking for somebody to fix their roof",
        );
        check(
            "It's about my landlord, he won't give me my deposit back.",
            "Ann Lee said that it's about their landlord, he won't give them their deposit back",
        );
        check("Can you fix my gutters?", "Ann Lee asked whether the business can fix their gutters");
        check("Where is your office?", "Ann Lee asked: \"Where is your office?\"");
        check("I'd like an appointment.", "Ann Lee would like an appointment");
    }

    #[test]
    fn what_was_said_in_spanish_is_told_in_spanish() {
        assert_eq!(
            told_in_spanish("Hola, necesito una cita para mi hijo."),
            "dijo que necesita una cita para su hijo"
        );
        assert_eq!(
            told_in_spanish("Tuve un accidente y quiero un abogado."),
            "dijo que tuvo un accidente y quiere un abogado"
        );
    }
}
