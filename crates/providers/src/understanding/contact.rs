//! Who somebody is and how to reach them, from spoken words: the readers of `understanding`, as the receptionist and the analysts use them.

use ::understanding::facts;

pub(crate) use facts::{answered_name as answered, email, name};

/// A telephone number, written or spoken; digits only, with a leading `+` if it was said.
pub(crate) fn phone(text: &str) -> Option<String> {
    facts::phone(text, "").map(|phone| phone.digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_digits_with_the_plus_that_was_said() {
        assert_eq!(phone("plus one 512 555 0147 thanks").as_deref(), Some("+15125550147"));
        assert_eq!(phone("512-555-0147 extension 12").as_deref(), Some("5125550147"));
        assert_eq!(phone("I have two cars and three kids"), None);
    }
}
