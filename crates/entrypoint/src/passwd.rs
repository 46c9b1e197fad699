//! The accounts in `/etc/passwd`.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// One account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account<'a> {
    /// Login name.
    pub name: &'a OsStr,
    /// User id.
    pub uid: u32,
    /// Primary group id.
    pub gid: u32,
    /// Home directory.
    pub home: &'a OsStr,
    /// Login shell; empty means `/bin/sh`.
    pub shell: &'a OsStr,
}

/// The accounts in a file with the contents `passwd`; other lines are skipped.
pub fn accounts(passwd: &[u8]) -> impl Iterator<Item = Account<'_>> {
    passwd.split(|&byte| byte == b'\n').filter_map(account)
}

fn account(line: &[u8]) -> Option<Account<'_>> {
    let mut fields = line.split(|&byte| byte == b':');
    let name = fields.next().filter(|name| !name.is_empty())?;
    let _password = fields.next()?;
    let uid = number(fields.next()?)?;
    let gid = number(fields.next()?)?;
    let _comment = fields.next()?;
    let home = fields.next()?;
    let shell = fields.next().unwrap_or_default();
    Some(Account {
        name: OsStr::from_bytes(name),
        uid,
        gid,
        home: OsStr::from_bytes(home),
        shell: OsStr::from_bytes(shell),
    })
}

fn number(field: &[u8]) -> Option<u32> {
    std::str::from_utf8(field).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_read_and_other_lines_skipped() {
        let text = b"root:x:0:0:root:/root:/bin/bash\n\n# note\nbad:x:one:1::/:\n+::::::\nme:x:5:6::/home/me\n";
        let found: Vec<_> = accounts(text)
            .map(|account| (account.name.to_owned(), account.uid, account.gid))
            .collect();
        assert_eq!(found, [("root".into(), 0, 0), ("me".into(), 5, 6)]);
        let root = accounts(text).next();
        assert_eq!(root.map(|account| account.home), Some(OsStr::new("/root")));
        assert_eq!(
            root.map(|account| account.shell),
            Some(OsStr::new("/bin/bash"))
        );
    }
}
