//! Files that are kept encrypted: a build decrypts them only through a [`Decrypter`] that its caller gives.

use std::fmt;

/// What a build reads a file for, which says what is to come out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileUse<'a> {
    /// Resources, or a patch.
    Manifest,
    /// Lines `KEY=value` of a generator.
    Env,
    /// The value of this key of a generated object.
    Data(&'a str),
}

/// Decrypts files for a build.
pub trait Decrypter: fmt::Debug + Send + Sync {
    /// Whether a file is encrypted, in a form that this value knows.
    fn is_encrypted(&self, bytes: &[u8]) -> bool;

    /// What an encrypted file says; none for a file that is not encrypted.
    ///
    /// # Errors
    /// An encrypted file without a key that fits, or that was changed.
    fn decrypt(&self, file_use: FileUse<'_>, bytes: &[u8]) -> Result<Option<Vec<u8>>, DecryptFailure>;
}

/// Why a file was not decrypted, as the end of a sentence that starts with its name: "has no MAC". Never has a value of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DecryptFailure {
    /// What is wrong.
    pub why: String,
    /// More about it, a sentence each.
    pub notes: Vec<String>,
    /// What to do about it.
    pub help: Option<String>,
}

impl DecryptFailure {
    /// A failure that says no more than this.
    #[must_use]
    pub fn new(why: impl Into<String>) -> Self {
        Self { why: why.into(), notes: Vec::new(), help: None }
    }

    /// With what to do about it.
    #[must_use]
    pub fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    /// With a sentence more.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }
}
