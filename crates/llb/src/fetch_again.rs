//! Definitions whose files are fetched once more.

use std::collections::HashMap;

use buildkit_proto::pb;
use prost::Message;

use crate::caps;
use crate::definition::Definition;
use crate::digest::Digest;
use crate::wire;

/// The mode that BuildKit gives downloads (`source/http/source.go`).
const USUAL_MODE: u32 = 0o600;
/// The bit that is changed in it: that the file's group can read it.
const GROUP_READS: u32 = 0o040;

impl Definition {
    /// The same definition [without the cache](Definition::ignoring_cache()), and with other cache keys for what is
    /// fetched from web servers and from the client. The daemon then has to fetch it again, even if it has it: ignoring
    /// the cache does not make it do that.
    ///
    /// Downloads get another mode. What is fetched and what needs it has other digests than before: the second result
    /// has the old digest of each new one.
    #[must_use]
    pub fn fetching_again(self) -> (Self, HashMap<String, String>) {
        let mut message = self.ignoring_cache().into_pb();
        let mut renamed = HashMap::new();
        for bytes in &mut message.def {
            let Ok(mut op) = pb::Op::decode(bytes.as_slice()) else {
                continue;
            };
            let mut changed = false;
            for input in &mut op.inputs {
                if let Some(digest) = renamed.get(&input.digest) {
                    input.digest.clone_from(digest);
                    changed = true;
                }
            }
            let cap = match &mut op.op {
                Some(pb::op::Op::Source(source)) => change_key(source),
                _ => None,
            };
            if !changed && cap.is_none() {
                continue;
            }
            let old = Digest::of(bytes).to_string();
            *bytes = match op.op {
                Some(kind) => wire::encode_op(op.inputs, op.platform, kind),
                None => op.encode_to_vec(),
            };
            let new = Digest::of(bytes).to_string();
            if let Some(mut metadata) = message.metadata.remove(&old) {
                metadata
                    .caps
                    .extend(cap.map(|cap| (cap.id.to_owned(), true)));
                message.metadata.insert(new.clone(), metadata);
            }
            if let Some(source) = &mut message.source
                && let Some(locations) = source.locations.remove(&old)
            {
                source.locations.insert(new.clone(), locations);
            }
            renamed.insert(old, new);
        }
        let old = renamed.into_iter().map(|(old, new)| (new, old)).collect();
        (Self::from_message(message), old)
    }
}

/// Gives a source another cache key, if it has a part that only the key depends on; returns the capability needed.
fn change_key(source: &mut pb::SourceOp) -> Option<caps::Cap> {
    let attrs = &mut source.attrs;
    let scheme = source.identifier.split("://").next();
    match scheme {
        Some("http" | "https") => {
            let mode = attrs.get("http.perm");
            let mode = mode.and_then(|mode| u32::from_str_radix(mode, 8).ok());
            let mode = mode.unwrap_or(USUAL_MODE) ^ GROUP_READS;
            attrs.insert("http.perm".to_owned(), format!("0{mode:o}"));
            Some(caps::SOURCE_HTTP_PERM)
        }
        Some("local") => {
            let hint = attrs.entry("local.sharedkeyhint".to_owned()).or_default();
            hint.push_str(" again");
            Some(caps::SOURCE_LOCAL_SHARED_KEY_HINT)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::OpOptions;
    use crate::{Copy, File, Http, Image, Input, Local, Merge, Output};

    fn copy(from: &Output) -> Output {
        let mut file = File::on(Input::Scratch);
        file.then(Copy::new(from, "/", "/"));
        file.build().output().expect("a copy").clone()
    }

    #[test]
    fn only_what_is_fetched_and_what_needs_it_changes() {
        let base = Image::new("docker.io/library/debian:13").build();
        let download = Http::new("https://a.example/f")
            .perm(0o601)
            .name("f")
            .build();
        let folder = Local::new("context").build();
        let parts = [copy(&base), copy(&download), copy(&folder)];
        let merged = Merge::new(&parts).build();
        let plain = Definition::of(&merged);
        let (again, old) = plain.clone().fetching_again();

        let ops = |of: &Definition| -> Vec<pb::Op> {
            let def = &of.to_pb().def;
            def.iter()
                .map(|bytes| pb::Op::decode(bytes.as_slice()).expect("an operation"))
                .collect()
        };
        let same = |(before, after): (&pb::Op, &pb::Op)| before == after;
        let (before, after) = (ops(&plain), ops(&again));
        // The image and its copy.
        let unchanged = before.iter().zip(&after).filter(|pair| same(*pair)).count();
        assert_eq!((before.len(), unchanged), (8, 2));

        let digests = |of: &Definition| -> Vec<String> {
            let def = &of.to_pb().def;
            def.iter().map(|op| Digest::of(op).to_string()).collect()
        };
        for (before, after) in digests(&plain).iter().zip(&digests(&again)) {
            assert_eq!(before, old.get(after).unwrap_or(after));
        }

        let sources = after.iter().filter_map(|op| match &op.op {
            Some(pb::op::Op::Source(source)) => Some(source.attrs.clone()),
            _ => None,
        });
        let attrs: Vec<_> = sources.flatten().collect();
        assert!(attrs.contains(&("http.perm".to_owned(), "0641".to_owned())));
        assert!(attrs.contains(&("local.sharedkeyhint".to_owned(), " again".to_owned())));

        // It is complete: every operation is found by its digest, with its name and what it needs.
        let Input::Output(read) = Input::from_definition(again.to_pb()).expect("a graph") else {
            panic!("the result is not empty");
        };
        let read = Definition::of(&read);
        assert_eq!(read.to_pb().def.len(), 8);
        assert!(read.caps().contains("source.local.sharedkeyhint"));
        let names = after.iter().zip(&again.to_pb().def);
        let named =
            names.filter(|(_, bytes)| again.name(Digest::of(bytes)).as_deref() == Some("f"));
        assert_eq!(named.count(), 1);
    }
}
