use super::*;

fn points(text: &str) -> Result<Vec<EntryPoint>> {
    read(text, "3.13").map(|points| points.programs)
}

fn names(text: &str) -> Vec<String> {
    let points = points(text).unwrap().into_iter();
    points.map(|point| point.name).collect()
}

#[test]
fn programs_call_their_functions() {
    let text = "# comment\n[other]\nx = y:z\n\n[console_scripts]\nrun=a.b : main.inner [extra, more]\nrun = a.b:main.inner[x]\n[gui_scripts]\nwindow = _c:f\n";
    let found = points(text).unwrap();
    assert_eq!(names(text), ["run", "window"]);
    let python = "/opt/conda/bin/python";
    insta::assert_snapshot!(found[1].script(python, "3.8"), @r"
    #!/opt/conda/bin/python
    # -*- coding: utf-8 -*-
    import re
    import sys
    from _c import f
    if __name__ == '__main__':
        sys.argv[0] = re.sub(r'(-script\.pyw|\.exe)?$', '', sys.argv[0])
        sys.exit(f())
    ");
    insta::assert_snapshot!(found[0].script(python, "3.13"), @r"
    #!/opt/conda/bin/python
    import sys
    from a.b import main
    if __name__ == '__main__':
        sys.argv[0] = sys.argv[0].removesuffix('.exe')
        sys.exit(main.inner())
    ");
}

#[test]
fn a_python_with_a_long_path_is_started_by_a_shell() {
    let long = format!("/{}", "x".repeat(123));
    assert_eq!(shebang(&long), format!("#!{long}\n"));
    for (python, quoted) in [
        (format!("{long}x"), format!("{long}x")),
        (
            "/opt/my env/python".to_owned(),
            "\"/opt/my env/python\"".to_owned(),
        ),
    ] {
        let expected = format!("#!/bin/sh\n'''exec' {quoted} \"$0\" \"$@\"\n' '''\n");
        assert_eq!(shebang(&python), expected);
    }
}

#[test]
fn pip_has_programs_for_its_python() {
    let text = "[console_scripts]\npip = pip:main\npip3 = pip:main\npip3.9 = pip:main\npipx = x:y\neasy_install-3.9 = e:m\n";
    assert_eq!(
        names(text),
        ["pip", "pip3", "pip3.13", "pipx", "easy_install-3.9"]
    );
    let text = "[console_scripts]\neasy_install = e:m\neasy_install-3.9 = e:m\n";
    assert_eq!(names(text), ["easy_install", "easy_install-3.13"]);
}

#[test]
fn what_follows_a_function_is_ignored() {
    for value in [
        "b.c:d",
        "b.c : d",
        "b.c:d [x]",
        "b.c:d[x.y, z]",
        "b.c:d()",
        "b.c:d # comment",
        "b.c:d; python_version < '3'",
        "b.c:d-e",
        "b.c:d.",
        "b.c:d:",
    ] {
        let found = points(&format!("[console_scripts]\na = {value}\n")).unwrap();
        assert_eq!(found.len(), 1, "{value}");
        let point = &found[0];
        assert_eq!((&*point.module, &*point.function), ("b.c", "d"), "{value}");
    }
}

#[test]
fn files_are_read_as_pip_reads_them() {
    for (text, expected) in [
        ("[[console_scripts]]\na=b:c", &["a"][..]),
        ("[ console_scripts ]\na=b:c", &[]),
        (" [console_scripts] \r\n a=b:c\rd=e:f", &["a", "d"]),
        (
            "[console_scripts]\na=b:c\u{c}d=e:f\u{2028}g=h:i",
            &["a", "d", "g"],
        ),
        ("[console_scripts]\n#a=b:c\n;d=b:c", &[";d"]),
        ("[x]\nno value\n[gui_scripts]\na=b:c\na=d:e", &["a"]),
        (
            "[console_scripts]\nmy tool = b:c\n; x = b:c",
            &[" tool", " x"],
        ),
        ("[console_scripts]\nä.b/c,d = b:c", &["ä.b/c,d"]),
    ] {
        assert_eq!(names(text), expected, "{text}");
    }
}

#[test]
fn names_that_are_not_those_of_files_are_refused() {
    let mut messages = String::new();
    let long = "x".repeat(256);
    for name in [
        "../x",
        "/x",
        "a/../b",
        "a/",
        "..",
        ".",
        "",
        "a\u{1b}[2J",
        "a\u{202e}b",
        &long,
    ] {
        let text = format!("[console_scripts]\n{name} = a:b\n");
        let message = points(&text).unwrap_err().to_string();
        messages += &format!("{}\n", message.replace(&long, "xxx…"));
    }
    for value in [
        "", "a.b", "a:", ":b", "a b:c", "a-b:c", "a.:b", "a:.b", "a:b:c",
    ] {
        let text = format!("[gui_scripts]\nx = {value}\n");
        messages += &format!("{value}: {}\n", points(&text).unwrap_err());
    }
    insta::assert_snapshot!(messages, @r"
    its entry point `../x` does not have the name of a file
    its entry point `/x` does not have the name of a file
    its entry point `a/../b` does not have the name of a file
    its entry point `a/` does not have the name of a file
    its entry point `..` does not have the name of a file
    its entry point `.` does not have the name of a file
    its entry point `` does not have the name of a file
    the name of its entry point `a\u{1b}[2J` contains the invisible character U+001B
    the name of its entry point `a\u{202e}b` contains the invisible character U+202E
    its entry point `xxx…` does not have the name of a file
    : its entry point `x` names no function
    a.b: its entry point `x` names no function
    a:: its entry point `x` names no function
    :b: its entry point `x` names no function
    a b:c: its entry point `x` names no function
    a-b:c: its entry point `x` names no function
    a.:b: its entry point `x` names no function
    a:.b: its entry point `x` names no function
    a:b:c: its entry point `x` names several functions
    ");
}

#[test]
fn scripts_made_for_entry_points_are_known() {
    let text = "[console_scripts]\nrun = a:b\npip = a:b\npip3.9 = a:b\n";
    let found = read(text, "3.13").unwrap();
    for (file, expected) in [
        ("run", true),
        ("pip3.9", true),
        ("run.exe", true),
        ("RUN.EXE", false),
        ("run-script.py", true),
        ("run.py", false),
        ("other", false),
    ] {
        assert_eq!(found.are_run_by(file), expected, "{file}");
    }
}
