target "env" {
  dockerfile = "env.yml"
}

target "default" {
  contexts = { env = "target:env" }
  tags     = ["app"]
}
