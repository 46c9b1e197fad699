//! Messages about commands that fail.

use std::collections::BTreeMap;

use super::*;
use condafront_input::section::{Mount, Sharing};
use condafront_model::source::Lines;

fn command(text: &str) -> RunCommand {
    let secret = |id: &str, required| Mount {
        kind: MountKind::Secret {
            id: id.to_owned(),
            target: None,
            env: None,
            required,
        },
        mode: None,
        uid: None,
        gid: None,
        lines: Lines::one(1),
    };
    let mut cache = secret("", false);
    cache.kind = MountKind::Cache {
        target: "/c".to_owned(),
        id: "token".to_owned(),
        sharing: Sharing::Shared,
        readonly: false,
    };
    RunCommand {
        command: Command::Shell(text.to_owned()),
        mounts: vec![cache, secret("optional", false), secret("token", true)],
        network: Network::Host,
        user: None,
        args: BTreeMap::default(),
        lines: Lines::one(1),
    }
}

#[test]
fn failures_read_well() {
    let command = command("cd models\n\n  make https://me:hunter2@files.example/model\n");
    let mut all = String::new();
    for code in [1, 126, 127, 137] {
        let told = ended(&command, code, None, "/home/ada");
        all.push_str(&format!("{told}\n\n"));
    }
    let told = ended(&command, 127, Some("/bin/sh"), "/home/ada");
    all.push_str(&format!("{told}\n\n"));
    for message in [
        "failed to solve: secret token: not found",
        "granting entitlement network.host is not allowed by build daemon configuration",
    ] {
        let told = refused(&command, message).unwrap();
        all.push_str(&format!("{told}\n\n"));
    }
    assert_eq!(refused(&command, "secret optional: not found"), None);
    insta::assert_snapshot!(all);
}
