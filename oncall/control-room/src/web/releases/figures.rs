//! The four figures of delivery, and how little a handful of releases proves.

use incident::statistics::Summary;
use maud::{Markup, html};
use release::dora::Figures;

use crate::{
    releases::view::DeliveryView,
    web::parts::{duration, or_dash, percent},
};

/// The card.
pub(super) fn card(delivery: &DeliveryView) -> Markup {
    let Figures { deployments, per_day, lead_time, failures, restore, lasting } = &delivery.figures;
    html! {
        section.card.scroll tabindex="0" role="region" aria-labelledby="figures-title" {
            h2 #figures-title { "The four figures of delivery, last 30 days" }
            table.table.rows {
                thead {
                    tr {
                        th scope="col" { "Figure" } th.num scope="col" { "Value" } th.num scope="col" { "Of" }
                        th scope="col" { "What it counts, and how sure it is" }
                    }
                }
                tbody {
                    tr {
                        th scope="row" { "Deployment frequency" }
                        td.num.strong { (or_dash(*per_day, |days| format!("{days:.2} per day"))) }
                        td.num { (deployments) " releases" }
                        td.muted { "releases that reached everyone" }
                    }
                    (times("Lead time for changes", lead_time.as_ref(), "releases", "from the written change until everyone had it"))
                    tr {
                        th scope="row" { "Change failure rate" }
                        td.num.strong { (or_dash(failures.map(|rate| rate.share), percent)) }
                        td.num { @if let Some(rate) = failures { (rate.some) " of " (rate.all) } @else { "–" } }
                        td.muted {
                            @match failures {
                                Some(rate) => { "95 % interval " (percent(rate.interval.0)) " to " (percent(rate.interval.1)) }
                                None => "users met no change",
                            }
                        }
                    }
                    (times("Time to restore", restore.as_ref(), "failed changes", "from when users met the change until it was repaired"))
                }
            }
            @if *lasting > 0 { p { (lasting) " failed changes are not repaired yet, and not in the time to restore." } }
        }
    }
}

/// A row of a time: median, and what its interval is.
fn times(name: &str, summary: Option<&Summary>, of: &str, what: &str) -> Markup {
    html! {
        tr {
            th scope="row" { (name) }
            td.num.strong { (or_dash(summary.map(|summary| summary.median), duration)) }
            td.num { (summary.map_or(0, |summary| summary.n)) " " (of) }
            td.muted {
                (what)
                @if let Some(summary) = summary {
                    "; median, 95 % interval " (duration(summary.interval.0)) " to " (duration(summary.interval.1))
                    "; 90th percentile " (duration(summary.p90))
                }
            }
        }
    }
}
