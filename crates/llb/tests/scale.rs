//! Thousands of operations do not overflow the stack and do not take long.

use buildkit_llb::{
    Definition, File, Http, Input, Merge, Mkfile, OpOptions, Output, SpliceError, dot, pb, text,
};

const MANY: usize = 20_000;

fn http(number: usize) -> Output {
    Http::new(format!("https://example.com/{number}")).build()
}

#[test]
fn long_chains_are_built_written_spliced_and_dropped() {
    let mut state = Input::Scratch;
    for number in 0..MANY {
        state = File::on(&state)
            .then(Mkfile::new("/number", number.to_string()))
            .build();
    }
    let definition = Definition::of(&state);
    assert_eq!(definition.to_pb().def.len(), MANY + 1);
    let spliced = Input::from_definition(definition.to_pb());
    assert_eq!(spliced.as_ref(), Ok(&state));
    drop(state);
    assert!(
        text::dump(definition.to_pb())
            .ends_with(&format!("result #{MANY}\n    caps constraints platform\n"))
    );
    assert!(dot::graph(definition.to_pb()).contains("n20000 -> result;"));
}

#[test]
fn wide_merges_are_built() {
    let sources: Vec<Output> = (0..MANY).map(http).collect();
    let merged = Merge::new(&sources).build();
    let definition = Definition::of(merged);
    assert_eq!(definition.to_pb().def.len(), MANY + 2);
    assert!(definition.encoded_len() > MANY * 100);
}

#[test]
fn shared_operations_are_written_once() {
    // Each level uses the one below twice: without sharing, there are 2^64 paths.
    let mut state: Input = http(0).into();
    for number in 1..64 {
        let above = File::on(&state)
            .then(Mkfile::new("/x", number.to_string()))
            .build();
        state = Merge::new([&state, &above]).build();
    }
    let definition = Definition::of(&state);
    assert_eq!(definition.to_pb().def.len(), 1 + 63 * 2 + 1);
}

#[test]
fn equal_operations_join_their_metadata() {
    let a = Http::new("http://a").name("first").build();
    let b = Http::new("http://a").name("second").ignore_cache().build();
    let merged = Merge::new([&a, &b]).build();
    let definition = Definition::of(merged);
    assert_eq!(definition.to_pb().def.len(), 3);
    assert_eq!(definition.name(a.digest()).as_deref(), Some("first"));
    let metadata = &definition.to_pb().metadata[&a.digest().to_string()];
    assert!(metadata.ignore_cache);
}

#[test]
fn sources_are_not_fetched_again() {
    let source = Http::new("http://a").build();
    let merged = Merge::new([&source, &source]).build();
    let plain = Definition::of(&merged);
    let again = plain.clone().ignoring_cache();
    assert_eq!(again.to_pb().def, plain.to_pb().def);
    let metadata = &again.to_pb().metadata;
    let ignores = |of: &Output| metadata[&of.digest().to_string()].ignore_cache;
    assert!(!ignores(&source));
    assert!(ignores(merged.output().expect("a merge of something")));
}

#[test]
fn imported_definitions_must_be_complete() {
    assert_eq!(
        Output::from_definition(&pb::Definition::default()),
        Err(SpliceError::Empty)
    );
    assert_eq!(
        Input::from_definition(&pb::Definition::default()),
        Ok(Input::Scratch)
    );
    let whole = Definition::of(Merge::new([http(1), http(2)]).build()).into_pb();

    let mut lacking = whole.clone();
    let digest = http(1).digest().to_string();
    lacking.def.remove(0);
    assert_eq!(
        Output::from_definition(&lacking),
        Err(SpliceError::Missing { digest })
    );

    let mut endless = whole.clone();
    endless.def.pop();
    // The merge has inputs but is an operation itself.
    assert_eq!(
        Output::from_definition(&endless),
        Err(SpliceError::NoResult)
    );

    let mut shuffled = whole.clone();
    shuffled.def[..3].reverse();
    let spliced = Output::from_definition(&shuffled);
    assert_eq!(
        spliced.map(|output| Definition::of(output).into_pb()),
        Ok(whole)
    );
}
