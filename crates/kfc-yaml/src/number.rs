//! Numbers and timestamps: from the spelling of the source to the spelling of the output. A number goes through a 64-bit
//! integer or float, JSON, and back; a timestamp becomes a string.

use compact_str::{CompactString, ToCompactString, format_compact};
use std::borrow::Cow;

/// Writes an integer as it comes out: decimal when it fits into 64 bits, else as a float; none when the text is not an integer.
#[must_use]
pub fn integer(text: &str) -> Option<CompactString> {
    if is_canonical(text) {
        return Some(CompactString::new(text));
    }
    match read_integer(text)? {
        Number::Integer(value) => Some(value.to_compact_string()),
        Number::Float(value) => Some(float_text(value)),
    }
}

/// Writes a float as it comes out; none when the text is not a number, or an infinite one.
#[must_use]
pub fn float(text: &str) -> Option<CompactString> {
    read_float(text).map(float_text)
}

/// A number of either kind as Go's YAML library writes it after Go read it from JSON: always a float, in the format `g`;
/// none when JSON has no form for it.
#[must_use]
pub fn float_from_json(text: &str) -> Option<CompactString> {
    let value = match read_integer(text) {
        #[allow(clippy::cast_precision_loss, reason = "as Go, which reads all numbers of JSON as floats")]
        Some(Number::Integer(value)) => value as f64,
        Some(Number::Float(value)) => value,
        None => read_float(text)?,
    };
    Some(Decimal::shortest(value).general())
}

/// Writes a number of either kind as Go's encoding/json does; none when JSON has no form for it.
#[must_use]
pub fn json_number(text: &str, is_float: bool) -> Option<CompactString> {
    if is_float {
        return read_float(text).map(json_float);
    }
    match read_integer(text)? {
        Number::Integer(value) => Some(value.to_compact_string()),
        Number::Float(value) => Some(json_float(value)),
    }
}

/// Whether a text is a decimal that is written back as it is.
pub(crate) fn is_canonical(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let all_digits = !digits.is_empty() && digits.len() <= 18 && digits.bytes().all(|b| b.is_ascii_digit());
    all_digits && (!digits.starts_with('0') || text == "0")
}

enum Number {
    Integer(i128),
    Float(f64),
}

fn read_integer(text: &str) -> Option<Number> {
    let plain = without_underscores(text);
    if let Some(value) = go_integer(&plain) {
        return Some(Number::Integer(value));
    }
    let digits = plain.strip_prefix(['+', '-']).unwrap_or(&plain);
    let decimal = digits.bytes().all(|b| b.is_ascii_digit());
    go_float(&plain).filter(|_| decimal).map(Number::Float)
}

fn read_float(text: &str) -> Option<f64> {
    let plain = without_underscores(text);
    // Go reads an integer first, too (`014` is 12).
    #[allow(clippy::cast_precision_loss, reason = "Go rounds an integer in the same way")]
    let integer = go_integer(&plain).map(|value| value as f64);
    integer.or_else(|| go_float(&plain))
}

pub(crate) fn without_underscores(text: &str) -> Cow<'_, str> {
    if text.contains('_') { text.replace('_', "").into() } else { text.into() }
}

/// Reads an integer as Go does with base 0 (`0x`, `0o`, `0b` and a leading zero for octal); it has to fit into a signed
/// or, when it has no sign, an unsigned 64-bit number.
#[must_use]
pub fn go_integer(text: &str) -> Option<i128> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => (Some(-1), &text[1..]),
        b'+' => (Some(1), &text[1..]),
        _ => (None, text),
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
    let value = i128::from_str_radix(digits, radix).ok()? * sign.unwrap_or(1);
    let largest = if sign.is_some() { i128::from(i64::MAX) } else { i128::from(u64::MAX) };
    (i128::from(i64::MIN)..=largest).contains(&value).then_some(value)
}

/// Reads a float in decimal notation; none when it is not a number or too large.
#[must_use]
pub fn go_float(text: &str) -> Option<f64> {
    let plain = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'));
    if !plain {
        return None;
    }
    text.parse().ok().filter(|value: &f64| value.is_finite())
}

/// Whether a text that begins with a point is a float: Go ignores underscores in it if they are between digits.
#[must_use]
pub(crate) fn is_point_float(text: &str) -> bool {
    let is_digit =
        |at: Option<usize>| at.and_then(|at| text.as_bytes().get(at)).is_some_and(u8::is_ascii_digit);
    let separates = |at: usize| is_digit(at.checked_sub(1)) && is_digit(Some(at + 1));
    text.match_indices('_').all(|(at, _)| separates(at)) && go_float(&without_underscores(text)).is_some()
}

/// An integer as the text of a key, as sigs.k8s.io/yaml writes it; none beyond 63 bits.
#[must_use]
pub fn go_integer_key(text: &str) -> Option<CompactString> {
    match read_integer(text)? {
        Number::Integer(value) => i64::try_from(value).ok().map(|value| value.to_compact_string()),
        Number::Float(_) => go_float_key(text),
    }
}

/// A float as the text of a key, as sigs.k8s.io/yaml writes it: with the digits of a 32-bit float.
#[must_use]
pub fn go_float_key(text: &str) -> Option<CompactString> {
    let Some(value) = read_float(text) else {
        // `.inf`, `-.Inf`, `.NAN`
        let word = text.strip_prefix('+').unwrap_or(text).to_ascii_lowercase();
        return matches!(word.as_str(), ".inf" | "-.inf" | ".nan").then(|| word.into());
    };
    #[allow(clippy::cast_possible_truncation, reason = "as Go, which writes what is left of it")]
    let value = value as f32;
    if value.is_infinite() {
        return Some(CompactString::const_new(if value > 0.0 { ".inf" } else { "-.inf" }));
    }
    Some(Decimal::read(&format_compact!("{:e}", value.abs()), value.is_sign_negative()).general())
}

/// `1`, `1.`, `.5`, `1.5e+3`: digits before or after the point, then perhaps an exponent.
#[must_use]
pub(crate) fn is_float_notation(text: &str) -> bool {
    let text = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mantissa_fits = digits(whole) && digits(fraction) && !(whole.is_empty() && fraction.is_empty());
    let exponent_fits = exponent.is_none_or(|exponent| {
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        !exponent.is_empty() && digits(exponent)
    });
    mantissa_fits && exponent_fits
}

/// A float as it comes out of JSON: as an integer when JSON writes it without point and exponent and it fits into 64
/// bits, else with Go's format `g`.
fn float_text(value: f64) -> CompactString {
    let json = json_float(value);
    match go_integer(&json) {
        Some(whole) => whole.to_compact_string(),
        None => Decimal::shortest(value).general(),
    }
}

/// A float as Go's encoding/json writes it.
fn json_float(value: f64) -> CompactString {
    let decimal = Decimal::shortest(value);
    if value == 0.0 || (1e-6..1e21).contains(&value.abs()) { decimal.fixed() } else { decimal.scientific(1) }
}

/// A finite float in decimal: ± d.ddd × 10^exponent, with the fewest digits that read back as the same float.
struct Decimal {
    negative: bool,
    digits: CompactString,
    exponent: i32,
}

impl Decimal {
    fn shortest(value: f64) -> Self {
        let text = format_compact!("{:e}", value.abs());
        let digits = text.bytes().take_while(|b| *b != b'e').filter(u8::is_ascii_digit).count();
        // Between two shortest forms that are equally near, Go takes the even one.
        let even = format_compact!("{:.*e}", digits.saturating_sub(1), value.abs());
        let text = if even != text && even.parse() == Ok(value.abs()) { even } else { text };
        Self::read(&text, value.is_sign_negative())
    }

    /// Reads `d.ddde±n`.
    fn read(text: &str, negative: bool) -> Self {
        let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
        let digits = mantissa.chars().filter(char::is_ascii_digit).collect();
        Self { negative, digits, exponent: exponent.parse().unwrap_or(0) }
    }

    fn sign(&self) -> &'static str {
        if self.negative { "-" } else { "" }
    }

    /// Go's format `g` with the fewest digits.
    fn general(&self) -> CompactString {
        if (-4..6).contains(&self.exponent) { self.fixed() } else { self.scientific(2) }
    }

    /// Without an exponent.
    fn fixed(&self) -> CompactString {
        let sign = self.sign();
        let digits = self.digits.as_str();
        // Digits before the point; not positive for numbers below one.
        let Ok(whole) = usize::try_from(self.exponent + 1) else {
            let zeros = self.exponent.unsigned_abs() as usize - 1;
            return format_compact!("{sign}0.{:0>zeros$}{digits}", "");
        };
        match digits.split_at_checked(whole) {
            None | Some((_, "")) => format_compact!("{sign}{digits:0<whole$}"),
            Some(("", fraction)) => format_compact!("{sign}0.{fraction}"),
            Some((whole, fraction)) => format_compact!("{sign}{whole}.{fraction}"),
        }
    }

    /// With an exponent that has its sign and so many digits at least.
    fn scientific(&self, width: usize) -> CompactString {
        let (first, rest) = self.digits.split_at_checked(1).unwrap_or(("0", ""));
        let point = if rest.is_empty() { "" } else { "." };
        let (sign, exponent) = (self.sign(), self.exponent.abs());
        let exponent_sign = if self.exponent < 0 { '-' } else { '+' };
        format_compact!("{sign}{first}{point}{rest}e{exponent_sign}{exponent:0>width$}")
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
    // Go reads an offset of 24 hours but refuses to write it.
    if offset.abs() >= 24 * 60 {
        return None;
    }
    let dot = if fraction.is_empty() { "" } else { "." };
    let zone = if offset == 0 {
        CompactString::const_new("Z")
    } else {
        let sign = if offset < 0 { '-' } else { '+' };
        format_compact!("{sign}{:02}:{:02}", offset.abs() / 60, offset.abs() % 60)
    };
    let stamp =
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{dot}{fraction}{zone}");
    Some(CompactString::from(stamp))
}

/// The formats that Go's YAML libraries try: a date; a date and time with spaces between and no zone; with `T` or `t` and a zone.
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
    let rest = if separator == ' ' { rest.trim_start_matches(' ') } else { &rest[1..] };
    let (hour, rest) = number(rest)?;
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

/// One or two digits after a separator.
fn number_after(text: &str, separator: char) -> Option<(u32, &str)> {
    number(text.strip_prefix(separator)?)
}

/// One or two digits.
fn number(text: &str) -> Option<(u32, &str)> {
    let digits = text.bytes().take(2).take_while(u8::is_ascii_digit).count();
    Some((text.get(..digits)?.parse().ok()?, &text[digits..]))
}

/// The fraction after the seconds, cut to nanoseconds and without trailing zeros.
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
pub fn is_timestamp(text: &str) -> bool {
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
