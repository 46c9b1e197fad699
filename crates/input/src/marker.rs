//! Environment markers, with those that only locks have
//! (<https://packaging.python.org/en/latest/specifications/dependency-specifiers/#environment-markers>).

mod environment;
mod expression;
mod parser;

pub use environment::MarkerEnvironment;

use expression::Expression;

/// What no file says about the machines that run an image.
const OF_MACHINES: [&str; 3] = ["platform_release", "platform_version", "platform.version"];

/// A marker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marker(Expression);

impl Marker {
    /// Reads a marker.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        parser::parse(text).map(Self)
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

impl MarkerEnvironment {
    /// Whether a marker holds, whatever the machine is like. One that cannot be read does not.
    pub(crate) fn surely_meets(&self, marker: &str) -> bool {
        !OF_MACHINES.iter().any(|name| marker.contains(name))
            && Marker::parse(marker).is_ok_and(|marker| marker.holds(self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use condafront_model::platform::Platform;

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
            ("sys.platform == 'linux' and os.name != 'nt'", true),
            ("platform.machine == 'x86_64'", true),
            (
                "python_implementation == platform_python_implementation",
                true,
            ),
            ("sys_platform > 'a'", false),
            ("sys_platform >= 'linux' and sys_platform <= 'linux'", true),
            ("python_version >= '3.8.*'", false),
            ("python_version < '3.8.*'", false),
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
            (
                "python.version == '3'",
                "`python.version` is not a variable",
            ),
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
            (&"(".repeat(1000), "it has more than 50 parentheses"),
        ] {
            assert_eq!(Marker::parse(text).unwrap_err(), expected, "{text}");
        }
    }

    #[test]
    fn only_what_an_image_has_meets_markers() {
        let image = MarkerEnvironment::of_cpython("3.13", "3.13.5", Platform::LinuxArm64);
        for (marker, expected) in [
            ("sys_platform == 'linux' and python_version >= '3.9'", true),
            ("platform_machine == 'aarch64'", true),
            ("sys_platform == 'darwin'", false),
            ("platform_release >= '5'", false),
            ("platform_release < '5'", false),
            ("platform.version != '5'", false),
            ("no marker", false),
        ] {
            assert_eq!(image.surely_meets(marker), expected, "{marker}");
        }
    }
}
