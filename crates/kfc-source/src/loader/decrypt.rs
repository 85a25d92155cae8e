//! Files that a build decrypts: those of this machine, if its caller gave a [`Decrypter`](crate::Decrypter).

use super::{File, Loader};
use crate::decryption::{DecryptFailure, FileUse};
use kfc_diagnostics::{Code, Diagnostic, Mark, Result, Target};

/// The bytes of a file of a generator.
#[derive(Debug)]
pub struct Data {
    /// They may be of any kind.
    pub bytes: Vec<u8>,
    /// Whether they were decrypted.
    pub is_decrypted: bool,
}

impl Loader {
    /// Reads resources or a patch that the root names, and decrypts them if the options allow it. Lines of a decrypted text are shown
    /// as those of a Secret, whatever it has.
    ///
    /// # Errors
    /// As [`Loader::load`], and encrypted files that cannot be decrypted, or were fetched.
    pub fn load_manifest(&self, path: &str, referrer: impl Into<Option<Mark>>) -> Result<File> {
        let referrer = referrer.into();
        let (bytes, shown) = self.read(path, referrer)?;
        let Some(plain) = self.decrypted(path, FileUse::Manifest, &bytes, (&shown, referrer))? else {
            return self.text_file(path, bytes, shown, referrer);
        };
        let file = self.text_file(path, plain, shown, referrer)?;
        self.sources().note_target(file.id, Target::Secret);
        Ok(File { is_decrypted: true, ..file })
    }

    /// Reads a file of a generator, and decrypts it if the options allow it.
    ///
    /// # Errors
    /// As [`Loader::load_bytes`], and encrypted files that cannot be decrypted, or were fetched.
    pub fn load_data(
        &self,
        path: &str,
        file_use: FileUse<'_>,
        referrer: impl Into<Option<Mark>>,
    ) -> Result<Data> {
        let referrer = referrer.into();
        let (bytes, shown) = self.read(path, referrer)?;
        let plain = self.decrypted(path, file_use, &bytes, (&shown, referrer))?;
        let is_decrypted = plain.is_some();
        Ok(Data { bytes: plain.unwrap_or(bytes), is_decrypted })
    }

    /// What an encrypted file says, if it is one and the options have what decrypts it.
    fn decrypted(
        &self,
        path: &str,
        file_use: FileUse<'_>,
        bytes: &[u8],
        (shown, referrer): (&str, Option<Mark>),
    ) -> Result<Option<Vec<u8>>> {
        let Some(decrypter) = &self.options().functions.decrypter else { return Ok(None) };
        let refused = |failure: DecryptFailure| {
            let message = format!("`{shown}` {}", failure.why);
            let error = Diagnostic::error(Code::Encrypted, message).at(referrer);
            let error = failure.notes.into_iter().fold(error, Diagnostic::note);
            error.helped(failure.help)
        };
        if self.is_local(path) {
            return decrypter.decrypt(file_use, bytes).map_err(|failure| refused(failure).into());
        }
        if !decrypter.is_encrypted(bytes) {
            return Ok(None);
        }
        let failure = DecryptFailure::new(
            "is encrypted, but was fetched: only files of your own tree are decrypted",
        )
        .note("a person who can change a fetched tree could otherwise have your keys decrypt what they chose")
        .help("keep a copy in your tree: `kfc kustomize localize`");
        Err(refused(failure).into())
    }
}
