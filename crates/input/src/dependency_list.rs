//! Dependencies on conda packages, collected from all places that name them.

use std::collections::HashMap;

use super::match_spec::Dependency;
use super::place::Place;
use crate::environment_input::RequestedSpec;
use condafront_model::lint::{Rule, Warning};
use condafront_model::source::Lines;

/// Dependencies on conda packages, each once.
#[derive(Default)]
pub(super) struct DependencyList {
    specs: Vec<RequestedSpec>,
    /// The specs of each package.
    by_name: HashMap<String, Vec<usize>>,
}

impl DependencyList {
    /// Adds a dependency, and returns what is doubtful about it. A second one on the same package is.
    pub(super) fn push(
        &mut self,
        dependency: Dependency,
        place: Place<'_>,
    ) -> impl Iterator<Item = Warning> + use<> {
        let earlier = self.by_name.entry(dependency.name.clone()).or_default();
        let same = earlier
            .iter()
            .find(|index| self.specs[**index].spec == dependency.spec.spec);
        // Lines with conditions rarely hold together.
        let other = earlier.first().filter(|_| !dependency.is_conditional);
        let first = same.or(other).map(|index| self.specs[*index].lines);
        let twice = first.map(|first| {
            let message = match same {
                Some(_) => format!("{} is listed twice", dependency.name),
                None => format!(
                    "{} is listed twice, and must satisfy both lines",
                    dependency.name
                ),
            };
            Warning {
                rule: Rule::DuplicatePackage,
                diagnostic: place
                    .error(message)
                    .at(place.file, first)
                    .help("Put everything about a package on one line."),
            }
        });
        if same.is_none() {
            earlier.push(self.specs.len());
            self.specs.push(dependency.spec);
        }
        dependency.warning.into_iter().chain(twice)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.specs.is_empty()
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }

    /// Adds a package without any constraint.
    pub(super) fn add(&mut self, name: &str, lines: Lines) {
        self.by_name
            .entry(name.to_owned())
            .or_default()
            .push(self.specs.len());
        self.specs.push(RequestedSpec {
            spec: name.to_owned(),
            lines,
            is_implied: true,
        });
    }

    /// All of them.
    pub(super) fn finish(self) -> Vec<RequestedSpec> {
        self.specs
    }
}
