//! What the steps of a locked environment may do, in the graph that BuildKit gets.

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
