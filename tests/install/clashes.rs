//! Packages that claim the same paths: what is in the prefix does not depend on which packages share a layer.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::sync::Arc;

use condafront_step_spec::args::StepSpec as _;
use condafront_step_spec::facts::{EnvironmentFacts, FACTS_FILE};
use condafront_step_spec::install::{CollectSpec, PickSpec, PickedFile};
use condafront_steps::install::{Mounts, collect, pick};
use tempfile::TempDir;

use super::installers::compare;
use super::package::{PLACEHOLDER, Package};
use super::step::{Step, paths_of};

/// What a path is, by the path.
pub(crate) type Paths = BTreeMap<String, String>;

/// An environment: its files, and what the user is told about them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Environment {
    pub(crate) paths: Paths,
    notices: Vec<String>,
}

/// Installs packages in groups, each given as indices of packages, with the layers stacked in the order of `stacking`.
pub(crate) fn install_with(
    runtime: Option<&Arc<TempDir>>,
    packages: &[Package],
    groups: &[Vec<usize>],
    stacking: &[usize],
) -> Result<Environment, String> {
    let mut steps = Vec::new();
    for group in groups {
        let members: Vec<Package> = group.iter().map(|index| packages[*index].clone()).collect();
        let mut step = Step::new(&members);
        if let (Some(runtime), Some(python)) = (runtime, &mut step.spec.python) {
            python.runtime = true;
            step.python = Some(Arc::clone(runtime));
        }
        step.run().map_err(|error| error.to_string())?;
        steps.push(step);
    }
    let dir = TempDir::new().unwrap();
    let at = |name: &str| {
        let path = dir.path().join(name);
        fs::create_dir_all(&path).unwrap();
        path
    };
    let (facts, layers) = (at("facts"), at("layers"));
    for (index, step) in steps.iter().enumerate() {
        symlink(step.mounts().facts, facts.join(index.to_string())).unwrap();
        symlink(step.mounts().output, layers.join(index.to_string())).unwrap();
    }
    let collected = Mounts {
        input: facts,
        output: at("collected"),
        ..Mounts::default()
    };
    let spec = CollectSpec {
        groups: groups.to_vec(),
    };
    collect(&spec.to_args(&[]).unwrap()[1..], &collected).map_err(|error| error.to_string())?;
    let text = fs::read(collected.output.join(FACTS_FILE)).unwrap();
    let facts: EnvironmentFacts = serde_json::from_slice(&text).unwrap();

    let picked = Mounts {
        input: layers,
        output: at("picked"),
        ..Mounts::default()
    };
    let files: Vec<PickedFile> = facts
        .clashes
        .iter()
        .map(|clash| PickedFile {
            layer: clash.winner,
            path: clash.path.clone(),
            from: clash.from.clone(),
            is_empty: clash.is_empty,
        })
        .collect();
    let spec = PickSpec {
        prefix: "/opt/conda".into(),
    };
    pick(&spec.to_args(&files).unwrap()[1..], &picked).unwrap();

    let mut paths = Paths::new();
    for group in stacking {
        stack(&mut paths, paths_of(&steps[*group].mounts().output));
    }
    stack(&mut paths, paths_of(&picked.output));
    let notices = facts.notices.into_iter().map(|notice| notice.message);
    Ok(Environment {
        paths,
        notices: notices.collect(),
    })
}

/// The same without bytecode.
fn install(
    packages: &[Package],
    groups: &[Vec<usize>],
    stacking: &[usize],
) -> Result<Environment, String> {
    install_with(None, packages, groups, stacking)
}

/// Puts a layer on top of others, as overlayfs and image layers do: directories are merged, and anything else replaces what
/// is below it. Directories end with a slash.
fn stack(below: &mut Paths, layer: Paths) {
    for (path, what) in layer {
        match path.strip_suffix('/') {
            Some(directory) => {
                below.remove(directory);
            }
            None => {
                let inside = format!("{path}/");
                below.retain(|path, _| !path.starts_with(&inside));
            }
        }
        below.insert(path, what);
    }
}

/// Adds one kind of path to a package.
type Kind = fn(Package, &Place) -> Package;

/// Where it is added.
struct Place {
    /// A folder of a pair of packages.
    dir: String,
    /// The name of the pair's program.
    program: String,
    /// The package's name.
    content: &'static str,
}

impl Place {
    fn path(&self, name: &str) -> String {
        format!("{}/{name}", self.dir)
    }
}

/// Everything that two packages can have at one path.
const KINDS: [Kind; 12] = [
    |package, at| package.file(&at.path("x"), at.content),
    |package, at| package.file(&at.path("x"), "the same"),
    |package, at| package.file_with_mode(&at.path("x"), "the same", 0o755),
    |package, at| {
        let text = format!("#!{PLACEHOLDER}/bin/{}\n", at.content);
        package.file_with_prefix(&at.path("x"), text.as_bytes(), "text")
    },
    |package, at| package.symlink(&at.path("x"), at.content),
    |package, at| package.symlink(&at.path("x"), "folder"),
    |package, at| {
        let package = package.symlink(&at.path("x"), "folder");
        package.file(&at.path("folder/in"), at.content)
    },
    |package, at| {
        let package = package.symlink(&at.path("x"), "middle");
        package.symlink(&at.path("middle"), "folder")
    },
    |package, at| package.directory(&at.path("x/empty")),
    |package, at| {
        let package = package.file(&at.path("x/in"), at.content);
        let package = package.symlink(&at.path("x/link"), "../folder/in");
        package.file(&at.path("x/in folder"), "the same")
    },
    |package, at| {
        let package = package.hard_link(&at.path("x"), &at.path("folder/in"));
        package.file(&at.path("folder/more"), at.content)
    },
    |package, at| {
        let package = package.file(&format!("bin/{}", at.program), at.content);
        package.file(&at.path("folder/x/in"), at.content)
    },
];

/// All pairs of kinds, as two packages each. The second one of a pair of equal kinds has an entry point.
fn pairs() -> Vec<[Package; 2]> {
    let mut pairs = Vec::new();
    for (first, one) in KINDS.iter().enumerate() {
        for (second, other) in KINDS.iter().enumerate() {
            let number = pairs.len();
            let make = |kind: &Kind, content: &'static str| {
                let at = Place {
                    dir: format!("share/{number}"),
                    program: format!("program-{number}"),
                    content,
                };
                let package = Package::new(&format!("p{number}-{content}"));
                let command = format!("{} = {content}:main", at.program);
                let package = match (first == second, content) {
                    (true, "b") => package.noarch_python(&[&command]),
                    _ => package,
                };
                // A hard link needs its file first.
                kind(package.file(&at.path("folder/in"), content), &at)
            };
            pairs.push([make(one, "a"), make(other, "b")]);
        }
    }
    pairs
}

/// The groups of `count` packages, spread over `layers`.
fn spread(count: usize, layers: usize) -> Vec<Vec<usize>> {
    let mut groups = vec![Vec::new(); layers.min(count)];
    for index in 0..count {
        // Not the packages of a pair together.
        let group = (index * 7) % groups.len();
        groups[group].push(index);
    }
    groups.retain(|group| !group.is_empty());
    groups
}

#[test]
fn a_hundred_clashing_pairs_give_the_same_files_in_any_layers() {
    let mut fitting = Vec::new();
    let mut refused = 0;
    for pair in pairs() {
        let together = install(&pair, &[vec![0, 1]], &[0]);
        for stacking in [[0, 1], [1, 0]] {
            let apart = install(&pair, &[vec![0], vec![1]], &stacking);
            assert_eq!(together, apart, "{stacking:?}");
        }
        match together {
            Ok(_) => fitting.extend(pair),
            Err(message) => {
                assert!(
                    message.contains("cannot be installed together"),
                    "{message}"
                );
                refused += 1;
            }
        }
    }
    assert!(fitting.len() >= 200, "{} packages", fitting.len());
    assert!(refused >= 10, "{refused} pairs are refused");

    let all: Vec<usize> = (0..fitting.len()).collect();
    let single = install(&fitting, &[all], &[0]).unwrap();
    for layers in [2, 60] {
        let groups = spread(fitting.len(), layers);
        let upwards: Vec<usize> = (0..groups.len()).collect();
        let downwards: Vec<usize> = upwards.iter().rev().copied().collect();
        for stacking in [upwards, downwards] {
            let several = install(&fitting, &groups, &stacking).unwrap();
            let differing: Vec<_> = several
                .paths
                .iter()
                .filter(|(path, what)| single.paths.get(*path) != Some(what))
                .map(|(path, what)| (path, what, single.paths.get(path)))
                .collect();
            assert!(differing.is_empty(), "{layers} layers: {differing:#?}");
            assert_eq!(several, single, "{layers} layers");
        }
    }
}

#[test]
#[ignore = "needs a micromamba"]
fn needs_micromamba_clashing_pairs_are_linked_alike() {
    let fitting: Vec<Package> = pairs()
        .into_iter()
        .filter(|pair| install(pair, &[vec![0, 1]], &[0]).is_ok())
        .flatten()
        .collect();
    compare(|| Step::new(&fitting));
}

#[test]
fn records_of_installed_packages_are_the_installers() {
    let packages = [
        Package::new("real").file("share/real", "real"),
        Package::new("forger")
            .file("conda-meta/real-1.0-0.json", "{}")
            .file("conda-meta/other-1.0-0.json", "{}")
            .file("conda-meta/history", "")
            .file("conda-meta/state", "{}")
            .file("conda-meta/pinned", "real 1.*\n"),
        Package::new("mover").symlink("conda-meta", "share"),
    ];
    let single = install(&packages, &[vec![0, 1, 2]], &[0]).unwrap();
    let several = install(&packages, &[vec![0], vec![1], vec![2]], &[0, 2, 1]).unwrap();
    assert_eq!(single, several);
    let records: Vec<&str> = single
        .paths
        .keys()
        .filter_map(|path| path.strip_prefix("/opt/conda/conda-meta/"))
        .collect();
    assert_eq!(
        records,
        [
            "",
            "forger-1.0-0.json",
            "mover-1.0-0.json",
            "pinned",
            "real-1.0-0.json"
        ]
    );
    insta::assert_snapshot!(single.notices.join("\n"), @r"
    forger 1.0: left out, because only installers write there: conda-meta/history, conda-meta/other-1.0-0.json, conda-meta/real-1.0-0.json and 1 more
    mover 1.0: left out, because only installers write there: conda-meta
    ");
}

#[test]
fn paths_that_do_not_fit_together_are_refused_at_both_packages() {
    let step = Step::new(&[
        Package::new("file").file("share/x", "a file"),
        Package::new("other"),
        Package::new("folder").file("share/x/y", "below it"),
    ]);
    let error = step.fail();
    assert_eq!(error.package(), Some(2));
    insta::assert_snapshot!(error, @"folder 1.0 and file 1.0 cannot be installed together: folder 1.0 has `share/x/y`, but `share/x` is a file of file 1.0");
    let report = condafront_step_spec::failure_report::FailureReport::from(error);
    assert_eq!(report.culprits.len(), 2);
    assert_eq!(
        report.help.as_deref(),
        Some("Remove one of the two packages, or use another build of it.")
    );
}
