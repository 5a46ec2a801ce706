# A kind cluster with the lab in it.

terraform {
  required_version = ">= 1.10"
  required_providers {
    helm = {
      source  = "hashicorp/helm"
      version = "~> 3.0"
    }
  }
  backend "s3" {
    key = "cluster.tfstate"
  }
}

variable "values" {
  description = "Values files of the chart; by default those for a laptop."
  type        = list(string)
  default     = ["../../helm/sre-lab/values-laptop.yaml"]
}

module "kind" {
  source = "../modules/kind"
}

provider "helm" {
  kubernetes = {
    host                   = module.kind.endpoint
    client_certificate     = module.kind.credentials.client_certificate
    client_key             = module.kind.credentials.client_key
    cluster_ca_certificate = module.kind.credentials.cluster_ca_certificate
  }
}

module "chart" {
  source = "../modules/chart"
  values = [for name in var.values : file("${path.module}/${name}")]
}

output "version" {
  description = "Version of the chart that is installed."
  value       = module.chart.version
}
