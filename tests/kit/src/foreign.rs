//! A platform other than this machine's: a small Debian for linux/arm64, and an emulator.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::apt::fetch;
use crate::cache::made_once;
use crate::engine::run;

/// A root with a C library, two shells and nothing else.
const PACKAGES: [&str; 5] = ["base-files", "bash", "dash", "libc6", "libtinfo6"];

const BINFMT: &str = "/proc/sys/fs/binfmt_misc";
/// The name the emulator is registered under.
const HANDLER: &str = "condafront-test-aarch64";

/// The root folder of a Debian 13 for arm64. It is only unpacked: nothing in it has run.
///
/// # Panics
/// If Debian's packages cannot be fetched.
pub fn arm64_root() -> PathBuf {
    made_once("arm64-root-1", |directory| {
        let archives = tempfile::tempdir().expect("a temporary folder");
        fetch("trixie/arm64", archives.path(), &PACKAGES);
        let entries = fs::read_dir(archives.path()).expect("the folder of packages");
        for entry in entries {
            let archive = entry.expect("a package").path();
            run(Command::new("dpkg-deb")
                .arg("-x")
                .arg(archive)
                .arg(directory))
            .expect_success();
        }
        let write = |path: &str, text: &str| {
            fs::write(directory.join(path), text).expect("a file in the root");
        };
        write("etc/passwd", "root:x:0:0:root:/root:/bin/bash\n");
        write("etc/group", "root:x:0:\n");
        let sh = directory.join("usr/bin/sh");
        if !sh.exists() {
            symlink("dash", sh).expect("a link in the root");
        }
    })
}

/// Makes the kernel run arm64 programs, on the whole machine, until this is dropped.
#[derive(Debug)]
pub struct Emulation {
    /// Whether this registered the emulator.
    is_ours: bool,
}

impl Emulation {
    /// Whether the kernel runs arm64 programs.
    pub fn is_there() -> bool {
        let Ok(entries) = fs::read_dir(BINFMT) else {
            return false;
        };
        let handlers = entries.flatten().filter(|entry| {
            let name = entry.file_name();
            !["register", "status"].contains(&&*name.to_string_lossy())
        });
        // The ELF header's machine field, in hex, as handlers show it.
        handlers
            .filter_map(|entry| fs::read_to_string(entry.path()).ok())
            .any(|handler| handler.starts_with("enabled") && handler.contains("0200b700"))
    }

    /// Registers Debian's emulator, unless there is one already.
    ///
    /// # Panics
    /// If Debian's package cannot be fetched, or the kernel does not accept an emulator.
    pub fn start() -> Self {
        if Self::is_there() {
            return Self { is_ours: false };
        }
        let register = Path::new(BINFMT).join("register");
        if !register.exists() {
            let args = ["-t", "binfmt_misc", "none", BINFMT];
            run(Command::new("mount").args(args));
        }
        // Magic and mask of an ELF program for arm64. F keeps the emulator open, so that it need not be in the root.
        let magic = r"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00";
        let mask =
            r"\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff";
        let program = emulator();
        let line = format!(":{HANDLER}:M::{magic}:{mask}:{}:F", program.display());
        fs::write(&register, line)
            .unwrap_or_else(|error| panic!("cannot register an emulator on this machine: {error}"));
        Self { is_ours: true }
    }
}

impl Drop for Emulation {
    fn drop(&mut self) {
        if self.is_ours {
            // A failure leaves a handler behind, which does no harm.
            let _ = fs::write(Path::new(BINFMT).join(HANDLER), "-1");
        }
    }
}

/// Debian's static arm64 emulator.
///
/// # Panics
/// If Debian's package cannot be fetched.
pub fn emulator() -> PathBuf {
    let directory = made_once("qemu-aarch64-1", |directory| {
        let archives = tempfile::tempdir().expect("a temporary folder");
        fetch("trixie", archives.path(), &["qemu-user"]);
        let script = "dpkg-deb --fsys-tarfile \"$1\"/qemu-user_*.deb | tar -x -C \"$2\" --strip-components=3 ./usr/bin/qemu-aarch64";
        run(Command::new("bash")
            .args(["-o", "pipefail", "-c", script, "unpack"])
            .arg(archives.path())
            .arg(directory))
        .expect_success();
    });
    directory.join("qemu-aarch64")
}
