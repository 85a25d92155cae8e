//! What the rules of a CRD may cost. They come with bundles that others wrote, and the library that runs them has no
//! limits, which the API server has.
//!
//! A rule is looked at twice: as text, before the library reads it, since that nests as deep as the rule does; and as an
//! expression over the sizes of the values that it gets, since a rule in three loops over a list of thousands never ends.

use super::expressions::compile;
use kube_cel::cel::common::ast::{ComprehensionExpr, EntryExpr, Expr, IdedExpr, LiteralValue};
use serde_json::Value;
use std::collections::HashMap;

/// Signs other than letters, digits and commas in a rule. Each can be a level of nesting.
const MOST_SIGNS: usize = 2000;
/// Brackets within brackets, as cel-go has it.
const DEEPEST: usize = 250;
/// Steps of one rule on one value, and of all rules on a resource. The API server stops far below.
const MOST_STEPS: f64 = 5e7;
const MOST_STEPS_OF_ALL: f64 = 2e8;
/// Items and bytes that a value may have while a rule runs.
const LARGEST: f64 = 1e7;
/// Digits of a width or precision in a format.
const MOST_DIGITS: usize = 3;
/// The field of a schema that has its rules.
const RULES: &str = "x-kubernetes-validations";

/// A rule that is not run, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    /// The rule.
    pub(super) rule: String,
    /// Why it is not run.
    pub(super) why: String,
}

/// The rules of a schema as the library reads them, by their text.
#[derive(Debug, Default)]
pub(super) struct Budget {
    expressions: HashMap<String, IdedExpr>,
}

impl Budget {
    /// Reads the rules of a schema, and takes out those that the library must not read.
    pub(super) fn of(schema: &mut Value) -> (Self, Vec<Refused>) {
        let mut budget = Self::default();
        let mut refused = Vec::new();
        each_rule(schema, &mut |entry| match budget.read(entry) {
            Ok(()) => true,
            Err(why) => {
                refused.push(Refused { rule: text(entry, "rule").to_owned(), why });
                false
            }
        });
        (budget, refused)
    }

    fn read(&mut self, entry: &Value) -> Result<(), String> {
        for field in ["rule", "messageExpression"] {
            let rule = text(entry, field);
            if rule.is_empty() || self.expressions.contains_key(rule) {
                continue;
            }
            check_text(rule)?;
            // What cannot be read is reported by the library.
            let Ok(program) = compile(rule) else { continue };
            Costs::default().of(program.expression()).allowed()?;
            self.expressions.insert(rule.to_owned(), program.expression().clone());
        }
        Ok(())
    }

    /// Takes the rules out of a schema that would take too long on an object.
    pub(super) fn refuse_costly(&self, schema: &Value, object: &Value) -> Option<(Value, Vec<Refused>)> {
        let mut costs: HashMap<&str, f64> = HashMap::new();
        let mut costly: HashMap<String, String> = HashMap::new();
        self.visit(schema, object, &mut |rule, bound| {
            let cost = Costs { value: bound, ..Costs::default() }.of(&self.expressions[rule]);
            let all = costs.entry(rule).or_default();
            *all += cost.steps;
            if let Err(why) = cost.allowed() {
                costly.insert(rule.to_owned(), why);
            } else if *all > MOST_STEPS_OF_ALL {
                costly.insert(rule.to_owned(), too_many(*all));
            }
        });
        if costly.is_empty() {
            return None;
        }
        let mut rest = schema.clone();
        let mut refused = Vec::new();
        each_rule(&mut rest, &mut |entry| {
            let why =
                ["rule", "messageExpression"].into_iter().find_map(|field| costly.get(text(entry, field)));
            if let Some(why) = why {
                refused.push(Refused { rule: text(entry, "rule").to_owned(), why: why.clone() });
            }
            why.is_none()
        });
        Some((rest, refused))
    }

    /// Calls `found` with every rule and what it can get, for every value that the rule runs on.
    fn visit<'s>(&self, schema: &'s Value, value: &Value, found: &mut dyn FnMut(&'s str, Bound)) {
        let entries = schema.get(RULES).and_then(Value::as_array).into_iter().flatten();
        let rules = entries.flat_map(|entry| ["rule", "messageExpression"].map(|field| text(entry, field)));
        let mut bound = None;
        for rule in rules.filter(|rule| self.expressions.contains_key(*rule)) {
            found(rule, *bound.get_or_insert_with(|| Bound::of(value)));
        }
        match value {
            Value::Object(fields) => {
                for (name, field) in fields {
                    let below = schema.get("properties").and_then(|properties| properties.get(name));
                    if let Some(below) = below.or_else(|| schema.get("additionalProperties")) {
                        self.visit(below, field, found);
                    }
                }
            }
            Value::Array(items) => {
                if let Some(below) = schema.get("items") {
                    for item in items {
                        self.visit(below, item, found);
                    }
                }
            }
            _ => {}
        }
    }
}

fn text<'e>(entry: &'e Value, field: &str) -> &'e str {
    entry.get(field).and_then(Value::as_str).unwrap_or_default()
}

/// Calls `keep` with every rule of a schema, and takes out those that it gives false for.
fn each_rule(schema: &mut Value, keep: &mut dyn FnMut(&Value) -> bool) {
    match schema {
        Value::Object(fields) => {
            for (name, field) in fields {
                match field {
                    Value::Array(entries) if name == RULES => entries.retain(|entry| keep(entry)),
                    field => each_rule(field, keep),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| each_rule(item, keep)),
        _ => {}
    }
}

/// Whether an expression may run on an object.
///
/// # Errors
/// Why it may not.
pub(super) fn check_cost(expression: &IdedExpr, object: &Value) -> Result<(), String> {
    Costs { value: Bound::of(object), ..Costs::default() }.of(expression).allowed()
}

pub(super) fn check_text(rule: &str) -> Result<(), String> {
    let is_sign = |letter: &char| !letter.is_alphanumeric() && !letter.is_whitespace() && *letter != ',';
    if rule.chars().filter(is_sign).count() > MOST_SIGNS {
        return Err(format!("it has more than {MOST_SIGNS} operators, brackets and dots"));
    }
    let mut depth = 0_usize;
    for letter in rule.chars() {
        match letter {
            '(' | '[' | '{' | '?' => depth += 1,
            ')' | ']' | '}' | ':' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEEPEST {
            return Err(format!("it nests more than {DEEPEST} levels deep"));
        }
    }
    Ok(())
}

/// How large a value can be.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Bound {
    /// Items of the longest list or map in it.
    items: f64,
    /// Bytes of the longest text in it.
    text: f64,
    /// All items and bytes.
    all: f64,
}

impl Bound {
    /// A number, a boolean.
    const ONE: Self = Self { items: 0.0, text: 32.0, all: 1.0 };

    fn text(length: f64) -> Self {
        Self { items: 0.0, text: length, all: length + 1.0 }
    }

    fn list(count: f64, item: Self) -> Self {
        Self { items: item.items.max(count), all: count * item.all + count + 1.0, ..item }
    }

    #[allow(clippy::cast_precision_loss, reason = "bounds and costs are rough")]
    fn of(value: &Value) -> Self {
        let joined = |count: usize, inside: &mut dyn Iterator<Item = Self>| {
            inside.fold(Self { items: count as f64, text: 0.0, all: 1.0 }, Self::with)
        };
        match value {
            Value::String(text) => Self::text(text.len() as f64),
            Value::Array(items) => joined(items.len(), &mut items.iter().map(Self::of)),
            Value::Object(fields) => {
                let field =
                    |(name, value): (&String, &Value)| Self::of(value).with(Self::text(name.len() as f64));
                joined(fields.len(), &mut fields.iter().map(field))
            }
            _ => Self::ONE,
        }
    }

    /// Both, side by side in one value.
    fn with(self, other: Self) -> Self {
        Self {
            items: self.items.max(other.items),
            text: self.text.max(other.text),
            all: self.all + other.all,
        }
    }

    /// Either.
    fn or(self, other: Self) -> Self {
        Self { all: self.all.max(other.all), ..self.with(other) }
    }

    /// One after the other.
    fn and_then(self, other: Self) -> Self {
        Self { items: self.items + other.items, text: self.text + other.text, all: self.all + other.all }
    }

    fn times(self, factor: f64) -> Self {
        Self { text: self.text * factor, all: self.all * factor, ..self }
    }
}

/// What an expression takes at most.
struct Cost {
    steps: f64,
    /// The largest value on the way.
    largest: f64,
    /// Why it cannot be calculated.
    unclear: Option<String>,
}

impl Cost {
    fn allowed(self) -> Result<(), String> {
        match self.unclear {
            Some(why) => Err(why),
            None if self.steps > MOST_STEPS => Err(too_many(self.steps)),
            None if self.largest > LARGEST => Err("a value in it could be larger than 10 MB".to_owned()),
            None => Ok(()),
        }
    }
}

fn too_many(steps: f64) -> String {
    format!("it could take {steps:.0e} steps on this object")
}

/// Calculates costs. The variables of loops have the bounds of what is looped over.
#[derive(Default)]
struct Costs {
    /// What the value of the rule can be.
    value: Bound,
    variables: Vec<(String, Bound)>,
    largest: f64,
    unclear: Option<String>,
}

impl Costs {
    fn of(mut self, expression: &IdedExpr) -> Cost {
        let (gives, steps) = self.cost(expression);
        Cost { steps, largest: self.largest.max(gives.all), unclear: self.unclear }
    }

    fn cost(&mut self, expression: &IdedExpr) -> (Bound, f64) {
        let (gives, steps) = match &expression.expr {
            Expr::Literal(value) => (literal(value), 1.0),
            Expr::Ident(name) => {
                let known = self.variables.iter().rev().find(|(known, _)| known == name);
                (known.map_or(self.value, |(_, bound)| *bound), 1.0)
            }
            Expr::Select(select) => self.cost(&select.operand),
            Expr::Call(call) => {
                let operands: Vec<&IdedExpr> = call.target.as_deref().into_iter().chain(&call.args).collect();
                self.call(&call.func_name, call.target.is_some(), &operands)
            }
            Expr::List(list) => self.joined(&list.elements.iter().collect::<Vec<_>>()),
            Expr::Map(map) => self.entries(map.entries.iter().map(|entry| &entry.expr)),
            Expr::Struct(value) => self.entries(value.entries.iter().map(|entry| &entry.expr)),
            Expr::Comprehension(loops) => self.loops(loops),
            Expr::Unspecified => (Bound::ONE, 1.0),
        };
        self.largest = self.largest.max(gives.all);
        (gives, steps + 1.0)
    }

    fn entries<'e>(&mut self, entries: impl Iterator<Item = &'e EntryExpr>) -> (Bound, f64) {
        let inside: Vec<&IdedExpr> = entries
            .flat_map(|entry| match entry {
                EntryExpr::StructField(field) => vec![&field.value],
                EntryExpr::MapEntry(entry) => vec![&entry.key, &entry.value],
            })
            .collect();
        self.joined(&inside)
    }

    #[allow(clippy::cast_precision_loss, reason = "bounds and costs are rough")]
    fn joined(&mut self, inside: &[&IdedExpr]) -> (Bound, f64) {
        let start = Bound { items: inside.len() as f64, text: 0.0, all: 1.0 };
        inside.iter().fold((start, 0.0), |(bound, steps), expression| {
            let (more, cost) = self.cost(expression);
            (bound.with(more), steps + cost)
        })
    }

    /// A macro: `all`, `exists`, `map`, `filter`.
    fn loops(&mut self, loops: &ComprehensionExpr) -> (Bound, f64) {
        let (range, range_steps) = self.cost(&loops.iter_range);
        let (start, start_steps) = self.cost(&loops.accu_init);
        let before = self.variables.len();
        // Together, the items are at most as large as the list.
        let item = Bound { all: range.all / range.items.max(1.0), ..range };
        self.variables.push((loops.iter_var.clone(), item));
        self.variables.extend(loops.iter_var2.clone().map(|name| (name, item)));
        // What one round adds to the result.
        self.variables.push((loops.accu_var.clone(), Bound::default()));
        let (_, condition) = self.cost(&loops.loop_cond);
        let (added, step) = self.cost(&loops.loop_step);
        self.variables.truncate(before);
        let count = range.items.max(1.0);
        let gives = start.with(Bound::list(count, added));
        self.variables.push((loops.accu_var.clone(), gives));
        let (result, result_steps) = self.cost(&loops.result);
        self.variables.truncate(before);
        // Lists are copied when they grow.
        let copies = count * count / 16.0;
        (result, range_steps + start_steps + count * (1.0 + condition + step) + copies + result_steps)
    }

    fn call(&mut self, name: &str, has_target: bool, operands: &[&IdedExpr]) -> (Bound, f64) {
        let costs: Vec<(Bound, f64)> = operands.iter().map(|operand| self.cost(operand)).collect();
        let steps: f64 = costs.iter().map(|(_, steps)| steps).sum();
        let bound = |at: usize| costs.get(at).map_or(Bound::default(), |(bound, _)| *bound);
        let (first, second, third) = (bound(0), bound(1), bound(2));
        let all = costs.iter().fold(Bound::default(), |sum, (bound, _)| sum.with(*bound));
        let (gives, more) = match name {
            "_&&_"
            | "_||_"
            | "!_"
            | "@not_strictly_false"
            | "size"
            | "has"
            | "_-_"
            | "_*_"
            | "_/_"
            | "_%_"
            | "-_" => (Bound::ONE, 1.0),
            "_==_" | "_!=_" | "_<_" | "_<=_" | "_>_" | "_>=_" => {
                (Bound::ONE, first.all.min(second.all) / 16.0)
            }
            "_?:_" | "_?_:_" => (second.or(third), 1.0),
            "_+_" => (first.and_then(second), (first.all + second.all) / 64.0),
            "_[_]" | "_[?_]" | "_?._" => (first, 1.0),
            "@in" | "in" => (Bound::ONE, second.items * (1.0 + first.all / 16.0)),
            // Patterns are compiled each time.
            "matches" | "find" | "findAll" => (Bound::list(first.text, first), 500.0 + first.text / 4.0),
            "startsWith" | "endsWith" | "contains" | "indexOf" | "lastIndexOf" => {
                (Bound::ONE, first.all / 16.0)
            }
            "replace" => (first.times(1.0 + third.text), first.text * (1.0 + third.text) / 16.0),
            "join" => {
                let length = first.all + first.items * second.text;
                (Bound::text(length), length / 16.0)
            }
            "split" => (Bound::list(first.text + 1.0, Bound::ONE).with(first), first.text),
            "lowerAscii" | "upperAscii" | "trim" | "charAt" | "substring" | "reverse" | "slice" | "sort"
            | "sum" | "min" | "max" | "first" | "last" => (first, first.all / 16.0),
            "distinct" | "isSorted" => (first, first.items * first.items),
            "flatten" => (Bound { items: first.all, ..first }, first.all),
            "range" if !has_target || operands.len() == 2 => self.range(operands.last()),
            "format" => self.format(operands),
            "string" | "encode" | "decode" | "quote" | "bytes" | "dyn" | "type" | "int" | "uint"
            | "double" | "bool" => (all.times(4.0).with(Bound::ONE), all.all / 4.0),
            // Of sets, quantities, addresses, versions: at most everything with everything.
            _ => (
                all.times(4.0).with(Bound::ONE),
                10.0 + all.all / 4.0 + (1.0 + all.items) * (1.0 + all.items),
            ),
        };
        (gives, steps + more)
    }

    /// `lists.range(n)`: its length must be a number in the rule.
    #[allow(clippy::cast_precision_loss, reason = "bounds and costs are rough")]
    fn range(&mut self, count: Option<&&IdedExpr>) -> (Bound, f64) {
        if let Some(Expr::Literal(LiteralValue::Int(count))) = count.map(|count| &count.expr) {
            let count = (*count.inner()).max(0) as f64;
            (Bound::list(count, Bound::ONE), count)
        } else {
            self.unclear = Some("the length of a list in it is not a number in the rule".to_owned());
            (Bound::ONE, 1.0)
        }
    }

    /// `"…".format([…])`: the library aborts on widths and precisions that are too large for it.
    fn format(&mut self, operands: &[&IdedExpr]) -> (Bound, f64) {
        let Some(Expr::Literal(LiteralValue::String(format))) = operands.first().map(|format| &format.expr)
        else {
            self.unclear = Some("a format in it is not a text in the rule".to_owned());
            return (Bound::ONE, 1.0);
        };
        let longest = format.inner().split(|c: char| !c.is_ascii_digit()).map(str::len).max().unwrap_or(0);
        if format.inner().contains('%') && longest > MOST_DIGITS {
            self.unclear = Some(format!("a number in a format in it has more than {MOST_DIGITS} digits"));
        }
        let values =
            operands.iter().skip(1).fold(Bound::default(), |sum, operand| sum.with(self.cost(operand).0));
        #[allow(clippy::cast_precision_loss, reason = "bounds and costs are rough")]
        let length = format.inner().len() as f64 * 1000.0 + values.all * 4.0;
        (Bound::text(length), length / 16.0)
    }
}

#[allow(clippy::cast_precision_loss, reason = "bounds and costs are rough")]
fn literal(value: &LiteralValue) -> Bound {
    match value {
        LiteralValue::String(text) => Bound::text(text.inner().len() as f64),
        LiteralValue::Bytes(bytes) => Bound::text(bytes.inner().len() as f64),
        _ => Bound::ONE,
    }
}

#[cfg(test)]
mod tests {
    use super::Budget;
    use serde_json::{Value, json};

    /// Why a rule is not run on a list of `count` texts, if it is not.
    fn refused(rule: &str, count: usize) -> Option<String> {
        let schema = json!({"type": "object", "properties": {"l": {"type": "array", "items": {"type": "string"}}},
            "x-kubernetes-validations": [{"rule": rule}]});
        refused_by(schema, &json!({"l": vec!["some text"; count], "n": 3}))
    }

    fn refused_by(mut schema: Value, object: &Value) -> Option<String> {
        let (budget, refused) = Budget::of(&mut schema);
        let costly = budget.refuse_costly(&schema, object).map(|(_, refused)| refused).unwrap_or_default();
        refused.into_iter().chain(costly).next().map(|refused| refused.why)
    }

    #[test]
    fn what_never_ends_is_not_run() {
        for (rule, count, why) in [
            ("lists.range(1000000000).size() > 0", 1, "steps"),
            ("lists.range(self.n * 1000000000).size() > 0", 1, "not a number in the rule"),
            (
                "lists.range(1000).all(a, lists.range(1000).all(b, lists.range(1000).all(c, a == c)))",
                1,
                "steps",
            ),
            ("self.l.all(a, self.l.all(b, self.l.all(c, a == c)))", 1000, "steps"),
            ("self.l.map(a, self.l).map(b, b.map(c, self.l)).size() > 0", 1000, ""),
            ("self.l.all(a, a.matches('(\\\\pL{30}){6}'))", 100_000, "steps"),
            ("'%.1000000000f'.format([1.0]).size() > 0", 1, "more than 3 digits"),
            ("'%.70000f'.format([1.0]).size() > 0", 1, "more than 3 digits"),
            ("('%.' + '7000' + '0f').format([1.0]).size() > 0", 1, "not a text in the rule"),
            ("['%.70000f'].all(f, f.format([1.0]).size() > 0)", 1, "not a text in the rule"),
            ("self.l[0].format([1.0]).size() > 0", 1, "not a text in the rule"),
            (
                "self.l.join('x').replace('', self.l.join('y')).replace('', self.l.join('z')).size() > 0",
                1000,
                "",
            ),
        ] {
            let found = refused(rule, count).unwrap_or_else(|| panic!("{rule} is run"));
            assert!(found.contains(why), "{rule}: {found}");
        }
    }

    #[test]
    fn what_nests_too_deep_is_not_read() {
        for (piece, end) in [
            ("1 + ", "1 > 0"),
            ("!", "true"),
            ("-", "1 > 0"),
            ("true ? true : ", "true"),
            ("- ", "1 > 0"),
            ("[", "1"),
            ("(", "1"),
            ("self.", "a"),
        ] {
            let found = refused(&(piece.repeat(20_000) + end), 1).unwrap();
            assert!(found.contains("more than 2000") || found.contains("more than 250"), "{found}");
        }
        assert!(refused(&format!("self.l{} == 1", ".size()".repeat(20_000)), 1).is_some());
    }

    #[test]
    fn rules_as_they_are_written_are_run() {
        for (rule, count) in [
            ("self.l.all(a, self.l.exists_one(b, a == b))", 100),
            ("self.l.all(a, a.matches('^[a-z ]+$'))", 1000),
            ("self.l.filter(a, a.startsWith('x')).map(a, a.size()).sum() < 10", 1000),
            ("!has(self.n) || self.n > 0 ? self.l.size() <= 100 : true", 50),
            ("'%s has %d'.format([self.l[0], self.n]).size() > 0", 50),
            ("quantity('1Gi').isGreaterThan(quantity('1Mi')) && self.l.join(',').size() < 100", 50),
            ("lists.range(10).all(a, a < 20)", 1),
            ("self.l.all(a, a.split(' ').all(b, b in ['some', 'text']))", 100),
        ] {
            assert_eq!(refused(rule, count), None, "{rule}");
        }
        let long = vec!["self.n == 1"; 150].join(" || ");
        assert_eq!(refused(&long, 1), None);
    }

    #[test]
    fn a_rule_of_items_counts_for_each() {
        let rule = json!([{"rule": "self.all(a, self.all(b, a != b || a == b))"}]);
        let schema = json!({"items": {"items": {"type": "string"}, "x-kubernetes-validations": rule}});
        let object = |count: usize| json!(vec![vec!["x"; 500]; count]);
        assert_eq!(refused_by(schema.clone(), &object(1)), None);
        assert!(refused_by(schema, &object(100)).unwrap().contains("steps"));
    }
}
