//! Language tags as agents carry them (BCP 47).

use std::fmt;

/// A well-formed language tag in its usual spelling, like `es` or `pt-BR`. A primary subtag of two letters is one that ISO 639-1 lists.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LanguageTag(String);

/// Why a text is no language tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LanguageTagError {
    /// Its subtags are not put together as RFC 5646 says.
    #[error("expected a language tag of BCP 47 like en, es or pt-BR")]
    Malformed,
    /// It begins with two letters that stand for no language, like `sp`.
    #[error("no language has this tag; Spanish is es, English en, French fr, German de")]
    Unknown,
}

impl LanguageTag {
    /// Reads a tag. Case does not matter, and an underscore counts as a hyphen.
    pub fn parse(text: &str) -> Result<Self, LanguageTagError> {
        let text = text.trim().replace('_', "-");
        if text.len() > LONGEST || !text.is_ascii() {
            return Err(LanguageTagError::Malformed);
        }
        let subtags: Vec<&str> = text.split('-').collect();
        if !is_well_formed(&subtags) {
            return Err(LanguageTagError::Malformed);
        }
        let primary = subtags[0].to_ascii_lowercase();
        if primary.len() == 2 && !ISO_639_1.split(' ').any(|code| code == primary) {
            return Err(LanguageTagError::Unknown);
        }
        let mut in_extension = false;
        let spelled: Vec<String> = subtags
            .iter()
            .enumerate()
            .map(|(at, subtag)| {
                let lower = subtag.to_ascii_lowercase();
                in_extension |= at > 0 && subtag.len() == 1;
                match subtag.len() {
                    2 if at > 0 && !in_extension => lower.to_ascii_uppercase(),
                    4 if at > 0 && !in_extension && lower.bytes().all(|c| c.is_ascii_alphabetic()) => {
                        lower[..1].to_ascii_uppercase() + &lower[1..]
                    }
                    _ => lower,
                }
            })
            .collect();
        Ok(Self(spelled.join("-")))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A regular expression for tags in their usual form: a language, perhaps a script, perhaps a region. [`LanguageTag::parse`] takes
    /// more, such as variants.
    pub fn usual_pattern() -> String {
        format!(
            "^([a-z]{{3}}|{})(-[A-Za-z]{{4}})?(-([A-Za-z]{{2}}|[0-9]{{3}}))?$",
            ISO_639_1.replace(' ', "|")
        )
    }

    /// The subtag that names the language itself: `pt` of `pt-BR`.
    pub fn primary(&self) -> &str {
        self.0.split('-').next().unwrap_or_default()
    }

    /// What the language is called in English; the tag itself where we know no name.
    pub fn english_name(&self) -> &str {
        NAMES.iter().find(|(tag, _)| *tag == self.primary()).map_or(self.as_str(), |(_, name)| name)
    }
}

impl fmt::Display for LanguageTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The longest tag that is taken, in bytes. RFC 5646 4.4.1: 35 are enough for every tag that is not private.
const LONGEST: usize = 35;

/// RFC 5646 2.1: language, extended language, script, region, variants, extensions, private use, in this order.
fn is_well_formed(subtags: &[&str]) -> bool {
    let alphabetic = |subtag: &str| subtag.bytes().all(|c| c.is_ascii_alphabetic());
    let alphanumeric = |subtag: &str| subtag.bytes().all(|c| c.is_ascii_alphanumeric());
    let mut rest = subtags.iter().copied().peekable();
    let Some(language) = rest.next() else { return false };
    if !(2..=3).contains(&language.len()) || !alphabetic(language) {
        return false;
    }
    let mut take = |fits: &dyn Fn(&str) -> bool| rest.next_if(|subtag| fits(subtag)).is_some();
    for _ in 0..3 {
        if !take(&|subtag| subtag.len() == 3 && alphabetic(subtag)) {
            break;
        }
    }
    take(&|subtag| subtag.len() == 4 && alphabetic(subtag));
    take(&|subtag| {
        (subtag.len() == 2 && alphabetic(subtag))
            || (subtag.len() == 3 && subtag.bytes().all(|c| c.is_ascii_digit()))
    });
    let is_variant = |subtag: &str| {
        ((5..=8).contains(&subtag.len()) && alphanumeric(subtag))
            || (subtag.len() == 4 && subtag.as_bytes()[0].is_ascii_digit() && alphanumeric(subtag))
    };
    while take(&is_variant) {}
    let rest: Vec<&str> = rest.collect();
    // Extensions and private use: a single sign and what belongs to it.
    let mut at = 0;
    while at < rest.len() {
        if rest[at].len() != 1 || !alphanumeric(rest[at]) {
            return false;
        }
        let shortest = if rest[at].eq_ignore_ascii_case("x") { 1 } else { 2 };
        let belongs = |subtag: &&&str| (shortest..=8).contains(&subtag.len()) && alphanumeric(subtag);
        let length = rest[at + 1..].iter().take_while(belongs).count();
        if length == 0 {
            return false;
        }
        at += 1 + length;
    }
    true
}

/// The languages with a tag of two letters.
const ISO_639_1: &str = "aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el en \
    eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja jv ka kg ki kj kk kl km kn \
    ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps \
    pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo \
    wa wo xh yi yo za zh zu";

/// Names for the languages in which most businesses speak.
const NAMES: [(&str, &str); 36] = [
    ("ar", "Arabic"),
    ("bg", "Bulgarian"),
    ("bn", "Bengali"),
    ("ca", "Catalan"),
    ("cs", "Czech"),
    ("da", "Danish"),
    ("de", "German"),
    ("el", "Greek"),
    ("en", "English"),
    ("es", "Spanish"),
    ("fa", "Persian"),
    ("fi", "Finnish"),
    ("fr", "French"),
    ("he", "Hebrew"),
    ("hi", "Hindi"),
    ("hr", "Croatian"),
    ("hu", "Hungarian"),
    ("id", "Indonesian"),
    ("it", "Italian"),
    ("ja", "Japanese"),
    ("ko", "Korean"),
    ("nb", "Norwegian"),
    ("nl", "Dutch"),
    ("no", "Norwegian"),
    ("pl", "Polish"),
    ("pt", "Portuguese"),
    ("ro", "Romanian"),
    ("ru", "Russian"),
    ("sv", "Swedish"),
    ("th", "Thai"),
    ("tl", "Tagalog"),
    ("tr", "Turkish"),
    ("uk", "Ukrainian"),
    ("ur", "Urdu"),
    ("vi", "Vietnamese"),
    ("zh", "Chinese"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_read_and_put_into_their_usual_spelling() {
        for (text, expected) in [
            ("en", "en"),
            ("ES", "es"),
            ("es_mx", "es-MX"),
            ("pt-br", "pt-BR"),
            ("zh-hant-tw", "zh-Hant-TW"),
            ("es-419", "es-419"),
            ("de-CH-1996", "de-CH-1996"),
            ("yue", "yue"),
            ("zh-yue-HK", "zh-yue-HK"),
            ("en-a-bbb-x-us", "en-a-bbb-x-us"),
        ] {
            assert_eq!(LanguageTag::parse(text).as_ref().map(LanguageTag::as_str), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_tag_is_refused_with_a_reason() {
        for text in
            ["", "e", "english", "Spanish", "en-", "-en", "en--US", "en US", "es-x", "12", "ñ", "en-a"]
        {
            assert_eq!(LanguageTag::parse(text), Err(LanguageTagError::Malformed), "{text:?}");
        }
        assert_eq!(LanguageTag::parse(&"en-x-abcdefgh".repeat(4)), Err(LanguageTagError::Malformed));
        for text in ["sp", "xx", "jp-JP"] {
            assert_eq!(LanguageTag::parse(text), Err(LanguageTagError::Unknown), "{text}");
        }
    }

    #[test]
    fn each_part_of_a_tag_has_its_place_its_length_and_its_characters() {
        for text in [
            "zh-aaa-bbb-ccc",
            "sr-Latn-RS",
            "sl-rozaj-biske-1994",
            "de-abcde",
            "de-abcdefgh",
            "de-1abc",
            "hy-Latn-IT-arevela",
            "en-a-bb",
            "en-a-abcdefgh",
            "en-a-bb-b-cc",
            "en-0-bb",
            "en-x-b",
            "en-x-b-c",
            "en-US-u-co-phonebk-x-mine",
            "en-x-abcdefgh-abcdefgh-abcdefgh-abc",
        ] {
            assert_eq!(LanguageTag::parse(text).as_ref().map(LanguageTag::as_str), Ok(text));
        }
        for text in [
            "e1",
            "abcd",
            "en-US-GB",
            "en-US-Latn",
            "en-rozaj-US",
            "zh-aaa-bbb-ccc-ddd",
            "en-U1",
            "es-41a",
            "es-4a9",
            "es-a19",
            "es-41",
            "es-4199999999",
            "de-a996",
            "de-abcdefghi",
            "de-roz!j",
            "de-1ab!",
            "en-Lat1",
            "en-!-bb",
            "en-a-b",
            "en-a-abcdefghi",
            "en-a-b!b",
            "en-a-bb-x",
            "en-x",
            "en-x-abcdefghi",
            "en-a-x-b",
            "en-x-abcdefgh-abcdefgh-abcdefgh-abcd",
        ] {
            assert_eq!(LanguageTag::parse(text), Err(LanguageTagError::Malformed), "{text:?}");
        }
    }

    #[test]
    fn only_what_stands_before_an_extension_is_spelled_in_capitals() {
        for (text, expected) in [
            ("ZH-HANT-TW-A-US-LATN", "zh-Hant-TW-a-us-latn"),
            ("EN-X-US-LATN", "en-x-us-latn"),
            ("DE-1ABC", "de-1abc"),
        ] {
            assert_eq!(LanguageTag::parse(text).as_ref().map(LanguageTag::as_str), Ok(expected));
        }
    }

    #[test]
    fn languages_have_names_whatever_the_region() {
        for (text, expected) in [
            ("es-MX", "Spanish"),
            ("zh-Hant-TW", "Chinese"),
            ("pt-BR", "Portuguese"),
            ("no", "Norwegian"),
            ("gsw", "gsw"),
            ("gsw-CH", "gsw-CH"),
            ("cy", "cy"),
        ] {
            assert_eq!(LanguageTag::parse(text).expect("a tag").english_name(), expected);
        }
    }

    #[test]
    fn every_name_belongs_to_a_language_that_can_be_asked_for() {
        for (tag, name) in NAMES {
            let read = LanguageTag::parse(tag).expect("a tag");
            assert_eq!((read.as_str(), read.primary(), read.english_name()), (tag, tag, name));
        }
    }
}
