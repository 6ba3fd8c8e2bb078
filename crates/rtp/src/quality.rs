//! How well people would say that they hear each other: the E-model (ITU-T G.107), reduced to what a leg can know.

use std::time::Duration;

use crate::Statistics;

/// The quality of a telephone line on which nothing goes wrong.
const BEST: f64 = 93.2;

/// How well G.711 with concealment bears loss: G.113, appendix I.
const ROBUSTNESS: f64 = 25.1;

/// The longest delay to the ear that nobody notices.
const UNNOTICED: f64 = 177.3;

/// The mean opinion, from 1 (bad) to 4.4 (as good as a telephone gets).
pub fn mean_opinion(statistics: &Statistics) -> f64 {
    let way = statistics.round_trip.unwrap_or_default() / 2 + statistics.delay + PACKET;
    let millis = way.as_secs_f64() * 1000.0;
    let late = 0.024 * millis + if millis > UNNOTICED { 0.11 * (millis - UNNOTICED) } else { 0.0 };
    let loss = f64::from(statistics.loss_per_mille()) / 10.0;
    let missing = 95.0 * loss / (loss + ROBUSTNESS);
    let rating = (BEST - late - missing).clamp(0.0, 100.0);
    (1.0 + 0.035 * rating + rating * (rating - 60.0) * (100.0 - rating) * 7e-6).clamp(1.0, 4.5)
}

/// Sound waits until a packet is full.
const PACKET: Duration = Duration::from_millis(20);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loss_and_delay_are_heard() {
        let heard = |lost: u64, delay: u64| {
            mean_opinion(&Statistics {
                packets_received: 1000 - lost,
                lost,
                delay: Duration::from_millis(delay),
                ..Statistics::default()
            })
        };
        assert!((4.35..4.45).contains(&heard(0, 20)), "{}", heard(0, 20));
        assert!((3.6..4.1).contains(&heard(50, 20)), "5 %: {}", heard(50, 20));
        assert!((1.5..2.8).contains(&heard(300, 20)), "30 %: {}", heard(300, 20));
        assert!(heard(0, 400) < heard(0, 200) && heard(0, 200) < heard(0, 20));
        assert!((1.0..=4.5).contains(&heard(1000, 5000)));
    }
}
