//! The account step on file trees laid out like real base images. Needs root, like the step itself:
//! it gives files to other users.

mod homes;
mod image;
mod workdirs;

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use condafront_step_spec::account::{AccountFacts, Libc, UserRequest};

use crate::image::{HOOK, Image, TIME, debian};

#[test]
fn debian_gets_an_account_and_keeps_what_it_has() {
    let image = debian();
    let facts = image.run(&UserRequest::default());
    assert_eq!(
        image.out("etc/passwd"),
        "root:x:0:0:root:/root:/bin/bash\nmambauser:x:57439:57439::/home/mambauser:/bin/bash\n"
    );
    assert!(image.out("etc/group").ends_with("mambauser:x:57439:\n"));
    assert!(
        image
            .out("etc/shadow")
            .ends_with("mambauser:!::0:99999:7:::\n")
    );
    assert_eq!(image.meta("etc/shadow"), (0o640, 0, 0));
    assert!(!image.has("etc/gshadow"));
    assert!(facts.has_home);
    assert_eq!(image.meta("home/mambauser"), (0o755, 57439, 57439));
    assert_eq!(image.meta("home/mambauser/.profile"), (0o644, 57439, 57439));
    let bashrc = image.out("home/mambauser/.bashrc");
    assert!(bashrc.starts_with("# skel\n") && bashrc.ends_with(HOOK));
    assert!(image.out("etc/bash.bashrc").starts_with("# system\n"));
    assert!(image.out("root/.bashrc").ends_with(HOOK));
    assert_eq!(image.meta("root"), (0o700, 0, 0));
    assert!(!image.has("etc/profile"));
    assert_eq!(image.meta("usr/local/bin"), (0o2775, 50, 50));
    let alias = image.dir.path().join("out/usr/local/bin/_entrypoint.sh");
    assert_eq!(
        fs::read_link(alias).expect("a link"),
        Path::new("condafront-entrypoint")
    );
    assert_eq!(
        facts.libc,
        Libc::Glibc {
            version: "2.41".to_owned()
        }
    );
    assert_eq!(facts.user.shell, "/bin/bash");
    let written = fs::read(image.dir.path().join("facts/account.json")).expect("facts");
    let read: AccountFacts = serde_json::from_slice(&written).expect("facts");
    assert_eq!(read, facts);
}

#[test]
fn every_time_in_the_layer_is_fixed() {
    let image = debian();
    image.run(&UserRequest::default());
    let mut dirs = vec![image.dir.path().join("out")];
    let mut seen = 0;
    while let Some(path) = dirs.pop() {
        let meta = fs::symlink_metadata(&path).expect("metadata");
        assert_eq!(meta.mtime(), TIME, "{}", path.display());
        seen += 1;
        if meta.is_dir() {
            dirs.extend(
                fs::read_dir(&path)
                    .expect("list")
                    .map(|e| e.expect("entry").path()),
            );
        }
    }
    assert!(seen > 15, "only {seen} paths");
}

#[test]
fn an_empty_image_becomes_usable() {
    let image = Image::new();
    let facts = image.run(&UserRequest::default());
    assert!(
        image
            .out("etc/passwd")
            .starts_with("root:x:0:0:root:/root:/sbin/nologin\n")
    );
    assert_eq!(image.out("etc/group"), "root:x:0:\nmambauser:x:57439:\n");
    assert!(!image.has("etc/shadow"));
    assert_eq!(image.meta("root"), (0o700, 0, 0));
    assert_eq!(image.meta("tmp"), (0o1777, 0, 0));
    assert_eq!(image.out("home/mambauser/.bashrc").lines().count(), 1);
    assert_eq!(facts.libc, Libc::None);
}

#[test]
fn alpine_is_known_by_its_files() {
    let image = Image::new()
        .file("bin/busybox", "#")
        .mode("bin/busybox", 0o755)
        .link("bin/sh", "/bin/busybox")
        .file("lib/ld-musl-x86_64.so.1", "#")
        .file("etc/os-release", "ID=alpine\nVERSION_ID=3.22.0\n")
        .file("etc/passwd", "root:x:0:0:root:/root:/bin/sh")
        .file("etc/shadow", "root:*::0:::::\n")
        .file("etc/profile", "export PATH=/bin\n");
    let facts = image.run(&UserRequest::default());
    assert_eq!(facts.libc, Libc::Musl);
    assert_eq!(facts.user.shell, "/bin/sh");
    // A last line without a newline is still a line.
    assert!(
        image
            .out("etc/passwd")
            .contains(":/bin/sh\nmambauser:x:57439:")
    );
    assert!(image.out("etc/profile").ends_with(HOOK));
}

#[test]
fn links_of_the_base_stay_links_and_lead_nowhere_else() {
    let image = Image::new()
        .directory("var/home", 0o711, 0)
        .link("home", "/var/home")
        .file("usr/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n")
        .link("etc/passwd", "../../../../usr/etc/passwd")
        .link("usr/local", "/../var/usrlocal");
    image.run(&UserRequest::default());
    assert!(!image.has("home") && !image.has("etc/passwd") && !image.has("usr/local"));
    assert!(image.out("usr/etc/passwd").contains("mambauser"));
    assert!(image.has("var/home/mambauser/.bashrc"));
    assert_eq!(image.meta("var/home"), (0o711, 0, 0));
    assert!(image.has("var/usrlocal/bin/_entrypoint.sh"));
}

#[test]
fn a_file_where_a_directory_must_be_is_an_error() {
    let image = Image::new().file("home", "not a directory");
    let result = image.run_with(&UserRequest::default(), None);
    let message = result.expect_err("home is a file").to_string();
    assert_eq!(message, "/home in the base image is not a directory");
}

#[test]
fn links_in_the_way_of_layers_are_told() {
    let image = debian()
        .link("opt", "var/opt")
        .link("var/opt/conda", "/srv/conda")
        .link("etc/profile.d", "../usr/share/profile.d")
        .link("var/home", "elsewhere");
    let links = image.run(&UserRequest::default()).links;
    let links: Vec<_> = links
        .iter()
        .map(|link| (link.path.as_str(), link.target.as_str()))
        .collect();
    let expected = [
        ("/etc/profile.d", "/usr/share/profile.d"),
        ("/opt", "/var/opt"),
        ("/opt/conda", "/srv/conda"),
    ];
    assert_eq!(links, expected);
    assert_eq!(debian().run(&UserRequest::default()).links, []);
}

#[test]
fn a_file_in_the_way_of_layers_is_an_error() {
    let image = debian().link("opt", "etc/passwd");
    let error = image.run_with(&UserRequest::default(), None).unwrap_err();
    assert_eq!(
        error.to_string(),
        "/opt in the base image is not a directory"
    );
}
