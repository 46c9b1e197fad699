//! What a linked prefix looks like.

use std::fs;
use std::os::unix::fs::MetadataExt;

use condafront_steps::install::error::ErrorKind;
use rattler_conda_types::PrefixRecord;

use super::package::{BUILD_TIME, FILE_TIME, Format, PLACEHOLDER, Package};
use super::step::Step;

/// A bit of everything.
fn packages() -> Vec<Package> {
    let shebang = format!("#!{PLACEHOLDER}/bin/sh\n");
    let binary = format!("\0{PLACEHOLDER}/lib\0tail");
    vec![
        Package::new("tool")
            .file_with_mode("bin/tool", "tool", 0o755)
            .file_with_mode("lib/libtool.so.1", "library", 0o664)
            .symlink("lib/libtool.so", "libtool.so.1")
            .hard_link("bin/tool-2", "bin/tool")
            .file_with_prefix("bin/script", shebang.as_bytes(), "text")
            .file_with_prefix("lib/binary", binary.as_bytes(), "binary")
            .file("etc/conda/activate.d/tool.sh", "export TOOL=1\n")
            .file("etc/conda/activate.d/tool.fish", "set -x TOOL 1\n")
            .file("etc/conda/env_vars.d/tool.json", r#"{"B": "b", "A": 1}"#)
            .file("bin/.tool-post-link.sh", "true\n"),
        Package::new("pure")
            .format(Format::TarBz2)
            .noarch_python(&["pure = pure.cli:main"])
            .file("site-packages/pure/cli.py", "def main(): pass\n")
            .file("python-scripts/pure-script", "#!python\n"),
    ]
}

#[test]
fn files_are_where_they_belong() {
    let step = Step::new(&packages());
    step.run().unwrap();
    assert_eq!(step.read("bin/tool"), "tool");
    assert_eq!(step.read("bin/tool-2"), "tool");
    assert_eq!(step.read("lib/libtool.so"), "library");
    assert_eq!(step.read("bin/script"), "#!/opt/conda/bin/sh\n");
    let binary = step.read("lib/binary");
    assert!(binary.starts_with("\0/opt/conda/lib\0"), "{binary:?}");
    assert!(binary.ends_with("\0tail"));
    assert_eq!(binary.len(), format!("\0{PLACEHOLDER}/lib\0tail").len());
    assert_eq!(
        step.read("lib/python3.13/site-packages/pure/cli.py"),
        "def main(): pass\n"
    );
    assert_eq!(step.read("bin/pure-script"), "#!python\n");
    let entry_point = step.read("bin/pure");
    assert!(
        entry_point.starts_with("#!/opt/conda/bin/python3.13\n"),
        "{entry_point}"
    );
    assert!(entry_point.contains("from pure.cli import main"));
}

#[test]
fn modes_and_times_come_from_the_packages() {
    let step = Step::new(&packages());
    step.run().unwrap();
    for (path, mode, mtime) in [
        ("bin/tool", 0o755, FILE_TIME as i64),
        ("lib/libtool.so.1", 0o664, FILE_TIME as i64),
        ("bin/script", 0o755, BUILD_TIME),
        ("bin/pure", 0o755, BUILD_TIME),
        ("conda-meta/tool-1.0-0.json", 0o644, BUILD_TIME),
        ("lib", 0o755, 315_532_800),
        ("", 0o755, 315_532_800),
        ("..", 0o755, 315_532_800),
    ] {
        let metadata = fs::symlink_metadata(step.prefix().join(path)).unwrap();
        assert_eq!(metadata.mode() & 0o7777, mode, "{path}");
        assert_eq!(metadata.mtime(), mtime, "{path}");
    }
    let link = fs::symlink_metadata(step.prefix().join("lib/libtool.so")).unwrap();
    assert_eq!(link.mtime(), FILE_TIME as i64);
}

#[test]
fn the_group_may_do_what_the_owner_may_if_asked_for() {
    let mut step = Step::new(&packages());
    step.spec.group_writable = true;
    step.run().unwrap();
    for (path, mode) in [
        ("bin/tool", 0o775),
        ("lib/libtool.so.1", 0o664),
        ("bin/script", 0o775),
        ("bin/pure", 0o775),
        ("conda-meta/tool-1.0-0.json", 0o664),
        ("etc/conda/activate.d/tool.sh", 0o664),
        ("lib", 0o775),
        ("", 0o775),
        // Above the prefix, only root may write.
        ("..", 0o755),
    ] {
        let metadata = fs::symlink_metadata(step.prefix().join(path)).unwrap();
        assert_eq!(metadata.mode() & 0o7777, mode, "{path}");
    }
}

#[test]
fn the_output_holds_only_the_prefix() {
    let step = Step::new(&packages());
    step.run().unwrap();
    let names = |path: &str| -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(step.mounts().output.join(path))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    };
    assert_eq!(names(""), ["opt"]);
    assert_eq!(names("opt"), ["conda"]);
    assert_eq!(names("opt/conda"), ["bin", "conda-meta", "etc", "lib"]);
    assert_eq!(
        names("opt/conda/conda-meta"),
        ["pure-1.0-0.json", "tool-1.0-0.json"]
    );
}

#[test]
fn the_owner_is_the_one_asked_for() {
    let mut step = Step::new(&packages());
    if step.spec.uid != 0 {
        // Only root can give files away.
        return;
    }
    (step.spec.uid, step.spec.gid) = (57439, 100);
    step.run().unwrap();
    for path in ["", "bin/tool", "lib/libtool.so", "conda-meta", "bin/pure"] {
        let metadata = fs::symlink_metadata(step.prefix().join(path)).unwrap();
        assert_eq!((metadata.uid(), metadata.gid()), (57439, 100), "{path}");
    }
    let opt = fs::metadata(step.mounts().output.join("opt")).unwrap();
    assert_eq!((opt.uid(), opt.gid()), (0, 0));
}

#[test]
fn two_runs_give_the_same_bytes() {
    let listings: Vec<String> = (0..2)
        .map(|_| {
            let step = Step::new(&packages());
            step.run().unwrap();
            step.listing()
        })
        .collect();
    assert_eq!(listings[0], listings[1]);
}

#[test]
fn both_formats_give_the_same_files() {
    let trees: Vec<String> = [Format::Conda, Format::TarBz2]
        .into_iter()
        .map(|format| {
            let packages: Vec<Package> = packages().into_iter().map(|p| p.format(format)).collect();
            let step = Step::new(&packages);
            step.run().unwrap();
            let lines = step.listing();
            lines
                .lines()
                .filter(|line| line.starts_with("/opt") && !line.contains("conda-meta"))
                .map(|line| format!("{line}\n"))
                .collect()
        })
        .collect();
    assert_eq!(trees[0], trees[1]);
}

#[test]
fn the_record_is_what_conda_writes_and_holds_no_secret() {
    let step = Step::new(&packages());
    step.run().unwrap();
    let record = step.record("tool");
    assert_eq!(record["channel"], "https://example.org/channel");
    assert_eq!(
        record["url"],
        "https://example.org/channel/linux-64/tool-1.0-0.conda"
    );
    assert_eq!(record["fn"], "tool-1.0-0.conda");
    assert_eq!(record["requested_spec"], "");
    for key in ["extracted_package_dir", "package_tarball_full_path"] {
        assert!(record.get(key).is_none(), "{key}");
    }
    assert!(!step.listing().contains("secret"));
    assert!(!step.listing().contains("to-ken"));

    let pure = step.record("pure");
    let files: Vec<&str> = pure["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| file.as_str().unwrap())
        .collect();
    assert_eq!(
        files,
        [
            "bin/pure",
            "bin/pure-script",
            "lib/python3.13/site-packages/pure/cli.py"
        ]
    );
    // A second opinion: another reader of such records accepts it.
    for name in ["tool", "pure"] {
        let path = step.prefix().join(format!("conda-meta/{name}-1.0-0.json"));
        let record = PrefixRecord::from_path(path).unwrap();
        assert_eq!(record.files.len(), record.paths_data.paths.len());
    }
}

#[test]
fn facts_say_what_later_steps_need() {
    let step = Step::new(&packages());
    step.run().unwrap();
    let facts = step.facts();
    let [tool, pure] = &facts.packages[..] else {
        panic!("two packages")
    };
    assert_eq!(tool.license.as_deref(), Some("MIT"));
    assert_eq!(tool.activate_d, ["etc/conda/activate.d/tool.sh"]);
    assert!(tool.post_link);
    assert!(!pure.post_link);
    assert_eq!(pure.noarch.as_deref(), Some("python"));
    let vars = &facts.env_vars["tool.json"];
    assert_eq!((vars["A"].as_str(), vars["B"].as_str()), ("1", "b"));
    assert!(facts.notices.is_empty(), "{:?}", facts.notices);
}

#[test]
fn packages_cannot_set_the_images_own_variables() {
    let variables = r#"{"PATH": "/x", "CONDA_PREFIX": "/x", "path": "/y", "LD_PRELOAD": "/z"}"#;
    let package = Package::new("odd").file("etc/conda/env_vars.d/odd.json", variables);
    let step = Step::new(&[package]);
    step.run().unwrap();
    let facts = step.facts();
    let kept: Vec<&str> = facts.env_vars["odd.json"]
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(kept, ["LD_PRELOAD", "path"]);
    let [notice] = &facts.notices[..] else {
        panic!("one notice: {:?}", facts.notices);
    };
    assert_eq!(notice.package, Some(0));
    assert!(
        notice
            .message
            .contains("CONDA_PREFIX, PATH in etc/conda/env_vars.d/odd.json"),
        "{notice:?}"
    );
}

#[test]
fn the_later_package_wins_a_path() {
    let one = Package::new("one")
        .file("share/x", "one")
        .file("share/one", "");
    let two = Package::new("two")
        .noarch_python(&["x = two:main"])
        .file("share/x", "two");
    let bin = Package::new("bin").file("bin/x", "a file");
    for (packages, share, bin) in [
        ([&one, &two, &bin], "two", "a file"),
        ([&bin, &two, &one], "one", "#!/opt/conda/bin/python3.13"),
    ] {
        let packages: Vec<Package> = packages.into_iter().cloned().collect();
        let step = Step::new(&packages);
        step.run().unwrap();
        assert_eq!(step.read("share/x"), share);
        assert!(
            step.read("bin/x").starts_with(bin),
            "{}",
            step.read("bin/x")
        );
        assert!(!step.prefix().join("__clobbers__").exists());
        // Both records name the path: either way the file belongs to a package.
        for name in ["one", "two"] {
            let files = step.record(name)["files"].to_string();
            assert!(files.contains("share/x"), "{name}: {files}");
        }
    }
}

#[test]
fn a_record_does_not_depend_on_which_packages_share_a_group() {
    let prefix = format!("#!{PLACEHOLDER}/bin/sh\n");
    let one = Package::new("one")
        .file("share/x", "one")
        .file_with_prefix("bin/x", prefix.as_bytes(), "text")
        .symlink("share/link", "x");
    let two = Package::new("two")
        .file("share/x", "two")
        .file("bin/x", "two")
        .file("share/link", "two");
    let alone = Step::new(std::slice::from_ref(&one));
    alone.run().unwrap();
    let together = Step::new(&[one, two]);
    together.run().unwrap();
    assert_eq!(together.read("bin/x"), "two");
    assert_eq!(together.record("one"), alone.record("one"));
}

#[test]
fn a_file_below_another_packages_link_goes_through_it() {
    let step = Step::new(&[
        Package::new("lib")
            .file("lib/a", "a")
            .symlink("lib64", "lib"),
        Package::new("user").file("lib64/b", "b"),
    ]);
    step.run().unwrap();
    assert_eq!(step.read("lib/b"), "b");
}

#[test]
fn a_group_without_packages_gives_an_empty_prefix() {
    let step = Step::new(&[]);
    step.run().unwrap();
    assert!(step.facts().packages.is_empty());
    assert!(step.prefix().is_dir());
}

#[test]
fn pure_python_needs_a_python() {
    let mut step = Step::new(&packages());
    step.spec.python = None;
    let error = step.fail();
    assert_eq!(error.kind(), ErrorKind::MissingPython);
    assert_eq!(error.package(), Some(1));
    insta::assert_snapshot!(error, @"pure 1.0 (pure-1.0-0.tar.bz2): it is a `noarch: python` package, but the lock file has no python package");
}

#[test]
fn a_missing_runtime_is_a_notice() {
    let mut step = Step::new(&packages());
    step.spec.python.as_mut().unwrap().runtime = true;
    step.run().unwrap();
    insta::assert_snapshot!(step.facts().notices[0].message, @"python bytecode was not compiled: the base image has no glibc to run python with");
}

#[test]
fn hashes_are_checked() {
    for what in ["md5", "sha256"] {
        let mut step = Step::new(&packages());
        let wrong = "0".repeat(if what == "md5" { 32 } else { 64 });
        match what {
            "md5" => step.packages[1].md5 = Some(wrong),
            _ => step.packages[1].sha256 = Some(wrong),
        }
        let error = step.fail();
        assert_eq!(error.kind(), ErrorKind::HashMismatch);
        assert_eq!(error.package(), Some(1));
        let text = error.to_string();
        assert!(text.contains(&format!("  {what} expected 0000")), "{text}");
        assert!(
            text.starts_with("pure 1.0 (pure-1.0-0.tar.bz2): "),
            "{text}"
        );
    }
    let mut step = Step::new(&packages());
    step.run().unwrap();
    let facts = step.facts();
    step.packages[0].md5 = Some(facts.packages[0].md5.to_uppercase());
    step.packages[0].sha256 = Some(facts.packages[0].sha256.clone());
    step.run().unwrap();
}
