//! Finds a commit by the beginning of its name, which neither git servers nor BuildKit can do.

use std::fs;
use std::io::Write;
use std::path::Path;

use super::git::{ALL, Git};
use crate::install::{Mounts, write_json};
use condafront_model::redact::quoted;
use condafront_step_spec::args::StepSpec as _;
use condafront_step_spec::failure_report::{Culprit, FailureReport};
use condafront_step_spec::history::{CommitSpec, FoundCommit, GIT_COMMIT_FILE};

/// Runs the subcommand `git-commit` with `args`: loads the names of all commits, in a folder below `work`, and writes the whole
/// name of the one that is asked for. `home` is as for [`Git::find`].
///
/// # Errors
/// A repository that cannot be loaded, or a name that is not the beginning of one commit's.
pub(crate) fn find(
    args: &[String],
    mounts: &Mounts,
    home: &Path,
    work: &Path,
    log: &mut dyn Write,
) -> Result<(), FailureReport> {
    let (spec, _) = CommitSpec::from_args(args)?;
    let CommitSpec {
        label,
        url,
        reference,
        ..
    } = &spec;
    let report = |message: String, help: &str| {
        let mut report = FailureReport::new(message);
        report.culprits = vec![Culprit::Package(0)];
        report.help = Some(help.to_owned());
        report
    };
    let failed = |reason: &str, help: &str| {
        report(
            format!("cannot look up the commit `{reference}` of {label}: {reason}"),
            help,
        )
    };
    let answer_path = mounts.facts.join(GIT_COMMIT_FILE);
    let Some(git) = Git::find(Path::new(&spec.prefix), home, url)? else {
        return Ok(write_json(&answer_path, &FoundCommit::NoGit)?);
    };
    let folder = work.join("commits.git");
    fs::create_dir_all(&folder)?;
    let answer = |words: &[&str]| git.command(&folder).args(words).output();
    answer(&["init", "--quiet", "--bare"])?;
    answer(&["remote", "add", "origin", url])?;
    let mut command = git.command(&folder);
    command
        // Nothing but commits, if the server can do that.
        .args(["fetch", "--progress", "--filter=tree:0", ALL, "origin"])
        .args(["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"]);
    git.load(command, log)?
        .map_err(|error| failed(&error.reason, error.help))?;
    let is_name = |kind: &str| {
        let name = format!("refs/{kind}/{reference}");
        answer(&["show-ref", "--verify", "--quiet", &name]).map(|it| it.status.success())
    };
    let found = if is_name("heads")? || is_name("tags")? {
        FoundCommit::BranchOrTag
    } else {
        let commit = format!("{reference}^{{commit}}");
        let found = answer(&["rev-parse", "--verify", &commit])?;
        let of = quoted(url);
        if String::from_utf8_lossy(&found.stderr).contains("is ambiguous") {
            return Err(report(
                format!("several commits of {of} start with `{reference}`"),
                "Write more characters of the commit.",
            ));
        }
        let name = String::from_utf8_lossy(&found.stdout).trim().to_owned();
        if !found.status.success() || name.len() < 40 {
            return Err(report(
                format!(
                    "`{reference}` is not the beginning of a commit on a branch or tag of {of}"
                ),
                "Check the commit. One that no branch or tag has needs all 40 characters.",
            ));
        }
        FoundCommit::Whole(name)
    };
    Ok(write_json(&answer_path, &found)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::process::{Command, Stdio};

    /// Looks for `reference` in the repository at `folder`.
    fn found(folder: &Path, reference: &str) -> Result<FoundCommit, FailureReport> {
        let dir = tempfile::tempdir().unwrap();
        let spec = CommitSpec {
            prefix: "/nowhere".to_owned(),
            label: "demo".to_owned(),
            url: format!("file://{}", folder.display()),
            reference: reference.to_owned(),
        };
        let mounts = Mounts {
            facts: dir.path().to_owned(),
            ..Mounts::default()
        };
        let args = spec.to_args(&[]).unwrap();
        find(
            &args[1..],
            &mounts,
            dir.path(),
            dir.path(),
            &mut std::io::sink(),
        )?;
        let text = fs::read(dir.path().join(GIT_COMMIT_FILE)).unwrap();
        Ok(serde_json::from_slice(&text).unwrap())
    }

    /// A repository with so many commits, always the same. Returns their names.
    fn commits(folder: &Path, count: usize) -> Vec<String> {
        let git = |words: &[&str], input: &str| {
            let mut command = Command::new("git");
            command.arg("-C").arg(folder).args(words);
            command.stdin(Stdio::piped()).stdout(Stdio::piped());
            let mut child = command.spawn().unwrap();
            child
                .stdin
                .take()
                .unwrap()
                .write_all(input.as_bytes())
                .unwrap();
            let output = child.wait_with_output().unwrap();
            assert!(output.status.success(), "{words:?}");
            String::from_utf8(output.stdout).unwrap()
        };
        git(&["init", "--quiet", "--initial-branch", "main"], "");
        let commit = |number: usize| {
            let name = number.to_string();
            let who = format!("test <test@example.org> {} +0000", 1_700_000_000 + number);
            format!(
                "commit refs/heads/main\ncommitter {who}\ndata {}\n{name}\n",
                name.len()
            )
        };
        let stream: String = (0..count).map(commit).collect();
        git(&["fast-import", "--quiet"], &stream);
        let names = git(&["log", "--format=%H", "main"], "");
        let first = names.lines().next_back().unwrap();
        git(&["branch", &first[..9], first], "");
        git(&["tag", "20240101", first], "");
        names.lines().map(str::to_owned).collect()
    }

    #[test]
    fn a_short_commit_is_found_among_all() {
        let dir = tempfile::tempdir().unwrap();
        let names = commits(dir.path(), 800);
        let middle = &names[400];
        assert_eq!(
            found(dir.path(), &middle[..12]).unwrap(),
            FoundCommit::Whole(middle.clone())
        );
        let first = names.last().unwrap();
        for of_branch_or_tag in [&first[..9], "20240101"] {
            let found = found(dir.path(), of_branch_or_tag).unwrap();
            assert_eq!(found, FoundCommit::BranchOrTag);
        }
        let mut starts = BTreeSet::new();
        let same = names.iter().map(|name| &name[..4]);
        let same = same.into_iter().find(|start| !starts.insert(*start));
        for (folder, reference, expected) in [
            (dir.path(), same.unwrap(), "several commits of file://"),
            (
                dir.path(),
                "0123456789abcdef",
                "`0123456789abcdef` is not the beginning of a commit",
            ),
            (
                Path::new("/nowhere"),
                "0123456",
                "cannot look up the commit `0123456` of demo: ",
            ),
        ] {
            let error = found(folder, reference).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
