//! The command line: reads arguments, calls the stages, writes the results. All output goes through here.

mod across;
#[cfg(feature = "cluster")]
mod apply;
#[cfg(feature = "cluster")]
mod apply_args;
#[cfg(feature = "cluster")]
mod apply_run;
#[cfg(feature = "cluster")]
mod apply_text;
mod argocd;
mod args;
mod build;
mod build_targets;
mod bundle_format;
mod catalog;
#[cfg(feature = "cluster")]
mod changes;
mod codes;
mod completion;
#[cfg(feature = "cluster")]
mod consent;
mod defaults;
#[cfg(feature = "cluster")]
mod delete;
mod detect;
mod diff;
mod diff_report;
mod eject;
mod environments;
mod exit;
mod explain;
mod findings;
#[cfg(feature = "cluster")]
mod first_login;
mod folder;
mod golden;
mod golden_targets;
mod graph;
mod here;
#[cfg(feature = "cluster")]
mod history;
mod init;
#[cfg(feature = "cluster")]
mod intake;
#[cfg(feature = "cluster")]
mod interrupt;
#[cfg(feature = "cluster")]
mod inventory;
mod kustomize;
mod line;
mod list;
mod listing;
mod live;
mod members;
mod messages;
mod name;
mod new;
mod output;
mod ownership;
mod patterns;
#[cfg(feature = "cluster")]
mod plan_file;
mod plan_graph;
#[cfg(feature = "cluster")]
mod progress;
mod random;
mod reach;
#[cfg(feature = "cluster")]
mod results;
#[cfg(feature = "cluster")]
mod rollback;
mod run;
mod scaffold;
mod schema;
mod schema_catalogue;
mod screen;
mod secrets;
#[cfg(feature = "cluster")]
mod several;
mod side;
mod side_args;
mod sides;
#[cfg(feature = "sops")]
mod sops;
#[cfg(feature = "cluster")]
mod status;
mod substitute;
mod table;
mod targets;
mod trace;
mod upgrade;
mod validate;
mod validation;
mod vendoring;
mod version;
mod waves;

pub use run::{kfc_command, kustomize_command, run};
