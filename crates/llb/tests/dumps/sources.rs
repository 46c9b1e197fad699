//! Where file systems come from.

use super::*;

#[test]
fn scratch() {
    assert_snapshot!(dump(Input::Scratch), @"no result");
}

#[test]
fn http() {
    let mut http = Http::new("https://example.com/a.conda");
    http.checksum(Digest::of(b"a"))
        .filename("a.conda")
        .perm(0o644)
        .owner(0, 57439)
        .auth_header_secret("token")
        .accept("*/*")
        .user_agent("condafront");
    assert_snapshot!(dump(http.build()), @r"
    #1 source https://example.com/a.conda
        http.authheadersecret token
        http.checksum sha256:ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb
        http.filename a.conda
        http.gid 57439
        http.header.accept */*
        http.header.user-agent condafront
        http.perm 0644
        http.uid 0
        caps soruce.http.uidgid source.http source.http.auth source.http.checksum source.http.header source.http.perm
    result #1
        caps constraints platform
    ");
}

#[test]
fn image() {
    let mut image = Image::new("docker.io/library/debian:13");
    image
        .platform(arm64())
        .resolve_mode(ResolveMode::Pull)
        .checksum(Digest::of(b"image"));
    assert_snapshot!(dump(image.build()), @r"
    #1 source docker-image://docker.io/library/debian:13
        image.checksum sha256:6105d6cc76af400325e94d588ce511be5bfdbb73b437dc51eca43917d7a43e3d
        image.resolvemode pull
        platform linux/arm64/v8
        caps source.image source.image.checksum source.image.resolvemode
    result #1
        caps constraints platform
    ");
}

#[test]
fn oci_layout() {
    let mut layout = OciLayout::new("store@sha256:0");
    layout.store("session", "id").platform(arm64());
    assert_snapshot!(dump(layout.build()), @r"
    #1 source oci-layout://store@sha256:0
        oci.session session
        oci.store id
        platform linux/arm64/v8
        caps source.ocilayout
    result #1
        caps constraints platform
    ");
}

#[test]
fn local() {
    let mut local = Local::new("context");
    local
        .session("s")
        .include(["*.yml"])
        .exclude(["a b", "!c"])
        .follow(["env.yml"])
        .shared_key_hint("hint")
        .differ(Differ::None)
        .metadata_only(["x"]);
    assert_snapshot!(dump(local.build()), @r#"
    #1 source local://context
        local.differ none
        local.excludepatterns "[\"a b\",\"!c\"]"
        local.followpaths "[\"env.yml\"]"
        local.includepattern "[\"*.yml\"]"
        local.metadatatransfer true
        local.metadatatransferexclude "[\"x\"]"
        local.session s
        local.sharedkeyhint hint
        caps source.local source.local.excludepatterns source.local.followpaths source.local.includepatterns source.local.metadatatransfer source.local.sessionid source.local.sharedkeyhint
    result #1
        caps constraints platform
    "#);
    let none: [&str; 0] = [];
    assert_snapshot!(dump(Local::new("context").include(none).build()), @r"
    #1 source local://context
        caps source.local
    result #1
        caps constraints platform
    ");
}

#[test]
fn git() {
    let mut git = Git::new("git@example.com:a/b.git");
    git.reference("main")
        .subdir("/sub/")
        .keep_git_dir()
        .auth_token_secret("t")
        .auth_header_secret("h")
        .ssh_agent("default")
        .known_ssh_hosts("example.com ssh-ed25519 AAAA\n")
        .checksum("0123")
        .skip_submodules()
        .commit_times()
        .fetch_by_commit();
    assert_snapshot!(dump(git.build()), @r#"
    #1 source git://example.com/a/b.git#main:sub
        git.authheadersecret h
        git.authtokensecret t
        git.checksum 0123
        git.fetchbycommit true
        git.fullurl git@example.com:a/b.git
        git.keepgitdir true
        git.knownsshhosts "example.com ssh-ed25519 AAAA\n"
        git.mountsshsock default
        git.mtime commit
        git.skipsubmodules true
        caps source.git source.git.checksum source.git.fetchbycommit source.git.fullurl source.git.httpauth source.git.keepgitdir source.git.knownsshhosts source.git.mountsshsock source.git.mtime source.git.skipsubmodules source.git.subdir
    result #1
        caps constraints platform
    "#);
    assert_snapshot!(dump(Git::new("https://example.com/a").build()), @r"
    #1 source git://example.com/a
        git.authheadersecret GIT_AUTH_HEADER
        git.authtokensecret GIT_AUTH_TOKEN
        git.fullurl https://example.com/a
        caps source.git source.git.fullurl
    result #1
        caps constraints platform
    ");
}
