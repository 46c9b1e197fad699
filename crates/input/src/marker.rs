//! Environment markers, with those that only locks have
//! (<https://packaging.python.org/en/latest/specifications/dependency-specifiers/#environment-markers>).

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr as _;

use pep508_rs::pep440_rs::{Version, VersionSpecifier};

use condafront_model::pypi_package::normalized;

/// The variables with one value.
const VARIABLES: &[&str] = &[
    "extra",
    "implementation_name",
    "implementation_version",
    "os_name",
    "platform_machine",
    "platform_python_implementation",
    "platform_release",
    "platform_system",
    "platform_version",
    "python_full_version",
    "python_version",
    "sys_platform",
];

/// Those of them that are versions.
const VERSIONS: &[&str] = &[
    "implementation_version",
    "python_full_version",
    "python_version",
];

/// The operators, longer ones before their beginnings.
const OPERATORS: &[(&str, Operator)] = &[
    ("===", Operator::Equal),
    ("==", Operator::Equal),
    ("!=", Operator::NotEqual),
    ("<=", Operator::AtMost),
    (">=", Operator::AtLeast),
    ("~=", Operator::Compatible),
    ("<", Operator::Less),
    (">", Operator::Greater),
];

/// How many parentheses may be open at once.
const DEEPEST: usize = 50;

/// What markers are about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MarkerEnvironment {
    /// The values of variables by name. What is missing is empty.
    pub values: BTreeMap<&'static str, String>,
    /// The extras that are asked for, by normalized name.
    pub extras: BTreeSet<String>,
    /// The dependency groups that are asked for, by normalized name.
    pub groups: BTreeSet<String>,
}

/// A marker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marker(Expression);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Expression {
    Any(Vec<Expression>),
    All(Vec<Expression>),
    Compare(Operand, Operator, Operand),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Operand {
    Variable(&'static str),
    Extras,
    Groups,
    Text(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
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

impl Marker {
    /// Reads a marker.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut parser = Parser {
            rest: text,
            open: 0,
        };
        let found = parser.any()?;
        match parser.rest.trim_start() {
            "" => Ok(Self(found)),
            rest => Err(format!("`{rest}` is not expected there")),
        }
    }

    /// Whether it holds.
    pub fn holds(&self, environment: &MarkerEnvironment) -> bool {
        self.0.holds(environment)
    }

    /// Whether it can hold on Linux, whatever the python and the processor are.
    pub(crate) fn may_hold_on_linux(&self) -> bool {
        // Python 2 has the other name.
        ["linux", "linux2"].into_iter().any(|name| {
            let values = [
                ("os_name", "posix"),
                ("platform_system", "Linux"),
                ("sys_platform", name),
            ];
            let known = MarkerEnvironment {
                values: values.map(|(name, value)| (name, value.to_owned())).into(),
                ..MarkerEnvironment::default()
            };
            self.0.holds_at_least(&known) != Some(false)
        })
    }
}

impl Expression {
    fn holds(&self, environment: &MarkerEnvironment) -> bool {
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
}

impl Expression {
    /// Whether it holds in every environment that has the values of `known`; `None` if that differs.
    fn holds_at_least(&self, known: &MarkerEnvironment) -> Option<bool> {
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

    fn is_names(&self) -> bool {
        matches!(self, Self::Extras | Self::Groups)
    }
}

impl Operator {
    fn holds(self, left: &str, right: &str, is_version: bool) -> bool {
        if is_version && let Some(holds) = self.holds_for_versions(left, right) {
            return holds;
        }
        match self {
            Self::Equal | Self::Compatible => left == right,
            Self::NotEqual => left != right,
            Self::Less => left < right,
            Self::AtMost => left <= right,
            Self::Greater => left > right,
            Self::AtLeast => left >= right,
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

struct Parser<'a> {
    rest: &'a str,
    open: usize,
}

impl Parser<'_> {
    fn any(&mut self) -> Result<Expression, String> {
        let mut all = vec![self.all()?];
        while self.word("or") {
            all.push(self.all()?);
        }
        Ok(Expression::Any(all))
    }

    fn all(&mut self) -> Result<Expression, String> {
        let mut all = vec![self.one()?];
        while self.word("and") {
            all.push(self.one()?);
        }
        Ok(Expression::All(all))
    }

    fn one(&mut self) -> Result<Expression, String> {
        if self.sign("(") {
            self.open += 1;
            if self.open > DEEPEST {
                return Err("it has too many parentheses".to_owned());
            }
            let inside = self.any()?;
            self.open -= 1;
            return if self.sign(")") {
                Ok(inside)
            } else {
                Err("a parenthesis is not closed".to_owned())
            };
        }
        let left = self.operand()?;
        let operator = self.operator()?;
        let right = self.operand()?;
        let is_about_names = matches!(operator, Operator::In | Operator::NotIn);
        if left.is_names() || right.is_names() && !is_about_names {
            return Err(
                "`extras` and `dependency_groups` are only for `in` and `not in`".to_owned(),
            );
        }
        Ok(Expression::Compare(left, operator, right))
    }

    fn operand(&mut self) -> Result<Operand, String> {
        self.rest = self.rest.trim_start();
        let Some(mark) = self.rest.chars().next().filter(|c| ['\'', '"'].contains(c)) else {
            let is_inside = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
            let end = self.rest.find(|c| !is_inside(c));
            let (name, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
            self.rest = rest;
            return match name {
                "extras" => Ok(Operand::Extras),
                "dependency_groups" => Ok(Operand::Groups),
                "" => Err("a variable or a quoted string is missing".to_owned()),
                name => match VARIABLES.iter().find(|known| **known == name) {
                    Some(name) => Ok(Operand::Variable(name)),
                    None => Err(format!("`{name}` is not a variable")),
                },
            };
        };
        let (text, rest) = self.rest[1..]
            .split_once(mark)
            .ok_or("a quotation mark is not closed")?;
        self.rest = rest;
        Ok(Operand::Text(text.to_owned()))
    }

    fn operator(&mut self) -> Result<Operator, String> {
        if let Some((_, operator)) = OPERATORS.iter().find(|(sign, _)| self.sign(sign)) {
            return Ok(*operator);
        }
        if self.word("in") {
            return Ok(Operator::In);
        }
        if self.word("not") && self.word("in") {
            return Ok(Operator::NotIn);
        }
        Err("an operator is missing".to_owned())
    }

    /// Takes these characters, if they are next.
    fn sign(&mut self, sign: &str) -> bool {
        let rest = self.rest.trim_start().strip_prefix(sign);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// Takes this word, if it is next.
    fn word(&mut self, word: &str) -> bool {
        let rest = self.rest.trim_start().strip_prefix(word);
        let rest = rest.filter(|rest| !rest.starts_with(|c: char| c.is_ascii_alphanumeric()));
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment() -> MarkerEnvironment {
        let values = [
            ("python_version", "3.13"),
            ("python_full_version", "3.13.5"),
            ("sys_platform", "linux"),
            ("platform_machine", "x86_64"),
        ];
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        MarkerEnvironment {
            values: values.map(|(name, value)| (name, value.to_owned())).into(),
            extras: names(&["socks"]),
            groups: names(&["dev-tools"]),
        }
    }

    #[test]
    fn what_cannot_hold_on_linux_is_known_without_a_python() {
        for (text, may_hold) in [
            ("sys_platform == 'linux'", true),
            ("sys_platform == 'linux2'", true),
            ("sys_platform.x == 'win32'", true),
            ("sys_platform == 'win32'", false),
            ("platform_system != 'Linux'", false),
            ("os_name == 'nt' and python_version > '3'", false),
            ("os_name == 'nt' or python_version > '3'", true),
            (
                "(os_name == 'nt' or 'darwin' in sys_platform) and extra == 'x'",
                false,
            ),
            ("platform_machine == 'arm64'", true),
            ("python_version < '2'", true),
        ] {
            let found = Marker::parse(text).map(|marker| marker.may_hold_on_linux());
            assert_eq!(found.unwrap_or(true), may_hold, "{text}");
        }
    }

    #[test]
    fn markers_hold_as_for_pip() {
        for (text, expected) in [
            ("sys_platform == 'linux'", true),
            ("sys_platform=='linux'and python_version>='3.9'", true),
            (
                "python_version < \"3.9\" or 'x86' in platform_machine",
                true,
            ),
            (
                "python_version < '3.9' and (os_name == '' or os_name == 'nt')",
                false,
            ),
            (
                "(python_version < '3.9' or os_name == '') and sys_platform != 'win32'",
                true,
            ),
            ("'3.9' <= python_version", true),
            ("'3.9' > python_full_version", false),
            ("python_full_version ~= '3.13.2'", true),
            ("python_full_version == '3.13.*'", true),
            ("python_version not in '3.8, 3.9'", true),
            ("platform_machine in 'x86_64 aarch64'", true),
            ("'socks' in extras", true),
            ("'cli' in extras or 'Dev_Tools' in dependency_groups", true),
            ("'socks' not in extras", false),
            ("platform_release >= '5'", false),
            ("extra == 'x'", false),
        ] {
            let marker = Marker::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(marker.holds(&environment()), expected, "{text}");
        }
    }

    #[test]
    fn what_is_not_a_marker_is_refused() {
        for (text, expected) in [
            ("", "a variable or a quoted string is missing"),
            ("python_version", "an operator is missing"),
            ("python == '3'", "`python` is not a variable"),
            ("os_name == 'x", "a quotation mark is not closed"),
            ("(os_name == 'x'", "a parenthesis is not closed"),
            ("os_name == 'x' os_name", "`os_name` is not expected there"),
            (
                "extras == 'x'",
                "`extras` and `dependency_groups` are only for `in` and `not in`",
            ),
            (
                "'x' == extras",
                "`extras` and `dependency_groups` are only for `in` and `not in`",
            ),
            (&"(".repeat(1000), "it has too many parentheses"),
        ] {
            assert_eq!(Marker::parse(text).unwrap_err(), expected, "{text}");
        }
    }
}
