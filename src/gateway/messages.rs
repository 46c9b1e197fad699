//! What BuildKit's messages mean. It reports most failures as text alone, so this is the one place that reads that text.
//!
//! Each function names the BuildKit file it follows.

use condafront_model::certificate::CertificateFault;

/// Whether a file or folder that was to be read is missing (`cache/util/fsutil.go`: the error of `open`, `stat` or
/// `lstat`). A file system that cannot be mounted ends its message in the same way.
pub(super) fn is_absent(message: &str) -> bool {
    let ends = [": no such file or directory", ": not a directory"];
    let before = ends.iter().find_map(|end| message.strip_suffix(end));
    let is_of_path = !is_lost_result(message)
        && before.is_some_and(|before| {
            let calls = ["open ", "stat ", "lstat "];
            let is_call = |text: &str| calls.iter().any(|call| text.starts_with(call));
            let mut parts = before.match_indices(": ").map(|(at, mark)| at + mark.len());
            !before.contains("mount ")
                && (is_call(before) || parts.any(|at| is_call(&before[at..])))
        });
    // A result without any file has no file system (`getImmutableRef` in `frontend/gateway/gateway.go`).
    is_of_path || message.starts_with("empty ref: ")
}

/// Whether what was to be read is a folder, or something else that is not a file (`ReadFile` in `cache/util/fsutil.go`).
pub(super) fn is_not_a_file(message: &str) -> bool {
    message.ends_with(" is not a regular file") || message.ends_with(": is a directory")
}

/// Whether the client has no such folder to send: `docker build -` has no context, and another client may have none either
/// (`session/filesync/filesync.go`).
pub(super) fn is_not_sent(message: &str) -> bool {
    message.contains("no local sources enabled") || message.contains("no access allowed to dir")
}

/// Whether an image is not for the platform that was asked for (containerd's `images/image.go`).
pub(crate) fn is_for_another_platform(message: &str) -> bool {
    message.contains("no match for platform in manifest")
}

/// Whether the result of a step is lost: it could not be committed (`cacheRecord.finalize` in `cache/refs.go`), or its
/// snapshot is gone (containerd's `metadata/snapshot.go` and `snapshots/storage/bolt.go`), or that snapshot's folder.
pub(super) fn is_lost_result(message: &str) -> bool {
    let is_gone = |(at, _): (usize, &str)| message[at..].contains(" does not exist");
    let is_missing = || {
        let before = message.strip_suffix(": no such file or directory");
        let path = before.and_then(|before| before.rsplit(' ').next());
        path.is_some_and(is_snapshot)
    };
    message.contains(" during finalize: ")
        || message.match_indices("snapshot ").any(is_gone)
        || is_missing()
}

/// Whether a path is the folder of one snapshot in an engine's store: `…/snapshots/12/fs` of containerd,
/// `…/overlay2/ID/diff` of Docker's classic store, and others like them.
fn is_snapshot(path: &str) -> bool {
    const STORES: [&str; 4] = ["snapshots", "overlay2", "fuse-overlayfs", "subvolumes"];
    let mut names = path.rsplit('/').peekable();
    names.next_if(|name| ["fs", "diff"].contains(name));
    names.next();
    path.starts_with('/') && names.next().is_some_and(|name| STORES.contains(&name))
}

/// Whether the builder's disk is full (Linux's texts for `ENOSPC` and `EDQUOT`).
pub(crate) fn is_full_disk(message: &str) -> bool {
    // Before the end, it may be a part of a command.
    ["no space left on device", "disk quota exceeded"]
        .iter()
        .any(|text| message.ends_with(text))
}

/// Whether a step says of itself that the disk is full: its own message, or that of a program that it ran.
pub(crate) fn fails_for_full_disk(report: &str) -> bool {
    ["No space left on device", "Disk quota exceeded"]
        .iter()
        .any(|text| report.contains(text))
}

/// Whether a folder was copied onto a file (`tonistiigi/fsutil`, `copy/copy.go`).
pub(crate) fn is_copy_onto_file(message: &str) -> bool {
    message.contains("cannot copy to non-directory")
}

/// Whether what was to be copied is missing (`solver/llbsolver/file/backend.go`, `cache/contenthash/checksum.go`). A lost
/// snapshot ends its message in the same way.
pub(crate) fn lacks_source(message: &str) -> bool {
    let ends = [" not found", ": no such file or directory"];
    ends.iter().any(|end| message.ends_with(end)) && !message.contains("snapshot ")
}

/// Whether a repository has no branch or tag of the name that was asked for (`source/git/source.go`).
pub(super) fn lacks_reference(message: &str) -> bool {
    message.contains("repository does not contain ref ")
}

/// Whether a step needs the secret `id`, and the client did not send it (`session/secrets/secrets.go`).
pub(crate) fn lacks_secret(message: &str, id: &str) -> bool {
    message.contains("not found") && message.contains(id)
}

/// Whether a step is not allowed to use the host's network (`util/entitlements/entitlements.go`).
pub(crate) fn refuses_host_network(message: &str) -> bool {
    message.contains("network.host")
}

/// The exit code of a command (`frontend/gateway/pb/exit.go`, `solver/llbsolver/ops/exec.go`).
pub(crate) fn exit_code(message: &str) -> Option<u32> {
    const MARK: &str = "did not complete successfully: exit code: ";
    let (_, rest) = message.rsplit_once(MARK)?;
    let end = rest.find(|c: char| !c.is_ascii_digit());
    rest[..end.unwrap_or(rest.len())].parse().ok()
}

/// How a step's process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProcessEnd {
    /// Something killed it, usually for lack of memory.
    Killed,
    /// It failed with this exit code.
    Code(u32),
}

/// How the process of a failed step ended, if the message is about one (`executor/runcexecutor/executor.go`).
pub(crate) fn process_end(message: &str) -> Option<ProcessEnd> {
    /// 128 and the number of SIGKILL.
    const KILLED: u32 = 137;
    match exit_code(message) {
        Some(KILLED) => Some(ProcessEnd::Killed),
        Some(code) => Some(ProcessEnd::Code(code)),
        None => {
            let of_process = message.contains("did not complete successfully: ");
            (of_process && message.contains("cannot allocate memory")).then_some(ProcessEnd::Killed)
        }
    }
}

/// Why a download failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum DownloadFailure {
    /// The server answered with this HTTP status.
    Status(u16),
    /// There is no server of that name.
    UnknownHost,
    /// The content does not match the digest.
    Digest,
    /// A source policy of the build does not allow it.
    Denied,
    /// TLS failed, for this reason.
    Tls(String),
    /// The connection broke or was refused, for this reason.
    Connection(String),
}

/// Why a download failed (`source/http/source.go`, and Go's `net` and `crypto` packages).
pub(crate) fn download_failure(message: &str) -> DownloadFailure {
    let status = message
        .split_once("invalid response status ")
        .and_then(|(_, rest)| rest.get(..3))
        .and_then(|digits| digits.parse().ok());
    if let Some(status) = status {
        DownloadFailure::Status(status)
    } else if is_denied(message) {
        DownloadFailure::Denied
    } else if message.contains("no such host") {
        DownloadFailure::UnknownHost
    } else if message.contains("digest mismatch") {
        DownloadFailure::Digest
    } else if let Some((_, reason)) = message.rsplit_once("x509: ") {
        DownloadFailure::Tls(reason.trim().to_owned())
    } else if message.contains("tls:") {
        DownloadFailure::Tls(last_reason(message))
    } else {
        DownloadFailure::Connection(last_reason(message))
    }
}

/// Whether a source policy of the build does not allow what was asked for: the engine's rules
/// (`sourcepolicy/engine.go`), or those of the client (`solver/llbsolver/policy.go`).
pub(crate) fn is_denied(message: &str) -> bool {
    const ENDS: [&str; 2] = [
        "source denied by policy",
        "not allowed by policy: action DENY",
    ];
    ENDS.iter().any(|end| message.ends_with(end))
}

/// What is wrong with a server's certificate, if that is why the builder could not reach it (Go's `crypto` packages, and Git
/// for `source/git/source.go`). A process that fails is not the builder.
pub(crate) fn certificate_fault(message: &str) -> Option<CertificateFault> {
    let is_of_process = message.contains("did not complete successfully: ");
    CertificateFault::in_text(message).filter(|_| !is_of_process)
}

/// The innermost reason in a chain of Go errors, which is the informative one.
fn last_reason(message: &str) -> String {
    let start = message
        .rfind("read tcp")
        .or_else(|| message.rfind("dial tcp"));
    let reason = message[start.unwrap_or(0)..]
        .rsplit(": ")
        .next()
        .unwrap_or_default();
    match reason.trim().trim_matches('"') {
        "" | "EOF" => "the server closed it".to_owned(),
        "unexpected EOF" => "the server closed it before the download was complete".to_owned(),
        reason => reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_missing_counts_as_absent() {
        for absent in [
            "open env.yml: no such file or directory",
            "failed to read dir: lstat /pypi: no such file or directory",
            "open docs/env.yml: not a directory",
            "empty ref: h4x1",
        ] {
            assert!(is_absent(absent), "{absent}");
        }
        for other in [
            "parent snapshot sha256:ab does not exist: not found",
            "failed to fetch remote https://git.example/x.git: repository not found",
            "rpc error: code = Unavailable desc = error reading from server: EOF",
            "open /run/x: no such file or directory: failed to mount",
            "env.yml is not a regular file",
            "failed to mount /tmp/containerd-mount1: no such file or directory",
            "mount source: \"overlay\", target: \"/tmp/m\", fstype: overlay, err: no such file or directory",
            "failed to mount /tmp/m: stat /var/lib/docker/overlay2/l/x: no such file or directory",
            "no such ref: h4x1",
        ] {
            assert!(!is_absent(other), "{other}");
        }
    }

    #[test]
    fn folders_are_told_from_files() {
        assert!(is_not_a_file("docs is not a regular file"));
        assert!(is_not_a_file("read docs: is a directory"));
        assert!(!is_not_a_file("open docs: permission denied"));
    }

    #[test]
    fn missing_sources_are_told_from_engines_that_fail() {
        for missing in [
            "failed to compute cache key: failed to calculate checksum of ref a::b: \"/app\": not found",
            "/*.cfg not found",
            "lstat /app: no such file or directory",
        ] {
            assert!(lacks_source(missing), "{missing}");
        }
        for other in [
            "parent snapshot sha256:ab does not exist: not found",
            "context canceled",
        ] {
            assert!(!lacks_source(other), "{other}");
        }
    }

    #[test]
    fn missing_branches_are_told_from_repositories_that_cannot_be_loaded() {
        assert!(lacks_reference(
            "failed to load cache key: repository does not contain ref 20240101, output: \"\""
        ));
        for other in [
            "failed to fetch remote https://git.example/x.git: git stderr:\nfatal: could not read Username for 'https://git.example': terminal prompts disabled: exit status 128",
            "failed to fetch remote https://git.example/x.git: repository not found",
        ] {
            assert!(!lacks_reference(other), "{other}");
        }
    }

    #[test]
    fn clients_without_a_folder_are_told_from_those_that_fail() {
        assert!(is_not_sent("no local sources enabled"));
        assert!(is_not_sent(
            "rpc error: code = NotFound desc = no access allowed to dir \"context\""
        ));
        assert!(!is_not_sent(
            "rpc error: code = Canceled desc = context canceled"
        ));
    }

    #[test]
    fn lost_results_are_told_from_other_failures() {
        for lost in [
            "failed to finalize parent during merge: failed to commit a to b during finalize: failed to stat active key during commit: snapshot a does not exist: not found",
            "failed to prepare a as b: parent snapshot a does not exist: not found",
            "stat /var/lib/containerd/io.containerd.snapshotter.v1.overlayfs/snapshots/596/fs: no such file or directory",
            "process \"/condafront install\" did not complete successfully: stat /var/lib/docker/overlay2/9ab: no such file or directory",
            "lstat /var/lib/docker/overlay2/9ab/diff: no such file or directory",
        ] {
            assert!(is_lost_result(lost), "{lost}");
            assert!(!is_absent(lost), "{lost}");
        }
        for other in [
            "process \"/bin/sh\" did not complete successfully: exit code: 1",
            "open /var/lib/docker/overlay2/9ab/diff/env.yml: no such file or directory",
            "open /var/lib/containerd/io.containerd.snapshotter.v1.overlayfs/snapshots/596/fs/fs: no such file or directory",
            "stat snapshots/x: no such file or directory",
        ] {
            assert!(!is_lost_result(other), "{other}");
        }
    }

    #[test]
    fn a_full_disk_is_recognised() {
        for full in [
            "failed to copy: write /var/lib/a: no space left on device",
            "process \"/condafront install {}\" did not complete successfully: mkdir /b: disk quota exceeded",
        ] {
            assert!(is_full_disk(full), "{full}");
        }
        assert!(!is_full_disk(
            "process \"/bin/sh -c echo no space left on device\" did not complete successfully: exit code: 1"
        ));
    }

    #[test]
    fn exit_codes_are_found_in_buildkits_words() {
        let failed =
            "process \"/bin/sh -c exit code: 7\" did not complete successfully: exit code: 3";
        assert_eq!(exit_code(failed), Some(3));
        assert_eq!(exit_code(&format!("{failed}: context canceled")), Some(3));
        assert_eq!(exit_code("secret token: not found"), None);
        assert_eq!(exit_code("exit code: 3"), None);
    }
}
