//! Writes conda packages in their two archive formats, byte for byte the same each time.

use std::io::{Cursor, Write as _};

use serde_json::json;

/// The time of archive members that have no better one, in seconds since 1970: 2025-01-01.
pub(super) const DEFAULT_TIME: u64 = 1_735_689_600;

/// The archive format of a package, which its file name's extension gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// A zip of two zstd-compressed tars.
    Conda,
    /// One bzip2-compressed tar.
    TarBz2,
}

impl Format {
    pub(super) fn extension(self) -> &'static str {
        match self {
            Self::Conda => ".conda",
            Self::TarBz2 => ".tar.bz2",
        }
    }
}

/// A member of a tar archive. Its path may be anything: hostile archives are made of these too.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) path: String,
    pub(super) kind: MemberKind,
}

#[derive(Clone, Debug)]
pub(super) enum MemberKind {
    File { content: Vec<u8>, mode: u32 },
    Symlink(String),
    Hardlink(String),
    CharacterDevice,
}

impl Member {
    pub(super) fn file(path: &str, content: impl Into<Vec<u8>>, mode: u32) -> Self {
        Self {
            path: path.to_owned(),
            kind: MemberKind::File {
                content: content.into(),
                mode,
            },
        }
    }

    pub(super) fn symlink(path: &str, target: &str) -> Self {
        Self {
            path: path.to_owned(),
            kind: MemberKind::Symlink(target.to_owned()),
        }
    }
}

/// The package as one archive: `info` are the members below `info/`, `payload` the others, `stem`
/// the file name without its extension.
pub(super) fn package(
    format: Format,
    stem: &str,
    info: &[Member],
    payload: &[Member],
    time: u64,
) -> Vec<u8> {
    match format {
        Format::Conda => conda(stem, &tar(info, time), &tar(payload, time)),
        Format::TarBz2 => {
            let all: Vec<Member> = info.iter().chain(payload).cloned().collect();
            bzip2(&tar(&all, time))
        }
    }
}

fn tar(members: &[Member], time: u64) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for member in members {
        append(&mut builder, member, time)
            .unwrap_or_else(|error| panic!("cannot archive {}: {error}", member.path));
    }
    builder.into_inner().expect("a tar in memory")
}

fn append(builder: &mut tar::Builder<Vec<u8>>, member: &Member, time: u64) -> std::io::Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_mtime(time);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mode(0o777);
    header.set_size(0);
    let mut content: &[u8] = &[];
    let mut target = None;
    match &member.kind {
        MemberKind::File {
            content: bytes,
            mode,
        } => {
            header.set_entry_type(tar::EntryType::Regular);
            header.set_mode(*mode);
            header.set_size(bytes.len() as u64);
            content = bytes;
        }
        MemberKind::Symlink(to) => {
            header.set_entry_type(tar::EntryType::Symlink);
            target = Some(to);
        }
        MemberKind::Hardlink(to) => {
            header.set_entry_type(tar::EntryType::Link);
            target = Some(to);
        }
        MemberKind::CharacterDevice => {
            header.set_entry_type(tar::EntryType::Char);
            header.set_device_major(1)?;
            header.set_device_minor(3)?;
        }
    }
    // The `tar` crate refuses hostile paths, so names are put into the header by hand.
    if let Some(target) = target {
        let field = &mut header.as_gnu_mut().expect("a GNU header").linkname;
        if target.len() > field.len() {
            append_long(builder, b'K', target)?;
        }
        put(field, target);
    }
    let field = &mut header.as_gnu_mut().expect("a GNU header").name;
    if member.path.len() > field.len() {
        append_long(builder, b'L', &member.path)?;
    }
    put(field, &member.path);
    header.set_cksum();
    builder.append(&header, content)
}

/// A GNU extension record: the next member's full path (`L`) or link target (`K`).
fn append_long(builder: &mut tar::Builder<Vec<u8>>, kind: u8, text: &str) -> std::io::Result<()> {
    let mut header = tar::Header::new_gnu();
    put(
        &mut header.as_gnu_mut().expect("a GNU header").name,
        "././@LongLink",
    );
    header.set_entry_type(tar::EntryType::new(kind));
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(text.len() as u64 + 1);
    header.set_cksum();
    let mut content = text.as_bytes().to_vec();
    content.push(0);
    builder.append(&header, content.as_slice())
}

fn put(field: &mut [u8; 100], text: &str) {
    let length = text.len().min(field.len());
    field[..length].copy_from_slice(&text.as_bytes()[..length]);
}

pub(super) fn bzip2(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::best());
    encoder.write_all(bytes).expect("compression in memory");
    encoder.finish().expect("compression in memory")
}

pub(super) fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 6).expect("compression in memory")
}

fn conda(stem: &str, info: &[u8], payload: &[u8]) -> Vec<u8> {
    let options = zip::write::SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Stored)
        .last_modified_time(zip::DateTime::default());
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let metadata = json!({ "conda_pkg_format_version": 2 }).to_string();
    let members = [
        ("metadata.json".to_owned(), metadata.into_bytes()),
        (format!("pkg-{stem}.tar.zst"), zstd(payload)),
        (format!("info-{stem}.tar.zst"), zstd(info)),
    ];
    for (name, content) in members {
        writer
            .start_file(name, options)
            .expect("a zip member in memory");
        writer.write_all(&content).expect("a zip in memory");
    }
    writer.finish().expect("a zip in memory").into_inner()
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    fn members() -> Vec<Member> {
        vec![
            Member::file("a/b.txt", "hello", 0o640),
            Member::symlink("a/link", "b.txt"),
            Member::file(&"deep/".repeat(40), "long", 0o755),
        ]
    }

    fn names(tar_bytes: &[u8]) -> Vec<String> {
        tar::Archive::new(tar_bytes)
            .entries()
            .unwrap()
            .map(|entry| String::from_utf8(entry.unwrap().path_bytes().into_owned()).unwrap())
            .collect()
    }

    #[test]
    fn both_formats_hold_the_members() {
        let expected: Vec<String> = members().into_iter().map(|member| member.path).collect();

        let archive = package(Format::TarBz2, "x-1-0", &members(), &[], 7);
        let mut tar_bytes = Vec::new();
        bzip2::read::BzDecoder::new(archive.as_slice())
            .read_to_end(&mut tar_bytes)
            .unwrap();
        assert_eq!(names(&tar_bytes), expected);

        let archive = package(Format::Conda, "x-1-0", &[], &members(), 7);
        let mut zip = zip::ZipArchive::new(Cursor::new(archive)).unwrap();
        let member = zip.by_name("pkg-x-1-0.tar.zst").unwrap();
        assert_eq!(names(&zstd::decode_all(member).unwrap()), expected);
    }

    #[test]
    fn hostile_paths_are_kept() {
        let member = Member::file("../../etc/evil", "x", 0o644);
        assert_eq!(names(&tar(&[member], 0)), ["../../etc/evil"]);
    }

    #[test]
    fn bytes_are_the_same_each_time() {
        for format in [Format::Conda, Format::TarBz2] {
            let make = || package(format, "x-1-0", &members(), &members(), 7);
            assert_eq!(make(), make());
        }
    }
}
