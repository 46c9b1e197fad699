#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| condafront_fuzz::run("pyproject", data));
