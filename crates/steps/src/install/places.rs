//! Where the paths of several packages end up when they are installed together.
//!
//! A link to a directory holds for all packages: if one has the link `lib64 -> lib`, then `lib64/x` of another one is
//! `lib/x`. So the result depends neither on which of them is linked first nor on which of them share a layer. What
//! cannot be in one directory tree is refused: a file where another package needs a directory.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use crate::root::MAX_LINKS;

/// The directory with the records of installed packages.
const RECORDS: &str = "conda-meta";

/// Whether `path`, relative to the prefix, is one that installers write: a record, the history, or the variables of
/// `conda env config`. The directory itself is one too: a link in its place would lead records elsewhere.
pub(crate) fn is_installers(path: &str) -> bool {
    let Some(rest) = path.strip_prefix(RECORDS) else {
        return false;
    };
    match rest.strip_prefix('/') {
        None => rest.is_empty(),
        Some(name) => {
            let name = name.split('/').next().unwrap_or_default();
            name.ends_with(".json") || ["history", "state"].contains(&name)
        }
    }
}

/// What a package has at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind<'a> {
    /// A regular file.
    File,
    /// A symlink with its target.
    Link(&'a str),
    /// A directory that the package lists by itself.
    Directory,
}

/// A path of a package.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Claim<'a> {
    /// The package's index among all of them.
    pub(crate) package: usize,
    /// Relative to the prefix.
    pub(crate) path: &'a str,
    pub(crate) kind: Kind<'a>,
}

/// Paths that cannot be in one directory tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Conflict {
    /// The package that needs a directory, and its path.
    pub(crate) package: usize,
    pub(crate) path: String,
    /// The package in its way, and the path of that.
    pub(crate) other: usize,
    pub(crate) blocked_at: String,
    pub(crate) why: Blocked,
}

/// Why a path cannot be a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Blocked {
    /// It is a regular file.
    File,
    /// Packages have different links there.
    Links,
    /// It is a link to itself, through others.
    Loop,
    /// It is a link out of the environment, or to something that installers write.
    Outside,
}

impl Conflict {
    /// What is wrong, with the packages' names by their indices.
    pub(crate) fn describe(&self, name: impl Fn(usize) -> String) -> String {
        let (package, other) = (name(self.package), name(self.other));
        let Self {
            path, blocked_at, ..
        } = self;
        let why = match self.why {
            Blocked::File => format!("`{blocked_at}` is a file of {other}"),
            Blocked::Links => {
                format!(
                    "`{blocked_at}` is a link of {other} and a different one of another package"
                )
            }
            Blocked::Loop => format!("`{blocked_at}`, a link of {other}, points to itself"),
            Blocked::Outside => {
                format!(
                    "`{blocked_at}`, a link of {other}, points to a directory that packages may not use"
                )
            }
        };
        format!(
            "{package} and {other} cannot be installed together: {package} has `{path}`, but {why}"
        )
    }
}

/// Where paths are, given the links of all packages.
#[derive(Debug, Default)]
pub(crate) struct Places {
    /// The links that a path of another package leads through, with their targets.
    links: BTreeMap<String, String>,
}

/// The files and links at each path.
type Tops<'a> = HashMap<Cow<'a, str>, Vec<Claim<'a>>>;

impl Places {
    /// The places of the paths `claims`.
    ///
    /// # Errors
    /// Paths that cannot be in one tree.
    pub(crate) fn new(claims: &[Claim<'_>]) -> Result<Self, Conflict> {
        let is_top = |claim: &&Claim<'_>| claim.kind != Kind::Directory;
        let mut tops = Tops::new();
        for claim in claims.iter().filter(is_top) {
            tops.entry(claim.path.into()).or_default().push(*claim);
        }
        // Links can themselves be below links, so that their places are known only after those of the others.
        for _ in 0..MAX_LINKS {
            let mut links = BTreeMap::new();
            let mut next = Tops::new();
            let mut is_settled = true;
            for claim in claims {
                let place = place_of(claim, &tops, &mut links)?;
                if is_top(&claim) {
                    is_settled &= tops.get(&place).is_some_and(|all| {
                        let mut all = all.iter();
                        all.any(|it| it.path == claim.path && it.package == claim.package)
                    });
                    next.entry(place).or_default().push(*claim);
                }
            }
            if is_settled {
                return Ok(Self { links });
            }
            tops = next;
        }
        let looped = claims
            .iter()
            .find(|claim| matches!(claim.kind, Kind::Link(_)));
        match looped {
            Some(claim) => Err(conflict(claim, claim, claim.path, Blocked::Loop)),
            None => Ok(Self::default()),
        }
    }

    /// Whether a path of one package leads through a link of another one.
    pub(crate) fn has_links(&self) -> bool {
        !self.links.is_empty()
    }

    /// Where the file or link `path` is.
    pub(crate) fn file<'a>(&self, path: &'a str) -> Cow<'a, str> {
        self.real(path, false)
    }

    /// Where the directory `path` is.
    pub(crate) fn directory<'a>(&self, path: &'a str) -> Cow<'a, str> {
        self.real(path, true)
    }

    fn real<'a>(&self, path: &'a str, follow: bool) -> Cow<'a, str> {
        if self.links.is_empty() {
            return Cow::Borrowed(path);
        }
        let target = |place: &str| Ok(self.links.get(place).map(String::as_str));
        walk(path, follow, target).unwrap_or(Cow::Borrowed(path))
    }
}

/// Where a claimed path is, and adds to `links` what it leads through.
fn place_of<'a>(
    claim: &Claim<'a>,
    tops: &Tops<'a>,
    links: &mut BTreeMap<String, String>,
) -> Result<Cow<'a, str>, Conflict> {
    let mut last = None;
    let place = walk(claim.path, claim.kind == Kind::Directory, |place| {
        let Some(all) = tops.get(place) else {
            return Ok(None);
        };
        let first = all[0];
        let blocked = |by: &Claim<'_>, why| Stop::Blocked(conflict(claim, by, place, why));
        let Kind::Link(target) = first.kind else {
            return Err(blocked(&first, Blocked::File));
        };
        if let Some(other) = all.iter().find(|other| other.kind != first.kind) {
            let why = match other.kind {
                Kind::Link(_) => Blocked::Links,
                _ => Blocked::File,
            };
            return Err(blocked(other, why));
        }
        links.insert(place.to_owned(), target.to_owned());
        last = Some(first);
        Ok(Some(target))
    });
    let by = last.unwrap_or(*claim);
    let blocked = |why| Err(conflict(claim, &by, by.path, why));
    match place {
        Ok(place) if last.is_some() && is_installers(&place) => blocked(Blocked::Outside),
        Ok(place) => Ok(place),
        Err(Stop::Blocked(conflict)) => Err(conflict),
        Err(Stop::Loop) => blocked(Blocked::Loop),
        Err(Stop::Outside) => blocked(Blocked::Outside),
    }
}

fn conflict(claim: &Claim<'_>, other: &Claim<'_>, blocked_at: &str, why: Blocked) -> Conflict {
    Conflict {
        package: claim.package,
        path: claim.path.to_owned(),
        other: other.package,
        blocked_at: blocked_at.to_owned(),
        why,
    }
}

/// Why a path has no target.
enum Stop {
    Blocked(Conflict),
    Loop,
    Outside,
}

/// The path without the links in it, as the kernel resolves it; its last part is resolved only if `follow`. `target` gives
/// the target of the link at a path.
fn walk<'a, 'l>(
    path: &'a str,
    follow: bool,
    mut target: impl FnMut(&str) -> Result<Option<&'l str>, Stop>,
) -> Result<Cow<'a, str>, Stop> {
    let mut at = String::with_capacity(path.len());
    // The parts still to walk, the next one last.
    let mut ahead: Vec<Cow<'_, str>> = path.rsplit('/').map(Cow::Borrowed).collect();
    let mut followed = 0;
    while let Some(part) = ahead.pop() {
        let parent = at.len();
        match &*part {
            "" | "." => continue,
            ".." if at.is_empty() => return Err(Stop::Outside),
            ".." => {
                at.truncate(at.rfind('/').unwrap_or(0));
                continue;
            }
            name => {
                if parent > 0 {
                    at.push('/');
                }
                at.push_str(name);
            }
        }
        if ahead.is_empty() && !follow {
            break;
        }
        if let Some(target) = target(&at)? {
            followed += 1;
            if followed > MAX_LINKS {
                return Err(Stop::Loop);
            }
            if target.starts_with('/') {
                return Err(Stop::Outside);
            }
            at.truncate(parent);
            ahead.extend(target.rsplit('/').map(|part| Cow::Owned(part.to_owned())));
        }
    }
    Ok(if followed == 0 {
        Cow::Borrowed(path)
    } else {
        Cow::Owned(at)
    })
}
