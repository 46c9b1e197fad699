//! Locks that builds write.

use condafront_testkit::engine::Store;

use crate::pip::{environment, fill_index};
use crate::project::{LOCK, Project, frontend};

/// One lock for each of the file's platforms, whether it is the engine's or not, with that platform's packages.
#[test]
fn locks_of_several_platforms_are_written_at_once() {
    let project = Project::new(Store::Containerd);
    let channel = project.channel();
    for (platforms, dependency, expected) in [
        (
            "[linux-64, linux-aarch64]",
            "bumpme",
            &["conda-linux-64.lock", "conda-linux-aarch64.lock"][..],
        ),
        (
            "[linux-aarch64, osx-arm64]",
            "bumpme",
            &["conda-linux-aarch64.lock"],
        ),
        ("[linux-64]", "file-kinds", &["conda-linux-64.lock"]),
    ] {
        let text = format!(
            "# syntax={}\nchannels: [\"{channel}\"]\nplatforms: {platforms}\ndependencies: [{dependency}]\n",
            frontend()
        );
        project.write("env.yml", text);
        let output = project.build_file(
            "env.yml",
            &[
                "--build-arg",
                "CONDA_OVERRIDE_GLIBC=2.36",
                "--target",
                "lock",
                "--output",
                "out",
            ],
        );
        let output = output.expect_success();
        let warning = "no lock is written for osx-arm64";
        let warned = output.stderr.contains(warning);
        assert_eq!(warned, platforms.contains("osx"), "{}", output.stderr);
        let mut found = Vec::new();
        for entry in std::fs::read_dir(project.path("out")).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let text = std::fs::read_to_string(&path).expect("a lock");
            let platform = name.trim_start_matches("conda-").trim_end_matches(".lock");
            assert!(
                text.contains(&format!("# platform: {platform}\n")),
                "{text}"
            );
            assert!(text.contains(&format!("/{dependency}-")), "{text}");
            found.push(name.into_owned());
        }
        found.sort();
        assert_eq!(found, expected);
        std::fs::remove_dir_all(project.path("out")).expect("a folder of ours");
    }
}

/// A written lock lists what pip found, and gives the same layers.
#[test]
fn a_written_lock_has_what_pip_finds() {
    let project = Project::new(Store::Containerd);
    let index = fill_index(&project);
    environment(&project, &["hello.world<2"]);
    let args = ["--network", "host", "--build-arg", &index];
    let lock = ["--target", "lock", "--output", "out"];
    project
        .build_file(LOCK, &[&args[..], &lock].concat())
        .expect_success();
    let written = std::fs::read_to_string(project.path("out/conda-linux-64.lock")).expect("a lock");
    let entries: Vec<&str> = written
        .lines()
        .filter(|line| line.starts_with("# pip "))
        .collect();
    assert_eq!(entries.len(), 2, "{written}");
    assert!(
        entries.iter().all(|entry| entry.contains("#sha256=")),
        "{written}"
    );

    let solved = project.push("solved", &args);
    project.write(LOCK, &written);
    let locked = project.push("locked", &[]);
    assert_eq!(solved.layers, locked.layers);
}
