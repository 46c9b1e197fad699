//! The Python distributions in a conda package: pip removes them before it installs others of the same names.

use std::collections::BTreeSet;

use condafront_model::pypi_package::normalized;

/// The normalized names of the distributions that have metadata among `paths`, which are relative to the prefix.
pub(crate) fn of<'a>(paths: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
    paths.filter_map(name).collect()
}

fn name(path: &str) -> Option<String> {
    let (before, inside) = path.split_once("/site-packages/")?;
    if !before.starts_with("lib/python") {
        return None;
    }
    let top = inside.split('/').next()?;
    let ends = [".dist-info", ".egg-info"];
    let stem = ends.iter().find_map(|end| top.strip_suffix(end))?;
    let name = stem.split('-').next().unwrap_or(stem);
    Some(normalized(name)).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_names_the_distribution() {
        let paths = [
            "lib/python3.13/site-packages/Jinja2-3.1.6.dist-info/METADATA",
            "lib/python3.13/site-packages/zope.interface-7.0-py3.13.egg-info/PKG-INFO",
            "lib/python3.13t/site-packages/old_style.egg-info",
            "lib/python3.13/site-packages/pip/_vendor/x-1.dist-info/METADATA",
            "share/site-packages/other-1.dist-info/METADATA",
            "lib/python3.13/site-packages/module.py",
        ];
        let found: Vec<String> = of(paths.into_iter()).into_iter().collect();
        assert_eq!(found, ["jinja2", "old-style", "zope-interface"]);
    }
}
