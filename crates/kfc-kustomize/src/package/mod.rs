//! Directories of resources as `kustomize cfg` reads, searches and prints them: documents that keep comments and styles.
//!
//! A package is a directory with a `Krmfile`, or the one that is named. The rules are those of kyaml 0.21.1; where the result of
//! kustomize depends on the order of a Go map, ours has one order.

mod annotations;
mod field_order;
mod format;
mod function;
mod grep;
mod ignore;
mod kind;
mod migration;
mod output;
mod path;
mod read;
mod tree;

pub use annotations::{Meta, is_local_config};
pub use format::format;
pub use function::{
    FunctionRun, Ran, exec_function, files_of, function_config, image_function, paths_of, run_functions,
};
pub use grep::Query;
pub use migration::with_migration;
pub use output::{MappingStyle, Output, Wrapping, write};
pub use path::{FieldQuery, parse_field_path};
pub use read::{
    Input, Located, PACKAGE_FILE, Scope, clean, packages, read_located, read_located_stream, read_package,
    read_stream,
};
pub use tree::{Structure, Tree, TreeField, render_tree};
