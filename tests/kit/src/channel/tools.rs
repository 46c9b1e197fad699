//! Programs needed to make a channel. On a bare Debian machine, they are installed first.

use std::process::Command;

use crate::engine::run;

/// Makes sure that `probe` runs, by installing Debian packages if it does not.
fn ensure(probe: &[&str], packages: &[&str]) {
    let runs = Command::new(probe[0])
        .args(&probe[1..])
        .output()
        .is_ok_and(|output| output.status.success());
    if !runs {
        run(Command::new("apt-get")
            .args(["install", "-y", "-qq", "--no-install-recommends"])
            .args(packages)
            .env("DEBIAN_FRONTEND", "noninteractive"))
        .expect_success();
    }
}

/// The C compiler, `cc`.
pub(super) fn cc() -> Command {
    ensure(&["cc", "--version"], &["gcc", "libc6-dev"]);
    Command::new("cc")
}

/// `python3 -m pip`.
pub(crate) fn pip() -> Command {
    ensure(&["python3", "-m", "pip", "--version"], &["python3-pip"]);
    let mut command = Command::new("python3");
    command.args(["-m", "pip"]);
    command
}
