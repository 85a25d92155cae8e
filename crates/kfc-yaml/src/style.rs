//! Which style a string is written in: what Go's YAML v2 library and the libyaml rules below it choose.

use crate::number::{
    go_float, go_integer, is_float_notation, is_point_float, is_timestamp, without_underscores,
};

/// Bytes up to which a key is on one line with its value.
pub(crate) const LONGEST_SIMPLE_KEY: usize = 128;

/// How a scalar is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    Plain,
    SingleQuoted,
    DoubleQuoted,
    Literal,
}

/// What one pass over the bytes of a text says about its style.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// ASCII that is written plain.
    Plain,
    /// ASCII of several lines that is written as a literal block.
    Literal,
    /// [`choose`] has to look closer.
    Unsure,
}

// Classes of bytes. The shifts matter: see `Scan::short`.
/// Neither printable ASCII nor a line feed.
const ODD: u8 = 1;
const COLON: u8 = 1 << 1;
const SPACE: u8 = 1 << 2;
const HASH: u8 = 1 << 3;
const BREAK: u8 = 1 << 4;
/// May begin a plain scalar that is not a number.
const START: u8 = 1 << 5;

const CLASSES: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut table = [ODD; 256];
    let mut byte: u8 = 0x21;
    while byte < 0x7F {
        let starts = byte.is_ascii_alphabetic() || matches!(byte, b'/' | b'$' | b'(' | b'_' | b'^');
        table[byte as usize] = if starts { START } else { 0 };
        byte += 1;
    }
    table[b' ' as usize] = SPACE;
    table[b':' as usize] = COLON;
    table[b'#' as usize] = HASH;
    table[b'\n' as usize] = BREAK;
    table
}

/// Bytes that are looked at at once in a text that is not long.
const WORD: usize = size_of::<u64>();

/// Bytes from which on the scan that compilers can vectorise is the faster one.
const LONG: usize = 32;

/// Bytes of the longest word that is not a string.
const LONGEST_WORD: usize = 5;

/// The shape of a text.
pub(crate) fn shape(text: &str) -> Shape {
    let bytes = text.as_bytes();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else { return Shape::Unsure };
    let scan = match bytes.len() {
        ..WORD => Scan::short(bytes),
        WORD..LONG => Scan::medium(bytes),
        LONG.. => Scan::long(bytes),
    };
    if scan.odd || *last == b' ' {
        return Shape::Unsure;
    }
    if scan.breaks {
        return if scan.space_before_break { Shape::Unsure } else { Shape::Literal };
    }
    let starts_well = CLASSES[usize::from(*first)] & START != 0;
    let is_word = bytes.len() <= LONGEST_WORD && resolves_to_word(text);
    if !starts_well || *last == b':' || scan.indicators || is_word { Shape::Unsure } else { Shape::Plain }
}

#[expect(clippy::struct_excessive_bools, reason = "they are independent facts about one text")]
#[derive(Default)]
struct Scan {
    /// Whether there are bytes that are neither printable ASCII nor line feeds.
    odd: bool,
    breaks: bool,
    space_before_break: bool,
    /// Whether there is `: ` or ` #`.
    indicators: bool,
}

impl Scan {
    /// Looks at eight bytes at a time first: most texts are words without anything special.
    fn medium(bytes: &[u8]) -> Self {
        let (words, _) = bytes.as_chunks::<8>();
        let last = bytes.last_chunk::<8>().copied().unwrap_or_default();
        let clean = words.iter().chain([&last]).all(|word| is_clean(u64::from_le_bytes(*word)));
        if clean { Self::default() } else { Self::short(bytes) }
    }

    /// Looks up the class of each byte. A colon's class shifted by one is that of a space, a space's that of a hash, and
    /// a space's shifted by two that of a break, so that pairs show without a branch.
    fn short(bytes: &[u8]) -> Self {
        let (mut seen, mut pairs, mut before_break, mut previous) = (0, 0, 0, 0);
        for byte in bytes {
            let class = CLASSES[usize::from(*byte)];
            seen |= class;
            pairs |= (previous << 1) & class;
            before_break |= (previous << 2) & class;
            previous = class;
        }
        Self {
            odd: seen & ODD != 0,
            breaks: seen & BREAK != 0,
            space_before_break: before_break & BREAK != 0,
            indicators: pairs & (SPACE | HASH) != 0,
        }
    }

    /// Compares each byte with the next one, in a form that compilers turn into vector instructions.
    fn long(bytes: &[u8]) -> Self {
        let is = |condition: bool| u8::from(condition);
        let is_odd = |byte: u8| is(byte.wrapping_sub(0x20) >= 0x5F) & is(byte != b'\n');
        let (last, next_ones) = (bytes.last().copied().unwrap_or(0), bytes.get(1..).unwrap_or_default());
        let (mut odd, mut breaks, mut before_break, mut indicators) = (is_odd(last), is(last == b'\n'), 0, 0);
        for (&byte, &next) in bytes.iter().zip(next_ones) {
            odd |= is_odd(byte);
            breaks |= is(byte == b'\n');
            before_break |= is(byte == b' ') & is(next == b'\n');
            indicators |= is(byte == b':') & is(next == b' ') | is(byte == b' ') & is(next == b'#');
        }
        let [odd, breaks, space_before_break, indicators] =
            [odd, breaks, before_break, indicators].map(|found| found != 0);
        Self { odd, breaks, space_before_break, indicators }
    }
}

/// Whether eight bytes are printable ASCII with neither a space nor a colon nor a hash. Works on all of them at once: a
/// subtraction borrows into the high bit of a byte that is too small.
fn is_clean(word: u64) -> bool {
    const ONES: u64 = u64::MAX / 0xFF;
    const HIGH: u64 = ONES * 0x80;
    let less_than = |word: u64, bound: u8| word.wrapping_sub(ONES * u64::from(bound)) & !word;
    let equals = |byte: u8| less_than(word ^ (ONES * u64::from(byte)), 1);
    let found = word | less_than(word, 0x21) | equals(0x7F) | equals(b':') | equals(b'#');
    found & HIGH == 0
}

/// Whether a string is written without quotes and not as a block.
#[must_use]
pub fn is_written_plain(text: &str) -> bool {
    shape(text) == Shape::Plain || choose(text, false) == Style::Plain
}

/// Chooses the style of a string. `key` is set for the key of a mapping that fits on one line.
pub(crate) fn choose(text: &str, key: bool) -> Style {
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
pub(crate) fn is_simple_key(text: &str) -> bool {
    text.len() <= LONGEST_SIMPLE_KEY && !text.contains(is_break)
}

/// Words that are null, booleans, infinities or not-a-number in YAML 1.1.
#[rustfmt::skip]
fn resolves_to_word(text: &str) -> bool {
    matches!(
        text,
        "" | "~" | "null" | "Null" | "NULL"
            | "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON"
            | "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF"
            | ".nan" | ".NaN" | ".NAN" | ".inf" | ".Inf" | ".INF"
            | "+.inf" | "+.Inf" | "+.INF" | "-.inf" | "-.Inf" | "-.INF"
    )
}

/// Whether a plain text would read as something else than a string, or as a base-60 number in older readers.
fn resolves_to_other(text: &str) -> bool {
    if resolves_to_word(text) {
        return true;
    }
    match text.as_bytes().first() {
        Some(b'.') => is_point_float(text),
        Some(b'+' | b'-' | b'0'..=b'9') => is_number_or_date(text),
        _ => false,
    }
}

fn is_number_or_date(text: &str) -> bool {
    if is_timestamp(text) || is_base_60(text) {
        return true;
    }
    let plain = without_underscores(text);
    let is_float = || is_float_notation(&plain) && go_float(&plain).is_some();
    go_integer(&plain).is_some() || is_float() || is_binary(&plain)
}

/// `1:20`, `-190:20:30.15`.
fn is_base_60(text: &str) -> bool {
    let text = text.strip_prefix(['+', '-']).unwrap_or(text);
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit() || b == b'_');
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let Some((first, rest)) = whole.split_once(':') else { return false };
    let is_sixtieth = |part: &str| match part.as_bytes() {
        [ones] => ones.is_ascii_digit(),
        [tens, ones] => (b'0'..=b'5').contains(tens) && ones.is_ascii_digit(),
        _ => false,
    };
    first.starts_with(|c: char| c.is_ascii_digit())
        && digits(first)
        && digits(fraction)
        && rest.split(':').all(is_sixtieth)
}

/// `0b+1`: what is left of binary notation when Go's integer reader has refused it.
fn is_binary(text: &str) -> bool {
    let digits = text.strip_prefix("0b").or_else(|| text.strip_prefix("-0b"));
    digits.is_some_and(|digits| i64::from_str_radix(digits, 2).is_ok())
}

/// What the characters of a text allow.
#[expect(clippy::struct_excessive_bools, reason = "they are independent facts about one text")]
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
    let is_edge = |c: char| c == ' ' || is_break(c);
    let edge = text.starts_with(is_edge) || text.ends_with(is_edge);
    let quotable = !space_break && !special;
    Allowed {
        plain: quotable && !edge && !break_space && !breaks && !indicators,
        single: quotable && !break_space,
        block: quotable && !text.ends_with(' '),
        several_lines: breaks,
    }
}

/// Whether a text holds characters that would make a plain scalar of it something else.
#[rustfmt::skip]
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
pub(crate) fn is_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// What libyaml writes unescaped: characters outside the basic plane, tabs and byte order marks are not among it.
pub(crate) fn is_printable(c: char) -> bool {
    matches!(c, '\n' | ' '..='~' | '\u{A0}'..='\u{D7FF}' | '\u{E000}'..='\u{FEFE}' | '\u{FF00}'..='\u{FFFD}')
}

/// What follows the backslash of an escaped character.
pub(crate) fn escape(c: char) -> String {
    let letter = match c {
        '\0' => '0',
        '\u{7}' => 'a',
        '\u{8}' => 'b',
        '\t' => 't',
        '\n' => 'n',
        '\u{b}' => 'v',
        '\u{c}' => 'f',
        '\r' => 'r',
        '\u{1b}' => 'e',
        '"' => '"',
        '\\' => '\\',
        '\u{85}' => 'N',
        '\u{a0}' => '_',
        '\u{2028}' => 'L',
        '\u{2029}' => 'P',
        other => {
            return match u32::from(other) {
                code @ ..=0xFF => format!("x{code:02X}"),
                code @ ..=0xFFFF => format!("u{code:04X}"),
                code => format!("U{code:08X}"),
            };
        }
    };
    letter.to_string()
}
