//! Removing images from engines that several tests use at a time.
//!
//! dockerd lets containerd collect a removed image's layers while another build's image, which has the same ones, is
//! unpacked on top of them; that build fails ("parent snapshot … does not exist"). So nothing is removed while a
//! client's command runs.

use std::fs::File;
use std::process::Command;
use std::sync::{Mutex, PoisonError, RwLock};

use super::{Engine, Output, process, run};

/// Held by every command of a client, and by a removal alone.
static COMMANDS: RwLock<()> = RwLock::new(());

/// Images that are to be removed, with the engines that have them.
static DISCARDED: Mutex<Vec<(String, String)>> = Mutex::new(Vec::new());

/// How many images wait for a moment without commands until commands wait for them.
const PATIENCE: usize = 24;

impl Engine {
    /// Runs a command of [`Engine::docker`].
    ///
    /// # Panics
    /// As [`run`].
    pub fn run(&self, command: &mut Command) -> Output {
        let _running = COMMANDS.read().unwrap_or_else(PoisonError::into_inner);
        run(command)
    }

    /// The same, with a file as the command's standard input.
    ///
    /// # Panics
    /// As [`run`].
    pub fn run_with_input(&self, command: &mut Command, input: File) -> Output {
        let _running = COMMANDS.read().unwrap_or_else(PoisonError::into_inner);
        process::run_with_input(command, input)
    }

    /// Removes an image now, if it is there.
    ///
    /// # Panics
    /// If that fails.
    pub fn remove_image(&self, image: &str) {
        let _alone = COMMANDS.write().unwrap_or_else(PoisonError::into_inner);
        self.remove_images(&[image.to_owned()]).expect_success();
    }

    /// Removes an image when no other test uses an engine. One that only a single test has ends with its images.
    pub fn discard_image(&self, image: &str) {
        if self.client.is_some() {
            return;
        }
        let mut discarded = DISCARDED.lock().unwrap_or_else(PoisonError::into_inner);
        discarded.push((self.host.clone(), image.to_owned()));
        let alone = match discarded.len() {
            ..PATIENCE => COMMANDS.try_write().ok(),
            _ => Some(COMMANDS.write().unwrap_or_else(PoisonError::into_inner)),
        };
        if alone.is_none() {
            return;
        }
        let (ours, others) = discarded
            .drain(..)
            .partition::<Vec<_>, _>(|(host, _)| *host == self.host);
        *discarded = others;
        let images: Vec<String> = ours.into_iter().map(|(_, image)| image).collect();
        // Only names: what images are made of stays in the build cache. What is left ends with the engine.
        self.remove_images(&images);
    }

    fn remove_images(&self, images: &[String]) -> Output {
        run(self.docker(["image", "rm", "--force"]).args(images))
    }
}
