//! Outputs belong to the operation that they were asked of.

use buildkit_llb::{Exec, Image, Input};

fn run(program: &str) -> Exec {
    let no_args: [&str; 0] = [];
    Exec::new(Image::new("root").build(), program, no_args)
}

#[test]
fn the_slot_of_another_operation_has_no_output() {
    let (mut a, mut b) = (run("a"), run("b"));
    let (of_a, of_b) = (
        a.output("/out", Input::Scratch),
        b.output("/out", Input::Scratch),
    );
    assert_ne!(of_a, of_b);
    assert!(a.build().get(of_a).is_some());
    assert!(a.build().get(of_b).is_none());
}

#[test]
#[should_panic(expected = "the slot belongs to another exec operation")]
fn asking_for_the_slot_of_another_operation_is_refused() {
    let (mut a, mut b) = (run("a"), run("b"));
    a.write_root();
    let of_b = b.write_root();
    let _ = &a.build()[of_b];
}

#[test]
fn a_clone_has_the_slots_that_the_original_had() {
    let mut original = run("a");
    let before = original.output("/before", Input::Scratch);
    let mut clone = original.clone();
    let after = clone.output("/after", Input::Scratch);
    let other = original.output("/other", Input::Scratch);
    let (original, clone) = (original.build(), clone.build());
    assert!(original.get(before).is_some() && clone.get(before).is_some());
    assert!(original.get(after).is_none() && clone.get(after).is_some());
    assert!(original.get(other).is_some() && clone.get(other).is_none());
}
