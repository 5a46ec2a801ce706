# What a team writes down of a running lab: the firewall and its rules, a limit, how routes split their requests, schedules and
# policies of its own, who covers for whom, objectives, what automation may not do; and what it expects of the routes that a file decides.

terraform {
  required_version = ">= 1.10"
  required_providers {
    srelab = {
      source  = "registry.opentofu.org/sre-lab/srelab"
      version = "~> 0.1"
    }
  }
  backend "s3" {
    key = "lab.tfstate"
  }
}

provider "srelab" {}

variable "modes" {
  description = "Modes of rules of the firewall, in place of those in waf/, by id."
  type        = map(string)
  default     = { scanners = "simulate" }
  validation {
    condition     = alltrue([for mode in values(var.modes) : contains(["off", "simulate", "enforce"], mode)])
    error_message = "A mode is off, simulate or enforce."
  }
}

variable "firewall" {
  description = "Whether the firewall applies its rules; false is the kill switch. null leaves the switch alone."
  type        = bool
  default     = null
}

variable "weights" {
  description = "Weights that the upstreams of a route have to have, by the route's name. A plan warns if one differs."
  type        = map(map(number))
  default     = {}
}

variable "splits" {
  description = "How routes split their requests: weights of all upstreams of a route, by its name. Until the edge's file changes."
  type        = map(map(number))
  default     = {}
  validation {
    condition     = alltrue([for weights in values(var.splits) : sum(values(weights)) > 0])
    error_message = "One of a route's upstreams has a weight above 0."
  }
}

variable "limit" {
  description = "What each client may send to the edge; null for no limit beyond those of the routes."
  type        = object({ rps = number, burst = number })
  default     = null
  validation {
    condition     = var.limit == null ? true : var.limit.rps >= 0.01 && var.limit.burst >= 1
    error_message = "A limit has an rps of at least 0.01 and a burst of at least 1."
  }
}

variable "covers" {
  description = "Whose shifts are taken by whom, by a name of yours; times in RFC 3339."
  type        = map(object({ schedule = string, person = string, with = string, from = string, until = string }))
  default     = {}
  validation {
    condition     = alltrue([for cover in values(var.covers) : timecmp(cover.from, cover.until) < 0])
    error_message = "A cover ends after it begins."
  }
}

variable "schedules" {
  description = "On-call schedules beside those of oncall.yaml, by name; fields as there."
  type = map(object({
    zone     = string
    fallback = optional(string)
    layers = optional(list(object({
      name     = string
      zone     = optional(string)
      rotation = object({ unit = string, every = optional(number), start = string, people = list(string) })
      only     = optional(list(object({ days = optional(list(string)), from = string, until = string })))
    })))
  }))
  default = {}
  validation {
    condition     = alltrue([for schedule in values(var.schedules) : schedule.fallback != null || schedule.layers != null])
    error_message = "A schedule has layers or a fallback."
  }
}

variable "policies" {
  description = "Escalation policies beside those of oncall.yaml, by name; fields as there. They may use the schedules above."
  type = map(object({
    severities  = optional(list(string))
    repeat      = optional(number)
    ack_expires = optional(string)
    steps = list(object({
      wait               = optional(string)
      notify_person      = optional(string)
      notify_schedule    = optional(string)
      notify_round_robin = optional(list(string))
    }))
  }))
  default = {}
}

variable "slos" {
  description = "Service level objectives beside those of dashboards/slos, by name. Each has an indicator, or a total with good or bad."
  type = map(object({
    title       = optional(string)
    service     = string
    owner       = string
    promise     = string
    reason      = string
    description = optional(string)
    indicator   = optional(string)
    good        = optional(string)
    bad         = optional(string)
    total       = optional(string)
    objective   = number
    window      = optional(string, "30d")
  }))
  default = {}
  validation {
    condition     = alltrue([for slo in values(var.slos) : slo.objective > 0 && slo.objective < 1])
    error_message = "An objective is a share of good events, above 0 and below 1, such as 0.999."
  }
  validation {
    condition     = alltrue([for slo in values(var.slos) : (slo.indicator == null) == (slo.total != null)])
    error_message = "An objective has an indicator, or a total with good or bad."
  }
}

variable "denials" {
  description = "What automation may not do, beside guardrails.yaml, by name. A list that is left out means all."
  type = map(object({
    why      = string
    verbs    = optional(list(string))
    targets  = optional(list(string))
    runbooks = optional(list(string))
  }))
  default = {}
}

resource "srelab_waf_mode" "this" {
  for_each = var.modes
  rule     = each.key
  mode     = each.value
}

resource "srelab_waf_switch" "this" {
  count   = var.firewall == null ? 0 : 1
  enabled = var.firewall
}

data "srelab_edge_route" "expected" {
  for_each = var.weights
  name     = each.key
}

check "weights" {
  assert {
    condition     = alltrue([for name, route in data.srelab_edge_route.expected : route.weights == tomap(var.weights[name])])
    error_message = "A route has other weights than expected: a release is under way, or somebody changed its file."
  }
}

resource "srelab_edge_weights" "this" {
  for_each = var.splits
  route    = each.key
  weights  = each.value
}

resource "srelab_edge_limit" "this" {
  count = var.limit == null ? 0 : 1
  rps   = var.limit.rps
  burst = var.limit.burst
}

resource "srelab_oncall_schedule" "this" {
  for_each = var.schedules
  name     = each.key
  zone     = each.value.zone
  fallback = each.value.fallback
  layers   = each.value.layers
}

resource "srelab_escalation_policy" "this" {
  for_each    = var.policies
  name        = each.key
  severities  = each.value.severities
  repeat      = each.value.repeat
  ack_expires = each.value.ack_expires
  steps       = each.value.steps
  # A step names a schedule, which has to be there before it and after it.
  depends_on = [srelab_oncall_schedule.this]
}

resource "srelab_oncall_override" "cover" {
  for_each = var.covers
  schedule = each.value.schedule
  replace  = each.value.person
  with     = each.value.with
  from     = each.value.from
  until    = each.value.until
  # It may be one of a schedule above.
  depends_on = [srelab_oncall_schedule.this]
}

resource "srelab_slo" "this" {
  for_each    = var.slos
  name        = each.key
  title       = each.value.title
  service     = each.value.service
  owner       = each.value.owner
  promise     = each.value.promise
  reason      = each.value.reason
  description = each.value.description
  indicator   = each.value.indicator
  good        = each.value.good
  bad         = each.value.bad
  total       = each.value.total
  objective   = each.value.objective
  window      = each.value.window
}

resource "srelab_guardrail" "this" {
  for_each = var.denials
  name     = each.key
  why      = each.value.why
  verbs    = each.value.verbs
  targets  = each.value.targets
  runbooks = each.value.runbooks
}
