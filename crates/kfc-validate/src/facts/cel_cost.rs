//! What the API server estimates the rules of a CRD to cost, and the limits beyond which it refuses them.
//!
//! A rule costs about one for each field, operator and call, a tenth for each character that it reads, and for each item of a loop
//! what the body of the loop costs. A value without a limit is as large as a request can be. The rule is run for every item of the
//! lists and maps around it. Sources: `checker` of cel-go, `library.CostEstimator` and the validation of CRDs of Kubernetes 1.37.

use super::here::{is_true, text};
use super::words::escaped;
use kfc_yaml::Node;
use kube_cel::cel::common::ast::{CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedExpr, LiteralValue};
use std::collections::HashMap;
use std::rc::Rc;

/// Bytes of the largest request.
const REQUEST: f64 = 3_145_728.0;
/// What a rule may cost, and all rules of a schema together.
const OF_RULE: f64 = 1e7;
const OF_SCHEMA: f64 = 1e8;
/// The size of what nothing is known of.
const UNKNOWN: f64 = 1.8e19;
/// Levels of a schema that are looked at.
const DEEPEST: usize = 60;
/// What reading a character costs, and a character of a pattern.
const READ: f64 = 0.1;
const PATTERN: f64 = 0.25;

/// A type of values with the most that they can hold.
#[derive(Debug, Default)]
pub(super) struct Sized {
    /// Characters, items or entries; 0 for other values.
    most: f64,
    /// The fewest bytes of a value in a request.
    least: f64,
    kind: Kind,
}

#[derive(Debug, Default)]
enum Kind {
    Text,
    List(Rc<Sized>),
    Map(Rc<Sized>),
    Object(HashMap<String, Rc<Sized>>),
    #[default]
    Other,
}

impl Sized {
    /// The type of values of a schema; `None` without a type.
    pub(super) fn of(schema: &Node, is_resource: bool, depth: usize) -> Option<Rc<Self>> {
        let says = |field: &str| schema.get(field).is_some_and(is_true);
        let number = |field: &str| schema.get(field).and_then(text).and_then(|text| text.parse::<f64>().ok());
        let at_most = |field: &str| number(field).map(|most| most.max(0.0));
        let below = |schema: &Node| {
            Self::of(schema, schema.get("x-kubernetes-embedded-resource").is_some_and(is_true), depth + 1)
        };
        if depth > DEEPEST {
            return None;
        }
        if says("x-kubernetes-int-or-string") {
            let most = at_most("maxLength").map_or(REQUEST - 2.0, |most| most * 4.0);
            return Some(Rc::new(Self { most, least: 1.0, kind: Kind::Text }));
        }
        let of = |most: f64, least: f64, kind: Kind| Some(Rc::new(Self { most, least, kind }));
        match schema.get("type").and_then(text) {
            Some("array") => {
                let item = below(schema.get("items")?)?;
                let most =
                    at_most("maxItems").unwrap_or_else(|| ((REQUEST - 2.0) / (item.least + 1.0)).floor());
                of(most, 2.0, Kind::List(item))
            }
            Some("object") => {
                match schema.get("additionalProperties").filter(|values| values.as_map().is_some()) {
                    Some(values) => {
                        let value = below(values)?;
                        let most = at_most("maxProperties")
                            .unwrap_or_else(|| ((REQUEST - 2.0) / (value.least + 6.0)).floor());
                        of(most, 2.0, Kind::Map(value))
                    }
                    None => Some(Self::object(schema, is_resource, depth)),
                }
            }
            Some("string") => {
                let longest =
                    schema.get("enum").and_then(Node::as_seq).into_iter().flatten().filter_map(text);
                #[expect(clippy::cast_precision_loss, reason = "estimates are rough")]
                let longest = longest.map(|text| text.len() as f64).fold(0.0, f64::max);
                let (most, least) = match schema.get("format").and_then(text) {
                    Some("duration") => return of(32.0, 3.0, Kind::Other),
                    Some("date") => return of(12.0, 12.0, Kind::Other),
                    Some("date-time") => return of(32.0, 21.0, Kind::Other),
                    Some("byte") => (at_most("maxLength"), 2.0),
                    _ => (
                        at_most("maxLength").map(|most| most * 4.0).or((longest > 0.0).then_some(longest)),
                        2.0,
                    ),
                };
                of(most.unwrap_or(REQUEST - 2.0), least, Kind::Text)
            }
            Some("boolean") => of(0.0, 4.0, Kind::Other),
            Some("integer" | "number") => of(0.0, 1.0, Kind::Other),
            _ => is_resource.then(|| Self::object(schema, true, depth)),
        }
    }

    fn object(schema: &Node, is_resource: bool, depth: usize) -> Rc<Self> {
        let required: Vec<&str> =
            schema.get("required").and_then(Node::as_seq).into_iter().flatten().filter_map(text).collect();
        let mut fields = HashMap::new();
        let mut least = 2.0;
        for entry in schema.get("properties").and_then(Node::as_map).into_iter().flatten() {
            let name = entry.key.text.as_str();
            let is_resource = entry.value.get("x-kubernetes-embedded-resource").is_some_and(is_true);
            let Some(field) = Self::of(&entry.value, is_resource, depth + 1) else { continue };
            if required.contains(&name) && entry.value.get("default").is_none() {
                #[expect(clippy::cast_precision_loss, reason = "estimates are rough")]
                let length = name.len() as f64;
                least += length + field.least + 4.0;
            }
            fields.insert(escaped(name), Rc::clone(&field));
            fields.insert(name.to_owned(), field);
        }
        if is_resource {
            let text = || Rc::new(Self { most: REQUEST - 2.0, least: 2.0, kind: Kind::Text });
            let names = HashMap::from([("name".to_owned(), text()), ("generateName".to_owned(), text())]);
            let metadata = Self { most: 0.0, least: 2.0, kind: Kind::Object(names) };
            fields.insert("metadata".to_owned(), Rc::new(metadata));
            fields.entry("apiVersion".to_owned()).or_insert_with(text);
            fields.entry("kind".to_owned()).or_insert_with(text);
        }
        Rc::new(Self { most: 0.0, least, kind: Kind::Object(fields) })
    }

    /// How often a value of this type can be in a request.
    fn times(&self) -> f64 {
        (REQUEST / (self.least + 1.0)).floor()
    }
}

/// How often the values of a schema can be in a resource; `None` if nothing limits that.
pub(super) type Times = Option<f64>;

/// The times of the items or values of a schema, from its own.
pub(super) fn times_below(schema: &Node, times: Times) -> Times {
    let most = |field: &str| schema.get(field).and_then(text).and_then(|text| text.parse::<f64>().ok());
    let is = |kind: &str| schema.get("type").and_then(text) == Some(kind);
    if is("array") {
        Some(times? * most("maxItems")?)
    } else if is("object")
        && schema.get("additionalProperties").is_some_and(|values| values.as_map().is_some())
    {
        Some(times? * most("maxProperties")?)
    } else {
        times
    }
}

/// What a rule can cost in one resource.
pub(super) fn of_rule(rule: &IdedExpr, value: &Rc<Sized>, times: Times) -> f64 {
    let mut costs = Costs { root: Rc::clone(value), variables: Vec::new() };
    let (_, cost) = costs.of(rule);
    cost * times.unwrap_or_else(|| value.times())
}

/// What a text that a rule makes for its message can cost.
pub(super) fn of_message(expression: &IdedExpr, value: &Rc<Sized>) -> f64 {
    Costs { root: Rc::clone(value), variables: Vec::new() }.of(expression).1
}

/// Why the server refuses an expression of this cost.
pub(super) fn refusal(name: &str, cost: f64) -> Option<String> {
    too_much(name, cost, OF_RULE)
}

/// Why the server refuses all rules of a schema together.
pub(super) fn refusal_of_all(cost: f64) -> Option<String> {
    too_much(
        "x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema",
        cost,
        OF_SCHEMA,
    )
}

fn too_much(name: &str, cost: f64, limit: f64) -> Option<String> {
    let factor = cost / limit;
    let factor = match factor {
        factor if factor <= 1.0 => return None,
        factor if factor > 100.0 => "more than 100x".to_owned(),
        factor => format!("{factor:.1}x"),
    };
    Some(format!(
        "{name} exceeds budget by factor of {factor}: simplify the rule, or add `maxItems`, `maxProperties` and `maxLength` where \
         lists, maps and texts are declared"
    ))
}

/// What an expression gives, as far as it is known.
#[derive(Clone, Debug, Default)]
struct Gives {
    /// Its type, where it is a part of the value.
    part: Option<Rc<Sized>>,
    /// Its size, where it is not.
    size: Option<f64>,
    /// The size of its items, where it is made by the rule.
    item: Option<f64>,
    /// Whether it is text or a list, so that `+` joins.
    joins: bool,
}

impl Gives {
    fn size(&self) -> f64 {
        self.size.or(self.part.as_ref().map(|part| part.most)).unwrap_or(UNKNOWN)
    }

    fn sized(size: f64) -> Self {
        Self { size: Some(size), ..Self::default() }
    }

    fn of_part(part: Rc<Sized>) -> Self {
        let joins = matches!(part.kind, Kind::Text | Kind::List(_));
        Self { part: Some(part), joins, ..Self::default() }
    }
}

struct Costs {
    /// The value of the rule.
    root: Rc<Sized>,
    variables: Vec<(String, Gives)>,
}

impl Costs {
    fn of(&mut self, expression: &IdedExpr) -> (Gives, f64) {
        match &expression.expr {
            Expr::Literal(value) => (literal(value), 0.0),
            Expr::Ident(name) => {
                let known = self.variables.iter().rev().find(|(known, _)| known == name);
                let gives = match known {
                    Some((_, gives)) => gives.clone(),
                    None if matches!(name.as_str(), "self" | "oldSelf") => {
                        Gives::of_part(Rc::clone(&self.root))
                    }
                    None => Gives::default(),
                };
                (gives, 1.0)
            }
            Expr::Select(select) => {
                let (of, cost) = self.of(&select.operand);
                if select.test {
                    return (Gives::sized(1.0), cost);
                }
                let gives = match of.part.as_ref().map(|part| &part.kind) {
                    Some(Kind::Object(fields)) => fields.get(&select.field).cloned().map(Gives::of_part),
                    Some(Kind::Map(value)) => Some(Gives::of_part(Rc::clone(value))),
                    _ => None,
                };
                (gives.unwrap_or_default(), cost + 1.0)
            }
            Expr::Call(call) => self.call(call),
            Expr::List(list) => {
                let (mut cost, mut item) = (10.0, 0.0_f64);
                for element in &list.elements {
                    let (gives, more) = self.of(element);
                    cost += more;
                    item = item.max(gives.size());
                }
                let size = count(list.elements.len());
                (Gives { size: Some(size), item: Some(item), joins: true, part: None }, cost)
            }
            Expr::Map(map) => {
                let (mut cost, mut item) = (30.0, 0.0_f64);
                for entry in &map.entries {
                    if let EntryExpr::MapEntry(entry) = &entry.expr {
                        cost += self.of(&entry.key).1;
                        let (gives, more) = self.of(&entry.value);
                        cost += more;
                        item = item.max(gives.size());
                    }
                }
                let size = count(map.entries.len());
                (Gives { size: Some(size), item: Some(item), ..Gives::default() }, cost)
            }
            Expr::Struct(value) => {
                let mut cost = 40.0;
                for entry in &value.entries {
                    if let EntryExpr::StructField(field) = &entry.expr {
                        cost += self.of(&field.value).1;
                    }
                }
                (Gives::default(), cost)
            }
            Expr::Comprehension(loops) => self.loops(loops),
            Expr::Unspecified => (Gives::default(), 0.0),
        }
    }

    /// A macro: `all`, `exists`, `map`, `filter`.
    fn loops(&mut self, loops: &ComprehensionExpr) -> (Gives, f64) {
        let (range, range_cost) = self.of(&loops.iter_range);
        let (start, start_cost) = self.of(&loops.accu_init);
        let before = self.variables.len();
        let is_list = matches!(loops.accu_init.expr, Expr::List(_) | Expr::Map(_));
        self.variables.push((loops.accu_var.clone(), start.clone()));
        let (key, value) = self.items_of(&range);
        if let Some(second) = &loops.iter_var2 {
            self.variables.push((loops.iter_var.clone(), key));
            self.variables.push((second.clone(), value));
        } else {
            let kind = range.part.as_ref().map(|part| &part.kind);
            let is_map = matches!(kind, Some(Kind::Map(_) | Kind::Object(_)));
            self.variables.push((loops.iter_var.clone(), if is_map { key } else { value }));
        }
        let (_, condition) = self.of(&loops.loop_cond);
        let (step, step_cost) = self.of(&loops.loop_step);
        self.variables.truncate(before + 1);
        let (_, result_cost) = self.of(&loops.result);
        self.variables.truncate(before);
        let rounds = range.size();
        let cost = range_cost + start_cost + result_cost + rounds * (condition + step_cost);
        let gives = if is_list {
            Gives { size: Some(rounds), item: step.item, joins: true, part: None }
        } else {
            Gives { size: start.size, ..Gives::default() }
        };
        (gives, cost)
    }

    /// The keys and values that a loop over something gets.
    fn items_of(&self, range: &Gives) -> (Gives, Gives) {
        // The server takes a key for empty.
        let text = || Gives { size: Some(0.0), joins: true, ..Gives::default() };
        match (range.part.as_ref().map(|part| &part.kind), range.item) {
            (Some(Kind::List(item)), _) => (Gives::sized(1.0), Gives::of_part(Rc::clone(item))),
            (Some(Kind::Map(value)), _) => (text(), Gives::of_part(Rc::clone(value))),
            (_, Some(item)) => {
                (Gives::sized(1.0), Gives { size: Some(item), joins: true, ..Gives::default() })
            }
            // The server takes what it cannot follow for the whole value.
            _ => (Gives::sized(1.0), Gives::of_part(Rc::clone(&self.root))),
        }
    }

    fn call(&mut self, call: &CallExpr) -> (Gives, f64) {
        let target = call.target.as_deref().map(|target| self.of(target));
        let operands: Vec<(Gives, f64)> = call.args.iter().map(|operand| self.of(operand)).collect();
        let of_target = target.as_ref().map_or(0.0, |(_, cost)| *cost);
        let sum = of_target + operands.iter().map(|(_, cost)| cost).sum::<f64>();
        let size = |at: usize| operands.get(at).map_or(UNKNOWN, |(gives, _)| gives.size());
        let of = target.as_ref().map_or(UNKNOWN, |(gives, _)| gives.size());
        let read = |characters: f64| (characters * READ).ceil();
        let text = |size: f64| Gives { size: Some(size), joins: true, ..Gives::default() };
        let plain = || Gives::sized(1.0);
        let pattern = |text: f64, pattern: f64| read(text + 1.0) * (pattern * PATTERN).ceil();
        let (gives, cost) = match (call.func_name.as_str(), operands.len()) {
            ("_&&_" | "_||_", _) => (plain(), 0.0),
            ("_?_:_" | "_?:_", 3) => {
                let larger = Gives {
                    size: Some(size(1).max(size(2))),
                    joins: operands[1].0.joins,
                    ..Gives::default()
                };
                return (larger, operands[0].1 + operands[1].1.max(operands[2].1));
            }
            ("_==_" | "_!=_", 2) => (plain(), read(size(0).min(size(1)))),
            ("_<_" | "_<=_" | "_>_" | "_>=_", 2) if operands.iter().any(|(gives, _)| gives.joins) => {
                (plain(), read(size(0).min(size(1))))
            }
            ("_+_", 2) if operands.iter().any(|(gives, _)| gives.joins) => {
                let both = size(0) + size(1);
                let is_list = operands.iter().any(|(gives, _)| {
                    gives.item.is_some()
                        || matches!(gives.part.as_ref().map(|part| &part.kind), Some(Kind::List(_)))
                });
                let item = operands.iter().filter_map(|(gives, _)| gives.item).reduce(f64::max);
                let gives = Gives { size: Some(both), item, joins: true, part: None };
                (gives, if is_list { 1.0 } else { read(both) })
            }
            ("_[_]" | "_[?_]", 2) => (self.items_of(&operands[0].0).1, 1.0),
            ("@in" | "in", 2) => (plain(), size(1)),
            ("matches", 1) => (plain(), pattern(of, size(0))),
            ("matches", 2) => (plain(), pattern(size(0), size(1))),
            ("find" | "findAll", _) => (text(of), pattern(of, size(0))),
            ("contains", 1) => (plain(), read(of) * read(size(0))),
            ("startsWith" | "endsWith", 1) => (plain(), read(size(0))),
            ("lowerAscii" | "upperAscii" | "substring" | "trim", _) => (text(of), read(of)),
            ("replace", _) => {
                let (old, new) = (call.args.first().map_or(0.0, least_of), size(1));
                let replaced = if old == 0.0 { of + 1.0 } else { (of / old).ceil() };
                let kept = if old == 0.0 || new <= old { of } else { 0.0 };
                let grown = if old > 0.0 && new <= old { 0.0 } else { replaced * new };
                (text(kept + grown), (of * 2.0 * READ).ceil())
            }
            ("split", _) => (Gives { joins: true, ..Gives::sized(of) }, (of * 2.0 * READ).ceil()),
            ("join", _) => {
                let item = target.as_ref().map(|(gives, _)| self.items_of(gives).1.size());
                let separators = if operands.is_empty() { 0.0 } else { (of - 1.0).max(0.0) * size(0) };
                let all = of * item.unwrap_or(UNKNOWN) + separators;
                (text(all), read(all))
            }
            ("isSorted" | "sum" | "max" | "min" | "indexOf" | "lastIndexOf" | "includes", _) => {
                let item =
                    target.as_ref().and_then(|(gives, _)| match gives.part.as_ref().map(|part| &part.kind) {
                        Some(Kind::List(item)) => Some(Rc::clone(item)),
                        _ => None,
                    });
                let each = item
                    .as_ref()
                    .filter(|item| matches!(item.kind, Kind::Text))
                    .map(|item| 1.0 + read(item.most));
                (plain(), each.map_or_else(|| read(of), |each| of * each))
            }
            ("url", 1) => (text(size(0)), read(size(0))),
            (
                "isURL" | "cidr" | "ip" | "isIP" | "isCIDR" | "quantity" | "isQuantity" | "semver"
                | "isSemver",
                _,
            ) if target.is_none() => (plain(), read(size(0))),
            ("bytes", 1) => (text(size(0) * 4.0), read(size(0))),
            ("format", 1) => (Gives { joins: true, ..Gives::default() }, read(of)),
            ("validate", 1) => (plain(), read(size(0)) * 128.0),
            ("dyn", 1) => {
                let (gives, cost) = operands.into_iter().next().unwrap_or_default();
                return (gives, cost + 1.0);
            }
            ("string", 1) => (Gives { joins: true, ..Gives::default() }, 1.0),
            _ => (plain(), 1.0),
        };
        (gives, sum + cost)
    }
}

/// The size of a text in the rule; 0 for anything else.
fn least_of(expression: &IdedExpr) -> f64 {
    match &expression.expr {
        Expr::Literal(value @ LiteralValue::String(_)) => literal(value).size(),
        _ => 0.0,
    }
}

fn literal(value: &LiteralValue) -> Gives {
    match value {
        LiteralValue::String(text) => {
            Gives { size: Some(count(text.inner().chars().count())), joins: true, ..Gives::default() }
        }
        LiteralValue::Bytes(bytes) => {
            Gives { size: Some(count(bytes.inner().len())), joins: true, ..Gives::default() }
        }
        _ => Gives::sized(1.0),
    }
}

#[expect(clippy::cast_precision_loss, reason = "estimates are rough")]
fn count(number: usize) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by a panic")]
    use super::{Sized, of_rule, refusal};
    use kfc_diagnostics::SourceId;
    use kfc_yaml::parse::parse;
    use kube_cel::cel::Program;

    /// What the server says of a rule on a schema; `once` if the value is in a resource only once.
    fn said(schema: &str, rule: &str, is_once: bool) -> Option<String> {
        let schema = parse(schema, SourceId::NONE).unwrap().remove(0);
        let value = Sized::of(&schema, false, 0).unwrap();
        let program = Program::compile(rule).unwrap();
        refusal("it", of_rule(program.expression(), &value, is_once.then_some(1.0)))
    }

    #[test]
    fn rules_are_refused_as_the_server_refuses_them() {
        // What an API server of 1.37 says of each.
        for (schema, rule, is_once, factor) in [
            ("{type: array, items: {type: string}}", "self.all(a, a != 'x')", true, None),
            (
                "{type: array, items: {type: string}}",
                "self.all(a, self.all(b, a != b))",
                true,
                Some("more than 100x"),
            ),
            (
                "{type: array, maxItems: 5, items: {type: string}}",
                "self.all(a, self.all(b, a != b))",
                true,
                None,
            ),
            ("{type: string}", "self.matches('^a+$')", true, None),
            ("{type: string}", "self.matches('^a+$')", false, Some("more than 100x")),
            ("{type: string}", "self == oldSelf", false, Some("more than 100x")),
            ("{type: string}", "self.split(',').all(x, x.size() < 5)", true, Some("2.0x")),
            ("{type: string}", "self.contains('a')", false, Some("more than 100x")),
            ("{type: array, items: {type: integer}}", "self.isSorted()", true, None),
            ("{type: array, items: {type: integer}}", "self.sum() < 5", true, None),
            ("{type: object, additionalProperties: {type: integer}}", "self.all(k, self[k] > 1)", true, None),
            ("{type: integer}", "self == 1", true, None),
        ] {
            let said = said(schema, rule, is_once);
            assert_eq!(said.is_some(), factor.is_some(), "{schema} {rule}: {said:?}");
            if let (Some(said), Some(factor)) = (said, factor) {
                assert!(said.contains(factor), "{schema} {rule}: {said}");
            }
        }
    }
}
