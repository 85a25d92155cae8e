//! Files that sops encrypted for age recipients, decrypted without sops, age or any other program.
//!
//! YAML, JSON, lines `KEY=value`, and files of any bytes. The MAC of a file is checked; what cannot be decrypted is an error that has
//! no value of the file. The rules are those of sops 3.13; the format of age is its version 1.
//!
//! This crate must never know files, processes, the environment or Kubernetes: it is given bytes and keys. Others may build on it.
//!
//! ```
//! use kfc_sops::{Identities, Sops};
//! use kfc_source::{Decrypter as _, FileUse};
//!
//! let sops = Sops::new(Identities::default());
//! assert_eq!(sops.decrypt(FileUse::Manifest, b"a: 1\n"), Ok(None));
//! ```

mod age;
mod armor;
mod cipher;
mod failure;
mod identity;
mod metadata;
mod sops;
mod store;
mod value;
mod walk;

pub use identity::Identities;
pub use sops::Sops;
