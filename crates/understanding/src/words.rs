//! Words as a grammar sees them: lower case, without accents, typographic marks, stutters and broken-off beginnings.

/// A language whose speakers are understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Language {
    English,
    Spanish,
    French,
    German,
}

impl Language {
    pub const ALL: [Self; 4] = [Self::English, Self::Spanish, Self::French, Self::German];

    /// Its subtag of BCP 47.
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Spanish => "es",
            Self::French => "fr",
            Self::German => "de",
        }
    }

    /// The language of a subtag, or of a longer tag that begins with it.
    #[must_use]
    pub fn of_tag(tag: &str) -> Option<Self> {
        let subtag = tag.split(['-', '_']).next().unwrap_or_default();
        Self::ALL.into_iter().find(|language| language.tag().eq_ignore_ascii_case(subtag))
    }
}

/// One piece of what was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    /// A word in plain form.
    Word(String),
    /// A comma, a dash, dots: the sentence goes on.
    Pause,
    /// The end of a sentence.
    Stop,
}

/// What was said, in pieces. The same mark never stands twice running, and none stands at the beginning.
pub(crate) fn pieces(text: &str, language: Language) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut word = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let next_is_gap = chars.peek().is_none_or(|next| next.is_whitespace());
        match c {
            '\'' | '’' | '‘' | '`' | '´' | 'ʼ' if !word.is_empty() && !next_is_gap => match language {
                Language::French => finish(&mut word, &mut pieces),
                _ => word.push('\''),
            },
            '-' | '‐' | '‑' if next_is_gap && !word.is_empty() => word.clear(), // "st- stop": broken off
            '.' if chars.peek() == Some(&'.') => {
                finish(&mut word, &mut pieces);
                while chars.next_if_eq(&'.').is_some() {}
                mark(Piece::Pause, &mut pieces);
            }
            '.' if !next_is_gap && chars.peek().is_some_and(|next| next.is_alphanumeric()) => {
                finish(&mut word, &mut pieces);
            }
            '.' | '!' | '?' | ';' | ':' | '\n' => {
                finish(&mut word, &mut pieces);
                mark(Piece::Stop, &mut pieces);
            }
            ',' | '…' | '—' | '–' | '(' | ')' => {
                finish(&mut word, &mut pieces);
                mark(Piece::Pause, &mut pieces);
            }
            '\u{308}' if language == Language::German => word.push('e'),
            '\u{300}'..='\u{36f}' | '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' => {}
            c if c.is_alphanumeric() => fold(c, language, &mut word),
            _ => finish(&mut word, &mut pieces),
        }
    }
    finish(&mut word, &mut pieces);
    joined(pieces)
}

fn finish(word: &mut String, pieces: &mut Vec<Piece>) {
    if !word.is_empty() {
        pieces.push(Piece::Word(std::mem::take(word)));
    }
}

/// A stop wins over the pause before it.
fn mark(piece: Piece, pieces: &mut Vec<Piece>) {
    match pieces.last_mut() {
        None | Some(Piece::Stop) => {}
        Some(last @ Piece::Pause) => *last = piece,
        Some(Piece::Word(_)) => pieces.push(piece),
    }
}

pub(crate) fn fold(c: char, language: Language, word: &mut String) {
    for c in c.to_lowercase() {
        match c {
            'ä' | 'ö' | 'ü' if language == Language::German => {
                word.push(match c {
                    'ä' => 'a',
                    'ö' => 'o',
                    _ => 'u',
                });
                word.push('e');
            }
            'á' | 'à' | 'â' | 'ä' | 'ã' | 'å' => word.push('a'),
            'é' | 'è' | 'ê' | 'ë' => word.push('e'),
            'í' | 'ì' | 'î' | 'ï' => word.push('i'),
            'ó' | 'ò' | 'ô' | 'ö' | 'õ' => word.push('o'),
            'ú' | 'ù' | 'û' | 'ü' => word.push('u'),
            'ñ' => word.push('n'),
            'ç' => word.push('c'),
            'ß' => word.push_str("ss"),
            'œ' => word.push_str("oe"),
            'æ' => word.push_str("ae"),
            '\u{300}'..='\u{36f}' => {}
            c => word.push(c),
        }
    }
}

/// "Stop. Calling. Me." is one sentence: three or more of a single word each are joined.
fn joined(pieces: Vec<Piece>) -> Vec<Piece> {
    let sentences: Vec<&[Piece]> =
        pieces.split(|piece| *piece == Piece::Stop).filter(|sentence| !sentence.is_empty()).collect();
    let staccato = sentences.len() >= 3
        && sentences.iter().take(3).all(|sentence| matches!(sentence, [Piece::Word(_)]))
        && sentences[0] != sentences[1];
    if staccato { pieces.into_iter().filter(|piece| *piece != Piece::Stop).collect() } else { pieces }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str, language: Language) -> String {
        let pieces = pieces(text, language);
        let words = pieces.iter().map(|piece| match piece {
            Piece::Word(word) => word.as_str(),
            Piece::Pause => ",",
            Piece::Stop => ".",
        });
        words.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn marks_accents_and_broken_words_do_not_hide_words() {
        let check =
            |text: &str, language, expected: &str| assert_eq!(plain(text, language), expected, "{text}");
        check("Don’t, uh… call me!", Language::English, "don't , uh , call me .");
        check("St- stop, stop, stop calling.", Language::English, "stop , stop , stop calling .");
        check("I want, I want to be removed", Language::English, "i want , i want to be removed");
        check("Stop. Calling. Me.", Language::English, "stop calling me");
        check("Stop. What?", Language::English, "stop . what .");
        check("¡No me llamés MÁS!", Language::Spanish, "no me llames mas .");
        check("No me llame ma\u{301}s", Language::Spanish, "no me llame mas");
        check("Ne m'appelez plus", Language::French, "ne m appelez plus");
        check("Hören Sie auf", Language::German, "hoeren sie auf");
        check("Ho\u{308}ren Sie auf", Language::German, "hoeren sie auf");
        check("do-not-call list", Language::English, "do not call list");
        check("", Language::English, "");
        check("?!...,", Language::English, "");
    }
}
