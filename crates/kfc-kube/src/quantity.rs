//! Quantities: `100m`, `1.5Gi`, `2e3`, as the API server reads them.

use std::cmp::Ordering;

/// An amount of a resource.
#[derive(Clone, Copy, Debug)]
pub struct Quantity {
    value: f64,
    /// Mantissa and exponent of ten without trailing zeros: `1000m` is `1`, `1024Ki` is `1Mi`. `None` with more than 18 digits.
    exact: Option<(i128, i32)>,
}

impl Quantity {
    /// Reads a quantity; `None` for text that is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
        let end = unsigned.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(unsigned.len());
        let (amount, suffix) = unsigned.split_at(end);
        let (whole, part) = amount.split_once('.').unwrap_or((amount, ""));
        if part.contains('.') || (whole.is_empty() && part.is_empty()) {
            return None;
        }
        let (factor, exponent) = unit(suffix)?;
        let negative = text.starts_with('-');
        #[allow(clippy::cast_precision_loss, reason = "the greatest factor is a power of two")]
        let value = amount.parse::<f64>().ok()? * factor as f64 * 10_f64.powi(exponent);
        let exact = exact(whole, part, factor, exponent);
        Some(Self {
            value: if negative { -value } else { value },
            exact: exact.map(|(amount, exponent)| (if negative { -amount } else { amount }, exponent)),
        })
    }

    /// Its value, in the unit of the resource: bytes of memory, cores of CPU.
    #[must_use]
    pub const fn value(self) -> f64 {
        self.value
    }

    /// Which of two amounts is greater: exactly where both have 18 digits at most and similar exponents.
    #[must_use]
    pub fn compare(self, other: Self) -> Ordering {
        if self.is_same(other) {
            return Ordering::Equal;
        }
        let exactly =
            self.exact.zip(other.exact).and_then(|((amount, exponent), (other, other_exponent))| {
                let least = exponent.min(other_exponent);
                let scaled = |amount: i128, exponent: i32| {
                    amount.checked_mul(10_i128.checked_pow(u32::try_from(exponent - least).ok()?)?)
                };
                Some(scaled(amount, exponent)?.cmp(&scaled(other, other_exponent)?))
            });
        exactly.unwrap_or_else(|| self.value.total_cmp(&other.value))
    }

    /// Whether it is another spelling of the same amount. Two of more than 18 digits are not compared.
    #[must_use]
    pub fn is_same(self, other: Self) -> bool {
        self.exact.is_some() && self.exact == other.exact
    }
}

/// What a suffix stands for: a factor, and a power of ten.
fn unit(suffix: &str) -> Option<(i128, i32)> {
    Some(match suffix {
        "" => (1, 0),
        "n" => (1, -9),
        "u" => (1, -6),
        "m" => (1, -3),
        "k" => (1, 3),
        "M" => (1, 6),
        "G" => (1, 9),
        "T" => (1, 12),
        "P" => (1, 15),
        "E" => (1, 18),
        "Ki" => (1 << 10, 0),
        "Mi" => (1 << 20, 0),
        "Gi" => (1 << 30, 0),
        "Ti" => (1 << 40, 0),
        "Pi" => (1 << 50, 0),
        "Ei" => (1 << 60, 0),
        _ => {
            let power = suffix.strip_prefix(['e', 'E'])?.parse::<i32>().ok()?;
            (1, Some(power).filter(|power| power.abs() < 400)?)
        }
    })
}

fn exact(whole: &str, part: &str, factor: i128, exponent: i32) -> Option<(i128, i32)> {
    if whole.len() + part.len() > 18 {
        return None;
    }
    let mut exponent = exponent - i32::try_from(part.len()).ok()?;
    let mut amount = format!("{whole}{part}").parse::<i128>().ok()?.checked_mul(factor)?;
    if amount == 0 {
        return Some((0, 0));
    }
    while amount % 10 == 0 {
        amount /= 10;
        exponent += 1;
    }
    Some((amount, exponent))
}

#[cfg(test)]
mod tests {
    use super::Quantity;
    use std::cmp::Ordering;

    #[test]
    fn quantities_are_read_as_the_api_server_reads_them() {
        for (text, value) in [
            ("1", 1.0),
            ("100m", 0.1),
            ("1.5Gi", 1.5 * 1_073_741_824.0),
            ("2e3", 2000.0),
            (".5", 0.5),
            ("-1k", -1000.0),
            ("1E", 1e18),
            ("99999999999999999999", 1e20),
        ] {
            let found = Quantity::parse(text).map_or(f64::NAN, Quantity::value);
            assert!((found - value).abs() <= 1e-9 * value.abs(), "{text} is {found}");
        }
        for text in
            ["", "Gi", "1 Gi", "1GB", "1gi", "1.2.3", "--1", "1e", ".", "1K", "x", "1x", "20Gx", "1e999"]
        {
            assert!(Quantity::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn amounts_are_compared_by_what_they_are() {
        for (less, more) in
            [("999m", "1"), ("1G", "1Gi"), ("-1", "0"), ("1e-3", "1e300"), ("99999999999999999", "100e15")]
        {
            let (less, more) = (Quantity::parse(less).unwrap(), Quantity::parse(more).unwrap());
            assert_eq!((less.compare(more), more.compare(less)), (Ordering::Less, Ordering::Greater));
        }
        let (one, same) = (Quantity::parse("1Ki").unwrap(), Quantity::parse("1024").unwrap());
        assert_eq!(one.compare(same), Ordering::Equal);
    }

    #[test]
    fn other_spellings_are_the_same_amount() {
        let is_same = |a: &str, b: &str| {
            let (a, b) = (Quantity::parse(a), Quantity::parse(b));
            a.zip(b).is_some_and(|(a, b)| a.is_same(b))
        };
        for (a, b) in
            [("1000m", "1"), ("1Gi", "1024Mi"), ("0.5", "500m"), ("1e3", "1k"), ("2.0", "2"), ("0", "-0m")]
        {
            assert!(is_same(a, b), "{a} and {b}");
        }
        for (a, b) in [("1G", "1Gi"), ("1", "-1"), ("99999999999999999999", "99999999999999999999")] {
            assert!(!is_same(a, b), "{a} and {b}");
        }
    }
}
