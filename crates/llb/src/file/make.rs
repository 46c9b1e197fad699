//! Creates files, directories and links.

use buildkit_proto::pb;

use super::owner::Owner;
use super::path::clean_path;
use super::unset::UNSET_TIME;

/// Setters that new files, directories and links have.
macro_rules! owner_and_time {
    ($($made:ty: $whose:literal),+ $(,)?) => {
        $(
            impl $made {
                #[doc = concat!("The owner of ", $whose, "; defaults to root.")]
                pub fn owner(&mut self, owner: Owner) -> &mut Self {
                    self.owner = Some(owner);
                    self
                }

                #[doc = concat!("The time of ", $whose, " in nanoseconds since 1970; defaults to the time of the build.")]
                pub fn time(&mut self, nanoseconds: i64) -> &mut Self {
                    self.wire.timestamp = nanoseconds;
                    self
                }
            }
        )+
    };
}

owner_and_time! {
    Mkfile: "the file",
    Mkdir: "every created directory",
    Symlink: "the link",
}

/// Permission bits in the wire format.
fn permissions(mode: u32) -> i32 {
    // At most nine bits are left.
    (mode & 0o777).cast_signed()
}

/// Writes a file.
#[derive(Clone, Debug)]
pub struct Mkfile {
    pub(super) wire: pb::FileActionMkFile,
    pub(super) owner: Option<Owner>,
}

impl Mkfile {
    /// Writes a file with this content and mode 0644; its directory must exist.
    /// An existing file keeps its mode.
    pub fn new(path: impl AsRef<str>, data: impl Into<Vec<u8>>) -> Self {
        Self {
            wire: pb::FileActionMkFile {
                path: clean_path(path.as_ref()),
                mode: 0o644,
                data: data.into(),
                owner: None,
                timestamp: UNSET_TIME,
            },
            owner: None,
        }
    }

    /// The mode, up to 0777.
    pub fn mode(&mut self, mode: u32) -> &mut Self {
        self.wire.mode = permissions(mode);
        self
    }
}

/// Creates a directory.
#[derive(Clone, Debug)]
pub struct Mkdir {
    pub(super) wire: pb::FileActionMkDir,
    pub(super) owner: Option<Owner>,
}

impl Mkdir {
    /// Creates a directory with mode 0755. An existing one does not change.
    pub fn new(path: impl AsRef<str>) -> Self {
        Self {
            wire: pb::FileActionMkDir {
                path: clean_path(path.as_ref()),
                mode: 0o755,
                make_parents: false,
                owner: None,
                timestamp: UNSET_TIME,
            },
            owner: None,
        }
    }

    /// The mode, up to 0777.
    pub fn mode(&mut self, mode: u32) -> &mut Self {
        self.wire.mode = permissions(mode);
        self
    }

    /// Also creates its parents.
    pub fn parents(&mut self) -> &mut Self {
        self.wire.make_parents = true;
        self
    }
}

/// Creates a symbolic link (BuildKit 0.19).
#[derive(Clone, Debug)]
pub struct Symlink {
    pub(super) wire: pb::FileActionSymlink,
    pub(super) owner: Option<Owner>,
}

impl Symlink {
    /// Creates a link at `path` to `target`, which is stored as it is.
    pub fn new(target: impl Into<String>, path: impl AsRef<str>) -> Self {
        Self {
            wire: pb::FileActionSymlink {
                oldpath: target.into(),
                newpath: clean_path(path.as_ref()),
                owner: None,
                timestamp: UNSET_TIME,
            },
            owner: None,
        }
    }
}
