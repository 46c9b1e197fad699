//! The binary itself, in an image without records: this machine.

use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

fn entrypoint(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_condafront-entrypoint"));
    command.args(args).env("HOME", "/tmp");
    command
}

fn run(args: &[&str]) -> Output {
    entrypoint(args).output().expect("it starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn the_command_takes_the_entrypoints_place() {
    let mut child = entrypoint(&["/bin/sh", "-c", "echo $$; exec sleep 60"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut line = Vec::new();
    let mut stdout = child.stdout.take().expect("a pipe");
    let mut byte = [0];
    while stdout.read(&mut byte).expect("output") == 1 && byte[0] != b'\n' {
        line.push(byte[0]);
    }
    assert_eq!(text(&line), child.id().to_string());
    let kill = Command::new("/bin/sh")
        .args(["-c", "kill -TERM $0", &child.id().to_string()])
        .status()
        .expect("kill");
    assert!(kill.success());
    assert_eq!(child.wait().expect("it ends").signal(), Some(15));
}

#[test]
fn arguments_output_and_status_are_the_commands() {
    let output = run(&[
        "/bin/sh",
        "-c",
        "printf '%s|' \"$@\"; exit 7",
        "sh",
        "a b",
        "--help",
        "",
    ]);
    assert_eq!(output.status.code(), Some(7));
    assert_eq!(text(&output.stdout), "a b|--help||");
    assert_eq!(text(&output.stderr), "");
}

#[test]
fn signals_are_as_without_the_entrypoint() {
    let args = ["-c", "grep -E '^Sig(Ign|Blk)' /proc/self/status"];
    let direct = Command::new("/bin/sh")
        .args(args)
        .output()
        .expect("a shell");
    let output = run(&["/bin/sh", args[0], args[1]]);
    assert_eq!(text(&output.stdout), text(&direct.stdout));
    assert!(!output.stdout.is_empty());
}

#[test]
fn the_path_of_the_variables_finds_the_command() {
    let output = entrypoint(&["sh", "-c", "echo found"])
        .env_clear()
        .env("HOME", "/tmp")
        .env("PATH", "/nowhere:/bin:/usr/bin")
        .output()
        .expect("it starts");
    assert_eq!(text(&output.stdout), "found\n");
}

#[test]
fn a_missing_command_is_127() {
    for command in ["no-such-command", "/no/such/command", "./no-such-command"] {
        let output = run(&[command]);
        assert_eq!(output.status.code(), Some(127));
        assert_eq!(
            text(&output.stderr),
            format!("condafront-entrypoint: {command}: command not found\n")
        );
    }
}

#[test]
fn a_file_that_cannot_be_executed_is_126() {
    let output = run(&["/etc/passwd"]);
    assert_eq!(output.status.code(), Some(126));
    let message = text(&output.stderr);
    assert!(
        message.starts_with("condafront-entrypoint: /etc/passwd: cannot be executed: Permission"),
        "{message}"
    );
}

#[test]
fn a_missing_interpreter_is_named_as_the_cause() {
    let script = temporary("script");
    fs::write(&script, "#!/no/such/interpreter\n").expect("write");
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("chmod");
    let output = run(&[&script.to_string_lossy()]);
    fs::remove_file(&script).expect("rm");
    assert_eq!(output.status.code(), Some(127));
    assert!(text(&output.stderr).contains("interpreter or dynamic loader"));
}

#[test]
fn without_a_command_a_shell_runs() {
    let output = entrypoint(&[])
        .stdin(Stdio::null())
        .output()
        .expect("it starts");
    assert!(output.status.success(), "{output:?}");
}

fn temporary(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("entrypoint-{}-{name}", std::process::id()))
}
