//! What is done with file systems.

use std::net::{IpAddr, Ipv4Addr};

use super::*;

#[test]
fn exec() {
    let root = Image::new("root").platform(arm64()).build();
    let data = Http::new("http://data").build();
    let mut exec = Exec::new(&root, "/bin/run", ["--with", "a b"]);
    exec.platform(arm64())
        .env("A", "1")
        .env("B", "2")
        .env("A", "3")
        .cwd("work")
        .user("1000:1000")
        .hostname("builder")
        .network(NetMode::None)
        .security(SecurityMode::Insecure)
        .proxy(&Proxy {
            https: "http://proxy".to_owned(),
            ..Proxy::default()
        })
        .extra_host("db", IpAddr::V4(Ipv4Addr::LOCALHOST))
        .ulimit("nofile", 1024, 2048)
        .cgroup_parent("parent")
        .valid_exit_codes([0, 3])
        .secret_env("TOKEN", "token", true)
        .mount(Bind::read_only("/in", &data).content_cache(ContentCache::Off))
        .mount(Bind::discard_writes("/rw", &data).selector("sub"))
        .mount(
            Cache::new("/cache", "pkgs")
                .sharing(CacheSharing::Locked)
                .base(&data)
                .selector("c"),
        )
        .mount(Cache::new("/cache2", "pkgs").read_only())
        .mount(Tmpfs::new("/tmp").size(1 << 20))
        .mount(Tmpfs::new("/run"))
        .mount(Secret::new("/s", "id").owner(1, 2).mode(0o440).optional())
        .mount(
            Ssh::new("/agent", "default")
                .owner(1, 2)
                .mode(0o666)
                .optional(),
        );
    let later = exec.output("/z", &data);
    let below = exec.output_below("/y", &data, "sub/");
    let facts = exec.output("/facts", Input::Scratch);
    let changed = exec.write_root();
    assert_eq!(exec.write_root(), changed);
    let built = exec.build();
    let indices = [changed, facts, below, later].map(|slot| built[slot].index());
    assert_eq!(
        indices,
        [0, 1, 2, 3],
        "outputs are numbered in the order of paths"
    );
    assert_snapshot!(dump(&built[facts]), @r#"
    #1 source docker-image://root
        platform linux/arm64/v8
        caps source.image
    #2 source http://data
        caps source.http
    #3 exec
        arg /bin/run
        arg --with
        arg "a b"
        env B=2
        env A=3
        cwd /work
        user 1000:1000
        hostname builder
        cgroup-parent parent
        https_proxy http://proxy
        host db 127.0.0.1
        ulimit nofile 1024 2048
        exit codes [0, 3]
        remove mount stubs
        network none
        security insecure
        secret env TOKEN token optional
        mount / bind #1 -> output 0
        mount /agent ssh default owner 1:2 mode 0666 optional
        mount /cache cache pkgs locked #2 path /c
        mount /cache2 cache pkgs shared scratch read-only
        mount /facts bind scratch -> output 1
        mount /in bind #2 read-only content cache off
        mount /run tmpfs
        mount /rw bind #2 path /sub
        mount /s secret id owner 1:2 mode 0440 optional
        mount /tmp tmpfs size 1048576
        mount /y bind #2 path /sub -> output 2
        mount /z bind #2 -> output 3
        platform linux/arm64/v8
        caps exec.meta.base exec.meta.cgroup.parent exec.meta.network exec.meta.proxyenv exec.meta.security exec.meta.setsdefaultpath exec.meta.ulimit exec.mount.bind exec.mount.bind.readwrite-nooutput exec.mount.cache exec.mount.cache.content exec.mount.cache.sharing exec.mount.secret exec.mount.selector exec.mount.ssh exec.mount.tmpfs exec.mount.tmpfs.size exec.secretenv exec.validexitcode
    result #3.1
        caps constraints platform
    "#);
}

#[test]
fn file() {
    let base = Image::new("base").build();
    let from = Http::new("http://from").build();
    let mut file = File::on(&base);
    file.then(Mkdir::new("opt//x").mode(0o7700).parents().owner(Owner {
        user: Account::Name("app".to_owned()),
        group: None,
    }))
    .then(
        Mkfile::new("/opt/x/text", "one\ntwo")
            .mode(0o600)
            .owner(Owner::ids(1, 2))
            .time(1_000_000_000),
    )
    .then(Mkfile::new("/opt/x/empty", ""))
    .then(Mkfile::new("/opt/x/data", vec![0, 159, 146, 150]))
    .then(
        Copy::new(&from, "a/*", "/dest/")
            .owner(Owner::ids(3, 4))
            .mode(0o4755)
            .time(0)
            .follow_symlink()
            .contents()
            .unpack()
            .create_dest_path()
            .optional_wildcard()
            .include(["i"])
            .exclude(["e 1", "e2"])
            .require(["r"])
            .always_replace(),
    )
    .then(Copy::new(Input::Scratch, "/", "/b"))
    .then(Copy::new(&from, "/c", "/c").wildcard())
    .then(
        Copy::new(&from, "/c", "/d")
            .mode(0o600)
            .symbolic_mode("u=rwX"),
    )
    .then(Rm::new("/d").allow_not_found().wildcard())
    .then(Symlink::new("../e", "/f").owner(Owner::ids(5, 6)).time(-5));
    assert_snapshot!(dump(file.build()), @r#"
    #1 source docker-image://base
        caps source.image
    #2 source http://from
        caps source.http
    #3 file
        a0 on #1: mkdir /opt/x mode 0700 parents owner app@#1:-
        a1 on a0: mkfile /opt/x/text mode 0600 owner 1:2 time 1000000000
          | one
          | two\
        a2 on a1: mkfile /opt/x/empty mode 0644
        a3 on a2: mkfile /opt/x/data mode 0644
          4 bytes sha256:b02a591131217cb579165aeccf0d94569acffb9934c84d6c813d77e3abedd233
        a4 on a3: copy #2 /a/* /dest/ mode 04755 follow contents unpack create-dest wildcard allow-empty always-replace include i exclude "e 1" exclude e2 require r owner 3:4 time 0
        a5 on a4: copy scratch / /b
        a6 on a5: copy #2 /c /c wildcard
        a7 on a6: copy #2 /c /d mode u=rwX
        a8 on a7: rm /d allow-not-found wildcard
        a9 on a8: symlink /f -> ../e owner 5:6 time -5 => output 0
        caps file.base file.copy.alwaysreplaceexistingdestpaths file.copy.includeexcludepatterns file.copy.requiredpaths file.rm.wildcard file.symlink.create
    result #3
        caps constraints platform
    "#);
    assert_eq!(File::on(&base).build(), Input::from(&base));
}

#[test]
fn merge_and_diff() {
    let [a, b] = ["a", "b"].map(|name| Image::new(name).build());
    let diff = Diff::new(&a, &b).build();
    let removed = Diff::new(&a, Input::Scratch).build();
    let merged = Merge::new([&a.into(), &Input::Scratch, &diff, &removed]).build();
    assert_snapshot!(dump(merged), @r"
    #1 source docker-image://a
        caps source.image
    #2 source docker-image://b
        caps source.image
    #3 diff #1 -> #2
        caps diffop
    #4 diff #1 -> scratch
        caps diffop
    #5 merge
        #1
        #3
        #4
        caps mergeop
    result #5
        caps constraints platform
    ");
}

#[test]
fn merges_and_diffs_fold() {
    let a = Image::new("a").build();
    let nothing: [Input; 0] = [];
    assert_eq!(Merge::new(nothing).build(), Input::Scratch);
    assert_eq!(
        Merge::new([Input::Scratch, Input::from(&a)]).build(),
        Input::from(&a)
    );
    assert_eq!(Diff::new(Input::Scratch, &a).build(), Input::from(&a));

    let [b, c] = ["b", "c"].map(|name| Image::new(name).build());
    let below = Merge::new([&a, &b]).build();
    let on_top = |below: &Input| Merge::new([below, &Input::from(&c)]).build();
    assert_eq!(on_top(&below), Merge::new([&a, &b, &c]).build());
    // What another program has merged stays as it is.
    let theirs = Input::from_definition(Definition::of(&below).to_pb()).unwrap();
    assert_eq!(theirs, below);
    assert_ne!(on_top(&theirs), on_top(&below));
}
