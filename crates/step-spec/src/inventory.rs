//! The inventory of an image's packages, an SPDX document: where images have it, and what it calls what is not a package.

/// Where it is, in the root prefix. Scanners read any `*.spdx.json`.
pub const INVENTORY: &str = "share/sbom/condafront.spdx.json";
/// The identifier of the image itself.
pub const IMAGE: &str = "SPDXRef-image";
/// The identifier of the base image.
pub const BASE: &str = "SPDXRef-base";
/// How the identifiers of packages of the base's distribution begin; a number follows.
pub const SYSTEM: &str = "SPDXRef-system-";
