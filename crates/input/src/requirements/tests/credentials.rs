//! What counts as a credential.

use super::*;

#[test]
fn credentials_are_distinguished_from_variables_and_users() {
    for (text, has) in [
        ("--index-url https://me:hunter2@i.example/simple", true),
        ("--index-url https://${USER}:hunter2@i.example/simple", true),
        (
            "--index-url https://i.example/t/tk-0123abcd-4567-89ef/me/simple",
            true,
        ),
        ("--index-url https://i.example/t/${TOKEN}/me/simple", false),
        ("t/x-1.0/x-1.0-py3-none-any.whl", false),
        ("-e t/x-1.0/x", false),
        ("x @ https://f.example/p/t/x-1.0.tar.gz", false),
        (
            "x @ https://f.example/t/x-1.0-cp313-cp313-linux_x86_64.whl",
            false,
        ),
        (
            "x @ https://f.example/t/typing-extensions/x-1.0.tar.gz",
            false,
        ),
        (
            "x @ https://f.example/a/t/0123456789abcdef0123/x-1.0.tar.gz",
            false,
        ),
        ("x @ https://f.example/x.whl?sig=abc", true),
        ("git+https://token@g.example/x.git", true),
        (
            "--index-url https://${USER}:${TOKEN}@i.example/simple",
            false,
        ),
        ("--index-url https://${TOKEN}@i.example/simple", false),
        ("--index-url https://${TOKEN}:@i.example/simple", false),
        (
            "--extra-index-url https://__token__:${TOKEN}@i.example/simple",
            false,
        ),
        (
            "-i https://gitlab-ci-token:${CI_JOB_TOKEN}@g.example/simple",
            false,
        ),
        ("-f https://aws:${A}${B}@i.example/links", false),
        (
            "x @ https://oauth2accesstoken:${X}@f.example/x-1.zip",
            false,
        ),
        ("x @ git+https://build:${X}@g.example/x@v1", false),
        ("-i https://me:x${TOKEN}@i.example/simple", true),
        ("-i https://me:${A}:x@i.example/simple", true),
        ("-i https://${TOKEN}:x-oauth-basic@i.example/simple", true),
        ("-i https://me:@i.example/simple", true),
        (
            "-i https://me:${A}@i.example/s -f https://me:pw@i.example/l",
            true,
        ),
        ("-i https://me:${A}@i.example/a/me:pw@j.example", false),
        ("git+ssh://git:hunter2@g.example/x.git", true),
        ("x @ https://f.example/x.whl?sig=${SIG}", false),
        ("x @ https://f.example/x.whl?raw=true&dl=1", false),
        ("x @ https://f.example/x.zip?download=1#egg=x", false),
        ("x @ https://f.example/x.whl?raw=true&sig=abc", true),
        ("x @ https://f.example/x.whl?c2VjcmV0LXRva2Vu", true),
        (
            "x @ https://g.example/x/-/archive/main/x-main.zip?ref_type=heads",
            false,
        ),
        (
            "x @ https://f.example/dl?file=x-1.0-py3-none-any.whl#egg=x",
            false,
        ),
        (
            "x @ https://f.example/x.zip?versionId=3HL4kqtJlcpXroDTDmJ.rm",
            false,
        ),
        ("x @ https://f.example/x.zip?X-Amz-Signature=abc", true),
        ("-f https://f.example/?user=me&private_token=abc", true),
        (
            "--find-links https://f.example/?raw=1 --index-url https://i.example/?sig=abc",
            true,
        ),
        ("x @ git+ssh://git@g.example/x.git", false),
        ("git+https://git@g.example/x.git", false),
        ("git+https://git:hunter2@g.example/x.git", true),
        (
            "x @ https://pypi.example/packages/source/t/toml/toml-0.10.2.tar.gz",
            false,
        ),
        ("x>=1", false),
    ] {
        assert_eq!(has_credentials(text), has, "{text}");
    }
}
