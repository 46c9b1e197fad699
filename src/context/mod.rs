//! Where the user's files come from: the build file, and the build context around it.

pub mod git;
pub mod ignore;
