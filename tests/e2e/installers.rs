//! Where micromamba comes from, and the errors if it cannot be downloaded. Tests that run it need a real one.

use std::fs;
use std::path::Path;

use condafront_testkit::engine::{Output, Store, registry};
use condafront_testkit::needs::micromamba;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::project::{Project, base};

/// A conda package of the program, as on conda-forge.
pub(crate) fn package_of(program: &Path) -> Vec<u8> {
    let index = json!({
        "name": "micromamba", "version": "2.8.1", "build": "0", "build_number": 0,
        "subdir": "linux-64", "depends": [],
    });
    let program = fs::read(program).expect("the binary that MICROMAMBA names");
    let files = [
        ("info/index.json", 0o644, index.to_string().into_bytes()),
        ("bin/micromamba", 0o755, program),
    ];
    let level = bzip2::Compression::fast();
    let mut tar = tar::Builder::new(bzip2::write::BzEncoder::new(Vec::new(), level));
    for (path, mode, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_mode(mode);
        header.set_size(content.len() as u64);
        header.set_mtime(0);
        tar.append_data(&mut header, path, &*content)
            .expect("a tar entry in memory");
    }
    tar.into_inner()
        .and_then(bzip2::write::BzEncoder::finish)
        .expect("an archive in memory")
}

/// `--build-arg` of each pair.
fn build_args(args: &[(&str, &str)]) -> Vec<String> {
    args.iter()
        .flat_map(|(name, value)| ["--build-arg".to_owned(), format!("{name}={value}")])
        .collect()
}

/// Builds with version `version` of micromamba, from a mirror of conda-forge.
pub(crate) fn build_with_package(project: &Project, version: &str, more: &[&str]) -> Output {
    let mirror = format!(
        "https://conda.anaconda.org={}",
        project.server.url("/mirror")
    );
    let args = build_args(&[("CONDA_MIRRORS", &mirror), ("MICROMAMBA_VERSION", version)]);
    let args: Vec<&str> = args
        .iter()
        .map(String::as_str)
        .chain(more.iter().copied())
        .collect();
    project.build_as_is(&args)
}

/// Puts a package of micromamba on the mirror of conda-forge and returns its hash.
pub(crate) fn serve_package(project: &Project, number: &str, package: Vec<u8>) -> String {
    let hash = hex::encode(Sha256::digest(&package));
    let path = format!("/mirror/conda-forge/linux-64/micromamba-{number}.tar.bz2");
    project.server.put(&path, package);
    hash
}

/// A project with packages that have links, need a shell, and whose files clash.
fn small_project(store: Store) -> Project {
    let project = Project::new(store);
    project.lock(&["file-kinds", "post-link-demo", "clash-a", "clash-b"]);
    project
}

#[test]
#[ignore = "needs a micromamba"]
fn needs_micromamba_it_may_come_from_a_folder_or_an_image() {
    let program = micromamba();
    let project = small_project(Store::Containerd);
    let folder = project.path("installer");
    fs::create_dir(&folder).expect("a folder");
    fs::copy(&program, folder.join("micromamba")).expect("a copy of micromamba");
    let dockerfile = "FROM scratch\nCOPY micromamba /usr/local/bin/micromamba\n";
    fs::write(folder.join("Dockerfile"), dockerfile).expect("a Dockerfile");
    let folder = folder.display().to_string();
    let image = format!("{}/{}-micromamba", registry(), project.name());
    project
        .docker(&["build", "--push", "-t", &image, &folder])
        .expect_success();

    for context in [&folder, &format!("docker-image://{image}")] {
        let context = format!("micromamba={context}");
        project
            .build_as_is(&["--no-cache", "--build-context", &context])
            .expect_success();
        let script = "cat /opt/conda/share/post-link-demo/*; /opt/conda/bin/file-kinds-link";
        let output = project.run(&[], &["sh", "-c", script]).expect_success();
        assert!(output.stdout.starts_with("post-link\n"), "{output:?}");
        assert!(output.stdout.ends_with("file-kinds\n"), "{output:?}");
    }
}

#[test]
fn an_image_without_micromamba_is_an_error() {
    let project = small_project(Store::Containerd);
    let context = format!("micromamba=docker-image://{}", base());
    let output = project.build_as_is(&["--build-context", &context]);
    expect_error(
        &output,
        &["there is no micromamba", "usr/local/bin/micromamba"],
    );
}

/// Checks that the build failed with a message that contains each of these parts.
fn expect_error(output: &Output, parts: &[&str]) {
    assert!(!output.status.success(), "{}", output.stderr);
    let message = output.stderr.split("ERROR: failed to build").last();
    let message = message.unwrap_or_default();
    for part in parts {
        assert!(message.contains(part), "no {part:?} in\n{}", output.stderr);
    }
}

#[test]
fn a_failed_download_of_micromamba_says_what_to_do() {
    const FAILED: &str = "micromamba-2.8.1-0 cannot be downloaded";
    const NATIVE: &str = "--build-arg CONDAFRONT_INSTALLER=native";
    let project = small_project(Store::Containerd);
    // As without internet.
    let nowhere = "CONDA_MIRRORS=https://conda.anaconda.org=http://conda.invalid";
    let unreachable = project.build_as_is(&["--build-arg", nowhere]);
    expect_error(&unreachable, &[FAILED, "http://conda.invalid/", NATIVE]);
    // The error points at the line in the user's file that names condafront.
    assert!(
        unreachable.stderr.contains("\nenv.lock:1\n"),
        "{}",
        unreachable.stderr
    );

    let missing = build_with_package(&project, "2.8.1", &[]);
    expect_error(
        &missing,
        &[FAILED, "404 Not Found", "MICROMAMBA_VERSION=", NATIVE],
    );

    let found = serve_package(&project, "2.8.1-0", b"another file".to_vec());
    for version in ["2.8.1", &format!("2.8.1#sha256:{}", "0".repeat(64))] {
        let expected = match version.split_once(':') {
            Some((_, hash)) => hash,
            // The known hash of conda-forge's package.
            None => "a934c3709c997feae403a27fd1e321c106d26ffa4f294800ffb11cbc9a3e8515",
        };
        let replaced = build_with_package(&project, version, &[]);
        expect_error(
            &replaced,
            &[FAILED, expected, &found, "before you trust it", NATIVE],
        );
    }
}

const WARNING: &str = "micromamba-2.8.1-7 has no hash: nothing checks what is downloaded";

#[test]
fn a_micromamba_without_a_hash_is_a_warning() {
    let project = small_project(Store::Containerd);
    let check = build_with_package(&project, "2.8.1-7", &["--call=check"]);
    assert!(check.stdout.contains("UnverifiedInstaller"), "{check:?}");
    assert!(check.stdout.contains(WARNING), "{check:?}");
}

#[test]
#[ignore = "needs a micromamba"]
fn needs_micromamba_one_without_a_hash_is_used_with_a_warning() {
    let program = micromamba();
    let project = small_project(Store::Containerd);
    let hash = serve_package(&project, "2.8.1-7", package_of(&program));
    let output = build_with_package(&project, "2.8.1-7", &[]).expect_success();
    assert!(output.stderr.contains(WARNING), "{}", output.stderr);
    let pinned = format!("2.8.1-7#sha256:{hash}");
    let output = build_with_package(&project, &pinned, &[]).expect_success();
    assert!(
        !output.stderr.contains("UnverifiedInstaller"),
        "{}",
        output.stderr
    );
}
