//! Documents by the grammar of YAML: scalars of all styles and types, collections in blocks and braces, anchors, tags, comments.
//! A document is a resource whose body is random; it is built as it is, as a patch, or under a transformer.

use super::Tree;
use super::chance::Chance;
use std::fmt::Write as _;

/// Words that some version of YAML, or Go's library, reads as something else than a text.
const WORDS: &[&str] = &[
    "y",
    "Y",
    "n",
    "N",
    "yes",
    "Yes",
    "YES",
    "no",
    "No",
    "NO",
    "on",
    "On",
    "ON",
    "off",
    "Off",
    "OFF",
    "true",
    "True",
    "TRUE",
    "false",
    "False",
    "FALSE",
    "tRue",
    "null",
    "Null",
    "NULL",
    "nULL",
    "~",
    "",
    "0",
    "-0",
    "+0",
    "1",
    "+1",
    "-1",
    "007",
    "08",
    "09",
    "0o7",
    "0O7",
    "0o8",
    "-0o7",
    "0x1F",
    "0X1f",
    "-0x1",
    "0xG",
    "0b11",
    "0B1",
    "-0b1",
    "0b2",
    "1_000",
    "_1",
    "1_",
    "1__0",
    "0x_1",
    "1.",
    ".5",
    "-.5",
    "+.5",
    "1.0",
    "1.50",
    "-1.25",
    "1e3",
    "1E3",
    "1e+3",
    "1.5e-3",
    "1e",
    "e1",
    ".e1",
    "1e400",
    "-1e400",
    "1e-400",
    "0.1",
    "0.30000000000000004",
    "1e21",
    "1e20",
    "123456789012",
    "9007199254740993",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "-9223372036854775809",
    "18446744073709551615",
    "18446744073709551616",
    "0xFFFFFFFFFFFFFFFF",
    "0o1777777777777777777777",
    "1:30",
    "190:20:30",
    "1:60",
    "190:20:30.15",
    "12:30:45",
    "-1:30",
    ".inf",
    ".Inf",
    ".INF",
    "+.inf",
    "-.inf",
    "-.Inf",
    ".nan",
    ".NaN",
    ".NAN",
    ".iNF",
    "inf",
    "nan",
    "NaN",
    "Infinity",
    "2020-01-01",
    "2020-1-1",
    "2020-13-01",
    "2020-02-30",
    "2001-12-14t21:59:43.10-05:00",
    "2001-12-14 21:59:43.10 -5",
    "2001-12-15 2:59:43.10",
    "2001-12-14T21:59:43Z",
    "2020-01-01T00:00:00.000000001Z",
    "20200101",
    "<<",
    "=",
    ".",
    "..",
    "...",
    "-",
    "--",
    "---",
    "- a",
    "a - b",
    "?",
    "? a",
    ":",
    "::",
    "a:",
    ":a",
    "a:b",
    "a: b",
    "#",
    "#a",
    "a#b",
    "a #b",
    "&a",
    "*a",
    "!a",
    "!!a",
    "|",
    ">",
    "|a",
    ">a",
    "%a",
    "@a",
    "`a`",
    "'",
    "\"",
    "a'b",
    "a\"b",
    "''",
    "\"\"",
    "[",
    "]",
    "{",
    "}",
    "[a",
    "a]",
    "{a",
    "a}",
    "a,b",
    ",",
    ",a",
    "[]",
    "{}",
    "\\",
    "\\n",
    "a\\",
    "$",
    "$a",
    "$(A)",
    "${A}",
    "(",
    ")",
    "a b",
    "a  b",
    " a",
    "a ",
    "  ",
    "\t",
    "a\tb",
    "\ta",
    "a\t",
    "\n",
    "a\n",
    "\na",
    "a\nb",
    "a\n\nb",
    "a\n b",
    " a\nb",
    "a\nb\n",
    "a\nb\n\n",
    "a \nb",
    "é",
    "ü b",
    "日本",
    "日本: x",
    "😀",
    "😀 #",
    "\u{7f}",
    "\u{80}",
    "\u{85}",
    "a\u{85}b",
    "\u{a0}",
    "a\u{a0}b",
    "\u{2028}",
    "a\u{2028}b",
    "\u{2029}",
    "\u{feff}",
    "a\u{feff}b",
    "\u{fffd}",
    "\u{e000}",
    "\u{1f}",
    "\u{7}",
    "\u{0}",
    "\u{1b}",
    "\r",
    "a\rb",
    "a\r\nb",
    "a:\tb",
    "a\t#b",
    "0.",
    "00",
    "0_0",
    "+",
    "+a",
    "1a",
    "1-1",
    "1/2",
    "1%",
    "1k",
    "1Gi",
    "100m",
    "0.5.1",
    "v1",
    "1.2.3",
    "1,000",
    "!!str",
    "tag:yaml.org,2002:str",
    "<",
    "<<<",
    "==",
    "a=b",
    "key=value",
    "http://a.b/c?d=e&f=g#h",
    "C:\\x",
    "a/b",
    "/",
    "//",
    "~a",
    "a~",
    "null ",
    "Nul",
    "TRUE1",
    "truetrue",
    "0x",
    "0b",
    "0o",
    "-",
    "-a",
    "-1a",
    "--x=y",
    "-.",
    "+.",
    ".a",
    ".1a",
    ".1_0",
    "1.1_1",
    "1_1.1",
];

/// Pieces of longer texts.
const PIECES: &[&str] = &[
    "a",
    "word",
    "two words",
    "x: y",
    "- item",
    "# no comment",
    "trailing ",
    "tab\there",
    "'single'",
    "\"double\"",
    "back\\slash",
    "{brace}",
    "[bracket]",
    "é",
    "日本語",
    "😀",
    "end.",
    "1",
    "true",
    "|",
    ">",
    "&x",
    "*x",
    "%",
    "a:b",
    "http://x.y/z",
    "$(VAR)",
    "0x1F",
    "longer-than-most-words-are",
];

const KEYS: &[&str] = &[
    "a", "b", "c", "d", "name", "value", "alpha", "beta", "key", "image", "path", "Zeta", "a.b", "a/b",
    "a-b", "x_y", "item10", "item9", "é", "日本",
];

/// Keys whose spelling matters.
const ODD_KEYS: &[&str] = &[
    "\"a\"", "'b'", "yes", "\"yes\"", "1", "\"1\"", "1.5", "~", "\"~\"", "true", "\"true\"", "\"a b\"",
    "a b", "\"\"", "? a\n", "\"a: b\"", "!!str k", "&k k",
];

/// Writes one document.
struct Document<'c> {
    chance: &'c mut Chance,
    text: String,
    anchors: Vec<String>,
    /// Whether values in braces may be missing. In patches they are null to kustomize, which docs/kustomize.md lists.
    may_miss: bool,
}

impl Document<'_> {
    fn spaces(&mut self, count: usize) {
        self.text.extend(std::iter::repeat_n(' ', count));
    }

    /// The end of a line, perhaps with a comment, spaces, or empty lines after it.
    fn end_line(&mut self) {
        match self.chance.between(0, 60) {
            0 => self.text.push_str(" # a comment"),
            1 => self.text.push(' '),
            2 => self.text.push_str("\t# x"),
            3 => self.text.push('\n'),
            4 => self.text.push_str("\n# alone"),
            5 => self.text.push_str("\n    # alone, further in"),
            _ => {}
        }
        self.text.push('\n');
    }

    fn anchor(&mut self) {
        let name = format!("n{}", self.anchors.len());
        let _ = write!(self.text, "&{name} ");
        self.anchors.push(name);
    }

    /// What follows `:` or `-`, with the end of its line.
    fn value(&mut self, indent: usize, depth: usize) {
        self.text.push(' ');
        if self.chance.one_in(60) && !self.anchors.is_empty() {
            let name = self.chance.pick(&self.anchors);
            let _ = write!(self.text, "*{name}");
            self.end_line();
            return;
        }
        let is_anchored = self.chance.one_in(40);
        let before = self.anchors.len();
        if is_anchored {
            self.anchor();
        }
        // Nothing inside of a value refers to the value itself.
        let own = self.anchors.split_off(before);
        match self.chance.between(0, if depth == 0 { 7 } else { 14 }) {
            0..=7 => self.scalar(indent),
            8 => {
                let flow = self.flow(2, indent + 2);
                self.text.push_str(&flow);
                self.end_line();
            }
            9..=11 => {
                self.text.push('\n');
                let deeper = indent + self.chance.pick(&[1, 2, 2, 2, 4]);
                self.mapping(deeper, depth - 1, true);
            }
            _ => {
                self.text.push('\n');
                let deeper = indent + self.chance.pick(&[0, 0, 2, 2, 1, 4]);
                self.sequence(deeper, depth - 1);
            }
        }
        self.anchors.extend(own);
    }

    fn mapping(&mut self, indent: usize, depth: usize, is_at_line: bool) {
        let mut keys: Vec<String> = self.chance.some(KEYS, 1, 4).into_iter().map(str::to_owned).collect();
        if self.chance.one_in(12) {
            keys.push(self.chance.pick(ODD_KEYS).to_owned());
        }
        for (at, key) in keys.iter().enumerate() {
            if at > 0 || is_at_line {
                self.spaces(indent);
            }
            match key.strip_suffix('\n') {
                Some(explicit) => {
                    let _ = write!(self.text, "{explicit}\n{}:", " ".repeat(indent));
                }
                None => {
                    let _ = write!(self.text, "{key}:");
                }
            }
            self.value(indent, depth);
        }
        if self.chance.one_in(50) && !self.anchors.is_empty() {
            let name = self.chance.pick(&self.anchors);
            let _ = writeln!(self.text, "{}<<: *{name}", " ".repeat(indent));
        }
    }

    fn sequence(&mut self, indent: usize, depth: usize) {
        for _ in 0..self.chance.between(1, 4) {
            self.spaces(indent);
            self.text.push('-');
            if depth > 0 && self.chance.one_in(3) {
                self.text.push(' ');
                self.mapping(indent + 2, depth - 1, false);
            } else if depth > 0 && self.chance.one_in(12) {
                self.text.push(' ');
                let at = self.text.len();
                self.sequence(indent + 2, depth - 1);
                // The first of the items is on the line of the dash.
                self.text.replace_range(at..at + indent + 2, "");
            } else {
                self.value(indent, 0);
            }
        }
    }

    /// A collection in braces, or a scalar in one.
    fn flow(&mut self, depth: usize, indent: usize) -> String {
        let gap = match self.chance.between(0, 12) {
            0 => format!("\n{}", " ".repeat(indent)),
            1 => String::new(),
            _ => " ".to_owned(),
        };
        let count = self.chance.between(0, 3);
        match self.chance.between(0, if depth == 0 { 3 } else { 7 }) {
            0 => self
                .chance
                .pick(&["a", "1", "true", "~", "yes", "2020-01-01", "1.50", "0x1F", "a b", "a:b", "-1", "é"])
                .to_owned(),
            1 => double_quoted(self.chance.pick(WORDS)),
            2 => single_quoted(self.chance.pick(PIECES)),
            3 if self.may_miss => self.chance.pick(&["", "null", "\"\"", "''"]).to_owned(),
            3 => self.chance.pick(&["null", "\"\"", "''"]).to_owned(),
            4 | 5 => {
                let mut items: Vec<String> = (0..count).map(|_| self.flow(depth - 1, indent)).collect();
                // Nothing between commas is an error.
                items.retain(|item| !item.is_empty());
                if self.chance.one_in(10) && !items.is_empty() {
                    items.push(String::new());
                }
                format!("[{}]", items.join(&format!(",{gap}")))
            }
            _ => {
                let keys = self.chance.some(KEYS, 0, 3);
                let fields: Vec<String> = keys
                    .into_iter()
                    .map(|key| match self.chance.between(0, 12) {
                        0 if self.may_miss => key.to_owned(),
                        1 => format!("\"{key}\":{}", self.flow(depth - 1, indent)),
                        _ => format!("{key}: {}", self.flow(depth - 1, indent)),
                    })
                    .collect();
                format!("{{{}}}", fields.join(&format!(",{gap}")))
            }
        }
    }

    /// A scalar of any style, with the end of its line.
    fn scalar(&mut self, indent: usize) {
        if self.chance.one_in(40) {
            let tag = self.chance.pick(&[
                "!!str ",
                "!!int ",
                "!!float ",
                "!!bool ",
                "!!null ",
                "!!binary ",
                "! ",
                "!own ",
                "!!timestamp ",
            ]);
            self.text.push_str(tag);
        }
        match self.chance.between(0, 11) {
            0..=2 => {
                let word = self.chance.pick(&[
                    "a",
                    "word",
                    "two words",
                    "1",
                    "true",
                    "a-b",
                    "x.y",
                    "1.0",
                    "v1",
                    "é",
                ]);
                self.text.push_str(word);
            }
            3 | 4 => {
                let word = self.chance.pick(WORDS);
                let text = if is_plain(word) { word.to_owned() } else { double_quoted(word) };
                self.text.push_str(&text);
            }
            5 => {
                let text = double_quoted(&self.phrase());
                self.text.push_str(&text);
            }
            6 => {
                let text = single_quoted(&self.phrase());
                self.text.push_str(&text);
            }
            7 => self.over_lines(indent),
            8 => {
                let words = self.chance.between(15, 40);
                let long: Vec<&str> =
                    (0..words).map(|_| self.chance.pick(&["word", "a", "longer-word", "é", "x.y"])).collect();
                let long = long.join(" ");
                let text = match self.chance.between(0, 2) {
                    0 => long,
                    1 => single_quoted(&long),
                    _ => double_quoted(&long),
                };
                self.text.push_str(&text);
            }
            9 => {}
            _ => return self.block(indent),
        }
        self.end_line();
    }

    fn phrase(&mut self) -> String {
        let count = self.chance.between(1, 5);
        let pieces: Vec<&str> = (0..count).map(|_| self.chance.pick(PIECES)).collect();
        let between = self.chance.pick(&[" ", " ", " ", "\n", "  ", "\t", "\n\n"]);
        pieces.join(between)
    }

    /// A scalar without quotes or in quotes that goes on in the next lines.
    fn over_lines(&mut self, indent: usize) {
        let quote = self.chance.pick(&["", "'", "\""]);
        let lines = self.chance.between(2, 4);
        self.text.push_str(quote);
        for at in 0..lines {
            if at > 0 {
                self.text.push_str(self.chance.pick(&["\n", "\n", "\n\n", " \n"]));
                let deeper = self.chance.between(1, 4);
                self.spaces(indent + deeper);
            }
            let piece = self.chance.pick(&["a", "some words", "é x", "1", "end.", "x-y", "a/b"]);
            self.text.push_str(piece);
            if quote == "\"" && self.chance.one_in(6) {
                self.text.push('\\');
            }
        }
        if self.text.ends_with('\\') {
            self.text.push('n');
        }
        self.text.push_str(quote);
    }

    /// A literal or folded block.
    fn block(&mut self, indent: usize) {
        let style = self.chance.pick(&["|", ">"]);
        let chomp = self.chance.pick(&["", "", "-", "+"]);
        let deeper = self.chance.pick(&[1, 2, 2, 2, 4]);
        let is_explicit = self.chance.one_in(5);
        self.text.push_str(style);
        if is_explicit {
            let _ = write!(self.text, "{deeper}");
        }
        self.text.push_str(chomp);
        if self.chance.one_in(15) {
            self.text.push_str(" # a comment");
        }
        self.text.push('\n');
        let count = self.chance.between(0, 6);
        for at in 0..count {
            match self.chance.between(0, 9) {
                0 => self.text.push('\n'),
                1 if at > 0 || is_explicit => {
                    self.spaces(indent + deeper);
                    self.text.push_str(self.chance.pick(&["  further in\n", " \n", "\ttab\n", "   x\n"]));
                }
                2 => {
                    self.spaces(indent + deeper);
                    let long = vec!["word"; self.chance.between(10, 30)].join(" ");
                    let _ = writeln!(self.text, "{long}");
                }
                _ => {
                    self.spaces(indent + deeper);
                    let phrase = self.phrase().replace('\n', " ");
                    let _ = writeln!(self.text, "{phrase}");
                }
            }
        }
        for _ in 0..self.chance.pick(&[0, 0, 0, 1, 2]) {
            self.text.push('\n');
        }
    }
}

/// Whether a word may be written without quotes after a colon.
fn is_plain(word: &str) -> bool {
    !word.contains(|c: char| c.is_control() || c == '\u{2028}' || c == '\u{2029}' || c == '\u{feff}')
        && !word
            .starts_with(['[', ']', '{', '}', ',', '&', '*', '!', '|', '>', '%', '@', '`', '\'', '"', '#'])
        && !word.contains(": ")
        && !word.ends_with(':')
        && !word.contains(" #")
        && !["- ", "? "].iter().any(|start| word.starts_with(start))
        && !matches!(word, "-" | "?" | ":" | "---")
}

fn double_quoted(text: &str) -> String {
    serde_json::Value::String(text.to_owned()).to_string()
}

/// In single quotes; as YAML folds lines, a line break is an empty line.
fn single_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''").replace('\n', "\n\n  "))
}

const KUSTOMIZATION: &str = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n";

/// How a document is used.
#[derive(Clone, Copy)]
enum Use {
    Resource,
    Annotated,
    Patch,
    JsonPatch,
}

/// The tree that uses a document, which is a resource called `web`.
fn used(document: String, how: Use) -> Tree {
    let body = match how {
        Use::Resource => "resources: [document.yaml]\n",
        Use::Annotated => "resources: [document.yaml]\ncommonAnnotations: {by: test}\nnamePrefix: pre-\n",
        Use::Patch => "resources: [base.yaml]\npatches:\n- path: document.yaml\n",
        Use::JsonPatch => {
            "resources: [document.yaml]\npatches:\n- target: {name: web}\n  patch: |-\n    - {op: add, path: /metadata/annotations, value: {x: y}}\n    - {op: copy, from: /kind, path: /copied}\n"
        }
    };
    let mut tree = Tree::default();
    tree.add("kustomization.yaml", format!("{KUSTOMIZATION}{body}"));
    tree.add("document.yaml", document);
    if matches!(how, Use::Patch) {
        let base = "apiVersion: example.com/v1\nkind: Widget\nmetadata:\n  name: web\n  annotations:\n    a: '1'\nspec:\n  a: 1\n  alpha:\n    a: x\n    b:\n    - 1\n    c:\n      d: e\n  name:\n  - a\n  - b\n  value: text\n  b:\n  - name: a\n    value: b\n";
        tree.add("base.yaml", base.to_owned());
    }
    tree
}

/// The other forms of a document that mean the same: line breaks, a byte order mark, an anchor, comments, markers.
fn reformed(document: String, chance: &mut Chance) -> String {
    match chance.between(0, 20) {
        0 => document.replace('\n', "\r\n"),
        1 => format!("\u{feff}{document}"),
        2 => document.replacen("kind:", "kind: &kind", 1),
        // A comment after a block that keeps its line breaks adds one, which docs/kustomize.md lists.
        3 if !["|+", ">+", "2+", "1+", "4+"].iter().any(|keeps| document.contains(keeps)) => {
            format!("# first\n{document}# last\n")
        }
        4 => format!("---\n{document}"),
        5 => format!("{document}...\n"),
        6 => format!("---\n# only a comment\n---\n{document}---\n"),
        7 => document.trim_end_matches('\n').to_owned(),
        8 => format!("%YAML 1.1\n---\n{document}"),
        _ => document,
    }
}

/// A document by the grammar.
pub(super) fn grown(chance: &mut Chance) -> Tree {
    let how = match chance.between(0, 9) {
        0..=4 => Use::Resource,
        5 | 6 => Use::Annotated,
        7 => Use::JsonPatch,
        _ => Use::Patch,
    };
    let may_miss = !matches!(how, Use::Patch);
    let mut document = Document { chance, text: String::new(), anchors: Vec::new(), may_miss };
    document.text.push_str("apiVersion: example.com/v1\nkind: Widget\nmetadata:\n  name: web\n");
    if document.chance.one_in(3) {
        document.text.push_str("  annotations:\n");
        for key in document.chance.some(&["note", "a/b", "config", "x"], 1, 3) {
            let _ = write!(document.text, "    {key}: ");
            let word = document.chance.pick(WORDS);
            let text = if document.chance.one_in(2) {
                double_quoted(word)
            } else {
                single_quoted(&document.phrase())
            };
            document.text.push_str(&text);
            document.text.push('\n');
        }
    }
    document.text.push_str("spec:\n");
    document.mapping(2, 3, true);
    let text = document.text;
    used(reformed(text, chance), how)
}

/// Where a word can be in a document: `@` is its place.
const PLACES: &[&str] = &[
    "spec:\n  a: @\n",
    "spec:\n  @: a\n",
    "spec:\n- @\n",
    "spec: [@]\n",
    "spec: [a, @, b]\n",
    "spec: {a: @}\n",
    "spec: {@: a}\n",
    "spec: {@}\n",
    "spec:\n  a: @ # a comment\n",
    "spec:\n- @: a\n",
    "spec:\n- - @\n",
    "spec: @\n",
    "spec:\n  ? @\n  : a\n",
    "spec:\n  a: &n @\n  b: *n\n",
    "spec:\n  a: !!str @\n",
    "spec:\n  a: >-\n    @\n",
    "spec:\n  a: |\n    @\n",
    "spec:\n  a:\n    @\n",
    "spec:\n  a: x\n    @\n",
    "spec:\n  a: x @\n",
    "data:\n  a: @\n",
    "@: a\n",
];

/// Where it can be in the metadata and data that kustomize reads itself.
const OWN_PLACES: &[&str] = &[
    "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: web\n  labels:\n    a: @\n",
    "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: web\n  annotations:\n    a: @\n",
    "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: @\n",
    "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: web\n  namespace: @\n",
    "apiVersion: v1\nkind: @\nmetadata:\n  name: web\n",
    "apiVersion: @\nkind: ConfigMap\nmetadata:\n  name: web\n",
    "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: web\n  annotations:\n    @: a\n",
    "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: web\n  labels: {a: @}\n",
];

/// A word in a spelling, in a place: all of them in turn, and `None` after the last.
pub(super) fn word(at: usize) -> Option<Tree> {
    let places = PLACES.len() + OWN_PLACES.len();
    let (word, rest) = (at / (places * 3), at % (places * 3));
    let (spelling, place) = (rest / places, rest % places);
    let word = WORDS.get(word)?;
    let spelled = match spelling {
        0 => (*word).to_owned(),
        1 => double_quoted(word),
        _ => single_quoted(word),
    };
    let text = match PLACES.get(place) {
        Some(body) => format!(
            "apiVersion: example.com/v1\nkind: Widget\nmetadata:\n  name: web\n{}",
            body.replace('@', &spelled)
        ),
        None => OWN_PLACES[place - PLACES.len()].replace('@', &spelled),
    };
    let how = if (at + at / places).is_multiple_of(2) { Use::Resource } else { Use::Annotated };
    Some(used(text, how))
}
