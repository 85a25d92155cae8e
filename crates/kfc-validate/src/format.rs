//! How texts and numbers are written: the formats that an API server checks, and quantities.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::net::{Ipv4Addr, Ipv6Addr};

/// A format of a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A whole number of 32 bits.
    Int32,
    /// A whole number of 64 bits.
    Int64,
    /// Base64.
    Byte,
    /// `2026-01-31`.
    Date,
    /// `2026-01-31T12:00:00Z`.
    DateTime,
    /// `1h30m`.
    Duration,
    /// `10.0.0.1`.
    Ipv4,
    /// `fd00::1`.
    Ipv6,
    /// `10.0.0.0/8`.
    Cidr,
    /// `0a:1b:2c:3d:4e:5f`.
    Mac,
    /// `example.com`.
    Hostname,
    /// `6ba7b810-9dad-11d1-80b4-00c04fd430c8`.
    Uuid,
    /// A UUID of version 3, 4 or 5.
    UuidOf(u8),
    /// `someone@example.com`.
    Email,
    /// `https://example.com/path` or `/path`.
    Uri,
    /// `#0af`.
    HexColor,
    /// `rgb(0,160,255)`.
    RgbColor,
    /// `978-3-16-148410-0`, with 10 or 13 digits.
    Isbn,
    /// `123-45-6789`.
    Ssn,
    /// The number of a card.
    CreditCard,
    /// 24 hexadecimal digits.
    ObjectId,
}

impl Format {
    /// The format of this name; `None` for one that an API server does not check either.
    #[must_use]
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "int32" => Self::Int32,
            "int64" => Self::Int64,
            "byte" => Self::Byte,
            "date" => Self::Date,
            "date-time" | "datetime" => Self::DateTime,
            "duration" => Self::Duration,
            "ipv4" => Self::Ipv4,
            "ipv6" => Self::Ipv6,
            "cidr" => Self::Cidr,
            "mac" => Self::Mac,
            "hostname" => Self::Hostname,
            "uuid" => Self::Uuid,
            "uuid3" => Self::UuidOf(3),
            "uuid4" => Self::UuidOf(4),
            "uuid5" => Self::UuidOf(5),
            "email" => Self::Email,
            "uri" => Self::Uri,
            "hexcolor" => Self::HexColor,
            "rgbcolor" => Self::RgbColor,
            "isbn" | "isbn10" | "isbn13" => Self::Isbn,
            "ssn" => Self::Ssn,
            "creditcard" => Self::CreditCard,
            "bsonobjectid" => Self::ObjectId,
            _ => return None,
        })
    }

    /// What is expected, for messages.
    #[must_use]
    pub(super) const fn describe(self) -> &'static str {
        match self {
            Self::Int32 => "an integer of 32 bits",
            Self::Int64 => "an integer of 64 bits",
            Self::Byte => "base64",
            Self::Date => "a date such as `2026-01-31`",
            Self::DateTime => "a time such as `2026-01-31T12:00:00Z`",
            Self::Duration => "a duration such as `1h30m`",
            Self::Ipv4 => "an IPv4 address",
            Self::Ipv6 => "an IPv6 address",
            Self::Cidr => "a range of addresses such as `10.0.0.0/8`",
            Self::Mac => "a hardware address",
            Self::Hostname => "a host name",
            Self::Uuid => "a UUID",
            Self::UuidOf(_) => "a UUID of the version that the schema says",
            Self::Email => "an e-mail address",
            Self::Uri => "an absolute URI",
            Self::HexColor => "a colour such as `#0af`",
            Self::RgbColor => "a colour such as `rgb(0,160,255)`",
            Self::Isbn => "an ISBN",
            Self::Ssn => "a social security number such as `123-45-6789`",
            Self::CreditCard => "the number of a credit card",
            Self::ObjectId => "24 hexadecimal digits",
        }
    }

    /// Whether a text has this format. Every text has the formats of numbers.
    #[must_use]
    pub(super) fn holds(self, text: &str) -> bool {
        match self {
            Self::Int32 | Self::Int64 => true,
            Self::Byte => !text.is_empty() && is_base64(text),
            Self::Date => is_date(text),
            Self::DateTime => is_date_time(text),
            Self::Duration => is_duration(text),
            Self::Ipv4 => is_ipv4(text),
            Self::Ipv6 => text.parse::<Ipv6Addr>().is_ok(),
            Self::Cidr => is_cidr(text),
            Self::Mac => is_mac(text),
            Self::Hostname => is_hostname(text),
            Self::Uuid => is_uuid(text),
            Self::UuidOf(version) => is_uuid(text) && text.as_bytes().get(14) == Some(&(b'0' + version)),
            Self::Email => is_email(text),
            Self::Uri => is_uri(text),
            Self::HexColor => is_hex_color(text),
            Self::RgbColor => is_rgb_color(text),
            Self::Isbn => is_isbn(text),
            Self::Ssn => is_ssn(text),
            Self::CreditCard => is_credit_card(text),
            Self::ObjectId => text.len() == 24 && text.bytes().all(|byte| byte.is_ascii_hexdigit()),
        }
    }
}

/// Standard base64 with padding; line breaks are ignored, as in Go.
#[must_use]
pub(super) fn is_base64(text: &str) -> bool {
    let joined: String = text.chars().filter(|c| !matches!(c, '\n' | '\r')).collect();
    STANDARD.decode(joined).is_ok()
}

fn digits(text: &str, count: usize, most: u32) -> Option<u32> {
    let all_digits = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    all_digits.then(|| text.parse().ok()).flatten().filter(|number| *number <= most)
}

fn is_date(text: &str) -> bool {
    let mut parts = text.splitn(3, '-');
    let mut part = |count, most| parts.next().and_then(|part| digits(part, count, most));
    let (Some(year), Some(month), Some(day)) = (part(4, 9999), part(2, 12), part(2, 31)) else {
        return false;
    };
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap => 29,
        2 => 28,
        _ => 31,
    };
    (1..=12).contains(&month) && (1..=days).contains(&day)
}

fn is_date_time(text: &str) -> bool {
    let Some((date, time)) = text.split_once(['T', 't']) else { return false };
    let Some(at) = time.find(['Z', 'z', '+', '-']) else { return false };
    let (clock, zone) = time.split_at(at);
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let is_clock = |text: &str, parts: &[u32]| {
        let found: Vec<&str> = text.split(':').collect();
        found.len() == parts.len()
            && found.iter().zip(parts).all(|(part, most)| digits(part, 2, *most).is_some())
    };
    let is_zone = matches!(zone, "Z" | "z") || zone.get(1..).is_some_and(|zone| is_clock(zone, &[23, 59]));
    let is_fraction = !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit());
    is_date(date) && is_clock(clock, &[23, 59, 60]) && is_fraction && is_zone
}

/// Four numbers; zeros in front of them are ignored.
fn is_ipv4(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    let is_number = |part: &&str| {
        (1..=3).contains(&part.len())
            && part.bytes().all(|byte| byte.is_ascii_digit())
            && part.parse::<u16>().is_ok_and(|number| number < 256)
    };
    parts.len() == 4 && parts.iter().all(is_number)
}

/// Durations of Go, `1h30m`, `1.5s`, `-2ms`; and numbers with units spelled out, `5 minutes`, `1 day 3h`.
fn is_duration(text: &str) -> bool {
    is_go_duration(text) || is_spelled_duration(text)
}

fn is_go_duration(text: &str) -> bool {
    let mut rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    if rest == "0" {
        return true;
    }
    let mut parts = 0;
    while !rest.is_empty() {
        let number = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (amount, after) = rest.split_at(number);
        let is_amount = amount.bytes().any(|byte| byte.is_ascii_digit()) && amount.matches('.').count() < 2;
        let Some(unit) = ["ns", "us", "µs", "μs", "ms", "s", "m", "h"].iter().find(|u| {
            after.strip_prefix(**u).is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphabetic()))
        }) else {
            return false;
        };
        if !is_amount {
            return false;
        }
        rest = &after[unit.len()..];
        parts += 1;
    }
    parts > 0
}

fn is_spelled_duration(text: &str) -> bool {
    // A word counts as the unit that it begins with, if that is not an abbreviation.
    const EXACT: [&str; 11] = ["ns", "us", "µs", "ms", "s", "m", "h", "hr", "d", "w", "wk"];
    const BEGIN: [&str; 8] = ["nano", "micro", "milli", "sec", "min", "hour", "day", "week"];
    let mut rest = text.trim();
    let mut parts = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let after = rest[digits..].trim_start();
        let end = after.find(|c: char| !c.is_alphabetic()).unwrap_or(after.len());
        let unit = after[..end].to_lowercase();
        let is_unit = EXACT.contains(&unit.as_str()) || BEGIN.iter().any(|begin| unit.starts_with(begin));
        if digits == 0 || !is_unit {
            return false;
        }
        rest = after[end..].trim_start();
        parts += 1;
    }
    parts > 0
}

fn is_email(text: &str) -> bool {
    let address = match (text.rfind('<'), text.ends_with('>')) {
        (Some(start), true) => &text[start + 1..text.len() - 1],
        _ => text,
    };
    address.split_once('@').is_some_and(|(name, domain)| {
        !name.is_empty()
            && !domain.is_empty()
            && !domain.contains('@')
            && !address.contains(char::is_whitespace)
    })
}

fn is_uri(text: &str) -> bool {
    let has_scheme = text.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    });
    (has_scheme || text.starts_with('/')) && !text.contains(char::is_whitespace)
}

fn is_hex_color(text: &str) -> bool {
    let digits = text.strip_prefix('#').unwrap_or(text);
    matches!(digits.len(), 3 | 6) && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn is_rgb_color(text: &str) -> bool {
    let inside = text.strip_prefix("rgb(").and_then(|rest| rest.strip_suffix(')'));
    inside.is_some_and(|inside| {
        let parts: Vec<&str> = inside.split(',').map(str::trim).collect();
        parts.len() == 3 && parts.iter().all(|part| part.parse::<u16>().is_ok_and(|number| number < 256))
    })
}

fn is_isbn(text: &str) -> bool {
    let digits: Vec<u32> = text
        .chars()
        .filter(|c| !matches!(c, '-' | ' '))
        .map(|c| if matches!(c, 'X' | 'x') { 10 } else { c.to_digit(10).unwrap_or(99) })
        .collect();
    if digits.contains(&99) {
        return false;
    }
    match digits.len() {
        10 => digits.iter().zip((1..=10).rev()).map(|(digit, weight)| digit * weight).sum::<u32>() % 11 == 0,
        13 => {
            digits.iter().zip([1, 3].iter().cycle()).map(|(digit, weight)| digit * weight).sum::<u32>() % 10
                == 0
        }
        _ => false,
    }
}

fn is_ssn(text: &str) -> bool {
    let parts: Vec<&str> = text.split(['-', ' ']).collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    lengths == [3, 2, 4] && parts.iter().all(|part| part.bytes().all(|byte| byte.is_ascii_digit()))
}

/// A number whose last digit checks the others.
fn is_credit_card(text: &str) -> bool {
    let digits: Vec<u32> =
        text.chars().filter(|c| !matches!(c, '-' | ' ')).filter_map(|c| c.to_digit(10)).collect();
    let doubled = |digit: u32| if digit > 4 { digit * 2 - 9 } else { digit * 2 };
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, digit)| if at % 2 == 1 { doubled(*digit) } else { *digit })
        .sum();
    (13..=19).contains(&digits.len()) && sum.is_multiple_of(10)
}

fn is_cidr(text: &str) -> bool {
    let Some((address, bits)) = text.split_once('/') else { return false };
    let bits: Option<u32> = digits(bits, bits.len().clamp(1, 3), 128);
    let is_v4 = address.parse::<Ipv4Addr>().is_ok() && bits.is_some_and(|bits| bits <= 32);
    is_v4 || (address.parse::<Ipv6Addr>().is_ok() && bits.is_some())
}

fn is_mac(text: &str) -> bool {
    let dotted: Vec<&str> = text.split('.').collect();
    if matches!(dotted.len(), 3 | 4 | 10) {
        return dotted
            .iter()
            .all(|part| part.len() == 4 && part.bytes().all(|byte| byte.is_ascii_hexdigit()));
    }
    let parts: Vec<&str> = text.split([':', '-']).collect();
    let is_byte = |part: &&str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    matches!(parts.len(), 6 | 8 | 20) && parts.iter().all(is_byte)
}

fn is_hostname(text: &str) -> bool {
    let is_label = |label: &str| {
        let ends = label.as_bytes();
        let is_end = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
        label.len() <= 63
            && is_end(ends.first())
            && is_end(ends.last())
            && ends.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
    };
    // An address is none: the last label has to have a letter.
    let has_letter =
        text.rsplit('.').next().is_some_and(|last| last.bytes().any(|byte| byte.is_ascii_alphabetic()));
    text.len() <= 255 && has_letter && text.split('.').all(is_label)
}

fn is_uuid(text: &str) -> bool {
    let hex: Vec<u8> = text.bytes().filter(|byte| *byte != b'-').collect();
    hex.len() == 32 && hex.iter().all(u8::is_ascii_hexdigit)
}

#[cfg(test)]
mod tests {
    use super::Format;

    #[test]
    fn formats_hold_and_do_not() {
        let cases = [
            ("date-time", "2026-01-31T12:00:00.25+01:00", "2026-02-30T12:00:00Z"),
            ("date", "2024-02-29", "2023-02-29"),
            ("ipv4", "10.0.0.1", "10.0.0.256"),
            ("ipv6", "fd00::1", "10.0.0.1"),
            ("cidr", "10.0.0.0/8", "10.0.0.0/33"),
            ("mac", "0a:1b:2c:3d:4e:5f", "0a:1b"),
            ("hostname", "a.example.com", "-a.example.com"),
            ("uuid", "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "6ba7b810"),
            ("duration", "1h30m", "soon"),
            ("duration", "5 minutes", "1.5 hours"),
            ("duration", "1d3h", "5 m 3"),
            ("email", "a@example.com", "a"),
            ("uri", "https://example.com/a", "example"),
            ("uuid4", "6ba7b810-9dad-41d1-80b4-00c04fd430c8", "6ba7b810-9dad-11d1-80b4-00c04fd430c8"),
            ("hexcolor", "#0af", "red"),
            ("rgbcolor", "rgb(1,2,3)", "rgb(1,2,300)"),
            ("isbn", "978-3-16-148410-0", "123"),
            ("ssn", "123-45-6789", "1234"),
            ("creditcard", "4111111111111111", "1234"),
            ("bsonobjectid", "507f1f77bcf86cd799439011", "507f"),
            ("mac", "0a1b.2c3d.4e5f", "0a1b.2c3d"),
            ("ipv4", "010.0.0.1", "1.2.3"),
            ("byte", "aGk=", "aGk"),
        ];
        for (name, right, wrong) in cases {
            let format = Format::named(name).unwrap();
            assert!(format.holds(right), "{name}: {right}");
            assert!(!format.holds(wrong), "{name}: {wrong}");
        }
        assert_eq!(Format::named("password"), None);
    }
}
