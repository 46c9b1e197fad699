//! Home directories and bash's start-up files, so that the environment stays active in interactive shells.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use memchr::memmem;

use super::error::AccountError;
use super::layer::Layer;
use super::user::Decision;
use crate::activation::hook;
use crate::rights::SET_ID;
use crate::root::Root;
use condafront_model::stamp::{Owner, Ownership};
use condafront_step_spec::account::User;

const SKEL: &str = "/etc/skel";
/// Files that distributions' bash reads in every interactive shell: Debian and Arch, Fedora
/// (through `~/.bashrc`), Alpine and Gentoo.
const SYSTEM_BASHRC: &[&str] = &["/etc/bash.bashrc", "/etc/bashrc", "/etc/bash/bashrc"];
const PROFILE: &str = "/etc/profile";
/// Homes of system accounts that have none.
const NO_HOMES: &[&str] = &["", "/", "/nonexistent", "/dev/null", "/var/empty", "/proc"];

/// Creates missing homes of the image's user and of root, and adds the hook to the files that
/// shells read.
pub(super) fn write(
    root: &Root,
    layer: &mut Layer<'_>,
    decision: &Decision,
) -> Result<(), AccountError> {
    for path in SYSTEM_BASHRC {
        if root.is_file(Path::new(path))? {
            append_hook(root, layer, Path::new(path), Owner::ROOT)?;
        }
    }
    // A profile that reads /etc/profile.d finds our file there.
    if let Some(profile) = root.read(Path::new(PROFILE))?
        && memmem::find(&profile, b"profile.d").is_none()
    {
        append_hook(root, layer, Path::new(PROFILE), Owner::ROOT)?;
    }
    let user = &decision.user;
    if user.group_writable {
        share_home(root, layer, user)?;
    }
    make_home(root, layer, user)?;
    if user.uid != 0
        && let Some(account) = decision.databases.by_uid(0)
    {
        let superuser = User {
            name: account.name.to_string_lossy().into_owned(),
            uid: 0,
            gid: account.gid,
            home: account.home.to_string_lossy().into_owned(),
            shell: account.shell.to_string_lossy().into_owned(),
            group_writable: false,
        };
        make_home(root, layer, &superuser)?;
    }
    Ok(())
}

/// Whether the image has the home of `user`: the base image's, or the one that [`write`] creates.
pub(super) fn exists(root: &Root, user: &User) -> Result<bool, AccountError> {
    if NO_HOMES.contains(&user.home.as_str()) {
        return Ok(false);
    }
    let found = root.metadata(Path::new(&user.home))?;
    Ok(found.is_none_or(|found| found.is_dir()))
}

/// Lets the user's group write to the user's home, also to what the base image has there.
///
/// # Errors
/// A home that belongs to somebody else. System accounts have such homes, for example `/usr/sbin`: whoever may write there
/// can replace root's programs.
fn share_home(root: &Root, layer: &mut Layer<'_>, user: &User) -> Result<(), AccountError> {
    if NO_HOMES.contains(&user.home.as_str()) {
        return Ok(());
    }
    let home = root.resolve(Path::new(&user.home))?;
    let found = root.metadata(&home)?.filter(Metadata::is_dir);
    if let Some(found) = &found
        && found.uid() != user.uid
    {
        return Err(AccountError::HomeOfAnother {
            name: user.name.clone(),
            home: user.home.clone(),
            owner: found.uid(),
        });
    }
    layer.share(&home, user.ownership());
    if found.is_some() {
        share_tree(root, layer, &home, user.ownership())?;
    }
    Ok(())
}

/// Repeats a directory of the base image in the layer, with those of its files that the group may not write.
fn share_tree(
    root: &Root,
    layer: &mut Layer<'_>,
    dir: &Path,
    ownership: Ownership,
) -> Result<(), AccountError> {
    layer.dir(dir, 0o755, ownership.owner)?;
    for name in root.list(dir)? {
        let path = dir.join(name);
        let real = root.outside(&path);
        let io = |e| AccountError::io(&real, e);
        let meta = fs::symlink_metadata(&real).map_err(io)?;
        let mode = meta.mode() & 0o7777;
        let wanted = ownership.mode(mode & !SET_ID);
        let is_shared = meta.gid() == ownership.owner.gid && wanted == mode;
        if meta.is_dir() {
            share_tree(root, layer, &path, ownership)?;
        } else if meta.is_file() && !is_shared {
            layer.copy(&path, &real, mode, Owner::of(&meta))?;
        }
    }
    Ok(())
}

fn make_home(root: &Root, layer: &mut Layer<'_>, user: &User) -> Result<(), AccountError> {
    if NO_HOMES.contains(&user.home.as_str()) {
        return Ok(());
    }
    let home = Path::new(&user.home);
    let owner = user.ownership().owner;
    let bashrc = home.join(".bashrc");
    if root.metadata(home)?.is_some() {
        return append_hook(root, layer, &bashrc, owner);
    }
    let mode = if user.uid == 0 { 0o700 } else { 0o755 };
    layer.dir(home, mode, owner)?;
    copy_tree(root, layer, Path::new(SKEL), home, owner)?;
    let skel = root.read(&Path::new(SKEL).join(".bashrc"))?;
    layer.write(&bashrc, &with_hook(&skel.unwrap_or_default()), 0o644, owner)
}

/// Adds the hook to a file of the base image, or creates the file.
fn append_hook(
    root: &Root,
    layer: &mut Layer<'_>,
    path: &Path,
    owner: Owner,
) -> Result<(), AccountError> {
    let contents = root.read(path)?.unwrap_or_default();
    let hooked = with_hook(&contents);
    if hooked == contents {
        return Ok(());
    }
    layer.write(path, &hooked, 0o644, owner)
}

/// `contents` with the hook, which is added only once.
fn with_hook(contents: &[u8]) -> Vec<u8> {
    let hook = hook();
    let mut contents = contents.to_vec();
    if memmem::find(&contents, hook.as_bytes()).is_some() {
        return contents;
    }
    if !contents.is_empty() && !contents.ends_with(b"\n") {
        contents.push(b'\n');
    }
    contents.extend_from_slice(hook.as_bytes());
    contents
}

/// Copies a directory of the base image into a new directory of the layer.
fn copy_tree(
    root: &Root,
    layer: &mut Layer<'_>,
    from: &Path,
    to: &Path,
    owner: Owner,
) -> Result<(), AccountError> {
    let from = root.resolve(from)?;
    for name in root.list(&from)? {
        let (source, target) = (from.join(&name), to.join(&name));
        let real = root.outside(&source);
        let io = |e| AccountError::io(&real, e);
        let meta = fs::symlink_metadata(&real).map_err(io)?;
        let mode = meta.mode() & 0o7777;
        if meta.is_dir() {
            layer.dir(&target, mode, owner)?;
            copy_tree(root, layer, &source, &target, owner)?;
        } else if meta.is_symlink() {
            layer.symlink(&target, &fs::read_link(&real).map_err(io)?, owner)?;
        } else if meta.is_file() {
            layer.copy(&target, &real, mode, owner)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hook_is_added_once_on_a_line_of_its_own() {
        let once = with_hook(b"alias ll='ls -l'");
        assert!(once.starts_with(b"alias ll='ls -l'\nif [ -r /usr/local/"));
        assert!(once.ends_with(b"; fi\n"));
        assert_eq!(with_hook(&once), once);
        assert_eq!(with_hook(b""), hook().into_bytes());
    }
}
