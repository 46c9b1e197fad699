//! Which account the image's user gets.

use std::ffi::OsStr;

use condafront_step_spec::account::{
    DEFAULT_ID, DEFAULT_NAME, MAX_ID, User, UserRequest, is_account_name,
};

use super::base::Shells;
use super::database::Databases;
use super::error::AccountError;

const ROOT: &str = "root";

/// The image's user, and the account files with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Decision {
    pub(super) user: User,
    pub(super) notices: Vec<String>,
    pub(super) databases: Databases,
}

/// Finds or creates the account that `request` asks for.
///
/// An account of the base image with the same name is used as it is, and so is a group with the same
/// id. If the base image gives the id to another name, the two share it, and the new name comes first.
pub(super) fn decide(
    request: &UserRequest,
    base: &Databases,
    shells: &Shells,
) -> Result<Decision, AccountError> {
    let shell = [&shells.bash, &shells.sh]
        .into_iter()
        .flatten()
        .next()
        .map_or("/sbin/nologin", String::as_str);
    let mut databases = base.clone();
    databases.ensure_root(shell);
    let (name, uid) = name_and_uid(request, &databases)?;
    let mut asked = [uid, request.gid].into_iter().flatten();
    if let Some(id) = asked.find(|id| *id > MAX_ID) {
        return Err(AccountError::InvalidId(id));
    }
    if name == ROOT && (uid.unwrap_or(0) != 0 || request.gid.unwrap_or(0) != 0) {
        return Err(AccountError::RootId);
    }
    if name != ROOT && uid == Some(0) {
        return Err(AccountError::RootName(name));
    }
    let mut notices = Vec::new();
    let existing = databases.by_name(&name).map(|account| User {
        name: name.clone(),
        uid: account.uid,
        gid: account.gid,
        home: text(account.home),
        shell: text(account.shell),
        group_writable: request.group_writable,
    });
    let user = match existing {
        Some(found) => {
            let wanted = uid.unwrap_or(found.uid);
            if found.uid != wanted {
                return Err(AccountError::NameTaken {
                    name,
                    found: found.uid,
                    wanted,
                });
            }
            let gid = request.gid.unwrap_or(found.gid);
            if gid != found.gid {
                databases.set_primary_group(&name, gid);
            }
            if let Some(id) = [found.uid, gid].into_iter().find(|id| *id > MAX_ID) {
                return Err(AccountError::IdOfBase { name, id });
            }
            User { gid, ..found }
        }
        None => {
            let user = User {
                uid: uid.unwrap_or(DEFAULT_ID),
                gid: request.gid.or(uid).unwrap_or(DEFAULT_ID),
                home: format!("/home/{name}"),
                shell: shell.to_owned(),
                name,
                group_writable: request.group_writable,
            };
            if let Some(other) = databases.by_uid(user.uid) {
                notices.push(format!(
                    "the base image's user `{}` also has the id {}; `{}` comes first",
                    text(other.name),
                    user.uid,
                    user.name
                ));
            }
            databases.add_user(&user);
            user
        }
    };
    databases.ensure_group(&user.name, user.gid);
    Ok(Decision {
        user,
        notices,
        databases,
    })
}

/// The account's name and the requested id; a name of digits is an id.
fn name_and_uid(
    request: &UserRequest,
    databases: &Databases,
) -> Result<(String, Option<u32>), AccountError> {
    let name = request.name.as_deref().unwrap_or(DEFAULT_NAME);
    if !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit()) {
        let invalid = || AccountError::InvalidName(name.to_owned());
        let uid: u32 = name.parse().map_err(|_| invalid())?;
        if request.uid.is_some_and(|other| other != uid) {
            return Err(invalid());
        }
        let name = match databases.by_uid(uid) {
            Some(account) => text(account.name),
            None if databases.by_name(DEFAULT_NAME).is_none() => DEFAULT_NAME.to_owned(),
            None => format!("user{uid}"),
        };
        return Ok((name, Some(uid)));
    }
    if !is_account_name(name) {
        return Err(AccountError::InvalidName(name.to_owned()));
    }
    Ok((name.to_owned(), request.uid))
}

/// Names in account files are ASCII in practice; JSON needs UTF-8.
fn text(value: &OsStr) -> String {
    value.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEBIAN_PASSWD: &str =
        "root:x:0:0:root:/root:/bin/bash\nubuntu:x:1000:1000:Ubuntu:/home/ubuntu:/bin/bash\n";
    const DEBIAN_GROUP: &str = "root:x:0:\nusers:x:100:\nstaff:x:50:\nubuntu:x:1000:\n";

    fn ubuntu() -> Databases {
        Databases {
            passwd: Some(DEBIAN_PASSWD.into()),
            group: Some(DEBIAN_GROUP.into()),
            shadow: Some("root:*:1:0:99999:7:::\n".into()),
            gshadow: Some("root:*::\n".into()),
        }
    }

    fn bash() -> Shells {
        Shells {
            sh: Some("/bin/sh".to_owned()),
            bash: Some("/bin/bash".to_owned()),
        }
    }

    fn request(name: Option<&str>, uid: Option<u32>, gid: Option<u32>) -> UserRequest {
        UserRequest {
            name: name.map(str::to_owned),
            uid,
            gid,
            group_writable: false,
        }
    }

    fn decided(request: &UserRequest, base: &Databases) -> Decision {
        decide(request, base, &bash()).expect("an account")
    }

    fn shown(file: Option<&Vec<u8>>) -> String {
        String::from_utf8_lossy(file.map_or(&[], Vec::as_slice)).into_owned()
    }

    #[test]
    fn the_default_is_the_user_of_micromamba_docker() {
        let decision = decided(&UserRequest::default(), &ubuntu());
        assert_eq!(
            shown(decision.databases.passwd.as_ref()),
            format!("{DEBIAN_PASSWD}mambauser:x:57439:57439::/home/mambauser:/bin/bash\n")
        );
        assert_eq!(
            shown(decision.databases.group.as_ref()),
            format!("{DEBIAN_GROUP}mambauser:x:57439:\n")
        );
        assert_eq!(
            shown(decision.databases.shadow.as_ref()),
            "root:*:1:0:99999:7:::\nmambauser:!::0:99999:7:::\n"
        );
        assert_eq!(
            shown(decision.databases.gshadow.as_ref()),
            "root:*::\nmambauser:!::\n"
        );
    }

    #[test]
    fn an_empty_image_gets_root_and_the_user() {
        let decision = decide(
            &UserRequest::default(),
            &Databases::default(),
            &Shells::default(),
        )
        .expect("an account");
        assert_eq!(
            shown(decision.databases.passwd.as_ref()),
            "root:x:0:0:root:/root:/sbin/nologin\n\
             mambauser:x:57439:57439::/home/mambauser:/sbin/nologin\n"
        );
        assert_eq!(
            shown(decision.databases.group.as_ref()),
            "root:x:0:\nmambauser:x:57439:\n"
        );
        assert_eq!(decision.databases.shadow, None);
        assert_eq!(decision.databases.gshadow, None);
    }

    #[test]
    fn a_taken_id_is_shared_and_the_new_name_comes_first() {
        let asked = request(Some("al-khawarizmi"), Some(1000), Some(100));
        let decision = decided(&asked, &ubuntu());
        let found = decision.databases.by_uid(1000).map(|a| a.name.to_owned());
        assert_eq!(found, Some("al-khawarizmi".into()));
        assert!(decision.databases.by_name("ubuntu").is_some());
        assert_eq!(shown(decision.databases.group.as_ref()), DEBIAN_GROUP);
        assert_eq!(decision.notices.len(), 1);
        assert_eq!(decision.user.home, "/home/al-khawarizmi");
    }

    #[test]
    fn an_existing_account_is_used_as_it_is() {
        let decision = decided(&request(Some("ubuntu"), None, None), &ubuntu());
        assert_eq!((decision.user.uid, decision.user.gid), (1000, 1000));
        assert_eq!(decision.databases, ubuntu());
        let decision = decided(&request(Some("ubuntu"), Some(1000), Some(100)), &ubuntu());
        assert_eq!(decision.user.gid, 100);
        assert!(
            shown(decision.databases.passwd.as_ref())
                .contains("ubuntu:x:1000:100:Ubuntu:/home/ubuntu:")
        );
    }

    #[test]
    fn a_taken_name_with_another_id_is_an_error() {
        let error = decide(&request(Some("ubuntu"), Some(5), None), &ubuntu(), &bash());
        assert!(matches!(
            error,
            Err(AccountError::NameTaken {
                found: 1000,
                wanted: 5,
                ..
            })
        ));
    }

    #[test]
    fn root_needs_no_new_account() {
        let decision = decided(&request(Some("root"), None, None), &ubuntu());
        assert_eq!(decision.databases, ubuntu());
        assert_eq!(decision.user.home, "/root");
        let wrong = [
            request(Some("root"), Some(1), None),
            request(Some("root"), None, Some(1)),
            request(Some("toor"), Some(0), None),
        ];
        for wrong in wrong {
            assert!(decide(&wrong, &ubuntu(), &bash()).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn digits_are_an_id() {
        let known = decided(&request(Some("1000"), None, None), &ubuntu());
        assert_eq!(known.user.name, "ubuntu");
        let new = decided(&request(Some("1234"), None, None), &ubuntu());
        assert_eq!(new.user.name, DEFAULT_NAME);
        assert_eq!((new.user.uid, new.user.gid), (1234, 1234));
    }

    #[test]
    fn the_group_of_a_new_user_never_takes_a_name() {
        let decision = decided(&request(Some("staff"), None, None), &ubuntu());
        assert!(shown(decision.databases.group.as_ref()).ends_with("staff-57439:x:57439:\n"));
    }

    #[test]
    fn invalid_names_are_refused() {
        let long = "x".repeat(33);
        for name in [
            "",
            "a:b",
            "a\nb",
            "a/b",
            "-x",
            ".x",
            "1x",
            "ü",
            "a b",
            &long,
            "99999999999",
        ] {
            let error = decide(&request(Some(name), None, None), &ubuntu(), &bash());
            assert!(matches!(error, Err(AccountError::InvalidName(_))), "{name}");
        }
    }

    #[test]
    fn ids_that_no_container_can_start_with_are_refused() {
        let above = MAX_ID + 1;
        for (name, uid, gid) in [
            (None, Some(u32::MAX), None),
            (None, Some(above), None),
            (None, None, Some(above)),
            (Some("2147483648"), None, None),
        ] {
            let error = decide(&request(name, uid, gid), &ubuntu(), &bash());
            assert!(
                matches!(error, Err(AccountError::InvalidId(_))),
                "{error:?}"
            );
        }
        let highest = decided(&request(None, Some(MAX_ID), None), &ubuntu());
        assert_eq!(highest.user.gid, MAX_ID);

        let base = |ids: &str| Databases {
            passwd: Some(format!("ldap:x:{ids}::/home/ldap:/bin/sh\n").into()),
            ..ubuntu()
        };
        for ids in ["3000000000:100", "100:3000000000"] {
            let error = decide(&request(Some("ldap"), None, None), &base(ids), &bash());
            let expected = "the base image's user `ldap` has the id 3000000000, and containers start only with ids up to 2147483647";
            assert_eq!(error.unwrap_err().to_string(), expected);
        }
        // The group is replaced.
        let asked = request(Some("ldap"), None, Some(5));
        assert_eq!(decided(&asked, &base("100:3000000000")).user.gid, 5);
    }
}
