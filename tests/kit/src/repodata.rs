//! Repodata without archives: all that a solver needs from a channel.
//!
//! ```
//! use condafront_testkit::repodata::{Repodata, record};
//! let mut channel = Repodata::default();
//! channel.add(record("numpy 2.1.0 py312_0").depends(["python >=3.12,<3.13"]));
//! assert!(channel.json("linux-64").contains("numpy-2.1.0-py312_0.conda"));
//! ```

use std::collections::BTreeMap;
use std::path::Path;

use md5::Md5;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

/// One package.
#[derive(Clone, Debug)]
pub struct Record {
    name: String,
    subdir: String,
    file_name: String,
    fields: Map<String, Value>,
}

/// A package on linux-64, from `name version build`. Its build number is what follows the build string's last `_`.
///
/// # Panics
/// If `id` does not have three parts.
pub fn record(id: &str) -> Record {
    let parts: Vec<&str> = id.split(' ').collect();
    let [name, version, build] = parts[..] else {
        panic!("{id} is not `name version build`");
    };
    let number = build.rsplit('_').next().and_then(|text| text.parse().ok());
    let file_name = format!("{name}-{version}-{build}.conda");
    let mut record = Record {
        name: name.to_owned(),
        subdir: "linux-64".to_owned(),
        file_name: String::new(),
        fields: Map::new(),
    };
    record.set("build", build);
    record.set("build_number", number.unwrap_or(0u64));
    record.set("depends", json!([]));
    record.set("license", "MIT");
    record.set("name", name);
    record.set("size", 1000 + id.len());
    record.set("subdir", "linux-64");
    record.set("timestamp", 1_700_000_000_000_u64);
    record.set("version", version);
    record.file(file_name)
}

impl Record {
    fn set(&mut self, key: &str, value: impl Into<Value>) {
        self.fields.insert(key.to_owned(), value.into());
    }

    fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.set(key, value);
        self
    }

    fn file(mut self, name: String) -> Self {
        self.set("md5", hex::encode(Md5::digest(name.as_bytes())));
        self.set("sha256", hex::encode(Sha256::digest(name.as_bytes())));
        self.file_name = name;
        self
    }

    /// Its dependencies.
    #[must_use]
    pub fn depends<const N: usize>(self, specs: [&str; N]) -> Self {
        self.with("depends", json!(specs.as_slice()))
    }

    /// What must hold for other packages if they are installed.
    #[must_use]
    pub fn constrains<const N: usize>(self, specs: [&str; N]) -> Self {
        self.with("constrains", json!(specs.as_slice()))
    }

    /// Makes it a noarch python package.
    #[must_use]
    pub fn noarch(self) -> Self {
        self.subdir("noarch").with("noarch", "python")
    }

    /// Puts it in another subdir.
    #[must_use]
    pub fn subdir(mut self, subdir: &str) -> Self {
        subdir.clone_into(&mut self.subdir);
        self.with("subdir", subdir)
    }

    /// Sets its build number.
    #[must_use]
    pub fn number(self, number: u64) -> Self {
        self.with("build_number", number)
    }

    /// Makes it this many seconds newer than the others.
    #[must_use]
    pub fn later(self, seconds: u64) -> Self {
        self.with("timestamp", 1_700_000_000_000 + seconds * 1000)
    }

    /// Sets the day that it is from, in UTC.
    ///
    /// # Panics
    /// If `day` is not a day of 2026: `11-01`.
    #[must_use]
    pub fn on(self, day: &str) -> Self {
        const BEFORE: [u64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
        let (month, day) = day.split_once('-').expect("a month and a day");
        let (month, day): (usize, u64) =
            (month.parse().expect("a month"), day.parse().expect("a day"));
        let days = BEFORE[month - 1] + day - 1;
        // 1 January 2026, and noon.
        self.with("timestamp", (1_767_225_600 + days * 86_400 + 43_200) * 1000)
    }

    /// What an extra of it needs.
    #[must_use]
    pub fn extra<const N: usize>(mut self, name: &str, specs: [&str; N]) -> Self {
        let extras = self.fields.entry("extra_depends").or_insert(json!({}));
        extras[name] = json!(specs.as_slice());
        self
    }

    /// Words that tell its variants apart.
    #[must_use]
    pub fn flags<const N: usize>(self, flags: [&str; N]) -> Self {
        self.with("flags", json!(flags.as_slice()))
    }

    /// Removes its time.
    #[must_use]
    pub fn without_time(mut self) -> Self {
        self.fields.remove("timestamp");
        self
    }

    /// Features that make solvers avoid it.
    #[must_use]
    pub fn track_features(self, features: &str) -> Self {
        self.with("track_features", features)
    }

    /// Makes it a `.tar.bz2`.
    #[must_use]
    pub fn tar_bz2(self) -> Self {
        let name = self.file_name.replace(".conda", ".tar.bz2");
        self.file(name)
    }
}

/// The contents of a channel.
#[derive(Clone, Debug, Default)]
pub struct Repodata {
    records: Vec<Record>,
    removed: Vec<String>,
    base_url: Option<String>,
}

impl Repodata {
    /// Adds a package.
    pub fn add(&mut self, record: Record) -> &mut Self {
        self.records.push(record);
        self
    }

    /// Lists this file as removed, in every subdir.
    pub fn remove(&mut self, file_name: &str) -> &mut Self {
        self.removed.push(file_name.to_owned());
        self
    }

    /// Whether the archives are elsewhere.
    pub fn has_base_url(&self) -> bool {
        self.base_url.is_some()
    }

    /// Says that the archives are elsewhere (CEP 15).
    pub fn base_url(&mut self, url: &str) -> &mut Self {
        self.base_url = Some(url.to_owned());
        self
    }

    /// The `repodata.json` of a subdir.
    pub fn json(&self, subdir: &str) -> String {
        let files = |suffix: &str| -> BTreeMap<&str, &Map<String, Value>> {
            self.records
                .iter()
                .filter(|record| record.subdir == subdir && record.file_name.ends_with(suffix))
                .map(|record| (record.file_name.as_str(), &record.fields))
                .collect()
        };
        let mut info = json!({"subdir": subdir});
        if let Some(url) = &self.base_url {
            info["base_url"] = json!(url);
        }
        json!({
            "info": info,
            "packages": files(".tar.bz2"),
            "packages.conda": files(".conda"),
            "removed": self.removed,
            "repodata_version": 1,
        })
        .to_string()
    }

    /// Writes the repodata of noarch and linux-64 below `dir`, plain and compressed.
    ///
    /// # Panics
    /// If it cannot be written.
    pub fn write(&self, dir: &Path) {
        for subdir in ["noarch", "linux-64"] {
            let folder = dir.join(subdir);
            std::fs::create_dir_all(&folder).expect("a folder for repodata");
            let json = self.json(subdir);
            let compressed = zstd::encode_all(json.as_bytes(), 3).expect("compressed repodata");
            std::fs::write(folder.join("repodata.json"), json).expect("repodata");
            std::fs::write(folder.join("repodata.json.zst"), compressed).expect("repodata");
        }
    }

    /// The names of all packages.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.records.iter().map(|record| record.name.as_str())
    }
}

/// The same list as a channel's next one may be: in another order, with another note, and with one more package, which
/// nothing needs.
///
/// # Panics
/// If `list` is not repodata.
pub fn next(list: &str) -> String {
    let mut next: Map<String, Value> = serde_json::from_str(list).expect("repodata");
    for key in ["packages", "packages.conda"] {
        let files = next.get_mut(key).and_then(Value::as_object_mut);
        let files = files.expect("records");
        *files = std::mem::take(files).into_iter().rev().collect();
    }
    let more = record("not-needed 1.0 0").depends(["nothing-has-this"]);
    let subdir = next["info"]["subdir"].as_str();
    let more = more.subdir(subdir.unwrap_or("noarch"));
    next["packages.conda"][&more.file_name] = Value::Object(more.fields);
    next.insert("note".to_owned(), json!("indexed again"));
    Value::Object(next).to_string()
}
