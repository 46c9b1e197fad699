//! All bytes of an image, to look for what must not be in them.

use std::io::Read as _;
use std::path::Path;

use crate::project::{Project, base};
use crate::pushed::Pushed;

/// All bytes of an image: its files, configuration and history.
pub(crate) fn all_bytes(project: &Project) -> Vec<u8> {
    let file = |name: &str| project.path(name).to_string_lossy().into_owned();
    let container = format!("{}-files", project.name());
    let inspect = project
        .docker(&["image", "inspect", project.tag()])
        .expect_success();
    let history = ["history", "--no-trunc", project.tag()];
    let history = project.docker(&history).expect_success();
    project
        .docker(&["save", "-o", &file("image.tar"), project.tag()])
        .expect_success();
    project
        .docker(&["create", "--name", &container, project.tag()])
        .expect_success();
    project
        .docker(&["export", "-o", &file("files.tar"), &container])
        .expect_success();
    project.docker(&["rm", &container]).expect_success();
    let mut all = format!("{}{}", inspect.stdout, history.stdout).into_bytes();
    // The first may have compressed layers; the second is uncompressed.
    for name in ["image.tar", "files.tar"] {
        all.extend(std::fs::read(project.path(name)).expect("what docker wrote"));
    }
    all
}

pub(crate) fn contains(bytes: &[u8], text: &str) -> bool {
    memchr::memmem::find(bytes, text.as_bytes()).is_some()
}

/// The content of all files below `folder`, except for the base image's layers; compressed files both as they are and
/// decompressed.
pub(crate) fn unpacked_bytes(folder: &Path) -> Vec<u8> {
    let of_base = Pushed::new(String::new(), &base()).layers;
    let mut all = Vec::new();
    unpack_into(&mut all, folder, &of_base);
    all
}

/// `known` are digests of files that are left out.
fn unpack_into(all: &mut Vec<u8>, folder: &Path, known: &[String]) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            unpack_into(all, &path, known);
            continue;
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if known
            .iter()
            .any(|it| it.strip_prefix("sha256:") == Some(&*name))
        {
            continue;
        }
        let bytes = std::fs::read(&path).expect("a file");
        if bytes.starts_with(b"\x1f\x8b") {
            let mut gzip = flate2::read::MultiGzDecoder::new(bytes.as_slice());
            gzip.read_to_end(all).expect("valid gzip data");
        } else if bytes.starts_with(b"\x28\xb5\x2f\xfd") {
            all.extend(zstd::decode_all(bytes.as_slice()).expect("valid zstd data"));
        }
        all.extend(bytes);
    }
}
