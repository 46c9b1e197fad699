//! The build-arg `CONDA_LOCK_CATEGORIES`: categories of a conda-lock.yml, extras and dependency groups of a `pylock.toml`.

use crate::environment_input::Categories;
use crate::locked::without_effect;
use crate::pylock::{Pylock, unknown_categories};
use condafront_model::lint::Warning;
use condafront_model::source::SourceFile;

/// Warnings about `asked` categories that are neither in the build file `file` nor in the locks that its lists for pip name.
pub(crate) fn unused_categories(
    categories: Categories,
    file: &SourceFile,
    pylocks: &[Pylock],
    asked: &[String],
) -> Vec<Warning> {
    match categories {
        Categories::Own => Vec::new(),
        Categories::None(why) if pylocks.is_empty() && !asked.is_empty() => {
            vec![without_effect("CONDA_LOCK_CATEGORIES", file, why)]
        }
        Categories::None(_) | Categories::NoLock => unknown_categories(pylocks, asked),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_path::{FilePath, Root};
    use condafront_model::source::Level;

    #[test]
    fn a_category_is_looked_for_in_all_locks() {
        let file = SourceFile::new("env.lock", "@EXPLICIT\n");
        let text = "lock-version = '1.0'\nextras = ['socks']\npackages = []\n";
        let folder = FilePath {
            root: Root::Context,
            path: String::new(),
        };
        let pylock = crate::pylock::read(&SourceFile::new("pylock.toml", text), folder).unwrap();
        let why = Categories::None("it has environments, not categories");
        let mut shown = Vec::new();
        for (categories, has_pylock) in [
            (Categories::Own, true),
            (Categories::NoLock, true),
            (Categories::NoLock, false),
            (why, true),
            (why, false),
        ] {
            let pylocks = if has_pylock {
                vec![pylock.clone()]
            } else {
                Vec::new()
            };
            let asked = ["socks".to_owned(), "sokcs".to_owned()];
            let found = unused_categories(categories, &file, &pylocks, &asked);
            let found: Vec<String> = found
                .iter()
                .map(|warning| warning.diagnostic.render(Level::Warning))
                .collect();
            shown.push(format!(
                "{categories:?}, with a pylock.toml: {has_pylock}\n{}",
                found.join("\n")
            ));
            assert!(unused_categories(categories, &file, &pylocks, &[]).is_empty());
        }
        insta::assert_snapshot!(shown.join("\n"));
    }
}
