//! Where the files of a wheel go.

use condafront_model::pypi_package::normalized;
use condafront_step_spec::install::PythonSpec;

/// Where an environment has the folders that a wheel's files go to, relative to the prefix.
#[derive(Debug, Clone)]
pub(super) struct Scheme {
    site_packages: String,
    headers: String,
}

/// Where a file goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// Which files are installed first: a later one replaces an earlier one at the same path.
    pub(super) kind: Kind,
    /// Relative to the prefix.
    pub(super) path: String,
}

/// What a file is, as far as it decides how it is installed, in the order in which pip installs files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// A module, or what is beside it.
    Module,
    /// A file in a folder of its own kind: data, headers, further modules.
    Data,
    /// A program.
    Script,
}

impl Scheme {
    /// The folders for the package `name` in an environment with this `python`.
    pub(super) fn new(python: &PythonSpec, name: &str) -> Self {
        // `lib/python3.13t/site-packages`: a free-threaded python has a `t` there and here.
        let version = python.site_packages.split('/').nth(1);
        let version = version.map_or_else(|| format!("python{}", python.version), str::to_owned);
        Self {
            site_packages: python.site_packages.trim_end_matches('/').to_owned(),
            headers: format!("include/{version}/{}", normalized(name)),
        }
    }

    /// Where modules go, relative to the prefix.
    pub(super) fn site_packages(&self) -> &str {
        &self.site_packages
    }

    /// Where the wheel's file `path` goes.
    ///
    /// # Errors
    /// Why there is no place for it.
    pub(super) fn place(&self, path: &str) -> Result<Place, String> {
        let (top, rest) = path.split_once('/').unwrap_or((path, ""));
        if !top.ends_with(".data") {
            return Ok(Place {
                kind: Kind::Module,
                path: format!("{}/{path}", self.site_packages),
            });
        }
        let Some((key, rest)) = rest.split_once('/') else {
            return Err(format!(
                "its file `{}` is in none of the folders that {top} can have",
                path.escape_debug()
            ));
        };
        let (kind, folder) = match key {
            "purelib" | "platlib" => (Kind::Data, self.site_packages.as_str()),
            "headers" => (Kind::Data, self.headers.as_str()),
            "scripts" => (Kind::Script, "bin"),
            "data" => {
                return Ok(Place {
                    kind: Kind::Data,
                    path: rest.to_owned(),
                });
            }
            other => {
                return Err(format!(
                    "it has the folder {top}/{}, which is none of purelib, platlib, headers, scripts and data",
                    other.escape_debug()
                ));
            }
        };
        Ok(Place {
            kind,
            path: format!("{folder}/{rest}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_file_has_its_folder() {
        let python = |site_packages: &str| PythonSpec {
            version: "3.13".into(),
            site_packages: site_packages.into(),
            runtime: false,
        };
        let usual = Scheme::new(&python("lib/python3.13/site-packages"), "A_b.C");
        for (path, place) in [
            ("a/b.py", Ok("lib/python3.13/site-packages/a/b.py")),
            ("a.py", Ok("lib/python3.13/site-packages/a.py")),
            ("a.data", Err(())),
            (
                "a-1.data/purelib/a.py",
                Ok("lib/python3.13/site-packages/a.py"),
            ),
            (
                "a-1.data/platlib/a/b.so",
                Ok("lib/python3.13/site-packages/a/b.so"),
            ),
            ("a-1.data/headers/a.h", Ok("include/python3.13/a-b-c/a.h")),
            ("a-1.data/scripts/run", Ok("bin/run")),
            ("a-1.data/data/share/x", Ok("share/x")),
            ("a-1.data/data", Err(())),
            ("a-1.data/stdlib/x", Err(())),
            (
                "sub/a-1.data/scripts/run",
                Ok("lib/python3.13/site-packages/sub/a-1.data/scripts/run"),
            ),
        ] {
            let found = usual.place(path).map(|place| place.path).map_err(drop);
            assert_eq!(found, place.map(str::to_owned), "{path}");
        }
        let threaded = Scheme::new(&python("lib/python3.13t/site-packages"), "a");
        let header = threaded.place("a-1.data/headers/a.h").unwrap();
        assert_eq!(header.path, "include/python3.13t/a/a.h");
    }

    #[test]
    fn scripts_come_last_as_in_pip() {
        let python = PythonSpec {
            version: "3.13".into(),
            site_packages: "lib/python3.13/site-packages".into(),
            runtime: false,
        };
        let scheme = Scheme::new(&python, "a");
        let kind = |path: &str| scheme.place(path).unwrap().kind;
        assert!(kind("z.py") < kind("a.data/data/x"));
        assert!(kind("a.data/purelib/z.py") < kind("a.data/scripts/a"));
    }
}
