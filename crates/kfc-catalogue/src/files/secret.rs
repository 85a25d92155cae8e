//! `secrets` of a component: the Secrets that it needs, and how their values are made.

use super::words;
use kfc_yaml::Spanned;
use kfc_yaml::de::{Entries, TextOr};
use serde::Deserialize;

/// A Secret that a component needs.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "DeclaredSecret"))]
#[serde(rename = "a secret", deny_unknown_fields)]
pub struct DeclaredSecret {
    /// The name of the Secret.
    pub name: Spanned<String>,
    /// Its namespace.
    pub namespace: Spanned<String>,
    /// What it is for, in one line.
    pub description: String,
    /// Its keys by name, and how the value of each is made: `constant` for a value of the base that need not be secret, `given`
    /// for one that only a user has, `controller` for one that a controller writes; or one of the fields below.
    pub keys: Entries<SecretKey>,
    /// The workloads that read it, in its namespace.
    #[serde(default)]
    pub readers: Vec<SecretReader>,
    /// What else has to change with its values, because it has a copy of them.
    pub rotation: Option<String>,
}

/// A workload that reads a Secret.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "SecretReader"))]
#[serde(rename = "a reader", deny_unknown_fields)]
pub struct SecretReader {
    /// The kind of a workload.
    pub kind: String,
    /// Its name.
    pub name: String,
}

/// How the value of a key is made.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(with = "KeyForms"))]
#[serde(try_from = "TextOr<MadeKey>")]
pub enum SecretKey {
    /// It is in the base, and need not be secret.
    Constant,
    /// Only a user has it.
    Given,
    /// A controller writes it.
    Controller,
    /// It is random.
    Random(RandomText),
    /// It is the bcrypt hash of another key of the Secret, which exists only to be hashed.
    Bcrypt(String),
    /// It is the value of a key of another Secret. Where that Secret is not needed, only a user has it.
    Copy(CopiedKey),
}

impl SecretKey {
    /// In a word, for lists.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Constant => SecretWord::Constant.word(),
            Self::Given => SecretWord::Given.word(),
            Self::Controller => SecretWord::Controller.word(),
            Self::Random(_) => "random",
            Self::Bcrypt(_) => "bcrypt",
            Self::Copy(_) => "copy",
        }
    }
}

words! {
    /// How the value of a key is made, when a word says it all.
    SecretWord is "how a key is made" {
        /// It is in the base, and need not be secret.
        Constant = "constant",
        /// Only a user has it.
        Given = "given",
        /// A controller writes it.
        Controller = "controller",
    }
}

impl Alphabet {
    /// Its characters.
    #[must_use]
    pub const fn characters(self) -> &'static str {
        match self {
            Self::Hex => "0123456789abcdef",
            Self::Alphanumeric => "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
        }
    }
}

/// The forms of [`SecretKey`], for its schema.
#[cfg(feature = "schema")]
#[derive(schemars::JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "only its schema is used")]
enum KeyForms {
    Word(SecretWord),
    Made(MadeKey),
}

/// A value that is made when none exists.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(untagged))]
#[serde(rename = "$keyed a key", rename_all = "lowercase")]
enum MadeKey {
    Random(RandomKey),
    Bcrypt(BcryptKey),
    Copy(CopiedKey),
}

#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "RandomKey"))]
#[serde(rename = "a key", deny_unknown_fields)]
struct RandomKey {
    /// A random text.
    random: RandomText,
}

/// A random text.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "RandomText"))]
#[serde(rename = "a random text", deny_unknown_fields)]
pub struct RandomText {
    /// The number of its characters.
    #[cfg_attr(feature = "schema", schemars(range(min = 8, max = 1024)))]
    pub length: TextLength,
    /// The characters that it is made of.
    pub alphabet: Alphabet,
}

/// A number of characters that cannot be guessed, and is not absurd.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(with = "u16"))]
#[serde(try_from = "u16")]
pub struct TextLength(pub u16);

impl TryFrom<u16> for TextLength {
    type Error = String;

    fn try_from(written: u16) -> Result<Self, String> {
        if (8..=1024).contains(&written) {
            Ok(Self(written))
        } else {
            Err(format!("a random text has 8 to 1024 characters, not {written}"))
        }
    }
}

words! {
    /// The characters of a random text.
    Alphabet is "an alphabet" {
        /// `0` to `9` and `a` to `f`.
        Hex = "hex",
        /// Letters and digits.
        Alphanumeric = "alphanumeric",
    }
}

#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "BcryptKey"))]
#[serde(rename = "a key", deny_unknown_fields)]
struct BcryptKey {
    /// The bcrypt hash of another key of the Secret, which exists only to be hashed.
    bcrypt: String,
}

/// A key that has the value of another one.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "CopiedKey"))]
#[serde(rename = "a key", deny_unknown_fields)]
pub struct CopiedKey {
    /// The value of a key of another Secret. Where no selected component has that Secret, the value is `given`.
    pub copy: KeyReference,
    /// An expression: the Secret has the key only when this is true.
    pub when: Option<Spanned<String>>,
}

/// A key of a Secret.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "KeyReference"))]
#[serde(rename = "a key of a Secret", deny_unknown_fields)]
pub struct KeyReference {
    /// The namespace of the Secret.
    pub namespace: String,
    /// The name of the Secret.
    pub name: String,
    /// The key.
    pub key: String,
}

impl TryFrom<TextOr<MadeKey>> for SecretKey {
    type Error = String;

    fn try_from(written: TextOr<MadeKey>) -> Result<Self, String> {
        Ok(match written {
            TextOr::Whole(MadeKey::Random(key)) => Self::Random(key.random),
            TextOr::Whole(MadeKey::Bcrypt(key)) => Self::Bcrypt(key.bcrypt),
            TextOr::Whole(MadeKey::Copy(key)) => Self::Copy(key),
            TextOr::Text(word) => match SecretWord::ALL.iter().find(|known| known.word() == word.value) {
                Some(SecretWord::Constant) => Self::Constant,
                Some(SecretWord::Given) => Self::Given,
                Some(SecretWord::Controller) => Self::Controller,
                None => {
                    let words: Vec<_> = SecretWord::ALL.iter().map(|word| format!("`{word}`")).collect();
                    let words = words.join(", ");
                    return Err(format!(
                        "`{}` does not say how a key is made; expected one of {words}, or a mapping with `random`, `bcrypt` or `copy`",
                        word.value
                    ));
                }
            },
        })
    }
}

/// Where the values of a Secret come from.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(with = "WayForms"))]
#[serde(try_from = "TextOr<WayFields>")]
pub enum SecretWay {
    /// The bundle, with the values of its base, of parameters and of overlays.
    Bundle,
    /// kfc: it makes them when the Secret does not exist.
    Generated,
    /// Another Secret, which exists in the cluster: all that read the one read the other.
    Existing(Spanned<String>),
    /// Another tool, which creates the Secret: from a store that is named here, or as the user tells it elsewhere.
    External(Option<ExternalStore>),
    /// An env file.
    Value(Spanned<String>),
}

impl SecretWay {
    /// In a word, for lists.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Bundle => "bundle",
            Self::Generated => "generated",
            Self::Existing(_) => "existing",
            Self::External(_) => "external",
            Self::Value(_) => "value",
        }
    }
}

words! {
    /// Where the values of a Secret come from, when a word says it all.
    WayWord is "where values come from" {
        /// kfc makes them when the Secret does not exist.
        Generated = "generated",
        /// The bundle has the Secret.
        Bundle = "bundle",
        /// Another tool creates the Secret.
        External = "external",
    }
}

/// The forms of [`SecretWay`], for its schema.
#[cfg(feature = "schema")]
#[derive(schemars::JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "only its schema is used")]
enum WayForms {
    Word(WayWord),
    Fields(WayFields),
}

#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(untagged))]
#[serde(rename = "$keyed where values come from", rename_all = "lowercase")]
enum WayFields {
    Existing(ExistingSecret),
    External(ExternalSecret),
    Value(SecretValue),
}

#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ExistingSecret"))]
#[serde(rename = "an existing Secret", deny_unknown_fields)]
struct ExistingSecret {
    /// The name of a Secret in the same namespace, with the same keys. It is not emitted, and all that read the one of the
    /// catalog read it instead.
    existing: Spanned<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ExternalSecret"))]
#[serde(rename = "an external Secret", deny_unknown_fields)]
struct ExternalSecret {
    /// The store from which External Secrets Operator creates the Secret.
    external: ExternalStore,
}

/// An entry of a store of External Secrets Operator.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ExternalStore"))]
#[serde(rename = "an external store", deny_unknown_fields)]
pub struct ExternalStore {
    /// The name of the store.
    pub store: String,
    /// Its kind.
    #[serde(default)]
    pub kind: StoreKind,
    /// The entry of the store that has the keys of the Secret as properties; the name of the Secret when not given.
    pub key: Option<String>,
}

words! {
    /// The kinds of stores of External Secrets Operator.
    #[derive(Default)]
    StoreKind is "the kind of a store" {
        /// Of the whole cluster.
        #[default]
        Cluster = "ClusterSecretStore",
        /// Of the namespace.
        Namespaced = "SecretStore",
    }
}

#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "SecretValue"))]
#[serde(rename = "a value", deny_unknown_fields)]
struct SecretValue {
    /// A file with the values: never the values themselves.
    #[cfg_attr(feature = "schema", schemars(with = "ValueFile"))]
    value: TextOr<ValueFile>,
}

#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ValueFile"))]
#[serde(rename = "`value`", deny_unknown_fields)]
struct ValueFile {
    /// An env file in or below the directory of kfc.yaml: lines of `KEY=VALUE`.
    file: Spanned<String>,
}

impl TryFrom<TextOr<WayFields>> for SecretWay {
    type Error = String;

    fn try_from(written: TextOr<WayFields>) -> Result<Self, String> {
        match written {
            TextOr::Whole(WayFields::Existing(fields)) => Ok(Self::Existing(fields.existing)),
            TextOr::Whole(WayFields::External(fields)) => Ok(Self::External(Some(fields.external))),
            TextOr::Whole(WayFields::Value(SecretValue { value: TextOr::Whole(value) })) => {
                Ok(Self::Value(value.file))
            }
            TextOr::Whole(WayFields::Value(SecretValue { value: TextOr::Text(_) })) => {
                Err("a value of a Secret must not be in kfc.yaml; put it into an env file, which is not committed, and name that: `value: {file: PATH}`".to_owned())
            }
            TextOr::Text(word) => match WayWord::ALL.iter().find(|known| known.word() == word.value) {
                Some(WayWord::Generated) => Ok(Self::Generated),
                Some(WayWord::Bundle) => Ok(Self::Bundle),
                Some(WayWord::External) => Ok(Self::External(None)),
                // The text may be a value: no message shows it.
                None => {
                    let words: Vec<_> = WayWord::ALL.iter().map(|word| format!("`{word}`")).collect();
                    Err(format!(
                        "this does not say where the values of a Secret come from; expected one of {}, or a mapping with `existing`, `external` or `value`",
                        words.join(", ")
                    ))
                }
            },
        }
    }
}
