//! Why pip could not resolve a list, and what to do about it.

use std::path::Path;

use super::build_failure::{self, BUILT, BuildFailure};
use super::list_files::ListFiles;
use super::{process, unreachable};
use crate::child::STOPPED;
use condafront_model::pypi_package::requirement_name;
use condafront_model::redact::quoted;
use condafront_step_spec::failure_report::{Culprit, FailureReport};
use condafront_step_spec::pip::PipEntry;

/// What pip says of a server that leads from one address to the next. It does not say which server it was.
const CIRCLE: &str = "Exceeded 30 redirects";

/// What to do about an index that cannot be reached.
const UNREACHABLE: &str = "Check that the build has network access (docker build --network), and whether it needs a proxy (--build-arg HTTPS_PROXY=…) or another index (--build-arg PIP_INDEX_URL=…).";

/// What to do about a pip that waits.
const SILENT: &str = "Check whether the package index answers, and whether the build needs a proxy (--build-arg HTTPS_PROXY=…). If pip takes that long, give it more time (--build-arg CONDAFRONT_TIMEOUT=2h).";

/// pip's own reason, reported at the entries that it is about. `has_own_index` says that pip knows servers besides those in
/// the list.
pub(super) fn of(
    output: &str,
    list: &[PipEntry],
    files: &ListFiles,
    input: &Path,
    has_own_index: bool,
) -> FailureReport {
    if output.contains("no such option: --dry-run") || output.contains("no such option: --report") {
        return FailureReport {
            help: Some("Add pip>=22.2 to the dependencies. For python 3.4 and those before 2.7, which have no such pip, give each file by its URL with a hash: demo @ https://…/demo-1.0-py3-none-any.whl#sha256=….".to_owned()),
            ..FailureReport::new("the environment's pip is too old to report what it would install")
        };
    }
    if let Some(build) = build_failure::find(output) {
        return unbuilt(output, &build, list, files, input);
    }
    let reason = files.shown(&process::reason(output), input);
    let errors: String = output
        .lines()
        .filter(|line| line.contains("ERROR: "))
        .collect();
    let mut culprits = files.entries_in(&errors);
    culprits.extend(in_conflict(output, list));
    if culprits.is_empty() {
        culprits.extend(named(&reason, list));
    }
    let is_silent = output.ends_with(STOPPED);
    if is_silent && !list.is_empty() {
        // At the line that asks for an index, or the first.
        let index = only_index(list).filter(|_| !has_own_index);
        culprits.push(index.map_or(0, |(line, _)| line));
    }
    culprits.sort_unstable();
    culprits.dedup();
    let certificate = process::certificate(output);
    let unreachable = unreachable::find(output);
    let reason = match &certificate {
        Some((reason, _)) => reason.clone(),
        None if output.contains(CIRCLE) => {
            let index = only_index(list).filter(|_| !has_own_index);
            if culprits.is_empty() && !list.is_empty() {
                // The first line of the list asks for an index.
                culprits.push(index.map_or(0, |(line, _)| line));
            }
            in_a_circle(index.map(|(_, address)| address))
        }
        None => unreachable.clone().unwrap_or(reason),
    };
    let mut report = process::failure("find the PyPI packages", &reason);
    report.culprits = culprits.into_iter().map(Culprit::Package).collect();
    let help = match (certificate, unreachable) {
        (Some((_, help)), _) => Some(help),
        (None, Some(_)) => Some(UNREACHABLE),
        (None, None) if is_silent => Some(SILENT),
        (None, None) => help(output),
    };
    report.help = help.map(str::to_owned).or(report.help);
    report
}

/// A package that pip must build to learn what it needs, and cannot.
fn unbuilt(
    output: &str,
    build: &BuildFailure,
    list: &[PipEntry],
    files: &ListFiles,
    input: &Path,
) -> FailureReport {
    let line = build.package.as_deref().unwrap_or_default();
    let what = line.split_once(' ').map(|(_, rest)| rest);
    let name = what.map(|rest| rest.split(" (from ").next().unwrap_or(rest));
    let doing = match name {
        Some(name) => format!("build {}", files.shown(name, input)),
        None => "find the PyPI packages".to_owned(),
    };
    let mut culprits = files.entries_in(line);
    if culprits.is_empty() {
        culprits.extend(named(&files.shown(line, input), list));
    }
    let mut report = process::failure(&doing, &files.shown(&build.reason, input));
    report.culprits = culprits.into_iter().map(Culprit::Package).collect();
    report.help = Some(match process::certificate(output) {
        Some((_, help)) => help.to_owned(),
        None => build.help.clone().unwrap_or_else(|| BUILT.to_owned()),
    });
    report
}

/// The only server that pip can have asked, as far as the list says: that of its `--index-url`, if nothing else in the list
/// names one.
fn only_index(list: &[PipEntry]) -> Option<(usize, &str)> {
    let entries = list.iter().enumerate();
    // A variable may stand for an address.
    let mut named = entries.filter(|(_, it)| it.text.contains("://") || it.text.contains("${"));
    let (index, entry) = named.next().filter(|_| named.next().is_none())?;
    let mut options = ["--index-url", "-i"].into_iter();
    let address = options.find_map(|option| entry.text.strip_prefix(option))?;
    let address = address.trim_start_matches([' ', '=']).trim_end();
    address.contains("://").then_some((index, address))
}

/// The message that a server redirects in a loop, with its address if it is known.
fn in_a_circle(address: Option<&str>) -> String {
    let server = address.map(quoted);
    let server = server.as_deref().unwrap_or("a server");
    format!("{server} redirects in a loop: pip followed 30 redirects")
}

/// The first entry whose name is a word of `text`.
fn named(text: &str, list: &[PipEntry]) -> Option<usize> {
    let words: Vec<String> = text
        .split(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c)))
        .map(condafront_model::pypi_package::normalized)
        .collect();
    list.iter().position(|entry| {
        let name = requirement_name(entry.text.trim());
        name.is_some_and(|name| words.contains(&name))
    })
}

/// The entries that take part in a conflict: `The user requested (constraint) a<2`, or `b 1.0 depends on a>=3`.
fn in_conflict(output: &str, list: &[PipEntry]) -> Vec<usize> {
    let Some((_, causes)) = output.split_once("The conflict is caused by:\n") else {
        return Vec::new();
    };
    let causes = causes.lines().map(str::trim);
    let causes = causes.take_while(|line| !line.is_empty());
    causes
        .flat_map(|line| {
            let requested = line.strip_prefix("The user requested ");
            let constraint = requested.and_then(|text| text.strip_prefix("(constraint) "));
            let text = constraint.or(requested).unwrap_or(line);
            let name = requirement_name(text.split(' ').next().unwrap_or(text));
            let is_meant = move |(_, entry): &(usize, &PipEntry)| {
                entry.is_constraint == constraint.is_some()
                    && name.is_some()
                    && requirement_name(entry.text.trim()) == name
            };
            list.iter().enumerate().filter(is_meant)
        })
        .map(|(index, _)| index)
        .collect()
}

fn help(output: &str) -> Option<&'static str> {
    if output.contains(CIRCLE) {
        Some(
            "Check the address of the index, or name another index: --index-url in the list, or --build-arg PIP_INDEX_URL=….",
        )
    } else if output.contains("conflicting dependencies") {
        Some(
            "Ask for compatible versions, or leave the choice to pip: remove a version or a constraint.",
        )
    } else if output.contains("require a different python version")
        || output.contains("requires a different Python")
    {
        Some(
            "There are versions that need a different python from the environment's. Change the version of python in the dependencies, or ask for a version of the package that supports it.",
        )
    } else if output.contains("(from versions: none)") {
        Some(
            "Check the name, and that the index has a version for the environment's python. A package's name on PyPI may differ from conda's. An index that needs credentials looks empty without them: see --secret id=PIP_INDEX_URL.",
        )
    } else if output.contains("No matching distribution found") {
        Some(
            "Check the name, and that the index has a version for the environment's python. A package's name on PyPI may differ from conda's.",
        )
    } else if output.contains("Hashes are required in --require-hashes mode") {
        Some(
            "Once one requirement has a hash, all need one, and their dependencies must be listed too. Regenerate the file with pip-compile --generate-hashes or uv pip compile --generate-hashes.",
        )
    } else if output.contains("DO NOT MATCH THE HASHES") {
        Some(
            "The index has a different file from the one that was hashed. Find out why it changed, then regenerate the file with the hashes.",
        )
    } else if output.contains("401 Error")
        || output.contains("403 Error")
        || output.contains("User for ")
    {
        Some(
            "The index needs credentials. Pass its URL with them as a secret: --secret id=PIP_INDEX_URL,env=PIP_INDEX_URL.",
        )
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The report about what pip printed for a list of two entries.
    fn report(texts: [&str; 2], output: &str, has_own_index: bool) -> FailureReport {
        let list = texts.map(|text| PipEntry {
            text: text.to_owned(),
            is_constraint: false,
            wheel: None,
        });
        let input = Path::new("/in");
        let files = ListFiles::of(&list, Path::new("/tmp/pip"), input).unwrap();
        of(output, &list, &files, input, has_own_index)
    }

    #[test]
    fn reasons_from_pip_are_short_and_name_an_entry() {
        let texts = [
            ("--pre", false),
            ("Flask>=3", false),
            ("werkzeug==1", true),
            ("no_such==9", false),
            ("six ===", false),
        ];
        let list = texts.map(|(text, is_constraint)| PipEntry {
            text: text.to_owned(),
            is_constraint,
            wheel: None,
        });
        let input = Path::new("/in");
        let files = ListFiles::of(&list, Path::new("/tmp/pip"), input).unwrap();
        let outputs = [
            "Collecting flask\nERROR: Could not find a version that satisfies the requirement no-such==9 (from versions: none)\nERROR: No matching distribution found for no-such==9\n",
            "ERROR: Invalid requirement: 'six ===': Expected end or semicolon (from line 4 of /tmp/pip/requirements.txt)\n",
            "ERROR: Could not find a version that satisfies the requirement a>5 (from flask->-r /tmp/pip/requirements.txt (line 2)) (from versions: 1.0)\nERROR: No matching distribution found for a>5\n",
            "ERROR: Cannot install flask==3.0 and werkzeug==1 because these package versions have conflicting dependencies.\n\nThe conflict is caused by:\n    The user requested werkzeug==1\n    flask 3.0 depends on werkzeug>=3\n\nTo fix this you could try to:\n1. loosen\n\nERROR: ResolutionImpossible: for help visit https://pip.pypa.io/\n",
            "WARNING: Retrying (Retry(total=0, connect=None)) after connection broken by 'NewConnectionError(\"HTTPSConnection(host='i.example', port=443): Failed to establish a new connection: [Errno 111] Connection refused\")': /simple/flask/\nERROR: Could not find a version that satisfies the requirement flask (from versions: none)\nERROR: No matching distribution found for flask\n",
            "ERROR: Invalid requirement: 'werkzeug=1': Expected end (from line 1 of /tmp/pip/constraints.txt)\n",
            "ERROR: In --require-hashes mode, all requirements must have their versions pinned with ==. These do not:\n    file:///in/0/demo-1.0-py3-none-any.whl (from -r /tmp/pip/requirements.txt (line 2))\n",
            "ERROR: Hashes are required in --require-hashes mode, but they are missing from some requirements.\n    flask>=3 from https://f.example/flask-3.whl --hash=sha256:aa\n",
            "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE. If you have updated the package versions, please update the hashes. Otherwise, examine the package contents carefully; someone may have tampered with them.\n    no_such==9 from https://f.example/x.whl (from -r /tmp/pip/requirements.txt (line 3)):\n        Expected sha256 aa\n             Got        bb\n\n",
            "INFO: pip is looking at multiple versions of flask\nERROR: Cannot install -r /tmp/pip/requirements.txt (line 2) and -r /tmp/pip/requirements.txt (line 3) because these package versions have conflicting dependencies.\n\nThe conflict is caused by:\n    flask 3.0 depends on six>=1.16\n    no_such 9 depends on six<1\n\nTo fix this you could try to:\n1. loosen the range of package versions you've specified\n2. remove package versions to allow pip to attempt to solve the dependency conflict\n\nERROR: ResolutionImpossible: for help visit https://pip.pypa.io/\n",
            "ERROR: Cannot install flask>=3 because these package versions have conflicting dependencies.\n\nThe conflict is caused by:\n    The user requested flask>=3\n    The user requested (constraint) werkzeug==1\n\nTo fix\n",
            "ERROR: Double requirement given: flask==1 (from -r /tmp/pip/requirements.txt (line 3)) (already in Flask>=3 (from -r /tmp/pip/requirements.txt (line 2)), name='flask')\n",
            "ERROR: Ignored the following yanked versions: 0.1, 0.2\nERROR: Ignored the following versions that require a different python version: 2.9.0 Requires-Python >=3.10; 2.9.1 Requires-Python >=3.10; 3.0 Requires-Python >=3.11; 3.1 Requires-Python >=3.11,<4; 3.2 Requires-Python >=3.11\nERROR: Could not find a version that satisfies the requirement Flask>=3 (from versions: 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0, 1.1, 2.0)\nERROR: No matching distribution found for Flask>=3\n",
            "Processing /in/0/demo-1.0-py3-none-any.whl (from -r /tmp/pip/requirements.txt (line 2))\nERROR: Package 'flask' requires a different Python: 3.11.9 not in '>=3.12'\n",
            "Collecting flask>=3 (from -r /tmp/pip/requirements.txt (line 2))\nCollecting psycopg2 (from flask>=3->-r /tmp/pip/requirements.txt (line 2))\n  error: subprocess-exited-with-error\n  \n  × python setup.py egg_info did not run successfully.\n  │ exit code: 1\n  ╰─> [3 lines of output]\n      running egg_info\n      \n      Error: pg_config executable not found.\n      [end of output]\n  \nerror: metadata-generation-failed\n\n× Encountered error while generating package metadata.\n╰─> See above for output.\n",
            "Usage:\n  pip install [options]\n\nno such option: --dry-run\n",
            "ERROR: Could not install packages due to an OSError: Exceeded 30 redirects.\n",
            "WARNING: Retrying (Retry(total=0, connect=None)) after connection broken by 'SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: unable to get local issuer certificate (_ssl.c:1028)'))': /simple/flask/\nCould not fetch URL https://i.example:8443/simple/flask/: There was a problem confirming the ssl certificate: HTTPSConnectionPool(host='i.example', port=8443): Max retries exceeded with url: /simple/flask/ (Caused by SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: unable to get local issuer certificate (_ssl.c:1028)'))) - skipping\nERROR: Could not find a version that satisfies the requirement flask (from versions: none)\nERROR: No matching distribution found for flask\n",
        ];
        let mut all = String::new();
        for output in outputs {
            let report = of(output, &list, &files, input, false);
            all.push_str(&format!("{report}\n  at {:?}\n", report.culprits));
            all.push_str(&format!("  {}\n\n", report.help.unwrap_or_default()));
        }
        insta::assert_snapshot!(all);
    }

    #[test]
    fn a_circle_is_blamed_on_an_index_that_is_the_only_one() {
        let index = "--index-url https://round.example/simple";
        let short = "-i https://round.example/simple";
        let direct = "demo @ https://good.example/demo-1.0-py3-none-any.whl";
        let circle =
            "ERROR: Could not install packages due to an OSError: Exceeded 30 redirects.\n";
        let of_six = "ERROR: Cannot get six (from -r /tmp/pip/requirements.txt (line 1)): Exceeded 30 redirects.\n";
        let round = "https://round.example/simple";
        for (texts, output, has_own_index, server, culprit) in [
            (["six", index], circle, false, round, 1),
            (["six", index], circle, true, "a server", 0),
            (["six", index], of_six, false, round, 0),
            (["six", short], circle, false, round, 1),
            (["six", direct], circle, false, "a server", 0),
            ([index, direct], circle, false, "a server", 0),
            (["six", direct], circle, true, "a server", 0),
            (
                [index, "--extra-index-url https://${HOST}/simple"],
                circle,
                false,
                "a server",
                0,
            ),
            (
                [index, "--find-links ${PAGE}"],
                circle,
                false,
                "a server",
                0,
            ),
        ] {
            let report = report(texts, output, has_own_index);
            let expected = format!(
                "pip cannot find the PyPI packages: {server} redirects in a loop: pip followed 30 redirects"
            );
            assert_eq!(report.message, expected, "{texts:?}");
            assert_eq!(report.culprits, [Culprit::Package(culprit)], "{texts:?}");
        }
    }

    #[test]
    fn a_pip_that_waits_is_reported_at_the_index() {
        let output = "it printed nothing for 8 seconds, and was stopped";
        for (texts, has_own_index, culprit) in [
            (
                ["demo", "--index-url http://index.example/simple/"],
                false,
                1,
            ),
            (
                ["demo", "--index-url http://index.example/simple/"],
                true,
                0,
            ),
            (["demo", "other"], false, 0),
        ] {
            let report = report(texts, output, has_own_index);
            assert_eq!(
                report.message,
                format!("pip cannot find the PyPI packages: {output}")
            );
            assert_eq!(report.culprits, [Culprit::Package(culprit)], "{texts:?}");
            assert_eq!(report.help.as_deref(), Some(SILENT));
        }
    }
}
