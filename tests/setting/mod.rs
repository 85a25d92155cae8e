//! What the tests of the catalogue have in common: the catalogue, and bundles of stacks.

#![allow(dead_code, missing_docs)]

use kfc::assemble::assemble;
use kfc::catalogue::{Catalogue, Stack};
use kfc::diagnostics::{Diagnostics, Sources, Style, render};
use kfc::resolve::resolve;
use kfc::resource::Resource;
use kfc::sources::{Loader, Options};
use std::sync::Arc;

pub(crate) struct Setting {
    pub(crate) sources: Arc<Sources>,
    pub(crate) loader: Loader,
    pub(crate) catalogue: Catalogue,
}

pub(crate) fn setting() -> Setting {
    let sources = Arc::new(Sources::default());
    let loader = Loader::here(Options::default(), &sources);
    let catalogue = Catalogue::load(&loader, &[]);
    let catalogue = catalogue.unwrap_or_else(|errors| panic!("{}", shown(&errors, &sources)));
    Setting { sources, loader, catalogue }
}

pub(crate) fn shown(diagnostics: &Diagnostics, sources: &Sources) -> String {
    render(diagnostics, sources, Style { colour: false, width: 140, run: "build" })
}

impl Setting {
    /// The resources of a stack.
    pub(crate) fn resources(&self, stack: &Stack) -> Vec<Resource> {
        let plan = resolve(&self.catalogue, stack);
        let plan = plan.unwrap_or_else(|errors| panic!("{}: {}", stack.name, shown(&errors, &self.sources)));
        let assembled = assemble(&plan, stack, &self.loader);
        let assembled =
            assembled.unwrap_or_else(|errors| panic!("{}: {}", stack.name, shown(&errors, &self.sources)));
        assembled.bundle.resources.list
    }

    /// Fails when anything is wrong with a bundle that can be seen without a cluster.
    pub(crate) fn check(&self, name: &str, resources: &[Resource]) {
        let mut found = kfc::check::references(resources);
        found.extend(kfc::check::order(resources));
        found.extend(kfc::check::structural(resources));
        found.extend(kfc::check::pod_security(resources));
        assert!(found.is_empty(), "{name}: {}", shown(&found, &self.sources));
    }
}
