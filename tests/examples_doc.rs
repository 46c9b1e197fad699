//! Every example has a test, and the tests that documents name exist.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The documents whose tables have a test in each row.
const TABLES: [&str; 3] = [
    include_str!("../docs/from-micromamba-docker.md"),
    include_str!("../docs/recipes.md"),
    include_str!("../docs/reliability.md"),
];
const README: &str = include_str!("../README.md");

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The names of a folder's entries.
fn entries(folder: &Path) -> BTreeSet<String> {
    let entries =
        fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries
        .map(|entry| entry.expect("a folder entry").file_name())
        .map(|name| name.to_string_lossy().into_owned())
        .collect()
}

fn examples() -> BTreeSet<String> {
    entries(&root().join("examples"))
}

/// The source text of all tests of the examples.
fn sources() -> String {
    let folder = root().join("tests/e2e/examples");
    let files = entries(&folder);
    files.iter().map(|file| read(&folder.join(file))).collect()
}

#[test]
fn every_example_is_described_and_tested() {
    let sources = sources();
    for example in examples() {
        let readme = read(&root().join("examples").join(&example).join("README.md"));
        assert!(readme.starts_with("# "), "{example}");
        assert!(readme.contains("```sh\ndocker "), "{example}");
        let run = format!("Example::new(&project, \"{example}\")");
        assert!(sources.contains(&run), "no test runs {example}");
    }
}

#[test]
fn the_readme_lists_every_example() {
    let listed: BTreeSet<String> = README
        .split("](examples/")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
        .map(|name| name.trim_end_matches('/').to_owned())
        .collect();
    assert_eq!(listed, examples());
}

/// The last cell of each row of all tables, without the headings.
fn tests(document: &str) -> Vec<&str> {
    document
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"))
        .filter_map(|line| line.rsplit(" | ").next())
        .filter(|cell| *cell != "test")
        .collect()
}

#[test]
fn every_row_of_the_tables_has_a_test() {
    for document in TABLES {
        let tests = tests(document);
        assert!(tests.len() > 15, "{tests:?}");
        for cell in tests {
            assert!(exists(cell), "{cell} does not exist");
        }
    }
}

/// Whether a cell such as `` `module::function` `` names a test: one of `tests/e2e`, of another folder of `tests`,
/// or of a file beside the code.
fn exists(cell: &str) -> bool {
    let test = cell
        .strip_prefix('`')
        .and_then(|cell| cell.strip_suffix('`'));
    let (module, function) = test
        .and_then(|test| test.rsplit_once("::"))
        .unwrap_or_else(|| panic!("{cell} does not name a test"));
    let file = |folder: &str| {
        let folder = root().join(folder);
        let path = module
            .split("::")
            .fold(folder, |path: PathBuf, part| path.join(part));
        [path.with_extension("rs"), path.join("main.rs")]
    };
    let mut paths = ["tests/e2e", "tests", ""].into_iter().flat_map(file);
    let path = paths.find(|path| path.exists());
    let source = read(&path.unwrap_or_else(|| panic!("there is no file with {cell}")));
    // Those beside the code are in a module of their own.
    let lines = source
        .lines()
        .map(|line| format!("{}\n", line.trim_start()));
    let source: String = lines.collect();
    // A plain test, one that is ignored because of what it needs, or a function that the macro turns into tests.
    let plain = format!("#[test]\nfn {function}(");
    let ignored = format!("\"]\nfn {function}(");
    let both = source.split("on_both_stores!(").skip(1).any(|rest| {
        let list = rest.split(')').next().unwrap_or_default();
        list.split(',').any(|name| name.trim() == function)
    });
    // The fuzz targets: one name after the other.
    let targets = source
        .split_once("\ntargets! {\n")
        .is_some_and(|(_, list)| {
            let list = list.split('}').next().unwrap_or_default();
            list.split_whitespace().any(|name| name == function)
        });
    both || targets || source.contains(&plain) || source.contains(&ignored)
}
