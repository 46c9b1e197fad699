//! The rules in Rego of docs/policy.md, evaluated with what buildx tells a policy about the sources of a build.

use std::fs;
use std::process::Command;

use condafront_testkit::rego;
use serde_json::{Value, json};

const DOCUMENT: &str = include_str!("../docs/policy.md");

/// The document's rules.
fn policy() -> &'static str {
    let (_, rest) = DOCUMENT.split_once("```rego\n").expect("a policy in Rego");
    rest.split("```").next().expect("the end of the policy")
}

/// What a build of `lock` fetches, as BuildKit names it.
fn sources(lock: &str) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("env.lock"), lock).expect("a lock");
    let mut command = Command::new(env!("CARGO_BIN_EXE_condafront"));
    command.args(["llb", "env.lock", "--text"]);
    let output = command.current_dir(folder.path()).output();
    let output = output.expect("condafront runs");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    let text = String::from_utf8(output.stdout).expect("text");
    let sources = text.lines().filter_map(|line| {
        let (number, source) = line.split_once(" source ")?;
        number.starts_with('#').then(|| source.to_owned())
    });
    sources.collect()
}

/// What buildx knows about a source before anything is fetched (`sourceToInput` in `policy/validate.go`).
fn input(source: &str) -> Value {
    let (scheme, rest) = source.split_once("://").expect("a source");
    let env = json!({"filename": "env.lock"});
    match scheme {
        "local" => json!({"env": env, "local": {"name": rest}}),
        "https" => {
            let (host, path) = rest.split_once('/').expect("a path");
            let http =
                json!({"url": source, "schema": scheme, "host": host, "path": format!("/{path}")});
            json!({"env": env, "http": http})
        }
        "docker-image" => {
            let (name, digest) = rest.split_once('@').unzip();
            let name = name.unwrap_or(rest);
            let (repository, tag) = name.rsplit_once(':').expect("a tag");
            let (host, path) = repository.split_once('/').expect("a registry");
            let mut image = json!({
                "ref": rest, "host": host, "repo": path.trim_start_matches("library/"), "fullRepo": repository,
                "tag": tag, "platform": "linux/amd64", "os": "linux", "arch": "amd64",
            });
            if let Some(digest) = digest {
                image["isCanonical"] = true.into();
                image["checksum"] = digest.into();
            }
            json!({"env": env, "image": image})
        }
        _ => panic!("buildx does not know {source}"),
    }
}

/// The sources that are denied, with the reason.
fn denied(sources: &[String]) -> Vec<(&str, String)> {
    let inputs: Vec<Value> = sources.iter().map(|source| input(source)).collect();
    let decisions = rego::decisions(policy(), &inputs);
    assert_eq!(decisions.len(), sources.len());
    let decided = sources.iter().zip(&decisions);
    let denied = decided.filter(|(_, decision)| decision["allow"] != true);
    denied
        .map(|(source, decision)| {
            assert_eq!(decision["allow"], false, "{source}");
            (source.as_str(), decision["deny_msg"].to_string())
        })
        .collect()
}

fn lock(channel: &str) -> String {
    let hash = "1".repeat(64);
    format!(
        "# syntax=org/condafront:1\n# platform: linux-64\n@EXPLICIT\n{channel}/noarch/tzdata-2025b-h78e105d_0.conda#{hash}\n"
    )
}

#[test]
fn rules_in_rego_allow_a_build_from_one_channel_and_nothing_else() {
    const CHANNEL: &str = "https://conda.anaconda.org/conda-forge";
    let digest = format!("sha256:{}", "2".repeat(64));
    let mut good = sources(&lock(CHANNEL));
    // What else a build fetches: the user's files, repodata, and the base image once its tag is resolved.
    good.extend([
        "local://context".to_owned(),
        "local://dockerfile".to_owned(),
        format!("{CHANNEL}/noarch/repodata.json.zst"),
        format!("{CHANNEL}/linux-64/repodata_shards.msgpack.zst"),
        format!("docker-image://docker.io/library/debian:13-slim@{digest}"),
        format!("docker-image://docker.io/org/condafront:1@{digest}"),
    ]);
    for kind in [
        "docker-image://docker.io/org/condafront:",
        "docker-image://docker.io/library/debian:",
        "https://conda.anaconda.org/conda-forge/noarch/tzdata-",
        "https://conda.anaconda.org/conda-forge/linux-64/micromamba-",
    ] {
        assert!(
            good.iter().any(|it| it.starts_with(kind)),
            "{kind}: {good:?}"
        );
    }
    assert_eq!(denied(&good), []);

    let bad = [
        "https://conda.anaconda.org/other/noarch/tzdata-2025b-h78e105d_0.conda",
        "https://conda.anaconda.org/conda-forge.evil/noarch/repodata.json.zst",
        "https://evil.example/conda.anaconda.org/conda-forge/noarch/a-1-0.conda",
        "https://files.pythonhosted.org/packages/a/b/six-1.17.0-py2.py3-none-any.whl",
        "docker-image://docker.io/library/debian:12-slim",
        "docker-image://docker.io/library/ubuntu:24.04",
        "docker-image://registry.example/library/debian:13-slim",
        "docker-image://docker.io/evil/condafront:1",
    ];
    let bad = bad.map(str::to_owned);
    let found = denied(&bad);
    let names: Vec<&str> = found.iter().map(|(source, _)| *source).collect();
    assert_eq!(names, bad);
    let (source, reason) = &found[0];
    assert_eq!(*reason, format!("[\"{source} is not allowed\"]"));

    // A file with a package of a different channel: only that package is denied.
    let other = sources(&lock("https://conda.anaconda.org/other"));
    let found = denied(&other);
    let names: Vec<&str> = found.iter().map(|(source, _)| *source).collect();
    assert_eq!(names, [bad[0].as_str()]);
}
