//! How long words take. Both parties speak at a steady human pace, so that a timeline of words looks like one of sound.

use std::time::Duration;

/// How long each word of a text takes, at `speed` times the usual pace.
pub(crate) fn words(text: &str, speed: f64) -> Vec<Duration> {
    text.split_whitespace().map(|word| spoken(word).div_f64(speed)).map(whole_millis).collect()
}

fn spoken(word: &str) -> Duration {
    let sounds = word.chars().map(|c| match c {
        // Digits and signs are read out: "seven", "at", "dot".
        '0'..='9' | '@' | '%' | '&' | '$' => 260,
        c if c.is_alphanumeric() => 52,
        _ => 0,
    });
    let pause = match word.chars().last() {
        Some('.' | '!' | '?') => 240,
        Some(',' | ';' | ':' | '–' | '…') => 160,
        _ => 0,
    };
    Duration::from_millis(80 + sounds.sum::<u64>() + pause)
}

fn whole_millis(time: Duration) -> Duration {
    Duration::from_millis(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_say_two_to_three_words_a_second() {
        let text = "Thank you for calling Acme Legal, my name is Kai. What can I do for you today?";
        let whole = |speed: f64| words(text, speed).into_iter().sum::<Duration>();
        let count = u32::try_from(words(text, 1.0).len()).expect("a short text");
        let rate = f64::from(count) / whole(1.0).as_secs_f64();
        assert!((2.0..=3.5).contains(&rate), "{rate} words a second");
        assert!(whole(2.0) < whole(1.0));
    }
}
