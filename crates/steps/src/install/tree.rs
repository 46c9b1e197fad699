//! What the prefix has at each path when all groups are installed, and what their stacked layers show instead.

use std::collections::{BTreeMap, BTreeSet};

use super::bytecode::{is_stale, source_of};
use super::places::{Claim, Conflict, Kind, Places};
use condafront_step_spec::facts::{Clash, Fingerprint, PackagePaths, PathFacts};

/// The paths of a group's packages, each with the package's position among all.
pub(crate) type GroupPaths = Vec<(usize, PackagePaths)>;

/// The paths of all groups.
pub(crate) struct Tree<'a> {
    places: Places,
    /// Who has a file or link at each path, in the order of the packages.
    holders: BTreeMap<String, Vec<Holder<'a>>>,
    /// The listed directories that links of other groups lead elsewhere.
    moved_directories: Vec<Clash>,
}

/// A package that has a file or link.
struct Holder<'a> {
    position: usize,
    group: usize,
    /// The path in its own metadata.
    own_path: &'a str,
    /// Where its group's layer has it.
    in_layer: String,
    fingerprint: &'a Fingerprint,
}

/// A file that another package replaces with different content.
pub(crate) struct Lost<'a> {
    pub(crate) path: &'a str,
    pub(crate) winner: usize,
    pub(crate) loser: usize,
}

impl<'a> Tree<'a> {
    /// The tree of `groups`.
    ///
    /// # Errors
    /// Paths that cannot be in one tree.
    pub(crate) fn new(groups: &'a [GroupPaths]) -> Result<Self, Conflict> {
        let claims_of = |paths: &'a GroupPaths| -> Vec<Claim<'a>> {
            let packages = paths.iter();
            let all = packages.flat_map(|(position, paths)| {
                paths
                    .iter()
                    .map(|(path, facts)| claim(*position, path, facts))
            });
            all.collect()
        };
        let mut claims: Vec<Claim<'_>> = groups.iter().flat_map(claims_of).collect();
        claims.sort_by_key(|claim| claim.package);
        let places = Places::new(&claims)?;
        let mut tree = Self {
            places,
            holders: BTreeMap::new(),
            moved_directories: Vec::new(),
        };
        for (group, paths) in groups.iter().enumerate() {
            // Without links to follow, a layer has everything at its own path.
            let in_layer = if tree.places.has_links() {
                Places::new(&claims_of(paths))?
            } else {
                Places::default()
            };
            for (position, paths) in paths {
                for (path, facts) in paths {
                    tree.add(*position, group, path, facts, &in_layer);
                }
            }
        }
        for holders in tree.holders.values_mut() {
            holders.sort_by_key(|holder| (holder.position, holder.own_path));
        }
        Ok(tree)
    }

    fn add(
        &mut self,
        position: usize,
        group: usize,
        path: &'a str,
        facts: &'a PathFacts,
        in_layer: &Places,
    ) {
        match facts {
            PathFacts::Directory => {
                let (place, from) = (self.places.directory(path), in_layer.directory(path));
                if place != from {
                    self.moved_directories.push(Clash {
                        path: place.into_owned(),
                        winner: group,
                        from: Some(from.into_owned()),
                        is_empty: false,
                    });
                }
            }
            PathFacts::File { fingerprint, .. } => {
                let place = self.places.file(path).into_owned();
                self.holders.entry(place).or_default().push(Holder {
                    position,
                    group,
                    own_path: path,
                    in_layer: in_layer.file(path).into_owned(),
                    fingerprint,
                });
            }
        }
    }

    /// The group whose file is at `path`.
    pub(crate) fn group_of(&self, path: &str) -> Option<usize> {
        let holders = self.holders.get(&*self.places.file(path))?;
        Some(holders.last()?.group)
    }

    /// The files that later packages replace.
    pub(crate) fn lost(&self) -> impl Iterator<Item = Lost<'_>> {
        self.holders.iter().flat_map(|(path, holders)| {
            let winner = holders.last();
            holders.iter().filter_map(move |loser| {
                let winner = winner?;
                let differs = winner.fingerprint.content() != loser.fingerprint.content();
                (differs && winner.position != loser.position).then_some(Lost {
                    path,
                    winner: winner.position,
                    loser: loser.position,
                })
            })
        })
    }

    /// The paths at which a layer has a directory instead of another group's link to one.
    fn shadows(&self) -> BTreeSet<&str> {
        let holders = self.holders.iter();
        let files = holders.flat_map(|(place, holders)| {
            let moved = holders.iter().filter(move |it| it.in_layer != *place);
            moved.map(|holder| holder.in_layer.as_str())
        });
        let directories = self.moved_directories.iter();
        let directories = directories.filter_map(|moved| moved.from.as_deref());
        let paths = files.chain(directories).flat_map(|path| {
            let above = path.match_indices('/').map(|(end, _)| &path[..end]);
            above.chain(std::iter::once(path))
        });
        paths
            .filter(|path| self.holders.contains_key(*path))
            .collect()
    }

    /// What stacked layers do not show as a single install leaves it.
    pub(crate) fn clashes(&self) -> Vec<Clash> {
        let mut clashes = BTreeMap::new();
        let shadows = self.shadows();
        for clash in &self.moved_directories {
            clashes.insert(clash.path.clone(), clash.clone());
        }
        for (path, holders) in &self.holders {
            let Some(winner) = holders.last() else {
                continue;
            };
            let is_moved = winner.in_layer != *path;
            if is_moved || shadows.contains(path.as_str()) || self.differ(path, holders) {
                let clash = Clash {
                    path: path.clone(),
                    winner: winner.group,
                    from: is_moved.then(|| winner.in_layer.clone()),
                    is_empty: self.is_stale(winner, |_| true),
                };
                clashes.insert(path.clone(), clash);
            }
        }
        clashes.into_values().collect()
    }

    /// Whether the layers that have something at `path` show different things there, or something else than a single
    /// install leaves.
    fn differ(&self, path: &str, holders: &[Holder<'_>]) -> bool {
        // A layer shows what its last package has.
        let shown: BTreeMap<usize, &Holder<'_>> = holders
            .iter()
            .filter(|holder| holder.in_layer == path)
            .map(|holder| (holder.group, holder))
            .collect();
        let left = holders.last();
        let left = left.map(|holder| (holder.fingerprint, self.is_stale(holder, |_| true)));
        let mut shown = shown.into_iter().map(|(group, holder)| {
            let is_stale = self.is_stale(holder, |other| other.group == group);
            (holder.fingerprint, is_stale)
        });
        shown.any(|shown| Some(shown) != left)
    }

    /// Whether what `holder` has is bytecode that does not fit the source that `among` some holders is beside it.
    fn is_stale(&self, holder: &Holder<'_>, among: impl Fn(&Holder<'_>) -> bool) -> bool {
        let Some(source) = source_of(holder.own_path) else {
            return false;
        };
        let place = self.places.file(&source);
        let sources = self.holders.get(&*place).map_or(&[][..], Vec::as_slice);
        let has_source = sources.iter().any(|it| it.position == holder.position);
        let owner = sources.iter().rfind(|it| among(it));
        is_stale(holder.position, has_source, owner.map(|it| it.position))
    }
}

fn claim<'a>(package: usize, path: &'a str, facts: &'a PathFacts) -> Claim<'a> {
    let kind = match facts {
        PathFacts::Directory => Kind::Directory,
        PathFacts::File { link: None, .. } => Kind::File,
        PathFacts::File {
            link: Some(target), ..
        } => Kind::Link(target),
    };
    Claim {
        package,
        path,
        kind,
    }
}
