//! `${NAME}` in values, by the rules of Dockerfiles
//! (<https://docs.docker.com/reference/dockerfile/#environment-replacement>), with two differences. Quotes mean nothing,
//! because YAML has already removed its own. A name without a value is an error instead of an empty string.

mod error;
mod parse;
mod pattern;
mod template;

pub use error::ExpandError;
pub(crate) use template::Need;
pub use template::Template;

#[cfg(test)]
mod tests;
