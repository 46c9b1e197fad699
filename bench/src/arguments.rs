//! The command line of `make bench`.

use std::path::PathBuf;

use lexopt::{Arg, Parser, ValueExt};

use crate::Result;
use crate::conda_forge::{LINUX_64, NOARCH};
use crate::conditions::{Builder, Compression, Conditions};
use crate::environment::Size;
use crate::network::Network;

/// What `--help` prints.
pub(crate) const USAGE: &str = "\
usage: make bench [ARGS=\"OPTIONS\"]
       make bench ARGS=\"solve [--engine [--records N]] --runs N\"

  --environment NAME  few, usual (the default), pip, large, huge or giants; all for each of them
  --network NAME      local (the default), or slow: 100 Mbit/s, 50 ms there and back
  --builder NAME      dockerd (the default), or buildkitd, which does not unpack what it builds
  --compression NAME  gzip (the default) or zstd, for the layers of all sides
  --layers N          spread condafront's packages over N layers at most
  --sides N           measure the first N columns of the tables only, at least 2
  --runs N            measure everything N times (default 3) and report the medians
  --to DIR            write the tables and the chart to DIR (default docs/bench)
  --logs DIR          write each build's progress to DIR (docker build --progress rawjson)
  solve               measure a solve with package lists as long as conda-forge's, and nothing else
  --engine            in builds on an engine, from nothing, with nothing changed, and with the next lists
  --records N         with about N records for linux-64 (default 600000) and two thirds of that for noarch

environment:
  MICROMAMBA          a micromamba binary: measure Dockerfiles with it, too
  DOCKERFILE_FRONTEND the binary of BuildKit's frontend for Dockerfiles: measure a small Dockerfile with it, too
  BUILDKITD           the buildkitd binary for --builder buildkitd
";

/// The command line.
#[derive(Debug)]
pub(crate) struct Arguments {
    pub(crate) solve: bool,
    pub(crate) engine: bool,
    pub(crate) records: [usize; 2],
    pub(crate) sizes: Vec<Size>,
    pub(crate) conditions: Conditions,
    /// How many sides are measured at most.
    pub(crate) sides: usize,
    pub(crate) runs: usize,
    pub(crate) to: PathBuf,
    pub(crate) logs: Option<PathBuf>,
}

impl Arguments {
    /// `None` if the user asks for help.
    pub(crate) fn parse(mut parser: Parser) -> Result<Option<Self>> {
        let mut arguments = Self {
            solve: false,
            engine: false,
            records: [LINUX_64, NOARCH],
            sizes: Vec::new(),
            conditions: Conditions::default(),
            sides: usize::MAX,
            runs: 3,
            to: "docs/bench".into(),
            logs: None,
        };
        while let Some(argument) = parser.next()? {
            match argument {
                Arg::Value(value) if value == "solve" => arguments.solve = true,
                Arg::Long("engine") => arguments.engine = true,
                Arg::Long("records") => {
                    let count: usize = parser.value()?.parse()?;
                    arguments.records = [count, count * NOARCH / LINUX_64];
                }
                Arg::Long("environment") => {
                    let name = parser.value()?.string()?;
                    arguments.sizes.extend(sizes(&name)?);
                }
                Arg::Long("network") => {
                    arguments.conditions.network = network(&parser.value()?.string()?)?;
                }
                Arg::Long("builder") => {
                    let name = parser.value()?.string()?;
                    arguments.conditions.builder = Builder::named(&name)?;
                }
                Arg::Long("compression") => {
                    let name = parser.value()?.string()?;
                    arguments.conditions.compression = Compression::named(&name)?;
                }
                Arg::Long("layers") => {
                    arguments.conditions.layers = Some(parser.value()?.parse()?);
                }
                Arg::Long("sides") => arguments.sides = parser.value()?.parse()?,
                Arg::Long("runs") => arguments.runs = parser.value()?.parse()?,
                Arg::Long("to") => arguments.to = parser.value()?.into(),
                Arg::Long("logs") => arguments.logs = Some(parser.value()?.into()),
                Arg::Short('h') | Arg::Long("help") => return Ok(None),
                other => return Err(other.unexpected().into()),
            }
        }
        if arguments.runs == 0 {
            return Err("--runs must be at least 1".into());
        }
        if arguments.sides < 2 {
            return Err("--sides must be at least 2".into());
        }
        if arguments.engine && !arguments.solve {
            return Err("--engine goes with solve".into());
        }
        if arguments.records != [LINUX_64, NOARCH] && !arguments.engine {
            return Err("--records goes with solve --engine".into());
        }
        if arguments.records.contains(&0) {
            return Err("--records must be at least 2".into());
        }
        if arguments.sizes.is_empty() {
            arguments.sizes.push(Size::Usual);
        }
        Ok(Some(arguments))
    }
}

fn sizes(name: &str) -> Result<Vec<Size>> {
    if name == "all" {
        return Ok(Size::ALL.to_vec());
    }
    let found = Size::ALL.into_iter().find(|size| size.name() == name);
    let Some(size) = found else {
        let names = Size::ALL.map(Size::name).join(", ");
        return Err(format!("there is no environment `{name}`; there are {names} and all").into());
    };
    Ok(vec![size])
}

fn network(name: &str) -> Result<Network> {
    match name {
        "local" => Ok(Network::Local),
        "slow" => Ok(Network::Slow),
        _ => Err(format!("there is no network `{name}`; there are local and slow").into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Option<Arguments>> {
        Arguments::parse(Parser::from_args(arguments))
    }

    #[test]
    fn arguments() {
        let usual = parse(&[]).unwrap().unwrap();
        assert_eq!((usual.runs, usual.sizes), (3, vec![Size::Usual]));
        let given = [
            "--runs",
            "1",
            "--logs",
            "there",
            "--environment",
            "few",
            "--network",
            "slow",
        ];
        let given = parse(&given).unwrap().unwrap();
        assert_eq!((given.runs, given.logs), (1, Some(PathBuf::from("there"))));
        assert_eq!(given.sizes, [Size::Few]);
        assert_eq!(given.conditions.network, Network::Slow);
        let given = [
            "--builder",
            "buildkitd",
            "--compression",
            "zstd",
            "--layers",
            "8",
        ];
        let given = parse(&given).unwrap().unwrap().conditions;
        assert_eq!(given.suffix(), "-buildkitd-zstd-layers-8");
        let two = parse(&["--sides", "2"]).unwrap().unwrap();
        assert_eq!(two.sides, 2);
        let all = parse(&["--environment", "all"]).unwrap().unwrap();
        assert_eq!(all.sizes.len(), Size::ALL.len());
        let solve = parse(&["solve"]).unwrap().unwrap();
        assert!(solve.solve && !solve.engine);
        assert_eq!(solve.records, [600_000, 380_000]);
        let small = parse(&["solve", "--engine", "--records", "6000"]);
        let small = small.unwrap().unwrap();
        assert!(small.engine);
        assert_eq!(small.records, [6000, 3800]);
        assert!(parse(&["--help"]).unwrap().is_none());
        for wrong in [
            &["--runs", "0"][..],
            &["--runs", "many"],
            &["--fast"],
            &["--environment", "tiny"],
            &["--engine"],
            &["solve", "--records", "6000"],
            &["solve", "--engine", "--records", "1"],
            &["--network", "none"],
            &["--builder", "podman"],
            &["--compression", "xz"],
            &["--layers", "few"],
            &["--sides", "1"],
        ] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
