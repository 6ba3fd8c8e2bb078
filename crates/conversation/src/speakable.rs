//! What of a written sentence a voice can say.
//!
//! Models write for the eye: emphasis, headings, lists, tables, links, code, pictures of faces, tags for synthesisers, remarks about how they
//! would look while speaking. None of that is said, and every letter that belongs to a word, an address or a number stays.

use std::sync::LazyLock;

use regex_lite::{Captures, Regex};

/// One rule of what is not said.
struct Rule {
    pattern: LazyLock<Regex>,
    /// With the groups of the pattern, as [`Regex::replace_all`] wants it.
    becomes: &'static str,
}

macro_rules! rules {
    ($($pattern:literal => $becomes:literal,)+) => {
        [$(Rule { pattern: LazyLock::new(|| Regex::new($pattern).expect("a pattern of this file")), becomes: $becomes }),+]
    };
}

/// What is taken out or replaced, in this order: a later rule sees what an earlier one has left.
static RULES: [Rule; 14] = rules! {
    // Pictures and links in Markdown: what they are called.
    r"!?\[([^\[\]]*)\]\((?:[^()\s]*)\)" => "$1",
    // A bare address of a page: its host.
    r"(?i)\bhttps?://(?:www\.)?([a-z0-9.-]*[a-z0-9])(?::\d+)?(?:/[^\s)>\]]*[a-z0-9/=])?" => "$1",
    // Where the model has it from.
    r"(\b|[.!?])(?:\[\d{1,2}\])+|【[^【】]*】" => "$1",
    // Tags for synthesisers and browsers.
    r"</?[a-zA-Z][^<>]*>" => " ",
    // Remarks about the voice: (laughs), [pause], *smiles warmly*.
    r"(?i)[(\[*](?:\w+ )?(?:laugh|smil|sigh|paus|chuckl|giggl|nod|cough|whisper|gasp|clear|typing|beat|silence|wait|softly|warmly|gently|cheerful|thinking|breath|hum|music|hold|listen)\w*(?: [\w' -]{0,40})?[)\]*]" => " ",
    // The line under the head of a table, and a line across the page.
    r"(?m)^[ \t|:_*-]*-{2,}[ \t|:_*-]*$" => "",
    // The cells of a table.
    r"(?m)^[ \t]*\|[ \t]*" => "",
    r"(?m)[ \t]*\|[ \t]*$" => "",
    r"\s+\|\s+" => ", ",
    // Headings, quotations and bullets.
    r"(?m)^[ \t]*(?:#{1,6}|>|[-*+•])[ \t]+" => "",
    // Emphasis: marks around words, never those inside of them or between numbers.
    r"(^|[\s(\x22'“¿¡–-])(?:\*{1,3}|_{1,3}|~~)([^\s*_~](?:[^*~]*?[^\s*_~])?)(?:\*{1,3}|_{1,3}|~~)($|[\s.,;:!?)\x22'”–-])" => "$1$2$3",
    r"\*{2,}" => "",
    r"`+" => "",
    // A space before a mark that no longer has anything before it.
    r"\s+([.,;:!?])" => "$1",
};

/// The sentence as it is said; `None` if nothing is left of it.
pub(crate) fn speakable(text: &str) -> Option<String> {
    let mut text: String = text.chars().filter(|c| !is_picture(*c) && !is_invisible(*c)).collect();
    for rule in &RULES {
        // Emphasis that stands side by side shares a space, so one pass may leave every other one.
        for _ in 0..2 {
            let becomes = |found: &Captures<'_>| {
                let mut out = String::new();
                found.expand(rule.becomes, &mut out);
                out
            };
            text = rule.pattern.replace_all(&text, becomes).into_owned();
        }
    }
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    text.chars().any(char::is_alphanumeric).then_some(text)
}

/// Emoji and dingbats (Unicode blocks of symbols that no voice reads).
fn is_picture(c: char) -> bool {
    matches!(c,
        '\u{1f000}'..='\u{1faff}' | '\u{2600}'..='\u{27bf}' | '\u{2b00}'..='\u{2bff}' | '\u{2190}'..='\u{21ff}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{e0000}'..='\u{e007f}' | '\u{20e3}')
}

/// Control characters and marks of writing direction.
fn is_invisible(c: char) -> bool {
    (c.is_control() && !c.is_whitespace())
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fffd}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_words_are_said() {
        let check = |text: &str, said: &str| {
            assert_eq!(speakable(text).unwrap_or_default(), said, "{text:?}");
        };
        check("**Great.** Really, *so* great", "Great. Really, so great");
        check("1. **Standard roof** – `$4,500`", "1. Standard roof – $4,500");
        check("2. *Premium* roof 😀🏠", "2. Premium roof");
        check("## Options", "Options");
        check("- One thing", "One thing");
        check("| a | b |", "a, b");
        check("|---|---|", "");
        check("---", "");
        check("|---|---|\n| Gold | $9 |\nSee below.", "Gold, $9 See below.");
        check("---\n\n# Prices\nNine dollars.", "Prices Nine dollars.");
        check("We open at nine[1][2]. It is free.【4†source】", "We open at nine. It is free.");
        check(
            "See [our page](https://example.com/roofs?id=1&x=2) or https://example.com/very/long/path.",
            "See our page or example.com.",
        );
        check(
            "I noted ann_lee@example.com, order A_1_B, 5 * 3 = 15, #1 priority, C# code, room ~5, `x`, 2*3*4.",
            "I noted ann_lee@example.com, order A_1_B, 5 * 3 = 15, #1 priority, C# code, room ~5, x, 2*3*4.",
        );
        check("It is __important__, ~~not~~ and _this_ too.", "It is important, not and this too.");
        check("<speak>One <break time=\"500ms\"/> moment</speak>", "One moment");
        check("(laughs) Of course! [pause] *smiles warmly* Right.", "Of course! Right.");
        check("Call me (after five) or [maybe] not.", "Call me (after five) or [maybe] not.");
        check("a < b and x <3", "a < b and x <3");
        check("Thank you\u{0} Dana\u{7}\u{202e}.", "Thank you Dana.");
        check("¿Qué? 你好。", "¿Qué? 你好。");
        check("😀", "");
    }
}
