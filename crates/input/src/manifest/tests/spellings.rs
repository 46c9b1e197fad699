//! The ways in which TOML can spell a manifest, and TOML files that are not manifests.

use super::*;

/// A manifest of one package, in all spellings.
const SPELLINGS: &[&str] = &[
    "[workspace]\nchannels = [\"conda-forge\"]\n[dependencies]\npython = \"*\"\n",
    "[ workspace ] # ours\nchannels = [\"conda-forge\"]\n[ dependencies ]\npython = \"*\"\n",
    "[\"workspace\"]\nchannels = [\"conda-forge\"]\n['dependencies']\npython = \"*\"\n",
    "workspace = { channels = [\"conda-forge\"] }\ndependencies = { python = \"*\" }\n",
    "workspace.channels = [\"conda-forge\"]\ndependencies.python = \"*\"\n",
    "\"workspace\" . 'channels' = [\"conda-forge\"]\ndependencies . python = \"*\"\n",
    "dependencies.python = \"*\"\nworkspace.channels = [\n  \"conda-forge\",\n]\n",
    "[dependencies]\npython = \"*\"\n[project]\nchannels = [\"conda-forge\"]\n",
    "[tool]\npixi.workspace.channels = [\"conda-forge\"]\npixi.dependencies.python = \"*\"\n",
    "[tool]\npixi = { workspace = { channels = [\"conda-forge\"] }, dependencies = { python = \"*\" } }\n",
    "tool.pixi.workspace.channels = [\"conda-forge\"]\ntool.pixi.dependencies.python = \"*\"\n",
    "tool = { pixi = { workspace = { channels = [\"conda-forge\"] }, dependencies = { python = \"*\" } } }\n",
    "[build-system]\nrequires = []\n[tool.\"pixi\".workspace]\nchannels = [\"conda-forge\"]\n[tool.pixi.dependencies]\npython = \"*\"\n",
    "[tool.conda]\nworkspace = { channels = [\"conda-forge\"] }\ndependencies = { python = \"*\" }\n",
];

#[test]
fn every_spelling_of_a_manifest_is_read() {
    for text in SPELLINGS {
        // The name counts for nothing if the content is clear.
        for name in ["pixi.toml", "Dockerfile", "environment.yml"] {
            let file = SourceFile::new(name, format!("# syntax=org/condafront\n\n{text}"));
            let input = of_kind::read(&file, Platform::LinuxAmd64, &InputSettings::default());
            let input = input.unwrap_or_else(|error| panic!("{text}: {error}"));
            let Conda::Unsolved(request) = &input.conda else {
                panic!("locked");
            };
            let spec = &request.specs[0];
            assert_eq!(spec.spec, "python", "{text}");
            let line = file
                .text()
                .unwrap()
                .lines()
                .nth(spec.lines.first as usize - 1);
            assert!(line.unwrap().contains("python"), "{text}");
            assert_eq!(request.channels[0].name, "conda-forge", "{text}");
            // Where the lock is named, if it is missing.
            let lock = input.beside.unwrap().lock.lines.first as usize;
            let line = file.text().unwrap().lines().nth(lock - 1).unwrap();
            assert!(
                line.contains("workspace") || line.contains("project"),
                "{text}: {line}"
            );
        }
    }
}

#[test]
fn yaml_is_yaml_whatever_its_name_is() {
    let text = "name: lab\nchannels: [conda-forge]\ndependencies: [python]\n";
    let file = SourceFile::new("odd.toml", text);
    assert!(of_kind::read(&file, Platform::LinuxAmd64, &InputSettings::default()).is_ok());
}

#[test]
fn other_toml_files_are_explained() {
    let mut all = String::new();
    for (name, text) in [
        (
            "pyproject.toml",
            "[project]\nname = \"y1\"\nrequires-python = \">= 3.11\"\ndependencies = [\"requests\"]\n",
        ),
        (
            "pyproject.toml",
            "[tool.poetry]\nname = \"y1\"\n[tool.poetry.dependencies]\npython = \"^3.11\"\n",
        ),
        (
            "pyproject.toml",
            "[build-system]\nrequires = [\"setuptools\"]\n",
        ),
        (
            "pyproject.toml",
            "[project]\nname = \"y1\"\n[tool.pixi.dependencies]\npython = \"*\"\n",
        ),
        ("pyproject.toml", "[tool]\nconda = { dependencies = {} }\n"),
        (
            "pixi.toml",
            "[workspace]\nname = \"y1\"\n[dependencies]\npython = \"*\"\n",
        ),
        ("pixi.toml", "[project]\nname = \"y1\"\nplatforms = []\n"),
        ("pixi.toml", "[package]\nname = \"y1\"\n"),
        (
            "pyproject.toml",
            "[project]\nname = \"y1\"\n[tool.pixi.package]\nname = \"y1\"\n",
        ),
        (
            "pylock.toml",
            "lock-version = \"1.0\"\ncreated-by = \"uv\"\n[[packages]]\nname = \"idna\"\n",
        ),
        (
            "uv.lock",
            "version = 1\nrequires-python = \">=3.11\"\n[[package]]\nname = \"idna\"\n",
        ),
        (
            "poetry.lock",
            "# @generated\n[[package]]\nname = \"idna\"\n[metadata]\nlock-version = \"2.1\"\ncontent-hash = \"0\"\n",
        ),
        ("Cargo.toml", "[workspace]\nmembers = [\"a\"]\n"),
        ("ruff.toml", "line-length = 100\n"),
        ("pixi.toml", "[workspace\nchannels = []\n"),
        ("pixi.toml", "workspace channels = []\n"),
        ("other", "tool.pixi.workspace = {\n"),
        ("other", "numpy = 1.26\n"),
    ] {
        let file = SourceFile::new(name, text);
        let error = of_kind::read(&file, Platform::LinuxAmd64, &InputSettings::default());
        let error = error.expect_err(text).render(Level::Error);
        all.push_str(&format!("{error}\n\n"));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn an_unknown_extra_of_the_project_is_an_error() {
    let read = |extras: &str, item: &str| {
        let text = format!(
            "[project]\nname = \"y1\"\ndependencies = [\n  \"requests\",\n  \"{item}\",\n]\n{extras}[dependency-groups]\nmissing = [\"a\"]\n[tool.pixi.workspace]\nchannels = [\"conda-forge\"]\n"
        );
        let file = SourceFile::new("pyproject.toml", text);
        of_kind::read(&file, Platform::LinuxAmd64, &InputSettings::default())
    };
    let extras = "[project.optional-dependencies]\nTest_all = [\"pytest\"]\ndocs = [\"sphinx\"]\n";
    assert!(read(extras, "Y1[test-all,docs]").is_ok());
    for (extras, help) in [
        (extras, "Its extras are Test_all, docs."),
        ("", "There are none: remove it."),
    ] {
        // A dependency group is no extra.
        let error = read(extras, "y1[missing]").unwrap_err();
        assert_eq!(error.message, "the project has no extra `missing`");
        assert_eq!(error.help.as_deref(), Some(help));
        assert_eq!(error.locations[0].lines, Lines::one(5));
    }
    // A group includes groups, not extras.
    let text = "[project]\nname = \"y1\"\n[project.optional-dependencies]\ndocs = []\n[dependency-groups]\ndev = [{ include-group = \"docs\" }]\n[tool.pixi]\nworkspace = { channels = [\"conda-forge\"] }\nenvironments = { dev = [\"dev\"] }\n";
    let file = SourceFile::new("pyproject.toml", text);
    let settings = InputSettings {
        environment: Some("dev".to_owned()),
        ..InputSettings::default()
    };
    let error = of_kind::read(&file, Platform::LinuxAmd64, &settings).unwrap_err();
    assert_eq!(error.message, "there is no dependency group `docs`");
    assert_eq!(error.help.as_deref(), Some("The groups are dev."));
    assert_eq!(error.locations[0].lines, Lines::one(6));
}

#[test]
fn cutoffs_are_called_what_the_file_calls_them() {
    let messages = |text: &str| {
        let text = format!("{text}[dependencies]\npython = \"*\"\n");
        let warnings = read_for(&text, None).unwrap().warnings;
        let warnings = warnings.into_iter().map(|one| one.diagnostic.message);
        warnings.collect::<Vec<_>>()
    };
    let of_workspace = messages("[workspace]\nchannels = [\"a\"]\nexclude-newer = \"7d\"\n");
    assert!(
        of_workspace[0].starts_with("`exclude-newer`: `7d`"),
        "{of_workspace:?}"
    );
    let of_image = messages(
        "[workspace]\nchannels = [\"a\"]\n[tool.condafront]\nexclude_newer = { cutoff = \"7d\", channels = { b = false } }\n",
    );
    assert!(
        of_image[0].starts_with("`exclude_newer`: `7d`"),
        "{of_image:?}"
    );
    assert!(of_image[1].starts_with("`b` is not one of"), "{of_image:?}");
}

#[test]
fn versions_are_strings_and_names_are_there_once() {
    let error = |table: &str| {
        let text = format!("[workspace]\nchannels = [\"conda-forge\"]\n{table}\n");
        let file = SourceFile::new("pixi.toml", text);
        let read = of_kind::read(&file, Platform::LinuxAmd64, &InputSettings::default());
        read.err().map(|error| {
            let line = error.locations[0].lines.first;
            (line, error.message, error.help.unwrap_or_default())
        })
    };
    let twice = "Remove one of them.";
    let conda = "[dependencies]";
    let pypi = "[pypi-dependencies]";
    for (table, entries, line, message, help) in [
        (
            conda,
            "gdal = 3.10",
            4,
            "`gdal` must be a string",
            "Write gdal = \"3.10\".",
        ),
        (
            conda,
            "gdal = 3",
            4,
            "`gdal` must be a string",
            "Write gdal = \"3\".",
        ),
        (
            conda,
            "gdal = true",
            4,
            "`gdal` must be a string",
            "Write gdal = \"*\".",
        ),
        (
            conda,
            "gdal = {version = 3.10}",
            4,
            "`version` must be a string",
            "Write version = \"3.10\".",
        ),
        (
            pypi,
            "\"a.b\" = 3.10",
            4,
            "`a.b` must be a string",
            "Write \"a.b\" = \"3.10\".",
        ),
        (
            pypi,
            "a = {version = 3.10}",
            4,
            "`version` must be a string",
            "Write version = \"3.10\".",
        ),
        (
            conda,
            "Numpy = \"1\"\nnumpy = \"2\"",
            5,
            "`numpy` is in this table twice, as `Numpy` and `numpy`",
            twice,
        ),
        (
            pypi,
            "ruamel_yaml = \"*\"\nruamel-yaml = \"*\"",
            5,
            "`ruamel-yaml` is in this table twice, as `ruamel_yaml` and `ruamel-yaml`",
            twice,
        ),
        (
            pypi,
            "a = \"~1.2\"",
            4,
            "`~1.2` does not say how versions compare to it",
            "Write `>=1.2,<1.3`.",
        ),
        (
            pypi,
            "a = {path = \".\", editable = \"yes\"}",
            4,
            "`editable` must be true or false, not `yes`",
            "",
        ),
        (
            pypi,
            "a = {git = \"https://g.example/a\", lfs = 1}",
            4,
            "`lfs` must be true or false, not `1`",
            "",
        ),
    ] {
        let found = error(&format!("{table}\n{entries}"));
        let expected = (line, message.to_owned(), help.to_owned());
        assert_eq!(found, Some(expected), "{entries}");
    }
    for table in [
        // A more specific table replaces an entry.
        "[dependencies]\nNumpy = \"1\"\n[target.linux-64.dependencies]\nnumpy = \"2\"",
        "[pypi-dependencies]\na = {git = \"https://g.example/a\", lfs = true}",
    ] {
        assert_eq!(error(table), None, "{table}");
    }
}

#[test]
fn misspelt_headers_and_other_tools_files_are_named() {
    for (name, text, line, message, help) in [
        (
            "pixi.toml",
            "[workspce]\nchannels = []\n",
            1,
            "a manifest has no table `[workspce]`",
            "Did you mean `[workspace]`?",
        ),
        (
            "pixi.toml",
            "\n[[workspace]]\nchannels = []\n",
            2,
            "`workspace` must be a table, not a list",
            "Write [workspace], and",
        ),
        (
            "pixi.toml",
            "workspace = \"x\"\n",
            1,
            "`workspace` must be a table, not",
            "Write [workspace], and",
        ),
        (
            "Pipfile",
            "[[source]]\nurl = \"https://pypi.org/simple\"\n[packages]\nidna = \"*\"\n",
            1,
            "Pipfile is a Pipfile",
            "Write a list for pip with `pipenv requirements",
        ),
        (
            "uv.lock",
            "version = 1\n[[package]]\nname = \"idna\"\n",
            1,
            "uv.lock is a uv lock file",
            "Write a pylock.toml",
        ),
        (
            "pdm.lock",
            "[metadata]\nlock_version = \"4.5.0\"\ncontent_hash = \"0\"\n[[package]]\nname = \"idna\"\n",
            1,
            "pdm.lock is a PDM lock file",
            "Write a list for pip with `pdm export",
        ),
    ] {
        let file = SourceFile::new(name, text);
        let read = of_kind::read(&file, Platform::LinuxAmd64, &InputSettings::default());
        let error = read.unwrap_err();
        assert!(error.message.starts_with(message), "{error}");
        assert!(
            error.help.as_deref().unwrap().starts_with(help),
            "{error:?}"
        );
        assert_eq!(error.locations[0].lines.first, line, "{error}");
    }
}

#[test]
fn an_image_section_elsewhere_or_misspelt_is_reported() {
    let meant = "Did you mean `condafront`?";
    let write = "Write [tool.condafront].";
    let pixi = "[workspace]\nchannels = [\"conda-forge\"]\n";
    let tool = "[tool.pixi.workspace]\nchannels = [\"conda-forge\"]\n";
    for (start, header, name, help) in [
        (pixi, "[tool.condafrnt]", "condafrnt", meant),
        (pixi, "[tool.Condafront]", "Condafront", meant),
        (tool, "[tool.conda-front]", "conda-front", meant),
        (pixi, "[condafront]", "condafront", write),
        (tool, "[condafront]", "condafront", write),
        (tool, "[tool.pixi.condafront]", "condafront", write),
        (tool, "[tool.pixi.tool.condafront]", "condafront", write),
    ] {
        let file = SourceFile::new(
            "pyproject.toml",
            format!("{start}{header}\nuser = \"root\"\n"),
        );
        let input = of_kind::read(&file, Platform::LinuxAmd64, &InputSettings::default());
        let input = input.unwrap();
        let [warning] = &input.warnings[..] else {
            panic!("{header}: {:?}", input.warnings);
        };
        let diagnostic = &warning.diagnostic;
        assert_eq!(
            diagnostic.message,
            format!("`{name}` has no effect"),
            "{header}"
        );
        assert_eq!(diagnostic.help.as_deref(), Some(help), "{header}");
        assert_eq!(diagnostic.locations[0].lines.first, 3, "{header}");
    }
    for header in ["[tool.condafront]", "[tool.ruff]"] {
        let file = SourceFile::new("pixi.toml", format!("{pixi}{header}\n"));
        let input = of_kind::read(&file, Platform::LinuxAmd64, &InputSettings::default());
        assert_eq!(input.unwrap().warnings, [], "{header}");
    }
}

#[test]
fn the_project_among_its_own_packages_has_its_own_extras() {
    let read = |name: &str, extra: &str| {
        let text = format!(
            "[project]\nname = \"my_app\"\noptional-dependencies = {{ docs = [] }}\n[tool.pixi.workspace]\nchannels = [\"conda-forge\"]\n[tool.pixi.pypi-dependencies]\n{name} = {{ path = \".\", extras = [\n  \"{extra}\",\n] }}\n"
        );
        let file = SourceFile::new("pyproject.toml", text);
        of_kind::read(&file, Platform::LinuxAmd64, &InputSettings::default())
    };
    assert!(read("my-app", "Docs").is_ok());
    assert!(read("another", "missing").is_ok());
    let error = read("my-app", "missing").unwrap_err();
    assert_eq!(error.message, "the project has no extra `missing`");
    assert_eq!(error.help.as_deref(), Some("Its extras are docs."));
    assert_eq!(error.locations[0].lines, Lines::one(8));
}
