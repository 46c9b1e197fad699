//! A base image as a tree of files, and the layer that the account step makes for it.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};

use condafront_step_spec::account::{AccountFacts, AccountSpec, UserRequest};
use condafront_steps::account::{AccountError, run};
use tempfile::TempDir;

pub(crate) const TIME: i64 = 315_532_800;

pub(crate) const HOOK: &str = ". /usr/local/share/condafront/activate.sh; fi\n";

pub(crate) struct Image {
    pub(crate) dir: TempDir,
}

impl Image {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        for name in ["base", "out", "facts"] {
            fs::create_dir(dir.path().join(name)).expect("mkdir");
        }
        Self { dir }
    }

    pub(crate) fn file(self, path: &str, contents: &str) -> Self {
        let path = self.dir.path().join("base").join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("mkdir");
        fs::write(path, contents).expect("write");
        self
    }

    pub(crate) fn mode(self, path: &str, mode: u32) -> Self {
        let path = self.dir.path().join("base").join(path);
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("chmod");
        self
    }

    pub(crate) fn link(self, path: &str, target: &str) -> Self {
        let path = self.dir.path().join("base").join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("mkdir");
        symlink(target, path).expect("symlink");
        self
    }

    pub(crate) fn directory(self, path: &str, mode: u32, uid: u32) -> Self {
        let real = self.dir.path().join("base").join(path);
        fs::create_dir_all(&real).expect("mkdir");
        chown(&real, Some(uid), Some(uid)).expect("chown");
        self.mode(path, mode)
    }

    pub(crate) fn run(&self, request: &UserRequest) -> AccountFacts {
        self.run_with(request, None).expect("an account layer")
    }

    pub(crate) fn run_with(
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

    pub(crate) fn out(&self, path: &str) -> String {
        let path = self.dir.path().join("out").join(path);
        fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
    }

    pub(crate) fn meta(&self, path: &str) -> (u32, u32, u32) {
        let path = self.dir.path().join("out").join(path);
        let meta = fs::symlink_metadata(&path).expect("the layer has it");
        (meta.mode() & 0o7777, meta.uid(), meta.gid())
    }

    pub(crate) fn has(&self, path: &str) -> bool {
        self.dir
            .path()
            .join("out")
            .join(path)
            .symlink_metadata()
            .is_ok()
    }
}

pub(crate) fn debian() -> Image {
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
