//! A solve as of a day, and what the order of channels means, set by the file and by build-args.

use condafront_testkit::channel::{Package, package};
use serde_json::{Map, Value, json};

use crate::failure::Failures;
use crate::project::{LOCK, Project, frontend};
use crate::solve::{solves, write};

/// Noon of two days of 2026, in milliseconds.
const OCTOBER_1: u64 = 1_790_856_000_000;
const NOVEMBER_12: u64 = 1_794_484_800_000;

/// Serves packages of these names and versions, each from a time, as a channel.
fn serve(project: &Project, channel: &str, packages: &[(&str, &str, u64)]) {
    let mut records = Map::new();
    for (name, version, time) in packages {
        let path = format!("share/{name}");
        let (found, archive) = package(name, version, &[(&path, version, 0o644)]);
        project
            .server
            .put(&format!("/{channel}/{}", found.path()), archive);
        let found = Package {
            timestamp: *time,
            ..found
        };
        records.insert(
            found.file_name.clone(),
            serde_json::to_value(&found).expect("a record"),
        );
    }
    let kind = |suffix: &str| -> Map<String, Value> {
        let entries = records.iter().filter(|(file, _)| file.ends_with(suffix));
        entries
            .map(|(file, record)| (file.clone(), record.clone()))
            .collect()
    };
    let list = json!({
        "info": {"subdir": "noarch"},
        "packages": kind(".tar.bz2"),
        "packages.conda": kind(".conda"),
    });
    let path = format!("/{channel}/noarch/repodata.json.zst");
    project.server.put(&path, list.to_string());
}

/// The packages in the lock that a build writes: the ends of their URLs, below the project's server.
fn locked(project: &Project, args: &[&str]) -> Vec<String> {
    let output = [
        &[
            "--target",
            "lock",
            "--output",
            "locks",
            "--progress",
            "plain",
        ],
        args,
    ]
    .concat();
    project.build(&output).expect_success();
    let mut found = Vec::new();
    for entry in std::fs::read_dir(project.path("locks")).expect("locks") {
        let path = entry.expect("an entry").path();
        let text = std::fs::read_to_string(&path).expect("a lock");
        let urls = text.lines().filter(|line| line.starts_with("http"));
        found.extend(urls.filter_map(|url| {
            let (_, package) = url.split('#').next()?.split_once("/noarch/")?;
            let channel = if url.contains("/team/") {
                "team"
            } else {
                "all"
            };
            Some(format!("{channel}/{}", package.rsplit_once('-')?.0))
        }));
    }
    found.sort();
    found
}

/// On an engine that nothing else uses.
pub(crate) fn another_days_lists_change_nothing_and_build_args_override_the_file(
    project: &Project,
) {
    let channels = ["team", "all"].map(|name| project.server.url(&format!("/{name}")));
    let text = |specs: &str| {
        let [team, all] = &channels;
        format!(
            "channels:\n  - {team}\n  - {all}\ndependencies: {specs}\ncondafront:\n  exclude_newer: 2026-11-01\n"
        )
    };
    serve(project, "team", &[("dated-tool", "1.0", OCTOBER_1)]);
    serve(project, "all", &[("dated-lib", "1.0", OCTOBER_1)]);
    write(project, &text("[dated-tool, dated-lib]"));
    let first = project.push("first", &[]);
    assert_eq!(solves(&first), ["2"], "{}", first.progress);

    // A newer version, and a name that hides the second channel's packages.
    let later = [
        ("dated-tool", "1.0", OCTOBER_1),
        ("dated-tool", "2.0", NOVEMBER_12),
        ("dated-lib", "0.1", NOVEMBER_12),
    ];
    serve(project, "team", &later);
    let again = project.push("again", &[]);
    assert_eq!(solves(&again), [""; 0], "{}", again.progress);
    assert_eq!(again.layers, first.layers);
    let steps = again.steps_run();
    let installs = steps.iter().any(|step| step.starts_with("[install"));
    assert!(!installs, "{steps:?}");

    let day = ["--build-arg", "CONDA_EXCLUDE_NEWER=2026-11-12"];
    let flexible = ["--build-arg", "CONDA_CHANNEL_PRIORITY=flexible"];
    assert_eq!(
        locked(project, &day),
        ["team/dated-lib-0.1", "team/dated-tool-2.0"]
    );
    write(project, &text("[dated-tool, dated-lib >=1]"));
    let both = [&day[..], &flexible].concat();
    assert_eq!(
        locked(project, &both),
        ["all/dated-lib-1.0", "team/dated-tool-2.0"]
    );

    let mut failures = Failures::new(project);
    failures
        .add("too new", text("[dated-tool >=2, dated-lib]"), &[])
        .add("strict", text("[dated-tool, dated-lib >=1]"), &day);
    insta::assert_snapshot!(failures.text());

    // Without a file.
    project.write(LOCK, format!("# syntax={}\n", frontend()));
    let args = [
        "CONDA_SPECS=dated-tool 'dated-lib >=1'".to_owned(),
        format!("CONDA_CHANNELS={}", channels.join(",")),
        "CONDA_CHANNEL_PRIORITY=flexible".to_owned(),
        "CONDA_EXCLUDE_NEWER=2026-11-01".to_owned(),
    ];
    let args: Vec<&str> = args.iter().flat_map(|arg| ["--build-arg", arg]).collect();
    assert_eq!(
        locked(project, &args),
        ["all/dated-lib-1.0", "team/dated-tool-1.0"]
    );
}
