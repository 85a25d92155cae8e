//! Carries a change of a tree into the text that the tree was read from, touching only the lines that have to change.

use super::write::Style;
use kfc_diagnostics::{Mark, Result, SourceId};
use kfc_yaml::parse::parse_last_wins;
use kfc_yaml::{Entry, Map, Node, Scalar, Value, emit};
use std::collections::{HashMap, VecDeque};
use std::ops::Range;

/// A piece of text that replaces another.
struct Splice {
    range: Range<usize>,
    text: String,
}

/// Carries changes of all documents of a text into it. `source` is where their marks point into. What cannot be changed in
/// place is written again.
///
/// # Errors
/// Values that cannot be written.
pub fn carry(text: &str, source: SourceId, old: &[Node], new: &[Node]) -> Result<String> {
    if old == new {
        return Ok(text.to_owned());
    }
    let reads_as_meant = |text: &str| parse_last_wins(text, source).is_ok_and(|(read, _)| read == new);
    let mut rewriter = Rewriter { text, style: Style::default(), splices: Vec::new() };
    let mut in_place = old.len() == new.len();
    for (at, (old_one, new_one)) in old.iter().zip(new).enumerate() {
        rewriter.style = style_of(text, old_one);
        let end = old.get(at + 1).map_or(text.len(), |next| separator_before(text, offset(next)));
        in_place = in_place && rewriter.node(old_one, new_one, end)?;
    }
    let carried = rewriter.apply();
    match (in_place && reads_as_meant(&carried), old, new) {
        (true, ..) => Ok(carried),
        (false, [old], [new]) => {
            let carried = rewrite(text, old, new)?;
            if reads_as_meant(&carried) {
                Ok(carried)
            } else {
                // Anchors, odd indentation: nothing is left but to write all of it.
                whole(new, style_of(text, old))
            }
        }
        _ => {
            let documents: Vec<&Node> = new.iter().collect();
            Ok(String::from_utf8_lossy(&emit::emit_all(&documents)?.concat()).into_owned())
        }
    }
}

/// The start of the last line before `at` that parts documents.
fn separator_before(text: &str, at: usize) -> usize {
    text[..at].rfind("\n---").map_or(at, |line| line + 1)
}

/// The text that `new` is read from, made from `text`, which `old` was read from. What cannot be changed in place (flow
/// style, several items on a line) is written again, as little of it as possible.
///
/// # Errors
/// Values that cannot be written.
pub(super) fn rewrite(text: &str, old: &Node, new: &Node) -> Result<String> {
    let mut rewriter = Rewriter { text, style: style_of(text, old), splices: Vec::new() };
    if !rewriter.node(old, new, text.len())? {
        let start = rewriter.line_start(offset(old));
        rewriter.splices = vec![Splice { range: start..text.len(), text: whole(new, rewriter.style)? }];
    }
    Ok(rewriter.apply())
}

/// A whole document.
///
/// # Errors
/// Values that cannot be written.
pub(super) fn whole(node: &Node, style: Style) -> Result<String> {
    match node.as_map() {
        Some(map) if !map.is_empty() => style.map(map, 0),
        _ => Ok(String::new()),
    }
}

/// How the lists of a file are indented: as its first one is.
pub(super) fn style_of(text: &str, root: &Node) -> Style {
    let lists = root.as_map().into_iter().flat_map(Map::iter);
    let first = lists.filter_map(|entry| {
        let item = entry.value.as_seq()?.first()?;
        let line = text[..offset(item)].rfind('\n').map_or(0, |at| at + 1);
        let before = &text[line..offset(item)];
        (before.trim() == "-").then(|| before.find('-').unwrap_or(0))
    });
    Style { list_indent: first.take(1).next().unwrap_or(0) }
}

fn offset(node: &Node) -> usize {
    node.mark.offset as usize
}

struct Rewriter<'a> {
    text: &'a str,
    style: Style,
    splices: Vec<Splice>,
}

impl Rewriter<'_> {
    /// Changes a value whose text ends before `end`. Whether that could be done in place.
    fn node(&mut self, old: &Node, new: &Node, end: usize) -> Result<bool> {
        if old == new {
            return Ok(true);
        }
        let is_flow = self.text[offset(old)..].starts_with(['{', '[']);
        let before = self.splices.len();
        let done = match (&old.value, &new.value) {
            (Value::Map(old), Value::Map(new)) if !is_flow => self.map(old, new, end)?,
            (Value::Seq(old), Value::Seq(new)) if !is_flow => self.seq(old, new, end)?,
            (Value::Scalar(scalar), Value::Scalar(new)) => self.scalar(offset(old), scalar, new)?,
            _ => false,
        };
        if !done {
            self.splices.truncate(before);
        }
        Ok(done)
    }

    fn map(&mut self, old: &Map, new: &Map, end: usize) -> Result<bool> {
        let entries = old.as_slice();
        let starts: Vec<usize> = entries.iter().map(|entry| entry.key.mark.offset as usize).collect();
        let Some(column) = starts.last().map(|start| self.column(*start)) else { return Ok(false) };
        if new.is_empty() || starts.iter().any(|start| self.column(*start) != column) {
            return Ok(false);
        }
        for (at, entry) in entries.iter().enumerate() {
            let limit = starts.get(at + 1).map_or(end, |next| self.line_start(*next));
            let stop = self.content_end(starts[at], limit, column);
            let done = match new.get(&entry.key.text) {
                Some(value) if *value == entry.value => true,
                Some(value) => {
                    self.node(&entry.value, value, stop)?
                        || self.replace(starts[at]..stop, column, |style, column| {
                            style.entry(&Entry { key: entry.key.clone(), value: value.clone() }, column)
                        })?
                }
                None => self.remove(starts[at]..stop),
            };
            if !done {
                return Ok(false);
            }
        }
        let stop = starts.last().map_or(end, |last| self.content_end(*last, end, column));
        for entry in new.iter().filter(|entry| !old.contains(&entry.key.text)) {
            let text = self.style.entry(entry, column)?;
            self.insert(stop, text);
        }
        Ok(true)
    }

    fn seq(&mut self, old: &[Node], new: &[Node], end: usize) -> Result<bool> {
        let dashes: Option<Vec<usize>> = old.iter().map(|item| self.dash(offset(item))).collect();
        let Some(dashes) = dashes else { return Ok(false) };
        let Some(column) = dashes.first().map(|dash| self.column(*dash)) else { return Ok(false) };
        if new.is_empty() || dashes.iter().any(|dash| self.column(*dash) != column) {
            return Ok(false);
        }
        let limit = |at: usize| dashes.get(at + 1).map_or(end, |next| self.line_start(*next));
        let stops: Vec<usize> =
            (0..old.len()).map(|at| self.content_end(dashes[at], limit(at), column)).collect();
        for step in steps(old, new) {
            let done = match step {
                Step::Change(at, item) => {
                    self.node(&old[at], &new[item], stops[at])?
                        || self.replace(dashes[at]..stops[at], column, |style, column| {
                            style.item(&new[item], column)
                        })?
                }
                Step::Remove(at) => self.remove(dashes[at]..stops[at]),
                Step::Insert(after, item) => {
                    let text = self.style.item(&new[item], column)?;
                    match after {
                        Some(at) => self.insert(stops[at], text),
                        None => self.insert_before(dashes[0], column, &text),
                    }
                    true
                }
            };
            if !done {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Replaces a scalar with another when both are on one line.
    fn scalar(&mut self, start: usize, old: &Scalar, new: &Scalar) -> Result<bool> {
        let line_end = self.text[start..].find(['\n', '\r']).map_or(self.text.len(), |at| start + at);
        let line = &self.text[start..line_end];
        let length = match line.as_bytes().first() {
            Some(quote @ (b'"' | b'\'')) => quoted_length(line, *quote),
            Some(b'|' | b'>' | b'&' | b'*' | b'!') | None => None,
            Some(_) => Some(line.find(" #").map_or(line, |at| &line[..at]).trim_end().len()),
        };
        // A plain scalar that goes on in the next line is longer than what is here.
        let Some(length) = length.filter(|length| line.starts_with(['"', '\'']) || *length == old.text.len())
        else {
            return Ok(false);
        };
        let mut bytes = Vec::new();
        let node = Node { value: Value::Scalar(new.clone()), mark: Mark::stored(None) };
        emit::emit(&Node::seq(vec![node], None), &mut bytes)?;
        let text = String::from_utf8_lossy(&bytes);
        let text = text.strip_prefix("- ").unwrap_or(&text).trim_end_matches('\n');
        if text.contains('\n') || text.starts_with(['|', '>']) {
            return Ok(false);
        }
        self.splices.push(Splice { range: start..start + length, text: text.to_owned() });
        Ok(true)
    }

    /// Replaces lines. What starts after a dash on the same line keeps the dash.
    fn replace(
        &mut self,
        range: Range<usize>,
        column: usize,
        write: impl Fn(Style, usize) -> Result<String>,
    ) -> Result<bool> {
        let text = write(self.style, column)?;
        let text = text.get(column..).unwrap_or_default().to_owned();
        let text = self.with_breaks(&text, range.end);
        self.splices.push(Splice { range, text });
        Ok(true)
    }

    /// Removes lines, when nothing else is on the first one.
    fn remove(&mut self, range: Range<usize>) -> bool {
        let start = self.line_start(range.start);
        let alone = self.text[start..range.start].trim().is_empty();
        if alone {
            self.splices.push(Splice { range: start..range.end, text: String::new() });
        }
        alone
    }

    fn insert(&mut self, place: usize, text: String) {
        let text = if self.text[..place].ends_with('\n') || place == 0 {
            text
        } else {
            // The last line of the file has no break.
            format!("\n{text}")
        };
        let text = self.with_breaks(&text, usize::MAX);
        self.splices.push(Splice { range: place..place, text });
    }

    /// Puts lines before what starts at `place`. What is before it on its line, another dash, comes before them, so the
    /// first line loses its indentation and what was there gets it.
    fn insert_before(&mut self, place: usize, column: usize, text: &str) {
        let alone = self.text[self.line_start(place)..place].trim().is_empty();
        if alone {
            self.insert(self.line_start(place), text.to_owned());
        } else {
            let first = text.get(column..).unwrap_or_default();
            let text = self.with_breaks(&format!("{first}{:column$}", ""), usize::MAX);
            self.splices.push(Splice { range: place..place, text });
        }
    }

    /// Line breaks as in the file; none at the end when the text that is replaced had none.
    fn with_breaks(&self, text: &str, end: usize) -> String {
        let text = if end == self.text.len() && !self.text.ends_with('\n') {
            text.trim_end_matches('\n')
        } else {
            text
        };
        if self.text.contains("\r\n") { text.replace('\n', "\r\n") } else { text.to_owned() }
    }

    fn line_start(&self, at: usize) -> usize {
        self.text[..at].rfind('\n').map_or(0, |at| at + 1)
    }

    fn column(&self, at: usize) -> usize {
        at - self.line_start(at)
    }

    /// The dash before an item, which has to be the first thing on its line but for other dashes.
    fn dash(&self, item: usize) -> Option<usize> {
        let before = self.text[..item].trim_end_matches(' ');
        before.ends_with('-').then(|| before.len() - 1)
    }

    /// Where what starts at `start` ends: before blank lines and comments that belong to what comes next.
    fn content_end(&self, start: usize, limit: usize, column: usize) -> usize {
        let first_line_end = self.text[start..].find('\n').map_or(self.text.len(), |at| start + at + 1);
        let mut end = limit.max(first_line_end);
        while end > first_line_end {
            let line_start = self.line_start(end - 1);
            let line = self.text[line_start..end].trim_end();
            let indent = line.len() - line.trim_start().len();
            let is_foreign = line.is_empty() || (line[indent..].starts_with('#') && indent <= column);
            if !is_foreign && line != "..." {
                break;
            }
            end = line_start;
        }
        end
    }

    fn apply(mut self) -> String {
        // Stable: what is inserted at one place keeps its order.
        self.splices.sort_by_key(|splice| (splice.range.start, splice.range.end));
        let mut result = String::with_capacity(self.text.len());
        let mut at = 0;
        for splice in &self.splices {
            result.push_str(&self.text[at..splice.range.start.max(at)]);
            result.push_str(&splice.text);
            at = splice.range.end.max(at);
        }
        result.push_str(&self.text[at..]);
        result
    }
}

/// Bytes of a quoted scalar that ends on this line.
fn quoted_length(line: &str, quote: u8) -> Option<usize> {
    let bytes = line.as_bytes();
    let mut at = 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if quote == b'"' => at += 1,
            b'\'' if quote == b'\'' && bytes.get(at + 1) == Some(&b'\'') => at += 1,
            byte if byte == quote => return Some(at + 1),
            _ => {}
        }
        at += 1;
    }
    None
}

/// One step from a list to another.
enum Step {
    /// The item at the first index becomes the one at the second.
    Change(usize, usize),
    /// The item goes.
    Remove(usize),
    /// An item is put after one of the old list, or at the start.
    Insert(Option<usize>, usize),
}

/// The least steps: items that are in both lists stay; of the others, as many as possible change in place.
fn steps(old: &[Node], new: &[Node]) -> Vec<Step> {
    let mut steps = Vec::new();
    let (mut from, mut to) = (0, 0);
    for (old_at, new_at) in kept_items(old, new).into_iter().chain([(old.len(), new.len())]) {
        let paired = (old_at - from).min(new_at - to);
        steps.extend((0..paired).map(|n| Step::Change(from + n, to + n)));
        steps.extend((from + paired..old_at).map(Step::Remove));
        let last = (from + paired).checked_sub(1);
        steps.extend((to + paired..new_at).map(|item| Step::Insert(last, item)));
        (from, to) = (old_at + 1, new_at + 1);
    }
    steps
}

/// As many pairs of items are compared in search of the most that can stay.
const MOST_PAIRS: usize = 1_000_000;

/// Items that stay, as pairs of indices that grow: what is alike at both ends, and of the rest as many as can stay; in long
/// lists that changed all over, many of them.
fn kept_items(old: &[Node], new: &[Node]) -> Vec<(usize, usize)> {
    let front = old.iter().zip(new).take_while(|(old, new)| old == new).count();
    let (old, new) = (&old[front..], &new[front..]);
    let back = old.iter().rev().zip(new.iter().rev()).take_while(|(old, new)| old == new).count();
    let (old_rest, new_rest) = (&old[..old.len() - back], &new[..new.len() - back]);
    let middle = if old_rest.len().saturating_mul(new_rest.len()) <= MOST_PAIRS {
        longest(old_rest, new_rest)
    } else {
        in_turn(old_rest, new_rest)
    };
    let moved = middle.into_iter().map(|(old, new)| (old + front, new + front));
    let tail = (0..back).map(|at| (front + old_rest.len() + at, front + new_rest.len() + at));
    (0..front).map(|at| (at, at)).chain(moved).chain(tail).collect()
}

/// Each new item with the next equal old one after the last pair.
fn in_turn(old: &[Node], new: &[Node]) -> Vec<(usize, usize)> {
    let text = |node: &Node| {
        let mut text = String::new();
        // What cannot be written as JSON is compared by the part that can.
        drop(kfc_yaml::json::write(node, &mut text));
        text
    };
    let mut places: HashMap<String, VecDeque<usize>> = HashMap::new();
    old.iter().enumerate().for_each(|(at, node)| places.entry(text(node)).or_default().push_back(at));
    let mut next = 0;
    let mut pairs = Vec::new();
    for (at, node) in new.iter().enumerate() {
        let Some(candidates) = places.get_mut(&text(node)) else { continue };
        while candidates.front().is_some_and(|place| *place < next) {
            candidates.pop_front();
        }
        if let Some(place) = candidates.pop_front().filter(|place| old[*place] == *node) {
            pairs.push((place, at));
            next = place + 1;
        }
    }
    pairs
}

/// A longest common subsequence, as pairs of indices.
fn longest(old: &[Node], new: &[Node]) -> Vec<(usize, usize)> {
    let mut lengths = vec![vec![0_usize; new.len() + 1]; old.len() + 1];
    for (a, b) in (0..old.len()).rev().flat_map(|a| (0..new.len()).rev().map(move |b| (a, b))) {
        lengths[a][b] = if old[a] == new[b] {
            lengths[a + 1][b + 1] + 1
        } else {
            lengths[a + 1][b].max(lengths[a][b + 1])
        };
    }
    let (mut a, mut b) = (0, 0);
    let mut pairs = Vec::new();
    while a < old.len() && b < new.len() {
        if old[a] == new[b] {
            pairs.push((a, b));
            (a, b) = (a + 1, b + 1);
        } else if lengths[a + 1][b] >= lengths[a][b + 1] {
            a += 1;
        } else {
            b += 1;
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::rewrite;
    use super::{in_turn, kept_items};
    use kfc_diagnostics::SourceId;
    use kfc_yaml::parse::parse;

    /// The text after the tree became what `new` reads as.
    fn changed(text: &str, new: &str) -> String {
        let read = |text: &str| parse(text, SourceId::NONE).unwrap().remove(0);
        let result = rewrite(text, &read(text), &read(new)).unwrap();
        assert_eq!(read(&result), read(new), "{result}");
        result
    }

    #[test]
    fn only_the_lines_that_change_are_touched() {
        let text = "# top\nresources: # all\n  - a.yaml # first\n\n  # second\n  - 'b.yaml'\n# prefix\nnamePrefix: \"x-\" # why\n";
        assert_eq!(changed(text, "resources: [a.yaml, b.yaml]\nnamePrefix: x-"), text);
        assert_eq!(
            changed(text, "resources: [a.yaml, b.yaml, c.yaml]\nnamePrefix: y-\nnamespace: ns"),
            "# top\nresources: # all\n  - a.yaml # first\n\n  # second\n  - 'b.yaml'\n  - c.yaml\n# prefix\nnamePrefix: y- # why\nnamespace: ns\n"
        );
        assert_eq!(
            changed(text, "resources: [b.yaml]\nnamePrefix: x-"),
            "# top\nresources: # all\n\n  # second\n  - 'b.yaml'\n# prefix\nnamePrefix: \"x-\" # why\n"
        );
        assert_eq!(
            changed(text, "resources: [z.yaml, a.yaml, b.yaml]"),
            "# top\nresources: # all\n  - z.yaml\n  - a.yaml # first\n\n  # second\n  - 'b.yaml'\n# prefix\n"
        );
    }

    #[test]
    fn long_lists_keep_what_can_stay() {
        let list = |items: &mut dyn Iterator<Item = usize>| {
            let text: Vec<String> = items.map(|item| format!("- {{name: n{item}}}\n")).collect();
            let node = parse(&text.concat(), SourceId::NONE).unwrap().remove(0);
            node.as_seq().unwrap().to_vec()
        };
        let (old, new) =
            (list(&mut (0..3000)), list(&mut (0..3000).map(|n| if n == 1500 { 9999 } else { n })));
        let pairs = kept_items(&old, &new);
        assert_eq!(pairs.len(), 2999);
        assert!(pairs.iter().all(|(a, b)| a == b && *a != 1500));
        // Everything changes its place.
        let turned = list(&mut (1..3000).chain([0]));
        let pairs = kept_items(&old, &turned);
        assert_eq!(pairs.len(), 2999);
        let reversed = list(&mut (0..3000).rev());
        for pairs in [kept_items(&old, &reversed), in_turn(&reversed, &old)] {
            assert!(pairs.is_sorted_by(|a, b| a.0 < b.0 && a.1 < b.1) && !pairs.is_empty());
        }
    }

    #[test]
    fn flow_style_is_written_anew_as_blocks() {
        assert_eq!(
            changed("a: [1, 2]\nb: {c: d} # x\n", "a: [1, 3]\nb: {c: d}"),
            "a:\n- 1\n- 3\nb: {c: d} # x\n"
        );
        assert_eq!(changed("{a: 1}\n", "{a: 1, b: 2}"), "a: 1\nb: 2\n");
    }

    #[test]
    fn nested_lists_of_mappings_change_field_by_field() {
        let text = "images:\n- name: a # keep\n  newTag: v1\n- newTag: v2\n  name: b\n";
        assert_eq!(
            changed(text, "images: [{name: a, newTag: v9}, {name: b, newTag: '1', digest: d}]"),
            "images:\n- name: a # keep\n  newTag: v9\n- newTag: \"1\"\n  name: b\n  digest: d\n"
        );
        // The first key is after the dash, so the item is written again.
        assert_eq!(changed(text, "images: [{newTag: v1}, {name: b}]"), "images:\n- newTag: v1\n- name: b\n");
    }

    #[test]
    fn what_comes_first_in_a_list_of_lists_stays_in_it() {
        assert_eq!(
            changed("d:\n  - 1\n  - - b # keep\n    - c\n", "d: [1, [a, 23, b, c]]"),
            "d:\n  - 1\n  - - a\n    - 23\n    - b # keep\n    - c\n"
        );
        assert_eq!(changed("d:\n- x\n- - b # keep\n", "d: [x, [a, b]]"), "d:\n- x\n- - a\n  - b # keep\n");
    }

    #[test]
    fn block_scalars_end_where_their_text_does() {
        let text = "patches:\n- patch: |\n    # no comment\n    a: b\n\n# comment\nnamespace: x\n";
        assert_eq!(
            changed(text, "patches: [{patch: \"# no comment\\na: b\\n\"}, {path: p}]\nnamespace: x"),
            "patches:\n- patch: |\n    # no comment\n    a: b\n- path: p\n\n# comment\nnamespace: x\n"
        );
    }

    #[test]
    fn breaks_are_those_of_the_file() {
        assert_eq!(changed("a:\r\n- b\r\n", "a: [b, c]"), "a:\r\n- b\r\n- c\r\n");
        assert_eq!(changed("a: 1", "a: 1\nb: 2"), "a: 1\nb: 2\n");
        assert_eq!(changed("a: 1\nb:\n- x", "a: 2\nb: [x, z]"), "a: 2\nb:\n- x\n- z\n");
    }

    use proptest::prelude::*;

    /// Flow style, which can always be read back.
    fn value() -> impl Strategy<Value = String> {
        let scalar =
            prop_oneof!["[a-e]{1,3}", "[1-9]{1,2}", Just("''".to_owned()), Just("\"a # b\"".to_owned())];
        scalar.prop_recursive(3, 12, 4, |inner| {
            let list = prop::collection::vec(inner.clone(), 0..4)
                .prop_map(|items| format!("[{}]", items.join(", ")));
            let map = prop::collection::btree_map("[a-d]", inner, 0..4).prop_map(|map| {
                let entries: Vec<String> =
                    map.into_iter().map(|(key, value)| format!("{key}: {value}")).collect();
                format!("{{{}}}", entries.join(", "))
            });
            prop_oneof![list, map]
        })
    }

    fn document() -> impl Strategy<Value = String> {
        prop::collection::btree_map("[a-d]", value(), 1..4).prop_map(|map| {
            let entries: Vec<String> =
                map.into_iter().map(|(key, value)| format!("{key}: {value}")).collect();
            format!("{{{}}}", entries.join(", "))
        })
    }

    proptest! {
        #[test]
        fn what_was_changed_reads_as_meant(old in document(), new in document()) {
            let old = parse(&old, SourceId::NONE).unwrap().remove(0);
            let text = super::whole(&old, super::Style { list_indent: 2 }).unwrap();
            // Checks that the result reads as `new`.
            changed(&text, &new);
        }
    }
}
