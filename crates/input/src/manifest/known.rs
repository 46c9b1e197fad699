//! The keys that the tables of a manifest can have. pixi refuses others (`crates/pixi_manifest/src/toml` of its source).

/// What a table of packages and variables has: that of a feature, or one below `target`.
pub(super) const OF_TARGET: &[&str] = &[
    "dependencies",
    "host-dependencies",
    "build-dependencies",
    "constraints",
    "pypi-dependencies",
    "pypi-options",
    "dev",
    "activation",
    "tasks",
];

/// What else a feature has; the default feature has it at the top of the manifest.
pub(super) const OF_FEATURE: &[&str] = &["system-requirements", "target"];

/// What only other features have.
pub(super) const OF_OTHER_FEATURES: &[&str] = &[
    "channels",
    "channel-priority",
    "platforms",
    "solve-strategy",
];

/// What only the manifest has.
pub(super) const OF_MANIFEST: &[&str] = &[
    "workspace",
    "project",
    "feature",
    "environments",
    "exclude-newer",
    "pypi-exclude-newer",
    "package",
    "tool",
    "$schema",
    "schema",
];

/// What the table about the project has.
pub(super) const OF_WORKSPACE: &[&str] = &[
    "name",
    "version",
    "description",
    "authors",
    "channels",
    "channel-priority",
    "solve-strategy",
    "platforms",
    "license",
    "license-file",
    "readme",
    "homepage",
    "repository",
    "documentation",
    "conda-pypi-map",
    "pypi-options",
    "s3-options",
    "preview",
    "target",
    "build-variants",
    "build-variants-files",
    "requires-pixi",
    "exclude-newer",
    "pypi-exclude-newer",
    "dependencies",
    // Those of conda-workspaces.
    "envs-dir",
    "archive",
];

/// What an environment's own table has.
pub(super) const OF_ENVIRONMENT: &[&str] = &["features", "solve-group", "no-default-feature"];

/// What it has of a feature, which then comes before those that it lists.
pub(super) const INLINE: &[&str] = &[
    "channels",
    "channel-priority",
    "platforms",
    "solve-strategy",
    "target",
    "dependencies",
    "constraints",
    "pypi-dependencies",
    "pypi-options",
    "dev",
    "activation",
    "tasks",
];

/// What `activation` has.
pub(super) const OF_ACTIVATION: &[&str] = &["scripts", "env"];

/// What an entry of `platforms` has, apart from virtual packages under their own names.
pub(super) const OF_PLATFORM: &[&str] = &[
    "name", "platform", "cuda", "archspec", "glibc", "libc", "linux", "macos", "osx", "windows",
    "win",
];

/// What `system-requirements` has.
pub(super) const OF_SYSTEM: &[&str] = &["cuda", "archspec", "libc", "linux", "macos", "unix"];

/// The names of tables below `target` that are for several platforms.
pub(super) const TARGETS: &[&str] = &["unix", "linux", "win", "osx", "macos"];
