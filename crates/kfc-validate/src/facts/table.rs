//! The table of facts, `schemas/facts/*.txt`: what the API server checks of the fields of a type, beyond their schema.
//!
//! ```text
//! core.v1.Probe core.v1.Other            the types
//!  failureThreshold >=0                  a field, and a fact
//!  clientIP.seconds 1..86400 when type=ClientIP from 34 : words
//! ```
//! A path may have `[]` for all items and `{}` for all values of a mapping; `.` is the whole value. Facts:
//!
//! ```text
//! need               it is set and not empty; `there`: it may be empty
//! filled             a text that is there is not empty
//! none               it is not set
//! >=N <=N N..M       the range of a number
//! amount>=0 amount>0 the range of a quantity
//! is FORMAT          how a text is written: see `words`
//! keys FORMAT        how the keys of a mapping are written
//! in A,B             the texts that it can be; an empty one counts
//! one A,B most A,B   exactly one, at most one of these fields is there
//! distinct [KEY]     no two items are the same, or have the same text at KEY
//! items>=N items<=N  the number of items
//! chars<=N           the length of a text
//! ```
//! `when A=X|Y & B & !C` limits it to values whose field A is X or Y, where B is there and C is not (or is `false`).
//! `from N`, `until N` limit it to versions of Kubernetes. After ` : ` come the words of the server, where they are not the usual ones.

use super::expand::{Target, expand};
use super::here::{Here, amount, is_empty, number, text};
use super::words::{Writing, as_read};
use kfc_diagnostics::Code;
use kfc_yaml::Node;

const TEXTS: [&str; 5] = [
    include_str!("../../schemas/facts/core.txt"),
    include_str!("../../schemas/facts/workloads.txt"),
    include_str!("../../schemas/facts/network.txt"),
    include_str!("../../schemas/facts/access.txt"),
    include_str!("../../schemas/facts/storage.txt"),
];

/// Every fact, with the name of its type.
pub(super) fn facts() -> Vec<(&'static str, Fact)> {
    let mut all = Vec::new();
    for text in TEXTS {
        let mut types: Vec<&'static str> = Vec::new();
        for line in text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')) {
            match line.strip_prefix(' ') {
                None => types = line.split(' ').collect(),
                Some(line) => {
                    let fact = Fact::parse(line.trim());
                    all.extend(types.iter().filter_map(|name| Some((*name, fact.clone()?))));
                }
            }
        }
    }
    all
}

/// One line of the table.
#[derive(Clone, Debug)]
pub(super) struct Fact {
    path: &'static str,
    rule: Rule,
    when: Vec<Condition>,
    first: u32,
    last: u32,
    words: &'static str,
}

#[derive(Clone, Debug)]
enum Rule {
    Need,
    There,
    Filled,
    Absent,
    Range(i64, i64),
    Amount(bool),
    Written(Writing),
    Keys(Writing),
    In(Vec<&'static str>),
    One(Vec<&'static str>),
    Most(Vec<&'static str>),
    Distinct(&'static str),
    Items(usize, usize),
    Chars(usize),
}

#[derive(Clone, Debug)]
enum Condition {
    Is(&'static str, Vec<&'static str>),
    Set(&'static str),
    Unset(&'static str),
}

impl Fact {
    fn parse(line: &'static str) -> Option<Self> {
        let (line, words) = line.split_once(" : ").unwrap_or((line, ""));
        let (line, last) =
            line.split_once(" until ").map_or((line, u32::MAX), |(l, n)| (l, n.parse().unwrap_or(0)));
        let (line, first) = line.split_once(" from ").map_or((line, 0), |(l, n)| (l, n.parse().unwrap_or(0)));
        let (line, when) = line.split_once(" when ").unwrap_or((line, ""));
        let (path, rule) = line.split_once(' ')?;
        let when = when.split(" & ").filter(|part| !part.is_empty()).map(Condition::parse).collect();
        Some(Self { path, rule: Rule::parse(rule)?, when, first, last, words })
    }
}

impl Fact {
    /// Checks a value of the type.
    pub(super) fn check(&self, here: &mut Here<'_, '_>) {
        let is_meant = self.first <= here.version.0 && here.version.0 <= self.last;
        if is_meant && self.when.iter().all(|condition| condition.holds(here.node)) {
            for target in expand(here.node, self.path) {
                of_target(self, &target, here);
            }
        }
    }
}

impl Condition {
    fn parse(part: &'static str) -> Self {
        match (part.strip_prefix('!'), part.split_once('=')) {
            (Some(field), _) => Self::Unset(field),
            (None, Some((field, values))) => Self::Is(field, values.split('|').collect()),
            (None, None) => Self::Set(part),
        }
    }

    fn holds(&self, node: &Node) -> bool {
        let at = |path: &str| {
            let steps: Vec<&str> = path.split('.').collect();
            node.at(&steps).filter(|node| !is_empty(node) && node.as_text() != Some("false"))
        };
        match self {
            Self::Is(field, values) => {
                at(field).and_then(Node::as_text).map_or(values.contains(&""), |text| values.contains(&text))
            }
            Self::Set(field) => at(field).is_some(),
            Self::Unset(field) => at(field).is_none(),
        }
    }
}

impl Rule {
    fn parse(text: &'static str) -> Option<Self> {
        let list = |text: &'static str| text.split(',').collect();
        if let Some((least, most)) = text.split_once("..") {
            return Some(Self::Range(least.parse().ok()?, most.parse().ok()?));
        }
        Some(match text.split_once(' ').unwrap_or((text, "")) {
            ("need", _) => Self::Need,
            ("there", _) => Self::There,
            ("filled", _) => Self::Filled,
            ("none", _) => Self::Absent,
            ("amount>=0", _) => Self::Amount(true),
            ("amount>0", _) => Self::Amount(false),
            ("is", format) => Self::Written(Writing::named(format)?),
            ("keys", format) => Self::Keys(Writing::named(format)?),
            ("in", values) => Self::In(list(values)),
            ("one", fields) => Self::One(list(fields)),
            ("most", fields) => Self::Most(list(fields)),
            ("distinct", key) => Self::Distinct(key),
            (word, _) => {
                if let Some(least) = word.strip_prefix("items>=") {
                    Self::Items(least.parse().ok()?, usize::MAX)
                } else if let Some(most) = word.strip_prefix("items<=") {
                    Self::Items(0, most.parse().ok()?)
                } else if let Some(most) = word.strip_prefix("chars<=") {
                    Self::Chars(most.parse().ok()?)
                } else if let Some(least) = word.strip_prefix(">=") {
                    Self::Range(least.parse().ok()?, i64::MAX)
                } else {
                    Self::Range(i64::MIN, word.strip_prefix("<=")?.parse().ok()?)
                }
            }
        })
    }
}

fn of_target(fact: &Fact, target: &Target<'_>, here: &mut Here<'_, '_>) {
    let below = target.below.as_str();
    let say = |usual: String| if fact.words.is_empty() { usual } else { fact.words.to_owned() };
    let Some(node) = target.node else {
        if matches!(fact.rule, Rule::Need | Rule::There) {
            here.required(below, fact.words);
        } else if let Rule::In(values) = &fact.rule
            && !values.contains(&"")
        {
            here.refuse(Code::ValueNotAllowed, below, &unsupported("", values));
        }
        return;
    };
    match &fact.rule {
        Rule::Need if is_empty(node) => here.required(below, fact.words),
        Rule::Filled if node.as_str() == Some("") => here.required(below, fact.words),
        Rule::Absent if !is_empty(node) && !matches!(node.as_text(), Some("false" | "0")) => {
            here.forbidden(below, &say("may not be specified".to_owned()));
        }
        Rule::Range(least, most) => {
            if let Some(value) = number(node).filter(|value| value < least || value > most) {
                let usual = match (*least, *most) {
                    (least, i64::MAX) => format!("must be greater than or equal to {least}"),
                    (i64::MIN, most) => format!("must be less than or equal to {most}"),
                    (least, most) => format!("must be between {least} and {most}, inclusive"),
                };
                here.refuse(Code::ValueLimit, below, &format!("Invalid value: {value}: {}", say(usual)));
            }
        }
        Rule::Amount(or_zero) => {
            if amount(node).is_some_and(|amount| amount < 0.0 || (amount == 0.0 && !or_zero)) {
                let usual =
                    if *or_zero { "must be greater than or equal to 0" } else { "must be greater than zero" };
                here.refuse(Code::ValueLimit, below, &say(usual.to_owned()));
            }
        }
        Rule::Written(writing) => {
            let fault = |text: &str| writing.fault(&as_read(text, here.version));
            if let Some(words) = node.as_str().filter(|text| !text.is_empty()).and_then(fault) {
                here.refuse(Code::ValueFormat, below, &say(words));
            }
        }
        Rule::Keys(writing) => {
            for entry in node.as_map().into_iter().flatten() {
                let name = entry.key.text.as_str();
                let fault = if name.is_empty() {
                    Some("name part must be non-empty".to_owned())
                } else {
                    writing.fault(name)
                };
                if let Some(words) = fault {
                    here.refuse(Code::ValueFormat, &format!("{below}{}", super::here::key(name)), &words);
                }
            }
        }
        Rule::In(values) => {
            if let Some(text) = node.as_text().filter(|text| !values.contains(text)) {
                here.refuse(Code::ValueNotAllowed, below, &unsupported(text, values));
            }
        }
        Rule::One(fields) | Rule::Most(fields) => {
            let mut there = fields.iter().filter(|field| node.get(field).is_some_and(|node| !node.is_null()));
            match (there.next(), there.next()) {
                (None, _) if matches!(fact.rule, Rule::One(_)) => here.required(below, fact.words),
                (Some(_), Some(second)) => {
                    let dot = if below.is_empty() { "" } else { "." };
                    here.forbidden(&format!("{below}{dot}{second}"), "may not specify more than 1 of these");
                }
                _ => {}
            }
        }
        Rule::Distinct(key) => distinct(node, key, below, here),
        Rule::Items(least, most) => {
            let count = node.as_seq().map(<[Node]>::len).or_else(|| node.as_map().map(kfc_yaml::Map::len));
            if let Some(count) = count.filter(|count| count < least || count > most) {
                let usual = if count > *most {
                    format!("Too many: {count}: must have at most {most} items")
                } else {
                    format!("must have at least {least} items")
                };
                here.refuse(Code::ValueLimit, below, &say(usual));
            }
        }
        Rule::Chars(most) => {
            if node.as_text().is_some_and(|text| text.len() > *most) {
                here.refuse(Code::ValueLimit, below, &say(format!("must be no more than {most} bytes")));
            }
        }
        Rule::Need | Rule::There | Rule::Filled | Rule::Absent => {}
    }
}

/// The server's words for a text that is not one of a few.
pub(super) fn unsupported(text: &str, values: &[&str]) -> String {
    let listed: Vec<String> = values.iter().map(|value| format!("\"{value}\"")).collect();
    format!("Unsupported value: \"{text}\": supported values: {}", listed.join(", "))
}

fn distinct(node: &Node, key: &str, below: &str, here: &mut Here<'_, '_>) {
    let mut seen: Vec<&str> = Vec::new();
    for (index, item) in node.as_seq().into_iter().flatten().enumerate() {
        let value = if key.is_empty() { item.as_text() } else { item.get(key).and_then(text) };
        let Some(value) = value else { continue };
        if seen.contains(&value) {
            let place =
                if key.is_empty() { format!("{below}[{index}]") } else { format!("{below}[{index}].{key}") };
            here.duplicate(&place, value);
        }
        seen.push(value);
    }
}

#[cfg(test)]
mod tests {
    use super::{Fact, TEXTS, facts};
    use crate::table::{Table, covered};

    #[test]
    fn every_line_of_the_table_is_understood() {
        for line in TEXTS.iter().flat_map(|text| text.lines()).filter_map(|line| line.strip_prefix(' ')) {
            assert!(line.trim().is_empty() || Fact::parse(line.trim()).is_some(), "{line}");
        }
    }

    #[test]
    fn facts_are_of_types_and_fields_that_there_are() {
        let table = Table::of(covered().last);
        let mut wrong = Vec::new();
        for (name, fact) in facts() {
            let first = fact.path.split('.').next().unwrap().trim_end_matches("[]").trim_end_matches("{}");
            let shape = table.named(name);
            if fact.path != "." && !shape.is_some_and(|shape| shape.fields.contains_key(first)) {
                wrong.push(format!("{name}.{first}"));
            }
        }
        assert!(wrong.is_empty(), "{wrong:?}");
    }
}
