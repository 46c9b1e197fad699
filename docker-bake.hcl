# The frontend image for all its platforms, with its inventory and provenance: docs/releasing.md says how.
variable "IMAGE" {
  default = "org/condafront"
}

variable "VERSION" {
  default = "dev"
}

# Not empty: `# syntax=` without a version gets this one too.
variable "LATEST" {
  default = ""
}

# The time of the commit, in seconds since 1970: the same commit gives the same image.
variable "SOURCE_DATE_EPOCH" {
  default = "0"
}

target "default" {
  platforms = ["linux/amd64", "linux/arm64"]
  args = {
    VERSION           = VERSION
    SOURCE_DATE_EPOCH = SOURCE_DATE_EPOCH
  }
  tags   = LATEST == "" ? ["${IMAGE}:${VERSION}"] : ["${IMAGE}:${VERSION}", "${IMAGE}:latest"]
  attest = ["type=sbom", "type=provenance,mode=max"]
  output = ["type=image,rewrite-timestamp=true"]
}
