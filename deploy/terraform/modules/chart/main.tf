# The lab's chart in a cluster.

terraform {
  required_version = ">= 1.10"
  required_providers {
    helm = {
      source  = "hashicorp/helm"
      version = "~> 3.0"
    }
  }
}

variable "namespace" {
  description = "Namespace of the lab; created if it does not exist."
  type        = string
  default     = "sre-lab"
  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", var.namespace))
    error_message = "A namespace has lower-case letters, digits and hyphens."
  }
}

variable "values" {
  description = "Values files, each as text; later ones win. deploy/helm/sre-lab/values.yaml has the keys."
  type        = list(string)
  default     = []
  validation {
    condition     = alltrue([for text in var.values : can(yamldecode(text))])
    error_message = "Each of the values is a YAML document."
  }
}

resource "helm_release" "lab" {
  name             = "sre-lab"
  namespace        = var.namespace
  create_namespace = true
  chart            = "${path.module}/../../../helm/sre-lab"
  values           = var.values
  atomic           = true
  timeout          = 600
}

output "version" {
  description = "Version of the chart that is installed."
  value       = helm_release.lab.version
}
