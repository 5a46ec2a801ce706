# Builds all images in one pass, with one shared build:  docker buildx bake -f deploy/docker/bake.hcl
# For a registry and both architectures:  REPOSITORY=registry.example/sre-lab docker buildx bake -f deploy/docker/bake.hcl --push release

variable "REPOSITORY" { default = "sre-lab" }
variable "TAG" { default = "dev" }
variable "REVISION" { default = "unknown" }

group "default" { targets = ["image"] }
group "release" { targets = ["published"] }

target "image" {
  matrix     = { program = ["edge", "order-api", "user-service", "order-worker", "load", "control-room", "lab"] }
  name       = program
  context    = "."
  dockerfile = "deploy/docker/Dockerfile"
  target     = program
  tags       = ["${REPOSITORY}/${program}:${TAG}"]
  args       = { VERSION = TAG, REVISION = REVISION }
}

target "published" {
  matrix    = { program = ["edge", "order-api", "user-service", "order-worker", "load", "control-room", "lab"] }
  name      = "${program}-published"
  inherits  = [program]
  platforms = ["linux/amd64", "linux/arm64"]
  attest    = ["type=sbom", "type=provenance,mode=max"]
}
