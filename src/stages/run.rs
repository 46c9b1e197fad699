//! The key `run`: who runs a command, and why it failed.

use super::additions::Additions;
use super::owners::{Alone, Person};

use buildkit_llb::{Copy, File, Input, OpOptions};

use crate::gateway::error::{BuildError, GatewayError};
use crate::gateway::messages::{exit_code, lacks_secret, refuses_host_network};
use crate::image::section;
use condafront_entrypoint::authorities::EXIT_CODE as AUTHORITIES_CODE;
use condafront_graph::run::{RunOptions, RunStep, Runner, SharedFolders, title};
use condafront_input::section::{Command, MountKind, Network, RunCommand, mounted_at_root};
use condafront_model::image_path::absolute;
use condafront_model::redact::quoted;
use condafront_model::source::Diagnostic;
use condafront_step_spec::group_writable::GroupWritableSpec;

/// A command, and the image after it.
pub(super) struct Ran<'a> {
    command: &'a RunCommand,
    name: String,
    before: Input,
    pub(super) image: Input,
}

impl Ran<'_> {
    pub(super) fn name(&self) -> String {
        self.name.clone()
    }
}

impl Additions<'_> {
    /// The options of `docker build` for commands.
    pub(super) fn run_options(&self) -> Result<RunOptions, Diagnostic> {
        RunOptions::from_options(self.session.options)
    }

    /// Runs command `index` in the image `root`.
    pub(super) async fn command(
        &self,
        root: &Input,
        index: usize,
        run_options: &RunOptions,
    ) -> Result<Ran<'_>, BuildError> {
        let command = &self.section.run[index];
        let workdir = section::working_dir(self.config);
        self.check_mounts(command, workdir)?;
        let shown = format!("`{}`", quoted(&title(&command.command)));
        self.session.must_run(&shown, &[command.lines])?;
        let step = RunStep {
            command,
            number: (index + 1, self.section.run.len()),
            shell: &section::shell(self.config),
            env: &self.config.env(),
            workdir,
            runner: self.runner(root, command).await?,
            platform: self.session.platform,
            shared: self.sharing(),
        };
        let name = step.name();
        let options = self.options(name.clone(), command.lines);
        let image = step.on(root, run_options, &options)?;
        Ok(Ran {
            command,
            name,
            before: root.clone(),
            image: image.into(),
        })
    }

    /// What gives the group of the image's user permissions on what commands leave.
    fn sharing(&self) -> Option<SharedFolders<'_>> {
        let folders = self.shared_folders();
        (!folders.is_empty()).then(|| SharedFolders {
            programs: self.programs,
            spec: GroupWritableSpec {
                gid: self.user.gid,
                folders: folders.into_iter().map(str::to_owned).collect(),
            },
        })
    }

    /// Refuses mounts at the root of the image.
    fn check_mounts(&self, command: &RunCommand, workdir: &str) -> Result<(), Diagnostic> {
        for mount in &command.mounts {
            let target = match &mount.kind {
                MountKind::Cache { target, .. } => Some(target),
                MountKind::Secret { target, .. } => target.as_ref(),
            };
            if let Some(target) = target.filter(|target| absolute(workdir, target) == "/") {
                return Err(mounted_at_root(target).at(self.session.file, mount.lines));
            }
        }
        Ok(())
    }

    async fn runner(&self, root: &Input, command: &RunCommand) -> Result<Runner, BuildError> {
        let Some(user) = &command.user else {
            let own = Person::of(self.user);
            // Numbers, as in the image's configuration: the account's other groups do not apply.
            return Ok(runner(format!("{}:{}", own.uid, own.gid), own));
        };
        let found = self
            .session
            .person(user, Alone::OfAccount, command.lines, root, self.user);
        let (person, _) = found.await?;
        Ok(runner(user.clone(), person))
    }

    /// Why a command failed.
    pub(super) async fn explain_run(&self, ran: &Ran<'_>, error: GatewayError) -> BuildError {
        let command = ran.command;
        let file = self.session.file;
        let code = exit_code(error.message());
        if code == Some(AUTHORITIES_CODE.into())
            && let Ok(programs) = self.session.programs().await
            && let tools = self.session.tools(&programs)
            && let Some(report) = self.session.wrong_authorities(&tools).await
        {
            let mut told = Diagnostic::new(report.message);
            told.help = report.help;
            return told.at(file, command.lines).into();
        }
        let told = if let Some(code) = code {
            let missing_shell = self.missing_shell(ran).await;
            Some(ended(
                command,
                code,
                missing_shell.as_deref(),
                section::working_dir(self.config),
            ))
        } else {
            refused(command, error.message())
        };
        match told {
            Some(diagnostic) => diagnostic.at(file, command.lines).into(),
            None => error.into(),
        }
    }

    /// Why BuildKit refused the commands.
    pub(super) fn explain_refusal(&self, error: GatewayError) -> BuildError {
        for command in &self.section.run {
            if let Some(told) = refused(command, error.message()) {
                return told.at(self.session.file, command.lines).into();
            }
        }
        error.into()
    }

    /// The shell that the command needs, if the image lacks it.
    async fn missing_shell(&self, ran: &Ran<'_>) -> Option<String> {
        let shell = section::shell(self.config).into_iter().next()?;
        let is_text = matches!(ran.command.command, Command::Shell(_));
        let Input::Output(image) = &ran.before else {
            return Some(shell);
        };
        if !is_text || !shell.starts_with('/') {
            return None;
        }
        let mut file = File::on(Input::Scratch);
        file.then(Copy::new(image, &shell, "/shell").follow_symlink())
            .name(format!("[run] look for {shell}"))
            .export_cache(false);
        let probe = file.build();
        let found = self.session.evaluate(probe.output()?).await;
        found.is_err().then_some(shell)
    }
}

fn runner(user: String, person: Person) -> Runner {
    Runner {
        user,
        uid: person.uid,
        gid: person.gid,
        account: person.account,
    }
}

/// The error for a command that ended with `code`; `no_shell` is the missing shell, if any.
fn ended(command: &RunCommand, code: u32, no_shell: Option<&str>, workdir: &str) -> Diagnostic {
    let shown = quoted(&title(&command.command));
    if let Some(shell) = no_shell {
        return Diagnostic::new(format!(
            "`{shown}` cannot run: a command that is a string needs a shell, and the image has no {shell}"
        ))
        .help("Write the command as a list, for example [python, -m, app], or set `shell` to another shell, for example one from a conda package.");
    }
    let help = match code {
        126 => "One of its programs cannot be executed. Make the file executable (chmod +x, or `chmod: 755` where it is copied), or run it with its interpreter, for example: sh ./postBuild".to_owned(),
        127 => format!("One of its programs was not found. Names are looked up in PATH, the environment's programs first; paths are relative to the working directory, {workdir}."),
        137 => "It was killed, perhaps because the builder has too little memory.".to_owned(),
        _ => "See its output above.".to_owned(),
    };
    Diagnostic::new(format!("`{shown}` failed with exit code {code}")).help(help)
}

/// The error for a command that BuildKit refused, if the user can do something about it.
fn refused(command: &RunCommand, message: &str) -> Option<Diagnostic> {
    let shown = quoted(&title(&command.command));
    let required = command.mounts.iter().find_map(|mount| match &mount.kind {
        MountKind::Secret {
            id, required: true, ..
        } if lacks_secret(message, id) => Some(id),
        _ => None,
    });
    if let Some(id) = required {
        let id = quoted(id);
        return Some(
            Diagnostic::new(format!(
                "`{shown}` needs the secret `{id}`, which the build does not have"
            ))
            .help(format!(
                "Pass it with --secret id={id},src=FILE or --secret id={id},env=VARIABLE."
            )),
        );
    }
    if command.network == Network::Host && refuses_host_network(message) {
        return Some(
            Diagnostic::new(format!(
                "`{shown}` is not allowed to use the host's network"
            ))
            .help("Build with --allow network.host. The builder must allow it too."),
        );
    }
    None
}

#[cfg(test)]
mod tests;
