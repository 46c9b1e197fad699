//! Archives that an installer must refuse: broken ones, and ones that reach outside the prefix.

use super::archive::{self, Format, Member, MemberKind};
use super::recipe::{Kind, Recipe};
use super::store::Job;

/// The packages, each in the newer format under this name and in the older format with `-bz2` appended:
///
/// | name | what is wrong |
/// |---|---|
/// | `dotdot` | a member `../../escaped.txt` |
/// | `absolute` | a member `/tmp/escaped.txt` |
/// | `symlink-out` | a link to `../../../etc/passwd`, above any usual prefix |
/// | `through-symlink` | a link to `/tmp`, then a file written through it |
/// | `hardlink-out` | a hard link to `/etc/passwd` |
/// | `device` | a character device |
/// | `no-info` | no `info/` |
/// | `wrong-name` | `info/index.json` describes another package |
/// | `wrong-content` | a file whose content does not match `paths.json` |
/// | `truncated` | the second half of the archive is missing |
/// | `garbage` | noise |
/// | `wrong-format` | the format does not match the file name |
/// | `html` | a web page |
/// | `empty` | no bytes |
pub(super) fn jobs() -> Vec<Job> {
    [Format::Conda, Format::TarBz2]
        .into_iter()
        .flat_map(|format| {
            CASES.iter().map(move |(name, make)| -> Job {
                Box::new(move || {
                    let name = match format {
                        Format::Conda => (*name).to_owned(),
                        Format::TarBz2 => format!("{name}-bz2"),
                    };
                    let recipe = Recipe::new(&name, "1.0", Kind::NoarchGeneric)
                        .format(format)
                        .file(&format!("share/{name}/readme.txt"), "readme\n", 0o644);
                    let bytes = make(&recipe);
                    (recipe.record(&bytes), bytes)
                })
            })
        })
        .collect()
}

type Make = fn(&Recipe) -> Vec<u8>;

const CASES: [(&str, Make); 14] = [
    ("dotdot", |recipe| {
        with(recipe, [Member::file("../../escaped.txt", "out\n", 0o644)])
    }),
    ("absolute", |recipe| {
        with(recipe, [Member::file("/tmp/escaped.txt", "out\n", 0o644)])
    }),
    ("symlink-out", |recipe| {
        with(
            recipe,
            [Member::symlink("share/out", "../../../../../etc/passwd")],
        )
    }),
    ("through-symlink", |recipe| {
        with(
            recipe,
            [
                Member::symlink("share/out", "/tmp"),
                Member::file("share/out/escaped.txt", "out\n", 0o644),
            ],
        )
    }),
    ("hardlink-out", |recipe| {
        with(
            recipe,
            [Member {
                path: "share/passwd".to_owned(),
                kind: MemberKind::Hardlink("/etc/passwd".to_owned()),
            }],
        )
    }),
    ("device", |recipe| {
        with(
            recipe,
            [Member {
                path: "share/null".to_owned(),
                kind: MemberKind::CharacterDevice,
            }],
        )
    }),
    ("no-info", |recipe| {
        let payload = [Member::file("share/no-info.txt", "text\n", 0o644)];
        archive::package(recipe.format, &recipe.stem(), &[], &payload, recipe.time)
    }),
    ("wrong-name", |recipe| {
        let mut other = recipe.clone();
        other.name = "another-package".to_owned();
        let payload = readme(recipe);
        archive::package(
            recipe.format,
            &recipe.stem(),
            &other.info(),
            &[payload],
            recipe.time,
        )
    }),
    ("wrong-content", |recipe| {
        let mut payload = readme(recipe);
        if let MemberKind::File { content, .. } = &mut payload.kind {
            *content = b"others\n".to_vec();
        }
        archive::package(
            recipe.format,
            &recipe.stem(),
            &recipe.info(),
            &[payload],
            recipe.time,
        )
    }),
    ("truncated", |recipe| {
        let mut bytes = recipe.build().1;
        bytes.truncate(bytes.len() / 2);
        bytes
    }),
    ("garbage", |_| {
        (0_u32..4096)
            .map(|number| number.wrapping_mul(2_654_435_761).to_be_bytes()[0])
            .collect()
    }),
    ("wrong-format", |recipe| {
        let other = match recipe.format {
            Format::Conda => Format::TarBz2,
            Format::TarBz2 => Format::Conda,
        };
        recipe.clone().format(other).build().1
    }),
    ("html", |_| {
        b"<!DOCTYPE html>\n<html><body>Sign in</body></html>\n".to_vec()
    }),
    ("empty", |_| Vec::new()),
];

fn readme(recipe: &Recipe) -> Member {
    Member::file(
        &format!("share/{}/readme.txt", recipe.name),
        "readme\n",
        0o644,
    )
}

/// A valid package with additional `members`, which `paths.json` lists too.
fn with(recipe: &Recipe, members: impl IntoIterator<Item = Member>) -> Vec<u8> {
    let mut listed = recipe.clone();
    let mut payload = vec![readme(recipe)];
    for member in members {
        listed = match &member.kind {
            MemberKind::File { content, mode } => listed.file(&member.path, content.clone(), *mode),
            MemberKind::Symlink(target) => listed.symlink(&member.path, target),
            MemberKind::Hardlink(_) | MemberKind::CharacterDevice => {
                listed.file(&member.path, "", 0o644)
            }
        };
        payload.push(member);
    }
    archive::package(
        recipe.format,
        &recipe.stem(),
        &listed.info(),
        &payload,
        recipe.time,
    )
}
