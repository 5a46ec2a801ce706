# What the variables accept. No lab is asked.

mock_provider "srelab" {}

run "defaults_are_accepted" {
  command = plan
  assert {
    condition     = length(srelab_edge_limit.this) == 0
    error_message = "Nobody is limited unless it is asked for."
  }
  assert {
    condition     = length(srelab_waf_switch.this) == 0
    error_message = "The kill switch is left alone unless it is asked for."
  }
}

run "the_kill_switch_can_be_written_down" {
  command = plan
  variables {
    firewall = false
  }
  assert {
    condition     = srelab_waf_switch.this[0].enabled == false
    error_message = "The firewall is not switched off."
  }
}

run "a_mode_is_one_of_three" {
  command = plan
  variables {
    modes = { scanners = "audit" }
  }
  expect_failures = [var.modes]
}

run "a_limit_lets_somebody_through" {
  command = plan
  variables {
    limit = { rps = 0, burst = 1 }
  }
  expect_failures = [var.limit]
}

run "a_route_leads_somewhere" {
  command = plan
  variables {
    splits = { orders = { order-api = 0, order-api-canary = 0 } }
  }
  expect_failures = [var.splits]
}

run "a_split_can_be_written_down" {
  command = plan
  variables {
    splits = { orders = { order-api = 95, order-api-canary = 5 } }
  }
  assert {
    condition     = srelab_edge_weights.this["orders"].weights["order-api-canary"] == 5
    error_message = "The canary has another weight."
  }
}

run "a_cover_ends_after_it_begins" {
  command = plan
  variables {
    covers = {
      night = {
        schedule = "first-line", person = "a", with = "b",
        from     = "2026-12-02T00:00:00Z", until = "2026-12-01T00:00:00Z",
      }
    }
  }
  expect_failures = [var.covers]
}

run "a_schedule_has_somebody" {
  command = plan
  variables {
    schedules = { nights = { zone = "Europe/Berlin" } }
  }
  expect_failures = [var.schedules]
}

run "schedules_policies_and_denials_can_be_written_down" {
  command = plan
  variables {
    schedules = { nights = { zone = "Europe/Berlin", fallback = "ada" } }
    policies  = { tickets = { severities = ["SEV-4"], steps = [{ notify_schedule = "nights" }, { wait = "30m" }] } }
    denials   = { audit = { why = "an audit", verbs = ["restart"] } }
  }
  assert {
    condition     = srelab_escalation_policy.this["tickets"].steps[0].notify_schedule == "nights"
    error_message = "The policy does not notify the schedule."
  }
  assert {
    condition     = srelab_guardrail.this["audit"].targets == null
    error_message = "A denial without targets is one of all of them."
  }
}

run "an_objective_is_a_share" {
  command = plan
  variables {
    slos = {
      checkout = {
        service   = "order-api"
        owner     = "shop"
        promise   = "It works."
        reason    = "It has to."
        indicator = "order-availability"
        objective = 99.5
      }
    }
  }
  expect_failures = [var.slos]
}

run "an_objective_counts_something" {
  command = plan
  variables {
    slos = { checkout = { service = "order-api", owner = "shop", promise = "It works.", reason = "It has to.", objective = 0.995 } }
  }
  expect_failures = [var.slos]
}

run "an_objective_can_be_written_down" {
  command = plan
  variables {
    slos = {
      checkout = {
        service   = "order-api"
        owner     = "shop"
        promise   = "It works."
        reason    = "It has to."
        indicator = "order-availability"
        objective = 0.995
      }
    }
  }
  assert {
    condition     = srelab_slo.this["checkout"].objective == "0.995" && srelab_slo.this["checkout"].window == "30d"
    error_message = "The objective has another number, or another window."
  }
}
