//! The number of layers that an environment is spread over.

use std::str::FromStr;

/// The most layers that a user can ask for. With the base's and our own, that is well under the 125 that engines allow.
pub const MAX_LAYERS: u16 = 80;

/// How many layers an environment is spread over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layers {
    /// One for each package, as far as [`MAX_LAYERS`] suffice.
    #[default]
    Auto,
    /// At most this many, from 1 to [`MAX_LAYERS`].
    AtMost(u16),
}

/// An invalid number of layers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a valid number of layers: write auto, or a number from 1 to {MAX_LAYERS}")]
pub struct LayersError(String);

impl FromStr for Layers {
    type Err = LayersError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        if text == "auto" {
            return Ok(Self::Auto);
        }
        match text.parse() {
            Ok(count @ 1..=MAX_LAYERS) => Ok(Self::AtMost(count)),
            _ => Err(LayersError(text.to_owned())),
        }
    }
}

impl Layers {
    /// The most layers that this allows.
    pub fn most(self) -> u16 {
        match self {
            Self::Auto => MAX_LAYERS,
            Self::AtMost(count) => count,
        }
    }

    /// The share of each set, when several sets of packages divide this many layers.
    pub fn divided(self, sets: usize) -> Self {
        let sets = u16::try_from(sets).unwrap_or(u16::MAX).max(1);
        match self {
            whole if sets == 1 => whole,
            whole => Self::AtMost((whole.most() / sets).max(1)),
        }
    }
}
