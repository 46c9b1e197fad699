variable "repository" {
  default = "ghcr.io"
}
variable "project" {
  default = "my-team"
}
variable "software" {
  default = "seqtk"
}
variable "version" {
  default = "1.4"
}

target "default" {
  dockerfile-inline = "# syntax=org/condafront"
  args = {
    CONDA_CHANNELS = "bioconda,conda-forge"
    CONDA_SPECS    = "${software}=${version}"
  }
  tags = ["${repository}/${project}/${software}:${version}"]
}
