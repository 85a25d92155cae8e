//! The two programs that are compared: kfc, and kustomize in a process that answers one build after another.

use crate::program::{Failure, failed, has_program, line, succeed, top};
use crate::records;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// What a program gives for a root.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Answer {
    Built(Vec<u8>),
    Refused(String),
    /// It ended as no program should: with a signal, or with another exit status.
    Broken(String),
}

impl Answer {
    /// The file that shows it, and its content.
    pub(crate) fn shown(&self) -> (&'static str, &[u8]) {
        match self {
            Self::Built(output) => ("yaml", output),
            Self::Refused(error) => ("refused", error.as_bytes()),
            Self::Broken(error) => ("broken", error.as_bytes()),
        }
    }
}

/// How the answers of both programs to one tree compare.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Verdict {
    Same,
    BothRefuse,
    OutputDiffers,
    OnlyKfcBuilds,
    OnlyKustomizeBuilds,
    KfcBreaks,
}

impl Verdict {
    pub(crate) fn of(kustomize: &Answer, kfc: &Answer) -> Self {
        match (kustomize, kfc) {
            (_, Answer::Broken(_)) => Self::KfcBreaks,
            (Answer::Built(one), Answer::Built(other)) if one == other => Self::Same,
            (Answer::Built(_), Answer::Built(_)) => Self::OutputDiffers,
            (Answer::Built(_), Answer::Refused(_)) => Self::OnlyKustomizeBuilds,
            (_, Answer::Built(_)) => Self::OnlyKfcBuilds,
            (_, Answer::Refused(_)) => Self::BothRefuse,
        }
    }

    pub(crate) fn is_difference(self) -> bool {
        !matches!(self, Self::Same | Self::BothRefuse)
    }
}

/// The reason of a difference that docs/kustomize.md lists: what kustomize fails with where kfc builds.
pub(crate) fn explained(kustomize: &Answer, kfc: &Answer) -> Option<&'static str> {
    let (Answer::Refused(error), Answer::Built(_)) = (kustomize, kfc) else { return None };
    let is_of_input = error.contains("MalformedYAMLError");
    if error.contains("unsupported type: map[interface {}]interface {}") {
        Some("kustomize forgets the quotes of a key")
    } else if error.contains("found a tab character") && !is_of_input {
        Some("kustomize cannot read back a text that begins with a tab")
    } else if error.contains("wrong node kind: expected ScalarNode but got MappingNode") {
        Some("kustomize takes an empty key for the mapping around it")
    } else if error.contains("json: unsupported value: ") {
        Some("kustomize cannot patch a resource with an infinity")
    } else if error.starts_with("panic: ") || error.starts_with("kustomize ended") {
        Some("kustomize panics")
    } else {
        None
    }
}

/// Runs a program that prints what it builds, as a process of its own.
pub(crate) fn run(command: &mut Command) -> Result<Answer, Failure> {
    let output = command.stdin(Stdio::null()).output()?;
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    Ok(match output.status.code() {
        Some(0) => Answer::Built(output.stdout),
        Some(1) => Answer::Refused(error),
        _ => Answer::Broken(format!("{}\n{error}", output.status)),
    })
}

/// What kfc gives for a root.
pub(crate) fn kfc(program: &Path, root: &Path, arguments: &[String]) -> Result<Answer, Failure> {
    run(Command::new(program).args(["kustomize", "build"]).arg(root).args(arguments))
}

/// The kustomize that is compiled into a process which does not end after a build; nothing when there is no go.
pub(crate) fn compiled() -> Result<Option<PathBuf>, Failure> {
    let program = top().join("target/kustomize").join(records::VERSION).join("repeat");
    if !has_program("go") {
        return Ok(Some(program).filter(|program| program.exists()));
    }
    // Go builds it again only where a source differs.
    let mut build = line("go build -mod=readonly -buildvcs=false -o");
    succeed(build.arg(&program).arg(".").current_dir(top().join("xtask/kustomize")))?;
    Ok(Some(program))
}

/// A running kustomize.
pub(crate) struct Kustomize {
    program: PathBuf,
    child: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Kustomize {
    pub(crate) fn start(program: &Path) -> Result<Self, Failure> {
        let mut command = Command::new(program);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn()?;
        let (Some(requests), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            return failed("kustomize has no pipes");
        };
        Ok(Self { program: program.to_owned(), child, requests, answers: BufReader::new(answers) })
    }

    /// What it gives for a root. Where it ends the whole process, it refuses the root, and the next one gets another process.
    pub(crate) fn build(&mut self, root: &Path, arguments: &[String]) -> Result<Answer, Failure> {
        let mut words = vec![root.display().to_string()];
        words.extend_from_slice(arguments);
        writeln!(self.requests, "{}", words.join("\t"))?;
        let mut head = String::new();
        if self.answers.read_line(&mut head)? == 0 {
            let status = self.child.wait()?;
            *self = Self::start(&self.program.clone())?;
            return Ok(Answer::Refused(format!("kustomize ended with {status}")));
        }
        let (word, length) = head.trim_end().split_once(' ').unwrap_or_default();
        let length =
            length.parse().map_err(|_| Failure(format!("kustomize answered `{}`", head.trim_end())))?;
        let mut content = vec![0; length];
        self.answers.read_exact(&mut content)?;
        Ok(match word {
            "built" => Answer::Built(content),
            _ => Answer::Refused(String::from_utf8_lossy(&content).into_owned()),
        })
    }
}

impl Drop for Kustomize {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
