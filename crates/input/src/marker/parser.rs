//! Reads a marker.

use super::expression::{Expression, OPERATORS, Operand, Operator};

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

/// Names from before the specification, and those for them.
const OLD_NAMES: &[(&str, &str)] = &[
    ("os.name", "os_name"),
    ("platform.machine", "platform_machine"),
    (
        "platform.python_implementation",
        "platform_python_implementation",
    ),
    ("platform.version", "platform_version"),
    ("python_implementation", "platform_python_implementation"),
    ("sys.platform", "sys_platform"),
];

/// How many parentheses may be open at once.
const DEEPEST: usize = 50;

/// Reads the whole text.
///
/// # Errors
/// What is wrong with it.
pub(super) fn parse(text: &str) -> Result<Expression, String> {
    let mut parser = Parser {
        rest: text,
        open: 0,
    };
    let found = parser.any()?;
    match parser.rest.trim_start() {
        "" => Ok(found),
        rest => Err(format!("`{rest}` is not expected there")),
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
                return Err(format!("it has more than {DEEPEST} parentheses"));
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
            let mut old = OLD_NAMES.iter();
            let name = old.find(|(old, _)| *old == name).map_or(name, |it| it.1);
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
