group "default" {
  targets = ["exec", "shell", "derived"]
}

target "exec" {
  dockerfile = "exec.yml"
  tags       = ["entrypoints:exec"]
}

target "shell" {
  dockerfile = "shell.yml"
  tags       = ["entrypoints:shell"]
}

target "derived" {
  contexts = { env = "target:exec" }
  tags     = ["entrypoints:derived"]
}
