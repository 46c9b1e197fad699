//! Shards lead to the same records as whole lists, or to none at all.

use std::path::Path;
use std::time::{Duration, Instant};

use condafront_step_spec::solve::{RECORDS_FILE, RepodataSpec, SHARDS_FILE, SolveSpec};
use condafront_steps::solve::{reachable, solve};
use condafront_testkit::repodata::{Repodata, record};
use condafront_testkit::server::{Fault, Server, Times};
use condafront_testkit::shards::{Shards, compressed, shards};
use serde_json::json;

use crate::{ask_lists, channels, mount, mounted, question};

/// Serves the shards of these channels, and mounts their lists.
pub(crate) fn served(server: &Server, channels: &[&Repodata], input: &Path) -> Vec<RepodataSpec> {
    let mut files = mounted(channels, input);
    for (index, spec) in files.iter_mut().enumerate() {
        let folder = format!("/{}/{}", spec.channel, spec.subdir);
        // With and without a slash at the end.
        let (place, path) = match index % 2 {
            0 => ("shards", format!("{folder}/shards")),
            _ => ("../all/", format!("/{}/all", spec.channel)),
        };
        let found = shards(&channels[spec.channel].json(&spec.subdir), place);
        found.serve(server, &folder, &path);
        sharded(spec, &found.list, index, server, input);
    }
    files
}

/// Mounts a list of shards as file `index`.
fn sharded(spec: &mut RepodataSpec, list: &[u8], index: usize, server: &Server, input: &Path) {
    mount(input, index, SHARDS_FILE, list);
    SHARDS_FILE.clone_into(&mut spec.file);
    let path = format!("/{}/{}/{SHARDS_FILE}", spec.channel, spec.subdir);
    spec.address = Some(server.url(&path));
}

/// The records that a request can reach: the bytes of a file for each of `files`.
fn records(spec: &SolveSpec, files: &[RepodataSpec], input: &Path) -> Vec<Vec<u8>> {
    let output = tempfile::tempdir().unwrap();
    let unusable = reachable(spec, files, input, output.path()).unwrap();
    assert!(unusable.is_empty(), "{unusable:?}");
    let file = |index| output.path().join(format!("{index}/{RECORDS_FILE}"));
    let bytes = (0..files.len()).map(|index| std::fs::read(file(index)).unwrap());
    bytes.collect()
}

#[test]
fn shards_give_the_same_records_and_only_those_are_downloaded() {
    let (main, extra) = (channels::main(), channels::extra());
    let server = Server::start();
    let (lists, input) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let whole = mounted(&[&main, &extra], lists.path());
    let files = served(&server, &[&main, &extra], input.path());
    let mut names: Vec<&str> = main.names().chain(extra.names()).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let spec = question(&["main", "extra"], &[name]);
        assert_eq!(
            records(&spec, &files, input.path()),
            records(&spec, &whole, lists.path()),
            "{name}"
        );
    }
    server.clear();
    let spec = question(&["main", "extra"], &["plain"]);
    records(&spec, &files, input.path());
    let asked = server.requests();
    assert!((1..10).contains(&asked.len()), "{asked:?}");
}

/// Numbers that look random and are the same in each run (Knuth's constants for a linear congruential generator).
struct Numbers(u64);

impl Numbers {
    /// A number below `limit`.
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005);
        self.0 = self.0.wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }

    /// A dependency on one of the first `names` packages, with or without a version.
    fn dependency(&mut self, names: usize) -> String {
        let name = format!("p{}", self.below(names));
        let version = self.below(6);
        match self.below(6) {
            0 => format!("{name} >={version}"),
            1 => format!("{name} <={version}"),
            2 => format!("{name} >=1,<{version}"),
            3 => format!("{name} {version}.*"),
            _ => name,
        }
    }

    /// A channel with up to six versions of each of `names` packages, which need packages before them.
    fn channel(&mut self, names: usize) -> Repodata {
        let mut channel = Repodata::default();
        for name in 0..names {
            let is_noarch = self.below(3) == 0;
            for version in 0..=self.below(6) {
                let mut made = record(&format!("p{name} {version}.{} 0", self.below(3)));
                if name > 0 {
                    let [one, other] = [(); 2].map(|()| self.dependency(name));
                    made = match self.below(4) {
                        0 => made,
                        1 => made.depends([&one]),
                        _ => made.depends([&one, &other]),
                    };
                }
                if self.below(8) == 0 {
                    made = made.constrains([&self.dependency(names)]);
                }
                channel.add(if is_noarch { made.noarch() } else { made });
            }
        }
        channel
    }
}

#[test]
fn random_requests_have_the_same_answer_with_shards() {
    const NAMES: usize = 60;
    let mut numbers = Numbers(7);
    let (main, extra) = (numbers.channel(NAMES), numbers.channel(NAMES / 3));
    let channels = [&extra, &main];
    let server = Server::start();
    let input = tempfile::tempdir().unwrap();
    let files = served(&server, &channels, input.path());
    let of_records: Vec<RepodataSpec> = files.iter().map(RepodataSpec::reachable).collect();
    let (mut answers, mut conflicts) = (0, 0);
    for _ in 0..50 {
        let wanted: Vec<String> = (0..=numbers.below(4))
            .map(|_| numbers.dependency(NAMES))
            .collect();
        let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
        let spec = question(&["extra", "main"], &wanted);
        let records = tempfile::tempdir().unwrap();
        let unusable = reachable(&spec, &files, input.path(), records.path()).unwrap();
        assert!(unusable.is_empty(), "{unusable:?}");
        let of_shards = solve(&spec.of_reachable(), &of_records, records.path());
        // With whole lists, and with the records that are reachable in them.
        match ask_lists(&spec, &channels) {
            Ok(packages) => {
                answers += 1;
                assert_eq!(of_shards.unwrap(), packages, "{wanted:?}");
            }
            Err(report) => {
                conflicts += 1;
                of_shards.expect_err(&report.message);
            }
        }
    }
    assert!(answers > 10 && conflicts > 5, "{answers}, {conflicts}");
}

#[test]
fn shards_that_cannot_be_used_are_reported() {
    let main = channels::main();
    let server = Server::start();
    let list = main.json("noarch");
    let good = shards(&list, "shards/");
    good.serve(&server, "/0/noarch", "/0/noarch/shards");
    let (pip, bytes) = good.files["pip"].clone();
    let spec = question(&["main"], &["pip"]);
    // What comes instead of the list and of the shard of pip.
    let mut all = String::new();
    let mut fails = |title: &str, list: &[u8]| {
        let input = tempfile::tempdir().unwrap();
        let mut files = [RepodataSpec {
            channel: 0,
            subdir: "noarch".to_owned(),
            file: String::new(),
            address: None,
        }];
        sharded(&mut files[0], list, 0, &server, input.path());
        let start = Instant::now();
        let output = tempfile::tempdir().unwrap();
        let found = reachable(&spec, &files, input.path(), output.path()).unwrap();
        assert!(start.elapsed() < Duration::from_secs(30), "{title}");
        let [one] = &found[..] else {
            panic!("{title}: {found:?}");
        };
        assert_eq!(one.list.file, 0);
        assert_eq!(std::fs::read_dir(output.path()).unwrap().count(), 0);
        let reason = one
            .reason
            .replace(server.url("").trim_start_matches("http://"), "SERVER/");
        let kept = if one.list.may_pass {
            "for this build"
        } else {
            "as long as the list is the same"
        };
        all.push_str(&format!("{title}, {kept}:\n  {reason}\n"));
    };
    fails("Another file", b"<html>");
    fails("An empty list", b"");
    fails("A list of something else", &compressed(b"\x93abc"));
    let of = |text: &str| shards(text, "shards/").list;
    fails("Another subdir", &of(&main.json("linux-64")));
    let mut copy = main.clone();
    copy.base_url("https://files.example/main/");
    fails(
        "A copy of another channel's list",
        &of(&copy.json("noarch")),
    );
    let nowhere = shards(&list, "http://[");
    fails("A place that is no address", &nowhere.list);
    // A place to which nothing listens.
    let nobody = shards(&list, "http://127.0.0.1:9/");
    fails("No server", &nobody.list);
    let https = server.url("").replace("http:", "https:");
    fails("A server without TLS", &shards(&list, &https).list);
    // A key that nobody knows, with lists in lists.
    let deep = [b"\x81\xa1x", &[0x91; 10_000][..]].concat();
    fails("A deep list", &compressed(&deep));
    fails("A bomb", &compressed(&vec![0; (64 << 20) + 1]));
    let path = format!("/0/noarch/shards/{pip}");
    server.put(&path, b"other".to_vec());
    fails("Another shard", &good.list);
    server.put(&path, bytes);
    server.fault(&path, Fault::Status(404), Times::Always);
    fails("A missing shard", &good.list);
    server.heal();
    server.fault(&path, Fault::Status(503), Times::Always);
    fails("A busy server", &good.list);
    server.heal();
    let circle = Fault::Redirect(server.url(&path));
    server.fault(&path, circle, Times::Always);
    fails("A circle of redirects", &good.list);
    server.heal();
    // With the right hash, and the wrong content.
    let wrong = |content: &[u8]| -> Shards {
        let mut wrong = good.clone();
        let file = compressed(content);
        let sha256 = <sha2::Sha256 as sha2::Digest>::digest(&file);
        let name = format!("{}.msgpack.zst", hex::encode(sha256));
        server.put(&format!("/0/noarch/shards/{name}"), file);
        let list = json!({
            "version": 1,
            "info": {"subdir": "noarch", "base_url": "", "shards_base_url": "shards"},
            // As an array of numbers.
            "shards": {"pip": sha256.to_vec()},
        });
        wrong.list = compressed(&rmp_serde::to_vec(&list).unwrap());
        wrong
    };
    fails("A shard of something else", &wrong(b"\xa1x").list);
    fails("A deep shard", &wrong(&deep).list);
    fails("A bomb of a shard", &wrong(&vec![0; (64 << 20) + 1]).list);
    let list_again = zstd::decode_all(&good.list[..]).unwrap();
    fails("A list that names a list", &wrong(&list_again).list);
    let deep_name = "a/".repeat(2000);
    for name in ["../../pip", "/etc/passwd", deep_name.as_str()] {
        let record = json!({
            "name": name, "version": "1", "build": "0", "build_number": 0, "depends": [], "subdir": "noarch",
        });
        let shard =
            json!({"packages": {}, "packages.conda": {"pip-1-0.conda": record}, "removed": []});
        let title = format!("A name with slashes, {}", &name[..4]);
        fails(&title, &wrong(&rmp_serde::to_vec(&shard).unwrap()).list);
    }
    insta::assert_snapshot!(all);
}

#[test]
fn a_shard_may_have_many_versions() {
    // Five times as many take five times as long.
    const VERSIONS: usize = 20_000;
    let mut channel = Repodata::default();
    for version in 0..VERSIONS {
        channel.add(record(&format!("many {version} 0")).noarch());
    }
    let server = Server::start();
    let input = tempfile::tempdir().unwrap();
    let files = served(&server, &[&channel], input.path());
    let spec = question(&["main"], &["many"]);
    let output = tempfile::tempdir().unwrap();
    let start = Instant::now();
    let unusable = reachable(&spec, &files, input.path(), output.path()).unwrap();
    assert!(unusable.is_empty(), "{unusable:?}");
    let of_records: Vec<RepodataSpec> = files.iter().map(RepodataSpec::reachable).collect();
    let found = solve(&spec.of_reachable(), &of_records, output.path()).unwrap();
    assert_eq!(found[0].version, (VERSIONS - 1).to_string());
    assert!(start.elapsed() < Duration::from_mins(1));
}
