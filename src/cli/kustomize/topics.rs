//! The topics that kustomize explains with `kustomize docs-…` and `kustomize tutorials-…`, in our words.

use crate::cli::output;
use clap::Subcommand;

/// A topic is a command, as in kustomize.
#[derive(Clone, Copy, Debug, Subcommand)]
pub(in crate::cli) enum Topic {
    /// Explain functions: how they are declared and called.
    DocsFn,
    /// Explain what a function reads and writes.
    DocsFnSpec,
    /// Explain the annotations that `cfg` and `fn` add to resources.
    DocsIoAnnotations,
    /// Explain how two versions of a resource are merged.
    DocsMerge,
    /// Explain how three versions of a resource are merged.
    DocsMerge3,
    /// Show how `cfg` is used.
    TutorialsCommandBasics,
    /// Show how functions are used.
    TutorialsFunctionBasics,
}

const FUNCTIONS: &str = "\
A function is a program that gets resources on standard input and returns changed ones on standard output. A resource
declares one with the annotation `config.kubernetes.io/function`, whose value is YAML: `container: {image: IMAGE}`, or
`exec: {path: PROGRAM}`. The resource itself is the configuration of the function. A kustomization names such files in
`generators`, `transformers` and `validators`.

`kfc kustomize docs-fn-spec` describes what a function reads and writes.
";

const PROTOCOL: &str = "\
A function reads one document, of kind `ResourceList` and apiVersion `config.kubernetes.io/v1`:

  items            the resources
  functionConfig   the resource that declares the function
  results          what the function reports: a list of `message`, `severity` (error, warning, info), `resourceRef`, `field`, `file`

It writes such a document with the resources that are to exist afterwards, and ends with exit status 0, or with another one
if it failed. Resources that are missing from `items` are removed; those without annotations for a file are new. The
specification: https://kpt.dev/reference/functions-spec/
";

const ANNOTATIONS: &str = "\
Commands that read resources from files note in annotations where each is from, so that another command can write it back:

  internal.config.kubernetes.io/path    the file, relative to the directory that was read
  internal.config.kubernetes.io/index   which document of the file, from 0

`config.kubernetes.io/path` and `config.kubernetes.io/index` are the older names, and are set too. Commands that write files
remove all four. `config.kubernetes.io/local-config` marks resources that are not for a cluster: `cfg cat` and `cfg tree`
leave them out, without `--include-local`.
";

const MERGE: &str = "\
A strategic merge patch is merged into a resource field by field:

  scalars    of the patch replace those of the resource; null removes the field
  mappings   are merged entry by entry; null removes the mapping
  lists      whose items have a merge key in the schema of the kind (such as `name` of containers) are merged item by item;
             others are replaced
  directives `$patch: delete`, `$patch: replace` and `$setElementOrder/FIELD`, as in kubectl

The schemas are those of Kubernetes, and of `openapi` in the kustomization.
";

const MERGE_OF_THREE: &str = "\
With the original, an update of it and a destination that was changed otherwise, a merge brings the changes between the first
two into the third: what the update added or changed is set, what it removed is removed, and everything else stays as the
destination has it. Lists with a merge key are merged item by item, others are taken from the update if it changed them.
kustomize has no command that does this.
";

const COMMANDS: &str = "\
  kfc kustomize cfg tree deploy --image --replicas            the resources of a directory, with these fields
  kfc kustomize cfg count deploy                              how many there are of each kind
  kfc kustomize cfg grep kind=Deployment deploy               those that have this value
  kfc kustomize cfg grep 'spec.replicas>2' deploy             or more than this
  kfc kustomize cfg grep 'spec.template.spec.containers[name=web].image=web:v1' deploy | kfc kustomize cfg tree -
  kfc kustomize cfg cat deploy                                all of them, formatted
";

const USE_OF_FUNCTIONS: &str = "\
Declare the function in a file with the annotation `config.kubernetes.io/function`, and name that file in `transformers` or
`generators` of a kustomization. docs/kustomize.md says which functions kfc runs, and `kfc kustomize docs-fn` describes the
declaration.
";

/// Prints a topic.
pub(in crate::cli) fn run(topic: Topic) -> u8 {
    output::print(match topic {
        Topic::DocsFn => FUNCTIONS,
        Topic::DocsFnSpec => PROTOCOL,
        Topic::DocsIoAnnotations => ANNOTATIONS,
        Topic::DocsMerge => MERGE,
        Topic::DocsMerge3 => MERGE_OF_THREE,
        Topic::TutorialsCommandBasics => COMMANDS,
        Topic::TutorialsFunctionBasics => USE_OF_FUNCTIONS,
    })
}
