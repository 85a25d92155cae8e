//! The codes of diagnostics. Ranges: 00xx sources and files, 01xx YAML, 02xx kustomization fields, 03xx accumulation
//! and identity, 04xx patches and merging, 05xx references, variables and replacements, 06xx generators, 07xx plug-ins,
//! 08xx output, 09xx command line, 10xx catalogue, platforms and plans,
//! 11xx checks of a bundle, 12xx reports of differences, 13xx explanations, 14xx vendoring and the lock, 15xx validation
//! of resources, 16xx applying to a cluster, 17xx detecting a cluster, 18xx changes of kustomization files,
//! 19xx Argo CD, 20xx copies of a kustomization with everything that it names.

macro_rules! codes {
    ($(#[doc = $title:literal] $name:ident = $text:literal,)*) => {
        /// A stable identifier of an error or warning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Code { $(#[doc = $title] $name,)* }

        impl Code {
            /// The code as printed, `KFC0101`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// What has the code, in a few words: `A patch whose target does not exist`.
            #[must_use]
            pub fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }.trim().trim_end_matches('.')
            }

            /// Every code, in the order of their numbers.
            pub const ALL: &'static [Code] = &[$(Self::$name,)*];

            /// The code of this text, in any case: `KFC0101`, `kfc0101`.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|code| code.as_str().eq_ignore_ascii_case(text))
            }
        }
    };
}

codes! {
    /// A file or directory that does not exist.
    NotFound = "KFC0001",
    /// A file or directory that cannot be read.
    Unreadable = "KFC0002",
    /// Bytes that are not UTF-8 text.
    NotText = "KFC0003",
    /// A file over the size limit.
    TooLarge = "KFC0004",
    /// A path outside the root, refused by the load restrictor.
    OutsideRoot = "KFC0005",
    /// A directory without a kustomization file, or with several.
    NoKustomization = "KFC0006",
    /// Roots that include each other in a circle.
    Cycle = "KFC0007",
    /// A remote source that is written wrongly or cannot be fetched.
    Remote = "KFC0008",
    /// A file where a directory was expected, or the other way round.
    WrongFileType = "KFC0009",

    /// Text that is not YAML.
    Syntax = "KFC0101",
    /// A key that is defined more than once in one mapping.
    DuplicateKey = "KFC0102",
    /// Nesting deeper than the limit.
    TooDeep = "KFC0103",
    /// Aliases that expand beyond the limit.
    AliasBomb = "KFC0104",
    /// An alias without an anchor, or one that contains itself.
    BadAlias = "KFC0105",
    /// A value that cannot be written as kustomize writes it.
    Unwritable = "KFC0106",

    /// A field that does not exist.
    UnknownField = "KFC0201",
    /// A value of the wrong type.
    WrongType = "KFC0202",
    /// A value that is not allowed.
    BadValue = "KFC0203",
    /// A required field that is missing.
    MissingField = "KFC0204",
    /// A field that is deprecated.
    Deprecated = "KFC0205",
    /// Fields that exclude each other.
    FieldConflict = "KFC0206",

    /// A document that is not a Kubernetes resource.
    NotAResource = "KFC0301",
    /// Two resources with one identity.
    DuplicateId = "KFC0302",
    /// A reference to a resource that matches several.
    Ambiguous = "KFC0303",

    /// A patch that cannot be read.
    BadPatch = "KFC0401",
    /// A patch whose target does not exist.
    NoTarget = "KFC0402",
    /// A JSON patch operation that fails.
    JsonPatch = "KFC0403",
    /// A merge that fails.
    Merge = "KFC0404",
    /// A field that two patches of one list set to different values.
    OverwrittenPatch = "KFC0405",

    /// A name reference that cannot be resolved.
    NameReference = "KFC0501",
    /// A variable that is wrong, defined more than once or not found.
    Variable = "KFC0502",
    /// A replacement that is wrong or finds no source or target.
    Replacement = "KFC0503",
    /// A field path that cannot be followed.
    FieldPath = "KFC0504",

    /// A generator with wrong arguments.
    Generator = "KFC0601",
    /// The helm program failed or is not enabled.
    Helm = "KFC0602",
    /// A file that cannot be decrypted.
    Encrypted = "KFC0603",

    /// A plug-in that does not exist or may not run.
    Plugin = "KFC0701",
    /// A validator that changes the resources.
    Validation = "KFC0702",

    /// Output that cannot be written.
    Output = "KFC0801",

    /// A command line that is wrong.
    Usage = "KFC0901",

    /// A component that does not exist.
    UnknownComponent = "KFC1001",
    /// A profile or layer that does not exist, or layers that do not go together.
    Profile = "KFC1002",
    /// A fact that does not exist or has a wrong value.
    Fact = "KFC1003",
    /// Layers that contradict each other.
    Contradiction = "KFC1004",
    /// A component or layer that the facts rule out.
    Unsupported = "KFC1005",
    /// A capability that nothing provides, or several do.
    Capability = "KFC1006",
    /// Components or overlays that wait for each other.
    RequirementCycle = "KFC1007",
    /// Components that cannot be together.
    ComponentConflict = "KFC1008",
    /// A parameter that does not exist or has a wrong value.
    Parameter = "KFC1009",
    /// An expression that cannot be read or computed.
    Expression = "KFC1010",
    /// A setter that finds nothing, or no such field.
    Setter = "KFC1011",
    /// An overlay that names what does not exist.
    UnknownOverlay = "KFC1012",
    /// A golden that differs from what is built.
    Golden = "KFC1013",
    /// A credential whose value is published.
    KnownCredential = "KFC1014",
    /// A component that is left out although a selected component requires it.
    LeftOut = "KFC1015",
    /// A release of upstream's manifests that does not exist.
    UnknownRelease = "KFC1016",
    /// A tree that is not the one of a release of upstream's manifests.
    OtherRelease = "KFC1017",
    /// A Secret of a stack that does not exist, or whose values cannot come from where the stack says.
    Secret = "KFC1018",
    /// An environment or cluster of a stack that does not exist, is defined more than once, or has to be named.
    Environment = "KFC1019",
    /// Stacks that extend each other in a circle, or a stack that extends what is not one.
    Extends = "KFC1020",

    /// A reference to a resource that is not in the bundle, but may be in the cluster.
    Outside = "KFC1101",
    /// A resource that comes before what it needs.
    Order = "KFC1102",
    /// A custom resource definition that an API server refuses.
    NotStructural = "KFC1103",
    /// A pod that the pod security standard of its namespace refuses.
    PodSecurity = "KFC1104",
    /// A reference whose name is most likely misspelt.
    Misspelt = "KFC1105",
    /// A reference to a key or port that a resource of the bundle does not have.
    MissingPart = "KFC1106",

    /// A report that cannot be written.
    Report = "KFC1250",

    /// A resource to explain that is not in the bundle, or several of that name.
    ExplainedResource = "KFC1301",
    /// A field to explain that does not exist, or a path that cannot be read.
    ExplainedField = "KFC1302",

    /// A remote source that no lock pins.
    Unpinned = "KFC1401",
    /// A remote source that the lock does not have.
    NotLocked = "KFC1402",
    /// A lock that cannot be read, or was changed by other than `kfc vendor`.
    BadLock = "KFC1403",
    /// A vendored tree that is not what the lock pins.
    Tampered = "KFC1404",
    /// An archive or tree that is refused.
    RefusedContent = "KFC1405",
    /// A tag or version whose content has changed.
    Moved = "KFC1406",
    /// A remote source that is needed offline.
    Offline = "KFC1407",
    /// A lock or vendor directory that is out of date.
    Drift = "KFC1408",

    /// An API version or kind that the Kubernetes version does not have.
    UnknownApi = "KFC1501",
    /// An API version that was removed.
    RemovedApi = "KFC1502",
    /// An API version that is deprecated.
    DeprecatedApi = "KFC1503",
    /// A resource that could not be checked, because nothing defines its kind.
    NotChecked = "KFC1504",
    /// A field that the type does not have.
    ValueUnknown = "KFC1505",
    /// A value of the wrong type.
    ValueType = "KFC1506",
    /// A required field that is missing.
    ValueMissing = "KFC1507",
    /// A value that is not one of those allowed.
    ValueNotAllowed = "KFC1508",
    /// A value that is not written as it must be.
    ValueFormat = "KFC1509",
    /// A value beyond a limit of its schema.
    ValueLimit = "KFC1510",
    /// Items, names or keys that are defined more than once.
    ValueTwice = "KFC1511",
    /// A rule of a CRD that a resource breaks.
    RuleBroken = "KFC1512",
    /// A rule of a CRD that cannot be evaluated.
    RuleNotRun = "KFC1513",
    /// A name, label or key with the wrong characters.
    BadName = "KFC1514",
    /// A resource that the bundle defines more than once.
    ResourceTwice = "KFC1515",
    /// A selector that selects nothing.
    Selector = "KFC1516",
    /// Fields of a pod that contradict each other.
    PodSpec = "KFC1517",
    /// Fields of a service that contradict each other.
    ServiceSpec = "KFC1518",
    /// Data or annotations that are too big.
    TooBig = "KFC1519",
    /// A field that the cluster sets.
    ServerOwned = "KFC1520",
    /// A namespace on a cluster-scoped resource.
    WrongScope = "KFC1521",
    /// A field that differs from the older bundle's and cannot be changed.
    Immutable = "KFC1522",
    /// A check without input.
    NothingChecked = "KFC1524",
    /// A value that the API server's own rules for its field refuse.
    ServerRule = "KFC1525",
    /// A resource that a policy refuses.
    Policy = "KFC1526",

    /// A cluster that cannot be found or does not answer.
    Unreachable = "KFC1601",
    /// A resource that the API server refuses.
    Refused = "KFC1602",
    /// Fields that another field manager owns.
    OwnedByOthers = "KFC1603",
    /// Something that did not become ready in time.
    NotReady = "KFC1604",
    /// Something that failed in the cluster and will not become ready by waiting.
    FailedInCluster = "KFC1605",
    /// An inventory that cannot be read or written.
    Inventory = "KFC1606",
    /// Something that cannot be deleted.
    NotDeleted = "KFC1607",
    /// A run that was interrupted.
    Interrupted = "KFC1608",
    /// Another run works on the same inventory.
    Locked = "KFC1609",
    /// A prune would delete most of an inventory.
    MostPruned = "KFC1610",
    /// A saved plan that no longer is what an apply would do.
    Outdated = "KFC1611",
    /// A condition of readiness that is not an expression in CEL, or cannot be run.
    ReadyCondition = "KFC1612",
    /// A hook whose annotations are wrong, or whose object belongs to somebody else.
    Hook = "KFC1613",
    /// A revision of an inventory that does not exist or was not kept, or a history that cannot be read or written.
    History = "KFC1614",
    /// An object that a revision names without its values, and that a rollback therefore cannot restore.
    Withheld = "KFC1615",
    /// A bundle that is not the one of a revision.
    OtherBundle = "KFC1616",

    /// A saved answer of a cluster that cannot be read.
    SavedAnswer = "KFC1701",
    /// A cluster whose provider cannot be detected.
    UnknownProvider = "KFC1702",

    /// An entry to add that already exists.
    EditExists = "KFC1801",
    /// An entry to change or remove that does not exist.
    EditMissing = "KFC1802",
    /// A change of a file that cannot be made.
    Edit = "KFC1803",

    /// A parameter of an Argo CD application that does not exist or has the wrong form.
    PluginParameter = "KFC1901",
    /// A variable of Argo CD's environment that does not exist or cannot be read.
    PluginEnvironment = "KFC1902",
    /// A stack that is meant for another version of Kubernetes than the cluster has.
    ClusterVersion = "KFC1903",

    /// Something outside of what may be copied.
    LocalizeScope = "KFC2001",
    /// A destination of a copy that already exists, or that is in the copied directory.
    LocalizeDestination = "KFC2002",
    /// A copy that cannot be the same as what it is made of.
    Localize = "KFC2003",
}

#[cfg(test)]
mod tests {
    use super::Code;

    #[test]
    fn codes_are_in_order_and_have_titles() {
        let texts: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert!(texts.is_sorted(), "{texts:?}");
        assert_eq!(Code::NoTarget.title(), "A patch whose target does not exist");
        assert_eq!(Code::parse("kfc0402"), Some(Code::NoTarget));
    }
}
