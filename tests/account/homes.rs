//! Homes of the image's user.

use std::fs;

use condafront_step_spec::account::UserRequest;

use crate::image::{HOOK, Image, debian};

#[test]
fn a_linked_bashrc_in_skel_is_replaced_and_not_followed() {
    let image = Image::new();
    let outside = image.dir.path().join("outside");
    fs::write(&outside, "untouched").expect("write");
    let image = image.link("etc/skel/.bashrc", &outside.to_string_lossy());
    image.run(&UserRequest::default());
    assert_eq!(fs::read_to_string(&outside).expect("read"), "untouched");
    assert!(image.out("home/mambauser/.bashrc").ends_with(HOOK));
}

#[test]
fn an_existing_home_is_kept() {
    let image = Image::new()
        .file(
            "etc/passwd",
            "root:x:0:0::/root:/bin/sh\nnode:x:1000:1000::/home/node:/bin/sh\n",
        )
        .file("etc/group", "root:x:0:\nnode:x:1000:\n")
        .directory("home/node", 0o750, 1000)
        .file("home/node/.bashrc", "# mine");
    let facts = image.run(&UserRequest {
        name: Some("node".to_owned()),
        ..UserRequest::default()
    });
    assert_eq!(
        (facts.user.uid, facts.user.home.as_str()),
        (1000, "/home/node")
    );
    assert!(facts.has_home && !image.has("etc/passwd"));
    assert_eq!(image.meta("home/node"), (0o750, 1000, 1000));
    assert!(image.out("home/node/.bashrc").starts_with("# mine\nif "));
}

#[test]
fn the_group_may_write_to_the_home_if_asked_for() {
    let shared = |name: Option<&str>| UserRequest {
        name: name.map(str::to_owned),
        gid: Some(0),
        group_writable: true,
        ..UserRequest::default()
    };
    let image = debian();
    let made = image.run_with(&shared(None), Some("/srv/app")).unwrap();
    assert!(made.user.group_writable);
    for (path, mode) in [
        ("home/mambauser", 0o775),
        ("home/mambauser/.bashrc", 0o664),
        ("home/mambauser/.profile", 0o664),
        ("srv/app", 0o775),
    ] {
        assert_eq!(image.meta(path), (mode, 57439, 0), "{path}");
    }
    assert_eq!(image.meta("home"), (0o755, 0, 0));
    assert_eq!(image.meta("root"), (0o700, 0, 0));

    let image = Image::new()
        .file(
            "etc/passwd",
            "root:x:0:0::/root:/bin/sh\nnode:x:1000:1000::/home/node:/bin/sh\n",
        )
        .file("etc/group", "root:x:0:\nnode:x:1000:\n")
        .directory("home/node", 0o750, 1000)
        .file("home/node/.bashrc", "# mine")
        .file("home/node/bin/tool", "#!")
        .mode("home/node/bin/tool", 0o700)
        .file("home/node/shared", "")
        .mode("home/node/shared", 0o664)
        .link("home/node/link", "/etc/passwd");
    image.run(&shared(Some("node")));
    assert_eq!(image.meta("home/node"), (0o770, 1000, 0));
    // What the base gives to somebody else stays theirs.
    assert_eq!(image.meta("home/node/bin"), (0o775, 0, 0));
    assert_eq!(image.meta("home/node/bin/tool"), (0o770, 0, 0));
    assert!(image.out("home/node/.bashrc").starts_with("# mine\nif "));
    assert_eq!(image.meta("home/node/.bashrc"), (0o664, 0, 0));
    // Nothing has to change about these.
    assert!(!image.has("home/node/shared") && !image.has("home/node/link"));
}

#[test]
fn the_group_may_not_write_to_a_home_that_belongs_to_somebody_else() {
    let daemon = |group_writable| UserRequest {
        name: Some("daemon".to_owned()),
        gid: Some(0),
        group_writable,
        ..UserRequest::default()
    };
    let base = || {
        Image::new()
            .file(
                "etc/passwd",
                "root:x:0:0::/root:/bin/sh\ndaemon:x:1:1:daemon:/sbin:/usr/sbin/nologin\n",
            )
            .link("sbin", "usr/sbin")
            .file("usr/sbin/su", "#!")
            .mode("usr/sbin/su", 0o4755)
    };
    let image = base();
    let error = image.run_with(&daemon(true), None).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`group_writable` lets the user's group write to the user's home, but /sbin, the home of `daemon`, belongs to the \
         user id 0 in the base image; choose another user, or remove `group_writable`"
    );
    let image = base();
    image.run(&daemon(false));
    assert!(!image.has("usr/sbin/su"));
}

#[test]
fn programs_that_the_group_may_replace_are_not_set_uid() {
    let image = debian()
        .file("root/su", "#!")
        .mode("root/su", 0o4755)
        .file("root/wall", "#!")
        .mode("root/wall", 0o2750)
        .directory("root/shared", 0o2755, 0);
    image.run(&UserRequest {
        name: Some("root".to_owned()),
        group_writable: true,
        ..UserRequest::default()
    });
    for (path, mode) in [
        ("root", 0o770),
        ("root/su", 0o775),
        ("root/wall", 0o770),
        ("root/shared", 0o2775),
    ] {
        assert_eq!(image.meta(path), (mode, 0, 0), "{path}");
    }
    assert_eq!(image.out("root/su"), "#!");
}

#[test]
fn an_account_may_have_no_home() {
    let image = Image::new().directory("proc", 0o555, 0).file(
        "etc/passwd",
        "nobody:x:65534:65534::/nonexistent:/bin/sh\nproc:x:2:2::/proc:/bin/sh\n",
    );
    for name in ["nobody", "proc"] {
        let facts = image.run(&UserRequest {
            name: Some(name.to_owned()),
            ..UserRequest::default()
        });
        assert!(!facts.has_home && !image.has("nonexistent"), "{name}");
        fs::remove_dir_all(image.dir.path().join("out")).expect("rm");
        fs::create_dir(image.dir.path().join("out")).expect("mkdir");
    }
}
