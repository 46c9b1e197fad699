//! Over how many layers an environment is spread.

use std::str::FromStr;

/// The most layers that may be asked for: with the base's and our own they stay well under the 125 that engines take.
pub const MAX_LAYERS: u16 = 80;

/// How many layers an environment is dealt over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layers {
    /// As many as pay, at most 60.
    #[default]
    Auto,
    /// At most this many, from 1 to [`MAX_LAYERS`].
    AtMost(u16),
}

/// A number of layers that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no number of layers: write auto, or a number from 1 to {MAX_LAYERS}")]
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
    /// This many dealt over several sets of packages, for each of them.
    pub fn divided(self, sets: usize) -> Self {
        let sets = u16::try_from(sets).unwrap_or(u16::MAX).max(1);
        match self {
            whole if sets == 1 => whole,
            Self::Auto => Self::AtMost((MAX_LAYERS / sets).max(1)),
            Self::AtMost(count) => Self::AtMost((count / sets).max(1)),
        }
    }
}
