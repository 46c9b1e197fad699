//! Links packages by hand: the plainest way from archives to a prefix. Tests compare an installer's
//! result with it. It does not handle clobbering, post-link scripts, `conda-meta` or bytecode.

use std::fs;
use std::io::{Cursor, Read};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use memchr::memmem;
use serde::Deserialize;

use crate::channel::{Channel, Package};

/// Where noarch python packages go with the channel's python.
const SITE_PACKAGES: &str = "lib/python3.13/site-packages";

/// The parts of `info/paths.json` that linking needs.
#[derive(Debug, Deserialize)]
struct Paths {
    paths: Vec<PathEntry>,
}

#[derive(Debug, Deserialize)]
struct PathEntry {
    #[serde(rename = "_path")]
    path: String,
    prefix_placeholder: Option<String>,
    file_mode: Option<String>,
}

/// `info/link.json`.
#[derive(Debug, Deserialize)]
struct Link {
    noarch: NoarchLink,
}

#[derive(Debug, Deserialize)]
struct NoarchLink {
    #[serde(default)]
    entry_points: Vec<String>,
}

/// A member of a package's tars.
struct Member {
    path: String,
    content: Vec<u8>,
    mode: u32,
    link: Option<String>,
}

/// Puts the files of `packages` below `root`, with `prefix` in place of the placeholder. If two
/// packages have the same file, the last one wins.
///
/// # Panics
/// If an archive cannot be read or a file cannot be written.
pub fn lay_out(channel: &Channel, packages: &[&Package], root: &Path, prefix: &str) {
    for package in packages {
        let archive = channel.archive(package);
        let bytes = fs::read(&archive)
            .unwrap_or_else(|error| panic!("cannot read {}: {error}", archive.display()));
        lay_out_one(package, &members(package, &bytes), root, prefix);
    }
}

fn lay_out_one(package: &Package, members: &[Member], root: &Path, prefix: &str) {
    let info = |path: &str| members.iter().find(|member| member.path == path);
    let paths: Paths = info("info/paths.json").map_or_else(
        || panic!("{} has no paths.json", package.file_name),
        |member| serde_json::from_slice(&member.content).expect("paths.json"),
    );
    for entry in &paths.paths {
        let member = info(&entry.path)
            .unwrap_or_else(|| panic!("{} has no {}", package.file_name, entry.path));
        let target = root.join(place(package, &entry.path));
        if let Some(link) = &member.link {
            make_way(&target);
            symlink(link, &target)
                .unwrap_or_else(|error| panic!("cannot link {}: {error}", target.display()));
            continue;
        }
        let content = match (&entry.prefix_placeholder, entry.file_mode.as_deref()) {
            (Some(placeholder), Some("binary")) => {
                replace_in_binary(&member.content, placeholder.as_bytes(), prefix.as_bytes())
            }
            (Some(placeholder), _) => {
                replace_all(&member.content, placeholder.as_bytes(), prefix.as_bytes())
            }
            (None, _) => member.content.clone(),
        };
        write(&target, &content, member.mode);
    }
    if let Some(link) = info("info/link.json") {
        let link: Link = serde_json::from_slice(&link.content).expect("link.json");
        for entry_point in &link.noarch.entry_points {
            write_entry_point(entry_point, root, prefix);
        }
    }
}

/// Where a package's path goes below the prefix.
fn place(package: &Package, path: &str) -> String {
    if package.noarch.as_deref() == Some("python") {
        if let Some(rest) = path.strip_prefix("site-packages/") {
            return format!("{SITE_PACKAGES}/{rest}");
        }
        if let Some(rest) = path.strip_prefix("python-scripts/") {
            return format!("bin/{rest}");
        }
    }
    path.to_owned()
}

fn write_entry_point(entry_point: &str, root: &Path, prefix: &str) {
    let (name, function) = entry_point.split_once('=').expect("name = function");
    let (module, function) = function.split_once(':').expect("module:function");
    let import = function.split('.').next().unwrap_or(function);
    let script = format!(
        "#!{prefix}/bin/python3.13\nimport sys\nfrom {} import {import}\nsys.exit({function}())\n",
        module.trim()
    );
    let target = root.join("bin").join(name.trim());
    write(&target, script.as_bytes(), 0o755);
}

fn write(target: &Path, content: &[u8], mode: u32) {
    make_way(target);
    fs::write(target, content)
        .and_then(|()| fs::set_permissions(target, fs::Permissions::from_mode(mode)))
        .unwrap_or_else(|error| panic!("cannot write {}: {error}", target.display()));
}

/// Makes the folders above `target` and removes what is in its place.
fn make_way(target: &Path) {
    let parent = target.parent().expect("a file in a folder");
    fs::create_dir_all(parent)
        .unwrap_or_else(|error| panic!("cannot make {}: {error}", parent.display()));
    // Usually nothing is there.
    let _ = fs::remove_file(target);
}

/// `content` with every `from` replaced.
pub(crate) fn replace_all(content: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut result = Vec::with_capacity(content.len());
    let mut copied = 0;
    for at in memmem::find_iter(content, from) {
        result.extend_from_slice(&content[copied..at]);
        result.extend_from_slice(to);
        copied = at + from.len();
    }
    result.extend_from_slice(&content[copied..]);
    result
}

/// Replaces within each C string and pads it with zeros to its old length.
fn replace_in_binary(content: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut result = Vec::with_capacity(content.len());
    let mut rest = content;
    while let Some(at) = memmem::find(rest, from) {
        let end = at
            + rest[at..]
                .iter()
                .position(|byte| *byte == 0)
                .expect("a C string ends");
        let mut text = replace_all(&rest[at..end], from, to);
        text.resize(end - at, 0);
        result.extend_from_slice(&rest[..at]);
        result.extend_from_slice(&text);
        rest = &rest[end..];
    }
    result.extend_from_slice(rest);
    result
}

fn members(package: &Package, bytes: &[u8]) -> Vec<Member> {
    let mut all = Vec::new();
    if package.file_name.ends_with(".tar.bz2") {
        add_members(bzip2::read::BzDecoder::new(bytes), &mut all);
        return all;
    }
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).expect("a zip");
    for index in 0..archive.len() {
        let member = archive.by_index(index).expect("a zip member");
        let name = member.name().expect("a package's names are UTF-8");
        if name.ends_with(".tar.zst") {
            add_members(
                zstd::Decoder::new(member).expect("zstd-compressed"),
                &mut all,
            );
        }
    }
    all
}

fn add_members(reader: impl Read, all: &mut Vec<Member>) {
    let mut archive = tar::Archive::new(reader);
    for entry in archive.entries().expect("a tar") {
        let mut entry = entry.expect("a tar member");
        let path = String::from_utf8(entry.path_bytes().into_owned()).expect("a UTF-8 path");
        let link = entry
            .link_name_bytes()
            .map(|link| String::from_utf8(link.into_owned()).expect("a UTF-8 link"));
        let mode = entry.header().mode().expect("a mode");
        let mut content = Vec::new();
        entry.read_to_end(&mut content).expect("a tar member");
        all.push(Member {
            path,
            content,
            mode,
            link,
        });
    }
}
