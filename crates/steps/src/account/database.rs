//! `/etc/passwd`, `/etc/group`, `/etc/shadow` and `/etc/gshadow`, edited line by line: lines that
//! cannot be parsed stay as they are.

use std::path::Path;

use condafront_entrypoint::passwd::{Account, accounts};

use super::error::AccountError;
use super::layer::Layer;
use crate::root::Root;
use condafront_model::stamp::Owner;
use condafront_step_spec::account::User;

const PASSWD: &str = "/etc/passwd";
const GROUP: &str = "/etc/group";
const SHADOW: &str = "/etc/shadow";
const GSHADOW: &str = "/etc/gshadow";

/// The contents of the four files; `None` for a missing file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Databases {
    pub(super) passwd: Option<Vec<u8>>,
    pub(super) group: Option<Vec<u8>>,
    pub(super) shadow: Option<Vec<u8>>,
    pub(super) gshadow: Option<Vec<u8>>,
}

impl Databases {
    pub(super) fn read(root: &Root) -> Result<Self, AccountError> {
        Ok(Self {
            passwd: root.read(Path::new(PASSWD))?,
            group: root.read(Path::new(GROUP))?,
            shadow: root.read(Path::new(SHADOW))?,
            gshadow: root.read(Path::new(GSHADOW))?,
        })
    }

    /// Writes the files that differ from `before`.
    pub(super) fn write(&self, before: &Self, layer: &mut Layer<'_>) -> Result<(), AccountError> {
        let files = [
            (PASSWD, 0o644, &self.passwd, &before.passwd),
            (GROUP, 0o644, &self.group, &before.group),
            (SHADOW, 0o600, &self.shadow, &before.shadow),
            (GSHADOW, 0o600, &self.gshadow, &before.gshadow),
        ];
        for (path, mode, after, before) in files {
            if let Some(contents) = after
                && after != before
            {
                layer.write(path, contents, mode, Owner::ROOT)?;
            }
        }
        Ok(())
    }

    pub(super) fn accounts(&self) -> impl Iterator<Item = Account<'_>> {
        accounts(self.passwd.as_deref().unwrap_or_default())
    }

    pub(super) fn by_name(&self, name: &str) -> Option<Account<'_>> {
        self.accounts().find(|account| account.name == name)
    }

    pub(super) fn by_uid(&self, uid: u32) -> Option<Account<'_>> {
        self.accounts().find(|account| account.uid == uid)
    }

    /// Adds root's lines, and files for them, if they are missing: without them, root has no name and no
    /// home in a container.
    pub(super) fn ensure_root(&mut self, shell: &str) {
        if self.by_uid(0).is_none() {
            let line = format!("root:x:0:0:root:/root:{shell}");
            insert_first(self.passwd.get_or_insert_default(), &line);
            if let Some(shadow) = &mut self.shadow {
                insert_first(shadow, "root:*::0:99999:7:::");
            }
        }
        if group_of(self.group.as_deref(), 0).is_none() {
            insert_first(self.group.get_or_insert_default(), "root:x:0:");
        }
    }

    /// Adds an account, in front of any other one with the same id: a look-up by id finds the first
    /// line.
    pub(super) fn add_user(&mut self, user: &User) {
        let line = format!(
            "{}:x:{}:{}::{}:{}",
            user.name, user.uid, user.gid, user.home, user.shell
        );
        let passwd = self.passwd.get_or_insert_default();
        let mut lines = split_lines(passwd);
        let place = lines
            .iter()
            .position(|line| accounts(line).any(|account| account.uid == user.uid))
            .unwrap_or(lines.len());
        lines.insert(place, line.into_bytes());
        *passwd = join_lines(&lines);
        if let Some(shadow) = &mut self.shadow {
            // No password and no date of change, so that nothing depends on the day of the build.
            append(shadow, &format!("{}:!::0:99999:7:::", user.name));
        }
    }

    /// Sets the primary group of an existing account.
    pub(super) fn set_primary_group(&mut self, name: &str, gid: u32) {
        let Some(passwd) = &mut self.passwd else {
            return;
        };
        let gid = gid.to_string().into_bytes();
        let mut lines = split_lines(passwd);
        for line in &mut lines {
            if accounts(line).any(|account| account.name == name) {
                let fields: Vec<&[u8]> = line.split(|&byte| byte == b':').collect();
                let changed: Vec<&[u8]> = fields
                    .iter()
                    .enumerate()
                    .map(|(index, field)| if index == 3 { gid.as_slice() } else { field })
                    .collect();
                *line = changed.join(&b':');
            }
        }
        *passwd = join_lines(&lines);
    }

    /// Makes sure that a group with this id exists; a new one is named `name`, or `name-gid` if
    /// another group has that name.
    pub(super) fn ensure_group(&mut self, name: &str, gid: u32) {
        if group_of(self.group.as_deref(), gid).is_some() {
            return;
        }
        let group = self.group.get_or_insert_default();
        let taken = split_lines(group)
            .iter()
            .any(|line| line.split(|&byte| byte == b':').next() == Some(name.as_bytes()));
        let name = if taken {
            format!("{name}-{gid}")
        } else {
            name.to_owned()
        };
        append(group, &format!("{name}:x:{gid}:"));
        if let Some(gshadow) = &mut self.gshadow {
            append(gshadow, &format!("{name}:!::"));
        }
    }
}

/// The name of the group with this id.
fn group_of(group: Option<&[u8]>, gid: u32) -> Option<Vec<u8>> {
    let wanted = gid.to_string();
    split_lines(group.unwrap_or_default())
        .into_iter()
        .find_map(|line| {
            let mut fields = line.split(|&byte| byte == b':');
            let name = fields.next()?.to_vec();
            (fields.nth(1) == Some(wanted.as_bytes())).then_some(name)
        })
}

fn split_lines(text: &[u8]) -> Vec<Vec<u8>> {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    if text.is_empty() {
        return Vec::new();
    }
    text.split(|&byte| byte == b'\n')
        .map(<[u8]>::to_vec)
        .collect()
}

fn join_lines(lines: &[Vec<u8>]) -> Vec<u8> {
    let mut text = lines.join(&b'\n');
    text.push(b'\n');
    text
}

fn append(text: &mut Vec<u8>, line: &str) {
    let mut lines = split_lines(text);
    lines.push(line.as_bytes().to_vec());
    *text = join_lines(&lines);
}

fn insert_first(text: &mut Vec<u8>, line: &str) {
    let mut lines = split_lines(text);
    lines.insert(0, line.as_bytes().to_vec());
    *text = join_lines(&lines);
}
