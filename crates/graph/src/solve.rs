//! The solve: repodata in, packages out.

use buildkit_llb::{File, Http, Input, Location, Mkdir, OpOptions, Output, ProgressGroup};

use super::cache_key::retry_unpinned;
use super::downloads::Address;
use super::step::Step;
use super::tools::Tools;
use condafront_step_spec::args::{ArgsError, StepSpec as _};
use condafront_step_spec::mounts::{BASE_DIR, FACTS_DIR, INPUT_DIR, OUTPUT_DIR};
use condafront_step_spec::solve::{RepodataSpec, SolveSpec};
use condafront_step_spec::timeout::Timeout;

/// The repodata of one subdir of a channel.
#[derive(Clone, Debug)]
pub struct Repodata {
    /// Its name in the progress: `conda-forge/linux-64`.
    pub label: String,
    /// Where the user's file names the channel.
    pub location: Option<Location>,
    /// Whether to ignore caches.
    pub no_cache: bool,
    /// How long one request for it may take.
    pub timeout: Timeout,
    /// Tells the requests of a build for the same repodata apart.
    pub request: u64,
}

impl Repodata {
    /// The download of the file named `file` from `address`.
    ///
    /// It is not pinned: BuildKit asks the server whether its copy is still current, and the cache key of what is made
    /// from it depends on the content.
    pub fn download(&self, file: &str, address: &Address, shown: Shown) -> Output {
        let mut http = Http::new(address.identifier());
        http.filename(file)
            .name(self.name())
            .group(&self.group(file, address, shown))
            .export_cache(false);
        if let Some(location) = &self.location {
            http.location(location.clone());
        }
        if self.no_cache {
            http.ignore_cache();
        }
        retry_unpinned(&mut http, address.spoiled);
        http.build()
    }
}

impl Repodata {
    /// Makes the progress show a download that is [`Shown::IfLong`].
    pub fn show(&self, file: &str, address: &Address) -> Output {
        // An operation belongs to one group only, so each download needs its own.
        let name = format!("/{}-{file}", self.label.replace('/', "-"));
        let mut group = self.group(file, address, Shown::IfLong);
        group.weak = false;
        let mut folder = File::on(Input::Scratch);
        folder
            .then(Mkdir::new(name).parents())
            .name(self.name())
            .group(&group)
            .export_cache(false);
        let folder = folder.build().output().cloned();
        folder.unwrap_or_else(|| self.download(file, address, Shown::Always))
    }

    fn name(&self) -> String {
        format!("[solve] {} repodata", self.label)
    }

    fn group(&self, file: &str, address: &Address, shown: Shown) -> ProgressGroup {
        match shown {
            Shown::Always => ProgressGroup {
                id: "condafront-repodata".to_owned(),
                name: "[solve] download repodata".to_owned(),
                weak: false,
            },
            // A weak group is shown when an operation joins it that is not weak, and when one that has failed comes again.
            Shown::IfLong => ProgressGroup {
                id: format!(
                    "condafront-repodata {} {} {file} {}",
                    self.request,
                    self.label,
                    address.identifier()
                ),
                name: self.name(),
                weak: true,
            },
        }
    }
}

/// When the progress shows a download.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// From its start on, and if it fails.
    Always,
    /// Once [`Repodata::show`] asks for it: a server may well not have the file, and then nothing should look like an
    /// error.
    IfLong,
}

/// A solve: one step finds the records that the dependencies can reach, a second one chooses among them.
#[derive(Debug)]
pub struct Solve {
    /// The folder with the records, from the first step.
    pub reachable: Output,
    /// The folder with the answer, from the second step.
    pub answer: Output,
    /// Both at once, to find out why one of them fails: an explanation needs the other records too.
    pub whole: Step,
}

impl Tools<'_> {
    /// Finds the packages for `listed` dependencies of the user's file; file `n` of `files` is in output `n` of
    /// `repodata`.
    ///
    /// # Errors
    /// When the request does not fit into a program's arguments.
    pub fn solve(
        &self,
        spec: &SolveSpec,
        listed: usize,
        files: &[RepodataSpec],
        repodata: &[Output],
    ) -> Result<Solve, ArgsError> {
        let dependencies = if listed == 1 {
            "dependency"
        } else {
            "dependencies"
        };
        let what = format!("{listed} {dependencies} for {}", spec.subdir);
        let with_lists = |args: Vec<String>, name: String| {
            let mut step = self.step(args, name);
            for (index, repodata) in repodata.iter().enumerate() {
                // BuildKit hashes it, so that only its content counts: the key of an http source also holds the file's
                // time.
                step.input(&format!("{INPUT_DIR}/{index}"), repodata, false);
            }
            let output = step.output(OUTPUT_DIR);
            (step, output)
        };
        let args = spec.reach().to_args(files)?;
        let (mut reach, records) = with_lists(args, format!("[solve] records for {what}"));
        let reachable = reach.exec().build()[records].clone();

        let of_reachable: Vec<RepodataSpec> = files.iter().map(RepodataSpec::reachable).collect();
        let args = spec.of_reachable().to_args(&of_reachable)?;
        let name = format!("[solve] {what}");
        let mut step = self.step(args, name.clone());
        // Hashed as well: as long as these records are the same, so is the answer.
        step.input(INPUT_DIR, &reachable, false);
        let packages = step.output(OUTPUT_DIR);
        let answer = step.exec().build()[packages].clone();
        let (whole, _) = with_lists(spec.to_args(files)?, name);
        Ok(Solve {
            reachable,
            answer,
            whole,
        })
    }

    /// Finds out which C library the base image has. Returns the answer's folder and the step, in case it fails.
    pub fn libc(&self, base: &Output) -> (Output, Step) {
        let mut step = self.step(vec!["libc".to_owned()], "[base] C library");
        step.input(BASE_DIR, base, self.content_cache);
        let facts = step.output(FACTS_DIR);
        (step.exec().build()[facts].clone(), step)
    }
}

#[cfg(test)]
mod tests {
    use buildkit_llb::{Range, SourceFile};
    use url::Url;

    use super::*;
    use condafront_model::channel::ChannelPriority;
    use condafront_model::origin::Origin;
    use condafront_model::package::PackageUrl;
    use condafront_step_spec::solve::{Glibc, SolveChannel, System};

    fn list(label: &str, line: i32, url: &str) -> Output {
        let file = SourceFile::new("env.yml", b"channels: [a]\n".to_vec());
        let repodata = Repodata {
            label: label.to_owned(),
            location: Some(file.location([Range::lines(line, line)])),
            no_cache: false,
            timeout: Timeout::default(),
            request: 0,
        };
        let url = PackageUrl::new(Url::parse(url).unwrap());
        repodata.download("repodata.json", &Address::new(vec![url]), Shown::Always)
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
                cuda_arch: None,
            },
            exclude_newer: None,
            origin: Origin::default(),
        };
        let files = [RepodataSpec {
            channel: 0,
            subdir: "noarch".to_owned(),
            file: "repodata.json".to_owned(),
        }];
        let tools = Tools {
            programs: &first,
            no_cache: false,
            content_cache: true,
            timeout: condafront_step_spec::timeout::Timeout::default(),
            environment: None,
        };
        let ask = |list: Output| {
            tools
                .solve(&spec, 1, &files, &[list])
                .unwrap()
                .answer
                .digest()
        };
        assert_eq!(ask(first.clone()), ask(moved));
    }
}
