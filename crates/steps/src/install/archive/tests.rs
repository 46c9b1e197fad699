use super::*;

/// A `.tar.bz2` with `count` files of `size` zeros, unpacked under `limits`.
fn unpack_zeros(count: usize, size: usize, limits: &Limits) -> Result<Entries> {
    let level = bzip2::Compression::best();
    let encoder = bzip2::write::BzEncoder::new(Vec::new(), level);
    let mut tar = tar::Builder::new(encoder);
    for index in 0..count {
        let mut header = tar::Header::new_gnu();
        header.set_size(size as u64);
        header.set_mode(0o644);
        header.set_mtime(0);
        tar.append_data(&mut header, format!("share/{index}"), &*vec![0; size])
            .unwrap();
    }
    let bytes = tar.into_inner().unwrap().finish().unwrap();
    let dir = tempfile::TempDir::new().unwrap();
    let archive = dir.path().join("zeros.tar.bz2");
    fs::write(&archive, bytes).unwrap();
    unpack(&archive, dir.path(), limits)
}

#[test]
fn a_bomb_is_stopped() {
    let limits = Limits {
        bytes: 1 << 20,
        entries: 10,
        free_bytes: 1 << 16,
        ratio: 10,
    };
    assert_eq!(unpack_zeros(2, 1 << 12, &limits).unwrap().len(), 2);
    for (what, count, size) in [
        ("more files than allowed", 11, 1),
        ("more bytes than its size suggests", 2, 1 << 16),
    ] {
        let error = unpack_zeros(count, size, &limits).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooLarge, "{what}: {error}");
    }
    let likely = Limits {
        ratio: 1_000_000,
        ..limits
    };
    assert_eq!(unpack_zeros(2, 1 << 16, &likely).unwrap().len(), 2);
    let error = unpack_zeros(2, 1 << 20, &likely).unwrap_err();
    assert_eq!(
        error.kind(),
        ErrorKind::TooLarge,
        "more bytes than any archive may have: {error}"
    );
}

/// A `.tar.bz2` with one file of this time.
fn time_of(mtime: u64) -> i64 {
    let encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    let mut tar = tar::Builder::new(encoder);
    let mut header = tar::Header::new_gnu();
    header.set_size(0);
    header.set_mode(0o644);
    header.set_mtime(mtime);
    tar.append_data(&mut header, "file", io::empty()).unwrap();
    let dir = tempfile::TempDir::new().unwrap();
    let archive = dir.path().join("time.tar.bz2");
    fs::write(&archive, tar.into_inner().unwrap().finish().unwrap()).unwrap();
    unpack(&archive, dir.path(), &Limits::default()).unwrap()["file"].mtime
}

#[test]
fn times_are_those_that_every_file_system_stores() {
    for (mtime, expected) in [
        (0, 0),
        (1_600_000_000, 1_600_000_000),
        (LATEST as u64 + 1, LATEST),
        (u64::MAX, LATEST),
    ] {
        assert_eq!(time_of(mtime), expected, "{mtime}");
    }
}

/// A `.conda` file whose parts have `size` zeros that zstd passes over, and that are compressed once more.
fn unpack_compressed_twice(size: u32, limits: &Limits) -> Result<Entries> {
    let mut zip = zip::ZipWriter::new(io::Cursor::new(Vec::new()));
    for part in ["info", "pkg"] {
        let options = zip::write::SimpleFileOptions::default();
        zip.start_file(format!("{part}-x.tar.zst"), options)
            .unwrap();
        let tar = tar::Builder::new(Vec::new()).into_inner().unwrap();
        // A skippable frame (RFC 8878, 3.1.2).
        let frame = [0x184d_2a50, size].map(u32::to_le_bytes).concat();
        let frames = [zstd::encode_all(&*tar, 1).unwrap(), frame].concat();
        zip.write_all(&frames).unwrap();
        zip.write_all(&vec![0; size as usize]).unwrap();
    }
    let dir = tempfile::TempDir::new().unwrap();
    let archive = dir.path().join("x.conda");
    fs::write(&archive, zip.finish().unwrap().into_inner()).unwrap();
    unpack(&archive, dir.path(), limits)
}

#[test]
fn a_bomb_that_unpacks_to_nothing_is_stopped() {
    let limits = Limits {
        free_bytes: 1 << 16,
        ratio: 10,
        ..Limits::default()
    };
    assert!(unpack_compressed_twice(1 << 12, &limits).is_ok());
    let error = unpack_compressed_twice(1 << 22, &limits).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadArchive, "{error}");
}
