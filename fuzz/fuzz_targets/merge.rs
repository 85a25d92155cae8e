//! Two or more documents: the first is the target, a mapping among the others is merged into it as a strategic merge
//! patch, a list is applied as a JSON patch. Nothing may panic.

#![no_main]

use kfc_diagnostics::SourceId;
use kfc_kube::schema::Schema;
use kfc_kustomize::merge::{json_patch, strategic};
use kfc_yaml::{Node, parse::parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(mut documents) = parse(text, SourceId::NONE) else { return };
    if documents.len() < 2 {
        return;
    }
    let mut target = documents.remove(0);
    let schema = Schema::builtin();
    for patch in documents {
        if patch.as_seq().is_some() {
            let _ =
                json_patch::read(&patch).and_then(|operations| json_patch::apply(&mut target, &operations));
            continue;
        }
        let text = |key: &str| target.get(key).and_then(Node::as_text).unwrap_or("");
        let kind = schema.lookup(text("apiVersion"), text("kind")).or_else(|| schema.lookup("v1", "Pod"));
        let _ = strategic::apply(&mut target, &patch, &schema, kind);
    }
});
