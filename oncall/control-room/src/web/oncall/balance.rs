//! Whether a schedule is fair: hours, nights and weekends of each person, and what somebody should look at.

use maud::{Markup, html};
use rota::{Rota, Schedule, check::Report};

use super::title;
use crate::web::parts::{Tone, badge, empty, percent};

pub(super) fn draw(report: &Report, rota: &Rota, schedule: &Schedule) -> Markup {
    let Some(outlook) = report.schedules.iter().find(|outlook| outlook.schedule == schedule.name) else {
        return empty(
            "Nothing is known about this schedule yet.",
            html! { "Load the page again in a moment." },
        );
    };
    let nights = outlook.handoffs.iter().filter(|handoff| handoff.at_night).count();
    html! {
        @if outlook.warnings.is_empty() { p { (badge(Tone::Good, "nothing to look at")) } }
        @else { ul.stack.tight { @for warning in &outlook.warnings { li { (badge(Tone::Warn, "look at this")) " " (warning) } } } }
        div.card.scroll tabindex="0" role="region" aria-label="Balance" {
            table.table.rows {
                thead { tr {
                    th scope="col" { "Person" } th.num scope="col" { "Shifts" } th.num scope="col" { "Hours" }
                    th.num scope="col" { "Share" } th.num scope="col" { "Nights, hours" } th.num scope="col" { "Weekends, hours" }
                } }
                tbody {
                    @for load in &outlook.people {
                        tr {
                            th scope="row" { (title(rota, &load.person)) }
                            td.num { (load.shifts) } td.num { (hours(load.hours)) } td.num { (percent(load.share)) }
                            td.num { (hours(load.night_hours)) } td.num { (hours(load.weekend_hours)) }
                        }
                    }
                }
            }
        }
        p.muted {
            (outlook.handoffs.len()) " hand-offs, " (nights) " of them at night for one of the two people. "
            "A night is from 22:00 to 06:00 where the person lives."
        }
    }
}

fn hours(hours: f64) -> String {
    format!("{hours:.0}")
}
