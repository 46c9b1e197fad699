//! The keys, with the purpose and an example of each, for messages and the schema.

/// A key of the image section.
#[derive(Clone, Copy, Debug)]
pub struct KeyInfo {
    /// The key.
    pub name: &'static str,
    /// What it is for, in a sentence.
    pub about: &'static str,
    /// An example line.
    pub example: &'static str,
}

macro_rules! keys {
    ($($name:literal: $about:literal, $example:literal;)*) => {
        &[$(KeyInfo { name: $name, about: $about, example: $example }),*]
    };
}

/// All keys of the image section, in the order of the documentation.
pub(super) const KEYS: &[KeyInfo] = keys! {
    "base": "The base image: a reference, scratch, or a named context.", "base: ubuntu:24.04";
    "user": "The account that the image runs as.", "user: {name: ada, uid: 1000, gid: 100}";
    "group_writable": "Whether the group of the image's user may write to the environments and the home. The group defaults to root's.", "group_writable: true";
    "for": "The platforms that the image is for: the build adds what they need, and proves that the image works there.", "for: [openshift, nextflow]";
    "apt": "Debian or Ubuntu packages.", "apt: [libgl1, tzdata]";
    "apk": "Alpine Linux packages.", "apk: [tini]";
    "dnf": "Packages for Fedora and its relatives.", "dnf: [mesa-libGL]";
    "pip": "PyPI packages, as lines of a requirements file.", "pip: [-r requirements.txt]";
    "build": "Conda packages that only the steps that build wheels see.", "build: [c-compiler, cmake]";
    "copy": "Files to copy into the image, from the build context or another image.", "copy: {app: /srv/app}";
    "run": "Commands to run in the build, with the environment active.", "run: [./postBuild]";
    "env": "Environment variables of the image.", "env: {JUPYTER_PORT: \"8888\"}";
    "workdir": "The working directory. Defaults to the base's if it has one other than `/`, otherwise to the home of the image's user.", "workdir: /srv/app";
    "cmd": "What a container runs by default.", "cmd: [jupyter, lab]";
    "entrypoint": "What a container always runs, with cmd as its arguments.", "entrypoint: [python, -m, app]";
    "shell": "The shell that runs commands in shell form.", "shell: [/bin/bash, -c]";
    "expose": "Ports that the image listens on.", "expose: [8888, 53/udp]";
    "volumes": "Directories that containers keep outside the image.", "volumes: [/data]";
    "labels": "Labels of the image.", "labels: {org.opencontainers.image.title: lab}";
    "healthcheck": "How the engine checks whether a container works.", "healthcheck: {cmd: curl -f localhost:8888, interval: 30s}";
    "stopsignal": "The signal that asks a container to stop.", "stopsignal: SIGINT";
    "locale": "The locale of the image, which LANG is set to.", "locale: en_US.UTF-8";
    "layers": "How many layers packages are spread over.", "layers: 40";
    "installer": "What installs packages: micromamba, or native (condafront itself).", "installer: native";
    "trim": "What to leave out of packages.", "trim: [static-libraries, docs]";
    "channel_priority": "How the order of channels affects a solve.", "channel_priority: flexible";
    "exclude_newer": "The date after which packages are too new for a solve, or the age that they must have.", "exclude_newer: 2026-11-01";
    "lock": "The lock file to take the packages from; {platform} stands for conda's name of the platform.", "lock: conda-{platform}.lock";
    "channel_alias": "The base URL of channels given by name.", "channel_alias: https://conda.example.org";
    "custom_channels": "The base URLs of single channels, by channel name.", "custom_channels: {team: https://conda.example.org}";
};

/// All keys of the image section and of image files, in the order of the documentation.
pub fn keys() -> impl Iterator<Item = &'static KeyInfo> {
    FILE_KEYS.iter().chain(KEYS)
}

/// The additional keys of an image file.
pub(super) const FILE_KEYS: &[KeyInfo] = keys! {
    "environments": "The environments of the image, by name.", "environments: {base: env.yml}";
    "default": "The environment that is active unless a container asks for another.", "default: base";
};

/// Words for the same things in Dockerfiles, compose files and other tools.
pub(super) const OTHER_WORDS: &[(&str, &str)] = &[
    ("add", "copy"),
    ("apt_packages", "apt"),
    ("base_image", "base"),
    ("command", "cmd"),
    ("commands", "run"),
    ("environment", "env"),
    ("exposed_ports", "expose"),
    ("files", "copy"),
    ("from", "base"),
    ("health_check", "healthcheck"),
    ("image", "base"),
    ("maintainer", "labels"),
    ("packages", "apt"),
    ("pip_packages", "pip"),
    ("ports", "expose"),
    ("post_install", "run"),
    ("requirements", "pip"),
    ("script", "run"),
    ("stop_signal", "stopsignal"),
    ("system", "apt"),
    ("system_packages", "apt"),
    ("variables", "env"),
    ("working_dir", "workdir"),
];

/// The same for the keys within a key.
pub(super) const OTHER_FIELDS: &[(&str, &str)] = &[
    ("cmd", "run"),
    ("command", "cmd"),
    ("command", "run"),
    ("destination", "dest"),
    ("group", "gid"),
    ("path", "file"),
    ("source", "src"),
    ("test", "cmd"),
];

/// The names of the keys of the image section.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    KEYS.iter().map(|key| key.name)
}

/// Whether the image section has a key of this name.
pub(crate) fn is_key(name: &str) -> bool {
    KEYS.iter().any(|key| key.name == name)
}

/// The key's entry in [`KEYS`] or [`FILE_KEYS`].
pub(super) fn info(name: &str) -> Option<&'static KeyInfo> {
    let all = KEYS.iter().chain(FILE_KEYS);
    all.into_iter().find(|key| key.name == name)
}
