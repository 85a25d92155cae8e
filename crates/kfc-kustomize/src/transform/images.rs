//! The image transformer: `images`.

use super::field_spec::{expect_scalar, rewrite_scalar};
use super::image_reference::{ImageName, ImageReference};
use super::{Create, FieldSpec, FieldSpecs};
use crate::kustomization::model::Image;
use crate::provenance::{Step, StepKind};
use crate::resource::{Field, ResourceSet};
use kfc_diagnostics::{Code, Diagnostic, Result};
use kfc_yaml::{Node, Value};
use std::sync::LazyLock;

/// Fields with lists of containers, wherever they are.
const CONTAINER_LISTS: [&str; 2] = ["containers", "initContainers"];

/// Applies one image; see [`apply_all`].
///
/// # Errors
/// As [`apply_all`].
pub fn apply(set: &mut ResourceSet, image: &Image, fields: &[FieldSpec]) -> Result<()> {
    apply_all(set, std::slice::from_ref(image), fields)
}

/// Applies the images in order, with one look for container lists in each resource. Each image changes those of
/// container lists anywhere in a resource, then those of the field specs, so that a tag suffix comes twice for an
/// image that both reach, as in kustomize. Custom resource definitions are left alone.
///
/// # Errors
/// [`Code::BadValue`] for an image name that is not a regular expression; [`Code::WrongType`] and [`Code::FieldPath`] for
/// container lists and images that are none.
pub fn apply_all(set: &mut ResourceSet, images: &[Image], fields: &[FieldSpec]) -> Result<()> {
    let changes = images.iter().map(Change::new).collect::<Result<Vec<_>>>()?;
    if changes.is_empty() {
        return Ok(());
    }
    let mut specs = FieldSpecs::new(fields);
    for resource in set.list.iter_mut().filter(|resource| resource.kind() != "CustomResourceDefinition") {
        let has_lists = has_container_list(&resource.node);
        for change in &changes {
            if has_lists {
                resource.edit(&change.step).walk(|object| change_container_lists(object, change))?;
            }
            specs.apply(resource.edit(&change.step), Create::Nothing, |node| change.apply(node))?;
        }
    }
    Ok(())
}

/// Whether there is a container list in a node. Few resources have one; the others need no further look.
fn has_container_list(node: &Node) -> bool {
    match &node.value {
        Value::Map(map) => map.iter().any(|entry| {
            (CONTAINER_LISTS.contains(&entry.key.text.as_str()) && entry.value.as_seq().is_some())
                || has_container_list(&entry.value)
        }),
        Value::Seq(items) => items.iter().any(has_container_list),
        Value::Scalar(_) => false,
    }
}

/// The step that an entry asks for.
pub(crate) fn step(image: &Image) -> Step {
    let entry = image.mark;
    let Image { new_name, new_tag, digest, tag_suffix, .. } = image;
    let fields = [("newName", new_name), ("newTag", new_tag), ("digest", digest), ("tagSuffix", tag_suffix)];
    let given = fields.iter().filter(|(_, value)| !value.is_empty());
    let words: Vec<String> = given.map(|(field, value)| format!("{field} {value}")).collect();
    let step = Step::new(StepKind::Images, entry).with_details(words.join(", "));
    Step { place: image.change_mark.or(entry), ..step }
}

fn change_container_lists(field: &mut Field<'_>, change: &Change<'_>) -> Result<()> {
    field.each_field(|name, field| {
        change_container_lists(field, change)?;
        if CONTAINER_LISTS.contains(&name) {
            field.each_item(|container| change_container(container, change))
        } else {
            Ok(())
        }
    })?;
    field.each_item(|item| change_container_lists(item, change))
}

fn change_container(container: &mut Field<'_>, change: &Change<'_>) -> Result<()> {
    match &container.node().value {
        Value::Map(_) => match container.get("image") {
            Some(mut image) => image.change(|image| change.apply(image)),
            None => Ok(()),
        },
        Value::Scalar(_) if container.node().is_null() => Ok(()),
        _ => {
            let found = container.node().describe();
            let message = format!("expected a container, which is a mapping, found {found}");
            Err(Diagnostic::error(Code::WrongType, message).at(container.node().mark).into())
        }
    }
}

/// One entry of `images`, with its name read.
struct Change<'i> {
    name: ImageName<'i>,
    image: &'i Image,
    step: LazyLock<Step, Box<dyn FnOnce() -> Step + Send + 'i>>,
}

impl<'i> Change<'i> {
    fn new(image: &'i Image) -> Result<Self> {
        let name = ImageName::new(&image.name).map_err(|why| {
            let message = format!("the image name `{}` is not a regular expression: {why}", image.name);
            Diagnostic::error(Code::BadValue, message)
                .help("write `\\` before a character to match it literally")
        })?;
        Ok(Self { name, image, step: LazyLock::new(Box::new(|| step(image))) })
    }

    fn apply(&self, node: &mut Node) -> Result<()> {
        expect_scalar(node)?;
        let changed = node.as_text().filter(|text| self.name.covers(text)).map(|text| self.rewrite(text));
        changed.map_or(Ok(()), |text| rewrite_scalar(node, &text))
    }

    /// A new tag or digest takes the place of both; a suffix goes after the tag and drops the digest.
    fn rewrite(&self, text: &str) -> String {
        let Image { new_name, new_tag, digest: new_digest, tag_suffix, .. } = self.image;
        let ImageReference { name, tag, digest } = ImageReference::split(text);
        let mut out = if new_name.is_empty() { name } else { new_name }.to_owned();
        let replaced = !new_tag.is_empty() || !new_digest.is_empty();
        let (tag, suffix, digest) = match (replaced, tag_suffix.as_str()) {
            (true, _) => (new_tag.as_str(), "", new_digest.as_str()),
            (false, "") => (tag, "", digest),
            (false, suffix) => (tag, suffix, ""),
        };
        if !tag.is_empty() || !suffix.is_empty() {
            out.extend([":", tag, suffix]);
        }
        if !digest.is_empty() {
            out.extend(["@", digest]);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transform::TransformerConfig;
    use crate::transform::testing::{resources, yaml};

    fn image(name: &str) -> Image {
        Image { name: name.into(), ..Image::default() }
    }

    fn changed(spec: &str, images: &[Image]) -> Result<Node> {
        let mut set =
            resources(&format!("{{apiVersion: x/v1, kind: Foo, metadata: {{name: f}}, spec: {spec}}}"));
        apply_all(&mut set, images, &TransformerConfig::default_config().images)?;
        Ok(set.list[0].node.get("spec").unwrap().clone())
    }

    fn expect(spec: &str, images: &[Image], expected: &str) {
        assert_eq!(changed(spec, images).unwrap(), yaml(expected), "{spec}");
    }

    #[test]
    fn container_lists_are_found_anywhere() {
        let images = [Image { new_tag: "9".into(), ..image("nginx") }];
        expect(
            "{a: {initContainers: [{image: 'nginx:1@sha256:ab'}, {x: 1}, null], containers: {image: nginx}}, \
             b: [{containers: [{image: 'reg:5000/nginx'}]}], ephemeralContainers: [{image: nginx}]}",
            &images,
            "{a: {initContainers: [{image: 'nginx:9'}, {x: 1}, null], containers: {image: nginx}}, \
             b: [{containers: [{image: 'reg:5000/nginx'}]}], ephemeralContainers: [{image: nginx}]}",
        );
    }

    #[test]
    fn a_suffix_comes_twice_where_the_field_specs_reach_too() {
        let images = [Image { tag_suffix: "-x".into(), ..image("nginx") }];
        expect("{containers: [{image: nginx:1}]}", &images, "{containers: [{image: nginx:1-x-x}]}");
        expect("{a: {containers: [{image: nginx}]}}", &images, "{a: {containers: [{image: 'nginx:-x'}]}}");
        let images = [Image { new_tag: "9".into(), tag_suffix: "-x".into(), ..image("nginx") }];
        expect("{containers: [{image: nginx:1}]}", &images, "{containers: [{image: nginx:9}]}");
    }

    #[test]
    fn names_tags_and_digests_are_replaced_in_order() {
        let images = [
            Image { new_name: "other".into(), ..image("nginx") },
            Image { digest: "sha256:cc".into(), ..image("other") },
        ];
        expect("{containers: [{image: nginx:1}]}", &images, "{containers: [{image: 'other@sha256:cc'}]}");
        let images = [Image { new_tag: "9".into(), digest: "sha256:cc".into(), ..image("nginx") }];
        expect("{containers: [{image: nginx}]}", &images, "{containers: [{image: 'nginx:9@sha256:cc'}]}");
    }

    #[test]
    fn null_lists_become_empty_and_wrong_ones_are_errors() {
        let images = [Image { new_tag: "9".into(), ..image("nginx") }];
        expect("{containers: null}", &images, "{containers: []}");
        assert_eq!(changed("{containers: x}", &images).unwrap_err().0[0].code, Code::FieldPath);
        for spec in
            ["{a: {containers: [b]}}", "{containers: [{image: {a: b}}]}", "{containers: [{image: [a]}]}"]
        {
            assert_eq!(changed(spec, &images).unwrap_err().0[0].code, Code::WrongType, "{spec}");
        }
        assert_eq!(changed("{}", &[image("(")]).unwrap_err().0[0].code, Code::BadValue);
    }
}
