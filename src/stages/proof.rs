//! The key `for`: tries the finished image as its platforms start it.

use super::assembly::Image;
use super::linked::Linked;
use super::snakemake;

use buildkit_llb::{Input, Output};

use crate::gateway::error::BuildError;
use crate::image::config::ImageConfig;
use condafront_graph::prove::RootAccess;
use condafront_input::section::{Contract, Located};
use condafront_model::environment_prefix::ROOT_PREFIX;
use condafront_model::lint::{Rule, Warning};
use condafront_model::source::Diagnostic;
use condafront_step_spec::account::User;
use condafront_step_spec::activation::ENTRYPOINT;
use condafront_step_spec::prove::{PROOF_FILE, Proof, ProveSpec, Trial, What};

/// A user that no image knows, as OpenShift and Apptainer start containers.
const ANYBODY: u32 = 1_000_660_000;
/// The group of OpenShift's users.
const OPENSHIFT_GID: u32 = 0;
/// The user of GitHub's own runners.
const RUNNER: u32 = 1001;
/// Succeeds in an active environment.
const IS_ACTIVE: &str =
    "case \":$PATH:\" in *\":$CONDA_PREFIX/bin:\"*) ;; *) echo \"PATH is $PATH\"; exit 1;; esac";

impl Image<'_> {
    /// Tries the image `root` for each platform of `for`. Returns what the image must depend on.
    pub(super) async fn prove(
        &self,
        root: &Input,
        config: &ImageConfig,
    ) -> Result<Vec<Output>, BuildError> {
        let mut proofs = Vec::new();
        let Input::Output(root) = root else {
            return Ok(proofs);
        };
        let contracts = &self.section.contracts;
        if !contracts.is_empty() {
            self.session.settle(root).await?;
        }
        for contract in contracts {
            let name = contract.value.name();
            if !self.session.can_run() {
                let platform = self.session.platform;
                let why = format!("this builder cannot run programs of {platform}");
                self.warn_untried(contract, &why).await?;
                continue;
            }
            let trials = self.trials(contract.value);
            let access = match contract.value {
                Contract::Apptainer => RootAccess::ReadOnly,
                _ => RootAccess::Writable,
            };
            let env = config.env();
            let spec = ProveSpec { trials };
            let (output, step) = self.tools.prove(root, access, name, &spec, &env)?;
            let lines = |_: &_| None;
            let proven = self.session.run(&output, &step, lines).await;
            let proven = proven.map_err(|error| match error {
                BuildError::Diagnostic(told) => told.at(self.session.file, contract.lines).into(),
                error => error,
            })?;
            let proof: Proof = self.session.read_json(&proven, PROOF_FILE).await?;
            if !proof.untried.is_empty() {
                let rules = proof.untried.join("; ");
                let why = format!("this builder has no other user ({rules})");
                self.warn_untried(contract, &why).await?;
            }
            proofs.push(output);
        }
        Ok(proofs)
    }

    async fn warn_untried(
        &self,
        contract: &Located<Contract>,
        why: &str,
    ) -> Result<(), BuildError> {
        let name = contract.value.name();
        let message = format!("the image was not tried as {name} starts it: {why}");
        let diagnostic = Diagnostic::new(message).at(self.session.file, contract.lines);
        let rule = Rule::UntriedPlatform;
        self.session.warn(&[Warning { rule, diagnostic }]).await
    }

    /// What a platform does with the image.
    fn trials(&self, contract: Contract) -> Vec<Trial> {
        let user = Who::of_image(&self.user);
        match contract {
            Contract::Openshift => self.of_openshift(),
            Contract::Nextflow => of_nextflow(&user),
            Contract::Binder => of_binder(&user),
            Contract::Jupyterhub => of_jupyterhub(&user),
            Contract::Sagemaker => self.of_sagemaker(&user),
            Contract::Snakemake => self.of_snakemake(&user),
            Contract::Devcontainer => of_devcontainer(&user),
            Contract::GithubActions => of_github_actions(),
            Contract::Apptainer => of_apptainer(),
        }
    }

    fn of_openshift(&self) -> Vec<Trial> {
        let mut folders = vec![ROOT_PREFIX.to_owned()];
        let prefixes = self.environments.iter();
        let prefixes = prefixes.map(|one| one.environment.prefix.path().to_owned());
        folders.extend(prefixes.filter(|path| path != ROOT_PREFIX));
        let any = Who::stranger(ANYBODY, OPENSHIFT_GID);
        vec![any.tries(
            "OpenShift starts containers as any user of the group 0",
            What::Write(folders),
            "Keep the image's files and folders writable for its user's group. `chown`, `chmod` or commands that run as root may have changed that.",
        )]
    }

    fn of_sagemaker(&self, user: &Who) -> Vec<Trial> {
        let active = self.environments.get(self.default);
        let prefix = active.map_or(ROOT_PREFIX, |one| one.environment.prefix.path());
        vec![
            user.tries(
                "SageMaker looks for the kernels of the environment",
                What::Find(format!("{prefix}/share/jupyter/kernels")),
                "Add ipykernel, or another kernel, to the active environment.",
            ),
            user.works_at_home("SageMaker's users work in their home"),
        ]
    }

    fn of_snakemake(&self, user: &Who) -> Vec<Trial> {
        let find = |one: &Linked<'_>| {
            let history = format!("{}/conda-meta/history", snakemake::place(&one.file.file));
            user.tries(
                "Snakemake finds an environment by its file's content",
                What::Find(history),
                "Build the image from the files that the workflow names.",
            )
        };
        let conda = user.tries(
            "Snakemake activates environments with conda",
            run(&["/bin/bash", "-c", "type conda"]),
            "Add conda to the active environment, and use a base image with /bin/bash.",
        );
        let found = self.environments.iter().map(find);
        found.chain([conda]).collect()
    }
}

fn of_nextflow(user: &Who) -> Vec<Trial> {
    const HELP: &str = "Install bash and ps: apt: [bash, procps], apk: [bash, procps] or dnf: [bash, procps-ng]. Or add procps-ng to the environment, and use a base image with /bin/bash.";
    const VERSION: &str = "echo \"this is bash $BASH_VERSION\"; [ \"${BASH_VERSINFO[0]}\" -ge 3 ]";
    // As in `command-trace.txt` of Nextflow.
    const PS: &str = "ps -e -o pid= -o ppid= > /dev/null";
    let bash = |script: &str| run(&["/bin/bash", "-uec", script]);
    let tries = |who: &Who| {
        [
            who.tries(
                "Nextflow starts tasks with bash 3 or later",
                bash(VERSION),
                HELP,
            ),
            who.tries("Nextflow watches tasks with ps", bash(PS), HELP),
            who.tries("tasks need the environment", bash(IS_ACTIVE), HELP),
        ]
    };
    [tries(user), tries(&Who::stranger(ANYBODY, ANYBODY))].concat()
}

fn of_binder(user: &Who) -> Vec<Trial> {
    const HELP: &str = "Add jupyterlab and notebook to the active environment.";
    vec![
        user.tries(
            "Binder opens JupyterLab",
            run(&["jupyter-lab", "--version"]),
            HELP,
        ),
        user.tries(
            "Binder starts the notebook server",
            run(&["jupyter-notebook", "--version"]),
            HELP,
        ),
        user.works_at_home("Binder's users work in their home"),
    ]
}

fn of_jupyterhub(user: &Who) -> Vec<Trial> {
    vec![
        user.tries(
            "JupyterHub starts jupyterhub-singleuser",
            run(&["jupyterhub-singleuser", "--version"]),
            "Add jupyterhub-base and jupyterlab to the active environment, in the version of the hub.",
        ),
        user.works_at_home("JupyterHub's users work in their home"),
    ]
}

fn of_devcontainer(user: &Who) -> Vec<Trial> {
    vec![
        user.tries(
            "Dev Containers need a shell",
            run(&["/bin/sh", "-c", IS_ACTIVE]),
            "Use a base image with /bin/sh.",
        ),
        user.works_at_home("editors install their server in the home"),
    ]
}

fn of_github_actions() -> Vec<Trial> {
    const HELP: &str = "Use a base image with tail and sh, such as Debian's.";
    let runner = Who::stranger(RUNNER, RUNNER);
    vec![
        runner.tries(
            "GitHub keeps job containers running with tail",
            run(&["tail", "-n", "1", "/dev/null"]),
            HELP,
        ),
        runner.tries(
            "GitHub runs steps with a shell",
            run(&["sh", "-e", "-c", IS_ACTIVE]),
            HELP,
        ),
    ]
}

fn of_apptainer() -> Vec<Trial> {
    const HELP: &str = "Use a base image with /bin/sh.";
    let anybody = Who::stranger(ANYBODY, ANYBODY);
    vec![
        anybody.tries(
            "Apptainer runs images as the user who starts them",
            run(&[ENTRYPOINT, "/bin/sh", "-c", IS_ACTIVE]),
            HELP,
        ),
        anybody.tries(
            "Apptainer runs commands without the entrypoint",
            run(&["/bin/sh", "-c", IS_ACTIVE]),
            HELP,
        ),
    ]
}

fn run(words: &[&str]) -> What {
    What::Run(words.iter().map(|word| (*word).to_owned()).collect())
}

/// Who tries the image.
struct Who {
    uid: u32,
    gid: u32,
    home: String,
}

impl Who {
    fn of_image(user: &User) -> Self {
        Self {
            uid: user.uid,
            gid: user.gid,
            home: user.home.clone(),
        }
    }

    /// Engines give users whom the image does not know this home.
    fn stranger(uid: u32, gid: u32) -> Self {
        Self {
            uid,
            gid,
            home: "/".to_owned(),
        }
    }

    fn tries(&self, rule: &str, what: What, help: &str) -> Trial {
        Trial {
            rule: rule.to_owned(),
            help: help.to_owned(),
            uid: self.uid,
            gid: self.gid,
            home: self.home.clone(),
            what,
        }
    }

    /// Tries to write in the home.
    fn works_at_home(&self, rule: &str) -> Trial {
        self.tries(
            rule,
            What::Write(Vec::new()),
            "Keep the home writable for the image's user.",
        )
    }
}
