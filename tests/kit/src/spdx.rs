//! The SPDX project's own validator, installed by pip.

use std::path::Path;
use std::process::Command;

use sha2::{Digest, Sha256};

use crate::cache::made_once;
use crate::channel::pip;
use crate::engine::run;

const LIST: &str = include_str!("../data/spdx-tools.txt");

/// Prints one line per fault, and the number of packages.
const VALIDATE: &str = "\
import sys
from spdx_tools.spdx.parser.json import json_parser
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document
document = json_parser.parse_from_file(sys.argv[1])
for fault in validate_full_spdx_document(document):
    print(fault.context.spdx_id, fault.validation_message)
print(len(document.packages), 'packages')
";

/// What the validator says about the document in the file `path`: a line per fault, and the number of packages.
pub fn validate(path: &Path) -> String {
    let key = &hex::encode(Sha256::digest(LIST))[..12];
    let tools = made_once(&format!("spdx-tools-{key}"), install);
    let mut command = Command::new("python3");
    command.args(["-c", VALIDATE]).arg(path);
    run(command.env("PYTHONPATH", tools))
        .expect_success()
        .stdout
}

fn install(directory: &Path) {
    let list = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(list.path(), LIST).expect("the temporary file is written");
    let options = ["install", "--quiet", "--no-deps", "--require-hashes"];
    let mut command = pip();
    command.args(options).arg("--target").arg(directory);
    run(command.arg("--requirement").arg(list.path())).expect_success();
}
