//! Activation in real shells: the files that shells source, and the recording of packages'
//! activation scripts.

mod record;
mod shells;
