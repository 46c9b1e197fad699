//! Reading files of results.

use buildkit_proto::gateway;

use super::client::Bridge;
use super::error::GatewayError;
use super::solving::Reference;
use super::transport::MAX_MESSAGE_BYTES;
use condafront_model::visible::visible_line;

/// A file or folder in a folder of a result.
#[derive(Clone, Debug)]
pub(crate) struct DirEntry {
    /// Its name.
    pub path: String,
    /// Its size in bytes.
    pub size: i64,
    /// When it was changed, in nanoseconds since 1970.
    pub mod_time: i64,
    /// Whether it is a folder.
    pub is_folder: bool,
    /// Where it leads, if it is a link.
    pub link: Option<String>,
}

impl Bridge {
    /// Reads a whole file of a result, in pieces that fit into messages.
    ///
    /// # Errors
    /// When there is no such file, when it is too large, or when building the result failed.
    pub(crate) async fn read_file(
        &self,
        from: &Reference,
        path: &str,
    ) -> Result<Vec<u8>, GatewayError> {
        let mut data = Vec::new();
        loop {
            let piece = self
                .read_piece(from, path, data.len(), MAX_MESSAGE_BYTES / 2)
                .await?;
            let last = piece.len() < MAX_MESSAGE_BYTES / 2;
            data.extend(piece);
            check_size(path, data.len())?;
            if last {
                return Ok(data);
            }
        }
    }

    /// Reads a file of a result; `None` if it is missing.
    ///
    /// # Errors
    /// As for [`Bridge::read_file`].
    pub(crate) async fn read_if_present(
        &self,
        from: &Reference,
        path: &str,
    ) -> Result<Option<Vec<u8>>, GatewayError> {
        match self.oddity(from, path).await {
            Ok(None) => {}
            Ok(Some(what)) => return Err(GatewayError::session(format!("`{path}` is {what}"))),
            Err(error) if error.is_absent() => return Ok(None),
            Err(error) => return Err(error),
        }
        match self.read_file(from, path).await {
            Ok(data) => Ok(Some(data)),
            Err(error) if error.is_absent() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads a file of a client's folder; `None` if the file is missing, or the client does not have the folder.
    ///
    /// # Errors
    /// As for [`Bridge::read_file`].
    pub(crate) async fn read_if_sent(
        &self,
        from: &Reference,
        path: &str,
    ) -> Result<Option<Vec<u8>>, GatewayError> {
        match self.read_if_present(from, path).await {
            Err(error) if error.is_not_sent() => Ok(None),
            found => found,
        }
    }

    /// Reads at most `length` bytes of a file, starting at `offset`.
    ///
    /// # Errors
    /// As for [`Bridge::read_file`].
    pub(crate) async fn read_piece(
        &self,
        from: &Reference,
        path: &str,
        offset: usize,
        length: usize,
    ) -> Result<Vec<u8>, GatewayError> {
        let signed = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        let request = |r#ref| gateway::ReadFileRequest {
            r#ref,
            file_path: path.to_owned(),
            range: Some(gateway::FileRange {
                offset: signed(offset),
                length: signed(length),
            }),
        };
        let what = || format!("read {}", visible_line(path));
        let response = self.read(from, what, async |mut client, id| {
            client.read_file(request(id)).await
        });
        Ok(response.await?.data)
    }

    /// What keeps the file at `path` from being read, if it is neither a file nor a folder: BuildKit would wait for somebody
    /// to write into a named pipe.
    ///
    /// # Errors
    /// When there is no such file, or building the result failed.
    pub(crate) async fn oddity(
        &self,
        from: &Reference,
        path: &str,
    ) -> Result<Option<&'static str>, GatewayError> {
        let response = self.stat(from, path).await?;
        Ok(response.stat.and_then(|stat| odd(stat.mode)))
    }

    /// Whether a path of a result is a folder, if need be through links; `None` if it is missing.
    ///
    /// # Errors
    /// When building the result failed.
    pub(crate) async fn is_folder(
        &self,
        from: &Reference,
        path: &str,
    ) -> Result<Option<bool>, GatewayError> {
        /// The bit of a folder in the mode, which has Go's form (<https://pkg.go.dev/io/fs#FileMode>).
        const FOLDER: u32 = 1 << 31;
        match self.stat(from, path).await {
            Ok(response) => Ok(Some(response.stat.unwrap_or_default().mode & FOLDER != 0)),
            Err(error) if error.is_absent() => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn stat(
        &self,
        from: &Reference,
        path: &str,
    ) -> Result<gateway::StatFileResponse, GatewayError> {
        let request = |r#ref| gateway::StatFileRequest {
            r#ref,
            path: path.to_owned(),
        };
        let what = || format!("look at {}", visible_line(path));
        self.read(from, what, async |mut client, id| {
            client.stat_file(request(id)).await
        })
        .await
    }

    /// What is in a folder of a result.
    ///
    /// # Errors
    /// When there is no such folder, or building the result failed.
    pub(crate) async fn read_dir(
        &self,
        from: &Reference,
        path: &str,
    ) -> Result<Vec<DirEntry>, GatewayError> {
        /// The bit of a folder in Go's `fs.FileMode`.
        const FOLDER: u32 = 1 << 31;
        /// The bit of a symbolic link.
        const LINK: u32 = 1 << 27;
        let request = |r#ref| gateway::ReadDirRequest {
            r#ref,
            dir_path: path.to_owned(),
            include_pattern: String::new(),
        };
        let what = || format!("list {}", visible_line(path));
        let response = self.read(from, what, async |mut client, id| {
            client.read_dir(request(id)).await
        });
        Ok(response
            .await?
            .entries
            .into_iter()
            .map(|entry| DirEntry {
                path: entry.path,
                size: entry.size,
                mod_time: entry.mod_time,
                is_folder: entry.mode & FOLDER != 0,
                link: (entry.mode & LINK != 0).then_some(entry.linkname),
            })
            .collect())
    }
}

/// Refuses files that are larger than any that a step writes or a user has.
fn check_size(path: &str, bytes: usize) -> Result<(), GatewayError> {
    const LARGEST: usize = 256 << 20;
    if bytes <= LARGEST {
        return Ok(());
    }
    let message = format!("`{path}` has more than {} MiB", LARGEST >> 20);
    Err(GatewayError::session(message))
}

/// What is not a file or a folder, by its mode as Go has it (`io/fs`).
fn odd(mode: u32) -> Option<&'static str> {
    const KINDS: [(u32, &str); 4] = [
        (1 << 26, "a device"),
        (1 << 25, "a named pipe"),
        (1 << 24, "a socket"),
        (1 << 19, "not a regular file"),
    ];
    let kind = KINDS.iter().find(|(bit, _)| mode & bit != 0);
    kind.map(|(_, kind)| *kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_have_a_largest_size() {
        assert!(check_size(".dockerignore", 256 << 20).is_ok());
        let error = check_size(".dockerignore", (256 << 20) + 1).unwrap_err();
        assert_eq!(error.to_string(), "`.dockerignore` has more than 256 MiB");
    }

    #[test]
    fn odd_files_are_told_by_their_mode() {
        assert_eq!(odd(0o644), None);
        assert_eq!(odd(1 << 31 | 0o755), None);
        assert_eq!(odd(1 << 25 | 0o644), Some("a named pipe"));
        // A character device.
        assert_eq!(odd(1 << 26 | 1 << 21 | 0o666), Some("a device"));
        assert_eq!(odd(1 << 24 | 0o777), Some("a socket"));
    }
}
