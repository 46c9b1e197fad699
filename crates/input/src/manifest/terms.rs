//! What the lock of a manifest must have been written for.

use super::workspace::{Environment, Feature, Workspace};
use crate::environment_input::PypiIndexes;
use crate::lock_terms::{CutoffTerm, LockTerms, OptionKind, OptionTerm, PYPI_ORG};
use crate::section::image_section::Located;
use crate::yaml::Node;
use condafront_model::channel::{Channel, ChannelPriority};

/// What a build does with the channels of an environment.
pub(super) struct OfChannels<'c> {
    /// Those that the environment lists itself; `None` if a build-arg replaces them.
    pub(super) listed: Option<&'c [Channel]>,
    /// What their order means, if a build-arg or the image section says so.
    pub(super) priority: Option<ChannelPriority>,
    /// What the manifest says about the age of their packages.
    pub(super) exclude_newer: Option<CutoffTerm>,
}

/// The terms of an environment, without those of PyPI packages and the project. `together` are the environments that are solved
/// with it.
pub(super) fn read<'a>(
    workspace: &Workspace<'a>,
    environment: &Environment<'a>,
    together: &Environment<'a>,
    channels: OfChannels<'_>,
) -> LockTerms {
    let reader = Reader {
        workspace,
        environment,
    };
    let lines = workspace.lines();
    let lines_of = |key: &str| workspace.value(key).map_or(lines, |node| node.lines);
    let priority = channels.priority.and_then(|own| {
        let mut words = ChannelPriority::WORDS.iter();
        words
            .find(|(_, known)| *known == own)
            .map(|(word, _)| *word)
    });
    let features = environment.features.iter();
    let mut dev = features.flat_map(|one| workspace.tables(*one, &["dev"]));
    LockTerms {
        lines,
        channels: channels.listed.map(|listed| Located {
            value: listed.iter().map(|one| one.url.recorded()).collect(),
            lines: lines_of("channels"),
        }),
        platforms: lines_of("platforms"),
        options: vec![
            reader.option(OptionKind::Strategy, None),
            reader.option(OptionKind::ChannelPriority, priority),
            reader.prerelease_mode(together),
        ],
        exclude_newer: channels.exclude_newer,
        pypi: None,
        has_dev: dev.any(|table| table.mapping().is_some_and(|all| !all.is_empty())),
        project: None,
        group: Vec::new(),
    }
}

/// Where PyPI packages come from, as the lock of all environments that are solved at once says it. `own` is what one of them
/// says.
pub(super) fn indexes(terms: &LockTerms, mut own: PypiIndexes) -> PypiIndexes {
    let mut options = terms.options.iter();
    let mode = options.find(|one| one.kind == OptionKind::PrereleaseMode);
    let mode = mode.filter(|mode| mode.lines.is_some());
    own.prerelease_mode = mode.and_then(|mode| mode.words.first().cloned());
    let Some(pypi) = &terms.pypi else {
        return own;
    };
    if let Some(indexes) = &pypi.indexes {
        let mut all = indexes.all.iter().cloned();
        own.index = all.next().filter(|index| index != PYPI_ORG);
        own.more = all.collect();
    }
    if let Some(links) = &pypi.links {
        let addresses = links.all.iter().filter(|link| link.contains("://"));
        own.links = addresses.cloned().collect();
    }
    own
}

struct Reader<'w, 'a> {
    workspace: &'w Workspace<'a>,
    environment: &'w Environment<'a>,
}

impl<'a> Reader<'_, 'a> {
    /// A setting that features have; that of the default feature is in the table about the project.
    fn option(&self, kind: OptionKind, instead: Option<&str>) -> OptionTerm {
        let workspace = self.workspace;
        let key = kind.key();
        let of_feature = |feature: &Feature<'a>| {
            if feature.is_default() {
                workspace.value(key)
            } else {
                feature.table?.get(key)
            }
        };
        let said = self.environment.features.iter().find_map(of_feature);
        term(kind, said, instead)
    }

    /// How prereleases of PyPI packages count: the options of features come before those of the workspace.
    fn prerelease_mode(&self, together: &Environment<'a>) -> OptionTerm {
        let kind = OptionKind::PrereleaseMode;
        let workspace = self.workspace;
        let features = together.features.iter();
        let tables = features.flat_map(|one| workspace.tables(*one, &["pypi-options"]));
        let mut tables = tables.chain(workspace.value("pypi-options"));
        let said = tables.find_map(|table| table.get(kind.key()));
        term(kind, said, None)
    }
}

fn term(kind: OptionKind, said: Option<&Node>, instead: Option<&str>) -> OptionTerm {
    let word = said.and_then(Node::text);
    let words = [Some(word.unwrap_or(kind.default_word())), instead];
    let words = words.into_iter().flatten();
    OptionTerm {
        kind,
        words: words.map(str::to_owned).collect(),
        lines: said.map(|node| node.lines),
    }
}
