//! Expressions in CEL, each read once: the schemas of many CRDs have the same rules, in every version.

use kube_cel::cel::Program;
use rustc_hash::FxHashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

/// How many are kept. A bundle of a platform has some hundred.
const MOST: usize = 4096;

static READ: LazyLock<Mutex<FxHashMap<String, Arc<Program>>>> = LazyLock::new(Mutex::default);

/// Reads an expression. The caller has looked at its depth, and has stack enough for the library.
///
/// # Errors
/// In the library's words, when it is none.
pub(super) fn compile(expression: &str) -> Result<Arc<Program>, String> {
    // Nothing that holds the lock panics half way.
    let known = || READ.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(program) = known().get(expression) {
        return Ok(Arc::clone(program));
    }
    let program = Arc::new(Program::compile(expression).map_err(|error| error.to_string())?);
    let mut known = known();
    if known.len() >= MOST {
        known.clear();
    }
    known.insert(expression.to_owned(), Arc::clone(&program));
    Ok(program)
}
