//! The environment is also active in what people build on top of an image.

use crate::activation::{ACTIVE, PROBE, built};
use crate::image::{Image, each_prints, inspect};
use crate::project::base;

/// A command as a JSON array, the exec form of Dockerfiles.
fn exec_form(command: &[&str]) -> String {
    serde_json::to_string(command).expect("JSON in memory")
}

#[test]
fn instructions_in_a_derived_dockerfile_are_active() {
    let project = built();
    project.write("probe.py", PROBE);
    let derived = Image::from_dockerfile(
        &project,
        &format!(
            r#"FROM {}
COPY --chown=$MAMBA_USER:$MAMBA_USER probe.py /opt/conda/share/probe.py
RUN {}
RUN python /opt/conda/share/probe.py /opt/conda/share/probe-shell.txt
SHELL ["bash", "-l", "-c"]
RUN python /opt/conda/share/probe.py /opt/conda/share/probe-login.txt
USER root
RUN ["python", "/opt/conda/share/probe.py", "/root/probe.txt"]
RUN cat /root/probe.txt > /opt/conda/share/probe-root.txt
USER $MAMBA_USER
CMD ["python", "/opt/conda/share/probe.py"]
"#,
            project.tag(),
            exec_form(&["python", "-c", PROBE, "/opt/conda/share/probe-exec.txt"]),
        ),
    );
    assert_eq!(derived.run(&[], &[]).expect_success().stdout, ACTIVE);
    let files = ["exec", "shell", "login", "root"]
        .map(|name| format!("cat /opt/conda/share/probe-{name}.txt"));
    let mut commands: Vec<_> = files.iter().map(|it| (it.as_str(), ACTIVE)).collect();
    commands.push((
        "stat -c %U:%G /opt/conda/share/probe.py",
        "mambauser:mambauser\n",
    ));
    each_prints(|words| derived.run(&[], words), &commands);
}

#[test]
fn a_derived_image_can_go_on_installing() {
    let project = built();
    let derived = Image::from_dockerfile(
        &project,
        &format!(
            "FROM {}\n\
             RUN echo 'VALUE = 3' > \"$(echo /opt/conda/lib/python3.*/site-packages)/mine.py\"\n\
             RUN printf '#!/bin/sh\\necho mine\\n' > /opt/conda/bin/mine && chmod +x /opt/conda/bin/mine\n\
             RUN echo x > /opt/conda/conda-meta/history && touch /opt/conda/new \"$HOME/new\"\n\
             RUN echo 'export LATER=added' > /opt/conda/etc/conda/activate.d/later.sh\n",
            project.tag()
        ),
    );
    let program = "python -c \"import mine, os; print(mine.VALUE, os.environ['LATER'])\"";
    let commands = [(program, "3 added\n"), ("mine", "mine\n")];
    each_prints(|words| derived.run(&[], words), &commands);
}

#[test]
fn the_names_of_micromamba_docker_work() {
    let project = built();
    let entrypoint = exec_form(&["/usr/local/bin/_entrypoint.sh", "python", "-c", PROBE]);
    let derived = Image::from_dockerfile(
        &project,
        &format!("FROM {}\nENTRYPOINT {entrypoint}\n", project.tag()),
    );
    assert_eq!(derived.run(&[], &[]).expect_success().stdout, ACTIVE);
    let skipped = derived.run(&["-e", "MAMBA_SKIP_ACTIVATE=1"], &[]);
    assert_eq!(skipped.expect_failure().status.code(), Some(127));

    let sourced = format!(". _activate_current_env.sh && python -c '{PROBE}'");
    let sourced = shlex::try_quote(&sourced).expect("a word");
    let bare = "env -i PATH=/usr/local/bin:/usr/bin:/bin ";
    let commands = ["sh", "bash"]
        .map(|shell| ["", bare].map(|before| format!("{before}{shell} -c {sourced}")));
    let commands = commands.as_flattened().iter();
    let expected: Vec<_> = commands.map(|it| (it.as_str(), ACTIVE)).collect();
    each_prints(|words| project.run(&[], words), &expected);
}

/// As described in micromamba-docker's documentation of derived images.
#[test]
fn the_user_of_a_derived_image_can_have_another_name() {
    let project = built();
    let derived = Image::from_dockerfile(
        &project,
        &format!(
            r#"FROM {}
ARG NEW_MAMBA_USER=grace
ARG NEW_MAMBA_USER_ID=57440
ARG NEW_MAMBA_USER_GID=57440
USER root
RUN usermod "--login=$NEW_MAMBA_USER" "--home=/home/$NEW_MAMBA_USER" --move-home -u "$NEW_MAMBA_USER_ID" "$MAMBA_USER" &&     groupmod "--new-name=$NEW_MAMBA_USER" -g "$NEW_MAMBA_USER_GID" "$MAMBA_USER" &&     chown -R "$NEW_MAMBA_USER:$NEW_MAMBA_USER" /opt/conda &&     echo "$NEW_MAMBA_USER" > /etc/arg_mamba_user
ENV MAMBA_USER=$NEW_MAMBA_USER
USER $MAMBA_USER
RUN python -c 'import os; assert os.environ["HOME"] == "/home/grace"' && touch /opt/conda/mine
"#,
            project.tag()
        ),
    );
    let who = "echo $(id -un):$(id -gn) $(id -u):$(id -g) $HOME $MAMBA_USER; touch ~/mine";
    let other = format!("_entrypoint.sh bash -c '{who}'");
    let expected = "grace:grace 57440:57440 /home/grace grace\n";
    let commands = [(who, expected), (&*other, expected)];
    each_prints(|words| derived.run(&[], words), &commands);
    for shell in [&["bash", "-lc"][..], &["bash", "-ic"]] {
        let probe = format!("python -c '{PROBE}'");
        let output = derived
            .run(&[], &[shell, &[&probe]].concat())
            .expect_success();
        assert_eq!(output.stdout, ACTIVE);
    }
}

#[test]
fn the_prefix_can_be_copied_into_another_image() {
    let project = built();
    let copy = Image::from_dockerfile(
        &project,
        &format!(
            "FROM {}\n\
             COPY --from={} /opt/conda /opt/conda\n\
             ENV PATH=/opt/conda/bin:$PATH\n\
             RUN [\"python\", \"-c\", \"import ssl, sqlite3\"]\n",
            base(),
            project.tag()
        ),
    );
    let program = "import sys; print(sys.prefix)";
    let output = copy.run(&[], &["python", "-c", program]).expect_success();
    assert_eq!(output.stdout, "/opt/conda\n");
    let config = inspect(&project, copy.tag(), "{{json .Config}}");
    assert_eq!(config["User"].as_str().unwrap_or_default(), "");
}
