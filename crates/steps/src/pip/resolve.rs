//! The step that asks pip what it would install. It has network, and the image is its root.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Write;
use std::path::Path;

use super::list_files::ListFiles;
use super::{build_failure, metadata, process, report, resolve_failure};
use crate::install::{Mounts, write_json};
use condafront_step_spec::args::StepSpec as _;
use condafront_step_spec::failure_report::FailureReport;
use condafront_step_spec::pip::{PIP_RESOLVED_FILE, PipResolution, PipResolveSpec};
use condafront_step_spec::pip_variables;

/// Where pip writes its report.
const REPORT: &str = "report.json";

/// The script that makes an old pip write it, and that makes any pip say which other packages it asks about.
const SCRIPT: &str = include_str!("resolve.py");

/// Runs the subcommand `pip-resolve` with `args`. The metadata of packages that are not in the root is in `beside`. Files for
/// pip go to `work`, and pip's output goes to `log`.
///
/// # Errors
/// A list that pip cannot resolve, with pip's reason.
pub(crate) fn resolve(
    args: &[String],
    mounts: &Mounts,
    beside: &Path,
    work: &Path,
    log: &mut dyn Write,
) -> Result<(), FailureReport> {
    let (spec, list) = PipResolveSpec::from_args(args)?;
    fs::create_dir_all(work)?;
    let report_path = work.join(REPORT);
    let files = ListFiles::of(&list, work, &mounts.input)?;
    let prefix = Path::new(&spec.prefix);
    let pip = spec.pip.as_deref();
    let result_path = mounts.facts.join(PIP_RESOLVED_FILE);
    let is_reported = !(pip.is_some() && spec.cannot_report);
    let [unpacked, asked] = ["metadata", "asked.json"].map(|name| work.join(name));
    let mut packages = None;
    if spec.is_partial {
        let Some(found) = metadata::read(beside) else {
            return Ok(write_json(&result_path, &PipResolution::default())?);
        };
        metadata::unpack(&found, &unpacked)?;
        packages = Some(found);
    }
    let mut command = if is_reported && packages.is_none() {
        process::pip(prefix, pip, "install")
    } else {
        let script = work.join("resolve.py");
        fs::write(&script, SCRIPT)?;
        let given = |path: &Path, is_given| {
            if is_given {
                path.into()
            } else {
                OsString::new()
            }
        };
        let words = [
            script.clone().into(),
            pip.unwrap_or_default().into(),
            given(&unpacked, packages.is_some()),
            given(&asked, packages.is_some()),
            given(&report_path, !is_reported),
        ];
        let words: Vec<&OsStr> = words.iter().map(OsString::as_os_str).collect();
        process::pip_as(prefix, &words, "install")
    };
    if is_reported {
        command.args(["--dry-run", "--report"]).arg(&report_path);
    }
    for file in files.all() {
        fs::write(&file.path, &file.text)?;
        if !file.entries.is_empty() {
            command.arg(file.option).arg(&file.path);
        }
    }
    let variables: BTreeSet<&str> = list
        .iter()
        .flat_map(|entry| pip_variables::variables(&entry.text))
        .collect();
    process::with_network(&mut command, &variables)?;
    // It may build packages to learn what they need.
    let command = process::activated(command, prefix);
    let outcome = process::run(command, log);
    let consulted = packages.map(|packages| metadata::consulted(&asked, &packages));
    let resolved = match outcome {
        Ok(()) => {
            let report = fs::read(&report_path)?;
            Some(report::read(&report, &mounts.input).map_err(FailureReport::new)?)
        }
        // Perhaps it can be built with what the other packages bring.
        Err(output) if spec.is_partial && build_failure::find(&output).is_some() => None,
        Err(output) => {
            let has_own_index = process::has_own_index();
            let input = &mounts.input;
            let report = resolve_failure::of(&output, &list, &files, input, has_own_index);
            // A report has room for a few packages, not for any number of them.
            let consulted = consulted.filter(|it| it.names.is_some());
            return Err(FailureReport {
                consulted: consulted.map(Box::new),
                ..report
            });
        }
    };
    let result = PipResolution {
        resolved,
        consulted,
    };
    Ok(write_json(&result_path, &result)?)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::process::Command;

    use condafront_step_spec::pip::PipEntry;
    use condafront_step_spec::pip_metadata::{
        Consulted, METADATA_FILE, PackageMetadata, with_names,
    };
    use condafront_testkit::channel::WheelFile;

    use super::*;

    /// An environment with the pip of this machine, and a folder of wheels.
    struct Machine {
        dir: tempfile::TempDir,
        version: String,
    }

    impl Machine {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            let code = "import sys; print(sys.executable, '%d.%d' % sys.version_info[:2])";
            let output = Command::new("python3").args(["-c", code]).output().unwrap();
            let output = String::from_utf8(output.stdout).unwrap();
            let (program, version) = output.trim().rsplit_once(' ').unwrap();
            let home = Path::new(program).parent().unwrap().display();
            let text = format!("home = {home}\ninclude-system-site-packages = true\n");
            let modules = format!("prefix/lib/python{version}/site-packages");
            for folder in ["prefix/bin", "wheels", "in", &modules] {
                fs::create_dir_all(dir.path().join(folder)).unwrap();
            }
            fs::write(dir.path().join("prefix/pyvenv.cfg"), text).unwrap();
            symlink(program, dir.path().join("prefix/bin/python")).unwrap();
            Self {
                version: version.to_owned(),
                dir,
            }
        }

        /// Adds a package to choose from.
        fn wheel(&self, name: &str, version: &str, requires: &[&str]) {
            let wheel = WheelFile::new(name, version);
            let wheel = requires.iter().fold(wheel, |wheel, requirement| {
                wheel.metadata(&format!("Requires-Dist: {requirement}"))
            });
            let path = self.dir.path().join("wheels").join(wheel.file_name());
            fs::write(path, wheel.build()).unwrap();
        }

        /// A package that conda brings.
        fn conda(&self, name: &str, version: &str, requires: &[&str]) -> PackageMetadata {
            let folder = format!("lib/python{}/site-packages", self.version);
            let mut text = format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n");
            for requirement in requires {
                text.push_str(&format!("Requires-Dist: {requirement}\n"));
            }
            PackageMetadata {
                distributions: [name.to_owned()].into(),
                files: [(
                    format!("{folder}/{name}-{version}.dist-info/METADATA"),
                    text,
                )]
                .into(),
            }
        }

        /// What pip finds for `list` beside `packages`.
        fn resolve(
            &self,
            list: &[&str],
            packages: Option<&[PackageMetadata]>,
        ) -> Result<PipResolution, FailureReport> {
            let run = tempfile::tempdir_in(self.dir.path()).unwrap();
            let place = |name: &str| run.path().join(name);
            for folder in ["metadata", "facts"] {
                fs::create_dir(place(folder)).unwrap();
            }
            if let Some(packages) = packages {
                let text = serde_json::to_vec(packages).unwrap();
                fs::write(place("metadata").join(METADATA_FILE), text).unwrap();
            }
            let wheels = self.dir.path().join("wheels");
            let wheels = format!("--find-links {}", wheels.display());
            let lines = ["--no-index", &wheels]
                .into_iter()
                .chain(list.iter().copied());
            let entries: Vec<PipEntry> = lines
                .map(|text| PipEntry {
                    text: text.to_owned(),
                    is_constraint: false,
                    wheel: None,
                })
                .collect();
            let spec = PipResolveSpec {
                prefix: self.dir.path().join("prefix").display().to_string(),
                pip: None,
                cannot_report: false,
                is_partial: true,
            };
            let args = spec.to_args(&entries).unwrap();
            let mounts = Mounts {
                input: self.dir.path().join("in"),
                facts: place("facts"),
                ..Mounts::default()
            };
            let log = &mut std::io::sink();
            resolve(&args[1..], &mounts, &place("metadata"), &place("work"), log)?;
            let text = fs::read(mounts.facts.join(PIP_RESOLVED_FILE)).unwrap();
            Ok(serde_json::from_slice(&text).unwrap())
        }
    }

    fn found(resolution: &PipResolution) -> Vec<String> {
        let resolved = resolution.resolved.iter().flatten();
        let shown = resolved.map(|it| format!("{} {}", it.name, it.version));
        shown.collect()
    }

    /// Where pip sees only what it asks about, it finds the same as where it sees everything.
    #[test]
    fn pip_finds_the_same_beside_the_packages_that_it_asks_about() {
        let machine = Machine::new();
        for (name, version, requires) in [
            ("app", "1", &["base"][..]),
            ("app", "2", &["base>=1", "other"]),
            ("base", "1", &[]),
            ("base", "2", &[]),
            ("other", "1", &["extra; extra == 'all'"]),
            ("extra", "1", &[]),
            // The newest version conflicts with what it needs.
            ("front", "1", &["base"]),
            ("front", "2", &["base<2", "back"]),
            ("back", "1", &["base>=2"]),
        ] {
            machine.wheel(name, version, requires);
        }
        let conda = [
            machine.conda("base", "1", &["deep"]),
            machine.conda("deep", "1", &[]),
            machine.conda("extra", "0", &[]),
            machine.conda("unrelated", "1", &["base<1"]),
        ];
        for (list, expected) in [
            (&["app"][..], &["app 2", "other 1"][..]),
            (&["app", "base>=2"], &["app 2", "base 2", "other 1"]),
            (&["other[all]"], &["other 1"]),
            (&["front"], &["front 1"]),
            (&["extra>=1", "app<2"], &["app 1", "extra 1"]),
            (&["base"], &[]),
        ] {
            let whole = machine.resolve(list, Some(&conda)).unwrap();
            assert_eq!(found(&whole), expected, "{list:?}");
            let names = |consulted: &Option<Consulted>| {
                consulted.as_ref().unwrap().names.clone().expect("names")
            };
            let mut asked = BTreeSet::new();
            let narrowed = loop {
                let seen: Vec<PackageMetadata> =
                    with_names(Some(&asked), &conda).cloned().collect();
                let narrowed = machine.resolve(list, Some(&seen)).unwrap();
                asked.extend(names(&narrowed.consulted));
                if narrowed.consulted.as_ref().unwrap().is_same_in(&conda) {
                    break narrowed;
                }
            };
            assert_eq!(narrowed, whole, "{list:?}");
            assert!(!asked.contains("unrelated"), "{list:?}: {asked:?}");
        }
        // Nothing was handed over.
        let none = machine.resolve(&["app"], None).unwrap();
        assert_eq!(none, PipResolution::default());
        // What fails, too, fails only beside the same packages.
        let report = machine
            .resolve(&["app", "base<1"], Some(&conda))
            .unwrap_err();
        assert!(report.message.contains("base<1"), "{report}");
        let consulted = report.consulted.expect("what pip asked");
        assert!(consulted.is_same_in(&conda[..3]));
        assert!(!consulted.is_same_in(&conda[1..]));
    }
}
