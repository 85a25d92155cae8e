//! JUnit XML, for the test tab of a CI system.

use kfc_diagnostics::text::escaped_markup;
use std::fmt::Write as _;

/// Cases that belong together.
#[derive(Clone, Debug, Default)]
pub struct Suite {
    /// Its name.
    pub name: String,
    /// Its cases, in order.
    pub cases: Vec<Case>,
}

/// One case.
#[derive(Clone, Debug, Default)]
pub struct Case {
    /// What it is about.
    pub name: String,
    /// Why it failed, if it did.
    pub failure: Option<Failure>,
    /// What is to be said all the same; empty for nothing.
    pub output: String,
}

/// Why a case failed.
#[derive(Clone, Debug, Default)]
pub struct Failure {
    /// The kind of failure.
    pub kind: String,
    /// In one line.
    pub message: String,
    /// All of it.
    pub detail: String,
}

/// Suites as test results under a name.
#[must_use]
pub fn junit(name: &str, suites: &[Suite]) -> String {
    let counts = |suites: &[Suite]| {
        let cases = || suites.iter().flat_map(|suite| &suite.cases);
        (cases().count(), cases().filter(|case| case.failure.is_some()).count())
    };
    let (tests, failures) = counts(suites);
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"{}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\">\n",
        escaped(name),
    );
    for suite in suites {
        let (tests, failures) = counts(std::slice::from_ref(suite));
        // Writing into a string cannot fail.
        let _ = writeln!(
            out,
            "  <testsuite name=\"{}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\">",
            escaped(&suite.name),
        );
        suite.cases.iter().for_each(|case| write_case(case, &suite.name, &mut out));
        out.push_str("  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}

fn write_case(case: &Case, suite: &str, out: &mut String) {
    let head = format!("    <testcase classname=\"{}\" name=\"{}\"", escaped(suite), escaped(&case.name));
    if case.failure.is_none() && case.output.is_empty() {
        let _ = writeln!(out, "{head}/>");
        return;
    }
    let _ = writeln!(out, "{head}>");
    if let Some(failure) = &case.failure {
        let _ = writeln!(
            out,
            "      <failure type=\"{}\" message=\"{}\">{}</failure>",
            escaped(&failure.kind),
            escaped(&failure.message),
            escaped(&failure.detail)
        );
    }
    if !case.output.is_empty() {
        let _ = writeln!(out, "      <system-out>{}</system-out>", escaped(&case.output));
    }
    out.push_str("    </testcase>\n");
}

/// Text for XML: markup escaped, characters that XML does not know replaced.
fn escaped(text: &str) -> String {
    let is_unknown =
        |c: char| c.is_control() && !matches!(c, '\n' | '\t') || matches!(c, '\u{fffe}' | '\u{ffff}');
    escaped_markup(text).replace(is_unknown, "\u{fffd}")
}
