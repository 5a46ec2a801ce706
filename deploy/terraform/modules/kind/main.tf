# A kind cluster of three nodes, so that one can be drained or lost. deploy/kind/cluster.yaml is the same for the kind command.

terraform {
  required_version = ">= 1.10"
  required_providers {
    kind = {
      source  = "tehcyx/kind"
      version = "~> 0.9"
    }
  }
}

variable "name" {
  description = "Name of the cluster."
  type        = string
  default     = "sre-lab"
  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{0,30}$", var.name))
    error_message = "A name has lower-case letters, digits and hyphens."
  }
}

variable "workers" {
  description = "Nodes beside the control plane."
  type        = number
  default     = 2
  validation {
    condition     = var.workers >= 0 && var.workers <= 9
    error_message = "A cluster on one machine has 0 to 9 workers."
  }
}

variable "image" {
  description = "Image of the nodes, with its digest."
  type        = string
  default     = "docker.io/kindest/node:v1.35.0@sha256:452d707d4862f52530247495d180205e029056831160e22870e37e3f6c1ac31f"
  validation {
    condition     = strcontains(var.image, "@sha256:")
    error_message = "Name the image by its digest."
  }
}

resource "kind_cluster" "this" {
  name           = var.name
  node_image     = var.image
  wait_for_ready = true

  kind_config {
    kind        = "Cluster"
    api_version = "kind.x-k8s.io/v1alpha4"

    node {
      role = "control-plane"
    }

    dynamic "node" {
      for_each = range(var.workers)
      content {
        role = "worker"
      }
    }
  }
}

output "endpoint" {
  description = "URL of the API server."
  value       = kind_cluster.this.endpoint
}

output "credentials" {
  description = "What the API server is asked with."
  sensitive   = true
  value = {
    client_certificate     = kind_cluster.this.client_certificate
    client_key             = kind_cluster.this.client_key
    cluster_ca_certificate = kind_cluster.this.cluster_ca_certificate
  }
}
