//! Properties of all graphs and all bytes.

use std::collections::{HashMap, HashSet};

use buildkit_llb::{
    Bind, Copy, Definition, Diff, Digest, Exec, File, Http, Image, Input, Merge, Mkfile, OpOptions,
    Output, Range, SourceFile, caps, dot, pb, text,
};
use proptest::prelude::*;
use prost::Message;

/// A step that adds a filesystem to the existing ones; numbers choose among
/// them.
#[derive(Clone, Debug)]
enum Step {
    Http(u8),
    Image(u8),
    Exec(Vec<u8>, u8),
    File(u8, Vec<(u8, String)>),
    Merge(Vec<u8>),
    Diff(u8, u8),
}

fn step() -> impl Strategy<Value = Step> {
    let numbers = || prop::collection::vec(any::<u8>(), 0..4);
    prop_oneof![
        any::<u8>().prop_map(Step::Http),
        any::<u8>().prop_map(Step::Image),
        (numbers(), any::<u8>()).prop_map(|(mounts, outputs)| Step::Exec(mounts, outputs)),
        (
            any::<u8>(),
            prop::collection::vec((any::<u8>(), ".{0,6}"), 0..4)
        )
            .prop_map(|(base, actions)| Step::File(base, actions)),
        numbers().prop_map(Step::Merge),
        (any::<u8>(), any::<u8>()).prop_map(|(lower, upper)| Step::Diff(lower, upper)),
    ]
}

fn graph() -> impl Strategy<Value = Input> {
    prop::collection::vec(step(), 1..30).prop_map(|steps| {
        let file = SourceFile::new("env.yml", "a\nb\n");
        let mut made = vec![Input::Scratch];
        for step in steps {
            let pick = |number: u8| &made[usize::from(number) % made.len()];
            let new: Vec<Input> = match step {
                Step::Http(number) => {
                    let line = i32::from(number % 2) + 1;
                    let mut http = Http::new(format!("https://example.com/{}", number % 8));
                    http.location(file.location([Range::lines(line, line)]));
                    vec![http.build().into()]
                }
                Step::Image(number) => {
                    let mut image = Image::new(format!("image{}", number % 8));
                    vec![image.name(number.to_string()).build().into()]
                }
                Step::Exec(mounts, outputs) => {
                    let mut exec = Exec::new(pick(outputs), "run", ["x"]);
                    for (index, number) in mounts.into_iter().enumerate() {
                        exec.mount(Bind::read_only(format!("/in/{index}"), pick(number)));
                    }
                    let slots: Vec<_> = (0..=outputs % 3)
                        .map(|number| exec.output(format!("/out/{number}"), pick(number)))
                        .collect();
                    let built = exec.build();
                    slots
                        .into_iter()
                        .map(|slot| (&built[slot]).into())
                        .collect()
                }
                Step::File(base, actions) => {
                    let mut file = File::on(pick(base));
                    for (number, path) in actions {
                        match number % 2 {
                            0 => file.then(Mkfile::new(&path, vec![number])),
                            _ => file.then(Copy::new(pick(number), &path, &path)),
                        };
                    }
                    vec![file.build()]
                }
                Step::Merge(numbers) => {
                    vec![Merge::new(numbers.into_iter().map(pick)).build()]
                }
                Step::Diff(lower, upper) => vec![Diff::new(pick(lower), pick(upper)).build()],
            };
            made.extend(new);
        }
        made.pop().unwrap_or_default()
    })
}

/// The field numbers at the top level of a message.
fn fields(mut bytes: &[u8]) -> Vec<u64> {
    let mut fields = Vec::new();
    while let Ok(key) = prost::encoding::decode_varint(&mut bytes) {
        // Operations have only submessages at the top level.
        assert_eq!(key & 7, 2);
        fields.push(key >> 3);
        let length = prost::encoding::decode_varint(&mut bytes);
        let length = usize::try_from(length.unwrap_or(0)).unwrap_or(usize::MAX);
        bytes = bytes.get(length..).unwrap_or(&[]);
    }
    fields
}

proptest! {
    #[test]
    fn definitions_are_well_formed(input in graph()) {
        let definition = Definition::of(&input).into_pb();
        let Some((last, ops)) = definition.def.split_last() else {
            prop_assert_eq!(input, Input::Scratch);
            return Ok(());
        };
        let mut outputs = HashMap::new();
        for bytes in ops {
            let op = pb::Op::decode(bytes.as_slice()).unwrap();
            for input in &op.inputs {
                let known: Option<&usize> = outputs.get(&input.digest);
                let count = i64::try_from(*known.unwrap_or(&0)).unwrap();
                prop_assert!((0..count).contains(&input.index), "{input:?}");
            }
            let count = match &op.op {
                Some(pb::op::Op::Exec(exec)) => {
                    exec.mounts.iter().filter(|mount| mount.output >= 0).count()
                }
                _ => 1,
            };
            let digest = Digest::of(bytes).to_string();
            let metadata = definition.metadata.get(&digest);
            prop_assert!(metadata.is_some_and(|metadata| !metadata.caps.is_empty()));
            prop_assert!(outputs.insert(digest, count).is_none(), "an operation twice");
        }
        let last_op = pb::Op::decode(last.as_slice()).unwrap();
        prop_assert_eq!(last_op.inputs.len(), 1);
        prop_assert!(outputs.contains_key(&last_op.inputs[0].digest));
        prop_assert_eq!(definition.metadata.len(), definition.def.len());
    }

    #[test]
    fn operations_have_their_kind_last(input in graph()) {
        let definition = Definition::of(input).into_pb();
        for bytes in definition.def.split_last().map_or(&[][..], |(_, ops)| ops) {
            let fields = fields(bytes);
            let (kind, rest) = fields.split_last().unwrap();
            prop_assert!((2..=8).contains(kind));
            prop_assert!(rest.is_sorted());
            prop_assert!(rest.iter().all(|field| [1, 10, 11].contains(field)));
            prop_assert!(rest.contains(&11));
        }
    }

    #[test]
    fn only_known_capabilities_are_required(input in graph()) {
        let definition = Definition::of(input);
        for id in definition.caps() {
            prop_assert!(caps::find(id).is_some(), "{id}");
        }
    }

    #[test]
    fn splicing_changes_nothing(input in graph()) {
        let definition = Definition::of(&input);
        let spliced = Input::from_definition(definition.to_pb());
        prop_assert_eq!(spliced.as_ref(), Ok(&input));
        prop_assert_eq!(Definition::of(spliced.unwrap()), definition);
    }

    #[test]
    fn text_and_graph_read_what_was_built(input in graph()) {
        let definition = Definition::of(&input).into_pb();
        let dump = text::dump(&definition);
        prop_assert!(!dump.contains("missing") && !dump.contains("unknown"), "{dump}");
        let ops = dump.lines().filter(|line| line.starts_with('#')).count();
        prop_assert_eq!(ops, definition.def.len().saturating_sub(1));
        prop_assert_eq!(dot::graph(&definition).matches("label=\"#").count(), ops);
    }

    #[test]
    fn equal_contents_have_equal_digests(
        a in ("[ab]{0,2}", prop::option::of(any::<bool>()), "[ab]{0,1}"),
        b in ("[ab]{0,2}", prop::option::of(any::<bool>()), "[ab]{0,1}"),
    ) {
        let build = |(path, sum, name): &(String, Option<bool>, String)| -> Output {
            let mut http = Http::new(format!("http://{path}"));
            if let Some(sum) = sum {
                http.checksum(Digest::of(&[u8::from(*sum)]));
            }
            http.filename(name.as_str()).build()
        };
        prop_assert_eq!(build(&a).digest() == build(&b).digest(), a == b);
    }

    #[test]
    fn any_message_can_be_shown(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        // The bytes are also tried as a single operation.
        let definition = pb::Definition::decode(bytes.as_slice()).unwrap_or_default();
        let as_op = pb::Definition { def: vec![bytes], ..pb::Definition::default() };
        for definition in [definition, as_op] {
            let _ = (text::dump(&definition), dot::graph(&definition));
            let _ = Output::from_definition(&definition);
        }
    }

    #[test]
    fn damaged_definitions_can_be_shown(
        input in graph(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut bytes = Definition::of(input).into_pb().encode_to_vec();
        for (index, byte) in damage {
            if !bytes.is_empty() {
                let at = index.index(bytes.len());
                bytes[at] = byte;
            }
        }
        if let Ok(definition) = pb::Definition::decode(bytes.as_slice()) {
            let _ = (text::dump(&definition), dot::graph(&definition));
            if let Ok(output) = Output::from_definition(&definition) {
                let again = Definition::of(output).into_pb();
                let known: HashSet<_> = definition.def.iter().collect();
                let mut ops = again.def.iter().rev().skip(1);
                prop_assert!(ops.all(|op| known.contains(op)));
            }
        }
    }
}
