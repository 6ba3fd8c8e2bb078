//! Which trunks a number can be called over, and how they are.

use crate::settings::Trunk;

/// How a trunk is, as far as we know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// Nobody has asked it yet.
    Unknown,
    Up,
    /// Why no call is tried over it.
    Down(String),
}

/// The places of the trunks over which a number can be called, in the order in which they are tried: those that name the number's
/// beginning first, the longest beginning before shorter ones; among equals as they stand in the configuration.
pub(crate) fn for_number(trunks: &[Trunk], health: &[Health], number: &str) -> Vec<usize> {
    let mut found: Vec<(usize, usize)> = trunks
        .iter()
        .enumerate()
        .filter(|(place, _)| !matches!(health.get(*place), Some(Health::Down(_))))
        .filter_map(|(place, trunk)| Some((place, fit(trunk, number)?)))
        .collect();
    found.sort_by_key(|(_, fit)| std::cmp::Reverse(*fit));
    found.into_iter().map(|(place, _)| place).collect()
}

/// How much of a number a trunk names; `None` if it is not for this number.
fn fit(trunk: &Trunk, number: &str) -> Option<usize> {
    if trunk.prefixes.is_empty() {
        return Some(0);
    }
    trunk.prefixes.iter().filter(|prefix| number.starts_with(prefix.as_str())).map(String::len).max()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Authorities, Transport};

    fn trunk(prefixes: &[&str]) -> Trunk {
        Trunk {
            name: String::new(),
            host: String::new(),
            port: 5060,
            transport: Transport::Udp,
            authorities: Authorities::System,
            takes_wildcards: false,
            credentials: None,
            registers: false,
            asks: true,
            sources: Vec::new(),
            prefixes: prefixes.iter().map(|prefix| (*prefix).to_owned()).collect(),
            caller_id: None,
        }
    }

    #[test]
    fn the_trunk_that_names_most_of_a_number_comes_first_and_one_that_is_down_not_at_all() {
        let trunks = [trunk(&[]), trunk(&["+49", "+1"]), trunk(&["+4930"]), trunk(&["+33"]), trunk(&[])];
        let mut health = vec![Health::Unknown; trunks.len()];
        assert_eq!(for_number(&trunks, &health, "+493012345"), [2, 1, 0, 4]);
        assert_eq!(for_number(&trunks, &health, "+4412345"), [0, 4]);
        health[0] = Health::Down("no answer".to_owned());
        health[2] = Health::Up;
        assert_eq!(for_number(&trunks, &health, "+493012345"), [2, 1, 4]);
    }
}
