//! An interpreter of Rego, the language of buildx's policies, installed by pip.

use serde_json::Value;

use crate::engine::run;
use crate::python;

const LIST: &str = include_str!("../data/regopy.txt");

/// Prints a line of JSON for each input.
const EVALUATE: &str = "\
import json, sys
from regopy import Interpreter
policy, inputs = json.loads(sys.argv[1])
for value in inputs:
    rego = Interpreter()
    rego.add_module('policy', policy)
    rego.set_input(value)
    answer = json.loads(str(rego.query('data.docker.decision')))
    print(json.dumps(answer['expressions'][0]))
";

/// What a policy decides about each input: the value of `data.docker.decision`, for which buildx asks
/// (`policy/validate.go`).
///
/// # Panics
/// If the policy is not valid.
pub fn decisions(policy: &str, inputs: &[Value]) -> Vec<Value> {
    let mut command = python::with("regopy", LIST);
    let arguments = serde_json::to_string(&(policy, inputs)).expect("JSON in memory");
    command.args(["-c", EVALUATE, &arguments]);
    let said = run(&mut command).expect_success().stdout;
    let decisions = said
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"));
    decisions.collect()
}
