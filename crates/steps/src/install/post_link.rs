//! The post-link step: runs packages' own scripts in the finished root.
//!
//! They run as the image's user, who owns the prefix. The rest of the root is thrown away: what they change there is not
//! in the image, and the step says so.

use std::env;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use super::changed::{self, Kind, LeftOut};
use super::error::{Error, ErrorKind, Result, unwritable};
use super::mounts::Mounts;
use super::step::write_json;
use crate::child::{self, ChildError};
use crate::file_times::moment;
use condafront_entrypoint::path_list::DEFAULT_PATH;
use condafront_step_spec::args::StepSpec as _;
use condafront_step_spec::facts::{Notice, POST_LINK_FACTS_FILE, PostLinkFacts, Subject};
use condafront_step_spec::install::{PostLinkPackage, PostLinkSpec};

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

/// Runs the subcommand `post-link` with the arguments `args` in the file tree at `root`. The scripts' output goes to
/// `log`.
///
/// # Errors
/// A script that fails, or a root without a shell.
pub fn post_link(args: &[String], root: &Path, mounts: &Mounts, log: &mut dyn Write) -> Result<()> {
    let (spec, _) = PostLinkSpec::from_args(args)?;
    let mut starts = Vec::new();
    for (index, package) in spec.packages.iter().enumerate() {
        starts.push(moment());
        run(package, &spec, log).map_err(|e| e.of_package(index))?;
        child::end_others();
    }
    let facts = PostLinkFacts {
        notices: settle(&spec, root, &starts, log)?,
    };
    write_json(&mounts.facts.join(POST_LINK_FACTS_FILE), &facts)
}

/// Settles what the scripts that began at `starts` changed, and returns what the image does not get of it. What they
/// left in the user's home is only logged: many programs keep caches there.
fn settle(
    spec: &PostLinkSpec,
    root: &Path,
    starts: &[SystemTime],
    log: &mut dyn Write,
) -> Result<Vec<Notice>> {
    let Some(first) = starts.first() else {
        return Ok(Vec::new());
    };
    let prefix = Path::new(&spec.prefix);
    let mut left_out = changed::settle(prefix, *first, spec.ownership())?;
    left_out.extend(changed::outside(root, prefix, *first));
    let script = |left: &LeftOut| {
        let begun = starts.partition_point(|start| *start < left.time);
        begun.saturating_sub(1)
    };
    let is_at_home = |left: &LeftOut| {
        left.kind == Kind::Outside
            && spec.home != "/"
            && Path::new(&left.path).starts_with(&spec.home)
    };
    let mut notices = Vec::new();
    for (index, package) in spec.packages.iter().enumerate() {
        let own = left_out.iter().filter(|left| script(left) == index);
        let (at_home, own): (Vec<_>, Vec<_>) = own.partition(|left| is_at_home(left));
        let messages = |left: &[&LeftOut]| changed::messages(&name_of_script(package), left);
        for message in messages(&at_home) {
            writeln!(log, "{message}").map_err(unwritable)?;
        }
        let notice = |message| Notice::new(Subject::Contents, message).of_package(index);
        notices.extend(messages(&own).into_iter().map(notice));
    }
    Ok(notices)
}

fn name_of_script(package: &PostLinkPackage) -> String {
    format!(
        "the post-link script of {} {}",
        package.name, package.version
    )
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
            format!("{} {why}", name_of_script(package)),
        )
    };
    let mut command = Command::new(&shell);
    command
        .arg("-c")
        .arg(SHELL_CODE)
        .arg(&shell)
        .arg(&script)
        .current_dir(&bin)
        .env("HOME", &spec.home)
        .env("PATH", path)
        .env("PREFIX", prefix)
        .env("CONDA_PREFIX", prefix)
        .env("ROOT_PREFIX", &spec.root_prefix)
        .env("PKG_NAME", name)
        .env("PKG_VERSION", &package.version)
        .env("PKG_BUILDNUM", package.build_number.to_string());
    let what = format!("the post-link script of {name}");
    let ended = child::run_as(spec.ownership().owner, &what, command, log, QUOTED_BYTES).map_err(
        |error| {
            let why = match &error {
                ChildError::Start(e) => format!("cannot be run with {}: {e}", shell.display()),
                other => other.to_string(),
            };
            failed(why).caused_by(error)
        },
    )?;
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
    // Reading a named pipe would not end.
    if !path.symlink_metadata().is_ok_and(|found| found.is_file()) {
        return Ok(String::new());
    }
    let bytes = fs::read(&path).map_err(|e| Error::io("read", &path, e))?;
    fs::remove_file(&path).map_err(|e| Error::io("remove", &path, e))?;
    log.write_all(&bytes).map_err(unwritable)?;
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
