//! The channels hold what they claim to.

use std::collections::BTreeSet;
use std::fs;

use condafront_testkit::channel::{Channel, HashStyle, lock};
use sha2::{Digest, Sha256};

#[test]
fn small_channel() {
    let channel = Channel::small();
    for package in channel.packages() {
        let bytes = fs::read(channel.archive(package)).expect("the archive");
        assert_eq!(hex::encode(Sha256::digest(&bytes)), package.sha256);
        assert_eq!(bytes.len() as u64, package.size);
    }
    let formats: BTreeSet<&str> = channel
        .packages()
        .iter()
        .map(|package| package.file_name.rsplit('.').next().unwrap_or_default())
        .collect();
    assert_eq!(formats, BTreeSet::from(["bz2", "conda"]));

    let repodata = fs::read(channel.directory().join("linux-64/repodata.json")).expect("repodata");
    let repodata: serde_json::Value = serde_json::from_slice(&repodata).expect("JSON");
    let package = channel.find("prefix-demo");
    let record = &repodata["packages.conda"][&package.file_name];
    let record = if record.is_null() {
        &repodata["packages"][&package.file_name]
    } else {
        record
    };
    assert_eq!(record["sha256"], package.sha256);
}

#[test]
fn selection_and_locks() {
    let channel = Channel::small();
    assert_eq!(channel.find("bumpme").version, "2.0");
    assert_eq!(channel.find("bumpme=1.0").version, "1.0");
    let names = |specs: &[&str]| -> Vec<String> {
        let closure = channel.closure(specs);
        closure
            .iter()
            .map(|package| format!("{}={}", package.name, package.version))
            .collect()
    };
    assert_eq!(
        names(&["metapackage", "bumpme=1.1"]),
        ["bumpme=1.1", "file-kinds=1.0", "metapackage=1.0"]
    );

    let package = channel.find("platform-demo");
    let text = lock(&[package], "http://h/c/", HashStyle::Sha256Prefix);
    let expected = format!(
        "# platform: linux-64\n@EXPLICIT\nhttp://h/c/linux-64/{}#sha256:{}\n",
        package.file_name, package.sha256
    );
    assert_eq!(text, expected);
    let other = channel.find_for("linux-aarch64", "platform-demo");
    let text = lock(&[other], "http://h/c", HashStyle::Md5);
    assert!(text.starts_with("# platform: linux-aarch64\n"));
    assert!(text.ends_with(&format!("#{}\n", other.md5)));
}

#[test]
fn hostile_and_tiny_channels() {
    let hostile = Channel::hostile();
    assert_eq!(hostile.packages().len(), 28);
    assert_eq!(hostile.find("empty").size, 0);
    assert_eq!(Channel::tiny(20).packages().len(), 20);
}

#[test]
fn full_channel() {
    let channel = Channel::open();
    let from_pypi = channel.packages().iter().filter(|package| {
        package
            .depends
            .iter()
            .any(|spec| spec.starts_with("python"))
    });
    assert!(from_pypi.count() > 100);
    let lab = channel.closure(&["jupyterlab", "pandas"]);
    assert!(lab.len() > 90, "{}", lab.len());
    assert_eq!(lab[lab.len() - 1].name, "pandas");
    let place = |name: &str| lab.iter().position(|package| package.name == name);
    assert!(place("openssl") < place("python"));
    assert!(place("python") < place("numpy"));
}
