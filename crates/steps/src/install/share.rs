//! The share step: merges the layers with the same packages of several environments into one layer, in which equal
//! files are one file.

use std::ffi::OsString;
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::error::{Error, Result};
use super::mounts::Mounts;
use super::normalize;
use super::pick::copy;
use crate::contents::equal;
use condafront_model::stamp::Ownership;
use condafront_step_spec::args::StepSpec as _;
use condafront_step_spec::install::ShareSpec;

/// Runs the subcommand `share` with the arguments `args`.
///
/// # Errors
/// An I/O error.
pub(crate) fn share(args: &[String], mounts: &Mounts) -> Result<()> {
    let (spec, _) = ShareSpec::from_args(args)?;
    let prefixes: Vec<PathBuf> = spec
        .prefixes
        .iter()
        .map(|prefix| PathBuf::from(prefix.trim_start_matches('/')))
        .collect();
    let mut folders = Vec::new();
    for (index, prefix) in prefixes.iter().enumerate() {
        let layer = Layer {
            root: mounts.input.join(index.to_string()),
            out: &mounts.output,
            prefix,
            before: prefixes.get(..index).unwrap_or_default(),
        };
        layer.put(Path::new(""), &mut folders)?;
    }
    // Last, because adding a file to a folder changes its time.
    for (folder, owner) in folders {
        normalize::directory(&mounts.output.join(folder), owner)?;
    }
    Ok(())
}

/// One environment's layer.
struct Layer<'a> {
    root: PathBuf,
    out: &'a Path,
    prefix: &'a Path,
    /// The prefixes of the environments that are already in the output.
    before: &'a [PathBuf],
}

impl Layer<'_> {
    /// Puts the contents of the layer's folder `relative` into the output.
    fn put(&self, relative: &Path, folders: &mut Vec<(PathBuf, Ownership)>) -> Result<()> {
        let dir = self.root.join(relative);
        let mut names: Vec<OsString> = Vec::new();
        for entry in fs::read_dir(&dir).map_err(|e| Error::io("list", &dir, e))? {
            names.push(entry.map_err(|e| Error::io("list", &dir, e))?.file_name());
        }
        names.sort();
        for name in names {
            let relative = relative.join(name);
            let from = self.root.join(&relative);
            let to = self.out.join(&relative);
            let metadata = fs::symlink_metadata(&from).map_err(|e| Error::io("read", &from, e))?;
            if metadata.is_dir() {
                fs::create_dir_all(&to).map_err(|e| Error::io("create", &to, e))?;
                folders.push((relative.clone(), normalize::ownership_of(&from)?));
                self.put(&relative, folders)?;
            } else {
                match self.twin(&relative, &from, &metadata)? {
                    Some(twin) => {
                        fs::hard_link(twin, &to).map_err(|e| Error::io("create", &to, e))?;
                    }
                    None => copy(&from, &to)?,
                }
            }
        }
        Ok(())
    }

    /// The equal file of an environment before this one.
    fn twin(&self, relative: &Path, from: &Path, metadata: &Metadata) -> Result<Option<PathBuf>> {
        let Ok(inside) = relative.strip_prefix(self.prefix) else {
            return Ok(None);
        };
        for prefix in self.before {
            let twin = self.out.join(prefix).join(inside);
            let Ok(other) = fs::symlink_metadata(&twin) else {
                continue;
            };
            let stamp = |of: &Metadata| (of.mode(), of.uid(), of.gid(), of.len(), of.mtime());
            if metadata.is_file() && stamp(metadata) == stamp(&other) && equal(from, &twin)? {
                return Ok(Some(twin));
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_equal_files_are_shared() {
        let (input, output) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let put = |path: &str, text: &str| {
            let path = input.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
            filetime::set_file_mtime(&path, filetime::FileTime::from_unix_time(7, 0)).unwrap();
        };
        for (layer, prefix) in [("0", "opt/conda"), ("1", "opt/conda/envs/r")] {
            put(&format!("{layer}/{prefix}/lib/same"), "same");
            put(&format!("{layer}/{prefix}/bin/tool"), prefix);
        }
        put("1/opt/conda/envs/r/lib/more", "same");
        let mounts = Mounts {
            input: input.path().to_owned(),
            output: output.path().to_owned(),
            ..Mounts::default()
        };
        let spec = ShareSpec {
            prefixes: vec!["/opt/conda".into(), "/opt/conda/envs/r".into()],
        };
        share(&spec.to_args(&[]).unwrap()[1..], &mounts).unwrap();
        let inode = |path: &str| {
            let found = fs::symlink_metadata(output.path().join("opt/conda").join(path));
            found.unwrap().ino()
        };
        assert_eq!(inode("lib/same"), inode("envs/r/lib/same"));
        assert_ne!(inode("bin/tool"), inode("envs/r/bin/tool"));
        assert_ne!(inode("lib/same"), inode("envs/r/lib/more"));
        let tool = fs::read_to_string(output.path().join("opt/conda/envs/r/bin/tool"));
        assert_eq!(tool.unwrap(), "opt/conda/envs/r");
    }
}
