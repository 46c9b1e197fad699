//! The SPDX project's own validator, installed by pip.

use std::path::Path;

use crate::engine::run;
use crate::python;

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
    let mut command = python::with("spdx-tools", LIST);
    command.args(["-c", VALIDATE]).arg(path);
    run(&mut command).expect_success().stdout
}
