//! Keys in SIP INFO, which switchboards send where RTP carries none.

/// The key in the body of an INFO of this type, if it is one.
pub(crate) fn key(content_type: &str, body: &[u8]) -> Option<char> {
    let text = std::str::from_utf8(body.get(..body.len().min(200))?).ok()?;
    let kind = content_type.split(';').next()?.trim();
    let sign = if kind.eq_ignore_ascii_case("application/dtmf-relay") {
        let line = text.lines().find_map(|line| {
            let (name, value) = line.split_once('=')?;
            name.trim().eq_ignore_ascii_case("signal").then_some(value)
        });
        line?.trim()
    } else if kind.eq_ignore_ascii_case("application/dtmf") {
        text.trim()
    } else {
        return None;
    };
    match sign {
        "10" => Some('*'),
        "11" => Some('#'),
        _ => {
            let mut signs = sign.chars();
            let first = signs.next()?.to_ascii_uppercase();
            (signs.next().is_none() && matches!(first, '0'..='9' | '*' | '#' | 'A'..='D')).then_some(first)
        }
    }
}

/// The body that presses a key.
pub(crate) fn body(key: char) -> String {
    format!("Signal={key}\r\nDuration=160\r\n")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn keys_are_read_in_both_ways_of_writing_them() {
        for (kind, body, expected) in [
            ("application/dtmf-relay", "Signal=5\r\nDuration=160\r\n", Some('5')),
            ("Application/DTMF-Relay; charset=utf-8", "Duration=100\nsignal = #\n", Some('#')),
            ("application/dtmf-relay", "Signal=11\r\n", Some('#')),
            ("application/dtmf", "b", Some('B')),
            ("application/dtmf", " 10 ", Some('*')),
            ("application/dtmf", "16", None),
            ("application/dtmf", "", None),
            ("text/plain", "Signal=5\r\n", None),
            ("application/dtmf-relay", "Duration=5\r\n", None),
        ] {
            assert_eq!(key(kind, body.as_bytes()), expected, "{kind} {body:?}");
        }
        assert_eq!(key("application/dtmf", &[0xFF; 300]), None);
        assert_eq!(key("application/dtmf-relay", body('*').as_bytes()), Some('*'));
    }

    proptest! {
        #[test]
        fn any_body_is_a_key_or_none(kind in "(application/dtmf(-relay)?|.{0,20})", body in prop::collection::vec(any::<u8>(), 0..300)) {
            if let Some(key) = key(&kind, &body) {
                prop_assert!("0123456789*#ABCD".contains(key));
            }
        }
    }
}
