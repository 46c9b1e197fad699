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
