//! The messages for mistakes in a section or an image file, all in one snapshot.

use super::published::{json, validator};
use super::tests::{ARGS, image_file, section};
use condafront_model::source::Level;

/// Wrong image sections.
pub(crate) const SECTIONS: &[&str] = &[
    // The section as a whole.
    "condafront: [base]\n",
    "condafront:\n  bsae: ubuntu:24.04\n",
    "condafront:\n  environment: {A: b}\n",
    "condafront:\n  ports: [8888]\n",
    "condafront:\n  base_image: ubuntu:24.04\n",
    "condafront:\n  system_packages: [gcc]\n",
    "condafront:\n  nonsense: 1\n",
    "condafront:\n  environments: {base: env.yml}\n",
    "condafront:\n  [a, b]: 1\n",
    // Build-args.
    "condafront:\n  base: ubuntu:${UBUNTU_VERSON}\n",
    "condafront:\n  base: ubuntu:$RELEASE\n",
    "condafront:\n  base: ubuntu:${RELEASE:?say which Ubuntu}\n",
    "condafront:\n  base: ubuntu:${UBUNTU_VERSION\n",
    "condafront:\n  labels: {price: \"${}\"}\n",
    "condafront:\n  base: ${UBUNTU_VERSION^^}\n",
    "condafront:\n  base: ${UBUNTU_VERSION:0:2}\n",
    "condafront:\n  user: {name: ${PORT}}\n",
    "condafront:\n  expose: [${PORT}]\n",
    // base
    "condafront:\n  base:\n",
    "condafront:\n  base: [ubuntu]\n",
    "condafront:\n  base: ubuntu AS base\n",
    "condafront:\n  base: \"${EMPTY}\"\n",
    // user
    "condafront:\n  user: [ada]\n",
    "condafront:\n  user: ada lovelace\n",
    "condafront:\n  user: 4294967295\n",
    "condafront:\n  user: 2147483648\n",
    "condafront:\n  user: ada:2147483648\n",
    "condafront:\n  user: ada:users\n",
    "condafront:\n  user: \"1000:users\"\n",
    "condafront:\n  user: ada:4294967295\n",
    "condafront:\n  user: root:100\n",
    "condafront:\n  user: {name: ada, id: 1000}\n",
    "condafront:\n  user: {name: 1000}\n",
    "condafront:\n  user: {name: ada, uid: -1}\n",
    "condafront:\n  user: {name: ada, uid: 0}\n",
    "condafront:\n  user: {name: ada, gid: 3000000000}\n",
    "condafront:\n  user: {}\n",
    // group_writable and for
    "condafront:\n  group_writable: root\n",
    "condafront:\n  for: [openshfit]\n",
    "condafront:\n  for: {openshift: true}\n",
    "condafront:\n  for: openshift\n  group_writable: false\n",
    "condafront:\n  user: ada:100\n  for: openshift\n",
    "condafront:\n  user: {name: ada, uid: 1001}\n  for: [nextflow, sagemaker]\n",
    "condafront:\n  user: root\n  for: binder\n",
    "condafront:\n  for: [openshift, sagemaker]\n",
    // apt, apk, dnf
    "condafront:\n  apt: libgl1\n",
    "condafront:\n  apt: [libgl1 tzdata]\n",
    "condafront:\n  apt: [\"curl; rm -rf /\"]\n",
    "condafront:\n  apt: [\"$(id)\"]\n",
    "condafront:\n  apt: [curl|sh]\n",
    "condafront:\n  apt: [--allow-unauthenticated]\n",
    "condafront:\n  apt: [curl>=7]\n",
    "condafront:\n  apt: [curl=]\n",
    "condafront:\n  apt: [-r lists/..]\n",
    "condafront:\n  apt: [-r /tmp/packages.txt]\n",
    "condafront:\n  apt: [-r lists/]\n",
    "condafront:\n  apt: [curl]\n  env: {A: b}\n  apk: [curl]\n",
    // pip
    "condafront:\n  pip: requests\n",
    "condafront:\n  pip:\n    - requests\n    -\n",
    "condafront:\n  pip:\n    - {name: requests}\n",
    // copy
    "condafront:\n  copy: app\n",
    "condafront:\n  copy: {../app: /srv}\n",
    "condafront:\n  copy: {https://example.org/app.tar: /srv}\n",
    "condafront:\n  copy: {app: [/srv]}\n",
    "condafront:\n  copy: {src: app, dest: /srv/app}\n",
    "condafront:\n  copy: [app]\n",
    "condafront:\n  copy: [{src: app}]\n",
    "condafront:\n  copy: [{src: app, dst: /srv}]\n",
    "condafront:\n  copy: [{src: [a, b], dest: /srv}]\n",
    "condafront:\n  copy: [{src: app, dest: /srv, chown: \"ada lovelace\"}]\n",
    "condafront:\n  copy: [{src: app, dest: /srv, chmod: 888}]\n",
    // run
    "condafront:\n  run: \"\"\n",
    "condafront:\n  run: [[]]\n",
    "condafront:\n  run:\n    - make\n    -\n",
    "condafront:\n  run: [{comand: make}]\n",
    "condafront:\n  run: [{command: make}]\n",
    "condafront:\n  run: [{network: none}]\n",
    "condafront:\n  run: [{run: make, network: off}]\n",
    "condafront:\n  run: [{run: make, user: \"ada:\"}]\n",
    "condafront:\n  run: [{run: make, mounts: [[a]]}]\n",
    "condafront:\n  run: [{run: make, mounts: [{target: /c}]}]\n",
    "condafront:\n  run: [{run: make, mounts: [\"type=bind,target=/c\"]}]\n",
    "condafront:\n  run: [{run: make, mounts: [{type: cache}]}]\n",
    "condafront:\n  run: [{run: make, mounts: [{type: cache, target: /c, sharing: lockd}]}]\n",
    "condafront:\n  run: [{run: make, mounts: [{type: cache, target: /c, env: C}]}]\n",
    "condafront:\n  run: [{run: make, mounts: [{type: cache, target: /./srv/..}]}]\n",
    "condafront:\n  run:\n    - run: make\n      mounts:\n        - {type: secret, id: t, target: /}\n",
    "condafront:\n  run: [{run: make, mounts: [{type: secret}]}]\n",
    "condafront:\n  run: [{run: make, mounts: [{type: secret, id: t, mode: 999}]}]\n",
    "condafront:\n  run: [{run: make, mounts: [{type: secret, id: t, required: maybe}]}]\n",
    // env, labels
    "condafront:\n  env: [A=b]\n",
    "condafront:\n  env:\n    A:\n",
    "condafront:\n  env: {A: [b]}\n",
    "condafront:\n  env: {\"A B\": c}\n",
    "condafront:\n  env: {\"\": c}\n",
    "condafront:\n  labels: {a: {b: c}}\n",
    "condafront:\n  labels: {\"\": c}\n",
    // workdir, cmd, entrypoint, shell
    "condafront:\n  workdir: \" \"\n",
    "condafront:\n  cmd: {run: jupyter}\n",
    "condafront:\n  cmd: \"\"\n",
    "condafront:\n  cmd: [jupyter, [lab]]\n",
    "condafront:\n  entrypoint: [\"\", lab]\n",
    "condafront:\n  cmd: [python -m app]\n",
    "condafront:\n  entrypoint: python -m app\n  cmd: [--port, 80]\n",
    "condafront:\n  shell: /bin/bash -c\n",
    "condafront:\n  shell: []\n",
    // expose, volumes
    "condafront:\n  expose: {http: 80}\n",
    "condafront:\n  expose: [80:8080]\n",
    "condafront:\n  expose: [65536]\n",
    "condafront:\n  expose: [8010-8000]\n",
    "condafront:\n  expose: [53/dns]\n",
    "condafront:\n  volumes: [./data:/data]\n",
    "condafront:\n  volumes: [data]\n",
    "condafront:\n  volumes: [/data, //]\n",
    "condafront:\n  volumes: [/data/./../..]\n",
    "condafront:\n  volumes: [/proc]\n",
    "condafront:\n  volumes: [/data/../sys/fs/cgroup]\n",
    "condafront:\n  volumes: [/dev/]\n",
    "condafront:\n  volumes: [/etc/hosts]\n",
    // healthcheck, stopsignal
    "condafront:\n  healthcheck: curl -f localhost\n",
    "condafront:\n  healthcheck: [curl]\n",
    "condafront:\n  healthcheck: {interval: 30s}\n",
    "condafront:\n  healthcheck: {cmd: [CMD, curl]}\n",
    "condafront:\n  healthcheck: {cmd: curl, intervall: 30s}\n",
    "condafront:\n  healthcheck: {test: [CMD, curl]}\n",
    "condafront:\n  healthcheck: {cmd: curl, interval: 30}\n",
    "condafront:\n  healthcheck: {cmd: curl, timeout: soon}\n",
    "condafront:\n  healthcheck: {cmd: curl, start_period: -5s}\n",
    "condafront:\n  healthcheck: {cmd: curl, start_interval: 10us}\n",
    "condafront:\n  healthcheck: {cmd: curl, retries: three}\n",
    "condafront:\n  healthcheck: {cmd: curl, retries: 3000000000}\n",
    "condafront:\n  stopsignal: SIGTREM\n",
    "condafront:\n  stopsignal: 65\n",
    // locale, layers, installer, trim
    "condafront:\n  locale: english\n",
    "condafront:\n  locale: de_AT@euro\n",
    "condafront:\n  locale: en_US.UTF-8\n  env: {LANG: C}\n",
    "condafront:\n  layers: 81\n",
    "condafront:\n  layers: many\n",
    "condafront:\n  installer: mamba\n",
    "condafront:\n  installer: micromanba\n",
    "condafront:\n  trim: everything\n",
    "condafront:\n  trim: [test]\n",
    "condafront:\n  trim: 3\n",
    // The channels.
    "condafront:\n  channel_priority: disabled\n",
    "condafront:\n  exclude_newer: yesterday\n",
    "condafront:\n  exclude_newer: [2026-11-01]\n",
    "condafront:\n  exclude_newer: {packages: {numpy: false}}\n",
    "condafront:\n  exclude_newer: {cutof: 2026-11-01}\n",
    "condafront:\n  exclude_newer: {cutoff: 2026-11-01, channels: [internal]}\n",
    "condafront:\n  exclude_newer: {cutoff: 2026-11-01, channels: {internal: true}}\n",
    "condafront:\n  build: gcc\n",
    "condafront:\n  build: {channels: [conda-forge]}\n",
    "condafront:\n  build: {package: [gcc]}\n",
    "condafront:\n  build: [gcc, {cmake: 3}]\n",
    "condafront:\n  build: [gcc, ' ']\n",
    "condafront:\n  lock: [conda.lock]\n",
    "condafront:\n  lock: /srv/conda.lock\n",
    "condafront:\n  lock: locks/\n",
    "condafront:\n  channel_alias: conda.example.org\n",
    "condafront:\n  channel_alias: file:///srv/conda\n",
    "condafront:\n  custom_channels: [team]\n",
    "condafront:\n  custom_channels: {team: \"https://me:secret@\"}\n",
    "condafront:\n  custom_channels: {\"a b\": https://c.example}\n",
];

const FILES: &[&str] = &[
    "environments: [env.yml]\n",
    "environments: {}\n",
    "environments:\n  base:\n",
    "environments:\n  base: [env.yml]\n",
    "environments:\n  base: locks/\n",
    "environments:\n  base: /srv/env.yml\n",
    "environments:\n  base: ../locks/..\n",
    "environments:\n  base: https://example.org/env.yml\n",
    "environments:\n  a/b: env.yml\n",
    "environments:\n  base: env.yml\n  root: r.yml\n",
    "environments:\n  base: {when: BUILD_AI}\n",
    "environments:\n  base: {fiel: env.yml}\n",
    "environments:\n  base: env.yml\n  ai: {file: ai.yml, when: MAYBE}\n",
    "environments:\n  base: env.yml\n  ai: {file: ai.yml, when: perhaps so}\n",
    "environments:\n  base: env.yml\n  ai: {file: ai.yml, when: 2}\n",
    "environments:\n  base: env.yml\n  ai: {file: ai.yml, when: \"${MAYBE}\"}\n",
    "environments:\n  ai: {file: ai.yml, when: BUILD_AI}\n",
    "environments:\n  base: env.yml\n  ai: {file: ai.yml, when: BUILD_AI}\ndefault: ai\n",
    "environments:\n  base: env.yml\n  stats: r.yml\ndefault: stat\n",
    "environments:\n  base: env.yml\n  stats: r.yml\ndefault: python\n",
    "environments:\n  base: env.yml\nlock: conda.lock\n",
    "environments:\n  base: env.yml\ndependencies: [python]\n",
    "environments:\n  base: env.yml\ncondafront: {base: ubuntu}\n",
    "environments:\n  base: env.yml\nenviroments: {}\n",
    "environments:\n  base: env.yml\nlayers: 0\n",
];

fn all<T>(
    texts: &[&str],
    read: impl Fn(&str, &[(&str, &str)]) -> Result<T, condafront_model::source::Diagnostic>,
) -> String {
    let mut all = String::new();
    for text in texts {
        let Err(error) = read(text, ARGS) else {
            panic!("no mistake was found in {text}");
        };
        all.push_str(&error.render(Level::Error));
        all.push_str("\n\n");
    }
    all
}

/// The snapshot has the mistakes that an editor does not show.
#[test]
fn the_schema_finds_most_mistakes() {
    let found = |text: &&&str| {
        let tree = crate::yaml::read(
            &condafront_model::source::SourceFile::new("f", **text),
            text,
        );
        tree.map_or(true, |tree| validator().validate(&json(&tree)).is_err())
    };
    let texts = SECTIONS.iter().chain(FILES);
    let missed: Vec<&str> = texts.filter(|text| !found(text)).copied().collect();
    insta::assert_snapshot!(missed.concat());
}

#[test]
fn mistakes_read_well() {
    let sections = all(SECTIONS, section);
    insta::assert_snapshot!(sections + &all(FILES, image_file));
}
