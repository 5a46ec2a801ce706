# What the variables accept. The provider is not asked.

mock_provider "helm" {}

run "defaults_are_accepted" {
  command = plan
}

run "a_namespace_is_a_dns_label" {
  command = plan
  variables {
    namespace = "Not A Label"
  }
  expect_failures = [var.namespace]
}

run "values_are_yaml" {
  command = plan
  variables {
    values = ["a: [1"]
  }
  expect_failures = [var.values]
}
