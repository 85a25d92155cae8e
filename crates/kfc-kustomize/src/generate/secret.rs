//! `secretGenerator`.

use super::pairs::{self, Head};
use crate::kustomization::model::{GeneratorOptions, SecretArgs};
use crate::resource::Resource;
use kfc_diagnostics::Result;
use kfc_source::Loader;
use kfc_yaml::{Map, Node};

/// Makes a secret, of type `Opaque` when none is given. All values are base64.
///
/// # Errors
/// What is wrong with the name, the keys and the files.
pub fn generate(args: &SecretArgs, global: Option<&GeneratorOptions>, loader: &Loader) -> Result<Resource> {
    let common = &args.common;
    let head = Head {
        kind: "Secret",
        name: &common.name,
        namespace: &common.namespace,
        behavior: common.behavior,
        options: pairs::merge_options(common.options.as_ref(), global),
        mark: common.mark,
    };
    let mut object = pairs::object(&head)?;
    let secret_type = if args.secret_type.is_empty() { "Opaque" } else { &args.secret_type };
    object.set("type", Node::string(secret_type, head.mark));
    // A secret has `data` even when there is none; a config map does not.
    object.set("data", Node::map(Map::new(), head.mark));
    for pair in pairs::load(&common.sources, loader)? {
        object.put("data", &pair, &pairs::base64_lines(&pair.value), head.mark);
    }
    Ok(object.resource(&head))
}
