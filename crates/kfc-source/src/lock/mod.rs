//! `kfc.lock`: which remote sources a tree has, what each was when it was vendored, and the digest of its tree.

mod file;
mod find;
mod format;
mod load;
mod read;
pub mod tree;
mod write;

pub use file::{Entry, FILE, FOLDER, Lock, VERSION, folder_name};
pub use find::find;
pub use format::LockFile;
pub use read::read;
