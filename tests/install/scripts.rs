//! Post-link scripts.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use condafront_step_spec::args::StepSpec as _;
use condafront_step_spec::facts::{POST_LINK_FACTS_FILE, PostLinkFacts};
use condafront_step_spec::install::{PostLinkPackage, PostLinkSpec};
use condafront_steps::install::error::{Error, ErrorKind};
use condafront_steps::install::{Mounts, post_link};
use filetime::FileTime;
use tempfile::TempDir;

/// An image with an environment.
struct Image {
    dir: TempDir,
    uid: u32,
    gid: u32,
    group_writable: bool,
    packages: Vec<PostLinkPackage>,
}

/// An image whose environment has the script of a package `demo` and some older files.
fn image(script: &str) -> Image {
    Image::new(&[("absent", None), ("demo", Some(script))])
}

impl Image {
    fn new(scripts: &[(&str, Option<&str>)]) -> Self {
        let dir = TempDir::new().unwrap();
        let found = fs::metadata(dir.path()).unwrap();
        // Only root can run scripts as somebody else.
        let (uid, gid) = match found.uid() {
            0 => (12345, 12346),
            uid => (uid, found.gid()),
        };
        let image = Self {
            dir,
            uid,
            gid,
            group_writable: false,
            packages: scripts
                .iter()
                .map(|(name, _)| PostLinkPackage {
                    name: (*name).into(),
                    version: "1.5".into(),
                    build_number: 7,
                })
                .collect(),
        };
        for (path, content) in [
            ("opt/conda/share/old", "old"),
            ("opt/conda/share/removed", "removed"),
            (
                "opt/conda/etc/conda/activate.d/b.sh",
                "export FROM_B=\"$FROM_A b\"\n",
            ),
            ("opt/conda/etc/conda/activate.d/a.sh", "export FROM_A=a\n"),
            ("etc/passwd", "root"),
            ("var/lib/dpkg/status", "dpkg"),
            ("home/old", "old"),
        ] {
            image.write(path, content);
        }
        for (name, script) in scripts {
            if let Some(script) = script {
                image.write(&format!("opt/conda/bin/.{name}-post-link.sh"), script);
            }
        }
        image.give("");
        image
    }

    fn path(&self, path: &str) -> PathBuf {
        self.dir.path().join(path)
    }

    fn in_prefix(&self, path: &str) -> PathBuf {
        self.path("opt/conda").join(path)
    }

    fn write(&self, path: &str, content: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        filetime::set_file_mtime(&path, FileTime::from_unix_time(1_000_000_000, 0)).unwrap();
    }

    /// Gives everything below `path` to the user, so that the scripts may change what they like.
    fn give(&self, path: &str) {
        let place = self.path(path);
        chown(&place, Some(self.uid), Some(self.gid)).unwrap();
        if place.is_dir() {
            for entry in fs::read_dir(&place).unwrap() {
                let name = entry.unwrap().file_name();
                self.give(Path::new(path).join(name).to_str().unwrap());
            }
        }
    }

    /// Runs the step, and also returns what it printed.
    fn run(&self) -> (Result<(), Error>, String) {
        let spec = PostLinkSpec {
            prefix: self
                .in_prefix("")
                .to_str()
                .unwrap()
                .trim_end_matches('/')
                .into(),
            root_prefix: "/opt/conda".into(),
            uid: self.uid,
            gid: self.gid,
            group_writable: self.group_writable,
            home: "/home/ada".into(),
            packages: self.packages.clone(),
        };
        let mounts = Mounts {
            facts: self.path("tmp"),
            ..Mounts::default()
        };
        fs::create_dir(&mounts.facts).unwrap();
        let mut log = Vec::new();
        let args = spec.to_args(&[]).unwrap();
        let result = post_link(&args[1..], self.dir.path(), &mounts, &mut log);
        (result, String::from_utf8(log).unwrap())
    }

    /// Runs the step, and returns what the user gets to know: a line for each notice, after its package.
    fn notices(&self) -> String {
        self.run().0.unwrap();
        let facts = fs::read(self.path("tmp").join(POST_LINK_FACTS_FILE)).unwrap();
        let facts: PostLinkFacts = serde_json::from_slice(&facts).unwrap();
        let notices = facts.notices.iter();
        let line = |package: &str, message: &str| format!("{package}: {message}\n");
        notices
            .map(|notice| {
                let package = &self.packages[notice.package.unwrap()];
                line(&package.name, &notice.message)
            })
            .collect()
    }

    fn mode(&self, path: &str) -> u32 {
        let metadata = fs::symlink_metadata(self.in_prefix(path)).unwrap();
        metadata.permissions().mode() & 0o7777
    }
}

fn mtime(path: &Path) -> i64 {
    fs::symlink_metadata(path).unwrap().mtime()
}

#[test]
fn a_script_sees_the_active_environment() {
    let image = image(
        "echo $PKG_NAME $PKG_VERSION $PKG_BUILDNUM\n\
         [ \"$PREFIX\" = \"$CONDA_PREFIX\" ] && echo $PREFIX\n\
         echo ${PATH%%:*}; echo $FROM_B; echo error >&2; echo bye > $PREFIX/.messages.txt\n",
    );
    let (result, log) = image.run();
    result.unwrap();
    let dir = image.path("opt/conda").display().to_string();
    assert_eq!(
        log,
        format!("demo 1.5 7\n{dir}\n{dir}/bin\na b\nerror\nbye\n")
    );
    assert!(!image.in_prefix(".messages.txt").exists());
}

#[test]
fn a_script_runs_as_the_images_user() {
    let image = image(
        "id -u; id -g; id -G; echo $HOME; echo told > /dev/stderr; echo mine > $PREFIX/mine\n",
    );
    let (result, log) = image.run();
    result.unwrap();
    let Image { uid, gid, .. } = image;
    let groups = log.lines().nth(2).unwrap();
    if uid == 12345 {
        assert_eq!(groups, "12346", "no group of root's");
    }
    assert_eq!(log, format!("{uid}\n{gid}\n{groups}\n/home/ada\ntold\n"));
    let made = fs::metadata(image.in_prefix("mine")).unwrap();
    assert_eq!((made.uid(), made.gid()), (uid, gid));
}

#[test]
fn changed_files_get_the_usual_times() {
    let image = image(
        "mkdir $PREFIX/new; echo x > $PREFIX/new/file; ln -s file $PREFIX/new/link\n\
         chmod 700 $PREFIX/new/file; rm $PREFIX/share/removed\n",
    );
    assert_eq!(image.notices(), "");
    for path in ["new", "new/file", "new/link", "share", ""] {
        assert_eq!(mtime(&image.in_prefix(path)), 315_532_800, "{path}");
    }
    assert_eq!(mtime(&image.in_prefix("share/old")), 1_000_000_000);
    assert_eq!(image.mode("new/file"), 0o700);
}

#[test]
fn the_group_can_write_to_what_scripts_leave_if_asked_for() {
    let mut image = image("umask 077; mkdir $PREFIX/new; echo x > $PREFIX/new/file");
    image.group_writable = true;
    assert_eq!(image.notices(), "");
    assert_eq!(
        ["new", "new/file"].map(|path| image.mode(path)),
        [0o770, 0o660]
    );
}

#[test]
fn files_that_give_rights_away_lose_them() {
    let image = image(
        "cd $PREFIX; cp -p share/old old; chmod 4755 old; cp share/old new; chmod 2755 new\n\
         echo x > open; chmod 666 open; mkdir shared; chmod 1777 shared\n\
         echo x > shared/plain; chmod 640 shared/plain; chmod 6775 share\n",
    );
    insta::assert_snapshot!(image.notices(), @"demo: the post-link script of demo 1.5 made files set-uid, set-gid or writable for everyone, or gave them capabilities; the image leaves that out: new, old, open, share and shared");
    let modes = ["old", "new", "open", "shared", "shared/plain", "share"];
    let modes: BTreeMap<&str, String> = modes
        .map(|path| (path, format!("{:o}", image.mode(path))))
        .into();
    insta::assert_debug_snapshot!(modes, @r#"
    {
        "new": "755",
        "old": "755",
        "open": "664",
        "share": "775",
        "shared": "1775",
        "shared/plain": "640",
    }
    "#);
}

#[test]
fn only_files_directories_and_links_stay() {
    let image =
        image("cd $PREFIX; mkfifo share/pipe .messages.txt; mkdir empty; ln -s nowhere link\n");
    insta::assert_snapshot!(image.notices(), @"demo: the post-link script of demo 1.5 created devices, named pipes or sockets; the image leaves them out: .messages.txt and share/pipe");
    let exists = |path: &str| fs::symlink_metadata(image.in_prefix(path)).is_ok();
    let stay = ["share/pipe", ".messages.txt", "empty", "link"].map(exists);
    assert_eq!(stay, [false, false, true, true]);
}

#[test]
fn changes_outside_of_the_environment_are_reported_with_their_script() {
    let image = Image::new(&[
        (
            "first",
            Some(
                "cd $PREFIX/../..; echo x >> etc/passwd; mkdir -p srv/new; echo x > srv/new/'a b'; chmod 700 home\n",
            ),
        ),
        ("second", Some("echo x > $PREFIX/fine\n")),
        (
            "third",
            Some(
                "cd $PREFIX/../..; rm -r var/lib/dpkg; mkdir zoo; for n in 1 2 3 4 5 6 7 8; do echo > zoo/$n; done\n",
            ),
        ),
    ]);
    insta::assert_snapshot!(image.notices(), @"
    first: the post-link script of first 1.5 changed files outside of the environment; the image leaves these changes out: /etc/passwd, /home/ and /srv/new/a b
    third: the post-link script of third 1.5 changed files outside of the environment; the image leaves these changes out: /var/lib/, /zoo/1, /zoo/2, /zoo/3, /zoo/4, /zoo/5 and 3 more
    ");
}

#[test]
fn what_a_program_keeps_at_home_is_only_logged() {
    let image =
        image("cd $PREFIX/../..; mkdir -p home/ada/.cache; echo x > home/ada/.cache/fonts\n");
    let (result, log) = image.run();
    result.unwrap();
    insta::assert_snapshot!(log, @"the post-link script of demo 1.5 changed files outside of the environment; the image leaves these changes out: /home/ada/.cache/fonts");
    let facts = fs::read_to_string(image.path("tmp").join(POST_LINK_FACTS_FILE)).unwrap();
    assert_eq!(facts, "{}");
}

#[test]
fn a_failing_script_fails_with_its_output() {
    let (result, log) = image("echo it went wrong >&2\nexit 3\n").run();
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PostLink);
    assert_eq!(error.package(), Some(1));
    assert_eq!(log, "it went wrong\n");
    insta::assert_snapshot!(error, @"
    the post-link script of demo 1.5 failed (exit status: 3) and printed:
    it went wrong
    ");
}

#[test]
fn unchanged_files_are_not_touched() {
    let image = image("true\n");
    let changed = || {
        let metadata = fs::metadata(image.in_prefix("share/old")).unwrap();
        (metadata.ctime(), metadata.ctime_nsec())
    };
    let before = changed();
    assert_eq!(image.notices(), "");
    assert_eq!(changed(), before);
}
