//! What is in files.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read};
use std::path::Path;

use crate::install::error::{Error, Result};

/// Whether two files have the same bytes.
///
/// # Errors
/// An I/O error.
pub(crate) fn equal(one: &Path, other: &Path) -> Result<bool> {
    let open = |path: &Path| File::open(path).map_err(|e| Error::io("read", path, e));
    rest_equal((open(one)?, one), (open(other)?, other))
}

/// Whether two files are scripts, which start with `#!`, that have the same bytes after their first lines.
///
/// # Errors
/// An I/O error.
pub(crate) fn same_script(one: &Path, other: &Path) -> Result<bool> {
    Ok(match (after_shebang(one)?, after_shebang(other)?) {
        (Some(left), Some(right)) => rest_equal((left, one), (right, other))?,
        _ => false,
    })
}

/// A script after its first line; `None` if the file is something else.
fn after_shebang(path: &Path) -> Result<Option<BufReader<File>>> {
    let failed = |e| Error::io("read", path, e);
    let mut file = BufReader::new(File::open(path).map_err(failed)?);
    let mut start = Vec::new();
    file.by_ref()
        .take(2)
        .read_to_end(&mut start)
        .map_err(failed)?;
    if start != b"#!" {
        return Ok(None);
    }
    file.skip_until(b'\n').map_err(failed)?;
    Ok(Some(file))
}

/// Whether both have the same bytes from here on. Errors name the paths.
fn rest_equal<R: Read>(
    (mut left, one): (R, &Path),
    (mut right, other): (R, &Path),
) -> Result<bool> {
    const PIECE: usize = 64 << 10;
    let (mut a, mut b) = (Vec::new(), Vec::new());
    loop {
        for (file, path, piece) in [(&mut left, one, &mut a), (&mut right, other, &mut b)] {
            piece.clear();
            let limit = u64::try_from(PIECE).unwrap_or(u64::MAX);
            file.take(limit)
                .read_to_end(piece)
                .map_err(|e| Error::io("read", path, e))?;
        }
        if a != b {
            return Ok(false);
        }
        if a.is_empty() {
            return Ok(true);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn files_are_compared_to_the_end() {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str, last: u8| {
            let path = dir.path().join(name);
            let mut bytes = vec![1; 200_000];
            bytes.push(last);
            fs::write(&path, bytes).unwrap();
            path
        };
        let (a, b, c) = (file("a", 1), file("b", 1), file("c", 2));
        assert!(equal(&a, &b).unwrap());
        assert!(!equal(&a, &c).unwrap());
    }

    #[test]
    fn scripts_may_name_another_interpreter() {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = dir.path().join(name);
            fs::write(&path, text).unwrap();
            path
        };
        let own = file("own", "#!/opt/conda/bin/python3.13\nrun()\n");
        assert!(same_script(&own, &file("a", "#!/opt/conda/bin/python\nrun()\n")).unwrap());
        for other in ["#!/bin/sh\nrun()\n\n", "#!/bin/sh", "\nrun()\n", "", "#"] {
            assert!(!same_script(&own, &file("b", other)).unwrap(), "{other}");
        }
        let program = file("program", "ELF\nrun()\n");
        assert!(!same_script(&program, &own).unwrap());
        assert!(!same_script(&program, &program).unwrap());
    }
}
