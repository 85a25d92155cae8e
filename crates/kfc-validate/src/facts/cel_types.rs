//! The types of expressions in CEL, as far as they are known.

use super::cron::is_duration;
use kube_cel::cel::common::ast::{CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedExpr, LiteralValue};
use std::collections::HashMap;
use std::fmt;
use std::rc::Rc;

/// A type.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Type {
    /// Not known here: it fits everywhere.
    Unknown,
    /// Known to the server as any.
    Dyn,
    Bool,
    Int,
    Uint,
    Double,
    String,
    Bytes,
    Duration,
    Timestamp,
    Null,
    List(Rc<Type>),
    Map(Rc<Type>, Rc<Type>),
    /// Fields, and no others.
    Object(Rc<HashMap<String, Type>>),
    Optional(Rc<Type>),
    /// A type of a library.
    Opaque(&'static str),
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown | Self::Dyn => "dyn",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Uint => "uint",
            Self::Double => "double",
            Self::String => "string",
            Self::Bytes => "bytes",
            Self::Duration => "google.protobuf.Duration",
            Self::Timestamp => "google.protobuf.Timestamp",
            Self::Null => "null_type",
            Self::List(item) => return write!(f, "list({item})"),
            Self::Map(key, value) => return write!(f, "map({key}, {value})"),
            Self::Object(_) => "object",
            Self::Optional(inner) => return write!(f, "optional_type({inner})"),
            Self::Opaque(name) => name,
        })
    }
}

impl Type {
    const fn is_any(&self) -> bool {
        matches!(self, Self::Unknown | Self::Dyn)
    }

    const fn is_number(&self) -> bool {
        matches!(self, Self::Int | Self::Uint | Self::Double)
    }

    /// Whether a value of one type can be one of the other.
    fn fits(&self, other: &Self) -> bool {
        match (self, other) {
            (one, other) if one.is_any() || other.is_any() => true,
            (Self::Null, other) | (other, Self::Null) => {
                matches!(
                    other,
                    Self::Null | Self::Object(_) | Self::Opaque(_) | Self::Duration | Self::Timestamp
                )
            }
            (Self::List(one), Self::List(other)) | (Self::Optional(one), Self::Optional(other)) => {
                one.fits(other)
            }
            (Self::Map(key, value), Self::Map(other_key, other_value)) => {
                key.fits(other_key) && value.fits(other_value)
            }
            (one, other) => one == other,
        }
    }
}

/// The variables of an expression.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope {
    variables: HashMap<String, Type>,
}

impl Scope {
    pub(super) fn set(&mut self, name: &str, given: Type) {
        self.variables.insert(name.to_owned(), given);
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.variables.remove(name);
    }
}

/// Functions that are called with values alone.
const GLOBAL: [&str; 33] = [
    "size",
    "int",
    "uint",
    "double",
    "string",
    "bool",
    "bytes",
    "dyn",
    "type",
    "duration",
    "timestamp",
    "matches",
    "isURL",
    "url",
    "isIP",
    "ip",
    "ip.isCanonical",
    "isCIDR",
    "cidr",
    "isQuantity",
    "quantity",
    "isSemver",
    "semver",
    "has",
    "optional.of",
    "optional.none",
    "optional.ofNonZeroValue",
    "strings.quote",
    "sets.contains",
    "sets.equivalent",
    "sets.intersects",
    "format.named",
    "lists.range",
];
/// Names before the dot of such functions.
const SPACES: [&str; 6] = ["optional", "strings", "sets", "format", "lists", "ip"];
/// Functions of a value whose type is not distinguished here.
const OF_VALUES: [&str; 89] = [
    "size",
    "matches",
    "startsWith",
    "endsWith",
    "contains",
    "find",
    "findAll",
    "replace",
    "split",
    "join",
    "lowerAscii",
    "upperAscii",
    "trim",
    "charAt",
    "indexOf",
    "lastIndexOf",
    "substring",
    "format",
    "isSorted",
    "sum",
    "min",
    "max",
    "slice",
    "distinct",
    "sort",
    "first",
    "last",
    "getScheme",
    "getHost",
    "getHostname",
    "getPort",
    "getEscapedPath",
    "getQuery",
    "family",
    "isUnspecified",
    "isLoopback",
    "isLinkLocalMulticast",
    "isLinkLocalUnicast",
    "isGlobalUnicast",
    "containsIP",
    "containsCIDR",
    "prefixLength",
    "masked",
    "ip",
    "isGreaterThan",
    "isLessThan",
    "compareTo",
    "asInteger",
    "asApproximateFloat",
    "sign",
    "add",
    "sub",
    "isInteger",
    "major",
    "minor",
    "patch",
    "getFullYear",
    "getMonth",
    "getDate",
    "getDayOfMonth",
    "getDayOfWeek",
    "getDayOfYear",
    "getHours",
    "getMinutes",
    "getSeconds",
    "getMilliseconds",
    "validate",
    "hasValue",
    "value",
    "orValue",
    "or",
    "optMap",
    "optFlatMap",
    "group",
    "resource",
    "subresource",
    "namespace",
    "name",
    "check",
    "allowed",
    "reason",
    "path",
    "serviceAccount",
    "errored",
    "error",
    "fieldSelector",
    "labelSelector",
    "includes",
    "key",
];
/// Functions of a text, and how many of their first values are texts, too.
const OF_TEXTS: [(&str, usize, Type); 16] = [
    ("matches", 1, Type::Bool),
    ("startsWith", 1, Type::Bool),
    ("endsWith", 1, Type::Bool),
    ("contains", 1, Type::Bool),
    ("find", 1, Type::String),
    ("replace", 2, Type::String),
    ("lowerAscii", 0, Type::String),
    ("upperAscii", 0, Type::String),
    ("trim", 0, Type::String),
    ("charAt", 0, Type::String),
    ("substring", 0, Type::String),
    ("format", 0, Type::String),
    ("getScheme", 9, Type::String),
    ("getHost", 9, Type::String),
    ("isGreaterThan", 9, Type::Bool),
    ("isLessThan", 9, Type::Bool),
];

/// Finds the type of an expression, or what is wrong with it.
pub(super) struct Checker<'s> {
    scope: &'s Scope,
    /// Variables of loops, the innermost last.
    locals: Vec<(String, Type)>,
}

impl<'s> Checker<'s> {
    pub(super) const fn of(scope: &'s Scope) -> Self {
        Self { scope, locals: Vec::new() }
    }

    pub(super) fn check(&mut self, expression: &IdedExpr) -> Result<Type, String> {
        match &expression.expr {
            Expr::Literal(value) => Ok(literal(value)),
            Expr::Ident(name) => self.named(name),
            Expr::Select(select) => {
                let of = self.check(&select.operand)?;
                let given = field(&of, &select.field)?;
                Ok(if select.test { Type::Bool } else { given })
            }
            Expr::Call(call) => self.call(call),
            Expr::List(list) => {
                let mut item: Option<Type> = None;
                for element in &list.elements {
                    let given = self.check(element)?;
                    match &item {
                        Some(first) if !first.fits(&given) => {
                            return Err(format!("expected type '{first}' but found '{given}'"));
                        }
                        Some(_) => {}
                        None => item = Some(given),
                    }
                }
                Ok(Type::List(Rc::new(item.unwrap_or(Type::Unknown))))
            }
            Expr::Map(map) => {
                let mut given = (Type::Unknown, Type::Unknown);
                for (index, entry) in map.entries.iter().enumerate() {
                    if let EntryExpr::MapEntry(entry) = &entry.expr {
                        let (key, value) = (self.check(&entry.key)?, self.check(&entry.value)?);
                        if index == 0 {
                            given = (key, value);
                        } else if !given.1.fits(&value) {
                            return Err(format!("expected type '{}' but found '{value}'", given.1));
                        }
                    }
                }
                Ok(Type::Map(Rc::new(given.0), Rc::new(given.1)))
            }
            Expr::Struct(value) => {
                let root = value.type_name.split('.').next().unwrap_or_default();
                if self.variable(root).is_none() {
                    return Err(undeclared(root));
                }
                for entry in &value.entries {
                    if let EntryExpr::StructField(entry) = &entry.expr {
                        let given = self.check(&entry.value)?;
                        let is_text =
                            root == "JSONPatch" && matches!(entry.field.as_str(), "op" | "path" | "from");
                        if is_text && !given.fits(&Type::String) {
                            return Err(format!(
                                "expected type of field '{}' is 'string' but provided type is '{given}'",
                                entry.field
                            ));
                        }
                    }
                }
                Ok(match value.type_name.as_str() {
                    "Object" => Type::Opaque("Object"),
                    "JSONPatch" => Type::Opaque("JSONPatch"),
                    _ => Type::Unknown,
                })
            }
            Expr::Comprehension(loops) => self.loops(loops),
            Expr::Unspecified => Ok(Type::Unknown),
        }
    }

    fn variable(&self, name: &str) -> Option<&Type> {
        let local = self.locals.iter().rev().find(|(known, _)| known == name).map(|(_, given)| given);
        local.or_else(|| self.scope.variables.get(name))
    }

    fn named(&self, name: &str) -> Result<Type, String> {
        const TYPES: [&str; 11] = [
            "int",
            "uint",
            "double",
            "string",
            "bool",
            "bytes",
            "list",
            "map",
            "null_type",
            "type",
            "timestamp",
        ];
        match self.variable(name) {
            Some(given) => Ok(given.clone()),
            None if TYPES.contains(&name) || name.starts_with('@') => Ok(Type::Unknown),
            None => Err(format!("undeclared reference to '{name}' (in container '')")),
        }
    }

    fn loops(&mut self, loops: &ComprehensionExpr) -> Result<Type, String> {
        let item = match self.check(&loops.iter_range)? {
            Type::List(item) => (*item).clone(),
            Type::Map(key, _) => (*key).clone(),
            Type::Object(_) => Type::Unknown,
            given if given.is_any() => given,
            given => {
                return Err(format!(
                    "expression of type '{given}' cannot be range of a comprehension (must be list, map, or dynamic)"
                ));
            }
        };
        let start = self.check(&loops.accu_init)?;
        let before = self.locals.len();
        self.locals.push((loops.iter_var.clone(), item));
        if let Some(second) = &loops.iter_var2 {
            self.locals.push((second.clone(), Type::Unknown));
        }
        self.locals.push((loops.accu_var.clone(), start));
        let steps = self.check(&loops.loop_cond).and_then(|_| self.check(&loops.loop_step));
        self.locals.truncate(before);
        self.locals.push((loops.accu_var.clone(), steps?));
        let result = self.check(&loops.result);
        self.locals.truncate(before);
        result
    }

    fn call(&mut self, call: &CallExpr) -> Result<Type, String> {
        let name = call.func_name.as_str();
        if let Some(target) = &call.target {
            if let Expr::Ident(space) = &target.expr
                && SPACES.contains(&space.as_str())
                && self.variable(space).is_none()
            {
                let full = format!("{space}.{name}");
                for argument in &call.args {
                    self.check(argument)?;
                }
                return if GLOBAL.contains(&full.as_str()) {
                    Ok(global(&full))
                } else {
                    Err(undeclared(&full))
                };
            }
            let of = self.check(target)?;
            return self.of_value(&of, name, call);
        }
        let mut given = Vec::with_capacity(call.args.len());
        for (index, argument) in call.args.iter().enumerate() {
            // The name of a field is a text.
            let is_field = matches!(name, "_?._") && index == 1;
            given.push(if is_field { Type::String } else { self.check(argument)? });
        }
        self.function(name, call, &given)
    }

    /// The type of an operator, or of a function without a target, for arguments of these types.
    fn function(&mut self, name: &str, call: &CallExpr, given: &[Type]) -> Result<Type, String> {
        let argument = |at: usize| given.get(at).cloned().unwrap_or(Type::Unknown);
        let (one, two) = (argument(0), argument(1));
        let bool_if = |is_right: bool| if is_right { Ok(Type::Bool) } else { Err(no_match(name, given)) };
        match name {
            "_&&_" | "_||_" => bool_if(given.iter().all(|one| one.is_any() || *one == Type::Bool)),
            "!_" => bool_if(one.is_any() || one == Type::Bool),
            "-_" => {
                if one.is_any() || one.is_number() {
                    Ok(one)
                } else {
                    Err(no_match(name, given))
                }
            }
            "@not_strictly_false" => Ok(Type::Bool),
            "_==_" | "_!=_" => bool_if(one.fits(&two)),
            "_<_" | "_<=_" | "_>_" | "_>=_" => {
                let can_compare = one.is_any()
                    || two.is_any()
                    || (one.is_number() && two.is_number())
                    || (one == two
                        && matches!(
                            one,
                            Type::String | Type::Bool | Type::Bytes | Type::Duration | Type::Timestamp
                        ));
                bool_if(can_compare)
            }
            "_+_" | "_-_" | "_*_" | "_/_" | "_%_" => {
                arithmetic(name, &one, &two).ok_or_else(|| no_match(name, given))
            }
            "_?_:_" | "_?:_" => {
                if !(one.is_any() || one == Type::Bool) || !two.fits(&argument(2)) {
                    return Err(no_match("_?_:_", given));
                }
                Ok(if two.is_any() { argument(2) } else { two })
            }
            "@in" | "in" | "_in_" => match &two {
                Type::List(item) if !one.fits(item) => Err(no_match("@in", given)),
                Type::Map(key, _) if !one.fits(key) => Err(no_match("@in", given)),
                Type::List(_) | Type::Map(..) | Type::Object(_) | Type::Unknown | Type::Dyn => Ok(Type::Bool),
                _ => Err(no_match("@in", given)),
            },
            "_[_]" | "_[?_]" => match &one {
                Type::List(item) if two.is_any() || two == Type::Int => Ok(optional(name, item)),
                Type::Map(key, value) if two.fits(key) => Ok(optional(name, value)),
                one if one.is_any() || matches!(one, Type::Object(_) | Type::Optional(_)) => {
                    Ok(Type::Unknown)
                }
                _ => Err(no_match("_[_]", given)),
            },
            "_?._" => {
                let name = match call.args.get(1).map(|argument| &argument.expr) {
                    Some(Expr::Literal(LiteralValue::String(name))) => name.inner().to_owned(),
                    _ => return Ok(Type::Unknown),
                };
                let of = if let Type::Optional(inner) = &one { (**inner).clone() } else { one };
                Ok(Type::Optional(Rc::new(field(&of, &name)?)))
            }
            name if name.starts_with('_') || name.starts_with('@') => Ok(Type::Unknown),
            name if !GLOBAL.contains(&name) => Err(undeclared(name)),
            "size"
                if !matches!(
                    one,
                    Type::String
                        | Type::Bytes
                        | Type::List(_)
                        | Type::Map(..)
                        | Type::Object(_)
                        | Type::Unknown
                        | Type::Dyn
                ) =>
            {
                Err(no_match(name, given))
            }
            "matches" => self.texts("matches", &one, call, 1),
            "duration" if literal_text(call.args.first()).is_some_and(|text| !is_duration(text)) => {
                Err("invalid duration argument".to_owned())
            }
            name => Ok(global(name)),
        }
    }

    #[expect(clippy::match_same_arms, reason = "a table of functions is read and changed line by line")]
    fn of_value(&mut self, of: &Type, name: &str, call: &CallExpr) -> Result<Type, String> {
        if let Some(given) = of_two_variables(name, call) {
            return Ok(given);
        }
        if !OF_VALUES.contains(&name) {
            return Err(undeclared(name));
        }
        let mut given = vec![of.clone()];
        for argument in &call.args {
            // The variable of a macro that is not expanded is not known.
            given.push(self.check(argument).or_else(|words| {
                if matches!(name, "optMap" | "optFlatMap") { Ok(Type::Unknown) } else { Err(words) }
            })?);
        }
        match (name, of) {
            ("matches", Type::Dyn) => self.texts(name, of, call, 1),
            (_, Type::Unknown | Type::Dyn) => Ok(of_any(name)),
            ("isGreaterThan" | "isLessThan" | "compareTo", Type::Opaque(kind)) => {
                let other = given.get(1).cloned().unwrap_or(Type::Unknown);
                if other.fits(&Type::Opaque(kind)) {
                    Ok(if name == "compareTo" { Type::Int } else { Type::Bool })
                } else {
                    Err(no_match(name, &given))
                }
            }
            ("format", Type::String) => {
                check_format(call)?;
                self.texts(name, of, call, 0)
            }
            (_, Type::Opaque(kind)) if kind.starts_with(AUTHORIZATION) => Ok(of_authorization(name)),
            ("size", Type::String | Type::Bytes | Type::List(_) | Type::Map(..) | Type::Object(_)) => {
                Ok(Type::Int)
            }
            ("size", _) => Err(no_match(name, &given)),
            ("hasValue", Type::Optional(_)) => Ok(Type::Bool),
            ("value" | "orValue", Type::Optional(inner)) => Ok((**inner).clone()),
            ("indexOf" | "lastIndexOf", _) => Ok(Type::Int),
            ("sum" | "min" | "max" | "first" | "last", Type::List(item)) => Ok((**item).clone()),
            ("isSorted", Type::List(_)) => Ok(Type::Bool),
            ("split", Type::String) => Ok(Type::List(Rc::new(Type::String))),
            ("findAll", Type::String) => Ok(Type::List(Rc::new(Type::String))),
            ("join", Type::List(_)) => Ok(Type::String),
            (
                "family" | "getHours" | "getMinutes" | "getSeconds",
                Type::Opaque(_) | Type::Duration | Type::Timestamp,
            ) => Ok(Type::Int),
            (
                "getScheme" | "getHost" | "getHostname" | "getPort" | "getEscapedPath",
                Type::Opaque("kubernetes.URL"),
            ) => Ok(Type::String),
            (_, Type::String) => {
                let known = OF_TEXTS.iter().find(|(known, texts, _)| *known == name && *texts < 9);
                let Some((_, texts, _)) = known else {
                    return Err(no_match(name, &given));
                };
                self.texts(name, of, call, *texts)
            }
            (_, Type::Bool | Type::Int | Type::Uint | Type::Double | Type::Null) => {
                Err(no_match(name, &given))
            }
            _ => Ok(Type::Unknown),
        }
    }

    /// A function of a text, whose first values are texts.
    fn texts(&mut self, name: &str, of: &Type, call: &CallExpr, count: usize) -> Result<Type, String> {
        let skip = usize::from(call.target.is_none());
        for argument in call.args.iter().skip(skip).take(count) {
            let given = self.check(argument)?;
            if !given.fits(&Type::String) {
                return Err(no_match(name, &[of.clone(), given]));
            }
            if let (Expr::Literal(LiteralValue::String(pattern)), "matches" | "find") = (&argument.expr, name)
                && regex_syntax::parse(pattern.inner()).is_err()
            {
                return Err(format!("invalid {name} argument"));
            }
        }
        let known = OF_TEXTS.iter().find(|(known, ..)| *known == name);
        Ok(known.map_or(Type::Unknown, |(_, _, given)| given.clone()))
    }
}

/// The beginning of the types that ask for rights.
const AUTHORIZATION: &str = "kubernetes.authorization.";
/// Who may do what.
pub(super) const AUTHORIZER: Type = Type::Opaque("kubernetes.authorization.Authorizer");

/// What a question for rights gives.
fn of_authorization(name: &str) -> Type {
    match name {
        "path" => Type::Opaque("kubernetes.authorization.PathCheck"),
        "group" => Type::Opaque("kubernetes.authorization.GroupCheck"),
        "resource" | "subresource" | "namespace" | "name" | "fieldSelector" | "labelSelector" => {
            Type::Opaque("kubernetes.authorization.ResourceCheck")
        }
        "check" => Type::Opaque("kubernetes.authorization.Decision"),
        "serviceAccount" => AUTHORIZER,
        "allowed" | "errored" => Type::Bool,
        "reason" | "error" => Type::String,
        _ => Type::Unknown,
    }
}

/// What a loop over keys and values gives, which the library does not expand; `None` for everything else.
fn of_two_variables(name: &str, call: &CallExpr) -> Option<Type> {
    let is_loop = call.args.len() >= 3
        && matches!(call.args[0].expr, Expr::Ident(_))
        && matches!(call.args[1].expr, Expr::Ident(_));
    match name {
        _ if !is_loop => None,
        "all" | "exists" | "existsOne" | "exists_one" => Some(Type::Bool),
        "transformList" | "transformMap" | "transformMapEntry" => Some(Type::Unknown),
        _ => None,
    }
}

fn literal_text(expression: Option<&IdedExpr>) -> Option<&str> {
    match &expression?.expr {
        Expr::Literal(LiteralValue::String(text)) => Some(text.inner()),
        _ => None,
    }
}

/// Checks that a literal format has as many places as there are values.
fn check_format(call: &CallExpr) -> Result<(), String> {
    let (Some(form), Some(Expr::List(values))) =
        (literal_text(call.target.as_deref()), call.args.first().map(|argument| &argument.expr))
    else {
        return Ok(());
    };
    let (wanted, given) = (form.replace("%%", "").matches('%').count(), values.elements.len());
    if given > wanted {
        return Err(format!("too many arguments supplied to string.format (expected {wanted}, got {given})"));
    }
    if given < wanted {
        return Err(format!("index {given} out of range"));
    }
    Ok(())
}

fn optional(name: &str, of: &Rc<Type>) -> Type {
    if name == "_[?_]" { Type::Optional(of.clone()) } else { (**of).clone() }
}

fn literal(value: &LiteralValue) -> Type {
    match value {
        LiteralValue::Boolean(_) => Type::Bool,
        LiteralValue::Bytes(_) => Type::Bytes,
        LiteralValue::Double(_) => Type::Double,
        LiteralValue::Int(_) => Type::Int,
        LiteralValue::Null => Type::Null,
        LiteralValue::String(_) => Type::String,
        LiteralValue::UInt(_) => Type::Uint,
    }
}

/// The type of a field.
fn field(of: &Type, name: &str) -> Result<Type, String> {
    match of {
        Type::Object(fields) => fields.get(name).cloned().ok_or_else(|| format!("undefined field '{name}'")),
        Type::Map(_, value) => Ok((**value).clone()),
        Type::Optional(inner) => Ok(Type::Optional(Rc::new(field(inner, name)?))),
        Type::Unknown | Type::Opaque(_) => Ok(Type::Unknown),
        Type::Dyn => Ok(Type::Dyn),
        other => Err(format!("type '{other}' does not support field selection")),
    }
}

#[expect(clippy::match_same_arms, reason = "a table of operators is read and changed line by line")]
fn arithmetic(name: &str, one: &Type, two: &Type) -> Option<Type> {
    if one.is_any() || two.is_any() {
        return Some(if one.is_any() && two.is_any() {
            Type::Unknown
        } else if one.is_any() {
            two.clone()
        } else {
            one.clone()
        });
    }
    match (name, one, two) {
        ("_%_", Type::Double, _) => None,
        (_, one, two) if one.is_number() => (one == two).then(|| one.clone()),
        ("_+_", Type::String, Type::String) => Some(Type::String),
        ("_+_", Type::Bytes, Type::Bytes) => Some(Type::Bytes),
        ("_+_", Type::List(item), Type::List(other)) => {
            item.fits(other).then(|| if item.is_any() { two.clone() } else { one.clone() })
        }
        ("_+_" | "_-_", Type::Duration, Type::Duration) => Some(Type::Duration),
        ("_-_", Type::Timestamp, Type::Timestamp) => Some(Type::Duration),
        ("_+_" | "_-_", Type::Timestamp, Type::Duration) | ("_+_", Type::Duration, Type::Timestamp) => {
            Some(Type::Timestamp)
        }
        _ => None,
    }
}

/// What a function without a target gives.
fn global(name: &str) -> Type {
    match name {
        "size" | "int" => Type::Int,
        "uint" => Type::Uint,
        "double" => Type::Double,
        "string" | "strings.quote" => Type::String,
        "bytes" => Type::Bytes,
        "bool" | "matches" | "isURL" | "isIP" | "isCIDR" | "isQuantity" | "isSemver" | "sets.contains"
        | "sets.equivalent" | "sets.intersects" | "ip.isCanonical" => Type::Bool,
        "dyn" => Type::Dyn,
        "duration" => Type::Duration,
        "timestamp" => Type::Timestamp,
        "url" => Type::Opaque("kubernetes.URL"),
        "ip" => Type::Opaque("net.IP"),
        "cidr" => Type::Opaque("net.CIDR"),
        "quantity" => Type::Opaque("kubernetes.Quantity"),
        "semver" => Type::Opaque("kubernetes.Semver"),
        _ => Type::Unknown,
    }
}

/// What a function of any value gives.
fn of_any(name: &str) -> Type {
    match name {
        "size" | "indexOf" | "lastIndexOf" | "compareTo" => Type::Int,
        "matches" | "startsWith" | "endsWith" | "contains" | "isSorted" | "hasValue" | "allowed"
        | "isGreaterThan" | "isLessThan" | "errored" => Type::Bool,
        _ => Type::Unknown,
    }
}

fn undeclared(name: &str) -> String {
    format!("undeclared reference to '{name}' (in container '')")
}

fn no_match(name: &str, given: &[Type]) -> String {
    let given: Vec<String> = given.iter().map(ToString::to_string).collect();
    format!("found no matching overload for '{name}' applied to '({})'", given.join(", "))
}

#[cfg(test)]
mod tests {
    use super::{Checker, Scope, Type};
    use kube_cel::cel::Program;
    use std::rc::Rc;

    fn given(expression: &str) -> Result<Type, String> {
        let mut scope = Scope::default();
        scope.set(
            "self",
            Type::Object(Rc::new([("a".to_owned(), Type::String), ("n".to_owned(), Type::Int)].into())),
        );
        scope.set("l", Type::List(Rc::new(Type::String)));
        scope.set("any", Type::Dyn);
        let program = Program::compile(expression).map_err(|error| error.to_string())?;
        Checker::of(&scope).check(program.expression())
    }

    #[test]
    fn types_are_those_of_the_server() {
        for (expression, wanted) in [
            ("self.a == 'x' && self.n > 1.5", Type::Bool),
            ("l.all(x, x.startsWith('a'))", Type::Bool),
            ("l.map(x, x.size()).sum()", Type::Int),
            ("l.filter(x, x == 'a')", Type::List(Rc::new(Type::String))),
            ("has(self.a) ? self.a : 'b'", Type::String),
            ("any.b.c", Type::Dyn),
            ("'a' + string(self.n)", Type::String),
            ("quantity('1').isGreaterThan(quantity('2'))", Type::Bool),
        ] {
            assert_eq!(given(expression), Ok(wanted), "{expression}");
        }
    }

    #[test]
    fn what_does_not_fit_is_told() {
        for (expression, words) in [
            ("self.none", "undefined field 'none'"),
            ("nope", "undeclared reference to 'nope'"),
            ("nope(1)", "undeclared reference to 'nope'"),
            ("self.a == 1", "no matching overload for '_==_'"),
            ("self.a.foo()", "undeclared reference to 'foo'"),
            ("self.a + 1", "no matching overload for '_+_'"),
            ("l.all(x, x > 1)", "no matching overload"),
            ("self.a in ['a', 1]", "expected type 'string' but found 'int'"),
            ("self.a.matches('[')", "invalid matches argument"),
            ("self.a.b", "does not support field selection"),
            ("!self.a", "no matching overload for '!_'"),
        ] {
            let found = given(expression).unwrap_err();
            assert!(found.contains(words), "{expression}: {found}");
        }
    }
}
