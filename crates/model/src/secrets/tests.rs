use super::*;

#[test]
fn secrets_are_recognised_by_name_and_value() {
    for (name, value) in [
        ("API_TOKEN", Some("hunter2")),
        ("GITHUB_TOKEN", None),
        ("password", Some("x")),
        ("PASSWORD", Some("123456")),
        ("SECRET_MESSAGE", Some("x")),
        ("AWS_SECRET_ACCESS_KEY", Some("x")),
        ("SSH_KEY", Some("x")),
        ("DB_PRIVATE_KEY", Some("-----BEGIN PRIVATE KEY-----")),
        ("AUTH_URL", Some("https://ada:hunter2@example.org")),
        ("TOKEN", Some("https://ada:hunter2@example.org")),
        (
            "DATABASE_URL",
            Some("postgres://ada:hunter2@db.example/lab"),
        ),
        (
            "PIP_INDEX_URL",
            Some("https://ada:hunter2@pypi.example/simple"),
        ),
        ("HTTP_PROXY", Some("http://ada:hunter2@proxy.example:3128")),
        ("PGPASSWORD", Some("hunter2")),
        ("dbPassword", Some("hunter2")),
        ("MYSQL_PWD", Some("hunter2")),
        ("DB_PASS", Some("hunter2")),
        ("PASSPHRASE", Some("hunter2")),
        ("TOKENS", Some("hunter2")),
        ("SECRETS", Some("hunter2")),
        ("GITHUB_PAT", Some("hunter2")),
        ("ANYTHING", Some("ghp_0123456789abcdefghij")),
        ("OPENAI_KEY", Some("sk-0123456789abcdefghij")),
        ("AUTHORIZATION", Some("Bearer hunter2")),
        ("IDENTITY", Some("-----BEGIN OPENSSH PRIVATE KEY-----")),
    ] {
        assert!(is_secret(name, value), "{name}");
    }
    for (name, value) in [
        ("TOKENIZERS_PARALLELISM", Some("x")),
        ("KEYBOARD", Some("de")),
        ("PUBLIC_KEY", Some("ssh-ed25519 AAAA")),
        ("SSH_AUTH_SOCK", Some("/run/agent")),
        ("HUB_AUTH", Some("False")),
        ("JUPYTER_TOKEN", Some("")),
        ("KEY_FILE", Some("data/key.pem")),
        ("PASSWORD_FILE", None),
        ("HF_TOKEN_PATH", Some("token")),
        ("AWS_SHARED_CREDENTIALS_FILE", Some("~/.aws/credentials")),
        ("GOOGLE_CREDENTIALS", Some("./credentials.json")),
        ("AUTH_URL", Some("https://example.org/login")),
        ("AUTH", Some("https://example.org/login")),
        ("AUTH_TYPE", Some("oauth")),
        ("SECRET_NAME", Some("prod/db")),
        ("PRIMARY_KEY", Some("id")),
        ("SORT_KEY", Some("name")),
        ("MAX_TOKEN", Some("4096")),
        ("TOKEN_LIMIT", Some("4096")),
        ("PWD", Some("lab")),
        ("OLDPWD", Some("lab")),
        ("PASS", Some("through")),
        ("FORMAT", Some("pat")),
        ("SK", Some("sk-short")),
        ("CERTIFICATE", Some("-----BEGIN CERTIFICATE-----")),
        ("HOME_URL", Some("https://example.org/a:b@c")),
        ("REPOSITORY", Some("ssh://git@example.org/lab")),
        ("INDEX_URL", Some("https://ada:${PASSWORD}@example.org")),
        ("GPG_KEY", Some("A035C8C19219BA821ECEA86B64E628F8D684696D")),
    ] {
        assert!(!is_secret(name, value), "{name}");
    }
}

#[test]
fn names_count_in_any_case() {
    for (name, may_be) in [("Token", true), ("API_KEY", true), ("a", false)] {
        assert_eq!(may_be_name(name), may_be, "{name}");
    }
}

#[test]
fn values_of_secrets_are_masked_wherever_they_end() {
    let mut masking = Masking::default();
    let file = r#"env: {DB_PASSWORD: hunter2, MODE: fast}
env: {A: b, 'TOKEN': "hunter, 2"}
variables:
  API_KEY: hunter2 # mine
  TOKEN_FILE: /run/token
  PRIVATE_KEY: |
    hunter2
      hunter2

    hunter2
  SECRET: "hunter2
    hunter2"
  TOKEN:
    hunter2
  MODE: fast
run: SECRET_TOKEN=hunter2 make
env: {ANY: ghp_hunter20123456789abc, B: c}
dependencies: [python=3.13, token==1]
"#;
    let shown = file.split_inclusive('\n');
    let shown = shown.map(|line| masking.line(line).unwrap_or_else(|| line.to_owned()));
    insta::assert_snapshot!(shown.collect::<String>(), @r#"
        env: {DB_PASSWORD: ***, MODE: fast}
        env: {A: b, 'TOKEN': ***}
        variables:
          API_KEY: ***
          TOKEN_FILE: /run/token
          PRIVATE_KEY: |
            ***
              ***

            ***
          SECRET: ***
            ***
          TOKEN:
            ***
          MODE: fast
        run: SECRET_TOKEN=***
        env: {ANY: ***, B: c}
        dependencies: [python=3.13, token==1]
        "#);
}
