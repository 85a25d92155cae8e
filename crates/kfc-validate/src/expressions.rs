//! Expressions in CEL, each read once: the schemas of many CRDs have the same rules, in every version.

use kube_cel::cel::Program;
use rustc_hash::FxHashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

/// What was found out about some texts. It forgets all of them rather than grow without end.
#[derive(Debug)]
pub(super) struct Known<V> {
    found: LazyLock<Mutex<FxHashMap<String, V>>>,
    most: usize,
}

impl<V: Clone> Known<V> {
    /// Knows nothing yet, and never more than `most` texts.
    pub(super) const fn up_to(most: usize) -> Self {
        Self { found: LazyLock::new(Mutex::default), most }
    }

    /// What is known of a text.
    pub(super) fn get(&self, text: &str) -> Option<V> {
        // Nothing that holds the lock panics half way.
        self.found.lock().unwrap_or_else(PoisonError::into_inner).get(text).cloned()
    }

    /// Keeps what was found out.
    pub(super) fn put(&self, text: String, value: V) {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if found.len() >= self.most {
            found.clear();
        }
        found.insert(text, value);
    }
}

/// A bundle of a platform has some hundred.
static READ: Known<Arc<Program>> = Known::up_to(4096);

/// Reads an expression. The caller has looked at its depth, and has stack enough for the library.
///
/// # Errors
/// In the library's words, when it is none.
pub(super) fn compile(expression: &str) -> Result<Arc<Program>, String> {
    if let Some(program) = READ.get(expression) {
        return Ok(program);
    }
    let program = Arc::new(Program::compile(expression).map_err(|error| error.to_string())?);
    READ.put(expression.to_owned(), Arc::clone(&program));
    Ok(program)
}
