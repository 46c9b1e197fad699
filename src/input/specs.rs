//! A build without a file: what is wanted stands in build-args.
