//! The bytes of operations are those of Go's deterministic encoder.

use buildkit_llb::{
    Bind, Definition, Digest, Exec, File, Http, Image, Input, Merge, Mkdir, OpOptions, Platform,
};

fn op_bytes(input: impl Into<Input>) -> Vec<u8> {
    let definition = Definition::of(input).into_pb();
    definition.def[definition.def.len() - 2].clone()
}

fn amd64() -> Platform {
    Platform::new("linux", "amd64")
}

/// -1 as a protobuf varint.
const MINUS_ONE: &[u8] = b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01";

#[test]
fn image_has_platform_and_constraints_before_the_source() {
    let mut image = Image::new("docker.io/library/alpine:3");
    let bytes = op_bytes(image.platform(amd64()).build());
    let expected = [
        b"\x52\x0e\x0a\x05amd64\x12\x05linux".as_slice(), // 10: platform
        b"\x5a\x00",                                      // 11: empty constraints
        b"\x1a\x2b",                                      // 3: source
        b"\x0a\x29docker-image://docker.io/library/alpine:3",
    ]
    .concat();
    assert_eq!(bytes, expected);
}

#[test]
fn http_has_sorted_attributes_and_no_platform() {
    let mut http = Http::new("https://a/b");
    http.perm(0o644).filename("b");
    let expected = [
        b"\x5a\x00".as_slice(),
        b"\x1a\x34\x0a\x0bhttps://a/b",
        b"\x12\x12\x0a\x0dhttp.filename\x12\x01b",
        b"\x12\x11\x0a\x09http.perm\x12\x040644",
    ]
    .concat();
    assert_eq!(op_bytes(http.build()), expected);
}

#[test]
fn exec_has_inputs_first_and_minus_one_for_nothing() {
    let root = Image::new("a").build();
    let mut exec = Exec::new(&root, "x", ["y"]);
    exec.mount(Bind::read_only("/in", Input::Scratch));
    let out = exec.output("/out", Input::Scratch);
    let expected = [
        b"\x0a\x49\x0a\x47".as_slice(),
        root.digest().to_string().as_bytes(),
        b"\x5a\x00",
        b"\x12\x51",
        b"\x0a\x0b\x0a\x01x\x0a\x01y\x1a\x01/\x58\x01",
        b"\x12\x10\x1a\x01/\x20",
        MINUS_ONE,
        b"\x28\x01",
        b"\x12\x1d\x08",
        MINUS_ONE,
        b"\x1a\x03/in\x20",
        MINUS_ONE,
        b"\x28\x01",
        b"\x12\x11\x08",
        MINUS_ONE,
        // Output 0, because the root is read-only; 0 is not encoded.
        b"\x1a\x04/out",
    ]
    .concat();
    assert_eq!(op_bytes(&exec.build()[out]), expected);
}

#[test]
fn file_numbers_actions_after_inputs() {
    let mut file = File::on(Input::Scratch);
    file.then(Mkdir::new("a").time(0)).then(Mkdir::new("/b"));
    let bytes = op_bytes(file.build());
    let action = |input: &[u8], output: &[u8], mkdir: &[u8]| {
        let body = [b"\x08", input, b"\x10", MINUS_ONE, output, mkdir].concat();
        [&[0x12, u8::try_from(body.len()).unwrap_or(0)], &*body].concat()
    };
    let none = [b"\x18", MINUS_ONE].concat();
    let first = action(MINUS_ONE, &none, b"\x32\x07\x0a\x02/a\x10\xed\x03");
    let second = [b"\x32\x12\x0a\x02/b\x10\xed\x03\x28", MINUS_ONE].concat();
    // Input 0 is the first action, because there are no inputs; 0 is not encoded.
    let second_body = [b"\x10", MINUS_ONE, &*second].concat();
    let second = [
        &[0x12, u8::try_from(second_body.len()).unwrap_or(0)],
        &*second_body,
    ]
    .concat();
    let file = [first, second].concat();
    let expected = [
        b"\x5a\x00\x22",
        &[u8::try_from(file.len()).unwrap_or(0)][..],
        &file,
    ]
    .concat();
    assert_eq!(bytes, expected);
}

#[test]
fn merge_repeats_inputs_and_result_is_bare() {
    let a = Http::new("http://a").build();
    let merged = Merge::new([&a, &a]).build();
    let input = [b"\x0a\x49\x0a\x47", a.digest().to_string().as_bytes()].concat();
    let expected = [&*input, &input, b"\x5a\x00\x32\x06\x0a\x00\x0a\x02\x08\x01"].concat();
    assert_eq!(op_bytes(&merged), expected);

    let definition = Definition::of(&merged).into_pb();
    let digest = Digest::of(&expected);
    let last = [b"\x0a\x49\x0a\x47", digest.to_string().as_bytes()].concat();
    assert_eq!(definition.def.last(), Some(&last));
}

#[test]
fn options_change_no_bytes() {
    let plain = Http::new("http://a").build();
    let named = Http::new("http://a").name("a").ignore_cache().build();
    assert_eq!(plain, named);
    assert_eq!(op_bytes(plain), op_bytes(named));
}
