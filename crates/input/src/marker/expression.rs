//! What a marker compares, and when that holds.

use std::str::FromStr as _;

use pep508_rs::pep440_rs::{Version, VersionSpecifier};

use super::environment::MarkerEnvironment;
use condafront_model::pypi_package::normalized;

/// The variables that are versions.
const VERSIONS: &[&str] = &[
    "implementation_version",
    "python_full_version",
    "python_version",
];

/// The operators, longer ones before their beginnings.
pub(super) const OPERATORS: &[(&str, Operator)] = &[
    ("===", Operator::Equal),
    ("==", Operator::Equal),
    ("!=", Operator::NotEqual),
    ("<=", Operator::AtMost),
    (">=", Operator::AtLeast),
    ("~=", Operator::Compatible),
    ("<", Operator::Less),
    (">", Operator::Greater),
];

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Expression {
    Any(Vec<Expression>),
    All(Vec<Expression>),
    Compare(Operand, Operator, Operand),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Operand {
    Variable(&'static str),
    Extras,
    Groups,
    Text(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Less,
    AtMost,
    Greater,
    AtLeast,
    Compatible,
    In,
    NotIn,
}

impl Expression {
    pub(super) fn holds(&self, environment: &MarkerEnvironment) -> bool {
        match self {
            Self::Any(all) => all.iter().any(|one| one.holds(environment)),
            Self::All(all) => all.iter().all(|one| one.holds(environment)),
            Self::Compare(left, operator, right) => {
                let names = match right {
                    Operand::Extras => Some(&environment.extras),
                    Operand::Groups => Some(&environment.groups),
                    Operand::Variable(_) | Operand::Text(_) => None,
                };
                let value = left.value(environment);
                match names {
                    Some(names) => {
                        names.contains(&normalized(value)) == (*operator == Operator::In)
                    }
                    None => {
                        let is_version = left.is_version() || right.is_version();
                        operator.holds(value, right.value(environment), is_version)
                    }
                }
            }
        }
    }

    /// Whether it holds in every environment that has the values of `known`; `None` if that differs.
    pub(super) fn holds_at_least(&self, known: &MarkerEnvironment) -> Option<bool> {
        let decided = |all: &[Self], by: bool| {
            let mut found = all.iter().map(|one| one.holds_at_least(known));
            if found.clone().any(|one| one == Some(by)) {
                return Some(by);
            }
            found.all(|one| one.is_some()).then_some(!by)
        };
        match self {
            Self::Any(all) => decided(all, true),
            Self::All(all) => decided(all, false),
            Self::Compare(left, _, right) => {
                let is_known = left.is_known(known) && right.is_known(known);
                is_known.then(|| self.holds(known))
            }
        }
    }
}

impl Operand {
    fn is_known(&self, known: &MarkerEnvironment) -> bool {
        match self {
            Self::Text(_) => true,
            Self::Variable(name) => known.values.contains_key(name),
            Self::Extras | Self::Groups => false,
        }
    }

    fn value<'a>(&'a self, environment: &'a MarkerEnvironment) -> &'a str {
        match self {
            Self::Text(text) => text,
            Self::Variable(name) => environment.values.get(name).map_or("", String::as_str),
            Self::Extras | Self::Groups => "",
        }
    }

    fn is_version(&self) -> bool {
        matches!(self, Self::Variable(name) if VERSIONS.contains(name))
    }

    pub(super) fn is_names(&self) -> bool {
        matches!(self, Self::Extras | Self::Groups)
    }
}

impl Operator {
    fn holds(self, left: &str, right: &str, is_version: bool) -> bool {
        if is_version && let Some(holds) = self.holds_for_versions(left, right) {
            return holds;
        }
        match self {
            // Other values than versions have no order.
            Self::Equal | Self::Compatible | Self::AtMost | Self::AtLeast => left == right,
            Self::NotEqual => left != right,
            Self::Less | Self::Greater => false,
            Self::In => right.contains(left),
            Self::NotIn => !right.contains(left),
        }
    }

    /// `None` if this does not compare versions.
    fn holds_for_versions(self, left: &str, right: &str) -> Option<bool> {
        let sign = OPERATORS.iter().rfind(|(_, operator)| *operator == self)?.0;
        let of = |version: &str, sign: &str, other: &str| {
            let version = Version::from_str(version).ok()?;
            let specifier = VersionSpecifier::from_str(&format!("{sign}{other}")).ok()?;
            Some(specifier.contains(&version))
        };
        // The other way round, a literal is before the variable.
        let mirrored = match self {
            Self::Less => ">",
            Self::AtMost => ">=",
            Self::Greater => "<",
            Self::AtLeast => "<=",
            _ => sign,
        };
        of(left, sign, right).or_else(|| of(right, mirrored, left))
    }
}
