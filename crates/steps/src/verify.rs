//! The verify step: finds out whether an image holds what a file describes.

mod compare;
mod findings;
mod inventory;
mod packages;
mod rules;

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::install::{Mounts, write_json};
use crate::root::Root;
use compare::{Comparison, Outside};
use condafront_step_spec::args::StepSpec as _;
use condafront_step_spec::failure_report::FailureReport;
use condafront_step_spec::verify::{Reason, VERIFY_FILE, VerifyReport, VerifySpec};
use findings::{Findings, shown};
use packages::Packages;
use rules::Rules;

/// How many paths are listed.
const MOST: usize = 1000;

/// Runs the step `verify` with the arguments `args`. Every finding goes to `log`.
///
/// # Errors
/// Invalid arguments, and I/O errors. An image that is different is no error.
pub(crate) fn run(
    args: &[String],
    mounts: &Mounts,
    log: &mut dyn Write,
) -> Result<(), FailureReport> {
    let (spec, _) = VerifySpec::from_args(args)?;
    let tree = |index: &str| Tree::at(&mounts.input.join(index), &spec.prefix);
    let report = report(&spec, &tree("0"), &tree("1"))?;
    for finding in &report.findings {
        writeln!(log, "{} {}", finding.path, finding.text)?;
    }
    write_json(&mounts.output.join(VERIFY_FILE), &report)?;
    Ok(())
}

/// A mounted image.
struct Tree {
    root: Root,
    /// Where the prefix is in the image, after following links.
    inside: Option<PathBuf>,
    /// Where it is on this machine.
    dir: PathBuf,
}

impl Tree {
    fn at(mount: &Path, prefix: &str) -> Self {
        let root = Root::new(mount);
        let inside = root.resolve(Path::new(prefix)).ok();
        Self {
            dir: root.outside(inside.as_deref().unwrap_or(Path::new(prefix))),
            inside,
            root,
        }
    }

    /// Where a file is on this machine, without links on the way.
    fn file(&self, path: &str) -> Option<PathBuf> {
        let inside = self.root.resolve_parent(Path::new(path)).ok()?;
        Some(self.root.outside(&inside))
    }
}

fn report(spec: &VerifySpec, expected: &Tree, found: &Tree) -> Result<VerifyReport, FailureReport> {
    let mut findings = Findings::new(MOST);
    let packages = Packages::of(&expected.dir)?;
    let leads_to = |tree: &Tree| {
        tree.inside
            .as_deref()
            .map_or_else(|| "nowhere".to_owned(), shown)
    };
    if found.inside.is_none() || !found.dir.is_dir() {
        let text = "is missing, or not a directory".to_owned();
        findings.add(Path::new(""), Reason::Missing, text);
        return Ok(VerifyReport {
            different: 1,
            findings: findings.list(&spec.prefix, |_| None),
            ..VerifyReport::default()
        });
    }
    let rules = Rules {
        extent: spec.extent,
        packages: &packages,
        expected: &expected.dir,
        found: &found.dir,
    };
    if rules.needs_place() && expected.inside != found.inside {
        let text = format!(
            "is at {} instead of {}",
            leads_to(found),
            leads_to(expected)
        );
        findings.add(Path::new(""), Reason::Link, text);
    }
    let outside = spec.files.iter().filter_map(|path| {
        Some(Outside {
            path: path.into(),
            ours: expected.file(path)?,
            theirs: found.file(path),
        })
    });
    let (findings, report) = Comparison::of(&rules, outside.collect(), findings)?;
    Ok(VerifyReport {
        packages: packages.len(),
        different: findings.count(),
        findings: findings.list(&spec.prefix, |path| packages.owner(path)),
        ..report
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;
    use condafront_step_spec::verify::{Extent, Finding};

    /// The trees of two images with one package.
    fn trees() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for tree in ["0", "1"] {
            let put = |path: &str, text: &str| {
                let path = dir.path().join(tree).join("opt/conda").join(path);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, text).unwrap();
            };
            put("bin/tool", "tool");
            put("share/data", "data");
            put("bin/made", tree);
            put("../../usr/bin/own", "own");
            put("lib/a/__pycache__/b.cpython-313.pyc", tree);
            put("lib/a/b.py", "b");
            let record = r#"{"name": "a", "version": "1", "build": "0", "md5": "ab", "paths_data": {"paths": [
                {"_path": "bin/tool"}, {"_path": "bin/made", "path_type": "unix_python_entry_point"}, {"_path": "lib/a/b.py"}, {"_path": "share/data"},
                {"_path": "lib/a/__pycache__/b.cpython-313.pyc", "path_type": "pyc_file"}]}}"#;
            let of_env = r#"{"name": "e", "version": "2", "build": "0", "md5": "ab", "paths_data": {"paths": [{"_path": "share/in"}]}}"#;
            put("envs/r/conda-meta/e-2-0.json", of_env);
            put("envs/r/share/in", "in");
            put(
                "conda-meta/a-1-0.json",
                &record.replace("]}", &format!("], \"by\": {tree}}}")),
            );
        }
        dir
    }

    fn compared(dir: &Path, extent: Extent) -> VerifyReport {
        let spec = VerifySpec {
            prefix: "/opt/conda".to_owned(),
            extent,
            files: vec!["/usr/bin/own".to_owned()],
        };
        let tree = |index: &str| Tree::at(&dir.join(index), &spec.prefix);
        report(&spec, &tree("0"), &tree("1")).unwrap()
    }

    fn lines(report: &VerifyReport) -> Vec<String> {
        let line = |it: &Finding| format!("{} {} {:?}", it.path, it.text, it.package);
        report.findings.iter().map(line).collect()
    }

    #[test]
    fn tools_may_differ_in_records_and_bytecode_if_only_packages_count() {
        let dir = trees();
        let report = compared(dir.path(), Extent::Everything);
        assert_eq!(
            lines(&report),
            [
                "/opt/conda/bin/made has another content Some(\"a 1\")",
                "/opt/conda/conda-meta/a-1-0.json has another content Some(\"a 1\")",
                "/opt/conda/lib/a/__pycache__/b.cpython-313.pyc has another content Some(\"a 1\")",
            ]
        );
        let report = compared(dir.path(), Extent::Packages);
        assert_eq!(lines(&report), [""; 0]);
        assert_eq!((report.packages, report.files, report.left_out), (2, 7, 2));
        let prefix = dir.path().join("1/opt/conda");
        fs::remove_dir_all(prefix.join("envs/r/share")).unwrap();
        fs::write(prefix.join("envs/r/conda-meta/e-3-0.json"), "{}").unwrap();
        fs::create_dir_all(prefix.join("share/__pycache__")).unwrap();
        fs::write(prefix.join("share/__pycache__/evil.cpython-313.pyc"), "").unwrap();
        fs::write(prefix.join("lib/a/__pycache__/b.cpython-312.pyc"), "").unwrap();
        fs::write(prefix.join("lib/a/__pycache__/c.cpython-313.pyc"), "").unwrap();
        fs::write(prefix.join("conda-meta/history"), "").unwrap();
        fs::create_dir(prefix.join("pkgs")).unwrap();
        fs::write(prefix.join("pkgs/urls.txt"), "").unwrap();
        fs::set_permissions(prefix.join("bin/tool"), fs::Permissions::from_mode(0o6644)).unwrap();
        let other = r#"{"name": "a", "version": "2", "build": "0", "md5": "ab"}"#;
        fs::write(prefix.join("conda-meta/a-1-0.json"), other).unwrap();
        assert_eq!(
            lines(&compared(dir.path(), Extent::Packages)),
            [
                "/opt/conda/bin/tool has the mode 6644 instead of 644 Some(\"a 1\")",
                "/opt/conda/conda-meta/a-1-0.json is the record of another package Some(\"a 1\")",
                "/opt/conda/envs/r/conda-meta/e-3-0.json is a file that nothing accounts for None",
                "/opt/conda/envs/r/share is missing, with everything in it None",
                "/opt/conda/lib/a/__pycache__/c.cpython-313.pyc is a file that nothing accounts for None",
                "/opt/conda/share/__pycache__ is a directory that nothing accounts for None",
            ]
        );
    }

    #[test]
    fn files_outside_are_found_behind_the_links_of_an_image() {
        let dir = trees();
        let image = dir.path().join("1");
        let first = |dir: &Path| lines(&compared(dir, Extent::Everything)).remove(0);
        fs::rename(image.join("usr/bin"), image.join("programs")).unwrap();
        symlink("/programs", image.join("usr/bin")).unwrap();
        assert!(first(dir.path()).starts_with("/opt/conda/bin/made"));
        fs::write(image.join("programs/own"), "OWN").unwrap();
        assert_eq!(first(dir.path()), "/usr/bin/own has another content None");
        fs::remove_file(image.join("usr/bin")).unwrap();
        for target in ["bin", "/bin", "/nowhere"] {
            symlink(target, image.join("usr/bin")).unwrap();
            assert_eq!(
                first(dir.path()),
                "/usr/bin/own is missing None",
                "{target}"
            );
            fs::remove_file(image.join("usr/bin")).unwrap();
        }
    }

    #[test]
    fn links_of_an_image_lead_nowhere_else() {
        let dir = trees();
        let image = dir.path().join("1");
        fs::rename(image.join("opt/conda"), image.join("elsewhere")).unwrap();
        symlink("/elsewhere", image.join("opt/conda")).unwrap();
        let report = compared(dir.path(), Extent::Packages);
        assert_eq!(lines(&report), [""; 0]);
        let found = lines(&compared(dir.path(), Extent::Everything));
        assert_eq!(
            found[0],
            "/opt/conda is at /elsewhere instead of /opt/conda None"
        );
        assert_eq!(found.len(), 4);
        for target in ["conda", "/proc/self/root", "/elsewhere/bin/tool"] {
            fs::remove_file(image.join("opt/conda")).unwrap();
            symlink(target, image.join("opt/conda")).unwrap();
            let found = lines(&compared(dir.path(), Extent::Everything));
            assert_eq!(
                found,
                ["/opt/conda is missing, or not a directory None"],
                "{target}"
            );
        }
    }
}
