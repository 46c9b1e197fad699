//! The solve: repodata in, packages out.

use buildkit_llb::{Cache, File, Http, Input, Location, Mkdir, OpOptions, Output, ProgressGroup};
use url::Url;

use super::cache_key::retry_unpinned;
use super::downloads::Address;
use super::network::NetworkAccess;
use super::step::Step;
use super::tools::Tools;
use condafront_input::Logins;
use condafront_step_spec::args::{ArgsError, StepSpec as _};
use condafront_step_spec::mounts::{BASE_DIR, FACTS_DIR, INPUT_DIR, OUTPUT_DIR, SHARDS_DIR};
use condafront_step_spec::solve::{RepodataSpec, SolveSpec, login_variables};
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
    /// If there are shards, the folder that says which of them cannot be used, from the first step too.
    pub unusable: Option<Output>,
    /// The folder with the answer, from the second step.
    pub answer: Output,
    /// Both at once, to find out why there is no solution: an explanation needs the other records too. So there is none if
    /// there are shards.
    pub whole: Option<WholeSolve>,
}

/// One step that solves with all records.
#[derive(Debug)]
pub struct WholeSolve {
    /// The folder with the answer.
    pub answer: Output,
    /// The step.
    pub step: Step,
}

/// The name of that step.
const WHOLE: &str = "[solve] find out why there is no solution";

/// Lets a step download the shards of `files`.
fn download_shards(step: &mut Step, files: &[RepodataSpec], network: &NetworkAccess) {
    let exec = step.exec();
    network.open(exec);
    exec.mount(Cache::new(SHARDS_DIR, "condafront-shards"));
    for (index, file) in files.iter().enumerate() {
        let address = file.address.as_deref().and_then(|url| Url::parse(url).ok());
        let Some(address) = address.filter(|_| file.is_sharded()) else {
            continue;
        };
        // BuildKit looks for the same secrets when it downloads the list.
        let server = match (address.host_str(), address.port()) {
            (Some(host), Some(port)) => format!("{host}:{port}"),
            (host, _) => host.unwrap_or_default().to_owned(),
        };
        let [token, header] = Logins::names(&server);
        for (variable, secret) in login_variables(index).into_iter().zip([header, token]) {
            exec.secret_env(variable, secret, true);
        }
    }
}

/// The repodata of a solve.
#[derive(Clone, Copy, Debug)]
pub struct Lists<'a> {
    /// Which files they are.
    pub specs: &'a [RepodataSpec],
    /// The folder of each.
    pub files: &'a [Output],
    /// Whether to look for records even if BuildKit knows which were found before.
    pub again: bool,
}

impl Tools<'_> {
    /// Finds the packages for `listed` dependencies of the user's file.
    ///
    /// # Errors
    /// When the request does not fit into a program's arguments.
    pub fn solve(
        &self,
        spec: &SolveSpec,
        listed: usize,
        lists: &Lists<'_>,
        network: &NetworkAccess,
    ) -> Result<Solve, ArgsError> {
        let files = lists.specs;
        let dependencies = if listed == 1 {
            "dependency"
        } else {
            "dependencies"
        };
        let what = format!("{listed} {dependencies} for {}", spec.subdir);
        let with_lists = |args: Vec<String>, name: String| {
            let mut step = self.step(args, name);
            for (index, repodata) in lists.files.iter().enumerate() {
                // BuildKit hashes it, so that only its content counts: the key of an http source also holds the file's
                // time.
                step.input(&format!("{INPUT_DIR}/{index}"), repodata, false);
            }
            let output = step.output(OUTPUT_DIR);
            (step, output)
        };
        let args = spec.reach().to_args(files)?;
        let (mut reach, records) = with_lists(args, format!("[solve] records for {what}"));
        if lists.again {
            reach.exec().ignore_cache();
        }
        let has_shards = files.iter().any(RepodataSpec::is_sharded);
        let facts = has_shards.then(|| {
            download_shards(&mut reach, files, network);
            reach.output(FACTS_DIR)
        });
        let outputs = reach.exec().build();
        let reachable = outputs[records].clone();
        let unusable = facts.map(|facts| outputs[facts].clone());

        let of_reachable: Vec<RepodataSpec> = files.iter().map(RepodataSpec::reachable).collect();
        let args = spec.of_reachable().to_args(&of_reachable)?;
        let name = format!("[solve] {what}");
        let mut step = self.step(args, name);
        // Hashed as well: as long as these records are the same, so is the answer.
        step.input(INPUT_DIR, &reachable, false);
        let packages = step.output(OUTPUT_DIR);
        let answer = step.exec().build()[packages].clone();
        let whole = if has_shards {
            None
        } else {
            let (mut step, packages) = with_lists(spec.to_args(files)?, WHOLE.to_owned());
            let answer = step.exec().build()[packages].clone();
            Some(WholeSolve { answer, step })
        };
        Ok(Solve {
            reachable,
            unusable,
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
    use buildkit_llb::{Definition, Image, Range, SourceFile, text};

    use super::*;
    use condafront_model::package::PackageUrl;
    use condafront_step_spec::solve::SHARDS_FILE;

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

    /// The steps that solve with one list.
    fn solve(list: Output, file: &str, address: Option<&str>) -> Solve {
        let url = "https://c.example/a".to_owned();
        let spec = SolveSpec::example([("a", url)], &["numpy"]);
        let files = [RepodataSpec {
            channel: 0,
            subdir: "noarch".to_owned(),
            file: file.to_owned(),
            address: address.map(str::to_owned),
        }];
        let programs = Image::new("condafront").build();
        let tools = Tools::new(&programs);
        let network = NetworkAccess::default();
        let lists = Lists {
            specs: &files,
            files: &[list],
            again: false,
        };
        tools.solve(&spec, 1, &lists, &network).unwrap()
    }

    #[test]
    fn places_and_names_are_not_part_of_the_request() {
        const URL: &str = "https://c.example/a/noarch/repodata.json";
        let first = list("a/noarch", 1, URL);
        let moved = list("another", 7, URL);
        assert_eq!(first.digest(), moved.digest());
        let ask = |list| solve(list, "repodata.json", None).answer.digest();
        assert_eq!(ask(first), ask(moved));
    }

    #[test]
    fn only_the_step_that_downloads_shards_has_a_network_and_logins() {
        const URL: &str = "https://c.example:8443/a/noarch/repodata_shards.msgpack.zst";
        let list = || list("a/noarch", 1, URL);
        let dump = |output: &Output| text::dump(Definition::of(output).to_pb());
        let needs = [
            "condafront-shards",
            "HTTP_AUTH_HEADER_c.example:8443",
            "HTTP_AUTH_TOKEN_c.example:8443",
        ];
        let sharded = solve(list(), SHARDS_FILE, Some(URL));
        assert!(sharded.whole.is_none());
        let shown = dump(&sharded.unusable.unwrap());
        assert!(needs.iter().all(|need| shown.contains(need)), "{shown}");
        // The second step has nothing of the kind, nor does it know where the shards are.
        let both = dump(&sharded.answer);
        for need in needs.iter().chain(&[URL]) {
            let count = |text: &str| text.matches(need).count();
            assert_eq!(count(&both), count(&shown), "{need}: {both}");
        }
        let whole = solve(list(), "repodata.json.zst", None);
        assert!(whole.unusable.is_none());
        let shown = dump(&whole.answer);
        assert!(!needs.iter().any(|need| shown.contains(need)), "{shown}");
    }
}
