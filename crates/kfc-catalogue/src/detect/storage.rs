//! Storage classes: the default one, and one for volumes that many nodes write to.

use super::answers::{Answers, annotation, name};
use super::finding::Finding;
use crate::resolve::Profile;
use serde_json::Value;

/// Parts of the names of provisioners whose volumes many nodes can write to.
const SHARED: [&str; 12] = [
    "filestore.csi.storage.gke.io",
    "efs.csi.aws.com",
    "fsx.csi.aws.com",
    "file.csi.azure.com",
    "kubernetes.io/azure-file",
    "cephfs.csi.ceph.com",
    "nfs",
    "glusterfs",
    "driver.longhorn.io",
    "csi.weka.io",
    "quobyte",
    "beegfs",
];

/// The classes of this cluster, instead of those of the profile that it does not have.
pub(super) fn storage(answers: &Answers, profile: &Profile) -> Vec<Finding> {
    if !answers.knows("StorageClass") {
        return Vec::new();
    }
    let classes = answers.of("StorageClass");
    vec![class(classes, profile), shared(classes, profile)]
}

fn class(classes: &[Value], profile: &Profile) -> Finding {
    let marked =
        |class: &&Value| annotation(class, "storageclass.kubernetes.io/is-default-class") == Some("true");
    let usual = fact(profile, "storage.class");
    let default = classes.iter().find(marked);
    if let Some(class) = classes.iter().find(|class| !usual.is_empty() && name(class) == usual) {
        let more = match default {
            Some(default) if name(default) != usual => format!(", the default is {}", name(default)),
            _ => String::new(),
        };
        return Finding::new("storage.class", usual, format!("it exists ({}){more}", provisioner(class)));
    }
    match default {
        Some(class) => {
            Finding::new("storage.class", name(class), format!("the default class ({})", provisioner(class)))
        }
        None => Finding::new("storage.class", "", "no class is the default: volumes need one by name"),
    }
}

fn shared(classes: &[Value], profile: &Profile) -> Finding {
    let usual = fact(profile, "storage.sharedClass");
    if let Some(class) = classes.iter().find(|class| !usual.is_empty() && name(class) == usual) {
        return Finding::new("storage.sharedClass", usual, format!("it exists ({})", provisioner(class)));
    }
    let is_shared = |class: &&Value| SHARED.iter().any(|part| provisioner(class).contains(part));
    match classes.iter().find(is_shared) {
        Some(class) => {
            let evidence = format!("many nodes can write to volumes of {}", provisioner(class));
            Finding::new("storage.sharedClass", name(class), evidence)
        }
        None => {
            Finding::new("storage.sharedClass", "", "no class is known whose volumes many nodes can write to")
        }
    }
}

fn provisioner(class: &Value) -> &str {
    class["provisioner"].as_str().unwrap_or_default()
}

fn fact<'p>(profile: &'p Profile, name: &str) -> &'p str {
    profile.facts.get(name).and_then(|fact| fact.value.as_str()).unwrap_or_default()
}
