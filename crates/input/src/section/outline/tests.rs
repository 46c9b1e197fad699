use super::*;

fn shown(text: &str) -> String {
    let outline = outline(&SourceFile::new("env.yml", text));
    let args = outline.args.iter().map(|arg| {
        let required = if arg.required { " required" } else { "" };
        let message = arg.message.iter().map(|it| format!(" ({it})"));
        let default = arg.default.iter().map(|it| format!("={it}"));
        let rest: String = default.chain(message).collect();
        format!("{}{required}{rest}\n", arg.name)
    });
    let secrets = outline.secrets.iter().map(|secret| {
        let required = if secret.required { " required" } else { "" };
        format!("secret {}{required}\n", secret.id)
    });
    args.chain(secrets).collect()
}

#[test]
fn build_args_and_secrets_of_the_section_are_found() {
    let text = r"
dependencies: [python, '${NOT_HERE}']
condafront:
  base: ${DISTRO:-debian}:${RELEASE:?say which release}
  expose: ['${PORT:-8888}']
  labels: {a: '${TEAM}', b: '${OS-$FALLBACK}', c: '$TARGETARCH $PORT', d: '\$NONE'}
  env: {A: '$B ${C}', B: '${B:-b} $A', PATH: '/x:${PATH}', D: '${E:+e} $B'}
  cmd: echo $SHELL_S
  run:
    - {run: make $MINE, mounts: [{type: secret, id: token}, {type: cache, target: /c}]}
    - {run: make, mounts: [{type: secret, id: token, required: true}, {type: secret, id: other}]}
    - {run: make, mounts: ['type=secret,id=short,required', 'type=cache,target=/c', 'type=secret,target=/run/named']}
    - {run: make, mounts: ['type=secret,dst=/run/short_dst,required=1', {type: secret, destination: /run/long}]}
    - make
";
    insta::assert_snapshot!(shown(text), @r"
        DISTRO=debian
        RELEASE required (say which release)
        PORT required=8888
        TEAM required
        OS
        FALLBACK required
        B=b
        C
        E
        secret token required
        secret other
        secret short required
        secret named
        secret short_dst required
        secret long
        ");
}

#[test]
fn an_image_file_has_those_of_its_conditions_too() {
    let text = "environments: {base: env.yml, ai: {file: ai.yml, when: AI}, gpu: {file: g.yml, when: '${GPU:-no}'}}\nuser: ${WHO}\n";
    assert_eq!(shown(text), "AI\nGPU=no\nWHO required\n");
}

#[test]
fn channels_lists_and_platforms_ask_for_some_too() {
    let text = r"
channels:
  - https://$HOST/forge
  - https://ada:${PASSWORD}@private.example/t/${TOKEN}/lab
  - conda-forge
dependencies:
  - python
  - pip:
      - demo @ https://files.example/${BRANCH}/demo.whl
      - --index-url https://${PYPI_USER}:${PYPI_TOKEN}@pypi.example/simple
condafront:
  for: [binder]
  pip: ['other==${OTHER}']
  channel_alias: https://${ALIAS}/
";
    insta::assert_snapshot!(shown(text), @r"
        HOST required
        BRANCH required (or give a secret of this name)
        PYPI_TOKEN required (or give a secret of this name)
        PYPI_USER required (or give a secret of this name)
        NB_USER
        NB_UID
        OTHER required (or give a secret of this name)
        ALIAS required
        secret HTTP_AUTH_HEADER_private.example
        secret HTTP_AUTH_TOKEN_private.example
        ");
    let lock = "@EXPLICIT\n# https://$NONE/\nhttps://$HOST/noarch/a-1-0.conda\nhttps://a:$PASSWORD@b.example/c.conda\n";
    insta::assert_snapshot!(shown(lock), @r"
        HOST required
        secret HTTP_AUTH_HEADER_b.example
        secret HTTP_AUTH_TOKEN_b.example
        ");
}

#[test]
fn a_manifest_has_those_of_its_section() {
    let section = "[tool.condafront]\nexpose = ['${PORT:-8888}']\nbase = '${DISTRO}'\nrun = [{run = 'make', mounts = ['type=secret,id=token']}]\n";
    insta::assert_snapshot!(shown(&format!("[workspace]\nname = 'x'\n{section}")), @r"
        PORT=8888
        DISTRO required
        secret token
        ");
}

#[test]
fn other_files_have_none() {
    for text in [
        "@EXPLICIT\n",
        "dependencies: [numpy]\n",
        "a: [",
        "condafront: 1\n",
        "",
    ] {
        assert_eq!(shown(text), "", "{text}");
    }
}
