//! `configMapGenerator`.

use super::pairs::{self, Head};
use crate::kustomization::model::{ConfigMapArgs, GeneratorOptions};
use crate::resource::Resource;
use kfc_diagnostics::Result;
use kfc_source::Loader;

/// Makes a config map. Values that are not UTF-8 text go into `binaryData`, as base64.
///
/// # Errors
/// What is wrong with the name, the keys and the files.
pub fn generate(
    args: &ConfigMapArgs,
    global: Option<&GeneratorOptions>,
    loader: &Loader,
) -> Result<Resource> {
    let head = Head {
        kind: "ConfigMap",
        name: &args.name,
        namespace: &args.namespace,
        behavior: args.behavior,
        options: pairs::merge_options(args.options.as_ref(), global),
        mark: args.mark,
    };
    let mut object = pairs::object(&head)?;
    for pair in pairs::load(&args.sources, loader)? {
        if let Ok(text) = std::str::from_utf8(&pair.value) {
            object.put("data", &pair, text, head.mark);
        } else {
            let text = pairs::base64_lines(&pair.value);
            object.put("binaryData", &pair, &text, head.mark);
        }
    }
    Ok(object.resource(&head))
}
