//! A bundle as a directory with one file for each resource.

use super::bundle_format::{BundleFormat, encode_resource};
use super::output;
use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Result};
use kfc_kube::ResId;
use kfc_kustomize::resource::Resource;
use kfc_source::write::folder::{Listing, replace_all};
use rayon::prelude::*;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

/// How files are named.
#[derive(Clone, Copy, Debug)]
pub(super) enum Names<'a> {
    /// So that their order by name is the order of the bundle, in which `kubectl apply -f DIR` reads them:
    /// `WAVE-STEP-apps_v1_deployment_NAMESPACE_NAME.yaml`. A root has no waves.
    Ordered { waves: &'a [usize] },
    /// As kustomize names them: `NAMESPACE_apps_v1_deployment_NAME.yaml`, without the namespace when there is one only.
    Kustomize,
}

/// Whether an output is a directory: it is one, or its path ends with a slash.
pub(super) fn is_directory(path: &Path) -> bool {
    let ends_with_separator = path
        .as_os_str()
        .as_encoded_bytes()
        .last()
        .is_some_and(|last| std::path::is_separator(char::from(*last)));
    ends_with_separator || path.is_dir()
}

/// Writes one file for each resource, and removes those of an earlier run that are not among them; returns the warnings.
///
/// # Errors
/// Two resources for one file, what cannot be written; see [`replace_all`].
pub(super) fn write(
    directory: &Path,
    resources: &[Resource],
    names: Names<'_>,
    format: BundleFormat,
) -> Result<Diagnostics> {
    let (ending, listing) = match (format, names) {
        (BundleFormat::Json, _) => ("json", Listing::Write),
        (BundleFormat::Yaml, Names::Ordered { .. }) => ("yaml", Listing::Write),
        (BundleFormat::Yaml, Names::Kustomize) => ("yaml", Listing::Keep),
    };
    let names = match names {
        Names::Ordered { waves } => ordered_names(resources, waves)?,
        Names::Kustomize => kustomize_names(resources)?,
    };
    let encoded: Vec<Result<Vec<u8>>> =
        resources.par_iter().map(|resource| encode_resource(resource, format)).collect();
    let mut errors = Diagnostics::default();
    let mut files = BTreeMap::new();
    for (name, bytes) in names.into_iter().zip(encoded) {
        if let Some(bytes) = errors.collect(bytes) {
            files.insert(format!("{name}.{ending}"), bytes);
        }
    }
    errors.into_result(())?;
    let changed =
        replace_all(directory, &files, listing).map_err(|error| output::cannot_write(directory, &error))?;
    let warning = |name: &String| {
        let path = directory.join(name);
        let message = format!("{} is no longer written, but was changed by hand: it stays", path.display());
        Diagnostic::warning(Code::Output, message).help("remove it if it is not needed")
    };
    Ok(Diagnostics(changed.iter().map(warning).collect()))
}

/// Names without their ending whose order is that of the resources.
///
/// Files are numbered by step, not one by one: resources whose names are in order anyway share a number, so that one more
/// Deployment does not rename the files of all others.
fn ordered_names(resources: &[Resource], waves: &[usize]) -> Result<Vec<String>> {
    let names: Vec<String> = resources
        .iter()
        .map(|resource| {
            let id = resource.id();
            let namespace = if id.cluster_scoped { "" } else { id.effective_namespace() };
            joined(&[&id.gvk.group, &id.gvk.version, &id.gvk.kind, namespace, &id.name])
        })
        .collect();
    refuse_same(resources, &names)?;
    let mut steps = Vec::with_capacity(names.len());
    for (at, name) in names.iter().enumerate() {
        let step = match at.checked_sub(1) {
            Some(before) if waves.get(before) == waves.get(at) => {
                // Endings count in the order of files: `a.yaml` comes after `a-b.yaml`.
                let is_next = resources[before].kind() == resources[at].kind()
                    && format!("{}.", names[before]) < format!("{name}.");
                steps[before] + usize::from(!is_next)
            }
            _ => 1,
        };
        steps.push(step);
    }
    let width = |numbers: &[usize]| numbers.iter().max().map_or(2, |most| most.to_string().len().max(2));
    let (wave_width, step_width) = (width(waves), width(&steps));
    let numbered = names.into_iter().zip(steps).enumerate().map(|(at, (name, step))| match waves.get(at) {
        Some(wave) => format!("{wave:0wave_width$}-{step:0step_width$}-{name}"),
        None => format!("{step:0step_width$}-{name}"),
    });
    Ok(numbered.collect())
}

/// The names that kustomize gives files, without their ending.
fn kustomize_names(resources: &[Resource]) -> Result<Vec<String>> {
    let namespace_of = |id: &ResId| (!id.cluster_scoped).then(|| id.effective_namespace().to_lowercase());
    let mut namespaces: Vec<_> = resources.iter().filter_map(|r| namespace_of(&r.id())).collect();
    namespaces.sort();
    namespaces.dedup();
    let name = |resource: &Resource| {
        let id = resource.id();
        let name = joined(&[&id.gvk.group, &id.gvk.version, &id.gvk.kind, &id.name]);
        match namespace_of(&id).filter(|_| namespaces.len() > 1) {
            Some(namespace) => format!("{namespace}_{name}"),
            None => name,
        }
    };
    let names: Vec<String> = resources.iter().map(name).collect();
    refuse_same(resources, &names)?;
    Ok(names)
}

/// `apps_v1_deployment_name`. A path separator in a name (roles may have them) must not leave the directory.
fn joined(parts: &[&str]) -> String {
    let parts: Vec<&str> = parts.iter().copied().filter(|part| !part.is_empty()).collect();
    parts.join("_").to_lowercase().replace(['/', '\\', '\0'], "_")
}

/// Refuses two resources that would have the same file, here or on a file system that distinguishes fewer names. Numbers at
/// the start of names do not count: they change when resources are added or removed.
fn refuse_same(resources: &[Resource], names: &[String]) -> Result<()> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut errors = Diagnostics::default();
    for (at, name) in names.iter().enumerate() {
        let first = *seen.entry(folded(name)).or_insert(at);
        if first != at {
            let (one, other) = (resources[first].id(), resources[at].id());
            let message = format!("two resources would be written to one file: {one} and {other}");
            let error = Diagnostic::error(Code::Output, message).at(resources[at].mark());
            let error = error.label(resources[first].mark(), "the other resource is here");
            errors.push(error.help("rename one of them, or write all resources to one file with `-o FILE`"));
        }
    }
    errors.into_result(())
}

/// A name without differences that some file systems, such as those of macOS, ignore: case, the form of accents and
/// invisible letters. It is equal for more names than on any single one of them.
fn folded(name: &str) -> String {
    let is_visible = |letter: &char| letter.general_category() != GeneralCategory::Format;
    let visible: String = name.chars().filter(is_visible).collect();
    let decomposed = DecomposingNormalizerBorrowed::new_nfd().normalize(&visible).into_owned();
    let lower = decomposed.to_uppercase().to_lowercase();
    ComposingNormalizerBorrowed::new_nfc().normalize(&lower).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resources(texts: &[(&str, &str, &str)]) -> Vec<Resource> {
        let text: Vec<String> = texts
            .iter()
            .map(|(kind, namespace, name)| {
                let version = if kind.contains("Role") { "rbac.authorization.k8s.io/v1" } else { "v1" };
                let namespace =
                    if namespace.is_empty() { String::new() } else { format!(", namespace: {namespace}") };
                format!("apiVersion: {version}\nkind: {kind}\nmetadata: {{name: \"{name}\"{namespace}}}\n")
            })
            .collect();
        let nodes = kfc_yaml::parse::parse(&text.join("---\n"), kfc_diagnostics::SourceId::NONE).unwrap();
        kfc_kustomize::engine::read::resources(nodes, &kfc_kube::schema::Schema::builtin()).unwrap()
    }

    #[test]
    fn names_sort_as_the_bundle_does() {
        let list = resources(&[
            ("Namespace", "", "z"),
            ("ServiceAccount", "z", "a"),
            ("ConfigMap", "y", "b"),
            ("ConfigMap", "z", "a"),
            ("ConfigMap", "z", "a-b"),
            ("Service", "z", "a"),
            ("Namespace", "", "a"),
        ]);
        let names = ordered_names(&list, &[0, 0, 0, 0, 0, 0, 1]).unwrap();
        assert_eq!(
            names,
            [
                "00-01-v1_namespace_z",
                "00-02-v1_serviceaccount_z_a",
                "00-03-v1_configmap_y_b",
                "00-03-v1_configmap_z_a",
                "00-04-v1_configmap_z_a-b",
                "00-05-v1_service_z_a",
                "01-01-v1_namespace_a"
            ]
        );
        let files: Vec<String> = names.iter().map(|name| format!("{name}.yaml")).collect();
        assert!(files.is_sorted(), "{files:?}");
        let without_waves = ordered_names(&list, &[]).unwrap();
        assert_eq!(without_waves[6], "06-v1_namespace_a");
    }

    #[test]
    fn numbers_stay_when_a_resource_comes_in_between() {
        let before = resources(&[("ConfigMap", "a", "a"), ("ConfigMap", "a", "c"), ("Secret", "a", "x")]);
        let after = resources(&[
            ("ConfigMap", "a", "a"),
            ("ConfigMap", "a", "b"),
            ("ConfigMap", "a", "c"),
            ("Secret", "a", "x"),
        ]);
        let mut names = ordered_names(&after, &[]).unwrap();
        names.remove(1);
        assert_eq!(names, ordered_names(&before, &[]).unwrap());
    }

    #[test]
    fn names_that_are_one_file_somewhere_are_refused() {
        for (one, other) in [
            ("admin", "Admin"),
            ("a/b", "a_b"),
            ("a\\\\b", "a/b"),
            ("caf\u{e9}", "cafe\u{301}"),
            ("CAF\u{c9}", "cafe\u{301}"),
            ("stra\u{df}e", "STRASSE"),
            ("\u{212a}ey", "key"),
            ("a\u{200c}b", "ab"),
        ] {
            let list = resources(&[("ClusterRole", "", one), ("ClusterRole", "", other)]);
            for names in [ordered_names(&list, &[]), kustomize_names(&list)] {
                let errors = names.unwrap_err();
                assert_eq!(errors.0.len(), 1, "{one} and {other}");
                assert!(errors.0[0].message.contains(other), "{}", errors.0[0].message);
            }
        }
        let list =
            resources(&[("ClusterRole", "", "a.b"), ("ClusterRole", "", "a-b"), ("ClusterRole", "", "a_b")]);
        assert!(ordered_names(&list, &[]).is_ok());
    }

    #[test]
    fn kustomize_names_have_a_namespace_only_when_there_are_several() {
        let list = resources(&[("ConfigMap", "a", "x"), ("Namespace", "", "a")]);
        assert_eq!(kustomize_names(&list).unwrap(), ["v1_configmap_x", "v1_namespace_a"]);
        let list = resources(&[("ConfigMap", "a", "x"), ("ConfigMap", "b", "x"), ("Namespace", "", "a")]);
        assert_eq!(
            kustomize_names(&list).unwrap(),
            ["a_v1_configmap_x", "b_v1_configmap_x", "v1_namespace_a"]
        );
    }
}
