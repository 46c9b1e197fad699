//! The examples do what their READMEs say, typed as they stand there.

mod applications;
mod environments;
mod example;
mod several;
mod traces;
mod users;
