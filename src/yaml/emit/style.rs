//! Which style a string is written in: what Go's YAML v2 library and the libyaml rules below it choose.

use super::number::{go_float, go_integer, is_timestamp};

/// How a scalar is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    SingleQuoted,
    DoubleQuoted,
    Literal,
}

/// What a character means for the choice, for the bytes of ASCII.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Fine anywhere in a plain scalar.
    Safe,
    Space,
    Colon,
    Hash,
    /// Everything that needs the full analysis.
    Other,
}

const CLASSES: [Class; 256] = classes();

const fn classes() -> [Class; 256] {
    let mut table = [Class::Other; 256];
    let mut byte = 0x21;
    while byte < 0x7F {
        table[byte] = Class::Safe;
        byte += 1;
    }
    table[b' ' as usize] = Class::Space;
    table[b':' as usize] = Class::Colon;
    table[b'#' as usize] = Class::Hash;
    table
}

/// Whether a text can be written plain as it stands, decided in one pass over its bytes. False only means that
/// [`choose`] has to look closer.
pub(super) fn is_surely_plain(text: &str) -> bool {
    let bytes = text.as_bytes();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else { return false };
    let starts_well = first.is_ascii_alphabetic() || matches!(first, b'/' | b'$' | b'(' | b'_' | b'^');
    if !starts_well || *last == b' ' || *last == b':' {
        return false;
    }
    let mut previous = *first;
    for (index, byte) in bytes.iter().enumerate() {
        match CLASSES[usize::from(*byte)] {
            Class::Safe | Class::Space => {}
            Class::Colon if bytes.get(index + 1) != Some(&b' ') => {}
            Class::Hash if previous != b' ' => {}
            _ => return false,
        }
        previous = *byte;
    }
    !(bytes.len() <= 5 && resolves_to_word(text))
}

/// Chooses the style of a string. `key` is set for the key of a mapping that fits on one line.
pub(super) fn choose(text: &str, key: bool) -> Style {
    let allowed = analyse(text);
    if text.contains('\n') {
        return if allowed.block && !key { Style::Literal } else { Style::DoubleQuoted };
    }
    if resolves_to_other(text) {
        return Style::DoubleQuoted;
    }
    if allowed.plain && !(key && allowed.several_lines) {
        Style::Plain
    } else if allowed.single && !(key && allowed.several_lines) {
        Style::SingleQuoted
    } else {
        Style::DoubleQuoted
    }
}

/// Whether a key is written in the short form `key: value`.
pub(super) fn is_simple_key(text: &str) -> bool {
    text.len() <= 128 && !text.contains(is_break)
}

/// Words that are null, booleans, infinities or not-a-number in YAML 1.1.
fn resolves_to_word(text: &str) -> bool {
    matches!(
        text,
        "" | "~"
            | "null"
            | "Null"
            | "NULL"
            | "y"
            | "Y"
            | "yes"
            | "Yes"
            | "YES"
            | "true"
            | "True"
            | "TRUE"
            | "on"
            | "On"
            | "ON"
            | "n"
            | "N"
            | "no"
            | "No"
            | "NO"
            | "false"
            | "False"
            | "FALSE"
            | "off"
            | "Off"
            | "OFF"
            | ".nan"
            | ".NaN"
            | ".NAN"
            | ".inf"
            | ".Inf"
            | ".INF"
            | "+.inf"
            | "+.Inf"
            | "+.INF"
            | "-.inf"
            | "-.Inf"
            | "-.INF"
    )
}

/// Whether a plain text would read as something else than a string, or as a base-60 number in older readers.
fn resolves_to_other(text: &str) -> bool {
    if resolves_to_word(text) {
        return true;
    }
    match text.as_bytes().first() {
        Some(b'.') => go_float(text).is_some(),
        Some(b'+' | b'-' | b'0'..=b'9') => is_number_or_date(text),
        _ => false,
    }
}

fn is_number_or_date(text: &str) -> bool {
    if is_timestamp(text) || is_base_60(text) {
        return true;
    }
    let plain = text.replace('_', "");
    go_integer(&plain).is_some()
        || (is_float_notation(&plain) && go_float(&plain).is_some())
        || is_binary(&plain)
}

/// `1:20`, `-190:20:30.15`.
fn is_base_60(text: &str) -> bool {
    let text = text.strip_prefix(['+', '-']).unwrap_or(text);
    let whole = match text.split_once('.') {
        Some((whole, fraction)) if fraction.bytes().all(|b| b.is_ascii_digit() || b == b'_') => whole,
        Some(_) => return false,
        None => text,
    };
    let mut parts = whole.split(':');
    let first_fits = parts.next().is_some_and(|first| {
        first.starts_with(|c: char| c.is_ascii_digit())
            && first.bytes().all(|b| b.is_ascii_digit() || b == b'_')
    });
    let mut rest = parts.peekable();
    first_fits
        && rest.peek().is_some()
        && rest.all(|part| match part.as_bytes() {
            [d] => d.is_ascii_digit(),
            [tens, d] => (b'0'..=b'5').contains(tens) && d.is_ascii_digit(),
            _ => false,
        })
}

/// `1`, `1.`, `.5`, `1.5e+3`: digits before or behind the point, then perhaps an exponent.
fn is_float_notation(text: &str) -> bool {
    let text = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let mantissa_fits = match mantissa.split_once('.') {
        Some((whole, fraction)) => {
            digits(whole) && digits(fraction) && !(whole.is_empty() && fraction.is_empty())
        }
        None => !mantissa.is_empty() && digits(mantissa),
    };
    let exponent_fits = exponent.is_none_or(|e| {
        let e = e.strip_prefix(['+', '-']).unwrap_or(e);
        !e.is_empty() && digits(e)
    });
    mantissa_fits && exponent_fits
}

/// `0b+1`: what is left of binary notation when Go's integer reader has refused it.
fn is_binary(text: &str) -> bool {
    let digits = text.strip_prefix("0b").or_else(|| text.strip_prefix("-0b"));
    digits.is_some_and(|digits| i64::from_str_radix(digits, 2).is_ok())
}

/// What the characters of a text allow.
struct Allowed {
    plain: bool,
    single: bool,
    block: bool,
    several_lines: bool,
}

/// libyaml's analysis of a scalar, for block context.
fn analyse(text: &str) -> Allowed {
    if text.is_empty() {
        return Allowed { plain: true, single: true, block: false, several_lines: false };
    }
    let indicators = has_indicators(text);
    let (mut special, mut breaks, mut space_break, mut break_space) = (false, false, false, false);
    let mut previous = None;
    for c in text.chars() {
        special |= !is_printable(c);
        breaks |= is_break(c);
        space_break |= is_break(c) && previous == Some(' ');
        break_space |= c == ' ' && previous.is_some_and(is_break);
        previous = Some(c);
    }
    let edge = text.starts_with(' ')
        || text.ends_with(' ')
        || text.starts_with(is_break)
        || text.ends_with(is_break);
    let quotable = !space_break && !special;
    Allowed {
        plain: quotable && !edge && !break_space && !breaks && !indicators,
        single: quotable && !break_space,
        block: quotable && !text.ends_with(' '),
        several_lines: breaks,
    }
}

/// Whether a text holds characters that would make a plain scalar of it something else.
fn has_indicators(text: &str) -> bool {
    let bytes = text.as_bytes();
    let blank_at = |at: usize| bytes.get(at).is_none_or(|b| matches!(b, b' ' | b'\t'));
    let first = match bytes.first() {
        Some(
            b'#' | b',' | b'[' | b']' | b'{' | b'}' | b'&' | b'*' | b'!' | b'|' | b'>' | b'\'' | b'"' | b'%'
            | b'@' | b'`',
        ) => true,
        Some(b'?' | b':' | b'-') => blank_at(1),
        _ => false,
    };
    if first || text.starts_with("---") || text.starts_with("...") {
        return true;
    }
    bytes.iter().enumerate().skip(1).any(|(at, byte)| match byte {
        b':' => blank_at(at + 1),
        b'#' => is_blank_or_break_before(text, at),
        _ => false,
    })
}

fn is_blank_or_break_before(text: &str, at: usize) -> bool {
    text[..at].chars().next_back().is_some_and(|c| c == ' ' || c == '\t' || c == '\0' || is_break(c))
}

/// The line breaks of YAML 1.1.
pub(super) fn is_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// What libyaml writes unescaped: characters outside the basic plane, tabs and byte order marks are not among it.
pub(super) fn is_printable(c: char) -> bool {
    matches!(c, '\n' | ' '..='~' | '\u{A0}'..='\u{D7FF}' | '\u{E000}'..='\u{FEFE}' | '\u{FF00}'..='\u{FFFD}')
}

/// Characters that kustomize fails on: Go's JSON writes them as they are and its YAML reader refuses them.
pub(super) fn is_refused(c: char) -> bool {
    matches!(c, '\u{7F}'..='\u{84}' | '\u{86}'..='\u{9F}' | '\u{FFFE}' | '\u{FFFF}')
}
