//! Covers the values of secrets in the source lines that errors show. The structure of a document says what is a value; in
//! a document that cannot be read, everything that may be a value is covered.

use super::document::{Spot, Target, spots};
use super::is_secret;
use kfc_diagnostics::{self as diagnostics, Mark, SourceId, Sources};
use kfc_yaml::parse::{parse, parse_every_key};
use regex::Regex;
use std::borrow::Cow;
use std::ops::Range;
use std::sync::LazyLock;

/// A line of a text with all possible values of secrets covered; the number of bytes stays the same. The mark is a
/// location in the line.
pub(crate) fn redacted_line<'l>(sources: &Sources, mark: Mark, line: &'l str) -> Cow<'l, str> {
    let Some(source) = sources.get(mark.source) else { return Cow::Borrowed(line) };
    let text = &source.text;
    let mut at = (mark.offset as usize).min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    let start = text[..at].rfind('\n').map_or(0, |before| before + 1);
    let target = match sources.target(mark.source) {
        None => Target::Unknown,
        Some(diagnostics::Target::Open) => Target::Open,
        Some(diagnostics::Target::Secret) => Target::Secret,
    };
    let hidden = sources.hidden_in(mark.source);
    let chunk = chunk(text, at);
    let place = Place { text: &text[chunk.clone()], line, start: start.saturating_sub(chunk.start) };
    let is_marked = |offset: u32| hidden.contains(&(offset.saturating_add(offset_of(chunk.start))));
    let read = parse(place.text, SourceId::NONE).or_else(|_| parse_every_key(place.text, SourceId::NONE));
    match read {
        Ok(documents) if documents.iter().any(|document| document.as_scalar().is_none()) => {
            let spots: Vec<Spot<'_>> =
                documents.iter().flat_map(|document| spots(document, target, &is_marked)).collect();
            if spots.iter().any(|spot| spot.is_hidden) {
                Cow::Owned(place.by_spots(&spots))
            } else {
                Cow::Borrowed(line)
            }
        }
        Ok(_) if hidden.is_empty() && target != Target::Secret => Cow::Borrowed(line),
        Ok(_) => {
            let from = hidden.iter().min().map_or(0, |at| (*at as usize).saturating_sub(start));
            Cow::Owned(covered(line, std::slice::from_ref(&(0..from))))
        }
        Err(_) if !hidden.is_empty() || place.may_be_secret(target) || place.may_be_parameter() => {
            Cow::Owned(place.conservatively())
        }
        Err(_) => Cow::Borrowed(line),
    }
}

fn offset_of(byte: usize) -> u32 {
    u32::try_from(byte).unwrap_or(u32::MAX)
}

/// The values of secrets in a text that can be read.
pub fn values(sources: &Sources, id: SourceId) -> Vec<String> {
    let Some(source) = sources.get(id) else { return Vec::new() };
    let hidden = sources.hidden_in(id);
    let target = sources.target(id);
    let lower = source.text.contains("ecret") || source.text.contains("tringData");
    if hidden.is_empty() && !lower && target != Some(diagnostics::Target::Secret) {
        return Vec::new();
    }
    let target = match target {
        Some(diagnostics::Target::Secret) => Target::Secret,
        Some(diagnostics::Target::Open) => Target::Open,
        None => Target::Unknown,
    };
    let Ok(documents) = parse(&source.text, SourceId::NONE) else {
        let from = hidden.iter().min().and_then(|at| source.text.get(*at as usize..));
        return from.map(str::to_owned).into_iter().collect();
    };
    let spots = documents.iter().flat_map(|document| spots(document, target, &|at| hidden.contains(&at)));
    let mut values: Vec<String> =
        spots.filter(|spot| spot.is_hidden && !spot.is_key).map(|spot| spot.text.to_owned()).collect();
    // A setting, `name=value`, is one text.
    if documents.iter().all(|document| document.as_scalar().is_some()) {
        let from = hidden.iter().min().and_then(|at| source.text.get(*at as usize..));
        values.extend(from.map(str::to_owned));
    }
    values
}

/// The document around a byte of a text: between two lines that are a marker, `---` alone or before a space.
fn chunk(text: &str, at: usize) -> Range<usize> {
    let is_marker = |from: usize| {
        let rest = &text[from..];
        rest.starts_with("---") && rest[3..].chars().next().is_none_or(char::is_whitespace)
    };
    let line = text[..at].rfind('\n').map_or(0, |before| before + 1);
    let starts = text[..line].match_indices('\n').map(|(end, _)| end + 1).chain([0]);
    let start = starts.filter(|from| is_marker(*from)).max().unwrap_or(0);
    let mut after = text[at..].match_indices('\n').map(|(end, _)| at + end + 1);
    let end = after.find(|from| is_marker(*from)).unwrap_or(text.len());
    if is_marker(line) { line..end } else { start..end }
}

/// A line in its document.
struct Place<'t> {
    text: &'t str,
    line: &'t str,
    /// Where the line starts in the text.
    start: usize,
}

impl Place<'_> {
    /// Shows the keys and values of the line that are open, and covers everything else.
    fn by_spots(&self, spots: &[Spot<'_>]) -> String {
        let lead = self.lead();
        let here: Vec<&Spot<'_>> = spots
            .iter()
            .filter(|spot| (self.start..self.start + self.line.len()).contains(&(spot.offset as usize)))
            .collect();
        let mut open: Vec<Range<usize>> =
            here.iter().filter(|spot| !spot.is_hidden).filter_map(|spot| self.range(spot)).collect();
        let first = self.line[lead.end..].find(|c| !"[{ ".contains(c)).map_or(lead.end, |at| lead.end + at);
        // Where nothing is hidden, brackets and commas are shown too; not in the lines of a text that began above.
        if here.iter().all(|spot| !spot.is_hidden) && open.iter().any(|part| part.start == first) {
            let end = open.iter().map(|part| part.end).max().unwrap_or(0);
            let rest = self.line.get(end..).unwrap_or("");
            let closing = rest.len() - rest.trim_start_matches(|c| "]},:[{ ".contains(c)).len();
            return covered(self.line, std::slice::from_ref(&(0..end + closing)));
        }
        open.push(lead);
        covered(self.line, &open)
    }

    /// Where a key, with its colon, or a value is in the line, if it is written as it is.
    fn range(&self, spot: &Spot<'_>) -> Option<Range<usize>> {
        let from = (spot.offset as usize).checked_sub(self.start)?;
        let rest = self.line.get(from..)?;
        let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''));
        let quoted = quote.map_or(0, char::len_utf8);
        if spot.text.is_empty() || spot.text.contains('\n') || !rest[quoted..].starts_with(spot.text) {
            return None;
        }
        let end = from + quoted + spot.text.len();
        let closes = quote.is_some_and(|quote| self.line[end..].starts_with(quote));
        let end = end + usize::from(closes);
        let behind = &self.line[end..];
        let has_colon = spot.is_key && behind.trim_start().starts_with(':');
        let colon = if has_colon { behind.len() - behind.trim_start().len() + 1 } else { 0 };
        Some(from..end + colon)
    }

    /// The spaces and dashes that the line starts with.
    fn lead(&self) -> Range<usize> {
        let rest = self.line.trim_start_matches(' ');
        let dashes: usize = rest.split_inclusive(' ').take_while(|part| *part == "- ").map(str::len).sum();
        0..self.line.len() - rest.len() + dashes
    }

    /// Whether a document that cannot be read may be a Secret, or have values of one in it.
    fn may_be_secret(&self, target: Target) -> bool {
        let Some([kind, escaped, top]) = patterns() else { return true };
        let kinds: Vec<&str> = kind
            .captures_iter(self.text)
            .filter_map(|found| found.get(1))
            .map(|word| word.as_str())
            .collect();
        let plain = |word: &str| {
            let word = word.trim_matches(['"', '\'', ',', '}']);
            word.chars().all(|c| c.is_ascii_alphanumeric() || c == '.') && !is_secret(word)
        };
        let lower = self.text.to_ascii_lowercase();
        let is_odd = lower.contains("stringdata")
            || escaped.is_match(self.text)
            || kinds.iter().any(|word| !plain(word) || word.contains("SecretGenerator"));
        if top.is_match(self.text) || target == Target::Open {
            is_odd || lower.contains("secretgen")
        } else {
            is_odd || target == Target::Secret || lower.contains("secret") || has_data(&lower)
        }
    }

    /// Whether the line is one of a stack's parameters, or comes after them: which of them are secrets, only a catalogue
    /// says. So may be one of their schemas, of which some are those of secrets.
    fn may_be_parameter(&self) -> bool {
        let before = self.text.get(..self.start + self.line.len()).unwrap_or(self.text);
        (self.text.contains("Stack") || self.text.contains("writeOnly")) && before.contains("parameters")
    }

    /// Shows what is plainly no value, and covers everything else.
    fn conservatively(&self) -> String {
        const KEYS: [&str; 9] = [
            "apiVersion",
            "kind",
            "metadata",
            "type",
            "immutable",
            "data",
            "stringData",
            "secretGenerator",
            "literals",
        ];
        const WITH_VALUE: [&str; 4] = ["apiVersion", "kind", "type", "immutable"];
        let from = self.lead().end;
        let key = self.line[from..].split(':').next().unwrap_or("");
        let value = self.line[from + key.len()..].trim_start_matches(':').trim();
        let is_word = !value.is_empty()
            && value.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '/' | '_' | '-'));
        let has_colon = self.line.len() > from + key.len();
        let colon = from + key.len() + usize::from(has_colon);
        let is_top = from == 0 && has_colon && KEYS.contains(&key);
        let is_name = has_colon && ["name", "namespace"].contains(&key) && self.is_below_metadata(from);
        let is_whole = is_word && (is_name || (is_top && WITH_VALUE.contains(&key)));
        match (is_whole, is_top || is_name) {
            (true, _) => self.line.to_owned(),
            (false, true) => covered(self.line, std::slice::from_ref(&(0..colon))),
            (false, false) => {
                covered(self.line, std::slice::from_ref(&(0..self.line.len() - self.line.trim_start().len())))
            }
        }
    }

    /// Whether the line is indented right below `metadata:` at the start of a line.
    fn is_below_metadata(&self, indent: usize) -> bool {
        let above = self.text.get(..self.start).unwrap_or("").lines().rev();
        let mut shallower = above.filter(|line| {
            let text = line.trim_start();
            !text.is_empty() && line.len() - text.len() < indent
        });
        indent > 0 && shallower.next().is_some_and(|line| line.trim_end() == "metadata:")
    }
}

/// Whether a text in lower case has a field `data` of its own, or a path to one.
fn has_data(lower: &str) -> bool {
    let starts = |line: &str| {
        let line = line.trim_start_matches(['{', '"', '\'', ' ']);
        line.starts_with("data") || line.starts_with("metadata: {")
    };
    lower.lines().any(starts) || lower.contains("/data") || lower.contains("\"data\"")
}

/// The word after `kind:`; a key with an escape in it; `kind` at the start of a line or of a JSON object.
fn patterns() -> Option<&'static [Regex; 3]> {
    static ALL: LazyLock<Option<[Regex; 3]>> = LazyLock::new(|| {
        let kind = Regex::new(r#"(?i)\bkind["']?\s*:\s*([^\s,}\]]+)"#).ok()?;
        let escaped = Regex::new(r#""[^"\n]*\\[uUx][^"\n]*"\s*:|:\s*"[^"\n]*\\[uUx]"#).ok()?;
        let top = Regex::new(
            r#"(?m)(?:^kind:[ \t]+["']?[A-Za-z]|^\s*\{\s*(?:"apiVersion"\s*:\s*"[^"]*"\s*,\s*)?"kind"\s*:)"#,
        )
        .ok()?;
        Some([kind, escaped, top])
    });
    ALL.as_ref()
}

/// The line with stars outside of the open parts, as many bytes as it has.
fn covered(line: &str, open: &[Range<usize>]) -> String {
    let is_open = |at: usize| open.iter().any(|part| part.contains(&at));
    line.char_indices()
        .map(
            |(at, c)| if c.is_whitespace() || is_open(at) { c.to_string() } else { "*".repeat(c.len_utf8()) },
        )
        .collect()
}

#[cfg(test)]
mod tests {
    use super::redacted_line;
    use crate::redaction::note_target;
    use kfc_diagnostics::{Mark, Sources};

    fn line_of(text: &str, word: &str, target: &str) -> String {
        let sources = Sources::default();
        let (id, _) = sources.add("bundle.yaml", text);
        note_target(&sources, id, target);
        let at = text.find(word).unwrap();
        let start = text[..at].rfind('\n').map_or(0, |before| before + 1);
        let mark = Mark { source: id, offset: u32::try_from(at).unwrap() };
        redacted_line(&sources, mark, text[start..].lines().next().unwrap()).into_owned()
    }

    fn line(text: &str, word: &str) -> String {
        line_of(text, word, "")
    }

    /// No line of the text shows the word.
    fn hides(text: &str) {
        for (at, _) in text.match_indices("planted") {
            let word = &text[at..];
            let word = &word[..word.find('\n').unwrap_or(word.len())];
            let shown = line(text, word);
            assert!(!shown.contains("planted"), "{shown}\n{text}");
        }
    }

    #[test]
    fn values_of_secrets_are_covered() {
        let secret = "kind: ConfigMap\ndata: {a: open}\n---\napiVersion: v1\nstringData:\n  a: 'plänted'\n  b: |\n    planted too\nkind: Secret\nmetadata:\n  name: shown\n";
        assert_eq!(line(secret, "plänted"), format!("  a: {}", "*".repeat(10)));
        assert_eq!(line(secret, "too"), "    ******* ***");
        for open in ["data: {a: open}", "apiVersion: v1", "kind: Secret", "  name: shown", "stringData:"] {
            assert_eq!(line(secret, open.trim_start()), open);
        }
        let json = r#"[{"kind": "Secret", "data": {"a": "planted"}}]"#;
        assert!(line(json, "planted").contains(r#""data": "#), "{}", line(json, "planted"));
        hides(json);
        let other = "kind: SecretProviderClass\nspec: {a: open}\n";
        assert_eq!(line(other, "open"), "spec: {a: open}");
        let refers = "kind: Deployment\nspec: {ref: {kind: Secret, name: open}}\n";
        assert_eq!(line(refers, "open"), "spec: {ref: {kind: Secret, name: open}}");
    }

    #[test]
    fn a_secret_in_any_spelling_is_one() {
        for text in [
            "kind: &k Secret\nstringData:\n  a: planted\n",
            "kind: !!str Secret\nstringData: {a: planted}\n",
            "\"k\\u0069nd\": Secret\ndata: {a: planted}\n",
            "kind: \"S\\u0065cret\"\ndata: {a: planted}\n",
            "apiVersion: v1\nmetadata: {name: s}\ndata:\n  a: planted\n",
            "metadata: {name: s, annotations: {a: planted}}\nstringdata: {a: planted}\nDATA: planted\n",
            "kind: Secrets\nstringData: {a: planted}\n",
            "kind: secret\nstringData: {a: planted}\n",
            "kind: Secret\nstringData:\n  a: |\n    one\n    ---x\n    planted\n  b: planted b\n",
            "kind: List\nitems:\n- kind: Secret\n  data: {a: planted}\n",
            "kind: SecretList\nitems:\n- data: {a: planted}\n",
            "kind: Template\nobjects:\n- kind: Secret\n  stringData: {a: planted}\n",
            "kind: Secret\nannotations: &x {a: planted}\nspec: [planted b]\n",
        ] {
            hides(text);
        }
    }

    #[test]
    fn where_nothing_can_be_read_whatever_may_be_a_value_is_covered() {
        for text in [
            "kind: &k Secret\nstringData:\n  a: planted: x\n",
            "kind: !!str Secret\nstringData:\n  a: planted: x\n",
            "\"k\\u0069nd\": Secret\ndata:\n  a: planted: x\n",
            "kind: \"S\\u0065cret\"\ndata:\n  a: planted: x\n",
            "kind: |\n  Secret\ndata:\n  a: planted: x\n",
            "apiVersion: v1\nmetadata: {name: s}\ndata:\n  a: planted: x\n",
            "metadata: {name: s}\nstringData:\n  a: planted: x\n",
            "DATA:\n  a: planted: x\n",
            "kind: Secret\nstringData:\n  a: |\n    one\n---x\n    planted\n",
            "kind: Secret\nstringData:\n  planted: planted: x\n",
            "{\"kind\": \"Secret\", \"data\": {\"a\": \"planted\"}\n",
            "secretGenerator:\n- name: a\n  literals:\n  - a=planted\n bad: [\n",
            "patches:\n- target: {kind: Secret}\n  patch: |\n    stringData: {a: planted}\nx: y: z\n",
        ] {
            hides(text);
        }
        let secret = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: shown\n\tx: y\n";
        for open in ["apiVersion: v1", "kind: Secret", "metadata:", "  name: shown"] {
            assert_eq!(line(secret, open.trim_start()), open);
        }
        let other = "apiVersion: v1\nkind: ConfigMap\ndata:\n  a: open: x\n";
        assert_eq!(line(other, "open"), "  a: open: x");
        let other = "apiVersion: apps/v1\nkind: Deployment\nspec:\n  secretName: open: x\n";
        assert_eq!(line(other, "open"), "  secretName: open: x");
        let other = "resources: [open\nnamePrefix: a-\n";
        assert_eq!(line(other, "open"), "resources: [open");
    }

    #[test]
    fn literals_of_secret_generators_are_covered() {
        let kustomization = "secretGenerator:\n- name: one # n\n  files:\n  - tls.key=open/file\n  literals:\n  - password=planted\n  - 'a=planted b'\n  - |-\n    name=planted c\n    type: planted d\n  - plantedonly\n  type: Opaque\nconfigMapGenerator:\n- name: two\n  literals: [a=open]\n";
        hides(kustomization);
        for open in ["  - tls.key=open/file", "  type: Opaque", "  literals: [a=open]"] {
            assert_eq!(line(kustomization, open.trim_start()), open);
        }
        assert_eq!(line(kustomization, "password="), "  - password=*******");
        assert_eq!(line(kustomization, "planted b"), "  - 'a=******* **");
        assert_eq!(line(kustomization, "name: one"), "- name: one * *");
        for text in [
            "secretGenerator: [{name: a, literals: [b=planted]}]\n",
            "{\n  \"secretGenerator\": [\n    {\n      \"literals\": [\n        \"a=planted\"\n      ]\n    }\n  ]\n}\n",
            "apiVersion: builtin\nkind: SecretGenerator\nmetadata: {name: x}\nliterals:\n- a=planted\n",
            "secretGenerator:\n- name: a\n  literal: b=planted\n",
        ] {
            hides(text);
        }
    }

    #[test]
    fn patches_of_data_are_covered() {
        let patch = "- op: replace\n  path: /data/a\n  value: planted\n- {op: add, path: /stringData/b, value: planted b}\n- {op: test, path: /stringdata/b, value: planted c}\n- op: add\n  path: ''\n  value: {data: {a: planted d}}\n- {op: add, path: /metadata/annotations/a, value: planted e}\n";
        hides(patch);
        assert_eq!(line(patch, "/data/a"), "  path: /data/a");
        let other = "- op: replace\n  path: /spec/a\n  value: open\n";
        assert_eq!(line(other, "open"), "  value: open");
        let data = "- op: replace\n  path: /data/a\n  value: open\n";
        assert_eq!(line_of(data, "open", "ConfigMap"), "  value: open");
        assert_eq!(line_of(other, "open", "Secret|ConfigMap"), "  value: ****");
        let strategic = "metadata: {name: s}\nspec: {a: open}\n";
        assert_eq!(line(strategic, "open"), "spec: {a: open}");
        assert!(!line_of(strategic, "open", "Secret").contains("open"));
        let within = "patches:\n- target: {kind: Secret}\n  patch: |\n    metadata: {name: s}\n    stringData: {a: planted}\n- patch: |\n    kind: Secret\n    data: {a: planted b}\n- target: {kind: Deployment}\n  patch: |\n    spec: {a: open}\n";
        hides(within);
    }

    #[test]
    fn marked_values_are_covered() {
        let sources = Sources::default();
        let text = "spec:\n  parameters:\n    password: planted\n    domain: open\n";
        let (id, _) = sources.add("kfc.yaml", text);
        let at = |word: &str| Mark { source: id, offset: u32::try_from(text.find(word).unwrap()).unwrap() };
        sources.hide(at("planted"));
        assert_eq!(redacted_line(&sources, at("planted"), "    password: planted"), "    password: *******");
        assert_eq!(redacted_line(&sources, at("domain"), "    domain: open"), "    domain: open");
        let (id, _) = sources.add("parameter password", "planted");
        let mark = Mark { source: id, offset: 0 };
        sources.hide(mark);
        assert_eq!(redacted_line(&sources, mark, "planted"), "*******");
        let (id, _) = sources.add("--set", "c.pw=planted");
        let mark = Mark { source: id, offset: 5 };
        sources.hide(mark);
        assert_eq!(redacted_line(&sources, mark, "c.pw=planted"), "c.pw=*******");
        assert_eq!(super::values(&sources, id), ["planted"]);
        hides("apiVersion: kfc.dev/v1alpha1\nkind: Stack\nspec:\n  parameters:\n    c: {pw: planted: x}\n");
        hides("apiVersion: kfc.dev/v1alpha1\nkind:\n  \"Stack\"\nspec:\n  parameters:\n    pw: planted: x\n");
        hides("kind: Component\nspec:\n  parameters:\n    pw: {writeOnly: true, default: planted: x}\n");
        hides("kind: List\nitems:\n- kind:\n    Secret\n  data:\n    pw: planted: x\n");
    }
}
