//! The walk over a tree that decrypts its values and computes its MAC.

use crate::cipher::{DataKey, Plain, START};
use crate::failure::Result;
use crate::metadata::{Metadata, Rule};
use crate::value::{Comment, Entry, Item, Value};
use kfc_diagnostics::text::for_message;
use kfc_source::DecryptFailure;
use ring::digest::{Context, SHA512};

/// Decrypts documents in place.
///
/// # Errors
/// Values that the key does not fit, and a MAC that does not fit the values.
pub(crate) fn decrypt(documents: &mut [Vec<Entry>], metadata: &Metadata, key: &DataKey) -> Result<()> {
    let mut walk = Walk {
        key,
        rule: &metadata.rule,
        covers_encrypted_alone: metadata.mac_only_encrypted,
        mac: Context::new(&SHA512),
        path: Vec::new(),
        comments: Vec::new(),
    };
    if metadata.mac_only_encrypted {
        walk.mac.update(&MAC_ONLY_ENCRYPTED);
    }
    for document in documents {
        walk.mapping(document)?;
    }
    let computed = walk.mac.finish();
    let computed = base16ct::upper::encode_string(computed.as_ref());
    let stored = key.decrypt(&metadata.mac, &metadata.last_modified);
    match stored {
        Some(Plain::Value(stored)) if stored.as_text() == Some(&*computed) => Ok(()),
        _ => Err(DecryptFailure::new("was changed after it was encrypted: its MAC does not fit its values")
            .help("edit it with `sops edit`, or compare it with an earlier version of it")),
    }
}

/// What the MAC starts with if it covers encrypted values alone: the SHA-256 hash of `sops`.
const MAC_ONLY_ENCRYPTED: [u8; 32] = [
    0x8a, 0x3f, 0xd2, 0xad, 0x54, 0xce, 0x66, 0x52, 0x7b, 0x10, 0x34, 0xf3, 0xd1, 0x47, 0xbe, 0x0b, 0x0b,
    0x97, 0x5b, 0x3b, 0xf4, 0x4f, 0x72, 0xc6, 0xfd, 0xad, 0xec, 0x81, 0x76, 0xf2, 0x7d, 0x69,
];

struct Walk<'a> {
    key: &'a DataKey,
    rule: &'a Rule,
    covers_encrypted_alone: bool,
    mac: Context,
    /// The keys that lead here; items of sequences have none.
    path: Vec<String>,
    /// For each collection around, the comments before the current entry.
    comments: Vec<Vec<String>>,
}

impl Walk<'_> {
    fn mapping(&mut self, entries: &mut [Entry]) -> Result<()> {
        self.comments.push(Vec::new());
        for entry in entries {
            match entry {
                Entry::Comment(comment) => self.comment(comment),
                Entry::Pair(key, value) => {
                    self.path.push(key.clone());
                    self.value(value)?;
                    self.path.pop();
                    self.forget_comments();
                }
            }
        }
        self.comments.pop();
        Ok(())
    }

    fn value(&mut self, value: &mut Value) -> Result<()> {
        match value {
            Value::Map(entries) => self.mapping(entries),
            Value::Seq(items) => {
                self.comments.push(Vec::new());
                for item in items {
                    match item {
                        Item::Comment(comment) => self.comment(comment),
                        Item::Value(value) => {
                            match self.comment_of_item(value) {
                                Some(comment) => *item = Item::Comment(comment),
                                None => self.value(value)?,
                            }
                            self.forget_comments();
                        }
                    }
                }
                self.comments.pop();
                Ok(())
            }
            Value::Null => Ok(()),
            leaf => self.leaf(leaf),
        }
    }

    fn forget_comments(&mut self) {
        if let Some(before) = self.comments.last_mut() {
            before.clear();
        }
    }

    fn leaf(&mut self, value: &mut Value) -> Result<()> {
        let is_encrypted = self.rule.is_encrypted(&self.path, &self.comments, false);
        if is_encrypted {
            let plain = value.as_text().and_then(|text| self.key.decrypt(text, &self.context()));
            let Some(Plain::Value(plain)) = plain else { return Err(self.refused(value)) };
            *value = plain;
        }
        if is_encrypted || !self.covers_encrypted_alone {
            match value {
                Value::Text(bytes) => self.mac.update(bytes),
                other => self.mac.update(other.mac_text().unwrap_or_default().as_bytes()),
            }
        }
        Ok(())
    }

    /// Comments are not covered by the MAC, and older versions of sops left them as they were.
    fn comment(&mut self, comment: &mut Comment) {
        if let Some(before) = self.comments.last_mut() {
            before.push(comment.text.clone());
        }
        if self.rule.is_encrypted(&self.path, &self.comments, true)
            && let Some(Plain::Comment(text)) = self.key.decrypt(&comment.text, &self.context())
        {
            comment.text = text;
        }
    }

    /// sops writes an encrypted comment between items of a sequence as an item.
    fn comment_of_item(&self, value: &Value) -> Option<Comment> {
        let text = value.as_text().filter(|text| text.ends_with(",type:comment]"))?;
        match self.key.decrypt(text, &self.context())? {
            Plain::Comment(text) => Some(Comment { text, is_inline: false }),
            Plain::Value(_) => None,
        }
    }

    /// What a value is bound to, so that it cannot be moved.
    fn context(&self) -> String {
        format!("{}:", self.path.join(":"))
    }

    fn refused(&self, value: &Value) -> DecryptFailure {
        let path = self.path.join(".");
        let path = for_message(&path);
        let is_encrypted = value.as_text().is_some_and(|text| text.starts_with(START));
        if is_encrypted {
            let why =
                format!("was changed after it was encrypted: the value at `{path}` cannot be decrypted");
            DecryptFailure::new(why)
                .help("edit it with `sops edit`, or compare it with an earlier version of it")
        } else {
            let why = format!("has a value at `{path}` that should be encrypted, but is not");
            DecryptFailure::new(why).help("add values with `sops edit` or `sops set`")
        }
    }
}
