use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use url::Url;

use super::*;
use condafront_model::source::{Diagnostic, Level};
use condafront_step_spec::channel_folder;

fn requirement(text: &str) -> PipRequirement {
    PipRequirement {
        text: text.to_owned(),
        file: SourceFile::new("env.yml", format!("- {text}\n")),
        lines: Lines::one(1),
    }
}

/// Reads a list with the files in `context`.
fn read(first: &str, context: &[(&str, &str)]) -> Result<List, Diagnostic> {
    let files: BTreeMap<&str, Arc<SourceFile>> = context
        .iter()
        .map(|(path, text)| (*path, SourceFile::new(*path, *text)))
        .collect();
    let args = BuildArgs::from_iter([("INDEX_HOST", "i.example")]);
    let mut reading = Reading::new(&args);
    reading.add(&[requirement(first)], FilePath::context());
    while let Some(named) = reading.next_file()? {
        let path = named.candidates()?.remove(0);
        reading.open(&files[path.path.as_str()], path)?;
    }
    Ok(reading.finish())
}

/// Checks one entry, as far as that is possible without the files that it names.
fn check(text: &str) -> Result<(), Diagnostic> {
    let args = BuildArgs::default();
    let mut reading = Reading::new(&args);
    reading.add(&[requirement(text)], FilePath::build_file());
    while reading.next_file()?.is_some() {}
    Ok(())
}

#[test]
fn valid_requirements_are_left_to_pip() {
    for text in [
        "requests>=2",
        "requests [socks] == 2.* ; python_version > '3'",
        "requests (>=2,<3)",
        "x@https://f.example/x-1-py3-none-any.whl",
        "x[a,b] @ https://f.example/x.tar.gz ; sys_platform == 'linux'",
        "x @ https://f.example/x-1-py3-none-any.whl;python_version>'3'",
        "x @ git+https://g.example/x.git@v1;python_version>'3'",
        "x @ git+ssh://git@[fd00::1]:22/a/x.git",
        "-r it\\'s.txt",
        "https://f.example/x-1.tar.gz",
        "https://${TOKEN}@f.example/x-1.tar.gz",
        "git+https://g.example/x.git@v1#subdirectory=a/b&egg=x",
        "x @ git+ssh://git@g.example/x.git",
        ".",
        "./x[dev]; python_version > '3'",
        "wheels/x-1-py3-none-any.whl",
        "requests>=2;",
        "requests ; --hash=sha256:0000000000000000000000000000000000000000000000000000000000000000",
        "x @ https://f.example/x-1.zip ;",
        "./app;",
        "x-1-1-py3-none-any.whl",
        "x-1-py3-none-any.whl --hash=sha256:0000000000000000000000000000000000000000000000000000000000000000",
        "--index-url https://i.example/simple --pre",
        "-i https://i.example/simple",
        "--index-url https://${USER}:${TOKEN}@i.example/simple",
        "--only-binary=:all:",
        "-fhttps://f.example/links.html",
        "pkg --config-settings='--build-option=x y' -C a=b",
        "jinja2 === 3.1.4",
        "-e .",
        "--editable=./x[dev] ; python_version > '3'",
        "-e git+https://g.example/x.git#egg=x",
        "file:./x",
        "x[dev] @ file:x ; python_version > '3'",
        "jinja2===3.1.4+local.1; python_version >= '3.9'",
        "jinja2 >= 2.*",
        "jinja2[x] (~= 2.*, < 4.0.*)",
        "jinja2==3.1,",
        "jinja2 > 2 , < 3 , ; python_version > '3'",
        "jinja2==3.*.1",
        "jinja2==2004d-1",
        "jinja2<dev",
        "psycopg2==2.9 --no-binary psycopg2",
        "x --only-binary=:all:",
        "--extra-index https://i.example/simple",
        "--all-releases :all: --only-final x",
        "-e.",
        "-e./x[dev]",
        "-egit+https://g.example/x.git",
    ] {
        check(text).unwrap_or_else(|error| {
            panic!("{text}: {error}");
        });
    }
}

#[test]
fn a_file_is_read_in_any_encoding_as_pip_reads_it() {
    let read = |data: &[u8]| -> Result<Vec<String>, Diagnostic> {
        let args = BuildArgs::default();
        let mut reading = Reading::new(&args);
        reading.add(&[requirement("-r requirements.txt")], FilePath::context());
        let path = reading.next_file()?.unwrap().candidates()?.remove(0);
        reading.open(&SourceFile::new("requirements.txt", data), path)?;
        reading.next_file()?;
        let entries = reading.finish();
        Ok(entries
            .entries()
            .iter()
            .map(|entry| entry.text.clone())
            .collect())
    };
    let text = "# für alle\r\nflask>=3\r\n# und\r\nidna\r\n";
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for data in [
        text.as_bytes(),
        &[b"\xef\xbb\xbf", text.as_bytes()].concat(),
        &[b"\xff\xfe", utf16.as_slice()].concat(),
        &utf16,
        b"# -*- coding: latin-1 -*- f\xfcr alle\nflask>=3\nidna\n",
        b"#!/usr/bin/pip\n# vim: set fileencoding=cp1251 : \xef\nflask>=3\nidna\n",
        b"flask>=3\ridna\r",
    ] {
        assert_eq!(read(data).unwrap(), ["flask>=3", "idna"], "{data:?}");
    }
    for (data, line) in [
        (&b"flask\n# f\xfcr alle\n"[..], 2),
        (b"# coding: klingon\nflask # \xfc\n", 1),
        (b"# coding: utf-8\nflask\n# \xfc\n", 3),
        (b"flask\n<<<<<<< HEAD\nidna\n", 2),
        (b"flask\n{% if dev %}\nidna\n", 2),
        (b"flask\nidna=={{ idna }}\n", 2),
        (b"flask\nx @ https://f.example/{{x}}.whl\n", 2),
    ] {
        let error = read(data).unwrap_err();
        assert_eq!(error.locations[0].lines, Lines::one(line), "{error}");
    }
}

#[test]
fn files_name_files() {
    let list = read(
        "-r reqs/main.txt",
        &[
            (
                "reqs/main.txt",
                "# all of it\n--index-url https://${INDEX_HOST}/simple\n-c ../constraints.txt\n-r more/extra.txt\nflask \\\n  >= 3\n",
            ),
            ("constraints.txt", "-r reqs/more/deep.txt\nflask<4\n"),
            ("reqs/more/deep.txt", "./demo\n"),
            ("reqs/more/extra.txt", "--requirement=deep.txt\nidna\n"),
        ],
    )
    .unwrap();
    let entries: Vec<String> = list
        .entries()
        .iter()
        .map(|entry| {
            let Lines { first, last } = entry.lines;
            let kind = if entry.is_constraint { "-c " } else { "" };
            format!("{}:{first}-{last}: {kind}{}", entry.file.name(), entry.text)
        })
        .collect();
    insta::assert_snapshot!(entries.join("\n"));
    // Listed twice, built once.
    assert_eq!(list.local().count(), 1);
    let wheels = list.for_step(false);
    let wheels = wheels.iter().filter_map(|entry| entry.wheel.as_ref());
    assert_eq!(wheels.map(|wheel| wheel.index).collect::<Vec<_>>(), [0, 0]);
    assert_eq!(
        list.place_of("Flask").unwrap().lines,
        Lines { first: 5, last: 6 }
    );
    let of_a_dependency = list.place_of("click").unwrap();
    assert_eq!(of_a_dependency.file.name(), "reqs/more/deep.txt");
}

#[test]
fn files_that_name_files_have_an_end() {
    let message = |count: usize, times: usize| {
        let files = (0..count).map(|number| {
            let next = format!("-r {}.txt\n", number + 1);
            (format!("{number}.txt"), next.repeat(times))
        });
        let last = (format!("{count}.txt"), "idna\n".to_owned());
        let files: Vec<(String, String)> = files.chain([last]).collect();
        let files: Vec<(&str, &str)> = files
            .iter()
            .map(|(name, text)| (name.as_str(), text.as_str()))
            .collect();
        read("-r 0.txt", &files).err().map(|error| error.message)
    };
    assert_eq!(message(31, 1), None);
    let deep = "more than 32 files include one another in a chain";
    assert_eq!(message(32, 1).as_deref(), Some(deep));
    assert_eq!(message(8, 2), None);
    let many = "more than 1000 files are included";
    assert_eq!(message(20, 2).as_deref(), Some(many));
}

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

/// Invalid lines of a requirements file, each in its own file.
const MISTAKES: &[&str] = &[
    "x @ git+https://${TOKEN}@g.example/x.git",
    "git+https://g.example/x.git#egg=x/y",
    "jinja2 ===",
    "requests=2.31",
    "requests 2.31",
    "requests>=2 flask>=3",
    "requests>=2,,<3",
    "requests>=2 <3",
    "requests>2<3",
    "requests (>=2.*",
    "requests>=2.*; python_version",
    "numpy >= 1.26; python_version > 3",
    "requests==${REQUESTS_VERSION}",
    "-r",
    "-r https://example.org/requirements.txt",
    "-r /home/me/requirements.txt",
    "-r ../../requirements.txt",
    "-r reqs/",
    "-r main.txt",
    "-r a.txt --pre",
    "-e https://f.example/x-1.tar.gz",
    "-e './x",
    "--pre -e./x",
    "-e https://g.example/x.git",
    "-e C:\\Users\\me\\x",
    "./x\\y",
    "~/x",
    "-r reqs\\more.txt",
    "-r file:more.txt",
    "-r ${DIR}/more.txt",
    "--index-url $INDEX",
    "--upgrade",
    "requests -U",
    "--requirements more.txt",
    "x=1.0=pypi_0",
    "conda-forge::x",
    "x @ file:///croot/x_1/work",
    "x[a] @ 1.0",
    "x@^1.0",
    "requests\u{a0}>=2",
    "requests>=2; python_version >= “3.9”",
    "requests>=2 \\ ",
    "WARNING: x is old",
    "-e /home/me/x",
    "--pre -e ./x",
    "--target /opt",
    "--pre=yes",
    "--pre requests",
    "--index-url ./simple",
    "--index-url 'https://i.example",
    "--find-links ./wheels",
    "--hash=sha256:00",
    "requests==2 --hash=sha256:00",
    "-e ./x --hash=sha256:00",
    "requests==2 -C x",
    "réquests>=2",
    "./x-1.whl",
    "https://f.example/x.whl#sha256=00",
    "x @ https://f.example/x-1-py3-none.whl",
    "requests==2 --hash=md5:d41d8cd98f00b204e9800998ecf8427e",
    "requests==2 --index-url https://i.example/simple",
    "hg+https://g.example/x",
    "git+x",
    "jinja2[a.]",
    "git+file:///home/me/x",
    "x @ git+https://me:hunter2@g.example/x.git@",
    "x @ git+https://g.example/x.git#subdirectory=../x",
    "x @ git+https://g.example/x.git#history=all",
    "x @ git+ssh://git@g.example/x.git@main#history=true",
    "x @ https://",
    "x @ ./x",
    "../x",
    "/home/me/x.whl",
    "x @ file:///home/me/x.whl",
    "file:",
    "x @ file:#egg=x",
    "file:./x-1-py3-none-any.whl#sha256=00",
    "file:./x-1-py3-none-any.whl#sha512=00",
    "-e \"\"",
];

#[test]
fn mistakes_read_well() {
    let mut all = String::new();
    let mut add = |error: Diagnostic| {
        all.push_str(&format!("{}\n\n", error.render(Level::Error)));
    };
    for text in MISTAKES {
        let text = format!("# mistakes\n{text}\n");
        add(read("-r reqs/main.txt", &[("reqs/main.txt", &text)]).unwrap_err());
    }
    // In the build file itself, in constraints, and in a circle.
    add(read("-r ../requirements.txt", &[]).unwrap_err());
    for text in [
        "./demo",
        "requests[socks]<3; python_version > '3'",
        "https://f.example/x-1.zip",
    ] {
        let text = format!("requests[]<3\nhttps://f.example/x-1.zip#egg=x\n{text}\n");
        add(read("-c c.txt", &[("c.txt", &text)]).unwrap_err());
    }
    let circle = [
        ("a.txt", "idna\n-r b/b.txt\n"),
        ("b/b.txt", "-r ../a.txt\n"),
    ];
    add(read("-r a.txt", &circle).unwrap_err());
    assert!(!all.contains("hunter2"));
    insta::assert_snapshot!(all);
}

#[test]
fn credentials_are_distinguished_from_variables_and_users() {
    for (text, has) in [
        ("--index-url https://me:hunter2@i.example/simple", true),
        ("--index-url https://${USER}:hunter2@i.example/simple", true),
        ("--index-url https://i.example/t/abc-123/simple", true),
        ("x @ https://f.example/x.whl?sig=abc", true),
        ("git+https://token@g.example/x.git", true),
        (
            "--index-url https://${USER}:${TOKEN}@i.example/simple",
            false,
        ),
        ("--index-url https://${TOKEN}@i.example/simple", false),
        ("x @ https://f.example/x.whl?sig=${SIG}", false),
        ("x @ https://f.example/x.whl?raw=true&dl=1", false),
        ("x @ https://f.example/x.zip?download=1#egg=x", false),
        ("x @ https://f.example/x.whl?raw=true&sig=abc", true),
        ("x @ https://f.example/x.whl?abc", true),
        (
            "--find-links https://f.example/?raw=1 --index-url https://i.example/?sig=abc",
            true,
        ),
        ("x @ git+ssh://git@g.example/x.git", false),
        ("git+https://git@g.example/x.git", false),
        ("git+https://git:hunter2@g.example/x.git", true),
        (
            "x @ https://pypi.example/packages/source/t/toml/toml-0.10.2.tar.gz",
            false,
        ),
        ("x>=1", false),
    ] {
        assert_eq!(has_credentials(text), has, "{text}");
    }
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
    let list = list_of("git+https://g.example/x.git@v1#egg=My.Pkg[extra]&subdirectory=a\n");
    let found = list.entries()[0].requirement().unwrap();
    assert_eq!(found.name.as_deref(), Some("my-pkg"));
    assert_eq!(list.for_step(false)[0].text, "My.Pkg[extra] @ ");
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
fn options_for_building_a_package_are_its_own() {
    let list = list_of(
        "--index-url https://i.example/simple\nMy_Pkg>=1 -C cmake.args='-DA=1;-DB=2' --hash=sha256:0000000000000000000000000000000000000000000000000000000000000000\nother\n",
    );
    let options = list.build_options();
    assert_eq!(options.indexes, ["--index-url", "https://i.example/simple"]);
    assert_eq!(
        options.own("my-pkg"),
        ["--config-settings=cmake.args=-DA=1;-DB=2"]
    );
    assert_eq!(options.own("other"), [""; 0]);
    let list = list_of("My_Pkg>=1 --no-binary my-pkg\n");
    assert_eq!(list.build_options().own("my-pkg"), [""; 0]);
    assert_eq!(list.for_step(false)[0].text, "My_Pkg>=1 --no-binary my-pkg");
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

#[test]
fn binary_files_are_errors() {
    let args = BuildArgs::default();
    let mut reading = Reading::new(&args);
    reading.add(&[requirement("-r x.txt")], FilePath::context());
    let path = reading.next_file().unwrap().unwrap().candidates().unwrap();
    let file = SourceFile::new("x.txt", b"idna\n\xff".to_vec());
    let error = reading.open(&file, path[0].clone());
    assert_eq!(error.unwrap_err().locations[0].lines, Lines::one(2));
}

#[test]
fn requirements_with_line_breaks_or_invisible_characters_are_errors() {
    for (text, what) in [
        ("requests\n--index-url=https://evil.example", "a line break"),
        ("requests\u{1b}[2J", "the invisible character U+001B"),
        ("./demo\u{202e}", "the invisible character U+202E"),
        ("requests\u{2028}evil", "a line break"),
    ] {
        let message = read(text, &[]).unwrap_err().message;
        assert!(message.ends_with(&format!("contains {what}")), "{message}");
        assert!(!message.contains(['\n', '\u{1b}', '\u{202e}']), "{message}");
    }
    let error = read("-r r.txt", &[("r.txt", "idna\nx\u{7}\n")]).unwrap_err();
    assert_eq!(error.locations[0].lines, Lines::one(2));
    assert!(read("requests\t# a tab", &[]).is_ok());
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(
        text in "([-a-z@ .:/=\\[\\]+é#;${}A'\"\\\\\n]{0,30})\
            |x ?[=<>~!]{1,3} ?[0-9a-z.*+!]{0,8}\
            |x; ?(extra|python_version|sys_platform|'a') ?(==|in|not in|>|~=|===) ?['\"]?[a-z0-9.*]{0,6}['\"]?( and .*)?\
            |.*"
    ) {
        let args = BuildArgs::default();
        let file = SourceFile::new("r.txt", text.as_str());
        let mut reading = Reading::new(&args);
        reading.add(&[requirement(&text), requirement("-r r.txt")], FilePath::build_file());
        let mut files = 0;
        while let Ok(Some(named)) = reading.next_file() {
            files += 1;
            if files > 10 || reading.open(&file, named.folder.clone()).is_err() {
                break;
            }
        }
        let list = reading.finish();
        let _ = (list.pinned(), list.variables(), list.for_step(true));
        let _ = list.check_hashes(|_| false);
        let _ = list.place_of(&text);
    }
}
