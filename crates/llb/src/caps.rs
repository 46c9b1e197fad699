//! The capabilities of daemons, and the versions that introduced them.
//!
//! Every operation lists the capabilities that it needs; a daemon refuses a
//! definition with an unknown one. The versions are the first `vX.Y.0`
//! of moby/buildkit that registers the capability (`solver/pb/caps.go`), and
//! the first Docker Engine that vendors such a version (`vendor.mod` of
//! moby/moby). Two constants of BuildKit, `file.copy.modestring` and
//! `exec.meta.removemountstubs.recursive`, are never registered, so they must
//! not be required.

mod engine;

pub use engine::Version;

use engine::engine_with;

/// A capability of a daemon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cap {
    /// The id on the wire.
    pub id: &'static str,
    /// The first BuildKit that has it.
    pub since: Version,
}

impl Cap {
    const fn new(id: &'static str, minor: u16) -> Self {
        Self {
            id,
            since: Version::new(0, minor),
        }
    }

    /// The first Docker Engine whose BuildKit has it. It may still be disabled in
    /// an engine: merge and diff need the containerd image store.
    ///
    /// ```
    /// use buildkit_llb::caps::{MERGE_OP, Version};
    ///
    /// assert_eq!(MERGE_OP.engine(), Some(Version::new(23, 0)));
    /// ```
    #[must_use]
    pub fn engine(self) -> Option<Version> {
        engine_with(self.since)
    }
}

/// Worker constraints on an operation.
pub const CONSTRAINTS: Cap = Cap::new("constraints", 3);
/// A platform on an operation.
pub const PLATFORM: Cap = Cap::new("platform", 3);
/// Running an operation even if it is cached.
pub const META_IGNORE_CACHE: Cap = Cap::new("meta.ignorecache", 3);
/// Descriptions, such as names.
pub const META_DESCRIPTION: Cap = Cap::new("meta.description", 3);
/// Including a result in exported caches or excluding it.
pub const META_EXPORT_CACHE: Cap = Cap::new("meta.exportcache", 3);
/// Merge operations.
pub const MERGE_OP: Cap = Cap::new("mergeop", 10);
/// Diff operations.
pub const DIFF_OP: Cap = Cap::new("diffop", 10);
/// Operations that only pass on their inputs.
pub const PASSTHROUGH_OP: Cap = Cap::new("passthroughop", 31);
/// The file with the definition of a build operation.
pub const BUILD_OP_FILENAME: Cap = Cap::new("source.buildop.llbfilename", 3);

/// HTTP sources.
pub const SOURCE_HTTP: Cap = Cap::new("source.http", 3);
/// The expected checksum of an HTTP source.
pub const SOURCE_HTTP_CHECKSUM: Cap = Cap::new("source.http.checksum", 3);
/// The mode of the file of an HTTP source.
pub const SOURCE_HTTP_PERM: Cap = Cap::new("source.http.perm", 3);
/// The owner of the file of an HTTP source; BuildKit misspells the id.
pub const SOURCE_HTTP_UID_GID: Cap = Cap::new("soruce.http.uidgid", 3);
/// A secret as the authorization header of an HTTP source.
pub const SOURCE_HTTP_AUTH: Cap = Cap::new("source.http.auth", 21);
/// Other headers of an HTTP source.
pub const SOURCE_HTTP_HEADER: Cap = Cap::new("source.http.header", 21);
/// OpenPGP signatures of HTTP sources.
pub const SOURCE_HTTP_SIGNATURE_VERIFY: Cap = Cap::new("source.http.signatureverify", 28);

/// Image sources.
pub const SOURCE_IMAGE: Cap = Cap::new("source.image", 3);
/// How an image is looked up.
pub const SOURCE_IMAGE_RESOLVE_MODE: Cap = Cap::new("source.image.resolvemode", 3);
/// Only the first layers of an image.
pub const SOURCE_IMAGE_LAYER_LIMIT: Cap = Cap::new("source.image.layerlimit", 11);
/// The expected digest of an image.
pub const SOURCE_IMAGE_CHECKSUM: Cap = Cap::new("source.image.checksum", 25);
/// Single blobs of a registry or OCI layout.
pub const SOURCE_IMAGE_BLOB: Cap = Cap::new("source.imageblob", 28);
/// Images in an OCI layout of the client.
pub const SOURCE_OCI_LAYOUT: Cap = Cap::new("source.ocilayout", 11);

/// Directories of the client.
pub const SOURCE_LOCAL: Cap = Cap::new("source.local", 3);
/// A unique id of a local source.
pub const SOURCE_LOCAL_UNIQUE: Cap = Cap::new("source.local.unique", 3);
/// The session of a local source.
pub const SOURCE_LOCAL_SESSION_ID: Cap = Cap::new("source.local.sessionid", 3);
/// Include patterns of a local source.
pub const SOURCE_LOCAL_INCLUDE_PATTERNS: Cap = Cap::new("source.local.includepatterns", 3);
/// Paths of a local source whose links are followed.
pub const SOURCE_LOCAL_FOLLOW_PATHS: Cap = Cap::new("source.local.followpaths", 3);
/// Exclude patterns of a local source.
pub const SOURCE_LOCAL_EXCLUDE_PATTERNS: Cap = Cap::new("source.local.excludepatterns", 3);
/// A hint for reusing an earlier transfer.
pub const SOURCE_LOCAL_SHARED_KEY_HINT: Cap = Cap::new("source.local.sharedkeyhint", 3);
/// How changes to a local source are detected.
pub const SOURCE_LOCAL_DIFFER: Cap = Cap::new("source.local.differ", 9);
/// Transferring only metadata of a local source.
pub const SOURCE_LOCAL_METADATA_TRANSFER: Cap = Cap::new("source.local.metadatatransfer", 21);

/// Git sources.
pub const SOURCE_GIT: Cap = Cap::new("source.git", 3);
/// Keeping `.git`.
pub const SOURCE_GIT_KEEP_GIT_DIR: Cap = Cap::new("source.git.keepgitdir", 3);
/// The full URL of a Git source.
pub const SOURCE_GIT_FULL_URL: Cap = Cap::new("source.git.fullurl", 3);
/// Secrets for Git over HTTP.
pub const SOURCE_GIT_HTTP_AUTH: Cap = Cap::new("source.git.httpauth", 8);
/// Known hosts for Git over SSH.
pub const SOURCE_GIT_KNOWN_SSH_HOSTS: Cap = Cap::new("source.git.knownsshhosts", 8);
/// The agent for Git over SSH.
pub const SOURCE_GIT_MOUNT_SSH_SOCK: Cap = Cap::new("source.git.mountsshsock", 8);
/// A subdirectory of a Git source.
pub const SOURCE_GIT_SUBDIR: Cap = Cap::new("source.git.subdir", 9);
/// The expected commit of a Git source.
pub const SOURCE_GIT_CHECKSUM: Cap = Cap::new("source.git.checksum", 22);
/// Skipping submodules.
pub const SOURCE_GIT_SKIP_SUBMODULES: Cap = Cap::new("source.git.skipsubmodules", 24);
/// Signatures of commits and tags.
pub const SOURCE_GIT_SIGNATURE_VERIFY: Cap = Cap::new("source.git.signatureverify", 26);
/// Commit times as file times.
pub const SOURCE_GIT_MTIME: Cap = Cap::new("source.git.mtime", 29);
/// Fetching a commit without looking up its reference.
pub const SOURCE_GIT_FETCH_BY_COMMIT: Cap = Cap::new("source.git.fetchbycommit", 30);
/// Reading from a Git bundle.
pub const SOURCE_GIT_BUNDLE: Cap = Cap::new("source.git.bundle", 30);
/// A Git bundle as the result.
pub const SOURCE_GIT_CHECKOUT_BUNDLE: Cap = Cap::new("source.git.checkoutbundle", 30);

/// Exec operations.
pub const EXEC_META_BASE: Cap = Cap::new("exec.meta.base", 3);
/// A network mode other than the default.
pub const EXEC_META_NETWORK: Cap = Cap::new("exec.meta.network", 3);
/// Proxy variables outside the cache key.
pub const EXEC_META_PROXY_ENV: Cap = Cap::new("exec.meta.proxyenv", 3);
/// The daemon sets `PATH` if it is missing.
pub const EXEC_META_SETS_DEFAULT_PATH: Cap = Cap::new("exec.meta.setsdefaultpath", 3);
/// Privileged processes.
pub const EXEC_META_SECURITY: Cap = Cap::new("exec.meta.security", 5);
/// Devices of privileged processes.
pub const EXEC_META_SECURITY_DEVICES: Cap = Cap::new("exec.meta.security.devices.v1", 7);
/// Resource limits.
pub const EXEC_META_ULIMIT: Cap = Cap::new("exec.meta.ulimit", 10);
/// A parent cgroup.
pub const EXEC_META_CGROUP_PARENT: Cap = Cap::new("exec.meta.cgroup.parent", 10);
/// Cgroups as a mount.
pub const EXEC_CGROUP: Cap = Cap::new("exec.cgroup", 3);
/// CDI devices.
pub const EXEC_META_CDI: Cap = Cap::new("exec.meta.cdi", 20);
/// Memory and CPU limits.
pub const EXEC_META_LINUX_RESOURCES: Cap = Cap::new("exec.meta.linux.resources", 31);
/// Network access through a recording proxy.
pub const EXEC_META_NETWORK_PROXY: Cap = Cap::new("exec.meta.network.proxy", 31);
/// Secrets as environment variables.
pub const EXEC_SECRET_ENV: Cap = Cap::new("exec.secretenv", 10);
/// Exit codes other than 0 that mean success.
pub const EXEC_VALID_EXIT_CODE: Cap = Cap::new("exec.validexitcode", 17);
/// Bind mounts.
pub const EXEC_MOUNT_BIND: Cap = Cap::new("exec.mount.bind", 3);
/// Writable bind mounts whose changes are discarded.
pub const EXEC_MOUNT_BIND_READ_WRITE_NO_OUTPUT: Cap =
    Cap::new("exec.mount.bind.readwrite-nooutput", 7);
/// Cache mounts.
pub const EXEC_MOUNT_CACHE: Cap = Cap::new("exec.mount.cache", 3);
/// How builds share a cache mount.
pub const EXEC_MOUNT_CACHE_SHARING: Cap = Cap::new("exec.mount.cache.sharing", 3);
/// Mounting a path inside an input.
pub const EXEC_MOUNT_SELECTOR: Cap = Cap::new("exec.mount.selector", 3);
/// Mounts in memory.
pub const EXEC_MOUNT_TMPFS: Cap = Cap::new("exec.mount.tmpfs", 3);
/// The size of a mount in memory.
pub const EXEC_MOUNT_TMPFS_SIZE: Cap = Cap::new("exec.mount.tmpfs.size", 10);
/// Secrets as files.
pub const EXEC_MOUNT_SECRET: Cap = Cap::new("exec.mount.secret", 3);
/// SSH agents.
pub const EXEC_MOUNT_SSH: Cap = Cap::new("exec.mount.ssh", 3);
/// Whether the content of a mount is hashed for the cache key.
pub const EXEC_MOUNT_CONTENT_CACHE: Cap = Cap::new("exec.mount.cache.content", 13);

/// File operations.
pub const FILE_BASE: Cap = Cap::new("file.base", 5);
/// Removing by wildcards.
pub const FILE_RM_WILDCARD: Cap = Cap::new("file.rm.wildcard", 7);
/// Removing a link instead of its target.
pub const FILE_RM_NO_FOLLOW_SYMLINK: Cap = Cap::new("file.rm.nofollowsymlink", 10);
/// Include and exclude patterns of a copy.
pub const FILE_COPY_INCLUDE_EXCLUDE_PATTERNS: Cap = Cap::new("file.copy.includeexcludepatterns", 9);
/// Replacing a file with a directory and vice versa.
pub const FILE_COPY_ALWAYS_REPLACE: Cap = Cap::new("file.copy.alwaysreplaceexistingdestpaths", 14);
/// Creating symbolic links.
pub const FILE_SYMLINK_CREATE: Cap = Cap::new("file.symlink.create", 19);
/// Paths that a copy must find.
pub const FILE_COPY_REQUIRED_PATHS: Cap = Cap::new("file.copy.requiredpaths", 26);

/// Annotations of images.
pub const EXPORTER_IMAGE_ANNOTATIONS: Cap = Cap::new("exporter.image.annotations", 11);
/// Attestations of images.
pub const EXPORTER_IMAGE_ATTESTATIONS: Cap = Cap::new("exporter.image.attestations", 11);
/// `SOURCE_DATE_EPOCH` in exporters.
pub const EXPORTER_SOURCE_DATE_EPOCH: Cap = Cap::new("exporter.sourcedateepoch", 11);
/// Source policies.
pub const SOURCE_POLICY: Cap = Cap::new("source.policy", 11);

/// All capabilities that an operation can need.
pub const ALL: &[Cap] = &[
    CONSTRAINTS,
    PLATFORM,
    META_IGNORE_CACHE,
    META_DESCRIPTION,
    META_EXPORT_CACHE,
    MERGE_OP,
    DIFF_OP,
    PASSTHROUGH_OP,
    BUILD_OP_FILENAME,
    SOURCE_HTTP,
    SOURCE_HTTP_CHECKSUM,
    SOURCE_HTTP_PERM,
    SOURCE_HTTP_UID_GID,
    SOURCE_HTTP_AUTH,
    SOURCE_HTTP_HEADER,
    SOURCE_HTTP_SIGNATURE_VERIFY,
    SOURCE_IMAGE,
    SOURCE_IMAGE_RESOLVE_MODE,
    SOURCE_IMAGE_LAYER_LIMIT,
    SOURCE_IMAGE_CHECKSUM,
    SOURCE_IMAGE_BLOB,
    SOURCE_OCI_LAYOUT,
    SOURCE_LOCAL,
    SOURCE_LOCAL_UNIQUE,
    SOURCE_LOCAL_SESSION_ID,
    SOURCE_LOCAL_INCLUDE_PATTERNS,
    SOURCE_LOCAL_FOLLOW_PATHS,
    SOURCE_LOCAL_EXCLUDE_PATTERNS,
    SOURCE_LOCAL_SHARED_KEY_HINT,
    SOURCE_LOCAL_DIFFER,
    SOURCE_LOCAL_METADATA_TRANSFER,
    SOURCE_GIT,
    SOURCE_GIT_KEEP_GIT_DIR,
    SOURCE_GIT_FULL_URL,
    SOURCE_GIT_HTTP_AUTH,
    SOURCE_GIT_KNOWN_SSH_HOSTS,
    SOURCE_GIT_MOUNT_SSH_SOCK,
    SOURCE_GIT_SUBDIR,
    SOURCE_GIT_CHECKSUM,
    SOURCE_GIT_SKIP_SUBMODULES,
    SOURCE_GIT_SIGNATURE_VERIFY,
    SOURCE_GIT_MTIME,
    SOURCE_GIT_FETCH_BY_COMMIT,
    SOURCE_GIT_BUNDLE,
    SOURCE_GIT_CHECKOUT_BUNDLE,
    EXEC_META_BASE,
    EXEC_META_NETWORK,
    EXEC_META_PROXY_ENV,
    EXEC_META_SETS_DEFAULT_PATH,
    EXEC_META_SECURITY,
    EXEC_META_SECURITY_DEVICES,
    EXEC_META_ULIMIT,
    EXEC_META_CGROUP_PARENT,
    EXEC_CGROUP,
    EXEC_META_CDI,
    EXEC_META_LINUX_RESOURCES,
    EXEC_META_NETWORK_PROXY,
    EXEC_SECRET_ENV,
    EXEC_VALID_EXIT_CODE,
    EXEC_MOUNT_BIND,
    EXEC_MOUNT_BIND_READ_WRITE_NO_OUTPUT,
    EXEC_MOUNT_CACHE,
    EXEC_MOUNT_CACHE_SHARING,
    EXEC_MOUNT_SELECTOR,
    EXEC_MOUNT_TMPFS,
    EXEC_MOUNT_TMPFS_SIZE,
    EXEC_MOUNT_SECRET,
    EXEC_MOUNT_SSH,
    EXEC_MOUNT_CONTENT_CACHE,
    FILE_BASE,
    FILE_RM_WILDCARD,
    FILE_RM_NO_FOLLOW_SYMLINK,
    FILE_COPY_INCLUDE_EXCLUDE_PATTERNS,
    FILE_COPY_ALWAYS_REPLACE,
    FILE_SYMLINK_CREATE,
    FILE_COPY_REQUIRED_PATHS,
    EXPORTER_IMAGE_ANNOTATIONS,
    EXPORTER_IMAGE_ATTESTATIONS,
    EXPORTER_SOURCE_DATE_EPOCH,
    SOURCE_POLICY,
];

/// Looks up a capability by its id.
#[must_use]
pub fn find(id: &str) -> Option<Cap> {
    ALL.iter().copied().find(|cap| cap.id == id)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ids_are_unique_and_found() {
        let ids: BTreeSet<_> = ALL.iter().map(|cap| cap.id).collect();
        assert_eq!(ids.len(), ALL.len());
        assert_eq!(find("soruce.http.uidgid"), Some(SOURCE_HTTP_UID_GID));
        assert_eq!(find("source.http.uidgid"), None);
    }

    #[test]
    fn unregistered_ids_are_not_listed() {
        assert_eq!(find("file.copy.modestring"), None);
        assert_eq!(find("exec.meta.removemountstubs.recursive"), None);
    }
}
