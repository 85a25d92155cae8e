//! The profiles of users of a stack, with the users of its groups.

use super::plan::{Planned, PlannedBinding, PlannedUserProfile};
use crate::catalogue::{
    Catalogue, Contributor, ContributorName, ContributorRole, Stack, UserName, UserProfile,
};
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Result, nearest};
use kfc_yaml::value::to_json;
use std::collections::BTreeMap;

/// The capability of the component that makes namespaces of profiles.
const PROFILES: &str = "profiles";

/// The kind and role in the names of the objects for a contributor. The service that manages access makes names in this way.
const BINDING_PREFIX: &str = "user";

/// The profiles of a stack.
///
/// # Errors
/// [`Code::BadValue`] for names that are defined more than once and groups that do not exist, [`Code::Capability`] without the
/// component that makes namespaces of profiles.
pub(super) fn plan(
    catalogue: &Catalogue,
    stack: &Stack,
    components: &[Planned],
) -> Result<Vec<PlannedUserProfile>> {
    let mut errors = Diagnostics::default();
    let mut planned: Vec<PlannedUserProfile> = Vec::new();
    if let Some(profile) = stack.profiles.first() {
        errors.0.extend(lacks_component(catalogue, profile, components));
    }
    for profile in &stack.profiles {
        let name = profile.name.value.as_str();
        if let Some(first) = planned.iter().find(|other| other.name == name) {
            let message = format!("the profile `{name}` is defined more than once");
            let error = Diagnostic::error(Code::BadValue, message).at(profile.name.mark);
            errors.push(first.mark.into_iter().fold(error, |e, mark| e.label(mark, "the first one is here")));
            continue;
        }
        let bindings = errors.collect(bindings(profile, stack)).unwrap_or_default();
        planned.push(PlannedUserProfile {
            name: name.to_owned(),
            owner: profile.owner.value.as_str().to_owned(),
            bindings,
            quota: profile.quota.as_ref().map(|quota| to_json(&quota.0)),
            mark: profile.name.mark,
        });
    }
    errors.into_result(planned)
}

fn lacks_component(
    catalogue: &Catalogue,
    profile: &UserProfile,
    components: &[Planned],
) -> Option<Diagnostic> {
    if components.iter().any(Planned::provides_profiles) {
        return None;
    }
    let error = Diagnostic::error(Code::Capability, "no selected component makes namespaces of profiles");
    let provides = |words: &[kfc_yaml::Spanned<String>]| words.iter().any(|word| word.value == PROFILES);
    let help = match catalogue.components.values().find(|component| provides(&component.provides)) {
        Some(component) => format!("add `{}` to `components`", component.name.value),
        None => "add a component that provides `profiles`, in your own catalogue".to_owned(),
    };
    Some(error.at(profile.name.mark).help(help))
}

impl Planned {
    /// Whether it makes namespaces of profiles.
    pub(crate) fn provides_profiles(&self) -> bool {
        self.component.provides.iter().any(|word| word.value == PROFILES)
    }
}

/// The users of a profile with their roles, each once.
fn bindings(profile: &UserProfile, stack: &Stack) -> Result<Vec<PlannedBinding>> {
    let mut errors = Diagnostics::default();
    let mut bindings: Vec<PlannedBinding> = Vec::new();
    // Objects by name: other users may get the same one.
    let mut named: BTreeMap<String, String> = BTreeMap::new();
    for contributor in &profile.contributors {
        let Some(users) = errors.collect(users(&contributor.value, stack)) else { continue };
        for user in users {
            let (user, role) = (user.as_str().to_owned(), contributor.value.role);
            let name = binding_name(&user, role);
            match named.get(&name) {
                Some(other) if *other == user => {}
                Some(other) => {
                    let message = format!(
                        "the users `{other}` and `{user}` of the profile `{}` would have the same name in the cluster: `{name}`",
                        profile.name.value.as_str()
                    );
                    let error = Diagnostic::error(Code::BadValue, message).at(contributor.mark);
                    errors.push(error.help("give one of them another role, or a binding in an overlay"));
                }
                None => {
                    named.insert(name.clone(), user.clone());
                    bindings.push(PlannedBinding { name, user, role, mark: contributor.mark });
                }
            }
        }
    }
    errors.into_result(bindings)
}

fn users<'s>(contributor: &'s Contributor, stack: &'s Stack) -> Result<Vec<&'s UserName>> {
    let group = match &contributor.who {
        ContributorName::User(user) => return Ok(vec![user]),
        ContributorName::Group(group) => group,
    };
    if let Some((_, users)) = stack.groups.iter().find(|(name, _)| name.value == group.value) {
        return Ok(users.iter().map(|user| &user.value).collect());
    }
    let message = format!("the group `{}` does not exist", group.value);
    let error = Diagnostic::error(Code::BadValue, message).at(group.mark);
    Err(match nearest(&group.value, stack.groups.iter().map(|(name, _)| name.value.as_str())) {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => error.help("list its users under `groups` of kfc.yaml"),
    }
    .into())
}

/// The name of the objects for a contributor: the service that manages access finds and deletes them by it.
fn binding_name(user: &str, role: ContributorRole) -> String {
    let mut name = format!("{BINDING_PREFIX}-");
    for c in user.to_lowercase().chars() {
        match c {
            'a'..='z' | '0'..='9' => name.push(c),
            _ if name.ends_with('-') => {}
            _ => name.push('-'),
        }
    }
    if !name.ends_with('-') {
        name.push('-');
    }
    format!("{name}clusterrole-{role}")
}

#[cfg(test)]
mod tests {
    use super::binding_name;
    use crate::catalogue::ContributorRole;

    #[test]
    fn names_of_bindings_are_those_of_the_service_that_manages_access() {
        for (user, name) in [
            ("bob@example.org", "user-bob-example-org-clusterrole-edit"),
            ("Bob.Smith+ml@example.org", "user-bob-smith-ml-example-org-clusterrole-edit"),
            ("00U1..", "user-00u1-clusterrole-edit"),
        ] {
            assert_eq!(binding_name(user, ContributorRole::Edit), name);
        }
    }
}
