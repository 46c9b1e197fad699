use super::*;
use crate::section::tests::section;
use condafront_model::source::{Level, SourceFile};

/// The section with these lines, and its warnings.
fn completed(lines: &str, args: &[(&str, &str)]) -> (ImageSection, Vec<String>) {
    let text = format!("condafront:\n{lines}");
    let section = section(&text, args);
    let section = section.unwrap_or_else(|error| panic!("{}", error.render(Level::Error)));
    let warnings = section.warnings(&SourceFile::new("env.yml", text));
    let messages = warnings.into_iter().map(|it| it.diagnostic.message);
    (section, messages.collect())
}

#[test]
fn each_platform_adds_what_the_file_does_not_have() {
    let platforms: Vec<String> = CONTRACTS
        .iter()
        .map(|(name, _)| completed(&format!("  for: {name}\n"), &[]).1.join("\n"))
        .filter(|added| !added.is_empty())
        .collect();
    insta::assert_snapshot!(platforms.join("\n"), @r#"
    `for: openshift` adds `group_writable: true`, `user: {gid: 0}` and `env: {HOME: /home/mambauser}`
    `for: nextflow` adds `apt: [procps]`
    `for: binder` adds `user: {name: jovyan, uid: 1000}`
    `for: sagemaker` adds `user: {name: sagemaker-user, uid: 1000, gid: 100}`, `workdir: /home/sagemaker-user` and `expose: [8888]`
    `for: snakemake` adds `labels: {io.github.snakemake.containerized: 'true'}`
    `for: devcontainer` adds `user: {uid: 1000}` and `labels: {devcontainer.metadata: '[{"remoteUser":"mambauser"}]'}`
    "#);
}

#[test]
fn what_the_file_has_is_not_added() {
    let lines = "  for: [openshift, nextflow, devcontainer, snakemake, sagemaker]
  user: root
  group_writable: yes
  env: {HOME: /srv}
  apt: [procps=2*]
  expose: [8000-9000]
  workdir: /home/sagemaker-user/lab
  labels: {devcontainer.metadata: '[]', io.github.snakemake.containerized: 'true'}
";
    assert_eq!(completed(lines, &[]).1, [""; 0]);
    let lines = lines.replace("user: root", "user: ada");
    let error = section(&format!("condafront:\n{lines}"), &[]).unwrap_err();
    assert!(error.message.starts_with("no image fits both"), "{error}");
}

#[test]
fn binder_chooses_the_user() {
    let args = [("NB_USER", "jo"), ("NB_UID", "1234")];
    let (section, added) = completed("  for: binder\n  workdir: /home/${MAMBA_USER}\n", &args);
    let user = section.user.expect("a user").value;
    assert_eq!((user.name.as_deref(), user.uid), (Some("jo"), Some(1234)));
    assert_eq!(
        section.workdir.map(|it| it.value),
        Some("/home/jo".to_owned())
    );
    assert_eq!(added, ["`for: binder` adds `user: {name: jo, uid: 1234}`"]);
    let mine = "condafront:\n  for: binder\n  user: {name: ada, uid: 1000}\n";
    let error = super::super::tests::section(mine, &args).unwrap_err();
    assert_eq!(
        error.message,
        "`binder` needs the uid 1234, and `user` has 1000"
    );
}

#[test]
fn a_build_arg_cannot_break_a_platform() {
    let text = "condafront:\n  for: sagemaker\n";
    let error = section(text, &[("MAMBA_USER_ID", "5")]).unwrap_err();
    assert_eq!(
        error.message,
        "`sagemaker` needs the uid 1000, and the build-arg MAMBA_USER_ID is 5"
    );
}

#[test]
fn bases_with_apt_are_known_by_their_names() {
    for image in [
        "debian:13-slim",
        "ubuntu",
        "localhost:5000/debian:13",
        "mirror.example/library/ubuntu@sha256:00",
    ] {
        assert!(is_debian(image), "{image}");
    }
    for image in ["alpine", "scratch", "org/debian-tools", "fedora:42", ""] {
        assert!(!is_debian(image), "{image}");
    }
}

#[test]
fn root_is_root_however_it_is_named() {
    let error = |lines: &str, args: &[(&str, &str)]| {
        let text = format!("condafront:\n  for: binder\n{lines}");
        section(&text, args).unwrap_err().to_string()
    };
    for lines in ["  user: root\n", "  user: 0\n", "  user: {uid: 0}\n"] {
        let told = error(lines, &[]);
        assert!(
            told.starts_with("`binder` does not run images as root"),
            "{told}"
        );
        // Other platforms take it.
        let text = format!("condafront:\n  for: [devcontainer, sagemaker]\n{lines}");
        section(&text, &[]).unwrap();
    }
    let args = [
        ("MAMBA_USER", "root"),
        ("MAMBA_USER", "0"),
        ("MAMBA_USER", "7"),
        ("NB_UID", "0"),
        ("NB_UID", "abc"),
        ("NB_UID", "3000000000"),
        ("NB_UID", "99999999999999999999"),
        ("NB_USER", "root"),
        ("NB_USER", "jo:x"),
        ("NB_USER", "a b"),
    ];
    let told = args.map(|arg| error("", &[arg]));
    insta::assert_snapshot!(told.join("\n"), @r#"
    `binder` does not run images as root, and the build-arg MAMBA_USER is root's
    Remove the build-arg, or remove `binder` from `for`.
    `binder` does not run images as root, and the build-arg MAMBA_USER is root's
    Remove the build-arg, or remove `binder` from `for`.
    `binder` needs the uid 1000, and the build-arg MAMBA_USER is 7
    Remove the build-arg, or remove `binder` from `for`.
    the build-arg NB_UID is `0`: `binder` does not run images as root
    Use --build-arg NB_UID=1000.
    the build-arg NB_UID is `abc`: it must be a number from 1 to 2147483647
    Use --build-arg NB_UID=1000.
    the build-arg NB_UID is `3000000000`: it must be a number from 1 to 2147483647
    Use --build-arg NB_UID=1000.
    the build-arg NB_UID is `99999999999999999999`: it must be a number from 1 to 2147483647
    Use --build-arg NB_UID=1000.
    the build-arg NB_USER is `root`: `binder` does not run images as root
    Use --build-arg NB_USER=jovyan.
    the build-arg NB_USER is `jo:x`: it is not a valid account name
    Use --build-arg NB_USER=jovyan.
    the build-arg NB_USER is `a b`: it is not a valid account name
    Use --build-arg NB_USER=jovyan.
    "#);
    section(
        "condafront:\n  for: sagemaker\n  user: ada\n",
        &[("MAMBA_USER", "root")],
    )
    .unwrap();
}

#[test]
fn what_the_file_says_against_a_platform_is_an_error_at_that_line() {
    let mut told = String::new();
    for lines in [
        "  for: openshift\n  user: \"0:5\"\n",
        "  env:\n    A: b\n    HOME: /\n  for: openshift\n",
        "  for: openshift\n  env: {HOME: ''}\n",
        "  for: devcontainer\n  labels:\n    devcontainer.metadata: not JSON\n",
        "  for: devcontainer\n  labels: {devcontainer.metadata: '[1]'}\n",
        "  labels: {io.github.snakemake.containerized: no}\n  for: snakemake\n",
        "  for: sagemaker\n  workdir: /srv/lab\n",
        "  for: sagemaker\n  workdir: /home/sagemaker-user/../ada\n",
        "  for: sagemaker\n  workdir: /home/sagemaker-users\n",
        "  for: singularity\n",
        "  for: [OpenShift]\n",
        "  for: [openshift, kubernetes]\n",
        "  for: openshift, nextflow\n",
        "  for: openshift nextflow\n",
        "  for: lambda\n",
    ] {
        let error = section(&format!("condafront:\n{lines}"), &[]).unwrap_err();
        told.push_str(&error.render(Level::Error));
        told.push('\n');
    }
    insta::assert_snapshot!(told);
}

#[test]
fn sagemaker_mounts_its_files_in_one_place() {
    let workdir = |lines: &str| {
        let (section, _) = completed(&format!("  for: sagemaker\n{lines}"), &[]);
        section.workdir.map(|it| it.value)
    };
    for (lines, expected) in [
        ("", "/home/sagemaker-user"),
        // The place does not depend on the user's name.
        ("  user: {name: ada}\n", "/home/sagemaker-user"),
        (
            "  workdir: /home/sagemaker-user/a\n",
            "/home/sagemaker-user/a",
        ),
        // The base may be in the right place.
        ("  workdir: notebooks\n", "notebooks"),
    ] {
        assert_eq!(workdir(lines).as_deref(), Some(expected), "{lines}");
    }
}

#[test]
fn the_home_of_root_is_known() {
    for user in ["root", "0", "{uid: 0}"] {
        let (_, added) = completed(&format!("  for: openshift\n  user: {user}\n"), &[]);
        let home = added.iter().any(|added| added.contains("HOME: /root}"));
        assert!(home, "{user}: {added:?}");
    }
}
