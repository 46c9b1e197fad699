//! The solve: repodata in, packages out.

use buildkit_llb::{Http, Location, OpOptions, Options, Output, ProgressGroup};

use super::downloads::Address;
use super::step::Step;
use condafront_step_spec::args::{ArgsError, StepSpec as _};
use condafront_step_spec::mounts::{BASE_DIR, FACTS_DIR, INPUT_DIR, OUTPUT_DIR};
use condafront_step_spec::solve::{RepodataSpec, SolveSpec};

/// The repodata of one subdir of a channel.
#[derive(Clone, Debug)]
pub struct Repodata {
    /// Its name in the progress: `conda-forge/linux-64`.
    pub label: String,
    /// Where the user's file names the channel.
    pub location: Option<Location>,
    /// Whether to ignore caches.
    pub no_cache: bool,
}

impl Repodata {
    /// The download of the file named `file` from `address`.
    ///
    /// It is not pinned: BuildKit asks the server whether its copy is still current, and the cache key of what is made
    /// from it depends on the content.
    pub fn download(&self, file: &str, address: &Address) -> Output {
        let mut http = Http::new(address.identifier());
        http.filename(file)
            .name(format!("[solve] {} repodata", self.label))
            .group(&ProgressGroup {
                id: "condafront-repodata".to_owned(),
                name: "[solve] download repodata".to_owned(),
                weak: false,
            })
            .export_cache(false);
        if let Some(location) = &self.location {
            http.location(location.clone());
        }
        if self.no_cache {
            http.ignore_cache();
        }
        http.build()
    }
}

/// A step and its answer.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The folder with its answer.
    pub answer: Output,
    /// The step, in case it fails.
    pub step: Step,
}

/// Finds the packages; file `n` of `files` is in output `n` of `repodata`.
///
/// # Errors
/// When the request does not fit into a program's arguments.
pub fn solve(
    programs: &Output,
    spec: &SolveSpec,
    files: &[RepodataSpec],
    repodata: &[Output],
    no_cache: bool,
) -> Result<Asked, ArgsError> {
    let count = spec.specs.len();
    let dependencies = if count == 1 {
        "dependency"
    } else {
        "dependencies"
    };
    let name = format!("[solve] {count} {dependencies} for {}", spec.subdir);
    let mut step = Step::new(programs, spec.to_args(files)?, &options(name, no_cache));
    for (index, repodata) in repodata.iter().enumerate() {
        // BuildKit hashes it, so that only its content counts: the key of an http source also holds the file's time.
        step.input(&format!("{INPUT_DIR}/{index}"), repodata, false);
    }
    Ok(finished(step, OUTPUT_DIR))
}

/// Finds out which C library the base image has.
pub fn libc(programs: &Output, base: &Output, content_cache: bool, no_cache: bool) -> Asked {
    let options = options("[base] C library".to_owned(), no_cache);
    let mut step = Step::new(programs, vec!["libc".to_owned()], &options);
    step.input(BASE_DIR, base, content_cache);
    finished(step, FACTS_DIR)
}

fn finished(mut step: Step, dir: &str) -> Asked {
    let answer = step.output(dir);
    Asked {
        answer: step.exec().build()[answer].clone(),
        step,
    }
}

fn options(name: String, no_cache: bool) -> Options {
    let mut options = Options::new();
    options.name(name);
    if no_cache {
        options.ignore_cache();
    }
    options
}

#[cfg(test)]
mod tests {
    use buildkit_llb::{Range, SourceFile};
    use url::Url;

    use super::*;
    use condafront_model::channel::ChannelPriority;
    use condafront_model::package::PackageUrl;
    use condafront_step_spec::solve::{Glibc, SolveChannel, System};

    fn list(label: &str, line: i32, url: &str) -> Output {
        let file = SourceFile::new("env.yml", b"channels: [a]\n".to_vec());
        let repodata = Repodata {
            label: label.to_owned(),
            location: Some(file.location([Range::lines(line, line)])),
            no_cache: false,
        };
        let url = PackageUrl::new(Url::parse(url).unwrap());
        repodata.download("repodata.json", &Address::new(vec![url]))
    }

    #[test]
    fn places_and_names_are_not_part_of_the_request() {
        const URL: &str = "https://c.example/a/noarch/repodata.json";
        let first = list("a/noarch", 1, URL);
        let moved = list("another", 7, URL);
        assert_eq!(first.digest(), moved.digest());
        let spec = SolveSpec {
            subdir: "linux-64".to_owned(),
            channels: vec![SolveChannel {
                name: "a".to_owned(),
                url: "https://c.example/a".to_owned(),
                group: None,
            }],
            priority: ChannelPriority::Strict,
            specs: vec!["numpy".to_owned()],
            system: System {
                glibc: Glibc::Base("2.36".to_owned()),
                archspec: None,
                cuda: None,
            },
        };
        let files = [RepodataSpec {
            channel: 0,
            subdir: "noarch".to_owned(),
            file: "repodata.json".to_owned(),
        }];
        let ask = |list: Output| {
            let asked = solve(&first, &spec, &files, &[list], false).unwrap();
            asked.answer.digest()
        };
        assert_eq!(ask(first.clone()), ask(moved));
    }
}
