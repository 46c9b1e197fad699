//! Tries the image in which the step runs, as a platform starts it.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::process::Command;

use crate::child::{self, ChildError};
use crate::install::Mounts;
use condafront_model::stamp::Owner;
use condafront_step_spec::args::StepSpec as _;
use condafront_step_spec::failure_report::FailureReport;
use condafront_step_spec::prove::{PROBE_WRITE, PROOF_FILE, Proof, ProveSpec, Trial, What};

/// How many bytes of a failing program's output the error quotes.
const QUOTED_BYTES: usize = 2000;

const HOME: &str = "HOME";

/// Runs the subcommand `prove` with the arguments `args`. The output of programs goes to `log`.
///
/// # Errors
/// The first thing that does not work.
pub(crate) fn run(
    args: &[String],
    mounts: &Mounts,
    log: &mut dyn Write,
) -> Result<(), FailureReport> {
    let (spec, env) = ProveSpec::from_args(args)?;
    let proof = prove(&spec.trials, &KnownIds::read(), &env, log)?;
    fs::write(mounts.facts.join(PROOF_FILE), serde_json::to_vec(&proof)?)?;
    Ok(())
}

/// Makes the trials that a builder with these users can make.
fn prove(
    trials: &[Trial],
    known: &KnownIds,
    env: &[(String, String)],
    log: &mut dyn Write,
) -> Result<Proof, FailureReport> {
    let mut untried: Vec<String> = Vec::new();
    for trial in trials {
        match known.fitting(trial) {
            Some(trial) => attempt(&trial, env, log)?,
            None if untried.contains(&trial.rule) => {}
            None => untried.push(trial.rule.clone()),
        }
    }
    Ok(Proof { untried })
}

/// The ids that this builder can start programs with, and those that the image knows. A rootless one, or one with
/// `userns-remap`, has few.
struct KnownIds {
    users: Ids,
    groups: Ids,
}

impl KnownIds {
    fn read() -> Self {
        let ids = |map: &str, file: &str| {
            let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
            Ids::of(&read(map), &read(file))
        };
        Self {
            users: ids("/proc/self/uid_map", "/etc/passwd"),
            groups: ids("/proc/self/gid_map", "/etc/group"),
        }
    }

    /// The trial as a user whom this builder has, and whom the image knows only if it knows the one of the trial.
    fn fitting(&self, trial: &Trial) -> Option<Trial> {
        Some(Trial {
            uid: self.users.in_place_of(trial.uid)?,
            gid: self.groups.in_place_of(trial.gid)?,
            ..trial.clone()
        })
    }
}

/// Ids of users, or of groups.
struct Ids {
    /// First and last of each range that is mapped (user_namespaces(7)).
    mapped: Vec<(u32, u32)>,
    /// Those with an account or a name.
    named: BTreeSet<u32>,
}

impl Ids {
    /// `map` is as in `/proc/self/uid_map`, `names` as in `/etc/passwd` or `/etc/group`.
    fn of(map: &str, names: &str) -> Self {
        let range = |line: &str| {
            let mut fields = line.split_whitespace().map(|field| field.parse().ok());
            let (first, _, count): (u32, _, u32) =
                (fields.next()??, fields.next(), fields.next()??);
            Some((first, first.checked_add(count.checked_sub(1)?)?))
        };
        let id = |line: &str| line.split(':').nth(2)?.parse().ok();
        Self {
            mapped: map.lines().filter_map(range).collect(),
            named: names.lines().filter_map(id).collect(),
        }
    }

    /// `id` if it is mapped, or else the highest id that is and that has no name.
    fn in_place_of(&self, id: u32) -> Option<u32> {
        // Without /proc nothing is known.
        let is_mapped = |(first, last): &(u32, u32)| (*first..=*last).contains(&id);
        if self.mapped.is_empty() || self.mapped.iter().any(is_mapped) {
            return Some(id);
        }
        let free = |(first, last): &(u32, u32)| {
            let mut all = (*first..=*last).rev();
            all.find(|id| !self.named.contains(id))
        };
        self.mapped.iter().filter_map(free).max()
    }
}

fn attempt(
    trial: &Trial,
    env: &[(String, String)],
    log: &mut dyn Write,
) -> Result<(), FailureReport> {
    let failed = |why: String| FailureReport {
        help: Some(trial.help.clone()),
        ..FailureReport::new(format!("{}, but {why}", trial.rule))
    };
    let home = env.iter().find(|(name, _)| name == HOME);
    let home = home.map_or(trial.home.as_str(), |(_, value)| value.as_str());
    let (what, mut command) = match &trial.what {
        What::Find(path) => {
            return match fs::metadata(path) {
                Ok(_) => Ok(()),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    Err(failed(format!("the image has no {path}")))
                }
                Err(error) => Err(failed(format!("{path} cannot be read: {error}"))),
            };
        }
        What::Run(words) => {
            let (program, rest) = words.split_first().ok_or_else(|| {
                FailureReport::new("this step was given a program without a name")
            })?;
            let mut command = Command::new(program);
            command.args(rest);
            (words.join(" "), command)
        }
        What::Write(folders) => {
            let mut command = Command::new(std::env::current_exe()?);
            command.arg(PROBE_WRITE).args(folders).arg(home);
            (PROBE_WRITE.to_owned(), command)
        }
    };
    let names = env.iter().map(|(name, value)| (name, value));
    command.env_clear().envs(names).env(HOME, home);
    let user = Owner {
        uid: trial.uid,
        gid: trial.gid,
    };
    let ended =
        child::run_as(user, &what, command, log, QUOTED_BYTES).map_err(|error| match error {
            ChildError::Start(e) if e.kind() == io::ErrorKind::NotFound => {
                let program = what.split(' ').next().unwrap_or(&what);
                failed(format!("the image has no program {program}"))
            }
            ChildError::Start(e) => failed(format!("`{what}` cannot be started: {e}")),
            other => failed(format!("`{what}` {other}")),
        })?;
    child::end_others();
    if ended.status.success() {
        return Ok(());
    }
    let said = ended.output.trim_end();
    Err(failed(match (&trial.what, said) {
        (What::Write(_), said) => {
            let who = format!("the user {}:{} ", trial.uid, trial.gid);
            format!("{who}{}", said.trim_start_matches("error: "))
        }
        (_, "") => format!("`{what}` fails ({})", ended.status),
        (_, said) => format!("`{what}` fails ({}) and prints:\n{said}", ended.status),
    }))
}

/// Runs the subcommand [`PROBE_WRITE`] with the arguments `args`.
///
/// # Errors
/// The first directory in which no file can be created.
pub(crate) fn write(args: &[String]) -> Result<(), FailureReport> {
    for folder in args {
        let path = Path::new(folder).join(".condafront-probe");
        let tried = File::create_new(&path).and_then(|_| fs::remove_file(&path));
        tried.map_err(|e| FailureReport::new(format!("cannot write to {folder}: {e}")))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tried(what: What, env: &[(String, String)]) -> Result<(), String> {
        let trial = Trial {
            rule: "it runs".to_owned(),
            help: "Do something.".to_owned(),
            uid: nix::unistd::getuid().as_raw(),
            gid: nix::unistd::getgid().as_raw(),
            home: "/nowhere".to_owned(),
            what,
        };
        attempt(&trial, env, &mut Vec::new()).map_err(|report| {
            assert_eq!(report.help.as_deref(), Some("Do something."));
            report.message
        })
    }

    fn shell(script: &str) -> What {
        What::Run(["/bin/sh", "-c", script].map(str::to_owned).to_vec())
    }

    #[test]
    fn programs_see_the_images_variables_and_no_others() {
        let env = [("A", "1"), ("PATH", "/bin:/usr/bin")];
        let env = env.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let script = "test \"$A$HOME\" = 1/nowhere && test -z \"$CARGO_MANIFEST_DIR\"";
        tried(shell(script), &env).unwrap();
        let own = [env.as_slice(), &[("HOME".to_owned(), "/".to_owned())]].concat();
        tried(shell("test \"$HOME\" = /"), &own).unwrap();
    }

    #[test]
    fn what_a_builder_has_no_user_for_is_told_apart_from_what_works() {
        let trial = |rule: &str, uid| Trial {
            rule: rule.to_owned(),
            help: String::new(),
            uid,
            gid: uid,
            home: "/".to_owned(),
            what: What::Find("/".to_owned()),
        };
        let trials = [trial("own", 0), trial("any", 1001), trial("any", 4321)];
        let untried = |map: &str| {
            let ids = || Ids::of(map, "root:x:0:0::/:/bin/sh\n");
            let known = KnownIds {
                users: ids(),
                groups: ids(),
            };
            let proof = prove(&trials, &known, &[], &mut Vec::new());
            proof.unwrap().untried
        };
        assert_eq!(untried("0 1000 1\n"), ["any"]);
        assert_eq!(untried("0 1000 1\n1 100000 65535\n"), [""; 0]);
        assert_eq!(untried("0 0 4294967295\n"), [""; 0]);
    }

    #[test]
    fn a_builder_with_few_users_tries_another_one() {
        let names = "root:x:0:0:root:/root:/bin/sh\nlast:x:65535:1::/:/bin/sh\n";
        let replaced = |map: &str, id| Ids::of(map, names).in_place_of(id);
        let any = 1_000_660_000;
        assert_eq!(
            replaced("         0          0 4294967295\n", any),
            Some(any)
        );
        let rootless = "0 1000 1\n1 100000 65535\n";
        assert_eq!(replaced(rootless, any), Some(65534));
        assert_eq!(replaced(rootless, 1001), Some(1001));
        assert_eq!(replaced("0 1000 1\n", any), None);
        assert_eq!(replaced("", any), Some(any));
    }

    #[test]
    fn what_does_not_work_is_told() {
        let told = |what| tried(what, &[]).unwrap_err();
        assert_eq!(
            told(shell("echo because >&2; exit 3")),
            "it runs, but `/bin/sh -c echo because >&2; exit 3` fails (exit status: 3) and prints:\nbecause"
        );
        let missing = told(What::Run(vec!["/no/such".to_owned()]));
        assert_eq!(missing, "it runs, but the image has no program /no/such");
        let missing = told(What::Find("/no/such".to_owned()));
        assert_eq!(missing, "it runs, but the image has no /no/such");
        let folders = ["/no/such".to_owned()];
        let told = write(&folders).unwrap_err().message;
        assert!(told.starts_with("cannot write to /no/such: "), "{told}");
    }
}
