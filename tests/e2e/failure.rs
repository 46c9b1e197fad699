//! What users read when builds fail, collected into one readable text.

use condafront_testkit::engine::{Output, registry};

use crate::project::{LOCK, Project, frontend, shared_channel};

/// What must never appear in anything that a user reads.
const NOISE: &[&str] = &[
    "panicked",
    "goroutine ",
    "stack backtrace",
    "has a bug",
    "rpc error",
    // A step's arguments in BuildKit's line about it.
    "{\\\"",
];

/// What must not appear in the error itself: BuildKit's wording, which does not help the user.
const NOISE_IN_ERRORS: &[&str] = &[
    "digest mismatch",
    "did not complete successfully",
    "exit code:",
];

/// Failed builds of one project.
pub(crate) struct Failures<'a> {
    project: &'a Project,
    text: String,
}

impl<'a> Failures<'a> {
    pub(crate) fn new(project: &'a Project) -> Self {
        Self {
            project,
            text: String::new(),
        }
    }

    /// Adds the error of building `lock`, below a syntax line. The build must fail.
    pub(crate) fn add(&mut self, title: &str, lock: impl AsRef<[u8]>, args: &[&str]) -> &mut Self {
        let mut text = format!("# syntax={}\n", frontend()).into_bytes();
        text.extend_from_slice(lock.as_ref());
        self.project.write(LOCK, text);
        let output = self.project.build(args);
        self.add_output(title, output)
    }

    /// Adds the error of a failed build.
    pub(crate) fn add_output(&mut self, title: &str, output: Output) -> &mut Self {
        let output = output.expect_failure();
        let error = masked(self.project, &error_of(&output));
        let line = "=".repeat(title.len());
        self.text.push_str(&format!("{title}\n{line}\n{error}\n\n"));
        self
    }

    /// All errors so far.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}

/// The error at the end of the output of `docker build`: excerpts and message, without progress and logs of steps.
pub(crate) fn error_of(output: &Output) -> String {
    let all = format!("{}\n{}", output.stdout, output.stderr);
    for noise in NOISE {
        assert!(!all.contains(noise), "{noise} in:\n{all}");
    }
    let is_progress = |line: &str| {
        let rest = line.strip_prefix('#').unwrap_or_default();
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(0);
        digits > 0 && rest[digits..].starts_with(' ')
    };
    // Some versions of the client use colours even without a terminal.
    let text = ["\u{1b}[33m", "\u{1b}[0m"]
        .iter()
        .fold(output.stderr.clone(), |text, code| text.replace(code, ""));
    let lines: Vec<&str> = text.lines().collect();
    let start = lines
        .iter()
        .rposition(|line| is_progress(line))
        .map_or(0, |last| last + 1);
    let mut error = Vec::new();
    let mut in_log = false;
    for line in &lines[start..] {
        if *line == "------" {
            in_log = !in_log;
        } else if !in_log {
            error.push(line.trim_end());
        }
    }
    let error = error
        .join("\n")
        // The client's prefixes for errors, which depend on its version and on which message reaches it first.
        .replace("ERROR: failed to build: failed to solve: ", "ERROR: ")
        .replace(
            "ERROR: failed to build: failed to run Build function: ",
            "ERROR: ",
        )
        .replace("ERROR: failed to solve: ", "ERROR: ");
    for noise in NOISE_IN_ERRORS {
        assert!(!error.contains(noise), "{noise} in:\n{error}\n\n{all}");
    }
    error.trim().to_owned()
}

/// The text without the parts that differ between runs: addresses and hashes.
pub(crate) fn masked(project: &Project, text: &str) -> String {
    let text = text
        .replace(&project.server.address().to_string(), "channel.test")
        .replace(&shared_channel(), "http://channel.test/conda-forge")
        .replace(&registry(), "registry.test");
    let mut masked = String::new();
    let mut word = String::new();
    for c in text.chars().chain(['\n']) {
        if c.is_ascii_hexdigit() {
            word.push(c);
            continue;
        }
        match word.len() {
            64 => masked.push_str("<sha256>"),
            32 => masked.push_str("<md5>"),
            _ => masked.push_str(&word),
        }
        word.clear();
        // Snapshots must be text.
        masked.push(if c.is_control() && c != '\n' { '·' } else { c });
    }
    masked.trim_end().to_owned()
}
