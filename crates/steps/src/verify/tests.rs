use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use super::*;
use condafront_step_spec::verify::{Extent, Finding};

/// The trees of two images with one package.
fn trees() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for tree in ["0", "1"] {
        let put = |path: &str, text: &str| {
            let path = dir.path().join(tree).join("opt/conda").join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        put("bin/tool", "tool");
        put("share/data", "data");
        put("bin/made", tree);
        put("../../usr/bin/own", "own");
        put("lib/a/__pycache__/b.cpython-313.pyc", tree);
        put("lib/a/b.py", "b");
        let record = r#"{"name": "a", "version": "1", "build": "0", "md5": "ab", "paths_data": {"paths": [
            {"_path": "bin/tool"}, {"_path": "bin/made", "path_type": "unix_python_entry_point"}, {"_path": "lib/a/b.py"}, {"_path": "share/data"},
            {"_path": "lib/a/__pycache__/b.cpython-313.pyc", "path_type": "pyc_file"}]}}"#;
        let of_env = r#"{"name": "e", "version": "2", "build": "0", "md5": "ab", "paths_data": {"paths": [{"_path": "share/in"}]}}"#;
        put("envs/r/conda-meta/e-2-0.json", of_env);
        put("envs/r/share/in", "in");
        put(
            "conda-meta/a-1-0.json",
            &record.replace("]}", &format!("], \"by\": {tree}}}")),
        );
    }
    dir
}

fn compared(dir: &Path, extent: Extent) -> VerifyReport {
    let spec = VerifySpec {
        prefix: "/opt/conda".to_owned(),
        extent,
        files: vec!["/usr/bin/own".to_owned()],
    };
    let tree = |index: &str| Tree::at(&dir.join(index), &spec.prefix);
    report(&spec, &tree("0"), &tree("1")).unwrap()
}

fn lines(report: &VerifyReport) -> Vec<String> {
    let line = |it: &Finding| format!("{} {} {:?}", it.path, it.text, it.package);
    report.findings.iter().map(line).collect()
}

#[test]
fn tools_may_differ_in_records_and_bytecode_if_only_packages_count() {
    let dir = trees();
    let report = compared(dir.path(), Extent::Everything);
    assert_eq!(
        lines(&report),
        [
            "/opt/conda/bin/made has different content Some(\"a 1\")",
            "/opt/conda/conda-meta/a-1-0.json has different content Some(\"a 1\")",
            "/opt/conda/lib/a/__pycache__/b.cpython-313.pyc has different content Some(\"a 1\")",
        ]
    );
    let report = compared(dir.path(), Extent::Packages);
    assert_eq!(lines(&report), [""; 0]);
    assert_eq!((report.packages, report.files, report.left_out), (2, 7, 2));
    let prefix = dir.path().join("1/opt/conda");
    fs::remove_dir_all(prefix.join("envs/r/share")).unwrap();
    fs::write(prefix.join("envs/r/conda-meta/e-3-0.json"), "{}").unwrap();
    fs::create_dir_all(prefix.join("share/__pycache__")).unwrap();
    fs::write(prefix.join("share/__pycache__/evil.cpython-313.pyc"), "").unwrap();
    fs::write(prefix.join("lib/a/__pycache__/b.cpython-312.pyc"), "").unwrap();
    fs::write(prefix.join("lib/a/__pycache__/c.cpython-313.pyc"), "").unwrap();
    fs::write(prefix.join("conda-meta/history"), "").unwrap();
    fs::create_dir(prefix.join("pkgs")).unwrap();
    fs::write(prefix.join("pkgs/urls.txt"), "").unwrap();
    fs::set_permissions(prefix.join("bin/tool"), fs::Permissions::from_mode(0o6644)).unwrap();
    let other = r#"{"name": "a", "version": "2", "build": "0", "md5": "ab"}"#;
    fs::write(prefix.join("conda-meta/a-1-0.json"), other).unwrap();
    assert_eq!(
        lines(&compared(dir.path(), Extent::Packages)),
        [
            "/opt/conda/bin/tool has the mode 6644 instead of 644 Some(\"a 1\")",
            "/opt/conda/conda-meta/a-1-0.json is the record of a different package Some(\"a 1\")",
            "/opt/conda/envs/r/conda-meta/e-3-0.json is a file that nothing accounts for None",
            "/opt/conda/envs/r/share is missing, with everything in it None",
            "/opt/conda/lib/a/__pycache__/c.cpython-313.pyc is a file that nothing accounts for None",
            "/opt/conda/share/__pycache__ is a directory that nothing accounts for None",
        ]
    );
}

/// Python replaces the bytecode of modules that contain the prefix.
#[test]
fn bytecode_of_packages_is_compared_unless_python_replaces_it() {
    let dir = trees();
    for tree in ["0", "1"] {
        let prefix = dir.path().join(tree).join("opt/conda");
        for path in [
            "lib/p.py",
            "lib/q.py",
            "lib/__pycache__/p.cpython-313.pyc",
            "lib/__pycache__/q.cpython-313.pyc",
        ] {
            let content = if path.ends_with('c') { tree } else { "" };
            put(&prefix, path, content);
        }
        let record = r#"{"name": "p", "version": "1", "build": "0", "md5": "ab", "paths_data": {"paths": [
            {"_path": "lib/__pycache__/p.cpython-313.pyc"}, {"_path": "lib/__pycache__/q.cpython-313.pyc"},
            {"_path": "lib/p.py", "file_mode": "text", "prefix_placeholder": "/build"}, {"_path": "lib/q.py"}]}}"#;
        put(&prefix, "conda-meta/p-1-0.json", record);
    }
    assert_eq!(
        lines(&compared(dir.path(), Extent::Packages)),
        ["/opt/conda/lib/__pycache__/q.cpython-313.pyc has different content Some(\"p 1\")"]
    );
}

#[test]
fn files_outside_are_found_behind_the_links_of_an_image() {
    let dir = trees();
    let image = dir.path().join("1");
    let first = |dir: &Path| lines(&compared(dir, Extent::Everything)).remove(0);
    fs::rename(image.join("usr/bin"), image.join("programs")).unwrap();
    symlink("/programs", image.join("usr/bin")).unwrap();
    assert!(first(dir.path()).starts_with("/opt/conda/bin/made"));
    fs::write(image.join("programs/own"), "OWN").unwrap();
    assert_eq!(first(dir.path()), "/usr/bin/own has different content None");
    fs::remove_file(image.join("usr/bin")).unwrap();
    for target in ["bin", "/bin", "/nowhere"] {
        symlink(target, image.join("usr/bin")).unwrap();
        assert_eq!(
            first(dir.path()),
            "/usr/bin/own is missing None",
            "{target}"
        );
        fs::remove_file(image.join("usr/bin")).unwrap();
    }
}

#[test]
fn links_of_an_image_lead_nowhere_else() {
    let dir = trees();
    let image = dir.path().join("1");
    fs::rename(image.join("opt/conda"), image.join("elsewhere")).unwrap();
    symlink("/elsewhere", image.join("opt/conda")).unwrap();
    let report = compared(dir.path(), Extent::Packages);
    assert_eq!(lines(&report), [""; 0]);
    let found = lines(&compared(dir.path(), Extent::Everything));
    assert_eq!(
        found[0],
        "/opt/conda is at /elsewhere instead of /opt/conda None"
    );
    assert_eq!(found.len(), 4);
    for target in ["conda", "/proc/self/root", "/elsewhere/bin/tool"] {
        fs::remove_file(image.join("opt/conda")).unwrap();
        symlink(target, image.join("opt/conda")).unwrap();
        let found = lines(&compared(dir.path(), Extent::Everything));
        assert_eq!(
            found,
            ["/opt/conda is missing, or not a directory None"],
            "{target}"
        );
    }
}

/// A file of the image, with its content.
fn put(dir: &Path, path: &str, text: &str) {
    let path = dir.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn chmod(dir: &Path, path: &str, mode: u32) {
    fs::set_permissions(dir.join(path), fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn what_is_not_compared_gives_no_rights() {
    let dir = trees();
    let prefix = dir.path().join("1/opt/conda");
    for path in [
        "lib/a/__pycache__/b.cpython-312.pyc",
        "conda-meta/history",
        "pkgs/urls",
    ] {
        put(&prefix, path, "");
    }
    assert_eq!(lines(&compared(dir.path(), Extent::Packages)), [""; 0]);
    chmod(&prefix, "bin/made", 0o4755);
    chmod(&prefix, "lib/a/__pycache__/b.cpython-312.pyc", 0o2755);
    chmod(&prefix, "lib/a/__pycache__/b.cpython-313.pyc", 0o755);
    chmod(&prefix, "conda-meta/history", 0o666);
    chmod(&prefix, "pkgs/urls", 0o6644);
    chmod(&prefix, "pkgs", 0o777);
    assert_eq!(
        lines(&compared(dir.path(), Extent::Packages)),
        [
            "/opt/conda/bin/made has the mode 4755 instead of 644 Some(\"a 1\")",
            "/opt/conda/conda-meta/history has the mode 666, and nothing accounts for it None",
            "/opt/conda/lib/a/__pycache__/b.cpython-312.pyc has the mode 2755, and nothing accounts for it None",
            "/opt/conda/lib/a/__pycache__/b.cpython-313.pyc has the mode 755 instead of 644 Some(\"a 1\")",
            "/opt/conda/pkgs has the mode 777, and nothing accounts for it None",
            "/opt/conda/pkgs/urls has the mode 6644, and nothing accounts for it None",
        ]
    );
}

/// Setting capabilities needs root, whom the tests run as where they count.
#[test]
fn what_is_not_compared_has_no_capabilities() {
    let dir = trees();
    let prefix = dir.path().join("1/opt/conda");
    let extra = "lib/a/__pycache__/b.cpython-312.pyc";
    put(&prefix, extra, "");
    let none = lines(&compared(dir.path(), Extent::Packages));
    // cap_setuid, in the format of version 2.
    let value = [
        1, 0, 0, 2, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ];
    for path in ["bin/made", extra] {
        if xattr::set(prefix.join(path), "security.capability", &value).is_err() {
            assert_eq!(none, [""; 0]);
            return;
        }
    }
    assert_eq!(
        lines(&compared(dir.path(), Extent::Packages)),
        [
            "/opt/conda/bin/made has different capabilities Some(\"a 1\")",
            "/opt/conda/lib/a/__pycache__/b.cpython-312.pyc has capabilities, and nothing accounts for it None",
        ]
    );
}

#[test]
fn an_image_sets_no_variables_of_its_own() {
    let dir = trees();
    let [own, image] = ["0", "1"].map(|tree| dir.path().join(tree).join("opt/conda"));
    let found = || lines(&compared(dir.path(), Extent::Packages));
    const STATE: &str = "conda-meta/state";
    put(&image, STATE, r#"{"version": 1, "env_vars": {}}"#);
    assert_eq!(found(), [""; 0]);
    for evil in [
        r#"{"env_vars": {"LD_PRELOAD": "x"}}"#,
        r#"{"env_vars": {"LD_PRELOAD": "x"}, "env_vars": {}}"#,
        "?",
    ] {
        put(&image, STATE, evil);
        let expected = "/opt/conda/conda-meta/state is a file that nothing accounts for None";
        assert_eq!(found(), [expected], "{evil}");
    }
    put(&own, STATE, r#"{"env_vars":{"A":"1","B":"2"}}"#);
    put(
        &image,
        STATE,
        r#"{"version": 1, "env_vars": {"B": "2", "A": "1"}}"#,
    );
    assert_eq!(found(), [""; 0]);
    put(&image, STATE, r#"{"env_vars": {"A": "1", "B": "3"}}"#);
    assert_eq!(
        found(),
        ["/opt/conda/conda-meta/state sets different variables None"]
    );
    fs::remove_file(image.join(STATE)).unwrap();
    assert_eq!(found(), ["/opt/conda/conda-meta/state is missing None"]);
    fs::remove_dir_all(image.join("conda-meta")).unwrap();
    assert_eq!(
        found(),
        ["/opt/conda/conda-meta is missing, with everything in it None"]
    );
}

#[test]
fn wheels_contain_their_programs_and_bytecode_without_source() {
    const WHEEL: &str = "lib/python3.13/site-packages";
    let dir = trees();
    let [own, image] = ["0", "1"].map(|tree| dir.path().join(tree).join("opt/conda"));
    let change = |path: &str, text: &str| put(&image, path, text);
    for tree in [&own, &image] {
        let put = |path: &str, text: &str| put(tree, path, text);
        let metadata = format!("{WHEEL}/w-1.0.dist-info");
        let points = "[console_scripts]\nentry = w:main\n";
        put(&format!("{metadata}/entry_points.txt"), points);
        let files = "../../../bin/entry,,\n../../../bin/script,,\n../../../bin/binary,,\n\
            w/__init__.py,,\nw/__pycache__/__init__.cpython-313.pyc,,\nw/__pycache__/lone.cpython-313.pyc,,\nw/lone.pyc,,\n\
            w-1.0.dist-info/entry_points.txt,,\nw-1.0.dist-info/RECORD,,\n";
        put(&format!("{metadata}/RECORD"), files);
        put("bin/entry", "#!/opt/conda/bin/python\nentry");
        put("bin/script", "#!/opt/conda/bin/python\nscript");
        put("bin/binary", "ELF");
        for module in ["__init__.py", "__pycache__/__init__.cpython-313.pyc"] {
            put(&format!("{WHEEL}/w/{module}"), "");
        }
        for module in ["lone.pyc", "__pycache__/lone.cpython-313.pyc"] {
            put(&format!("{WHEEL}/w/{module}"), "");
        }
    }
    assert_eq!(lines(&compared(dir.path(), Extent::Packages)), [""; 0]);
    // An installer writes these in its own way.
    change("bin/entry", "#!/opt/conda/bin/python3.13\nother");
    change("bin/script", "#!/opt/conda/bin/python3.13\nscript");
    change(
        &format!("{WHEEL}/w/__pycache__/__init__.cpython-313.pyc"),
        "x",
    );
    change(&format!("{WHEEL}/w-1.0.dist-info/RECORD"), "");
    assert_eq!(lines(&compared(dir.path(), Extent::Packages)), [""; 0]);
    change("bin/script", "#!/opt/conda/bin/python\nSCRIPT");
    change("bin/binary", "#!/bin/sh\n");
    change(&format!("{WHEEL}/w/lone.pyc"), "x");
    change(&format!("{WHEEL}/w/__pycache__/lone.cpython-313.pyc"), "x");
    assert_eq!(
        lines(&compared(dir.path(), Extent::Packages)),
        [
            "/opt/conda/bin/binary has 10 bytes instead of 3 Some(\"w 1.0\")",
            "/opt/conda/bin/script has different content Some(\"w 1.0\")",
            "/opt/conda/lib/python3.13/site-packages/w/__pycache__/lone.cpython-313.pyc has 1 bytes instead of 0 Some(\"w 1.0\")",
            "/opt/conda/lib/python3.13/site-packages/w/lone.pyc has 1 bytes instead of 0 Some(\"w 1.0\")",
        ]
    );
}

#[test]
fn an_inventory_of_another_base_image_has_the_same_rights() {
    const INVENTORY: &str = "share/sbom/condafront.spdx.json";
    let dir = trees();
    for tree in ["0", "1"] {
        let document =
            r#"{"packages": [{"SPDXID": "SPDXRef-base", "name": "BASE"}], "relationships": []}"#;
        let prefix = dir.path().join(tree).join("opt/conda");
        put(&prefix, INVENTORY, &document.replace("BASE", tree));
    }
    let found = || {
        let report = compared(dir.path(), Extent::Everything);
        let lines = lines(&report).into_iter();
        let of_inventory = lines
            .filter(|line| line.contains("spdx"))
            .collect::<Vec<_>>();
        (of_inventory, report.notes.len())
    };
    assert_eq!(found(), (Vec::new(), 1));
    chmod(&dir.path().join("1/opt/conda"), INVENTORY, 0o4644);
    let expected =
        "/opt/conda/share/sbom/condafront.spdx.json has the mode 4644 instead of 644 None";
    assert_eq!(found(), (vec![expected.to_owned()], 0));
}

#[test]
fn a_file_that_commands_removed_is_in_no_image() {
    let dir = trees();
    fs::remove_file(dir.path().join("0/usr/bin/own")).unwrap();
    let own = || {
        lines(&compared(dir.path(), Extent::Everything))
            .into_iter()
            .find(|line| line.contains("own"))
    };
    let expected = "/usr/bin/own is a file that nothing accounts for None";
    assert_eq!(own().as_deref(), Some(expected));
    fs::remove_dir_all(dir.path().join("1/usr")).unwrap();
    assert_eq!(own(), None);
}
