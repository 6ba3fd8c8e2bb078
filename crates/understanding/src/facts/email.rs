//! E-mail addresses in speech: written, spoken with named signs, or spelled, in English and Spanish.
//!
//! Words become atoms (a word, a letter, digits, a sign, "at"); an address is what stands between two boundaries around an "at". A plain
//! "at" is also a place ("I work at acme dot com"), so the words before it decide.

mod atom;
mod ending;
mod names;
mod remarks;

use self::atom::{Atom, What};
use self::names::provider;
use super::numbers;
use super::token::{Gap, Token, tokens};

/// The address in these words, the last if there are several, in lower case.
pub(crate) fn email_in(text: &str) -> Option<String> {
    let atoms = atoms_of(text);
    let ats = atoms.iter().enumerate().filter_map(|(at, atom)| match atom.what {
        What::At { weak } => Some((at, weak)),
        _ => None,
    });
    ats.filter_map(|(at, weak)| {
        let (domain, end) = domain_after(&atoms, at)?;
        let local = local_before(&atoms, at, weak)?;
        valid(&local, &ending::said_again(domain, &atoms[end..]))
    })
    .next_back()
}

/// A known address with what a short turn without one says of its end: "no, dot net".
pub(crate) fn put_right(known: &str, text: &str) -> Option<String> {
    let atoms = atoms_of(text);
    let (local, domain) = known.split_once('@')?;
    if atoms.len() > 10 {
        return None;
    }
    valid(local, &ending::said_again(domain.to_owned(), &atoms)).filter(|address| address != known)
}

fn atoms_of(text: &str) -> Vec<Atom> {
    let spaced = text.replace('@', " @ ");
    let tokens: Vec<Token<'_>> = tokens(&spaced).into_iter().filter(|token| !token.is(SOUNDS)).collect();
    without_doublets(atoms(&remarks::left_out(&tokens)))
}

const SOUNDS: &[&str] = &["uh", "um", "er", "erm", "eh", "ah", "hmm", "mm", "este", "pues"];

fn atoms(tokens: &[Token<'_>]) -> Vec<Atom> {
    let mut atoms = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let (mut made, used) = read_sign(tokens, at)
            .or_else(|| read_digits(tokens, at))
            .or_else(|| read_letters(tokens, at))
            .unwrap_or_else(|| (in_word(&tokens[at]), 1));
        if let Some(last) = made.last_mut() {
            last.gap = tokens[at + used - 1].gap;
        }
        atoms.append(&mut made);
        at += used;
    }
    atoms
}

fn atom(what: What) -> Atom {
    Atom { what, gap: Gap::Space }
}

fn read_sign(tokens: &[Token<'_>], at: usize) -> Option<(Vec<Atom>, usize)> {
    let plain = |offset: usize| tokens.get(at + offset).map_or("", |token| token.plain.as_str());
    let strong = What::At { weak: false };
    let (what, used) = match (plain(0), plain(1), plain(2), plain(3)) {
        ("at", "the", "rate", "of") => (strong, 4),
        ("at", "the", "rate", _) => (strong, 3),
        ("the", "at", "sign" | "symbol", _) => (strong, 3),
        ("at", "sign" | "symbol", _, _) => (strong, 2),
        ("@", "sign" | "symbol", _, _) => (strong, 2),
        ("arroba" | "@" | "arrova" | "aroba", ..) => (strong, 1),
        ("at", ..) => (What::At { weak: true }, 1),
        ("full", "stop", ..) => (What::Joint('.'), 2),
        ("dot" | "period" | "point" | "punto", ..) => (What::Joint('.'), 1),
        ("under", "score", ..) | ("guion", "bajo" | "abajo", ..) | ("raya", "baja", ..) => {
            (What::Joint('_'), 2)
        }
        ("underscore" | "underline" | "subguion" | "_", ..) => (What::Joint('_'), 1),
        ("guion", "medio", ..) => (What::Joint('-'), 2),
        ("dash" | "hyphen" | "minus" | "guion" | "raya" | "-", ..) => (What::Joint('-'), 1),
        ("plus", "sign", ..) => (What::Joint('+'), 2),
        ("plus" | "mas" | "+", ..) => (What::Joint('+'), 1),
        ("dotcom" | "puntocom", ..) => {
            return Some((vec![atom(What::Joint('.')), atom(What::Word("com".to_owned()))], 1));
        }
        _ => return None,
    };
    Some((vec![atom(what)], used))
}

fn read_digits(tokens: &[Token<'_>], at: usize) -> Option<(Vec<Atom>, usize)> {
    if tokens[at].letter().is_some()
        || tokens[at].is(&["to", "too", "for", "ate", "won", "hundred", "thousand"])
    {
        return None;
    }
    let group = numbers::group_at(tokens, at)?;
    let words = &tokens[group.words.clone()];
    if words[0].plain.contains('.') {
        return None;
    }
    let spoken: String = words.iter().map(|token| token.plain.as_str()).collect();
    let digits = group.digits.clone();
    Some((vec![atom(What::Digits(digits, spoken))], group.words.len()))
}

/// A letter, doubled perhaps, with the word that makes it clear; or letters by their Spanish names.
fn read_letters(tokens: &[Token<'_>], at: usize) -> Option<(Vec<Atom>, usize)> {
    let token = &tokens[at];
    let next = |offset: usize| tokens.get(at + offset);
    let times = match token.plain.as_str() {
        "double" | "doble" => 2,
        "triple" | "treble" => 3,
        _ => 1,
    };
    // The name of the letter W.
    if times == 2 && next(1).is_some_and(|token| token.is(&["u", "you", "yu", "ve", "uve"])) {
        return Some((vec![atom(What::Letter('w'))], 2 + example_length(tokens, at + 1)));
    }
    if times > 1 {
        let letter = next(1)?.letter()?;
        let example = example_length(tokens, at + 1);
        return Some((vec![atom(What::Letter(letter)); times], 2 + example));
    }
    if token.plain == "capital" && next(1).is_some_and(|token| token.letter().is_some()) {
        return Some((vec![atom(What::Letter(next(1)?.letter()?))], 2 + example_length(tokens, at + 1)));
    }
    if let Some(letter) = token.letter() {
        return Some((vec![atom(What::Letter(letter))], 1 + example_length(tokens, at)));
    }
    let letter = letter_name(&token.plain)?;
    let beside = [at.checked_sub(1), Some(at + 1)].into_iter().flatten().filter_map(|at| tokens.get(at));
    let spells =
        beside.into_iter().any(|token| token.letter().is_some() || letter_name(&token.plain).is_some());
    spells.then(|| (vec![atom(What::Letter(letter))], 1))
}

/// "As in dog", "for dog", "like dog", "de dedo" after a letter: how many words it takes.
fn example_length(tokens: &[Token<'_>], letter: usize) -> usize {
    if !tokens[letter].goes_on() {
        return 0;
    }
    let plain = |offset: usize| tokens.get(letter + offset).map_or("", |token| token.plain.as_str());
    let begins = |offset: usize| {
        let first = tokens[letter].letter();
        plain(offset).len() > 1 && plain(offset).chars().next() == first
    };
    match (plain(1), plain(2)) {
        ("as", "in") | ("como", "en") if plain(3).len() > 1 => 3,
        ("for" | "like" | "de" | "como", _) if begins(2) => 2,
        _ => 0,
    }
}

fn letter_name(word: &str) -> Option<char> {
    Some(match word {
        "be" => 'b',
        "ce" => 'c',
        "efe" => 'f',
        "ge" => 'g',
        "hache" => 'h',
        "jota" => 'j',
        "ka" => 'k',
        "ele" => 'l',
        "eme" => 'm',
        "ene" => 'n',
        "pe" => 'p',
        "erre" | "ere" => 'r',
        "ese" => 's',
        "te" => 't',
        "uve" | "ve" => 'v',
        "equis" => 'x',
        "zeta" => 'z',
        _ => return None,
    })
}

/// The atoms of a written piece of an address: "sam.hill", "gmail.com", ".com".
fn in_word(token: &Token<'_>) -> Vec<Atom> {
    let mut atoms = Vec::new();
    let mut word = String::new();
    let finish = |word: &mut String, atoms: &mut Vec<Atom>| {
        if !word.is_empty() {
            atoms.push(atom(What::Word(std::mem::take(word))));
        }
    };
    for c in token.plain.chars() {
        match c {
            '.' | '_' | '-' | '+' => {
                finish(&mut word, &mut atoms);
                atoms.push(atom(What::Joint(c)));
            }
            '\'' => {}
            c => word.push(c),
        }
    }
    finish(&mut word, &mut atoms);
    atoms
}

/// "Emma, E-M-M-A": what is said and spelled is there once, as it was spelled.
fn without_doublets(mut atoms: Vec<Atom>) -> Vec<Atom> {
    let mut at = 0;
    while at < atoms.len() {
        let run = atoms[at..].iter().take_while(|atom| matches!(atom.what, What::Letter(_))).count();
        if run < 3 {
            at += run.max(1);
            continue;
        }
        let spelled: String = atoms[at..at + run].iter().filter_map(Atom::text).collect();
        let words = (1..=3.min(at)).find(|words| {
            let said: String = atoms[at - words..at].iter().filter_map(Atom::text).collect();
            said == spelled
        });
        let heard_wrongly = || {
            let before = atoms.get(at.checked_sub(1)?)?;
            let What::Word(word) = &before.what else { return None };
            (before.gap != Gap::Space
                && word.len().abs_diff(spelled.len()) <= 2
                && word.chars().next() == spelled.chars().next())
            .then_some(1)
        };
        if let Some(words) = words.or_else(heard_wrongly) {
            atoms.drain(at - words..at);
            at -= words;
        }
        at += run;
    }
    atoms
}

/// Words that are no part of the name before the sign.
const BOUNDARIES: &[&str] = &[
    "is",
    "its",
    "it",
    "be",
    "would",
    "that",
    "thats",
    "thatll",
    "to",
    "me",
    "my",
    "email",
    "mail",
    "e-mail",
    "address",
    "id",
    "on",
    "the",
    "and",
    "or",
    "sure",
    "yes",
    "yeah",
    "yep",
    "no",
    "okay",
    "ok",
    "so",
    "well",
    "correo",
    "electronico",
    "es",
    "mi",
    "si",
    "claro",
    "use",
    "send",
    "sorry",
    "wait",
    "actually",
    "perdon",
    "not",
    "just",
    "you",
    "please",
    "make",
    "mean",
    "i",
    "im",
    "write",
    "reach",
    "contact",
    "was",
    "here",
    "try",
    "say",
    "said",
    "do",
    "al",
    "el",
    "la",
    "le",
    "un",
    "una",
    "digo",
    "por",
    "escribame",
    "envielo",
    "then",
    "but",
    "should",
    "can",
    "have",
    "e",
    "for",
    "with",
    "of",
    "in",
    "a",
    "an",
    "this",
    "are",
    "got",
    "direccion",
    "also",
    "now",
];

/// Words after which an address comes.
const ANNOUNCING: &[&str] = &["is", "its", "email", "mail", "address", "correo", "es"];

/// Nouns and verbs after which "at" is a place.
const PLACED: &[&str] = &[
    "work",
    "works",
    "worked",
    "working",
    "reviews",
    "review",
    "ad",
    "ads",
    "advert",
    "applied",
    "apply",
    "link",
    "quote",
    "online",
    "website",
    "site",
    "page",
    "look",
    "looked",
    "looking",
    "ordered",
    "order",
    "bought",
    "buy",
    "shop",
    "shopped",
    "shopping",
    "us",
    "building",
    "meet",
    "met",
    "listing",
    "account",
    "login",
    "store",
    "saw",
    "found",
    "see",
    "seen",
    "visit",
    "visited",
    "registered",
    "signed",
    "up",
    "him",
    "her",
    "them",
    "people",
    "guys",
    "someone",
    "everyone",
    "job",
    "employed",
    "listed",
    "posted",
    "read",
    "them",
    "profile",
    "booked",
    "paid",
    "form",
    "price",
    "team",
    "company",
    "business",
    "stayed",
    "live",
    "be",
    "there",
    "anyone",
    "friend",
];

fn local_before(atoms: &[Atom], at: usize, weak: bool) -> Option<String> {
    let mut first = at;
    let mut words = 0;
    while first > 0 {
        let (atom, right) = (&atoms[first - 1], &atoms[first]);
        let stops = match atom.gap {
            Gap::Space | Gap::Hyphen => false,
            Gap::Pause => {
                let spelled = right.is_spelled() && atom.is_spelled();
                let initial = atom.is_initial() && matches!(right.what, What::Word(_));
                !(right.is_sign() || atom.is_sign() || spelled || initial)
            }
            Gap::Stop => !(matches!(atom.what, What::Letter(_)) && (right.is_spelled() || right.is_sign())),
        };
        let boundary = match &atom.what {
            What::Word(word) => {
                let left = first.checked_sub(2).map(|left| &atoms[left].what);
                let joined = [Some(&right.what), left]
                    .into_iter()
                    .flatten()
                    .any(|what| matches!(what, What::Joint(_)));
                BOUNDARIES.contains(&word.as_str()) && !joined
            }
            // An article, not a letter, unless an address was announced.
            What::Letter('a' | 'i') => {
                let announced = first.checked_sub(2).is_some_and(|left| {
                    matches!(&atoms[left].what, What::Word(word) if ANNOUNCING.contains(&word.as_str()))
                });
                matches!(right.what, What::Word(_)) && !announced
            }
            What::At { .. } => true,
            _ => false,
        };
        if stops || boundary {
            break;
        }
        if matches!(atom.what, What::Word(_)) && !right.is_sign() {
            words += 1;
        }
        if words > 3 {
            return None;
        }
        first -= 1;
    }
    let local = &atoms[first..at];
    let nearest = local.last()?;
    let placed = matches!(&nearest.what, What::Word(word) if PLACED.contains(&word.as_str()));
    let denied = first
        .checked_sub(1)
        .is_some_and(|before| matches!(&atoms[before].what, What::Word(word) if word == "not"));
    let opens_badly = matches!(nearest.what, What::Joint(_));
    if (weak && placed && local.len() <= 4 && !local.iter().any(|atom| matches!(atom.what, What::Joint(_))))
        || denied
        || opens_badly
    {
        return None;
    }
    let mut text = String::new();
    for (index, atom) in local.iter().enumerate() {
        match &atom.what {
            What::Joint(_) if index == 0 => {}
            // "A-N-N": hyphens between letters only part them.
            What::Joint('-') if spells(local, index) => {}
            What::Joint(sign) => text.push(*sign),
            _ => text.push_str(&atom.text()?),
        }
    }
    Some(text)
}

fn spells(local: &[Atom], at: usize) -> bool {
    let letter = |at: Option<usize>| {
        at.and_then(|at| local.get(at)).is_some_and(|atom| matches!(atom.what, What::Letter(_)))
    };
    letter(at.checked_sub(1))
        && letter(Some(at + 1))
        && local.iter().filter(|atom| atom.what == What::Joint('-')).count() > 1
}

/// The domain after a sign, and where it ends.
fn domain_after(atoms: &[Atom], at: usize) -> Option<(String, usize)> {
    let mut domain = String::new();
    let mut next = at + 1;
    loop {
        let (label, after) = label_at(atoms, next, domain.is_empty())?;
        let (label, after) =
            if domain.is_empty() { (label, after) } else { ending(atoms, next).unwrap_or((label, after)) };
        domain.push_str(if domain.is_empty() { provider(&label).unwrap_or(&label) } else { &label });
        let last = &atoms[after - 1];
        match (atoms.get(after), atoms.get(after + 1)) {
            (Some(Atom { what: What::Joint(sign @ ('.' | '-')), .. }), Some(_)) if last.gap != Gap::Stop => {
                domain.push(*sign);
                next = after + 1;
            }
            // "Gmail com", "gmail".
            _ if !domain.contains('.') && provider(&label).is_some() => {
                domain.push_str(".com");
                return Some((domain, after));
            }
            _ => return Some((domain, after)),
        }
    }
}

/// A label of a domain, and where it ends: several words for the first one, if a dot follows.
fn label_at(atoms: &[Atom], start: usize, first: bool) -> Option<(String, usize)> {
    let mut label = String::new();
    let mut end = start;
    while let Some(text) = atoms.get(end).and_then(Atom::spoken) {
        label.push_str(&text);
        end += 1;
        let on = first
            || matches!(atoms[end - 1].what, What::Letter(_))
                && atoms.get(end).is_some_and(|atom| matches!(atom.what, What::Letter(_)));
        if !on || provider(&label).is_some() || end - start >= 12 {
            break;
        }
        if atoms[end - 1].gap == Gap::Stop && !matches!(atoms[end - 1].what, What::Letter(_)) {
            break;
        }
        if atoms[end - 1].gap == Gap::Pause && !atoms[end - 1].is_spelled() {
            break;
        }
    }
    (!label.is_empty()).then_some((label, end))
}

/// A top-level domain that is spelled ("e d u"), and where it ends.
fn ending(atoms: &[Atom], start: usize) -> Option<(String, usize)> {
    let mut label = String::new();
    for (offset, atom) in atoms[start..].iter().take(4).enumerate() {
        let What::Letter(letter) = atom.what else { break };
        label.push(letter);
        if ["com", "net", "org", "edu", "gov", "io", "uk", "us", "tv", "me", "co", "in", "es", "mx", "ai"]
            .contains(&label.as_str())
            && !(label == "co"
                && matches!(atoms.get(start + offset + 1), Some(Atom { what: What::Letter('m'), .. })))
        {
            return Some((label, start + offset + 1));
        }
    }
    None
}

fn valid(local: &str, domain: &str) -> Option<String> {
    let local_ok = !local.is_empty()
        && local.len() <= 64
        && local.chars().all(|c| c.is_ascii_alphanumeric() || "._-+".contains(c))
        && !local.starts_with('.')
        && !local.ends_with('.');
    let labels: Vec<&str> = domain.split('.').collect();
    let label_ok =
        |label: &&str| !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let ending_ok = labels.last().is_some_and(|label| {
        (2..=24).contains(&label.len()) && label.chars().all(|c| c.is_ascii_alphabetic())
    });
    let fine =
        local_ok && labels.len() >= 2 && domain.len() <= 253 && labels.iter().all(label_ok) && ending_ok;
    fine.then(|| format!("{local}@{domain}"))
}
