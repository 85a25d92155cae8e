//! An upgrade as text: what is lost, then the steps in their order.

use super::{Concern, Migration, MigrationTime, TextForm, Upgrade};
use std::fmt::Write as _;

/// How the new bundle is applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApplyStep {
    /// The command.
    pub command: String,
    /// What has to be changed with it, as a sentence without a full stop.
    pub note: Option<String>,
}

impl Upgrade {
    /// As text for a terminal, or in Markdown.
    #[must_use]
    pub fn text(&self, form: TextForm, apply: &ApplyStep) -> String {
        render(self, form, apply)
    }
}

/// Writes the parts of a text.
struct Text {
    form: TextForm,
    text: String,
}

impl Text {
    fn heading(&mut self, heading: &str) {
        let _ = match self.form {
            TextForm::Plain => writeln!(self.text, "\n{heading}"),
            TextForm::Markdown => writeln!(self.text, "\n## {heading}"),
        };
    }

    fn item(&mut self, item: &str) {
        let _ = match self.form {
            TextForm::Plain => writeln!(self.text, "  {item}"),
            TextForm::Markdown => writeln!(self.text, "- {item}"),
        };
    }

    fn commands(&mut self, commands: &[String]) {
        if self.form == TextForm::Markdown && !commands.is_empty() {
            let _ = writeln!(self.text, "  ```sh\n  {}\n  ```", commands.join("\n  "));
            return;
        }
        for command in commands {
            let _ = writeln!(self.text, "      {command}");
        }
    }

    fn code(&self, text: &str) -> String {
        match self.form {
            TextForm::Plain => text.to_owned(),
            TextForm::Markdown => format!("`{text}`"),
        }
    }

    fn concerns(&mut self, concerns: &[Concern]) {
        for Concern { component, object, message } in concerns {
            let object = self.code(object);
            let of = component.as_ref().map_or(String::new(), |component| format!(" ({component})"));
            self.item(&format!("{object}{of}: {message}"));
        }
    }

    fn migrations(&mut self, migrations: &[&Migration]) {
        for migration in migrations {
            let object = self.code(&migration.definition);
            let of =
                migration.component.as_ref().map_or(String::new(), |component| format!(" ({component})"));
            let from = migration.from.join(", ");
            match &migration.to {
                Some(to) => self.item(&format!("{object}{of}: stored in {from}, to be stored in {to}")),
                None => self.item(&format!(
                    "{object}{of}: stored in {from}, and no version is in both; upgrade through a release that has both, \
                     or save every {}, delete the CRD with all of them, and create them again in {} afterwards",
                    migration.kind,
                    migration.served.join(" or ")
                )),
            }
            self.commands(&migration.commands);
        }
    }
}

fn render(upgrade: &Upgrade, form: TextForm, apply: &ApplyStep) -> String {
    let mut text = Text { form, text: String::new() };
    let title = format!(
        "From {} ({} resources) to {} ({} resources)",
        upgrade.before.label, upgrade.before.resources, upgrade.after.label, upgrade.after.resources
    );
    let _ = match form {
        TextForm::Plain => writeln!(text.text, "{title}"),
        TextForm::Markdown => writeln!(text.text, "# {title}"),
    };
    text.heading("Data");
    if upgrade.losses.is_empty() {
        text.item("nothing that holds data is removed");
    } else {
        text.concerns(&upgrade.losses);
        text.item("an apply keeps all of these in the cluster unless you name them; what replaces them starts empty");
    }
    steps(&mut text, upgrade, apply);
    text.text
}

/// The steps, numbered: those without anything to do are left out.
fn steps(text: &mut Text, upgrade: &Upgrade, apply: &ApplyStep) {
    let at = |time: MigrationTime| -> Vec<&Migration> {
        let of_time = upgrade.migrations.iter().filter(|migration| migration.time == time);
        of_time.filter(|migration| !migration.from.is_empty()).collect()
    };
    let mut number = 0;
    let mut step = |text: &mut Text, heading: &str| {
        number += 1;
        text.heading(&format!("Step {number}: {heading}"));
    };
    if !upgrade.losses.is_empty() || !upgrade.backups.is_empty() {
        step(text, "save data");
        if !upgrade.losses.is_empty() {
            text.item("everything listed above");
        }
        text.concerns(&upgrade.backups);
    }
    let before = at(MigrationTime::Before);
    if !before.is_empty() {
        step(text, "store custom resources in versions that stay, or the API server refuses their CRDs");
        text.migrations(&before);
    }
    if !upgrade.by_hand.is_empty() {
        step(text, "do by hand");
        text.concerns(&upgrade.by_hand);
    }
    step(text, "apply");
    text.commands(std::slice::from_ref(&apply.command));
    if let Some(note) = &apply.note {
        text.item(note);
    }
    if !upgrade.recreations.is_empty() {
        text.item("it asks before it recreates these; elsewhere than on a terminal, pass `--recreate`:");
        text.concerns(&upgrade.recreations);
    }
    for component in &upgrade.components {
        let count = component.resources;
        let resources = if count == 1 { "resource changes" } else { "resources change" };
        text.item(&format!("{}: {count} {resources}", component.name));
    }
    let after = at(MigrationTime::After);
    if !after.is_empty() {
        step(text, "store custom resources in the new version, before a later release removes the old one");
        text.migrations(&after);
    }
}
