//! Hooks: resources that run before or after an apply or a deletion, usually Jobs. They are not part of what is kept in a
//! cluster: each is created again when it runs.
//!
//! The annotations are our own. Those of Helm count for Jobs and Pods, which cannot be applied a second time: a chart's hook
//! would block the next apply. Those of Argo CD do not count: `kfc build --argocd` writes them for every Job.

use serde_json::Value;

/// When a resource runs, instead of being applied: a list of moments, separated by commas; or `none`.
pub const HOOK_ANNOTATION: &str = "kfc.dev/hook";
/// The order of hooks of one moment: lower numbers first.
pub const WEIGHT_ANNOTATION: &str = "kfc.dev/hook-weight";
/// When the object of a hook is deleted.
pub const DELETE_ANNOTATION: &str = "kfc.dev/hook-delete";

const HELM_HOOK: &str = "helm.sh/hook";
const HELM_WEIGHT: &str = "helm.sh/hook-weight";
const HELM_DELETE: &str = "helm.sh/hook-delete-policy";

/// When a hook runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Moment {
    /// Before the workloads of its wave are applied.
    PreApply,
    /// When everything is ready.
    PostApply,
    /// Before anything is deleted.
    PreDelete,
    /// When everything but namespaces is deleted.
    PostDelete,
}

impl Moment {
    /// All moments.
    pub const ALL: [Self; 4] = [Self::PreApply, Self::PostApply, Self::PreDelete, Self::PostDelete];

    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::PreApply => "pre-apply",
            Self::PostApply => "post-apply",
            Self::PreDelete => "pre-delete",
            Self::PostDelete => "post-delete",
        }
    }
}

/// Which applies a hook belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// All of them.
    Every,
    /// Only the first: Helm's `pre-install` and `post-install`.
    First,
    /// All but the first: Helm's `pre-upgrade` and `post-upgrade`.
    Later,
}

/// The end after which the object of a hook is deleted. One that is left is deleted before the hook runs again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HookEnd {
    /// It succeeded.
    Succeeded,
    /// It failed.
    Failed,
}

/// What the annotations of a resource make of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hook {
    /// When it runs. A test of Helm has no moment: it never runs.
    pub moments: Vec<(Moment, Occasion)>,
    /// Its order among those of a moment.
    pub weight: i64,
    /// The ends after which its object is deleted.
    pub deleted_after: Vec<HookEnd>,
}

/// Reads annotations by their name.
type Annotations<'a> = &'a dyn Fn(&str) -> Option<String>;

impl Hook {
    /// The hook that the annotations of an object make of it; `None` when it is an ordinary object.
    ///
    /// # Errors
    /// What is wrong with an annotation of ours.
    pub fn of(group: &str, kind: &str, annotations: Annotations<'_>) -> Result<Option<Self>, String> {
        let Some(words) = annotations(HOOK_ANNOTATION) else {
            let runs_once = matches!((group, kind), ("batch", "Job") | ("", "Pod"));
            return Ok(if runs_once { Self::of_helm(annotations) } else { None });
        };
        if words.trim() == "none" {
            return Ok(None);
        }
        if matches!((group, kind), ("", "Secret" | "Namespace") | ("apiextensions.k8s.io", _)) {
            return Err(format!("a {kind} cannot be a hook: it runs nothing"));
        }
        let mut moments = Vec::new();
        for word in list(&words) {
            let moment = Moment::ALL.into_iter().find(|moment| moment.word() == word).ok_or_else(|| {
                let known: Vec<String> =
                    Moment::ALL.iter().map(|moment| format!("`{}`", moment.word())).collect();
                format!("`{word}` in `{HOOK_ANNOTATION}` is not one of {}, `none`", known.join(", "))
            })?;
            moments.push((moment, Occasion::Every));
        }
        if moments.is_empty() {
            return Err(format!("`{HOOK_ANNOTATION}` is empty"));
        }
        let weight = match annotations(WEIGHT_ANNOTATION) {
            Some(text) => text
                .trim()
                .parse()
                .map_err(|_| format!("`{WEIGHT_ANNOTATION}` is not a whole number: `{text}`"))?,
            None => 0,
        };
        let mut deleted_after = Vec::new();
        for word in list(&annotations(DELETE_ANNOTATION).unwrap_or_default()) {
            match word {
                // The object of an earlier run is always deleted before.
                "before-creation" => {}
                "succeeded" => deleted_after.push(HookEnd::Succeeded),
                "failed" => deleted_after.push(HookEnd::Failed),
                other => {
                    return Err(format!(
                        "`{other}` in `{DELETE_ANNOTATION}` is not one of `before-creation`, `succeeded`, `failed`"
                    ));
                }
            }
        }
        Ok(Some(Self { moments, weight, deleted_after }))
    }

    fn of_helm(annotations: Annotations<'_>) -> Option<Self> {
        let words = annotations(HELM_HOOK)?;
        let has = |word: &str| list(&words).any(|known| known == word);
        let mut moments = Vec::new();
        for (moment, install, upgrade) in [
            (Moment::PreApply, "pre-install", "pre-upgrade"),
            (Moment::PostApply, "post-install", "post-upgrade"),
        ] {
            match (has(install), has(upgrade)) {
                (true, true) => moments.push((moment, Occasion::Every)),
                (true, false) => moments.push((moment, Occasion::First)),
                (false, true) => moments.push((moment, Occasion::Later)),
                (false, false) => {}
            }
        }
        for moment in [Moment::PreDelete, Moment::PostDelete] {
            if has(moment.word()) {
                moments.push((moment, Occasion::Every));
            }
        }
        let policy = annotations(HELM_DELETE).unwrap_or_default();
        let deleted_after = list(&policy)
            .filter_map(|word| match word {
                "hook-succeeded" => Some(HookEnd::Succeeded),
                "hook-failed" => Some(HookEnd::Failed),
                _ => None,
            })
            .collect();
        let weight = annotations(HELM_WEIGHT).and_then(|text| text.trim().parse().ok()).unwrap_or_default();
        Some(Self { moments, weight, deleted_after })
    }

    /// The hook of a live object or of the body of a resource; `None` for ordinary objects and wrong annotations.
    #[must_use]
    pub fn of_json(object: &Value) -> Option<Self> {
        let annotations = &object["metadata"]["annotations"];
        let api_version = object["apiVersion"].as_str().unwrap_or_default();
        let group = crate::GroupVersion::parse(api_version).group;
        let kind = object["kind"].as_str().unwrap_or_default();
        Self::of(group, kind, &|name| Some(annotations[name].as_str()?.to_owned())).ok().flatten()
    }

    /// The applies at whose moment it runs; `None` when it never runs then.
    #[must_use]
    pub fn occasion(&self, moment: Moment) -> Option<Occasion> {
        self.moments.iter().find(|(known, _)| *known == moment).map(|(_, occasion)| *occasion)
    }

    /// Whether it runs during an apply.
    #[must_use]
    pub fn is_of_apply(&self) -> bool {
        self.occasion(Moment::PreApply).is_some() || self.occasion(Moment::PostApply).is_some()
    }

    /// Whether it runs during a deletion.
    #[must_use]
    pub fn is_of_deletion(&self) -> bool {
        self.occasion(Moment::PreDelete).is_some() || self.occasion(Moment::PostDelete).is_some()
    }

    /// Its moments in words: `pre-apply, post-delete`.
    #[must_use]
    pub fn words(&self) -> String {
        let words: Vec<&str> = self.moments.iter().map(|(moment, _)| moment.word()).collect();
        if words.is_empty() { "test".to_owned() } else { words.join(", ") }
    }
}

fn list(words: &str) -> impl Iterator<Item = &str> {
    words.split(',').map(str::trim).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::{Hook, HookEnd, Moment, Occasion};
    use serde_json::{Value, json};

    fn hook(kind: (&str, &str), annotations: &Value) -> Result<Option<Hook>, String> {
        Hook::of(kind.0, kind.1, &|name| Some(annotations[name].as_str()?.to_owned()))
    }

    const JOB: (&str, &str) = ("batch", "Job");

    #[test]
    fn annotations_make_a_hook_of_any_kind_that_can_run() {
        let found = hook(
            ("argoproj.io", "Workflow"),
            &json!({"kfc.dev/hook": "pre-apply, post-delete", "kfc.dev/hook-weight": "-5", "kfc.dev/hook-delete": "succeeded,failed"}),
        );
        let found = found.unwrap().unwrap();
        assert_eq!(found.words(), "pre-apply, post-delete");
        assert_eq!((found.weight, found.occasion(Moment::PreApply)), (-5, Some(Occasion::Every)));
        assert_eq!(found.deleted_after, [HookEnd::Succeeded, HookEnd::Failed]);
        assert!(found.is_of_apply() && found.is_of_deletion());
        assert_eq!(hook(JOB, &json!({})), Ok(None));
    }

    #[test]
    fn wrong_words_are_errors_with_those_that_are_right() {
        for (annotations, why) in [
            (
                json!({"kfc.dev/hook": "pre-install"}),
                "is not one of `pre-apply`, `post-apply`, `pre-delete`, `post-delete`, `none`",
            ),
            (json!({"kfc.dev/hook": " ,"}), "is empty"),
            (json!({"kfc.dev/hook": "pre-apply", "kfc.dev/hook-weight": "heavy"}), "not a whole number"),
            (
                json!({"kfc.dev/hook": "pre-apply", "kfc.dev/hook-delete": "never"}),
                "`before-creation`, `succeeded`, `failed`",
            ),
        ] {
            assert!(hook(JOB, &annotations).unwrap_err().contains(why), "{annotations}");
        }
        let secret = hook(("", "Secret"), &json!({"kfc.dev/hook": "pre-apply"}));
        assert_eq!(secret, Err("a Secret cannot be a hook: it runs nothing".to_owned()));
    }

    #[test]
    fn hooks_of_charts_count_where_they_run_once() {
        let words = |words: &str| json!({"helm.sh/hook": words, "helm.sh/hook-weight": "2", "helm.sh/hook-delete-policy": "hook-succeeded"});
        let found = hook(JOB, &words("pre-install,pre-upgrade,post-install")).unwrap().unwrap();
        assert_eq!(
            found.moments,
            [(Moment::PreApply, Occasion::Every), (Moment::PostApply, Occasion::First)]
        );
        assert_eq!((found.weight, found.deleted_after), (2, vec![HookEnd::Succeeded]));
        let later = hook(JOB, &words("post-upgrade")).unwrap().unwrap();
        assert_eq!(later.moments, [(Moment::PostApply, Occasion::Later)]);
        let test = hook(("", "Pod"), &words("test")).unwrap().unwrap();
        assert!(test.moments.is_empty() && test.words() == "test");
        assert_eq!(hook(("", "ServiceAccount"), &words("pre-install")), Ok(None));
        let mut plain = words("pre-install");
        plain["kfc.dev/hook"] = "none".into();
        assert_eq!(hook(JOB, &plain), Ok(None));
        assert_eq!(hook(JOB, &json!({"argocd.argoproj.io/hook": "PreSync"})), Ok(None));
    }
}
