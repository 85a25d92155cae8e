//! `kfc eject`: copies a component of the built-in catalogue into a catalogue of the user.

use super::args::OwnCatalogueArgs;
use super::here;
use super::output;
use super::scaffold::Scaffold;
use clap::Args;
use kfc_catalogue::catalogue::Catalogue;
use kfc_diagnostics::{Code, Diagnostic, Result, Sources, nearest};
use kfc_source::lock::tree::sha256;
use kfc_source::{FileSystem, Loader, Refusal};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

/// The file that says what a copy was made from.
const PROVENANCE: &str = "ejected.yaml";

#[derive(Debug, Args)]
pub(super) struct EjectArgs {
    /// The component, a name of `kfc list components`.
    component: String,
    #[command(flatten)]
    into: OwnCatalogueArgs,
}

pub(super) fn run(args: &EjectArgs) -> u8 {
    let sources = Arc::new(Sources::default());
    output::finish(eject(args, &sources), &sources, "the command")
}

fn eject(args: &EjectArgs, sources: &Arc<Sources>) -> Result<String> {
    let loader = Loader::here(here::reads(), sources);
    let catalogue = Catalogue::load(&loader, &[])?;
    let name = args.component.as_str();
    let Some(component) = catalogue.components.get(name) else {
        let message = format!("the built-in catalogue has no component `{name}`");
        let error = Diagnostic::error(Code::UnknownComponent, message);
        let near = nearest(name, catalogue.components.keys().map(String::as_str));
        return Err(error.helped(near.map(|near| format!("did you mean `{near}`?"))).into());
    };
    let from = &component.base.place.folder;
    let files = loader.files();
    let mut copies = Vec::new();
    add_files(files, from, "", &mut copies).map_err(|path| -> kfc_diagnostics::Diagnostics {
        let message = format!("cannot read `{path}` of the built-in catalogue");
        Diagnostic::error(Code::Unreadable, message).into()
    })?;
    let to = args.into.catalogue.join("bases").join(name);
    if to.join(PROVENANCE).symlink_metadata().is_ok() && !args.into.force {
        let message = format!("{} is a copy of `{name}` already", to.display());
        let error = Diagnostic::error(Code::Output, message);
        return Err(error.help("replace it, and your changes of it, with `--force`").into());
    }
    let mut scaffold = Scaffold::new(&args.into.catalogue, args.into.force);
    let provenance = provenance(name, &component.version, &copies);
    let count = copies.len();
    for (path, bytes) in copies {
        scaffold.add(format!("bases/{name}/{path}"), bytes);
    }
    scaffold.add(format!("bases/{name}/{PROVENANCE}"), provenance);
    scaffold.write()?;
    let to = to.strip_prefix(".").unwrap_or(&to);
    Ok(format!(
        "copied {count} files of {name} {} to {}\n\nnext: in kfc.yaml, `catalogues: [{}]`: the stack is then built from the copy\n",
        component.version,
        to.display(),
        args.into.catalogue.display(),
    ))
}

/// All files in and below a directory, sorted by their paths; the path of one that cannot be read.
fn add_files(
    files: &dyn FileSystem,
    directory: &Path,
    before: &str,
    list: &mut Vec<(String, Vec<u8>)>,
) -> std::result::Result<(), String> {
    for name in files.names_in(directory) {
        let path = directory.join(&name);
        let shown = format!("{before}{name}");
        if files.is_directory(&path) {
            add_files(files, &path, &format!("{shown}/"), list)?;
        } else {
            let bytes = files.read(&path).map_err(|_: Refusal| shown.clone())?;
            list.push((shown, bytes));
        }
    }
    list.sort();
    Ok(())
}

/// What a copy was made from: a later look at the catalogue shows what both have changed since.
fn provenance(name: &str, version: &str, copies: &[(String, Vec<u8>)]) -> String {
    let mut digests = String::new();
    for (path, bytes) in copies {
        // Writing into a string cannot fail.
        let _ = writeln!(digests, "{} {path}", sha256(bytes));
    }
    format!(
        "# What `kfc eject` made this copy from. The digest is that of the list of its files, each with its own.\n\
         component: {name}\n\
         version: {version}\n\
         catalog: kfc {}\n\
         digest: sha256:{}\n",
        env!("CARGO_PKG_VERSION"),
        sha256(digests.as_bytes()),
    )
}
