//! A locale for the base image's C library.
//!
//! glibc's locales are directories below `/usr/lib/locale`, or together in an archive there. Debian compiles them from
//! the sources in its package `locales`; Fedora has a package for each language. musl supports only UTF-8, and finds
//! translations of its messages in `MUSL_LOCPATH` (<https://musl.libc.org/doc/1.1.24/manual.html>).

use std::fs;
use std::path::Path;
use std::process::Command;

use memchr::memmem;

use super::apt;
use super::failure::Failure;
use super::manager::Programs;
use super::process::Tool;
use crate::account::libc;
use crate::root::{Root, RootError};
use condafront_model::nearest::{nearest, suggestion};
use condafront_step_spec::account::Libc;
use condafront_step_spec::failure_report::FailureReport;
use condafront_step_spec::system::Manager;

/// Where Alpine's package musl-locales keeps its files.
pub(super) const MUSL_DIR: &str = "/usr/share/i18n/locales/musl";
const MUSL_PACKAGE: &str = "musl-locales";

const COMPILED: &str = "/usr/lib/locale";
const ARCHIVE: &str = "/usr/lib/locale/locale-archive";
/// The sources of glibc's locales.
const SOURCES: &str = "/usr/share/i18n";
const DEBIAN_PACKAGE: &str = "locales";
const COMPILER: &str = "localedef";

/// Where Debian's package is unpacked while the step runs.
const UNPACKED: &str = "/tmp/condafront-locales";

const HELP: &str =
    "Use `C.UTF-8`, which needs nothing from the base image, or a base image that has the locale.";

/// The parts of a locale's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Name<'a> {
    /// `en_US`.
    place: &'a str,
    /// `UTF-8`.
    charset: &'a str,
    /// `euro`.
    modifier: Option<&'a str>,
}

impl<'a> Name<'a> {
    fn parse(text: &'a str) -> Self {
        let (rest, modifier) = match text.split_once('@') {
            Some((rest, modifier)) => (rest, Some(modifier)),
            None => (text, None),
        };
        let (place, charset) = rest.split_once('.').unwrap_or((rest, ""));
        Self {
            place,
            // `locale -a` and many Dockerfiles write it without the dash; glibc's file names have the dash.
            charset: match charset.to_ascii_lowercase().as_str() {
                "utf8" | "utf-8" => "UTF-8",
                _ => charset,
            },
            modifier,
        }
    }

    /// `en`.
    fn language(self) -> &'a str {
        self.place.split('_').next().unwrap_or(self.place)
    }

    fn with(self, charset: &str) -> String {
        let dot = if charset.is_empty() { "" } else { "." };
        let modifier = self.modifier.map(|modifier| format!("@{modifier}"));
        format!(
            "{}{dot}{charset}{}",
            self.place,
            modifier.unwrap_or_default()
        )
    }

    /// The name under which glibc stores it, `en_US.utf8` (`_nl_normalize_codeset`).
    fn stored(self) -> String {
        let plain: String = self
            .charset
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .map(|c| c.to_ascii_lowercase())
            .collect();
        let is_number = !plain.is_empty() && plain.bytes().all(|byte| byte.is_ascii_digit());
        if is_number {
            self.with(&format!("iso{plain}"))
        } else {
            self.with(&plain)
        }
    }

    /// The source file for the compiler: `en_US`, `sr_RS@latin`.
    fn source(self) -> String {
        self.with("")
    }
}

/// Whether the image at `root` has the locale `text`.
fn exists(root: &Root, text: &str) -> Result<bool, RootError> {
    if libc(root)? == Libc::Musl {
        return root.is_file(&Path::new(MUSL_DIR).join(text));
    }
    let stored = Name::parse(text).stored();
    for name in [text, &stored] {
        let file = Path::new(COMPILED).join(name).join("LC_CTYPE");
        if root.is_file(&file)? {
            return Ok(true);
        }
    }
    let archive = root.read(Path::new(ARCHIVE))?.unwrap_or_default();
    // Its names end with a NUL.
    Ok(memmem::find(&archive, format!("\0{stored}\0").as_bytes()).is_some())
}

/// Makes sure that the image, which is the root that this runs in, has the locale `text`.
pub(super) fn ensure(
    tool: &mut Tool<'_>,
    root: &Root,
    programs: &Programs,
    text: &str,
) -> Result<(), FailureReport> {
    let report = |failure: Failure| failure.into_report("locale");
    if exists(root, text)? {
        return Ok(());
    }
    let name = Name::parse(text);
    let sources = root.is_file(&Path::new(SOURCES).join("locales").join(name.source()))?;
    if sources && root.find(&format!("/usr/bin/{COMPILER}")).is_some() {
        compile(tool, name, text, Path::new(SOURCES)).map_err(report)?;
    } else if programs.has(Manager::Apt) {
        from_debian(tool, programs, name, text).map_err(report)?;
    } else if programs.has(Manager::Apk) {
        let packages = [MUSL_PACKAGE.to_owned()];
        programs
            .install(tool, Manager::Apk, &packages)
            .map_err(|failure| report(unnamed(failure)))?;
    } else if programs.has(Manager::Dnf) {
        let packages = [format!("glibc-langpack-{}", name.language())];
        programs
            .install(tool, Manager::Dnf, &packages)
            .map_err(|failure| report(unnamed(failure)))?;
    } else {
        let message = format!(
            "{} has no locale `{text}`, and no package manager that condafront can install it with",
            programs.base()
        );
        return Err(report(Failure::new(message).help(HELP)));
    }
    if !exists(root, text)? {
        let message = format!("{} has no locale `{text}`", programs.base());
        return Err(report(Failure::new(message).help(HELP)));
    }
    Ok(())
}

/// The failure without its packages, which the user did not ask for.
fn unnamed(failure: Failure) -> Failure {
    let help = failure.help.clone();
    Failure::new(format!("cannot install the locale: {}", failure.message))
        .help(help.unwrap_or_else(|| HELP.to_owned()))
}

/// Compiles the locale from the sources of Debian's package, which does not stay in the image.
fn from_debian(
    tool: &mut Tool<'_>,
    programs: &Programs,
    name: Name<'_>,
    text: &str,
) -> Result<(), Failure> {
    let dir = Path::new(UNPACKED);
    fs::create_dir_all(dir)
        .map_err(|error| Failure::new(format!("cannot create {UNPACKED}: {error}")))?;
    let program = programs.of(Manager::Apt);
    apt::update(tool, program).map_err(unnamed)?;
    let archive = apt::download(tool, program, DEBIAN_PACKAGE, dir).map_err(unnamed)?;
    let mut unpack = Command::new("dpkg-deb");
    unpack.arg("-x").arg(&archive).arg(dir);
    let ended = tool.run(&unpack).map_err(Failure::new)?;
    if !ended.status.success() {
        let what = format!("dpkg-deb cannot unpack the package {DEBIAN_PACKAGE}");
        return Err(Failure::with_output(&what, &ended.output));
    }
    let below = dir.join(SOURCES.trim_start_matches('/'));
    compile(tool, name, text, &below)
}

/// Compiles the locale from the sources in the directory `sources`.
fn compile(tool: &mut Tool<'_>, name: Name<'_>, text: &str, sources: &Path) -> Result<(), Failure> {
    check_sources(name, text, sources)?;
    let mut command = Command::new(COMPILER);
    command
        .env("I18NPATH", sources)
        // Many sources cause warnings.
        .args(["--no-archive", "--force", "--quiet", "-i"])
        .arg(sources.join("locales").join(name.source()))
        .args(["-f", name.charset])
        .arg(Path::new(COMPILED).join(name.stored()));
    fs::create_dir_all(COMPILED)
        .map_err(|error| Failure::new(format!("cannot create {COMPILED}: {error}")))?;
    let ended = tool.run(&command).map_err(Failure::new)?;
    // It also fails after warnings, so look for its result.
    let made = Path::new(COMPILED).join(name.stored()).join("LC_CTYPE");
    if !made.is_file() {
        let what = format!("{COMPILER} cannot compile the locale `{text}`");
        return Err(Failure::with_output(&what, &ended.output).help(HELP));
    }
    Ok(())
}

/// Fails if glibc does not know a part of the name, and says which.
fn check_sources(name: Name<'_>, text: &str, sources: &Path) -> Result<(), Failure> {
    let names = |folder: &str| -> Vec<String> {
        let entries = fs::read_dir(sources.join(folder));
        let entries = entries.ok().into_iter().flatten().flatten();
        let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
        let mut names: Vec<String> = names
            .map(|name| name.trim_end_matches(".gz").to_owned())
            .collect();
        names.sort();
        names
    };
    for (folder, part) in [
        ("locales", name.source()),
        ("charmaps", name.charset.to_owned()),
    ] {
        let known = names(folder);
        if known.is_empty() || known.contains(&part) {
            continue;
        }
        let message = format!("`{text}` is not a valid locale: glibc does not know `{part}`");
        let failure = Failure::new(message);
        return Err(match nearest(&part, known.iter().map(String::as_str)) {
            Some(near) if folder == "charmaps" => failure.help(suggestion(name.with(near))),
            Some(near) => {
                let near = Name {
                    charset: name.charset,
                    ..Name::parse(near)
                };
                failure.help(suggestion(near.with(near.charset)))
            }
            None => failure.help(HELP),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_normalized_as_in_glibc() {
        for (name, stored, source) in [
            ("en_US.UTF-8", "en_US.utf8", "en_US"),
            (
                "de_DE.ISO-8859-15@euro",
                "de_DE.iso885915@euro",
                "de_DE@euro",
            ),
            ("sr_RS.UTF-8@latin", "sr_RS.utf8@latin", "sr_RS@latin"),
            ("ru_RU.KOI8-R", "ru_RU.koi8r", "ru_RU"),
            ("xx_YY.8859-1", "xx_YY.iso88591", "xx_YY"),
        ] {
            let name = Name::parse(name);
            assert_eq!(name.stored(), stored);
            assert_eq!(name.source(), source);
        }
        assert_eq!(Name::parse("zh_CN.GB18030").language(), "zh");
    }

    #[test]
    fn a_locale_is_a_directory_or_a_name_in_the_archive() {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::new(dir.path());
        let locales = dir.path().join("usr/lib/locale");
        fs::create_dir_all(locales.join("de_DE.utf8")).unwrap();
        fs::create_dir_all(locales.join("fr_FR.utf8")).unwrap();
        fs::write(locales.join("de_DE.utf8/LC_CTYPE"), "").unwrap();
        fs::write(locales.join("locale-archive"), b"x\0en_US.utf8\0y").unwrap();
        let found = |name: &str| exists(&root, name).unwrap();
        assert!(found("de_DE.UTF-8") && found("de_DE.utf8") && found("en_US.UTF-8"));
        // A directory without files, another charset, and a missing locale.
        assert!(!found("fr_FR.UTF-8") && !found("en_US.ISO-8859-1") && !found("nl_NL.UTF-8"));
    }

    #[test]
    fn an_unknown_locale_suggests_a_similar_one() {
        let dir = tempfile::tempdir().unwrap();
        for (folder, name) in [
            ("locales", "en_US"),
            ("locales", "ca_ES@valencia"),
            ("charmaps", "UTF-8.gz"),
        ] {
            fs::create_dir_all(dir.path().join(folder)).unwrap();
            fs::write(dir.path().join(folder).join(name), "").unwrap();
        }
        let check = |text: &str| check_sources(Name::parse(text), text, dir.path());
        assert_eq!(check("en_US.UTF-8"), Ok(()));
        let failure = check("en_UZ.UTF-8").unwrap_err();
        assert_eq!(failure.help.as_deref(), Some("Did you mean `en_US.UTF-8`?"));
        let failure = check("ca_ES.utf8@valencai").unwrap_err();
        let meant = "Did you mean `ca_ES.UTF-8@valencia`?";
        assert_eq!(failure.help.as_deref(), Some(meant));
        let failure = check("en_US.UTF-9").unwrap_err();
        assert_eq!(failure.help.as_deref(), Some("Did you mean `en_US.UTF-8`?"));
        assert_eq!(
            failure.message,
            "`en_US.UTF-9` is not a valid locale: glibc does not know `UTF-9`"
        );
    }
}
