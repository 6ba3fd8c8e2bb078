//! Who calls, in the ways in which carriers write it.

use domain::E164;
use domain::phone::read_written;
use serde_json::Value;

/// What carriers send in place of a withheld number, as words or as the digits on which they lie on a keypad.
const WITHHELD: [&str; 9] = [
    "anonymous",
    "restricted",
    "blocked",
    "unknown",
    "unavailable",
    "private",
    "withheld",
    "noid",
    "nonumber",
];

/// The number in a field, which may be a number of JSON to whoever forwards messages.
pub(crate) fn number_of(field: &Value, home: &str) -> Option<E164> {
    match field {
        Value::String(text) => number(text, home),
        Value::Number(digits) if digits.is_u64() => number(&digits.to_string(), home),
        _ => None,
    }
}

/// The number in a text: plain, with blanks or without its plus sign, or in a `tel:` or SIP address. Without a country it belongs to that
/// with the calling code `home`. `None` for a placeholder of a caller who withholds the number, and for whatever else is no number.
pub(crate) fn number(text: &str, home: &str) -> Option<E164> {
    let text = without_address(text.trim())?;
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    if is_placeholder(&digits) {
        return None;
    }
    let only_number = text.chars().all(|c| c.is_numeric() || c.is_whitespace() || !c.is_alphanumeric());
    let plus = || {
        // Most countries dial 00 where + is written.
        let digits = digits.strip_prefix("00").unwrap_or(&digits);
        let international = format!("+{digits}");
        let read = read_written(&international, home).map(|written| written.number);
        // A number that is newer than our numbering plans is one all the same.
        read.or_else(|| if digits.len() > 10 { E164::parse(&international).ok() } else { None })
    };
    E164::parse(&text)
        .ok()
        .or_else(|| read_written(&text, home).map(|written| written.number))
        .or_else(|| if only_number { plus() } else { None })
}

/// The number in an address: what stands before the host and the parameters. `None` for a name that is no number.
fn without_address(text: &str) -> Option<String> {
    // A name may stand before an address in brackets.
    let text = text.split_once('<').map_or(text, |(_, inner)| inner.split('>').next().unwrap_or_default());
    let (scheme, rest) = text.split_once(':').unwrap_or(("", text));
    let is_address = match scheme.to_ascii_lowercase().as_str() {
        "sip" | "sips" => true,
        "tel" => return Some(rest.split(';').next().unwrap_or_default().trim().to_owned()),
        "" => text.contains('@'),
        _ => return None,
    };
    if !is_address {
        return Some(text.to_owned());
    }
    let user = rest.trim_start_matches('/').split(['@', ';', '?']).next().unwrap_or_default();
    let user = user.replace("%2B", "+").replace("%2b", "+");
    // Without a host it would be one: `sip:pbx.example.com`.
    let has_user = rest.contains('@') || !user.contains('.');
    let is_number = user.chars().all(|c| c.is_ascii_digit() || "+-.() ".contains(c)) && has_user;
    is_number.then_some(user)
}

fn is_placeholder(digits: &str) -> bool {
    let national = digits.strip_prefix('1').unwrap_or(digits);
    [digits, national].iter().any(|digits| {
        let same = digits.chars().all(|digit| digits.starts_with(digit));
        same || WITHHELD.iter().any(|word| keypad(word) == **digits)
    })
}

/// The digits on whose keys the letters of a word lie.
fn keypad(word: &str) -> String {
    let digit = |letter| match letter {
        'a'..='c' => '2',
        'd'..='f' => '3',
        'g'..='i' => '4',
        'j'..='l' => '5',
        'm'..='o' => '6',
        'p'..='s' => '7',
        't'..='v' => '8',
        _ => '9',
    };
    word.chars().map(digit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_however_a_carrier_writes_them() {
        for written in [
            "+15125550111",
            "15125550111",
            "5125550111",
            " +1 512 555 0111 ",
            "1 512 555 0111",
            "(512) 555-0111",
            "tel:+15125550111",
            "TEL:+1-512-555-0111;ext=7",
            "tel:5125550111;phone-context=+1",
            "sip:+15125550111@sip.example.com",
            "sip:15125550111@10.0.0.1:5060;transport=udp",
            "sips:%2B15125550111@example.com;user=phone",
            "<sip:+15125550111@sip.example.com>",
            "\"Maria Lopez\" <sip:+15125550111@sip.example.com>;tag=7",
            "+15125550111@sip.example.com",
            "\u{202d}+15125550111\u{202c}",
        ] {
            assert_eq!(number(written, "1").as_ref().map(E164::as_str), Some("+15125550111"), "{written}");
        }
        for (written, home, read) in [
            ("4930123456", "1", "+4930123456"),
            ("030 123456", "49", "+4930123456"),
            ("00442079460123", "44", "+442079460123"),
            ("00442079460123", "1", "+442079460123"),
            ("0049 30 123456", "1", "+4930123456"),
            ("011442079460123", "1", "+442079460123"),
            ("sip:442079460123@voip.example", "1", "+442079460123"),
        ] {
            assert_eq!(number(written, home).as_ref().map(E164::as_str), Some(read), "{written}");
        }
    }

    #[test]
    fn a_number_may_be_a_number_of_json() {
        use serde_json::json;
        let read = |field: Value| number_of(&field, "1").map(|number| number.as_str().to_owned());
        assert_eq!(read(json!(15_125_550_111_u64)).as_deref(), Some("+15125550111"));
        assert_eq!(read(json!("512 555 0111")).as_deref(), Some("+15125550111"));
        for odd in
            [json!(266_696_687), json!(-15_125_550_111_i64), json!(1.5), json!(null), json!({}), json!(true)]
        {
            assert_eq!(read(odd.clone()), None, "{odd}");
        }
    }

    #[test]
    fn whoever_withholds_a_number_has_none() {
        for nobody in [
            "",
            "anonymous",
            "Anonymous",
            "unknown",
            "Restricted",
            "private",
            "+266696687",
            "266696687",
            "+1266696687",
            "+7378742833",
            "7378742833",
            "+2562533",
            "+8656696",
            "+86282452253",
            "+0",
            "0",
            "+00000000",
            "0000000000",
            "+10000000000",
            "+1111111111",
            "9999999999",
            "sip:anonymous@anonymous.invalid",
            "sip:1001@pbx.example.com",
            "sip:maria@example.com",
            "sip:sip.example.com",
            "tel:anonymous",
            "Anonymous <sip:anonymous@anonymous.invalid>",
            "http://example.com/5125550111",
            "n/a",
        ] {
            assert_eq!(number(nobody, "1"), None, "{nobody}");
        }
    }
}
