//! Which packages are chosen: recorded in a snapshot, and compared with a real micromamba's choice.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use condafront_model::channel::ChannelPriority;
use condafront_testkit::needs::micromamba;
use condafront_testkit::repodata::Repodata;
use condafront_testkit::server::Server;
use serde_json::Value;

use crate::channels;
use crate::{ask, question, url};

/// A request: its MatchSpecs and unusual settings. `EXTRA::` stands for the second channel.
struct Case {
    specs: &'static [&'static str],
    second: bool,
    flexible: bool,
    cuda: Option<&'static str>,
    glibc: &'static str,
    archspec: &'static str,
    /// Whether micromamba decides differently. It ignores `removed` and the time of a build (it compares build
    /// strings), and applies strict priority even to MatchSpecs that name a channel.
    only_ours: bool,
}

const CASE: Case = Case {
    specs: &[],
    second: false,
    flexible: false,
    cuda: None,
    glibc: "2.36",
    archspec: "x86_64",
    only_ours: false,
};

const fn of(specs: &'static [&'static str]) -> Case {
    Case { specs, ..CASE }
}

const fn both(specs: &'static [&'static str]) -> Case {
    Case {
        second: true,
        ..of(specs)
    }
}

const fn flexible(specs: &'static [&'static str]) -> Case {
    Case {
        flexible: true,
        ..both(specs)
    }
}

const CASES: &[Case] = &[
    // Python and packages that need it.
    of(&["python"]),
    of(&["python 3.12.*"]),
    of(&["python <3.12"]),
    of(&["python ==3.12.7 h1_0"]),
    of(&["numpy"]),
    of(&["numpy <2"]),
    of(&["numpy", "python 3.11.*"]),
    of(&["scipy", "pandas"]),
    of(&["pandas", "pytz"]),
    of(&["legacy", "numpy"]),
    of(&["libblas * *mkl"]),
    of(&["python", "openssl <3.4"]),
    of(&["python", "pip <24.3"]),
    // Versions.
    of(&["versions"]),
    of(&["versions <1!0"]),
    of(&["versions <2.0a0"]),
    of(&["versions 1.10.*"]),
    of(&["versions ==1.10"]),
    of(&["plain ~=1.0"]),
    of(&["plain 1.0.*"]),
    of(&["plain !=2.1,>=1"]),
    of(&["plain ==0.9|==1.2"]),
    of(&["plain * a_*"]),
    of(&["plain ==2.1 a_0"]),
    of(&["plain[build_number=\">0\",version=\"<2\"]"]),
    of(&["Mixed-Case"]),
    Case {
        only_ours: true,
        ..of(&["withdrawn"])
    },
    // Ties.
    of(&["by-number"]),
    of(&["by-time"]),
    Case {
        only_ours: true,
        ..of(&["by-time-alone"])
    },
    of(&["by-format", "old-format"]),
    of(&["by-feature"]),
    of(&["by-feature-version"]),
    of(&["by-dependency"]),
    of(&["by-folder"]),
    of(&["in-noarch-newer"]),
    of(&["pinned-by-metapackage"]),
    // The machine.
    of(&["torch"]),
    Case {
        cuda: Some("12.4"),
        ..of(&["torch", "cuda-only"])
    },
    of(&["glibc-some"]),
    Case {
        glibc: "2.41",
        ..of(&["glibc-some"])
    },
    of(&["fast"]),
    Case {
        archspec: "x86_64_v3",
        ..of(&["fast"])
    },
    of(&["for-linux"]),
    // Constraints.
    of(&["constrained", "plain"]),
    of(&["constrained-away"]),
    of(&["constrains-itself"]),
    of(&["right", "left"]),
    of(&["half-broken"]),
    // Two channels.
    both(&["numpy", "extra-only"]),
    both(&["extra-only"]),
    Case {
        only_ours: true,
        ..both(&["EXTRA::numpy"])
    },
    Case {
        only_ours: true,
        ..both(&["EXTRA::zlib", "extra-only"])
    },
    flexible(&["EXTRA::zlib", "extra-only <1.1"]),
    flexible(&["extra-only"]),
    flexible(&["needs-new-numpy"]),
    flexible(&["numpy"]),
];

impl Case {
    fn channels(&self) -> &'static [&'static str] {
        if self.second {
            &["main", "extra"]
        } else {
            &["main"]
        }
    }

    fn specs(&self, extra: &str) -> Vec<String> {
        let spec = |text: &&str| text.replace("EXTRA::", &format!("{extra}::"));
        self.specs.iter().map(spec).collect()
    }

    fn title(&self) -> String {
        let mut title = self.specs.join(" | ");
        if self.second {
            title.push_str(if self.flexible {
                "  (main and extra, flexible)"
            } else {
                "  (main and extra, strict)"
            });
        }
        if let Some(cuda) = self.cuda {
            write!(title, "  (CUDA {cuda})").unwrap();
        }
        if self.glibc != CASE.glibc {
            write!(title, "  (glibc {})", self.glibc).unwrap();
        }
        if self.archspec != CASE.archspec {
            write!(title, "  ({})", self.archspec).unwrap();
        }
        title
    }

    /// The packages that condafront chooses: `channel/subdir/file`, sorted.
    fn solve(&self, main: &Repodata, extra: &Repodata) -> Vec<String> {
        let specs = self.specs(&url("extra"));
        let specs: Vec<&str> = specs.iter().map(String::as_str).collect();
        let mut question = question(self.channels(), &specs);
        if self.flexible {
            question.priority = ChannelPriority::Flexible;
        }
        question.system.cuda = self.cuda.map(str::to_owned);
        question.system.archspec = Some(self.archspec.to_owned());
        question.system.glibc = condafront_step_spec::solve::Glibc::Base(self.glibc.to_owned());
        let repodata = &[main, extra][..self.channels().len()];
        let packages =
            ask(&question, repodata).unwrap_or_else(|report| panic!("{}: {report}", self.title()));
        let start = url("");
        let mut files: Vec<String> = packages
            .iter()
            .map(|package| package.url.strip_prefix(&start).unwrap().to_owned())
            .collect();
        files.sort();
        files
    }

    /// The packages that micromamba chooses, in the same form.
    fn micromamba(&self, program: &Path, server: &Server) -> Vec<String> {
        let root = tempfile::tempdir().unwrap();
        let mut command = Command::new(program);
        command
            .args([
                "create",
                "--dry-run",
                "--json",
                "--no-rc",
                "--override-channels",
            ])
            .args(["--platform", "linux-64", "-p"])
            .arg(root.path().join("env"))
            .arg("--channel-priority")
            .arg(if self.flexible { "flexible" } else { "strict" });
        for channel in self.channels() {
            command.args(["-c", &server.url(&format!("/{channel}"))]);
        }
        command
            .args(self.specs(&server.url("/extra")))
            .env_clear()
            .env("HOME", root.path())
            .env("MAMBA_ROOT_PREFIX", root.path())
            .env("CONDA_OVERRIDE_LINUX", "5.10")
            .env("CONDA_OVERRIDE_GLIBC", self.glibc)
            .env("CONDA_OVERRIDE_ARCHSPEC", self.archspec)
            .env("CONDA_OVERRIDE_CUDA", self.cuda.unwrap_or_default());
        let output = command.output().expect("micromamba");
        let text = String::from_utf8_lossy(&output.stdout);
        let answer: Value = serde_json::from_str(&text).unwrap_or_else(|error| {
            let log = String::from_utf8_lossy(&output.stderr);
            panic!("{}: {error}: {text}{log}", self.title())
        });
        let link = answer["actions"]["LINK"]
            .as_array()
            .unwrap_or_else(|| panic!("{}: {answer}", self.title()));
        let mut files: Vec<String> = link
            .iter()
            .map(|package| {
                let url = package["url"].as_str().unwrap();
                url.strip_prefix(&server.url("/"))
                    .unwrap()
                    .replace("%21", "!")
            })
            .collect();
        files.sort();
        files
    }
}

#[test]
fn the_right_packages_are_chosen() {
    let (main, extra) = (channels::main(), channels::extra());
    assert!(CASES.len() >= 30);
    let mut all = String::new();
    for case in CASES {
        writeln!(all, "{}", case.title()).unwrap();
        for file in case.solve(&main, &extra) {
            writeln!(all, "  {file}").unwrap();
        }
    }
    insta::assert_snapshot!(all);
}

#[test]
#[ignore = "needs a micromamba"]
fn needs_micromamba_it_chooses_the_same() {
    let program = micromamba();
    let (main, extra) = (channels::main(), channels::extra());
    let folder = tempfile::tempdir().unwrap();
    main.write(&folder.path().join("main"));
    extra.write(&folder.path().join("extra"));
    let server = Server::start();
    server.mount("/main", folder.path().join("main"));
    server.mount("/extra", folder.path().join("extra"));
    let mut differences = String::new();
    for case in CASES.iter().filter(|case| !case.only_ours) {
        let ours = case.solve(&main, &extra);
        let theirs = case.micromamba(&program, &server);
        if ours != theirs {
            writeln!(
                differences,
                "{}\n  ours:   {ours:?}\n  theirs: {theirs:?}",
                case.title()
            )
            .unwrap();
        }
    }
    assert!(differences.is_empty(), "{differences}");
}
