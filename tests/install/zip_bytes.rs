//! Zip archives that are written byte by byte (<https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT>).

use flate2::Crc;

/// A file of an archive that is written byte by byte.
pub(crate) struct Member {
    pub(crate) name: &'static str,
    /// With the kind of the file.
    pub(crate) mode: u32,
    pub(crate) content: Vec<u8>,
    /// Another name, in Unicode.
    pub(crate) other: Option<&'static str>,
}

pub(crate) fn member(name: &'static str, mode: u32) -> Member {
    Member {
        name,
        mode,
        content: b"content".to_vec(),
        other: None,
    }
}

/// The field for the name in Unicode, `other`, of a file that is called `name` (4.6.9 there).
fn unicode_path(name: &str, other: &str) -> Vec<u8> {
    let mut crc = Crc::new();
    crc.update(name.as_bytes());
    let size = u16::try_from(other.len() + 5).unwrap().to_le_bytes();
    let sum = crc.sum().to_le_bytes();
    [b"up", &size[..], &[1], &sum, other.as_bytes()].concat()
}

/// An archive without compression.
pub(crate) fn zip(members: &[Member]) -> Vec<u8> {
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for member in members {
        let mut crc = Crc::new();
        crc.update(&member.content);
        let size = u32::try_from(member.content.len()).unwrap().to_le_bytes();
        let name = u16::try_from(member.name.len()).unwrap().to_le_bytes();
        let extra = member.other.map(|other| unicode_path(member.name, other));
        let extra = extra.unwrap_or_default();
        let extra_size = u16::try_from(extra.len()).unwrap().to_le_bytes();
        // The version, a flag for UTF-8, no compression, and the first day that there is.
        let common = [
            &[20, 0, 0, 8, 0, 0, 0, 0, 33, 0][..],
            &crc.sum().to_le_bytes(),
            &size,
            &size,
            &name,
            &extra_size,
        ]
        .concat();
        let offset = u32::try_from(bytes.len()).unwrap().to_le_bytes();
        let attributes = (member.mode << 16).to_le_bytes();
        bytes.extend(
            [
                b"PK\x03\x04",
                &common[..],
                member.name.as_bytes(),
                &extra,
                &member.content,
            ]
            .concat(),
        );
        directory.extend(
            [
                b"PK\x01\x02\x14\x03",
                &common[..],
                &[0; 6],
                &attributes,
                &offset,
                member.name.as_bytes(),
                &extra,
            ]
            .concat(),
        );
    }
    let count = u16::try_from(members.len()).unwrap().to_le_bytes();
    let sizes =
        [directory.len(), bytes.len()].map(|size| u32::try_from(size).unwrap().to_le_bytes());
    [
        &bytes[..],
        &directory,
        b"PK\x05\x06\0\0\0\0",
        &count,
        &count,
        &sizes[0],
        &sizes[1],
        &[0, 0],
    ]
    .concat()
}

/// The archive with another method of compression for its first file.
pub(crate) fn compressed_with(method: u8, archive: &[u8]) -> Vec<u8> {
    let mut archive = archive.to_vec();
    let mut parts = archive.windows(4);
    let directory = parts.position(|bytes| bytes == b"PK\x01\x02").unwrap();
    archive[8] = method;
    archive[directory + 10] = method;
    archive
}

/// The archive with another name in front of the content of its file `name`, as long as that.
pub(crate) fn renamed(archive: &[u8], name: &str, other: &str) -> Vec<u8> {
    let mut archive = archive.to_vec();
    let mut parts = archive.windows(name.len());
    let at = parts.position(|bytes| bytes == name.as_bytes()).unwrap();
    archive[at..at + name.len()].copy_from_slice(other.as_bytes());
    archive
}
