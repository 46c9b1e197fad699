//! The steps inside the build: subcommands that the build graph runs.

#![warn(clippy::print_stderr)]

pub mod account;
pub mod activation;
mod authorities;
mod child;
mod conda_archive;
mod contents;
mod diff;
mod dist_info;
mod distribution;
mod failure;
mod file_times;
#[doc(hidden)]
pub mod fuzzing;
mod group_writable;
mod headers;
pub mod install;
pub mod local_channel;
mod mount_points;
mod parallel;
mod pip;
mod prove;
mod report;
mod rights;
mod root;
pub mod solve;
mod system;
mod untrusted;
mod verify;
mod visible_log;

use condafront_step_spec::args;
use std::fs;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, ExitCode};

use crate::install::Mounts;
use condafront_model::visible::visible;
use condafront_step_spec::account::AccountSpec;
use condafront_step_spec::activation::{RECORDED_FILE, RecordSpec};
use condafront_step_spec::args::StepSpec as _;
use condafront_step_spec::authorities::CHECK;
use condafront_step_spec::failure_report::{
    FAILED_CODE, FULL_DISK_CODE, FailureReport, REPORT_DIRS, SHOW_REPORT, SHOWN_DIR,
    UNREPORTED_CODE,
};
use condafront_step_spec::group_writable::RUN_GROUP_WRITABLE;
use condafront_step_spec::local_channel::LIST_DIR;
use condafront_step_spec::mounts::{BASE_DIR, FACTS_DIR, INPUT_DIR, OUTPUT_DIR};
use condafront_step_spec::pip::WORK_DIR;
use condafront_step_spec::pip_metadata::{METADATA_DIR, METADATA_SOURCE_DIR};
use condafront_step_spec::prove::PROBE_WRITE;

/// A step's name, and the function that runs it with the arguments after the name.
type Step = (&'static str, fn(&[String]) -> Result<(), FailureReport>);

const STEPS: &[Step] = &[
    ("install", |args| {
        Ok(install::install(args, &Mounts::default())?)
    }),
    ("python-runtime", |args| {
        Ok(install::python_runtime(
            args,
            &Mounts::default(),
            Path::new(BASE_DIR),
        )?)
    }),
    ("collect", |args| {
        Ok(install::collect(args, &Mounts::default())?)
    }),
    ("pick", |args| Ok(install::pick(args, &Mounts::default())?)),
    ("share", |args| {
        Ok(install::share(args, &Mounts::default())?)
    }),
    ("post-link", |args| {
        let root = Path::new("/");
        Ok(install::post_link(
            args,
            root,
            &Mounts::default(),
            &mut std::io::stderr(),
        )?)
    }),
    ("wheels", |args| {
        failure::of_pypi(install::install_wheels(args, &Mounts::default()))
    }),
    ("pip-fetched", |args| pip::fetched(args, &Mounts::default())),
    ("pip-install", |args| {
        pip::install(args, &Mounts::default(), &mut std::io::stderr())
    }),
    ("pip-resolve", |args| {
        let [metadata, work] = [METADATA_DIR, "/tmp/condafront"].map(Path::new);
        let log = &mut std::io::stderr();
        pip::resolve(args, &Mounts::default(), metadata, work, log)
    }),
    ("pip-metadata", |args| {
        let [source, target] = [METADATA_SOURCE_DIR, METADATA_DIR].map(Path::new);
        pip::hand_over_metadata(args, source, target)
    }),
    ("git-history", |args| {
        let home = Path::new("/tmp");
        pip::load_history(args, &Mounts::default(), home, &mut std::io::stderr())
    }),
    ("git-commit", |args| {
        let (home, work) = (Path::new("/tmp"), Path::new(WORK_DIR));
        pip::find_commit(args, &Mounts::default(), home, work, &mut std::io::stderr())
    }),
    ("pip-build", |args| {
        pip::build(args, &Mounts::default(), &mut std::io::stderr())
    }),
    ("pip-edit", |args| pip::edit(args, &mut std::io::stderr())),
    ("system", |args| {
        system::run(args, &Mounts::default(), &mut std::io::stderr())
    }),
    ("account", |args| {
        let (spec, _) = AccountSpec::from_args(args)?;
        let [base, out, facts] = [BASE_DIR, OUTPUT_DIR, FACTS_DIR].map(Path::new);
        account::run(&spec, base, out, facts)?;
        Ok(())
    }),
    ("libc", |_| {
        account::find_libc(Path::new(BASE_DIR), Path::new(FACTS_DIR))?;
        Ok(())
    }),
    ("reach", |args| {
        let [input, output, facts] = [INPUT_DIR, OUTPUT_DIR, FACTS_DIR].map(Path::new);
        Ok(solve::reach(
            args,
            input,
            output,
            facts,
            &mut std::io::stderr(),
        )?)
    }),
    ("solve", |args| {
        Ok(solve::run(
            args,
            Path::new(INPUT_DIR),
            Path::new(OUTPUT_DIR),
            &mut std::io::stderr(),
        )?)
    }),
    ("verify", |args| {
        verify::run(args, &Mounts::default(), &mut std::io::stderr())
    }),
    ("diff", |args| {
        diff::run(args, &Mounts::default(), &mut std::io::stderr())
    }),
    ("channel-conda", |args| {
        local_channel::conda(args, &Mounts::default(), Path::new(LIST_DIR))
    }),
    ("channel-pypi", |args| {
        local_channel::pypi(args, &Mounts::default())
    }),
    ("channel-check", |args| {
        local_channel::check(args, Path::new(INPUT_DIR), Path::new(OUTPUT_DIR))
    }),
    ("record-activation", |args| {
        let (mut spec, env) = RecordSpec::from_args(args)?;
        spec.env = env;
        let recorded = activation::record(
            &spec,
            &std::env::current_exe()?,
            Path::new("/tmp/condafront"),
        )?;
        let path = Path::new(FACTS_DIR).join(RECORDED_FILE);
        fs::write(path, serde_json::to_vec(&recorded)?)?;
        Ok(())
    }),
    ("prove", |args| {
        prove::run(args, &Mounts::default(), &mut std::io::stderr())
    }),
    (PROBE_WRITE, prove::write),
    (RUN_GROUP_WRITABLE, |args| {
        // The exit code is that of the program that was asked for, not of this one.
        std::process::exit(group_writable::run(args)?)
    }),
    ("dump-env", |args| match args {
        [file] => Ok(activation::dump_environment(Path::new(file))?),
        _ => Err(FailureReport::new("dump-env takes the file to write")),
    }),
    (CHECK, |_| authorities::check()),
    (SHOW_REPORT, |_| {
        Ok(report::show(Path::new(SHOWN_DIR), &mut io::stdout())?)
    }),
];

fn call(name: &str, args: &[String]) -> Result<(), FailureReport> {
    match STEPS.iter().find(|(known, _)| *known == name) {
        Some((_, step)) => step(args),
        None => Err(FailureReport::new(format!("there is no step {name}"))),
    }
}

/// Whether a subcommand is one of the steps.
pub fn is_step(name: &str) -> bool {
    STEPS.iter().any(|(known, _)| *known == name)
}

/// Whether this process has a step's arguments in its environment, where the build graph puts them.
pub fn has_handed_over() -> bool {
    std::env::var_os(args::variable(0)).is_some()
}

/// Starts the program again with `args` and the arguments in its environment, and without those variables: what a step
/// runs must not see them. Returns only if that fails.
#[expect(clippy::print_stderr, reason = "there is no step yet that has a log")]
pub fn restart(args: &[String]) -> ExitCode {
    let handed_over = args::handed_over(|name| std::env::var(name).ok());
    let program = match std::env::current_exe() {
        Ok(program) => program,
        Err(error) => {
            eprintln!("error: cannot find this program: {error}");
            return ExitCode::FAILURE;
        }
    };
    let mut command = Command::new(program);
    for index in 0..handed_over.len() {
        command.env_remove(args::variable(index));
    }
    let error = command.args(args).args(handed_over).exec();
    eprintln!("error: cannot start the step: {error}");
    ExitCode::FAILURE
}

/// Runs a step; its error goes to the build's log, and to the frontend as a report.
#[expect(clippy::print_stderr, reason = "this is the log of the step")]
pub fn run(name: &str, args: &[String]) -> ExitCode {
    match call(name, args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(report) => {
            let dirs = REPORT_DIRS.map(Path::new);
            if !dirs.iter().any(|dir| dir.is_dir()) {
                eprintln!("error: {}", visible(&outside(name, &report.message)));
                return ExitCode::FAILURE;
            }
            eprintln!("error: {}", visible(&report.message));
            // What the step ran must not replace its report.
            child::end_others();
            ExitCode::from(match report::leave(&report, &dirs) {
                Ok(()) => FAILED_CODE,
                Err(error) if is_full_disk(&error) => FULL_DISK_CODE,
                Err(_) => UNREPORTED_CODE,
            })
        }
    }
}

/// What to say where a step cannot leave a report. Only builds have what steps work with, except for the one that runs in
/// the place of the user's command.
fn outside(name: &str, message: &str) -> String {
    if [RUN_GROUP_WRITABLE, PROBE_WRITE].contains(&name) {
        return message.to_owned();
    }
    let way = match name {
        "verify" | "diff" => format!("docker build --target {name} -f FILE ."),
        _ => "docker build -f FILE .".to_owned(),
    };
    format!(
        "`{name}` is a step of a build, and works only there: {way}\nSee condafront --help. The step ended with: {message}"
    )
}

fn is_full_disk(error: &io::Error) -> bool {
    use io::ErrorKind::{QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded)
}

#[cfg(test)]
mod tests {
    use super::*;
    use condafront_step_spec::failure_report::{Culprit, REPORT_FILE};
    use condafront_step_spec::install::{PostLinkPackage, PostLinkSpec};

    #[test]
    fn a_command_of_the_user_gets_no_hint_about_steps() {
        assert_eq!(outside(RUN_GROUP_WRITABLE, "why"), "why");
        let told = outside("verify", "why");
        assert!(
            told.contains("--target verify") && told.ends_with("why"),
            "{told}"
        );
    }

    #[test]
    fn a_failure_is_reported_with_its_package() {
        let dir = tempfile::tempdir().unwrap();
        let script = dir.path().join("bin/.b-post-link.sh");
        fs::create_dir_all(script.parent().unwrap()).unwrap();
        fs::write(&script, "echo because\nexit 3\n").unwrap();
        let package = |name: &str| PostLinkPackage {
            name: name.to_owned(),
            version: "1".to_owned(),
            build_number: 0,
        };
        let spec = PostLinkSpec {
            prefix: dir.path().to_string_lossy().into_owned(),
            root_prefix: "/opt/conda".to_owned(),
            uid: 0,
            gid: 0,
            group_writable: false,
            home: "/root".to_owned(),
            packages: vec![package("a"), package("b")],
        };
        let args = spec.to_args(&[]).unwrap();
        let failed = call(&args[0], &args[1..]).unwrap_err();
        let out = tempfile::tempdir().unwrap();
        let path = out.path().join(REPORT_FILE);
        // A script has put a link there.
        let other = out.path().join("other");
        fs::write(&other, "other").unwrap();
        std::os::unix::fs::symlink(&other, &path).unwrap();
        report::leave(&failed, &[Path::new("/nonexistent"), out.path()]).unwrap();
        assert_eq!(fs::read_to_string(&other).unwrap(), "other");
        let report: FailureReport = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        assert_eq!(report, failed);
        assert_eq!(report.culprits, [Culprit::Package(1)]);
        assert!(report.message.ends_with("because"), "{report}");
    }
}
