//! The account step on file trees laid out like real base images. Needs root, like the step itself:
//! it gives files to other users.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::Path;

use condafront_step_spec::account::{AccountFacts, AccountSpec, Libc, UserRequest};
use condafront_steps::account::{AccountError, run};
use tempfile::TempDir;

const TIME: i64 = 315_532_800;
const HOOK: &str = ". /usr/local/share/condafront/activate.sh; fi\n";

struct Image {
    dir: TempDir,
}

impl Image {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        for name in ["base", "out", "facts"] {
            fs::create_dir(dir.path().join(name)).expect("mkdir");
        }
        Self { dir }
    }

    fn file(self, path: &str, contents: &str) -> Self {
        let path = self.dir.path().join("base").join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("mkdir");
        fs::write(path, contents).expect("write");
        self
    }

    fn mode(self, path: &str, mode: u32) -> Self {
        let path = self.dir.path().join("base").join(path);
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("chmod");
        self
    }

    fn link(self, path: &str, target: &str) -> Self {
        let path = self.dir.path().join("base").join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("mkdir");
        symlink(target, path).expect("symlink");
        self
    }

    fn directory(self, path: &str, mode: u32, uid: u32) -> Self {
        let real = self.dir.path().join("base").join(path);
        fs::create_dir_all(&real).expect("mkdir");
        chown(&real, Some(uid), Some(uid)).expect("chown");
        self.mode(path, mode)
    }

    fn run(&self, request: &UserRequest) -> AccountFacts {
        self.run_with(request, None).expect("an account layer")
    }

    fn run_with(
        &self,
        request: &UserRequest,
        workdir: Option<&str>,
    ) -> Result<AccountFacts, AccountError> {
        let at = |name| self.dir.path().join(name);
        let spec = AccountSpec {
            user: request.clone(),
            workdir: workdir.map(str::to_owned),
            ..AccountSpec::default()
        };
        run(&spec, &at("base"), &at("out"), &at("facts"))
    }

    fn out(&self, path: &str) -> String {
        let path = self.dir.path().join("out").join(path);
        fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
    }

    fn meta(&self, path: &str) -> (u32, u32, u32) {
        let path = self.dir.path().join("out").join(path);
        let meta = fs::symlink_metadata(&path).expect("the layer has it");
        (meta.mode() & 0o7777, meta.uid(), meta.gid())
    }

    fn has(&self, path: &str) -> bool {
        self.dir
            .path()
            .join("out")
            .join(path)
            .symlink_metadata()
            .is_ok()
    }
}

fn debian() -> Image {
    Image::new()
        .file("usr/bin/bash", "#")
        .mode("usr/bin/bash", 0o755)
        .file("usr/bin/dash", "#")
        .mode("usr/bin/dash", 0o755)
        .link("usr/bin/sh", "dash")
        .link("bin", "usr/bin")
        .link("lib", "usr/lib")
        .file(
            "usr/lib/x86_64-linux-gnu/libc.so.6",
            "\0GNU C Library (Debian GLIBC 2.41-12) stable release version 2.41.\n",
        )
        .file("usr/lib/os-release", "ID=debian\nVERSION_ID=\"13\"\n")
        .link("etc/os-release", "../usr/lib/os-release")
        .file("etc/passwd", "root:x:0:0:root:/root:/bin/bash\n")
        .file("etc/group", "root:x:0:\nshadow:x:42:\n")
        .file("etc/shadow", "root:*:20000:0:99999:7:::\n")
        .mode("etc/shadow", 0o640)
        .file("etc/bash.bashrc", "# system\n")
        .file(
            "etc/profile",
            "for i in /etc/profile.d/*.sh; do . $i; done\n",
        )
        .file("etc/skel/.bashrc", "# skel\n")
        .file("etc/skel/.profile", "# profile\n")
        .directory("home", 0o755, 0)
        .directory("root", 0o700, 0)
        .directory("usr/local/bin", 0o2775, 50)
}

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

#[test]
fn a_file_where_a_directory_must_be_is_an_error() {
    let image = Image::new().file("home", "not a directory");
    let result = image.run_with(&UserRequest::default(), None);
    let message = result.expect_err("home is a file").to_string();
    assert_eq!(message, "/home in the base image is not a directory");
}

#[test]
fn a_working_directory_is_made_for_the_user() {
    let image = Image::new().directory("srv", 0o711, 0);
    let user = UserRequest::default();
    let made = image.run_with(&user, Some("/srv/lab/app"));
    assert!(made.expect("a layer").made_workdir);
    assert_eq!(image.meta("srv"), (0o711, 0, 0));
    assert_eq!(image.meta("srv/lab"), (0o755, 57439, 57439));
    assert_eq!(image.meta("srv/lab/app"), (0o755, 57439, 57439));

    let image = Image::new();
    let below_home = "/home/mambauser/app";
    image.run_with(&user, Some(below_home)).expect("a layer");
    assert_eq!(image.meta("home"), (0o755, 0, 0));
    assert_eq!(image.meta("home/mambauser/app"), (0o755, 57439, 57439));
}

#[test]
fn a_working_directory_of_the_base_is_kept() {
    let image = Image::new()
        .directory("var/data", 0o700, 12)
        .link("data", "var/data");
    for existing in ["/", "/data"] {
        let result = image.run_with(&UserRequest::default(), Some(existing));
        assert!(!result.expect("a layer").made_workdir);
        assert!(!image.has("var") && !image.has("data"));
        fs::remove_dir_all(image.dir.path().join("out")).expect("rm");
        fs::create_dir(image.dir.path().join("out")).expect("mkdir");
    }
}

#[test]
fn a_file_cannot_be_the_working_directory() {
    let image = Image::new().file("srv/app", "a file");
    for path in ["/srv/app", "/srv/app/below"] {
        let result = image.run_with(&UserRequest::default(), Some(path));
        assert_eq!(
            result.expect_err("this is a file").to_string(),
            format!(
                "cannot create the working directory `{path}`: /srv/app in the base image is not a directory"
            )
        );
        fs::remove_dir_all(image.dir.path().join("out")).expect("rm");
        fs::create_dir(image.dir.path().join("out")).expect("mkdir");
    }
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
