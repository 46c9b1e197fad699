//! What steps may do: those of a locked environment in the graph that BuildKit gets, the others in the code that makes them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use buildkit_proto::pb;
use prost::Message as _;

const LOCK: &str = "\
# syntax=org/condafront
# platform: linux-64
@EXPLICIT
https://conda.example/forge/linux-64/python-3.13.5-h1_0_cp313.conda#sha256:1111111111111111111111111111111111111111111111111111111111111111
https://conda.example/forge/noarch/six-1.17.0-py_0.tar.bz2#33333333333333333333333333333333
https://conda.example/forge/noarch/tzdata-2025b-h78e105d_0.conda
# pip idna @ https://pypi.example/idna-3.7-py3-none-any.whl#sha256=2222222222222222222222222222222222222222222222222222222222222222
";

/// The commands in the graph of the lock.
fn commands(args: &[&str]) -> Vec<(pb::ExecOp, pb::Meta)> {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("env.lock"), LOCK).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_condafront"))
        .args(["llb", "env.lock"])
        .args(args)
        .current_dir(dir.path())
        .env_remove("BUILDKIT_SESSION_ID")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let graph = pb::Definition::decode(output.stdout.as_slice()).unwrap();
    let ops = graph.def.iter().map(|op| pb::Op::decode(op.as_slice()));
    let ops = ops.map(|op| op.unwrap().op);
    let commands = ops.filter_map(|op| match op {
        Some(pb::op::Op::Exec(exec)) => {
            let meta = exec.meta.clone().unwrap();
            Some((exec, meta))
        }
        _ => None,
    });
    commands.collect()
}

#[test]
fn steps_have_no_network_no_secrets_and_write_only_to_their_outputs() {
    for args in [&[][..], &["--build-arg", "CONDAFRONT_INSTALLER=native"]] {
        let commands = commands(args);
        // Each package, python for bytecode, the base's libc, the account, and more.
        assert!(commands.len() > 4, "{}", commands.len());
        for (exec, meta) in commands {
            let args = &meta.args;
            assert_eq!(exec.network(), pb::NetMode::None, "{args:?}");
            assert_eq!(exec.security(), pb::SecurityMode::Sandbox, "{args:?}");
            assert!(exec.secretenv.is_empty(), "{args:?}");
            for mount in &exec.mounts {
                let is_open = match mount.mount_type() {
                    pb::MountType::Bind => !mount.readonly && mount.output < 0,
                    pb::MountType::Tmpfs => false,
                    pb::MountType::Secret | pb::MountType::Ssh | pb::MountType::Cache => true,
                };
                assert!(!is_open, "{args:?}: {mount:?}");
            }
        }
    }
}

/// What steps may have besides read-only inputs and empty outputs, by how the code gives it.
const RIGHTS: &[(&str, &[&str])] = &[
    (
        "network",
        &[
            ".open(exec)",
            ".open(&mut step)",
            ".reach(step)",
            "NetMode::Sandbox",
            "NetMode::Host",
        ],
    ),
    (
        "secrets",
        &[
            "Secret::new(",
            "Ssh::new(",
            ".secret_env(",
            "authorities::mount(",
        ],
    ),
    ("caches", &["Cache::new("]),
    (
        "the image",
        &[
            ".write_root()",
            ".output_below(",
            ".changes_below(",
            ".discard_changes()",
        ],
    ),
    (
        "limits and hosts",
        &[".ulimit(", ".extra_host(", ".cgroup_parent("],
    ),
    ("security", &[".security(", "SecurityMode::Insecure"]),
];

/// Which files give which rights. Whoever adds a line here says why the step cannot do without.
const GIVEN: &[(&str, &[&str])] = &[
    // The rights themselves, for the files below.
    ("authorities.rs", &["secrets"]),
    ("network.rs", &["network", "secrets"]),
    ("step.rs", &["the image"]),
    // Post-link scripts: what they change below the prefix is kept, and nothing else.
    ("image.rs", &["the image"]),
    // A container as a platform starts it. Its changes are discarded.
    ("prove.rs", &["the image"]),
    // pip: indexes, their logins, and builds of packages that download what they need to be built.
    ("pip/network.rs", &["network", "secrets"]),
    ("pip/resolve.rs", &["network"]),
    // What one step hands to another without being in its cache key. Only metadata is read from it.
    ("pip/metadata.rs", &["caches"]),
    // The login of a repository whose history, or whose commit, a build asks for. Only git runs there.
    ("pip/history.rs", &["network", "secrets"]),
    ("pip/wheel.rs", &["network"]),
    ("pip/editable.rs", &["network", "the image"]),
    // Without network: files have been downloaded. What changes below the prefix is kept.
    ("pip/install.rs", &["the image"]),
    // Shards, which the solve finds one after the other.
    ("solve.rs", &["network", "secrets", "caches"]),
    // apt, apk and dnf.
    ("system.rs", &["network", "caches", "the image"]),
    // The user's own commands, with what they ask for.
    (
        "run.rs",
        &[
            "network",
            "secrets",
            "caches",
            "the image",
            "limits and hosts",
        ],
    ),
];

/// The files of a folder and its folders.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn only_steps_that_need_more_get_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut given = BTreeMap::new();
    for folder in ["crates/graph/src", "src"] {
        let folder = root.join(folder);
        let mut paths = Vec::new();
        files(&folder, &mut paths);
        for path in paths.iter().filter(|path| !path.ends_with("tests.rs")) {
            let text = std::fs::read_to_string(path).unwrap();
            // Without what is only in tests, and without comments.
            let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
            let lines = code
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"));
            let code: String = lines.collect();
            let has = |(name, ways): &(&'static str, &[&str])| {
                ways.iter().any(|way| code.contains(way)).then_some(*name)
            };
            let rights: Vec<&str> = RIGHTS.iter().filter_map(has).collect();
            if !rights.is_empty() {
                let name = path.strip_prefix(&folder).unwrap();
                given.insert(name.to_string_lossy().into_owned(), rights);
            }
        }
    }
    let expected = GIVEN.iter();
    let expected = expected.map(|(file, rights)| ((*file).to_owned(), rights.to_vec()));
    assert_eq!(given, expected.collect());
}
