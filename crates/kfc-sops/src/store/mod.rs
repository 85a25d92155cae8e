//! The formats of files that sops encrypts: from text to the tree, and from the tree to the bytes that sops writes.

mod dotenv;
mod json;
mod yaml;

use crate::failure::Result;
use crate::metadata::{FIELD, Metadata};
use crate::value::{self, Entry, Value};
use kfc_source::DecryptFailure;

/// The format of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Yaml,
    Json,
    Dotenv,
    Ini,
    /// Any bytes. Encrypted, they are a value in JSON.
    Binary,
}

/// Documents that were encrypted together.
pub(crate) struct Encrypted {
    pub(crate) documents: Vec<Vec<Entry>>,
    pub(crate) metadata: Metadata,
}

impl Format {
    /// The format that the end of a name says, as in sops; none for any other.
    pub(crate) fn of_name(name: &str) -> Option<Self> {
        let ends = |ends: &[&str]| ends.iter().any(|end| name.ends_with(end));
        if ends(&[".yaml", ".yml"]) {
            Some(Self::Yaml)
        } else if ends(&[".json", ".dockerconfigjson"]) {
            Some(Self::Json)
        } else if ends(&[".env"]) {
            Some(Self::Dotenv)
        } else if ends(&[".ini"]) {
            Some(Self::Ini)
        } else {
            None
        }
    }

    /// The format of an encrypted text, by where it says that it is from sops; none for a text that does not.
    pub(crate) fn of_encrypted(text: &str) -> Option<Self> {
        let has_line = |start: &str| text.lines().any(|line| line.starts_with(start));
        if !text.contains(crate::cipher::START) {
            None
        } else if text.trim_start().starts_with('{') {
            Some(Self::Json)
        } else if has_line("sops_mac=") {
            Some(Self::Dotenv)
        } else if has_line("[sops]") {
            Some(Self::Ini)
        } else if has_line("sops:") || has_line("\"sops\":") {
            Some(Self::Yaml)
        } else {
            None
        }
    }

    /// Reads an encrypted text: what was encrypted together is one part, and nothing is not from sops. Documents that were
    /// encrypted one by one may be in one file, of which Flux decrypts each resource.
    ///
    /// # Errors
    /// A text that is not of the format, and what kfc does not support.
    pub(crate) fn read(self, text: &str) -> Result<Vec<Encrypted>> {
        let documents = match self {
            Self::Yaml => yaml::read(text)?,
            Self::Json | Self::Binary => vec![json::read(text)?],
            Self::Dotenv => vec![dotenv::read(text)?],
            Self::Ini => {
                let failure =
                    DecryptFailure::new("is an INI file that sops encrypted, which kfc cannot decrypt");
                return Err(failure.help("encrypt it as binary: `sops encrypt --input-type binary`"));
            }
        };
        let own: Vec<Option<&Value>> = documents.iter().map(|document| value::get(document, FIELD)).collect();
        let are_all_alike = own.iter().any(Option::is_none) || own.windows(2).all(|pair| pair[0] == pair[1]);
        let parts = if are_all_alike {
            vec![documents]
        } else {
            documents.into_iter().map(|one| vec![one]).collect()
        };
        let count = parts.len();
        let parts = parts.into_iter().map(encrypted).collect::<Result<Vec<_>>>()?;
        let parts: Vec<Encrypted> = parts.into_iter().flatten().collect();
        if !parts.is_empty() && parts.len() < count {
            return Err(DecryptFailure::new(
                "has a document without a MAC under `sops`, beside others with one",
            ));
        }
        Ok(parts)
    }

    /// The bytes that sops writes.
    ///
    /// # Errors
    /// What the format cannot hold.
    pub(crate) fn write(self, documents: &[Vec<Entry>]) -> Result<Vec<u8>> {
        let cannot = |what: &str| DecryptFailure::new(format!("cannot be written as {what}"));
        let only = || match documents {
            [document] => Ok(document.as_slice()),
            _ => Err(cannot("one document: it has several")),
        };
        match self {
            Self::Yaml => Ok(yaml::write(documents).into_bytes()),
            Self::Json => json::write(only()?)
                .ok_or_else(|| cannot("JSON: it has a text that is not UTF-8"))
                .map(String::into_bytes),
            Self::Dotenv => {
                dotenv::write(only()?).ok_or_else(|| cannot("lines `KEY=value`: it has lists or mappings"))
            }
            Self::Ini => Err(cannot("INI")),
            Self::Binary => match value::get(only()?, "data") {
                Some(Value::Text(bytes)) => Ok(bytes.clone()),
                _ => Err(cannot("a file without a format: it has no text `data`")),
            },
        }
    }
}

/// Documents that were encrypted together, without what sops says of it, which each of them has; none if the first has not.
fn encrypted(mut documents: Vec<Vec<Entry>>) -> Result<Option<Encrypted>> {
    let field = documents.first().and_then(|document| value::get(document, FIELD));
    let Some(metadata) = field.map(Metadata::read).transpose()?.flatten() else { return Ok(None) };
    for document in &mut documents {
        document.retain(|entry| !matches!(entry, Entry::Pair(key, _) if key == FIELD));
    }
    Ok(Some(Encrypted { documents, metadata }))
}
