//! The name of an inventory, and the field manager that belongs to it.

use std::fmt;

/// The field manager of earlier versions, for every inventory.
pub const OLD_MANAGER: &str = "kfc";
/// The namespace of inventories when none is named.
pub const DEFAULT_NAMESPACE: &str = "default";

/// Which inventory: its name, and the namespace that its config maps are in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InventoryId {
    /// Namespace of the config maps.
    pub namespace: String,
    /// Name of the inventory.
    pub name: String,
}

impl InventoryId {
    /// An inventory by namespace and name.
    #[must_use]
    pub fn new(namespace: &str, name: &str) -> Self {
        Self { namespace: namespace.to_owned(), name: name.to_owned() }
    }

    /// The field manager that applies its objects: `kfc-NAME`, or `kfc-NAME.NAMESPACE` outside of `default`. Names of
    /// inventories and namespaces have no dots, so that no two have one manager; with 50 and 63 characters at most they
    /// stay below the 128 that a field manager may have.
    #[must_use]
    pub fn manager(&self) -> String {
        match self.namespace.as_str() {
            DEFAULT_NAMESPACE => format!("{OLD_MANAGER}-{}", self.name),
            namespace => format!("{OLD_MANAGER}-{}.{namespace}", self.name),
        }
    }

    /// The inventory of a field manager; `None` for the managers of others.
    #[must_use]
    pub fn of_manager(manager: &str) -> Option<Self> {
        let rest = manager.strip_prefix(OLD_MANAGER)?.strip_prefix('-')?;
        let (name, namespace) = rest.split_once('.').unwrap_or((rest, DEFAULT_NAMESPACE));
        Some(Self::new(namespace, name))
    }

    /// How it is named as an argument: `shop`, or `team/shop` outside of `default`.
    #[must_use]
    pub fn words(&self) -> String {
        match self.namespace.as_str() {
            DEFAULT_NAMESPACE => self.name.clone(),
            namespace => format!("{namespace}/{}", self.name),
        }
    }

    /// How it is named by flags.
    #[must_use]
    pub fn flags(&self) -> String {
        match self.namespace.as_str() {
            DEFAULT_NAMESPACE => format!("--name {}", self.name),
            namespace => format!("--name {} --inventory-namespace {namespace}", self.name),
        }
    }
}

/// `` `shop` ``, or `` `shop` in `team` `` outside of `default`.
impl fmt::Display for InventoryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.namespace.as_str() {
            DEFAULT_NAMESPACE => write!(f, "`{}`", self.name),
            namespace => write!(f, "`{}` in `{namespace}`", self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::InventoryId;

    #[test]
    fn a_manager_names_its_inventory() {
        for id in [InventoryId::new("default", "gke-gpu"), InventoryId::new("team", "shop")] {
            assert_eq!(InventoryId::of_manager(&id.manager()), Some(id.clone()));
        }
        let longest = InventoryId::new(&"n".repeat(63), &"a".repeat(50));
        assert!(longest.manager().len() <= 128);
        for other in ["kfc", "kubectl", "kfcx-a", "helm"] {
            assert_eq!(InventoryId::of_manager(other), None, "{other}");
        }
    }
}
