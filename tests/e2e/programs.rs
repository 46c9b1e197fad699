//! Images with the real programs of platforms, which `scripts/test-platforms` fetches.

mod apptainer;
mod browser;
mod compose;
mod dev_containers;
mod webdriver;
