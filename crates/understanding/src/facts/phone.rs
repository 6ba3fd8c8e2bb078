//! Phone numbers in speech, and all the numbers that are none.
//!
//! A number says by itself only how long it is. What it counts, the words around it say: the nearest noun before it, the unit after it,
//! else the question that it answers.

use super::number_words;
use super::numbers::{self, Run};
use super::token::{Gap, Token, tokens};

/// A phone number as somebody gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phone {
    /// The digits, after a `+` if it was said.
    pub digits: String,
    pub extension: Option<String>,
}

/// What the words around a number say of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counts {
    /// The number of a telephone.
    Phone,
    /// A number of something else, such as an order.
    Other,
    /// The words around it say nothing of it.
    Unsaid,
}

/// The phone number in these words, the last if the speaker corrects themselves. `asked` is what was asked before them, or empty.
pub(crate) fn phone_in(text: &str, asked: &str) -> Option<Phone> {
    let tokens = tokens(text);
    let mut best: Option<(Run, Phone, Counts)> = None;
    let mut broken_off: Option<Run> = None;
    let spanish = tokens.iter().any(|token| token.is(SPANISH));
    for run in numbers::runs(&tokens) {
        if is_extension(&tokens, &run) {
            if let Some((_, phone, _)) = &mut best {
                phone.extension.get_or_insert(run.digits());
            }
            continue;
        }
        let glued = tokens.get(run.words.end).and_then(|token| glued_extension(&token.plain));
        let counts = match counts(&tokens, &run) {
            Counts::Unsaid => asked_for(asked),
            said => said,
        };
        if denied(&tokens, &run) {
            continue;
        }
        let corrects = corrects(&tokens, &run)
            || best.is_some() && (replaces_an_old_one(&tokens, &run) || is_another_end(&tokens, &run));
        let before = best.as_ref().map(|(run, _, _)| run).or(broken_off.as_ref()).filter(|_| corrects);
        let corrected = before.and_then(|before| put_right(before, &run));
        let whole = if counts == Counts::Other { None } else { complete(&run, counts, spanish) };
        let (digits, run) = match (whole, corrected) {
            (Some(digits), None) => (digits, run),
            (Some(digits), Some(_)) if digits.len() >= 9 => (digits, run),
            (_, Some(fixed)) if counts != Counts::Other => (with_plus(&fixed), fixed),
            _ => {
                if counts != Counts::Other && best.is_none() {
                    broken_off = Some(run);
                }
                continue;
            }
        };
        let better = match &best {
            None => true,
            Some((_, _, before)) => corrects || (counts == Counts::Phone && *before == Counts::Unsaid),
        };
        if better {
            let extension = best.and_then(|(_, phone, _)| phone.extension).filter(|_| corrects);
            best = Some((run, Phone { digits, extension: glued.or(extension) }, counts));
        }
    }
    best.map(|(_, phone, _)| phone)
}

/// The digits with which a later turn corrects the end of a number: "no, it's 0187".
pub(crate) fn tail_in(text: &str) -> Option<String> {
    let tokens = tokens(text);
    let corrects = tokens.first().is_some_and(|token| token.is(CORRECTIONS));
    let runs = numbers::runs(&tokens);
    let run = runs.last().filter(|run| corrects && counts(&tokens, run) != Counts::Other)?;
    let digits = run.digits();
    (2..=6).contains(&digits.len()).then_some(digits)
}

/// True if what was asked calls for a phone number.
pub(crate) fn asked_for(asked: &str) -> Counts {
    let tokens = tokens(asked);
    let other = tokens.iter().any(|token| token.is(OTHERS));
    let phone = tokens.iter().any(|token| token.is(PHONES));
    match (other, phone) {
        (true, _) => Counts::Other,
        (_, true) => Counts::Phone,
        _ => Counts::Unsaid,
    }
}

const PHONES: &[&str] = &[
    "phone",
    "telephone",
    "number",
    "num",
    "cell",
    "cellphone",
    "mobile",
    "call",
    "reach",
    "ring",
    "text",
    "whatsapp",
    "number's",
    "landline",
    "callback",
    "contact",
    "dial",
    "line",
    "telefono",
    "numero",
    "llame",
    "llamen",
    "llamame",
    "llameme",
    "llamarme",
    "celular",
    "movil",
    "fijo",
    "contactarme",
    "marque",
];

const OTHERS: &[&str] = &[
    "order",
    "birthday",
    "birth",
    "born",
    "dob",
    "birthdate",
    "invoice",
    "case",
    "claim",
    "policy",
    "account",
    "card",
    "visa",
    "mastercard",
    "amex",
    "credit",
    "debit",
    "social",
    "ssn",
    "security",
    "tracking",
    "reference",
    "ref",
    "confirmation",
    "member",
    "membership",
    "zip",
    "zipcode",
    "postcode",
    "license",
    "licence",
    "plate",
    "pin",
    "id",
    "ticket",
    "serial",
    "vin",
    "routing",
    "iban",
    "passport",
    "price",
    "cost",
    "costs",
    "paid",
    "pay",
    "worth",
    "quoted",
    "quote",
    "street",
    "address",
    "suite",
    "apartment",
    "between",
    "since",
    "year",
    "built",
    "bought",
    "model",
    "permit",
    "docket",
    "patient",
    "student",
    "employee",
    "tax",
    "ein",
    "npi",
    "pedido",
    "orden",
    "factura",
    "tarjeta",
    "seguro",
    "caso",
    "poliza",
    "cuenta",
    "postal",
    "nacimiento",
    "naci",
    "nacio",
    "fecha",
    "calle",
    "placa",
    "referencia",
    "matricula",
    "dni",
    "curp",
    "rfc",
    "costo",
    "cuesta",
    "precio",
    "cobraron",
    "desde",
    "reclamo",
    "expediente",
    "fax",
    "cvv",
    "expires",
    "aadhaar",
    "aadhar",
    "pan",
];

const UNITS: &[&str] = &[
    "dollars",
    "dollar",
    "bucks",
    "cents",
    "percent",
    "pounds",
    "euros",
    "rupees",
    "pesos",
    "dolares",
    "years",
    "square",
    "feet",
    "miles",
    "street",
    "avenue",
    "road",
    "drive",
    "lane",
    "boulevard",
    "people",
    "am",
    "pm",
    "a.m",
    "p.m",
    "metros",
    "anos",
];

/// What the words around a run say of it.
pub(crate) fn counts(tokens: &[Token<'_>], run: &Run) -> Counts {
    let first = &tokens[run.words.start];
    if first.plain.contains('$') || tokens.get(run.words.end).is_some_and(|token| token.is(UNITS)) {
        return Counts::Other;
    }
    if is_date(&run.groups) || is_social(&run.groups) || is_social(&run.breaths) {
        return Counts::Other;
    }
    let mut same_sentence = true;
    for at in (run.words.start.saturating_sub(REACH)..run.words.start).rev() {
        let token = &tokens[at];
        same_sentence &= token.gap != Gap::Stop;
        if token.is(NUMBER) {
            return if counts_telephones(tokens, at) { Counts::Phone } else { Counts::Other };
        }
        let by_the_way = token.plain == "case" && at > 0 && tokens[at - 1].plain == "in";
        // "My order number? It's 4455": the sentence before is the question.
        if token.is(OTHERS) && !by_the_way && (same_sentence || token.asked) {
            return Counts::Other;
        }
        if token.is(PHONES) {
            return Counts::Phone;
        }
    }
    let after =
        tokens[run.words.end..].iter().take(4).take_while(|token| token.gap != Gap::Stop || token.is(OTHERS));
    if tokens.get(run.words.end).is_some_and(|token| token.is(&["is", "was", "es"]))
        && after.clone().any(|token| token.is(OTHERS))
    {
        return Counts::Other;
    }
    Counts::Unsaid
}

/// How many words back the noun may stand.
const REACH: usize = 10;

const NUMBER: &[&str] = &["number", "num", "numero"];

/// True if the noun "number" at this word means a telephone's: "my number", "cell number", not "order number" nor "Medicare number".
fn counts_telephones(tokens: &[Token<'_>], at: usize) -> bool {
    const BEFORE: &str = "my our the this that a an his her their your home work office contact back best direct good better new \
        current main personal business house other another correct right same local daytime evening old wrong real actual only mi \
        su el un nuestro mejor nuevo otro is and or at on es y shop store cellular emergency whole full following alternate second primary";
    let after = &tokens[at + 1..tokens.len().min(at + 5)];
    let owned = tokens[at].goes_on() && after.first().is_some_and(|token| token.is(&["de", "of", "for"]));
    if owned {
        let other = after.iter().any(|token| token.is(OTHERS));
        let phone = after.iter().any(|token| token.is(PHONES) || token.is(&["casa", "contacto", "trabajo"]));
        return phone || (!other && !after[0].is(&["de"]));
    }
    let kind = at.checked_sub(1).map(|before| &tokens[before]).filter(|kind| kind.goes_on());
    kind.is_none_or(|kind| {
        BEFORE.split_whitespace().any(|word| word == kind.plain)
            || kind.is(PHONES)
            || kind.plain.ends_with("'s")
    })
}

/// Day, month and year in some order.
fn is_date(groups: &[String]) -> bool {
    let value = |group: &String| group.parse::<u32>().unwrap_or(u32::MAX);
    let year = |group: &String| group.len() == 4 && (1900..2100).contains(&value(group));
    let small = |group: &String| group.len() <= 2 && (1..=31).contains(&value(group));
    match groups {
        [a, b, c] => (year(c) && small(a) && small(b)) || (year(a) && small(b) && small(c)),
        _ => false,
    }
}

/// Three, two and four digits.
pub(crate) fn is_social(groups: &[String]) -> bool {
    let lengths: Vec<usize> = groups.iter().map(String::len).collect();
    lengths == [3, 2, 4]
}

/// The digits of the run if they can be a whole phone number.
fn complete(run: &Run, counts: Counts, spanish: bool) -> Option<String> {
    let digits = run.digits();
    let local_shape = run.groups.len() == 2 && run.groups[0].len() == 3 && run.groups[1].len() == 4;
    let fits = match digits.len() {
        7 => counts == Counts::Phone || (local_shape && run.words.len() == 1),
        8 => counts == Counts::Phone,
        9 => counts == Counts::Phone || run.plus || (spanish && digits.starts_with(['6', '7', '8', '9'])),
        10 => true,
        11 => run.plus || counts == Counts::Phone || digits.starts_with(['0', '1', '9']),
        12..=15 => run.plus || (counts == Counts::Phone && !(digits.len() == 15 && digits.starts_with('3'))),
        _ => false,
    };
    let one_digit = digits.chars().all(|c| digits.starts_with(c));
    (fits && !one_digit).then(|| with_plus(run))
}

const SPANISH: &[&str] = &[
    "cinco",
    "seis",
    "siete",
    "ocho",
    "nueve",
    "cero",
    "dos",
    "tres",
    "cuatro",
    "es",
    "mi",
    "seiscientos",
    "novecientos",
];

fn with_plus(run: &Run) -> String {
    let digits = run.digits();
    if run.plus { format!("+{digits}") } else { digits }
}

const EXTENSIONS: &[&str] = &["extension", "ext", "x", "extn", "anexo", "interno"];

/// "x12", "ext12", right after a number.
fn glued_extension(plain: &str) -> Option<String> {
    let digits = ["ext.", "ext", "x", "#"].iter().find_map(|mark| plain.strip_prefix(mark))?;
    (!digits.is_empty() && digits.len() <= 7 && digits.chars().all(|c| c.is_ascii_digit()))
        .then(|| digits.to_owned())
}

fn is_extension(tokens: &[Token<'_>], run: &Run) -> bool {
    let before = (0..run.words.start).rev().take(2).map(|at| &tokens[at]);
    let mut words = before.take_while(|token| token.is(EXTENSIONS) || token.is(&["is", "number", "es", "#"]));
    words.any(|token| token.is(EXTENSIONS))
}

/// Words with which people correct themselves.
pub(crate) const CORRECTIONS: &[&str] = &[
    "no",
    "nope",
    "wait",
    "sorry",
    "actually",
    "correction",
    "rather",
    "scratch",
    "oops",
    "mean",
    "meant",
    "make",
    "perdon",
    "digo",
    "perdone",
    "disculpe",
    "mejor",
    "wrong",
    "not",
    "instead",
];

/// True if the speaker takes back what stands before these digits.
fn corrects(tokens: &[Token<'_>], run: &Run) -> bool {
    let before = (0..run.words.start).rev().map(|at| &tokens[at]);
    let clause = before.take_while(|token| !number_words::is_number_word(&token.plain)).take(8);
    clause.into_iter().any(|token| token.is(CORRECTIONS))
}

/// True for "or 0199? He says 0199" after a number: its last four to six digits, said in another way.
fn is_another_end(tokens: &[Token<'_>], run: &Run) -> bool {
    let before = run.words.start.checked_sub(1).map(|at| &tokens[at]);
    (4..=6).contains(&run.digits().len())
        && before.is_some_and(|token| token.is(&["or", "o", "says", "said", "dice", "it's", "its", "es"]))
}

/// True for "but now it's ..." and "the new one is ...".
fn replaces_an_old_one(tokens: &[Token<'_>], run: &Run) -> bool {
    let mut before = (run.words.start.saturating_sub(4)..run.words.start).map(|at| &tokens[at]);
    before.any(|token| token.is(&["now", "new", "currently", "ahora", "nuevo", "instead"]))
}

/// True for "not 512 ...": the number that is not meant.
fn denied(tokens: &[Token<'_>], run: &Run) -> bool {
    let before = run.words.start.checked_sub(1).map(|at| &tokens[at]);
    before.is_some_and(|token| token.plain == "not" && token.goes_on())
}

/// A number whose end was said again, rightly: from a pause on, or as many digits as were said again, or what was missing.
fn put_right(before: &Run, after: &Run) -> Option<Run> {
    let (old, new) = (before.digits(), after.digits());
    let from_a_pause = (1..=before.breaths.len()).rev().map(|kept| before.breaths[..kept].concat());
    let as_many =
        old.len().checked_sub(new.len()).filter(|kept| *kept > 0).map(|kept| old[..kept].to_owned());
    let missing =
        (old.len() < 10).then(|| old[..10_usize.saturating_sub(new.len()).min(old.len())].to_owned());
    let kept = from_a_pause.skip(1).chain(as_many).chain(missing);
    let usual = |digits: &String| match digits.len() {
        10 => true,
        11 => old.len() == 11,
        9 => old.len() == 9,
        _ => false,
    };
    let fixed = kept.map(|kept| format!("{kept}{new}")).find(usual)?;
    Some(Run {
        groups: vec![fixed.clone()],
        breaths: vec![fixed],
        words: after.words.clone(),
        plus: before.plus,
    })
}
