//! The other side: a typical Dockerfile, with one `RUN` that installs a lock.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use condafront::options::choices::Choices;
use condafront::options::settings::Settings;
use condafront_graph::plan::{Plan, package_spec};
use condafront_input as input;
use condafront_input::InputSettings;
use condafront_input::section::ImageSection;
use condafront_model::layers::Layers;
use condafront_model::platform::Platform;
use condafront_model::source::SourceFile;
use condafront_step_spec::args::StepSpec as _;
use condafront_step_spec::install::{InstallSpec, Installer, PythonRuntimeSpec};

use crate::Result;

/// The script that [`with_the_built_in_installer`] runs, in the build context.
pub(crate) const INSTALL_SCRIPT: &str = "install.sh";

/// The requirements for [`with_a_list`], in the build context.
pub(crate) const REQUIREMENTS: &str = "requirements.txt";

/// With micromamba from the named context `micromamba`, as users of mambaorg/micromamba would write it, except that the
/// base image has no certificates, without which micromamba does not start unless it verifies none.
pub(crate) fn with_micromamba(base: &str) -> String {
    let install = "\
COPY --from=micromamba /bin/micromamba /usr/local/bin/micromamba
RUN install -d -o mambauser -g mambauser /opt/conda /opt/conda/conda-meta
ENV MAMBA_ROOT_PREFIX=/opt/conda MAMBA_SSL_VERIFY=false
USER mambauser
COPY env.lock /tmp/env.lock
RUN micromamba install --yes --prefix /opt/conda --file /tmp/env.lock \\
    && micromamba clean --all --force-pkgs-dirs --yes
";
    dockerfile(base, install)
}

/// With micromamba, the packages in a cache mount, and the environment copied from a stage of its own.
pub(crate) fn with_a_cache_mount(base: &str) -> String {
    let stage = format!(
        "\
FROM {base} AS environment
COPY --from=micromamba /bin/micromamba /usr/local/bin/micromamba
ENV MAMBA_ROOT_PREFIX=/opt/micromamba MAMBA_SSL_VERIFY=false
COPY env.lock /tmp/env.lock
RUN --mount=type=cache,target=/opt/micromamba/pkgs \\
    micromamba create --yes --prefix /opt/conda --file /tmp/env.lock

"
    );
    let install = "COPY --link --from=environment --chown=57439:57439 /opt/conda /opt/conda\n";
    stage + &dockerfile(base, install)
}

/// With condafront's own installer from the image `frontend`; packages come from the named context
/// `packages`.
pub(crate) fn with_the_built_in_installer(base: &str, frontend: &str) -> String {
    let install = format!(
        "\
RUN --mount=type=bind,from={frontend},source=/condafront,target=/usr/local/bin/condafront \\
    --mount=type=bind,from=packages,target=/packages \\
    --mount=type=bind,from={base},target=/base \\
    --mount=type=bind,source={INSTALL_SCRIPT},target=/{INSTALL_SCRIPT} \\
    --mount=type=tmpfs,target=/tmp \\
    sh -e /{INSTALL_SCRIPT}
"
    );
    dockerfile(base, &install)
}

/// What [`of_two_lines`] makes.
pub(crate) const TOUCHED: &str = "/touched";

/// For the image `frontend`: as little as a Dockerfile for an image of its own can have.
pub(crate) fn of_two_lines(base: &str, frontend: &str) -> String {
    format!("# syntax={frontend}\nFROM {base}\nRUN touch {TOUCHED}\n")
}

/// A Dockerfile that then installs [`REQUIREMENTS`] with pip, in a `RUN` of its own.
pub(crate) fn with_a_list(dockerfile: &str) -> String {
    let pip = format!(
        "\
ARG PIP_INDEX_URL
COPY {REQUIREMENTS} /tmp/{REQUIREMENTS}
RUN pip install --no-cache-dir --requirement /tmp/{REQUIREMENTS}
"
    );
    dockerfile.replace(LAST, &format!("{pip}{LAST}"))
}

/// Links for the installer, which expects package `n` in `/in/n`; all are in one folder.
fn links(count: usize) -> String {
    format!(
        "mkdir /in\nfor n in $(seq 0 {}); do ln -s /packages \"/in/$n\"; done\n",
        count.saturating_sub(1)
    )
}

/// What comes after everything is installed, as the user of the image.
const LAST: &str = "WORKDIR /home/mambauser\n";

fn dockerfile(base: &str, install: &str) -> String {
    format!(
        "\
FROM {base}
RUN echo 'mambauser:x:57439:57439::/home/mambauser:/bin/bash' >> /etc/passwd \\
    && echo 'mambauser:x:57439:' >> /etc/group \\
    && install -d -o 57439 -g 57439 /home/mambauser
{install}\
ENV CONDA_PREFIX=/opt/conda PATH=/opt/conda/bin:$PATH
COPY --chmod=755 entrypoint.sh /usr/local/bin/_entrypoint.sh
USER mambauser
{LAST}\
ENTRYPOINT [\"/usr/local/bin/_entrypoint.sh\"]
CMD [\"bash\"]
"
    )
}

/// The entrypoint of both Dockerfiles, which sets the variables that `ENV` does not.
pub(crate) const ENTRYPOINT_SCRIPT: &str = "\
#!/bin/sh
export CONDA_DEFAULT_ENV=base CONDA_SHLVL=1
exec \"$@\"
";

/// The commands that install the lock with condafront's own installer: all its steps in one.
pub(crate) fn install_script(lock: &str) -> Result<String> {
    let platform = Platform::LinuxAmd64;
    let file = SourceFile::new("env.lock", lock);
    let input = input::read(&file, platform, &InputSettings::default())
        .map_err(|error| error.to_string())?;
    let packages = input.locked().ok_or("the benchmark needs a lock")?;
    let plan = Plan::new(packages.to_vec(), Layers::AtMost(1));
    let specs = |indices: &[usize]| -> Vec<_> {
        indices
            .iter()
            .map(|index| package_spec(&plan.packages[*index]))
            .collect()
    };
    let all: Vec<usize> = (0..plan.packages.len()).collect();
    let mut script = links(all.len());
    script.push_str("mkdir /out /facts\n");
    if let Some(python) = &plan.python {
        let runtime = PythonRuntimeSpec {
            version: python.version.clone(),
            subdir: None,
        };
        push_command(&mut script, &runtime.to_args(&specs(&python.runtime))?);
        script.push_str("mv /out /python\nmkdir /out\n");
    }
    let owner = Choices::new(&Settings::default(), &ImageSection::default())
        .ownership()
        .owner;
    let install = InstallSpec {
        prefix: "/opt/conda".to_owned(),
        uid: owner.uid,
        gid: owner.gid,
        group_writable: false,
        installer: Installer::Native,
        python: plan.python.as_ref().map(|python| python.spec(true)),
        trim: BTreeSet::new(),
        further_parts: 0,
    };
    push_command(&mut script, &install.to_args(&specs(&all))?);
    script.push_str("mv /out/opt/conda /opt/conda\nrm -rf /in /out /facts /python\n");
    Ok(script)
}

/// A line that runs condafront with these arguments.
fn push_command(script: &mut String, arguments: &[String]) {
    script.push_str("condafront");
    for argument in arguments {
        // Writing to a string cannot fail.
        let _ = write!(script, " '{}'", argument.replace('\'', r"'\''"));
    }
    script.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_quoted() {
        let mut script = String::new();
        push_command(&mut script, &["a b".to_owned(), "it's".to_owned()]);
        assert_eq!(script, "condafront 'a b' 'it'\\''s'\n");
    }

    #[test]
    fn a_directive_is_not_one_of_the_two_lines() {
        let text = of_two_lines("debian", "registry/frontend");
        let (directive, rest) = text.split_once('\n').unwrap();
        assert_eq!(directive, "# syntax=registry/frontend");
        assert_eq!(rest.lines().count(), 2);
    }

    #[test]
    fn pip_runs_as_the_user_after_the_packages_are_there() {
        let text = with_a_list(&with_micromamba("debian"));
        let at = |part: &str| text.find(part).unwrap();
        assert!(at("micromamba install") < at("PATH=/opt/conda/bin"));
        assert!(at("PATH=/opt/conda/bin") < at("\nRUN pip install"));
        assert!(at("\nRUN pip install") < at(LAST));
    }

    #[test]
    fn the_script_installs_all_packages_in_lock_order() {
        let url = |name: &str| {
            format!(
                "http://c.example/f/linux-64/{name}-1-0.conda#{}\n",
                "0".repeat(64)
            )
        };
        let lock = format!("@EXPLICIT\n{}{}", url("zlib"), url("attr"));
        let script = install_script(&lock).unwrap();
        let install = script
            .lines()
            .find(|line| line.starts_with("condafront 'install'"));
        let install = install.unwrap();
        let at = |name: &str| install.find(&format!("\"label\":\"{name} 1\"")).unwrap();
        assert!(at("zlib") < at("attr"));
        assert!(script.contains("seq 0 1"));
    }
}
