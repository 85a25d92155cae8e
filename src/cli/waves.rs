//! `kfc build --wave`, `--waves` and `--wait-for`: the waves of a bundle, to apply it with kubectl.

use super::exit::DONE;
use super::listing::{described, pretty};
use super::output;
use clap::{Args, ValueEnum};
use kfc_diagnostics::{Code, Diagnostic, Result};
use kfc_kube::ObjectId;
use kfc_kube::kubectl::wait_commands;
use kfc_kube::wave::{self, Wave};
use kfc_kustomize::engine::Bundle;
use kfc_kustomize::resource::Resource;
use serde_json::{Value, json};
use std::fmt::Write;

/// How waves are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum List {
    /// For people.
    Text,
    /// For programs.
    Json,
    /// Only their numbers, one in a line, for a loop in a shell.
    Numbers,
}

/// Flags that print waves.
#[derive(Debug, Args)]
pub(super) struct WaveArgs {
    /// Print one wave of the bundle, from 1: what can be applied when the earlier waves are ready.
    #[arg(long, value_name = "N", conflicts_with_all = ["waves", "wait_for"])]
    wave: Option<usize>,
    /// List the waves, with the kubectl commands that wait for each, instead of the bundle.
    #[arg(long, value_name = "HOW", value_enum, num_args = 0..=1, require_equals = true, default_missing_value = "text")]
    waves: Option<List>,
    /// Print the kubectl commands that wait until wave N is ready instead of the bundle, one in a line.
    #[arg(long, value_name = "N", conflicts_with = "waves")]
    wait_for: Option<usize>,
}

impl WaveArgs {
    /// Whether any of these flags is given.
    pub(super) fn any(&self) -> bool {
        self.wave.is_some() || self.waves.is_some() || self.wait_for.is_some()
    }

    /// The text to print instead of the bundle, if any.
    ///
    /// # Errors
    /// A wave that does not exist.
    pub(super) fn text(&self, waves: &[Wave]) -> Result<Option<String>> {
        if let Some(number) = self.wait_for {
            let lines = wait_commands(find(waves, number)?, waves);
            return Ok(Some(lines.iter().fold(String::new(), |text, line| text + line + "\n")));
        }
        Ok(self.waves.map(|how| match how {
            List::Text => as_text(waves),
            List::Json => pretty(&described("WaveList", as_json(waves))),
            List::Numbers => {
                (1..=waves.len()).fold(String::new(), |text, number| format!("{text}{number}\n"))
            }
        }))
    }

    /// Keeps only the requested wave of a bundle, in the order in which it can be applied. `numbers` has the wave
    /// of each resource, from 0.
    ///
    /// # Errors
    /// A wave that does not exist.
    pub(super) fn narrow(&self, bundle: &mut Bundle, numbers: &mut Vec<usize>, waves: &[Wave]) -> Result<()> {
        let Some(number) = self.wave else { return Ok(()) };
        find(waves, number)?;
        let list = std::mem::take(&mut bundle.resources.list).into_iter().zip(numbers.drain(..));
        // kubectl would run the hooks of a deletion at once.
        let is_applied = |resource: &Resource| match wave::hook_of(resource) {
            Ok(Some(hook)) => hook.is_of_apply(),
            _ => true,
        };
        bundle.resources.list = list
            .filter(|(resource, at)| at + 1 == number && is_applied(resource))
            .map(|(resource, _)| resource)
            .collect();
        // As `kfc apply` sends them: what watches others comes after them.
        bundle.resources.list.sort_by_key(|resource| wave::phase_of(resource));
        *numbers = vec![number - 1; bundle.resources.list.len()];
        Ok(())
    }
}

fn find(waves: &[Wave], number: usize) -> Result<&Wave> {
    let found = number.checked_sub(1).and_then(|at| waves.get(at));
    found.ok_or_else(|| {
        let message = format!("wave {number} does not exist");
        let help = match waves.len() {
            0 => "the bundle is empty".to_owned(),
            1 => "the bundle has one wave, 1".to_owned(),
            count => format!("the bundle has {count} waves, 1 to {count}"),
        };
        Diagnostic::error(Code::Usage, message).help(help).into()
    })
}

fn as_text(waves: &[Wave]) -> String {
    let mut text = String::new();
    for (number, wave) in (1..).zip(waves) {
        let count = wave.items.len();
        // Writing into a string cannot fail.
        let _ = writeln!(text, "wave {number}: {count} resource{}", if count == 1 { "" } else { "s" });
        for hook in &wave.hooks {
            let _ = writeln!(text, "  {} hook {}", hook.hook.words(), hook.item.object);
        }
        for command in wait_commands(wave, waves) {
            let _ = writeln!(text, "  {command}");
        }
    }
    text
}

/// An object as programs read it.
pub(super) fn object_json(object: &ObjectId) -> Value {
    let mut json = json!({"apiVersion": object.api_version(), "kind": object.kind, "name": object.name});
    if !object.namespace.is_empty() {
        json["namespace"] = json!(object.namespace);
    }
    json
}

/// Waves as programs read them.
pub(super) fn as_json(waves: &[Wave]) -> Value {
    let entries = (1..).zip(waves).map(|(number, wave)| {
        let objects: Vec<Value> = wave.items.iter().map(|item| object_json(&item.object)).collect();
        let mut entry = json!({"wave": number, "resources": objects, "waitFor": wait_commands(wave, waves)});
        if !wave.hooks.is_empty() {
            let hooks = wave.hooks.iter().map(|hook| {
                let mut object = object_json(&hook.item.object);
                object["hook"] = hook.hook.moments.iter().map(|(moment, _)| moment.word()).collect();
                object
            });
            entry["hooks"] = hooks.collect();
        }
        entry
    });
    json!({"waves": entries.collect::<Vec<_>>()})
}

/// Prints a text instead of a bundle.
pub(super) fn print(text: &str) -> u8 {
    if text.is_empty() { DONE } else { output::print(text) }
}
