//! The mistakes that people make in env.yml, its `condafront:` section and the build-args for a build without a file, and
//! the messages they get.
//!
//! Each mistake has a message at its line that says what to do. The snapshot reads from top to bottom. To add a mistake,
//! add an entry to a table.

use condafront::options::settings::Settings;
use condafront_input as input;
use condafront_input::specs::Specs;
use condafront_input::{BuildSource, EnvironmentInput};
use condafront_model::platform::Platform;
use condafront_model::source::{Diagnostic, Level, SourceFile};

/// What went wrong, the build file (empty for a build without one), and the build-args.
type Mistake = (
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
);

#[rustfmt::skip]
const DEPENDENCIES: &[Mistake] = &[
    ("no packages", "dependencies:\n", &[]),
    ("an empty list", "dependencies: []\n", &[]),
    ("a misspelt key", "name: lab\ndependancies:\n  - numpy\n", &[]),
    ("no dependencies at all", "name: lab\nchannels: [conda-forge]\n", &[]),
    ("something else", "answer: 42\n", &[]),
    ("another file with a name", "name: lab\nanswer: 42\n", &[]),
    ("prose", "# Lab\n\nInstall it with conda.\nThen run it.\n", &[]),
    ("a list alone", "- numpy\n- scipy\n", &[]),
    ("pip's list", "# what we need\nrequests>=2\nnumpy == 1.26.4\n", &[]),
    ("conda's list", "numpy=1.26.4=py312_0\nscipy=1.14.0=py312_1\n", &[]),
    ("conda's list with pip's packages", "numpy=1.26.4=py312_0\nsix=1.16.0=pypi_0\n", &[]),
    ("a list for either", "numpy>=1.26\npandas\n", &[]),
    ("URLs of packages", "https://conda.example/forge/linux-64/zlib-1.3.1-0.conda\nhttps://conda.example/forge/noarch/tzdata-2025b-0.conda\n", &[]),
    ("what conda list prints without its heading", "_libgcc_mutex   0.1     conda_forge\nnumpy           1.26.4  py312_0   conda-forge\n", &[]),
    ("what mamba list prints", "List of packages in environment: \"/opt/conda\"\n\n  Name   Version  Build    Channel\n  numpy  1.26.4   py312_0  conda-forge\n", &[]),
    ("what conda list prints as JSON", "[\n  {\n    \"base_url\": \"https://conda.example/forge\",\n    \"dist_name\": \"zlib-1.3.1-0\"\n  }\n]\n", &[]),
    ("the history of an environment", "==> 2026-01-01 10:00:00 <==\n# cmd: conda create -n lab zlib\n+conda-forge/linux-64::zlib-1.3.1-0\n", &[]),
    ("what conda list prints", "# packages in environment at /opt/conda:\n#\n# Name   Version   Build  Channel\nnumpy    1.26.4    py312_0    conda-forge\n", &[]),
    ("a line of conda list", "dependencies:\n  - numpy  1.26.4  py312_0  conda-forge\n", &[]),
    ("anaconda-project.yml", "name: lab\npackages:\n  - python\nenv_specs:\n  default: {}\n", &[]),
    ("anaconda-project.yml with packages for each of its environments", "name: lab\nenv_specs:\n  default:\n    packages: [python]\n", &[]),
    ("anaconda-project.yml without packages", "name: lab\nchannels: [conda-forge]\ncommands:\n  plot:\n    unix: python plot.py\n", &[]),
    ("anaconda-project-lock.yml", "locking_enabled: true\nenv_specs:\n  default:\n    packages:\n      linux-64: [zlib=1.3.1=0]\n", &[]),
    ("conda-project.yml", "name: lab\nenvironments:\n  default: [environment.yml]\ncommands: {}\n", &[]),
    (".condarc", "channels: [conda-forge]\nssl_verify: false\n", &[]),
    ("the input of constructor", "name: Lab\nversion: 1\nchannels: [conda-forge]\nspecs: [python]\n", &[]),
    ("a conda-lock.yml without its beginning", "version: 1\npackage:\n- name: zlib\n", &[]),
    ("a pixi.lock without its beginning", "version: 6\npackages:\n- conda: zlib\n", &[]),
    ("repodata", "{\"info\": {\"subdir\": \"linux-64\"}, \"packages\": {}}\n", &[]),
    ("what conda prints with --json", "{\"actions\": {}, \"success\": true}\n", &[]),
    ("MLproject", "name: lab\nconda_env: conda.yaml\nentry_points: {}\n", &[]),
    ("an environment of Azure", "name: lab\nimage: mcr.example/base:1\nconda_file: conda.yaml\n", &[]),
    ("a recipe", "package:\n  name: lab\nrequirements:\n  run: [python]\n", &[]),
    ("a recipe with templates", "{% set version = '1.0' %}\npackage:\n  name: lab\n  version: {{ version }}\nrequirements:\n  run: [python]\n", &[]),
    ("a recipe for several packages", "recipe:\n  name: lab\noutputs:\n  - package: {name: a}\n", &[]),
    ("Pipfile.lock", "{\n  \"_meta\": {\"pipfile-spec\": 6},\n  \"default\": {}\n}\n", &[]),
    ("package.json", "{\"name\": \"lab\", \"dependencies\": {\"react\": \"^18\"}, \"devDependencies\": {}}\n", &[]),
    ("a workflow", "name: CI\non: [push]\njobs:\n  test: {runs-on: ubuntu-latest}\n", &[]),
    ("a file for Docker Compose", "services:\n  web:\n    image: nginx\n", &[]),
    ("a list for Ansible Galaxy", "collections:\n  - community.general\n", &[]),
    ("an environment of Spack", "spack:\n  specs: [zlib]\n", &[]),
    ("the lock of renv", "{\"R\": {\"Version\": \"4.4.0\"}, \"Packages\": {}}\n", &[]),
    ("a notebook", "{\"cells\": [], \"nbformat\": 4}\n", &[]),
    ("a pod", "apiVersion: v1\nkind: Pod\nspec: {}\n", &[]),
    ("a recipe on one line", "package: {name: x, version: '1'}\nrequirements: {run: [python]}\n", &[]),
    ("an export of macOS", "# This file may be used to create an environment using:\n# $ conda create --name <env> --file <this file>\n# platform: osx-64\nappnope=0.1.3=pyhd8ed1ab_0\nnumpy=1.26.4=py312h8442bc7_0\n", &[]),
    ("an export of Linux", "# platform: linux-64\nnumpy=1.26.4=py312h8442bc7_0\nzlib=1.3.1=hb9d3cd8_2\n", &[]),
    ("a script of a shell", "#!/bin/bash\nconda create -n lab numpy\n", &[]),
    ("a script of Python", "from setuptools import setup\nsetup(name=\"lab\")\n", &[]),
    ("a configuration", "[tox]\nenvlist = py312\n", &[]),
    ("pyproject.toml", "[project]\nname = \"demo\"\n", &[]),
    ("a template", "{% set version = '3.12' %}\ndependencies:\n  - python={{ version }}\n", &[]),
    ("a Dockerfile", "FROM debian:13-slim\nRUN apt-get update\n", &[]),
    ("a web page saved by mistake", "<!DOCTYPE html>\n<html><body>Sign in: here</body></html>\n", &[]),
    ("an image file", "environments:\n  base: env.yml\n", &[]),
    ("MLflow's list for pip", "python: 3.8.13\nbuild_dependencies:\n- pip==22\ndependencies:\n- -r requirements.txt\n", &[]),
    ("RAPIDS' dependencies.yaml", "files:\n  all:\n    output: conda\ndependencies:\n  build:\n    common: []\n", &[]),
    ("no space after the dash", "dependencies:\n  -numpy\n  -scipy\n", &[]),
    ("no space after one dash", "dependencies:\n  - numpy\n  -scipy\n", &[]),
    ("an entry that is indented too deep", "dependencies:\n  - numpy\n    - scipy\n", &[]),
    ("a no-break space after the dash", "dependencies:\n  - numpy\n  -\u{a0}scipy\n", &[]),
    ("a dash of a word processor", "dependencies:\n  – numpy\n", &[]),
    ("a no-break space", "dependencies:\n  - numpy\u{a0}>=1.26\n", &[]),
    ("an invisible character", "dependencies:\n  - numpy\u{200b}\n", &[]),
    ("quotes of a word processor", "dependencies:\n  - “numpy”\n", &[]),
    ("quotes inside quotes", "dependencies:\n  - \"'conda-forge::numpy >=1.26'\"\n", &[]),
    ("a condition of another tool", "dependencies:\n  - if: linux\n    then: numpy\n", &[]),
    ("a version of pip in front of its list", "dependencies:\n  - python\n  - pip=24.0:\n    - requests\n", &[]),
    ("pip in capitals", "dependencies:\n  - python\n  - Pip:\n    - requests\n", &[]),
    ("a list for pip in pip's list", "dependencies:\n  - python\n  - pip:\n    - pip:\n      - requests\n", &[]),
    ("a colon and nothing for pip", "dependencies:\n  - python\n  - pip:\n    - requests:\n", &[]),
    ("a command", "dependencies:\n  - pip install requests\n", &[]),
    ("one string", "dependencies: numpy scipy\n", &[]),
    ("a mapping", "dependencies:\n  python: 3.12\n  numpy: '>=1.26'\n", &[]),
    ("a colon for a version", "dependencies:\n  - python: 3.12\n", &[]),
    ("one colon too many", "dependencies:\n  - numpy:\n", &[]),
    ("a colon without a space", "dependencies:\n  - python:3.12\n", &[]),
    ("a colon without a space, and a build", "dependencies:\n  - conda-forge::python:3.12.8=h0_0_cpython\n", &[]),
    ("a path as the name", "name: C:\\Users\\me\\envs\\lab\ndependencies: [numpy]\n", &[]),
    ("a version as Poetry writes it, after a colon", "dependencies:\n  - numpy: ^1.26\n", &[]),
    ("keys as in other lists", "dependencies:\n  - name: numpy\n    version: 1.26.4\n", &[]),
    ("a key that says for whom", "dependencies:\n  - conda: numpy\n    pip: numpy\n", &[]),
    ("a key of the file among the dependencies", "dependencies:\n  - numpy\n  - condafront:\n      user: ada\n", &[]),
    ("extras with a space after them", "dependencies:\n  - uvicorn[standard] >=0.12,<0.18\n", &[]),
    ("a version in quotes", "dependencies:\n  - python=\"3.12\"\n", &[]),
    ("half of two quotes", "dependencies:\n  - python=\"3.12\n", &[]),
    ("a slash after a channel", "dependencies:\n  - conda-forge/numpy >=1.26\n", &[]),
    ("letters that names cannot have", "dependencies:\n  - nümpy(1.26)\n", &[]),
    ("an option of pip after a dependency", "dependencies:\n  - numpy==1.26.4 --hash=sha256:00\n", &[]),
    ("nothing but a null", "dependencies:\n  - numpy\n  - ~\n", &[]),
    ("a colon and nothing", "dependencies:\n  - 'numpy:'\n", &[]),
    ("one colon after a URL", "dependencies:\n  - https://conda.example/forge:numpy=1.26=py312_0\n", &[]),
    ("a list in the list", "dependencies:\n  - - numpy\n    - scipy\n", &[]),
    ("an escape character", "dependencies:\n  - \"numpy\\u001b[2J\"\n", &[]),
    ("text from right to left", "dependencies:\n  - \"numpy\\u202e\"\n", &[]),
    ("two lines in one entry", "dependencies:\n  - \"numpy\\nscipy\"\n", &[]),
    ("an escape character in a channel", "channels: [\"conda\\e[2J\"]\ndependencies: [numpy]\n", &[]),
    ("an escape character in a channel's URL", "channels: [\"https://conda.example/a\\e[2J\\rb\"]\ndependencies: [numpy]\n", &[]),
    ("an escape character in a name", "name: \"lab\\e[2J\"\ndependencies: [numpy]\n", &[]),
    ("an escape character in a variable", "dependencies: [numpy]\nvariables: {\"A\\e[2J\": b}\n", &[]),
    ("an escape character in the section", "dependencies: [numpy]\ncondafront:\n  base: \"debian\\e[2J\"\n", &[]),
    ("an escape character in a key of the section", "dependencies: [numpy]\ncondafront:\n  \"ba\\e[2Jse\": debian\n", &[]),
    ("an escape character in a system package", "dependencies: [numpy]\ncondafront:\n  apt: [\"curl\\e[2J\"]\n", &[]),
    ("an escape character in a path", "dependencies: [numpy]\ncondafront:\n  copy: [{src: \"a\\e[2J\", dest: /srv}]\n", &[]),
    ("an escape character in CONDA_SPECS", "", &[("CONDA_SPECS", "num\u{1b}[2Jpy"), ("CONDA_CHANNELS", "conda-forge")]),
    ("only a version", "dependencies:\n  - 3.12\n", &[]),
    ("no name", "dependencies:\n  - '>=3.12'\n", &[]),
    ("two dashes", "dependencies:\n  - -numpy\n", &[]),
    ("wrong order", "dependencies:\n  - numpy=>1.20\n", &[]),
    ("no version", "dependencies:\n  - numpy>=\n", &[]),
    ("no comma", "dependencies:\n  - numpy>=1.20 <2\n", &[]),
    ("nothing after a comma", "dependencies:\n  - numpy >=1.20,\n", &[]),
    ("nothing after or", "dependencies:\n  - bioconda::numpy 1.0|\n", &[]),
    ("an extra that is not a name", "dependencies:\n  - pandas[extras=[Plot]]\n", &[]),
    ("a flag that is not one", "dependencies:\n  - numpy[flags=['blas mkl']]\n", &[]),
    ("a condition in a condition", "dependencies:\n  - numpy[when='python[when=\"__cuda\"]']\n", &[]),
    ("a channel in a condition", "dependencies:\n  - numpy[when='conda-forge::python >=3.12']\n", &[]),
    ("extras in a condition", "dependencies:\n  - numpy[when='__cuda and pandas[extras=[plot]]']\n", &[]),
    ("a condition that is not one", "dependencies:\n  - numpy[when='python >=']\n", &[]),
    ("a condition after a semicolon", "dependencies:\n  - numpy >=2; if python >=3.12\n", &[]),
    ("an exemption with an extra", "dependencies: [numpy]\ncondafront:\n  exclude_newer:\n    cutoff: 2026-11-01\n    packages:\n      pandas[extras=[plot]]: false\n", &[]),
    ("words for conditions", "dependencies:\n  - numpy >=1.20 and <2\n", &[]),
    ("two packages", "dependencies:\n  - numpy scipy\n", &[]),
    ("three packages", "dependencies:\n  - numpy scipy pandas\n", &[]),
    ("two packages, one with a version", "dependencies:\n  - numpy scipy=1.14\n", &[]),
    ("two packages with a comma", "dependencies:\n  - numpy, scipy\n", &[]),
    ("a pattern for a name", "dependencies:\n  - numpy*\n", &[]),
    ("a pattern in a version", "dependencies:\n  - foo 2023.*.0\n", &[]),
    ("a pattern, a channel and a build", "dependencies:\n  - bioconda::foo=1.*.2=h0_*\n", &[]),
    ("a pattern among conditions", "dependencies:\n  - foo[version='>=1,1.*.3|2', build=h0_*]\n", &[]),
    ("a pattern to leave out", "dependencies:\n  - foo !=1.*.2\n", &[]),
    ("a regular expression", "dependencies:\n  - foo ^1\\.2\\..*$\n", &[]),
    ("an npm version", "dependencies:\n  - foo@1.0\n", &[]),
    ("an npm range", "dependencies:\n  - foo@^1.2\n", &[]),
    ("pip's extras", "dependencies:\n  - requests[security]>=2\n", &[]),
    ("pip's markers", "dependencies:\n  - numpy; python_version < '3.9'\n", &[]),
    ("a git repository", "dependencies:\n  - git+https://me:hunter2@git.example/x.git\n", &[]),
    ("a wheel", "dependencies:\n  - https://files.example/a-1-py3-none-any.whl\n", &[]),
    ("an editable repository", "dependencies:\n  - -e git+https://me:hunter2@git.example/x.git#egg=x\n", &[]),
    ("an editable project", "dependencies:\n  - --editable=.\n", &[]),
    ("what pip installed", "dependencies:\n  - six=1.16.0=pypi_0\n", &[]),
    ("what pip installed, from conda list", "dependencies:\n  - six  1.16.0  pypi_0  pypi\n", &[]),
    ("what pip installed, from an old conda", "dependencies:\n  - six=1.16.0=<pip>\n", &[]),
    ("pip's channel", "dependencies:\n  - pypi::six\n", &[]),
    ("what is being developed", "dependencies:\n  - mylib=0.1=dev_0\n", &[]),
    ("a requirements file", "dependencies:\n  - -r requirements.txt\n", &[]),
    ("a conda option", "dependencies:\n  - -c conda-forge numpy\n", &[]),
    ("a local package", "dependencies:\n  - ./pkgs/linux-64/numpy-1-0.conda\n", &[]),
    ("a package for another platform", "dependencies:\n  - https://conda.example/forge/osx-64/zlib-1.3.1-h1_0.conda\n", &[]),
    ("a URL that is not a package", "dependencies:\n  - https://conda.example/forge/numpy\n", &[]),
    ("a folder for another platform", "dependencies:\n  - conda-forge/win-64::numpy\n", &[]),
    ("an unknown key", "dependencies:\n  - numpy[vesion='>=1']\n", &[]),
    ("an unclosed bracket", "dependencies:\n  - \"numpy[version='>=1'\"\n", &[]),
    ("a file of another package", "dependencies:\n  - numpy[fn=scipy-1.14.0-0.conda]\n", &[]),
    ("the URL of another package", "dependencies:\n  - numpy[url=https://conda.example/forge/noarch/scipy-1.14.0-0.conda]\n", &[]),
    ("a namespace", "dependencies:\n  - numpy[namespace=python]\n", &[]),
    ("a bad hash", "dependencies:\n  - numpy[md5=abc]\n", &[]),
    ("an invalid version", "dependencies:\n  - numpy >=1..2\n", &[]),
    ("a template", "dependencies:\n  - python={{ python }}\n", &[]),
    ("a placeholder", "dependencies:\n  - python=<version>\n", &[]),
    ("another placeholder", "dependencies:\n  - python=@PYTHON_VERSION@\n", &[]),
    ("a variable", "dependencies:\n  - python=$PYTHON_VERSION\n", &[]),
    ("quotes in quotes", "dependencies:\n  - \"'numpy'\"\n", &[]),
    ("only other platforms", "dependencies:\n  - pywin32  # [win]\n  - appnope  # [osx]\n", &[]),
    ("an unknown selector", "dependencies:\n  - sel(lunix): numpy\n", &[]),
];

#[rustfmt::skip]
const PIP: &[Mistake] = &[
    ("a string", "dependencies:\n  - pip\n  - pip: requests\n", &[]),
    ("a mapping", "dependencies:\n  - pip\n  - pip:\n    - requests: 2.32\n", &[]),
    ("an empty entry", "dependencies:\n  - pip\n  - pip:\n    -\n    - requests\n", &[]),
    ("a number", "dependencies:\n  - pip\n  - pip:\n    - 2.32\n", &[]),
];

#[rustfmt::skip]
const CHANNELS: &[Mistake] = &[
    ("one string", "channels: conda-forge\ndependencies: [numpy]\n", &[]),
    ("two in one", "channels:\n  - bioconda, conda-forge\ndependencies: [numpy]\n", &[]),
    ("a mapping", "channels:\n  - forge: https://conda.example\ndependencies: [numpy]\n", &[]),
    ("a folder", "channels:\n  - file:///opt/channel\ndependencies: [numpy]\n", &[]),
    ("a path", "channels:\n  - ./channel\ndependencies: [numpy]\n", &[]),
    ("another scheme", "channels:\n  - s3://bucket/channel\ndependencies: [numpy]\n", &[]),
    ("no scheme", "channels:\n  - conda.anaconda.org/conda-forge\ndependencies: [numpy]\n", &[]),
    ("credentials without a scheme", "channels:\n  - me:hunter2@conda.example/forge\ndependencies: [numpy]\n", &[]),
    ("a broken URL", "channels:\n  - https://conda.example:port/forge\ndependencies: [numpy]\n", &[]),
    ("a dependency", "channels:\n  - conda-forge::numpy\ndependencies: [numpy]\n", &[]),
    ("an option", "channels:\n  - -c conda-forge\ndependencies: [numpy]\n", &[]),
    ("a platform in brackets", "channels:\n  - conda-forge[linux-64]\ndependencies: [numpy]\n", &[]),
    ("credentials", "channels:\n  - https://me:hunter2@conda.example/t/tk-1/forge\ndependencies: [numpy]\n", &[]),
    ("a token in a channel's name", "channels:\n  - t/tk-12-hunter2/private\ndependencies: [numpy]\n", &[]),
    ("a login from build-args", "channels:\n  - https://${USER}:${PASSWORD}@conda.example/forge\ndependencies: [numpy]\n", &[("USER", "me"), ("PASSWORD", "s3cret")]),
    ("another platform of a channel with a token", "channels:\n  - t/tk-12-hunter2/private/osx-64\ndependencies: [numpy]\n", &[]),
    ("another platform", "channels:\n  - https://conda.example/forge/osx-64\ndependencies: [numpy]\n", &[]),
    ("a file of a channel", "channels:\n  - https://conda.example/forge/linux-64/repodata.json\ndependencies: [numpy]\n", &[]),
    ("a dependency's channel that is a folder", "dependencies:\n  - file:///opt/channel::numpy\n  - scipy\n", &[]),
    ("a login that is not given", "channels:\n  - http://${USER}:${PASSWORD}@conda.example/chan\ndependencies: [numpy]\n", &[]),
    ("half of a login", "channels:\n  - http://$USER:$PASSWORD@conda.example/chan\ndependencies: [numpy]\n", &[("USER", "me")]),
    ("a token that is not given", "channels:\n  - https://conda.example/t/$TOKEN/chan\ndependencies: [numpy]\n", &[]),
    ("a host that is not given", "channels:\n  - https://${CONDA_HOST}/chan\ndependencies: [numpy]\n", &[]),
    ("a channel that is not given", "channels:\n  - $CHANNEL\ndependencies: [numpy]\n", &[]),
    ("a shell's default", "channels:\n  - https://${USER:-me}:hunter2@conda.example/chan\ndependencies: [numpy]\n", &[]),
    ("a login that breaks the URL elsewhere", "channels:\n  - https://me:${PASSWORD}@conda.example:port/chan\ndependencies: [numpy]\n", &[("PASSWORD", "s3cret")]),
    ("a dependency's channel", "dependencies:\n  - https://$USER:$PASSWORD@conda.example/chan::numpy\n", &[]),
    ("a dependency's channel in brackets", "dependencies:\n  - numpy[channel='https://conda.example/t/${TOKEN}/chan']\n", &[]),
    ("a package's URL", "dependencies:\n  - https://$USER:$PASSWORD@conda.example/chan/noarch/tzdata-2025b-0.conda\n", &[]),
    ("nodefaults for a dependency's channel", "dependencies:\n  - nodefaults::numpy\n", &[]),
];

#[rustfmt::skip]
const REST: &[Mistake] = &[
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
    ("a misspelt platform", "dependencies: [numpy]\nplatforms:\n  - linux64\n", &[]),
    ("other platforms", "dependencies: [numpy]\nplatforms: [osx-arm64, linux-aarch64]\n", &[]),
    ("several environments", "channels: [conda-forge]\ndependencies: [numpy]\nenvironments:\n  b: b.yml\n", &[]),
    ("no linux at all", "dependencies: [numpy]\nplatforms: [win-64]\n", &[]),
];

/// What other tools leave in files of all kinds.
#[rustfmt::skip]
const LEFTOVERS: &[Mistake] = &[
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

#[rustfmt::skip]
const SECTION: &[Mistake] = &[
    ("not a mapping", "condafront: strict\ndependencies: [numpy]\n", &[]),
    ("a misspelt key", "condafront:\n  channel_prioriy: strict\ndependencies: [numpy]\n", &[]),
    ("a key that nobody knows", "condafront:\n  frobnicate: 1\ndependencies: [numpy]\n", &[]),
    ("a Dockerfile's word", "condafront:\n  from: ubuntu:24.04\ndependencies: [numpy]\n", &[]),
    ("a word that is not a key", "condafront:\n  packages: [libgl1]\ndependencies: [numpy]\n", &[]),
    ("Fedora's packages", "condafront:\n  dnf: mesa-libGL\ndependencies: [numpy]\n", &[]),
    ("pip's packages", "condafront:\n  pip: requests\ndependencies: [numpy]\n", &[]),
    ("files", "condafront:\n  copy: {../app: /srv/app}\ndependencies: [numpy]\n", &[]),
    ("commands", "condafront:\n  run: [{network: none}]\ndependencies: [numpy]\n", &[]),
    ("parts of packages", "condafront:\n  trim: [test]\ndependencies: [numpy]\n", &[]),
    ("several environments", "condafront:\n  environments: {r: r.yml}\ndependencies: [numpy]\n", &[]),
    ("an unknown build-arg", "condafront:\n  base: ubuntu:${UBUNTU_VERSON}\ndependencies: [numpy]\n", &[("UBUNTU_VERSION", "24.04")]),
    ("an empty build-arg", "condafront:\n  base: ${BASE:?say which}\ndependencies: [numpy]\n", &[("BASE", "")]),
    ("a misspelt installer", "condafront:\n  installer: micromanba\ndependencies: [numpy]\n", &[]),
    ("too many layers", "condafront:\n  layers: 200\ndependencies: [numpy]\n", &[]),
    ("a port of the host", "condafront:\n  expose: [\"80:8888\"]\ndependencies: [numpy]\n", &[]),
    ("the whole image as a volume", "condafront:\n  volumes: [/data/..]\ndependencies: [numpy]\n", &[]),
    ("a volume of the kernel", "condafront:\n  volumes:\n    - /data\n    - /proc\ndependencies: [numpy]\n", &[]),
    ("an account that no container can have", "condafront:\n  user: {uid: 2147483648}\ndependencies: [numpy]\n", &[]),
    ("a time without a unit", "condafront:\n  healthcheck: {cmd: curl localhost, interval: 30}\ndependencies: [numpy]\n", &[]),
    ("a misspelt priority", "condafront:\n  channel_priority: flexibel\ndependencies: [numpy]\n", &[]),
    ("conda's third priority", "condafront:\n  channel_priority: disabled\ndependencies: [numpy]\n", &[]),
    ("not a priority", "condafront:\n  channel_priority: true\ndependencies: [numpy]\n", &[]),
    ("not a date", "condafront:\n  exclude_newer: 11/01/2026\ndependencies: [numpy]\n", &[]),
    ("a time without its zone", "condafront:\n  exclude_newer: 2026-11-01 12:00\ndependencies: [numpy]\n", &[]),
    ("minutes or months", "condafront:\n  exclude_newer: 7m\ndependencies: [numpy]\n", &[]),
    ("an exemption that is not a MatchSpec", "condafront:\n  exclude_newer:\n    cutoff: 2026-11-01\n    packages:\n      numpy >>2: false\ndependencies: [numpy]\n", &[]),
    ("an exemption of a channel's package", "condafront:\n  exclude_newer:\n    cutoff: 2026-11-01\n    packages:\n      bioconda::samtools: false\ndependencies: [numpy]\n", &[]),
    ("the same in brackets", "condafront:\n  exclude_newer:\n    cutoff: 2026-11-01\n    packages:\n      samtools[channel=bioconda]: false\ndependencies: [numpy]\n", &[]),
    ("the same in an image file", "environments: {base: env.yml}\nexclude_newer:\n  cutoff: 2026-11-01\n  packages:\n    numpy =>2: false\n", &[]),
    ("a cutoff of a channel that is not a date", "condafront:\n  exclude_newer:\n    cutoff: 2026-11-01\n    channels:\n      internal: none\ndependencies: [numpy]\n", &[]),
    ("an alias without https", "condafront:\n  channel_alias: conda.example\ndependencies: [numpy]\n", &[]),
    ("custom channels in a list", "condafront:\n  custom_channels: [internal]\ndependencies: [numpy]\n", &[]),
    ("a custom channel with a login that is not given", "condafront:\n  custom_channels:\n    internal: https://me:${PASSWORD}@conda.example\ndependencies: [internal::numpy]\n", &[]),
    ("PATH without what the image has", "condafront:\n  env: {PATH: /custom/bin}\ndependencies: [numpy]\n", &[]),
    ("PATH in a Dockerfile's order", "condafront:\n  env:\n    PATH: /usr/bin:/custom/bin\ndependencies: [numpy]\n", &[]),
    ("another environment", "condafront:\n  env: {ENV_NAME: prod}\ndependencies: [numpy]\n", &[]),
    ("no environment", "condafront:\n  env: {MAMBA_SKIP_ACTIVATE: 1}\ndependencies: [numpy]\n", &[]),
    ("activation by hand", "condafront:\n  env: {CONDA_PREFIX: /opt/conda/envs/prod}\ndependencies: [numpy]\n", &[]),
    ("an account", "condafront:\n  env: {MAMBA_USER: ada}\ndependencies: [numpy]\n", &[]),
    ("a custom channel that is a path", "condafront:\n  custom_channels:\n    internal: /opt/channel\ndependencies: [numpy]\n", &[]),
    ("credentials in the addresses of channels", "channels: [conda-forge]\ndependencies: [numpy]\ncondafront:\n  channel_alias: https://me:hunter2@conda.example\n  custom_channels: {team: \"https://other.example/t/tk-1234567890\", ours: \"https://clean.example\"}\n", &[]),
];

#[rustfmt::skip]
const BUILD_ARGS: &[Mistake] = &[
    ("no specs", "", &[("CONDA_SPECS", " ")]),
    ("an open quote", "", &[("CONDA_SPECS", "numpy 'scipy <2")]),
    ("a space without quotes", "", &[("CONDA_SPECS", "python=3.12 numpy >=1.26")]),
    ("commas", "", &[("CONDA_SPECS", "numpy,scipy")]),
    ("wrong order", "", &[("CONDA_SPECS", "python numpy=>1.26"), ("CONDA_CHANNELS", "bioconda,conda-forge")]),
    ("a path for a channel", "", &[("CONDA_SPECS", "numpy"), ("CONDA_CHANNELS", "conda-forge,/opt/channel")]),
    ("a channel for a file", "dependencies: [numpy]\n", &[("CONDA_CHANNELS", "conda-forge::numpy")]),
    ("conda's third priority", "dependencies: [numpy]\n", &[("CONDA_CHANNEL_PRIORITY", "disabled")]),
    ("a misspelt priority", "dependencies: [numpy]\n", &[("CONDA_CHANNEL_PRIORITY", "flexibel")]),
    ("not a date", "dependencies: [numpy]\n", &[("CONDA_EXCLUDE_NEWER", "2026-13-01")]),
    ("an alias without https", "dependencies: [numpy]\n", &[("CONDA_CHANNEL_ALIAS", "conda.example")]),
    ("specs along with a file", "channels: [conda-forge]\ndependencies: [numpy]\n", &[("CONDA_SPECS", "scipy")]),
    ("a time after the last one", "", &[("CONDA_SPECS", "numpy"), ("SOURCE_DATE_EPOCH", "253402300799")]),
    ("a date for a time", "", &[("CONDA_SPECS", "numpy"), ("SOURCE_DATE_EPOCH", "2025-08-09")]),
    ("an account that no container can have", "", &[("CONDA_SPECS", "numpy"), ("MAMBA_USER_GID", "3000000000")]),
    ("a mirror with a login that is not given", "dependencies: [numpy]\n", &[("CONDA_MIRRORS", "https://conda.anaconda.org=https://me:$PASSWORD@mirror.example/conda")]),
    ("an alias with a token that is not given", "dependencies: [numpy]\n", &[("CONDA_CHANNEL_ALIAS", "https://conda.example/t/$TOKEN")]),
    ("a channel with a login that is not given", "", &[("CONDA_SPECS", "numpy"), ("CONDA_CHANNELS", "https://me:${PASSWORD}@conda.example/chan")]),
    ("a misspelt build-arg", "", &[("CONDA_SPEC", "numpy")]),
];

/// What works, but not as one might expect.
#[rustfmt::skip]
const WARNINGS: &[Mistake] = &[
    ("no channels", "name: lab\ndependencies: [numpy]\n", &[]),
    ("only nodefaults", "channels: [nodefaults]\ndependencies: [numpy]\n", &[]),
    ("Anaconda's channels", "channels:\n  - conda-forge\n  - defaults\ndependencies: [numpy]\n", &[]),
    ("a placeholder for a token", "channels:\n  - https://conda.example/t/<TOKEN>/forge\ndependencies: [numpy]\n", &[]),
    ("placeholders for a user and a password", "channels:\n  - https://<user>:***@conda.example/forge\ndependencies: [numpy]\n", &[]),
    ("variables as on Windows", "channels:\n  - https://%USER%:%PASSWORD%@conda.example/chan\ndependencies: [numpy]\n", &[]),
    ("a placeholder in a channel's name", "channels:\n  - \"t/{{ TOKEN }}/private\"\ndependencies: [numpy]\n", &[]),
    ("a placeholder in a dependency's channel", "channels: [conda-forge]\ndependencies:\n  - https://conda.example/t/<TOKEN>/forge::numpy\n", &[]),
    ("a placeholder in a dependency's URL", "channels: [conda-forge]\ndependencies:\n  - https://conda.example/t/xxxx/forge/linux-64/zlib-1.3.1-h1_0.conda\n", &[]),
    ("a prefix", "channels: [conda-forge]\ndependencies: [numpy]\nprefix: /home/me/miniconda3/envs/lab\n", &[]),
    ("conda-devenv's variables", "channels: [conda-forge]\ndependencies: [numpy]\nenvironment:\n  A: 1\n", &[]),
    ("conda-devenv's files", "channels: [conda-forge]\nincludes: [other.devenv.yml]\ndependencies: [numpy]\n", &[]),
    ("a misspelt key", "channels: [conda-forge]\ndependencies: [numpy]\nvariabels:\n  A: 1\n", &[]),
    ("a key of the section", "channels: [conda-forge]\nchannel_priority: flexible\ndependencies: [numpy]\n", &[]),
    ("another key of the section", "channels: [conda-forge]\ndependencies: [numpy]\ncmd: [python]\n", &[]),
    ("pip's list in the wrong place", "channels: [conda-forge]\ndependencies: [pip]\npip:\n  - requests\n", &[]),
    ("conda-lock's categories", "channels: [conda-forge]\ndependencies: [numpy]\ncategory: dev\n", &[]),
    ("the frontend in a key", "syntax: org/condafront\nchannels: [conda-forge]\ndependencies: [numpy]\n", &[]),
    ("an empty entry", "channels: [conda-forge]\ndependencies:\n  - numpy\n  -\n  - scipy\n", &[]),
    ("one colon for a channel", "channels: [conda-forge]\ndependencies:\n  - bioconda:bcftools=1.20=h0_1\n", &[]),
    ("one colon twice", "channels: [conda-forge]\ndependencies:\n  - conda-forge:main:numpy >=1.26\n", &[]),
    ("one colon for pip", "channels: [conda-forge]\ndependencies:\n  - pip:requests\n", &[]),
    ("no version", "channels: [conda-forge]\ndependencies:\n  - numpy=\n", &[]),
    ("a package twice", "channels: [conda-forge]\ndependencies:\n  - numpy\n  - scipy\n  - numpy\n", &[]),
    ("two conditions", "channels: [conda-forge]\ndependencies:\n  - numpy>=1.20\n  - numpy<2\n", &[]),
    ("no pip for pip", "channels: [conda-forge]\ndependencies:\n  - python\n  - pip:\n    - requests\n", &[]),
    ("pip's list not indented", "channels: [conda-forge]\ndependencies:\n  - pip\n  - pip:\n  - requests\n", &[]),
    ("PATH", "channels: [conda-forge]\ndependencies: [numpy]\nvariables:\n  PATH: /custom/bin\n  DATA: /data\n", &[]),
    ("PATH as in a shell", "channels: [conda-forge]\ndependencies: [numpy]\nvariables:\n  PATH: /custom/bin:$PATH\n", &[]),
    ("another environment", "channels: [conda-forge]\ndependencies: [numpy]\nvariables: {ENV_NAME: prod}\n", &[]),
    ("another home", "channels: [conda-forge]\ndependencies: [numpy]\nvariables: {HOME: /data}\n", &[]),
    ("no activation", "channels: [conda-forge]\ndependencies: [numpy]\nvariables: {MAMBA_SKIP_ACTIVATE: 1}\n", &[]),
    ("conda's own variables", "channels: [conda-forge]\ndependencies: [numpy]\nvariables: {CONDA_PREFIX: /x, MAMBA_USER: ada}\n", &[]),
    ("an age", "channels: [conda-forge]\ndependencies: [numpy]\ncondafront:\n  exclude_newer: 7d\n", &[]),
    ("an age as a build-arg", "channels: [conda-forge]\ndependencies: [numpy]\n", &[("CONDA_EXCLUDE_NEWER", "2w")]),
    ("an age of one package", "channels: [conda-forge]\ndependencies: [numpy]\ncondafront:\n  exclude_newer:\n    cutoff: 7d\n    packages:\n      numpy: 1d\n", &[("CONDA_EXCLUDE_NEWER", "2026-11-01")]),
    ("a cutoff of a channel that is not used", "channels: [conda-forge]\ndependencies: [numpy]\ncondafront:\n  exclude_newer:\n    cutoff: 2026-11-01\n    channels:\n      internal: false\n", &[]),
    ("an invalid selector", "channels: [conda-forge]\ndependencies:\n  - numpy  # [linux and py38]\n", &[]),
];

fn read(text: &str, args: &[(&str, &str)]) -> Result<EnvironmentInput, Diagnostic> {
    let settings = Settings::from_build_args(args.iter().copied())?;
    let platform = Platform::LinuxAmd64;
    if text.is_empty() {
        return Specs::new(&settings.specs, &settings.input)?.read(platform);
    }
    let file = SourceFile::new("env.yml", text);
    match BuildSource::of(&file, &settings.specs, &settings.input)? {
        // An image file cannot be named by another, but its own mistakes come first.
        BuildSource::File(file) => input::image_file(&file, platform, &settings.input)
            .and_then(|_| input::read(&file, platform, &settings.input)),
        BuildSource::Specs(specs) => specs.read(platform),
    }
}

/// A table as the user sees it.
fn rendered(title: &str, mistakes: &[Mistake]) -> String {
    let mut all = format!("{title}\n{}\n\n", "=".repeat(title.len()));
    for (name, text, args) in mistakes {
        all.push_str(&format!("## {name}\n"));
        for (name, value) in *args {
            all.push_str(&format!("--build-arg {name}={value:?}\n"));
        }
        match read(text, args) {
            Err(error) => {
                // A message about a build-arg says what its value must be, and its place is the command line.
                let is_arg = error.message.starts_with("build-arg ");
                assert!(is_arg || error.help.is_some(), "{name} has no advice");
                assert!(is_arg || !error.locations.is_empty(), "{name} has no place");
                all.push_str(&error.render(Level::Error));
            }
            Ok(input) => {
                assert!(
                    !input.warnings.is_empty(),
                    "{name} is not a mistake: {input:?}"
                );
                for warning in &input.warnings {
                    assert!(warning.diagnostic.help.is_some(), "{name} has no advice");
                    all.push_str(&format!("[{}] ", warning.rule.name()));
                    all.push_str(&warning.diagnostic.render(Level::Warning));
                    all.push('\n');
                }
            }
        }
        all.push_str("\n\n");
    }
    all
}

#[test]
fn every_mistake_is_reported_at_its_line_with_what_to_do() {
    let errors = [
        ("Dependencies", DEPENDENCIES),
        ("Packages for pip", PIP),
        ("Channels", CHANNELS),
        ("The rest of env.yml", REST),
        ("What other tools left", LEFTOVERS),
        ("The condafront: section", SECTION),
        ("Build-args", BUILD_ARGS),
    ];
    let mut all = String::new();
    for (title, mistakes) in errors {
        for (name, text, args) in mistakes {
            assert!(read(text, args).is_err(), "{title}: {name} is accepted");
        }
        all.push_str(&rendered(title, mistakes));
    }
    for (name, text, args) in WARNINGS {
        if let Err(error) = read(text, args) {
            panic!("{name} is refused: {error}");
        }
    }
    all.push_str(&rendered("Warnings", WARNINGS));
    for secret in ["hunter2", "tk-1"] {
        assert!(!all.contains(secret), "{secret} is shown");
    }
    insta::assert_snapshot!(all);
}
