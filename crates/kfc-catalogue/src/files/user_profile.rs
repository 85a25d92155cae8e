//! `profiles` and `groups` of a stack: the namespaces of users and teams, and who may do what in them.

use super::words;
use kfc_yaml::Spanned;
use kfc_yaml::de::Mapping;
use serde::Deserialize;

/// The longest name of a namespace.
const LONGEST_NAME: usize = 63;

/// The namespace of a user or team.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "UserProfile"))]
#[serde(rename = "a profile", deny_unknown_fields)]
pub struct UserProfile {
    /// The name of the Profile and of its namespace.
    pub name: Spanned<NamespaceName>,
    /// The user who owns it, as the identity provider knows them: usually an e-mail address.
    pub owner: Spanned<UserName>,
    /// Who else may work in it.
    #[serde(default)]
    pub contributors: Vec<Spanned<Contributor>>,
    /// What its pods and claims may ask for in all, as in `hard` of a `ResourceQuota`.
    pub quota: Option<Mapping>,
}

/// A user, or the users of a group, who may work in a profile.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(with = "ContributorFields"))]
#[serde(from = "ContributorFields")]
pub struct Contributor {
    /// Who it is.
    pub who: ContributorName,
    /// What they may do.
    pub role: ContributorRole,
}

/// Who contributes to a profile.
#[derive(Clone, Debug)]
pub enum ContributorName {
    /// A user.
    User(UserName),
    /// The users of a group of the stack.
    Group(Spanned<String>),
}

#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(untagged))]
#[serde(rename = "$keyed a contributor", rename_all = "lowercase")]
enum ContributorFields {
    User(ContributingUser),
    Group(ContributingGroup),
}

#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ContributingUser"))]
#[serde(rename = "a contributor", deny_unknown_fields)]
struct ContributingUser {
    /// A user, as the identity provider knows them.
    user: UserName,
    /// What they may do.
    #[serde(default)]
    role: ContributorRole,
}

#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ContributingGroup"))]
#[serde(rename = "a contributor", deny_unknown_fields)]
struct ContributingGroup {
    /// A group that `groups` of the stack lists: each of its users contributes.
    group: Spanned<String>,
    /// What they may do.
    #[serde(default)]
    role: ContributorRole,
}

impl From<ContributorFields> for Contributor {
    fn from(fields: ContributorFields) -> Self {
        match fields {
            ContributorFields::User(user) => Self { who: ContributorName::User(user.user), role: user.role },
            ContributorFields::Group(group) => {
                Self { who: ContributorName::Group(group.group), role: group.role }
            }
        }
    }
}

words! {
    /// What a contributor may do in a profile.
    #[derive(Default)]
    ContributorRole is "a role of a contributor" {
        /// Create, change and delete everything but permissions.
        #[default]
        Edit = "edit",
        /// Look at everything.
        View = "view",
        /// Everything, permissions too.
        Admin = "admin",
    }
}

/// The name of a namespace: a DNS label.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(with = "String", extend("pattern" = "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")))]
#[serde(try_from = "String")]
pub struct NamespaceName(String);

impl NamespaceName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for NamespaceName {
    type Error = String;

    fn try_from(written: String) -> Result<Self, String> {
        let is_inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let has_bad_end = written.starts_with('-') || written.ends_with('-');
        if written.is_empty() || written.len() > LONGEST_NAME || has_bad_end || !written.chars().all(is_inner)
        {
            return Err(format!(
                "`{written}` is not the name of a namespace: it has at most {LONGEST_NAME} lowercase letters, digits and `-`, and neither starts nor ends with `-`"
            ));
        }
        Ok(Self(written))
    }
}

/// A user, as the identity provider knows them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(with = "String", extend("pattern" = r"^[^\s*]+$")))]
#[serde(try_from = "String")]
pub struct UserName(String);

impl UserName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for UserName {
    type Error = String;

    fn try_from(written: String) -> Result<Self, String> {
        // A policy of the mesh reads `*` as any text.
        if written.is_empty() || written.chars().any(|c| c.is_whitespace() || c == '*') {
            return Err(format!(
                "`{written}` is not a user: a name has neither spaces nor `*`; expected what the identity provider says, usually an e-mail address"
            ));
        }
        Ok(Self(written))
    }
}

#[cfg(test)]
mod tests {
    use super::{NamespaceName, UserName};

    #[test]
    fn names_are_checked() {
        let is_namespace = |text: &str| NamespaceName::try_from(text.to_owned()).is_ok();
        let is_user = |text: &str| UserName::try_from(text.to_owned()).is_ok();
        let longest = "a".repeat(63);
        for name in ["a", "team-a", "0", &longest] {
            assert!(is_namespace(name), "{name}");
        }
        for name in ["", "-a", "a-", "Team", "a.b", "a b", &format!("{longest}a")] {
            assert!(!is_namespace(name), "{name}");
        }
        assert!(is_user("alice@example.org") && is_user("00u1a2b3"));
        assert!(!is_user("") && !is_user("*@example.org") && !is_user("alice @example.org"));
    }
}
