//! The front door: which of the formats a file has, its key, and what comes out.

use crate::age::{self, AgeFailure};
use crate::cipher::DataKey;
use crate::failure::Result;
use crate::identity::Identities;
use crate::metadata::Metadata;
use crate::store::{Encrypted, Format};
use crate::value::{Entry, Value};
use crate::walk;
use kfc_diagnostics::text::for_message;
use kfc_source::{DecryptFailure, Decrypter, FileUse};
use std::sync::Arc;

/// Decrypts what sops encrypted for age recipients.
#[derive(Clone, Debug)]
pub struct Sops {
    identities: Arc<Identities>,
}

impl Sops {
    /// With these keys.
    #[must_use]
    pub fn new(identities: Identities) -> Self {
        Self { identities: Arc::new(identities) }
    }

    /// The key of a file.
    fn data_key(&self, metadata: &Metadata) -> Result<DataKey> {
        if metadata.age.is_empty() {
            let why = format!(
                "is encrypted for {}, but kfc decrypts only with keys of age",
                metadata.others.join(", ")
            );
            return Err(DecryptFailure::new(why)
                .help("add an age recipient to the file with `sops rotate --add-age`"));
        }
        let mut failures = Vec::new();
        for recipient in &metadata.age {
            match age::decrypt(&recipient.encrypted, &self.identities.list) {
                Ok(bytes) => {
                    let key = DataKey::new(&bytes);
                    return key.ok_or_else(|| DecryptFailure::new("has a key of the wrong length"));
                }
                Err(failure) => failures.push(failure),
            }
        }
        Err(self.no_key(metadata, &failures))
    }

    fn no_key(&self, metadata: &Metadata, failures: &[AgeFailure]) -> DecryptFailure {
        let names: Vec<_> = metadata.age.iter().map(|recipient| for_message(&recipient.name)).collect();
        let recipients = names.join(", ");
        if failures.iter().all(|failure| *failure == AgeFailure::NoX25519) {
            let why = format!(
                "is encrypted for {recipients}, but kfc knows only recipients of age of the type X25519"
            );
            return DecryptFailure::new(why)
                .help("add such a recipient to the file with `sops rotate --add-age`");
        }
        if failures.iter().all(|failure| *failure == AgeFailure::Malformed) {
            return DecryptFailure::new("has a key under `sops` that is not one of age, or was changed");
        }
        let why = match self.identities.list.len() {
            0 => format!("is encrypted for {recipients}, and there is no identity of age"),
            1 => format!("is encrypted for {recipients}, which the identity of age does not fit"),
            count => {
                format!("is encrypted for {recipients}, which none of the {count} identities of age fits")
            }
        };
        let failure = self.identities.problems.iter().fold(DecryptFailure::new(why), DecryptFailure::note);
        failure
            .help("set SOPS_AGE_KEY_FILE to a file with the identity, or SOPS_AGE_KEY to the identity itself")
    }

    fn decrypted(&self, Encrypted { mut documents, metadata }: Encrypted) -> Result<Vec<Vec<Entry>>> {
        let key = self.data_key(&metadata)?;
        walk::decrypt(&mut documents, &metadata, &key)?;
        Ok(documents)
    }
}

/// The parts of a file that were encrypted, with its format; none for any other file.
fn encrypted_parts(bytes: &[u8]) -> Result<Option<(Format, Vec<Encrypted>)>> {
    let Ok(text) = std::str::from_utf8(bytes) else { return Ok(None) };
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let Some(format) = Format::of_encrypted(text) else { return Ok(None) };
    let parts = format.read(text)?;
    Ok((!parts.is_empty()).then_some((format, parts)))
}

impl Decrypter for Sops {
    fn is_encrypted(&self, bytes: &[u8]) -> bool {
        // What cannot be read may be.
        encrypted_parts(bytes).map_or(true, |parts| parts.is_some())
    }

    fn decrypt(&self, file_use: FileUse<'_>, bytes: &[u8]) -> Result<Option<Vec<u8>>> {
        let Some((format, parts)) = encrypted_parts(bytes)? else { return Ok(None) };
        let mut documents = Vec::new();
        for part in parts {
            documents.extend(self.decrypted(part)?);
        }
        written_as(file_use, format, &documents).write(&documents).map(Some)
    }
}

/// The format that comes out. Of a value of a generated object, the key says it, as for Flux: `app.json=app.enc.yaml` becomes
/// JSON. Without such a key it is the format of the file, and a file of any bytes is again what it was.
fn written_as(file_use: FileUse<'_>, format: Format, documents: &[Vec<Entry>]) -> Format {
    match file_use {
        FileUse::Manifest => format,
        FileUse::Env => Format::Dotenv,
        FileUse::Data(key) => Format::of_name(key).unwrap_or_else(|| match documents {
            [document] if format == Format::Json && is_bytes(document) => Format::Binary,
            _ => format,
        }),
    }
}

fn is_bytes(document: &[Entry]) -> bool {
    matches!(document, [Entry::Pair(key, Value::Text(_))] if key == "data")
}
