//! Limits for expressions, as they come with catalogues and stacks that others wrote.
//!
//! The library's fuel counts steps and the text that they make. It does not count lists that share their items, of which a
//! few operators make billions of items, nor levels of nesting, each of which takes a piece of the stack.

use minijinja::value::{Kwargs, Rest, ValueKind};
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior, Value};
use std::sync::LazyLock;

/// The number of steps of an expression, with 64 bytes of values for each.
const FUEL: u64 = 500_000;
/// The number of operators, brackets and dots of an expression.
const MOST_OPERATORS: usize = 500;
/// The number of values that a filter may get and an expression may return, with 16 bytes of text for each.
const MOST_VALUES: usize = 500_000;
/// The library indents JSON by any width.
const WIDEST_INDENT: i64 = 64;
/// The depth of nested values.
const DEEPEST: usize = 100;

/// The library's filters that read their values to the end, or write them out.
const FILTERS: [&str; 36] = [
    "batch",
    "bool",
    "capitalize",
    "chain",
    "count",
    "dictsort",
    "e",
    "escape",
    "first",
    "format",
    "groupby",
    "indent",
    "items",
    "join",
    "last",
    "length",
    "lines",
    "list",
    "lower",
    "max",
    "min",
    "reject",
    "rejectattr",
    "replace",
    "reverse",
    "select",
    "selectattr",
    "slice",
    "sort",
    "split",
    "string",
    "sum",
    "title",
    "tojson",
    "trim",
    "upper",
];
/// Those that do so with their arguments.
const MORE_FILTERS: [&str; 4] = ["map", "pprint", "unique", "zip"];

/// An environment for one expression.
pub(crate) fn environment() -> Environment<'static> {
    let mut environment = plain();
    for name in FILTERS.into_iter().chain(MORE_FILTERS) {
        environment
            .add_filter(name, move |values: Rest<Value>, options: Kwargs| filter(name, values.0, options));
    }
    environment
}

fn plain() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment
}

/// The library's filters, to be called by ours.
static LIBRARY: LazyLock<Environment<'static>> = LazyLock::new(plain);

/// Calls a filter of the library with values that are not too large for it.
fn filter(name: &str, mut values: Vec<Value>, options: Kwargs) -> Result<Value, Error> {
    let is_wide = |width: &Value| width.as_i64().is_some_and(|width| width > WIDEST_INDENT);
    let option: Option<Value> = options.peek("indent").ok();
    if name == "tojson" && (values.iter().skip(1).any(is_wide) || option.is_some_and(|width| is_wide(&width)))
    {
        let message = format!("an indent of more than {WIDEST_INDENT} columns");
        return Err(Error::new(ErrorKind::InvalidOperation, message));
    }
    if options.args().next().is_some() {
        values.push(options.into());
    }
    measure(&values.iter().collect::<Vec<_>>())?;
    LIBRARY.empty_state().apply_filter(name, &values)
}

/// Refuses values that are too large together.
///
/// # Errors
/// [`ErrorKind::OutOfFuel`].
pub(crate) fn measure(values: &[&Value]) -> Result<(), Error> {
    let mut left = MOST_VALUES;
    values.iter().try_for_each(|value| spend(value, &mut left, 0))
}

fn spend(value: &Value, left: &mut usize, depth: usize) -> Result<(), Error> {
    let size = 1 + value.as_str().map_or(0, |text| text.len() / 16);
    *left = left
        .checked_sub(size)
        .filter(|_| depth < DEEPEST)
        .ok_or_else(|| Error::from(ErrorKind::OutOfFuel))?;
    match value.kind() {
        ValueKind::Seq | ValueKind::Iterable => {
            for item in value.try_iter()? {
                spend(&item, left, depth + 1)?;
            }
        }
        ValueKind::Map => {
            for key in value.try_iter()? {
                spend(&value.get_item(&key)?, left, depth + 1)?;
                spend(&key, left, depth + 1)?;
            }
        }
        _ => {}
    }
    Ok(())
}

/// Refuses expressions that nest too deep, or that could compare or join lists of billions of items.
///
/// # Errors
/// A sentence on what is wrong.
pub(crate) fn check(expression: &str) -> Result<(), String> {
    let tokens = tokens(expression);
    let is_operator = |token: &&&str| match **token {
        "," | ":" => false,
        word if word.starts_with(is_word) => ["not", "and", "or", "in", "is", "if", "else"].contains(&word),
        _ => true,
    };
    if tokens.iter().filter(is_operator).count() > MOST_OPERATORS {
        return Err(format!("an expression has more than {MOST_OPERATORS} operators"));
    }
    // Operators cannot be measured when they run, as filters can.
    let has = |words: &[&str]| tokens.iter().any(|token| words.contains(token));
    let repeats = has(&["*"]) || has(&["map"]) && has(&["default", "d"]);
    let nests = has(&["[", ",", "batch", "slice", "zip", "groupby", "items"]);
    let compares = has(&["~", "!", "<", ">"]) || tokens.windows(2).any(|pair| pair == ["=", "="]);
    if repeats && nests && compares {
        let message = "lists that are repeated cannot be compared, or joined by `~`, in one expression";
        return Err(format!("{message}: use `|join`, or compute the number elsewhere"));
    }
    Ok(())
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// The words and signs of an expression outside of its texts, each sign by itself. Texts end where the library ends them: at
/// the same quote, unless that is escaped.
fn tokens(expression: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = expression;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '\'' | '"' => quoted_length(rest, first),
            _ if is_word(first) => rest.find(|letter| !is_word(letter)).unwrap_or(rest.len()),
            _ => first.len_utf8(),
        };
        if !first.is_whitespace() && (length == 1 || !matches!(first, '\'' | '"')) {
            tokens.push(&rest[..length]);
        }
        rest = &rest[length..];
    }
    tokens
}

/// The bytes of a text in quotes; one for a quote that is not closed, so that what follows counts.
fn quoted_length(text: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (at, letter) in text.char_indices().skip(1) {
        match letter {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            _ if letter == quote => return at + 1,
            _ => {}
        }
    }
    1
}
