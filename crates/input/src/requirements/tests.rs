mod credentials;
mod files;
mod sources;
mod web_lists;

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use condafront_model::source::{Diagnostic, Level};

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
    while let Some(file) = reading.next_file()? {
        match file {
            IncludedFile::Local(named) => {
                let path = named.candidates()?.remove(0);
                reading.open(&files[path.path.as_str()], path)?;
            }
            IncludedFile::Web(list) => {
                let content = files[list.url.to_string().as_str()].bytes();
                reading.open_web(content.to_vec())?;
            }
        }
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
        "x==2 --index-url https://i.example/simple",
        "-e ./x -f https://f.example/links --pre",
        "git+https://g.example/x.git#egg=x==1.0",
        "--extra-index https://i.example/simple",
        "--all-releases :all: --only-final x",
        "-e.",
        "-edemo",
        "-edemo[x]",
        "HTTPS://f.example/x-1-py3-none-any.whl",
        "x @ HTTP://f.example/x-1.zip",
        "x @ GIT+HTTPS://g.example/x.git@v1",
        "-i HTTPS://i.example/simple",
        "x[a] @ file:./x",
        "-e./x[dev]",
        "-egit+https://g.example/x.git",
    ] {
        check(text).unwrap_or_else(|error| {
            panic!("{text}: {error}");
        });
    }
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
    "-r ftp://example.org/requirements.txt",
    "-r https://${LIST_TOKEN}@example.org/requirements.txt",
    "-c https://me:hunter2@example.org/constraints.txt",
    "-c https://github.com/a/b/blob/main/constraints.txt",
    "-c https://example.org/constraints.txt#sha256=12ab",
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
    "-r file:///srv/more.txt",
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
    "requests==2 --require-hashes",
    "requests==2 -r more.txt",
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
    "\"./x\"",
    "'x @ https://f.example/x-1.zip'",
    "\"-e ./x\",",
    "'-r more.txt'",
    "./${D}",
    "-e ${D}",
    "file:${D}/x",
    "x @ ${URL}",
    "x @ file:./${D}",
    "x==1 \\\n    # via y\n    --hash=sha256:00",
    "x==1 \\\n\n    --hash=sha256:00",
    "x>=1, \\\n# not 3\n<3",
    "x>=1 \\\n# not 3\ny=1",
    "x @ x",
    "x @ FILE:./x",
    "-extra-index-url https://i.example/simple",
    "-requirement=more.txt",
    "x; 'a' in extras",
    "x; 'a' in b",
    "- idna>=3",
    "python -m pip install --user idna",
    "* -e ./x",
    "x=>1.2",
    "x==1--hash=sha256:00",
    "_libgcc_mutex==0.1",
    "./x#egg=x",
    "x @ file:///croot/x_1/work\ny @ file:///croot/y_1/work",
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
        "git+https://g.example/x",
        "-e git+https://g.example/x#egg=x",
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
            let opened = match named {
                IncludedFile::Local(named) => reading.open(&file, named.folder),
                IncludedFile::Web(_) => reading.open_web(text.clone().into_bytes()),
            };
            if files > 10 || opened.is_err() {
                break;
            }
        }
        let list = reading.finish();
        let _ = (list.pinned(), list.variables(), list.for_step(true));
        let _ = list.check_hashes(|_| false);
        let _ = list.place_of(&text);
    }
}
