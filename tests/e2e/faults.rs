//! Servers that fail for a while, and mirrors that fail for good, whatever headers they send.

use std::time::Duration;

use condafront_testkit::channel::{self, Channel, HashStyle, Package, WheelFile};
use condafront_testkit::engine::Store;
use condafront_testkit::repodata::{Repodata, record};
use condafront_testkit::server::{Fault, Server, Times, Validators};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::downloads::fresh_package;
use crate::failure::error_of;
use crate::project::{LOCK, Project, frontend};

/// A server that does not exist; two mirrors have its files below `/first` and `/own`.
const ORIGIN: &str = "http://channel.invalid";

/// What happens to requests for a file.
struct Case {
    name: &'static str,
    fault: Fault,
    times: Times,
    /// Whether it happens at the first of two mirrors instead of the only server.
    is_mirror: bool,
    /// Whether something else comes than the file.
    is_wrong_content: bool,
}

/// All cases, each with all headers.
fn all() -> impl Iterator<Item = (Case, Validators)> {
    let other = || Fault::Content("something else".into());
    let once = Times::FirstOfEach(1);
    let always = Times::Always;
    let passing = [
        ("503 twice", Fault::Status(503), Times::FirstOfEach(2)),
        ("429", Fault::Busy(Duration::from_secs(2)), always),
        ("a reset", Fault::Reset, once),
        ("a web page", Fault::Html, once),
        ("a short body", Fault::ShortBody, once),
        ("a length of a terabyte", Fault::LongLength, once),
        ("half of the file", Fault::Half, once),
        ("another file", other(), once),
        ("half of the file and then nothing", Fault::Stall, once),
    ];
    let lasting = [
        ("404", Fault::Status(404), always),
        ("503", Fault::Status(503), always),
        ("resets", Fault::Reset, always),
        ("web pages", Fault::Html, always),
        ("short bodies", Fault::ShortBody, always),
        ("other files", other(), always),
        ("half of each file and then nothing", Fault::Stall, always),
    ];
    let case = |is_mirror| {
        move |(name, fault, times): (&'static str, Fault, Times)| Case {
            is_wrong_content: matches!(fault, Fault::Html | Fault::Half | Fault::Content(_)),
            name,
            fault,
            times,
            is_mirror,
        }
    };
    let passing = passing.map(case(false)).into_iter();
    let cases = passing.chain(lasting.map(case(true)));
    cases.flat_map(|case| {
        Validators::ALL.map(|validators| {
            let case = Case {
                fault: case.fault.clone(),
                ..case
            };
            (case, validators)
        })
    })
}

impl Case {
    /// Makes `server` behave like this for the file or folder at `path`, and returns the URL to ask for.
    fn set(&self, server: &Server, path: &str, validators: Validators) -> String {
        server.validators(&format!("*/{path}*"), validators);
        let folder = if self.is_mirror { "first" } else { "own" };
        let pattern = format!("/{folder}/{path}*");
        server.fault(&pattern, self.fault.clone(), self.times);
        if self.is_mirror {
            format!("{ORIGIN}/{path}")
        } else {
            server.url(&format!("own/{path}"))
        }
    }
}

/// The build-args: the mirrors, and less patience than users have.
fn build_args(server: &Server) -> [String; 4] {
    let [first, own] = ["first", "own"].map(|folder| format!("{ORIGIN}={}", server.url(folder)));
    let mirrors = format!("CONDA_MIRRORS={first} {own}");
    let patience = "CONDAFRONT_TIMEOUT=20s".to_owned();
    let option = || "--build-arg".to_owned();
    [option(), mirrors, option(), patience]
}

/// What the server answered for each path, for people who want to see it.
fn show(server: &Server, rows: &[(String, String)]) {
    let requests = server.requests();
    for (title, path) in rows {
        let of = |folder: &str| {
            let matching = requests
                .iter()
                .filter(|request| request.path.starts_with(&format!("/{folder}/{path}")));
            let statuses: Vec<String> =
                matching.map(|request| request.status.to_string()).collect();
            statuses.join(" ")
        };
        eprintln!("{title} | {} | {}", of("first"), of("own"));
    }
}

#[test]
fn packages_arrive_whatever_headers_come() {
    let project = Project::new(Store::Containerd);
    let server = &project.server;
    let mut rows = Vec::new();
    let mut names = Vec::new();
    let mut lines = String::new();
    for (index, (case, validators)) in all().enumerate() {
        for style in ["sha256", "md5"] {
            // Each wrong content is found by a step of its own, so each comes with one kind of hash.
            if case.is_wrong_content && (style == "md5") == (index % 2 == 0) {
                continue;
            }
            let (package, archive) = fresh_package("1.0");
            let path = package.path();
            server.put(&format!("/own/{path}"), archive.clone());
            server.put(&format!("/first/{path}"), archive);
            let url = case.set(server, &path, validators);
            let hash = match style {
                "md5" => package.md5,
                _ => format!("sha256:{}", package.sha256),
            };
            lines.push_str(&format!("{url}#{hash}\n"));
            rows.push((format!("{} | {validators:?} | {style}", case.name), path));
            names.push(package.name);
        }
    }
    project.write(LOCK, format!("# syntax={}\n@EXPLICIT\n{lines}", frontend()));
    let output = project.build(&build_args(server).each_ref().map(String::as_str));
    show(server, &rows);
    output.expect_success();
    let found = project
        .run(&[], &["ls", "/opt/conda/share"])
        .expect_success();
    for name in names {
        assert!(found.stdout.contains(&format!("{name}.txt")), "{name}");
    }
}

#[test]
fn lists_arrive_whatever_headers_come() {
    let project = Project::new(Store::Containerd);
    let server = &project.server;
    let folder = tempfile::tempdir().expect("a folder");
    let mut rows = Vec::new();
    let mut text = format!("# syntax={}\nchannels:\n", frontend());
    let mut specs = String::new();
    for (index, (case, validators)) in all().enumerate() {
        // Each wrong content takes a solve of its own.
        if case.is_wrong_content && index % 2 == 0 {
            continue;
        }
        let name = format!("channel-{index}-");
        let mut channel = Repodata::default();
        channel.add(record(&format!("p{index} 1.0 0")));
        channel.write(&folder.path().join(&name));
        let url = case.set(server, &name, validators);
        text.push_str(&format!("  - {url}\n"));
        specs.push_str(&format!("  - p{index}\n"));
        rows.push((format!("{} | {validators:?} | list", case.name), name));
    }
    server.mount("/own", folder.path());
    server.mount("/first", folder.path());
    project.write(LOCK, format!("{text}dependencies:\n{specs}"));
    let args = build_args(server);
    let to = ["--target", "lock", "--output", "out"];
    let output = project.build(&[&to[..], &args.each_ref().map(String::as_str)].concat());
    show(server, &rows);
    output.expect_success();
}

/// A channel's list of this package alone.
pub(crate) fn list_of(package: &Package) -> Vec<u8> {
    let record = json!({
        "build": package.build, "build_number": package.build_number, "depends": [], "md5": package.md5,
        "name": package.name, "noarch": "generic", "sha256": package.sha256, "size": package.size,
        "subdir": "noarch", "version": package.version,
    });
    let is_old = package.file_name.ends_with(".tar.bz2");
    let (mine, other) = if is_old {
        ("packages", "packages.conda")
    } else {
        ("packages.conda", "packages")
    };
    let list = json!({
        "info": {"subdir": "noarch"}, mine: {&package.file_name: record}, other: {}, "repodata_version": 1,
    });
    list.to_string().into_bytes()
}

/// A server whose list changes during a build: what the old one has is gone. A build that has seen the old list says what is
/// missing, and one that sees the new list takes what there is. None takes something of both.
#[test]
fn lists_that_change_during_a_build() {
    let project = Project::new(Store::Containerd);
    let server = &project.server;
    let mut failures = 0;
    // How many requests see the old list: a build may ask more than once.
    for old_ones in 1..=2 {
        let name = format!("moves-{}", fresh_package("1.0").0.name);
        let version = |version: &str| {
            let path = format!("share/{name}.txt");
            channel::package(&name, version, &[(&path, version, 0o644)])
        };
        let ((old, _), (new, archive)) = (version("1.0"), version("2.0"));
        let folder = format!("/changes-{old_ones}");
        let path = format!("{folder}/noarch/repodata.json");
        server.put(&path, list_of(&new));
        server.put(&format!("{folder}/{}", new.path()), archive);
        let fault = Fault::Content(list_of(&old).into());
        server.fault(&path, fault, Times::First(old_ones));
        let text = format!(
            "# syntax={}\nchannels:\n  - {}\ndependencies:\n  - {name}\n",
            frontend(),
            server.url(&folder)
        );
        project.write(LOCK, text);
        let mut built = project.build(&[]);
        for _ in 0..old_ones {
            if built.status.success() {
                break;
            }
            failures += 1;
            let error = error_of(&built);
            assert!(error.starts_with("env.lock:5"), "{error}");
            assert!(error.contains(&old.file_name), "{error}");
            built = project.build(&[]);
        }
        built.expect_success();
        let file = format!("/opt/conda/share/{name}.txt");
        let found = project.run(&[], &["cat", &file]).expect_success();
        assert_eq!(found.stdout, "2.0");
    }
    assert!(failures > 0);
}

#[test]
fn pips_files_arrive_whatever_headers_come() {
    let project = Project::new(Store::Containerd);
    let server = &project.server;
    let (_, own) = fresh_package("1.0");
    let unique = hex::encode(&Sha256::digest(own)[..4]);
    let mut rows = Vec::new();
    let mut text = project.lock_text(
        &Channel::open().closure(&["python", "pip"]),
        HashStyle::Sha256,
    );
    let mut modules = Vec::new();
    for (index, (case, validators)) in all().enumerate() {
        // Each wrong content is found by a step of its own.
        if case.is_wrong_content && index % 2 == 0 {
            continue;
        }
        let module = format!("m{index}_{unique}");
        let wheel = WheelFile::new(&module, "1.0").file(&format!("{module}.py"), "");
        let content = wheel.build();
        let path = format!("pypi/{}", wheel.file_name());
        let hash = if case.is_wrong_content && index % 4 == 1 {
            format!("md5={}", hex::encode(md5::Md5::digest(&content)))
        } else {
            format!("sha256={}", hex::encode(Sha256::digest(&content)))
        };
        server.put(&format!("/own/{path}"), content.clone());
        server.put(&format!("/first/{path}"), content);
        let url = case.set(server, &path, validators);
        text.push_str(&format!("# pip {module} @ {url}#{hash}\n"));
        let style = hash.split('=').next().unwrap_or_default();
        rows.push((
            format!("{} | {validators:?} | pip {style}", case.name),
            path,
        ));
        modules.push(module);
    }
    project.write(LOCK, text);
    let output = project.build(&build_args(server).each_ref().map(String::as_str));
    show(server, &rows);
    output.expect_success();
    let code = format!("import {}", modules.join(", "));
    project.run(&[], &["python", "-c", &code]).expect_success();
}
