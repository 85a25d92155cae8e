//! The history in the cluster: one config map lists the revisions, others hold the copies. A copy is named after its bytes, so
//! that revisions with the same bundle share it, and a run that was stopped while it wrote one does no harm.

use super::super::config_map::{
    CONFIG_MAP_BYTES, config_map, config_maps, replace_config_map, write_config_map,
};
use super::super::hook_record::digest;
use super::super::inventory_id::InventoryId;
use super::super::session::Session;
use super::super::snapshot::METADATA;
use super::bundle::{Examined, RecordedBundle};
use super::copy::{KeptCopy, parts};
use super::revision::{CopyRef, Revision, RevisionResult, RevisionSource, Tally, time_text, trim};
use crate::cluster::{Body, Failure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Result};
use serde_json::json;
use std::collections::HashSet;
use std::time::Duration;

/// The label of all config maps of a history, with the name of the inventory.
const LABEL: &str = "kfc.dev/history";
const KEY: &str = "revisions";
const COPY_KEY: &str = "bundle.json.gz";
/// How much of a digest the name of a copy has.
const NAME_DIGITS: usize = 16;

type Answer<T> = std::result::Result<T, Failure>;

/// The revisions of an inventory.
#[derive(Clone, Debug)]
pub struct InventoryHistory {
    id: InventoryId,
    /// The oldest first.
    revisions: Vec<Revision>,
    /// The resource version of the config map; none when it does not exist.
    version: Option<String>,
}

/// What a revision consists of.
#[derive(Clone, Copy, Debug)]
pub enum RevisionContent<'c> {
    /// A bundle.
    Bundle(RecordedBundle<'c>),
    /// The copy that an earlier revision kept.
    Copy(&'c Revision),
}

impl RevisionContent<'_> {
    /// The digest of its bundle.
    #[must_use]
    pub fn digest(&self) -> String {
        match self {
            Self::Bundle(bundle) => bundle.examined().digest,
            Self::Copy(revision) => revision.digest.clone(),
        }
    }
}

/// A run that is to be recorded.
#[derive(Clone, Debug)]
pub struct NewRevision<'r> {
    /// When it ended, since 1970: only the program reads a clock.
    pub time: Duration,
    /// The version of kfc.
    pub version: &'r str,
    /// How it ended.
    pub result: RevisionResult,
    /// What it changed.
    pub changes: Tally,
    /// What its bundle was made from.
    pub source: &'r RevisionSource,
    /// The revision that it restored.
    pub rollback_to: Option<u64>,
    /// What was applied.
    pub content: RevisionContent<'r>,
}

impl InventoryHistory {
    /// Reads the history of an inventory; an empty one when it does not exist.
    ///
    /// # Errors
    /// [`Code::History`] when the server refuses, or the text is not ours.
    pub async fn read(session: &Session<'_>, id: &InventoryId) -> Result<Self> {
        let mut history = Self { id: id.clone(), revisions: Vec::new(), version: None };
        let found = match session.connection.get(&path(id, &list_name(id))).await {
            Ok(found) => found,
            Err(failure) if failure.is_not_found() => return Ok(history),
            Err(failure) => return Err(history.trouble("read", &failure)),
        };
        let text = found["data"][KEY].as_str().unwrap_or_default();
        history.revisions = serde_json::from_str(text).map_err(|_| {
            let error = Diagnostic::error(Code::History, format!("the history of {id} cannot be read"));
            error.help("check whether a newer version of kfc wrote it, or somebody edited it")
        })?;
        history.version = Some(found["metadata"]["resourceVersion"].as_str().unwrap_or_default().to_owned());
        Ok(history)
    }

    /// The revisions, the oldest first.
    #[must_use]
    pub fn revisions(&self) -> &[Revision] {
        &self.revisions
    }

    /// A revision by its number.
    ///
    /// # Errors
    /// [`Code::History`] with those that there are.
    pub fn revision(&self, number: u64) -> Result<&Revision> {
        let found = self.revisions.iter().find(|revision| revision.number == number);
        found.ok_or_else(|| {
            let message = format!("the inventory {} has no revision {number}", self.id);
            let numbers: Vec<String> = self.revisions.iter().map(|one| one.number.to_string()).collect();
            let error = Diagnostic::error(Code::History, message);
            match numbers.as_slice() {
                [] => error.help("it has no history; each apply that changes something adds a revision"),
                numbers => error.help(format!("it has the revisions {}", numbers.join(", "))),
            }
            .into()
        })
    }

    /// The last revision before the newest that was applied as a whole and succeeded.
    ///
    /// # Errors
    /// [`Code::History`] when there is none.
    pub fn before_current(&self) -> Result<&Revision> {
        let found = self.revisions.iter().rev().skip(1).find(|revision| revision.is_whole_success());
        found.ok_or_else(|| {
            let message = format!(
                "the inventory {} has no earlier revision that succeeded, of a whole bundle",
                self.id
            );
            let help = "list the revisions with `kfc history`, and name one with `--to`";
            Diagnostic::error(Code::History, message).help(help).into()
        })
    }

    /// The copy that a revision kept.
    ///
    /// # Errors
    /// [`Code::History`] when it kept none, or its config maps are missing or were edited.
    pub async fn copy(&self, session: &Session<'_>, revision: &Revision) -> Result<KeptCopy> {
        let number = revision.number;
        let lost = |why: &str| {
            let message =
                format!("revision {number} of the inventory {} has no copy of its bundle: {why}", self.id);
            let help =
                format!("give the bundle again: `kfc rollback {} TARGET --to {number}`", self.id.words());
            Diagnostics::from(Diagnostic::error(Code::History, message).help(help))
        };
        let Some(copy) = &revision.copy else { return Err(lost("it was too large")) };
        let mut packed = Vec::new();
        for part in 0..copy.parts {
            let name = part_name(&self.id, copy, part);
            let found = session.connection.get(&path(&self.id, &name)).await;
            let found = found.map_err(|failure| lost(&failure.message))?;
            let text = found["binaryData"][COPY_KEY].as_str().unwrap_or_default();
            packed.extend(STANDARD.decode(text).map_err(|_| lost("it was edited"))?);
        }
        if digest(&packed) != copy.digest {
            return Err(lost("it was edited"));
        }
        KeptCopy::unpacked(&packed).ok_or_else(|| lost("this version of kfc cannot read it"))
    }

    /// Adds a revision, and deletes those that are no longer kept with their copies.
    ///
    /// # Errors
    /// [`Code::History`] when the server refuses, as it does when another run has written in the meantime.
    pub async fn record(&mut self, session: &Session<'_>, new: &NewRevision<'_>, keep: usize) -> Result<()> {
        if keep == 0 {
            return self.delete(session).await;
        }
        let (digest, withheld, copy) = match new.content {
            RevisionContent::Copy(revision) => {
                (revision.digest.clone(), revision.withheld.clone(), revision.copy.clone())
            }
            RevisionContent::Bundle(bundle) => {
                let Examined { digest, withheld } = bundle.examined();
                let copy = self.keep(session, &KeptCopy::of(&bundle, &withheld)).await;
                (digest, withheld, copy.map_err(|failure| self.trouble("write", &failure))?)
            }
        };
        self.revisions.push(Revision {
            number: self.revisions.last().map_or(1, |last| last.number + 1),
            time: time_text(new.time),
            version: new.version.to_owned(),
            result: new.result,
            changes: new.changes,
            digest,
            source: new.source.clone(),
            rollback_to: new.rollback_to,
            withheld,
            copy,
        });
        trim(&mut self.revisions, keep);
        self.write(session).await?;
        self.clean(session).await.map_err(|failure| self.trouble("clean up", &failure))
    }

    /// Marks the newest revision as succeeded when it is of this bundle and failed: a later run, which had nothing left to
    /// change, ended well. Says whether it did.
    ///
    /// # Errors
    /// As [`Self::record`].
    pub async fn complete(&mut self, session: &Session<'_>, content: &RevisionContent<'_>) -> Result<bool> {
        match self.revisions.last_mut() {
            Some(last) if last.result == RevisionResult::Failed && last.digest == content.digest() => {
                last.result = RevisionResult::Succeeded;
            }
            _ => return Ok(false),
        }
        self.write(session).await?;
        Ok(true)
    }

    /// Deletes all of it.
    ///
    /// # Errors
    /// [`Code::History`] when the server refuses.
    pub async fn delete(&mut self, session: &Session<'_>) -> Result<()> {
        self.revisions.clear();
        self.clean(session).await.map_err(|failure| self.trouble("delete", &failure))?;
        self.version = None;
        Ok(())
    }

    /// Deletes the history of an inventory, whatever is in it.
    ///
    /// # Errors
    /// As [`Self::delete`].
    pub(in super::super) async fn delete_of(session: &Session<'_>, id: &InventoryId) -> Result<()> {
        Self { id: id.clone(), revisions: Vec::new(), version: None }.delete(session).await
    }

    /// Writes a copy, unless a revision has the same one; `None` when it is too large.
    async fn keep(&self, session: &Session<'_>, copy: &KeptCopy) -> Answer<Option<CopyRef>> {
        let Some(packed) = copy.packed() else { return Ok(None) };
        let Some(parts) = parts(&packed) else { return Ok(None) };
        let copy = CopyRef { digest: digest(&packed), parts: parts.len() };
        if self.revisions.iter().any(|revision| revision.copy.as_ref() == Some(&copy)) {
            return Ok(Some(copy));
        }
        for (at, part) in parts.iter().enumerate() {
            let name = part_name(&self.id, &copy, at);
            let data = json!({COPY_KEY: STANDARD.encode(part)});
            let part = config_map(&self.id, (LABEL, &name), ("binaryData", data));
            match write_config_map(session, part.clone(), None).await {
                // Left by a run that was stopped.
                Err(failure) if failure.status == 409 => replace_config_map(session, &part).await?,
                written => drop(written?),
            }
        }
        Ok(Some(copy))
    }

    async fn write(&mut self, session: &Session<'_>) -> Result<()> {
        let text = serde_json::to_string(&self.revisions).unwrap_or_default();
        if text.len() > CONFIG_MAP_BYTES {
            let message =
                format!("the history of the inventory {} is larger than a config map can be", self.id);
            let help = "keep fewer revisions with `--keep-revisions`";
            return Err(Diagnostic::error(Code::History, message).help(help).into());
        }
        let name = list_name(&self.id);
        let list = config_map(&self.id, (LABEL, &name), ("data", json!({KEY: text})));
        let written = write_config_map(session, list, self.version.as_deref()).await;
        self.version = Some(written.map_err(|failure| self.trouble("write", &failure))?);
        Ok(())
    }

    /// Deletes the config maps that no revision needs; without revisions, all of them.
    async fn clean(&self, session: &Session<'_>) -> Answer<()> {
        let mut needed: HashSet<String> = HashSet::new();
        for copy in self.revisions.iter().filter_map(|revision| revision.copy.as_ref()) {
            needed.extend((0..copy.parts).map(|part| part_name(&self.id, copy, part)));
        }
        if !self.revisions.is_empty() {
            needed.insert(list_name(&self.id));
        }
        let listed = format!("{}?labelSelector={LABEL}%3D{}", config_maps(&self.id.namespace), self.id.name);
        let (_, answer) = session.connection.send(Method::GET, &listed, METADATA, Body::None).await?;
        for item in answer["items"].as_array().into_iter().flatten() {
            let Some(name) = item["metadata"]["name"].as_str() else { continue };
            if needed.contains(name) {
                continue;
            }
            let path = path(&self.id, name);
            match session.connection.send(Method::DELETE, &path, "application/json", Body::None).await {
                Err(failure) if !failure.is_not_found() => return Err(failure),
                _ => {}
            }
        }
        Ok(())
    }

    fn trouble(&self, verb: &str, failure: &Failure) -> Diagnostics {
        let message = format!("cannot {verb} the history of the inventory {}: {}", self.id, failure.message);
        let error = Diagnostic::error(Code::History, message);
        match failure.status {
            403 => error.help(format!(
                "a history needs get, list, create, update and delete on config maps in `{}`; `--keep-revisions 0` keeps none",
                self.id.namespace
            )),
            409 => error.help("another run changed it in the meantime"),
            _ => error,
        }
        .into()
    }
}

fn path(id: &InventoryId, name: &str) -> String {
    format!("{}/{name}", config_maps(&id.namespace))
}

fn list_name(id: &InventoryId) -> String {
    format!("kfc-history-{}", id.name)
}

/// `kfc-history-shop.0123456789abcdef.0`: names of inventories have no dots.
fn part_name(id: &InventoryId, copy: &CopyRef, part: usize) -> String {
    let digits = copy.digest.get(..NAME_DIGITS).unwrap_or(&copy.digest);
    format!("{}.{digits}.{part}", list_name(id))
}

#[cfg(test)]
mod tests {
    use super::super::revision::tests::revision;
    use super::{CopyRef, InventoryHistory, Revision, RevisionResult, RevisionSource, list_name, part_name};
    use crate::apply::InventoryId;

    fn history(revisions: Vec<Revision>) -> InventoryHistory {
        InventoryHistory { id: InventoryId::new("default", "shop"), revisions, version: None }
    }

    fn partial(number: u64) -> Revision {
        let source = RevisionSource { only: vec!["katib".to_owned()], ..RevisionSource::default() };
        Revision { source, ..revision(number, RevisionResult::Succeeded) }
    }

    #[test]
    fn the_revision_before_the_current_one_is_whole_and_succeeded() {
        let before = |revisions: Vec<Revision>| {
            history(revisions).before_current().map(|revision| revision.number).ok()
        };
        let (good, bad) = (
            |number| revision(number, RevisionResult::Succeeded),
            |number| revision(number, RevisionResult::Failed),
        );
        assert_eq!(before(vec![good(1), good(2), good(3)]), Some(2));
        assert_eq!(before(vec![good(1), bad(2), good(3)]), Some(1));
        assert_eq!(before(vec![good(1), good(2), bad(3)]), Some(2));
        assert_eq!(before(vec![good(1), partial(2), good(3)]), Some(1));
        assert_eq!(before(vec![good(1)]), None);
        assert_eq!(before(vec![bad(1), good(2)]), None);
        assert_eq!(before(Vec::new()), None);
    }

    #[test]
    fn a_missing_revision_is_an_error_that_names_the_others() {
        let history =
            history(vec![revision(4, RevisionResult::Succeeded), revision(5, RevisionResult::Failed)]);
        let error = history.revision(3).unwrap_err().0.remove(0);
        assert_eq!(error.message, "the inventory `shop` has no revision 3");
        assert_eq!(error.help.as_deref(), Some("it has the revisions 4, 5"));
    }

    #[test]
    fn names_are_those_of_config_maps() {
        let id = InventoryId::new("default", &"a".repeat(50));
        let copy = CopyRef { digest: "0123456789abcdef".repeat(4), parts: 2 };
        let name = part_name(&id, &copy, 1);
        assert!(name.starts_with(&list_name(&id)) && name.ends_with(".0123456789abcdef.1"), "{name}");
        assert!(name.len() <= 253);
    }
}
