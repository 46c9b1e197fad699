//! Looks up the users and groups that the image section names.

use super::session::Session;

use buildkit_llb::{Copy, File, Input, OpOptions, Output};
use condafront_entrypoint::passwd;

use crate::gateway::error::BuildError;
use crate::gateway::solving::Reference;
use condafront_model::redact::quoted;
use condafront_model::source::{Diagnostic, Lines};
use condafront_step_spec::account::User;

const ROOT: &str = "root";
const ROOT_HOME: &str = "/root";

/// Someone who owns files or runs commands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Person {
    pub(super) uid: u32,
    pub(super) gid: u32,
    /// Name and home, if they are known.
    pub(super) account: Option<(String, String)>,
}

/// The group of a user that is given without one and that the image may not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Alone {
    /// A number is also the group's number, as in `COPY --chown`.
    SameNumber,
    /// The group of the account with the number, or root's, as in `USER`.
    OfAccount,
}

impl Person {
    /// The image's user.
    pub(super) fn of(user: &User) -> Self {
        Self {
            uid: user.uid,
            gid: user.gid,
            account: Some((user.name.clone(), user.home.clone())),
        }
    }
}

/// The accounts of an image: `/etc/passwd` and `/etc/group`, empty if they are missing.
#[derive(Clone, Debug, Default)]
struct Accounts {
    passwd: Vec<u8>,
    group: Vec<u8>,
}

impl Accounts {
    /// The person with the name or number `user`, in the group `group` if it is given.
    ///
    /// # Errors
    /// The name that the image does not have.
    fn find(&self, user: &str, group: Option<&str>, alone: Alone) -> Result<Person, String> {
        let number: Option<u32> = user.parse().ok();
        let account = passwd::accounts(&self.passwd).find(|account| match number {
            Some(uid) => account.uid == uid,
            None => account.name == user,
        });
        let uid = account.map(|account| account.uid).or(number);
        let uid = uid.ok_or_else(|| format!("user `{}`", quoted(user)))?;
        let gid = match (group, number, alone) {
            (Some(group), ..) => self
                .group(group)
                .ok_or_else(|| format!("group `{}`", quoted(group)))?,
            (None, Some(number), Alone::SameNumber) => number,
            (None, ..) => account.map_or(0, |account| account.gid),
        };
        let account = account.map(|account| {
            let text = |text: &std::ffi::OsStr| text.to_string_lossy().into_owned();
            (text(account.name), text(account.home))
        });
        Ok(Person { uid, gid, account })
    }

    fn group(&self, group: &str) -> Option<u32> {
        if let Ok(gid) = group.parse() {
            return Some(gid);
        }
        let text = String::from_utf8_lossy(&self.group);
        let mut lines = text.lines().map(|line| line.split(':'));
        let mut found = lines.find(|fields| fields.clone().next() == Some(group))?;
        found.nth(2)?.parse().ok()
    }
}

impl Session<'_> {
    /// Who `owner` is (`name`, `name:group`, or numbers) in the image `root`, whose user is `user`. Also returns the
    /// output of the look-up if there was one.
    ///
    /// # Errors
    /// A diagnostic at `lines` if the image has no such user or group.
    pub(super) async fn person(
        &self,
        owner: &str,
        alone: Alone,
        lines: Lines,
        root: &Input,
        user: &User,
    ) -> Result<(Person, Option<Output>), BuildError> {
        let (name, group) = match owner.split_once(':') {
            Some((name, group)) => (name, Some(group)),
            None => (owner, None),
        };
        let number = |text: &str| text.parse::<u32>().ok();
        let known = match group {
            None if name == user.name => Some(Person::of(user)),
            None if [ROOT, "0"].contains(&name) => Some(Person {
                uid: 0,
                gid: 0,
                account: Some((ROOT.to_owned(), ROOT_HOME.to_owned())),
            }),
            None => number(name)
                .filter(|_| alone == Alone::SameNumber)
                .map(|uid| Person {
                    uid,
                    gid: uid,
                    account: None,
                }),
            Some(_) => None,
        };
        if let Some(known) = known {
            return Ok((known, None));
        }
        let (accounts, output) = self.accounts(root).await?;
        let person = accounts.find(name, group, alone).map_err(|missing| {
            Diagnostic::new(format!("the image has no {missing}"))
                .at(self.file, lines)
                .help("Use a number, or a name that the base image has or an earlier command creates.")
        })?;
        Ok((person, output))
    }

    /// Reads the accounts of the image `root`.
    async fn accounts(&self, root: &Input) -> Result<(Accounts, Option<Output>), BuildError> {
        let Input::Output(image) = root else {
            return Ok((Accounts::default(), None));
        };
        let mut file = File::on(Input::Scratch);
        // Patterns, because either file may be missing.
        for path in ["/etc/passw[d]", "/etc/grou[p]"] {
            file.then(
                Copy::new(image, path, "/")
                    .follow_symlink()
                    .optional_wildcard(),
            );
        }
        file.name("[internal] look up users and groups");
        let Input::Output(output) = file.build() else {
            return Ok((Accounts::default(), None));
        };
        let reference = self.evaluate(&output).await?;
        let accounts = Accounts {
            passwd: self.read_or_empty(&reference, "passwd").await?,
            group: self.read_or_empty(&reference, "group").await?,
        };
        Ok((accounts, Some(output)))
    }

    async fn read_or_empty(&self, from: &Reference, path: &str) -> Result<Vec<u8>, BuildError> {
        let found = self.bridge.read_if_present(from, path).await?;
        Ok(found.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_found_by_name_and_number() {
        let accounts = Accounts {
            passwd: b"root:x:0:0::/root:/bin/sh\nada:x:1000:100::/home/ada:/bin/sh\n".to_vec(),
            group: b"root:x:0:\nusers:x:100:ada\n".to_vec(),
        };
        let find = |user: &str, group: Option<&str>, alone| {
            let found = accounts.find(user, group, alone);
            found.map(|person| (person.uid, person.gid, person.account.is_some()))
        };
        use Alone::{OfAccount, SameNumber};
        assert_eq!(find("ada", None, SameNumber), Ok((1000, 100, true)));
        assert_eq!(find("ada", Some("root"), OfAccount), Ok((1000, 0, true)));
        assert_eq!(find("1000", None, SameNumber), Ok((1000, 1000, true)));
        assert_eq!(find("1000", None, OfAccount), Ok((1000, 100, true)));
        assert_eq!(find("7", None, OfAccount), Ok((7, 0, false)));
        assert_eq!(find("7", Some("users"), OfAccount), Ok((7, 100, false)));
        let error = find("bob", None, OfAccount).unwrap_err();
        assert_eq!(error, "user `bob`");
        let error = find("ada", Some("staff"), OfAccount).unwrap_err();
        assert_eq!(error, "group `staff`");
    }
}
