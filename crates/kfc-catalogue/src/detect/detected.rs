//! Detects a cluster: its profile, its facts, what is installed in it, and its stack.

use super::answers::Answers;
use super::finding::Finding;
use super::lacking::{Lack, lacking};
use super::{accelerators, installed, ours, provider, services, storage};
use crate::catalogue::{Catalogue, Stack};
use crate::resolve::Profile;
use kfc_diagnostics::Result;
use kfc_yaml::value::from_json;
use kfc_yaml::{Map, Node, Spanned};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// The result of a detection.
#[derive(Clone, Debug)]
pub struct Detected {
    /// Layers joined by `+`.
    pub profile: String,
    /// Everything that was found, facts of profiles first.
    pub findings: Vec<Finding>,
    /// Facts that differ from the profile's; they go into the stack.
    pub differing: Vec<Finding>,
    /// Components that are installed, with the evidence.
    pub present: Vec<(String, String)>,
    /// What a platform needs and the cluster does not have.
    pub lacking: Vec<Lack>,
    /// Notes without an effect on the result.
    pub notes: Vec<String>,
}

/// Detects a cluster from its answers.
///
/// # Errors
/// [`kfc_diagnostics::Code::UnknownProvider`] when the answers have no nodes, which show the provider.
pub fn detect(answers: &Answers, catalogue: &Catalogue) -> Result<Detected> {
    let ours = ours::Ours::of(answers);
    let whole = answers;
    let answers = &whole.without(|kind, object| ours.has(kind, object));
    let found = provider::provider(answers)?;
    let mut notes = found.notes;
    let accelerator = accelerators::accelerators(answers);
    notes.extend(accelerator.notes);
    let arch = provider::architecture(answers, &mut notes);
    let mut layers = vec![found.layer.to_owned()];
    for layer in accelerator.layer.iter().chain(&arch.layer) {
        let with = [&layers[..], &[(*layer).to_owned()]].concat();
        match join(catalogue, &with.join("+")) {
            Ok(_) => layers = with,
            Err(errors) => {
                let why = errors.0.first().map(|error| error.message.clone()).unwrap_or_default();
                notes.push(format!("the layer `{layer}` is left out: {why}"));
            }
        }
    }
    let profile = layers.join("+");
    let joined = join(catalogue, &profile)?;
    let mut findings = found.findings;
    findings.extend(provider::version(answers));
    findings.extend(arch.findings);
    findings.extend(accelerator.findings);
    findings.extend(storage::storage(answers, &joined));
    findings.extend(services::services(answers, found.layer, &joined, &mut notes));
    let differs =
        |finding: &&Finding| joined.facts.get(&finding.name).is_some_and(|fact| fact.value != finding.value);
    let differing = findings.iter().filter(differs).cloned().collect();
    let present = installed::installed(answers, catalogue, &mut notes);
    notes.extend(note_of_ours(whole, &ours, &present, catalogue));
    let lacking = lacking(answers, found.layer, &joined, &findings);
    Ok(Detected { profile, findings, differing, present, lacking, notes })
}

/// A note on what kfc installed, which stays in the stack.
fn note_of_ours(
    answers: &Answers,
    ours: &ours::Ours,
    present: &[(String, String)],
    catalogue: &Catalogue,
) -> Option<String> {
    let is_present = |name: &String| present.iter().any(|(present, _)| present == name);
    let all = installed::installed(answers, catalogue, &mut Vec::new()).into_iter().map(|(name, _)| name);
    let own: Vec<String> = all.filter(|name| !is_present(name)).collect();
    if own.is_empty() {
        return None;
    }
    let inventories = ours.inventories.iter().map(|(name, count)| format!("`{name}` ({count} objects)"));
    let inventories: Vec<String> = inventories.collect();
    let from = match inventories.as_slice() {
        [] => String::new(),
        names => format!(", from {}", names.join(", ")),
    };
    Some(format!("installed by kfc itself{from}, and so not present for a stack: {}", own.join(", ")))
}

fn join(catalogue: &Catalogue, profile: &str) -> Result<Profile> {
    let written = Spanned::nowhere(profile.to_owned());
    let none = Node::map(Map::new(), None);
    Profile::join(catalogue, &written, &none, &none)
}

impl Detected {
    /// The stack of this cluster.
    #[must_use]
    pub fn stack(&self) -> Stack {
        let mut stack = Stack::of_profile(&self.profile);
        let spanned = |(name, _): &(String, String)| Spanned::nowhere(name.clone());
        stack.present = self.present.iter().map(spanned).collect();
        stack.facts = from_json(&self.facts(), None);
        stack
    }

    /// The facts that differ from the profile's, as a tree.
    fn facts(&self) -> Value {
        let mut tree = json!({});
        for finding in &self.differing {
            let mut here = &mut tree;
            for step in finding.name.split('.') {
                if !here.is_object() {
                    *here = json!({});
                }
                here = &mut here[step];
            }
            *here = finding.value.clone();
        }
        tree
    }

    /// The text of a `kfc.yaml` for this cluster.
    #[must_use]
    pub fn stack_file(&self, name: &str) -> String {
        let profile = &self.profile;
        let head = format!("apiVersion: kfc.dev/v1alpha1\nkind: Stack\nmetadata:\n  name: {name}\nspec:\n");
        format!("{head}  platform: {profile}\n{}", self.stack_lines())
    }

    /// The lines of a `kfc.yaml` with what is present and what differs from the profile, each with its evidence; none if there is
    /// nothing of either.
    #[must_use]
    pub fn stack_lines(&self) -> String {
        let mut text = String::new();
        if !self.present.is_empty() {
            text.push_str(
                "  # On the cluster already: not emitted, but what they provide counts.\n  present:\n",
            );
            for (name, evidence) in &self.present {
                let _ = writeln!(text, "  - {name}  # {evidence}");
            }
        }
        if !self.differing.is_empty() {
            text.push_str("  # Where this cluster differs from its profile.\n  facts:\n");
            write_facts(&self.facts(), "", &self.differing, 2, &mut text);
        }
        text
    }
}

/// Facts as nested YAML, each with its evidence. Values are JSON, which YAML has too.
fn write_facts(tree: &Value, before: &str, findings: &[Finding], depth: usize, text: &mut String) {
    for (key, value) in tree.as_object().into_iter().flatten() {
        let name = if before.is_empty() { key.clone() } else { format!("{before}.{key}") };
        let indent = "  ".repeat(depth);
        if let Some(finding) = findings.iter().find(|finding| finding.name == name) {
            let _ = writeln!(text, "{indent}{key}: {value}  # {}", finding.evidence);
        } else {
            let _ = writeln!(text, "{indent}{key}:");
            write_facts(value, &name, findings, depth + 1, text);
        }
    }
}
