//! Both installers give the same files, modes, times and facts for the same packages. These tests
//! need a real micromamba.
//!
//! No difference is allowed: whatever micromamba does differently (entry points, records, modes,
//! times, what it cannot link), the step does itself for every installer.

use std::fs;

use condafront_step_spec::install::{Installer, PythonSpec};
use condafront_testkit::channel::Channel;
use condafront_testkit::needs;

use super::package::{Format, PLACEHOLDER, Package};
use super::step::{Step, mount_channel};

/// Runs the step that `make` returns with each installer and compares the results.
pub(crate) fn compare(make: impl Fn() -> Step) {
    let micromamba = needs::micromamba();
    let [native, with_micromamba] = [Installer::Native, Installer::Micromamba].map(|installer| {
        let mut step = make();
        step.spec.installer = installer;
        fs::create_dir(&step.micromamba).unwrap();
        fs::copy(&micromamba, step.micromamba.join("micromamba")).unwrap();
        step.run().unwrap();
        step.listing()
    });
    let differences: Vec<String> = native
        .lines()
        .zip(with_micromamba.lines())
        .filter(|(a, b)| a != b)
        .map(|(a, b)| format!("native     {a:.300}\nmicromamba {b:.300}\n"))
        .take(10)
        .collect();
    assert!(
        native == with_micromamba,
        "{} and {} lines\n{}",
        native.lines().count(),
        with_micromamba.lines().count(),
        differences.join("\n")
    );
}

#[test]
#[ignore = "needs a micromamba"]
fn needs_micromamba_every_kind_of_path_is_linked_alike() {
    let packages = [
        Package::new("tool")
            .file_with_mode("bin/tool", "tool", 0o755)
            .file_with_mode("bin/private", "private", 0o600)
            .file("bin/.tool-post-link.sh", "touch $PREFIX/ran; exit 1\n")
            .file("bin/.tool-pre-link.sh", "touch $PREFIX/ran\n")
            .file("bin/.tool-pre-unlink.sh", "exit 1\n")
            .file("lib/libtool.so.1", "library")
            .symlink("lib/libtool.so", "libtool.so.1")
            .symlink("lib/dangling", "not-here")
            .symlink("share/lib", "../lib")
            .hard_link("bin/tool-2", "bin/tool")
            .directory("share/tool/empty")
            .file("conda-meta/tool-pin", "tool 1.0\n")
            .file("CACHEDIR.TAG", "tag")
            .file("share/name with space and ü", "name"),
        Package::new("pure")
            .format(Format::TarBz2)
            .noarch_python(&["pure = pure.cli:main", "pure-2 = pure:a.b"])
            .file("site-packages/pure/cli.py", "def main(): pass\n")
            .file_with_mode("python-scripts/pure-script", "#!python\n", 0o755)
            .file("bin/.pure-post-link.sh", "exit 1\n")
            .file("share/pure/data", "data"),
    ];
    compare(|| Step::new(&packages));
    let [tool, pure] = packages;
    let old = [tool.of_old_form(), pure.of_old_form()];
    compare(|| Step::new(&old));
}

#[test]
#[ignore = "needs a micromamba"]
fn needs_micromamba_prefixes_are_replaced_alike() {
    let p = PLACEHOLDER;
    let long = "x".repeat(120);
    let text = [
        format!("#!{p}/bin/python -E\n'{p}' {p}{p}\n"),
        format!("#! {p}/bin/sh\r\nroot={p}\r\n"),
        format!("#!{p}/bin/{long}/perl -w\n{p}\n"),
        format!("#!/usr/bin/env {p}/bin/sh"),
        format!("no newline {p}"),
        "no placeholder\n".to_owned(),
    ];
    let binary = [
        format!("\0{p}/lib\0tail"),
        format!("{p}/lib:{p}/lib64:/usr/lib\0{p}\0\0{p}/x\0"),
        format!("a{p}\0"),
        format!("#!{p}/bin/python\n\0rest"),
        "none\0".to_owned(),
    ];
    let mut package = Package::new("prefixes");
    for (index, content) in text.iter().enumerate() {
        let name = format!("share/text-{index}");
        package = package.file_with_prefix(&name, content.as_bytes(), "text");
    }
    let latin = [p.as_bytes(), b" \xe9\xff\n"].concat();
    package = package.file_with_prefix("share/latin", &latin, "text");
    for (index, content) in binary.iter().enumerate() {
        let name = format!("share/binary-{index}");
        package = package.file_with_prefix(&name, content.as_bytes(), "binary");
    }
    for package in [package.clone(), package.of_old_form()] {
        compare(|| Step::new(std::slice::from_ref(&package)));
    }
}

#[test]
#[ignore = "needs a micromamba"]
fn needs_micromamba_clashes_are_decided_alike() {
    let one = Package::new("one")
        .file("share/x", "one")
        .file("share/link", "a file")
        .file("share/one", "");
    let two = Package::new("two")
        .noarch_python(&["x = two:main"])
        .file("share/x", "two")
        .symlink("share/link", "x");
    let three = Package::new("three")
        .file("bin/x", "a file")
        .symlink("share/x", "link");
    for packages in [
        [&one, &two, &three],
        [&three, &two, &one],
        [&two, &three, &one],
    ] {
        let packages = packages.map(Clone::clone);
        compare(|| Step::new(&packages));
    }
}

#[test]
#[ignore = "needs a micromamba"]
fn needs_micromamba_a_file_below_another_packages_link_is_linked_alike() {
    let packages = [
        Package::new("lib")
            .file("lib/a", "a")
            .symlink("lib64", "lib"),
        Package::new("user").file("lib64/b", "b"),
    ];
    compare(|| Step::new(&packages));
}

#[test]
#[ignore = "needs a micromamba"]
fn needs_micromamba_modules_go_where_python_wants_them_alike() {
    let pure = Package::new("pure")
        .noarch_python(&["pure = pure:main"])
        .file("site-packages/pure.py", "def main(): pass\n");
    let python = Package::new("python").file_with_mode("bin/python1.0", "python", 0o755);
    for (version, tag, packages) in [
        ("3.13", "3.13", vec![pure.clone()]),
        ("3.13", "3.13t", vec![pure.clone()]),
        ("1.0", "1.0", vec![python, pure]),
    ] {
        compare(|| {
            let mut step = Step::new(&packages);
            step.spec.python = Some(PythonSpec {
                version: version.into(),
                site_packages: format!("lib/python{tag}/site-packages"),
                runtime: false,
            });
            step
        });
    }
}

/// Compares the newest version of every package of `channel` that installs on `platform`.
fn compare_channel(channel: &Channel, platform: &str) {
    let packages: Vec<_> = channel
        .packages()
        .iter()
        .filter(|package| package.subdir == platform || package.subdir == "noarch")
        .filter(|package| package.version == channel.find_for(platform, &package.name).version)
        .collect();
    compare(|| {
        let mut step = Step::new(&[]);
        mount_channel(&mut step, channel, &packages);
        step
    });
}

#[test]
#[ignore = "needs a micromamba"]
fn needs_micromamba_the_small_channel_is_linked_alike() {
    compare_channel(Channel::small(), "linux-64");
}

#[test]
#[ignore = "needs a micromamba"]
fn needs_micromamba_real_packages_are_linked_alike() {
    compare_channel(Channel::open(), "linux-64");
}

#[test]
#[ignore = "needs a micromamba"]
fn needs_micromamba_packages_of_another_platform_are_linked_alike() {
    compare_channel(Channel::open(), "linux-aarch64");
}
