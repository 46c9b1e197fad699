//! Where the packages of a list come from: URLs, repositories and folders.

use url::Url;

use super::*;
use condafront_step_spec::channel_folder;

#[test]
fn lists_with_hashes_and_urls_need_no_index() {
    let hash = "a".repeat(64);
    let pinned = |text: &str| {
        let text = text.replace("HASH", &hash);
        list_of(&text).pinned().map(|files| {
            let files = files.iter();
            let names = files.map(|file| format!("{} {:?}", file.name, file.version));
            names.collect::<Vec<_>>().join(", ")
        })
    };
    let url = "https://f.example/demo-1.0-py3-none-any.whl";
    for (text, expected) in [
        (format!("demo @ {url} --hash=sha256:HASH"), true),
        (format!("{url} \\\n  --hash=sha256:HASH # it\n"), true),
        (format!("--require-hashes\ndemo @ {url}#sha256=HASH"), true),
        // Not a list with hashes: pip would also install dependencies.
        (format!("demo @ {url}#sha256=HASH"), false),
        (
            format!("demo @ {url} --hash=sha256:HASH\nidna==3 --hash=sha256:HASH"),
            false,
        ),
        (
            format!("demo @ {url} --hash=sha256:HASH --hash=sha256:HASH"),
            false,
        ),
        (
            format!("demo @ {url} ; os_name == 'nt' --hash=sha256:HASH"),
            false,
        ),
        ("idna==3.10 --hash=sha256:HASH".to_owned(), false),
        (
            format!("--no-require-hashes\ndemo @ {url} --hash=sha256:HASH"),
            false,
        ),
        ("--require-hashes\n".to_owned(), false),
    ] {
        let expected = expected.then(|| "demo Some(\"1.0\")".to_owned());
        assert_eq!(pinned(&text), expected, "{text}");
    }
}

#[test]
fn repositories_have_parts() {
    let list = list_of(
        "demo @ git+https://me@g.example/team/demo.git@feature/x#subdirectory=a/./b ; os_name == 'posix'\ngit+ssh://git@g.example/x.git\n",
    );
    let found: Vec<_> = list.local().map(|(_, _, found)| found.clone()).collect();
    let Source::Repository(first) = &found[0].source else {
        panic!("a repository")
    };
    assert_eq!(first.url, "https://me@g.example/team/demo.git");
    assert_eq!(first.reference.as_deref(), Some("feature/x"));
    assert_eq!(first.subdir.as_deref(), Some("a/b"));
    assert_eq!(found[0].before, "demo @ ");
    assert_eq!(found[0].after, " ; os_name == 'posix'");
    let Source::Repository(second) = &found[1].source else {
        panic!("a repository")
    };
    assert_eq!(second.url, "ssh://git@g.example/x.git");
    assert_eq!(second.reference, None);
}

#[test]
fn file_urls_have_hashes_and_editable_ones_extras() {
    let sha256 = "A".repeat(64);
    let list = list_of(&format!(
        "file:./x-1-py3-none-any.whl#sha256={sha256}\n-e file:./app[dev,test]\n-e ./lib[dev]\n"
    ));
    let found: Vec<_> = list.local().map(|(_, _, found)| found.clone()).collect();
    assert_eq!(found[0].file_hashes.sha256, Some("a".repeat(64)));
    // pip requires hashes of all packages only after --hash.
    assert!(found[0].hashes.is_empty());
    let after = |list: &List| {
        list.for_step(false)
            .into_iter()
            .find_map(|entry| entry.wheel)
    };
    assert_eq!(after(&list).unwrap().after, "");
    let among_hashes = list_of(&format!(
        "--require-hashes\nfile:./x-1-py3-none-any.whl#sha256={sha256} ; python_version > '3'\n"
    ));
    assert_eq!(
        after(&among_hashes).unwrap().after,
        format!(" ; python_version > '3' --hash=sha256:{}", "a".repeat(64))
    );
    let paths: Vec<&str> = found
        .iter()
        .map(|found| match &found.source {
            Source::Context(path) => path.path.as_str(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(paths, ["x-1-py3-none-any.whl", "app", "lib"]);
    assert_eq!(found[1].after, "[dev,test]");
    assert_eq!(found[2].after, "[dev]");
}

#[test]
fn editable_packages_and_file_urls_are_packages_of_the_context() {
    for (text, path, before, after, is_editable) in [
        ("-e .", "", "", "", true),
        ("-e demo", "demo", "", "", true),
        ("-e '.[dev]'", "", "", "[dev]", true),
        (
            "--editable=./a/b[x] ; os_name == 'posix'",
            "a/b",
            "",
            "[x] ; os_name == 'posix'",
            true,
        ),
        ("-e file:./demo#egg=demo[x]", "demo", "demo[x] @ ", "", true),
        ("file:my%20demo", "my demo", "", "", false),
        (
            "d[x] @ file:./demo#subdirectory=a ; os_name == 'posix'",
            "demo/a",
            "d[x] @ ",
            " ; os_name == 'posix'",
            false,
        ),
    ] {
        let list = list_of(&format!("{text}\n"));
        let found = list.entries()[0].requirement().unwrap();
        let Source::Context(place) = &found.source else {
            panic!("{text}: {:?}", found.source)
        };
        assert_eq!(place.path, path, "{text}");
        assert_eq!(
            (found.before.as_str(), found.after.as_str()),
            (before, after),
            "{text}"
        );
        assert_eq!(!list.warnings().is_empty(), is_editable, "{text}");
    }
    let list = list_of("-e git+https://g.example/x.git@v1#egg=x\n");
    assert!(matches!(
        list.entries()[0].requirement().unwrap().source,
        Source::Repository(_)
    ));
    assert_eq!(list.warnings().len(), 1);
}

#[test]
fn what_must_be_built_for_another_system_alone_is_left_out() {
    let list = list_of(
        "./nt ; os_name == 'nt' --config-settings=a=b\nx @ git+https://g.example/x.git ; sys_platform == 'darwin'\n./all ; python_version > '3'\nidna ; os_name == 'nt'\n",
    );
    let texts = list.entries().iter().map(|entry| entry.text.as_str());
    let left = ["./all ; python_version > '3'", "idna ; os_name == 'nt'"];
    assert!(texts.eq(left));
}

#[test]
fn an_egg_names_a_repository() {
    for version in ["", "==1.0", ">=0.4.dev4", "==1.git"] {
        let list = list_of(&format!(
            "git+https://g.example/x.git@v1#egg=My.Pkg[extra]{version}&subdirectory=a\n"
        ));
        let found = list.entries()[0].requirement().unwrap();
        assert_eq!(found.name.as_deref(), Some("my-pkg"));
        assert_eq!(list.for_step(false)[0].text, "My.Pkg[extra] @ ");
    }
}

#[test]
fn extras_at_the_end_of_an_address_are_those_of_the_name_before_it() {
    for (text, before) in [
        ("x @ git+https://g.example/x#egg=x[a]", "x[a] @ "),
        (
            "x @ git+https://g.example/x#egg=x[a] ; os_name == 'posix'",
            "x[a] @ ",
        ),
        ("x[b] @ git+https://g.example/x#egg=x[a]", "x[a] @ "),
        (
            "x[b] @ git+https://g.example/x#egg=x[a]&subdirectory=y",
            "x[b] @ ",
        ),
        ("x @ git+https://g.example/x#egg=x[a]==1.0", "x @ "),
        ("x @ file:./x#egg=x[a]", "x[a] @ "),
    ] {
        let list = list_of(&format!("{text}\n"));
        assert_eq!(list.for_step(false)[0].text, before, "{text}");
    }
}

#[test]
fn a_pinned_package_may_be_listed_twice_if_both_agree() {
    let hash = |digit: &str| format!("--hash=sha256:{}", digit.repeat(64));
    let line = |version: &str, hash: &str| {
        format!("x @ https://f.example/x-{version}-py3-none-any.whl {hash}\n")
    };
    let one = line("1", &hash("1"));
    let twice = list_of(&format!("{one}{one}")).pinned();
    assert_eq!(twice.map(|packages| packages.len()), Some(1));
    let other = line("2", &hash("2"));
    assert_eq!(list_of(&format!("{one}{other}")).pinned(), None);
}

#[test]
fn files_of_a_folder_are_taken_from_there() {
    let list = list_of(
        "-i https://i.example/simple\nx[a] @ https://me:pw@f.example:8443/p/x-1+a-py3-none-any.whl ; python_version > '3'\n",
    );
    let step = list.for_step(true);
    assert_eq!(step[0].text, "");
    let text = &step[1].text;
    assert_eq!(
        text,
        "x[a] @ file:///.condafront-channel/pypi/files/f.example%2B8443/p/x-1%2Ba-py3-none-any.whl ; python_version > '3'"
    );
    let file = text.split(' ').find(|word| word.starts_with("file:"));
    let back = channel_folder::elsewhere(&Url::parse(file.unwrap()).unwrap()).unwrap();
    assert_eq!(
        back.as_str(),
        "https://f.example:8443/p/x-1+a-py3-none-any.whl"
    );
}
