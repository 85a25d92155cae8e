//! Durations as flags take them.

use std::time::Duration;

/// The longest duration: ten years. The clock cannot represent times that are much later.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

/// A duration: `90s`, `10m`, `1h30m`, or seconds.
pub(in crate::cli) fn duration(text: &str) -> std::result::Result<Duration, String> {
    parse_duration(text).map(|duration| duration.min(LONGEST))
}

fn parse_duration(text: &str) -> std::result::Result<Duration, String> {
    let wrong = || format!("`{text}` is not a duration; expected `90s`, `10m` or `1h30m`");
    if let Ok(seconds) = text.parse::<u64>() {
        return Ok(Duration::from_secs(seconds));
    }
    let mut total = 0u64;
    let mut number = String::new();
    for c in text.chars() {
        let unit = match c {
            '0'..='9' => {
                number.push(c);
                continue;
            }
            's' => 1,
            'm' => 60,
            'h' => 3600,
            _ => return Err(wrong()),
        };
        let count: u64 = number.parse().map_err(|_| wrong())?;
        total = count.checked_mul(unit).and_then(|more| total.checked_add(more)).ok_or_else(wrong)?;
        number.clear();
    }
    if number.is_empty() && !text.is_empty() { Ok(Duration::from_secs(total)) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, duration};
    use std::time::Duration;

    #[test]
    fn durations() {
        assert_eq!(duration("1h30m5s"), Ok(Duration::from_secs(5405)));
        assert_eq!(duration("90"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("18446744073709551615"), Ok(LONGEST));
        assert_eq!(duration("5124095576030431h"), Ok(LONGEST));
        for wrong in ["", "m", "5x", "5m3", "99999999999999999999h", "9999999999999999h"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
