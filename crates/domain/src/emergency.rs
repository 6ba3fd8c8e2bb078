//! Which number people dial in an emergency, by country.

/// The number of the general emergency service in a country that [`crate::dial_policy::country_calling_code`] names. 112 where we know no
/// other: mobile networks everywhere put it through.
#[must_use]
pub fn number(country_calling_code: &str) -> &'static str {
    NUMBERS
        .iter()
        .find(|(_, codes)| codes.split(' ').any(|code| code == country_calling_code))
        .map_or("112", |(number, _)| number)
}

/// Countries whose people know another number than 112, by their calling codes.
const NUMBERS: [(&str, &str); 7] = [
    ("911", "1 51 52 54 57 58 63 502 503 504 505 506 507 591 593 595 598 962"),
    ("999", "44 60 65 254 256 880 971 973 974"),
    ("000", "61"),
    ("111", "64"),
    ("190", "55"),
    ("119", "81 82 886"),
    ("10111", "27"),
];

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn each_country_has_the_number_that_its_people_know() {
        for (code, expected) in [
            ("1", "911"),
            ("52", "911"),
            ("44", "999"),
            ("61", "000"),
            ("64", "111"),
            ("49", "112"),
            ("34", "112"),
            ("91", "112"),
            ("", "112"),
        ] {
            assert_eq!(number(code), expected, "+{code}");
        }
    }
}
