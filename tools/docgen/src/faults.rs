//! `docs/faults.md`, from the catalogues of the services: it has every declared fault and no others, with the
//! defaults and ranges that the parser uses.

use std::fmt::Write as _;

use chassis_faults::{AnyFault, Catalogue, FaultSpec, ParamReport, Reach, parameters};

/// What the page needs to know of a service.
#[derive(Clone, Copy)]
pub(crate) struct ServiceFaults<'a> {
    /// The service's name.
    pub(crate) name: &'a str,
    /// Its admin address on the user's own machine: `localhost:9101`.
    pub(crate) admin: &'a str,
    /// Its fault points.
    pub(crate) catalogue: Catalogue,
}

const INTRO: &str = "\
# Faults

Generated from the code by `just generate`; do not edit.

Each fault is real: it takes the resource, holds the lock, drops the connection. Only `risky` is on
by default, and each fault ends by itself. Nothing that it does to answers, logs, traces, metrics,
threads, sessions or keys gives it away: whatever is there only during a fault is what its real
cause would leave ([how that is kept true](adr/0015-what-faults-leave.md)). One line switches it, on
the admin port of the service:

```sh
curl -X PUT 'localhost:9101/faults/http-error?rate=0.2&ttl=5m'   # on, or changed
curl localhost:9101/faults                                       # every fault, its parameters, and its active plan
curl -X DELETE localhost:9101/faults/http-error                  # off
curl -X DELETE localhost:9101/faults                             # all off
```

`FAULTS_ENABLED=false` removes the switch, `FAULTS_TOKEN` guards it (`Authorization: Bearer …`), and
`FAULTS_AT_START` sets faults at the start
(`FAULTS_AT_START='http-error?rate=0.2 db-latency?delay=50ms'`). For instructors,
`FAULTS_REVEAL=true` names active faults in the gauge `fault_active{fault}`, in spans (`fault.name`)
and in the log.

## Common parameters

";

/// The whole page.
pub(crate) fn markdown(services: &[ServiceFaults<'_>]) -> String {
    let faults = declared(services);
    let mut page = INTRO.to_owned();
    let common = faults.iter().find(|spec| spec.reach == Reach::Work).or(faults.first());
    let common = common.map(|spec| own_and_common(spec).1).unwrap_or_default();
    table(&mut page, &common);
    page.push_str(
        "\n`route`, `user_tier`, `user_id` and `seed` are for faults that hit units of work (requests, calls, messages). A plan \
         for one user\naffects requests that name their user (W3C baggage `user.id`, `user.tier`) before the handler runs, and \
         others as soon\nas the handler knows the user. You may leave out the braces of a route, which curl would interpret.\n\n\
         The notifier runs with `lab up --cloud` ([cloud](cloud.md#notifications)). Its faults take neither\n\
         `user_tier` nor `user_id`: a notification does not say whose order it is about.\n",
    );
    index(&mut page, &faults, services);
    for spec in &faults {
        section(&mut page, spec, services);
    }
    page
}

/// Every fault of every boundary, in the order of the page: along the path of a request, then the process, then what services
/// declare of their own, then the telemetry.
pub(crate) fn known() -> Vec<&'static dyn AnyFault> {
    let boundaries: [Catalogue; 10] = [
        &[&order_api::faults::RISKY],
        chassis_http::catalogue::ALL,
        chassis_client::catalogue::ALL,
        chassis_postgres::catalogue::ALL,
        chassis_redis::catalogue::ALL,
        chassis_kafka::catalogue::ALL,
        chassis_service::catalogue::ALL,
        &[&order_api::faults::WRONG_TOTAL, &user_service::faults::LOST_UPDATE],
        notifier::faults::CATALOGUE,
        chassis_telemetry::catalogue::ALL,
    ];
    boundaries.concat()
}

/// Every declared fault once, in the order of the services' catalogues.
fn declared(services: &[ServiceFaults<'_>]) -> Vec<&'static FaultSpec> {
    let mut faults: Vec<&'static FaultSpec> = Vec::new();
    for fault in services.iter().flat_map(|service| service.catalogue) {
        let spec = fault.spec();
        if faults.iter().all(|known| known.name != spec.name) {
            faults.push(spec);
        }
    }
    let known = known();
    let place = |spec: &FaultSpec| known.iter().position(|known| known.spec().name == spec.name);
    faults.sort_by_key(|spec| place(spec).unwrap_or(usize::MAX));
    faults
}

fn having<'a>(spec: &FaultSpec, services: &'a [ServiceFaults<'a>]) -> Vec<&'a ServiceFaults<'a>> {
    services
        .iter()
        .filter(|service| service.catalogue.iter().any(|own| own.spec().name == spec.name))
        .collect()
}

fn names(services: &[&ServiceFaults<'_>]) -> String {
    services.iter().map(|service| service.name).collect::<Vec<_>>().join(", ")
}

fn index(page: &mut String, faults: &[&FaultSpec], services: &[ServiceFaults<'_>]) {
    page.push_str("\n## Index\n\n| fault | acts on | services |\n|---|---|---|\n");
    for spec in faults {
        let reach = match spec.reach {
            Reach::Work => "units of work",
            Reach::Process => "the process",
        };
        let _ =
            writeln!(page, "| [`{0}`](#{0}) | {reach} | {1} |", spec.name, names(&having(spec, services)));
    }
}

fn section(page: &mut String, spec: &FaultSpec, services: &[ServiceFaults<'_>]) {
    let having = having(spec, services);
    let _ = write!(page, "\n## {}\n\n{}\n\n", spec.name, spec.summary);
    let _ = writeln!(page, "- **Services**: {}", names(&having));
    let _ = writeln!(page, "- **Signals**: {}", spec.signals);
    let _ = writeln!(page, "- **How it ends**: `DELETE`, its ttl, or the end of the process. {}", spec.ends);
    let own = own_and_common(spec).0;
    if !own.is_empty() {
        page.push('\n');
        table(page, &own);
    }
    if let Some(service) = having.first() {
        let (admin, name, plan) = (service.admin, spec.name, example(spec));
        let _ = write!(page, "\n```sh\ncurl -X PUT '{admin}/faults/{name}?{plan}'\n");
        let _ = write!(page, "curl -X DELETE {admin}/faults/{name}\n```\n");
    }
}

/// A plan worth trying: the fault's defaults, part of the work, five minutes.
fn example(spec: &FaultSpec) -> String {
    let rate = (spec.reach == Reach::Work).then(|| "rate=0.2".to_owned());
    let own = spec.params.iter().map(|param| format!("{}={}", param.name, param.default));
    rate.into_iter().chain(own).chain(["ttl=5m".to_owned()]).collect::<Vec<_>>().join("&")
}

/// The parameters of `spec`: its own, and those that all faults have.
fn own_and_common(spec: &FaultSpec) -> (Vec<ParamReport>, Vec<ParamReport>) {
    let all = parameters(spec, order_api::faults::SUBJECT);
    all.into_iter().partition(|param| spec.params.iter().any(|own| own.name == param.name))
}

fn table(page: &mut String, params: &[ParamReport]) {
    page.push_str("| parameter | takes | default | meaning |\n|---|---|---|---|\n");
    for param in params {
        let default = param.default.map_or_else(|| "none".to_owned(), |default| format!("`{default}`"));
        let _ = writeln!(page, "| `{}` | {} | {default} | {} |", param.name, param.expects, param.summary);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use chassis_faults::Faults;
    use chassis_http::catalogue::HTTP_ERROR;
    use chassis_redis::catalogue::CACHE_GROWTH;
    use chassis_service::catalogue::CPU_BURN;

    use super::*;

    const ONE: ServiceFaults<'_> =
        ServiceFaults { name: "one", admin: "localhost:9101", catalogue: &[&HTTP_ERROR, &CPU_BURN] };
    const TWO: ServiceFaults<'_> =
        ServiceFaults { name: "two", admin: "localhost:9102", catalogue: &[&CACHE_GROWTH, &CPU_BURN] };

    #[test]
    fn each_declared_fault_has_a_section_with_its_services_parameters_and_curl() {
        let page = markdown(&[ONE, TWO]);
        for expected in [
            "| [`cpu-burn`](#cpu-burn) | the process | one, two |",
            "\n## http-error\n",
            "| `status` | a whole number from 500 to 599 | `500` | status of the answer |",
            "| `ttl` | a duration such as 250ms or 5m, from 10ms to 1h | `10m` |",
            "curl -X PUT 'localhost:9101/faults/http-error?rate=0.2&status=500&ttl=5m'",
            "curl -X PUT 'localhost:9102/faults/cache-growth?size=32MiB&step=1MiB&ttl=5m'",
        ] {
            assert!(page.contains(expected), "{expected}\n---\n{page}");
        }
        assert_eq!(page.matches("\n## cpu-burn\n").count(), 1);
        assert!(!page.contains("db-lock"), "no service has it");
    }

    #[test]
    fn every_example_is_a_plan_that_is_taken() {
        let all: Catalogue = known().leak();
        let faults = Faults::new(all, order_api::faults::SUBJECT, false);
        for spec in all.iter().map(|fault| fault.spec()) {
            faults.set(spec.name, &example(spec)).unwrap();
        }
    }

    #[test]
    fn every_fault_of_a_boundary_is_in_a_service_and_every_fault_of_a_service_in_a_boundary() {
        let names = |faults: Catalogue| faults.iter().map(|fault| fault.spec().name).collect::<BTreeSet<_>>();
        let services = [
            order_api::faults::CATALOGUE,
            user_service::faults::CATALOGUE,
            order_worker::faults::CATALOGUE,
            notifier::faults::CATALOGUE,
        ];
        // Which of them a service really does, its own tests ask (`Faults::unclaimed`).
        assert_eq!(names(known().leak()), services.into_iter().flat_map(names).collect::<BTreeSet<_>>());
    }

    #[test]
    fn every_row_of_the_catalogues_accepts_its_defaults_and_has_a_name_of_its_own() {
        let all: Catalogue = known().leak();
        let faults = Faults::new(all, order_api::faults::SUBJECT, false);
        for spec in all.iter().map(|fault| fault.spec()) {
            let kebab = |c: char| c.is_ascii_lowercase() || c == '-';
            assert!(spec.name.chars().all(kebab), "{}", spec.name);
            for text in [spec.summary, spec.signals, spec.ends] {
                assert!(text.len() > 10 && text.ends_with('.'), "{}: {text}", spec.name);
            }
            faults.set(spec.name, "ttl=1s").unwrap();
        }
    }
}
