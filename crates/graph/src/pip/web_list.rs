//! Lists for pip that are on web servers.

use std::sync::Arc;

use buildkit_llb::{Digest, OpOptions as _, Options};

use crate::downloads::Artifact;
use crate::location::location_of;
use crate::wanted::{Wanted, WantedKind};
use condafront_input::requirements::WebList;
use condafront_model::redact::quoted;

/// The download of a list, for the frontend to read. Without a hash, BuildKit asks the server whether its copy is still
/// current.
pub fn web_list(list: &WebList, no_cache: bool) -> Artifact {
    let place = &list.location;
    let url = list.url.url().as_str();
    let mut options = Options::new();
    options
        .name(format!("[pip] load {}", quoted(url)))
        .location(location_of(place))
        .export_cache(false);
    if no_cache {
        options.ignore_cache();
    }
    Artifact {
        wanted: Wanted {
            kind: WantedKind::List,
            label: "the list".to_owned(),
            lines: place.lines,
            file: Some(Arc::clone(&place.file)),
        },
        // Old versions of BuildKit tell files of the same name apart by their `ETag` alone.
        file_name: Digest::of(url.as_bytes()).to_string().replace(':', "-"),
        sha256: list.sha256.clone(),
        size: None,
        options,
        no_cache,
    }
}

#[cfg(test)]
mod tests {
    use buildkit_llb::{Definition, text};
    use url::Url;

    use super::*;
    use crate::downloads::Address;
    use condafront_model::package::PackageUrl;
    use condafront_model::source::{Lines, Location, SourceFile};

    #[test]
    fn a_list_is_downloaded_at_the_line_that_names_it() {
        let list = |sha256: Option<String>| WebList {
            url: PackageUrl::new(Url::parse("https://l.example/a/limits.txt").unwrap()),
            sha256,
            location: Location {
                file: SourceFile::new("env.yml", "dependencies:\n- pip: [-c https://l.example]\n"),
                lines: Lines::one(2),
            },
        };
        let mut all = String::new();
        for (sha256, no_cache) in [(None, false), (None, true), (Some("1".repeat(64)), false)] {
            let list = list(sha256);
            let download = web_list(&list, no_cache).download(&Address::new(vec![list.url]));
            all.push_str(&text::dump(Definition::of(&download).to_pb()));
            all.push('\n');
        }
        insta::assert_snapshot!(all);
    }
}
