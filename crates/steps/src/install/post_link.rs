//! The post-link step: runs packages' own scripts in the finished root.

use std::env;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::error::{Error, ErrorKind, Result};
use super::normalize;
use crate::child::{self, ChildError};
use condafront_model::stamp::Owner;
use condafront_step_spec::args::StepSpec as _;
use condafront_step_spec::install::{PostLinkPackage, PostLinkSpec};

/// The `PATH` if the step's environment has none.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Activates the environment and then sources the script, `$1`, as conda and micromamba do.
const SHELL_CODE: &str = "\
for script in \"$CONDA_PREFIX\"/etc/conda/activate.d/*.sh; do
    if [ -r \"$script\" ]; then . \"$script\"; fi
done
. \"$1\"
";

/// Scripts leave messages for the user here, below the prefix.
const MESSAGES_FILE: &str = ".messages.txt";

/// How many bytes of a failing script's output the error quotes.
const QUOTED_BYTES: usize = 4000;

/// Runs the subcommand `post-link` with the arguments `args`. The scripts' output goes to `log`.
///
/// # Errors
/// A script that fails, or a root without a shell.
pub fn post_link(args: &[String], log: &mut dyn Write) -> Result<()> {
    let (spec, _) = PostLinkSpec::from_args(args)?;
    let prefix = Path::new(&spec.prefix);
    // File systems round times down, by less than this much.
    let start = SystemTime::now() - Duration::from_secs(1);
    for (index, package) in spec.packages.iter().enumerate() {
        run(package, &spec, log).map_err(|e| e.of_package(index))?;
    }
    let owner = Owner {
        uid: spec.uid,
        gid: spec.gid,
    };
    let start = start
        .duration_since(UNIX_EPOCH)
        .map_or(0, |time| time.as_secs());
    normalize::changed(prefix, i64::try_from(start).unwrap_or(i64::MAX), owner)
}

fn run(package: &PostLinkPackage, spec: &PostLinkSpec, log: &mut dyn Write) -> Result<()> {
    let prefix = Path::new(&spec.prefix);
    let name = &package.name;
    let bin = prefix.join("bin");
    let script = bin.join(format!(".{name}-post-link.sh"));
    if !script.is_file() {
        return Ok(());
    }
    let outer_path = env::var("PATH").unwrap_or_else(|_| DEFAULT_PATH.into());
    let path = format!("{}:{outer_path}", bin.display());
    let shell = find_shell(&path).ok_or_else(|| {
        Error::new(
            ErrorKind::PostLink,
            format!(
                "the package {name} has a post-link script, but the image has neither bash nor sh \
                 to run it; use a base image with a shell, or remove the package"
            ),
        )
    })?;

    let failed = |why: String| {
        Error::new(
            ErrorKind::PostLink,
            format!("the post-link script of {name} {} {why}", package.version),
        )
    };
    let mut command = Command::new(&shell);
    command
        .arg("-c")
        .arg(SHELL_CODE)
        .arg(&shell)
        .arg(&script)
        .current_dir(&bin)
        .env("PATH", path)
        .env("PREFIX", prefix)
        .env("CONDA_PREFIX", prefix)
        .env("ROOT_PREFIX", &spec.root_prefix)
        .env("PKG_NAME", name)
        .env("PKG_VERSION", &package.version)
        .env("PKG_BUILDNUM", package.build_number.to_string());
    let what = format!("the post-link script of {name}");
    let ended = child::run(&what, command, log, QUOTED_BYTES).map_err(|error| {
        let why = match &error {
            ChildError::Start(e) => format!("cannot be run with {}: {e}", shell.display()),
            other => other.to_string(),
        };
        failed(why).caused_by(error)
    })?;
    let messages = take_messages(prefix, log)?;
    if ended.status.success() {
        return Ok(());
    }
    let text = ended.output + &messages;
    let text = match text.trim_end() {
        "" => "and printed nothing".to_owned(),
        text => format!("and printed:\n{text}"),
    };
    Err(failed(format!("failed ({}) {text}", ended.status)))
}

/// Prints the messages that scripts left, and removes their file.
fn take_messages(prefix: &Path, log: &mut dyn Write) -> Result<String> {
    let path = prefix.join(MESSAGES_FILE);
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(String::new()),
        Err(e) => return Err(Error::io("read", &path, e)),
    };
    fs::remove_file(&path).map_err(|e| Error::io("remove", &path, e))?;
    log.write_all(&bytes).map_err(|e| {
        Error::new(
            ErrorKind::Io,
            format!("cannot print the script's messages: {e}"),
        )
        .caused_by(e)
    })?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The first `bash`, else the first `sh`, in the directories of `path`.
fn find_shell(path: &str) -> Option<PathBuf> {
    ["bash", "sh"].iter().find_map(|name| {
        env::split_paths(path)
            .map(|dir| dir.join(name))
            .find(|file| {
                file.metadata()
                    .is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
            })
    })
}
