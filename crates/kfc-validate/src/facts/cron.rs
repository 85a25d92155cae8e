//! Schedules of CronJobs: five fields, or a descriptor such as `@daily`.

use std::ops::RangeInclusive;

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const DESCRIPTORS: [&str; 7] =
    ["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"];

/// One of the five fields.
struct Field {
    range: RangeInclusive<u32>,
    names: &'static [&'static str],
    first_name: u32,
}

/// What the API server says about a schedule that it cannot read.
pub(super) fn fault(text: &str) -> Option<String> {
    if text.contains("TZ") {
        return Some("cannot use TZ or CRON_TZ in schedule, use timeZone field instead".to_owned());
    }
    if text.starts_with('@') {
        return descriptor(text);
    }
    let fields: Vec<&str> = text.split_whitespace().collect();
    if fields.len() != 5 {
        return Some(format!("expected exactly 5 fields, found {}: {fields:?}", fields.len()));
    }
    let kinds = [
        Field { range: 0..=59, names: &[], first_name: 0 },
        Field { range: 0..=23, names: &[], first_name: 0 },
        Field { range: 1..=31, names: &[], first_name: 0 },
        Field { range: 1..=12, names: &MONTHS, first_name: 1 },
        Field { range: 0..=6, names: &DAYS, first_name: 0 },
    ];
    fields.iter().zip(&kinds).find_map(|(field, kind)| field.split(',').find_map(|part| kind.fault(part)))
}

fn descriptor(text: &str) -> Option<String> {
    if DESCRIPTORS.contains(&text) {
        return None;
    }
    match text.strip_prefix("@every ") {
        Some(duration) if is_duration(duration) => None,
        Some(duration) => Some(format!("failed to parse duration @every {duration}")),
        None => Some(format!("unrecognized descriptor: {text}")),
    }
}

/// Whether a text is a duration as Go reads it: `1h30m`.
pub(super) fn is_duration(text: &str) -> bool {
    let mut rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    if rest == "0" {
        return true;
    }
    let start = rest;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (amount, after) = rest.split_at(end);
        let unit = ["ns", "us", "µs", "μs", "ms", "s", "m", "h"].into_iter().find(|unit| {
            after.strip_prefix(unit).is_some_and(|next| !next.starts_with(|c: char| c.is_alphabetic()))
        });
        let (Some(unit), Ok(_)) = (unit, amount.parse::<f64>()) else { return false };
        rest = &after[unit.len()..];
    }
    !start.is_empty()
}

impl Field {
    /// What is wrong with one part of a list: `*`, `1-5/2`, `MON`.
    fn fault(&self, part: &str) -> Option<String> {
        let (least, most) = (*self.range.start(), *self.range.end());
        let (span, step) = part.split_once('/').map_or((part, None), |(span, step)| (span, Some(step)));
        if step.is_some_and(|step| step.contains('/')) {
            return Some(format!("too many slashes: {part}"));
        }
        let (start, end) = if matches!(span, "*" | "?") {
            (least, most)
        } else {
            let (start, end) = span.split_once('-').map_or((span, None), |(start, end)| (start, Some(end)));
            let Some(start) = self.number(start) else { return Some(unread(part)) };
            let Some(end) =
                end.map_or(Some(if step.is_some() { most } else { start }), |end| self.number(end))
            else {
                return Some(unread(part));
            };
            (start, end)
        };
        if let Some(step) = step {
            match step.parse::<u32>() {
                Ok(0) => return Some(format!("step of range should be a positive number: {part}")),
                Ok(_) => {}
                Err(_) => return Some(unread(part)),
            }
        }
        if start < least {
            Some(format!("beginning of range ({start}) below minimum ({least}): {part}"))
        } else if end > most {
            Some(format!("end of range ({end}) above maximum ({most}): {part}"))
        } else if start > end {
            Some(format!("beginning of range ({start}) beyond end of range ({end}): {part}"))
        } else {
            None
        }
    }

    fn number(&self, text: &str) -> Option<u32> {
        let lower = text.to_ascii_lowercase();
        let named = self.names.iter().zip(self.first_name..).find(|(name, _)| **name == lower);
        named
            .map(|(_, number)| number)
            .or_else(|| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten())
    }
}

fn unread(part: &str) -> String {
    format!("failed to parse int from {part}")
}

#[cfg(test)]
mod tests {
    use super::fault;

    #[test]
    fn schedules_are_read_as_the_server_reads_them() {
        for right in [
            "0 3 * * *",
            "*/5 * * * *",
            "1-5/2 * * * *",
            "0 0 * JAN mon-FRI",
            "@daily",
            "@every 1h30m",
            "0 3 * * ?",
            "1/2 * * * *",
        ] {
            assert_eq!(fault(right), None, "{right}");
        }
        for wrong in [
            "0 3 * *",
            "60 3 * * *",
            "0 0 0 * *",
            "0 0 * * 7",
            "*/0 * * * *",
            "5-1 * * * *",
            "a * * * *",
            "@every x",
            "@DAILY",
            "@reboot",
            "TZ=UTC 0 3 * * *",
            "-1 * * * *",
        ] {
            assert!(fault(wrong).is_some(), "{wrong}");
        }
    }
}
