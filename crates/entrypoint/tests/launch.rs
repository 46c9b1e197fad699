//! What the entrypoint does in images with and without records. A directory replaces the image's
//! root.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::Path;

use condafront_entrypoint::activation::Variables;
use condafront_entrypoint::home::Identity;
use condafront_entrypoint::launch::{Launch, Problem, prepare};
use condafront_entrypoint::record::{Change, Record, Script, ScriptUse};
use condafront_entrypoint::store::encode_variables;

const SHARE: &str = "usr/local/share/condafront";
const IMAGE_USER: u32 = 57439;

struct Image {
    dir: Temporary,
}

/// A directory that is removed at the end of a test.
struct Temporary(std::path::PathBuf);

impl Temporary {
    fn new(name: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("entrypoint-{}-{name}", std::process::id()));
        fs::create_dir(&dir).expect("mkdir");
        Self(dir)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // A failure does no harm: the directory is temporary.
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Image {
    /// An image with a shell, a user, and the environments `base` (recorded, the default), `r`
    /// (recorded) and `made` (created later, without a record).
    fn new(test: &str) -> Self {
        let image = Self {
            dir: Temporary::new(test),
        };
        image.file("bin/sh", b"");
        image.file(
            "etc/passwd",
            b"root:x:0:0::/root:/bin/sh\nmambauser:x:57439:57439::/home/mambauser:/bin/sh\n",
        );
        for (dir, owner, mode) in [
            ("root", 0, 0o700),
            ("home/mambauser", IMAGE_USER, 0o755),
            ("tmp", 0, 0o1777),
        ] {
            let dir = image.root().join(dir);
            fs::create_dir_all(&dir).expect("mkdir");
            fs::set_permissions(&dir, fs::Permissions::from_mode(mode)).expect("chmod");
            chown(&dir, Some(owner), Some(owner)).expect("chown, which needs root");
        }
        image.record("base", &record("base", "/opt/conda", Vec::new()));
        image.record("r", &record("r", "/opt/conda/envs/r", Vec::new()));
        image.file(&format!("{SHARE}/default"), b"base\n");
        image.file(&format!("{SHARE}/plain.env"), &encode_variables(&plain()));
        image.file("opt/conda/envs/made/conda-meta/history", b"");
        image.file(
            "opt/conda/envs/made/etc/conda/env_vars.d/a.json",
            b"{\"MADE\": \"1\", \"PATH\": \"/nowhere\", \"ENV_NAME\": \"base\"}",
        );
        image
    }

    fn root(&self) -> &Path {
        &self.dir.0
    }

    fn file(&self, path: &str, contents: &[u8]) {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("mkdir");
        fs::write(path, contents).expect("write");
    }

    fn record(&self, name: &str, record: &Record) {
        self.file(&format!("{SHARE}/envs/{name}/record"), &record.encode());
    }

    fn run(&self, changes: &[(&str, &str)], uid: u32) -> Result<Launch, Problem> {
        let mut env = activated();
        env.extend(vars(changes));
        self.run_with(env, &["cmd", "a b"], uid)
    }

    fn run_with(&self, env: Variables, command: &[&str], uid: u32) -> Result<Launch, Problem> {
        let identity = Identity {
            uid,
            groups: vec![uid],
        };
        let command = command.iter().map(OsString::from).collect();
        prepare(self.root(), command, env, Some(&identity))
    }
}

fn vars(pairs: &[(&str, &str)]) -> Variables {
    pairs
        .iter()
        .map(|(key, value)| (key.into(), value.into()))
        .collect::<BTreeMap<OsString, OsString>>()
}

fn record(name: &str, prefix: &str, scripts: Vec<Script>) -> Record {
    let set = |key: &str, value: &str| Change::Set(key.into(), value.into());
    Record {
        prefix: prefix.into(),
        changes: vec![
            set("PATH", &format!("{prefix}/bin:/usr/bin:/bin")),
            set("CONDA_PREFIX", prefix),
            set("CONDA_DEFAULT_ENV", name),
            set("CONDA_SHLVL", "1"),
            set("MAMBA_ROOT_PREFIX", "/opt/conda"),
            set("ENV_NAME", name),
            set("MODE", name),
        ],
        scripts,
    }
}

fn plain() -> Variables {
    vars(&[("PATH", "/usr/bin:/bin"), ("MODE", "plain")])
}

/// The variables of a container of the image.
fn activated() -> Variables {
    vars(&[
        ("PATH", "/opt/conda/bin:/usr/bin:/bin"),
        ("CONDA_PREFIX", "/opt/conda"),
        ("CONDA_DEFAULT_ENV", "base"),
        ("CONDA_SHLVL", "1"),
        ("MAMBA_ROOT_PREFIX", "/opt/conda"),
        ("ENV_NAME", "base"),
        ("MODE", "base"),
        ("MAMBA_USER", "mambauser"),
        ("HOME", "/home/mambauser"),
    ])
}

fn value<'a>(launch: &'a Launch, key: &str) -> Option<&'a str> {
    launch
        .env
        .get(OsStr::new(key))
        .and_then(|value| value.to_str())
}

fn words(launch: &Launch) -> Vec<&str> {
    launch
        .command
        .iter()
        .filter_map(|word| word.to_str())
        .collect()
}

#[test]
fn the_default_environment_needs_nothing() {
    let image = Image::new("default");
    let launch = image.run(&[], IMAGE_USER).expect("a command");
    assert_eq!(words(&launch), ["cmd", "a b"]);
    assert_eq!(launch.env, activated());
    assert!(launch.warnings.is_empty());
}

#[test]
fn skipping_leaves_the_plain_image() {
    let image = Image::new("skip");
    let launch = image
        .run(&[("MAMBA_SKIP_ACTIVATE", "1"), ("MINE", "x")], IMAGE_USER)
        .expect("a command");
    let mut expected = plain();
    expected.extend(vars(&[
        ("MAMBA_SKIP_ACTIVATE", "1"),
        ("MINE", "x"),
        ("MAMBA_USER", "mambauser"),
        ("HOME", "/home/mambauser"),
    ]));
    assert_eq!(launch.env, expected);
}

#[test]
fn another_recorded_environment_is_activated() {
    let image = Image::new("other");
    let launch = image
        .run(
            &[
                ("ENV_NAME", "r"),
                ("PATH", "/app:/opt/conda/bin:/usr/bin:/bin"),
            ],
            IMAGE_USER,
        )
        .expect("a command");
    assert_eq!(
        value(&launch, "PATH"),
        Some("/app:/opt/conda/envs/r/bin:/usr/bin:/bin")
    );
    assert_eq!(value(&launch, "CONDA_PREFIX"), Some("/opt/conda/envs/r"));
    assert_eq!(value(&launch, "MODE"), Some("r"));
    // A second entrypoint inside the first changes nothing.
    let again = image
        .run_with(launch.env.clone(), &["cmd"], IMAGE_USER)
        .expect("a command");
    assert_eq!(again.env, launch.env);
}

#[test]
fn an_environment_made_later_is_activated_by_name_and_by_path() {
    let image = Image::new("made");
    for name in ["made", "/opt/conda/envs/made"] {
        let launch = image
            .run(&[("ENV_NAME", name)], IMAGE_USER)
            .expect("a command");
        assert_eq!(
            value(&launch, "PATH"),
            Some("/opt/conda/envs/made/bin:/usr/bin:/bin")
        );
        assert_eq!(value(&launch, "CONDA_DEFAULT_ENV"), Some(name));
        assert_eq!(value(&launch, "MADE"), Some("1"));
        assert_eq!(value(&launch, "MODE"), Some("plain"));
        let again = image
            .run_with(launch.env.clone(), &["cmd"], IMAGE_USER)
            .expect("a command");
        assert_eq!(again.env, launch.env);
    }
}

#[test]
fn an_unknown_environment_is_an_error_that_lists_the_known_ones() {
    let image = Image::new("unknown");
    for name in ["nope", "../envs", "/tmp"] {
        let problem = image
            .run(&[("ENV_NAME", name)], IMAGE_USER)
            .expect_err("unknown");
        assert_eq!(problem.exit_code(), 1);
        assert_eq!(
            problem.to_string(),
            format!("ENV_NAME={name}: no such environment; this image has: base, made, r")
        );
    }
}

#[test]
fn an_empty_name_is_the_default() {
    let image = Image::new("empty");
    let launch = image
        .run(&[("ENV_NAME", "")], IMAGE_USER)
        .expect("a command");
    assert_eq!(value(&launch, "CONDA_DEFAULT_ENV"), Some("base"));
}

#[test]
fn an_image_without_records_runs_the_command() {
    let dir = Temporary::new("bare");
    let env = vars(&[("PATH", "/bin")]);
    let launch = prepare(&dir.0, vec!["cmd".into()], env.clone(), None).expect("a command");
    assert_eq!(launch.env, env);
    let problem = prepare(&dir.0, Vec::new(), env, None).expect_err("no shell");
    assert_eq!(problem.exit_code(), 127);
    assert_eq!(
        problem.to_string(),
        "no command given, and the image has no shell"
    );
}

#[test]
fn without_a_command_the_shell_starts() {
    let image = Image::new("shell");
    let launch = image
        .run_with(activated(), &[], IMAGE_USER)
        .expect("a shell");
    assert_eq!(words(&launch), ["/bin/sh"]);
    image.file("usr/bin/bash", b"");
    let launch = image
        .run_with(activated(), &[], IMAGE_USER)
        .expect("a shell");
    assert_eq!(words(&launch), ["/usr/bin/bash"]);
}

#[test]
fn scripts_run_at_the_start_only_if_needed() {
    let image = Image::new("scripts");
    let script = |file: &str, used| Script {
        file: file.into(),
        used,
    };
    let scripts = vec![
        script("a.sh", ScriptUse::Recorded),
        script("b.sh", ScriptUse::Start),
        script("c.sh", ScriptUse::Shells),
        script("gone.sh", ScriptUse::Start),
    ];
    image.record("base", &record("base", "/opt/conda", scripts));
    let dir = "opt/conda/etc/conda/activate.d";
    for name in ["a.sh", "b.sh", "c.sh", "installed later.sh", "x.fish"] {
        image.file(&format!("{dir}/{name}"), b"");
    }
    let launch = image.run(&[], IMAGE_USER).expect("a command");
    let program = format!(". '/{dir}/b.sh' >&2\n. '/{dir}/installed later.sh' >&2\nexec \"$@\"");
    assert_eq!(
        words(&launch),
        [
            "/bin/sh",
            "-c",
            &program,
            "condafront-entrypoint",
            "cmd",
            "a b"
        ]
    );
    let skipped = image
        .run(&[("MAMBA_SKIP_ACTIVATE", "1")], IMAGE_USER)
        .expect("a command");
    assert_eq!(words(&skipped), ["cmd", "a b"]);
    fs::remove_file(image.root().join("bin/sh")).expect("rm");
    let launch = image.run(&[], IMAGE_USER).expect("a command");
    assert_eq!(words(&launch), ["cmd", "a b"]);
    assert_eq!(launch.warnings.len(), 1, "{:?}", launch.warnings);
}

#[test]
fn a_damaged_record_is_an_error() {
    let image = Image::new("damaged");
    image.file(&format!("{SHARE}/envs/r/record"), b"nonsense");
    let problem = image
        .run(&[("ENV_NAME", "r")], IMAGE_USER)
        .expect_err("damaged");
    assert!(problem.to_string().contains("environment r"), "{problem}");
}

#[test]
fn unknown_users_get_a_home_they_can_write_to() {
    let image = Image::new("home");
    // Docker sets HOME=/ for a user without an account.
    let stranger = image.run(&[("HOME", "/")], 1234).expect("a command");
    assert_eq!(value(&stranger, "HOME"), Some("/tmp"));
    assert_eq!(value(&stranger, "USER"), Some("mambauser"));
    let home = image.root().join("home/mambauser");
    fs::set_permissions(&home, fs::Permissions::from_mode(0o777)).expect("chmod");
    let stranger = image.run(&[("HOME", "/")], 1234).expect("a command");
    assert_eq!(value(&stranger, "HOME"), Some("/home/mambauser"));
    let chosen = image
        .run(&[("HOME", "/root"), ("USER", "me")], 1234)
        .expect("a command");
    assert_eq!(
        (value(&chosen, "HOME"), value(&chosen, "USER")),
        (Some("/root"), Some("me"))
    );
    let missing = image.run(&[("HOME", "/gone")], 1234).expect("a command");
    assert_eq!(value(&missing, "HOME"), Some("/home/mambauser"));
    assert_eq!(
        missing.warnings,
        ["HOME=/gone: no such directory; HOME is /home/mambauser"]
    );
    assert!(stranger.warnings.is_empty() && chosen.warnings.is_empty());
}

#[test]
fn known_users_get_their_own_home() {
    let image = Image::new("known");
    let root = image.run(&[("HOME", "")], 0).expect("a command");
    assert_eq!(
        (value(&root, "HOME"), value(&root, "USER")),
        (Some("/root"), None)
    );
    let user = image.run(&[("HOME", "/")], IMAGE_USER).expect("a command");
    assert_eq!(value(&user, "HOME"), Some("/home/mambauser"));
    let user = image.run(&[("HOME", "/data")], IMAGE_USER);
    assert_eq!(user.expect("a command").warnings.len(), 1);
    image.file("data/file", b"");
    let user = image
        .run(&[("HOME", "/data")], IMAGE_USER)
        .expect("a command");
    assert_eq!(value(&user, "HOME"), Some("/data"));
    assert!(user.warnings.is_empty());
}

#[test]
fn shells_may_be_links() {
    let image = Image::new("links");
    fs::remove_file(image.root().join("bin/sh")).expect("rm");
    image.file("bin/dash", b"");
    symlink("dash", image.root().join("bin/sh")).expect("symlink");
    let launch = image
        .run_with(activated(), &[], IMAGE_USER)
        .expect("a shell");
    assert_eq!(words(&launch), ["/bin/sh"]);
}
