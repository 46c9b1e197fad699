//! Mistakes in the other keys of an env.yml, and what other tools leave in files.

use crate::Mistake;

#[rustfmt::skip]
pub(crate) const REST: &[Mistake] = &[
    ("not YAML", "dependencies:\n  - numpy\n - scipy\n", &[]),
    ("a tab", "dependencies:\n\t- numpy\n", &[]),
    ("a tab after an entry", "dependencies:\n  - numpy\n\t- scipy\n", &[]),
    ("a tab in a mapping", "dependencies: [numpy]\nvariables:\n  A: 1\n\tB: 2\n", &[]),
    ("a tab after an empty line", "dependencies:\r\n  - pip\r\n  - pip:\r\n\r\n\t- requests\r\n", &[]),
    ("a NUL byte", "dependencies:\n  - numpy\0\n", &[]),
    ("a key twice", "dependencies:\n  - numpy\nname: a\ndependencies:\n  - scipy\n", &[]),
    ("a name with a space", "name: my lab\ndependencies: [numpy]\n", &[]),
    ("a name with a slash", "name: envs/lab\ndependencies: [numpy]\n", &[]),
    ("a name that conda used", "name: root\ndependencies: [numpy]\n", &[]),
    ("a name that is a list", "name: [lab]\ndependencies: [numpy]\n", &[]),
    ("variables in a list", "dependencies: [numpy]\nvariables:\n  - A=1\n", &[]),
    ("a variable with a dash", "dependencies: [numpy]\nvariables:\n  MY-VAR: 1\n", &[]),
    ("a variable without a value", "dependencies: [numpy]\nvariables:\n  A:\n", &[]),
    ("a variable with a NUL", "dependencies: [numpy]\nvariables:\n  A: \"a\\0b\"\n", &[]),
    ("a variable that is a list", "dependencies: [numpy]\nvariables:\n  A: [1, 2]\n", &[]),
    ("platforms in a string", "dependencies: [numpy]\nplatforms: linux-64\n", &[]),
    ("Docker's platform", "dependencies: [numpy]\nplatforms:\n  - linux/amd64\n", &[]),
    ("another tool's platform", "dependencies: [numpy]\nplatforms: [linux-arm64]\n", &[]),
    ("noarch for a platform", "dependencies: [numpy]\nplatforms: [noarch]\n", &[]),
    ("a misspelt platform", "dependencies: [numpy]\nplatforms:\n  - linux64\n", &[]),
    ("other platforms", "dependencies: [numpy]\nplatforms: [osx-arm64, linux-aarch64]\n", &[]),
    ("several environments", "channels: [conda-forge]\ndependencies: [numpy]\nenvironments:\n  b: b.yml\n", &[]),
    ("no linux at all", "dependencies: [numpy]\nplatforms: [win-64]\n", &[]),
];

/// What other tools leave in files of all kinds.
#[rustfmt::skip]
pub(crate) const LEFTOVERS: &[Mistake] = &[
    ("Jinja", "name: lab\ndependencies:\n  - numpy\n  {% if gpu %}\n  - cuda\n  {% endif %}\n", &[]),
    ("Jinja, indented deeper", "name: lab\ndependencies:\n  - numpy\n      {%- if gpu %}\n  - cuda\n", &[]),
    ("Jinja's comment", "name: lab\n{# for the lab #}\ndependencies: [numpy]\n", &[]),
    ("a value", "name: {{ name }}\ndependencies: [numpy]\n", &[]),
    ("a value in quotes", "name: \"{{ cookiecutter.name }}\"\ndependencies: [numpy]\n", &[]),
    ("a value in brackets", "channels: [conda-forge, {{ channel }}]\ndependencies: [numpy]\n", &[]),
    ("a value that is followed by text", "name: {{ name }}-lab\ndependencies: [numpy]\n", &[]),
    ("an entry", "dependencies:\n  - numpy\n  - {{ package }}\n", &[]),
    ("a variable", "dependencies: [numpy]\nvariables:\n  A: {{ a }}\n", &[]),
    ("a list for pip", "dependencies:\n  - pip\n  - pip: {{ packages }}\n", &[]),
    ("Go", "dependencies:\n  - numpy\n{{- range .Packages }}\n  - {{ . }}\n{{- end }}\n", &[]),
    ("ERB", "dependencies:\n  - numpy\n<% if gpu %>\n  - cuda\n<% end %>\n", &[]),
    ("GitHub's expression", "name: ${{ env.NAME }}\ndependencies: [numpy]\n", &[]),
    ("shell arithmetic", "dependencies:\n  - python=3.$((10+2))\n", &[]),
    ("in a section", "condafront:\n  user: {{ user }}\ndependencies: [numpy]\n", &[]),
    ("in an image file", "base: debian:13-slim\nuser: {{ user }}\nenvironments: {base: env.yml}\n", &[]),
    ("in an explicit lock", "@EXPLICIT\nhttps://conda.example/{{ channel }}/noarch/a-1-0.conda\n", &[]),
    ("in a conda-lock.yml", "version: 1\nmetadata:\n  platforms: [linux-64]\npackage:\n- {{ package }}\n", &[]),
    ("in a pixi.lock", "version: 6\n{% if gpu %}\nenvironments: {}\n{% endif %}\n", &[]),
    ("a conflict", "dependencies:\n  - numpy\n<<<<<<< HEAD\n  - scipy=1.14\n=======\n  - scipy=1.15\n>>>>>>> update\n", &[]),
    ("what is left of a conflict", "name: lab\ndependencies:\n  - numpy\n=======\n  - scipy\n", &[]),
    ("a conflict in an image file", "environments:\n||||||| merged common ancestors\n  base: env.yml\n=======\n", &[]),
    ("a conflict in an explicit lock", "@EXPLICIT\n<<<<<<< HEAD\nhttps://conda.example/forge/noarch/a-1-0.conda\n=======\n", &[]),
    ("a conflict in a conda-lock.yml", "version: 1\nmetadata:\n<<<<<<< HEAD\n  platforms: [linux-64]\n=======\npackage: []\n", &[]),
    ("a conflict in a pixi.lock", "version: 6\nenvironments: {}\npackages:\n>>>>>>> 1a2b3c4 (Update)\n", &[]),
];
