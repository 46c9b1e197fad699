//! Makes conda packages from wheels: pure ones become noarch python, those with machine code linux-64.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Read as _};
use std::path::Path;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::archive::DEFAULT_TIME;
use super::cpython::PYTHON;
use super::metadata::Metadata;
use super::recipe::{Kind, Placeholder, Recipe, placeholder};
use super::store::Job;

/// A wheel in memory.
struct Wheel {
    metadata: Metadata,
    pure: bool,
    console_scripts: Vec<String>,
    files: BTreeMap<String, WheelFile>,
    /// When its newest file was made, in seconds since 1970.
    time: u64,
}

struct WheelFile {
    content: Vec<u8>,
    executable: bool,
}

/// One job for each wheel, and jobs for what conda packages separately: time zones and certificates.
pub(super) fn jobs(wheels: &[impl AsRef<Path>]) -> Vec<Job> {
    let known: BTreeMap<String, Metadata> = wheels
        .iter()
        .map(|path| {
            let metadata = read_metadata(path.as_ref());
            (metadata.name.clone(), metadata)
        })
        .collect();
    let known = Arc::new(known);
    let mut jobs = Vec::new();
    for path in wheels {
        let path = path.as_ref().to_owned();
        let name = file_name(&path);
        let extra: Option<fn(&Wheel) -> Recipe> = if name.starts_with("tzdata-") {
            Some(time_zones)
        } else if name.starts_with("certifi-") {
            Some(certificates)
        } else {
            None
        };
        if let Some(extra) = extra {
            let path = path.clone();
            jobs.push(Box::new(move || extra(&Wheel::open(&path)).build()) as Job);
        }
        let known = Arc::clone(&known);
        jobs.push(Box::new(move || Wheel::open(&path).recipe(&known).build()));
    }
    jobs
}

/// The time zone database, for any program.
fn time_zones(wheel: &Wheel) -> Recipe {
    let mut recipe = Recipe::new("tzdata", &wheel.metadata.version, Kind::NoarchGeneric);
    recipe.license = "LicenseRef-Public-Domain".to_owned();
    recipe.time = wheel.time;
    for (path, file) in &wheel.files {
        if let Some(zone) = path.strip_prefix("tzdata/zoneinfo/")
            && !zone.ends_with(".py")
        {
            let path = format!("share/zoneinfo/{zone}");
            recipe = recipe.file(&path, file.content.clone(), 0o644);
        }
    }
    recipe
}

/// The certificate authorities, for any program.
fn certificates(wheel: &Wheel) -> Recipe {
    let mut recipe = Recipe::new(
        "ca-certificates",
        &wheel.metadata.version,
        Kind::NoarchGeneric,
    );
    recipe.license = wheel.metadata.license.clone();
    recipe.time = wheel.time;
    recipe
        .file(
            "ssl/cacert.pem",
            wheel.files["certifi/cacert.pem"].content.clone(),
            0o644,
        )
        .symlink("ssl/cert.pem", "cacert.pem")
}

impl Wheel {
    fn open(path: &Path) -> Self {
        let mut archive = open_zip(path);
        let mut files = BTreeMap::new();
        let mut time = 0;
        for index in 0..archive.len() {
            let mut member = archive.by_index(index).expect("a member of the wheel");
            if member.is_dir() {
                continue;
            }
            time = time.max(member.last_modified().map_or(0, seconds));
            let mut content = Vec::new();
            member
                .read_to_end(&mut content)
                .unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
            let executable = member.unix_mode().is_some_and(|mode| mode & 0o111 != 0);
            let file = WheelFile {
                content,
                executable,
            };
            let name = member.name().expect("a wheel's names are UTF-8");
            files.insert(name.into_owned(), file);
        }
        let text = |file: &str| {
            files
                .iter()
                .find(|(path, _)| path.ends_with(&format!(".dist-info/{file}")))
                .map(|(_, file)| String::from_utf8_lossy(&file.content).into_owned())
                .unwrap_or_default()
        };
        Self {
            metadata: Metadata::parse(&text("METADATA")),
            pure: file_name(path).ends_with("-none-any.whl"),
            console_scripts: console_scripts(&text("entry_points.txt")),
            files,
            // Wheels from reproducible builds often have dates in 1980.
            time: if time > 1_000_000_000 {
                time
            } else {
                DEFAULT_TIME
            },
        }
    }

    fn recipe(self, known: &BTreeMap<String, Metadata>) -> Recipe {
        let kind = if self.pure {
            Kind::NoarchPython
        } else {
            Kind::Platform("linux-64")
        };
        let mut recipe = Recipe::new(self.metadata.conda_name(), &self.metadata.version, kind);
        recipe.depends = self.metadata.depends(known);
        recipe.license = self.metadata.license.clone();
        recipe.summary = self.metadata.summary.clone();
        recipe.time = self.time;
        if self.pure {
            recipe.entry_points = self.console_scripts;
        } else {
            let digest = Sha256::digest(format!("{} {}", recipe.name, recipe.time));
            recipe.build = format!("py313h{}_0", &hex::encode(digest)[..7]);
            recipe = recipe.depends(&[
                "__glibc >=2.28,<3.0.a0",
                "libgcc",
                "libstdcxx",
                "python_abi 3.13.* *_cp313",
            ]);
            for entry_point in self.console_scripts {
                recipe = add_entry_point(recipe, &entry_point);
            }
        }
        for (path, file) in self.files {
            if let Some(name) = license_file(&path) {
                let text = file.content.clone();
                recipe.licenses.insert(name.to_owned(), text);
            }
            recipe = add_file(recipe, &path, file, self.pure);
        }
        recipe
    }
}

/// Adds the script that an installer would write for an entry point of a noarch package.
fn add_entry_point(recipe: Recipe, entry_point: &str) -> Recipe {
    let (name, function) = entry_point.split_once(" = ").expect("name = function");
    let (module, function) = function.split_once(':').expect("module:function");
    let import = function.split('.').next().unwrap_or(function);
    let script = format!(
        "#!{}/bin/python{PYTHON}\nimport sys\n\nfrom {module} import {import}\n\n\
         if __name__ == '__main__':\n    sys.exit({function}())\n",
        placeholder()
    );
    let path = format!("bin/{name}");
    recipe.file_with_prefix(&path, script, 0o755, Placeholder::Text)
}

/// Adds a wheel's file, at its place in this kind of package.
fn add_file(recipe: Recipe, path: &str, file: WheelFile, pure: bool) -> Recipe {
    let mode = if file.executable { 0o755 } else { 0o644 };
    let (site_packages, scripts) = if pure {
        ("site-packages".to_owned(), "python-scripts")
    } else {
        (format!("lib/python{PYTHON}/site-packages"), "bin")
    };
    let Some((_, data)) = split_data(path) else {
        let content = match path.rsplit_once('/') {
            Some((folder, "INSTALLER")) if folder.ends_with(".dist-info") => b"conda\n".to_vec(),
            _ => file.content,
        };
        return recipe.file(&format!("{site_packages}/{path}"), content, mode);
    };
    let (kind, rest) = data.split_once('/').expect("a kind of data and a path");
    match kind {
        "purelib" | "platlib" => {
            recipe.file(&format!("{site_packages}/{rest}"), file.content, mode)
        }
        "data" => recipe.file(rest, file.content, mode),
        "headers" => {
            let path = format!("include/python{PYTHON}/{}/{rest}", recipe.name);
            recipe.file(&path, file.content, mode)
        }
        "scripts" => {
            let path = format!("{scripts}/{rest}");
            match file.content.strip_prefix(b"#!python") {
                Some(script) => {
                    let mut content = format!("#!{}/bin/python", placeholder()).into_bytes();
                    content.extend_from_slice(script);
                    recipe.file_with_prefix(&path, content, 0o755, Placeholder::Text)
                }
                None => recipe.file(&path, file.content, 0o755),
            }
        }
        kind => panic!("{} has data of the unknown kind {kind}", recipe.name),
    }
}

/// The name of a licence text next to the metadata.
fn license_file(path: &str) -> Option<&str> {
    let (folder, rest) = path.split_once('/')?;
    let name = rest.strip_prefix("licenses/").unwrap_or(rest);
    let known = ["LICEN", "COPYING", "NOTICE", "AUTHORS"]
        .iter()
        .any(|start| name.to_uppercase().starts_with(start));
    (folder.ends_with(".dist-info") && known).then_some(name)
}

/// The name and the rest of `<name>-<version>.data/<rest>`.
fn split_data(path: &str) -> Option<(&str, &str)> {
    let (folder, rest) = path.split_once('/')?;
    Some((folder.strip_suffix(".data")?, rest))
}

/// `name = module:function` of the console and gui scripts in an `entry_points.txt`.
fn console_scripts(text: &str) -> Vec<String> {
    let mut scripts = Vec::new();
    let mut wanted = false;
    for line in text.lines().map(str::trim) {
        if line.starts_with('[') {
            wanted = matches!(line, "[console_scripts]" | "[gui_scripts]");
        } else if wanted && let Some((name, function)) = line.split_once('=') {
            // An extra in brackets may follow the function.
            let function = function.split('[').next().unwrap_or_default();
            scripts.push(format!("{} = {}", name.trim(), function.trim()));
        }
    }
    scripts.sort();
    scripts
}

fn read_metadata(path: &Path) -> Metadata {
    let mut archive = open_zip(path);
    let name = archive
        .file_names()
        .filter_map(Result::ok)
        .find(|name| name.ends_with(".dist-info/METADATA") && name.matches('/').count() == 1)
        .unwrap_or_else(|| panic!("{} has no METADATA", path.display()))
        .into_owned();
    let mut text = String::new();
    archive
        .by_name(&name)
        .expect("a listed member")
        .read_to_string(&mut text)
        .unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
    Metadata::parse(&text)
}

fn open_zip(path: &Path) -> zip::ZipArchive<Cursor<Vec<u8>>> {
    fs::read(path)
        .map_err(zip::result::ZipError::Io)
        .and_then(|bytes| zip::ZipArchive::new(Cursor::new(bytes)))
        .unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()))
}

fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// A zip's time in seconds since 1970, taken as UTC.
fn seconds(time: zip::DateTime) -> u64 {
    let (mut year, mut month) = (u64::from(time.year()), u64::from(time.month()));
    // Years counted from March have their leap day at the end.
    if month <= 2 {
        year -= 1;
        month += 12;
    }
    let days = 365 * year + year / 4 - year / 100
        + year / 400
        + (153 * (month - 3) + 2) / 5
        + u64::from(time.day())
        - 1
        - 719_468;
    let minutes = (days * 24 + u64::from(time.hour())) * 60 + u64::from(time.minute());
    minutes * 60 + u64::from(time.second())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zip_times() {
        let time = |y, m, d| zip::DateTime::from_date_and_time(y, m, d, 1, 2, 4).map(seconds);
        assert_eq!(time(2024, 2, 29).ok(), Some(1_709_168_524));
        assert_eq!(time(2025, 1, 1).ok(), Some(DEFAULT_TIME + 3724));
        assert_eq!(time(1980, 1, 1).ok(), Some(315_536_524));
    }

    #[test]
    fn scripts() {
        let text = "[other]\na=b:c\n[console_scripts]\njupyter-lab = jupyterlab.labapp:main [x]\n";
        assert_eq!(
            console_scripts(text),
            ["jupyter-lab = jupyterlab.labapp:main"]
        );
    }

    #[test]
    fn license_files() {
        assert_eq!(
            license_file("x-1.dist-info/licenses/LICENSE"),
            Some("LICENSE")
        );
        assert_eq!(
            license_file("x-1.dist-info/license.txt"),
            Some("license.txt")
        );
        assert_eq!(license_file("x-1.dist-info/METADATA"), None);
        assert_eq!(license_file("x/LICENSE"), None);
    }

    #[test]
    fn data_folders() {
        assert_eq!(split_data("x-1.data/scripts/y"), Some(("x-1", "scripts/y")));
        assert_eq!(split_data("x/y.data/z"), None);
    }
}
