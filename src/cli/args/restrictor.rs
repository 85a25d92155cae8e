//! The flag that says which files may be read.

use clap::ValueEnum;
use kfc_source::LoadRestrictor;

#[derive(Clone, Copy, Debug, ValueEnum)]
#[value(rename_all = "PascalCase")]
pub(in crate::cli) enum RestrictorFlag {
    /// Files must be in or below the root.
    #[value(alias = "")]
    LoadRestrictionsRootOnly,
    /// Files may be anywhere.
    LoadRestrictionsNone,
}

impl From<RestrictorFlag> for LoadRestrictor {
    fn from(flag: RestrictorFlag) -> Self {
        match flag {
            RestrictorFlag::LoadRestrictionsRootOnly => Self::RootOnly,
            RestrictorFlag::LoadRestrictionsNone => Self::None,
        }
    }
}
