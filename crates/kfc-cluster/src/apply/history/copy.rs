//! The kept copy of a bundle: its waves without the objects that are withheld, compressed and cut into parts that fit into
//! config maps.

use super::super::config_map::CONFIG_MAP_BYTES;
use super::bundle::RecordedBundle;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use kfc_kube::hook::Hook;
use kfc_kube::ignore::{FieldPattern, IgnoreRule};
use kfc_kube::readiness::{Expression, ReadyRule};
use kfc_kube::wave::{Gate, HookItem, Item, Wave, phase};
use kfc_kube::{ObjectId, ObjectPattern};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::io::{Read as _, Write as _};

/// A larger copy is not kept: it would fill the store of the cluster.
const MOST_PARTS: usize = 10;
/// A bundle is not larger; a forged copy may be.
const MOST_BYTES: u64 = 1 << 28;

/// What a revision keeps of its bundle.
#[derive(Clone, Debug)]
pub struct KeptCopy {
    /// The waves, without the objects that are withheld.
    pub waves: Vec<Wave>,
    /// The fields that the bundle leaves to others.
    pub ignore: Vec<IgnoreRule>,
    /// When its objects are ready.
    pub ready: Vec<ReadyRule>,
}

#[derive(Serialize, Deserialize)]
struct StoredCopy {
    waves: Vec<StoredWave>,
    #[serde(default)]
    ignore: Vec<StoredIgnore>,
    #[serde(default)]
    ready: Vec<StoredReady>,
}

#[derive(Serialize, Deserialize)]
struct StoredWave {
    /// Whether everything has to be ready before the next wave.
    all: bool,
    items: Vec<StoredItem>,
    #[serde(default)]
    hooks: Vec<StoredItem>,
    #[serde(default)]
    awaited: Vec<ObjectId>,
}

#[derive(Serialize, Deserialize)]
struct StoredItem {
    object: ObjectId,
    /// The resource as it was sent: hooks are compared by their bytes.
    body: String,
}

#[derive(Serialize, Deserialize)]
struct StoredPattern {
    group: Option<String>,
    kind: String,
    namespace: String,
    name: String,
}

#[derive(Serialize, Deserialize)]
struct StoredIgnore {
    objects: StoredPattern,
    fields: Vec<String>,
    managers: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct StoredReady {
    objects: StoredPattern,
    when: StoredExpression,
    failed: Option<StoredExpression>,
    message: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct StoredExpression {
    text: String,
    place: String,
}

impl KeptCopy {
    /// What is kept of a bundle without the objects that are withheld.
    pub(super) fn of(bundle: &RecordedBundle<'_>, withheld: &[ObjectId]) -> Self {
        let withheld: HashSet<&ObjectId> = withheld.iter().collect();
        let is_kept = |item: &Item| !withheld.contains(&item.object);
        let mut waves = bundle.waves.to_vec();
        for wave in &mut waves {
            wave.items.retain(is_kept);
            wave.hooks.retain(|hook| is_kept(&hook.item));
        }
        Self { waves, ignore: bundle.ignore.to_vec(), ready: bundle.ready.to_vec() }
    }

    /// Its compressed bytes: the same for the same copy.
    pub(super) fn packed(&self) -> Option<Vec<u8>> {
        let stored = StoredCopy {
            waves: self.waves.iter().map(StoredWave::of).collect(),
            ignore: self.ignore.iter().map(StoredIgnore::of).collect(),
            ready: self.ready.iter().map(StoredReady::of).collect(),
        };
        let mut packer = GzEncoder::new(Vec::new(), Compression::best());
        packer.write_all(&serde_json::to_vec(&stored).ok()?).ok()?;
        packer.finish().ok()
    }

    /// Reads compressed bytes.
    pub(super) fn unpacked(bytes: &[u8]) -> Option<Self> {
        let mut text = String::new();
        GzDecoder::new(bytes).take(MOST_BYTES).read_to_string(&mut text).ok()?;
        let stored: StoredCopy = serde_json::from_str(&text).ok()?;
        Some(Self {
            waves: stored.waves.into_iter().map(StoredWave::read).collect::<Option<_>>()?,
            ignore: stored.ignore.into_iter().map(StoredIgnore::read).collect::<Option<_>>()?,
            ready: stored.ready.into_iter().map(StoredReady::read).collect(),
        })
    }
}

/// The parts of a copy, one for each config map; `None` when there would be too many.
pub(super) fn parts(packed: &[u8]) -> Option<Vec<&[u8]>> {
    let parts: Vec<&[u8]> = packed.chunks(CONFIG_MAP_BYTES).collect();
    (parts.len() <= MOST_PARTS).then_some(parts)
}

impl StoredWave {
    fn of(wave: &Wave) -> Self {
        Self {
            all: wave.gate == Gate::All,
            items: wave.items.iter().map(StoredItem::of).collect(),
            hooks: wave.hooks.iter().map(|hook| StoredItem::of(&hook.item)).collect(),
            awaited: wave.awaited.clone(),
        }
    }

    fn read(self) -> Option<Wave> {
        let hook = |stored: StoredItem| {
            let hook = Hook::of_json(&serde_json::from_str(&stored.body).ok()?)?;
            Some(HookItem { item: stored.read(), hook })
        };
        Some(Wave {
            items: self.items.into_iter().map(StoredItem::read).collect(),
            hooks: self.hooks.into_iter().map(hook).collect::<Option<_>>()?,
            gate: if self.all { Gate::All } else { Gate::Definitions },
            awaited: self.awaited,
        })
    }
}

impl StoredItem {
    fn of(item: &Item) -> Self {
        Self { object: item.object.clone(), body: item.body.clone() }
    }

    fn read(self) -> Item {
        let phase = phase(&self.object.kind, &self.object.group);
        Item { object: self.object, body: self.body, mark: None, phase }
    }
}

impl StoredPattern {
    fn of(objects: &ObjectPattern) -> Self {
        let ObjectPattern { group, kind, namespace, name } = objects.clone();
        Self { group, kind, namespace, name }
    }

    fn read(self) -> ObjectPattern {
        let Self { group, kind, namespace, name } = self;
        ObjectPattern { group, kind, namespace, name }
    }
}

impl StoredIgnore {
    fn of(rule: &IgnoreRule) -> Self {
        Self {
            objects: StoredPattern::of(&rule.objects),
            fields: rule.fields.iter().map(ToString::to_string).collect(),
            managers: rule.managers.clone(),
        }
    }

    fn read(self) -> Option<IgnoreRule> {
        let fields = self.fields.iter().map(|field| FieldPattern::read(field).ok());
        Some(IgnoreRule {
            objects: self.objects.read(),
            fields: fields.collect::<Option<_>>()?,
            managers: self.managers,
        })
    }
}

impl StoredReady {
    fn of(rule: &ReadyRule) -> Self {
        let stored = |expression: &Expression| StoredExpression {
            text: expression.text.clone(),
            place: expression.place.clone(),
        };
        Self {
            objects: StoredPattern::of(&rule.objects),
            when: stored(&rule.when),
            failed: rule.failed.as_ref().map(stored),
            message: rule.message.clone(),
        }
    }

    fn read(self) -> ReadyRule {
        let read = |StoredExpression { text, place }| Expression { text, mark: None, place };
        ReadyRule {
            objects: self.objects.read(),
            when: read(self.when),
            failed: self.failed.map(read),
            message: self.message,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::bundle::tests::{bundle, waves};
    use super::{CONFIG_MAP_BYTES, KeptCopy, MOST_PARTS, parts};
    use crate::apply::RecordedBundle;
    use kfc_kube::ObjectPattern;
    use kfc_kube::ignore::{FieldPattern, IgnoreRule};
    use kfc_kube::readiness::{Expression, ReadyRule};
    use std::collections::HashSet;

    const TEXT: &str = "\
{apiVersion: v1, kind: Namespace, metadata: {name: shop}}
---
{apiVersion: v1, kind: Secret, metadata: {name: s}, data: {a: cGxhbnRlZA==}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: url}, data: {a: 'https://me:planted@example.org'}}
---
{apiVersion: batch/v1, kind: Job, metadata: {name: h, annotations: {kfc.dev/hook: pre-apply, kfc.dev/hook-weight: '3'}}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}}
";

    #[test]
    fn a_copy_is_read_as_it_is_written_without_what_is_withheld() {
        let pattern = |kind: &str| ObjectPattern { kind: kind.to_owned(), ..ObjectPattern::default() };
        let expression =
            |text: &str| Expression { text: text.to_owned(), mark: None, place: "`when`".to_owned() };
        let ignore = [IgnoreRule {
            objects: pattern("Deployment"),
            fields: vec![FieldPattern::read("spec.template.spec.containers[*].resources").unwrap()],
            managers: vec!["vpa-*".to_owned()],
        }];
        let ready = [ReadyRule {
            objects: pattern("Deployment"),
            when: expression("object.a"),
            failed: Some(expression("object.b")),
            message: None,
        }];
        let (waves, none) = (waves(TEXT), HashSet::new());
        let bundle = RecordedBundle { ignore: &ignore, ready: &ready, ..bundle(&waves, &none) };
        let withheld = bundle.examined().withheld;
        assert_eq!(withheld.len(), 2);
        let packed = KeptCopy::of(&bundle, &withheld).packed().unwrap();
        let copy = KeptCopy::unpacked(&packed).unwrap();
        assert_eq!((&copy.ignore[..], &copy.ready[..]), (&ignore[..], &ready[..]));
        let names =
            |at: usize| -> Vec<String> { copy.waves[at].objects().map(ToString::to_string).collect() };
        assert_eq!(
            (names(0), names(1)),
            (
                vec!["Namespace shop".to_owned()],
                vec!["Deployment shop/web".to_owned(), "Job shop/h".to_owned()]
            )
        );
        assert_eq!(copy.waves[1].items[0].body, waves[1].items.last().unwrap().body);
        assert_eq!(copy.waves[1].hooks[0].hook, waves[1].hooks[0].hook);
        assert_eq!((copy.waves[0].gate, copy.waves[1].gate), (waves[0].gate, waves[1].gate));
        assert_eq!(
            KeptCopy::of(&bundle, &withheld).packed().unwrap(),
            packed,
            "the same copy has the same bytes"
        );
    }

    #[test]
    fn what_is_not_a_copy_is_refused() {
        assert!(KeptCopy::unpacked(b"planted").is_none());
        let packed = KeptCopy::of(&bundle(&waves(TEXT), &HashSet::new()), &[]).packed().unwrap();
        assert!(KeptCopy::unpacked(&packed[..packed.len() / 2]).is_none());
    }

    #[test]
    fn a_large_copy_is_cut_and_a_huge_one_not_kept() {
        let bytes = vec![1; CONFIG_MAP_BYTES * 2 + 1];
        let cut = parts(&bytes).unwrap();
        assert_eq!(
            cut.iter().map(|part| part.len()).collect::<Vec<_>>(),
            [CONFIG_MAP_BYTES, CONFIG_MAP_BYTES, 1]
        );
        assert_eq!(cut.concat(), bytes);
        assert!(parts(&vec![1; CONFIG_MAP_BYTES * MOST_PARTS + 1]).is_none());
    }
}
