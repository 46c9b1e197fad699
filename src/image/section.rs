//! Puts what the image section says about containers into the image's configuration, with the semantics of a
//! Dockerfile's instructions (<https://docs.docker.com/reference/dockerfile/>).

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::config::ImageConfig;
use condafront_input::section::{Command, Healthcheck, ImageSection, Timing};
use condafront_model::image_path::{absolute, is_in};
use condafront_model::redact::quoted;
use condafront_model::source::{Diagnostic, SourceFile};
use condafront_step_spec::account::AccountFacts;

/// What runs commands in shell form unless the section or the base says otherwise.
const SHELL: [&str; 2] = ["/bin/sh", "-c"];

/// The working directory that the section of `file` asks for: absolute, without `.`, `..` and double slashes. A relative
/// one is resolved against the base's.
///
/// # Errors
/// When containers cannot start in it.
pub(crate) fn workdir(
    base: &ImageConfig,
    section: &ImageSection,
    file: &Arc<SourceFile>,
) -> Result<Option<String>, Diagnostic> {
    let Some(workdir) = &section.workdir else {
        return Ok(None);
    };
    let wanted = workdir.value.as_str();
    let above = match base.runtime().and_then(|config| config.get("WorkingDir")) {
        Some(Value::String(above)) if !wanted.starts_with('/') => above.as_str(),
        _ => "",
    };
    let path = absolute(above, wanted);
    // These have only what the kernel puts there.
    if let Some(folder) = ["/proc", "/sys"]
        .into_iter()
        .find(|folder| is_in(&path, folder) && path != *folder)
    {
        let message = format!(
            "`{}` cannot be the working directory: a container has its own {folder}",
            quoted(wanted)
        );
        return Err(Diagnostic::new(message)
            .at(file, workdir.lines)
            .help("Write a directory of the image, for example /srv/app."));
    }
    Ok(Some(path))
}

/// The working directory of an image whose section has none, if it is not the base image's: the user's home. A base in
/// `/` has chosen none, since that is where containers start otherwise.
pub(crate) fn default_workdir(base: &ImageConfig, account: &AccountFacts) -> Option<String> {
    let wanted = account.has_home && working_dir(base) == "/";
    wanted.then(|| absolute("", &account.user.home))
}

/// Puts the section into a configuration that already has the environment's variables. `entrypoint` is the program that
/// stays in front of the section's entrypoint, and `workdir` is the working directory if it is not the base's.
///
/// # Errors
/// When a variable's value refers to one that the image does not have.
pub(crate) fn apply(
    config: &mut ImageConfig,
    section: &ImageSection,
    file: &Arc<SourceFile>,
    entrypoint: &str,
    workdir: Option<&str>,
) -> Result<(), Diagnostic> {
    let mut env = config.env();
    for variable in &section.env {
        let known = |name: &str| {
            let found = env.iter().find(|(known, _)| known == name);
            found.map(|(_, value)| value.as_str())
        };
        let value = variable.resolve(file, &known)?;
        match env.iter_mut().find(|(known, _)| *known == variable.name) {
            Some((_, old)) => *old = value,
            None => env.push((variable.name.clone(), value)),
        }
    }
    config.set_env(&env);
    if let Some(workdir) = workdir {
        config.set("WorkingDir", workdir.into());
    }
    if let Some(shell) = &section.shell {
        config.set("Shell", json!(shell.value));
    }
    let mut words = vec![entrypoint.to_owned()];
    if let Some(own) = &section.entrypoint {
        words.extend(in_exec_form(config, &own.value));
        // The base's command is not meant as arguments for this entrypoint.
        config.remove("Cmd");
    }
    config.set_entrypoint(&words);
    if let Some(cmd) = &section.cmd {
        let words = in_exec_form(config, &cmd.value);
        if words.is_empty() {
            config.remove("Cmd");
        } else {
            config.set("Cmd", json!(words));
        }
    }
    let names = section.expose.iter().flat_map(|ports| ports.value.names());
    config.extend("ExposedPorts", names.map(|name| (name, json!({}))));
    let volumes = section.volumes.iter().map(|path| path.value.clone());
    config.extend("Volumes", volumes.map(|path| (path, json!({}))));
    let labels = section.labels.iter();
    config.add_labels(labels.map(|(name, value)| (name.as_str(), value.value.as_str())));
    if let Some(healthcheck) = &section.healthcheck {
        config.set("Healthcheck", healthcheck_json(&healthcheck.value));
    }
    if let Some(signal) = &section.stopsignal {
        config.set("StopSignal", signal.value.as_str().into());
    }
    Ok(())
}

/// The working directory of a configuration.
pub(crate) fn working_dir(config: &ImageConfig) -> &str {
    let dir = config.runtime().and_then(|config| config.get("WorkingDir"));
    let dir = dir.and_then(Value::as_str);
    dir.filter(|dir| !dir.is_empty()).unwrap_or("/")
}

/// What runs commands in shell form: a program and its first arguments.
pub(crate) fn shell(config: &ImageConfig) -> Vec<String> {
    let shell = config.runtime().and_then(|config| config.get("Shell"));
    let words = shell.and_then(Value::as_array).into_iter().flatten();
    let words: Vec<String> = words
        .filter_map(|word| Some(word.as_str()?.to_owned()))
        .collect();
    if words.is_empty() {
        SHELL.map(str::to_owned).into()
    } else {
        words
    }
}

fn in_exec_form(config: &ImageConfig, command: &Command) -> Vec<String> {
    match command {
        Command::Exec(words) => words.clone(),
        Command::Shell(text) => {
            let mut words = shell(config);
            words.push(text.clone());
            words
        }
    }
}

/// The form that engines read (<https://github.com/moby/docker-image-spec>): durations in nanoseconds, and engines have
/// defaults for what is missing.
fn healthcheck_json(healthcheck: &Healthcheck) -> Value {
    let (command, timing) = match healthcheck {
        Healthcheck::None => return json!({"Test": ["NONE"]}),
        Healthcheck::Command { command, timing } => (command, timing),
    };
    let test: Vec<&str> = match command {
        // The engine knows the image's shell.
        Command::Shell(text) => vec!["CMD-SHELL", text],
        Command::Exec(words) => std::iter::once("CMD")
            .chain(words.iter().map(String::as_str))
            .collect(),
    };
    let mut all = Map::new();
    all.insert("Test".to_owned(), json!(test));
    let Timing {
        interval,
        timeout,
        start_period,
        start_interval,
        retries,
    } = *timing;
    let times = [
        ("Interval", interval),
        ("Timeout", timeout),
        ("StartPeriod", start_period),
        ("StartInterval", start_interval),
    ];
    for (key, time) in times {
        if let Some(time) = time {
            let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
            all.insert(key.to_owned(), nanoseconds.into());
        }
    }
    if let Some(retries) = retries {
        all.insert("Retries".to_owned(), retries.into());
    }
    Value::Object(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use condafront_input::section;
    use condafront_model::platform::Platform;
    use condafront_step_spec::account::{Libc, User};

    const BASE: &[u8] =
        br#"{"config":{"Env":["PATH=/opt/conda/bin:/bin"],"Cmd":["bash"],"Entrypoint":["/base"],"WorkingDir":"/srv",
        "ExposedPorts":{"80/tcp":{}},"Labels":{"a":"base","b":"base"},"Healthcheck":{"Test":["CMD","x"]}}}"#;

    fn read(lines: &str) -> (Arc<SourceFile>, ImageSection) {
        let text = format!("condafront:\n{lines}");
        let file = SourceFile::new("env.yml", text);
        let args = [("PORT", "9999")].into_iter().collect();
        let section = section::section_of(&file, &args);
        (file, section)
    }

    fn configured(lines: &str) -> Result<Value, Diagnostic> {
        let (file, section) = read(lines);
        let mut config = ImageConfig::from_base(BASE, Platform::LinuxAmd64).unwrap();
        let workdir = workdir(&config, &section, &file)?;
        apply(&mut config, &section, &file, "/e", workdir.as_deref())?;
        let json: Value = serde_json::from_slice(&config.to_json()).unwrap();
        Ok(json["config"].clone())
    }

    #[test]
    fn every_key_is_in_the_configuration() {
        let lines = "  env: {APP: /srv/app, PATH: \"${APP}/bin:${PATH}\", PORT: \"${PORT}\"}
  workdir: app/./data/..
  entrypoint: [python, -m, app]
  cmd: [--port, \"8888\"]
  shell: [/bin/bash, -c]
  expose: [8888-8889, 53/udp]
  volumes: [/data]
  labels: {b: section, c: section}
  healthcheck: {cmd: curl localhost, interval: 1m30s, timeout: 5s, retries: 3, start_period: 1m, start_interval: 2s}
  stopsignal: int
";
        insta::assert_json_snapshot!(configured(lines).unwrap());
    }

    #[test]
    fn an_empty_section_changes_only_the_entrypoint() {
        let mut base: Value = serde_json::from_slice(BASE).unwrap();
        base["config"]["Entrypoint"] = json!(["/e"]);
        assert_eq!(configured("").unwrap(), base["config"]);
    }

    #[test]
    fn commands_in_shell_form_get_the_shell() {
        let config = configured("  entrypoint: exec \"$@\"\n  cmd: a b\n").unwrap();
        assert_eq!(
            config["Entrypoint"],
            json!(["/e", "/bin/sh", "-c", "exec \"$@\""])
        );
        assert_eq!(config["Cmd"], json!(["/bin/sh", "-c", "a b"]));
        let config = configured("  shell: [/bin/bash, -ec]\n  cmd: a b\n").unwrap();
        assert_eq!(config["Cmd"], json!(["/bin/bash", "-ec", "a b"]));
    }

    #[test]
    fn an_entrypoint_removes_the_bases_command() {
        for lines in [
            "  entrypoint: [python]\n",
            "  entrypoint: []\n",
            "  cmd: []\n",
        ] {
            assert_eq!(configured(lines).unwrap()["Cmd"], Value::Null, "{lines}");
        }
    }

    #[test]
    fn health_checks_have_three_forms() {
        let test = |lines: &str| configured(lines).unwrap()["Healthcheck"]["Test"].clone();
        assert_eq!(test("  healthcheck: none\n"), json!(["NONE"]));
        assert_eq!(
            test("  healthcheck: {cmd: [a, b]}\n"),
            json!(["CMD", "a", "b"])
        );
        assert_eq!(
            test("  healthcheck: {cmd: a b}\n"),
            json!(["CMD-SHELL", "a b"])
        );
    }

    #[test]
    fn a_relative_workdir_is_below_the_bases() {
        for (said, expected) in [
            ("app", "/srv/app"),
            ("/app/", "/app"),
            ("../..", "/"),
            ("/a//b/../c", "/a/c"),
        ] {
            let config = configured(&format!("  workdir: {said}\n")).unwrap();
            assert_eq!(config["WorkingDir"], expected);
        }
    }

    #[test]
    fn an_image_starts_in_its_users_home_unless_the_base_has_chosen() {
        let start = |base: &str, home: &str, has_home: bool| {
            let base = format!(r#"{{"config":{base}}}"#);
            let base = ImageConfig::from_base(base.as_bytes(), Platform::LinuxAmd64).unwrap();
            let account = AccountFacts {
                user: User {
                    name: "ada".to_owned(),
                    uid: 1000,
                    gid: 100,
                    home: home.to_owned(),
                    shell: "/bin/sh".to_owned(),
                    group_writable: false,
                },
                has_home,
                made_workdir: false,
                notices: Vec::new(),
                libc: Libc::None,
                links: Vec::new(),
            };
            default_workdir(&base, &account)
        };
        for base in ["{}", r#"{"WorkingDir":""}"#, r#"{"WorkingDir":"/"}"#] {
            let found = start(base, "/home/ada/", true);
            assert_eq!(found.as_deref(), Some("/home/ada"), "{base}");
            assert_eq!(start(base, "/nonexistent", false), None, "{base}");
        }
        assert_eq!(start(r#"{"WorkingDir":"/srv"}"#, "/home/ada", true), None);
    }

    #[test]
    fn a_workdir_that_only_a_container_has_is_an_error_at_its_line() {
        for said in ["/proc/app", "/sys/fs/../x", "../proc/self/cwd/app"] {
            let error = configured(&format!("  cmd: []\n  workdir: {said}\n")).unwrap_err();
            assert_eq!(error.locations[0].lines.first, 3, "{said}");
        }
        for said in ["/process", "/proc", "/srv/proc/x"] {
            assert!(
                configured(&format!("  workdir: {said}\n")).is_ok(),
                "{said}"
            );
        }
    }

    #[test]
    fn a_path_without_the_environments_programs_is_an_error_at_its_line() {
        let base =
            br#"{"config":{"Env":["PATH=/opt/conda/envs/r/bin:/bin","CONDA_PREFIX=/opt/conda/envs/r","APP=/app"]}}"#;
        let with_path = |path: &str| {
            let (file, section) = read(&format!("  env:\n    A: b\n    PATH: \"{path}\"\n"));
            let mut config = ImageConfig::from_base(base, Platform::LinuxAmd64).unwrap();
            apply(&mut config, &section, &file, "/e", None)
        };
        for path in [
            "${APP}:${PATH}",
            "/x:/opt/conda/envs/r/bin/",
            "${CONDA_PREFIX}/bin",
        ] {
            assert_eq!(with_path(path), Ok(()), "{path}");
        }
        for path in ["${APP}/bin", "${APP}:/opt/conda/bin"] {
            let error = with_path(path).unwrap_err();
            assert_eq!(error.locations[0].lines.first, 4, "{path}");
            assert!(error.help.unwrap().contains("${PATH}"), "{path}");
        }
    }

    #[test]
    fn a_variable_that_becomes_too_long_is_an_error_at_its_line() {
        let half = "x".repeat(70_000);
        let lines = format!("  env:\n    HALF: {half}\n    WHOLE: ${{HALF}}${{HALF}}\n");
        let error = configured(&lines).unwrap_err();
        assert_eq!(error.locations[0].lines.first, 4);
        assert!(
            error
                .message
                .starts_with("the variable `WHOLE` has 137 KiB")
        );
    }

    #[test]
    fn an_unknown_variable_is_an_error_at_its_line() {
        let error = configured("  env:\n    A: ${LD_LIBRARY_PATH}:/lib\n").unwrap_err();
        assert_eq!(error.locations[0].lines.first, 3);
        assert!(error.message.contains("LD_LIBRARY_PATH"), "{error}");
    }
}
