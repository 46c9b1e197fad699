use super::*;

fn file(label: &str) -> PipFile {
    PipFile {
        label: label.to_owned(),
        md5: None,
        sha256: None,
        direct_url: None,
    }
}

#[test]
fn files_are_verified_and_folders_are_not() {
    let dir = tempfile::tempdir().unwrap();
    for (index, name) in ["a-1.0.tar.gz", "b-1.0-py3-none-any.whl"]
        .iter()
        .enumerate()
    {
        let folder = dir.path().join(index.to_string());
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join(name), "content").unwrap();
    }
    fs::create_dir_all(dir.path().join("2/source")).unwrap();
    let mounts = Mounts {
        input: dir.path().to_owned(),
        ..Mounts::default()
    };
    // echo -n content | sha256sum, and md5sum
    let sha256 = "ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73";
    let md5 = "9a0364b9e99bb480dd25e1f0284c8555";
    let with = |label: &str, sha256: &str, md5: &str| PipFile {
        sha256: Some(sha256.to_owned()),
        md5: Some(md5.to_owned()),
        ..file(label)
    };
    let (zeros, short) = ("0".repeat(64), "0".repeat(32));
    let good = [
        with("a 1.0", sha256, md5),
        file("b 1.0"),
        with("c", &zeros, &short),
    ];
    let upper = with("a", &sha256.to_uppercase(), &md5.to_uppercase());
    assert_eq!(verify(&[upper], &mounts).unwrap().len(), 1);
    assert_eq!(verify(&good, &mounts).unwrap().len(), 3);
    for bad in [with("b 1.0", &zeros, md5), with("b 1.0", sha256, &short)] {
        let error = verify(&[good[0].clone(), bad], &mounts).unwrap_err();
        assert!(
            error.to_string().contains("b 1.0 does not match the lock"),
            "{error}"
        );
    }
}

#[test]
fn a_package_is_the_only_file_of_its_folder() {
    let dir = tempfile::tempdir().unwrap();
    let found = || only_file(dir.path()).map_err(|error| error.to_string());
    assert!(found().unwrap_err().starts_with("there is no file in "));
    let path = dir.path().join("a-1.0-py3-none-any.whl");
    fs::write(&path, "").unwrap();
    assert_eq!(found(), Ok(path));
    fs::write(dir.path().join("b-1.0-py3-none-any.whl"), "").unwrap();
    let error = found().unwrap_err();
    assert!(
        error.starts_with("there is more than one file in "),
        "{error}"
    );
}

#[test]
fn names_that_hide_something_are_refused() {
    let info = tempfile::tempdir().unwrap();
    assert!(check_names(info.path()).is_ok());
    let check = |record: &str| {
        fs::write(info.path().join("RECORD"), record).unwrap();
        check_names(info.path()).map_err(|error| error.to_string())
    };
    let good = "a/b.py,sha256=x,1\r\n\"a/with, comma.py\",,\r\n../../../bin/\u{fc},,\r\n";
    assert_eq!(check(good), Ok(()));
    for (name, what) in [
        ("bin/x\u{1b}[2J", "the invisible character U+001B"),
        ("bin/\u{202e}x", "the invisible character U+202E"),
        ("\"bin/x\ny\"", "a line break"),
    ] {
        let why = check(&format!("{good}{name},,\r\n")).unwrap_err();
        assert!(why.ends_with(&format!("contains {what}")), "{why}");
        assert!(!why.contains(['\u{1b}', '\u{202e}', '\n']), "{why}");
    }
}

#[test]
fn reasons_from_pip_are_short_and_name_a_package() {
    let files = [file("six 1.17.0"), file("MarkupSafe 3.0.4"), file("foo")];
    let paths = [
        "/in/0/six-1.17.0-py3-none-any.whl",
        "/in/1/markupsafe-3.0.4-cp39-cp39-linux_x86_64.whl",
        "/in/2/foo-1.0-py3-none-any.whl",
    ]
    .map(PathBuf::from);
    let outputs = [
        "Processing /in/0/six-1.17.0-py3-none-any.whl\nERROR: markupsafe-3.0.4-cp39-cp39-linux_x86_64.whl is not a supported wheel on this platform.\n",
        "Processing /in/2/foo-1.0-py3-none-any.whl\nERROR: Package 'foo' requires a different Python: 3.13.5 not in '<3'\n",
        "WARNING: Requested foo from file:///in/2/foo-1.0-py3-none-any.whl has different version in metadata: '2.0'\nERROR: Requested foo from file:///in/2/foo-1.0-py3-none-any.whl has inconsistent version: expected '1.0', but metadata has '2.0'\n",
        "ERROR: Wheel 'six' located at /in/0/six-1.17.0-py3-none-any.whl is invalid.\n",
        "ERROR: Cannot uninstall markupsafe 2.0.0\n╰─> The package's contents are unknown: no RECORD file was found for markupsafe.\n",
        "Traceback (most recent call last):\n  File \"x\"\nOSError: [Errno 28] No space left on device\n",
        "/opt/conda/bin/python: No module named pip\n",
    ];
    let mut all = String::new();
    for output in outputs {
        let report = failure(output, &files, &paths);
        all.push_str(&format!("{report}\n"));
        all.push_str(&format!("  at {:?}\n", report.culprits));
        all.push_str(&format!("  {}\n\n", report.help.unwrap_or_default()));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn a_package_whose_name_ends_with_anothers_is_told_apart() {
    let names = [
        "six-1.0-py3-none-any.whl",
        "django_six-1.0-py3-none-any.whl",
    ];
    let files = ["six 1.0", "django-six 1.0"].map(file);
    let paths = [0, 1].map(|index| PathBuf::from(format!("/in/{index}/{}", names[index])));
    for (index, name) in names.iter().enumerate() {
        let reason = format!("{name} is not a supported wheel on this platform.");
        assert_eq!(culprit(&reason, &files, &paths), Some(index));
    }
}

#[test]
fn only_conda_packages_have_repodata() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("0")).unwrap();
    fs::write(dir.path().join("0/a-1.0-py3-none-any.whl"), "content").unwrap();
    let mounts = Mounts {
        input: dir.path().to_owned(),
        ..Mounts::default()
    };
    let wanted = PipFile {
        md5: Some("0".repeat(32)),
        ..file("a 1.0")
    };
    let report = of_pypi(verify(&[wanted], &mounts)).unwrap_err();
    let help = report.help.unwrap();
    assert!(
        help.contains("lock file") && !help.contains("repodata"),
        "{help}"
    );
    assert!(report.wrong_content);
}

#[test]
fn new_folders_are_found_from_pips_record() {
    let site = tempfile::tempdir().unwrap();
    for (name, origin) in [
        (
            "a-1.0",
            Some(r#"{"url": "file:///in/12/a-1.0-py3-none-any.whl"}"#),
        ),
        ("b-1.0", Some(r#"{"url": "https://b.example/b.whl"}"#)),
        ("c-1.0", Some("damaged")),
        ("d-1.0", None),
    ] {
        let info = site.path().join(format!("{name}.dist-info"));
        fs::create_dir(&info).unwrap();
        if let Some(origin) = origin {
            fs::write(info.join("direct_url.json"), origin).unwrap();
        }
    }
    let new = find_new(site.path(), Path::new("/in")).unwrap();
    assert_eq!(new, [(12, site.path().join("a-1.0.dist-info"))]);
    let before = installed(site.path()).unwrap();
    assert_eq!(before["d"], site.path().join("d-1.0.dist-info"));
    assert!(installed(&site.path().join("none")).unwrap().is_empty());
}

#[test]
fn a_replaced_package_is_condas_if_a_record_has_it() {
    let prefix = tempfile::tempdir().unwrap();
    let site = "lib/python3.13/site-packages";
    let records = prefix.path().join("conda-meta");
    fs::create_dir(&records).unwrap();
    let record = format!(r#"{{"files": ["bin/a", "{site}/a-1.0.dist-info/METADATA"]}}"#);
    for (name, content) in [
        ("a-1.0-0.json", record.as_str()),
        ("damaged.json", "{"),
        ("history", ""),
    ] {
        fs::write(records.join(name), content).unwrap();
    }
    let new = [
        (12, PathBuf::from("/site/a-2.0.dist-info")),
        (13, PathBuf::from("/site/B_c-2.0.dist-info")),
        (14, PathBuf::from("/site/d-2.0.dist-info")),
    ];
    let before = [("a", "a-1.0.dist-info"), ("b-c", "b_c-1.0.dist-info")];
    let before = before.map(|(name, info)| (name.to_owned(), PathBuf::from(info)));
    let is_condas = |info: &str| is_from_conda(prefix.path(), site, info);
    let notices = notices(&new, &before.into(), is_condas);
    let said: Vec<_> = notices
        .iter()
        .map(|notice| (notice.message.as_str(), notice.package))
        .collect();
    let expected = [
        ("a 2.0 from PyPI replaces conda's a 1.0", Some(12)),
        ("B_c 2.0 from PyPI replaces b_c 1.0", Some(13)),
    ];
    assert_eq!(said, expected);
}
