//! The target `channel`, and the check of a folder that it made.

use std::collections::BTreeMap;

use buildkit_llb::{File, Input, Mkfile, OpOptions, Output, SourceFile};

use super::downloads::{self, Address, Artifact, unpinned_md5};
use super::location::location_in;
use super::own_files::{FILE_TIME, directory, folders, timed};
use super::step::Step;
use super::tools::Tools;
use crate::wanted::WantedKind;
use condafront_model::package::Package;
use condafront_model::pypi_package::{self, PipPackage};
use condafront_model::stamp::Owner;
use condafront_step_spec::args::ArgsError;
use condafront_step_spec::args::StepSpec as _;
use condafront_step_spec::channel_folder as place;
use condafront_step_spec::local_channel::{
    Archive, CheckSpec, CondaSpec, LIST_DIR, PypiFile, PypiSpec, WantedFile,
};
use condafront_step_spec::mounts::{INPUT_DIR, OUTPUT_DIR};

/// A step that makes part of the folder.
#[derive(Clone, Debug)]
pub struct Part<K> {
    /// What it makes.
    pub output: Output,
    /// The step, in case it fails.
    pub step: Step,
    /// Its name.
    pub name: String,
    /// Its packages, in the order of its own list.
    pub members: Vec<K>,
    /// Whether they are PyPI packages.
    pub is_pip: bool,
}

/// A package and where it is fetched from.
#[derive(Clone, Copy, Debug)]
pub struct Fetched<'a, P, K> {
    /// The package.
    pub package: &'a P,
    /// Its download.
    pub artifact: &'a Artifact,
    /// The address of the download.
    pub address: &'a Address,
    /// The caller's key for it.
    pub key: K,
}

impl Tools<'_> {
    /// The downloads of conda packages that `file` asks for.
    pub fn package_artifacts(&self, packages: &[Package], file: &SourceFile) -> Vec<Artifact> {
        let count = packages.len();
        let artifact = |(index, package): (usize, &Package)| {
            let name = downloads::name(package, index, count);
            let mut options = self.options(name);
            options
                .group(&self.downloads("conda", count))
                .location(location_in(file, [package.lines]))
                .export_cache(false);
            Artifact::of_package(package, WantedKind::Package, options, self.no_cache)
        };
        packages.iter().enumerate().map(artifact).collect()
    }

    /// The downloads of PyPI packages that `file` asks for.
    pub fn pip_artifacts(&self, packages: &[PipPackage], file: &SourceFile) -> Vec<Artifact> {
        self.pip_downloads(packages, |package| location_in(file, [package.lines]))
    }

    /// One folder of a channel. `list` holds the channel's own list of the folder's packages.
    ///
    /// # Errors
    /// When a package's description does not fit into a program's arguments.
    pub fn conda_folder<K: Copy>(
        &self,
        spec: &CondaSpec,
        packages: &[Fetched<'_, Package, K>],
        list: Option<&Output>,
    ) -> Result<Part<K>, ArgsError> {
        let archives: Vec<Archive> = packages
            .iter()
            .map(|Fetched { package, .. }| Archive {
                label: format!("{} {}", package.id.name, package.id.version),
                name: package.id.name.clone(),
                file: package.id.file_name(),
                md5: unpinned_md5(&package.hashes),
            })
            .collect();
        let name = format!("[channel] {}", spec.folder);
        let mut step = self.step(spec.to_args(&archives)?, &name);
        self.mount(&mut step, packages);
        if let Some(list) = list {
            step.input(LIST_DIR, list, false);
        }
        Ok(part(step, name, packages, false))
    }

    /// The folder of PyPI packages.
    ///
    /// # Errors
    /// As for [`Tools::conda_folder`].
    pub fn pypi_folder<K: Copy>(
        &self,
        packages: &[Fetched<'_, PipPackage, K>],
    ) -> Result<Part<K>, ArgsError> {
        let files: Vec<PypiFile> = packages
            .iter()
            .map(|Fetched { package, .. }| PypiFile {
                label: package.label(),
                name: pypi_package::normalized(&package.name),
                file: package.file_name(),
                path: place::of_pip(package),
                md5: unpinned_md5(&package.hashes),
            })
            .collect();
        let name = "[channel] pypi".to_owned();
        let mut step = self.step(PypiSpec {}.to_args(&files)?, &name);
        self.mount(&mut step, packages);
        Ok(part(step, name, packages, true))
    }

    /// The folder of lists for pip, each at its path.
    pub fn lists_folder(&self, lists: &BTreeMap<String, Vec<u8>>, name: &str) -> Input {
        let options = self.options(name);
        let mut file = File::on(Input::Scratch);
        file.options(&options);
        let paths: Vec<String> = lists.keys().map(|path| format!("/{path}")).collect();
        for folder in folders(paths.iter().map(String::as_str)) {
            file.then(directory(folder, Owner::ROOT));
        }
        for (path, content) in paths.iter().zip(lists.values()) {
            let mut made = Mkfile::new(path, content.clone());
            made.mode(0o644).time(FILE_TIME);
            file.then(made);
        }
        timed(file.build(), &options)
    }

    fn mount<P, K>(&self, step: &mut Step, packages: &[Fetched<'_, P, K>]) {
        for (
            index,
            Fetched {
                artifact, address, ..
            },
        ) in packages.iter().enumerate()
        {
            if address.is_retried() {
                step.retry(self.no_cache);
            }
            step.input(
                &format!("{INPUT_DIR}/{index}"),
                &artifact.download(address),
                artifact.sha256.is_some() && self.content_cache,
            );
        }
    }

    /// A step that checks whether `folder` has all of `files`, after its output.
    ///
    /// # Errors
    /// When a file's description does not fit into a program's arguments.
    pub fn check(
        &self,
        folder: &Output,
        files: &[WantedFile],
    ) -> Result<(Output, Step), ArgsError> {
        let name = match files.len() {
            1 => "[context channel] check 1 package".to_owned(),
            count => format!("[context channel] check {count} packages"),
        };
        let mut step = self.step(CheckSpec {}.to_args(files)?, name);
        step.input(INPUT_DIR, folder, false);
        let out = step.output(OUTPUT_DIR);
        Ok((step.exec().build()[out].clone(), step))
    }
}

fn part<P, K: Copy>(
    mut step: Step,
    name: String,
    packages: &[Fetched<'_, P, K>],
    is_pip: bool,
) -> Part<K> {
    let out = step.output(OUTPUT_DIR);
    Part {
        output: step.exec().build()[out].clone(),
        step,
        name,
        members: packages.iter().map(|package| package.key).collect(),
        is_pip,
    }
}

#[cfg(test)]
mod tests {
    use buildkit_llb::{Definition, Image, Local, text};

    use super::super::downloads::Addresses;
    use super::*;

    fn programs() -> Output {
        crate::programs::programs(&Image::new("docker.io/org/condafront:latest").build())
    }

    #[test]
    fn a_folder_is_made_of_downloads_or_of_files_that_are_given() {
        let programs = programs();
        let tools = Tools::new(&programs);
        let package = Package::example("numpy");
        let file = SourceFile::new("env.lock", b"@EXPLICIT\n".to_vec());
        let artifacts = tools.package_artifacts(std::slice::from_ref(&package), &file);
        let spec = CondaSpec {
            folder: "c.example/conda-forge/linux-64".to_owned(),
            subdir: "linux-64".to_owned(),
            list: None,
        };
        let given = Local::new("channel").build();
        let path = place::of_package(&package);
        let mut all = String::new();
        for addresses in [
            Addresses::new([vec![package.url.clone()]]),
            Addresses::given(&given, [(package.url.clone(), path.clone())]),
        ] {
            let fetched = Fetched {
                package: &package,
                artifact: &artifacts[0],
                address: addresses.get(0),
                key: (),
            };
            let part = tools.conda_folder(&spec, &[fetched], None).unwrap();
            all.push_str(&text::dump(Definition::of(&part.output).to_pb()));
            all.push('\n');
        }
        let wanted = WantedFile {
            label: "numpy 1.0".to_owned(),
            path,
            sha256: package.hashes.sha256.clone(),
            md5: None,
        };
        let (checked, _) = tools.check(&given, &[wanted]).unwrap();
        all.push_str(&text::dump(Definition::of(&checked).to_pb()));
        let lists = BTreeMap::from([("pypi/lists/a".to_owned(), b"idna<4\n".to_vec())]);
        let lists = tools.lists_folder(&lists, "[channel] lists for pip");
        let lists = Definition::of(lists.output().unwrap());
        all.push_str(&text::dump(lists.to_pb()));
        insta::assert_snapshot!(all);
    }
}
