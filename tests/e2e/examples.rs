//! The examples do what their READMEs say: the commands are run as written.

mod applications;
mod environments;
pub(crate) mod example;
mod several;
mod traces;
mod users;
