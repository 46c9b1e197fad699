//! Lists on web servers.

use super::*;
use crate::pip_reading::PipReading;

/// The entries of a list and the files that they are in, or the error.
fn shown(first: &str, context: &[(&str, &str)]) -> String {
    match read(first, context) {
        Ok(list) => {
            let entry = |entry: &ListEntry| {
                let kind = if entry.is_constraint { "-c " } else { "" };
                let (file, first) = (entry.file.name(), entry.lines.first);
                format!("{file}:{first}: {kind}{}", entry.text)
            };
            let entries: Vec<String> = list.entries().iter().map(entry).collect();
            entries.join("\n")
        }
        Err(error) => error.render(Level::Error),
    }
}

#[test]
fn paths_in_a_list_on_a_server_are_relative_to_its_address() {
    let context = [
        (
            "main.txt",
            "-c HTTPS://L.example/a/limits.txt#sha256=\nflask\n",
        ),
        (
            "https://l.example/a/limits.txt",
            "flask<4\n-r more/extra.txt\n-c ../up.txt\n--constraint=/root.txt\n-r https://o.example/x.txt\n",
        ),
        ("https://l.example/a/more/extra.txt", "./demo\n"),
        ("https://l.example/up.txt", "idna<4\n"),
        ("https://l.example/root.txt", "jinja2<4\n"),
        ("https://o.example/x.txt", "idna\n"),
    ];
    let context = context.map(|(path, text)| (path, text.replace("sha256=", &pin())));
    let context: Vec<(&str, &str)> = context
        .iter()
        .map(|(path, text)| (*path, text.as_str()))
        .collect();
    insta::assert_snapshot!(shown("-r main.txt", &context));
    // As for pip, packages are where it runs.
    let list = read("-r main.txt", &context).unwrap();
    let (_, entry, found) = list.local().next().unwrap();
    let Source::Context(path) = &found.source else {
        panic!("{found:?}");
    };
    let named = entry.named(path);
    assert_eq!((named.folder, named.beside), (FilePath::context(), None));
}

fn pin() -> String {
    format!("sha256={}", "0A".repeat(32))
}

#[test]
fn mistakes_in_lists_on_servers_are_reported_at_their_lines() {
    let url = "https://l.example/r.txt";
    let mut all = String::new();
    for text in [
        "idna\n-r r.txt\n",
        "-r file:more.txt\n",
        "-r ${MORE}.txt\n",
        "idna=3\n",
        "-r http://\n",
        "-c c.txt#sha256:0a0a\n",
        "-c c.txt#sha256=0a0a\n",
        "@EXPLICIT\n",
    ] {
        let error = shown("-r https://l.example/r.txt", &[(url, text)]);
        all.push_str(&format!("{error}\n\n"));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn a_list_that_can_change_is_a_warning_with_its_hash() {
    let args = BuildArgs::default();
    let warnings = |text: &str| -> Result<String, Diagnostic> {
        let mut reading = PipReading::new(&args);
        reading.add(&[requirement(text)], FilePath::context());
        while let Some(file) = reading.next_file()? {
            if let IncludedFile::Web(list) = file {
                reading.open_web(&list, b"idna<4\n".to_vec())?;
            }
        }
        let warnings = reading.finish().warnings;
        let warnings = warnings.iter().map(|one| {
            let rule = one.rule.name();
            format!("{rule}: {}", one.diagnostic.render(Level::Warning))
        });
        Ok(warnings.collect())
    };
    let pinned = format!("-c https://l.example/c.txt#{}", pin());
    assert_eq!(warnings(&pinned).unwrap(), "");
    insta::assert_snapshot!(warnings("-c https://l.example/c.txt").unwrap(), @r"
    Unrepeatable: warning: the list at https://l.example/c.txt may change: pin it with #sha256=2f0e3ad0a3bab1cc7b5f2cba1f24a4557576beed4d275b872bff437095eaf739
     --> env.yml:1:1
      |
    1 | - -c https://l.example/c.txt
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: Add this to the address, or put the list into the build context.
    ");
    let lock = warnings("-r https://l.example/pylock.toml").unwrap_err();
    insta::assert_snapshot!(lock.render(Level::Error), @r"
    error: https://l.example/pylock.toml is a lock on a web server: condafront reads locks from the build context
     --> env.yml:1:1
      |
    1 | - -r https://l.example/pylock.toml
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: Put the lock into the build context, and name its path.
    ");
}

#[test]
fn credentials_in_relative_addresses_are_errors() {
    let url = "https://l.example/r.txt";
    for text in [
        "-r more.txt?token=hunter2\n",
        "-r //hunter2@l.example/more.txt\n",
        "-r /t/tk-0123abcd-4567-89ef/more.txt\n",
    ] {
        let error = read(&format!("-r {url}"), &[(url, text)]).unwrap_err();
        let message = error.to_string();
        assert!(message.starts_with("this line has credentials"), "{text}");
        assert_eq!(error.locations[0].file.name(), url, "{text}");
    }
}

#[test]
fn a_list_with_a_hash_has_one_content() {
    let content = b"idna<4\n";
    let hash = "2f0e3ad0a3bab1cc7b5f2cba1f24a4557576beed4d275b872bff437095eaf739";
    for (fragment, other) in [(String::new(), true), (format!("#sha256={hash}"), false)] {
        let args = BuildArgs::default();
        let mut reading = Reading::new(&args);
        let entry = requirement(&format!("-c https://l.example/c.txt{fragment}"));
        reading.add(&[entry], FilePath::context());
        let Ok(Some(IncludedFile::Web(list))) = reading.next_file() else {
            panic!("{fragment}");
        };
        assert!(list.can_be(content), "{fragment}");
        assert_eq!(list.can_be(b"idna<5\n"), other, "{fragment}");
    }
}
