//! Numbers and timestamps: from the spelling of the source to the spelling of the output. A number goes through a 64-bit
//! integer or float, JSON, and back; a timestamp becomes a string.

use compact_str::{CompactString, ToCompactString, format_compact};

/// Writes an integer as it comes out: decimal when it fits into 64 bits, else as a float.
#[must_use]
pub(crate) fn integer(text: &str) -> Option<CompactString> {
    if is_canonical(text) {
        return Some(CompactString::new(text));
    }
    let plain = text.replace('_', "");
    match go_integer(&plain) {
        Some(value) => Some(value.to_compact_string()),
        None => go_float(&plain).map(float_text),
    }
}

/// Whether a text is a decimal that is written back as it stands.
fn is_canonical(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let all_digits = !digits.is_empty() && digits.len() <= 18 && digits.bytes().all(|b| b.is_ascii_digit());
    all_digits && (!digits.starts_with('0') || text == "0")
}

/// Reads an integer as Go does with base 0 (`0x`, `0o`, `0b` and a leading zero for octal); it has to fit into a signed
/// or unsigned 64-bit number.
#[must_use]
pub(crate) fn go_integer(text: &str) -> Option<i128> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &digits[2..]),
        [b'0', b'o' | b'O', ..] => (8, &digits[2..]),
        [b'0', b'b' | b'B', ..] => (2, &digits[2..]),
        [b'0', _, ..] => (8, &digits[1..]),
        _ => (10, digits),
    };
    if digits.is_empty() || !digits.bytes().all(|b| char::from(b).is_digit(radix)) {
        return None;
    }
    let value = i128::from_str_radix(digits, radix).ok()?;
    let value = if negative { -value } else { value };
    (value >= i128::from(i64::MIN) && value <= i128::from(u64::MAX)).then_some(value)
}

/// Reads a float in decimal notation; none when it is no number or too large.
#[must_use]
pub(crate) fn go_float(text: &str) -> Option<f64> {
    let value: f64 = text.parse().ok()?;
    let plain = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'));
    (plain && value.is_finite()).then_some(value)
}

/// Writes a float as it comes out: as an integer when it is one that JSON writes without an exponent and that fits into
/// 64 bits, else in the shortest form with Go's rules for the exponent.
#[must_use]
pub(crate) fn float(text: &str) -> Option<CompactString> {
    go_float(&text.replace('_', "")).map(float_text)
}

fn float_text(value: f64) -> CompactString {
    if value.fract() == 0.0 && value.abs() < 1e21 {
        // JSON has all digits of it; only a number that fits into 64 bits is read back as an integer.
        let digits = shortest_digits(value);
        let fits = |whole: i128| whole >= i128::from(i64::MIN) && whole <= i128::from(u64::MAX);
        if digits.parse().is_ok_and(fits) {
            return digits;
        }
    }
    go_shortest(value)
}

/// The shortest digits that read back as this integral float, padded with zeros.
fn shortest_digits(value: f64) -> CompactString {
    let text = format_compact!("{value}");
    if text == "-0" { CompactString::const_new("0") } else { text }
}

/// Go's `FormatFloat(value, 'g', -1, 64)`.
fn go_shortest(value: f64) -> CompactString {
    let scientific = format_compact!("{value:e}");
    let Some((mantissa, exponent)) = scientific.split_once('e') else { return scientific };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..6).contains(&exponent) {
        return format_compact!("{value}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format_compact!("{mantissa}e{sign}{:02}", exponent.abs())
}

/// A float as Go's encoding/json writes it.
#[must_use]
pub(crate) fn json_float(value: f64) -> CompactString {
    if value == 0.0 || (1e-6..1e21).contains(&value.abs()) {
        return format_compact!("{value}");
    }
    let scientific = format_compact!("{value:e}");
    match scientific.split_once('e') {
        Some((mantissa, exponent)) if !exponent.starts_with('-') => format_compact!("{mantissa}e+{exponent}"),
        _ => scientific,
    }
}

/// A moment as YAML timestamps write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Moment<'a> {
    date: [u32; 3],
    time: [u32; 3],
    /// The digits of the fraction of a second, without trailing zeros, at most nine.
    fraction: &'a str,
    /// Offset in minutes; none for UTC.
    offset: i32,
}

/// Reads a timestamp and writes it as RFC 3339, which is how it comes out as a string.
#[must_use]
pub(crate) fn timestamp(text: &str) -> Option<CompactString> {
    let Moment { date: [year, month, day], time: [hour, minute, second], fraction, offset } = moment(text)?;
    let dot = if fraction.is_empty() { "" } else { "." };
    let zone = match offset {
        0 => CompactString::const_new("Z"),
        _ => {
            let sign = if offset < 0 { '-' } else { '+' };
            format_compact!("{sign}{:02}:{:02}", offset.abs() / 60, offset.abs() % 60)
        }
    };
    let stamp =
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{dot}{fraction}{zone}");
    Some(CompactString::from(stamp))
}

/// The formats that Go's YAML libraries try: a date; a date and time with a space and no zone; with `T` or `t` and a zone.
fn moment(text: &str) -> Option<Moment<'_>> {
    let year_end = text.bytes().take_while(u8::is_ascii_digit).count();
    if year_end != 4 {
        return None;
    }
    let year = text[..4].parse().ok()?;
    let (month, rest) = number_after(&text[4..], '-')?;
    let (day, rest) = number_after(rest, '-')?;
    let date = [year, month, day];
    if !(1..=12).contains(&month) || day == 0 || day > days_in(year, month) {
        return None;
    }
    if rest.is_empty() {
        return Some(Moment { date, time: [0; 3], fraction: "", offset: 0 });
    }
    let separator = rest.chars().next().filter(|c| matches!(c, 'T' | 't' | ' '))?;
    let (hour, rest) = number_after(rest, separator)?;
    let (minute, rest) = number_after(rest, ':')?;
    let (second, rest) = number_after(rest, ':')?;
    let (fraction, rest) = fraction_of(rest);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let offset = match (separator, rest) {
        (' ', "") | ('T' | 't', "Z") => 0,
        ('T' | 't', zone) => zone_offset(zone)?,
        _ => return None,
    };
    Some(Moment { date, time: [hour, minute, second], fraction, offset })
}

/// One or two digits behind a separator.
fn number_after(text: &str, separator: char) -> Option<(u32, &str)> {
    let rest = text.strip_prefix(separator)?;
    let digits = rest.bytes().take(2).take_while(u8::is_ascii_digit).count();
    Some((rest.get(..digits)?.parse().ok()?, &rest[digits..]))
}

/// The fraction behind the seconds, cut to nanoseconds and without trailing zeros.
fn fraction_of(text: &str) -> (&str, &str) {
    let Some(rest) = text.strip_prefix(['.', ',']) else { return ("", text) };
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    if digits == 0 {
        return ("", text);
    }
    (rest[..digits.min(9)].trim_end_matches('0'), &rest[digits..])
}

fn zone_offset(zone: &str) -> Option<i32> {
    let bytes = zone.as_bytes();
    let two = |at: usize| {
        zone.get(at..at + 2).filter(|t| t.bytes().all(|b| b.is_ascii_digit()))?.parse::<i32>().ok()
    };
    if bytes.len() != 6 || bytes[3] != b':' {
        return None;
    }
    let minutes = two(1)? * 60 + two(4)?;
    let valid = two(1)? <= 24 && two(4)? < 60;
    match bytes[0] {
        b'+' if valid => Some(minutes),
        b'-' if valid => Some(-minutes),
        _ => None,
    }
}

fn days_in(year: u32, month: u32) -> u32 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Whether a plain text would read as a timestamp.
#[must_use]
pub(crate) fn is_timestamp(text: &str) -> bool {
    moment(text).is_some()
}

#[cfg(test)]
mod tests {
    use super::{float, integer, is_timestamp, timestamp};

    #[test]
    fn integers_come_out_decimal() {
        let cases = [
            ("0x1F", "31"),
            ("0o14", "12"),
            ("014", "12"),
            ("0b101", "5"),
            ("1_000", "1000"),
            ("+5", "5"),
            ("-0", "0"),
            ("18446744073709551615", "18446744073709551615"),
            ("12345678901234567890123", "1.2345678901234568e+22"),
        ];
        for (text, expected) in cases {
            assert_eq!(integer(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn floats_come_out_as_go_writes_them() {
        let cases = [
            ("1.0", "1"),
            ("1.10", "1.1"),
            ("1e3", "1000"),
            ("12345678.5", "1.23456785e+07"),
            ("123456.5", "123456.5"),
            ("1e20", "1e+20"),
            ("1e21", "1e+21"),
            ("0.0001", "0.0001"),
            ("0.00001", "1e-05"),
            ("-1.5e-9", "-1.5e-09"),
            ("-9223372036854775809.0", "-9.223372036854776e+18"),
            ("9223372036854775809.0", "9223372036854776000"),
        ];
        for (text, expected) in cases {
            assert_eq!(float(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn timestamps_come_out_as_rfc_3339() {
        assert_eq!(timestamp("2001-01-01").as_deref(), Some("2001-01-01T00:00:00Z"));
        assert_eq!(timestamp("2001-12-14t21:59:43.10-05:00").as_deref(), Some("2001-12-14T21:59:43.1-05:00"));
        assert_eq!(timestamp("2001-12-14 21:59:43").as_deref(), Some("2001-12-14T21:59:43Z"));
        assert!(!is_timestamp("2001-13-01"));
        assert!(!is_timestamp("2001-02-30"));
        assert!(!is_timestamp("2001-01"));
    }
}
