//! Cutting what was said into sentences.

/// The sentences of a turn, each with the mark that ends it. Neither titles ("Dr. Smith") nor decimal points nor "a.m." end one.
pub fn split(text: &str) -> impl Iterator<Item = &str> {
    let mut sentences = Vec::new();
    let mut begin = 0;
    for (at, sign) in text.char_indices().filter(|(_, sign)| matches!(sign, '.' | '!' | '?' | '…')) {
        let after = &text[at + sign.len_utf8()..];
        let goes_on = after.chars().next().is_some_and(|next| !next.is_whitespace());
        let word = text[begin..at].rsplit(char::is_whitespace).next().unwrap_or_default();
        if goes_on || (sign == '.' && ABBREVIATED.contains(&word.to_lowercase().as_str())) {
            continue;
        }
        sentences.push(&text[begin..at + sign.len_utf8()]);
        begin = at + sign.len_utf8();
    }
    sentences.push(&text[begin..]);
    sentences.into_iter().map(str::trim).filter(|sentence| sentence.chars().any(char::is_alphanumeric))
}

/// What is written with a full stop that ends no sentence.
const ABBREVIATED: [&str; 11] = ["mr", "mrs", "ms", "dr", "prof", "st", "sr", "sra", "srta", "a.m", "p.m"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_end_where_people_stop() {
        let check =
            |text: &str, expected: &[&str]| assert_eq!(split(text).collect::<Vec<_>>(), expected, "{text}");
        check(
            "I'm Dr. Anna Smith. It costs 2.50 a day! Why?",
            &["I'm Dr. Anna Smith.", "It costs 2.50 a day!", "Why?"],
        );
        check("At 9 a.m. on Friday", &["At 9 a.m. on Friday"]);
        check("ann@x.com. Thanks", &["ann@x.com.", "Thanks"]);
        check("... ?", &[]);
    }
}
