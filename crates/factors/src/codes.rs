//! Codes that an app on a telephone shows: HMAC-SHA1, six digits, a new one every 30 seconds, which is what every such app can do.

use ring::hmac;

/// A code is shown for this long.
const STEP_S: i64 = 30;

/// How many steps a telephone's clock may be behind or ahead.
const DRIFT: u64 = 1;

/// The code of a step.
fn code(secret: &[u8], step: u64) -> u32 {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    let mac = hmac::sign(&key, &step.to_be_bytes());
    let mac = mac.as_ref();
    // RFC 4226 5.3: the last four bits say where the 31 bits of the code begin.
    let at = usize::from(mac[mac.len() - 1] & 0xf);
    let bits = u32::from_be_bytes([mac[at] & 0x7f, mac[at + 1], mac[at + 2], mac[at + 3]]);
    bits % 1_000_000
}

/// What an app shows at a time.
pub fn shown(secret: &[u8], unix_s: i64) -> String {
    let step = u64::try_from(unix_s.div_euclid(STEP_S)).unwrap_or_default();
    format!("{:06}", code(secret, step))
}

/// The step that a code belongs to. `None` if it is no code of about now, or of a step up to `used`: a code counts once.
pub fn step_of(secret: &[u8], shown: &str, unix_s: i64, used: u64) -> Option<u64> {
    let digits: String = shown.chars().filter(|letter| !letter.is_whitespace()).collect();
    if digits.len() != 6 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let shown: u32 = digits.parse().ok()?;
    let now = u64::try_from(unix_s.div_euclid(STEP_S)).ok()?;
    let mut around = now.saturating_sub(DRIFT)..=now + DRIFT;
    around.find(|&step| step > used && code(secret, step) == shown)
}

/// The address that an app reads from a picture.
pub fn address(account: &str, secret: &[u8]) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
    let account: String = account
        .bytes()
        .map(|byte| if plain(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect();
    let secret = base32(secret);
    format!(
        "otpauth://totp/KaiCalls:{account}?secret={secret}&issuer=KaiCalls&algorithm=SHA1&digits=6&period=30"
    )
}

/// Bytes in letters and digits that people can type (RFC 4648 section 6), without padding.
pub fn base32(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut text = String::with_capacity(bytes.len().div_ceil(5) * 8);
    for five in bytes.chunks(5) {
        let mut padded = [0; 8];
        padded[3..3 + five.len()].copy_from_slice(five);
        let bits = u64::from_be_bytes(padded);
        for letter in 0..(five.len() * 8).div_ceil(5) {
            let value = usize::try_from(bits >> (35 - 5 * letter) & 31).expect("five bits");
            text.push(char::from(LETTERS[value]));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const RFC_SECRET: &[u8] = b"12345678901234567890";

    #[test]
    fn codes_are_those_of_the_standard() {
        // RFC 6238 appendix B, the last six of its eight digits.
        for (time, expected) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            let step = u64::try_from(time / STEP_S).expect("not before 1970");
            assert_eq!(step_of(RFC_SECRET, expected, time, 0), Some(step), "{time}");
            assert_eq!(shown(RFC_SECRET, time), expected);
        }
    }

    #[test]
    fn a_code_counts_once_and_only_about_when_it_is_shown() {
        let at = |time, used| step_of(RFC_SECRET, "081 804", time, used);
        let (shown_at, step) = (1_111_111_109, 37_037_036);
        assert_eq!(at(shown_at, 0), Some(step), "blanks are how people read it");
        assert_eq!((at(shown_at - 30, 0), at(shown_at + 30, 0)), (Some(step), Some(step)), "clocks differ");
        assert_eq!((at(shown_at - 90, 0), at(shown_at + 90, 0)), (None, None));
        assert_eq!((at(shown_at, step - 1), at(shown_at, step)), (Some(step), None), "it was used");
        for wrong in ["", "081805", "81804", "0818040", "08180a", "٠٨١٨٠٤", "-81804"] {
            assert_eq!(step_of(RFC_SECRET, wrong, shown_at, 0), None, "{wrong:?}");
        }
        assert_eq!(step_of(RFC_SECRET, "287082", -1, 0), None);
    }

    #[test]
    fn secrets_are_written_as_apps_read_them() {
        // RFC 4648 section 10.
        for (bytes, text) in [
            ("", ""),
            ("f", "MY"),
            ("fo", "MZXQ"),
            ("foo", "MZXW6"),
            ("foob", "MZXW6YQ"),
            ("fooba", "MZXW6YTB"),
        ] {
            assert_eq!(base32(bytes.as_bytes()), text);
        }
        assert_eq!(base32(b"foobar"), "MZXW6YTBOI");
        assert_eq!(
            address("ada+tel@example.com", b"foobar"),
            "otpauth://totp/KaiCalls:ada%2Btel%40example.com?secret=MZXW6YTBOI&issuer=KaiCalls&algorithm=SHA1&digits=6&period=30"
        );
    }
}
