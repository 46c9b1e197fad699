//! The readers of accounts, for `tests/fuzz`.

use super::base::Shells;
use super::database::Databases;
use super::user::decide;
use condafront_step_spec::account::UserRequest;

/// Adds accounts to a base image's files: passwd, group, shadow and gshadow, with a NUL after each.
///
/// # Panics
/// Where the image would run as another account than the chosen one.
pub fn accounts(data: &[u8]) {
    let mut files = data.split(|byte| *byte == 0).map(<[u8]>::to_vec);
    let base = Databases {
        passwd: files.next(),
        group: files.next(),
        shadow: files.next(),
        gshadow: files.next(),
    };
    for (name, uid, gid) in [
        (None, None, None),
        (Some("ada"), None, Some(100)),
        (Some("1000"), None, None),
        (Some("daemon"), None, Some(7)),
        (Some("root"), Some(0), None),
    ] {
        let request = UserRequest {
            name: name.map(str::to_owned),
            uid,
            gid,
            group_writable: false,
        };
        let Ok(decision) = decide(&request, &base, &Shells::default()) else {
            continue;
        };
        let found = decision.databases.by_name(&decision.user.name);
        let found = found.map(|account| (account.uid, account.gid));
        assert_eq!(found, Some((decision.user.uid, decision.user.gid)));
    }
}
