//! `record-activation` with real shells.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use condafront_step_spec::activation::{RecordSpec, Recorded};
use condafront_steps::activation::{RecordError, record};
use tempfile::TempDir;

struct Prefix {
    dir: TempDir,
}

impl Prefix {
    fn new(scripts: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        // The scripts run as another user.
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).expect("chmod");
        let prefix = Self { dir };
        let activate = prefix.path("opt/etc/conda/activate.d");
        fs::create_dir_all(&activate).expect("mkdir");
        for (name, text) in scripts {
            fs::write(activate.join(name), text).expect("write");
        }
        // Replaces the driver: the step only calls `driver dump-env FILE`.
        let driver = prefix.path("driver");
        fs::write(
            &driver,
            "#!/bin/sh\n[ \"$1\" = dump-env ] && exec /usr/bin/env -0 >\"$2\"\n",
        )
        .expect("write");
        fs::set_permissions(&driver, fs::Permissions::from_mode(0o755)).expect("chmod");
        prefix
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn record(&self, env: &[(&str, &str)]) -> Result<Recorded, RecordError> {
        let mut all = vec![("PATH".to_owned(), "/usr/bin:/bin".to_owned())];
        all.extend(
            env.iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned())),
        );
        let spec = RecordSpec {
            prefix: self.path("opt").to_string_lossy().into_owned(),
            env: all,
            uid: 57439,
            gid: 57439,
        };
        record(&spec, &self.path("driver"), &self.path("work"))
    }
}

#[test]
fn fixed_values_are_recorded() {
    let prefix = Prefix::new(&[
        (
            "10_a.sh",
            "export GDAL_DATA=\"$CONDA_PREFIX/share/gdal\"\necho set up >&2\nfalse\n",
        ),
        (
            "20_b.sh",
            "unset DEBUG\nexport PATH=\"/extra:$PATH\"\nLOCAL=1\nexport TEXT='a\n$b'\n",
        ),
        ("30_c.sh", "export AFTER=\"$GDAL_DATA/x\"\ncd /\n"),
        ("notes.txt", "exit 1"),
    ]);
    let recorded = prefix
        .record(&[("CONDA_PREFIX", "/opt/conda"), ("DEBUG", "1")])
        .expect("a recording");
    let set: Vec<(&str, &str)> = recorded
        .set
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .collect();
    let expected = [
        ("AFTER", "/opt/conda/share/gdal/x"),
        ("GDAL_DATA", "/opt/conda/share/gdal"),
        ("PATH", "/extra:/usr/bin:/bin"),
        ("TEXT", "a\n$b"),
    ];
    assert_eq!(set, expected);
    assert_eq!(recorded.unset, ["DEBUG"]);
    assert_eq!(recorded.scripts, ["10_a.sh", "20_b.sh", "30_c.sh"]);
    assert!(recorded.dynamic.is_empty() && recorded.shell_only.is_empty());
    assert_eq!(recorded.log, "10_a.sh:\nset up\n");
}

#[test]
fn values_that_depend_on_the_run_are_dynamic() {
    let prefix = Prefix::new(&[
        (
            "cache.sh",
            "export CACHE=\"$HOME/.cache\"\nexport FIXED=1\n",
        ),
        ("pid.sh", "export STARTED_BY=$$\n"),
        ("where.sh", "export WHERE=\"$PWD\"\n"),
        ("plain.sh", "export PLAIN=1\n"),
    ]);
    let recorded = prefix.record(&[]).expect("a recording");
    assert_eq!(recorded.dynamic, ["cache.sh", "pid.sh", "where.sh"]);
    let keys: Vec<&str> = recorded.set.keys().map(String::as_str).collect();
    assert_eq!(keys, ["FIXED", "PLAIN"]);
}

#[test]
fn functions_aliases_and_completions_are_for_shells() {
    let prefix = Prefix::new(&[
        ("alias.sh", "alias ll='ls -l'\n"),
        ("complete.sh", "complete -W 'a b' tool\n"),
        ("function.sh", "tool() { :; }\n"),
        ("exported.sh", "tidy() { :; }\nexport -f tidy\n"),
        (
            "helper.sh",
            "_helper() { export HELPED=1; }\n_helper\nunset -f _helper\n",
        ),
    ]);
    let recorded = prefix.record(&[]).expect("a recording");
    assert_eq!(
        recorded.shell_only,
        ["alias.sh", "complete.sh", "exported.sh", "function.sh"]
    );
    let keys: Vec<&str> = recorded.set.keys().map(String::as_str).collect();
    assert_eq!(keys, ["HELPED"]);
}

#[test]
fn a_script_that_ends_the_shell_is_named() {
    let prefix = Prefix::new(&[
        ("a.sh", "export A=1\n"),
        ("b.sh", "echo no licence\nexit 3\n"),
    ]);
    let error = prefix.record(&[]).expect_err("b.sh exits");
    let RecordError::Ended {
        script,
        status,
        output,
    } = &error
    else {
        panic!("{error}");
    };
    assert_eq!((script.as_str(), output.as_str()), ("b.sh", "no licence\n"));
    assert!(status.contains('3'), "{status}");
}

#[test]
fn a_script_with_a_syntax_error_is_named() {
    let prefix = Prefix::new(&[("a.sh", "if true; then\n")]);
    let error = prefix.record(&[]).expect_err("no fi");
    assert!(
        matches!(&error, RecordError::Syntax { script, .. } if script == "a.sh"),
        "{error}"
    );
}

#[test]
fn no_scripts_no_run() {
    let prefix = Prefix::new(&[]);
    assert_eq!(
        prefix.record(&[]).expect("nothing to do"),
        Recorded::default()
    );
}
