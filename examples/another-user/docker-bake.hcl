# The user is set when the environment is built.
target "default" {
  dockerfile = "env.yml"
  args = {
    MAMBA_USER     = "ada"
    MAMBA_USER_ID  = "1000"
    MAMBA_USER_GID = "1000"
  }
  tags = ["another-user"]
}

# An existing image, with its user renamed.
target "env" {
  dockerfile = "env.yml"
}
target "renamed" {
  contexts = { env = "target:env" }
  tags     = ["another-user:renamed"]
}
