//! Who somebody is and how to reach them, from spoken words.

/// An e-mail address, written or spelled out (`jo dot doe at example dot com`), in lower case.
pub(crate) fn email(text: &str) -> Option<String> {
    let words: Vec<String> = text
        .split_whitespace()
        .map(|word| {
            word.trim_matches(|c: char| ",;:!?\"'()<>".contains(c)).trim_end_matches('.').to_lowercase()
        })
        .filter(|word| !word.is_empty())
        .collect();
    words
        .iter()
        .filter(|word| word.contains('@'))
        .find_map(|word| valid(word.clone()))
        .or_else(|| spelled_out(&words))
}

fn spelled_out(words: &[String]) -> Option<String> {
    let joint = |word: &str| match word {
        "dot" | "period" | "point" => Some('.'),
        "underscore" => Some('_'),
        "dash" | "hyphen" | "minus" => Some('-'),
        "plus" => Some('+'),
        _ => None,
    };
    words.iter().enumerate().filter(|(_, word)| *word == "at").find_map(|(at, _)| {
        // Leftwards a name, and further names that a joint ties to it.
        let mut first = at.checked_sub(1)?;
        while first >= 2 && joint(&words[first - 1]).is_some() {
            first -= 2;
        }
        let mut address: String = words[first..at]
            .iter()
            .map(|word| joint(word).map_or_else(|| word.clone(), String::from))
            .collect();
        address.push('@');
        let mut next = at + 1;
        address.push_str(words.get(next)?);
        while let (Some("dot" | "dash"), Some(part)) =
            (words.get(next + 1).map(String::as_str), words.get(next + 2))
        {
            address.push(if words[next + 1] == "dot" { '.' } else { '-' });
            address.push_str(part);
            next += 2;
        }
        valid(address)
    })
}

fn valid(address: String) -> Option<String> {
    let (local, domain) = address.split_once('@')?;
    let local_ok = !local.is_empty()
        && local.len() <= 64
        && local.chars().all(|c| c.is_ascii_alphanumeric() || "._-+".contains(c));
    let labels: Vec<&str> = domain.split('.').collect();
    let label_ok =
        |label: &&str| !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let domain_ok = labels.len() >= 2 && domain.len() <= 253 && labels.iter().all(label_ok);
    let ending_ok =
        labels.last().is_some_and(|label| label.len() >= 2 && label.chars().all(|c| c.is_ascii_alphabetic()));
    (local_ok && domain_ok && ending_ok).then_some(address)
}

/// A phone number of 7 to 15 digits, written or spoken digit by digit; digits only, with a leading `+` if it was said.
pub(crate) fn phone(text: &str) -> Option<String> {
    let mut digits = String::new();
    let mut repeat = 1;
    let mut best: Option<String> = None;
    let words =
        text.split(|c: char| c.is_whitespace() || "-–().,/".contains(c)).filter(|word| !word.is_empty());
    for word in words.chain([""]) {
        let word = word.trim_matches(|c: char| ";:!?".contains(c)).to_lowercase();
        let spoken = match word.as_str() {
            "zero" | "oh" | "o" => "0",
            "one" => "1",
            "two" => "2",
            "three" => "3",
            "four" => "4",
            "five" => "5",
            "six" => "6",
            "seven" => "7",
            "eight" => "8",
            "nine" => "9",
            "double" => {
                repeat = 2;
                continue;
            }
            "triple" => {
                repeat = 3;
                continue;
            }
            "plus" if digits.is_empty() => "+",
            written
                if written.trim_start_matches('+').chars().all(|c| c.is_ascii_digit())
                    && !written.is_empty() =>
            {
                written
            }
            _ => {
                if (7..=15).contains(&digits.trim_start_matches('+').len()) {
                    best = Some(std::mem::take(&mut digits));
                }
                digits.clear();
                repeat = 1;
                continue;
            }
        };
        for _ in 0..std::mem::replace(&mut repeat, 1) {
            digits.push_str(spoken);
        }
    }
    best
}

/// A full name, from how people introduce themselves.
pub(crate) fn name(text: &str) -> Option<String> {
    const BEFORE: [&[&str]; 13] = [
        &["my", "name", "is"],
        &["my", "full", "name", "is"],
        &["my", "name's"],
        &["the", "name", "is"],
        &["name", "is"],
        &["you're", "speaking", "with"],
        &["this", "is"],
        &["i", "am"],
        &["i'm"],
        &["it's"],
        &["me", "llamo"],
        &["mi", "nombre", "es"],
        &["soy"],
    ];
    const AFTER: [&str; 3] = ["speaking", "here", "calling"];
    let words: Vec<&str> = text.split_whitespace().collect();
    let lower: Vec<String> = words
        .iter()
        .map(|word| {
            word.trim_matches(|c: char| !c.is_alphanumeric() && c != '\'').replace('’', "'").to_lowercase()
        })
        .collect();
    for introduction in BEFORE {
        for start in 0..words.len() {
            let end = start + introduction.len();
            if lower.get(start..end).is_some_and(|said| said.iter().zip(introduction).all(|(a, b)| a == b))
                && let Some(name) = named(&words[end..])
            {
                return Some(name);
            }
        }
    }
    // "Jordan speaking", "Robin here".
    for (index, _) in lower.iter().enumerate().filter(|(_, word)| AFTER.contains(&word.as_str())) {
        let begin = (0..index)
            .rev()
            .take_while(|&at| part_of_name(words[at]).is_some() && !ends_clause(words[at]))
            .last();
        if let Some(name) = begin.and_then(|begin| named(&words[begin..index])) {
            return Some(name);
        }
    }
    None
}

/// The name with which these words begin: one to three capitalised words.
fn named(words: &[&str]) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for word in words.iter().take(3) {
        let Some(part) = part_of_name(word) else { break };
        parts.push(part);
        if ends_clause(word) {
            break;
        }
    }
    (!parts.is_empty()).then(|| parts.join(" "))
}

/// The name that an answer to the question for it begins with: alone, or as a clause of its own.
pub(crate) fn answered(text: &str) -> Option<String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let clause = words.iter().position(|word| ends_clause(word)).map_or(words.len(), |at| at + 1);
    let whole = (1..=3).contains(&clause) && words[..clause].iter().all(|word| part_of_name(word).is_some());
    if whole || words.len() <= 5 { named(&words) } else { None }
}

fn ends_clause(word: &str) -> bool {
    word.ends_with([',', '.', '!', '?', ';', ':'])
}

fn part_of_name(word: &str) -> Option<&str> {
    const NOT_NAMES: &[&str] = &[
        "i",
        "i'm",
        "i’m",
        "it's",
        "im",
        "this",
        "that",
        "what",
        "when",
        "where",
        "how",
        "why",
        "which",
        "can",
        "do",
        "is",
        "are",
        "the",
        "a",
        "an",
        "hello",
        "hi",
        "hey",
        "yes",
        "yeah",
        "no",
        "not",
        "ok",
        "okay",
        "sure",
        "sorry",
        "thanks",
        "thank",
        "just",
        "so",
        "well",
        "and",
        "but",
        "calling",
        "speaking",
        "here",
        "good",
        "fine",
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "sure",
        "who",
    ];
    let part = word.trim_matches(|c: char| !c.is_alphanumeric());
    let capital = part.chars().next().is_some_and(char::is_uppercase);
    let letters = part.chars().all(|c| c.is_alphabetic() || c == '\'' || c == '-' || c == '’');
    let is_name = capital
        && letters
        && part.chars().count() <= 40
        && !NOT_NAMES.contains(&part.to_lowercase().as_str());
    is_name.then_some(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_understood_written_and_spelled_out() {
        let check =
            |text: &str, expected: Option<&str>| assert_eq!(email(text).as_deref(), expected, "{text}");
        check("It's Jo.Doe@Example.com.", Some("jo.doe@example.com"));
        check("sure, jordan at example dot com", Some("jordan@example.com"));
        check(
            "Maria Lopez, and my email is maria dot lopez at example dot com.",
            Some("maria.lopez@example.com"),
        );
        check("j underscore r at mail dot example dot co dot uk please", Some("j_r@mail.example.co.uk"));
        check("meet me at noon", None);
        check("look at example", None);
        check("at dot com", None);
        check("", None);
        check("a@b", None);
    }

    #[test]
    fn numbers_are_understood_digit_by_digit() {
        let check =
            |text: &str, expected: Option<&str>| assert_eq!(phone(text).as_deref(), expected, "{text}");
        check("(512) 555-0147", Some("5125550147"));
        check("Five one two, five five five, zero one four seven.", Some("5125550147"));
        check("it's five one two, double five five oh one four seven", Some("5125550147"));
        check("plus one 512 555 0147 thanks", Some("+15125550147"));
        check("I have two cars and three kids", None);
        check("in 2024 and 2025", None);
    }

    #[test]
    fn names_are_understood_as_people_introduce_themselves() {
        let check =
            |text: &str, expected: Option<&str>| assert_eq!(name(text).as_deref(), expected, "{text}");
        check("Hi, this is Maria Lopez.", Some("Maria Lopez"));
        check("My name is Jean-Luc O'Neil, I have a question", Some("Jean-Luc O'Neil"));
        check("Hello, Jordan speaking.", Some("Jordan"));
        check("Hello, Robin here.", Some("Robin"));
        check("I'm calling about a contract", None);
        check("I'm Not interested", None);
        check("Sí, por favor. Me llamo Carmen Ruiz.", Some("Carmen Ruiz"));
        check("This is not a good time", None);
    }
}
