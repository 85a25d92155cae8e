//! `cfg tree`: resources with some of their fields, in their directories or under their owners.

use super::annotations::{self, Meta, PATH};
use super::format::compare_fields;
use super::kind::wrong_kind;
use super::path::{FieldQuery, search, text_of};
use super::read::clean;
use kfc_diagnostics::{Code, Diagnostic};
use kfc_yaml::styled::{Content, StyledDocument, StyledNode};
use std::cmp::Ordering;
use std::collections::BTreeMap;

type Result<T> = std::result::Result<T, Diagnostic>;

/// What resources are arranged by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Structure {
    /// Their directories.
    Directory,
    /// The resources that own them.
    Owners,
}

/// A field that is printed with each resource that has it.
#[derive(Clone, Debug)]
pub struct TreeField {
    path: FieldQuery,
    /// What it is printed under.
    name: String,
    /// Its name in each item of the list that has the name `name`.
    name_in_item: Option<String>,
}

/// The lists whose items are printed one by one.
const LISTS: [&str; 3] =
    ["spec.template.spec.containers", "spec.jobTemplate.spec.template.spec.containers", "spec.containers"];

impl TreeField {
    /// The field at a path.
    #[must_use]
    pub fn new(path: FieldQuery) -> Self {
        let whole = path.0.join(".");
        match LISTS.iter().find(|list| whole.starts_with(*list)) {
            Some(list) => {
                let name_in_item = path.0.last().cloned();
                Self { path, name: (*list).to_owned(), name_in_item }
            }
            None => Self { path, name: whole, name_in_item: None },
        }
    }
}

/// What a tree is made of.
pub struct Tree<'a> {
    /// The directory that was read, as it is printed.
    pub root: &'a str,
    /// The fields.
    pub fields: &'a [TreeField],
    /// What resources are arranged by; owners where any resource has one, if nothing is said.
    pub structure: Option<Structure>,
    /// Whether a directory, as seen from `root`, is a package.
    pub is_package: &'a dyn Fn(&str) -> bool,
}

/// Renders resources as a tree.
///
/// # Errors
/// Fields that do not fit a resource; an owner that is missing.
pub fn render_tree(mut documents: Vec<StyledDocument>, tree: &Tree<'_>) -> Result<String> {
    let has_owners = || documents.iter().any(|document| owners(&document.root).is_some());
    let structure =
        tree.structure.unwrap_or_else(|| if has_owners() { Structure::Owners } else { Structure::Directory });
    let branch = match structure {
        Structure::Owners => by_owner(&documents, tree)?,
        Structure::Directory => {
            for document in &mut documents {
                annotations::complete_pairs(&mut document.root)?;
            }
            by_directory(&documents, tree)?
        }
    };
    let mut out = format!("{}\n", branch.text);
    branch.render_below("", &mut out);
    Ok(out)
}

/// A line of the tree, and those below it.
#[derive(Debug, Default)]
struct Branch {
    text: String,
    below: Vec<Branch>,
}

impl Branch {
    fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), below: Vec::new() }
    }

    fn render_below(&self, indent: &str, out: &mut String) {
        for (index, branch) in self.below.iter().enumerate() {
            let is_last = index + 1 == self.below.len();
            let (edge, deeper) = if is_last { ("└──", "    ") } else { ("├──", "│   ") };
            let deeper = format!("{indent}{deeper}");
            let text = branch.text.replace('\n', &format!("\n{deeper}"));
            out.extend([indent, edge, " ", &text, "\n"]);
            branch.render_below(&deeper, out);
        }
    }
}

fn by_directory(documents: &[StyledDocument], tree: &Tree<'_>) -> Result<Branch> {
    let mut directories: BTreeMap<String, Vec<&StyledNode>> = BTreeMap::new();
    for root in documents.iter().map(|document| &document.root) {
        let meta = Meta::of(root);
        if !meta.kind.is_empty() {
            let path = meta.annotation(PATH).unwrap_or_default();
            let directory = path.rsplit_once('/').map_or(".", |(directory, _)| directory);
            directories.entry(clean(directory)).or_default().push(root);
        }
    }
    let mut below = Vec::new();
    for (directory, mut resources) in directories {
        sort(&mut resources);
        let resources: Vec<Branch> =
            resources.into_iter().map(|root| resource(root, None, tree)).collect::<Result<_>>()?;
        below.push((directory, resources));
    }
    let mut root = Branch::new(tree.root);
    add_directories(&mut root, below, tree);
    Ok(root)
}

/// Adds directories, sorted by their names, each below the one before it whose path its own begins with; kustomize takes any
/// such directory, and we the nearest.
fn add_directories(root: &mut Branch, directories: Vec<(String, Vec<Branch>)>, tree: &Tree<'_>) {
    // Where each directory is: the indices from the root down.
    let mut places: Vec<(String, Vec<usize>)> = Vec::new();
    for (directory, resources) in directories {
        let around = places.iter().filter(|(around, _)| directory.starts_with(around.as_str()));
        let mut place =
            around.max_by_key(|(around, _)| around.len()).map(|(_, place)| place.clone()).unwrap_or_default();
        let parent = place.iter().fold(&mut *root, |branch, index| &mut branch.below[*index]);
        if directory == "." {
            parent.below.extend(resources);
        } else {
            let name = directory.rsplit('/').next().unwrap_or_default();
            let text = if (tree.is_package)(&directory) { format!("Pkg: {name}") } else { name.to_owned() };
            place.push(parent.below.len());
            parent.below.push(Branch { text, below: resources });
        }
        places.push((directory, place));
    }
}

/// The line of a resource, with its fields below it.
fn resource(root: &StyledNode, label: Option<&str>, tree: &Tree<'_>) -> Result<Branch> {
    let meta = Meta::of(root);
    let path = meta.annotation(PATH).unwrap_or_default();
    let file = path.rsplit('/').next().filter(|name| !name.is_empty()).unwrap_or(".");
    let name = if meta.namespace.is_empty() {
        meta.name.clone()
    } else {
        format!("{}/{}", meta.namespace, meta.name)
    };
    let mut branch = Branch::new(format!("[{}]  {} {name}", label.unwrap_or(file), meta.kind));
    branch.below = fields(root, tree.fields)?;
    Ok(branch)
}

/// What is printed of a field.
#[derive(Default)]
struct Shown {
    value: String,
    /// The items of a list by what identifies them, with the fields of each.
    items: BTreeMap<String, Vec<(String, String)>>,
}

fn fields(root: &StyledNode, fields: &[TreeField]) -> Result<Vec<Branch>> {
    let mut shown: Vec<(&str, Shown)> = Vec::new();
    for field in fields {
        let found = search(root, &field.path.0)?;
        if found.is_empty() {
            continue;
        }
        let at = shown.iter().position(|(name, _)| *name == field.name).unwrap_or_else(|| {
            shown.push((&field.name, Shown::default()));
            shown.len() - 1
        });
        let entry = &mut shown[at].1;
        match &field.name_in_item {
            None => {
                entry.value = found.into_iter().next().map(|found| flow_text(found.node)).unwrap_or_default();
            }
            Some(name) => {
                for found in found {
                    let item = entry.items.entry(found.matched.join("/")).or_default();
                    item.push((name.clone(), flow_text(found.node)));
                }
            }
        }
    }
    shown.sort_by(|(a, one), (b, other)| compare(a, &one.value, b, &other.value));
    Ok(shown.into_iter().map(|(name, shown)| field_branch(name, shown)).collect())
}

fn field_branch(name: &str, shown: Shown) -> Branch {
    let mut items: Vec<(String, Vec<(String, String)>)> = shown.items.into_iter().collect();
    if items.is_empty() {
        return Branch::new(format!("{name}: {}", shown.value));
    }
    items.sort_by(|(a, _), (b, _)| compare_fields(a, b));
    let item = |(index, (_, mut values)): (usize, (String, Vec<(String, String)>))| {
        values.sort_by(|(a, one), (b, other)| compare(a, one, b, other));
        let below = values.iter().map(|(name, value)| Branch::new(format!("{name}: {value}"))).collect();
        Branch { text: index.to_string(), below }
    };
    Branch { text: name.to_owned(), below: items.into_iter().enumerate().map(item).collect() }
}

fn compare(a: &str, value_of_a: &str, b: &str, value_of_b: &str) -> Ordering {
    compare_fields(a, b).then_with(|| value_of_a.cmp(value_of_b))
}

fn flow_text(mut node: StyledNode) -> String {
    node.strip_comments();
    node.set_flow();
    text_of(&node).trim().to_owned()
}

/// Sorts resources by file, namespace, name, kind and apiVersion. Of equal ones the later one comes first, as in kustomize.
fn sort(resources: &mut [&StyledNode]) {
    resources.reverse();
    resources.sort_by_cached_key(|root| sort_key(root));
}

fn sort_key(root: &StyledNode) -> (String, String, String, String, String) {
    let meta = Meta::of(root);
    let file = meta.annotation(PATH).unwrap_or_default().rsplit('/').next().unwrap_or_default().to_owned();
    (file, meta.namespace, meta.name, meta.kind, meta.api_version)
}

fn owners(root: &StyledNode) -> Option<&StyledNode> {
    root.get("metadata")?.get("ownerReferences").filter(|owners| !owners.is_null())
}

/// What identifies a resource or the owner of one.
fn identity(kind: &str, namespace: &str, name: &str) -> String {
    format!("{kind} {namespace}/{name}")
}

fn owner_of(root: &StyledNode, meta: &Meta) -> Result<Option<String>> {
    let Some(owners) = owners(root) else { return Ok(None) };
    let Content::Seq { items, .. } = &owners.content else {
        return Err(wrong_kind("a sequence", owners));
    };
    let text = |owner: &StyledNode, name: &str| {
        owner.get(name).and_then(StyledNode::as_text).unwrap_or_default().to_owned()
    };
    let owner = items.first();
    Ok(owner.map(|owner| identity(&text(owner, "kind"), &meta.namespace, &text(owner, "name"))))
}

fn by_owner(documents: &[StyledDocument], tree: &Tree<'_>) -> Result<Branch> {
    let mut below: BTreeMap<Option<String>, Vec<&StyledNode>> = BTreeMap::new();
    let mut known: BTreeMap<String, &StyledNode> = BTreeMap::new();
    for root in documents.iter().map(|document| &document.root) {
        let meta = Meta::of(root);
        known.insert(identity(&meta.kind, &meta.namespace, &meta.name), root);
        below.entry(owner_of(root, &meta)?).or_default().push(root);
    }
    if let Some(missing) = below.keys().flatten().find(|owner| !known.contains_key(*owner)) {
        let error = Diagnostic::error(
            Code::NotFound,
            format!("{missing} is an owner, but is not among the resources"),
        );
        return Err(error.help("add it, or use `--graph-structure directory`"));
    }
    let mut root = Branch::new(".");
    root.below = owned(None, &below, tree, 0)?;
    Ok(root)
}

/// The resources of an owner. A circle of owners hangs on none, so that it is not reached.
fn owned(
    owner: Option<&str>,
    below: &BTreeMap<Option<String>, Vec<&StyledNode>>,
    tree: &Tree<'_>,
    depth: usize,
) -> Result<Vec<Branch>> {
    let mut resources = below.get(&owner.map(str::to_owned)).cloned().unwrap_or_default();
    if depth > below.len() {
        return Err(Diagnostic::error(Code::Cycle, "resources own one another in a circle"));
    }
    sort(&mut resources);
    let mut branches = Vec::new();
    for root in resources {
        let meta = Meta::of(root);
        let mut branch = resource(root, Some("Resource"), tree)?;
        let identity = identity(&meta.kind, &meta.namespace, &meta.name);
        branch.below.extend(owned(Some(&identity), below, tree, depth + 1)?);
        branches.push(branch);
    }
    Ok(branches)
}

#[cfg(test)]
mod tests {
    use super::{Structure, Tree, TreeField, render_tree};
    use crate::package::path::parse_field_path;
    use kfc_yaml::styled::{StyledDocument, parse};

    fn rendered(texts: &[&str], fields: &[&str], structure: Option<Structure>) -> Result<String, String> {
        let documents: Vec<StyledDocument> = texts.iter().map(|text| parse(text).unwrap()).collect();
        let fields: Vec<TreeField> =
            fields.iter().map(|path| TreeField::new(parse_field_path(path).unwrap())).collect();
        let is_package = |directory: &str| directory == "b";
        let tree = Tree { root: "top", fields: &fields, structure, is_package: &is_package };
        render_tree(documents, &tree).map_err(|error| error.message)
    }

    fn at(path: &str, rest: &str) -> String {
        format!("metadata: {{name: x, annotations: {{internal.config.kubernetes.io/path: {path}}}}}\n{rest}")
    }

    #[test]
    fn resources_are_in_their_directories() {
        let texts = [at("b/c/z.yaml", "kind: Z"), at("b/y.yaml", "kind: Y"), at("a.yaml", "kind: X")];
        let texts = texts.each_ref().map(String::as_str);
        let expected = "top\n├── [a.yaml]  X x\n└── Pkg: b\n    ├── [y.yaml]  Y x\n    └── c\n        └── [z.yaml]  Z x\n";
        assert_eq!(rendered(&texts, &[], None).unwrap(), expected);
    }

    #[test]
    fn fields_are_below_their_resource() {
        let text = at(
            "a",
            "kind: X\nspec:\n  replicas: 2 # two\n  containers:\n  - name: b\n    image: i\n  - name: a\n    image: \"j\"\n",
        );
        let fields = ["spec.replicas", "spec.containers[name=\\.*].image", "spec.none"];
        let expected = "top\n└── [a]  X x\n    ├── spec.containers\n    │   ├── 0\n    │   │   └── image: j\n    │   └── 1\n    │       └── image: i\n    └── spec.replicas: 2\n";
        assert_eq!(rendered(&[&text], &fields, None).unwrap(), expected);
    }

    #[test]
    fn resources_are_below_their_owners() {
        let owned = "kind: Pod\nmetadata: {name: p, ownerReferences: [{kind: Job, name: j}]}\n";
        let expected = ".\n└── [Resource]  Job j\n    └── [Resource]  Pod p\n";
        assert_eq!(rendered(&[owned, "kind: Job\nmetadata: {name: j}\n"], &[], None).unwrap(), expected);
        assert_eq!(
            rendered(&[owned], &[], None).unwrap_err(),
            "Job /j is an owner, but is not among the resources"
        );
        let alone = rendered(&[owned], &[], Some(Structure::Directory)).unwrap();
        assert_eq!(alone, "top\n└── [.]  Pod p\n");
    }
}
