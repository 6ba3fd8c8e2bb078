//! What a conversation came to: what the caller wanted, what was agreed, what is to be done and when, what was refused.

use domain::call::{Party, Utterance};

use ::understanding::opt_out::{self, OptOut, Speaker, Turn};
use ::understanding::remark::{self, Remark};

use crate::understanding::{Wish, email, name, phone, plain, says};

/// The most sentences that are kept of what the caller wanted, and of what they told besides.
const MOST: usize = 2;

/// What a conversation came to. Sentences are the caller's own words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Account {
    signs: Vec<Sign>,
    /// What the caller wanted. A correction has taken the place of what it corrects.
    pub(super) concerns: Vec<String>,
    /// Further sentences that tell an amount or a time.
    pub(super) details: Vec<String>,
    /// What the caller asked about.
    pub(super) topics: Vec<Topic>,
    pub(super) next: Option<Next>,
    pub(super) refused: Vec<Refused>,
}

/// What a conversation showed besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    /// It was in Spanish.
    Spanish,
    OptedOut,
    Upset,
    Urgent,
    WantsAPerson,
    /// Something bad has happened to them.
    Distressed,
    /// They sell something, look for work, or want to leave: no business to be won.
    NoCustomer,
}

/// Something that is asked about again and again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Topic {
    Price,
    Address,
    Hours,
    Availability,
    Payment,
    Insurance,
    Parking,
    Recording,
    Origin,
}

/// What follows from a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Next {
    pub(super) step: Step,
    /// In the words in which it was said.
    pub(super) when: Option<String>,
    /// Both sides said so; otherwise only the caller asked for it.
    pub(super) agreed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Appointment,
    CallBack,
    Send,
    PutThrough,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    Name,
    Email,
    Phone,
    /// Not interested.
    Offer,
    /// They have somebody for it.
    HasSomebody,
    TooExpensive,
}

/// Reads a conversation with a person.
pub(super) fn read(turns: &[Utterance]) -> Account {
    let mut account = Account::default();
    account.note(Sign::OptedOut, wants_no_calls(turns));
    let by_caller: Vec<&Utterance> = turns.iter().filter(|said| said.by == Party::Caller).collect();
    account.note(Sign::Spanish, is_spanish(&by_caller));
    let mut asked = "";
    for (index, said) in turns.iter().enumerate() {
        if said.by == Party::Agent {
            asked = &said.text;
            let answer = turns.get(index + 1).filter(|answer| answer.by == Party::Caller);
            account.hear_offer(&said.text, answer.map(|answer| answer.text.as_str()));
        } else {
            let heeded = turns.get(index + 1).is_some_and(|after| accepts(&after.text));
            account.hear(asked, &said.text, heeded);
            asked = "";
        }
    }
    if account.concerns.is_empty() {
        account.concerns.extend(unprompted(&by_caller));
    }
    account.concerns.truncate(MOST);
    let concerns = account.concerns.clone();
    account.details.retain(|detail| !concerns.contains(detail));
    account.details.truncate(MOST);
    account
}

impl Account {
    /// True if the conversation showed this.
    pub(super) fn shows(&self, sign: Sign) -> bool {
        self.signs.contains(&sign)
    }

    fn note(&mut self, sign: Sign, is_there: bool) {
        if is_there && !self.shows(sign) {
            self.signs.push(sign);
        }
    }

    fn hear(&mut self, asked: &str, text: &str, heeded: bool) {
        let words = plain(text);
        let said = |phrases: &[&str]| says(&words, phrases);
        self.note(Sign::Upset, said(UPSET));
        self.note(Sign::Urgent, said(URGENT) && !said(NOT_URGENT));
        self.note(Sign::Distressed, said(DISTRESS));
        self.note(Sign::WantsAPerson, said(WANTS_A_PERSON));
        self.note(Sign::NoCustomer, said(NO_CUSTOMER));
        self.hear_refusals(asked, text, &words);
        for topic in TOPICS {
            let is_question = text.contains('?') || said(&["wondering", "tell me", "quería saber"]);
            if is_question && says(&words, topic.1) && !self.topics.contains(&topic.0) {
                self.topics.push(topic.0);
            }
        }
        if let Some(step) = STEPS.iter().find(|(_, _, wished)| said(wished)).map(|(step, ..)| *step)
            && !said(NOT_SO)
        {
            self.follow(Next { step, when: when(text), agreed: heeded });
        } else if remarks(text, &[Remark::Later]) && !said(NOT_LATER) && self.concerns.is_empty() {
            self.follow(Next { step: Step::CallBack, when: when(text), agreed: heeded });
        }
        for sentence in sentences(text) {
            self.hear_sentence(asked, &sentence);
        }
    }

    fn hear_sentence(&mut self, asked: &str, sentence: &str) {
        if name_of_clause(sentence) || email(sentence).is_some() {
            return;
        }
        let words = plain(sentence);
        let corrects = !self.concerns.is_empty() && says(&words, CORRECTION);
        if corrects && says(&words, &["not", "instead", "rather", "i meant", "changed my mind", "sino"]) {
            self.concerns = vec![sentence.to_owned()];
        } else if states_reason(asked, sentence) {
            self.concerns.push(sentence.to_owned());
        } else if phone(sentence).is_none()
            && !sentence.ends_with('?')
            && sentence.split_whitespace().count() >= 4
            && (tells_an_amount(sentence) || when(sentence).is_some())
            && !STEPS.iter().any(|(_, _, wished)| says(&words, wished))
        {
            self.details.push(sentence.to_owned());
        }
    }

    fn hear_refusals(&mut self, asked: &str, text: &str, words: &str) {
        let asked = plain(asked);
        let mut refuse = |what: Refused| {
            if !self.refused.contains(&what) {
                self.refused.push(what);
            }
        };
        if Wish::Refusal.is_in(text) || says(words, &["no uso correo", "no tengo correo", "prefiero no"]) {
            if says(&asked, &["email", "e mail", "correo"]) || says(words, &["email", "e mail", "correo"]) {
                refuse(Refused::Email);
            } else if says(&asked, &["phone number", "best number", "number to reach", "número"]) {
                refuse(Refused::Phone);
            } else if says(&asked, &["name", "nombre"]) {
                refuse(Refused::Name);
            }
        }
        if says(words, NOT_INTERESTED) {
            refuse(Refused::Offer);
        }
        if says(words, HAS_SOMEBODY) {
            refuse(Refused::HasSomebody);
        }
        if says(words, TOO_EXPENSIVE) {
            refuse(Refused::TooExpensive);
        }
    }

    /// An offer of the agent's that the caller takes or declines, or a promise.
    fn hear_offer(&mut self, text: &str, answer: Option<&str>) {
        let Some(sentence) = sentences(text).into_iter().rfind(|sentence| step_offered(sentence).is_some())
        else {
            return;
        };
        let step = step_offered(&sentence).expect("it was looked for");
        let declined = answer.is_some_and(|answer| {
            remarks(answer, &[Remark::No, Remark::Done]) || Wish::Refusal.is_in(answer)
        });
        let taken = answer.is_some_and(accepts);
        let is_promise = says(&plain(&sentence), PROMISE) && !text.trim_end().ends_with('?');
        if declined && !taken {
            if self.next.as_ref().is_some_and(|next| next.step == step) && !is_promise {
                self.next = None;
            }
        } else if taken || is_promise {
            let said = when(&sentence).or_else(|| answer.and_then(when));
            self.follow(Next { step, when: said, agreed: true });
        }
    }

    /// The newest counts, and keeps what it does not say anew.
    fn follow(&mut self, next: Next) {
        let before = self.next.take();
        let kept = before.as_ref().filter(|before| before.step == next.step);
        let firm = before.as_ref().is_some_and(|before| before.agreed && before.step == Step::Appointment);
        self.next = Some(if firm && next.step == Step::Send {
            before.expect("it is firm")
        } else {
            Next {
                when: next.when.or_else(|| kept.and_then(|kept| kept.when.clone())),
                agreed: next.agreed || kept.is_some_and(|kept| kept.agreed),
                step: next.step,
            }
        });
    }

    /// What the lead is told to want, in the caller's words.
    pub(super) fn intent(&self) -> Option<String> {
        let text = self.concerns.join(" ");
        (!text.is_empty()).then_some(text)
    }
}

/// True if the caller asked not to be called again, or can have meant it.
pub(super) fn wants_no_calls(turns: &[Utterance]) -> bool {
    let turns: Vec<Turn<'_>> = turns
        .iter()
        .map(|said| Turn {
            by: if said.by == Party::Agent { Speaker::Agent } else { Speaker::Caller },
            text: &said.text,
        })
        .collect();
    opt_out::read(&turns) != OptOut::No
}

/// True if these words say what the caller wants, by themselves or as an answer.
pub(super) fn states_reason(asked: &str, text: &str) -> bool {
    const ASKED: &[&str] = &[
        "help you",
        "about",
        "regarding",
        "reason",
        "do for you",
        "ayudarle",
        "ayudarlo",
        "ayudarla",
        "motivo",
        "se trata",
    ];
    if opt_out::read(&[Turn { by: Speaker::Caller, text }]) != OptOut::No {
        return false;
    }
    let said = plain(text);
    let wishes = [Wish::WhoIsCalling, Wish::Goodbye, Wish::Refusal, Wish::Repeat];
    if wishes.into_iter().any(|wish| wish.is_in(text))
        || remarks(text, &[Remark::Robot])
        || says(&said, NOT_A_REASON)
    {
        return false;
    }
    says(&said, STATED)
        || (says(&plain(asked), ASKED)
            && asked.contains('?')
            && text.split_whitespace().count() >= 4
            && !remarks(text, &[Remark::No, Remark::Done]))
}

/// True if the text makes one of these remarks.
fn remarks(text: &str, wanted: &[Remark]) -> bool {
    let heard = remark::heard(text);
    wanted.iter().any(|remark| heard.contains(remark))
}

/// The first sentence of some length that can be a concern, where none was stated in so many words.
fn unprompted(by_caller: &[&Utterance]) -> Option<String> {
    by_caller.iter().flat_map(|said| sentences(&said.text)).find(|sentence| {
        let words = plain(sentence);
        let wishes = [Wish::WhoIsCalling, Wish::Goodbye, Wish::Refusal, Wish::Repeat];
        words.split_whitespace().count() >= 5
            && !wishes.into_iter().any(|wish| wish.is_in(sentence))
            && !remarks(sentence, &[Remark::Robot, Remark::Later])
            && !name_of_clause(sentence)
            && email(sentence).is_none()
            && phone(sentence).is_none()
            && opt_out::read(&[Turn { by: Speaker::Caller, text: sentence }]) == OptOut::No
            && ![NOT_A_REASON, NOT_INTERESTED, HAS_SOMEBODY, WANTS_A_PERSON]
                .iter()
                .any(|phrases| says(&words, phrases))
    })
}

/// True if the sentence only says who speaks.
fn name_of_clause(sentence: &str) -> bool {
    sentence.split_whitespace().count() <= 7 && name(sentence).is_some() && !says(&plain(sentence), STATED)
}

fn is_spanish(by_caller: &[&Utterance]) -> bool {
    let text: Vec<&str> = by_caller.iter().map(|said| said.text.as_str()).collect();
    let words = plain(&text.join(" "));
    let count = |list: &[&str]| words.split_whitespace().filter(|word| list.contains(word)).count();
    count(SPANISH) > count(ENGLISH)
}

/// True if the caller takes what was offered, or the agent what was asked for.
pub(super) fn accepts(text: &str) -> bool {
    let words = plain(text);
    let no = says(&words, &["no", "nope", "not", "dont", "cant", "cannot", "wont"])
        && !says(&words, &["no problem", "why not"]);
    !no && (Wish::Yes.is_in(text) || says(&words, ACCEPTED))
}

fn step_offered(sentence: &str) -> Option<Step> {
    let words = plain(sentence);
    STEPS.iter().find(|(_, offered, _)| says(&words, offered)).map(|(step, ..)| *step)
}

/// The sentences of a turn. Titles and decimal points end none.
pub(super) fn sentences(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut sentence = String::new();
    for word in text.split_whitespace() {
        if !sentence.is_empty() {
            sentence.push(' ');
        }
        sentence.push_str(word);
        let is_title = ["Dr.", "Mr.", "Mrs.", "Ms.", "St.", "Sr.", "Sra."].contains(&word);
        if word.ends_with(['.', '!', '?', '…']) && !is_title {
            found.push(std::mem::take(&mut sentence));
        }
    }
    if !sentence.is_empty() {
        found.push(sentence);
    }
    found
}

/// A time or a date in the words in which it was said: the longest run of words that belong to one.
pub(super) fn when(text: &str) -> Option<String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let lower: Vec<String> =
        words.iter().map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase()).collect();
    let anchors = |word: &str| TIMES.contains(&word) || is_clock(word);
    let ends = |word: &str| word.ends_with(['.', '!', '?', ';', ':']);
    let mut best: Option<(usize, usize, usize)> = None;
    let mut start = 0;
    for at in 0..=words.len() {
        let belongs = at < words.len()
            && (anchors(&lower[at]) || AROUND_TIMES.contains(&lower[at].as_str()) || is_number(&lower[at]));
        if belongs && !ends(words[at]) {
            continue;
        }
        let mut range = start..(at + usize::from(belongs));
        start = at + 1;
        while range.end > range.start && TRAILING.contains(&lower[range.end - 1].as_str()) {
            range.end -= 1;
        }
        // "come in next Tuesday": the small word belongs to the verb.
        let is_of_verb = |at: usize| {
            lower[at] == "in"
                && lower.get(at + 1).is_some_and(|next| ["next", "this", "on"].contains(&next.as_str()))
        };
        while range.start < range.end
            && (LEADING.contains(&lower[range.start].as_str()) || is_of_verb(range.start))
        {
            range.start += 1;
        }
        let told = range.clone().filter(|&at| anchors(&lower[at])).count();
        if told > 0 && best.is_none_or(|(most, ..)| told > most) {
            best = Some((told, range.start, range.end));
        }
    }
    let (_, from, to) = best?;
    let mut found = words[from..to].join(" ");
    let kept = found.trim_matches(|c: char| !c.is_alphanumeric()).to_owned();
    found = kept;
    // A weekday at the beginning of a sentence has its capital anyway; a small word has not.
    if AROUND_TIMES.contains(&lower[from].as_str()) || lower[from] == "tomorrow" || lower[from] == "today" {
        let rest: String = found.chars().skip(1).collect();
        found = found.chars().take(1).flat_map(char::to_lowercase).collect::<String>() + &rest;
    }
    Some(found)
}

fn is_clock(word: &str) -> bool {
    let digits = word.trim_end_matches("am").trim_end_matches("pm");
    let timed = digits.len() < word.len() && !digits.is_empty();
    (timed || word.contains(':')) && digits.chars().all(|c| c.is_ascii_digit() || c == ':')
}

fn is_number(word: &str) -> bool {
    NUMBERS.contains(&word) || (word.len() <= 4 && word.chars().next().is_some_and(|c| c.is_ascii_digit()))
}

/// True if a sum of money is named.
pub(super) fn tells_an_amount(text: &str) -> bool {
    let written = text
        .split_whitespace()
        .any(|word| word.contains(['$', '€', '£']) && word.chars().any(|c| c.is_ascii_digit()));
    written || says(&plain(text), MONEY)
}

/// What the caller or the agent says of a next step: how the agent offers it, and how the caller asks for it.
const STEPS: [(Step, &[&str], &[&str]); 4] = [
    (
        Step::PutThrough,
        &["put you through", "transfer you", "connect you", "le paso con", "le comunico"],
        &["put me through", "transfer me", "connect me"],
    ),
    (
        Step::Appointment,
        &[
            "appointment",
            "book you",
            "booked",
            "schedule",
            "scheduled",
            "come by",
            "come out",
            "stop by",
            "visit",
            "have you down",
            "reserve",
            "reserved",
            "cita",
            "agendar",
            "agendada",
        ],
        &[
            "make an appointment",
            "book an appointment",
            "schedule an appointment",
            "an appointment",
            "book a",
            "schedule a",
            "to come in",
            "can i come",
            "could i come",
            "come out and",
            "send someone out",
            "una cita",
        ],
    ),
    (
        Step::CallBack,
        &[
            "call you back",
            "call you",
            "give you a call",
            "have somebody call",
            "have someone call",
            "someone call you",
            "somebody will call",
            "someone will call",
            "get back to you",
            "reach out to you",
            "call back",
            "le llamamos",
            "le llamaremos",
            "le llamarán",
            "le llame",
            "devolver la llamada",
        ],
        &[
            "call me back",
            "call me",
            "give me a call",
            "call back",
            "get back to me",
            "reach me",
            "ring me",
            "me llamen",
            "me llame",
            "llámeme",
            "llamarme",
        ],
    ),
    (
        Step::Send,
        &[
            "send you",
            "email you",
            "e mail you",
            "text you",
            "send it",
            "send the",
            "enviar",
            "enviamos",
            "le mando",
        ],
        &[
            "send me",
            "email me",
            "e mail me",
            "text me",
            "mail me",
            "envíeme",
            "enviarme",
            "mándeme",
            "mandarme",
        ],
    ),
];

const TOPICS: [(Topic, &[&str]); 9] = [
    (
        Topic::Price,
        &[
            "how much",
            "cost",
            "costs",
            "price",
            "prices",
            "charge",
            "fee",
            "fees",
            "rate",
            "rates",
            "quote",
            "estimate",
            "cuánto cuesta",
            "cuánto cuestan",
            "cuánto cobran",
            "precio",
            "precios",
        ],
    ),
    (
        Topic::Address,
        &[
            "where are you located",
            "where is your",
            "where your office",
            "where are you",
            "your address",
            "located",
            "dónde están",
            "dónde está",
            "dirección",
        ],
    ),
    (
        Topic::Hours,
        &[
            "what hours",
            "your hours",
            "opening hours",
            "open on",
            "are you open",
            "do you close",
            "horario",
            "abren",
            "abierto",
        ],
    ),
    (
        Topic::Availability,
        &[
            "how soon",
            "when can you",
            "when could you",
            "availability",
            "available this",
            "available next",
            "how long",
            "tan pronto",
        ],
    ),
    (
        Topic::Payment,
        &[
            "payment plan",
            "payment plans",
            "financing",
            "installments",
            "credit card",
            "take cash",
            "a plazos",
            "tarjeta",
        ],
    ),
    (Topic::Insurance, &["insurance", "my insurer", "medicare", "medicaid", "seguro médico", "aseguradora"]),
    (Topic::Parking, &["parking", "where do i park", "estacionamiento", "aparcar"]),
    (Topic::Recording, &["being recorded", "recording this", "call recorded", "grabando", "grabada"]),
    (
        Topic::Origin,
        &[
            "my number from",
            "got my number",
            "get my number",
            "have my number",
            "de dónde tienen mi número",
            "mi número de",
        ],
    ),
];

const STATED: &[&str] = &[
    "i need",
    "we need",
    "needs a",
    "need a",
    "need an",
    "need to",
    "need some",
    "need help",
    "calling about",
    "calling because",
    "calling regarding",
    "calling to",
    "its about",
    "i have a question",
    "i have a problem",
    "question about",
    "i want",
    "we want",
    "id like",
    "wed like",
    "i would like",
    "we would like",
    "i was in",
    "i asked for",
    "looking for",
    "looking to",
    "help with",
    "help me with",
    "interested in",
    "problem with",
    "trouble with",
    "issue with",
    "issues with",
    "complaint",
    "was wondering",
    "wondering if",
    "hoping to",
    "hoping you",
    "thinking about",
    "thinking of",
    "can you fix",
    "can you help",
    "do you do",
    "do you offer",
    "do you have",
    "do you handle",
    "do you repair",
    "do you install",
    "how much",
    "is leaking",
    "is broken",
    "isnt working",
    "doesnt work",
    "not working",
    "broke down",
    "stopped working",
    "want to cancel",
    "necesito",
    "necesitamos",
    "quiero",
    "queremos",
    "quisiera",
    "me gustaría",
    "busco",
    "buscamos",
    "llamo por",
    "llamo para",
    "llamo porque",
    "tengo una pregunta",
    "tengo un problema",
    "pregunta sobre",
    "estoy buscando",
    "estamos buscando",
    "me interesa",
    "tuve un",
    "cuánto cuesta",
    "cuánto cobran",
];

const NOT_A_REASON: &[&str] = &[
    "dont need",
    "do not need",
    "dont want",
    "do not want",
    "not looking",
    "i need to go",
    "i have to go",
    "ive got to go",
    "i need to run",
    "need to think",
    "want to think",
    "not interested",
    "i need a minute",
    "speak to a",
    "talk to a",
    "speak with a",
    "talk with a",
    "real person",
    "speak to someone",
    "no necesito",
    "no quiero",
    "no me interesa",
    "call me back",
    "call me",
    "id like to think",
    "need to hang up",
    "i asked for an agent",
];

const CORRECTION: &[&str] = &[
    "actually",
    "no",
    "sorry",
    "i mean",
    "i meant",
    "correction",
    "changed my mind",
    "wait",
    "perdón",
    "mejor",
];

const PROMISE: &[&str] = &[
    "will",
    "well",
    "ill",
    "youre booked",
    "booked for",
    "have you down",
    "is scheduled",
    "are scheduled",
    "is confirmed",
    "is booked",
    "reserved for",
    "i have scheduled",
    "ive scheduled",
    "i have booked",
    "ive booked",
    "going to",
    "llamaremos",
    "llamará",
    "llamarán",
    "queda agendada",
    "enviaremos",
    "le paso",
];

const ACCEPTED: &[&str] = &[
    "perfect",
    "great",
    "sounds good",
    "that works",
    "works for me",
    "works fine",
    "thats fine",
    "please",
    "please do",
    "wonderful",
    "lovely",
    "thatd be great",
    "that would be",
    "ill be there",
    "see you",
    "noted",
    "certainly",
    "no problem",
    "ill make sure",
    "ill pass",
    "ill have",
    "we will",
    "well call",
    "got it",
    "of course",
    "claro",
    "perfecto",
    "por supuesto",
    "de acuerdo",
    "está bien",
    "muy bien",
    "sí",
    "me parece bien",
    "anotado",
    "me queda bien",
];

const UPSET: &[&str] = &[
    "ridiculous",
    "unacceptable",
    "terrible",
    "horrible",
    "awful",
    "outrageous",
    "furious",
    "angry",
    "fed up",
    "sick of",
    "sick and tired",
    "waste of time",
    "wasting my time",
    "this is the second time",
    "this is the third time",
    "nobody showed",
    "no one showed",
    "never showed",
    "youre not listening",
    "you are not listening",
    "scam",
    "rip off",
    "lawsuit",
    "sue you",
    "worst",
    "useless",
    "disappointed",
    "what the hell",
    "shut up",
    "es inaceptable",
    "estoy harto",
    "estoy harta",
    "una vergüenza",
    "pésimo",
    "i told you already",
    "already told you",
];

const URGENT: &[&str] = &[
    "urgent",
    "urgently",
    "as soon as possible",
    "asap",
    "right away",
    "immediately",
    "emergency",
    "right now",
    "flooding",
    "flooded",
    "deadline",
    "still today",
    "before it",
    "cant wait",
    "urgente",
    "urgencia",
    "cuanto antes",
    "lo antes posible",
    "ahora mismo",
    "hoy mismo",
];

const NOT_URGENT: &[&str] =
    &["not urgent", "no rush", "no hurry", "not today", "no es urgente", "busy right now", "not right now"];

const DISTRESS: &[&str] = &[
    "accident",
    "died",
    "passed away",
    "death",
    "funeral",
    "hurt",
    "injured",
    "hospital",
    "in pain",
    "pain",
    "scared",
    "afraid",
    "worried",
    "crying",
    "divorce",
    "evicted",
    "eviction",
    "fired",
    "lost my",
    "flooded",
    "flooding",
    "cancer",
    "surgery",
    "accidente",
    "murió",
    "falleció",
    "herido",
    "herida",
    "dolor",
    "duele",
    "asustada",
    "asustado",
    "preocupada",
    "preocupado",
    "desalojo",
];

const WANTS_A_PERSON: &[&str] = &[
    "a real person",
    "to a person",
    "with a person",
    "to a human",
    "a human",
    "to somebody real",
    "your manager",
    "the manager",
    "a manager",
    "supervisor",
    "speak to someone",
    "speak with someone",
    "talk to someone",
    "a representative please",
    "una persona",
    "el gerente",
    "un representante",
];

const NO_CUSTOMER: &[&str] = &[
    "we offer",
    "our services",
    "we help businesses",
    "your website",
    "google ranking",
    "search engine",
    "seo",
    "business loan",
    "merchant services",
    "on behalf of our",
    "sponsor",
    "are you hiring",
    "job opening",
    "job openings",
    "apply for",
    "my resume",
    "cancel my",
    "want to cancel",
    "cancel the contract",
    "sales pitch",
];

const NOT_INTERESTED: &[&str] = &[
    "not interested",
    "no interest",
    "dont need",
    "do not need",
    "dont want",
    "do not want",
    "no thanks im good",
    "no me interesa",
    "no estoy interesado",
    "no estoy interesada",
    "no necesito",
];

const HAS_SOMEBODY: &[&str] = &[
    "already have someone",
    "already have somebody",
    "already have a",
    "already hired",
    "already found",
    "went with",
    "going with another",
    "chose another",
    "took care of it",
    "its been fixed",
    "already fixed",
    "ya tengo",
    "ya encontré",
    "ya contraté",
];

const TOO_EXPENSIVE: &[&str] = &[
    "too expensive",
    "too much money",
    "cant afford",
    "cannot afford",
    "thats a lot",
    "out of my budget",
    "too pricey",
    "demasiado caro",
    "muy caro",
];

const NOT_SO: &[&str] = &[
    "dont call me",
    "do not call me",
    "stop calling me",
    "dont email me",
    "call me at work",
    "never call me",
    "i dont need",
    "you call me",
    "they call me",
    "people call me",
    "friends call me",
    "everybody calls me",
    "no me llame",
    "no me llamen",
];

const NOT_LATER: &[&str] = &["not a bad time", "no bad time", "was in a meeting", "isnt a bad time"];

const TIMES: &[&str] = &[
    "today",
    "tonight",
    "tomorrow",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
    "mondays",
    "tuesdays",
    "wednesdays",
    "thursdays",
    "fridays",
    "saturdays",
    "january",
    "february",
    "april",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
    "week",
    "weekend",
    "month",
    "year",
    "morning",
    "afternoon",
    "evening",
    "noon",
    "midnight",
    "o'clock",
    "pm",
    "am",
    "p.m",
    "a.m",
    "summer",
    "winter",
    "spring",
    "autumn",
    "hoy",
    "mañana",
    "lunes",
    "martes",
    "miércoles",
    "jueves",
    "viernes",
    "sábado",
    "domingo",
    "semana",
    "mes",
    "enero",
    "febrero",
    "abril",
    "mayo",
    "junio",
    "julio",
    "agosto",
    "septiembre",
    "octubre",
    "noviembre",
    "diciembre",
    "tarde",
    "mediodía",
];

const AROUND_TIMES: &[&str] = &[
    "on",
    "at",
    "by",
    "before",
    "after",
    "until",
    "till",
    "next",
    "this",
    "the",
    "in",
    "of",
    "between",
    "from",
    "to",
    "and",
    "or",
    "end",
    "early",
    "late",
    "around",
    "about",
    "past",
    "half",
    "quarter",
    "march",
    "may",
    "day",
    "el",
    "la",
    "las",
    "los",
    "de",
    "del",
    "por",
    "próximo",
    "próxima",
    "antes",
    "después",
    "a",
    "para",
    "que",
    "viene",
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "tenth",
    "fifteenth",
    "twentieth",
    "thirtieth",
    "within",
    "every",
    "any",
    "last",
    "en",
    "y",
    "media",
    "entre",
];

const LEADING: &[&str] = &[
    "and", "or", "of", "a", "que", "y", "de", "about", "to", "second", "may", "march", "from", "for", "la",
    "las", "para",
];

const TRAILING: &[&str] = &[
    "and", "or", "of", "a", "to", "the", "at", "on", "in", "by", "about", "from", "que", "y", "de", "el",
    "la", "las", "los", "por", "para", "before", "after", "until", "between", "this", "any", "en",
];

const NUMBERS: &[&str] = &[
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "fifteen", "twenty", "thirty", "forty", "fifty", "una", "dos", "tres", "cuatro", "cinco", "seis",
    "siete", "ocho", "nueve", "diez", "once", "doce",
];

const MONEY: &[&str] = &[
    "dollars",
    "dollar",
    "bucks",
    "euros",
    "euro",
    "pounds",
    "thousand",
    "hundred",
    "grand",
    "percent",
    "a month",
    "per month",
    "dólares",
    "pesos",
    "mil",
    "cien",
];

const SPANISH: &[&str] = &[
    "el", "la", "los", "las", "de", "que", "qué", "y", "en", "un", "una", "por", "para", "con", "mi", "me",
    "se", "es", "está", "estoy", "necesito", "quiero", "hola", "gracias", "sí", "señor", "señora", "buenas",
    "buenos", "tengo", "llamo", "soy", "favor", "cuánto", "dónde", "usted", "muy", "bien", "pero", "mañana",
];

const ENGLISH: &[&str] = &[
    "the", "a", "an", "i", "im", "my", "and", "to", "of", "is", "it", "its", "you", "yes", "hello", "hi",
    "thanks", "thank", "need", "want", "for", "with", "this", "that", "was", "have", "what", "who", "please",
    "not", "your", "we", "do", "are",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_taken_as_they_were_said() {
        let check =
            |text: &str, expected: Option<&str>| assert_eq!(when(text).as_deref(), expected, "{text}");
        check(
            "I'd like to come in next Tuesday at ten in the morning about my divorce.",
            Some("next Tuesday at ten in the morning"),
        );
        check("Please call me back tomorrow after five.", Some("tomorrow after five"));
        check("Shall I book you for Friday, March 6 at 3:30pm?", Some("Friday, March 6 at 3:30pm"));
        check("It has to be done by the end of the month.", Some("by the end of the month"));
        check("¿Puede llamarme mañana por la tarde?", Some("mañana por la tarde"));
        check("I need a new roof.", None);
        check("You may march on.", None);
    }

    #[test]
    fn amounts_are_noticed() {
        assert!(tells_an_amount("a deposit of twenty four hundred dollars"));
        assert!(tells_an_amount("it was $2,400"));
        assert!(!tells_an_amount("two cars"));
    }

    #[test]
    fn sentences_end_where_people_stop() {
        assert_eq!(
            sentences("I'm Dr. Anna Smith. It costs 2.50 a day! Why?"),
            ["I'm Dr. Anna Smith.", "It costs 2.50 a day!", "Why?"]
        );
    }
}
