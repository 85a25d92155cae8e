//! Secrets whose values are made when they do not exist.

use crate::ObjectId;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

/// What bcrypt costs, as a power of two: the least that dex accepts, which is plenty for random texts.
const BCRYPT_COST: u32 = 10;

/// A Secret that is made when it does not exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretRecipe {
    /// The Secret.
    pub object: ObjectId,
    /// The resource without the values that are made.
    pub body: Value,
    /// Its keys whose values are made, and how.
    pub keys: Vec<(String, KeyRecipe)>,
    /// The workloads that read it, in its namespace.
    pub readers: Vec<ObjectId>,
    /// What else has to change with its values, because it has a copy of them.
    pub rotation: Option<String>,
}

/// How a value is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyRecipe {
    /// A random text.
    Random {
        /// The number of its characters.
        length: usize,
        /// The characters that it is made of, all of ASCII.
        characters: &'static str,
    },
    /// The bcrypt hash of another key, which is made too.
    Bcrypt(String),
    /// The value of a key of another Secret.
    Copy {
        /// The Secret.
        of: ObjectId,
        /// Its key.
        key: String,
    },
}

/// Where the values of Secrets come from while one is made.
pub trait SecretValues {
    /// Fills a buffer with random bytes.
    fn fill(&mut self, bytes: &mut [u8]);

    /// The value of a key of another Secret; none when it is not known.
    fn known(&self, secret: &ObjectId, key: &str) -> Option<Vec<u8>>;
}

impl SecretRecipe {
    /// The keys of other Secrets that it copies.
    pub fn copied(&self) -> impl Iterator<Item = (&ObjectId, &str)> {
        self.keys.iter().filter_map(|(_, recipe)| match recipe {
            KeyRecipe::Copy { of, key } => Some((of, key.as_str())),
            _ => None,
        })
    }

    /// New values of its keys; none when one is a copy of a value that is not known.
    #[must_use]
    pub fn values(&self, from: &mut dyn SecretValues) -> Option<Vec<(String, Vec<u8>)>> {
        let mut made: Vec<(String, Vec<u8>)> = Vec::new();
        for (name, recipe) in &self.keys {
            let value = match recipe {
                KeyRecipe::Random { length, characters } => random_text(*length, characters.as_bytes(), from),
                KeyRecipe::Copy { of, key } => from.known(of, key)?,
                KeyRecipe::Bcrypt(_) => continue,
            };
            made.push((name.clone(), value));
        }
        for (name, recipe) in &self.keys {
            let KeyRecipe::Bcrypt(hashed) = recipe else { continue };
            let (_, plain) = made.iter().find(|(known, _)| known == hashed)?;
            let mut salt = [0; 16];
            from.fill(&mut salt);
            let hash = bcrypt::hash_with_salt(plain, BCRYPT_COST, salt).ok()?;
            made.push((name.clone(), hash.format_for_version(bcrypt::Version::TwoY).into_bytes()));
        }
        Some(made)
    }

    /// The resource with these values.
    #[must_use]
    pub fn with_values(&self, values: &[(String, Vec<u8>)]) -> Value {
        let mut body = self.body.clone();
        if !body["data"].is_object() {
            body["data"] = Value::Object(Map::new());
        }
        for (key, value) in values {
            body["data"][key] = STANDARD.encode(value).into();
        }
        body
    }

    /// The recipe for the program that makes Secrets in the cluster.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let keys = self.keys.iter().map(|(name, recipe)| {
            let recipe = match recipe {
                KeyRecipe::Random { length, characters } => {
                    json!({"random": {"length": length, "characters": characters}})
                }
                KeyRecipe::Bcrypt(hashed) => json!({"bcrypt": {"key": hashed, "cost": BCRYPT_COST}}),
                KeyRecipe::Copy { of, key } => {
                    json!({"copy": {"namespace": of.namespace, "name": of.name, "key": key}})
                }
            };
            (name.clone(), recipe)
        });
        json!({"secret": self.body, "keys": keys.collect::<Map<String, Value>>()})
    }
}

/// A text in which every character is as likely as any other.
fn random_text(length: usize, characters: &[u8], from: &mut dyn SecretValues) -> Vec<u8> {
    // A byte that is beyond the last whole multiple would make the first characters more likely.
    let fair = 256 - 256 % characters.len();
    let mut text = Vec::with_capacity(length);
    let mut bytes = [0; 64];
    while text.len() < length {
        from.fill(&mut bytes);
        let fair = bytes.iter().map(|byte| usize::from(*byte)).filter(|byte| *byte < fair);
        text.extend(fair.map(|byte| characters[byte % characters.len()]).take(length - text.len()));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{KeyRecipe, SecretRecipe, SecretValues};
    use crate::ObjectId;
    use serde_json::json;

    /// Bytes that count, and one known Secret.
    struct Counting(u8);

    impl SecretValues for Counting {
        fn fill(&mut self, bytes: &mut [u8]) {
            for byte in bytes {
                *byte = self.0;
                self.0 = self.0.wrapping_add(1);
            }
        }

        fn known(&self, secret: &ObjectId, key: &str) -> Option<Vec<u8>> {
            (secret.name == "other" && key == "k").then(|| b"copied".to_vec())
        }
    }

    fn secret(name: &str) -> ObjectId {
        ObjectId {
            group: String::new(),
            version: "v1".to_owned(),
            kind: "Secret".to_owned(),
            namespace: "n".to_owned(),
            name: name.to_owned(),
        }
    }

    fn recipe(keys: Vec<(&str, KeyRecipe)>) -> SecretRecipe {
        let keys = keys.into_iter().map(|(name, recipe)| (name.to_owned(), recipe)).collect();
        let body = json!({"kind": "Secret", "data": {"constant": "Yw=="}});
        SecretRecipe { object: secret("own"), body, keys, readers: Vec::new(), rotation: None }
    }

    #[test]
    fn values_are_random_hashed_and_copied() {
        let made = recipe(vec![
            ("hash", KeyRecipe::Bcrypt("plain".to_owned())),
            ("plain", KeyRecipe::Random { length: 20, characters: "abc" }),
            ("copy", KeyRecipe::Copy { of: secret("other"), key: "k".to_owned() }),
        ]);
        let values = made.values(&mut Counting(0)).unwrap();
        let value = |name: &str| {
            let found = values.iter().find(|(key, _)| key == name);
            String::from_utf8(found.unwrap().1.clone()).unwrap()
        };
        assert_eq!(value("plain"), "abcabcabcabcabcabcab");
        assert_eq!(value("copy"), "copied");
        assert!(value("hash").starts_with("$2y$10$"), "{}", value("hash"));
        assert!(bcrypt::verify(value("plain"), &value("hash")).unwrap());
        let body = made.with_values(&values);
        assert_eq!((&body["data"]["constant"], &body["data"]["copy"]), (&"Yw==".into(), &"Y29waWVk".into()));
    }

    #[test]
    fn bytes_that_are_not_fair_are_left_out() {
        // 256 is 85 times 3, and 1.
        let made = recipe(vec![("plain", KeyRecipe::Random { length: 8, characters: "abc" })]);
        assert_eq!(made.values(&mut Counting(254)).unwrap()[0].1, b"cabcabca");
    }

    #[test]
    fn a_copy_of_nothing_makes_nothing() {
        let copy = KeyRecipe::Copy { of: secret("other"), key: "absent".to_owned() };
        assert_eq!(recipe(vec![("copy", copy)]).values(&mut Counting(0)), None);
    }
}
