//! The text of an API key: a prefix for its mode, 32 random base62 characters and a checksum of 6.
//!
//! The checksum lets a scanner tell a leaked key from noise without asking us, and lets us refuse noise without asking the
//! database. It is no secret: knowing how to compute it helps nobody to guess a key.

use std::fmt;

use crate::Mode;

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const RANDOM_CHARS: usize = 32;
const CHECKSUM_CHARS: usize = 6;
const PREFIX_CHARS: usize = 8;

/// How many random bytes [`PlainKey::generate`] needs.
pub const ENTROPY_BYTES: usize = 48;

/// A whole API key. It is shown once, never stored and never printed by accident: `Debug` shows the public prefix only.
#[derive(Clone, PartialEq, Eq)]
pub struct PlainKey {
    text: String,
    mode: Mode,
}

impl PlainKey {
    /// Makes a key from random bytes (about 190 bits remain after the reduction to base62).
    pub fn generate(mode: Mode, entropy: &[u8; ENTROPY_BYTES]) -> Self {
        let mut text = String::with_capacity(PREFIX_CHARS + RANDOM_CHARS + CHECKSUM_CHARS);
        text.push_str(prefix(mode));
        let mut usable =
            entropy.iter().filter(|&&byte| byte < 248).map(|&byte| BASE62[usize::from(byte % 62)] as char);
        // 248 = 4 * 62, so that every character is equally likely. Too many rejected bytes (odds under 1 in 10^16) reuse the tail.
        for at in 0..RANDOM_CHARS {
            let fallback = BASE62[usize::from(entropy[ENTROPY_BYTES - 1 - at] % 62)] as char;
            text.push(usable.next().unwrap_or(fallback));
        }
        let check = checksum(&text);
        text.push_str(&check);
        Self { text, mode }
    }

    /// Reads a key; `None` if the form or the checksum is wrong, in which case no such key was ever issued.
    pub fn parse(text: &str) -> Option<Self> {
        let mode = Mode::ALL.iter().copied().find(|&mode| text.starts_with(prefix(mode)))?;
        let body = &text.as_bytes()[PREFIX_CHARS..];
        if body.len() != RANDOM_CHARS + CHECKSUM_CHARS || !body.iter().all(u8::is_ascii_alphanumeric) {
            return None;
        }
        let (signed, check) = text.split_at(PREFIX_CHARS + RANDOM_CHARS);
        (checksum(signed) == check).then(|| Self { text: text.to_owned(), mode })
    }

    /// The mode that the prefix names.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// The public prefix, 12 characters, by which people recognise the key in lists.
    pub fn public_prefix(&self) -> &str {
        &self.text[..12]
    }

    /// The whole key, for showing it once and for hashing it.
    pub fn reveal(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for PlainKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PlainKey({}…)", self.public_prefix())
    }
}

fn prefix(mode: Mode) -> &'static str {
    match mode {
        Mode::Live => "kc_live_",
        Mode::Test => "kc_test_",
    }
}

/// CRC-32 (ISO-HDLC, as in zlib) of the text before it, six base62 digits, most significant first.
fn checksum(text: &str) -> String {
    let mut rest = u64::from(crc32fast::hash(text.as_bytes()));
    let mut digits = [0u8; CHECKSUM_CHARS];
    for digit in digits.iter_mut().rev() {
        *digit = BASE62[(rest % 62) as usize];
        rest /= 62;
    }
    digits.iter().map(|&digit| digit as char).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entropy(seed: u8) -> [u8; ENTROPY_BYTES] {
        std::array::from_fn(|at| seed.wrapping_mul(31).wrapping_add((at as u8).wrapping_mul(37)))
    }

    #[test]
    fn generated_keys_read_back() {
        for &mode in Mode::ALL {
            for seed in 0..=255 {
                let key = PlainKey::generate(mode, &entropy(seed));
                assert_eq!(key.reveal().len(), 46);
                assert_eq!(PlainKey::parse(key.reveal()).map(|read| read.mode()), Some(mode));
            }
        }
    }

    #[test]
    fn one_wrong_character_is_noticed() {
        let key = PlainKey::generate(Mode::Live, &entropy(9)).reveal().to_owned();
        for at in 8..key.len() {
            let mut wrong = key.clone().into_bytes();
            wrong[at] = if wrong[at] == b'x' { b'y' } else { b'x' };
            assert_eq!(PlainKey::parse(std::str::from_utf8(&wrong).expect("ascii")), None);
        }
    }

    #[test]
    fn debug_does_not_print_the_secret() {
        let key = PlainKey::generate(Mode::Test, &entropy(1));
        let shown = format!("{key:?}");
        assert!(!shown.contains(&key.reveal()[12..]));
        assert!(!shown.contains(&key.reveal()[12..16]), "nor a part of it");
        assert_eq!(
            shown,
            format!("PlainKey({}…)", key.public_prefix()),
            "whoever reads a log knows which key it is"
        );
        assert_eq!(key.public_prefix(), &key.reveal()[..12]);
    }

    #[test]
    fn every_character_is_equally_likely_and_none_comes_from_a_byte_that_would_favour_some() {
        let mut entropy: [u8; ENTROPY_BYTES] = std::array::from_fn(|at| at as u8);
        entropy[..5].copy_from_slice(&[247, 248, 255, 61, 62]);
        let key = PlainKey::generate(Mode::Live, &entropy);
        assert_eq!(&key.reveal()[8..14], "zz0567", "248 and 255 are left out");

        let mut counts = std::collections::BTreeMap::new();
        for byte in 0..=u8::MAX {
            let mut entropy = [u8::MAX; ENTROPY_BYTES];
            entropy[0] = byte;
            if byte < 248 {
                let key = PlainKey::generate(Mode::Live, &entropy);
                *counts.entry(key.reveal().as_bytes()[8]).or_insert(0) += 1;
            }
        }
        assert_eq!(counts.len(), 62);
        assert!(counts.values().all(|&count| count == 4), "{counts:?}");
    }

    #[test]
    fn bytes_of_which_too_few_are_of_use_still_make_a_whole_key() {
        let useless: [u8; ENTROPY_BYTES] = std::array::from_fn(|at| 248 + (at % 8) as u8);
        let key = PlainKey::generate(Mode::Test, &useless);
        assert_eq!(&key.reveal()[8..40], "76543210765432107654321076543210");
        assert_eq!(PlainKey::parse(key.reveal()), Some(key));
    }

    #[test]
    fn noise_is_refused() {
        for noise in
            ["", "kc_live_", "kc_live_é", "sk_live_abc", "kc_prod_00000000000000000000000000000000000000"]
        {
            assert_eq!(PlainKey::parse(noise), None);
        }
    }
}
