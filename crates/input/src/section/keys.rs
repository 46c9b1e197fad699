//! The keys, with what each is for and how it looks: what messages and the schema say of them.

/// A key of the image section.
pub(super) struct KeyInfo {
    /// The key.
    pub(super) name: &'static str,
    /// What it is for, in a sentence.
    pub(super) about: &'static str,
    /// A line that has it.
    pub(super) example: &'static str,
}

macro_rules! keys {
    ($($name:literal: $about:literal, $example:literal;)*) => {
        &[$(KeyInfo { name: $name, about: $about, example: $example }),*]
    };
}

/// All keys of the image section, in the order of the documentation.
pub(super) const KEYS: &[KeyInfo] = keys! {
    "base": "The image to build on: a reference, scratch, or a named context.", "base: ubuntu:24.04";
    "user": "The account that the image runs as.", "user: {name: ada, uid: 1000, gid: 100}";
    "apt": "Packages of Debian or Ubuntu.", "apt: [libgl1, tzdata]";
    "apk": "Packages of Alpine Linux.", "apk: [tini]";
    "dnf": "Packages of Fedora and its relatives.", "dnf: [mesa-libGL]";
    "pip": "PyPI packages, as lines of a requirements file.", "pip: [-r requirements.txt]";
    "copy": "Files for the image, from the build context or another image.", "copy: {app: /srv/app}";
    "run": "Commands that run in the build, in the active environment.", "run: [./postBuild]";
    "env": "Variables of the image.", "env: {JUPYTER_PORT: \"8888\"}";
    "workdir": "The working directory.", "workdir: /srv/app";
    "cmd": "What a container runs by default.", "cmd: [jupyter, lab]";
    "entrypoint": "What a container always runs, with cmd as its arguments.", "entrypoint: [python, -m, app]";
    "shell": "What runs commands in shell form.", "shell: [/bin/bash, -c]";
    "expose": "Ports that the image listens on.", "expose: [8888, 53/udp]";
    "volumes": "Folders that containers keep outside of the image.", "volumes: [/data]";
    "labels": "Labels of the image.", "labels: {org.opencontainers.image.title: lab}";
    "healthcheck": "How the engine finds out whether a container works.", "healthcheck: {cmd: curl -f localhost:8888, interval: 30s}";
    "stopsignal": "The signal that asks a container to end.", "stopsignal: SIGINT";
    "locale": "The locale that the image has and LANG names.", "locale: en_US.UTF-8";
    "layers": "Over how many layers packages are dealt.", "layers: 40";
    "installer": "Who links packages: micromamba, or native, which is condafront itself.", "installer: native";
    "trim": "What is left out of packages.", "trim: [static-libraries, docs]";
    "channel_priority": "What the order of channels means in a solve.", "channel_priority: flexible";
    "channel_alias": "Where channels are that are given by name.", "channel_alias: https://conda.example.org";
    "custom_channels": "The folders that have the channels of these names.", "custom_channels: {team: https://conda.example.org}";
};

/// The keys that an image file has beside those.
pub(super) const FILE_KEYS: &[KeyInfo] = keys! {
    "environments": "The environments of the image, by name.", "environments: {base: env.yml}";
    "default": "The environment that is active unless a container asks for another.", "default: base";
};

/// Words for the same things in Dockerfiles and in compose files.
pub(super) const OTHER_WORDS: &[(&str, &str)] = &[
    ("add", "copy"),
    ("command", "cmd"),
    ("commands", "run"),
    ("environment", "env"),
    ("from", "base"),
    ("image", "base"),
    ("packages", "apt"),
    ("ports", "expose"),
    ("stop_signal", "stopsignal"),
    ("variables", "env"),
    ("working_dir", "workdir"),
];

/// Whether a name is that of a key of the image section.
pub fn is_key(name: &str) -> bool {
    KEYS.iter().any(|key| key.name == name)
}

/// The key's line in [`KEYS`] or [`FILE_KEYS`].
pub(super) fn info(name: &str) -> Option<&'static KeyInfo> {
    let all = KEYS.iter().chain(FILE_KEYS);
    all.into_iter().find(|key| key.name == name)
}
