//! Operations as text, with all fields and capabilities.

mod operations;
mod sources;

use buildkit_llb::{
    Account, Bind, Cache, CacheSharing, ContentCache, Copy, Definition, Diff, Differ, Digest, Exec,
    File, Git, Http, Image, Input, Local, Merge, Mkdir, Mkfile, NetMode, OciLayout, OpOptions,
    Owner, Platform, ProgressGroup, Proxy, Range, ResolveMode, Rm, Secret, SecurityMode,
    SourceFile, Ssh, Symlink, Tmpfs, dot, text,
};
use insta::assert_snapshot;

fn dump(input: impl Into<Input>) -> String {
    text::dump(Definition::of(input).to_pb())
}

fn arm64() -> Platform {
    Platform {
        variant: "v8".to_owned(),
        ..Platform::new("linux", "arm64")
    }
}

#[test]
fn options() {
    let mut env = SourceFile::new("env.yml", "name: x\ndependencies:\n- python\n");
    env.language("YAML");
    let mut same = SourceFile::new("env.yml", "name: x\ndependencies:\n- python\n");
    same.language("YAML");
    let group = ProgressGroup {
        id: "downloads".to_owned(),
        name: "download 2 packages".to_owned(),
        weak: true,
    };
    let a = Http::new("http://a")
        .name("download a")
        .describe("org.example", "x")
        .group(&group)
        .export_cache(false)
        .location(env.location([Range::lines(3, 3)]))
        .location(same.location([Range::lines(1, 1), Range::lines(3, 3)]))
        .build();
    let b = Http::new("http://b")
        .group(&group)
        .ignore_cache()
        .location(same.location([Range::lines(2, 3)]))
        .build();
    let definition = Definition::of(Merge::new([&a, &b]).build());
    assert_snapshot!(text::dump(definition.to_pb()), @r#"
    #1 source http://a
        name "download a"
        description org.example x
        group downloads "download 2 packages" weak
        export cache false
        caps source.http
        at env.yml 3-3
        at env.yml 1-1 3-3
    #2 source http://b
        group downloads "download 2 packages" weak
        ignore cache
        caps source.http
        at env.yml 2-3
    #3 merge
        #1
        #2
        caps mergeop
    result #3
        caps constraints meta.description meta.exportcache meta.ignorecache platform
    file 0 env.yml 31 bytes
        language YAML
    "#);
    assert_snapshot!(dot::graph(definition.to_pb()), @r##"
    digraph llb {
      rankdir=BT;
      node [fontname=monospace];
      subgraph "cluster_downloads" { label="download 2 packages"; n1 [label="#1 download a", shape=cylinder]; }
      subgraph "cluster_downloads" { label="download 2 packages"; n2 [label="#2 http://b", shape=cylinder]; }
      n3 [label="#3 merge 2 filesystems", shape=invtrapezium];
      n1 -> n3;
      n2 -> n3;
      result [shape=doublecircle];
      n3 -> result;
    }
    "##);
    assert_eq!(definition.name(a.digest()).as_deref(), Some("download a"));
    assert_eq!(definition.name(b.digest()).as_deref(), Some("http://b"));
    assert_eq!(definition.name(Digest::of(b"")), None);
    let caps: Vec<&str> = definition.caps().into_iter().collect();
    assert_eq!(
        caps,
        [
            "constraints",
            "mergeop",
            "meta.description",
            "meta.exportcache",
            "meta.ignorecache",
            "platform",
            "source.http"
        ]
    );
}
