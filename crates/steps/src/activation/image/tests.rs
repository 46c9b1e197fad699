use super::*;

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

fn base<'a>() -> Environment<'a> {
    Environment {
        name: "base",
        prefix: "/opt/conda",
        root_prefix: "/opt/conda",
        condabin: false,
        env_vars_d: &[],
        variables: &[],
        recorded: None,
        late: &[],
    }
}

#[test]
fn the_entrypoint_and_the_files_agree_on_what_belongs_to_the_image() {
    assert_eq!(
        condafront_entrypoint::reserved::RESERVED,
        condafront_model::reserved::RESERVED
    );
}

#[test]
fn base_variables_keep_their_order_and_new_ones_follow() {
    let env = activate(
        &pairs(&[("A", "1"), ("PATH", "/usr/bin:/bin"), ("LANG", "C")]),
        &base(),
    )
    .env;
    let expected = pairs(&[
        ("A", "1"),
        ("PATH", "/opt/conda/bin:/usr/bin:/bin"),
        ("LANG", "C"),
        ("CONDA_PREFIX", "/opt/conda"),
        ("CONDA_DEFAULT_ENV", "base"),
        ("CONDA_SHLVL", "1"),
        ("MAMBA_ROOT_PREFIX", "/opt/conda"),
        ("ENV_NAME", "base"),
    ]);
    assert_eq!(env, expected);
}

#[test]
fn a_base_without_variables_gets_a_path_and_a_locale() {
    let activation = activate(&[], &base());
    assert_eq!(
        activation.env[0],
        ("PATH".to_owned(), format!("/opt/conda/bin:{DEFAULT_PATH}"))
    );
    assert!(
        activation
            .env
            .contains(&("LANG".to_owned(), "C.UTF-8".to_owned()))
    );
    assert_eq!(
        activation.plain,
        Variables::from([("PATH".into(), DEFAULT_PATH.into())])
    );
}

fn ada() -> User {
    User {
        name: "ada".to_owned(),
        uid: 1000,
        gid: 100,
        home: "/home/ada".to_owned(),
        shell: "/bin/sh".to_owned(),
        group_writable: false,
    }
}

#[test]
fn the_user_replaces_the_users_variables_of_the_base() {
    let user = ada();
    let expected = pairs(&[
        ("MAMBA_USER", "ada"),
        ("A", "1"),
        ("MAMBA_USER_ID", "1000"),
        ("MAMBA_USER_GID", "100"),
    ]);
    let base_env = pairs(&[("MAMBA_USER", "mambauser"), ("A", "1")]);
    assert_eq!(with_user(base_env, &user), expected);
}

#[test]
fn what_the_base_says_about_containers_is_left_out() {
    let user = ada();
    let of_base = |home: &str| {
        let base_env = [("MAMBA_SKIP_ACTIVATE", "1"), ("HOME", home), ("A", "1")];
        with_user(pairs(&base_env), &user)
    };
    let kept = |env: &[(String, String)]| -> Vec<String> {
        let others = env.iter().filter(|(key, _)| !key.starts_with("MAMBA_USER"));
        others.map(|(key, _)| key.clone()).collect()
    };
    assert_eq!(kept(&of_base("/root")), ["A"]);
    assert_eq!(kept(&of_base("/home/ada")), ["HOME", "A"]);
}

#[test]
fn a_base_with_an_empty_path_gets_a_path() {
    for path in [&[("PATH", "")][..], &[]] {
        let activation = activate(&pairs(path), &base());
        let path = format!("/opt/conda/bin:{DEFAULT_PATH}");
        assert!(activation.env.contains(&("PATH".to_owned(), path)));
    }
}

#[test]
fn what_activation_sets_on_a_base_that_sets_it_too() {
    let base_env = [
        ("ENV_NAME", "prod"),
        ("CONDA_PREFIX", "/elsewhere"),
        ("CONDA_SHLVL", "2"),
        ("PATH", "/usr/bin:/opt/conda/bin:/bin"),
    ];
    let activation = activate(&pairs(&base_env), &base());
    let env: BTreeMap<String, String> = activation.env.into_iter().collect();
    for (name, value) in [
        ("ENV_NAME", "base"),
        ("CONDA_PREFIX", "/opt/conda"),
        ("CONDA_SHLVL", "1"),
        ("PATH", "/opt/conda/bin:/usr/bin:/bin"),
    ] {
        assert_eq!(env.get(name).map(String::as_str), Some(value));
    }
}

#[test]
fn scripts_override_variables_and_variables_override_packages() {
    let recorded = Recorded {
        set: [("V3".to_owned(), "script".to_owned())].into(),
        unset: vec!["V4".to_owned(), "NEVER".to_owned()],
        scripts: vec!["a.sh".to_owned(), "b.sh".to_owned(), "c.sh".to_owned()],
        dynamic: vec!["b.sh".to_owned()],
        shell_only: vec!["b.sh".to_owned(), "c.sh".to_owned()],
        log: String::new(),
    };
    let activation = activate(
        &pairs(&[("V4", "base"), ("V1", "base"), ("V5", "same")]),
        &Environment {
            env_vars_d: &pairs(&[
                ("V1", "one"),
                ("V2", "one"),
                ("V3", "one"),
                ("V5", "same"),
                ("V2", "two"),
            ]),
            variables: &pairs(&[("V1", "file")]),
            recorded: Some(&recorded),
            ..base()
        },
    );
    let env: BTreeMap<String, String> = activation.env.iter().cloned().collect();
    let value = |key: &str| env.get(key).map(String::as_str);
    assert_eq!(value("V1"), Some("file"));
    assert_eq!(value("V2"), Some("two"));
    assert_eq!(value("V3"), Some("script"));
    assert_eq!(value("V4"), None);
    assert_eq!(value("V5"), Some("same"));
    let changed = |key: &str| activation.record.change(OsStr::new(key)).is_some();
    assert!(changed("V4") && !changed("V5") && !changed("NEVER"));
    let used: Vec<ScriptUse> = activation.record.scripts.iter().map(|s| s.used).collect();
    assert_eq!(
        used,
        [ScriptUse::Recorded, ScriptUse::Start, ScriptUse::Shells]
    );
}

#[test]
fn late_variables_override_scripts() {
    let recorded = Recorded {
        set: [
            ("V1".to_owned(), "script".to_owned()),
            (
                "PATH".to_owned(),
                "/tool:/opt/conda/bin:/usr/bin".to_owned(),
            ),
        ]
        .into(),
        unset: vec!["V2".to_owned()],
        scripts: vec!["a.sh".to_owned()],
        dynamic: Vec::new(),
        shell_only: Vec::new(),
        log: String::new(),
    };
    let base_env = pairs(&[("PATH", "/usr/bin"), ("V2", "base")]);
    let path = "/own:/tool:/opt/conda/bin:/usr/bin";
    let activation = activate(
        &base_env,
        &Environment {
            variables: &pairs(&[("V1", "file")]),
            recorded: Some(&recorded),
            late: &pairs(&[("V1", "late"), ("V2", "late"), ("PATH", path)]),
            ..base()
        },
    );
    for (key, value) in [("V1", "late"), ("V2", "late"), ("PATH", path)] {
        let set = (key.to_owned(), value.to_owned());
        assert!(activation.env.contains(&set), "{key}");
        let changes = activation.record.changes.iter();
        let found: Vec<_> = changes.filter(|change| change.key() == key).collect();
        assert_eq!(found, [&Change::Set(key.into(), value.into())]);
    }
    let base_path = Some(&OsString::from("/usr/bin"));
    assert_eq!(activation.plain.get(OsStr::new("PATH")), base_path);
}

#[test]
fn the_same_input_gives_the_same_record() {
    let variables = pairs(&[("B", "1"), ("A", "2")]);
    let make = || {
        activate(
            &[],
            &Environment {
                variables: &variables,
                ..base()
            },
        )
        .record
        .encode()
    };
    assert_eq!(make(), make());
}
