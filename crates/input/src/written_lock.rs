//! Writing the locks that files name: conda-lock.yml and pixi.lock, with the packages of several platforms. What is written is
//! read back by [`crate::read()`] to the same packages. Explicit locks are written by [`crate::explicit_lock`].

mod content;
pub mod for_conda_lock;
pub mod for_pixi;

pub use self::content::{
    LocalPypi, LockedEnvironment, LockedPlatform, LockedPypi, NewLock, RepositoryPypi,
};

#[cfg(test)]
mod tests;
