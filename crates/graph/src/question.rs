//! Turns a request into the arguments of the solve step, and the step's answer into packages.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::Arc;
use std::time::SystemTime;

use url::Url;

use condafront_input::SolveRequest;
use condafront_model::channel::Channel;
use condafront_model::link_order::link_order;
use condafront_model::package::{Hashes, Package, PackageId, PackageUrl};
use condafront_model::platform::Platform;
use condafront_model::source::{Diagnostic, Lines, SourceFile};
use condafront_step_spec::solve::{Kept, SolveChannel, SolveSpec, SolvedPackage, System};

/// Checks that the file is for this platform.
///
/// # Errors
/// A diagnostic at the lines that list other platforms.
pub fn check_platform(
    request: &SolveRequest,
    platform: Platform,
    file: &Arc<SourceFile>,
) -> Result<(), Diagnostic> {
    let wanted = platform.subdir();
    let declared = &request.platforms;
    if declared.is_empty() || declared.iter().any(|declared| declared.subdir == wanted) {
        return Ok(());
    }
    let names: Vec<&str> = declared
        .iter()
        .map(|declared| declared.subdir.as_str())
        .collect();
    let mut diagnostic = Diagnostic::new(format!(
        "{} is for {}, not for {wanted}",
        file.name(),
        names.join(", ")
    ));
    for declared in declared {
        diagnostic = diagnostic.at(file, declared.lines);
    }
    Err(diagnostic.help(format!(
        "Add {wanted} to `platforms`, or build for another platform with --platform."
    )))
}

/// The arguments of the solve step.
///
/// Ages count from `now`.
pub fn question(
    request: &SolveRequest,
    platform: Platform,
    system: System,
    now: SystemTime,
) -> SolveSpec {
    let exclude_newer = request.exclude_newer.clone();
    let channel = |channel: &Channel| SolveChannel {
        name: channel.name.clone(),
        url: channel.url.recorded(),
        group: group(&channel.url.recorded()),
    };
    SolveSpec {
        subdir: platform.subdir().to_owned(),
        channels: request.channels.iter().map(channel).collect(),
        priority: request.priority,
        exclude_newer: exclude_newer.map(|asked| asked.map(|limit| limit.cutoff(now))),
        specs: request.all_specs().map(|spec| spec.spec.clone()).collect(),
        own: (!request.group.is_empty()).then_some(request.specs.len()),
        system,
        without_pip: request.without_pip,
        origin: request.origin,
        kept: Kept {
            packages: request.kept.packages.iter().map(without_suffix).collect(),
            upgrade: request.kept.upgrade.clone(),
        },
        installed: request.installed.iter().map(ToString::to_string).collect(),
    }
}

/// The address of a package in its channel, however it is packed.
fn without_suffix(package: &Package) -> String {
    let mut url = package.url.recorded();
    // A channel's index names files.
    url.set_query(None);
    let suffix = package.id.format.suffix();
    let bare = url.as_str().strip_suffix(suffix);
    bare.unwrap_or(url.as_str()).to_owned()
}

/// Anaconda's channels, below `pkgs/` of its server and of mirrors (`DEFAULT_CHANNELS` and older ones, `conda/base/constants.py`).
const DEFAULTS: [&str; 7] = ["main", "r", "msys2", "free", "pro", "mro", "archive"];

/// The group of the channel at this address: those of conda's `defaults` have equal priority.
fn group(url: &str) -> Option<String> {
    let (server, name) = url.rsplit_once("/pkgs/")?;
    DEFAULTS.contains(&name).then(|| format!("{server}/pkgs"))
}

/// The packages of an answer in link order, each with the lines that ask for it.
///
/// # Errors
/// An invalid package: the channel's index is damaged.
pub fn packages(
    request: &SolveRequest,
    answer: Vec<SolvedPackage>,
    file: &Arc<SourceFile>,
) -> Result<Vec<Package>, Diagnostic> {
    let depends: BTreeMap<String, Vec<String>> = answer
        .iter()
        .map(|solved| (solved.name.clone(), solved.depends.clone()))
        .collect();
    let package = |solved: SolvedPackage| {
        let channel = request.channels.get(solved.channel);
        let lines = request
            .specs
            .get(solved.requested_by)
            .map(|spec| spec.lines);
        let wrong = |why: &dyn Display| {
            let diagnostic = Diagnostic::new(format!(
                "{} {} from channel {} cannot be used: {why}",
                solved.name,
                solved.version,
                channel.map_or("", |channel| channel.name.as_str())
            ))
            .help("The channel's index is damaged. Report it to whoever runs the channel.");
            match channel {
                Some(channel) => diagnostic.at(file, channel.lines),
                None => diagnostic,
            }
        };
        let url = Url::parse(&solved.url).map_err(|error| wrong(&error).caused_by(error))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(wrong(&format_args!(
                "its address is {}",
                PackageUrl::new(url)
            )));
        }
        if PackageUrl::new(url.clone()).has_credentials() {
            return Err(wrong(&"its address has credentials"));
        }
        let file_name = url.path_segments().and_then(Iterator::last);
        let id = PackageId::from_file_name(file_name.unwrap_or_default())
            .map_err(|error| wrong(&error).caused_by(error))?;
        Ok(Package {
            id,
            url: PackageUrl::new(url),
            subdir: solved.subdir.clone(),
            hashes: Hashes {
                sha256: solved.sha256.clone(),
                md5: solved.md5.clone(),
            },
            size: solved.size,
            lines: lines.unwrap_or(Lines::one(1)),
        })
    };
    let packages = answer.into_iter().map(package).collect::<Result<_, _>>()?;
    Ok(link_order(packages, &depends))
}

#[cfg(test)]
mod tests {
    use super::*;
    use condafront_input::{DeclaredPlatform, DeclaredSystem, RequestedSpec};
    use condafront_model::channel::ChannelPriority;
    use condafront_model::channel::ChannelUrl;
    use condafront_model::origin::Origin;
    use condafront_model::source::Level;
    use condafront_step_spec::solve::{Details, ExcludeNewer};

    fn request() -> SolveRequest {
        SolveRequest {
            channels: vec![Channel {
                name: "private".to_owned(),
                url: ChannelUrl::new(Url::parse("https://c.example/private").unwrap()),
                lines: Lines::one(2),
            }],
            priority: ChannelPriority::Strict,
            exclude_newer: None,
            specs: vec![RequestedSpec {
                spec: "numpy >=2".to_owned(),
                lines: Lines::one(4),
                is_implied: false,
            }],
            group: Vec::new(),
            declared: DeclaredSystem::default(),
            platforms: vec![DeclaredPlatform {
                subdir: "osx-arm64".to_owned(),
                lines: Lines::one(6),
            }],
            without_pip: false,
            origin: Origin::default(),
            kept: Kept::default(),
            installed: Vec::new(),
        }
    }

    fn solved(url: &str) -> SolvedPackage {
        SolvedPackage {
            name: "numpy".to_owned(),
            version: "2.1.0".to_owned(),
            build: "0".to_owned(),
            subdir: "linux-64".to_owned(),
            channel: 0,
            url: url.to_owned(),
            sha256: Some("0".repeat(64)),
            md5: None,
            size: Some(1),
            license: None,
            depends: Vec::new(),
            requested_by: 0,
            details: Details::default(),
        }
    }

    fn file() -> Arc<SourceFile> {
        SourceFile::new(
            "env.yml",
            "channels:\n  - https://c.example/private\ndependencies:\n  - numpy >=2\nplatforms:\n  - osx-arm64\n",
        )
    }

    #[test]
    fn the_question_has_no_line_numbers() {
        let system = System {
            glibc: condafront_step_spec::solve::Glibc::Base("2.36".to_owned()),
            archspec: Some("x86_64".to_owned()),
            cuda: None,
            cuda_arch: None,
        };
        let question = question(&request(), Platform::LinuxAmd64, system, SystemTime::now());
        assert_eq!(
            serde_json::to_string(&question).unwrap(),
            r#"{"subdir":"linux-64","channels":[{"name":"private","url":"https://c.example/private"}],"priority":"strict","specs":["numpy >=2"],"system":{"glibc":{"base":"2.36"},"archspec":"x86_64"}}"#
        );
    }

    #[test]
    fn packages_that_stay_are_named_by_their_address_in_the_channel() {
        let bare = "https://c.example/private/linux-64/numpy-2.1.0-0";
        for end in [".conda", ".tar.bz2", ".conda?raw=true", ".conda?sig=secret"] {
            let answer = vec![solved(&format!("{bare}{end}"))];
            let packages = packages(&request(), answer, &file()).unwrap();
            assert_eq!(without_suffix(&packages[0]), bare, "{end}");
        }
    }

    #[test]
    fn ages_count_from_the_start_of_the_build() {
        let cutoffs = |text: &str| {
            let mut request = request();
            let mut asked = ExcludeNewer::of(Some(text.parse().unwrap()));
            asked.channels.insert(0, None);
            asked
                .packages
                .insert("numpy".to_owned(), Some("1d".parse().unwrap()));
            request.exclude_newer = Some(asked);
            let system = System {
                glibc: condafront_step_spec::solve::Glibc::BaseHasNone,
                archspec: None,
                cuda: None,
                cuda_arch: None,
            };
            // 2026-11-29T12:34:56Z
            let now = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_795_955_696);
            let question = question(&request, Platform::LinuxAmd64, system, now);
            serde_json::to_string(&question.exclude_newer).unwrap()
        };
        let exempt = r#""channels":{"0":null},"packages":{"numpy":"2026-11-27"}}"#;
        assert_eq!(
            cutoffs("7d"),
            format!(r#"{{"cutoff":"2026-11-21",{exempt}"#)
        );
        assert_eq!(
            cutoffs("2026-11-01T12:00:00Z"),
            format!(r#"{{"cutoff":"2026-11-01T12:00:00Z",{exempt}"#)
        );
    }

    #[test]
    fn anacondas_channels_are_a_group() {
        assert_eq!(
            group("https://repo.anaconda.com/pkgs/main").as_deref(),
            Some("https://repo.anaconda.com/pkgs")
        );
        for other in [
            "https://conda.anaconda.org/conda-forge",
            "https://c.example/pkgs/a/b",
            // Packages with the names of internal ones must not replace these.
            "https://c.example/pkgs/internal",
        ] {
            assert_eq!(group(other), None);
        }
    }

    #[test]
    fn packages_are_in_link_order() {
        let named = |name: &str, depends: &[&str]| SolvedPackage {
            name: name.to_owned(),
            depends: depends.iter().map(|text| (*text).to_owned()).collect(),
            ..solved(&format!(
                "https://c.example/private/linux-64/{name}-1-0.conda"
            ))
        };
        let answer = vec![
            named("a", &["b >=1", "python"]),
            named("b", &[]),
            named("python", &["zlib"]),
            named("zlib", &[]),
        ];
        let found = packages(&request(), answer, &file()).unwrap();
        let names: Vec<&str> = found.iter().map(|one| one.id.name.as_str()).collect();
        assert_eq!(names, ["zlib", "python", "b", "a"]);
    }

    #[test]
    fn unusable_packages_are_reported_at_their_line() {
        let file = file();
        let mut all = String::new();
        let mut add = |diagnostic: Diagnostic| {
            all.push_str(&format!("{}\n\n", diagnostic.render(Level::Error)));
        };
        add(check_platform(&request(), Platform::LinuxAmd64, &file).unwrap_err());
        for url in [
            "file:///etc/numpy-2.1.0-0.conda",
            "https://c.example/private/linux-64/numpy.whl",
            "numpy",
            "https://me:hunter2@c.example/private/linux-64/numpy-2.1.0-0.conda",
        ] {
            add(packages(&request(), vec![solved(url)], &file).unwrap_err());
        }
        assert!(!all.contains("hunter2"));
        insta::assert_snapshot!(all);
    }
}
