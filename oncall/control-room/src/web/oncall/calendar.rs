//! The calendar of a schedule: a week as one row per day with time from left to right, or a month with the hand-offs of each day.
//! Plain tables, so that they can be read aloud and need neither script nor style attribute.

use chrono::{DateTime, Datelike as _, Days, Months, NaiveDate, NaiveTime, Timelike as _, Utc};
use maud::{Markup, html};
use rota::{Rota, Schedule, Shift, schedule::Reason};

use super::{class, title};
use crate::{
    error::Result,
    room::Room,
    web::parts::{Tone, badge},
};

/// Columns of a day: half hours.
const SLOTS: u32 = 48;

/// How much is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::EnumCount, strum::VariantArray)]
pub(super) enum View {
    /// Seven days from Monday.
    Week,
    /// The weeks of a month.
    Month,
}

impl View {
    pub(super) const ALL: [Self; <Self as strum::EnumCount>::COUNT] =
        *<Self as strum::VariantArray>::VARIANTS.first_chunk().expect("all of them");

    pub(super) fn named(name: Option<&str>) -> Self {
        if name == Some(Self::Month.name()) { Self::Month } else { Self::Week }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Week => "week",
            Self::Month => "month",
        }
    }

    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Week => "Week",
            Self::Month => "Month",
        }
    }

    pub(super) fn before(self, day: NaiveDate) -> NaiveDate {
        let moved = match self {
            Self::Week => day.checked_sub_days(Days::new(7)),
            Self::Month => first_of_month(day).checked_sub_months(Months::new(1)),
        };
        moved.unwrap_or(day)
    }

    pub(super) fn after(self, day: NaiveDate) -> NaiveDate {
        let moved = match self {
            Self::Week => day.checked_add_days(Days::new(7)),
            Self::Month => first_of_month(day).checked_add_months(Months::new(1)),
        };
        moved.unwrap_or(day)
    }

    /// The days that are shown, whole weeks.
    fn days(self, day: NaiveDate) -> Vec<NaiveDate> {
        let weeks = match self {
            Self::Week => vec![monday(day)],
            Self::Month => {
                let next = self.after(day);
                let mondays = std::iter::successors(Some(monday(first_of_month(day))), |monday| {
                    Some(*monday + Days::new(7))
                });
                mondays.take_while(|monday| *monday < next).collect()
            }
        };
        weeks.into_iter().flat_map(|monday| monday.iter_days().take(7)).collect()
    }
}

fn monday(day: NaiveDate) -> NaiveDate {
    day - Days::new(u64::from(day.weekday().num_days_from_monday()))
}

fn first_of_month(day: NaiveDate) -> NaiveDate {
    day.with_day(1).unwrap_or(day)
}

/// Why somebody is primary, where it is not simply the turn.
pub(super) fn reason(reason: &Reason) -> Markup {
    match reason {
        Reason::Layer(_) => html! {},
        Reason::Override(_) => badge(Tone::Info, "override"),
        Reason::Temporary => badge(Tone::Info, "temporary"),
        Reason::Fallback => badge(Tone::Warn, "fallback"),
    }
}

/// A day and its shifts, cut at its ends.
struct Day {
    date: NaiveDate,
    from: DateTime<Utc>,
    until: DateTime<Utc>,
    shifts: Vec<Shift>,
}

pub(super) fn draw(
    room: &Room,
    rota: &Rota,
    schedule: &Schedule,
    view: View,
    from: NaiveDate,
    now: DateTime<Utc>,
) -> Result<Markup> {
    let midnight = |date: NaiveDate| schedule.zone.first(date.and_time(NaiveTime::MIN));
    let mut days = Vec::new();
    for date in view.days(from) {
        let (begin, end) = (midnight(date), midnight(date + Days::new(1)));
        days.push(Day {
            date,
            from: begin,
            until: end,
            shifts: room.duty.shifts(&schedule.name, begin, end)?,
        });
    }
    let today = schedule.zone.local(now).date();
    Ok(match view {
        View::Week => week(rota, schedule, &days, today),
        View::Month => month(rota, schedule, &days, first_of_month(from), today),
    })
}

fn week(rota: &Rota, schedule: &Schedule, days: &[Day], today: NaiveDate) -> Markup {
    html! {
        div.card.scroll tabindex="0" role="region" aria-label="Calendar of a week" {
            table.calendar.week {
                caption { (span(days)) }
                thead { tr {
                    th scope="col" { "Day" }
                    @for hour in ["00:00", "06:00", "12:00", "18:00"] { th scope="col" colspan="12" { (hour) } }
                } }
                tbody {
                    @for day in days {
                        tr.today[day.date == today] {
                            th scope="row" aria-current=[(day.date == today).then_some("date")] { (day.date.format("%a %e %b")) }
                            @for cell in cells(schedule, day) {
                                td class={ "shift " (class(rota, &cell.shift.primary.person)) } colspan=(cell.slots) title=(hover(rota, schedule, cell.shift)) {
                                    span.name { (title(rota, &cell.shift.primary.person)) } " " (reason(&cell.shift.primary.reason))
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn month(rota: &Rota, schedule: &Schedule, days: &[Day], first: NaiveDate, today: NaiveDate) -> Markup {
    html! {
        div.card.scroll tabindex="0" role="region" aria-label="Calendar of a month" {
            table.calendar.month {
                caption { (first.format("%B %Y")) }
                thead { tr { @for day in ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"] { th scope="col" { (day) } } } }
                tbody {
                    @for week in days.chunks(7) {
                        tr {
                            @for day in week {
                                td.today[day.date == today].outside[day.date.month() != first.month()] {
                                    span.date aria-current=[(day.date == today).then_some("date")] { (day.date.day()) }
                                    ul { @for shift in &day.shifts { (entry(rota, schedule, day, shift)) } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A shift on its day: with the time of the hand-off, if there is one on that day.
fn entry(rota: &Rota, schedule: &Schedule, day: &Day, shift: &Shift) -> Markup {
    html! {
        li class={ "shift " (class(rota, &shift.primary.person)) } title=(hover(rota, schedule, shift)) {
            @if shift.from > day.from { span.num { (schedule.zone.local(shift.from).format("%H:%M")) } " " }
            span.name { (title(rota, &shift.primary.person)) } " " (reason(&shift.primary.reason))
        }
    }
}

fn span(days: &[Day]) -> String {
    match (days.first(), days.last()) {
        (Some(first), Some(last)) => {
            format!("{} to {}", first.date.format("%e %B"), last.date.format("%e %B %Y"))
        }
        _ => String::new(),
    }
}

fn hover(rota: &Rota, schedule: &Schedule, shift: &Shift) -> String {
    let time = |at| schedule.zone.local(at).format("%H:%M").to_string();
    let why = match &shift.primary.reason {
        Reason::Layer(layer) => format!("layer {layer}"),
        Reason::Override(layer) => format!("override of layer {layer}"),
        Reason::Temporary => "temporary shift".to_owned(),
        Reason::Fallback => "no layer counts: fallback".to_owned(),
    };
    format!("{}, {} to {} ({why})", title(rota, &shift.primary.person), time(shift.from), time(shift.until))
}

/// A shift and how many columns it takes.
struct Cell<'d> {
    shift: &'d Shift,
    slots: u32,
}

/// Columns by wall time. A shift has at least one, even if it is shorter than that or the clock goes back in it.
fn cells<'d>(schedule: &Schedule, day: &'d Day) -> Vec<Cell<'d>> {
    let mut column = 0;
    let mut cells = Vec::new();
    for (at, shift) in day.shifts.iter().enumerate() {
        let last = at + 1 == day.shifts.len() || shift.until >= day.until;
        let wall = schedule.zone.local(shift.until);
        let end = if last { SLOTS } else { (wall.hour() * 60 + wall.minute()) / 30 };
        let slots = end.saturating_sub(column).max(1);
        column += slots;
        cells.push(Cell { shift, slots });
    }
    cells
}

#[cfg(test)]
mod tests {
    use rota::schedule::Primary;

    use super::*;

    fn day(date: &str) -> NaiveDate {
        date.parse().unwrap()
    }

    #[test]
    fn a_month_is_shown_in_whole_weeks() {
        let days = View::Month.days(day("2026-11-17"));
        assert_eq!((days.first(), days.last()), (Some(&day("2026-10-26")), Some(&day("2026-12-06"))));
        assert_eq!(
            View::Week.days(day("2026-11-29")).first(),
            Some(&day("2026-11-23")),
            "Sunday is the last day"
        );
        assert_eq!(View::Month.after(day("2026-01-31")), day("2026-02-01"));
        assert_eq!(View::Month.before(day("2026-03-31")), day("2026-02-01"));
    }

    #[test]
    fn a_day_has_48_columns_and_no_shift_is_lost() {
        let schedule = Schedule {
            name: "x".to_owned(),
            zone: rota::Zone::named("Europe/Berlin").unwrap(),
            fallback: None,
            layers: Vec::new(),
            overrides: Vec::new(),
            temporary: Vec::new(),
        };
        let at = |text: &str| -> DateTime<Utc> { text.parse().unwrap() };
        let shift = |from: &str, until: &str| Shift {
            primary: Primary { person: "ada".to_owned(), reason: Reason::Temporary },
            from: at(from),
            until: at(until),
        };
        let shown = Day {
            date: day("2026-11-23"),
            from: at("2026-11-22T23:00:00Z"),
            until: at("2026-11-23T23:00:00Z"),
            shifts: vec![
                shift("2026-11-22T23:00:00Z", "2026-11-23T08:00:00Z"),
                shift("2026-11-23T08:00:00Z", "2026-11-23T08:10:00Z"),
                shift("2026-11-23T08:10:00Z", "2026-11-23T23:00:00Z"),
            ],
        };
        let slots: Vec<u32> = cells(&schedule, &shown).iter().map(|cell| cell.slots).collect();
        assert_eq!(slots, [18, 1, 29], "until 09:00, ten minutes, the rest of the day");
    }
}
