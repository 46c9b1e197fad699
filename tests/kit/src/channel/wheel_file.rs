//! Wheels that a test makes for itself
//! (<https://packaging.python.org/en/latest/specifications/binary-distribution-format/>).

use std::fmt::Write as _;
use std::io::{Cursor, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use zip::write::SimpleFileOptions;

/// A wheel under construction: pure python, for any python 3.
#[derive(Clone, Debug)]
pub struct WheelFile {
    name: String,
    version: String,
    tag: String,
    metadata: String,
    files: Vec<(String, String)>,
    scripts: String,
}

impl WheelFile {
    /// A wheel without modules. `name` consists of letters, digits and `_`.
    pub fn new(name: &str, version: &str) -> Self {
        Self {
            name: name.to_owned(),
            version: version.to_owned(),
            tag: "py3-none-any".to_owned(),
            metadata: String::new(),
            files: Vec::new(),
            scripts: String::new(),
        }
    }

    /// A wheel with everything that real ones rarely have: programs, data, headers, names that need quotes.
    pub fn unusual() -> Self {
        Self::new("Odd_Name", "1.0+local.1")
            .file(
                "odd/__init__.py",
                "def main(): pass\nclass A:\n    b = main\n",
            )
            .file("odd/with, comma.txt", "text\n")
            .file("odd/ünïcode.py", "x = 1\n")
            .file(
                "Odd_Name-1.0+local.1.data/scripts/run-odd",
                "#!python -E\nprint('odd')\n",
            )
            .file(
                "Odd_Name-1.0+local.1.data/scripts/sub/window",
                "#!pythonw\nx",
            )
            .file(
                "Odd_Name-1.0+local.1.data/scripts/shell",
                "#!/bin/sh\necho\n",
            )
            .file("Odd_Name-1.0+local.1.data/scripts/odd.exe", "wrapper")
            .file(
                "Odd_Name-1.0+local.1.data/scripts/odd-script.py",
                "#!python\nwrapper\n",
            )
            .file(
                "Odd_Name-1.0+local.1.data/data/share/odd/data.txt",
                "data\n",
            )
            .file("Odd_Name-1.0+local.1.data/data/etc/odd.conf", "conf\n")
            .file("Odd_Name-1.0+local.1.data/headers/odd/odd.h", "int odd;\n")
            .file("Odd_Name-1.0+local.1.data/purelib/odd/pure.py", "x = 1\n")
            .file("Odd_Name-1.0+local.1.data/platlib/odd/plat.py", "x = 1\n")
            .file("namespace/odd.py", "x = 1\n")
            .script("odd = odd:main")
            .script("odd-extra = odd:A.b [extra, other]")
            .script("\n[gui_scripts]\nodd-gui = odd:main")
    }

    /// Sets a tag other than `py3-none-any`.
    #[must_use]
    pub fn tag(mut self, tag: &str) -> Self {
        tag.clone_into(&mut self.tag);
        self
    }

    /// Adds a line to its metadata: `Requires-Dist: six`.
    #[must_use]
    pub fn metadata(mut self, line: &str) -> Self {
        self.metadata.push_str(line);
        self.metadata.push('\n');
        self
    }

    /// Adds a file below `site-packages`.
    #[must_use]
    pub fn file(mut self, path: &str, content: &str) -> Self {
        self.files.push((path.to_owned(), content.to_owned()));
        self
    }

    /// Adds a console script: `name = module:function`.
    #[must_use]
    pub fn script(mut self, script: &str) -> Self {
        self.scripts.push_str(script);
        self.scripts.push('\n');
        self
    }

    /// The file's name.
    pub fn file_name(&self) -> String {
        format!("{}-{}-{}.whl", self.name, self.version, self.tag)
    }

    /// Its `METADATA`.
    pub fn core_metadata(&self) -> String {
        format!(
            "Metadata-Version: 2.1\nName: {}\nVersion: {}\n{}",
            self.name, self.version, self.metadata
        )
    }

    /// The archive.
    ///
    /// # Panics
    /// Never: it is written into memory.
    pub fn build(&self) -> Vec<u8> {
        let info = format!("{}-{}.dist-info", self.name, self.version);
        let mut files = self.files.clone();
        files.push((format!("{info}/METADATA"), self.core_metadata()));
        let wheel = format!(
            "Wheel-Version: 1.0\nGenerator: testkit\nRoot-Is-Purelib: true\nTag: {}\n",
            self.tag
        );
        files.push((format!("{info}/WHEEL"), wheel));
        if !self.scripts.is_empty() {
            let text = format!("[console_scripts]\n{}", self.scripts);
            files.push((format!("{info}/entry_points.txt"), text));
        }
        let mut record = String::new();
        for (path, content) in &files {
            let hash = URL_SAFE_NO_PAD.encode(Sha256::digest(content));
            let quote = if path.contains(',') { "\"" } else { "" };
            writeln!(
                record,
                "{quote}{path}{quote},sha256={hash},{}",
                content.len()
            )
            .expect("text in memory");
        }
        writeln!(record, "{info}/RECORD,,").expect("text in memory");
        files.push((format!("{info}/RECORD"), record));
        let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (path, content) in files {
            let mode = if path.contains(".data/scripts/") {
                0o755
            } else {
                0o644
            };
            // The time would otherwise be that of the test.
            let options = SimpleFileOptions::default()
                .last_modified_time(zip::DateTime::default())
                .unix_permissions(mode);
            archive
                .start_file(path, options)
                .expect("a member in memory");
            archive
                .write_all(content.as_bytes())
                .expect("a member in memory");
        }
        archive.finish().expect("an archive in memory").into_inner()
    }
}
